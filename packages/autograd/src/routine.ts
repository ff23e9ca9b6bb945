import type { Traced } from "./compile/plan.ts";
import type { Executable } from "./compile/run.ts";
import { build } from "./compile/run.ts";
import { finish } from "./compile/steps.ts";
import type { TypedArray } from "./dtype.ts";
import { allocate, copyOf } from "./dtype.ts";
import type { GraphForm } from "./form.ts";
import { elementsOf, Tensor } from "./graph.ts";
import { compute, isCopy } from "./kernels.ts";
import { placeholder } from "./ops/leaf.ts";
import { broadcastTo } from "./ops/movement.ts";
import * as roles from "./roles.ts";
import { Slot } from "./slot.ts";
import type { Topology } from "./topology.ts";

/** A form of pending graphs as a compiled program. Throws CompileError if there is none. */
export class Routine {
  readonly #executable: Executable;
  readonly #inputs: readonly { readonly n: number; readonly slot: Slot }[];
  readonly #numbers: readonly { readonly n: number; readonly place: TypedArray }[];
  /** Nodes that are found outside, in order, and where they go if the program reads them. */
  readonly #outside: readonly { readonly n: number; readonly place: TypedArray | null }[];
  /** New versions, which stay where they are, and then outputs. */
  readonly #results: readonly (Slot | TypedArray)[];
  /** For each wanted node which of the results it is, -1 if it holds its elements anyway. */
  readonly #chosen: readonly number[];
  /** The elements of nodes outside, during a run. */
  readonly #values: (TypedArray | null)[];

  constructor(form: GraphForm, order: Topology, wanted: readonly number[]) {
    const plan = new Reconstruction(form, order, wanted);
    const executable = finish(build(plan.traced, { relaxed: false }));
    const { inputs, states, outputs } = executable;
    const stateSlots = states.map((place) => new Slot(place));
    this.#executable = executable;
    this.#inputs = [
      ...plan.states.map((n, i) => ({ n, slot: stateSlots[i]! })),
      ...plan.held.map((n, i) => ({ n, slot: new Slot(inputs[i]!) })),
    ];
    const rest = inputs.slice(plan.held.length);
    this.#numbers = plan.numbers.map((n, i) => ({ n, place: rest[i]! }));
    const picked = new Map(plan.picked.map((n, i) => [n, rest[plan.numbers.length + i]!]));
    this.#outside = plan.outside.map((n) => ({ n, place: picked.get(n) ?? null }));
    this.#results = [...stateSlots, ...outputs];
    this.#chosen = plan.chosen;
    this.#values = new Array<TypedArray | null>(plan.outside.length > 0 ? order.nodes.length : 0).fill(null);
  }

  /** Of the program's memory. */
  get bytes(): number {
    return this.#executable.bytes;
  }

  /**
   * The elements of the wanted nodes of a graph of this form, in arrays of their own. Throws IndexError for indices that are
   * out of range, and what opaque kernels throw.
   */
  run(order: Topology, wanted: readonly number[]): TypedArray[] {
    const { nodes } = order;
    for (const { n, slot } of this.#inputs) slot.fill(elementsOf(nodes[n]!)!);
    for (const { n, place } of this.#numbers) place[0] = Number(nodes[n]!.attributes.value);
    if (this.#outside.length > 0) this.#findOutside(order);
    const results = this.#compute();
    const values = new Array<TypedArray>(wanted.length);
    for (let i = 0; i < wanted.length; i++) {
      const chosen = this.#chosen[i]!;
      values[i] = chosen < 0 ? elementsOf(nodes[wanted[i]!]!)! : results[chosen]!;
    }
    return values;
  }

  #compute(): TypedArray[] {
    try {
      this.#executable.run();
      return this.#results.map((result) => (result instanceof Slot ? result.take() : copyOf(result)));
    } catch (error) {
      for (const { slot } of this.#inputs) slot.forget();
      throw error;
    }
  }

  #findOutside({ nodes, starts, edges }: Topology): void {
    const values = this.#values;
    for (const { n, place } of this.#outside) {
      const node = nodes[n]!;
      const operands: TypedArray[] = [];
      for (let k = starts[n]!; k < starts[n + 1]!; k++)
        operands.push(elementsOf(nodes[edges[k]!]!) ?? values[edges[k]!]!);
      if (isCopy(node)) {
        values[n] = operands[0]!;
        place?.set(operands[0]!);
      } else {
        values[n] = place ?? allocate(node.dtype, node.size);
        compute(node, operands, values[n]!);
      }
    }
    // What was found need not outlive the run.
    values.fill(null);
  }
}

/** The graph of a form anew, on leaves that stand for what a program is given. */
class Reconstruction {
  readonly traced: Traced;
  /** Nodes that go into the program, by what they are. */
  readonly states: readonly number[];
  readonly held: readonly number[];
  readonly numbers: readonly number[];
  readonly picked: readonly number[];
  readonly outside: readonly number[];
  /** For each wanted node the number of the result that gives its elements, states first; -1 if it holds them. */
  readonly chosen: readonly number[];

  constructor(form: GraphForm, order: Topology, wanted: readonly number[]) {
    const use = findUse(form, order, wanted);
    const inside = (...wantedRoles: number[]) =>
      order.nodes.flatMap((_, n) => (use[n]! & insideUse && wantedRoles.includes(form.roles[n]!) ? [n] : []));
    this.states = form.pairs.filter((n) => n >= 0);
    this.held = inside(roles.held, roles.version).filter((n) => !this.states.includes(n));
    this.numbers = inside(roles.number);
    this.picked = inside(roles.picked);
    this.outside = order.nodes.flatMap((_, n) =>
      (use[n]! & outsideUse && isFound(form.roles[n]!)) || this.picked.includes(n) ? [n] : [],
    );
    const leaves = new Map<number, Tensor>();
    const leaf = (n: number, scalar = false): Tensor => {
      const { shape, dtype } = order.nodes[n]!;
      leaves.set(n, placeholder(scalar ? [] : shape, dtype));
      return leaves.get(n)!;
    };
    const states = this.states.map((n) => leaf(n));
    const inputs = [
      ...this.held.map((n) => leaf(n)),
      ...this.numbers.map((n) => leaf(n, true)),
      ...this.picked.map((n) => leaf(n)),
    ];
    const made = remake(form, order, use, leaves);
    const { updates, outputs, chosen } = choose(form, order, wanted, made);
    this.chosen = chosen;
    this.traced = { inputs, states, outputs, updates };
  }
}

/** What the program has to leave for each wanted node: a new version, or else an output. */
function choose(
  { pairs }: GraphForm,
  { nodes }: Topology,
  wanted: readonly number[],
  made: readonly Tensor[],
): { updates: Tensor[]; outputs: Tensor[]; chosen: number[] } {
  const firstUpdate = wanted.length - pairs.length;
  const stays = (i: number): boolean => i >= firstUpdate && pairs[i - firstUpdate]! >= 0;
  const updates = wanted.flatMap((n, i) => (stays(i) ? [made[n]!] : []));
  const outputs: Tensor[] = [];
  let state = 0;
  const chosen = wanted.map((n, i) => {
    if (elementsOf(nodes[n]!)) return -1;
    if (stays(i)) return state++;
    const x = made[n]!;
    if (updates.includes(x)) return updates.indexOf(x);
    if (!outputs.includes(x)) outputs.push(x);
    return updates.length + outputs.indexOf(x);
  });
  return { updates, outputs, chosen };
}

const insideUse = 1;
const outsideUse = 2;

/** Is a node of this role computed outside if something outside needs it? */
function isFound(role: number): boolean {
  return role === roles.computed || role === roles.picked;
}

/** Whether the program reads each node, and whether what happens outside does. */
function findUse(
  { roles: given, pairs }: GraphForm,
  { starts, edges }: Topology,
  wanted: readonly number[],
): Uint8Array {
  const use = new Uint8Array(given.length);
  for (const n of wanted) if (given[n] !== roles.held && given[n] !== roles.version) use[n]! |= insideUse;
  for (const n of pairs) if (n >= 0) use[n]! |= insideUse;
  for (let n = given.length - 1; n >= 0; n--) {
    if (use[n] === 0) continue;
    const passed = given[n] === roles.picked ? outsideUse : use[n]!;
    for (let k = starts[n]!; k < starts[n + 1]!; k++) use[edges[k]!]! |= passed;
  }
  return use;
}

/** The nodes that the program computes, on `leaves`. */
function remake(
  form: GraphForm,
  { nodes, starts, edges }: Topology,
  use: Uint8Array,
  leaves: ReadonlyMap<number, Tensor>,
): readonly Tensor[] {
  const made: Tensor[] = new Array<Tensor>(nodes.length);
  nodes.forEach((node, n) => {
    const leaf = leaves.get(n);
    if (leaf) made[n] = form.roles[n] === roles.number ? broadcastTo(leaf, node.shape) : leaf;
    else if (!(use[n]! & insideUse)) return;
    else if (form.roles[n] === roles.passed) made[n] = made[edges[starts[n]!]!]!;
    else {
      const { op, attributes, shape, dtype } = node;
      const inputs: Tensor[] = [];
      for (let k = starts[n]!; k < starts[n + 1]!; k++) inputs.push(made[edges[k]!]!);
      made[n] = new Tensor(op, inputs, attributes, shape, dtype);
    }
  });
  return made;
}
