import type { TypedArray } from "../dtype.ts";
import { arrayAt } from "../dtype.ts";
import { CompileError } from "../errors.ts";
import type { Tensor } from "../graph.ts";
import { originOf } from "../graph.ts";
import { compute } from "../kernels.ts";
import { callerOf } from "../ops/indexing.ts";
import { checkWithin } from "../ops/range.ts";
import { siteOf } from "../site.ts";
import { assemble, Code, drop } from "../wasm/assembler.ts";
import { moduleOf } from "../wasm/module.ts";
import { emit } from "./emit.ts";
import { fuse } from "./fuse.ts";
import type { Kernel, Pick } from "./kernel.ts";
import { checkKernels, nodeOf } from "./kernel.ts";
import { relaxedAdd } from "./lanes.ts";
import type { Nest } from "./loops.ts";
import { loops } from "./loops.ts";
import { merge } from "./merge.ts";
import type { Layout, Traced } from "./plan.ts";
import { plan, rootsOf } from "./plan.ts";
import { copied, simplify } from "./simplify.ts";
import type { Steps } from "./steps.ts";
import { isHeld } from "./stored.ts";
import { tile } from "./tile.ts";
import { failedCheck } from "./walk.ts";

/** A compiled graph with its memory. */
export interface Executable {
  /** Where to write the arguments, where the versions of variables lie, and where the outputs are found. */
  readonly inputs: readonly TypedArray[];
  readonly states: readonly TypedArray[];
  readonly outputs: readonly TypedArray[];
  /** Of its memory. */
  readonly bytes: number;
  /**
   * Computes the outputs and the new versions. If it throws (an IndexError, or what an opaque kernel threw), the versions are
   * as they were.
   */
  run(): void;
}

export interface BuildOptions {
  /** Are products and sums rounded together, if the engine can? */
  readonly relaxed: boolean;
}

/** A graph, and its nodes in the order in which they are to be computed, where that matters. */
export interface Ordered extends Traced {
  readonly sequence?: readonly Tensor[] | undefined;
}

// Passes and engines that not every bundle has: modules that are imported for them register them here.

let settle = (graph: Traced): Ordered => graph;

/** From now on this pass comes behind `simplify`. Bundles without `checkpoint` do not carry it. */
export function settleBy(pass: (graph: Traced) => Ordered): void {
  settle = pass;
}

/** Makes a program that can run, with its memory. `compute` is called for the opaque kernel of nest number `n`. */
type Start = (
  nests: readonly Nest[],
  layout: Layout,
  relaxed: boolean,
  compute: (n: number) => void,
) => { readonly memory: { readonly buffer: ArrayBuffer }; run(): void };

/** Several threads that run programs. */
export interface Threads {
  readonly size: number;
  /** Have all of them started? */
  readonly areThere: boolean;
  /** Is the kernel so large that it is divided among them? */
  divides(kernel: Kernel): boolean;
  /** A program that they run together; null if no kernel is divided, or there is no memory that they share. */
  program(...given: Parameters<Start>): Steps<ReturnType<Start> | null>;
}

let threads: Threads | null = null;

/** From now on programs are made for these threads, or for the main one alone. Bundles without `setNumThreads` carry none of this. */
export function runBy(given: Threads | null): void {
  threads = given;
}

/** The threads that programs are made for now. */
export const threadsNow = (): Threads | null => threads;

let checkBetween: ((kernels: readonly Kernel[]) => void) | null = null;

/** From now on the kernels of each program are checked: for tests. Bundles that do not ask carry no checks. */
export function checkPasses(): void {
  checkBetween = (kernels) => checkKernels(kernels, isHeld);
}

/** Can the engine multiply and add in one instruction that rounds once? */
export function canRelax(): boolean {
  const code = new Code().v128([0, 0, 0, 0]).v128([0, 0, 0, 0]).v128([0, 0, 0, 0]);
  return WebAssembly.validate(assemble([code.vector(relaxedAdd[4]).op(drop)], 0));
}

/** What the passes make of a graph, up to the code. */
export interface Passed {
  readonly simple: Traced;
  readonly nests: readonly Nest[];
  readonly layout: Layout;
}

/** All passes up to the code. Throws CompileError for what cannot be compiled. */
export function* passes(traced: Traced): Steps<Passed> {
  const { simple, nests } = yield* nestsOf(traced);
  return { simple, nests, layout: plan(nests, simple) };
}

/** All passes up to the loops. */
export function* nestsOf(traced: Traced): Steps<Omit<Passed, "layout">> {
  const simple = settle(yield* simplifyTraced(traced));
  const kernels = merge(yield* fuse(rootsOf(simple), simple.sequence));
  checkBetween?.(kernels);
  return { simple, nests: yield* loops(kernels) };
}

/** A program in its memory. Throws CompileError for what cannot be compiled, or needs too much memory. */
export function* build(traced: Traced, { relaxed }: BuildOptions): Steps<Executable> {
  const { simple, nests, layout } = yield* passes(traced);
  checkSize(layout);
  const calls: (() => void)[] = [];
  const compute = callOf(calls);
  const isRelaxed = relaxed && canRelax();
  const shared = threads && (yield* threads.program(nests, layout, isRelaxed, compute));
  const { memory, run } = shared ?? (yield* alone(nests, layout, isRelaxed, compute));
  for (const { address, dtype, data } of layout.constants)
    arrayAt(memory.buffer, address, dtype, data.length).set(data);
  const view = (x: Tensor) => arrayAt(memory.buffer, layout.addresses.get(x) ?? 0, x.dtype, x.size);
  nests.forEach(({ form, kernel }, n) => {
    if (form.kind === "opaque") calls[n] = opaqueCall(nodeOf(kernel), view);
  });
  return {
    inputs: simple.inputs.map(view),
    states: simple.states.map(view),
    outputs: simple.outputs.map(view),
    bytes: memory.buffer.byteLength,
    run: explaining(run, memory, nests.map(checkedBy)),
  };
}

// A closure keeps what any closure of the same function uses. Those that live as long as a program are made here, so that no pass's
// work, ten times a small program, lives with them.

const callOf = (calls: readonly (() => void)[]) => (n: number) => calls[n]!();

const explaining =
  (run: () => void, memory: { readonly buffer: ArrayBuffer }, checked: readonly Checked[]) => (): void => {
    try {
      run();
    } catch (error) {
      throw explained(error, memory, checked);
    }
  };

/** A program that one thread runs. */
function* alone(...[nests, layout, relaxed, compute]: Parameters<Start>): Steps<ReturnType<Start>> {
  const { functions, imports } = yield* emit(nests, layout, relaxed);
  yield;
  const instance = instantiate(assemble(functions, pagesOf(layout), { imports }), { compute }, layout);
  yield;
  return instance.exports as { memory: WebAssembly.Memory; run: () => void };
}

/** Memory of WebAssembly comes in pages of this size, and up to this size. */
const pageBytes = 65_536;
const mostBytes = 2 ** 32;
/** Bytes behind the end of what is stored, so that whole vectors can be read at the last element. */
const margin = 64;

export function pagesOf({ size }: { readonly size: number }): number {
  return Math.ceil((size + margin) / pageBytes);
}

/** What a program takes of the machine's memory. */
export function bytesOfMemory(layout: Layout): number {
  return pagesOf(layout) * pageBytes;
}

function checkSize(layout: Layout): void {
  if (bytesOfMemory(layout) > mostBytes)
    throw new CompileError(
      `compile: the program needs ${gibibytes(layout)} GiB of memory, and WebAssembly has 4; ${smaller}`,
    );
}

const smaller = "pass smaller batches, or compile parts of the function one by one";

const gibibytes = ({ size }: Layout): string => (size / 2 ** 30).toFixed(2);

function instantiate(
  bytes: Uint8Array<ArrayBuffer>,
  host: Record<string, (n: number) => void>,
  layout: Layout,
): WebAssembly.Instance {
  const module = moduleOf(bytes);
  try {
    return new WebAssembly.Instance(module, { host });
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new CompileError(
      `compile: the program needs ${gibibytes(layout)} GiB of memory, which this machine does not give; ${smaller}`,
      { cause: error },
    );
  }
}

/** Computes an opaque node from memory to memory. The views are made once: memory does not grow. */
function opaqueCall(node: Tensor, view: (x: Tensor) => TypedArray): () => void {
  const inputs = node.inputs.map(view);
  const out = view(node);
  const made = originOf(node);
  return () => compute(made, inputs, out);
}

/** Simplifies the graph. A root that turns out to be held is copied: it may be a version that an update overwrites before it is read. */
function* simplifyTraced({ inputs, states, outputs, updates }: Traced): Steps<Traced> {
  const simple = yield* simplify(rootsOf({ inputs, states, outputs, updates }), tile);
  let next = 0;
  const own = (): Tensor => {
    const x = simple[next++]!;
    return isHeld(x) ? copied(x) : x;
  };
  return { inputs, states, outputs: outputs.map(own), updates: updates.map((x) => x && own()) };
}

/** What a nest was made for, and the index that it checks, if it does. */
interface Checked {
  readonly node: Tensor;
  readonly pick: Pick | null | undefined;
}

const checkedBy = ({ form: { pick, body }, kernel }: Nest): Checked => ({
  node: nodeOf(kernel),
  pick: pick ?? body.find((scalar) => scalar.pick)?.pick,
});

/** The IndexError for `error`, if that is the trap of a check that failed; else `error`. */
function explained(
  error: unknown,
  memory: { readonly buffer: ArrayBuffer },
  checked: readonly Checked[],
): unknown {
  const failed = failedCheck(memory.buffer);
  if (!failed) return error;
  const { node, pick } = checked[failed.nest]!;
  const { axis, size } = pick!;
  const line = siteOf(originOf(node));
  const site = line === null ? "" : `; made ${line.trim()}`;
  try {
    checkWithin(callerOf(node), failed.index, size, axis, site);
    return error;
  } catch (found) {
    return found;
  }
}
