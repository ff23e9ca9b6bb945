// Gradient descent on a bowl and on a landscape with hills: `pnpm example descent`.
import { grad, scalar, type Tensor, variable } from "@cotangent/autograd";
import { SGD } from "@cotangent/nn";
import { type Chapter, type ChapterOptions, runAlone, share } from "./page/chapter.ts";
import { curvesPlot, type Path } from "./page/curves.ts";
import { code, figure, minus, panel, paragraph, section, table } from "./page/html.ts";

/** A convex bowl: one valley, at 1. */
const bowl = (w: Tensor): Tensor => w.sub(1).square();

/** Hills and valleys: the deepest valley lies near -0.5, another near 1.6. */
const hills = (w: Tensor): Tensor => w.square().mul(0.1).add(w.mul(3).sin());

/** The places that plain gradient descent visits from `start`. */
function walk(f: (w: Tensor) => Tensor, start: number, lr: number, steps: number): number[] {
  const w = variable(start, { dtype: "float64" });
  const optimizer = new SGD([w], { lr });
  const places = [w.item()];
  for (let i = 0; i < steps; i++) {
    optimizer.step(f(w));
    places.push(w.item());
  }
  return places;
}

const valueAt = (f: (w: Tensor) => Tensor, w: number): number => f(scalar(w, { dtype: "float64" })).item();

/** The graph of `f` and the walk on it. */
function picture(f: (w: Tensor) => Tensor, places: readonly number[], low: number, high: number): string {
  const grid = Array.from({ length: 121 }, (_, i) => low + ((high - low) * i) / 120);
  const paths: Path[] = [
    { name: "f", points: grid.map((w) => [w, valueAt(f, w)] as const) },
    {
      name: "walk",
      points: places.filter((w) => w >= low && w <= high).map((w) => [w, valueAt(f, w)] as const),
      dots: true,
    },
  ];
  const values = paths[0]!.points.map((point) => point[1]);
  return curvesPlot("A function and the places that gradient descent visits", paths, {
    x: "w",
    y: "f(w)",
    range: [Math.min(...values), Math.max(...values)],
    width: 260,
    height: 230,
    named: false,
  });
}

const rates = [
  { lr: 0.02, word: "too small" },
  { lr: 0.3, word: "right" },
  { lr: 1.05, word: "too large" },
];

export async function descent({ effort = 1 }: ChapterOptions = {}): Promise<Chapter> {
  const steps = share(12, Math.max(effort, 0.5));
  console.log("Gradient descent on (w - 1)^2 from w = -1:");
  const runs = rates.map(({ lr, word }) => ({ lr, word, places: walk(bowl, -1, lr, steps) }));
  for (const { lr, word, places } of runs)
    console.log(`  lr ${lr} (${word}): after ${steps} steps w = ${places.at(-1)!.toFixed(4)}`);
  const starts = [-1.2, 2.2].map((start) => ({ start, places: walk(hills, start, 0.05, 4 * steps) }));
  for (const { start, places } of starts)
    console.log(`  on the hills from ${start}: w = ${places.at(-1)!.toFixed(4)}`);

  const w = scalar(-1, { dtype: "float64" });
  const slope = grad(bowl(w), [w])[0].item();
  const html = section(
    "descent",
    "Walking downhill",
    paragraph(
      `Training asks one question again and again: if this weight grew a little, would the loss grow or shrink? The answer is the derivative. At w = −1 the bowl (w − 1)² has the slope ${minus(slope.toFixed(0))}: it falls to the right. Gradient descent takes a step against the slope; its length is the slope times the <em>learning rate</em>:`,
    ),
    code("w.assign(w.sub(grad(loss, [w])[0].mul(lr)));"),
    figure(
      `${steps} steps on the bowl from w = −1 with three learning rates. Too small: on the way, but slow. Right: there. Too large: each step overshoots the valley by more than the one before.`,
      runs.map(({ lr, word, places }) =>
        panel(`lr = ${lr}`, picture(bowl, places, -2, 4), minus(`${word}: w = ${places.at(-1)!.toFixed(3)}`)),
      ),
      "wide panels",
    ),
    paragraph(
      "A bowl has one valley, and every walk that does not overshoot ends in it. The loss of a network is no bowl. Where the landscape has several valleys, the start decides which one is reached, and a walk that only goes down never climbs out again:",
    ),
    figure(
      "The same rule on 0.1 w² + sin 3w from two starts: one ends in the deepest valley, the other does not.",
      starts.map(({ start, places }) =>
        panel(
          minus(`from w = ${start}`),
          picture(hills, places, -3, 3),
          minus(`f = ${valueAt(hills, places.at(-1)!).toFixed(3)} at w = ${places.at(-1)!.toFixed(3)}`),
        ),
      ),
      "panels",
    ),
    table(
      "Where each walk ended.",
      ["Function", "Start", "Learning rate", "End"],
      [
        ...runs.map(({ lr, places }) => ["bowl", "−1", String(lr), places.at(-1)!.toFixed(3)]),
        ...starts.map(({ start, places }) => ["hills", String(start), "0.05", places.at(-1)!.toFixed(3)]),
      ].map((row) => row.map(minus)),
    ),
  );
  return { id: "descent", title: "Walking downhill", html };
}

await runAlone(import.meta.url, descent);
