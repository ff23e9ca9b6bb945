import {
  cat,
  chunk,
  compile,
  embedding,
  explain,
  explainNonFinite,
  fromTypedArray,
  grad,
  type Tensor,
  tensor,
  unbind,
  variable,
  vmap,
} from "@cotangent/autograd";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { topology } from "../../packages/autograd/src/topology.ts";
import { same } from "../bits.ts";

/** Gradients by tensors of which parts were used one by one. */

const counted = (shape: readonly number[], dtype: "float64" | "int32" = "float64"): Tensor => {
  const size = shape.reduce((product, length) => product * length, 1);
  return tensor(
    Array.from({ length: size }, (_, i) => i),
    { dtype },
  ).reshape(shape);
};
const dataOf = (x: Tensor): number[] => Array.from(x.toTypedArray());
const summed = (parts: readonly Tensor[]): Tensor => parts.reduce((a, b): Tensor => a.add(b));

/** The numbers that interpreting `x` computes. */
const elementsIn = (x: Tensor): number => topology([x.node]).nodes.reduce((sum, { size }) => sum + size, 0);

/** The arithmetic, and the bytes that are read and written, of a call of `f` as a program. */
const workOf = (f: (x: Tensor) => Tensor, x: Tensor): number[] => {
  const program = compile(f);
  program(x);
  return ["arithmetic", "reads", "writes"].map((what) => {
    const found = new RegExp(`^  ${what} +([0-9,]+)`, "m").exec(explain(program));
    return Number(found![1]!.replaceAll(",", ""));
  });
};

describe("the work for T parts of a tensor grows like T", () => {
  const cubes = (parts: readonly Tensor[]): Tensor => summed(parts.map((part) => part.pow(3).sum()));
  const times = (x: Tensor) => Array.from({ length: x.shape[0]! }, (_, t) => t);
  const uses: Record<string, (x: Tensor) => Tensor> = {
    unbind: (x) => cubes(x.unbind()),
    "unbind along the last axis": (x) => cubes(unbind(x.transpose(), 1)),
    chunk: (x) => cubes(chunk(x, x.shape[0]! / 2)),
    at: (x) => cubes(times(x).map((t) => x.at(t))),
    "at, of two axes": (x) =>
      cubes(times(x).flatMap((t) => [0, 2].map((i) => x.slice(t, t + 1).slice(i, i + 2, { axis: 1 })))),
    "the same part again and again": (x) => cubes(times(x).map(() => x.at(1))),
    "parts with something between": (x) => cubes(times(x).flatMap((t) => (t % 3 === 0 ? [x.at(t)] : []))),
    windows: (x) => cubes(times(x).map((t) => x.slice(t, t + 3))),
    "windows, backwards": (x) =>
      cubes(
        times(x)
          .map((t) => x.slice(t, t + 3))
          .reverse(),
      ),
    "an index for each step": (x) =>
      cubes(times(x).map((t) => embedding(x, tensor([t, 0], { dtype: "int32" })))),
    "parts of the state before": (x) => {
      const [first, ...more] = x.unbind() as [Tensor, ...Tensor[]];
      return more.reduce((h, step): Tensor => h.mul(0.5).add(step).tanh(), first).sum();
    },
    "examples side by side": (x) => vmap((row: Tensor) => cubes(row.unbind()))(x.transpose()).sum(),
  };
  const once = (f: (x: Tensor) => Tensor) => (x: Tensor) => grad(f(x), [x])[0];
  const twice = (f: (x: Tensor) => Tensor) => once((x) => once(f)(x).square().sum());

  test.each(Object.entries(uses))("%s", (_, f) => {
    for (const derivative of [once(f), twice(f)]) {
      const [few, many] = [counted([16, 4]), counted([64, 4])] as const;
      expect(elementsIn(derivative(many)) / elementsIn(derivative(few))).toBeLessThan(5);
      const [before, after] = [workOf(derivative, few), workOf(derivative, many)] as const;
      for (const [i, work] of after.entries()) expect(work / before[i]!).toBeLessThan(5);
    }
  });
});

const position = fc.option(fc.integer({ min: -5, max: 5 }));
const part = fc.record({
  axis: fc.nat(2),
  start: position,
  end: position,
  step: fc.constantFrom(-2, -1, 1, 1, 1, 2, 3),
  further: fc.option(
    fc.record({
      axis: fc.nat(2),
      start: fc.integer({ min: 0, max: 2 }),
      length: fc.integer({ min: 0, max: 3 }),
    }),
  ),
  picks: fc.option(fc.array(fc.nat(1), { minLength: 1, maxLength: 3 })),
});

/** A part of `x` as one would write it. */
function partOf(
  x: Tensor,
  { axis, start, end, step, further, picks }: typeof part extends fc.Arbitrary<infer P> ? P : never,
): Tensor {
  const along = axis % x.rank;
  let y: Tensor = x.slice(start, end, { axis: along, step });
  if (further) y = y.slice(further.start, further.start + further.length, { axis: further.axis % x.rank });
  if (!picks || y.shape[along]! < 2) return y;
  return y.indexSelect(along, tensor(picks, { dtype: "int32" })) as Tensor;
}

describe("the gradient by parts of a tensor", () => {
  test("that is looked up again and again counts every lookup, along each axis", () => {
    const table = counted([4, 3]).add(1);
    const lookups = [[0, 3], [1, 1, 0], [2], [3, 0, 0, 1]];
    const f = (x: Tensor): Tensor => {
      const rows = lookups.map((index, k) =>
        embedding(x, tensor(index, { dtype: "int32" }))
          .mul(k + 1)
          .sum(),
      );
      const column = x
        .indexSelect(1, tensor([2, 0, 2], { dtype: "int32" }))
        .mul(10)
        .sum();
      return grad(summed([...rows, column]), [x])[0];
    };
    const counts = [0, 1, 2, 3].map((row) =>
      lookups.reduce((sum, index, k) => sum + (k + 1) * index.filter((i) => i === row).length, 0),
    );
    const expected = counts.map((count) => [count + 10, count, count + 20]);
    expect(f(table).toArray()).toEqual(expected);
    expect(compile(f)(table).toArray()).toEqual(expected);
  });

  const shapes = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 3 });
  const cases = fc.tuple(shapes, fc.array(part, { minLength: 1, maxLength: 8 }), fc.boolean());

  // Whole numbers, so that no order of the additions makes a difference.
  test("is what its uses add up to, whatever overlaps, and so is the second", () => {
    fc.assert(
      fc.property(cases, ([shape, parts, isUsedWhole]) => {
        const x = counted(shape).add(1);
        const places = counted(shape, "int32");
        const all = (of: Tensor): Tensor[] => [
          ...(isUsedWhole ? [of] : []),
          ...parts.map((p) => partOf(of, p)),
        ];
        const y = summed(
          all(x).map((used, k) =>
            used
              .pow(3)
              .mul(k + 1)
              .sum(),
          ),
        );
        const [first] = grad(y, [x]);
        const [second] = grad(first.mul(x).sum(), [x]);
        const factors = new Array<number>(x.size).fill(0);
        all(places).forEach((used, k) => {
          for (const place of used.toTypedArray()) factors[place]! += k + 1;
        });
        expect(dataOf(first)).toEqual(factors.map((factor, i) => 3 * factor * (i + 1) ** 2));
        expect(dataOf(second)).toEqual(factors.map((factor, i) => 9 * factor * (i + 1) ** 2));
      }),
    );
  });

  test("has the interpreter's bits as a program", () => {
    fc.assert(
      fc.property(cases, ([shape, parts]) => {
        const f = (x: Tensor) => grad(summed(parts.map((p) => partOf(x, p).sin().sum())), [x]);
        same(f, [counted(shape).sqrt()]);
      }),
      { numRuns: 15 },
    );
  });

  test("is that of each example under vmap, inside and around", () => {
    const f = (x: Tensor): Tensor =>
      summed([...x.unbind(), ...x.unbind().slice(1)].map((p, k) => p.pow(3).mul(k).sum()));
    const xs = counted([2, 3, 2]);
    const expected = xs.unbind().flatMap((x) => dataOf(grad(f(x), [x])[0]));
    expect(dataOf(vmap((x: Tensor) => grad(f(x), [x])[0])(xs))).toEqual(expected);
    expect(dataOf(grad(vmap(f)(xs).sum(), [xs])[0])).toEqual(expected);
  });

  test("is made of one concatenation, with zeros where nothing was used", () => {
    const x = variable(counted([6, 2])).named("x");
    const [g] = grad(x.at(1).sum().add(x.slice(2, 4).square().sum()), [x]);
    expect(g.op.name).toBe("cat");
    expect(g.inputs.map(({ op, shape }) => `${op.name} ${shape.join("x")}`)).toEqual([
      "fill 1x2",
      "reshape 1x2",
      "mul 2x2",
      "fill 2x2",
    ]);
    expect(dataOf(g)).toEqual([0, 0, 1, 1, 8, 10, 12, 14, 0, 0, 0, 0]);
  });

  test("is one addition for each further copy of a stencil, and no copy is made", () => {
    const x = variable(counted([6, 6])).named("x");
    const shifted = [0, 1, 2].flatMap((i) =>
      [0, 1, 2].map((j) => x.slice(i, i + 4).slice(j, j + 4, { axis: 1 })),
    );
    const [g] = grad(summed(shifted.map((copy, k) => copy.square().mul(k).sum())), [x]);
    const names = topology([g])
      .nodes.filter((node) => node.shape[0] === 6)
      .map(({ op }) => op.name);
    expect(names.filter((name) => name === "add").length).toBe(8);
    expect(names.filter((name) => name === "pad").length).toBe(9);
    expect(names).not.toContain("cat");
  });

  test("does not mix a NaN or an infinity into other parts", () => {
    const x = fromTypedArray(new Float64Array([0, 1, 2]), [3]);
    const [g] = grad(summed(x.unbind().map((part, t) => (t === 0 ? part.div(0) : part))), [x]);
    expect(dataOf(g)).toEqual([Infinity, 1, 1]);
  });

  test("names an op where a sum of parts overflows", () => {
    const x = variable([0.1, 0.2]);
    const found = explainNonFinite(() => {
      const y = x.mul(2);
      return cat([y.slice(0, 1).mul(2e38), y.slice(0, 1).mul(2e38)]).sum();
    });
    expect(found?.phase).toBe("backward");
    expect(found?.op).toBe("slice");
  });
});
