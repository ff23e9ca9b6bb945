import { isFloat } from "../dtype.ts";
import { derivativeOf, ownerOf } from "../graph.ts";
import type { Sequence } from "./direction.ts";
import type { Replay } from "./replay.ts";
import type { Fault } from "./rule.ts";
import { checkRule } from "./rule.ts";
import type { Verdict } from "./witness.ts";

/** More than these are one mistake seen many times. */
export const mostFaults = 4;

/** The faults that were found, and if there are none, whether the checks were conclusive. */
export interface Search {
  readonly verdict: Verdict;
  readonly faults: readonly Fault[];
}

/** Checks the rules of every node that an input moves, in the order of the graph. */
export function locate(replay: Replay, random: Sequence, tolerance: number): Search {
  const faults: Fault[] = [];
  let verdict: Verdict = "pass";
  for (const n of openNodes(replay)) {
    if (faults.length === mostFaults) break;
    const { nodes } = replay.order;
    // What is known of an op is not asked again: it may be used a thousand times.
    const known = faults.filter(({ node }) => nodes[node]!.op === nodes[n]!.op).map(({ operand }) => operand);
    const found = checkRule(replay, n, random, tolerance, known);
    if (found.fault) faults.push(found.fault);
    if (found.verdict === "inconclusive") verdict = "inconclusive";
  }
  return { verdict: faults.length > 0 ? "fail" : verdict, faults };
}

/**
 * The nodes whose rules are to be checked, in the order of the graph. Intended derivatives are not: they are right by themselves, and in
 * a rule it is the rule that is wrong to use one.
 */
export function openNodes(replay: Replay): number[] {
  const asked = askedFor(replay);
  return replay.order.nodes.flatMap((node, n) => {
    const { op, inputs, dtype, size } = node;
    const isOpen = asked[n] && replay.moving[n] && inputs.length > 0 && !ownerOf(node);
    return isOpen && isFloat(dtype) && size > 0 && op.meaning !== "intended" ? [n] : [];
  });
}

/** The nodes whose rules have a part in the gradient: what lies behind an operand with the rule zero has none. */
function askedFor({ order }: Replay): Uint8Array {
  const { nodes, starts, edges } = order;
  const asked = new Uint8Array(nodes.length);
  asked[nodes.length - 1] = 1;
  for (let n = nodes.length - 1; n >= 0; n--) {
    if (!asked[n]) continue;
    for (let k = starts[n]!, i = 0; k < starts[n + 1]!; k++, i++)
      if (derivativeOf(nodes[n]!.op, i).kind !== "zero") asked[edges[k]!] = 1;
  }
  return asked;
}
