import type { Tensor } from "../graph.ts";
import { elementsOf } from "../graph.ts";
import { fromElements } from "../ops/leaf.ts";

/**
 * Random numbers for directions and cotangents, apart from the generators of the model: SplitMix32 (Steele, Lea and Flood
 * 2014) with the constants of Ettinger's search.
 */
export class Sequence {
  #state: number;
  constructor(seed: number) {
    this.#state = seed | 0;
  }
  /** A number from 0 up to but not including 1. */
  next(): number {
    this.#state = (this.#state + 0x9e3779b9) | 0;
    let z = this.#state;
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return ((z ^ (z >>> 15)) >>> 0) / 2 ** 32;
  }
  /** A number between 0.25 and 1, of either sign: no direction misses an element, and none sees all alike. */
  signed(): number {
    const sign = this.next() < 0.5 ? -1 : 1;
    return sign * (0.25 + 0.75 * this.next());
  }
  /** `size` of them. */
  weights(size: number): Float64Array {
    return Float64Array.from({ length: size }, () => this.signed());
  }
}

/** How far a direction moves each element of an input: as far as the input is large, or as the element itself is. */
export type Scale = "input" | "element";

/** A direction: how far each element of each input moves; null for an input that does not. */
export type Tangent = readonly (Float64Array | null)[];

/** A direction at `x` through all inputs, or through one `only`, of the size of its values: so steps suit inputs of any scale. */
export function directionAt(
  x: readonly Tensor[],
  random: Sequence,
  scale: Scale = "input",
  only: number | null = null,
): Tangent {
  return x.map((input, i) => (only === null || only === i ? stepsAt(input, random, scale) : null));
}

/** Below this, numbers have too few digits to move by small parts of themselves: they count as 0. */
const least = 2 ** -1000;

function stepsAt(x: Tensor, random: Sequence, scale: Scale): Float64Array {
  const values = elementsOf(x)!;
  const largest = largestOf(values);
  const size = largest > least ? largest : 1;
  return random.weights(values.length).map((weight, i) => {
    const own = Math.abs(values[i]!);
    return weight * (scale === "element" && own > least && Number.isFinite(own) ? own : size);
  });
}

/** A direction as tensors of the shapes of the inputs. */
export function tensorsOf(t: Tangent, x: readonly Tensor[]): Tensor[] {
  return x.map((input, i) => fromElements(t[i] ?? new Float64Array(input.size), input.shape));
}

function largestOf(values: ArrayLike<number>): number {
  let largest = 0;
  for (let i = 0; i < values.length; i++) {
    const size = Math.abs(values[i]!);
    if (size > largest && size < Infinity) largest = size;
  }
  return largest;
}
