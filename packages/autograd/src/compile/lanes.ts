import type { DType } from "../dtype.ts";
import type { Word } from "../program.ts";
import type { Code } from "../wasm/assembler.ts";
import * as i32 from "../wasm/i32.ts";
import * as simd from "../wasm/simd.ts";
import type { Push, Table } from "./words.ts";
import { entry } from "./words.ts";

/**
 * The scalar vocabulary in SIMD instructions: the words of `words.ts` for several elements at once, to the same bits. A vector
 * has four lanes of 32 bits or two of 64; a bool is a lane whose bits are all equal.
 */
export type Width = 4 | 2;

/** `x y + z`, rounded once where the processor can. */
export const relaxedAdd: Readonly<Record<Width, number>> = { 4: 0x105, 2: 0x107 };

/** Of a word: the instruction for lanes of float32, float64, int32 and bool. */
const opcodes: Table = {
  add: [0xe4, 0xf0, simd.addInt32],
  sub: [0xe5, 0xf1, simd.subInt32],
  mul: [0xe6, 0xf2, 0xb5],
  div: [0xe7, 0xf3],
  sqrt: [0xe3, 0xef],
  neg: [0xe1, 0xed, 0xa1],
  abs: [0xe0, 0xec, 0xa0],
  pmin: [0xea, 0xf6, simd.minInt32],
  pmax: [0xeb, 0xf7, simd.maxInt32],
  ceil: [0x67, 0x74],
  floor: [0x68, 0x75],
  trunc: [0x69, 0x7a],
  nearest: [0x6a, 0x94],
  eq: [0x41, 0x47, simd.equalInt32, simd.xor],
  ne: [0x42, 0x48, simd.differInt32, simd.xor],
  lt: [0x43, 0x49, 0x39],
  le: [0x45, 0x4b, 0x3d],
  and: [null, null, simd.and, simd.and],
  or: [null, null, simd.or, simd.or],
  xor: [null, null, simd.xor, simd.xor],
  not: [null, null, simd.not, simd.not],
};

/** The bit patterns of 1 in both float dtypes, and of the sign. */
const one32 = 0x3f800000;
const sign32 = -0x80000000;

/** A vector of which all lanes are the int32 `value`, or the int64 whose upper half is `value`. */
export function everyLane(code: Code, width: Width, value: number): void {
  code.v128(width === 4 ? [value, value, value, value] : [0, value, 0, value]);
}

/** The instruction that does a word by itself, once its operands are pushed, or null. */
export function vectorOpcodeOf(name: Word, from: DType): number | null {
  return from === "bool" && name === "eq" ? null : entry(opcodes, name, from);
}

/** How a word is said for one element is `words.ts`; `shift` is the count of a shift. */
export function vectorWord(
  code: Code,
  name: Word,
  dtype: DType,
  from: DType,
  operands: readonly Push[],
  shift: number | null,
): void {
  const x = operands[0]!;
  const y = operands[1]!;
  const z = operands[2]!;
  if (name === "select") {
    y();
    z();
    x();
    code.vector(simd.bitselect);
  } else if (name === "convert") converted(code, x, from, dtype);
  else if (name === "copysign") copiedSign(code, x, y, dtype);
  else if (name === "exponent") exponent(code, x, dtype);
  else if (name === "scale2") scaled(code, x, y, dtype);
  else if (name === "power2") powerOfTwo(code, x, dtype);
  else if (name === "shiftLeft" || name === "shiftRight") {
    x();
    code.i32(shift!).vector(name === "shiftLeft" ? simd.shlInt32 : simd.shrUnsignedInt32);
  } else {
    for (const push of operands) push();
    code.vector(entry(opcodes, name, from)!);
    if (from === "bool" && name === "eq") code.vector(simd.not);
  }
}

/** Can all lanes say this word at once? Shifts need a count that is known. */
export function hasVectorWord(name: Word, dtype: DType, from: DType): boolean {
  switch (name) {
    case "select":
    case "copysign":
    case "exponent":
    case "scale2":
    case "power2":
    case "shiftLeft":
    case "shiftRight":
      return true;
    case "convert":
      return from === "bool" || dtype === "bool" || (from !== "float64" && dtype !== "float64");
    default:
      return entry(opcodes, name, from) !== null;
  }
}

function converted(code: Code, x: Push, from: DType, to: DType): void {
  x();
  if (from === "bool") {
    if (to === "float64") everyLane(code, 2, 0x3ff00000);
    else everyLane(code, 4, to === "float32" ? one32 : 1);
    code.vector(simd.and);
  } else if (to === "bool") code.v128([0, 0, 0, 0]).vector(entry(opcodes, "ne", from)!);
  else if (to === "int32") code.vector(simd.truncateFloat32);
  else code.vector(0xfa);
}

/** A NaN `y` has no sign. */
function copiedSign(code: Code, x: Push, y: Push, dtype: DType): void {
  const sign = () => everyLane(code, dtype === "float32" ? 4 : 2, sign32);
  // The sign bits of y where y is a number, and x elsewhere.
  y();
  y();
  y();
  code.vector(entry(opcodes, "eq", dtype)!).vector(simd.and);
  x();
  sign();
  code.vector(simd.bitselect);
}

function exponent(code: Code, x: Push, dtype: DType): void {
  x();
  if (dtype === "float32") {
    code.i32(23).vector(simd.shrUnsignedInt32);
    everyLane(code, 4, 255);
    code.vector(simd.and);
    everyLane(code, 4, 127);
    code.vector(simd.subInt32).vector(0xfa);
    return;
  }
  // The exponent in the low bits of 2^52, and 2^52 + 1023 taken away: no instruction converts int64.
  code.i32(52).vector(simd.shrUnsignedInt64);
  code.v128([2047, 0, 2047, 0]).vector(simd.and);
  everyLane(code, 2, 0x43300000);
  code
    .vector(simd.or)
    .f64(2 ** 52 + 1023)
    .vector(simd.splatFloat64)
    .vector(entry(opcodes, "sub", dtype)!);
}

function powerOfTwo(code: Code, k: Push, dtype: DType): void {
  k();
  if (dtype === "float32")
    code
      .f32(2 ** 23 + 127)
      .vector(simd.splatFloat32)
      .vector(entry(opcodes, "add", dtype)!)
      .i32(23)
      .vector(simd.shlInt32);
  else
    code
      .f64(2 ** 52 + 1023)
      .vector(simd.splatFloat64)
      .vector(entry(opcodes, "add", dtype)!)
      .i32(52)
      .vector(simd.shlInt64);
}

/** As in `words.ts`: half of the power at a time. */
function scaled(code: Code, x: Push, k: Push, dtype: DType): void {
  const single = dtype === "float32";
  const limit = single ? 252 : 2044;
  const [whole, half] = [code.take("v128"), code.take("v128")];
  k();
  code.vector(single ? simd.truncateFloat32 : simd.truncateFloat64);
  everyLane(code, 4, limit);
  code.vector(simd.minInt32);
  everyLane(code, 4, -limit);
  code.vector(simd.maxInt32).tee(whole);
  code
    .i32(31)
    .vector(simd.shrUnsignedInt32)
    .get(whole)
    .vector(simd.addInt32)
    .i32(1)
    .vector(simd.shrSignedInt32)
    .set(half);
  const power = () => {
    if (single) {
      everyLane(code, 4, 127);
      code.vector(simd.addInt32).i32(23).vector(simd.shlInt32);
    } else {
      everyLane(code, 4, 1023);
      code.vector(simd.addInt32).vector(simd.extend32to64).i32(52).vector(simd.shlInt64);
    }
  };
  x();
  code.get(half);
  power();
  code.vector(entry(opcodes, "mul", dtype)!);
  code.get(whole).get(half).vector(simd.subInt32);
  power();
  code.vector(entry(opcodes, "mul", dtype)!);
  code.release(whole);
  code.release(half);
}

/** How constants are found again that fill a vector. */
export function splatKey(value: number, dtype: DType): string {
  return `${dtype} ${Object.is(value, -0) ? "-0" : value}`;
}

/** A vector of equal numbers, from memory: engines are slow to make them. */
export function vectorConstant(
  code: Code,
  splats: ReadonlyMap<string, number>,
  value: number,
  dtype: DType,
  width: Width,
): void {
  if (dtype === "bool") everyLane(code, 4, value === 0 ? 0 : -1);
  else if (Object.is(value, 0)) everyLane(code, 4, 0);
  else code.i32(0).vectorMemory(simd.load, width === 4 ? 2 : 3, splats.get(splatKey(value, dtype))!);
}

/** Pushes one lane of the vector in a local as a scalar. */
export function pushLane(code: Code, local: number, lane: number, dtype: DType, width: Width): Code {
  code.get(local);
  if (dtype === "float32") return code.lane(simd.extractFloat32, lane);
  if (dtype === "float64") return code.lane(simd.extractFloat64, lane);
  code.lane(simd.extractInt32, width === 4 ? lane : 2 * lane);
  return dtype === "bool" ? code.i32(1).op(i32.and) : code;
}

/** Puts the scalar on the stack into one lane of the vector below it. */
export function replaceLane(code: Code, lane: number, dtype: DType, width: Width): void {
  if (dtype === "float32") code.lane(simd.replaceFloat32, lane);
  else if (dtype === "float64") code.lane(simd.replaceFloat64, lane);
  else if (dtype === "int32") code.lane(simd.replaceInt32, lane);
  else {
    // A bool fills all bits of its lane.
    const local = code.take("i32");
    code.set(local).i32(0).get(local).op(i32.sub);
    if (width === 4) code.lane(simd.replaceInt32, lane);
    else code.op(i32.extended).lane(simd.replaceInt64, lane);
    code.release(local);
  }
}
