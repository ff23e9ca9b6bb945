import type { Tensor } from "../graph.ts";
import { isKnown, isWaiting } from "../graph.ts";
import { topology } from "../topology.ts";

import type { Traced } from "./plan.ts";
import { rootsOf } from "./plan.ts";
import type { Ordered } from "./run.ts";
import { copied, withInputs } from "./simplify.ts";
import { isHeld } from "./stored.ts";

/**
 * Takes out the nodes that wait (`checkpoint`). They have kept equal nodes apart while the graph was simplified, and put what waits behind
 * what it waits for; from here on `sequence` keeps that order.
 */
export function settle(graph: Traced): Ordered {
  const { nodes } = topology(rootsOf(graph), isKnown);
  if (!nodes.some(isWaiting)) return graph;
  const made = new Map<Tensor, Tensor>();
  for (const x of nodes) {
    const inputs = (isKnown(x) ? [] : x.inputs).map((input) => made.get(input)!);
    const isSame = inputs.every((input, i) => input === x.inputs[i]);
    made.set(x, isWaiting(x) ? inputs[0]! : isSame ? x : withInputs(x, inputs));
  }
  // What waited can be a root and held: it is copied, as in `simplifyTraced`.
  const own = (x: Tensor): Tensor => {
    const found = made.get(x)!;
    return isHeld(found) ? copied(found) : found;
  };
  const settled = {
    ...graph,
    outputs: graph.outputs.map(own),
    updates: graph.updates.map((x) => x && own(x)),
  };
  const roots = rootsOf(settled);
  const live = new Set(topology(roots, isKnown).nodes);
  return { ...settled, sequence: [...[...made.values()].filter((x) => live.has(x)), ...roots] };
}
