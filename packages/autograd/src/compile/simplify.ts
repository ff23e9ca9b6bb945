import type { Body } from "../arithmetic.ts";
import { mixed, mixedAttributes, sameAttributes } from "../attributes.ts";
import type { DType } from "../dtype.ts";
import { allocate } from "../dtype.ts";
import type { Op } from "../graph.ts";
import { apply, elementsOf, isKnown, none, originOf, rareOf, Tensor } from "../graph.ts";
import { compute, isCopy } from "../kernels.ts";
import { passing } from "../ops/passing.ts";
import type { Instruction, Program, Word } from "../program.ts";
import { trace } from "../program.ts";
import { equalShapes } from "../shape.ts";
import type { Topology } from "../topology.ts";
import { numberIn, topology } from "../topology.ts";
import type { Steps } from "./steps.ts";
import { stride } from "./steps.ts";

/**
 * The first pass, graph to graph: equal nodes become one (common subexpressions), what is computed from numbers alone becomes a number
 * (constant folding), and ops that change nothing disappear. Only identities that hold for every IEEE 754 value are used:
 * `x * 1 = x`, never `x + 0` (which turns -0 into 0) or `x * 0` (NaN for an infinite x).
 *
 * `rewrite` may give another node, which may be made of new nodes, in the place of one. It is told whether that one is the only reader
 * of its first operand.
 */
export function* simplify(roots: readonly Tensor[], rewrite: Rewrite = same): Steps<Tensor[]> {
  const order = topology(roots, isKnown);
  const numbers = roots.map((root) => numberIn(order, root));
  const simplifier = new Simplifier(rewrite);
  const readers = new Int32Array(order.nodes.length);
  const { edges } = order;
  for (let k = 0; k < edges.length; k++) readers[edges[k]!]!++;
  for (const n of numbers) readers[n]!++;
  const made: Tensor[] = [];
  while (made.length < order.nodes.length) {
    simplifier.next(order, readers, made);
    yield;
  }
  return numbers.map((n) => made[n]!);
}

type Rewrite = (x: Tensor, readsAlone: boolean) => Tensor;
const same: Rewrite = (x) => x;

/** A node that was met, and the one that stands for it and for its equals. */
interface Known {
  readonly node: Tensor;
  readonly standIn: Tensor;
  /** Another one with the same hash. */
  readonly other: Known | undefined;
}

class Simplifier {
  readonly #rewrite: Rewrite;
  /** By hash. */
  readonly #known = new Map<number, Known>();
  /** Nodes that are simple already. */
  readonly #done = new Set<Tensor>();

  constructor(rewrite: Rewrite) {
    this.#rewrite = rewrite;
  }

  /** Adds to `made` what stands for the next nodes of the topology. */
  next({ nodes, starts, edges }: Topology, readers: Int32Array, made: Tensor[]): void {
    const end = Math.min(made.length + stride, nodes.length);
    for (let n = made.length; n < end; n++) {
      const inputs: Tensor[] = [];
      for (let k = starts[n]!; k < starts[n + 1]!; k++) inputs.push(made[edges[k]!]!);
      made.push(this.#node(nodes[n]!, inputs, readers[edges[starts[n]!]!] === 1));
    }
  }

  /** What stands for `node`, whose operands became `inputs`. */
  #node(node: Tensor, inputs: readonly Tensor[], readsAlone: boolean): Tensor {
    const { kernel } = node.op;
    let out = node;
    if (!(elementsOf(node) || (kernel.kind === "leaf" && kernel.source === "data")))
      out = unchanged(node, inputs) ?? this.#distinct(node, inputs, readsAlone);
    this.#done.add(out);
    return out;
  }

  /** The node that stands for `node` and all its equals. */
  #distinct(node: Tensor, inputs: readonly Tensor[], readsAlone: boolean): Tensor {
    const next = folded(node, inputs) ?? (isSame(node.inputs, inputs) ? node : withInputs(node, inputs));
    const hash = hashOf(next);
    for (let known = this.#known.get(hash); known; known = known.other)
      if (isEqual(known.node, next)) return known.standIn;
    const standIn = this.#adopt(this.#rewrite(next, readsAlone), next);
    this.#known.set(hash, { node: next, standIn, other: this.#known.get(hash) });
    return standIn;
  }

  /** Simplifies `x`, which came from rewriting `rewritten`, with the new nodes that it is made of. */
  #adopt(x: Tensor, rewritten: Tensor): Tensor {
    if (x === rewritten || this.#done.has(x)) return x;
    return this.#node(
      x,
      x.inputs.map((input) => this.#adopt(input, rewritten)),
      false,
    );
  }
}

/** The same node with other inputs of the same shapes and dtypes. Errors go on naming the node that the user made. */
export function withInputs(node: Tensor, inputs: readonly Tensor[]): Tensor {
  const { op, attributes, shape, dtype } = node;
  const copy = new Tensor(op, inputs, attributes, shape, dtype);
  rareOf(copy).origin = originOf(node);
  return copy;
}

/** Same op, operands, attributes, shape and dtype. */
function isEqual(x: Tensor, y: Tensor): boolean {
  return (
    x.op === y.op &&
    x.dtype === y.dtype &&
    isSame(x.inputs, y.inputs) &&
    equalShapes(x.shape, y.shape) &&
    sameAttributes(x.attributes, y.attributes)
  );
}

function isSame(xs: readonly Tensor[], ys: readonly Tensor[]): boolean {
  for (let i = 0; i < xs.length; i++) if (xs[i] !== ys[i]) return false;
  return xs.length === ys.length;
}

/** Equal for equal nodes, and mostly different for others. */
function hashOf({ op, inputs, attributes, shape }: Tensor): number {
  let hash = op.name.length;
  if (attributes !== none) hash = mixedAttributes(hash, attributes, inputs.length > 0 ? shape : undefined);
  for (let i = 0; i < inputs.length; i++) hash = mixed(hash, inputs[i]!.id);
  return hash;
}

/** The operand that `node` equals whatever its elements are, or null. */
function unchanged(node: Tensor, inputs: readonly Tensor[]): Tensor | null {
  const { kernel } = node.op;
  if (kernel.kind === "view") {
    const x = inputs[0]!;
    return equalShapes(x.shape, node.shape) && isCopy(node) && !kernel.waits ? x : null;
  }
  if (kernel.kind !== "pointwise" || inputs.length > 2 || inputs[0]?.dtype !== node.dtype) return null;
  const { instructions, result } = programOf(kernel.body, inputs, node.dtype);
  const last = instructions[result]!;
  if (last.word === "input") return inputs[last.value]!;
  if (last.word === "mul" || last.word === "div") return timesOne(last, instructions, inputs);
  return null;
}

const programs = new WeakMap<Body, Program[]>();

/** The program of a body for operands and a result of these dtypes; each is traced once. */
export function programOf(body: Body, inputs: readonly { readonly dtype: DType }[], dtype: DType): Program {
  const known = programs.get(body) ?? [];
  for (let i = 0; i < known.length; i++) if (isFor(known[i]!, inputs, dtype)) return known[i]!;
  const dtypes = inputs.map((x) => x.dtype);
  const program = trace(body, dtypes, dtype);
  known.push(program);
  programs.set(body, known);
  return program;
}

function isFor(program: Program, inputs: readonly { readonly dtype: DType }[], dtype: DType): boolean {
  const { inputs: own, instructions, result } = program;
  if (own.length !== inputs.length || instructions[result]!.dtype !== dtype) return false;
  for (let i = 0; i < own.length; i++) if (own[i] !== inputs[i]!.dtype) return false;
  return true;
}

/** `x * 1`, `1 * x` and `x / 1`, when they are all that the body says. */
function timesOne(
  { word, operands }: Instruction,
  instructions: readonly Instruction[],
  inputs: readonly Tensor[],
): Tensor | null {
  const a = instructions[operands[0]!]!;
  const b = instructions[operands[1]!]!;
  if (a.word !== "input" || b.word !== "input") return null;
  const x = inputs[a.value]!;
  const y = inputs[b.value]!;
  if (numberOf(y) === 1) return x;
  return word === "mul" && numberOf(x) === 1 ? y : null;
}

/** The number that all elements equal, if that is known. */
function numberOf(x: Tensor): number | null {
  const { kernel } = x.op;
  return kernel.kind === "leaf" && kernel.source === "fill" ? Number(x.attributes.value) : null;
}

/** If all operands are leaves filled with one number each, the leaf that the node is then, if it is one. */
function folded(node: Tensor, inputs: readonly Tensor[]): Tensor | null {
  if (inputs.length === 0) return null;
  for (let i = 0; i < inputs.length; i++) if (numberOf(inputs[i]!) === null) return null;
  const { kernel } = node.op;
  const first = inputs[0]!;
  if (kernel.kind === "view" && kernel.map(first.shape, node.attributes).bounds === null)
    return filled(first.op, numberOf(first)!, node);
  if (kernel.kind !== "pointwise") return null;
  const operands = inputs.map((x) => allocate(x.dtype, 1).fill(numberOf(x)!));
  const program = programOf(kernel.body, inputs, node.dtype);
  const value = foldedNumber(
    program,
    operands.map((data) => data[0]!),
  );
  if (value !== null) return filled(first.op, value, node);
  const scalars = inputs.map((x) => filled(x.op, numberOf(x)!, { shape: [], dtype: x.dtype }));
  const out = allocate(node.dtype, 1);
  const { op, attributes, dtype } = node;
  compute(new Tensor(op, scalars, attributes, [], dtype), operands, out);
  return filled(first.op, out[0]!, node);
}

/** The words that are folded here and now; for a program with others a `Machine` is made. */
const words: Partial<Record<Word, (x: number, y: number, z: number) => number>> = {
  add: (x, y) => x + y,
  sub: (x, y) => x - y,
  mul: (x, y) => x * y,
  div: (x, y) => x / y,
  neg: (x) => -x,
  eq: (x, y) => Number(x === y),
  select: (x, y, z) => (x ? y : z),
};

/** What the program gives for these numbers; null if it has a word that is not among `words`, or an int32. */
function foldedNumber({ instructions, result }: Program, inputs: readonly number[]): number | null {
  const values: number[] = [];
  for (const { word, dtype, operands, value } of instructions) {
    const [x, y, z] = operands.map((i) => values[i]!) as [number, number, number];
    const given = word === "input" ? inputs[value] : word === "constant" ? value : words[word]?.(x, y, z);
    if (given === undefined || dtype === "int32") return null;
    values.push(dtype === "float32" ? Math.fround(given) : given);
  }
  return values[result]!;
}

function filled(op: Op, value: number, { shape, dtype }: Pick<Tensor, "shape" | "dtype">): Tensor {
  return apply(op, [], { value, shape, dtype });
}

const copyOp = passing("copy", []);

/** Another node with the elements of `x`. Made after this pass, which would remove it. */
export function copied(x: Tensor): Tensor {
  return apply(copyOp, [x], none);
}
