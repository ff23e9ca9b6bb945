/** What a function is at `t` along a line: its value, its gradient and the slope along the line. */
export interface Point {
  readonly t: number;
  readonly value: number;
  readonly gradient: Float64Array;
  readonly slope: number;
}

export interface LineSearch {
  /** The function at `t`. */
  readonly at: (t: number) => Point;
  /** The function at 0, where it falls. */
  readonly start: Point;
  /** What to try first. */
  readonly first: number;
  /** A bracket shorter than this is not searched further. */
  readonly shortest: number;
  /** How many points may be tried after the first; 25 unless given. */
  readonly tries?: number | undefined;
}

/** How much of the fall that the slope promises is enough, and how much of the slope may be left. */
const [enough, left] = [1e-4, 0.9];

/**
 * A point that fulfills the strong Wolfe conditions, by bracketing and then narrowing (Nocedal and Wright 2006, "Numerical
 * optimization", algorithms 3.5 and 3.6), or the lowest end of the bracket when the tries are used up. The choices that
 * the book leaves open are those of PyTorch's LBFGS.
 */
export function strongWolfe({ at, start, first, shortest, tries = 25 }: LineSearch): Point {
  // NaN is high too.
  const isHigh = ({ t, value }: Point) => !(value <= start.value + enough * t * start.slope);
  const isFlat = ({ slope }: Point) => Math.abs(slope) <= -left * start.slope;
  let [before, point] = [start, at(first)];
  let used = 0;
  for (; used < tries; used++) {
    if (isHigh(point) || (used > 1 && point.value >= before.value)) break;
    if (isFlat(point)) return point;
    if (point.slope >= 0) break;
    const next = cubicMinimum(before, point, point.t + 0.01 * (point.t - before.t), 10 * point.t);
    [before, point] = [point, at(next)];
  }
  if (used === tries) before = start;
  let [low, high] = point.value < before.value ? [point, before] : [before, point];
  for (let stuck = false; used < tries; used++) {
    if (Math.abs(high.t - low.t) < shortest) break;
    const trial = apart(cubicMinimum(low, high), low.t, high.t, stuck);
    stuck = trial.stuck;
    point = at(trial.t);
    if (isHigh(point) || point.value >= low.value) {
      high = point;
      if (high.value < low.value) [low, high] = [high, low];
    } else {
      if (isFlat(point)) return point;
      if (point.slope * (high.t - low.t) >= 0) high = low;
      low = point;
    }
  }
  return low;
}

/** Keeps `t` a tenth of the bracket away from its ends, if it comes near one for the second time or lies outside. */
function apart(
  t: number,
  a: number,
  b: number,
  stuck: boolean,
): { readonly t: number; readonly stuck: boolean } {
  const [from, to] = [Math.min(a, b), Math.max(a, b)];
  const margin = 0.1 * (to - from);
  if (Math.min(to - t, t - from) >= margin) return { t, stuck: false };
  if (!stuck && t < to && t > from) return { t, stuck: true };
  return { t: Math.abs(t - to) < Math.abs(t - from) ? to - margin : from + margin, stuck: false };
}

/**
 * Where the cubic with the values and slopes of two points is least, between `from` and `to`, which are the points unless
 * given (Nocedal and Wright 2006, equation 3.59); their middle where it has no least value or one of the points is not finite.
 */
function cubicMinimum(one: Point, other: Point, from?: number, to?: number): number {
  const [a, b] = one.t <= other.t ? [one, other] : [other, one];
  const [least, most] = [from ?? a.t, to ?? b.t];
  const middle = a.slope + b.slope - (3 * (a.value - b.value)) / (a.t - b.t);
  const root = Math.sqrt(middle * middle - a.slope * b.slope);
  const t = b.t - (b.t - a.t) * ((b.slope + root - middle) / (b.slope - a.slope + 2 * root));
  return Number.isNaN(t) ? (least + most) / 2 : Math.min(Math.max(t, least), most);
}
