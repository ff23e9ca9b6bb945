import type { Tensor } from "@cotangent/autograd";
import { fromTypedArray } from "@cotangent/autograd";

/**
 * The data of the workloads: made from a seed, so that every library computes with the same bytes.
 * Numbers in [0, 1) come from mulberry32 (T. Ettinger), one after the other.
 */
export class Source {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let z = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    z ^= z + Math.imul(z ^ (z >>> 7), z | 61);
    return ((z ^ (z >>> 14)) >>> 0) / 2 ** 32;
  }

  uniform(shape: readonly number[], low: number, high: number): Tensor {
    return this.#fill(Float32Array, shape, () => low + (high - low) * this.next());
  }

  /** Box-Muller, the first of the two numbers that a pair gives. */
  normal(shape: readonly number[], deviation: number): Tensor {
    return this.#fill(Float32Array, shape, () => {
      const radius = Math.sqrt(-2 * Math.log(1 - this.next()));
      return deviation * radius * Math.cos(2 * Math.PI * this.next());
    });
  }

  /** Whole numbers from 0 to below `end`. */
  integers(shape: readonly number[], end: number): Tensor {
    return this.#fill(Int32Array, shape, () => Math.floor(this.next() * end));
  }

  #fill(
    array: typeof Float32Array | typeof Int32Array,
    shape: readonly number[],
    draw: () => number,
  ): Tensor {
    const size = shape.reduce((product, length) => product * length, 1);
    return fromTypedArray(new array(size).map(draw), shape);
  }
}
