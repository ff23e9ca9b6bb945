import { byteSize, isFloat } from "../dtype.ts";
import type { Op, Tensor } from "../graph.ts";
import { apply } from "../graph.ts";
import { extent, readLabels } from "../labels.ts";
import { pad } from "../ops/border.ts";
import { permute, reshape } from "../ops/movement.ts";
import { contractionOrder } from "../order.ts";
import { panelTerm } from "./microkernel.ts";

/**
 * Prepares products of matrices for the micro-kernel: the operand whose columns the result has side by side is laid out in
 * panels, `[.., panel, k, column of the panel]`, the last one filled up with zeros. Panels are ordinary views that get
 * elements of their own, so that equal ones become one, and what they are made of may merge into the copying.
 */

/** Multiplications below which nothing is gained. */
const fewest = 2048;

/** A product by panels: operands x and panels; see `Product`. */
export const tiledOp: Op = {
  name: "matmul",
  kernel: { kind: "contract" },
  derivatives: [],
  shape: (_, { shape }) => shape as readonly number[],
  dtype: ([x]) => x!.dtype,
};

/** The letters of a tiled product: those of x and of the result, and what the loops over them do. */
export interface Product {
  readonly left: string;
  readonly out: string;
  /** Whole products: the axes of the panels before the last three. */
  readonly outer: string;
  /** One product, and its terms. */
  readonly rows: string;
  readonly columns: string;
  readonly inner: string;
}

/** A large product by panels; any other node as it is. */
export function tile(node: Tensor): Tensor {
  if (node.op.kernel.kind !== "contract" || node.op === tiledOp) return node;
  const labels = readLabels(String(node.attributes.spec));
  const { out, inner, batch } = labels;
  const last = out[out.length - 1] ?? "";
  const swapped = labels.rows.includes(last);
  const [x, y] = swapped ? [node.inputs[1]!, node.inputs[0]!] : [node.inputs[0]!, node.inputs[1]!];
  const [left, right] = swapped ? [labels.right, labels.left] : [labels.left, labels.right];
  const [rows, columns] = swapped ? [labels.columns, labels.rows] : [labels.rows, labels.columns];
  if (!isFloat(node.dtype) || last === "" || !columns.includes(last)) return node;
  const trailing = /[^ ]*$/.exec([...out].map((c) => (columns.includes(c) ? c : " ")).join(""))![0];
  const apart = [...columns].filter((c) => !trailing.includes(c)).join("");
  const [n, k] = [extent(trailing, right, y.shape), extent(inner, right, y.shape)];
  const [m, all] = [extent(rows, left, x.shape), extent(columns, right, y.shape)];
  if (contractionOrder(m, all).lanes > 1 || n < 4 || k < 2 || m * n * k < fewest) return node;
  const outer = batch + apart;
  const width = panelTerm / byteSize(y.dtype);
  const wide = Math.ceil(n / width) * width;
  const outerSizes = [...outer].map((c) => y.shape[right.indexOf(c)]!);
  const ordered = permute(
    y,
    [...(outer + inner + trailing)].map((c) => right.indexOf(c)),
  );
  const flat = reshape(ordered, [...outerSizes, k, n]);
  const padded =
    wide === n ? flat : pad(flat, [...outerSizes.map(() => [0, 0] as const), [0, 0], [0, wide - n]]);
  const cut = reshape(padded, [...outerSizes, k, wide / width, width]);
  const axis = outerSizes.length;
  const panels = permute(cut, [...outerSizes.map((_, i) => i), axis + 1, axis, axis + 2]);
  // The letters of the terms stand together, so that the loops over them can be one.
  const together = left.includes(inner) ? left : batch + rows + inner;
  const lying =
    together === left
      ? x
      : permute(
          x,
          [...together].map((c) => left.indexOf(c)),
        );
  const product: Product = { left: together, out, outer, rows, columns: trailing, inner };
  return apply(tiledOp, [lying, panels], { ...product, shape: node.shape });
}

/** The letters of a tiled node. */
export function productOf({ attributes }: Tensor): Product {
  const text = (name: keyof Product) => String(attributes[name]);
  return {
    left: text("left"),
    out: text("out"),
    outer: text("outer"),
    rows: text("rows"),
    columns: text("columns"),
    inner: text("inner"),
  };
}

/** Columns of one panel of this node. */
export function panelWidth({ dtype }: Tensor): number {
  return panelTerm / byteSize(dtype);
}
