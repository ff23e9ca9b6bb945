import type { Tensor } from "@cotangent/autograd/functional";
import { add, div, gt, mul, pow, sqrt, square, sub, where, zerosLike } from "@cotangent/autograd/functional";
import { movingAverage } from "./formulas.ts";
import { Method, type MethodOptions, type Trainable } from "./groups.ts";
import { share } from "./numbers.ts";
import { chain, type Transform } from "./transform.ts";
import {
  addDecayedWeights,
  decayWeights,
  exact,
  type Hyperparameter,
  perStep,
  type Schedule,
} from "./transforms.ts";

/**
 * How far the average of the squares can be relied on after `step` steps: the factor that sets its variance right, and whether
 * there is one yet.
 */
function rectification(keptSq: Tensor, step: Tensor): { readonly reliable: Tensor; readonly factor: Tensor } {
  const longest = sub(div(2, sub(1, keptSq)), 1);
  const power = pow(keptSq, step);
  const length = sub(longest, div(mul(mul(2, step), power), sub(1, power)));
  const over = (x: Tensor): Tensor => mul(sub(x, 4), sub(x, 2));
  const factor = sqrt(div(mul(over(length), longest), mul(over(longest), length)));
  return { reliable: gt(length, 5), factor };
}

/** Adam's update with its variance rectified, and the bare average of the gradients while that cannot be done. */
function scaleByRAdam(
  rate: Hyperparameter,
  [beta1, beta2]: readonly [Hyperparameter, Hyperparameter],
  eps: Hyperparameter,
): Transform<{ readonly expAvg: Tensor; readonly expAvgSq: Tensor }> {
  const numbers = perStep((step) => {
    const [kept, keptSq] = [exact(beta1, step), exact(beta2, step)];
    const { reliable, factor } = rectification(keptSq, step);
    const stepSize = div(exact(rate, step), sub(1, pow(kept, step)));
    const adaptive = mul(mul(stepSize, factor), sqrt(sub(1, pow(keptSq, step))));
    return {
      kept,
      gained: sub(1, kept),
      keptSq,
      gainedSq: sub(1, keptSq),
      small: exact(eps, step),
      reliable,
      stepSize: where(reliable, adaptive, stepSize),
    };
  });
  return {
    init: (parameter) => ({ expAvg: zerosLike(parameter), expAvgSq: zerosLike(parameter) }),
    update: (g, before, _, step) => {
      const { kept, gained, keptSq, gainedSq, small, reliable, stepSize } = numbers(step, g.dtype, g.shape);
      const expAvg = movingAverage(before.expAvg, kept, g, gained);
      const expAvgSq = movingAverage(before.expAvgSq, keptSq, square(g), gainedSq);
      const root = where(reliable, add(sqrt(expAvgSq), small), 1);
      return { update: div(mul(expAvg, stepSize), root), state: { expAvg, expAvgSq } };
    },
  };
}

export interface RAdamOptions extends MethodOptions {
  /** The learning rate; 0.001 unless given. */
  readonly lr?: number | Schedule | undefined;
  /** How much of the averages of the gradients and of their squares is kept at a step; 0.9 and 0.999 unless given. */
  readonly betas?: readonly [number | Schedule, number | Schedule] | undefined;
  /** Added to the denominator; 1e-8 unless given. */
  readonly eps?: number | Schedule | undefined;
  /** Adds this times the parameter to the gradient; 0 unless given. */
  readonly weightDecay?: number | Schedule | undefined;
  /** Takes `lr weightDecay` times the parameter away at each step instead, as AdamW does. */
  readonly decoupledWeightDecay?: boolean | undefined;
}

/**
 * Rectified Adam (Liu et al. 2020, https://arxiv.org/abs/1908.03265), which needs no warm-up: the first steps are those of plain
 * momentum. The numbers are PyTorch's (`torch.optim.RAdam`), step by step. Each number is a property that can be assigned
 * between steps, `weightDecay` unless it was 0 at the beginning.
 *
 * Throws ValueError for numbers below 0 or not finite, and for betas of 1 or more.
 *
 * @example
 * ```ts
 * import { variable } from "@cotangent/autograd";
 * import { RAdam } from "@cotangent/nn";
 * const w = variable(4);
 * const optimizer = new RAdam([w], { lr: 0.125 });
 * optimizer.step(w.square());
 * w; // => Variable(3, float32)
 * ```
 */
export class RAdam extends Method<RAdamOptions> {
  declare lr: number;
  declare betas: readonly [number, number];
  declare eps: number;
  declare weightDecay: number;
  declare readonly decoupledWeightDecay: boolean;

  constructor(parameters: Trainable<RAdamOptions>, options: RAdamOptions = {}) {
    super(parameters, options, (numbers, given) => {
      const {
        lr = 0.001,
        betas = [0.9, 0.999],
        eps = 1e-8,
        weightDecay = 0,
        decoupledWeightDecay = false,
      } = given;
      const rate = numbers.add("lr", lr);
      const averages = numbers.addPair("betas", betas, share);
      const small = numbers.add("eps", eps);
      const decay = numbers.addUnlessZero("weightDecay", weightDecay);
      const apart = numbers.addFlag("decoupledWeightDecay", decoupledWeightDecay);
      return chain(
        decay && !apart ? addDecayedWeights(decay) : null,
        scaleByRAdam(rate, averages, small),
        decay && apart ? decayWeights(rate, decay) : null,
      );
    });
  }
}
