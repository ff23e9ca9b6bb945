import type { TypedArray } from "../../dtype.ts";
import type { Elements } from "../../graph.ts";
import { arrays, subtractProduct, subtractRows } from "./blocks.ts";

/** Elimination: rows of one matrix less multiples of other rows, in float64. The right-hand sides stand behind it in its rows. */
/** Columns and rows that are eliminated before the others follow. */
export const panel = 32;

/** Takes from the rows `[from, to)` of the columns `[left, right)` the rows `[first, last)` times the factors in their columns. */
export function reduceRows(
  m: Float64Array,
  width: number,
  [from, to]: readonly [number, number],
  [first, last]: readonly [number, number],
  [left, right]: readonly [number, number],
): void {
  const size = [to - from, last - first, right - left] as const;
  const start = from * width;
  subtractProduct(size, m, start + left, width, m, start + first, width, m, first * width + left, width);
}

/** Takes from row `row` in the columns `[left, right)` the rows `[first, last)` times the factors that stand in their columns of it. */
export function reduceRow(
  m: Float64Array,
  width: number,
  row: number,
  first: number,
  last: number,
  left: number,
  right: number,
): void {
  const start = row * width;
  subtractRows(m, start + left, right - left, m, start + first, last - first, m, first * width + left, width);
}

/**
 * Gaussian elimination with partial pivoting of the first `n` columns: above the diagonal stand the rows of the triangle, below it
 * the factors. Gives the sign of the exchanges of rows, or 0 if the matrix is singular.
 */
export function triangulate(m: Float64Array, n: number, width: number): number {
  const sign = triangulateColumns(m, n, width, 0, n);
  if (sign !== 0) follow(m, width, 0, n, width);
  return sign;
}

/** Columns that are eliminated one by one. */
const few = 4;

/** The same of the columns `[from, to)`, by halves: of the second half most is a product of blocks (Toledo 1997). */
function triangulateColumns(m: Float64Array, n: number, width: number, from: number, to: number): number {
  if (to - from <= few) return eliminate(m, n, width, from, to);
  const middle = from + few * Math.ceil((to - from) / (2 * few));
  const sign = triangulateColumns(m, n, width, from, middle);
  if (sign === 0) return 0;
  follow(m, width, from, middle, to);
  reduceRows(m, width, [middle, n], [from, middle], [middle, to]);
  return sign * triangulateColumns(m, n, width, middle, to);
}

/** The same, column by column: the largest element comes to the diagonal, and those below become the factors of their rows. */
function eliminate(m: Float64Array, n: number, width: number, from: number, to: number): number {
  let sign = 1;
  for (let column = from; column < to; column++) {
    const start = column * width;
    let pivot = column;
    for (let row = column + 1; row < n; row++)
      if (Math.abs(m[row * width + column]!) > Math.abs(m[pivot * width + column]!)) pivot = row;
    if (m[pivot * width + column] === 0) return 0;
    if (pivot !== column) {
      sign = -sign;
      exchange(m, width, pivot, column);
    }
    for (let row = column + 1; row < n; row++) {
      const factor = m[row * width + column]! / m[start + column]!;
      m[row * width + column] = factor;
      for (let j = column + 1; j < to; j++) m[row * width + j]! -= factor * m[start + j]!;
    }
  }
  return sign;
}

/** Lets the columns `[to, end)` of the rows `[from, to)` follow what was done to the columns before them. */
function follow(m: Float64Array, width: number, from: number, to: number, end: number): void {
  for (let start = from; start < to; start += panel) {
    const stop = Math.min(start + panel, to);
    reduceRows(m, width, [start, stop], [from, start], [to, end]);
    for (let row = start + 1; row < stop; row++) reduceRow(m, width, row, start, row, to, end);
  }
}

/** Solves the systems of a triangle, whose right-hand sides stand behind its `n` columns and become the solutions. */
export function substitute(m: Float64Array, n: number, width: number, upper: boolean): void {
  for (let done = 0; done < n; done += panel) {
    const [from, to] = upper ? [Math.max(0, n - done - panel), n - done] : [done, Math.min(n, done + panel)];
    reduceRows(m, width, [from, to], upper ? [to, n] : [0, from], [n, width]);
    for (let step = 0; step < to - from; step++) {
      const row = upper ? to - 1 - step : from + step;
      reduceRow(m, width, row, upper ? row + 1 : from, upper ? to : row, n, width);
      const pivot = m[row * width + row]!;
      for (let i = row * width + n; i < (row + 1) * width; i++) m[i]! /= pivot;
    }
  }
}

/** Exchanges two rows. */
export function exchange(m: Float64Array, width: number, a: number, b: number): void {
  for (let j = 0; j < width; j++) {
    const x = m[a * width + j]!;
    m[a * width + j] = m[b * width + j]!;
    m[b * width + j] = x;
  }
}

/** Copies `rows` rows, `columns` elements of each, between arrays whose rows are of these widths. */
export function copyRows(
  rows: number,
  columns: number,
  from: TypedArray,
  start: number,
  fromWidth: number,
  to: TypedArray,
  at: number,
  toWidth: number,
): void {
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < columns; j++) to[at + i * toWidth + j] = from[start + i * fromWidth + j]!;
}

/** Calls `solve` with the rows of each matrix of `a` [..., n, n], with those of `b` [..., n, k] behind them, and puts what these become into `out`. */
export function solveEach(
  a: Elements,
  b: Elements,
  out: Elements,
  solve: (m: Float64Array, n: number, width: number) => void,
): void {
  const [n, k] = b.shape.slice(-2) as [number, number];
  const width = n + k;
  const [m] = arrays(n * width);
  for (let at = 0, start = 0; at < out.data.length; at += n * k, start += n * n) {
    copyRows(n, n, a.data, start, n, m, 0, width);
    copyRows(n, k, b.data, at, k, m, n, width);
    solve(m, n, width);
    copyRows(n, k, m, n, width, out.data, at, k);
  }
}
