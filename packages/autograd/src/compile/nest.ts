import { byteSize } from "../dtype.ts";
import { lanesFor } from "../kernels.ts";
import type { Program } from "../program.ts";
import { sizeOf } from "../shape.ts";
import type { Code } from "./assembler.ts";
import type { Fold, Pick } from "./kernel.ts";
import type { Nest, Place } from "./loops.ts";
import type { Layout } from "./plan.ts";
import { errorBytes } from "./plan.ts";
import { BodyWriter, baseOf, scalarsOf } from "./scalars.ts";
import { constant, i32, loads, stores, valueType, word } from "./words.ts";

/** Writes the code of one nest. */
export class NestWriter {
  readonly #code: Code;
  readonly #nest: Nest;
  readonly #number: number;
  readonly #layout: Layout;
  readonly #slow: (program: Program) => number;
  /** The local of each walk that loops advance. */
  readonly #walks: (number | null)[];
  /** How far each walk has gone in loops that are written out. */
  readonly #shifts: number[];
  /** Walks that go backwards may be negative, which the addresses of loads must not be. */
  readonly #backward: boolean[];

  constructor(code: Code, nest: Nest, number: number, layout: Layout, slow: (program: Program) => number) {
    this.#code = code;
    this.#nest = nest;
    this.#number = number;
    this.#layout = layout;
    this.#slow = slow;
    this.#shifts = nest.walks.map(() => 0);
    this.#backward = nest.walks.map((steps) => steps.some((step) => step < 0));
    const looped = (loop: number) => !(loop < nest.outer ? nest.unrolled.results : nest.unrolled.terms);
    this.#walks = nest.walks.map((steps) =>
      steps.some((step, loop) => step !== 0 && looped(loop)) ? code.take("i32") : null,
    );
  }

  write(): void {
    const code = this.#code;
    for (const local of this.#walks) if (local !== null) code.i32(0).set(local);
    const { kernel, outer } = this.#nest;
    if (kernel.kind === "scatter") this.#clear();
    this.#loop(0, outer, () => {
      if (kernel.kind === "map") this.#store(kernel.body, (writer) => writer.push(kernel.result));
      else if (kernel.kind === "scatter") this.#scatter();
      else if (kernel.kind === "scan") this.#scan(kernel.fold!);
      else this.#reduce(kernel.fold!);
    });
    for (const local of this.#walks) if (local !== null) code.release(local);
  }

  // Loops.

  /** Runs `body` at all indices of the loops from `from` up to `to`; the last one goes fastest. */
  #loop(from: number, to: number, body: () => void): void {
    if (from === to) {
      body();
      return;
    }
    const { counts, outer, unrolled } = this.#nest;
    const count = counts[from]!;
    if (from < outer ? unrolled.results : unrolled.terms) {
      for (let i = 0; i < count; i++) {
        this.#loop(from + 1, to, body);
        this.#shift((walk) => this.#nest.walks[walk]![from]!);
      }
      this.#shift((walk) => -count * this.#nest.walks[walk]![from]!);
      return;
    }
    this.#times(count, () => {
      this.#loop(from + 1, to, body);
      this.#advance((walk) => this.#nest.walks[walk]![from]! - this.#travelled(walk, from + 1));
    });
  }

  /** How far a walk has gone when the loops from `from` on are done. */
  #travelled(walk: number, from: number): number {
    const { counts, outer, unrolled, walks } = this.#nest;
    if (from >= counts.length || (from < outer ? unrolled.results : unrolled.terms)) return 0;
    return counts[from]! * walks[walk]![from]!;
  }

  #times(count: number, body: () => void): void {
    const code = this.#code;
    const counter = code.take("i32");
    code.i32(0).set(counter).loop();
    body();
    code.get(counter).i32(1).op(i32.add).tee(counter).i32(count).op(i32.ne).branchIf(0).end();
    code.release(counter);
  }

  #shift(by: (walk: number) => number): void {
    this.#shifts.forEach((shift, walk) => {
      this.#shifts[walk] = shift + by(walk);
    });
  }

  #advance(by: (walk: number) => number): void {
    this.#walks.forEach((local, walk) => {
      const step = by(walk);
      if (local !== null && step !== 0) this.#code.get(local).i32(step).op(i32.add).set(local);
    });
  }

  // Places.

  /** Pushes the moving part of a place; what it returns is constant and not negative. */
  #address({ walk, offset }: Place, base: number): number {
    const total = base + offset + (walk < 0 ? 0 : this.#shifts[walk]!);
    const local = walk < 0 ? null : this.#walks[walk]!;
    if (local === null) {
      this.#code.i32(total);
      return 0;
    }
    this.#code.get(local);
    if (total >= 0 && !this.#backward[walk]) return total;
    this.#code.i32(total).op(i32.add);
    return 0;
  }

  #check(local: number, { size }: Pick): void {
    const code = this.#code;
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
    const { kernel, places } = this.#nest;
    const around = {
      layout: this.#layout,
      slow: this.#slow,
      index: (i: number) => {
        const rest = this.#address(places[i]!, 0);
        if (rest !== 0) this.#code.i32(rest).op(i32.add);
      },
      address: (i: number) => this.#address(places[i]!, baseOf(this.#layout, kernel.body[i]!.source!)),
      check: (local: number, pick: Pick) => this.#check(local, pick),
    };
    return new BodyWriter(this.#code, body, [], around, indices);
  }

  /** Stores what `push` leaves on the stack at the target. */
  #store(body: readonly BodyScalar[], push: (writer: BodyWriter) => void): void {
    const { kernel, target } = this.#nest;
    const writer = this.#writer(body);
    writer.prepare([kernel.result]);
    const offset = this.#address(target, baseOf(this.#layout, kernel.node));
    push(writer);
    this.#code.memory(...stores[kernel.node.dtype], offset);
    writer.release();
  }

  #clear(): void {
    const { node } = this.#nest.kernel;
    const bytes = sizeOf(node.shape) * byteSize(node.dtype);
    this.#code.i32(baseOf(this.#layout, node)).i32(0).i32(bytes).fillMemory();
  }

  #scatter(): void {
    const { kernel, target } = this.#nest;
    const { node, pick, body, result } = kernel;
    const code = this.#code;
    const writer = this.#writer(body, [pick!.index]);
    writer.prepare([result, pick!.index]);
    const index = writer.localOf(pick!.index);
    this.#check(index, pick!);
    const address = code.take("i32");
    const offset = this.#address(target, baseOf(this.#layout, node));
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

  // Folds: what combines many results into one.

  /** Leaves `combine(x, y)` on the stack. */
  #combine({ combine }: Fold, x: number, y: number): void {
    const writer = new BodyWriter(this.#code, scalarsOf(combine), [x, y], {
      layout: this.#layout,
      slow: this.#slow,
      index: () => {},
      address: () => 0,
      check: () => {},
    });
    writer.prepare([combine.result]);
    writer.push(combine.result);
    writer.release();
  }

  /** `total = combine(total, result of the body)` at the present indices. */
  #absorb(fold: Fold, total: number): void {
    const { kernel } = this.#nest;
    const value = this.#code.take(valueType(kernel.node.dtype));
    const writer = this.#writer(kernel.body);
    writer.prepare([kernel.result]);
    writer.push(kernel.result);
    this.#code.set(value);
    writer.release();
    this.#combine(fold, total, value);
    this.#code.set(total);
    this.#code.release(value);
  }

  #identity(fold: Fold, local: number): void {
    constant(this.#code, fold.identity, this.#nest.kernel.node.dtype);
    this.#code.set(local);
  }

  #storeLocal(local: number): void {
    this.#store([], () => this.#code.get(local));
  }

  #scan(fold: Fold): void {
    const total = this.#code.take(valueType(this.#nest.kernel.node.dtype));
    this.#identity(fold, total);
    this.#loop(this.#nest.outer, this.#nest.counts.length, () => {
      this.#absorb(fold, total);
      this.#storeLocal(total);
    });
    this.#code.release(total);
  }

  #reduce(fold: Fold): void {
    const { counts, outer, unrolled } = this.#nest;
    const terms = sizeOf(counts.slice(outer));
    const lanes = lanesFor(fold.order, terms);
    if (unrolled.terms) this.#reduceWrittenOut(fold, lanes);
    else if (lanes === 1 && terms <= fold.order.steps) this.#reduceInRow(fold);
    else this.#reduceInChunks(fold, lanes, terms);
  }

  /** Few terms: each lane is a local, and no loop is left. */
  #reduceWrittenOut(fold: Fold, lanes: number): void {
    const { kernel, counts, outer } = this.#nest;
    const type = valueType(kernel.node.dtype);
    const totals = Array.from({ length: lanes }, () => this.#code.take(type));
    for (const total of totals) this.#identity(fold, total);
    let term = 0;
    this.#loop(outer, counts.length, () => this.#absorb(fold, totals[term++ % lanes]!));
    this.#finish(fold, totals);
  }

  /** One lane in one chunk: loops with one sum. */
  #reduceInRow(fold: Fold): void {
    const { kernel, counts, outer } = this.#nest;
    const total = this.#code.take(valueType(kernel.node.dtype));
    this.#identity(fold, total);
    this.#loop(outer, counts.length, () => this.#absorb(fold, total));
    this.#finish(fold, [total]);
  }

  /** The tree over the lanes, which are locals; the result is stored. */
  #finish(fold: Fold, totals: readonly number[]): void {
    for (let half = totals.length >> 1; half >= 1; half >>= 1)
      for (let lane = 0; lane < half; lane++) {
        this.#combine(fold, totals[lane]!, totals[lane + half]!);
        this.#code.set(totals[lane]!);
      }
    this.#storeLocal(totals[0]!);
    for (const total of totals) this.#code.release(total);
  }

  /**
   * Many terms: the lanes of the chunk and of the total lie in scratch memory, and one loop counts the terms.
   */
  #reduceInChunks(fold: Fold, lanes: number, terms: number): void {
    const code = this.#code;
    const { dtype } = this.#nest.kernel.node;
    const size = byteSize(dtype);
    const chunk = this.#layout.scratch.get(this.#nest)!;
    const total = chunk + lanes * size;
    const length = fold.order.lanes * fold.order.steps;
    const sum = code.take(valueType(dtype));
    const [term, end, place] = [code.take("i32"), code.take("i32"), code.take("i32")];
    const odometer = this.#odometer();
    this.#fill(fold, total, lanes);
    code.i32(0).set(term).loop();
    this.#fill(fold, chunk, lanes);
    this.#endOfChunk(term, end, length, terms);
    code.loop();
    code
      .get(term)
      .i32(lanes - 1)
      .op(i32.and)
      .i32(size)
      .op(i32.mul)
      .tee(place);
    code.memory(...loads[dtype], chunk).set(sum);
    this.#absorb(fold, sum);
    code
      .get(place)
      .get(sum)
      .memory(...stores[dtype], chunk);
    odometer.step();
    code.get(term).i32(1).op(i32.add).tee(term).get(end).op(i32.ne).branchIf(0).end();
    for (let lane = 0; lane < lanes; lane++) this.#combineAt(fold, total + lane * size, chunk + lane * size);
    code.get(term).i32(terms).op(i32.ne).branchIf(0).end();
    for (let half = lanes >> 1; half >= 1; half >>= 1)
      for (let lane = 0; lane < half; lane++)
        this.#combineAt(fold, total + lane * size, total + (lane + half) * size);
    code
      .i32(total)
      .memory(...loads[dtype], 0)
      .set(sum);
    this.#storeLocal(sum);
    odometer.release();
    for (const local of [sum, term, end, place]) code.release(local);
  }

  /** `end = min(term + length, terms)` */
  #endOfChunk(term: number, end: number, length: number, terms: number): void {
    const code = this.#code;
    code.get(term).i32(length).op(i32.add).set(end);
    code.get(end).i32(terms).get(end).i32(terms).op(i32.lessUnsigned).op(0x1b).set(end);
  }

  #fill(fold: Fold, address: number, lanes: number): void {
    const { dtype } = this.#nest.kernel.node;
    for (let lane = 0; lane < lanes; lane++) {
      this.#code.i32(address + lane * byteSize(dtype));
      constant(this.#code, fold.identity, dtype);
      this.#code.memory(...stores[dtype], 0);
    }
  }

  /** Combines the element at address `x` with that at `y`, in place. */
  #combineAt(fold: Fold, x: number, y: number): void {
    const code = this.#code;
    const { dtype } = this.#nest.kernel.node;
    const [a, b] = [code.take(valueType(dtype)), code.take(valueType(dtype))];
    code
      .i32(x)
      .memory(...loads[dtype], 0)
      .set(a);
    code
      .i32(y)
      .memory(...loads[dtype], 0)
      .set(b);
    code.i32(x);
    this.#combine(fold, a, b);
    code.memory(...stores[dtype], 0);
    code.release(a);
    code.release(b);
  }

  /** Advances the walks term by term, whatever loops the terms are made of; at the end they stand where loops would. */
  #odometer(): { step(): void; release(): void } {
    const code = this.#code;
    const { counts, outer, walks } = this.#nest;
    const last = counts.length - 1;
    const counters = counts.map((_, loop) => (loop > outer ? code.take("i32") : -1));
    for (const counter of counters) if (counter >= 0) code.i32(0).set(counter);
    const step = (loop: number): void => {
      this.#advance((walk) => {
        const steps = walks[walk]!;
        return steps[loop]! - (loop < last ? counts[loop + 1]! * steps[loop + 1]! : 0);
      });
      if (loop === outer) return;
      const counter = counters[loop]!;
      code.get(counter).i32(1).op(i32.add).tee(counter).i32(counts[loop]!).op(0x46).if(null);
      code.i32(0).set(counter);
      step(loop - 1);
      code.end();
    };
    const release = () => {
      for (const counter of counters) if (counter >= 0) code.release(counter);
    };
    return { step: () => step(last), release };
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
