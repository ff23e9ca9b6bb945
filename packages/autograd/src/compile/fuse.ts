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
 * Graph to kernels. Each node that is stored (`stored.ts` chooses which) gets kernels of its own; all others become part of the bodies of
 * the kernels that use them, views as the places that loads read from. The kernels come in the order of the nodes in `sequence`.
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
    // A view whose places are not affine requires that its operand be stored, which changes the choice: all over again then.
    if (required.size === before) return kernels;
  }
}

/** Lowers each node once as long as what it reads is stored as before, and nodes of equal descriptions by one plan. */
class Lowering {
  readonly #nodes = new Map<Tensor, LoweredNode>();
  /** By the key of a description. */
  readonly #plans = new Map<string, Plan>();
  readonly #descriptions = new Descriptions();

  /** The kernels of a stored node. What has to be stored for them is added to `required`. */
  kernelsOf(node: Tensor, stored: ReadonlySet<Tensor>, required: Set<Tensor>): readonly Kernel[] {
    let lowered = this.#nodes.get(node);
    if (!lowered || !isStillRight(lowered, stored)) {
      lowered = this.#lower(node, stored, required);
      this.#nodes.set(node, lowered);
    }
    return lowered.kernels;
  }

  #lower(node: Tensor, stored: ReadonlySet<Tensor>, required: Set<Tensor>): LoweredNode {
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
    return { kernels, visited, wereStored: visited.map(isStored) };
  }
}

/** How nodes of one description are lowered. Nodes go by their places in `Description.visited`, which are the same for all of them. */
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
  /** The body with the places in each node counted from the element where the description says that it begins. */
  const counted = (body: readonly Scalar[], places: readonly number[]): readonly Scalar[] =>
    body.map((scalar) => {
      const start = starts.get(places[scalar.source]!);
      return start && scalar.at ? { ...scalar, at: moved(scalar.at, -start) } : scalar;
    });
  const required: number[] = [];
  const kernels = lower(node, { isStored, require: (x) => required.push(placeOf(x)) });
  const withPattern =
    kernels.length > fewParts ? sharingPatterns(isFlat) : (form: Bare) => patterned(form, isFlat);
  return {
    kernels: kernels.map(({ form, nodes, start }) => {
      const places = nodes.map(placeOf);
      return { form: withPattern({ ...form, body: counted(form.body, places) }), places, start };
    }),
    required,
  };
}

type Bare = Omit<Form, "pattern">;

/** Up to so many kernels of one node, such as the parts of a concatenation, each get a pattern without a look for equal forms. */
const fewParts = 4;

/** Gives equal forms one pattern. */
function sharingPatterns(isFlat: boolean): (form: Bare) => Form {
  const known = new Map<string, Form>();
  const objects = new Map<unknown, number>();
  const asText = (key: string, value: unknown) => {
    if (key === "values" || key === "slow") return numbered(objects, value);
    return typeof value === "number" ? (Object.is(value, -0) ? "-0" : String(value)) : value;
  };
  return (form) => remembered(known, JSON.stringify(form, asText), () => patterned(form, isFlat));
}

/** The kernels of a node. They are right as long as the same of the visited nodes are stored. */
interface LoweredNode {
  readonly kernels: readonly Kernel[];
  readonly visited: readonly Tensor[];
  readonly wereStored: readonly boolean[];
}

function isStillRight({ visited, wereStored }: LoweredNode, stored: ReadonlySet<Tensor>): boolean {
  for (let i = 0; i < visited.length; i++) if (stored.has(visited[i]!) !== wereStored[i]) return false;
  return true;
}
