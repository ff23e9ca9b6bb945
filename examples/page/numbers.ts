import * as Plot from "@observablehq/plot";
import { draw } from "./plots.ts";

/** How often what is `rows[i]` was taken for `columns[j]`: more colour for more, the numbers in the cells. */
export function confusionPlot(
  names: readonly string[],
  counts: readonly (readonly number[])[],
  description: string,
): string {
  const cells = names.flatMap((truth, i) =>
    names.map((said, j) => ({ truth, said, count: counts[i]![j]!, right: i === j })),
  );
  const most = Math.max(1, ...cells.map(({ count }) => count));
  const many = names.length > 4;
  type Cell = (typeof cells)[number];
  return draw(description, {
    width: many ? 520 : 380,
    height: many ? 400 : 300,
    marginLeft: 84,
    marginBottom: 44,
    marginTop: 10,
    x: { domain: names, label: "the network says", labelAnchor: "center", labelArrow: "none", tickSize: 0 },
    y: { domain: names, label: null, tickSize: 0 },
    marks: [
      Plot.cell(cells, {
        x: "said",
        y: "truth",
        inset: 1,
        rx: 3,
        fill: ({ right }: Cell) => (right ? "var(--good)" : "var(--class-1)"),
        fillOpacity: ({ count }: Cell) => (count === 0 ? 0.04 : 0.15 + (0.6 * count) / most),
      }),
      Plot.text(cells, {
        x: "said",
        y: "truth",
        text: ({ count }: Cell) => String(count),
        fontSize: many ? 11 : 14,
      }),
    ],
  });
}

/** One point for each example: what is right against what the model says. */
export interface Guess {
  readonly truth: number;
  readonly said: number;
}

/** How far guesses are off, against what is right; the line is 0. */
export function residualPlot(guesses: readonly Guess[], unit: string, description: string): string {
  return draw(description, {
    width: 480,
    height: 300,
    marginTop: 28,
    marginBottom: 40,
    marginLeft: 52,
    x: { label: unit, labelAnchor: "center", labelArrow: "none", ticks: 6 },
    y: { label: "said minus true", labelArrow: "none", ticks: 6 },
    marks: [
      Plot.gridY({ stroke: "var(--rule)", strokeOpacity: 1 }),
      Plot.ruleY([0], { stroke: "currentColor" }),
      Plot.dot(guesses, {
        x: "truth",
        y: ({ truth, said }: Guess) => said - truth,
        r: 3,
        fill: "var(--series-4)",
        fillOpacity: 0.7,
      }),
    ],
  });
}
