import { ge, hideFrames, mul, sub, ValueError, where } from "@cotangent/autograd/functional";
import { checkCount, checkFunctions, checkList } from "../options.ts";
import { type Curve, curve } from "./curve.ts";

hideFrames(import.meta.url);

/**
 * The product of several schedules: one with a learning rate, the others factors (`torch.optim.lr_scheduler.ChainedScheduler`).
 * Throws ValueError if there are none.
 *
 * @example
 * ```ts
 * import { chained, constant, exponential } from "@cotangent/nn/schedules";
 * const schedule = chained([constant({ factor: 0.5, totalIters: 2 }), exponential({ lr: 8, gamma: 0.5 })]);
 * [0, 1, 2, 3].map((i) => schedule(i).item()); // => 4,2,2,1
 * ```
 */
export function chained(schedules: readonly Curve[]): Curve {
  checkFunctions("chained: schedules", schedules);
  if (schedules.length === 0) throw new ValueError("chained: there are no schedules");
  return curve((step) => schedules.map((schedule) => schedule(step)).reduce((x, y) => mul(x, y)));
}

/**
 * One schedule after the other, each counting from 0 again: the second begins at step `milestones[0]`, and so on
 * (`torch.optim.lr_scheduler.SequentialLR`). Throws ValueError unless there is one milestone less than schedules, and they are whole
 * numbers that increase.
 *
 * @example
 * ```ts
 * import { constant, exponential, sequential } from "@cotangent/nn/schedules";
 * const schedule = sequential([constant({ lr: 1, factor: 0.5, totalIters: 9 }), exponential({ lr: 1, gamma: 0.5 })], [2]);
 * [0, 1, 2, 3].map((i) => schedule(i).item()); // => 0.5,0.5,1,0.5
 * ```
 */
export function sequential(schedules: readonly Curve[], milestones: readonly number[]): Curve {
  checkFunctions("sequential: schedules", schedules);
  checkList("sequential: milestones", milestones);
  if (milestones.length !== schedules.length - 1)
    throw new ValueError(
      `sequential: ${schedules.length} schedules need ${Math.max(0, schedules.length - 1)} milestones, got ${milestones.length}`,
    );
  milestones.forEach((milestone, i) => {
    checkCount(`sequential: milestone ${i}`, milestone, i === 0 ? 0 : milestones[i - 1]! + 1);
  });
  return curve((step) =>
    schedules
      .map((schedule, i) => (i === 0 ? schedule(step) : schedule(sub(step, milestones[i - 1]!))))
      .reduce((before, rate, i) => where(ge(step, milestones[i - 1]!), rate, before)),
  );
}
