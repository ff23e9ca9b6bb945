import { byteSize } from "../dtype.ts";
import type { Program } from "../program.ts";
import { sizeOf } from "../shape.ts";
import type { Code } from "./assembler.ts";
import type { Pick } from "./kernel.ts";
import type { Nest, Place } from "./loops.ts";
import type { Layout } from "./plan.ts";
import { errorBytes } from "./plan.ts";
import { BodyWriter, baseOf, scalarsOf } from "./scalars.ts";
import { i32, loads, stores, word } from "./words.ts";

/** Writes the code of one nest: its loops, and its body at each index. */
export class NestWriter {
  readonly code: Code;
  readonly nest: Nest;
  readonly #number: number;
  readonly layout: Layout;
  readonly #slow: (program: Program) => number;
  /** The local of each walk that loops advance. */
  readonly #walks: (number | null)[];
  /** How far each walk has gone in loops that are written out. */
  readonly #shifts: number[];
  /** Walks that go backwards may be negative, which the addresses of loads must not be. */
  readonly #backward: boolean[];

  constructor(code: Code, nest: Nest, number: number, layout: Layout, slow: (program: Program) => number) {
    this.code = code;
    this.nest = nest;
    this.#number = number;
    this.layout = layout;
    this.#slow = slow;
    this.#shifts = nest.walks.map(() => 0);
    this.#backward = nest.walks.map((steps) => steps.some((step) => step < 0));
    const looped = (loop: number) => !(loop < nest.outer ? nest.unrolled.results : nest.unrolled.terms);
    this.#walks = nest.walks.map((steps) =>
      steps.some((step, loop) => step !== 0 && looped(loop)) ? code.take("i32") : null,
    );
  }

  /** Runs `result`, which computes one result, at all indices of the loops over results. */
  results(result: () => void): void {
    const code = this.code;
    for (const local of this.#walks) if (local !== null) code.i32(0).set(local);
    this.loop(0, this.nest.outer, result);
    for (const local of this.#walks) if (local !== null) code.release(local);
  }

  // Loops.

  /** Runs `body` at all indices of the loops from `from` up to `to`; the last one goes fastest. */
  loop(from: number, to: number, body: () => void): void {
    if (from === to) {
      body();
      return;
    }
    const { counts, outer, unrolled } = this.nest;
    const count = counts[from]!;
    if (from < outer ? unrolled.results : unrolled.terms) {
      for (let i = 0; i < count; i++) {
        this.loop(from + 1, to, body);
        this.shift((walk) => this.nest.walks[walk]![from]!);
      }
      this.shift((walk) => -count * this.nest.walks[walk]![from]!);
      return;
    }
    this.times(count, () => {
      this.loop(from + 1, to, body);
      this.advance((walk) => this.nest.walks[walk]![from]! - this.#travelled(walk, from + 1));
    });
  }

  /** How far a walk has gone when the loops from `from` on are done. */
  #travelled(walk: number, from: number): number {
    const { counts, outer, unrolled, walks } = this.nest;
    if (from >= counts.length || (from < outer ? unrolled.results : unrolled.terms)) return 0;
    return counts[from]! * walks[walk]![from]!;
  }

  times(count: number, body: () => void): void {
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

  /** Pushes the moving part of a place; what it returns is constant and not negative. */
  #address({ walk, offset }: Place, base: number): number {
    const total = base + offset + (walk < 0 ? 0 : this.#shifts[walk]!);
    const local = walk < 0 ? null : this.#walks[walk]!;
    if (local === null) {
      this.code.i32(total);
      return 0;
    }
    this.code.get(local);
    if (total >= 0 && !this.#backward[walk]) return total;
    this.code.i32(total).op(i32.add);
    return 0;
  }

  #check(local: number, { size }: Pick): void {
    const code = this.code;
    code.get(local).i32(size).op(i32.lessUnsigned).op(i32.eqz).if(null);
    code
      .i32(0)
      .i32(this.#number + 1)
      .memory(...stores.int32, 0);
    code
      .i32(0)
      .get(local)
      .memory(...stores.int32, 4)
      .unreachable()
      .end();
  }

  // Bodies.

  #writer(body: readonly BodyScalar[], indices: readonly number[] = []): BodyWriter {
    const { kernel, places } = this.nest;
    const around = {
      layout: this.layout,
      slow: this.#slow,
      index: (i: number) => {
        const rest = this.#address(places[i]!, 0);
        if (rest !== 0) this.code.i32(rest).op(i32.add);
      },
      address: (i: number) => this.#address(places[i]!, baseOf(this.layout, kernel.body[i]!.source!)),
      check: (local: number, pick: Pick) => this.#check(local, pick),
    };
    return new BodyWriter(this.code, body, [], around, indices);
  }

  /** Computes the body and stores its result. */
  map(): void {
    const { kernel, target } = this.nest;
    const writer = this.#writer(kernel.body);
    writer.prepare([kernel.result]);
    const offset = this.#address(target, baseOf(this.layout, kernel.node));
    writer.push(kernel.result);
    this.code.memory(...stores[kernel.node.dtype], offset);
    writer.release();
  }

  /** Computes the body into a local. */
  evaluate(into: number): void {
    const { kernel } = this.nest;
    const writer = this.#writer(kernel.body);
    writer.prepare([kernel.result]);
    writer.push(kernel.result);
    this.code.set(into);
    writer.release();
  }

  /** Stores a local at the target. */
  storeLocal(local: number): void {
    const { kernel, target } = this.nest;
    const offset = this.#address(target, baseOf(this.layout, kernel.node));
    this.code.get(local).memory(...stores[kernel.node.dtype], offset);
  }

  /** Leaves the result of a program on the stack whose inputs are locals. */
  apply(program: Program, inputs: readonly number[]): void {
    const refuse = () => {
      throw new Error("what combines results reads nothing but its operands");
    };
    const around = { layout: this.layout, slow: this.#slow, index: refuse, address: refuse, check: refuse };
    const writer = new BodyWriter(this.code, scalarsOf(program), inputs, around);
    writer.prepare([program.result]);
    writer.push(program.result);
    writer.release();
  }

  /** Puts zeros in place of all results. */
  clear(): void {
    const { node } = this.nest.kernel;
    const bytes = sizeOf(node.shape) * byteSize(node.dtype);
    this.code.i32(baseOf(this.layout, node)).i32(0).i32(bytes).fillMemory();
  }

  /** Adds the result of the body to the element that an index picks. */
  scatter(): void {
    const { kernel, target } = this.nest;
    const { node, pick, body, result } = kernel;
    const code = this.code;
    const writer = this.#writer(body, [pick!.index]);
    writer.prepare([result, pick!.index]);
    const index = writer.localOf(pick!.index);
    this.#check(index, pick!);
    const address = code.take("i32");
    const offset = this.#address(target, baseOf(this.layout, node));
    code
      .get(index)
      .i32(pick!.stride * byteSize(node.dtype))
      .op(i32.mul)
      .op(i32.add)
      .tee(address);
    word(code, "add", node.dtype, node.dtype, [
      () => code.get(address).memory(...loads[node.dtype], offset),
      () => writer.push(result),
    ]);
    code.memory(...stores[node.dtype], offset);
    code.release(address);
    writer.release();
  }
}

type BodyScalar = Nest["kernel"]["body"][number];

/** Which check failed, as the first bytes of memory say: the number of the nest, and the index. */
export function failedCheck(memory: ArrayBufferLike): { nest: number; index: number } | null {
  const words = new Int32Array(memory, 0, errorBytes / 4);
  const nest = words[0]! - 1;
  words[0] = 0;
  return nest < 0 ? null : { nest, index: words[1]! };
}
