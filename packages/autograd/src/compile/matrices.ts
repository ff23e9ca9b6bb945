import type { TypedArray } from "../dtype.ts";
import type { Tensor } from "../graph.ts";
import { extent, labelOffsets, readLabels } from "../labels.ts";
import { contractionOrder } from "../order.ts";
import type { Shape } from "../shape.ts";
import { planned } from "../sums.ts";
import { assemble } from "./assembler.ts";
import { microkernel, mostRows, panelTerm } from "./microkernel.ts";

/**
 * Products of matrices of any size, for graphs that are interpreted: one module for each dtype, made when it is first needed. Blocks of the
 * operands are copied to where its microkernel wants them, so it knows no shapes.
 */

/** Rows, columns and terms of a block. One block of terms is a sequence of the order of sums. */
const blockRows = 256;
const blockColumns = 512;
const blockTerms = contractionOrder(2, 2).steps;

/** A block of the microkernel and where it finds the operands: all of it lies in one memory. */
interface Machine {
  readonly left: TypedArray;
  readonly panel: TypedArray;
  readonly out: TypedArray;
  /** The columns of a panel. */
  readonly columns: number;
  /** Multiplies four rows from `row` on with the panel of the columns from `column` on, over so many terms. */
  multiply(row: number, column: number, terms: number, adds: boolean): void;
}

const machines = new Map<string, Machine | null>();

function machineFor(dtype: "float32" | "float64"): Machine | null {
  const known = machines.get(dtype);
  if (known !== undefined) return known;
  const made = newMachine(dtype);
  machines.set(dtype, made);
  return made;
}

/** Null where WebAssembly, or memory, is refused. */
function newMachine(dtype: "float32" | "float64"): Machine | null {
  const width = dtype === "float32" ? 4 : 2;
  const bytes = 16 / width;
  const columns = panelTerm / bytes;
  const form = { width, rows: mostRows, columns, leftTerm: bytes, listed: false } as const;
  const panelAt = blockRows * blockTerms * bytes;
  const outAt = panelAt + blockTerms * panelTerm;
  const size = outAt + blockRows * blockColumns * bytes;
  try {
    const module = new WebAssembly.Module(assemble([microkernel(form, false)], Math.ceil(size / 65_536)));
    const { memory, run } = new WebAssembly.Instance(module).exports as {
      memory: WebAssembly.Memory;
      run: (...numbers: number[]) => void;
    };
    const View = dtype === "float32" ? Float32Array : Float64Array;
    return {
      left: new View(memory.buffer, 0, blockRows * blockTerms),
      panel: new View(memory.buffer, panelAt, blockTerms * columns),
      out: new View(memory.buffer, outAt, blockRows * blockColumns),
      columns,
      multiply: (row, column, terms, adds) => {
        const outStep = blockColumns * bytes;
        const out = outAt + row * outStep + column * bytes;
        run(row * blockTerms * bytes, panelAt, out, blockTerms * bytes, outStep, terms, Number(adds), 0);
      },
    };
  } catch {
    return null;
  }
}

/** Fewer products are summed faster where they lie. */
const fewestProducts = 4096;

/** Where the elements of both operands and of the result lie, by batch entry, row, column and term. */
interface Places {
  readonly x: readonly [batch: Int32Array, rows: Int32Array, terms: Int32Array];
  readonly y: readonly [batch: Int32Array, columns: Int32Array, terms: Int32Array];
  readonly out: readonly [batch: Int32Array, rows: Int32Array, columns: Int32Array];
  /** Do the terms of the left operand lie one after the other, and the columns of the result? */
  readonly inARow: readonly [boolean, boolean];
}

const isInARow = (offsets: Int32Array): boolean => offsets.every((at, i) => at === i);

function placesOf(spec: string, shapeX: Shape, shapeY: Shape, shapeOut: Shape): Places {
  const { left, right, out, batch, rows, columns, inner } = readLabels(spec);
  const inX = (letters: string) => labelOffsets(letters, left, shapeX, right, shapeY);
  const inY = (letters: string) => labelOffsets(letters, right, shapeY, left, shapeX);
  const inOut = (letters: string) => labelOffsets(letters, out, shapeOut, "", []);
  const [termsX, columnsOut] = [inX(inner), inOut(columns)];
  return {
    x: [inX(batch), inX(rows), termsX],
    y: [inY(batch), inY(columns), inY(inner)],
    out: [inOut(batch), inOut(rows), columnsOut],
    inARow: [isInARow(termsX), isInARow(columnsOut)],
  };
}

/** Computes a contraction, if it is one of matrices of floats and not small. The bits are those of `contract`. */
export function multiplyMatrices(node: Tensor, x: TypedArray, y: TypedArray, out: TypedArray): boolean {
  const { dtype } = node;
  if (dtype !== "float32" && dtype !== "float64") return false;
  const spec = String(node.attributes.spec);
  const { left, right, rows: rowLetters, columns: columnLetters, inner } = readLabels(spec);
  const [shapeX, shapeY] = [node.inputs[0]!.shape, node.inputs[1]!.shape];
  const [m, n] = [extent(rowLetters, left, shapeX), extent(columnLetters, right, shapeY)];
  const count = extent(inner, left, shapeX);
  if (contractionOrder(m, n).lanes > 1 || out.length * count < fewestProducts) return false;
  const machine = machineFor(dtype);
  if (machine === null) return false;
  const places = planned(`matrices ${spec} ${shapeX} ${shapeY}`, m + n + count + out.length / (m * n), () =>
    placesOf(spec, shapeX, shapeY, node.shape),
  );
  const [batchX, rowsX, termsX] = places.x;
  const [batchY, columnsY, termsY] = places.y;
  const [batchOut, rowsOut, columnsOut] = places.out;
  const [areTerms, areResults] = places.inARow;
  for (let b = 0; b < batchX.length; b++)
    for (let row = 0; row < m; row += blockRows)
      for (let column = 0; column < n; column += blockColumns) {
        const rows = rowsX.subarray(row, row + blockRows);
        const columns = columnsY.subarray(column, column + blockColumns);
        for (let term = 0; term < count; term += blockTerms) {
          const end = Math.min(term + blockTerms, count);
          for (let i = 0; i < rows.length; i++)
            pick(x, batchX[b]! + rows[i]!, termsX, term, end, areTerms, machine.left, i * blockTerms);
          const terms = termsY.subarray(term, end);
          multiplyBlock(machine, y, batchY[b]!, rows.length, columns, terms, term > 0);
        }
        const end = column + columns.length;
        for (let i = 0; i < rows.length; i++) {
          const at = batchOut[b]! + rowsOut[row + i]!;
          const from = i * blockColumns;
          if (areResults) out.set(machine.out.subarray(from, from + columns.length), at + column);
          else for (let j = column; j < end; j++) out[at + columnsOut[j]!] = machine.out[from + j - column]!;
        }
      }
  return true;
}

/** Copies the elements `places[begin .. end)` from `start` on, to `at` on. */
function pick(
  from: TypedArray,
  start: number,
  places: Int32Array,
  begin: number,
  end: number,
  inARow: boolean,
  to: TypedArray,
  at: number,
): void {
  if (inARow && end - begin > 16) to.set(from.subarray(start + begin, start + end), at);
  else for (let i = begin; i < end; i++) to[at + i - begin] = from[start + places[i]!]!;
}

/** Rows beyond the last hold what was there before, and so do columns: nobody reads what becomes of them. */
function multiplyBlock(
  machine: Machine,
  y: TypedArray,
  start: number,
  rows: number,
  columns: Int32Array,
  terms: Int32Array,
  adds: boolean,
): void {
  const { panel, columns: width } = machine;
  for (let column = 0; column < columns.length; column += width) {
    const end = Math.min(column + width, columns.length);
    for (let r = 0; r < terms.length; r++) {
      const from = start + terms[r]!;
      for (let j = column, to = r * width; j < end; j++, to++) panel[to] = y[from + columns[j]!]!;
    }
    for (let row = 0; row < rows; row += mostRows) machine.multiply(row, column, terms.length, adds);
  }
}
