import type { Op, Tensor } from "../../graph.ts";
import { pushed } from "../../graph.ts";
import type { Unary } from "../../signature.ts";
import { matmul } from "../contraction.ts";
import { neg } from "../pointwise.ts";
import { declare } from "../sample.ts";
import { solveEach, substitute, triangulate } from "./elimination.ts";
import { located, squareOfFloats } from "./factorization.ts";
import { regulars, singular } from "./solve.ts";

/** Inverses; `caller` is who errors name. */
const inverseOp: Op<{ readonly caller: string }> = {
  name: "inv",
  implied: ["caller"],
  kernel: {
    kind: "opaque",
    run: ([a], out, { caller }, site) => {
      const n = a!.shape[a!.shape.length - 1]!;
      const identity = new Float64Array(out.data.length);
      for (let row = 0; row * n < identity.length; row++) identity[row * n + (row % n)] = 1;
      solveEach(a!, { data: identity, shape: a!.shape }, out, (m, _, width) => {
        if (triangulate(m, n, width) === 0) throw singular(caller, site());
        substitute(m, n, width, true);
      });
    },
  },
  derivatives: [pushed((t, out) => neg(matmul(out, matmul(t, out))))],
  shape: ([a]) => a!.shape,
  dtype: ([a]) => a!.dtype,
};

/** The inverses of square matrices of floats, for the function `caller`, whose name errors bear. */
export function inverse(caller: string, x: Tensor): Tensor {
  return located(inverseOp, [x], { caller });
}

/**
 * The inverses of square matrices `a` [..., n, n]. To solve a system use `solve`, which is faster and more accurate.
 * Throws ShapeError if they are not square and, when its value is read, ValueError if one is singular.
 */
export const inv: Unary = declare(
  "inv",
  (a: Tensor) => inverse("inv", squareOfFloats("inv", a)),
  inverseOp,
  regulars,
);
