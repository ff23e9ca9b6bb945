import type { DType } from "./dtype.ts";

/** The words of the vocabulary that look into the bits of a number (IEEE 754), for doubles that hold numbers of a dtype. */

const bits64 = new Float64Array(1);
const words64 = new Int32Array(bits64.buffer);
const bits32 = new Float32Array(1);
const words32 = new Int32Array(bits32.buffer);

/** 2^k for k = -1022 ... 1023, at k + 1022. */
const powersOfTwo: Float64Array = Float64Array.from({ length: 2046 }, (_, i) => 2 ** (i - 1022));

export function scale2(x: number, k: number, dtype: DType): number {
  const limit = dtype === "float32" ? 252 : 2044;
  const whole = Math.max(-limit, Math.min(limit, k)) | 0;
  const first = (whole / 2) | 0;
  const half = x * powersOfTwo[first + 1022]!;
  const once = dtype === "float32" ? Math.fround(half) : half;
  return once * powersOfTwo[whole - first + 1022]!;
}

export function power2(k: number, dtype: DType): number {
  if (dtype === "float32") {
    bits32[0] = k + (2 ** 23 + 127);
    words32[0]! <<= 23;
    return bits32[0];
  }
  bits64[0] = k + (2 ** 52 + 1023);
  words64[1] = words64[0]! << 20;
  words64[0] = 0;
  return bits64[0];
}

export function exponent(x: number, dtype: DType): number {
  if (dtype === "float32") {
    bits32[0] = x;
    return ((words32[0]! >>> 23) & 255) - 127;
  }
  bits64[0] = x;
  return ((words64[1]! >>> 20) & 2047) - 1023;
}

/** Rounds to the nearest whole number, ties to even; keeps the sign of zero. */
export function nearest(x: number): number {
  const below = Math.floor(x);
  const rest = x - below;
  if (rest < 0.5 || rest !== rest) return below === 0 && x < 0 ? -0 : below;
  const up = rest > 0.5 || below % 2 !== 0;
  const whole = up ? below + 1 : below;
  return whole === 0 && x < 0 ? -0 : whole;
}

export function copysign(x: number, y: number): number {
  const negative = y < 0 || (y === 0 && 1 / y < 0);
  const magnitude = Math.abs(x);
  return negative ? -magnitude : magnitude;
}

export function toInt32(x: number): number {
  return x >= 2147483647 ? 2147483647 : x <= -2147483648 ? -2147483648 : x | 0;
}

/** One instruction over `n` elements. Operands may be the same array as `out`. */
