import type { DType } from "../dtype.ts";
import { checkDType, isFloat } from "../dtype.ts";
import type { Op } from "../graph.ts";
import { apply, linearRule, Tensor } from "../graph.ts";
import type { Cast } from "../signature.ts";
import { checkTensor } from "./leaf.ts";
import { declare, ofRank } from "./sample.ts";

const castOp: Op<{ readonly dtype: DType }> = {
  name: "cast",
  kernel: { kind: "pointwise", body: (m, x) => m.convert(x!, m.dtype) },
  derivatives: [linearRule((g, out) => cast(g, out.inputs[0]!.dtype))],
  shape: ([x]) => x!.shape,
  dtype: (_, { dtype }) => dtype,
};

/**
 * The elements of `x` as `dtype`: floats become int32 by truncation (saturating, NaN to 0), anything becomes bool by
 * being other than 0. Returns `x` itself if it has that dtype already. Throws DTypeError for an unknown dtype.
 */
export const cast: Cast = declare(
  "cast",
  (x: Tensor, dtype: DType) => {
    checkDType("cast", dtype);
    checkTensor("cast", x);
    const a = x.node;
    return a.dtype === dtype ? a : apply(castOp, [a], { dtype });
  },
  castOp,
  ofRank(0, 3, (draw) => [draw.dtype === "float32" ? "float64" : "float32"]),
);

/** The node of a float `x`; others become float32. */
export function floating(x: Tensor): Tensor {
  return x instanceof Tensor && isFloat(x.dtype) ? x.node : cast(x, "float32");
}
