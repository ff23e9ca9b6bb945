// Which iris is it? Four lengths, three kinds, and a table of mistakes: `pnpm example iris`.
import { Generator, manualSeed, permutation, type Tensor, tensor } from "@cotangent/autograd";
import { Adam, fit, MLP } from "@cotangent/nn";
import { crossEntropy } from "@cotangent/nn/loss";
import { confusionMatrix } from "@cotangent/nn/metrics";
import { progress } from "@cotangent/nn/node";
import { type Flower, flowers, kinds } from "./datasets/flowers.ts";
import { type Chapter, type ChapterOptions, runAlone, share } from "./page/chapter.ts";
import { figure, paragraph, section } from "./page/html.ts";
import { confusionPlot } from "./page/numbers.ts";
import { lossPlot } from "./page/plots.ts";

const held = 30;

/** Sizes with mean 0 and deviation 1 over the flowers to learn from, and numbers of kinds. */
function prepared(given: readonly Flower[]): { x: Tensor; y: Tensor; testX: Tensor; testY: Tensor } {
  const order = permutation(given.length, { generator: new Generator(3) });
  const sizes = tensor(given.map((flower) => flower.sizes)).indexSelect(0, order);
  const y = tensor(
    given.map((flower) => kinds.indexOf(flower.kind)),
    { dtype: "int32" },
  ).indexSelect(0, order);
  const learned = sizes.slice(held);
  const mean = learned.mean(0, { keepDims: true });
  const deviation = learned.std(0, { keepDims: true });
  const x = sizes.sub(mean).div(deviation);
  return { x: x.slice(held), y: y.slice(held), testX: x.slice(0, held), testY: y.slice(0, held) };
}

export async function iris(
  { effort = 1, output = process.stderr }: ChapterOptions = {},
  given?: readonly Flower[],
): Promise<Chapter> {
  const { x, y, testX, testY } = prepared(given ?? (await flowers()));
  manualSeed(0);
  const model = new MLP([4, 16, 3]);
  const optimizer = new Adam(model.parameters(), { lr: 0.01 });
  const epochs = share(300, effort);
  const losses: number[] = [];
  const run = fit(model, [x, y], { loss: crossEntropy, optimizer, epochs, compile: true });
  for await (const { loss } of progress(run, { output, label: "iris" })) losses.push(loss);
  model.eval();
  const counts = confusionMatrix(model.forward(testX), testY).toArray() as number[][];
  const right = counts.reduce((sum, row, i) => sum + row[i]!, 0);
  console.log(
    `iris: ${right} of ${held} flowers that the network had not seen are right, loss ${losses.at(-1)!.toFixed(4)}`,
  );
  const html = section(
    "iris",
    "Which iris is it?",
    paragraph(
      `150 flowers were measured: length and width of sepals and petals. A network with 16 hidden neurons learns from ${x.shape[0]} of them which of three kinds has which sizes, and is asked about the other ${held}.`,
    ),
    figure(
      `The ${held} flowers it had not seen: ${right} are right. Rows are what a flower is, columns what the network says.`,
      [confusionPlot(kinds, counts, "Which kinds were taken for which")],
      "small",
    ),
    figure("The loss while it learned.", [
      lossPlot([{ name: "iris", values: losses }], "Loss against epoch", ["epoch", "loss (cross entropy)"]),
    ]),
  );
  return { id: "iris", title: "Which iris is it?", html };
}

await runAlone(import.meta.url, iris, "Classification of real measurements, with Cotangent.");
