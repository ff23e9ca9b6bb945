import type { Tensor } from "@cotangent/autograd/functional";
import {
  add,
  cat,
  chunk,
  linear,
  matmul,
  mul,
  relu,
  sigmoid,
  sub,
  tanh,
  transpose,
  ValueError,
} from "@cotangent/autograd/functional";

/** What a recurrent network does in one step, from the weights of one layer and one direction. */

/** The weights as PyTorch lays them out: the gates lie one below the other in the rows. */
export interface Weights {
  /** [gates * hidden, in] */
  readonly weightIh: Tensor;
  /** [gates * hidden, out] */
  readonly weightHh: Tensor;
  /** [gates * hidden] */
  readonly biasIh: Tensor | null;
  readonly biasHh: Tensor | null;
  /** [out, hidden], where the state is projected. */
  readonly weightHr?: Tensor | null | undefined;
}

/** What is carried from step to step, [n, out] and for an LSTM also [n, hidden]. The first one is the output. */
export type State = readonly [h: Tensor, ...cell: Tensor[]];

type Step = (x: Tensor, state: State) => State;

export interface Gates {
  /** How many rows of the weights there are for each feature of the state. */
  readonly count: number;
  /** How many tensors make up the state. */
  readonly states: 1 | 2;
  /** A step with the given weights: what does not depend on the step is done once. */
  readonly prepare: (weights: Weights) => Step;
}

/** `x W_ih^T + h W_hh^T + b`, as one product of `x` and `h` side by side. */
function joint({ weightIh, weightHh, biasIh, biasHh }: Weights): (x: Tensor, h: Tensor) => Tensor {
  const weight: Tensor = transpose(cat([weightIh, weightHh], 1) as Tensor);
  const bias: Tensor | null = biasIh && biasHh ? add(biasIh, biasHh) : null;
  return (x, h) => {
    const product: Tensor = matmul(cat([x, h], 1) as Tensor, weight);
    return bias ? add(product, bias) : product;
  };
}

export type Nonlinearity = "tanh" | "relu";

/** `h' = tanh(W_ih x + b_ih + W_hh h + b_hh)` (Elman 1990), or with relu. */
export function plainGates(name: string, nonlinearity: Nonlinearity): Gates {
  if (nonlinearity !== "tanh" && nonlinearity !== "relu")
    throw new ValueError(`${name}: nonlinearity is "tanh" or "relu", got ${String(nonlinearity)}`);
  const activation = nonlinearity === "tanh" ? tanh : relu;
  const prepare = (weights: Weights): Step => {
    const gate = joint(weights);
    return (x, [h]) => [activation(gate(x, h))];
  };
  return { count: 1, states: 1, prepare };
}

/** Gates i, f, g, o: `c' = f c + i g`, `h' = o tanh(c')` (Hochreiter and Schmidhuber 1997; Gers et al. 2000; Sak et al. 2014). */
export const lstmGates: Gates = {
  count: 4,
  states: 2,
  prepare: (weights) => {
    const gates = joint(weights);
    const { weightHr } = weights;
    return (x, [h, c]) => {
      const [take, keep, candidate, show] = chunk(gates(x, h), 4, { axis: 1 }) as Four;
      const cell: Tensor = add(mul(sigmoid(keep), c!), mul(sigmoid(take), tanh(candidate)));
      const out: Tensor = mul(sigmoid(show), tanh(cell));
      return [weightHr ? linear(out, weightHr) : out, cell];
    };
  },
};

type Four = [Tensor, Tensor, Tensor, Tensor];

const thirds = (x: Tensor) => chunk(x, 3, { axis: 1 }) as [Tensor, Tensor, Tensor];

/** Gates r, z, n: `n = tanh(W x + b + r (U h + d))`, `h' = (1 - z) n + z h` (Cho et al. 2014, with the reset after the product). */
export const gruGates: Gates = {
  count: 3,
  states: 1,
  prepare:
    ({ weightIh, weightHh, biasIh, biasHh }) =>
    (x, [h]) => {
      const [resetIn, updateIn, newIn] = thirds(linear(x, weightIh, biasIh ?? undefined));
      const [resetState, updateState, newState] = thirds(linear(h, weightHh, biasHh ?? undefined));
      const reset: Tensor = sigmoid(add(resetIn, resetState));
      const update: Tensor = sigmoid(add(updateIn, updateState));
      const candidate: Tensor = tanh(add(newIn, mul(reset, newState)));
      return [add(candidate, mul(update, sub(h, candidate)))];
    },
};
