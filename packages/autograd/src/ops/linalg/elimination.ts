import type { TypedArray } from "../../dtype.ts";
import type { Elements } from "../../graph.ts";

/** Elimination: rows of one matrix less multiples of other rows, in float64. The right-hand sides stand behind it in its rows. */

/**
 * Takes from the `length` elements of `to` at `at` the sum of `count` rows, one `width` behind the other from `rows[start]` on, times
 * the factors at `first`. Four rows at a time, so that an element is read and written once for four; they go in order, so that
 * the bits are those of one by one.
 */
export function subtractRows(
  to: Float64Array,
  at: number,
  length: number,
  factors: Float64Array,
  first: number,
  count: number,
  rows: Float64Array,
  start: number,
  width: number,
): void {
  let [i, next] = [first, start];
  for (; i + 3 < first + count; i += 4, next += 4 * width) {
    const a = factors[i]!;
    const b = factors[i + 1]!;
    const c = factors[i + 2]!;
    const d = factors[i + 3]!;
    for (let j = at, k = next; j < at + length; j++, k++)
      to[j] =
        to[j]! - a * rows[k]! - b * rows[k + width]! - c * rows[k + 2 * width]! - d * rows[k + 3 * width]!;
  }
  for (; i < first + count; i++, next += width) {
    const a = factors[i]!;
    for (let j = at, k = next; j < at + length; j++, k++) to[j]! -= a * rows[k]!;
  }
}

/** Takes from a block of elements the product of two others, two rows at a time: of each block the first place and the width of its rows. */
export function subtractProduct(
  [height, count, length]: readonly [number, number, number],
  to: Float64Array,
  at: number,
  toWidth: number,
  factors: Float64Array,
  first: number,
  factorWidth: number,
  rows: Float64Array,
  start: number,
  width: number,
): void {
  const even = height - (height % 2);
  const whole = count - (count % 4);
  for (let row = 0; row < even; row += 2)
    for (let k = 0; k < whole; k += 4) {
      const p = first + row * factorWidth + k;
      const q = p + factorWidth;
      const [a, b, c, d] = [factors[p]!, factors[p + 1]!, factors[p + 2]!, factors[p + 3]!];
      const [e, f, g, h] = [factors[q]!, factors[q + 1]!, factors[q + 2]!, factors[q + 3]!];
      let j = at + row * toWidth;
      let next = start + k * width;
      for (const end = j + length; j < end; j++, next++) {
        const w = rows[next]!;
        const x = rows[next + width]!;
        const y = rows[next + 2 * width]!;
        const z = rows[next + 3 * width]!;
        to[j] = to[j]! - a * w - b * x - c * y - d * z;
        to[j + toWidth] = to[j + toWidth]! - e * w - f * x - g * y - h * z;
      }
    }
  for (let row = 0; row < height; row++) {
    const done = row < even ? whole : 0;
    const i = first + row * factorWidth + done;
    subtractRows(to, at + row * toWidth, length, factors, i, count - done, rows, start + done * width, width);
  }
}

/** Takes from row `row` in the columns `[from, to)` the rows `[first, last)` times the factors that stand in their columns of it. */
export function reduceRow(
  m: Float64Array,
  width: number,
  row: number,
  first: number,
  last: number,
  from: number,
  to: number,
): void {
  const start = row * width;
  subtractRows(m, start + from, to - from, m, start + first, last - first, m, first * width + from, width);
}

/** Columns that are eliminated before the others follow. */
const panel = 4;

/**
 * Gaussian elimination with partial pivoting of the first `n` columns: above the diagonal stand the rows of the triangle, below it
 * the factors. Gives the sign of the exchanges of rows, or 0 if the matrix is singular.
 */
export function triangulate(m: Float64Array, n: number, width: number): number {
  let sign = 1;
  for (let start = 0; start < n; start += panel) {
    const end = Math.min(start + panel, n);
    for (let column = start; column < end; column++) {
      let pivot = column;
      for (let row = column + 1; row < n; row++)
        if (Math.abs(m[row * width + column]!) > Math.abs(m[pivot * width + column]!)) pivot = row;
      if (m[pivot * width + column] === 0) return 0;
      if (pivot !== column) {
        sign = -sign;
        exchange(m, width, pivot, column);
      }
      for (let row = column + 1; row < n; row++) {
        m[row * width + column]! /= m[column * width + column]!;
        reduceRow(m, width, row, column, column + 1, column + 1, end);
      }
    }
    for (let row = start + 1; row < n; row++) reduceRow(m, width, row, start, Math.min(row, end), end, width);
  }
  return sign;
}

/** Solves the systems of a triangle, whose right-hand sides stand behind its `n` columns and become the solutions. */
export function substitute(m: Float64Array, n: number, width: number, upper: boolean): void {
  for (let step = 0; step < n; step++) {
    const row = upper ? n - 1 - step : step;
    reduceRow(m, width, row, upper ? row + 1 : 0, upper ? n : row, n, width);
    const pivot = m[row * width + row]!;
    for (let i = row * width + n; i < (row + 1) * width; i++) m[i]! /= pivot;
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
  const m = new Float64Array(n * width);
  for (let at = 0, start = 0; at < out.data.length; at += n * k, start += n * n) {
    copyRows(n, n, a.data, start, n, m, 0, width);
    copyRows(n, k, b.data, at, k, m, n, width);
    solve(m, n, width);
    copyRows(n, k, m, n, width, out.data, at, k);
  }
}
