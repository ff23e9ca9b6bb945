import { DTypeError, ShapeError, ValueError } from "./errors.ts";
import type { DrawOptions } from "./generator.ts";
import { draw } from "./generator.ts";
import { elementsOf, type Tensor } from "./graph.ts";
import { cast } from "./ops/cast.ts";
import { eq, le } from "./ops/comparison.ts";
import { softmax } from "./ops/composed.ts";
import { gumbelDraw, unitDraw } from "./ops/draws.ts";
import { floated } from "./ops/elementwise.ts";
import { movedim } from "./ops/layout.ts";
import { checkTensor, describe, iota } from "./ops/leaf.ts";
import { reshape, sum, unsqueeze } from "./ops/movement.ts";
import { add, div, exp, log, minimum, mul, sub } from "./ops/pointwise.ts";
import { amax, cumsum } from "./ops/reduction.ts";
import { slice } from "./ops/region.ts";
import { searchsorted } from "./ops/search.ts";
import { topk } from "./ops/sorting.ts";
import { argmax } from "./ops/statistics.ts";
import { checkNames, optionsOf } from "./options.ts";
import type { Shape } from "./shape.ts";
import { checkShape, checkWhole, formatShape, normalizeAxis, sizeOf } from "./shape.ts";
import type { SizesOf } from "./signature.ts";
import { straightThrough } from "./transform/custom.ts";

/**
 * Draws of classes by their weights. A class that may be drawn again is the one among whose running sums of weights a uniform draw falls.
 * Else, and with derivatives, it is the largest of the logits, each with a draw from Gumbel's distribution (Yellott, J. Math. Psychol.
 * 15, 1977); the next largest are further draws without those before (Kool, van Hoof and Welling 2019, https://arxiv.org/abs/1903.06059).
 */

type Source = Pick<DrawOptions, "generator">;

/** Noise of `shape` in float64. */
const noise = (name: string, shape: Shape, source: Source): Tensor =>
  draw(name, shape, { ...source, dtype: "float64" }, 1, gumbelDraw);

/** The number of classes. Throws DTypeError for bool, ShapeError where there are none. */
function classesOf(name: string, x: Tensor): number {
  if (x.dtype === "bool") throw new DTypeError(`${name}: takes no bool; cast to float32 first`);
  const classes = x.shape[x.rank - 1] ?? 0;
  if (classes === 0)
    throw new ShapeError(
      `${name}: shape ${formatShape(x.shape)} has no classes; they lie along the last axis`,
    );
  return classes;
}

/** Up to so many draws times classes all are compared, and for more the place is looked for. */
const mostComparisons = 2 ** 16;

/** `n` classes for each row of `weights` [..., classes], float64: int32 [..., n]. */
function drawn(name: string, weights: Tensor, n: number, source: Source): Tensor {
  const classes = weights.shape[weights.rank - 1]!;
  const sums = cumsum(weights, -1);
  const total = slice(sums, classes - 1, classes, { axis: -1 });
  const shape = [...weights.shape.slice(0, -1), n];
  // Always below the total, so that a class without weight is never the one whose sum is the first above it.
  const place = mul(draw(name, shape, { ...source, dtype: "float64" }, 1, unitDraw), total);
  const passed =
    sizeOf(shape) * classes <= mostComparisons
      ? sum(le(unsqueeze(sums, -2), unsqueeze(place, -1)), -1)
      : searchsorted(sums, place, { right: true });
  return minimum(passed, classes - 1);
}

/** What the classes of a categorical draw weigh: one of the two. */
export type ClassWeights =
  /** Logarithms of weights [..., classes], which may be off by any constant: what a classifier gives. */
  | { readonly logits: Tensor; readonly probabilities?: undefined }
  /** Weights [..., classes] of at least 0, which need not add up to 1. */
  | { readonly probabilities: Tensor; readonly logits?: undefined };

/**
 * Classes drawn by their weights, int32 from 0 up to but not including `classes`: `shape` draws for each row of `logits` or
 * `probabilities` [..., classes], so [...shape, ...]. Throws ShapeError where there are no classes, ValueError unless one of
 * the two is given and for negative probabilities that are known, DTypeError for bool. Rows of NaN or of zeros only have no
 * sensible draw.
 *
 * @example
 * ```ts
 * import { categorical, tensor } from "@cotangent/autograd";
 * categorical([3], { probabilities: tensor([0, 1, 0]) }).toArray(); // => 1,1,1
 * categorical([], { logits: tensor([[0, 50], [50, 0]]) }).toArray(); // => 1,0
 * ```
 */
export function categorical(shape: Shape, weights: ClassWeights & Source): Tensor {
  if (typeof weights !== "object" || weights === null)
    throw new ValueError(
      `categorical: takes { logits } or { probabilities } second, got ${describe(weights)}`,
    );
  const { logits, probabilities } = weights;
  const given = logits ?? probabilities;
  if (!given || (logits && probabilities))
    throw new ValueError("categorical: takes either logits or probabilities, and one of them");
  classesOf("categorical", given);
  if (probabilities && elementsOf(probabilities.node)?.some((p: number) => p < 0))
    throw new ValueError("categorical: there are negative probabilities; give logits, or at least 0");
  checkNames("categorical", weights, ["logits", "probabilities", "generator"]);
  checkShape("categorical", shape);
  const wide = cast(given, "float64");
  const heights = logits ? exp(sub(wide, amax(wide, -1, { keepDims: true }))) : wide;
  const found = drawn("categorical", heights, sizeOf(shape), weights);
  return reshape(movedim(found, -1, 0), [...shape, ...given.shape.slice(0, -1)]);
}

/** Throws ValueError unless the elements of `weights`, as far as they are known, are weights of `count` different classes or more. */
function checkWeights(weights: Tensor, classes: number, count: number): void {
  const known = elementsOf(weights.node);
  if (!known) return;
  for (let start = 0; start < known.length; start += classes) {
    const row = Array.from(known.subarray(start, start + classes));
    for (const weight of row)
      if (!(weight >= 0 && weight < Infinity))
        throw new ValueError(`multinomial: a weight is ${weight}; all are finite and at least 0`);
    const positive = row.filter((weight) => weight > 0).length;
    if (positive < count)
      throw new ValueError(
        `multinomial: ${positive} of ${classes} weights are above 0, and ${count} classes are to be drawn; give more, or draw less`,
      );
  }
}

interface MultinomialOptions extends Source {
  /** May a class be drawn again? Not unless this is true. */
  readonly replacement?: boolean | undefined;
}

/**
 * `n` classes drawn by their `weights` [..., classes], which need not add up to 1, for each row: int32 [..., n], in the order in which
 * they are drawn; no class twice unless with `replacement`. Throws ShapeError where there are no classes, ValueError for weights that are known and negative,
 * not finite or too few above 0 and unless `n` is a whole number, without replacement of at most that of the classes, DTypeError
 * for bool.
 *
 * @example
 * ```ts
 * import { multinomial, sort, tensor } from "@cotangent/autograd";
 * sort(multinomial(tensor([1, 0, 3, 2]), 3)).values.toArray(); // => 0,2,3
 * multinomial(tensor([[0, 1], [1, 0]]), 3, { replacement: true }).toArray(); // => [ [ 1, 1, 1 ], [ 0, 0, 0 ] ]
 * ```
 */
export function multinomial(weights: Tensor, n: number, options?: MultinomialOptions): Tensor {
  const known = { replacement: "boolean", generator: true } as const;
  const { replacement = false, ...source } = optionsOf("multinomial", options, known);
  checkTensor("multinomial", weights);
  const classes = classesOf("multinomial", weights);
  checkWhole("multinomial", "n", n, 0);
  if (!replacement && n > classes)
    throw new ValueError(
      `multinomial: ${n} different of ${classes} classes; draw less, or with { replacement: true }`,
    );
  checkWeights(weights, classes, replacement ? Math.min(n, 1) : n);
  const wide = cast(weights, "float64");
  if (replacement) return drawn("multinomial", wide, n, source);
  return topk(add(log(wide), noise("multinomial", wide.shape, source)), n).indices;
}

interface GumbelOptions extends Source {
  /** The temperature: the smaller, the nearer to a single 1; 1 unless given. */
  readonly tau?: number | undefined;
  /** Gives a single 1 and zeros, with the derivative of what is between. */
  readonly hard?: boolean | undefined;
  /** The axis of the classes, the last unless given. */
  readonly axis?: number | undefined;
}

/**
 * A draw of a class by its `logits` that has a derivative: `softmax((logits + noise) / tau)` along `axis`, with noise from Gumbel's
 * distribution, is near a single 1 at a place that is distributed as `softmax(logits)` (Jang, Gu and Poole 2017, https://arxiv.org/abs/1611.01144,
 * and Maddison, Mnih and Teh 2017, https://arxiv.org/abs/1611.00712). With `hard` it is that 1, and `straightThrough` in derivatives. Integers become
 * float32. Throws ShapeError for an axis that there is not, ValueError unless `tau` is a finite number above 0, DTypeError for bool.
 *
 * @example
 * ```ts
 * import { gumbelSoftmax, tensor } from "@cotangent/autograd";
 * const logits = tensor([[0, 90], [90, 0]]);
 * gumbelSoftmax(logits, { hard: true }).toArray(); // => [ [ 0, 1 ], [ 1, 0 ] ]
 * ```
 */
export function gumbelSoftmax<X extends Tensor>(logits: X, options?: GumbelOptions): Tensor<SizesOf<X>> {
  const known = { tau: true, hard: "boolean", axis: true, generator: true } as const;
  const { tau = 1, hard = false, axis = -1, ...source } = optionsOf("gumbelSoftmax", options, known);
  if (!(typeof tau === "number" && tau > 0 && tau < Infinity))
    throw new ValueError(`gumbelSoftmax: tau is ${String(tau)}; give a finite number above 0`);
  const a = floated("gumbelSoftmax", logits);
  const along = normalizeAxis("gumbelSoftmax", axis, a.shape);
  const noisy = add(a, cast(noise("gumbelSoftmax", a.shape, source), a.dtype));
  const soft: Tensor = softmax(div(noisy, tau), along);
  if (!hard || sizeOf(a.shape) === 0) return soft as Tensor<SizesOf<X>>;
  const line = a.shape.map((size, i) => (i === along ? size : 1));
  const places: Tensor = reshape(iota([a.shape[along]!]), line);
  const single = cast(eq(places, argmax(soft, along, { keepDims: true })) as Tensor, a.dtype);
  return straightThrough(soft, single) as Tensor<SizesOf<X>>;
}
