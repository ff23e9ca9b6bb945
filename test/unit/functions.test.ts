import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Body } from "../../packages/autograd/src/arithmetic.ts";
import type { TypedArray } from "../../packages/autograd/src/dtype.ts";
import * as functions from "../../packages/autograd/src/functions.ts";
import { Machine } from "../../packages/autograd/src/machine.ts";
import { trace } from "../../packages/autograd/src/program.ts";
import { mulberry32 } from "../mulberry.ts";
import * as reference from "./precise.ts";

type Float = "float32" | "float64";
type Floats = Float32Array | Float64Array;
type Name = keyof typeof functions;
type Unary = Exclude<Name, "pow">;
const unary = Object.keys(functions).filter((name) => name !== "pow") as Unary[];
const bodies: Record<Name, Body> = { ...functions };

/** In units in the last place. */
const limits = { float32: 2.5, float64: 2 };
const powLimits = { float32: 2.5, float64: 4 };

const arrays = { float32: Float32Array, float64: Float64Array };
const digits = { float32: 24, float64: 53 } as const;

const machines = new Map<string, Machine>();

function run(name: Name, dtype: Float, ...operands: TypedArray[]): TypedArray {
  const key = `${name} ${dtype}`;
  let machine = machines.get(key);
  if (!machine) {
    const body = bodies[name];
    machine = new Machine(
      trace(
        body,
        operands.map(() => dtype),
        dtype,
      ),
    );
    machines.set(key, machine);
  }
  const out = new arrays[dtype](operands[0]!.length);
  machine.run(operands, out.length, out);
  return out;
}

/** The error function in float64: a series whose terms have one sign. */
function erf(x: number): number {
  if (!(Math.abs(x) < 6)) return Math.sign(x);
  let term = (2 * x * Math.exp(-x * x)) / Math.sqrt(Math.PI);
  let sum = 0;
  for (let n = 3; Math.abs(term) > Math.abs(sum) * 2 ** -60; n += 2) {
    sum += term;
    term *= (2 * x * x) / n;
  }
  return x === 0 ? x : sum;
}

function sigmoid(x: number): number {
  return x < 0 ? Math.exp(x) / (1 + Math.exp(x)) : 1 / (1 + Math.exp(-x));
}

/** In float64 arithmetic: precise enough to judge float32, and right for special values. */
const { cos, exp, expm1, log, log1p, sin, sqrt, tanh } = Math;
const inDouble: Record<Unary, (x: number) => number> = {
  ...{ cos, exp, expm1, log, log1p, sin, sqrt, tanh },
  ...{ erf, sigmoid },
};

/** What the result should be: exactly so if a number of the dtype, to within the limit otherwise. */
type Wanted = number | reference.Precise;

function wantedSingle(name: Unary, x: number, got: number): Wanted {
  const y = inDouble[name](x);
  const rounded = y === 0 || !Number.isFinite(y) || got === Math.fround(y) || name === "sqrt";
  return rounded ? Math.fround(y) : precise(y);
}

const { precise, lengthOf, ulps, ...exactly } = reference;

function wantedDouble(name: Unary, x: number): Wanted {
  const special = x === 0 || !Number.isFinite(x) || name === "sqrt";
  const outside = (name === "log" && x < 0) || (name === "log1p" && x <= -1);
  return special || outside ? inDouble[name](x) : exactly[name as Exclude<Unary, "sqrt">](x);
}

/** `1.5 (0x3fc00000)` */
function show(x: number, dtype: Float): string {
  const bytes = new Uint8Array(arrays[dtype].of(x).buffer).reverse();
  return `${x} (0x${Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")})`;
}

/** A short form of what was wanted. */
function showWanted(want: Wanted): string {
  if (typeof want === "number") return Object.is(want, -0) ? "-0" : String(want);
  const length = lengthOf(want.digits);
  const scaled = Number(length > 60 ? want.digits >> BigInt(length - 60) : want.digits);
  const exponent = want.exponent + Math.max(0, length - 60);
  const value = scaled * 2 ** Math.trunc(exponent / 2) * 2 ** (exponent - Math.trunc(exponent / 2));
  return String(value);
}

function errorOf(got: number, want: Wanted, dtype: Float): number {
  if (typeof want !== "number") return Number.isNaN(got) ? Infinity : ulps(got, want, digits[dtype]);
  return Object.is(got, want) ? 0 : Infinity;
}

/** Fails with the worst result beyond the limit, if there is one. */
function check(name: Unary, xs: Floats): void {
  const dtype = xs instanceof Float32Array ? "float32" : "float64";
  const wanted = dtype === "float32" ? wantedSingle : wantedDouble;
  const out = run(name, dtype, xs);
  let worst: number = limits[dtype];
  let message: string | undefined;
  xs.forEach((x, i) => {
    const want = wanted(name, x, out[i]!);
    const error = errorOf(out[i]!, want, dtype);
    if (error <= worst) return;
    worst = error;
    message = `${name} of ${dtype} ${show(x, dtype)}: got ${show(out[i]!, dtype)}, expected ${showWanted(want)}, ${error} ulp`;
  });
  if (message !== undefined) expect.fail(message);
}

/** Every `stride`-th float32, from the first bit pattern to the last. */
function sweepSingle(stride: number): Float32Array {
  return new Float32Array(
    Uint32Array.from({ length: Math.ceil(2 ** 32 / stride) }, (_, i) => i * stride).buffer,
  );
}

/** Every `stride`-th upper half of a float64, the lower half from a generator. */
function sweepDouble(stride: number): Float64Array {
  const random = mulberry32(1);
  const halves = new Uint32Array(2 * Math.ceil(2 ** 32 / stride));
  for (let i = 0; i < halves.length; i += 2) {
    halves[i] = random() * 2 ** 32;
    halves[i + 1] = (i / 2) * stride;
  }
  return new Float64Array(halves.buffer);
}

/** Where the functions have their shape: small numbers, evenly by their logarithms, and larger ones, evenly. */
function middle(dtype: Float, count: number): Floats {
  const random = mulberry32(2);
  const scales = [0, 1, 4, 20, 100, 800];
  const number = (i: number): number => {
    const scale = scales[i % scales.length]!;
    const magnitude = scale === 0 ? 2 ** (-30 * random()) : scale * random();
    return random() < 0.5 ? -magnitude : magnitude;
  };
  return arrays[dtype].from(Array.from({ length: count }, (_, i) => number(i)));
}

/** `x` and the `count` numbers of its dtype on either side. */
function around(x: number, dtype: Float, count: number): number[] {
  const at = arrays[dtype].of(x);
  const bits = dtype === "float32" ? new Int32Array(at.buffer) : new BigInt64Array(at.buffer);
  const start = bits[0]!;
  return Array.from({ length: 2 * count + 1 }, (_, i) => {
    bits[0] = typeof start === "bigint" ? start + BigInt(i - count) : start + i - count;
    return at[0]!;
  });
}

/** Where methods change, results overflow or vanish, and arguments split. */
const turningPoints = [
  ...[88.72284, 89, 103.2789, 103.9721, 104, 709.782712893384, 710, 708.396, 744.4400719, 745.1332191, 746],
  ...[16.6, 18, 20, 37.42994775, 38, 40, 9.01, 19.06, 0.75, 1.5, 0.8, 0.84375, 3.9192, 4, 5.9215871957945, 6],
  ...[Math.SQRT1_2, Math.SQRT2, Math.SQRT2 - 1, 1 - Math.SQRT1_2, 12800, 1.6e6, 2 ** 31, 2 ** 53, 1e22],
  ...Array.from({ length: 40 }, (_, k) => (k + 0.5) * Math.LN2),
  ...Array.from({ length: 41 }, (_, k) => 1 + (k - 20) / 1024),
  // The float64 that is nearest to a multiple of pi / 2 (J.-M. Muller, Elementary Functions, 2006).
  6381956970095103 * 2 ** 797,
];

const powersOfTwo = {
  float32: Array.from({ length: 277 }, (_, k) => 2 ** (k - 149)),
  float64: Array.from({ length: 2098 }, (_, k) => 2 ** (k - 1074)),
};

function breakpoints(dtype: Float): Floats {
  const points = [...turningPoints, ...powersOfTwo[dtype], Number.MAX_VALUE].flatMap((x) => [x, -x]);
  return arrays[dtype].from(
    points.flatMap((x) => (Number.isFinite(arrays[dtype].of(x)[0]) ? around(x, dtype, 1) : [])),
  );
}

/** Multiples of pi / 2, near and far, and their neighbours. */
function rightAngles(dtype: Float): Floats {
  const multiples = Array.from({ length: 8300 }, (_, k) => (k - 20) * (Math.PI / 2));
  const far = Array.from(
    { length: 2000 },
    (_, k) => Math.floor(1.05 ** (k % 400) * 7919 + k) * (Math.PI / 2),
  );
  return arrays[dtype].from([...multiples, ...far].flatMap((x) => around(x, dtype, 1)));
}

describe.each(unary)("%s", (name) => {
  const f32 = `within ${limits.float32} ulp in float32`;
  const f64 = `within ${limits.float64} ulp in float64`;

  test(`is ${f32} over all bit patterns`, () => {
    check(name, sweepSingle(42_767));
  });
  test(`is ${f32} in the middle of its domain`, () => {
    check(name, middle("float32", 20_000));
  });
  test(`is ${f32} around breakpoints`, () => {
    check(name, breakpoints("float32"));
  });
  test(`is ${f32} at random bit patterns`, () => {
    const patterns = fc.array(fc.nat(2 ** 32 - 1), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(patterns, (bits) => {
        check(name, new Float32Array(Uint32Array.from(bits).buffer));
      }),
    );
  });

  test(`is ${f64} over all exponents`, () => {
    check(name, sweepDouble(429_497));
  });
  test(`is ${f64} in the middle of its domain`, () => {
    check(name, middle("float64", 8000));
  });
  test(`is ${f64} around breakpoints`, () => {
    check(name, breakpoints("float64"));
  });
  test(`is ${f64} at random bit patterns`, () => {
    const patterns = fc.array(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(patterns, (bits) => {
        check(name, new Float64Array(BigUint64Array.from(bits).buffer));
      }),
    );
  });
});

describe.each(["sin", "cos"] as const)("%s", (name) => {
  test.each(["float32", "float64"] as const)("is accurate near multiples of pi / 2 in %s", (dtype) => {
    check(name, rightAngles(dtype));
  });
});

/** Results that must be exact, in both dtypes: IEEE 754 and Annex F of C99. */
const special: Record<Unary, readonly (readonly [x: number, result: number])[]> = {
  exp: [
    [0, 1],
    [-0, 1],
    [-Infinity, 0],
    [Infinity, Infinity],
    [800, Infinity],
    [-800, 0],
  ],
  expm1: [
    [0, 0],
    [-0, -0],
    [-Infinity, -1],
    [Infinity, Infinity],
    [800, Infinity],
    [-800, -1],
  ],
  log: [
    [1, 0],
    [0, -Infinity],
    [-0, -Infinity],
    [-1, NaN],
    [-(2 ** -149), NaN],
    [-Infinity, NaN],
    [Infinity, Infinity],
  ],
  log1p: [
    [0, 0],
    [-0, -0],
    [-1, -Infinity],
    [-1.5, NaN],
    [-Infinity, NaN],
    [Infinity, Infinity],
  ],
  sin: [
    [0, 0],
    [-0, -0],
    [Infinity, NaN],
    [-Infinity, NaN],
  ],
  cos: [
    [0, 1],
    [-0, 1],
    [Infinity, NaN],
    [-Infinity, NaN],
  ],
  tanh: [
    [0, 0],
    [-0, -0],
    [Infinity, 1],
    [-Infinity, -1],
    [100, 1],
    [-100, -1],
  ],
  sigmoid: [
    [0, 0.5],
    [-0, 0.5],
    [Infinity, 1],
    [-Infinity, 0],
    [800, 1],
    [-800, 0],
  ],
  erf: [
    [0, 0],
    [-0, -0],
    [Infinity, 1],
    [-Infinity, -1],
    [10, 1],
    [-10, -1],
  ],
  sqrt: [
    [0, 0],
    [-0, -0],
    [4, 2],
    [Infinity, Infinity],
    [-1, NaN],
    [-Infinity, NaN],
  ],
}; // prettier-ignore

describe.each(unary)("%s", (name) => {
  test.each(["float32", "float64"] as const)("has the special values of IEEE 754 in %s", (dtype) => {
    for (const [x, result] of [...special[name], [NaN, NaN] as const])
      expect(run(name, dtype, arrays[dtype].of(x))[0], `${name} of ${dtype} ${show(x, dtype)}`).toBe(result);
  });
});

/** The results of pow that Annex F of C99 fixes (F.9.4.4), and a few that are exact. */
const powSpecial: readonly (readonly [x: number, y: number, result: number])[] = [
  [0, -3, Infinity],
  [-0, -3, -Infinity],
  [0, -2, Infinity],
  [-0, -2, Infinity],
  [0, -0.5, Infinity],
  [-0, -0.5, Infinity],
  [0, -Infinity, Infinity],
  [-0, -Infinity, Infinity],
  [0, 3, 0],
  [-0, 3, -0],
  [0, 2, 0],
  [-0, 2, 0],
  [0, 0.5, 0],
  [-0, 0.5, 0],
  [0, Infinity, 0],
  [-0, Infinity, 0],
  [-1, Infinity, 1],
  [-1, -Infinity, 1],
  [1, Infinity, 1],
  [1, -Infinity, 1],
  [1, NaN, 1],
  [1, 1e30, 1],
  [-1, 1e30, 1],
  [-1, 2 ** 24 + 2, 1],
  [-1, 2 ** 24 - 1, -1],
  [-1, -5, -1],
  [0, 0, 1],
  [-0, -0, 1],
  [NaN, 0, 1],
  [NaN, -0, 1],
  [Infinity, 0, 1],
  [-Infinity, -0, 1],
  [-2, 0, 1],
  [-2, 0.5, NaN],
  [-2, -1.5, NaN],
  [-1, 0.5, NaN],
  [-1e-40, 1e-40, NaN],
  [-1e30, 1e-30, NaN],
  [0.5, -Infinity, Infinity],
  [-0.5, -Infinity, Infinity],
  [1.5, -Infinity, 0],
  [-1.5, -Infinity, 0],
  [0.5, Infinity, 0],
  [-0.5, Infinity, 0],
  [1.5, Infinity, Infinity],
  [-1.5, Infinity, Infinity],
  [-Infinity, -3, -0],
  [-Infinity, -2, 0],
  [-Infinity, -0.5, 0],
  [-Infinity, 3, -Infinity],
  [-Infinity, 2, Infinity],
  [-Infinity, 0.5, Infinity],
  [-Infinity, Infinity, Infinity],
  [-Infinity, -Infinity, 0],
  [Infinity, -1, 0],
  [Infinity, -0.5, 0],
  [Infinity, 0.5, Infinity],
  [Infinity, 3, Infinity],
  [Infinity, Infinity, Infinity],
  [Infinity, -Infinity, 0],
  [NaN, 1, NaN],
  [NaN, NaN, NaN],
  [2, NaN, NaN],
  [0, NaN, NaN],
  [-0, NaN, NaN],
  [Infinity, NaN, NaN],
  [NaN, Infinity, NaN],
  [-1, NaN, NaN],
  [-2, 1e4 + 1, -Infinity],
  [-2, -1e4 - 1, -0],
  [-2, 1e4, Infinity],
  [2, 1e30, Infinity],
  [2, -1e30, 0],
  [2, 10, 1024],
  [-2, 3, -8],
  [-2, -3, -0.125],
  [4, 0.5, 2],
  [10, 2, 100],
  [-3, 1, -3],
  [8, -1, 0.125],
]; // prettier-ignore

/** Fails with the worst result of pow beyond the limit, if there is one. */
function checkPow(xs: Floats, ys: Floats): void {
  const dtype = xs instanceof Float32Array ? "float32" : "float64";
  const out = run("pow", dtype, xs, ys);
  let worst: number = powLimits[dtype];
  let message: string | undefined;
  xs.forEach((x, i) => {
    const y = ys[i]!;
    const want = wantedPow(x, y);
    const error = errorOf(out[i]!, want, dtype);
    if (error <= worst) return;
    worst = error;
    message =
      `pow of ${dtype} ${show(x, dtype)} and ${show(y, dtype)}: got ${show(out[i]!, dtype)}, ` +
      `expected ${showWanted(want)}, ${error} ulp`;
  });
  if (message !== undefined) expect.fail(message);
}

/** Math.pow has the special values of C99 but for pow(1, NaN) and pow(-1 or 1, infinity). */
function wantedPow(x: number, y: number): Wanted {
  if (x === 1 || (x === -1 && Math.abs(y) === Infinity)) return 1;
  const special = x === 0 || y === 0 || !Number.isFinite(x) || !Number.isFinite(y);
  if (special || (x < 0 && !Number.isInteger(y))) return x ** y;
  const want = exactly.pow(Math.abs(x), y);
  return x < 0 && y % 2 !== 0 ? { ...want, digits: -want.digits } : want;
}

/** Pairs whose powers fill the range of the dtype and go a little beyond it. */
function powPairs(dtype: Float, count: number): [Floats, Floats] {
  const random = mulberry32(3);
  const top = dtype === "float32" ? 128 : 1024;
  const xs = new arrays[dtype](count);
  const ys = new arrays[dtype](count);
  for (let i = 0; i < count; i++) {
    const kind = i % 4;
    if (kind === 0) xs[i] = 2 ** ((2 * random() - 1) * top * (random() < 0.5 ? 1.04 : 0.01));
    else if (kind === 1) xs[i] = 1 + (random() - 0.5) * 2 ** (-20 * random());
    else xs[i] = (random() - (kind === 2 ? 0.1 : 0.9)) * 10;
    const log = Math.log2(Math.abs(xs[i]!)) || 1;
    if (kind < 2) ys[i] = ((2.16 * random() - 1.08) * top) / log;
    else ys[i] = kind === 2 ? (random() - 0.5) * 30 : Math.floor((random() - 0.5) * 40);
  }
  return [xs, ys];
}

describe("pow", () => {
  test.each(["float32", "float64"] as const)("has the special values of C99 in %s", (dtype) => {
    for (const [x, y, result] of powSpecial) {
      const got = run("pow", dtype, arrays[dtype].of(x), arrays[dtype].of(y))[0];
      expect(got, `pow of ${dtype} ${show(x, dtype)} and ${show(y, dtype)}`).toBe(result);
    }
  });
  test("is within 2.5 ulp in float32 where results are finite", () => {
    checkPow(...powPairs("float32", 100_000));
  });
  test("is within 4 ulp in float64 where results are finite", () => {
    checkPow(...powPairs("float64", 30_000));
  });
  test.each(["float32", "float64"] as const)("is accurate for pairs of breakpoints in %s", (dtype) => {
    const points = breakpoints(dtype).filter((_, i) => i % 89 === 0);
    const exponents = [0.5, 1, 2, 3, 1 / 3, 2.5, 10, 1023, 2 ** 24 - 1, 2 ** 53, 1e-3, 1e-40, 1e30, 3e38];
    const both = exponents.flatMap((y) => [y, -y]);
    const xs = arrays[dtype].from(both.flatMap(() => Array.from(points)));
    const ys = arrays[dtype].from(both.flatMap((y) => Array.from(points, () => y)));
    checkPow(xs, ys);
  });
  test("is within 2.5 ulp in float32 at random bit patterns", () => {
    const bits = fc.nat(2 ** 32 - 1);
    fc.assert(
      fc.property(bits, bits, (x, y) => {
        const operands = Array.from([x, y], (word) => new Float32Array(Uint32Array.of(word).buffer));
        checkPow(operands[0]!, operands[1]!);
      }),
    );
  });
  test("is within 4 ulp in float64 at random bit patterns", () => {
    const bits = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
    fc.assert(
      fc.property(bits, bits, (x, y) => {
        const operands = Array.from([x, y], (word) => new Float64Array(BigUint64Array.of(word).buffer));
        checkPow(operands[0]!, operands[1]!);
      }),
    );
  });
});

test.each(["sin", "tanh", "expm1", "log1p"] as const)("%s of a tiny number is that number", (name) => {
  for (const dtype of ["float32", "float64"] as const) {
    const xs = arrays[dtype].from(powersOfTwo[dtype].slice(0, 60).flatMap((x) => [x, -x]));
    expect(run(name, dtype, xs)).toEqual(xs);
  }
});

test.each(["tanh", "erf"] as const)("%s is odd", (name) => {
  const xs = middle("float32", 10_000);
  const negated = run(
    name,
    "float32",
    xs.map((x) => -x),
  );
  expect(run(name, "float32", xs).map((y) => -y)).toEqual(negated);
});

/** The first 40 decimals of a precise number. */
function decimals({ digits: n, exponent }: reference.Precise): string {
  const scaled = (n * 10n ** 41n) >> BigInt(-exponent);
  return String((scaled + 5n) / 10n);
}

// From the On-Line Encyclopedia of Integer Sequences: A001113, A068985, A002162, A049469, A049470, A073744; and of erf
// the digits beyond those of M. Abramowitz and I. Stegun, Handbook of Mathematical Functions, table 7.1.
test.each([
  ["e", exactly.exp(1), "27182818284590452353602874713526624977572"],
  ["e - 1", exactly.expm1(1), "17182818284590452353602874713526624977572"],
  ["1 / e", exactly.exp(-1), "3678794411714423215955237701614608674458"],
  ["ln 2", exactly.log(2), "6931471805599453094172321214581765680755"],
  ["ln 2 again", exactly.log1p(1), "6931471805599453094172321214581765680755"],
  ["sin 1", exactly.sin(1), "8414709848078965066525023216302989996226"],
  ["cos 1", exactly.cos(1), "5403023058681397174009366074429766037323"],
  ["tanh 1", exactly.tanh(1), "7615941559557648881194582826047935904128"],
  ["erf 1/2", exactly.erf(0.5), "5204998778130465376827466538919645287365"],
  ["erf 1", exactly.erf(1), "8427007929497148693412206350826092592961"],
] as const)("the reference knows %s", (_, value, expected) => {
  expect(decimals(value)).toBe(expected);
});

test("the reference knows other published values", () => {
  // K. C. Ng, Argument reduction for huge arguments, 1992: sin(10^22).
  expect(ulps(-0.8522008497671888, exactly.sin(1e22), 53)).toBeLessThan(0.51);
  expect(ulps(Math.SQRT2, exactly.pow(2, 0.5), 53)).toBeLessThan(0.51);
  expect(ulps(2 / 3, exactly.sigmoid(Math.LN2), 53)).toBeLessThan(1);
});
