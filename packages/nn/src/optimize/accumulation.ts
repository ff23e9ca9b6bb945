import type { Tensor } from "@cotangent/autograd/functional";
import { add, div, eq, Variable, variable, where, zerosLike } from "@cotangent/autograd/functional";
import { checkCount } from "../options.ts";
import type { Assignments, Stage } from "./transform.ts";

/**
 * A stage of an optimizer that takes the mean of `count` gradients, one at each call of `step`, and lets the optimizer step at
 * every last of them only: a batch in `count` parts. Each part computes the optimizer's update, which is not kept before the last.
 * A parameter without a gradient in one of the parts counts with zero there; one that has never had a gradient is left alone.
 *
 * Throws ValueError unless `count` is a whole number of at least 1.
 *
 * @example
 * ```ts
 * import { compile, type Tensor, tensor, variable } from "@cotangent/autograd";
 * import { accumulate, SGD } from "@cotangent/nn";
 * const w = variable(1);
 * const optimizer = new SGD([w], { lr: 0.5, stages: [accumulate(2)] });
 * const step = compile((x: Tensor) => optimizer.step(w.mul(x)));
 * step(tensor(3));
 * w.item(); // => 1
 * step(tensor(5));
 * w.item(); // => -1
 * ```
 */
export function accumulate(count: number): Stage {
  checkCount("accumulate: count", count, 1);
  return (parameters) => {
    const sums = parameters.map((parameter) => new Variable(zerosLike(parameter)).named("sum"));
    const reached = parameters.map(() => false);
    const part = variable(0, { dtype: "int32", name: "part" });
    return {
      state: { part: [part], sums },
      update: (gradients, next) => {
        const turn = add(part, 1);
        const isLast = eq(turn, count);
        const means = gradients.map((g, i) => {
          reached[i] ||= g !== null;
          if (g) return add(sums[i]!, div(g, count));
          return reached[i] ? sums[i]!.node : null;
        });
        return [
          ...onlyIf(isLast, next(means)),
          [part, where(isLast, 0, turn)],
          ...means.flatMap((mean, i) => (mean ? [[sums[i]!, where(isLast, 0, mean)] as const] : [])),
        ];
      },
    };
  };
}

/** The assignments where `condition` holds; otherwise everything stays. */
function onlyIf(condition: Tensor, assignments: Assignments): Assignments {
  return assignments.map(([variable, value]) => [variable, where(condition, value, variable)]);
}
