/** Derivatives of a function of one number from its values. */

export interface Estimate {
  readonly value: number;
  /** How far `value` may be off: from how estimates of several orders and steps differ, and from rounding. */
  readonly error: number;
}

const levels = 7;

/**
 * The derivative of `f` at 0 by central differences with the steps h, h / 2, h / 4, ..., extrapolated to step 0 (Ridders, Accurate
 * computation of F'(x) and F'(x)F''(x), Advances in Engineering Software 4, 1982). `noise` is how far values of `f` may be off.
 */
export function centralDerivative(f: (h: number) => number, step: number, noise: number): Estimate {
  let best: Estimate = { value: Number.NaN, error: Infinity };
  let before: number[] = [];
  for (let level = 0; level < levels; level++) {
    const h = step * 2 ** -level;
    const row = [(f(h) - f(-h)) / (2 * h)];
    for (let order = 1; order <= level; order++) {
      const factor = 2 ** (2 * order);
      const [better, coarse] = [row[order - 1]!, before[order - 1]!];
      const value = better + (better - coarse) / (factor - 1);
      row.push(value);
      const error = Math.max(Math.abs(value - better), Math.abs(value - coarse)) + noise / h;
      if (error <= best.error) best = { value, error };
    }
    const [last, lastBefore] = [row[level]!, before[level - 1]];
    if (best.error <= 1e-11 * Math.abs(best.value)) break;
    // Rounding has taken over.
    if (lastBefore !== undefined && Math.abs(last - lastBefore) >= 4 * best.error) break;
    before = row;
  }
  return best;
}

/**
 * The derivative of `f` at 0 from one side: from its values at h, 2h and 3h and at half of these, so that a jump at 0 does
 * not count. A negative `h` looks to the left.
 */
export function oneSidedDerivative(f: (h: number) => number, h: number, noise: number): Estimate {
  const parabola = (s: number) => (-5 * f(s) + 8 * f(2 * s) - 3 * f(3 * s)) / (2 * s);
  const [wide, narrow] = [parabola(h), parabola(h / 2)];
  const value = narrow + (narrow - wide) / 3;
  return { value, error: Math.abs(value - narrow) + (16 * noise) / Math.abs(h) };
}
