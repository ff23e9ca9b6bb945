import { byteSize } from "../dtype.ts";
import type { Tensor } from "../graph.ts";
import { elementsOf } from "../graph.ts";
import type { Program } from "../program.ts";
import type { Topology } from "../topology.ts";
import { topology } from "../topology.ts";
import type { Kernel } from "./kernel.ts";
import { lower } from "./lower.ts";
import { Descriptions, kernelOf, patterned } from "./pattern.ts";
import { operandsOf, programOf } from "./simplify.ts";
import type { Steps } from "./steps.ts";
import { stride } from "./steps.ts";
import { stridedOp } from "./strided.ts";
import { tiledOp } from "./tile.ts";

/**
 * Decides which nodes get elements of their own in memory and lets the bodies of all others merge into the kernels that
 * use them. A pointwise node merges if one kernel alone reads it, or if doing it again is cheaper than keeping it; views
 * always do, as the places that loads read from. The nodes in `sequence` are computed in this order.
 */
export function* fuse(roots: readonly Tensor[], sequence: readonly Tensor[] = roots): Steps<Kernel[]> {
  const order = topology(sequence, operandsOf);
  const required = new Set(roots);
  const lowering = new Lowering();
  for (;;) {
    const before = required.size;
    const stored = chooseStored(order, required);
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

/** Is the node in memory from the start: a constant, an input, a version of a variable? */
export function isHeld(node: Tensor): boolean {
  const { kernel } = node.op;
  return elementsOf(node) !== null || (kernel.kind === "leaf" && kernel.source === "data");
}

/** Instructions of one body at the most: bounds the functions that come out, and the recursion of lowering. */
const bodyLimit = 600;
const cheapInstructions = 3;
/** What several kernels compute again may come to this many instructions in all. */
const repeatedLimit = 12;
const costly = new Set(["div", "sqrt", "table", "rare", "scale2"]);

/** Not read yet, or by more than one kernel; other readers are the number of the node whose kernel it is. */
const unseen = -2;
const many = -1;

function chooseStored({ nodes, starts, edges }: Topology, required: ReadonlySet<Tensor>): Set<Tensor> {
  const readers = new Int32Array(nodes.length).fill(unseen);
  /** The view through which a kernel reads the node: elements that are read through two are computed twice. */
  const views = new Int32Array(nodes.length);
  /** The node, or what it is a view of, has to lie in memory: 1 through views, 2 itself. */
  const memory = new Uint8Array(nodes.length);
  const stored = new Set<Tensor>();
  for (let n = nodes.length - 1; n >= 0; n--) {
    const node = nodes[n]!;
    const { kernel } = node.op;
    const own = isStored(node, required, readers[n]!, memory[n]!);
    if (own) stored.add(node);
    const reader = own ? n : readers[n]!;
    const expands = kernel.kind === "view" && node.size > node.inputs[0]!.size;
    for (let k = starts[n]!, i = 0; k < starts[n + 1]!; k++, i++) {
      const input = edges[k]!;
      const view = kernel.kind === "view" ? n : kernel.kind === "concatenate" ? -1 - i : own ? 0 : views[n]!;
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
  limitBodies(nodes, starts, edges, (n, weight) => {
    const limit = readers[n] === many ? repeatedLimit : bodyLimit;
    if (weight > limit && nodes[n]!.op.kernel.kind === "pointwise") stored.add(nodes[n]!);
    return stored.has(nodes[n]!);
  });
  return stored;
}

function isStored(node: Tensor, required: ReadonlySet<Tensor>, reader: number, memory: number): boolean {
  if (isHeld(node) || required.has(node) || memory & 2) return true;
  const { kernel } = node.op;
  if (kernel.kind === "leaf" || kernel.kind === "view") return false;
  if (kernel.kind !== "pointwise") return true;
  return memory !== 0 || (reader === many && !isCheap(programOf(kernel.body, node.inputs, node.dtype)));
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

/** Adds up the instructions of bodies; `store` is told the sum for each node, and says whether the node is stored. */
function limitBodies(
  nodes: readonly Tensor[],
  starts: readonly number[],
  edges: readonly number[],
  store: (n: number, weight: number) => boolean,
): void {
  const weights = new Float64Array(nodes.length);
  nodes.forEach((node, n) => {
    const { kernel } = node.op;
    let weight =
      kernel.kind === "pointwise" ? programOf(kernel.body, node.inputs, node.dtype).instructions.length : 1;
    for (let k = starts[n]!; k < starts[n + 1]!; k++) weight += weights[edges[k]!]!;
    weights[n] = store(n, weight) ? 1 : weight;
  });
}
