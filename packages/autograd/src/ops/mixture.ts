import type { Tensor } from "../graph.ts";
import { partial, singular, zero } from "../graph.ts";
import { optionsOf } from "../options.ts";
import type { Operand, Operation, Ternary } from "../signature.ts";
import { pointwise } from "./elementwise.ts";
import { div, mul, neg, sub } from "./pointwise.ts";
import type { Samples } from "./sample.ts";
import { composed, within } from "./sample.ts";

/** Weighted sums of three operands. */

/** `x + weight * (end - x)`, element by element: exactly `end` where the weight is 1. */
export const lerp: Ternary = pointwise({
  name: "lerp",
  body: (m, x, end, weight) => {
    const whole = m.sub(end!, x!);
    const fromEnd = m.sub(end!, m.mul(whole, m.sub(1, weight!)));
    return m.select(m.lt(m.abs(weight!), 0.5), m.add(x!, m.mul(weight!, whole)), fromEnd);
  },
  derivatives: [
    partial((_, _x, _end, weight) => sub(1, weight!)),
    partial((_, _x, _end, weight) => weight!),
    partial((_, x, end) => sub(end!, x!)),
  ],
  samples: within([-2, 2], [-2, 2], [0, 1]),
  accepts: "float",
});

/** The last operand is a number: nobody can ask for a derivative by it. */
type Scaled = (x: Operand, a: Operand, b: Operand, value: Operand) => Tensor;
type AddScaled = Operation<[a: Operand, b: Operand, options?: Factor]>;

type Factor = {
  /** What the product or quotient is multiplied by, 1 unless given. */
  readonly value?: number | undefined;
};

const factor = (name: string, options: Factor | undefined): number =>
  optionsOf(name, options, { value: true }).value ?? 1;

/** Samples with a scale and without. */
const scaled =
  (range: readonly [number, number]): Samples =>
  (draw) => [...within([-2, 2], [-2, 2], range)(draw), ...(draw.coin() ? [{ value: 0.5 }] : [])];

const scaledProduct: Scaled = pointwise({
  name: "addcmul",
  body: (m, x, a, b, value) => m.add(x!, m.mul(m.mul(value!, a!), b!)),
  derivatives: [
    partial(() => 1),
    partial((_, _x, _a, b, value) => mul(value!, b!)),
    partial((_, _x, a, _b, value) => mul(value!, a!)),
    zero,
  ],
  samples: within([-2, 2], [-2, 2], [-2, 2], [-2, 2]),
});

/** `x + value * a * b`, element by element; `value` is 1 unless given. */
export const addcmul: AddScaled = composed(
  "addcmul",
  (x: Operand, a: Operand, b: Operand, options?: Factor) =>
    scaledProduct(x, a, b, factor("addcmul", options)),
  scaled([-2, 2]),
);

const scaledQuotient: Scaled = pointwise({
  name: "addcdiv",
  body: (m, x, a, b, value) => m.add(x!, m.div(m.mul(value!, a!), b!)),
  derivatives: [
    partial(() => 1),
    singular((_, _x, _a, b, value) => div(value!, b!)),
    singular((_, _x, a, b, value) => neg(div(div(mul(value!, a!), b!), b!))),
    zero,
  ],
  samples: within([-2, 2], [-2, 2], [0.5, 3], [-2, 2]),
  accepts: "float",
});

/** `x + value * a / b`, element by element; `value` is 1 unless given. */
export const addcdiv: AddScaled = composed(
  "addcdiv",
  (x: Operand, a: Operand, b: Operand, options?: Factor) =>
    scaledQuotient(x, a, b, factor("addcdiv", options)),
  scaled([0.5, 3]),
);
