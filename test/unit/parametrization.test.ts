import {
  compile,
  DTypeError,
  Generator,
  grad,
  normal,
  ShapeError,
  type Tensor,
  tensor,
  ValueError,
  zeros,
} from "@cotangent/autograd";
import {
  ConvTranspose1d,
  EmbeddingBag,
  Linear,
  LogisticRegression,
  LoRA,
  LSTM,
  RBFFeatures,
  Sequential,
  SGD,
  spectralNorm,
  weightNorm,
} from "@cotangent/nn";
import { mse } from "@cotangent/nn/loss";
import { describe, expect, test } from "vitest";

const draw = (...shape: number[]): Tensor => normal(shape, { generator: new Generator(4) }) as Tensor;
const int32 = (data: number[] | number[][]): Tensor => tensor(data, { dtype: "int32" }) as Tensor;
const distance = (x: Tensor, y: Tensor): number => x.sub(y).abs().amax().item();

describe("a parametrization", () => {
  test("weightNorm leaves the value, and what is trained are lengths and directions", () => {
    const plain = new Linear(3, 2);
    const layer = weightNorm(new Linear(3, 2));
    layer.loadStateDict({
      bias: plain.bias!,
      weight_v: plain.weight,
      weight_g: plain.weight.square().sum(1, { keepDims: true }).sqrt(),
    });
    const x = draw(4, 3);
    expect(distance(layer.forward(x), plain.forward(x))).toBeLessThan(1e-6);
    const optimizer = new SGD(layer.parameters(), { lr: 0.1 });
    const before = layer.stateDict().weight_g!.toArray();
    const step = compile(() => {
      const loss = mse(layer.forward(x), zeros([4, 2]) as Tensor);
      optimizer.step(loss);
      return loss;
    });
    const first = step().item();
    for (let i = 0; i < 20; i++) step();
    expect(step().item()).toBeLessThan(first);
    expect(layer.stateDict().weight_g!.toArray()).not.toEqual(before);
    expect(distance(layer.weight as Tensor, layer.weight as Tensor)).toBe(0);
  });

  test("spectralNorm comes to stretch nothing, and only training goes on with the iteration", () => {
    const layer = spectralNorm(new Linear(6, 4, { bias: false }));
    const step = compile((x: Tensor) => layer.forward(x));
    for (let i = 0; i < 60; i++) step(draw(1, 6));
    layer.eval();
    const before = layer.stateDict().weight_u!.toArray();
    const x = draw(50, 6);
    const lengths = (y: Tensor) => y.square().sum(1).sqrt() as Tensor;
    expect(lengths(step(x)).div(lengths(x)).amax().item()).toBeLessThan(1.0001);
    const matrix = layer.weight as Tensor;
    expect(
      matrix
        .matmul(matrix.transpose())
        .matmul(layer.stateDict().weight_u! as Tensor)
        .square()
        .sum()
        .item(),
    ).toBeCloseTo(1, 3);
    expect(layer.stateDict().weight_u!.toArray()).toEqual(before);
  });

  test("works on a parameter of any name, in any model, and errors keep their path", () => {
    const memory = weightNorm(new LSTM(2, 3), { name: "weightIhL0" });
    expect([...memory.namedParameters().keys()]).toContain("weightIhL0G");
    const x = draw(3, 1, 2);
    const before = memory.forward(x)[0];
    memory.namedParameters().get("weightIhL0G")!.assign(0);
    expect(distance(memory.forward(x)[0], before)).toBeGreaterThan(1e-3);
    const model = new Sequential(spectralNorm(new Linear(2, 3)));
    expect([...model.namedBuffers().keys()]).toEqual(["0.weightU", "0.weightV"]);
    expect(() => model.forward(zeros([1, 5]))).toThrow(/^0: Linear\(2, 3\): takes/);
  });

  test("takes the outputs of transposed convolutions for rows", () => {
    const layer = spectralNorm(new ConvTranspose1d(3, 2, 4));
    expect(layer.stateDict().weight_u!.shape).toEqual([2]);
    expect(layer.stateDict().weight_v!.shape).toEqual([12]);
  });

  test("iterates no further where forward fails", () => {
    const layer = spectralNorm(new Linear(2, 3));
    const before = Object.values(layer.stateDict()).map((x) => x.toArray());
    expect(() => layer.forward(zeros([1, 5]))).toThrow(ShapeError);
    expect(Object.values(layer.stateDict()).map((x) => x.toArray())).toEqual(before);
    layer.forward(zeros([1, 2]));
    expect(Object.values(layer.stateDict()).map((x) => x.toArray())).not.toEqual(before);
  });

  test("refuses what is not there", () => {
    expect(() => weightNorm(new Linear(2, 3), { name: "gain" })).toThrow("Linear has no parameter gain");
    expect(() => weightNorm(new Linear(2, 3), { dim: 2 })).toThrow("dim is an axis from -2 to 1");
    expect(() => spectralNorm(new Linear(2, 3), { name: "bias" })).toThrow(ValueError);
    expect(() => spectralNorm(new Linear(2, 3), { nPowerIterations: 0 })).toThrow(ValueError);
  });
});

describe("LoRA", () => {
  test("changes nothing at first, learns two matrices only, and can be merged", () => {
    const plain = new Linear(5, 4);
    const layer = new LoRA(plain, { rank: 2, alpha: 4 });
    const x = draw(3, 5);
    expect(distance(layer.forward(x), plain.forward(x))).toBe(0);
    const before = plain.weight.toArray();
    const optimizer = new SGD(layer.parameters(), { lr: 0.1 });
    for (let i = 0; i < 5; i++) optimizer.step(mse(layer.forward(x), zeros([3, 4]) as Tensor));
    expect(layer.weight.toArray()).toEqual(before);
    expect(distance(layer.forward(x), plain.forward(x))).toBeGreaterThan(1e-3);
    expect(distance(layer.merged().forward(x), layer.forward(x))).toBeLessThan(1e-5);
    expect([...layer.namedBuffers().keys()]).toEqual(["weight", "bias"]);
    expect(() => new LoRA({} as never)).toThrow("LoRA: takes a Linear layer");
    expect(() => new LoRA(plain, { rank: 0 })).toThrow(ValueError);
  });
});

describe("classical models", () => {
  test("LogisticRegression gives probabilities, of yes or of classes", () => {
    const x = draw(4, 3);
    const two = new LogisticRegression(3);
    expect(distance(two.forward(x), two.logits(x).sigmoid())).toBe(0);
    expect(
      distance(new LogisticRegression(3, 5).forward(x).sum(1) as Tensor, zeros([4]).add(1) as Tensor),
    ).toBeLessThan(1e-6);
    expect(() => new Sequential(two).forward(zeros([1, 2]))).toThrow(/^0: Linear\(3, 1\)/);
  });

  test("RBFFeatures are 1 at their center and fall off", () => {
    const layer = new RBFFeatures(
      tensor([
        [0, 0],
        [1, 0],
      ]) as Tensor,
      { gamma: 2 },
    );
    const out = layer.forward(tensor([[0, 0]]) as Tensor).toTypedArray();
    expect(out[0]).toBe(1);
    expect(out[1]).toBeCloseTo(Math.exp(-2), 6);
    expect(() => layer.forward(zeros([1, 3]))).toThrow(ShapeError);
    expect(() => new RBFFeatures(zeros([3]))).toThrow(ShapeError);
    expect(() => new RBFFeatures(zeros([3, 2]), { gamma: 0 })).toThrow(ValueError);
  });
});

test("EmbeddingBag is the same compiled with offsets that are arguments, and refuses what does not fit", () => {
  const layer = new EmbeddingBag(5, 2, { mode: "max" });
  const step = compile((index: Tensor, offsets: Tensor) => layer.forward(index, { offsets }));
  const line = int32([0, 4, 2, 2]);
  for (const offsets of [int32([0, 2]), int32([0, 0])])
    expect(step(line, offsets).toArray()).toEqual(layer.forward(line, { offsets }).toArray());
  expect(
    step(line, int32([0, 0]))
      .slice(0, 1)
      .toArray(),
  ).toEqual([[0, 0]]);
  layer.weight.assign(1);
  const maxima = layer.forward(line, { offsets: int32([0, 3]) });
  expect(grad(maxima.sum(), [layer.weight])[0].sum(1).toArray(), "the first of equal rows").toEqual([
    2, 0, 2, 0, 0,
  ]);
  expect(() => layer.forward(line)).toThrow(ShapeError);
  expect(() => layer.forward(zeros([2, 2]))).toThrow(DTypeError);
  expect(() => layer.forward(int32([[1]]), { perSampleWeights: zeros([1, 1]) })).toThrow(
    "weights are for sums",
  );
  expect(() => new EmbeddingBag(5, 2, { mode: "min" as never })).toThrow('mode is "mean", "sum" or "max"');
  expect(() => new EmbeddingBag(5, 2, { paddingIdx: 5 })).toThrow("paddingIdx is one of the rows 0 ... 4");
});
