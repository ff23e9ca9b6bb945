// A small GPT makes up names, letter by letter: `pnpm example names`.
import {
  categorical,
  compile,
  gelu,
  manualSeed,
  scaledDotProductAttention,
  type Tensor,
  tensor,
} from "@cotangent/autograd";
import { AdamW, Embedding, fit, LayerNorm, Linear, Module, summary } from "@cotangent/nn";
import { batches, TensorDataset } from "@cotangent/nn/data";
import { crossEntropy } from "@cotangent/nn/loss";
import { progress } from "@cotangent/nn/node";
import { firstNames } from "./datasets/names.ts";
import { type Chapter, type ChapterOptions, runAlone, share } from "./page/chapter.ts";
import { code, figure, paragraph, section } from "./page/html.ts";
import { lossPlot } from "./page/plots.ts";

/** The letters, and 0 for where a name begins and ends. */
const alphabet = ".abcdefghijklmnopqrstuvwxyz";
const context = 16;
const width = 64;
const heads = 4;

/** Each letter looks at itself and those before it. */
class Attention extends Module {
  input: Linear = new Linear(width, 3 * width);
  output: Linear = new Linear(width, width);

  forward(x: Tensor): Tensor {
    const [batch, length] = x.shape as [number, number, number];
    const [query, key, value] = this.input
      .forward(x)
      .split(width, { axis: -1 })
      .map((part) => part.reshape([batch, length, heads, width / heads]).permute([0, 2, 1, 3]));
    const seen = scaledDotProductAttention(query!, key!, value!, undefined, { isCausal: true });
    return this.output.forward(seen.permute([0, 2, 1, 3]).reshape([batch, length, width]));
  }
}

class Block extends Module {
  norm1: LayerNorm = new LayerNorm(width);
  attention: Attention = new Attention();
  norm2: LayerNorm = new LayerNorm(width);
  widen: Linear = new Linear(width, 4 * width);
  narrow: Linear = new Linear(4 * width, width);

  forward(x: Tensor): Tensor {
    const looked = x.add(this.attention.forward(this.norm1.forward(x)));
    return looked.add(this.narrow.forward(gelu(this.widen.forward(this.norm2.forward(looked)))));
  }
}

export class Gpt extends Module {
  letters: Embedding = new Embedding(alphabet.length, width);
  places: Embedding = new Embedding(context, width);
  blocks: Block[] = [new Block(), new Block()];
  norm: LayerNorm = new LayerNorm(width);
  head: Linear = new Linear(width, alphabet.length);

  /** Scores of what comes next after each of the letters [batch, context]. */
  forward(letters: Tensor): Tensor {
    let x: Tensor = this.letters.forward(letters).add(this.places.weight);
    for (const block of this.blocks) x = block.forward(x);
    return this.head.forward(this.norm.forward(x));
  }
}

const nothing = -100;

/** Names as numbers: what is read [count, context], and what comes next, which behind the end is nothing. */
function encoded(names: readonly string[]): { x: Tensor; y: Tensor } {
  const letters = names.map((name) => Array.from(name.slice(0, context - 1), (c) => alphabet.indexOf(c)));
  const filled = (row: number[], rest: number) => [
    ...row,
    ...Array.from({ length: context - row.length }, () => rest),
  ];
  return {
    x: tensor(
      letters.map((row) => filled([0, ...row], 0)),
      { dtype: "int32" },
    ),
    y: tensor(
      letters.map((row) => filled([...row, 0], nothing)),
      { dtype: "int32" },
    ),
  };
}

/** Lets the model say `count` names. */
function made(model: Gpt, count: number): string[] {
  model.eval();
  const rows = Array.from({ length: count }, () => new Array<number>(context).fill(0));
  const next = compile((letters: Tensor) => categorical([], { logits: model.forward(letters) }));
  for (let place = 0; place < context - 1; place++) {
    const drawn = next(tensor(rows, { dtype: "int32" })).toTypedArray();
    rows.forEach((row, i) => {
      const ended = place > 0 && row[place] === 0;
      row[place + 1] = ended ? 0 : drawn[i * context + place]!;
    });
  }
  return rows.map((row) =>
    row
      .slice(1)
      .map((letter) => alphabet[letter]!)
      .join("")
      .replace(/\..*/, ""),
  );
}

export async function names(
  { effort = 1, output = process.stderr }: ChapterOptions = {},
  given?: readonly string[],
): Promise<Chapter> {
  const known = given ?? (await firstNames());
  const { x, y } = encoded(known);
  manualSeed(1);
  const model = new Gpt();
  console.log(summary(model, [1, context], { dtype: "int32" }));
  const optimizer = new AdamW(model.parameters(), { lr: 2e-3, weightDecay: 0.01 });
  const loss = (scores: Tensor, next: Tensor) =>
    crossEntropy(scores.reshape([-1, alphabet.length]), next.reshape([-1]), { ignoreIndex: nothing });
  const data = batches(new TensorDataset(x, y), { batchSize: 64, shuffle: true, dropLast: true, seed: 1 });
  const losses: number[] = [];
  const epochs = share(15, effort);
  const run = fit(model, data, { loss, optimizer, epochs, compile: true });
  for await (const epoch of progress(run, { output, label: "names" })) losses.push(epoch.loss);
  const invented = [...new Set(made(model, 60))].filter((name) => name !== "" && !known.includes(name));
  console.log(
    `names: loss ${losses.at(-1)!.toFixed(3)} (no knowledge ${Math.log(27).toFixed(3)}), made up: ${invented.slice(0, 8).join(", ")}`,
  );
  const html = section(
    "names",
    "Names that nobody has",
    paragraph(
      `A GPT reads ${known.length} first names and learns which letter comes next, from all that came before. Then it says names of its own: two blocks of attention with ${heads} heads, ${width} features, the architecture of the large ones in small.`,
    ),
    code(
      invented
        .slice(0, 40)
        .join("\n")
        .replace(
          /(.+)\n(.+)\n(.+)\n(.+)(\n|$)/g,
          (_, ...four: string[]) =>
            `${four
              .slice(0, 4)
              .map((name) => name.padEnd(16))
              .join("")}\n`,
        ),
    ),
    figure(
      "The loss after each round: how surprised it is by the next letter. A guess among 27 costs 3.30.",
      [lossPlot([{ name: "GPT", values: losses }], "Loss against round", ["round", "loss (cross entropy)"])],
    ),
  );
  return { id: "names", title: "Names that nobody has", html };
}

await runAlone(import.meta.url, names, "A small GPT on first names, with Cotangent.");
