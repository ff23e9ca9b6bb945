import { arrays, inner, rotate, subtractBoth, subtractProduct, subtractRows } from "./blocks.ts";
import { copySymmetricPart } from "./factorization.ts";
import { largest, Mirrors } from "./reflection.ts";

/** Eigenvalues and singular values of one matrix, by rotations, in float64. */

/** Each eigenvalue comes to rest after a few steps, and so do all pairs of columns; NaN never does. */
const patience = 60;

const unitVectors = (n: number): Float64Array[] =>
  Array.from({ length: n }, (_, i) => new Float64Array(n).fill(1, i, i + 1));

/** -1 if the first of the largest elements is negative, else 1: two that differ by rounding count as equally large. */
export function orientation(x: Float64Array): number {
  const enough = largest(x) * (1 - 1e-9);
  for (let i = 0; i < x.length; i++) if (Math.abs(x[i]!) >= enough) return x[i]! < 0 ? -1 : 1;
  return 1;
}

/** `x` times 1 or -1, without zeros of negative sign. */
export function turned(x: Float64Array, sign: number): Float64Array {
  const out = new Float64Array(x.length);
  for (let i = 0; i < x.length; i++) out[i] = x[i]! * sign + 0;
  return out;
}

/** The matrix with these columns, row by row. */
export function fromColumns(columns: readonly Float64Array[], rows: number): Float64Array {
  const out = new Float64Array(rows * columns.length);
  columns.forEach((x, j) => {
    for (let i = 0; i < rows; i++) out[i * columns.length + j] = x[i]!;
  });
  return out;
}

export function transposed(m: Float64Array, rows: number, columns: number): Float64Array {
  const out = new Float64Array(m.length);
  transpose(m, rows, columns, out);
  return out;
}

function transpose(m: Float64Array, rows: number, columns: number, out: Float64Array): void {
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) out[j * rows + i] = m[i * columns + j]!;
}

/** The rows of a matrix, which stay where they are. */
export const rowsOf = (m: Float64Array, rows: number, columns: number): Float64Array[] =>
  Array.from({ length: rows }, (_, i) => m.subarray(i * columns, (i + 1) * columns));

/** The power of two next to the largest magnitude: what is divided by it keeps its digits, and squares do not overflow. */
function scaleOf(m: Float64Array): number {
  let scale = 1;
  const most = largest(m);
  if (!(most > 0 && most < Infinity)) return most === 0 ? 1 : Number.NaN;
  while (scale > most) scale /= 2;
  while (scale * 2 <= most) scale *= 2;
  return scale;
}

/** The eigenvalues of the symmetric part of a matrix, ascending, and the matrix of its eigenvectors. Overwrites `m`. */
export function eigen(m: Float64Array, n: number): readonly [Float64Array, Float64Array] {
  copySymmetricPart(m, 0, m, n);
  const { values, vectors } = diagonalize(m, n);
  const order = vectors.map((_, i) => i).sort((i, j) => values[i]! - values[j]!);
  const columns = order.map((i) => turned(vectors[i]!, orientation(vectors[i]!)));
  return [Float64Array.from(order, (i) => values[i]!), fromColumns(columns, n)];
}

interface Eigen {
  readonly values: Float64Array;
  readonly vectors: Float64Array[];
}

/** The eigenvalues of a symmetric matrix, in no order, and a vector for each. */
function diagonalize(symmetric: Float64Array, n: number): Eigen {
  const count = Math.max(0, n - 1);
  const [m, q, along, across, ...rest] = arrays(n * n, n * n, n, n * n, ...Mirrors.lengths(count, n, n));
  const scale = scaleOf(symmetric);
  for (let i = 0; i < symmetric.length; i++) m![i] = symmetric[i]! / scale;
  const mirrors = new Mirrors(n, 1, rest);
  const beside = new Float64Array(n);
  for (let k = 0; k < count; k++) {
    beside[k] = mirrors.add(m!, n, k);
    reflectBoth(m!, n, k + 1, mirrors.vector(k), mirrors.factor(k), along!.subarray(k + 1));
  }
  mirrors.multiplyInto(q!, n);
  const values = new Float64Array(n);
  for (let i = 0; i < n; i++) values[i] = m![i * n + i]!;
  transpose(q!, n, n, across!);
  const vectors = rowsOf(across!, n, n);
  bringToRest(values, beside, vectors);
  for (let i = 0; i < n; i++) values[i]! *= scale;
  return { values, vectors };
}

/** Reflects the symmetric matrix `m` in its rows and columns from `start` on: it stays symmetric. */
function reflectBoth(
  m: Float64Array,
  n: number,
  start: number,
  v: Float64Array,
  factor: number,
  w: Float64Array,
): void {
  if (factor === 0) return;
  const [size, at] = [v.length, start * (n + 1)];
  w.fill(0);
  subtractRows(w, 0, size, v, 0, size, m, at, n);
  const along = inner(w, v);
  for (let i = 0; i < size; i++) w[i] = -factor * (w[i]! - 0.5 * factor * along * v[i]!);
  subtractBoth(m, at, n, v, w);
}

/**
 * Implicit QL steps bring the elements `beside` the diagonal of a tridiagonal matrix to rest, and turn `vectors` along (EISPACK's
 * imtql2; Dubrulle, Martin and Wilkinson 1968).
 */
function bringToRest(diagonal: Float64Array, beside: Float64Array, vectors: readonly Float64Array[]): void {
  const n = diagonal.length;
  for (let first = 0; first < n; first++)
    for (let step = 0; step < patience; step++) {
      let last = first;
      while (last < n - 1 && !isSmall(beside[last]!, diagonal[last]!, diagonal[last + 1]!)) last++;
      if (last === first) break;
      const ratio = (diagonal[first + 1]! - diagonal[first]!) / (2 * beside[first]!);
      const root = Math.sqrt(ratio * ratio + 1);
      let g = diagonal[last]! - diagonal[first]! + beside[first]! / (ratio + (ratio < 0 ? -root : root));
      let [sin, cos, shift] = [1, 1, 0];
      let i = last - 1;
      for (; i >= first; i--) {
        const f = sin * beside[i]!;
        const b = cos * beside[i]!;
        const r = Math.sqrt(f * f + g * g);
        beside[i + 1] = r;
        if (r === 0) break;
        sin = f / r;
        cos = g / r;
        const next = diagonal[i + 1]! - shift;
        const turn = (diagonal[i]! - next) * sin + 2 * cos * b;
        shift = sin * turn;
        diagonal[i + 1] = next + shift;
        g = cos * turn - b;
        rotate(vectors[i]!, vectors[i + 1]!, cos, sin);
      }
      if (i >= first) diagonal[i + 1]! -= shift;
      else {
        diagonal[first]! -= shift;
        beside[first] = g;
      }
      beside[last] = 0;
    }
}

const isSmall = (x: number, a: number, b: number): boolean =>
  Math.abs(x) <= 2 ** -53 * (Math.abs(a) + Math.abs(b));

/** Columns whose squares are smaller, beside the largest, are the rounding of zeros. */
const vanishing = 2 ** -1000;

interface Singular {
  readonly u: Float64Array[];
  readonly s: number[];
  readonly v: Float64Array[];
}

/**
 * The columns of U and V, and the singular values between them, descending. The columns of the matrix `m` times eigenvectors of `m^T m`
 * are almost orthogonal, and then turned until they are (Hestenes 1958).
 */
export function singular(m: Float64Array, rows: number, columns: number): Singular {
  if (rows < columns) {
    const { u, s, v } = singular(transposed(m, rows, columns), columns, rows);
    return { u: v, s, v: u };
  }
  const scale = scaleOf(m);
  const [scaled, across, square] = arrays(rows * columns, rows * columns, columns * columns);
  for (let i = 0; i < m.length; i++) scaled[i] = m[i]! / scale;
  transpose(scaled, rows, columns, across);
  for (let i = 0; i < across.length; i++) across[i] = -across[i]!;
  subtractProduct([columns, rows, columns], square, 0, columns, across, 0, rows, scaled, 0, columns);
  const v = diagonalize(square, columns).vectors;
  v.forEach((x, i) => {
    square.set(x, i * columns);
  });
  scaled.fill(0);
  subtractProduct([columns, columns, rows], scaled, 0, rows, square, 0, columns, across, 0, rows);
  const w = rowsOf(scaled, columns, rows);
  const squares = w.map((x) => inner(x, x));
  for (let sweep = 0, moved = true; moved && sweep < patience; sweep++) {
    moved = false;
    for (let p = 0; p < columns; p++)
      for (let q = p + 1; q < columns; q++) {
        const [a, b, off] = [squares[p]!, squares[q]!, inner(w[p]!, w[q]!)];
        if (Math.min(a, b) < vanishing) continue;
        if (Math.abs(off) <= 2 ** -53 * (rows + 2) * Math.sqrt(a) * Math.sqrt(b)) continue;
        moved = true;
        const ratio = (b - a) / (2 * off);
        const t = (ratio < 0 ? -1 : 1) / (Math.abs(ratio) + Math.sqrt(ratio * ratio + 1));
        const cos = 1 / Math.sqrt(t * t + 1);
        rotate(w[p]!, w[q]!, cos, t * cos);
        rotate(v[p]!, v[q]!, cos, t * cos);
        squares[p] = inner(w[p]!, w[p]!);
        squares[q] = inner(w[q]!, w[q]!);
      }
  }
  const sizes = squares.map(Math.sqrt);
  const order = sizes.map((_, i) => i).sort((i, j) => sizes[j]! - sizes[i]!);
  const u = order.filter((i) => !(squares[i]! < vanishing)).map((i) => w[i]!.map((x) => x / sizes[i]!));
  complete(u, rows, columns);
  return { u, s: order.map((i) => sizes[i]! * scale), v: order.map((i) => v[i]!) };
}

/** Makes `x` orthogonal to `y`, which has length 1. */
function takeOut(x: Float64Array, y: Float64Array): void {
  const along = inner(x, y);
  for (let i = 0; i < x.length; i++) x[i]! -= along * y[i]!;
}

/** Adds vectors to orthonormal ones of size `n` until there are `count`: of the axes what lies across all others, the most. */
export function complete(vectors: Float64Array[], n: number, count: number): void {
  if (vectors.length >= count) return;
  const across = unitVectors(n);
  for (const x of across) for (const y of vectors) takeOut(x, y);
  while (vectors.length < count) {
    const best = across.reduce((found, x) => (inner(x, x) > inner(found, found) + 1e-9 ? x : found));
    // Once more, for what rounding left.
    for (const y of vectors) takeOut(best, y);
    const size = Math.sqrt(inner(best, best));
    const found = best.map((x) => x / size);
    for (const x of across) takeOut(x, found);
    vectors.push(found);
  }
}
