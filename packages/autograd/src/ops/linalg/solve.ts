import { ValueError } from "../../errors.ts";
import type { Op, Tensor } from "../../graph.ts";
import { bilinearRule, pushed } from "../../graph.ts";
import type { Operation } from "../../signature.ts";
import { matmul } from "../contraction.ts";
import { transpose } from "../movement.ts";
import { neg } from "../pointwise.ts";
import type { Draw } from "../sample.ts";
import { declare } from "../sample.ts";
import { solveEach, substitute, triangulate } from "./elimination.ts";
import { linearSystem, located, regularMatrices } from "./factorization.ts";

/** Linear systems. */

/**
 * `a^-1 b` for matrices `[..., n, n]` and `[..., n, k]` with the same batch axes; `caller` is who errors name. If it is null, a
 * singular matrix is no error: it gives NaN, or 0 where `b` is 0.
 */
export const solveOp: Op<{ readonly caller: string | null }> = {
  name: "solve",
  implied: ["caller"],
  kernel: {
    kind: "opaque",
    run: ([a, b], out, { caller }, site) =>
      solveEach(a!, b!, out, (m, n, width) => {
        if (triangulate(m, n, width) !== 0) substitute(m, n, width, true);
        else if (caller !== null) throw singular(caller, site());
        else spoil(m, n, width);
      }),
  },
  derivatives: [
    pushed((t, out, attributes) => neg(located(solveOp, [out.inputs[0]!, matmul(t, out)], attributes))),
    bilinearRule((g, out, attributes) => located(solveOp, [transpose(out.inputs[0]!), g], attributes)),
  ],
  shape: ([, b]) => b!.shape,
  dtype: ([, b]) => b!.dtype,
};

/** What is thrown for a singular matrix. */
export function singular(caller: string, site: string): ValueError {
  return new ValueError(
    `${caller}: the matrix is singular, its rows are linearly dependent; check with slogdet${site}`,
  );
}

/** The right-hand sides behind a singular matrix become NaN, or 0 if they are. */
function spoil(m: Float64Array, n: number, width: number): void {
  const places = Array.from(m.keys()).filter((i) => i % width >= n);
  const value = places.some((i) => m[i] !== 0) ? Number.NaN : 0;
  for (const i of places) m[i] = value;
}

/**
 * The solution `x` of `a x = b` for square matrices `a` [..., n, n] and right-hand sides `b` [..., n, k], or [n]; batch
 * axes broadcast. Computed in float64. Throws ShapeError if they do not fit and, when its value is read, ValueError if a
 * matrix is singular.
 *
 * @example
 * ```ts
 * import { solve, tensor } from "@cotangent/autograd";
 * solve(tensor([[2, 0], [0, 4]]), tensor([2, 2])).toArray(); // => 1,0.5
 * ```
 */
export const solve: Operation<[b: Tensor]> = declare(
  "solve",
  (a: Tensor, b: Tensor) =>
    linearSystem("solve", a, b, (operands) => located(solveOp, operands, { caller: "solve" })),
  solveOp,
  (draw) => {
    const n = draw.integer(1, 3);
    const batch = draw.shape(0, 1);
    const b = draw.integer(0, 2) === 0 ? [n] : [...batch, n, draw.integer(1, 3)];
    return [regularMatrices(draw, [...batch, n, n]), draw.tensor(b)];
  },
);

/** Samples of functions of one regular matrix or several. */
export const regulars = (draw: Draw): readonly Tensor[] => {
  const n = draw.integer(1, 3);
  return [regularMatrices(draw, [...draw.shape(0, 1), n, n])];
};
