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
import { subtractRows } from "./elimination.ts";
import {
  factorizeEach,
  matricesOfFloats,
  packed,
  regularMatrices,
  triangular,
  unpacked,
} from "./factorization.ts";

/** Orthogonal matrices of reflections, which make a matrix triangular, in float64. */

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
export function reflect(m: Float64Array, rows: number, columns: number, inner: number): Float64Array {
  const q = new Float64Array(rows * inner);
  for (let i = 0; i < inner; i++) q[i * inner + i] = 1;
  const mirrors: Mirror[] = [];
  for (let step = 0; step < Math.min(rows, columns); step++) {
    const mirror = mirrorOf(m, columns, step, step, rows);
    mirrors.push(mirror);
    reflectRows(m, mirror, columns, step);
    m[step * columns + step] = mirror.pivot;
  }
  for (const mirror of mirrors.reverse()) reflectRows(q, mirror, inner, mirror.start);
  return q;
}

/** The reflection `1 - factor v v^T` of the rows from `start` on. */
export interface Mirror {
  readonly v: Float64Array;
  readonly factor: number;
  readonly start: number;
  /** What it leaves of the column that it was made for. */
  readonly pivot: number;
}

/** The reflection that leaves of a column of `m`, whose rows have size `width`, nothing in the rows from `start + 1` to `end`. */
export function mirrorOf(m: Float64Array, width: number, column: number, start: number, end: number): Mirror {
  const v = new Float64Array(end - start);
  for (let i = 0; i < v.length; i++) v[i] = m[(start + i) * width + column]!;
  const head = v[0]!;
  v[0] = 0;
  const below = lengthOf(v);
  if (below === 0) return { v, factor: 0, start, pivot: head };
  v[0] = head;
  const pivot = lengthOf(v) * (head >= 0 ? -1 : 1);
  for (let i = 1; i < v.length; i++) v[i]! /= head - pivot;
  v[0] = 1;
  return { v, factor: (pivot - head) / pivot, start, pivot };
}

/** The length of a vector, whose squares may be too large or too small. */
function lengthOf(x: Float64Array): number {
  const most = largest(x);
  if (most === 0) return 0;
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += (x[i]! / most) * (x[i]! / most);
  return Math.sqrt(sum) * most;
}

/** The largest magnitude, NaN if there is one. */
export function largest(x: Float64Array): number {
  let found = 0;
  for (let i = 0; i < x.length; i++) if (!(Math.abs(x[i]!) <= found)) found = Math.abs(x[i]!);
  return found;
}

/** Reflects `m` in its columns from `from` on. */
export function reflectRows(
  m: Float64Array,
  { v, factor, start }: Mirror,
  columns: number,
  from: number,
): void {
  if (factor === 0) return;
  const along = new Float64Array(columns);
  subtractRows(along, from, columns - from, v, 0, v.length, m, start * columns + from, columns);
  for (let j = from; j < columns; j++) along[j]! *= -factor;
  for (let i = 0; i < v.length; i++) {
    const a = v[i]!;
    for (let j = from, at = (start + i) * columns + from; j < columns; j++, at++) m[at]! -= along[j]! * a;
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
