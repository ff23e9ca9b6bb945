import type { TypedArray } from "../../dtype.ts";
import { log } from "../../functions/logarithm.ts";
import type { Derivative, Elements, Op, Tensor } from "../../graph.ts";
import { apply, bilinearRule, pushed, zero } from "../../graph.ts";
import { machineOfOne } from "../../machine.ts";
import type { Operation } from "../../signature.ts";
import { lt } from "../comparison.ts";
import { eye } from "../leaf.ts";
import { sum } from "../movement.ts";
import { mul, where } from "../pointwise.ts";
import { composed, declare } from "../sample.ts";
import { arrays } from "./blocks.ts";
import { copyRows, exchange, triangulate } from "./elimination.ts";
import { squareOfFloats } from "./factorization.ts";
import { regulars, solveOp } from "./solve.ts";

/** Determinants, from the triangles of elimination, and the cofactors that are their derivatives. */

/** An op from matrices to numbers. */
function determinant(
  name: string,
  run: (a: Elements, n: number, out: TypedArray) => void,
  derivative: Derivative,
): Op {
  return {
    name,
    kernel: { kind: "opaque", run: ([a], out) => run(a!, a!.shape[a!.shape.length - 1]!, out.data) },
    derivatives: [derivative],
    shape: ([a]) => a!.shape.slice(0, -2),
    dtype: ([a]) => a!.dtype,
  };
}

/** The diagonals of the triangles of `count` matrices, one after the other, and the signs of their exchanges, 0 for singular matrices. */
function triangles(
  { data }: Elements,
  n: number,
  count: number,
): { diagonals: Float64Array; signs: number[] } {
  const diagonals = new Float64Array(count * n);
  const [m] = arrays(n * n);
  const signs = Array.from({ length: count }, (_, batch) => {
    copyRows(n, n, data, batch * n * n, n, m, 0, n);
    const sign = triangulate(m, n, n);
    for (let i = 0; i < n; i++) diagonals[batch * n + i] = m[i * n + i]!;
    return sign;
  });
  return { diagonals, signs };
}

/** Makes each number from a diagonal and a sign. */
function fromTriangles(of: (diagonal: Float64Array, sign: number) => number) {
  return (a: Elements, n: number, out: TypedArray): void => {
    const { diagonals, signs } = triangles(a, n, out.length);
    signs.forEach((sign, batch) => {
      out[batch] = of(diagonals.subarray(batch * n, batch * n + n), sign);
    });
  };
}

/** The traces of `a^-1 t`, by Jacobi's formula the tangent of `log |det a|`. */
function relative(a: Tensor, t: Tensor): Tensor {
  const identity = eye(a.shape[a.rank - 1]!, undefined, { dtype: a.dtype });
  return sum(mul(apply(solveOp, [a, t], { caller: null }), identity.node), [-2, -1]);
}

/**
 * The cofactors of a square matrix `a`, its first operand: the derivative of its determinant. With further operands t, u, ...
 * the derivative of that along them, which is linear in each. The determinant is linear in each row, so it sums the
 * cofactors of `a` with a row of t, another of u, ... in place of its own, over all choices of rows.
 */
const cofactorOp: Op = {
  name: "cofactors",
  kernel: {
    kind: "opaque",
    run: ([a, ...along], out) => {
      const n = a!.shape[a!.shape.length - 1]!;
      out.data.fill(0);
      const total = new Float64Array(n * n);
      const cofactors = cofactorsOf(n);
      for (let start = 0; start < out.data.length; start += n * n) {
        const matrix = ({ data }: Elements) => new Float64Array(data.subarray(start, start + n * n));
        total.fill(0);
        addCofactors(cofactors, matrix(a!), along.map(matrix), n, [], total);
        out.data.set(total, start);
      }
    },
  },
  derivatives: [
    pushed((t, out) => apply(cofactorOp, [...out.inputs, t])),
    bilinearRule((g, out, _, i) => apply(cofactorOp, out.inputs.with(i, g))),
  ],
  shape: ([a]) => a!.shape,
  dtype: ([a]) => a!.dtype,
};

function addCofactors(
  cofactors: (m: Float64Array) => Float64Array,
  m: Float64Array,
  along: readonly Float64Array[],
  n: number,
  taken: readonly number[],
  total: Float64Array,
): void {
  const [t, ...others] = along;
  const free = Array.from({ length: n }, (_, row) => row).filter((row) => !taken.includes(row));
  if (t === undefined) {
    const found = cofactors(m);
    for (const row of free) for (let j = 0; j < n; j++) total[row * n + j]! += found[row * n + j]!;
  } else
    for (const row of free) {
      const changed = m.slice();
      changed.set(t.subarray(row * n, (row + 1) * n), row * n);
      addCofactors(cofactors, changed, others, n, [...taken, row], total);
    }
}

/** What gives the cofactors of matrices of one size, each time in the same array. */
function cofactorsOf(n: number): (m: Float64Array) => Float64Array {
  const [out, y, x] = [new Float64Array(n * n), new Float64Array(n * n), new Float64Array(n)];
  const columns = new Int32Array(n);
  return (m) => {
    out.fill(0);
    y.fill(0);
    for (let i = 0; i < n; i++) {
      y[i * n + i] = 1;
      columns[i] = i;
    }
    cofactors(m, n, out, y, x, columns);
    return out;
  };
}

/**
 * The cofactors of one matrix, singular or not: elimination with complete pivoting of all but the last column needs no division
 * by the last pivot, and if an earlier one is 0 the rank is below n - 1 and all cofactors are 0. Overwrites `m` and `y`, which is
 * the identity at first, as `columns` is; `out` holds zeros.
 */
function cofactors(
  m: Float64Array,
  n: number,
  out: Float64Array,
  y: Float64Array,
  x: Float64Array,
  columns: Int32Array,
): void {
  let product = 1;
  for (let step = 0; step < n - 1; step++) {
    let [row, column] = [step, step];
    for (let i = step; i < n; i++)
      for (let j = step; j < n; j++)
        if (!(Math.abs(m[i * n + j]!) <= Math.abs(m[row * n + column]!))) [row, column] = [i, j];
    const pivot = m[row * n + column]!;
    if (pivot === 0) return;
    product *= (row === step ? pivot : -pivot) * (column === step ? 1 : -1);
    exchange(m, n, row, step);
    exchange(y, n, row, step);
    if (column !== step) {
      for (let i = 0; i < n; i++) {
        const kept = m[i * n + step]!;
        m[i * n + step] = m[i * n + column]!;
        m[i * n + column] = kept;
      }
      const kept = columns[step]!;
      columns[step] = columns[column]!;
      columns[column] = kept;
    }
    for (let i = step + 1; i < n; i++) {
      const factor = m[i * n + step]! / pivot;
      for (let j = step; j < n; j++) m[i * n + j]! -= factor * m[step * n + j]!;
      for (let j = 0; j < n; j++) y[i * n + j]! -= factor * y[step * n + j]!;
    }
  }
  const last = n - 1;
  for (let j = 0; j < n; j++) {
    x[last] = y[last * n + j]!;
    for (let i = last - 1; i >= 0; i--) {
      let rest = m[last * n + last]! * y[i * n + j]! - m[i * n + last]! * x[last]!;
      for (let k = i + 1; k < last; k++) rest -= m[i * n + k]! * x[k]!;
      x[i] = rest / m[i * n + i]!;
    }
    for (let i = 0; i < n; i++) out[j * n + columns[i]!] = product * x[i]!;
  }
}

const detOp: Op = determinant(
  "det",
  fromTriangles((diagonal, sign) => (sign === 0 ? 0 : diagonal.reduce((product, x) => product * x, sign))),
  pushed((t, out) => sum(mul(apply(cofactorOp, [out.inputs[0]!]), t), [-2, -1])),
);

/** The sign of a determinant, NaN if the matrix is. */
const signOp: Op = determinant(
  "signOfDet",
  fromTriangles((diagonal, sign) => diagonal.reduce((product, x) => product * Math.sign(x), sign)),
  zero,
);

const logAbsOp: Op = determinant(
  "logAbsDet",
  (a, n, out) => {
    const { diagonals, signs } = triangles(a, n, out.length);
    const sizes = diagonals.map(Math.abs);
    const logs = new Float64Array(sizes.length);
    machineOfOne(log, "float64").run([sizes], sizes.length, logs);
    signs.forEach((sign, batch) => {
      const own = logs.subarray(batch * n, batch * n + n);
      out[batch] = sign === 0 ? -Infinity : own.reduce((total, x) => total + x, 0);
    });
  },
  pushed((t, out) => relative(out.inputs[0]!, t)),
);

/**
 * The determinants of square matrices `a` [..., n, n]. Computed in float64. Throws ShapeError if they are not square.
 * Derivatives are made of cofactors and exact to any order for singular matrices too; one of second order costs n times as
 * much as one of first.
 *
 * @example
 * ```ts
 * import { det, grad, tensor } from "@cotangent/autograd";
 * const a = tensor([[1, 2], [2, 4]]);
 * grad(det(a), [a])[0].toArray(); // => [ [ 4, -2 ], [ -2, 1 ] ]
 * ```
 */
export const det: Operation<[]> = declare(
  "det",
  (a: Tensor) => apply(detOp, [squareOfFloats("det", a)]),
  detOp,
  regulars,
);

/**
 * The signs of the determinants of square matrices `a` [..., n, n] (0 if singular), and the logarithms of their absolute
 * values (-inf if singular), which do not overflow. Throws ShapeError if they are not square. Where a matrix is singular its
 * derivative is NaN, or 0 if the cotangent is.
 *
 * @example
 * ```ts
 * import { slogdet, tensor } from "@cotangent/autograd";
 * const { sign, logabsdet } = slogdet(tensor([[0, 1], [1, 0]]));
 * sign.item(); // => -1
 * logabsdet.item(); // => 0
 * ```
 */
export const slogdet: Operation<[], { readonly sign: Tensor; readonly logabsdet: Tensor }> = declare(
  "slogdet",
  (a: Tensor) => {
    const x = squareOfFloats("slogdet", a);
    return { sign: apply(signOp, [x]), logabsdet: apply(logAbsOp, [x]) };
  },
  logAbsOp,
  regulars,
);

/**
 * The logarithms of the determinants of square matrices `a` [..., n, n], which do not overflow: -inf if singular, NaN if negative.
 * Throws ShapeError if they are not square. Where a matrix is singular its derivative is that of `slogdet`, and 0 where the
 * determinant is negative.
 *
 * @example
 * ```ts
 * import { logdet, tensor } from "@cotangent/autograd";
 * logdet(tensor([[1, 0], [0, 1]])).item(); // => 0
 * logdet(tensor([[0, 1], [1, 0]])).item(); // => NaN
 * ```
 */
export const logdet: Operation<[]> = composed(
  "logdet",
  (a: Tensor) => {
    const x = squareOfFloats("logdet", a);
    return where(lt(apply(signOp, [x]), 0), Number.NaN, apply(logAbsOp, [x]));
  },
  regulars,
);
