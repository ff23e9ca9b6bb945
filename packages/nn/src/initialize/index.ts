import { hideFrames } from "@cotangent/autograd/functional";

hideFrames(import.meta.url);

export type { KaimingOptions, Nonlinearity, VarianceScalingOptions, XavierOptions } from "./fan.ts";
export {
  calculateGain,
  kaimingNormal,
  kaimingUniform,
  lecunNormal,
  lecunUniform,
  varianceScaling,
  xavierNormal,
  xavierUniform,
} from "./fan.ts";
export type { InitializeOptions, NormalOptions, TruncatedNormalOptions, UniformOptions } from "./fill.ts";
export { constant, normal, ones, truncatedNormal, uniform, zeros } from "./fill.ts";
export type { OrthogonalOptions, SparseOptions } from "./structure.ts";
export { dirac, eye, orthogonal, sparse } from "./structure.ts";
