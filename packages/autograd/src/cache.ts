import type { TypedArray } from "./dtype.ts";
import { CompileError } from "./errors.ts";
import { FormReader, GraphForm } from "./form.ts";
import type { Tensor } from "./graph.ts";
import { dropLast, moveToFront } from "./memo.ts";
import { Routine } from "./routine.ts";
import type { Topology } from "./topology.ts";
import { isRefused } from "./wasm/module.ts";

/**
 * Which graphs are interpreted when they are read, and which are compiled: those of a form that comes again and again (`form.ts`), and
 * those that would take long.
 */

export interface CacheOptions {
  /**
   * How much work for each node is spent on interpreting graphs of one form before it is compiled: about as much as compiling takes. So
   * nobody spends more than twice what was best, even if the form does not come again (the rule of the ski rental).
   */
  readonly patience?: number | undefined;
  /** A graph that would take more work than this for each node to interpret is compiled at first sight. */
  readonly atOnce?: number | undefined;
  /** How many programs are kept, and how many bytes of memory they may have together: those that ran last stay. */
  readonly limit?: number | undefined;
  readonly bytes?: number | undefined;
}

/** A form and its program. */
interface Entry {
  readonly form: GraphForm;
  /** Null if it cannot be compiled. */
  readonly routine: Routine | null;
  /** Was it made at first sight, and has not run again since? */
  isUnused: boolean;
}

/** The work that takes as long to interpret, by code that the engine is still optimizing, as a node takes to compile: 0.1 ms. */
const worth = 30_000;
/** Graphs of more nodes are interpreted: compiling them would stop a loop for many seconds. */
const largest = 200_000;
/** What compiling a program costs beside its nodes, in nodes. */
const fixedNodes = 50;
/**
 * When so many programs that were made at first sight have not run again, shapes seem to differ each time: no more are made at first sight.
 * Large nodes are computed by modules anyway.
 */
const mostUnused = 3;
/** Bytes that a program of a form that was seen once may take. A larger one runs, and is not kept. */
const mostForOne = 2 ** 24;
/** A graph of fewer nodes, none of them larger than `fewElements`, is interpreted in the time that finding its form would take. */
const fewNodes = 4;
const fewElements = 1000;

/** Programs for graphs that are evaluated again and again. */
export class Cache {
  /** Programs made, and evaluations that ran one. */
  compiled = 0;
  runs = 0;
  readonly #patience: number;
  readonly #atOnce: number;
  readonly #limit: number;
  readonly #bytes: number;
  /** The programs; the one used last is first. */
  readonly entries: Entry[] = [];
  readonly #reader = new FormReader();
  readonly #sightings = new Sightings();
  #unused = 0;

  constructor({ patience = worth, atOnce = worth, limit = 64, bytes = 2 ** 30 }: CacheOptions = {}) {
    this.#patience = patience;
    this.#atOnce = atOnce;
    this.#limit = limit;
    this.#bytes = bytes;
  }

  /**
   * Evaluates by a program: the elements of the `wanted` nodes, the last `updates` of which are pending versions. Null if this
   * graph is to be interpreted.
   */
  evaluate(order: Topology, wanted: readonly number[], updates: number): TypedArray[] | null {
    if (order.nodes.length > largest || isTiny(order.nodes)) return null;
    const known = this.#find(order, wanted, updates);
    if (known?.isUnused) {
      known.isUnused = false;
      this.#unused--;
    }
    const entry = known ?? this.#make(order, wanted, updates);
    if (!entry?.routine) return null;
    try {
      const values = entry.routine.run(order, wanted);
      this.runs++;
      return values;
    } catch (error) {
      if (error instanceof WebAssembly.RuntimeError) throw error;
      // The program would name lines of the graph that it was made from; the interpreter throws again and names those of this one.
      return null;
    }
  }

  /** The form that ran last of those with so many wanted nodes, so many of them pending versions; null if there is none. */
  formFor(wanted: number, updates: number): GraphForm | null {
    for (const { form } of this.entries)
      if (form.roots.length === wanted && form.pairs.length === updates) return form;
    return null;
  }

  #find(order: Topology, wanted: readonly number[], updates: number): Entry | null {
    const entries = this.entries;
    for (let i = 0; i < entries.length; i++) {
      const entry = entries[i]!;
      if (!entry.form.matches(order, wanted, updates)) continue;
      moveToFront(entries, i);
      return entry;
    }
    return null;
  }

  #make(order: Topology, wanted: readonly number[], updates: number): Entry | null {
    if (!this.#reader.read(order, wanted, updates)) return null;
    const { hash, work } = this.#reader;
    const spent = this.#sightings.add(hash, work);
    const isNew = spent === 0;
    const nodesToCompile = order.nodes.length + fixedNodes;
    const least = isNew ? (this.#unused < mostUnused ? this.#atOnce : Infinity) : this.#patience;
    if ((isNew ? work : spent) < least * nodesToCompile) return null;
    const form = new GraphForm(this.#reader, order, wanted);
    const entry = { form, routine: this.#compile(form, order, wanted), isUnused: isNew };
    if (isNew) this.#unused++;
    // What was seen once may not come again, such as the initial elements of a large matrix.
    if (isNew && entry.routine && entry.routine.bytes > mostForOne) return entry;
    this.#sightings.forget(hash);
    this.entries.unshift(entry);
    dropLast(this.entries, this.#limit, this.#bytes, ({ routine }) => routine?.bytes ?? 0);
    return entry;
  }

  #compile(form: GraphForm, order: Topology, wanted: readonly number[]): Routine | null {
    if (isRefused()) return null;
    try {
      const routine = new Routine(form, order, wanted);
      this.compiled++;
      return routine;
    } catch (error) {
      if (isRefusal(error)) return null;
      throw error;
    }
  }
}

function isTiny(nodes: readonly Tensor[]): boolean {
  return nodes.length < fewNodes && nodes.every(({ size }) => size <= fewElements);
}

/** Does the error say that there is no program? Ours does for ops, the engine's for functions that are too long or too much memory. */
function isRefusal(error: unknown): boolean {
  return (
    error instanceof CompileError || error instanceof WebAssembly.CompileError || error instanceof RangeError
  );
}

/** How much work went into interpreting the forms that were seen lately, by hash. */
class Sightings {
  readonly #hashes = new Int32Array(512).fill(-1);
  readonly #work = new Float64Array(512);

  /** Adds work and returns what there was before: 0 for a form that was not seen, or was forgotten. */
  add(hash: number, work: number): number {
    // A hash has four places, so that two forms of one loop cannot keep pushing each other out.
    const first = (4 * hash) % this.#hashes.length;
    let least = first;
    for (let i = first; i < first + 4; i++) {
      if (this.#hashes[i] === hash) {
        const before = this.#work[i]!;
        this.#work[i] = before + work;
        return before;
      }
      if (this.#work[i]! < this.#work[least]!) least = i;
    }
    this.#hashes[least] = hash;
    this.#work[least] = work;
    return 0;
  }

  /** Forgets a form, which has a program now. */
  forget(hash: number): void {
    const i = this.#hashes.indexOf(hash);
    if (i >= 0) this.#work[i] = 0;
  }
}
