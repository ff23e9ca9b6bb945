import { isFloat } from "./dtype.ts";
import { GradientError } from "./errors.ts";
import type { Derivative, Partial } from "./graph.ts";
import { apply, arityOf, derivativeOf, operandOf, Tensor, watching } from "./graph.ts";
import { describe, placeholder, zerosLike } from "./ops/leaf.ts";
import { add, chain, mul, neg } from "./ops/pointwise.ts";
import { checkResults, findTargets, isEnd, markReaching, valueOf } from "./reach.ts";
import { equalShapes, formatShape } from "./shape.ts";
import type { Topology } from "./topology.ts";
import { numberIn, release, topology } from "./topology.ts";
import { total } from "./total.ts";

/**
 * Differentiation maps graphs to graphs. Each op states one fact per operand (its derivative kind); the two functions
 * below turn it into reverse mode (cotangents flow from the output to the operands) and forward mode (tangents flow
 * from the operands to the output). Both walk the graph once and make ordinary nodes.
 */

/** The use of a rule: that of the node `out` for its operand number `operand`. */
export interface RuleUse {
  readonly out: Tensor;
  readonly operand: number;
}

// The one that is being made: the rule of `ruling` for its operand number `ruledOperand`.
let ruling: Tensor | null = null;
let ruledOperand = 0;

const makers = /* @__PURE__ */ new WeakMap<Tensor, RuleUse>();

/** Runs `f` and remembers of every node that it makes which rule did, if one did. */
export function withMakers<T>(f: () => T): T {
  // An error may have left the last one here.
  ruling = null;
  return watching((x) => {
    if (ruling) makers.set(x, { out: ruling, operand: ruledOperand });
  }, f);
}

/** The use of a rule that made `x`, if it was remembered. */
export function makerOf(x: Tensor): RuleUse | null {
  return makers.get(x) ?? null;
}

/** What flows back to operand `i` of `out`, which is node `n` of a walk. */
type PullBack = (rule: Derivative, g: Tensor, out: Tensor, i: number, n: number) => Tensor | null;

/** For a walk whose nodes have the cotangents `g`. */
let pullBackOf: (order: Topology, g: readonly (Tensor | Several | null)[]) => PullBack = () => pullBack;

/** The node that rules are shown in the place of node `n` of a walk. */
export type StandIn = (n: number) => Tensor;

/** What has flown back to node `n` so far. */
export type Flow = (n: number) => readonly Tensor[];

/**
 * From now on rules are shown the stand-ins that `find` gives for a walk, if it gives any. Programs without `checkpoint` carry
 * none of this.
 */
export function useStandIns(find: (order: Topology, flow: Flow) => StandIn | null): void {
  pullBackOf = (order, g) => {
    const standIn = find(order, (n) => partsOf(g[n] ?? null));
    if (!standIn) return pullBack;
    return (rule, cotangent, _, i, n) => {
      // No rule makes the stand-in.
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
  const wanted = findTargets(order, outputs, targets, caller);
  const reaches = markReaching(order, wanted);
  const g = new Array<Tensor | Several | null>(nodes.length).fill(null);
  outputs.forEach((y, i) => {
    const n = numberIn(order, y);
    g[n] = together(g[n]!, cotangents[i]!);
  });
  checkResults(order, outputs, targets, caller);
  const name = outputs[0]?.label ?? "L";
  const [outer, outerOperand] = [ruling, ruledOperand];
  const pull = pullBackOf(order, g);
  for (let n = nodes.length - 1; n >= 0; n--) {
    const out = nodes[n]!;
    if (!reaches[n]) continue;
    const cotangent = addedUp(g[n]!);
    if (!cotangent) continue;
    g[n] = cotangent;
    if (out.label !== null && cotangent.label === null && !cotangents.includes(cotangent))
      cotangent.named(`d${name}/d${out.label}`);
    for (let k = starts[n]!, i = 0; k < starts[n + 1]!; k++, i++) {
      const input = edges[k]!;
      if (!reaches[input]) continue;
      ruling = out;
      ruledOperand = i;
      const contribution = pull(derivativeOf(out.op, i), cotangent, out, i, n);
      if (contribution) g[input] = together(g[input]!, shaped(contribution, nodes[input]!, out));
    }
  }
  ruling = outer;
  ruledOperand = outerOperand;
  release(order);
  return wanted.map((n) => addedUp(g[n] ?? null));
}

/** What a rule of `out` made, which has the shape of `like`; one that a user wrote may have another. */
function shaped(made: Tensor, like: Tensor, out: Tensor): Tensor {
  if (made instanceof Tensor && equalShapes(made.shape, like.shape)) return made;
  const given = made instanceof Tensor ? `shape ${formatShape(made.shape)}` : describe(made);
  throw new GradientError(`${out.op.name}: a derivative rule gives ${given}, not ${formatShape(like.shape)}`);
}

/** What flowed back to a node from several uses, and the last of them, which counts as that of the sum. */
interface Several {
  readonly parts: Tensor[];
  out: Tensor | null;
  operand: number;
}

function together(before: Tensor | Several | null, x: Tensor): Tensor | Several {
  if (before === null) return x;
  const all = before instanceof Tensor ? { parts: [before], out: ruling, operand: ruledOperand } : before;
  all.parts.push(x);
  all.out = ruling;
  all.operand = ruledOperand;
  return all;
}

function partsOf(all: Tensor | Several | null): readonly Tensor[] {
  return all === null ? [] : all instanceof Tensor ? [all] : all.parts;
}

function addedUp(all: Tensor | Several | null): Tensor | null {
  if (all === null || all instanceof Tensor) return all;
  ruling = all.out;
  ruledOperand = all.operand;
  return total(all.parts);
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
  const t = new Array<Tensor | null>(nodes.length).fill(null);
  const outer = [ruling, ruledOperand] as const;
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
    t[n] = pushed && shaped(pushed, nodes[n]!, nodes[n]!);
  }
  [ruling, ruledOperand] = outer;
  return outputNumbers.map((n) => t[n]!);
}

/** The oldest of what is differentiated by: no older node is made of any. */
let oldest = 0;

function oldestOf(targets: readonly Tensor[]): number {
  let id = Infinity;
  for (const target of targets) id = Math.min(id, target.id, valueOf(target)?.id ?? id);
  return id;
}

/**
 * Is this a leaf to derivatives? The history of a state is none of theirs. A version of a variable is one, even where `compile` knows
 * what it is computed from.
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

/** Without making the list of operands where there are few. */
function partialOf(rule: Extract<Derivative, { kind: "partial" }>, out: Tensor): Partial {
  const arity = arityOf(out);
  if (arity === 1) return rule.partial(out, operandOf(out, 0)!);
  return arity === 2
    ? rule.partial(out, operandOf(out, 0)!, operandOf(out, 1)!)
    : rule.partial(out, ...out.inputs);
}

/** The adjoint of the linear function `push`: it is applied to a stand-in and differentiated in reverse. */
function transposed(push: (t: Tensor) => Tensor, g: Tensor, out: Tensor, i: number): Tensor | null {
  const x = out.inputs[i]!;
  const t = placeholder(x.shape, x.dtype);
  const known = (node: Tensor) => node === out || out.inputs.includes(node);
  return reverse([shaped(push(t), out, out)], [g], [t], known)[0]!;
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
  const operands = out.inputs.map((x, i) =>
    derivativeOf(out.op, i).kind === "linear" ? (tangents[i] ?? zerosLike(x)) : x,
  );
  return plus(sum, apply(out.op, operands, out.attributes));
}

function plus(sum: Tensor | null, x: Tensor): Tensor {
  return sum === null ? x : add(sum, x);
}

function times(g: Tensor, p: Tensor | 1 | -1, singular: boolean): Tensor {
  if (p === 1) return g;
  if (p === -1) return neg(g);
  return singular ? chain(g, p) : mul(g, p);
}
