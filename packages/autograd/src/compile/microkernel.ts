import { Code } from "../wasm/assembler.ts";
import * as i32 from "../wasm/i32.ts";
import * as simd from "../wasm/simd.ts";
import type { Width } from "./lanes.ts";
import { relaxedAdd } from "./lanes.ts";
import { loads } from "./words.ts";

/**
 * The form of a function that computes a block of a product of matrices: some rows times the columns of one panel, over a run of terms.
 * What differs between products of one form is a parameter of the function, so that few functions serve a whole program and the
 * engine optimizes them early.
 */
export interface Microkernel {
  readonly width: Width;
  readonly rows: number;
  /** Columns that are stored; the panel has two vectors of them. */
  readonly columns: number;
  /** Bytes from term to term of the left operand; null if that is a parameter, and its rows lie side by side. */
  readonly leftTerm: number | null;
  /** Are the places of the terms data, instead of one panel? */
  readonly listed: boolean;
}

/**
 * Rows that fill the registers: four rows of two vectors, both vectors of the panel, an element of the left operand and a
 * product. Five rows should fit and do not: the engine spills, and half of the speed is gone.
 */
export const mostRows = 4;

/** Rows that fill the registers where products need none, as they are rounded together with their sums. */
export const mostRelaxedRows = 6;

/** Terms of one round of the loop. */
const unrolled = 8;

/** Bytes of one term of a panel: its columns are two vectors. */
export const panelTerm = 32;

/** Bytes of one entry of a list of terms. */
export const listTerm = 4;

const instructions = {
  4: { mul: 0xe6, add: 0xe4, splat: simd.splat32, align: 2 },
  2: { mul: 0xf2, add: 0xf0, splat: simd.splat64, align: 3 },
} as const;

/**
 * The function `(left, panel, out, leftStep, outRow, terms, adds, list)` that computes one block: addresses of its first elements,
 * bytes from row to row of the left operand (or from term to term) and of the result, how many terms there are, whether the
 * result is added to what is there, and the address of the list that has the bytes from `panel` to each, if they are listed.
 * With `relaxed`, products and sums are rounded together.
 */
export function microkernel(form: Microkernel, relaxed: boolean): Code {
  const { width, rows, columns, leftTerm, listed } = form;
  const code = new Code(new Array<"i32">(listed ? 8 : 7).fill("i32"));
  const [left, panel, out, leftStep, outRow, terms, adds, list] = [0, 1, 2, 3, 4, 5, 6, 7] as const;
  const { mul, add, splat, align } = instructions[width];
  const vectors = Math.ceil(columns / width);
  const sums = Array.from({ length: rows * vectors }, () => code.take("v128"));
  const right = Array.from({ length: vectors }, () => code.take("v128"));
  const element = code.take("v128");
  const place = listed ? code.take("i32") : panel;
  // One address for each row, unless they lie side by side.
  const lefts = Array.from({ length: leftTerm === null ? 1 : rows }, (_, row) =>
    row === 0 ? left : code.take("i32"),
  );
  for (let row = 1; row < lefts.length; row++)
    code
      .get(lefts[row - 1]!)
      .get(leftStep)
      .op(i32.add)
      .set(lefts[row]!);
  const step = (term: number) => {
    if (listed)
      code
        .get(list)
        .memory(loads.int32, term * listTerm)
        .get(panel)
        .op(i32.add)
        .set(place);
    right.forEach((local, v) => {
      code
        .get(place)
        .vectorMemory(simd.load, align, (listed ? 0 : term * panelTerm) + v * 16)
        .set(local);
    });
    for (let row = 0; row < rows; row++) {
      if (leftTerm === null) code.get(left).vectorMemory(splat, align, (row * 16) / width);
      else code.get(lefts[row]!).vectorMemory(splat, align, term * leftTerm);
      code.set(element);
      right.forEach((local, v) => {
        const sum = sums[row * vectors + v]!;
        if (relaxed) code.get(element).get(local).get(sum).vector(relaxedAdd[width]).set(sum);
        else code.get(sum).get(element).get(local).vector(mul).vector(add).set(sum);
      });
    }
    if (leftTerm === null) code.advance(left, { local: leftStep });
  };
  const advance = (count: number) => {
    if (leftTerm !== null)
      for (const address of lefts)
        code
          .get(address)
          .i32(count * leftTerm)
          .op(i32.add)
          .set(address);
    code
      .get(listed ? list : panel)
      .i32(count * (listed ? listTerm : panelTerm))
      .op(i32.add)
      .set(listed ? list : panel);
  };
  /** Runs `round` until `terms` is below `count`. */
  const whileAtLeast = (count: number, round: () => void) => {
    code.block().get(terms).i32(count).op(i32.lessSigned).branchIf(0).loop();
    round();
    advance(count);
    code
      .get(terms)
      .i32(count)
      .op(i32.sub)
      .tee(terms)
      .i32(count)
      .op(i32.atLeastSigned)
      .branchIf(0)
      .end()
      .end();
  };
  whileAtLeast(unrolled, () => {
    for (let term = 0; term < unrolled; term++) {
      // Never taken: keeps the engine from moving the loads of all terms to the top of the round, where they would not
      // fit into the registers.
      if (term > 0) code.get(terms).i32(-term).op(i32.eq).branchIf(1);
      step(term);
    }
  });
  whileAtLeast(1, () => step(0));
  /** Runs `visit` for each sum, its vector in the row of the result that begins at the address in `at`. */
  const eachSum = (at: number, visit: (sum: number, v: number) => void) => {
    for (let row = 0; row < rows; row++) {
      for (let v = 0; v < vectors; v++) visit(sums[row * vectors + v]!, v);
      if (row < rows - 1) code.advance(at, { local: outRow });
    }
  };
  code.get(adds).if(null).get(out).set(left);
  eachSum(left, (sum, v) => {
    code
      .get(left)
      .vectorMemory(simd.load, align, v * 16)
      .get(sum)
      .vector(add)
      .set(sum);
  });
  code.end();
  eachSum(out, (sum, v) => {
    storeLanes(code, out, sum, v * 16, Math.min(width, columns - v * width), width);
  });
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
