import { byteSize } from "../dtype.ts";
import type { Tensor } from "../graph.ts";
import type { Labels } from "../labels.ts";
import { extent } from "../labels.ts";
import { fromElements } from "../ops/leaf.ts";
import { permute, reshape } from "../ops/movement.ts";
import { padded } from "../ops/region.ts";
import { offsetsOf, sizeOf, stridesOf } from "../shape.ts";
import { panelTerm } from "./microkernel.ts";
import type { Places } from "./strided.ts";
import { isRepeated, placesOf, strided, widened } from "./strided.ts";

/**
 * Where the micro-kernel finds the right operand of a product: in panels, `[.., panel, k, column of the panel]`, the last one
 * filled up, or in its own place. Panels are ordinary views that get elements of their own, so that equal ones become one, and
 * what they are made of may merge into the copying.
 */

/** A contraction with its operands turned so that the right one has the last letter of the result. */
export interface Turned extends Labels {
  readonly x: Tensor;
  readonly y: Tensor;
}

/** The right operand of a product, and the columns that one product takes from it. */
export interface Laid {
  /** The tensor that it lies in; and if that is no panels, an int32 tensor with the place of each term, in bytes. */
  readonly operands: readonly [columns: Tensor] | readonly [columns: Tensor, terms: Tensor];
  readonly columns: string;
  /** The letters that count products of matrices, and how far the operand moves with each of them, in elements. */
  readonly outer: string;
  readonly steps: readonly number[];
  readonly offset: number;
}

interface Loop {
  readonly size: number;
  readonly step: number;
}

/** Columns of one panel of this node. */
export function panelWidth({ dtype }: Tensor): number {
  return panelTerm / byteSize(dtype);
}

/** The letters of the columns that lie side by side in the result: those at its end. */
export function columnsBehind({ out, columns }: Turned): string {
  let first = out.length;
  while (first > 0 && columns.includes(out[first - 1]!)) first--;
  return out.slice(first);
}

/** Those of them through which the right operand is walked in even steps, how many columns they count, and the step. */
export function evenColumns(turned: Turned, places: Places = placesOf(turned.y)): Loop & { letters: string } {
  const all = columnsBehind(turned);
  const loops = loopsOf(turned, all, places);
  const count = lengthOfRun(loops);
  const run = loops.slice(loops.length - count);
  return {
    letters: all.slice(all.length - count),
    size: sizeOf(run.map(({ size }) => size)),
    step: run.findLast(({ size }) => size > 1)?.step ?? 0,
  };
}

function loopsOf({ y, right }: Turned, letters: string, { steps }: Places): Loop[] {
  return [...letters].map((c) => ({ size: y.shape[right.indexOf(c)]!, step: steps[right.indexOf(c)]! }));
}

/** How many loops, counted from the last, move as one loop would. */
function lengthOfRun(loops: readonly Loop[]): number {
  let count = 0;
  let size = 1;
  let step: number | null = null;
  for (let i = loops.length - 1; i >= 0; i--, count++) {
    const loop = loops[i]!;
    if (loop.size === 1) continue;
    if (step !== null && loop.step !== step * size) return count;
    step ??= loop.step;
    size *= loop.size;
  }
  return count;
}

const without = (letters: string, others: string): string =>
  [...letters].filter((c) => !others.includes(c)).join("");

/**
 * In its own place, if the columns lie side by side there: for operands whose elements are read at several places, such as windows,
 * and those with columns along several axes. Beyond the last column the micro-kernel reads what is there, and drops it.
 */
export function inPlace(turned: Turned, places: Places): Laid | null {
  const { y, batch, columns: all, inner } = turned;
  const { letters, size, step } = evenColumns(turned, places);
  if (step !== 1 || size < panelWidth(y) - 1 || !(isRepeated(y, places) || letters.length > 1)) return null;
  const terms = loopsOf(turned, inner, places);
  const table = offsetsOf(
    terms.map((loop) => loop.size),
    terms.map((loop) => loop.step * byteSize(y.dtype)),
  );
  const outer = batch + without(all, letters);
  return {
    operands: [places.source, fromElements(table, [table.length])],
    columns: letters,
    outer,
    steps: loopsOf(turned, outer, places).map((loop) => loop.step),
    offset: places.offset,
  };
}

/**
 * Panels as one view of what has elements: for operands whose elements are read at several places, and those whose terms do not
 * lie evenly. Null if a panel cannot be walked through in even steps.
 */
export function packedAtOnce(turned: Turned, found: Places): Laid | null {
  const { y, right, batch, columns: all, inner } = turned;
  const width = panelWidth(y);
  const { letters, size } = evenColumns(turned, found);
  const more = Math.ceil(size / width) * width - size;
  const isEven = lengthOfRun(loopsOf(turned, inner, found)) === inner.length;
  if (size < width - 1 || !(isRepeated(y, found) || (!isEven && more === 0))) return null;
  const moving = [...letters].filter((c) => y.shape[right.indexOf(c)]! > 1);
  if (more > 0 && moving.length > 1) return null;
  const places = widened(found, right.indexOf(moving[moving.length - 1]!), more);
  if (places === null) return null;
  const { step } = evenColumns(turned, places);
  const outer = batch + without(all, letters);
  const panels = strided(places, [
    ...loopsOf(turned, outer, places),
    { size: (size + more) / width, step: width * step },
    ...loopsOf(turned, inner, places),
    { size: width, step },
  ]);
  return laidIn(panels, letters, outer);
}

/** Panels by views that the engine puts together: a matrix with zeros up to a whole panel, cut. */
export function packed(turned: Turned): Laid {
  const { y, right, batch, columns: all, inner } = turned;
  const columns = columnsBehind(turned);
  const outer = batch + without(all, columns);
  const [n, k] = [extent(columns, right, y.shape), extent(inner, right, y.shape)];
  const width = panelWidth(y);
  const wide = Math.ceil(n / width) * width;
  const outerSizes = [...outer].map((c) => y.shape[right.indexOf(c)]!);
  const axis = outerSizes.length;
  const matrices = permute(
    y,
    [...(outer + inner + columns)].map((c) => right.indexOf(c)),
  );
  const flat = reshape(matrices, [...outerSizes, k, n]);
  const none = flat.shape.map(() => 0);
  const cut = reshape(padded(flat, none, none.with(axis + 1, wide - n)), [
    ...outerSizes,
    k,
    wide / width,
    width,
  ]);
  const panels = permute(cut, [...outerSizes.map((_, i) => i), axis + 1, axis, axis + 2]);
  return laidIn(panels, columns, outer);
}

function laidIn(panels: Tensor, columns: string, outer: string): Laid {
  const steps = stridesOf(panels.shape).slice(0, outer.length);
  return { operands: [panels], columns, outer, steps, offset: 0 };
}
