import type { Tensor } from "@cotangent/autograd/functional";
import { add, div, fullLike, mul, sqrt, square, sub } from "@cotangent/autograd/functional";
import { Method, type MethodOptions, type Trainable } from "./groups.ts";
import { chain, type Transform } from "./transform.ts";
import { addDecayedWeights, exact, type Hyperparameter, perStep, type Schedule } from "./transforms.ts";

/** The gradient over the root of the sum of all its squares. */
function scaleByAdagrad(
  rate: Hyperparameter,
  lrDecay: Hyperparameter,
  eps: Hyperparameter,
  initial: number,
): Transform<{ readonly sum: Tensor }> {
  const numbers = perStep((step) => ({
    rate: div(exact(rate, step), add(mul(sub(step, 1), exact(lrDecay, step)), 1)),
    small: exact(eps, step),
  }));
  return {
    init: (parameter) => ({ sum: fullLike(parameter, initial) }),
    update: (g, before, _, step) => {
      const { rate, small } = numbers(step, g.dtype, g.shape);
      const sum = add(before.sum, square(g));
      return { update: mul(div(g, add(sqrt(sum), small)), rate), state: { sum } };
    },
  };
}

export interface AdagradOptions extends MethodOptions {
  /** The learning rate; 0.01 unless given. */
  readonly lr?: number | Schedule | undefined;
  /** The rate at step t is `lr / (1 + (t - 1) lrDecay)`; 0 unless given. */
  readonly lrDecay?: number | Schedule | undefined;
  /** Adds this times the parameter to the gradient; 0 unless given. */
  readonly weightDecay?: number | Schedule | undefined;
  /** What the sums of squares begin with; 0 unless given. */
  readonly initialAccumulatorValue?: number | undefined;
  /** Added to the denominator; 1e-10 unless given. */
  readonly eps?: number | Schedule | undefined;
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
export class Adagrad extends Method<AdagradOptions> {
  declare lr: number;
  declare lrDecay: number;
  declare eps: number;
  declare weightDecay: number;
  declare readonly initialAccumulatorValue: number;

  constructor(parameters: Trainable<AdagradOptions>, options: AdagradOptions = {}) {
    super(
      parameters,
      options,
      (numbers, { lr = 0.01, lrDecay = 0, weightDecay = 0, initialAccumulatorValue = 0, eps = 1e-10 }) => {
        const initial = numbers.addInitial("initialAccumulatorValue", initialAccumulatorValue);
        const rate = numbers.add("lr", lr);
        const slowing = numbers.add("lrDecay", lrDecay);
        const small = numbers.add("eps", eps);
        const decay = numbers.addUnlessZero("weightDecay", weightDecay);
        return chain(decay && addDecayedWeights(decay), scaleByAdagrad(rate, slowing, small, initial));
      },
    );
  }
}
