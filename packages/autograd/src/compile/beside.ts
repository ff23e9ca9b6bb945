import { CombineWriter } from "./combine.ts";

/**
 * Several vectors of results at once, lane after lane of their totals: each term of them lies in lines of memory of its own,
 * which are read to the end before they are gone from the cache, and the totals of one lane fit into the registers.
 */
export class BesideWriter extends CombineWriter {
  reduce(lanes: number, terms: number): void {
    const totals: number[][] = [];
    for (let lane = 0; lane < lanes; lane++) {
      const own = Math.ceil((terms - lane) / lanes);
      totals.push(this.#chunked(own, lanes));
      // To the first term of the next lane, and after the last one behind all terms.
      const next = lane < lanes - 1 ? 1 - own * lanes : terms - lane - own * lanes;
      this.writer.advance((walk) => next * this.#step(walk));
    }
    for (let half = lanes >> 1; half >= 1; half >>= 1)
      for (let lane = 0; lane < half; lane++) this.#combineEach(totals[lane]!, totals[lane + half]!);
    totals[0]!.forEach((total, i) => {
      this.writer.beside(i, () => this.writer.storeLocal(total));
    });
    this.release(totals.flat());
  }

  #step(walk: number): number {
    const { walks, outer } = this.writer.nest;
    return walks[walk]![outer]!;
  }

  /** Totals of every so many'th of the next terms. */
  #chunked(terms: number, apart: number): number[] {
    const { steps } = this.fold.order;
    const totals = this.identities(this.writer.together);
    const add = (sums: readonly number[], count: number) => {
      this.writer.times(count, () => {
        sums.forEach((sum, i) => {
          this.writer.beside(i, () => this.absorb(sum));
        });
        this.writer.advance((walk) => apart * this.#step(walk));
      });
    };
    if (terms <= steps) {
      add(totals, terms);
      return totals;
    }
    const sums = this.identities(totals.length);
    const chunk = (count: number) => {
      this.reset(sums);
      add(sums, count);
      this.#combineEach(totals, sums);
    };
    this.writer.times(Math.floor(terms / steps), () => chunk(steps));
    if (terms % steps > 0) chunk(terms % steps);
    this.release(sums);
    return totals;
  }

  #combineEach(xs: readonly number[], ys: readonly number[]): void {
    xs.forEach((x, i) => {
      this.combine(x, ys[i]!);
    });
  }
}
