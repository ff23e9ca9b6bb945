import { ValueError } from "@cotangent/autograd/functional";
import { Method, type MethodOptions, type Trainable } from "./groups.ts";
import { chain } from "./transform.ts";
import { addDecayedWeights, type Schedule, scaleByLearningRate, trace } from "./transforms.ts";

export interface SGDOptions extends MethodOptions {
  /** The learning rate. */
  readonly lr: number | Schedule;
  /** How much of the last steps goes into this one; 0 unless given. */
  readonly momentum?: number | Schedule | undefined;
  /** What a new gradient loses in favour of the momentum, after the first step of the optimizer; 0 unless given. */
  readonly dampening?: number | Schedule | undefined;
  /** Looks one step ahead. Needs momentum and no dampening. */
  readonly nesterov?: boolean | undefined;
  /** Adds this times the parameter to the gradient; 0 unless given. */
  readonly weightDecay?: number | Schedule | undefined;
}

/**
 * Stochastic gradient descent, with momentum and weight decay if wanted. The numbers are PyTorch's (`torch.optim.SGD`), step
 * by step. Each option is a property that can be assigned between steps, unless it was 0 at the beginning.
 *
 * Throws ValueError for numbers below 0 or not finite, and for `nesterov` without momentum or with dampening.
 *
 * @example
 * ```ts
 * import { variable } from "@cotangent/autograd";
 * import { SGD } from "@cotangent/nn";
 * const w = variable(4);
 * const optimizer = new SGD([w], { lr: 0.25 });
 * optimizer.step(w.square());
 * w.item(); // => 2
 * optimizer.lr = 0.125;
 * optimizer.step(w.square());
 * w.item(); // => 1.5
 * ```
 */
export class SGD extends Method<SGDOptions> {
  declare lr: number;
  declare momentum: number;
  declare dampening: number;
  declare weightDecay: number;
  declare readonly nesterov: boolean;

  constructor(parameters: Trainable<SGDOptions>, options: SGDOptions) {
    super(
      parameters,
      options,
      (numbers, { lr, momentum = 0, dampening = 0, nesterov = false, weightDecay = 0 }) => {
        if (nesterov && (momentum === 0 || dampening !== 0))
          throw new ValueError(
            `SGD: nesterov needs momentum above 0 and no dampening, got momentum ${momentum} and dampening ${dampening}`,
          );
        const rate = numbers.add("lr", lr);
        const decay = numbers.addUnlessZero("weightDecay", weightDecay);
        const kept = numbers.addUnlessZero("momentum", momentum);
        const lost = numbers.addUnlessZero("dampening", dampening);
        numbers.addFlag("nesterov", nesterov);
        return chain(
          decay && addDecayedWeights(decay),
          kept && trace(kept, { dampening: lost ?? 0, nesterov }),
          scaleByLearningRate(rate),
        );
      },
    );
  }
}
