import type { Flow, StandIn } from "../differentiate.ts";
import type { Op } from "../graph.ts";
import { apply, partial, Tensor, zero } from "../graph.ts";
import type { Segment } from "../segment.ts";
import { segmentOf } from "../segment.ts";
import { stridesOf } from "../shape.ts";
import { inheritSite } from "../site.ts";
import type { Topology } from "../topology.ts";

/** The nodes of segments, made again for the backward pass (`checkpoint`). */

/** The elements of the first operand, once those of the others are there. */
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

/** A segment that a walk has entered; nodes go by their numbers. */
interface Entered {
  /** Below this node the walk has left it. */
  readonly lowest: number;
  /** What it is computed from, as nodes that wait. */
  readonly rim: ReadonlyMap<number, Tensor>;
  readonly copies: ReadonlyMap<number, Tensor>;
}

/** For a walk in reverse: copies of the nodes that are in segments; null if none is. */
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
  /** Those whose gradients nobody waits for yet. */
  #last: readonly Entered[] = [];

  constructor(order: Topology, members: Members, flow: Flow) {
    this.#order = order;
    this.#members = members;
    this.#flow = flow;
  }

  /** What there is of a segment, made when the walk comes to the first of its nodes, which is node `n`. */
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

  /** The nodes with these numbers above nodes that wait, in the place of what is around them: copies too, in an outer segment. */
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

/** Does the walk see what the node is made of? Leaves and versions of variables are there anyway. */
function isMade({ starts }: Topology, n: number): boolean {
  return starts[n]! < starts[n + 1]!;
}

/** Equal numbers, or numbers in a row: they take no memory. */
function isCounted({ op: { kernel } }: Tensor): boolean {
  return kernel.kind === "leaf" && kernel.source !== "data";
}
