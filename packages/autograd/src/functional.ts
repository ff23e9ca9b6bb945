// All public names, by the file that they come from. Ops are functions here; `index.ts` makes them methods too.

export type { Arithmetic, Body } from "./arithmetic.ts";
export { formula } from "./arithmetic.ts";
export { logStandardGamma, poisson, standardGamma } from "./arrivals.ts";
export type { AttentionOptions } from "./attention.ts";
export { attentionWeights, scaledDotProductAttention } from "./attention.ts";
export type { ClassWeights } from "./categorical.ts";
export { categorical, gumbelSoftmax, multinomial } from "./categorical.ts";
export { checkpoint } from "./checkpoint.ts";
export { allclose } from "./closeness.ts";
export type { Compiled, CompileOptions } from "./compiled.ts";
export { compile } from "./compiled.ts";
export type { DropoutOptions } from "./dropout.ts";
export { alphaDropout, dropout, featureDropout } from "./dropout.ts";
export type { DType, TypedArray } from "./dtype.ts";
export { dtypes, promote } from "./dtype.ts";
export {
  CompileError,
  CotangentError,
  DTypeError,
  FormatError,
  GradientError,
  hideFrames,
  IndexError,
  ShapeError,
  StateError,
  ValueError,
} from "./errors.ts";
export * as functions from "./functions.ts";
export type { DrawOptions } from "./generator.ts";
export {
  bernoulli,
  defaultGenerator,
  exponential,
  Generator,
  manualSeed,
  normal,
  permutation,
  randint,
  truncatedNormal,
  uniform,
} from "./generator.ts";
export type { Attribute, Attributes, Derivative, Elements, IndexMap, Kernel, Op, Partial } from "./graph.ts";
export { bilinearRule, linearRule, partial, pushed, singular, Tensor, zero } from "./graph.ts";
export { toDot } from "./inspect/draw.ts";
export { explain } from "./inspect/explain.ts";
export { toText } from "./inspect/text.ts";
export * from "./ops/accumulation.ts";
export * from "./ops/activation.ts";
export * from "./ops/adaptive.ts";
export { linear } from "./ops/affine.ts";
export * from "./ops/at.ts";
export { betainc } from "./ops/beta.ts";
export * from "./ops/border.ts";
export * from "./ops/bounds.ts";
export { cast } from "./ops/cast.ts";
export * from "./ops/comparison.ts";
export * from "./ops/composed.ts";
export { matmul } from "./ops/contraction.ts";
export * from "./ops/convolution.ts";
export * from "./ops/covariance.ts";
export { defineOp } from "./ops/define.ts";
export * from "./ops/diagonal.ts";
export * from "./ops/distance.ts";
export * from "./ops/distinct.ts";
export { einsum } from "./ops/einsum.ts";
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
  log2,
  log10,
  logaddexp,
  reciprocal,
  rsqrt,
  sinh,
  tan,
  xlogy,
} from "./ops/elementary.ts";
export type { Elementwise } from "./ops/elementwise.ts";
export { pointwise } from "./ops/elementwise.ts";
export type { Windows } from "./ops/folding.ts";
export { folded, spanOf, windowsOf } from "./ops/folding.ts";
export * from "./ops/grid.ts";
export { gammainc, gammaincc } from "./ops/incomplete.ts";
export { argsort, gather, oneHot, scatterAdd } from "./ops/indexing.ts";
export * from "./ops/join.ts";
export * from "./ops/layout.ts";
export type { CreateOptions } from "./ops/leaf.ts";
export {
  arange,
  checkTensor,
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
export { det, logdet, slogdet } from "./ops/linalg/determinant.ts";
export { cholesky, choleskySolve, triangularSolve } from "./ops/linalg/factorization.ts";
export { inv } from "./ops/linalg/inverse.ts";
export * from "./ops/linalg/matrix.ts";
export * from "./ops/linalg/norm.ts";
export { qr } from "./ops/linalg/orthogonal.ts";
export { lstsq, pinv } from "./ops/linalg/pseudoinverse.ts";
export { solve } from "./ops/linalg/solve.ts";
export { eigh, eigvalsh, svd, svdvals } from "./ops/linalg/spectrum.ts";
export * from "./ops/mixture.ts";
export {
  broadcastTo,
  permute,
  reshape,
  squeeze,
  sum,
  sumTo,
  transpose,
  unsqueeze,
} from "./ops/movement.ts";
export * from "./ops/normalization.ts";
export * from "./ops/partition.ts";
export * from "./ops/piecewise.ts";
export * from "./ops/pointwise.ts";
export type { AvgPoolOptions, MaxPoolOptions, PoolOptions } from "./ops/pooling.ts";
export { avgPool1d, avgPool2d, avgPool3d, maxPool1d, maxPool2d, maxPool3d } from "./ops/pooling.ts";
export * from "./ops/product.ts";
export * from "./ops/reduction.ts";
export { flip, slice } from "./ops/region.ts";
export * from "./ops/resampling.ts";
export * from "./ops/rounding.ts";
export type { Chooser, Declared, Registered, Samples } from "./ops/sample.ts";
export { Draw, within } from "./ops/sample.ts";
export * from "./ops/scan.ts";
export * from "./ops/search.ts";
export { embedding, indexAdd, indexSelect, scatter } from "./ops/selection.ts";
export * from "./ops/sorting.ts";
export type { PerAxis } from "./ops/spatial.ts";
export * from "./ops/special.ts";
export * from "./ops/statistics.ts";
export * from "./ops/table.ts";
export { fold, unfold } from "./ops/window.ts";
export type { Known } from "./options.ts";
export { checkNames, optionsOf } from "./options.ts";
export { randomWords } from "./random.ts";
export type { DTypeMap } from "./rebuild.ts";
export { rebuild } from "./rebuild.ts";
export { registry } from "./registry.ts";
export type { Shape } from "./shape.ts";
export type * from "./signature.ts";
export { withValues } from "./substitution.ts";
export type { ArrayOf, BackwardOptions, NestedArray } from "./tensor.ts";
export { evaluateAll as evaluate, knownElements } from "./tensor.ts";
export { getNumThreads, setNumThreads } from "./threads.ts";
export type { Topology } from "./topology.ts";
export { topology } from "./topology.ts";
export type { PullbackRule } from "./transform/custom.ts";
export { customGradient, gradientReversal, straightThrough } from "./transform/custom.ts";
export type { ValueAndGradOptions } from "./transform/function.ts";
export { hessian, hvp, jacobian, jvp, valueAndGrad, vjp } from "./transform/function.ts";
export { fuse } from "./transform/fuse.ts";
export type { Gradients, GradOptions } from "./transform/gradient.ts";
export { grad, pushforward } from "./transform/gradient.ts";
export type { Flow, Like, Tree } from "./tree.ts";
export { leavesOf, mapTree, unflattenTree } from "./tree.ts";
export type { VariableOptions } from "./variable.ts";
export { assignAll, Setting, Variable, variable } from "./variable.ts";
export type { CheckOptions } from "./verify/gradient.ts";
export { checkGradient } from "./verify/gradient.ts";
export { explainNonFinite, NonFinite } from "./verify/nonfinite.ts";
export type { Direction, LocatedFault } from "./verify/report.ts";
export { GradientReport } from "./verify/report.ts";
export type { Fault, FaultyElement } from "./verify/rule.ts";
export type { Dissent, Verdict, Witnesses } from "./verify/witness.ts";
export type { VmapOptions } from "./vmap.ts";
export { vmap } from "./vmap.ts";
