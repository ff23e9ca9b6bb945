import { ShapeError, ValueError } from "../errors.ts";
import type { Tensor } from "../graph.ts";
import { apply } from "../graph.ts";
import { optionsOf } from "../options.ts";
import { broadcastsTo, formatShape, listOf, normalizeAxis } from "../shape.ts";
import type { Operation, Outer } from "../signature.ts";
import { biased } from "./affine.ts";
import { einsumOp, numbers } from "./contraction.ts";
import { contracted } from "./einsum.ts";
import { reshape } from "./movement.ts";
import { add, mul } from "./pointwise.ts";
import { composed, ofRank } from "./sample.ts";

/** Products of vectors, matrices and higher tensors, all by one contraction at a time. */

/** The inner product of two vectors of one length. Throws ShapeError for anything else. */
export const dot: Operation<[y: Tensor]> = composed(
  "dot",
  (x: Tensor, y: Tensor) => contracted("dot", "i,i->", [x, y]),
  (draw) => {
    const n = draw.integer(1, 4);
    return [draw.tensor([n]), draw.tensor([n])];
  },
);

/** A matrix `[n, m]` times a vector `[m]`. Throws ShapeError for anything else. */
export const mv: Operation<[y: Tensor]> = composed(
  "mv",
  (x: Tensor, y: Tensor) => contracted("mv", "ij,j->i", [x, y]),
  (draw) => {
    const n = draw.integer(1, 4);
    return [draw.tensor([draw.integer(1, 4), n]), draw.tensor([n])];
  },
);

/** Products of matrices in pairs: `[b, n, k]` and `[b, k, m]` give `[b, n, m]`. Throws ShapeError for anything else. */
export const bmm: Operation<[y: Tensor]> = composed(
  "bmm",
  (x: Tensor, y: Tensor) => contracted("bmm", "bij,bjk->bik", [x, y]),
  (draw) => {
    const [b, k] = [draw.integer(1, 3), draw.integer(1, 4)];
    return [draw.tensor([b, draw.integer(1, 3), k]), draw.tensor([b, k, draw.integer(1, 3)])];
  },
);

/** All products of an element of `x` and one of `y`: the axes of `x`, then those of `y`. */
export const outer: Outer = composed(
  "outer",
  (x: Tensor, y: Tensor) => {
    const [a, b] = numbers("outer", [x, y]) as [Tensor, Tensor];
    const left = a.shape.map((_, i) => String.fromCharCode(0x61 + i)).join("");
    const right = b.shape.map((_, i) => String.fromCharCode(0x3b1 + i)).join("");
    return apply(einsumOp, [a, b], { spec: `${left},${right}->${left}${right}` });
  },
  ofRank(0, 2, (draw) => [draw.tensor(draw.shape(0, 2))]),
);

/**
 * `sum over i, j of x1[..., i] * weight[o, i, j] * x2[..., j]`, plus `bias` [o]. Throws ShapeError if they do not fit.
 */
export const bilinear: Operation<[y: Tensor, weight: Tensor, bias?: Tensor]> = composed(
  "bilinear",
  (x: Tensor, y: Tensor, weight: Tensor, bias?: Tensor) =>
    biased("bilinear", contracted("bilinear", "...i,...j,oij->...o", [x, y, weight]), bias),
  (draw) => {
    const [n, k, m] = [draw.integer(1, 3), draw.integer(1, 3), draw.integer(1, 3)];
    const batch = draw.shape(0, 1);
    return [
      draw.tensor([...batch, n]),
      draw.tensor([...batch, k]),
      draw.tensor([m, n, k]),
      ...(draw.coin() ? [] : [draw.tensor([m])]),
    ];
  },
);

type Factors = {
  /** What `x` is multiplied by, 1 unless given. */
  readonly beta?: number | undefined;
  /** What the product is multiplied by, 1 unless given. */
  readonly alpha?: number | undefined;
};

/** `beta * x + alpha * (a @ b)` with `x` broadcast to the product. With a `beta` of 0 `x` is not used. */
export const addmm: Operation<[a: Tensor, b: Tensor, options?: Factors]> = composed(
  "addmm",
  (x: Tensor, a: Tensor, b: Tensor, options?: Factors) => {
    const { beta = 1, alpha = 1 } = optionsOf("addmm", options, { beta: true, alpha: true });
    const [own, left, right] = numbers("addmm", [x, a, b]) as [Tensor, Tensor, Tensor];
    const product = contracted("addmm", "ij,jk->ik", [left, right]);
    if (!broadcastsTo(own.shape, product.shape))
      throw new ShapeError(
        `addmm: shape ${formatShape(own.shape)} does not broadcast to ${formatShape(product.shape)}, the product's`,
      );
    const scaled = alpha === 1 ? product : mul(alpha, product);
    if (beta === 0) return scaled;
    return add(beta === 1 ? own : mul(beta, own), scaled);
  },
  (draw) => {
    const [n, k, m] = [draw.integer(1, 3), draw.integer(1, 3), draw.integer(1, 3)];
    return [draw.tensor([n, m]), draw.tensor([n, k]), draw.tensor([k, m]), { beta: 0.5, alpha: 2 }];
  },
);

/**
 * Sums of products over axes of both operands: `axes` are the lists of those of `a` and of `b`, or a number that says how
 * many of the last of `a` meet the first of `b`. Throws ShapeError if their sizes differ.
 */
export const tensordot: Operation<
  [b: Tensor, axes: number | readonly [readonly number[], readonly number[]]]
> = composed(
  "tensordot",
  (a: Tensor, b: Tensor, axes: number | readonly [readonly number[], readonly number[]]) => {
    const [x, y] = numbers("tensordot", [a, b]) as [Tensor, Tensor];
    if (
      typeof axes === "number" &&
      !(Number.isInteger(axes) && axes >= 0 && axes <= Math.min(x.rank, y.rank))
    )
      throw new ValueError(
        `tensordot: ${axes} axes of shapes ${formatShape(x.shape)} and ${formatShape(y.shape)}`,
      );
    const lists =
      typeof axes === "number"
        ? [
            Array.from({ length: axes }, (_, i) => x.rank - axes + i),
            Array.from({ length: axes }, (_, i) => i),
          ]
        : axes;
    const left = listOf("tensordot", lists[0] ?? []).map((axis) => normalizeAxis("tensordot", axis, x.shape));
    const right = listOf("tensordot", lists[1] ?? []).map((axis) =>
      normalizeAxis("tensordot", axis, y.shape),
    );
    if (
      left.length !== right.length ||
      new Set(left).size < left.length ||
      new Set(right).size < right.length
    )
      throw new ValueError("tensordot: axes are two lists; name each axis once, and as many of both");
    const letters = x.shape.map((_, i) => String.fromCharCode(0x61 + i));
    const others = y.shape.map((_, i) => {
      const at = right.indexOf(i);
      return at < 0 ? String.fromCharCode(0x41 + i) : letters[left[at]!]!;
    });
    const out = [...letters, ...others].filter(
      (letter, _, all) => all.filter((c) => c === letter).length === 1,
    );
    return contracted("tensordot", `${letters.join("")},${others.join("")}->${out.join("")}`, [x, y]);
  },
  (draw) => {
    const shared = draw.shape(0, 2);
    const count = shared.length;
    return [
      draw.tensor([...draw.shape(0, 1), ...shared]),
      draw.tensor([...shared, ...draw.shape(0, 1)]),
      count,
    ];
  },
);

/**
 * The Kronecker product: every element of `a` times the whole of `b`, in blocks. The one with fewer axes gets axes of
 * size 1 in front.
 */
export const kron: Operation<[b: Tensor]> = composed(
  "kron",
  (a: Tensor, b: Tensor) => {
    const [x, y] = numbers("kron", [a, b]) as [Tensor, Tensor];
    const rank = Math.max(x.rank, y.rank);
    const full = (z: Tensor) => [...new Array<number>(rank - z.rank).fill(1), ...z.shape];
    const [left, right] = [full(x), full(y)];
    const blocks = mul(
      reshape(
        x,
        left.flatMap((size) => [size, 1]),
      ),
      reshape(
        y,
        right.flatMap((size) => [1, size]),
      ),
    );
    return reshape(
      blocks,
      left.map((size, i) => size * right[i]!),
    );
  },
  ofRank(0, 2, (draw) => [draw.tensor(draw.shape(0, 2))]),
);
