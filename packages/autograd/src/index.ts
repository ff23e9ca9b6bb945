// Tensors and their state.

export type { DType, TypedArray } from "./dtype.ts";
export { promote } from "./dtype.ts";
export { Tensor } from "./graph.ts";
export type { Shape } from "./shape.ts";
export type { NestedArray } from "./tensor.ts";
export { assignAll, Variable, variable } from "./variable.ts";

import "./tensor.ts";

// Errors.
export {
  CompileError,
  CotangentError,
  DTypeError,
  GradientError,
  IndexError,
  ShapeError,
  StateError,
  ValueError,
} from "./errors.ts";
export { Generator, manualSeed, normal, uniform } from "./generator.ts";
export { elementsOf, topology } from "./graph.ts";
export { toDot } from "./inspect/draw.ts";
// Look inside.
export { toText } from "./inspect/text.ts";
// Ops.
export { cast } from "./ops/cast.ts";
export * from "./ops/composed.ts";
export * from "./ops/contraction.ts";
export * from "./ops/indexing.ts";
export * from "./ops/join.ts";
// Make tensors.
export {
  arange,
  eye,
  fromTypedArray,
  full,
  fullLike,
  linspace,
  ones,
  onesLike,
  scalar,
  tensor,
  zeros,
  zerosLike,
} from "./ops/leaf.ts";
export * from "./ops/movement.ts";
export * from "./ops/pointwise.ts";
export * from "./ops/reduction.ts";
export { rebuild } from "./rebuild.ts";
// Evaluate and compile.
export { evaluateAll as evaluate } from "./tensor.ts";
export { hessian, hvp, jacobian, jvp, valueAndGrad, vjp } from "./transform/function.ts";
export type { GradOptions } from "./transform/gradient.ts";
// Derivatives.
export { grad, pushforward } from "./transform/gradient.ts";
export type { Like, Tree } from "./tree.ts";
export { leavesOf, mapTree } from "./tree.ts";
