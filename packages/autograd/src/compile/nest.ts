import { byteSize } from "../dtype.ts";
import type { Tensor } from "../graph.ts";
import type { Program } from "../program.ts";
import { sizeOf } from "../shape.ts";
import type { Code, ValueType } from "./assembler.ts";
import type { Pick, Scalar } from "./kernel.ts";
import { scalarsOf } from "./kernel.ts";
import { simd, vectorWord } from "./lanes.ts";
import type { Nest, Place } from "./loops.ts";
import { strideOf, varying } from "./loops.ts";
import type { Layout } from "./plan.ts";
import { errorBytes } from "./plan.ts";
import { BodyWriter } from "./scalars.ts";
import { pushLane, VectorWriter, vectorConstant } from "./vectors.ts";
import { constant, i32, loads, stores, valueType, word } from "./words.ts";

/** Where a number is found: it is known, or lies in a local. */
export type Known = number | { readonly local: number };

/** What a nest needs to know of the program around it. */
export interface Setting {
  readonly layout: Layout;
  /** The number of the function that computes the slow side of a `rare`. */
  slow(program: Program): number;
  /** The first byte of the elements of a node. */
  base(x: Tensor): Known;
  /** The number of the nest, which a check that fails leaves behind. */
  readonly number: Known;
}

/** Writes the code of one nest: its loops, and its body at each index. */
export class NestWriter {
  readonly code: Code;
  readonly nest: Nest;
  readonly layout: Layout;
  readonly #setting: Setting;
  /** The local of each walk that loops advance. */
  readonly #walks: (number | null)[];
  /** How far each walk has gone in loops that are written out. */
  readonly #shifts: number[];
  /** Walks that go backwards may be negative, which the addresses of loads must not be. */
  readonly #backward: boolean[];
  /** The scalars that differ from lane to lane. */
  readonly #varying: readonly boolean[];
  /** How many lanes count in what is being written; 1 where elements are computed one by one. */
  #active = 1;

  constructor(code: Code, nest: Nest, setting: Setting) {
    this.code = code;
    this.nest = nest;
    this.layout = setting.layout;
    this.#setting = setting;
    this.#shifts = nest.walks.map(() => 0);
    this.#backward = nest.walks.map((steps) => steps.some((step) => step < 0));
    this.#varying = nest.vector ? varying(nest, nest.vector.loop) : [];
    const looped = (loop: number) => !(loop < nest.outer ? nest.unrolled.results : nest.unrolled.terms);
    this.#walks = nest.walks.map((steps) =>
      steps.some((step, loop) => step !== 0 && looped(loop)) ? code.take("i32") : null,
    );
  }

  /** Runs `result`, which computes one result, at all indices of the loops over results, or of the first of them. */
  results(result: () => void, outer: number = this.nest.outer): void {
    const code = this.code;
    for (const local of this.#walks) if (local !== null) code.i32(0).set(local);
    this.loop(0, outer, result);
    for (const local of this.#walks) if (local !== null) code.release(local);
  }

  // Loops.

  /** Runs `body` at all indices of the loops from `from` up to `to`; the last one goes fastest. */
  loop(from: number, to: number, body: () => void): void {
    if (from === to) {
      body();
      return;
    }
    const { counts, outer, unrolled, vector } = this.nest;
    const count = counts[from]!;
    const isUnrolled = from < outer ? unrolled.results : unrolled.terms;
    const rounds = (number: number, at: number) => {
      const step = (walk: number) => at * this.nest.walks[walk]![from]!;
      if (isUnrolled)
        for (let i = 0; i < number; i++) {
          this.loop(from + 1, to, body);
          this.shift(step);
        }
      else
        this.times(number, () => {
          this.loop(from + 1, to, body);
          this.advance((walk) => step(walk) - this.#travelled(walk, from + 1));
        });
    };
    if (vector?.loop !== from) rounds(count, 1);
    else {
      const { width, overruns } = vector;
      const rest = overruns ? 0 : count % width;
      this.inLanes(width, () => rounds((this.#covered(from) - rest) / width, width));
      if (rest > 0) this.inLanes(rest, () => rounds(1, rest));
    }
    if (isUnrolled) this.shift((walk) => -this.#covered(from) * this.nest.walks[walk]![from]!);
  }

  /** Rounds of a loop, counting those that vectors run beyond its end. */
  #covered(loop: number): number {
    const { counts, vector } = this.nest;
    const count = counts[loop]!;
    if (vector?.loop !== loop || !vector.overruns) return count;
    return Math.ceil(count / vector.width) * vector.width;
  }

  /** How far a walk has gone when the loops from `from` on are done. */
  #travelled(walk: number, from: number): number {
    const { counts, outer, unrolled, walks, kernel } = this.nest;
    // The inner loops of a product move addresses of their own.
    if (kernel.kind === "product" && from >= outer - 2) return 0;
    if (from >= counts.length || (from < outer ? unrolled.results : unrolled.terms)) return 0;
    return this.#covered(from) * walks[walk]![from]!;
  }

  times(count: number, body: () => void): void {
    if (count <= 1) {
      if (count === 1) body();
      return;
    }
    const code = this.code;
    const counter = code.take("i32");
    code.i32(0).set(counter).loop();
    body();
    code.get(counter).i32(1).op(i32.add).tee(counter).i32(count).op(i32.ne).branchIf(0).end();
    code.release(counter);
  }

  shift(by: (walk: number) => number): void {
    this.#shifts.forEach((shift, walk) => {
      this.#shifts[walk] = shift + by(walk);
    });
  }

  advance(by: (walk: number) => number): void {
    this.#walks.forEach((local, walk) => {
      const step = by(walk);
      if (local !== null && step !== 0) this.code.get(local).i32(step).op(i32.add).set(local);
    });
  }

  // Places.

  /** Pushes the address of the place of scalar `i`, or of the target (-1). */
  pushAddress(i: number): void {
    const rest = i < 0 ? this.#addressOfTarget() : this.#addressOf(i);
    if (rest !== 0) this.code.i32(rest).op(i32.add);
  }

  #addressOf(i: number): number {
    return this.#address(this.nest.places[i]!, this.#setting.base(this.nest.kernel.body[i]!.source!));
  }
  #addressOfTarget(): number {
    return this.#address(this.nest.target, this.#setting.base(this.nest.kernel.node));
  }

  /** Pushes the moving part of a place; what it returns is constant and not negative. */
  #address({ walk, offset }: Place, base: Known): number {
    const code = this.code;
    const known = typeof base === "number" ? base : 0;
    const total = known + offset + (walk < 0 ? 0 : this.#shifts[walk]!);
    const local = walk < 0 ? null : this.#walks[walk]!;
    if (typeof base !== "number") code.get(base.local);
    if (local !== null) {
      code.get(local);
      if (typeof base !== "number") code.op(i32.add);
    } else if (typeof base === "number") {
      code.i32(total);
      return 0;
    }
    if (total >= 0 && !(walk >= 0 && this.#backward[walk])) return total;
    code.i32(total).op(i32.add);
    return 0;
  }

  #check(local: number, { size }: Pick): void {
    const code = this.code;
    code.get(local).i32(size).op(i32.lessUnsigned).op(i32.eqz).if(null);
    code.i32(0);
    const { number } = this.#setting;
    if (typeof number === "number") code.i32(number + 1);
    else code.get(number.local);
    code.memory(...stores.int32, 0);
    code
      .i32(0)
      .get(local)
      .memory(...stores.int32, 4)
      .unreachable()
      .end();
  }

  // Bodies.

  /** Writers of the body, and of what combines results, by how many lanes count. */
  readonly #bodies = new Map<number, BodyWriter>();
  readonly #combines = new Map<number, BodyWriter>();

  #writer(): BodyWriter {
    const { body, result, pick, kind } = this.nest.kernel;
    const results = kind === "scatter" ? [result, pick!.index] : [result];
    return remembered(this.#bodies, this.#active, () =>
      this.#newWriter(body, results, kind === "scatter" ? [pick!.index] : []),
    );
  }

  #newWriter(body: readonly Scalar[], results: readonly number[], indices: readonly number[]): BodyWriter {
    const { places, vector } = this.nest;
    const around = {
      layout: this.layout,
      indices,
      slow: this.#setting.slow,
      index: (i: number) => {
        const rest = this.#address(places[i]!, 0);
        if (rest !== 0) this.code.i32(rest).op(i32.add);
      },
      address: (i: number) => this.#addressOf(i),
      check: (local: number, pick: Pick) => this.#check(local, pick),
    };
    if (!vector) return new BodyWriter(this.code, body, results, around);
    const lanes = {
      width: vector.width,
      active: this.#active,
      stride: (i: number) => strideOf(this.nest, places[i]!, vector.loop),
      varies: (i: number) => this.#varying[i]!,
    };
    return new VectorWriter(this.code, body, results, { ...around, ...lanes });
  }

  /** Computes the body and stores its result. */
  map(): void {
    const { kernel, vector } = this.nest;
    if (vector) {
      const local = this.code.take("v128");
      this.evaluate(local);
      this.storeLocal(local);
      this.code.release(local);
      return;
    }
    const writer = this.#writer();
    writer.prepare();
    const offset = this.#addressOfTarget();
    writer.push(kernel.result);
    this.code.memory(...stores[kernel.node.dtype], offset);
    writer.release();
  }

  /** Writes `f` for so many lanes. */
  inLanes(active: number, f: () => void): void {
    const before = this.#active;
    this.#active = active;
    f();
    this.#active = before;
  }

  /** Computes the body into a local. */
  evaluate(into: number): void {
    const { kernel } = this.nest;
    const writer = this.#writer();
    writer.prepare();
    writer.push(kernel.result);
    this.code.set(into);
    writer.release();
  }

  /** Stores a local at the target: of a vector along the results the lanes that count, of one along the terms the first. */
  storeLocal(local: number): void {
    const { kernel, vector, outer } = this.nest;
    const { dtype } = kernel.node;
    const code = this.code;
    const address = () => this.#addressOfTarget();
    if (!vector) {
      const offset = address();
      code.get(local).memory(...stores[dtype], offset);
    } else if (vector.loop < outer) this.#storeLanes(local, address);
    else {
      const offset = address();
      pushLane(code, local, 0, dtype, vector.width).memory(...stores[dtype], offset);
    }
  }

  #storeLanes(local: number, address: () => number): void {
    const { dtype } = this.nest.kernel.node;
    const { width } = this.nest.vector!;
    const code = this.code;
    const active = this.#active;
    const stride = strideOf(this.nest, this.nest.target, this.nest.vector!.loop);
    if (dtype === "bool" || stride !== byteSize(dtype)) {
      for (let lane = 0; lane < active; lane++) {
        const offset = address() + lane * stride;
        pushLane(code, local, lane, dtype, width).memory(...stores[dtype], offset);
      }
      return;
    }
    const offset = address();
    code.get(local);
    if (active === width) code.vectorMemory(simd.store, width === 4 ? 2 : 3, offset);
    else if (width === 2) code.vectorMemory(simd.store64Lane, 3, offset, 0);
    else if (active === 1) code.vectorMemory(simd.store32Lane, 2, offset, 0);
    else {
      code.vectorMemory(simd.store64Lane, 2, offset, 0);
      if (active === 3) {
        const third = address() + 8;
        code.get(local).vectorMemory(simd.store32Lane, 2, third, 2);
      }
    }
  }

  /** The type of locals that hold results. */
  get type(): ValueType {
    return this.nest.vector ? "v128" : valueType(this.nest.kernel.node.dtype);
  }

  /** Pushes a number in every lane. */
  constant(value: number): void {
    const { dtype } = this.nest.kernel.node;
    const { vector } = this.nest;
    if (vector) vectorConstant(this.code, this.layout.splats, value, dtype, vector.width);
    else constant(this.code, value, dtype);
  }

  /** Leaves the result of a program on the stack whose inputs are locals. */
  apply(program: Program, inputs: readonly number[]): void {
    const writer = remembered(this.#combines, this.#active, () =>
      this.#newWriter(scalarsOf(program), [program.result], []),
    );
    writer.prepare(inputs);
    writer.push(program.result);
    writer.release();
  }

  /** Puts zeros in place of all results. */
  clear(): void {
    const { node } = this.nest.kernel;
    const bytes = sizeOf(node.shape) * byteSize(node.dtype);
    const base = this.#setting.base(node);
    if (typeof base === "number") this.code.i32(base);
    else this.code.get(base.local);
    this.code.i32(0).i32(bytes).fillMemory();
  }

  /** Adds the result of the body to the element that an index picks. */
  scatter(): void {
    const { node, pick, result } = this.nest.kernel;
    const code = this.code;
    const writer = this.#writer();
    writer.prepare();
    const index = code.take("i32");
    code.get(writer.localOf(pick!.index));
    if (this.nest.vector) code.lane(simd.extractInt32, 0);
    code.set(index);
    this.#check(index, pick!);
    const address = code.take("i32");
    const offset = this.#addressOfTarget();
    code
      .get(index)
      .i32(pick!.stride * byteSize(node.dtype))
      .op(i32.mul)
      .op(i32.add)
      .tee(address);
    const { vector } = this.nest;
    const { dtype } = node;
    if (vector) {
      const sum = code.take("v128");
      const load = () => code.get(address).vectorMemory(simd.load, vector.width === 4 ? 2 : 3, offset);
      vectorWord(code, "add", dtype, dtype, [load, () => writer.push(result)], null);
      code.set(sum).op(drop);
      this.#storeLanes(sum, () => {
        code.get(address);
        return offset;
      });
      code.release(sum);
    } else {
      word(code, "add", dtype, dtype, [
        () => code.get(address).memory(...loads[dtype], offset),
        () => writer.push(result),
      ]);
      code.memory(...stores[dtype], offset);
    }
    for (const local of [address, index]) code.release(local);
    writer.release();
  }
}

const drop = 0x1a;

function remembered<T>(known: Map<number, T>, key: number, make: () => T): T {
  let found = known.get(key);
  if (found === undefined) {
    found = make();
    known.set(key, found);
  }
  return found;
}

/** Which check failed, as the first bytes of memory say: the number of the nest, and the index. */
export function failedCheck(memory: ArrayBufferLike): { nest: number; index: number } | null {
  const words = new Int32Array(memory, 0, errorBytes / 4);
  const nest = words[0]! - 1;
  words[0] = 0;
  return nest < 0 ? null : { nest, index: words[1]! };
}
