import * as autograd from "@cotangent/autograd";
import { DTypeError, exp, grad, ShapeError, type Tensor, tensor, ValueError } from "@cotangent/autograd";
import * as nn from "@cotangent/nn";
import { describe, expect, test } from "vitest";

const x: Tensor = tensor([
  [-7, -2, -0.4, 0],
  [0.3, 0.6, 2, 25],
]);

/** Each layer with what its function gives, and what it prints. */
const cases: readonly (readonly [layer: nn.Module & nn.Layer, expected: Tensor, print: string])[] = [
  [new nn.ReLU(), autograd.relu(x), "ReLU()"],
  [new nn.ReLU6(), autograd.relu6(x), "ReLU6()"],
  [new nn.LeakyReLU(), autograd.leakyRelu(x), "LeakyReLU()"],
  [
    new nn.LeakyReLU({ negativeSlope: 0.5 }),
    autograd.leakyRelu(x, { negativeSlope: 0.5 }),
    "LeakyReLU(negativeSlope=0.5)",
  ],
  [new nn.ELU({ alpha: 2 }), autograd.elu(x, { alpha: 2 }), "ELU(alpha=2)"],
  [new nn.CELU({ alpha: 2 }), autograd.celu(x, { alpha: 2 }), "CELU(alpha=2)"],
  [new nn.SELU(), autograd.selu(x), "SELU()"],
  [new nn.GELU(), autograd.gelu(x), "GELU()"],
  [new nn.GELU({ approximate: "tanh" }), autograd.gelu(x, { approximate: "tanh" }), "GELU(approximate=tanh)"],
  [new nn.SiLU(), autograd.silu(x), "SiLU()"],
  [new nn.Mish(), autograd.mish(x), "Mish()"],
  [
    new nn.Softplus({ beta: 2, threshold: 3 }),
    autograd.softplus(x, { beta: 2, threshold: 3 }),
    "Softplus(beta=2, threshold=3)",
  ],
  [new nn.Softsign(), autograd.softsign(x), "Softsign()"],
  [
    new nn.Hardtanh({ minVal: -2, maxVal: 0.5 }),
    autograd.hardtanh(x, { minVal: -2, maxVal: 0.5 }),
    "Hardtanh(minVal=-2, maxVal=0.5)",
  ],
  [new nn.Hardsigmoid(), autograd.hardsigmoid(x), "Hardsigmoid()"],
  [new nn.Hardswish(), autograd.hardswish(x), "Hardswish()"],
  [new nn.Hardshrink({ lambda: 1 }), autograd.hardshrink(x, { lambda: 1 }), "Hardshrink(lambda=1)"],
  [new nn.Softshrink({ lambda: 1 }), autograd.softshrink(x, { lambda: 1 }), "Softshrink(lambda=1)"],
  [new nn.Tanhshrink(), autograd.tanhshrink(x), "Tanhshrink()"],
  [new nn.Threshold(0.5, -3), autograd.threshold(x, 0.5, -3), "Threshold(threshold=0.5, value=-3)"],
  [new nn.GLU(), autograd.glu(x), "GLU(axis=-1)"],
  [new nn.GLU(0), autograd.glu(x, 0), "GLU(axis=0)"],
  [new nn.Softmax(), autograd.softmax(x), "Softmax()"],
  [new nn.Softmax(0), autograd.softmax(x, 0), "Softmax(axis=0)"],
  [new nn.LogSoftmax(0), autograd.logSoftmax(x, 0), "LogSoftmax(axis=0)"],
  [new nn.Softmin(0), autograd.softmin(x, 0), "Softmin(axis=0)"],
  [new nn.Sigmoid(), autograd.sigmoid(x), "Sigmoid()"],
  [new nn.Tanh(), autograd.tanh(x), "Tanh()"],
  [new nn.LogSigmoid(), autograd.logSigmoid(x), "LogSigmoid()"],
  [new nn.Heaviside(), autograd.heaviside(x), "Heaviside()"],
  [new nn.Heaviside(0.5), autograd.heaviside(x, 0.5), "Heaviside(valueAtZero=0.5)"],
  [new nn.PReLU(), autograd.prelu(x, 0.25), "PReLU(numParameters=1)"],
  [new nn.PReLU({ numParameters: 4, init: 2 }), autograd.prelu(x, 2), "PReLU(numParameters=4)"],
];

describe("activation layers", () => {
  test.each(cases.map(([layer, expected, print]) => ({ layer, expected, print })))(
    "$print gives what its function gives",
    ({ layer, expected, print }) => {
      const out = new nn.Sequential(layer).forward(x);
      expect(out.shape).toEqual(expected.shape);
      expect(out.toArray()).toEqual(expected.toArray());
      expect(String(layer)).toBe(print);
      expect(layer.constructor.name).toBe(print.replace(/\(.*/, ""));
      expect(layer.parameters()).toHaveLength(layer instanceof nn.PReLU ? 1 : 0);
    },
  );

  test("stand in a model's tree and are told apart by their class", () => {
    const model = new nn.Sequential(new nn.Linear(2, 3), new nn.ELU({ alpha: 2 }), new nn.PReLU());
    expect(String(model)).toBe(
      "Sequential(\n  (0): Linear(inFeatures=2, outFeatures=3, bias=true)\n  (1): ELU(alpha=2)\n" +
        "  (2): PReLU(numParameters=1)\n)",
    );
    expect([...model.namedParameters().keys()]).toEqual(["0.weight", "0.bias", "2.weight"]);
    expect(model.layers[1]).toBeInstanceOf(nn.ELU);
    expect(model.layers[1]).not.toBeInstanceOf(nn.CELU);
  });

  test("PReLU learns its slope", () => {
    const layer = new nn.PReLU({ dtype: "float64" });
    const optimizer = new nn.SGD(layer.parameters(), { lr: 0.1 });
    const input = tensor([-1, -2, 3], { dtype: "float64" });
    const target = tensor([-0.5, -1, 3], { dtype: "float64" });
    for (let step = 0; step < 50; step++) optimizer.step(layer.forward(input).sub(target).square().mean());
    expect(layer.weight.dtype).toBe("float64");
    expect(layer.weight.mean().item()).toBeCloseTo(0.5, 5);
  });

  test("wrong arguments are refused", () => {
    expect(() => new nn.PReLU({ numParameters: 0 })).toThrow(ValueError);
    expect(() => new nn.PReLU({ init: Number.NaN })).toThrow(ValueError);
    expect(() => new nn.PReLU({ dtype: "int32" })).toThrow(DTypeError);
    expect(() => new nn.PReLU({ numParameters: 3 }).forward(x)).toThrow(ShapeError);
    expect(() => new nn.CELU({ alpha: 0 }).forward(x)).toThrow(ValueError);
    expect(() => new nn.GLU().forward(tensor([1, 2, 3]))).toThrow(ShapeError);
  });
});

test("gelu by tanh keeps its digits where it is small", () => {
  const places = [-6, -4, -1];
  const found = (dtype: "float32" | "float64") => [
    ...autograd.gelu(autograd.tensor(places, { dtype }), { approximate: "tanh" }).toTypedArray(),
  ];
  // By Python's decimal, to 20 digits.
  const exact = [-8.43964670076229e-11, -7.024594819237269e-5, -0.15880800939172325];
  found("float32").forEach((y, i) => {
    expect(y / exact[i]!).toBeCloseTo(1, 5);
  });
  found("float64").forEach((y, i) => {
    expect(y / exact[i]!).toBeCloseTo(1, 13);
  });
});

test("elu and its kin keep their slopes far below 0", () => {
  const far = tensor([-20, -10]);
  for (const f of [autograd.elu, autograd.celu])
    expect(grad(f(far).sum(), [far])[0].toTypedArray()).toEqual(exp(far).toTypedArray());
});
