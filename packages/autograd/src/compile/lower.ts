import type { Body } from "../arithmetic.ts";
import type { Tensor } from "../graph.ts";
import { extent, readLabels } from "../labels.ts";
import { contractionOrder, outerOrder, reductionOrder } from "../order.ts";
import type { Shape } from "../shape.ts";
import { sizeOf, stridesOf } from "../shape.ts";
import type { Affine } from "./affine.ts";
import { indexOf, weighted } from "./affine.ts";
import type { Memory } from "./body.ts";
import { bodyBuilder } from "./body.ts";
import type { Fold, Form } from "./kernel.ts";
import { scalar } from "./kernel.ts";
import { panelWidth } from "./panels.ts";
import { programOf } from "./simplify.ts";
import { productOf, tiledOp } from "./tile.ts";

/** A kernel whose form has no pattern yet (`fuse.ts` gives it one). */
export interface Lowered {
  readonly form: Omit<Form, "pattern">;
  /** The node itself, then what the body reads. */
  readonly nodes: readonly Tensor[];
  /** The element of the node that the places of results are counted from: of a part of a concatenation, where it begins. */
  readonly start: number;
}

/**
 * The kernels that compute one stored node from others that are stored: how each kind of kernel becomes loops (the space of a form), a body,
 * and places that are affine in the indices of the loops. Nodes in between become part of the body; where a view makes that
 * impossible, its operand is required to be stored.
 */
export function lower(node: Tensor, memory: Memory): Lowered[] {
  const { kernel } = node.op;
  // Scattering to an axis of size 0 leaves nothing, but its indices are checked.
  if (node.size === 0 && !(kernel.kind === "scatter" && node.inputs[0]!.size > 0)) return [];
  const build = (space: Shape) => bodyBuilder(node, space, memory);
  switch (kernel.kind) {
    case "leaf":
    case "pointwise":
      return [lowerElements(node, build)];
    case "view": {
      const { bounds } = kernel.map(node.inputs[0]!.shape, node.attributes);
      return bounds ? lowerBordered(node, bounds, build) : [lowerElements(node, build)];
    }
    case "concatenate":
      return lowerParts(node, build);
    case "gather":
      return [lowerGather(node, build)];
    case "scatter":
      return [lowerScatter(node, build)];
    case "reduce": {
      const { shape } = node.inputs[0]!;
      const axes = node.attributes.axes as readonly number[];
      const fold = folding(node, kernel.combine, kernel.identity(node.dtype), reductionOrder(shape, axes));
      return [lowerReduce(node, axes, fold, build)];
    }
    case "scan":
      return [lowerScan(node, folding(node, kernel.combine, kernel.identity(node.dtype), outerOrder), build)];
    case "contract":
      if (node.op !== tiledOp) return [lowerContract(node, build)];
      return lowerProduct(node, build, memory);
    case "opaque":
      return [lowerOpaque(node, build)];
  }
}

/** The loads of the body only say that the operands have to lie in memory as they are. */
function lowerOpaque(node: Tensor, build: Build): Lowered {
  const builder = build([]);
  for (const x of node.inputs) builder.load(x, { offset: 0, steps: [] });
  return kernelFor(builder, 0, { kind: "opaque" });
}

function lowerElements(node: Tensor, build: Build): Lowered {
  const builder = build(node.shape);
  return kernelFor(builder, builder.define(node, indices(node.rank)));
}

/** Two kernels: zeros, and over them what lies inside the bounds. */
function lowerBordered(
  node: Tensor,
  bounds: readonly (readonly [from: number, to: number])[],
  build: Build,
): Lowered[] {
  const rank = node.rank;
  const inside = bounds.map(([from, to]) => Math.max(0, to - from));
  const zeros = build(node.shape);
  const border = kernelFor(zeros, zeros.add(scalar("constant", node.dtype, [])));
  if (inside.includes(0)) return [border];
  const at = bounds.map(([from], i) => ({ ...indexOf(i, rank), offset: from }));
  const builder = build(inside);
  const result = builder.define(node, at);
  const target = weighted(0, stridesOf(node.shape), at, rank);
  return [border, kernelFor(builder, result, { target })];
}

type Builder = ReturnType<typeof bodyBuilder>;
type Build = (space: Shape) => Builder;

function indices(rank: number): Affine[] {
  return Array.from({ length: rank }, (_, axis) => indexOf(axis, rank));
}

/** A `map` over the space of the body, but for what `rest` says otherwise. */
function kernelFor(
  { space, body, nodes }: Builder,
  result: number,
  rest: Partial<Lowered["form"]> = {},
  start = 0,
): Lowered {
  const { dtype, size } = nodes[0]!;
  const target = { offset: 0, steps: stridesOf(space) };
  const form = {
    kind: "map",
    space,
    outer: space.length,
    body,
    results: [result],
    dtype,
    size,
    target,
    fold: null,
    pick: null,
    ...rest,
  } as const;
  return { form, nodes, start };
}

function folding(node: Tensor, combine: Body, identity: number, order: Fold["order"]): Fold {
  return { combine: programOf(combine, [node, node], node.dtype), identity, order };
}

/** Concatenation: a kernel for each part, which copies it to its place. */
function lowerParts(node: Tensor, build: Build): Lowered[] {
  const axis = Number(node.attributes.axis);
  const strides = stridesOf(node.shape);
  const target = { offset: 0, steps: strides };
  let index = 0;
  return node.inputs.flatMap((part) => {
    const start = index * strides[axis]!;
    index += part.shape[axis]!;
    if (part.size === 0) return [];
    const builder = build(part.shape);
    return [kernelFor(builder, builder.value(part, indices(part.rank)), { target }, start)];
  });
}

function lowerGather(node: Tensor, build: Build): Lowered {
  const axis = Number(node.attributes.axis);
  const [x, index] = node.inputs as readonly [Tensor, Tensor];
  const builder = build(node.shape);
  const at = indices(node.rank);
  const strides = stridesOf(x.shape);
  const pick = { index: builder.value(index, at), axis, size: x.shape[axis]!, stride: strides[axis]! };
  const table = builder.withoutCopies(x);
  const result = builder.load(table, weighted(0, strides.with(axis, 0), at, node.rank), -1, pick);
  return kernelFor(builder, result);
}

function lowerScatter(node: Tensor, build: Build): Lowered {
  const axis = Number(node.attributes.axis);
  const [x, index] = node.inputs as readonly [Tensor, Tensor];
  const builder = build(x.shape);
  const at = indices(x.rank);
  const strides = stridesOf(node.shape);
  const pick = { index: builder.value(index, at), axis, size: node.shape[axis]!, stride: strides[axis]! };
  const result = builder.value(x, at);
  const target = weighted(0, strides.with(axis, 0), at, x.rank);
  return kernelFor(builder, result, { kind: "scatter", target, pick });
}

function lowerReduce(node: Tensor, axes: readonly number[], fold: Fold, build: Build): Lowered {
  const x = node.inputs[0]!;
  const kept = x.shape.map((_, axis) => axis).filter((axis) => !axes.includes(axis));
  const loops = [...kept, ...axes];
  const space = loops.map((axis) => x.shape[axis]!);
  const builder = build(space);
  const result = builder.value(
    x,
    x.shape.map((_, axis) => indexOf(loops.indexOf(axis), loops.length)),
  );
  return kernelFor(builder, result, reducing(space, kept.length, fold));
}

/** What makes a `reduce`: the first `outer` loops count the results, row by row; the others go through the terms of one result. */
function reducing(space: Shape, outer: number, fold: Fold): Partial<Lowered["form"]> {
  const steps = [...stridesOf(space.slice(0, outer)), ...space.slice(outer).map(() => 0)];
  return { kind: "reduce", outer, target: { offset: 0, steps }, fold };
}

function lowerScan(node: Tensor, fold: Fold, build: Build): Lowered {
  const axis = Number(node.attributes.axis);
  const rank = node.rank;
  const loops = [...node.shape.map((_, i) => i).filter((i) => i !== axis), axis];
  const space = loops.map((i) => node.shape[i]!);
  const at = node.shape.map((size, i) => {
    const index = indexOf(loops.indexOf(i), rank);
    return i === axis && node.attributes.reverse ? weighted(size - 1, [-1], [index], rank) : index;
  });
  const builder = build(space);
  const result = builder.value(node.inputs[0]!, at);
  const target = weighted(0, stridesOf(node.shape), at, rank);
  return kernelFor(builder, result, { kind: "scan", outer: rank - 1, target, fold });
}

const addition: Body = (m, x, y) => m.add(x!, y!);

function lowerContract(node: Tensor, build: Build): Lowered {
  const [x, y] = node.inputs as readonly [Tensor, Tensor];
  const { left, right, out, rows, columns, inner } = readLabels(String(node.attributes.spec));
  const order = contractionOrder(extent(rows, left, x.shape), extent(columns, right, y.shape));
  const letters = [...out, ...inner];
  const space = letters.map((letter) =>
    left.includes(letter) ? x.shape[left.indexOf(letter)]! : y.shape[right.indexOf(letter)]!,
  );
  const builder = build(space);
  const at = (labels: string) =>
    [...labels].map((letter) => indexOf(letters.indexOf(letter), letters.length));
  const operands = [builder.value(x, at(left)), builder.value(y, at(right))];
  const result = builder.add(scalar("mul", node.dtype, operands));
  return kernelFor(builder, result, reducing(space, out.length, folding(node, addition, 0, order)));
}

/**
 * A product for the micro-kernel. Its space has one loop for the columns; the right operand is read at the first column of the
 * first panel, and the code finds the others from there. Until the left operand can be walked through evenly, nothing comes out,
 * and it is required to be stored.
 */
function lowerProduct(node: Tensor, build: Build, memory: Memory): Lowered[] {
  const [x, y, terms] = node.inputs as readonly [Tensor, Tensor, Tensor?];
  const { left, out, outer, rows, columns, inner, steps, offset } = productOf(node);
  const outSize = (c: string) => node.shape[out.indexOf(c)]!;
  const results = [...(outer + rows)];
  const sizes = [...inner].map((c) => x.shape[left.indexOf(c)]!);
  const space = [...results.map(outSize), sizeOf([...columns].map(outSize)), ...sizes];
  const rank = space.length;
  const column = results.length;
  const loopOf = (c: string) =>
    columns.includes(c) ? column : inner.includes(c) ? column + 1 + inner.indexOf(c) : results.indexOf(c);
  const loops = (letters: string) => [...letters].map((c) => indexOf(loopOf(c), rank));
  const builder = build(space);
  const a = builder.value(x, loops(left));
  const found = builder.body[a]!;
  if (found.word !== "load" || found.operands.length > 0 || !isWalkedEvenly(found.at!, space, column)) {
    memory.require(x);
    return [];
  }
  // The places of terms that are not in panels are data, for the micro-kernel.
  const walked = terms ? sizes.map(() => 0) : stridesOf(sizes).map((stride) => stride * panelWidth(node));
  const at = weighted(offset, [...steps, ...walked], loops(outer + inner), rank);
  const operands = [a, builder.load(y, at)];
  if (terms) operands.push(builder.load(terms, weighted(0, [], [], rank)));
  const target = weighted(
    0,
    // All columns are one loop, which moves as the last of them.
    stridesOf(node.shape).map((stride, axis) => (columns.slice(0, -1).includes(out[axis]!) ? 0 : stride)),
    loops(out),
    rank,
  );
  // What is tiled has several rows and several columns.
  const fold = folding(node, addition, 0, contractionOrder(2, 2));
  const result = builder.add(scalar("mul", node.dtype, operands));
  return [kernelFor(builder, result, { kind: "product", outer: column + 1, target, fold })];
}

/** Does a place never go backwards, and move through the loops over terms as if they were one? */
function isWalkedEvenly({ steps }: Affine, space: Shape, column: number): boolean {
  const terms = steps
    .map((step, i) => ({ step, size: space[i]! }))
    .slice(column + 1)
    .filter(({ size }) => size > 1);
  return (
    steps.every((step) => step >= 0) &&
    terms.every(({ step }, i) => i === 0 || terms[i - 1]!.step === step * terms[i]!.size)
  );
}
