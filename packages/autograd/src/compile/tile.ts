import { byteSize, isFloat } from "../dtype.ts";
import type { Op, Tensor } from "../graph.ts";
import { apply } from "../graph.ts";
import type { Labels } from "../labels.ts";
import { extent, readLabels } from "../labels.ts";
import { pad } from "../ops/border.ts";
import { permute, reshape } from "../ops/movement.ts";
import { contractionOrder } from "../order.ts";
import { cut } from "./cut.ts";
import { panelTerm } from "./microkernel.ts";
import type { Places } from "./strided.ts";
import { isRepeated, placesOf, strided, widened } from "./strided.ts";

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

/** A contraction whose right operand has the last letter of the result. */
interface Turned extends Labels {
  readonly x: Tensor;
  readonly y: Tensor;
}

/** The contractions that tiled nodes stand for. */
const whole = new WeakMap<Tensor, Tensor>();

/** A large product by panels, or the part of one that is needed; any other node as it is. */
export function tile(node: Tensor): Tensor {
  const { kind } = node.op.kernel;
  if (kind === "view") {
    const [x] = node.inputs as readonly [Tensor];
    const made = x.op.kernel.kind === "contract" && x.op !== tiledOp ? x : whole.get(x);
    return (made && cut(node, made)) ?? node;
  }
  if (kind !== "contract" || node.op === tiledOp || !isFloat(node.dtype)) return node;
  const tiled = tiledNode(node);
  if (tiled === null) return node;
  whole.set(tiled, node);
  return tiled;
}

function tiledNode(node: Tensor): Tensor | null {
  const turned = turn(node);
  if (turned === null) return null;
  const { x, y, left, right, out, rows, columns } = turned;
  if (contractionOrder(extent(rows, left, x.shape), extent(columns, right, y.shape)).lanes > 1) return null;
  const most = panelWidth(node) - 1;
  if (evenColumns(turned).size < most && columnsBehind(turned).length > 1) {
    // The columns do not lie evenly. If the rows do, the result is made with its axes exchanged.
    const other = exchanged(turned);
    if (evenColumns(other).size >= most) {
      const tiled = tiledOf(other);
      const order = [...out].map((c) => other.out.indexOf(c));
      if (tiled) return permute(tiled, order);
    }
  }
  return tiledOf(turned);
}

function turn({ inputs, attributes }: Tensor): Turned | null {
  const labels = readLabels(String(attributes.spec));
  const [x, y] = inputs as readonly [Tensor, Tensor];
  const last = labels.out[labels.out.length - 1] ?? "";
  if (labels.columns.includes(last)) return { ...labels, x, y };
  const { left, right, rows, columns } = labels;
  if (!rows.includes(last)) return null;
  return { ...labels, x: y, y: x, left: right, right: left, rows: columns, columns: rows };
}

/** Rows as columns and columns as rows. */
function exchanged({ x, y, left, right, batch, rows, columns, inner }: Turned): Turned {
  const out = batch + columns + rows;
  return { x: y, y: x, left: right, right: left, out, batch, rows: columns, columns: rows, inner };
}

/** The columns that the result has side by side. */
function columnsBehind({ out, columns }: Turned): string {
  let first = out.length;
  while (first > 0 && columns.includes(out[first - 1]!)) first--;
  return out.slice(first);
}

/** Those of them through which the right operand is walked in even steps, and how many columns they count. */
function evenColumns(turned: Turned): { letters: string; size: number } {
  const { right, y } = turned;
  const all = columnsBehind(turned);
  const { steps } = placesOf(y);
  const count = lengthOfRun(
    [...all].map((c) => ({ size: y.shape[right.indexOf(c)]!, step: steps[right.indexOf(c)]! })),
  );
  const letters = all.slice(all.length - count);
  return { letters, size: extent(letters, right, y.shape) };
}

interface Loop {
  readonly size: number;
  readonly step: number;
}

/** How many loops, counted from the last, are like one. */
function lengthOfRun(loops: readonly Loop[]): number {
  let count = 0;
  let size = 1;
  let step: number | null = null;
  for (let i = loops.length - 1; i >= 0; i--, count++) {
    const loop = loops[i]!;
    if (loop.size === 1) continue;
    if (step !== null && loop.step !== step * size) return count;
    step ??= loop.step;
    size *= loop.size;
  }
  return count;
}

function tiledOf(turned: Turned): Tensor | null {
  const { x, y, left, right, out, batch, rows, inner } = turned;
  const packed = packedInPlace(turned) ?? packedInSteps(turned);
  const { panels, columns, outer } = packed;
  const [m, n, k] = [
    extent(rows, left, x.shape),
    extent(columns, right, y.shape),
    extent(inner, right, y.shape),
  ];
  if (n < 4 || k < 2 || m * n * k < fewest) return null;
  // The letters of the terms stand together, so that the loops over them can be one.
  const together = left.includes(inner) ? left : batch + rows + inner;
  const product: Product = { left: together, out, outer, rows, columns, inner };
  const shape = [...out].map((c) =>
    left.includes(c) ? x.shape[left.indexOf(c)]! : y.shape[right.indexOf(c)]!,
  );
  return apply(tiledOp, [ordered(x, left, together), panels()], { ...product, shape });
}

/** Axes of `x`, labelled `from`, in the order of `to`; what is read at several places straight from where it lies. */
function ordered(x: Tensor, from: string, to: string): Tensor {
  if (from === to) return x;
  const order = [...to].map((c) => from.indexOf(c));
  const places = placesOf(x);
  if (!isRepeated(x, places)) return permute(x, order);
  return strided(
    places,
    order.map((axis) => ({ size: x.shape[axis]!, step: places.steps[axis]! })),
  );
}

interface Packed {
  /** Makes the panels. */
  panels(): Tensor;
  readonly columns: string;
  readonly outer: string;
}

/**
 * Panels as one view of what has elements: for operands whose elements are read at several places, such as windows, and those
 * whose terms do not lie evenly. Null if a panel cannot be walked through in even steps.
 */
function packedInPlace(turned: Turned): Packed | null {
  const { y, right, batch, columns: all, inner } = turned;
  const { letters, size } = evenColumns(turned);
  const width = panelWidth(y);
  const found = placesOf(y);
  const axisOf = (c: string) => right.indexOf(c);
  const loopsOf = (of: string, { steps }: Places): Loop[] =>
    [...of].map((c) => ({ size: y.shape[axisOf(c)]!, step: steps[axisOf(c)]! }));
  const more = Math.ceil(size / width) * width - size;
  const isEven = lengthOfRun(loopsOf(inner, found)) === inner.length;
  if (size < width - 1 || !(isRepeated(y, found) || (!isEven && more === 0))) return null;
  if (more > 0 && [...letters].filter((c) => y.shape[axisOf(c)]! > 1).length > 1) return null;
  const last = letters[letters.length - 1]!;
  const places = widened(found, axisOf(last), more);
  if (places === null) return null;
  const outer = batch + [...all].filter((c) => !letters.includes(c)).join("");
  const step = places.steps[axisOf(last)]!;
  return {
    outer,
    columns: letters,
    panels: () =>
      strided(places, [
        ...loopsOf(outer, places),
        { size: (size + more) / width, step: width * step },
        ...loopsOf(inner, places),
        { size: width, step },
      ]),
  };
}

/** Panels by views that the engine puts together: a matrix with zeros up to a whole panel, cut. */
function packedInSteps(turned: Turned): Packed {
  const { y, right, batch, columns: all, inner } = turned;
  const columns = columnsBehind(turned);
  const outer = batch + [...all].filter((c) => !columns.includes(c)).join("");
  const [n, k] = [extent(columns, right, y.shape), extent(inner, right, y.shape)];
  const width = panelWidth(y);
  const wide = Math.ceil(n / width) * width;
  const outerSizes = [...outer].map((c) => y.shape[right.indexOf(c)]!);
  const axis = outerSizes.length;
  const panels = () => {
    const matrices = permute(
      y,
      [...(outer + inner + columns)].map((c) => right.indexOf(c)),
    );
    const flat = reshape(matrices, [...outerSizes, k, n]);
    const padded =
      wide === n ? flat : pad(flat, [...outerSizes.map(() => [0, 0] as const), [0, 0], [0, wide - n]]);
    const cut = reshape(padded, [...outerSizes, k, wide / width, width]);
    return permute(cut, [...outerSizes.map((_, i) => i), axis + 1, axis, axis + 2]);
  };
  return { outer, columns, panels };
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
