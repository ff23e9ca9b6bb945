import type { Tensor } from "@cotangent/autograd/functional";
import {
  add,
  cos,
  div,
  floor,
  hideFrames,
  le,
  log,
  maximum,
  minimum,
  mul,
  pow,
  remainder,
  sub,
  where,
} from "@cotangent/autograd/functional";
import { checkCount, checkNumber, optionsOf } from "../options.ts";
import { type Curve, curve, exactly } from "./curve.ts";
import type { RateOptions } from "./decay.ts";

hideFrames(import.meta.url);

/** From `high` to `low` in half a cosine while `x` goes from 0 to 1. */
export const falling = (high: number, low: number, x: Tensor): Tensor =>
  add(div(mul(add(cos(mul(x, Math.PI)), 1), high - low), 2), low);

export interface CosineOptions extends RateOptions {
  /** At which step the rate is `etaMin`. */
  readonly tMax: number;
  /** 0 unless given. */
  readonly etaMin?: number | undefined;
}

/**
 * Half a cosine from `lr` to `etaMin`, and back, and so on (Loshchilov and Hutter 2017, without restarts;
 * `torch.optim.lr_scheduler.CosineAnnealingLR`). Throws ValueError unless `tMax` is a whole number of at least 1.
 *
 * @example
 * ```ts
 * import { variable } from "@cotangent/autograd";
 * import { Adam } from "@cotangent/nn";
 * import { cosine } from "@cotangent/nn/schedules";
 * const optimizer = new Adam([variable(1)], { lr: cosine({ lr: 0.1, tMax: 100 }) });
 * optimizer.lr; // => 0.1
 * cosine({ lr: 0.1, tMax: 100 })(50).item(); // => 0.05
 * ```
 */
export function cosine(options: CosineOptions): Curve {
  const { lr = 1, tMax, etaMin = 0 } = optionsOf("cosine", options, { lr: true, tMax: true, etaMin: true });
  checkNumber("cosine: lr", lr);
  checkCount("cosine: tMax", tMax, 1);
  checkNumber("cosine: etaMin", etaMin);
  return curve((step) => falling(lr, etaMin, div(step, tMax)));
}

export interface CosineWarmRestartsOptions extends RateOptions {
  /** After how many steps the rate starts again. */
  readonly t0: number;
  /** How many times longer it takes each time; 1 unless given. */
  readonly tMult?: number | undefined;
  /** 0 unless given. */
  readonly etaMin?: number | undefined;
}

/**
 * Half a cosine from `lr` to `etaMin`, again and again (Loshchilov and Hutter 2017, https://arxiv.org/abs/1608.03983;
 * `torch.optim.lr_scheduler.CosineAnnealingWarmRestarts`). Throws ValueError unless `t0` and `tMult` are whole numbers of at least 1.
 *
 * @example
 * ```ts
 * import { cosineWarmRestarts } from "@cotangent/nn/schedules";
 * const schedule = cosineWarmRestarts({ lr: 1, t0: 2, tMult: 2 });
 * [0, 1, 2, 4, 6].map((i) => schedule(i).item().toFixed(2)); // => 1.00,0.50,1.00,0.50,1.00
 * ```
 */
export function cosineWarmRestarts(options: CosineWarmRestartsOptions): Curve {
  const {
    lr = 1,
    t0,
    tMult = 1,
    etaMin = 0,
  } = optionsOf("cosineWarmRestarts", options, { lr: true, t0: true, tMult: true, etaMin: true });
  checkNumber("cosineWarmRestarts: lr", lr);
  checkCount("cosineWarmRestarts: t0", t0, 1);
  checkCount("cosineWarmRestarts: tMult", tMult, 1);
  checkNumber("cosineWarmRestarts: etaMin", etaMin);
  if (tMult === 1) return curve((step) => falling(lr, etaMin, div(remainder(step, t0), t0)));
  return curve((step) => {
    // Restart n comes at step t0 (tMult^n - 1) / (tMult - 1); the logarithm may be a rounding short of n there.
    const powers = add(mul(div(step, t0), tMult - 1), 1);
    const longer = pow(tMult, floor(add(div(log(powers), log(exactly(tMult))), 1e-12)));
    const begin = mul(div(sub(longer, 1), tMult - 1), t0);
    return falling(lr, etaMin, div(sub(step, begin), mul(longer, t0)));
  });
}

export interface WarmupCosineOptions extends RateOptions {
  /** How many steps the rate rises. */
  readonly warmupSteps: number;
  /** At which step it has fallen to `etaMin`, where it stays. */
  readonly totalSteps: number;
  /** The rate at step 0; 0 unless given. */
  readonly startLr?: number | undefined;
  /** 0 unless given. */
  readonly etaMin?: number | undefined;
}

/**
 * From `startLr` to `lr` in a straight line, and on to `etaMin` in half a cosine: what transformers are usually trained with.
 * Throws ValueError unless `warmupSteps` and `totalSteps` are whole numbers and the second is the larger one.
 *
 * @example
 * ```ts
 * import { warmupCosine } from "@cotangent/nn/schedules";
 * const schedule = warmupCosine({ lr: 1, warmupSteps: 10, totalSteps: 110 });
 * [0, 5, 10, 60, 110, 200].map((i) => schedule(i).item().toFixed(2)); // => 0.00,0.50,1.00,0.50,0.00,0.00
 * ```
 */
export function warmupCosine(options: WarmupCosineOptions): Curve {
  const {
    lr = 1,
    warmupSteps,
    totalSteps,
    startLr = 0,
    etaMin = 0,
  } = optionsOf("warmupCosine", options, {
    lr: true,
    warmupSteps: true,
    totalSteps: true,
    startLr: true,
    etaMin: true,
  });
  checkNumber("warmupCosine: lr", lr);
  checkCount("warmupCosine: warmupSteps", warmupSteps, 0);
  checkCount("warmupCosine: totalSteps", totalSteps, warmupSteps + 1);
  checkNumber("warmupCosine: startLr", startLr);
  checkNumber("warmupCosine: etaMin", etaMin);
  return curve((step) => {
    const rising = add(mul(div(step, Math.max(1, warmupSteps)), lr - startLr), startLr);
    const fallen = div(sub(minimum(step, totalSteps), warmupSteps), totalSteps - warmupSteps);
    return where(le(step, warmupSteps - 1), rising, falling(lr, etaMin, maximum(fallen, 0)));
  });
}
