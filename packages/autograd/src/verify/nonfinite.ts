import type { RuleUse } from "../differentiate.ts";
import { makerOf, reverse, withMakers } from "../differentiate.ts";
import type { TypedArray } from "../dtype.ts";
import { isFloat } from "../dtype.ts";
import { evaluate, withCache } from "../evaluate.ts";
import { ownerOf, Tensor } from "../graph.ts";
import { lineOf, nameNodes } from "../inspect/text.ts";
import { checkTensor, fromElements, onesLike } from "../ops/leaf.ts";
import { checkList, equalShapes, indexOf } from "../shape.ts";
import { siteOf, withSites } from "../site.ts";
import type { Topology } from "../topology.ts";
import { topology } from "../topology.ts";
import { Trace, tracing } from "../variable.ts";
import type { Place } from "./origins.ts";
import { Origins } from "./origins.ts";
import { remedyOf } from "./remedy.ts";
import type { Replay } from "./replay.ts";

/** Where NaN or an infinity comes from. Printed, it says what to write instead. */
export class NonFinite {
  /** In the values, in the derivative of one op, or in what is assigned to a variable. */
  readonly phase: "forward" | "backward" | "update";
  readonly op: string;
  /** The node as `toText` prints it. */
  readonly text: string;
  /** The element of the node (forward, update) or of the operand that the derivative is by (backward). */
  readonly index: readonly number[];
  readonly value: number;
  /** What the op was given there: one value for each operand, the largest of those that it combines. */
  readonly operands: readonly number[];
  /** The user's line that made the node, if it is known: pass a function to have it recorded. */
  readonly site: string | null;
  /** The likely cause and the usual rewrite. */
  readonly remedy: string;

  constructor(found: Omit<NonFinite, "toString">) {
    this.phase = found.phase;
    this.op = found.op;
    this.text = found.text;
    this.index = found.index;
    this.value = found.value;
    this.operands = found.operands;
    this.site = found.site;
    this.remedy = found.remedy;
  }

  toString(): string {
    return `${this.phase}: ${findingOf(this)}`;
  }
}

/** What was found, without the phase. */
export function findingOf(found: NonFinite): string {
  const { phase, op, value, index, operands, text, site, remedy } = found;
  const place = index.length === 0 ? "" : ` at [${index.join(", ")}]`;
  const given = operands.map((x) => Number(x.toPrecision(7))).join(", ");
  const what =
    phase === "backward"
      ? `the derivative of ${op} gives ${value}${place}, for operands ${given}`
      : operands.length === 0
        ? `${op} holds ${value}${place}`
        : `${op} gives ${value}${place} of ${given}`;
  return [what, `  ${text}`, ...(site ? [`  made ${site}`] : []), `  ${remedy}`].join("\n");
}

/**
 * Says where the first NaN or infinity in `y` comes from, or, if `y` is finite, in its gradients by `inputs`; null if all is
 * finite. `y` is a tensor with its graph, or a function that makes one: it is called once, what it assigns to variables is
 * discarded, and the lines of its nodes are known. A compiled function counts as the function that it was made of, so a training
 * step can be asked as it is; the variables that it uses are the inputs then, and what it would assign is looked at as well.
 *
 * First means: of the elements that are not finite though they are computed from finite ones, and that the answer depends on through
 * others that are not finite, those of the node that was made first, and there the one with the lowest index. A branch that `where`
 * did not take has no say, nor has a row that was not gathered. An infinity that was written into the program, such as -Infinity in a
 * mask of data, counts as finite: a NaN that is made of it is what is wrong. In derivatives the first is that which backpropagation meets
 * first, and the op is the one whose rule gave it.
 *
 * Nothing is recorded before the question is asked: it costs nothing while all is well.
 *
 * @example
 * ```ts
 * import { explainNonFinite, tensor } from "@cotangent/autograd";
 * const x = tensor([1, 0, -1]);
 * const found = explainNonFinite(() => x.log().sum());
 * found?.op; // => log
 * found?.index; // => [ 1 ]
 * found?.operands; // => [ 0 ]
 * ```
 */
export function explainNonFinite(y: Tensor | (() => unknown), inputs?: readonly Tensor[]): NonFinite | null {
  const trace = new Trace(false);
  if (typeof y !== "function") checkTensor("explainNonFinite", y);
  if (inputs) checkList("explainNonFinite", inputs, "[x]");
  const roots =
    typeof y === "function" ? withMakers(() => withSites(() => tracing(trace, () => tensorsIn(y())))) : [y];
  evaluate([...trace.begun.keys(), ...(inputs ?? [])]);
  const targets = inputs ?? [...trace.begun.values()];
  return withCache(null, () => {
    const results = roots.map((root) => root.node);
    return (
      search(results, "forward") ??
      search(gradientsOf(results, targets), "backward", results) ??
      search([...trace.assigned.values()], "update")
    );
  });
}

/** The tensors of what a function returns: a step may return nothing, or numbers beside them. */
function tensorsIn(result: unknown): Tensor[] {
  if (result instanceof Tensor) return [result];
  return typeof result === "object" && result !== null ? Object.values(result).flatMap(tensorsIn) : [];
}

/** The gradients of all floats among the results. */
function gradientsOf(results: readonly Tensor[], inputs: readonly Tensor[]): Tensor[] {
  const floats = results.filter((y) => isFloat(y.dtype));
  const versions = inputs.map((x) => x.node);
  return withMakers(() => reverse(floats, floats.map(onesLike), versions)).filter((g) => g !== null);
}

/** The first in the gradients of a replay, as far as its result is finite; null if they are finite. */
export function explainGradient({ y, x, result }: Replay): NonFinite | null {
  const cotangent = fromElements(
    Float64Array.from(result, (value) => (Number.isFinite(value) ? 1 : 0)),
    y.shape,
  );
  const gradients = withMakers(() => reverse([y], [cotangent], x)).filter((g) => g !== null);
  return search(gradients, "backward", [y]);
}

/** What the first element that is not finite came from; null if all roots are finite. `before` is what prints begin with. */
function search(
  roots: readonly Tensor[],
  phase: NonFinite["phase"],
  before: readonly Tensor[] = [],
): NonFinite | null {
  // What is not finite in the values alone does no harm if they are finite in the end.
  const isGiven = (node: Tensor, value: number) =>
    phase === "backward" ? !makerOf(node) : isWritten(node, value);
  const graph = new Origins(topology([...before, ...roots]), isGiven);
  const first = graph.first(roots);
  if (!first) return null;
  return makerOf(first.node) ? inDerivative(graph, first) : inValues(graph, first, phase);
}

/** An infinity that was written into the program: a number, or -Infinity among the data. */
const isWritten = (node: Tensor, value: number): boolean => {
  const { kernel } = node.op;
  if (kernel.kind !== "leaf" || ownerOf(node)) return false;
  return kernel.source === "fill" ? !Number.isNaN(value) : value === -Infinity;
};

function inValues(graph: Origins, { node, element }: Place, phase: NonFinite["phase"]): NonFinite {
  const operands = node.inputs.map((x, k) => graph.valuesOf(x)[graph.mainSource(node, element, k)]!);
  const value = graph.valuesOf(node)[element]!;
  const index = indexOf(element, node.shape);
  return described(graph.order, node, {
    phase: phase === "backward" ? "forward" : phase,
    index,
    value,
    operands,
  });
}

/** The rule that made the node, and the element of its operand whose derivative is not finite because of it. */
function inDerivative(graph: Origins, first: Place): NonFinite {
  const { out, operand } = userOf(first.node)!;
  const x = out.inputs[operand]!;
  const { nodes } = graph.order;
  const isOf = (node: Tensor): boolean => {
    const user = userOf(node);
    return user?.out === out && user.operand === operand && equalShapes(node.shape, x.shape);
  };
  const answer = nodes.findLast((node) => isOf(node) && graph.reached(node, first) >= 0) ?? first.node;
  const element = graph.reached(answer, first);
  const values = evaluate(out.inputs);
  const operands = out.inputs.map((other, k) => {
    const isThere = k === operand || out.op.kernel.kind === "pointwise";
    return values[k]![isThere && answer.size === other.size ? element : largest(values[k]!)]!;
  });
  // The first one is not an argument of a function with a rule of its own, but its value.
  if (out.op.meaning === "first") operands.shift();
  const found = { index: indexOf(element, answer.shape), value: graph.valuesOf(answer)[element]!, operands };
  return described(graph.order, out, { phase: "backward", ...found }, isUndefined(graph, first));
}

/** Is it NaN though all that it is computed from is finite? */
function isUndefined(graph: Origins, { node, element }: Place): boolean {
  const sources = node.inputs.map((x, k) => graph.valuesOf(x)[graph.mainSource(node, element, k)]!);
  return Number.isNaN(graph.valuesOf(node)[element]!) && sources.every(Number.isFinite);
}

/** The use of a rule that made the node: the outermost, where rules are made of ops whose rules are used. */
function userOf(node: Tensor): RuleUse | null {
  let user = makerOf(node);
  for (let next = user; next; next = makerOf(next.out)) user = next;
  return user;
}

function largest(data: TypedArray): number {
  let at = 0;
  for (let i = 0; i < data.length; i++) if (Math.abs(data[i]!) > Math.abs(data[at]!)) at = i;
  return at;
}

function described(
  order: Topology,
  node: Tensor,
  found: Pick<NonFinite, "phase" | "index" | "value" | "operands">,
  undefinedRule = false,
): NonFinite {
  const op = node.op.name;
  const { phase, value, operands } = found;
  return new NonFinite({
    ...found,
    op,
    text: lineOf(order, nameNodes(order), order.nodes.indexOf(node)),
    site: siteOf(node)?.trim() ?? null,
    remedy: remedyOf({ op, value, operands, backward: phase === "backward", undefinedRule }),
  });
}
