import type { Tensor } from "./graph.ts";
import { markOf, ownerOf, setMark } from "./graph.ts";

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

// The path from a root to the node being visited, how many inputs of each node on it are done, and the edges so far. They are
// kept for the next walk, the path emptied, because growing them anew would cost more than most walks.
let path: (Tensor | null)[] = [];
let done = new Int32Array(1024);
let ends = new Int32Array(1024);
let targets = new Int32Array(2048);
const longestKept = 2 ** 16;

/**
 * Everything that `roots` are computed from. `inputsOf` says where to look further: by default at all inputs.
 * An explicit stack instead of recursion: graphs a million nodes deep are no exception.
 */
export function topology(
  roots: readonly Tensor[],
  inputsOf: (x: Tensor) => readonly Tensor[] = allInputs,
): Topology {
  const base = marks + 1;
  const nodes: Tensor[] = [];
  let edgeCount = 0;
  let deepest = 0;
  for (const root of roots) {
    if (markOf(root) >= base) continue;
    path[0] = root;
    done[0] = 0;
    let depth = 1;
    while (depth > 0) {
      const x = path[depth - 1]!;
      const inputs = inputsOf(x);
      let i = done[depth - 1]!;
      while (i < inputs.length && markOf(inputs[i]!) >= base) i++;
      if (i < inputs.length) {
        done[depth - 1] = i + 1;
        if (depth === done.length) done = longer(done);
        path[depth] = inputs[i]!;
        done[depth] = 0;
        depth++;
      } else {
        if (depth > deepest) deepest = depth;
        for (let k = 0; k < inputs.length; k++) {
          if (edgeCount === targets.length) targets = longer(targets);
          targets[edgeCount++] = markOf(inputs[k]!) - base;
        }
        if (nodes.length === ends.length) ends = longer(ends);
        ends[nodes.length] = edgeCount;
        setMark(x, base + nodes.length);
        nodes.push(x);
        depth--;
      }
    }
  }
  marks = base + nodes.length;
  // Of known length: an array that grows by push is copied several times and reserves room for more.
  const starts = new Array<number>(nodes.length + 1).fill(0);
  for (let n = 0; n < nodes.length; n++) starts[n + 1] = ends[n]!;
  const edges = new Array<number>(edgeCount).fill(0);
  for (let k = 0; k < edgeCount; k++) edges[k] = targets[k]!;
  if (nodes.length > longestKept) forget();
  else path.fill(null, 0, deepest);
  return { nodes, starts, edges };
}

/** What a long walk needed is not kept. */
function forget(): void {
  path = [];
  done = new Int32Array(1024);
  ends = new Int32Array(1024);
  targets = new Int32Array(2048);
}

function longer(array: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> {
  const out = new Int32Array(2 * array.length);
  out.set(array);
  return out;
}

const allInputs = (x: Tensor): readonly Tensor[] => x.inputs;

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
