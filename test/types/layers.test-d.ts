import type { MatMul, Shape, Tensor } from "@cotangent/autograd";
import { zeros } from "@cotangent/autograd";
import {
  Adam,
  Dropout,
  Embedding,
  type Epoch,
  Flatten,
  fit,
  LayerNorm,
  Linear,
  MaxPool2d,
  Module,
  ReLU,
  Sequential,
  SGD,
  Tanh,
  type TrainingData,
  validate,
  ZeroPad2d,
} from "@cotangent/nn";
import { batches, csvRows, map } from "@cotangent/nn/data";
import { bce, crossEntropy, gaussianNll, mse, nll } from "@cotangent/nn/loss";
import { describe, expectTypeOf, test } from "vitest";

declare const unknown: Tensor;
const x = zeros([2, 3]);
const either = unknown.size > 6 ? x : zeros([5, 3]);

describe("a layer", () => {
  test("keeps the shape, or its last size is new", () => {
    expectTypeOf(new ReLU().forward(x)).toEqualTypeOf<Tensor<[2, 3]>>();
    expectTypeOf(new Dropout().forward(unknown)).toEqualTypeOf<Tensor>();
    expectTypeOf(new Linear(3, 4).forward(x)).toEqualTypeOf<Tensor<[2, 4]>>();
  });

  test("has a type of its name", () => {
    const act: ReLU | Tanh = unknown.size > 6 ? new ReLU() : new Tanh();
    const [pool, flat, pad]: [MaxPool2d, Flatten, ZeroPad2d] = [
      new MaxPool2d(2),
      new Flatten(),
      new ZeroPad2d(1),
    ];
    expectTypeOf(act.forward(x)).toEqualTypeOf<Tensor<[2, 3]>>();
    expectTypeOf(flat.forward(pool.forward(pad.forward(x)))).toEqualTypeOf<Tensor>();
  });

  test("takes one of several tensors", () => {
    expectTypeOf(new Linear(3, 4).forward(either)).toEqualTypeOf<Tensor>();
    expectTypeOf(new LayerNorm([3]).forward(either)).toEqualTypeOf<Tensor<[2, 3] | [5, 3]>>();
    expectTypeOf(new ReLU().forward(either)).toEqualTypeOf<Tensor<[2, 3] | [5, 3]>>();
    expectTypeOf(new Sequential(new Linear(3, 4)).forward(either)).toExtend<Tensor>();
  });

  test("has parameters whose shapes differ", () => {
    const layer = new Linear(3, 4);
    const parameters = [layer.weight, layer.bias!];
    expectTypeOf(parameters.map((p) => p.sub(p.mul(0.1)))).toEqualTypeOf<Tensor[]>();
    expectTypeOf(layer.parameters().map((p) => p.square().sum())).toEqualTypeOf<Tensor<[]>[]>();
  });

  test("may have the weight of another", () => {
    const [table, head] = [new Embedding(10, 4), new Linear(4, 10, { bias: false })];
    head.weight = table.weight;
    table.weight = head.weight;
    // @ts-expect-error: the weight is [10, 4]
    head.weight = new Linear(10, 4).weight;
  });

  test("may be extended in terms of shapes", () => {
    class Doubling extends Linear<3, 4> {
      override forward<S extends Shape>(y: Tensor<S>): Tensor<MatMul<S, [3, 4]>> {
        return super.forward(y);
      }
    }
    expectTypeOf(new Doubling(3, 4).forward(x)).toEqualTypeOf<Tensor<[2, 4]>>();
  });
});

describe("a loss", () => {
  test("is one number, or one for each element", () => {
    expectTypeOf(mse(x, x)).toEqualTypeOf<Tensor<[]>>();
    expectTypeOf(mse(x, unknown, { reduction: "none" })).toEqualTypeOf<Tensor<[2, 3]>>();
    expectTypeOf(gaussianNll(either, either, unknown)).toEqualTypeOf<Tensor<[]>>();
    expectTypeOf(bce(either, x, { reduction: "sum" })).toEqualTypeOf<Tensor<[]>>();
  });

  test("of classes has a row for each place, or one", () => {
    expectTypeOf(crossEntropy(x, unknown, { reduction: "none" })).toEqualTypeOf<Tensor<[2]>>();
    expectTypeOf(crossEntropy(zeros([4, 3, 5]), unknown, { reduction: "none" })).toEqualTypeOf<
      Tensor<[4, 5]>
    >();
    expectTypeOf(nll(zeros([3]), unknown, { reduction: "none" })).toEqualTypeOf<Tensor<[]>>();
    expectTypeOf(nll(unknown, unknown, { reduction: "none" })).toEqualTypeOf<Tensor>();
    expectTypeOf(crossEntropy(unknown, unknown)).toEqualTypeOf<Tensor<[]>>();
  });

  test("is of tensors of one shape", () => {
    // @ts-expect-error The ranks differ.
    mse(zeros([4, 1]), zeros([4]));
    // @ts-expect-error The first sizes differ.
    bce(x, zeros([4, 3]));
  });
});

test("what is wrong about a group or an option of batches is the error", () => {
  const layer = new Linear(3, 4);
  new Adam([
    { parameters: layer.parameters(), lr: 0.1 },
    {
      parameters: [],
      // @ts-expect-error A number or a schedule.
      lr: "0.1",
    },
  ]);
  new Adam([
    {
      // @ts-expect-error There is no such option.
      params: layer.parameters(),
    },
  ]);
  new Adam(new Set([{ parameters: layer.parameters(), lr: 0.1 }]));
  batches([x, unknown], {
    // @ts-expect-error There is no such option.
    batch_size: 2,
  });
  map(
    [1, 2],
    // @ts-expect-error No function.
    3,
  );
  csvRows(["a;b"], {
    // @ts-expect-error There is no such option.
    delim: ";",
  });
  expectTypeOf(map([1, 2], (i) => [i, i] as const)).toEqualTypeOf<Iterable<readonly [number, number]>>();
  const later = async function* () {
    yield 1;
  };
  expectTypeOf(map(later(), async (i) => String(i))).toEqualTypeOf<AsyncIterable<string>>();
});

test("a layer of the user's keeps sizes that are type parameters", () => {
  class Block<I extends number, O extends number> extends Module {
    readonly linear: Linear<I, O>;
    constructor(inputs: I, outputs: O) {
      super();
      this.linear = new Linear(inputs, outputs);
    }
    forward<B extends number>(y: Tensor<[B, I]>): Tensor<[B, O]> {
      return this.linear.forward(y).tanh();
    }
  }
  expectTypeOf(new Block(3, 4).forward(x)).toEqualTypeOf<Tensor<[2, 4]>>();
  // @ts-expect-error Three inputs.
  new Block(3, 4).forward(zeros([2, 5]));
});

test("the loss of fit is told what the model gives", () => {
  const pair = (h: Tensor) => ({ a: h, b: [h] as const });
  const options = { optimizer: new SGD([], { lr: 1 }), epochs: 1 };
  fit(pair, [x, x], {
    ...options,
    loss: (prediction, y) => {
      expectTypeOf(prediction).toEqualTypeOf<{ a: Tensor; b: readonly [Tensor] }>();
      return mse(prediction.a, y);
    },
    metrics: { one: ({ b }) => b.length },
  });
  fit(new Linear(3, 1), [x, x], { ...options, loss: mse });
  // @ts-expect-error: mse takes a tensor
  fit(pair, [x, x], { ...options, loss: mse });
});

test("the loss of fit is told what stands beside the inputs, of any shape", async () => {
  const model = { forward: (h: Tensor) => ({ u: h, v: h }) };
  const options = { optimizer: new SGD([], { lr: 1 }), epochs: 1 };
  const [y, z] = [zeros([2, 1]), zeros([4])];
  const loss = (prediction: { u: Tensor }, { u }: { u: Tensor }) => mse(prediction.u, u);
  fit(model, [x, { u: y, v: z }], {
    ...options,
    loss: (prediction, target) => {
      expectTypeOf(target).toEqualTypeOf<{ readonly u: Tensor; readonly v: Tensor }>();
      return mse(prediction.u, target.u);
    },
    metrics: { one: (_, { v }) => v.size },
    validation: [x, { u: y, v: y }],
  });
  fit(model, () => [[x, { u: y }]], { ...options, loss: ({ u }, target) => mse(u, target.u) });
  fit(model, [[x, [y, z]]], {
    ...options,
    loss: ({ u }, [first, second]) => mse(u, first).add(second.sum()),
  });
  fit(model, [x, { u: y }], { ...options, loss });
  await validate(model, [x, { u: y }], { loss: ({ u }, target) => mse(u, target.u) });
  const linear = new Linear(3, 1);
  const several = [[zeros([2, 3]), y] as const, [zeros([4, 3]), zeros([4, 1])] as const];
  fit(linear, several, { ...options, loss: mse });
  fit(linear, [x, y] as TrainingData, { ...options, loss: mse });
  fit(linear, [], { ...options, loss: mse });
  // @ts-expect-error: there is no w
  fit(model, [x, { u: y }], { ...options, loss: ({ u }, target) => mse(u, target.w) });
  // @ts-expect-error: the loss wants another target
  fit(model, [x, { v: y }], { ...options, loss });
  // @ts-expect-error: as those for validation are
  fit(model, [x, { u: y }], { ...options, loss, validation: [x, { v: y }] });
  // @ts-expect-error: there is no target
  fit(linear, [x], { ...options, loss: mse });
  // @ts-expect-error: validate takes no other
  await validate(model, [x, { v: y }], { loss });
});

test("fit takes what the model takes", () => {
  const model = { forward: ({ a, b }: { a: Tensor; b: Tensor }) => a.mul(b) };
  const options = { optimizer: new SGD([], { lr: 1 }), epochs: 1 };
  const history = fit(model, [{ a: x, b: x }, x], { ...options, loss: mse });
  expectTypeOf<Awaited<typeof history>>().toEqualTypeOf<readonly Epoch[]>();
  fit(model, () => [[{ a: x, b: x }, [x, x] as const]], {
    ...options,
    loss: (prediction: Tensor, [y]: readonly [Tensor, Tensor]) => mse(prediction, y),
    validation: [[{ a: x, b: x }, [x, x] as const]],
  });
  // @ts-expect-error: there is no b
  fit(model, [{ a: x }, x], { ...options, loss: mse });
  // @ts-expect-error: the model takes an object
  fit(model, [x, x], { ...options, loss: mse });
  // @ts-expect-error: the target is a tensor
  fit(model, [{ a: x, b: x }, [x, x]], { ...options, loss: mse });
  // @ts-expect-error: data for validation are like the others
  fit(model, [{ a: x, b: x }, x], { ...options, loss: mse, validation: [x, x] });
});
