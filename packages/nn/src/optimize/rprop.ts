import type { Tensor } from "@cotangent/autograd/functional";
import {
  fullLike,
  gt,
  lt,
  maximum,
  minimum,
  mul,
  sign,
  where,
  zerosLike,
} from "@cotangent/autograd/functional";
import { Method, type MethodOptions, type Trainable } from "./groups.ts";
import { share } from "./numbers.ts";
import type { Transform } from "./transform.ts";
import { exact, type Hyperparameter, perStep, type Schedule } from "./transforms.ts";

type Pair = readonly [Hyperparameter, Hyperparameter];

/** The sign of the gradient times a size that grows while the sign stays and shrinks when it changes. */
function scaleByRprop(
  initial: number,
  [etaMinus, etaPlus]: Pair,
  [least, most]: Pair,
): Transform<{ readonly prev: Tensor; readonly stepSize: Tensor }> {
  const numbers = perStep((step) => ({
    shrinking: exact(etaMinus, step),
    growing: exact(etaPlus, step),
    least: exact(least, step),
    most: exact(most, step),
  }));
  return {
    init: (parameter) => ({ prev: zerosLike(parameter), stepSize: fullLike(parameter, initial) }),
    update: (g, before, _, step) => {
      const { shrinking, growing, least, most } = numbers(step, g.dtype);
      const agreement = mul(sign(g), sign(before.prev));
      const turned = lt(agreement, 0);
      const factor = where(turned, shrinking, where(gt(agreement, 0), growing, 1));
      const stepSize = minimum(maximum(mul(before.stepSize, factor), least), most);
      // Where the sign has changed the parameter waits, and the next step starts anew.
      const prev = where(turned, 0, g);
      return { update: mul(sign(prev), stepSize), state: { prev, stepSize } };
    },
  };
}

export interface RpropOptions extends MethodOptions {
  /** The size of the first step; 0.01 unless given. */
  readonly lr?: number | undefined;
  /** What a size is multiplied with when the sign of its gradient changes, and when it stays; 0.5 and 1.2 unless given. */
  readonly etas?: readonly [number | Schedule, number | Schedule] | undefined;
  /** The least and the greatest size; 1e-6 and 50 unless given. */
  readonly stepSizes?: readonly [number | Schedule, number | Schedule] | undefined;
}

/**
 * Resilient backpropagation (Riedmiller and Braun 1993), for gradients of all examples at once: it looks at their signs only. The
 * numbers are PyTorch's (`torch.optim.Rprop`), step by step. `etas` and `stepSizes` can be assigned between steps.
 *
 * Throws ValueError for numbers below 0 or not finite, unless the first of `etas` is below 1 and the second at least 1.
 *
 * @example
 * ```ts
 * import { variable } from "@cotangent/autograd";
 * import { Rprop } from "@cotangent/nn";
 * const w = variable(4);
 * const optimizer = new Rprop([w], { lr: 0.5, etas: [0.5, 2] });
 * for (let i = 0; i < 3; i++) optimizer.step(w.square());
 * w.item(); // => 0.5
 * ```
 */
export class Rprop extends Method<RpropOptions> {
  declare readonly lr: number;
  declare etas: readonly [number, number];
  declare stepSizes: readonly [number, number];

  constructor(parameters: Trainable<RpropOptions>, options: RpropOptions = {}) {
    super(parameters, options, (numbers, { lr = 0.01, etas = [0.5, 1.2], stepSizes = [1e-6, 50] }) =>
      scaleByRprop(
        numbers.addInitial("lr", lr),
        numbers.addPair("etas", etas, share, [1, Infinity]),
        numbers.addPair("stepSizes", stepSizes),
      ),
    );
  }
}
