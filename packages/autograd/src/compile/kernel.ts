import type { DType } from "../dtype.ts";
import type { Tensor } from "../graph.ts";
import { remembered } from "../memo.ts";
import type { Order } from "../order.ts";
import type { Instruction, Program, Word } from "../program.ts";
import type { Shape } from "../shape.ts";
import { formatShape, sizeOf, stridesOf } from "../shape.ts";
import type { Affine } from "./affine.ts";
import { formatAffine, isEmpty, moved, rangeOf } from "./affine.ts";

/** What fusion makes of a graph: a straight-line body that runs at every index of a space, and the nodes that it reads and writes. */
export interface Kernel {
  readonly form: Form;
  /** The nodes that it writes, then those that it reads. One node can be there several times, with other `starts`. */
  readonly nodes: readonly Tensor[];
  /** For each node the element that the places of the form are counted from. */
  readonly starts: readonly number[];
}

/**
 * All of a kernel but its nodes. Graphs have the same layer many times, the same step of time, the same update for many parameters: such
 * kernels share one form, and what a pass finds out about a form holds for all of them.
 */
export interface Form {
  /**
   * `map`: every result goes to its own element. `reduce`: those along the inner axes are combined into one. `scan`: the same,
   * but each step is written. `scatter`: results are added to elements of which one index is data, over zeros. `product`:
   * a product of matrices, the second of them in panels (`tile.ts`); the loop before those over terms counts columns, and
   * the one before that rows. `opaque`: the host computes the node from operands in memory; the body loads the first element of
   * each, which says that it has to be there, and no code comes of it.
   */
  readonly kind: "map" | "reduce" | "scan" | "scatter" | "product" | "opaque";
  /** The sizes of the loops, outermost first. */
  readonly space: Shape;
  /** The first `outer` loops count results, the others the terms of one result. */
  readonly outer: number;
  readonly body: readonly Scalar[];
  /**
   * The numbers of the scalars that are stored, one for each node that is written. Only a `map` has several: to nodes of one size, with
   * elements of one width, at the same place (`merge.ts`).
   */
  readonly results: readonly number[];
  /** The dtype of the last node that is written, and how many elements each of them has. */
  readonly dtype: DType;
  readonly size: number;
  /** The element that results go to, by the indices of the loops. */
  readonly target: Affine;
  /** How a `reduce`, `scan` or `product` combines terms. */
  readonly fold: Fold | null;
  /** Of a `scatter`: the index in its target that is data. */
  readonly pick: Pick | null;
  readonly pattern: Pattern;
}

/** What forms have in common that differ in their shape alone. */
export interface Pattern {
  readonly id: number;
  /**
   * The forms by shape, if the pattern is for all shapes: each scalar is loaded at the element that is computed, or is the same for all
   * elements. Else null, and there is one form.
   */
  readonly shapes: Map<string, Form> | null;
}

/** The nodes that a kernel writes; the last one is the one that it was made for. */
export function resultsOf({ form, nodes }: Kernel): readonly Tensor[] {
  return nodes.slice(0, form.results.length);
}

/** The node that a kernel was made for. */
export function nodeOf({ form, nodes }: Kernel): Tensor {
  return nodes[form.results.length - 1]!;
}

/** `reduce sum` */
export function titleOf(kernel: Kernel): string {
  return `${kernel.form.kind} ${nodeOf(kernel).op.name}`;
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
 * One step of a body. Beside the words of the vocabulary: `load` reads the element `at` of node `source` (0 where its operand, a
 * bool, does not hold; with `pick`, at an index that is data), `index` is `at` itself, `inside` holds where `at` is in
 * `0 ... value - 1`, and `call` is what the program `slow` makes of the operands. Only what combines results has an `input`.
 */
export interface Scalar extends Omit<Instruction, "word"> {
  readonly word: Word | "load" | "index" | "inside" | "call";
  /** The number of a node of the kernel, or -1. */
  readonly source: number;
  readonly at: Affine | null;
  readonly pick: Pick | null;
}

export function scalar(
  word: Scalar["word"],
  dtype: DType,
  operands: readonly number[],
  rest: Partial<Scalar> = {},
): Scalar {
  const { value = 0, values = null, slow = null, source = -1, at = null, pick = null } = rest;
  return { word, dtype, operands, value, values, slow, source, at, pick };
}

/** The steps of a program as scalars. */
export function scalarsOf({ instructions }: Program): Scalar[] {
  return instructions.map((step) => scalar(step.word, step.dtype, step.operands, step));
}

let patterns = 0;

/** Gives a form a new pattern, which is for all shapes if the form is flat. */
export function patterned(form: Omit<Form, "pattern">, isFlat: boolean): Form {
  const shapes = isFlat ? new Map<string, Form>() : null;
  const pattern = { id: patterns++, shapes };
  const made = { pattern, ...form };
  // It may have been made of another form, with that one's pattern.
  made.pattern = pattern;
  shapes?.set(form.space.join(), made);
  return made;
}

/** The form of the same pattern for results of this shape. */
export function reshaped(form: Form, shape: Shape): Form {
  const { shapes } = form.pattern;
  if (!shapes) return form;
  return remembered(shapes, shape.join(), () => {
    const whole = { offset: 0, steps: stridesOf(shape) };
    const single = { offset: 0, steps: shape.map(() => 0) };
    const body = form.body.map((scalar) =>
      scalar.at ? { ...scalar, at: isSingle(scalar.at) ? single : whole } : scalar,
    );
    return { ...form, space: shape, outer: shape.length, body, size: sizeOf(shape), target: whole };
  });
}

/** Of a form of all shapes: is it the same element for all results? */
function isSingle({ steps }: Affine): boolean {
  return steps.every((step) => step === 0);
}

/** Can running such a kernel throw: does it check indices, or call the host? */
export function canFail({ kind, pick, body }: Form): boolean {
  return kind === "opaque" || pick !== null || body.some((step) => step.pick);
}

/**
 * Throws unless every scalar uses earlier ones only, everything that is loaded is held or computed before, and every load
 * that has no condition lies inside its source.
 */
export function checkKernels(kernels: readonly Kernel[], isHeld: (x: Tensor) => boolean): void {
  const computed = new Set<Tensor>();
  kernels.forEach((kernel, n) => {
    const { form, nodes, starts } = kernel;
    const { space, body, target } = form;
    const fail = (what: string): never => {
      throw new Error(
        `compile: kernel ${n} (${nodeOf(kernel).op.name}) ${what}; this is a mistake of the compiler`,
      );
    };
    const box = space.map((size) => [0, size] as const);
    const check = (x: Tensor, at: Affine, what: string) => {
      if (isEmpty(box) || x.size === 0) return;
      const [least, greatest] = rangeOf(at, box);
      if (least < 0 || greatest >= x.size) fail(`${what} outside ${formatShape(x.shape)}`);
    };
    body.forEach(({ operands, source: number, at }, i) => {
      if (operands.some((x) => x >= i)) fail(`uses a scalar before it is computed`);
      const source = nodes[number];
      if (source && source.size > 0 && !isHeld(source) && !computed.has(source))
        fail(`loads what is not computed yet`);
      if (source && at && operands.length === 0) check(source, moved(at, starts[number]!), "loads");
    });
    for (const node of resultsOf(kernel)) {
      check(node, moved(target, starts[nodes.indexOf(node)]!), "stores");
      computed.add(node);
    }
  });
}

/** The steps of a kernel as text, one a line; constants stand where they are used, `name` is what a node is called. */
export function formatKernel(kernel: Kernel, name: (x: Tensor) => string): string {
  const { form, nodes, starts } = kernel;
  const { kind, body, results, target, pick } = form;
  if (kind === "opaque") return `${name(nodes[0]!)} = host(${nodes[0]!.inputs.map(name).join(", ")})`;
  const place = (number: number, at: Affine, by: Pick | null) => {
    const index = formatAffine(moved(at, starts[number]!));
    return `${name(nodes[number]!)}[${index}${by ? ` + ${by.stride} @${by.index}` : ""}]`;
  };
  const operand = (i: number): string => {
    const { word, value } = body[i]!;
    return word !== "constant" ? `@${i}` : Object.is(value, -0) ? "-0" : String(value);
  };
  const steps = body.flatMap(({ word, dtype, operands, value, source, at, pick }, i) => {
    if (word === "constant") return [];
    const list = [
      ...(source >= 0 && at ? [place(source, at, pick)] : []),
      ...(source < 0 && at ? [formatAffine(at)] : []),
      ...(word === "inside" ? [`< ${value}`] : []),
      ...operands.map(operand),
    ];
    return [`@${i}: ${dtype} = ${word} ${list.join(", ")}`];
  });
  const stores = results.map((result, i) => `${place(i, target, pick)} = ${operand(result)}`);
  return [...steps, ...stores].join("\n");
}
