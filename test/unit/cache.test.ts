import {
  assignAll,
  cat,
  cholesky,
  compile,
  evaluate,
  eye,
  fromTypedArray,
  gather,
  grad,
  IndexError,
  indexSelect,
  manualSeed,
  scalar,
  type Tensor,
  tensor,
  uniform,
  type Variable,
  variable,
  zeros,
} from "@cotangent/autograd";
import { Adam, SGD } from "@cotangent/nn";
import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { Cache, type CacheOptions } from "../../packages/autograd/src/cache.ts";
import { withCache } from "../../packages/autograd/src/evaluate.ts";

/** Runs `f` with a cache of its own, which compiles at second sight unless told otherwise. */
function cached<T>(f: (cache: Cache) => T, options: CacheOptions = { patience: 0 }): T {
  const cache = new Cache(options);
  return withCache(cache, () => f(cache));
}

const bytesOf = ({ entries }: Cache): number =>
  entries.reduce((sum, { routine }) => sum + (routine?.bytes ?? 0), 0);

const interpreted = <T>(f: () => T): T => withCache(null, f);

const x = tensor([
  [0, 0],
  [0, 1],
  [1, 0],
  [1, 1],
]);
const y = tensor([[0], [1], [1], [0]]);

/** A 2-3-1 network with the weights of a seed. */
function network(seed: number): { parameters: Variable[]; predict: (x: Tensor) => Tensor } {
  manualSeed(seed);
  const parameter = (shape: number[]): Variable => variable(uniform(shape, { low: -1, high: 1 }));
  const [w1, b1, w2, b2] = [parameter([2, 3]), parameter([3]), parameter([3, 1]), parameter([1])];
  const predict = (input: Tensor) => input.matmul(w1).add(b1).sigmoid().matmul(w2).add(b2).sigmoid();
  return { parameters: [w1, b1, w2, b2], predict };
}

const lossOf = (predicted: Tensor, target: Tensor): Tensor => predicted.sub(target).square().mean();
const numbersOf = (parameters: readonly Tensor[]) => parameters.map((p) => p.toTypedArray());

describe("a plain training loop gives the bits of the interpreter", () => {
  test("with SGD and a learning rate that changes, in one program", () => {
    const train = () => {
      const { parameters, predict } = network(1);
      const optimizer = new SGD(parameters, { lr: 0.5 });
      const losses = Array.from({ length: 50 }, (_, i) => {
        const loss = lossOf(predict(x), y);
        loss.backward();
        optimizer.lr = 0.5 / (1 + i);
        optimizer.step();
        optimizer.zeroGrad();
        return loss.item();
      });
      return [losses, numbersOf(parameters)];
    };
    const expected = interpreted(train);
    cached((cache) => {
      expect(train()).toEqual(expected);
      expect(cache.runs).toBeGreaterThanOrEqual(48);
      expect(cache.compiled).toBe(1);
    });
  });

  test("with gradients that add up, computed all at once", () => {
    const train = () => {
      const { parameters, predict } = network(1);
      const optimizer = new SGD(parameters, { lr: 0.5 });
      const losses = Array.from({ length: 50 }, () => {
        optimizer.zeroGrad();
        const [first, second] = [lossOf(predict(x), y), lossOf(predict(x.mul(0.5)), y)];
        first.backward();
        second.backward();
        optimizer.step();
        return second.item();
      });
      return [losses, numbersOf(parameters)];
    };
    const expected = interpreted(train);
    cached((cache) => {
      expect(train()).toEqual(expected);
      expect(cache.compiled).toBe(2); // what is added to, and the rest of the step
    });
  });

  test("with Adam, whose corrections change at each step", () => {
    const train = () => {
      const { parameters, predict } = network(2);
      const optimizer = new Adam(parameters, { lr: 0.05 });
      const losses = Array.from({ length: 50 }, () => {
        const loss = lossOf(predict(x), y);
        optimizer.step(loss);
        return loss.item();
      });
      return [losses, numbersOf(parameters)];
    };
    const expected = interpreted(train);
    cached((cache) => {
      expect(train()).toEqual(expected);
      expect(cache.compiled).toBe(1);
    });
  });

  test("with a number that is written into the graph, and slices that move", () => {
    const train = () => {
      const { parameters, predict } = network(3);
      return Array.from({ length: 50 }, (_, i) => {
        const rows: [number, number] = [i % 3, (i % 3) + 2];
        const loss = lossOf(predict(x.slice(...rows)), y.slice(...rows));
        const gradients = grad(loss, parameters);
        assignAll(parameters.map((p, k) => [p, p.sub(gradients[k]!.mul(0.3 / (i + 1)))]));
        return loss.item();
      });
    };
    const expected = interpreted(train);
    cached((cache) => {
      expect(train()).toEqual(expected);
      expect(cache.compiled).toBe(1);
      expect(cache.runs).toBe(49);
    });
  });

  test("with batches that are drawn from the data by their indices", () => {
    const train = () => {
      const { parameters, predict } = network(4);
      const data = uniform([20, 2]);
      return Array.from({ length: 20 }, (_, i) => {
        const index = tensor([i % 20, (7 * i) % 20, (3 * i) % 20], { dtype: "int32" });
        const loss = predict(indexSelect(data, 0, index)).sum();
        const gradients = grad(loss, parameters);
        assignAll(parameters.map((p, k) => [p, p.sub(gradients[k]!.mul(0.1))]));
        return loss.item();
      });
    };
    const expected = interpreted(train);
    cached((cache) => {
      expect(train()).toEqual(expected);
      // The second step computes the data along and keeps them: its graph is one of its own.
      expect(cache.runs).toBeGreaterThanOrEqual(17);
    });
  });
});

describe("what is compiled", () => {
  const f = (v: Tensor) => v.add(1).mul(v).tanh().sum().item();

  test("at first sight what would take long, and keeps a large program from the second on", () => {
    const sizes = [1_500_000, 1_500_000, 5_000_000, 5_000_000, 5_000_000, 100];
    const draw = (size: number) => uniform([size]).add(1).toTypedArray().slice(-100);
    manualSeed(1);
    const expected = sizes.map(draw);
    manualSeed(1);
    cached((cache) => {
      const seen = sizes.map((size) => {
        const elements = draw(size);
        return { elements, counts: [cache.compiled, cache.entries.length, cache.runs] };
      });
      expect(seen.map(({ elements }) => elements)).toEqual(expected);
      expect(seen.map(({ counts }) => counts)).toEqual([
        [1, 1, 1],
        [1, 1, 2],
        [2, 1, 3],
        [3, 2, 4],
        [3, 2, 5],
        [3, 2, 5],
      ]);
    }, {});
  });

  test("nothing at first sight when such programs do not run again", () => {
    cached(
      (cache) => {
        const see = (sizes: readonly number[]) => {
          for (const size of sizes) f(zeros([size]).add(1));
          return cache.compiled;
        };
        expect(see([10_000, 10_001, 10_002, 10_003])).toBe(3);
        expect(see([10_001, 10_004])).toBe(4);
        // The second was used, and the last one was not.
        expect(see([10_005, 1_000_000])).toBe(4);
        expect(see([10_002, 10_006])).toBe(5);
      },
      { patience: Infinity, atOnce: 500 },
    );
  });

  test("nothing at first sight, and then once", () => {
    cached((cache) => {
      f(tensor([1, 2, 3]));
      expect([cache.compiled, cache.runs]).toEqual([0, 0]);
      f(tensor([4, 5, 6]));
      expect([cache.compiled, cache.runs]).toEqual([1, 1]);
      f(tensor([7, 8, 9]));
      expect([cache.compiled, cache.runs]).toEqual([1, 2]);
    });
  });

  test("reductions count the elements that they go through", () => {
    const x = zeros([2000, 1000]).add(0.5);
    evaluate(x);
    for (const reduced of [() => x.sum(), () => x.sum(0), () => x.mean(1), () => x.argmax(1)])
      cached(
        (cache) => {
          for (let i = 0; i < 3; i++) evaluate(reduced());
          expect(cache.compiled).toBe(1);
        },
        { atOnce: Infinity },
      );
  });

  test("small graphs after many sights, large ones at the second", () => {
    cached(
      (cache) => {
        for (let i = 0; i < 20; i++) f(tensor([1, 2, i]));
        expect(cache.compiled).toBe(0);
        const large = zeros([300, 300]).add(0.5);
        evaluate(large);
        for (let i = 0; i < 2; i++) large.matmul(large).matmul(large).sum().item();
        expect(cache.compiled).toBe(1);
      },
      { atOnce: Infinity },
    );
  });

  test("one program for each shape and dtype", () => {
    cached((cache) => {
      const inputs = [
        tensor([1, 2]),
        tensor([1, 2, 3]),
        tensor([[1, 2]]),
        tensor([1, 2], { dtype: "float64" }),
      ];
      for (const v of [...inputs, ...inputs, ...inputs]) expect(f(v)).toBe(interpreted(() => f(v)));
      expect([cache.compiled, cache.runs]).toEqual([4, 8]);
    });
  });

  test("one program for each op, attribute and number that formulas are made of", () => {
    const v = tensor([
      [0.5, 0.25],
      [3, 4],
    ]);
    const graphs = [
      () => v.sin().add(1).sum(0),
      () => v.cos().add(1).sum(0),
      () => v.sin().add(1).sum(1),
      () => v.sin().add(2).sum(0),
      () => v.sin().add(-1).sum(0),
      () => v.sin().mul(0).sum(0),
      () => v.sin().mul(-0).sum(0),
    ];
    cached((cache) => {
      for (let i = 0; i < 3; i++)
        for (const graph of graphs)
          expect(graph().toTypedArray()).toEqual(interpreted(() => graph().toTypedArray()));
      expect([cache.compiled, cache.runs]).toEqual([7, 14]);
    });
  });

  test("sharing is told apart from equal duplicates", () => {
    const v = variable([1, 2]);
    const shared = () => {
      const t = v.tanh().exp();
      return t.mul(t).sum();
    };
    const twice = () => v.tanh().exp().mul(v.tanh().exp()).sum();
    cached((cache) => {
      for (let i = 0; i < 2; i++) expect(shared().item()).toBe(twice().item());
      expect([cache.compiled, cache.runs]).toEqual([2, 2]);
    });
  });

  test("and which nodes are wanted, and which are new versions", () => {
    const v = variable([1, 2]);
    const w = variable([1, 2]);
    const build = () => v.mul(3).tanh().add(w).exp();
    cached((cache) => {
      for (let i = 0; i < 2; i++) {
        build().toArray();
        v.assign(build());
        v.toArray();
        w.assign(build());
        w.toArray();
      }
      expect([cache.compiled, cache.runs]).toEqual([3, 3]);
    });
  });

  test("the programs are bounded, and the one that was used last stays", () => {
    const shapes = Array.from({ length: 12 }, (_, i) => uniform([i + 1]));
    evaluate(...shapes);
    cached(
      (cache) => {
        for (let i = 0; i < 3; i++)
          for (const v of shapes) {
            f(shapes[0]!);
            f(v);
          }
        expect(cache.entries.length).toBe(4);
        expect(cache.compiled).toBe(12);
      },
      { patience: 0, limit: 4 },
    );
  });

  test("large parts of held elements that overlap are taken of the whole, with the interpreter's bits", () => {
    const u = uniform([300, 300]);
    evaluate(u);
    const around = () => {
      const rows = [0, 1, 2, 3, 4, 5].map((start) => u.slice(start, start + 290));
      return rows.reduce((sum, x) => sum.mul(0.5).add(x)).sum();
    };
    const expected = interpreted(() => around().item());
    cached((cache) => {
      for (let i = 0; i < 3; i++) expect(around().item()).toBe(expected);
      expect([cache.compiled, cache.runs]).toEqual([1, 2]);
      // One part and the whole, 708,000 bytes, instead of six parts.
      expect(bytesOf(cache)).toBeLessThan(1_200_000);
    });
  });

  test("batches of 64 lengths that take turns are compiled once each", () => {
    const batches = Array.from({ length: 64 }, (_, i) => uniform([i + 1]));
    evaluate(...batches);
    cached((cache) => {
      for (let i = 0; i < 3; i++) for (const batch of batches) f(batch);
      expect(cache.compiled).toBe(64);
    });
  });

  test("and bounded in memory, but the newest stays", () => {
    cached(
      (cache) => {
        for (const size of [10, 100_000, 200_000, 20])
          for (let i = 0; i < 2; i++)
            fromTypedArray(new Float32Array(size), [size]).add(0.5).tanh().sum().item();
        expect(cache.compiled).toBe(4);
        expect(cache.entries.length).toBe(2);
        expect(bytesOf(cache)).toBeLessThan(1e6);
      },
      { patience: 0, bytes: 1e6 },
    );
  });

  test("data of which a part is used stay outside", () => {
    const data = uniform([50_000, 10]);
    data.toTypedArray();
    const index = tensor([5, 49_999, 7], { dtype: "int32" });
    cached((cache) => {
      for (let i = 0; i < 3; i++) {
        const part = () =>
          data
            .reshape([50_000, 5, 2])
            .slice(100 * i, 100 * i + 3)
            .add(1)
            .tanh()
            .sum()
            .item();
        const rows = () => indexSelect(data, 0, index).tanh().sum().item();
        const expected = interpreted(() => part() + rows());
        expect(part() + rows()).toBe(expected);
      }
      expect([cache.compiled, cache.runs]).toEqual([2, 4]);
      expect(bytesOf(cache)).toBeLessThan(300_000);
    });
  });

  test("opaque ops too, and what they throw tells the line of this graph", () => {
    cached((cache) => {
      const factor = (k: number) => cholesky(eye(2).mul(k).add(0.5).mul(2));
      for (let i = 0; i < 4; i++)
        expect(factor(i + 4).toArray()).toEqual(interpreted(() => factor(i + 4).toArray()));
      expect([cache.compiled, cache.runs]).toEqual([1, 3]);
      const bad = factor(-3);
      expect(() => bad.toArray()).toThrow(/not positive definite.*; made at .*cache\.test/);
      expect([cache.compiled, cache.runs]).toEqual([1, 3]);
    });
  });

  test("nothing where WebAssembly is not allowed", () => {
    vi.stubGlobal("WebAssembly", undefined);
    try {
      cached((cache) => {
        for (let i = 0; i < 4; i++) f(tensor([1, 2, 3]));
        expect(cache.compiled).toBe(0);
      });
    } finally {
      vi.unstubAllGlobals();
    }
  });
});

describe("what is returned", () => {
  test("are arrays of their own", () => {
    cached((cache) => {
      const v = tensor([1, 2]);
      const results = [1, 2, 3, 4].map((i) =>
        v
          .add(i + 0.5)
          .tanh()
          .mul(10),
      );
      const read = results.map((t) => t.toArray());
      expect(cache.runs).toBe(3);
      expect(results.map((t) => t.toArray())).toEqual(read);
      expect(new Set(read.map(String)).size).toBe(4);
    });
  });

  test("an expression means the version that it was built on, after updates in place too", () => {
    cached((cache) => {
      const w = variable([1, 2]);
      const olds: Tensor[] = [];
      for (let i = 0; i < 6; i++) {
        olds.push(w.mul(10).add(1));
        w.assign(w.mul(2).add(0.5).sub(0.5));
        expect(w.toArray()).toEqual([2 ** (i + 1), 2 ** (i + 2)]);
      }
      expect(cache.runs).toBeGreaterThan(3);
      expect(olds.map((t) => t.toArray())).toEqual(olds.map((_, i) => [10 * 2 ** i + 1, 20 * 2 ** i + 1]));
    });
  });

  test("two programs that share variables see each other's updates", () => {
    const run = () => {
      const { parameters, predict } = network(5);
      const other = uniform([3, 2]);
      return Array.from({ length: 12 }, (_, i) => {
        const loss = lossOf(predict(x), y);
        const gradients = grad(loss, parameters);
        assignAll(parameters.map((p, k) => [p, p.sub(gradients[k]!.mul(0.5))]));
        if (i % 3 === 1) loss.item();
        if (i % 5 === 4) parameters[0]!.assign(zeros([2, 3]).add(0.1));
        return predict(other).toTypedArray();
      });
    };
    const expected = interpreted(run);
    cached((cache) => {
      expect(run()).toEqual(expected);
      expect(cache.runs).toBeGreaterThan(8);
    });
  });

  test("a plain loop and a compiled function share variables", () => {
    const run = () => {
      const w = variable([1, 2]);
      const step = compile(() => w.assign(w.mul(1.5).add(1)));
      return Array.from({ length: 8 }, () => {
        w.assign(w.sin().mul(3).add(1));
        step();
        return w.cos().mul(2).add(1).toTypedArray();
      });
    };
    const expected = interpreted(run);
    cached((cache) => {
      expect(run()).toEqual(expected);
      expect(cache.runs).toBeGreaterThan(8);
    });
  });
});

describe("a failing update", () => {
  const step = (a: Variable, b: Variable, at: number): void => {
    const index = variable(tensor([0, at], { dtype: "int32" }));
    a.assign(a.mul(2).add(1));
    b.assign(gather(b, 0, index.add(0)).mul(1));
  };

  test("changes no variable, and the program goes on", () => {
    cached((cache) => {
      const [a, b] = [variable([1, 2]), variable([3, 4])];
      for (let i = 0; i < 3; i++) {
        step(a, b, 1);
        a.toArray();
      }
      expect(cache.runs).toBe(2);
      const before = [a.toArray(), b.toArray()];
      step(a, b, 7);
      expect(() => a.toArray()).toThrow(/index 7 .*cache\.test/s);
      expect([a.toArray(), b.toArray()]).toEqual(before);
      step(a, b, 7);
      expect(() => b.toArray()).toThrow(IndexError);
      step(a, b, 0);
      expect(a.toArray()).toEqual([31, 47]);
      expect(b.toArray()).toEqual([3, 3]);
      expect(cache.runs).toBe(3);
    });
  });
});

describe("any interleaving of updates and readings", () => {
  type Action = readonly [kind: number, a: number, b: number];

  /** What the readings gave, for a list of actions on three variables. */
  function play(actions: readonly Action[]): unknown[] {
    const v: Variable[] = [variable([1, 2, 3]), variable([0.5, -1, 2]), variable([[1], [2]])];
    const data = tensor([
      [1, 2, 3],
      [4, 5, 6],
      [7, 8, 9],
    ]);
    const held: Tensor[] = [];
    const seen: unknown[] = [];
    for (const [kind, i, j] of actions) {
      const [a, b, c] = [v[i % 2]!, v[j % 2]!, v[2]!];
      const mixed = () =>
        a
          .mul(b)
          .add(0.1 * j)
          .tanh()
          .add(c)
          .mul(0.5)
          .sum(0);
      if (kind === 0) a.assign(mixed());
      else if (kind === 1) seen.push(mixed().toArray());
      else if (kind === 2) held.push(mixed());
      else if (kind === 3 && held.length > 0) seen.push(held[j % held.length]!.toArray());
      else if (kind === 4) {
        const loss = a
          .mul(data.slice(j % 3, (j % 3) + 1))
          .add(b)
          .square()
          .mean();
        loss.backward();
        if (a.grad) a.assign(a.sub(a.grad.mul(0.01 * (1 + j))));
        for (const variable of v) variable.grad = null;
        seen.push(loss.item());
      } else if (kind === 5)
        assignAll([
          [a, b.add(0)],
          [c, c.mul(a.sum()).tanh()],
        ]);
      else if (kind === 6) a.assign(j - 3.5);
      else if (kind === 7)
        assignAll([
          [v[0]!, v[1]!],
          [v[1]!, v[0]!],
        ]);
      else seen.push(cat([a, b]).add(c.sum()).mul(2).toArray());
    }
    return [seen, ...v.map((w) => w.toArray()), ...held.map((t) => t.toArray())];
  }

  test("gives the bits of the interpreter", () => {
    const action = fc.tuple(fc.nat(8), fc.nat(1), fc.nat(3));
    let runs = 0;
    fc.assert(
      fc.property(fc.array(action, { minLength: 5, maxLength: 40 }), (actions) => {
        const expected = interpreted(() => play(actions));
        cached((cache) => {
          expect(play(actions)).toEqual(expected);
          expect(play(actions)).toEqual(expected);
          runs += cache.runs;
        });
      }),
      { numRuns: 40 },
    );
    expect(runs).toBeGreaterThan(300);
  }, 120_000);
});

test("a few small nodes are interpreted, large ones are not", () => {
  cached((cache) => {
    for (let i = 0; i < 4; i++) expect(scalar(i).mul(2).item()).toBe(2 * i);
    expect(cache.runs).toBe(0);
    const large = zeros([40, 40]).add(1);
    large.toTypedArray();
    for (let i = 0; i < 4; i++) expect(large.matmul(large).toTypedArray()[7]).toBe(40);
    expect(cache.runs).toBe(3);
  });
});
