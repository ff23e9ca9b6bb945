import type { Tensor, Variable } from "@cotangent/autograd/functional";
import { add, div, leavesOf, maximum, mul, pow, sub } from "@cotangent/autograd/functional";
import { Method, type MethodOptions, type Trainable } from "./groups.ts";
import { chain, type Transform } from "./transform.ts";
import { addDecayedWeights, exact, type Hyperparameter, perStep, type Schedule } from "./transforms.ts";

interface Averaging {
  readonly rate: Hyperparameter;
  readonly lambd: Hyperparameter;
  readonly alpha: Hyperparameter;
  readonly t0: Hyperparameter;
}

/** Descent at a falling rate, which carries the mean of the parameter along. The last of a chain. */
function averaged({ rate, lambd, alpha, t0 }: Averaging): Transform<{ readonly ax: Tensor }> {
  const numbers = perStep((step) => {
    const [lr, decay, before] = [exact(rate, step), exact(lambd, step), sub(step, 1)];
    const eta = div(lr, pow(add(1, mul(mul(decay, lr), before)), exact(alpha, step)));
    return {
      eta,
      kept: sub(1, mul(decay, eta)),
      mu: div(1, maximum(1, sub(before, exact(t0, step)))),
    };
  });
  return {
    init: (parameter) => ({ ax: parameter }),
    update: (g, { ax }, parameter, step) => {
      const { eta, kept, mu } = numbers(step, g.dtype);
      const moved = sub(mul(parameter, kept), mul(g, eta));
      // With a mu of 1 this is `moved`, but for a rounding.
      const mean = add(ax, mul(sub(moved, ax), mu));
      return { update: sub(parameter, moved), state: { ax: mean } };
    },
  };
}

export interface ASGDOptions extends MethodOptions {
  /** The learning rate at the beginning; 0.01 unless given. */
  readonly lr?: number | Schedule | undefined;
  /** Each step takes `lambd` times the rate of the parameter away; 0.0001 unless given. */
  readonly lambd?: number | Schedule | undefined;
  /** The power by which the rate falls; 0.75 unless given. */
  readonly alpha?: number | Schedule | undefined;
  /** The step after which parameters are averaged; 1e6 unless given. */
  readonly t0?: number | Schedule | undefined;
  /** Adds this times the parameter to the gradient; 0 unless given. */
  readonly weightDecay?: number | Schedule | undefined;
}

/**
 * Averaged stochastic gradient descent (Polyak and Juditsky 1992): step t has the rate `lr / (1 + lambd lr (t - 1)) ^ alpha`, and
 * `averages` holds the mean of each parameter since step `t0`. The numbers are PyTorch's (`torch.optim.ASGD`), step by step. Each
 * number is a property that can be assigned between steps, `weightDecay` unless it was 0 at the beginning.
 *
 * Throws ValueError for numbers below 0 or not finite.
 *
 * @example
 * ```ts
 * import { variable } from "@cotangent/autograd";
 * import { ASGD } from "@cotangent/nn";
 * const w = variable(4);
 * const optimizer = new ASGD([w], { lr: 0.25, lambd: 0, t0: 0 });
 * for (let i = 0; i < 3; i++) optimizer.step(w.square());
 * w.item(); // => 0.5
 * optimizer.averages[0].item(); // => 0.75
 * ```
 */
export class ASGD extends Method<ASGDOptions> {
  declare lr: number;
  declare lambd: number;
  declare alpha: number;
  declare t0: number;
  declare weightDecay: number;

  constructor(parameters: Trainable<ASGDOptions>, options: ASGDOptions = {}) {
    super(
      parameters,
      options,
      (numbers, { lr = 0.01, lambd = 1e-4, alpha = 0.75, t0 = 1e6, weightDecay = 0 }) => {
        const averaging = {
          rate: numbers.add("lr", lr),
          lambd: numbers.add("lambd", lambd),
          alpha: numbers.add("alpha", alpha),
          t0: numbers.add("t0", t0),
        };
        const decay = numbers.addUnlessZero("weightDecay", weightDecay);
        return chain(decay && addDecayedWeights(decay), averaged(averaging));
      },
    );
  }

  /** The mean of each parameter, in their order. */
  get averages(): readonly Variable[] {
    return this.state.map((state) => leavesOf(state)[0] as Variable);
  }
}
