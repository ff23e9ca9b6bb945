import type { Traced } from "../compile/plan.ts";
import { rootsOf } from "../compile/plan.ts";
import { CompileError } from "../errors.ts";
import type { Attributes, Tensor } from "../graph.ts";
import { elementsOf, isKnown } from "../graph.ts";
import { formatShape } from "../shape.ts";
import type { Topology } from "../topology.ts";
import { topology } from "../topology.ts";
import type { TracedCall } from "../tracing.ts";

/**
 * Whether a function still does what it did when it was traced. What it captures is a constant of the program: if a JavaScript
 * value has changed since, the graphs differ.
 */

/** Throws CompileError that says where the graph `now` differs from that of the program, `before`. */
export function checkCaptured(before: TracedCall, now: TracedCall): void {
  const found =
    before.variables.some((x, i) => x !== now.variables[i]) ||
    before.variables.length !== now.variables.length
      ? "it reads or assigns other variables"
      : difference(before.graph, now.graph);
  if (found !== null)
    throw new CompileError(
      `compile: the function does not do what its program does: ${found}. What a function captures is a constant of the ` +
        "program: pass what changes as an argument, or hold it in a variable or a Setting",
    );
}

function difference(before: Traced, now: Traced): string | null {
  const [a, b] = [topology(rootsOf(before), isKnown), topology(rootsOf(now), isKnown)];
  for (let n = 0; n < Math.min(a.nodes.length, b.nodes.length); n++) {
    const [x, y] = [a.nodes[n]!, b.nodes[n]!];
    const place = placeOf(before, x);
    if (x === y || (place !== null && place === placeOf(now, y))) continue;
    const found = differs(x, y) ?? (sameEdges(a, b, n) ? null : `${describe(y)} has other operands`);
    if (found !== null) return `${found}${userOf(a, n)}`;
  }
  if (a.nodes.length !== b.nodes.length || rootsOf(before).length !== rootsOf(now).length)
    return `it computes ${b.nodes.length} nodes, the program ${a.nodes.length}`;
  return null;
}

/** Which argument or version of a variable a leaf stands for; null for other nodes. */
function placeOf({ inputs, states }: Traced, x: Tensor): number | null {
  if (x.inputs.length > 0) return null;
  const input = inputs.indexOf(x);
  if (input >= 0) return input;
  const state = states.indexOf(x);
  return state < 0 ? null : inputs.length + state;
}

function differs(x: Tensor, y: Tensor): string | null {
  const [held, other] = [elementsOf(x), elementsOf(y)];
  const sameKind = x.op === y.op || (x.op.name === y.op.name && x.op.kernel.kind === y.op.kernel.kind);
  if (!sameKind || (held === null) !== (other === null) || describe(x) !== describe(y))
    return `it has ${describe(y)} where the program has ${describe(x)}`;
  if (held && other)
    return held.every((value, i) => Object.is(value, other[i]))
      ? null
      : `${describe(y)} holds other elements than in the program`;
  const name = changedAttribute(x.attributes, y.attributes);
  if (name === null) return null;
  const what = name === "value" ? "the number" : `${describe(y)} with ${name}`;
  return `it has ${what} ${format(y.attributes, name)} where the program has ${format(x.attributes, name)}`;
}

function describe(x: Tensor): string {
  const what = elementsOf(x) ? "a captured tensor" : x.op.name;
  return `${x.label ?? what} (${x.dtype}${formatShape(x.shape)})`;
}

/** The version of a variable is another one at each call. */
function changedAttribute(x: Attributes, y: Attributes): string | null {
  return Object.keys(x).find((name) => name !== "version" && format(x, name) !== format(y, name)) ?? null;
}

function format(attributes: Attributes, name: string): string {
  const value = attributes[name];
  // JSON has neither -0 nor NaN.
  return typeof value === "number" ? (Object.is(value, -0) ? "-0" : String(value)) : JSON.stringify(value);
}

function sameEdges(a: Topology, b: Topology, n: number): boolean {
  const edgesOf = ({ starts, edges }: Topology) => edges.slice(starts[n], starts[n + 1]).join();
  return edgesOf(a) === edgesOf(b);
}

/** Where a leaf is used: numbers and tensors have no line of their own that could be named. */
function userOf({ nodes, starts, edges }: Topology, n: number): string {
  if (starts[n] !== starts[n + 1]) return "";
  let [at, user] = [n, n];
  for (let next = n + 1; next < nodes.length; next++) {
    if (!edges.slice(starts[next], starts[next + 1]).includes(at)) continue;
    [at, user] = [next, next];
    if (nodes[next]!.op.kernel.kind !== "view") break;
  }
  return user === n ? "" : `, in ${nodes[user]!.op.name}`;
}
