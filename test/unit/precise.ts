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

/** `e^x` of a fixed-point number as `value * 2^exponent`, the value in the same places. */
function exponential(x: bigint, places: number): { value: bigint; exponent: number } {
  const halvings = 8;
  const ln = ln2(places);
  const exponent = (2n * x + ln) / (2n * ln) - (x < 0n ? 1n : 0n);
  const r = (x - exponent * ln) >> BigInt(halvings);
  const width = BigInt(places);
  let term = 1n << width;
  let sum = 0n;
  for (let n = 1n; term !== 0n && term !== -1n; n++) {
    sum += term;
    term = ((term * r) >> width) / n;
  }
  for (let i = 0; i < halvings; i++) sum = (sum * sum) >> width;
  return { value: sum, exponent: Number(exponent) };
}

/** The logarithm of `n * 2^exponent`, n > 0, in fixed point. */
function logarithm(n: bigint, exponent: number, places: number): bigint {
  // A fraction between 3/4 and 3/2.
  let length = lengthOf(n);
  if (shift(n, 2) < 3n << BigInt(length)) length -= 1;
  const one = 1n << BigInt(places);
  const fraction = shift(n, places - length);
  const width = BigInt(places);
  const s = ((fraction - one) << width) / (fraction + one);
  const square = (s * s) >> width;
  let power = s;
  let sum = 0n;
  for (let k = 1n; power !== 0n && power !== -1n; k += 2n) {
    sum += power / k;
    power = (power * square) >> width;
  }
  return 2n * sum + BigInt(exponent + length) * ln2(places);
}

/** `n / d` in fixed point, from fixed-point numbers. */
const quotient = (n: bigint, d: bigint, places: number): bigint => (n << BigInt(places)) / d;

export function exp(x: number): Precise {
  const places = placesFor(x);
  const bounded = Math.max(-5000, Math.min(5000, x));
  const { value, exponent } = exponential(fixed(bounded, places), places);
  return { digits: value, exponent: exponent - places };
}

export function expm1(x: number): Precise {
  const places = placesFor(x);
  if (x > 200) return exp(x);
  if (x < -100) return precise(-1);
  const { value, exponent } = exponential(fixed(x, places), places);
  return { digits: shift(value, exponent) - (1n << BigInt(places)), exponent: -places };
}

/** For x > 0. */
export function log(x: number): Precise {
  const { digits, exponent } = precise(x);
  return { digits: logarithm(digits, exponent, 256), exponent: -256 };
}

/** For x > -1. */
export function log1p(x: number): Precise {
  const places = placesFor(x);
  const sum = fixed(x, places) + (1n << BigInt(places));
  return { digits: logarithm(sum, -places, places), exponent: -places };
}

export function sigmoid(x: number): Precise {
  if (x < -800) return exp(x);
  if (x > 100) return precise(1);
  const places = placesFor(x);
  const { value, exponent } = exponential(-fixed(x, places), places);
  const sum = (1n << BigInt(places)) + shift(value, exponent);
  const extra = Math.max(0, exponent) + places;
  return { digits: (1n << BigInt(places + extra)) / sum, exponent: -extra };
}

export function tanh(x: number): Precise {
  if (Math.abs(x) > 50) return precise(Math.sign(x));
  const places = placesFor(x);
  const one = 1n << BigInt(places);
  const { value, exponent } = exponential(fixed(2 * x, places), places);
  const power = shift(value, exponent);
  return { digits: quotient(power - one, power + one, places), exponent: -places };
}

/** The sine of `x + quarters * pi / 2`. */
function sine(x: number, quarters: bigint): Precise {
  const { digits, exponent } = precise(x);
  const size = Math.max(0, exponent + lengthOf(digits));
  // As many more digits as the integer part has.
  let places = placesFor(x) + 128 * Math.ceil(size / 128);
  const half = pi(places) / 2n;
  const angle = fixed(x, places);
  const turns = (angle + half / 2n) / half - (angle < -half / 2n ? 1n : 0n);
  let rest = angle - turns * half;
  if (size > 0) {
    rest = shift(rest, 256 - places);
    places = 256;
  }
  const quadrant = (turns + quarters) & 3n;
  const width = BigInt(places);
  const square = (rest * rest) >> width;
  let term = quadrant & 1n ? 1n << width : rest;
  let sum = 0n;
  for (let n = quadrant & 1n ? 1n : 2n; term !== 0n && term !== -1n; n += 2n) {
    sum += term;
    term = -((term * square) >> width) / (n * (n + 1n));
  }
  return { digits: quadrant & 2n ? -sum : sum, exponent: -places };
}

export function sin(x: number): Precise {
  return sine(x, 0n);
}

export function cos(x: number): Precise {
  return sine(x, 1n);
}

/** 2 x / sqrt(pi) e^(-x^2) (1 + 2 x^2 / 3 + (2 x^2)^2 / 3 5 + ...): all terms have one sign. */
export function erf(x: number): Precise {
  if (Math.abs(x) > 7) return precise(Math.sign(x));
  const places = placesFor(x);
  const width = BigInt(places);
  const argument = fixed(x, places);
  const square = (argument * argument) >> width;
  let term = argument;
  let sum = 0n;
  for (let n = 3n; magnitudeOf(term) > 1n; n += 2n) {
    sum += term;
    term = (2n * ((term * square) >> width)) / n;
  }
  const { value, exponent } = exponential(-square, places);
  const product = shift((sum * value) >> width, exponent + 1);
  return { digits: quotient(product, squareRoot(pi(places) << width), places), exponent: -places };
}

/** For finite x > 0. */
export function pow(x: number, y: number): Precise {
  const { digits, exponent } = precise(x);
  const power = precise(y);
  const product = shift(power.digits * logarithm(digits, exponent, 384), power.exponent);
  const limit = 5000n << 384n;
  const bounded = product > limit ? limit : product < -limit ? -limit : product;
  const { value, exponent: k } = exponential(bounded, 384);
  return { digits: value, exponent: k - 384 };
}

/** The distance of `got` from `want` in units in the last place of `want` in a format of `digits` digits. */
export function ulps(got: number, want: Precise, digits: 24 | 53): number {
  const [least, most] = digits === 24 ? [-126, 127] : [-1022, 1023];
  const exponent = lengthOf(want.digits) + want.exponent - 1;
  const unit = Math.min(Math.max(exponent, least), most) - digits + 1;
  const infinite = { digits: got > 0 ? 1n : -1n, exponent: most + 1 };
  const a = Number.isFinite(got) ? precise(got) : infinite;
  const huge = { digits: want.digits > 0n ? 1n : -1n, exponent: most + 1 };
  const b = exponent > most ? huge : want;
  const base = Math.min(a.exponent, b.exponent, unit - 30);
  const difference = shift(a.digits, a.exponent - base) - shift(b.digits, b.exponent - base);
  return Number(shift(magnitudeOf(difference), base - unit + 30)) / 2 ** 30;
}
