import type { Tensor } from "../graph.ts";
import { apply } from "../graph.ts";
import { readLabels } from "../labels.ts";
import { einsumOp } from "./contraction.ts";

/** Products of which one factor has the entries of windows and the other their places, and which entries come to which places. */

/** A product of a `factor` with the entries of windows, on axes `own`, and another with their places, on axes `along`. */
export interface Factors {
  readonly factor: Tensor;
  readonly own: readonly number[];
  readonly other: Tensor;
  readonly along: readonly number[];
  /** The product of what takes the place of both, the second one with the entries behind it; `more` letters follow each entry. */
  product(factor: Tensor, other: Tensor, more?: readonly string[]): Tensor;
}

/** The factors of `x`, the last axes of which count the entries of windows and `axes` their places; null if it is no such product. */
export function factorsOf(x: Tensor, axes: readonly number[]): Factors | null {
  if (x.op !== einsumOp) return null;
  const { left, right, out } = readLabels(String(x.attributes.spec));
  const places = axes.map((axis) => out[axis]!);
  const entries = [...out.slice(-axes.length)];
  const apart = (own: string, other: string) =>
    entries.every((c) => own.includes(c) && !other.includes(c)) &&
    places.every((c) => other.includes(c) && !own.includes(c));
  const swapped = apart(right, left);
  if (!swapped && !apart(left, right)) return null;
  const [factor, other] = swapped ? [x.inputs[1]!, x.inputs[0]!] : [x.inputs[0]!, x.inputs[1]!];
  const [letters, rest] = swapped ? [right, left] : [left, right];
  return {
    factor,
    own: entries.map((c) => letters.indexOf(c)),
    other,
    along: places.map((c) => rest.indexOf(c)),
    product: (a, b, more = []) => {
      const spread = entries.reduce((word, c, i) => word.replace(c, c + (more[i] ?? "")), letters);
      const result = out.slice(0, -axes.length) + more.join("");
      const windows = rest + entries.join("");
      return swapped
        ? apply(einsumOp, [b, a], { spec: `${windows},${spread}->${result}` })
        : apply(einsumOp, [a, b], { spec: `${spread},${windows}->${result}` });
    },
  };
}

/** One of the places that windows come to in turn, on one axis: which entries come there, and from where. */
export interface Turn {
  /** The first entry, how far the others are apart, and how many they are. */
  readonly first: number;
  readonly apart: number;
  readonly count: number;
  /** By how many the window with the first entry is before the place, of those in this turn, and each next one before that. */
  readonly offset: number;
  readonly slope: number;
  /** How many such places there are. */
  readonly places: number;
}

/** The turns of windows of `size` entries that come to the places from `from` up to `to`. */
export function turnsOf(size: number, step: number, dilation: number, from: number, to: number): Turn[] {
  const common = greatestDivisor(step, dilation);
  const [apart, slope] = [step / common, dilation / common];
  return Array.from({ length: step }, (_, i) => {
    const remainder = (from + i) % step;
    let first = 0;
    while (first < apart && (first * dilation) % step !== remainder) first++;
    const count = first < apart ? Math.max(0, Math.ceil((size - first) / apart)) : 0;
    const offset = Math.floor((first * dilation) / step) - Math.floor((from + i) / step);
    return { first, apart, count, offset, slope, places: Math.max(0, Math.ceil((to - from - i) / step)) };
  });
}

function greatestDivisor(x: number, y: number): number {
  return y === 0 ? x : greatestDivisor(y, x % y);
}

/** Letters that are not among these. */
export function* unusedLetters(used: string): Generator<string, never> {
  for (let code = "A".charCodeAt(0); ; code++) {
    const letter = String.fromCharCode(code);
    if (!used.includes(letter)) yield letter;
  }
}
