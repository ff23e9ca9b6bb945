import type { Tensor } from "@cotangent/autograd/functional";
import { add, div, mul, sqrt, square, sub, zerosLike } from "@cotangent/autograd/functional";
import { movingAverage } from "./formulas.ts";
import { Method, type MethodOptions, type Trainable } from "./groups.ts";
import { share } from "./numbers.ts";
import { chain, type Transform } from "./transform.ts";
import {
  addDecayedWeights,
  exact,
  type Hyperparameter,
  perStep,
  type Schedule,
  scaleByLearningRate,
} from "./transforms.ts";

/** The gradient times the usual size of the updates over the usual size of the gradients. */
function scaleByAdadelta(
  rho: Hyperparameter,
  eps: Hyperparameter,
): Transform<{ readonly squareAvg: Tensor; readonly accDelta: Tensor }> {
  const numbers = perStep((step) => {
    const kept = exact(rho, step);
    return { kept, gained: sub(1, kept), small: exact(eps, step) };
  });
  return {
    init: (parameter) => ({ squareAvg: zerosLike(parameter), accDelta: zerosLike(parameter) }),
    update: (g, before, _, step) => {
      const { kept, gained, small } = numbers(step, g.dtype, g.shape);
      const average = (old: Tensor, x: Tensor): Tensor => movingAverage(old, kept, square(x), gained);
      const squareAvg = average(before.squareAvg, g);
      const size = (average: Tensor): Tensor => sqrt(add(average, small));
      const update = mul(div(size(before.accDelta), size(squareAvg)), g);
      return { update, state: { squareAvg, accDelta: average(before.accDelta, update) } };
    },
  };
}

export interface AdadeltaOptions extends MethodOptions {
  /** Multiplies the update; 1 unless given. */
  readonly lr?: number | Schedule | undefined;
  /** How much of the averages of the squares is kept at a step; 0.9 unless given. */
  readonly rho?: number | Schedule | undefined;
  /** Added to both averages before their roots are taken; 1e-6 unless given. */
  readonly eps?: number | Schedule | undefined;
  /** Adds this times the parameter to the gradient; 0 unless given. */
  readonly weightDecay?: number | Schedule | undefined;
}

/**
 * Adadelta (Zeiler 2012, https://arxiv.org/abs/1212.5701). The numbers are PyTorch's (`torch.optim.Adadelta`), step by step.
 * Each number is a property that can be assigned between steps, `weightDecay` unless it was 0 at the beginning.
 *
 * Throws ValueError for numbers below 0 or not finite, and for a rho of 1 or more.
 *
 * @example
 * ```ts
 * import { variable } from "@cotangent/autograd";
 * import { Adadelta } from "@cotangent/nn";
 * const w = variable(4);
 * const optimizer = new Adadelta([w], { lr: 0.5, rho: 0, eps: 1 });
 * optimizer.step(w.square());
 * w; // => Variable(3.5039, float32)
 * ```
 */
export class Adadelta extends Method<AdadeltaOptions> {
  declare lr: number;
  declare rho: number;
  declare eps: number;
  declare weightDecay: number;

  constructor(parameters: Trainable<AdadeltaOptions>, options: AdadeltaOptions = {}) {
    super(parameters, options, (numbers, { lr = 1, rho = 0.9, eps = 1e-6, weightDecay = 0 }) => {
      const rate = numbers.add("lr", lr);
      const kept = numbers.add("rho", rho, share);
      const small = numbers.add("eps", eps);
      const decay = numbers.addUnlessZero("weightDecay", weightDecay);
      return chain(
        decay && addDecayedWeights(decay),
        scaleByAdadelta(kept, small),
        scaleByLearningRate(rate),
      );
    });
  }
}
