import type { Shape, Tensor } from "@cotangent/autograd/functional";
import { CotangentError, Setting, ValueError, Variable } from "@cotangent/autograd/functional";
import {
  type LoadedKeys,
  type LoadOptions,
  loadState,
  type StateDict,
  snakeCase,
  snapshotOf,
} from "./state.ts";

// Parameters, buffers and what finds them are one file: each is said in terms of the others.

/** A variable that training changes. As a field of a module it is found by `parameters()`. */
export class Parameter<S extends Shape = Shape> extends Variable<S> {}

/**
 * A variable that belongs to a module and that optimizers leave alone: a running average, a mask. `backward` leaves it no `grad`;
 * `grad(y, [buffer])` differentiates by it all the same.
 */
export class Buffer<S extends Shape = Shape> extends Variable<S> {
  /** @internal */
  override get takesGrad(): boolean {
    return false;
  }
}

/** What turns one tensor into another, or into what is named: anything with `forward`, or a plain function such as `tanh`. */
export type Layer<Out = Tensor, In = Tensor> = ((x: In) => Out) | { forward(x: In): Out };

/** What `layer` makes of `x`. */
export function forward<Out, In>(layer: Layer<Out, In>, x: In): Out {
  return typeof layer === "function" ? layer(x) : layer.forward(x);
}

/**
 * A model or a part of one: a class with fields and `forward`. Its own fields that hold parameters, buffers, modules, or
 * arrays, plain objects, maps and sets of them make up a tree, in the order in which they were written; a parameter's name is its
 * path, `layers.0.weight`. Private fields (`#weight`) are not seen. An error that is thrown in `forward` begins with the path of
 * the module where it was thrown, `layers.0: ...`.
 *
 * @example
 * ```ts
 * import { type Tensor, zeros } from "@cotangent/autograd";
 * import { Module, Parameter } from "@cotangent/nn";
 * class Shift extends Module {
 *   offset = new Parameter(zeros([3]));
 *   forward(x: Tensor): Tensor {
 *     return x.add(this.offset);
 *   }
 * }
 * [...new Shift().namedParameters().keys()]; // => [ 'offset' ]
 * ```
 */
export abstract class Module {
  readonly #training = new Setting(true, "training");

  constructor() {
    // Not of new.target, which minifiers have moved into functions of their own.
    tellPlaces(Object.getPrototypeOf(this));
  }

  /**
   * Whether layers that behave differently in training, such as dropout, do so; see `train` and `eval`. A compiled function has
   * one program for each mode.
   */
  get training(): boolean {
    return this.#training.value;
  }
  set training(training: boolean) {
    this.#training.value = training;
  }

  abstract forward(...inputs: never[]): unknown;

  /** The parameters, each once, in the order of the fields. */
  parameters(): Parameter[] {
    return [...this.namedParameters().values()];
  }

  /**
   * The parameters by their paths; one that stands in two places has the first path. They take their paths as labels, for
   * messages and prints of the graph. Throws ValueError if a field holds a variable that is neither parameter nor buffer.
   */
  namedParameters(): ReadonlyMap<string, Parameter> {
    return this.#variables(Parameter);
  }

  /** The buffers by their paths. Throws ValueError as `namedParameters` does. */
  namedBuffers(): ReadonlyMap<string, Buffer> {
    return this.#variables(Buffer);
  }

  /** This module (its path is empty) and all modules below it, by their paths. */
  namedModules(): ReadonlyMap<string, Module> {
    const found = new Map<string, Module>();
    for (const [path, value] of Module.#walk(this)) if (value instanceof Module) found.set(path, value);
    return found;
  }

  /**
   * The present values of all parameters and buffers under PyTorch's names: their paths in snake_case. One that stands in two
   * places comes under both names. They are snapshots: training does not change them. Throws ValueError as `namedParameters` does.
   *
   * @example
   * ```ts
   * import { Linear, Sequential } from "@cotangent/nn";
   * import { readSafetensors, writeSafetensors } from "@cotangent/nn/files";
   * const model = new Sequential(new Linear(2, 3), new Linear(3, 1));
   * const bytes = writeSafetensors(model.stateDict());
   * model.loadStateDict(readSafetensors(bytes).tensors); // => { missingKeys: [], unexpectedKeys: [] }
   * ```
   */
  stateDict(): StateDict {
    return snapshotOf(this.#state());
  }

  /**
   * Gives parameters and buffers the values of `state`, which has them under PyTorch's names; float32 and float64 take each other.
   * With `{ strict: false }` names that are missing or unexpected are told instead of refused.
   *
   * Throws ValueError, naming all that is missing, unexpected or does not fit, and ShapeError if only shapes or dtypes do not fit;
   * then nothing has changed.
   */
  loadStateDict(state: StateDict, options: LoadOptions = {}): LoadedKeys {
    return loadState(this.constructor.name, this.#state(), state, options);
  }

  #state(): ReadonlyMap<string, Variable> {
    const found = new Map<string, Variable>();
    for (const [path, value, name] of Module.#walk(this, true)) {
      if (!this.#holds(path, value)) continue;
      if (found.has(name))
        throw new ValueError(
          `${this.constructor.name}: two fields are called ${name} in a state dict; rename ${path}`,
        );
      found.set(name, value);
    }
    return found;
  }

  #variables<V extends Variable>(kind: new (value: Tensor) => V): ReadonlyMap<string, V> {
    const found = new Map<string, V>();
    for (const [path, value] of Module.#walk(this)) {
      if (!this.#holds(path, value)) continue;
      // Seen from a part of the model the path is shorter; the longer one stays.
      if (!value.label?.endsWith(`.${path}`)) value.named(path);
      if (value instanceof kind) found.set(path, value);
    }
    return found;
  }

  /** Is this a parameter or a buffer? Throws ValueError for a variable that is neither. */
  #holds(path: string, value: object): value is Parameter | Buffer {
    if (!(value instanceof Variable)) return false;
    if (value instanceof Parameter || value instanceof Buffer) return true;
    throw new ValueError(
      `${this.constructor.name}: ${path} is a plain variable; make it a Parameter if it is to be trained, else a Buffer`,
    );
  }

  /**
   * Sets the `grad` of all parameters to null, before `backward` adds to them. What `zeroGrad` of an optimizer leaves alone are
   * those that it was not given: a part that is frozen, or another network that the loss goes through.
   *
   * @example
   * ```ts
   * import { ones } from "@cotangent/autograd";
   * import { Linear, Sequential } from "@cotangent/nn";
   * const model = new Sequential(new Linear(2, 3), new Linear(3, 1));
   * model.forward(ones([4, 2])).mean().backward();
   * model.zeroGrad();
   * model.parameters().map(({ grad }) => grad); // => [ null, null, null, null ]
   * ```
   */
  zeroGrad(): void {
    for (const parameter of this.parameters()) parameter.grad = null;
  }

  /** Sets `training`, here and in all modules below. Returns this module. */
  train(training = true): this {
    for (const module of this.namedModules().values()) module.training = training;
    return this;
  }

  /** The opposite of `train`. Returns this module. */
  eval(): this {
    return this.train(false);
  }

  /** The tree of modules, as PyTorch prints it. */
  toString(): string {
    const { name } = this.constructor;
    const lines = within(this, () => linesOf(this.fields()));
    return lines === "" ? `${name}(${this.details()})` : `${name}(${lines}\n)`;
  }

  /** What `toString` writes between the parentheses. */
  protected details(): string {
    return "";
  }

  /** What the tree consists of: the own fields with their names. */
  protected fields(): readonly (readonly [name: string, value: unknown])[] {
    return Object.entries(this);
  }

  /** What PyTorch calls a field: in snake_case. Where fields are named by the user at run time, the name itself. */
  protected stateName(field: string): string {
    return snakeCase(field);
  }

  /**
   * Everything in the tree below `value` that counts, with its path, and with its name in a state dict: with its first path only, or
   * with every path.
   */
  static *#walk(
    value: unknown,
    everyPath = false,
    path = "",
    stateName = "",
    seen: Set<unknown> = new Set(),
  ): Generator<readonly [path: string, value: object, stateName: string]> {
    if (typeof value !== "object" || value === null || seen.has(value)) return;
    const fields = value instanceof Module ? value.fields() : fieldsOf(value);
    const counts = value instanceof Variable || value instanceof Module;
    if (!counts && !fields) return;
    seen.add(value);
    if (counts) yield [path, value, stateName];
    const below = (above: string, name: string): string => (above === "" ? name : `${above}.${name}`);
    for (const [name, field] of fields ?? []) {
      const own = value instanceof Module ? value.stateName(name) : snakeCase(name);
      yield* Module.#walk(field, everyPath, below(path, name), below(stateName, own), seen);
    }
    // What is above stays, so that a circle ends.
    if (everyPath) seen.delete(value);
  }
}

/** The prototypes whose `forward` tells where an error was thrown. */
const telling = new WeakSet<object>();

/** Where an error was thrown first, and what it said there. */
const origins = new WeakMap<CotangentError, { readonly module: Module; readonly message: string }>();

/** Makes the `forward` that `prototype` has or inherits add its module's path to errors; while all goes well it costs nothing. */
function tellPlaces(prototype: Module): void {
  let owner: Module = prototype;
  while (!Object.hasOwn(owner, "forward")) {
    // Neither here nor below: the object itself has it.
    if (owner === Module.prototype) return;
    owner = Object.getPrototypeOf(owner);
  }
  if (telling.has(owner)) return;
  telling.add(owner);
  const plain = owner.forward;
  Object.defineProperty(owner, "forward", {
    configurable: true,
    writable: true,
    value: function forward(this: Module, ...inputs: never[]): unknown {
      try {
        return plain.apply(this, inputs);
      } catch (error) {
        if (error instanceof CotangentError) tellPlace(error, this);
        throw error;
      }
    },
  });
}

/** Lets the message of `error` begin with the path from `outer` to the module where it was thrown. */
function tellPlace(error: CotangentError, outer: Module): void {
  const origin = origins.get(error);
  if (origin === undefined) {
    origins.set(error, { module: outer, message: error.message });
    return;
  }
  for (const [path, module] of outer.namedModules()) {
    if (module !== origin.module || path === "") continue;
    const before = error.message;
    error.message = `${path}: ${origin.message}`;
    if (error.stack) error.stack = error.stack.replace(before, () => error.message);
  }
}

// What console.log calls in Node, Deno and Bun.
for (const key of ["nodejs.util.inspect.custom", "Deno.customInspect"])
  Object.defineProperty(Module.prototype, Symbol.for(key), {
    value(this: Module): string {
      return this.toString();
    },
  });

/** The entries of an array, a plain object, or anything with `forward`; null for other things. */
function fieldsOf(value: object): readonly (readonly [name: string, value: unknown])[] | null {
  if (value instanceof Variable) return null;
  if (value instanceof Map || value instanceof Set)
    return [...value.entries()].map(([key, x], i) => [
      value instanceof Set || typeof key === "object" ? String(i) : String(key),
      x,
    ]);
  const prototype: unknown = Object.getPrototypeOf(value);
  const open = Array.isArray(value) || prototype === null || Object.getPrototypeOf(prototype) === null;
  return open || typeof (value as { forward?: unknown }).forward === "function"
    ? Object.entries(value)
    : null;
}

/** What is being printed: a field that leads back to one of these is left out. */
const printing = new Set<object>();

function within(value: object, print: () => string): string {
  printing.add(value);
  try {
    return print();
  } finally {
    printing.delete(value);
  }
}

/** One indented line, or several, for each field that is a layer or holds layers. */
function linesOf(fields: readonly (readonly [name: string, value: unknown])[]): string {
  let lines = "";
  for (const [name, value] of fields) {
    const text = name === "forward" ? null : textOf(value);
    if (text !== null) lines += `\n  (${name}): ${text.replaceAll("\n", "\n  ")}`;
  }
  return lines;
}

function textOf(value: unknown): string | null {
  if (typeof value === "function") return value.name || "function";
  if (typeof value !== "object" || value === null || printing.has(value)) return null;
  if (value instanceof Module) return value.toString();
  const fields = fieldsOf(value);
  if (!fields) return null;
  const lines = within(value, () => linesOf(fields));
  const name = value.constructor?.name ?? "Object";
  if (lines !== "") return `${name}(${lines}\n)`;
  return "forward" in value ? `${name}()` : null;
}
