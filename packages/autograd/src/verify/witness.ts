import { forward, reverse } from "../differentiate.ts";
import { CotangentError, StateError } from "../errors.ts";
import type { Tensor } from "../graph.ts";
import { fromElements } from "../ops/leaf.ts";
import { equalShapes, formatShape } from "../shape.ts";
import type { Sequence, Tangent } from "./direction.ts";
import { tensorsOf } from "./direction.ts";
import type { Estimate } from "./extrapolation.ts";
import { centralDerivative, oneSidedDerivative } from "./extrapolation.ts";
import { along, computed, dot, flowOf } from "./flow.ts";
import type { Kink } from "./path.ts";
import { Path } from "./path.ts";
import type { Replay } from "./replay.ts";

export type Verdict = "pass" | "fail" | "inconclusive";

/** The worst of several verdicts. */
export function worstOf(verdicts: readonly { readonly verdict: Verdict }[]): Verdict {
  const has = (verdict: Verdict) => verdicts.some((found) => found.verdict === verdict);
  return has("fail") ? "fail" : has("inconclusive") ? "inconclusive" : "pass";
}

/** Which of three witnesses says something else than the other two: `all` if no two agree. */
export type Dissent = "reverse" | "forward" | "differences" | "all";

/** The derivative of one number along one direction, from three witnesses. */
export interface Witnesses {
  readonly verdict: Verdict;
  readonly reverse: number;
  readonly forward: number;
  readonly differences: number;
  /** How far the differences themselves may be off. */
  readonly uncertainty: number;
  readonly dissent: Dissent | null;
  /** The elements that sit on a kink, a tie or a jump, and how their derivatives fit those of either side. */
  readonly kinks: readonly Kink[];
  /** What made the verdict, in words; null where three numbers say it all. */
  readonly reason: string | null;
}

/** What reverse mode says of `y` weighed by a cotangent: one gradient an input, null for exactly 0. */
export class Pullback {
  readonly cotangent: Float64Array;
  readonly gradients: readonly (ArrayLike<number> | null)[];
  /** What is wrong with the shape of a gradient, if anything. */
  readonly misfit: string | null;

  constructor(replay: Replay, cotangent: Float64Array) {
    const { y, x } = replay;
    const found = attempt(x, () => reverse([y], [fromElements(cotangent, y.shape)], x));
    this.cotangent = cotangent;
    this.misfit = found.misfit && `reverse mode ${found.misfit}`;
    this.gradients = found.values;
  }
}

interface Attempt {
  readonly values: readonly (ArrayLike<number> | null)[];
  readonly misfit: string | null;
}

/** What the rules give, computed: of the shapes of `like`, or else what is wrong with it. */
function attempt(like: readonly Tensor[], rules: () => readonly (Tensor | null)[]): Attempt {
  const values = like.map(() => null);
  try {
    const found = rules();
    const wrong = found.findIndex((g, i) => g !== null && !equalShapes(g.shape, like[i]!.shape));
    if (wrong < 0) return { values: computed(found), misfit: null };
    const [given, wanted] = [found[wrong]!.shape, like[wrong]!.shape].map(formatShape);
    return { values, misfit: `gives shape ${given} where ${wanted} is wanted` };
  } catch (error) {
    if (!(error instanceof CotangentError)) throw error;
    const isOpen = error instanceof StateError;
    return {
      values,
      misfit: isOpen
        ? "cannot be computed: a rule is not linear in what flows through it"
        : `throws: ${error.message}`,
    };
  }
}

/** Random weights of the elements of the result; those that are not finite do not count. */
export function cotangentOf(replay: Replay, random: Sequence): Float64Array {
  const values = replay.result;
  return random.weights(values.length).map((weight, i) => (Number.isFinite(values[i]!) ? weight : 0));
}

interface Judged {
  readonly reverse: number;
  readonly forward: number;
  /** Of the sum of the sizes of all that was added up: what rounding goes by. */
  readonly size: number;
  readonly tolerance: number;
}

/** A direction, and what does not depend on the cotangent: what forward mode says along it, and the values of `y` on the way. */
export class Line {
  readonly t: Tangent;
  /** What forward mode says of `y`, null for exactly 0. */
  readonly pushed: ArrayLike<number> | null;
  /** What is wrong with the shape of that, if anything. */
  readonly misfit: string | null;
  readonly #replay: Replay;
  readonly #values = new Map<number, ArrayLike<number> | null>();
  #path: Path | null = null;

  constructor(replay: Replay, t: Tangent) {
    const { y, x } = replay;
    const found = attempt([y], () => forward([y], x, tensorsOf(t, x)));
    this.t = t;
    this.pushed = found.values[0]!;
    this.misfit = found.misfit && `forward mode ${found.misfit}`;
    this.#replay = replay;
  }

  get path(): Path {
    this.#path ??= new Path(this.#replay, this.t);
    return this.#path;
  }

  /** The values of `y` at `h`, or null where there are none. */
  resultAt(h: number): ArrayLike<number> | null {
    let found = this.#values.get(h);
    if (found === undefined) {
      found = this.path.valuesAt(h)?.at(-1)?.slice() ?? null;
      this.#values.set(h, found);
    }
    return found;
  }
}

/** Asks the three witnesses for the derivative of `y`, weighed by a cotangent, along a direction. */
export function witness(replay: Replay, pullback: Pullback, line: Line, tolerance: number): Witnesses {
  const { y, x } = replay;
  if (pullback.misfit) return unfit("reverse", pullback.misfit);
  if (line.misfit) return unfit("forward", line.misfit);
  const back = along(pullback.gradients, line.t);
  const forth = dot(line.pushed, pullback.cotangent);
  const size = back.size + forth.size;
  const { size: whole } = dot(replay.result, pullback.cotangent);
  const judged: Judged = {
    reverse: back.value,
    forward: forth.value,
    // Where the rules say exactly 0 the differences are 0 but for the rounding of the values.
    size: size === 0 ? whole / 10 : size,
    tolerance,
  };
  const found = judge(judged, line, pullback.cotangent);
  if (found.verdict === "pass") return found;
  // Where everything cancels only rounding is left: what flows on the way says how much of it to expect.
  const flow = flowOf(y, x, pullback.cotangent, line.t);
  return flow > judged.size ? judge({ ...judged, size: flow }, line, pullback.cotangent) : found;
}

function unfit(dissent: Dissent, reason: string): Witnesses {
  const { NaN: none } = Number;
  return {
    verdict: "fail",
    reverse: none,
    forward: none,
    differences: none,
    uncertainty: none,
    dissent,
    kinks: [],
    reason,
  };
}

function judge(judged: Judged, line: Line, cotangent: Float64Array): Witnesses {
  const { reverse, forward } = judged;
  const { path } = line;
  const common = { reverse, forward, kinks: path.kinks };
  const unbound = path.kinks.find((kink) => !isBetween(kink, judged.tolerance));
  if (unbound)
    return {
      ...common,
      ...{ verdict: "fail", dissent: "differences" },
      differences: unbound.tangent < unbound.left.value ? unbound.left.value : unbound.right.value,
      uncertainty: unbound.left.error + unbound.right.error,
      reason: "at a kink the derivative lies outside those of either side",
    };
  const found = estimate(judged, line, cotangent);
  const { value: differences, error: uncertainty } = found;
  return { ...common, differences, uncertainty, ...verdictOf(judged, found, path) };
}

/** Does what the rules say at a kink lie between the derivatives of either side? What these cannot tell, or NaN, counts as yes. */
function isBetween({ left, right, tangent }: Kink, tolerance: number): boolean {
  if (!Number.isFinite(left.value) || !Number.isFinite(right.value) || Number.isNaN(tangent)) return true;
  const [low, high] = [Math.min(left.value, right.value), Math.max(left.value, right.value)];
  const slack =
    normal +
    4 * (left.error + right.error) +
    Math.max(1e-5, tolerance) * Math.max(Math.abs(low), Math.abs(high), Math.abs(tangent));
  return tangent >= low - slack && tangent <= high + slack;
}

/**
 * Finite differences, with smaller steps where the first ones do not settle or do not agree. What no two steps say counts for
 * nothing: the steps may be longer than the waves of the function.
 */
function estimate(judged: Judged, line: Line, cotangent: Float64Array): Estimate {
  const nothing: Estimate = { value: Number.NaN, error: Infinity };
  const { path } = line;
  if (path.step === 0) return nothing;
  const weighed = (h: number): number => {
    const values = line.resultAt(h);
    return values ? dot(values, cotangent).value : Number.NaN;
  };
  const { size } = dot(path.replay.result, cotangent);
  const found: Estimate[] = [];
  // A step by which the function should change by a tenth of its size, if the rules are right.
  const natural = (0.1 * size) / Math.abs(judged.forward);
  const steps = [1, 1 / 16, 1 / 256, 2 ** -14].map((part) => part * path.step);
  if (natural < steps[3]! && natural > 0) steps.push(natural);
  for (const step of steps) {
    const made = centralDerivative(weighed, step, 2 ** -52 * size);
    if (isSettled(judged, made) && isNear(judged.forward, made, judged)) return made;
    found.push(made);
  }
  const settled = found.filter((made) => isSettled(judged, made)).sort((a, b) => a.error - b.error);
  const confirmed = settled.find((a) => settled.some((b) => a !== b && isNear(b.value, a, judged)));
  // So short that it leads nowhere near a pole that would explain the slope.
  const short = Math.max(2 ** -48, (0.01 * size) / judged.size);
  if (confirmed && !(short < steps[3]! && isAliased(weighed, short, confirmed, judged))) return confirmed;
  return { ...(settled[0] ?? found[0] ?? nothing), error: Infinity };
}

/**
 * Steps over many waves of a function agree on next to nothing. Then a step that is short enough for what the rules say goes about as they
 * say; if they are wrong it goes as the others.
 */
function isAliased(
  f: (h: number) => number,
  step: number,
  { value }: Estimate,
  { forward }: Judged,
): boolean {
  const slope = (f(step) - f(-step)) / (2 * step);
  const gap = Math.abs(slope - value);
  return gap > 0.1 * Math.max(Math.abs(forward), Math.abs(value)) && Math.abs(slope - forward) < 0.5 * gap;
}

/** Smaller numbers have too few digits to be compared. */
const normal = 2 ** -1022;

/** Are the differences sure enough to tell a right derivative from a wrong one? */
function isSettled(judged: Judged, { value, error }: Estimate): boolean {
  return error <= 1e-5 * Math.max(scaleOf(judged), Math.abs(value));
}

/** What a difference is measured against. */
function scaleOf({ reverse, forward, size }: Judged): number {
  const finite = [Math.abs(reverse), Math.abs(forward), 1e-3 * size].filter(Number.isFinite);
  return Math.max(Number.MIN_VALUE, ...finite);
}

function isNear(x: number, { value, error }: Estimate, judged: Judged): boolean {
  const scale = Math.max(scaleOf(judged), Math.abs(value));
  return Math.abs(x - value) <= judged.tolerance * scale + 4 * error + normal;
}

function verdictOf(
  judged: Judged,
  found: Estimate,
  path: Path,
): Pick<Witnesses, "verdict" | "dissent" | "reason"> {
  const { reverse, forward, tolerance } = judged;
  const modes =
    Math.abs(reverse - forward) <= tolerance * scaleOf(judged) + normal || Object.is(reverse, forward);
  const unsure = !isSettled(judged, found);
  if (modes && !Number.isFinite(reverse)) {
    const reason = `the derivative by the rules is ${reverse}`;
    return unsure
      ? { verdict: "inconclusive", dissent: null, reason }
      : { verdict: "fail", dissent: "differences", reason };
  }
  const strange = [reverse, forward].find((x) => !Number.isFinite(x));
  if (strange !== undefined && (unsure || !path.replay.result.every(Number.isFinite)))
    return { verdict: "inconclusive", dissent: null, reason: `the derivative by the rules is ${strange}` };
  const [back, forth] = [isNear(reverse, found, judged), isNear(forward, found, judged)];
  if (modes && unsure) return { verdict: "inconclusive", dissent: null, reason: whyUnsure(path) };
  if (modes && back && forth) return { verdict: "pass", dissent: null, reason: null };
  const dissent = modes ? "differences" : unsure ? "all" : back ? "forward" : forth ? "reverse" : "all";
  return { verdict: "fail", dissent, reason: null };
}

function whyUnsure({ step, shortened }: Path): string {
  if (step === 0 && shortened === "domain") return "the function is not finite right beside this point";
  if (step === 0) return "the function has kinks or jumps wherever this direction leads";
  if (shortened === "domain") return "the end of the domain is too near for finite differences";
  return "finite differences do not settle";
}

/** The derivatives to the left and to the right of `y`, weighed by `cotangent`, along `t`, as it is: for the report. */
export function sides(
  replay: Replay,
  cotangent: Float64Array,
  t: Tangent,
): { left: Estimate; right: Estimate } {
  const h = 2 ** -16;
  const along = (at: number): number => {
    const values = replay.valuesAt(at, t);
    return values ? dot(values[values.length - 1]!, cotangent).value : Number.NaN;
  };
  return { left: oneSidedDerivative(along, -h, 0), right: oneSidedDerivative(along, h, 0) };
}
