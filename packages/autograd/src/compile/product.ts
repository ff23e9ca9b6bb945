import { byteSize } from "../dtype.ts";
import type { Code } from "../wasm/assembler.ts";
import * as i32 from "../wasm/i32.ts";
import type { Nest } from "./loops.ts";
import { strideOf } from "./loops.ts";
import type { Microkernel } from "./microkernel.ts";
import { listTerm, mostRelaxedRows, mostRows, panelTerm } from "./microkernel.ts";
import type { NestWriter } from "./nest.ts";

/**
 * Rows of the left operand that are multiplied by all panels before the next ones: they stay in the second cache. Micro-kernels
 * of four and of six rows leave none of them over.
 */
const blockRows = 48;

/**
 * The loops around the micro-kernel: over runs of terms (so many as the order of sums closes a chunk after), blocks of
 * rows, panels, and the rows of a block, so that one panel stays in the first cache while the rows pass by.
 */
export class ProductWriter {
  readonly #writer: NestWriter;
  readonly #code: Code;
  readonly #micro: (form: Microkernel) => number;
  readonly #shape: Shape;
  /** Locals: the addresses of the present block of the left operand, of the panels, and of the result. */
  readonly #left: number;
  readonly #panel: number;
  readonly #out: number;
  /** The address of the list of terms, where they are listed. */
  readonly #list: number;

  constructor(writer: NestWriter, micro: (form: Microkernel) => number) {
    this.#writer = writer;
    this.#code = writer.code;
    this.#micro = micro;
    this.#shape = shapeOf(writer);
    [this.#left, this.#panel, this.#out, this.#list] = [0, 1, 2, 3].map(() => this.#code.take("i32")) as [
      number,
      number,
      number,
      number,
    ];
  }

  write(): void {
    const writer = this.#writer;
    const { outer } = writer.nest;
    const [a, b, list] = factorsOf(writer.nest);
    writer.results(() => this.#product(a, b, list ?? null), outer - 2);
    for (const local of [this.#left, this.#panel, this.#out, this.#list]) this.#code.release(local);
  }

  #product(a: number, b: number, list: number | null): void {
    const { terms, steps } = this.#shape;
    this.#writer.pushAddress(a);
    this.#code.set(this.#left);
    this.#writer.pushAddress(b);
    this.#code.set(this.#panel);
    if (list !== null) {
      this.#writer.pushAddress(list);
      this.#code.set(this.#list);
    }
    this.#writer.pushAddress(-1);
    this.#code.set(this.#out);
    const first = Math.min(terms, steps);
    this.#run(first, false);
    this.#writer.times(Math.floor((terms - first) / steps), () => this.#run(steps, true));
    const rest = (terms - first) % steps;
    if (rest > 0) this.#run(rest, true);
  }

  /** All rows and columns over the next terms. */
  #run(terms: number, adds: boolean): void {
    const { rows, leftRow, leftTerm, outRow } = this.#shape;
    const block = (count: number) => {
      this.#block(count, terms, adds);
      this.#move(this.#left, count * leftRow);
      this.#move(this.#out, count * outRow);
    };
    this.#writer.times(Math.floor(rows / blockRows), () => block(blockRows));
    if (rows % blockRows > 0) block(rows % blockRows);
    this.#move(this.#left, terms * leftTerm - rows * leftRow);
    this.#move(this.#out, -rows * outRow);
    if (this.#shape.listed) this.#move(this.#list, terms * listTerm);
    else this.#move(this.#panel, terms * panelTerm);
  }

  /** Some rows times all panels. */
  #block(rows: number, terms: number, adds: boolean): void {
    const { columns, panelColumns, panelBytes, size } = this.#shape;
    const panels = Math.floor(columns / panelColumns);
    const rest = columns % panelColumns;
    this.#writer.times(panels, () => {
      this.#rows(rows, panelColumns, terms, adds);
      this.#move(this.#panel, panelBytes);
      this.#move(this.#out, panelColumns * size);
    });
    if (rest > 0) this.#rows(rows, rest, terms, adds);
    this.#move(this.#panel, -panels * panelBytes);
    this.#move(this.#out, -panels * panelColumns * size);
  }

  /** Some rows times one panel. */
  #rows(rows: number, columns: number, terms: number, adds: boolean): void {
    const { leftRow, leftTerm, outRow, size, listed } = this.#shape;
    const call = (count: number) => {
      const width = size === 4 ? 4 : 2;
      // Rows side by side are walked through by one address, however far it is from term to term.
      const isBeside = leftTerm !== size && leftRow === size;
      const form = { width, rows: count, columns, leftTerm: isBeside ? null : leftTerm, listed } as const;
      this.#code.get(this.#left).get(this.#panel).get(this.#out);
      this.#code
        .i32(isBeside ? leftTerm : leftRow)
        .i32(outRow)
        .i32(terms)
        .i32(Number(adds));
      if (listed) this.#code.get(this.#list);
      this.#code.call(this.#micro(form));
    };
    const most = this.#writer.relaxed ? mostRelaxedRows : mostRows;
    const whole = rows - (rows % most);
    this.#writer.times(whole / most, () => {
      call(most);
      this.#move(this.#left, most * leftRow);
      this.#move(this.#out, most * outRow);
    });
    if (whole < rows) call(rows - whole);
    this.#move(this.#left, -whole * leftRow);
    this.#move(this.#out, -whole * outRow);
  }

  #move(local: number, bytes: number): void {
    if (bytes !== 0) this.#code.get(local).i32(bytes).op(i32.add).set(local);
  }
}

interface Shape {
  readonly rows: number;
  readonly columns: number;
  readonly terms: number;
  /** Terms of a chunk of the one order of sums. */
  readonly steps: number;
  /** Bytes of an element, and from one to the next. */
  readonly size: number;
  readonly leftRow: number;
  readonly leftTerm: number;
  readonly outRow: number;
  readonly panelColumns: number;
  readonly panelBytes: number;
  readonly listed: boolean;
}

/** The numbers of the scalars that are multiplied, and of the list of terms. */
function factorsOf({ form: { body, results } }: Nest): readonly [number, number, number?] {
  return body[results[0]!]!.operands as readonly [number, number, number?];
}

function shapeOf({ nest }: NestWriter): Shape {
  const { form, counts, outer, places, target } = nest;
  const [a, , list] = factorsOf(nest);
  const listed = list !== undefined;
  const [rows, columns, terms] = counts.slice(outer - 2) as [number, number, number];
  const size = byteSize(form.dtype);
  return {
    rows,
    columns,
    terms,
    steps: form.fold!.order.steps,
    size,
    leftRow: strideOf(nest, places[a]!, outer - 2),
    leftTerm: strideOf(nest, places[a]!, outer),
    outRow: strideOf(nest, target, outer - 2),
    panelColumns: panelTerm / size,
    // Columns in their own place lie side by side.
    panelBytes: listed ? panelTerm : terms * panelTerm,
    listed,
  };
}
