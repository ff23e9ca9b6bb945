import { hideFrames } from "@cotangent/autograd";

hideFrames(import.meta.url);

// Models.
export { Buffer, Module, Parameter } from "./module.ts";
export type { Layer } from "./module.ts";

// Layers.
export { Linear } from "./layers/linear.ts";
export type { LinearOptions } from "./layers/linear.ts";
export { Sequential } from "./layers/sequential.ts";
