import type { TypedArray } from "./dtype.ts";
import { CotangentError, StateError, ValueError } from "./errors.ts";
import type { IndexMap, Kernel, Tensor } from "./graph.ts";
import { arityOf, operandOf } from "./graph.ts";
import { machineOf, withDType } from "./machine.ts";
import { callerOf } from "./ops/indexing.ts";
import { withoutValue } from "./ops/leaf.ts";
import { checkWithin } from "./ops/range.ts";
import type { Shape } from "./shape.ts";
import { sizeOf, stridesOf, walk } from "./shape.ts";
import { siteOf } from "./site.ts";
import { contract, reduce, scan } from "./sums.ts";

/** What each kind of kernel means, written to be read. */

/** Writes the elements of `node` to `out`, given those of its operands. */
export function compute(node: Tensor, inputs: readonly TypedArray[], out: TypedArray): void {
  const { kernel } = node.op;
  switch (kernel.kind) {
    case "leaf":
      computeLeaf(kernel.source, node, out);
      break;
    case "pointwise":
      machineOf(kernel.body, dtypesOf(node)).run(inputs, out.length, out);
      break;
    case "view":
      read(inputs[0]!, kernel.map(node.inputs[0]!.shape, node.attributes), out, node.shape);
      break;
    case "concatenate":
      concatenate(node, inputs, out);
      break;
    case "gather":
      gather(node, inputs[0]!, inputs[1]!, out);
      break;
    case "scatter":
      scatter(node, inputs[0]!, inputs[1]!, out);
      break;
    case "reduce":
      reduce(node, kernel.combine, kernel.identity(node.dtype), inputs[0]!, out);
      break;
    case "scan":
      scan(node, kernel.combine, kernel.identity(node.dtype), inputs[0]!, out);
      break;
    case "contract":
      contract(node, inputs[0]!, inputs[1]!, out);
      break;
    case "opaque":
      computeOpaque(kernel, node, inputs, out);
      break;
    default:
      kernel satisfies never;
  }
}

/** The dtypes of a node and its operands. */
export function dtypesOf(node: Tensor): number {
  let list = withDType(0, node.dtype);
  for (let i = 0; i < arityOf(node); i++) list = withDType(list, operandOf(node, i)!.dtype);
  return list;
}

/** What is thrown by a kernel that words no errors of ours gets the name of the op, and where it was applied. */
function computeOpaque(
  kernel: Extract<Kernel, { kind: "opaque" }>,
  node: Tensor,
  inputs: readonly TypedArray[],
  out: TypedArray,
): void {
  const operands = inputs.map((data, i) => ({ shape: node.inputs[i]!.shape, data }));
  try {
    kernel.run(operands, { shape: node.shape, data: out }, node.attributes, () => site(node));
  } catch (error) {
    if (error instanceof CotangentError) throw error;
    const said = error instanceof Error ? error.message : String(error);
    throw new ValueError(`${node.op.name}: ${said}${site(node)}`, { cause: error });
  }
}

/** Does this node, whose operand is computed, have the very elements of it: a reshape, or a leaf that waits for a value? */
export function isCopy(node: Tensor): boolean {
  const { kernel } = node.op;
  if (kernel.kind === "leaf") return true;
  if (kernel.kind !== "view" || sizeOf(node.inputs[0]!.shape) !== sizeOf(node.shape)) return false;
  const { offset, strides, bounds } = kernel.map(node.inputs[0]!.shape, node.attributes);
  return offset === 0 && bounds === null && areInARow(node.shape, strides);
}

/** Do the elements that these strides lead to lie one after the other? */
function areInARow(shape: Shape, strides: readonly number[]): boolean {
  const own = stridesOf(shape);
  return strides.every((stride, i) => stride === own[i] || shape[i] === 1);
}

function computeLeaf(source: "data" | "fill" | "iota", node: Tensor, out: TypedArray): void {
  if (source === "fill") out.fill(Number(node.attributes.value));
  else if (source === "iota") for (let i = 0; i < out.length; i++) out[i] = i;
  else throw new StateError(withoutValue(node));
}

function read(x: TypedArray, { offset, strides, bounds }: IndexMap, out: TypedArray, shape: Shape): void {
  const outStrides = stridesOf(shape);
  if (!bounds) {
    copyAxis(x, offset, strides, out, 0, outStrides, shape, 0);
    return;
  }
  out.fill(0);
  const inside = bounds.map(([from, to]) => to - from);
  const corner = (of: readonly number[]) => bounds.reduce((sum, [from], axis) => sum + from * of[axis]!, 0);
  copyAxis(x, offset + corner(strides), strides, out, corner(outStrides), outStrides, inside, 0);
}

/** Copies what lies along the axes from `axis` on, from `from` and to `to` on. */
function copyAxis(
  x: TypedArray,
  from: number,
  strides: readonly number[],
  out: TypedArray,
  to: number,
  outStrides: readonly number[],
  shape: Shape,
  axis: number,
): void {
  const size = axis < shape.length ? shape[axis]! : 1;
  const [step, outStep] = [strides[axis] ?? 0, outStrides[axis] ?? 0];
  if (axis < shape.length - 1) {
    for (let i = 0; i < size; i++)
      copyAxis(x, from + i * step, strides, out, to + i * outStep, outStrides, shape, axis + 1);
  } else if (step === 1 && outStep === 1 && size > 16) {
    out.set(x.subarray(from, from + size), to);
  } else {
    for (let i = 0; i < size; i++) out[to + i * outStep] = x[from + i * step]!;
  }
}

function concatenate(node: Tensor, inputs: readonly TypedArray[], out: TypedArray): void {
  const axis = Number(node.attributes.axis);
  const strides = stridesOf(node.shape);
  let start = 0;
  inputs.forEach((data, k) => {
    const { shape } = node.inputs[k]!;
    copyAxis(data, 0, stridesOf(shape), out, start * strides[axis]!, strides, shape, 0);
    start += shape[axis]!;
  });
}

function gather(node: Tensor, x: TypedArray, index: TypedArray, out: TypedArray): void {
  const axis = Number(node.attributes.axis);
  const { shape } = node.inputs[0]!;
  const [size, stride] = [shape[axis]!, stridesOf(shape)[axis]!];
  eachRow(node.shape, stridesOf(shape).with(axis, 0), (from, step, begin, end) => {
    for (let i = begin, place = from; i < end; i++, place += step) {
      checkPlace(node, index[i]!, size, axis);
      out[i] = x[place + index[i]! * stride]!;
    }
  });
}

function scatter(node: Tensor, x: TypedArray, index: TypedArray, out: TypedArray): void {
  const axis = Number(node.attributes.axis);
  const { shape } = node;
  const [size, stride] = [shape[axis]!, stridesOf(shape)[axis]!];
  out.fill(0);
  eachRow(node.inputs[0]!.shape, stridesOf(shape).with(axis, 0), (from, step, begin, end) => {
    for (let i = begin, place = from; i < end; i++, place += step) {
      checkPlace(node, index[i]!, size, axis);
      out[place + index[i]! * stride]! += x[i]!;
    }
  });
}

/** Visits the rows of `shape`, elements `begin .. end`: where `strides` lead at the first of them, and how far from one to the next. */
function eachRow(
  shape: Shape,
  strides: readonly number[],
  visit: (from: number, step: number, begin: number, end: number) => void,
): void {
  const [columns, step] = [shape[shape.length - 1]!, strides[strides.length - 1]!];
  walk(shape.slice(0, -1), strides, (from, row) => visit(from, step, row * columns, (row + 1) * columns));
}

/** Looks for the line of `node` only if it is wanted: that takes longer than thousands of elements. */
function checkPlace(node: Tensor, i: number, size: number, axis: number): void {
  if (i < 0 || i >= size) checkWithin(callerOf(node), i, size, axis, site(node));
}

function site(node: Tensor): string {
  const line = siteOf(node);
  return line === null ? "" : `; made ${line.trim()}`;
}
