import { isFloat } from "../dtype.ts";
import type { Attributes, Op, Tensor } from "../graph.ts";
import { apply, elementsOf } from "../graph.ts";
import { extent, readLabels } from "../labels.ts";
import { einsumOp } from "../ops/contraction.ts";
import { permute } from "../ops/movement.ts";
import { contractionOrder } from "../order.ts";
import { cut, inside } from "./cut.ts";
import type { Laid, Turned } from "./panels.ts";
import { columnsBehind, evenColumns, inPlace, packed, packedAtOnce, panelWidth } from "./panels.ts";
import { isRepeated, placesOf, strided, stridedOp } from "./strided.ts";

/** Prepares products of matrices for the micro-kernel: which operand has the columns, and where they lie (`panels.ts`). */

/** With fewer multiplications the micro-kernel gains nothing. */
const fewest = 2048;

/** With fewer columns the micro-kernel would do more loading than arithmetic. */
const fewestColumns = 4;

/** With fewer terms it costs more to put the rows into panels than it gains. */
const fewestTerms = 16;

/** A product for the micro-kernel: its operands are the left one, and what `Laid` says of the right one. */
export const tiledOp: Op = {
  name: "matmul",
  kernel: { kind: "contract" },
  derivatives: [],
  shape: (_, { shape }) => shape as readonly number[],
  dtype: ([x]) => x!.dtype,
};

/** How the axes of a tiled product go together: by letters, as in a spec. */
export interface Product extends Omit<Laid, "operands"> {
  /** The letters of the left operand, and of the result. */
  readonly left: string;
  readonly out: string;
  /** Those that count the rows of one product of matrices, and its terms. */
  readonly rows: string;
  readonly inner: string;
}

/** If elements are read at least so often, the border around them is put into memory first. */
const fewestReads = 1.5;

/** The contraction that each tiled node stands for. */
const whole = new WeakMap<Tensor, Tensor>();

/**
 * The rewriting for `simplify`: a large product becomes one for the micro-kernel, a slice that is the only reader of a product becomes a
 * product of slices, and a slice of a concatenation or of a border one of the part that it lies in. Other nodes stay as they are.
 */
export function tile(node: Tensor, readsAlone: boolean): Tensor {
  const { kind } = node.op.kernel;
  if (kind === "view") {
    const [x] = node.inputs as readonly [Tensor];
    const made = whole.get(x) ?? (x.op.kernel.kind === "contract" && x.op !== tiledOp ? x : null);
    return (made && readsAlone ? cut(node, made) : inside(node)) ?? node;
  }
  if (kind !== "contract" || node.op === tiledOp || !isFloat(node.dtype)) return node;
  // An upper bound of the multiplications: each element of one operand meets each of the other once at the most.
  if (node.inputs.reduce((pairs, { size }) => pairs * size, 1) < fewest) return node;
  const made = tiledNode(node) ?? borderedOnce(node);
  if (made !== node) whole.set(made, node);
  return made;
}

/** The contraction with the borders of its operands in memory, if each window would ask again at every term whether it is inside. */
function borderedOnce(node: Tensor): Tensor {
  const operands = node.inputs.map((x) => {
    if (x.op === stridedOp || !isSpread(x)) return x;
    const places = placesOf(x);
    const hasBorder = places.source.op.kernel.kind === "view" && elementsOf(places.source) === null;
    if (!hasBorder || x.size < fewestReads * places.source.size) return x;
    return strided(
      places,
      x.shape.map((size, axis) => ({ size, step: places.steps[axis]! })),
    );
  });
  return operands.every((x, i) => x === node.inputs[i]) ? node : apply(einsumOp, operands, node.attributes);
}

function tiledNode(node: Tensor): Tensor | null {
  const turned = turn(node);
  if (turned === null) return null;
  const { x, y, left, right, out, rows, columns } = turned;
  if (contractionOrder(extent(rows, left, x.shape), extent(columns, right, y.shape)).lanes > 1) return null;
  for (const form of formsOf(turned, panelWidth(node))) {
    const tiled = tiledOf(form);
    if (tiled)
      return permute(
        tiled,
        [...out].map((c) => form.out.indexOf(c)),
      );
  }
  return null;
}

/** Products with the same result, but for the order of its axes: the best one first. */
function formsOf(turned: Turned, width: number): Turned[] {
  const { y, right, columns, inner } = turned;
  const other = exchanged(turned);
  const together = exchanged(other);
  const beside = columnsBehind(turned);
  const count = extent(beside, right, y.shape);
  const all = extent(columns, right, y.shape);
  // The columns do not lie evenly in the operand, but the rows do.
  const isUneven = beside.length > 1 && evenColumns(turned).size < width - 1;
  if (isUneven && evenColumns(other).size >= width - 1) return [other, turned];
  // Few columns lie side by side in the result: all of them shall, or if there are not more, the rows.
  if (count < width && all >= 2 * width) return [together, turned];
  if (count >= fewestColumns) return [turned, together];
  return extent(inner, right, y.shape) < fewestTerms ? [] : [other];
}

function turn({ inputs, attributes }: Tensor): Turned | null {
  const labels = readLabels(String(attributes.spec));
  const [x, y] = inputs as readonly [Tensor, Tensor];
  const last = labels.out[labels.out.length - 1] ?? "";
  const turned = { x, y, ...labels };
  if (labels.columns.includes(last)) return turned;
  return labels.rows.includes(last) ? { ...exchanged(turned), out: labels.out } : null;
}

/** Rows as columns and columns as rows. */
function exchanged({ x, y, left, right, batch, rows, columns, inner }: Turned): Turned {
  const out = batch + columns + rows;
  return { x: y, y: x, left: right, right: left, out, batch, rows: columns, columns: rows, inner };
}

function tiledOf(turned: Turned): Tensor | null {
  const { x, y, left, right, out, batch, rows, inner } = turned;
  const [m, k] = [extent(rows, left, x.shape), extent(inner, right, y.shape)];
  const most = extent(columnsBehind(turned), right, y.shape);
  if (most < fewestColumns || k < 2 || m * most * k < fewest) return null;
  const { operands, ...laid } = laidOut(turned);
  // The letters of the terms stand together, so that the loops over them can be one.
  const together = left.includes(inner) ? left : batch + rows + inner;
  const shape = [...out].map((c) =>
    left.includes(c) ? x.shape[left.indexOf(c)]! : y.shape[right.indexOf(c)]!,
  );
  const product: Product & Attributes = { left: together, out, rows, inner, shape, ...laid };
  return apply(tiledOp, [ordered(x, left, together), ...operands], product);
}

/** Where the right operand lies, or is to lie. */
function laidOut(turned: Turned): Laid {
  const { y, columns, inner } = turned;
  // One axis of columns and one of terms, and no element read twice: panels, as nearly always.
  if (columns.length === 1 && inner.length === 1 && !isSpread(y)) return packed(turned);
  const places = placesOf(y);
  return inPlace(turned, places) ?? packedAtOnce(turned, places) ?? packed(turned);
}

/** Is it a view, or one of a view, that has more elements than what it is a view of? */
function isSpread(x: Tensor): boolean {
  let [view, source] = [x, x.inputs[0]];
  while (source && view.op.kernel.kind === "view" && !elementsOf(view)) {
    if (view.size > source.size) return true;
    [view, source] = [source, source.inputs[0]];
  }
  return false;
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

/** What a tiled node was made with. */
export function productOf({ attributes }: Tensor): Product {
  return attributes as Attributes & Product;
}
