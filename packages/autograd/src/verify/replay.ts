import type { TypedArray } from "../dtype.ts";
import { allocate } from "../dtype.ts";
import { CotangentError } from "../errors.ts";
import type { Tensor } from "../graph.ts";
import { elementsOf } from "../graph.ts";
import { compute } from "../kernels.ts";
import { fromElements } from "../ops/leaf.ts";
import type { Topology } from "../topology.ts";
import { topology } from "../topology.ts";
import type { Branches } from "./branch.ts";
import { branchesOf } from "./branch.ts";
import type { Tangent } from "./direction.ts";

/** A graph on leaves of its own, with the values of all nodes, to be evaluated at other points. */
export class Replay {
  readonly y: Tensor;
  readonly x: readonly Tensor[];
  readonly order: Topology;
  /** The number of each input in `order`, -1 if `y` does not depend on it. */
  readonly numbers: readonly number[];
  /** Which nodes depend on an input. */
  readonly moving: Uint8Array;
  /** The values of all nodes at `x`. */
  readonly base: readonly TypedArray[];
  /** The nodes whose derivative is taken at its word. */
  readonly intended: readonly number[];
  readonly #primal: ReadonlySet<Tensor> | undefined;
  readonly #branches: readonly (Branches | null)[];
  readonly #baseBranches: readonly (ArrayLike<number> | null)[];
  readonly #scratch: TypedArray[];

  /** `primal` are the nodes whose intended derivatives count as such; all, unless given. */
  constructor(y: Tensor, x: readonly Tensor[], primal?: ReadonlySet<Tensor>) {
    this.y = y;
    this.x = x;
    this.#primal = primal;
    const inputs = new Set(x);
    const order = topology([y], (node) => inputs.has(node));
    this.order = order;
    const { nodes, starts, edges } = order;
    const places = new Map(nodes.map((node, n) => [node, n]));
    this.numbers = x.map((input) => places.get(input) ?? -1);
    this.moving = new Uint8Array(nodes.length);
    for (const n of this.numbers) if (n >= 0) this.moving[n] = 1;
    nodes.forEach((_, n) => {
      for (let k = starts[n]!; k < starts[n + 1]!; k++) if (this.moving[edges[k]!]) this.moving[n] = 1;
    });
    this.base = valuesOf(order);
    this.#scratch = nodes.map((node, n) =>
      this.moving[n] ? allocate(node.dtype, node.size) : this.base[n]!,
    );
    this.intended = nodes.flatMap((node, n) =>
      this.moving[n] && node.op.meaning === "intended" && (primal?.has(node) ?? true) ? [n] : [],
    );
    const leaf = (n: number) => this.numbers.includes(n);
    this.#branches = nodes.map((node, n) => (this.moving[n] && !leaf(n) ? branchesOf(node) : null));
    this.#baseBranches = this.#branches.map(
      (branches, n) => branches?.(this.operands(this.base, n), this.base[n]!) ?? null,
    );
  }

  /** The same graph as a function of input `i` alone. */
  by(i: number): Replay {
    return new Replay(this.y, [this.x[i]!], this.#primal);
  }

  /** The values of `y` at `x`. */
  get result(): TypedArray {
    return this.base[this.base.length - 1]!;
  }

  /** The values of the operands of node `n`. */
  operands(values: readonly TypedArray[], n: number): TypedArray[] {
    return operandsOf(this.order, values, n);
  }

  /** The operands of node `n` at `x`, each a leaf of its own even if two are one tensor. */
  operandsAsLeaves(n: number): Tensor[] {
    const values = this.operands(this.base, n);
    return this.order.nodes[n]!.inputs.map((input, i) => fromElements(values[i]!, input.shape));
  }

  /**
   * The values of all nodes where the inputs are moved by `h` along `t`, good until the next call; null where they do not
   * exist (a matrix that is not positive definite any more). `bend` may change the values of a node as soon as it is computed.
   */
  valuesAt(
    h: number,
    t: Tangent,
    bend?: (n: number, values: TypedArray, operands: readonly TypedArray[]) => void,
  ): readonly TypedArray[] | null {
    const { nodes } = this.order;
    try {
      for (let n = 0; n < nodes.length; n++) {
        if (!this.moving[n]) continue;
        const out = this.#scratch[n]!;
        const input = this.numbers.indexOf(n);
        if (input >= 0) {
          move(this.base[n]!, h, t[input]!, out);
          continue;
        }
        const operands = this.operands(this.#scratch, n);
        compute(nodes[n]!, operands, out);
        bend?.(n, out, operands);
      }
    } catch (error) {
      if (error instanceof CotangentError) return null;
      throw error;
    }
    return this.#scratch;
  }

  /** Calls `found` with each node and element that is on another branch, in `values`, than at `x`. */
  eachChange(values: readonly TypedArray[], found: (n: number, element: number) => void): void {
    this.#branches.forEach((branches, n) => {
      if (!branches) return;
      const [codes, base] = [branches(this.operands(values, n), values[n]!), this.#baseBranches[n]!];
      for (let i = 0; i < base.length; i++)
        if (codes[i] !== base[i] && !(Number.isNaN(codes[i]!) && Number.isNaN(base[i]!))) found(n, i);
    });
  }

  /** Nodes with a kink whose branches cannot be told from outside. */
  opaqueKinks(): number[] {
    return this.order.nodes.flatMap((node, n) =>
      this.moving[n] && node.op.kink !== undefined && node.op.kernel.kind === "opaque" && !this.#branches[n]
        ? [n]
        : [],
    );
  }
}

/** The values of all nodes. */
export function valuesOf(order: Topology): TypedArray[] {
  const values: TypedArray[] = [];
  order.nodes.forEach((node, n) => {
    const known = elementsOf(node);
    values.push(known ?? allocate(node.dtype, node.size));
    if (!known) compute(node, operandsOf(order, values, n), values[n]!);
  });
  return values;
}

function operandsOf({ starts, edges }: Topology, values: readonly TypedArray[], n: number): TypedArray[] {
  return edges.slice(starts[n], starts[n + 1]).map((k) => values[k]!);
}

function move(base: TypedArray, h: number, t: Float64Array | null, out: TypedArray): void {
  if (!t) out.set(base);
  else for (let i = 0; i < out.length; i++) out[i] = base[i]! + h * t[i]!;
}
