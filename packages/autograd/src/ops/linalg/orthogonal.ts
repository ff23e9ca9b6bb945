import { GradientError, ValueError } from "../../errors.ts";
import type { Op, Tensor } from "../../graph.ts";
import { apply, pushed } from "../../graph.ts";
import { optionsOf } from "../../options.ts";
import type { Shape } from "../../shape.ts";
import { sizeOf } from "../../shape.ts";
import type { Operation } from "../../signature.ts";
import { matmul } from "../contraction.ts";
import { tril, triu } from "../diagonal.ts";
import { transpose } from "../movement.ts";
import { sub } from "../pointwise.ts";
import { slice } from "../region.ts";
import { declare, kinked } from "../sample.ts";
import {
  factorizeEach,
  matricesOfFloats,
  packed,
  regularMatrices,
  triangular,
  unpacked,
} from "./factorization.ts";

/**
 * Orthogonal matrices: reflections, which make a matrix triangular, and rotations, which make it diagonal, in float64.
 */

/** The shapes of Q and R for matrices of `rows` x `columns`. */
function factorShapes(shape: Shape, complete: boolean): readonly [Shape, Shape] {
  const [rows, columns] = shape.slice(-2) as [number, number];
  const inner = complete ? rows : Math.min(rows, columns);
  return [
    [rows, inner],
    [inner, columns],
  ];
}

/** Q and R end to end. */
const qrOp: Op<{ readonly complete: boolean }> = {
  name: "qr",
  kernel: {
    kind: "opaque",
    run: ([a], out, { complete }) =>
      factorizeEach(a!, out, (m, rows, columns) => {
        const inner = complete ? rows : Math.min(rows, columns);
        const q = reflect(m, rows, columns, inner);
        const r = new Float64Array(inner * columns);
        for (let i = 0; i < inner; i++)
          for (let j = i; j < columns; j++) r[i * columns + j] = m[i * columns + j]!;
        return [q, r];
      }),
  },
  // With the first columns a1 = q r1, the matrix q^T da1 r1^-1 is q^T dq, which is skew, and an upper triangular one.
  derivatives: [
    pushed((t, out, { complete }) => {
      const { shape } = out.inputs[0]!;
      const [rows, columns] = shape.slice(-2) as [number, number];
      if (complete && rows > columns)
        throw new GradientError(
          'qr: with mode "complete" the further columns of Q have no derivative; take mode "reduced"',
        );
      const [q, r] = unpacked(out, factorShapes(shape, complete)) as [Tensor, Tensor];
      const first = (x: Tensor) => slice(x, 0, rows, { axis: -1 });
      const x = transpose(triangular(transpose(first(r)), transpose(first(t)), false));
      const inside = matmul(transpose(q), x);
      const below = tril(inside, { diagonal: -1 });
      const skew = sub(below, transpose(below));
      const dq = sub(x, matmul(q, sub(inside, skew)));
      const dr = triu(sub(matmul(transpose(q), t), matmul(skew, r)));
      return packed([dq, dr], shape.length - 2);
    }),
  ],
  shape: ([a], { complete }) => {
    const { shape } = a!;
    const size = factorShapes(shape, complete).reduce((total, factor) => total + sizeOf(factor), 0);
    return [...shape.slice(0, -2), size];
  },
  dtype: ([a]) => a!.dtype,
};

/**
 * Householder's reflections turn `m` into R (below its diagonal remain other numbers); gives the first `inner` columns of Q.
 * Signs are those of LAPACK: a column that has nothing below its diagonal stays as it is.
 */
function reflect(m: Float64Array, rows: number, columns: number, inner: number): Float64Array {
  const q = new Float64Array(rows * inner);
  for (let i = 0; i < inner; i++) q[i * inner + i] = 1;
  const steps = Math.min(rows, columns);
  const mirrors: Mirror[] = [];
  for (let step = 0; step < steps; step++) {
    const v = new Float64Array(rows - step);
    let below = 0;
    for (let i = 0; i < v.length; i++) v[i] = m[(step + i) * columns + step]!;
    for (let i = 1; i < v.length; i++) below = Math.hypot(below, v[i]!);
    const head = v[0]!;
    const pivot = below === 0 ? head : Math.hypot(head, below) * (head >= 0 ? -1 : 1);
    v[0] = 1;
    for (let i = 1; i < v.length; i++) v[i]! /= below === 0 ? 1 : head - pivot;
    const mirror = { v, factor: below === 0 ? 0 : (pivot - head) / pivot, start: step };
    mirrors.push(mirror);
    reflectRows(m, mirror, columns, step);
    m[step * columns + step] = pivot;
  }
  for (const mirror of mirrors.reverse()) reflectRows(q, mirror, inner, 0);
  return q;
}

/** The reflection `1 - factor v v^T` of the rows from `start` on. */
interface Mirror {
  readonly v: Float64Array;
  readonly factor: number;
  readonly start: number;
}

/** Reflects `m` in its columns from `from` on. */
function reflectRows(m: Float64Array, { v, factor, start }: Mirror, columns: number, from: number): void {
  if (factor === 0) return;
  for (let j = from; j < columns; j++) {
    let along = 0;
    for (let i = 0; i < v.length; i++) along += v[i]! * m[(start + i) * columns + j]!;
    for (let i = 0; i < v.length; i++) m[(start + i) * columns + j]! -= factor * along * v[i]!;
  }
}

/**
 * The matrices `Q` with orthonormal columns and `R`, upper triangular, whose product is `a` [..., m, n]: of shapes [..., m, k] and
 * [..., k, n] with k the smaller of m and n, or with `mode` "complete" k = m. Computed in float64; signs are those of
 * LAPACK. Throws ShapeError unless `a` has two axes, ValueError for another mode; asking for a derivative throws
 * GradientError in mode "complete" if m > n.
 *
 * @kink Where the first columns are linearly dependent it is not differentiable: infinities or NaN.
 *
 * @example
 * ```ts
 * import { qr, tensor } from "@cotangent/autograd";
 * const { Q, R } = qr(tensor([[0, 1], [2, 3]]));
 * Q.toArray(); // => [ [ 0, -1 ], [ -1, 0 ] ]
 * R.toArray(); // => [ [ -2, -3 ], [ 0, -1 ] ]
 * ```
 */
export const qr: Operation<
  [options?: { readonly mode?: "reduced" | "complete" }],
  { readonly Q: Tensor; readonly R: Tensor }
> = declare(
  "qr",
  (a: Tensor, options?: { readonly mode?: "reduced" | "complete" }) => {
    const { mode = "reduced" } = optionsOf("qr", options, { mode: true });
    const x = matricesOfFloats("qr", a);
    if (mode !== "reduced" && mode !== "complete")
      throw new ValueError(`qr: the mode is ${mode}; it is "reduced" or "complete"`);
    const complete = mode === "complete";
    const [Q, R] = unpacked(apply(qrOp, [x], { complete }), factorShapes(x.shape, complete));
    return { Q: Q!, R: R! };
  },
  qrOp,
  (draw) => {
    const [rows, columns] = [draw.integer(1, 3), draw.integer(1, 3)];
    const mode = rows <= columns && draw.coin() ? "complete" : "reduced";
    return [regularMatrices(draw, [...draw.shape(0, 1), rows, columns]), { mode }];
  },
  kinked,
);

/** Rotations come to rest after a handful of sweeps; NaN never does. */
const sweeps = 60;

/** The tangent of a rotation whose double angle has the cotangent `x`, the smaller one. */
const tangent = (x: number): number => (x < 0 ? -1 : 1) / (Math.abs(x) + Math.hypot(x, 1));

/** Turns two vectors by the angle of which `t` is the tangent. */
function rotate(x: Float64Array, y: Float64Array, t: number): void {
  const cos = 1 / Math.hypot(t, 1);
  const sin = t * cos;
  for (let i = 0; i < x.length; i++) {
    const a = x[i]!;
    const b = y[i]!;
    x[i] = cos * a - sin * b;
    y[i] = sin * a + cos * b;
  }
}

const unitVectors = (n: number): Float64Array[] =>
  Array.from({ length: n }, (_, i) => new Float64Array(n).fill(1, i, i + 1));

/** -1 if the first of the largest elements is negative, else 1: two that differ by rounding count as equally large. */
export function orientation(x: Float64Array): number {
  const largest = x.reduce((found, element) => Math.max(found, Math.abs(element)), 0);
  const first = x.find((element) => Math.abs(element) >= largest * (1 - 1e-9));
  return first !== undefined && first < 0 ? -1 : 1;
}

/** `x` times 1 or -1, without zeros of negative sign. */
export const turned = (x: Float64Array, sign: number): Float64Array => x.map((element) => element * sign + 0);

/** The matrix with these columns, row by row. */
export function fromColumns(columns: readonly Float64Array[], rows: number): Float64Array {
  return Float64Array.from(
    { length: rows * columns.length },
    (_, i) => columns[i % columns.length]![Math.floor(i / columns.length)]!,
  );
}

/** The eigenvalues of the symmetric part of a matrix, ascending, and the matrix of its eigenvectors. Overwrites `m`. */
export function eigen(m: Float64Array, n: number): readonly [Float64Array, Float64Array] {
  const rows = Array.from({ length: n }, (_, i) => m.subarray(i * n, (i + 1) * n));
  for (let i = 0; i < n; i++)
    for (let j = 0; j < i; j++) rows[i]![j] = rows[j]![i] = (rows[i]![j]! + rows[j]![i]!) / 2;
  const vectors = unitVectors(n);
  for (let sweep = 0, moved = true; moved && sweep < sweeps; sweep++) {
    moved = false;
    for (let p = 0; p < n; p++)
      for (let q = p + 1; q < n; q++) {
        const [a, b, off] = [rows[p]![p]!, rows[q]![q]!, rows[p]![q]!];
        if (Math.abs(off) <= 2 ** -54 * Math.min(Math.abs(a), Math.abs(b))) continue;
        moved = true;
        const t = tangent((b - a) / (2 * off));
        rotate(rows[p]!, rows[q]!, t);
        for (let i = 0; i < n; i++) {
          rows[i]![p] = rows[p]![i]!;
          rows[i]![q] = rows[q]![i]!;
        }
        rows[p]![p] = a - t * off;
        rows[q]![q] = b + t * off;
        rows[p]![q] = 0;
        rows[q]![p] = 0;
        rotate(vectors[p]!, vectors[q]!, t);
      }
  }
  const order = vectors.map((_, i) => i).sort((i, j) => rows[i]![i]! - rows[j]![j]!);
  const columns = order.map((i) => turned(vectors[i]!, orientation(vectors[i]!)));
  return [Float64Array.from(order, (i) => rows[i]![i]!), fromColumns(columns, n)];
}

interface Singular {
  readonly u: Float64Array[];
  readonly s: number[];
  readonly v: Float64Array[];
}

/** The columns of U and V, and the singular values between them, descending. The columns of the matrix are turned until orthogonal. */
export function singular(m: Float64Array, rows: number, columns: number): Singular {
  if (rows < columns) {
    const { u, s, v } = singular(fromColumns(rowsOf(m, rows, columns), columns), columns, rows);
    return { u: v, s, v: u };
  }
  const largest = m.reduce((found, x) => Math.max(found, Math.abs(x)), 0);
  const scale = largest === 0 ? 1 : largest;
  const w = Array.from({ length: columns }, (_, j) =>
    Float64Array.from({ length: rows }, (_, i) => m[i * columns + j]! / scale),
  );
  const v = unitVectors(columns);
  for (let sweep = 0, moved = true; moved && sweep < sweeps; sweep++) {
    moved = false;
    for (let p = 0; p < columns; p++)
      for (let q = p + 1; q < columns; q++) {
        const [a, b, off] = [product(w[p]!, w[p]!), product(w[q]!, w[q]!), product(w[p]!, w[q]!)];
        if (Math.abs(off) <= 2 ** -53 * (rows + 2) * Math.sqrt(a) * Math.sqrt(b)) continue;
        moved = true;
        const t = tangent((b - a) / (2 * off));
        rotate(w[p]!, w[q]!, t);
        rotate(v[p]!, v[q]!, t);
      }
  }
  const sizes = w.map((x) => Math.sqrt(product(x, x)));
  const order = sizes.map((_, i) => i).sort((i, j) => sizes[j]! - sizes[i]!);
  const u = order.filter((i) => sizes[i] !== 0).map((i) => w[i]!.map((x) => x / sizes[i]!));
  complete(u, rows, columns);
  return { u, s: order.map((i) => sizes[i]! * scale), v: order.map((i) => v[i]!) };
}

/** The rows of a matrix. */
export const rowsOf = (m: Float64Array, rows: number, columns: number): Float64Array[] =>
  Array.from({ length: rows }, (_, i) => m.slice(i * columns, (i + 1) * columns));

/** The inner product. */
function product(x: Float64Array, y: Float64Array): number {
  let total = 0;
  for (let i = 0; i < x.length; i++) total += x[i]! * y[i]!;
  return total;
}

/** Adds vectors to orthonormal ones of size `n` until there are `count`: of the axes what lies across all others, the most. */
export function complete(vectors: Float64Array[], n: number, count: number): void {
  while (vectors.length < count) {
    const across = unitVectors(n);
    for (const x of across)
      for (const y of [...vectors, ...vectors]) {
        const along = product(x, y);
        for (let i = 0; i < n; i++) x[i]! -= along * y[i]!;
      }
    const best = across.reduce((found, x) => (product(x, x) > product(found, found) + 1e-9 ? x : found));
    const size = Math.sqrt(product(best, best));
    vectors.push(best.map((x) => x / size));
  }
}
