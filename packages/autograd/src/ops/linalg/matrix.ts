import type { TypedArray } from "../../dtype.ts";
import { ShapeError, ValueError } from "../../errors.ts";
import type { Op, Tensor } from "../../graph.ts";
import { apply, bilinearRule, pushed } from "../../graph.ts";
import { formatShape } from "../../shape.ts";
import type { Unary, UnaryWith } from "../../signature.ts";
import { pad } from "../border.ts";
import { matmul } from "../contraction.ts";
import { numeric, operand } from "../elementwise.ts";
import { cat } from "../join.ts";
import { eye } from "../leaf.ts";
import { broadcastTo, reshape, transpose, unsqueeze } from "../movement.ts";
import { composed, declare } from "../sample.ts";
import { arrays, subtractProduct } from "./blocks.ts";
import { regularMatrices, squareOfFloats, squareOfNumbers } from "./factorization.ts";
import { inverse } from "./inverse.ts";

/** Functions of whole matrices: powers and the exponential, products of several, and several in one. */

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
 * linear in each and does not depend on their order: the part with all of x, y, ... in the exponential of a + t x + u y + ...,
 * where the square of each of x, y, ... is 0 (dual numbers).
 */
const expOp: Op = {
  name: "matrixExp",
  kernel: {
    kind: "opaque",
    run: ([a, ...along], out) => {
      const n = a!.shape[a!.shape.length - 1]!;
      const size = n * n;
      const last = (2 ** along.length - 1) * size;
      const parts = new Float64Array(last + size);
      for (let start = 0; start < out.data.length; start += size) {
        parts.fill(0);
        copyPart(a!.data, start, 1, parts, 0, size);
        const scales = along.map(({ data }, k) => {
          const scale = largest(data, start, start + size) || 1;
          copyPart(data, start, scale, parts, 2 ** k * size, size);
          return scale;
        });
        const result = exponential(parts, n);
        const scale = scales.reduce((product, x) => product * x, 1);
        for (let i = 0; i < size; i++) out.data[start + i] = result[last + i]! * scale;
      }
    },
  },
  derivatives: [
    pushed((t, out) => apply(expOp, [...out.inputs, t])),
    bilinearRule((g, out, _, i) => apply(expOp, out.inputs.map((x) => transpose(x)).with(i, g))),
  ],
  shape: ([a]) => a!.shape,
  dtype: ([a]) => a!.dtype,
};

function copyPart(
  from: TypedArray,
  start: number,
  scale: number,
  to: Float64Array,
  at: number,
  size: number,
): void {
  for (let i = 0; i < size; i++) to[at + i] = from[start + i]! / scale;
}

function largest(x: TypedArray, start: number, end: number): number {
  let found = 0;
  for (let i = start; i < end; i++) if (!(Math.abs(x[i]!) <= found)) found = Math.abs(x[i]!);
  return found;
}

/** Terms of Taylor's series beyond this degree are below the last digit for a norm of 1. */
const degree = 20;

/**
 * By Taylor's series of a matrix halved until it is small, squared as often. Of the series four terms are summed at once, so that it takes
 * seven products (Paterson and Stockmeyer 1973). The parts of `m` lie one behind the other, in the order of the sets of
 * directions as bits.
 */
function exponential(m: Float64Array, n: number): Float64Array {
  const size = norm(m, n);
  let finite = size < Infinity;
  for (let i = 0; i < m.length; i++) finite &&= Math.abs(m[i]!) < Infinity;
  if (!finite) return new Float64Array(m.length).fill(Number.NaN);
  let squarings = 0;
  while (size > 2 ** squarings) squarings++;
  const small = times(m, 2 ** -squarings);
  const second = product(small, small, n);
  const third = product(second, small, n);
  const fourth = product(second, second, n);
  const coefficients = [1];
  for (let k = 1; k <= degree; k++) coefficients.push(coefficients[k - 1]! / k);
  let sum = times(fourth, coefficients[degree]!);
  for (let k = degree - 4; k >= 0; k -= 4) {
    if (k < degree - 4) sum = product(fourth, sum, n);
    const b = coefficients[k + 1]!;
    const c = coefficients[k + 2]!;
    const d = coefficients[k + 3]!;
    for (let i = 0; i < sum.length; i++) sum[i]! += b * small[i]! + c * second[i]! + d * third[i]!;
    for (let i = 0; i < n; i++) sum[i * n + i]! += coefficients[k]!;
  }
  for (let step = 0; step < squarings; step++) sum = product(sum, sum, n);
  return sum;
}

/** The largest sum of magnitudes in a column, of the first part. */
function norm(m: Float64Array, n: number): number {
  let found = 0;
  for (let j = 0; j < n; j++) {
    let column = 0;
    for (let i = 0; i < n; i++) column += Math.abs(m[i * n + j]!);
    if (column > found) found = column;
  }
  return found;
}

function times(x: Float64Array, factor: number): Float64Array {
  const out = new Float64Array(x.length);
  for (let i = 0; i < x.length; i++) out[i] = x[i]! * factor;
  return out;
}

/** The part of a set in a product sums the products of a part of a subset and that of the rest. */
function product(a: Float64Array, b: Float64Array, n: number): Float64Array {
  const [out, negative, right] = arrays(a.length, a.length, b.length);
  for (let i = 0; i < a.length; i++) negative[i] = -a[i]!;
  right.set(b);
  for (let set = 0; set * n * n < a.length; set++)
    for (let part = 0; part <= set; part++) {
      if ((part & set) !== part) continue;
      const [to, left, rest] = [set * n * n, part * n * n, (set - part) * n * n];
      subtractProduct([n, n, n], out, to, n, negative, left, n, right, rest, n);
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

/** In which order to multiply matrices of sizes `sides[i]` times `sides[i + 1]`: the last factor of the first part, for parts i to j. */
function cheapest(sides: readonly number[]): (i: number, j: number) => number {
  const count = sides.length - 1;
  const costs = Array.from({ length: count }, () => new Float64Array(count));
  const ends = Array.from({ length: count }, () => new Int32Array(count));
  for (let length = 1; length < count; length++)
    for (let i = 0; i + length < count; i++) {
      const j = i + length;
      costs[i]![j] = Infinity;
      for (let k = i; k < j; k++) {
        const cost = costs[i]![k]! + costs[k + 1]![j]! + sides[i]! * sides[k + 1]! * sides[j + 1]!;
        if (cost >= costs[i]![j]!) continue;
        costs[i]![j] = cost;
        ends[i]![j] = k;
      }
    }
  return (i, j) => ends[i]![j]!;
}

/** A product of tensors in a list, which are no operands of their own. */
type OfList = (tensors: readonly Tensor[]) => Tensor;

/**
 * The product of two or more matrices in the order of multiplications that takes the fewest (Godbole, IEEE Trans. Comput. 22, 1973); the
 * first may be a row [n], the last a column [n], and the axis is then gone. Throws ShapeError if they do not fit or are batches,
 * ValueError if there are less than two, DTypeError for bool.
 *
 * @example
 * ```ts
 * import { multiDot, ones } from "@cotangent/autograd";
 * multiDot([ones([2, 30]), ones([30, 5]), ones([5])]).toArray(); // => 150,150
 * ```
 */
export const multiDot: OfList = composed(
  "multiDot",
  (tensors: readonly Tensor[]) => {
    if (!Array.isArray(tensors) || tensors.length < 2)
      throw new ValueError("multiDot: takes an array of at least two tensors; use matmul for batches");
    const last = tensors.length - 1;
    const all = tensors.map((x) => numeric("multiDot", x));
    const factors = all.map((x, i) => {
      if (x.rank === 2) return x;
      if (x.rank !== 1 || (i > 0 && i < last))
        throw new ShapeError(
          `multiDot: factor ${i} has shape ${formatShape(x.shape)}; all are matrices, and the first and the last may be vectors`,
        );
      return unsqueeze(x, i === 0 ? 0 : 1);
    });
    factors.forEach((x, i) => {
      if (i > 0 && factors[i - 1]!.shape[1] !== x.shape[0])
        throw new ShapeError(
          `multiDot: factors ${i - 1} and ${i} have shapes ${formatShape(all[i - 1]!.shape)} and ${formatShape(all[i]!.shape)}; ` +
            "the columns of one are as many as the rows of the next",
        );
    });
    const sides = [...factors.map((x) => x.shape[0]!), factors[last]!.shape[1]!];
    const end = cheapest(sides);
    const part = (i: number, j: number): Tensor =>
      i === j ? factors[i]! : matmul(part(i, end(i, j)), part(end(i, j) + 1, j));
    const out = part(0, last);
    return reshape(
      out,
      out.shape.filter((_, i) => all[i === 0 ? 0 : last]!.rank === 2),
    );
  },
  (draw) => {
    const sides = Array.from({ length: draw.integer(3, 5) }, () => draw.integer(1, 3));
    const shapes = sides.slice(1).map((side, i) => [sides[i]!, side]);
    if (draw.coin()) shapes[0]!.shift();
    if (draw.coin()) shapes[shapes.length - 1]!.pop();
    return [shapes.map((shape) => draw.tensor(shape))];
  },
);

/**
 * A matrix with those given along its diagonal, one after the other, and zeros elsewhere; numbers and vectors are matrices of one row.
 * dtypes are promoted. Throws ShapeError for tensors of more than two axes, ValueError if there are none.
 *
 * @example
 * ```ts
 * import { blockDiag, tensor } from "@cotangent/autograd";
 * blockDiag([tensor([[1], [2]]), tensor([3, 4])]).toArray(); // => [ [ 1, 0, 0 ], [ 2, 0, 0 ], [ 0, 3, 4 ] ]
 * ```
 */
export const blockDiag: OfList = composed(
  "blockDiag",
  (tensors: readonly Tensor[]) => {
    if (!Array.isArray(tensors) || tensors.length === 0)
      throw new ValueError("blockDiag: takes an array of at least one tensor");
    const blocks = tensors.map((given) => {
      const x = operand("blockDiag", given, "float32");
      if (x.rank > 2)
        throw new ShapeError(
          `blockDiag: takes matrices, got shape ${formatShape(x.shape)}; take them one by one`,
        );
      return x.rank === 2 ? x : reshape(x, [1, x.size]);
    });
    const columns = blocks.map((x) => x.shape[1]!);
    const total = columns.reduce((sum, size) => sum + size, 0);
    let before = 0;
    const rows = blocks.map((x, i) => {
      const after = total - before - columns[i]!;
      const row = pad(x, [
        [0, 0],
        [before, after],
      ]);
      before += columns[i]!;
      return row;
    });
    return cat(rows);
  },
  (draw) => [Array.from({ length: draw.integer(1, 3) }, () => draw.tensor(draw.shape(0, 2)))],
);
