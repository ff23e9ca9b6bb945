import type { Tensor } from "@cotangent/autograd";
import { conv2d, maxPool2d, relu, variable, zeros } from "@cotangent/autograd";
import { Adam } from "@cotangent/nn";
import { crossEntropy } from "@cotangent/nn/loss";
import { Source } from "../data.ts";
import type { Variants } from "../workload.ts";
import { training } from "../workload.ts";

/** Images of 28 by 28, two convolutions 1-16-32 with windows of 3 by 3, each with ReLU and a pool, Adam, a batch of 32. */
function cnnStep(): () => Tensor {
  const source = new Source(3);
  const images = source.normal([32, 1, 28, 28], 1);
  const labels = source.integers([32], 10);
  const convolution = (inputs: number, outputs: number) => {
    const weight = variable(source.normal([outputs, inputs, 3, 3], Math.sqrt(2 / (inputs * 9))));
    const bias = variable(zeros([outputs]));
    const forward = (x: Tensor) => maxPool2d(relu(conv2d(x, weight, bias, { padding: 1 })), 2);
    return { parameters: [weight, bias], forward };
  };
  const first = convolution(1, 16);
  const second = convolution(16, 32);
  const weight = variable(source.normal([1568, 10], Math.sqrt(2 / 1568)));
  const bias = variable(zeros([10]));
  const optimizer = new Adam([...first.parameters, ...second.parameters, weight, bias], { lr: 1e-3 });
  return () => {
    const h = second.forward(first.forward(images));
    const loss = crossEntropy(h.reshape([32, 1568]).matmul(weight).add(bias), labels);
    optimizer.step(loss);
    return loss;
  };
}

export const cnn: Variants = training(10, cnnStep);
