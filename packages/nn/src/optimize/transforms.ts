import type { Operand, Tensor } from "@cotangent/autograd/functional";
import {
  add,
  cast,
  div,
  eq,
  maximum,
  mul,
  pow,
  scalar,
  sqrt,
  sub,
  where,
  zerosLike,
} from "@cotangent/autograd/functional";
import type { Transform } from "./transform.ts";

/**
 * What optimizers are made of. A hyperparameter is a number or a rank-0 tensor; as a float64 variable it can be changed
 * between the steps of a compiled program. What is computed from hyperparameters alone is float64 until it meets a gradient.
 */
export type Hyperparameter = Operand<[]>;

/** The number in float64. */
export const exact = (value: Hyperparameter): Tensor<[]> =>
  typeof value === "number" ? scalar(value, { dtype: "float64" }) : cast(value, "float64");

/** `x` times a number of float64, rounded to the dtype of `x` first. */
export const scaled = (x: Tensor, factor: Tensor): Tensor => mul(x, cast(factor, x.dtype));

/** 1 less the number, in float64. */
export const one = (value: Hyperparameter): Tensor => sub(1, exact(value));

export const zeroSteps = (): Tensor => scalar(0, { dtype: "int32" });

const stateless: readonly Tensor[] = [];

/** Multiplies the gradient by `rate`. */
export function scaleByLearningRate(rate: Hyperparameter): Transform<readonly Tensor[]> {
  return {
    init: () => stateless,
    update: (g) => ({ update: scaled(g, exact(rate)), state: stateless }),
  };
}

/** Adds `rate` times the parameter: the gradient of `rate / 2` times the sum of its squares. */
export function addDecayedWeights(rate: Hyperparameter): Transform<readonly Tensor[]> {
  return {
    init: () => stateless,
    update: (g, _, parameter) => ({
      update: add(g, scaled(parameter, exact(rate))),
      state: stateless,
    }),
  };
}

export interface MomentumOptions {
  /** What the new gradient loses, except for the first one; 0 unless given. */
  readonly dampening?: Hyperparameter;
  /** Looks one step ahead (Nesterov 1983, as in Sutskever et al. 2013). */
  readonly nesterov?: boolean;
}

type MomentumState = { readonly momentumBuffer: Tensor; readonly step?: Tensor };

/**
 * Momentum (Polyak 1964): `b = momentum b + (1 - dampening) g`, beginning with `b = g`; gives `b`, or with `nesterov`
 * `g + momentum b`. The formulas are PyTorch's.
 */
export function trace(
  momentum: Hyperparameter,
  { dampening = 0, nesterov = false }: MomentumOptions = {},
): Transform<MomentumState & { readonly [name: string]: Tensor }> {
  const damped = dampening !== 0;
  return {
    init: (parameter) => ({
      momentumBuffer: zerosLike(parameter),
      ...(damped ? { step: zeroSteps() } : {}),
    }),
    update: (g, { momentumBuffer: before, step }) => {
      const kept = scaled(before, exact(momentum));
      // Without dampening the first step needs no rule of its own: the buffer is zero.
      const momentumBuffer = step
        ? where(eq(step, 0), g, add(kept, scaled(g, one(dampening))))
        : add(kept, g);
      return {
        update: nesterov ? add(g, scaled(momentumBuffer, exact(momentum))) : momentumBuffer,
        state: { momentumBuffer, ...(step ? { step: add(step, 1) } : {}) },
      };
    },
  };
}

export interface AdamScaling {
  /** How much of the averages of the gradients and of their squares is kept at a step; 0.9 and 0.999 unless given. */
  readonly betas?: readonly [Hyperparameter, Hyperparameter];
  /** Added to the denominator; 1e-8 unless given. */
  readonly eps?: Hyperparameter;
  /** Multiplies the result before it is divided, as in PyTorch, which saves a rounding; 1 unless given. */
  readonly rate?: Hyperparameter;
  /** Divides by the root of the largest average so far (Reddi, Kale and Kumar 2018, "On the convergence of Adam and beyond"). */
  readonly amsgrad?: boolean;
}

type AdamState = {
  readonly step: Tensor;
  readonly expAvg: Tensor;
  readonly expAvgSq: Tensor;
  readonly maxExpAvgSq?: Tensor;
};

/**
 * The running average of the gradients over the root of that of their squares, both freed from their bias towards 0 at the
 * beginning (Kingma and Ba 2015, "Adam", algorithm 1, with PyTorch's order of operations).
 */
export function scaleByAdam({
  betas: [beta1, beta2] = [0.9, 0.999],
  eps = 1e-8,
  rate = 1,
  amsgrad = false,
}: AdamScaling = {}): Transform<AdamState & { readonly [name: string]: Tensor }> {
  return {
    init: (parameter) => ({
      step: zeroSteps(),
      expAvg: zerosLike(parameter),
      expAvgSq: zerosLike(parameter),
      ...(amsgrad ? { maxExpAvgSq: zerosLike(parameter) } : {}),
    }),
    update: (g, before) => {
      const step = add(before.step, 1);
      const expAvg = add(scaled(before.expAvg, exact(beta1)), scaled(g, one(beta1)));
      const expAvgSq = add(scaled(before.expAvgSq, exact(beta2)), mul(scaled(g, one(beta2)), g));
      const times = cast(step, "float64");
      const bias1 = sub(1, pow(exact(beta1), times));
      const bias2 = sub(1, pow(exact(beta2), times));
      const maxExpAvgSq = before.maxExpAvgSq ? maximum(before.maxExpAvgSq, expAvgSq) : null;
      const root = div(sqrt(maxExpAvgSq ?? expAvgSq), cast(sqrt(bias2), g.dtype));
      const update = div(scaled(expAvg, div(exact(rate), bias1)), add(root, cast(exact(eps), g.dtype)));
      return { update, state: { step, expAvg, expAvgSq, ...(maxExpAvgSq ? { maxExpAvgSq } : {}) } };
    },
  };
}
