import {
  arange,
  assignAll,
  cat,
  compile,
  grad,
  pad,
  partial,
  pointwise,
  randint,
  slice,
  stack,
  type Tensor,
  type Unary,
  uniform,
  type Variable,
  variable,
} from "@cotangent/autograd";
import { SGD } from "@cotangent/nn";
import { describe, expect, test } from "vitest";
import { withCache } from "../../packages/autograd/src/evaluate.ts";

const draw = (...shape: number[]): Tensor => uniform(shape, { low: -1 });

/** Compares `f` compiled with the interpreter. */
function check(f: (...xs: Tensor[]) => readonly Tensor[], ...xs: Tensor[]): void {
  const all = compile(f)(...xs).map((out) => out.toArray());
  expect(all).toEqual(withCache(null, () => f(...xs).map((out) => out.toArray())));
}

describe("kernels of one pattern", () => {
  test("are joined as they share nodes, each pair in its own way", () => {
    const xs = Array.from({ length: 6 }, () => draw(100));
    check((a, b, c, d, e, f) => [a!.mul(b!), a!.sub(c!), d!.mul(e!), e!.sub(f!)], ...xs);
    check((a, b, c, d, e) => [a!.mul(b!), a!.sub(c!), d!.mul(e!), e!.sub(e!)], ...xs);
  });

  test("have one shape unless all that they read has the shape of the result, or is one element", () => {
    const one = draw(1);
    const padded = (left: number, x: Tensor) => pad(one, [[left, x.size - left - 1]]).add(x);
    check((x, y, z) => [padded(1, x!), padded(3, y!), padded(0, z!)], draw(4), draw(9), draw(10));
    check(
      (x, y) => [x!.add(x!.sum([0])), y!.add(y!.sum([0])), x!.add(x!.sum([1], { keepDims: true }))],
      draw(9, 9),
      draw(7, 7),
    );
    check((x, y, z) => [x!.exp(), y!.exp(), z!.exp()], draw(5), draw(7), draw(3, 4));
    check((x, y) => [x!.exp(), y!.exp()], draw(), draw(2));
    check(
      (x, y, s) => [x!.mul(s!), y!.mul(s!), x!.mul(s!.mul(2)), y!.mul(y!.sum())],
      draw(6, 5),
      draw(31),
      one,
    );
  });

  test("differ by attributes, dtypes and constants", () => {
    const x = draw(6, 6);
    check((a) => [a!.flip(0), a!.flip(1), a!.add(1), a!.mul(-1)], x);
    check((a) => [a!.flip(0), a!.mul(-1)], x.mul(9).cast("int32"));
    check((a) => [a!.add(-0), a!.add(0)], x.mul(0).neg().abs().neg());
  });

  test("of all sizes share one function: the updates of parameters", () => {
    const byHand = (parameters: readonly Variable[]) => (loss: Tensor) => {
      const gradients = grad(loss, parameters);
      assignAll(parameters.map((p, i) => [p, p.sub(gradients[i]!.mul(0.1))]));
    };
    const bySGD = (parameters: readonly Variable[]) => {
      const optimizer = new SGD(parameters, { lr: 0.1, momentum: 0.9 });
      return (loss: Tensor) => optimizer.step(loss);
    };
    const functions = (
      updates: typeof byHand | typeof bySGD,
      shapes: readonly (readonly number[])[],
    ): number => {
      const parameters = shapes.map((shape) => variable(draw(...shape)));
      const update = updates(parameters);
      const step = compile(() => {
        const loss = parameters.map((p) => p.square().sum()).reduce((a, b) => a.add(b));
        update(loss);
        return loss;
      });
      step();
      return Number(/code: (\d+) functions/.exec(step.explain())?.[1]);
    };
    const few = [[300], [40, 40]];
    for (const updates of [byHand, bySGD]) {
      expect(functions(updates, few)).toBeGreaterThan(1);
      expect(functions(updates, [...few, [170, 9], [8, 8, 8], [129]])).toBe(functions(updates, few));
    }
  });

  test("are those of parts that are copied alike, constants and tables included", () => {
    const [x, i] = [draw(5), arange(5, { dtype: "int32" })];
    const picks = [0, 1].map(
      (turn): Unary =>
        pointwise({
          name: "pick",
          body: (m, at) => m.table(turn ? [5, 4, 3, 2, 1] : [1, 2, 3, 4, 5], at!, "int32"),
          derivatives: [partial((_, at) => at!)],
          samples: () => [i],
        }),
    );
    check((a) => [stack([0, -0, 0, -0, 1, 1].map((n) => a!.mul(n)))], x);
    const indices = [0, 1, 0, 1, 1, 0].map(() => randint(0, 5, [5]));
    check((...all) => [stack(all.map((at, n) => picks[n % 2]!(at)))], ...indices);
  });
});

describe("a slice", () => {
  test("of a border, on whichever side of it, or of parts side by side", () => {
    const [x, y] = [draw(3, 4), draw(2, 4)];
    const ranges = [0, 1, 2, 3, 4, 5, 6, 7].flatMap((from) =>
      [1, 2, 3, 5, 7].map((size) => [from, Math.min(from + size, 8)] as const),
    );
    const both = [
      [3, 2],
      [1, 3],
    ] as const;
    const only = (axis: number) => both.map((widths, i) => (i === axis ? widths : ([0, 0] as const)));
    for (const [axis, borders] of [0, 1].flatMap(
      (axis) =>
        [
          [axis, both],
          [axis, only(axis)],
        ] as const,
    ))
      for (const [from, to] of ranges.filter(([from, to]) => from < to))
        check(
          (a, b) => [
            slice(pad(a!, borders), from, to, { axis }).mul(2),
            slice(cat([a!, b!, a!], 0), from, to).mul(2),
          ],
          x,
          y,
        );
  });
});
