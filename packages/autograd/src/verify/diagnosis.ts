import { makerOf } from "../differentiate.ts";
import type { Tensor } from "../graph.ts";
import { lineOf, nameNodes } from "../inspect/text.ts";
import { inheritSite, siteOf } from "../site.ts";
import { topology } from "../topology.ts";
import type { Call, Checked } from "./call.ts";
import { callWithSites, findTrouble, replayed } from "./call.ts";
import { Sequence } from "./direction.ts";
import { foreignRules } from "./foreign.ts";
import { locateHigher } from "./higher.ts";
import { locate, mostFaults } from "./locate.ts";
import { explainGradient, findingOf } from "./nonfinite.ts";
import type { Replay } from "./replay.ts";
import type { Direction, LocatedFault } from "./report.ts";
import { GradientReport } from "./report.ts";
import type { Fault } from "./rule.ts";
import type { Verdict } from "./witness.ts";
import { worstOf } from "./witness.ts";

/** What is asked about a graph: along which directions of which of its derivatives, and what is wrong besides. */
export interface Survey {
  readonly directions: readonly Direction[];
  readonly notes: readonly string[];
  /** The graphs whose derivatives the directions are of; for order 1 the graph itself. */
  readonly replays: readonly Replay[];
}

/** What is asked about the derivatives of one order. */
export interface Question {
  readonly order: number;
  readonly tolerance: number;
  readonly ask: (primal: Replay, random: Sequence, tolerance: number) => Survey;
}

/**
 * The report on a function that was called once: whether it is a function at all, what is found of its graph in float64, and where
 * not all agree, which rule is at fault. Of several questions the first that fails is reported, or else the first that is
 * inconclusive, or else the last.
 */
export function examine(
  f: Checked,
  inputs: readonly Tensor[],
  call: Call,
  seed: number,
  questions: readonly Question[],
): GradientReport {
  const random = new Sequence(seed);
  const { order, tolerance } = questions[questions.length - 1]!;
  const early = (verdict: Verdict, note: string) =>
    new GradientReport({ order, tolerance, verdict, directions: [], faults: [], notes: [note] });
  const trouble = findTrouble(f, inputs, call, random);
  if (trouble) return early(trouble.verdict, trouble.text);
  const { primal, copies } = replayed(call, inputs);
  if (primal.y.size === 0) return early("pass", "the result has no elements");
  if (!primal.result.some(Number.isFinite))
    return early("inconclusive", "no element of the result is finite");
  const findSites = () => {
    const { nodes } = topology([callWithSites(f, inputs).y]);
    // Another call may make a graph of another length that gives the same.
    copies.forEach((copy, n) => {
      if (nodes[n]) inheritSite(copy, nodes[n]);
    });
  };
  let unsure: GradientReport | null = null;
  let report: GradientReport;
  let next = 0;
  do {
    report = answered(questions[next]!, primal, random, findSites);
    if (report.verdict === "fail") return report;
    if (report.verdict === "inconclusive") unsure ??= report;
  } while (++next < questions.length);
  report = unsure ?? report;
  const foreign = foreignRules(call);
  if (foreign.length === 0) return report;
  findSites();
  const calls = topology([call.y]).nodes;
  const faults = foreign.slice(0, mostFaults).map(
    ({ node, operand, reason }): Fault => ({
      ...{ op: node.op.name, operand, reason, order: 1, dissent: "reverse", element: null },
      node: primal.order.nodes.indexOf(copies[calls.indexOf(node)]!),
    }),
  );
  return new GradientReport({ ...report, verdict: "fail", faults: described(primal, faults) });
}

function answered(
  { order, tolerance, ask }: Question,
  primal: Replay,
  random: Sequence,
  findSites: () => void,
): GradientReport {
  const survey = ask(primal, random, tolerance);
  const { directions, notes } = survey;
  const agree = notes.length === 0 && worstOf(directions) === "pass";
  const found: Diagnosis = agree
    ? { verdict: "pass", faults: [], notes }
    : diagnosed(primal, survey, order, tolerance, random, findSites);
  return new GradientReport({ order, tolerance, directions, ...found });
}

type Diagnosis = Pick<GradientReport, "verdict" | "faults" | "notes">;

/**
 * Looks for the rule that is at fault. Where there is none, the chain rule makes the whole as right as its parts: what differences
 * could not tell, or told otherwise, is settled by the parts. `findSites` lets the nodes of the primal graph know which lines made them.
 */
function diagnosed(
  primal: Replay,
  { directions, notes, replays }: Survey,
  order: number,
  tolerance: number,
  random: Sequence,
  findSites: () => void,
): Diagnosis {
  const searches = replays.map((replay) => ({ replay, ...locate(replay, random, tolerance) }));
  if (order > 1 && searches.every(({ faults }) => faults.length === 0))
    searches.push({ replay: primal, ...locateHigher(primal, order, random, tolerance) });
  // Rules that are all right can still give 0 times infinity.
  const nonFinite = (): string[] => {
    if (!directions.some(isNonFinite)) return [];
    findSites();
    const found = replays.map(explainGradient).find((one) => one !== null);
    return found ? [`the first NaN or infinity in the gradient: ${findingOf(found)}`] : [];
  };
  const faulty = searches.find(({ faults }) => faults.length > 0);
  if (faulty) {
    findSites();
    const faults = described(faulty.replay, faulty.faults);
    return { verdict: "fail", faults, notes: [...notes, ...nonFinite()] };
  }
  const isCertain = directions.some(
    ({ verdict, dissent }) => verdict === "fail" && dissent !== "differences",
  );
  if (notes.length > 0 || isCertain)
    return { verdict: "fail", faults: [], notes: [...notes, nobody, ...nonFinite()] };
  if (worstOf(searches) === "pass") return { verdict: "pass", faults: [], notes: [byParts] };
  return { verdict: "inconclusive", faults: [], notes: [undecided, ...nonFinite()] };
}

/** Is the gradient NaN or infinite? What could not be computed at all has no differences beside it. */
function isNonFinite({ verdict, reverse, differences }: Direction): boolean {
  return !Number.isFinite(reverse) && (verdict === "inconclusive" || Number.isFinite(differences));
}

const nobody = "the rule of every op, checked by itself with its actual operands, is right";
const byParts =
  "finite differences cannot tell along every direction; every op, checked by itself with its actual operands, is right";
const undecided = "finite differences cannot tell along every direction, nor for every op by itself";

function described({ order }: Replay, faults: readonly Fault[]): LocatedFault[] {
  const names = nameNodes(order);
  return faults.map((fault) => ({
    ...fault,
    text: lineOf(order, names, fault.node),
    site: siteOf(originOf(order.nodes[fault.node]!))?.trim() ?? null,
  }));
}

/** The node whose rule, or whose rule's rule, made `node`; itself, if no rule did. */
function originOf(node: Tensor): Tensor {
  let origin = node;
  for (let maker = makerOf(origin); maker; maker = makerOf(origin)) origin = maker.out;
  return origin;
}
