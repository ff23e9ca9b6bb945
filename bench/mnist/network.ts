import { flatten, relu, type Tensor } from "@cotangent/autograd";
import { Conv2d, Dropout, Linear, MaxPool2d, Sequential } from "@cotangent/nn";

/** The network of `examples/mnist.ts`; `pytorch.py` and `tfjs.mjs` have the same. */
export function network(): Sequential {
  return new Sequential(
    new Conv2d(1, 16, 3, { padding: 1 }),
    relu,
    new MaxPool2d(2),
    new Conv2d(16, 32, 3, { padding: 1 }),
    relu,
    new MaxPool2d(2),
    (x: Tensor) => flatten(x, 1),
    new Dropout(0.25),
    new Linear(32 * 7 * 7, 128),
    relu,
    new Linear(128, 10),
  );
}
