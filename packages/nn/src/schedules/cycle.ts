import type { Tensor } from "@cotangent/autograd/functional";
import {
  add,
  div,
  floor,
  hideFrames,
  le,
  minimum,
  mul,
  pow,
  sub,
  ValueError,
  where,
} from "@cotangent/autograd/functional";
import { checkCount, checkFunction, checkNumber, checkPositive, checkShare, optionsOf } from "../options.ts";
import { falling } from "./cosine.ts";
import { type Curve, curve, exactly } from "./curve.ts";

hideFrames(import.meta.url);

/** A schedule with one for the momentum, which falls while the rate rises. */
export interface CycleCurve extends Curve {
  /** For `momentum`, or the first of `betas`. */
  readonly momentum: Curve;
}

export interface CyclicOptions {
  /** The rate at the ends of a cycle. */
  readonly baseLr: number;
  /** The rate at its height. */
  readonly maxLr: number;
  /** How many steps the rate rises; 2000 unless given. */
  readonly stepSizeUp?: number | undefined;
  /** How many steps it falls; as many unless given. */
  readonly stepSizeDown?: number | undefined;
  /** `triangular` unless given; `triangular2` halves each height, `expRange` multiplies it by `gamma` at each step. */
  readonly mode?: "triangular" | "triangular2" | "expRange" | undefined;
  /** 1 unless given. */
  readonly gamma?: number | undefined;
  /** In place of a mode: from the number of the cycle, from 1, to a factor for its height. */
  readonly scaleFn?: ((x: Tensor) => Tensor) | undefined;
  /** Gives `scaleFn` the number of the cycle, or with `iterations` the step. */
  readonly scaleMode?: "cycle" | "iterations" | undefined;
  /** The momentum at the height of the rate; 0.8 unless given. */
  readonly baseMomentum?: number | undefined;
  /** The momentum at the ends of a cycle; 0.9 unless given. */
  readonly maxMomentum?: number | undefined;
}

/**
 * Up and down between two rates in straight lines (Smith 2017, https://arxiv.org/abs/1506.01186;
 * `torch.optim.lr_scheduler.CyclicLR`). Throws ValueError for an unknown mode and for step sizes below 1.
 *
 * @example
 * ```ts
 * import { variable } from "@cotangent/autograd";
 * import { SGD } from "@cotangent/nn";
 * import { cyclic } from "@cotangent/nn/schedules";
 * const lr = cyclic({ baseLr: 0.125, maxLr: 0.5, stepSizeUp: 10 });
 * const optimizer = new SGD([variable(1)], { lr, momentum: lr.momentum });
 * [optimizer.lr, optimizer.momentum]; // => 0.125,0.9
 * [lr(10).item(), lr.momentum(10).item()]; // => 0.5,0.8
 * ```
 */
export function cyclic(options: CyclicOptions): CycleCurve {
  const given = optionsOf("cyclic", options, {
    baseLr: true,
    maxLr: true,
    stepSizeUp: true,
    stepSizeDown: true,
    mode: true,
    gamma: true,
    scaleFn: true,
    scaleMode: true,
    baseMomentum: true,
    maxMomentum: true,
  });
  const { baseLr, maxLr, stepSizeUp = 2000, stepSizeDown = stepSizeUp } = given;
  const { mode = "triangular", gamma = 1, scaleFn, scaleMode = "cycle" } = given;
  const { baseMomentum = 0.8, maxMomentum = 0.9 } = given;
  checkNumber("cyclic: baseLr", baseLr);
  checkNumber("cyclic: maxLr", maxLr);
  checkCount("cyclic: stepSizeUp", stepSizeUp, 1);
  checkCount("cyclic: stepSizeDown", stepSizeDown, 1);
  checkNumber("cyclic: gamma", gamma);
  checkNumber("cyclic: baseMomentum", baseMomentum);
  checkNumber("cyclic: maxMomentum", maxMomentum);
  if (scaleFn !== undefined) checkFunction("cyclic: scaleFn", scaleFn);
  if (scaleMode !== "cycle" && scaleMode !== "iterations")
    throw new ValueError(`cyclic: scaleMode is "cycle" or "iterations", got ${String(scaleMode)}`);
  const modes = {
    triangular: () => exactly(1),
    triangular2: (cycle: Tensor) => pow(2, sub(1, cycle)),
    expRange: (_: Tensor, step: Tensor) => pow(gamma, step),
  };
  if (!Object.hasOwn(modes, mode))
    throw new ValueError(`cyclic: mode is one of ${Object.keys(modes).join(", ")}, got ${String(mode)}`);
  const total = stepSizeUp + stepSizeDown;
  const height = (step: Tensor): Tensor => {
    const cycle = floor(add(div(step, total), 1));
    const x = sub(add(div(step, total), 1), cycle);
    const share = stepSizeUp / total;
    const line = where(le(x, share), div(x, share), div(sub(x, 1), share - 1));
    const scale = scaleFn ? scaleFn(scaleMode === "cycle" ? cycle : step) : modes[mode](cycle, step);
    return mul(line, scale);
  };
  return Object.assign(
    curve((step) => add(mul(height(step), maxLr - baseLr), baseLr)),
    { momentum: curve((step) => sub(maxMomentum, mul(height(step), maxMomentum - baseMomentum))) },
  );
}

export interface OneCycleOptions {
  /** The rate at the height of the cycle. */
  readonly maxLr: number;
  /** How many steps there will be; or give `epochs` and `stepsPerEpoch`. */
  readonly totalSteps?: number | undefined;
  readonly epochs?: number | undefined;
  readonly stepsPerEpoch?: number | undefined;
  /** Which part of them the rate rises in; 0.3 unless given. */
  readonly pctStart?: number | undefined;
  /** In half a cosine, which is the default, or straight lines. */
  readonly annealStrategy?: "cos" | "linear" | undefined;
  /** The first rate is `maxLr` over this; 25 unless given. */
  readonly divFactor?: number | undefined;
  /** The last rate is the first over this; 1e4 unless given. */
  readonly finalDivFactor?: number | undefined;
  /** Falls to the first rate as fast as it rose from it, and then to the last. */
  readonly threePhase?: boolean | undefined;
  /** The momentum at the height of the rate; 0.85 unless given. */
  readonly baseMomentum?: number | undefined;
  /** The momentum at the ends; 0.95 unless given. */
  readonly maxMomentum?: number | undefined;
}

/** From one value to another up to a step. */
type Phase = readonly [end: number, from: number, to: number];

/**
 * One rise and one long fall (Smith and Topin 2018, "Super-convergence", https://arxiv.org/abs/1708.07120;
 * `torch.optim.lr_scheduler.OneCycleLR`). After the last step the rate stays. Throws ValueError for numbers out of range, and if it
 * is not said how many steps there will be.
 *
 * @example
 * ```ts
 * import { variable } from "@cotangent/autograd";
 * import { AdamW } from "@cotangent/nn";
 * import { oneCycle } from "@cotangent/nn/schedules";
 * const lr = oneCycle({ maxLr: 0.5, totalSteps: 101, pctStart: 0.5, divFactor: 2 });
 * const optimizer = new AdamW([variable(1)], { lr, betas: [lr.momentum, 0.999] });
 * [optimizer.lr, optimizer.betas[0]]; // => 0.25,0.95
 * ```
 */
export function oneCycle(options: OneCycleOptions): CycleCurve {
  const given = optionsOf("oneCycle", options, {
    maxLr: true,
    totalSteps: true,
    epochs: true,
    stepsPerEpoch: true,
    pctStart: true,
    annealStrategy: true,
    divFactor: true,
    finalDivFactor: true,
    threePhase: "boolean",
    baseMomentum: true,
    maxMomentum: true,
  });
  const { maxLr, epochs = 0, stepsPerEpoch = 0, totalSteps = epochs * stepsPerEpoch } = given;
  const { pctStart = 0.3, annealStrategy = "cos", divFactor = 25, finalDivFactor = 1e4 } = given;
  const { threePhase = false, baseMomentum = 0.85, maxMomentum = 0.95 } = given;
  checkNumber("oneCycle: maxLr", maxLr);
  checkCount("oneCycle: totalSteps (or epochs times stepsPerEpoch)", totalSteps, 1);
  checkShare("oneCycle: pctStart", pctStart);
  checkNumber("oneCycle: baseMomentum", baseMomentum);
  checkNumber("oneCycle: maxMomentum", maxMomentum);
  checkPositive("oneCycle: divFactor", divFactor);
  checkPositive("oneCycle: finalDivFactor", finalDivFactor);
  if (annealStrategy !== "cos" && annealStrategy !== "linear")
    throw new ValueError(`oneCycle: annealStrategy is "cos" or "linear", got ${String(annealStrategy)}`);
  const [last, top] = [totalSteps - 1, pctStart * totalSteps - 1];
  const first = maxLr / divFactor;
  const final = first / finalDivFactor;
  const phases = (values: readonly number[]): readonly Phase[] => {
    const ends = threePhase ? [top, 2 * pctStart * totalSteps - 2, last] : [top, last];
    return ends.map((end, i) => [end, values[i]!, values[i + 1]!]);
  };
  const along = (values: readonly number[]): Curve =>
    curve((step) => piecewise(phases(values), annealStrategy, minimum(step, last)));
  const rates = threePhase ? [first, maxLr, first, final] : [first, maxLr, final];
  const momenta = [maxMomentum, baseMomentum, maxMomentum, maxMomentum];
  return Object.assign(along(rates), { momentum: along(momenta) });
}

/** The value at `step` on the phase that it is in. */
function piecewise(phases: readonly Phase[], strategy: "cos" | "linear", step: Tensor): Tensor {
  const values = phases.map(([end, from, to], i) => {
    const begin = i === 0 ? 0 : phases[i - 1]![0];
    const x = div(sub(step, begin), end - begin || 1);
    return strategy === "cos" ? falling(from, to, x) : add(mul(x, to - from), from);
  });
  return values.reduceRight((later, value, i) => where(le(step, phases[i]![0]), value, later));
}
