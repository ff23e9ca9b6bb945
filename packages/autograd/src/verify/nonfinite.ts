import { reverse } from "../differentiate.ts";
import type { TypedArray } from "../dtype.ts";
import { allocate, isFloat } from "../dtype.ts";
import { evaluate, withCache } from "../evaluate.ts";
import { derivativeOf, elementsOf, siteOf, sourceOf, type Tensor, withSites } from "../graph.ts";
import { lineOf, nameNodes } from "../inspect/text.ts";
import { compute } from "../kernels.ts";
import { onesLike } from "../ops/leaf.ts";
import type { Topology } from "../topology.ts";
import { topology } from "../topology.ts";
import { leavesOf } from "../tree.ts";
import { Trace, tracing } from "../variable.ts";
import type { Circumstance } from "./remedy.ts";
import { remedyOf } from "./remedy.ts";
import { indexOf } from "./rule.ts";
import { computed } from "./witness.ts";

/** Where NaN or an infinity comes from. Printed, it says what to write instead. */
export class NonFinite {
  /** In the values, in the derivative of one op, or in what is assigned to a variable. */
  readonly phase: "forward" | "backward" | "update";
  readonly op: string;
  /** The node as `toText` prints it. */
  readonly text: string;
  /** The element of the node (forward, update) or of the operand that gets the gradient (backward). */
  readonly index: readonly number[];
  readonly value: number;
  /** What the op was given there: one value for each operand. */
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
    const { phase, op, value, index, operands, text, site, remedy } = this;
    const place = index.length === 0 ? "" : ` at [${index.join(", ")}]`;
    const given = operands.map((x) => Number(x.toPrecision(7))).join(", ");
    const what =
      phase === "backward"
        ? `the derivative of ${op} gives ${value}${place}, for operands ${given}`
        : operands.length === 0
          ? `${op} holds ${value}${place}`
          : `${op} gives ${value}${place} of ${given}`;
    return [`${phase}: ${what}`, `  ${text}`, ...(site ? [`  made ${site}`] : []), `  ${remedy}`].join("\n");
  }
}

/**
 * Says where the first NaN or infinity in `y` comes from, or, if `y` is finite, in its gradients by `inputs`; null if all is
 * finite. `y` is a tensor with its graph, or a function that makes one: it is called once, what it assigns to variables is
 * discarded, and the lines of its nodes are known. A compiled function counts as the function that it was made of, so a training
 * step can be asked as it is; the variables that it uses are the inputs then, and what it would assign is looked at as well.
 *
 * Nothing is recorded before the question is asked: it costs nothing while all is well.
 *
 * @example
 * ```ts
 * import { explainNonFinite, tensor } from "@cotangent/autograd";
 * const x = tensor([0, 1]);
 * const found = explainNonFinite(() => x.log().sum());
 * found?.op; // => log
 * found?.operands; // => [ 0 ]
 * ```
 */
export function explainNonFinite(y: Tensor | (() => unknown), inputs?: readonly Tensor[]): NonFinite | null {
  const trace = new Trace(false);
  const roots = typeof y === "function" ? withSites(() => tracing(trace, () => leavesOf(y()))) : [y];
  evaluate([...trace.begun.keys(), ...(inputs ?? [])]);
  const targets = inputs ?? [...trace.begun.values()];
  return withCache(null, () => {
    const results = roots.map((root) => root.node);
    return (
      search(results, "forward") ??
      searchBackward(
        results,
        targets.map((x) => x.node),
      ) ??
      search([...trace.assigned.values()], "update")
    );
  });
}

/** A graph with the values of all its nodes. */
interface Valued {
  readonly order: Topology;
  readonly values: readonly TypedArray[];
}

function valued(roots: readonly Tensor[]): Valued {
  const order = topology(roots, (x) => {
    const source = elementsOf(x) ? null : sourceOf(x);
    return source ? [source] : x.inputs;
  });
  const values: TypedArray[] = [];
  order.nodes.forEach((node, n) => {
    const operands = operandsOf(order, n).map((k) => values[k]!);
    const waits = node.inputs.length === 0 && operands.length > 0;
    const known = waits ? operands[0]! : elementsOf(node);
    values.push(known ?? allocate(node.dtype, node.size));
    if (!known) compute(node, operands, values[n]!);
  });
  return { order, values };
}

const operandsOf = ({ starts, edges }: Topology, n: number): readonly number[] =>
  edges.slice(starts[n], starts[n + 1]);

const isBad = (x: number): boolean => !Number.isFinite(x);

/** From a root that is not finite back to the node that made it of finite operands. */
function search(roots: readonly Tensor[], phase: "forward" | "update"): NonFinite | null {
  const graph = valued(roots);
  const { order, values } = graph;
  const wanted = new Set(roots);
  const root = order.nodes.findIndex((node, n) => wanted.has(node) && values[n]!.some(isBad));
  if (root < 0) return null;
  let [n, element] = [root, values[root]!.findIndex(isBad)];
  for (let next = cause(graph, n, element); next; next = cause(graph, n, element)) [n, element] = next;
  const places = operandsOf(order, n).map((k) => placeIn(graph, n, element, k));
  const operands = operandsOf(order, n).map((k, i) => values[k]![places[i]!]!);
  return described(graph, n, phase, {
    index: indexOf(element, order.nodes[n]!.shape),
    value: values[n]![element]!,
    operands,
  });
}

/** The operand and its element that made this element not finite; null if it began here. */
function cause(graph: Valued, n: number, element: number): readonly [number, number] | null {
  const { order, values } = graph;
  const node = order.nodes[n]!;
  const operands = operandsOf(order, n);
  const found: [number, number][] = [];
  operands.forEach((k, i) => {
    if (!isFloat(order.nodes[k]!.dtype) || isConstant(order.nodes[k]!)) return;
    // Of two branches the one that was not taken has no say.
    if (node.op.name === "where" && i > 0 && (values[operands[0]!]![element] === 1) !== (i === 1)) return;
    const place = placeIn(graph, n, element, k);
    if (isBad(values[k]![place]!)) found.push([k, place]);
  });
  return found.find(([k, place]) => Number.isNaN(values[k]![place]!)) ?? found[0] ?? null;
}

/** A number that was written into the program, such as -Infinity in a mask. */
const isConstant = ({ op: { kernel } }: Tensor): boolean =>
  kernel.kind === "leaf" && kernel.source === "fill";

/** The element of operand `k` that matters for this element: at the same place, or else the worst. */
function placeIn({ order, values }: Valued, n: number, element: number, k: number): number {
  const node = order.nodes[n]!;
  const data = values[k]!;
  if (node.op.kernel.kind === "pointwise") return element;
  const nan = data.findIndex(Number.isNaN);
  const place = nan >= 0 ? nan : data.findIndex(isBad);
  if (place >= 0) return place;
  let largest = 0;
  for (let i = 0; i < data.length; i++) if (Math.abs(data[i]!) > Math.abs(data[largest]!)) largest = i;
  return largest;
}

/** From the result backwards to the first rule that makes a cotangent not finite. */
function searchBackward(roots: readonly Tensor[], inputs: readonly Tensor[]): NonFinite | null {
  const floats = roots.filter((root) => isFloat(root.dtype));
  const gradients = reverse(floats, floats.map(onesLike), inputs).filter((g) => g !== null);
  if (!evaluate(gradients).some((values) => values.some(isBad))) return null;
  const graph = valued(floats);
  const { order } = graph;
  // All at once, so that what they share is computed once.
  const cotangents = computed(reverse(floats, floats.map(onesLike), order.nodes));
  const isBadAt = (n: number): number => Array.prototype.findIndex.call(cotangents[n] ?? [], isBad);
  for (let n = order.nodes.length - 1; n >= 0; n--) {
    if (!cotangents[n] || isBadAt(n) >= 0) continue;
    for (const [i, k] of operandsOf(order, n).entries()) {
      const element = isBadAt(k);
      if (element < 0 || derivativeOf(order.nodes[n]!.op, i).kind === "zero") continue;
      const places = operandsOf(order, n).map((other) =>
        order.nodes[other]!.size === order.nodes[k]!.size ? element : placeIn(graph, n, 0, other),
      );
      return described(graph, n, "backward", {
        index: indexOf(element, order.nodes[k]!.shape),
        value: cotangents[k]![element]!,
        operands: operandsOf(order, n).map((other, j) => graph.values[other]![places[j]!]!),
      });
    }
  }
  return null;
}

function described(
  { order }: Valued,
  n: number,
  phase: NonFinite["phase"],
  { index, value, operands }: Pick<NonFinite, "index" | "value" | "operands">,
): NonFinite {
  const node = order.nodes[n]!;
  const { name } = node.op;
  const circumstance: Circumstance = { op: name, value, operands, backward: phase === "backward" };
  return new NonFinite({
    phase,
    op: name,
    text: lineOf(order, nameNodes(order), n),
    index,
    value,
    operands,
    site: siteOf(node)?.trim() ?? null,
    remedy: remedyOf(circumstance),
  });
}
