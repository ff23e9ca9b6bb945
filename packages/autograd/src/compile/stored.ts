import { byteSize } from "../dtype.ts";
import type { Kernel, Op, Tensor } from "../graph.ts";
import { elementsOf } from "../graph.ts";
import { isCopy } from "../kernels.ts";
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

/** The most instructions of one body, so that functions do not become too long. */
const bodyLimit = 600;
/** The longest chain of nodes in one body, so that the recursion of lowering does not become too deep. */
const deepest = 200;
/** A node of at most so many instructions, none of them costly, is computed again sooner than stored. */
const cheapInstructions = 3;
const costly = new Set(["div", "sqrt", "table", "rare", "scale2"]);
/** A node that several kernels use is computed again by each, with all that merges into it, up to so many instructions. */
const repeatedLimit = 12;
/**
 * Up to so many if it has `muchSize` elements, too many for a cache, and `muchLarger` times as many as what it is made of, such as the
 * differences of all pairs of points: writing and reading it would take longer.
 */
const expandedLimit = 40;
const muchSize = 2 ** 20;
const muchLarger = 8;
/** Of smaller nodes it does not matter how often they are read. */
const worthReading = 2 ** 12;

// What reads a node: the number of the node whose kernel it is, or one of these.
const unseen = -2;
const many = -1;

// What has to lie in memory for a node to be computed, as bits.
/** The node, or what it is a view of. */
const throughViews = 1;
/** The node itself. */
const itself = 2;
/** The node itself, or what it is a copy of. */
const itselfOrCopied = 4;

/**
 * Chooses which nodes are stored: get elements of their own in memory. A pointwise node is not if only one kernel reads it, or if
 * computing it again is cheaper than storing it; views are not unless they must be.
 */
export class Choice {
  readonly #order: Topology;
  /** For each node the instructions that it adds to a body. */
  readonly #work: Int32Array;
  readonly #traits: readonly Traits[];
  /** The one node that uses each, or `many`; found when it is needed. */
  #users: Int32Array | null = null;

  constructor(order: Topology) {
    const { nodes } = order;
    this.#order = order;
    const work = new Int32Array(nodes.length).fill(1);
    const ofPrograms = new Map<Program, Traits>();
    const ofOps = new Map<Op, Traits>();
    this.#traits = nodes.map((node, n) => {
      const { op, inputs, dtype } = node;
      if (isHeld(node)) return held;
      if (op.kernel.kind !== "pointwise") return remembered(ofOps, op, traitsOf);
      const program = programOf(op.kernel.body, inputs, dtype);
      work[n] = program.instructions.length;
      return remembered(ofPrograms, program, traitsOfProgram);
    });
    this.#work = work;
  }

  /** The stored nodes, `required` among them. */
  stored(required: ReadonlySet<Tensor>): Set<Tensor> {
    const { nodes } = this.#order;
    const own = new Uint8Array(nodes.length);
    for (let n = 0; n < nodes.length; n++) if (required.has(nodes[n]!)) own[n] = 1;
    const readers = this.#findReaders(own);
    const limited = this.#limitBodies(readers, own);
    const isSunk = nodes.some(({ size }) => size >= worthReading) && this.#sink(readers, own, required);
    if (limited.length > 0 || isSunk) {
      // What was shared through one of these has one reader now.
      const fewer = this.#findReaders(own);
      for (const n of limited) if (fewer[n] !== many) own[n] = 0;
      this.#limitBodies(fewer, own);
    }
    return new Set(nodes.filter((_, n) => own[n]));
  }

  /**
   * Moves stores down: where several kernels would compute a large node from operands that are stored for it alone, the node is stored
   * instead of the operands, so that the kernels read one array. True if there was one.
   */
  #sink(readers: Int32Array, own: Uint8Array, required: ReadonlySet<Tensor>): boolean {
    const { nodes, starts, edges } = this.#order;
    this.#users ??= usersOf(this.#order);
    const users = this.#users;
    let isSunk = false;
    for (let n = 0; n < nodes.length; n++) {
      const { size } = nodes[n]!;
      if (size < worthReading || own[n] || readers[n] !== many || this.#traits[n]!.lies !== ifNeeded)
        continue;
      const operands = edges.slice(starts[n], starts[n + 1]).filter((i) => !isSmaller(nodes[i]!, size));
      const alone = operands.filter(
        (i) => own[i] && users[i] === n && this.#traits[i]!.kind === "pointwise" && !required.has(nodes[i]!),
      );
      if (operands.length < 2 || alone.length === 0) continue;
      for (const i of alone) own[i] = 0;
      own[n] = 1;
      isSunk = true;
    }
    return isSunk;
  }

  /**
   * Goes from the results to the leaves and finds the kernel that reads each node. Adds to the stored nodes (`own`) those that must be, and
   * costly ones that are shared.
   */
  #findReaders(own: Uint8Array): Int32Array {
    const { nodes, starts, edges } = this.#order;
    const readers = new Int32Array(nodes.length).fill(unseen);
    /** The view through which a kernel reads the node: what is read through two views is computed twice. */
    const views = new Int32Array(nodes.length);
    const read = (n: number, reader: number, view: number): void => {
      const before = readers[n]!;
      readers[n] = before === unseen || (before === reader && views[n] === view) ? reader : many;
      views[n] = view;
    };
    /** What its users need of each node in memory. */
    const needs = new Uint8Array(nodes.length);
    for (let n = nodes.length - 1; n >= 0; n--) {
      const node = nodes[n]!;
      const { lies, kind, first, others } = this.#traits[n]!;
      const need = needs[n]!;
      const isView = kind === "view";
      const isLarge = isView && node.size > node.inputs[0]!.size;
      const passed = isView ? passedOn(node, need) : 0;
      const isOwn =
        own[n] === 1 ||
        lies === always ||
        (need & ~(passed | throughViews)) !== 0 ||
        (lies !== never && need !== 0) ||
        (lies === ifShared && readers[n] === many);
      if (isOwn) own[n] = 1;
      // What a large view shows several times is read as if by several kernels.
      const reader = isLarge ? many : isOwn ? n : readers[n]!;
      const view = isView ? n : isOwn ? 0 : views[n]!;
      const ofFirst = (isOwn ? 0 : passed) | (isView && !isLarge ? 0 : first);
      const start = starts[n]!;
      const end = starts[n + 1]!;
      for (let k = start; k < end; k++) {
        const input = edges[k]!;
        // The parts of a concatenation are read apart, as if each through a view of its own.
        read(input, reader, kind === "concatenate" ? start - k - 1 : view);
        needs[input]! |= k === start ? ofFirst : others;
      }
    }
    return readers;
  }

  /** Stores nodes where bodies would become too long, or chains of nodes in them. Returns these nodes. */
  #limitBodies(readers: Int32Array, own: Uint8Array): number[] {
    const { nodes, starts, edges } = this.#order;
    const work = this.#work;
    const traits = this.#traits;
    const weights = new Int32Array(nodes.length);
    const depths = new Int32Array(nodes.length);
    /** How many elements the largest of the stored nodes has that are read for a node. */
    const read = new Int32Array(nodes.length);
    const limited: number[] = [];
    for (let n = 0; n < nodes.length; n++) {
      const { size } = nodes[n]!;
      let weight = work[n]!;
      let depth = 1;
      let most = 1;
      const end = starts[n + 1]!;
      for (let k = starts[n]!; k < end; k++) {
        const input = edges[k]!;
        if (read[input]! > most) most = read[input]!;
        // The square of a node computes it once.
        if (k > starts[n]! && input === edges[k - 1]) continue;
        weight += weights[input]!;
        if (depths[input]! >= depth) depth = depths[input]! + 1;
      }
      if (!own[n]) {
        const { lies, kind } = traits[n]!;
        const repeated = size >= muchSize && size >= muchLarger * most ? expandedLimit : repeatedLimit;
        const limit = readers[n] === many ? repeated : bodyLimit;
        if ((lies >= ifNeeded && weight > limit) || (kind !== "leaf" && depth > deepest)) {
          own[n] = 1;
          limited.push(n);
        }
      }
      weights[n] = own[n] ? 1 : weight;
      depths[n] = own[n] ? 0 : depth;
      read[n] = own[n] || isHeld(nodes[n]!) ? size : most;
    }
    return limited;
  }
}

/** Which needs for a view in memory are met by its operand in memory: also `itselfOrCopied` if the view is a copy of that. */
function passedOn(view: Tensor, need: number): number {
  const isCopied = (need & itselfOrCopied) !== 0 && copiedBy(view) !== null;
  return need & (isCopied ? throughViews | itselfOrCopied : throughViews);
}

/** What `node` is a copy of: the operand of a view that has its very elements in their order; else null. */
export function copiedBy(node: Tensor): Tensor | null {
  const { kernel } = node.op;
  return kernel.kind === "view" && !kernel.waits && isCopy(node) ? node.inputs[0]! : null;
}

function usersOf({ nodes, starts, edges }: Topology): Int32Array {
  const users = new Int32Array(nodes.length).fill(unseen);
  for (let n = 0; n < nodes.length; n++)
    for (let k = starts[n]!; k < starts[n + 1]!; k++) {
      const before = users[edges[k]!]!;
      users[edges[k]!] = before === unseen || before === n ? n : many;
    }
  return users;
}

/** Is less read for the node than `than` elements? It may be a number, or a row that is stretched. */
function isSmaller(node: Tensor, than: number): boolean {
  if (node.size < than || isHeld(node)) return node.size < than;
  const { kind } = node.op.kernel;
  return kind === "leaf" || (kind === "view" && node.inputs[0]!.size < than);
}

// When a node is stored, beside when it must be itself: never; if its users need it or a view of it; also if several kernels read it;
// always.
const [never, ifNeeded, ifShared, always] = [0, 1, 2, 3] as const;

/** What the choice depends on besides the edges. */
interface Traits {
  readonly lies: typeof never | typeof ifNeeded | typeof ifShared | typeof always;
  readonly kind: Kernel["kind"];
  /** What is needed in memory of the first operand (of a view: if it has fewer elements than the view) and of the others. */
  readonly first: number;
  readonly others: number;
}

function traits(kind: Traits["kind"], lies: Traits["lies"] = always, first = 0, others = 0): Traits {
  return { lies, kind, first, others };
}

const held = traits("leaf");
const cheap = traits("pointwise", ifNeeded);
const costing = traits("pointwise", ifShared);

function traitsOf(op: Op): Traits {
  const { kind } = op.kernel;
  switch (kind) {
    case "leaf":
      return traits(kind, never);
    case "view":
      return traits(kind, never, op === stridedOp ? itself : 0);
    case "contract":
      return traits(kind, always, throughViews, op === tiledOp ? itself : throughViews);
    case "gather":
      return traits(kind, always, itselfOrCopied);
    case "opaque":
      return traits(kind, always, itself, itself);
    default:
      return traits(kind);
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
