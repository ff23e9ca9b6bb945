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
import { factorize } from "./reflection.ts";

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
        const { q, r } = factorize(m, rows, columns, inner);
        const upper = new Float64Array(inner * columns);
        for (let i = 0; i < inner; i++)
          for (let j = i; j < columns; j++) upper[i * columns + j] = r[i * columns + j]!;
        return [q, upper];
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
  [options?: { readonly mode?: "reduced" | "complete" | undefined }],
  { readonly Q: Tensor; readonly R: Tensor }
> = declare(
  "qr",
  (a: Tensor, options?: { readonly mode?: "reduced" | "complete" | undefined }) => {
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
