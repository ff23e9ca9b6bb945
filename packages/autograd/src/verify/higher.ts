import { forward, reverse } from "../differentiate.ts";
import type { Tensor } from "../graph.ts";
import { fromElements, zerosLike } from "../ops/leaf.ts";
import { rebuild } from "../rebuild.ts";
import { equalShapes } from "../shape.ts";
import { nudged } from "./call.ts";
import type { Sequence } from "./direction.ts";
import { computed } from "./flow.ts";
import { mostFaults, openNodes, type Search } from "./locate.ts";
import { Replay } from "./replay.ts";
import type { Fault } from "./rule.ts";
import { checkOperand, isolated, worstElement } from "./rule.ts";
import { derivative } from "./survey.ts";
import type { Verdict } from "./witness.ts";

/** Rules that are right and cannot be differentiated again. */

/**
 * Checks what becomes of the rules of every node that an input moves when they are differentiated, `order` times in all: each op by
 * itself, with its actual operands.
 */
export function locateHigher(primal: Replay, order: number, random: Sequence, tolerance: number): Search {
  const faults: Fault[] = [];
  let verdict: Verdict = "pass";
  for (const n of openNodes(primal)) {
    const { op } = primal.order.nodes[n]!;
    const isKnown = faults.some((fault) => primal.order.nodes[fault.node]!.op === op);
    if (faults.length === mostFaults || isKnown) continue;
    const { alone, operands } = isolated(primal, n);
    for (const rule of rulesOf(alone, operands, order, random)) {
      const found = checkDerivative(rule, alone, operands, random, tolerance);
      if (found.verdict === "inconclusive") verdict = "inconclusive";
      if (!found.fault) continue;
      faults.push({ op: op.name, node: n, operand: rule.operand, order, ...found.fault });
      break;
    }
  }
  return { verdict: faults.length > 0 ? "fail" : verdict, faults };
}

/** What the rule for an operand gives, as a function of the operands and of what flows through it; null if it reads values. */
interface RuleGraph {
  readonly operand: number;
  readonly graph: Replay | null;
}

/** The rules of an op in both modes, differentiated until one derivative is left to take. */
function* rulesOf(
  { y, x, order: own }: Replay,
  operands: readonly (number | null)[],
  order: number,
  random: Sequence,
): Generator<RuleGraph> {
  for (const [i, input] of x.entries()) {
    const operand = operands[i]!;
    if (operand === null) continue;
    if (readsValues(y, [input], random)) yield { operand, graph: null };
    for (const mode of ["forward", "reverse"] as const) {
      const like = mode === "forward" ? input : y;
      const flow = fromElements(random.weights(like.size), like.shape);
      const found = mode === "forward" ? forward([y], [input], [flow])[0] : reverse([y], [flow], [input])[0];
      if (!found) continue;
      const modes = Array.from({ length: order - 2 }, () => mode);
      const graph = new Replay(derivative(found, [input], modes, random), [...x, flow], new Set(own.nodes));
      yield { operand, graph };
    }
  }
}

type FaultFound = Pick<Fault, "dissent" | "element" | "reason">;

/** The derivative of a rule by each operand, and by what flows through it. */
function checkDerivative(
  { graph }: RuleGraph,
  alone: Replay,
  operands: readonly (number | null)[],
  random: Sequence,
  tolerance: number,
): { readonly verdict: Verdict; readonly fault: FaultFound | null } {
  if (!graph) return { verdict: "fail", fault: { dissent: "differences", element: null, reason: reading } };
  const why = whyWrong(graph, alone);
  let verdict: Verdict = "pass";
  for (const k of graph.x.keys()) {
    const found = checkOperand(graph, k, random, tolerance);
    // Where a rule uses ordinary ops only, these have been checked.
    if (found.verdict === "inconclusive" && why) verdict = "inconclusive";
    if (found.verdict !== "fail") continue;
    const element = found.reason ? null : worstElement(graph, k, operands[k] ?? null, random, tolerance);
    return { verdict: "fail", fault: { dissent: found.dissent!, element, reason: found.reason ?? why } };
  }
  return { verdict, fault: null };
}

const reading = "it reads values (item, toArray): they are constants when the rule is differentiated";

/** What a rule should not do, if it does. */
function whyWrong({ order, moving }: Replay, alone: Replay): string | null {
  const used = order.nodes.find(({ op }, n) => moving[n] && op.meaning === "intended");
  return used && !alone.order.nodes.includes(used)
    ? `it uses ${used.op.name}, whose derivative is not that of its values`
    : null;
}

/** Does the gradient of `y` depend on values that its graph takes for constants? Then it is another one when it is built nearby. */
export function readsValues(y: Tensor, x: readonly Tensor[], random: Sequence): boolean {
  const cotangent = fromElements(random.weights(y.size), y.shape);
  const gradients = (out: Tensor, by: readonly Tensor[]) =>
    reverse([out], [cotangent], by).map((g, i) => g ?? zerosLike(by[i]!));
  const near = x.map((input) => nudged(input, random));
  const places = new Map(x.map((input, i) => [input, near[i]!]));
  const replayed = rebuild(gradients(y, x), places);
  const built = gradients(rebuild([y], places)[0]!, near);
  if (built.some((g, i) => !equalShapes(g.shape, replayed[i]!.shape))) return true;
  const [left, right] = [computed(replayed), computed(built)];
  return left.some((g, i) => differs(g!, right[i]!));
}

/** By more than rounding? */
function differs(a: ArrayLike<number>, b: ArrayLike<number>): boolean {
  let [gap, size] = [0, 0];
  for (let i = 0; i < a.length; i++) {
    size = Math.max(size, Math.abs(a[i]!));
    gap = Math.max(gap, Math.abs(a[i]! - b[i]!));
  }
  return gap > 1e-9 * size;
}
