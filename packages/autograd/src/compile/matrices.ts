import type { TypedArray } from "../dtype.ts";
import { byteSize } from "../dtype.ts";
import type { Tensor } from "../graph.ts";
import { extent, labelOffsets, readLabels } from "../labels.ts";
import { remembered } from "../memo.ts";
import { contractionOrder } from "../order.ts";
import type { Shape } from "../shape.ts";
import { planned } from "../sums.ts";
import { Code } from "./assembler.ts";
import { copyAlong } from "./copies.ts";
import * as i32 from "./i32.ts";
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

type Float = "float32" | "float64";

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
  code.get(left).get(leftBlock).op(i32.add).set(left);
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

/** Computes a contraction, if it is one of matrices of floats and not small. The bits are those of `contract`. */
export function multiplyMatrices(
  workspace: Workspace,
  node: Tensor,
  x: TypedArray,
  y: TypedArray,
  out: TypedArray,
): boolean {
  const { dtype } = node;
  if (dtype !== "float32" && dtype !== "float64") return false;
  const spec = String(node.attributes.spec);
  const { left, right, rows: rowLetters, columns: columnLetters, inner } = readLabels(spec);
  const [shapeX, shapeY] = [node.inputs[0]!.shape, node.inputs[1]!.shape];
  const [m, n] = [extent(rowLetters, left, shapeX), extent(columnLetters, right, shapeY)];
  const count = extent(inner, left, shapeX);
  if (contractionOrder(m, n).lanes > 1 || out.length * count < fewestProducts) return false;
  const places = planned(`matrices ${spec} ${shapeX} ${shapeY}`, m + n + count + out.length / (m * n), () =>
    placesOf(spec, shapeX, shapeY, node.shape),
  );
  const [first, second] = places.isSwapped ? [y, x] : [x, y];
  const product = Product.of(workspace, dtype, places, first, second, out);
  if (product === null) return false;
  const rows = places.x[1].list.length;
  places.x[0].forEach((_, b) => {
    for (let row = 0; row < rows; row += blockRows)
      for (let term = 0; term < count; term += blockTerms) product.add(b, row, term);
  });
  product.release();
  return true;
}

/** A product that is being computed: its operands, the result, and room for parts of them. */
class Product {
  readonly #workspace: Workspace;
  readonly #bytes: 4 | 8;
  readonly #places: Places;
  readonly #x: TypedArray;
  readonly #y: TypedArray;
  readonly #out: TypedArray;
  readonly #atX: number;
  readonly #atY: number;
  readonly #atOut: number;
  readonly #left: TypedArray | null;
  readonly #panel: TypedArray;
  /** One block of the result, where it is not stored at once. */
  readonly #block: TypedArray;
  readonly #run: Run;
  /** The columns of a panel. */
  readonly #width: number;

  /** Null if there is no room. */
  static of(
    workspace: Workspace,
    dtype: Float,
    places: Places,
    x: TypedArray,
    y: TypedArray,
    out: TypedArray,
  ): Product | null {
    const width = panelTerm / byteSize(dtype);
    const [, rows, terms] = places.x;
    const isPacked = !(terms.step === 1 && rows.step !== null) && !(rows.step === 1 && terms.step !== null);
    const left = isPacked ? workspace.take(dtype, blockRows * blockTerms) : null;
    const panel = workspace.take(dtype, blockTerms * width);
    const block = workspace.take(dtype, mostRows * width);
    const [atX, atY] = [isPacked ? 0 : workspace.addressOf(x), workspace.addressOf(y)];
    if (!panel || !block || atX < 0 || atY < 0 || (isPacked && !left)) return null;
    return new Product(workspace, dtype, places, x, y, out, atX, atY, left, panel, block);
  }

  private constructor(
    workspace: Workspace,
    dtype: Float,
    places: Places,
    x: TypedArray,
    y: TypedArray,
    out: TypedArray,
    atX: number,
    atY: number,
    left: TypedArray | null,
    panel: TypedArray,
    block: TypedArray,
  ) {
    this.#workspace = workspace;
    this.#bytes = dtype === "float32" ? 4 : 8;
    this.#places = places;
    this.#x = x;
    this.#y = y;
    this.#out = out;
    this.#atX = atX;
    this.#atY = atY;
    this.#atOut = workspace.has(out) ? out.byteOffset : -1;
    this.#left = left;
    this.#panel = panel;
    this.#block = block;
    this.#width = panelTerm / this.#bytes;
    const termsInARow = left !== null || places.x[2].step === 1;
    this.#run = workspace.run(toolFor(dtype, termsInARow));
  }

  release(): void {
    for (const part of [this.#left, this.#panel, this.#block]) if (part) this.#workspace.give(part);
  }

  /** Adds the products of a block of terms to a block of rows; the first one begins the sums. */
  add(b: number, row: number, term: number): void {
    const bytes = this.#bytes;
    const [batch, rows, terms] = this.#places.x;
    const last = Math.min(row + blockRows, rows.list.length);
    const count = Math.min(blockTerms, terms.list.length - term);
    const columns = this.#places.y[1].list.length;
    const termsInARow = this.#left !== null || terms.step === 1;
    if (this.#left) this.#pack(this.#left, b, row, last, term, count);
    const from = this.#left
      ? this.#left.byteOffset
      : this.#atX + bytes * (batch[b]! + rows.list[row]! + terms.list[term]!);
    const rowStep = this.#left ? blockTerms : rows.step!;
    const leftStep = bytes * (termsInARow ? rowStep : terms.step!);
    const leftAt = (r: number) => from + bytes * (r - row) * rowStep;
    // Sums of one block of terms may be computed twice: then the last rows and columns are whole blocks too.
    const isOnly = count === terms.list.length;
    const whole = last - ((last - row) % mostRows);
    for (let column = 0; column < columns; column += this.#width) {
      const c = isOnly ? Math.max(0, Math.min(column, columns - this.#width)) : column;
      this.#fillPanel(b, c, term, count);
      const multiply = (to: number, toStep: number, r: number, blocks: number, adds: boolean) =>
        this.#run(
          leftAt(r),
          this.#panel.byteOffset,
          to,
          leftStep,
          toStep,
          count,
          Number(adds),
          blocks,
          leftAt(row + mostRows) - from,
        );
      const places = this.#places.out;
      const isDirect =
        this.#atOut >= 0 && places[1].step !== null && places[2].step === 1 && columns - c >= this.#width;
      const outAt = (r: number) => this.#atOut + bytes * (places[0][b]! + places[1].list[r]! + c);
      const outStep = bytes * (places[1].step ?? 0);
      let done = row;
      if (isDirect && whole > row) {
        multiply(outAt(row), outStep, row, (whole - row) / mostRows, term > 0);
        if (isOnly && last > whole) multiply(outAt(last - mostRows), outStep, last - mostRows, 1, false);
        done = isOnly ? last : whole;
      }
      for (let r = done; r < last; r += mostRows) {
        multiply(this.#block.byteOffset, panelTerm, r, 1, false);
        this.#store(b, r, c, term > 0);
      }
    }
  }

  /** Stores the block of the result that begins at this row and column, as much of it as there is. */
  #store(b: number, row: number, column: number, adds: boolean): void {
    const [batch, rows, columns] = this.#places.out;
    const [rowCount, columnCount] = [rows.list.length - row, columns.list.length - column];
    const block = this.#block;
    const out = this.#out;
    const width = this.#width;
    for (let r = 0; r < mostRows && r < rowCount; r++) {
      const at = batch[b]! + rows.list[row + r]!;
      for (let j = 0; j < width && j < columnCount; j++) {
        const place = at + columns.list[column + j]!;
        out[place] = adds ? out[place]! + block[r * width + j]! : block[r * width + j]!;
      }
    }
  }

  /** Copies rows of the left operand, whose elements lie in no order that the microkernel knows. */
  #pack(to: TypedArray, b: number, row: number, last: number, term: number, count: number): void {
    const [batch, rows, terms] = this.#places.x;
    const x = this.#x;
    for (let r = row; r < last; r++) {
      const start = batch[b]! + rows.list[r]!;
      for (let i = 0, at = (r - row) * blockTerms; i < count; i++, at++)
        to[at] = x[start + terms.list[term + i]!]!;
    }
  }

  /** Copies columns of the right operand. Behind the last one lies what was there before: nobody reads what becomes of it. */
  #fillPanel(b: number, column: number, term: number, count: number): void {
    const bytes = this.#bytes;
    const width = this.#width;
    const [batch, columns, terms] = this.#places.y;
    const size = Math.min(width, columns.list.length - column);
    const start = batch[b]! + columns.list[column]! + terms.list[term]!;
    if (columns.step !== null && terms.step !== null) {
      copyAlong(this.#workspace, bytes, this.#atY + bytes * start, this.#panel.byteOffset, [
        { size: count, from: bytes * terms.step, to: panelTerm },
        { size, from: bytes * columns.step, to: bytes },
      ]);
      return;
    }
    const [panel, y] = [this.#panel, this.#y];
    for (let i = 0; i < count; i++) {
      const from = batch[b]! + terms.list[term + i]!;
      for (let j = 0; j < size; j++) panel[i * width + j] = y[from + columns.list[column + j]!]!;
    }
  }
}
