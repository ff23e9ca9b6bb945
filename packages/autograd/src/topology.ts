import type { Tensor } from "./graph.ts";
import { arityOf, markOf, operandOf, ownerOf, setMark } from "./graph.ts";

/** Marks below this one belong to earlier walks. */
let marks = 0;

/**
 * Nodes in an order in which inputs come before the nodes that use them, with the edges as numbers: the inputs of
 * `nodes[i]` are `nodes[edges[k]]` for `k` from `starts[i]` up to `starts[i + 1]`.
 */
export interface Topology {
  readonly nodes: readonly Tensor[];
  readonly starts: readonly number[];
  readonly edges: readonly number[];
}

// The path from a root to the node being visited, how many inputs each node on it has and how many of them are done, and the
// nodes so far. They are kept for the next walk, emptied, because growing them anew would cost more than most walks.
let path: (Tensor | null)[] = [];
let counts = new Int32Array(1024);
let done = new Int32Array(1024);
let found: (Tensor | null)[] = [];
const longestKept = 2 ** 16;

/** Does a walk go no further than this node? */
type End = (x: Tensor) => boolean;

/** The lists of a topology, to be written over by the next one. */
interface Numbers {
  readonly starts: number[];
  readonly edges: number[];
  isInUse: boolean;
}

/**
 * What was released last, by where the walk ended: walks of one sort are mostly as long as the one before. Weak, since some ends are
 * made for one walk and know its graph.
 */
const released = new WeakMap<End, Numbers>();

interface Walk extends Topology {
  readonly numbers: Numbers;
  readonly isEnd: End;
}

/** Says that nobody will look at this topology again. */
export function release({ nodes, numbers, isEnd }: Walk): void {
  numbers.isInUse = false;
  if (nodes.length <= longestKept) released.set(isEnd, numbers);
}

function takeNumbers(isEnd: End): Numbers {
  const last = released.get(isEnd);
  if (!last || last.isInUse) return { starts: [0], edges: [], isInUse: true };
  last.isInUse = true;
  return last;
}

/**
 * Everything that `roots` are computed from. The walk goes no further at nodes for which `isEnd` holds, and from a leaf to what `beyond`
 * says, if it says something. An explicit stack instead of recursion: graphs a million nodes deep are no exception.
 */
export function topology(
  roots: readonly Tensor[],
  isEnd: End = never,
  beyond: (x: Tensor) => Tensor | null = nowhere,
): Walk {
  const base = marks + 1;
  const numbers = takeNumbers(isEnd);
  const { starts, edges } = numbers;
  let nodeCount = 0;
  let edgeCount = 0;
  let deepest = 0;
  const countOf = (x: Tensor): number => (isEnd(x) ? 0 : arityOf(x) || (beyond(x) ? 1 : 0));
  for (const root of roots) {
    if (markOf(root) >= base) continue;
    let depth = 0;
    let x = root;
    let count = countOf(x);
    let i = 0;
    for (;;) {
      let next: Tensor | null = null;
      while (i < count && next === null) {
        const input = operandOf(x, i++) ?? beyond(x)!;
        if (markOf(input) < base) next = input;
      }
      if (next) {
        if (depth === done.length) [done, counts] = [longer(done), longer(counts)];
        path[depth] = x;
        done[depth] = i;
        counts[depth++] = count;
        x = next;
        count = countOf(x);
        i = 0;
        continue;
      }
      for (let k = 0; k < count; k++) edges[edgeCount++] = markOf(operandOf(x, k) ?? beyond(x)!) - base;
      setMark(x, base + nodeCount);
      found[nodeCount++] = x;
      starts[nodeCount] = edgeCount;
      if (depth > deepest) deepest = depth;
      if (depth === 0) break;
      x = path[--depth]!;
      count = counts[depth]!;
      i = done[depth]!;
    }
  }
  marks = base + nodeCount;
  const nodes = found.slice(0, nodeCount) as Tensor[];
  if (starts.length > nodeCount + 1) starts.length = nodeCount + 1;
  if (edges.length > edgeCount) edges.length = edgeCount;
  if (nodes.length > longestKept) forget();
  else {
    path.fill(null, 0, deepest);
    found.fill(null, 0, nodeCount);
  }
  return { nodes, starts, edges, numbers, isEnd };
}

/** What a long walk needed is not kept. */
function forget(): void {
  path = [];
  found = [];
  counts = new Int32Array(1024);
  done = new Int32Array(1024);
}

function longer(array: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> {
  const out = new Int32Array(2 * array.length);
  out.set(array);
  return out;
}

const never = (): boolean => false;
const nowhere = (): null => null;

/** The number of `x` in the topology that was made last, -1 if it is not part of it. */
export function numberIn({ nodes }: Topology, x: Tensor): number {
  const n = markOf(x) - marks + nodes.length;
  const found = nodes[n];
  return found === x || (found && ownerOf(found) === x) ? n : -1;
}

/**
 * In the topology that was made last, lets `numberIn` find a variable at its version, node `n`. False if it stands for
 * another version there already.
 */
export function nameVersion(order: Topology, variable: Tensor, n: number): boolean {
  if (numberIn(order, variable) >= 0) return false;
  setMark(variable, marks - order.nodes.length + n);
  return true;
}
