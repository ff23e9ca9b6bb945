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

  uniform(count: number, low: number, high: number): Float32Array {
    return Float32Array.from({ length: count }, () => low + (high - low) * this.next());
  }
}

/** XOR with a 2-3-1 network: inputs, targets and initial parameters. */
export function xorData(): Record<"x" | "y" | "w1" | "b1" | "w2" | "b2", Float32Array> {
  const source = new Source(1);
  return {
    x: Float32Array.of(0, 0, 0, 1, 1, 0, 1, 1),
    y: Float32Array.of(0, 1, 1, 0),
    w1: source.uniform(6, -1, 1),
    b1: source.uniform(3, -1, 1),
    w2: source.uniform(3, -1, 1),
    b2: source.uniform(1, -1, 1),
  };
}

/** Where the Hessian of the Rosenbrock function is taken. */
export const rosenbrockPoint: Float32Array = Float32Array.from({ length: 10 }, (_, i) => 0.1 * (i + 1) - 0.4);
