import * as Plot from "@observablehq/plot";
import { parseHTML } from "linkedom";
import { across, type Field, type Labelled, type Line } from "./plane.ts";
import { power, powersOfTen } from "./powers.ts";

/**
 * Plots as SVG text. Colours are the CSS variables of the page's style, so that a plot follows the page from light to dark.
 */

/** One line of a chart: `values[i]` belongs to step `i`. */
export interface Curve {
  readonly name: string;
  readonly values: ArrayLike<number>;
}

const { document } = parseHTML("<!doctype html><html><body></body></html>");

export function draw(description: string, options: Plot.PlotOptions): string {
  const svg = Plot.plot({
    document: document as unknown as NonNullable<Plot.PlotOptions["document"]>,
    className: "plot",
    style: { background: "transparent", color: "currentColor" },
    ...options,
  });
  svg.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", description);
  // The page's style takes the place of Plot's own; the size is the width of the figure.
  for (const style of svg.querySelectorAll("style")) style.remove();
  for (const name of ["width", "height", "style"]) svg.removeAttribute(name);
  // A hundredth of a pixel is not seen.
  return svg.outerHTML.replace(/ d="[^"]*"/g, (path: string) => path.replace(/(\.\d\d)\d+/g, "$1"));
}

const plane = (low: number, high: number) => ({ domain: [low, high], ticks: [0, 1], tickFormat: "d" });

/** Points of two classes: a disc for 0, a square for 1, so that colour is not needed to tell them apart. */
function points(data: readonly Labelled[], radius: number): Plot.Markish {
  return Plot.dot(data, {
    x: "x",
    y: "y",
    r: radius,
    symbol: ({ label }: Labelled) => (label === 1 ? "square" : "circle"),
    fill: ({ label }: Labelled) => `var(--class-${label})`,
    stroke: "var(--paper)",
    strokeWidth: radius > 5 ? 2 : 1,
  });
}

/** The data alone, each point with its class beside it. */
export function scatterPlot(data: readonly Labelled[]): string {
  return draw("The four points of XOR in the plane of the two inputs", {
    width: 300,
    height: 300,
    marginLeft: 44,
    marginBottom: 40,
    x: { ...plane(-0.5, 1.5), label: "first input", labelAnchor: "center", labelArrow: "none" },
    y: { ...plane(-0.5, 1.5), label: "second input", labelAnchor: "center", labelArrow: "none" },
    marks: [
      Plot.frame({ stroke: "var(--rule)" }),
      points(data, 9),
      Plot.text(data, {
        x: "x",
        y: "y",
        text: ({ label }: Labelled) => `XOR is ${label}`,
        dy: -20,
        fontSize: 13,
      }),
    ],
  });
}

/** Losses against steps, on a logarithmic scale, each curve with its name at its end. */
export function lossPlot(
  curves: readonly Curve[],
  description = "Loss against training step, one line for each number of hidden neurons",
  [x, y]: readonly [x: string, y: string] = ["training step", "loss (mean squared error)"],
): string {
  const [width, height, top, bottom] = [480, 320, 28, 40];
  const ends = curves.map(({ values }) => values[values.length - 1]!);
  const low = Math.min(...curves.flatMap(({ values }) => Array.from(values)));
  const high = Math.max(...curves.flatMap(({ values }) => Array.from(values)));
  const perPixel = Math.log(high / low) / (height - top - bottom);
  const powers = powersOfTen(low, high);
  const steps = Math.max(...curves.map(({ values }) => values.length));
  const heights = spread(
    ends.map((loss) => Math.log(loss)),
    15 * perPixel,
  ).map(Math.exp);
  return draw(description, {
    width,
    height,
    marginTop: top,
    marginBottom: bottom,
    marginLeft: 52,
    marginRight: 92,
    x: { domain: [0, steps], label: x, labelAnchor: "center", labelArrow: "none", ticks: 5 },
    y: {
      type: "log",
      domain: [low, high],
      label: y,
      labelArrow: "none",
      ticks: powers,
      tickFormat: power,
    },
    marks: [
      Plot.gridY(powers, { stroke: "var(--rule)", strokeOpacity: 1 }),
      ...curves.map(({ values }, i) =>
        Plot.line(thinned(values), { x: "step", y: "value", stroke: `var(--series-${i})`, strokeWidth: 2 }),
      ),
      Plot.text(curves, {
        x: steps,
        y: (_: Curve, i: number) => heights[i],
        text: "name",
        fill: (_: Curve, i: number) => `var(--series-${i})`,
        textAnchor: "start",
        dx: 8,
        fontWeight: "600",
      }),
    ],
  });
}

/** At most some 200 of the values: more are not seen. */
function thinned(values: ArrayLike<number>): { step: number; value: number }[] {
  const every = Math.ceil(values.length / 200);
  return Array.from(values, (value, step) => ({ step, value })).filter(
    ({ step }) => step % every === 0 || step === values.length - 1,
  );
}

/** Moves numbers apart until none is nearer to the next than `gap`, from the largest down. */
export function spread(numbers: readonly number[], gap: number): number[] {
  const order = numbers.map((_, i) => i).sort((i, j) => numbers[j]! - numbers[i]!);
  const out = [...numbers];
  order.forEach((i, place) => {
    if (place > 0) out[i] = Math.min(out[i]!, out[order[place - 1]!]! - gap);
  });
  return out;
}

/** The bands that a field is drawn in: `--band-0` up to 0.1, and so on to `--band-9`. */
const bands = Array.from({ length: 10 }, (_, i) => `var(--band-${i})`);
const edges = bands.slice(1).map((_, i) => (i + 1) / 10);

/** What a model says on the plane, in ten bands, the line where it changes its mind, and the line of each hidden neuron; the points have `radius`. */
export function boundaryPlot(
  field: Field,
  data: readonly Labelled[],
  lines: readonly Line[],
  description: string,
  radius = 7,
): string {
  const { values, size, low, high } = field;
  const grid = gridOf({ size, low, high });
  const segments = lines.map((line) => across(line, low, high)).filter((ends) => ends.length === 2);
  return draw(description, {
    width: 220,
    height: 220,
    margin: 8,
    marginLeft: 22,
    marginBottom: 26,
    x: { ...plane(low, high), label: null },
    y: { ...plane(low, high), label: null },
    color: { type: "threshold", domain: edges, range: bands },
    marks: [
      Plot.contour(values, { ...grid, fill: "value", thresholds: [0, ...edges] }),
      ...segments.map((ends) =>
        Plot.line(ends, {
          x: "x",
          y: "y",
          stroke: "currentColor",
          strokeOpacity: 0.55,
          strokeDasharray: "3,3",
        }),
      ),
      Plot.contour(values, { ...grid, stroke: "currentColor", strokeWidth: 2, thresholds: [0.5] }),
      // Covers the edges, along which the line is closed.
      Plot.frame({ stroke: "var(--paper)", strokeWidth: 4 }),
      points(data, radius),
    ],
  });
}

/** Where the values of a field lie. Plot would look for each cell's nearest value if it were not told to leave them. */
function gridOf({ size, low, high }: Omit<Field, "values">) {
  const corners = { x1: low, y1: low, x2: high, y2: high };
  return { width: size, height: size, ...corners, value: Plot.identity, interpolate: null };
}

/** A surface seen from above, with a walk on it. */
export function landscapePlot(
  { values, size, low, high }: Field,
  walk: readonly { readonly x: number; readonly y: number }[],
  description: string,
): string {
  const grid = gridOf({ size, low, high });
  const color = "var(--series-1)";
  return draw(description, {
    width: 220,
    height: 220,
    margin: 8,
    marginLeft: 22,
    marginBottom: 26,
    x: { domain: [low, high], ticks: 5, label: null },
    y: { domain: [low, high], ticks: 5, label: null },
    marks: [
      // Each level lies on the ones below it, so higher places get more colour.
      Plot.contour(values, {
        ...grid,
        fill: "var(--series-4)",
        fillOpacity: 0.07,
        stroke: "var(--faint)",
        strokeWidth: 0.6,
        thresholds: 12,
      }),
      Plot.frame({ stroke: "var(--paper)", strokeWidth: 3 }),
      Plot.line(walk, { x: "x", y: "y", stroke: color, strokeWidth: 2 }),
      Plot.dot(walk, { x: "x", y: "y", r: 2.5, fill: color }),
      Plot.dot(walk.slice(0, 1), {
        x: "x",
        y: "y",
        r: 4.5,
        fill: "var(--paper)",
        stroke: color,
        strokeWidth: 2,
      }),
    ],
  });
}

/** One mark for each try: filled where it succeeded. */
export function triesPlot(
  rows: readonly { readonly name: string; readonly solved: readonly boolean[] }[],
): string {
  const tries = rows.flatMap(({ name, solved }) => solved.map((good, seed) => ({ name, seed, good })));
  return draw("Which of the random starts end in a network that solves XOR", {
    width: 480,
    height: 48 + 26 * rows.length,
    marginLeft: 92,
    marginTop: 6,
    marginBottom: 42,
    x: {
      type: "band",
      label: "seed",
      labelAnchor: "center",
      labelArrow: "none",
      tickSize: 0,
      // On a narrow screen there is no room for all.
      tickFormat: (seed: number) => (seed % 5 === 0 ? String(seed) : ""),
    },
    y: { label: null, domain: rows.map(({ name }) => name), tickSize: 0 },
    marks: [
      Plot.dot(tries, {
        x: "seed",
        y: "name",
        r: 6,
        fill: ({ good }: { good: boolean }) => (good ? "var(--good)" : "transparent"),
        stroke: ({ good }: { good: boolean }) => (good ? "var(--good)" : "var(--faint)"),
        strokeWidth: 1.5,
      }),
    ],
  });
}
