import { isFloat } from "./dtype.ts";
import type { Tensor } from "./graph.ts";
import { arityOf, elementsOf, markComputed, ownerOf, setElements, sourceOf } from "./graph.ts";
import { stopOp } from "./ops/composed.ts";
import type { Topology } from "./topology.ts";
import { numberIn } from "./topology.ts";

/**
 * Which elements are kept though nobody read them. If a new node uses one that an earlier reading computed on the way, the program still
 * holds that one: it is prepared data, or the state of a loop. It keeps its elements the second time, or each reading would compute it
 * again, a state even from the first step on. Kept elements that no reading has used for long are dropped once there is much of them, and
 * computed again if they are asked for.
 */

/**
 * Elements of a node that is kept, unless it is made of more. Fused into the kernels that use them, larger nodes may never exist in memory,
 * and keeping them would cost more than it saves.
 */
const mostKept = 2 ** 22;

/**
 * Nodes that were computed in an earlier reading and that new nodes use. While updates are pending, only those that do not depend on the
 * versions that the updates replace: of the others, mostly values of the forward pass, the gradient is the last use.
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
  // Does the node depend on a version that is replaced?
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

/** The numbers of the float versions that pending ones replace: of each such variable the newest that holds its elements. */
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
 * Nodes that were kept, listed by the reading that used them last, the latest at the end. The references are strong, for some readings
 * only: what is read through a weak one lives to the end of the job, which for a loop without a pause is the end of the loop.
 */
let kept: Tensor[][] = [];
const longestUnused = 8;

/** The bytes of kept nodes that the last readings did not use, without those that were collected. */
let idle = 0;
const mostIdle = 2 ** 28;
const collected = new FinalizationRegistry<number>((bytes) => {
  idle -= bytes;
});

/** A reading of the graph `order` begins. Returns the kept nodes that it uses, and takes them off the lists: `keep` puts them back. */
export function begin(order: Topology): Tensor[] {
  if (kept.length === 0) return [];
  const used = kept.flat().filter((x) => numberIn(order, x) >= 0);
  claim(used);
  return used;
}

/** A reading is over: `xs` are kept, and elements that the last readings did not use may be dropped. */
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

/** Takes nodes off the lists: somebody has read them, so their elements stay. */
export function claim(xs: readonly Tensor[]): void {
  if (xs.length > 0) kept = kept.map((used) => used.filter((x) => !xs.includes(x)));
}
