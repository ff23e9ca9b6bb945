import { ShapeError, ValueError } from "./errors.ts";
import type { Generator } from "./generator.ts";
import { uniform } from "./generator.ts";
import type { Tensor } from "./graph.ts";
import { ge } from "./ops/comparison.ts";
import { floated } from "./ops/elementwise.ts";
import { broadcastTo } from "./ops/movement.ts";
import { add, mul, where } from "./ops/pointwise.ts";
import type { Known } from "./options.ts";
import { optionsOf } from "./options.ts";
import type { Shape } from "./shape.ts";
import { formatShape } from "./shape.ts";
import type { SizesOf } from "./signature.ts";

export interface DropoutOptions {
  /** How likely an element is to become 0; 0.5 unless given. */
  readonly p?: number | undefined;
  /** Without training nothing is dropped; true unless given. */
  readonly training?: boolean | undefined;
  /** The standard generator unless given. */
  readonly generator?: Generator | undefined;
}

/** What is to be done: nothing, drop everything, or drop by chance. */
function dropped(
  name: string,
  x: Tensor,
  shape: (a: Tensor) => Shape,
  options: DropoutOptions | undefined,
  thinned: (a: Tensor, keep: Tensor, p: number) => Tensor,
): Tensor {
  const known: Known<DropoutOptions> = { p: true, training: "boolean", generator: true };
  const { p = 0.5, training = true, generator } = optionsOf(name, options, known);
  const a = floated(name, x);
  if (!(p >= 0 && p <= 1))
    throw new ValueError(`${name}: p is a probability between 0 and 1, got ${String(p)}`);
  if (!training || p === 0) return a;
  // float32 has bits enough, whatever the dtype of x.
  const unit = uniform(shape(a), { generator });
  return thinned(a, broadcastTo(ge(unit, p), a.shape), p);
}

const rescaled = (a: Tensor, keep: Tensor, p: number): Tensor =>
  p === 1 ? where(keep, a, 0) : where(keep, mul(a, 1 / (1 - p)), 0);

/**
 * `x` with elements chosen by chance 0, each with probability `p`, and the others times `1 / (1 - p)`, so that the mean stays
 * (Srivastava et al. 2014, "Dropout: a simple way to prevent neural networks from overfitting"). Inside `compile` each call
 * draws anew. Throws ValueError unless `p` is between 0 and 1, DTypeError for bool.
 *
 * @example
 * ```ts
 * import { dropout, tensor } from "@cotangent/autograd";
 * dropout(tensor([1, 2]), { p: 1 }).toArray(); // => 0,0
 * dropout(tensor([1, 2]), { training: false }).toArray(); // => 1,2
 * ```
 */
export function dropout<X extends Tensor>(x: X, options?: DropoutOptions): Tensor<SizesOf<X>> {
  return dropped("dropout", x, (a) => a.shape, options, rescaled) as Tensor<SizesOf<X>>;
}

/**
 * Dropout of whole channels of `x` [n, channels, ...]: all elements of a channel become 0, or none (Tompson et al. 2015,
 * https://arxiv.org/abs/1411.4280). Throws ShapeError if there are fewer than two axes, otherwise as `dropout` does.
 *
 * @example
 * ```ts
 * import { featureDropout, ones } from "@cotangent/autograd";
 * const [first, second] = featureDropout(ones([1, 1, 2])).toTypedArray();
 * first === second; // => true
 * ```
 */
export function featureDropout<X extends Tensor>(x: X, options?: DropoutOptions): Tensor<SizesOf<X>> {
  const channels = ({ shape }: Tensor): Shape => {
    if (shape.length < 2)
      throw new ShapeError(`featureDropout: takes [n, channels, ...], got shape ${formatShape(shape)}`);
    return shape.map((size, i) => (i < 2 ? size : 1));
  };
  return dropped("featureDropout", x, channels, options, rescaled) as Tensor<SizesOf<X>>;
}

/** What selu gives for numbers far below 0: minus its scale times its alpha. */
const saturated = -1.7580993408473766;

/**
 * Dropout for networks with `selu`: the elements that are dropped become what selu saturates at, and everything is scaled and
 * shifted so that mean 0 and variance 1 stay (Klambauer et al. 2017, https://arxiv.org/abs/1706.02515). Throws as `dropout` does.
 *
 * @example
 * ```ts
 * import { alphaDropout, ones } from "@cotangent/autograd";
 * alphaDropout(ones([2]), { training: false }).toArray(); // => 1,1
 * ```
 */
export function alphaDropout<X extends Tensor>(x: X, options?: DropoutOptions): Tensor<SizesOf<X>> {
  const thinned = (a: Tensor, keep: Tensor, p: number): Tensor => {
    // Dropping everything leaves nothing to scale; PyTorch gives 0.
    if (p === 1) return where(keep, a, 0);
    const scale = 1 / Math.sqrt((1 - p) * (1 + p * saturated * saturated));
    return add(mul(where(keep, a, saturated), scale), -scale * p * saturated);
  };
  return dropped("alphaDropout", x, (a) => a.shape, options, thinned) as Tensor<SizesOf<X>>;
}
