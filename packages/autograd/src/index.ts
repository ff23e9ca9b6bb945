// Tensors and their state.
export { Tensor } from "./graph.ts";
export type { Shape } from "./shape.ts";
export { dtypes, promote } from "./dtype.ts";
export type { DType, TypedArray } from "./dtype.ts";
export { assignAll, Setting, Variable, variable } from "./variable.ts";
export type { VariableOptions } from "./variable.ts";
export { evaluateAll as evaluate } from "./tensor.ts";
export type { NestedArray } from "./tensor.ts";
export { leavesOf, mapTree, unflattenTree } from "./tree.ts";
export type { Like, Tree } from "./tree.ts";

// Make tensors.
export {
  arange,
  eye,
  fromTypedArray,
  full,
  fullLike,
  linspace,
  logspace,
  ones,
  onesLike,
  scalar,
  tensor,
  zeros,
  zerosLike,
} from "./ops/leaf.ts";
export type { CreateOptions } from "./ops/leaf.ts";
export {
  bernoulli,
  categorical,
  exponential,
  Generator,
  manualSeed,
  normal,
  permutation,
  randint,
  truncatedNormal,
  uniform,
} from "./generator.ts";
export type { ClassWeights, DrawOptions } from "./generator.ts";

// Ops.
export { cast } from "./ops/cast.ts";
export * from "./ops/movement.ts";
export { flip, slice } from "./ops/region.ts";
export * from "./ops/comparison.ts";
export * from "./ops/pointwise.ts";
export {
  acos,
  acosh,
  asin,
  asinh,
  atan,
  atan2,
  atanh,
  cbrt,
  cosh,
  exp2,
  hypot,
  log10,
  log2,
  logaddexp,
  reciprocal,
  rsqrt,
  sinh,
  tan,
  xlogy,
} from "./ops/elementary.ts";
export * from "./ops/special.ts";
export * from "./ops/rounding.ts";
export * from "./ops/bounds.ts";
export * from "./ops/mixture.ts";
export * from "./ops/piecewise.ts";
export * from "./ops/activation.ts";
export * from "./ops/reduction.ts";
export { matmul } from "./ops/contraction.ts";
export { argsort, gather, oneHot, scatterAdd } from "./ops/indexing.ts";
export * from "./ops/join.ts";
export * from "./ops/composed.ts";
export * from "./ops/scan.ts";
export * from "./ops/statistics.ts";
export * from "./ops/sorting.ts";
export * from "./ops/layout.ts";
export * from "./ops/partition.ts";
export * from "./ops/border.ts";
export * from "./ops/window.ts";
export * from "./ops/diagonal.ts";
export { embedding, indexAdd, indexSelect, scatter } from "./ops/selection.ts";
export * from "./ops/search.ts";
export * from "./ops/accumulation.ts";
export * from "./ops/at.ts";
export { einsum } from "./ops/einsum.ts";
export * from "./ops/product.ts";
export { cholesky, triangularSolve } from "./ops/linalg/factorization.ts";
export * from "./ops/distance.ts";
export { det, inv, slogdet, solve } from "./ops/linalg/solve.ts";
export { qr } from "./ops/linalg/orthogonal.ts";
export * from "./ops/linalg/spectrum.ts";
export * from "./ops/linalg/matrix.ts";
export type * from "./signature.ts";

// Derivatives.
export { grad, pushforward } from "./transform/gradient.ts";
export type { Gradients, GradOptions } from "./transform/gradient.ts";
export { hessian, hvp, jacobian, jvp, valueAndGrad, vjp } from "./transform/function.ts";
export { customGradient, gradientReversal, straightThrough } from "./transform/custom.ts";
export type { PullbackRule } from "./transform/custom.ts";
export { rebuild } from "./rebuild.ts";
export type { DTypeMap } from "./rebuild.ts";

// Compile.
export { compile } from "./compiled.ts";
export type { Compiled } from "./compiled.ts";

// Define ops.
export { defineOp } from "./ops/define.ts";
export { pointwise } from "./ops/elementwise.ts";
export type { Elementwise } from "./ops/elementwise.ts";
export { bilinear, linear, partial, pushed, singular, zero } from "./graph.ts";
export type { Attribute, Attributes, Derivative, Elements, IndexMap, Kernel, Op, Partial } from "./graph.ts";
export * as functions from "./functions.ts";
export { formula } from "./arithmetic.ts";
export type { Arithmetic, Body } from "./arithmetic.ts";
export { registry } from "./ops/index.ts";
export { Draw, within } from "./ops/sample.ts";
export type { Chooser, Declared, Registered, Samples } from "./ops/sample.ts";

// Verify.
export { checkGradient, GradientReport } from "./verify/gradient.ts";
export type { CheckOptions, Witnesses } from "./verify/gradient.ts";

// Look inside.
export { toText } from "./inspect/text.ts";
export { toDot } from "./inspect/draw.ts";
export { topology } from "./topology.ts";
export type { Topology } from "./topology.ts";

// Errors.
export {
  CompileError,
  CotangentError,
  DTypeError,
  GradientError,
  hideFrames,
  IndexError,
  ShapeError,
  StateError,
  ValueError,
} from "./errors.ts";
