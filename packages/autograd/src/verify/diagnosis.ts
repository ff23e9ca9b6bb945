import { makerOf } from "../differentiate.ts";
import type { Tensor } from "../graph.ts";
import { siteOf } from "../graph.ts";
import { lineOf, nameNodes } from "../inspect/text.ts";
import { topology } from "../topology.ts";
import type { Checked } from "./call.ts";
import { callWithSites } from "./call.ts";
import type { Sequence } from "./direction.ts";
import { locateHigher } from "./higher.ts";
import { locate } from "./locate.ts";
import type { Replay } from "./replay.ts";
import type { Direction, LocatedFault } from "./report.ts";
import { GradientReport } from "./report.ts";
import type { Fault } from "./rule.ts";
import type { Verdict } from "./witness.ts";

/** The worst of several verdicts. */
export function worstOf(verdicts: readonly { readonly verdict: Verdict }[]): Verdict {
  const has = (verdict: Verdict) => verdicts.some((found) => found.verdict === verdict);
  return has("fail") ? "fail" : has("inconclusive") ? "inconclusive" : "pass";
}

/** What there is to go by when directions did not all agree. */
export interface Suspicion {
  readonly order: number;
  readonly tolerance: number;
  readonly directions: readonly Direction[];
  readonly notes: readonly string[];
  /** The graph of the function, and those whose derivatives the directions are of: for order 1 the same. */
  readonly primal: Replay;
  readonly replays: readonly Replay[];
  /** The nodes of the replay, in the order of the graph that the function made. */
  readonly copies: readonly Tensor[];
  readonly random: Sequence;
}

/**
 * Looks for the rule that is at fault. Where there is none, the chain rule makes the whole as right as its parts: what differences
 * could not tell, or told otherwise, is settled by the parts.
 */
export function diagnose(f: Checked, inputs: readonly Tensor[], suspicion: Suspicion): GradientReport {
  const { order, tolerance, directions, notes, primal, replays, random, copies } = suspicion;
  const searches = replays.map((replay) => ({ replay, ...locate(replay, random, tolerance) }));
  if (order > 1 && searches.every(({ faults }) => faults.length === 0))
    searches.push({ replay: primal, ...locateHigher(primal, order, random, tolerance) });
  const faulty = searches.find(({ faults }) => faults.length > 0);
  const contents = { order, tolerance, directions };
  if (faulty) {
    const faults = described(faulty.replay, faulty.faults, sitesOf(f, inputs, copies));
    return new GradientReport({ ...contents, verdict: "fail", faults, notes });
  }
  const parts = worstOf(searches);
  const isCertain = directions.some(
    ({ verdict, dissent }) => verdict === "fail" && dissent !== "differences",
  );
  if (notes.length > 0 || isCertain)
    return new GradientReport({ ...contents, verdict: "fail", faults: [], notes: [...notes, nobody] });
  const note = parts === "pass" ? byParts : undecided;
  const verdict = parts === "pass" ? "pass" : "inconclusive";
  return new GradientReport({ ...contents, verdict, faults: [], notes: [note] });
}

const nobody = "the rule of every op, checked by itself with its actual operands, is right";
const byParts =
  "finite differences cannot tell along every direction; every op, checked by itself with its actual operands, is right";
const undecided = "finite differences cannot tell along every direction, nor for every op by itself";

/** The line that made each node of the replay; those that rules made have none. */
function sitesOf(f: Checked, inputs: readonly Tensor[], copies: readonly Tensor[]): Map<Tensor, string> {
  const { nodes } = topology([callWithSites(f, inputs).y]);
  const sites = new Map<Tensor, string>();
  nodes.forEach((node, n) => {
    const site = siteOf(node);
    if (site) sites.set(copies[n]!, site.trim());
  });
  return sites;
}

function described(
  { order }: Replay,
  faults: readonly Fault[],
  sites: ReadonlyMap<Tensor, string>,
): LocatedFault[] {
  const names = nameNodes(order);
  return faults.map((fault) => ({
    ...fault,
    text: lineOf(order, names, fault.node),
    site: sites.get(originOf(order.nodes[fault.node]!)) ?? null,
  }));
}

/** The node whose rule, or whose rule's rule, made `node`; itself, if no rule did. */
function originOf(node: Tensor): Tensor {
  let origin = node;
  for (let maker = makerOf(origin); maker; maker = makerOf(origin)) origin = maker.out;
  return origin;
}
