import { compile, explainNonFinite, grad, tensor, variable, where } from "@cotangent/autograd";
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
