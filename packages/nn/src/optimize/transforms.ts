import type { DType, Operand, Shape } from "@cotangent/autograd/functional";
import {
  broadcastTo,
  cast,
  div,
  eq,
  maximum,
  mul,
  neg,
  pow,
  scalar,
  sqrt,
  sub,
  Tensor,
  ValueError,
  where,
  zerosLike,
} from "@cotangent/autograd/functional";
import { optionsOf } from "../options.ts";
import { adamRatio, addScaled, decayedUpdate, movingAverage, movingAverageOfSquares } from "./formulas.ts";
import type { Transform } from "./transform.ts";

/** From how many steps have been taken (a float64 without axes, 0 at first) to a number for the next one, without axes. */
export type Schedule = (step: Tensor) => Operand<[]>;

/**
 * What optimizers are made of. A hyperparameter is a number, a rank-0 tensor or a schedule; as a float64 variable it can be
 * changed between the steps of a compiled program. What is computed from hyperparameters alone is float64 until it meets a
 * gradient.
 */
export type Hyperparameter = Operand<[]> | Schedule;

/** The number at `step`, which counts from 1, in float64. */
export function exact(value: Hyperparameter, step: Tensor): Tensor {
  const now = typeof value === "function" ? value(sub(step, 1)) : value;
  if (typeof now === "number") return scalar(now, { dtype: "float64" });
  if (now instanceof Tensor && now.rank === 0) return cast(now, "float64");
  throw new ValueError(`schedule: gives a number or a tensor without axes, got ${String(now)}`);
}

/**
 * The numbers of a step that no gradient takes part in. `build` makes them of hyperparameters and of the number of the step,
 * from 1, all in float64; what comes back is called by each parameter with the step and its dtype, and gives them rounded to
 * it, and with a shape broadcast to it. All parameters of one dtype and shape get the same nodes: `build` is called once in a step.
 *
 * @example
 * ```ts
 * import { div, mul, variable } from "@cotangent/autograd";
 * import { Optimizer, perStep } from "@cotangent/nn";
 * const numbers = perStep((step) => ({ rate: div(0.5, step) }));
 * const w = variable([3, -4]);
 * const optimizer = new Optimizer([w], {
 *   init: () => [],
 *   update: (g, _state, _parameter, step) => ({ update: mul(g, numbers(step, g.dtype, g.shape).rate), state: [] }),
 * });
 * optimizer.step(w.sum());
 * optimizer.step(w.sum());
 * w.toArray(); // => 2.25,-4.75
 * ```
 */
export function perStep<K extends string>(
  build: (step: Tensor) => Record<K, Tensor>,
): (step: Tensor, dtype: DType, shape?: Shape) => Record<K, Tensor> {
  type Numbers = Record<K, Tensor>;
  let known: { step: Tensor; dtype: DType; numbers: Numbers; shaped: Map<string, Numbers> } | null = null;
  return (step, dtype, shape = []) => {
    if (known?.step !== step || known.dtype !== dtype) {
      const numbers = build(cast(step, "float64"));
      for (const name in numbers)
        if (numbers[name].dtype === "float64") numbers[name] = cast(numbers[name], dtype);
      known = { step, dtype, numbers, shaped: new Map() };
    }
    const { numbers, shaped } = known;
    if (shape.length === 0) return numbers;
    const key = shape.join();
    const found = shaped.get(key);
    if (found) return found;
    const broadcast = { ...numbers };
    for (const name in broadcast) broadcast[name] = broadcastTo(broadcast[name], shape);
    shaped.set(key, broadcast);
    return broadcast;
  };
}

const stateless: readonly Tensor[] = [];

/** Multiplies the gradient by `rate`. */
export function scaleByLearningRate(rate: Hyperparameter): Transform<readonly Tensor[]> {
  const numbers = perStep((step) => ({ rate: exact(rate, step) }));
  return {
    init: () => stateless,
    update: (g, _, __, step) => ({ update: mul(g, numbers(step, g.dtype, g.shape).rate), state: stateless }),
  };
}

/** Adds `rate` times the parameter: the gradient of `rate / 2` times the sum of its squares. */
export function addDecayedWeights(rate: Hyperparameter): Transform<readonly Tensor[]> {
  const numbers = perStep((step) => ({ rate: exact(rate, step) }));
  return {
    init: () => stateless,
    update: (g, _, parameter, step) => ({
      update: addScaled(g, numbers(step, g.dtype, g.shape).rate, parameter),
      state: stateless,
    }),
  };
}

/**
 * Makes the parameter smaller by `rate decay` of itself before the update `g` is subtracted: weight decay that goes through no
 * averages (Loshchilov and Hutter 2019). The last of a chain. It has PyTorch's roundings: the optimizer's own subtraction, of
 * nearly all of the parameter from itself, has none.
 */
export function decayWeights(rate: Hyperparameter, decay: Hyperparameter): Transform<readonly Tensor[]> {
  const numbers = perStep((step) => ({ kept: sub(1, mul(exact(rate, step), exact(decay, step))) }));
  return {
    init: () => stateless,
    update: (g, _, parameter, step) => {
      const { kept } = numbers(step, g.dtype, g.shape);
      return { update: decayedUpdate(parameter, kept, g), state: stateless };
    },
  };
}

/** Climbs rather than descends, put first. */
export function negate(): Transform<readonly Tensor[]> {
  return { init: () => stateless, update: (g) => ({ update: neg(g), state: stateless }) };
}

export interface MomentumOptions {
  /** What the new gradient loses, except for the first one; 0 unless given. */
  readonly dampening?: Hyperparameter | undefined;
  /** Looks one step ahead (Nesterov 1983, as in Sutskever et al. 2013). */
  readonly nesterov?: boolean | undefined;
}

/**
 * Momentum (Polyak 1964): `b = momentum b + (1 - dampening) g`, beginning with `b = g`; gives `b`, or with `nesterov`
 * `g + momentum b`. The formulas are PyTorch's.
 */
export function trace(
  momentum: Hyperparameter,
  options: MomentumOptions = {},
): Transform<{ readonly momentumBuffer: Tensor }> {
  const { dampening = 0, nesterov = false } = optionsOf("trace", options, {
    dampening: true,
    nesterov: "boolean",
  });
  const damped = dampening !== 0;
  const numbers = perStep((step) => ({
    kept: exact(momentum, step),
    // Without dampening the first step needs no rule of its own: the buffer is zero.
    gained: damped ? where(eq(step, 1), 1, sub(1, exact(dampening, step))) : exact(1, step),
  }));
  return {
    init: (parameter) => ({ momentumBuffer: zerosLike(parameter) }),
    update: (g, before, _, step) => {
      const { kept, gained } = numbers(step, g.dtype, g.shape);
      const momentumBuffer = damped
        ? movingAverage(before.momentumBuffer, kept, g, gained)
        : addScaled(g, kept, before.momentumBuffer);
      return {
        update: nesterov ? addScaled(g, kept, momentumBuffer) : momentumBuffer,
        state: { momentumBuffer },
      };
    },
  };
}

export interface AdamScaling {
  /** How much of the averages of the gradients and of their squares is kept at a step; 0.9 and 0.999 unless given. */
  readonly betas?: readonly [Hyperparameter, Hyperparameter] | undefined;
  /** Added to the denominator; 1e-8 unless given. */
  readonly eps?: Hyperparameter | undefined;
  /** Multiplies the result before it is divided, as in PyTorch, which saves a rounding; 1 unless given. */
  readonly rate?: Hyperparameter | undefined;
  /** Divides by the root of the largest average so far (Reddi, Kale and Kumar 2018, "On the convergence of Adam and beyond"). */
  readonly amsgrad?: boolean | undefined;
}

type AdamState = {
  readonly expAvg: Tensor;
  readonly expAvgSq: Tensor;
  readonly maxExpAvgSq?: Tensor | undefined;
};

/**
 * The running average of the gradients over the root of that of their squares, both freed from their bias towards 0 at the
 * beginning (Kingma and Ba 2015, "Adam", algorithm 1, with PyTorch's order of operations).
 */
export function scaleByAdam(
  options: AdamScaling = {},
): Transform<AdamState & { readonly [name: string]: Tensor }> {
  const {
    betas: [beta1, beta2] = [0.9, 0.999],
    eps = 1e-8,
    rate = 1,
    amsgrad = false,
  } = optionsOf("scaleByAdam", options, { betas: true, eps: true, rate: true, amsgrad: "boolean" });
  const numbers = perStep((step) => {
    const [kept, keptSq] = [exact(beta1, step), exact(beta2, step)];
    return {
      kept,
      gained: sub(1, kept),
      keptSq,
      gainedSq: sub(1, keptSq),
      stepSize: div(exact(rate, step), sub(1, pow(kept, step))),
      rootOfBias: sqrt(sub(1, pow(keptSq, step))),
      small: exact(eps, step),
    };
  });
  return {
    init: (parameter) => ({
      expAvg: zerosLike(parameter),
      expAvgSq: zerosLike(parameter),
      ...(amsgrad ? { maxExpAvgSq: zerosLike(parameter) } : {}),
    }),
    update: (g, before, _, step) => {
      const { kept, gained, keptSq, gainedSq, stepSize, rootOfBias, small } = numbers(step, g.dtype, g.shape);
      const expAvg = movingAverage(before.expAvg, kept, g, gained);
      const expAvgSq = movingAverageOfSquares(before.expAvgSq, keptSq, g, gainedSq);
      const maxExpAvgSq = before.maxExpAvgSq ? maximum(before.maxExpAvgSq, expAvgSq) : null;
      return {
        update: adamRatio(expAvg, stepSize, maxExpAvgSq ?? expAvgSq, rootOfBias, small),
        state: { expAvg, expAvgSq, ...(maxExpAvgSq ? { maxExpAvgSq } : {}) },
      };
    },
  };
}
