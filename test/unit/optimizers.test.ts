import {
  compile,
  DTypeError,
  GradientError,
  StateError,
  ValueError,
  variable,
  zeros,
} from "@cotangent/autograd";
import { Adagrad, Adam, AdamW, type Optimizer, RMSprop, SGD } from "@cotangent/nn";
import { describe, expect, test } from "vitest";

type AnyOptimizer = new (parameters: never, options: never) => Optimizer;
const optimizers: Record<string, AnyOptimizer> = { Adagrad, Adam, AdamW, RMSprop, SGD };

function make(name: string, parameters: unknown, options: object = {}): Optimizer {
  return new optimizers[name]!(parameters as never, { lr: 0.1, ...options } as never);
}

/** Its numbers, each with another value for it. */
const numbers: Record<string, Record<string, number>> = {
  Adagrad: { lr: 0.5, lrDecay: 0.1, eps: 0.25, weightDecay: 0.5 },
  Adam: { lr: 0.5, eps: 0.25, weightDecay: 0.5 },
  AdamW: { lr: 0.5, eps: 0.25, weightDecay: 0.5 },
  RMSprop: { lr: 0.5, alpha: 0.25, eps: 0.25, weightDecay: 0.5, momentum: 0.25 },
  SGD: { lr: 0.5, momentum: 0.25, dampening: 0.5, weightDecay: 0.5 },
};

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
    refused(() => make(name, [w, w]), ValueError, "parameter w is given twice");
    refused(
      () => make(name, [variable(1, { dtype: "int32" })]),
      DTypeError,
      "parameter 0 is int32; only float32",
    );
  });

  test("refuses numbers out of range, at the beginning and later", () => {
    const w = variable(1);
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
    const [first, second] = [variable([1, -2]), variable([1, -2])];
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
    const [w, other] = [variable([1, 2]), variable(1)];
    const optimizer = make(name, [w]);
    refused(() => optimizer.step(other.square()), GradientError, "the loss reaches none of the 1 parameters");
    refused(() => optimizer.step(), GradientError, "no parameter has a gradient");
    expect(() => optimizer.step(w.square())).toThrow(GradientError);
    expect(w.toArray()).toEqual([1, 2]);
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
