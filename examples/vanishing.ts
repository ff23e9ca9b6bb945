// Why deep networks were hard to train: gradients that vanish or explode over depth: `pnpm example vanishing`.
import { grad, manualSeed, normal, relu, sigmoid, type Tensor, tanh, variable } from "@cotangent/autograd";
import { type Chapter, type ChapterOptions, runAlone, share } from "./page/chapter.ts";
import { curvesPlot } from "./page/curves.ts";
import { figure, paragraph, power, section, table } from "./page/html.ts";

const width = 32;
const activations: readonly { name: string; f: (x: Tensor) => Tensor; deviation: number }[] = [
  { name: "ReLU, large", f: relu, deviation: 2 / Math.sqrt(width) },
  { name: "ReLU", f: relu, deviation: Math.sqrt(2 / width) },
  { name: "tanh", f: tanh, deviation: 1 / Math.sqrt(width) },
  { name: "sigmoid", f: sigmoid, deviation: 1 / Math.sqrt(width) },
];

/** The root mean square of the loss's derivative by the values behind each layer, first layer first. */
function sizes(f: (x: Tensor) => Tensor, deviation: number, depth: number): number[] {
  manualSeed(1);
  let h: Tensor = normal([16, width]);
  const layers: Tensor[] = [];
  for (let layer = 0; layer < depth; layer++) {
    const weight = variable(normal([width, width], { deviation }));
    h = f(h.matmul(weight));
    layers.push(h);
  }
  const loss = h.mul(normal([16, width])).sum();
  return grad(loss, layers).map((g) => Math.sqrt(g.square().mean().item()));
}

export async function vanishing({ effort = 1 }: ChapterOptions = {}): Promise<Chapter> {
  const depth = share(30, Math.max(effort, 0.2));
  const runs = activations.map(({ name, f, deviation }) => ({ name, sizes: sizes(f, deviation, depth) }));
  console.log(`The gradient at the first of ${depth} layers, over the one at the last:`);
  for (const run of runs)
    console.log(`  ${run.name.padEnd(12)} ${(run.sizes[0]! / run.sizes.at(-1)!).toExponential(1)}`);
  const html = section(
    "vanishing",
    "Gradients that vanish and gradients that explode",
    paragraph(
      "More layers can say more, but the derivative has to travel through all of them, and each layer multiplies it. Multiply thirty times by a quarter, the steepest that a sigmoid ever gets, and nothing is left for the first layers to learn from. Multiply thirty times by a little more than 1 and the numbers explode.",
    ),
    figure(
      `The size of the gradient behind each of ${depth} layers of ${width} neurons, before any training; layer 1 is the one nearest to the input. The scale is logarithmic.`,
      [
        curvesPlot(
          "Size of the gradient by layer, one line for each activation",
          runs.map((run) => ({
            name: run.name,
            points: run.sizes.map((size, i) => [i + 1, size] as const),
          })),
          { x: "layer", y: "root mean square of the gradient", log: true },
        ),
      ],
    ),
    paragraph(
      "What keeps it level is the size of the weights at the start: for ReLU, which lets half of the numbers through, a variance of 2/n (He et al. 2015); for tanh near 0, 1/n (Glorot and Bengio 2010). Twice that deviation, and the same ReLU explodes. For the sigmoid no start helps for long.",
    ),
    table(
      "The gradient at the first layer, divided by that at the last.",
      ["Activation", "First over last"],
      runs.map((run) => [run.name, power(run.sizes[0]! / run.sizes.at(-1)!)]),
    ),
  );
  return { id: "vanishing", title: "Gradients that vanish and gradients that explode", html };
}

await runAlone(import.meta.url, vanishing);
