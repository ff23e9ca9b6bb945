import { zero } from "../graph.ts";
import type { Comparison, Unary } from "../signature.ts";
import { pointwise } from "./elementwise.ts";
import { within } from "./sample.ts";

/** Comparisons and logic, element by element: bool results, and no derivatives. */

/**
 * Is `x` equal to `y`, element by element? NaN equals nothing.
 *
 * @kink A jump where the operands are equal: derivative 0.
 */
export const eq: Comparison = pointwise({
  name: "eq",
  body: (m, x, y) => m.eq(x!, y!),
  derivatives: [zero, zero],
  samples: within([-2, 2], [-2, 2]),
  accepts: "any",
  gives: "bool",
  kink: true,
});

/**
 * Does `x` differ from `y`, element by element?
 *
 * @kink A jump where the operands are equal: derivative 0.
 */
export const ne: Comparison = pointwise({
  name: "ne",
  body: (m, x, y) => m.ne(x!, y!),
  derivatives: [zero, zero],
  samples: within([-2, 2], [-2, 2]),
  accepts: "any",
  gives: "bool",
  kink: true,
});

/**
 * Is `x` less than `y`, element by element?
 *
 * @kink A jump where the operands are equal: derivative 0.
 */
export const lt: Comparison = pointwise({
  name: "lt",
  body: (m, x, y) => m.lt(x!, y!),
  derivatives: [zero, zero],
  samples: within([-2, 2], [-2, 2]),
  gives: "bool",
  kink: true,
});

/**
 * Is `x` less than or equal to `y`, element by element?
 *
 * @kink A jump where the operands are equal: derivative 0.
 */
export const le: Comparison = pointwise({
  name: "le",
  body: (m, x, y) => m.le(x!, y!),
  derivatives: [zero, zero],
  samples: within([-2, 2], [-2, 2]),
  gives: "bool",
  kink: true,
});

/**
 * Is `x` greater than `y`, element by element?
 *
 * @kink A jump where the operands are equal: derivative 0.
 */
export const gt: Comparison = pointwise({
  name: "gt",
  body: (m, x, y) => m.lt(y!, x!),
  derivatives: [zero, zero],
  samples: within([-2, 2], [-2, 2]),
  gives: "bool",
  kink: true,
});

/**
 * Is `x` greater than or equal to `y`, element by element?
 *
 * @kink A jump where the operands are equal: derivative 0.
 */
export const ge: Comparison = pointwise({
  name: "ge",
  body: (m, x, y) => m.le(y!, x!),
  derivatives: [zero, zero],
  samples: within([-2, 2], [-2, 2]),
  gives: "bool",
  kink: true,
});

/** Do both hold, element by element? Takes bool only. */
export const logicalAnd: Comparison = pointwise({
  name: "logicalAnd",
  body: (m, x, y) => m.and(x!, y!),
  derivatives: [zero, zero],
  samples: (draw) => draw.broadcastable(2).map((shape) => draw.bools(shape)),
  accepts: "bool",
  gives: "bool",
});

/** Does either hold, element by element? Takes bool only. */
export const logicalOr: Comparison = pointwise({
  name: "logicalOr",
  body: (m, x, y) => m.or(x!, y!),
  derivatives: [zero, zero],
  samples: (draw) => draw.broadcastable(2).map((shape) => draw.bools(shape)),
  accepts: "bool",
  gives: "bool",
});

/** The opposite truth, element by element. Takes bool only. */
export const logicalNot: Unary = pointwise({
  name: "logicalNot",
  body: (m, x) => m.not(x!),
  derivatives: [zero],
  samples: (draw) => [draw.bools(draw.shape())],
  accepts: "bool",
});
