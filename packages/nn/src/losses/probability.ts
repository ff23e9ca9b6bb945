import type { Binary } from "@cotangent/autograd/functional";
import {
  div,
  functions,
  hideFrames,
  log,
  log1p,
  maximum,
  mul,
  neg,
  partial,
  pointwise,
  ShapeError,
  sub,
  Tensor,
  ValueError,
  within,
} from "@cotangent/autograd/functional";
import type { LossWith } from "./reduction.ts";
import { elementwise, format } from "./reduction.ts";

hideFrames(import.meta.url);

/** The loss of a probability of yes. It stands apart from those of scores, so that a bundle can have it without them. */

export interface WeightOption {
  /** How much each element counts; it broadcasts to the prediction. The mean is over the number of elements still. */
  readonly weight?: Tensor | undefined;
}

/** An op of its own: the derivative of the composed formula is not that of PyTorch where a logarithm is clamped. */
const bceOp: Binary = pointwise({
  name: "bce",
  body: (m, x, y) => {
    const no = functions.log1p(m, m.neg(x!));
    const yes = functions.log(m, x!);
    return m.sub(m.mul(m.sub(y!, 1), m.pmax(no, -100)), m.mul(y!, m.pmax(yes, -100)));
  },
  derivatives: [
    partial((_, x, y) => div(sub(x!, y!), maximum(mul(sub(1, x!), x!), Math.fround(1e-12)))),
    partial((_, x) => sub(maximum(log1p(neg(x!)), -100), maximum(log(x!), -100))),
  ],
  samples: within([0.1, 0.9], [0.1, 0.9]),
  accepts: "float",
});

/**
 * Binary cross entropy of probabilities: `-(y log x + (1 - y) log(1 - x))` for a prediction `x` and a target `y`, both between
 * 0 and 1 (outside, the result is NaN). Logarithms are at least -100 and the derivative's denominator `x (1 - x)` at least
 * 1e-12, as in PyTorch. Prefer `bceWithLogits`, which needs neither.
 *
 * Throws ShapeError unless both shapes are the same, ValueError for an unknown reduction.
 *
 * @example
 * ```ts
 * import { tensor } from "@cotangent/autograd";
 * import { bce } from "@cotangent/nn/loss";
 * bce(tensor([0.5, 0.5]), tensor([0, 1])); // => Tensor(0.6931, float32)
 * ```
 */
export const bce: LossWith<WeightOption> = elementwise<WeightOption>(
  "bce",
  (x, y, { weight }) => weighed("bce", bceOp(x, y), weight),
  { weight: true },
);

/** Times a weight that is stretched to the shape. */
export function weighed(name: string, x: Tensor, weight: Tensor | undefined): Tensor {
  if (weight === undefined) return x;
  if (!(weight instanceof Tensor))
    throw new ValueError(`${name}: weights are a tensor, got ${String(weight)}; make one with tensor(...)`);
  const fits =
    weight.rank <= x.rank &&
    weight.shape.every((size, i) => size === 1 || size === x.shape[x.rank - weight.rank + i]);
  if (!fits)
    throw new ShapeError(`${name}: weights ${format(weight.shape)} do not stretch to ${format(x.shape)}`);
  return mul(x, weight);
}
