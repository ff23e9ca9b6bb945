import {
  compile,
  GradientError,
  manualSeed,
  normal,
  ones,
  ShapeError,
  type Tensor,
  tensor,
  ValueError,
  type Variable,
  variable,
} from "@cotangent/autograd";
import {
  Adam,
  accumulate,
  clipByNorm,
  clipByValue,
  clipGradNorm,
  clipGradValue,
  EMA,
  Linear,
  lookahead,
  Optimizer,
  SGD,
  type Stage,
  scaleByAdam,
  scaleByLearningRate,
  sharpnessAware,
  trace,
} from "@cotangent/nn";
import { describe, expect, test } from "vitest";

describe("clipGradNorm", () => {
  const reached = () => {
    const [a, b, unused] = [variable([1, 2]), variable(2, { dtype: "float64" }), variable(7)];
    a.sum().mul(2).cast("float64").add(b.mul(1)).backward();
    return { a, b, unused, all: [a, b, unused] as Variable[] };
  };

  test("returns the norm of all gradients and shortens them by one factor, as PyTorch does", () => {
    const { a, b, unused, all } = reached();
    const norm = clipGradNorm(all, 1.5);
    expect([norm.item(), norm.shape]).toEqual([expect.closeTo(3, 6), []]);
    expect(a.grad!.toArray()).toEqual([expect.closeTo(1, 6), expect.closeTo(1, 6)]);
    expect(b.grad!.item()).toBeCloseTo(1.5 / (3 + 1e-6), 7);
    expect(unused.grad).toBeNull();
    expect([a.grad!.dtype, b.grad!.dtype]).toEqual(["float32", "float64"]);
  });

  test("leaves shorter gradients as they are", () => {
    const { a, all } = reached();
    expect(clipGradNorm(all, 100).item()).toBeCloseTo(3, 6);
    expect(a.grad!.toArray()).toEqual([2, 2]);
  });

  test("knows other norms", () => {
    expect(clipGradNorm(reached().all, 1, { normType: Number.POSITIVE_INFINITY }).item()).toBe(2);
    expect(clipGradNorm(reached().all, 1, { normType: 1 }).item()).toBe(5);
  });

  test("refuses what is no list of variables by its name, as clipGradValue does", () => {
    for (const [name, clip] of Object.entries({ clipGradNorm, clipGradValue }))
      for (const given of [new Linear(2, 3), variable(1), undefined, [1]])
        expect(() => clip(given as never, 1)).toThrow(
          new RegExp(
            `^${name}: (takes a list of parameters|parameter 0 is no variable); pass model.parameters`,
          ),
        );
  });

  test("is 0 where there are no gradients", () => {
    expect(clipGradNorm([variable(1)], 1).item()).toBe(0);
  });

  test("throws for a norm that is not finite if it is told to, and changes nothing", () => {
    const w = variable([1, 0]);
    w.log().sum().backward();
    expect(() => clipGradNorm([w], 1, { errorIfNonfinite: true })).toThrow(ValueError);
    expect(() => clipGradNorm([w], 1, { errorIfNonfinite: true })).toThrow(
      "clipGradNorm: the norm of the gradients is Infinity, so they cannot be clipped",
    );
    expect(w.grad!.toArray()).toEqual([1, Number.POSITIVE_INFINITY]);
    expect(clipGradNorm([w], 1).item()).toBe(Number.POSITIVE_INFINITY);
  });

  test("can be compiled with backward and step", () => {
    const run = (compiled: boolean) => {
      const w = variable([3, -4]);
      const optimizer = new SGD([w], { lr: 0.5, momentum: 0.5 });
      const plain = () => {
        optimizer.zeroGrad();
        w.square().sum().backward();
        const norm = clipGradNorm([w], 1);
        optimizer.step();
        return norm;
      };
      const step = compiled ? compile(plain) : plain;
      const norms = [0, 1, 2].map(() => step().item());
      return [norms, w.toArray()];
    };
    expect(run(true)).toEqual(run(false));
  });
});

test("clipGradValue brings each element between two numbers", () => {
  const [w, unused] = [variable([1, 2, -3]), variable(1)];
  w.square().sum().backward();
  clipGradValue([w, unused], 3);
  expect(w.grad!.toArray()).toEqual([2, 3, -3]);
  expect(unused.grad).toBeNull();
});

test("limits below 0 and counts below 1 are refused", () => {
  const w = variable(1);
  for (const [says, attempt] of [
    ["clipByNorm: maxNorm is a number of at least 0, got -1", () => clipByNorm(-1)],
    ["clipByValue: clipValue is a number of at least 0, got NaN", () => clipByValue(Number.NaN)],
    ["clipGradNorm: maxNorm is a number of at least 0, got -1", () => clipGradNorm([w], -1)],
    ["clipGradValue: clipValue is a number of at least 0, got 1", () => clipGradValue([w], "1" as never)],
    ["accumulate: count is a whole number of at least 1, got 0", () => accumulate(0)],
    ["accumulate: count is a whole number of at least 1, got 1.5", () => accumulate(1.5)],
    ["lookahead: k is a whole number of at least 1, got 0", () => lookahead({ k: 0 })],
    ["lookahead: alpha is a share from 0 to 1, got 2", () => lookahead({ alpha: 2 })],
    [
      "sharpnessAware: rho is a finite number of at least 0, got -1",
      () => sharpnessAware(w, [w], { rho: -1 }),
    ],
    ["EMA: decay is a share from 0 to 1, got 2", () => new EMA([w], { decay: 2 })],
    ["EMA: there are no parameters", () => new EMA([])],
    ["lookahead: options are named, as in { name: value }, got 5", () => lookahead(5 as never)],
    ["sharpnessAware: takes a list of parameters", () => sharpnessAware(w, w as never)],
  ] as const) {
    expect(attempt).toThrow(ValueError);
    expect(attempt).toThrow(says);
  }
});

describe("stages", () => {
  test("come in their order, each with the gradients of all parameters that it gets", () => {
    const seen: string[] = [];
    const stage =
      (name: string): Stage =>
      () => ({
        update: (gradients, next) => {
          seen.push(`${name} ${gradients.map((g) => (g ? g.item() : "none")).join(" ")}`);
          return next(gradients.map((g) => g?.mul(2) ?? null));
        },
      });
    const [a, b] = [variable(1), variable(1)];
    new SGD([a, b], { lr: 1, stages: [stage("first"), stage("second")] }).step(a.mul(3));
    expect(seen).toEqual(["first 3 none", "second 6 none"]);
    expect(a.item()).toBe(-11);
  });

  test("are an optimizer's and not a group's", () => {
    const w = variable(1);
    const typo = { stage: [] } as never;
    const none = "there is no option stage; the options are";
    expect(() => new Optimizer([w], scaleByLearningRate(1), typo)).toThrow(`Optimizer: ${none} stages`);
    expect(() => trace(0.5, typo)).toThrow(`trace: ${none} dampening, nesterov`);
    expect(() => scaleByAdam(typo)).toThrow(`scaleByAdam: ${none} betas, eps, rate, amsgrad`);
    expect(() => new SGD([{ parameters: [w], stages: [] } as never], { lr: 1 })).toThrow(
      "SGD: group 0 has stages; they are for all groups, an option of SGD",
    );
  });

  test("change nothing when one throws", () => {
    const w = variable([1, 2]);
    const wrong: Stage = () => ({ update: (_, next) => next([ones([7])]) });
    const optimizer = new SGD([w], { lr: 1, momentum: 0.5, stages: [accumulate(2), wrong] });
    const before = JSON.stringify(optimizer.stateDict());
    expect(() => optimizer.step(w.sum())).toThrow(ShapeError);
    expect([w.toArray(), JSON.stringify(optimizer.stateDict())]).toEqual([[1, 2], before]);
  });
});

describe("accumulate", () => {
  const data = [1, 2, 3, 4, 5, 6];

  test("gives the steps of the mean, plain and compiled", () => {
    const [whole, plain, compiled] = [variable([3, -4]), variable([3, -4]), variable([3, -4])];
    const options = { lr: 0.1, weightDecay: 0.1 };
    const one = new Adam([whole], options);
    const [two, three] = [plain, compiled].map((w) => new Adam([w], { ...options, stages: [accumulate(2)] }));
    const lossOf = (w: Tensor, x: Tensor) => w.mul(x).square().sum();
    const step = compile((x: Tensor) => three!.step(lossOf(compiled, x)));
    for (let i = 0; i < data.length; i += 2) {
      const [x, y] = [tensor(data[i]!), tensor(data[i + 1]!)];
      one.step(lossOf(whole, x).div(2).add(lossOf(whole, y).div(2)));
      for (const part of [x, y]) {
        two!.step(lossOf(plain, part));
        step(part);
      }
    }
    expect(compiled.toArray()).toEqual(plain.toArray());
    plain.toTypedArray().forEach((value, i) => {
      expect(value).toBeCloseTo(whole.toTypedArray()[i]!, 6);
    });
    expect(two!.stepCount.item()).toBe(3);
  });

  test("counts a gradient that a part has not as zero, and leaves alone what never had one", () => {
    const [a, b, never] = [variable(0), variable(0), variable(3)];
    const optimizer = new SGD([a, b, never], { lr: 1, weightDecay: 0.5, stages: [accumulate(2)] });
    for (const loss of [() => a.add(b.mul(4)), () => a]) optimizer.step(loss());
    expect([a.item(), b.item(), never.item()]).toEqual([-1, -2, 3]);
  });

  test("goes on in the middle from a state dict", () => {
    const made = () => {
      const w = variable(1);
      const optimizer = new SGD([w], { lr: 0.5, stages: [accumulate(3)] });
      return { w, optimizer, step: (x: number) => optimizer.step(w.mul(x)) };
    };
    const [one, other] = [made(), made()];
    for (const x of [1, 2]) one.step(x);
    const state = one.optimizer.stateDict();
    expect(Object.keys(state)).toEqual(["step", "lr", "stages.0.part.0", "stages.0.sums.0"]);
    other.optimizer.loadStateDict(state);
    for (const { step } of [one, other]) step(6);
    expect([one.w.item(), other.w.item()]).toEqual([-0.5, -0.5]);
  });
});

describe("EMA", () => {
  test("moves its averages by one minus the decay, plain and compiled", () => {
    const run = (compiled: boolean) => {
      const w = variable([8, 16]);
      const ema = new EMA([w], { decay: 0.75 });
      const plain = () => {
        w.assign(w.mul(0));
        ema.update();
      };
      const step = compiled ? compile(plain) : plain;
      step();
      step();
      return [ema.averages[0]!.toArray(), w.toArray(), ema.updateCount.item()];
    };
    expect(run(false)).toEqual([[4.5, 9], [0, 0], 2]);
    expect(run(true)).toEqual(run(false));
  });

  test("may follow a schedule of the updates", () => {
    const w = variable(1);
    const ema = new EMA([w], { decay: (t) => t.div(t.add(1)) });
    for (const value of [3, 5, 10]) {
      w.assign(value);
      ema.update();
    }
    expect(ema.averages[0]!.item()).toBeCloseTo(6, 5);
  });

  test("lends its averages to a function, to one that throws and to a promise", async () => {
    const w = variable(1, { name: "w" });
    const ema = new EMA([w], { decay: 0.5 });
    w.assign(3);
    ema.update();
    expect(ema.averages[0]!.label).toBe("w.average");
    expect(ema.use(() => w.item())).toBe(2);
    expect(w.item()).toBe(3);
    const failing = () => {
      throw new Error(`at ${w.item()}`);
    };
    expect(() => ema.use(failing)).toThrow("at 2");
    expect(w.item()).toBe(3);
    const later = ema.use(async () => {
      await Promise.resolve();
      return w.item();
    });
    expect(w.item()).toBe(2);
    expect(await later).toBe(2);
    expect([w.item(), ema.averages[0]!.item()]).toEqual([3, 2]);
  });

  test("takes part in a compiled step, and a compiled evaluation sees it", () => {
    const w = variable(4);
    const optimizer = new SGD([w], { lr: 0.25 });
    const ema = new EMA([w], { decay: 0.5 });
    const step = compile(() => {
      optimizer.step(w.square());
      ema.update();
    });
    const evaluation = compile(() => w.mul(10));
    step();
    expect(evaluation().item()).toBe(20);
    expect(ema.use(() => evaluation().item())).toBe(30);
    step();
    expect([w.item(), ema.averages[0]!.item()]).toEqual([1, 2]);
  });

  test("goes on from its state dict", () => {
    const [w, v] = [variable(1), variable(1)];
    const [one, other] = [new EMA([w], { decay: 0.5 }), new EMA([v], { decay: 0.5 })];
    w.assign(3);
    one.update();
    other.loadStateDict(one.stateDict());
    expect([other.averages[0]!.item(), other.updateCount.item()]).toEqual([2, 1]);
    expect(() => other.loadStateDict({})).toThrow("EMA: the state dict does not fit");
  });
});

describe("sharpnessAware", () => {
  const curvature = [1, 2];
  /** The gradient of `sum(curvature w^2) / 2 + b^2 / 2` where `w` and `b` are moved. */
  const expected = (w: readonly number[], b: number, rho: number, adaptive: boolean) => {
    const all = [...w, b];
    const slopes = all.map((x, i) => x * (curvature[i] ?? 1));
    const length = Math.hypot(...slopes.map((g, i) => (adaptive ? g * all[i]! : g)));
    return all.map((x, i) => {
      const move = (rho / length) * slopes[i]! * (adaptive ? x * x : 1);
      return (x + move) * (curvature[i] ?? 1);
    });
  };

  test.each([false, true])("gives the gradient at the point uphill (adaptive: %s)", (adaptive) => {
    const [w, b, unused] = [variable([3, -4]), variable(2, { dtype: "float64" }), variable(1)];
    const loss = w.square().mul(tensor(curvature)).sum().div(2).cast("float64").add(b.square().div(2));
    sharpnessAware(loss, [w, b, unused], { rho: 0.5, adaptive }).backward();
    const found = [...w.grad!.toTypedArray(), b.grad!.item()];
    expected([3, -4], 2, 0.5, adaptive).forEach((value, i) => {
      expect(found[i]).toBeCloseTo(value, 5);
    });
    expect(unused.grad).toBeNull();
  });

  test("takes the same steps compiled and plain, with the same draws in both looks", () => {
    const run = (compiled: boolean) => {
      manualSeed(5);
      const w = variable([3, -4]);
      const optimizer = new SGD([w], { lr: 0.1, momentum: 0.5 });
      const plain = () => {
        const noise = normal([2]);
        optimizer.step(sharpnessAware(w.mul(noise).square().sum(), [w], { rho: 0.5 }));
      };
      const step = compiled ? compile(plain) : plain;
      for (let i = 0; i < 4; i++) step();
      return w.toArray();
    };
    expect(run(true)).toEqual(run(false));
  });

  test("refuses a loss that was built before the last step, or on other parameters", () => {
    const [w, other] = [variable(1), variable(1)];
    expect(() => sharpnessAware(other.square(), [w])).toThrow(GradientError);
    const old = w.square();
    new SGD([w], { lr: 0.5 }).step(old);
    expect(() => sharpnessAware(old, [w])).toThrow("reaches none of the 1 parameters as they are now");
  });

  test("stays where the gradient is 0", () => {
    const w = variable(0);
    sharpnessAware(w.square(), [w]).backward();
    expect(w.grad!.item()).toBe(0);
  });
});
