import type { Body } from "./arithmetic.ts";
import type { DType, TypedArray } from "./dtype.ts";
import { StateError } from "./errors.ts";
import type { Shape } from "./shape.ts";
import { sizeOf } from "./shape.ts";

// Tensors, ops, kernels and derivative rules are one file because each is said in terms of the others.

/** Everything of an application that is not a tensor: axes, sizes, names. Plain data, so that it can be compared and printed. */
export type Attribute = number | string | boolean | null | readonly Attribute[];
export type Attributes = { readonly [name: string]: Attribute };

/** The attributes of ops that have none. */
export const none: Attributes = Object.freeze({});

let nodes = 0;

/** The number of the node that was made last. */
export const youngest = (): number => nodes;

// What the engine may see and change of a node, and users may not. Only the class sees its private fields, so its static block sets
// these functions.

/** A number that a walk over the graph leaves on a node (`topology.ts`). */
export let markOf: (x: Tensor) => number;
export let setMark: (x: Tensor, mark: number) => void;

/** How many operands a node has, and operand number `i`. Walks ask these, since asking for `inputs` makes a list that the node keeps. */
export let arityOf: (x: Tensor) => number;
export let operandOf: (x: Tensor, i: number) => Tensor | null;

/** What few nodes have, to be changed. */
export let rareOf: (x: Tensor) => Rare;

/** What a leaf that has no elements yet is to be computed from, or null. */
export let sourceOf: (x: Tensor) => Tensor | null;

/** The variable that this node is a version of, or null. */
export let ownerOf: (x: Tensor) => Tensor | null;

/** The node that the user made, of which the compiler made this one, for messages. */
export let originOf: (x: Tensor) => Tensor;

/** What holds the stack of the call that made the node, where somebody will ask for it (`site.ts`), or null. */
export let stackOf: (x: Tensor) => Site | null;

/** Notes that a node was computed, whether it keeps its elements or not. True if it had been computed before. */
export let markComputed: (x: Tensor) => boolean;

/** The elements that a node holds, or null. They are shared: whoever hands them to a user copies them. */
export let elementsOf: (x: Tensor) => TypedArray | null;
/** Lets a node hold its elements. */
export let setElements: (x: Tensor, value: TypedArray | null) => void;
/** Makes a node of one operand, which holds its elements, a leaf of `op`: it lets go of the operand and all its history. */
export let turnIntoLeaf: (x: Tensor, op: Op) => void;

/** Computes the elements of `x` for the function `caller`. */
type Reader = (x: Tensor, caller: string) => TypedArray;
let reader: Reader | null = null;

/** Says how elements are computed. Evaluation imports the ops, so ops that need it cannot import it: it registers itself here. */
export function setReader(read: Reader): void {
  reader = read;
}

/**
 * The elements of `x`, computed now, for the function `caller` whose shape depends on them. They are shared and must not be
 * written to. Throws CompileError inside a function given to `compile`, where there are none.
 */
export function readElements(x: Tensor, caller: string): TypedArray {
  if (!reader)
    throw new StateError(`${caller}: nothing can be computed before the package's index is loaded`);
  return reader(x.node, caller);
}

/**
 * The sizes in `S`. Read through this conditional type, and held by nothing else, `S` is compared both ways: a tensor of
 * unknown shape fits where `[4, 2]` is wanted, as `[4, 2]` fits where any shape will do, and `[4, 3]` does not. (By
 * `get shape(): S` alone, `let h = zeros([4, 2])` could never again be given a tensor of unknown shape.)
 */
export type Sizes<S extends Shape> = S extends readonly [...infer T extends number[]]
  ? readonly [...T]
  : never;

/** The stack of a call, which is put into words when it is read. */
export interface Site {
  readonly stack?: string;
}

/** What few nodes have: kept in an object of its own, so that all others are smaller. */
export interface Rare {
  label: string | null;
  owner: Tensor | null;
  source: Tensor | null;
  origin: Tensor | null;
  site: Site | null;
  wasComputed: boolean;
}

// Made in one place, so that all have one hidden class.
const newRare = (wasComputed: boolean): Rare => ({
  label: null,
  owner: null,
  source: null,
  origin: null,
  site: null,
  wasComputed,
});

/** The one object of all nodes that were computed and have nothing else that is rare. */
const computed = newRare(true);

const nothing: readonly Tensor[] = [];

/**
 * A tensor is an immutable node of the graph: which op, applied to what, and the shape and dtype of the answer. It may
 * hold its elements already (a leaf, or a node that was evaluated); otherwise reading computes them.
 *
 * The parts that make up the graph are private fields behind getters, so that structural comparison of a tensor sees its `id`
 * and never walks the graph; printing and `JSON.stringify` read the elements.
 */
export class Tensor<S extends Shape = Shape> {
  /** A number of its own for every node, in the order of construction. */
  readonly id: number;
  #op: Op;
  // The first two operands lie in the node itself: the collector copies what is alive, and a list for each node would be most of a
  // graph of scalars. Nodes of more operands have the list from the start; others make it when it is asked for.
  #first: Tensor | null;
  readonly #second: Tensor | null;
  #inputs: readonly Tensor[] | null;
  #attributes: Attributes;
  readonly #shape: Shape;
  readonly #dtype: DType;
  #value: TypedArray | null = null;
  #rare: Rare | null = null;
  #mark = 0;

  /** The operands are `inputs`, or, if that is null, `first` and `second` as far as they are given. */
  constructor(
    op: Op,
    inputs: readonly Tensor[] | null,
    attributes: Attributes,
    shape: Shape,
    dtype: DType,
    first: Tensor | null = null,
    second: Tensor | null = null,
  ) {
    this.id = ++nodes;
    this.#op = op;
    this.#first = inputs && inputs.length > 0 ? inputs[0]! : first;
    this.#second = inputs && inputs.length > 1 ? inputs[1]! : second;
    this.#inputs = inputs;
    this.#attributes = attributes;
    this.#shape = shape;
    this.#dtype = dtype;
    watcher?.(this);
  }

  /** What computes this node. */
  get op(): Op {
    return this.#op;
  }
  get inputs(): readonly Tensor[] {
    this.#inputs ??= this.#second ? [this.#first!, this.#second] : this.#first ? [this.#first] : nothing;
    return this.#inputs;
  }
  get attributes(): Attributes {
    return this.#attributes;
  }
  /** The sizes along the axes. */
  get shape(): Sizes<S> {
    return this.#shape as Sizes<S>;
  }
  get dtype(): DType {
    return this.#dtype;
  }
  /** The number of axes. */
  get rank(): number {
    return this.#shape.length;
  }
  /** The number of elements. */
  get size(): number {
    return sizeOf(this.#shape);
  }
  /** The name given with `named`, if any. */
  get label(): string | null {
    return this.#rare ? this.#rare.label : null;
  }
  /** The node that ops take when they are given this object: itself, but for variables their present version. */
  get node(): Tensor<S> {
    return this;
  }

  /** Names this node in prints of the graph and returns it. A name changes no meaning. */
  named(label: string): this {
    rareOf(this).label = label;
    return this;
  }

  static {
    arityOf = (x) => (x.#inputs ? x.#inputs.length : x.#second ? 2 : x.#first ? 1 : 0);
    operandOf = (x, i) => (i === 0 ? x.#first : i === 1 ? x.#second : x.#inputs![i]!);
    rareOf = (x) => {
      const rare = x.#rare;
      if (rare !== null && rare !== computed) return rare;
      x.#rare = newRare(rare === computed);
      return x.#rare;
    };
    markComputed = (x) => {
      const rare = x.#rare;
      if (rare === null) {
        x.#rare = computed;
        return false;
      }
      const before = rare.wasComputed;
      rare.wasComputed = true;
      return before;
    };
    sourceOf = (x) => (x.#rare ? x.#rare.source : null);
    originOf = (x) => x.#rare?.origin ?? x;
    stackOf = (x) => (x.#rare ? x.#rare.site : null);
    ownerOf = (x) => (x.#rare ? x.#rare.owner : null);
    elementsOf = (x) => x.#value;
    setElements = (x, value) => {
      x.#value = value;
    };
    turnIntoLeaf = (x, op) => {
      x.#op = op;
      x.#attributes = { shape: x.#shape, dtype: x.#dtype };
      x.#first = null;
      x.#inputs = null;
    };
    markOf = (x) => x.#mark;
    setMark = (x, mark) => {
      x.#mark = mark;
    };
  }
}

/** A new node, its shape and dtype inferred and everything checked by the op. Throws what the op's checks throw. */
export function apply(op: Op, inputs: readonly Tensor[], attributes: Attributes = none): Tensor {
  const shape = op.shape(inputs, attributes);
  return new Tensor(op, inputs, attributes, shape, op.dtype(inputs, attributes));
}

/** Does the node hold its elements? It is a constant then, whatever it was computed from. */
export function isKnown(x: Tensor): boolean {
  return elementsOf(x) !== null;
}

/** Who is shown every node that is made. Mostly nobody: checks look for the node at fault this way, and `checkpoint` for its own. */
let watcher: ((x: Tensor) => void) | null = null;

/** Runs `f` and shows `seen` every node that it makes. */
export function watching<T>(seen: (x: Tensor) => void, f: () => T): T {
  const before = watcher;
  watcher = before
    ? (x) => {
        before(x);
        seen(x);
      }
    : seen;
  try {
    return f();
  } finally {
    watcher = before;
  }
}

/** An op: what it computes and how it is differentiated. */
export interface Op<A extends Attributes = Attributes> {
  readonly name: string;
  readonly kernel: Kernel<A>;
  /** One rule per operand; the last one also serves all further operands. */
  readonly derivatives: readonly Derivative<A>[];
  /** Attributes that the operands imply: prints leave them out. */
  readonly implied?: readonly string[] | undefined;
  /** Has it a kink, a tie or a jump? Checks then look at either side. A sentence can say what its derivative is there. */
  readonly kink?: string | true | undefined;
  /**
   * What its rules are the derivative of. `computed`, unless given: of what the op computes. `intended`: of something else, on
   * purpose, so checks do not compare them with differences. `first`: of operand 0 as a function of the others (`customGradient`).
   */
  readonly meaning?: "computed" | "intended" | "first" | undefined;
  /** The result's shape; throws a typed error if the operands do not fit. */
  shape(inputs: readonly Tensor[], attributes: A): Shape;
  /** The result's dtype; throws a typed error if the operands are not accepted. */
  dtype(inputs: readonly Tensor[], attributes: A): DType;
}

/** What an engine has to know to compute an op. The list is closed: engines switch on it and never on a name. */
export type Kernel<A extends Attributes = Attributes> =
  /** Elements that are given (`data`), all equal to attribute `value` (`fill`), or counted 0, 1, 2, ... (`iota`). */
  | { readonly kind: "leaf"; readonly source: "data" | "fill" | "iota" }
  /** Each element from the elements at the same place in all operands. */
  | { readonly kind: "pointwise"; readonly body: Body }
  /** The elements of operand 0 at other places. One that `waits` is computed after its other operands, which it does not read (`checkpoint`). */
  | {
      readonly kind: "view";
      readonly waits?: boolean | undefined;
      map(shape: Shape, attributes: A): IndexMap;
    }
  /** Operand 0 followed by the others along attribute `axis`. */
  | { readonly kind: "concatenate" }
  /** `out[.. i ..] = x[.. index[.. i ..] ..]` along attribute `axis`; operands x and index. */
  | { readonly kind: "gather" }
  /** `out[.. index[.. i ..] ..] += x[.. i ..]` along attribute `axis`, in the order of x; operands x and index. */
  | { readonly kind: "scatter" }
  /**
   * All elements along attribute `axes` combined into one, in the order of `order.ts`, which regroups them and begins at the identity more
   * than once: `combine` must be associative and commutative up to rounding, and leave `x` as it is beside `identity`.
   */
  | { readonly kind: "reduce"; readonly combine: Body; identity(dtype: DType): number }
  /** The same for all elements so far along attribute `axis`, from the first on, or from the last if attribute `reverse`. */
  | { readonly kind: "scan"; readonly combine: Body; identity(dtype: DType): number }
  /** Sums of products as attribute `spec` says: `"ij,jk->ik"`. */
  | { readonly kind: "contract" }
  /** A function of JavaScript that writes every element of `out` and nothing else. `site()` ends its errors: "; made at ...", or nothing. */
  | {
      readonly kind: "opaque";
      run(inputs: readonly Elements[], out: Elements, attributes: A, site: () => string): void;
    };

/** The elements of a tensor, row by row. */
export interface Elements {
  readonly shape: Shape;
  readonly data: TypedArray;
}

/**
 * Where a view finds its elements: the element at index (i, j, ...) of the result is the operand's element number
 * `offset + i * strides[0] + j * strides[1] + ...`. With `bounds`, indices outside `[from, to)` of an axis give 0.
 */
export interface IndexMap {
  readonly offset: number;
  readonly strides: readonly number[];
  readonly bounds: readonly (readonly [from: number, to: number])[] | null;
}

/**
 * How the result depends on one operand. `out` is the node under differentiation: its operands are `out.inputs`.
 * Rules are made of ordinary ops, so derivatives of every order exist.
 */
export type Derivative<A extends Attributes = Attributes> =
  /** Not at all, or only by jumps. */
  | { readonly kind: "zero" }
  /** Element by element, with this partial derivative (1 and -1 as numbers). */
  | {
      readonly kind: "partial";
      partial(out: Tensor, ...inputs: Tensor[]): Partial;
      readonly singular: boolean;
    }
  /** Linearly in all such operands together: the forward rule is the op itself, `transpose` its adjoint for `operand`. */
  | { readonly kind: "linear"; transpose(g: Tensor, out: Tensor, attributes: A, operand: number): Tensor }
  /** Linearly while the other operands stay fixed. */
  | { readonly kind: "bilinear"; transpose(g: Tensor, out: Tensor, attributes: A, operand: number): Tensor }
  /** By this forward rule, linear in the tangent `t` of the operand; the engine transposes it, unless `pull` says what flows back. */
  | {
      readonly kind: "pushforward";
      push(t: Tensor, out: Tensor, attributes: A, operand: number): Tensor;
      pull?(g: Tensor, out: Tensor, attributes: A, operand: number): Tensor | null;
    };

/** A partial derivative: a tensor of the result's shape, or one of the numbers that need no product. */
export type Partial = Tensor | 1 | -1;

/** The rule of an operand on which the result does not depend, or only by jumps. */
export const zero: Derivative = { kind: "zero" };

/** `partial((out, x, y) => ...)`: the derivative of each element by the element at the same place in the operand. */
export function partial(rule: (out: Tensor, ...inputs: Tensor[]) => Partial): Derivative {
  return { kind: "partial", partial: rule, singular: false };
}

/**
 * A partial derivative that can be infinite or NaN. Where the cotangent (or tangent) is 0 the product counts as 0, so in a
 * branch that `where` switched off it cannot poison the gradient.
 */
export function singular(rule: (out: Tensor, ...inputs: Tensor[]) => Partial): Derivative {
  return { kind: "partial", partial: rule, singular: true };
}

/** The rule of an operand in which the op is linear: `transpose` gives its cotangent, made of the cotangent `g` of the result. */
export function linearRule<A extends Attributes>(
  transpose: (g: Tensor, out: Tensor, attributes: A, operand: number) => Tensor,
): Derivative<A> {
  return { kind: "linear", transpose };
}

/** The same for an op that is linear in the operand as long as the others stay as they are. */
export function bilinearRule<A extends Attributes>(
  transpose: (g: Tensor, out: Tensor, attributes: A, operand: number) => Tensor,
): Derivative<A> {
  return { kind: "bilinear", transpose };
}

/** The rule of an operand as its forward rule: from its tangent `t`, in which it is linear, to that of the result. */
export function pushed<A extends Attributes>(
  push: (t: Tensor, out: Tensor, attributes: A, operand: number) => Tensor,
): Derivative<A> {
  return { kind: "pushforward", push };
}

/** Is this a view that waits for its other operands? */
export function isWaiting({ op: { kernel } }: Tensor): boolean {
  return kernel.kind === "view" && kernel.waits === true;
}

/** The rule for operand number `i`. */
export function derivativeOf(op: Op, i: number): Derivative {
  const rules = op.derivatives;
  return rules[i < rules.length ? i : rules.length - 1] ?? zero;
}
