import { hideFrames } from "@cotangent/autograd/functional";

hideFrames(import.meta.url);

export { chained, sequential } from "./combination.ts";
export type { CosineOptions, CosineWarmRestartsOptions, WarmupCosineOptions } from "./cosine.ts";
export { cosine, cosineWarmRestarts, warmupCosine } from "./cosine.ts";
export type { Curve } from "./curve.ts";
export type { CycleCurve, CyclicOptions, OneCycleOptions } from "./cycle.ts";
export { cyclic, oneCycle } from "./cycle.ts";
export type {
  ConstantOptions,
  ExponentialOptions,
  LambdaOptions,
  LinearOptions,
  MultiplicativeOptions,
  MultiStepOptions,
  NoamOptions,
  PolynomialOptions,
  RateOptions,
  StepOptions,
} from "./decay.ts";
export {
  constant,
  exponential,
  lambda,
  linear,
  multiplicative,
  multiStep,
  noam,
  polynomial,
  step,
} from "./decay.ts";
export type { Plateau, ReduceOnPlateauOptions } from "./plateau.ts";
export { reduceOnPlateau } from "./plateau.ts";
