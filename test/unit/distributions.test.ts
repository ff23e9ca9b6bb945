import type { Tensor } from "@cotangent/autograd";
import {
  compile,
  DTypeError,
  eye,
  full,
  Generator,
  GradientError,
  grad,
  IndexError,
  manualSeed,
  neg,
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
import { Adam } from "@cotangent/nn";
import {
  Bernoulli,
  Categorical,
  Cauchy,
  type Distribution,
  Exponential,
  Geometric,
  Gumbel,
  Independent,
  klDivergence,
  Laplace,
  LogNormal,
  MixtureSameFamily,
  MultivariateNormal,
  Normal,
  Uniform,
} from "@cotangent/nn/distributions";
import { describe, expect, test } from "vitest";

const dataOf = (x: Tensor): number[] => Array.from(x.toTypedArray());
/** The gradient of the sum of `f(x)`. */
const slopes = (f: (x: Tensor) => Tensor, x: Tensor): number[] =>
  dataOf(grad(f(x).sum(), [x])[0]).map((slope) => slope + 0);
const classes = (x: number[]): Tensor => tensor(x, { dtype: "int32" });

describe("parameters", () => {
  test("say what they take where a tensor stands in its place", () => {
    expect(() => new Categorical(zeros([3]) as never)).toThrow(
      "Categorical: takes { logits } or { probabilities }, got a tensor",
    );
    expect(() => new MultivariateNormal(zeros([2]), eye(2) as never)).toThrow(
      "MultivariateNormal: takes { scaleTril } or { covarianceMatrix }, got a tensor",
    );
    expect(() => new Bernoulli([0.5] as never)).toThrow(
      "Bernoulli: takes { logits } or { probabilities }, got an array",
    );
  });

  test("are tensors of one dtype and of the batch's shape; numbers take the dtype beside them", () => {
    const p = new Normal(zeros([3, 1]), ones([2], { dtype: "float64" }));
    expect([p.loc.shape, p.scale.shape, p.loc.dtype, p.dtype]).toEqual([
      [3, 2],
      [3, 2],
      "float64",
      "float64",
    ]);
    expect(new Normal(0, scalar(0.1, { dtype: "float64" })).loc.dtype).toBe("float64");
    expect(new Normal(0, 1).sample().dtype).toBe("float32");
    expect(new Normal(classes([1, 2]), 1).loc.dtype).toBe("float32");
    const x = scalar(0.1, { dtype: "float64" });
    expect(new Normal(0, 1).logProb(x).item()).toBeCloseTo(-0.005 - 0.5 * Math.log(2 * Math.PI), 15);
  });

  test("that are known are checked, also inside compile and vmap, and nothing is computed for it", () => {
    const variance = variable([1, 1]);
    expect(new Normal(0, neg(variance)).scale.toArray()).toEqual([-1, -1]);
    const bad = full([2], -1);
    expect(() => compile((x: Tensor) => new Normal(x, bad).logProb(0))(ones([2]))).toThrow(
      "scale must be a finite",
    );
    expect(() => vmap((x: Tensor) => new Normal(x, bad).logProb(0))(ones([3, 2]))).toThrow(
      "scale must be a finite",
    );
    expect(dataOf(vmap((x: Tensor) => new Normal(0, x).scale)(neg(ones([2]))))).toEqual([-1, -1]);
  });
});

test("a variable counts as it is at each call, also in a program", () => {
  const x = variable([0.25, 0.75]);
  const matrix = variable([
    [1, 0],
    [0, 1],
  ]);
  const all: readonly Distribution[] = [
    new Normal(x, 1),
    new Uniform(-1, x),
    new LogNormal(0, x),
    new Exponential(x),
    new Bernoulli({ probabilities: x }),
    new Geometric({ logits: x }),
    new Geometric({ probabilities: x }),
    new Categorical({ logits: x }),
    new Categorical({ probabilities: x }),
    new MultivariateNormal(x, { scaleTril: matrix }),
    new MultivariateNormal(zeros([2]), { covarianceMatrix: matrix }),
  ];
  const entropies = (): Tensor[] => all.map((p) => p.entropy());
  const densities = (): Tensor[] => all.map((p) => p.logProb(/^[CG]/.test(p.name) ? 1 : 0.125));
  const program = compile(() => [...entropies(), ...densities()]);
  const values = (list: Tensor[]) => list.map(dataOf);
  const before = values(program());
  expect(before).toEqual(values([...entropies(), ...densities()]));
  x.assign(tensor([0.5, 0.625]));
  matrix.assign(matrix.mul(2));
  const after = values(program());
  expect(after).toEqual(values([...entropies(), ...densities()]));
  after.slice(all.length).forEach((value, i) => {
    expect(value, all[i]!.name).not.toEqual(before[all.length + i]);
  });
  expect(grad(new Normal(x, 1).logProb(0).sum(), [x])[0].toArray()).not.toEqual([0, 0]);
});

test("what depends on one parameter is computed once, not for the whole batch", () => {
  const scale = ones([3]).add(1);
  const nodes = topology([new Normal(zeros([4, 3]).add(1), scale).logProb(0)]).nodes;
  expect(nodes.flatMap(({ op, shape }) => (op.name === "log" ? [shape] : []))).toEqual([[3]]);
});

describe("far away", () => {
  test("densities are finite, and so are their gradients", () => {
    const far = tensor([-1e4, -100, 100, 1e4]);
    for (const kind of [Normal, Laplace, Cauchy]) {
      expect(dataOf(new kind(0, 1).logProb(far)).every(Number.isFinite)).toBe(true);
      expect(slopes((x) => new kind(0, 1).logProb(x), far).every(Number.isFinite)).toBe(true);
    }
    expect(new Cauchy(0, 1).logProb(1e30).item()).toBeCloseTo(-2 * Math.log(1e30) - Math.log(Math.PI), 4);
    expect(slopes((x) => new Cauchy(0, 1).logProb(x), tensor([1e30]))[0]).toBeCloseTo(-2e-30, 34);
  });

  test("the cdf of Geometric adds up its probabilities, also where one is sure or hardly possible", () => {
    const p = new Geometric({ probabilities: tensor([0.25, 1, 1e-10], { dtype: "float64" }) });
    const at = (x: number) => dataOf(p.cdf(x));
    expect(at(-0.5)).toEqual([0, 0, 0]);
    const sums = [0, 1, 2].map((x) => p.logProb(x).exp()).reduce((a, b) => a.add(b));
    dataOf(sums).forEach((sum, i) => {
      for (const x of [2, 2.75]) expect(at(x)[i]! / sum).toBeCloseTo(1, 9);
    });
    expect(at(Infinity)).toEqual([1, 1, 1]);
    expect(at(Number.NaN)).toEqual([Number.NaN, Number.NaN, Number.NaN]);
  });

  test("the lower tail of a cdf has its digits", () => {
    const [z, one] = [scalar(-30, { dtype: "float64" }), scalar(1, { dtype: "float64" })];
    expect(new Normal(0, one).cdf(z).item() / 4.906713927148187e-198).toBeCloseTo(1, 10);
    expect(new Laplace(0, one).cdf(z).item() / (Math.exp(-30) / 2)).toBeCloseTo(1, 12);
    expect(new Cauchy(0, one).cdf(scalar(-1e10, { dtype: "float64" })).item() * 1e10 * Math.PI).toBeCloseTo(
      1,
      12,
    );
  });

  test("the icdf of Cauchy is right near both ends, and infinite at them", () => {
    const p = tensor([0, 1e-8, 1e-3, 0.25, 0.5, 1 - 2 ** -24, 1]);
    const wanted = dataOf(p).map((p) => (p === 0.5 ? 0 : -1 / Math.tan(Math.PI * p)));
    const standard = new Cauchy(0, 1);
    expect(dataOf(standard.icdf(p))).toEqual([
      -Infinity,
      ...wanted.slice(1, -1).map((x) => expect.closeTo(x, 5 - Math.log10(1 + Math.abs(x)))),
      Infinity,
    ]);
    slopes((p) => standard.icdf(p), p).forEach((slope, i) => {
      if (slope === Infinity) expect([0, 1]).toContain(dataOf(p)[i]);
      else expect(slope / (Math.PI * (1 + wanted[i]! ** 2))).toBeCloseTo(1, 5);
    });
  });

  test("the icdf of Normal has its digits near 0", () => {
    const p = tensor([1e-12, 1e-8, 1e-6, 1e-3, 0.05, 0.5]);
    const wanted = [-7.034484, -5.612001, -4.753424, -3.090232, -1.644854, 0];
    expect(dataOf(new Normal(0, 1).icdf(p))).toEqual(wanted.map((z) => expect.closeTo(z, 5)));
    slopes((p) => new Normal(0, 1).icdf(p), p).forEach((slope, i) => {
      const density = Math.exp(-(wanted[i]! ** 2) / 2) / Math.sqrt(2 * Math.PI);
      expect(slope * density).toBeCloseTo(1, 4);
    });
    expect(dataOf(new LogNormal(0, 1).icdf(p.slice(1)))[0]).toBeCloseTo(Math.exp(-5.612001), 8);
    expect(slopes((scale) => new LogNormal(0, scale).icdf(1e-8), tensor([1]))[0]).toBeCloseTo(-0.0205051, 6);
    expect(dataOf(new Normal(0, 1).icdf(tensor([0, 1])))).toEqual([-Infinity, Infinity]);
  });

  test("the cdf of Gumbel is flat far below", () => {
    const x = tensor([-1e4, -100, -80, -5]);
    expect(dataOf(new Gumbel(0, 1).cdf(x))).toEqual([0, 0, 0, 0]);
    expect(slopes((x) => new Gumbel(0, 1).cdf(x), x)).toEqual([0, 0, 0, 0]);
    expect(slopes((scale) => new Gumbel(0, scale).cdf(-1), tensor([1e-3]))).toEqual([0]);
  });

  test("the divergence of exponential distributions does not lose digits to large and small rates", () => {
    for (const rate of [1e-30, 1e-4, 1e4, 1e30]) {
      const [p, q] = [tensor([rate]), tensor([1.25 * rate])];
      const between = (p: Tensor) => klDivergence(new Exponential(p), new Exponential(q));
      expect(dataOf(between(p))[0]! / (0.25 - Math.log(1.25))).toBeCloseTo(1, 5);
      expect(slopes(between, p)[0]! * rate).toBeCloseTo(-0.25, 5);
    }
  });

  test("what is nearly sure by its logits has a finite divergence, and an entropy", () => {
    const [p, q] = [-20, 20].map((l) => scalar(l)) as [Tensor, Tensor];
    const between = (a: Tensor, b: Tensor) =>
      klDivergence(new Bernoulli({ logits: a }), new Bernoulli({ logits: b }));
    for (const [a, b] of [
      [p, q],
      [q, p],
    ] as const) {
      expect(between(a, b).item()).toBeCloseTo(20, 5);
      expect(slopes((b) => between(a, b), b)[0]).toBeCloseTo(Math.sign(b.item()), 5);
    }
    expect(
      klDivergence(new Bernoulli({ probabilities: 0 }), new Bernoulli({ probabilities: 1 })).item(),
    ).toBe(Infinity);
    const entropies = dataOf(new Bernoulli({ logits: tensor([-20, 20]) }).entropy());
    for (const entropy of entropies) expect(entropy / (21 * Math.exp(-20))).toBeCloseTo(1, 5);
    const rare = tensor([-1000, -104, -50, -20, 0]);
    const wanted = [1001, 105, 51, 21, 2 * Math.log(2)];
    dataOf(new Geometric({ logits: rare }).entropy()).forEach((x, i) => {
      expect(x / wanted[i]!).toBeCloseTo(1, 6);
    });
    const rareSlopes = slopes((l) => new Geometric({ logits: l }).entropy(), rare);
    for (const slope of rareSlopes.slice(0, 4)) expect(slope).toBeCloseTo(-1, 5);
    const chances = new Geometric({ probabilities: tensor([1e-30, 1e-8, 0.5, 1]) });
    const [few, some, half, none] = dataOf(chances.entropy());
    expect(few! / (1 + 30 * Math.log(10))).toBeCloseTo(1, 6);
    expect(some! / (1 + 8 * Math.log(10))).toBeCloseTo(1, 6);
    expect(half! / (2 * Math.log(2))).toBeCloseTo(1, 6);
    expect(none! + 0).toBe(0);
  });

  test("logits need no end, and given probabilities have PyTorch's", () => {
    const l = tensor([-1000, 1000]);
    expect(dataOf(new Bernoulli({ logits: l }).logProb(tensor([1, 0])))).toEqual([-1000, -1000]);
    expect(slopes((x) => new Bernoulli({ logits: x }).logProb(tensor([1, 0])), l)).toEqual([1, -1]);
    const p = tensor([0, 1]);
    const certain = new Bernoulli({ probabilities: p });
    expect(dataOf(certain.logProb(tensor([1, 0])))[0]).toBeCloseTo(Math.log(2 ** -23), 4);
    expect(slopes((x) => new Bernoulli({ probabilities: x }).entropy(), p).every(Number.isFinite)).toBe(true);
    expect(dataOf(certain.sample([100]).mean(0))).toEqual([0, 1]);
    expect(dataOf(certain.mode)).toEqual([0, 1]);
  });
});

describe("where nothing can be", () => {
  test("logProb is -inf, with derivative 0, and NaN stays NaN", () => {
    const outside: readonly (readonly [(x: Tensor) => Distribution, number[]])[] = [
      [(x) => new LogNormal(x, 1), [-1, 0]],
      [(x) => new Exponential(x), [-1, -1e-30]],
      [(x) => new Uniform(x, 2), [2, 0.5]],
      [(x) => new Geometric({ logits: x }), [-1, 0.5]],
    ];
    for (const [make, places] of outside) {
      const [parameter, x] = [ones([2]), tensor(places)];
      expect(dataOf(make(parameter).logProb(x))).toEqual([-Infinity, -Infinity]);
      expect(slopes((p) => make(p).logProb(x), parameter)).toEqual([0, 0]);
      expect(slopes((y) => make(parameter).logProb(y), x)).toEqual([0, 0]);
      expect(dataOf(make(parameter).logProb(Number.NaN))).toEqual([Number.NaN, Number.NaN]);
    }
    expect(dataOf(new LogNormal(0, 1).cdf(tensor([-1, 0])))).toEqual([0, 0]);
    expect(dataOf(new Exponential(1).cdf(tensor([-1, 0])))).toEqual([0, 0]);
    for (const d of [new LogNormal(0, 1), new Exponential(1), new Uniform(0, 1), new Laplace(0, 1)])
      expect(d.cdf(Number.NaN).item()).toBeNaN();
  });

  test("a mixture is -inf too, without NaN in its gradient", () => {
    const mixture = new Categorical({ logits: tensor([0, -Infinity]) });
    const rates = tensor([1, 2]);
    const p = (r: Tensor): Tensor =>
      new MixtureSameFamily(mixture, new Exponential(r)).logProb(tensor([-1, 1]));
    expect(dataOf(p(rates))).toEqual([-Infinity, -1]);
    expect(slopes(p, rates)).toEqual([0, 0]);
  });

  test("impossible classes count for nothing", () => {
    const logits = tensor([-Infinity, 0, 0]);
    const p = new Categorical({ logits });
    expect(dataOf(p.logProb(classes([0, 1])))[0]).toBe(-Infinity);
    expect(p.entropy().item()).toBeCloseTo(Math.LN2, 6);
    expect(slopes((x) => new Categorical({ logits: x }).entropy(), logits)).toEqual([0, 0, 0]);
    expect(slopes((x) => new Categorical({ logits: x }).logProb(1), logits)).toEqual([0, 0.5, -0.5]);
    expect(dataOf(p.sample([200])).includes(0)).toBe(false);
    const q = new Categorical({ probabilities: tensor([0, 1, 1]) });
    expect(dataOf(q.sample([200])).includes(0)).toBe(false);
    expect(klDivergence(p, q).item()).toBeCloseTo(0, 6);
    expect(klDivergence(new Categorical({ logits: zeros([3]) }), q).item()).toBe(Infinity);
    const between = (x: Tensor): Tensor => klDivergence(new Categorical({ logits: x }), q);
    expect(slopes(between, logits).every(Number.isFinite)).toBe(true);
  });
});

describe("at kinks", () => {
  test("logProb of Laplace has derivative 0 where it is largest, its cdf has none", () => {
    const x = zeros([1]);
    expect(slopes((y) => new Laplace(0, 1).logProb(y), x)).toEqual([0]);
    expect(slopes((y) => new Laplace(0, 1).cdf(y), x)).toEqual([0.5]);
    expect(slopes((y) => new Laplace(0, 1).icdf(y), tensor([0.5]))).toEqual([2]);
    expect(slopes((y) => klDivergence(new Laplace(y, 1), new Laplace(0, 1)), x)).toEqual([0]);
  });

  test("Geometric and Exponential go on to the end of what is possible", () => {
    expect(new Geometric({ probabilities: 1 }).logProb(0).item()).toBe(0);
    expect(new Geometric({ probabilities: 1 }).logProb(1).item()).toBe(-Infinity);
    expect(dataOf(new Geometric({ probabilities: 1 }).sample([50])).every((x) => x === 0)).toBe(true);
    expect(slopes((y) => new Exponential(2).logProb(y), zeros([1]))).toEqual([-2]);
    expect(slopes((y) => new Uniform(0, 2).cdf(y), tensor([0, 1, 2]))).toEqual([0.5, 0.5, 0.5]);
  });
});

test("draws are finite whatever their bits are, and Uniform stays below its end", () => {
  for (const kind of [Normal, Laplace, Gumbel, Cauchy])
    for (const dtype of ["float32", "float64"] as const) {
      const draws = new kind(scalar(0, { dtype }), 1).sample([50_000], { generator: new Generator(1) });
      expect(draws.dtype).toBe(dtype);
      expect(dataOf(draws).every(Number.isFinite)).toBe(true);
    }
  // The interval has two numbers.
  const draws = new Uniform(1, 1 + 2 ** -22).sample([1000], { generator: new Generator(2) });
  expect([...new Set(dataOf(draws))].sort()).toEqual([1, 1 + 2 ** -23]);
});

test("sample has no derivative, and rsample has", () => {
  const loc = scalar(1);
  const p = new Normal(loc, 1);
  expect(grad(p.sample([3]).sum(), [loc])[0].item()).toBe(0);
  expect(grad(p.rsample([3]).sum(), [loc])[0].item()).toBe(3);
  const same = () => ({ generator: new Generator(4) });
  expect(dataOf(p.sample([3], same()))).toEqual(dataOf(p.rsample([3], same())));
});

describe("refusals", () => {
  const row = zeros([3]);
  const scale = tensor([
    [1, 0],
    [0, 1],
  ]);
  const some = new Normal(row, 1);
  const mixture = new Categorical({ logits: row });
  const anything = (x: unknown) => x as never;
  const refused: readonly (readonly [() => unknown, new (message: string) => Error, string])[] = [
    [() => new Normal(0, 0), ValueError, "Normal: scale must be a finite number above 0, got 0"],
    [
      () => new Laplace(0, tensor([1, -2])),
      ValueError,
      "Laplace: scale must be a finite number above 0, got -2",
    ],
    [() => new Gumbel(0, full([2], -1)), ValueError, "Gumbel: scale must be"],
    [() => new Cauchy(Number.NaN, 1), ValueError, "Cauchy: loc must be a finite number, got NaN"],
    [() => new LogNormal(0, -1), ValueError, "LogNormal: scale must be"],
    [() => new Exponential(0), ValueError, "Exponential: rate must be a finite number above 0, got 0"],
    [() => new Uniform(2, 2), ValueError, "Uniform: low is 2 and high is 2; low must be below high"],
    [() => new Uniform(zeros([2]), tensor([1, -1])), ValueError, "low is 0 and high is -1"],
    [
      () => new Normal(row, zeros([4]).add(1)),
      ShapeError,
      "Normal: loc [3] and scale [4] do not broadcast; reshape",
    ],
    [() => new Normal(row.eq(0), 1), DTypeError, "Normal: loc is no bool; cast it to float32 first"],
    [() => new Normal(anything("0"), 1), ValueError, 'Normal: loc is a number or a tensor, got "0"'],
    [
      () => new Normal(0, anything(undefined)),
      ValueError,
      "Normal: scale is a number or a tensor, got undefined",
    ],
    [
      () => new Bernoulli({ probabilities: 1.5 }),
      ValueError,
      "Bernoulli: probabilities must be from 0 to 1, got 1.5",
    ],
    [
      () => new Bernoulli({ logits: Infinity }),
      ValueError,
      "Bernoulli: logits must be a finite number, got Infinity",
    ],
    [
      () => new Bernoulli(anything({})),
      ValueError,
      "Bernoulli: takes either logits or probabilities, and one of them",
    ],
    [() => new Bernoulli(anything({ logits: 0, probabilities: 1 })), ValueError, "and one of them"],
    [() => new Bernoulli(anything({ probs: 1 })), ValueError, "there is no option probs"],
    [
      () => new Bernoulli(anything(0.5)),
      ValueError,
      "Bernoulli: takes { logits } or { probabilities }, got 0.5",
    ],
    [
      () => new Geometric({ probabilities: 0 }),
      ValueError,
      "Geometric: probabilities must be above 0, and at most 1, got 0",
    ],
    [() => new Categorical({ logits: zeros([]) }), ShapeError, "Categorical: shape [] has no classes"],
    [
      () => new Categorical({ probabilities: tensor([1, -1]) }),
      ValueError,
      "Categorical: probabilities must be",
    ],
    [() => new Categorical({ probabilities: zeros([2, 2]) }), ValueError, "row 0 has 0 only"],
    [() => new Categorical({ logits: full([2], -Infinity) }), ValueError, "row 0 has -Infinity only"],
    [() => mixture.logProb(zeros([2])), DTypeError, "Categorical.logProb: classes are int32, got float32"],
    [() => mixture.logProb(0.5), ValueError, "0.5"],
    [() => mixture.logProb(3).item(), IndexError, "Categorical.logProb"],
    [
      () => new Categorical({ logits: zeros([2, 3]) }).logProb(classes([0, 1, 2])),
      ShapeError,
      "do not broadcast",
    ],
    [() => mixture.mean, ValueError, "Categorical: there is no mean"],
    [() => mixture.stddev, ValueError, "Categorical: there is no variance"],
    [() => mixture.cdf(1), ValueError, "Categorical: there is no cdf"],
    [
      () => mixture.rsample([2]),
      GradientError,
      "Categorical: draws have no derivative by the parameters; use sample",
    ],
    [() => new Cauchy(0, 1).stddev, ValueError, "Cauchy: there is no variance; its integral diverges"],
    [() => new Cauchy(0, 1).mean, ValueError, "Cauchy: there is no mean"],
    [() => new Uniform(0, 1).mode, ValueError, "Uniform: there is no mode"],
    [
      () => some.logProb(zeros([2])),
      ShapeError,
      "Normal.logProb: x [2] and the distribution [3] do not broadcast",
    ],
    [() => some.logProb(row.eq(0)), DTypeError, "Normal.logProb: x is no bool"],
    [
      () => some.logProb(anything([1])),
      ValueError,
      "Normal.logProb: x is a number or a tensor, got an array",
    ],
    [() => some.icdf(1.5), ValueError, "Normal.icdf: p must be from 0 to 1, got 1.5"],
    [() => some.sample(anything(3)), ValueError, "Normal.sample: the shape is a list, got 3"],
    [() => some.sample([-1]), ValueError, "sizes are whole numbers"],
    [
      () => some.sample([1], anything({ dtype: "float64" })),
      ValueError,
      "Normal.sample: there is no option dtype",
    ],
    [() => some.sample([1], anything({ generator: 1 })), ValueError, "the generator is a Generator"],
    [
      () => new MultivariateNormal(row, { scaleTril: scale }),
      ShapeError,
      "loc is [..., n] and scaleTril [..., n, n]",
    ],
    [() => new MultivariateNormal(zeros([]), { scaleTril: scale }), ShapeError, "got [] and [2, 2]"],
    [
      () => new MultivariateNormal(row, anything({})),
      ValueError,
      "takes either scaleTril or covarianceMatrix",
    ],
    [
      () => new MultivariateNormal(zeros([2, 2]), { covarianceMatrix: zeros([3, 2, 2]) }),
      ShapeError,
      "the batch of loc [2] and that of covarianceMatrix [3] do not broadcast",
    ],
    [
      () => new MultivariateNormal(zeros([2]), { covarianceMatrix: zeros([2, 2]) }).entropy().item(),
      ValueError,
      "not positive definite",
    ],
    [
      () => new MultivariateNormal(zeros([2]), { scaleTril: scale }).cdf(0),
      ValueError,
      "MultivariateNormal: there is no cdf",
    ],
    [
      () =>
        new MultivariateNormal(zeros([2]), {
          scaleTril: tensor([
            [1, -2],
            [3, 0],
          ]),
        }),
      ValueError,
      "MultivariateNormal: the diagonal of scaleTril must be above 0, got 0",
    ],
    [() => new Independent(some, 2), ValueError, "at most the number of batch axes of Normal [3], got 2"],
    [() => new Independent(some, -1), ValueError, "Independent: axes is a whole number of at least 0"],
    [() => new Independent(anything(row), 1), ValueError, "Independent: base is a distribution such as"],
    [() => new Independent(mixture, 0).rsample(), GradientError, "Categorical: draws have no derivative"],
    [
      () => new MixtureSameFamily(mixture, new Normal(zeros([4]), 1)),
      ShapeError,
      "is [4], and that of the mixture",
    ],
    [() => new MixtureSameFamily(anything(some), some), ValueError, "mixture is a Categorical"],
    [
      () => new MixtureSameFamily(mixture, some).entropy(),
      ValueError,
      "MixtureSameFamily: there is no entropy",
    ],
    [
      () => klDivergence(some, new Cauchy(0, 1)),
      ValueError,
      "no closed form from Normal to Cauchy; estimate it by",
    ],
    [
      () => klDivergence(some, new Normal(zeros([2]), 1)),
      ShapeError,
      "the batch of Normal [3] and that of Normal [2]",
    ],
    [() => klDivergence(some, anything(1)), ValueError, "klDivergence: q is a distribution"],
    [
      () => klDivergence(new Independent(some, 1), new Independent(new Normal(zeros([2]), 1), 1)),
      ShapeError,
      "the events of Independent [3] and Independent [2] differ",
    ],
    [
      () => klDivergence(mixture, new Categorical({ logits: zeros([2]) })),
      ShapeError,
      "Categorical of 3 classes and of 2",
    ],
  ];

  test.each(refused.map(([attempt, kind, says]) => [says, attempt, kind] as const))(
    "%s",
    (says, attempt, kind) => {
      expect(attempt).toThrow(kind);
      expect(attempt).toThrow(says);
    },
  );
});

test("a mixture of distributions learns two heaps", () => {
  manualSeed(3);
  const data = new MixtureSameFamily(
    new Categorical({ probabilities: tensor([0.25, 0.75]) }),
    new Normal(tensor([-2, 3]), tensor([0.5, 1])),
  ).sample([500]);
  const [logits, loc, logScale] = [variable([0, 0]), variable([-1, 1]), variable([0, 0])];
  const optimizer = new Adam([logits, loc, logScale], { lr: 0.05 });
  const step = compile(() => {
    const p = new MixtureSameFamily(new Categorical({ logits }), new Normal(loc, logScale.exp()));
    const loss = p.logProb(data).mean().neg();
    optimizer.step(loss);
    return loss;
  });
  for (let i = 0; i < 300; i++) step();
  expect(loc.toArray()[0]).toBeCloseTo(-2, 0);
  expect(loc.toArray()[1]).toBeCloseTo(3, 0);
  expect(dataOf(new Categorical({ logits }).probabilities)[0]).toBeCloseTo(0.25, 1);
});
