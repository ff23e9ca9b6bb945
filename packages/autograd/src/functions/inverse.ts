import type { Body } from "../arithmetic.ts";
import { named } from "../arithmetic.ts";
import { polynomial } from "./precision.ts";

/**
 * The coefficients and the places of fdlibm's s_atan.c (Sun 1993): atan(x) is x - x P(x^2) for |x| below 7/16; beyond, the angle
 * of one of four places is taken out first. Each angle stands as a sum of two numbers.
 */
const coefficients = [
  3.33333333333329318027e-1, -1.99999999998764832476e-1, 1.42857142725034663711e-1, -1.1111110405462355788e-1,
  9.09088713343650656196e-2, -7.69187620504482999495e-2, 6.66107313738753120669e-2,
  -5.83357013379057348645e-2, 4.97687799461593236017e-2, -3.6531572744216915527e-2, 1.62858201153657823623e-2,
];
/** `angle` of the place where a tangent above `from` is compared: atan of 1/2, 1, 3/2 and infinity. */
const places = [
  { from: 7 / 16, angle: 4.63647609000806093515e-1, rest: 2.26987774529616870924e-17 },
  { from: 11 / 16, angle: 7.85398163397448278999e-1, rest: 3.06161699786838301793e-17 },
  { from: 19 / 16, angle: 9.82793723247329054082e-1, rest: 1.39033110312309984516e-17 },
  { from: 39 / 16, angle: 1.570796326794896558, rest: 6.12323399573676603587e-17 },
] as const;

/** The inverse tangent. */
export const atan: Body = named("atan", (m, x) => {
  const dtype = m.dtypeOf(x!);
  const single = dtype === "float32";
  const tangent = m.abs(x!);
  // (tan - t) / (1 + t tan), the tangent of the difference, for t = 1/2, 1, 3/2 and infinity.
  const differences = [
    [m.sub(m.add(tangent, tangent), 1), m.add(tangent, 2)],
    [m.sub(tangent, 1), m.add(tangent, 1)],
    [m.sub(tangent, 1.5), m.add(m.mul(tangent, 1.5), 1)],
    [m.constant(-1, dtype), tangent],
  ] as const;
  let above = tangent;
  let below = m.constant(1, dtype);
  let angle = m.constant(0, dtype);
  let rest = m.constant(0, dtype);
  places.forEach((place, i) => {
    const beyond = m.le(place.from, tangent);
    above = m.select(beyond, differences[i]![0], above);
    below = m.select(beyond, differences[i]![1], below);
    angle = m.select(beyond, place.angle, angle);
    // In float32 the rest is what rounding took from the angle.
    rest = m.select(beyond, single ? place.angle - Math.fround(place.angle) : place.rest, rest);
  });
  const t = m.div(above, below);
  const square = m.mul(t, t);
  const correction = m.mul(t, m.mul(square, polynomial(m, square, coefficients)));
  return m.copysign(m.sub(angle, m.sub(m.sub(correction, rest), t)), x!);
});
