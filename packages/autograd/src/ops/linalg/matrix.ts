import type { TypedArray } from "../../dtype.ts";
import { ValueError } from "../../errors.ts";
import type { Elements, Op, Tensor } from "../../graph.ts";
import { apply, bilinear, pushed } from "../../graph.ts";
import type { Unary, UnaryWith } from "../../signature.ts";
import { matmul } from "../contraction.ts";
import { eye } from "../leaf.ts";
import { broadcastTo, transpose } from "../movement.ts";
import { composed, declare } from "../sample.ts";
import { regularMatrices, squareOfFloats, squareOfNumbers } from "./factorization.ts";
import { inverse } from "./solve.ts";

/** Functions of whole matrices: powers and the exponential. */

/**
 * Square matrices `a` [..., n, n] times themselves, `n` factors in all; the identity for 0, and for negative `n` the power
 * of the inverse. Throws ShapeError if they are not square, ValueError if `n` is no whole number and, when its value is
 * read, if one to be inverted is singular.
 */
export const matrixPower: UnaryWith<[n: number]> = composed(
  "matrixPower",
  (a: Tensor, n: number) => {
    const x = squareOfNumbers("matrixPower", a);
    if (!Number.isSafeInteger(n))
      throw new ValueError(`matrixPower: the exponent ${n} is no whole number; give one such as 2 or -1`);
    if (n === 0) {
      const identity = eye(x.shape[x.rank - 1]!, undefined, { dtype: x.dtype });
      return broadcastTo(identity.node, x.shape);
    }
    let factor = n < 0 ? inverse("matrixPower", squareOfFloats("matrixPower", x)) : x;
    let out: Tensor | null = null;
    for (let rest = Math.abs(n); ; factor = matmul(factor, factor)) {
      if (rest % 2 === 1) out = out === null ? factor : matmul(out, factor);
      rest = Math.floor(rest / 2);
      if (rest === 0) return out ?? factor;
    }
  },
  (draw) => {
    const n = draw.integer(1, 3);
    return [regularMatrices(draw, [...draw.shape(0, 1), n, n]), draw.integer(-3, 3)];
  },
);

/**
 * The exponential of a square matrix `a`, its first operand; with further operands t, u, ... its derivative along them, which is
 * linear in each and does not depend on their order. It is the last block in the first row of the exponential of a
 * block triangular matrix (Van Loan 1978), for one operand [[a, t], [0, a]].
 */
const expOp: Op = {
  name: "matrixExp",
  kernel: {
    kind: "opaque",
    run: ([a, ...along], out) => {
      const n = a!.shape[a!.shape.length - 1]!;
      for (let start = 0; start < out.data.length; start += n * n) {
        const matrix = ({ data }: Elements) => data.subarray(start, start + n * n);
        out.data.set(exponentialAlong(matrix(a!), along.map(matrix), n), start);
      }
    },
  },
  derivatives: [
    pushed((t, out) => apply(expOp, [...out.inputs, t])),
    bilinear((g, out, _, i) => apply(expOp, out.inputs.map((x) => transpose(x)).with(i, g))),
  ],
  shape: ([a]) => a!.shape,
  dtype: ([a]) => a!.dtype,
};

/** Rows and columns of blocks are the subsets of `along`, as bits: `a` leads from each to itself, and t to the one with t. */
function exponentialAlong(a: TypedArray, along: readonly TypedArray[], n: number): Float64Array {
  const blocks = 2 ** along.length;
  const size = n * blocks;
  const m = new Float64Array(size * size);
  const put = (block: TypedArray, row: number, column: number, scale: number) => {
    for (let i = 0; i < n; i++)
      for (let j = 0; j < n; j++) m[(row * n + i) * size + column * n + j] = block[i * n + j]! / scale;
  };
  const scales = along.map((t) => largest(t) || 1);
  for (let set = 0; set < blocks; set++) {
    put(a, set, set, 1);
    along.forEach((t, k) => {
      if ((set & (1 << k)) === 0) put(t, set, set | (1 << k), scales[k]!);
    });
  }
  const result = exponential(m, size);
  const scale = scales.reduce((product, x) => product * x, 1);
  return Float64Array.from(
    { length: n * n },
    (_, i) => result[Math.floor(i / n) * size + (blocks - 1) * n + (i % n)]! * scale,
  );
}

const largest = (x: TypedArray): number => {
  let found = 0;
  for (const element of x) if (!(Math.abs(element) <= found)) found = Math.abs(element);
  return found;
};

/** Terms of Taylor's series that are left out are below the last digit for a norm of at most a half. */
const terms = 16;

/** By Taylor's series of `m` halved until it is small, squared as often. */
function exponential(m: Float64Array, size: number): Float64Array {
  let norm = 0;
  for (let j = 0; j < size; j++) {
    let column = 0;
    for (let i = 0; i < size; i++) column += Math.abs(m[i * size + j]!);
    if (!(column <= norm)) norm = column;
  }
  if (!Number.isFinite(norm)) return new Float64Array(m.length).fill(Number.NaN);
  const squarings = norm <= 0.5 ? 0 : Math.ceil(Math.log2(norm)) + 1;
  const small = m.map((x) => x * 2 ** -squarings);
  let sum = identity(size);
  for (let term = terms; term > 0; term--) {
    sum = times(small, sum, size).map((x) => x / term);
    for (let i = 0; i < size; i++) sum[i * size + i]! += 1;
  }
  for (let step = 0; step < squarings; step++) sum = times(sum, sum, size);
  return sum;
}

function identity(size: number): Float64Array {
  const out = new Float64Array(size * size);
  for (let i = 0; i < size; i++) out[i * size + i] = 1;
  return out;
}

function times(a: Float64Array, b: Float64Array, size: number): Float64Array {
  const out = new Float64Array(size * size);
  for (let i = 0; i < size; i++)
    for (let k = 0; k < size; k++) {
      const factor = a[i * size + k]!;
      if (factor === 0) continue;
      for (let j = 0; j < size; j++) out[i * size + j]! += factor * b[k * size + j]!;
    }
  return out;
}

/**
 * The exponential `1 + a + a a / 2 + a a a / 6 + ...` of square matrices `a` [..., n, n], with products of matrices. Computed in
 * float64 by scaling and squaring. NaN if an element is not finite. Throws ShapeError if they are not square.
 *
 * @example
 * ```ts
 * import { matrixExp, tensor } from "@cotangent/autograd";
 * matrixExp(tensor([[0, 1], [0, 0]])).toArray(); // => [ [ 1, 1 ], [ 0, 1 ] ]
 * ```
 */
export const matrixExp: Unary = declare(
  "matrixExp",
  (a: Tensor) => apply(expOp, [squareOfFloats("matrixExp", a)]),
  expOp,
  (draw) => {
    const n = draw.integer(1, 3);
    return [draw.tensor([...draw.shape(0, 1), n, n], { low: -1, high: 1 })];
  },
);
