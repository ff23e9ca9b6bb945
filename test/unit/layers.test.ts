import {
  alphaDropout,
  batchNorm,
  checkGradient,
  compile,
  DTypeError,
  dropout,
  featureDropout,
  Generator,
  grad,
  normal,
  ones,
  ShapeError,
  scaledDotProductAttention,
  type Tensor,
  tensor,
  ValueError,
  zeros,
} from "@cotangent/autograd";
import {
  AlphaDropout,
  BatchNorm1d,
  BatchNorm2d,
  Conv2d,
  Dropout,
  Dropout2d,
  Embedding,
  GroupNorm,
  Identity,
  InstanceNorm1d,
  LayerNorm,
  LeakyReLU,
  Linear,
  MaxPool2d,
  Module,
  ModuleDict,
  ModuleList,
  RMSNorm,
  Sequential,
  SGD,
  Unflatten,
  Upsample,
} from "@cotangent/nn";
import { describe, expect, test } from "vitest";

/** The message of what `f` throws. */
function message(f: () => unknown): string {
  try {
    f();
  } catch (error) {
    return (error as Error).message;
  }
  return "nothing was thrown";
}

test("a layer stays as it was made when its options or sizes are changed for the next one", () => {
  const field = ones([1, 1, 9, 9]);
  const slopes = { negativeSlope: 0.1 };
  const leaky = new LeakyReLU(slopes);
  slopes.negativeSlope = 5;
  expect(leaky.forward(tensor([-1], { dtype: "float64" })).item()).toBe(-0.1);
  const [stride, window, sizes] = [
    [2, 2],
    [3, 3],
    [2, 2],
  ];
  const convolution = new Conv2d(1, 1, window, { stride });
  const pool = new MaxPool2d(window);
  const unflatten = new Unflatten(1, sizes);
  const scaled = { size: [4, 4] };
  const upsample = new Upsample(scaled);
  for (const list of [stride, window, sizes]) list.fill(1);
  scaled.size = [6, 6];
  expect(convolution.forward(field).shape).toEqual([1, 1, 4, 4]);
  expect(String(convolution)).toContain("kernelSize=[3, 3]");
  expect(pool.forward(field).shape).toEqual([1, 1, 3, 3]);
  expect(unflatten.forward(ones([3, 4])).shape).toEqual([3, 2, 2]);
  expect(upsample.forward(field).shape).toEqual([1, 1, 4, 4]);
});

describe("an error in a layer names its path in the model", () => {
  class Block extends Module {
    readonly selfAttn = new Linear(3, 3);
    readonly norm = new LayerNorm(3);
    forward(x: Tensor): Tensor {
      return this.norm.forward(this.selfAttn.forward(x));
    }
  }
  class Encoder extends Module {
    readonly layers = new ModuleList([new Block(), new Block()]);
    forward(x: Tensor): Tensor {
      return this.layers.at(1)!.forward(x);
    }
  }
  class Model extends Module {
    readonly encoder = new Encoder();
    forward(x: Tensor): Tensor {
      return this.encoder.forward(x);
    }
  }
  const wrong = () => new Model().forward(zeros([2, 5]));

  test("as seen from the outermost module", () => {
    expect(wrong).toThrow(ShapeError);
    expect(message(wrong)).toMatch(/^encoder\.layers\.1\.selfAttn: Linear\(3, 3\): takes \[\.\.\., 3\]/);
    expect(message(() => new Encoder().forward(zeros([2, 5])))).toMatch(/^layers\.1\.selfAttn: Linear/);
    expect(message(() => new Linear(3, 3).forward(zeros([2, 5])))).toMatch(/^Linear\(3, 3\): takes/);
  });

  test("in the stack too, which begins at the user's line", () => {
    const stack = (() => {
      try {
        wrong();
      } catch (error) {
        return (error as Error).stack!;
      }
      return "";
    })();
    expect(stack).toMatch(/^ShapeError: encoder\.layers\.1\.selfAttn: Linear/);
    expect(stack).toContain("layers.test");
  });

  test("where an op of a model of one's own throws", () => {
    class Own extends Module {
      readonly inner = new (class extends Module {
        forward(x: Tensor): Tensor {
          return x.matmul(zeros([7, 1]) as Tensor);
        }
      })();
      forward(x: Tensor): Tensor {
        return this.inner.forward(x);
      }
    }
    expect(message(() => new Own().forward(zeros([2, 5])))).toMatch(/^inner: matmul: /);
    expect(message(() => new Sequential(new Own()).forward(zeros([2, 5])))).toMatch(/^0\.inner: matmul: /);
  });

  test("through a forward that calls that of its superclass, and inside compile", () => {
    class Wider extends Encoder {
      override forward(x: Tensor): Tensor {
        return super.forward(x);
      }
    }
    expect(message(() => new Wider().forward(zeros([2, 5])))).toMatch(/^layers\.1\.selfAttn: Linear/);
    const model = new Wider();
    const step = compile((x: Tensor) => model.forward(x));
    expect(message(() => step(zeros([2, 5]) as Tensor))).toMatch(/^layers\.1\.selfAttn: Linear/);
  });

  test("but other errors are left as they are, and so is what goes well", () => {
    class Failing extends Module {
      readonly inner = new (class extends Module {
        forward(): Tensor {
          throw new TypeError("mine");
        }
      })();
      forward(): Tensor {
        return this.inner.forward();
      }
    }
    expect(message(() => new Failing().forward())).toBe("mine");
    expect(new Model().forward(zeros([2, 3])).shape).toEqual([2, 3]);
  });
});

describe("BatchNorm", () => {
  const batch = tensor([
    [1, 10],
    [3, 30],
  ]) as Tensor;

  test("updates its running statistics at each call of a compiled step, and its mode is part of the program", () => {
    const plain = new BatchNorm1d(2);
    const layer = new BatchNorm1d(2);
    const step = compile((x: Tensor) => layer.forward(x));
    for (let i = 0; i < 3; i++) expect(step(batch).toArray()).toEqual(plain.forward(batch).toArray());
    expect(layer.numBatchesTracked!.item()).toBe(3);
    expect(layer.runningVar!.toArray()).toEqual(plain.runningVar!.toArray());
    layer.eval();
    plain.eval();
    expect(step(batch).toArray()).toEqual(plain.forward(batch).toArray());
    expect(layer.numBatchesTracked!.item()).toBe(3);
    layer.train();
    step(batch);
    expect(layer.numBatchesTracked!.item()).toBe(4);
  });

  test("keeps the mean over all batches where momentum is null", () => {
    const layer = new BatchNorm1d(1, { momentum: null });
    for (const low of [0, 3, 6]) layer.forward(tensor([[low], [low + 2]]));
    expect(layer.runningMean!.item()).toBeCloseTo(4, 5);
    expect(layer.runningVar!.item()).toBeCloseTo(2, 5);
  });

  test("keeps statistics that are far smaller than the old ones as exactly as others", () => {
    const small = tensor([[-1e-5], [1e-5]]) as Tensor;
    for (const momentum of [null, 1]) {
      const layer = new BatchNorm1d(1, { momentum });
      layer.forward(small.add(4e-5));
      expect(layer.runningVar!.item() / 2e-10).toBeCloseTo(1, 5);
      layer.runningMean!.assign(tensor([1e6]));
      layer.numBatchesTracked!.assign(0);
      layer.forward(small.add(4e-5));
      expect(layer.runningMean!.item() / 4e-5).toBeCloseTo(1, 5);
    }
  });

  test("gives its running statistics no gradient and lists them as buffers", () => {
    const layer = new BatchNorm1d(2);
    expect([...layer.namedParameters().keys()]).toEqual(["weight", "bias"]);
    expect([...layer.namedBuffers().keys()]).toEqual(["runningMean", "runningVar", "numBatchesTracked"]);
    const optimizer = new SGD(layer.parameters(), { lr: 0.1 });
    optimizer.step(layer.forward(batch).square().mul(batch).sum());
    expect(layer.weight!.toArray()).not.toEqual([1, 1]);
  });

  test("refuses what does not fit, and a call that fails changes nothing", () => {
    const layer = new BatchNorm1d(2);
    expect(message(() => layer.forward(zeros([4, 3])))).toBe(
      "BatchNorm1d(2): takes [n, 2] or [n, 2, length], got shape [4, 3]; reshape it, or make the layer with as many features",
    );
    expect(() => layer.forward(zeros([1, 2]))).toThrow(ValueError);
    expect(() => new BatchNorm2d(2).forward(zeros([1, 2, 4]))).toThrow("takes [n, 2, height, width]");
    expect(layer.numBatchesTracked!.item()).toBe(0);
    expect(() => new BatchNorm1d(0)).toThrow(ValueError);
    expect(() => new BatchNorm1d(2, { momentum: 2 })).toThrow("momentum is a share from 0 to 1");
    expect(() => new BatchNorm1d(2, { eps: -1 })).toThrow(ValueError);
    expect(() => new BatchNorm1d(2, { dtype: "int32" })).toThrow(DTypeError);
    expect(() => new InstanceNorm1d(2, { momentum: null as never })).toThrow(ValueError);
    expect(() => batchNorm(batch, undefined, undefined)).toThrow("takes a mean and a variance");
  });

  test("learns nothing from an empty batch", () => {
    for (const layer of [new BatchNorm1d(2), new InstanceNorm1d(2, { trackRunningStats: true })]) {
      expect(layer.forward(zeros([0, 2, 3])).shape).toEqual([0, 2, 3]);
      expect(layer.runningMean!.toArray()).toEqual([0, 0]);
      expect(layer.runningVar!.toArray()).toEqual([1, 1]);
      expect(layer.numBatchesTracked!.item()).toBe(0);
    }
  });

  test("prints its options", () => {
    expect(String(new BatchNorm1d(2, { momentum: null }))).toBe(
      "BatchNorm1d(numFeatures=2, eps=0.00001, momentum=null, affine=true, trackRunningStats=true)",
    );
  });
});

describe("normalizations of single examples", () => {
  test("refuse shapes that do not fit", () => {
    expect(() => new LayerNorm([2, 3]).forward(zeros([4, 3]))).toThrow(
      "LayerNorm: takes [..., 2, 3], got shape [4, 3]",
    );
    expect(() => new RMSNorm(3).forward(zeros([3, 2]))).toThrow(ShapeError);
    expect(() => new GroupNorm(2, 4).forward(zeros([1, 3]))).toThrow("takes [n, 4, ...]");
    expect(() => new GroupNorm(2, 3)).toThrow("2 groups do not divide 3 channels");
    expect(() => new LayerNorm(0)).toThrow(ValueError);
    expect(() => new LayerNorm(2, { dtype: "bool" })).toThrow(DTypeError);
  });

  test("LayerNorm may have a weight without a bias", () => {
    expect([...new LayerNorm(2, { bias: false }).namedParameters().keys()]).toEqual(["weight"]);
  });
});

describe("dropout", () => {
  const x = ones([10_000]) as Tensor;
  const generator = () => new Generator(5);

  test("drops with probability p and keeps the mean", () => {
    const out = dropout(x, { p: 0.3, generator: generator() });
    const values = new Set(out.toTypedArray());
    expect([...values].sort()).toEqual([0, Math.fround(1 / 0.7)]);
    expect(out.mean().item()).toBeCloseTo(1, 1);
    expect(out.eq(0).cast("float32").mean().item()).toBeCloseTo(0.3, 1);
  });

  test("draws anew at each call, compiled or not, and the same from the same seed", () => {
    const [first, second] = [generator(), generator()];
    const step = compile(() => dropout(x, { generator: second }));
    const [a, b] = [dropout(x, { generator: first }), dropout(x, { generator: first })];
    expect(a.toArray()).not.toEqual(b.toArray());
    expect(step().toArray()).toEqual(a.toArray());
    expect(step().toArray()).toEqual(b.toArray());
  });

  test("two layers in one model never share their draws", () => {
    const model = new Sequential(new Dropout(0.5), new Dropout(0.5));
    const share = model.forward(x).ne(0).cast("float32").mean().item();
    expect(share).toBeCloseTo(0.25, 1);
  });

  test("has a gradient where it keeps, which is that of its output", () => {
    const input = normal([20], { dtype: "float64" }) as Tensor;
    const report = checkGradient((y: Tensor) => dropout(y, { generator: generator() }), [input]);
    expect(report.pass, String(report)).toBe(true);
    const out = dropout(ones([6]), { p: 0.5, generator: generator() });
    const [g] = grad(out.sum(), [out]);
    expect(g.toArray()).toEqual(Array(6).fill(1));
  });

  test("does nothing outside of training or with p = 0, and everything with p = 1", () => {
    const input = tensor([1, Number.NaN]);
    expect(dropout(input, { training: false }).toArray()).toEqual([1, Number.NaN]);
    expect(dropout(input, { p: 0 }).toArray()).toEqual([1, Number.NaN]);
    expect(dropout(input, { p: 1 }).toArray()).toEqual([0, 0]);
    expect(alphaDropout(input, { p: 1 }).toArray()).toEqual([0, 0]);
    expect(new AlphaDropout(0.5).eval().forward(input).toArray()).toEqual([1, Number.NaN]);
  });

  test("of features drops whole channels", () => {
    const out = featureDropout(ones([8, 16, 2, 2]), { generator: generator() });
    const channels = out.reshape([128, 4]);
    expect(channels.amax(1).toArray()).toEqual(channels.amin(1).toArray());
    expect(new Set(out.toTypedArray())).toEqual(new Set([0, 2]));
    expect(() => new Dropout2d().forward(zeros([2, 3]))).toThrow("takes [n, channels, height, width]");
  });

  test("for selu keeps mean 0 and variance 1", () => {
    const input = normal([50_000], { generator: generator() }) as Tensor;
    const out = alphaDropout(input, { p: 0.4, generator: new Generator(6) });
    expect(out.mean().item()).toBeCloseTo(0, 1);
    expect(out.variance().item()).toBeCloseTo(1, 1);
    // The formula of the paper for the two kinds of elements.
    const [p, low] = [0.4, -1.7580993408473766];
    const a = 1 / Math.sqrt((1 - p) * (1 + p * low * low));
    const dropped = a * low - a * p * low;
    const kept = (y: number) => a * y - a * p * low;
    const before = input.toTypedArray();
    const off = Array.from(out.toTypedArray(), (y, i) =>
      Math.min(Math.abs(y - dropped), Math.abs(y - kept(before[i]!))),
    );
    expect(off.reduce((most, x) => Math.max(most, x))).toBeLessThan(2e-6);
  });

  test("refuses what is no probability", () => {
    for (const p of [-0.1, 1.1, Number.NaN]) {
      expect(() => dropout(x, { p })).toThrow("dropout: p is a probability between 0 and 1");
      expect(() => new Dropout(p)).toThrow("Dropout: p is a share from 0 to 1");
    }
    expect(() => dropout(tensor([true]))).toThrow(DTypeError);
  });
});

describe("scaledDotProductAttention", () => {
  const q = normal([2, 3], { generator: new Generator(1) }) as Tensor;

  test("gives 0, and no NaN in the gradient, to a place that may look at nothing", () => {
    const mask = tensor([
      [true, false],
      [false, false],
    ]) as Tensor;
    const out = scaledDotProductAttention(q, q, q, mask);
    expect(out.slice(1, 2).toArray()).toEqual([[0, 0, 0]]);
    for (const g of grad(out.sum(), [q])) expect(g.isNaN().any().item()).toBe(0);
    const added = tensor([
      [0, 0],
      [-Infinity, -Infinity],
    ]) as Tensor;
    expect(scaledDotProductAttention(q, q, q, added).slice(1, 2).toArray()).toEqual([[0, 0, 0]]);
  });

  test("drops weights, and keeps the mean of what it gives", () => {
    const same = zeros([1, 1]) as Tensor;
    const keys = zeros([1000, 1]) as Tensor;
    const values = ones([1000, 1]) as Tensor;
    const options = { dropoutP: 0.5, generator: new Generator(2) };
    const out = scaledDotProductAttention(same, keys, values, undefined, options).item();
    expect(out).not.toBe(1);
    expect(out).toBeCloseTo(1, 0);
    expect(() => scaledDotProductAttention(q, q, q, undefined, { dropoutP: 2 })).toThrow(ValueError);
  });

  test("refuses what does not fit", () => {
    const attend =
      (...args: Tensor[]) =>
      () =>
        scaledDotProductAttention(...(args as [Tensor, Tensor, Tensor]));
    expect(attend(q, zeros([2, 4]), q)).toThrow("different numbers of features");
    expect(attend(q, q, zeros([3, 4]))).toThrow("one value for each key");
    expect(attend(q, q, q, zeros([3, 2]))).toThrow("does not broadcast");
    expect(attend(q, q, q, zeros([2, 2], { dtype: "int32" }))).toThrow(DTypeError);
    expect(attend(zeros([2]), q, q)).toThrow(ShapeError);
  });
});

describe("containers", () => {
  test("ModuleList counts its modules, and they are in the tree", () => {
    const list = new ModuleList<Linear>([new Linear(1, 1)]).append(new Linear(1, 2));
    expect(list.length).toBe(2);
    expect(list.at(-1)?.outFeatures).toBe(2);
    expect([...list].length).toBe(2);
    expect([...list.namedParameters().keys()]).toEqual(["0.weight", "0.bias", "1.weight", "1.bias"]);
    expect(String(list)).toContain("(1): Linear(inFeatures=1, outFeatures=2, bias=true)");
    list.eval();
    expect(list.at(0)?.training).toBe(false);
    expect(() => list.append(((x: Tensor) => x) as never)).toThrow(ValueError);
    expect(() => list.forward()).toThrow("ModuleList: has no forward");
  });

  test("ModuleDict names its modules", () => {
    const dict = new ModuleDict<Module>({ a: new Linear(1, 1) }).set("b", new Identity());
    expect(dict.size).toBe(2);
    expect(dict.has("b")).toBe(true);
    expect([...dict].map(([name]) => name)).toEqual(["a", "b"]);
    expect([...dict.namedModules().keys()]).toEqual(["", "a", "b"]);
    expect(() => dict.set("c.d", new Identity())).toThrow('"c.d" cannot be part of a path');
    expect(() => dict.forward()).toThrow("ModuleDict: has no forward");
  });
});

test("Embedding refuses rows that are not there", () => {
  const layer = new Embedding(3, 2);
  expect(() => layer.forward(tensor([3], { dtype: "int32" }))).toThrow("embedding: index 3");
  expect(() => layer.forward(tensor([1]))).toThrow(DTypeError);
  expect(() => new Embedding(3, 2, { paddingIdx: 3 })).toThrow("paddingIdx is one of the rows 0 ... 2");
  expect(() => new Embedding(3, 0)).toThrow(ValueError);
});
