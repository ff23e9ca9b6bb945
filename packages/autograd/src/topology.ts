import type { Tensor } from "./graph.ts";
import { arityOf, markOf, operandOf, ownerOf, setMark } from "./graph.ts";
import { checkList } from "./shape.ts";

/**
 * Marks below this one belong to earlier walks, so that none has to be erased. A walk gives its node number `n` the mark `base + n`, where
 * `base` is what this was when the walk began.
 */
let marks = 1;

/**
 * Nodes in an order in which inputs come before the nodes that use them, with the edges as numbers: the inputs of
 * `nodes[i]` are `nodes[edges[k]]` for `k` from `starts[i]` up to `starts[i + 1]`.
 */
export interface Topology {
  readonly nodes: readonly Tensor[];
  readonly starts: readonly number[];
  readonly edges: readonly number[];
}

// The stack of a walk: the path from a root to the node that is being visited, for each node on it how many inputs it has, and how
// many of them are done. It is kept for the next walk, emptied: growing it anew would cost more than most walks.
let path: (Tensor | null)[] = [];
let counts = new Int32Array(1024);
let done = new Int32Array(1024);
const longestKept = 2 ** 16;

/** Does a walk go no further than this node? */
type End = (x: Tensor) => boolean;

/** The lists of a topology, which another may write over once it is released. */
interface Lists {
  readonly starts: number[];
  readonly edges: number[];
  isInUse: boolean;
}

/**
 * The lists that were released last, by `isEnd`: walks that end alike are mostly as long as the one before, so these fit. Weak, since an
 * `isEnd` that was made for one walk holds its graph.
 */
const released = new WeakMap<End, Lists>();

/** Says that nobody will look at this topology again: its lists go to the next one with the same `isEnd`. */
export let release: (order: Topology) => void;

class Walk implements Topology {
  readonly nodes: readonly Tensor[];
  readonly starts: readonly number[];
  readonly edges: readonly number[];
  readonly #lists: Lists;
  readonly #isEnd: End;

  constructor(nodes: readonly Tensor[], lists: Lists, isEnd: End) {
    this.nodes = nodes;
    this.starts = lists.starts;
    this.edges = lists.edges;
    this.#lists = lists;
    this.#isEnd = isEnd;
  }

  static {
    release = (order) => {
      if (!(#lists in order)) return;
      const lists = order.#lists;
      lists.isInUse = false;
      if (order.nodes.length <= longestKept) released.set(order.#isEnd, lists);
    };
  }
}

function takeLists(isEnd: End): Lists {
  const last = released.get(isEnd);
  if (!last || last.isInUse) return { starts: [0], edges: [], isInUse: true };
  last.isInUse = true;
  return last;
}

/**
 * Everything that `roots` are computed from. The walk goes no further at nodes for which `isEnd` holds. Where `beyond` gives a node for a
 * leaf, it goes on there, as if that were the leaf's input. An explicit stack instead of recursion: graphs a million nodes deep are no
 * exception.
 */
export function topology(
  roots: readonly Tensor[],
  isEnd: End = never,
  beyond: (x: Tensor) => Tensor | null = nowhere,
): Topology {
  checkList("topology", roots, "[x]");
  const base = marks;
  const lists = takeLists(isEnd);
  const { starts, edges } = lists;
  // In constants of the function, because engines check at each access that a variable of a module is initialized.
  const mark = markOf;
  const operand = operandOf;
  const waiting = path;
  const nodes: Tensor[] = [];
  let inputCounts = counts;
  let inputsDone = done;
  let nodeCount = 0;
  let edgeCount = 0;
  let deepest = 0;
  try {
    for (const root of roots) {
      /** A node to visit before going on with the path. */
      let next = mark(root) < base ? root : null;
      let depth = 0;
      // The node that is being visited, how many inputs it has, and how many of them are done.
      let x = root;
      let count = 0;
      let i = 0;
      while (next !== null || depth > 0) {
        if (next !== null) {
          x = next;
          count = isEnd(x) ? 0 : arityOf(x) || (beyond(x) ? 1 : 0);
          i = 0;
          next = null;
        } else {
          x = waiting[--depth]!;
          count = inputCounts[depth]!;
          i = inputsDone[depth]!;
        }
        while (i < count && next === null) {
          const input = operand(x, i++) ?? beyond(x)!;
          if (mark(input) < base) next = input;
        }
        if (next !== null) {
          if (depth === inputsDone.length) {
            done = inputsDone = longer(inputsDone);
            counts = inputCounts = longer(inputCounts);
          }
          waiting[depth] = x;
          inputsDone[depth] = i;
          inputCounts[depth++] = count;
          if (depth > deepest) deepest = depth;
          continue;
        }
        for (let k = 0; k < count; k++) edges[edgeCount++] = mark(operand(x, k) ?? beyond(x)!) - base;
        setMark(x, base + nodeCount);
        nodes[nodeCount++] = x;
        starts[nodeCount] = edgeCount;
      }
    }
  } finally {
    // Also where `isEnd` throws or an input is no tensor: the next walk must find neither marks that count as its own nor a path.
    marks = base + nodeCount;
    if (deepest > longestKept) forget();
    else for (let k = 0; k < deepest; k++) waiting[k] = null;
  }
  if (starts.length > nodeCount + 1) starts.length = nodeCount + 1;
  if (edges.length > edgeCount) edges.length = edgeCount;
  return new Walk(nodes, lists, isEnd);
}

/** An earlier topology with the numbers of its roots, and what is left of its nodes. */
export interface Trail extends Omit<Topology, "nodes"> {
  readonly roots: readonly number[];
  /** May `x` be node `n`? */
  accepts(x: Tensor, n: number): boolean;
}

/**
 * What `topology` gives if the graph has the edges of an earlier one, and nodes that this accepts; else null. Where each node has its number
 * by that of a node that uses it, there is nothing to look for: one comparison for each edge.
 */
export function topologyAlong(
  trail: Trail,
  roots: readonly Tensor[],
  isEnd: End,
  beyond: (x: Tensor) => Tensor | null,
): Topology | null {
  const { starts, edges, roots: numbers } = trail;
  const base = marks;
  const count = starts.length - 1;
  const nodes = new Array<Tensor | null>(count).fill(null);
  const mark = markOf;
  /** Lets `x` be node `n`. False if it is another one already, or another one is that. */
  const place = (n: number, x: Tensor): boolean => {
    if (nodes[n] === x) return true;
    if (nodes[n] !== null || mark(x) >= base) return false;
    nodes[n] = x;
    setMark(x, base + n);
    return true;
  };
  // Whatever happens, the next walk takes none of these marks for its own.
  marks = base + count;
  for (let i = 0; i < roots.length; i++) if (!place(numbers[i]!, roots[i]!)) return null;
  for (let n = count - 1; n >= 0; n--) {
    const x = nodes[n]!;
    const start = starts[n]!;
    const arity = isEnd(x) ? 0 : arityOf(x) || (beyond(x) ? 1 : 0);
    if (arity !== starts[n + 1]! - start || !trail.accepts(x, n)) return null;
    for (let i = 0; i < arity; i++) if (!place(edges[start + i]!, operandOf(x, i) ?? beyond(x)!)) return null;
  }
  // Each node of the trail is a root or used by a later one, so all were found.
  return { nodes: nodes as Tensor[], starts, edges };
}

/** Lets go of the stack of a long walk. */
function forget(): void {
  path = [];
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
  // An engine looks for a negative index among the names of an array's properties.
  if (n < 0) return -1;
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
