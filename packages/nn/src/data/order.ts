import { randomWords, ValueError } from "@cotangent/autograd/functional";

/**
 * The numbers from 0 up to but not including `count` in an order that is a function of `seed` and `round` only (R. A. Fisher and
 * F. Yates 1938, as by R. Durstenfeld, Comm. ACM 7, 1964). Throws ValueError unless the seed is a whole number from 0 to 2^53 - 1.
 */
export function shuffled(name: string, count: number, seed: number, round: number): Int32Array {
  if (!Number.isSafeInteger(seed) || seed < 0)
    throw new ValueError(`${name}: seed is a whole number from 0 to 2^53 - 1, got ${seed}`);
  const out = inOrder(count);
  for (let last = count - 1; last > 0; last--) {
    const [first, second] = randomWords(seed, seed / 2 ** 32, last, round);
    // 53 random bits: no place is favoured by more than 2^-22 of its share.
    const unit = ((first >>> 5) * 2 ** 26 + (second >>> 6)) * 2 ** -53;
    const other = Math.floor(unit * (last + 1));
    const held = out[last]!;
    out[last] = out[other]!;
    out[other] = held;
  }
  return out;
}

/** The numbers from 0 up to but not including `count`. */
export function inOrder(count: number): Int32Array {
  return Int32Array.from({ length: count }, (_, i) => i);
}
