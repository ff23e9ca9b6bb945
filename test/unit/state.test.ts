import {
  assignAll,
  CompileError,
  checkGradient,
  compile,
  DTypeError,
  full,
  GradientError,
  gather,
  grad,
  knownElements,
  manualSeed,
  normal,
  ones,
  partial,
  pointwise,
  Setting,
  StateError,
  scalar,
  stopGradient,
  type Tensor,
  tensor,
  topology,
  type Unary,
  uniform,
  ValueError,
  type Variable,
  variable,
} from "@cotangent/autograd";
import { describe, expect, test } from "vitest";

describe("variables", () => {
  test("have the dtype that is asked for, whatever they are made of", () => {
    const dtype = "float64";
    const int32 = tensor([1, 2], { dtype: "int32" });
    for (const w of [
      variable([1, 2], { dtype }),
      variable(tensor([1, 2]), { dtype }),
      variable(int32, { dtype }),
      variable(variable([1, 2]), { dtype }),
    ])
      expect([w.dtype, w.toArray()]).toEqual([dtype, [1, 2]]);
    expect(() => variable(tensor(1), { dtype: "flaot" as never })).toThrow("unknown dtype flaot");
  });

  test("an expression means the version it was built on", () => {
    const w = variable([1, 2]);
    const before = w.mul(10);
    w.assign(tensor([5, 6]));
    expect(before.toArray()).toEqual([10, 20]);
    expect(w.mul(10).toArray()).toEqual([50, 60]);
  });

  test("an update from its own value uses the version before", () => {
    const w = variable(1);
    w.assign(w.add(1));
    w.assign(w.mul(w));
    expect(w.item()).toBe(4);
  });

  test("assignAll computes every value from the versions before", () => {
    const a = variable(1);
    const b = variable(2);
    assignAll([
      [a, b],
      [b, a],
    ]);
    expect([a.item(), b.item()]).toEqual([2, 1]);
  });

  test("reading anything computes what is pending, in one evaluation", () => {
    const w = variable(1);
    w.assign(w.add(1));
    expect(w.pending).toBe(true);
    expect(scalar(2).mul(3).item()).toBe(6);
    expect(w.pending).toBe(false);
    expect(w.item()).toBe(2);
  });

  test("what is stored is a leaf without history", () => {
    const w = variable([1, 2]);
    for (let i = 0; i < 50; i++) {
      w.assign(w.mul(2));
      w.toArray();
    }
    expect(topology([w.add(0)]).nodes.length).toBeLessThan(4);
  });

  test("assigning a pending variable again computes the first update, so a loop that never reads stays bounded", () => {
    const w = variable([1, 2]);
    const index = variable(tensor([0, 7], { dtype: "int32" }));
    w.assign(w.mul(2));
    w.assign(gather(w, 0, index.add(0)));
    expect(() => w.toArray()).toThrow(/index 7/);
    expect(w.toArray()).toEqual([2, 4]);
    for (let i = 0; i < 1000; i++) w.assign(w.add(1));
    expect(w.toArray()).toEqual([1002, 1004]);
  });

  test("a failed flush discards all pending updates and leaves the variables as they were", () => {
    const a = variable([1, 2]);
    const b = variable([3, 4]);
    const index = variable(tensor([0, 7], { dtype: "int32" }));
    a.assign(a.mul(2));
    b.assign(gather(b, 0, index.add(0)));
    const builtOnIt = a.add(1);
    expect(() => b.toArray()).toThrow(/index 7/);
    expect(a.toArray()).toEqual([1, 2]);
    expect(b.toArray()).toEqual([3, 4]);
    expect(() => builtOnIt.toArray()).toThrow(StateError);
  });
});

describe("gradients of variables", () => {
  test("grad by a variable means the version that the output was built on", () => {
    const w = variable(3);
    const y = w.mul(w);
    w.assign(10);
    expect(grad(y, [w])[0].item()).toBe(6);
  });

  test("two versions of a variable in one output are an error", () => {
    const [x, v] = [tensor(5), variable(6)];
    const w = variable(3);
    const y = w.mul(2);
    w.assign(4);
    expect(() => grad(y.add(w), [w])).toThrow(GradientError);
    // Of others there is one each.
    const [byX, byV] = grad(y.add(w).mul(x).mul(v), [x, v]);
    expect([byX.item(), byV.item()]).toEqual([60, 50]);
  });

  test("a version that no derivative reaches does not count", () => {
    for (const constant of [
      (w: Variable) => w.detach(),
      (w: Variable) => stopGradient(w.mul(3)),
      (w: Variable) => w.gt(0).cast("float32"),
    ])
      for (const read of [false, true]) {
        const w = variable([2]);
        const before = constant(w);
        if (read) before.toArray();
        w.assign(tensor([5]));
        const y = w.mul(before).sum();
        expect(grad(y, [w])[0].toArray()).toEqual(before.toArray());
        y.backward();
        expect(w.grad!.toArray()).toEqual(before.toArray());
        w.assign(tensor([6]));
        expect(() => grad(y.mul(w.mul(0)).sum(), [w])).toThrow(GradientError);
        expect(grad(stopGradient(w).mul(before).sum(), [w])[0].toArray()).toEqual([0]);
      }
  });

  test("backward adds to grad until it is set to null", () => {
    const w = variable([1, 2]);
    w.mul(w).sum().backward();
    w.mul(3).sum().backward();
    expect(w.grad!.toArray()).toEqual([5, 7]);
    w.grad = null;
    w.mul(3).sum().backward();
    expect(w.grad!.toArray()).toEqual([3, 3]);
  });

  test("backward leaves a grad to its inputs alone", () => {
    const [a, b, c] = [variable([1, 2]), variable([3, 4]), variable([0, 0])];
    const y = a.mul(b);
    y.sum().backward({ inputs: [b, c] });
    y.backward({ inputs: [b, b], cotangent: tensor([1, 10]) });
    expect([a.grad, b.grad!.toArray(), c.grad]).toEqual([null, [2, 22], null]);
    y.backward(tensor([1, 0]));
    expect([a.grad!.toArray(), b.grad!.toArray()]).toEqual([
      [3, 0],
      [3, 22],
    ]);
    const step = compile(() => {
      for (const x of [a, b]) x.grad = null;
      a.mul(b)
        .sum()
        .backward({ inputs: [a] });
    });
    for (let i = 0; i < 2; i++) step();
    expect([a.grad!.toArray(), b.grad]).toEqual([[3, 4], null]);
  });

  test("inputs of backward are variables that it reaches, and nothing changes otherwise", () => {
    const [a, b] = [variable([1, 2]), variable([3, 4])];
    const y = a.square().sum();
    expect(() => y.backward({ inputs: [b] })).toThrow(GradientError);
    expect(() => y.backward({ inputs: [b] })).toThrow("built on none of the inputs");
    expect(() => y.backward({ inputs: [] })).toThrow("built on none of the inputs");
    expect(() => y.backward({ inputs: [a, tensor([1, 2]) as Tensor as Variable] })).toThrow(ValueError);
    expect(() => y.backward({ inputs: [a, tensor([1, 2]) as Tensor as Variable] })).toThrow(
      "input 1 is a Tensor and no variable",
    );
    expect(() => y.backward({ inputs: a as unknown as Variable[] })).toThrow(ValueError);
    expect(() => y.backward({ input: [a] } as object)).toThrow("there is no option input");
    expect([a.grad, b.grad]).toEqual([null, null]);
  });

  test("grad is set to a tensor that fits, and means what it is then", () => {
    const w = variable([1, 2], { name: "w" });
    w.grad = tensor([3, 4]);
    expect(() => {
      w.grad = tensor([1]) as unknown as typeof w;
    }).toThrow("set grad of w: shape [1] does not fit [2]");
    expect(() => {
      w.grad = tensor([1, 2], { dtype: "float64" });
    }).toThrow(DTypeError);
    for (const wrong of [undefined, "3", [1, 2]])
      expect(() => {
        w.grad = wrong as never;
      }).toThrow("set grad of w: takes a tensor or a number");
    expect(w.grad.toArray()).toEqual([3, 4]);
    const direction = variable([5, 6]);
    const set = () => {
      w.grad = direction;
      direction.assign(0);
    };
    compile(set)();
    expect(w.grad.toArray()).toEqual([5, 6]);
    direction.assign(tensor([7, 8]));
    set();
    expect(w.grad.toArray()).toEqual([7, 8]);
  });

  test("a grad that nobody clears keeps the last graph alone", () => {
    const w = variable([1, 2]);
    const sizes = Array.from({ length: 5 }, () => {
      w.square().sum().backward();
      return topology([w.grad!]).nodes.length;
    });
    expect(sizes[4]).toBe(sizes[1]);
    expect(w.grad!.toArray()).toEqual([10, 20]);
  });

  test("a gradient prints under the name of what it is the gradient of", () => {
    const w = variable(2, { name: "w" });
    const loss = w.mul(w).named("L");
    loss.backward();
    expect(w.grad!.label).toBe("dL/dw");
  });

  test("an input that the output does not reach has gradient zero, or is an error on demand", () => {
    const [a, b] = [variable(1, { name: "a" }), variable([1, 2], { name: "b" })];
    expect(grad(a.mul(2), [b])[0].toArray()).toEqual([0, 0]);
    expect(() => grad(a.mul(2), [a, b], { unused: "error" })).toThrow(/input 1 \(b of shape \[2\]\)/);
    expect(grad(a.mul(2), [a, b], { unused: "null" }).map((g) => g?.toArray() ?? null)).toEqual([2, null]);
  });
});

describe("checkGradient", () => {
  test("checks the variables that a function uses without taking them", () => {
    const w = variable([0.5, -1]);
    const right = checkGradient(() => w.tanh().mul(w).sum(), [w]);
    expect(right.pass).toBe(true);
    expect(Math.abs(right.directions[0]!.reverse)).toBeGreaterThan(1e-3);
    const wrong: Unary = pointwise({
      name: "wrong",
      body: (m, x) => m.mul(x!, x!),
      derivatives: [partial((_, x) => x!)],
      samples: () => [w],
    });
    expect(checkGradient(() => wrong(w).sum(), [w]).pass).toBe(false);
  });

  test("discards what the function assigns", () => {
    const w = variable([0.5, -1]);
    checkGradient(() => {
      w.assign(w.mul(2));
      return w.sin().sum();
    }, [w]);
    expect(w.toArray()).toEqual([0.5, -1]);
  });

  test("replays float32 in float64, large and tiny scales in one graph included", () => {
    const f = (x: Tensor, y: Tensor) => x.mul(1e6).sin().sum().add(y.mul(1e-6).exp().sum());
    expect(
      checkGradient(f, [tensor([1e-6, 2e-6]), tensor([1e5, -1e5])], { order: 2, tolerance: 1e-4 }).pass,
    ).toBe(true);
  });
});

describe("settings", () => {
  test("another value of a setting is another program, and the first comes back", () => {
    const training = new Setting(true);
    const f = compile((x: Tensor) => (training.value ? x.mul(2) : x));
    expect(f(scalar(3)).item()).toBe(6);
    training.value = false;
    expect(f(scalar(3)).item()).toBe(3);
    training.value = true;
    expect(f(scalar(3)).item()).toBe(6);
  });

  test("a setting cannot change while it is traced", () => {
    const mode = new Setting(1);
    const f = compile((x: Tensor) => {
      mode.value = 2;
      return x.add(1);
    });
    expect(() => f(scalar(1))).toThrow(CompileError);
    expect(mode.value).toBe(1);
  });
});

describe("the generator", () => {
  test("the same seed gives the same numbers, and no two draws are alike", () => {
    manualSeed(3);
    const first = [uniform([4]), uniform([4]), normal([4])].map((x) => x.toArray());
    manualSeed(3);
    const again = [uniform([4]), uniform([4]), normal([4])].map((x) => x.toArray());
    expect(again).toEqual(first);
    expect(first[0]).not.toEqual(first[1]);
  });
});

describe("a long training loop", () => {
  /** XOR, as a user writes it. */
  function xorStep(): () => Tensor {
    manualSeed(1);
    const x = tensor([
      [0, 0],
      [0, 1],
      [1, 0],
      [1, 1],
    ]);
    const y = tensor([[0], [1], [1], [0]]);
    const parameter = (shape: number[]): Variable => variable(uniform(shape, { low: -1, high: 1 }));
    const [w1, b1, w2, b2] = [parameter([2, 3]), parameter([3]), parameter([3, 1]), parameter([1])];
    const parameters = [w1, b1, w2, b2];
    return () => {
      const loss = x.matmul(w1).add(b1).sigmoid().matmul(w2).add(b2).sigmoid().sub(y).square().mean();
      const gradients = grad(loss, parameters);
      assignAll(parameters.map((p, i) => [p, p.sub(gradients[i]!.mul(0.5))]));
      return loss;
    };
  }

  test("keeps no more objects alive after 20,000 steps than after 2,000", () => {
    const step = xorStep();
    const live = () => topology([step()]).nodes.length;
    for (let i = 0; i < 2000; i++) step().item();
    const before = live();
    for (let i = 0; i < 18_000; i++) step().item();
    expect(live()).toBe(before);
  }, 60_000);
});

test("knownElements gives a copy of what is there, and computes nothing", () => {
  const x = tensor([1, 2]);
  knownElements(x)![0] = 5;
  expect(x.toArray()).toEqual([1, 2]);
  expect(knownElements(full([2], 3, { dtype: "float64" }))).toEqual(Float64Array.of(3, 3));
  const sum = x.add(1);
  expect(knownElements(sum)).toBeNull();
  sum.toArray();
  expect(knownElements(sum)).toEqual(Float32Array.of(2, 3));
  const w = variable([1]);
  expect(knownElements(w)).toEqual(Float32Array.of(1));
  w.assign(w.add(1));
  expect(knownElements(w)).toBeNull();
  const seen: unknown[] = [];
  compile((y: Tensor) => {
    seen.push(knownElements(y), knownElements(x));
    return y;
  })(ones([1]));
  expect(seen).toEqual([null, Float32Array.of(1, 2)]);
});
