import * as activation from "./activation.ts";
import * as at from "./at.ts";
import * as border from "./border.ts";
import * as casting from "./cast.ts";
import * as comparison from "./comparison.ts";
import * as composed from "./composed.ts";
import * as contraction from "./contraction.ts";
import * as diagonal from "./diagonal.ts";
import * as elementary from "./elementary.ts";
import * as indexing from "./indexing.ts";
import * as join from "./join.ts";
import * as layout from "./layout.ts";
import * as factorization from "./linalg/factorization.ts";
import * as matrix from "./linalg/matrix.ts";
import * as solve from "./linalg/solve.ts";
import * as movement from "./movement.ts";
import * as partition from "./partition.ts";
import * as pointwise from "./pointwise.ts";
import * as product from "./product.ts";
import * as reduction from "./reduction.ts";
import * as region from "./region.ts";
import * as rounding from "./rounding.ts";
import type { Registered } from "./sample.ts";
import { isDeclared } from "./sample.ts";
import * as scan from "./scan.ts";
import * as selection from "./selection.ts";
import * as sorting from "./sorting.ts";
import * as special from "./special.ts";
import * as statistics from "./statistics.ts";
import * as window from "./window.ts";

/**
 * The modules of ops, from the ones that others are made of on. Their exports are the functions of the registry and, where
 * the type of one is a signature with a method form, the methods of tensors.
 */
export const modules: readonly object[] = [
  casting,
  movement,
  region,
  comparison,
  pointwise,
  elementary,
  special,
  rounding,
  activation,
  reduction,
  contraction,
  indexing,
  join,
  composed,
  scan,
  statistics,
  sorting,
  layout,
  partition,
  border,
  window,
  diagonal,
  selection,
  at,
  product,
  factorization,
  solve,
  matrix,
];

/** Every op and composition by name: the exports of the files of this folder. */
export const registry: ReadonlyMap<string, Registered> = new Map(
  modules
    .flatMap((module) => Object.entries(module))
    .filter((entry): entry is [string, Registered] => isDeclared(entry[1])),
);
