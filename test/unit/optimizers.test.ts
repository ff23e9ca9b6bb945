import {
  CompileError,
  compile,
  customGradient,
  DTypeError,
  div,
  Generator,
  GradientError,
  manualSeed,
  normal,
  ShapeError,
  StateError,
  scalar,
  stack,
  svd,
  type Tensor,
  tanh,
  tensor,
  ValueError,
  type Variable,
  variable,
  zeros,
} from "@cotangent/autograd";
import * as nn from "@cotangent/nn";
import {
  Adadelta,
  Adafactor,
  Adagrad,
  Adam,
  Adamax,
  AdamW,
  AdamWScheduleFree,
  ASGD,
  clipByNorm,
  LAMB,
  LARS,
  LBFGS,
  LevenbergMarquardt,
  Linear,
  Lion,
  lookahead,
  MLP,
  Muon,
  NAdam,
  type Optimizer,
  perStep,
  RAdam,
  RMSprop,
  Rprop,
  Sequential,
  SGD,
  SGDScheduleFree,
} from "@cotangent/nn";
import { readSafetensors, writeSafetensors } from "@cotangent/nn/files";
import { describe, expect, test } from "vitest";

type AnyOptimizer = new (parameters: never, options: never) => Optimizer;
const optimizers: Record<string, AnyOptimizer> = {
  Adadelta,
  Adafactor,
  Adagrad,
  Adam,
  Adamax,
  AdamW,
  AdamWScheduleFree,
  ASGD,
  LAMB,
  LARS,
  Lion,
  Muon,
  NAdam,
  RAdam,
  RMSprop,
  Rprop,
  SGD,
  SGDScheduleFree,
};

function make(name: string, parameters: unknown, options: object = {}): Optimizer {
  return new optimizers[name]!(parameters as never, { lr: 0.1, ...options } as never);
}

test("every optimizer is looked at here", () => {
  const isOptimizer = (x: unknown) => typeof x === "function" && x.prototype instanceof nn.Optimizer;
  const all = Object.entries(nn).flatMap(([name, x]) => (isOptimizer(x) ? [name] : []));
  // What methods of one's own extend is none.
  expect(all.filter((name) => name !== "Method").sort()).toEqual(Object.keys(optimizers).sort());
});

/** Its numbers, each with another value for it. */
const numbers: Record<string, Record<string, number>> = {
  Adadelta: { lr: 0.5, rho: 0.25, eps: 0.25, weightDecay: 0.5 },
  Adagrad: { lr: 0.5, lrDecay: 0.1, eps: 0.25, weightDecay: 0.5 },
  Adam: { lr: 0.5, eps: 0.25, weightDecay: 0.5 },
  AdamW: { lr: 0.5, eps: 0.25, weightDecay: 0.5 },
  AdamWScheduleFree: { lr: 0.5, eps: 0.25, weightDecay: 0.5 },
  Adamax: { lr: 0.5, eps: 0.25, weightDecay: 0.5 },
  ASGD: { lr: 0.5, lambd: 0.25, alpha: 0.5, t0: 4, weightDecay: 0.5 },
  Adafactor: { lr: 0.5, d: 0.5, weightDecay: 0.5 },
  LARS: { lr: 0.5, momentum: 0.25, weightDecay: 0.5, trustCoefficient: 0.25 },
  LAMB: { lr: 0.5, eps: 0.25, weightDecay: 0.5 },
  Lion: { lr: 0.5, weightDecay: 0.5 },
  Muon: { lr: 0.5, momentum: 0.25, weightDecay: 0.5 },
  NAdam: { lr: 0.5, eps: 0.25, weightDecay: 0.5, momentumDecay: 0.5 },
  RAdam: { lr: 0.5, eps: 0.25, weightDecay: 0.5 },
  RMSprop: { lr: 0.5, alpha: 0.25, eps: 0.25, weightDecay: 0.5, momentum: 0.25 },
  Rprop: {},
  SGD: { lr: 0.5, momentum: 0.25, dampening: 0.5, weightDecay: 0.5 },
  SGDScheduleFree: { lr: 0.5, momentum: 0.25, weightDecay: 0.5 },
};

/** A parameter that every optimizer takes. */
const matrix = () => variable([[1, -2]]);

describe.each(Object.keys(optimizers))("%s", (name) => {
  const refused = (attempt: () => unknown, kind: new (message: string) => Error, says: string) => {
    expect(attempt).toThrow(kind);
    expect(attempt).toThrow(`${name}: ${says}`);
  };

  test("refuses what are no parameters", () => {
    const w = variable(1, { name: "w" });
    refused(() => make(name, []), ValueError, "there are no parameters; pass model.parameters()");
    refused(
      () => make(name, w),
      ValueError,
      "takes a list of parameters; pass model.parameters(), or [w] for one",
    );
    refused(() => make(name, [zeros([])]), ValueError, "parameter 0 is no variable");
    refused(
      () => make(name, new Sequential(new Linear(1, 1)) as never),
      ValueError,
      "parameter 0 is no variable; pass model.parameters()",
    );
    refused(() => make(name, [w, w]), ValueError, "parameter w is given twice");
    refused(
      () => make(name, [variable(1, { dtype: "int32" })]),
      DTypeError,
      "parameter 0 is int32; only float32",
    );
  });

  test("refuses numbers out of range, at the beginning and later", () => {
    const w = matrix();
    const settled = make(name, [w], numbers[name]) as unknown as Record<string, number>;
    for (const [option, value] of Object.entries(numbers[name]!))
      for (const wrong of [-1, Number.NaN, "1", Number.POSITIVE_INFINITY]) {
        refused(() => make(name, [w], { [option]: wrong }), ValueError, `${option} is`);
        refused(() => Object.assign(settled, { [option]: wrong }), ValueError, `${option} is`);
        expect(settled[option]).toBe(value);
      }
  });

  test("takes new numbers between the steps of a compiled program, as if it had begun with them", () => {
    const begun = { ...numbers[name] };
    const [first, second] = [matrix(), matrix()];
    const halved = Object.fromEntries(Object.entries(begun).map(([key, value]) => [key, value / 2]));
    const [one, other] = [make(name, [first], begun), make(name, [second], halved)];
    Object.assign(one, halved);
    const step = compile(() => {
      const loss = first.square().sum();
      one.step(loss);
      return loss;
    });
    for (let i = 0; i < 3; i++) {
      step();
      other.step(second.square().sum());
    }
    expect(first.toArray()).toEqual(second.toArray());
  });

  test("refuses a loss that does not reach its parameters, or is no number", () => {
    const [w, other] = [matrix(), variable(1)];
    const optimizer = make(name, [w]);
    refused(() => optimizer.step(other.square()), GradientError, "the loss reaches none of the 1 parameters");
    for (const loss of [0, 2, null] as unknown[])
      refused(
        () => optimizer.step(loss as Tensor),
        ValueError,
        `step takes the loss itself, a tensor, got ${loss}`,
      );
    refused(() => optimizer.step(), GradientError, "no parameter has a gradient");
    expect(() => optimizer.step(w.square())).toThrow(GradientError);
    expect(w.toArray()).toEqual([[1, -2]]);
  });

  test("descends, and climbs if it is told to", () => {
    const [down, up] = [matrix(), matrix()];
    const lossOf = (w: Variable) => w.square().sum();
    const [one, other] = [make(name, [down]), make(name, [up], { maximize: true })];
    expect([one, other].map((optimizer) => (optimizer as SGD).maximize)).toEqual([false, true]);
    for (let i = 0; i < 3; i++) {
      one.step(lossOf(down));
      other.step(lossOf(up));
    }
    expect(lossOf(down).item()).toBeLessThan(5);
    expect(lossOf(up).item()).toBeGreaterThan(5);
    expect(() => Object.assign(one, { maximize: true })).toThrow(StateError);
  });

  test("does for each group what it does for one with the same options", () => {
    const all = [matrix(), matrix(), matrix()];
    const alone = [matrix(), matrix(), matrix()];
    const own = name === "Rprop" ? { etas: [0.25, 2] } : { lr: 0.25 };
    const together = make(name, [{ parameters: all.slice(0, 2) }, { ...own, parameters: [all[2]!] }]);
    const apart = [make(name, alone.slice(0, 2)), make(name, [alone[2]!], own)];
    const lossOf = ([a, b, c]: readonly Variable[]) => a!.mul(b!).add(c!.square()).sum();
    for (let i = 0; i < 3; i++) {
      together.step(lossOf(all));
      for (const w of alone) w.grad = null;
      lossOf(alone).backward();
      for (const optimizer of apart) optimizer.step();
    }
    expect(all.map((w) => w.toArray())).toEqual(alone.map((w) => w.toArray()));
    expect(together.parameters).toEqual(all);
  });

  test("goes on from its state dict with the same bits, groups and all", () => {
    const made = () => {
      const [a, b] = [matrix(), matrix()];
      const own = name === "Rprop" ? {} : { lr: 0.25 };
      const optimizer = make(name, [{ parameters: [a] }, { parameters: [b], ...own }], numbers[name]);
      const steps = (count: number) => {
        for (let i = 0; i < count; i++) optimizer.step(a.mul(b).sum().add(b.square().sum()));
        return [a.toArray(), b.toArray()];
      };
      return { a, b, optimizer, steps };
    };
    const [one, other] = [made(), made()];
    one.steps(3);
    const state = one.optimizer.stateDict();
    const [a, b] = [one.a.node, one.b.node];
    const end = one.steps(3);
    other.steps(1);
    other.optimizer.loadStateDict(state);
    other.a.assign(a);
    other.b.assign(b);
    expect(other.steps(3)).toEqual(end);
    const step = scalar(-1, { dtype: "int32" });
    expect(() => other.optimizer.loadStateDict({ ...state, step })).toThrow(
      `${name}: step is a whole number of at least 0, got -1`,
    );
  });
});

describe("numbers of a step", () => {
  test("are made once for all parameters, and once for each shape that they are broadcast to", () => {
    let built = 0;
    const numbers = perStep((step) => {
      built++;
      return { rate: div(1, step), first: step.eq(1) };
    });
    const step = scalar(4, { dtype: "int32" });
    const plain = numbers(step, "float32");
    const matrix = numbers(step, "float32", [2, 3]);
    expect(numbers(step, "float32", [])).toBe(plain);
    expect(numbers(step, "float32", [2, 3])).toBe(matrix);
    expect(numbers(step, "float32", [6])).not.toBe(matrix);
    expect(built).toBe(1);
    expect(plain.rate.shape).toEqual([]);
    expect(matrix.rate.toArray()).toEqual([
      [0.25, 0.25, 0.25],
      [0.25, 0.25, 0.25],
    ]);
    expect([matrix.rate.dtype, matrix.first.dtype]).toEqual(["float32", "bool"]);
    const next = numbers(scalar(5, { dtype: "int32" }), "float64", [2, 3]);
    expect(next.rate.toTypedArray()[5]).toBe(0.2);
  });
});

describe("groups", () => {
  const grouped = () => {
    const [a, b] = [variable(1, { name: "a" }), variable(2, { name: "b" })];
    return new Adam([{ parameters: [a], lr: 0.1, betas: [0.5, 0.5] }, { parameters: [b] }], { lr: 0.01 });
  };

  test("have numbers of their own, and those of all of them where they agree", () => {
    const optimizer = grouped();
    expect(optimizer.groups.map(({ lr }) => lr)).toEqual([0.1, 0.01]);
    expect(optimizer.groups.map(({ parameters }) => parameters.map(({ label }) => label))).toEqual([
      ["a"],
      ["b"],
    ]);
    expect(optimizer.eps).toBe(1e-8);
    expect(() => optimizer.lr).toThrow(StateError);
    expect(() => optimizer.lr).toThrow("Adam: the groups differ in lr; use groups[i].lr");
    expect(() => optimizer.betas).toThrow("the groups differ in betas");
    optimizer.groups[1]!.lr = 0.1;
    expect(optimizer.lr).toBe(0.1);
    optimizer.betas = [0.25, 0.75];
    expect(optimizer.groups.map(({ betas }) => betas)).toEqual([
      [0.25, 0.75],
      [0.25, 0.75],
    ]);
    expect(() => {
      optimizer.groups[0]!.lr = -1;
    }).toThrow("Adam: lr is a finite number of at least 0, got -1");
  });

  test("keep all of their numbers where one of them, or of a pair, cannot be assigned", () => {
    const [a, b] = [variable(1), variable(2)];
    const momenta = new SGD([{ parameters: [a], momentum: 0.9 }, { parameters: [b] }], { lr: 1 });
    expect(() => {
      momenta.momentum = 0.5;
    }).toThrow("SGD: momentum was 0 when the optimizer was made");
    expect(momenta.groups[0]!.momentum).toBe(0.9);
    const pair = new Adam([a], { betas: [0.9, () => 0.99] });
    expect(() => {
      pair.betas = [0.5, 0.6];
    }).toThrow("Adam: betas[1] follows a schedule");
    expect(pair.betas).toEqual([0.9, 0.99]);
  });

  test("of a list of parameters is one", () => {
    const w = variable(1);
    expect(new SGD([w], { lr: 1 }).groups).toHaveLength(1);
  });

  test("are refused where nobody reads them", () => {
    const w = variable(1);
    const attempt = (options: unknown) => expect(() => new Adam([w], options as never));
    attempt(0.01).toThrow("Adam: options are named, as in { name: value }, got 0.01");
    attempt({ learningRate: 0.01 }).toThrow(
      "Adam: there is no option learningRate; the options are maximize, lr, betas, eps, amsgrad, weightDecay, stages",
    );
    attempt({ stages: 3 }).toThrow("Adam: stages is a list of functions, got 3");
    attempt({ stages: [3] }).toThrow("Adam: stages is a list of functions, got an array");
  });

  test("are refused where they make no sense", () => {
    const [a, b] = [variable(1, { name: "a" }), variable(2, { name: "b" })];
    const attempt = (...groups: readonly unknown[]) => expect(() => new Adam(groups as never));
    attempt({ parameters: [a] }, b).toThrow(
      "Adam: entry 1 is no group; groups are { parameters, lr, ... }, all of them",
    );
    attempt({ parameters: [a] }, { parameters: [b, a] }).toThrow("Adam: parameter a is given twice");
    attempt({ parameters: [a] }, { parameters: [] }).toThrow("Adam: there are no parameters");
    attempt({ parameters: a }).toThrow("Adam: takes a list of parameters");
    attempt({ parameters: [a], lr: -1 }).toThrow("Adam: lr is a finite number of at least 0, got -1");
    expect(() => new SGD([{ parameters: [a] }], {} as never)).toThrow("SGD: lr is a finite number");
  });
});

describe.each(["Adam", "AdamW"] as const)("%s", (name) => {
  const made = (options: object = {}) =>
    make(name, [variable([1, -2])], options) as Optimizer & { betas: readonly number[]; amsgrad: boolean };

  test("has betas that can be assigned, both or neither", () => {
    const optimizer = made({ betas: [0.5, 0.75] });
    expect(optimizer.betas).toEqual([0.5, 0.75]);
    optimizer.betas = [0.25, 0.5];
    expect(optimizer.betas).toEqual([0.25, 0.5]);
    expect(() => {
      optimizer.betas = [0.125, 1];
    }).toThrow(`${name}: betas[1] is from 0 to below 1, got 1`);
    expect(() => {
      optimizer.betas = [1, 0.125];
    }).toThrow(ValueError);
    expect(optimizer.betas).toEqual([0.25, 0.5]);
    expect(() => made({ betas: 0.9 })).toThrow(`${name}: betas is a list of two numbers`);
    expect(() => made({ betas: [0.9] })).toThrow(`${name}: betas is a list of two numbers`);
  });

  test("steps with the betas that it has now", () => {
    const [w, v] = [variable(3), variable(3)];
    const one = make(name, [w], { betas: [0.9, 0.99] });
    Object.assign(one, { betas: [0.5, 0.5] });
    const other = make(name, [v], { betas: [0.5, 0.5] });
    for (let i = 0; i < 3; i++) {
      one.step(w.square());
      other.step(v.square());
    }
    expect(w.item()).toBe(v.item());
  });

  test("with amsgrad never takes larger steps than the largest gradient allows", () => {
    const [w, v] = [variable(0), variable(0)];
    const options = { lr: 0.1, betas: [0, 0.5], weightDecay: 0 };
    const [plain, ams] = [make(name, [w], options), make(name, [v], { ...options, amsgrad: true })];
    expect((ams as Adam).amsgrad).toBe(true);
    expect((plain as Adam).amsgrad).toBe(false);
    for (const size of [100, 1, 1, 1, 1]) {
      plain.step(w.mul(size));
      ams.step(v.mul(size));
    }
    expect(w.item()).toBeLessThan(v.item());
    expect(v.item()).toBeGreaterThan(-0.11);
  });
});

test("SGD refuses nesterov without momentum, or with dampening", () => {
  const w = variable(1);
  expect(() => make("SGD", [w], { nesterov: true })).toThrow(
    "SGD: nesterov needs momentum above 0 and no dampening",
  );
  expect(() => make("SGD", [w], { nesterov: true, momentum: 0.9, dampening: 0.1 })).toThrow(ValueError);
});

test("a part that was left out cannot be turned on later", () => {
  for (const [name, option] of [
    ["SGD", "momentum"],
    ["Adam", "weightDecay"],
    ["RMSprop", "momentum"],
    ["Adagrad", "weightDecay"],
  ] as const) {
    const optimizer = make(name, [variable(1)]);
    const assign = () => Object.assign(optimizer, { [option]: 0.5 });
    expect(assign).toThrow(StateError);
    expect(assign).toThrow(
      `${name}: ${option} was 0 when the optimizer was made, and so left out; make a new one`,
    );
  }
});

test("Rprop refuses factors on the wrong side of 1, and keeps the lr that it began with", () => {
  const rprop = new Rprop([variable(1)], { lr: 0.5 });
  expect(rprop.lr).toBe(0.5);
  expect(() => Object.assign(rprop, { lr: 1 })).toThrow("Rprop: lr cannot change; make a new optimizer");
  expect(() => make("Rprop", [variable(1)], { etas: [1, 1.5] })).toThrow(
    "etas[0] is from 0 to below 1, got 1",
  );
  expect(() => make("Rprop", [variable(1)], { etas: [0.5, 0.9] })).toThrow(
    "etas[1] is a finite number of at least 1",
  );
  expect(() => make("Rprop", [variable(1)], { stepSizes: [-1, 1] })).toThrow(ValueError);
});

test("Muon takes matrices only, and knows two adjustments", () => {
  expect(() => new Muon([variable([1, 2], { name: "bias" })])).toThrow(ShapeError);
  expect(() => new Muon([variable([1, 2], { name: "bias" })])).toThrow(
    "Muon: takes matrices, and bias has shape [2]; leave it to AdamW",
  );
  expect(() => make("Muon", [matrix()], { adjustLr: "none" })).toThrow(
    'Muon: adjustLr is "original" or "matchRmsAdamw", got none',
  );
});

test("Muon gives updates whose singular values are near 1", () => {
  for (const [rows, columns] of [
    [8, 3],
    [3, 8],
  ] as const) {
    const w: Variable = variable(zeros([rows, columns]));
    const direction: Tensor = normal([rows, columns], { generator: new Generator(3) });
    new Muon([w], { lr: 1, weightDecay: 0 }).step(w.mul(direction).sum());
    const larger = Math.sqrt(Math.max(1, rows / columns));
    for (const value of svd(w).S.toTypedArray()) {
      expect(value / larger).toBeGreaterThan(0.6);
      expect(value / larger).toBeLessThan(1.3);
    }
  }
});

test("LAMB leaves the length of an update alone where the parameter or the update is 0", () => {
  const [zero, still] = [variable([0, 0]), variable([3, 4])];
  const optimizer = new LAMB([zero, still], { lr: 0.5 });
  optimizer.step(zero.sum().add(still.mul(0).sum()));
  expect(zero.toArray()).toEqual([expect.closeTo(-0.5, 5), expect.closeTo(-0.5, 5)]);
  expect(still.toArray()).toEqual([3, 4]);
});

test("RAdam begins with plain momentum", () => {
  const w = variable([1, 10]);
  const optimizer = new RAdam([w], { lr: 0.125 });
  optimizer.step(w.square().sum());
  expect(w.toArray()).toEqual([0.75, 7.5]);
});

describe.each([
  ["SGDScheduleFree", SGDScheduleFree],
  ["AdamWScheduleFree", AdamWScheduleFree],
] as const)("%s", (name, Kind) => {
  const made = (options: object = {}) => {
    const w = variable([3, -0.01]);
    const optimizer = new Kind([w], { lr: 0.1, ...options });
    const step = () => optimizer.step(w.sub(1).square().sum());
    const steps = (count: number) => {
      for (let i = 0; i < count; i++) step();
      return [...w.toTypedArray()];
    };
    return { w, optimizer, step, steps };
  };

  test("refuses lookahead, which it would undo, and takes other stages", () => {
    expect(() => made({ stages: [clipByNorm(1), lookahead()] })).toThrow(ValueError);
    expect(() => made({ stages: [lookahead()] })).toThrow(`${name}: takes no lookahead: the next step`);
    expect(made({ stages: [clipByNorm(1)] }).steps(1)).not.toEqual(made().steps(0));
  });

  test("has parameters to be trained at and others to be evaluated, and changes no bit between them", () => {
    const [plain, evaluated] = [made(), made()];
    for (let i = 0; i < 5; i++) {
      const y = evaluated.steps(1);
      expect(evaluated.optimizer.training).toBe(true);
      expect(evaluated.optimizer.eval().eval().training).toBe(false);
      const x = [...evaluated.w.toTypedArray()];
      if (i > 0) expect(x).not.toEqual(y);
      expect([...evaluated.optimizer.train().train().parameters[0]!.toTypedArray()]).toEqual(y);
    }
    expect(evaluated.steps(1)).toEqual(plain.steps(6));
  });

  test("steps in training mode only, compiled too, and changes its mode outside compile", () => {
    const { w, optimizer, step } = made();
    const compiled = compile(step);
    compiled();
    optimizer.eval();
    const [x, state] = [w.toArray(), JSON.stringify(optimizer.stateDict())];
    for (const attempt of [step, compiled]) {
      expect(attempt).toThrow(StateError);
      expect(attempt).toThrow(`${name}: the parameters are those to be evaluated`);
    }
    expect(compile(() => optimizer.train())).toThrow(CompileError);
    expect([optimizer.training, w.toArray(), JSON.stringify(optimizer.stateDict())]).toEqual([
      false,
      x,
      state,
    ]);
    optimizer.train();
    compiled();
    expect([...w.toTypedArray()]).toEqual(made().steps(2));
  });

  test("begins with the parameters that there are at the first gradient", () => {
    const [late, other] = [made(), variable([5, 7])];
    late.w.assign(tensor([5, 7]));
    late.optimizer.eval();
    expect(late.w.toArray()).toEqual([5, 7]);
    late.optimizer.train();
    const optimizer = new Kind([other], { lr: 0.1 });
    optimizer.step(other.sub(1).square().sum());
    expect(late.steps(1)).toEqual([...other.toTypedArray()]);
    late.optimizer.eval();
    optimizer.eval();
    expect(late.w.toArray()).toEqual(other.toArray());
  });

  test("stays where it is without a rate", () => {
    const { w, optimizer, steps } = made({ lr: 0 });
    const start = [...w.toTypedArray()];
    expect(steps(3)).toEqual(start);
    optimizer.eval();
    expect([...w.toTypedArray()]).toEqual(start);
  });

  test("goes on from a state dict of either mode", () => {
    for (const training of [true, false]) {
      const [one, other] = [made(), made()];
      one.steps(4);
      if (!training) one.optimizer.eval();
      const [state, w] = [one.optimizer.stateDict(), one.w.node];
      one.optimizer.train();
      const end = one.steps(3);
      other.steps(1);
      other.optimizer.loadStateDict(readSafetensors(writeSafetensors(state)).tensors);
      other.w.assign(w);
      expect(other.optimizer.training).toBe(training);
      other.optimizer.train();
      expect(other.steps(3)).toEqual(end);
    }
    const { optimizer } = made();
    const { training: _, ...lacking } = optimizer.stateDict();
    expect(() => optimizer.loadStateDict(lacking)).toThrow("missing: training");
  });
});

test("SGDScheduleFree without momentum evaluates the mean of the steps of SGD, of those after the first", () => {
  const [w, v] = [variable([3, -2], { dtype: "float64" }), variable([3, -2], { dtype: "float64" })];
  const [free, sgd] = [new SGDScheduleFree([w], { lr: 0.1, momentum: 0 }), new SGD([v], { lr: 0.1 })];
  const sum = [0, 0];
  for (let i = 0; i < 10; i++) {
    free.step(w.square().sum());
    sgd.step(v.square().sum());
    v.toTypedArray().forEach((value, k) => {
      sum[k]! += value;
    });
  }
  free.eval();
  expect(w.toArray()).toEqual(sum.map((value) => expect.closeTo(value / 10, 12)));
});

describe("LBFGS", () => {
  const bowl = (w: Variable) => w.sub(3).square().sum();

  test("finds the bottom of a bowl, for several parameters", () => {
    const [a, b] = [variable([1, 2]), variable([[5]], { dtype: "float64" })];
    const optimizer = new LBFGS([a, b], { lineSearchFn: "strongWolfe", maxIter: 4 });
    const loss = optimizer.step(() => bowl(a).cast("float64").add(bowl(b)));
    expect(loss.item()).toBe(9);
    expect([a.toArray(), b.toArray()]).toEqual([
      [expect.closeTo(3, 5), expect.closeTo(3, 5)],
      [[expect.closeTo(3, 5)]],
    ]);
  });

  test("leaves parameters alone that the loss does not reach, and throws if there is no other", () => {
    const [w, unused] = [variable(1), variable(2)];
    new LBFGS([w, unused]).step(() => bowl(w));
    expect(unused.item()).toBe(2);
    expect(() => new LBFGS([unused]).step(() => bowl(w))).toThrow(GradientError);
    expect(() => new LBFGS([unused]).step(() => bowl(w))).toThrow(
      "LBFGS: the loss reaches none of the 1 parameters",
    );
    const compiled = compile(() => bowl(w));
    const ended = "through what a compiled function returned, where derivatives end";
    expect(() => new LBFGS([w]).step(() => compiled())).toThrow(ended);
    expect(() => new LevenbergMarquardt([w]).step(() => compiled())).toThrow(ended);
    expect(() => new SGD([w], { lr: 1 }).step(compiled())).toThrow(ended);
    const loss = compiled().detach();
    expect(() => new LBFGS([w]).step(() => loss)).toThrow("LBFGS: the loss reaches none of the 1 parameters");
    expect(() => new SGD([w], { lr: 1 }).step(loss)).toThrow("is it detached, or made of others");
    const traced = compile(() => new LevenbergMarquardt([w]).step(() => w.sub(3)));
    expect(traced).toThrow("LevenbergMarquardt: step cannot be part of a function that is compiled");
  });

  test("changes nothing when the loss throws", () => {
    const [w, twin] = [variable(1), variable(1)];
    const [optimizer, other] = [new LBFGS([w], { lr: 0.25 }), new LBFGS([twin], { lr: 0.25 })];
    let calls = 0;
    const failing = () => {
      if (++calls === 3) throw new Error("no data");
      return bowl(w);
    };
    expect(() => optimizer.step(failing)).toThrow("no data");
    expect(w.item()).toBe(1);
    for (let i = 0; i < 2; i++) {
      optimizer.step(() => bowl(w));
      other.step(() => bowl(twin));
    }
    expect(w.item()).toBe(twin.item());
  });

  test("keeps away from where the loss is no number", () => {
    const w = variable(0.5);
    const optimizer = new LBFGS([w], { lr: 100, lineSearchFn: "strongWolfe" });
    for (let i = 0; i < 3; i++) optimizer.step(() => w.sub(w.log()));
    expect(w.item()).toBeCloseTo(1, 4);
  });

  test("ends when the gradient is small, the loss stays or the evaluations are used up", () => {
    const callsWith = (options: object, start = 0.5) => {
      const w = variable(start);
      let calls = 0;
      new LBFGS([w], { lr: 0.25, maxIter: 50, ...options }).step(() => {
        calls++;
        return w.square().square();
      });
      return calls;
    };
    expect(callsWith({}, 0)).toBe(1);
    expect(callsWith({ toleranceGrad: 0.5 })).toBe(1);
    expect(callsWith({ maxEval: 4 })).toBe(4);
    expect(callsWith({ toleranceChange: 0.01 })).toBeLessThan(callsWith({}));
  });

  test("cannot be compiled, and refuses options out of range", () => {
    const w = variable(1);
    const optimizer = new LBFGS([w]);
    const compiled = compile(() => optimizer.step(() => bowl(w)));
    expect(compiled).toThrow(CompileError);
    expect(compiled).toThrow("LBFGS: step cannot be part of a function that is compiled");
    expect(w.item()).toBe(1);
    for (const [name, value] of [
      ["lr", -1],
      ["maxIter", 0],
      ["maxEval", 1.5],
      ["toleranceGrad", Number.NaN],
      ["toleranceChange", "1"],
      ["historySize", -1],
      ["lineSearchFn", "wolfe"],
    ] as const)
      expect(() => new LBFGS([w], { [name]: value } as never), name).toThrow(`LBFGS: ${name} is `);
    expect(() => new LBFGS([w], { max_iter: 3 } as never)).toThrow(
      "LBFGS: there is no option max_iter; the options are lr, maxIter, maxEval, ",
    );
    expect(() => new LBFGS([])).toThrow("LBFGS: there are no parameters");
  });

  test.each([null, "strongWolfe"] as const)(
    "goes on from its state dict with the same bits (line search: %s)",
    (lineSearchFn) => {
      const made = () => {
        const [a, b] = [variable([-1.5, 2]), variable(0.5, { dtype: "float64" })];
        const options = { lineSearchFn, maxIter: 3, historySize: 4, lr: lineSearchFn ? 1 : 0.05 };
        const optimizer = new LBFGS([a, b], options);
        const valley = () => {
          const [x, y] = a.unbind();
          return y!.sub(x!.square()).square().mul(10).add(x!.sub(b).square()).add(b.sub(1).square());
        };
        const steps = (count: number) => {
          for (let i = 0; i < count; i++) optimizer.step(valley);
          return [...a.toTypedArray(), b.item()];
        };
        return { a, b, optimizer, steps };
      };
      // With nothing, one change, some, and as many as it remembers.
      for (const count of [0, 1, 2, 5]) {
        const [one, other] = [made(), made()];
        one.steps(count);
        const state = one.optimizer.stateDict();
        const [a, b] = [one.a.node, one.b.node];
        const end = one.steps(3);
        other.steps(2);
        other.optimizer.loadStateDict(readSafetensors(writeSafetensors(state)).tensors);
        other.a.assign(a);
        other.b.assign(b);
        expect(other.steps(3)).toEqual(end);
        // Without it they differ: the test would see it.
        const forgetful = made();
        forgetful.a.assign(a);
        forgetful.b.assign(b);
        if (count > 0) expect(forgetful.steps(3)).not.toEqual(end);
      }
    },
  );

  test("refuses state dicts of others, and keeps its own", () => {
    const w = variable([1, 2]);
    const optimizer = new LBFGS([w], { maxIter: 4, lr: 0.1, historySize: 2 });
    optimizer.step(() => bowl(w));
    const state = optimizer.stateDict();
    expect(Object.entries(state).map(([name, { shape }]) => [name, shape])).toEqual([
      ["oldDirs", [2, 2]],
      ["oldStps", [2, 2]],
      ["prevFlatGrad", [1, 2]],
      ["d", [1, 2]],
      ["t", [1]],
    ]);
    const refuses = (given: unknown, kind: new (message: string) => Error, says: string) => {
      expect(() => optimizer.loadStateDict(given as never)).toThrow(kind);
      expect(() => optimizer.loadStateDict(given as never)).toThrow(says);
      expect(JSON.stringify(optimizer.stateDict())).toBe(JSON.stringify(state));
    };
    const { d: _, ...lacking } = state;
    refuses(null, ValueError, "LBFGS: a state dict is an object of tensors, got null");
    refuses(lacking, ValueError, "missing: d");
    refuses({ ...state, lr: variable(1) }, ValueError, "unexpected: lr");
    refuses({ ...state, oldStps: zeros([1, 2]) }, ShapeError, "oldStps has shape [1, 2] and not [2, 2]");
    refuses({ ...state, d: zeros([2, 2]) }, ShapeError, "d has shape [2, 2] and not [1, 2]");
    const longer = { ...state, oldDirs: zeros([3, 2]), oldStps: zeros([3, 2]) };
    refuses(longer, ShapeError, "oldDirs has shape [3, 2] and not [2, 2]");
    refuses(new LBFGS([variable(1)]).stateDict(), ShapeError, "d has shape [0, 1] and not [0, 2]");
  });

  test("sets gradients to null", () => {
    const w = variable(1);
    bowl(w).backward();
    new LBFGS([w]).zeroGrad();
    expect(w.grad).toBeNull();
  });
});

describe("LevenbergMarquardt", () => {
  const t = tensor([-1, -0.5, 0, 0.5, 1]);

  test("fits parameters of several shapes and dtypes together", () => {
    const [slope, rest] = [variable([[0.5]], { dtype: "float64" }), variable([0, 0])];
    const unused = variable(7);
    const optimizer = new LevenbergMarquardt([slope, unused, rest]);
    const [offset, bend] = [-2, 0.25];
    const residuals = () => {
      const [b, c] = rest.unbind() as [Tensor, Tensor];
      const y = t.mul(3).tanh().add(offset).add(t.square().mul(bend));
      return t.reshape([1, 5]).mul(slope).tanh().add(b).add(t.square().mul(c)).sub(y);
    };
    const cost = optimizer.step(residuals);
    expect(cost.dtype).toBe("float64");
    expect(cost.item()).toBeGreaterThan(1);
    expect(slope.item()).toBeCloseTo(3, 4);
    expect(rest.toArray()).toEqual([expect.closeTo(-2, 5), expect.closeTo(0.25, 5)]);
    expect(unused.item()).toBe(7);
    // What is left is rounding: nothing lowers it for long, and the damping is not spoilt by the attempt.
    for (let i = 0; i < 3; i++) optimizer.step(residuals);
    expect(optimizer.step(residuals).item()).toBeLessThan(1e-10);
    expect(optimizer.damping).toBeLessThan(1);
  });

  test("fits a network of more parameters than residuals to rounding", () => {
    // Some seeds end in a valley that is not the deepest.
    manualSeed(2);
    const model = new MLP([1, 4, 1], { activation: tanh });
    const x = t.reshape([5, 1]);
    const y = x.mul(4).sin();
    const optimizer = new LevenbergMarquardt(model.parameters(), { maxIter: 100 });
    optimizer.step(() => model.forward(x).sub(y));
    expect(model.forward(x).sub(y).square().sum().item()).toBeLessThan(1e-12);
  });

  test("takes parameters that say the same twice", () => {
    const [a, b] = [variable(1), variable(0)];
    new LevenbergMarquardt([a, b], { damping: 1e-12 }).step(() => t.mul(a.add(b)).sub(t.mul(5)));
    expect(a.item() + b.item()).toBeCloseTo(5, 5);
  });

  test("stays where nothing lowers the cost", () => {
    const w = variable([0.1]);
    const optimizer = new LevenbergMarquardt([w], { damping: 0.5, toleranceGrad: 0 });
    const calls: number[] = [];
    // The slope that it is told is the wrong way round.
    const uphill = customGradient(
      (x: Tensor) => x.square().add(1),
      (g) => [g.mul(-1)],
    );
    const cost = optimizer.step(() => {
      calls.push(w.item());
      return uphill(w);
    });
    expect(calls.length).toBeGreaterThan(5);
    expect(cost.item()).toBeCloseTo((1 + 0.01) ** 2 / 2, 6);
    expect([w.toArray(), optimizer.damping]).toEqual([[expect.closeTo(0.1, 6)], 0.5]);
    const lost = variable([Number.NaN]);
    expect(new LevenbergMarquardt([lost]).step(() => lost.mul(2)).item()).toBeNaN();
  });

  test("ends when the gradient is small, the cost stays or the iterations are used up", () => {
    const callsWith = (options: object, start = 0) => {
      const w = variable([start], { dtype: "float64" });
      let calls = 0;
      // Each step takes 1 from w, and all but exp(-2) of the cost.
      new LevenbergMarquardt([w], { toleranceChange: 0, toleranceGrad: 0, ...options }).step(() => {
        calls++;
        return w.exp();
      });
      return calls;
    };
    expect(callsWith({}, -1000)).toBe(1);
    expect(callsWith({ toleranceGrad: 5 })).toBe(1);
    expect(callsWith({ maxIter: 3 })).toBe(4);
    expect(callsWith({ toleranceChange: 0.99 })).toBe(2);
    expect(callsWith({ toleranceChange: 0.5 })).toBe(21);
  });

  test("changes nothing when the residuals throw, and names what is wrong with them", () => {
    const w = variable([1, 2], { dtype: "float64" });
    const optimizer = new LevenbergMarquardt([w], { damping: 0.25 });
    const refuses = (residuals: () => Tensor, kind: new (message: string) => Error, says: string) => {
      expect(() => optimizer.step(residuals)).toThrow(kind);
      expect(() => optimizer.step(residuals)).toThrow(says);
      expect([w.toArray(), optimizer.damping]).toEqual([[1, 2], 0.25]);
    };
    let calls = 0;
    const failing = () => {
      if (++calls % 3 === 0) throw new Error("no data");
      return w.square().add(1);
    };
    refuses(failing, Error, "no data");
    refuses(() => t, GradientError, "LevenbergMarquardt: the residuals reach none of the 1 parameters");
    refuses(() => w.square().detach(), GradientError, "the residuals reach none");
    const whole = () => w.cast("int32");
    refuses(whole, DTypeError, "LevenbergMarquardt: the residuals are int32; only float32 and float64");
    const inside = () => compile(() => optimizer.step(() => w))();
    expect(inside).toThrow(CompileError);
    expect(w.toArray()).toEqual([1, 2]);
  });

  test("refuses numbers out of range, at the beginning and later", () => {
    const w = variable(1);
    for (const [name, value] of [
      ["damping", 0],
      ["damping", 1e13],
      ["damping", Number.NaN],
      ["up", 1],
      ["down", Number.POSITIVE_INFINITY],
      ["maxIter", 0],
      ["toleranceGrad", -1],
      ["toleranceChange", "1"],
    ] as const) {
      const make = () => new LevenbergMarquardt([w], { [name]: value } as never);
      expect(make, name).toThrow(ValueError);
      expect(make, name).toThrow(`LevenbergMarquardt: ${name} is `);
    }
    const optimizer = new LevenbergMarquardt([w]);
    expect(() => Object.assign(optimizer, { damping: -1 })).toThrow("damping is a number from 1e-12 to");
    expect(optimizer.damping).toBe(0.001);
    expect(() => new LevenbergMarquardt([])).toThrow("LevenbergMarquardt: there are no parameters");
    expect(() => new LevenbergMarquardt([w], 0.1 as never)).toThrow("options are named");
    expect(() => optimizer.step(w as never)).toThrow("what step takes is a function");
  });

  test("goes on from its state dict with the same bits", () => {
    const made = () => {
      const w = variable([-1.2, 1]);
      const optimizer = new LevenbergMarquardt([w], { maxIter: 2 });
      const steps = (count: number) => {
        for (let i = 0; i < count; i++)
          optimizer.step(() => {
            const [x, y] = w.unbind() as [Tensor, Tensor];
            return stack([y.sub(x.square()).mul(10), x.neg().add(1)]);
          });
        return [...w.toTypedArray(), optimizer.damping];
      };
      return { w, optimizer, steps };
    };
    const [one, other] = [made(), made()];
    one.steps(3);
    const [state, w] = [one.optimizer.stateDict(), one.w.node];
    const end = one.steps(2);
    other.optimizer.loadStateDict(readSafetensors(writeSafetensors(state)).tensors);
    other.w.assign(w);
    expect(other.steps(2)).toEqual(end);
    const refuses = (given: object, says: string) => {
      expect(() => other.optimizer.loadStateDict(given as never)).toThrow(ValueError);
      expect(() => other.optimizer.loadStateDict(given as never)).toThrow(says);
      expect(other.optimizer.damping).toBe(end[2]);
    };
    refuses(
      {},
      "LevenbergMarquardt: the state dict does not fit, and nothing was loaded\n  missing: damping",
    );
    refuses({ damping: variable(-1) }, "damping is a number from 1e-12 to");
  });
});

test("a step asks for a loss of one element, in its own words", () => {
  const w = variable([3, -4]);
  const optimizer = new SGD([w], { lr: 0.1 });
  expect(() => optimizer.step(w.square())).toThrow(
    "SGD: step takes a loss of one element, got shape [2]; reduce it with sum() or mean()",
  );
  expect(w.toArray()).toEqual([3, -4]);
});
