import { isFloat, promote, refuseBool } from "../dtype.ts";
import { ShapeError } from "../errors.ts";
import type { Op, Tensor } from "../graph.ts";
import { apply, bilinearRule } from "../graph.ts";
import { readLabels } from "../labels.ts";
import type { Shape } from "../shape.ts";
import { formatShape } from "../shape.ts";
import type { Contraction } from "../signature.ts";
import { cast } from "./cast.ts";
import { operand } from "./elementwise.ts";
import { reshape } from "./movement.ts";
import { declare } from "./sample.ts";

/**
 * Contractions: sums of products, labelled as in `"ij,jk->ik"`. The derivative by an operand is again a contraction, with
 * the labels exchanged, so transposed copies never exist.
 */
function contraction(name: string, implied: readonly string[] = []): Op<{ readonly spec: string }> {
  return {
    name,
    implied,
    kernel: { kind: "contract" },
    derivatives: [
      bilinearRule((g, out, { spec }) => apply(einsumOp, [g, out.inputs[1]!], readLabels(spec).toLeft)),
      bilinearRule((g, out, { spec }) => apply(einsumOp, [out.inputs[0]!, g], readLabels(spec).toRight)),
    ],
    shape: ([x, y], { spec }) =>
      readLabels(spec).places.map((axis) => (axis >= 0 ? x!.shape[axis]! : y!.shape[~axis]!)),
    dtype: ([x]) => x!.dtype,
  };
}

const matmulOp = contraction("matmul", ["spec"]);
/** Any contraction of two operands; no letter twice in one of them, and those of one alone are in the result. */
export const einsumOp: Op<{ readonly spec: string }> = contraction("einsum");

/**
 * The matrix product. Two matrices `[n, k]` and `[k, m]` give `[n, m]`; a 1-d operand is a row on the left and a column on
 * the right, and its axis disappears; axes before the last two are batches and broadcast. Throws ShapeError if the
 * inner sizes differ.
 */
export const matmul: Contraction = declare(
  "matmul",
  (x: Tensor, y: Tensor) => {
    const [a, b] = factors("matmul", x, y);
    if (a.rank === 2 && b.rank === 2) {
      if (a.shape[1] !== b.shape[0]) throw mismatch(a.shape, b.shape);
      return apply(matmulOp, [a, b], matrixProduct);
    }
    return batched(a, b);
  },
  matmulOp,
  (draw) => {
    const [n, k, m] = [draw.integer(1, 4), draw.integer(1, 4), draw.integer(1, 4)];
    const [first, second] = draw.broadcastable(2);
    const batch = draw.coin();
    const left = batch ? [...first!.slice(-2), n, k] : draw.integer(0, 3) === 0 ? [k] : [n, k];
    const right = batch ? [...second!.slice(-2), k, m] : draw.integer(0, 3) === 0 ? [k] : [k, m];
    return [draw.tensor(left), draw.tensor(right)];
  },
);

const matrixProduct = { spec: "ij,jk->ik" };

/** Both operands of a product in one dtype, for the function `name`. */
export function factors(name: string, x: Tensor, y: Tensor): [Tensor, Tensor] {
  const [a, b] = numbers(name, [x, y]) as [Tensor, Tensor];
  if (a.rank === 0 || b.rank === 0)
    throw new ShapeError(
      `${name}: shapes ${formatShape(a.shape)} and ${formatShape(b.shape)}; both need at least one axis, use mul for numbers`,
    );
  return [a, b];
}

/** The operands in one dtype, which is not bool. */
export function numbers(name: string, xs: readonly Tensor[]): Tensor[] {
  const nodes = xs.map((x) => operand(name, x, "float32"));
  const first = nodes[0]?.dtype;
  if (first && isFloat(first) && nodes.every(({ dtype }) => dtype === first)) return nodes;
  const dtype = nodes.map((x) => x.dtype).reduce(promote, "bool");
  refuseBool(name, dtype, "int32 or float32");
  return nodes.map((x) => cast(x, dtype));
}

function mismatch(a: Shape, b: Shape): ShapeError {
  const [inner, other] = [a[a.length - 1], b[Math.max(0, b.length - 2)]];
  return new ShapeError(
    `matmul: inner sizes ${inner} and ${other} differ: shapes ${formatShape(a)} and ${formatShape(b)}; the last axis ` +
      "on the left must be as long as the last but one on the right, perhaps after transpose()",
  );
}

/** One operand has 1 axis or more than 2. Batch axes of size 1 are dropped where the other side has more: no copies. */
function batched(a: Tensor, b: Tensor): Tensor {
  if (a.shape[a.rank - 1] !== b.shape[Math.max(0, b.rank - 2)]) throw mismatch(a.shape, b.shape);
  const batchA = a.shape.slice(0, -2);
  const batchB = b.shape.slice(0, -2);
  const rank = Math.max(batchA.length, batchB.length);
  const kept: { a: number[]; b: number[]; out: number[] } = { a: [], b: [], out: [] };
  const labels = { a: "", b: "", out: "" };
  for (let i = rank; i >= 1; i--) {
    const sizeA = batchA[batchA.length - i] ?? 1;
    const sizeB = batchB[batchB.length - i] ?? 1;
    if (sizeA !== sizeB && sizeA !== 1 && sizeB !== 1)
      throw new ShapeError(
        `matmul: batch shapes ${formatShape(batchA)} and ${formatShape(batchB)} of ${formatShape(a.shape)} and ` +
          `${formatShape(b.shape)} do not broadcast`,
      );
    const size = sizeA === 1 ? sizeB : sizeA;
    const letter = String.fromCharCode("A".charCodeAt(0) + rank - i);
    kept.out.push(size);
    if (size === 1) continue;
    labels.out += letter;
    if (sizeA !== 1) labels.a += letter;
    if (sizeB !== 1) labels.b += letter;
    if (sizeA !== 1) kept.a.push(size);
    if (sizeB !== 1) kept.b.push(size);
  }
  const [row, column] = [a.rank > 1 ? "i" : "", b.rank > 1 ? "k" : ""];
  const spec = `${labels.a}${row}j,${labels.b}j${column}->${labels.out}${row}${column}`;
  const left = reshape(a, [...kept.a, ...a.shape.slice(-2)]);
  const right = reshape(b, [...kept.b, ...b.shape.slice(-2)]);
  const rowSizes = a.rank > 1 ? [a.shape[a.rank - 2]!] : [];
  const columnSizes = b.rank > 1 ? [b.shape[b.rank - 1]!] : [];
  return reshape(apply(matmulOp, [left, right], { spec }), [...kept.out, ...rowSizes, ...columnSizes]);
}
