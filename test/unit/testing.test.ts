import {
  customGradient,
  DTypeError,
  defineOp,
  exp,
  linearRule,
  log,
  mul,
  type Operand,
  partial,
  pointwise,
  pushed,
  relu,
  type Samples,
  sigmoid,
  stopGradient,
  type Tensor,
  tanh,
  tensor,
  type Unary,
  within,
} from "@cotangent/autograd";
import { checkModel, checkOp } from "@cotangent/autograd/testing";
import "@cotangent/autograd/testing/vitest";
import { Linear, Module, Sequential } from "@cotangent/nn";
import { mse } from "@cotangent/nn/loss";
import { describe, expect, test } from "vitest";

test("the matcher tells the line of the test where an op is the function itself", () => {
  const half: Unary = pointwise({
    name: "half",
    body: (m, x) => m.mul(x!, 0.5),
    derivatives: [partial(() => 1)],
    samples: within([-2, 2]),
  });
  const assertion = () => expect(half).toHaveCorrectGradient([tensor([1])]);
  expect(assertion).toThrow(/the rule of half is wrong .*\n.*\n {2}made .*testing\.test\.ts:\d+/);
});

describe("checkOp", () => {
  const cube = (factor: number): Unary =>
    pointwise({
      name: "cube",
      body: (m, x) => m.mul(m.mul(x!, x!), x!),
      derivatives: [partial((_, x) => mul(mul(x!, x!), factor))],
      samples: within([-2, 2]),
    });

  test("passes an op that is right", () => {
    const report = checkOp(cube(3));
    expect(report.pass, String(report)).toBe(true);
    expect(String(report)).toBe("cube: 9 of 9 laws hold (50 calls each)");
    expect(checkOp(exp, { runs: 10 }).pass).toBe(true);
  });

  test("names the laws that a wrong one breaks, and the call", () => {
    const report = checkOp(cube(2));
    expect(report.breaches.map(({ law }) => law)).toEqual(["both modes equal finite differences"]); // prettier-ignore
    expect(String(report)).toContain("the rule of cube is wrong for operand 0");
    const { seed } = report.breaches[0]!;
    expect(checkOp(cube(2), { seed, runs: 1 }).breaches[0]!.call).toBe(report.breaches[0]!.call);
  });

  test("says what to do about an op that fails for wrong arguments, in words that are not its own", () => {
    const apply = defineOp({
      name: "first",
      kernel: { kind: "opaque", run: ([x], out) => out.data.set(x!.data.subarray(0, out.data.length)) },
      derivatives: [pushed((t) => t.slice(0, 1))],
      shape: ([x]) => x!.shape.with(0, 1),
      dtype: ([x]) => x!.dtype,
    });
    const report = checkOp((x: Tensor) => apply([x], {}), {
      samples: (draw) => [draw.tensor(draw.shape(1))],
    });
    expect(report.breaches.map(({ message }) => message).join()).toMatch(
      /not refused by a typed error, but fails: RangeError: .*; check the arguments first/,
    );
  });

  test("takes an op made by defineOp with samples", () => {
    const apply = defineOp({
      name: "twice",
      kernel: { kind: "pointwise", body: (m, x) => m.add(x!, x!) },
      derivatives: [linearRule((g) => mul(g, 2))],
      shape: ([x]) => x!.shape,
      dtype: ([x]) => {
        if (x!.dtype === "bool") throw new DTypeError("twice: takes no bool; cast it first");
        return x!.dtype;
      },
    });
    const twice = (x: Tensor) => apply([x], {});
    const report = checkOp(twice, { samples: within([-2, 2]), runs: 10 });
    expect(report.breaches.map(({ law }) => law)).toEqual([]);
    expect(() => checkOp(twice)).toThrow("takes a function with samples");
  });
  test("asks no function for the name of an op that it is not", () => {
    const swish = customGradient(
      function swish(x: Tensor) {
        return x.mul(x.sigmoid());
      },
      (g, y, x) => [g.mul(y.add(x.sigmoid().mul(y.sub(1).neg())))],
    );
    const samples: Samples = (draw) => [draw.tensor([3])];
    expect(String(checkOp(swish, { samples }))).toBe("swish: 9 of 9 laws hold (50 calls each)");
    const report = checkOp((x: Tensor) => x.square(), { samples, runs: 5 });
    expect(String(report)).toBe("the function: 9 of 9 laws hold (5 calls each)");
  });

  test("takes samples that are written down in one dtype", () => {
    expect(String(checkOp((x: Tensor) => x.square(), { samples: () => [tensor([1, 2])] }))).toContain(
      "9 of 9",
    );
  });
  test("tells of a gradient in another dtype, and how an op refuses what it does not take", () => {
    const softsign = (one: Tensor | number): Unary =>
      pointwise({
        name: "softsign",
        body: (m, x) => m.div(x!, m.add(1, m.abs(x!))),
        derivatives: [partial((_, x) => x!.abs().add(one).square().reciprocal())],
        samples: within([-2, 2]),
      });
    const report = String(checkOp(softsign(tensor(1, { dtype: "float64" }))));
    expect(report).toContain("the gradient by operand 0 is float64, and the operand float32");
    expect(String(checkOp(softsign(1)))).toContain('`accepts: "float"`');
  });

  test("finds what is wrong with float32 and with the domain", () => {
    const noisy: Unary = pointwise({
      name: "noisy",
      body: (m, x) => m.sub(m.add(x!, 1e4), 1e4),
      derivatives: [partial(() => 1)],
      samples: within([-2, 2]),
    });
    expect(checkOp(noisy).breaches.map(({ law }) => law)).toContain(
      "float32 agrees with float64 to its precision",
    ); // prettier-ignore
    expect(checkOp(log, { samples: within([-2, 2]) }).breaches.map(({ law }) => law)).toContain(
      "the inferred shape and dtype are those of the elements",
    ); // prettier-ignore
  });
});

describe("checkModel", () => {
  const [x, y] = [
    tensor([
      [0, 1],
      [1, 0.5],
    ]),
    tensor([[1], [0]]),
  ]; // prettier-ignore

  test("checks every parameter by its path", () => {
    const model = new Sequential(new Linear(2, 3), tanh, new Linear(3, 1));
    const report = checkModel(model, (m, a, b) => mse(m.forward(a), b), [x, y]);
    expect(report.pass, String(report)).toBe(true);
    expect(report.parameters.map(({ path, verdict }) => `${path} ${verdict}`)).toEqual([
      "0.weight pass",
      "0.bias pass",
      "2.weight pass",
      "2.bias pass",
    ]); // prettier-ignore
  });

  test("says which parameters get no gradient, and why", () => {
    class Odd extends Module {
      readonly used: Linear = new Linear(2, 1);
      readonly unused: Linear = new Linear(2, 1);
      readonly cut: Linear = new Linear(2, 1);
      readonly dead: Linear = new Linear(2, 1);
      forward(a: Tensor): Tensor {
        const dead = relu(sigmoid(this.dead.forward(a)).sub(2));
        return this.used
          .forward(a)
          .add(stopGradient(this.cut.forward(a)))
          .add(dead);
      }
    }
    const report = checkModel(new Odd(), (m, a, b) => mse(m.forward(a), b), [x, y]);
    expect(report.pass, String(report)).toBe(true);
    const reasons = Object.fromEntries(report.parameters.map(({ path, without }) => [path, without]));
    expect(reasons["used.weight"]).toBeNull();
    expect(reasons["unused.weight"]).toBe("the loss does not use it");
    expect(reasons["cut.weight"]).toMatch(/stopGradient has no derivative, made at .*testing\.test\.ts:\d+/);
    expect(reasons["dead.bias"]).toBe("it is 0 everywhere for this batch");
    expect(report.without.length).toBe(6);
    expect(String(report)).toContain("unused.weight [1, 2]: no gradient: the loss does not use it");
  });

  test("fails where a customGradient hides a parameter, and names it", () => {
    const model = new Linear(2, 1);
    const hidden = customGradient(
      function hidden(a: Tensor) {
        return model.forward(a);
      },
      (g) => [g.matmul(model.weight)],
    );
    const report = checkModel(model, (_, a) => hidden(a).sum(), [x]);
    expect(report.verdict).toBe("fail");
    expect(report.gradient.faults).toMatchObject([{ op: "hidden", operand: null }]);
    expect(report.parameters[0]!.without).toMatch(
      /^hidden has no derivative by what its function uses .*made at/,
    );
  });

  test("takes a loss that is not finite for no answer, and one that is no tensor for a mistake", () => {
    const model = new Linear(2, 1);
    const report = checkModel(model, (m, a) => m.forward(a).mul(0).log().sum(), [x]);
    expect(report.verdict).toBe("inconclusive");
    expect(String(report)).toContain("no element of the result is finite");
    expect(() => checkModel(model, () => 1 as never, [])).toThrow(
      "checkModel: the loss is not a tensor, but 1",
    );
  });

  test("names the op that is at fault", () => {
    const slanted = pointwise<(x: Operand) => Tensor>({
      name: "slanted",
      body: (m, a) => m.mul(a!, a!),
      derivatives: [partial((_, a) => a!)],
      samples: within([-1, 1]),
    });
    const model = new Sequential(new Linear(2, 3), slanted, new Linear(3, 1));
    const report = checkModel(model, (m, a, b) => mse(m.forward(a), b), [x, y]);
    expect(report.gradient.faults.map(({ op }) => op)).toEqual(["slanted"]);
    expect(report.parameters.map(({ verdict }) => verdict)).toEqual(["fail", "fail", "pass", "pass"]);
  });
});
