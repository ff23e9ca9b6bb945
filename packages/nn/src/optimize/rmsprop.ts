import type { Tensor } from "@cotangent/autograd/functional";
import { add, div, sqrt, square, sub, zerosLike } from "@cotangent/autograd/functional";
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
  trace,
} from "./transforms.ts";

/** The gradient over the root of the running average of its squares, `centered` of its variance. */
export function scaleByRms(
  alpha: Hyperparameter,
  eps: Hyperparameter,
  centered: boolean,
): Transform<{ readonly [name: string]: Tensor }> {
  const numbers = perStep((step) => {
    const kept = exact(alpha, step);
    return { kept, gained: sub(1, kept), small: exact(eps, step) };
  });
  return {
    init: (parameter) => ({
      squareAvg: zerosLike(parameter),
      ...(centered ? { gradAvg: zerosLike(parameter) } : {}),
    }),
    update: (g, before, _, step) => {
      const { kept, gained, small } = numbers(step, g.dtype, g.shape);
      const average = (old: Tensor, x: Tensor) => movingAverage(old, kept, x, gained);
      const squareAvg = average(before.squareAvg!, square(g));
      const gradAvg = before.gradAvg ? average(before.gradAvg, g) : null;
      const variance = gradAvg ? sub(squareAvg, square(gradAvg)) : squareAvg;
      return {
        update: div(g, add(sqrt(variance), small)),
        state: { squareAvg, ...(gradAvg ? { gradAvg } : {}) },
      };
    },
  };
}

export interface RMSpropOptions extends MethodOptions {
  /** The learning rate; 0.01 unless given. */
  readonly lr?: number | Schedule | undefined;
  /** How much of the average of the squares is kept at a step; 0.99 unless given. */
  readonly alpha?: number | Schedule | undefined;
  /** Added to the denominator; 1e-8 unless given. */
  readonly eps?: number | Schedule | undefined;
  /** Adds this times the parameter to the gradient; 0 unless given. */
  readonly weightDecay?: number | Schedule | undefined;
  /** How much of the last steps goes into this one; 0 unless given. */
  readonly momentum?: number | Schedule | undefined;
  /** Divides by the deviation of the gradients rather than by their size. */
  readonly centered?: boolean | undefined;
}

/**
 * RMSprop (Hinton's lecture 6e, 2012; centered: Graves 2013). The numbers are PyTorch's (`torch.optim.RMSprop`), step by step.
 * Each number is a property that can be assigned between steps, `weightDecay` and `momentum` unless 0 at the beginning.
 *
 * Throws ValueError for numbers below 0 or not finite, and for an alpha of 1 or more.
 *
 * @example
 * ```ts
 * import { variable } from "@cotangent/autograd";
 * import { RMSprop } from "@cotangent/nn";
 * const w = variable(4);
 * const optimizer = new RMSprop([w], { lr: 0.1, alpha: 0.75 });
 * optimizer.step(w.square());
 * w; // => Variable(3.8, float32)
 * ```
 */
export class RMSprop extends Method<RMSpropOptions> {
  declare lr: number;
  declare alpha: number;
  declare eps: number;
  declare weightDecay: number;
  declare momentum: number;
  declare readonly centered: boolean;

  constructor(parameters: Trainable<RMSpropOptions>, options: RMSpropOptions = {}) {
    super(
      parameters,
      options,
      (numbers, { lr = 0.01, alpha = 0.99, eps = 1e-8, weightDecay = 0, momentum = 0, centered = false }) => {
        const rate = numbers.add("lr", lr);
        const kept = numbers.add("alpha", alpha, share);
        const small = numbers.add("eps", eps);
        const decay = numbers.addUnlessZero("weightDecay", weightDecay);
        const carried = numbers.addUnlessZero("momentum", momentum);
        numbers.addFlag("centered", centered);
        return chain(
          decay && addDecayedWeights(decay),
          scaleByRms(kept, small, centered),
          carried && trace(carried),
          scaleByLearningRate(rate),
        );
      },
    );
  }
}
