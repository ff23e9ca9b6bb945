import { byteSize } from "../dtype.ts";
import type { Tensor } from "../graph.ts";
import { elementsOf } from "../graph.ts";
import { remembered } from "../memo.ts";
import type { Program } from "../program.ts";
import type { Topology } from "../topology.ts";
import { programOf } from "./simplify.ts";
import { stridedOp } from "./strided.ts";
import { tiledOp } from "./tile.ts";

/** Is the node in memory from the start: a constant, an input, a version of a variable? */
export function isHeld(node: Tensor): boolean {
  const { kernel } = node.op;
  return elementsOf(node) !== null || (kernel.kind === "leaf" && kernel.source === "data");
}

/** Instructions of one body at the most: bounds the functions that come out. */
const bodyLimit = 600;
/** Nodes of one body that lie in one another at the most: bounds the recursion of lowering. */
const deepest = 200;
const cheapInstructions = 3;
/** What several kernels compute again may come to this many instructions in all. */
const repeatedLimit = 12;
const costly = new Set(["div", "sqrt", "table", "rare", "scale2"]);

/** Not read yet, or by more than one kernel; other readers are the number of the node whose kernel it is. */
const unseen = -2;
const many = -1;

/**
 * Chooses which nodes get elements of their own in memory. A pointwise node does not if one kernel alone reads it, or if doing it
 * again is cheaper than keeping it; views never do unless they must.
 */
export class Choice {
  readonly #order: Topology;
  /** For each node the instructions that it adds to a body. */
  readonly #work: Int32Array;
  readonly #traits: readonly Traits[];

  constructor(order: Topology) {
    const { nodes } = order;
    this.#order = order;
    const work = new Int32Array(nodes.length).fill(1);
    const known = new Map<Program, Traits>();
    this.#traits = nodes.map((node, n) => {
      const { kernel } = node.op;
      if (isHeld(node)) return held;
      if (kernel.kind !== "pointwise") return traitsOf(node);
      const program = programOf(kernel.body, node.inputs, node.dtype);
      work[n] = program.instructions.length;
      return remembered(known, program, traitsOfProgram);
    });
    this.#work = work;
  }

  /** The stored nodes, `required` among them. */
  stored(required: ReadonlySet<Tensor>): Set<Tensor> {
    const { nodes, starts, edges } = this.#order;
    const traits = this.#traits;
    const readers = new Int32Array(nodes.length).fill(unseen);
    /** The view through which a kernel reads the node: elements that are read through two are computed twice. */
    const views = new Int32Array(nodes.length);
    /** The node, or what it is a view of, has to lie in memory: 1 through views, 2 itself. */
    const memory = new Uint8Array(nodes.length);
    const own = new Uint8Array(nodes.length);
    for (let n = nodes.length - 1; n >= 0; n--) {
      const { lies, expands, isView, isList, first, others } = traits[n]!;
      const needed = memory[n]!;
      const isOwn =
        lies === always ||
        (needed & 2) > 0 ||
        (lies !== never && needed > 0) ||
        (lies === ifShared && readers[n] === many) ||
        required.has(nodes[n]!);
      if (isOwn) own[n] = 1;
      const start = starts[n]!;
      const end = starts[n + 1]!;
      const reader = isOwn ? n : readers[n]!;
      const view = isView ? n : isOwn ? 0 : views[n]!;
      const passed = isView && !isOwn ? needed & 1 : 0;
      for (let k = start; k < end; k++) {
        const input = edges[k]!;
        const through = isList ? start - k - 1 : view;
        const before = readers[input]!;
        const isLike = before === unseen || (before === reader && views[input] === through);
        readers[input] = expands || !isLike ? many : reader;
        views[input] = through;
        memory[input]! |= passed | (k === start ? first : others);
      }
    }
    this.#limitBodies(readers, own);
    return new Set(nodes.filter((_, n) => own[n]));
  }

  /** Stores nodes with which bodies would become too long, or too many would lie in one another. */
  #limitBodies(readers: Int32Array, own: Uint8Array): void {
    const { nodes, starts, edges } = this.#order;
    const work = this.#work;
    const traits = this.#traits;
    const weights = new Int32Array(nodes.length);
    const depths = new Int32Array(nodes.length);
    for (let n = 0; n < nodes.length; n++) {
      let weight = work[n]!;
      let depth = 1;
      const end = starts[n + 1]!;
      for (let k = starts[n]!; k < end; k++) {
        const input = edges[k]!;
        weight += weights[input]!;
        if (depths[input]! >= depth) depth = depths[input]! + 1;
      }
      if (!own[n]) {
        const { lies, isLeaf } = traits[n]!;
        const limit = readers[n] === many ? repeatedLimit : bodyLimit;
        if ((lies >= ifNeeded && weight > limit) || (!isLeaf && depth > deepest)) own[n] = 1;
      }
      weights[n] = own[n] ? 1 : weight;
      depths[n] = own[n] ? 0 : depth;
    }
  }
}

/** When does a node lie in memory: never unless it has to itself, if that is needed of it or its views, if it is shared too, always? */
const [never, ifNeeded, ifShared, always] = [0, 1, 2, 3] as const;

/** What the choice depends on beside the edges. */
interface Traits {
  readonly lies: typeof never | typeof ifNeeded | typeof ifShared | typeof always;
  readonly isLeaf: boolean;
  readonly isView: boolean;
  /** Are operands copied one after the other? */
  readonly isList: boolean;
  /** Does a view have more elements than its operand? */
  readonly expands: boolean;
  /** Do the first operand and the others have to lie in memory: as above? */
  readonly first: number;
  readonly others: number;
}

function traits(lies: Traits["lies"], rest: Partial<Traits> = {}): Traits {
  const none = { isLeaf: false, isView: false, isList: false, expands: false, first: 0, others: 0 };
  return { lies, ...none, ...rest };
}

const held = traits(always, { isLeaf: true });
const cheap = traits(ifNeeded);
const costing = traits(ifShared);
const leaf = traits(never, { isLeaf: true });
const computed = traits(always);
const list = traits(always, { isList: true });
const product = traits(always, { first: 1, others: 1 });
const tiledProduct = traits(always, { first: 1, others: 2 });
const picking = traits(always, { first: 2 });
const opaque = traits(always, { first: 2, others: 2 });
const view = traits(never, { isView: true });
const expanding = traits(never, { isView: true, expands: true });
const expandingStrided = traits(never, { isView: true, expands: true, first: 2 });

function traitsOf({ op, size, inputs }: Tensor): Traits {
  switch (op.kernel.kind) {
    case "leaf":
      return leaf;
    case "view":
      if (size <= inputs[0]!.size) return view;
      return op === stridedOp ? expandingStrided : expanding;
    case "concatenate":
      return list;
    case "contract":
      return op === tiledOp ? tiledProduct : product;
    case "gather":
      return picking;
    case "opaque":
      return opaque;
    default:
      return computed;
  }
}

function traitsOfProgram({ instructions }: Program): Traits {
  let work = 0;
  for (const { word, dtype, operands } of instructions) {
    if (word === "input" || word === "constant") continue;
    if (++work > cheapInstructions || costly.has(word)) return costing;
    // Numbers of two widths in one kernel are not computed in lanes: a learning rate of float64 is converted once, by itself.
    if (word === "convert" && byteSize(dtype) !== byteSize(instructions[operands[0]!]!.dtype)) return costing;
  }
  return cheap;
}
