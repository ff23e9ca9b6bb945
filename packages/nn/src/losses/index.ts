import { hideFrames } from "@cotangent/autograd/functional";

hideFrames(import.meta.url);

export { bce, bceWithLogits, crossEntropy, hinge, nll, perceptron, squaredHinge } from "./classification.ts";
export type { DivergenceReduction, GaussianNllOptions, KlDivOptions } from "./likelihood.ts";
export { gaussianNll, klDiv, poissonNll } from "./likelihood.ts";
export type { Loss, LossOptions, LossShape, LossWith, Reduction } from "./reduction.ts";
export type { HuberOptions, SmoothL1Options } from "./regression.ts";
export { huber, l1, logCosh, mse, smoothL1 } from "./regression.ts";
