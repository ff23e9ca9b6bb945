import type { Tensor } from "@cotangent/autograd/functional";
import { add, eq, mul, sub, Variable, variable, where } from "@cotangent/autograd/functional";
import { checkCount, checkShare, optionsOf } from "../options.ts";
import type { Stage } from "./transform.ts";

export interface LookaheadOptions {
  /** After how many steps the slow parameters follow; 5 unless given. */
  readonly k?: number | undefined;
  /** How far they follow; 0.5 unless given. */
  readonly alpha?: number | undefined;
}

const all = new WeakSet<Stage>();

/** Was `stage` made by `lookahead`? */
export function isLookahead(stage: Stage): boolean {
  return all.has(stage);
}

/**
 * A stage of an optimizer whose steps explore: after every `k` of them the parameters go back to where they began, but for `alpha` of
 * the way (Zhang et al. 2019, "Lookahead optimizer: k steps forward, 1 step back", https://arxiv.org/abs/1907.08610, algorithm 1).
 *
 * Throws ValueError unless `k` is a whole number of at least 1 and `alpha` from 0 to 1. Optimizers without a schedule refuse it: a step
 * of theirs begins at means of their own, not where the parameters were put.
 *
 * @example
 * ```ts
 * import { variable } from "@cotangent/autograd";
 * import { lookahead, SGD } from "@cotangent/nn";
 * const w = variable(8);
 * const optimizer = new SGD([w], { lr: 1, stages: [lookahead({ k: 2, alpha: 0.5 })] });
 * optimizer.step(w);
 * w.item(); // => 7
 * optimizer.step(w);
 * w.item(); // => 7
 * optimizer.step(w);
 * w.item(); // => 6
 * ```
 */
export function lookahead(options: LookaheadOptions = {}): Stage {
  const { k = 5, alpha = 0.5 } = optionsOf("lookahead", options, { k: true, alpha: true });
  checkCount("lookahead: k", k, 1);
  checkShare("lookahead: alpha", alpha);
  const stage: Stage = (parameters) => {
    const slow = new Map(parameters.map((parameter) => [parameter, new Variable(parameter).named("slow")]));
    const turn = variable(0, { dtype: "int32", name: "turn" });
    return {
      state: { turn: [turn], slow: [...slow.values()] },
      update: (gradients, next) => {
        const count = add(turn, 1);
        const isLast = eq(count, k);
        const changes = next(gradients).flatMap(([box, value]) => {
          const start = slow.get(box);
          if (!start) return [[box, value] as const];
          const reached: Tensor = add(start, mul(sub(value, start), alpha));
          return [
            [box, where(isLast, reached, value)],
            [start, where(isLast, reached, start)],
          ] as const;
        });
        return [...changes, [turn, where(isLast, 0, count)]];
      },
    };
  };
  all.add(stage);
  return stage;
}
