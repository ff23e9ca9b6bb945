import type { Body } from "./arithmetic.ts";
import type { DType, TypedArray } from "./dtype.ts";
import { allocate, dtypeOf, dtypes } from "./dtype.ts";
import { StateError } from "./errors.ts";
import type { Elements, IndexMap, Kernel, Tensor, Topology } from "./graph.ts";
import { elementsOf, siteOf } from "./graph.ts";
import { extent, readLabels } from "./labels.ts";
import { Machine } from "./machine.ts";
import { checkWithin } from "./ops/indexing.ts";
import type { Order } from "./order.ts";
import { contractionOrder, reductionOrder } from "./order.ts";
import { trace } from "./program.ts";
import type { Shape } from "./shape.ts";
import { sizeOf, stridesOf } from "./shape.ts";

/**
 * The reference interpreter: the meaning of a graph, one node after the other, written to be read. Compiled code must
 * agree with it to the bit.
 *
 * Returns the elements of every node in `keep` (numbers of `order`). Other values are dropped after their last use, and
 * their memory serves later nodes. A leaf with an edge takes the value that the edge leads to (a pending variable).
 */
export function interpret({ nodes, starts, edges }: Topology, keep: readonly number[]): TypedArray[] {
  const values = new Array<TypedArray | null>(nodes.length).fill(null);
  const uses = new Int32Array(nodes.length);
  for (const input of edges) uses[input]!++;
  // Values that somebody holds, now or later, are never used again for something else.
  const owned = new Uint8Array(nodes.length);
  for (const n of keep) uses[n]!++;
  const free = new Pool();
  for (let n = 0; n < nodes.length; n++) {
    const node = nodes[n]!;
    const held = elementsOf(node);
    const first = starts[n]!;
    if (held) values[n] = held;
    else if (starts[n + 1]! > first && isAlias(node.op.kernel, node, values[edges[first]!]!)) {
      values[n] = values[edges[first]!]!;
      owned[edges[first]!] = 0;
    } else {
      const inputs: Elements[] = [];
      for (let k = first; k < starts[n + 1]!; k++)
        inputs.push({ shape: nodes[edges[k]!]!.shape, data: values[edges[k]!]! });
      const out = free.take(node.dtype, sizeOf(node.shape));
      compute(node, inputs, { shape: node.shape, data: out });
      values[n] = out;
      owned[n] = 1;
    }
    for (let k = first; k < starts[n + 1]!; k++) {
      const input = edges[k]!;
      if (--uses[input]! > 0) continue;
      if (owned[input]) free.give(nodes[input]!.dtype, values[input]!);
      values[input] = null;
    }
  }
  return keep.map((n) => values[n]!);
}

/** Does this node have the very elements of its operand: a reshape, or a leaf that waits for a value? */
function isAlias(kernel: Kernel, node: Tensor, operand: TypedArray): boolean {
  if (kernel.kind === "leaf") return true;
  if (kernel.kind !== "view" || operand.length !== sizeOf(node.shape)) return false;
  const { offset, strides, bounds } = kernel.map(node.inputs[0]!.shape, node.attributes);
  const own = stridesOf(node.shape);
  return (
    offset === 0 && bounds === null && strides.every((stride, i) => stride === own[i] || node.shape[i] === 1)
  );
}

/** Arrays that are no longer needed, by dtype and size. */
class Pool {
  readonly #arrays: Record<DType, Map<number, TypedArray[]>> = {
    float32: new Map(),
    float64: new Map(),
    int32: new Map(),
    bool: new Map(),
  };
  take(dtype: DType, size: number): TypedArray {
    return this.#arrays[dtype].get(size)?.pop() ?? allocate(dtype, size);
  }
  give(dtype: DType, array: TypedArray): void {
    const list = this.#arrays[dtype].get(array.length);
    if (list) list.push(array);
    else this.#arrays[dtype].set(array.length, [array]);
  }
}

/** Writes the elements of `node` to `out`. */
function compute(node: Tensor, inputs: readonly Elements[], out: Elements): void {
  const { attributes } = node;
  const { kernel } = node.op;
  switch (kernel.kind) {
    case "leaf":
      return computeLeaf(kernel.source, node, out.data);
    case "pointwise":
      return pointwise(kernel.body, inputs, out.data, node.dtype);
    case "view":
      return read(inputs[0]!, kernel.map(inputs[0]!.shape, attributes), out);
    case "concatenate":
      return concatenate(inputs, Number(attributes.axis), out);
    case "gather":
      return gather(node, inputs[0]!, inputs[1]!, out);
    case "scatter":
      return scatter(node, inputs[0]!, inputs[1]!, out);
    case "reduce":
      return reduce(node, kernel.combine, kernel.identity(node.dtype), inputs[0]!, out.data);
    case "scan":
      return scan(node, kernel.combine, kernel.identity(node.dtype), inputs[0]!, out.data);
    case "contract":
      return contract(String(attributes.spec), inputs[0]!, inputs[1]!, out.data, node.dtype);
    case "opaque":
      return kernel.run(inputs, out, attributes);
    default:
      kernel satisfies never;
  }
}

function computeLeaf(source: "data" | "fill" | "iota", node: Tensor, out: TypedArray): void {
  if (source === "fill") out.fill(Number(node.attributes.value));
  else if (source === "iota") for (let i = 0; i < out.length; i++) out[i] = i;
  else throw new StateError(`the value of ${node.label ?? "a leaf"} was never set`);
}

const machines = new WeakMap<Body, Map<number, Machine>>();

/** The machine of a body for these dtypes; each is made once. */
function machineOf(body: Body, inputs: readonly DType[], dtype: DType): Machine {
  let known = machines.get(body);
  if (!known) machines.set(body, (known = new Map()));
  let key = dtypes.indexOf(dtype);
  for (const input of inputs) key = key * 5 + 1 + dtypes.indexOf(input);
  let machine = known.get(key);
  if (!machine) known.set(key, (machine = new Machine(trace(body, inputs, dtype))));
  return machine;
}

function pointwise(body: Body, inputs: readonly Elements[], out: TypedArray, dtype: DType): void {
  const arrays = inputs.map((x) => x.data);
  machineOf(body, arrays.map(dtypeOf), dtype).run(arrays, out.length, out);
}

/** `combine` over arrays: `out[i] = combine(out[i], x[i])`. */
function combiner(body: Body, dtype: DType): (out: TypedArray, x: TypedArray) => void {
  const machine = machineOf(body, [dtype, dtype], dtype);
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

function read(x: Elements, { offset, strides, bounds }: IndexMap, out: Elements): void {
  if (!bounds) {
    walk(out.shape, strides, offset, (at, i) => {
      out.data[i] = x.data[at]!;
    });
    return;
  }
  const outStrides = stridesOf(out.shape);
  out.data.fill(0);
  const inner = bounds.map(([from, to]) => to - from);
  const start = bounds.reduce((sum, [from], axis) => sum + from * outStrides[axis]!, 0);
  const places: number[] = [];
  walk(inner, outStrides, start, (at) => places.push(at));
  const first = bounds.reduce((sum, [from], axis) => sum + from * strides[axis]!, offset);
  walk(inner, strides, first, (at, i) => {
    out.data[places[i]!] = x.data[at]!;
  });
}

function concatenate(inputs: readonly Elements[], axis: number, out: Elements): void {
  const strides = stridesOf(out.shape);
  let start = 0;
  for (const { shape, data } of inputs) {
    walk(shape, strides, start * strides[axis]!, (at, i) => {
      out.data[at] = data[i]!;
    });
    start += shape[axis]!;
  }
}

function gather(node: Tensor, x: Elements, index: Elements, out: Elements): void {
  const axis = Number(node.attributes.axis);
  const strides = stridesOf(x.shape);
  const others = strides.map((stride, i) => (i === axis ? 0 : stride));
  walk(out.shape, others, 0, (at, i) => {
    const place = index.data[i]!;
    checkWithin("gather", place, x.shape[axis]!, axis, site(node));
    out.data[i] = x.data[at + place * strides[axis]!]!;
  });
}

function scatter(node: Tensor, x: Elements, index: Elements, out: Elements): void {
  const axis = Number(node.attributes.axis);
  const strides = stridesOf(out.shape);
  const others = strides.map((stride, i) => (i === axis ? 0 : stride));
  out.data.fill(0);
  walk(x.shape, others, 0, (at, i) => {
    const place = index.data[i]!;
    checkWithin("scatterAdd", place, out.shape[axis]!, axis, site(node));
    out.data[at + place * strides[axis]!]! += x.data[i]!;
  });
}

function site(node: Tensor): string {
  const line = siteOf(node);
  return line === null ? "" : `; made ${line.trim()}`;
}

/** Reduces along the axes in the order of `order.ts`, all results at once: lanes are rows of `lane[l * size + result]`. */
function reduce(node: Tensor, combine: Body, identity: number, x: Elements, out: TypedArray): void {
  const axes = node.attributes.axes as readonly number[];
  const order = reductionOrder(x.shape, axes);
  const strides = stridesOf(x.shape);
  const kept = x.shape.map((_, i) => i).filter((i) => !axes.includes(i));
  const starts = offsets(kept, x.shape, strides);
  const terms = offsets(axes, x.shape, strides);
  const into = combiner(combine, node.dtype);
  const lanes = lanesFor(order, terms.length);
  const size = out.length;
  const total = allocate(node.dtype, lanes * size).fill(identity);
  const chunk = allocate(node.dtype, lanes * size);
  const next = allocate(node.dtype, lanes * size);
  for (let begin = 0; begin < terms.length; begin += order.lanes * order.steps) {
    chunk.fill(identity);
    const end = Math.min(terms.length, begin + order.lanes * order.steps);
    for (let r = begin; r < end; r += lanes) {
      for (let lane = 0; lane < lanes; lane++)
        for (let i = 0; i < size; i++)
          next[lane * size + i] = r + lane < end ? x.data[starts[i]! + terms[r + lane]!]! : identity;
      into(chunk, next);
    }
    into(total, chunk);
  }
  for (let half = lanes >> 1; half >= 1; half >>= 1)
    into(total.subarray(0, half * size), total.subarray(half * size, 2 * half * size));
  out.set(total.subarray(0, size));
}

/** Lanes beyond the number of terms would hold nothing but the identity: they are left out. */
function lanesFor({ lanes }: Order, terms: number): number {
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

function scan(node: Tensor, combine: Body, identity: number, x: Elements, out: TypedArray): void {
  const axis = Number(node.attributes.axis);
  const strides = stridesOf(x.shape);
  const starts = offsets(
    x.shape.map((_, i) => i).filter((i) => i !== axis),
    x.shape,
    strides,
  );
  const into = combiner(combine, node.dtype);
  const total = allocate(node.dtype, starts.length).fill(identity);
  const next = allocate(node.dtype, starts.length);
  const size = x.shape[axis]!;
  for (let step = 0; step < size; step++) {
    const shift = (node.attributes.reverse ? size - 1 - step : step) * strides[axis]!;
    for (let i = 0; i < starts.length; i++) next[i] = x.data[starts[i]! + shift]!;
    into(total, next);
    for (let i = 0; i < starts.length; i++) out[starts[i]! + shift] = total[i]!;
  }
}

function contract(spec: string, x: Elements, y: Elements, out: TypedArray, dtype: DType): void {
  const labels = readLabels(spec);
  const order = contractionOrder(
    extent(labels.rows, labels.left, x.shape),
    extent(labels.columns, labels.right, y.shape),
  );
  const inX = labelOffsets(labels.out, labels.left, x.shape, labels.right, y.shape);
  const inY = labelOffsets(labels.out, labels.right, y.shape, labels.left, x.shape);
  const termsX = labelOffsets(labels.inner, labels.left, x.shape, labels.right, y.shape);
  const termsY = labelOffsets(labels.inner, labels.right, y.shape, labels.left, x.shape);
  const lanes = lanesFor(order, termsX.length);
  const round =
    dtype === "float32"
      ? Math.fround
      : dtype === "int32"
        ? (value: number) => value | 0
        : (value: number) => value;
  const product = dtype === "int32" ? Math.imul : (a: number, b: number) => round(a * b);
  const total = new Float64Array(lanes);
  for (let i = 0; i < out.length; i++) {
    total.fill(0);
    for (let begin = 0; begin < termsX.length; begin += order.lanes * order.steps) {
      const end = Math.min(termsX.length, begin + order.lanes * order.steps);
      for (let lane = 0; lane < lanes; lane++) {
        let sum = 0;
        for (let r = begin + lane; r < end; r += lanes)
          sum = round(sum + product(x.data[inX[i]! + termsX[r]!]!, y.data[inY[i]! + termsY[r]!]!));
        total[lane] = round(total[lane]! + sum);
      }
    }
    for (let half = lanes >> 1; half >= 1; half >>= 1)
      for (let lane = 0; lane < half; lane++) total[lane] = round(total[lane]! + total[lane + half]!);
    out[i] = total[0]!;
  }
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
