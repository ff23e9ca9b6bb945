import { Cache } from "./cache.ts";
import { withPieces } from "./compile/piecewise.ts";
import type { TypedArray } from "./dtype.ts";
import { CompileError, StateError } from "./errors.ts";
import type { Tensor } from "./graph.ts";
import {
  arityOf,
  elementsOf,
  isKnown,
  operandOf,
  rareOf,
  setElements,
  sourceOf,
  turnIntoLeaf,
} from "./graph.ts";
import { interpret } from "./interpret.ts";
import { stopOp } from "./ops/composed.ts";
import { stoppedOp } from "./ops/leaf.ts";
import { begin, claim, keep, usedAgain } from "./reuse.ts";
import { numbers } from "./shape.ts";
import type { Topology } from "./topology.ts";
import { numberIn, release, topology, topologyAlong } from "./topology.ts";

/**
 * Evaluation. Values are computed when they are read, together with every update of a variable that is still pending, so
 * that the forward pass, the gradient and the optimizer of a training step share their work.
 */

/** An update of a variable that was assigned and not computed yet. */
export interface Pending {
  /** The leaf that stands for the new version; its source computes it. */
  readonly version: Tensor;
  /** Called when it could not be computed: the variable goes back to the version before. */
  discard(): void;
}

// An array, not a Map by version: a cleared Map keeps its old entries reachable from dead objects until the next full
// collection, and a training loop fills one at every step.
let pending: Pending[] = [];

export function addPending(update: Pending, source: Tensor): void {
  rareOf(update.version).source = source;
  pending.push(update);
}

/** Who is tracing a function, `compile` or `vmap`, if anybody is: nothing has a value then. */
let tracer: string | null = null;

/** Runs `f`, in which reading is refused in the name of `by`. */
export function withoutReading<T>(by: string, f: () => T): T {
  const before = tracer;
  tracer = by;
  try {
    return f();
  } finally {
    tracer = before;
  }
}

/** If `x` is the tensor that stands for a number argument inside a compiled function: the error for reading it as a number; else null. */
export function notANumber(x: Tensor): CompileError | null {
  const path = numbers.get(x);
  return path === undefined
    ? null
    : new CompileError(
        `${path} of the function given to compile is a number, and a tensor inside: it can be computed with, but has no value ` +
          "while the function is traced; what decides a size, an index or a loop is captured, or held in a Setting, of which each " +
          "value is a program",
      );
}

export function isTracing(): boolean {
  return tracer !== null;
}

/** The compiled programs of graphs that were evaluated before; null if all graphs are interpreted. */
let cache: Cache | null = new Cache();

/** From now on the programs of `other` are used, or none. Returns the cache that was used before. */
export function useCache(other: Cache | null): Cache | null {
  const before = cache;
  cache = other;
  return before;
}

/** Runs `f` with the programs of `other`, or with none. */
export function withCache<T>(other: Cache | null, f: () => T): T {
  const before = useCache(other);
  try {
    return f();
  } finally {
    cache = before;
  }
}

/**
 * The elements of each tensor, row by row; they are shared and must not be written to. Pending updates are computed along.
 * If anything throws, all pending updates are discarded and no variable has changed.
 */
export function evaluate(tensors: readonly Tensor[]): TypedArray[] {
  if (tracer)
    throw (
      (tensors.length === 1 ? notANumber(tensors[0]!) : null) ??
      new CompileError(
        `reading a value inside a function given to ${tracer}: there are no values while a function is traced; return the tensor and ` +
          "read it outside, or make the decision with where()",
      )
    );
  const roots = tensors.map((x) => x.node);
  if (pending.length === 0 && roots.every(isKnown)) {
    claim(roots);
    return roots.map((x) => elementsOf(x)!);
  }
  const updates = pending;
  const versions = updates.map(({ version }) => version);
  const all = [...roots, ...versions];
  // In a loop the graph is mostly built like the last one.
  const form = cache?.formFor(all.length, versions.length);
  const along = form ? topologyAlong(form, all, isEnd, sourceOf) : null;
  const order = along ?? topology(all, isEnd, sourceOf);
  // What is kept though nobody reads it (`reuse.ts`): now, and since an earlier reading. Checks, which have no cache, keep nothing, so
  // that graphs stay as they are.
  const again = cache ? usedAgain(order, versions) : [];
  const used = begin(order);
  const wanted = [...roots, ...again, ...versions];
  const numbers = along && again.length === 0 ? form!.roots : wanted.map((x) => numberIn(order, x));
  const values = orDiscard(updates, () => {
    checkNotLost(order.nodes);
    return evaluateNodes(order, numbers, updates.length);
  });
  wanted.forEach((x, i) => {
    hold(x, values[i]!);
  });
  clearPending();
  release(order);
  keep(used.length + again.length > 0 ? [...used, ...again].filter((x) => !roots.includes(x)) : again);
  return values.slice(0, roots.length);
}

/** The elements of the `wanted` nodes, the last `updates` of which are pending versions. */
export function evaluateNodes(order: Topology, wanted: readonly number[], updates: number): TypedArray[] {
  // Who asks for no programs, such as a test that compares them, gets the interpreter without help either.
  if (!cache) return interpret(order, wanted);
  return (
    cache.evaluate(order, wanted, updates) ??
    withPieces(order.nodes, (place) => interpret(order, wanted, place))
  );
}

/** Does `x` hold its elements? A `stopGradient` of a node that holds its own is given them now, since there is nothing to compute. */
function isEnd(x: Tensor): boolean {
  if (isKnown(x)) return true;
  const value = hasHistory(x) ? elementsOf(operandOf(x, 0)!) : null;
  if (value) hold(x, value);
  return value !== null;
}

/** Lets `x` hold its elements; a `stopGradient` becomes a leaf with that, without a history. */
function hold(x: Tensor, value: TypedArray): void {
  setElements(x, value);
  if (hasHistory(x)) turnIntoLeaf(x, stoppedOp);
}

/** Is `x` a `stopGradient` that still has the history of its operand? */
function hasHistory(x: Tensor): boolean {
  return x.op === stopOp && arityOf(operandOf(x, 0)!) > 0;
}

/** Nothing is pending any more: versions let go of what they were to be computed from. */
function clearPending(): void {
  for (const { version } of pending) rareOf(version).source = null;
  pending = [];
}

/** What `f` returns; if it throws, all updates are discarded. */
function orDiscard<T>(updates: readonly Pending[], f: () => T): T {
  try {
    return f();
  } catch (error) {
    clearPending();
    for (const { version, discard } of updates) {
      lost.add(version);
      anyLost = true;
      discard();
    }
    throw error;
  }
}

/** Versions whose update failed: an expression that was built on one has no value. While there are none, nobody need look for them. */
const lost = new WeakSet<Tensor>();
let anyLost = false;

function checkNotLost(nodes: readonly Tensor[]): void {
  if (anyLost && nodes.some((node) => lost.has(node)))
    throw new StateError(
      "this expression was built on an update that failed and was discarded; build it again",
    );
}

/** Computes all pending updates. */
export function flush(): void {
  if (pending.length > 0) evaluate([]);
}
