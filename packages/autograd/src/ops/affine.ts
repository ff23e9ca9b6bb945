import { ShapeError } from "../errors.ts";
import type { Tensor } from "../graph.ts";
import { apply } from "../graph.ts";
import { formatShape } from "../shape.ts";
import type { Affine } from "../signature.ts";
import { einsumOp, factors } from "./contraction.ts";
import { operand } from "./elementwise.ts";
import { add } from "./pointwise.ts";
import { composed } from "./sample.ts";

/** `x` with `bias` added, for the function `name`. Throws ShapeError unless it has the length of the last axis. */
export function biased(name: string, x: Tensor, bias: Tensor | undefined): Tensor {
  if (bias === undefined) return x;
  const b = operand(name, bias, x.dtype);
  if (b.rank !== 1 || b.shape[0] !== x.shape[x.rank - 1])
    throw new ShapeError(
      `${name}: bias ${formatShape(b.shape)} for results ${formatShape(x.shape)}; give it the length of their last axis`,
    );
  return add(x, b);
}

/** `x` [..., in] times the transpose of `weight` [out, in], plus `bias` [out]. Throws ShapeError if they do not fit. */
export const linear: Affine = composed(
  "linear",
  (x: Tensor, weight: Tensor, bias?: Tensor) => {
    const [a, w] = factors("linear", x, weight);
    if (w.rank !== 2 || w.shape[1] !== a.shape[a.rank - 1])
      throw new ShapeError(
        `linear: weight ${formatShape(w.shape)} for inputs ${formatShape(a.shape)}; it is [out, in], where in is the last size ` +
          "of the inputs",
      );
    // One contraction, whose derivative by the weight has the weight's layout: no transposed copy of it.
    const rows = Array.from({ length: a.rank - 1 }, (_, i) => String.fromCharCode(0x3b1 + i)).join("");
    return biased("linear", apply(einsumOp, [a, w], { spec: `${rows}i,oi->${rows}o` }), bias);
  },
  (draw) => {
    const [n, m] = [draw.integer(1, 4), draw.integer(1, 4)];
    const args = [draw.tensor([...draw.shape(0, 2), n]), draw.tensor([m, n])];
    return draw.coin() ? args : [...args, draw.tensor([m])];
  },
);
