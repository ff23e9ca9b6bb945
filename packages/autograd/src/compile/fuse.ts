import type { Tensor } from "../graph.ts";
import { isKnown } from "../graph.ts";
import { topology } from "../topology.ts";
import { Descriptions } from "./description.ts";
import type { Kernel } from "./kernel.ts";
import { kernelOf, patterned } from "./kernel.ts";
import { lower } from "./lower.ts";
import type { Steps } from "./steps.ts";
import { stride } from "./steps.ts";
import { Choice, isHeld } from "./stored.ts";

/**
 * Makes the kernels of all nodes that get elements of their own in memory (`stored.ts`); the bodies of all others merge into the kernels
 * that use them, views as the places that loads read from. The nodes in `sequence` are computed in this order.
 */
export function* fuse(roots: readonly Tensor[], sequence: readonly Tensor[] = roots): Steps<Kernel[]> {
  const order = topology(sequence, isKnown);
  const required = new Set(roots);
  const choice = new Choice(order);
  const lowering = new Lowering();
  for (;;) {
    const before = required.size;
    const stored = choice.stored(required);
    const kernels: Kernel[] = [];
    let done = 0;
    for (const node of order.nodes) {
      if (!stored.has(node) || isHeld(node)) continue;
      for (const kernel of lowering.kernelsOf(node, stored, required)) kernels.push(kernel);
      if (++done % stride === 0) yield;
    }
    // A view whose places turned out not to be affine asks for its operand; that changes who merges where.
    if (required.size === before) return kernels;
  }
}

/** Lowers each node once for what is stored, and each pattern once. */
class Lowering {
  readonly #nodes = new Map<Tensor, Lowered>();
  readonly #patterns = new Map<string, Lowered>();
  readonly #descriptions = new Descriptions();

  kernelsOf(node: Tensor, stored: ReadonlySet<Tensor>, required: Set<Tensor>): readonly Kernel[] {
    let lowered = this.#nodes.get(node);
    if (!lowered || !isStillRight(lowered, stored)) {
      lowered = this.#lower(node, stored);
      this.#nodes.set(node, lowered);
      for (const x of lowered.required) required.add(x);
    }
    return lowered.kernels;
  }

  #lower(node: Tensor, stored: ReadonlySet<Tensor>): Lowered {
    const isStored = (x: Tensor) => stored.has(x);
    const { key, isFlat, visited } = this.#descriptions.of(node, isStored);
    const known = this.#patterns.get(key);
    const found = visited.map(isStored);
    if (known) {
      const like = (x: Tensor) => visited[known.visited.indexOf(x)]!;
      const kernels = known.kernels.map(({ pattern, nodes }) =>
        kernelOf(pattern, nodes.map(like), node.shape),
      );
      return { kernels, visited, found, required: known.required.map(like) };
    }
    const required: Tensor[] = [];
    const kernels = lower(node, { isStored, require: (x) => required.push(x) });
    const lowered = {
      kernels: kernels.map((kernel) => patterned(kernel, isFlat)),
      visited,
      found,
      required,
    };
    this.#patterns.set(key, lowered);
    return lowered;
  }
}

/** Kernels, and which nodes were found stored when they were made: as long as that holds, they do. */
interface Lowered {
  readonly kernels: readonly Kernel[];
  readonly visited: readonly Tensor[];
  readonly found: readonly boolean[];
  /** What has to be stored before there can be kernels. */
  readonly required: readonly Tensor[];
}

function isStillRight({ visited, found }: Lowered, stored: ReadonlySet<Tensor>): boolean {
  for (let i = 0; i < visited.length; i++) if (stored.has(visited[i]!) !== found[i]) return false;
  return true;
}
