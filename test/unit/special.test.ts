import {
  acos,
  acosh,
  asin,
  asinh,
  atanh,
  cdist,
  checkGradient,
  compile,
  cumprod,
  digamma,
  div,
  erf,
  erfinv,
  exp,
  floorDivide,
  fmod,
  fromTypedArray,
  grad,
  hypot,
  jvp,
  lgamma,
  logcumsumexp,
  norm,
  onesLike,
  polygamma,
  prod,
  reciprocal,
  remainder,
  rsqrt,
  sinc,
  std,
  type Tensor,
  tensor,
  where,
} from "@cotangent/autograd";
import { describe, expect, test } from "vitest";
import { mulberry32 } from "../mulberry.ts";

const double = (data: number[]) => tensor(data, { dtype: "float64" });

/** The derivative of order `n` of `sinc` at the places `xs`. */
function sincDerivative(n: number, xs: number[], dtype: "float32" | "float64"): number[] {
  const x = tensor(xs, { dtype });
  let y = sinc(x);
  for (let i = 0; i < n; i++) y = grad(y.sum(), [x])[0];
  return Array.from(y.toTypedArray());
}

describe("sinc", () => {
  test("has the derivatives of its power series at 0", () => {
    for (const dtype of ["float32", "float64"] as const)
      for (let n = 0; n <= 6; n++) {
        const sign = n % 4 === 0 ? 1 : -1;
        const wanted = n % 2 === 1 ? 0 : (sign * Math.PI ** n) / (n + 1);
        const [at] = sincDerivative(n, [0], dtype);
        expect(Math.abs(at! - wanted)).toBeLessThanOrEqual(Math.abs(wanted) * 2 ** -22);
      }
  });

  test("keeps the digits of its derivatives near 0", () => {
    const tiny = 1e-9;
    const [first, third] = [1, 3].map((n) => sincDerivative(n, [tiny], "float64")[0]!);
    expect(first! / (-(Math.PI ** 2 / 3) * tiny)).toBeCloseTo(1, 14);
    expect(third! / ((Math.PI ** 4 / 5) * tiny)).toBeCloseTo(1, 14);
  });

  test("has no seam where the series ends", () => {
    for (let n = 0; n <= 4; n++) {
      const seam = (2 + n / 2) / Math.PI;
      const [below, above] = sincDerivative(n, [seam - 1e-13, seam + 1e-13], "float64");
      expect(Math.abs(below! - above!)).toBeLessThan(1e-12 * Math.PI ** (n + 1));
    }
  });

  test("has the slope of a cosine at whole numbers however large", () => {
    const xs = [1, 2, 3, 2 ** 53, 2 ** 53 - 1, 2 ** 60];
    const signs = [-1, 1, -1, 1, -1, 1];
    expect(sincDerivative(1, xs, "float64")).toEqual(
      xs.map((x, i) => expect.closeTo(signs[i]! / x, 15 + Math.log10(x))),
    );
  });

  test("is exactly 0 at whole numbers however large", () => {
    expect(sincDerivative(0, [1, -2, 1e6, 2 ** 60], "float64").map(Math.abs)).toEqual([0, 0, 0, 0]);
  });
});

test("lgamma has the logarithms of factorials, and a zero of full accuracy at 1 and 2", () => {
  const ns = [3, 4, 5, 6, 7, 8, 9, 10, 11, 20];
  let factorial = 1;
  const wanted: number[] = [];
  for (let n = 1; n <= 20; n++) {
    if (ns.includes(n)) wanted.push(Math.log(factorial));
    factorial *= n;
  }
  const got = lgamma(double(ns)).toTypedArray();
  wanted.forEach((y, i) => {
    expect(got[i]! / y).toBeCloseTo(1, 14);
  });
  expect(lgamma(double([1, 2])).toArray()).toEqual([0, 0]);
  const euler = 0.5772156649015329;
  const near = lgamma(double([1 + 2 ** -50, 2 + 2 ** -50])).toTypedArray();
  expect(near[0]! * 2 ** 50).toBeCloseTo(-euler, 14);
  expect(near[1]! * 2 ** 50).toBeCloseTo(1 - euler, 14);
});

test("lgamma, digamma and polygamma satisfy recurrence and reflection", () => {
  const xs = [0.3, 1.7, 4.2, -0.6, -3.3];
  const [x, next] = [double(xs), double(xs.map((v) => v + 1))];
  const log = lgamma(next).sub(lgamma(x)).toTypedArray();
  const psi = digamma(next).sub(digamma(x)).toTypedArray();
  xs.forEach((v, i) => {
    expect(log[i]!).toBeCloseTo(Math.log(Math.abs(v)), 12);
    expect(psi[i]!).toBeCloseTo(1 / v, 12);
  });
  let factorial = 1;
  for (let n = 1; n <= 8; n++) {
    factorial *= n;
    const [before, after] = [polygamma(n, x).toTypedArray(), polygamma(n, next).toTypedArray()];
    xs.forEach((v, i) => {
      const wanted = ((-1) ** n * factorial) / v ** (n + 1);
      const size = Math.abs(before[i]!) + Math.abs(after[i]!);
      expect(Math.abs(after[i]! - before[i]! - wanted)).toBeLessThan(1e-13 * size);
    });
  }
});

test("polygamma is the derivative of the one before, of every order", () => {
  const x = double([0.7, 2.5]);
  let y = lgamma(x);
  for (let n = 0; n < 5; n++) {
    y = grad(y.sum(), [x])[0];
    expect(y.toArray()).toEqual(polygamma(n, x).toArray());
  }
});

test("polygamma of different orders in one compiled program are kept apart", () => {
  const f = compile((x: ReturnType<typeof double>) => polygamma(1, x).add(polygamma(2, x)));
  const x = double([0.7, 2.5]);
  expect(f(x).toArray()).toEqual(polygamma(1, x).add(polygamma(2, x)).toArray());
});

test("polygamma refuses orders that are no whole numbers from 0 to 170", () => {
  for (const n of [-1, 0.5, 171, Number.NaN])
    expect(() => polygamma(n, double([1]))).toThrow(/^polygamma: n is .*whole number from 0 to 170/);
});

test("erfinv undoes erf", () => {
  const xs = [-3, -1.1, -0.4, 1e-12, 0.2, 0.9, 2.5];
  const back = erfinv(erf(double(xs)));
  // An error of erf near 1 counts as many times as its slope is small.
  const slopes = exp(double(xs).square()).toTypedArray();
  back.toTypedArray().forEach((x, i) => {
    expect(Math.abs(x - xs[i]!)).toBeLessThan(4e-16 * slopes[i]! + 4e-16 * Math.abs(xs[i]!));
  });
});

test("the slopes of asinh, acosh and hypot are right where squares overflow or vanish", () => {
  for (const [dtype, huge] of [
    ["float32", 2 ** 70],
    ["float64", 2 ** 600],
  ] as const) {
    const [x, tiny, o] = [huge, 1 / huge, 0].map((x) => tensor(x, { dtype })) as [Tensor, Tensor, Tensor];
    const slopes = (y: Tensor, by: Tensor[]) => grad(y, by).map((g) => g.item());
    expect([asinh(x), asinh(x.neg()), acosh(x)].flatMap((y) => slopes(y, [x]))).toEqual(
      [1, -1, 1].map((sign) => sign / huge),
    );
    for (const a of [x, tiny]) expect(slopes(hypot(a, 0), [a])).toEqual([1]);
    expect(slopes(hypot(o, o), [o])).toEqual([0]);
    expect(checkGradient(hypot, [o, o]).verdict).toBe("pass");
  }
});

test("the slopes of norm and std are those of larger numbers where reciprocals overflow", () => {
  for (const [dtype, small] of [
    ["float32", 2 ** -140],
    ["float64", 2 ** -1050],
  ] as const) {
    const [x, large] = [tensor([3 * small, -4 * small], { dtype }), tensor([3, -4], { dtype })];
    for (const f of [norm, std, (x: Tensor) => norm(x, undefined, { p: 3 })]) {
      const [slopes, wanted] = [x, large].map((x) => [...grad(f(x), [x])[0].toTypedArray()]);
      // Of the numbers themselves two digits are left.
      expect(slopes).toEqual(wanted!.map((slope) => expect.closeTo(slope, 1)));
      expect(Array.from(jvp(f)(x, onesLike(x))[1].toTypedArray())).toEqual([
        expect.closeTo(wanted![0]! + wanted![1]!, 1),
      ]);
    }
  }
  expect(norm(tensor([Infinity, -Infinity]), undefined, { p: -1 }).item()).toBe(Infinity);
  expect(norm(tensor([Infinity, 2]), undefined, { p: -1 }).item()).toBe(2);
});

test("the slopes of asin, acos and atanh keep their digits near 1", () => {
  const xs = Float32Array.from({ length: 1000 }, (_, i) => (-1) ** i * (1 - 2 ** (-i / 50)));
  const x = fromTypedArray(xs, [xs.length]);
  const cosines = [...xs].map((x) => Math.sqrt((1 - x) * (1 + x)));
  for (const [f, wanted] of [
    [asin, cosines.map((c) => 1 / c)],
    [acos, cosines.map((c) => -1 / c)],
    [atanh, cosines.map((c) => 1 / c ** 2)],
  ] as const) {
    const slopes = grad(f(x), [x], { cotangent: onesLike(x) })[0]!.toTypedArray();
    slopes.forEach((slope, i) => {
      expect(Math.abs(slope / wanted[i]! - 1)).toBeLessThan(2 ** -22);
    });
  }
});

test("second derivatives of asin, acos and atanh keep their digits near 0, and are infinite at 1", () => {
  const xs = [1e-30, -1e-8, 1e-3, 0.5, 1, -1];
  const x = tensor(xs);
  const beside = (x: number) => (1 - x) * (1 + x);
  for (const [f, wanted] of [
    [asin, (x: number) => x / beside(x) ** 1.5],
    [acos, (x: number) => -x / beside(x) ** 1.5],
    [atanh, (x: number) => (2 * x) / beside(x) ** 2],
  ] as const) {
    const slope = (x: Tensor): Tensor => grad(f(x).sum(), [x])[0];
    for (const second of [grad(slope(x).sum(), [x])[0], jvp(slope)(x, onesLike(x))[1]])
      second.toTypedArray().forEach((got, i) => {
        if (i < 4) expect(Math.abs(got / wanted(Math.fround(xs[i]!)) - 1)).toBeLessThan(2 ** -21);
        else expect(got).toBe(Math.sign(wanted(xs[i]!)) * Infinity);
      });
  }
});

test("what is infinite or NaN on a branch that was not taken counts for nothing in second derivatives either", () => {
  const x = double([0, 4]);
  for (const [f, wanted] of [
    [reciprocal, 2 / 64],
    [rsqrt, 0.75 / 32],
    [acosh, -4 / 15 ** 1.5],
    [(x: Tensor) => x.pow(-1.5), 3.75 / 128],
    [(x: Tensor) => div(1, x), 2 / 64],
  ] as const) {
    const slope = (x: Tensor): Tensor => grad(where(x.gt(1), f(x), 0).sum(), [x])[0];
    for (const second of [grad(slope(x).sum(), [x])[0], jvp(slope)(x, onesLike(x))[1]])
      expect(second.toArray()).toEqual([0, expect.closeTo(wanted, 15)]);
  }
});

test("asinh and acosh have all digits of float64 where the root is nearly x", () => {
  for (const x of [1.1e6, 2.5e6, 1e8, 2 ** 28 + 2, 1e12]) {
    const wanted = (sign: number) => Math.log(2 * x) + sign / (4 * x * x);
    expect(
      Math.abs(
        asinh(double([x]))
          .at(0)
          .item() /
          wanted(1) -
          1,
      ),
    ).toBeLessThan(1e-15);
    expect(
      Math.abs(
        acosh(double([x]))
          .at(0)
          .item() /
          wanted(-1) -
          1,
      ),
    ).toBeLessThan(1e-15);
  }
});

describe("derivatives of running reductions", () => {
  const n = 30_000;
  const backwards = (term: (k: number) => number) => {
    const sums = new Float64Array(n);
    for (let k = n - 1, sum = 0; k >= 0; k--) sums[k] = sum += term(k);
    return sums;
  };

  test("take time in proportion to the elements", () => {
    const [ones, none] = [1, 0].map((x) => fromTypedArray(new Float64Array(n).fill(x), [n])) as [
      Tensor,
      Tensor,
    ];
    const slopes = (y: Tensor, x: Tensor) => grad(y.sum(), [x])[0]!;
    expect(slopes(cumprod(ones), ones).toTypedArray()).toEqual(backwards(() => 1));
    expect(slopes(slopes(prod(ones), ones), ones).toTypedArray()).toEqual(new Float64Array(n).fill(n - 1));
    const wanted = backwards((k) => 1 / (k + 1));
    const far = slopes(logcumsumexp(none), none)
      .toTypedArray()
      .map((x, i) => Math.abs(x - wanted[i]!));
    expect(Math.max(...far.subarray(0, 1000))).toBeLessThan(1e-9);
  });

  test("are right of every order, at zeros and infinities too", () => {
    for (const xs of [[2, 0, 5, 0, 3], [0, 0], [-1.5, 4, 0.5], []])
      for (const f of [cumprod, logcumsumexp]) {
        const report = checkGradient((x) => f(x), [double(xs)], { order: 3, directions: 2 });
        expect(report.verdict, String(report)).toBe("pass");
      }
    const x = double([-Infinity, 1, 2, Infinity, 0]);
    const [dx] = grad(logcumsumexp(x).slice(0, 3).sum(), [x]);
    expect([...dx.toTypedArray()].map((g) => g.toFixed(4))).toEqual([
      "0.0000",
      "1.2689",
      "0.7311",
      "NaN",
      "0.0000",
    ]);
  });
});

test("quotients and rests of int32 are those of whole numbers, wrap around and are 0 where the divisor is", () => {
  const edges = [0, 1, -1, 2, -3, 7, 2 ** 30, 2 ** 31 - 1, 1 - 2 ** 31, -(2 ** 31)];
  const pairs = edges.flatMap((a) => edges.map((b) => [a, b] as const));
  const int32 = (data: number[]) => tensor(data, { dtype: "int32" });
  const [x, y] = [int32(pairs.map(([a]) => a)), int32(pairs.map(([, b]) => b))];
  const wanted = (of: (a: number, b: number) => number) =>
    Int32Array.from(pairs, ([a, b]) => (b === 0 ? 0 : of(a, b) | 0));
  expect(floorDivide(x, y).toTypedArray()).toEqual(wanted((a, b) => Math.floor(a / b)));
  expect(fmod(x, y).toTypedArray()).toEqual(wanted((a, b) => a % b));
  expect(remainder(x, y).toTypedArray()).toEqual(wanted((a, b) => a - b * Math.floor(a / b)));
});

describe.each([Float32Array, Float64Array])("fmod and remainder of a %o", (Floats) => {
  const random = mulberry32(3);
  const edges = [0, -0, 1, -3, 5e-324, 2 ** -149, 2 ** -1022, 2 ** 53, 3.4e38, 1.7e308, Infinity, NaN];
  const bits = new Uint32Array(20_000).map(() => random() * 2 ** 32);
  // Of the second part the quotients are moderate, and near to whole numbers.
  const wide = [...new Floats(bits.buffer)];
  const xs = [...edges.flatMap((x) => edges.map(() => x)), ...wide, ...wide];
  const ys = [
    ...edges.flatMap(() => edges),
    ...wide.toReversed(),
    ...wide.map((x) => x / Math.ceil(random() * 1e6)),
  ];
  const [x, y] = [Floats.from(xs), Floats.from(ys)];
  const operands = [x, y].map((data) => fromTypedArray(data, [data.length])) as [Tensor, Tensor];

  test("are exact for every quotient, as JavaScript's %", () => {
    expect(fmod(...operands).toTypedArray()).toEqual(x.map((a, i) => a % y[i]!));
  });

  test("have the sign of the divisor, by one addition", () => {
    const wanted = x.map((a, i) => {
      const rest = a % y[i]!;
      return rest !== 0 && rest < 0 !== y[i]! < 0 ? rest + y[i]! : rest;
    });
    expect(remainder(...operands).toTypedArray()).toEqual(wanted);
  });
});

test("distances of near points keep their digits", () => {
  const x = tensor([[1000, 2000]]);
  const y = tensor([[1000.0625, 2000.125]]);
  expect(cdist(x, y).item()).toBe(Math.fround(Math.hypot(0.0625, 0.125)));
  expect(grad(cdist(x, x).sum(), [x])[0].toArray()).toEqual([[0, 0]]);
});
