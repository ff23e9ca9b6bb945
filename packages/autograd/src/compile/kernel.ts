import type { DType } from "../dtype.ts";
import type { Tensor } from "../graph.ts";
import type { Order } from "../order.ts";
import type { Instruction, Program, Word } from "../program.ts";
import type { Shape } from "../shape.ts";
import { formatShape, stridesOf } from "../shape.ts";
import type { Affine } from "./affine.ts";
import { formatAffine, isEmpty, rangeOf } from "./affine.ts";

/**
 * What fusion makes of a graph: kernels. A kernel runs one straight-line body at every index of its space and puts what
 * comes out into the elements of one node.
 */
export interface Kernel {
  /**
   * `map`: every result goes to its own element. `reduce`: those along the inner axes are combined into one. `scan`: the same,
   * but each step is written. `scatter`: results are added to elements of which one index is data, over zeros. `product`:
   * a product of matrices, the second of them in panels (`tile.ts`); the loop before those over terms counts columns, and
   * the one before that rows. `opaque`: the host computes the node from operands in memory; the body loads the first element of
   * each, which says that it has to be there, and no code comes of it.
   */
  readonly kind: "map" | "reduce" | "scan" | "scatter" | "product" | "opaque";
  readonly node: Tensor;
  /** The sizes of the loops, outermost first. */
  readonly space: Shape;
  /** The first `outer` loops count results, the others the terms of one result. */
  readonly outer: number;
  readonly body: readonly Scalar[];
  /** The number of the scalar that is the result. */
  readonly result: number;
  /** The element of `node` that the result goes to. */
  readonly target: Affine;
  readonly fold: Fold | null;
  readonly pick: Pick | null;
  /** Of a `map`: what else is computed, and goes to the same element of other nodes, whose elements are as wide (`merge.ts`). */
  readonly also: readonly Result[];
  /** What it writes and reads, each once: results first. */
  readonly nodes: readonly Tensor[];
  readonly pattern: Pattern;
}

/** A node that a kernel computes, and the number of the scalar that goes there. */
export interface Result {
  readonly node: Tensor;
  readonly result: number;
}

/** All that a kernel computes. */
export function resultsOf({ node, result, also }: Unpatterned): readonly Result[] {
  return [...also, { node, result }];
}

/** How results along the inner axes are combined. */
export interface Fold {
  readonly combine: Program;
  readonly identity: number;
  readonly order: Order;
}

/** An index that is data: the number of its scalar, and the size and stride of the axis that it counts along. */
export interface Pick {
  readonly index: number;
  readonly axis: number;
  readonly size: number;
  readonly stride: number;
}

/**
 * One step of a body. Beside the words of the vocabulary: `load` reads the element `at` of `source` (0 where its operand, a
 * bool, does not hold; with `pick`, at an index that is data), `index` is `at` itself, `inside` holds where `at` is in
 * `0 ... value - 1`, and `call` is what the program `slow` makes of the operands. Only what combines results has an `input`.
 */
export interface Scalar extends Omit<Instruction, "word"> {
  readonly word: Word | "load" | "index" | "inside" | "call";
  readonly source: Tensor | null;
  readonly at: Affine | null;
  readonly pick: Pick | null;
}

export function scalar(
  word: Scalar["word"],
  dtype: DType,
  operands: readonly number[],
  rest: Partial<Scalar> = {},
): Scalar {
  return {
    word,
    dtype,
    operands,
    value: 0,
    values: null,
    slow: null,
    source: null,
    at: null,
    pick: null,
    ...rest,
  };
}

/** The steps of a program as scalars. */
export function scalarsOf({ instructions }: Program): Scalar[] {
  return instructions.map(({ word, dtype, operands, ...rest }) => scalar(word, dtype, operands, rest));
}

/**
 * What kernels have in common that differ in their nodes alone: a graph has the same layer many times, the same step of time, the
 * same update for many parameters. What a pass finds out about one kernel of a pattern it need not find out about the others.
 */
export interface Pattern {
  readonly id: number;
  /** Do kernels of all shapes have this pattern, since each scalar is read at the element that is computed, or is one for all? */
  readonly isFlat: boolean;
  /** One of the kernels. */
  readonly kernel: Unpatterned;
  /** For each scalar of its body the number of its source among the kernel's nodes, or -1. */
  readonly sources: readonly number[];
}

/** A kernel of no pattern yet. */
export type Unpatterned = Omit<Kernel, "pattern" | "nodes">;

let patterns = 0;

/** The kernel as the first one of a pattern. */
export function patterned(kernel: Unpatterned, isFlat: boolean): Kernel {
  const nodes: Tensor[] = resultsOf(kernel).map(({ node }) => node);
  const sources = kernel.body.map(({ source }) => {
    if (!source) return -1;
    const known = nodes.indexOf(source);
    return known >= 0 ? known : nodes.push(source) - 1;
  });
  return { ...kernel, nodes, pattern: { id: patterns++, isFlat, kernel, sources } };
}

/** The kernel of a pattern with these nodes; `shape` is that of its results. */
export function kernelOf(pattern: Pattern, nodes: readonly Tensor[], shape: Shape): Kernel {
  const { kernel, sources, isFlat } = pattern;
  const { also, target } = kernel;
  const whole = isFlat ? { offset: 0, steps: stridesOf(shape) } : target;
  const single = isFlat ? { offset: 0, steps: shape.map(() => 0) } : target;
  const body = kernel.body.map((scalar, i): Scalar => {
    const source = sources[i]!;
    if (source < 0) return scalar;
    const at = !isFlat ? scalar.at : isSingle(scalar) ? single : whole;
    const { word, dtype, operands, value, values, slow, pick } = scalar;
    return { word, dtype, operands, value, values, slow, source: nodes[source]!, at, pick };
  });
  return {
    ...kernel,
    ...(isFlat ? { space: shape, outer: shape.length, target: whole } : {}),
    node: nodes[also.length]!,
    also: also.map(({ result }, i) => ({ node: nodes[i]!, result })),
    body,
    nodes,
    pattern,
  };
}

/** Of a flat pattern: is it the same element for all results? */
function isSingle({ at }: Scalar): boolean {
  return at!.steps.every((step) => step === 0);
}

/** What a kernel's other findings depend on beside its nodes. */
export function formOf({ pattern, space }: Kernel): string {
  return `${pattern.id} ${pattern.isFlat ? space : ""}`;
}

/** Can running this kernel throw: does it check indices, or call the host? */
export function canFail({ kind, pick, body }: Kernel): boolean {
  return kind === "opaque" || pick !== null || body.some((step) => step.pick);
}

/**
 * Throws unless every scalar uses earlier ones only, everything that is loaded is held or computed before, and every load
 * that has no condition lies inside its source.
 */
export function checkKernels(kernels: readonly Kernel[], isHeld: (x: Tensor) => boolean): void {
  const computed = new Set<Tensor>();
  kernels.forEach((kernel, n) => {
    const { node, space, body, target } = kernel;
    const fail = (what: string): never => {
      throw new Error(`compile: kernel ${n} (${node.op.name}) ${what}; this is a mistake of the compiler`);
    };
    const box = space.map((size) => [0, size] as const);
    const check = (x: Tensor, at: Affine, what: string) => {
      if (isEmpty(box) || x.size === 0) return;
      const [least, greatest] = rangeOf(at, box);
      if (least < 0 || greatest >= x.size) fail(`${what} outside ${formatShape(x.shape)}`);
    };
    body.forEach(({ operands, source, at }, i) => {
      if (operands.some((x) => x >= i)) fail(`uses a scalar before it is computed`);
      if (source && source.size > 0 && !isHeld(source) && !computed.has(source))
        fail(`loads what is not computed yet`);
      if (source && at && operands.length === 0) check(source, at, "loads");
    });
    for (const out of resultsOf(kernel)) {
      check(out.node, target, "stores");
      computed.add(out.node);
    }
  });
}

/** The steps of a kernel as text, one a line; constants stand where they are used, `name` is what a node is called. */
export function formatKernel(kernel: Kernel, name: (x: Tensor) => string): string {
  const { kind, node, body, target, pick } = kernel;
  if (kind === "opaque") return `${name(node)} = host(${node.inputs.map(name).join(", ")})`;
  const place = (x: Tensor, at: Affine, by: Pick | null) =>
    `${name(x)}[${formatAffine(at)}${by ? ` + ${by.stride} @${by.index}` : ""}]`;
  const operand = (i: number): string => {
    const { word, value } = body[i]!;
    return word !== "constant" ? `@${i}` : Object.is(value, -0) ? "-0" : String(value);
  };
  const steps = body.flatMap(({ word, dtype, operands, value, source, at, pick }, i) => {
    if (word === "constant") return [];
    const list = [
      ...(source && at ? [place(source, at, pick)] : []),
      ...(!source && at ? [formatAffine(at)] : []),
      ...(word === "inside" ? [`< ${value}`] : []),
      ...operands.map(operand),
    ];
    return [`@${i}: ${dtype} = ${word} ${list.join(", ")}`];
  });
  const stores = resultsOf(kernel).map((out) => `${place(out.node, target, pick)} = ${operand(out.result)}`);
  return [...steps, ...stores].join("\n");
}
