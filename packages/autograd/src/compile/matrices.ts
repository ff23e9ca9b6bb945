import type { TypedArray } from "../dtype.ts";
import { byteSize } from "../dtype.ts";
import type { Tensor } from "../graph.ts";
import { extent, labelOffsets, readLabels } from "../labels.ts";
import { remembered } from "../memo.ts";
import { contractionOrder } from "../order.ts";
import type { Shape } from "../shape.ts";
import { planned } from "../sums.ts";
import { Code } from "../wasm/assembler.ts";
import * as i32 from "../wasm/i32.ts";
import { copyAlong } from "./copies.ts";
import { microkernel, mostRows, panelTerm } from "./microkernel.ts";
import type { Run, Tool, Workspace } from "./workspace.ts";
import { newTool } from "./workspace.ts";

/**
 * Products of matrices of any size, for graphs that are interpreted: the microkernel is a module by itself. The left operand is read where it
 * lies, if its rows or its terms lie side by side; the columns of the right one are copied to panels.
 */

/** Terms of a block: one sequence of the order of sums. */
const blockTerms = contractionOrder(2, 2).steps;
/** Rows for which a panel is used before the next one. */
const blockRows = 256;

export type Float = "float32" | "float64";

const tools = new Map<string, Tool>();

/** The microkernel for left operands whose terms lie side by side, or whose rows do. */
function toolFor(dtype: Float, termsInARow: boolean): Tool {
  const bytes = byteSize(dtype);
  const form = {
    width: dtype === "float32" ? 4 : 2,
    rows: mostRows,
    columns: panelTerm / bytes,
    leftTerm: termsInARow ? bytes : null,
    listed: false,
  } as const;
  return remembered(tools, `${dtype} ${termsInARow}`, () =>
    newTool([microkernel(form, false).titled("block"), blocksBelow()]),
  );
}

/** Calls function 0 with the first seven parameters for so many blocks below each other, whose left operands are `leftBlock` bytes apart. */
function blocksBelow(): Code {
  const code = new Code(new Array<"i32">(9).fill("i32"));
  const [left, out, outRow, blocks, leftBlock] = [0, 2, 4, 7, 8] as const;
  code.loop();
  for (let i = 0; i < 7; i++) code.get(i);
  code.call(0);
  code.advance(left, { local: leftBlock });
  code.get(out).get(outRow).i32(mostRows).op(i32.mul).op(i32.add).set(out);
  return code.get(blocks).i32(1).op(i32.sub).tee(blocks).branchIf(0).end().titled("blocks below each other");
}

/** Fewer products are summed faster where they lie. */
const fewestProducts = 4096;

/** Where elements lie, counted from the first; `step` is the way from one to the next, or null if it differs. */
interface Offsets {
  readonly list: Int32Array;
  readonly step: number | null;
}

function offsetsOf(list: Int32Array): Offsets {
  const step = list.length > 1 ? list[1]! : 1;
  return { list, step: list.every((at, i) => at === i * step) ? step : null };
}

/** Of both operands and of the result, by batch entry, row, column and term; the operands may have changed sides. */
interface Places {
  readonly isSwapped: boolean;
  readonly x: readonly [batch: Int32Array, rows: Offsets, terms: Offsets];
  readonly y: readonly [batch: Int32Array, columns: Offsets, terms: Offsets];
  readonly out: readonly [batch: Int32Array, rows: Offsets, columns: Offsets];
}

function placesOf(spec: string, shapeX: Shape, shapeY: Shape, shapeOut: Shape): Places {
  const { left, right, out, batch, rows, columns, inner } = readLabels(spec);
  const inX = (letters: string) => labelOffsets(letters, left, shapeX, right, shapeY);
  const inY = (letters: string) => labelOffsets(letters, right, shapeY, left, shapeX);
  const inOut = (letters: string) => labelOffsets(letters, out, shapeOut, "", []);
  const x = [inX(batch), offsetsOf(inX(rows)), offsetsOf(inX(inner))] as const;
  const y = [inY(batch), offsetsOf(inY(columns)), offsetsOf(inY(inner))] as const;
  const [inRows, inColumns] = [offsetsOf(inOut(rows)), offsetsOf(inOut(columns))];
  // The columns of the result are to lie side by side: else the product of both transposed is computed, with the same sums.
  const isSwapped = inColumns.step !== 1 && inRows.step === 1;
  return isSwapped
    ? { isSwapped, x: y, y: x, out: [inOut(batch), inColumns, inRows] }
    : { isSwapped, x, y, out: [inOut(batch), inRows, inColumns] };
}

/** A contraction that a module is faster at than the kernels: one of floats, and not small. */
export interface LargeProduct {
  readonly dtype: Float;
  /** Terms of a sum. */
  readonly count: number;
  /** Is one side a single row or column? Then a sum has lanes. */
  readonly isOfRow: boolean;
  readonly places: Places;
}

export function largeProductOf({ inputs, attributes, dtype, shape, size }: Tensor): LargeProduct | null {
  if (dtype !== "float32" && dtype !== "float64") return null;
  const spec = String(attributes.spec);
  const { left, right, rows, columns, inner } = readLabels(spec);
  const [shapeX, shapeY] = [inputs[0]!.shape, inputs[1]!.shape];
  const [m, n] = [extent(rows, left, shapeX), extent(columns, right, shapeY)];
  const count = extent(inner, left, shapeX);
  if (size * count < fewestProducts) return null;
  const places = planned(`matrices ${spec} ${shapeX} ${shapeY}`, m + n + count + size / (m * n), () =>
    placesOf(spec, shapeX, shapeY, shape),
  );
  return { dtype, count, isOfRow: contractionOrder(m, n).lanes > 1, places };
}

/** Computes a product of matrices; false if there is no room. The bits are those of `contract`. */
export function multiplyMatrices(
  workspace: Workspace,
  { dtype, count, places }: LargeProduct,
  x: TypedArray,
  y: TypedArray,
  out: TypedArray,
): boolean {
  const [first, second] = places.isSwapped ? [y, x] : [x, y];
  const product = begin(workspace, dtype, places, first, second, out);
  if (product === null) return false;
  const rows = places.x[1].list.length;
  for (let b = 0; b < places.x[0].length; b++)
    for (let row = 0; row < rows; row += blockRows)
      for (let term = 0; term < count; term += blockTerms) addTerms(product, b, row, term);
  for (const part of [product.left, product.panel, product.block]) if (part) workspace.give(part);
  return true;
}

/** A product that is being computed: its operands, the result, and room for parts of them. */
interface Product {
  readonly workspace: Workspace;
  readonly bytes: 4 | 8;
  readonly places: Places;
  readonly x: TypedArray;
  readonly y: TypedArray;
  readonly out: TypedArray;
  readonly atX: number;
  readonly atY: number;
  /** -1 where the result does not lie in the workspace. */
  readonly atOut: number;
  /** Rows of the left operand, where the microkernel cannot read them where they lie. */
  readonly left: TypedArray | null;
  readonly panel: TypedArray;
  /** Columns of a panel. */
  readonly width: number;
  /** Four rows of the result, where they are not stored at once. */
  readonly block: TypedArray;
  readonly run: Run;
}

/** Null if there is no room. */
function begin(
  workspace: Workspace,
  dtype: Float,
  places: Places,
  x: TypedArray,
  y: TypedArray,
  out: TypedArray,
): Product | null {
  const bytes = dtype === "float32" ? 4 : 8;
  const width = panelTerm / bytes;
  const [, rows, terms] = places.x;
  const isReadable = (terms.step === 1 && rows.step !== null) || (rows.step === 1 && terms.step !== null);
  const left = isReadable ? null : workspace.take(dtype, blockRows * blockTerms);
  const panel = workspace.take(dtype, blockTerms * width);
  const block = workspace.take(dtype, mostRows * width);
  const [atX, atY] = [left ? 0 : workspace.addressOf(x), workspace.addressOf(y)];
  if (!panel || !block || atX < 0 || atY < 0 || !(isReadable || left)) return null;
  const run = workspace.run(toolFor(dtype, left !== null || terms.step === 1));
  const atOut = workspace.has(out) ? out.byteOffset : -1;
  return { workspace, bytes, places, x, y, out, atX, atY, atOut, left, panel, width, block, run };
}

/** Adds the products of a block of terms to a block of rows; the first one begins the sums. */
function addTerms(product: Product, b: number, row: number, term: number): void {
  const { bytes, places, left, panel, width, block, atOut } = product;
  const [batch, rows, terms] = places.x;
  const [batchOut, rowsOut, columnsOut] = places.out;
  const last = Math.min(row + blockRows, rows.list.length);
  const count = Math.min(blockTerms, terms.list.length - term);
  const columns = columnsOut.list.length;
  if (left) pack(product, left, b, row, last, term, count);
  const from = left
    ? left.byteOffset
    : product.atX + bytes * (batch[b]! + rows.list[row]! + terms.list[term]!);
  const rowStep = bytes * (left ? blockTerms : rows.step!);
  const leftStep = left || terms.step === 1 ? rowStep : bytes * terms.step!;
  const multiply = (r: number, blocks: number, to: number, toStep: number, adds: boolean) =>
    product.run(
      from + (r - row) * rowStep,
      panel.byteOffset,
      to,
      leftStep,
      toStep,
      count,
      Number(adds),
      blocks,
      mostRows * rowStep,
    );
  // Sums of one block of terms may be computed twice: then the last rows and columns are whole blocks too.
  const isOnly = count === terms.list.length;
  const whole = last - ((last - row) % mostRows);
  for (let next = 0; next < columns; next += width) {
    const column = isOnly ? Math.max(0, Math.min(next, columns - width)) : next;
    fillPanel(product, b, column, term, count);
    let done = row;
    if (
      atOut >= 0 &&
      rowsOut.step !== null &&
      columnsOut.step === 1 &&
      columns - column >= width &&
      whole > row
    ) {
      const to = (r: number) => atOut + bytes * (batchOut[b]! + rowsOut.list[r]! + column);
      multiply(row, (whole - row) / mostRows, to(row), bytes * rowsOut.step, term > 0);
      if (isOnly && last > whole)
        multiply(last - mostRows, 1, to(last - mostRows), bytes * rowsOut.step, false);
      done = isOnly ? last : whole;
    }
    for (let r = done; r < last; r += mostRows) {
      multiply(r, 1, block.byteOffset, panelTerm, false);
      store(product, b, r, column, term > 0);
    }
  }
}

/** Stores the block of the result that begins at this row and column, as much of it as there is. */
function store(
  { places, out, width, block }: Product,
  b: number,
  row: number,
  column: number,
  adds: boolean,
): void {
  const [batch, rows, columns] = places.out;
  for (let r = 0; r < mostRows && row + r < rows.list.length; r++) {
    const at = batch[b]! + rows.list[row + r]!;
    for (let j = 0; j < width && column + j < columns.list.length; j++) {
      const place = at + columns.list[column + j]!;
      out[place] = adds ? out[place]! + block[r * width + j]! : block[r * width + j]!;
    }
  }
}

/** Copies rows of the left operand. */
function pack(
  { places, x }: Product,
  to: TypedArray,
  b: number,
  row: number,
  last: number,
  term: number,
  count: number,
): void {
  const [batch, rows, terms] = places.x;
  for (let r = row; r < last; r++) {
    const start = batch[b]! + rows.list[r]!;
    for (let i = 0, at = (r - row) * blockTerms; i < count; i++, at++)
      to[at] = x[start + terms.list[term + i]!]!;
  }
}

/** Copies columns of the right operand. Behind the last one lies what was there before: nobody reads what becomes of it. */
function fillPanel(product: Product, b: number, column: number, term: number, count: number): void {
  const { workspace, bytes, places, y, atY, panel, width } = product;
  const [batch, columns, terms] = places.y;
  const size = Math.min(width, columns.list.length - column);
  if (columns.step !== null && terms.step !== null) {
    const start = batch[b]! + columns.list[column]! + terms.list[term]!;
    copyAlong(workspace, bytes, atY + bytes * start, panel.byteOffset, [
      { size: count, from: bytes * terms.step, to: panelTerm },
      { size, from: bytes * columns.step, to: bytes },
    ]);
    return;
  }
  for (let i = 0; i < count; i++) {
    const from = batch[b]! + terms.list[term + i]!;
    for (let j = 0; j < size; j++) panel[i * width + j] = y[from + columns.list[column + j]!]!;
  }
}
