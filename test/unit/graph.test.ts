import { inspect } from "node:util";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import {
  bernoulli,
  cat,
  categorical,
  compile,
  cumprod,
  customGradient,
  type DType,
  evaluate,
  fromTypedArray,
  full,
  grad,
  hessian,
  normal,
  randint,
  scalar,
  type Tensor,
  tensor,
  toDot,
  toText,
  variable,
  where,
  zeros,
} from "@cotangent/autograd";
import { tensorEquality } from "@cotangent/autograd/testing";
import { describe, expect, test } from "vitest";
import { topology } from "../../packages/autograd/src/topology.ts";

describe("depth", () => {
  test("a chain of a million nodes builds, differentiates and evaluates", { timeout: 60_000 }, () => {
    const x = tensor(0.5, { dtype: "float64" });
    let y = x.mul(1);
    const factor = 1 + 1e-6;
    for (let i = 0; i < 500_000; i++) y = y.mul(factor).add(1e-9);
    const [dx] = grad(y, [x]);
    expect(dx.item() / factor ** 500_000).toBeCloseTo(1, 8);
    expect(y.item()).toBeGreaterThan(0.5);
  });

  test("the gradient of many parts is built in proportion to their number", { timeout: 20_000 }, () => {
    const parts = Array.from({ length: 100_000 }, (_, i) => tensor([i]));
    const gradients = grad(cat(parts).square().sum(), parts);
    expect(gradients.at(-1)!.toArray()).toEqual([199_998]);
  });

  test("forward mode and printing do not recurse either", () => {
    let y = scalar(1).add(0);
    for (let i = 0; i < 100_000; i++) y = y.add(1);
    expect(toText(y).split("\n").length).toBe(100_002);
    expect(y.item()).toBe(100_001);
  });
});

describe("walks", () => {
  test("inside one another do not disturb each other", () => {
    // The rule evaluates and differentiates in the middle of the walk that asks for it.
    const squared = customGradient(
      (x: Tensor) => x.square(),
      (g, _, x) => {
        const [slope] = grad(x.mul(x).mul(3), [x]);
        return [g.mul(slope.item() / 3)];
      },
    );
    const chain = (x: Tensor, steps: number): Tensor => {
      let y = x;
      for (let i = 0; i < steps; i++) y = y.mul(2).add(1).mul(0.5).sub(0.5);
      return y;
    };
    for (let round = 0; round < 4; round++) {
      const x = scalar(1.5 + round);
      const y = chain(squared(chain(squared(chain(x, 20)), 30 - 5 * round)), 10);
      const [dx] = grad(y, [x]);
      expect(dx.item()).toBe(4 * (1.5 + round) ** 3);
      expect(y.item()).toBe((1.5 + round) ** 4);
    }
  });

  test("that are broken off leave no trace", () => {
    const x = tensor([1, 2, 3]);
    const n = tensor([4, 5, 6]);
    const y = x.mul(n).sum();
    const gradient = () => grad(y, [x, n]).map((g) => g.toArray());
    let looks = 0;
    const breaks = (): boolean => {
      if (++looks > 5) throw new RangeError("far enough");
      return false;
    };
    expect(() => topology([y.mul(x)], breaks)).toThrow("far enough");
    expect(gradient()).toEqual([
      [4, 5, 6],
      [1, 2, 3],
    ]);
    const broken = x.exp().mul(n);
    // What only a program that goes round the types can make.
    const odd = Object.assign(Object.create(Object.getPrototypeOf(x)), { id: 1e9 }) as Tensor;
    expect(() => topology([y, broken, odd])).toThrow();
    expect(gradient()).toEqual([
      [4, 5, 6],
      [1, 2, 3],
    ]);
  });

  test("keep no graph alive, also where rules are transposed", async () => {
    setFlagsFromString("--expose-gc");
    const collect: () => void = runInNewContext("gc");
    const x = tensor([1, 2, 3]);
    const differentiated = (): WeakRef<Tensor> => {
      const y = cumprod(x.add(1), 0);
      expect(grad(y.sum(), [x])[0].toTypedArray().length).toBe(3);
      return new WeakRef(y);
    };
    const graphs = Array.from({ length: 20 }, differentiated);
    await new Promise((resolve) => setTimeout(resolve, 0));
    collect();
    expect(graphs.filter((y) => y.deref()).length).toBeLessThan(5);
  });

  test("end at what was detached and read, or read and detached", async () => {
    setFlagsFromString("--expose-gc");
    const collect: () => void = runInNewContext("gc");
    const w = variable([1.5, 2]);
    const later = variable([0, 0]);
    const next = (state: Tensor) => state.mul(w).add(1).tanh();
    const ways: ((state: Tensor) => Tensor)[] = [
      (state) => {
        const detached = next(state).detach();
        detached.toArray();
        return detached;
      },
      (state) => {
        const read = next(state);
        read.toArray();
        return read.detach();
      },
      (state) => {
        const detached = next(state.add(later)).detach();
        later.assign(detached.mul(0));
        evaluate(later, detached);
        return detached;
      },
    ];
    for (const way of ways) {
      const run = (steps: number) => {
        const made: WeakRef<Tensor>[] = [];
        let state: Tensor = tensor([0.5, 0.25]);
        let kept: Tensor = state;
        for (let i = 0; i < steps; i++) {
          made.push(new WeakRef(state));
          kept = next(kept);
          state = way(state);
          expect(topology([state]).nodes.length).toBeLessThan(20);
        }
        expect(next(state).toArray()).toEqual(next(kept).toArray());
        expect(grad(next(state).sum(), [w])[0].toArray()).not.toEqual([0, 0]);
        return { made, state };
      };
      const { made, state } = run(60);
      await new Promise((resolve) => setTimeout(resolve, 0));
      collect();
      expect(made.filter((x) => x.deref()).length).toBeLessThan(5);
      expect(state.toArray()).toHaveLength(2);
    }
  });

  test("keep what is drawn of a leaf that is detached, and the op of everything else", () => {
    const detached = [tensor([1, 2]).detach(), tensor([1, 2]).neg().detach().named("d")];
    evaluate(...detached);
    expect(toText(...detached).split("\n")).toEqual([
      "%0: float32[2] = data",
      "%1: float32[2] = stopGradient(%0)",
      "d: float32[2] = stopGradient",
    ]);
  });

  test("keep nothing of a deep graph", async () => {
    setFlagsFromString("--expose-gc");
    const collect: () => void = runInNewContext("gc");
    const walked = (depth: number): WeakRef<Tensor> => {
      const first = scalar(1).add(0);
      let y = first;
      for (let i = 0; i < depth; i++) y = y.mul(1);
      expect(topology([y]).nodes.length).toBeGreaterThan(depth);
      return new WeakRef(first);
    };
    const deep = walked(1000);
    walked(0);
    await new Promise((resolve) => setTimeout(resolve, 0));
    collect();
    expect(deep.deref()).toBeUndefined();
  });

  test("a node's list of operands is the same at every look", () => {
    const [x, y, z] = [scalar(1), scalar(2), scalar(3)];
    const a = tensor([[1]]);
    for (const [node, operands] of [
      [x, []],
      [x.neg(), [x]],
      [x.mul(y), [x, y]],
      [where(x.gt(y), y, z), [expect.anything(), y, z]],
      [a.matmul(a), [a, a]],
    ] as const) {
      expect(node.inputs).toEqual(operands);
      expect(node.inputs).toBe(node.inputs);
    }
  });
});

describe("printing the graph", () => {
  const x = tensor([[1, 2]]).named("x");
  const w = variable([[3], [4]], { name: "w" });
  const loss = x.matmul(w).tanh().sum().named("L");

  test("the text has one node a line, with names, and is the same at every run", () => {
    expect(toText(loss)).toBe(
      [
        "x: float32[1, 2] = data",
        "w: float32[2, 1] = variable",
        "%0: float32[1, 1] = matmul(x, w)",
        "%1: float32[1, 1] = tanh(%0)",
        "L: float32[] = sum(%1, axes=[0, 1])",
      ].join("\n"),
    );
  });

  test("names that would break a line or be a number are quoted", () => {
    const [a, b] = [tensor([1]).named("%0"), tensor([2]).named("two\nlines")];
    expect(toText(a.mul(2).add(b)).split("\n")).toEqual([
      '"%0": float32[1] = data',
      '%0: float32[1] = mul("%0", 2)',
      '"two\\nlines": float32[1] = data',
      '%1: float32[1] = add(%0, "two\\nlines")',
    ]);
  });

  test("a gradient is made of nodes that print, and is called dL/dw", () => {
    const [dw] = grad(loss, [w]);
    expect(toText(dw).split("\n").at(-1)).toBe('dL/dw: float32[2, 1] = einsum(x, %5, spec="ij,ik->jk")');
  });

  test("toDot draws boxes for leaves and arrows for uses", () => {
    const dot = toDot([loss], { notes: (node) => [`${node.size} elements`] });
    expect(dot).toContain('[shape=box, label="x = data\\nfloat32[1, 2]\\n2 elements"]');
    expect(dot.match(/n\d+ -> n\d+;/g)).toHaveLength(4);
  });
});

describe("tensors as JavaScript values", () => {
  test("the console shows elements with four decimals and never the graph", () => {
    const y = tensor([
      [0.1, 1 / 3],
      [2, -5],
    ]).mul(1);
    expect(inspect(y)).toBe("Tensor([[ 0.1000,  0.3333],\n        [ 2.0000, -5.0000]], float32)");
    expect(inspect({ y }, { depth: 0 })).not.toContain("inputs");
  });

  test("a name stands in front, and rows stay aligned", () => {
    expect(inspect(tensor([[1], [2]]).named("w"))).toBe("w = Tensor([[1],\n            [2]], float32)");
  });

  test("large tensors are abridged", () => {
    expect(String(tensor(new Float32Array(5000)))).toBe(
      "Tensor([0, 0, 0, ..., 0, 0, 0], shape [5000], float32)",
    );
  });

  test.each<[numbers: (number | boolean)[], dtype: DType, text: string]>([
    // Readable as they are.
    [[1, -2000], "float32", "1, -2000"],
    [[0.001, 2.5], "float32", "0.001, 2.500"],
    [[12345.5, 0.25], "float32", "12345.50, 0.25"],
    [[99999999, 1, 0], "float64", "99999999, 1, 0"],
    [[1 / 3, 1 / 3], "float64", "0.3333, 0.3333"],
    [[0.0001, 0.1], "float64", "0.0001, 0.1000"],
    [[Number.NaN, -Infinity, 1.5], "float32", "nan, -inf, 1.5"],
    [[Number.NaN, Infinity], "float32", "nan, inf"],
    [[123456789, -1], "int32", "123456789, -1"],
    [[true, false], "bool", "true, false"],
    // Tiny, huge, or of a large range.
    [[1, 1e-8], "float32", "1e+0, 1e-8"],
    [[1e6, 1e-5, 0], "float32", "1e+6, 1e-5, 0e+0"],
    [[1e-5], "float64", "1e-5"],
    [[-1e20, 3], "float32", "-1e+20, 3e+0"],
    [[1e8, 0.5, Infinity, Number.NaN], "float64", "1e+8, 5e-1, inf, nan"],
    [[1 / 3, 12345678], "float32", "3.3333e-1, 1.2346e+7"],
    [[1.25e-5, 0.5], "float64", "1.25e-5, 5.00e-1"],
    [[2e-310, 1e308], "float64", "2e-310, 1e+308"],
  ])("%s of %s print as %s", (numbers, dtype, text) => {
    const printed = String(tensor(numbers, { dtype })).replace(/ +/g, " ").replace("[ ", "[");
    expect(printed).toBe(`Tensor([${text}], ${dtype})`);
  });

  test("a variable says that it is one, in strings as in the console", () => {
    expect([String(variable(3)), inspect(variable(3))]).toEqual(Array(2).fill("Variable(3, float32)"));
  });

  test("in a string a tensor prints, in arithmetic it refuses and says what to write", () => {
    expect(`${scalar(2)}`).toBe("Tensor(2, float32)");
    expect(() => Number(scalar(2))).toThrow(/\.item\(\)/);
    expect(() => (scalar(2) as unknown as number) + 1).toThrow(/\.add/);
  });

  test("JSON has the elements", () => {
    expect(JSON.stringify({ w: tensor([[1, 2]]) })).toBe('{"w":[[1,2]]}');
  });

  test("structural equality tells nodes apart and does not walk the graph", () => {
    let deep = scalar(1);
    for (let i = 0; i < 20_000; i++) deep = deep.add(1);
    expect(deep).toEqual(deep);
    expect(deep).not.toEqual(deep.add(0));
    expect(Object.keys(deep)).toEqual(["id"]);
  });

  test("with the equality tester two tensors of the same elements are equal", () => {
    expect(tensorEquality(tensor([1, Number.NaN]), tensor([0.5, Number.NaN]).mul(2))).toBe(true);
    expect(tensorEquality(tensor([1, 2]), tensor([[1, 2]]))).toBe(false);
    expect(tensorEquality(tensor([1]), tensor([1], { dtype: "int32" }))).toBe(false);
    expect(tensorEquality(tensor([1]), [1])).toBe(false);
    expect(tensorEquality([1], [1])).toBe(undefined);
  });

  test("a Node buffer is copied too, though its slices are not copies", () => {
    const bytes = Buffer.from([1, 0, 1]);
    const x = fromTypedArray(bytes, [3]);
    bytes.fill(0);
    expect(x.toArray()).toEqual([true, false, true]);
  });

  test("arrays and objects from another realm, such as that of a test runner, are what they are here", () => {
    const data = runInNewContext("new Float64Array([0.5, 2])") as Float64Array;
    expect(data).not.toBeInstanceOf(Float64Array);
    const take = compile(({ x }: { x: Tensor }) => x);
    const object = runInNewContext("({})") as { x: never };
    object.x = data as never;
    const all = [tensor(data), fromTypedArray(data, [2]), take({ x: data as never }), take(object)];
    expect(all.map((x) => [x.dtype, x.toArray()])).toEqual(all.map(() => ["float64", [0.5, 2]]));
  });

  test("bytes are bools if they are 0 and 1, and numbers if a dtype is given", () => {
    const bytes = Uint8Array.of(0, 1, 200);
    expect(tensor(bytes.subarray(0, 2)).toArray()).toEqual([false, true]);
    for (const make of [tensor, (x: Uint8Array) => fromTypedArray(x, [3])])
      expect(() => make(bytes)).toThrow("a Uint8Array is bool, and element 2 is 200");
    expect(tensor(bytes, { dtype: "int32" }).toArray()).toEqual([0, 1, 200]);
    const count = compile((x: Tensor) => x.cast("int32").sum());
    expect(() => count(bytes as never)).toThrow("a Uint8Array is bool, and element 2 is 200");
  });

  test("a list that was a shape, or held operands, may be changed afterwards", () => {
    const six = Float32Array.of(1, 2, 3, 4, 5, 6);
    const rowOf = (size: number) => new Array(size).fill(expect.any(Number));
    const made: Record<string, (shape: number[]) => Tensor> = {
      zeros: (shape) => zeros(shape),
      full: (shape) => full(shape, 2),
      normal: (shape) => normal(shape),
      randint: (shape) => randint(0, 5, shape),
      bernoulli: (shape) => bernoulli(shape),
      categorical: (shape) => categorical(shape, { logits: zeros([3]) }),
      fromTypedArray: (shape) => fromTypedArray(six, shape),
      reshape: (shape) => tensor(six).reshape(shape),
      broadcastTo: (shape) => tensor([1, 2, 3]).broadcastTo(shape),
      expand: (shape) => tensor([1, 2, 3]).expand(shape),
      sumTo: (shape) => zeros([4, 2, 3]).sumTo(shape),
    };
    for (const [name, make] of Object.entries(made)) {
      const given = [2, 3];
      const x = make(given);
      const doubled = x.add(x);
      given.splice(0, 2, 3, 1);
      expect([name, x.shape, doubled.shape]).toEqual([name, [2, 3], [2, 3]]);
      expect([name, doubled.toArray()]).toEqual([name, [rowOf(3), rowOf(3)]]);
    }
    const parts = [tensor([1]), tensor([2]), tensor([3])];
    const joined = cat(parts);
    parts[0] = tensor([9]);
    expect(joined.toArray()).toEqual([1, 2, 3]);
  });

  test("sums of bool count, along axes and to a shape", () => {
    const x = tensor([
      [true, false],
      [true, true],
    ]);
    for (const sum of [x.sum(0), x.sumTo([2]), x.sumTo([1, 2]), x.sum([])]) expect(sum.dtype).toBe("int32");
    expect(x.sumTo([2]).toArray()).toEqual([2, 1]);
    expect(x.sumTo([2, 2]).dtype).toBe("int32");
  });

  test("arrays are copied in and out", () => {
    const data = Float32Array.of(1, 2);
    const x = tensor(data);
    data[0] = 9;
    x.toTypedArray()[1] = 9;
    expect(x.toArray()).toEqual([1, 2]);
  });
});

describe("derivatives", () => {
  test("a branch that where switched off cannot poison the gradient, to second order", () => {
    const f = (x: ReturnType<typeof tensor>) => where(x.gt(0), x.sqrt(), 0).sum();
    const x = tensor([0, 4], { dtype: "float64" });
    expect(grad(f(x), [x])[0].toArray()).toEqual([0, 0.25]);
    expect(hessian(f)(x).toArray()).toEqual([
      [0, 0],
      [0, -1 / 32],
    ]);
  });

  test("grad of amax splits ties equally", () => {
    const x = tensor([1, 3, 3]);
    expect(grad(x.amax(), [x])[0].toArray()).toEqual([0, 0.5, 0.5]);
  });

  test("a gradient of a gradient is a graph like any other", () => {
    const x = scalar(2);
    const [first] = grad(x.mul(x).mul(x), [x]);
    const [second] = grad(first, [x]);
    const [third] = grad(second, [x]);
    expect([first.item(), second.item(), third.item()]).toEqual([12, 12, 6]);
  });
});
