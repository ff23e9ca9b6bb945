import type { Body } from "../arithmetic.ts";
import { ValueError } from "../errors.ts";
import { larger, smaller } from "../functions/extreme.ts";
import type { Tensor } from "../graph.ts";
import { linearRule, partial, zero } from "../graph.ts";
import type { Known } from "../options.ts";
import { optionsOf } from "../options.ts";
import type { Binary, Clamp, Comparison, Operand, Ternary, UnaryWith } from "../signature.ts";
import { cast } from "./cast.ts";
import { eq, ge, gt, le, logicalNot, logicalOr, lt, ne } from "./comparison.ts";
import { pointwise } from "./elementwise.ts";
import { zerosLike } from "./leaf.ts";
import { where } from "./pointwise.ts";
import { composed, kinked, within } from "./sample.ts";

/** Numbers kept within bounds, replaced, or chosen of two. */

/** What stands in for NaN and the infinities. */
type Replacements = {
  readonly nan?: number | undefined;
  readonly posinf?: number | undefined;
  readonly neginf?: number | undefined;
};

const replaced: Known<Replacements> = { nan: true, posinf: true, neginf: true };

const largest = { float32: 2 ** 128 - 2 ** 104, float64: Number.MAX_VALUE };

/**
 * `x` with numbers in place of NaN (0 unless given) and of the infinities (the largest numbers of the dtype unless given).
 *
 * @kink Replaced elements have the derivative 0.
 */
export const nanToNum: UnaryWith<[options?: Replacements]> = composed(
  "nanToNum",
  (x: Tensor, options?: Replacements) => {
    const { nan = 0, posinf, neginf } = optionsOf("nanToNum", options, replaced);
    if (x.dtype === "int32" || x.dtype === "bool") return x.node;
    const most = largest[x.dtype];
    const above = where(eq(x, Infinity), posinf ?? most, x);
    const below = where(eq(x, -Infinity), neginf ?? -most, above);
    return where(ne(x, x), nan, below);
  },
  within([-2, 2]),
  kinked,
);

/** One of two operands: the first where `takesFirst` holds, or the other is NaN. */
const either = (name: string, body: Body, takesFirst: Comparison): Binary => {
  const first = (x: Tensor, y: Tensor) => logicalOr(takesFirst(x, y), ne(y, y));
  return pointwise({
    name,
    body,
    derivatives: [
      partial((_, x, y) => cast(first(x!, y!), y!.dtype)),
      partial((_, x, y) => cast(logicalNot(first(x!, y!)), y!.dtype)),
    ],
    samples: within([-2, 2], [-2, 2]),
    kink: true,
  });
};

/**
 * The larger of `x` and `y`, element by element; the other one if one is NaN.
 *
 * @kink Where the operands are equal the first gets the whole gradient.
 */
export const fmax: Binary = either(
  "fmax",
  (m, x, y) => m.select(m.or(m.lt(x!, y!), m.ne(x!, x!)), y!, x!),
  ge,
);

/**
 * The smaller of `x` and `y`, element by element; the other one if one is NaN.
 *
 * @kink Where the operands are equal the first gets the whole gradient.
 */
export const fmin: Binary = either(
  "fmin",
  (m, x, y) => m.select(m.or(m.lt(y!, x!), m.ne(x!, x!)), y!, x!),
  le,
);

/** The gradient goes to `x` where `passes` holds, to the limit where `stops` does, and nowhere at NaN. */
const limit = (body: Body, passes: Comparison, stops: Comparison): Binary =>
  pointwise({
    name: "clamp",
    body,
    derivatives: [passes, stops].map((goes) => partial((_, x, y) => cast(goes(x!, y!), x!.dtype))),
    samples: within([-2, 2], [-2, 2]),
    kink: true,
  });

const atLeast = limit(larger, ge, lt);
const atMost = limit(smaller, le, gt);

type Limit = Operand | null | undefined;

/**
 * `x` between `min` and `max`, element by element; without one of them only the other counts. Throws ValueError if both are
 * left out. NaN stays NaN.
 *
 * @kink At the boundary the gradient passes to x.
 */
export const clamp: Clamp = composed(
  "clamp",
  (x: Tensor, min?: Limit, max?: Limit): Tensor => {
    const noMin = min === undefined || min === null;
    const noMax = max === undefined || max === null;
    if (noMin && noMax) throw new ValueError("clamp: has neither min nor max; give at least one");
    const above = noMin ? x : atLeast(x, min);
    return noMax ? above : atMost(above, max);
  },
  (draw) => {
    if (draw.coin()) return [draw.tensor(draw.shape(), { low: -2, high: 2, away: [-1, 1] }), -1, 1];
    const [x, min, max] = draw.broadcastable(3);
    return [
      draw.tensor(x!),
      draw.tensor(min!, { low: -1.5, high: -0.2 }),
      draw.tensor(max!, { low: 0.2, high: 1.5 }),
    ];
  },
  kinked,
);

const fillWhere: Ternary = pointwise({
  name: "maskedFill",
  body: (m, mask, x, value) => m.select(mask!, value!, x!),
  derivatives: [
    zero,
    linearRule((g, out) => where(out.inputs[0]!, zerosLike(g), g)),
    linearRule((g, out) => where(out.inputs[0]!, g, zerosLike(g))),
  ],
  samples: (draw) => [draw.bools([2]), draw.tensor([2]), 1],
  accepts: "any",
  conditional: true,
});

/** `value` where `mask` (bool) holds, else `x`. Throws DTypeError if the mask is not bool. */
export const maskedFill: Ternary<Tensor> = composed(
  "maskedFill",
  ((x: Operand, mask: Tensor, value: Operand) => fillWhere(mask, x, value)) as Ternary<Tensor>,
  (draw) => {
    const [x, mask, value] = draw.broadcastable(3);
    return [draw.tensor(x!), draw.bools(mask!), draw.coin() ? 0.5 : draw.tensor(value!)];
  },
);
