import { mixed, mixedAttributes, mixedNumber, sameAttributes } from "./attributes.ts";
import { rankOf } from "./dtype.ts";
import type { Op, Tensor } from "./graph.ts";
import { elementsOf, ownerOf } from "./graph.ts";
import { isCopy } from "./kernels.ts";
import * as roles from "./roles.ts";
import type { Shape } from "./shape.ts";
import { equalShapes } from "./shape.ts";
import type { Topology, Trail } from "./topology.ts";
import { nameVersion, numberIn } from "./topology.ts";
import { contractionWork, costOf, formulaWork, nodeWork } from "./work.ts";

/**
 * The form of a pending graph: all of it but the elements and numbers that may differ from one evaluation to the next. Graphs of one form
 * are evaluated by one program. Nodes go by their numbers in a `Topology`, which are the same in graphs that are built alike.
 *
 * A form is read at each evaluation, so reading one allocates nothing: `FormReader` finds the role of each node, a hash and an estimate of
 * the work. `GraphForm` is the copy that stays, with a program or without, for others to be compared with.
 */

const kinds = {
  other: 0,
  fill: 1,
  data: 2,
  view: 3,
  gather: 4,
  contract: 5,
  opaque: 6,
  pointwise: 7,
} as const;

/** What is asked about the op of each node at each evaluation, looked up once. */
interface Facts {
  readonly id: number;
  readonly kind: (typeof kinds)[keyof typeof kinds];
  /** The time of interpreting one element, where that of adding one to a sum is 1; 0 until somebody asks. */
  cost: number;
}

const factsByOp = new WeakMap<Op, Facts>();
let ids = 0;

function factsOf(op: Op): Facts {
  let facts = factsByOp.get(op);
  if (!facts) {
    facts = { id: ++ids, kind: kindOf(op), cost: 0 };
    factsByOp.set(op, facts);
  }
  return facts;
}

function kindOf({ kernel }: Op): Facts["kind"] {
  switch (kernel.kind) {
    case "leaf":
      return kernel.source === "iota" ? kinds.other : kinds[kernel.source];
    case "view":
    case "gather":
    case "contract":
    case "opaque":
    case "pointwise":
      return kinds[kernel.kind];
    default:
      return kinds.other;
  }
}

/** Reads the form of one graph after the other, into the same arrays. */
export class FormReader {
  /** The role of each node (`roles.ts`). */
  roles: Uint8Array<ArrayBuffer> = new Uint8Array(256);
  /** For each update the node of the version before that it may overwrite, or -1. */
  pairs: number[] = [];
  /** Equal forms have equal hashes. */
  hash = 0;
  /** An estimate of what interpreting costs, in elements. */
  work = 0;
  #sizes = new Float64Array(256);
  /** For a node with nothing but elements that one node holds, the size of that node; else 0. */
  #wholes = new Float64Array(256);
  /** The number of that node. */
  #bases = new Int32Array(256);
  /** For a node that holds its elements: how many of them were picked so far. */
  #picked = new Float64Array(256);

  /** Reads the form of a graph. False if there is no program for it. The last `updates` of `wanted` are pending versions. */
  read(order: Topology, wanted: readonly number[], updates: number): boolean {
    const { nodes } = order;
    if (this.roles.length < nodes.length) this.#grow(nodes.length);
    this.hash = nodes.length;
    this.work = 0;
    for (let n = 0; n < nodes.length; n++) if (!this.#readNode(order, n)) return false;
    for (let i = 0; i < wanted.length; i++) this.#mix(wanted[i]!);
    this.pairs.length = updates;
    for (let i = 0; i < updates; i++) {
      const owner = ownerOf(nodes[wanted[wanted.length - updates + i]!]!);
      const pair = owner ? numberIn(order, owner) : -1;
      this.pairs[i] = pair;
      this.#mix(pair);
    }
    // 30 bits: larger integers are objects on the heap.
    this.hash &= 0x3fffffff;
    return true;
  }

  #grow(length: number): void {
    this.roles = new Uint8Array(2 * length);
    this.#sizes = new Float64Array(2 * length);
    this.#wholes = new Float64Array(2 * length);
    this.#bases = new Int32Array(2 * length);
    this.#picked = new Float64Array(2 * length);
  }

  /** Makes `x` a part of the hash. */
  #mix(x: number): void {
    this.hash = mixed(this.hash, x);
  }

  #readNode(order: Topology, n: number): boolean {
    const node = order.nodes[n]!;
    const size = this.#mixShape(node.shape);
    this.#sizes[n] = size;
    this.#wholes[n] = 0;
    if (elementsOf(node)) {
      const owner = ownerOf(node);
      if (owner) nameVersion(order, owner, n);
      else {
        this.#wholes[n] = size;
        this.#bases[n] = n;
        this.#picked[n] = 0;
      }
      const role = owner ? roles.version : roles.held;
      this.roles[n] = role;
      this.#mix(role + 8 * rankOf(node.dtype));
      return true;
    }
    const facts = factsOf(node.op);
    const { id, kind } = facts;
    this.#mix(id);
    const first = order.starts[n]!;
    const end = order.starts[n + 1]!;
    for (let k = first; k < end; k++) this.#mix(order.edges[k]!);
    const role = this.#roleOf(order, n, kind);
    if (role < 0) return false;
    this.roles[n] = role;
    this.work += nodeWork;
    if (role === roles.constant) this.hash = mixedNumber(this.hash, Number(node.attributes.value));
    if (role !== roles.computed) return true;
    // An opaque kernel takes as long in a program.
    if (kind !== kinds.opaque) this.work += this.#workOf(order, n, facts);
    this.hash = mixedAttributes(this.hash, node.attributes, node.shape);
    return true;
  }

  /** The role of a node that holds no elements; -1 if no program can have it. */
  #roleOf(order: Topology, n: number, kind: Facts["kind"]): number {
    switch (kind) {
      case kinds.fill:
        return isFixed(Number(order.nodes[n]!.attributes.value)) ? roles.constant : roles.number;
      case kinds.data:
        return order.starts[n]! < order.starts[n + 1]! ? roles.passed : -1;
      case kinds.view:
      case kinds.gather:
        return this.#isPicked(order, n) ? roles.picked : roles.computed;
      default:
        return roles.computed;
    }
  }

  /** Is the node a part of held elements that is better copied outside, before the program runs? It needs the others for nothing then. */
  #isPicked({ nodes, starts, edges }: Topology, n: number): boolean {
    const x = edges[starts[n]!]!;
    for (let k = starts[n]!; k < starts[n + 1]!; k++) if (this.#wholes[edges[k]!] === 0) return false;
    const whole = this.#wholes[x]!;
    const size = this.#sizes[n]!;
    // All of them in another order: they go in once, as they are, while they would be rearranged outside at each evaluation.
    if (size === whole && !isCopy(nodes[n]!)) return false;
    const base = this.#bases[x]!;
    this.#wholes[n] = whole;
    this.#bases[n] = base;
    // Elements that are repeated are repeated inside: fewer go in.
    if (size >= whole || size > this.#sizes[x]!) return false;
    // Large parts that overlap, such as the neighbours of all points of a grid, are taken inside from the whole.
    if (4 * size >= whole && this.#picked[base]! + size > whole) return false;
    this.#picked[base]! += size;
    return true;
  }

  /** The work of computing a node, beside `nodeWork`. */
  #workOf({ nodes, starts, edges }: Topology, n: number, facts: Facts): number {
    const size = this.#sizes[n]!;
    const first = starts[n]!;
    if (facts.kind === kinds.contract)
      return contractionWork(this.#sizes[edges[first]!]!, this.#sizes[edges[first + 1]!]!, size);
    if (facts.kind === kinds.view || first === starts[n + 1]) return size;
    facts.cost ||= costOf(nodes[n]!);
    const elements = Math.max(size, this.#sizes[edges[first]!]!);
    return facts.kind === kinds.pointwise ? formulaWork(facts.cost, elements) : facts.cost * elements;
  }

  /** Makes the shape a part of the hash. Returns its size. */
  #mixShape(shape: Shape): number {
    let size = 1;
    for (let i = 0; i < shape.length; i++) {
      size *= shape[i]!;
      this.#mix(shape[i]!);
    }
    return size;
  }
}

/**
 * Numbers that are part of the form: formulas are made of them, and as exponents they decide the case of `pow` in the program. Any other
 * number is taken for a setting, such as a learning rate: it may be another one next time, and is an input of the program.
 */
const fixed = [0, 1, -1, 2, 3, 0.5, -0.5];

function isFixed(value: number): boolean {
  return fixed.includes(value) && !Object.is(value, -0);
}

/** A form that was read, for graphs to be compared with. It keeps no node alive. */
export class GraphForm implements Trail {
  readonly roles: Uint8Array;
  readonly pairs: readonly number[];
  readonly starts: readonly number[];
  readonly edges: readonly number[];
  /** The numbers of the wanted nodes. */
  readonly roots: readonly number[];
  readonly #nodes: readonly Described[];

  constructor({ roles, pairs }: FormReader, order: Topology, wanted: readonly number[]) {
    const { nodes, starts, edges } = order;
    this.roles = roles.slice(0, nodes.length);
    this.pairs = [...pairs];
    this.starts = starts.slice();
    this.edges = edges.slice();
    this.roots = wanted.slice();
    this.#nodes = nodes.map(({ op, shape, dtype, attributes }, n) => ({
      role: roles[n]!,
      op,
      shape,
      dtype,
      attributes,
    }));
  }

  /** Is a graph of this form? The last `updates` of `wanted` are pending versions. */
  matches(order: Topology, wanted: readonly number[], updates: number): boolean {
    if (updates !== this.pairs.length || !sameNumbers(wanted, this.roots)) return false;
    const { nodes } = order;
    // A walk along this form has compared the nodes.
    if (order.starts !== this.starts && !this.#hasNodes(order)) return false;
    for (let i = 0; i < updates; i++) {
      const pair = this.pairs[i]!;
      const version = nodes[wanted[wanted.length - updates + i]!]!;
      if (pair >= 0 && ownerOf(nodes[pair]!) !== ownerOf(version)) return false;
    }
    return true;
  }

  #hasNodes({ nodes, starts, edges }: Topology): boolean {
    return (
      sameNumbers(starts, this.starts) &&
      sameNumbers(edges, this.edges) &&
      nodes.every((x, n) => this.accepts(x, n))
    );
  }

  /** Is `x` like node `n`? */
  accepts(x: Tensor, n: number): boolean {
    return isLike(x, this.#nodes[n]!);
  }
}

/** A node of a form, without those that it is computed from. */
type Described = Pick<Tensor, "op" | "shape" | "dtype" | "attributes"> & { readonly role: number };

/**
 * Is `node` like this one of a form? Whether it would have the same role need not be asked: that follows from this and from the nodes
 * that it is computed from.
 */
function isLike(node: Tensor, { role, op, shape, dtype, attributes }: Described): boolean {
  if (node.dtype !== dtype || !equalShapes(node.shape, shape)) return false;
  if (elementsOf(node)) return role === (ownerOf(node) ? roles.version : roles.held);
  if (node.op !== op) return false;
  if (role === roles.computed) return sameAttributes(node.attributes, attributes);
  if (role === roles.constant) return Object.is(node.attributes.value, attributes.value);
  if (role === roles.number) return !isFixed(Number(node.attributes.value));
  return role === roles.picked || role === roles.passed;
}

function sameNumbers(a: readonly number[], b: readonly number[]): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
