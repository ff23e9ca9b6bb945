import { ShapeError } from "../errors.ts";
import type { Tensor } from "../graph.ts";
import { apply } from "../graph.ts";
import { optionsOf } from "../options.ts";
import { checkShape, checkWhole, formatShape, stridesOf } from "../shape.ts";
import type { Operation, UnaryWith } from "../signature.ts";
import { pad } from "./border.ts";
import { ge, le } from "./comparison.ts";
import { fill, iota, zerosLike } from "./leaf.ts";
import { broadcastTo, reshape, sum } from "./movement.ts";
import { sub, where } from "./pointwise.ts";
import { slice } from "./region.ts";
import { composed, declare, ofRank } from "./sample.ts";
import { view } from "./view.ts";

/** Diagonals and triangles of matrices. */

type DiagonalOptions = {
  /** Which diagonal bounds the triangle: 0 the main one (unless given), above it positive, below negative. */
  readonly diagonal?: number | undefined;
};

type Triangle = UnaryWith<[options?: DiagonalOptions]>;

/** Throws ShapeError unless there are two axes. */
function checkMatrices(name: string, { rank, shape }: Tensor): void {
  if (rank < 2)
    throw new ShapeError(`${name}: takes matrices, got shape ${formatShape(shape)}; it needs two axes`);
}

/** The elements whose place, column minus row, is kept, and zeros. */
function triangle(name: string, kept: (places: Tensor, diagonal: number) => Tensor): Triangle {
  return composed<Triangle>(
    name,
    ((x: Tensor, options?: DiagonalOptions) => {
      const { diagonal = 0 } = optionsOf(name, options, { diagonal: true });
      checkMatrices(name, x);
      checkWhole(name, "the diagonal", diagonal);
      const [rows, columns] = x.shape.slice(-2) as [number, number];
      const across = broadcastTo(iota([columns]), x.shape);
      const places = sub(across, broadcastTo(reshape(iota([rows]), [rows, 1]), x.shape));
      return where(kept(places, diagonal), x, zerosLike(x));
    }) as Triangle,
    ofRank(2, 3, (draw) => [{ diagonal: draw.integer(-2, 2) }]),
  );
}

/** The matrices of `x` [..., n, m] with zeros above the given diagonal. Throws ShapeError for less than two axes. */
export const tril: Triangle = triangle("tril", (places, diagonal) => le(places, diagonal));

/** The matrices of `x` [..., n, m] with zeros below the given diagonal. Throws ShapeError for less than two axes. */
export const triu: Triangle = triangle("triu", (places, diagonal) => ge(places, diagonal));

/** The sum of the main diagonal of a matrix [n, m]; bool counts as int32. Throws ShapeError unless `x` has two axes. */
export const trace: Operation<[], Tensor<[]>> = composed(
  "trace",
  (x: Tensor) => {
    if (x.rank !== 2)
      throw new ShapeError(
        `trace: takes a matrix, got shape ${formatShape(x.shape)}; for batches use einsum`,
      );
    return sum(diagonal(x)) as Tensor<[]>;
  },
  (draw) => [draw.tensor(draw.shape(2, 2))],
);

type Widths = readonly [before: number, after: number];

/** `x` with zeros around its matrices. */
function framed(x: Tensor, rows: Widths, columns: Widths): Tensor {
  return pad(x, [...x.shape.slice(0, -2).map(() => [0, 0] as const), rows, columns]);
}

/** The last axis of `x` on the diagonal of square matrices: rows of one entry more than the matrix has lie one step apart. */
function embedded(x: Tensor): Tensor {
  const batch = x.shape.slice(0, -1);
  const n = x.shape[batch.length]!;
  const rows = framed(reshape(x, [...x.shape, 1]), [0, 0], [0, n]);
  const all = slice(reshape(rows, [...batch, n * (n + 1)]), 0, n * n, { axis: -1 });
  return reshape(all, [...batch, n, n]);
}

type Offset = {
  /** How far above the main diagonal (below if negative); 0 unless given. */
  readonly offset?: number | undefined;
};

/** The last axis of `x` on a diagonal of matrices that are just large enough. */
function laid(name: string, x: Tensor, offset: number): Tensor {
  const batch = x.shape.slice(0, -1);
  const size = x.shape[batch.length]! + Math.abs(offset);
  checkWhole(name, "the offset", offset);
  checkShape(name, [...batch, size, size + 1]);
  const [down, across] = [Math.max(0, -offset), Math.max(0, offset)];
  return framed(embedded(x), [down, across], [across, down]);
}

/**
 * The last axis of `x` [..., n] on the main diagonal, or `offset` above it, of matrices [..., n, n] (larger by the offset) of
 * zeros. Throws ShapeError if there is no axis, ValueError for an offset that is no whole number.
 *
 * @example
 * ```ts
 * import { diagEmbed, tensor } from "@cotangent/autograd";
 * diagEmbed(tensor([1, 2])).toArray(); // => [ [ 1, 0 ], [ 0, 2 ] ]
 * ```
 */
export const diagEmbed: Operation<[options?: Offset]> = composed(
  "diagEmbed",
  (x: Tensor, options?: Offset) => {
    const { offset = 0 } = optionsOf("diagEmbed", options, { offset: true });
    if (x.rank === 0)
      throw new ShapeError("diagEmbed: takes vectors, got shape []; it needs one axis, reshape it");
    return laid("diagEmbed", x, offset);
  },
  ofRank(1, 3, (draw) => [{ offset: draw.integer(-2, 2) }]),
);

/** The first row and column of a diagonal of matrices [rows, columns], and its length. */
function course(rows: number, columns: number, offset: number): readonly [number, number, number] {
  const [row, column] = [Math.max(0, -offset), Math.max(0, offset)];
  return [row, column, Math.max(0, Math.min(rows - row, columns - column))];
}

const diagonalOp = view<{ readonly offset: number }>({
  name: "diagonal",
  map: (shape, { offset }) => {
    const strides = stridesOf(shape);
    const [down, across] = [strides[shape.length - 2]!, strides[shape.length - 1]!];
    const [row, column] = course(shape[shape.length - 2]!, shape[shape.length - 1]!, offset);
    return {
      offset: row * down + column * across,
      strides: [...strides.slice(0, -2), down + across],
      bounds: null,
    };
  },
  shape: (shape, { offset }) => [
    ...shape.slice(0, -2),
    course(shape[shape.length - 2]!, shape[shape.length - 1]!, offset)[2],
  ],
  transpose: (g, shape, { offset }) => {
    const [rows, columns] = [shape[shape.length - 2]!, shape[shape.length - 1]!];
    const [row, column, length] = course(rows, columns, offset);
    if (length === 0) return fill(0, shape, g.dtype);
    return framed(embedded(g), [row, rows - row - length], [column, columns - column - length]);
  },
});

/**
 * A diagonal of the matrices of `x` [..., n, m] as the last axis: the main one, or `offset` above it (below if negative); empty
 * beyond the corners. Throws ShapeError for less than two axes, ValueError for an offset that is no whole number.
 *
 * @example
 * ```ts
 * import { diagonal, tensor } from "@cotangent/autograd";
 * diagonal(tensor([[1, 2], [3, 4]]), { offset: 1 }).toArray(); // => 2
 * ```
 */
export const diagonal: Operation<[options?: Offset]> = declare(
  "diagonal",
  (x: Tensor, options?: Offset) => {
    const { offset = 0 } = optionsOf("diagonal", options, { offset: true });
    checkMatrices("diagonal", x);
    checkWhole("diagonal", "the offset", offset);
    return apply(diagonalOp, [x.node], { offset });
  },
  diagonalOp,
  (draw) => {
    const shape = [...draw.shape(0, 1), draw.integer(1, 4), draw.integer(1, 4)];
    return [draw.tensor(shape), { offset: draw.integer(-3, 3) }];
  },
);

/**
 * The matrix with the vector `x` on its main diagonal, or `offset` above it, or that diagonal of a matrix. Throws ShapeError
 * for other shapes, ValueError for an offset that is no whole number.
 */
export const diag: Operation<[options?: Offset]> = composed(
  "diag",
  (x: Tensor, options?: Offset) => {
    const { offset = 0 } = optionsOf("diag", options, { offset: true });
    if (x.rank !== 1 && x.rank !== 2)
      throw new ShapeError(
        `diag: takes a vector or a matrix, got shape ${formatShape(x.shape)}; for batches use diagEmbed or diagonal`,
      );
    checkWhole("diag", "the offset", offset);
    return x.rank === 2 ? diagonal(x, { offset }) : laid("diag", x, offset);
  },
  ofRank(1, 2, (draw) => [{ offset: draw.integer(-2, 2) }]),
);
