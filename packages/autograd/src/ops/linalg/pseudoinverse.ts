import { promote } from "../../dtype.ts";
import { DTypeError, ShapeError, ValueError } from "../../errors.ts";
import type { Op, Tensor } from "../../graph.ts";
import { apply, pushed } from "../../graph.ts";
import { optionsOf } from "../../options.ts";
import { broadcastShapes, formatShape, shown } from "../../shape.ts";
import type { Operation } from "../../signature.ts";
import { cast } from "../cast.ts";
import { matmul } from "../contraction.ts";
import { checkTensor } from "../leaf.ts";
import { squeeze, transpose, unsqueeze } from "../movement.ts";
import { add, neg, sub } from "../pointwise.ts";
import { composed, declare, kinked } from "../sample.ts";
import { arrays } from "./blocks.ts";
import { singular, transposed } from "./eigen.ts";
import { substitute } from "./elimination.ts";
import { factorizeEach, matricesOfFloats, matricesOfNumbers, regularMatrices } from "./factorization.ts";
import { factorize } from "./reflection.ts";
import { apart } from "./spectrum.ts";

/** Pseudoinverses, and the least squares that they solve. */

/** By singular values, of which those of up to `rcond` times the largest count as 0. */
function bySingularValues(m: Float64Array, rows: number, columns: number, rcond: number): Float64Array {
  const { u, s, v } = singular(m, rows, columns);
  const inverse = new Float64Array(columns * rows);
  s.forEach((size, k) => {
    if (size <= rcond * s[0]!) return;
    for (let i = 0; i < columns; i++)
      for (let j = 0; j < rows; j++) inverse[i * rows + j]! += (v[k]![i]! / size) * u[k]![j]!;
  });
  return inverse;
}

/** `R^-1 Q^T` for at least as many rows as columns. Below full rank it is of no use. */
function byReflections(m: Float64Array, rows: number, columns: number): Float64Array {
  const { q, r } = factorize(m, rows, columns, columns);
  const width = columns + rows;
  const [system] = arrays(columns * width);
  for (let i = 0; i < columns; i++) {
    for (let j = i; j < columns; j++) system[i * width + j] = r[i * columns + j]!;
    for (let j = 0; j < rows; j++) system[i * width + columns + j] = q[j * columns + i]!;
  }
  substitute(system, columns, width, true);
  const inverse = new Float64Array(columns * rows);
  for (let i = 0; i < columns; i++)
    inverse.set(system.subarray(i * width + columns, (i + 1) * width), i * rows);
  return inverse;
}

function norm(m: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < m.length; i++) sum += m[i]! * m[i]!;
  return Math.sqrt(sum);
}

/** Beyond this condition number singular values are asked, however small `rcond` is. */
const worstCondition = 1e10;

/**
 * The condition number is at most the product of the norms of a matrix and of its pseudoinverse. Where that leaves no doubt that no
 * singular value counts as 0, reflections give it in a fraction of the time.
 */
function pseudoinverseOf(m: Float64Array, rows: number, columns: number, rcond: number): Float64Array {
  const isWide = columns > rows;
  const inverse = isWide
    ? transposed(byReflections(transposed(m, rows, columns), columns, rows), rows, columns)
    : byReflections(m, rows, columns);
  const condition = norm(m) * norm(inverse);
  return condition < worstCondition && condition * rcond < 1
    ? inverse
    : bySingularValues(m, rows, columns, rcond);
}

/** The pseudoinverse; singular values of up to `rcond` times the largest count as 0. */
const pinvOp: Op<{ readonly rcond: number }> = {
  name: "pinv",
  kernel: {
    kind: "opaque",
    run: ([a], out, { rcond }) =>
      factorizeEach(a!, out, (m, rows, columns) => [pseudoinverseOf(m, rows, columns, rcond)]),
  },
  // Golub and Pereyra (1973), for a rank that stays as it is.
  derivatives: [
    pushed((t, out) => {
      const a = out.inputs[0]!;
      const [outT, tT] = [transpose(out), transpose(t)];
      const left = matmul(out, matmul(outT, tT));
      const right = matmul(matmul(tT, outT), out);
      return add(
        neg(matmul(out, matmul(t, out))),
        add(sub(left, matmul(matmul(left, a), out)), sub(right, matmul(out, matmul(a, right)))),
      );
    }),
  ],
  shape: ([a]) => [...a!.shape.slice(0, -2), a!.shape[a!.rank - 1]!, a!.shape[a!.rank - 2]!],
  dtype: ([a]) => a!.dtype,
};

type Cutoff = {
  readonly rcond?: number | undefined;
};

/** The pseudoinverse for the function `name`; `rcond` is the larger side times the precision of the dtype unless given. */
function pseudoinverse(name: string, x: Tensor, rcond: number | undefined): Tensor {
  if (rcond !== undefined && !(typeof rcond === "number" && rcond >= 0))
    throw new ValueError(`${name}: rcond is ${shown(rcond)}; give a number of at least 0, such as 1e-6`);
  const [rows, columns] = x.shape.slice(-2) as [number, number];
  const precision = x.dtype === "float32" ? 2 ** -23 : 2 ** -52;
  return apply(pinvOp, [x], { rcond: rcond ?? Math.max(rows, columns) * precision });
}

/**
 * The pseudoinverses [..., n, m] of matrices `a` [..., m, n], by their singular values, of which those of up to `rcond` times the
 * largest count as 0 (`rcond` is the larger of m and n times the precision of the dtype unless given). Throws ShapeError
 * unless `a` has two axes, ValueError if `rcond` is negative.
 *
 * @kink Where the rank jumps, so does the value; the derivative is that of matrices of the same rank.
 *
 * @example
 * ```ts
 * import { pinv, tensor } from "@cotangent/autograd";
 * pinv(tensor([[2, 0], [0, 0]])).toArray(); // => [ [ 0.5, 0 ], [ 0, 0 ] ]
 * ```
 */
export const pinv: Operation<[options?: Cutoff]> = declare(
  "pinv",
  (a: Tensor, options?: Cutoff) => {
    const { rcond } = optionsOf("pinv", options, { rcond: true });
    return pseudoinverse("pinv", matricesOfFloats("pinv", a), rcond);
  },
  pinvOp,
  (draw) => [apart(draw, draw.integer(1, 3), draw.integer(1, 3))],
  kinked,
);

/**
 * The `x` [..., n, k] with the smallest `|a x - b|` for matrices `a` [..., m, n] and `b` [..., m, k], or [m]; of several that with
 * the smallest norm. It is `pinv(a, { rcond })` times `b`; batch axes broadcast. Throws ShapeError if the shapes do not
 * fit, ValueError if `rcond` is negative.
 *
 * @kink Where the rank of `a` jumps, so does the value; the derivative is that of matrices of the same rank.
 *
 * @example
 * ```ts
 * import { lstsq, tensor } from "@cotangent/autograd";
 * lstsq(tensor([[1, 0], [0, 2], [0, 0]]), tensor([1, 1, 5])).toArray(); // => 1,0.5
 * ```
 */
export const lstsq: Operation<[b: Tensor, options?: Cutoff]> = composed(
  "lstsq",
  (a: Tensor, b: Tensor, options?: Cutoff) => {
    const { rcond } = optionsOf("lstsq", options, { rcond: true });
    const left = matricesOfFloats("lstsq", a);
    checkTensor("lstsq: the right-hand side", b);
    const right = b.rank === 1 ? unsqueeze(b, 1) : matricesOfNumbers("lstsq", b);
    const rows = left.shape[left.rank - 2]!;
    if (right.dtype === "bool")
      throw new DTypeError("lstsq: is arithmetic and takes no bool; cast to float32 first");
    if (right.shape[right.rank - 2] !== rows)
      throw new ShapeError(
        `lstsq: shapes ${formatShape(left.shape)} and ${formatShape(b.shape)}; the right-hand side needs ${rows} rows`,
      );
    broadcastShapes("lstsq", left.shape.slice(0, -2), right.shape.slice(0, -2));
    const dtype = promote(left.dtype, right.dtype);
    const x = matmul(pseudoinverse("lstsq", cast(left, dtype), rcond), cast(right, dtype));
    return b.rank === 1 ? squeeze(x, -1) : x;
  },
  (draw) => {
    const [rows, columns] = [draw.integer(1, 3), draw.integer(1, 3)];
    const batch = draw.shape(0, 1);
    const b = draw.integer(0, 2) === 0 ? [rows] : [...batch, rows, draw.integer(1, 3)];
    return [regularMatrices(draw, [...batch, rows, columns]), draw.tensor(b)];
  },
  kinked,
);
