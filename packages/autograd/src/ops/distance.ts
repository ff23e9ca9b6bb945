import { isFloat, promote, refuseBool } from "../dtype.ts";
import { ShapeError, ValueError } from "../errors.ts";
import type { Tensor } from "../graph.ts";
import { optionsOf } from "../options.ts";
import { broadcastShapes, formatShape, normalizeAxis } from "../shape.ts";
import type { Operand, Operation, UnaryWith } from "../signature.ts";
import { clamp } from "./bounds.ts";
import { cast } from "./cast.ts";
import { eq, le, logicalAnd, logicalOr, lt, ne } from "./comparison.ts";
import { rooted } from "./elementary.ts";
import { floated, operand } from "./elementwise.ts";
import { cat } from "./join.ts";
import { fill } from "./leaf.ts";
import { broadcastTo, sum, unsqueeze } from "./movement.ts";
import { abs, add, div, maximum, mul, sqrt, square, sub } from "./pointwise.ts";
import { slice } from "./region.ts";
import type { Draw } from "./sample.ts";
import { composed, kinked } from "./sample.ts";
import { norm } from "./statistics.ts";

/** Products, distances and directions of vectors. */

/** Two tensors of numbers in one dtype. */
function pair(name: string, x: Tensor, y: Tensor, floats: boolean): readonly [Tensor, Tensor] {
  const [a, b] = [operand(name, x, "float32"), operand(name, y, "float32")];
  for (const { dtype } of [a, b]) refuseBool(name, dtype, "float32");
  const common = promote(a.dtype, b.dtype);
  const dtype = floats && !isFloat(common) ? "float32" : common;
  return [cast(a, dtype), cast(b, dtype)];
}

type Along = {
  readonly axis?: number | undefined;
};

/**
 * The cross products of the vectors of 3 elements along `axis`, the last unless given, of two tensors that broadcast together:
 * orthogonal to both. Throws ShapeError unless that axis has size 3 in both.
 *
 * @example
 * ```ts
 * import { cross, tensor } from "@cotangent/autograd";
 * cross(tensor([1, 0, 0]), tensor([0, 1, 0])).toArray(); // => 0,0,1
 * ```
 */
export const cross: Operation<[y: Tensor, options?: Along]> = composed(
  "cross",
  (x: Tensor, y: Tensor, options?: Along) => {
    const { axis = -1 } = optionsOf("cross", options, { axis: true });
    const [a, b] = pair("cross", x, y, false);
    const shape = broadcastShapes("cross", a.shape, b.shape);
    const along = normalizeAxis("cross", axis, shape);
    const size = (of: Tensor) => of.shape[along - shape.length + of.rank];
    if (size(a) !== 3 || size(b) !== 3)
      throw new ShapeError(
        `cross: shapes ${formatShape(a.shape)} and ${formatShape(b.shape)} along axis ${axis}; vectors there need 3 elements`,
      );
    const turned = (of: Tensor, by: number) =>
      cat([slice(of, by, 3, { axis: along }), slice(of, 0, by, { axis: along })], along);
    const [left, right] = [broadcastTo(a, shape), broadcastTo(b, shape)];
    return sub(mul(turned(left, 1), turned(right, 2)), mul(turned(left, 2), turned(right, 1)));
  },
  (draw) => {
    const shape = draw.shape(0, 2);
    const place = draw.integer(0, shape.length);
    const full = [...shape.slice(0, place), 3, ...shape.slice(place)];
    const other = draw.coin() ? full.slice(draw.integer(0, place)) : full;
    return [draw.tensor(full), draw.tensor(other), { axis: place - full.length }];
  },
);

/**
 * The distances [..., m, n] of each of the points `x` [..., m, k] to each of the points `y` [..., n, k]: the p-norms of their
 * differences, p 2 unless given, also 0 (how many elements differ) or Infinity. Batch axes broadcast. For p = 2 distances whose
 * square is too large or too small for the dtype are infinite or 0, as in PyTorch. Throws ShapeError if the shapes do not fit,
 * ValueError if `p` is negative or NaN.
 *
 * @kink Where two points are equal the derivative is 0; for p = Infinity the largest differences share the gradient equally.
 *
 * @example
 * ```ts
 * import { cdist, tensor } from "@cotangent/autograd";
 * cdist(tensor([[0, 0], [3, 0]]), tensor([[0, 4]])).toArray(); // => [ [ 4 ], [ 5 ] ]
 * ```
 */
export const cdist: Operation<[y: Tensor, options?: { readonly p?: number | undefined }]> = composed(
  "cdist",
  (x: Tensor, y: Tensor, options?: { readonly p?: number | undefined }) => {
    const { p = 2 } = optionsOf("cdist", options, { p: true });
    if (!(p >= 0)) throw new ValueError(`cdist: p is ${p}; give a number of at least 0, or Infinity`);
    const [a, b] = pair("cdist", x, y, true);
    const size = a.shape[a.rank - 1];
    if (a.rank < 2 || b.rank < 2 || size !== b.shape[b.rank - 1])
      throw new ShapeError(
        `cdist: shapes ${formatShape(a.shape)} and ${formatShape(b.shape)}; both need two axes, the last of one size`,
      );
    const batch = broadcastShapes("cdist", a.shape.slice(0, -2), b.shape.slice(0, -2));
    if (size === 0) return fill(0, [...batch, a.shape[a.rank - 2]!, b.shape[b.rank - 2]!], a.dtype);
    const away = sub(unsqueeze(a, -2), unsqueeze(b, -3));
    // `norm` would first look for the largest of each row of differences, which takes several times as long.
    return p === 2 ? rooted(sum(square(away), -1), sqrt) : norm(away, -1, { p });
  },
  (draw) => {
    const [m, n, k] = [draw.integer(1, 3), draw.integer(1, 3), draw.integer(1, 3)];
    const p = [2, 1, 3, 1.5, Infinity][draw.integer(0, 4)]!;
    return [steps(draw, [...draw.shape(0, 1), m, k], 0), steps(draw, [n, k], 4), { p }];
  },
  kinked,
);

/** Points whose elements lie near `from`, farther apart from one column to the next. */
function steps(draw: Draw, shape: readonly number[], from: number): Tensor {
  const columns = Array.from({ length: shape[shape.length - 1]! }, (_, i) => i);
  const parts = columns.map((i) =>
    draw.tensor([...shape.slice(0, -1), 1], { low: from * (i + 1), high: from * (i + 1) + 1.5 }),
  );
  return cat(parts, -1);
}

type Tolerance = {
  readonly rtol?: number | undefined;
  readonly atol?: number | undefined;
  readonly equalNan?: boolean | undefined;
};

/**
 * Is `x` within `atol + rtol * |y|` of `y`, element by element? `rtol` is 1e-5 and `atol` 1e-8 unless given. Infinities are close
 * to themselves, NaN to nothing, or with `equalNan` to NaN. Integers and bool count as float64. Throws ValueError unless the
 * tolerances are at least 0.
 *
 * @kink A jump: the derivative is 0.
 *
 * @example
 * ```ts
 * import { isclose, tensor } from "@cotangent/autograd";
 * isclose(tensor([1, 2]), tensor([1.000001, 2.1])).toArray(); // => true,false
 * ```
 */
export const isclose: Operation<[y: Operand, options?: Tolerance]> = composed(
  "isclose",
  (x: Tensor, y: Operand, options?: Tolerance) => {
    const known = { rtol: true, atol: true, equalNan: "boolean" } as const;
    const { rtol = 1e-5, atol = 1e-8, equalNan = false } = optionsOf("isclose", options, known);
    if (!(rtol >= 0 && atol >= 0))
      throw new ValueError(`isclose: rtol is ${rtol} and atol ${atol}; give numbers of at least 0`);
    const [a, b] = [x, y].map((z) => wide(operand("isclose", z, "float32"))) as [Tensor, Tensor];
    broadcastShapes("isclose", a.shape, b.shape);
    const away = abs(sub(a, b));
    const near = logicalAnd(lt(away, Infinity), le(away, add(mul(abs(b), rtol), atol)));
    const close = logicalOr(eq(a, b), near);
    return equalNan ? logicalOr(close, logicalAnd(ne(a, a), ne(b, b))) : close;
  },
  (draw) => {
    const x = draw.tensor(draw.shape(), { low: 0.5, high: 2 });
    return [
      x,
      draw.coin() ? mul(x, 1 + 2e-5) : x,
      { rtol: draw.coin() ? 1e-3 : 1e-6, equalNan: draw.coin() },
    ];
  },
  kinked,
);

const wide = (x: Tensor): Tensor => (isFloat(x.dtype) ? x : cast(x, "float64"));

/**
 * The cosines of the angles between the vectors along `axis` (1 unless given) of two tensors that broadcast together, without
 * that axis: their inner products divided by the product of their lengths, each at least `eps` (1e-8 unless given).
 * Throws ShapeError if the shapes do not fit, ValueError if `eps` is negative or NaN.
 *
 * @kink Where a vector is 0, and below `eps`, its length counts as constant.
 *
 * @example
 * ```ts
 * import { cosineSimilarity, tensor } from "@cotangent/autograd";
 * cosineSimilarity(tensor([3, 4]), tensor([4, 3]), { axis: 0 }).item().toFixed(2); // => 0.96
 * ```
 */
export const cosineSimilarity: Operation<
  [y: Tensor, options?: Along & { readonly eps?: number | undefined }]
> = composed(
  "cosineSimilarity",
  (x: Tensor, y: Tensor, options?: Along & { readonly eps?: number | undefined }) => {
    const { axis = 1, eps = 1e-8 } = optionsOf("cosineSimilarity", options, { axis: true, eps: true });
    if (!(eps >= 0)) throw new ValueError(`cosineSimilarity: eps is ${eps}; give a number of at least 0`);
    const [a, b] = pair("cosineSimilarity", x, y, true);
    const shape = broadcastShapes("cosineSimilarity", a.shape, b.shape);
    const along = normalizeAxis("cosineSimilarity", axis, shape);
    const unit = (of: Tensor) => {
      const full = broadcastTo(of, shape);
      return div(full, maximum(norm(full, along, { keepDims: true }), eps));
    };
    return sum(mul(unit(a), unit(b)), along);
  },
  (draw) => {
    const shape = draw.shape(1);
    const away = { low: 0.3, high: 2 };
    return [draw.tensor(shape, away), draw.tensor(shape), { axis: draw.axis(shape) }];
  },
  kinked,
);

type Lengths = Along & {
  /** Which norm is the length; 2 unless given. */
  readonly p?: number | undefined;
  /** What is divided by at least; 1e-12 unless given. */
  readonly eps?: number | undefined;
};

/**
 * `x` divided by the p-norms of its vectors along `axis` (1 unless given, the features behind a batch, as for `cosineSimilarity`), each
 * at least `eps`: vectors of length 1. Integers become float32. Throws ShapeError for an axis that `x` does not have, ValueError if
 * `p` is no number or `eps` negative or NaN, DTypeError for bool.
 *
 * @kink Where a vector is 0, and below `eps`, its length counts as constant; for p = Infinity the largest magnitudes share the gradient.
 *
 * @example
 * ```ts
 * import { normalize, tensor } from "@cotangent/autograd";
 * normalize(tensor([[3, 4], [0, 0]])); // => Tensor([[0.6, 0.8], [0.0, 0.0]], float32)
 * normalize(tensor([1, 3]), { p: 1, axis: 0 }).toArray(); // => 0.25,0.75
 * ```
 */
export const normalize: UnaryWith<[options?: Lengths]> = composed(
  "normalize",
  ((x: Tensor, options?: Lengths) => {
    const {
      p = 2,
      axis = 1,
      eps = 1e-12,
    } = optionsOf("normalize", options, { p: true, axis: true, eps: true });
    if (!(eps >= 0)) throw new ValueError(`normalize: eps is ${eps}; give a number of at least 0`);
    if (typeof p !== "number" || Number.isNaN(p))
      throw new ValueError(`normalize: p is ${String(p)}; give a number, Infinity or -Infinity`);
    const a = floated("normalize", x);
    const along = normalizeAxis("normalize", axis, a.shape);
    if (a.size === 0) return a;
    return div(a, clamp(norm(a, along, { p, keepDims: true }), eps));
  }) as UnaryWith<[options?: Lengths]>,
  (draw) => {
    const shape = draw.shape(1);
    const p = [2, 1, 3, 1.5, Infinity][draw.integer(0, 4)]!;
    const x = p === Infinity ? add(draw.distinct(shape), 10) : draw.tensor(shape, { low: 0.3, high: 2 });
    return [x, { axis: draw.axis(shape), p }];
  },
  kinked,
);
