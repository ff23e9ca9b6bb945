/** What every distribution must satisfy, whatever its formulas. */
import type { Tensor } from "@cotangent/autograd";
import {
  checkGradient,
  compile,
  Generator,
  GradientError,
  grad,
  stack,
  tensor,
  vmap,
} from "@cotangent/autograd";
import { broadcastableShapes, tensors } from "@cotangent/autograd/testing/fast-check";
import type { Distribution } from "@cotangent/nn/distributions";
import {
  Bernoulli,
  Beta,
  Categorical,
  Cauchy,
  Chi2,
  Dirichlet,
  Exponential,
  Gamma,
  Geometric,
  Gumbel,
  Independent,
  klDivergence,
  Laplace,
  LogNormal,
  MixtureSameFamily,
  MultivariateNormal,
  NegativeBinomial,
  Normal,
  Poisson,
  StudentT,
  Uniform,
} from "@cotangent/nn/distributions";
import fc from "fast-check";
import { describe, expect, test } from "vitest";

const double = (x: Parameters<typeof tensor>[0]): Tensor => tensor(x as number[], { dtype: "float64" });
const dataOf = (x: Tensor): number[] => Array.from(x.toTypedArray());
const meanOf = (xs: readonly number[]): number => xs.reduce((sum, x) => sum + x, 0) / xs.length;

interface Family {
  readonly of: (...parameters: Tensor[]) => Distribution;
  readonly parameters: readonly Tensor[];
  readonly x: Tensor;
  /** No draw has a derivative. */
  readonly discrete?: boolean;
  /** Its cdf has steps. */
  readonly counted?: boolean;
  /** The parameters, by their number, by which its cdf has no derivative. */
  readonly fixed?: readonly number[];
  /** The members that it lacks. */
  readonly lacks?: readonly string[];
}

const matrix = [
  [1.2, 0],
  [-0.5, 0.7],
];
const located = { parameters: [double([0.3, -1]), double([0.7, 1.6])], x: double([0.9, -2.5]) };
const trial = { parameters: [double([0.4, -1.5])], x: double([1, 0]), discrete: true, lacks: ["cdf"] };
const families: Readonly<Record<string, Family>> = {
  Normal: { of: (loc, scale) => new Normal(loc!, scale!), ...located },
  LogNormal: {
    of: (loc, scale) => new LogNormal(loc!, scale!),
    parameters: [double([0.3, -1]), double([0.3, 0.5])],
    x: double([0.9, 2.5]),
  },
  Laplace: { of: (loc, scale) => new Laplace(loc!, scale!), ...located },
  Gumbel: { of: (loc, scale) => new Gumbel(loc!, scale!), ...located },
  Cauchy: { of: (loc, scale) => new Cauchy(loc!, scale!), ...located, lacks: ["mean", "variance"] },
  Uniform: {
    of: (low, high) => new Uniform(low!, high!),
    parameters: [double([-1, 0]), double([1, 3])],
    x: double([0.25, 2]),
    lacks: ["mode"],
  },
  Exponential: {
    of: (rate) => new Exponential(rate!),
    parameters: [double([0.5, 3])],
    x: double([0.25, 2]),
  },
  Bernoulli: { of: (logits) => new Bernoulli({ logits: logits! }), ...trial },
  "Bernoulli of probabilities": {
    of: (probabilities) => new Bernoulli({ probabilities: probabilities! }),
    ...trial,
    parameters: [double([0.2, 0.7])],
  },
  Geometric: {
    of: (logits) => new Geometric({ logits: logits! }),
    ...trial,
    x: double([3, 0]),
    counted: true,
    lacks: [],
  },
  "Geometric of probabilities": {
    of: (probabilities) => new Geometric({ probabilities: probabilities! }),
    ...trial,
    counted: true,
    lacks: [],
    parameters: [double([0.2, 0.7])],
  },
  Gamma: {
    of: (concentration, rate) => new Gamma(concentration!, rate!),
    parameters: [double([0.4, 3.5]), double([0.7, 1.6])],
    x: double([0.9, 2.5]),
  },
  Chi2: { of: (df) => new Chi2(df!), parameters: [double([0.8, 5.5])], x: double([0.9, 2.5]) },
  Beta: {
    of: (concentration1, concentration0) => new Beta(concentration1!, concentration0!),
    parameters: [double([0.4, 3.5]), double([1.7, 0.6])],
    x: double([0.2, 0.7]),
    lacks: ["mode"],
    fixed: [0, 1],
  },
  Dirichlet: {
    of: (concentration) => new Dirichlet(concentration!),
    parameters: [
      double([
        [0.4, 3.5, 1],
        [1.5, 0.25, 2],
      ]),
    ],
    x: double([0.2, 0.7, 0.1]),
    lacks: ["cdf", "mode"],
  },
  StudentT: {
    of: (df, loc, scale) => new StudentT(df!, loc!, scale!),
    parameters: [double([5, 12]), double([0.3, -1]), double([0.7, 1.6])],
    x: double([0.9, -2.5]),
    fixed: [0],
  },
  Poisson: {
    of: (rate) => new Poisson(rate!),
    parameters: [double([0.4, 23])],
    x: double([1, 20]),
    discrete: true,
    counted: true,
    lacks: ["entropy"],
  },
  NegativeBinomial: {
    of: (totalCount, logits) => new NegativeBinomial(totalCount!, { logits: logits! }),
    parameters: [double([0.8, 5.5]), double([0.4, -1.5])],
    x: double([3, 0]),
    discrete: true,
    counted: true,
    lacks: ["entropy"],
    fixed: [0],
  },
  "NegativeBinomial of probabilities": {
    of: (totalCount, probabilities) => new NegativeBinomial(totalCount!, { probabilities: probabilities! }),
    parameters: [double([0.8, 5.5]), double([0.2, 0.7])],
    x: double([3, 0]),
    discrete: true,
    counted: true,
    lacks: ["entropy"],
    fixed: [0],
  },
  Categorical: {
    of: (logits) => new Categorical({ logits: logits! }),
    parameters: [
      double([
        [0.5, -1, 2],
        [0, 1, 0.5],
      ]),
    ],
    x: tensor([2, 0], { dtype: "int32" }),
    discrete: true,
    lacks: ["cdf", "mean", "variance"],
  },
  "Categorical of probabilities": {
    of: (probabilities) => new Categorical({ probabilities: probabilities! }),
    parameters: [double([0.5, 1, 0.25])],
    x: tensor([2, 0], { dtype: "int32" }),
    discrete: true,
    lacks: ["cdf", "mean", "variance"],
  },
  MultivariateNormal: {
    of: (loc, scaleTril) => new MultivariateNormal(loc!, { scaleTril: scaleTril! }),
    parameters: [double([0.5, -1]), double(matrix)],
    x: double([1, 0.5]),
    lacks: ["cdf"],
  },
  "MultivariateNormal of covariances": {
    of: (loc, covarianceMatrix) => new MultivariateNormal(loc!, { covarianceMatrix: covarianceMatrix! }),
    parameters: [
      double([0.5, -1]),
      double([
        [2, 0.5],
        [0.5, 1],
      ]),
    ],
    x: double([
      [1, 0.5],
      [-1, 0],
    ]),
    lacks: ["cdf"],
  },
  Independent: {
    of: (loc, scale) => new Independent(new Normal(loc!, scale!), 1),
    ...located,
    lacks: ["cdf"],
  },
  MixtureSameFamily: {
    of: (logits, loc) => new MixtureSameFamily(new Categorical({ logits: logits! }), new Normal(loc!, 0.5)),
    parameters: [double([0.5, -1, 0]), double([-2, 0.5, 3])],
    x: double([0.5, -2, 1]),
    discrete: true,
    lacks: ["entropy", "mode"],
  },
  "MixtureSameFamily of vectors": {
    of: (logits, loc) =>
      new MixtureSameFamily(
        new Categorical({ logits: logits! }),
        new MultivariateNormal(loc!, { scaleTril: double(matrix) }),
      ),
    parameters: [
      double([0.5, -1]),
      double([
        [-2, 0.5],
        [3, 0],
      ]),
    ],
    x: double([0.5, -2]),
    discrete: true,
    lacks: ["cdf", "entropy", "mode"],
  },
};

/** What is a smooth function of the parameters and an event. */
const members: Readonly<Record<string, (d: Distribution, x: Tensor) => Tensor>> = {
  logProb: (d, x) => d.logProb(x),
  entropy: (d) => d.entropy(),
  cdf: (d, x) => d.cdf(x),
  mean: (d) => d.mean,
  variance: (d) => d.variance,
  stddev: (d) => d.stddev,
};
const has = (family: Family, member: string): boolean =>
  !family.lacks?.includes(member === "stddev" ? "variance" : member);
const all = Object.entries(families);
const membersOf = ([name, family]: (typeof all)[number]) =>
  Object.keys(members)
    .filter((member) => has(family, member))
    .map((member) => ({ name, member, family, f: members[member]! }));
const both = all.flatMap(membersOf);

describe("derivatives of order 1 and 2", () => {
  test.each(both)("of $name.$member are right", ({ family, member, f }) => {
    const { parameters, x, of } = family;
    const fixed = member === "cdf" ? (family.fixed ?? []) : [];
    const free = parameters.filter((_, i) => !fixed.includes(i));
    const inputs = x.dtype === "int32" || family.discrete ? free : [...free, x];
    const called = (...given: Tensor[]): Tensor => {
      const rest = [...given];
      const d = of(...parameters.map((parameter, i) => (fixed.includes(i) ? parameter : rest.shift()!)));
      return f(d, rest.shift() ?? x);
    };
    const report = checkGradient(called, inputs, { order: 2 });
    expect(report.pass, String(report)).toBe(true);
    for (const i of fixed)
      expect(() => grad(f(of(...parameters), x).sum(), [parameters[i]!])).toThrow(GradientError);
  });

  test.each(all.filter(([, { discrete }]) => !discrete))("of %s.rsample are right", (_, family) => {
    const drawn = (...given: Tensor[]) => family.of(...given).rsample([3], { generator: new Generator(5) });
    const report = checkGradient(drawn, family.parameters, { order: 2 });
    expect(report.pass, String(report)).toBe(true);
    expect(grad(drawn(...family.parameters).sum(), [family.parameters[0]!])[0].toArray()).not.toEqual([0, 0]);
  });
});

describe("derivatives of klDivergence of order 1 and 2", () => {
  const pairs = all.flatMap(([from, first]) =>
    all.flatMap(([to, second]) => {
      const [p, q] = [first.of(...first.parameters), second.of(...second.parameters)];
      try {
        return klDivergence(p, q).sum().item() < Infinity ? [{ from, to, first, second }] : [];
      } catch {
        return [];
      }
    }),
  );

  test.each(pairs)("from $from to $to are right, compiled too", ({ first, second }) => {
    const between = (...given: Tensor[]): Tensor => {
      const [p, q] = [given.slice(0, first.parameters.length), given.slice(first.parameters.length)];
      return klDivergence(first.of(...p), second.of(...q));
    };
    const inputs = [...first.parameters, ...second.parameters];
    const report = checkGradient(between, inputs, { order: 2 });
    expect(report.pass, String(report)).toBe(true);
    expect(dataOf(compile(between)(...inputs))).toEqual(dataOf(between(...inputs)));
  });
});

describe("compiled and in vmap", () => {
  test.each(both)("$name.$member is the same", ({ family, f }) => {
    const { parameters, x, of } = family;
    const called = (...given: Tensor[]): Tensor => f(of(...given), x);
    const plain = dataOf(called(...parameters));
    expect(dataOf(compile(called)(...parameters))).toEqual(plain);
    const pairs = parameters.map((p) => stack([p, p]));
    const found = dataOf(vmap(called)(...pairs));
    expect(found).toEqual([...plain, ...plain]);
  });

  test.each(all)("%s draws the same", (_, { of, parameters }) => {
    const called = (...given: Tensor[]): Tensor => of(...given).sample([4], { generator });
    let generator = new Generator(3);
    const plain = called(...parameters);
    const elements = dataOf(plain);
    generator = new Generator(3);
    const compiled = compile(called)(...parameters);
    expect([compiled.shape, compiled.dtype]).toEqual([plain.shape, plain.dtype]);
    expect(dataOf(compiled)).toEqual(elements);
  });
});

describe("draws", () => {
  const count = 20_000;

  test.each(all)("of %s have its mean and variance, or its frequencies", (_, { of, parameters, lacks }) => {
    const d = of(...parameters);
    const draws = d.sample([count], { generator: new Generator(11) });
    const width = draws.size / count;
    const columns = Array.from({ length: width }, (_, j) => dataOf(draws).filter((_, i) => i % width === j));
    // Five standard errors, that of a variance by the spread of the squares.
    const expectMean = (xs: readonly number[], expected: number): void => {
      const center = meanOf(xs);
      const error = Math.sqrt(meanOf(xs.map((x) => (x - center) ** 2)) / count);
      expect(Math.abs(center - expected)).toBeLessThan(5 * error);
    };
    if (d instanceof Categorical) {
      const shares = dataOf(d.probabilities);
      columns.forEach((xs, j) => {
        for (let k = 0; k < 3; k++)
          expectMean(
            xs.map((x) => (x === k ? 1 : 0)),
            shares[j * 3 + k]!,
          );
      });
    } else if (!lacks?.includes("mean")) {
      const [means, variances] = [dataOf(d.mean), dataOf(d.variance)];
      columns.forEach((xs, j) => {
        expectMean(xs, means[j]!);
        const center = means[j]!;
        expectMean(
          xs.map((x) => (x - center) ** 2),
          variances[j]!,
        );
      });
    }
  });

  const withCdf = all.filter(([, family]) => has(family, "cdf") && !family.counted);
  test.each(withCdf)("of %s are distributed by its cdf", (_, { of, parameters }) => {
    const d = of(...parameters);
    const draws = d.sample([count], { generator: new Generator(12) });
    const width = draws.size / count;
    const reached = dataOf(d.cdf(draws));
    for (let j = 0; j < width; j++) {
      const sorted = reached.filter((_, i) => i % width === j).sort((a, b) => a - b);
      // Kolmogorov and Smirnov: the distance exceeds this with probability 0.001.
      const distance = Math.max(
        ...sorted.map((p, i) => Math.max(Math.abs(p - i / count), Math.abs(p - (i + 1) / count))),
      );
      expect(distance * Math.sqrt(count)).toBeLessThan(1.95);
    }
  });

  test("of MultivariateNormal have its covariances", () => {
    const d = new MultivariateNormal(double([0.5, -1]), { scaleTril: double(matrix) });
    const draws = dataOf(d.sample([count], { generator: new Generator(13) }));
    const products = Array.from({ length: count }, (_, i) => (draws[2 * i]! - 0.5) * (draws[2 * i + 1]! + 1));
    expect(Math.abs(meanOf(products) - d.covarianceMatrix.toTypedArray()[1]!)).toBeLessThan(
      (5 * 2) / Math.sqrt(count),
    );
  });
});

/** The mean of a function over a distribution, by its quantiles. */
const overQuantiles = (d: Distribution, f: (x: Tensor) => Tensor, count = 20_000): number => {
  const shares = double(Array.from({ length: count }, (_, i) => (i + 0.5) / count));
  return f(d.icdf(shares)).mean().item();
};

describe("of distributions of numbers", () => {
  const simple: Readonly<Record<string, Distribution>> = {
    Normal: new Normal(double(0.3), 0.7),
    LogNormal: new LogNormal(double(0.3), 0.4),
    Laplace: new Laplace(double(0.3), 0.7),
    Gumbel: new Gumbel(double(0.3), 0.7),
    Cauchy: new Cauchy(double(0.3), 0.7),
    Uniform: new Uniform(double(0.1), 1.7),
    Exponential: new Exponential(double(2.5)),
  };
  const named = Object.entries(simple);

  test.each(named)("the density of %s is the derivative of its cdf, and icdf the inverse", (_, d) => {
    const shares = double([1e-6, 0.01, 0.3, 0.5, 0.9, 0.999]);
    const x = d.icdf(shares);
    const reached = dataOf(d.cdf(x));
    dataOf(shares).forEach((share, i) => {
      expect(reached[i]! / share).toBeCloseTo(1, 8);
    });
    const slopes = dataOf(grad(d.cdf(x).sum(), [x])[0]);
    dataOf(d.logProb(x).exp()).forEach((density, i) => {
      expect(slopes[i]! / density).toBeCloseTo(1, 8);
    });
  });

  test.each(named)("mean, variance and entropy of %s are integrals", (name, d) => {
    expect(overQuantiles(d, (x) => d.logProb(x).neg())).toBeCloseTo(d.entropy().item(), 2);
    if (name === "Cauchy") return;
    expect(overQuantiles(d, (x) => x)).toBeCloseTo(d.mean.item(), 2);
    expect(overQuantiles(d, (x) => x.sub(d.mean).square())).toBeCloseTo(d.variance.item(), 2);
    expect(d.stddev.item() ** 2).toBeCloseTo(d.variance.item(), 12);
  });

  const others: readonly Distribution[] = [
    new Normal(double(-0.5), 1.5),
    new Laplace(double(-0.5), 1.5),
    new Gumbel(double(-0.5), 1.5),
    new Cauchy(double(-0.5), 1.5),
    new LogNormal(double(-0.5), 1.5),
    new Exponential(double(0.5)),
    new Uniform(double(-1), 2),
  ];
  const pairs = named.flatMap(([, p]) =>
    others.flatMap((q) => {
      try {
        return klDivergence(p, q).item() < Infinity ? [{ from: p.name, to: q.name, p, q }] : [];
      } catch {
        return [];
      }
    }),
  );

  test("there are as many pairs as there should be", () => {
    expect(pairs.length).toBe(16);
  });

  test.each(pairs)("klDivergence from $from to $to is an integral", ({ p, q }) => {
    const difference = overQuantiles(p, (x) => p.logProb(x).sub(q.logProb(x)), 200_000);
    expect(difference).toBeCloseTo(klDivergence(p, q).item(), 3);
  });

  test.each(others.map((d) => [d.name, d] as const))("klDivergence from %s to itself is 0", (_, d) => {
    expect(klDivergence(d, d).item()).toBeCloseTo(0, 14);
  });

  test("klDivergence between counts is a sum", () => {
    const [p, q] = [
      new Geometric({ probabilities: double(0.3) }),
      new Geometric({ probabilities: double(0.6) }),
    ];
    const x = double(Array.from({ length: 200 }, (_, i) => i));
    const sum = p
      .logProb(x)
      .exp()
      .mul(p.logProb(x).sub(q.logProb(x)))
      .sum()
      .item();
    expect(klDivergence(p, q).item()).toBeCloseTo(sum, 12);
    expect(p.logProb(x).exp().sum().item()).toBeCloseTo(1, 12);
    expect(p.logProb(x).mul(p.logProb(x).exp()).sum().neg().item()).toBeCloseTo(p.entropy().item(), 12);
  });
});

test("parameters broadcast, and samples and logProb have the shapes that follow", () => {
  const three = broadcastableShapes(3).chain(([a, b, c]) =>
    fc.tuple(
      tensors({ shape: a! }),
      tensors({ shape: b!, low: 0.5, high: 2 }),
      tensors({ shape: c! }),
      fc.array(fc.integer({ min: 0, max: 2 }), { maxLength: 2 }),
    ),
  );
  fc.assert(
    fc.property(three, ([loc, scale, x, shape]) => {
      const together = loc.add(scale).shape;
      for (const kind of [Normal, LogNormal, Laplace, Gumbel, Cauchy]) {
        const d = new kind(loc, scale);
        expect([d.batchShape, d.eventShape]).toEqual([together, []]);
        expect(d.sample(shape).shape).toEqual([...shape, ...together]);
        expect(d.logProb(x).shape).toEqual(loc.add(scale).add(x).shape);
        expect(d.entropy().shape).toEqual(together);
        const axes = together.length;
        const joined = new Independent(d, axes);
        expect([joined.batchShape, joined.eventShape]).toEqual([[], together]);
        expect(joined.logProb(d.sample(shape)).shape).toEqual(shape);
      }
    }),
    { numRuns: 40 },
  );
});

test("what a distribution draws has a finite density there, with finite gradients, whatever its parameters are", () => {
  const kinds = { Normal, Laplace, Gumbel, Cauchy };
  const parameters = fc.record({
    kind: fc.constantFrom(...Object.keys(kinds)) as fc.Arbitrary<keyof typeof kinds>,
    loc: fc.double({ min: -1000, max: 1000, noNaN: true }),
    exponent: fc.double({ min: -3, max: 6, noNaN: true }),
    dtype: fc.constantFrom("float32" as const, "float64" as const),
    seed: fc.nat(),
  });
  fc.assert(
    fc.property(parameters, ({ kind, loc, exponent, dtype, seed }) => {
      const [center, scale] = [tensor([loc], { dtype }), tensor([10 ** exponent], { dtype })];
      const d = new kinds[kind](center, scale);
      const draws = d.sample([50], { generator: new Generator(seed) });
      const density = d.logProb(draws);
      expect(dataOf(density).every(Number.isFinite), kind).toBe(true);
      for (const slope of grad(density.sum(), [center, scale, draws]))
        expect(dataOf(slope).every(Number.isFinite), kind).toBe(true);
      for (const probability of dataOf(d.cdf(draws))) {
        expect(probability).toBeGreaterThanOrEqual(0);
        expect(probability).toBeLessThanOrEqual(1);
      }
    }),
  );
});
