import type { Arithmetic, Body } from "./arithmetic.ts";
import { log1p } from "./functions/logarithm.ts";
import { cos } from "./functions/trigonometric.ts";

/**
 * Counter-based random bits: Threefry-2x32 with 20 rounds (J. K. Salmon, M. A. Moraes, R. O. Dror, D. E. Shaw, Parallel
 * Random Numbers: As Easy as 1, 2, 3, SC 2011). A key and a counter of two words each give two words: no state, so every
 * element of a draw is computed by itself and every engine finds the same bits.
 */
export function threefry<E>(m: WordArithmetic<E>, key0: E, key1: E, counter0: E, counter1: E): [E, E] {
  // The constant that the paper calls the Skein parity.
  const keys = [key0, key1, m.xor(m.xor(key0, key1), 0x1bd11bda)];
  let x0 = m.add(counter0, key0);
  let x1 = m.add(counter1, key1);
  for (let round = 0; round < 20; round++) {
    x0 = m.add(x0, x1);
    const turn = rotations[round % 8]!;
    x1 = m.xor(m.or(m.shiftLeft(x1, turn), m.shiftRight(x1, 32 - turn)), x0);
    if (round % 4 === 3) {
      const injection = (round + 1) / 4;
      x0 = m.add(x0, keys[injection % 3]!);
      x1 = m.add(m.add(x1, keys[(injection + 1) % 3]!), injection);
    }
  }
  return [x0, x1];
}

type WordArithmetic<E> = Pick<Arithmetic<E>, "add" | "xor" | "or" | "shiftLeft" | "shiftRight">;

const rotations = [13, 15, 26, 6, 17, 29, 16, 24];

const integers: WordArithmetic<number> = {
  add: (a, b) => (a + b) | 0,
  xor: (a, b) => a ^ b,
  or: (a, b) => a | b,
  shiftLeft: (a, bits) => a << bits,
  shiftRight: (a, bits) => a >>> bits,
};

/**
 * Two random words, int32, that depend on a key and a counter of two words each and on nothing else: what all draws are made of.
 * (Threefry-2x32 with 20 rounds; J. K. Salmon et al., Parallel Random Numbers: As Easy as 1, 2, 3, SC 2011.)
 *
 * @example
 * ```ts
 * import { randomWords } from "@cotangent/autograd";
 * randomWords(0, 0, 0, 0); // => [ 1797259609, -1715843330 ]
 * ```
 */
export function randomWords(
  key0: number,
  key1: number,
  counter0: number,
  counter1: number,
): [number, number] {
  return threefry(integers, key0 | 0, key1 | 0, counter0 | 0, counter1 | 0);
}

/** A float in [0, 1) from two words: 24 random bits for float32, 53 for float64. */
export const unitInterval: Body = (m, first, second) => {
  if (m.dtype === "float32") return m.mul(m.convert(m.shiftRight(first!, 8), "float32"), 2 ** -24);
  const high = m.convert(m.shiftRight(first!, 5), "float64");
  const low = m.convert(m.shiftRight(second!, 6), "float64");
  return m.mul(m.add(m.mul(high, 2 ** 26), low), 2 ** -53);
};

/** Evenly distributed in [0, 1), for operands (key0, key1, counter0, counter1), all int32. */
export const unit: Body = (m, key0, key1, counter0, counter1) =>
  unitInterval(m, ...threefry(m, key0!, key1!, counter0!, counter1!));

/**
 * Normally distributed with mean 0 and deviation 1 (Box and Muller, Ann. Math. Stat. 29, 1958), for the same operands. A float32 is
 * made of the two words of this counter, a float64 of those of the next one, too.
 */
export const standardNormal: Body = (m, key0, key1, counter0, counter1) => {
  const [first, second] = threefry(m, key0!, key1!, counter0!, counter1!);
  const turn =
    m.dtype === "float32" ? unitInterval(m, second) : unit(m, key0!, key1!, counter0!, m.add(counter1!, 1));
  const radius = m.sqrt(m.mul(log1p(m, m.neg(unitInterval(m, first, second))), -2));
  return m.mul(radius, cos(m, m.mul(turn, 2 * Math.PI)));
};
