import type { DType, TypedArray } from "../dtype.ts";
import { byteSize } from "../dtype.ts";
import type { Op } from "../graph.ts";
import { Tensor } from "../graph.ts";
import { remembered } from "../memo.ts";
import { placeholder } from "../ops/leaf.ts";
import type { Order } from "../order.ts";
import { lanesFor, mostLanes, reductionOrder } from "../order.ts";
import type { Program } from "../program.ts";
import { stridesOf } from "../shape.ts";
import { Code, select } from "../wasm/assembler.ts";
import * as i32 from "../wasm/i32.ts";
import * as simd from "../wasm/simd.ts";
import type { Axis } from "./copies.ts";
import { joined } from "./copies.ts";
import type { Fold } from "./kernel.ts";
import type { Nest } from "./loops.ts";
import { NestWriter } from "./nest.ts";
import { nestsOf } from "./run.ts";
import { finish } from "./steps.ts";
import { stores } from "./words.ts";
import type { Tool, Workspace } from "./workspace.ts";
import { fixedLayout, newTool, placeFixed } from "./workspace.ts";

/** Reductions of any size, for graphs that are interpreted, in the order of `order.ts`: functions that know no shapes. */

const tools = new WeakMap<Op, Map<string, Tool | null>>();

/** Computes a reduction if one axis is reduced, or several that are one, and it is the last one or has results side by side. */
export function reduceAlong(workspace: Workspace, node: Tensor, x: TypedArray, out: TypedArray): boolean {
  const { shape } = node.inputs[0]!;
  const axes = node.attributes.axes as readonly number[];
  const bytes = byteSize(node.dtype);
  const strides = stridesOf(shape);
  // What is reduced does not move in the result, so these axes never join others.
  const outStrides = new Array<number>(shape.length).fill(0);
  for (let axis = shape.length - 1, stride = 1; axis >= 0; axis--)
    if (!axes.includes(axis)) {
      outStrides[axis] = stride;
      stride *= shape[axis]!;
    }
  const joint = joined(
    shape.map((size, i): Axis => ({ size, from: bytes * strides[i]!, to: bytes * outStrides[i]! })),
  );
  const reduced = joint.findIndex(({ to }) => to === 0);
  const kept = joint.filter(({ to }) => to > 0);
  if (reduced < 0 || kept.length < joint.length - 1 || joint.length > 3) return false;
  const { size: terms, from: termStep } = joint[reduced]!;
  const isInner = reduced === joint.length - 1;
  const order = reductionOrder(shape, axes);
  if (isInner !== (order.lanes === mostLanes) || (isInner && joint.length > 2)) return false;
  const lanes = isInner ? mostLanes : lanesFor(order, terms);
  const tool = toolFor(node, isInner, order, lanes);
  if (tool === null) return false;
  const address = workspace.addressOf(x);
  if (address < 0) return false;
  const run = workspace.run(tool);
  if (isInner) {
    run(out.byteOffset, address, out.length, bytes * terms, terms);
    return true;
  }
  const row = kept[kept.length - 1]!;
  const vectors = Math.ceil((row.size * bytes) / 16);
  // A vector may reach into the next row of results, which is computed later.
  const { size: rows, from, to } = joint.length === 3 ? joint[0]! : { size: 1, from: 0, to: 0 };
  for (let i = 0; i < rows; i++) run(out.byteOffset + i * to, address + i * from, vectors, termStep, terms);
  return true;
}

/** Null where the results do not fit into vectors, or there is no room. */
function toolFor(
  { op, attributes, dtype, inputs }: Tensor,
  isInner: boolean,
  order: Order,
  lanes: number,
): Tool | null {
  const known = remembered(tools, op, () => new Map());
  return remembered(known, `${dtype} ${isInner} ${lanes}`, () => {
    if (dtype === "bool" || inputs[0]!.dtype !== dtype) return null;
    const x = placeholder([rowsOfPattern, columnsOfPattern], dtype);
    const pattern = new Tensor(
      op,
      [x],
      { ...attributes, axes: [0], keepDims: false },
      [columnsOfPattern],
      dtype,
    );
    const [nest, ...rest] = finish(
      nestsOf({ inputs: [x], states: [], outputs: [pattern], updates: [] }),
    ).nests;
    if (!nest?.vector || nest.vector.loop >= nest.outer || rest.length > 0 || !placeFixed([nest]))
      return null;
    const writer = new ReductionWriter(nest, order, dtype);
    return newTool([isInner ? writer.inner() : writer.outer(lanes)]);
  });
}

/** A reduction whose code combines vectors of results. */
const rowsOfPattern = 64;
const columnsOfPattern = 256;

class ReductionWriter {
  readonly #code = new Code(new Array<"i32">(5).fill("i32"));
  readonly #writer: NestWriter;
  readonly #fold: Fold;
  readonly #order: Order;
  readonly #dtype: DType;
  readonly #width: number;

  constructor(nest: Nest, order: Order, dtype: DType) {
    const refuse = (_: Program): number => {
      throw new Error("what combines results has no rare case");
    };
    this.#writer = new NestWriter(this.#code, nest, {
      layout: fixedLayout,
      slow: refuse,
      relaxed: false,
      base: () => 0,
      number: 0,
    });
    this.#fold = nest.form.fold!;
    this.#order = order;
    this.#dtype = dtype;
    this.#width = nest.vector!.width;
  }

  /** `x = combine(x, y)` */
  #combine(x: number, y: number): void {
    this.#writer.inLanes(this.#width, () => this.#writer.apply(this.#fold.combine, [x, y]));
    this.#code.set(x);
  }
  #reset(locals: readonly number[]): void {
    for (const local of locals) {
      this.#writer.constant(this.#fold.identity);
      this.#code.set(local);
    }
  }
  #vectors(count: number): number[] {
    return Array.from({ length: count }, () => this.#code.take("v128"));
  }

  /** Runs `chunk`, for each run of terms that is summed by itself, with the local that holds how many terms it has. */
  #chunks(terms: number, lanes: number, chunk: (count: number) => void): void {
    const code = this.#code;
    const [rest, count] = [code.take("i32"), code.take("i32")];
    const most = lanes * this.#order.steps;
    code.get(terms).set(rest);
    code.block().get(rest).op(i32.eqz).branchIf(0).loop();
    code.i32(most).get(rest).i32(most).get(rest).op(i32.lessSigned).op(select).set(count);
    code.get(rest).get(count).op(i32.sub).set(rest);
    chunk(count);
    code.get(rest).branchIf(0).end().end();
    code.release(rest);
    code.release(count);
  }
  /** Runs `round` as often as `lanes` goes into `count`, which keeps the rest. */
  #rounds(count: number, lanes: number, round: () => void): void {
    const code = this.#code;
    code.block().get(count).i32(lanes).op(i32.lessSigned).branchIf(0).loop();
    round();
    this.#code.advance(count, -lanes);
    code.get(count).i32(lanes).op(i32.atLeastSigned).branchIf(0).end().end();
  }
  #halve(totals: readonly number[]): void {
    for (let half = totals.length >> 1; half >= 1; half >>= 1)
      for (let lane = 0; lane < half; lane++) this.#combine(totals[lane]!, totals[lane + half]!);
  }

  /** `(out, x, vectors, termStep, terms)`: neighbouring results, whose terms are so many bytes apart. */
  outer(lanes: number): Code {
    const code = this.#code;
    const [out, x, vectors, step, terms] = [0, 1, 2, 3, 4] as const;
    const [totals, sums] = [this.#vectors(lanes), this.#vectors(lanes)];
    const value = code.take("v128");
    const from = code.take("i32");
    const absorb = (sum: number) => {
      code.get(from).vectorMemory(simd.load, 0, 0).set(value);
      this.#combine(sum, value);
      this.#code.advance(from, { local: step });
    };
    code.loop();
    code.get(x).set(from);
    this.#reset(totals);
    this.#chunks(terms, lanes, (count) => {
      this.#reset(sums);
      this.#rounds(count, lanes, () => sums.forEach(absorb));
      code.block();
      for (const sum of sums.slice(0, -1)) {
        code.get(count).op(i32.eqz).branchIf(0);
        absorb(sum);
        this.#code.advance(count, -1);
      }
      code.end();
      for (const [i, total] of totals.entries()) this.#combine(total, sums[i]!);
    });
    this.#halve(totals);
    code.get(out).get(totals[0]!).vectorMemory(simd.store, 0, 0);
    this.#code.advance(out, 16);
    this.#code.advance(x, 16);
    code.get(vectors).i32(1).op(i32.sub).tee(vectors).branchIf(0).end();
    return code;
  }

  /** `(out, x, rows, rowStep, terms)`: the terms of one result lie side by side, the lanes of its sum in vectors. */
  inner(): Code {
    const code = this.#code;
    const width = this.#width;
    const [out, x, rows, step, terms] = [0, 1, 2, 3, 4] as const;
    const [totals, sums] = [this.#vectors(mostLanes / width), this.#vectors(mostLanes / width)];
    const value = code.take("v128");
    const from = code.take("i32");
    const load = (v: number) => code.get(from).vectorMemory(simd.load, 0, 16 * v);
    code.loop();
    code.get(x).set(from);
    this.#reset(totals);
    this.#chunks(terms, mostLanes, (count) => {
      this.#reset(sums);
      this.#rounds(count, mostLanes, () => {
        sums.forEach((sum, v) => {
          load(v).set(value);
          this.#combine(sum, value);
        });
        this.#code.advance(from, 16 * sums.length);
      });
      // Lanes beyond the last term are combined with the identity, which changes nothing.
      code.get(count).if(null);
      sums.forEach((sum, v) => {
        load(v);
        this.#writer.constant(this.#fold.identity);
        code.v128(Array.from({ length: 4 }, (_, lane) => v * width + Math.floor((lane * width) / 4)));
        code.get(count).vector(simd.splatInt32).vector(lessSignedInt32).vector(simd.bitselect).set(value);
        this.#combine(sum, value);
      });
      code.end();
      for (const [i, total] of totals.entries()) this.#combine(total, sums[i]!);
    });
    this.#halve(totals);
    for (let half = width >> 1; half >= 1; half >>= 1) {
      const bytes = (half * 16) / width;
      code.get(totals[0]!).get(totals[0]!);
      code.shuffle(Array.from({ length: 16 }, (_, i) => (i + bytes) % 16)).set(value);
      this.#combine(totals[0]!, value);
    }
    code.get(out).get(totals[0]!).lane(extract[this.#dtype], 0).memory(stores[this.#dtype], 0);
    this.#code.advance(out, 16 / width);
    this.#code.advance(x, { local: step });
    code.get(rows).i32(1).op(i32.sub).tee(rows).branchIf(0).end();
    return code;
  }
}

const lessSignedInt32 = 0x39;
const extract: Record<DType, number> = {
  bool: simd.extractInt32,
  int32: simd.extractInt32,
  float32: simd.extractFloat32,
  float64: simd.extractFloat64,
};
