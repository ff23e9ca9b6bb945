import { byteSize } from "../dtype.ts";
import type { Tensor } from "../graph.ts";
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

  constructor(order: Topology) {
    const { nodes } = order;
    this.#order = order;
    this.#work = new Int32Array(nodes.length).fill(1);
    this.#cheap = new Uint8Array(nodes.length);
    for (let n = 0; n < nodes.length; n++) {
      const { op, inputs, dtype } = nodes[n]!;
      if (op.kernel.kind !== "pointwise") continue;
      const program = programOf(op.kernel.body, inputs, dtype);
      this.#work[n] = program.instructions.length;
      this.#cheap[n] = Number(isCheap(program));
    }
  }

  /** The stored nodes, `required` among them. */
  stored(required: ReadonlySet<Tensor>): Set<Tensor> {
    const { nodes, starts, edges } = this.#order;
    const readers = new Int32Array(nodes.length).fill(unseen);
    /** The view through which a kernel reads the node: elements that are read through two are computed twice. */
    const views = new Int32Array(nodes.length);
    /** The node, or what it is a view of, has to lie in memory: 1 through views, 2 itself. */
    const memory = new Uint8Array(nodes.length);
    const stored = new Set<Tensor>();
    for (let n = nodes.length - 1; n >= 0; n--) {
      const node = nodes[n]!;
      const { kernel } = node.op;
      const own = this.#isStored(n, required, readers[n]!, memory[n]!);
      if (own) stored.add(node);
      const reader = own ? n : readers[n]!;
      const expands = kernel.kind === "view" && node.size > node.inputs[0]!.size;
      for (let k = starts[n]!, i = 0; k < starts[n + 1]!; k++, i++) {
        const input = edges[k]!;
        const view =
          kernel.kind === "view" ? n : kernel.kind === "concatenate" ? -1 - i : own ? 0 : views[n]!;
        const isFirst = readers[input] === unseen;
        if (expands || !(isFirst || (readers[input] === reader && views[input] === view)))
          readers[input] = many;
        else readers[input] = reader;
        views[input] = view;
        if ((node.op === tiledOp && i > 0) || kernel.kind === "opaque") memory[input]! |= 2;
        else if (node.op === stridedOp && expands) memory[input]! |= 2;
        else if (kernel.kind === "contract") memory[input]! |= 1;
        else if (kernel.kind === "gather" && i === 0) memory[input]! |= 2;
        else if (kernel.kind === "view" && !own) memory[input]! |= memory[n]! & 1;
      }
    }
    this.#limitBodies(readers, stored);
    return stored;
  }

  #isStored(n: number, required: ReadonlySet<Tensor>, reader: number, memory: number): boolean {
    const node = this.#order.nodes[n]!;
    if (isHeld(node) || required.has(node) || memory & 2) return true;
    const { kernel } = node.op;
    if (kernel.kind === "leaf" || kernel.kind === "view") return false;
    return kernel.kind !== "pointwise" || memory !== 0 || (reader === many && !this.#cheap[n]);
  }

  /** Stores nodes with which bodies would become too long, or too many would lie in one another. */
  #limitBodies(readers: Int32Array, stored: Set<Tensor>): void {
    const { nodes, starts, edges } = this.#order;
    const weights = new Int32Array(nodes.length);
    const depths = new Int32Array(nodes.length);
    for (let n = 0; n < nodes.length; n++) {
      let weight = this.#work[n]!;
      let depth = 1;
      for (let k = starts[n]!; k < starts[n + 1]!; k++) {
        weight += weights[edges[k]!]!;
        depth = Math.max(depth, depths[edges[k]!]! + 1);
      }
      const { kind } = nodes[n]!.op.kernel;
      const limit = readers[n] === many ? repeatedLimit : bodyLimit;
      if ((kind === "pointwise" && weight > limit) || (kind !== "leaf" && depth > deepest))
        stored.add(nodes[n]!);
      const own = stored.has(nodes[n]!);
      weights[n] = own ? 1 : weight;
      depths[n] = own ? 0 : depth;
    }
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
