import { isFloat } from "./dtype.ts";
import type { Tensor } from "./graph.ts";
import { arityOf, elementsOf, newestId, ownerOf, setElements, sourceOf } from "./graph.ts";
import type { Topology } from "./topology.ts";
import { numberIn } from "./topology.ts";

/**
 * What is kept though nobody read it. Nodes that were built before a reading and that later ones use are held by somebody across
 * readings, such as prepared data or the state of a loop: they are computed along and keep their elements, or each reading would
 * compute them again, and a state from the first step on. What was not used for long can be computed again, and lets go of them once
 * there is much of it.
 */

/** The newest node when elements were last asked for. */
let newestRead = 0;

/** What is larger, and larger than what it is made of, may be there only in the kernels that use it: it is not kept. */
const mostKept = 2 ** 22;

/**
 * Old nodes that new ones were built on. While updates are pending that goes for what depends on no variable: the others are what a
 * gradient needs of the forward pass, once.
 */
export function usedAgain({ nodes, starts, edges }: Topology, isUpdating: boolean): Tensor[] {
  let last = nodes.length - 1;
  while (last >= 0 && (starts[last] === starts[last + 1] || nodes[last]!.id > newestRead)) last--;
  if (last < 0) return [];
  const isComputed = (n: number) => starts[n]! < starts[n + 1]! && sourceOf(nodes[n]!) === null;
  const found = new Set<number>();
  for (let n = 0; n < nodes.length; n++) {
    if (nodes[n]!.id <= newestRead) continue;
    for (let k = starts[n]!; k < starts[n + 1]!; k++) {
      let input = edges[k]!;
      if (nodes[input]!.id > newestRead) continue;
      while (isComputed(input) && nodes[input]!.op.kernel.kind === "view") input = edges[starts[input]!]!;
      if (isComputed(input)) found.add(input);
    }
  }
  const varies = new Uint8Array(nodes.length);
  let given = 0;
  nodes.forEach((x, n) => {
    if (isUpdating && ownerOf(x) && isFloat(x.dtype)) varies[n] = 1;
    if (starts[n] === starts[n + 1]) given += x.size;
    for (let k = starts[n]!; k < starts[n + 1]!; k++) varies[n]! |= varies[edges[k]!]!;
  });
  const most = Math.max(mostKept, given);
  return [...found].filter((n) => !varies[n] && nodes[n]!.size <= most).map((n) => nodes[n]!);
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
  newestRead = newestId();
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
