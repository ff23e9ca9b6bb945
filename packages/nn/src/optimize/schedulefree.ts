import type { Tensor, Variable } from "@cotangent/autograd/functional";
import {
  add,
  assignAll,
  cast,
  div,
  gt,
  leavesOf,
  minimum,
  mul,
  pow,
  Setting,
  StateError,
  scalar,
  sqrt,
  square,
  sub,
  tensor,
  ValueError,
  variable,
  where,
} from "@cotangent/autograd/functional";
import type { StateDict } from "../state.ts";
import { Method, type MethodOptions, type Trainable } from "./groups.ts";
import { isLookahead } from "./lookahead.ts";
import { type Numbers, share } from "./numbers.ts";
import { scaleByRms } from "./rmsprop.ts";
import { chain, type NamedNumber, type Transform } from "./transform.ts";
import { addDecayedWeights, exact, type Hyperparameter, perStep, type Schedule } from "./transforms.ts";

type Averaged = { readonly z: Tensor; readonly x: Tensor; readonly weightSum: Tensor };

/**
 * Descent of `z`, whose mean `x` weighs each step by its squared rate; the parameter is `y`, from `z` by `beta` of the way to `x`. The
 * last of a chain. It begins where the parameter is at its first gradient, whatever was loaded into it before.
 */
function averagedBetween(rate: Hyperparameter, beta: Hyperparameter): Transform<Averaged> {
  const numbers = perStep((step) => ({ rate: exact(rate, step), beta: exact(beta, step) }));
  const weights = perStep((step) => ({ weight: square(exact(rate, step)) }));
  return {
    init: (parameter) => ({ z: parameter, x: parameter, weightSum: scalar(0, { dtype: "float64" }) }),
    update: (g, before, parameter, step) => {
      const { rate, beta } = numbers(step, g.dtype);
      const { weight } = weights(step, "float64");
      const weightSum = add(before.weightSum, weight);
      const z = sub(where(gt(before.weightSum, 0), before.z, parameter), mul(g, rate));
      const gained = where(gt(weightSum, 0), div(weight, weightSum), 1);
      const x = add(mul(before.x, cast(sub(1, gained), g.dtype)), mul(z, cast(gained, g.dtype)));
      const y = add(z, mul(sub(x, z), beta));
      return { update: sub(parameter, y), state: { z, x, weightSum } };
    },
  };
}

/** `rate` for the steps after the first `warmupSteps`, and below it in proportion. */
function warmedUp(rate: Hyperparameter, warmupSteps: number): Hyperparameter {
  if (warmupSteps === 0) return rate;
  return (taken) => mul(exact(rate, add(taken, 1)), minimum(1, div(add(taken, 1), warmupSteps)));
}

/**
 * What the schedule-free optimizers share: their parameters are `y` in training mode, where gradients are taken, and `x` in evaluation
 * mode, which is the better model. Changing to and fro changes no bit.
 */
export abstract class ScheduleFree<Options extends MethodOptions> extends Method<Options> {
  readonly #training = new Setting(true, "training");
  readonly #mode: Variable = variable(true, { name: "training" });

  constructor(
    trainable: Trainable<Options>,
    options: Options,
    method: (numbers: Numbers, options: Options) => Transform,
  ) {
    super(trainable, options, method);
    if (options.stages?.some(isLookahead))
      throw new ValueError(
        `${this.constructor.name}: takes no lookahead: the next step begins at its own means, not where lookahead puts the ` +
          "parameters; leave it out",
      );
  }

  /** Whether the parameters are those to be trained at; see `train` and `eval`. */
  get training(): boolean {
    return this.#training.value;
  }

  /** Makes the parameters those to be trained at. Returns this optimizer. Throws CompileError inside `compile`. */
  override train(): this {
    return this.#turn(true);
  }

  /** Makes the parameters those to be evaluated, or saved. Returns this optimizer. Throws CompileError inside `compile`. */
  override eval(): this {
    return this.#turn(false);
  }

  #turn(training: boolean): this {
    if (this.#training.value === training) return this;
    this.#training.value = training;
    // Whichever of y and x the parameter is not is kept in the place of x.
    const exchanged = this.parameters.flatMap((parameter, i) => {
      const [x, weightSum] = leavesOf(this.state[i]!).slice(-2) as [Variable, Variable];
      return [
        [parameter, where(gt(weightSum, 0), x, parameter)],
        [x, parameter.node],
      ] as const;
    });
    assignAll([...exchanged, [this.#mode, tensor(training)]]);
    return this;
  }

  /** As in `Optimizer`. Throws StateError in evaluation mode. */
  override step(loss?: Tensor): void {
    if (!this.training)
      throw new StateError(
        `${this.constructor.name}: the parameters are those to be evaluated, not to be trained at; call train() before step`,
      );
    super.step(loss);
  }

  override loadStateDict(state: StateDict): void {
    super.loadStateDict(state);
    this.#training.value = this.#mode.item() === 1;
  }

  protected override get numbers(): readonly NamedNumber[] {
    return [...super.numbers, ["training", this.#mode, () => {}]];
  }
}

export interface SGDScheduleFreeOptions extends MethodOptions {
  /** The learning rate, 10 to 50 times that of other methods; 1 unless given. */
  readonly lr?: number | Schedule | undefined;
  /** How far from the last step to the mean of all of them gradients are taken, from 0 to below 1; 0.9 unless given. */
  readonly momentum?: number | Schedule | undefined;
  /** Adds this times the parameter to the gradient; 0 unless given. */
  readonly weightDecay?: number | Schedule | undefined;
  /** Over how many steps the rate grows to `lr`; 0 unless given. */
  readonly warmupSteps?: number | undefined;
}

/**
 * Stochastic gradient descent that needs no schedule and no last step (Defazio et al. 2024, "The Road Less Scheduled",
 * https://arxiv.org/abs/2405.15682): it takes gradients between its last step and the mean of all, and that mean is the model. Call
 * `eval()` before the model is used or saved, and `train()` before it is trained on; `fit` does so. Each number is a property that can be
 * assigned between steps, `weightDecay` unless it was 0 at the beginning.
 *
 * Throws ValueError for numbers below 0 or not finite, for a momentum of 1 or more, and for `lookahead`.
 *
 * @example
 * ```ts
 * import { variable } from "@cotangent/autograd";
 * import { SGDScheduleFree } from "@cotangent/nn";
 * const w = variable(4);
 * const optimizer = new SGDScheduleFree([w], { lr: 0.25, momentum: 0.5 });
 * for (let i = 0; i < 2; i++) optimizer.step(w.square());
 * w.item(); // => 1.25
 * optimizer.eval();
 * w.item(); // => 1.5
 * optimizer.train();
 * w.item(); // => 1.25
 * ```
 */
export class SGDScheduleFree extends ScheduleFree<SGDScheduleFreeOptions> {
  declare lr: number;
  declare momentum: number;
  declare weightDecay: number;
  declare readonly warmupSteps: number;

  constructor(parameters: Trainable<SGDScheduleFreeOptions>, options: SGDScheduleFreeOptions = {}) {
    super(parameters, options, (numbers, { lr = 1, momentum = 0.9, weightDecay = 0, warmupSteps = 0 }) => {
      const rate = numbers.add("lr", lr);
      const beta = numbers.add("momentum", momentum, share);
      const decay = numbers.addUnlessZero("weightDecay", weightDecay);
      const warmup = numbers.addInitial("warmupSteps", warmupSteps);
      return chain(decay && addDecayedWeights(decay), averagedBetween(warmedUp(rate, warmup), beta));
    });
  }
}

export interface AdamWScheduleFreeOptions extends MethodOptions {
  /** The learning rate, 1 to 10 times that of `AdamW`; 0.0025 unless given. */
  readonly lr?: number | Schedule | undefined;
  /**
   * How far from the last step to the mean of all of them gradients are taken, and how much of the average of their squares is kept at
   * a step; 0.9 and 0.999 unless given.
   */
  readonly betas?: readonly [number | Schedule, number | Schedule] | undefined;
  /** Added to the denominator; 1e-8 unless given. */
  readonly eps?: number | Schedule | undefined;
  /** Each step takes its rate times this times the parameter away; 0 unless given. */
  readonly weightDecay?: number | Schedule | undefined;
  /** Over how many steps the rate grows to `lr`; 0 unless given. */
  readonly warmupSteps?: number | undefined;
}

/**
 * AdamW that needs no schedule and no last step (Defazio et al. 2024, "The Road Less Scheduled", https://arxiv.org/abs/2405.15682,
 * algorithm 1): in place of the average of the gradients it takes gradients between its last step and the mean of all, and that mean
 * is the model. Call `eval()` before the model is used or saved, and `train()` before it is trained on; `fit` does so. Each number is a
 * property that can be assigned between steps, `weightDecay` unless it was 0 at the beginning.
 *
 * Throws ValueError for numbers below 0 or not finite, for betas of 1 or more, and for `lookahead`.
 *
 * @example
 * ```ts
 * import { tensor } from "@cotangent/autograd";
 * import { AdamWScheduleFree, fit, Linear } from "@cotangent/nn";
 * import { mse } from "@cotangent/nn/loss";
 * const [x, y] = [tensor([[1], [2], [3]]), tensor([[2], [4], [6]])];
 * const model = new Linear(1, 1, { bias: false });
 * const optimizer = new AdamWScheduleFree(model.parameters(), { lr: 0.1, warmupSteps: 10 });
 * for await (const _ of fit(model, [x, y], { loss: mse, optimizer, epochs: 400 }));
 * Math.abs(model.weight.item() - 2) < 0.01; // => true
 * ```
 */
export class AdamWScheduleFree extends ScheduleFree<AdamWScheduleFreeOptions> {
  declare lr: number;
  declare betas: readonly [number, number];
  declare eps: number;
  declare weightDecay: number;
  declare readonly warmupSteps: number;

  constructor(parameters: Trainable<AdamWScheduleFreeOptions>, options: AdamWScheduleFreeOptions = {}) {
    super(
      parameters,
      options,
      (numbers, { lr = 0.0025, betas = [0.9, 0.999], eps = 1e-8, weightDecay = 0, warmupSteps = 0 }) => {
        const rate = numbers.add("lr", lr);
        const [beta, kept] = numbers.addPair("betas", betas, share);
        const small = numbers.add("eps", eps);
        const decay = numbers.addUnlessZero("weightDecay", weightDecay);
        const warm = warmedUp(rate, numbers.addInitial("warmupSteps", warmupSteps));
        const unbiased: Schedule = (taken) => {
          const step = add(taken, 1);
          return mul(exact(warm, step), sqrt(sub(1, pow(exact(kept, step), step))));
        };
        return chain(
          scaleByRms(kept, small, false),
          decay && addDecayedWeights(decay),
          averagedBetween(unbiased, beta),
        );
      },
    );
  }
}
