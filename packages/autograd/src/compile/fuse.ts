import type { Tensor } from "../graph.ts";
import { isKnown } from "../graph.ts";
import { remembered } from "../memo.ts";
import { topology } from "../topology.ts";
import { Descriptions } from "./description.ts";
import type { Form, Kernel } from "./kernel.ts";
import { patterned, reshaped } from "./kernel.ts";
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
    for (let n = 0; n < order.nodes.length; n++) {
      const node = order.nodes[n]!;
      if (!stored.has(node) || isHeld(node)) continue;
      kernels.push(...lowering.kernelsOf(node, stored, required));
      if (++done % stride === 0) yield;
    }
    // A view whose places turned out not to be affine asks for its operand; that changes who merges where.
    if (required.size === before) return kernels;
  }
}

/** Lowers each node once for what is stored, and each pattern once. */
class Lowering {
  readonly #nodes = new Map<Tensor, Lowered>();
  readonly #plans = new Map<string, Plan>();
  readonly #descriptions = new Descriptions();

  kernelsOf(node: Tensor, stored: ReadonlySet<Tensor>, required: Set<Tensor>): readonly Kernel[] {
    let lowered = this.#nodes.get(node);
    if (!lowered || !isStillRight(lowered, stored)) {
      lowered = this.#lower(node, stored, required);
      this.#nodes.set(node, lowered);
    }
    return lowered.kernels;
  }

  #lower(node: Tensor, stored: ReadonlySet<Tensor>, required: Set<Tensor>): Lowered {
    const isStored = (x: Tensor) => stored.has(x);
    const { key, isFlat, visited } = this.#descriptions.of(node, isStored);
    const plan = remembered(this.#plans, key, () => planOf(node, isStored, isFlat, visited));
    for (const place of plan.required) required.add(visited[place]!);
    const kernels = plan.kernels.map(({ form, places }) => ({
      form: reshaped(form, node.shape),
      nodes: places.map((place) => visited[place]!),
    }));
    return { kernels, visited, found: visited.map(isStored) };
  }
}

/** How nodes of one description are lowered; nodes are places in a walk over one. */
interface Plan {
  readonly kernels: readonly { readonly form: Form; readonly places: readonly number[] }[];
  /** What has to be stored before there can be kernels. */
  readonly required: readonly number[];
}

function planOf(
  node: Tensor,
  isStored: (x: Tensor) => boolean,
  isFlat: boolean,
  visited: readonly Tensor[],
): Plan {
  const placeOf = (x: Tensor) => visited.indexOf(x);
  const required: number[] = [];
  const kernels = lower(node, { isStored, require: (x) => required.push(placeOf(x)) });
  return {
    kernels: kernels.map(({ form, nodes }) => ({
      form: patterned(form, isFlat),
      places: nodes.map(placeOf),
    })),
    required,
  };
}

/** Kernels, and which nodes were found stored when they were made: as long as that holds, they do. */
interface Lowered {
  readonly kernels: readonly Kernel[];
  readonly visited: readonly Tensor[];
  readonly found: readonly boolean[];
}

function isStillRight({ visited, found }: Lowered, stored: ReadonlySet<Tensor>): boolean {
  for (let i = 0; i < visited.length; i++) if (stored.has(visited[i]!) !== found[i]) return false;
  return true;
}
