import type { Tensor, TypedArray } from "@cotangent/autograd";
import { fromTypedArray, registry, topology } from "@cotangent/autograd";
import { expect, test } from "vitest";
import { piecewise } from "../../packages/autograd/src/compile/piecewise.ts";
import { withCache } from "../../packages/autograd/src/evaluate.ts";
import { apply } from "../../packages/autograd/src/graph.ts";
import { leavesOf } from "../../packages/autograd/src/tree.ts";
import { drawFor } from "./draws.ts";

/** Not a whole number of blocks. */
const size = 2500;

/** Tensors of `size` elements, those of `x` again and again. */
function enlarged(x: Tensor): Tensor {
  const data = x.toTypedArray();
  const large = new (data.constructor as new (size: number) => TypedArray)(size);
  for (let i = 0; i < size && data.length > 0; i++) large[i] = data[(i * 7) % data.length]!;
  return fromTypedArray(large, [size]);
}

const names = [...registry.keys()];

test.each(["float32", "float64"] as const)(
  "elementwise ops by blocks have the bits of the interpreter in %s",
  (dtype) => {
    const computer = piecewise(0);
    const seen = new Set<unknown>();
    for (const name of names) {
      const draw = drawFor(name, dtype);
      const roots = leavesOf(registry.get(name)!(...registry.get(name)!.samples(draw)));
      for (const node of topology(roots.map((x) => x.node)).nodes) {
        const { op } = node;
        if (op.kernel.kind !== "pointwise" || seen.has(op)) continue;
        seen.add(op);
        const inputs = node.inputs.map(enlarged);
        const large = apply(op, inputs, node.attributes);
        const expected = withCache(null, () => large.toTypedArray());
        const found = new (expected.constructor as new (size: number) => TypedArray)(size);
        const operands = inputs.map((x) => x.toTypedArray());
        expect(computer(large, operands, found), op.name).toBe(true);
        expect(
          found.every((x, i) => Object.is(x, expected[i])),
          op.name,
        ).toBe(true);
      }
    }
    expect(seen.size).toBeGreaterThan(80);
  },
);
