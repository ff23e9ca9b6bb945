import type { DType } from "../dtype.ts";
import { byteSize } from "../dtype.ts";
import { CompileError } from "../errors.ts";
import type { Tensor } from "../graph.ts";
import { elementsOf } from "../graph.ts";
import { remembered } from "../memo.ts";
import { withoutValue } from "../ops/leaf.ts";
import type { Instruction } from "../program.ts";
import { sizeOf } from "../shape.ts";
import type { Form, Scalar } from "./kernel.ts";
import { canFail, resultsOf } from "./kernel.ts";
import { splatKey } from "./lanes.ts";
import type { Nest } from "./loops.ts";
import { isHeld } from "./stored.ts";

/** A graph to be compiled: the leaves that it begins with, and the nodes that are wanted. */
export interface Traced {
  /** Leaves that stand for the arguments. */
  readonly inputs: readonly Tensor[];
  /** Leaves that stand for the versions of variables that it begins with. */
  readonly states: readonly Tensor[];
  readonly outputs: readonly Tensor[];
  /** The new version of each state, or null if it stays. */
  readonly updates: readonly (Tensor | null)[];
}

/** The nodes that are wanted. */
export function rootsOf({ outputs, updates }: Traced): Tensor[] {
  return [...outputs, ...updates.filter((x) => x !== null)];
}

/** Where everything lies in memory. */
export interface Layout {
  /** The first byte of each stored node. */
  readonly addresses: ReadonlyMap<Tensor, number>;
  /** The first byte of memory for sums that a nest keeps between its rounds. */
  readonly scratch: number;
  /** The first byte of each table, in each dtype. */
  readonly tables: ReadonlyMap<readonly number[], Readonly<Partial<Record<DType, number>>>>;
  /** The first byte of each vector whose lanes are one number, by `splatKey`. */
  readonly splats: ReadonlyMap<string, number>;
  /** What is written once, before the first run. */
  readonly constants: readonly {
    readonly address: number;
    readonly dtype: DType;
    readonly data: ArrayLike<number>;
  }[];
  /** Updates that are not computed in place: they are copied to the states when everything is computed. */
  readonly copies: readonly { readonly from: number; readonly to: number; readonly bytes: number }[];
  /** Bytes in all. */
  readonly size: number;
}

/** At the beginning of memory a check that fails leaves the number of its nest, counted from 1, and the index. */
export const errorBytes = 16;

/** Gives everything an address. What is never needed at the same time may share one. */
export function plan(nests: readonly Nest[], traced: Traced): Layout {
  const arena = new Arena(errorBytes);
  const addresses = new Map<Tensor, number>();
  const constants: Layout["constants"][number][] = [];
  for (const x of [...traced.inputs, ...traced.states])
    if (!addresses.has(x)) addresses.set(x, arena.take(bytesOf(x)));
  const lives = livesOf(nests, traced);
  for (const x of lives.held) {
    if (addresses.has(x)) continue;
    const data = elementsOf(x);
    if (!data) throw new CompileError(`compile: ${withoutValue(x)}`);
    addresses.set(x, arena.take(bytesOf(x)));
    constants.push({ address: addresses.get(x)!, dtype: x.dtype, data });
  }
  /** One nest of each form. */
  const distinct = new Map<Form, Nest>();
  for (const nest of nests) distinct.set(nest.form, nest);
  const fixed = new Fixed();
  fixed.add(distinct.values(), (bytes) => arena.take(bytes));
  const scratch = arena.take(scratchBytes(nests));
  for (const [to, from] of inPlace(nests, traced, lives)) addresses.set(from, addresses.get(to)!);
  placeTemporaries(nests, lives, arena, addresses);
  const copies: { from: number; to: number; bytes: number }[] = [];
  for (let i = 0; i < traced.updates.length; i++) {
    const from = traced.updates[i]!;
    const to = traced.states[i]!;
    if (from && addresses.get(from) !== addresses.get(to))
      copies.push({ from: addresses.get(from) ?? 0, to: addresses.get(to)!, bytes: bytesOf(to) });
  }
  const { tables, splats } = fixed;
  return {
    addresses,
    scratch,
    tables,
    splats,
    constants: [...constants, ...fixed.constants],
    copies,
    size: arena.size,
  };
}

/** The numbers that code finds in memory: tables, and vectors of equal numbers. Each is there once. */
export class Fixed implements Pick<Layout, "tables" | "splats" | "constants"> {
  readonly tables: Map<readonly number[], Partial<Record<DType, number>>> = new Map();
  readonly splats: Map<string, number> = new Map();
  readonly constants: Layout["constants"][number][] = [];

  /** Adds what these nests need, at addresses from `take`. */
  add(nests: Iterable<Nest>, take: (bytes: number) => number): void {
    for (const { form, vector } of nests) {
      const { body, fold, dtype } = form;
      const isVector = vector !== null;
      this.#addSteps(body, isVector, take);
      if (!fold) continue;
      this.#addSteps(fold.combine.instructions, isVector, take);
      if (isVector) this.#addSplat(fold.identity, dtype, take);
    }
  }

  /** Tables, and the numbers that vectors are filled with. The slow side of a `rare` runs lane by lane. */
  #addSteps(
    steps: readonly (Scalar | Instruction)[],
    isVector: boolean,
    take: (bytes: number) => number,
  ): void {
    for (const { word, value, values, dtype, slow } of steps) {
      if (isVector && word === "constant") this.#addSplat(value, dtype, take);
      if (slow) this.#addSteps(slow.instructions, false, take);
      if (!values) continue;
      const known = remembered(this.tables, values, (): Partial<Record<DType, number>> => ({}));
      known[dtype] ??= this.#place(values, dtype, take);
    }
  }

  #addSplat(value: number, dtype: DType, take: (bytes: number) => number): void {
    const key = splatKey(value, dtype);
    if (dtype === "bool" || this.splats.has(key)) return;
    const data = new Array<number>(vectorBytes / byteSize(dtype)).fill(value);
    this.splats.set(key, this.#place(data, dtype, take));
  }

  #place(data: readonly number[], dtype: DType, take: (bytes: number) => number): number {
    const address = take(data.length * byteSize(dtype));
    this.constants.push({ address, dtype, data });
    return address;
  }
}

function bytesOf({ dtype, shape }: Tensor): number {
  return byteSize(dtype) * sizeOf(shape);
}

/** Gives out memory, each time at the lowest address where there is room (first fit), and takes it back. */
class Arena {
  size: number;
  /** What is free, by address. The last gap has no end. */
  readonly #gaps: Gap[];

  constructor(start: number) {
    this.size = start;
    this.#gaps = [{ from: start, to: Infinity }];
  }
  take(bytes: number): number {
    const i = this.#gaps.findIndex(({ from, to }) => to - from >= bytes);
    const gap = this.#gaps[i]!;
    const { from } = gap;
    gap.from += aligned(bytes);
    if (gap.from === gap.to) this.#gaps.splice(i, 1);
    this.size = Math.max(this.size, gap.from);
    return from;
  }
  free(from: number, bytes: number): void {
    const to = from + aligned(bytes);
    const i = this.#gaps.findIndex((gap) => gap.from >= to);
    const [before, after] = [this.#gaps[i - 1], this.#gaps[i]!];
    const start = before?.to === from ? before.from : from;
    const joins = Number(start < from);
    if (after.from === to) {
      after.from = start;
      this.#gaps.splice(i - joins, joins);
    } else this.#gaps.splice(i - joins, joins, { from: start, to });
  }
}

interface Gap {
  from: number;
  readonly to: number;
}

/** Everything begins at a multiple of 16 bytes, so that vectors are aligned, and takes at least as much: no two things share an address. */
function aligned(bytes: number): number {
  return Math.max(16, 16 * Math.ceil(bytes / 16));
}

/** When nodes are in use, in numbers of nests. */
interface Lives {
  /** The nodes that are in memory from the start and are read, in the order of their first use. */
  readonly held: ReadonlySet<Tensor>;
  /** The nest that writes each node, or `several`. */
  readonly writers: ReadonlyMap<Tensor, number>;
  /** The last nest that reads or writes each node; outputs and updates live to the end. */
  readonly last: ReadonlyMap<Tensor, number>;
}

const several = -1;

function livesOf(nests: readonly Nest[], { outputs, updates }: Traced): Lives {
  const held = new Set<Tensor>();
  const writers = new Map<Tensor, number>();
  const last = new Map<Tensor, number>();
  for (let n = 0; n < nests.length; n++) {
    const { nodes, form } = nests[n]!.kernel;
    for (let i = 0; i < nodes.length; i++) {
      const x = nodes[i]!;
      last.set(x, n);
      if (i < form.results.length) writers.set(x, writers.has(x) ? several : n);
      else if (isHeld(x)) held.add(x);
    }
  }
  for (const x of [...outputs, ...updates]) {
    if (!x) continue;
    last.set(x, nests.length);
    if (isHeld(x)) held.add(x);
  }
  return { held, writers, last };
}

const vectorBytes = 16;

/**
 * Updates that may overwrite the version they begin with while they are computed: nothing reads it later, and the one nest
 * that writes it reads each element before it writes it. Nothing changes before the last nest that can fail is done.
 */
function inPlace(nests: readonly Nest[], traced: Traced, { writers, last }: Lives): [Tensor, Tensor][] {
  const lastCheck = nests.findLastIndex(({ form }) => canFail(form));
  const found: [Tensor, Tensor][] = [];
  for (let i = 0; i < traced.updates.length; i++) {
    const from = traced.updates[i]!;
    const to = traced.states[i]!;
    const n = (from && writers.get(from)) ?? several;
    if (!from || n <= lastCheck || traced.outputs.includes(to)) continue;
    const lastRead = last.get(to) ?? -1;
    if (lastRead < n || (lastRead === n && readsInStep(nests[n]!, to))) found.push([to, from]);
  }
  return found;
}

/** Does the nest read only those elements of `x` that it writes next? */
function readsInStep({ kernel, form, places, target }: Nest, x: Tensor): boolean {
  if (form.kind !== "map") return false;
  for (let i = 0; i < kernel.nodes.length; i++)
    if (kernel.nodes[i] === x && kernel.starts[i] !== 0) return false;
  for (let i = 0; i < places.length; i++) {
    const place = places[i];
    const { source } = form.body[i]!;
    if (!place || source < 0 || kernel.nodes[source] !== x) continue;
    if (place.walk !== target.walk || place.offset !== target.offset) return false;
  }
  return true;
}

/** The most that a nest keeps between its rounds: for each lane the sum of a chunk and the sum so far. */
export function scratchBytes(nests: readonly Nest[]): number {
  let most = 0;
  for (const { form, vector } of nests) {
    const { kind, fold, dtype } = form;
    if (!fold || kind === "product") continue;
    most = Math.max(most, 2 * fold.order.lanes * (vector ? vectorBytes : byteSize(dtype)));
  }
  return most;
}

/** Gives addresses to what the nests write and has none yet, each from the nest that writes it to the last that reads it. */
function placeTemporaries(
  nests: readonly Nest[],
  { last }: Lives,
  arena: Arena,
  addresses: Map<Tensor, number>,
): void {
  const temporaries = new Set<Tensor>();
  for (let n = 0; n < nests.length; n++) {
    const { kernel } = nests[n]!;
    for (const x of resultsOf(kernel)) {
      if (addresses.has(x)) continue;
      addresses.set(x, arena.take(bytesOf(x)));
      temporaries.add(x);
    }
    for (const x of kernel.nodes)
      if (last.get(x) === n && temporaries.delete(x)) arena.free(addresses.get(x)!, bytesOf(x));
  }
}
