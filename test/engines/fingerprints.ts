import type { DType, TypedArray } from "@cotangent/autograd";
import {
  bernoulli,
  CompileError,
  compile,
  elu,
  evaluate,
  exponential,
  fromTypedArray,
  Generator,
  gelu,
  grad,
  normal,
  permutation,
  poisson,
  randint,
  registry,
  standardGamma,
  Tensor,
  tensor,
  truncatedNormal,
  uniform,
  zeros,
} from "@cotangent/autograd";
import { sampledCall } from "@cotangent/autograd/testing";
import {
  Adam,
  AdamW,
  BatchNorm2d,
  Conv2d,
  Flatten,
  Linear,
  LSTM,
  MaxPool2d,
  type Module,
  type Optimizer,
  Parameter,
  PositionalEncoding,
  RMSprop,
  RotaryEmbedding,
  Sequential,
  SGD,
  TransformerEncoderLayer,
} from "@cotangent/nn";
import { blobs, circles, moons, sine, spirals } from "@cotangent/nn/data";
import {
  Beta,
  Cauchy,
  Dirichlet,
  Exponential,
  Gamma,
  Geometric,
  Gumbel,
  klDivergence,
  Laplace,
  LogNormal,
  MultivariateNormal,
  NegativeBinomial,
  Normal,
  Poisson,
  StudentT,
} from "@cotangent/nn/distributions";
import * as initialize from "@cotangent/nn/initialize";
import { crossEntropy, gaussianNll, mse, poissonNll } from "@cotangent/nn/loss";
import { r2Score } from "@cotangent/nn/metrics";
import * as schedules from "@cotangent/nn/schedules";
import { withCache } from "../../packages/autograd/src/evaluate.ts";
import { drawFor } from "../laws/draws.ts";
import { mulberry32 } from "../mulberry.ts";

/** The bits of what the library computes, as a number of 32 bits for each of many calls: what they are in one engine they are in all. */

/** The hash of G. Fowler, L. C. Noll and K.-P. Vo (FNV-1a) of all elements; NaN is NaN whatever its payload. */
class Hash {
  #state = 0x811c9dc5;

  add(data: TypedArray): this {
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    const size = data.BYTES_PER_ELEMENT;
    data.forEach((x: number, i: number) => {
      if (Number.isNaN(x)) this.#byte(0x4e);
      else for (let k = 0; k < size; k++) this.#byte(bytes[i * size + k]!);
    });
    return this;
  }

  #byte(value: number): void {
    this.#state = Math.imul(this.#state ^ value, 0x01000193);
  }

  toString(): string {
    return (this.#state >>> 0).toString(16);
  }
}

const dtypes = ["float32", "float64"] as const satisfies readonly DType[];
const isFloat = (x: Tensor): boolean => x.dtype.startsWith("float");

/** Of tensors that the interpreter computes. */
function interpreted(hash: Hash, tensors: readonly Tensor[]): void {
  withCache(null, () => evaluate(...tensors));
  for (const x of tensors) hash.add(x.toTypedArray());
}

function hashOf(...tensors: readonly Tensor[]): string {
  const hash = new Hash();
  interpreted(hash, tensors);
  return String(hash);
}

type Call = (...inputs: Tensor[]) => readonly Tensor[];

/** The results of a call, and the gradients of its floats. */
function withGradients(call: Call): Call {
  return (...inputs) => {
    const results = call(...inputs);
    const floats = results.filter(isFloat);
    if (inputs.length === 0 || floats.length === 0) return results;
    const total = floats.map((y) => y.mul(y.add(0.5)).sum()).reduce((a, b) => a.add(b));
    return [...results, ...grad(total, inputs)];
  };
}

function addCompiled(hash: Hash, call: Call, inputs: readonly Tensor[]): void {
  try {
    for (const x of compile((...given: Tensor[]) => [...call(...given)])(...inputs))
      hash.add(x.toTypedArray());
  } catch (error) {
    // Shapes that depend on values.
    if (!(error instanceof CompileError)) throw error;
  }
}

type Found = Map<string, string>;

/** Every function of the registry, with its derivatives. */
function functions(found: Found): void {
  for (const dtype of dtypes)
    for (const [name, f] of registry) {
      const draw = drawFor(name, dtype);
      const [plain, program] = [new Hash(), new Hash()];
      for (let run = 0; run < 6; run++) {
        const sample = sampledCall(f, f.samples(draw));
        const call = withGradients((...inputs) => sample.results(inputs));
        interpreted(plain, call(...sample.inputs));
        if (run % 2 === 0) addCompiled(program, call, sample.inputs);
      }
      found.set(`${name} in ${dtype}`, String(plain));
      found.set(`${name} in ${dtype}, compiled`, String(program));
    }
}

/** Floats of all sizes: any bits. */
function anything(dtype: (typeof dtypes)[number], count: number, random: () => number): Tensor {
  const words = Int32Array.from(
    { length: dtype === "float64" ? 2 * count : count },
    () => (random() * 2 ** 32) | 0,
  );
  return fromTypedArray(
    dtype === "float64" ? new Float64Array(words.buffer) : new Float32Array(words.buffer),
    [count],
  );
}

/** Every elementwise function of one or two floats, of any bits. */
function elements(found: Found): void {
  for (const [name, f] of registry) {
    const sample = f.samples(drawFor(name, "float32"));
    const arity = sample.length;
    const isElementwise =
      f.op?.kernel.kind === "pointwise" && sample.every((x) => x instanceof Tensor && isFloat(x));
    if (!isElementwise || arity > 2) continue;
    for (const dtype of dtypes) {
      const random = mulberry32(arity);
      const inputs = Array.from({ length: arity }, () => anything(dtype, 2000, random));
      const call: Call = (...given) => [(f as unknown as (...x: Tensor[]) => Tensor)(...given)];
      const program = new Hash();
      addCompiled(program, call, inputs);
      found.set(`${name} of any ${dtype}`, hashOf(...call(...inputs)));
      found.set(`${name} of any ${dtype}, compiled`, String(program));
    }
  }
}

const source = () => ({ generator: new Generator(5) });

function draws(found: Found): void {
  for (const dtype of dtypes) {
    const of = { ...source(), dtype };
    const rates = uniform([300], of).mul(40).add(0.01);
    const drawn = {
      normal: normal([2000], of),
      uniform: uniform([2000], of),
      exponential: exponential([2000], of),
      truncatedNormal: truncatedNormal([2000], of),
      standardGamma: standardGamma(rates, source()),
      poisson: poisson(rates, source()),
      bernoulli: bernoulli([300], { ...of, probability: 0.3 }),
    };
    for (const [name, x] of Object.entries(drawn))
      found.set(`draws of ${name} in ${dtype}`, hashOf(x as Tensor));
  }
  found.set("draws of randint", hashOf(randint(-5, 1000, [500], source()) as Tensor));
  found.set("draws of permutation", hashOf(permutation(1000, source()) as Tensor));
  const toys = { blobs, circles, moons, sine, spirals };
  for (const [name, toy] of Object.entries(toys)) {
    const { x, y } = toy({ count: 200, ...source() });
    found.set(`toy ${name}`, hashOf(x, y));
  }
  const { kaimingNormal, kaimingUniform, lecunNormal, orthogonal, varianceScaling, xavierNormal } =
    initialize;
  for (const fill of [
    kaimingNormal,
    kaimingUniform,
    lecunNormal,
    orthogonal,
    varianceScaling,
    xavierNormal,
  ]) {
    const parameter = new Parameter(zeros([4, 6]));
    fill(parameter, source());
    found.set(`initialize.${fill.name}`, hashOf(parameter as Tensor));
  }
}

/** Ten steps of training, in a plain loop and compiled. */
function training(found: Found): void {
  const x = normal([6, 8], source()) as Tensor;
  const images = normal([4, 2, 8, 8], source()) as Tensor;
  const texts = normal([5, 3, 8], source()) as Tensor;
  const labels = randint(0, 3, [6], source()) as Tensor;
  const target = uniform([6, 3], source()) as Tensor;
  const models: Record<string, () => readonly [Module, (model: Module) => Optimizer, () => Tensor]> = {
    perceptron: () => {
      const model = new Sequential(new Linear(8, 16, source()), gelu, new Linear(16, 3, source()));
      return [
        model,
        (m) => new Adam(m.parameters(), { lr: 0.01 }),
        () => crossEntropy(model.forward(x), labels),
      ];
    },
    pictures: () => {
      const of = source();
      const model = new Sequential(
        new Conv2d(2, 4, 3, { padding: 1, ...of }),
        new BatchNorm2d(4),
        elu,
        new MaxPool2d(2),
        new Flatten(),
        new Linear(64, 3, of),
      );
      return [
        model,
        (m) => new RMSprop(m.parameters(), { lr: 0.01 }),
        () => model.forward(images).square().mean(),
      ];
    },
    recurrence: () => {
      const model = new LSTM(8, 8, source());
      const optimizer = (m: Module) =>
        new SGD(m.parameters(), { lr: schedules.cosine({ lr: 0.1, tMax: 9 }), momentum: 0.9 });
      return [model, optimizer, () => mse(model.forward(texts)[0], texts)];
    },
    attention: () => {
      const layer = new TransformerEncoderLayer(8, 2, { dimFeedforward: 16, dropout: 0.1, ...source() });
      const places = new PositionalEncoding(8, { maxLen: 10, ...source() });
      const model = new Sequential(places, layer);
      return [model, (m) => new AdamW(m.parameters(), { lr: 0.01 }), () => mse(model.forward(texts), texts)];
    },
    likelihood: () => {
      const model = new Linear(8, 3, source());
      const loss = () => {
        const mean = model.forward(x);
        return gaussianNll(mean, target, mean.exp(), { full: true }).add(
          poissonNll(mean, target.mul(5).floor(), { full: true }),
        );
      };
      return [
        model,
        (m) => new SGD(m.parameters(), { lr: schedules.noam({ dModel: 8, warmupSteps: 4 }) }),
        loss,
      ];
    },
  };
  for (const [name, make] of Object.entries(models))
    for (const way of ["plain", "compiled"]) {
      const [model, optimizerOf, loss] = make();
      const optimizer = optimizerOf(model);
      const train = () => {
        const value = loss();
        optimizer.step(value);
        return value;
      };
      const step = way === "plain" ? train : compile(train);
      const losses = Array.from({ length: 10 }, () => step().item());
      const hash = new Hash().add(Float64Array.from(losses));
      for (const x of model.parameters()) hash.add((x as Tensor).toTypedArray());
      found.set(`${way} training: ${name}`, String(hash));
    }
  const rotary = new RotaryEmbedding(8);
  found.set("RotaryEmbedding", hashOf(rotary.forward(texts.permute([1, 0, 2]) as Tensor)));
  found.set(
    "PositionalEncoding",
    hashOf(new PositionalEncoding(6, { maxLen: 500, dtype: "float64" }).pe as Tensor),
  );
  found.set("r2Score", String(r2Score(x, x.mul(0.9))));
}

function rates(found: Found): void {
  const curves = {
    cosine: schedules.cosine({ lr: 0.3, tMax: 17 }),
    cosineWarmRestarts: schedules.cosineWarmRestarts({ t0: 3, tMult: 3 }),
    warmupCosine: schedules.warmupCosine({ lr: 0.1, warmupSteps: 5, totalSteps: 30 }),
    exponential: schedules.exponential({ lr: 0.1, gamma: 0.93 }),
    noam: schedules.noam({ dModel: 24, warmupSteps: 7 }),
    oneCycle: schedules.oneCycle({ maxLr: 0.7, totalSteps: 40 }),
    polynomial: schedules.polynomial({ lr: 0.1, totalIters: 30, power: 1.7 }),
  };
  for (const [name, curve] of Object.entries(curves))
    found.set(`schedules.${name}`, hashOf(...Array.from({ length: 40 }, (_, i) => curve(i) as Tensor)));
}

function distributions(found: Found): void {
  const wide = { dtype: "float64" } as const;
  const a = tensor([0.3, 1, 2.5, 40], wide);
  const b = tensor([2, 0.7, 5, 11], wide);
  const made = [
    new Normal(a, b),
    new LogNormal(a, b),
    new Laplace(a, b),
    new Gumbel(a, b),
    new Cauchy(a, b),
    new StudentT(a, b, 2),
    new Exponential(a),
    new Gamma(a, b),
    new Beta(a, b),
    new Poisson(a),
    new NegativeBinomial(a, { logits: b.neg() }),
    new Geometric({ logits: b.neg() }),
    new Dirichlet(a),
    new MultivariateNormal(tensor([0, 1], wide), {
      covarianceMatrix: tensor(
        [
          [2, 0.5],
          [0.5, 1],
        ],
        wide,
      ),
    }),
  ];
  for (const p of made) {
    const draw = p.sample([20], source());
    found.set(`${p.name}: draws, densities`, hashOf(draw, p.logProb(draw)));
    const asked = ["entropy", "mean", "variance"] as const;
    for (const name of asked)
      try {
        found.set(`${p.name}: ${name}`, hashOf(name === "entropy" ? p.entropy() : p[name]));
      } catch {
        // There is no formula.
      }
  }
  found.set(
    "klDivergence",
    hashOf(klDivergence(new Gamma(a, b), new Gamma(b, a)), klDivergence(new Cauchy(a, b), new Cauchy(b, a))),
  );
}

export function fingerprints(): Found {
  const found: Found = new Map();
  for (const part of [functions, elements, draws, training, rates, distributions]) part(found);
  return found;
}
