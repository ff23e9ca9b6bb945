import type { Tensor } from "./graph.ts";
import { watching } from "./graph.ts";
import { remembered } from "./memo.ts";

/** A part of a graph that the backward pass computes again (`checkpoint`), inside another such part or none. */
export interface Segment {
  readonly outer: Segment | null;
  /** Is it being made? Derivatives that are taken meanwhile are part of it. */
  isOpen: boolean;
}

const segments = /* @__PURE__ */ new WeakMap<Tensor, Segment>();
let current: Segment | null = null;

/** The innermost segment that `x` was made in, if any. */
export function segmentOf(x: Tensor): Segment | null {
  return segments.get(x) ?? null;
}

/** Runs `f`; the nodes that it makes are a segment. */
export function asSegment<T>(f: () => T): T {
  return within({ outer: current, isOpen: false }, f);
}

function within<T>(segment: Segment, f: () => T): T {
  const before = current;
  current = segment;
  segment.isOpen = true;
  try {
    return watching((x) => segments.set(x, segment), f);
  } finally {
    segment.isOpen = false;
    current = before;
  }
}

/** Calls `make`, which makes what takes the place of `node`: in a segment, if the node is in one. */
type Carry = <T>(node: Tensor, make: () => T) => T;

/**
 * Returns a function for a pass that makes a new node for each node of a graph: what it makes for the nodes of one segment is one segment
 * too, inside those of the outer segments.
 */
export function carrying(): Carry {
  const known = new Map<Segment, Segment>();
  const around = current;
  const carried = (segment: Segment): Segment =>
    remembered(known, segment, ({ outer }) => ({ outer: outer ? carried(outer) : around, isOpen: false }));
  return (node, make) => {
    const segment = segmentOf(node);
    return segment ? within(carried(segment), make) : make();
  };
}
