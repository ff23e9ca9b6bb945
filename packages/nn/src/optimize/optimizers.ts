import type { Variable } from "@cotangent/autograd/functional";
import { ValueError } from "@cotangent/autograd/functional";
import { Numbers } from "./numbers.ts";
import { chain, Optimizer, type Transform } from "./transform.ts";
import { addDecayedWeights, scaleByAdam, scaleByLearningRate, trace } from "./transforms.ts";

export interface SGDOptions {
  /** The learning rate. */
  readonly lr: number;
  /** How much of the last steps goes into this one; 0 unless given. */
  readonly momentum?: number;
  /** What the new gradient loses in favour of the momentum; 0 unless given. */
  readonly dampening?: number;
  /** Looks one step ahead. Needs momentum and no dampening. */
  readonly nesterov?: boolean;
  /** Adds this times the parameter to the gradient; 0 unless given. */
  readonly weightDecay?: number;
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
export class SGD extends Optimizer {
  readonly nesterov: boolean;
  declare lr: number;
  declare momentum: number;
  declare dampening: number;
  declare weightDecay: number;

  constructor(parameters: Iterable<Variable>, options: SGDOptions) {
    const { lr, momentum = 0, dampening = 0, nesterov = false, weightDecay = 0 } = options ?? {};
    if (nesterov && (momentum === 0 || dampening !== 0))
      throw new ValueError(
        `SGD: nesterov needs momentum above 0 and no dampening, got momentum ${momentum} and dampening ${dampening}`,
      );
    const numbers = new Numbers("SGD");
    const rate = numbers.add("lr", lr);
    const decay = numbers.addUnlessZero("weightDecay", weightDecay);
    const kept = numbers.addUnlessZero("momentum", momentum);
    const lost = numbers.addUnlessZero("dampening", dampening);
    const parts: Transform[] = [];
    if (decay) parts.push(addDecayedWeights(decay));
    if (kept) parts.push(trace(kept, { dampening: lost ?? 0, nesterov }));
    super(parameters, chain(...parts, scaleByLearningRate(rate)));
    this.nesterov = nesterov;
    numbers.exposeOn(this);
  }
}

export interface AdamOptions {
  /** The learning rate; 0.001 unless given. */
  readonly lr?: number;
  /** How much of the averages of the gradients and of their squares is kept at a step; 0.9 and 0.999 unless given. */
  readonly betas?: readonly [number, number];
  /** Added to the denominator; 1e-8 unless given. */
  readonly eps?: number;
  /** Adds this times the parameter to the gradient; 0 unless given. */
  readonly weightDecay?: number;
  /** Divides by the root of the largest average of the squares so far (Reddi, Kale and Kumar 2018). */
  readonly amsgrad?: boolean;
}

/**
 * Adam (Kingma and Ba 2015, https://arxiv.org/abs/1412.6980). The numbers are PyTorch's (`torch.optim.Adam`), step by step.
 * Each number is a property that can be assigned between steps, `weightDecay` unless it was 0 at the beginning.
 *
 * Throws ValueError for numbers below 0 or not finite, and for betas of 1 or more.
 *
 * @example
 * ```ts
 * import { variable } from "@cotangent/autograd";
 * import { Adam } from "@cotangent/nn";
 * const w = variable(4);
 * const optimizer = new Adam([w], { lr: 0.1 });
 * optimizer.step(w.square());
 * w; // => Variable(3.9, float32)
 * ```
 */
export class Adam extends Optimizer {
  readonly amsgrad: boolean;
  declare lr: number;
  declare betas: readonly [number, number];
  declare eps: number;
  declare weightDecay: number;

  constructor(parameters: Iterable<Variable>, options: AdamOptions = {}) {
    const { lr = 0.001, betas = [0.9, 0.999], eps = 1e-8, weightDecay = 0, amsgrad = false } = options;
    const numbers = new Numbers("Adam");
    const rate = numbers.add("lr", lr);
    const averages = numbers.addPair("betas", betas, 1);
    const small = numbers.add("eps", eps);
    const decay = numbers.addUnlessZero("weightDecay", weightDecay);
    const adam = scaleByAdam({ betas: averages, eps: small, rate, amsgrad });
    super(parameters, decay ? chain(addDecayedWeights(decay), adam) : adam);
    this.amsgrad = amsgrad;
    numbers.exposeOn(this);
  }
}
