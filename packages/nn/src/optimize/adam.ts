import { Method, type MethodOptions, type Trainable } from "./groups.ts";
import { type Numbers, share } from "./numbers.ts";
import { chain, type Transform } from "./transform.ts";
import {
  addDecayedWeights,
  decayWeights,
  type Hyperparameter,
  type Schedule,
  scaleByAdam,
} from "./transforms.ts";

export interface AdamOptions extends MethodOptions {
  /** The learning rate; 0.001 unless given. */
  readonly lr?: number | Schedule | undefined;
  /** How much of the averages of the gradients and of their squares is kept at a step; 0.9 and 0.999 unless given. */
  readonly betas?: readonly [number | Schedule, number | Schedule] | undefined;
  /** Added to the denominator; 1e-8 unless given. */
  readonly eps?: number | Schedule | undefined;
  /** Adds this times the parameter to the gradient; 0 unless given. */
  readonly weightDecay?: number | Schedule | undefined;
  /** Divides by the root of the largest average of the squares so far (Reddi, Kale and Kumar 2018). */
  readonly amsgrad?: boolean | undefined;
}

/** What both of them do: the steps differ in where the weight decay comes. */
function averaging(
  numbers: Numbers,
  { lr = 0.001, betas = [0.9, 0.999], eps = 1e-8, amsgrad = false }: AdamOptions,
): { readonly rate: Hyperparameter; readonly scale: Transform } {
  const rate = numbers.add("lr", lr);
  const averages = numbers.addPair("betas", betas, share);
  const small = numbers.add("eps", eps);
  numbers.addFlag("amsgrad", amsgrad);
  return { rate, scale: scaleByAdam({ betas: averages, eps: small, rate, amsgrad }) };
}

/**
 * Adam (Kingma and Ba 2015, https://arxiv.org/abs/1412.6980). The numbers are PyTorch's (`torch.optim.Adam`), step by step.
 * Each number is a property that can be assigned between steps, `weightDecay` unless it was 0 at the beginning.
 *
 * Throws ValueError for numbers below 0 or not finite, and for betas of 1 or more.
 *
 * @example
 * ```ts
 * import { variable } from "@cotangent/autograd";
 * import { Adam } from "@cotangent/nn";
 * const w = variable(4);
 * const optimizer = new Adam([w], { lr: 0.1 });
 * optimizer.step(w.square());
 * w; // => Variable(3.9, float32)
 * ```
 */
export class Adam extends Method<AdamOptions> {
  declare lr: number;
  declare betas: readonly [number, number];
  declare eps: number;
  declare weightDecay: number;
  declare readonly amsgrad: boolean;

  constructor(parameters: Trainable<AdamOptions>, options: AdamOptions = {}) {
    super(parameters, options, (numbers, given) => {
      const { scale } = averaging(numbers, given);
      const decay = numbers.addUnlessZero("weightDecay", given.weightDecay ?? 0);
      return chain(decay && addDecayedWeights(decay), scale);
    });
  }
}

export interface AdamWOptions extends AdamOptions {
  /** Each step takes `lr weightDecay` times the parameter away; 0.01 unless given. */
  readonly weightDecay?: number | Schedule | undefined;
}

/**
 * Adam with weight decay that does not go through its averages (Loshchilov and Hutter 2019). The numbers are PyTorch's
 * (`torch.optim.AdamW`), step by step. Each number is a property that can be assigned between steps, `weightDecay` unless it was 0.
 *
 * Throws ValueError for numbers below 0 or not finite, and for betas of 1 or more.
 *
 * @example
 * ```ts
 * import { variable } from "@cotangent/autograd";
 * import { AdamW } from "@cotangent/nn";
 * const w = variable(4);
 * const optimizer = new AdamW([w], { lr: 0.1, weightDecay: 0.5 });
 * optimizer.step(w.square());
 * w; // => Variable(3.7, float32)
 * ```
 */
export class AdamW extends Method<AdamWOptions> {
  declare lr: number;
  declare betas: readonly [number, number];
  declare eps: number;
  declare weightDecay: number;
  declare readonly amsgrad: boolean;

  constructor(parameters: Trainable<AdamWOptions>, options: AdamWOptions = {}) {
    super(parameters, options, (numbers, given) => {
      const { rate, scale } = averaging(numbers, given);
      const decay = numbers.addUnlessZero("weightDecay", given.weightDecay ?? 0.01);
      return chain(scale, decay && decayWeights(rate, decay));
    });
  }
}
