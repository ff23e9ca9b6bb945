import type { Flow, StandIn } from "../differentiate.ts";
import type { Op } from "../graph.ts";
import { apply, partial, Tensor, zero } from "../graph.ts";
import type { Segment } from "../segment.ts";
import { segmentOf } from "../segment.ts";
import { stridesOf } from "../shape.ts";
import { inheritSite } from "../site.ts";
import type { Topology } from "../topology.ts";

/**
 * The graph side of `checkpoint`: while a walk in reverse is in a segment, rules are shown copies of its nodes, which the backward pass
 * computes. What goes into the copies waits for what has flown back to the segment. So they are not equal to the nodes of the forward
 * pass, nor computed before they are needed, and the segments are computed again one after the other.
 */

/** The elements of the first operand, once those of the others are computed. */
const afterOp: Op = {
  name: "after",
  kernel: {
    kind: "view",
    waits: true,
    map: (shape) => ({ offset: 0, strides: stridesOf(shape), bounds: null }),
  },
  derivatives: [partial(() => 1), zero],
  shape: ([x]) => x!.shape,
  dtype: ([x]) => x!.dtype,
};

/** The nodes of each segment, those of the segments inside it too. */
type Members = ReadonlyMap<Segment, readonly number[]>;

/** A segment that a walk has entered. Nodes go by their numbers in the walk. */
interface Entered {
  /** Its first node: when the walk is at a lower one, it has left the segment. */
  readonly lowest: number;
  /** For each node outside that the copies use, the node that waits in its place. */
  readonly rim: ReadonlyMap<number, Tensor>;
  /** The copy of each of its nodes. */
  readonly copies: ReadonlyMap<number, Tensor>;
}

/** What a walk in reverse shows to rules: copies of the nodes that are in segments, the others as they are. Null if none is in one. */
export function recomputed(order: Topology, flow: Flow): StandIn | null {
  const members = membersOf(order);
  if (members.size === 0) return null;
  const walk = new Walk(order, members, flow);
  return (n) => {
    const segment = isMade(order, n) ? segmentOf(order.nodes[n]!) : null;
    return walk.enter(segment, n)?.copies.get(n) ?? order.nodes[n]!;
  };
}

class Walk {
  readonly #order: Topology;
  readonly #members: Members;
  readonly #flow: Flow;
  readonly #entered = new Map<Segment, Entered>();
  /** The entered segments that no other segment waits for yet. */
  #last: readonly Entered[] = [];

  constructor(order: Topology, members: Members, flow: Flow) {
    this.#order = order;
    this.#members = members;
    this.#flow = flow;
  }

  /** The copies of a segment, which are made when the walk comes into it, at node `n`. */
  enter(segment: Segment | null, n: number): Entered | null {
    if (!segment || segment.isOpen) return null;
    const known = this.#entered.get(segment);
    if (known) return known;
    const outer = this.enter(segment.outer, n)?.copies;
    const left = this.#last.filter(({ lowest }) => lowest > n);
    const waits = [...this.#flow(n), ...left.flatMap(({ rim }) => [...rim.keys()].flatMap(this.#flow))];
    const entered = this.#copy(this.#members.get(segment)!, outer, waits);
    this.#last = [...this.#last.filter((other) => !left.includes(other)), entered];
    this.#entered.set(segment, entered);
    return entered;
  }

  /** Copies the nodes with these numbers. What they use of outside (of an outer segment its copies, `outer`) waits for `waits`. */
  #copy(numbers: readonly number[], outer: Entered["copies"] | undefined, waits: readonly Tensor[]): Entered {
    const { nodes, starts, edges } = this.#order;
    const rim = new Map<number, Tensor>();
    const copies = new Map<number, Tensor>();
    const operand = (m: number): Tensor => {
      const found = copies.get(m) ?? rim.get(m);
      if (found) return found;
      const x = outer?.get(m) ?? nodes[m]!;
      if (isCounted(x)) return x;
      // The others wait for the first, and so for all that it waits for.
      const [first] = rim.values();
      const waiting = apply(afterOp, [x, ...(first ? [first] : waits)]);
      rim.set(m, waiting);
      return waiting;
    };
    for (const m of numbers) {
      const { op, attributes, shape, dtype } = nodes[m]!;
      const operands = edges.slice(starts[m], starts[m + 1]).map(operand);
      const copy = new Tensor(op, operands, attributes, shape, dtype);
      inheritSite(copy, nodes[m]!);
      copies.set(m, copy);
    }
    return { lowest: numbers[0]!, rim, copies };
  }
}

function membersOf(order: Topology): Members {
  const members = new Map<Segment, number[]>();
  order.nodes.forEach((x, n) => {
    if (!isMade(order, n)) return;
    for (let segment = segmentOf(x); segment && !segment.isOpen; segment = segment.outer) {
      const numbers = members.get(segment);
      if (numbers) numbers.push(n);
      else members.set(segment, [n]);
    }
  });
  return members;
}

/** Is the node made of others in this walk? Leaves and versions of variables need not be computed again. */
function isMade({ starts }: Topology, n: number): boolean {
  return starts[n]! < starts[n + 1]!;
}

/** Is it a leaf of equal numbers, or of numbers in a row? These take no memory and need not wait. */
function isCounted({ op: { kernel } }: Tensor): boolean {
  return kernel.kind === "leaf" && kernel.source !== "data";
}
