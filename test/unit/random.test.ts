import {
  allclose,
  bernoulli,
  categorical,
  checkGradient,
  compile,
  DTypeError,
  evaluate,
  exponential,
  Generator,
  grad,
  gumbelSoftmax,
  manualSeed,
  multinomial,
  normal,
  permutation,
  randint,
  randomWords,
  ShapeError,
  softmax,
  type Tensor,
  tensor,
  truncatedNormal,
  uniform,
  ValueError,
  zeros,
} from "@cotangent/autograd";
import { describe, expect, test } from "vitest";
import type { Body } from "../../packages/autograd/src/arithmetic.ts";
import { Machine } from "../../packages/autograd/src/machine.ts";
import { trace } from "../../packages/autograd/src/program.ts";
import { threefry as threefryOf } from "../../packages/autograd/src/random.ts";

const machines = [0, 1].map((word) => {
  const body: Body = (m, ...x) => threefryOf(m, x[0]!, x[1]!, x[2]!, x[3]!)[word]!;
  return new Machine(trace(body, ["int32", "int32", "int32", "int32"], "int32"));
});

/** The two words of Threefry-2x32 with 20 rounds, as unsigned numbers. */
function threefry(key: readonly [number, number], counter: readonly [number, number]): number[] {
  const out = new Int32Array(1);
  return machines.map((machine) => {
    machine.run(
      [...key, ...counter].map((word) => Int32Array.of(word)),
      1,
      out,
    );
    return out[0]! >>> 0;
  });
}

const words = (...place: Parameters<typeof randomWords>): number[] =>
  randomWords(...place).map((word) => word >>> 0);

const dataOf = (x: Tensor): number[] => Array.from(x.toTypedArray());

function mean(xs: readonly number[]): number {
  return xs.reduce((sum, x) => sum + x, 0) / xs.length;
}

function variance(xs: readonly number[]): number {
  const center = mean(xs);
  return mean(xs.map((x) => (x - center) ** 2));
}

/** Pearson's statistic of how many of `xs` fall between neighbouring `edges`, against probabilities. */
function chiSquare(
  xs: readonly number[],
  edges: readonly number[],
  probabilities: readonly number[],
): number {
  const counts = probabilities.map(() => 0);
  for (const x of xs) {
    const bin = edges.findIndex((edge) => x < edge);
    counts[bin < 0 ? edges.length : bin]!++;
  }
  return counts.reduce((sum, count, i) => {
    const expected = probabilities[i]! * xs.length;
    return sum + (count - expected) ** 2 / expected;
  }, 0);
}

describe("threefry2x32", () => {
  // The known answers of the Random123 distribution (tests/kat_vectors, "threefry2x32 20").
  test("a key and a counter of zeros give the published words", () => {
    expect(threefry([0, 0], [0, 0])).toEqual([0x6b200159, 0x99ba4efe]);
    expect(words(0, 0, 0, 0)).toEqual([0x6b200159, 0x99ba4efe]);
  });
  test("a key and a counter of ones give the published words", () => {
    expect(threefry([-1, -1], [-1, -1])).toEqual([0x1cb996fc, 0xbb002be7]);
    expect(words(-1, -1, -1, -1)).toEqual([0x1cb996fc, 0xbb002be7]);
  });
  test("digits of pi give the published words", () => {
    expect(threefry([0x13198a2e, 0x03707344], [0x243f6a88, 0x85a308d3])).toEqual([0xc4923a9c, 0x483df7a0]);
    expect(words(0x13198a2e, 0x03707344, 0x243f6a88, 0x85a308d3)).toEqual([0xc4923a9c, 0x483df7a0]);
  });
});

describe("uniform", () => {
  test("mean, variance and bins of 100,000 draws are those of the uniform distribution", () => {
    const xs = dataOf(uniform([100_000], { generator: new Generator(1) }));
    // Four standard errors; for the bins 99 degrees of freedom, between quantiles 0.0001 and 0.9999.
    expect(Math.abs(mean(xs) - 1 / 2)).toBeLessThan(4 * Math.sqrt(1 / 12 / xs.length));
    expect(Math.abs(variance(xs) - 1 / 12)).toBeLessThan(4 * Math.sqrt(1 / 180 / xs.length));
    const edges = Array.from({ length: 99 }, (_, i) => (i + 1) / 100);
    const statistic = chiSquare(xs, edges, new Array<number>(100).fill(0.01));
    expect(statistic).toBeGreaterThan(56);
    expect(statistic).toBeLessThan(157);
  });

  test("neighbouring draws are not correlated", () => {
    const xs = dataOf(uniform([100_000], { generator: new Generator(2) })).map((x) => x - 0.5);
    const lagged = mean(xs.slice(1).map((x, i) => x * xs[i]!)) * 12;
    expect(Math.abs(lagged)).toBeLessThan(4 / Math.sqrt(xs.length));
  });

  test("float32 draws have 24 bits", () => {
    const wholes = dataOf(uniform([4096], { generator: new Generator(3) })).map((x) => x * 2 ** 24);
    expect(wholes.every(Number.isInteger)).toBe(true);
    expect(wholes.filter((x) => x % 2 === 1).length).toBeGreaterThan(1800);
    expect(Math.max(...wholes)).toBeLessThan(2 ** 24);
  });

  test("float64 draws have 53 bits", () => {
    const wholes = dataOf(uniform([4096], { dtype: "float64", generator: new Generator(3) })).map(
      (x) => x * 2 ** 53,
    );
    expect(wholes.every(Number.isInteger)).toBe(true);
    for (const bit of [0, 1, 25, 26, 27, 52]) {
      const set = wholes.filter((x) => Math.floor(x / 2 ** bit) % 2 === 1).length;
      expect(Math.abs(set - 2048), `bit ${bit}`).toBeLessThan(4 * 32);
    }
  });

  test("lies between low, which it may be, and high, which it never is", () => {
    for (const dtype of ["float32", "float64"] as const) {
      const xs = dataOf(uniform([100_000], { low: -2, high: 3, dtype, generator: new Generator(4) }));
      expect(Math.min(...xs.slice(0, 50_000))).toBeGreaterThanOrEqual(-2);
      expect(Math.max(...xs.slice(0, 50_000))).toBeLessThan(3);
      expect(Math.abs(mean(xs) - 0.5)).toBeLessThan(4 * 5 * Math.sqrt(1 / 12 / xs.length));
    }
    expect(dataOf(uniform([3], { low: 2, high: 2 }))).toEqual([2, 2, 2]);
  });

  test("has the shape and dtype that were asked for", () => {
    const x = uniform([2, 3], { dtype: "float64" });
    expect([x.shape, x.dtype]).toEqual([[2, 3], "float64"]);
    expect(uniform([]).shape).toEqual([]);
    expect(dataOf(uniform([0, 2]))).toEqual([]);
  });

  test("refuses bounds in the wrong order, whole numbers and seeds that are not whole", () => {
    expect(() => uniform([2], { low: 1, high: 0 })).toThrow(ValueError);
    expect(() => uniform([2], { low: Number.NaN })).toThrow(ValueError);
    expect(() => uniform([2], { dtype: "int32" })).toThrow(DTypeError);
    expect(() => normal([2], { deviation: -1 })).toThrow(ValueError);
    for (const seed of [-1, 0.5, Number.NaN, 2 ** 53])
      expect(() => manualSeed(seed), String(seed)).toThrow(ValueError);
  });
  test("never reaches high, where rounding to float32 would", () => {
    for (const [low, high] of [
      [1e7, 1e7 + 2],
      [1000, 1001],
      [-1, 2 ** -149],
    ] as const) {
      const drawn = uniform([20_000], { low, high }).toTypedArray();
      expect(drawn.every((x) => x >= low && x < high)).toBe(true);
    }
  });
});

describe("normal", () => {
  // Probabilities between -2, -1, 0, 1, 2 (and outside).
  const tail = 0.022750131948;
  const middle = 0.135905121983;
  const center = 0.341344746069;

  test("mean, variance and bins of 100,000 draws are those of the normal distribution", () => {
    for (const dtype of ["float32", "float64"] as const) {
      const xs = dataOf(normal([100_000], { dtype, generator: new Generator(5) }));
      expect(xs.every(Number.isFinite)).toBe(true);
      expect(Math.abs(mean(xs))).toBeLessThan(4 / Math.sqrt(xs.length));
      expect(Math.abs(variance(xs) - 1)).toBeLessThan(4 * Math.sqrt(2 / xs.length));
      // Five degrees of freedom: the quantile 0.9999.
      const bins = [tail, middle, center, center, middle, tail];
      expect(chiSquare(xs, [-2, -1, 0, 1, 2], bins)).toBeLessThan(25.7);
    }
  });

  test("a draw is made of two uniform draws as Box and Muller say", () => {
    const generator = new Generator(5);
    const [u, v] = [0, 1].map(() => dataOf(uniform([100], { dtype: "float64", generator })));
    const xs = dataOf(normal([100], { dtype: "float64", generator: new Generator(5) }));
    xs.forEach((x, i) => {
      const radius = Math.sqrt(-2 * Math.log1p(-u![i]!));
      expect(Math.abs(x - radius * Math.cos(2 * Math.PI * v![i]!))).toBeLessThan(1e-14 * Math.max(1, radius));
    });
  });

  test("mean and deviation shift and scale the standard draws", () => {
    const standard = dataOf(normal([5], { dtype: "float64", generator: new Generator(6) }));
    const moved = dataOf(
      normal([5], { mean: 3, deviation: 0.5, dtype: "float64", generator: new Generator(6) }),
    );
    moved.forEach((x, i) => {
      expect(x).toBe(standard[i]! * 0.5 + 3);
    });
  });
});

describe("truncatedNormal", () => {
  // P(0 < x < 1/2), P(1/2 < x < 1), P(1 < x < 2), and the rest up to infinity, of the standard normal distribution.
  const parts = [0.191462461274, 0.149882284795, 0.135905121983, 0.022750131948];

  test("bins of 50,000 draws are those of the normal distribution within the bounds", () => {
    const [a, b, c] = parts.map((part) => part / (1 - 2 * parts[3]!));
    for (const dtype of ["float32", "float64"] as const) {
      const xs = dataOf(truncatedNormal([50_000], { dtype, generator: new Generator(25) }));
      expect(xs.every((x) => x >= -2 && x <= 2)).toBe(true);
      // Five degrees of freedom: the quantile 0.9999.
      const bins = [c!, b!, a!, a!, b!, c!];
      expect(chiSquare(xs, [-1, -0.5, 0, 0.5, 1], bins)).toBeLessThan(25.7);
    }
  });

  test("mean and deviation move the distribution but not the bounds", () => {
    const options = { mean: 1, deviation: 2, low: 1, high: Infinity, generator: new Generator(26) };
    const xs = dataOf(truncatedNormal([50_000], options));
    expect(xs.every((x) => x >= 1 && Number.isFinite(x))).toBe(true);
    // Four degrees of freedom.
    expect(
      chiSquare(
        xs,
        [2, 3, 5],
        parts.map((part) => 2 * part),
      ),
    ).toBeLessThan(23.5);
  });

  test("without bounds a draw is the place that an even draw reaches, tails included", () => {
    const options = { low: -Infinity, high: Infinity, dtype: "float64" } as const;
    const [xs, us] = [truncatedNormal, uniform].map((f) =>
      dataOf(f([3], { ...(f === uniform ? { dtype: "float64" } : options), generator: new Generator(27) })),
    );
    // Places and density of the standard normal distribution, by its series about 0.
    const reached = (x: number) => {
      let [term, sum] = [x, x];
      for (let n = 1; n < 200; n++) sum += term *= (x * x) / (2 * n + 1);
      return 0.5 + (sum * Math.exp((-x * x) / 2)) / Math.sqrt(2 * Math.PI);
    };
    xs!.forEach((x, i) => {
      expect(Math.abs(reached(x) - us![i]!)).toBeLessThan(1e-15);
    });
  });

  test("a compiled draw is the interpreted one", () => {
    const [a, b] = [new Generator(28), new Generator(28)];
    const compiled = compile(() => truncatedNormal([50], { generator: b }));
    for (let call = 0; call < 3; call++)
      expect(dataOf(compiled())).toEqual(dataOf(truncatedNormal([50], { generator: a })));
  });

  test("bounds in the wrong order or too far away are refused", () => {
    expect(() => truncatedNormal([2], { low: 1, high: 0 })).toThrow(ValueError);
    expect(() => truncatedNormal([2], { low: 6, high: 7 })).toThrow(ValueError);
    expect(() => truncatedNormal([2], { deviation: 0 })).toThrow(ValueError);
  });
});

describe("exponential and bernoulli", () => {
  test("mean and variance of 100,000 exponential draws are those of the distribution", () => {
    const xs = dataOf(exponential([100_000], { rate: 2, generator: new Generator(18) }));
    expect(xs.every((x) => x >= 0 && Number.isFinite(x))).toBe(true);
    expect(Math.abs(mean(xs) - 1 / 2)).toBeLessThan((4 / 2) * Math.sqrt(1 / xs.length));
    // The fourth central moment is 9 / rate^4.
    expect(Math.abs(variance(xs) - 1 / 4)).toBeLessThan((4 / 4) * Math.sqrt(8 / xs.length));
  });

  test("parameters may be tensors, and have derivatives where draws do", () => {
    const probability = tensor([[0], [0.25], [1]]);
    const means = bernoulli([3, 40_000], { probability, generator: new Generator(5) })
      .mean(1)
      .toTypedArray();
    expect(means[0]).toBe(0);
    expect(means[1]).toBeCloseTo(0.25, 1);
    expect(means[2]).toBe(1);
    const [mean, deviation] = [tensor([1, 2], { dtype: "float64" }), tensor([0.5, 0])];
    const x = normal([3, 2], { mean, deviation, generator: new Generator(5) });
    const unit = normal([3, 2], { generator: new Generator(5) });
    expect(x.toArray()).toEqual(
      unit
        .mul(deviation)
        .add(tensor([1, 2]))
        .toArray(),
    );
    expect(x.dtype).toBe("float32");
    expect(grad(x.sum(), [mean])[0].toArray()).toEqual([3, 3]);
    const before = new Generator(1);
    for (const bad of [
      () => bernoulli([2], { probability: tensor([0, 1.5]), generator: before }),
      () => bernoulli([2], { probability: "x" as never, generator: before }),
      () => normal([2], { deviation: tensor([-1]), generator: before }),
    ])
      expect(bad).toThrow(ValueError);
    expect(() => bernoulli([2], { probability: zeros([3]), generator: before })).toThrow(ShapeError);
    expect(before.state.counter.item()).toBe(new Generator(1).state.counter.item());
  });

  test("a bernoulli draw is 1 as often as its probability says", () => {
    const xs = dataOf(bernoulli([100_000], { probability: 0.3, generator: new Generator(19) }));
    expect(xs.every((x) => x === 0 || x === 1)).toBe(true);
    expect(Math.abs(mean(xs) - 0.3)).toBeLessThan(4 * Math.sqrt(0.21 / xs.length));
    expect(dataOf(bernoulli([100], { probability: 0 })).every((x) => x === 0)).toBe(true);
    expect(dataOf(bernoulli([100], { probability: 1 })).every((x) => x === 1)).toBe(true);
  });

  test("the same seed gives the same numbers, compiled as interpreted", () => {
    for (const f of [exponential, bernoulli]) {
      const [a, b] = [new Generator(20), new Generator(20)];
      const compiled = compile(() => f([50], { generator: b }));
      for (let call = 0; call < 3; call++) {
        const expected = dataOf(f([50], { generator: a }));
        expect(dataOf(compiled())).toEqual(expected);
      }
    }
  });

  test("rates and probabilities that are none are refused", () => {
    expect(() => exponential([2], { rate: 0 })).toThrow(ValueError);
    expect(() => bernoulli([2], { probability: 1.5 })).toThrow(ValueError);
    expect(() => bernoulli([2], { dtype: "int32" })).toThrow(DTypeError);
  });
});

describe("categorical", () => {
  const probabilities = [0.5, 0, 0.125, 0.375];

  test.each(["logits", "probabilities"] as const)("draws classes as often as their %s say", (kind) => {
    const count = 100_000;
    const weights = tensor(probabilities.map((p) => (kind === "logits" ? Math.log(p) + 3 : 8 * p)));
    const options = { generator: new Generator(23) };
    const xs = dataOf(
      kind === "logits"
        ? categorical([count], { logits: weights, ...options })
        : categorical([count], { probabilities: weights, ...options }),
    );
    const counts = probabilities.map((_, i) => xs.filter((x) => x === i).length);
    expect(counts[1]).toBe(0);
    const expected = probabilities.map((p) => p * count);
    const statistic = counts.reduce(
      (sum, n, i) => sum + (i === 1 ? 0 : (n - expected[i]!) ** 2 / expected[i]!),
      0,
    );
    // Two degrees of freedom: above 13.8 once in a thousand seeds.
    expect(statistic).toBeLessThan(13.8);
  });

  test("has one draw for each row, or as many as asked", () => {
    const logits = tensor([
      [0, 90, 0],
      [90, 0, 0],
    ]);
    const one = categorical([], { logits });
    expect([one.shape, one.dtype, dataOf(one)]).toEqual([[2], "int32", [1, 0]]);
    expect(categorical([2, 2], { logits }).shape).toEqual([2, 2, 2]);
    expect(dataOf(categorical([0], { logits }))).toEqual([]);
    expect(dataOf(categorical([2], { logits: tensor([-Infinity, 5, -Infinity]) }))).toEqual([1, 1]);
  });

  test("the same seed gives the same classes, compiled or not, and each call new ones", () => {
    const logits = normal([50, 7], { generator: new Generator(1) });
    const draws = (make: (generator: Generator) => () => Tensor) => {
      const next = make(new Generator(5));
      return [next(), next()].map(dataOf);
    };
    const plain = draws((generator) => () => categorical([], { logits, generator }));
    const compiled = draws((generator) => {
      const step = compile((x: Tensor) => categorical([], { logits: x, generator }));
      return () => step(logits);
    });
    expect(plain).toEqual(compiled);
    expect(plain[0]).not.toEqual(plain[1]);
  });

  test("refuses what has no classes or no weights", () => {
    expect(() => categorical([2], { logits: tensor(1) })).toThrow(ShapeError);
    expect(() => categorical([2], { logits: tensor([]) })).toThrow(ShapeError);
    expect(() => categorical([-1], { logits: tensor([1]) })).toThrow(ValueError);
    expect(() => categorical([2], { probabilities: tensor([1, -1]) })).toThrow(ValueError);
    expect(() => categorical([2], { logits: tensor([true]) })).toThrow(DTypeError);
    // @ts-expect-error: one of the two is needed.
    expect(() => categorical([2], {})).toThrow(ValueError);
  });
});

test("few draws of classes, which are compared with all sums, are the first of many, which are looked for", () => {
  const logits = tensor([
    [0, 1, -Infinity, 2, 0.5],
    [1000, 999, 1001, -1000, 1000],
  ]);
  const draws = (n: number) => categorical([n], { logits: logits.at(0), generator: new Generator(4) });
  expect(dataOf(draws(20_000).slice(0, 300))).toEqual(dataOf(draws(300)));
  const counts: number[] = [0, 0, 0, 0, 0];
  for (const i of dataOf(categorical([4000], { logits: logits.at(1), generator: new Generator(6) })))
    counts[i]!++;
  const weights = [0, -1, 1, -2000, 0].map(Math.exp);
  const total = weights.reduce((a, b) => a + b);
  // Five deviations, for 4,000 draws.
  counts.forEach((count, i) => {
    const p = weights[i]! / total;
    expect(Math.abs(count / 4000 - p)).toBeLessThanOrEqual(5 * Math.sqrt((p * (1 - p)) / 4000));
  });
});

describe("multinomial", () => {
  const weights = [1, 0, 2, 5];
  const total = 8;

  /** How often each pair of neighbours is drawn, by 4 times the first and the second. */
  function pairs(replacement: boolean): number[] {
    const rows = tensor(weights).broadcastTo([40_000, 4]);
    const drawn = dataOf(multinomial(rows, 2, { replacement, generator: new Generator(31) }));
    const counts = new Array<number>(16).fill(0);
    for (let i = 0; i < drawn.length; i += 2) counts[drawn[i]! * 4 + drawn[i + 1]!]!++;
    return counts;
  }

  test.each([false, true])("draws pairs as often as their weights say, replacement %s", (replacement) => {
    let statistic = 0;
    pairs(replacement).forEach((count, pair) => {
      const [i, j] = [Math.floor(pair / 4), pair % 4];
      const left = replacement ? total : total - weights[i]!;
      const share = !replacement && i === j ? 0 : weights[j]! / left;
      const expected = (40_000 * weights[i]! * share) / total;
      if (expected === 0) expect(count).toBe(0);
      else statistic += (count - expected) ** 2 / expected;
    });
    // 5 or 8 degrees of freedom: above these once in a thousand seeds.
    expect(statistic).toBeLessThan(replacement ? 26.1 : 20.5);
  });

  test("draws all classes once, those of more weight sooner, and none for nothing", () => {
    const all = multinomial(tensor([1e-200, 1, 1e200], { dtype: "float64" }), 3);
    expect([all.dtype, dataOf(all)]).toEqual(["int32", [2, 1, 0]]);
    expect(
      multinomial(
        tensor([
          [1, 2],
          [3, 4],
        ]),
        0,
      ).shape,
    ).toEqual([2, 0]);
    expect(
      multinomial(
        tensor([
          [1, 2],
          [3, 4],
        ]),
        0,
        { replacement: true },
      ).shape,
    ).toEqual([2, 0]);
    expect(multinomial(zeros([0, 3]), 2).shape).toEqual([0, 2]);
    expect(dataOf(multinomial(tensor([0, 3, 0], { dtype: "int32" }), 4, { replacement: true }))).toEqual([
      1, 1, 1, 1,
    ]);
  });

  test("the same seed gives the same classes, compiled or not, and each call new ones", () => {
    const rows = uniform([20, 6], { generator: new Generator(1) });
    for (const replacement of [false, true]) {
      const draws = (step: (x: Tensor) => Tensor) => [step(rows), step(rows)].map(dataOf);
      const [one, two] = [new Generator(5), new Generator(5)];
      const plain = draws((x) => multinomial(x, 3, { replacement, generator: one }));
      expect(draws(compile((x: Tensor) => multinomial(x, 3, { replacement, generator: two })))).toEqual(
        plain,
      );
      expect(plain[0]).not.toEqual(plain[1]);
    }
  });

  test("refuses what are no weights, and more draws than classes", () => {
    for (const weight of [-1, Number.NaN, Infinity])
      expect(() => multinomial(tensor([1, weight]), 1)).toThrow(`multinomial: a weight is ${weight}`);
    expect(() => multinomial(tensor([1, 2]), 3)).toThrow("multinomial: 3 different of 2 classes");
    expect(() =>
      multinomial(
        tensor([
          [1, 2],
          [1, 0],
        ]),
        2,
      ),
    ).toThrow("multinomial: 1 of 2 weights are above 0");
    expect(() => multinomial(tensor([0, 0]), 1, { replacement: true })).toThrow("0 of 2 weights are above 0");
    for (const n of [-1, 0.5]) expect(() => multinomial(tensor([1, 2]), n)).toThrow(ValueError);
    for (const shape of [[], [0], [2, 0]]) expect(() => multinomial(zeros(shape), 1)).toThrow(ShapeError);
    expect(() => multinomial(tensor([true]), 1)).toThrow(DTypeError);
    expect(() => multinomial([1, 2] as never, 1)).toThrow("multinomial: takes a tensor");
    expect(() => multinomial(tensor([1, 2]), 1, { replace: true } as never)).toThrow(
      "there is no option replace",
    );
    expect(() => multinomial(tensor([1, 2]), 1, { generator: 7 as never })).toThrow(
      "multinomial: the generator is",
    );
  });
});

describe("gumbelSoftmax", () => {
  const logits = normal([4, 3], { generator: new Generator(2), dtype: "float64" });

  test("has its largest share at a class as often as softmax says", () => {
    const row = tensor([0, 1, -1]);
    const shares = dataOf(softmax(row));
    const drawn = gumbelSoftmax(row.broadcastTo([50_000, 3]), { hard: true, generator: new Generator(3) });
    expect(dataOf(drawn.sum(-1)).every((x) => x === 1)).toBe(true);
    const statistic = dataOf(drawn.sum(0)).reduce((sum, n, i) => {
      const expected = shares[i]! * 50_000;
      return sum + (n - expected) ** 2 / expected;
    }, 0);
    // Two degrees of freedom: above 13.8 once in a thousand seeds.
    expect(statistic).toBeLessThan(13.8);
  });

  test("is softmax of noise on the logits, and nears a single 1 where it is cold", () => {
    const soft = gumbelSoftmax(logits, { tau: 0.5, generator: new Generator(4) });
    const hard = gumbelSoftmax(logits, { tau: 0.5, hard: true, generator: new Generator(4) });
    const cold = gumbelSoftmax(logits, { tau: 1e-6, generator: new Generator(4) });
    expect(allclose(soft.sum(-1), 1)).toBe(true);
    expect(dataOf(hard)).toEqual(dataOf(soft.eq(soft.amax(-1, { keepDims: true })).cast("float64")));
    expect(allclose(cold, hard)).toBe(true);
    const noise = soft.log().mul(0.5).sub(logits);
    const again = softmax(logits.add(noise).div(0.5), -1);
    expect(allclose(again, soft, { rtol: 1e-12 })).toBe(true);
    const across = gumbelSoftmax(logits, { axis: 0, hard: true });
    expect(dataOf(across.sum(0))).toEqual([1, 1, 1]);
    expect([soft.dtype, gumbelSoftmax(zeros([2])).dtype]).toEqual(["float64", "float32"]);
    for (const empty of [
      [0, 3],
      [3, 0],
    ])
      expect(gumbelSoftmax(zeros(empty), { hard: true }).shape).toEqual(empty);
  });

  test("has the gradient of the soft draw, hard or not", () => {
    const draw = (hard: boolean) => (x: Tensor) =>
      gumbelSoftmax(x, { hard, tau: 2, generator: new Generator(6) });
    const report = checkGradient((x: Tensor) => draw(false)(x).square(), [logits]);
    expect(report.pass, String(report)).toBe(true);
    const cotangent = normal([4, 3], { dtype: "float64" });
    const [soft, hard] = [false, true].map((is) => grad(draw(is)(logits), [logits], { cotangent })[0]);
    expect(dataOf(hard!)).toEqual(dataOf(soft!));
  });

  test("refuses what is no temperature", () => {
    for (const tau of [0, -1, Number.NaN, Infinity, "1" as never])
      expect(() => gumbelSoftmax(logits, { tau })).toThrow("gumbelSoftmax: tau is");
    expect(() => gumbelSoftmax(logits, { axis: 2 })).toThrow(ShapeError);
    expect(() => gumbelSoftmax(logits.gt(0))).toThrow(DTypeError);
    expect(() => gumbelSoftmax(1 as never)).toThrow("gumbelSoftmax: takes a tensor");
  });
});

describe("randint and permutation", () => {
  test("whole numbers from low up to but not including high are equally likely", () => {
    const x = randint(-3, 7, [100_000], { generator: new Generator(21) });
    expect([x.shape, x.dtype]).toEqual([[100_000], "int32"]);
    const edges = [-2, -1, 0, 1, 2, 3, 4, 5, 6];
    const xs = dataOf(x);
    expect([Math.min(...xs.slice(0, 50_000)), Math.max(...xs.slice(0, 50_000))]).toEqual([-3, 6]);
    // Nine degrees of freedom: the quantile 0.9999.
    expect(chiSquare(xs, edges, new Array<number>(10).fill(0.1))).toBeLessThan(33.7);
  });

  test("the range may be all of int32, or one number", () => {
    const xs = dataOf(randint(-(2 ** 31), 2 ** 31, [10_000], { generator: new Generator(22) }));
    expect(xs.every(Number.isInteger)).toBe(true);
    expect(Math.min(...xs)).toBeLessThan(-2.1e9);
    expect(Math.max(...xs)).toBeGreaterThan(2.1e9);
    expect(dataOf(randint(5, 6, [3]))).toEqual([5, 5, 5]);
  });

  test("a compiled randint draws what an interpreted one does", () => {
    const [a, b] = [new Generator(23), new Generator(23)];
    const compiled = compile(() => randint(0, 10, [50], { generator: b }));
    for (let call = 0; call < 3; call++)
      expect(dataOf(compiled())).toEqual(dataOf(randint(0, 10, [50], { generator: a })));
  });

  test("a permutation has each number once, and all orders are equally likely", () => {
    const generator = new Generator(24);
    const x = permutation(100, { generator });
    expect([x.shape, x.dtype]).toEqual([[100], "int32"]);
    expect(dataOf(x).sort((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, i) => i));
    const orders = ["0,1,2", "0,2,1", "1,0,2", "1,2,0", "2,0,1", "2,1,0"];
    const xs = Array.from({ length: 3000 }, () =>
      orders.indexOf(dataOf(permutation(3, { generator })).join(",")),
    );
    // Five degrees of freedom: the quantile 0.9999.
    expect(chiSquare(xs, [1, 2, 3, 4, 5], new Array<number>(6).fill(1 / 6))).toBeLessThan(25.7);
    expect(dataOf(permutation(0))).toEqual([]);
  });

  test("bounds in the wrong order, fractions and negative counts are refused", () => {
    for (const [low, high] of [
      [3, 3],
      [0, 1.5],
      [0, 2 ** 31 + 1],
    ] as const)
      expect(() => randint(low, high, [2])).toThrow(ValueError);
    expect(() => permutation(-1)).toThrow(ValueError);
    expect(() => permutation(1.5)).toThrow(ValueError);
  });
});

describe("generators", () => {
  test("leave nothing to be computed when they are made or seeded", () => {
    const generator = new Generator(7);
    const read = () => Object.values(generator.state).map((x) => [x.pending, x.item()]);
    expect(read()).toEqual([
      [false, 7],
      [false, 0],
      [false, 0],
    ]);
    generator.seed(2 ** 33 + 5);
    expect(read()).toEqual([
      [false, 5],
      [false, 2],
      [false, 0],
    ]);
  });

  test("the same seed gives the same numbers, another seed others", () => {
    const draw = (seed: number) => {
      const generator = new Generator(seed);
      return [uniform([4], { generator }), normal([4], { generator })].map(dataOf);
    };
    expect(draw(7)).toEqual(draw(7));
    expect(draw(7)).not.toEqual(draw(8));
    // The upper half of a large seed counts, too.
    expect(draw(7)).not.toEqual(draw(7 + 2 ** 32));
  });

  test("manualSeed starts the standard generator anew", () => {
    manualSeed(9);
    const first = [uniform([3]), normal([3]), uniform([3])].map(dataOf);
    manualSeed(9);
    expect([uniform([3]), normal([3]), uniform([3])].map(dataOf)).toEqual(first);
    expect(dataOf(uniform([3]))).not.toEqual(first[0]);
  });

  test("a generator of one's own does not disturb the standard one", () => {
    manualSeed(10);
    const alone = [uniform([3]), uniform([3])].map(dataOf);
    manualSeed(10);
    const first = dataOf(uniform([3]));
    dataOf(uniform([3], { generator: new Generator(10) }));
    expect([first, dataOf(uniform([3]))]).toEqual(alone);
  });

  test("element i of a draw is made from the counter words i and the number of the draw", () => {
    const generator = new Generator(11);
    const draws = [0, 1, 2].map(() => dataOf(uniform([4], { generator })));
    const words = draws.map((xs, counter) => xs.map((_, i) => threefry([11, 0], [i, counter])[0]! >>> 8));
    expect(draws.map((xs) => xs.map((x) => x * 2 ** 24))).toEqual(words);
  });

  test("different draws never share counters", () => {
    const generator = new Generator(12);
    const counter = () => generator.state.counter.item();
    const places: number[] = [];
    for (const [draw, used] of [
      [uniform, 1],
      [normal, 2],
      [normal, 2],
      [uniform, 1],
    ] as const) {
      const before = counter();
      draw([2], { generator });
      expect(counter()).toBe(before + used);
      for (let i = 0; i < used; i++) places.push(before + i);
    }
    expect(new Set(places).size).toBe(places.length);
    expect(places).toEqual([0, 1, 2, 3, 4, 5]);
  });

  test("a thousand draws of one generator never repeat a number", () => {
    const generator = new Generator(13);
    const xs = Array.from({ length: 1000 }, () => uniform([8], { dtype: "float64", generator }));
    evaluate(...xs);
    expect(new Set(xs.flatMap(dataOf)).size).toBe(8000);
  });

  test("a draw keeps its numbers whenever it is read", () => {
    const make = () => {
      const generator = new Generator(14);
      return [uniform([3], { generator }), uniform([3], { generator })] as const;
    };
    const [a, b] = make();
    const inOrder = [dataOf(a), dataOf(b)];
    const [c, d] = make();
    const later = dataOf(d);
    expect([dataOf(c), later]).toEqual(inOrder);
    expect(dataOf(c)).toEqual(dataOf(a));
  });

  test("what was drawn does not change when the seed is set again", () => {
    const generator = new Generator(15);
    const x = uniform([3], { generator });
    const before = dataOf(x.add(0));
    generator.seed(16);
    expect(dataOf(x)).toEqual(before);
  });

  test("a refused draw uses no counter", () => {
    const generator = new Generator(17);
    expect(() => uniform([-1], { generator })).toThrow(ValueError);
    expect(() => uniform([2], { dtype: "bool", generator })).toThrow(DTypeError);
    expect(generator.state.counter.item()).toBe(0);
  });
});
