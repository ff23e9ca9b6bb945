import {
  CompileError,
  compile,
  explain,
  Generator,
  grad,
  IndexError,
  manualSeed,
  normal,
  ones,
  Setting,
  type Tensor,
  tensor,
  variable,
} from "@cotangent/autograd";
import { AdamW, BatchNorm1d, Dropout, EMA, Linear, Sequential } from "@cotangent/nn";
import { describe, expect, test, vi } from "vitest";
import { historyOf } from "../../packages/autograd/src/compiled.ts";
import { elementsOf } from "../../packages/autograd/src/graph.ts";
import { Program } from "../../packages/autograd/src/runner.ts";

const counted = (n: number): Tensor => tensor(Array.from({ length: n }, (_, i) => i + 1));

/** How a compiled function would run the forms that it has seen, the last one first. */
const runnersOf = (f: object): string[] =>
  historyOf(f)!.programs.map((x) => (x instanceof Program ? "program" : "evaluator"));

/** A step of momentum over sequences of any length, and the same without `compile`. */
function steps(): { compiled: (x: Tensor) => Tensor; plain: (x: Tensor) => Tensor; state: () => number[] } {
  const make = () => {
    const [w, velocity] = [variable([0.5, -0.25]), variable([0, 0])];
    const step = (x: Tensor): Tensor => {
      const loss = x.reshape([-1, 1]).mul(w).sin().square().mean();
      const [g] = grad(loss, [w]);
      velocity.assign(velocity.mul(0.9).add(g));
      w.assign(w.sub(velocity.mul(0.1)));
      return loss;
    };
    return { step, state: () => [...w.toTypedArray(), ...velocity.toTypedArray()] };
  };
  const [a, b] = [make(), make()];
  const compiled = compile(a.step);
  return {
    compiled,
    plain: b.step,
    state: () => {
      expect(a.state()).toEqual(b.state());
      return a.state();
    },
  };
}

describe("forms of arguments that change at each call", () => {
  test("are evaluated once three programs ran once each, and compiled when they come again", () => {
    const f = compile((x: Tensor) => x.exp().sum());
    for (const n of [1, 2, 3, 4, 5]) f(counted(n));
    expect(runnersOf(f)).toEqual(["evaluator", "evaluator", "program", "program", "program"]);
    expect(f(counted(4)).item()).toBe(counted(4).exp().sum().item());
    expect(runnersOf(f)).toEqual(["program", "evaluator", "program", "program", "program"]);
    for (const n of [1, 2, 3, 5]) f(counted(n));
    f(counted(6));
    expect(runnersOf(f)[0]).toBe("program");
  });

  test("give the bits of a plain loop, whatever runs them", () => {
    const { compiled, plain, state } = steps();
    for (const n of [3, 3, 4, 5, 6, 7, 8, 7, 3, 9, 9, 10, 3, 10])
      expect(compiled(counted(n)).item()).toBe(plain(counted(n)).item());
    state();
  });

  test("go on with versions that a program holds, and leave theirs to programs", () => {
    const { compiled, plain, state } = steps();
    const states: number[][] = [];
    for (const n of [1, 2, 3, 4, 1, 5, 5, 6]) {
      compiled(counted(n));
      plain(counted(n));
      states.push(state());
    }
    expect(new Set(states.map(String)).size).toBe(states.length);
  });

  test("train a model with dropout, running statistics and averages as a plain loop does", () => {
    const train = (wrap: <F extends (x: Tensor) => Tensor>(f: F) => F) => {
      manualSeed(5);
      const model = new Sequential(new Linear(3, 8), new BatchNorm1d(8), new Dropout(0.3), new Linear(8, 1));
      const optimizer = new AdamW(model.parameters(), { lr: 0.01 });
      const ema = new EMA(model.parameters(), { decay: 0.9 });
      const step = wrap((x: Tensor) => {
        optimizer.zeroGrad();
        const loss = model.forward(x).square().mean();
        loss.backward();
        optimizer.step();
        ema.update();
        return loss;
      });
      const losses = [2, 5, 3, 4, 5, 6, 2, 7, 7, 9, 2, 8].map((n, i) => {
        const loss = step(normal([n, 3])).item();
        if (i % 5 > 0) return loss;
        model.eval();
        const evaluated = model.forward(ones([1, 3])).item();
        model.train();
        return evaluated;
      });
      return { losses, state: Object.values(model.stateDict()).map((x) => x.toArray()), step };
    };
    const [plain, compiled] = [train((f) => f), train((f) => compile(f) as unknown as typeof f)];
    expect(compiled.losses).toEqual(plain.losses);
    expect(compiled.state).toEqual(plain.state);
    expect(new Set(runnersOf(compiled.step))).toEqual(new Set(["program", "evaluator"]));
  });

  test("draw what a plain loop draws", () => {
    const [a, b] = [new Generator(3), new Generator(3)];
    const f = compile((x: Tensor) => x.add(normal(x.shape, { generator: a })));
    for (const n of [1, 2, 3, 4, 5, 4, 6])
      expect(f(counted(n)).toArray()).toEqual(
        counted(n)
          .add(normal([n], { generator: b }))
          .toArray(),
      );
  });

  test("are numbers, typed arrays that may be written to afterwards, and trees", () => {
    const f = compile((x: { a: Tensor; k: Tensor }, mask: Tensor) => ({
      sum: x.a.mul(x.k).mul(mask).sum(),
      all: [mask],
    }));
    const call = f as unknown as (x: unknown, mask: Uint8Array) => { sum: Tensor; all: Tensor[] };
    for (const n of [1, 2, 3, 4, 5]) {
      const mask = new Uint8Array(n).fill(1);
      const { sum, all } = call({ a: counted(n), k: 2 }, mask);
      mask.fill(0);
      expect([sum.item(), all[0]!.toArray()]).toEqual([n * (n + 1), new Array(n).fill(true)]);
    }
    expect(runnersOf(f)[0]).toBe("evaluator");
  });

  test("leave gradients where backward does", () => {
    const w = variable([2]);
    const f = compile((x: Tensor) => {
      w.grad = null;
      x.mul(w).sum().backward();
    });
    for (const n of [1, 2, 3, 4, 5]) {
      f(counted(n));
      expect(w.grad?.toArray()).toEqual([(n * (n + 1)) / 2]);
    }
  });

  test("change nothing if the call throws, and say where", () => {
    const w = variable([1, 2, 3]);
    const f = compile((x: Tensor) => {
      w.assign(w.add(1));
      return w.gather(0, x.cast("int32")).sum();
    });
    for (const n of [1, 2]) f(counted(n));
    f(tensor([0, 0, 0]));
    const before = w.toArray();
    expect(() => f(counted(4))).toThrow(IndexError);
    expect(w.toArray()).toEqual(before);
    expect(f(tensor([0, 0, 0, 0])).item()).toBe(4 * (Number(before[0]) + 1));
  });

  test("are run after what is pending, which may fail", () => {
    const w = variable([1, 2]);
    const f = compile((x: Tensor) => {
      w.assign(x.sum().mul(tensor([1, 1])));
    });
    for (const n of [1, 2, 3]) f(counted(n));
    for (const _ of f.prepare(counted(4)));
    expect(runnersOf(f)[0]).toBe("evaluator");
    w.assign(w.gather(0, tensor([0, 5]).add(0).cast("int32")));
    expect(() => f(counted(4))).toThrow(IndexError);
    expect(w.toArray()).toEqual([6, 6]);
    f(counted(4));
    expect(w.toArray()).toEqual([10, 10]);
  });

  test("read no values", () => {
    const f = compile((x: Tensor) => (x.size > 3 ? x.mul(x.sum().item()) : x.neg()));
    for (const n of [1, 2, 3]) f(counted(n));
    expect(() => f(counted(4))).toThrow(CompileError);
  });

  test("have results without history", () => {
    const f = compile((x: Tensor) => x.square());
    const x = counted(4);
    for (const n of [1, 2, 3]) f(counted(n));
    const y = f(x);
    expect(runnersOf(f)[0]).toBe("evaluator");
    expect([y.inputs, () => grad(y.sum(), [x], { unused: "error" })[0]]).toEqual([[], expect.any(Function)]);
    expect(() => grad(y.sum(), [x], { unused: "error" })).toThrow(
      "depends on a tensor of shape [4] through what a compiled function returned",
    );
  });

  test("are forms of settings too", () => {
    const mode = new Setting(0, "the mode");
    const f = compile((x: Tensor) => x.mul(mode.value));
    for (const value of [1, 2, 3, 4, 5]) {
      mode.value = value;
      expect(f(counted(2)).toArray()).toEqual([value, 2 * value]);
    }
    expect(runnersOf(f)[0]).toBe("evaluator");
    mode.value = 1;
    expect(f(counted(2)).toArray()).toEqual([1, 2]);
  });

  test("are prepared as they will be run", () => {
    let traced = 0;
    const f = compile((x: Tensor) => {
      traced++;
      return x.exp();
    });
    for (const n of [6, 7, 8, 9]) for (const _ of f.prepare(counted(n)));
    expect(runnersOf(f)).toEqual(["program", "program", "program", "program"]);
    for (const n of [1, 2, 3]) f(counted(n));
    traced = 0;
    for (let i = 0; i < 2; i++) {
      for (const _ of f.prepare(counted(4)));
      expect(runnersOf(f)[0]).toBe(["evaluator", "program"][i]);
      expect(f(counted(4)).toArray()).toEqual(counted(4).exp().toArray());
      expect([runnersOf(f)[0], traced]).toEqual([["evaluator", "program"][i], 1]);
    }
  });

  test("do not mind what happens while one is prepared", () => {
    const f = compile((x: Tensor) => x.exp());
    for (const n of [1, 2, 3, 4]) f(counted(n));
    let now = 0;
    vi.spyOn(Date, "now").mockImplementation(() => (now += 20));
    const steps = f.prepare(counted(4));
    expect(steps.next().done).toBe(false);
    for (let n = 5; n < 80; n++) f(counted(n));
    for (const _ of steps);
    vi.restoreAllMocks();
    expect(runnersOf(f)[0]).toBe("program");
    expect(runnersOf(f)).toHaveLength(64);
    expect(f(counted(4)).toArray()).toEqual(counted(4).exp().toArray());
    expect(f(counted(20)).toArray()).toEqual(counted(20).exp().toArray());
  });

  test("keep no elements", () => {
    const f = compile((x: Tensor) => x.exp().neg());
    for (const n of [1, 2, 3, 4]) f(counted(n));
    const { graph } = historyOf(f)!.programs[0]!.traced;
    expect(explain(f)).toContain("evaluated   without a program, since the last forms ran once each");
    expect(explain(f)).toContain("4 traces, 3 programs held of at most 64, 1 form evaluated without one\n");
    expect(explain(f)).toContain("argument 0 was float32[3], is float32[4]");
    expect([...graph.inputs, ...graph.outputs].map(elementsOf)).toEqual([null, null]);
  });
});
