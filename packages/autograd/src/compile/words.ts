import type { DType } from "../dtype.ts";
import type { Word } from "../program.ts";
import type { Code, ValueType } from "../wasm/assembler.ts";
import { select } from "../wasm/assembler.ts";
import * as i32 from "../wasm/i32.ts";

/** The scalar vocabulary in WebAssembly instructions. Each does what `machine.ts` says, to the bit. */

export function valueType(dtype: DType): ValueType {
  return dtype === "float32" ? "f32" : dtype === "float64" ? "f64" : "i32";
}

/** The opcode of a load, and the exponent of its alignment. */
export const loads: Record<DType, readonly [number, number]> = {
  float32: [0x2a, 2],
  float64: [0x2b, 3],
  int32: [0x28, 2],
  bool: [0x2d, 0],
};
export const stores: Record<DType, readonly [number, number]> = {
  float32: [0x38, 2],
  float64: [0x39, 3],
  int32: [0x36, 2],
  bool: [0x3a, 0],
};

/** Instructions by word, for float32, float64, int32 and bool; null or nothing where there is none. */
export type Table = Partial<Record<Word, readonly (number | null)[]>>;
const columns = { float32: 0, float64: 1, int32: 2, bool: 3 };

/** The instruction that does a word with `dtype`, or null. */
export function entry(table: Table, name: Word, dtype: DType): number | null {
  return table[name]?.[columns[dtype]] ?? null;
}

const opcodes: Table = {
  add: [0x92, 0xa0, i32.add],
  sub: [0x93, 0xa1, i32.sub],
  mul: [0x94, 0xa2, i32.mul],
  div: [0x95, 0xa3],
  sqrt: [0x91, 0x9f],
  neg: [0x8c, 0x9a],
  abs: [0x8b, 0x99],
  ceil: [0x8d, 0x9b],
  floor: [0x8e, 0x9c],
  trunc: [0x8f, 0x9d],
  nearest: [0x90, 0x9e],
  eq: [0x5b, 0x61, i32.eq, i32.eq],
  ne: [0x5c, 0x62, i32.ne, i32.ne],
  lt: [0x5d, 0x63, i32.lessSigned, i32.lessSigned],
  le: [0x5f, 0x65, 0x4c, 0x4c],
  and: [null, null, i32.and, i32.and],
  or: [null, null, 0x72, 0x72],
  xor: [null, null, i32.xor, i32.xor],
  shiftLeft: [null, null, i32.shl],
  shiftRight: [null, null, i32.shrUnsigned],
};

/** The instruction that does a word by itself, once its operands are pushed, or null. */
export function opcodeOf(name: Word, from: DType): number | null {
  return entry(opcodes, name, from);
}

export function constant(code: Code, value: number, dtype: DType): void {
  if (dtype === "float32") code.f32(value);
  else if (dtype === "float64") code.f64(value);
  else code.i32(value);
}

/** One operand of a word: pushes its value. It may be pushed more than once. */
export type Push = () => void;

/**
 * The result of a word from its operands, left on the stack. `from` is the dtype of the operands (that of operand 1 for
 * select).
 */
export function word(code: Code, name: Word, dtype: DType, from: DType, operands: readonly Push[]): void {
  const x = operands[0]!;
  const y = operands[1]!;
  const z = operands[2]!;
  const opcode = opcodeOf(name, from);
  if (name === "select") selected(code, y, z, x);
  else if (name === "convert") converted(code, x, from, dtype);
  else if (name === "pmin" || name === "pmax") {
    const less = entry(opcodes, "lt", dtype)!;
    selected(code, y, x, () => {
      (name === "pmin" ? y : x)();
      (name === "pmin" ? x : y)();
      code.op(less);
    });
  } else if (name === "copysign") copiedSign(code, x, y, dtype);
  else if (name === "exponent") exponent(code, x, dtype);
  else if (name === "scale2") scaled(code, x, y, dtype);
  else if (name === "power2") powerOfTwo(code, x, dtype);
  else if (name === "not") {
    x();
    if (dtype === "bool") code.op(i32.eqz);
    else code.i32(-1).op(i32.xor);
  } else if (opcode === null) integerUnary(code, name, x);
  else {
    for (const push of operands) push();
    code.op(opcode);
  }
}

function selected(code: Code, yes: Push, no: Push, condition: Push): void {
  yes();
  no();
  condition();
  code.op(select);
}

function integerUnary(code: Code, name: Word, x: Push): void {
  if (name === "neg") {
    code.i32(0);
    x();
    code.op(i32.sub);
    return;
  }
  if (name !== "abs") throw new Error(`no instruction for ${name}`);
  // (x ^ s) - s where s is the sign in all bits.
  const sign = () => {
    x();
    code.i32(31).op(i32.shrSigned);
  };
  x();
  sign();
  code.op(i32.xor);
  sign();
  code.op(i32.sub);
}

function converted(code: Code, x: Push, from: DType, to: DType): void {
  x();
  if (to === "bool") {
    if (from === "float32" || from === "float64") constant(code, 0, from);
    else code.i32(0);
    code.op(entry(opcodes, "ne", from)!);
  } else if (to === "int32") {
    // Saturating truncation, NaN to 0.
    if (from === "float32") code.op(0xfc00);
    else if (from === "float64") code.op(0xfc02);
  } else if (to === "float32") code.op(from === "float64" ? 0xb6 : 0xb2);
  else code.op(from === "float32" ? 0xbb : 0xb7);
}

/** A NaN `y` has no sign. */
function copiedSign(code: Code, x: Push, y: Push, dtype: DType): void {
  x();
  selected(
    code,
    y,
    () => constant(code, 1, dtype),
    () => {
      y();
      y();
      code.op(entry(opcodes, "eq", dtype)!);
    },
  );
  code.op(dtype === "float32" ? 0x98 : 0xa6);
}

function exponent(code: Code, x: Push, dtype: DType): void {
  x();
  if (dtype === "float32")
    code.op(0xbc).i32(23).op(i32.shrUnsigned).i32(255).op(i32.and).i32(127).op(i32.sub).op(0xb2);
  else code.op(0xbd).i64(52).op(0x88).op(0xa7).i32(2047).op(i32.and).i32(1023).op(i32.sub).op(0xb7);
}

function powerOfTwo(code: Code, k: Push, dtype: DType): void {
  k();
  if (dtype === "float32")
    code
      .f32(2 ** 23 + 127)
      .op(entry(opcodes, "add", dtype)!)
      .op(0xbc)
      .i32(23)
      .op(i32.shl)
      .op(0xbe);
  else
    code
      .f64(2 ** 52 + 1023)
      .op(entry(opcodes, "add", dtype)!)
      .op(0xbd)
      .i64(52)
      .op(0x86)
      .op(0xbf);
}

/** The power of two is split in halves, each of which is a normal number; see `scale2` of `arithmetic.ts`. */
function scaled(code: Code, x: Push, k: Push, dtype: DType): void {
  const single = dtype === "float32";
  const limit = single ? 252 : 2044;
  const whole = code.take("i32");
  const half = code.take("i32");
  const clamp = (bound: number, less: number) => {
    code.tee(whole).i32(bound).get(whole).i32(bound).op(less).op(select);
  };
  k();
  code.op(single ? 0xfc00 : 0xfc02);
  clamp(limit, 0x48);
  clamp(-limit, 0x4a);
  // Division by 2 that rounds towards 0.
  code.tee(whole).i32(31).op(i32.shrUnsigned).get(whole).op(i32.add).i32(1).op(i32.shrSigned).set(half);
  const power = () => {
    if (single) code.i32(127).op(i32.add).i32(23).op(i32.shl).op(0xbe);
    else code.i32(1023).op(i32.add).op(0xad).i64(52).op(0x86).op(0xbf);
  };
  x();
  code.get(half);
  power();
  code.op(entry(opcodes, "mul", dtype)!);
  code.get(whole).get(half).op(i32.sub);
  power();
  code.op(entry(opcodes, "mul", dtype)!);
  code.release(whole);
  code.release(half);
}
