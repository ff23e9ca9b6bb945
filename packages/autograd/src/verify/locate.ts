import { isFloat } from "../dtype.ts";
import { derivativeOf, ownerOf } from "../graph.ts";
import type { Sequence } from "./direction.ts";
import type { Replay } from "./replay.ts";
import type { Fault } from "./rule.ts";
import { checkRule } from "./rule.ts";
import type { Verdict } from "./witness.ts";

/** More than these are one mistake seen many times. */
const mostFaults = 4;

/**
 * Checks the rules of every node that an input moves, in the order of the graph: the faults, and whether the checks were
 * conclusive.
 */
export function locate(
  replay: Replay,
  random: Sequence,
  tolerance: number,
): { readonly verdict: Verdict; readonly faults: readonly Fault[] } {
  const faults: Fault[] = [];
  let verdict: Verdict = "pass";
  const { nodes } = replay.order;
  const asked = askedFor(replay);
  for (let n = 0; n < nodes.length && faults.length < mostFaults; n++) {
    const { op, inputs, dtype, size } = nodes[n]!;
    const isOpen = asked[n] && replay.moving[n] && inputs.length > 0 && !ownerOf(nodes[n]!);
    if (!isOpen || !isFloat(dtype) || size === 0 || replay.intended.includes(n)) continue;
    const found = checkRule(replay, n, random, tolerance);
    const isKnown = faults.some((fault) => fault.op === op.name && fault.operand === found.fault?.operand);
    if (found.fault && !isKnown) faults.push(found.fault);
    if (found.verdict === "inconclusive") verdict = "inconclusive";
  }
  return { verdict: faults.length > 0 ? "fail" : verdict, faults };
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
