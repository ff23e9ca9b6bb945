import type { Filling, Form } from "./compile/arguments.ts";
import { matchesAll, traceArgument } from "./compile/arguments.ts";
import type { Executable } from "./compile/run.ts";
import { build, buildInterpreted, canRun } from "./compile/run.ts";
import type { TypedArray } from "./dtype.ts";
import { CompileError, ValueError } from "./errors.ts";
import { evaluate, flush, withoutReading } from "./evaluate.ts";
import type { Tensor } from "./graph.ts";
import { elementsOf } from "./graph.ts";
import { fromElements, placeholder } from "./ops/leaf.ts";
import { Slot } from "./slot.ts";
import { topology } from "./topology.ts";
import { leavesOf, unflattenTree } from "./tree.ts";
import type { Home, Setting } from "./variable.ts";
import { checkNoGradient, isRecording, Trace, tracing, Variable } from "./variable.ts";

/** A function that was given to `compile`: it is called like that function. */
export type Compiled<F> = F & {
  /** What the passes made of the form of arguments that it was called with last. */
  text(): string;
};

/**
 * The same function as one WebAssembly program: forward pass, gradients and updates of variables. `f` is called once for
 * each form of its arguments (shapes, dtypes, tree), to see what it computes; a call then runs the program.
 *
 * Arguments are tensors, numbers (which `f` gets as float32 tensors of rank 0) and typed arrays, in arrays and plain
 * objects. Strings, booleans and variables mean themselves: another one is another form. Returns what `f` returns: a tree
 * of tensors, which are new leaves without history. What `f` captures is a constant, except variables: those are read
 * and assigned at each call, and settings, of which another value is another form. Inside another compiled function, or a check, it is `f` itself.
 *
 * Throws CompileError if `f` reads a value, returns something that is not a tensor, or has no effect at all. What `f` throws
 * while it is traced is thrown, and nothing has changed.
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
export function compile<F extends (...args: never[]) => unknown>(f: F): Compiled<F> {
  if (typeof f !== "function") throw new ValueError(`compile: takes a function, got ${typeof f}`);
  const run = f as unknown as (...args: unknown[]) => unknown;
  const programs: Program[] = [];
  let last: Program | null = null;
  const call = (...args: unknown[]): unknown => {
    if (isRecording()) return run(...args);
    if (last === null || !last.accepts(args)) {
      last = programs.find((program) => program.accepts(args)) ?? null;
      if (last === null) {
        const made = new Program(run, args);
        made.accepts(args);
        programs.push(made);
        last = made;
      }
    }
    return last.call();
  };
  const text = () => {
    if (last === null) throw new CompileError("compile: there is no text before the first call");
    return last.text();
  };
  return Object.assign(call, { text }) as unknown as Compiled<F>;
}

/** What tracing a function found: its graph, and what to do with it at each call. */
interface Traced {
  readonly forms: readonly Form[];
  readonly slots: readonly Tensor[];
  /** What it returned, with the nodes of its leaves; null for nothing. */
  readonly result: unknown;
  readonly outputs: readonly Tensor[];
  readonly record: Trace;
}

function traceCall(f: (...args: unknown[]) => unknown, args: readonly unknown[]): Traced {
  flush();
  const first = placeholder([], "float32").id;
  const slots: Tensor[] = [];
  const isState = (x: Tensor) => x instanceof Variable;
  const inputs = args.map((x, i) => traceArgument(x, `argument ${i}`, slots, isState));
  const record = new Trace();
  const traced = tracing(record, () =>
    withoutReading(() => {
      const result = f(...inputs.map(({ value }) => value));
      const outputs = result === undefined ? [] : resultLeaves(result).map((x) => x.node);
      if (outputs.length === 0 && record.assigned.size === 0 && record.gradients.size === 0)
        throw new CompileError(
          "compile: the function returns no tensor and assigns no variable: it has no effect",
        );
      return { forms: inputs.map(({ form }) => form), slots, result, outputs, record };
    }),
  );
  evaluateCaptured(traced, first);
  return traced;
}

/** What was built before the call is constant: it is computed now, not at each call. */
function evaluateCaptured({ outputs, record }: Traced, first: number): void {
  const roots = [...outputs, ...record.assigned.values(), ...record.gradients.values()].filter(
    (x) => x !== null,
  );
  const { nodes } = topology(roots, (x) => (x.id < first ? [] : x.inputs));
  const captured = nodes.filter((x) => x.id < first && x.op.kernel.kind !== "leaf" && elementsOf(x) === null);
  if (captured.length > 0) evaluate(captured);
}

function resultLeaves(result: unknown): Tensor[] {
  if (result instanceof Promise)
    throw new CompileError("compile: the function is async; what is compiled cannot wait, await outside");
  try {
    return leavesOf(result);
  } catch (error) {
    if (!(error instanceof ValueError)) throw error;
    throw new CompileError(`compile: the function returns something that is no tensor: ${error.message}`);
  }
}

let warned = false;

/** One form of arguments, compiled. */
class Program {
  readonly #forms: readonly Form[];
  readonly #settings: readonly (readonly [Setting<unknown>, unknown])[];
  readonly #executable: Executable;
  readonly #fillings: Filling[] = [];
  readonly #slots: readonly Slot[];
  readonly #states: readonly State[];
  readonly #gradients: readonly (readonly [Variable, output: number])[];
  readonly #withoutGradient: readonly Variable[];
  readonly #result: unknown;
  readonly #shapes: readonly Tensor[];
  /** How many outputs are returned; gradients come after them. */
  readonly #returned: number;

  constructor(f: (...args: unknown[]) => unknown, args: readonly unknown[]) {
    const { forms, slots, result, outputs, record } = traceCall(f, args);
    const variables = [...new Set([...record.begun.keys(), ...record.assigned.keys()])];
    const gradients = [...record.gradients];
    const kept = gradients.flatMap(([, g]) => (g ? [g] : []));
    const all = [...outputs, ...kept];
    const traced = {
      inputs: slots,
      states: variables.map((x) => record.begun.get(x) ?? placeholder(x.shape, x.dtype)),
      outputs: all,
      updates: variables.map((x) => record.assigned.get(x) ?? null),
    };
    const runs = canRun();
    if (!runs && !warned) {
      warned = true;
      console.warn(
        "cotangent: WebAssembly is missing or not allowed here; compiled functions are interpreted",
      );
    }
    this.#executable = runs ? build(traced) : buildInterpreted(traced);
    this.#forms = forms;
    this.#settings = [...record.settings];
    this.#slots = this.#executable.inputs.map((place) => new Slot(place));
    this.#states = variables.map(
      (x, i) => new State(x, this.#executable.states[i]!, record.begun.has(x), record.assigned.has(x)),
    );
    let next = outputs.length;
    this.#gradients = gradients.map(([x, g]) => [x, g ? next++ : -1] as const);
    this.#withoutGradient = [...record.withoutGradient];
    this.#result = result;
    this.#returned = outputs.length;
    this.#shapes = all;
  }

  accepts(args: readonly unknown[]): boolean {
    for (const [setting, value] of this.#settings) if (setting.value !== value) return false;
    return matchesAll(this.#forms, args, this.#fillings);
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
    if (this.#result === undefined) return undefined;
    if (this.#returned === 1 && this.#result === this.#shapes[0]) return this.#output(0);
    return unflattenTree(
      this.#result,
      Array.from({ length: this.#returned }, (_, i) => this.#output(i)),
    );
  }

  #fill(i: number): void {
    const x = this.#fillings[i]!;
    const slot = this.#slots[i]!;
    if (typeof x === "number") slot.place[0] = x;
    // The caller may write to an array of his own: it is always copied.
    else if (ArrayBuffer.isView(x)) slot.place.set(x);
    else slot.fill(elementsOf(x.node) ?? evaluate([x])[0]!);
  }

  #output(i: number): Tensor {
    return fromElements(this.#executable.outputs[i]!.slice(), this.#shapes[i]!.shape);
  }

  text(): string {
    return this.#executable.text();
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
    return this.#slot.place.slice();
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
