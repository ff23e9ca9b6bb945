import type { Arithmetic, Body } from "../arithmetic.ts";
import { erf } from "./error.ts";
import { exp } from "./exponential.ts";

import { inDouble, polynomial } from "./precision.ts";

/** Coefficients of Sun's s_erf.c: numerator and denominator up to 1.25, up to 1 / 0.35, and beyond. */
const near = [
  [
    -2.36211856075265944077e-3, 4.14856118683748331666e-1, -3.72207876035701323847e-1,
    3.18346619901161753674e-1, -1.10894694282396677476e-1, 3.54783043256182359371e-2,
    -2.166375594868790843e-3,
  ],
  [
    1, 1.06420880400844228286e-1, 5.40397917702171048937e-1, 7.18286544141962662868e-2,
    1.26171219808761642112e-1, 1.36370839120290507362e-2, 1.1984499846799107417e-2,
  ],
] as const;
const middle = [
  [
    -9.86494403484714822705e-3, -6.93858572707181764372e-1, -1.05586262253232909814e1,
    -6.23753324503260060396e1, -1.62396669462573470355e2, -1.84605092906711035994e2,
    -8.12874355063065934246e1, -9.81432934416914548592,
  ],
  [
    1, 1.96512716674392571292e1, 1.376577541435190426e2, 4.34565877475229228821e2, 6.45387271733267880336e2,
    4.29008140027567833386e2, 1.08635005541779435134e2, 6.57024977031928170135, -6.04244152148580987438e-2,
  ],
] as const;
const far = [
  [
    -9.86494292470009928597e-3, -7.99283237680523006574e-1, -1.77579549177547519889e1,
    -1.60636384855821916062e2, -6.37566443368389627722e2, -1.02509513161107724954e3,
    -4.83519191608651397019e2,
  ],
  [
    1, 3.03380607434824582924e1, 3.25792512996573918826e2, 1.53672958608443695994e3, 3.19985821950859553908e3,
    2.55305040643316442583e3, 4.74528541206955367215e2, -2.24409524465858183362e1,
  ],
] as const;

function ratio<E>(m: Arithmetic<E>, x: E, [over, under]: readonly [readonly number[], readonly number[]]): E {
  return m.div(polynomial(m, x, over), polynomial(m, x, under));
}

/** `1 - erf(x)`, accurate where it is small. */
export const erfc: Body = inDouble("erfc", (m, x) => {
  const around = m.sub(1 - 8.45062911510467529297e-1, ratio(m, m.sub(x!, 1), near));
  // Within the range where the result is not 0; the square of its upper half is exact.
  const size = m.pmin(m.pmax(x!, 1), 28);
  const upper = m.mul(m.floor(m.mul(size, 2 ** 20)), 2 ** -20);
  const inverse = m.div(1, m.mul(size, size));
  const tail = m.select(m.lt(size, 1 / 0.35), ratio(m, inverse, middle), ratio(m, inverse, far));
  const rest = m.add(m.mul(m.sub(upper, size), m.add(upper, size)), tail);
  const first = exp(m, m.sub(m.neg(m.mul(upper, upper)), 0.5625));
  const distant = m.div(m.mul(first, exp(m, rest)), size);
  const positive = m.select(m.lt(x!, 1.25), around, distant);
  return m.select(m.lt(x!, 0.84375), m.sub(1, erf(m, x!)), m.select(m.ne(x!, x!), x!, positive));
});
