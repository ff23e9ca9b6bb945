import type { Tensor } from "../graph.ts";
import { checkTensor } from "../ops/leaf.ts";
import { optionsOf } from "../options.ts";
import { checkList, formatShape } from "../shape.ts";
import { topology } from "../topology.ts";
import { attributesOf, nameNodes } from "./text.ts";

interface DrawOptions {
  /** More lines for a node, such as its value: called for every node that is drawn. */
  readonly notes?: ((node: Tensor) => readonly string[]) | undefined;
}

/** The graph in Graphviz's DOT language: boxes for leaves, ellipses for ops, arrows from inputs to uses. */
export function toDot(roots: readonly Tensor[], options?: DrawOptions): string {
  const { notes = () => [] } = optionsOf("toDot", options, { notes: true });
  checkList("toDot", roots, "[x]");
  for (const root of roots) checkTensor("toDot", root);
  const order = topology(roots.map((root) => root.node));
  const names = nameNodes(order);
  const lines = order.nodes.flatMap((node, n) => {
    const what = [node.op.name, ...attributesOf(node)].join(" ");
    const title = node.label === null ? what : `${names[n]} = ${what}`;
    const text = [title, `${node.dtype}${formatShape(node.shape)}`, ...notes(node)].map(quoted).join("\\n");
    const shape = node.inputs.length === 0 ? "box" : "ellipse";
    const arrows = order.edges
      .slice(order.starts[n], order.starts[n + 1])
      .map((input) => `  n${input} -> n${n};`);
    return [`  n${n} [shape=${shape}, label="${text}"];`, ...arrows];
  });
  return ["digraph {", "  rankdir=BT;", ...lines, "}"].join("\n");
}

const quoted = (text: string): string => text.replace(/["\\]/g, "\\$&").replaceAll("\n", "\\n");
