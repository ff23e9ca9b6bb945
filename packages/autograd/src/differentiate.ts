import { isFloat } from "./dtype.ts";
import { GradientError } from "./errors.ts";
import type { Derivative, Partial } from "./graph.ts";
import { apply, arityOf, derivativeOf, operandOf, Tensor, watching } from "./graph.ts";
import { describe, placeholder, zerosLike } from "./ops/leaf.ts";
import { add, chain, mul, neg } from "./ops/pointwise.ts";
import { checkResults, findTargets, isEnd, markDependents, valueOf } from "./reach.ts";
import { equalShapes, formatShape } from "./shape.ts";
import type { Topology } from "./topology.ts";
import { numberIn, release, topology } from "./topology.ts";
import { total } from "./total.ts";

/**
 * Differentiation maps graphs to graphs. Each op states one fact per operand (a `Derivative`). From these facts `reverse` lets
 * cotangents flow from the outputs back to the operands, and `forward` lets tangents flow from the operands to the outputs. Both walk
 * the graph once and make ordinary nodes.
 */

/** The use of a rule: that of the node `out` for its operand number `operand`. */
export interface RuleUse {
  readonly out: Tensor;
  readonly operand: number;
}

// The use of a rule that makes nodes now, if one does, for `withMakers`. Two variables, not a `RuleUse`: differentiation would
// allocate one for each edge of the graph.
let ruling: Tensor | null = null;
let ruledOperand = 0;

/** The use of a rule that made each node. */
const makers = /* @__PURE__ */ new WeakMap<Tensor, RuleUse>();

/** Runs `f` and remembers for every node that it makes which use of a rule made it, if one did. */
export function withMakers<T>(f: () => T): T {
  // An error may have left the last one here.
  ruling = null;
  return watching((x) => {
    if (ruling) makers.set(x, { out: ruling, operand: ruledOperand });
  }, f);
}

/** The use of a rule that made `x`, if `withMakers` has seen one. */
export function makerOf(x: Tensor): RuleUse | null {
  return makers.get(x) ?? null;
}

/** What flows back to operand `i` of `out`, which is node `n` of a walk, by `rule` from the cotangent `g` of `out`. */
type PullBack = (rule: Derivative, g: Tensor, out: Tensor, i: number, n: number) => Tensor | null;

/** How rules are applied in a walk, where `flow` is what has flown back to each node: as they are, until `useStandIns` is called. */
let pullBackIn: (order: Topology, flow: readonly (Tensor | Parts | null)[]) => PullBack = () => pullBack;

/** The node that rules are shown in the place of node `n` of a walk. */
export type StandIn = (n: number) => Tensor;

/** What has flown back to node `n` so far. */
export type Flow = (n: number) => readonly Tensor[];

/**
 * From now on rules are shown other nodes in the place of those of a walk, if `find` gives any for it: nodes that compute a
 * `checkpoint` again. Bundles without `checkpoint` carry none of this.
 */
export function useStandIns(find: (order: Topology, flow: Flow) => StandIn | null): void {
  pullBackIn = (order, flow) => {
    const standIn = find(order, (n) => partsOf(flow[n] ?? null));
    if (!standIn) return pullBack;
    return (rule, cotangent, _, i, n) => {
      // The stand-in is made by no rule.
      const use = ruling;
      ruling = null;
      const shown = standIn(n);
      ruling = use;
      return pullBack(rule, cotangent, shown, i);
    };
  };
}

/** Reverse mode: for each target the sum of `cotangents[i]` times the derivative of `outputs[i]` by it; null is exactly 0. */
export function reverse(
  outputs: readonly Tensor[],
  cotangents: readonly Tensor[],
  targets: readonly Tensor[],
  isLeaf: (x: Tensor) => boolean = isConstant,
  caller = "grad",
): (Tensor | null)[] {
  oldest = oldestOf(targets);
  const order = topology(outputs, isLeaf);
  const { nodes, starts, edges } = order;
  const targetNumbers = findTargets(order, outputs, targets, caller);
  const isDependent = markDependents(order, targetNumbers);
  /** What has flown back to each node: all of it once the walk has come to the node, since its uses come before it then. */
  const flow = new Array<Tensor | Parts | null>(nodes.length).fill(null);
  outputs.forEach((y, i) => {
    const n = numberIn(order, y);
    flow[n] = withPart(flow[n]!, cotangents[i]!);
  });
  checkResults(order, outputs, targets, caller);
  const name = outputs[0]?.label ?? "L";
  const outer = [ruling, ruledOperand] as const;
  const pull = pullBackIn(order, flow);
  for (let n = nodes.length - 1; n >= 0; n--) {
    const out = nodes[n]!;
    if (!isDependent[n]) continue;
    const cotangent = sumOf(flow[n]!);
    if (!cotangent) continue;
    flow[n] = cotangent;
    if (out.label !== null && cotangent.label === null && !cotangents.includes(cotangent))
      cotangent.named(`d${name}/d${out.label}`);
    for (let k = starts[n]!, i = 0; k < starts[n + 1]!; k++, i++) {
      const input = edges[k]!;
      if (!isDependent[input]) continue;
      ruling = out;
      ruledOperand = i;
      const part = pull(derivativeOf(out.op, i), cotangent, out, i, n);
      if (part) flow[input] = withPart(flow[input]!, checkedShape(part, nodes[input]!, out));
    }
  }
  [ruling, ruledOperand] = outer;
  release(order);
  return targetNumbers.map((n) => sumOf(flow[n] ?? null));
}

/** `made`, which a rule of `out` gave. Throws GradientError unless it has the shape of `like`: rules of users may be wrong. */
function checkedShape(made: Tensor, like: Tensor, out: Tensor): Tensor {
  if (made instanceof Tensor && equalShapes(made.shape, like.shape)) return made;
  const given = made instanceof Tensor ? `shape ${formatShape(made.shape)}` : describe(made);
  throw new GradientError(`${out.op.name}: a derivative rule gives ${given}, not ${formatShape(like.shape)}`);
}

/** What flowed back to a node from several uses, not yet added up, and the last of these uses: it counts as the maker of the sum. */
interface Parts {
  readonly parts: Tensor[];
  out: Tensor | null;
  operand: number;
}

function withPart(flow: Tensor | Parts | null, part: Tensor): Tensor | Parts {
  if (flow === null) return part;
  const all = flow instanceof Tensor ? { parts: [flow], out: ruling, operand: ruledOperand } : flow;
  all.parts.push(part);
  all.out = ruling;
  all.operand = ruledOperand;
  return all;
}

function partsOf(flow: Tensor | Parts | null): readonly Tensor[] {
  return flow === null ? [] : flow instanceof Tensor ? [flow] : flow.parts;
}

function sumOf(flow: Tensor | Parts | null): Tensor | null {
  if (flow === null || flow instanceof Tensor) return flow;
  ruling = flow.out;
  ruledOperand = flow.operand;
  return total(flow.parts);
}

/** Forward mode: the derivative of each output along `tangents`, one for each of `inputs`; null is exactly 0. */
export function forward(
  outputs: readonly Tensor[],
  inputs: readonly Tensor[],
  tangents: readonly Tensor[],
): (Tensor | null)[] {
  oldest = oldestOf(inputs);
  const order = topology(outputs, isConstant);
  const { nodes, starts, edges } = order;
  const outputNumbers = outputs.map((y) => numberIn(order, y));
  /** The tangent of each node. */
  const t = new Array<Tensor | null>(nodes.length).fill(null);
  const outer = [ruling, ruledOperand] as const;
  /** Is the tangent of the node given? Then it is not computed, whatever the node is made of. */
  const given = new Uint8Array(nodes.length);
  findTargets(order, outputs, inputs, "pushforward").forEach((n, i) => {
    if (n < 0) return;
    t[n] = plus(t[n]!, tangents[i]!);
    given[n] = 1;
  });
  checkResults(order, outputs, inputs, "pushforward");
  for (let n = 0; n < nodes.length; n++) {
    if (given[n] || starts[n] === starts[n + 1] || !isFloat(nodes[n]!.dtype)) continue;
    const operands = edges.slice(starts[n], starts[n + 1]).map((input) => t[input]!);
    if (operands.every((tangent) => tangent === null)) continue;
    const pushed = pushForward(nodes[n]!, operands);
    t[n] = pushed && checkedShape(pushed, nodes[n]!, nodes[n]!);
  }
  [ruling, ruledOperand] = outer;
  return outputNumbers.map((n) => t[n]!);
}

/**
 * The id of the oldest target: no older node is made of one. A variable of the module, since `topology` keeps its lists by the function
 * that says where a walk ends, so this must be one function for all walks.
 */
let oldest = 0;

function oldestOf(targets: readonly Tensor[]): number {
  let id = Infinity;
  for (const target of targets) id = Math.min(id, target.id, valueOf(target)?.id ?? id);
  return id;
}

/**
 * Does a walk for derivatives end here? At what is older than every target, such as the history of a state, and at versions of variables,
 * even where `compile` knows what they are computed from.
 */
function isConstant(x: Tensor): boolean {
  return x.id < oldest || isEnd(x);
}

/** What flows back to operand `i` of `out`. */
function pullBack(rule: Derivative, g: Tensor, out: Tensor, i: number): Tensor | null {
  switch (rule.kind) {
    case "zero":
      return null;
    case "partial":
      return times(g, partialOf(rule, out), rule.singular);
    case "linear":
    case "bilinear":
      return rule.transpose(g, out, out.attributes, i);
    case "pushforward":
      if (rule.pull) return rule.pull(g, out, out.attributes, i);
      return transposed((t) => rule.push(t, out, out.attributes, i), g, out, i);
  }
}

/** The partial that the rule gives; without asking for `inputs`, which would make a list, where there are at most two. */
function partialOf(rule: Extract<Derivative, { kind: "partial" }>, out: Tensor): Partial {
  const arity = arityOf(out);
  if (arity === 1) return rule.partial(out, operandOf(out, 0)!);
  return arity === 2
    ? rule.partial(out, operandOf(out, 0)!, operandOf(out, 1)!)
    : rule.partial(out, ...out.inputs);
}

/** The adjoint of the linear function `push`, applied to `g`: `push` is applied to a symbol, and the result differentiated in reverse. */
function transposed(push: (t: Tensor) => Tensor, g: Tensor, out: Tensor, i: number): Tensor | null {
  const x = out.inputs[i]!;
  const t = placeholder(x.shape, x.dtype);
  const isGiven = (node: Tensor) => node === out || out.inputs.includes(node);
  return reverse([checkedShape(push(t), out, out)], [g], [t], isGiven)[0]!;
}

/** The tangent of `out` from those of its operands. */
function pushForward(out: Tensor, tangents: readonly (Tensor | null)[]): Tensor | null {
  let sum: Tensor | null = null;
  let linear = false;
  ruling = out;
  for (let i = 0; i < tangents.length; i++) {
    const t = tangents[i];
    if (!t) continue;
    ruledOperand = i;
    const rule = derivativeOf(out.op, i);
    if (rule.kind === "partial") sum = plus(sum, times(t, partialOf(rule, out), rule.singular));
    else if (rule.kind === "bilinear") sum = plus(sum, apply(out.op, out.inputs.with(i, t), out.attributes));
    else if (rule.kind === "pushforward") sum = plus(sum, rule.push(t, out, out.attributes, i));
    else if (rule.kind === "linear") linear = true;
  }
  if (!linear) return sum;
  // Linear in all of them together: the op is applied once, to their tangents.
  const operands = out.inputs.map((x, i) =>
    derivativeOf(out.op, i).kind === "linear" ? (tangents[i] ?? zerosLike(x)) : x,
  );
  return plus(sum, apply(out.op, operands, out.attributes));
}

function plus(sum: Tensor | null, x: Tensor): Tensor {
  return sum === null ? x : add(sum, x);
}

function times(g: Tensor, p: Partial, singular: boolean): Tensor {
  if (p === 1) return g;
  if (p === -1) return neg(g);
  return singular ? chain(g, p) : mul(g, p);
}
