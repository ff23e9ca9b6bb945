import { ValueError } from "../../errors.ts";
import type { Tensor } from "../../graph.ts";
import type { UnaryWith } from "../../signature.ts";
import { matmul } from "../contraction.ts";
import { eye } from "../leaf.ts";
import { broadcastTo } from "../movement.ts";
import { composed } from "../sample.ts";
import { regularMatrices, squareOfFloats, squareOfNumbers } from "./factorization.ts";
import { inverse } from "./solve.ts";

/** Functions of whole matrices: powers, the exponential, products by blocks, distances. */

/**
 * Square matrices `a` [..., n, n] times themselves, `n` factors in all; the identity for 0, and for negative `n` the power
 * of the inverse. Throws ShapeError if they are not square, ValueError if `n` is no whole number and, when its value is
 * read, if one to be inverted is singular.
 */
export const matrixPower: UnaryWith<[n: number]> = composed(
  "matrixPower",
  (a: Tensor, n: number) => {
    const x = squareOfNumbers("matrixPower", a);
    if (!Number.isSafeInteger(n))
      throw new ValueError(`matrixPower: the exponent ${n} is no whole number; give one such as 2 or -1`);
    if (n === 0) {
      const identity = eye(x.shape[x.rank - 1]!, undefined, { dtype: x.dtype });
      return broadcastTo(identity.node, x.shape);
    }
    let factor = n < 0 ? inverse("matrixPower", squareOfFloats("matrixPower", x)) : x;
    let out: Tensor | null = null;
    for (let rest = Math.abs(n); ; factor = matmul(factor, factor)) {
      if (rest % 2 === 1) out = out === null ? factor : matmul(out, factor);
      rest = Math.floor(rest / 2);
      if (rest === 0) return out ?? factor;
    }
  },
  (draw) => {
    const n = draw.integer(1, 3);
    return [regularMatrices(draw, [...draw.shape(0, 1), n, n]), draw.integer(-3, 3)];
  },
);
