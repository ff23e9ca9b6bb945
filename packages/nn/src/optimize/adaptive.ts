import type { Tensor, Variable } from "@cotangent/autograd/functional";
import { add, cast, div, fullLike, mul, sqrt, square, sub, zerosLike } from "@cotangent/autograd/functional";
import { Numbers } from "./numbers.ts";
import { chain, Optimizer, type Transform } from "./transform.ts";
import {
  addDecayedWeights,
  exact,
  type Hyperparameter,
  perStep,
  scaleByAdam,
  scaleByLearningRate,
  trace,
} from "./transforms.ts";

/** The gradient over the root of the running average of its squares, `centered` of its variance. */
function scaleByRms(
  alpha: Hyperparameter,
  eps: Hyperparameter,
  centered: boolean,
): Transform<{ readonly [name: string]: Tensor }> {
  const numbers = perStep(() => ({ kept: exact(alpha), gained: sub(1, exact(alpha)), small: exact(eps) }));
  return {
    init: (parameter) => ({
      squareAvg: zerosLike(parameter),
      ...(centered ? { gradAvg: zerosLike(parameter) } : {}),
    }),
    update: (g, before, _, step) => {
      const { kept, gained, small } = numbers(step, g.dtype);
      const average = (old: Tensor, x: Tensor) => add(mul(old, kept), mul(x, gained)) as Tensor;
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

export interface RMSpropOptions {
  /** The learning rate; 0.01 unless given. */
  readonly lr?: number;
  /** How much of the average of the squares is kept at a step; 0.99 unless given. */
  readonly alpha?: number;
  /** Added to the denominator; 1e-8 unless given. */
  readonly eps?: number;
  /** Adds this times the parameter to the gradient; 0 unless given. */
  readonly weightDecay?: number;
  /** How much of the last steps goes into this one; 0 unless given. */
  readonly momentum?: number;
  /** Divides by the deviation of the gradients rather than by their size. */
  readonly centered?: boolean;
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
export class RMSprop extends Optimizer {
  declare lr: number;
  declare alpha: number;
  declare eps: number;
  declare weightDecay: number;
  declare momentum: number;

  constructor(parameters: Iterable<Variable>, options: RMSpropOptions = {}) {
    const { lr = 0.01, alpha = 0.99, eps = 1e-8, weightDecay = 0, momentum = 0, centered = false } = options;
    const numbers = new Numbers("RMSprop");
    const rate = numbers.add("lr", lr);
    const kept = numbers.add("alpha", alpha, 1);
    const small = numbers.add("eps", eps);
    const decay = numbers.addUnlessZero("weightDecay", weightDecay);
    const carried = numbers.addUnlessZero("momentum", momentum);
    const parts: Transform[] = [];
    if (decay) parts.push(addDecayedWeights(decay));
    parts.push(scaleByRms(kept, small, centered));
    if (carried) parts.push(trace(carried));
    super(parameters, chain(...parts, scaleByLearningRate(rate)));
    numbers.exposeOn(this);
  }
}

/** The gradient over the root of the sum of all its squares. */
function scaleByAdagrad(
  rate: Hyperparameter,
  lrDecay: Hyperparameter,
  eps: Hyperparameter,
  initial: number,
): Transform<{ readonly sum: Tensor }> {
  const numbers = perStep((step) => ({
    rate: div(exact(rate), add(mul(cast(sub(step, 1), "float64"), exact(lrDecay)), 1)),
    small: exact(eps),
  }));
  return {
    init: (parameter) => ({ sum: fullLike(parameter, initial) }),
    update: (g, before, _, step) => {
      const { rate, small } = numbers(step, g.dtype);
      const sum = add(before.sum, square(g));
      return { update: mul(div(g, add(sqrt(sum), small)), rate), state: { sum } };
    },
  };
}

export interface AdagradOptions {
  /** The learning rate; 0.01 unless given. */
  readonly lr?: number;
  /** The rate at step t is `lr / (1 + (t - 1) lrDecay)`; 0 unless given. */
  readonly lrDecay?: number;
  /** Adds this times the parameter to the gradient; 0 unless given. */
  readonly weightDecay?: number;
  /** What the sums of squares begin with; 0 unless given. */
  readonly initialAccumulatorValue?: number;
  /** Added to the denominator; 1e-10 unless given. */
  readonly eps?: number;
}

/**
 * Adagrad (Duchi, Hazan and Singer 2011). The numbers are PyTorch's (`torch.optim.Adagrad`), step by step. `lr`, `lrDecay`,
 * `eps` and `weightDecay` can be assigned between steps, the last unless it was 0 at the beginning.
 *
 * Throws ValueError for numbers below 0 or not finite.
 *
 * @example
 * ```ts
 * import { variable } from "@cotangent/autograd";
 * import { Adagrad } from "@cotangent/nn";
 * const w = variable(4);
 * const optimizer = new Adagrad([w], { lr: 0.5 });
 * optimizer.step(w.square());
 * w; // => Variable(3.5, float32)
 * ```
 */
export class Adagrad extends Optimizer {
  declare lr: number;
  declare lrDecay: number;
  declare eps: number;
  declare weightDecay: number;

  constructor(parameters: Iterable<Variable>, options: AdagradOptions = {}) {
    const { lr = 0.01, lrDecay = 0, weightDecay = 0, initialAccumulatorValue = 0, eps = 1e-10 } = options;
    new Numbers("Adagrad").add("initialAccumulatorValue", initialAccumulatorValue);
    const numbers = new Numbers("Adagrad");
    const rate = numbers.add("lr", lr);
    const slowing = numbers.add("lrDecay", lrDecay);
    const small = numbers.add("eps", eps);
    const decay = numbers.addUnlessZero("weightDecay", weightDecay);
    const adagrad = scaleByAdagrad(rate, slowing, small, initialAccumulatorValue);
    super(parameters, decay ? chain(addDecayedWeights(decay), adagrad) : adagrad);
    numbers.exposeOn(this);
  }
}

/**
 * Makes the parameter smaller by `rate decay` of itself before the update `g` is subtracted, with PyTorch's roundings: the
 * optimizer's own subtraction, of nearly all of the parameter from itself, has none.
 */
function decayed(rate: Hyperparameter, decay: Hyperparameter): Transform<readonly Tensor[]> {
  const numbers = perStep(() => ({ kept: sub(1, mul(exact(rate), exact(decay))) }));
  return {
    init: () => [],
    update: (g, _, parameter, step) => {
      const kept = mul(parameter, numbers(step, g.dtype).kept);
      return { update: sub(parameter, sub(kept, g)), state: [] };
    },
  };
}

export interface AdamWOptions {
  /** The learning rate; 0.001 unless given. */
  readonly lr?: number;
  /** How much of the averages of the gradients and of their squares is kept at a step; 0.9 and 0.999 unless given. */
  readonly betas?: readonly [number, number];
  /** Added to the denominator; 1e-8 unless given. */
  readonly eps?: number;
  /** Each step takes `lr weightDecay` times the parameter away; 0.01 unless given. */
  readonly weightDecay?: number;
  /** Divides by the root of the largest average of the squares so far (Reddi, Kale and Kumar 2018). */
  readonly amsgrad?: boolean;
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
export class AdamW extends Optimizer {
  readonly amsgrad: boolean;
  declare lr: number;
  declare betas: readonly [number, number];
  declare eps: number;
  declare weightDecay: number;

  constructor(parameters: Iterable<Variable>, options: AdamWOptions = {}) {
    const { lr = 0.001, betas = [0.9, 0.999], eps = 1e-8, weightDecay = 0.01, amsgrad = false } = options;
    const numbers = new Numbers("AdamW");
    const rate = numbers.add("lr", lr);
    const small = numbers.add("eps", eps);
    const decay = numbers.addUnlessZero("weightDecay", weightDecay);
    const averages = numbers.addPair("betas", betas, 1);
    const adam = scaleByAdam({ betas: averages, eps: small, rate, amsgrad });
    super(parameters, decay ? chain(adam, decayed(rate, decay)) : adam);
    this.amsgrad = amsgrad;
    numbers.exposeOn(this);
  }
}
