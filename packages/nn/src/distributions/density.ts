import type { DrawOptions, DType, Operand, Shape, Tensor } from "@cotangent/autograd/functional";
import {
  abs,
  add,
  broadcastTo,
  cast,
  div,
  eq,
  hideFrames,
  lgamma,
  log,
  log1p,
  logicalAnd,
  logicalOr,
  logStandardGamma,
  lt,
  maximum,
  mul,
  sub,
  where,
  xlogy,
} from "@cotangent/autograd/functional";

hideFrames(import.meta.url);

/** What the distributions that are made of Gamma draws share. */

/** `f` of parameters computed in float64: differences of gamma functions of large numbers lose their digits. */
export function precisely(f: (...xs: Tensor[]) => Tensor, ...xs: readonly Tensor[]): Tensor {
  const dtype = xs.every((x) => x.dtype === "float32") ? "float32" : "float64";
  return cast(f(...xs.map((x) => cast(x, "float64"))), dtype);
}

/** The logarithm of the density of the standard Gamma distribution with concentration `a`, where `x` is `a`. */
export const logPeak = (a: Tensor): Tensor =>
  precisely((a) => sub(sub(mul(sub(a, 1), log(a)), a), lgamma(a)), a);

/**
 * What the logarithm of that density is more at `x * rate` than at `a`: with `m = x * rate / a - 1`, `(a - 1) log(1 + m) - a m`. Near 0 the two are nearly
 * equal, and for large `a` large: their difference is made of `log(1 + m) - m`.
 */
export function abovePeak(a: Tensor, x: Tensor, rate: Operand): Tensor {
  const more = sub(mul(x, rate), a);
  const m = div(more, a);
  const isNear = lt(abs(m), 0.5);
  const near = where(isNear, m, 0);
  const logarithm = log1p(near);
  // At 0 the power is 1 if `a` is, and its derivative by `x` 0.
  const isConstant = logicalAnd(eq(x, 0), eq(a, 1));
  const power = sub(a, 1);
  const powers = add(xlogy(power, where(logicalOr(isNear, isConstant), 1, x)), mul(power, log(div(rate, a))));
  return where(isNear, sub(mul(a, sub(logarithm, near)), logarithm), sub(powers, where(isNear, 0, more)));
}

/** The logarithms of standard Gamma draws of `shape`, float64. */
export function logDraws(concentration: Tensor, shape: Shape, { generator }: DrawOptions): Tensor {
  const stretched: Tensor = broadcastTo(cast(concentration, "float64"), shape);
  return logStandardGamma(stretched, { generator });
}

/** In `dtype`, and at least its smallest normal number: a draw of 0 would have no finite density. */
export const aboveZero = (x: Tensor, dtype: DType): Tensor =>
  maximum(cast(x, dtype), dtype === "float64" ? 2 ** -1022 : 2 ** -126);
