import {
  compile,
  DTypeError,
  evaluate,
  Generator,
  GradientError,
  grad,
  IndexError,
  manualSeed,
  ones,
  onesLike,
  ShapeError,
  StateError,
  stopGradient,
  type Tensor,
  tanh,
  tensor,
  topology,
  ValueError,
  type Variable,
  variable,
  zeros,
} from "@cotangent/autograd";
import {
  Adam,
  addDecayedWeights,
  Buffer,
  chain,
  Embedding,
  type Epoch,
  fit,
  Linear,
  Module,
  Optimizer,
  Parameter,
  Sequential,
  SGD,
  scaleByAdam,
  scaleByLearningRate,
  type Transform,
} from "@cotangent/nn";
import * as initialize from "@cotangent/nn/initialize";
import { bce, bceWithLogits, crossEntropy, l1, mse } from "@cotangent/nn/loss";
import { progress } from "@cotangent/nn/node";
import { describe, expect, test } from "vitest";

class Block extends Module {
  readonly first = new Linear(2, 3);
  readonly activation = tanh;
  readonly mask = new Buffer(ones([3]));
  readonly rest = [new Linear(3, 3), { last: new Linear(3, 1, { bias: false }) }] as const;
  readonly scale = new Parameter(ones([1]));
  readonly size = 3;

  forward(x: Tensor): Tensor {
    const h = this.activation(this.first.forward(x)).mul(this.mask);
    return this.rest[1].last.forward(this.rest[0].forward(h)).mul(this.scale);
  }
}

const xor = {
  x: tensor([
    [0, 0],
    [0, 1],
    [1, 0],
    [1, 1],
  ]),
  y: tensor([[0], [1], [1], [0]]),
};

function network(seed = 3): Sequential {
  const generator = new Generator(seed);
  return new Sequential(new Linear(2, 4, { generator }), tanh, new Linear(4, 1, { generator }));
}

describe("a module", () => {
  test("names its parameters by their paths, in the order of the fields", () => {
    const model = new Block();
    const names = [
      "first.weight",
      "first.bias",
      "rest.0.weight",
      "rest.0.bias",
      "rest.1.last.weight",
      "scale",
    ];
    expect([...model.namedParameters().keys()]).toEqual(names);
    expect(model.parameters().map((parameter) => parameter.label)).toEqual(names);
    expect([...model.namedBuffers().keys()]).toEqual(["mask"]);
  });

  test("gets gradients for parameters, none for buffers, so that a compiled loop goes on", () => {
    const model = new Block();
    const optimizer = new SGD(model.parameters(), { lr: 0.1 });
    const step = compile(() => {
      optimizer.zeroGrad();
      const loss = model
        .forward(ones([2, 2]))
        .square()
        .sum();
      loss.backward();
      optimizer.step();
      return loss;
    });
    expect(step().item()).toBeGreaterThan(step().item());
    expect(model.scale.grad).not.toBeNull();
    expect(model.mask.grad).toBeNull();
    const [g] = grad(model.mask.square().sum(), [model.mask]);
    expect(g.toArray()).toEqual([2, 2, 2]);
    expect(() => model.mask.sum().backward()).toThrow(GradientError);
  });

  test("forgets the gradients of all its parameters, those of a frozen part too", () => {
    const model = new Block();
    const optimizer = new SGD(model.rest[0].parameters(), { lr: 0.1 });
    const step = (forget: () => void) =>
      compile(() => {
        forget();
        model
          .forward(ones([2, 2]))
          .square()
          .sum()
          .backward();
        optimizer.step();
      });
    const others = step(() => optimizer.zeroGrad());
    others();
    expect(others).toThrow(/the grad of .*weight, .* call zeroGrad\(\) of the model/);
    const all = step(() => model.zeroGrad());
    all();
    all();
    model.zeroGrad();
    expect(model.parameters().every(({ grad }) => grad === null)).toBe(true);
  });

  test("lists itself and the modules below", () => {
    const paths = ["", "first", "rest.0", "rest.1.last"];
    expect([...new Block().namedModules().keys()]).toEqual(paths);
  });

  test("labels a parameter with the longest path it was seen by", () => {
    const layer = new Linear(2, 2);
    expect(layer.weight.label).toBe("weight");
    const model = new Sequential(tanh, new Sequential(layer));
    expect(layer.weight.label).toBe("1.0.weight");
    layer.parameters();
    expect(layer.weight.label).toBe("1.0.weight");
    expect(model.parameters()).toEqual(layer.parameters());
  });

  test("lists a parameter that stands in two places once", () => {
    const layer = new Linear(2, 2);
    expect([...new Sequential(layer, layer).namedParameters().keys()]).toEqual(["0.weight", "0.bias"]);
    expect([...new Sequential(layer, tanh)]).toEqual([layer, tanh]);
  });

  test("finds parameters in anything with forward", () => {
    const layer = { weight: new Parameter(ones([2])), forward: (x: Tensor) => x.mul(layer.weight) };
    const model = new Sequential(layer);
    expect([...model.namedParameters().keys()]).toEqual(["0.weight"]);
    expect(model.forward(tensor([3, 4])).toArray()).toEqual([3, 4]);
  });

  test("finds what is in maps and sets", () => {
    class Experts extends Module {
      byName = new Map([["left", new Linear(1, 2)]]);
      all = new Set([new Linear(2, 1, { bias: false })]);
      override forward(x: Tensor): Tensor {
        return x;
      }
    }
    const experts = new Experts();
    expect([...experts.namedParameters().keys()]).toEqual([
      "byName.left.weight",
      "byName.left.bias",
      "all.0.weight",
    ]);
    expect(Object.keys(experts.stateDict())).toContain("by_name.left.weight");
  });

  test("refuses a field that is a plain variable", () => {
    class Forgotten extends Module {
      readonly w = variable([1, 2]);
      forward(x: Tensor): Tensor {
        return x.mul(this.w);
      }
    }
    expect(() => new Forgotten().parameters()).toThrow(ValueError);
    expect(() => new Forgotten().parameters()).toThrow(
      "Forgotten: w is a plain variable; make it a Parameter",
    );
  });

  test("sets the mode of all modules below", () => {
    const model = new Block();
    expect(model.eval()).toBe(model);
    expect([...model.namedModules().values()].map(({ training }) => training)).toEqual(Array(4).fill(false));
    model.train();
    expect(model.rest[1].last.training).toBe(true);
  });

  test("prints as a tree", () => {
    expect(String(new Sequential(new Block(), tanh))).toBe(
      [
        "Sequential(",
        "  (0): Block(",
        "    (first): Linear(inFeatures=2, outFeatures=3, bias=true)",
        "    (activation): tanh",
        "    (rest): Array(",
        "      (0): Linear(inFeatures=3, outFeatures=3, bias=true)",
        "      (1): Object(",
        "        (last): Linear(inFeatures=3, outFeatures=1, bias=false)",
        "      )",
        "    )",
        "  )",
        "  (1): tanh",
        ")",
      ].join("\n"),
    );
  });

  test("that refers to itself prints and is walked once", () => {
    class Child extends Module {
      readonly inner = new Linear(1, 1);
      parent: Module | null = null;
      readonly self: unknown = { again: this };
      forward(x: Tensor): Tensor {
        return this.inner.forward(x);
      }
    }
    const child = new Child();
    child.parent = new Sequential(child);
    expect(String(child.parent)).toBe(
      [
        "Sequential(",
        "  (0): Child(",
        "    (inner): Linear(inFeatures=1, outFeatures=1, bias=true)",
        "  )",
        ")",
      ].join("\n"),
    );
    expect(child.parameters()).toHaveLength(2);
  });
});

describe("Linear", () => {
  test("computes x W^T + b for any number of axes", () => {
    const layer = new Linear(2, 3);
    layer.weight.assign(
      tensor([
        [1, 2],
        [3, 4],
        [5, 6],
      ]),
    );
    layer.bias!.assign(tensor([10, 20, 30]));
    expect(layer.forward(tensor([1, -1])).toArray()).toEqual([9, 19, 29]);
    expect(layer.forward(tensor([[[1, 0]], [[0, 1]]])).toArray()).toEqual([[[11, 23, 35]], [[12, 24, 36]]]);
  });

  test("starts within 1 / sqrt(in), and the same for the same generator", () => {
    const make = () => new Linear(100, 50, { generator: new Generator(5) });
    const layer = make();
    const values = [...layer.weight.toTypedArray(), ...layer.bias!.toTypedArray()];
    expect(Math.max(...values.map(Math.abs))).toBeLessThanOrEqual(0.1);
    expect(Math.max(...values)).toBeGreaterThan(0.099);
    expect(Math.min(...values)).toBeLessThan(-0.099);
    expect(make().weight.toArray()).toEqual(layer.weight.toArray());
  });

  test("has the dtype that was asked for", () => {
    const layer = new Linear(2, 1, { dtype: "float64", bias: false });
    expect(layer.weight.dtype).toBe("float64");
    expect(layer.bias).toBeNull();
    expect(() => new Linear(2, 1, { dtype: "int32" })).toThrow(DTypeError);
  });

  test("refuses what is no tensor", () => {
    expect(() => new Linear(2, 3).forward([[1, 2]] as never)).toThrow(ValueError);
  });

  test("names itself, the shapes and its path when the input does not fit", () => {
    expect(() => network().forward(zeros([4, 3]))).toThrow(ShapeError);
    expect(() => network().forward(zeros([4, 3]))).toThrow(
      "0: Linear(2, 4): takes [..., 2], got shape [4, 3]; reshape it, or make the layer with 3 input features",
    );
    expect(() => new Linear(2, 4).forward(zeros([]))).toThrow("Linear(2, 4): takes [..., 2], got shape []");
  });

  test("refuses sizes that are not whole numbers above 0", () => {
    expect(() => new Linear(0, 2)).toThrow(ValueError);
    expect(() => new Linear(2, 1.5)).toThrow("Linear: outFeatures is a whole number of at least 1, got 1.5");
  });

  test("trains the weight of an embedding that it is tied to by both gradients", () => {
    class Tied extends Module {
      readonly table = new Embedding(5, 3);
      readonly head = new Linear(3, 5, { bias: false });
      constructor() {
        super();
        this.head.weight = this.table.weight;
      }
      forward(x: Tensor): Tensor {
        return this.head.forward(this.table.forward(x));
      }
    }
    manualSeed(2);
    const model = new Tied();
    const words = tensor([0, 3, 3], { dtype: "int32" });
    expect(model.parameters()).toEqual([model.table.weight]);
    expect(Object.keys(model.stateDict())).toEqual(["table.weight", "head.weight"]);
    const w = model.table.weight;
    const loss = crossEntropy(model.forward(words), words);
    const own = crossEntropy(w.at(words).matmul(w.transpose()), words);
    expect(grad(loss, [w])[0].toArray()).toEqual(grad(own, [w])[0].toArray());
  });
});

test("Sequential refuses what is no layer", () => {
  expect(() => new Sequential(tanh, "tanh" as never)).toThrow("Sequential: layer 1 is tanh");
});

describe("initializers", () => {
  const weight = () => new Linear(300, 100).weight;
  const deviation = (x: Tensor) => Math.sqrt(x.square().mean().item());
  const options = { generator: new Generator(1) };

  test("fill with a number", () => {
    const x = variable([1, 2]);
    expect(initialize.zeros(x)).toBe(x);
    expect(x.toArray()).toEqual([0, 0]);
    expect(initialize.ones(x).toArray()).toEqual([1, 1]);
    expect(initialize.constant(x, -2.5).toArray()).toEqual([-2.5, -2.5]);
  });

  test("draw with the deviation of their formulas", () => {
    const { uniform, normal, xavierUniform, xavierNormal, kaimingUniform, kaimingNormal } = initialize;
    expect(deviation(uniform(weight(), { low: -3, high: 3, ...options }))).toBeCloseTo(Math.sqrt(3), 1);
    expect(deviation(normal(weight(), { deviation: 2, ...options }))).toBeCloseTo(2, 1);
    for (const xavier of [xavierUniform, xavierNormal]) {
      expect(deviation(xavier(weight(), options))).toBeCloseTo(Math.sqrt(2 / 400), 2);
      expect(deviation(xavier(weight(), { gain: 10, ...options }))).toBeCloseTo(10 * Math.sqrt(2 / 400), 1);
    }
    for (const kaiming of [kaimingUniform, kaimingNormal]) {
      expect(deviation(kaiming(weight(), options))).toBeCloseTo(Math.sqrt(2 / 300), 2);
      expect(deviation(kaiming(weight(), { fan: "out", gain: 1, ...options }))).toBeCloseTo(0.1, 2);
    }
  });

  test("of LeCun and by scaled variance draw with the deviation of their formulas", () => {
    const { lecunUniform, lecunNormal, varianceScaling } = initialize;
    for (const lecun of [lecunUniform, lecunNormal])
      expect(deviation(lecun(weight(), options))).toBeCloseTo(Math.sqrt(1 / 300), 3);
    for (const distribution of ["normal", "uniform"] as const) {
      const scaled = (scale: number, fan: "in" | "out" | "average") =>
        deviation(varianceScaling(weight(), { scale, fan, distribution, ...options }));
      expect(scaled(1, "in")).toBeCloseTo(Math.sqrt(1 / 300), 3);
      expect(scaled(2, "out")).toBeCloseTo(Math.sqrt(2 / 100), 2);
      expect(scaled(2, "average")).toBeCloseTo(Math.sqrt(2 / 200), 2);
    }
  });

  test("are cases of varianceScaling", () => {
    const { varianceScaling } = initialize;
    const drawn = (fill: (x: Parameter, options: { generator: Generator }) => Tensor) =>
      fill(new Parameter(zeros([3, 4])), { generator: new Generator(7) }).toArray();
    expect(drawn((x, o) => varianceScaling(x, o))).toEqual(drawn(initialize.lecunNormal));
    expect(drawn((x, o) => varianceScaling(x, { scale: 2, ...o }))).toEqual(drawn(initialize.kaimingNormal));
    expect(drawn((x, o) => varianceScaling(x, { fan: "average", distribution: "uniform", ...o }))).toEqual(
      drawn(initialize.xavierUniform),
    );
  });

  test("fill with the identity", () => {
    const x = variable(zeros([2, 3], { dtype: "float64" }));
    expect(initialize.eye(x)).toBe(x);
    expect(x.dtype).toBe("float64");
    expect(x.toArray()).toEqual([
      [1, 0, 0],
      [0, 1, 0],
    ]);
    expect(() => initialize.eye(variable([1, 2]))).toThrow(ShapeError);
  });

  test("have a gain for what follows", () => {
    const { calculateGain } = initialize;
    expect((["linear", "sigmoid", "tanh", "relu", "selu"] as const).map((x) => calculateGain(x))).toEqual([
      1,
      1,
      5 / 3,
      Math.SQRT2,
      0.75,
    ]);
    expect(calculateGain("leakyRelu")).toBeCloseTo(Math.sqrt(2 / 1.0001), 12);
    expect(calculateGain("leakyRelu", { negativeSlope: 2 })).toBeCloseTo(Math.sqrt(0.4), 12);
    expect(() => calculateGain("toString" as "relu")).toThrow(ValueError);
    expect(() => calculateGain("leakyRelu", { negativeSlope: Number.NaN })).toThrow(ValueError);
  });

  test("stay within their bounds", () => {
    const largest = (x: Tensor) => x.abs().amax().item();
    expect(largest(initialize.lecunUniform(weight(), options))).toBeLessThanOrEqual(Math.sqrt(3 / 300));
    expect(largest(initialize.xavierUniform(weight(), options))).toBeLessThanOrEqual(Math.sqrt(6 / 400));
    expect(largest(initialize.kaimingUniform(weight(), options))).toBeLessThanOrEqual(Math.sqrt(6 / 300));
  });

  test("keep the dtype", () => {
    const x = new Parameter(zeros([2, 2], { dtype: "float64" }));
    expect(initialize.kaimingNormal(x, options).dtype).toBe("float64");
  });

  test("refuse a weight with one axis and a gain below 0", () => {
    expect(() => initialize.xavierUniform(variable([1, 2]))).toThrow(ShapeError);
    expect(() => initialize.xavierNormal(variable([[1]]), { gain: -1 })).toThrow(ValueError);
    expect(() => initialize.kaimingNormal(variable([[1]]), { fan: "both" as "in" })).toThrow(ValueError);
    expect(() => initialize.lecunNormal(variable([1, 2]))).toThrow(ShapeError);
    expect(() => initialize.varianceScaling(variable([1, 2]))).toThrow(ShapeError);
    const wrong = [{ scale: -1 }, { fan: "both" as "in" }, { distribution: "truncated" as "normal" }];
    for (const given of wrong)
      expect(() => initialize.varianceScaling(variable([[1]]), given)).toThrow(ValueError);
  });
});

describe("losses", () => {
  const column = zeros([4, 1]) as Tensor;
  const row = zeros([4]) as Tensor;

  test("never broadcast", () => {
    for (const [name, loss] of Object.entries({ mse, l1, bce, bceWithLogits })) {
      expect(() => loss(column, row)).toThrow(ShapeError);
      expect(() => loss(column, row)).toThrow(
        `${name}: prediction [4, 1] and target [4] differ in shape; reshape one of them, for example target.reshape([4, 1])`,
      );
      expect(() => loss(column, zeros([]) as Tensor)).toThrow("does not broadcast");
    }
  });

  test("refuse what is no tensor", () => {
    type AnyLoss = (prediction: Tensor, target: Tensor) => Tensor;
    for (const loss of [mse, l1, bce, bceWithLogits, crossEntropy] as AnyLoss[]) {
      expect(() => loss(row, 1 as never)).toThrow(ValueError);
      expect(() => loss([0, 1] as never, row)).toThrow("takes two tensors");
    }
  });

  test("crossEntropy says what does not fit", () => {
    const logits = zeros([4, 3]);
    expect(() => crossEntropy(zeros([]), row)).toThrow(
      "crossEntropy: logits are [n, c], [n, c, d1, ...] or [c], got []",
    );
    expect(() => crossEntropy(logits, column)).toThrow(
      "crossEntropy: logits [4, 3] and target [4, 1] do not fit; the target is int32 classes [4] or probabilities [4, 3]",
    );
    expect(() => crossEntropy(logits, row)).toThrow(DTypeError);
    expect(() => crossEntropy(zeros([4, 5, 3]), zeros([4, 5]))).toThrow(
      "int32 classes [4, 3] or probabilities [4, 5, 3]",
    );
    expect(() => crossEntropy(row, tensor([0, 1, 0, 1], { dtype: "int32" }))).toThrow("int32 classes [] or");
  });

  test("crossEntropy refuses a class that there is not, when it is computed", () => {
    const loss = crossEntropy(zeros([2, 3]), tensor([0, 3], { dtype: "int32" }));
    expect(() => loss.item()).toThrow(IndexError);
  });

  test("refuse an unknown reduction", () => {
    expect(() => mse(row, row, { reduction: "average" as "mean" })).toThrow(ValueError);
    expect(() => mse(row, row, { reduction: "average" as "mean" })).toThrow("mse: unknown reduction average");
  });

  test("bceWithLogits has the gradient sigmoid(x) - y at 0", () => {
    const x = variable([0, 0, 0]);
    bceWithLogits(x, tensor([0, 0.5, 1]), { reduction: "sum" }).backward();
    expect(x.grad!.toArray()).toEqual([0.5, 0, -0.5]);
  });
});

describe("an optimizer", () => {
  test("leaves parameters alone that the loss does not reach, state and all", () => {
    const [used, unused, detached] = [variable(2), variable(3), variable(5)];
    const optimizer = new Adam([used, unused, detached], { lr: 0.5, weightDecay: 1 });
    optimizer.step(used.square().add(stopGradient(detached)));
    expect(used.item()).toBeCloseTo(1.5);
    expect([unused.item(), detached.item()]).toEqual([3, 5]);
    const averages = optimizer.state.map((state) => (state as { expAvg: Tensor }[])[1]!.expAvg.item());
    expect(averages).toEqual([expect.closeTo(0.6, 6), 0, 0]);
  });

  test("counts its steps once, for parameters without a gradient too", () => {
    const [a, b] = [variable(2, { name: "a" }), variable([1, 3], { name: "b" })];
    const seen: Tensor[] = [];
    const optimizer = new Optimizer([a, b], {
      init: () => [],
      update: (g, _, __, step) => {
        seen.push(step);
        return { update: g, state: [] };
      },
    });
    for (const loss of [a.mul(b).sum(), a.square(), a.mul(b).sum()]) optimizer.step(loss);
    expect(seen.map((step) => step.item())).toEqual([1, 1, 2, 3, 3]);
    expect(seen[0]).toBe(seen[1]);
    expect([optimizer.stepCount.item(), optimizer.stepCount.dtype]).toEqual([3, "int32"]);
    const step = compile(() => optimizer.step(a.square()));
    for (let i = 0; i < 3; i++) step();
    expect(optimizer.stepCount.item()).toBe(6);
  });

  test("corrects the bias of its averages once for all parameters of a dtype", () => {
    const updates: Tensor[] = [];
    const parameters: Variable[] = [variable(1), variable([1, 2]), variable([[3]])];
    parameters.push(variable(4, { dtype: "float64" }));
    const spy: Transform = {
      init: () => [],
      update: (g) => {
        updates.push(g);
        return { update: g, state: [] };
      },
    };
    const optimizer = new Optimizer(parameters, chain(scaleByAdam(), spy));
    const powers = (roots: readonly Tensor[]) =>
      topology(roots).nodes.filter(({ op }) => op.name === "pow").length;
    for (const p of parameters) p.grad = onesLike(p);
    optimizer.step();
    expect(powers(updates.slice(0, 3))).toBe(2);
    expect(powers(updates)).toBe(4);
    expect(updates.map(({ dtype }) => dtype)).toEqual(parameters.map(({ dtype }) => dtype));
  });

  test("tells an exact zero gradient from none", () => {
    const [w, unused] = [variable(2), variable(2)];
    const optimizer = new SGD([w, unused], { lr: 0.5, weightDecay: 1 });
    optimizer.step(w.mul(zeros([])));
    expect([w.item(), unused.item()]).toEqual([1, 2]);
  });

  test("builds one gradient however many parameters the loss does not reach", () => {
    const nodesOfStep = (unreached: number) => {
      const w = variable(2);
      const others = Array.from({ length: unreached }, () => variable(2));
      const optimizer = new SGD([w, ...others], { lr: 0.5 });
      const loss = w.square();
      const first = zeros([]).id;
      optimizer.step(loss);
      return zeros([]).id - first;
    };
    expect(nodesOfStep(20)).toBe(nodesOfStep(0));
  });

  test("refuses a loss that reaches no parameter", () => {
    const [w, other] = [variable(1), variable(1)];
    expect(() => new SGD([w], { lr: 1 }).step(other.square())).toThrow(GradientError);
    expect(() => new SGD([w], { lr: 1 }).step(other.square())).toThrow(
      "SGD: the loss reaches none of the 1 parameters",
    );
    expect(() => new SGD([w], { lr: 1 }).step()).toThrow(
      "SGD: no parameter has a gradient; call loss.backward()",
    );
  });

  test("changes nothing when a step throws", () => {
    const w = variable([1, 2]);
    const optimizer = new SGD([w], { lr: 0.1, momentum: 0.9 });
    optimizer.step(w.sum());
    const before = JSON.stringify([w, optimizer.state]);
    expect(() => optimizer.step(w.square())).toThrow(GradientError);
    let calls = 0;
    const failing = new Optimizer([w, variable(1, { name: "b" })], {
      init: () => [],
      update: (g) => ({ update: ++calls === 1 ? g : zeros([7]), state: [] }),
    });
    expect(() => failing.step(w.sum().mul(failing.parameters[1]!))).toThrow(ShapeError);
    expect(calls).toBe(2);
    expect(JSON.stringify([w, optimizer.state])).toBe(before);
  });

  test("uses and clears what backward left", () => {
    const w = variable(3);
    const optimizer = new SGD([w], { lr: 0.5 });
    w.square().backward();
    optimizer.step();
    expect(w.item()).toBe(0);
    optimizer.zeroGrad();
    expect(w.grad).toBeNull();
  });

  test("has numbers that can be changed, also in a compiled step", () => {
    const w = variable(0);
    const optimizer = new SGD([w], { lr: 1, momentum: 0.5 });
    const step = compile(() => {
      const loss = w.mul(1);
      optimizer.step(loss);
      return loss;
    });
    step();
    expect(w.item()).toBe(-1);
    optimizer.lr = 0.125;
    optimizer.momentum = 1;
    expect([optimizer.lr, optimizer.momentum]).toEqual([0.125, 1]);
    step();
    expect(w.item()).toBe(-1.25);
  });

  test("refuses numbers that make no sense", () => {
    const w = variable(1);
    const refused = [
      () => new SGD([w], { lr: -1 }),
      () => new SGD([w], { lr: Number.NaN }),
      () => new SGD([w], { lr: "0.1" as never }),
      () => new SGD([w], { lr: 1, momentum: -0.1 }),
      () => new SGD([w], { lr: 1, weightDecay: Number.POSITIVE_INFINITY }),
      () => new SGD([w], { lr: 1, nesterov: true }),
      () => new SGD([w], { lr: 1, nesterov: true, momentum: 0.9, dampening: 0.1 }),
      () => new Adam([w], { betas: [1, 0.9] }),
      () => new Adam([w], { betas: [0.9, -0.1] }),
      () => new Adam([w], { eps: -1e-8 }),
      () => new SGD([], { lr: 1 }),
      () => new SGD([w, w], { lr: 1 }),
      () => new SGD([zeros([]) as never], { lr: 1 }),
      () => new SGD(w as never, { lr: 1 }),
      () => new SGD(new Linear(1, 1) as never, { lr: 1 }),
      () => new SGD([w], undefined as never),
    ];
    for (const make of refused) expect(make).toThrow(ValueError);
    expect(() => new Adam([w], { betas: [1, 0.9] })).toThrow("Adam: betas[0] is from 0 to below 1, got 1");
    expect(() => new SGD([variable(1, { dtype: "int32" })], { lr: 1 })).toThrow(DTypeError);
    const optimizer = new SGD([w], { lr: 1 });
    expect(() => {
      optimizer.lr = -1;
    }).toThrow(ValueError);
    expect(optimizer.lr).toBe(1);
    const adam = new Adam([w], { betas: [0.9, 0.99] });
    expect(() => {
      adam.betas = [0.5, 1];
    }).toThrow(ValueError);
    expect(adam.betas).toEqual([0.9, 0.99]);
  });

  test("says that a part which was left out cannot be turned on later", () => {
    const optimizer = new SGD([variable(1)], { lr: 1 });
    optimizer.momentum = 0;
    expect(() => {
      optimizer.momentum = 0.9;
    }).toThrow(StateError);
    expect(optimizer.momentum).toBe(0);
  });

  test("names its state after the parameters", () => {
    const optimizer = new Adam(network().parameters());
    expect((optimizer.state[0] as { expAvg: Tensor }).expAvg.label).toBe("0.weight.expAvg");
  });

  test("can be made of transforms", () => {
    const lossOf = (w: Tensor) => w.square().sum();
    const [first, second] = [variable([1, -2]), variable([1, -2])];
    const named = new Adam([first], { lr: 0.25, weightDecay: 0.5 });
    const own = new Optimizer(
      [second],
      chain(addDecayedWeights(0.5), scaleByAdam(), scaleByLearningRate(0.25)),
    );
    for (let i = 0; i < 5; i++) {
      named.step(lossOf(first));
      own.step(lossOf(second));
    }
    second.toTypedArray().forEach((value, i) => {
      expect(value).toBeCloseTo(first.toTypedArray()[i]!, 6);
    });
  });

  test("moves float64 parameters in float64", () => {
    const w = variable(1, { dtype: "float64" });
    new SGD([w], { lr: 0.1 }).step(w.square());
    expect(w.item()).toBe(1 - 0.1 * 2);
  });

  test("takes the same steps compiled and interpreted", () => {
    const losses = [false, true].map((compiled) => {
      const model = network();
      const optimizer = new Adam(model.parameters(), { lr: 0.05 });
      const plain = () => {
        const loss = bceWithLogits(model.forward(xor.x), xor.y);
        optimizer.step(loss);
        return loss;
      };
      const step = compiled ? compile(plain) : plain;
      return Array.from({ length: 20 }, () => step().item());
    });
    expect(losses[1]).toEqual(losses[0]);
  });
});

describe("fit", () => {
  const settings = (model: Sequential, epochs: number) => ({
    loss: bceWithLogits as (prediction: Tensor, target: Tensor) => Tensor,
    optimizer: new Adam(model.parameters(), { lr: 0.05 }),
    epochs,
  });
  const collect = async (epochs: AsyncIterable<Epoch>) => {
    const found: Epoch[] = [];
    for await (const epoch of epochs) found.push(epoch);
    return found;
  };

  test("learns XOR", async () => {
    const model = network();
    const epochs = await collect(fit(model, [xor.x, xor.y], { ...settings(model, 200), compile: true }));
    expect(epochs.map(({ epoch }) => epoch)).toEqual(Array.from({ length: 200 }, (_, i) => i + 1));
    expect(epochs[0]).toMatchObject({ epochs: 200, steps: 1, examples: 4 });
    expect(epochs.at(-1)!.loss).toBeLessThan(0.05);
    expect(model.forward(xor.x).gt(0).toArray()).toEqual([[false], [true], [true], [false]]);
  });

  test("gives the same losses compiled and not", async () => {
    const [plain, compiled] = await Promise.all(
      [false, true].map(async (compile) => {
        const model = network();
        const epochs = await collect(fit(model, [xor.x, xor.y], { ...settings(model, 10), compile }));
        return epochs.map(({ loss }) => loss);
      }),
    );
    expect(compiled).toEqual(plain);
  });

  test("weighs batches by their examples", async () => {
    const layer = new Linear(1, 1, { bias: false });
    layer.weight.assign(0);
    const batches = [
      [tensor([[1], [1], [1]]), tensor([[1], [1], [1]])],
      [tensor([[1]]), tensor([[3]])],
    ] as const;
    const optimizer = new SGD(layer.parameters(), { lr: 0 });
    const [epoch] = await collect(fit(layer, batches, { loss: mse, optimizer, epochs: 1 }));
    expect(epoch).toMatchObject({ loss: 3, steps: 2, examples: 4 });
  });

  test("takes data that is made anew in each epoch, also asynchronously", async () => {
    const model = network();
    const seen: number[] = [];
    async function* batches(epoch: number) {
      seen.push(epoch);
      yield [xor.x, xor.y] as const;
    }
    await collect(fit(model, batches, settings(model, 3)));
    expect(seen).toEqual([1, 2, 3]);
  });

  test("refuses an epoch without batches", async () => {
    const model = network();
    function* once() {
      yield [xor.x, xor.y] as const;
    }
    await expect(collect(fit(model, once(), settings(model, 2)))).rejects.toThrow(
      "fit: epoch 2 has no batches",
    );
  });

  test("names the step in which the loss is NaN", async () => {
    const model = network();
    const bad = xor.x.div(zeros([4, 2]));
    const batches = [
      [xor.x, xor.y],
      [bad, xor.y],
    ] as const;
    const training = collect(fit(model, batches, settings(model, 2)));
    await expect(training).rejects.toThrow("fit: the loss is NaN at step 2 (epoch 1, batch 2)");
  });

  test("refuses a loss of several numbers, and epochs that are no whole number", async () => {
    const model = network();
    const loss = (x: Tensor, y: Tensor): Tensor => x.sub(y);
    const training = collect(fit(model, [xor.x, xor.y], { ...settings(model, 1), loss }));
    await expect(training).rejects.toThrow("fit: the loss has shape [4, 1]; it must be one number");
    expect(() => fit(model, [xor.x, xor.y], settings(model, 1.5))).toThrow(ValueError);
  });

  test("puts the model into training mode at each epoch", async () => {
    const model = network();
    const modes: boolean[] = [];
    const loss = (x: Tensor, y: Tensor): Tensor => {
      modes.push(model.training);
      return mse(x, y);
    };
    for await (const _ of fit(model, [xor.x, xor.y], { ...settings(model, 2), loss })) model.eval();
    expect(modes).toEqual([true, true]);
  });

  test("lets other work run", async () => {
    const model = network();
    let turns = 0;
    const timer = setInterval(() => turns++, 1);
    const begin = performance.now();
    for await (const _ of fit(model, [xor.x, xor.y], settings(model, 1e6)))
      if (turns >= 3 || performance.now() - begin > 10_000) break;
    clearInterval(timer);
    expect(turns).toBeGreaterThanOrEqual(3);
  });
});

describe("progress", () => {
  /** Clears the rest of a terminal's line. */
  const toTheEdge = "\x1b[K";

  async function* epochs(count: number) {
    for (let epoch = 1; epoch <= count; epoch++)
      yield { epoch, epochs: count, loss: 1 / epoch, steps: 1, examples: 500, seconds: epoch * 0.5 };
  }
  const show = async (count: number, terminal: object) => {
    const written: string[] = [];
    const output = { write: (text: string) => written.push(text), ...terminal };
    let passed = 0;
    for await (const _ of progress(epochs(count), { output, label: "xor" })) passed++;
    expect(passed).toBe(count);
    return written;
  };

  test("writes plain lines to a file", async () => {
    const written = await show(20, {});
    expect(written).toHaveLength(11);
    expect(written[0]).toBe("xor epoch  1/20  loss 1.000  1.00k examples/s  9.5s left\n");
    expect(written.at(-1)).toBe("xor epoch 20/20  loss 0.05000  1.00k examples/s  took 10s\n");
  });

  test("draws a bar on a terminal and ends with a new line", async () => {
    const written = await show(4, { isTTY: true, columns: 100 });
    expect(written[0]).toMatch(/^\rxor █+▌?·+ {2}epoch 1\/4 {2}loss 1\.000/);
    expect(written.at(-1)).toMatch(/^\rxor █+ {2}epoch 4\/4 .* took 2\.0s/);
    expect(written.at(-1)!.endsWith(`${toTheEdge}\n`)).toBe(true);
  });

  test("never writes a line wider than the terminal", async () => {
    for (const columns of [10, 40, 60, 72, 80])
      for (const text of await show(4, { isTTY: true, columns }))
        expect(text.replaceAll(toTheEdge, "").replaceAll(/[\r\n]/g, "").length).toBeLessThan(columns);
  });
});

test("the standard generator decides where layers start", () => {
  const start = () => {
    manualSeed(11);
    const { weight } = new Linear(3, 3);
    evaluate(weight);
    return weight.toArray();
  };
  expect(start()).toEqual(start());
});
