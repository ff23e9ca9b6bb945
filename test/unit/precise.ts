/**
 * The elementary functions in multiple precision, to judge those of the package in float64. Slow, plain and independent
 * of them: fixed point in BigInt, Taylor series, no tables.
 */

/** The number `digits * 2^exponent`, good to 100 bits or more. */
export interface Precise {
  readonly digits: bigint;
  readonly exponent: number;
}

const buffer = new DataView(new ArrayBuffer(8));

/** A finite float64 as it is. */
export function precise(x: number): Precise {
  buffer.setFloat64(0, x);
  const bits = buffer.getBigUint64(0);
  const field = Number((bits >> 52n) & 2047n);
  const fraction = bits & 0xfffffffffffffn;
  const magnitude = field === 0 ? fraction : fraction | 0x10000000000000n;
  return { digits: bits >> 63n ? -magnitude : magnitude, exponent: Math.max(field, 1) - 1075 };
}

/** How many binary digits `n` has. */
export function lengthOf(n: bigint): number {
  const hex = (n < 0n ? -n : n).toString(16);
  return hex === "0" ? 0 : 4 * hex.length - 4 + (32 - Math.clz32(Number.parseInt(hex[0]!, 16)));
}

/** Multiplies by a power of two, rounding down. */
function shift(n: bigint, by: number): bigint {
  return by >= 0 ? n << BigInt(by) : n >> BigInt(-by);
}

const magnitudeOf = (n: bigint): bigint => (n < 0n ? -n : n);

/** `x` in units of 2^-places. */
function fixed(x: number, places: number): bigint {
  const { digits, exponent } = precise(x);
  return shift(digits, exponent + places);
}

/** Places that leave 190 digits or so of a result near `x`, a multiple of 128 so that constants are shared. */
function placesFor(x: number): number {
  const { digits, exponent } = precise(x);
  return 256 + 128 * Math.ceil(Math.max(0, -(exponent + lengthOf(digits))) / 128);
}

/** A function of the number of places, each value computed once. */
function constant(compute: (places: number) => bigint): (places: number) => bigint {
  const known = new Map<number, bigint>();
  return (places) => {
    let value = known.get(places);
    if (value === undefined) {
      value = compute(places + 32) >> 32n;
      known.set(places, value);
    }
    return value;
  };
}

/** 1/n + s/3n^3 + 1/5n^5 ...: the inverse hyperbolic tangent of 1/n for s = 1, the inverse tangent for s = -1. */
function inverseTangent(n: bigint, sign: 1n | -1n, places: number): bigint {
  let power = (1n << BigInt(places)) / n;
  let sum = 0n;
  for (let k = 1n; power !== 0n; k += 2n) {
    sum += power / k;
    power = (sign * power) / (n * n);
  }
  return sum;
}

/** The natural logarithm of 2. */
export const ln2: (places: number) => bigint = constant((p) => 2n * inverseTangent(3n, 1n, p));

/** John Machin's formula of 1706. */
export const pi: (places: number) => bigint = constant(
  (p) => 16n * inverseTangent(5n, -1n, p) - 4n * inverseTangent(239n, -1n, p),
);

/** The square root, rounded down, by Newton's method. */
function squareRoot(n: bigint): bigint {
  let root = 1n << BigInt(Math.ceil(lengthOf(n) / 2));
  for (;;) {
    const next = (root + n / root) >> 1n;
    if (next >= root) return root;
    root = next;
  }
}
