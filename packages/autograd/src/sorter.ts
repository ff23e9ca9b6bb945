import type { TypedArray } from "./dtype.ts";

/** The places of longer lists do not fit into a double beside 32 bits of their elements. */
const longest = 2 ** 21;

/** Finds the order of lists of one length, one list after the other; the memory that it takes is used again. */
export class Sorter {
  readonly #sign: number;
  readonly #keys: Float64Array;
  readonly #order: Int32Array;

  constructor(size: number, descending: boolean) {
    this.#sign = descending ? -1 : 1;
    this.#keys = new Float64Array(size <= longest ? size : 0);
    this.#order = new Int32Array(size);
  }

  /**
   * The places in the order of `data[start + place * step]`: NaN after all numbers, -0 equal to 0, and what is equal in the order of
   * its places. The next call writes over the answer.
   */
  sort(data: TypedArray, start: number, step: number): Int32Array {
    const keys = this.#keys;
    const order = this.#order;
    const compare = (i: number, j: number) =>
      this.#sign * ascending(data[start + i * step]!, data[start + j * step]!) || i - j;
    if (keys.length < order.length) return order.map((_, i) => i).sort(compare);
    // Engines sort numbers without asking a function: each of these is an element, as a whole number, and its place.
    const float = new Float32Array(1);
    const bits = new Int32Array(float.buffer);
    for (let i = 0; i < keys.length; i++) {
      const x = data[start + i * step]!;
      let key = x;
      if (!(data instanceof Int32Array)) {
        // -0 + 0 is 0, and the bits of a float that is not negative are in its order.
        float[0] = Math.abs(x) + 0;
        key = x === x ? Math.sign(x) * bits[0]! : 2 ** 31;
      }
      keys[i] = this.#sign * key * longest + i;
    }
    keys.sort();
    let from = 0;
    for (let i = 0; i < keys.length; i++) {
      const key = Math.floor(keys[i]! / longest);
      order[i] = keys[i]! - key * longest;
      // Several elements of float64 may be one float32.
      if (!(data instanceof Float64Array)) continue;
      if (i + 1 < keys.length && Math.floor(keys[i + 1]! / longest) === key) continue;
      if (i > from) order.subarray(from, i + 1).sort(compare);
      from = i + 1;
    }
    return order;
  }
}

/** Numbers in order, NaN after all of them. */
function ascending(a: number, b: number): number {
  if (a < b || (a === a && b !== b)) return -1;
  return a > b || (a !== a && b === b) ? 1 : 0;
}
