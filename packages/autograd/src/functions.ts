import type { Body } from "./arithmetic.ts";
import { named } from "./arithmetic.ts";

/**
 * The elementary functions as bodies over the scalar vocabulary, so that every engine gives the same bits. Each has a
 * float32 and a float64 form, chosen by the dtype of its operand. Errors stay below 2.5 units in the last place in
 * float32 and 2 in float64 (pow: 2.5 and 4) over the whole domain; special values follow C99's Annex F.
 */
export { erf } from "./functions/error.ts";
export { exp, expm1, sigmoid, tanh } from "./functions/exponential.ts";
export { log, log1p } from "./functions/logarithm.ts";
export { pow } from "./functions/power.ts";
export { cos, sin } from "./functions/trigonometric.ts";

/** The square root. */
export const sqrt: Body = named("sqrt", (m, x) => m.sqrt(x!));
