import {
  type Binary,
  checkGradient,
  checkpoint,
  compile,
  customGradient,
  DTypeError,
  GradientError,
  grad,
  gradientReversal,
  jvp,
  partial,
  pointwise,
  pushforward,
  stopGradient,
  type Tensor,
  tensor,
  ValueError,
  valueAndGrad,
  vmap,
} from "@cotangent/autograd";
import { describe, expect, test } from "vitest";
import { makerOf, withMakers } from "../../packages/autograd/src/differentiate.ts";

const f64 = { dtype: "float64" } as const;

describe("customGradient", () => {
  const cube = customGradient(
    (x: Tensor) => x.mul(x).mul(x),
    (g, _, x) => [g.mul(x.square()).mul(3)],
  );

  test("with the right rule is right in both modes, to second order", () => {
    for (const order of [1, 2] as const)
      expect(checkGradient((x) => cube(x), [tensor([1, -2, 0.5])], { order }).pass).toBe(true);
  });

  test("with a wrong rule gives what the rule says, in both modes", () => {
    const odd = customGradient(
      (x: Tensor) => x.square(),
      (g) => [g.mul(10)],
    );
    const x = tensor([3, 4], f64);
    expect(grad(odd(x).sum(), [x])[0].toArray()).toEqual([10, 10]);
    const [y, tangent] = jvp((z: Tensor) => odd(z))(x, tensor([1, 2], f64));
    expect(y.toArray()).toEqual([9, 16]);
    expect(tangent.toArray()).toEqual([10, 20]);
  });

  test("with a rule that is not linear in g does what the rule says in reverse, and refuses forward mode", () => {
    const x = tensor([0.3, 1.7], f64);
    const through = (rule: (g: Tensor, y: Tensor) => Tensor) => {
      const f = customGradient(
        (z: Tensor) => z.mul(1),
        (g, y) => [rule(g, y)],
      );
      return (z: Tensor) => f(z).square().sum();
    };
    const clipped = through((g) => g.clamp(-1, 1));
    expect(grad(clipped(x), [x])[0].toArray()).toEqual([0.6, 1]);
    expect(grad(through((g) => g.add(1))(x), [x])[0].toArray()).toEqual([1.6, 4.4]);
    expect(grad(through((_, y) => y)(x), [x])[0].toArray()).toEqual([0.3, 1.7]);
    expect(compile(() => grad(clipped(x), [x])[0])().toArray()).toEqual([0.6, 1]);
    const rows = vmap((z: Tensor) => valueAndGrad(clipped)(z)[1])(tensor([[0.3, 1.7]], f64));
    expect(rows.toArray()).toEqual([[0.6, 1]]);
    expect(() => jvp(clipped)(x, x)).toThrow(/customGradient.*not linear in g/);
  });

  test("with a rule that computes a checkpoint again goes forward too", () => {
    const block = checkpoint((x: Tensor) => x.sin().mul(x));
    const f = customGradient(
      (x: Tensor) => block(x),
      (g, _, x) => {
        const z = x.add(0);
        return grad(block(z), [z], { cotangent: g });
      },
    );
    const [x, t] = [tensor([0.3, 1.7], f64), tensor([1, -2], f64)];
    const [, expected] = jvp((z: Tensor) => z.sin().mul(z))(x, t);
    for (const go of [jvp(f), compile(jvp(f))]) expect(go(x, t)[1].toArray()).toEqual(expected.toArray());
  });

  test("with a rule that calls a compiled function, which is in the graph what it was compiled from", () => {
    const back = compile((g: Tensor, x: Tensor) => g.mul(x.cos()));
    const f = customGradient(
      (x: Tensor) => x.sin(),
      (g, _, x) => [back(g, x)],
    );
    const x = tensor([0.3, 1.7], f64);
    const [, tangent] = jvp((z: Tensor) => f(z))(x, tensor([1, 1], f64));
    expect(tangent.toArray()).toEqual(x.cos().toArray());
    const [slope] = grad(vmap(f)(x).sum(), [x]);
    expect(slope.toArray()).toEqual(x.cos().toArray());
    expect(grad(slope.sum(), [x])[0].toArray()).toEqual(x.sin().neg().toArray());
  });

  test("refuses an answer that is no list of tensors", () => {
    const x = tensor([1, 2]);
    const given = (answer: unknown) =>
      customGradient(
        (z: Tensor) => z.mul(1),
        () => answer as Tensor[],
      )(x).sum();
    expect(() => grad(given([2]), [x])).toThrow(GradientError);
    expect(() => grad(given(undefined), [x])).toThrow(GradientError);
    expect(grad(given([null]), [x])[0].toArray()).toEqual([0, 0]);
  });

  test("takes inputs of several shapes and skips those with null", () => {
    const weigh = customGradient(
      (x: Tensor, w: Tensor) => x.mul(w).sum(1),
      (g, _, x, w) => [g.unsqueeze(1).mul(w), x.mul(0).add(1).mul(g.unsqueeze(1)).sum(0)],
    );
    const [x, w] = [
      tensor(
        [
          [1, 2],
          [3, 4],
          [5, 6],
        ],
        f64,
      ),
      tensor([10, 20], f64),
    ]; // prettier-ignore
    const [dx, dw] = grad(weigh(x, w).sum(), [x, w]);
    expect(dx.shape).toEqual([3, 2]);
    expect(dw.toArray()).toEqual([3, 3]);
    const blind = customGradient(
      (a: Tensor, b: Tensor) => a.mul(b),
      (g, _, __, b) => [g.mul(b), null],
    );
    expect(grad(blind(w, w.mul(2)).sum(), [w])[0].toArray()).toEqual([20, 40]);
  });

  test("compiles", () => {
    const step = compile((x: Tensor) => grad(cube(x).sum(), [x])[0]);
    expect(step(tensor([1, 2])).toArray()).toEqual([3, 12]);
  });

  test("refuses inputs that are no tensors", () => {
    const weigh = customGradient(
      function weighed(x: Tensor, n: Tensor) {
        return x.mul(n);
      },
      (g, _, x, n) => [g.mul(n), g.mul(x)],
    );
    const [x, n] = [tensor([1, 2, 3]), tensor([4, 5, 6])];
    const y = weigh(x, n).sum();
    expect(() => weigh(x, 2 as never)).toThrow(ValueError);
    expect(() => weigh(x, 2 as never)).toThrow(
      "customGradient: input 1 of weighed is a number and no tensor; make it one with scalar(...) or tensor(...), or leave it out " +
        "and use it from outside",
    );
    expect(grad(y, [n])[0].toArray()).toEqual([1, 2, 3]);
  });

  test("differentiates implicitly where the rule takes the result as a constant, and says so where it does not", () => {
    const f = (x: Tensor, a: Tensor) => x.square().sub(a);
    const rooted = (seen: (x: Tensor) => Tensor) =>
      customGradient(
        function root(a: Tensor) {
          return a.sqrt().detach();
        },
        (g, out, a) => {
          const x = seen(out);
          const [fx, fa] = grad(f(x, a).sum(), [x, a]);
          return [g.mul(fa).div(fx).neg()];
        },
      );
    const a = tensor([1, 4], f64);
    expect(grad(rooted(stopGradient)(a).sum(), [a])[0].toArray()).toEqual([0.5, 0.25]);
    const round = rooted((x) => x)(a).sum();
    for (let i = 0; i < 2; i++) {
      expect(() => grad(round, [a])).toThrow(GradientError);
      expect(() => grad(round, [a])).toThrow(
        "asks the rule again; take it as a constant there: stopGradient(out)",
      );
    }
    expect(grad(rooted(stopGradient)(a).sum(), [a])[0].toArray()).toEqual([0.5, 0.25]);
  });

  test("refuses rules that do not fit", () => {
    const x = tensor([1, 2]);
    const short = customGradient(
      (a: Tensor) => a.exp(),
      () => [],
    );
    expect(() => grad(short(x).sum(), [x])).toThrow("a cotangent or null for each of its 1 inputs");
    const wide = customGradient(
      (a: Tensor) => a.exp(),
      (g) => [g.sum()],
    );
    expect(() => grad(wide(x).sum(), [x])).toThrow("gives shape [] for input 0 of shape [2]");
    const pair = customGradient(
      (y: Tensor) => [y, y] as never,
      (g) => [g],
    );
    expect(() => pair(x)).toThrow("customGradient: customGradient returned an Array; return one tensor");
    const double = customGradient(
      (a: Tensor) => a.exp(),
      (g) => [g.cast("float64")],
    );
    expect(() => grad(double(x).sum(), [x])).toThrow(DTypeError);
    expect(() => grad(double(x).sum(), [x])).toThrow(
      'gives float64 for input 0, which is float32; cast it with cast("float32")',
    );
  });
});

test("a gradient that is reversed twice is itself, scaled by both", () => {
  const x = tensor([1, 2]);
  const y = gradientReversal(gradientReversal(x, 2), 3).square().sum();
  expect(grad(y, [x])[0].toArray()).toEqual([12, 24]);
  expect(() => gradientReversal(tensor([true]))).toThrow(GradientError);
});

test("a rule that takes a derivative itself is remembered for its own operand", () => {
  let made: Tensor | null = null;
  const op: Binary = pointwise({
    name: "op",
    body: (m, x, y) => m.mul(x!, y!),
    derivatives: [
      partial((_, x, y) => {
        pushforward(x!.mul(y!), [y!], [y!]);
        made = y!.add(0);
        return made;
      }),
      partial((_, x) => x!),
    ],
    samples: () => [tensor([1, 2]), tensor([3, 4])],
  });
  const [x, y] = [tensor([1, 2]), tensor([3, 4])];
  const out = op(x, y);
  withMakers(() => grad(out.sum(), [x]));
  const { out: by, operand } = makerOf(made!)!;
  expect([by === out, operand]).toEqual([true, 0]);
});
