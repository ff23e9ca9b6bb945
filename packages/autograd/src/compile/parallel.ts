import { arrayAt } from "../dtype.ts";
import { assemble, Code, drop } from "../wasm/assembler.ts";
import * as atomic from "../wasm/atomic.ts";
import * as i32 from "../wasm/i32.ts";
import { moduleOf } from "../wasm/module.ts";
import type { Division } from "./divide.ts";
import { copy, host, microkernels, partBytes, sharedFunctions, slowFunctions } from "./emit.ts";
import type { Nest } from "./loops.ts";
import { loops } from "./loops.ts";
import type { Layout } from "./plan.ts";
import { Fixed, scratchBytes } from "./plan.ts";
import { pagesOf } from "./run.ts";
import type { Steps } from "./steps.ts";
import { stride } from "./steps.ts";

/** Code for several threads that run one program in one memory. */
export interface Parallel {
  /**
   * Exports `work(thread, maySleep)`, which all threads call at once, and `run`, with which one does it all; imports `host.memory`,
   * and `host.compute`.
   */
  readonly module: WebAssembly.Module;
  readonly pages: number;
  /** The first byte of the words by which threads wait for each other (`words`). */
  readonly words: number;
  /** Writes what the code finds in memory. */
  fill(memory: WebAssembly.Memory): void;
}

/** Bytes from the first word: how many threads have come, how often all had, whether one has given up, and how many sleep. */
export const words = { arrived: 0, turn: 4, broken: 8, sleeping: 12 } as const;

/** Words lie in a line of the cache of their own. */
const lineBytes = 64;

/** Null if nothing in it is worth more than one thread. */
export function* parallel(
  nests: readonly Nest[],
  layout: Layout,
  division: Division,
  relaxed: boolean,
): Steps<Parallel | null> {
  const threads = division.count;
  const stages = nests.map(({ kernel }) => division.of(kernel) ?? [kernel]);
  if (stages.every(({ length }) => length === 1)) return null;
  const parts = yield* loops(stages.flat());
  let end = layout.size;
  const take = (bytes: number): number => {
    const from = lineBytes * Math.ceil(end / lineBytes);
    end = from + bytes;
    return from;
  };
  const fixed = new Fixed();
  fixed.add([...new Map(parts.map((nest) => [nest.form, nest])).values()], take);
  const at = take(lineBytes);
  const layouts = Array.from({ length: threads }, () => ({
    ...layout,
    tables: fixed.tables,
    splats: fixed.splats,
    scratch: take(scratchBytes(parts)),
  }));
  const isOpaque = nests.some(({ form }) => form.kind === "opaque");
  const functions = isOpaque ? [new Code(["i32"])] : [];
  const slow = slowFunctions(functions, layouts[0]!);
  const micro = microkernels(functions, relaxed);
  const barrier = functions.push(barrierOf(threads, at)) - 1;
  const calls = layouts.map((layout) =>
    sharedFunctions(functions, parts, { layout, slow, relaxed }, micro, 1),
  );

  const alone = new Chain([]);
  const chains = layouts.map(() => new Chain(["i32"]));
  const wait = () => {
    for (const chain of chains) chain.code.get(0).call(barrier);
  };
  let next = 0;
  let wasDivided = false;
  for (const [n, stage] of stages.entries()) {
    if (n % stride === stride - 1) yield;
    const isDivided = stage.length > 1;
    if (n > 0 && (isDivided || wasDivided)) wait();
    wasDivided = isDivided;
    for (let thread = 0; thread < stage.length; thread++) {
      const nest = parts[next++]!;
      // What keeps totals in memory has a place for them in each thread, and so functions of its own.
      const call = calls[nest.form.fold && nest.form.kind !== "product" ? thread : 0]!;
      for (const code of [chains[thread]!.code, alone.code])
        if (nest.form.kind === "opaque") code.i32(n).call(0);
        else call(nest, n, code);
    }
  }
  if (wasDivided) wait();
  for (const { from, to, bytes } of layout.copies)
    for (const chain of [chains[0]!, alone]) copy(chain.code, from, to, bytes);

  const work = new Code(["i32", "i32"]);
  chains.forEach((chain, thread) => {
    work.get(0).i32(thread).op(i32.eq).if(null);
    for (const part of chain.parts) work.get(1).call(functions.push(part) - 1);
    work.end();
  });
  const run = new Code();
  for (const part of alone.parts) run.call(functions.push(part) - 1);
  functions.push(work, run);
  yield;
  const pages = pagesOf({ size: end });
  const bytes = assemble(functions, pages, {
    imports: isOpaque ? [host] : [],
    memory: "shared",
    exports: ["work", "run"],
  });
  const fill = ({ buffer }: WebAssembly.Memory) => {
    for (const { address, dtype, data } of fixed.constants)
      arrayAt(buffer, address, dtype, data.length).set(data);
  };
  yield;
  return { module: moduleOf(bytes), pages, words: at, fill };
}

/** A list of calls, in functions that are not too long for the engine's optimizing compiler. */
class Chain {
  readonly parts: Code[];
  readonly #parameters: readonly "i32"[];

  constructor(parameters: readonly "i32"[]) {
    this.#parameters = parameters;
    this.parts = [new Code(parameters)];
  }

  get code(): Code {
    const last = this.parts[this.parts.length - 1]!;
    if (last.length <= partBytes) return last;
    const next = new Code(this.#parameters);
    this.parts.push(next);
    return next;
  }
}

/** Looks for the others this often before a thread lies down, which takes some microseconds. */
const patience = 1 << 14;
/** Nanoseconds of sleep. */
const nap = 1_000_000;

/** Returns when all threads have come. The argument says whether this one may sleep: the main thread of a page may not. */
function barrierOf(threads: number, at: number): Code {
  const code = new Code(["i32"]);
  const [turn, looks] = [code.take("i32"), code.take("i32")];
  code.i32(at).atomic(atomic.load, words.turn).set(turn);
  code.i32(at).i32(1).atomic(atomic.add, words.arrived);
  code
    .i32(threads - 1)
    .op(i32.eq)
    .if(null);
  code.i32(at).i32(0).atomic(atomic.store, words.arrived);
  code.i32(at).i32(1).atomic(atomic.add, words.turn).op(drop);
  code.i32(at).atomic(atomic.load, words.sleeping).if(null);
  code.i32(at).i32(threads).atomic(atomic.notify, words.turn).op(drop).end();
  code.else();
  code.i32(0).set(looks).loop();
  code.i32(at).atomic(atomic.load, words.broken).if(null).unreachable().end();
  code.get(looks).i32(1).op(i32.add).tee(looks).i32(patience).op(i32.atLeastSigned);
  code.get(0).op(i32.and).if(null);
  code.i32(at).i32(1).atomic(atomic.add, words.sleeping).op(drop);
  code.i32(at).get(turn).i64(nap).atomic(atomic.wait, words.turn).op(drop);
  code.i32(at).i32(-1).atomic(atomic.add, words.sleeping).op(drop);
  code.end();
  code.i32(at).atomic(atomic.load, words.turn).get(turn).op(i32.eq).branchIf(0).end();
  return code.end();
}
