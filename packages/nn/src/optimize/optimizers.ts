import type { Variable } from "@cotangent/autograd";
import { ValueError } from "@cotangent/autograd";
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
  readonly #numbers: Numbers;

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
    this.#numbers = numbers;
  }

  get lr(): number {
    return this.#numbers.get("lr");
  }
  set lr(value: number) {
    this.#numbers.set("lr", value);
  }

  get momentum(): number {
    return this.#numbers.get("momentum");
  }
  set momentum(value: number) {
    this.#numbers.set("momentum", value);
  }

  get dampening(): number {
    return this.#numbers.get("dampening");
  }
  set dampening(value: number) {
    this.#numbers.set("dampening", value);
  }

  get weightDecay(): number {
    return this.#numbers.get("weightDecay");
  }
  set weightDecay(value: number) {
    this.#numbers.set("weightDecay", value);
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
}

/**
 * Adam (Kingma and Ba 2015, https://arxiv.org/abs/1412.6980). The numbers are PyTorch's (`torch.optim.Adam`), step by step.
 * Each option is a property that can be assigned between steps, `weightDecay` unless it was 0 at the beginning.
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
  readonly #numbers: Numbers;

  constructor(
    parameters: Iterable<Variable>,
    { lr = 0.001, betas = [0.9, 0.999], eps = 1e-8, weightDecay = 0 }: AdamOptions = {},
  ) {
    const numbers = new Numbers("Adam");
    const rate = numbers.add("lr", lr);
    const beta1 = numbers.add("betas[0]", betas[0], 1);
    const beta2 = numbers.add("betas[1]", betas[1], 1);
    const small = numbers.add("eps", eps);
    const decay = numbers.addUnlessZero("weightDecay", weightDecay);
    const adam = scaleByAdam({ betas: [beta1, beta2], eps: small, rate });
    super(parameters, decay ? chain(addDecayedWeights(decay), adam) : adam);
    this.#numbers = numbers;
  }

  get lr(): number {
    return this.#numbers.get("lr");
  }
  set lr(value: number) {
    this.#numbers.set("lr", value);
  }

  get betas(): readonly [number, number] {
    return [this.#numbers.get("betas[0]"), this.#numbers.get("betas[1]")];
  }
  set betas([beta1, beta2]: readonly [number, number]) {
    this.#numbers.check("betas[1]", beta2);
    this.#numbers.set("betas[0]", beta1);
    this.#numbers.set("betas[1]", beta2);
  }

  get eps(): number {
    return this.#numbers.get("eps");
  }
  set eps(value: number) {
    this.#numbers.set("eps", value);
  }

  get weightDecay(): number {
    return this.#numbers.get("weightDecay");
  }
  set weightDecay(value: number) {
    this.#numbers.set("weightDecay", value);
  }
}
