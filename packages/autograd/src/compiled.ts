import type { Filling } from "./compile/arguments.ts";
import { matchesAll } from "./compile/arguments.ts";
import type { Traced } from "./compile/plan.ts";
import type { Executable } from "./compile/run.ts";
import { build, buildInterpreted, canRun } from "./compile/run.ts";
import type { Steps } from "./compile/steps.ts";
import { finish } from "./compile/steps.ts";
import type { TypedArray } from "./dtype.ts";
import { copyOf } from "./dtype.ts";
import { StateError, ValueError } from "./errors.ts";
import { evaluate, flush } from "./evaluate.ts";
import type { Tensor } from "./graph.ts";
import { elementsOf } from "./graph.ts";
import { isInlining } from "./inlining.ts";
import { fromElements } from "./ops/leaf.ts";
import { checkNames } from "./options.ts";
import { Slot } from "./slot.ts";
import type { Signature, TracedCall } from "./tracing.ts";
import { traceCall } from "./tracing.ts";
import { unflattenTree } from "./tree.ts";
import type { Home, Variable } from "./variable.ts";
import { checkNoGradient, recording } from "./variable.ts";

// What a compiled function remembers, its programs and the variables in their memory are one file because each is said in terms of the others.

/** A function that was given to `compile`: it is called like that function. */
export type Compiled<F extends (...args: never[]) => unknown> = F & {
  /** `explain(f)`. A bundle that is to have it must import `explain`. */
  explain(): string;
  /**
   * Compiles for arguments like these, which `f` is called with once, without running the program. It does so in portions of about
   * 10 ms: going through all that it yields compiles, and between portions something else may be done. Throws what a call throws.
   */
  prepare(...args: Parameters<F>): Generator<undefined, void>;
};

export interface CompileOptions {
  /**
   * Trace the function at every call, and throw CompileError if it does something else than the program, because a JavaScript
   * value that it captured has changed. Slow: for finding mistakes. A bundle that is to have it must import `explain`.
   */
  readonly check?: boolean;
  /**
   * Let products and sums be rounded together where the processor does both at once (`relaxed_madd`). Faster where products of
   * matrices take the time, but results differ a little from one machine to another.
   */
  readonly relaxed?: boolean;
}

/** Programs that one function keeps, and the bytes of memory that they may have together; those that ran last stay. */
export const mostPrograms = 64;
const mostBytes = 2 ** 30;
/** Tracings that are remembered for `explain`. */
const mostTracings = 100;

/** What became of a function that was given to `compile`. */
export interface History {
  readonly options: CompileOptions;
  calls: number;
  /** Tracings in all, and the last of them: at which call, and for what instead of what. */
  traced: number;
  readonly tracings: { readonly call: number; readonly before: Signature | null; readonly now: Signature }[];
  /** The one that ran last is first. */
  readonly programs: Program[];
}

const histories = new WeakMap<object, History>();

/** The history of a function that came out of `compile`. */
export function historyOf(f: object): History | undefined {
  return histories.get(f);
}

/** What helps to find mistakes, and is no part of bundles that do not import `explain`. */
interface Tools {
  explain(f: object): string;
  /** Throws CompileError if the second trace is not that of the first one's program. */
  compare(before: TracedCall, now: TracedCall): void;
}
let tools: Tools | null = null;

export function setTools(given: Tools): void {
  tools = given;
}

function toolsFor(name: string): Tools {
  if (!tools)
    throw new StateError(`${name} is not part of this bundle; import { explain } by its name somewhere`);
  return tools;
}

const explained = (f: object): string => toolsFor("explain").explain(f);

/**
 * The same function as one WebAssembly program: forward pass, gradients and updates of variables. `f` is called once for
 * each form of its arguments (shapes, dtypes, tree), to see what it computes; a call then runs the program. Programs for 64
 * forms are kept, those that ran last.
 *
 * Arguments are tensors, numbers (which `f` gets as float32 tensors of rank 0) and typed arrays, in arrays and plain
 * objects. Strings, booleans and variables mean themselves: another one is another form. Returns what `f` returns: a tree
 * of tensors, which are new leaves without history. What `f` captures is a constant (`check` finds it changed), except
 * variables: those are read and assigned at each call, and settings, of which another value is another form. Inside another
 * compiled function, a transform such as `valueAndGrad`, or a check, it is `f` itself. Results have the interpreter's bits, unless
 * `relaxed` allows others. Parameters without a type are tensors; one that is given numbers is an `Operand`. `this` is not passed on:
 * of a method give `compile((x) => this.step(x))`.
 *
 * A large program takes some 100 ms to compile, at the first call, or before it in portions: `for (const _ of step.prepare(x)) await
 * pause()`.
 *
 * Throws CompileError if `f` reads a value, returns something that is not a tensor, or has no effect at all, and if the
 * program needs more than the 4 GiB of memory that WebAssembly has. What `f` throws while it is traced is thrown. Nothing has
 * changed then.
 *
 * @example
 * ```ts
 * import { compile, grad, variable } from "@cotangent/autograd";
 * const w = variable([1, 2]);
 * const step = compile(() => {
 *   const loss = w.square().sum();
 *   const [g] = grad(loss, [w]);
 *   w.assign(w.sub(g.mul(0.25)));
 *   return loss;
 * });
 * step().item(); // => 5
 * step().item(); // => 1.25
 * ```
 */
export function compile<F extends (...args: Tensor[]) => unknown>(
  f: F,
  options?: CompileOptions,
): Compiled<F>;
export function compile<F extends (...args: never[]) => unknown>(f: F, options?: CompileOptions): Compiled<F>;
export function compile<F extends (...args: never[]) => unknown>(
  f: F,
  options: CompileOptions = {},
): Compiled<F> {
  if (typeof f !== "function") throw new ValueError(`compile: takes a function, got ${typeof f}`);
  checkOptions(options);
  if (options.check) toolsFor("check");
  const run = f as unknown as (...args: unknown[]) => unknown;
  const history: History = { options, calls: 0, traced: 0, tracings: [], programs: [] };
  const call = (...args: unknown[]): unknown => {
    if (recording() || isInlining()) return run(...args);
    history.calls++;
    const known = find(history.programs, args);
    if (known && options.check) toolsFor("check").compare(known.traced, traceCall(run, args));
    return (known ?? finish(make(history, run, args))).call();
  };
  histories.set(call, history);
  function* prepare(...args: unknown[]): Generator<undefined, void> {
    if (!recording() && !isInlining() && !find(history.programs, args))
      yield* portions(make(history, run, args));
  }
  return Object.assign(call, { explain: () => explained(call), prepare }) as unknown as Compiled<F>;
}

export declare namespace compile {
  /** `explain(f)`. A bundle that is to have it must import `explain`. */
  function explain(f: (...args: never[]) => unknown): string;
}
Object.assign(compile, { explain: explained });

function checkOptions(options: CompileOptions): void {
  checkNames("compile", options, ["check", "relaxed"]);
  for (const [name, value] of Object.entries(options)) {
    if (value !== undefined && typeof value !== "boolean")
      throw new ValueError(`compile: ${name} is true or false, got ${value}`);
  }
}

/** The program for these arguments, moved to the front. */
function find(programs: Program[], args: readonly unknown[]): Program | null {
  for (let i = 0; i < programs.length; i++) {
    const program = programs[i]!;
    if (!program.accepts(args)) continue;
    for (let k = i; k > 0; k--) programs[k] = programs[k - 1]!;
    programs[0] = program;
    return program;
  }
  return null;
}

/** Milliseconds of work before others get their turn. */
const portion = 10;

/** The same work, yielding less often. */
function* portions(steps: Steps<unknown>): Generator<undefined, void> {
  let begin = Date.now();
  while (!steps.next().done) {
    if (Date.now() - begin < portion) continue;
    yield;
    begin = Date.now();
  }
}

function* make(
  history: History,
  f: (...args: unknown[]) => unknown,
  args: readonly unknown[],
): Steps<Program> {
  const { programs, tracings, options, calls: call } = history;
  const traced = traceCall(f, args);
  const program = new Program(traced, yield* executableOf(traced.graph, options));
  program.accepts(args);
  history.traced++;
  tracings.push({ call, before: programs[0]?.traced.signature ?? null, now: traced.signature });
  if (tracings.length > mostTracings) tracings.shift();
  programs.unshift(program);
  let bytes = program.bytes;
  let kept = 1;
  while (kept < Math.min(programs.length, mostPrograms) && bytes + programs[kept]!.bytes <= mostBytes)
    bytes += programs[kept++]!.bytes;
  programs.length = kept;
  return program;
}

let warned = false;

function* executableOf(graph: Traced, { relaxed = false }: CompileOptions): Steps<Executable> {
  if (canRun()) return yield* build(graph, { relaxed });
  if (!warned)
    console.warn("cotangent: WebAssembly is missing or not allowed here; compiled functions are interpreted");
  warned = true;
  return buildInterpreted(graph);
}

/** One form of arguments, compiled. */
class Program {
  readonly traced: TracedCall;
  readonly #executable: Executable;
  readonly #fillings: Filling[] = [];
  readonly #slots: readonly Slot[];
  readonly #states: readonly State[];
  readonly #gradients: readonly (readonly [Variable, output: number])[];
  readonly #withoutGradient: readonly Variable[];

  constructor(traced: TracedCall, executable: Executable) {
    const { variables, record, returned } = traced;
    this.traced = traced;
    this.#executable = executable;
    this.#slots = this.#executable.inputs.map((place) => new Slot(place));
    this.#states = variables.map(
      (x, i) => new State(x, this.#executable.states[i]!, record.begun.has(x), record.assigned.has(x)),
    );
    let next = returned;
    this.#gradients = [...record.gradients].map(([x, g]) => [x, g ? next++ : -1] as const);
    this.#withoutGradient = [...record.withoutGradient];
  }

  /** Of its memory. */
  get bytes(): number {
    const { inputs, states, outputs } = this.#executable;
    return [...inputs, ...states, ...outputs][0]?.buffer.byteLength ?? 0;
  }

  accepts(args: readonly unknown[]): boolean {
    const { forms, settings } = this.traced.signature;
    for (const [setting, value] of settings) if (setting.value !== value) return false;
    return matchesAll(forms, args, this.#fillings);
  }

  /** Runs the program on the arguments that were accepted last. */
  call(): unknown {
    for (const x of this.#withoutGradient) checkNoGradient(x, x.grad);
    for (let i = 0; i < this.#slots.length; i++) this.#fill(i);
    const states = this.#states;
    for (let i = 0; i < states.length; i++) states[i]!.begin();
    this.#executable.run();
    for (let i = 0; i < states.length; i++) states[i]!.finish();
    for (const [x, output] of this.#gradients) x.grad = output < 0 ? null : this.#output(output);
    const { result, returned, graph } = this.traced;
    if (result === undefined) return undefined;
    if (returned === 1 && result === graph.outputs[0]) return this.#output(0);
    return unflattenTree(
      result,
      Array.from({ length: returned }, (_, i) => this.#output(i)),
    );
  }

  #fill(i: number): void {
    const x = this.#fillings[i]!;
    const slot = this.#slots[i]!;
    if (typeof x === "number") slot.place[0] = x;
    else if (ArrayBuffer.isView(x)) slot.copy(x);
    else slot.fill(elementsOf(x.node) ?? evaluate([x])[0]!);
  }

  #output(i: number): Tensor {
    return fromElements(copyOf(this.#executable.outputs[i]!), this.traced.graph.outputs[i]!.shape);
  }
}

/** A variable in the memory of a program. */
class State implements Home {
  readonly #variable: Variable;
  readonly #slot: Slot;
  readonly #isRead: boolean;
  readonly #isAssigned: boolean;

  constructor(variable: Variable, place: TypedArray, isRead: boolean, isAssigned: boolean) {
    this.#variable = variable;
    this.#slot = new Slot(place);
    this.#isRead = isRead;
    this.#isAssigned = isAssigned;
  }

  read(): TypedArray {
    return copyOf(this.#slot.place);
  }

  /** Brings the present version in, if it is not there already. */
  begin(): void {
    const variable = this.#variable;
    if (variable.home === this) return;
    if (!this.#isRead) {
      if (variable.pending) flush();
      return;
    }
    const version = variable.node;
    this.#slot.fill(elementsOf(version) ?? evaluate([version])[0]!);
  }

  /** The new version, if there is one, lives here now. */
  finish(): void {
    if (!this.#isAssigned) return;
    this.#slot.forget();
    this.#variable.moveTo(this);
  }
}
