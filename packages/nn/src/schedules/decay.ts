import type { Operand, Tensor } from "@cotangent/autograd/functional";
import {
  add,
  arange,
  cast,
  cat,
  cumprod,
  div,
  evaluate,
  floor,
  ge,
  hideFrames,
  indexSelect,
  lt,
  minimum,
  mul,
  ones,
  pow,
  reshape,
  sub,
  where,
} from "@cotangent/autograd/functional";
import { checkCount, checkFunction, checkList, checkNumber, checkShare, optionsOf } from "../options.ts";
import { type Curve, curve, exactly } from "./curve.ts";

hideFrames(import.meta.url);

/** What a schedule begins with, or is a factor of. */
export interface RateOptions {
  /** The learning rate; 1 unless given, so that the schedule can be a factor in `chained`. */
  readonly lr?: number | undefined;
}

export interface LambdaOptions extends RateOptions {
  /** From the step to a factor. The step is a float64 tensor, without axes or with one (see `multiplicative`). */
  readonly lrLambda: (step: Tensor) => Operand;
}

/**
 * `lr` times what a function makes of the step (`torch.optim.lr_scheduler.LambdaLR`).
 *
 * @example
 * ```ts
 * import { pow } from "@cotangent/autograd";
 * import { lambda } from "@cotangent/nn/schedules";
 * const schedule = lambda({ lr: 8, lrLambda: (step) => pow(0.5, step) });
 * schedule(3).item(); // => 1
 * ```
 */
export function lambda(options: LambdaOptions): Curve {
  const { lr = 1, lrLambda } = optionsOf("lambda", options, { lr: true, lrLambda: true });
  checkNumber("lambda: lr", lr);
  checkFunction("lambda: lrLambda", lrLambda);
  return curve((step) => mul(exactly(lr), lrLambda(step)));
}

export interface MultiplicativeOptions extends LambdaOptions {
  /** After this step the rate stays what it is. */
  readonly totalIters: number;
}

/**
 * `lr` times the product of what a function makes of the steps from 1 to this one (`torch.optim.lr_scheduler.MultiplicativeLR`).
 * The function is called once, with all steps up to `totalIters` in a row. Throws ValueError unless that is a whole number.
 *
 * @example
 * ```ts
 * import { div } from "@cotangent/autograd";
 * import { multiplicative } from "@cotangent/nn/schedules";
 * const schedule = multiplicative({ lr: 1, totalIters: 10, lrLambda: (step) => div(step, 2) });
 * schedule(3).item(); // => 0.75
 * ```
 */
export function multiplicative(options: MultiplicativeOptions): Curve {
  const {
    lr = 1,
    lrLambda,
    totalIters,
  } = optionsOf("multiplicative", options, { lr: true, lrLambda: true, totalIters: true });
  checkNumber("multiplicative: lr", lr);
  checkFunction("multiplicative: lrLambda", lrLambda);
  checkCount("multiplicative: totalIters", totalIters, 1);
  const like = { dtype: "float64" } as const;
  const factors = mul(ones([totalIters], like), lrLambda(arange(1, totalIters + 1, 1, like)));
  const table: Tensor = mul(cat([ones([1], like), cumprod(factors)]), lr);
  evaluate(table);
  return curve((step) => {
    const place = reshape(cast(minimum(step, totalIters), "int32"), [1]);
    return reshape(indexSelect(table, 0, place), []);
  });
}

export interface StepOptions extends RateOptions {
  /** After how many steps the rate falls, again and again. */
  readonly stepSize: number;
  /** What it is multiplied with then; 0.1 unless given. */
  readonly gamma?: number | undefined;
}

/**
 * `lr gamma^floor(step / stepSize)` (`torch.optim.lr_scheduler.StepLR`). Throws ValueError unless `stepSize` is a whole number of at
 * least 1.
 *
 * @example
 * ```ts
 * import { step } from "@cotangent/nn/schedules";
 * const schedule = step({ lr: 1, stepSize: 10, gamma: 0.5 });
 * [0, 9, 10, 20].map((i) => schedule(i).item()); // => 1,1,0.5,0.25
 * ```
 */
export function step(options: StepOptions): Curve {
  const {
    lr = 1,
    stepSize,
    gamma = 0.1,
  } = optionsOf("step", options, { lr: true, stepSize: true, gamma: true });
  checkNumber("step: lr", lr);
  checkCount("step: stepSize", stepSize, 1);
  checkNumber("step: gamma", gamma);
  return curve((step) => mul(pow(gamma, floor(div(step, stepSize))), lr));
}

export interface MultiStepOptions extends RateOptions {
  /** The steps at which the rate falls; one that comes twice counts twice. */
  readonly milestones: readonly number[];
  /** What it is multiplied with then; 0.1 unless given. */
  readonly gamma?: number | undefined;
}

/**
 * `lr` times `gamma` for each milestone that has been reached (`torch.optim.lr_scheduler.MultiStepLR`). Throws ValueError unless
 * the milestones are whole numbers.
 *
 * @example
 * ```ts
 * import { multiStep } from "@cotangent/nn/schedules";
 * const schedule = multiStep({ lr: 1, milestones: [10, 15], gamma: 0.5 });
 * [9, 10, 15].map((i) => schedule(i).item()); // => 1,0.5,0.25
 * ```
 */
export function multiStep(options: MultiStepOptions): Curve {
  const {
    lr = 1,
    milestones,
    gamma = 0.1,
  } = optionsOf("multiStep", options, { lr: true, milestones: true, gamma: true });
  checkNumber("multiStep: lr", lr);
  checkNumber("multiStep: gamma", gamma);
  checkList("multiStep: milestones", milestones);
  for (const milestone of milestones) checkCount("multiStep: a milestone", milestone, 0);
  const own = [...milestones];
  return curve((step) =>
    own.reduce((rate, milestone) => mul(rate, where(ge(step, milestone), exactly(gamma), 1)), exactly(lr)),
  );
}

export interface ConstantOptions extends RateOptions {
  /** What the rate is multiplied with at first; 1/3 unless given. */
  readonly factor?: number | undefined;
  /** After how many steps it is no more; 5 unless given. */
  readonly totalIters?: number | undefined;
}

/**
 * `lr factor`, and `lr` from step `totalIters` on (`torch.optim.lr_scheduler.ConstantLR`). Throws ValueError for a factor that is
 * not from 0 to 1.
 *
 * @example
 * ```ts
 * import { constant } from "@cotangent/nn/schedules";
 * const schedule = constant({ lr: 1, factor: 0.5, totalIters: 3 });
 * [0, 2, 3].map((i) => schedule(i).item()); // => 0.5,0.5,1
 * ```
 */
export function constant(options: ConstantOptions = {}): Curve {
  const {
    lr = 1,
    factor = 1 / 3,
    totalIters = 5,
  } = optionsOf("constant", options, { lr: true, factor: true, totalIters: true });
  checkNumber("constant: lr", lr);
  checkShare("constant: factor", factor);
  checkCount("constant: totalIters", totalIters, 0);
  return curve((step) => mul(where(lt(step, totalIters), factor, exactly(1)), lr));
}

export interface LinearOptions extends RateOptions {
  /** What the rate is multiplied with at first; 1/3 unless given. */
  readonly startFactor?: number | undefined;
  /** What it is multiplied with at the end; 1 unless given. */
  readonly endFactor?: number | undefined;
  /** At which step it ends; 5 unless given. */
  readonly totalIters?: number | undefined;
}

/**
 * From `lr startFactor` to `lr endFactor` in a straight line of `totalIters` steps (`torch.optim.lr_scheduler.LinearLR`). Throws
 * ValueError for factors that are not from 0 to 1.
 *
 * @example
 * ```ts
 * import { linear } from "@cotangent/nn/schedules";
 * const schedule = linear({ lr: 1, startFactor: 0, totalIters: 4 });
 * [0, 1, 4, 5].map((i) => schedule(i).item()); // => 0,0.25,1,1
 * ```
 */
export function linear(options: LinearOptions = {}): Curve {
  const {
    lr = 1,
    startFactor = 1 / 3,
    endFactor = 1,
    totalIters = 5,
  } = optionsOf("linear", options, { lr: true, startFactor: true, endFactor: true, totalIters: true });
  checkNumber("linear: lr", lr);
  checkShare("linear: startFactor", startFactor);
  checkShare("linear: endFactor", endFactor);
  checkCount("linear: totalIters", totalIters, 1);
  return curve((step) => {
    const done = div(minimum(step, totalIters), totalIters);
    return mul(add(mul(done, endFactor - startFactor), startFactor), lr);
  });
}

export interface ExponentialOptions extends RateOptions {
  /** What the rate is multiplied with at each step. */
  readonly gamma: number;
}

/**
 * `lr gamma^step` (`torch.optim.lr_scheduler.ExponentialLR`).
 *
 * @example
 * ```ts
 * import { exponential } from "@cotangent/nn/schedules";
 * exponential({ lr: 1, gamma: 0.5 })(3).item(); // => 0.125
 * ```
 */
export function exponential(options: ExponentialOptions): Curve {
  const { lr = 1, gamma } = optionsOf("exponential", options, { lr: true, gamma: true });
  checkNumber("exponential: lr", lr);
  checkNumber("exponential: gamma", gamma);
  return curve((step) => mul(pow(gamma, step), lr));
}

export interface PolynomialOptions extends RateOptions {
  /** At which step the rate is 0; 5 unless given. */
  readonly totalIters?: number | undefined;
  /** 1 unless given, which is a straight line. */
  readonly power?: number | undefined;
}

/**
 * `lr (1 - step / totalIters)^power`, 0 from step `totalIters` on (`torch.optim.lr_scheduler.PolynomialLR`).
 *
 * @example
 * ```ts
 * import { polynomial } from "@cotangent/nn/schedules";
 * const schedule = polynomial({ lr: 1, totalIters: 4, power: 2 });
 * [0, 2, 4, 9].map((i) => schedule(i).item()); // => 1,0.25,0,0
 * ```
 */
export function polynomial(options: PolynomialOptions = {}): Curve {
  const {
    lr = 1,
    totalIters = 5,
    power = 1,
  } = optionsOf("polynomial", options, { lr: true, totalIters: true, power: true });
  checkNumber("polynomial: lr", lr);
  checkCount("polynomial: totalIters", totalIters, 1);
  checkNumber("polynomial: power", power, 0);
  return curve((step) => mul(pow(sub(1, div(minimum(step, totalIters), totalIters)), power), lr));
}

export interface NoamOptions {
  /** The width of the model. */
  readonly dModel: number;
  /** How many steps the rate rises; 4000 unless given. */
  readonly warmupSteps?: number | undefined;
  /** Multiplies it; 1 unless given. */
  readonly factor?: number | undefined;
}

/**
 * `factor dModel^-0.5 min(t^-0.5, t warmupSteps^-1.5)` with `t = step + 1` (Vaswani et al. 2017, "Attention is all you need",
 * equation 3). Throws ValueError unless `dModel` and `warmupSteps` are whole numbers of at least 1.
 *
 * @example
 * ```ts
 * import { noam } from "@cotangent/nn/schedules";
 * noam({ dModel: 4, warmupSteps: 4 })(3).item(); // => 0.25
 * ```
 */
export function noam(options: NoamOptions): Curve {
  const {
    dModel,
    warmupSteps = 4000,
    factor = 1,
  } = optionsOf("noam", options, { dModel: true, warmupSteps: true, factor: true });
  checkCount("noam: dModel", dModel, 1);
  checkCount("noam: warmupSteps", warmupSteps, 1);
  checkNumber("noam: factor", factor);
  return curve((step) => {
    const t = add(step, 1);
    const least = minimum(pow(t, -0.5), mul(t, 1 / (warmupSteps * Math.sqrt(warmupSteps))));
    return mul(least, factor / Math.sqrt(dModel));
  });
}
