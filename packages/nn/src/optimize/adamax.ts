import type { Tensor } from "@cotangent/autograd/functional";
import { abs, add, div, maximum, mul, pow, sub, zerosLike } from "@cotangent/autograd/functional";
import { movingAverage } from "./formulas.ts";
import { Method, type MethodOptions, type Trainable } from "./groups.ts";
import { share } from "./numbers.ts";
import { chain, type Transform } from "./transform.ts";
import { addDecayedWeights, exact, type Hyperparameter, perStep, type Schedule } from "./transforms.ts";

/** The running average of the gradients, freed from its bias, over their largest size, which fades. */
function scaleByAdamax(
  rate: Hyperparameter,
  [beta1, beta2]: readonly [Hyperparameter, Hyperparameter],
  eps: Hyperparameter,
): Transform<{ readonly expAvg: Tensor; readonly expInf: Tensor }> {
  const numbers = perStep((step) => {
    const kept = exact(beta1, step);
    return {
      kept,
      gained: sub(1, kept),
      fading: exact(beta2, step),
      small: exact(eps, step),
      stepSize: div(exact(rate, step), sub(1, pow(kept, step))),
    };
  });
  return {
    init: (parameter) => ({ expAvg: zerosLike(parameter), expInf: zerosLike(parameter) }),
    update: (g, before, _, step) => {
      const { kept, gained, fading, small, stepSize } = numbers(step, g.dtype, g.shape);
      const expAvg = movingAverage(before.expAvg, kept, g, gained);
      const expInf = maximum(mul(before.expInf, fading), add(abs(g), small));
      return { update: mul(div(expAvg, expInf), stepSize), state: { expAvg, expInf } };
    },
  };
}

export interface AdamaxOptions extends MethodOptions {
  /** The learning rate; 0.002 unless given. */
  readonly lr?: number | Schedule | undefined;
  /** How much of the average and of the largest size is kept at a step; 0.9 and 0.999 unless given. */
  readonly betas?: readonly [number | Schedule, number | Schedule] | undefined;
  /** Added to the size of the gradient; 1e-8 unless given. */
  readonly eps?: number | Schedule | undefined;
  /** Adds this times the parameter to the gradient; 0 unless given. */
  readonly weightDecay?: number | Schedule | undefined;
}

/**
 * Adamax (Kingma and Ba 2015, https://arxiv.org/abs/1412.6980, section 7.1). The numbers are PyTorch's (`torch.optim.Adamax`),
 * step by step. Each number is a property that can be assigned between steps, `weightDecay` unless it was 0 at the beginning.
 *
 * Throws ValueError for numbers below 0 or not finite, and for betas of 1 or more.
 *
 * @example
 * ```ts
 * import { variable } from "@cotangent/autograd";
 * import { Adamax } from "@cotangent/nn";
 * const w = variable(4);
 * const optimizer = new Adamax([w], { lr: 0.5 });
 * optimizer.step(w.square());
 * w; // => Variable(3.5, float32)
 * ```
 */
export class Adamax extends Method<AdamaxOptions> {
  declare lr: number;
  declare betas: readonly [number, number];
  declare eps: number;
  declare weightDecay: number;

  constructor(parameters: Trainable<AdamaxOptions>, options: AdamaxOptions = {}) {
    super(
      parameters,
      options,
      (numbers, { lr = 0.002, betas = [0.9, 0.999], eps = 1e-8, weightDecay = 0 }) => {
        const rate = numbers.add("lr", lr);
        const averages = numbers.addPair("betas", betas, share);
        const small = numbers.add("eps", eps);
        const decay = numbers.addUnlessZero("weightDecay", weightDecay);
        return chain(decay && addDecayedWeights(decay), scaleByAdamax(rate, averages, small));
      },
    );
  }
}
