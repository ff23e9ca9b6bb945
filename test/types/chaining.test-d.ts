import type { Operand, Shape, Unary } from "@cotangent/autograd";
import {
  compile,
  grad,
  normal,
  scalar,
  square,
  straightThrough,
  sub,
  sum,
  type Tensor,
  tensor,
  Variable,
  variable,
  where,
  zeros,
  zerosLike,
} from "@cotangent/autograd";
import { describe, expectTypeOf, test } from "vitest";

declare const unknown: Tensor;

describe("the chaining form", () => {
  test("is there for functions on a tensor and nothing else", () => {
    expectTypeOf(unknown).toHaveProperty("tanh");
    expectTypeOf(unknown).toHaveProperty("matmul");
    expectTypeOf(unknown).not.toHaveProperty("tensor");
    expectTypeOf(unknown).not.toHaveProperty("zeros");
    expectTypeOf(unknown).not.toHaveProperty("declare");
    expectTypeOf(unknown).not.toHaveProperty("checkWithin");
  });

  test("asks for the arguments that the function asks for", () => {
    // @ts-expect-error There is nothing to add.
    unknown.add();
    // @ts-expect-error tanh takes nothing.
    unknown.tanh(1);
    // @ts-expect-error Not a number or tensor.
    unknown.add("1");
    // @ts-expect-error Not a dtype.
    unknown.cast("float16");
    // @ts-expect-error keepDims is true or false.
    unknown.sum(0, { keepDims: 1 });
    // @ts-expect-error There is no such option.
    unknown.sum(0, { keepdims: true });
    // @ts-expect-error softmax takes an axis and nothing else.
    unknown.softmax(-1, { dtype: "float64" });
    // @ts-expect-error Nor does cumsum.
    unknown.cumsum(0, true);
    expectTypeOf(unknown.argsort(0, { descending: true })).toEqualTypeOf<Tensor>();
  });

  test("works on variables", () => {
    const w = variable([
      [0.5, -0.3],
      [0.8, 0.2],
    ]);
    expectTypeOf(w.tanh()).toEqualTypeOf<Tensor<[2, 2]>>();
    expectTypeOf(w.matmul(zeros([2, 3]))).toEqualTypeOf<Tensor<[2, 3]>>();
    expectTypeOf(zeros([4, 2]).matmul(w)).toEqualTypeOf<Tensor<[4, 2]>>();
    expectTypeOf(zeros([4, 2]).matmul(w).add(w.sum(0)).mul(w.mean())).toEqualTypeOf<Tensor<[4, 2]>>();
    w.assign(unknown);
    w.assign(w.sub(unknown.mul(0.1)));
  });

  test("works on users' classes of tensors", () => {
    class Parameter<S extends Shape = Shape> extends Variable<S> {
      readonly trained: boolean = true;
    }
    const f = (x: Tensor): Tensor => x;
    const p = new Parameter(zeros([2, 3]));
    expectTypeOf(f(p)).toEqualTypeOf<Tensor>();
    expectTypeOf(p.relu()).toEqualTypeOf<Tensor<[2, 3]>>();
    expectTypeOf(p).toExtend<Tensor<[2, 3]>>();
    expectTypeOf(p).not.toExtend<Tensor<[2, 4]>>();
    expectTypeOf(p.transpose().matmul(p)).toEqualTypeOf<Tensor<[3, 3]>>();
  });
});

describe("one of several tensors of different shapes", () => {
  const x = zeros([4, 2]);
  const params = [variable(normal([2, 3])), variable(zeros([3]))];
  const either = params[0]!.node;

  test("has the methods of tensors", () => {
    expectTypeOf(params.map((p) => p.square().sum())).toEqualTypeOf<Tensor<[]>[]>();
    expectTypeOf(params.map((p) => p.sub(p.mul(0.1)))).toEqualTypeOf<Tensor[]>();
    expectTypeOf(params.map((p) => p.tanh().detach())).toEqualTypeOf<Tensor<[2, 3] | [3]>[]>();
    expectTypeOf(params.map((p) => (p.grad ? p.sub(p.grad) : p))).toExtend<Tensor[]>();
    const moments = params.map((p) => variable(zerosLike(p)));
    const gradients = grad(params.map((p) => p.square().mean())[0]!, params);
    expectTypeOf(moments.map((m, i) => m.mul(0.9).add(gradients[i]!))).toEqualTypeOf<Tensor[]>();
    expectTypeOf([tensor([[1, 2]]), tensor([1])].map((t) => t.clamp(0).sum(0))).toEqualTypeOf<Tensor[]>();
    for (const p of params) p.assign(p.sub(p.grad!.mul(0.1)));
  });

  test("in a tuple, an object or one of two branches", () => {
    const tuple = [variable(normal([2, 3])), variable(zeros([3]))] as const;
    expectTypeOf(tuple.map((p) => p.sub(p.mul(0.1)).mean())).toEqualTypeOf<Tensor<[]>[]>();
    const layer = { w: variable(normal([2, 3])), b: variable(zeros([3])) };
    expectTypeOf(Object.values(layer).map((p) => p.mul(p).sum())).toEqualTypeOf<Tensor<[]>[]>();
    const named: Record<string, Variable> = layer;
    expectTypeOf(Object.values(named).map((p) => p.sub(p.mul(0.1)))).toEqualTypeOf<Tensor[]>();
    const chosen = unknown.size > 2 ? zeros([2, 3]) : zeros([3]);
    expectTypeOf(
      chosen
        .mul(2)
        .add(chosen)
        .matmul(zeros([3, 4])),
    ).toEqualTypeOf<Tensor>();
  });

  test("is taken by functions, and as the other operand", () => {
    expectTypeOf(params.map((p) => sum(square(p)))).toEqualTypeOf<Tensor<[]>[]>();
    expectTypeOf(params.map(square)).toEqualTypeOf<Tensor<[2, 3] | [3]>[]>();
    expectTypeOf(params.map((p) => sub(p, p.mul(0.1)))).toEqualTypeOf<Tensor[]>();
    expectTypeOf(straightThrough(either, either.sign())).toEqualTypeOf<Tensor<[2, 3] | [3]>>();
    expectTypeOf(where(either.gt(0), either, 0)).toEqualTypeOf<Tensor>();
    expectTypeOf(zeros([5, 2, 3]).mul(either)).toEqualTypeOf<Tensor<[5, 2, 3]>>();
    expectTypeOf(x.matmul(unknown.size > 2 ? zeros([2, 3]) : zeros([2]))).toEqualTypeOf<Tensor>();
  });

  test("fits where one of the shapes is wanted", () => {
    expectTypeOf(params[0]!.tanh()).toExtend<Tensor<[3]>>();
    // @ts-expect-error Neither of them.
    const wrong: Tensor<[4]> = params[0]!.tanh();
    expectTypeOf(wrong).not.toBeAny();
  });

  test("leaves the shapes of others as they are", () => {
    const bound = <P extends Tensor>(p: P): Tensor => p.matmul(p).add(p.mul(2));
    expectTypeOf(bound(x)).toEqualTypeOf<Tensor>();
    class Doubling<S extends Shape> extends Variable<S> {
      twice(): Tensor<S> {
        return this.mul(2);
      }
    }
    expectTypeOf(new Doubling(x).twice()).toEqualTypeOf<Tensor<[4, 2]>>();
    const scale = (y: Operand<[3]>): Tensor =>
      // @ts-expect-error sizes 2 and 3 do not broadcast
      x.mul(y);
    expectTypeOf(scale).not.toBeAny();
  });
});

describe("a function given to compile", () => {
  test("has tensors as parameters unless it says otherwise", () => {
    const f = compile((x, rate: Operand, plain) => {
      expectTypeOf(plain).toEqualTypeOf<Tensor>();
      return x.mul(rate).sum();
    });
    expectTypeOf(f(unknown, 0.1, unknown)).toEqualTypeOf<Tensor<[]>>();
    // @ts-expect-error Three are wanted.
    f(unknown, 0.1);
  });

  test("has tensors as parameters beside a wrong option too", () => {
    compile((x) => x.sum(), {
      // @ts-expect-error There is no such option.
      jit: true,
    });
  });

  test("keeps its own type", () => {
    const same = (x: Tensor<[4, 2]>, rate: number): Tensor<[4, 2]> => x.mul(rate);
    expectTypeOf(compile(same)).toExtend<typeof same>();
    const generic = <S extends Shape>(x: Tensor<S>): readonly [Tensor<S>] => [x.tanh()];
    expectTypeOf(compile(generic)(zeros([4, 2]))).toEqualTypeOf<readonly [Tensor<[4, 2]>]>();
    const pixels = (batch: { readonly image: Uint8Array }, mode: "train" | "eval"): void =>
      void [batch, mode];
    expectTypeOf(compile(pixels)).toExtend<typeof pixels>();
    expectTypeOf(compile(() => scalar(1))()).toEqualTypeOf<Tensor<[]>>();
  });
});

describe("code without shapes", () => {
  test("in functions", () => {
    function f(x: Tensor): Tensor {
      return x.tanh().mul(2).sum();
    }
    function g(x: Operand, y: Operand): Tensor {
      return tensor(1).mul(x).add(y);
    }
    const losses = [f(zeros([3])), f(unknown), scalar(0)];
    expectTypeOf(f(zeros([4, 2]))).toEqualTypeOf<Tensor>();
    expectTypeOf(g(1, zeros([2]))).toEqualTypeOf<Tensor>();
    expectTypeOf(losses.reduce((a: Tensor, b) => a.add(b))).toEqualTypeOf<Tensor>();
  });

  test("in functions that keep the shape", () => {
    const scaled = <S extends Shape>(x: Tensor<S>): Tensor<S> => x.tanh().mul(2).add(1);
    const swish: Unary = (x: Tensor) => x.mul(x.sigmoid());
    expectTypeOf(scaled(zeros([4, 2]))).toEqualTypeOf<Tensor<[4, 2]>>();
    expectTypeOf(swish(zeros([4, 2]))).toEqualTypeOf<Tensor<[4, 2]>>();
  });

  test("in functions with shapes or sizes as type parameters", () => {
    const f = <S extends Shape>(x: Tensor<S>): Tensor =>
      x
        .mul(x.sigmoid())
        .matmul(zeros([3, 4]))
        .add(x)
        .sum(0);
    const g = <N extends number>(x: Tensor<[N, 2]>, w: Tensor<[2, N]>): Tensor =>
      x
        .matmul(w)
        .add(zeros([3]))
        .sub(x.sum(1));
    expectTypeOf(f(zeros([4, 2]))).toEqualTypeOf<Tensor>();
    expectTypeOf(g(zeros([3, 2]), zeros([2, 3]))).toEqualTypeOf<Tensor>();
  });

  test("in classes with fields", () => {
    class Perceptron {
      weight: Tensor = variable(zeros([2, 1]));
      bias: Tensor;
      constructor() {
        this.bias = variable(zeros([1]));
      }
      forward(x: Tensor): Tensor {
        return x.matmul(this.weight).add(this.bias).heaviside();
      }
    }
    expectTypeOf(new Perceptron().forward(zeros([4, 2]))).toEqualTypeOf<Tensor>();
  });

  test("in loops", () => {
    const cell = (x: Tensor, h: Tensor): Tensor => x.matmul(unknown).add(h.matmul(unknown)).tanh();
    let h = zeros([4, 8]);
    let loss = scalar(0);
    for (let t = 0; t < 3; t++) {
      h = cell(unknown, h);
      loss = loss.add(h.square().mean());
    }
    expectTypeOf(h).toEqualTypeOf<Tensor<[4, 8]>>();
    expectTypeOf(loss.item()).toEqualTypeOf<number>();
  });
});
