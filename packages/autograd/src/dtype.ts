import { DTypeError } from "./errors.ts";

/** The element types: two floats, whole numbers of 32 bits, and truth values (stored as 0 and 1). */
export type DType = "float32" | "float64" | "int32" | "bool";

/** The array that holds the elements of a tensor. */
export type TypedArray = Float32Array | Float64Array | Int32Array | Uint8Array;

/** Every dtype, from the one that gives way to the one that wins: the later of two is their promotion. */
export const dtypes: readonly DType[] = ["bool", "int32", "float32", "float64"];

/** The place of `dtype` in `dtypes`. */
export function rankOf(dtype: DType): number {
  return dtype === "float32" ? 2 : dtype === "float64" ? 3 : dtype === "int32" ? 1 : 0;
}

/** Bytes of one element. */
export function byteSize(dtype: DType): 1 | 4 | 8 {
  return dtype === "float64" ? 8 : dtype === "bool" ? 1 : 4;
}

export function isFloat(dtype: DType): boolean {
  return dtype === "float32" || dtype === "float64";
}

/** The dtype of a result made from two dtypes: the later one in the order bool, int32, float32, float64. */
export function promote(a: DType, b: DType): DType {
  return rankOf(a) >= rankOf(b) ? a : b;
}

/**
 * The dtype that a JavaScript number takes when it meets a tensor. Numbers are weak: a float tensor decides
 * alone; an integer or bool tensor keeps whole numbers int32 and turns fractions into float32.
 */
export function promoteNumber(value: number, dtype: DType): DType {
  if (isFloat(dtype)) return dtype;
  return Number.isInteger(value) && value === (value | 0) ? "int32" : "float32";
}

const arrays = { float32: Float32Array, float64: Float64Array, int32: Int32Array, bool: Uint8Array } as const;

// Without a table: these are on the way of each evaluation, and engines do not look into tables.

/** A new array of `size` zeros. */
export function allocate(dtype: DType, size: number): TypedArray {
  if (dtype === "float32") return new Float32Array(size);
  if (dtype === "float64") return new Float64Array(size);
  if (dtype === "int32") return new Int32Array(size);
  return new Uint8Array(size);
}

/** A copy. The engine need not fill it with zeros first, as it does for `slice`: two thirds of the time if it is large. */
export function copyOf(array: TypedArray): TypedArray {
  if (array instanceof Float32Array) return new Float32Array(array);
  if (array instanceof Float64Array) return new Float64Array(array);
  if (array instanceof Int32Array) return new Int32Array(array);
  if (array instanceof Uint8Array) return new Uint8Array(array);
  return copyByName(array);
}

function copyByName(array: TypedArray): TypedArray {
  const out = allocate(dtypeByName(array, "tensor"), array.length);
  out.set(array);
  return out;
}

/** The dtype of what lies in `array`, for the function `name`. Throws DTypeError for arrays of numbers for which there is none. */
export function dtypeOf(array: ArrayBufferView, name = "tensor"): DType {
  if (array instanceof Float32Array) return "float32";
  if (array instanceof Float64Array) return "float64";
  if (array instanceof Int32Array) return "int32";
  if (array instanceof Uint8Array) return "bool";
  return dtypeByName(array, name);
}

/** An array that comes from another frame, or from outside the context of a test runner, is an instance of no class here. */
function dtypeByName(array: object, name: string): DType {
  const kind = Object.prototype.toString.call(array).slice(8, -1);
  const found = dtypes.find((dtype) => arrays[dtype].name === kind);
  if (found === undefined)
    throw new DTypeError(
      `${name}: takes a Float32Array, Float64Array, Int32Array or (bool) Uint8Array, got ${kind}; ` +
        'tensor(x, { dtype: "float32" }) converts it',
    );
  return found;
}

/** The elements that lie at `address` of `buffer`. */
export function arrayAt(buffer: ArrayBuffer, address: number, dtype: DType, size: number): TypedArray {
  return new arrays[dtype](buffer, address, size);
}

/** Throws unless `dtype` is one of the four, so that JavaScript callers see the mistake at their line. */
export function checkDType(name: string, dtype: DType): void {
  if (!dtypes.includes(dtype))
    throw new DTypeError(`${name}: unknown dtype ${String(dtype)}; the dtypes are ${dtypes.join(", ")}`);
}

/** Throws DTypeError for bool in arithmetic. */
export function refuseBool(name: string, dtype: DType, remedy = "int32"): void {
  if (dtype === "bool") throw new DTypeError(`${name}: takes no bool; cast to ${remedy} first`);
}

/** `"(float32, int32)"`: how dtypes appear in messages. */
export function formatDTypes(list: readonly DType[]): string {
  return `(${list.join(", ")})`;
}
