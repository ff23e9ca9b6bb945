import { erfc as complement } from "../functions/complement.ts";
import { partial } from "../graph.ts";
import type { Unary } from "../signature.ts";
import { pointwise } from "./elementwise.ts";
import { exp, mul, neg, square } from "./pointwise.ts";
import { within } from "./sample.ts";

/** Special functions: the error function's kin. */

/** `1 - erf(x)`, element by element, accurate where it is small too. */
export const erfc: Unary = pointwise({
  name: "erfc",
  body: complement,
  derivatives: [partial((_, x) => mul(-2 / Math.sqrt(Math.PI), exp(neg(square(x!)))))],
  samples: within([-2, 2]),
  accepts: "float",
});
