import type { Operand, Tensor } from "@cotangent/autograd/functional";
import { add, div, fuse, mul, sqrt, sub } from "@cotangent/autograd/functional";

/** What optimizers do to each parameter, each as one node: a model has many of them. */

type Weigh = (old: Operand, kept: Operand, x: Operand, gained: Operand) => Tensor;

/** `old` and `x`, weighed: what is `kept` of the one and `gained` of the other. */
export const movingAverage: Weigh = fuse("movingAverage", (old, kept, x, gained) =>
  add(mul(old, kept), mul(x, gained)),
);

/** The same of the square of `x`. */
export const movingAverageOfSquares: Weigh = fuse("movingAverageOfSquares", (old, kept, x, gained) =>
  add(mul(old, kept), mul(mul(x, gained), x)),
);

/** `x + scale y` */
export const addScaled: (x: Operand, scale: Operand, y: Operand) => Tensor = fuse(
  "addScaled",
  (x, scale, y) => add(x, mul(y, scale)),
);

/** The step of Adam: the average of the gradients over the root of that of their squares, both freed from their bias. */
export const adamRatio: (
  expAvg: Operand,
  stepSize: Operand,
  expAvgSq: Operand,
  rootOfBias: Operand,
  small: Operand,
) => Tensor = fuse("adamRatio", (expAvg, stepSize, expAvgSq, rootOfBias, small) =>
  div(mul(expAvg, stepSize), add(div(sqrt(expAvgSq), rootOfBias), small)),
);

/** What takes `x` to `kept x - update` when it is subtracted. */
export const decayedUpdate: (x: Operand, kept: Operand, update: Operand) => Tensor = fuse(
  "decayedUpdate",
  (x, kept, update) => sub(x, sub(mul(x, kept), update)),
);
