import type { DType, TypedArray } from "./dtype.ts";
import { allocate, dtypes, rankOf } from "./dtype.ts";
import type { Tensor } from "./graph.ts";
import { elementsOf } from "./graph.ts";
import { compute, isCopy } from "./kernels.ts";
import { sizeOf } from "./shape.ts";
import type { Topology } from "./topology.ts";

/** Where large nodes are computed faster than by the kernels, with the same bits. */
export interface Workplace {
  /** Memory with any values; null if it is to be had elsewhere. */
  take(dtype: DType, size: number): TypedArray | null;
  /** Takes elements back that are not needed any more; false if they are not from here. */
  give(array: TypedArray): boolean;
  /** The same elements as an array that stays. */
  kept(array: TypedArray): TypedArray;
  /** False if it is left to the kernels. */
  compute(node: Tensor, inputs: readonly TypedArray[], out: TypedArray): boolean;
}

/**
 * The reference interpreter: the meaning of a graph, one node after the other. Compiled code must agree with it to the bit.
 *
 * Returns the elements of every node in `keep` (numbers of `order`). Other values are dropped after their last use, and
 * their memory serves later nodes. A leaf with an edge takes the value that the edge leads to (a pending variable).
 */
export function interpret(
  { nodes, starts, edges }: Topology,
  keep: readonly number[],
  place: Workplace | null = null,
): TypedArray[] {
  const values = new Array<TypedArray | null>(nodes.length).fill(null);
  const { uses, owners, ours } = takeTally(nodes.length);
  for (let k = 0; k < edges.length; k++) uses[edges[k]!]!++;
  for (const n of keep) uses[n]!++;
  const free = new Pool();
  for (let n = 0; n < nodes.length; n++) {
    const node = nodes[n]!;
    const first = starts[n]!;
    const end = starts[n + 1]!;
    const known = elementsOf(node);
    owners[n] = n;
    if (known) values[n] = known;
    else if (end > first && isCopy(node)) {
      const owner = owners[edges[first]!]!;
      values[n] = values[owner]!;
      owners[n] = owner;
      uses[owner]! += uses[n]!;
    } else {
      const inputs = operandsOf(end - first);
      for (let k = first; k < end; k++) inputs[k - first] = values[edges[k]!]!;
      const out = place?.take(node.dtype, node.size) ?? free.take(node);
      if (!place?.compute(node, inputs, out)) compute(node, inputs, out);
      // The list outlives the evaluation; what it held need not.
      for (let k = 0; k < inputs.length; k++) inputs[k] = noElements;
      values[n] = out;
      ours[n] = 1;
    }
    for (let k = first; k < end; k++) {
      const owner = owners[edges[k]!]!;
      if (--uses[owner]! > 0) continue;
      const value = values[owner]!;
      if (ours[owner] && !place?.give(value)) free.give(nodes[owner]!, value);
      values[owner] = null;
    }
  }
  tally = { uses, owners, ours };
  return keep.map((n) => (place ? place.kept(values[n]!) : values[n]!));
}

/**
 * For each node the one whose elements are its value: itself, unless it is a copy of another. For that one the uses that they still have, through
 * all nodes, and whether they were allocated here.
 */
interface Tally {
  readonly uses: Int32Array;
  readonly owners: Int32Array;
  readonly ours: Uint8Array;
}

/** The last one, to be used again; null while it is in use. */
let tally: Tally | null = null;

function takeTally(length: number): Tally {
  const last = tally;
  tally = null;
  if (!last || last.ours.length < length)
    return {
      uses: new Int32Array(length),
      owners: new Int32Array(length),
      ours: new Uint8Array(length),
    };
  last.uses.fill(0, 0, length);
  last.ours.fill(0, 0, length);
  return last;
}

const operandLists: TypedArray[][] = [];
const noElements: TypedArray = new Float32Array(0);

/** A list for the operands of one node, used again for the next with as many. */
function operandsOf(count: number): TypedArray[] {
  if (count > 3) return new Array<TypedArray>(count);
  operandLists[count] ??= new Array<TypedArray>(count);
  return operandLists[count];
}

/** Arrays of at most this many elements outlive the evaluation, so that small graphs allocate next to nothing. */
const small = 256;
/** Elements of all arrays of one size that are kept; even the smallest array counts as so many. */
const kept = 2 ** 14;
const leastCounted = 4;

/** By dtype, then by size. */
const smallArrays: readonly TypedArray[][][] = dtypes.map(() => Array.from({ length: small + 1 }, () => []));

/** Arrays that are no longer needed, by dtype and size. */
class Pool {
  #largeArrays: readonly Map<number, TypedArray[]>[] | null = null;

  #list(dtype: number, size: number): TypedArray[] {
    if (size <= small) return smallArrays[dtype]![size]!;
    this.#largeArrays ??= dtypes.map(() => new Map());
    let list = this.#largeArrays[dtype]!.get(size);
    if (!list) {
      list = [];
      this.#largeArrays[dtype]!.set(size, list);
    }
    return list;
  }
  take({ dtype, shape }: Tensor): TypedArray {
    const size = sizeOf(shape);
    return this.#list(rankOf(dtype), size).pop() ?? allocate(dtype, size);
  }
  give({ dtype }: Tensor, array: TypedArray): void {
    const list = this.#list(rankOf(dtype), array.length);
    const { length } = array;
    if (length > small || list.length * Math.max(length, leastCounted) < kept) list.push(array);
  }
}
