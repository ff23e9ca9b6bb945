import {
  abs,
  amax,
  argsort,
  atan2,
  cbrt,
  checkGradient,
  cummax,
  cummin,
  customGradient,
  defineOp,
  div,
  type Elements,
  GradientError,
  gradientReversal,
  lgamma,
  log,
  manualSeed,
  max,
  maximum,
  norm,
  type Operand,
  partial,
  pointwise,
  pow,
  pushed,
  relu,
  round,
  sort,
  sqrt,
  stopGradient,
  straightThrough,
  svd,
  type Tensor,
  type TypedArray,
  tanh,
  tensor,
  type Unary,
  ValueError,
  variable,
  where,
  xlogy,
  zeros,
} from "@cotangent/autograd";
import { Linear, Sequential } from "@cotangent/nn";
import { mse } from "@cotangent/nn/loss";
import { describe, expect, test } from "vitest";

/** `x^3` with the derivative `2 x^2`. */
const cube: Unary = pointwise({
  name: "cube",
  body: (m, x) => m.mul(m.mul(x!, x!), x!),
  derivatives: [partial((_, x) => x!.mul(x!).mul(2))],
  samples: () => [tensor([1, 2])],
});

describe("kinks are no false alarms", () => {
  const cases: Record<string, [f: (x: Tensor) => Tensor, x: Tensor]> = {
    "relu at 0": [relu, tensor([0, -1, 2])],
    "relu at 0 in two places with weights": [(x) => relu(x).mul(tensor([1, -2, 3])), tensor([0, 0, 1])],
    "max over everything with ties": [(x) => max(x), tensor([1, 1, 0])],
    "max along an axis with ties": [(x) => max(x, 0), tensor([1, 1, 0])],
    "amax with ties": [
      (x) => amax(x, 0),
      tensor([
        [1, 2],
        [1, 2],
        [0, 2],
      ]),
    ], // prettier-ignore
    "maximum of equal operands": [(x) => maximum(x, x.mul(2)), tensor([0, 1])],
    "abs at 0": [abs, tensor([0, 1])],
    "norm at 0": [(x) => norm(x), tensor([0, 0])],
    "sort with equal keys": [(x) => sort(x).values, tensor([1, 1, 0])],
    "round at a half": [(x) => round(x).add(x), tensor([0.5, 0.2])],
    "where on its border": [(x) => where(x.gt(0), x.square(), x.mul(3)), tensor([0, 1])],
    "clamp on its border": [(x) => x.clamp(-1, 1).square(), tensor([-1, 1, 0.5])],
    "ties beside a mask of infinities": [
      (x) => amax(where(tensor([true, true, false]), x, -Infinity)),
      tensor([1, 1, 2]),
    ],
    "median with equal elements": [(x) => x.median(), tensor([1, 1, 2])],
    "a running maximum past equal elements": [(x) => cummax(x), tensor([1, 2, 2, 1, 3, 3, 2])],
    "running minima past equal elements, of columns": [
      (x) => cummin(x, 0),
      tensor([
        [2, 1],
        [2, 1],
        [3, 1],
        [1, 2],
      ]),
    ],
  };
  for (const [name, [f, x]] of Object.entries(cases))
    test(name, () => {
      const report = checkGradient(f, [x]);
      expect(report.verdict, String(report)).toBe("pass");
      expect(report.faults).toEqual([]);
    });

  test("the report says what is to the left and to the right", () => {
    const report = checkGradient((x) => abs(x), [tensor([0])]);
    const [first] = report.directions;
    expect(first!.kinks.length).toBe(1);
    expect(first!.sides!.left).toBeCloseTo(-first!.sides!.right, 8);
    expect(String(report)).toContain("on a kink");
  });

  test("a kink that an op does not declare is none either", () => {
    const silent: Unary = pointwise({
      name: "silent",
      body: (m, x) => m.select(m.lt(x!, 0), 0, x!),
      derivatives: [partial((_, x) => x!.gt(0).cast(x!.dtype))],
      samples: () => [tensor([1])],
    });
    expect(checkGradient(silent, [tensor([0, 1, -1])]).verdict).toBe("pass");
  });

  test("a kink of an opaque op has to be declared, and the report says so", () => {
    const rectified = (kink?: true) => {
      const op = defineOp({
        name: "rectified",
        kernel: { kind: "opaque", run: ([x], out) => out.data.set(x!.data.map((e) => Math.max(e, 0))) },
        derivatives: [partial((_, x) => x!.gt(0).cast(x!.dtype))],
        shape: ([x]) => x!.shape,
        dtype: ([x]) => x!.dtype,
        kink,
      });
      return (x: Tensor) => op([x], {});
    };
    const x = tensor([0, 1, -1]);
    expect(checkGradient(rectified(true), [x]).verdict).toBe("pass");
    const report = checkGradient(rectified(), [x]);
    expect(report.faults[0]!.op).toBe("rectified");
    expect(String(report)).toContain("if that is a kink, declare it by `kink: true`");
    expect(String(checkGradient(rectified(), [tensor([2, 1, -1])]))).not.toContain("kink");
  });

  test("a derivative outside those of either side is wrong", () => {
    const steep: Unary = pointwise({
      name: "steep",
      body: (m, x) => m.select(m.lt(x!, 0), 0, x!),
      derivatives: [partial((_, x) => where(x!.eq(0), 1.5, x!.gt(0).cast(x!.dtype)))],
      samples: () => [tensor([1])],
      kink: "At 0 the derivative is 1.5.",
    });
    const report = checkGradient(steep, [tensor([0, 1])]);
    expect(report.verdict).toBe("fail");
    expect(report.faults.map(({ op }) => op)).toEqual(["steep"]);
    expect(String(report)).toContain("lies outside those of either side");
  });

  test("large and tiny scales in one float32 graph pass, to second order", () => {
    const f = (x: Tensor, y: Tensor) => x.mul(1e6).sin().sum().add(y.mul(1e-6).exp().sum());
    for (const order of [1, 2])
      expect(checkGradient(f, [tensor([1e-6, 2e-6]), tensor([1e5, -1e5])], { order }).verdict).toBe("pass");
    expect(checkGradient((x) => x.mul(1e-30).mul(1e30).sin(), [tensor([1e8, 1e-8])]).verdict).toBe("pass");
  });
});

describe("a wrong rule", () => {
  test("is named with operand, element, values and the line that used it", () => {
    const report = checkGradient((x) => cube(x.exp()).sum().tanh(), [tensor([-0.5, 0.2])]);
    expect(report.pass).toBe(false);
    const [fault] = report.faults;
    expect(fault).toMatchObject({ op: "cube", operand: 0, dissent: "differences" });
    expect(fault!.element!.value).toBeCloseTo(Math.exp(fault!.element!.index[0] === 0 ? -0.5 : 0.2), 5);
    expect(fault!.element!.reverse / fault!.element!.differences).toBeCloseTo(2 / 3, 8);
    expect(fault!.site).toMatch(/verify\.test\.ts:\d+/);
    const text = String(report);
    expect(text).toContain("the rule of cube is wrong for operand 0");
    expect(text).toContain("0.6667 times what is right");
  });

  test("of a tiny part of a large result is found", () => {
    const report = checkGradient(
      (x, y) => x.mul(1e9).sum().add(cube(y).sum()),
      [tensor([1, 2]), tensor([1e-3])],
    );
    expect(report.faults.map(({ op }) => op)).toEqual(["cube"]);
  });

  test("that is not linear in the cotangent has no forward mode", () => {
    const half = customGradient(
      (x: Tensor) => x.sin(),
      (g, _, x) => [g.mul(x.cos()).mul(g)],
    );
    const report = checkGradient((x) => half(x).sum(), [tensor([0.3, 0.4])]);
    expect(report.verdict).toBe("fail");
    expect(report.faults.map(({ op }) => op)).toEqual(["customGradient"]);
  });

  test("is found before a kink and behind it", () => {
    const before = checkGradient((x) => relu(cube(x).sub(1)), [tensor([1, 2])]);
    const behind = checkGradient((x) => cube(max(x, 0)), [tensor([1, 1])]);
    for (const { faults } of [before, behind]) expect(faults.map(({ op }) => op)).toEqual(["cube"]);
  });

  test("written with customGradient is named after its function, and what is inside is not asked", () => {
    const report = checkGradient(
      customGradient(
        function waves(x: Tensor) {
          return cube(x).sin();
        },
        (g, _, x) => [g.mul(x)],
      ),
      [tensor([0.3, 0.4])],
    );
    expect(report.faults.map(({ op }) => op)).toEqual(["waves"]);
  });

  test("that gives another dtype than that of its operand is named, though it is right in float64", () => {
    const two = tensor(2, { dtype: "float64" });
    const square: Unary = pointwise({
      name: "square64",
      body: (m, x) => m.mul(x!, x!),
      derivatives: [partial((_, x) => x!.mul(two))],
      samples: () => [tensor([1])],
    });
    const twice = customGradient(
      function twice64(x: Tensor) {
        return x.mul(2);
      },
      (g) => [g.mul(two)],
    );
    for (const f of [square, twice]) {
      const g = (x: Tensor) => f(x.sin()).tanh().sum();
      const report = checkGradient(g, [tensor([1, -2])]);
      expect(report.verdict).toBe("fail");
      expect(report.faults.map(({ op, operand }) => [op, operand])).toEqual([[f.name, 0]]);
      expect(report.faults[0]!.site).toContain("verify.test.ts");
      expect(String(report)).toContain("float32");
      expect(checkGradient(g, [tensor([1, -2], { dtype: "float64" })]).verdict).toBe("pass");
    }
  });

  test("that gives NaN is told with what usually is done about it", () => {
    const report = String(checkGradient((p) => xlogy(p, p).sum(), [tensor([0, 0.5, 0.5])]));
    expect(report).toContain("the rule of xlogy is wrong for operand 1");
    expect(report).toContain("log of 0: add a small number");
  });

  test("is told of another operand where the op is used again", () => {
    const product = customGradient(
      (a: Tensor, b: Tensor) => a.mul(b),
      (g) => [g, g],
    );
    const f = (a: Tensor, b: Tensor) => product(product(a, b).sin(), b).sum();
    const report = checkGradient(f, [tensor([3, -2]), tensor([5, 7])]);
    expect(report.faults.map(({ operand }) => operand)).toEqual([0, 1]);
  });

  test("is told of every op, though two have the same name", () => {
    const twice = customGradient(
      (a: Tensor) => a.mul(2),
      (g) => [g],
    );
    const square = customGradient(
      (a: Tensor) => a.square(),
      (g, _, a) => [g.mul(stopGradient(a))],
    );
    const f = (a: Tensor) => square(twice(a)).sum();
    expect(checkGradient(f, [tensor([1, -2])]).faults.map(({ node }) => node)).toHaveLength(2);
    const constant = (scale: number) =>
      customGradient(
        (a: Tensor) => a.square().mul(scale),
        (g, _, a) => [g.mul(stopGradient(a)).mul(2 * scale)],
      );
    const [one, other] = [constant(1), constant(2)];
    const second = checkGradient((a) => other(one(a)).sum(), [tensor([1, -2])], { order: 2 });
    expect(second.faults).toHaveLength(2);
  });

  test("written with customGradient is named by the number of its argument, as every other", () => {
    const [a, b, c] = [tensor([1, 2]), tensor([3, 4]), tensor([5, 6])];
    for (const wrong of [0, 1, 2])
      for (const spoil of [(g: Tensor) => g.mul(2), (g: Tensor) => g.unsqueeze(0)]) {
        const product = customGradient(
          function product(x: Tensor, y: Tensor, z: Tensor) {
            return x.mul(y).mul(z);
          },
          (g, _, x, y, z) =>
            [g.mul(y).mul(z), g.mul(x).mul(z), g.mul(x).mul(y)].map((part, i) =>
              i === wrong ? spoil(part) : part,
            ),
        );
        const report = checkGradient((x, y, z) => product(x, y, z).sum(), [a, b, c]);
        expect(report.faults).toMatchObject([{ op: "product", operand: wrong }]);
        expect(report.faults[0]!.text).toBe("%6: float64[2] = product(%0, %1, %3, value=%5)");
        expect(String(report)).toContain(`wrong for operand ${wrong}:`);
        if (report.faults[0]!.reason) expect(report.faults[0]!.reason).toContain(`for input ${wrong} of`);
      }
  });

  describe("of customGradient that is 0 by what its function uses without taking it", () => {
    const w = variable([3]);
    const scaledBy = (factor: () => Tensor) =>
      customGradient(
        function scaled(x: Tensor) {
          return x.mul(factor());
        },
        (g) => [g.mul(w)],
      );
    test("fails, whether nothing else moves or the rest is right", () => {
      const scaled = scaledBy(() => w);
      for (const report of [
        checkGradient(() => scaled(tensor([2])).sum(), [w]),
        checkGradient((x) => scaled(x).sum(), [tensor([2]), w]),
        checkGradient((x) => scaled(x.sin()).exp(), [tensor([2]), w], { order: 2 }),
      ]) {
        expect(report).toMatchObject({ verdict: "fail", faults: [{ op: "scaled", operand: null }] });
        expect(String(report)).toMatch(
          /ends at scaled:\n.*\n.*verify\.test\.ts:\d+.*\n.*take it as an input/,
        );
      }
    });
    test("passes where stopGradient says so, or no input is hidden", () => {
      const stopped = scaledBy(() => stopGradient(w));
      expect(checkGradient((x) => stopped(x), [tensor([2]), w]).verdict).toBe("pass");
      expect(checkGradient((x) => scaledBy(() => w)(x), [tensor([2])]).verdict).toBe("pass");
    });
  });

  test("is none where a variable is assigned: derivatives end there", () => {
    const w = variable([3]);
    const report = checkGradient(
      (x) => {
        w.assign(x.mul(2));
        return w.sin();
      },
      [tensor([1])],
    );
    expect(report).toMatchObject({ verdict: "fail", faults: [{ op: "assigned", operand: null }] });
    expect(String(report)).toContain("derivatives end where a variable is assigned");
  });

  test("that order 1 cannot tell is not called right by order 2", () => {
    const root = customGradient(
      function root(x: Tensor) {
        return x.sqrt();
      },
      (g, y) => [g.div(y).mul(7)],
    );
    for (const order of [1, 2])
      expect(checkGradient((x) => root(x), [tensor([0])], { order })).toMatchObject({
        verdict: "inconclusive",
        order: 1,
      });
  });

  test("that is right to first order and wrong to second fails at order 2", () => {
    const flat: Unary = pointwise({
      name: "flat",
      body: (m, x) => m.mul(x!, x!),
      derivatives: [partial((_, x) => stopGradient(x!.mul(2)))],
      samples: () => [tensor([1])],
    });
    expect(checkGradient(flat, [tensor([1, 2])]).verdict).toBe("pass");
    const report = checkGradient((x) => flat(x.exp()).sin(), [tensor([1, 2])], { order: 2 });
    expect(report.verdict).toBe("fail");
    expect(report.faults).toMatchObject([{ op: "flat", operand: 0, order: 2, element: { operand: 0 } }]);
    expect(report.faults[0]!.text).toBe("%2: float64[2] = flat(%1)");
    expect(report.faults[0]!.site).toMatch(/verify\.test\.ts:\d+/);
    expect(String(report)).toContain("the derivative of the rule of flat is wrong for operand 0:");
    expect(String(report)).toContain("it uses stopGradient, whose derivative is not that of its values");
  });

  test("is not missed by a check of order 2, whose witnesses agree on what the rule gives", () => {
    for (const order of [2, 3]) {
      const report = checkGradient((x) => cube(x), [tensor([0.5, 2])], { order });
      expect(report).toMatchObject({ verdict: "fail", order: 1, faults: [{ op: "cube", order: 1 }] });
      expect(String(report)).toMatch(/^gradient of order 1: fail \(tolerance 0.000001\)/);
    }
    expect(checkGradient((x) => x.sin(), [tensor([0.5, 2])], { order: 3 })).toMatchObject({
      verdict: "pass",
      order: 3,
    });
  });

  test("that reads values fails at order 2, though all witnesses of its graph agree", () => {
    const deaf = customGradient(
      function deaf(x: Tensor) {
        return x.sin();
      },
      (g, _, x) => [g.mul(tensor(x.cos().toArray() as number[]))],
    );
    const f = (x: Tensor) => deaf(x.mul(2)).square();
    expect(checkGradient(f, [tensor([0.3, 1])]).verdict).toBe("pass");
    const report = checkGradient(f, [tensor([0.3, 1])], { order: 2 });
    expect(report.directions.every(({ verdict }) => verdict === "pass")).toBe(true);
    expect(report.verdict).toBe("fail");
    expect(report.faults).toMatchObject([
      { op: "deaf", operand: 0, order: 2, reason: expect.stringContaining("it reads values") },
    ]);
  });

  test("of an op that is used by another's rule only is told as that of the op itself", () => {
    const wrong: Unary = pointwise({
      name: "wrong",
      body: (m, x) => m.mul(x!, x!),
      derivatives: [partial((_, x) => x!.mul(3))],
      samples: () => [tensor([1])],
    });
    const cubed = customGradient(
      function cubed(x: Tensor) {
        return x.mul(x).mul(x);
      },
      (g, _, x) => [g.mul(wrong(x)).mul(3)],
    );
    expect(checkGradient((x) => cubed(x), [tensor([0.5])]).verdict).toBe("pass");
    const report = checkGradient((x) => cubed(x), [tensor([0.5])], { order: 2 });
    expect(report.faults).toMatchObject([{ op: "wrong", order: 1 }]);
    expect(report.faults[0]!.site).toMatch(/verify\.test\.ts:\d+/);
  });

  test("of the wrong shape is told by its shape", () => {
    const odd = pointwise<(x: Operand, y: Operand) => Tensor>({
      name: "odd",
      body: (m, x, y) => m.mul(x!, y!),
      derivatives: [partial((_, _x, y) => y!.unsqueeze(0)), partial((_, x) => x!)],
      samples: () => [tensor([1]), tensor([1])],
    });
    const report = checkGradient((x) => odd(x, x), [tensor([1, 2])]);
    expect(report.verdict).toBe("fail");
    expect(String(report)).toContain("shape");
  });
});

describe("what is meant to be another derivative is taken at its word", () => {
  const x = tensor([0.4, -1.2]);
  test("stopGradient, straightThrough and gradientReversal", () => {
    for (const f of [
      (a: Tensor) => stopGradient(a).mul(a),
      (a: Tensor) => straightThrough(a, round(a)).square(),
      (a: Tensor) => gradientReversal(a.sin(), 2).exp(),
    ])
      expect(checkGradient(f, [x]).verdict).toBe("pass");
  });
  test("and what comes before and after is checked", () => {
    for (const f of [
      (a: Tensor) => cube(straightThrough(a, round(a))),
      (a: Tensor) => gradientReversal(cube(a), 2).exp(),
    ])
      expect(checkGradient(f, [x]).faults.map(({ op }) => op)).toEqual(["cube"]);
  });
});

describe("functions that are none", () => {
  const x = tensor([1, 2]);
  let calls = 0;
  const changing = (give: (a: Tensor, call: number) => Tensor) => (a: Tensor) => give(a, calls++ % 3);

  test("that are not deterministic", () => {
    const report = checkGradient((a) => a.mul(Math.random()), [x]);
    expect(report.verdict).toBe("inconclusive");
    expect(String(report)).toContain("not deterministic");
  });
  test("that write to an operand of an opaque op, though it stays as it is when that is done again", () => {
    const sorted = (data: (x: Elements) => TypedArray) => {
      const op = defineOp({
        name: "sorted",
        kernel: { kind: "opaque", run: ([x], out) => out.data.set(data(x!).sort()) },
        derivatives: [pushed((t, out) => t.gather(0, argsort(out.inputs[0]!)))],
        shape: ([x]) => x!.shape,
        dtype: ([x]) => x!.dtype,
      });
      return (x: Tensor) => op([x], {}).mul(tensor([1, 2, 3]));
    };
    const report = checkGradient(
      sorted((x) => x.data),
      [tensor([3, 1, 2])],
    );
    expect(report.verdict).toBe("fail");
    expect(String(report)).toContain("the kernel of sorted writes to its operand 0");
    expect(
      checkGradient(
        sorted((x) => x.data.slice()),
        [tensor([3, 1, 2])],
      ).verdict,
    ).toBe("pass");
  });
  test("that leave elements of the result of an opaque op as they were", () => {
    const cubed = (run: (x: TypedArray, out: TypedArray) => unknown) => {
      const op = defineOp({
        name: "cubed",
        kernel: { kind: "opaque", run: ([x], out) => run(x!.data, out.data) },
        derivatives: [partial((_, x) => x!.square().mul(3))],
        shape: ([x]) => x!.shape,
        dtype: ([x]) => x!.dtype,
      });
      return (x: Tensor) => op([x], {});
    };
    const returning = checkGradient(
      cubed((x) => x.map((value) => value ** 3)),
      [x],
    );
    expect(returning.verdict).toBe("fail");
    expect(String(returning)).toContain("the kernel of cubed does not write element 0 of its result");
    const stopping = checkGradient(
      cubed((x, out) => out.set(x.subarray(0, 1).map((value) => value ** 3))),
      [x],
    );
    expect(String(stopping)).toContain("the kernel of cubed does not write element 1 of its result");
    const right = checkGradient(
      cubed((x, out) => out.set(x.map((value) => value ** 3))),
      [x],
    );
    expect(right.verdict).toBe("pass");
  });

  test("that read values", () => {
    const report = checkGradient((a) => a.mul(a.sum().item()), [x]);
    expect(report.verdict).toBe("fail");
    expect(String(report)).toContain("reads values of its inputs");
    expect(checkGradient((a) => (a.sum().item() > 0 ? a.sin() : a), [x]).verdict).toBe("pass");
  });
  test("that use an input as a captured tensor too are functions of the argument", () => {
    expect(checkGradient((a) => a.mul(2).sub(x).square(), [x]).verdict).toBe("pass");
    const missed = checkGradient(() => x.square().sum(), [x]);
    expect(missed.verdict).toBe("fail");
    expect(String(missed)).toContain("uses the tensor that is input 0 and not the argument");
    const w = variable([3]);
    const before = w.mul(2);
    const stale = checkGradient(() => before.square(), [w]);
    expect(stale.verdict).toBe("fail");
    expect(String(stale)).toContain("what was computed from input 0 before it was called");
  });
  test("that change shape or dtype nearby, or throw", () => {
    const shapes = checkGradient(
      changing((a, i) => (i === 2 ? a.sum() : a)),
      [x],
    ); // prettier-ignore
    expect(String(shapes)).toContain("changes its shape: [2], and [] for inputs nearby");
    const dtypes = checkGradient(
      changing((a, i) => (i === 2 ? a.cast("float64") : a)),
      [x],
    ); // prettier-ignore
    expect(String(dtypes)).toContain("changes its dtype: float32, and float64");
    const thrown = checkGradient(
      changing((a, i) => {
        if (i === 2) throw new Error("no");
        return a;
      }),
      [x],
    ); // prettier-ignore
    expect(String(thrown)).toContain("throws for inputs nearby: no");
  });
  test("that give no float tensor are refused", () => {
    expect(() => checkGradient(() => 3 as unknown as Tensor, [x])).toThrow(GradientError);
    expect(() => checkGradient((a) => a.cast("int32"), [x])).toThrow(GradientError);
    expect(() => checkGradient((a) => a, [tensor([1], { dtype: "int32" })])).toThrow(/input 0/);
    expect(() => checkGradient((a) => a, [x], { order: 0 })).toThrow(ValueError);
    expect(() => checkGradient((a) => a, [x], { order: 2, modes: [] })).toThrow("order 2 has 1 modes");
    expect(() => checkGradient((a) => a, [x], { modes: ["forward"] })).toThrow(
      "modes are for orders above 1",
    );
    for (const tolerance of [Number.NaN, -1, Infinity])
      expect(() => checkGradient((a) => a, [x], { tolerance })).toThrow(ValueError);
    expect(() => checkGradient((a) => a, x as never)).toThrow("takes a list of inputs");
  });
  test("that make a longer graph each time are told of a fault all the same", () => {
    let zeros = 0;
    const longer = (a: Tensor) =>
      Array.from({ length: zeros++ }, () => 0).reduce((b, o) => b.add(o), cube(a));
    expect(checkGradient(longer, [x]).faults).toMatchObject([{ op: "cube", operand: 0 }]);
  });
  test("draws of a generator are the same in every call", () => {
    expect(checkGradient((a) => a.mul(tensor([1, 2])).sin(), [x]).verdict).toBe("pass");
  });
});

describe("the end of a domain", () => {
  test("is kept away from, or the check is inconclusive", () => {
    expect(checkGradient(log, [tensor([1e-9, 1])]).verdict).toBe("pass");
    expect(checkGradient((x) => sqrt(x), [tensor([0, 1])]).verdict).toBe("inconclusive");
    expect(checkGradient((x) => log(x), [tensor([-1])]).verdict).toBe("inconclusive");
    expect(checkGradient((x) => where(x.gt(0), log(x), 0), [tensor([0, 1])]).verdict).toBe("pass");
  });
  test("so is a pole that the steps of other elements lead over", () => {
    const x = tensor([0.5, 1e-12]);
    expect(checkGradient((a) => div(1, a).sum(), [x]).verdict).toBe("pass");
    expect(checkGradient((a) => a.div(1e-12).tanh(), [tensor([1, 1e-12])]).verdict).toBe("pass");
    for (const seed of [0, 1, 2, 3, 4]) {
      const report = checkGradient((a) => lgamma(a).sum(), [tensor([1e-8, -0.999999])], { seed });
      expect(report.verdict, String(report)).not.toBe("fail");
    }
    for (const f of [lgamma, cbrt])
      for (const small of [1e-5, 1e-8]) {
        const report = checkGradient((a) => f(a).sum(), [tensor([small, 100])]);
        expect(report.verdict, String(report)).not.toBe("fail");
      }
    const uneven = checkGradient((a) => div(tensor([1e12, 1e-10]), a).sum(), [x]);
    expect(uneven.verdict, String(uneven)).toBe("inconclusive");
  });
  test("waves that are shorter than the steps raise no alarm, and wrong rules among them are not passed", () => {
    const x = tensor([0.5, -0.2, 1.3]);
    const twice = customGradient(
      function twice(a: Tensor) {
        return a.sin();
      },
      (g, _, a) => [g.mul(a.cos()).mul(2)],
    );
    for (const scale of [1e9, 1e10, 1e11, 1e12])
      for (const seed of [0, 1, 2, 3, 4]) {
        const right = checkGradient((a) => a.mul(scale).sin().sum(), [x], { seed });
        expect(right.verdict, String(right)).not.toBe("fail");
        expect(checkGradient((a) => twice(a.mul(scale)).sum(), [x], { seed }).verdict).not.toBe("pass");
      }
  });
  test("a point without a derivative, or where a mode gives NaN and differences cannot tell, is inconclusive", () => {
    const o = tensor([0]);
    for (const report of [
      checkGradient((x) => svd(x).S.sum(), [zeros([2, 2])]),
      checkGradient((x, y) => atan2(x, y), [o, o]),
      checkGradient((x) => x.sqrt().mul(0).sum(), [tensor([0, 4])]),
    ])
      expect(report.verdict, String(report)).toBe("inconclusive");
    const faults = checkGradient((x) => x.pow(x).sum(), [tensor([0, 0])], { order: 2 }).faults;
    expect(faults.map(({ op }) => op)).not.toContain("mul");
  });
  test("NaN in one mode only is a failure", () => {
    expect(checkGradient((x) => sqrt(x.mul(x)), [tensor([0, 1])]).verdict).toBe("fail");
  });
  describe("a gradient that is not finite is told by the op, element and line where that begins, though all rules are right", () => {
    const own: Unary = pointwise({
      name: "root",
      body: (m, x) => m.sqrt(x!),
      derivatives: [partial((out, x) => x!.div(out!.mul(x!).mul(2)))],
      samples: () => [tensor([1])],
    });
    const inputs = [tensor([0.5, -0.2, 1.3]), tensor([4, 0]), tensor([0, 1])] as const;
    const cases: Record<string, [f: (x: Tensor) => Tensor, x: Tensor, verdict: string, ...says: string[]]> = {
      "a branch that was not taken": [
        (x) => where(x.gt(0), x.mul(x.log()), 0).sum(),
        inputs[0],
        "fail",
        "the derivative of mul gives NaN at [1], for operands -0.2, NaN",
        "%3: float64[3] = mul(%0, %2)",
        "an operand is not finite there",
      ],
      "an infinite slope that met a 0": [
        (x) => sqrt(x.mul(x)),
        inputs[2],
        "fail",
        "the derivative of sqrt gives Infinity at [0], for operands 0",
        "the slope at 0 is infinite",
      ],
      "an infinite slope": [
        (x) => sqrt(x.mul(2)),
        inputs[1],
        "inconclusive",
        "the derivative of sqrt gives Infinity at [1], for operands 0",
        "%2: float64[2] = sqrt(%1)",
      ],
      "a rule that gives NaN itself": [
        (x) => own(x).sum(),
        inputs[1],
        "inconclusive",
        "the derivative of root gives NaN at [1], for operands 0",
        "the rule gives no number here, such as 0 divided by 0",
      ],
    };
    for (const [name, [f, x, verdict, ...says]] of Object.entries(cases))
      test(name, () => {
        const report = checkGradient(f, [x]);
        expect(report).toMatchObject({ verdict, faults: [] });
        const found = report.notes.find((note) =>
          note.startsWith("the first NaN or infinity in the gradient: "),
        );
        for (const part of says) expect(found).toContain(part);
        expect(found).toMatch(/\n {2}made .*verify\.test\.ts:\d+/);
      });
  });
});

describe("more derivatives", () => {
  test("the whole Jacobian, entry by entry", () => {
    const report = checkGradient((x) => x.unsqueeze(0).mul(x.unsqueeze(1)), [tensor([1, 0.5])], {
      jacobian: true,
    });
    expect(report.directions.length).toBe(8);
    expect(report.directions[0]).toMatchObject({ moves: "result [0, 0] by input 0 [0]", verdict: "pass" });
    expect(report.directions[0]!.reverse).toBeCloseTo(2, 12);
  });
  test("of a Jacobian too large to print, the entries that do not agree are shown, and those that do counted", () => {
    const f = (x: Tensor) => x.cumsum(0).exp();
    const right = checkGradient(f, [zeros([20])], { jacobian: true });
    expect(String(right)).toBe("gradient of order 1: pass (tolerance 0.000001)\nand 400 that pass");
    const wrong = checkGradient((x) => cube(f(x)), [zeros([20])], { jacobian: true });
    expect(wrong.directions.length).toBe(400);
    expect(String(wrong)).toMatch(/\nand 110 more like these, 190 that pass$/);
    expect(String(wrong).match(/^ *\d+ {2}result/gm)?.length).toBe(100);
  });
  test("of a power of 0 by base and exponent are numbers in both modes", () => {
    const [x, y] = [tensor([0, 1]), tensor([2, 3])];
    const report = checkGradient((a, b) => pow(a, b), [x, y], { order: 2 });
    expect(report.verdict, String(report)).toBe("pass");
  });
  test("where they are next to nothing raise no alarm", () => {
    const sqrtByNewton = (x: Tensor) => {
      let y = x;
      for (let i = 0; i < 30; i++) y = y.add(x.div(y)).div(2);
      return y.sum();
    };
    for (let seed = 0; seed < 8; seed++) {
      const report = checkGradient(sqrtByNewton, [tensor([5, 0.3, 8])], { order: 2, seed });
      expect(report.verdict, String(report)).not.toBe("fail");
    }
    const tiny = checkGradient((x) => cube(x.mul(1e-320)).add(x.exp()), [tensor([1, 2])]);
    expect(tiny.verdict, String(tiny)).toBe("pass");
  });
  test("order 3, in any mixture of modes", () => {
    for (const modes of [
      ["forward", "reverse"],
      ["reverse", "reverse"],
      ["forward", "forward"],
    ] as const) // prettier-ignore
      expect(
        checkGradient((x) => x.sin().mul(x).sum(), [tensor([1, 0.5])], { order: 3, modes }).verdict,
      ).toBe("pass");
  });
  test("of nothing are right", () => {
    expect(checkGradient((x) => x.sin(), [tensor([])]).verdict).toBe("pass");
    expect(checkGradient(() => tensor([1]), [tensor([2])]).verdict).toBe("pass");
  });
});

test("a Jacobian of forty thousand entries takes less than four seconds", () => {
  const x = tensor(Array.from({ length: 200 }, (_, i) => Math.sin(i)));
  const start = process.cpuUsage();
  const report = checkGradient((a) => a.cumsum(0).sin(), [x], { jacobian: true });
  const { user, system } = process.cpuUsage(start);
  expect(report.verdict).toBe("pass");
  expect((user + system) / 1e6).toBeLessThan(4);
});

test("a model of ten thousand parameters takes less than two seconds", () => {
  manualSeed(0);
  const model = new Sequential(new Linear(64, 128), tanh, new Linear(128, 16));
  const parameters = model.parameters();
  expect(parameters.reduce((total, { size }) => total + size, 0)).toBeGreaterThan(10_000);
  const [x, y] = [
    variable(
      tensor(Array.from({ length: 32 }, (_, i) => Array.from({ length: 64 }, (_, k) => Math.sin(i * k)))),
    ),
    tensor(Array.from({ length: 32 }, () => Array.from({ length: 16 }, (_, k) => k / 16))),
  ]; // prettier-ignore
  const start = process.cpuUsage();
  const report = checkGradient(() => mse(model.forward(x), y), parameters);
  const { user, system } = process.cpuUsage(start);
  expect(report.verdict, String(report)).toBe("pass");
  process.stdout.write(`check of a model: ${((user + system) / 1e6).toFixed(2)} s of processor time\n`);
  expect((user + system) / 1e6).toBeLessThan(2);
});
