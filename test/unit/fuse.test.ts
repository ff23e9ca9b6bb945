import {
  abs,
  add,
  broadcastTo,
  cast,
  checkGradient,
  compile,
  div,
  fuse,
  grad,
  gt,
  lt,
  mul,
  sigmoid,
  sqrt,
  sub,
  sum,
  type Tensor,
  tanh,
  tensor,
  variable,
  vmap,
  where,
} from "@cotangent/autograd";
import { AdamW } from "@cotangent/nn";
import fc from "fast-check";
import { describe, expect, test } from "vitest";

const f64 = { dtype: "float64" } as const;

type Formula = (x: Tensor, y: Tensor, z: Tensor) => Tensor;

const formulas: Record<string, Formula> = {
  lerp: (x, y, z) => add(x, mul(z, sub(y, x))),
  ratio: (x, y, z) => div(mul(x, 0.1), add(sqrt(abs(y)), add(z, 1e-8))),
  gate: (x, y, z) => mul(sigmoid(x), tanh(add(y, z))),
  choice: (x, y, z) => where(gt(x, y), mul(x, z), sub(1, y)),
  first: (x) => mul(x, x),
  number: (x, _, z) => add(mul(2, z), mul(0, x)),
};

describe.each(Object.entries(formulas))("fuse: %s", (name, f) => {
  const fused = fuse(name, (x: Tensor, y: Tensor, z: Tensor) => f(x, y, z));

  test.each(["float32", "float64"] as const)(
    "has the bits of the formula in %s, and as one node",
    (dtype) => {
      const number = fc.double({ noDefaultInfinity: true, min: -1e6, max: 1e6 });
      fc.assert(
        fc.property(fc.array(fc.tuple(number, number, number), { minLength: 1, maxLength: 9 }), (rows) => {
          const [x, y, z] = [0, 1, 2].map((i) =>
            tensor(
              rows.map((row) => row[i]!),
              { dtype },
            ),
          ) as Tensor[] as [Tensor, Tensor, Tensor];
          const node = fused(x, y, z);
          expect(node.op.name).toBe(name);
          expect(node.inputs).toEqual([x, y, z]);
          const expected = f(x, y, z).toTypedArray();
          expect(node.toTypedArray()).toEqual(expected);
          expect(compile(fused)(x, y, z).toTypedArray()).toEqual(expected);
        }),
        { numRuns: 25 },
      );
    },
  );

  test("has the derivatives of the formula, also where operands are one tensor or broadcast", () => {
    const x = tensor(
      [
        [0.3, -0.7],
        [0.6, 1.1],
      ],
      f64,
    );
    const [y, z] = [tensor([[1.5], [0.4]], f64), tensor(0.9, f64)];
    // The formula of one that leaves out an operand does not broadcast to it.
    const wide: typeof fused = (...operands) =>
      f(...(operands.map((x) => broadcastTo(tensor(0, f64).add(x), [2, 2])) as [Tensor, Tensor, Tensor]));
    const cases: ((call: typeof fused) => Tensor)[] = [
      (call) => call(x, y, z),
      (call) => call(x, x, x),
      (call) => call(x, y, y),
      (call) => call(x, 2, y),
    ];
    for (const of of cases) {
      const [found, wanted] = [fused, wide].map((call) => {
        const first = grad(sum(mul(of(call), of(call))), [x, y, z]);
        const second = grad(sum(first[0].mul(tensor([1, 2], f64))), [x, y, z]);
        return [...first, ...second].flatMap((g) => [...g.toTypedArray()]);
      });
      found!.forEach((g, i) => {
        expect(g).toBeCloseTo(wanted![i]!, 12);
      });
    }
    const inputs = [tensor([0.3, -0.7]), tensor([0.4, 1.2]), tensor([0.9, 0.2])];
    expect(checkGradient(fused, inputs, { order: 2 }).pass).toBe(true);
  });

  test("is mapped over examples", () => {
    const x = tensor([[1, 2, 3]]);
    expect(vmap((x: Tensor) => fused(x, 2, x))(x).toArray()).toEqual(f(x, tensor(2), x).toArray());
  });
});

describe("fuse", () => {
  test("gives bool where the formula does", () => {
    const isSmall = fuse("isSmall", (x: Tensor, y: Tensor) => lt(abs(x), y));
    const y = isSmall(tensor([-3, 1]), 2);
    expect(y.dtype).toBe("bool");
    expect(y.toArray()).toEqual([false, true]);
  });

  test("says of a kink what its formula says", () => {
    const distance = fuse("distance", (x: Tensor, y: Tensor) => abs(sub(x, y)));
    expect(distance(tensor(1), 2).op.kink).toBe(true);
    expect(checkGradient((x: Tensor) => distance(x, 0), [tensor([0, 1])]).pass).toBe(true);
  });

  test("refuses what is no formula of its operands", () => {
    const w = variable([1, 2]);
    const known = tensor([1, 2]);
    const one = (f: (x: Tensor) => Tensor) => () => fuse("one", f);
    expect(one((x) => sum(x))).toThrow("fuse: one uses sum, which is not elementwise in one dtype");
    expect(one((x) => cast(x, "float64"))).toThrow("fuse: one uses cast");
    expect(one((x) => mul(x, w))).toThrow("fuse: one uses a tensor that is no operand");
    expect(one((x) => mul(x, known))).toThrow("fuse: one uses a tensor that is no operand");
    expect(() => fuse("none", () => known)).toThrow("fuse: none has no operands");
    expect(one((_) => 3 as never)).toThrow("fuse: one returned 3, not a tensor");
  });

  test("leaves few nodes of an optimizer's step", () => {
    const parameters = Array.from({ length: 4 }, () => variable([1, 2]));
    const optimizer = new AdamW(parameters, { weightDecay: 0.1 });
    const step = compile(() => optimizer.step(parameters.map((p) => p.square().sum()).reduce(add)));
    step();
    const ops = step
      .explain()
      .split("simplified")[0]!
      .match(/(?<== )\w+(?=\()/g)!;
    const count = (name: string) => ops.filter((op) => op === name).length;
    expect(["movingAverage", "movingAverageOfSquares", "adamRatio", "decayedUpdate"].map(count)).toEqual(
      Array(4).fill(4),
    );
  });
});
