// How good predictions are.

export type { ClassOptions } from "./classes.ts";
export type { AverageOptions, ConfusionOptions } from "./classification.ts";
export { accuracy, confusionMatrix, f1Score, precision, recall } from "./classification.ts";
export { r2Score, rocAuc } from "./scores.ts";
