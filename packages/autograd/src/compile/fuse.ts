import type { Tensor } from "../graph.ts";
import { isKnown } from "../graph.ts";
import { numbered, remembered } from "../memo.ts";
import { topology } from "../topology.ts";
import { moved } from "./affine.ts";
import type { Description } from "./description.ts";
import { Descriptions } from "./description.ts";
import type { Form, Kernel, Scalar } from "./kernel.ts";
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
    const description = this.#descriptions.of(node, isStored);
    const { key, visited, starts } = description;
    const plan = remembered(this.#plans, key, () => planOf(node, isStored, description));
    for (const place of plan.required) required.add(visited[place]!);
    const kernels = plan.kernels.map(({ form, places, start }) => ({
      form: reshaped(form, node.shape),
      nodes: places.map((place) => visited[place]!),
      starts: places.map((place, i) => (i > 0 ? (starts.get(place) ?? 0) : start)),
    }));
    return { kernels, visited, found: visited.map(isStored) };
  }
}

/** How nodes of one description are lowered; nodes are places in a walk over one. */
interface Plan {
  readonly kernels: readonly {
    readonly form: Form;
    readonly places: readonly number[];
    readonly start: number;
  }[];
  /** What has to be stored before there can be kernels. */
  readonly required: readonly number[];
}

function planOf(
  node: Tensor,
  isStored: (x: Tensor) => boolean,
  { isFlat, visited, starts }: Description,
): Plan {
  const placeOf = (x: Tensor) => visited.indexOf(x);
  const counted = (body: readonly Scalar[], places: readonly number[]): readonly Scalar[] =>
    body.map((scalar) => {
      const start = starts.get(places[scalar.source]!);
      return start && scalar.at ? { ...scalar, at: moved(scalar.at, -start) } : scalar;
    });
  const required: number[] = [];
  const kernels = lower(node, { isStored, require: (x) => required.push(placeOf(x)) });
  const made = kernels.length > fewParts ? onceEach(isFlat) : (form: Bare) => patterned(form, isFlat);
  return {
    kernels: kernels.map(({ form, nodes, start }) => {
      const places = nodes.map(placeOf);
      return { form: made({ ...form, body: counted(form.body, places) }), places, start };
    }),
    required,
  };
}

type Bare = Omit<Form, "pattern">;

/** Of so many parts of a concatenation it is not asked which are copied alike. */
const fewParts = 4;

/** Gives forms that say the same one pattern. */
function onceEach(isFlat: boolean): (form: Bare) => Form {
  const known = new Map<string, Form>();
  const objects = new Map<unknown, number>();
  const said = (key: string, value: unknown) => {
    if (key === "values" || key === "slow") return numbered(objects, value);
    return typeof value === "number" ? (Object.is(value, -0) ? "-0" : String(value)) : value;
  };
  return (form) => remembered(known, JSON.stringify(form, said), () => patterned(form, isFlat));
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
