import type { Filling } from "./compile/arguments.ts";
import { matchesAll } from "./compile/arguments.ts";
import { rootsOf } from "./compile/plan.ts";
import type { Executable } from "./compile/run.ts";
import type { DType, TypedArray } from "./dtype.ts";
import { allocate, copyOf } from "./dtype.ts";
import { evaluate, evaluateNodes, flush } from "./evaluate.ts";
import type { Tensor } from "./graph.ts";
import { elementsOf, setElements } from "./graph.ts";
import { fromElements } from "./ops/leaf.ts";
import { Given, resultsOf } from "./ops/result.ts";
import { Slot } from "./slot.ts";
import { numberIn, release, topology } from "./topology.ts";
import type { TracedCall } from "./tracing.ts";
import { unflattenTree } from "./tree.ts";
import type { Home, Variable } from "./variable.ts";
import { checkNoGradient } from "./variable.ts";

/** What runs a traced call, for all arguments of one form. */
export abstract class Runner {
  readonly traced: TracedCall;
  readonly #given: Given;
  /** Calls so far. */
  calls = 0;
  protected readonly fillings: Filling[] = [];
  protected readonly leaves: readonly ((data: TypedArray) => Tensor)[];

  constructor(traced: TracedCall) {
    this.traced = traced;
    const { outputs, inputs: symbols } = traced.graph;
    const given = new Given(symbols.length);
    this.#given = given;
    this.leaves = outputs.map((output) => resultsOf({ output, symbols, given }));
  }

  /** Of its memory. */
  abstract get bytes(): number;

  accepts(args: readonly unknown[]): boolean {
    const { forms, settings } = this.traced.signature;
    for (const [setting, value] of settings) if (setting.value !== value) return false;
    return matchesAll(forms, args, this.fillings);
  }

  /** Runs on the arguments that were accepted last. */
  call(): unknown {
    const { result, returned, graph, record } = this.traced;
    for (const x of record.withoutGradient) checkNoGradient(x, x.grad);
    const output = this.run();
    this.#given.add(this.fillings);
    this.calls++;
    let next = returned;
    for (const [x, gradient] of record.gradients) x.grad = gradient && output(next++);
    if (result === undefined) return undefined;
    if (returned === 1 && result === graph.outputs[0]) return output(0);
    return unflattenTree(
      result,
      Array.from({ length: returned }, (_, i) => output(i)),
    );
  }

  /**
   * Computes everything, and gives the variables their new versions. Returns what makes a leaf of each output. If it throws, nothing
   * has changed.
   */
  protected abstract run(): (output: number) => Tensor;
}

/** A program in its memory, where the variables stay that it assigns. */
export class Program extends Runner {
  readonly #executable: Executable;
  readonly #slots: readonly Slot[];
  readonly #states: readonly State[];
  readonly #output: (i: number) => Tensor;

  constructor(traced: TracedCall, executable: Executable) {
    super(traced);
    const { variables, record } = traced;
    this.#output = outputOf(this.leaves, executable.outputs);
    this.#executable = executable;
    this.#slots = executable.inputs.map((place) => new Slot(place));
    this.#states = variables.map(
      (x, i) => new State(x, executable.states[i]!, record.begun.has(x), record.assigned.has(x)),
    );
  }

  get bytes(): number {
    return this.#executable.bytes;
  }

  protected run(): (output: number) => Tensor {
    for (let i = 0; i < this.#slots.length; i++) fill(this.#slots[i]!, this.fillings[i]!);
    const states = this.#states;
    for (let i = 0; i < states.length; i++) states[i]!.begin();
    this.#executable.run();
    for (let i = 0; i < states.length; i++) states[i]!.finish();
    return this.#output;
  }
}

/** V8 makes functions that are written into a property among old objects: written there, this one would keep dropped programs from dying young. */
const outputOf =
  (leaves: readonly ((data: TypedArray) => Tensor)[], places: readonly TypedArray[]) => (i: number) =>
    leaves[i]!(copyOf(places[i]!));

function fill(slot: Slot, x: Filling): void {
  if (typeof x === "number") slot.place[0] = x;
  else if (ArrayBuffer.isView(x)) slot.copy(x);
  else slot.fill(presentElements(x.node));
}

/** A variable in the memory of a program. */
class State implements Home {
  readonly #variable: Variable;
  readonly #slot: Slot;
  readonly #isRead: boolean;
  readonly #isAssigned: boolean;
  /** Which version of the variable lies there. */
  #version = -1;

  constructor(variable: Variable, place: TypedArray, isRead: boolean, isAssigned: boolean) {
    this.#variable = variable;
    this.#slot = new Slot(place);
    this.#isRead = isRead;
    this.#isAssigned = isAssigned;
  }

  get place(): TypedArray {
    return this.#slot.place;
  }

  /** Brings the present version in, if it is not there already. */
  begin(): void {
    const variable = this.#variable;
    if (variable.version === this.#version) return;
    const { resident } = variable;
    if (!this.#isRead) {
      if (variable.pending) flush();
    } else if (resident) this.#slot.copy(resident);
    else this.#slot.fill(presentElements(variable.node));
    this.#version = variable.version;
  }

  /** The new version, if there is one, lives here now. */
  finish(): void {
    if (!this.#isAssigned) return;
    this.#slot.forget();
    this.#variable.moveTo(this);
    this.#version = this.#variable.version;
  }
}

/** The graph, evaluated as that of a plain loop would be: for arguments that may not come again, and where WebAssembly is not. */
export class Evaluator extends Runner {
  get bytes(): number {
    return 0;
  }

  protected run(): (output: number) => Tensor {
    const { outputs, updates } = this.traced.graph;
    const values = this.#values();
    let next = outputs.length;
    updates.forEach((update, i) => {
      if (update) this.traced.variables[i]!.accept(fromElements(values[next++]!, update.shape));
    });
    return (i) => this.leaves[i]!(values[i]!);
  }

  /** Of the outputs and the updates. The leaves hold elements meanwhile. */
  #values(): TypedArray[] {
    const { graph, variables } = this.traced;
    const { inputs, states } = graph;
    try {
      inputs.forEach((x, i) => {
        setElements(x, elementsFor(this.fillings[i]!, x.dtype));
      });
      states.forEach((x, i) => {
        setElements(x, presentElements(variables[i]!.node));
      });
      const roots = rootsOf(graph);
      const order = topology(roots);
      const numbers = roots.map((x) => numberIn(order, x));
      const values = evaluateNodes(order, numbers, 0);
      release(order);
      return values;
    } finally {
      for (const x of [...inputs, ...states]) setElements(x, null);
    }
  }
}

function elementsFor(x: Filling, dtype: DType): TypedArray {
  if (typeof x === "number") return allocate(dtype, 1).fill(x);
  return ArrayBuffer.isView(x) ? copyOf(x) : presentElements(x.node);
}

function presentElements(x: Tensor): TypedArray {
  return elementsOf(x) ?? evaluate([x])[0]!;
}
