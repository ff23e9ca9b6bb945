// Everything of `functional.ts`, and the ops as methods of tensors.
import "./chaining.ts";

export * from "./functional.ts";
