import type { DType, TypedArray } from "./dtype.ts";
import { allocate, dtypes, rankOf } from "./dtype.ts";
import type { Tensor } from "./graph.ts";
import { elementsOf } from "./graph.ts";
import { compute, isCopy } from "./kernels.ts";
import { sizeOf } from "./shape.ts";
import type { Topology } from "./topology.ts";

/** What computes large nodes faster than the kernels, to the same bits, in memory of its own (`compile/piecewise.ts`). */
export interface Workplace {
  /** Memory that holds anything; null if the elements are to lie elsewhere. */
  take(dtype: DType, size: number): TypedArray | null;
  /** Takes back memory that is not needed any more; false if it is not from here. */
  give(array: TypedArray): boolean;
  /** The same elements as an array that outlives the evaluation. */
  kept(array: TypedArray): TypedArray;
  /** Computes the node, or returns false and leaves it to the kernels. */
  compute(node: Tensor, inputs: readonly TypedArray[], out: TypedArray): boolean;
}

/**
 * The reference interpreter: the meaning of a graph, one node after the other. Compiled code must agree with it to the bit.
 *
 * Returns the elements of every node in `keep` (numbers of the topology). Other values are dropped after their last use, and
 * their memory serves later nodes. A leaf with an edge (a pending version of a variable) has the value of what the edge leads to.
 */
export function interpret(
  { nodes, starts, edges }: Topology,
  keep: readonly number[],
  place: Workplace | null = null,
): TypedArray[] {
  const values = new Array<TypedArray | null>(nodes.length).fill(null);
  const { uses, owners, isOwn } = takeTally(nodes.length);
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
      // It shares the elements of what it is a copy of, which count its uses from now on.
      const owner = owners[edges[first]!]!;
      values[n] = values[owner]!;
      owners[n] = owner;
      uses[owner]! += uses[n]!;
    } else {
      const inputs = operandsOf(end - first);
      for (let k = first; k < end; k++) inputs[k - first] = values[edges[k]!]!;
      const out = place?.take(node.dtype, node.size) ?? free.take(node);
      if (!place?.compute(node, inputs, out)) compute(node, inputs, out);
      // The list is used again, and would keep the elements alive.
      for (let k = 0; k < inputs.length; k++) inputs[k] = noElements;
      values[n] = out;
      isOwn[n] = 1;
    }
    for (let k = first; k < end; k++) {
      const owner = owners[edges[k]!]!;
      if (--uses[owner]! > 0) continue;
      const value = values[owner]!;
      if (isOwn[owner] && !place?.give(value)) free.give(nodes[owner]!, value);
      values[owner] = null;
    }
  }
  tally = { uses, owners, isOwn };
  return keep.map((n) => (place ? place.kept(values[n]!) : values[n]!));
}

/** What is known of each node during an evaluation. */
interface Tally {
  /** The node whose elements are its value: itself, unless it is a copy of another. */
  readonly owners: Int32Array;
  /** Of an owner: how often its elements are still read, by way of copies too. */
  readonly uses: Int32Array;
  /** Of an owner: were its elements allocated here, so that others may use the memory again? */
  readonly isOwn: Uint8Array;
}

/** The last one, to be used again; null while it is in use. */
let tally: Tally | null = null;

function takeTally(length: number): Tally {
  const last = tally;
  tally = null;
  if (!last || last.isOwn.length < length)
    return {
      uses: new Int32Array(length),
      owners: new Int32Array(length),
      isOwn: new Uint8Array(length),
    };
  last.uses.fill(0, 0, length);
  last.isOwn.fill(0, 0, length);
  return last;
}

/** By length. */
const operandLists: TypedArray[][] = [];
const noElements: TypedArray = new Float32Array(0);

/** A list for the operands of one node; the next node with as many gets the same. */
function operandsOf(count: number): TypedArray[] {
  if (count > 3) return new Array<TypedArray>(count);
  operandLists[count] ??= new Array<TypedArray>(count);
  return operandLists[count];
}

/** Arrays of at most this many elements outlive the evaluation, so that small graphs allocate next to nothing. */
const small = 256;
/** So many elements are kept in arrays of one dtype and size, where an array counts as at least `leastCounted`. */
const mostKept = 2 ** 14;
const leastCounted = 4;

/** Free arrays that outlive the evaluation, by dtype, then by size. */
const smallArrays: readonly TypedArray[][][] = dtypes.map(() => Array.from({ length: small + 1 }, () => []));

/** Arrays that are no longer needed. */
class Pool {
  /** By dtype, then by size. */
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
    if (length > small || list.length * Math.max(length, leastCounted) < mostKept) list.push(array);
  }
}
