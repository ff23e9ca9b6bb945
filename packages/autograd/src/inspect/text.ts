import type { Attribute, Tensor } from "../graph.ts";
import { checkTensor } from "../ops/leaf.ts";
import { formatShape } from "../shape.ts";
import type { Topology } from "../topology.ts";
import { topology } from "../topology.ts";

/**
 * The graph as text, one node a line, inputs before uses; the same graph gives the same text in every run.
 *
 *     w: float32[2, 3] = variable
 *     %1: float32[4, 3] = matmul(x, w)
 *     L: float32[] = sum(%1, axes=[0, 1])
 *
 * Nodes are called by the name they were given (in quotes if it begins with `%` or has line breaks), others `%` and their number. Numbers stand for themselves.
 */
export function toText(...roots: readonly Tensor[]): string {
  for (const root of roots) checkTensor("toText(a, b)", root);
  const order = topology(roots.map((root) => root.node));
  const names = nameNodes(order);
  return order.nodes.flatMap((node, n) => (isNumber(node) ? [] : [lineOf(order, names, n)])).join("\n");
}

/** The line of node `n`. */
export function lineOf({ nodes, starts, edges }: Topology, names: readonly string[], n: number): string {
  const node = nodes[n]!;
  const operands = edges.slice(starts[n], starts[n + 1]).map((input) => names[input]!);
  // A function with a rule of its own takes the operands after the first, which is its value.
  if (node.op.meaning === "first") operands.push(`value=${operands.shift()}`);
  const list = [...operands, ...attributesOf(node)];
  return `${names[n]}: ${node.dtype}${formatShape(node.shape)} = ${node.op.name}${list.length > 0 ? `(${list.join(", ")})` : ""}`;
}

/** What an op was given beside tensors, as `key=value`; what the line says anyway is left out. */
export function attributesOf(node: Tensor): string[] {
  const shown = Object.entries(node.attributes).filter(
    ([key]) => !["shape", "dtype", "version"].includes(key) && !node.op.implied?.includes(key),
  );
  return shown.map(([key, value]) => `${key}=${formatAttribute(value)}`);
}

function formatAttribute(value: Attribute): string {
  return Array.isArray(value) ? `[${value.map(formatAttribute).join(", ")}]` : JSON.stringify(value);
}

/** A leaf filled with one number is printed as the number. */
export function isNumber(node: Tensor): boolean {
  const { kernel } = node.op;
  return kernel.kind === "leaf" && kernel.source === "fill" && node.label === null;
}

/** A name for each node: its label, made unique by a count if several nodes have it, or its number. */
export function nameNodes(
  { nodes }: Topology,
  labelOf: (node: Tensor) => string | null = ({ label }) => label,
): string[] {
  const taken = new Map<string, number>();
  let number = 0;
  return nodes.map((node) => {
    if (isNumber(node)) return String(node.attributes.value);
    const label = quoted(labelOf(node));
    if (label === null) return `%${number++}`;
    const count = (taken.get(label) ?? 0) + 1;
    taken.set(label, count);
    return count === 1 ? label : `${label}'${count}`;
  });
}

/** A name that would break its line, or could be that of a node without one, as a string of JSON. */
const quoted = (label: string | null): string | null =>
  label !== null && /^%|[\n\r]/.test(label) ? JSON.stringify(label) : label;
