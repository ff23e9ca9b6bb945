import type { Tensor, TypedArray } from "@cotangent/autograd/functional";
import { FormatError } from "@cotangent/autograd/functional";

/** The ways in which files store elements that a tensor can hold. */
export type Storage =
  | "bool"
  | "int8"
  | "uint8"
  | "int16"
  | "uint16"
  | "int32"
  | "uint32"
  | "int64"
  | "uint64"
  | "float16"
  | "bfloat16"
  | "float32"
  | "float64";

/** Is told of the first element that has no place in the dtype. */
type Refuse = (index: number, value: number | bigint) => never;

interface Coding {
  /** Bytes of one element. */
  readonly size: number;
  /** The elements that lie in `buffer`, in the byte order of this machine. May keep the buffer. */
  decode(buffer: ArrayBuffer, refuse: Refuse): TypedArray;
}

const codings: { readonly [S in Storage]: Coding } = {
  bool: { size: 1, decode: (buffer, refuse) => truths(new Uint8Array(buffer), refuse) },
  int8: { size: 1, decode: (buffer) => new Int32Array(new Int8Array(buffer)) },
  uint8: { size: 1, decode: (buffer) => new Int32Array(new Uint8Array(buffer)) },
  int16: { size: 2, decode: (buffer) => new Int32Array(new Int16Array(buffer)) },
  uint16: { size: 2, decode: (buffer) => new Int32Array(new Uint16Array(buffer)) },
  int32: { size: 4, decode: (buffer) => new Int32Array(buffer) },
  uint32: { size: 4, decode: (buffer, refuse) => narrowed(new Uint32Array(buffer), refuse) },
  int64: { size: 8, decode: (buffer, refuse) => narrowed(new BigInt64Array(buffer), refuse) },
  uint64: { size: 8, decode: (buffer, refuse) => narrowed(new BigUint64Array(buffer), refuse) },
  float16: { size: 2, decode: (buffer) => widenedHalves(new Uint16Array(buffer)) },
  bfloat16: { size: 2, decode: (buffer) => widenedBrains(new Uint16Array(buffer)) },
  float32: { size: 4, decode: (buffer) => new Float32Array(buffer) },
  float64: { size: 8, decode: (buffer) => new Float64Array(buffer) },
};

const isLittleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/** Bytes of one element. */
export function storedSize(storage: Storage): number {
  return codings[storage].size;
}

/**
 * The elements that `bytes` store: 16-bit floats widened to float32, integers as int32. `name` begins the message of the
 * FormatError that is thrown for integers beyond int32 and for truth values other than 0 and 1.
 */
export function decode(name: string, bytes: Uint8Array, storage: Storage, littleEndian = true): TypedArray {
  const { size, decode: decoded } = codings[storage];
  // Not slice(): that of Node's Buffer shares the memory.
  const copy = new Uint8Array(bytes);
  if (littleEndian !== isLittleEndian) swap(copy, size);
  return decoded(copy.buffer, (index, value) => {
    throw new FormatError(
      storage === "bool"
        ? `${name}: element ${index} is ${value}; a bool is 0 or 1`
        : `${name}: element ${index} is ${value} (${storage}), which int32 cannot hold; store it as int32 or float64`,
    );
  });
}

/** The bytes of the elements of `x`, lowest byte first. */
export function encode(x: Tensor): Uint8Array {
  const { buffer, byteOffset, byteLength } = x.toTypedArray();
  const bytes = new Uint8Array(buffer, byteOffset, byteLength);
  if (!isLittleEndian && x.size > 0) swap(bytes, byteLength / x.size);
  return bytes;
}

/** Turns round the bytes of each element. */
function swap(bytes: Uint8Array, size: number): void {
  if (size > 1) for (let i = 0; i < bytes.length; i += size) bytes.subarray(i, i + size).reverse();
}

function truths(bytes: Uint8Array, refuse: Refuse): Uint8Array {
  const wrong = bytes.findIndex((byte) => byte > 1);
  if (wrong >= 0) refuse(wrong, bytes[wrong]!);
  return bytes;
}

function narrowed(integers: Uint32Array | BigInt64Array | BigUint64Array, refuse: Refuse): Int32Array {
  const out = new Int32Array(integers.length);
  for (let i = 0; i < out.length; i++) {
    const value = Number(integers[i]!);
    out[i] = value;
    if (out[i] !== value) refuse(i, integers[i]!);
  }
  return out;
}

/** IEEE 754 binary16 to binary32: 5 bits of exponent with bias 15 to 8 with bias 127, 10 bits of fraction to 23. */
function widenedHalves(halves: Uint16Array): Float32Array {
  const out = new Float32Array(halves.length);
  const bits = new Uint32Array(out.buffer);
  for (let i = 0; i < halves.length; i++) {
    const half = halves[i]!;
    const sign = (half & 0x8000) << 16;
    const exponent = (half >> 10) & 31;
    const fraction = half & 1023;
    // Subnormal halves are normal as float32, except 0.
    if (exponent === 0) {
      out[i] = fraction * 2 ** -24;
      bits[i]! |= sign;
    } else bits[i] = sign | ((exponent === 31 ? 255 : exponent + 112) << 23) | (fraction << 13);
  }
  return out;
}

/** bfloat16 is the upper half of a float32. */
function widenedBrains(brains: Uint16Array): Float32Array {
  const out = new Float32Array(brains.length);
  const bits = new Uint32Array(out.buffer);
  for (let i = 0; i < brains.length; i++) bits[i] = brains[i]! << 16;
  return out;
}
