import { byteSize } from "../dtype.ts";
import { select } from "../wasm/assembler.ts";
import * as i32 from "../wasm/i32.ts";
import * as simd from "../wasm/simd.ts";
import { CombineWriter } from "./combine.ts";
import { loads, stores } from "./words.ts";

/** Reduces with the totals of the lanes in scratch memory, by one loop over all terms, however many loops they have in the nest. */
export class ScratchWriter extends CombineWriter {
  reduce(lanes: number, terms: number): void {
    const code = this.code;
    const size = this.#bytes;
    const chunk = this.writer.scratch;
    const total = chunk + lanes * size;
    const sum = code.take(this.type);
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
    this.absorb(sum);
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
    this.writer.storeLocal(sum);
    odometer.release();
    this.release([sum, term, end, place]);
  }

  /** `end = min(term + length of a chunk, terms)` */
  #endOfChunk(term: number, end: number, terms: number): void {
    const { lanes, steps } = this.fold.order;
    const code = this.code;
    code
      .get(term)
      .i32(lanes * steps)
      .op(i32.add)
      .set(end);
    code.get(end).i32(terms).get(end).i32(terms).op(i32.lessUnsigned).op(select).set(end);
  }

  /** Bytes of what a local holds. */
  get #bytes(): number {
    const { vector, form } = this.writer.nest;
    return vector ? 16 : byteSize(form.dtype);
  }
  #load(offset: number): void {
    const { vector, form } = this.writer.nest;
    if (vector) this.code.vectorMemory(simd.load, 4, offset);
    else this.code.memory(loads[form.dtype], offset);
  }
  #store(offset: number): void {
    const { vector, form } = this.writer.nest;
    if (vector) this.code.vectorMemory(simd.store, 4, offset);
    else this.code.memory(stores[form.dtype], offset);
  }

  #fill(address: number, lanes: number): void {
    for (let lane = 0; lane < lanes; lane++) {
      this.code.i32(address + lane * this.#bytes);
      this.writer.constant(this.fold.identity);
      this.#store(0);
    }
  }

  /** Combines the element at address `y` into that at `x`. */
  #combineAt(x: number, y: number): void {
    const code = this.code;
    const [a, b] = [code.take(this.type), code.take(this.type)];
    code.i32(x);
    this.#load(0);
    code.set(a).i32(y);
    this.#load(0);
    code.set(b);
    this.combine(a, b);
    code.i32(x).get(a);
    this.#store(0);
    this.release([a, b]);
  }

  /**
   * Advances the walks from one term to the next, with a counter for each loop but the outermost, as an odometer has digits. At the end they
   * stand where loops would have left them.
   */
  #odometer(): { step(): void; release(): void } {
    const code = this.code;
    const { counts, outer, walks } = this.writer.nest;
    const last = counts.length - 1;
    const counters = counts.map((_, loop) => (loop > outer ? code.take("i32") : -1)).filter((x) => x >= 0);
    for (const counter of counters) code.i32(0).set(counter);
    const step = (loop: number): void => {
      this.writer.advance((walk) => {
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
    return { step: () => step(last), release: () => this.release(counters) };
  }
}
