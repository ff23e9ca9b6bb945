import type { TypedArray } from "../dtype.ts";
import { isFloat } from "../dtype.ts";
import type { Tensor } from "../graph.ts";
import type { Topology } from "../topology.ts";
import type { Ranks } from "./dependence.ts";
import { isMovement, leastOf, leastRanks } from "./dependence.ts";
import { valuesOf } from "./replay.ts";

/** An element of a node. */
export interface Place {
  readonly node: Tensor;
  readonly element: number;
}

/**
 * The values of a graph, and of each element that is not finite the first one that it comes from, as a rank: the elements of all nodes
 * count from minus twice their number on, in the order in which the nodes were made, and those that are given have a rank that is higher
 * by their number. So the least of several ranks is the first, and what is given is last.
 */
export class Origins {
  readonly order: Topology;
  readonly #values: readonly TypedArray[];
  readonly #ranks: readonly Ranks[];
  readonly #numbers: ReadonlyMap<Tensor, number>;
  /** The number of the first element of each node. */
  readonly #starts: Float64Array;
  readonly #total: number;

  /** `isGiven` says which elements that are not finite are not to blame for it. */
  constructor(order: Topology, isGiven: (node: Tensor, value: number) => boolean) {
    const { nodes } = order;
    this.order = order;
    this.#numbers = new Map(nodes.map((node, n) => [node, n]));
    this.#starts = new Float64Array(nodes.length);
    this.#total = 0;
    for (const node of nodes.toSorted((a, b) => a.id - b.id)) {
      this.#starts[this.#numbers.get(node)!] = this.#total;
      this.#total += node.size;
    }
    this.#values = valuesOf(order);
    const ranks: Ranks[] = [];
    this.#ranks = ranks;
    nodes.forEach((node, n) => {
      const isSound = !isFloat(node.dtype) || !this.#values[n]!.some(isBad);
      ranks.push(isSound ? null : this.#rank(node, n, (value) => isGiven(node, value)));
    });
  }

  valuesOf(node: Tensor): TypedArray {
    return this.#values[this.#numbers.get(node)!]!;
  }

  #ranksOf(node: Tensor): Ranks {
    return this.#ranks[this.#numbers.get(node)!]!;
  }

  #rank(node: Tensor, n: number, isGiven: (value: number) => boolean): Float64Array {
    const ranks = leastRanks(
      node,
      node.inputs.map((x) => this.valuesOf(x)),
      node.inputs.map((x) => this.#ranksOf(x)),
    );
    const moves = isMovement(node);
    this.#values[n]!.forEach((value, i) => {
      const rank = ranks[i]!;
      const given = isGiven(value);
      const own = this.#starts[n]! - this.#total * (given ? 1 : 2);
      // A NaN that is made of given infinities is to blame.
      const isNew = rank === 0 || (rank >= -this.#total && Number.isNaN(value) && !given && !moves);
      ranks[i] = !isBad(value) ? 0 : isNew ? own + i : rank;
    });
    return ranks;
  }

  /** The first element that those of the roots which are not finite come from; null if all are finite. */
  first(roots: readonly Tensor[]): Place | null {
    const least = roots.reduce((found, root) => leastOf(this.#ranksOf(root), found), 0);
    if (least === 0) return null;
    const number = least + this.#total * (least < -this.#total ? 2 : 1);
    const { nodes } = this.order;
    const n = nodes.findIndex(
      ({ size }, k) => number >= this.#starts[k]! && number < this.#starts[k]! + size,
    );
    return { node: nodes[n]!, element: number - this.#starts[n]! };
  }

  /** The first element of `node` that comes from this place, -1 if there is none. */
  reached(node: Tensor, { node: from, element }: Place): number {
    const rank = this.#ranksOf(from)![element]!;
    return this.#ranksOf(node)?.indexOf(rank) ?? -1;
  }

  /** Of the elements of operand `k` that an element of `node` is computed from, the largest. */
  mainSource(node: Tensor, element: number, k: number): number {
    const values = node.inputs.map((x) => this.valuesOf(x));
    const bySize = [...values[k]!.keys()].sort((i, j) => sizeOf(values[k]![j]!) - sizeOf(values[k]![i]!));
    const ranks = new Float64Array(bySize.length);
    bySize.forEach((i, place) => {
      ranks[i] = place - bySize.length;
    });
    const least = leastRanks(
      node,
      values,
      values.map((_, other) => (other === k ? ranks : null)),
    )[element]!;
    return bySize[least + bySize.length] ?? 0;
  }
}

const isBad = (x: number): boolean => !Number.isFinite(x);

/** NaN counts as the largest. */
const sizeOf = (x: number): number => (Number.isNaN(x) ? Infinity : Math.abs(x));
