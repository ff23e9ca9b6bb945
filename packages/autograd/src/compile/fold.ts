import { lanesFor } from "../order.ts";
import { sizeOf } from "../shape.ts";
import * as i32 from "../wasm/i32.ts";
import * as simd from "../wasm/simd.ts";
import { BesideWriter } from "./beside.ts";
import { CombineWriter } from "./combine.ts";
import { ScratchWriter } from "./scratch.ts";

/**
 * Code that combines the results along the inner loops of a nest, in the order of `order.ts`. A lane without terms would
 * hold the identity, which changes nothing, so it is left out, as is the sum over a single chunk.
 */
export class FoldWriter extends CombineWriter {
  scan(): void {
    const { outer, counts } = this.writer.nest;
    const [total] = this.identities(1) as [number];
    this.writer.loop(outer, counts.length, () => {
      this.absorb(total);
      this.writer.storeLocal(total);
    });
    this.release([total]);
  }

  reduce(): void {
    const { counts, outer, unrolled, form, vector } = this.writer.nest;
    const { order, combine } = this.fold;
    const terms = sizeOf(counts.slice(outer));
    const lanes = lanesFor(order, terms);
    const work = lanes * (form.body.length + combine.instructions.length);
    if (vector && vector.loop >= outer) this.#alongTerms(lanes, terms);
    else if (this.writer.together > 1) new BesideWriter(this.writer, this.fold).reduce(lanes, terms);
    else if (unrolled.terms || (lanes === 1 && terms <= order.steps)) this.#inLoops(lanes);
    else if (counts.length === outer + 1 && work <= laneLimit)
      // One loop of terms: each round has one term for each lane, and lanes are locals.
      this.#finish(this.#chunked(lanes, terms, 1));
    else new ScratchWriter(this.writer, this.fold).reduce(lanes, terms);
  }

  /** The tree over the lanes; the result is stored. */
  #finish(totals: readonly number[]): void {
    this.#halve(totals);
    this.writer.storeLocal(totals[0]!);
    this.release(totals);
  }

  #halve(totals: readonly number[]): void {
    for (let half = totals.length >> 1; half >= 1; half >>= 1)
      for (let lane = 0; lane < half; lane++) this.combine(totals[lane]!, totals[lane + half]!);
  }

  // Ways to go through the terms.

  /** Totals over the one loop of terms, each of which takes `width` lanes at once. */
  #chunked(lanes: number, terms: number, width: number): number[] {
    const length = lanes * this.fold.order.steps;
    const totals = this.identities(lanes / width);
    if (terms <= length) {
      this.#chunk(totals, terms, width);
      return totals;
    }
    const sums = this.identities(lanes / width);
    const chunk = (size: number) => {
      this.reset(sums);
      this.#chunk(sums, size, width);
      totals.forEach((total, i) => {
        this.combine(total, sums[i]!);
      });
    };
    this.writer.times(Math.floor(terms / length), () => chunk(length));
    if (terms % length > 0) chunk(terms % length);
    this.release(sums);
    return totals;
  }

  /** Totals over several loops of terms, of which the last goes through whole vectors. */
  #chunkedInRows(lanes: number, terms: number, width: number): number[] {
    const { counts, outer } = this.writer.nest;
    const { steps } = this.fold.order;
    const last = counts.length - 1;
    const vectors = counts[last]! / width;
    const totals = this.identities(lanes / width);
    const count = totals.length;
    const sums = this.identities(count);
    const close = () => {
      totals.forEach((total, i) => {
        this.combine(total, sums[i]!);
      });
    };
    // A chunk ends behind a row, behind a round of lanes, or where that lies within a row behind any vector.
    const most = steps * count;
    const isInRows = terms <= lanes * steps || most % vectors === 0;
    const unit = isInRows ? vectors : vectors % count === 0 ? count : 1;
    const code = this.code;
    const left = code.take("i32");
    const restart = () => code.i32(Math.ceil(most / unit)).set(left);
    restart();
    this.writer.loop(outer, last, () => {
      this.writer.times(vectors / unit, () => {
        this.#chunk(sums, unit * width, width);
        for (const locals of [sums, totals]) this.#rotate(locals, unit);
        code.get(left).i32(1).op(i32.sub).tee(left).op(i32.eqz).if(null);
        close();
        this.reset(sums);
        restart().end();
      });
    });
    if (terms % (lanes * steps) > 0) close();
    this.release([...sums, left]);
    const turned = (terms / width) % count;
    return totals.map((_, i) => totals[(i + count - turned) % count]!);
  }

  /** The local that is next in turn becomes the first. */
  #rotate(locals: readonly number[], by: number): void {
    const count = locals.length;
    if (by % count === 0) return;
    for (let i = 0; i < count; i++) this.code.get(locals[(i + by) % count]!);
    for (const local of locals.toReversed()) this.code.set(local);
  }

  /** The lanes lie in vectors along the one loop of terms. */
  #alongTerms(lanes: number, terms: number): void {
    const { counts, outer, vector } = this.writer.nest;
    const { width } = vector!;
    const isOneLoop = counts.length === outer + 1;
    const totals = isOneLoop ? this.#chunked(lanes, terms, width) : this.#chunkedInRows(lanes, terms, width);
    this.#halve(totals);
    const [total, upper] = [totals[0]!, this.code.take("v128")];
    for (let half = width >> 1; half >= 1; half >>= 1) {
      const bytes = (half * 16) / width;
      this.code.get(total).get(total);
      this.code.shuffle(Array.from({ length: 16 }, (_, i) => (i + bytes) % 16)).set(upper);
      this.combine(total, upper);
    }
    this.writer.storeLocal(total);
    this.release([...totals, upper]);
  }

  /** Combines the next terms into the sums. */
  #chunk(sums: readonly number[], terms: number, width: number): void {
    const { counts, walks } = this.writer.nest;
    const last = counts.length - 1;
    const round = (count: number) => {
      for (let i = 0; i * width < count; i++) {
        if (width > 1) this.#absorbLanes(sums[i]!, Math.min(width, count - i * width));
        else this.absorb(sums[i]!);
        this.writer.shift(last, width);
      }
      this.writer.shift(last, -Math.ceil(count / width) * width);
      this.writer.advance((walk) => count * walks[walk]![last]!);
    };
    const lanes = sums.length * width;
    this.writer.times(Math.floor(terms / lanes), () => round(lanes));
    if (terms % lanes > 0) round(terms % lanes);
  }

  /** Combines the next terms into the first `active` lanes of a total. */
  #absorbLanes(total: number, active: number): void {
    const { width } = this.writer.nest.vector!;
    const code = this.code;
    const value = code.take("v128");
    this.writer.inLanes(active, () => this.writer.evaluate(value));
    this.writer.apply(this.fold.combine, [total, value]);
    if (active < width) {
      code.get(total).v128(Array.from({ length: 4 }, (_, i) => (i < (4 / width) * active ? -1 : 0)));
      code.vector(simd.bitselect);
    }
    code.set(total);
    code.release(value);
  }

  /** The loops of the nest, which are written out if there are several lanes. */
  #inLoops(lanes: number): void {
    const { counts, outer } = this.writer.nest;
    const totals = this.identities(lanes);
    let term = 0;
    this.writer.loop(outer, counts.length, () => this.absorb(totals[term++ % lanes]!));
    this.#finish(totals);
  }
}

/** Scalars of a round, all lanes together, at the most. */
const laneLimit = 1000;
