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
  setElements,
  setSource,
  sourceOf,
  turnIntoLeaf,
} from "./graph.ts";
import { interpret } from "./interpret.ts";
import { stopOp } from "./ops/composed.ts";
import { stoppedOp } from "./ops/leaf.ts";
import { begin, claim, keep, usedAgain } from "./reuse.ts";
import { numbers } from "./shape.ts";
import type { Topology } from "./topology.ts";
import { numberIn, release, topology } from "./topology.ts";

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
  setSource(update.version, source);
  pending.push(update);
}

/** Who is tracing, `compile` or `vmap`: then nothing has a value. */
let tracer: string | null = null;

/** Runs `f` while reading is refused, in the name of `by`. */
export function withoutReading<T>(by: string, f: () => T): T {
  const before = tracer;
  tracer = by;
  try {
    return f();
  } finally {
    tracer = before;
  }
}

/** The error for who takes `x`, which stands for a number of the caller's, for a number still; null if it stands for none. */
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

let cache: Cache | null = new Cache();

/** From now on these compiled programs are used, or none. Returns those that were used before. */
export function useCache(other: Cache | null): Cache | null {
  const before = cache;
  cache = other;
  return before;
}

/** Runs `f` with other compiled programs than those of everybody, or with none. */
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
  const order = topology([...roots, ...versions], isEnd, sourceOf);
  // Checks, which have no cache, look at graphs as they are.
  const again = cache ? usedAgain(order, versions) : [];
  const used = begin(order);
  const wanted = [...roots, ...again, ...versions];
  const numbers = wanted.map((x) => numberIn(order, x));
  const values = settle(updates, () => {
    checkNotLost(order.nodes);
    return compute(order, numbers, updates.length);
  });
  wanted.forEach((x, i) => {
    hold(x, values[i]!);
  });
  settled();
  release(order);
  keep(used.length + again.length > 0 ? [...used, ...again].filter((x) => !roots.includes(x)) : again);
  return values.slice(0, roots.length);
}

/** The elements of the `wanted` nodes, the last `updates` of which are pending versions. */
export function compute(order: Topology, wanted: readonly number[], updates: number): TypedArray[] {
  // Without a cache, the interpreter is what programs are compared with.
  if (!cache) return interpret(order, wanted);
  return (
    cache.evaluate(order, wanted, updates) ??
    withPieces(order.nodes, (place) => interpret(order, wanted, place))
  );
}

/** Is there nothing to compute? What is detached from a node that holds its elements gets them without being asked for. */
function isEnd(x: Tensor): boolean {
  if (isKnown(x)) return true;
  const value = hasHistory(x) ? elementsOf(operandOf(x, 0)!) : null;
  if (value) hold(x, value);
  return value !== null;
}

/** Lets `x` hold its elements; a `stopGradient` needs what it was computed from no more. */
function hold(x: Tensor, value: TypedArray): void {
  setElements(x, value);
  if (hasHistory(x)) turnIntoLeaf(x, stoppedOp);
}

/** Is this a `stopGradient` of something that is computed? */
function hasHistory(x: Tensor): boolean {
  return x.op === stopOp && arityOf(operandOf(x, 0)!) > 0;
}

/** Nothing is pending any more; a version that has its elements has no history. */
function settled(): void {
  for (const { version } of pending) setSource(version, null);
  pending = [];
}

/** Computes; a throw discards all updates. */
function settle<T>(updates: readonly Pending[], compute: () => T): T {
  try {
    return compute();
  } catch (error) {
    settled();
    for (const { version, discard } of updates) {
      lost.add(version);
      anyLost = true;
      discard();
    }
    throw error;
  }
}

/** Versions whose update failed: an expression that was built on one has no value. */
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
