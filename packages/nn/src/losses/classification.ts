import type { Binary, Tensor } from "@cotangent/autograd/functional";
import {
  add,
  functions,
  hideFrames,
  logSigmoid,
  mul,
  neg,
  partial,
  pointwise,
  relu,
  sigmoid,
  square,
  sub,
  within,
} from "@cotangent/autograd/functional";
import type { WeightOption } from "./probability.ts";
import { weighed } from "./probability.ts";
import type { Loss, LossWith } from "./reduction.ts";
import { elementwise } from "./reduction.ts";

hideFrames(import.meta.url);

/** Losses of the score of yes. */

export interface BceWithLogitsOptions extends WeightOption {
  /** How much more a yes counts than a no, for each class on the last axis; it broadcasts to the target. */
  readonly posWeight?: Tensor | undefined;
}

/** An op of its own, because the derivative of the composed formula is wrong where |x| has its kink. */
const bceWithLogitsOp: Binary = pointwise({
  name: "bceWithLogits",
  body: (m, x, y) =>
    m.add(
      m.sub(m.select(m.le(x!, 0), 0, x!), m.mul(x!, y!)),
      functions.log1p(m, functions.exp(m, m.neg(m.abs(x!)))),
    ),
  derivatives: [partial((_, x, y) => sub(sigmoid(x!), y!)), partial((_, x) => neg(x!))],
  samples: within([-4, 4], [0, 1]),
  accepts: "float",
});

/**
 * Binary cross entropy of `sigmoid(x)` and a target `y` between 0 and 1, without overflow for any logits `x`:
 * `max(x, 0) - x y + log(1 + exp(-|x|))`. Throws ShapeError unless both shapes are the same, ValueError for an unknown reduction.
 *
 * @example
 * ```ts
 * import { tensor } from "@cotangent/autograd";
 * import { bceWithLogits } from "@cotangent/nn/loss";
 * bceWithLogits(tensor([0, 1000]), tensor([1, 1]), { reduction: "none" }); // => Tensor([0.6931, 0.0000], float32)
 * ```
 */
export const bceWithLogits: LossWith<BceWithLogitsOptions> = elementwise<BceWithLogitsOptions>(
  "bceWithLogits",
  (x, y, { weight, posWeight }) => {
    if (posWeight === undefined) return weighed("bceWithLogits", bceWithLogitsOp(x, y), weight);
    const yes = mul(weighed("bceWithLogits", y, posWeight), logSigmoid(x));
    const no = mul(sub(1, y), logSigmoid(neg(x)));
    return weighed("bceWithLogits", neg(add(yes, no)), weight);
  },
  { weight: true, posWeight: true },
);

/**
 * The hinge `max(0, 1 - target prediction)` for targets -1 and 1; at the kink its derivative is 0. Throws ShapeError unless
 * both shapes are the same, ValueError for an unknown reduction.
 *
 * @example
 * ```ts
 * import { tensor } from "@cotangent/autograd";
 * import { hinge } from "@cotangent/nn/loss";
 * hinge(tensor([2, 0.5, -1]), tensor([1, 1, 1]), { reduction: "none" }).toArray(); // => 0,0.5,2
 * ```
 */
export const hinge: Loss = elementwise("hinge", (x, y) => relu(sub(1, mul(x, y))));

/**
 * The square of the `hinge`, which has no kink. Throws as `hinge` does.
 *
 * @example
 * ```ts
 * import { tensor } from "@cotangent/autograd";
 * import { squaredHinge } from "@cotangent/nn/loss";
 * squaredHinge(tensor([2, 0.5, -1]), tensor([1, 1, 1]), { reduction: "none" }).toArray(); // => 0,0.25,4
 * ```
 */
export const squaredHinge: Loss = elementwise("squaredHinge", (x, y) => square(relu(sub(1, mul(x, y)))));

/**
 * `max(0, -target prediction)` for targets -1 and 1: the loss whose gradient gives the perceptron's rule (Rosenblatt 1958);
 * at the kink its derivative is 0. Throws as `hinge` does.
 *
 * @example
 * ```ts
 * import { tensor } from "@cotangent/autograd";
 * import { perceptron } from "@cotangent/nn/loss";
 * perceptron(tensor([2, 0.5, -1]), tensor([1, -1, 1]), { reduction: "none" }).toArray(); // => 0,0.5,1
 * ```
 */
export const perceptron: Loss = elementwise("perceptron", (x, y) => relu(neg(mul(x, y))));
