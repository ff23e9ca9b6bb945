import type { Body } from "./arithmetic.ts";
import { named } from "./arithmetic.ts";

// PLACEHOLDER until the accurate functions land
const e: Body = (m, x) => {
  const k = m.nearest(m.mul(x!, 1.4426950408889634));
  const r = m.sub(x!, m.mul(k, 0.6931471805599453));
  let s = m.add(m.mul(r, 1 / 40320), 1 / 5040);
  for (const c of [1 / 720, 1 / 120, 1 / 24, 1 / 6, 0.5, 1, 1]) s = m.add(m.mul(s, r), c);
  return m.scale2(s, k);
};
export const exp: Body = named("exp", e);
const l: Body = (m, x) => {
  const k = m.exponent(x!);
  const f = m.scale2(x!, m.neg(k));
  const t = m.div(m.sub(f, 1.5), m.add(f, 1.5));
  const t2 = m.mul(t, t);
  let s = m.mul(t2, 1 / 13);
  for (const c of [1 / 11, 1 / 9, 1 / 7, 1 / 5, 1 / 3, 1])
    (s = m.add(m.mul(s, t2), c)), (s = c === 1 ? s : m.mul(s, 1));
  return m.add(m.mul(m.mul(t, 2), s), m.add(m.mul(k, 0.6931471805599453), Math.log(1.5)));
};
export const log: Body = named("log", l);
export const sqrt: Body = (m, x) => m.sqrt(x!);
export const expm1: Body = named("expm1", (m, x) => m.sub(e(m, x!), 1));
export const log1p: Body = named("log1p", (m, x) => l(m, m.add(x!, 1)));
export const sigmoid: Body = named("sigmoid", (m, x) => m.div(1, m.add(e(m, m.neg(x!)), 1)));
export const tanh: Body = named("tanh", (m, x) => m.sub(m.div(2, m.add(e(m, m.mul(x!, -2)), 1)), 1));
export const sin: Body = named("sin", (m, x) => {
  const x2 = m.mul(x!, x!);
  let s = m.mul(x2, -1 / 39916800);
  for (const c of [1 / 362880, -1 / 5040, 1 / 120, -1 / 6, 1]) s = m.mul(m.add(s, c), c === 1 ? 1 : x2);
  return m.mul(s, x!);
});
export const cos: Body = named("cos", (m, x) => sin(m, m.sub(Math.PI / 2, x!)));
export const erf: Body = named("erf", (m, x) => tanh(m, m.mul(x!, 1.2)));
export const pow: Body = named("pow", (m, x, y) => e(m, m.mul(y!, l(m, x!))));
