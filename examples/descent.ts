// Gradient descent on a bowl and on a landscape with hills: `pnpm example descent`.
import { grad, scalar, type Tensor, tensor, variable } from "@cotangent/autograd";
import { SGD } from "@cotangent/nn";
import { type Chapter, type ChapterOptions, runAlone, share } from "./page/chapter.ts";
import { curvesPlot, type Path } from "./page/curves.ts";
import { code, figure, minus, panel, paragraph, section } from "./page/html.ts";
import { sampled } from "./page/plane.ts";
import { landscapePlot } from "./page/plots.ts";

/** A convex bowl: one valley, at 1. */
const bowl = (w: Tensor): Tensor => w.sub(1).square();

/** Hills and valleys: the deepest valley lies near -0.5, another near 1.6. */
const hills = (w: Tensor): Tensor => w.square().mul(0.1).add(w.mul(3).sin());

/** Hollows in a plane of two weights, for rows of places [n, 2]. */
function landscape(w: Tensor): Tensor {
  const [u, v] = [w.slice(0, 1, { axis: 1 }), w.slice(1, 2, { axis: 1 })];
  return w
    .square()
    .sum(1, { keepDims: true })
    .mul(0.1)
    .add(u.mul(2).sin().mul(v.mul(2).cos()));
}

/** The places that plain gradient descent visits from `start`, a row for each. */
function visits(f: (w: Tensor) => Tensor, start: Tensor, lr: number, steps: number): number[][] {
  const w = variable<readonly number[]>(start);
  const optimizer = new SGD([w], { lr });
  return Array.from({ length: steps + 1 }, (_, i) => {
    if (i > 0) optimizer.step(f(w).sum());
    return Array.from(w.toTypedArray());
  });
}

/** The same for a single weight. */
function walk(f: (w: Tensor) => Tensor, start: number, lr: number, steps: number): number[] {
  return visits(f, scalar(start, { dtype: "float64" }), lr, steps).flat();
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

  const surface = [
    { lr: 0.02, word: "too small" },
    { lr: 0.1, word: "right" },
    { lr: 0.6, word: "too large" },
  ].map(({ lr, word }) => {
    const places = visits(landscape, tensor([[1.7, -0.95]]), lr, 2 * steps);
    const height = landscape(tensor([places.at(-1)!])).item();
    console.log(`  on the surface with lr ${lr} (${word}): height ${height.toFixed(4)}`);
    return { lr, word, places: places.map(([u, v]) => ({ x: u!, y: v! })), height };
  });
  const deepest = Math.min(...Array.from(sampled(landscape, 96, -2.6, 2.6).values));

  const w = scalar(-1, { dtype: "float64" });
  const slope = grad(bowl(w), [w])[0].item();
  const html = section(
    "descent",
    "Walking downhill",
    paragraph(
      `Training asks one question again and again: if this weight grew a little, would the loss grow or shrink? The answer is the derivative. At w = −1 the bowl (w − 1)² has the slope ${minus(slope.toFixed(0))}: it falls to the right. Gradient descent takes a step against the slope; its length is the slope times the <em>learning rate</em>:`,
    ),
    code("const [slope] = grad(loss, [w]);\nw.assign(w.sub(slope.mul(lr)));"),
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
    paragraph(
      "With two weights the loss is a surface over a plane, and the slope has a direction too: the <em>gradient</em> points straight uphill. Here is a landscape with many hollows, seen from above, and three walks from the same place:",
    ),
    figure(
      `${2 * steps} steps from (1.7, −0.95) on f = 0.1 (u² + v²) + sin 2u · cos 2v. Lines join places of equal height; the more violet, the higher. Too small: not there yet. Right: at the bottom of a hollow, though not of the deepest, which is at ${minus(deepest.toFixed(3))}. Too large: from one slope to the other.`,
      surface.map(({ lr, word, places, height }) => {
        const field = sampled(landscape, 48, -2.6, 2.6);
        const picture = landscapePlot(field, places, `A walk over a surface with lr ${lr}`);
        return panel(`lr = ${lr}`, picture, minus(`${word}: f = ${height.toFixed(3)}`));
      }),
      "wide panels",
    ),
  );
  return { id: "descent", title: "Walking downhill", html };
}

await runAlone(import.meta.url, descent);
