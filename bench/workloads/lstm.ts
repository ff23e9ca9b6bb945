import { sigmoid, type Tensor, tanh, variable, zeros } from "@cotangent/autograd";
import { SGD } from "@cotangent/nn";
import { mse } from "@cotangent/nn/loss";
import { Source } from "../data.ts";
import type { Variants } from "../workload.ts";
import { training } from "../workload.ts";

const inputs = 64;
const hidden = 128;
const steps = 32;
const batch = 16;

/** An LSTM cell unrolled by hand, mean squared error of the last state, gradient descent with rate 0.1. */
function lstmStep(): () => Tensor {
  const source = new Source(8);
  const bound = 1 / Math.sqrt(hidden);
  const sequence = source.normal([steps, batch, inputs], 1);
  const target = source.uniform([batch, hidden], -0.5, 0.5);
  const fromInput = variable(source.uniform([inputs, 4 * hidden], -bound, bound));
  const fromState = variable(source.uniform([hidden, 4 * hidden], -bound, bound));
  const bias = variable(source.uniform([4 * hidden], -bound, bound));
  const optimizer = new SGD([fromInput, fromState, bias], { lr: 0.1 });
  return () => {
    let h: Tensor = zeros([batch, hidden]);
    let c: Tensor = zeros([batch, hidden]);
    for (const x of sequence.unbind()) {
      const gates = x.matmul(fromInput).add(h.matmul(fromState)).add(bias);
      const [take, keep, candidate, show] = gates.chunk(4, { axis: 1 });
      c = sigmoid(keep!)
        .mul(c)
        .add(sigmoid(take!).mul(tanh(candidate!)));
      h = sigmoid(show!).mul(tanh(c));
    }
    const loss = mse(h, target);
    optimizer.step(loss);
    return loss;
  };
}

export const lstm: Variants = training(50, lstmStep);
