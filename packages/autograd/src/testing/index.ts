// What tests of graphs and gradients need. Plain functions: any test runner will do.

export type { CheckOptions } from "../verify/gradient.ts";
export { checkGradient } from "../verify/gradient.ts";
export type { ModelCheckOptions, ParameterCheck, Parameterized } from "../verify/model.ts";
export { checkModel, ModelReport } from "../verify/model.ts";
export { explainNonFinite, NonFinite } from "../verify/nonfinite.ts";
export { tensorEquality } from "./equality.ts";
export type { Law } from "./laws.ts";
export { laws } from "./laws.ts";
export type { Closeness, Match } from "./matchers.ts";
export { matchers } from "./matchers.ts";
export type { Breach, OpCheckOptions } from "./op.ts";
export { checkOp, OpReport } from "./op.ts";
export type { SampledCall } from "./sampled.ts";
export { sampledCall } from "./sampled.ts";
