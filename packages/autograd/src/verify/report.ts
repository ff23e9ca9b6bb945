import type { Fault } from "./rule.ts";
import type { Verdict, Witnesses } from "./witness.ts";

/** What the witnesses say along one direction. */
export interface Direction extends Witnesses {
  /** What moves: "all inputs", "input 1", "element [0, 2] of input 1". */
  readonly moves: string;
  /** With a kink on the way: the derivatives of the weighed result to the left and to the right. */
  readonly sides: { readonly left: number; readonly right: number } | null;
}

/** A rule that is wrong, where it was used. */
export interface LocatedFault extends Fault {
  /** The node as `toText` prints it. */
  readonly text: string;
  /** The user's line that made the node, or if a rule did, that of the node whose rule it is; null if it is not known. */
  readonly site: string | null;
}

interface Contents {
  readonly order: number;
  readonly tolerance: number;
  readonly verdict: Verdict;
  readonly directions: readonly Direction[];
  readonly faults: readonly LocatedFault[];
  readonly notes: readonly string[];
}

/**
 * What `checkGradient` found: `verdict` in one word, `faults` the rules that are wrong, `directions` what three witnesses said
 * along each direction, `notes` what else there is to know. Printed, it says what to do.
 */
export class GradientReport implements Contents {
  readonly order: number;
  readonly tolerance: number;
  /** `inconclusive`: finite differences cannot tell here; `notes` say why. */
  readonly verdict: Verdict;
  readonly directions: readonly Direction[];
  /** The rules that are wrong, in the order of the graph. */
  readonly faults: readonly LocatedFault[];
  readonly notes: readonly string[];

  constructor({ order, tolerance, verdict, directions, faults, notes }: Contents) {
    this.order = order;
    this.tolerance = tolerance;
    this.verdict = verdict;
    this.directions = directions;
    this.faults = faults;
    this.notes = notes;
  }

  /** Is the verdict "pass"? */
  get pass(): boolean {
    return this.verdict === "pass";
  }

  toString(): string {
    const head = `gradient of order ${this.order}: ${this.verdict} (tolerance ${this.tolerance})`;
    return [head, ...this.faults.flatMap(faultLines), ...this.notes, ...tableOf(this.directions)].join("\n");
  }
}

function faultLines(fault: LocatedFault): string[] {
  const { op, operand, order, element, reason, text, site } = fault;
  const what =
    order === 1 ? "" : order === 2 ? "the derivative of " : `the derivative of order ${order - 1} of `;
  const head =
    operand === null
      ? `the derivative ends at ${op}:`
      : `${what}the rule of ${op} is wrong for operand ${operand}:`;
  const lines = [head, `  ${text}`];
  if (site) lines.push(`  made ${site}`);
  if (reason) lines.push(`  ${reason}`);
  if (element) {
    const { index, value, result, reverse, forward, differences, uncertainty } = element;
    const operandName = element.operand === null ? "what flows through it" : `operand ${element.operand}`;
    const [whole, given] = order === 1 ? ["the operand", "the result"] : [operandName, "what it gives"];
    const by = index.length === 0 ? whole : `element [${index.join(", ")}] of ${whole}`;
    const of = result.length === 0 ? given : `element [${result.join(", ")}] of ${given}`;
    lines.push(
      `  ${of} by ${by}, which is ${number(value)}: reverse mode says ${number(reverse)}, forward mode ${number(forward)}, ` +
        `finite differences ${number(differences)} (within ${uncertainty.toExponential(0)})`,
    );
  }
  return operand === null ? lines : [...lines, `  ${advice(fault)}`];
}

function advice({ dissent, element, op, order }: Fault): string {
  if (order > 1) return `make the rule of ${op} of ops through which its operands can be followed`;
  if (!element) return `correct the derivative of ${op}`;
  const { reverse, forward, differences } = element;
  if (dissent === "reverse")
    return `forward mode is right: correct the transpose, which gives ${share(reverse, forward)}`;
  if (dissent === "forward") return `reverse mode is right: correct the op's own linearity or forward rule`;
  if (dissent === "all") return "no two witnesses agree: correct the rule in both modes";
  return `both modes follow the rule: it gives ${share(reverse, differences)}`;
}

/** How a wrong derivative compares with the right one. */
function share(wrong: number, right: number): string {
  if (Number.isNaN(wrong)) return "NaN";
  if (wrong === 0) return "0: a term is missing";
  const ratio = wrong / right;
  if (!Number.isFinite(ratio) || Math.abs(ratio) > 1e6) return "something where nothing is right";
  if (Math.abs(ratio + 1) < 1e-4) return "the right size with the wrong sign";
  return `${Number(ratio.toPrecision(4))} times what is right`;
}

/** Of more directions than these, those that pass are counted only, and of the others as many are shown. */
const mostRows = 100;

/** The table of the directions, as numbers: all that agree or not, or the first of those that do not if they are many. */
function tableOf(directions: readonly Direction[]): string[] {
  if (directions.length === 0) return [];
  const numbered = directions.map((direction, i) => ({ direction, i }));
  const isMany = directions.length > mostRows;
  const told = isMany ? numbered.filter(({ direction }) => direction.verdict !== "pass") : numbered;
  const shown = told.slice(0, mostRows);
  const passed = directions.length - told.length;
  const rest = told.length - shown.length;
  const more = isMany ? [`and ${rest > 0 ? `${rest} more like these, ` : ""}${passed} that pass`] : [];
  return [...(shown.length > 0 ? linesOf(shown) : []), ...more];
}

function linesOf(shown: readonly { readonly direction: Direction; readonly i: number }[]): string[] {
  const rows = shown.map(({ direction, i }) => [
    String(i),
    direction.moves,
    ...[direction.reverse, direction.forward, direction.differences].map(number),
    direction.uncertainty.toExponential(0),
    verdictText(direction),
  ]);
  const all = [["", "moves", "reverse", "forward", "differences", "within", ""], ...rows];
  const widths = all[0]!.map((_, column) => Math.max(...all.map((row) => row[column]!.length)));
  return all.map((row) =>
    row
      .map((text, column) =>
        column === 1 || column === 6 ? text.padEnd(widths[column]!) : text.padStart(widths[column]!),
      )
      .join("  ")
      .trimEnd(),
  );
}

function verdictText({ verdict, dissent, kinks, sides, reason }: Direction): string {
  const at = sides
    ? ` (on a kink of ${kinks.length} elements: ${number(sides.left)} to the left, ${number(sides.right)} to the right)`
    : "";
  const who = dissent === "all" ? ": no two agree" : dissent ? `: ${dissent} against the other two` : "";
  return `${verdict}${verdict === "fail" ? who : ""}${reason ? `: ${reason}` : ""}${at}`;
}

/** Ten digits are enough to see where two numbers part. */
const number = (x: number): string => (Number.isFinite(x) ? String(Number(x.toPrecision(10))) : String(x));
