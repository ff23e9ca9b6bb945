import type { Tensor, TypedArray, Unary } from "@cotangent/autograd";
import {
  cat,
  defineOp,
  einsum,
  exp,
  fromTypedArray,
  linearRule,
  normal,
  pointwise,
  prod,
  registry,
  tensor,
  topology,
  variable,
  zeros,
} from "@cotangent/autograd";
import { describe, expect, test, vi } from "vitest";
import { Cache } from "../../packages/autograd/src/cache.ts";
import { withPieces } from "../../packages/autograd/src/compile/piecewise.ts";
import { withWorkspace } from "../../packages/autograd/src/compile/workspace.ts";
import { withCache } from "../../packages/autograd/src/evaluate.ts";
import { apply } from "../../packages/autograd/src/graph.ts";
import { interpret, type Workplace } from "../../packages/autograd/src/interpret.ts";
import { leavesOf } from "../../packages/autograd/src/tree.ts";
import { forbidden } from "../forbidden.ts";
import { drawFor } from "./draws.ts";

/** Not a whole number of vectors. */
const size = 2501;

/** Tensors of `size` elements, those of `x` again and again. */
function enlarged(x: Tensor): Tensor {
  const data = x.toTypedArray();
  const large = new (data.constructor as new (size: number) => TypedArray)(size);
  for (let i = 0; i < size && data.length > 0; i++) large[i] = data[(i * 7) % data.length]!;
  return fromTypedArray(large, [size]);
}

/** The elements of `root`, computed where large nodes are, and the names of the ops for which the kernels were not needed. */
function inPieces(root: Tensor, nodes?: readonly Tensor[]): { data: TypedArray; names: string[] } {
  const order = topology([root.node]);
  const names: string[] = [];
  const run = (place: Workplace | null): TypedArray => {
    if (!place) throw new Error("there is no workspace");
    const watched: Workplace = {
      take: (dtype, count) => place.take(dtype, count),
      give: (array) => place.give(array),
      kept: (array) => place.kept(array),
      compute: (node, inputs, out) => {
        const isDone = place.compute(node, inputs, out);
        if (isDone) names.push(node.op.name);
        return isDone;
      },
    };
    return interpret(order, [order.nodes.length - 1], watched)[0]!;
  };
  return { data: withPieces(nodes ?? order.nodes, run, { patience: 0 }), names };
}

function expectBits(found: TypedArray, expected: TypedArray, name?: string): void {
  expect(found.length, name).toBe(expected.length);
  expect(
    found.every((x, i) => Object.is(x, expected[i])),
    name,
  ).toBe(true);
}

// These come before any others: the workspace grows with what is asked of it.
test("what finds no room in the workspace is computed elsewhere, with the same bits", () => {
  const x = fromTypedArray(
    Float32Array.from({ length: 1 << 19 }, (_, i) => i % 7),
    [1 << 19],
  );
  const f = () => x.add(1).mul(x).add(x.neg().mul(3));
  const expected = withCache(null, () => f().toTypedArray());
  const small = tensor(new Float32Array(300));
  const { data, names } = inPieces(f(), [small]);
  expectBits(data, expected);
  expect(names.length).toBeLessThan(5);
});

test("a copy that would stay finds no room either", () => {
  const matrix = tensor(new Float32Array(768 * 1024).fill(0.5));
  const f = (i: number) => {
    const large = tensor(i).expand([256, 1024]).mul(2);
    const row = large.at(0).slice(0, 768);
    return row.matmul(matrix.reshape([768, 1024])).mul(large);
  };
  for (let i = 0; i < 4; i++) {
    const expected = withCache(null, () => f(i).toTypedArray());
    expectBits(inPieces(f(i), [tensor(new Float32Array(300))]).data, expected);
  }
});

describe("copies of what does not change", () => {
  const products = (x: Tensor, weights: readonly Tensor[]) =>
    weights.reduce((product, weight) => product.matmul(weight.reshape([x.shape[1]!, -1])).mul(0.05), x);

  test("are made three times and stay", () => {
    const copy = vi.spyOn(Object.getPrototypeOf(Float32Array.prototype), "set");
    const weight = tensor(new Float32Array(1024 * 1536).fill(0.1));
    const copied = (rows: number) => {
      copy.mockClear();
      inPieces(products(normal([rows, 1024]), [weight]));
      return copy.mock.calls.filter(([from]) => (from as TypedArray).length === weight.size).length;
    };
    expect([5, 2, 3, 7, 1, 9].map(copied)).toEqual([1, 1, 1, 0, 0, 0]);
    copy.mockRestore();
  });

  test("are made anew of what holds something else", () => {
    const array = new Float32Array(2000);
    const copied = () =>
      withWorkspace(0, array.byteLength, (workspace) => {
        const at = workspace!.addressOf(array);
        return new Float32Array(workspace!.take("float32", 1)!.buffer, at, 1)[0];
      });
    for (let value = 0; value < 5; value++) {
      array.fill(value);
      for (let i = 0; i < 4; i++) expect(copied()).toBe(value);
      withWorkspace(0, 0, (workspace) => workspace!.forget(array));
      array.fill(-1);
      for (let i = 0; i < 2; i++) expect(copied()).toBe(-1);
      withWorkspace(0, 0, (workspace) => workspace!.forget(array));
      array.fill(-2);
      expect(copied()).toBe(-2);
      withWorkspace(0, 0, (workspace) => workspace!.forget(array));
    }
  });

  test("make room for others, and follow what is assigned", () => {
    const weights = Array.from({ length: 36 }, () => variable(normal([512, 512])));
    for (let round = 0; round < 90; round++) {
      const chosen = weights.filter((_, i) => (round * 5 + i * 7) % 36 < 3);
      const x = normal([2 + (round % 5), 512]);
      const expected = withCache(null, () => products(x, chosen).toTypedArray());
      const { data, names } = inPieces(products(x, chosen));
      expectBits(data, expected);
      expect(names.filter((name) => name === "matmul").length).toBe(chosen.length);
      if (round % 4 < 3) continue;
      weights[round % 36]!.assign(weights[0]!.mul(0.9));
      weights[round % 36]!.toTypedArray();
    }
  });
});

test.each(["float32", "float64"] as const)("elementwise ops have the interpreter's bits in %s", (dtype) => {
  const seen = new Set<unknown>();
  for (const name of registry.keys()) {
    const draw = drawFor(name, dtype);
    const roots = leavesOf(registry.get(name)!(...registry.get(name)!.samples(draw)));
    for (const node of topology(roots.map((x) => x.node)).nodes) {
      const { op } = node;
      if (op.kernel.kind !== "pointwise" || seen.has(op)) continue;
      seen.add(op);
      const large = apply(op, node.inputs.map(enlarged), node.attributes);
      const expected = withCache(null, () => apply(op, large.inputs, node.attributes).toTypedArray());
      const { data, names } = inPieces(large);
      expectBits(data, expected, op.name);
      expect(names).toEqual([op.name]);
    }
  }
  expect(seen.size).toBeGreaterThan(80);
});

/** Indices below `count`, each several times. */
function picks(shape: readonly number[], count: number): Tensor {
  const size = shape.reduce((product, n) => product * n, 1);
  return fromTypedArray(
    Int32Array.from({ length: size }, (_, i) => (i * 37) % count),
    shape,
  );
}

/** Graphs of one op, which no kernel is needed for. */
const graphs: Record<string, (x: Tensor) => Tensor> = {
  "a sum of rows": (x) => x.sum(1),
  "a sum of columns": (x) => x.sum(0),
  "a sum of all": (x) => x.sum(),
  "a sum of the axis in the middle": (x) => x.reshape([7, 61, 13]).sum(1),
  "a sum of the first of three axes": (x) => x.reshape([7, 61, 13]).sum(0),
  "a sum of two axes": (x) => x.reshape([7, 61, 13]).sum([1, 2]),
  "a sum of many terms": (x) => x.broadcastTo([9, 91, 61]).reshape([9, -1]).sum(1),
  "a sum of many rows": (x) => x.broadcastTo([30, 91, 61]).reshape([-1, 61]).sum(0),
  "the largest of each row": (x) => x.amax(1),
  "the smallest of each column": (x) => x.amin(0),
  "a product": (x) => prod(x, 0),
  "a transposition": (x) => x.transpose(),
  "axes in another order": (x) => x.reshape([7, 13, 61]).permute([2, 0, 1]),
  "a row for all": (x) => x.slice(0, 1).broadcastTo([91, 61]),
  "a column for all": (x) => x.slice(0, 1, { axis: 1 }).broadcastTo([91, 61]),
  "rows backwards": (x) => x.flip(1),
  "rows of a table": (x) => x.gather(0, picks([200, 61], 91)),
  "an entry of each row": (x) => x.gather(1, picks([91, 30], 61)),
  "entries of the axis in the middle": (x) => x.reshape([7, 61, 13]).gather(1, picks([7, 90, 13], 61)),
  "rows that are added up": (x) => zeros([50, 61], { dtype: x.dtype }).scatterAdd(0, picks([91, 61], 50), x),
  "a border": (x) =>
    x.pad([
      [1, 2],
      [3, 0],
    ]),
  parts: (x) => cat([x, x.slice(0, 5), x]),
  "parts side by side": (x) => cat([x.slice(0, 5, { axis: 1 }), x, x.slice(3, 9, { axis: 1 })], 1),
  "a product of matrices": (x) => x.matmul(x.transpose()),
  "a product of many terms": (x) =>
    einsum("ij,kj->ki", x.reshape([7, 793]), x.slice(2, 9, { axis: 0 }).reshape([7, 61]).repeat([1, 13])),
  "a row by a matrix whose terms lie side by side": (x) => einsum("j,ij->i", x.at(3), x),
  "a row by a matrix whose results lie side by side": (x) =>
    einsum("i,ij->j", x.slice(5, 6, { axis: 1 }).reshape([91]), x),
  "a column": (x) => x.matmul(x.slice(4, 5).transpose()),
  "a dot product": (x) => einsum("i,i->", x.reshape([-1]), x.reshape([-1]).flip(0)),
  "a row for each of a batch": (x) => einsum("bj,bij->bi", x.slice(0, 7), x.reshape([7, 13, 61])),
  "a row for each of a batch, results side by side": (x) =>
    einsum(
      "bi,bij->bj",
      x.slice(0, 7, { axis: 1 }).reshape([7, 91]).slice(0, 61, { axis: 1 }),
      x.reshape([7, 61, 13]),
    ),
  "rows whose results lie apart": (x) => einsum("bj,bij->ib", x.slice(0, 7), x.reshape([7, 13, 61])),
  "a row by many terms": (x) =>
    einsum("k,jk->j", x.reshape([-1]), cat([x, x.neg(), x.flip(0)]).reshape([3, -1])),
  "a row by many terms, results side by side": (x) =>
    einsum("k,kj->j", x.reshape([-1]).slice(3, 1589), x.reshape([793, 7]).repeat([2, 1])),
  "a row of four terms": (x) =>
    einsum("k,kj->j", x.reshape([-1]).slice(0, 4), x.reshape([-1]).slice(0, 5548).reshape([4, 1387])),
};

describe.each(["float32", "float64"] as const)("of %s", (dtype) => {
  test.each(Object.entries(graphs))("%s has the interpreter's bits and needs no kernel", (_, f) => {
    const x = normal([91, 61], { dtype });
    x.toTypedArray();
    const expected = withCache(null, () => f(x).toTypedArray());
    const { data, names } = inPieces(f(x));
    expectBits(data, expected);
    expect(names).toContain(f(x).op.name);
  });
});

test.each(["float32", "float64"] as const)(
  "other products of rows have the interpreter's bits in %s",
  (dtype) => {
    const x = normal([91, 61], { dtype });
    const flat = x.reshape([-1]);
    const others: readonly (() => Tensor)[] = [
      () => einsum("k,kj->j", flat.slice(0, 1850), flat.slice(1, 5551).reshape([1850, 3])),
      () => einsum("i,aic->ac", flat.slice(0, 13), x.reshape([7, 13, 61])),
      () => einsum("jb,bij->bi", flat.slice(0, 427).reshape([61, 7]), x.reshape([7, 13, 61])),
      () => einsum("bj,bij->ib", flat.slice(0, 793).reshape([61, 13]), x.reshape([61, 7, 13])),
      () =>
        einsum(
          "bk,bkj->bj",
          flat.slice(0, 1800).reshape([100, 18]),
          flat.slice(0, 5400).reshape([100, 18, 3]),
        ),
      () =>
        einsum(
          "bk,abck->bac",
          flat.slice(0, 78).reshape([6, 13]),
          flat.slice(0, 5460).reshape([7, 6, 10, 13]),
        ),
      () =>
        einsum(
          "ibk,bikj->bj",
          flat.slice(0, 420).reshape([6, 7, 10]),
          flat.slice(0, 5460).reshape([7, 6, 10, 13]),
        ),
      () =>
        einsum(
          "bik,ibkj->bj",
          flat.slice(0, 420).reshape([7, 6, 10]),
          flat.slice(0, 5460).reshape([6, 7, 10, 13]),
        ),
      () => einsum("k,kj->j", flat.slice(0, 2), flat.slice(0, 5550).reshape([2, 2775])),
      () => einsum("k,jk->j", flat.slice(0, 3), flat.slice(0, 5550).reshape([1850, 3])),
      () => einsum("k,jk->j", flat.slice(0, 1), flat.reshape([5551, 1])),
    ];
    flat.toTypedArray();
    others.forEach((f, i) => {
      const expected = withCache(null, () => f().toTypedArray());
      expectBits(inPieces(f()).data, expected, String(i));
    });
  },
);

test("bools and whole numbers move as well", () => {
  const x = normal([91, 61]);
  x.toTypedArray();
  for (const f of [(y: Tensor) => y.gt(0).transpose(), (y: Tensor) => y.cast("int32").transpose().sum(0)]) {
    const expected = withCache(null, () => f(x).toTypedArray());
    expectBits(inPieces(f(x)).data, expected);
  }
});

test("an index outside is refused in the words of the kernel", () => {
  const x = normal([91, 61]);
  const index = picks([200, 61], 92);
  expect(() => inPieces(x.gather(0, index))).toThrow("gather: index 91 is outside axis 0 of size 91");
});

test("a part of much is taken where it lies", () => {
  const x = fromTypedArray(normal([5000, 61]).toTypedArray(), [5000, 61]);
  for (const f of [() => x.slice(7, 17), () => x.gather(0, picks([10, 61], 5000))]) {
    const expected = withCache(null, () => f().toTypedArray());
    const { data, names } = inPieces(f().mul(1));
    expectBits(data, expected);
    expect(names).toEqual(["mul"]);
  }
});

test("results that are no whole vectors touch nothing that lies behind them", () => {
  const p = fromTypedArray(
    Float32Array.from({ length: 260 }, (_, i) => i),
    [130, 2],
  );
  const x = fromTypedArray(new Float32Array(1300).fill(1), [130, 5, 2]);
  const z = p.neg();
  // The sum lies where `a` did, just before `b`, which is needed once more.
  const [a, b] = [z.mul(z), z.add(z)];
  const root = a.mul(b).add(x.sum(1)).add(b);
  const expected = Float32Array.from({ length: 260 }, (_, i) => Math.fround(i * i * -2 * i + 5) - 2 * i);
  expectBits(inPieces(root).data, expected);
});

describe("an op with a table", () => {
  const values = Array.from({ length: 70_000 }, (_, i) => (i * 7) % 1000);
  const lookUp = (count: number): Unary =>
    pointwise({
      name: `lookUp${count}`,
      body: (m, x) => m.table(values.slice(0, count), m.convert(x!, "int32"), "float32"),
      derivatives: [linearRule((g) => g.mul(0))],
      samples: () => [zeros([2])],
      kink: true,
    });
  const numbers = (size: number) =>
    fromTypedArray(
      Float32Array.from({ length: size }, (_, i) => i),
      [size],
    );

  test("that has no room is left to the kernels, and spoils nothing", () => {
    const [small, large] = [lookUp(600), lookUp(70_000)];
    const x = numbers(600);
    const { data, names } = inPieces(large(x).add(small(x)).mul(2));
    expectBits(
      data,
      Float32Array.from({ length: 600 }, (_, i) => 4 * values[i]!),
    );
    expect(names).toContain("lookUp600");
    expect(names).not.toContain("lookUp70000");
  });

  test("does not look up what lies behind the last element", () => {
    const look = lookUp(601);
    // Leaves 1e8 wherever something lies later.
    const large = fromTypedArray(new Float32Array(2500).fill(1e4), [2500]);
    inPieces(large.mul(large));
    const { data, names } = inPieces(look(numbers(601)));
    expectBits(data, Float32Array.from(values.slice(0, 601)));
    expect(names).toContain("lookUp601");
  });
});

test("an op that evaluates while it is computed does not disturb what is around it", () => {
  const inner = normal([600]);
  inner.toTypedArray();
  const nosy = defineOp({
    name: "nosy",
    kernel: {
      kind: "opaque",
      run: ([x], out) => {
        const noise = exp(inner).mul(2).add(exp(inner)).toTypedArray();
        out.data.set(x!.data.map((value, i) => value + noise[i]!));
      },
    },
    derivatives: [linearRule((g) => g)],
    shape: ([x]) => x!.shape,
    dtype: ([x]) => x!.dtype,
  });
  const x = normal([600]);
  x.toTypedArray();
  const f = () =>
    nosy([exp(x)], {})
      .mul(exp(x))
      .add(exp(x).mul(3));
  const expected = withCache(null, () => f().toTypedArray());
  expectBits(inPieces(f()).data, expected);
  expectBits(f().toTypedArray(), expected);
});

test("of a long chain with copies between its steps little is held at once", () => {
  let x: Tensor = fromTypedArray(
    Float32Array.from({ length: 600 }, (_, i) => i / 600),
    [600],
  );
  const first = x;
  for (let i = 0; i < 100; i++) x = exp(x.neg()).reshape([20, 30]).reshape([600]);
  const order = topology([x.node]);
  let [held, most] = [0, 0];
  const data = withPieces(order.nodes, (place) => {
    const watched: Workplace = {
      take: (dtype, count) => {
        most = Math.max(most, ++held);
        return place!.take(dtype, count);
      },
      give: (array) => {
        held--;
        return place!.give(array);
      },
      kept: (array) => place!.kept(array),
      compute: (node, inputs, out) => place!.compute(node, inputs, out),
    };
    return interpret(order, [order.nodes.length - 1], watched)[0]!;
  });
  expect(most).toBeLessThan(5);
  let expected = first.toTypedArray();
  for (let i = 0; i < 100; i++)
    expected = withCache(null, () => exp(fromTypedArray(expected, [600]).neg()).toTypedArray());
  expectBits(data, expected);
});

// After all others: what is refused once is not asked for again.
test("where a page refuses modules the kernels serve", () => {
  forbidden((attempts) => {
    const x = fromTypedArray(new Int32Array(600).fill(7), [600]);
    const { data, names } = inPieces(x.mul(x).add(x));
    expect(data.every((value) => value === 56)).toBe(true);
    expect(names).toEqual([]);
    const before = attempts();
    expect(before).toBeGreaterThan(0);
    expect(() => inPieces(x.mul(x))).toThrow("there is no workspace");
    expect(withCache(new Cache(), () => x.mul(x).sum().item())).toBe(49 * 600);
    expect(attempts()).toBe(before);
  });
});
