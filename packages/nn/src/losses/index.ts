import { hideFrames } from "@cotangent/autograd/functional";

hideFrames(import.meta.url);

export type { ClassOptions, CrossEntropyOptions } from "./classes.ts";
export { crossEntropy, nll } from "./classes.ts";
export type { BceWithLogitsOptions, WeightOption } from "./classification.ts";
export { bce, bceWithLogits, hinge, perceptron, squaredHinge } from "./classification.ts";
export type { DivergenceReduction, GaussianNllOptions, KlDivOptions } from "./likelihood.ts";
export { gaussianNll, klDiv, poissonNll } from "./likelihood.ts";
export type { Loss, LossOptions, LossShape, LossWith, Reduction } from "./reduction.ts";
export type { HuberOptions, SmoothL1Options } from "./regression.ts";
export { huber, l1, logCosh, mse, smoothL1 } from "./regression.ts";
