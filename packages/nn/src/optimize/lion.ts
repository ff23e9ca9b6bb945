import type { Tensor } from "@cotangent/autograd/functional";
import { sign, sub, zerosLike } from "@cotangent/autograd/functional";
import { movingAverage } from "./formulas.ts";
import { Method, type MethodOptions, type Trainable } from "./groups.ts";
import { share } from "./numbers.ts";
import { chain, type Transform } from "./transform.ts";
import {
  decayWeights,
  exact,
  type Hyperparameter,
  perStep,
  type Schedule,
  scaleByLearningRate,
} from "./transforms.ts";

/** The sign of a mean of the gradient and the running average of those before. */
function signOfAverage([beta1, beta2]: readonly [Hyperparameter, Hyperparameter]): Transform<{
  readonly expAvg: Tensor;
}> {
  const numbers = perStep((step) => {
    const [mixed, kept] = [exact(beta1, step), exact(beta2, step)];
    return { mixed, fresh: sub(1, mixed), kept, gained: sub(1, kept) };
  });
  return {
    init: (parameter) => ({ expAvg: zerosLike(parameter) }),
    update: (g, { expAvg }, _, step) => {
      const { mixed, fresh, kept, gained } = numbers(step, g.dtype, g.shape);
      return {
        update: sign(movingAverage(expAvg, mixed, g, fresh)),
        state: { expAvg: movingAverage(expAvg, kept, g, gained) },
      };
    },
  };
}

export interface LionOptions extends MethodOptions {
  /** The learning rate, a tenth to a third of what Adam would get; 0.0001 unless given. */
  readonly lr?: number | Schedule | undefined;
  /** How much of the average goes into the update, and how much of it is kept at a step; 0.9 and 0.99 unless given. */
  readonly betas?: readonly [number | Schedule, number | Schedule] | undefined;
  /** Each step takes `lr weightDecay` times the parameter away; 0 unless given. */
  readonly weightDecay?: number | Schedule | undefined;
}

/**
 * Lion (Chen et al. 2023, "Symbolic discovery of optimization algorithms", https://arxiv.org/abs/2302.06675, algorithm 2): every
 * element moves by the learning rate. Each number is a property that can be assigned between steps, `weightDecay` unless it was
 * 0 at the beginning.
 *
 * Throws ValueError for numbers below 0 or not finite, and for betas of 1 or more.
 *
 * @example
 * ```ts
 * import { variable } from "@cotangent/autograd";
 * import { Lion } from "@cotangent/nn";
 * const w = variable([4, -1]);
 * const optimizer = new Lion([w], { lr: 0.5 });
 * optimizer.step(w.square().sum());
 * w.toArray(); // => 3.5,-0.5
 * ```
 */
export class Lion extends Method<LionOptions> {
  declare lr: number;
  declare betas: readonly [number, number];
  declare weightDecay: number;

  constructor(parameters: Trainable<LionOptions>, options: LionOptions = {}) {
    super(parameters, options, (numbers, { lr = 1e-4, betas = [0.9, 0.99], weightDecay = 0 }) => {
      const rate = numbers.add("lr", lr);
      const averages = numbers.addPair("betas", betas, share);
      const decay = numbers.addUnlessZero("weightDecay", weightDecay);
      return chain(signOfAverage(averages), scaleByLearningRate(rate), decay && decayWeights(rate, decay));
    });
  }
}
