import {
  type Attributes,
  abs,
  amax,
  broadcastTo,
  type Derivative,
  eq,
  mul,
  type Op,
  type Partial,
  stopGradient,
  sum,
  type Tensor,
  topology,
  where,
} from "@cotangent/autograd";
import { apply } from "../../packages/autograd/src/graph.ts";

/** Ways to break the derivative of an op, by the kinds of its rules. */

export type Break = "factor" | "branch" | "dropped";
export const breaks: readonly Break[] = ["factor", "branch", "dropped"];

/** Has the op a derivative that could be wrong: a float result of floats, and no derivative that is meant to be another? */
export function isBreakable({ op, dtype, inputs }: Tensor): boolean {
  const isFloat = (type: string) => type.startsWith("float");
  return (
    isFloat(dtype) && op.meaning !== "intended" && inputs.some((x) => isFloat(x.dtype)) && op.name !== "value"
  );
}

/** `op` with a derivative that is wrong: by one hundredth, in a single place, or forgotten by `operand`. */
export function broken(op: Op, how: Break, operand: number): Op {
  // An op with the derivative zero gets one.
  if (op.derivatives.every(({ kind }) => kind === "zero"))
    return {
      ...op,
      derivatives: op.derivatives.map(() => ({
        kind: "pushforward",
        push: (t, out) => broadcastTo(mul(sum(t), 0.5), out.shape),
      })),
    };
  const spoil = (rule: Derivative, i: number): Derivative =>
    how === "dropped"
      ? i === operand
        ? { kind: "zero" }
        : rule
      : spoiled(rule, how === "factor" ? scaled : bent);
  return { ...op, derivatives: op.derivatives.map(spoil) };
}

/** What is wrong with a tensor that a rule gives; `at` tells places apart and does not depend on what flows. */
type Spoil = (y: Tensor, at: Tensor) => Tensor;

const scaled: Spoil = (y) => mul(y, 1.01);
const bent: Spoil = (y, at) => where(eq(abs(at), amax(abs(at))), mul(y, 1.5), y);

function spoiled(rule: Derivative, spoil: Spoil): Derivative {
  switch (rule.kind) {
    case "zero":
      return rule;
    case "partial":
      return {
        ...rule,
        partial: (out, ...inputs): Partial => {
          const p = rule.partial(out, ...inputs);
          const given = typeof p === "number" ? out.mul(0).add(p) : p;
          return spoil(given, typeof p === "number" ? out : p);
        },
      };
    case "linear":
    case "bilinear":
      return {
        ...rule,
        transpose: (g, out, attributes, i) => {
          const pulled = rule.transpose(g, out, attributes, i);
          return spoil(pulled, pulled);
        },
      };
    case "pushforward": {
      const push: typeof rule.push = (t, out, attributes, i) => spoil(rule.push(t, out, attributes, i), out);
      if (!rule.pull) return { ...rule, push };
      const pull: typeof rule.pull = (g, out, attributes, i) => {
        const pulled = rule.pull!(g, out, attributes, i);
        return pulled && spoil(pulled, pulled);
      };
      return { ...rule, push, pull };
    }
  }
}

/** `op` with rules that are right, and through which nothing flows when they are differentiated again. */
export function stopped(op: Op): Op {
  const stop = (rule: Derivative): Derivative => {
    switch (rule.kind) {
      case "zero":
        return rule;
      case "partial":
        return { ...rule, partial: (...nodes): Partial => held(rule.partial(...nodes)) };
      case "linear":
      case "bilinear":
        return { ...rule, transpose: (...given) => held(rule.transpose(...given)) };
      case "pushforward":
        return {
          ...rule,
          // Linear in what flows it must stay.
          push: (t, out, attributes, i) =>
            rule.push(t, apply(op, out.inputs.map(held), out.attributes), attributes, i),
          ...(rule.pull && {
            pull: (g: Tensor, out: Tensor, attributes: Attributes, i: number) =>
              rule.pull!(g, apply(op, out.inputs.map(held), out.attributes), attributes, i),
          }),
        };
    }
  };
  return { ...op, derivatives: op.derivatives.map(stop) };
}

const held = <T extends Partial>(x: T): T =>
  (typeof x !== "number" && x.dtype.startsWith("float") ? stopGradient(x) : x) as T;

/** The graph of `y` with `other` in the place of `op`. */
export function replaceOp(y: Tensor, op: Op, other: Op): Tensor {
  const order = topology([y]);
  const made: Tensor[] = [];
  order.nodes.forEach((node, n) => {
    const inputs = order.edges.slice(order.starts[n], order.starts[n + 1]).map((k) => made[k]!);
    const changed = node.op === op || inputs.some((x, i) => x !== node.inputs[i]);
    made.push(changed ? apply(node.op === op ? other : node.op, inputs, node.attributes) : node);
  });
  return made[made.length - 1]!;
}
