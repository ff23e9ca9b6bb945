import type { Body } from "./arithmetic.ts";
import type { DType, TypedArray } from "./dtype.ts";
import { allocate, dtypes } from "./dtype.ts";
import { StateError } from "./errors.ts";
import type { IndexMap, Tensor } from "./graph.ts";
import { siteOf } from "./graph.ts";
import { extent, readLabels } from "./labels.ts";
import { Machine } from "./machine.ts";
import { checkWithin } from "./ops/indexing.ts";
import type { Order } from "./order.ts";
import { contractionOrder, reductionOrder } from "./order.ts";
import { trace } from "./program.ts";
import type { Shape } from "./shape.ts";
import { formatShape, sizeOf, stridesOf } from "./shape.ts";

/** What each kind of kernel means, written to be read. */

/** Writes the elements of `node` to `out`, given those of its operands. */
export function compute(node: Tensor, inputs: readonly TypedArray[], out: TypedArray): void {
  const { kernel } = node.op;
  switch (kernel.kind) {
    case "leaf":
      computeLeaf(kernel.source, node, out);
      break;
    case "pointwise":
      machineOf(kernel.body, node.inputs, node.dtype).run(inputs, out.length, out);
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
    case "opaque": {
      const operands = inputs.map((data, i) => ({ shape: node.inputs[i]!.shape, data }));
      kernel.run(operands, { shape: node.shape, data: out }, node.attributes);
      break;
    }
    default:
      kernel satisfies never;
  }
}

/** Does this node, whose operand is computed, have the very elements of it: a reshape, or a leaf that waits for a value? */
export function isCopy(node: Tensor): boolean {
  const { kernel } = node.op;
  if (kernel.kind === "leaf") return true;
  if (kernel.kind !== "view" || sizeOf(node.inputs[0]!.shape) !== sizeOf(node.shape)) return false;
  const { offset, strides, bounds } = kernel.map(node.inputs[0]!.shape, node.attributes);
  const own = stridesOf(node.shape);
  return (
    offset === 0 && bounds === null && strides.every((stride, i) => stride === own[i] || node.shape[i] === 1)
  );
}

function computeLeaf(source: "data" | "fill" | "iota", node: Tensor, out: TypedArray): void {
  if (source === "fill") out.fill(Number(node.attributes.value));
  else if (source === "iota") for (let i = 0; i < out.length; i++) out[i] = i;
  else
    throw new StateError(
      `${node.label ?? "a leaf"} of shape ${formatShape(node.shape)} has no value: it was made while compile was tracing; return ` +
        "it from the compiled function to read it",
    );
}

const machines = new WeakMap<Body, Map<number, Machine>>();

/** The machine of a body for operands and a result of these dtypes; each is made once. */
function machineOf(body: Body, operands: readonly { readonly dtype: DType }[], dtype: DType): Machine {
  let known = machines.get(body);
  if (!known) {
    known = new Map();
    machines.set(body, known);
  }
  let key = dtypes.indexOf(dtype);
  for (let i = 0; i < operands.length; i++) key = key * 5 + 1 + dtypes.indexOf(operands[i]!.dtype);
  let machine = known.get(key);
  if (!machine) {
    const inputs = operands.map((x) => x.dtype);
    machine = new Machine(trace(body, inputs, dtype));
    known.set(key, machine);
  }
  return machine;
}

/** `combine` over arrays: `out[i] = combine(out[i], x[i])`. */
function combiner(body: Body, dtype: DType): (out: TypedArray, x: TypedArray) => void {
  const machine = machineOf(body, [{ dtype }, { dtype }], dtype);
  return (out, x) => machine.run([out, x], out.length, out);
}

/** Walks all indices of `shape` row by row, with the offset that `strides` give each. */
function walk(
  shape: Shape,
  strides: readonly number[],
  offset: number,
  visit: (offset: number, i: number) => void,
): void {
  const size = sizeOf(shape);
  const index = new Int32Array(shape.length);
  for (let i = 0; i < size; i++) {
    visit(offset, i);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      offset += strides[axis]!;
      if (++index[axis]! < shape[axis]!) break;
      offset -= strides[axis]! * shape[axis]!;
      index[axis] = 0;
    }
  }
}

function read(x: TypedArray, { offset, strides, bounds }: IndexMap, out: TypedArray, shape: Shape): void {
  if (!bounds) {
    walk(shape, strides, offset, (at, i) => {
      out[i] = x[at]!;
    });
    return;
  }
  out.fill(0);
  const inside = bounds.map(([from, to]) => to - from);
  const outStrides = stridesOf(shape);
  const corner = (of: readonly number[]) => bounds.reduce((sum, [from], axis) => sum + from * of[axis]!, 0);
  const places = new Int32Array(sizeOf(inside));
  walk(inside, outStrides, corner(outStrides), (at, i) => {
    places[i] = at;
  });
  walk(inside, strides, offset + corner(strides), (at, i) => {
    out[places[i]!] = x[at]!;
  });
}

function concatenate(node: Tensor, inputs: readonly TypedArray[], out: TypedArray): void {
  const axis = Number(node.attributes.axis);
  const strides = stridesOf(node.shape);
  let start = 0;
  inputs.forEach((data, k) => {
    const { shape } = node.inputs[k]!;
    walk(shape, strides, start * strides[axis]!, (at, i) => {
      out[at] = data[i]!;
    });
    start += shape[axis]!;
  });
}

function gather(node: Tensor, x: TypedArray, index: TypedArray, out: TypedArray): void {
  const axis = Number(node.attributes.axis);
  const { shape } = node.inputs[0]!;
  const strides = stridesOf(shape);
  walk(node.shape, strides.with(axis, 0), 0, (at, i) => {
    checkWithin("gather", index[i]!, shape[axis]!, axis, site(node));
    out[i] = x[at + index[i]! * strides[axis]!]!;
  });
}

function scatter(node: Tensor, x: TypedArray, index: TypedArray, out: TypedArray): void {
  const axis = Number(node.attributes.axis);
  const strides = stridesOf(node.shape);
  out.fill(0);
  walk(node.inputs[0]!.shape, strides.with(axis, 0), 0, (at, i) => {
    checkWithin("scatterAdd", index[i]!, node.shape[axis]!, axis, site(node));
    out[at + index[i]! * strides[axis]!]! += x[i]!;
  });
}

function site(node: Tensor): string {
  const line = siteOf(node);
  return line === null ? "" : `; made ${line.trim()}`;
}

/**
 * What kernels work out from shapes alone, kept for the next time: in a small graph it would take longer than the
 * computation. Large plans are not kept, and all are dropped when there are many.
 */
const plans = new Map<string, unknown>();
const mostPlans = 512;
const largestPlan = 4096;

function planned<T>(key: string, size: number, make: () => T): T {
  const known = plans.get(key);
  if (known !== undefined) return known as T;
  const made = make();
  if (plans.size >= mostPlans) plans.clear();
  if (size <= largestPlan) plans.set(key, made);
  return made;
}

interface ReducePlan {
  readonly order: Order;
  readonly lanes: number;
  /** The offsets of the first term of each result, and of all terms from there. */
  readonly starts: Int32Array;
  readonly terms: Int32Array;
  readonly total: TypedArray;
  readonly chunk: TypedArray;
  readonly next: TypedArray;
  /** The halves that the tree over the lanes joins. */
  readonly halves: readonly (readonly [TypedArray, TypedArray])[];
  readonly result: TypedArray;
}

/** Sums for all results at once stand side by side: lane `l` of result `i` at `l * size + i`. */
function planReduce(shape: Shape, axes: readonly number[], dtype: DType): ReducePlan {
  const order = reductionOrder(shape, axes);
  const strides = stridesOf(shape);
  const kept = shape.map((_, i) => i).filter((i) => !axes.includes(i));
  const starts = offsets(kept, shape, strides);
  const terms = offsets(axes, shape, strides);
  const lanes = lanesFor(order, terms.length);
  const size = starts.length;
  const [total, chunk, next] = [0, 1, 2].map(() => allocate(dtype, lanes * size)) as [
    TypedArray,
    TypedArray,
    TypedArray,
  ];
  const halves: [TypedArray, TypedArray][] = [];
  for (let half = lanes >> 1; half >= 1; half >>= 1)
    halves.push([total.subarray(0, half * size), total.subarray(half * size, 2 * half * size)]);
  return { order, lanes, starts, terms, total, chunk, next, halves, result: total.subarray(0, size) };
}

/** Reduces along the axes in the order of `order.ts`. */
function reduce(node: Tensor, combine: Body, identity: number, x: TypedArray, out: TypedArray): void {
  const { shape } = node.inputs[0]!;
  const axes = node.attributes.axes as readonly number[];
  const plan = planned(`reduce ${node.dtype} ${shape} over ${axes}`, x.length, () =>
    planReduce(shape, axes, node.dtype),
  );
  const { order, lanes, starts, terms, total, chunk, next } = plan;
  const into = combiner(combine, node.dtype);
  const size = out.length;
  total.fill(identity);
  for (let begin = 0; begin < terms.length; begin += order.lanes * order.steps) {
    chunk.fill(identity);
    const end = Math.min(terms.length, begin + order.lanes * order.steps);
    for (let r = begin; r < end; r += lanes) {
      for (let lane = 0; lane < lanes; lane++)
        for (let i = 0; i < size; i++)
          next[lane * size + i] = r + lane < end ? x[starts[i]! + terms[r + lane]!]! : identity;
      into(chunk, next);
    }
    into(total, chunk);
  }
  for (const [low, high] of plan.halves) into(low, high);
  out.set(plan.result);
}

/** Lanes beyond the number of terms would hold nothing but the identity: they are left out. */
export function lanesFor({ lanes }: Order, terms: number): number {
  while (lanes > 1 && lanes / 2 >= terms) lanes /= 2;
  return lanes;
}

/** The offsets of all indices along `axes`, row by row. */
function offsets(axes: readonly number[], shape: Shape, strides: readonly number[]): Int32Array {
  const sizes = axes.map((axis) => shape[axis]!);
  const out = new Int32Array(sizeOf(sizes));
  walk(
    sizes,
    axes.map((axis) => strides[axis]!),
    0,
    (at, i) => {
      out[i] = at;
    },
  );
  return out;
}

function scan(node: Tensor, combine: Body, identity: number, x: TypedArray, out: TypedArray): void {
  const { shape } = node;
  const axis = Number(node.attributes.axis);
  const strides = stridesOf(shape);
  const starts = offsets(
    shape.map((_, i) => i).filter((i) => i !== axis),
    shape,
    strides,
  );
  const into = combiner(combine, node.dtype);
  const total = allocate(node.dtype, starts.length).fill(identity);
  const next = allocate(node.dtype, starts.length);
  const size = shape[axis]!;
  for (let step = 0; step < size; step++) {
    const shift = (node.attributes.reverse ? size - 1 - step : step) * strides[axis]!;
    for (let i = 0; i < starts.length; i++) next[i] = x[starts[i]! + shift]!;
    into(total, next);
    for (let i = 0; i < starts.length; i++) out[starts[i]! + shift] = total[i]!;
  }
}

interface ContractPlan {
  readonly order: Order;
  readonly lanes: number;
  /** For each result the offset of its first factor in both operands, and of all factors from there. */
  readonly inX: Int32Array;
  readonly inY: Int32Array;
  readonly termsX: Int32Array;
  readonly termsY: Int32Array;
  readonly total: Float64Array;
}

function planContract(spec: string, shapeX: Shape, shapeY: Shape): ContractPlan {
  const { left, right, out, rows, columns, inner } = readLabels(spec);
  const order = contractionOrder(extent(rows, left, shapeX), extent(columns, right, shapeY));
  const termsX = labelOffsets(inner, left, shapeX, right, shapeY);
  const lanes = lanesFor(order, termsX.length);
  return {
    order,
    lanes,
    inX: labelOffsets(out, left, shapeX, right, shapeY),
    inY: labelOffsets(out, right, shapeY, left, shapeX),
    termsX,
    termsY: labelOffsets(inner, right, shapeY, left, shapeX),
    total: new Float64Array(lanes),
  };
}

function contract(node: Tensor, x: TypedArray, y: TypedArray, out: TypedArray): void {
  const { dtype } = node;
  const spec = String(node.attributes.spec);
  const [shapeX, shapeY] = [node.inputs[0]!.shape, node.inputs[1]!.shape];
  const plan = planned(`contract ${spec} ${shapeX} ${shapeY}`, x.length + y.length + out.length, () =>
    planContract(spec, shapeX, shapeY),
  );
  const { order, lanes, inX, inY, termsX, termsY, total } = plan;
  for (let i = 0; i < out.length; i++) {
    total.fill(0);
    for (let begin = 0; begin < termsX.length; begin += order.lanes * order.steps) {
      const end = Math.min(termsX.length, begin + order.lanes * order.steps);
      for (let lane = 0; lane < lanes; lane++) {
        let sum = 0;
        for (let r = begin + lane; r < end; r += lanes) {
          const a = x[inX[i]! + termsX[r]!]!;
          const b = y[inY[i]! + termsY[r]!]!;
          if (dtype === "float32") sum = Math.fround(sum + Math.fround(a * b));
          else if (dtype === "int32") sum = (sum + Math.imul(a, b)) | 0;
          else sum += a * b;
        }
        total[lane] = rounded(total[lane]! + sum, dtype);
      }
    }
    for (let half = lanes >> 1; half >= 1; half >>= 1)
      for (let lane = 0; lane < half; lane++)
        total[lane] = rounded(total[lane]! + total[lane + half]!, dtype);
    out[i] = total[0]!;
  }
}

function rounded(x: number, dtype: DType): number {
  return dtype === "float32" ? Math.fround(x) : dtype === "int32" ? x | 0 : x;
}

/** The offsets in an operand labelled `own` for all indices of `letters`; letters it does not have do not move it. */
function labelOffsets(
  letters: string,
  own: string,
  shape: Shape,
  other: string,
  otherShape: Shape,
): Int32Array {
  const strides = stridesOf(shape);
  const sizes = [...letters].map((letter) =>
    own.includes(letter) ? shape[own.indexOf(letter)]! : otherShape[other.indexOf(letter)]!,
  );
  const out = new Int32Array(sizeOf(sizes));
  walk(
    sizes,
    [...letters].map((letter) => (own.includes(letter) ? strides[own.indexOf(letter)]! : 0)),
    0,
    (at, i) => {
      out[i] = at;
    },
  );
  return out;
}
