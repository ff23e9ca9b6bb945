// A recurrent network reads Moby Dick and writes on, character by character: `pnpm example prose`.
import {
  categorical,
  compile,
  fromTypedArray,
  manualSeed,
  type Tensor,
  tensor,
  zeros,
} from "@cotangent/autograd";
import { Adam, Embedding, type Epoch, fit, Linear, LSTM, Module, summary } from "@cotangent/nn";
import { batches, TensorDataset } from "@cotangent/nn/data";
import { crossEntropy } from "@cotangent/nn/loss";
import { progress } from "@cotangent/nn/node";
import { linear } from "@cotangent/nn/schedules";
import { mobyDick } from "./datasets/novel.ts";
import { type Chapter, type ChapterOptions, runAlone, share } from "./page/chapter.ts";
import { curvesPlot } from "./page/curves.ts";
import { code, figure, paragraph, section } from "./page/html.ts";

const width = 128;
/** How far back a character can matter: each passage of this length begins with an empty memory. */
const steps = 32;
const batchSize = 16;
const temperatures = [0.4, 0.7, 1];

/** What the network remembers between two characters: the states of its LSTM, each [1, n, width]. */
type Memory = readonly [h: Tensor, c: Tensor];

export class Writer extends Module {
  readonly letters: Embedding;
  readonly memory: LSTM = new LSTM(32, width, { batchFirst: true });
  readonly head: Linear;

  constructor(letters: number) {
    super();
    this.letters = new Embedding(letters, 32);
    this.head = new Linear(width, letters);
  }

  /** Scores of what comes next after each of the letters [n, steps], and what is remembered then. */
  read(letters: Tensor, memory?: Memory): [scores: Tensor, memory: Memory] {
    const [states, after] = this.memory.forward(this.letters.forward(letters), memory);
    return [this.head.forward(states), after];
  }

  forward(letters: Tensor): Tensor {
    return this.read(letters)[0];
  }
}

/** A text cut into passages, and what comes next after each of their characters. */
function passages(text: string, alphabet: string): TensorDataset<[Tensor, Tensor]> {
  const numbers = Int32Array.from(text, (letter) => alphabet.indexOf(letter));
  const count = Math.floor((numbers.length - 1) / steps);
  const cut = (from: number) =>
    fromTypedArray(numbers.slice(from, from + count * steps), [count, steps]) as Tensor;
  return new TensorDataset(cut(0), cut(1));
}

/** Lets the model write a new paragraph at each of the temperatures: the higher, the more it dares. */
function written(model: Writer, alphabet: string, length: number): string[] {
  model.eval();
  const heat = tensor(temperatures.map((temperature) => [temperature]));
  const next = compile((letters: Tensor, memory: Memory) => {
    const [scores, after] = model.read(letters, memory);
    return { letters: categorical([], { logits: scores.squeeze(1).div(heat) }).unsqueeze(1), memory: after };
  });
  const count = temperatures.length;
  let letters: Tensor = tensor(
    temperatures.map(() => [alphabet.indexOf("\n")]),
    { dtype: "int32" },
  );
  let memory: Memory = [zeros([1, count, width]), zeros([1, count, width])];
  let texts = temperatures.map(() => "");
  for (let i = 0; i < length; i++) {
    ({ letters, memory } = next(letters, memory));
    const drawn = letters.toTypedArray();
    texts = texts.map((text, k) => text + alphabet[drawn[k]!]!);
  }
  return texts.map((text) => text.trim());
}

/** With lines of at most 76 characters. */
const lines = (text: string): string => text.replace(/(?=.{77})(.{1,76}) /g, "$1\n");

export async function prose(
  { effort = 1, output = process.stderr }: ChapterOptions = {},
  given?: string,
): Promise<Chapter> {
  const text = given ?? (await mobyDick()).slice(0, 600_000);
  const alphabet = [...new Set(text)].sort().join("");
  const kept = Math.floor(0.9 * text.length);
  const [read, unseen] = [passages(text.slice(0, kept), alphabet), passages(text.slice(kept), alphabet)];
  manualSeed(1);
  const model = new Writer(alphabet.length);
  console.log(summary(model, [1, steps], { dtype: "int32" }));
  const epochs = share(5, effort);
  const total = epochs * Math.floor(read.length / batchSize);
  const optimizer = new Adam(model.parameters(), {
    lr: linear({ lr: 5e-3, startFactor: 1, endFactor: 0, totalIters: total }),
  });
  const loss = (scores: Tensor, next: Tensor) =>
    crossEntropy(scores.reshape([-1, alphabet.length]), next.reshape([-1]));
  const data = batches(read, { batchSize, shuffle: true, dropLast: true, seed: 1 });
  const validation = batches(unseen, { batchSize });
  const history: Epoch[] = [];
  const run = fit(model, data, { loss, optimizer, epochs, validation, compile: true });
  for await (const epoch of progress(run, { output, label: "prose" })) history.push(epoch);
  const samples = written(model, alphabet, 500);
  const { loss: learned, validation: { loss: tested } = { loss: Number.NaN } } = history.at(-1)!;
  console.log(
    `prose: loss ${learned.toFixed(3)}, on text it had not seen ${tested.toFixed(3)} (no knowledge ${Math.log(alphabet.length).toFixed(3)})`,
  );
  samples.forEach((sample, i) => {
    console.log(`at temperature ${temperatures[i]}:\n${lines(sample)}\n`);
  });
  const html = section(
    "prose",
    "More of Moby Dick",
    paragraph(
      `A network with long short-term memory reads ${kept.toLocaleString("en")} characters of the novel in passages of ${steps}, ${epochs} times, and learns which character comes next. It knows nothing of words: it finds out that there are some. It needs ${(tested / Math.LN2).toFixed(2)} bits for a character of the pages that it had not seen; a guess among ${alphabet.length} takes ${Math.log2(alphabet.length).toFixed(2)}.`,
    ),
    ...samples.flatMap((sample, i) => [
      paragraph(`What it writes at temperature ${temperatures[i]}:`),
      code(lines(sample)),
    ]),
    figure("The loss in each round, and after it on pages that it had not seen.", [
      curvesPlot(
        "Loss against round",
        [
          { name: "read", points: history.map(({ epoch, loss }) => [epoch, loss]) },
          { name: "not seen", points: history.map(({ epoch, validation }) => [epoch, validation!.loss]) },
        ],
        { x: "round", y: "loss (cross entropy)" },
      ),
    ]),
  );
  return { id: "prose", title: "More of Moby Dick", html };
}

await runAlone(import.meta.url, prose, "A small LSTM on Moby Dick, with Cotangent.");
