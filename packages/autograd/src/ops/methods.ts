import * as affine from "./affine.ts";
import * as at from "./at.ts";
import * as border from "./border.ts";
import * as bounds from "./bounds.ts";
import * as casting from "./cast.ts";
import * as comparison from "./comparison.ts";
import * as composed from "./composed.ts";
import * as contraction from "./contraction.ts";
import * as diagonal from "./diagonal.ts";
import * as einsum from "./einsum.ts";
import * as elementary from "./elementary.ts";
import * as indexing from "./indexing.ts";
import * as join from "./join.ts";
import * as layout from "./layout.ts";
import * as mixture from "./mixture.ts";
import * as movement from "./movement.ts";
import * as partition from "./partition.ts";
import * as pointwise from "./pointwise.ts";
import * as product from "./product.ts";
import * as reduction from "./reduction.ts";
import * as region from "./region.ts";
import * as rounding from "./rounding.ts";
import * as scan from "./scan.ts";
import * as selection from "./selection.ts";
import * as sorting from "./sorting.ts";
import * as statistics from "./statistics.ts";

/**
 * The modules whose functions are methods of tensors too (those whose type is a signature with a method form), from the
 * ones that others are made of on. Methods are in every bundle, used or not, so what training seldom needs, such as
 * factorizations, stays out of the list: functions only, which a bundler can drop.
 */
export const chained: readonly object[] = [
  casting,
  movement,
  region,
  comparison,
  pointwise,
  elementary,
  rounding,
  bounds,
  mixture,
  reduction,
  contraction,
  affine,
  indexing,
  join,
  composed,
  scan,
  statistics,
  sorting,
  layout,
  partition,
  border,
  diagonal,
  selection,
  at,
  einsum,
  product,
];
