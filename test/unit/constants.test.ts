import { defineOp, full, type Tensor, where, zero } from "@cotangent/autograd";
import { describe, test } from "vitest";
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
