import { byteSize } from "../dtype.ts";
import type { Kernel, Tensor } from "../graph.ts";
import { elementsOf } from "../graph.ts";
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
  /** Is it cheaper to compute the node again than to keep it? */
  readonly #cheap: Uint8Array;
  /** Is it in memory from the start? */
  readonly #held: Uint8Array;

  constructor(order: Topology) {
    const { nodes } = order;
    this.#order = order;
    const work = new Int32Array(nodes.length).fill(1);
    const cheap = new Uint8Array(nodes.length);
    const held = new Uint8Array(nodes.length);
    nodes.forEach((node, n) => {
      const { kernel } = node.op;
      if (isHeld(node)) held[n] = 1;
      else if (kernel.kind === "pointwise") {
        const program = programOf(kernel.body, node.inputs, node.dtype);
        work[n] = program.instructions.length;
        cheap[n] = Number(isCheap(program));
      }
    });
    this.#work = work;
    this.#cheap = cheap;
    this.#held = held;
  }

  /** The stored nodes, `required` among them. */
  stored(required: ReadonlySet<Tensor>): Set<Tensor> {
    const { nodes, starts, edges } = this.#order;
    const readers = new Int32Array(nodes.length).fill(unseen);
    /** The view through which a kernel reads the node: elements that are read through two are computed twice. */
    const views = new Int32Array(nodes.length);
    /** The node, or what it is a view of, has to lie in memory: 1 through views, 2 itself. */
    const memory = new Uint8Array(nodes.length);
    const own = new Uint8Array(nodes.length);
    for (let n = nodes.length - 1; n >= 0; n--) {
      const node = nodes[n]!;
      const { kind } = node.op.kernel;
      const isOwn = this.#isStored(n, kind, required, readers[n]!, memory[n]!);
      if (isOwn) own[n] = 1;
      const start = starts[n]!;
      const end = starts[n + 1]!;
      if (start === end) continue;
      const isView = kind === "view";
      const expands = isView && node.size > node.inputs[0]!.size;
      const reader = isOwn ? n : readers[n]!;
      const view = isView ? n : isOwn ? 0 : views[n]!;
      const place = placeOfOperands(node, expands);
      const passed = isView && !isOwn ? memory[n]! & 1 : 0;
      for (let k = start; k < end; k++) {
        const input = edges[k]!;
        const through = kind === "concatenate" ? start - k - 1 : view;
        const before = readers[input]!;
        const isLike = before === unseen || (before === reader && views[input] === through);
        readers[input] = expands || !isLike ? many : reader;
        views[input] = through;
        memory[input]! |= passed | (k === start ? place.first : place.others);
      }
    }
    this.#limitBodies(readers, own);
    return new Set(nodes.filter((_, n) => own[n]));
  }

  #isStored(
    n: number,
    kind: Kernel["kind"],
    required: ReadonlySet<Tensor>,
    reader: number,
    memory: number,
  ): boolean {
    if (this.#held[n] || memory & 2 || required.has(this.#order.nodes[n]!)) return true;
    if (kind === "leaf" || kind === "view") return false;
    return kind !== "pointwise" || memory !== 0 || (reader === many && !this.#cheap[n]);
  }

  /** Stores nodes with which bodies would become too long, or too many would lie in one another. */
  #limitBodies(readers: Int32Array, own: Uint8Array): void {
    const { nodes, starts, edges } = this.#order;
    const work = this.#work;
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
        const { kind } = nodes[n]!.op.kernel;
        const limit = readers[n] === many ? repeatedLimit : bodyLimit;
        if ((kind === "pointwise" && weight > limit) || (kind !== "leaf" && depth > deepest)) own[n] = 1;
      }
      weights[n] = own[n] ? 1 : weight;
      depths[n] = own[n] ? 0 : depth;
    }
  }
}

/** Which operands have to lie in memory, as above: the first, and the others. */
interface Place {
  readonly first: number;
  readonly others: number;
}
const anywhere: Place = { first: 0, others: 0 };
const throughViews: Place = { first: 1, others: 1 };
const itself: Place = { first: 2, others: 2 };
const firstItself: Place = { first: 2, others: 0 };
const tiled: Place = { first: 1, others: 2 };

function placeOfOperands({ op }: Tensor, expands: boolean): Place {
  if (op === tiledOp) return tiled;
  switch (op.kernel.kind) {
    case "opaque":
      return itself;
    case "contract":
      return throughViews;
    case "gather":
      return firstItself;
    default:
      return expands && op === stridedOp ? itself : anywhere;
  }
}

function isCheap({ instructions }: Program): boolean {
  let work = 0;
  for (const { word, dtype, operands } of instructions) {
    if (word === "input" || word === "constant") continue;
    if (++work > cheapInstructions || costly.has(word)) return false;
    // Numbers of two widths in one kernel are not computed in lanes: a learning rate of float64 is converted once, by itself.
    if (word === "convert" && byteSize(dtype) !== byteSize(instructions[operands[0]!]!.dtype)) return false;
  }
  return true;
}
