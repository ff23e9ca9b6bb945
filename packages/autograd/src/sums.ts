import type { Body } from "./arithmetic.ts";
import type { DType, TypedArray } from "./dtype.ts";
import { allocate } from "./dtype.ts";
import type { Tensor } from "./graph.ts";
import { extent, labelOffsets, readLabels } from "./labels.ts";
import { machineOfTwo } from "./machine.ts";
import type { Order } from "./order.ts";
import { contractionOrder, lanesFor, mostLanes, reductionOrder } from "./order.ts";
import type { Shape } from "./shape.ts";
import { offsetsOf, stridesOf } from "./shape.ts";

/** The kernels that combine many elements into one, in the one order of `order.ts`: reductions, scans and contractions. */

/** `combine` over arrays: `out[i] = combine(out[i], x[i])`. */
function combiner(body: Body, dtype: DType): (out: TypedArray, x: TypedArray) => void {
  const machine = machineOfTwo(body, dtype);
  return machine.only === "add" ? addTo : (out, x) => machine.run([out, x], out.length, out);
}

/** Arrays round what is stored, which is all that a sum needs. */
function addTo(out: TypedArray, x: TypedArray): void {
  for (let i = 0; i < out.length; i++) out[i]! += x[i]!;
}

/**
 * What kernels work out from shapes alone, kept for the next time: in a small graph it would take longer than the
 * computation. Large plans are not kept, and all are dropped when there are many.
 */
const plans = new Map<string, unknown>();
const mostPlans = 512;
const largestPlan = 16_384;

export function planned<T>(key: string, size: number, make: () => T): T {
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
export function reduce(node: Tensor, combine: Body, identity: number, x: TypedArray, out: TypedArray): void {
  const { shape } = node.inputs[0]!;
  const axes = node.attributes.axes as readonly number[];
  const plan = planned(`reduce ${node.dtype} ${shape} over ${axes}`, x.length, () =>
    planReduce(shape, axes, node.dtype),
  );
  const { order, lanes, starts, terms, total, chunk, next } = plan;
  const into = combiner(combine, node.dtype);
  if (into === addTo && lanes === mostLanes) {
    sumOneByOne(plan, x, out);
    return;
  }
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

/** Sums along the innermost axis: the terms of one result lie side by side. */
function sumOneByOne(
  { order, starts, terms, total, chunk }: ReducePlan,
  x: TypedArray,
  out: TypedArray,
): void {
  for (let i = 0; i < out.length; i++) {
    const start = starts[i]!;
    total.fill(0, 0, mostLanes);
    for (let begin = 0; begin < terms.length; begin += mostLanes * order.steps) {
      chunk.fill(0, 0, mostLanes);
      const end = Math.min(terms.length, begin + mostLanes * order.steps);
      const whole = end - ((end - begin) % mostLanes);
      for (let r = begin; r < whole; r += mostLanes)
        for (let lane = 0; lane < mostLanes; lane++) chunk[lane]! += x[start + terms[r + lane]!]!;
      for (let r = whole; r < end; r++) chunk[r - whole]! += x[start + terms[r]!]!;
      for (let lane = 0; lane < mostLanes; lane++) total[lane]! += chunk[lane]!;
    }
    for (let half = mostLanes >> 1; half >= 1; half >>= 1)
      for (let lane = 0; lane < half; lane++) total[lane]! += total[lane + half]!;
    out[i] = total[0]!;
  }
}

/** The offsets of all indices along `axes`, row by row. */
function offsets(axes: readonly number[], shape: Shape, strides: readonly number[]): Int32Array {
  const [sizes, steps] = [shape, strides].map((list) => axes.map((axis) => list[axis]!));
  return offsetsOf(sizes!, steps!);
}

export function scan(node: Tensor, combine: Body, identity: number, x: TypedArray, out: TypedArray): void {
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

/** Results that are summed side by side: one sum alone would wait for itself at each step. */
const together = 4;

interface ContractPlan {
  readonly order: Order;
  readonly lanes: number;
  /** For each result the offset of its first factor in both operands, and of all factors from there. */
  readonly inX: Int32Array;
  readonly inY: Int32Array;
  readonly termsX: Int32Array;
  readonly termsY: Int32Array;
  /** The sums of the lanes, `together` results side by side, and of a part of one lane. */
  readonly total: Float64Array;
  readonly sums: Float64Array;
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
    total: new Float64Array(lanes * together),
    sums: new Float64Array(together),
  };
}

export function contract(node: Tensor, x: TypedArray, y: TypedArray, out: TypedArray): void {
  const { dtype } = node;
  const spec = String(node.attributes.spec);
  const [shapeX, shapeY] = [node.inputs[0]!.shape, node.inputs[1]!.shape];
  const plan = planned(`contract ${spec} ${shapeX} ${shapeY}`, x.length + y.length + out.length, () =>
    planContract(spec, shapeX, shapeY),
  );
  const { order, lanes, total, sums } = plan;
  const terms = plan.termsX.length;
  const add = dtype === "float32" ? addFloats : dtype === "int32" ? addIntegers : addDoubles;
  for (let i = 0; i < out.length; i += together) {
    total.fill(0);
    for (let begin = 0; begin < terms; begin += order.lanes * order.steps) {
      const end = Math.min(terms, begin + order.lanes * order.steps);
      for (let lane = 0; lane < lanes; lane++) {
        add(plan, i, x, y, begin + lane, end);
        for (let k = 0; k < together; k++)
          total[lane * together + k] = rounded(total[lane * together + k]! + sums[k]!, dtype);
      }
    }
    for (let half = lanes >> 1; half >= 1; half >>= 1)
      for (let k = 0; k < half * together; k++)
        total[k] = rounded(total[k]! + total[k + half * together]!, dtype);
    for (let k = 0; k < together && i + k < out.length; k++) out[i + k] = total[k]!;
  }
}

/** Adds up, for `together` results from `i` on, every term of a lane from `begin` on, into `sums`. */
type Add = (plan: ContractPlan, i: number, x: TypedArray, y: TypedArray, begin: number, end: number) => void;

/** `add` for each result; beyond the last there are none. */
function oneByOne(add: (sum: number, a: number, b: number) => number): Add {
  return ({ lanes, inX, inY, termsX, termsY, sums }, i, x, y, begin, end) => {
    for (let k = 0; k < together && i + k < inX.length; k++) {
      let sum = 0;
      for (let r = begin; r < end; r += lanes)
        sum = add(sum, x[inX[i + k]! + termsX[r]!]!, y[inY[i + k]! + termsY[r]!]!);
      sums[k] = sum;
    }
  };
}

const addDoubles = oneByOne((sum, a, b) => sum + a * b);
const addIntegers = oneByOne((sum, a, b) => (sum + Math.imul(a, b)) | 0);

const addFloats: Add = ({ lanes, inX, inY, termsX, termsY, sums }, i, x, y, begin, end) => {
  // Beyond the last result the last one is summed again.
  const last = inX.length - 1;
  const [i1, i2, i3] = [Math.min(i + 1, last), Math.min(i + 2, last), Math.min(i + 3, last)];
  const [x0, x1, x2, x3] = [inX[i]!, inX[i1]!, inX[i2]!, inX[i3]!];
  const [y0, y1, y2, y3] = [inY[i]!, inY[i1]!, inY[i2]!, inY[i3]!];
  let [a, b, c, d] = [0, 0, 0, 0];
  for (let r = begin; r < end; r += lanes) {
    const p = termsX[r]!;
    const q = termsY[r]!;
    a = Math.fround(a + Math.fround(x[x0 + p]! * y[y0 + q]!));
    b = Math.fround(b + Math.fround(x[x1 + p]! * y[y1 + q]!));
    c = Math.fround(c + Math.fround(x[x2 + p]! * y[y2 + q]!));
    d = Math.fround(d + Math.fround(x[x3 + p]! * y[y3 + q]!));
  }
  sums[0] = a;
  sums[1] = b;
  sums[2] = c;
  sums[3] = d;
};

function rounded(x: number, dtype: DType): number {
  return dtype === "float32" ? Math.fround(x) : dtype === "int32" ? x | 0 : x;
}
