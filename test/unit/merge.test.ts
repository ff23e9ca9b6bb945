import {
  assignAll,
  cat,
  compile,
  cumsum,
  flip,
  fromTypedArray,
  indexAdd,
  indexSelect,
  inv,
  max,
  pad,
  slice,
  sort,
  type Tensor,
  tensor,
  uniform,
  variable,
} from "@cotangent/autograd";
import { Adam } from "@cotangent/nn";
import { describe, expect, test } from "vitest";
import { withCache } from "../../packages/autograd/src/evaluate.ts";

const size = 300;
const draw = (count = size): Tensor => uniform([count], { low: -1 });

/** The nodes that each kernel computes. */
function computed(text: string): string[][] {
  const [, kernels = ""] = /^kernels:.*\n([\s\S]*?)\n\n/m.exec(text) ?? [];
  return kernels
    .split("\n")
    .slice(1)
    .map((line) => line.match(/%\d+/g) ?? []);
}

/** What `f` gives compiled, and how many kernels it took, after it was compared with the interpreter. */
function check(f: (x: Tensor, y: Tensor) => readonly Tensor[], count = size): number {
  const [x, y] = [draw(count), draw(count)];
  const compiled = compile(f);
  const all = compiled(x, y).map((out) => out.toArray());
  expect(all).toEqual(withCache(null, () => f(x, y).map((out) => out.toArray())));
  return computed(compiled.explain()).length;
}

describe("kernels over the same elements", () => {
  test("that read the same are one: the update of a parameter with its averages", () => {
    const w = variable(draw());
    const optimizer = new Adam([w], { lr: 0.1 });
    const step = compile((x: Tensor) => {
      const loss = w.sub(x).square().sum();
      optimizer.step(loss);
      return loss;
    });
    const plain = variable(w.mul(1));
    const reference = new Adam([plain], { lr: 0.1 });
    const x = draw();
    for (let i = 0; i < 3; i++) {
      step(x);
      withCache(null, () => {
        reference.step(plain.sub(x).square().sum());
        plain.toArray();
      });
      expect(w.toArray()).toEqual(plain.toArray());
    }
    expect(Math.max(...computed(step.explain()).map((nodes) => nodes.length))).toBe(3);
  });

  test("that share a load are one, and others are not", () => {
    expect(check((x, y) => [x.mul(2), x.add(y), y.exp()])).toBe(1);
    expect(check((x, y) => [x.mul(2), y.exp()])).toBe(2);
  });

  test("of few elements stay, since the loads take less time than joining", () => {
    expect(check((x) => [x.mul(2), x.exp()], 15)).toBe(2);
    expect(check((x) => [x.mul(2), x.exp()], 16)).toBe(1);
  });

  test("are not where the second reads the first's result elsewhere", () => {
    expect(
      check((x) => {
        const a = x.exp();
        return [a, flip(a, 0).add(x)];
      }),
    ).toBe(2);
  });

  test("are not across one that reads what the first computes", () => {
    expect(
      check((x) => {
        const a = x.exp();
        return [a, a.sub(a.sum()).mul(x)];
      }),
    ).toBe(3);
  });

  test("are across one that reads what the first computes, where the second needs nothing of between", () => {
    expect(
      check((x, y) => {
        const [a, b] = [x.exp(), y.exp()];
        return [a.mul(b).sum(), a.mul(b), a.mul(x), b.mul(y)];
      }),
    ).toBe(2);
  });

  test("of several widths stay apart", () => {
    expect(check((x) => [x.mul(2), x.cast("float64").mul(3)])).toBe(2);
    // Together they would not be computed in lanes.
    expect(check((x) => [x.mul(2), x.cast("float64").mul(3).cast("float32")])).toBe(2);
  });

  test.each<[string, (w: Tensor) => Tensor]>([
    ["each element by itself", (w) => w.mul(2).sub(1)],
    ["backwards", (w) => flip(w, 0).mul(2)],
    ["transposed", (w) => w.transpose(0, 1).add(1)],
    ["in parts", (w) => cat([slice(w, 3, 6), slice(w, 0, 3).mul(2)])],
    [
      "above a border",
      (w) =>
        pad(slice(w, 0, 4), [
          [0, 2],
          [0, 0],
        ]),
    ],
    ["by an inverse", (w) => inv(w)],
    ["in order", (w) => sort(w, 0).values],
    ["from what was", (w) => w.matmul(w).div(100)],
    ["from those before", (w) => cumsum(w, 0)],
    ["from the largest", (w) => w.sub(max(w, 0, { keepDims: true }))],
    ["at places", (w) => indexSelect(w, 0, tensor([5, 4, 3, 2, 1, 0], { dtype: "int32" })).mul(2)],
    ["added at places", (w) => indexAdd(w.mul(2), 0, tensor([1, 0], { dtype: "int32" }), slice(w, 0, 2))],
  ])("compute new versions of variables %s as if the old ones were still there", (_, next) => {
    const start = Array.from({ length: 6 }, (_, i) =>
      Array.from({ length: 6 }, (_, k) => ((5 * i + 7 * k) % 11) + (i === k ? 40 : 0)),
    );
    const w = variable(tensor(start));
    const step = compile(() => w.assign(next(w)));
    let expected: Tensor = tensor(start);
    for (let i = 0; i < 3; i++) {
      step();
      expected = withCache(null, () => fromTypedArray(next(expected).toTypedArray(), [6, 6]));
      expect(w.toArray()).toEqual(expected.toArray());
    }
  });

  test("change variables in place only behind all that read them", () => {
    const [u, v] = [draw(), draw()];
    const updates: readonly ((a: Tensor, b: Tensor) => readonly [Tensor, Tensor])[] = [
      (a, b) => [b.add(a), a.sub(b).mul(a.mul(b))],
      // One alone reads what the other overwrites.
      (a, b) => [b.mul(2), b.add(a)],
      (a, b) => [a.add(b), a.mul(2)],
    ];
    for (const update of updates) {
      const run = (go: (f: () => Tensor) => () => Tensor): unknown => {
        const [a, b] = [variable(u), variable(v)];
        const step = go(() => {
          const before = b.sum();
          const [nextA, nextB] = update(a, b);
          assignAll([
            [a, nextA],
            [b, nextB],
          ]);
          return before;
        });
        return [1, 2, 3].map(() => [step().toArray(), a.toArray(), b.toArray()]);
      };
      expect(run((f) => compile(f))).toEqual(run((f) => () => withCache(null, f)));
    }
  });
});
