import * as attention from "./attention.ts";
import { registry as ops } from "./ops/index.ts";
import type { Registered } from "./ops/sample.ts";
import { isDeclared } from "./ops/sample.ts";

/** Every op and composition by name: those of `ops/`, and what stands above them because it may draw random numbers. */
export const registry: ReadonlyMap<string, Registered> = new Map(
  [...ops, ...Object.entries(attention)].filter((entry): entry is [string, Registered] =>
    isDeclared(entry[1]),
  ),
);
