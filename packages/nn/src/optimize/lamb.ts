import type { Tensor } from "@cotangent/autograd/functional";
import { div, eq, logicalOr, mul, norm, where } from "@cotangent/autograd/functional";
import { Method, type MethodOptions, type Trainable } from "./groups.ts";
import { share } from "./numbers.ts";
import { chain, type Transform } from "./transform.ts";
import { addDecayedWeights, type Schedule, scaleByAdam, scaleByLearningRate } from "./transforms.ts";

/** Makes an update as long as its parameter (by the 2-norm); where either is 0, leaves it as it is. */
function scaleByTrustRatio(): Transform<readonly Tensor[]> {
  return {
    init: () => [],
    update: (g, _, parameter) => {
      const [length, wanted] = [norm(g), norm(parameter)];
      const none = logicalOr(eq(length, 0), eq(wanted, 0));
      return { update: mul(g, where(none, 1, div(wanted, length))), state: [] };
    },
  };
}

export interface LAMBOptions extends MethodOptions {
  /** How far a step goes, in lengths of the parameter; 0.001 unless given. */
  readonly lr?: number | Schedule | undefined;
  /** How much of the averages of the gradients and of their squares is kept at a step; 0.9 and 0.999 unless given. */
  readonly betas?: readonly [number | Schedule, number | Schedule] | undefined;
  /** Added to the denominator; 1e-6 unless given. */
  readonly eps?: number | Schedule | undefined;
  /** Adds this times the parameter to Adam's update; 0 unless given. */
  readonly weightDecay?: number | Schedule | undefined;
}

/**
 * LAMB, for large batches (You et al. 2020, https://arxiv.org/abs/1904.00962, algorithm 2, with both averages freed from their bias
 * and the identity for phi): Adam's update, for each parameter as long as that parameter. Each number is a property that
 * can be assigned between steps, `weightDecay` unless it was 0 at the beginning.
 *
 * Throws ValueError for numbers below 0 or not finite, and for betas of 1 or more.
 *
 * @example
 * ```ts
 * import { variable } from "@cotangent/autograd";
 * import { LAMB } from "@cotangent/nn";
 * const w = variable([3, -4]);
 * const optimizer = new LAMB([w], { lr: 0.1 });
 * optimizer.step(w.square().sum());
 * w; // => Variable([ 2.6464, -3.6464], float32)
 * ```
 */
export class LAMB extends Method<LAMBOptions> {
  declare lr: number;
  declare betas: readonly [number, number];
  declare eps: number;
  declare weightDecay: number;

  constructor(parameters: Trainable<LAMBOptions>, options: LAMBOptions = {}) {
    super(
      parameters,
      options,
      (numbers, { lr = 0.001, betas = [0.9, 0.999], eps = 1e-6, weightDecay = 0 }) => {
        const rate = numbers.add("lr", lr);
        const averages = numbers.addPair("betas", betas, share);
        const small = numbers.add("eps", eps);
        const decay = numbers.addUnlessZero("weightDecay", weightDecay);
        return chain(
          scaleByAdam({ betas: averages, eps: small }),
          decay && addDecayedWeights(decay),
          scaleByTrustRatio(),
          scaleByLearningRate(rate),
        );
      },
    );
  }
}
