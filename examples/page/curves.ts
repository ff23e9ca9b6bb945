import * as Plot from "@observablehq/plot";
import { draw, spread } from "./plots.ts";
import { power, powersOfTen } from "./powers.ts";

/** A curve through points of the plane, in the order in which they were made. */
export interface Path {
  readonly name: string;
  readonly points: readonly (readonly [x: number, y: number])[];
  /** Shown as dots too. */
  readonly dots?: boolean;
}

export interface CurveOptions {
  readonly x: string;
  readonly y: string;
  /** The y axis counts powers of ten. */
  readonly log?: boolean;
  /** The range of the y axis; that of the points unless given. */
  readonly range?: readonly [low: number, high: number];
  readonly width?: number;
  readonly height?: number;
  /** Names stand at the ends of the curves unless false. */
  readonly named?: boolean;
}

/** Several curves in one frame, each with its name at its end. */
export function curvesPlot(description: string, paths: readonly Path[], options: CurveOptions): string {
  const { x, y, log = false, width = 480, height = 300, named = true } = options;
  const all = paths.flatMap(({ points }) => points);
  const ys = all.map((point) => point[1]).filter((value) => Number.isFinite(value) && (!log || value > 0));
  const [low, high] = options.range ?? [Math.min(...ys), Math.max(...ys)];
  const inside = (value: number) => (log ? value > 0 : true) && value >= low && value <= high;
  const scale = log ? Math.log : (value: number) => value;
  const back = log ? Math.exp : (value: number) => value;
  const ends = paths.map(({ points }) => points.findLast((point) => inside(point[1])) ?? [0, low]);
  const gap = ((scale(high) - scale(low)) / (height - 68)) * 15;
  const heights = spread(
    ends.map((end) => scale(end[1])),
    gap,
  ).map(back);
  const powers = log ? powersOfTen(low, high) : [];
  return draw(description, {
    width,
    height,
    marginTop: 28,
    marginBottom: 40,
    marginLeft: 52,
    marginRight: named ? 104 : 14,
    x: { label: x, labelAnchor: "center", labelArrow: "none", ticks: 5 },
    y: {
      ...(log ? { type: "log" as const, ticks: powers, tickFormat: power } : { ticks: 5 }),
      domain: [low, high],
      clamp: false,
      label: y,
      labelArrow: "none",
    },
    marks: [
      log
        ? Plot.gridY(powers, { stroke: "var(--rule)", strokeOpacity: 1 })
        : Plot.gridY({ stroke: "var(--rule)", strokeOpacity: 1 }),
      ...paths.flatMap(({ points, dots = false }, i) => {
        const stroke = `var(--series-${i % 5})`;
        const shown = points.filter((point) => inside(point[1]));
        const line = Plot.line(shown, { x: "0", y: "1", stroke, strokeWidth: 2, curve: "linear" });
        return dots ? [line, Plot.dot(shown, { x: "0", y: "1", r: 3, fill: stroke })] : [line];
      }),
      ...(named
        ? [
            Plot.text(paths, {
              x: (_: Path, i: number) => ends[i]![0],
              y: (_: Path, i: number) => heights[i],
              text: "name",
              fill: (_: Path, i: number) => `var(--series-${i % 5})`,
              textAnchor: "start",
              dx: 8,
              fontWeight: "600",
            }),
          ]
        : []),
    ],
  });
}
