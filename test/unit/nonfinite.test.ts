import {
  atan2,
  cat,
  compile,
  customGradient,
  explainNonFinite,
  grad,
  maximum,
  softmax,
  type Tensor,
  tensor,
  ValueError,
  variable,
  where,
} from "@cotangent/autograd";
import { Adam, Linear } from "@cotangent/nn";
import { describe, expect, test } from "vitest";

const x = tensor([
  [0, 1],
  [2, 3],
]); // prettier-ignore

describe("in the values", () => {
  const cases = {
    "log of 0": [() => x.log().mean(), "log", [0], [0, 0], /log of 0/],
    "log of a negative number": [() => x.sub(5).log().sum(), "log", [-5], [0, 0], /outside the domain/],
    "overflow of exp": [() => x.mul(100).exp().sum(), "exp", [100], [0, 1], /overflow: .*logsumexp/],
    "softmax by hand": [
      () => x.mul(1000).exp().div(x.mul(1000).exp().sum()),
      "exp",
      [1000],
      [0, 1],
      /overflow/,
    ],
    "division by 0": [() => x.div(x).sum(), "div", [0, 0], [0, 0], /division by 0/],
    "0 times infinity": [() => x.mul(Infinity).sum(), "mul", [0, Infinity], [0, 0], /0 times infinity/],
    "an overflow of products": [() => x.mul(1e30).matmul(x.mul(1e30)), "matmul", null, [0, 0], /overflow/],
    "the data": [() => tensor([1, Number.NaN]).mul(2), "data", [], [1], /look at the data/],
  } as const; // prettier-ignore
  for (const [name, [f, op, operands, index, remedy]] of Object.entries(cases))
    test(name, () => {
      const found = explainNonFinite(f)!;
      expect(found).toMatchObject({ phase: "forward", op, index });
      if (operands) expect(found.operands).toEqual(operands);
      expect(found.remedy).toMatch(remedy);
      expect(found.site).toMatch(/nonfinite\.test\.ts:\d+/);
    });

  const y = tensor([1, 0, -1]);
  const big = tensor([1, 2, 1000, 3]);
  const one = tensor([[1, 1]]);
  const first = {
    "of one node the lowest index, whether NaN or an infinity": [() => y.log().sum(), "log", [1], [0]],
    "of several nodes the one that was made first": [
      () => {
        const a = y.sub(1).log();
        return y.log().mul(a).sum();
      },
      "log",
      [0],
      [0],
    ],
    "of two behind one another the one before": [() => y.abs().log().square().exp().sum(), "log", [1], [0]],
    "an overflow that is turned into NaN later": [() => big.exp().sub(big.exp()).mean(), "exp", [2], [1000]],
    "of a sum that overflows, its largest term": [
      () =>
        tensor([
          [1, 2],
          [3e38, 2e38],
        ])
          .sum(1)
          .mean(),
      "sum",
      [1],
      [Math.fround(3e38)],
    ],
    "of a product of matrices that overflows, factors of its own row and column": [
      () =>
        tensor([
          [1e30, 2],
          [3, 1e20],
        ])
          .matmul(
            tensor([
              [1, 1e10],
              [1, 1e20],
            ]),
          )
          .sum(),
      "matmul",
      [0, 1],
      [1e30, 1e20].map(Math.fround),
    ],
    "what was not gathered has no part": [
      () =>
        y
          .log()
          .at(tensor([0, 2], { dtype: "int32" }))
          .sum(),
      "log",
      [2],
      [-1],
    ],
    "nor what was cut away": [() => y.log().slice(2).sum(), "log", [2], [-1]],
    "nor the other rows of a product": [
      () =>
        tensor([
          [0, 1],
          [2, -3],
        ])
          .log()
          .matmul(one.transpose())
          .at(1)
          .sum(),
      "log",
      [1, 1],
      [-3],
    ],
    "nor the end of a running sum": [
      () => tensor([2, -1, 0]).log().cumsum(0).slice(0, 2).sum(),
      "log",
      [1],
      [-1],
    ],
    "nor another part of what was joined": [
      () =>
        cat([y.log(), y.sub(1).log()])
          .slice(3)
          .sum(),
      "log",
      [0],
      [0],
    ],
    "0 times infinity in one branch of where": [
      () => where(y.gt(0), y, y.mul(y.sub(y).reciprocal())).sum(),
      "reciprocal",
      [1],
      [0],
    ],
    "a NaN that is made of infinities in a mask, not the mask": [
      () => {
        const scores = where(
          tensor([
            [1, 1],
            [0, 0],
          ]).gt(0),
          x,
          -Infinity,
        );
        return scores
          .sub(scores.amax(1, { keepDims: true }))
          .exp()
          .sum();
      },
      "sub",
      [1, 0],
      [-Infinity, -Infinity],
    ],
    "a NaN that is made of infinities in a mask of data": [
      () => softmax(tensor([1, 2]).add(tensor([-Infinity, -Infinity]))),
      "sub",
      [0],
      [-Infinity, -Infinity],
    ],
    "an infinity that stands in the data": [() => tensor([1, Infinity]).sub(1).sum(), "data", [1], []],
    "a mask of infinities beside a NaN is not to blame": [
      () => maximum(y.abs().log(), y.sub(2).log()).sum(),
      "log",
      [0],
      [-1],
    ],
    "an infinity that stays one is the number that was written": [
      () => y.add(Infinity).sum(),
      "fill",
      [0],
      [],
    ],
    "and NaN that was written": [() => y.mul(Number.NaN).sum(), "fill", [0], []],
    "the data, where a variable holds them": [
      () => variable([1, Number.NaN], { name: "w" }).mul(2).sum(),
      "variable",
      [1],
      [],
    ],
  } as const; // prettier-ignore
  for (const [name, [f, op, index, operands]] of Object.entries(first))
    test(`first is ${name}`, () => {
      expect(explainNonFinite(f)).toMatchObject({ phase: "forward", op, index, operands });
    });

  test("a branch that was not taken, and a mask of infinities, are not blamed", () => {
    const y = () => where(x.gt(0), x.log(), x.sub(9).log()).sum();
    expect(explainNonFinite(y)).toMatchObject({ op: "log", operands: [-9] });
    const masked = () => where(x.gt(1), x, -Infinity).exp().sum();
    expect(explainNonFinite(masked)).toBeNull();
  });

  test("a tensor with its graph is explained without a line", () => {
    const found = explainNonFinite(x.log().sum())!;
    expect(found).toMatchObject({ op: "log", site: null });
    expect(String(found).split("\n")[0]).toBe("forward: log gives -Infinity at [0, 0] of 0");
  });

  test("nothing is found where all is finite", () => {
    expect(explainNonFinite(() => x.exp().sum(), [x])).toBeNull();
  });
});

describe("in the derivatives", () => {
  test("an infinite slope, and 0 times infinity in the chain rule", () => {
    expect(explainNonFinite(() => x.sqrt().sum(), [x])).toMatchObject({
      phase: "backward",
      op: "sqrt",
      operands: [0],
    });
    const distance = explainNonFinite(() => x.square().sum(1).sub(x.square().sum(1)).sqrt().sum(), [x])!;
    expect(distance).toMatchObject({ phase: "backward", op: "sqrt" });
    expect(distance.remedy).toContain("norm");
  });
  test("an op with two operands, and a gradient that is computed inside", () => {
    const z = tensor([
      [4, 0],
      [0, 9],
    ]); // prettier-ignore
    const found = explainNonFinite(() => z.pow(0.5).sum(), [z])!;
    expect(found).toMatchObject({ phase: "backward", op: "pow", index: [0, 1], operands: [0, 0.5] });
    const inside = explainNonFinite(() => grad(z.transpose().sqrt().matmul(z).sum(), [z])[0])!;
    expect(inside).toMatchObject({ phase: "backward", op: "sqrt", index: [0, 1], operands: [0] });
    expect(inside.site).toMatch(/nonfinite\.test\.ts:\d+/);
  });
  test("first is what backpropagation meets first, on a way to an input that was asked for", () => {
    const [a, b] = [tensor([4, 0]), tensor([0, 1])];
    const both = () => a.sqrt().add(b.sqrt().mul(2)).sum();
    expect(explainNonFinite(both, [a, b])).toMatchObject({ op: "sqrt", index: [0], operands: [0] });
    expect(explainNonFinite(both, [a])).toMatchObject({ op: "sqrt", index: [1], operands: [0] });
    expect(explainNonFinite(() => a.add(b).sqrt().add(b.sqrt()).sum(), [a])).toBeNull();
    const behind = () => a.mul(0).sqrt().mul(3).square().sqrt().sum();
    expect(explainNonFinite(behind, [a])).toMatchObject({ op: "sqrt", index: [0] });
    expect(explainNonFinite(behind, [a])!.text).toBe("%5: float32[2] = sqrt(%4)");
  });
  test("an infinity in the values that was masked there, and is not in the derivative", () => {
    const a = tensor([1000, 1]);
    const found = explainNonFinite(() => where(a.lt(10), a.exp(), 0).sum(), [a])!;
    expect(found).toMatchObject({ phase: "backward", op: "exp", index: [0], operands: [1000] });
    expect(found.remedy).toContain("0 times infinity in the chain rule");
  });
  test("a NaN in the values that was left out there, and is told as what it is", () => {
    const a = tensor([0.5, -0.2]);
    const found = explainNonFinite(() => where(a.gt(0), a.mul(a.log()), 0).sum(), [a])!;
    expect(found).toMatchObject({
      phase: "backward",
      op: "mul",
      index: [1],
      operands: [Math.fround(-0.2), Number.NaN],
    });
    expect(found.remedy).toContain("an operand is not finite there");
  });
  test("a rule that gives NaN for what is finite", () => {
    const o = tensor([0]);
    const found = explainNonFinite(() => atan2(o, o), [o])!;
    expect(found).toMatchObject({ phase: "backward", op: "atan2", operands: [0, 0] });
    expect(found.remedy).toContain("the rule gives no number here");
  });
  test("inputs that are no list are refused", () => {
    expect(() => explainNonFinite(() => x.log(), x as never)).toThrow(ValueError);
  });
  test("a rule of one's own, whose own ops are not blamed", () => {
    const bad = customGradient(
      function half(a: Tensor) {
        return a.mul(0.5);
      },
      (g, _, a) => [g.div(a).mul(a)],
    );
    const a = tensor([2, 0]);
    const found = explainNonFinite(() => bad(a).sum(), [a])!;
    expect(found).toMatchObject({
      phase: "backward",
      op: "half",
      index: [1],
      value: Number.NaN,
      operands: [0],
    });
  });
  test("where() that chooses after the function is safe here", () => {
    expect(explainNonFinite(() => where(x.gt(0), x.log(), 0).sum(), [x])).toBeNull();
  });
});

describe("in a compiled step", () => {
  test("the loss, the gradient and the update are looked at, and nothing is changed", () => {
    const w = variable([0, 1], { name: "w" });
    const step = compile(() => {
      const loss = w.sqrt().sum();
      const [g] = grad(loss, [w]);
      w.assign(w.sub(g));
      return loss;
    });
    const found = explainNonFinite(step)!;
    expect(found).toMatchObject({ phase: "backward", op: "sqrt", operands: [0] });
    expect(found.text).toBe("%0: float32[2] = sqrt(w)");
    expect(w.toArray()).toEqual([0, 1]);
    const update = compile(() => {
      w.assign(w.div(w));
      return w.sum();
    });
    expect(explainNonFinite(update)).toMatchObject({ phase: "forward", op: "div" });
  });
  test("may return nothing, a number or numbers beside tensors", () => {
    const w = variable([0, 1]);
    const results = [undefined, null, 3, { loss: 3, all: [w.sum(), "text"] }];
    for (const result of results) {
      const step = () => {
        w.assign(w.div(w));
        return result;
      };
      expect(explainNonFinite(step)).toMatchObject({ phase: "update", op: "div", index: [0] });
    }
    expect(() => explainNonFinite(3 as never)).toThrow(ValueError);
  });
  test("an optimizer's step with a model", () => {
    const model = new Linear(2, 1);
    const optimizer = new Adam(model.parameters(), { lr: 0.1 });
    const step = compile((a: typeof x) => {
      const loss = model.forward(a).sub(1e30).square().mean();
      optimizer.step(loss);
      return loss;
    });
    expect(explainNonFinite(() => step(x))).toMatchObject({ phase: "forward", op: "square" });
  });
});
