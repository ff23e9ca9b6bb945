import type { Tensor } from "@cotangent/autograd/functional";
import {
  add,
  cast,
  div,
  mul,
  pow,
  scalar,
  sqrt,
  square,
  sub,
  zerosLike,
} from "@cotangent/autograd/functional";
import { movingAverage } from "./formulas.ts";
import { Method, type MethodOptions, type Trainable } from "./groups.ts";
import { share } from "./numbers.ts";
import { chain, type Transform } from "./transform.ts";
import {
  addDecayedWeights,
  decayWeights,
  exact,
  type Hyperparameter,
  perStep,
  type Schedule,
} from "./transforms.ts";

interface NAdamScaling {
  readonly rate: Hyperparameter;
  readonly betas: readonly [Hyperparameter, Hyperparameter];
  readonly eps: Hyperparameter;
  readonly momentumDecay: Hyperparameter;
}

type NAdamState = { readonly muProduct: Tensor; readonly expAvg: Tensor; readonly expAvgSq: Tensor };

/** Adam's update with the average of the gradients one step ahead, as in Nesterov's momentum. */
function scaleByNAdam({
  rate,
  betas: [beta1, beta2],
  eps,
  momentumDecay,
}: NAdamScaling): Transform<NAdamState> {
  const numbers = perStep((step) => {
    const [kept, keptSq] = [exact(beta1, step), exact(beta2, step)];
    return {
      kept,
      gained: sub(1, kept),
      keptSq,
      gainedSq: sub(1, keptSq),
      biasSq: sub(1, pow(keptSq, step)),
      small: exact(eps, step),
    };
  });
  const momenta = perStep((step) => {
    const at = (time: Tensor): Tensor => {
      const warm = sub(1, mul(0.5, pow(0.96, mul(time, exact(momentumDecay, step)))));
      return mul(exact(beta1, step), warm);
    };
    const [mu, next, lr] = [at(step), at(add(step, 1)), exact(rate, step)];
    return { mu, next, rateOfGradient: mul(lr, sub(1, mu)), rateOfAverage: mul(lr, next) };
  });
  return {
    init: (parameter) => ({
      muProduct: scalar(1, { dtype: "float64" }),
      expAvg: zerosLike(parameter),
      expAvgSq: zerosLike(parameter),
    }),
    update: (g, before, _, step) => {
      const { kept, gained, keptSq, gainedSq, biasSq, small } = numbers(step, g.dtype, g.shape);
      const { mu, next, rateOfGradient, rateOfAverage } = momenta(step, "float64");
      const muProduct = mul(before.muProduct, mu);
      const expAvg = movingAverage(before.expAvg, kept, g, gained);
      const expAvgSq = movingAverage(before.expAvgSq, keptSq, square(g), gainedSq);
      const scale = (factor: Tensor, product: Tensor): Tensor => cast(div(factor, sub(1, product)), g.dtype);
      const ahead = add(
        mul(g, scale(rateOfGradient, muProduct)),
        mul(expAvg, scale(rateOfAverage, mul(muProduct, next))),
      );
      const root = add(sqrt(div(expAvgSq, biasSq)), small);
      return { update: div(ahead, root), state: { muProduct, expAvg, expAvgSq } };
    },
  };
}

export interface NAdamOptions extends MethodOptions {
  /** The learning rate; 0.002 unless given. */
  readonly lr?: number | Schedule | undefined;
  /** How much of the averages of the gradients and of their squares is kept at a step; 0.9 and 0.999 unless given. */
  readonly betas?: readonly [number | Schedule, number | Schedule] | undefined;
  /** Added to the denominator; 1e-8 unless given. */
  readonly eps?: number | Schedule | undefined;
  /** Adds this times the parameter to the gradient; 0 unless given. */
  readonly weightDecay?: number | Schedule | undefined;
  /** How soon the momentum comes up to `betas[0]`; 0.004 unless given. */
  readonly momentumDecay?: number | Schedule | undefined;
  /** Takes `lr weightDecay` times the parameter away at each step instead, as AdamW does. */
  readonly decoupledWeightDecay?: boolean | undefined;
}

/**
 * Adam with Nesterov's momentum (Dozat 2016, "Incorporating Nesterov momentum into Adam"). The numbers are PyTorch's
 * (`torch.optim.NAdam`), step by step, but for one factor of the momentum that its version 1.13 takes twice. Each number is a
 * property that can be assigned between steps, `weightDecay` unless it was 0 at the beginning.
 *
 * Throws ValueError for numbers below 0 or not finite, and for betas of 1 or more.
 *
 * @example
 * ```ts
 * import { variable } from "@cotangent/autograd";
 * import { NAdam } from "@cotangent/nn";
 * const w = variable(4);
 * const optimizer = new NAdam([w], { lr: 0.1, momentumDecay: 0 });
 * optimizer.step(w.square());
 * w; // => Variable(3.8944, float32)
 * ```
 */
export class NAdam extends Method<NAdamOptions> {
  declare lr: number;
  declare betas: readonly [number, number];
  declare eps: number;
  declare weightDecay: number;
  declare momentumDecay: number;
  declare readonly decoupledWeightDecay: boolean;

  constructor(parameters: Trainable<NAdamOptions>, options: NAdamOptions = {}) {
    super(parameters, options, (numbers, given) => {
      const { lr = 0.002, betas = [0.9, 0.999], eps = 1e-8, weightDecay = 0, momentumDecay = 0.004 } = given;
      const { decoupledWeightDecay = false } = given;
      const rate = numbers.add("lr", lr);
      const averages = numbers.addPair("betas", betas, share);
      const small = numbers.add("eps", eps);
      const decay = numbers.addUnlessZero("weightDecay", weightDecay);
      const warming = numbers.add("momentumDecay", momentumDecay);
      const apart = numbers.addFlag("decoupledWeightDecay", decoupledWeightDecay);
      return chain(
        decay && !apart ? addDecayedWeights(decay) : null,
        scaleByNAdam({ rate, betas: averages, eps: small, momentumDecay: warming }),
        decay && apart ? decayWeights(rate, decay) : null,
      );
    });
  }
}
