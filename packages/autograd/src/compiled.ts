import { build } from "./compile/run.ts";
import type { Steps } from "./compile/steps.ts";
import { finish } from "./compile/steps.ts";
import { StateError } from "./errors.ts";
import type { Tensor } from "./graph.ts";
import { isInlining } from "./inlining.ts";
import { dropLast, moveToFront } from "./memo.ts";
import { checkFunction, optionsOf } from "./options.ts";
import { Evaluator, Program, type Runner } from "./runner.ts";
import type { Signature, TracedCall } from "./tracing.ts";
import { traceCall } from "./tracing.ts";
import { recording } from "./variable.ts";
import { isRefused } from "./wasm/module.ts";

/** A function that was given to `compile`: it is called like that function. */
export type Compiled<F extends (...args: never[]) => unknown> = F & {
  /** `explain(f)`. A bundle that is to have it must import `explain`. */
  explain(): string;
  /**
   * Compiles for arguments like these, which `f` is called with once, without running the program, if the next call would compile. It does
   * so in portions of about 10 ms: going through all that it yields compiles, and between portions something else may be done. Throws what
   * a call throws.
   */
  prepare(...args: Parameters<F>): Generator<undefined, void>;
};

export interface CompileOptions {
  /**
   * Trace the function at every call, and throw CompileError if it does something else than the program, because a JavaScript
   * value that it captured has changed. Slow: for finding mistakes. A bundle that is to have it must import `explain`.
   */
  readonly check?: boolean | undefined;
  /**
   * Let products and sums be rounded together where the processor does both at once (`relaxed_madd`). Faster where products of
   * matrices take the time, but results differ a little from one machine to another.
   */
  readonly relaxed?: boolean | undefined;
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
  readonly programs: Runner[];
}

/** Where a function that came out of `compile` has its history: in a map beside it, even a weak one, dropped programs would not die young. */
const key: unique symbol = Symbol("history");

/** The history of a function that came out of `compile`. */
export function historyOf(f: object): History | undefined {
  return (f as { readonly [key]?: History })[key];
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
 * Arguments are tensors, numbers and typed arrays, in arrays and plain objects. `f` gets a number as a tensor of rank 0: float32, or
 * float64 if all other floats among the arguments are float64. Strings, booleans and variables mean themselves: another one is another
 * form. Parameters without a type are tensors; one that is given numbers is an `Operand`. `this` is not passed on: of a method give
 * `compile((x) => this.step(x))`.
 *
 * Returns what `f` returns, a tree of tensors. They are new leaves without history, so gradients through them by what they were computed
 * from are refused. They have the interpreter's bits, unless `relaxed` allows others. What `f` captures is a constant (`check` finds out if
 * it has changed), with two exceptions: variables are read and assigned at each call, and of a `Setting` another value is another form.
 * Inside another compiled function, a transform such as `valueAndGrad`, or a check, the function is `f` itself.
 *
 * A large program takes some 100 ms to compile, at the first call, or before it in portions: `for (const _ of step.prepare(x)) await
 * pause()`. Where forms change at each call (three programs ran only once), a new one is evaluated as it would be without `compile`, and
 * compiled if it comes again.
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
// Once more, as the last: errors are told of that one.
export function compile<F extends (...args: Tensor[]) => unknown>(
  f: F,
  options?: CompileOptions,
): Compiled<F>;
export function compile<F extends (...args: never[]) => unknown>(f: F, given?: CompileOptions): Compiled<F> {
  checkFunction("compile", f);
  const options = optionsOf("compile", given, { check: "boolean", relaxed: "boolean" });
  if (options.check) toolsFor("check");
  const run = f as unknown as (...args: unknown[]) => unknown;
  const history: History = { options, calls: 0, traced: 0, tracings: [], programs: [] };
  const call = (...args: unknown[]): unknown => {
    const record = recording();
    if (record) return record.attempt(() => run(...args));
    if (isInlining()) return run(...args);
    history.calls++;
    const known = find(history.programs, args);
    if (known && options.check) toolsFor("check").compare(known.traced, traceCall(run, args));
    return (known instanceof Program ? known : finish(make(history, run, args))).call();
  };
  Object.defineProperty(call, key, { value: history });
  function* prepare(...args: unknown[]): Generator<undefined, void> {
    if (!recording() && !isInlining()) yield* portions(make(history, run, args));
  }
  return Object.assign(call, { explain: () => explained(call), prepare }) as unknown as Compiled<F>;
}

export declare namespace compile {
  /** `explain(f)`. A bundle that is to have it must import `explain`. */
  function explain(f: (...args: never[]) => unknown): string;
}
Object.assign(compile, { explain: explained });

/** The program for these arguments, moved to the front. */
function find(programs: Runner[], args: readonly unknown[]): Runner | null {
  for (let i = 0; i < programs.length; i++) {
    const program = programs[i]!;
    if (!program.accepts(args)) continue;
    moveToFront(programs, i);
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

/** Programs that ran once, and not again: from so many on the form of the arguments is taken to differ at each call. */
const mostUnused = 3;

function isChanging(programs: readonly Runner[]): boolean {
  return programs.filter(({ calls }) => calls === 1).length >= mostUnused;
}

/** What runs a call with these arguments: a program, unless their form is new and may not come again. */
function* make(
  history: History,
  f: (...args: unknown[]) => unknown,
  args: readonly unknown[],
): Steps<Runner> {
  const { programs, options } = history;
  const known = find(programs, args);
  if (known instanceof Program || known?.calls === 0) return known;
  const isOnce = known === null && isChanging(programs);
  const traced = known?.traced ?? trace(history, f, args);
  const runner = isOnce ? new Evaluator(traced) : yield* runnerOf(traced, options);
  runner.accepts(args);
  // Others may have been made meanwhile, and this one dropped.
  const place = known ? programs.indexOf(known) : -1;
  if (place >= 0) programs.splice(place, 1);
  programs.unshift(runner);
  dropLast(programs, mostPrograms, mostBytes, ({ bytes }) => bytes);
  return runner;
}

function trace(history: History, f: (...args: unknown[]) => unknown, args: readonly unknown[]): TracedCall {
  const { programs, tracings, calls: call } = history;
  const traced = traceCall(f, args);
  history.traced++;
  tracings.push({ call, before: programs[0]?.traced.signature ?? null, now: traced.signature });
  if (tracings.length > mostTracings) tracings.shift();
  return traced;
}

let warned = false;

function* runnerOf(traced: TracedCall, { relaxed = false }: CompileOptions): Steps<Runner> {
  if (!isRefused())
    try {
      return new Program(traced, yield* build(traced.graph, { relaxed }));
    } catch (error) {
      if (!isRefused()) throw error;
    }
  if (!warned)
    console.warn("cotangent: WebAssembly is missing or not allowed here; compiled functions are interpreted");
  warned = true;
  return new Evaluator(traced);
}
