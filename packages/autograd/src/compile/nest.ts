import type { DType } from "../dtype.ts";
import { byteSize } from "../dtype.ts";
import { remembered } from "../memo.ts";
import type { Program } from "../program.ts";
import type { Code, ValueType } from "../wasm/assembler.ts";
import { drop } from "../wasm/assembler.ts";
import * as i32 from "../wasm/i32.ts";
import * as simd from "../wasm/simd.ts";
import type { Scalar } from "./kernel.ts";
import { scalarsOf } from "./kernel.ts";
import type { Width } from "./lanes.ts";
import { pushLane, vectorConstant, vectorWord } from "./lanes.ts";
import type { Nest } from "./loops.ts";
import { strideOf, varying } from "./loops.ts";
import type { Layout } from "./plan.ts";
import { BodyWriter } from "./scalars.ts";
import type { VectorSurroundings } from "./vectors.ts";
import { VectorWriter } from "./vectors.ts";
import type { NestContext } from "./walk.ts";
import { WalkWriter } from "./walk.ts";
import { constant, loads, stores, valueType, word } from "./words.ts";

/** Writes the code of one nest: its loops, and its body at each index. */
export class NestWriter extends WalkWriter implements VectorSurroundings {
  /** The scalars that differ from lane to lane. */
  readonly #varying: readonly boolean[];
  /** Writers of the body, and of what combines results, by how many lanes count. */
  readonly #bodies = new Map<number, BodyWriter>();
  readonly #combines = new Map<number, BodyWriter>();

  constructor(code: Code, nest: Nest, context: NestContext) {
    super(code, nest, context);
    this.#varying = nest.vector ? varying(nest, nest.vector.loop) : [];
  }

  #writer(): BodyWriter {
    return remembered(this.#bodies, this.active, () => {
      const { body, results, pick } = this.nest.form;
      return pick
        ? this.#newWriter(body, [...results, pick.index], [pick.index])
        : this.#newWriter(body, results, []);
    });
  }

  #newWriter(body: readonly Scalar[], results: readonly number[], indices: readonly number[]): BodyWriter {
    return this.nest.vector
      ? new VectorWriter(this.code, body, results, indices, this, this.active)
      : new BodyWriter(this.code, body, results, indices, this);
  }

  // What writers of bodies ask.

  get layout(): Layout {
    return this.context.layout;
  }
  get relaxed(): boolean {
    return this.context.relaxed;
  }
  get width(): Width {
    return this.nest.vector!.width;
  }
  slow(program: Program): number {
    return this.context.slow(program);
  }
  stride(i: number): number {
    return strideOf(this.nest, this.nest.places[i]!, this.nest.vector!.loop);
  }
  varies(i: number): boolean {
    return this.#varying[i]!;
  }

  /** Computes the body and stores its results. */
  map(): void {
    const { form, vector } = this.nest;
    if (form.results.length > 1) {
      this.#mapSeveral();
      return;
    }
    if (vector) {
      const local = this.code.take("v128");
      this.evaluate(local);
      this.storeLocal(local);
      this.code.release(local);
      return;
    }
    const writer = this.#writer();
    writer.prepare();
    const offset = this.addressOfTarget();
    writer.push(form.results[0]!);
    this.code.memory(stores[form.dtype], offset);
    writer.release();
  }

  /** All results first: what is stored may take the place of what was loaded. */
  #mapSeveral(): void {
    const { form, vector } = this.nest;
    const writer = this.#writer();
    writer.prepare();
    const locals = form.results.map((result) => {
      const local = this.code.take(vector ? "v128" : valueType(form.body[result]!.dtype));
      writer.push(result);
      this.code.set(local);
      return local;
    });
    writer.release();
    locals.forEach((local, x) => {
      this.storeLocal(local, x);
      this.code.release(local);
    });
  }

  /** Computes the body into a local. */
  evaluate(into: number): void {
    const writer = this.#writer();
    writer.prepare();
    writer.push(this.nest.form.results[0]!);
    this.code.set(into);
    writer.release();
  }

  /** Stores a local as result `x`: of a vector along the results the lanes that count, of one along the terms the first. */
  storeLocal(local: number, x = 0): void {
    const { form, vector, outer } = this.nest;
    const { dtype } = form.body[form.results[x]!]!;
    const code = this.code;
    const address = () => this.addressOfTarget(x);
    if (!vector) {
      const offset = address();
      code.get(local).memory(stores[dtype], offset);
    } else if (vector.loop < outer) this.#storeLanes(local, address, dtype);
    else {
      const offset = address();
      pushLane(code, local, 0, dtype, vector.width).memory(stores[dtype], offset);
    }
  }

  #storeLanes(local: number, address: () => number, dtype: DType): void {
    const { width } = this.nest.vector!;
    const code = this.code;
    const active = this.active;
    const stride = strideOf(this.nest, this.nest.target, this.nest.vector!.loop);
    if (dtype === "bool" || stride !== byteSize(dtype)) {
      for (let lane = 0; lane < active; lane++) {
        const offset = address() + lane * stride;
        pushLane(code, local, lane, dtype, width).memory(stores[dtype], offset);
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

  /** The first byte of what may be kept between the rounds. */
  get scratch(): number {
    return this.context.layout.scratch;
  }

  /** The type of locals that hold results. */
  get type(): ValueType {
    return this.nest.vector ? "v128" : valueType(this.nest.form.dtype);
  }

  /** Pushes a number in every lane. */
  constant(value: number): void {
    const { dtype } = this.nest.form;
    const { vector } = this.nest;
    if (vector) vectorConstant(this.code, this.context.layout.splats, value, dtype, vector.width);
    else constant(this.code, value, dtype);
  }

  /** Leaves the result of a program on the stack whose inputs are locals. */
  apply(program: Program, inputs: readonly number[]): void {
    const writer = remembered(this.#combines, this.active, () =>
      this.#newWriter(scalarsOf(program), [program.result], []),
    );
    writer.prepare(inputs);
    writer.push(program.result);
    writer.release();
  }

  /** Puts zeros in place of all results. */
  clear(): void {
    const { size, dtype } = this.nest.form;
    const bytes = size * byteSize(dtype);
    const base = this.context.base(0);
    if (typeof base === "number") this.code.i32(base);
    else this.code.get(base.local);
    this.code.i32(0).i32(bytes).fillMemory();
  }

  /** Adds the result of the body to the element that an index picks. */
  scatter(): void {
    const { dtype, pick, results } = this.nest.form;
    const code = this.code;
    const writer = this.#writer();
    writer.prepare();
    const index = code.take("i32");
    code.get(writer.localOf(pick!.index));
    if (this.nest.vector) code.lane(simd.extractInt32, 0);
    code.set(index);
    this.check(index, pick!);
    const address = code.take("i32");
    const offset = this.addressOfTarget();
    code
      .get(index)
      .i32(pick!.stride * byteSize(dtype))
      .op(i32.mul)
      .op(i32.add)
      .tee(address);
    const { vector } = this.nest;
    if (vector) {
      const sum = code.take("v128");
      const load = () => code.get(address).vectorMemory(simd.load, vector.width === 4 ? 2 : 3, offset);
      vectorWord(code, "add", dtype, dtype, [load, () => writer.push(results[0]!)], null);
      code.set(sum).op(drop);
      const place = () => {
        code.get(address);
        return offset;
      };
      this.#storeLanes(sum, place, dtype);
      code.release(sum);
    } else {
      word(code, "add", dtype, dtype, [
        () => code.get(address).memory(loads[dtype], offset),
        () => writer.push(results[0]!),
      ]);
      code.memory(stores[dtype], offset);
    }
    for (const local of [address, index]) code.release(local);
    writer.release();
  }
}
