import { Tensor } from "./graph.ts";
import { chained } from "./ops/methods.ts";
import { isDeclared } from "./ops/sample.ts";
import type { Shape } from "./shape.ts";
import type { Methods } from "./signature.ts";

/**
 * The chaining form: the ops of the modules below are also methods, `x.tanh()` for `tanh(x)`. The methods come
 * from the modules by themselves, types, documentation and all.
 */
declare module "./graph.ts" {
  interface Tensor<S extends Shape = Shape>
    extends Methods<typeof import("./ops/cast.ts")>,
      Methods<typeof import("./ops/movement.ts")>,
      Methods<typeof import("./ops/region.ts")>,
      Methods<typeof import("./ops/comparison.ts")>,
      Methods<typeof import("./ops/pointwise.ts")>,
      Methods<typeof import("./ops/elementary.ts")>,
      Methods<typeof import("./ops/rounding.ts")>,
      Methods<typeof import("./ops/bounds.ts")>,
      Methods<typeof import("./ops/mixture.ts")>,
      Methods<typeof import("./ops/reduction.ts")>,
      Methods<typeof import("./ops/contraction.ts")>,
      Methods<typeof import("./ops/affine.ts")>,
      Methods<typeof import("./ops/indexing.ts")>,
      Methods<typeof import("./ops/join.ts")>,
      Methods<typeof import("./ops/composed.ts")>,
      Methods<typeof import("./ops/scan.ts")>,
      Methods<typeof import("./ops/statistics.ts")>,
      Methods<typeof import("./ops/sorting.ts")>,
      Methods<typeof import("./ops/layout.ts")>,
      Methods<typeof import("./ops/partition.ts")>,
      Methods<typeof import("./ops/border.ts")>,
      Methods<typeof import("./ops/diagonal.ts")>,
      Methods<typeof import("./ops/selection.ts")>,
      Methods<typeof import("./ops/at.ts")>,
      Methods<typeof import("./ops/product.ts")> {}
}

for (const module of chained)
  for (const call of Object.values(module)) {
    if (!isDeclared(call)) continue;
    const { name } = call;
    const value = function (this: Tensor, ...rest: unknown[]): unknown {
      return call(this, ...rest);
    };
    Object.defineProperty(value, "name", { value: name });
    Object.defineProperty(Tensor.prototype, name, { value, writable: true, configurable: true });
  }
