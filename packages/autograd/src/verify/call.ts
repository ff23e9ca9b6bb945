import type { TypedArray } from "../dtype.ts";
import { allocate } from "../dtype.ts";
import { CotangentError, GradientError, ValueError } from "../errors.ts";
import { evaluate } from "../evaluate.ts";
import { elementsOf, rareOf, Tensor } from "../graph.ts";
import { compute } from "../kernels.ts";
import { fromElements } from "../ops/leaf.ts";
import { rebuild } from "../rebuild.ts";
import { equalShapes, formatShape } from "../shape.ts";
import { withSites } from "../site.ts";
import { topology } from "../topology.ts";
import { checkFloat } from "../transform/gradient.ts";
import { Trace, tracing, Variable } from "../variable.ts";
import type { Sequence } from "./direction.ts";
import { Replay } from "./replay.ts";

/** Calls of the function that is checked. What it assigns to variables is discarded. */

export type Checked = (...inputs: Tensor[]) => Tensor;

/** A graph that a call made, and what stands in it for each input: what the function was given, and a variable itself. */
export interface Call {
  readonly y: Tensor;
  readonly leaves: readonly (readonly [leaf: Tensor, input: number])[];
}

/**
 * Calls `f` with the inputs as they are, or with others of the same shape and dtype in their place; `used` says of which
 * variables `f` uses the present version itself.
 */
export function callOn(
  f: Checked,
  inputs: readonly Tensor[],
  others?: readonly Tensor[],
  used: readonly boolean[] = [],
): Call {
  const given = (others ?? inputs).map((input) => input.node);
  const own = given.map((input) => fromElements(elementsOf(input)!, input.shape));
  const trace = new Trace(false);
  // A variable that `f` uses without taking it as an argument is the same input.
  others?.forEach((other, i) => {
    const input = inputs[i];
    if (!(input instanceof Variable && used[i])) return;
    rareOf(other).owner = input;
    trace.begun.set(input, other);
  });
  const y: unknown = tracing(trace, () => f(...own));
  // A tensor that `f` captures is a constant of `f`, though it may be an input too.
  const variables = [...given.entries()].filter(([i]) => inputs[i] instanceof Variable);
  const leaves = [...own.entries(), ...variables].map(([i, leaf]) => [leaf, i] as const);
  return { y: (y instanceof Tensor ? y.node : y) as Tensor, leaves };
}

/** The same with the line of every node kept. */
export function callWithSites(f: Checked, inputs: readonly Tensor[]): Call {
  return withSites(() => callOn(f, inputs));
}

/** Throws GradientError unless the function has returned a float tensor, which is called `what`. */
export function checkResult(name: string, what: string, { y }: Call): void {
  if (!(y instanceof Tensor)) throw new GradientError(`${name}: ${what} is not a tensor, but ${String(y)}`);
  checkFloat(name, what, y);
}

/** Throws ValueError unless the tolerance, if given, can tell right from wrong. */
export function checkTolerance(name: string, tolerance = 0): void {
  if (!(tolerance >= 0 && tolerance < Infinity))
    throw new ValueError(
      `${name}: tolerance is ${tolerance}; give a small number of at least 0, such as 1e-6`,
    );
}

/** What is wrong with a function before its derivative is even looked at. */
export interface Trouble {
  readonly verdict: "fail" | "inconclusive";
  readonly text: string;
}

/**
 * What is wrong with the first faulty opaque kernel, in words, or null: it writes to an operand, or does not write all of its result.
 * This comes before anything of the graph is computed: what a kernel does to an operand, such as sorting it, may change nothing when
 * it is done again.
 */
function findFaultyKernel({ y }: Call): string | null {
  const { nodes, starts, edges } = topology([y]);
  const opaque = [...nodes.keys()].filter((n) => nodes[n]!.op.kernel.kind === "opaque");
  const operands = opaque.map((n) => [...edges.slice(starts[n], starts[n + 1])].map((k) => nodes[k]!));
  const given = attempt(() => evaluate(operands.flat()).map((values) => values!.slice()));
  if (given instanceof Error) return null;
  for (const [k, n] of opaque.entries()) {
    const node = nodes[n]!;
    const fault = faultOf(node, given.splice(0, operands[k]!.length));
    if (fault) return `the kernel of ${node.op.name} ${fault}`;
  }
  return null;
}

/** What an opaque kernel does wrong on operands with the elements `given`, or null. */
function faultOf(node: Tensor, given: readonly TypedArray[]): string | null {
  const copies = given.map((values) => values.slice());
  const [ones, zeros] = [1, 0].map((filling) => allocate(node.dtype, node.size).fill(filling));
  if (attempt(() => compute(node, copies, ones!)) instanceof Error) return null;
  const overwritten = copies.findIndex((copy, i) => copy.some((x, j) => !Object.is(x, given[i]![j])));
  if (overwritten >= 0)
    return `writes to its operand ${overwritten}, which others use too: let it write to a copy, as data.slice()`;
  if (attempt(() => compute(node, copies, zeros!)) instanceof Error) return null;
  const unwritten = zeros!.findIndex((x, i) => x === 0 && ones![i] === 1);
  return unwritten < 0
    ? null
    : `does not write element ${unwritten} of its result: let it write every element of out.data, which holds anything before`;
}

/**
 * Is `f` a function of its inputs, and is the graph that it makes the whole of it? Says what is wrong, or null: one of its opaque kernels
 * is faulty, it gives something else when called again, it throws or changes shape or dtype nearby, or it reads values that the graph
 * takes for constants.
 */
export function findTrouble(
  f: Checked,
  inputs: readonly Tensor[],
  first: Call,
  random: Sequence,
): Trouble | null {
  const inconclusive = (text: string): Trouble => ({ verdict: "inconclusive", text });
  const fault = findFaultyKernel(first);
  if (fault) return { verdict: "fail", text: fault };
  const again = attempt(() => callOn(f, inputs));
  if (again instanceof Error)
    return inconclusive(`the function throws when it is called again: ${again.message}`);
  const other = differenceOf(first.y, again.y);
  if (other)
    return inconclusive(
      `the function is not deterministic: called again with the same inputs it gives ${other}`,
    );
  const reached = reachedIn(first, inputs);
  const used = inputs.map((input) => reached.has(input.node));
  const missed = inputs.findIndex(
    (input, i) => used[i] && !(input instanceof Variable) && !reached.has(first.leaves[i]![0]),
  );
  if (missed >= 0)
    return {
      verdict: "fail",
      text:
        `the function uses the tensor that is input ${missed} and not the argument that it is given for it: a tensor that is captured ` +
        "is a constant; use the argument, or make the input a variable",
    };
  const nearby = inputs.map((input) => nudged(input, random));
  const near = attempt(() => callOn(f, inputs, nearby, used));
  if (near instanceof Error) return inconclusive(`the function throws for inputs nearby: ${near.message}`);
  if (!(near.y instanceof Tensor)) return inconclusive("the function returns no tensor for inputs nearby");
  const { y } = first;
  if (!equalShapes(y.shape, near.y.shape))
    return inconclusive(
      `the function changes its shape: ${formatShape(y.shape)}, and ${formatShape(near.y.shape)} for inputs nearby`,
    );
  if (y.dtype !== near.y.dtype)
    return inconclusive(`the function changes its dtype: ${y.dtype}, and ${near.y.dtype} for inputs nearby`);
  const replay = attempt(
    () => rebuild([y], new Map(first.leaves.map(([leaf, i]) => [leaf, nearby[i]!])))[0]!,
  );
  if (replay instanceof Error || differenceOf(replay, near.y) === null) return null;
  const old = reachedIn(near, inputs);
  const stale = inputs.findIndex((input) => input instanceof Variable && old.has(input.node));
  if (stale >= 0)
    return {
      verdict: "fail",
      text:
        `the function uses what was computed from input ${stale} before it was called, a constant where the variable moves: compute it ` +
        "inside the function",
    };
  return {
    verdict: "fail",
    text:
      "the function reads values of its inputs (item, toArray) and makes a graph that depends on them: the gradient of the graph " +
      "is not that of the function",
  };
}

/** The nodes of a call's graph, down to what the function was given. */
function reachedIn({ y, leaves }: Call, inputs: readonly Tensor[]): ReadonlySet<Tensor> {
  const own = new Set(leaves.slice(0, inputs.length).map(([leaf]) => leaf));
  return new Set(topology([y], (node) => own.has(node)).nodes);
}

/** What `f` gives, or the error that it throws. */
function attempt<T>(f: () => T): T | Error {
  try {
    return f();
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

/** How two results differ, in words; null if they are the same to the bit, or cannot be computed. */
function differenceOf(a: Tensor, b: Tensor): string | null {
  if (!(b instanceof Tensor)) return "no tensor";
  if (!equalShapes(a.shape, b.shape))
    return `shape ${formatShape(b.shape)} instead of ${formatShape(a.shape)}`;
  if (a.dtype !== b.dtype) return `${b.dtype} instead of ${a.dtype}`;
  try {
    const [x, y] = evaluate([a, b]);
    for (let i = 0; i < x!.length; i++) if (!Object.is(x![i], y![i])) return `${y![i]} instead of ${x![i]}`;
  } catch (error) {
    if (!(error instanceof CotangentError)) throw error;
  }
  return null;
}

/** The input moved by up to a thousandth. */
export function nudged(input: Tensor, random: Sequence): Tensor {
  const values = elementsOf(input.node)!;
  return fromElements(
    values.map((x) => x * (1 + 1e-3 * random.signed()) + 1e-6 * random.signed()),
    input.shape,
  );
}

/** The graph of a call in float64, on leaves of its own: `copies` are its nodes in the order of the call's. */
export function replayed(
  call: Call,
  inputs: readonly Tensor[],
): { primal: Replay; copies: readonly Tensor[] } {
  const x = inputs.map((input) => fromElements(Float64Array.from(elementsOf(input.node)!), input.shape));
  const leaves = new Map(call.leaves.map(([leaf, i]) => [leaf, x[i]!]));
  const copies = rebuild(topology([call.y]).nodes, leaves, { float32: "float64" });
  return { primal: new Replay(copies[copies.length - 1]!, x), copies };
}
