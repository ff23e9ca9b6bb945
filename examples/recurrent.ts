// An unbounded activation in a loop blows up: `pnpm example recurrent`.
import { manualSeed, normal, relu, type Tensor, tanh } from "@cotangent/autograd";
import { type Chapter, type ChapterOptions, runAlone, share } from "./page/chapter.ts";
import { curvesPlot } from "./page/curves.ts";
import { code, figure, paragraph, section } from "./page/html.ts";

const width = 16;

/** The size of the state after each turn of `h = f(h W)`. */
function turns(f: (x: Tensor) => Tensor, gain: number, count: number): number[] {
  manualSeed(5);
  const weight = normal([width, width], { deviation: gain / Math.sqrt(width) });
  let h: Tensor = normal([1, width]);
  return Array.from({ length: count }, () => {
    h = f(h.matmul(weight));
    return Math.sqrt(h.square().mean().item());
  });
}

export async function recurrent({ effort = 1 }: ChapterOptions = {}): Promise<Chapter> {
  const count = share(60, Math.max(effort, 0.2));
  const runs = [
    { name: "ReLU, gain 2", sizes: turns(relu, 2, count) },
    { name: "ReLU, gain 1", sizes: turns(relu, 1, count) },
    { name: "tanh, gain 2", sizes: turns(tanh, 2, count) },
  ];
  for (const { name, sizes } of runs)
    console.log(`${name}: size ${sizes.at(-1)!.toExponential(1)} after ${count} turns`);
  const html = section(
    "recurrent",
    "ReLU in a loop",
    paragraph(
      "A recurrent network feeds its state back into itself, with the same weights each time. Whatever one turn multiplies, the next one multiplies again. tanh cannot answer more than 1, so its state stays in bounds. ReLU has no upper end, and a state that grows by a little in one turn grows without limit:",
    ),
    figure(
      `The size of a state of ${width} numbers over ${count} turns of the same random weights. The scale is logarithmic. Halve the weights, and the ReLU state dies out instead: there is only a knife’s edge in between.`,
      [
        curvesPlot(
          "Size of the state against turn",
          runs.map(({ name, sizes }) => ({ name, points: sizes.map((size, i) => [i + 1, size] as const) })),
          { x: "turn", y: "root mean square of the state", log: true },
        ),
      ],
    ),
    paragraph(
      "That is why recurrent networks use tanh and gates, why the weights of a ReLU loop start as an identity, and why gradients are clipped.",
    ),
    code("for (const input of sequence) h = relu(h.matmul(W).add(input));"),
  );
  return { id: "recurrent", title: "ReLU in a loop", html };
}

await runAlone(import.meta.url, recurrent);
