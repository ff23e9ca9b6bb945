import type { Operand, Variable } from "@cotangent/autograd/functional";
import {
  add,
  assignAll,
  cast,
  gt,
  hideFrames,
  logicalAnd,
  lt,
  maximum,
  mul,
  sub,
  ValueError,
  variable,
  where,
} from "@cotangent/autograd/functional";
import { checkCount, checkNumber, optionsOf } from "../options.ts";
import { loadState, type StateDict, snapshotOf } from "../state.ts";
import { type Curve, exactly } from "./curve.ts";
import type { RateOptions } from "./decay.ts";

hideFrames(import.meta.url);

export interface ReduceOnPlateauOptions extends RateOptions {
  /** Is the metric to fall (`min`, which is the default) or to rise? */
  readonly mode?: "min" | "max" | undefined;
  /** What the rate is multiplied with; 0.1 unless given. */
  readonly factor?: number | undefined;
  /** How many times in a row the metric may be no better; 10 unless given. */
  readonly patience?: number | undefined;
  /** By how much it has to be better; 1e-4 unless given. */
  readonly threshold?: number | undefined;
  /** Is that a part of the best metric (`rel`, which is the default) or a number (`abs`)? */
  readonly thresholdMode?: "rel" | "abs" | undefined;
  /** For how many times nothing is counted after the rate has fallen; 0 unless given. */
  readonly cooldown?: number | undefined;
  /** The least rate; 0 unless given. */
  readonly minLr?: number | undefined;
  /** A change of the rate by no more than this is not made; 1e-8 unless given. */
  readonly eps?: number | undefined;
}

/** A schedule that follows a metric. */
export interface Plateau extends Curve {
  /** Takes the metric of an epoch, a number or a tensor without axes. Inside `compile` it becomes part of the program. */
  step(metric: Operand<[]>): void;
  /** The rate and what is remembered of the metric. */
  stateDict(): StateDict;
  /** Takes what `stateDict` has given. Throws ValueError or ShapeError if it does not fit; then nothing has changed. */
  loadStateDict(state: StateDict): void;
}

/**
 * A rate that falls when a metric has not become better for a while (`torch.optim.lr_scheduler.ReduceLROnPlateau`). Its
 * `step(metric)` is called once an epoch. Throws ValueError for numbers out of range and unknown modes.
 *
 * @example
 * ```ts
 * import { variable } from "@cotangent/autograd";
 * import { SGD } from "@cotangent/nn";
 * import { reduceOnPlateau } from "@cotangent/nn/schedules";
 * const lr = reduceOnPlateau({ lr: 1, factor: 0.5, patience: 1 });
 * const optimizer = new SGD([variable(1)], { lr });
 * for (const loss of [3, 2, 2, 2]) lr.step(loss);
 * optimizer.lr; // => 0.5
 * ```
 */
export function reduceOnPlateau(options: ReduceOnPlateauOptions = {}): Plateau {
  const {
    lr = 1,
    mode = "min",
    factor = 0.1,
    patience = 10,
    threshold = 1e-4,
    thresholdMode = "rel",
    cooldown = 0,
    minLr = 0,
    eps = 1e-8,
  } = optionsOf("reduceOnPlateau", options, {
    lr: true,
    mode: true,
    factor: true,
    patience: true,
    threshold: true,
    thresholdMode: true,
    cooldown: true,
    minLr: true,
    eps: true,
  });
  checkNumber("reduceOnPlateau: lr", lr);
  checkNumber("reduceOnPlateau: factor", factor, 0);
  if (factor >= 1) throw new ValueError(`reduceOnPlateau: factor is below 1, got ${factor}`);
  checkCount("reduceOnPlateau: patience", patience, 0);
  checkNumber("reduceOnPlateau: threshold", threshold, 0);
  checkCount("reduceOnPlateau: cooldown", cooldown, 0);
  checkNumber("reduceOnPlateau: minLr", minLr, 0);
  checkNumber("reduceOnPlateau: eps", eps, 0);
  if (mode !== "min" && mode !== "max")
    throw new ValueError(`reduceOnPlateau: mode is "min" or "max", got ${String(mode)}`);
  if (thresholdMode !== "rel" && thresholdMode !== "abs")
    throw new ValueError(`reduceOnPlateau: thresholdMode is "rel" or "abs", got ${String(thresholdMode)}`);
  const sign = mode === "min" ? 1 : -1;
  const float = (name: string, value: number) => variable(exactly(value), { name });
  const count = (name: string) => variable(0, { dtype: "int32", name });
  const rate = float("lr", lr);
  const best = float("best", sign * Infinity);
  const bad = count("badEpochs");
  const waiting = count("cooldown");
  const wanted = () =>
    thresholdMode === "rel" ? mul(best, 1 - sign * threshold) : sub(best, sign * threshold);
  const step = (metric: Operand<[]>): void => {
    const value = typeof metric === "number" ? exactly(metric) : cast(metric, "float64");
    const better = mode === "min" ? lt(value, wanted()) : gt(value, wanted());
    const cooling = gt(waiting, 0);
    const worse = where(cooling, 0, where(better, 0, add(bad, 1)));
    const full = gt(worse, patience);
    const reduced = maximum(mul(rate, factor), minLr);
    const left = where(cooling, sub(waiting, 1), waiting);
    assignAll([
      [best, where(better, value, best)],
      [bad, where(full, 0, worse)],
      [waiting, where(full, cooldown, left)],
      [rate, where(logicalAnd(full, gt(sub(rate, reduced), eps)), reduced, rate)],
    ]);
  };
  const variables: ReadonlyMap<string, Variable> = new Map(
    [rate, best, bad, waiting].map((state) => [state.label!, state]),
  );
  return Object.assign(() => rate, {
    step,
    stateDict: () => snapshotOf(variables),
    loadStateDict: (state: StateDict) => {
      loadState("reduceOnPlateau", variables, state);
    },
  });
}
