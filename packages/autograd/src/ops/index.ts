import type { Tensor } from "../graph.ts";
import * as casting from "./cast.ts";
import * as comparison from "./comparison.ts";
import * as composed from "./composed.ts";
import * as contraction from "./contraction.ts";
import * as indexing from "./indexing.ts";
import * as join from "./join.ts";
import * as movement from "./movement.ts";
import * as pointwise from "./pointwise.ts";
import * as reduction from "./reduction.ts";
import * as region from "./region.ts";
import type { Declared } from "./sample.ts";
import { isDeclared } from "./sample.ts";

/** A function of the registry: what users call, with the op that it applies and its samples. */
export type Registered = Declared & ((...operands: readonly unknown[]) => Tensor);

/** Every op and composition by name: the exports of the files of this folder. */
export const registry: ReadonlyMap<string, Registered> = new Map(
  [casting, movement, region, comparison, pointwise, reduction, contraction, indexing, join, composed]
    .flatMap((module) => Object.entries(module))
    .filter((entry): entry is [string, Registered] => isDeclared(entry[1])),
);
