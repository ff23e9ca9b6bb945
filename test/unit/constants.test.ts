import {
  compile,
  defineOp,
  full,
  grad,
  hessian,
  jvp,
  onesLike,
  type Tensor,
  tensor,
  valueAndGrad,
  where,
  zero,
  zerosLike,
} from "@cotangent/autograd";
import { describe, expect, test } from "vitest";
import { same } from "../bits.ts";

const numbers = [0, -0, 1, -1, 0.1, 1 / 3, 16_777_217, 1e30, 1e-30, Number.NaN, Number.POSITIVE_INFINITY];

/** Two steps, each of which rounds. */
const apart = defineOp({
  name: "apart",
  kernel: { kind: "pointwise", body: (m, x, y) => m.sub(m.mul(x!, y!), x!) },
  derivatives: [zero, zero],
  shape: ([x]) => x!.shape,
  dtype: ([x]) => x!.dtype,
});

const found = (a: Tensor, b: Tensor): Tensor[] => [
  a.add(b),
  a.sub(b),
  a.mul(b),
  a.div(b),
  a.neg(),
  a.eq(b),
  a.lt(b),
  where(a.eq(b), a, b),
  a.sub(b).mul(a).add(0.1),
  a.maximum(b),
  apart([a, b], {}),
  a.exp(),
];

describe("what is computed from numbers alone, when it is compiled, has the interpreter's bits", () => {
  for (const dtype of ["float32", "float64", "int32"] as const) {
    const values = dtype === "int32" ? [0, 1, -1, 3, 2 ** 31 - 1, -(2 ** 31)] : numbers;
    test(dtype, () => {
      for (const a of values)
        same(() => values.flatMap((b) => found(full([2], a, { dtype }), full([2], b, { dtype }))), []);
    });
  }
});

describe("a power whose exponent is known", () => {
  const x = tensor([...numbers, -2, -1e30, -1e-30, Number.NEGATIVE_INFINITY], { dtype: "float64" });

  test("has the bits of one whose exponent is not, interpreted and compiled", () => {
    for (const dtype of ["float32", "float64"] as const)
      for (const y of [0, 1, 2, 3, -1, 0.5, -0.5, 4, 2.5, Number.NaN, Number.POSITIVE_INFINITY])
        same(() => {
          const base = x.cast(dtype);
          const unknown = tensor(Array(x.size).fill(y), { dtype });
          return [base.pow(y), base.pow(unknown)];
        }, []);
  });

  test("is the product, the quotient or the root that it stands for", () => {
    const bits = (y: Tensor) => [...y.toTypedArray()];
    expect(bits(x.pow(2))).toEqual(bits(x.square()));
    expect(bits(x.pow(3))).toEqual(bits(x.square().mul(x)));
    expect(bits(x.pow(-1))).toEqual(bits(x.reciprocal()));
    expect(bits(x.pow(0.5))).toEqual(bits(where(x.eq(-Infinity), Infinity, x.add(0).sqrt())));
  });

  test("has the derivatives of one whose exponent is not", () => {
    const f = (y: number | Tensor) => (z: Tensor) => z.pow(y).sum();
    const slopes = (y: number | Tensor) => valueAndGrad(f(y))(tensor([0.5, 2, 3, -1, 0]))[1].toArray();
    for (const y of [0, 1, 2, 3, -1, 0.5])
      expect(slopes(y), String(y)).toEqual(slopes(tensor(Array(5).fill(y))));
    expect(hessian(f(2))(tensor([0, 2])).toArray()).toEqual([
      [2, 0],
      [0, 2],
    ]);
  });

  test("has a second derivative by base and exponent where the exponent is 0", () => {
    const f = (z: Tensor) => z.at(0).pow(z.at(1));
    expect(hessian(f)(tensor([2, 0], { dtype: "float64" })).toArray()).toEqual([
      [0, 0.5],
      [0.5, expect.closeTo(Math.log(2) ** 2, 15)],
    ]);
    expect(valueAndGrad(f)(tensor([0, 0]))[1].toArray()).toEqual([0, 0]);
    expect(hessian((z: Tensor) => z.pow(0).sum())(tensor([0, 2])).toArray()).toEqual([
      [0, 0],
      [0, expect.closeTo(0)],
    ]);
  });

  test("has the derivatives of a constant and of x where the reciprocal of x is infinite", () => {
    for (const [dtype, xs] of [
      ["float32", [1e-20, 1e-39, -1e-45, 0]],
      ["float64", [1e-160, 1e-310, -5e-324, 0]],
    ] as const) {
      const x = tensor(xs, { dtype });
      const ones = onesLike(x);
      const sizes = (y: Tensor) => Array.from(y.abs().toTypedArray());
      for (const [y, wanted] of [
        [0, 0],
        [zerosLike(x), 0],
        [1, 1],
        [ones, 1],
      ] as const) {
        const slope = (z: Tensor): Tensor => grad(z.pow(y).sum(), [z])[0];
        const along = (z: Tensor): Tensor => jvp((z: Tensor) => z.pow(y))(z, ones)[1];
        for (const f of [slope, along]) {
          expect(sizes(f(x))).toEqual(xs.map(() => wanted));
          expect(sizes(grad(f(x).sum(), [x])[0])).toEqual([0, 0, 0, 0]);
          expect(sizes(jvp(f)(x, ones)[1])).toEqual([0, 0, 0, 0]);
        }
      }
    }
  });

  test("is all that is left of the body", () => {
    const words = (y: number) => {
      const f = compile((z: Tensor) => z.pow(y));
      f(x);
      return f.explain().length;
    };
    for (const y of [1, 2, 3, -1]) expect(words(y)).toBeLessThan(words(1.7) / 2);
  });
});
