import { FormatError } from "@cotangent/autograd/functional";

/** Codes of at most this many bits are looked up at once, longer ones bit by bit. */
const quickBits = 9;

const maxBits = 15;

/** A prefix code: the lengths of the codes of its symbols say it all (RFC 1951, section 3.2.2). */
class PrefixCode {
  /** How many codes there are of each length. */
  readonly counts: Uint16Array = new Uint16Array(maxBits + 1);
  /** The symbols in the order of their codes. */
  readonly symbols: Uint16Array;
  /** By the next bits of the stream: 16 times the symbol plus the length of its code, 0 if that is longer. */
  readonly quick: Uint16Array = new Uint16Array(1 << quickBits);
  /** How many codes of the greatest length are not taken; below 0 if there are too many codes. */
  readonly unused: number;

  constructor(lengths: Uint8Array) {
    for (const length of lengths) this.counts[length]!++;
    this.counts[0] = 0;
    const starts = new Uint16Array(maxBits + 2);
    let unused = 1;
    for (let length = 1; length <= maxBits; length++) {
      unused = unused < 0 ? unused : 2 * unused - this.counts[length]!;
      starts[length + 1] = starts[length]! + this.counts[length]!;
    }
    this.unused = unused;
    this.symbols = new Uint16Array(starts[maxBits + 1]!);
    lengths.forEach((length, symbol) => {
      if (length > 0) this.symbols[starts[length]!++] = symbol;
    });
    if (unused >= 0) this.#fillQuick();
  }

  #fillQuick(): void {
    let [code, index] = [0, 0];
    for (let length = 1; length <= quickBits; length++) {
      for (let i = 0; i < this.counts[length]!; i++, code++) {
        const entry = (this.symbols[index++]! << 4) | length;
        for (let bits = reversed(code, length); bits < 1 << quickBits; bits += 1 << length)
          this.quick[bits] = entry;
      }
      code <<= 1;
    }
  }
}

/** The lowest `length` bits of `code` the other way round: the stream has the highest bit of a code first. */
function reversed(code: number, length: number): number {
  let out = 0;
  for (let i = 0; i < length; i++) out |= ((code >> i) & 1) << (length - 1 - i);
  return out;
}

/** The bits of a stream, the lowest bit of a byte first. */
class Bits {
  readonly #name: string;
  readonly #bytes: Uint8Array;
  #at = 0;
  #held = 0;
  #count = 0;

  constructor(name: string, bytes: Uint8Array) {
    this.#name = name;
    this.#bytes = bytes;
  }

  fail(message: string): never {
    throw new FormatError(`${this.#name}: ${message}, at byte ${this.#at} of the compressed data`);
  }

  /** Holds `count` bits (at most 25) if there are so many. */
  #fill(count: number): void {
    while (this.#count < count && this.#at < this.#bytes.length) {
      this.#held |= this.#bytes[this.#at++]! << this.#count;
      this.#count += 8;
    }
  }

  take(count: number): number {
    this.#fill(count);
    if (this.#count < count) this.fail("the compressed data are cut short");
    const value = this.#held & ((1 << count) - 1);
    this.#held >>>= count;
    this.#count -= count;
    return value;
  }

  symbol(code: PrefixCode): number {
    this.#fill(maxBits);
    const entry = code.quick[this.#held & ((1 << quickBits) - 1)]!;
    const length = entry & 15;
    if (length === 0 || length > this.#count) return this.#longSymbol(code);
    this.#held >>>= length;
    this.#count -= length;
    return entry >> 4;
  }

  /** Goes from length to length: the codes of one length are consecutive numbers. */
  #longSymbol({ counts, symbols }: PrefixCode): number {
    let [value, first, index] = [0, 0, 0];
    for (let length = 1; length <= maxBits; length++) {
      value = (value << 1) | this.take(1);
      first <<= 1;
      if (value - first < counts[length]!) return symbols[index + value - first]!;
      index += counts[length]!;
      first += counts[length]!;
    }
    return this.fail("there is no such code");
  }

  /** The next `count` bytes, from the next whole byte on. */
  bytes(count: number): Uint8Array {
    this.#at -= this.#count >> 3;
    [this.#held, this.#count] = [0, 0];
    if (count > this.#bytes.length - this.#at) this.fail("the compressed data are cut short");
    this.#at += count;
    return this.#bytes.subarray(this.#at - count, this.#at);
  }

  /** Are no whole bytes left? */
  get done(): boolean {
    return this.#at - (this.#count >> 3) === this.#bytes.length;
  }
}

/** What each symbol above 256 says of a length, and each symbol of a distance: a base, and how many bits to add to it. */
const lengthBits = Uint8Array.from({ length: 29 }, (_, i) => (i < 4 || i === 28 ? 0 : (i >> 2) - 1));
const lengthBases = basesOf(lengthBits, 3);
lengthBases[28] = 258;
const distanceBits = Uint8Array.from({ length: 30 }, (_, i) => (i < 2 ? 0 : (i >> 1) - 1));
const distanceBases = basesOf(distanceBits, 1);

function basesOf(bits: Uint8Array, first: number): Uint16Array {
  let next = first;
  return Uint16Array.from(bits, (count) => {
    next += 1 << count;
    return next - (1 << count);
  });
}

/** In what order the lengths of the codes for lengths are stored. */
const orderOfLengths = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

/** Two codes: for bytes and lengths, and for distances. */
type Codes = readonly [PrefixCode, PrefixCode];

let fixed: Codes | null = null;

/** Those of blocks that bring none. */
function fixedCodes(): Codes {
  fixed ??= [
    new PrefixCode(new Uint8Array(288).fill(8).fill(9, 144, 256).fill(7, 256, 280)),
    new PrefixCode(new Uint8Array(30).fill(5)),
  ];
  return fixed;
}

/** Is every code taken? A single symbol may have a code of one bit, of which the other half is left. */
function fits({ unused, symbols, counts }: PrefixCode): boolean {
  return unused === 0 || (symbols.length <= 1 && counts[1] === symbols.length);
}

function readCodes(bits: Bits): Codes {
  const [bytes, distances, stored] = [bits.take(5) + 257, bits.take(5) + 1, bits.take(4) + 4];
  if (bytes > 286 || distances > 30) bits.fail("there are too many codes");
  const small = new Uint8Array(19);
  for (const symbol of orderOfLengths.slice(0, stored)) small[symbol] = bits.take(3);
  const code = new PrefixCode(small);
  if (code.unused !== 0) bits.fail("the codes of the lengths do not fit together");
  const lengths = new Uint8Array(bytes + distances);
  for (let at = 0; at < lengths.length; ) {
    const symbol = bits.symbol(code);
    if (symbol < 16) {
      lengths[at++] = symbol;
      continue;
    }
    if (symbol === 16 && at === 0) bits.fail("there is no length to repeat");
    const length = symbol === 16 ? lengths[at - 1]! : 0;
    const times = symbol === 16 ? 3 + bits.take(2) : symbol === 17 ? 3 + bits.take(3) : 11 + bits.take(7);
    if (times > lengths.length - at) bits.fail("there are too many lengths");
    lengths.fill(length, at, at + times);
    at += times;
  }
  const codes: Codes = [new PrefixCode(lengths.subarray(0, bytes)), new PrefixCode(lengths.subarray(bytes))];
  if (!codes.every(fits) || lengths[256] === 0) bits.fail("the codes do not fit together");
  return codes;
}

/**
 * Decompresses `bytes` (DEFLATE, RFC 1951) to exactly `size` bytes; never makes more. Throws FormatError, beginning with `name`,
 * for anything else.
 */
export function inflate(name: string, bytes: Uint8Array, size: number): Uint8Array {
  const bits = new Bits(name, bytes);
  const out = new Uint8Array(size);
  let at = 0;
  for (let last = 0; last === 0; ) {
    last = bits.take(1);
    const kind = bits.take(2);
    if (kind === 3) bits.fail("there is no third kind of block");
    at =
      kind === 0
        ? copyStored(bits, out, at)
        : expand(bits, kind === 1 ? fixedCodes() : readCodes(bits), out, at);
  }
  if (at !== size) bits.fail(`the data have ${at} bytes and not ${size} as declared`);
  if (!bits.done) bits.fail("there is more behind the last block");
  return out;
}

function checkRoom(bits: Bits, out: Uint8Array, at: number, count: number): void {
  if (count > out.length - at) bits.fail(`the data have more than the ${out.length} bytes declared`);
}

function copyStored(bits: Bits, out: Uint8Array, at: number): number {
  const [low, high, notLow, notHigh] = bits.bytes(4);
  const count = low! | (high! << 8);
  if ((count ^ (notLow! | (notHigh! << 8))) !== 0xffff)
    bits.fail("a stored block does not have its length twice");
  checkRoom(bits, out, at, count);
  out.set(bits.bytes(count), at);
  return at + count;
}

/** One block; returns the next place in `out`. */
function expand(bits: Bits, [bytes, distances]: Codes, out: Uint8Array, start: number): number {
  for (let at = start; ; ) {
    const symbol = bits.symbol(bytes);
    if (symbol === 256) return at;
    if (symbol < 256) {
      checkRoom(bits, out, at, 1);
      out[at++] = symbol;
      continue;
    }
    if (symbol > 285) bits.fail("there is no such length");
    const length = lengthBases[symbol - 257]! + bits.take(lengthBits[symbol - 257]!);
    const far = bits.symbol(distances);
    const distance = distanceBases[far]! + bits.take(distanceBits[far]!);
    if (distance > at) bits.fail(`a distance of ${distance} leads before the beginning`);
    checkRoom(bits, out, at, length);
    // One by one: what is copied may be what was just written.
    for (const end = at + length; at < end; at++) out[at] = out[at - distance]!;
  }
}
