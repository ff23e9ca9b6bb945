import { hideFrames } from "@cotangent/autograd/functional";

hideFrames(import.meta.url);

export type { ClassOptions, CrossEntropyOptions } from "./classes.ts";
export { crossEntropy, nll } from "./classes.ts";
export type { BceWithLogitsOptions } from "./classification.ts";
export { bceWithLogits, hinge, perceptron, squaredHinge } from "./classification.ts";
export type {
  DivergenceReduction,
  GaussianNllOptions,
  KlDivOptions,
  PoissonNllOptions,
} from "./likelihood.ts";
export { gaussianNll, klDiv, poissonNll } from "./likelihood.ts";
export type { FocalOptions, MultiMarginOptions } from "./margins.ts";
export { focal, multiMargin } from "./margins.ts";
export type { WeightOption } from "./probability.ts";
export { bce } from "./probability.ts";
export type { Loss, LossOptions, LossShape, LossWith, Reduction } from "./reduction.ts";
export type { HuberOptions, QuantileOptions, SmoothL1Options } from "./regression.ts";
export { huber, l1, logCosh, mse, quantile, smoothL1 } from "./regression.ts";
export type { CtcOptions } from "./sequence.ts";
export { ctc } from "./sequence.ts";
export type { InfoNCEOptions, MarginOption, TripletMarginOptions } from "./similarity.ts";
export { cosineEmbedding, infoNCE, marginRanking, tripletMargin } from "./similarity.ts";
