import { ShapeError, ValueError } from "../errors.ts";
import type { Tensor } from "../graph.ts";
import { formatShape } from "../shape.ts";
import type { Operation, UnaryWith } from "../signature.ts";
import { cast } from "./cast.ts";
import { le, lt } from "./comparison.ts";
import { fill, iota, zerosLike } from "./leaf.ts";
import { broadcastTo, reshape, sum } from "./movement.ts";
import { sub, where } from "./pointwise.ts";
import { composed } from "./sample.ts";

/** Diagonals and triangles of matrices. */

interface DiagonalOptions {
  /** Which diagonal bounds the triangle: 0 the main one (unless given), above it positive, below negative. */
  readonly diagonal?: number;
}

/** Column minus row, for each element of the matrices of `x`. */
function distance(name: string, x: Tensor, diagonal: number): Tensor {
  const [rows, columns] = x.shape.slice(-2);
  if (rows === undefined || columns === undefined)
    throw new ShapeError(`${name}: takes matrices, got shape ${formatShape(x.shape)}; it needs two axes`);
  if (!Number.isInteger(diagonal))
    throw new ValueError(`${name}: the diagonal is a whole number, got ${diagonal}`);
  const across = broadcastTo(iota([columns]), x.shape);
  return sub(across, broadcastTo(reshape(iota([rows]), [rows, 1]), x.shape));
}

/** The matrices of `x` [..., n, m] with zeros above the given diagonal. Throws ShapeError for less than two axes. */
export const tril: UnaryWith<[options?: DiagonalOptions]> = composed(
  "tril",
  ((x: Tensor, { diagonal = 0 }: DiagonalOptions = {}) =>
    where(le(distance("tril", x, diagonal), diagonal), x, zerosLike(x))) as UnaryWith<
    [options?: DiagonalOptions]
  >,
  (draw) => [draw.tensor(draw.shape(2)), { diagonal: draw.integer(-2, 2) }],
);

/** The matrices of `x` [..., n, m] with zeros below the given diagonal. Throws ShapeError for less than two axes. */
export const triu: UnaryWith<[options?: DiagonalOptions]> = composed(
  "triu",
  ((x: Tensor, { diagonal = 0 }: DiagonalOptions = {}) =>
    where(lt(distance("triu", x, diagonal), diagonal), zerosLike(x), x)) as UnaryWith<
    [options?: DiagonalOptions]
  >,
  (draw) => [draw.tensor(draw.shape(2)), { diagonal: draw.integer(-2, 2) }],
);

/** The sum of the main diagonal of a matrix [n, m]; bool counts as int32. Throws ShapeError unless `x` has two axes. */
export const trace: Operation<[], Tensor<[]>> = composed(
  "trace",
  (x: Tensor) => {
    if (x.rank !== 2)
      throw new ShapeError(
        `trace: takes a matrix, got shape ${formatShape(x.shape)}; for batches use einsum`,
      );
    const a = x.dtype === "bool" ? cast(x, "int32") : x.node;
    const off = distance("trace", a, 0);
    const zero = fill(0, a.shape, a.dtype);
    return sum(where(le(off, 0), where(lt(off, 0), zero, a), zero)) as Tensor<[]>;
  },
  (draw) => [draw.tensor(draw.shape(2, 2))],
);
