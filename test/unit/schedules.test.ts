import {
  compile,
  log,
  ShapeError,
  type Tensor,
  ValueError,
  type Variable,
  variable,
} from "@cotangent/autograd";
import { Adam, AdamW, SGD } from "@cotangent/nn";
import {
  chained,
  constant,
  cosine,
  cosineWarmRestarts,
  cyclic,
  exponential,
  lambda,
  linear,
  multiplicative,
  multiStep,
  noam,
  oneCycle,
  polynomial,
  reduceOnPlateau,
  sequential,
  step,
  warmupCosine,
} from "@cotangent/nn/schedules";
import { describe, expect, test } from "vitest";

const nan = Number.NaN;

test("a schedule keeps its milestones when the list is changed", () => {
  const milestones = [2];
  const schedule = multiStep({ lr: 1, milestones, gamma: 0.5 });
  milestones[0] = 100;
  expect(schedule(3).item()).toBe(0.5);
});

describe("a schedule", () => {
  test.each<[string, () => unknown]>([
    ['lambda: lr is a finite number, got "1"', () => lambda({ lr: "1" as never, lrLambda: (t) => t })],
    [
      "multiplicative: totalIters is a whole number of at least 1",
      () => multiplicative({ lrLambda: log } as never),
    ],
    ["step: stepSize is a whole number of at least 1, got 0", () => step({ stepSize: 0 })],
    ["step: gamma is a finite number, got NaN", () => step({ stepSize: 1, gamma: nan })],
    [
      "multiStep: a milestone is a whole number of at least 0, got 1.5",
      () => multiStep({ milestones: [1.5] }),
    ],
    ["constant: factor is a share from 0 to 1, got 2", () => constant({ factor: 2 })],
    ["linear: startFactor is a share from 0 to 1, got -1", () => linear({ startFactor: -1 })],
    ["linear: totalIters is a whole number of at least 1", () => linear({ totalIters: 0 })],
    ["exponential: gamma is a finite number, got undefined", () => exponential({} as never)],
    ["polynomial: power is a finite number of at least 0", () => polynomial({ power: -1 })],
    ["cosine: tMax is a whole number of at least 1, got undefined", () => cosine({ lr: 1 } as never)],
    ["cosineWarmRestarts: t0 is a whole number", () => cosineWarmRestarts({ t0: 0.5 })],
    ["cosineWarmRestarts: tMult is a whole number", () => cosineWarmRestarts({ t0: 1, tMult: 0 })],
    ["cyclic: mode is one of triangular,", () => cyclic({ baseLr: 0, maxLr: 1, mode: "sawtooth" as never })],
    ["cyclic: stepSizeDown is a whole number", () => cyclic({ baseLr: 0, maxLr: 1, stepSizeDown: 0 })],
    [
      "oneCycle: totalSteps (or epochs times stepsPerEpoch) is a whole",
      () => oneCycle({ maxLr: 1, epochs: 3 }),
    ],
    ["oneCycle: pctStart is a share from 0 to 1", () => oneCycle({ maxLr: 1, totalSteps: 9, pctStart: 2 })],
    [
      "oneCycle: divFactor is a finite number above 0",
      () => oneCycle({ maxLr: 1, totalSteps: 9, divFactor: 0 }),
    ],
    [
      "oneCycle: annealStrategy is",
      () => oneCycle({ maxLr: 1, totalSteps: 9, annealStrategy: "sine" as never }),
    ],
    [
      "warmupCosine: totalSteps is a whole number of at least 11",
      () => warmupCosine({ warmupSteps: 10, totalSteps: 9 }),
    ],
    ["noam: dModel is a whole number of at least 1", () => noam({ dModel: 0 })],
    ["reduceOnPlateau: factor is below 1, got 1", () => reduceOnPlateau({ factor: 1 })],
    ["reduceOnPlateau: mode is", () => reduceOnPlateau({ mode: "least" as never })],
    ["reduceOnPlateau: thresholdMode is", () => reduceOnPlateau({ thresholdMode: "relative" as never })],
    ["cosine: tMax is a whole number of at least 1, got undefined", () => cosine(undefined as never)],
    ["constant: options are named, as in { name: value }, got 0.1", () => constant(0.1 as never)],
    ["lambda: lrLambda is a function, got undefined", () => lambda({} as never)],
    ["multiStep: milestones is a list, got 10", () => multiStep({ milestones: 10 as never })],
    ["cyclic: scaleFn is a function", () => cyclic({ baseLr: 0, maxLr: 1, scaleFn: 2 as never })],
    ["cyclic: scaleMode is", () => cyclic({ baseLr: 0, maxLr: 1, scaleMode: "steps" as never })],
    ["chained: there are no schedules", () => chained([])],
    ["chained: schedules is a list of functions", () => chained(constant() as never)],
    ["sequential: schedules is a list of functions", () => sequential([constant(), 0.1 as never], [3])],
    ["sequential: 1 schedules need 0 milestones, got 1", () => sequential([constant()], [1])],
    [
      "sequential: milestone 1 is a whole number of at least 5",
      () => sequential([constant(), constant(), constant()], [4, 4]),
    ],
  ])("refuses options that make no sense: %s", (says, attempt) => {
    expect(attempt).toThrow(ValueError);
    expect(attempt).toThrow(says);
  });

  test("takes a tensor as well as a number, and gives float64", () => {
    const schedule = cosine({ lr: 0.3, tMax: 7 });
    const rate = schedule(variable(3, { dtype: "int32" }));
    expect(rate.dtype).toBe("float64");
    expect(rate.shape).toEqual([]);
    expect(rate.item()).toBe(schedule(3).item());
  });

  test("keeps restarts exact where the logarithm of a power is not", () => {
    for (const tMult of [2, 3, 5, 7]) {
      const schedule = cosineWarmRestarts({ lr: 1, t0: 10, tMult });
      for (let begin = 0, length = 10, i = 0; i < 8; i++) {
        expect(schedule(begin).item(), `restart ${i} of ${tMult}`).toBe(1);
        begin += length;
        expect(schedule(begin - 1).item()).toBeLessThan(0.03);
        length *= tMult;
      }
    }
  });

  test("stays what it is after its end", () => {
    expect(oneCycle({ maxLr: 1, totalSteps: 10 })(99).item()).toBeCloseTo(4e-6, 12);
    const factors = multiplicative({ totalIters: 2, lrLambda: () => 0.5 });
    expect([0, 1, 2, 3].map((i) => factors(i).item())).toEqual([1, 0.5, 0.25, 0.25]);
  });

  test("of one cycle may rise in its first step", () => {
    const schedule = oneCycle({ maxLr: 1, totalSteps: 10, pctStart: 0.1, annealStrategy: "linear" });
    expect([0, 9].map((i) => schedule(i).item())).toEqual([0.04, expect.closeTo(4e-6, 12)]);
  });
});

describe("an optimizer with a schedule", () => {
  test("says what its rate is now, and that it cannot be assigned", () => {
    const w = variable(1);
    const optimizer = new SGD([w], { lr: linear({ lr: 1, startFactor: 0, totalIters: 4 }) });
    const rates = Array.from({ length: 4 }, () => {
      const rate = optimizer.lr;
      optimizer.step(w.mul(0));
      return rate;
    });
    expect(rates).toEqual([0, 0.25, 0.5, 0.75]);
    expect(() => {
      optimizer.lr = 1;
    }).toThrow("SGD: lr follows a schedule; make a new optimizer with another");
  });

  test("takes any function of the step, for any of its numbers", () => {
    const [a, b] = [variable(2), variable(2)];
    const one = new AdamW([a], {
      lr: (t) => t.add(1).reciprocal(),
      betas: [(t) => t.mul(0.1).add(0.5), 0.75],
      weightDecay: exponential({ lr: 0.5, gamma: 0.5 }),
    });
    const other = new AdamW([b], { betas: [0.5, 0.75], lr: 1, weightDecay: 0.5 });
    for (let i = 0; i < 4; i++) {
      other.lr = 1 / (i + 1);
      other.betas = [i * 0.1 + 0.5, 0.75];
      other.weightDecay = 0.5 ** (i + 1);
      one.step(a.square());
      other.step(b.square());
      expect(a.item()).toBe(b.item());
    }
  });

  test("computes it once for all parameters of a group", () => {
    let calls = 0;
    const schedule = (t: Tensor) => {
      calls++;
      return t.add(1);
    };
    const parameters: Variable[] = [variable(1), variable([1, 2]), variable([[3]])];
    const optimizer = new SGD(parameters, { lr: schedule });
    optimizer.step(parameters.reduce((sum: Tensor, x) => sum.add(x.sum()), variable(0)));
    expect(calls).toBe(1);
  });

  test("has one for each group", () => {
    const [a, b] = [variable(0), variable(0)];
    const lr = (t: Tensor) => t.add(1);
    const optimizer = new SGD(
      [{ parameters: [a] }, { parameters: [b], lr: constant({ lr: 4, totalIters: 0 }) }],
      { lr },
    );
    for (let i = 0; i < 3; i++) optimizer.step(a.add(b));
    expect([a.item(), b.item()]).toEqual([-6, -12]);
    expect(optimizer.groups.map((group) => group.lr)).toEqual([4, 4]);
  });

  test("goes on with it from a state dict, which holds the count and not the rate", () => {
    const made = () => {
      const w = variable(1);
      return { w, optimizer: new Adam([w], { lr: cosine({ lr: 0.1, tMax: 9 }) }) };
    };
    const [one, other] = [made(), made()];
    for (let i = 0; i < 3; i++) one.optimizer.step(one.w.square());
    const state = one.optimizer.stateDict();
    expect(Object.keys(state)).not.toContain("lr");
    other.optimizer.loadStateDict(state);
    other.w.assign(one.w);
    for (const { w, optimizer } of [one, other]) optimizer.step(w.square());
    expect(other.w.item()).toBe(one.w.item());
  });
});

describe("reduceOnPlateau", () => {
  test("counts what is no number as no better", () => {
    const lr = reduceOnPlateau({ lr: 1, factor: 0.5, patience: 1 });
    for (const metric of [1, nan, nan]) lr.step(metric);
    expect(lr(0).item()).toBe(0.5);
  });

  test("changes the rate of a compiled step that was made before", () => {
    const w = variable(0);
    const lr = reduceOnPlateau({ lr: 1, factor: 0.5, patience: 0 });
    const optimizer = new SGD([w], { lr });
    const run = compile(() => optimizer.step(w));
    run();
    lr.step(1);
    lr.step(1);
    run();
    expect(w.item()).toBe(-1.5);
  });

  test("goes on from its state dict", () => {
    const [one, other] = [0, 1].map(() => reduceOnPlateau({ lr: 1, factor: 0.5, patience: 2, cooldown: 1 }));
    for (const metric of [1, 2, 2]) one!.step(metric);
    other!.loadStateDict(one!.stateDict());
    for (const schedule of [one!, other!]) schedule.step(2);
    expect(other!(0).item()).toBe(0.5);
    expect(Object.keys(other!.stateDict())).toEqual(["lr", "best", "badEpochs", "cooldown"]);
    expect(() => other!.loadStateDict({})).toThrow("reduceOnPlateau: the state dict does not fit");
  });

  test("refuses a metric that is no single number", () => {
    const schedule = reduceOnPlateau();
    expect(() => schedule.step(variable([1, 2]) as never)).toThrow(ShapeError);
  });
});
