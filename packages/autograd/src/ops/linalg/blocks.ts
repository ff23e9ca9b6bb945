import { remembered } from "../../memo.ts";
import type { Name, Run } from "./modules.ts";
import { instantiate } from "./modules.ts";

/**
 * Arithmetic on rows and blocks of float64. Where arrays lie in memory of WebAssembly (`arrays`) it is done there, with the same
 * bits.
 */

/** Memory for arrays of one factorization, and the functions that compute in it. */
class Room {
  readonly #memory: WebAssembly.Memory;
  readonly buffer: ArrayBuffer;
  readonly #runs: { [K in Name]?: Run } = {};

  constructor(memory: WebAssembly.Memory) {
    this.#memory = memory;
    this.buffer = memory.buffer;
  }

  run(name: Name): Run {
    this.#runs[name] ??= instantiate(name, this.#memory);
    return this.#runs[name];
  }
}

const rooms = new WeakMap<ArrayBufferLike, Room>();
let isRefused = false;

/** Fewer elements are not worth a memory, and fewer products, or elements of a vector, not a call. */
const fewest = 2048;
const fewestProducts = 256;
const shortest = 64;
const pageBytes = 65_536;
const mostPages = 65_536;

/** Arrays of zeros. If there are many elements, they lie in one memory of WebAssembly. */
export function arrays<const L extends readonly number[]>(...lengths: L): { [K in keyof L]: Float64Array } {
  return (reused ? reused.take(lengths) : newArrays(lengths)) as { [K in keyof L]: Float64Array };
}

function newArrays(lengths: readonly number[]): Float64Array[] {
  const total = lengths.reduce((sum, length) => sum + length, 0);
  const buffer = total < fewest ? null : newRoom(8 * total);
  let start = 0;
  return lengths.map((length) => {
    if (!buffer) return new Float64Array(length);
    start += length;
    return new Float64Array(buffer, 8 * (start - length), length);
  });
}

/** Arrays that serve one matrix of a batch after the other. */
export class ArrayPool {
  readonly #free = new Map<string, Float64Array[][]>();
  #taken: { readonly key: string; readonly made: Float64Array[] }[] = [];

  /** Runs `f`: all arrays that it makes are overwritten by the next run, so that its results have to be copied before. */
  run(f: () => void): void {
    const before = reused;
    reused = this;
    try {
      f();
    } finally {
      reused = before;
      for (const { key, made } of this.#taken) this.#free.get(key)!.push(made);
      this.#taken = [];
    }
  }

  take(lengths: readonly number[]): Float64Array[] {
    const key = lengths.join();
    const free = remembered(this.#free, key, () => []);
    const made = free.pop();
    if (made) for (const array of made) array.fill(0);
    const taken = made ?? newArrays(lengths);
    this.#taken.push({ key, made: taken });
    return taken;
  }
}

/** Those of the batch at work, if there is one. */
let reused: ArrayPool | null = null;

/** The buffer of a new memory; null where WebAssembly, or memory, is refused. */
function newRoom(bytes: number): ArrayBuffer | null {
  const pages = Math.ceil(bytes / pageBytes);
  if (isRefused || pages > mostPages) return null;
  try {
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
    const room = new Room(memory);
    room.run("block");
    rooms.set(room.buffer, room);
    return room.buffer;
  } catch (error) {
    isRefused = !(error instanceof RangeError);
    return null;
  }
}

/** The function that computes with these arrays, if all lie in one memory. */
function runFor(name: Name, x: Float64Array, y: Float64Array, z: Float64Array = y): Run | undefined {
  const { buffer } = x;
  return buffer === y.buffer && buffer === z.buffer ? rooms.get(buffer)?.run(name) : undefined;
}

/** Rows that are taken at once: what they hold stays in the first-level cache. */
const depth = 64;

// These take places and widths one by one: an object for each block would be made for every row of a matrix.

/** Takes from a block of elements the product of two others: of each block the first place and the width of its rows. */
export function subtractProduct(
  [height, count, length]: readonly [number, number, number],
  to: Float64Array,
  at: number,
  toWidth: number,
  factors: Float64Array,
  first: number,
  factorWidth: number,
  rows: Float64Array,
  start: number,
  width: number,
): void {
  if (height === 0 || count === 0 || length === 0) return;
  const run = height * count * length < fewestProducts ? undefined : runFor("block", to, factors, rows);
  if (run)
    inMemory(run, height, count, length, to, at, toWidth, factors, first, factorWidth, rows, start, width);
  else
    for (let row = 0; row < height; row++)
      subtractInTurn(
        to,
        at + row * toWidth,
        length,
        factors,
        first + row * factorWidth,
        count,
        rows,
        start,
        width,
      );
}

/** The same of one row, whose factors lie side by side. */
export function subtractRows(
  to: Float64Array,
  at: number,
  length: number,
  factors: Float64Array,
  first: number,
  count: number,
  rows: Float64Array,
  start: number,
  width: number,
): void {
  const run = count * length < fewestProducts ? undefined : runFor("row", to, factors, rows);
  if (run) inMemory(run, 1, count, length, to, at, 0, factors, first, 0, rows, start, width);
  else subtractInTurn(to, at, length, factors, first, count, rows, start, width);
}

/** The same by a function of WebAssembly, which counts in bytes. */
function inMemory(
  run: Run,
  height: number,
  count: number,
  length: number,
  to: Float64Array,
  at: number,
  toWidth: number,
  factors: Float64Array,
  first: number,
  factorWidth: number,
  rows: Float64Array,
  start: number,
  width: number,
): void {
  const [out, left, right] = [
    to.byteOffset + 8 * at,
    factors.byteOffset + 8 * first,
    rows.byteOffset + 8 * start,
  ];
  for (let k = 0; k < count; k += depth)
    run(
      height,
      8 * Math.min(depth, count - k),
      length,
      out,
      8 * toWidth,
      left + 8 * k,
      8 * factorWidth,
      right + 8 * k * width,
      8 * width,
    );
}

/** Takes from `length` elements a sum of rows, four at a time, so that an element is read and written once for four. */
function subtractInTurn(
  to: Float64Array,
  at: number,
  length: number,
  factors: Float64Array,
  first: number,
  count: number,
  rows: Float64Array,
  start: number,
  width: number,
): void {
  let [i, next] = [first, start];
  for (; i + 3 < first + count; i += 4, next += 4 * width) {
    const a = factors[i]!;
    const b = factors[i + 1]!;
    const c = factors[i + 2]!;
    const d = factors[i + 3]!;
    for (let j = at, k = next; j < at + length; j++, k++)
      to[j] =
        to[j]! - a * rows[k]! - b * rows[k + width]! - c * rows[k + 2 * width]! - d * rows[k + 3 * width]!;
  }
  for (; i < first + count; i++, next += width) {
    const a = factors[i]!;
    for (let j = at, k = next; j < at + length; j++, k++) to[j]! -= a * rows[k]!;
  }
}

/** Takes `v[i] w + w[i] v` from each row `i` of the square block at `at`: a symmetric one stays symmetric to the bit. */
export function subtractBoth(
  m: Float64Array,
  at: number,
  width: number,
  v: Float64Array,
  w: Float64Array,
): void {
  const size = v.length;
  const run = size * size < fewestProducts ? undefined : runFor("both", m, v, w);
  if (run) {
    run(size, m.byteOffset + 8 * at, 8 * width, v.byteOffset, w.byteOffset);
    return;
  }
  for (let i = 0; i < size; i++) {
    const [a, b] = [v[i]!, w[i]!];
    for (let j = 0, k = at + i * width; j < size; j++, k++) m[k]! -= a * w[j]! + b * v[j]!;
  }
}

/** Turns two vectors by the angle of this cosine and sine. */
export function rotate(x: Float64Array, y: Float64Array, cos: number, sin: number): void {
  const run = x.length < shortest ? undefined : runFor("rotation", x, y);
  if (run) {
    run(x.length, x.byteOffset, y.byteOffset, cos, sin);
    return;
  }
  for (let i = 0; i < x.length; i++) {
    const a = x[i]!;
    const b = y[i]!;
    x[i] = cos * a - sin * b;
    y[i] = sin * a + cos * b;
  }
}

/** The inner product, in eight sums. */
export function inner(x: Float64Array, y: Float64Array): number {
  const { length } = x;
  const run = length < shortest ? undefined : runFor("inner", x, y);
  if (run) return run(length, x.byteOffset, y.byteOffset);
  let [a, b, c, d, e, f, g, h] = [0, 0, 0, 0, 0, 0, 0, 0];
  let i = 0;
  for (; i + 7 < length; i += 8) {
    a += x[i]! * y[i]!;
    b += x[i + 1]! * y[i + 1]!;
    c += x[i + 2]! * y[i + 2]!;
    d += x[i + 3]! * y[i + 3]!;
    e += x[i + 4]! * y[i + 4]!;
    f += x[i + 5]! * y[i + 5]!;
    g += x[i + 6]! * y[i + 6]!;
    h += x[i + 7]! * y[i + 7]!;
  }
  let total = a + c + (e + g) + (b + d + (f + h));
  for (; i < length; i++) total += x[i]! * y[i]!;
  return total;
}
