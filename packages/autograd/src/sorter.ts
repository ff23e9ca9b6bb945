import type { TypedArray } from "./dtype.ts";

/** Up to so many places are found by insertion; more by the digits of the elements (radix sort). */
const few = 64;
const sign = 2 ** 31;

/** Finds the order of lists of one length in one array, or its first places; the memory that it takes is used again. */
export class Sorter {
  readonly #data: TypedArray;
  readonly #bits: Int32Array | null;
  readonly #flip: number;
  readonly #count: number;
  /** What is compared of each element, a whole number; if these are equal, for float64 another. */
  readonly #high: Int32Array;
  readonly #low: Int32Array | null;
  readonly #buckets: Int32Array = new Int32Array(2048);
  #order: Int32Array;
  #other: Int32Array;
  #words: [Int32Array, Int32Array] | null = null;

  constructor(data: TypedArray, size: number, descending: boolean, count: number = size) {
    const isFloat = data instanceof Float32Array || data instanceof Float64Array;
    this.#data = data;
    this.#bits = isFloat ? new Int32Array(data.buffer, data.byteOffset, data.byteLength / 4) : null;
    this.#flip = descending ? -1 : 0;
    this.#count = count;
    this.#high = new Int32Array(size);
    this.#low = data instanceof Float64Array ? new Int32Array(size) : null;
    this.#order = new Int32Array(size);
    this.#other = new Int32Array(size);
  }

  /**
   * The places in the order of `data[start + place * step]`: NaN after all numbers, -0 equal to 0, and what is equal in the order of
   * its places. The next call writes over the answer.
   */
  sort(start: number, step: number): Int32Array {
    this.#read(start, step);
    if (this.#count <= few) this.#insert();
    else this.#distribute(this.#chosen());
    return this.#order;
  }

  /** The last of the first places alone. */
  last(start: number, step: number): number {
    this.#read(start, step);
    if (this.#count > few) return this.#select(this.#count - 1);
    this.#insert();
    return this.#order[this.#count - 1]!;
  }

  #read(start: number, step: number): void {
    if (!this.#bits) this.#readIntegers(start, step);
    else if (this.#low) this.#readDoubles(start, step, this.#bits, this.#low);
    else this.#readSingles(start, step, this.#bits);
  }

  #readIntegers(start: number, step: number): void {
    const high = this.#high;
    for (let i = 0; i < high.length; i++) high[i] = this.#data[start + i * step]! ^ this.#flip;
  }

  /**
   * As integers, the bits of floats from 0 up have the order of the floats, and those below 0 the reverse order, so these are negated. There is
   * no branch for that: where signs follow no pattern, it would be predicted wrong half of the time.
   */
  #readSingles(start: number, step: number, bits: Int32Array): void {
    const high = this.#high;
    const flip = this.#flip;
    for (let i = 0; i < high.length; i++) {
      const word = bits[start + i * step]!;
      const below = word >> 31;
      const key = ((word ^ below) - below) ^ (below << 31);
      high[i] = ((word & ~sign) > 0x7f800000 ? ~sign : key) ^ flip;
    }
  }

  #readDoubles(start: number, step: number, bits: Int32Array, low: Int32Array): void {
    const high = this.#high;
    const flip = this.#flip;
    for (let i = 0; i < high.length; i++) {
      const at = 2 * (start + i * step);
      const lower = bits[at]!;
      const word = bits[at + 1]!;
      const size = word & ~sign;
      const isNaN = size > 0x7ff00000 || (size === 0x7ff00000 && lower !== 0);
      const below = word >> 31;
      const borrow = lower === 0 ? 0 : 1;
      const key = (((word ^ below) - below) ^ (below << 31)) - (borrow & below);
      high[i] = (isNaN ? ~sign : key) ^ flip;
      // Compared as numbers with a sign, as the higher ones are.
      low[i] = (isNaN ? 0 : (lower ^ below) - below) ^ flip ^ sign;
    }
  }

  #isLess(i: number, j: number): boolean {
    const a = this.#high[i]!;
    const b = this.#high[j]!;
    return a < b || (a === b && this.#low !== null && this.#low[i]! < this.#low[j]!);
  }

  #insert(): void {
    const order = this.#order;
    const high = this.#high;
    const count = this.#count;
    const size = count === 0 ? 0 : order.length;
    let last = ~sign;
    for (let i = 0; i < size; i++) {
      // Most elements of a long list end here.
      if (high[i]! > last || (i >= count && !this.#isLess(i, order[count - 1]!))) continue;
      let at = Math.min(i, count - 1);
      for (; at > 0 && this.#isLess(i, order[at - 1]!); at--) order[at] = order[at - 1]!;
      order[at] = i;
      if (i >= count - 1) last = high[order[count - 1]!]!;
    }
  }

  /** Puts the places that are to be sorted into the order, by their numbers, and gives how many they are. */
  #chosen(): number {
    const size = this.#order.length;
    if (4 * this.#count >= size) {
      for (let i = 0; i < size; i++) this.#order[i] = i;
      return size;
    }
    const last = this.#select(this.#count - 1);
    let next = 0;
    for (let i = 0; i < size; i++)
      if (this.#isLess(i, last) || (i <= last && !this.#isLess(last, i))) this.#order[next++] = i;
    return next;
  }

  #distribute(size: number): void {
    const high = this.#distributeBy(this.#high, size);
    if (this.#low === null || this.#sortRuns(high, size)) return;
    this.#order.subarray(0, size).sort();
    this.#distributeBy(this.#low, size);
    this.#distributeBy(this.#high, size);
  }

  /** Sorts by digits, the last first; elements of one digit keep their order. The words move along, side by side as caches like it; they are returned. */
  #distributeBy(word: Int32Array, size: number): Int32Array {
    const width = size < 1000 ? 8 : 11;
    const buckets = this.#buckets;
    const mask = 2 ** width - 1;
    this.#words ??= [new Int32Array(word.length), new Int32Array(word.length)];
    let [words, otherWords] = this.#words;
    for (let i = 0; i < size; i++) words[i] = word[this.#order[i]!]!;
    for (let shift = 0; shift < 32; shift += width) {
      const [order, other] = [this.#order, this.#other];
      // The digit of the sign: below 0 comes first.
      const flip = shift + width < 32 ? 0 : sign >>> shift;
      buckets.fill(0, 0, mask + 1);
      for (let i = 0; i < size; i++) buckets[((words[i]! >>> shift) & mask) ^ flip]!++;
      if (buckets[((words[0]! >>> shift) & mask) ^ flip] === size) continue;
      for (let digit = 0, next = 0; digit <= mask; digit++) {
        const count = buckets[digit]!;
        buckets[digit] = next;
        next += count;
      }
      for (let i = 0; i < size; i++) {
        const value = words[i]!;
        const at = buckets[((value >>> shift) & mask) ^ flip]!++;
        other[at] = order[i]!;
        otherWords[at] = value;
      }
      this.#order = other;
      this.#other = order;
      [words, otherWords] = [otherWords, words];
    }
    return words;
  }

  /** The place of rank `rank`: digit by digit, the first first, only those stay that have the digit of what is sought. */
  #select(rank: number): number {
    const order = this.#order;
    const buckets = this.#buckets;
    let size = order.length;
    let before = 0;
    for (let i = 0; i < size; i++) order[i] = i;
    for (const word of this.#low ? [this.#high, this.#low] : [this.#high])
      for (let shift = 24; shift >= 0 && size > few; shift -= 8) {
        const flip = shift === 24 ? 128 : 0;
        buckets.fill(0, 0, 256);
        for (let i = 0; i < size; i++) buckets[((word[order[i]!]! >>> shift) & 255) ^ flip]!++;
        let digit = 0;
        for (; before + buckets[digit]! <= rank; digit++) before += buckets[digit]!;
        let left = 0;
        for (let i = 0; i < size; i++) {
          const place = order[i]!;
          if ((((word[place]! >>> shift) & 255) ^ flip) === digit) order[left++] = place;
        }
        size = left;
      }
    // More than a few are equal.
    if (size <= few) for (let i = 1; i < size; i++) this.#putBack(i, 0);
    return order[rank - before]!;
  }

  /** Puts the place at `i` of the order where it belongs among those from `start` on. */
  #putBack(i: number, start: number): void {
    const order = this.#order;
    const place = order[i]!;
    let at = i;
    for (; at > start && this.#isLess(place, order[at - 1]!); at--) order[at] = order[at - 1]!;
    order[at] = place;
  }

  /** Sorts what is equal in its higher words, as a rule little; false if that would take long. */
  #sortRuns(high: Int32Array, size: number): boolean {
    for (let i = 1, start = 0; i < size; i++) {
      if (high[i] !== high[start]) start = i;
      if (i - start > few) return false;
      if (i > start) this.#putBack(i, start);
    }
    return true;
  }
}
