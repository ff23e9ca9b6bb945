import type { DType, TypedArray } from "../dtype.ts";
import { arrayAt, byteSize, copyOf, dtypeOf } from "../dtype.ts";
import type { Code } from "../wasm/assembler.ts";
import { assemble } from "../wasm/assembler.ts";
import { moduleOf } from "../wasm/module.ts";
import type { Nest } from "./loops.ts";
import type { Layout } from "./plan.ts";
import { errorBytes, Fixed } from "./plan.ts";

/** The function of a tool: it is given addresses and sizes, and some return a number. */
export type Run = (...numbers: number[]) => number | undefined;

/** A module whose function `run` works in the memory of a workspace. */
export interface Tool {
  readonly module: WebAssembly.Module;
}

const pageBytes = 65_536;
/** The first bytes are for numbers that code finds in memory. */
const fixedBytes = 4 * pageBytes;
const leastBytes = 2 ** 22;
const mostBytes = 2 ** 30;
/** Code may read so far behind the last element. */
const margin = 4096;
/** Copying fewer bytes again takes less time than finding their copy. */
const fewestResident = 4096;
/**
 * The copy of an array stays if so many evaluations have copied it before. Weights change at each step of a training, so that a copy
 * would be of no use.
 */
const sightingsBefore = 2;
const sightings = new WeakMap<TypedArray, number>();

/** The tables and vectors that the code of all tools needs. They lie at the same addresses in every workspace. */
const fixed = new Fixed();
let fixedEnd = errorBytes;

/** Places what code needs beside its operands; false, and nothing is placed, if there is no room. */
export function placeFixed(nests: readonly Nest[]): boolean {
  let needed = 0;
  new Fixed().add(nests, (bytes) => {
    needed += aligned(bytes);
    return 0;
  });
  if (fixedEnd + needed > fixedBytes) return false;
  fixed.add(nests, (bytes) => {
    const address = fixedEnd;
    fixedEnd += aligned(bytes);
    return address;
  });
  return true;
}

/** Where tools find these numbers. */
export const fixedLayout: Layout = {
  addresses: new Map(),
  scratch: 0,
  tables: fixed.tables,
  splats: fixed.splats,
  constants: [],
  copies: [],
  size: 0,
};

/** The last of these functions as a tool. Throws where WebAssembly is refused. */
export function newTool(functions: readonly Code[]): Tool {
  return { module: moduleOf(assemble(functions, 1, { memory: "host" })) };
}

const aligned = (bytes: number): number => 16 * Math.ceil(bytes / 16);

/** With room for a vector that begins at the last element. */
const roomed = (bytes: number): number => aligned(bytes + 15);

/**
 * Memory for what one evaluation computes, which modules share, so that nothing is copied between them. What is to stay is copied out at the
 * end.
 */
export class Workspace {
  readonly #memory: WebAssembly.Memory;
  readonly #buffer: ArrayBuffer;
  readonly #runs = new Map<Tool, Run>();
  /** How many of the fixed numbers are there. */
  #written = 0;
  /** Where nothing was given out yet. */
  #end = fixedBytes;
  /** What was given back, by bytes. */
  readonly #free = new Map<number, number[]>();
  /** Where copies of arrays from elsewhere lie. */
  readonly #copies = new Map<TypedArray, number>();
  /** Where copies lie that outlive the evaluation, from the end of memory down. */
  #residents = new WeakMap<TypedArray, number>();
  #ceiling: number;

  constructor(bytes: number) {
    const pages = Math.ceil(bytes / pageBytes);
    this.#memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
    this.#buffer = this.#memory.buffer;
    this.#ceiling = this.bytes - margin;
  }

  get bytes(): number {
    return this.#buffer.byteLength;
  }
  /** What the next evaluation finds free. */
  get free(): number {
    return this.#ceiling - fixedBytes;
  }

  clear(): void {
    this.#end = fixedBytes;
    this.#free.clear();
    this.#copies.clear();
  }
  /** No copy stays. */
  dismiss(): void {
    this.#residents = new WeakMap();
    this.#ceiling = this.bytes - margin;
  }

  /** Elements with any values, or null if there is no room. */
  take(dtype: DType, size: number): TypedArray | null {
    const address = this.#allocate(roomed(size * byteSize(dtype)));
    return address < 0 ? null : arrayAt(this.#buffer, address, dtype, size);
  }

  #allocate(bytes: number): number {
    const free = this.#free.get(bytes)?.pop();
    if (free !== undefined) return free;
    const address = this.#end;
    if (address + bytes > this.#ceiling) return -1;
    this.#end += bytes;
    return address;
  }
  #reside(bytes: number): number {
    const address = this.#ceiling - bytes;
    if (address < this.#end) return -1;
    this.#ceiling = address;
    return address;
  }

  has(array: TypedArray): boolean {
    return array.buffer === this.#buffer;
  }

  give(array: TypedArray): void {
    this.#release(array.byteOffset, array);
  }
  /** What lies elsewhere will hold something else: its copy is of no use. */
  forget(array: TypedArray): void {
    this.#residents.delete(array);
    if (this.#copies.size === 0) return;
    const address = this.#copies.get(array);
    if (address === undefined) return;
    this.#copies.delete(array);
    this.#release(address, array);
  }
  #release(address: number, array: TypedArray): void {
    const bytes = roomed(array.byteLength);
    const list = this.#free.get(bytes);
    if (list) list.push(address);
    else this.#free.set(bytes, [address]);
  }

  /** The address of these elements, which are copied here if they lie elsewhere; -1 if there is no room. */
  addressOf(array: TypedArray): number {
    if (array.buffer === this.#buffer) return array.byteOffset;
    const mayStay = array.byteLength >= fewestResident;
    const known = this.#copies.get(array) ?? (mayStay ? this.#residents.get(array) : undefined);
    if (known !== undefined) return known;
    const stays = mayStay && this.#comesAgain(array);
    const bytes = roomed(array.byteLength);
    const address = stays ? this.#reside(bytes) : this.#allocate(bytes);
    if (address < 0) return -1;
    arrayAt(this.#buffer, address, dtypeOf(array), array.length).set(array);
    if (stays) this.#residents.set(array, address);
    else this.#copies.set(array, address);
    return address;
  }

  #comesAgain(array: TypedArray): boolean {
    const count = sightings.get(array) ?? 0;
    if (count < sightingsBefore) sightings.set(array, count + 1);
    return count >= sightingsBefore;
  }

  /** Puts the last of so many elements behind them, up to a whole number of `width`. */
  repeatLast(address: number, dtype: DType, size: number, width: number): void {
    const array = arrayAt(this.#buffer, address, dtype, width * Math.ceil(size / width));
    array.fill(array[size - 1]!, size);
  }

  /** These elements as an array that stays. */
  kept(array: TypedArray): TypedArray {
    return this.has(array) ? copyOf(array) : array;
  }

  /** A tool that works here. */
  run(tool: Tool): Run {
    const known = this.#runs.get(tool);
    if (known) return known;
    for (; this.#written < fixed.constants.length; this.#written++) {
      const { address, dtype, data } = fixed.constants[this.#written]!;
      arrayAt(this.#buffer, address, dtype, data.length).set(data);
    }
    const { run } = new WebAssembly.Instance(tool.module, { host: { memory: this.#memory } }).exports;
    this.#runs.set(tool, run as Run);
    return run as Run;
  }
}

/** Bytes of a workspace that outlives its evaluation in any case. */
const mostForLong = 2 ** 26;

/** The workspace of the next evaluation; the collector may take a large one when it is not in use. */
let last: Workspace | WeakRef<Workspace> | null = null;
let isBusy = false;
let isRefused = false;

/** From now on there is none: modules are not allowed here. */
export function refuseWorkspaces(): void {
  isRefused = true;
}

/**
 * Runs `f` with a workspace that has room for so many bytes and for copies if it can be had, or with none while another evaluation has
 * it.
 */
export function withWorkspace<T>(bytes: number, copied: number, f: (workspace: Workspace | null) => T): T {
  const workspace = isBusy ? null : roomFor(bytes, copied);
  if (workspace === null) return f(null);
  isBusy = true;
  try {
    return f(workspace);
  } finally {
    isBusy = false;
    workspace.clear();
    last = workspace.bytes > mostForLong ? new WeakRef(workspace) : workspace;
  }
}

/**
 * The last workspace or a larger one; null where WebAssembly, or memory, is refused. Memory that nobody writes to is not taken of the machine:
 * there is room for the copies and for as many that stayed.
 */
function roomFor(bytes: number, copied: number): Workspace | null {
  const known = last instanceof Workspace ? last : (last?.deref() ?? null);
  const needed = Math.min(mostBytes, Math.max(leastBytes, fixedBytes + bytes + 2 * copied + margin));
  if (isRefused || typeof WebAssembly === "undefined") return null;
  if (known && known.bytes >= needed) return roomy(known, bytes + copied);
  try {
    return new Workspace(2 ** (32 - Math.clz32(needed - 1)));
  } catch {
    return known && roomy(known, bytes + copied);
  }
}

/** Where copies that stayed are in the way, they go. */
function roomy(workspace: Workspace, bytes: number): Workspace {
  if (workspace.free < bytes) workspace.dismiss();
  return workspace;
}
