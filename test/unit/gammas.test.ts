import type { Tensor } from "@cotangent/autograd";
import {
  compile,
  DTypeError,
  full,
  Generator,
  GradientError,
  grad,
  ones,
  ShapeError,
  scalar,
  tensor,
  topology,
  ValueError,
  variable,
  vmap,
  zeros,
} from "@cotangent/autograd";
import {
  Beta,
  Chi2,
  Dirichlet,
  type Distribution,
  Exponential,
  Gamma,
  klDivergence,
  NegativeBinomial,
  Normal,
  Poisson,
  StudentT,
  Uniform,
} from "@cotangent/nn/distributions";
import { describe, expect, test } from "vitest";

const wide = { dtype: "float64" } as const;
const dataOf = (x: Tensor): number[] => Array.from(x.toTypedArray());
/** The gradient of the sum of `f(x)`. */
const slopes = (f: (x: Tensor) => Tensor, x: Tensor): number[] =>
  dataOf(grad(f(x).sum(), [x])[0]).map((slope) => slope + 0);

test("a variable counts as it is at each call, also in a program", () => {
  const x = variable([0.25, 0.75]);
  const all: readonly Distribution[] = [
    new Gamma(x, 2),
    new Gamma(1, x),
    new Chi2(x),
    new Beta(x, 2),
    new Beta(1, x),
    new Dirichlet(x),
    new StudentT(x, 0, 1),
    new Poisson(x),
    new NegativeBinomial(x, { logits: 0 }),
    new NegativeBinomial(1, { probabilities: x }),
  ];
  const found = (): Tensor[] =>
    all.flatMap((p) => [p.logProb(/^[NP]/.test(p.name) ? 1 : 0.5), p.variance, p.mean, p.sample([2])]);
  const program = compile(() => found().slice(0, 30));
  const before = program().map(dataOf);
  x.assign(tensor([0.5, 0.625]));
  const after = program().map(dataOf);
  const plain = found();
  after.forEach((value, i) => {
    if (i % 4 !== 3) expect(value).toEqual(dataOf(plain[i]!));
    if (i % 4 === 0) expect(value).not.toEqual(before[i]);
  });
});

test("parameters broadcast, and numbers take the dtype beside them", () => {
  const [rows, columns] = [ones([3, 1]), ones([2], wide)];
  for (const p of [
    new Gamma(rows, columns),
    new Beta(rows, columns),
    new StudentT(rows, 0, columns),
    new NegativeBinomial(rows, { logits: columns }),
  ]) {
    expect([p.batchShape, p.eventShape, p.dtype], p.name).toEqual([[3, 2], [], "float64"]);
    for (const x of [p.sample([4]), p.logProb(zeros([4, 3, 2]).add(0.5)).broadcastTo([4, 3, 2])])
      expect([x.shape, x.dtype], p.name).toEqual([[4, 3, 2], "float64"]);
    for (const x of [p.mean, p.variance]) expect(x.broadcastTo([3, 2]).shape).toEqual([3, 2]);
  }
  const p = new Dirichlet(ones([4, 3]));
  expect([p.batchShape, p.eventShape]).toEqual([[4], [3]]);
  expect(p.sample([2]).shape).toEqual([2, 4, 3]);
  expect(p.logProb(full([3], 1 / 3)).shape).toEqual([4]);
  expect(p.logProb(full([5, 1, 3], 1 / 3)).shape).toEqual([5, 4]);
  expect(p.logProb(1 / 3).shape).toEqual([4]);
  expect(p.entropy().shape).toEqual([4]);
  expect(new Gamma(1, 1).sample().dtype).toBe("float32");
});

test("what depends on parameters alone is computed once, not for the whole batch", () => {
  const a = ones([3]).add(1);
  const nodes = topology([new Gamma(a, 2).logProb(zeros([4, 3]).add(1))]).nodes;
  expect(nodes.flatMap(({ op, shape }) => (op.name === "lgamma" ? [shape] : []))).toEqual([[3]]);
});

describe("where nothing can be", () => {
  test("logProb is -inf, with derivative 0, and NaN stays NaN", () => {
    const outside: readonly (readonly [(x: Tensor) => Distribution, number[]])[] = [
      [(x) => new Gamma(x, 2), [-1, -1e-30]],
      [(x) => new Gamma(x, 2), [Infinity, -Infinity]],
      [(x) => new Poisson(x), [Infinity, -Infinity]],
      [(x) => new NegativeBinomial(x, { logits: 0 }), [Infinity, -Infinity]],
      [(x) => new Gamma(2, x), [-1, -1e-30]],
      [(x) => new Chi2(x), [-1, -Infinity]],
      [(x) => new Beta(x, 2), [-0.5, 1.5]],
      [(x) => new Poisson(x), [-1, 0.5]],
      [(x) => new NegativeBinomial(x, { logits: 0 }), [-1, 0.5]],
    ];
    for (const [make, places] of outside) {
      const [parameter, x] = [ones([2]), tensor(places)];
      expect(dataOf(make(parameter).logProb(x))).toEqual([-Infinity, -Infinity]);
      expect(slopes((p) => make(p).logProb(x), parameter)).toEqual([0, 0]);
      expect(slopes((y) => make(parameter).logProb(y), x)).toEqual([0, 0]);
      expect(dataOf(make(parameter).logProb(Number.NaN))).toEqual([Number.NaN, Number.NaN]);
    }
    const p = new Dirichlet(tensor([1, 2, 3]));
    const x = tensor([-0.1, 0.6, 0.5]);
    expect(p.logProb(x).item()).toBe(-Infinity);
    expect(slopes((y) => p.logProb(y), x)).toEqual([0, 0, 0]);
    expect(p.logProb(Number.NaN).item()).toBeNaN();
    for (const d of [new Gamma(2, 1), new Chi2(2), new Poisson(2)]) {
      expect(dataOf(d.cdf(tensor([-1, -0.5, Infinity])))).toEqual([0, 0, 1]);
      expect(d.cdf(Number.NaN).item()).toBeNaN();
    }
  });

  test("logProb at the ends is its limit", () => {
    const a = tensor([0.5, 1, 2], wide);
    expect(dataOf(new Gamma(a, 2).logProb(0))).toEqual([Infinity, Math.log(2), -Infinity]);
    expect(dataOf(new Beta(a, 1).logProb(0))[0]).toBe(Infinity);
    expect(dataOf(new Beta(1, a).logProb(1))[2]).toBe(-Infinity);
    expect(new Beta(1, scalar(3, wide)).logProb(0).item()).toBeCloseTo(Math.log(3), 14);
    expect(new Dirichlet(ones([3])).logProb(tensor([0, 0, 1])).item()).toBeCloseTo(Math.LN2, 6);
    expect(slopes((x) => new Gamma(1, 2).logProb(x), zeros([1]))).toEqual([-2]);
    expect(dataOf(new Poisson(0).logProb(tensor([0, 1])))).toEqual([0, -Infinity]);
    expect(slopes((rate) => new Poisson(rate).logProb(0), zeros([1]))).toEqual([-1]);
    expect(dataOf(new Poisson(0).sample([3]))).toEqual([0, 0, 0]);
    expect(new Poisson(0).cdf(0).item()).toBe(1);
    expect(new NegativeBinomial(2, { probabilities: 0 }).logProb(0).item()).toBeCloseTo(0, 6);
  });
});

describe("large parameters", () => {
  test("leave logProb its digits in float32", () => {
    // At the mean, by Stirling's formula.
    const near = (n: number) => -0.5 * Math.log(2 * Math.PI * n);
    expect(new Poisson(1e6).logProb(1e6).item()).toBeCloseTo(near(1e6) - 1 / 12e6, 5);
    expect(new Gamma(1e6, 1).logProb(1e6).item()).toBeCloseTo(near(1e6), 5);
    expect(new Gamma(1e6, 1e3).logProb(1e3).item()).toBeCloseTo(near(1e6) + Math.log(1e3), 5);
    expect(new Beta(2 ** 20, 2 ** 20).logProb(0.5).item()).toBeCloseTo(0.5 * Math.log(2 ** 22 / Math.PI), 5);
    expect(new StudentT(1e6, 0, 1).logProb(2).item()).toBeCloseTo(new Normal(0, 1).logProb(2).item(), 4);
  });

  test("and far away from them logProb is finite, with finite gradients", () => {
    const far = tensor([1e-30, 1e-3, 1e3, 1e30]);
    expect(dataOf(new StudentT(3, 0, 1).logProb(far)).every(Number.isFinite)).toBe(true);
    expect(slopes((x) => new StudentT(3, 0, 1).logProb(x), far).every(Number.isFinite)).toBe(true);
    expect(new StudentT(1, 0, 1).logProb(1e30).item()).toBeCloseTo(
      -2 * Math.log(1e30) - Math.log(Math.PI),
      4,
    );
    for (const a of [1e-3, 1, 30]) {
      expect(dataOf(new Gamma(a, 1).logProb(far)).every(Number.isFinite)).toBe(true);
      expect(slopes((x) => new Gamma(a, 1).logProb(x), far).every(Number.isFinite)).toBe(true);
    }
  });
});

describe("counts", () => {
  const x = tensor(
    Array.from({ length: 400 }, (_, i) => i),
    wide,
  );
  const all: readonly Distribution[] = [
    new Poisson(scalar(0.3, wide)),
    new Poisson(scalar(40, wide)),
    new NegativeBinomial(scalar(0.7, wide), { probabilities: 0.4 }),
    new NegativeBinomial(scalar(6, wide), { logits: 1.5 }),
  ];

  test.each(all.map((p) => [p.name, p] as const))(
    "%s: probabilities add up to 1, and to the mean and variance",
    (_, p) => {
      const chances = p.logProb(x).exp();
      expect(chances.sum().item()).toBeCloseTo(1, 12);
      expect(chances.mul(x).sum().item() / p.mean.item()).toBeCloseTo(1, 12);
      const squares = x.sub(p.mean).square();
      expect(chances.mul(squares).sum().item() / p.variance.item()).toBeCloseTo(1, 11);
      const mode = p.mode.item();
      expect(p.logProb(mode).item()).toBeGreaterThanOrEqual(Math.max(...dataOf(p.logProb(x))) - 1e-12);
    },
  );

  test("the cdf of Poisson is the running sum, between counts too", () => {
    const p = new Poisson(scalar(40, wide));
    const sums = dataOf(p.logProb(x).exp().cumsum(0));
    dataOf(p.cdf(x.add(0.75))).forEach((share, i) => {
      expect(Math.abs(share - sums[i]!)).toBeLessThan(1e-13);
    });
  });

  test("klDivergence of Poisson is a sum, and infinite where the second gives nothing", () => {
    const [p, q] = [new Poisson(scalar(7, wide)), new Poisson(scalar(4, wide))];
    const sum = p
      .logProb(x)
      .exp()
      .mul(p.logProb(x).sub(q.logProb(x)))
      .sum()
      .item();
    expect(klDivergence(p, q).item()).toBeCloseTo(sum, 12);
    const [none, one] = [new Poisson(0), new Poisson(1)];
    expect(
      [klDivergence(none, one), klDivergence(one, none), klDivergence(none, none)].map((k) => k.item()),
    ).toEqual([1, Infinity, 0]);
  });

  test("NegativeBinomial with one failure is Geometric's mirror, and draws have its frequencies", () => {
    const p = new NegativeBinomial(2.5, { probabilities: scalar(0.6, wide) });
    const draws = dataOf(p.sample([40_000], { generator: new Generator(9) }));
    const chances = dataOf(p.logProb(x).exp());
    const [bins, rest] = [chances.slice(0, 15), 1 - chances.slice(0, 15).reduce((sum, c) => sum + c, 0)];
    const statistic = [...bins, rest].reduce((sum, share, k) => {
      const count = draws.filter((d) => (k < 15 ? d === k : d >= 15)).length;
      return sum + (count - share * 40_000) ** 2 / (share * 40_000);
    }, 0);
    // 15 degrees of freedom: above this once in a thousand seeds.
    expect(statistic).toBeLessThan(37.7);
  });
});

describe("draws", () => {
  test("have a finite density with finite gradients, for the smallest concentrations too", () => {
    for (const dtype of ["float32", "float64"] as const)
      for (const a of [1e-3, 0.05, 1, 1e4]) {
        const given = full([2], a, { dtype });
        for (const p of [
          new Gamma(given, 3),
          new Gamma(given, 1e-3),
          new Beta(given, given),
          new Dirichlet(given),
        ]) {
          const draws = p.sample([500], { generator: new Generator(1) });
          expect(draws.dtype).toBe(dtype);
          const density = p.logProb(draws);
          const [byX, byA] = grad(density.sum(), [draws, given]);
          for (const x of [draws, density, byX, byA])
            expect(dataOf(x).every(Number.isFinite), `${p.name} ${a} ${dtype}`).toBe(true);
        }
      }
  });

  test("of small concentrations are not lost: shares of Dirichlet add up to 1", () => {
    const p = new Dirichlet(full([1000, 5], 1e-3, wide));
    for (const total of dataOf(p.sample().sum(-1))) expect(total).toBeCloseTo(1, 12);
    const q = new Beta(full([20_000], 1e-3, wide), 1e-3);
    expect(
      Math.abs(
        q
          .sample([], { generator: new Generator(2) })
          .mean()
          .item() - 0.5,
      ),
    ).toBeLessThan(0.02);
  });

  // Five deviations or so of each estimate.
  const moved: readonly (readonly [string, (x: Tensor) => Distribution, number, number])[] = [
    ["Gamma", (x) => new Gamma(x, 1.5), 0.4, 0.05],
    ["Gamma by its rate", (x) => new Gamma(2, x), 1.5, 0.05],
    ["Chi2", (x) => new Chi2(x), 3, 0.05],
    ["Beta", (x) => new Beta(x, 1.5), 0.7, 0.05],
    ["Beta by the other", (x) => new Beta(0.8, x), 2, 0.05],
    ["StudentT", (x) => new StudentT(9, x, 2), 1, 0.05],
  ];
  test.each(moved)("of %s move as their mean and mean square do", (_, make, at, tolerance) => {
    const x = tensor([at], wide);
    const p = make(x);
    const draws = p.rsample([40_000], { generator: new Generator(3) });
    const of = (y: Tensor): number => grad(y, [x])[0].item();
    expect(of(draws.mean()) / of(p.mean.sum())).toBeCloseTo(1, 1);
    const square = p.mean.square().add(p.variance).sum();
    expect(Math.abs(of(draws.square().mean()) / of(square) - 1)).toBeLessThan(tolerance);
  });

  test("of StudentT move with df as their variance does, of Dirichlet as their means do", () => {
    const df = tensor([6], wide);
    const p = new StudentT(df, 0, 1);
    const squares = p
      .rsample([200_000], { generator: new Generator(4) })
      .square()
      .mean();
    expect(Math.abs(grad(squares, [df])[0].item() / grad(p.variance.sum(), [df])[0].item() - 1)).toBeLessThan(
      0.15,
    );
    const a = tensor([0.4, 1, 3], wide);
    const q = new Dirichlet(a);
    const weights = tensor([1, -2, 0.5], wide);
    const found = grad(
      q
        .rsample([40_000], { generator: new Generator(5) })
        .mul(weights)
        .sum(-1)
        .mean(),
      [a],
    )[0];
    const expected = dataOf(grad(q.mean.mul(weights).sum(), [a])[0]);
    dataOf(found).forEach((slope, i) => {
      expect(Math.abs(slope - expected[i]!)).toBeLessThan(0.02);
    });
  });

  test("of counts have no derivative", () => {
    const rate = tensor([3]);
    expect(slopes((x) => new Poisson(x).sample([4]), rate)).toEqual([0]);
    expect(slopes((x) => new NegativeBinomial(x, { logits: x }).sample([4]), rate)).toEqual([0]);
    expect(() => new Poisson(rate).rsample([2])).toThrow(GradientError);
    expect(() => new NegativeBinomial(rate, { logits: 0 }).rsample([2])).toThrow(
      "NegativeBinomial: draws have no derivative by the parameters; use sample",
    );
    expect(slopes((x) => new Gamma(x, 1).sample([4]), rate)).toEqual([0]);
  });
});

test("special cases are each other", () => {
  const x = tensor([0.1, 0.5, 0.9], wide);
  const rate = scalar(1.7, wide);
  const same = (a: Tensor, b: Tensor): void => {
    dataOf(a).forEach((value, i) => {
      expect(value).toBeCloseTo(dataOf(b)[i]!, 13);
    });
  };
  same(new Gamma(1, rate).logProb(x), new Exponential(rate).logProb(x));
  same(new Gamma(1, rate).cdf(x), new Exponential(rate).cdf(x));
  same(new Gamma(1, rate).entropy(), new Exponential(rate).entropy());
  same(new Chi2(scalar(3, wide)).logProb(x), new Gamma(1.5, scalar(0.5, wide)).logProb(x));
  const shares = tensor(
    dataOf(x).map((share) => [share, 1 - share]),
    wide,
  );
  same(new Beta(rate, 0.3).logProb(x), new Dirichlet(tensor([1.7, 0.3], wide)).logProb(shares));
  same(new Beta(rate, 0.3).entropy(), new Dirichlet(tensor([1.7, 0.3], wide)).entropy());
  for (const p of [
    new Gamma(rate, 2),
    new Beta(rate, 2),
    new Dirichlet(x),
    new Poisson(rate),
    new Chi2(rate),
  ])
    expect(klDivergence(p, p).item()).toBeCloseTo(0, 14);
  const df = tensor([0.5, 1, 1.5, 2, 4]);
  expect(dataOf(new StudentT(df, 3, 2).mean)).toEqual([Number.NaN, Number.NaN, 3, 3, 3]);
  expect(dataOf(new StudentT(df, 3, 2).variance)).toEqual([Number.NaN, Number.NaN, Infinity, Infinity, 8]);
  expect(dataOf(new Gamma(df, 2).mode)).toEqual([0, 0, 0.25, 0.5, 1.5]);
});

test("klDivergence from Uniform to Beta and Gamma is finite where it reaches the ends, where PyTorch has NaN", () => {
  const [whole, part] = [new Uniform(0, scalar(1, wide)), new Uniform(-0.5, scalar(1, wide))];
  // gamma(2) gamma(3) / gamma(5) = 1 / 12, and the mean of each logarithm is -1.
  expect(klDivergence(whole, new Beta(scalar(2, wide), 3)).item()).toBeCloseTo(3 - Math.log(12), 12);
  expect(klDivergence(part, new Beta(2, 3)).item()).toBe(Infinity);
  expect(klDivergence(whole, new Gamma(scalar(2, wide), 3)).item()).toBeCloseTo(2.5 - Math.log(9), 12);
  expect(klDivergence(part, new Gamma(2, 3)).item()).toBe(Infinity);
});

describe("refusals", () => {
  const anything = (x: unknown) => x as never;
  const refused: readonly (readonly [() => unknown, new (message: string) => Error, string])[] = [
    [() => new Gamma(0, 1), ValueError, "Gamma: concentration must be a finite number above 0, got 0"],
    [() => new Gamma(1, tensor([1, -2])), ValueError, "Gamma: rate must be a finite number above 0, got -2"],
    [
      () => new Gamma(ones([2]), ones([3])),
      ShapeError,
      "Gamma: concentration [2] and rate [3] do not broadcast",
    ],
    [() => new Chi2(-1), ValueError, "Chi2: df must be"],
    [
      () => new Beta(1, Infinity),
      ValueError,
      "Beta: concentration0 must be a finite number above 0, got Infinity",
    ],
    [() => new Beta(ones([2]).eq(1), 1), DTypeError, "Beta: concentration1 is no bool"],
    [() => new Dirichlet(tensor([1, 0])), ValueError, "Dirichlet: concentration must be"],
    [() => new Dirichlet(scalar(1)), ShapeError, "Dirichlet: concentration [] has no shares"],
    [() => new Dirichlet(zeros([2, 0])), ShapeError, "Dirichlet: concentration [2, 0] has no shares"],
    [
      () => new Dirichlet(ones([3])).logProb(ones([2])),
      ShapeError,
      "Dirichlet.logProb: x [2] and the distribution [3]",
    ],
    [() => new StudentT(0, 0, 1), ValueError, "StudentT: df must be"],
    [() => new StudentT(1, 0, 0), ValueError, "StudentT: scale must be"],
    [() => new Poisson(-1), ValueError, "Poisson: rate must be a finite number of at least 0, got -1"],
    [() => new Poisson(anything("1")), ValueError, 'Poisson: rate is a number or a tensor, got "1"'],
    [() => new NegativeBinomial(0, { logits: 0 }), ValueError, "NegativeBinomial: totalCount must be"],
    [
      () => new NegativeBinomial(1, { probabilities: 1 }),
      ValueError,
      "NegativeBinomial: probabilities must be from 0 up to but not 1, got 1",
    ],
    [() => new NegativeBinomial(1, anything({})), ValueError, "takes either logits or probabilities"],
    [
      () => new NegativeBinomial(ones([2]), { logits: ones([3]) }),
      ShapeError,
      "totalCount [2] and logits [3]",
    ],
    [() => new Beta(1, 1).icdf(0.5), ValueError, "Beta: there is no icdf in closed form"],
    [() => new StudentT(1, 0, 1).icdf(0.5), ValueError, "StudentT: there is no icdf in closed form"],
    [() => new Gamma(1, 1).icdf(0.5), ValueError, "Gamma: there is no icdf in closed form"],
    [() => new Poisson(1).entropy(), ValueError, "Poisson: there is no entropy in closed form"],
    [
      () => new Gamma(1, 1).sample([1], anything({ dtype: "float64" })),
      ValueError,
      "there is no option dtype",
    ],
    [
      () => new Poisson(1).sample([1], anything({ generator: 1 })),
      ValueError,
      "the generator is a Generator",
    ],
    [
      () => klDivergence(new StudentT(1, 0, 1), new Gamma(1, 1)),
      ValueError,
      "no closed form from StudentT to Gamma",
    ],
  ];
  test.each(refused.map(([f, kind, text]) => [text, f, kind] as const))("%s", (text, f, kind) => {
    expect(f).toThrow(kind);
    expect(f).toThrow(text);
  });

  test("what is not known is not checked", () => {
    const bad = full([2], -1);
    expect(() => compile((x: Tensor) => new Gamma(x, bad).logProb(1))(ones([2]))).toThrow("rate must be");
    expect(dataOf(vmap((x: Tensor) => new Gamma(x, 1).rate)(bad))).toEqual([1, 1]);
  });
});

test("modes of shares are where the density is highest, and NaN where no place is", () => {
  const places = tensor(Array.from({ length: 199 }, (_, i) => (i + 1) / 200));
  for (const [a, b] of [
    [2, 3],
    [1.5, 7],
    [4, 4],
  ] as const) {
    const p = new Beta(a, b);
    const most = Math.max(...dataOf(p.logProb(places)));
    expect(p.logProb(p.mode).item()).toBeGreaterThanOrEqual(most - 1e-6);
    expect(p.mode.item()).toBeCloseTo((a - 1) / (a + b - 2), 6);
    const both = new Dirichlet(tensor([a, b]));
    expect(dataOf(both.mode)[0]).toBeCloseTo(p.mode.item(), 6);
  }
  const ends = new Beta(tensor([0.5, 3, 1, 0.5]), tensor([3, 0.5, 1, 0.5]));
  expect(dataOf(ends.mode)).toEqual([0, 1, NaN, NaN]);
  expect(
    dataOf(
      new Dirichlet(
        tensor([
          [0.5, 2, 4],
          [1, 1, 1],
        ]),
      ).mode,
    ),
  ).toEqual([0, 0.25, 0.75, NaN, NaN, NaN]);
});
