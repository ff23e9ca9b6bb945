import { GradientError } from "../../errors.ts";
import type { Op, Tensor } from "../../graph.ts";
import { apply, pushed } from "../../graph.ts";
import { optionsOf } from "../../options.ts";
import type { Shape } from "../../shape.ts";
import { sizeOf } from "../../shape.ts";
import type { Operation } from "../../signature.ts";
import { eq } from "../comparison.ts";
import { matmul } from "../contraction.ts";
import { diagonal } from "../diagonal.ts";
import { cat } from "../join.ts";
import { eye } from "../leaf.ts";
import { transpose, unsqueeze } from "../movement.ts";
import { add, chain, div, mul, sub, where } from "../pointwise.ts";
import type { Draw, Samples } from "../sample.ts";
import { composed, declare, kinked } from "../sample.ts";
import { complete, eigen, fromColumns, orientation, rowsOf, singular, transposed, turned } from "./eigen.ts";
import {
  factorizeEach,
  matricesOfFloats,
  packed,
  regularMatrices,
  squareOfFloats,
  symmetricPart,
  unpacked,
} from "./factorization.ts";

/** Eigenvalues and singular values, and what is made of them. By rotations (`eigen.ts`). */

/** 1 over `gaps`, whose diagonal is 0 and stays so. */
function inverseGaps(gaps: Tensor): Tensor {
  const same = eq(eye(gaps.shape[gaps.rank - 1]!), 1);
  return where(same, 0, div(1, where(same, 1, gaps)));
}

/** Eigenvalues and eigenvectors of the symmetric parts of matrices end to end. */
const eighOp: Op = {
  name: "eigh",
  kernel: { kind: "opaque", run: ([a], out) => factorizeEach(a!, out, eigen) },
  // Products with the gaps are chains: what is 0 stays 0 where eigenvalues are equal.
  derivatives: [
    pushed((t, out) => {
      const [values, vectors] = eigenparts(out);
      const inside = matmul(transpose(vectors), matmul(symmetricPart(t), vectors));
      const gaps = sub(unsqueeze(values, -2), unsqueeze(values, -1));
      const turn = chain(inside, inverseGaps(gaps));
      return packed([diagonal(inside), matmul(vectors, turn)], out.rank - 1);
    }),
  ],
  shape: ([a]) => [...a!.shape.slice(0, -2), a!.shape[a!.rank - 1]! * (a!.shape[a!.rank - 1]! + 1)],
  dtype: ([a]) => a!.dtype,
};

function eigenparts(x: Tensor): readonly [Tensor, Tensor] {
  const n = x.inputs[0]!.shape[x.inputs[0]!.rank - 1]!;
  return unpacked(x, [[n], [n, n]]) as [Tensor, Tensor];
}

/** Samples of matrices whose eigenvalues and singular values keep apart. */
export const apart = (draw: Draw, rows: number, columns: number): Tensor =>
  regularMatrices(draw, [...draw.shape(0, 1), rows, columns], 2);

const squares: Samples = (draw) => {
  const n = draw.integer(1, 3);
  return [apart(draw, n, n)];
};

/**
 * The eigenvalues of symmetric matrices `a` [..., n, n], ascending, and their eigenvectors as columns; of a matrix that is not
 * symmetric the symmetric part `(a + a^T) / 2` is taken, where PyTorch reads the lower triangle. So gradients are symmetric. Of
 * each eigenvector the first of the largest elements is positive. Computed in float64. Throws ShapeError if they are not square.
 *
 * @kink Where eigenvalues are equal, their eigenvectors are not differentiable: infinities or NaN.
 *
 * @example
 * ```ts
 * import { eigh, tensor } from "@cotangent/autograd";
 * const { eigenvalues, eigenvectors } = eigh(tensor([[3, 0], [0, 2]]));
 * eigenvalues.toArray(); // => 2,3
 * eigenvectors.toArray(); // => [ [ 0, 1 ], [ 1, 0 ] ]
 * ```
 */
export const eigh: Operation<[], { readonly eigenvalues: Tensor; readonly eigenvectors: Tensor }> = declare(
  "eigh",
  (a: Tensor) => {
    const [eigenvalues, eigenvectors] = eigenparts(apply(eighOp, [squareOfFloats("eigh", a)]));
    return { eigenvalues, eigenvectors };
  },
  eighOp,
  squares,
  kinked,
);

/** U, the singular values and V transposed end to end. */
const svdOp: Op = {
  name: "svd",
  kernel: {
    kind: "opaque",
    run: ([a], out) =>
      factorizeEach(a!, out, (m, rows, columns) => {
        const { u, s, v } = singular(m, rows, columns);
        const left = u.map((x) => turned(x, orientation(x)));
        const right = v.map((x, i) => turned(x, orientation(u[i]!)));
        const rowsOfV = new Float64Array(v.length * columns);
        right.forEach((x, i) => {
          rowsOfV.set(x, i * columns);
        });
        return [fromColumns(left, rows), Float64Array.from(s), rowsOfV];
      }),
  },
  derivatives: [
    pushed((t, out) => {
      const [u, s, vh] = singularParts(out);
      const [rows, columns] = out.inputs[0]!.shape.slice(-2) as [number, number];
      const v = transpose(vh);
      const inside = matmul(transpose(u), matmul(t, v));
      const mirrored = transpose(inside);
      const [across, down] = [unsqueeze(s, -2), unsqueeze(s, -1)];
      const gaps = inverseGaps(mul(sub(across, down), add(across, down)));
      let du = matmul(u, chain(add(mul(inside, across), mul(down, mirrored)), gaps));
      let dv = matmul(v, chain(add(mul(down, inside), mul(mirrored, across)), gaps));
      const inverse = div(1, across);
      if (rows > columns) du = add(du, chain(sub(matmul(t, v), matmul(u, inside)), inverse));
      if (columns > rows) dv = add(dv, chain(sub(matmul(transpose(t), u), matmul(v, mirrored)), inverse));
      return packed([du, diagonal(inside), transpose(dv)], out.rank - 1);
    }),
  ],
  shape: ([a]) => [
    ...a!.shape.slice(0, -2),
    singularShapes(a!.shape).reduce((total, shape) => total + sizeOf(shape), 0),
  ],
  dtype: ([a]) => a!.dtype,
};

function singularShapes(shape: Shape): readonly Shape[] {
  const [rows, columns] = shape.slice(-2) as [number, number];
  const inner = Math.min(rows, columns);
  return [[rows, inner], [inner], [inner, columns]];
}

function singularParts(x: Tensor): readonly [Tensor, Tensor, Tensor] {
  return unpacked(x, singularShapes(x.inputs[0]!.shape)) as [Tensor, Tensor, Tensor];
}

/** The columns that complete those of [..., m, k] to an orthonormal basis. */
const complementOp: Op = {
  name: "complement",
  kernel: {
    kind: "opaque",
    run: ([u], out) =>
      factorizeEach(u!, out, (m, rows, columns) => {
        const known = rowsOf(transposed(m, rows, columns), columns, rows);
        complete(known, rows, rows);
        return [fromColumns(known.slice(columns), rows)];
      }),
  },
  derivatives: [
    pushed(() => {
      throw new GradientError(
        "svd: what fills U or Vh up to a square has no derivative; take { fullMatrices: false }",
      );
    }),
  ],
  shape: ([u]) => {
    const [rows, columns] = u!.shape.slice(-2) as [number, number];
    return [...u!.shape.slice(0, -1), rows - columns];
  },
  dtype: ([u]) => u!.dtype,
};

function filledUp(u: Tensor): Tensor {
  const full = u.shape[u.rank - 1] === u.shape[u.rank - 2];
  return full ? u : cat([u, apply(complementOp, [u])], -1);
}

/**
 * `U`, the singular values `S`, descending, and `Vh`, whose product `U diag(S) Vh` is `a` [..., m, n]. `U` [..., m, m] and `Vh`
 * [..., n, n] are orthogonal; with `fullMatrices` false they are cut to the k singular values, [..., m, k] and [..., k, n], and
 * only these have derivatives. Of each column of `U` the first of the largest elements is positive. Computed in float64.
 * Throws ShapeError unless `a` has two axes; asking for the derivative of what was filled up throws GradientError.
 *
 * @kink Where singular values are equal or 0, their vectors are not differentiable: infinities or NaN.
 *
 * @example
 * ```ts
 * import { svd, tensor } from "@cotangent/autograd";
 * const { U, S, Vh } = svd(tensor([[0, -2], [3, 0]]), { fullMatrices: false });
 * S.toArray(); // => 3,2
 * U.toArray(); // => [ [ 0, 1 ], [ 1, 0 ] ]
 * Vh.toArray(); // => [ [ 1, 0 ], [ 0, -1 ] ]
 * ```
 */
export const svd: Operation<
  [options?: { readonly fullMatrices?: boolean | undefined }],
  { readonly U: Tensor; readonly S: Tensor; readonly Vh: Tensor }
> = declare(
  "svd",
  (a: Tensor, options?: { readonly fullMatrices?: boolean | undefined }) => {
    const { fullMatrices = true } = optionsOf("svd", options, { fullMatrices: "boolean" });
    const [U, S, Vh] = singularParts(apply(svdOp, [matricesOfFloats("svd", a)]));
    if (!fullMatrices) return { U, S, Vh };
    return { U: filledUp(U), S, Vh: transpose(filledUp(transpose(Vh))) };
  },
  svdOp,
  (draw) => {
    const [rows, columns] = [draw.integer(1, 3), draw.integer(1, 3)];
    return [apart(draw, rows, columns), { fullMatrices: rows === columns && draw.coin() }];
  },
  kinked,
);

/**
 * The eigenvalues of symmetric matrices `a` [..., n, n], ascending, as `eigh` gives them: of the symmetric part of others. Throws
 * ShapeError if they are not square.
 *
 * @kink Where eigenvalues are equal, each has the derivative of the vector that `eigh` gives beside it.
 *
 * @example
 * ```ts
 * import { eigvalsh, tensor } from "@cotangent/autograd";
 * eigvalsh(tensor([[3, 0], [0, 2]])).toArray(); // => 2,3
 * ```
 */
export const eigvalsh: Operation<[]> = composed(
  "eigvalsh",
  (a: Tensor) => eigenparts(apply(eighOp, [squareOfFloats("eigvalsh", a)]))[0],
  squares,
  kinked,
);

/**
 * The singular values of matrices `a` [..., m, n], descending, as `svd` gives them. Throws ShapeError unless `a` has two axes.
 *
 * @kink Where singular values are equal or 0, each has the derivative of the vectors that `svd` gives beside it.
 *
 * @example
 * ```ts
 * import { svdvals, tensor } from "@cotangent/autograd";
 * svdvals(tensor([[0, -2], [3, 0]])).toArray(); // => 3,2
 * ```
 */
export const svdvals: Operation<[]> = composed(
  "svdvals",
  (a: Tensor) => singularParts(apply(svdOp, [matricesOfFloats("svdvals", a)]))[1],
  (draw) => [apart(draw, draw.integer(1, 3), draw.integer(1, 3))],
  kinked,
);
