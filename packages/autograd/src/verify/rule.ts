import type { TypedArray } from "../dtype.ts";
import { isFloat } from "../dtype.ts";
import { apply, elementsOf } from "../graph.ts";
import { fromElements } from "../ops/leaf.ts";
import { rebuild } from "../rebuild.ts";
import { indexOf } from "../shape.ts";
import { topology } from "../topology.ts";
import { assignedOp } from "../variable.ts";
import type { Sequence } from "./direction.ts";
import { directionAt } from "./direction.ts";
import { Replay } from "./replay.ts";
import type { Dissent, Verdict, Witnesses } from "./witness.ts";
import { cotangentOf, Line, Pullback, sides, witness } from "./witness.ts";

/** A derivative rule that is wrong for one operand of one node, with the values that show it. */
export interface Fault {
  readonly op: string;
  /** The number of the node in the graph that was checked. */
  readonly node: number;
  /** From 0; of a `customGradient` the argument of its function. Null where no rule is wrong, but derivatives by something that the op is computed from are 0 by definition. */
  readonly operand: number | null;
  /** 1 if what the rule gives is wrong; more if that is right, and wrong when it is differentiated again, so many times in all. */
  readonly order: number;
  readonly dissent: Dissent;
  /** The element of an operand where the rule is farthest off; null if there is not one. */
  readonly element: FaultyElement | null;
  /** What else there is to say: a shape that does not fit, a kink, what the rule does that it should not. */
  readonly reason: string | null;
}

/** One element of an operand: where, its value, and what the witnesses say of one element of the result by it. */
export interface FaultyElement {
  /** That of the fault; for orders above 1 the one by which the rule was differentiated, null for what flows through it. */
  readonly operand: number | null;
  readonly index: readonly number[];
  readonly value: number;
  /** The element of the result. */
  readonly result: readonly number[];
  readonly reverse: number;
  readonly forward: number;
  readonly differences: number;
  readonly uncertainty: number;
}

/** What became of the check of one node. */
export interface RuleCheck {
  readonly verdict: Verdict;
  readonly fault: Fault | null;
}

/**
 * Checks the own rules of node `n` of a replay with its actual inputs: each operand becomes a leaf, and the three witnesses are
 * asked about this one op. Operands that are `known` to be wrong are left out.
 */
export function checkRule(
  replay: Replay,
  n: number,
  random: Sequence,
  tolerance: number,
  known: readonly (number | null)[],
): RuleCheck {
  const { alone: local, operands } = isolated(replay, n);
  const { op } = replay.order.nodes[n]!;
  let verdict: Verdict = "pass";
  for (const [i, operand] of operands.entries()) {
    if (known.includes(operand)) continue;
    // By this operand alone: a rule that does not fit another one is not to be blamed on it.
    const alone = local.by(i);
    const found = checkOperand(alone, 0, random, tolerance);
    if (found.verdict === "inconclusive") verdict = "inconclusive";
    if (found.verdict !== "fail") continue;
    const common = { op: op.name, node: n, order: 1, dissent: found.dissent! };
    const end = op === assignedOp ? assignment : operand === null ? capture : null;
    if (end) return { verdict: "fail", fault: { ...common, operand: null, element: null, reason: end } };
    const isMeasured = found.reason === null || found.kinks.length > 0;
    const element = isMeasured ? worstElement(alone, 0, operand, random, tolerance) : null;
    // By itself the worst element is right: the steps were too long for it, such as over a pole or a kink.
    if (element && found.dissent === "differences" && isRight(element, tolerance)) verdict = "inconclusive";
    else {
      const reason = found.reason ?? (isBent(alone, random) ? undeclared : null);
      return { verdict: "fail", fault: { ...common, operand, element, reason } };
    }
  }
  return { verdict, fault: null };
}

/** Is this one opaque op, which declares no kink, on one? */
function isBent(alone: Replay, random: Sequence): boolean {
  const { kernel, kink } = alone.y.op;
  if (kernel.kind !== "opaque" || kink !== undefined) return false;
  const { left, right } = sides(alone, cotangentOf(alone, random), directionAt(alone.x, random, "element"));
  const size = Math.max(Math.abs(left.value), Math.abs(right.value));
  return Math.abs(left.value - right.value) > 1e-3 * size + left.error + right.error;
}

function isRight({ reverse, forward, differences, uncertainty }: FaultyElement, tolerance: number): boolean {
  const slack = tolerance * Math.abs(differences) + 4 * uncertainty;
  const isNear = (x: number) => Math.abs(x - differences) <= slack;
  return Number.isFinite(uncertainty) && isNear(reverse) && isNear(forward);
}

const undeclared =
  "its derivatives on either side of this point are not the same: if that is a kink, declare it by `kink: true`";
const assignment =
  "derivatives end where a variable is assigned: use the value that is assigned, and not the variable";
const capture =
  "its function uses something that it does not take as an input, and derivatives by that are 0: take it as an input, or pass it " +
  "through stopGradient if 0 is meant";

/**
 * One op on leaves; which operand each input is, null for an input of the check that the op uses without taking it. Those of a function
 * with a rule of its own count from its first argument, as users count them.
 */
export interface Isolated {
  readonly alone: Replay;
  readonly operands: readonly (number | null)[];
}

/**
 * Node `n` alone: an op on leaves with the values of its operands, each a leaf of its own even if two are one tensor. Only
 * operands that an input moves count: nobody has asked about the others. A function with a rule of its own may also use inputs of
 * the check past its operands.
 */
export function isolated(replay: Replay, n: number): Isolated {
  const { nodes, starts, edges } = replay.order;
  const node = nodes[n]!;
  const leaves = replay.operandsAsLeaves(n);
  const counts = (i: number) => isFloat(leaves[i]!.dtype) && replay.moving[edges[starts[n]! + i]!] === 1;
  const moved = [...leaves.keys()].filter(counts);
  if (node.op.meaning !== "first") {
    const out = apply(node.op, leaves, node.attributes);
    const x = moved.map((i) => leaves[i]!);
    return { alone: new Replay(out, x, new Set()), operands: moved };
  }
  // The rule is about how operand 0 is computed from the others.
  const taken = node.inputs.slice(1);
  const { nodes: used } = topology([node.inputs[0]!], (x) => taken.includes(x));
  const captured = replay.x.filter((input) => used.includes(input) && !taken.includes(input));
  const from = new Map(taken.map((input, i) => [input, leaves[i + 1]!]));
  for (const input of captured) from.set(input, fromElements(elementsOf(input)!, input.shape));
  const [out] = rebuild([node], from);
  const operands = moved.filter((i) => i > 0);
  const x = [...operands.map((i) => node.inputs[i]!), ...captured].map((input) => from.get(input)!);
  return {
    alone: new Replay(out!, x),
    operands: [...operands.map((i) => i - 1), ...captured.map(() => null)],
  };
}

/** Two random directions along one operand: the first that fails, or else the last. */
export function checkOperand(local: Replay, i: number, random: Sequence, tolerance: number): Witnesses {
  let worst: Witnesses | null = null;
  for (const scale of ["input", "element", "input"] as const) {
    const t = directionAt(local.x, random, scale, i);
    const pullback = new Pullback(local, cotangentOf(local, random));
    const found = witness(local, pullback, new Line(local, t), tolerance);
    if (found.verdict === "fail") return found;
    if (!worst || found.verdict === "pass") worst = found;
  }
  return worst!;
}

/**
 * The entry of the Jacobian by input `i`, which is this operand, where the rule and the truth are farthest apart: by halving the set of elements that move, and then
 * the set of results that count.
 */
export function worstElement(
  local: Replay,
  i: number,
  operand: number | null,
  random: Sequence,
  tolerance: number,
): FaultyElement | null {
  const leaf = local.x[i]!;
  const weights = cotangentOf(local, random);
  const steps = directionAt(local.x, random, "input", i)[i]!;
  const moving = (span: Span) =>
    new Line(
      local,
      local.x.map((_, k) => (k === i ? within(steps, span) : null)),
    );
  const whole = new Pullback(local, weights);
  const moved = narrowed([0, steps.length], (span) => gap(witness(local, whole, moving(span), tolerance)));
  let line = moving(moved);
  const ask = (span: Span) => witness(local, new Pullback(local, within(weights, span)), line, tolerance);
  const counted = narrowed([0, weights.length], (span) => gap(ask(span)));
  if (!(gap(ask(counted)) > 0)) return null;
  // Steps of its own size stay on its side of a pole or a kink.
  steps.set(directionAt(local.x, random, "element", i)[i]!);
  line = moving(moved);
  const found = ask(counted);
  const values: TypedArray = local.base[local.numbers[i]!] ?? new Float64Array(leaf.size);
  const size = steps[moved[0]]! * weights[counted[0]]!;
  return {
    operand,
    index: indexOf(moved[0], leaf.shape),
    value: values[moved[0]]!,
    result: indexOf(counted[0], local.y.shape),
    reverse: found.reverse / size,
    forward: found.forward / size,
    differences: found.differences / size,
    uncertainty: Math.abs(found.uncertainty / size),
  };
}

/** The elements from the first number up to the second. */
type Span = readonly [from: number, to: number];

const within = (x: Float64Array, [from, to]: Span): Float64Array =>
  x.map((value, k) => (k >= from && k < to ? value : 0));

/** The one element of a span that has most of the size, by halves. */
function narrowed([from, to]: Span, sizeOf: (span: Span) => number): Span {
  if (to - from <= 1) return [from, to];
  const middle = (from + to) >> 1;
  const [left, right]: Span[] = [
    [from, middle],
    [middle, to],
  ];
  return narrowed(sizeOf(left!) >= sizeOf(right!) ? left! : right!, sizeOf);
}

/** How far apart the witnesses are; infinite if one is NaN. */
function gap({ reverse, forward, differences }: Witnesses): number {
  const widest = Math.max(
    Math.abs(reverse - forward),
    Math.abs(reverse - differences),
    Math.abs(forward - differences),
  );
  return Number.isNaN(widest) ? Infinity : widest;
}
