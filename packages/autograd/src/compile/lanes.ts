import type { DType } from "../dtype.ts";
import type { Word } from "../program.ts";
import type { Code } from "./assembler.ts";
import type { Push } from "./words.ts";

/**
 * The scalar vocabulary in SIMD instructions: the words of `words.ts` for several elements at once, to the same bits. A vector
 * has four lanes of 32 bits or two of 64; a bool is a lane whose bits are all equal.
 */
export type Width = 4 | 2;

export const simd = {
  load: 0x00,
  splat32: 0x09,
  splat64: 0x0a,
  store: 0x0b,
  not: 0x4d,
  and: 0x4e,
  or: 0x50,
  xor: 0x51,
  andNot: 0x4f,
  bitselect: 0x52,
  anyTrue: 0x53,
  load8Lane: 0x54,
  load16Lane: 0x55,
  load32Lane: 0x56,
  load64Lane: 0x57,
  store8Lane: 0x58,
  store16Lane: 0x59,
  store32Lane: 0x5a,
  store64Lane: 0x5b,
  load32Zero: 0x5c,
  load64Zero: 0x5d,
  splatInt32: 0x11,
  splatFloat32: 0x13,
  splatFloat64: 0x14,
  extractInt32: 0x1b,
  extractInt64: 0x1d,
  extractFloat32: 0x1f,
  extractFloat64: 0x21,
  replaceFloat32: 0x20,
  replaceInt32: 0x1c,
  replaceFloat64: 0x22,
  narrow16: 0x85,
  narrow8: 0x65,
  extend8to16: 0x89,
  extend16to32: 0xa9,
  extend32to64Signed: 0xc7,
  extend32to64: 0xc9,
} as const;

/** Instructions of int32 lanes, and of int64 lanes. */
const i32x4 = {
  eq: 0x37,
  ne: 0x38,
  lessUnsigned: 0x3a,
  allTrue: 0xa3,
  neg: 0xa1,
  shl: 0xab,
  shrSigned: 0xac,
  shrUnsigned: 0xad,
  add: 0xae,
  sub: 0xb1,
  min: 0xb6,
  max: 0xb8,
  truncate: 0xf8,
  truncate64: 0xfc,
} as const;
const i64x2 = { ne: 0xd7, neg: 0xc1, allTrue: 0xc3, shl: 0xcb, shrUnsigned: 0xcd, add: 0xce } as const;
export const intLanes: { readonly 4: typeof i32x4; readonly 2: typeof i64x2 } = { 4: i32x4, 2: i64x2 };

/** `x y + z`, rounded once where the processor can. */
export const relaxedAdd: Readonly<Record<Width, number>> = { 4: 0x105, 2: 0x107 };

const float32: Partial<Record<Word, number>> = {
  add: 0xe4,
  sub: 0xe5,
  mul: 0xe6,
  div: 0xe7,
  sqrt: 0xe3,
  neg: 0xe1,
  abs: 0xe0,
  pmin: 0xea,
  pmax: 0xeb,
  ceil: 0x67,
  floor: 0x68,
  trunc: 0x69,
  nearest: 0x6a,
  eq: 0x41,
  ne: 0x42,
  lt: 0x43,
  le: 0x45,
};
const float64: Partial<Record<Word, number>> = {
  add: 0xf0,
  sub: 0xf1,
  mul: 0xf2,
  div: 0xf3,
  sqrt: 0xef,
  neg: 0xed,
  abs: 0xec,
  pmin: 0xf6,
  pmax: 0xf7,
  ceil: 0x74,
  floor: 0x75,
  trunc: 0x7a,
  nearest: 0x94,
  eq: 0x47,
  ne: 0x48,
  lt: 0x49,
  le: 0x4b,
};
const int32: Partial<Record<Word, number>> = {
  add: i32x4.add,
  sub: i32x4.sub,
  mul: 0xb5,
  neg: i32x4.neg,
  abs: 0xa0,
  pmin: i32x4.min,
  pmax: i32x4.max,
  and: simd.and,
  or: simd.or,
  xor: simd.xor,
  not: simd.not,
  eq: i32x4.eq,
  ne: i32x4.ne,
  lt: 0x39,
  le: 0x3d,
};
const bool: Partial<Record<Word, number>> = {
  and: simd.and,
  or: simd.or,
  xor: simd.xor,
  not: simd.not,
  eq: simd.xor,
  ne: simd.xor,
};
const opcodes: Record<DType, Partial<Record<Word, number>>> = { float32, float64, int32, bool };

/** The bit patterns of 1 in both float dtypes, and of the sign. */
const one32 = 0x3f800000;
const sign32 = -0x80000000;

/** A vector of which all lanes are the int32 `value`, or the int64 whose upper half is `value`. */
export function everyLane(code: Code, width: Width, value: number): void {
  code.v128(width === 4 ? [value, value, value, value] : [0, value, 0, value]);
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
  const [x, y, z] = operands as readonly [Push, Push, Push];
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
    code.i32(shift!).vector(name === "shiftLeft" ? i32x4.shl : i32x4.shrUnsigned);
  } else {
    for (const push of operands) push();
    code.vector(opcodes[from][name]!);
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
      return name in opcodes[from];
  }
}

function converted(code: Code, x: Push, from: DType, to: DType): void {
  x();
  if (from === "bool") {
    if (to === "float64") everyLane(code, 2, 0x3ff00000);
    else everyLane(code, 4, to === "float32" ? one32 : 1);
    code.vector(simd.and);
  } else if (to === "bool") code.v128([0, 0, 0, 0]).vector(opcodes[from].ne!);
  else if (to === "int32") code.vector(i32x4.truncate);
  else code.vector(0xfa);
}

/** A NaN `y` has no sign. */
function copiedSign(code: Code, x: Push, y: Push, dtype: DType): void {
  const sign = () => everyLane(code, dtype === "float32" ? 4 : 2, sign32);
  // The sign bits of y where y is a number, and x elsewhere.
  y();
  y();
  y();
  code.vector(opcodes[dtype].eq!).vector(simd.and);
  x();
  sign();
  code.vector(simd.bitselect);
}

function exponent(code: Code, x: Push, dtype: DType): void {
  x();
  if (dtype === "float32") {
    code.i32(23).vector(i32x4.shrUnsigned);
    everyLane(code, 4, 255);
    code.vector(simd.and);
    everyLane(code, 4, 127);
    code.vector(i32x4.sub).vector(0xfa);
    return;
  }
  // The exponent in the low bits of 2^52, and 2^52 + 1023 taken away: no instruction converts int64.
  code.i32(52).vector(i64x2.shrUnsigned);
  code.v128([2047, 0, 2047, 0]).vector(simd.and);
  everyLane(code, 2, 0x43300000);
  code
    .vector(simd.or)
    .f64(2 ** 52 + 1023)
    .vector(simd.splatFloat64)
    .vector(float64.sub!);
}

function powerOfTwo(code: Code, k: Push, dtype: DType): void {
  k();
  if (dtype === "float32")
    code
      .f32(2 ** 23 + 127)
      .vector(simd.splatFloat32)
      .vector(float32.add!)
      .i32(23)
      .vector(i32x4.shl);
  else
    code
      .f64(2 ** 52 + 1023)
      .vector(simd.splatFloat64)
      .vector(float64.add!)
      .i32(52)
      .vector(i64x2.shl);
}

/** As in `words.ts`: half of the power at a time. */
function scaled(code: Code, x: Push, k: Push, dtype: DType): void {
  const single = dtype === "float32";
  const limit = single ? 252 : 2044;
  const [whole, half] = [code.take("v128"), code.take("v128")];
  k();
  code.vector(single ? i32x4.truncate : i32x4.truncate64);
  everyLane(code, 4, limit);
  code.vector(i32x4.min);
  everyLane(code, 4, -limit);
  code.vector(i32x4.max).tee(whole);
  code
    .i32(31)
    .vector(i32x4.shrUnsigned)
    .get(whole)
    .vector(i32x4.add)
    .i32(1)
    .vector(i32x4.shrSigned)
    .set(half);
  const power = () => {
    if (single) {
      everyLane(code, 4, 127);
      code.vector(i32x4.add).i32(23).vector(i32x4.shl);
    } else {
      everyLane(code, 4, 1023);
      code.vector(i32x4.add).vector(simd.extend32to64).i32(52).vector(i64x2.shl);
    }
  };
  x();
  code.get(half);
  power();
  code.vector(opcodes[dtype].mul!);
  code.get(whole).get(half).vector(i32x4.sub);
  power();
  code.vector(opcodes[dtype].mul!);
  code.release(whole);
  code.release(half);
}

/** How constants are found again that fill a vector. */
export function splatKey(value: number, dtype: DType): string {
  return `${dtype} ${Object.is(value, -0) ? "-0" : value}`;
}
