import { Code } from "./assembler.ts";
import type { Width } from "./lanes.ts";
import { simd } from "./lanes.ts";
import { i32 } from "./words.ts";

/** A block of a product of matrices: some rows times the columns of one panel, over a run of terms. */
export interface Microkernel {
  readonly width: Width;
  readonly rows: number;
  /** Columns that are stored; the panel has two vectors of them. */
  readonly columns: number;
  readonly terms: number;
  /** Bytes from row to row and from term to term of the left operand, and from row to row of the result. */
  readonly leftRow: number;
  readonly leftTerm: number;
  readonly outRow: number;
  /** Is the result added to what is there? */
  readonly adds: boolean;
}

/** Rows that fill the registers: four rows of two vectors, both vectors of the panel, and one element of the left operand. */
export const mostRows = 4;

/** Terms of one round of the loop. */
const unrolled = 8;

const instructions = {
  4: { mul: 0xe6, add: 0xe4, splat: simd.splat32 },
  2: { mul: 0xf2, add: 0xf0, splat: simd.splat64 },
};

/** The function `(left, panel, out)` that computes one block: addresses of its first elements. */
export function microkernel(form: Microkernel): Code {
  const { width, rows, columns, terms, leftRow, leftTerm, outRow, adds } = form;
  const code = new Code(["i32", "i32", "i32"]);
  const [left, panel, out] = [0, 1, 2] as const;
  const { mul, add, splat } = instructions[width];
  const align = width === 4 ? 2 : 3;
  const vectors = Math.ceil(columns / width);
  const sums = Array.from({ length: rows * vectors }, () => code.take("v128"));
  const right = Array.from({ length: vectors }, () => code.take("v128"));
  const element = code.take("v128");
  const panelTerm = 2 * 16;
  const step = (term: number) => {
    right.forEach((local, v) => {
      code
        .get(panel)
        .vectorMemory(simd.load, align, term * panelTerm + v * 16)
        .set(local);
    });
    for (let row = 0; row < rows; row++) {
      code
        .get(left)
        .vectorMemory(splat, align, row * leftRow + term * leftTerm)
        .set(element);
      right.forEach((local, v) => {
        const sum = sums[row * vectors + v]!;
        code.get(sum).get(element).get(local).vector(mul).vector(add).set(sum);
      });
    }
  };
  const rounds = Math.floor(terms / unrolled);
  if (rounds > 0) {
    const counter = code.take("i32");
    code.i32(0).set(counter).block().loop();
    for (let term = 0; term < unrolled; term++) {
      // Never taken: keeps the engine from moving the loads of all terms to the top of the round, where they would not
      // fit into the registers.
      if (term > 0) code.get(counter).i32(-term).op(i32.eq).branchIf(1);
      step(term);
    }
    code
      .get(left)
      .i32(unrolled * leftTerm)
      .op(i32.add)
      .set(left);
    code
      .get(panel)
      .i32(unrolled * panelTerm)
      .op(i32.add)
      .set(panel);
    code.get(counter).i32(1).op(i32.add).tee(counter).i32(rounds).op(i32.ne).branchIf(0).end().end();
  }
  for (let term = 0; term < terms % unrolled; term++) step(term);
  for (let row = 0; row < rows; row++)
    for (let v = 0; v < vectors; v++) {
      const sum = sums[row * vectors + v]!;
      const offset = row * outRow + v * 16;
      if (adds) code.get(out).vectorMemory(simd.load, align, offset).get(sum).vector(add).set(sum);
      storeLanes(code, out, sum, offset, Math.min(width, columns - v * width), width);
    }
  return code;
}

function storeLanes(
  code: Code,
  address: number,
  local: number,
  offset: number,
  lanes: number,
  width: Width,
): void {
  if (lanes === width) {
    code.get(address).get(local).vectorMemory(simd.store, 2, offset);
    return;
  }
  for (let lane = 0; lane < lanes; lane++) {
    const opcode = width === 4 ? simd.store32Lane : simd.store64Lane;
    code
      .get(address)
      .get(local)
      .vectorMemory(opcode, 2, offset + (lane * 16) / width, lane);
  }
}
