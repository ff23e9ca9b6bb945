import { isFloat } from "./dtype.ts";
import type { Tensor } from "./graph.ts";
import { arityOf, elementsOf, markComputed, ownerOf, setElements, sourceOf } from "./graph.ts";
import { stopOp } from "./ops/composed.ts";
import type { Topology } from "./topology.ts";
import { numberIn } from "./topology.ts";

/**
 * What is kept though nobody read it. A node that was computed in an earlier reading, and is now used by one that was not, is held by
 * somebody across readings, such as prepared data or the state of a loop: it keeps its elements this time, or each reading would
 * compute it again, and a state from the first step on. What was not used for long can be computed again, and lets go of them once
 * there is much of it.
 */

/** What is larger, and larger than what it is made of, may be there only in the kernels that use it: it is not kept. */
const mostKept = 2 ** 22;

/**
 * Nodes that were computed before and that new ones are built on. While updates are pending that goes for what does not depend on the
 * versions that they replace: the others are what a gradient needs of the forward pass, once.
 */
export function usedAgain(order: Topology, versions: readonly Tensor[]): Tensor[] {
  const { nodes, starts, edges } = order;
  let repeated: Uint8Array | null = null;
  for (let n = 0; n < nodes.length; n++) {
    if (starts[n] === starts[n + 1] || !markComputed(nodes[n]!)) continue;
    repeated ??= new Uint8Array(nodes.length);
    repeated[n] = 1;
  }
  if (!repeated) return [];
  const found = new Set<number>();
  for (let n = 0; n < nodes.length; n++) {
    if (repeated[n]) continue;
    for (let k = starts[n]!; k < starts[n + 1]!; k++) {
      let input = edges[k]!;
      if (!repeated[input]) continue;
      // A stopGradient becomes a leaf, which lets go of the history of a state.
      if (nodes[n]!.op === stopOp) input = n;
      else while (repeated[input] && nodes[input]!.op.kernel.kind === "view") input = edges[starts[input]!]!;
      if ((input === n || repeated[input]) && sourceOf(nodes[input]!) === null) found.add(input);
    }
  }
  if (found.size === 0) return [];
  const varies = new Uint8Array(nodes.length);
  for (const n of replaced(order, versions)) varies[n] = 1;
  let given = 0;
  nodes.forEach((x, n) => {
    if (elementsOf(x) !== null) given += x.size;
    for (let k = starts[n]!; k < starts[n + 1]!; k++) varies[n]! |= varies[edges[k]!]!;
  });
  const most = Math.max(mostKept, given);
  return [...found].filter((n) => !varies[n] && nodes[n]!.size <= most).map((n) => nodes[n]!);
}

/** The numbers of the float versions that pending ones take the place of: of each variable the newest that has its elements. */
function replaced({ nodes, starts }: Topology, versions: readonly Tensor[]): Iterable<number> {
  const newest = new Map<Tensor, number>();
  for (const version of versions) newest.set(ownerOf(version)!, -1);
  nodes.forEach((x, n) => {
    const owner = starts[n] === starts[n + 1] && isFloat(x.dtype) ? ownerOf(x) : null;
    const before = owner ? newest.get(owner) : undefined;
    if (before !== undefined && (before < 0 || x.id > nodes[before]!.id)) newest.set(owner!, n);
  });
  return [...newest.values()].filter((n) => n >= 0);
}

/**
 * Nodes that were kept, by the reading that used them last, the latest at the end. They are held strongly and only for some readings:
 * weak references would live to the end of the job, which in a loop without a pause is all of it.
 */
let kept: Tensor[][] = [];
const longestUnused = 8;

/** The bytes of kept nodes that no reading used for so long; the collector takes off what nobody holds. */
let idle = 0;
const mostIdle = 2 ** 28;
const collected = new FinalizationRegistry<number>((bytes) => {
  idle -= bytes;
});

/** A reading of the graph `order` begins. Returns the kept nodes that it uses; until they are kept once more they stay as they are. */
export function begin(order: Topology): Tensor[] {
  if (kept.length === 0) return [];
  const used = kept.flat().filter((x) => numberIn(order, x) >= 0);
  claim(used);
  return used;
}

/** A reading is over: `xs` are kept, and what no reading used for long may go. */
export function keep(xs: readonly Tensor[]): void {
  if (xs.length === 0 && kept.every(({ length }) => length === 0)) {
    kept = [];
    return;
  }
  // What has become a leaf could not be computed again.
  kept.push(xs.filter((x) => arityOf(x) > 0));
  if (kept.length <= longestUnused) return;
  for (const x of kept.shift()!) {
    const bytes = elementsOf(x)!.byteLength;
    if (idle + bytes > mostIdle) setElements(x, null);
    else {
      idle += bytes;
      collected.register(x, bytes);
    }
  }
}

/** Somebody has read these: their elements stay. */
export function claim(xs: readonly Tensor[]): void {
  if (xs.length > 0) kept = kept.map((used) => used.filter((x) => !xs.includes(x)));
}
