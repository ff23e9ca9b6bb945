import {
  checkGradient,
  checkpoint,
  compile,
  DTypeError,
  grad,
  hvp,
  jvp,
  manualSeed,
  normal,
  ones,
  pushforward,
  ShapeError,
  stack,
  type Tensor,
  tanh,
  tensor,
  ValueError,
  valueAndGrad,
  variable,
  vmap,
  withValues,
  zeros,
} from "@cotangent/autograd";
import {
  BatchNorm1d,
  Dropout,
  functionalCall,
  Linear,
  Module,
  Parameter,
  Sequential,
  SGD,
} from "@cotangent/nn";
import { Normal } from "@cotangent/nn/distributions";
import { mse } from "@cotangent/nn/loss";
import { describe, expect, test } from "vitest";

describe("withValues", () => {
  test("is a function of the tensors that stand in, through whatever they are made of", () => {
    const w = variable([1, 2], { name: "w" });
    const loss = () => w.mul(w).mul(w).sum();
    const x = tensor([3, -1]);
    expect(withValues([[w, x]], loss).item()).toBe(26);
    expect(grad(withValues([[w, x]], loss), [x, w]).map((g) => g.toArray())).toEqual([
      [27, 3],
      [0, 0],
    ]);
    expect(grad(withValues([[w, w.mul(2)]], loss), [w])[0].toArray()).toEqual([24, 96]);
    expect(checkGradient((y) => withValues([[w, y.exp()]], loss), [x]).pass).toBe(true);
    expect(withValues([[w, 2]], loss).item()).toBe(16);
    expect(w.toArray()).toEqual([1, 2]);
  });

  test("that throws has changed nothing, also where compile goes on after it", () => {
    const [v, w] = [variable([1, 2]), variable([3, 4])];
    const failing = () => {
      v.assign(v.mul(2));
      return v.add(w).reshape([7]);
    };
    const step = compile((x: Tensor) => {
      expect(() => withValues([[w, x]], failing)).toThrow(ShapeError);
      return v.add(w);
    });
    expect(step(tensor([5, 6])).toArray()).toEqual([4, 6]);
    expect(v.toArray()).toEqual([1, 2]);
  });

  test("takes what is assigned meanwhile, for each example of vmap too", () => {
    const w = variable([1, 2]);
    const f = (x: Tensor) =>
      withValues([[w, x]], () => {
        w.assign(w.mul(2));
        return w.square();
      });
    const rows = tensor([
      [1, 2],
      [3, 4],
      [5, 6],
    ]);
    expect(vmap(f)(rows).toArray()).toEqual(rows.mul(2).square().toArray());
    expect(compile(vmap(f))(rows).toArray()).toEqual(rows.mul(2).square().toArray());
    expect(w.toArray()).toEqual([1, 2]);
  });

  test("ends with the call, also within another and when it throws", () => {
    const w = variable(1);
    const inner = () => withValues([[w, 3]], () => w.mul(1));
    expect(withValues([[w, 2]], () => [w.mul(1), inner(), w.mul(1)]).map((y) => y.item())).toEqual([2, 3, 2]);
    const fails = () => {
      throw new RangeError("no");
    };
    const attempt = () => {
      expect(() => withValues([[w, 2]], fails)).toThrow(RangeError);
      return w.mul(1);
    };
    expect(attempt().item()).toBe(1);
    expect(withValues([[w, 5]], attempt).item()).toBe(5);
  });

  test("gives a variable that is returned as what it stood for", () => {
    const w = variable(1);
    const { a, b } = withValues([[w, 7]], () => ({ a: w, b: [w, null, 3] as const }));
    expect([a.item(), b[0].item(), b[1], b[2]]).toEqual([7, 7, null, 3]);
    expect(compile(() => withValues([[w, 7]], () => w))().item()).toBe(7);
  });

  test("keeps what is assigned to others, and drops what is assigned to these", () => {
    const [w, count] = [variable(1), variable(0)];
    const f = () => {
      count.assign(count.add(1));
      w.assign(w.add(1));
      return w.mul(count);
    };
    expect(withValues([[w, 10]], f).item()).toBe(11);
    const step = compile(() => withValues([[w, 10]], f));
    expect([step().item(), step().item()]).toEqual([22, 33]);
    expect([w.item(), count.item()]).toEqual([1, 3]);
  });

  test("gives derivatives by what a variable stands for, inside", () => {
    const [v, w] = [variable([1, 2]), variable([3, 4])];
    const x = tensor([5, 6]);
    const inside = () => grad(w.square().sum(), [w])[0];
    for (const value of [x, x.add(0)]) expect(withValues([[w, value]], inside).toArray()).toEqual([10, 12]);
    expect(compile((y: Tensor) => withValues([[w, y]], inside))(x).toArray()).toEqual([10, 12]);
    expect(vmap((y: Tensor) => withValues([[w, y]], inside))(stack([x, v])).toArray()).toEqual([
      [10, 12],
      [2, 4],
    ]);
    expect(withValues([[w, x]], () => pushforward(w.square(), [w], [ones([2])])).toArray()).toEqual([10, 12]);
    const both = () => grad(w.mul(v.square()).sum(), [w, v]).map((g) => g.toArray());
    const exchanged = [
      [w, v],
      [v, w],
    ] as const;
    expect(withValues(exchanged, both)).toEqual([
      [9, 16],
      [6, 16],
    ]);
    expect(both()).toEqual([
      [1, 4],
      [6, 16],
    ]);
    withValues(exchanged, () => w.mul(v.square()).sum().backward());
    expect([w.grad, v.grad].map((g) => g!.toArray())).toEqual([
      [6, 16],
      [9, 16],
    ]);
  });

  test("goes through a step that is taken inside", () => {
    const w = variable([3, 4], { dtype: "float64" });
    const adapted = (value: Tensor) =>
      withValues([[w, value]], () => {
        const [g] = grad(w.pow(3).sum(), [w]);
        return withValues([[w, w.sub(g.mul(0.1))]], () => w.square().sum());
      });
    expect(checkGradient(adapted, [tensor([0.5, -1.5], { dtype: "float64" })], { order: 2 }).pass).toBe(true);
    const x = tensor([0.5, -1.5], { dtype: "float64" });
    expect(adapted(x).item()).toBe(x.sub(x.square().mul(3).mul(0.1)).square().sum().item());
    // What was built before means the variable.
    const before = w.square().sum();
    expect(withValues([[w, x]], () => grad(before, [w])[0]).toArray()).toEqual([6, 8]);
  });

  test("reads values, and leaves gradients of others by backward", () => {
    const [w, v] = [variable(1), variable(3)];
    withValues([[w, v.mul(2)]], () => {
      expect(w.item()).toBe(6);
      w.mul(w).backward();
    });
    expect([w.grad, v.grad!.item()]).toEqual([null, 24]);
  });

  test("goes into checkpoint, and into compiled functions", () => {
    const w = variable([0.5, -0.25]);
    const f = (x: Tensor) => tanh(x.mul(w)).mul(w).sum();
    const compiled = compile(f);
    compiled(ones([2]));
    const value = tensor([2, 3]);
    const [plain, ...others] = [f, checkpoint(f), compiled].map((g) => {
      const y = withValues([[w, value]], () => g(ones([2])));
      return [y.item(), grad(y, [value])[0].toArray()];
    });
    expect(others).toEqual([plain, plain]);
  });

  test("refuses what does not fit", () => {
    const w = variable([1, 2], { name: "w" });
    expect(() => withValues([[w, ones([3])]], () => w)).toThrow(ShapeError);
    expect(() => withValues([[w, ones([3])]], () => w)).toThrow(
      "withValues: the value of w: shape [3] does not fit [2]",
    );
    expect(() => withValues([[w, ones([2], { dtype: "float64" })]], () => w)).toThrow(DTypeError);
    for (const wrong of [w, [w], [[ones([2]), w]], null])
      expect(() => withValues(wrong as never, () => w)).toThrow("withValues: takes a list of pairs");
    expect(() => withValues([[w, ones([2])]], () => new Normal(w, 1))).toThrow(
      "withValues: the function returns a Normal, which could use the variables later",
    );
    expect(() => withValues([[w, ones([2])]], async () => w)).toThrow(ValueError);
  });
});

describe("functionalCall", () => {
  const net = () => new Sequential(new Linear(2, 4), tanh, new Linear(4, 1));

  test("takes the second derivatives of a step that is differentiated", () => {
    manualSeed(1);
    const model = net();
    const [x, y, z] = [normal([5, 2]), normal([5, 1]), normal([5, 2])];
    const names = [...model.namedParameters().keys()];
    const adapted = () => {
      const gradients = grad(mse(model.forward(x), y), model.parameters());
      const weights = model.parameters().map((p, i) => p.sub(gradients[i]!.mul(0.3)));
      const values = Object.fromEntries(names.map((name, i) => [name, weights[i]!]));
      return mse(functionalCall(model, values, z), y);
    };
    // The same by hand.
    const [w1, b1, w2, b2] = model.parameters();
    const forward = ([w1, b1, w2, b2]: readonly Tensor[], x: Tensor) =>
      tanh(x.matmul(w1!.transpose()).add(b1!)).matmul(w2!.transpose()).add(b2!);
    const own = [w1!, b1!, w2!, b2!];
    const inner = grad(mse(forward(own, x), y), own);
    const after = own.map((p, i) => p.sub(inner[i]!.mul(0.3)));
    const expected = grad(mse(forward(after, z), y), own).map((g) => g.toArray());
    const found = grad(adapted(), model.parameters()).map((g) => g.toArray());
    expect(found.flat(3).map(Number)).toEqual(expected.flat(3).map((v) => expect.closeTo(Number(v), 5)));
    const optimizer = new SGD(model.parameters(), { lr: 0.1 });
    const step = compile(() => {
      const loss = adapted();
      optimizer.step(loss);
      return loss;
    });
    const before = adapted().item();
    expect(step().item()).toBe(before);
    expect(step().item()).toBeLessThan(before);
  });

  test("makes a model a function of its weights for every transform", () => {
    manualSeed(2);
    const model = net();
    const x = normal([3, 2]);
    const weights = Object.fromEntries(model.namedParameters());
    const loss = (values: Readonly<Record<string, Tensor>>) =>
      functionalCall(model, values, x).square().sum();
    const [value, g] = valueAndGrad(loss)(weights);
    expect(value.item()).toBe(model.forward(x).square().sum().item());
    expect(g["2.weight"]!.toArray()).toEqual(
      grad(model.forward(x).square().sum(), [model.parameters()[2]!])[0].toArray(),
    );
    const along = Object.fromEntries(Object.entries(weights).map(([name, w]) => [name, normal(w.shape)]));
    const [, slope] = jvp(loss)(weights, along);
    const expected = Object.entries(along).reduce((sum, [name, t]) => sum + t.mul(g[name]!).sum().item(), 0);
    expect(slope.item()).toBeCloseTo(expected, 3);
    expect(hvp(loss)(weights, along)["0.bias"]!.shape).toEqual([4]);
  });

  test("runs several models at once", () => {
    manualSeed(3);
    const models = [net(), net(), net()];
    const x = normal([4, 2]);
    const stacked = Object.fromEntries(
      [...models[0]!.namedParameters().keys()].map((name) => [
        name,
        stack(models.map((model) => model.namedParameters().get(name)!)),
      ]),
    );
    const all = vmap((values: typeof stacked) => functionalCall(models[0]!, values, x))(stacked);
    models.forEach((model, i) => {
      expect(all.at(i).sub(model.forward(x)).abs().amax().item()).toBeLessThan(1e-6);
    });
  });

  test("leaves buffers that are given alone, and changes those that are not", () => {
    const model = new BatchNorm1d(2);
    const x = tensor([
      [1, 2],
      [3, 6],
    ]);
    const values = new Map([
      ["weight", tensor([2, 2])],
      ["runningMean", zeros([2])],
    ]);
    const y: Tensor = functionalCall(model, values, x);
    expect(y.round().reshape([4]).toArray()).toEqual([-2, -2, 2, 2]);
    expect(model.namedBuffers().get("runningMean")!.toArray()).toEqual([0, 0]);
    expect(model.namedBuffers().get("runningVar")!.at(0).item()).toBeCloseTo(1.1);
    expect(model.namedBuffers().get("numBatchesTracked")!.item()).toBe(1);
  });

  test("draws on", () => {
    const model = new Dropout(0.5);
    const [a, b] = [1, 2].map(() => functionalCall(model, {}, ones([64])).toArray());
    expect(a).not.toEqual(b);
  });

  test("refuses names that there are not", () => {
    class Scale extends Module {
      factor = new Parameter(ones([]));
      forward(x: Tensor): Tensor {
        return x.mul(this.factor);
      }
    }
    expect(() => functionalCall(new Scale(), { weight: ones([]) }, ones([2]))).toThrow(
      "functionalCall: Scale has no weight; the names are factor",
    );
    expect(() => functionalCall(new Scale(), { factor: ones([2]) }, ones([2]))).toThrow(ShapeError);
  });
});
