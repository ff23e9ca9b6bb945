import type { Tensor } from "@cotangent/autograd";
import { relu, variable, zeros } from "@cotangent/autograd";
import { Adam } from "@cotangent/nn";
import { crossEntropy } from "@cotangent/nn/loss";
import { Source } from "../data.ts";
import type { Variants } from "../workload.ts";
import { training } from "../workload.ts";

/** 784-256-128-10, ReLU, cross entropy, Adam, a batch of 64. */
function mlpStep(): () => Tensor {
  const source = new Source(2);
  const images = source.normal([64, 784], 1);
  const labels = source.integers([64], 10);
  const linear = (inputs: number, outputs: number) => {
    const weight = variable(source.normal([inputs, outputs], Math.sqrt(2 / inputs)));
    const bias = variable(zeros([outputs]));
    return { parameters: [weight, bias], forward: (x: Tensor) => x.matmul(weight).add(bias) };
  };
  const first = linear(784, 256);
  const second = linear(256, 128);
  const third = linear(128, 10);
  const optimizer = new Adam(
    [first, second, third].flatMap((layer) => layer.parameters),
    { lr: 1e-3 },
  );
  return () => {
    const logits = third.forward(relu(second.forward(relu(first.forward(images)))));
    const loss = crossEntropy(logits, labels);
    optimizer.step(loss);
    return loss;
  };
}

export const mlp: Variants = training(10, mlpStep);
