/** Compares distributions with the numbers that `distributions.py` took from PyTorch. */
import { readFileSync } from "node:fs";
import type { Shape, Tensor } from "@cotangent/autograd";
import { cast, fromTypedArray, grad } from "@cotangent/autograd";
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
import { describe, expect, test } from "vitest";

type Precision = "float32" | "float64";
type Entry = number | "NaN" | "Infinity" | "-Infinity";
interface Numbers {
  readonly shape: Shape;
  readonly data: readonly Entry[];
}
interface Written {
  readonly kind: string;
  readonly parameters: Readonly<Record<string, Numbers>>;
}
interface Result {
  readonly shape: Shape;
  readonly value: readonly Entry[];
  readonly gradients?: Readonly<Record<string, readonly Entry[]>>;
}
interface Case extends Written {
  readonly x: Numbers;
  readonly classes: boolean;
  readonly p?: Numbers;
  readonly float32: Readonly<Record<string, Result>>;
  readonly float64: Readonly<Record<string, Result>>;
}
interface Pair {
  readonly p: Written;
  readonly q: Written;
  readonly float32: Result;
  readonly float64: Result;
}

const { cases, pairs }: { cases: Case[]; pairs: Pair[] } = JSON.parse(
  readFileSync(new URL("distributions.json", import.meta.url), "utf8"),
);

type Parameters = Readonly<Record<string, Tensor>>;
const weights = ({ logits, probabilities }: Parameters) =>
  logits ? { logits } : { probabilities: probabilities! };

const kinds: Readonly<Record<string, (given: Parameters) => Distribution>> = {
  Normal: ({ loc, scale }) => new Normal(loc!, scale!),
  LogNormal: ({ loc, scale }) => new LogNormal(loc!, scale!),
  Laplace: ({ loc, scale }) => new Laplace(loc!, scale!),
  Gumbel: ({ loc, scale }) => new Gumbel(loc!, scale!),
  Cauchy: ({ loc, scale }) => new Cauchy(loc!, scale!),
  Uniform: ({ low, high }) => new Uniform(low!, high!),
  Exponential: ({ rate }) => new Exponential(rate!),
  Bernoulli: (given) => new Bernoulli(weights(given)),
  Geometric: (given) => new Geometric(weights(given)),
  Categorical: (given) => new Categorical(weights(given)),
  Gamma: ({ concentration, rate }) => new Gamma(concentration!, rate!),
  Chi2: ({ df }) => new Chi2(df!),
  Beta: ({ concentration1, concentration0 }) => new Beta(concentration1!, concentration0!),
  Dirichlet: ({ concentration }) => new Dirichlet(concentration!),
  StudentT: ({ df, loc, scale }) => new StudentT(df!, loc!, scale!),
  Poisson: ({ rate }) => new Poisson(rate!),
  NegativeBinomial: (given) => new NegativeBinomial(given.totalCount!, weights(given)),
  ByFactor: ({ loc, scaleTril }) => new MultivariateNormal(loc!, { scaleTril: scaleTril! }),
  ByCovariance: ({ loc, covarianceMatrix }) =>
    new MultivariateNormal(loc!, { covarianceMatrix: covarianceMatrix! }),
  IndependentNormal: ({ loc, scale }) => new Independent(new Normal(loc!, scale!), 1),
  IndependentBernoulli: ({ logits }) => new Independent(new Bernoulli({ logits: logits! }), 2),
  MixedNormal: ({ logits, loc, scale }) =>
    new MixtureSameFamily(new Categorical({ logits: logits! }), new Normal(loc!, scale!)),
  MixedVectors: ({ probabilities, loc, scaleTril }) =>
    new MixtureSameFamily(
      new Categorical({ probabilities: probabilities! }),
      new MultivariateNormal(loc!, { scaleTril: scaleTril! }),
    ),
};

const members: Readonly<Record<string, (d: Distribution, x: Tensor, p?: Tensor) => Tensor>> = {
  logProb: (d, x) => d.logProb(x),
  cdf: (d, x) => d.cdf(x),
  icdf: (d, _, p) => d.icdf(p!),
  entropy: (d) => d.entropy(),
  mean: (d) => d.mean,
  variance: (d) => d.variance,
  stddev: (d) => d.stddev,
  mode: (d) => d.mode,
};

/**
 * How far we may be from PyTorch, in units of half a last place of an array's largest number: farther with the inverses of distribution
 * functions, where PyTorch loses digits near 0 and 1 (farther of Cauchy, whose tangent it takes beside a rounded pi / 2), and in float64 where it takes differences of gamma functions.
 */
function allowedFor(name: string, dtype: Precision, by: Parameters, kind?: string): number {
  if (name.startsWith("icdf")) return kind === "Cauchy" ? 1024 : 256;
  if (dtype === "float32") return 32;
  if (Object.values(by).some((x) => x.abs().amax().item() > 1000)) return 2 ** 15;
  return /^(entropy|kl)/.test(name) && Object.keys(by).some((of) => of.includes("concentration")) ? 128 : 32;
}
const unit = { float32: 2 ** -24, float64: 2 ** -53 };

for (const dtype of ["float32", "float64"] as const)
  describe(`in ${dtype} PyTorch's value and gradients for`, () => {
    test.each(cases.map((example, i) => [`${example.kind} ${i}`, example] as const))("%s", (_, example) => {
      const given = tensors(example.parameters, dtype);
      const x = example.classes ? cast(numbers(example.x, "float64"), "int32") : numbers(example.x, dtype);
      const p = example.p && numbers(example.p, dtype);
      for (const [name, expected] of Object.entries(example[dtype])) {
        const d = kinds[example.kind]!(given);
        const out = members[name]!(d, x, p);
        expectResult(name, out, expected, { ...given, x, ...(p && { p }) }, dtype, example.kind);
      }
    });

    test.each(pairs.map((pair, i) => [`${pair.p.kind} to ${pair.q.kind} ${i}`, pair] as const))(
      "klDivergence from %s",
      (_, pair) => {
        const [first, second] = [tensors(pair.p.parameters, dtype), tensors(pair.q.parameters, dtype)];
        const out = klDivergence(kinds[pair.p.kind]!(first), kinds[pair.q.kind]!(second));
        const named = (prefix: string, given: Parameters): [string, Tensor][] =>
          Object.entries(given).map(([name, x]) => [`${prefix}.${name}`, x]);
        const all = Object.fromEntries([...named("p", first), ...named("q", second)]);
        expectResult("klDivergence", out, pair[dtype], all, dtype);
      },
    );
  });

function expectResult(
  name: string,
  out: Tensor,
  { shape, value, gradients = {} }: Result,
  by: Parameters,
  dtype: Precision,
  kind?: string,
): void {
  expect(out.shape, name).toEqual(shape);
  expect(out.dtype, name).toBe(dtype);
  const allowed = allowedFor(name, dtype, by, kind);
  expectNear(name, out, value, dtype, allowed);
  const cotangent = numbers({ shape, data: value.map((_, i) => (i + 1) / 4) }, dtype);
  for (const [of, expected] of Object.entries(gradients))
    expectNear(`${name} by ${of}`, grad(out, [by[of]!], { cotangent })[0], expected, dtype, allowed);
}

function tensors(parameters: Written["parameters"], dtype: Precision): Parameters {
  return Object.fromEntries(Object.entries(parameters).map(([name, x]) => [name, numbers(x, dtype)]));
}

function numbers({ shape, data }: Numbers, dtype: Precision): Tensor {
  return cast(fromTypedArray(Float64Array.from(data, Number), shape), dtype);
}

function expectNear(
  name: string,
  x: Tensor,
  expected: readonly Entry[],
  dtype: Precision,
  allowed: number,
): void {
  const found = Array.from(x.toTypedArray());
  const wanted = expected.map(Number);
  const largest = Math.max(...wanted.filter(Number.isFinite).map(Math.abs), 0);
  const apart = wanted.map((y, i) => (Object.is(found[i], y) ? 0 : Math.abs(found[i]! - y)));
  const units = Math.max(...apart) / (largest * unit[dtype] || unit[dtype]);
  expect(units <= allowed, `${name}: ${units} units apart\n${found.join()}\n${wanted.join()}`).toBe(true);
}
