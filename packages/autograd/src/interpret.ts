import type { TypedArray } from "./dtype.ts";
import { allocate, dtypes } from "./dtype.ts";
import type { Tensor, Topology } from "./graph.ts";
import { elementsOf } from "./graph.ts";
import { compute, isCopy } from "./kernels.ts";
import { sizeOf } from "./shape.ts";

/**
 * The reference interpreter: the meaning of a graph, one node after the other. Compiled code must agree with it to the bit.
 *
 * Returns the elements of every node in `keep` (numbers of `order`). Other values are dropped after their last use, and
 * their memory serves later nodes. A leaf with an edge takes the value that the edge leads to (a pending variable).
 */
export function interpret({ nodes, starts, edges }: Topology, keep: readonly number[]): TypedArray[] {
  const values = new Array<TypedArray | null>(nodes.length).fill(null);
  const uses = new Int32Array(nodes.length);
  for (let k = 0; k < edges.length; k++) uses[edges[k]!]!++;
  for (const n of keep) uses[n]!++;
  // Only what was allocated here and is no other node's value too may be used again.
  const ours = new Uint8Array(nodes.length);
  const free = new Pool();
  for (let n = 0; n < nodes.length; n++) {
    const node = nodes[n]!;
    const first = starts[n]!;
    const end = starts[n + 1]!;
    const known = elementsOf(node);
    if (known) values[n] = known;
    else if (end > first && isCopy(node)) {
      values[n] = values[edges[first]!]!;
      ours[edges[first]!] = 0;
    } else {
      const inputs: TypedArray[] = [];
      for (let k = first; k < end; k++) inputs.push(values[edges[k]!]!);
      const out = free.take(node);
      compute(node, inputs, out);
      values[n] = out;
      ours[n] = 1;
    }
    for (let k = first; k < end; k++) {
      const input = edges[k]!;
      if (--uses[input]! > 0) continue;
      if (ours[input]) free.give(nodes[input]!, values[input]!);
      values[input] = null;
    }
  }
  return keep.map((n) => values[n]!);
}

/** Arrays that are no longer needed, by dtype and size. */
class Pool {
  readonly #arrays: readonly Map<number, TypedArray[]>[] = dtypes.map(() => new Map());

  take({ dtype, shape }: Tensor): TypedArray {
    const size = sizeOf(shape);
    return this.#arrays[dtypes.indexOf(dtype)]!.get(size)?.pop() ?? allocate(dtype, size);
  }
  give({ dtype }: Tensor, array: TypedArray): void {
    const lists = this.#arrays[dtypes.indexOf(dtype)]!;
    const list = lists.get(array.length);
    if (list) list.push(array);
    else lists.set(array.length, [array]);
  }
}
