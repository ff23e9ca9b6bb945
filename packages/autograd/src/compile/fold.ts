import { byteSize } from "../dtype.ts";
import { lanesFor } from "../order.ts";
import { sizeOf } from "../shape.ts";
import type { Code } from "./assembler.ts";
import type { Fold } from "./kernel.ts";
import { simd } from "./lanes.ts";
import type { NestWriter } from "./nest.ts";
import { i32, loads, stores } from "./words.ts";

/**
 * Code that combines the results along the inner loops of a nest, in the order of `order.ts`. A lane without terms would
 * hold the identity, which changes nothing, so it is left out, as is the sum over a single chunk.
 */
export class FoldWriter {
  readonly #writer: NestWriter;
  readonly #code: Code;
  readonly #fold: Fold;

  constructor(writer: NestWriter, fold: Fold) {
    this.#writer = writer;
    this.#code = writer.code;
    this.#fold = fold;
  }

  scan(): void {
    const { outer, counts } = this.#writer.nest;
    const [total] = this.#identities(1) as [number];
    this.#writer.loop(outer, counts.length, () => {
      this.#absorb(total);
      this.#writer.storeLocal(total);
    });
    this.#release([total]);
  }

  reduce(): void {
    const { counts, outer, unrolled, kernel, vector } = this.#writer.nest;
    const { order, combine } = this.#fold;
    const terms = sizeOf(counts.slice(outer));
    const lanes = lanesFor(order, terms);
    const work = lanes * (kernel.body.length + combine.instructions.length);
    if (vector && vector.loop >= outer) this.#alongTerms(lanes, terms);
    else if (unrolled.terms) this.#writtenOut(lanes);
    else if (lanes === 1 && terms <= order.steps) this.#inRow();
    else if (counts.length === outer + 1 && work <= laneLimit) this.#inLanes(lanes, terms);
    else this.#inScratch(lanes, terms);
  }

  // Pieces.

  get #type() {
    return this.#writer.type;
  }

  /** New locals that hold the identity. */
  #identities(count: number): number[] {
    const locals = Array.from({ length: count }, () => this.#code.take(this.#type));
    this.#reset(locals);
    return locals;
  }
  #reset(locals: readonly number[]): void {
    for (const local of locals) {
      this.#writer.constant(this.#fold.identity);
      this.#code.set(local);
    }
  }
  #release(locals: readonly number[]): void {
    for (const local of locals) this.#code.release(local);
  }

  /** `x = combine(x, y)` */
  #combine(x: number, y: number): void {
    this.#writer.apply(this.#fold.combine, [x, y]);
    this.#code.set(x);
  }

  /** Combines the result of the body at the present indices into `total`. */
  #absorb(total: number): void {
    const value = this.#code.take(this.#type);
    this.#writer.evaluate(value);
    this.#combine(total, value);
    this.#code.release(value);
  }

  /** The tree over the lanes; the result is stored. */
  #finish(totals: readonly number[]): void {
    this.#halve(totals);
    this.#writer.storeLocal(totals[0]!);
    this.#release(totals);
  }

  #halve(totals: readonly number[]): void {
    for (let half = totals.length >> 1; half >= 1; half >>= 1)
      for (let lane = 0; lane < half; lane++) this.#combine(totals[lane]!, totals[lane + half]!);
  }

  // Ways to go through the terms.

  /** The lanes lie in vectors along the one loop of terms. */
  #alongTerms(lanes: number, terms: number): void {
    const { width } = this.#writer.nest.vector!;
    const count = lanes / width;
    const length = lanes * this.#fold.order.steps;
    const totals = this.#identities(count);
    if (terms <= length) this.#chunkAlong(totals, terms);
    else {
      const sums = this.#identities(count);
      const chunk = (size: number) => {
        this.#reset(sums);
        this.#chunkAlong(sums, size);
        totals.forEach((total, i) => {
          this.#combine(total, sums[i]!);
        });
      };
      this.#writer.times(Math.floor(terms / length), () => chunk(length));
      if (terms % length > 0) chunk(terms % length);
      this.#release(sums);
    }
    this.#halve(totals);
    const [total, upper] = [totals[0]!, this.#code.take("v128")];
    for (let half = width >> 1; half >= 1; half >>= 1) {
      const bytes = (half * 16) / width;
      this.#code.get(total).get(total);
      this.#code.shuffle(Array.from({ length: 16 }, (_, i) => (i + bytes) % 16)).set(upper);
      this.#combine(total, upper);
    }
    this.#writer.storeLocal(total);
    this.#release([...totals, upper]);
  }

  #chunkAlong(sums: readonly number[], terms: number): void {
    const { outer, walks, vector } = this.#writer.nest;
    const { width } = vector!;
    const step = (walk: number) => walks[walk]![outer]!;
    const round = (count: number) => {
      for (let i = 0; i * width < count; i++) {
        this.#absorbLanes(sums[i]!, Math.min(width, count - i * width));
        this.#writer.shift((walk) => width * step(walk));
      }
      this.#writer.shift((walk) => -Math.ceil(count / width) * width * step(walk));
      this.#writer.advance((walk) => count * step(walk));
    };
    const lanes = sums.length * width;
    this.#writer.times(Math.floor(terms / lanes), () => round(lanes));
    if (terms % lanes > 0) round(terms % lanes);
  }

  /** Combines the next terms into the first `active` lanes of a total. */
  #absorbLanes(total: number, active: number): void {
    const { width } = this.#writer.nest.vector!;
    const code = this.#code;
    const value = code.take("v128");
    this.#writer.inLanes(active, () => this.#writer.evaluate(value));
    this.#writer.apply(this.#fold.combine, [total, value]);
    if (active < width) {
      code.get(total).v128(Array.from({ length: 4 }, (_, i) => (i < (4 / width) * active ? -1 : 0)));
      code.vector(simd.bitselect);
    }
    code.set(total);
    code.release(value);
  }

  /** Few terms: no loop is left. */
  #writtenOut(lanes: number): void {
    const { counts, outer } = this.#writer.nest;
    const totals = this.#identities(lanes);
    let term = 0;
    this.#writer.loop(outer, counts.length, () => this.#absorb(totals[term++ % lanes]!));
    this.#finish(totals);
  }

  /** One lane in one chunk: the loops of the nest with one sum. */
  #inRow(): void {
    const { counts, outer } = this.#writer.nest;
    const [total] = this.#identities(1) as [number];
    this.#writer.loop(outer, counts.length, () => this.#absorb(total));
    this.#finish([total]);
  }

  /** One loop of terms: each round has one term for each lane, and lanes are locals. */
  #inLanes(lanes: number, terms: number): void {
    const { steps } = this.#fold.order;
    const length = lanes * steps;
    if (terms <= length) {
      const totals = this.#identities(lanes);
      this.#chunk(totals, terms);
      this.#finish(totals);
      return;
    }
    const totals = this.#identities(lanes);
    const sums = this.#identities(lanes);
    const chunk = (count: number) => {
      this.#reset(sums);
      this.#chunk(sums, count);
      totals.forEach((total, lane) => {
        this.#combine(total, sums[lane]!);
      });
    };
    this.#writer.times(Math.floor(terms / length), () => chunk(length));
    if (terms % length > 0) chunk(terms % length);
    this.#release(sums);
    this.#finish(totals);
  }

  #chunk(sums: readonly number[], terms: number): void {
    const lanes = sums.length;
    const { outer, walks } = this.#writer.nest;
    const round = (count: number) => {
      for (let lane = 0; lane < count; lane++) {
        this.#absorb(sums[lane]!);
        this.#writer.shift((walk) => walks[walk]![outer]!);
      }
      this.#writer.shift((walk) => -count * walks[walk]![outer]!);
      this.#writer.advance((walk) => count * walks[walk]![outer]!);
    };
    const rounds = Math.floor(terms / lanes);
    if (rounds > 0) this.#writer.times(rounds, () => round(lanes));
    if (terms % lanes > 0) round(terms % lanes);
  }

  /** Everything else: lanes lie in scratch memory, and one loop counts the terms, whatever loops they are made of. */
  #inScratch(lanes: number, terms: number): void {
    const code = this.#code;
    const { layout } = this.#writer;
    const size = this.#bytes;
    const chunk = layout.scratch;
    const total = chunk + lanes * size;
    const sum = code.take(this.#type);
    const [term, end, place] = [code.take("i32"), code.take("i32"), code.take("i32")];
    const odometer = this.#odometer();
    this.#fill(total, lanes);
    code.i32(0).set(term).loop();
    this.#fill(chunk, lanes);
    this.#endOfChunk(term, end, terms);
    code.loop();
    code
      .get(term)
      .i32(lanes - 1)
      .op(i32.and)
      .i32(size)
      .op(i32.mul)
      .tee(place);
    this.#load(chunk);
    code.set(sum);
    this.#absorb(sum);
    code.get(place).get(sum);
    this.#store(chunk);
    odometer.step();
    code.get(term).i32(1).op(i32.add).tee(term).get(end).op(i32.ne).branchIf(0).end();
    for (let lane = 0; lane < lanes; lane++) this.#combineAt(total + lane * size, chunk + lane * size);
    code.get(term).i32(terms).op(i32.ne).branchIf(0).end();
    for (let half = lanes >> 1; half >= 1; half >>= 1)
      for (let lane = 0; lane < half; lane++)
        this.#combineAt(total + lane * size, total + (lane + half) * size);
    code.i32(total);
    this.#load(0);
    code.set(sum);
    this.#writer.storeLocal(sum);
    odometer.release();
    this.#release([sum, term, end, place]);
  }

  /** `end = min(term + length of a chunk, terms)` */
  #endOfChunk(term: number, end: number, terms: number): void {
    const { lanes, steps } = this.#fold.order;
    const code = this.#code;
    code
      .get(term)
      .i32(lanes * steps)
      .op(i32.add)
      .set(end);
    code.get(end).i32(terms).get(end).i32(terms).op(i32.lessUnsigned).op(select).set(end);
  }

  /** Bytes of what a local holds. */
  get #bytes(): number {
    const { vector, kernel } = this.#writer.nest;
    return vector ? 16 : byteSize(kernel.node.dtype);
  }
  #load(offset: number): void {
    const { vector, kernel } = this.#writer.nest;
    if (vector) this.#code.vectorMemory(simd.load, 4, offset);
    else this.#code.memory(...loads[kernel.node.dtype], offset);
  }
  #store(offset: number): void {
    const { vector, kernel } = this.#writer.nest;
    if (vector) this.#code.vectorMemory(simd.store, 4, offset);
    else this.#code.memory(...stores[kernel.node.dtype], offset);
  }

  #fill(address: number, lanes: number): void {
    for (let lane = 0; lane < lanes; lane++) {
      this.#code.i32(address + lane * this.#bytes);
      this.#writer.constant(this.#fold.identity);
      this.#store(0);
    }
  }

  /** Combines the element at address `y` into that at `x`. */
  #combineAt(x: number, y: number): void {
    const code = this.#code;
    const [a, b] = [code.take(this.#type), code.take(this.#type)];
    code.i32(x);
    this.#load(0);
    code.set(a).i32(y);
    this.#load(0);
    code.set(b);
    this.#combine(a, b);
    code.i32(x).get(a);
    this.#store(0);
    this.#release([a, b]);
  }

  /** Advances the walks term by term; at the end they stand where loops would have left them. */
  #odometer(): { step(): void; release(): void } {
    const code = this.#code;
    const { counts, outer, walks } = this.#writer.nest;
    const last = counts.length - 1;
    const counters = counts.map((_, loop) => (loop > outer ? code.take("i32") : -1)).filter((x) => x >= 0);
    for (const counter of counters) code.i32(0).set(counter);
    const step = (loop: number): void => {
      this.#writer.advance((walk) => {
        const steps = walks[walk]!;
        return steps[loop]! - (loop < last ? counts[loop + 1]! * steps[loop + 1]! : 0);
      });
      if (loop === outer) return;
      const counter = counters[loop - outer - 1]!;
      code.get(counter).i32(1).op(i32.add).tee(counter).i32(counts[loop]!).op(i32.eq).if(null);
      code.i32(0).set(counter);
      step(loop - 1);
      code.end();
    };
    return { step: () => step(last), release: () => this.#release(counters) };
  }
}

/** Scalars of a round, all lanes together, at the most. */
const laneLimit = 1000;
const select = 0x1b;
