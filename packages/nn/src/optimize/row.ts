import type { TypedArray, Variable } from "@cotangent/autograd/functional";
import { assignAll, CompileError, fromTypedArray } from "@cotangent/autograd/functional";

/** All parameters as one row of numbers, for methods that look at them together. */

export function rowOf(parameters: readonly Variable[]): Float64Array {
  return joined(parameters.map((parameter) => parameter.toTypedArray()));
}

/** Where a step of the optimizer `name` begins. Throws CompileError where a function is traced. */
export function startOf(name: string, parameters: readonly Variable[]): Float64Array {
  try {
    return rowOf(parameters);
  } catch (error) {
    if (!(error instanceof CompileError)) throw error;
    throw new CompileError(
      `${name}: step cannot be part of a function that is compiled, since it reads values to see how far to go; call it outside, ` +
        "where what it computes runs as compiled programs by itself",
    );
  }
}

export function assignRow(parameters: readonly Variable[], row: Float64Array): void {
  let offset = 0;
  assignAll(
    parameters.map((parameter) => {
      const { shape, dtype, size } = parameter;
      const part = row.subarray(offset, offset + size);
      offset += size;
      return [parameter, fromTypedArray(dtype === "float64" ? part : Float32Array.from(part), shape)];
    }),
  );
}

/** Several rows as one. */
export function joined(parts: readonly TypedArray[]): Float64Array {
  const row = new Float64Array(parts.reduce((sum, { length }) => sum + length, 0));
  let offset = 0;
  for (const part of parts) {
    row.set(part, offset);
    offset += part.length;
  }
  return row;
}

/** The size of the largest number; NaN if there is one. */
export function largest(x: ArrayLike<number>): number {
  let most = 0;
  for (let i = 0; i < x.length; i++) most = Math.max(most, Math.abs(x[i]!));
  return most;
}
