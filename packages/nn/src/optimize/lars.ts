import type { Tensor } from "@cotangent/autograd/functional";
import { add, div, eq, logicalOr, mul, norm, where } from "@cotangent/autograd/functional";
import { Method, type MethodOptions, type Trainable } from "./groups.ts";
import { chain, type Transform } from "./transform.ts";
import {
  exact,
  type Hyperparameter,
  perStep,
  type Schedule,
  scaleByLearningRate,
  trace,
} from "./transforms.ts";

/** The decayed gradient times the length of the parameter over that of the gradient, which the decay is added to. */
function scaleByLayer(trust: Hyperparameter, decay: Hyperparameter): Transform<readonly Tensor[]> {
  const numbers = perStep((step) => ({ trust: exact(trust, step), decay: exact(decay, step) }));
  return {
    init: () => [],
    update: (g, _, parameter, step) => {
      const { trust, decay } = numbers(step, g.dtype);
      const [length, own] = [norm(g), norm(parameter)];
      const ratio = div(mul(own, trust), add(length, mul(own, decay)));
      const rate = where(logicalOr(eq(length, 0), eq(own, 0)), 1, ratio);
      return { update: mul(add(g, mul(parameter, decay)), rate), state: [] };
    },
  };
}

export interface LARSOptions extends MethodOptions {
  /** The learning rate, which is common to all parameters. */
  readonly lr: number | Schedule;
  /** How much of the last steps goes into this one; 0.9 unless given. */
  readonly momentum?: number | Schedule | undefined;
  /** Adds this times the parameter to the gradient; 0 unless given. */
  readonly weightDecay?: number | Schedule | undefined;
  /** How far a parameter trusts its gradient, in lengths of the parameter; 0.001 unless given. */
  readonly trustCoefficient?: number | Schedule | undefined;
}

/**
 * LARS, for large batches (You, Gitman and Ginsburg 2017, https://arxiv.org/abs/1708.03888, algorithm 1): momentum with a rate for each
 * parameter that makes its step as long as a part of it. Where the parameter or the gradient is 0 that rate is 1. Each number is a
 * property that can be assigned between steps, `momentum` unless it was 0 at the beginning.
 *
 * Throws ValueError for numbers below 0 or not finite.
 *
 * @example
 * ```ts
 * import { variable } from "@cotangent/autograd";
 * import { LARS } from "@cotangent/nn";
 * const w = variable([3, -4]);
 * const optimizer = new LARS([w], { lr: 1, trustCoefficient: 0.5 });
 * optimizer.step(w.square().sum());
 * w.toArray(); // => 1.5,-2
 * ```
 */
export class LARS extends Method<LARSOptions> {
  declare lr: number;
  declare momentum: number;
  declare weightDecay: number;
  declare trustCoefficient: number;

  constructor(parameters: Trainable<LARSOptions>, options: LARSOptions) {
    super(
      parameters,
      options,
      (numbers, { lr, momentum = 0.9, weightDecay = 0, trustCoefficient = 0.001 }) => {
        const rate = numbers.add("lr", lr);
        const kept = numbers.addUnlessZero("momentum", momentum);
        const decay = numbers.add("weightDecay", weightDecay);
        const trust = numbers.add("trustCoefficient", trustCoefficient);
        return chain(scaleByLayer(trust, decay), scaleByLearningRate(rate), kept && trace(kept));
      },
    );
  }
}
