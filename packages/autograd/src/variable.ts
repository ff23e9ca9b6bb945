import { copyOf, type DType, type TypedArray } from "./dtype.ts";
import { CompileError, DTypeError, ShapeError, StateError, ValueError } from "./errors.ts";
import { addPending, evaluate, flush, isTracing } from "./evaluate.ts";
import type { Op } from "./graph.ts";
import { apply, elementsOf, rareOf, setElements, sourceOf, Tensor, zero } from "./graph.ts";
import { cast } from "./ops/cast.ts";
import type { CreateOptions } from "./ops/leaf.ts";
import { checkTensor, element, fill, tensor } from "./ops/leaf.ts";
import { passing } from "./ops/passing.ts";
import { optionsOf } from "./options.ts";
import type { Shape } from "./shape.ts";
import { equalShapes, formatShape } from "./shape.ts";
import type { Nested, Operand, ShapeOf, SizesOf } from "./signature.ts";

// Variables, settings and the record of what is done to them are one file: each asks the others, and imports go one way.

type VersionAttributes = { readonly shape: Shape; readonly dtype: DType; readonly version: number };

const variableOp: Op<VersionAttributes> = {
  name: "variable",
  kernel: { kind: "leaf", source: "data" },
  derivatives: [],
  shape: (_, { shape }) => shape,
  dtype: (_, { dtype }) => dtype,
};

/** A version assigned while tracing: the assigned value, and derivatives end here as they do at a leaf. */
export const assignedOp: Op<{ readonly version: number }> = passing("assigned", [zero]);

/** The place in the memory of a compiled program where the present version of a variable lies, instead of in a node. */
export interface Home {
  /** The elements, until it runs again. */
  readonly place: TypedArray;
}

/** A record of what a function does to variables and reads of settings. While it is kept, no variable changes. */
export class Trace {
  /** Are the versions that the function begins with symbols without elements (`compile`), or the present ones (checks)? */
  readonly symbolic: boolean;
  /** The version that each variable had when it was first read. */
  readonly begun: Map<Variable, Tensor> = new Map();
  /** The version that was assigned last. */
  readonly assigned: Map<Variable, Tensor> = new Map();
  /** The `grad` that was set last. */
  readonly gradients: Map<Variable, Tensor | null> = new Map();
  /** Variables whose `grad` was read before it was set, and was null: a program is right only while it is. */
  readonly withoutGradient: Set<Variable> = new Set();
  /** The value of each setting that was read. */
  readonly settings: Map<Setting<unknown>, unknown> = new Map();

  constructor(symbolic = true) {
    this.symbolic = symbolic;
  }

  /** Runs `f`, a part of the function. If it throws, the record forgets what it has done to variables. */
  attempt<T>(f: () => T): T {
    const before = [...this.assigned];
    const gradientsBefore = [...this.gradients];
    try {
      return f();
    } catch (error) {
      refill(this.assigned, before);
      refill(this.gradients, gradientsBefore);
      throw error;
    }
  }
}

function refill<K, V>(map: Map<K, V>, entries: readonly (readonly [K, V])[]): void {
  map.clear();
  for (const [key, value] of entries) map.set(key, value);
}

/** The record that is being kept, if one is. */
let trace: Trace | null = null;

/** Runs `f` and records into `record` what it does to variables. */
export function tracing<T>(record: Trace, f: () => T): T {
  const before = trace;
  trace = record;
  try {
    return f();
  } finally {
    trace = before;
  }
}

/**
 * A plain value that a function under `compile` may depend on, such as whether a model is being trained: a program is for the
 * settings that it was traced with, and another value makes another program. Throws CompileError if it is set while traced.
 *
 * @example
 * ```ts
 * import { compile, scalar, Setting } from "@cotangent/autograd";
 * const doubled = new Setting(false);
 * const f = compile((x) => (doubled.value ? x.mul(2) : x));
 * f(scalar(3)).item(); // => 3
 * doubled.value = true;
 * f(scalar(3)).item(); // => 6
 * ```
 */
export class Setting<T> {
  #value: T;
  /** What `explain` calls it. */
  readonly name: string;

  constructor(value: T, name = "a setting") {
    this.#value = value;
    this.name = name;
  }
  get value(): T {
    if (trace && !trace.settings.has(this)) trace.settings.set(this, this.#value);
    return this.#value;
  }
  set value(value: T) {
    if (trace?.symbolic)
      throw new CompileError(
        "a setting, such as train() or eval(), cannot change inside compile; set it before the call",
      );
    this.#value = value;
  }
}

/**
 * The only thing that changes: a box of versions. Each version is an immutable leaf of the graph. An expression means the
 * version that it was built on, whatever is assigned later.
 */
export class Variable<S extends Shape = Shape> extends Tensor<S> {
  #current: Tensor<S> | null;
  #home: Home | null = null;
  #gradient: Tensor<S> | null = null;
  #version = 0;

  constructor(value: Tensor<S>) {
    checkTensor(new.target.name, value);
    const { shape, dtype } = value;
    // The variable itself is in no graph: `node` puts a version in its place.
    super(variableOp, null, { shape, dtype, version: -1 }, shape, dtype);
    const known = elementsOf(value.node);
    if (!known && isTracing())
      throw new CompileError("a variable or layer is made inside a function that is traced; make it outside");
    const data = known ?? evaluate([value])[0]!;
    this.#current = this.#leaf();
    setElements(this.#current, data);
  }

  /** The present version. */
  override get node(): Tensor<S> {
    return trace ? this.#tracedNode(trace) : this.#presentNode();
  }

  #presentNode(): Tensor<S> {
    if (this.#current === null) {
      this.#current = this.#leaf();
      setElements(this.#current, copyOf(this.#home!.place));
    }
    return this.#current;
  }

  #leaf(): Tensor<S> {
    const { shape, dtype } = this;
    const leaf = new Tensor(variableOp, null, { shape, dtype, version: this.#version }, shape, dtype);
    rareOf(leaf).owner = this;
    if (this.label !== null) leaf.named(this.label);
    return leaf;
  }

  #tracedNode(record: Trace): Tensor<S> {
    const known = record.assigned.get(this) ?? record.begun.get(this);
    if (known) return known as Tensor<S>;
    const version = record.symbolic ? this.#leaf() : this.#presentNode();
    record.begun.set(this, version);
    return version;
  }

  override named(label: string): this {
    this.#current?.named(label);
    return super.named(label);
  }

  /**
   * Makes `value` (of the same shape and dtype, or a number) the present version. It is computed at the next reading, or
   * inside `compile` becomes part of the program. Throws ShapeError or DTypeError and changes nothing if it does not fit.
   */
  assign(value: Operand): void {
    assignAll([[this, value]]);
  }

  /** @internal Takes a value that has been checked. */
  accept(value: Tensor): void {
    if (trace) {
      const version = apply(assignedOp, [value], { version: this.#version + 1 });
      rareOf(version).owner = this;
      trace.assigned.set(this, version);
      return;
    }
    const before = { current: this.#current, home: this.#home };
    this.#version++;
    const leaf = this.#leaf();
    const data = elementsOf(value);
    if (data) setElements(leaf, data);
    else
      addPending(
        {
          version: leaf,
          discard: () => {
            this.#current = before.current;
            this.#home = before.home;
          },
        },
        value,
      );
    this.#current = leaf;
    this.#home = null;
  }

  /** Is the present version assigned but not computed yet? */
  get pending(): boolean {
    return this.#current !== null && sourceOf(this.#current) !== null;
  }

  /** Changes with each assignment. @internal */
  get version(): number {
    return this.#version;
  }

  /** The elements of the present version, to be copied at once, if they are in the memory of a program and nowhere else. @internal */
  get resident(): TypedArray | null {
    return this.#current === null ? this.#home!.place : null;
  }

  /** A program has computed a new version and keeps it. @internal */
  moveTo(home: Home): void {
    this.#version++;
    this.#current = null;
    this.#home = home;
  }

  /**
   * What `backward` added up, or null. Set it to null (or call `optimizer.zeroGrad()`) before the next step. Throws ValueError, ShapeError
   * or DTypeError if it is set to something else than a tensor of the variable's shape and dtype, or a number.
   */
  get grad(): Tensor<S> | null {
    if (trace?.gradients.has(this)) return trace.gradients.get(this) as Tensor<S> | null;
    if (trace?.symbolic) {
      checkNoGradient(this, this.#gradient);
      trace.withoutGradient.add(this);
    }
    return this.#gradient;
  }
  set grad(value: Tensor<S> | null) {
    const gradient = value === null ? null : (fitting("set grad of", this, value) as Tensor<S>);
    if (trace) trace.gradients.set(this, gradient);
    else this.#gradient = gradient;
  }

  /** Does `backward` leave it a `grad`? @internal */
  get takesGrad(): boolean {
    return true;
  }
}

/** Throws CompileError: a compiled function cannot go on with a gradient that is not its own. @internal */
export function checkNoGradient({ label, shape }: Variable, gradient: Tensor | null): void {
  if (gradient !== null)
    throw new CompileError(
      `compile: the function adds to the grad of ${label ?? `a variable of shape ${formatShape(shape)}`}, which was made ` +
        "before the call; call zeroGrad() of the model or set grad = null inside the function first",
    );
}

/** The record that `compile`, `vmap` or a check keeps now, or null. */
export function recording(): Trace | null {
  return trace;
}

/** Assigns several variables at once: all values are checked before the first variable changes. */
export function assignAll(assignments: readonly (readonly [variable: Variable, value: Operand])[]): void {
  if (!Array.isArray(assignments) || !assignments.every((pair) => pair?.[0] instanceof Variable))
    throw new ValueError("assignAll: takes pairs [variable, value]");
  const checked = assignments.map(
    ([variable, value]) => [variable, fitting("assign to", variable, value)] as const,
  );
  if (!trace && checked.some(([variable]) => variable.pending)) flush();
  for (const [variable, value] of checked) variable.accept(value);
}

/** The node of a value that fits `variable`. Throws for what does not fit; `doing` begins the messages, as in "assign to". */
export function fitting(doing: string, variable: Variable, value: Operand): Tensor {
  const name = `${doing} ${variable.label ?? "a variable"}`;
  if (typeof value === "number")
    return fill(element(name, value, variable.dtype), variable.shape, variable.dtype);
  if (!(value instanceof Tensor)) throw new ValueError(`${name}: takes a tensor or a number`);
  if (!equalShapes(value.shape, variable.shape))
    throw new ShapeError(
      `${name}: shape ${formatShape(value.shape)} does not fit ${formatShape(variable.shape)}; variables keep their shape`,
    );
  if (value.dtype !== variable.dtype)
    throw new DTypeError(
      `${name}: ${value.dtype} does not fit ${variable.dtype}; cast the value with cast(x, "${variable.dtype}")`,
    );
  return value.node;
}

export interface VariableOptions extends CreateOptions {
  /** The name in prints of the graph. */
  readonly name?: string | undefined;
}

/**
 * A variable that starts with `initial`: a tensor, which is cast if a `dtype` is given, nested arrays, a number or a typed array (copied).
 *
 * @example
 * ```ts
 * import { variable } from "@cotangent/autograd";
 * const w = variable([1, 2], { name: "w" });
 * w.assign(w.mul(3));
 * w.toArray(); // => 3,6
 * ```
 */
export function variable<S extends Shape>(initial: Tensor<S>, options?: VariableOptions): Variable<S>;
export function variable<const X extends Tensor | Nested>(
  initial: X,
  options?: VariableOptions,
): Variable<[X] extends [Tensor] ? SizesOf<X> : ShapeOf<Extract<X, Nested>>>;
export function variable(initial: Tensor | Nested, options?: VariableOptions): Variable {
  const { name, ...create } = optionsOf("variable", options, { name: true, dtype: true });
  const given = initial instanceof Tensor ? initial : tensor(initial, create);
  const made = new Variable(create.dtype === undefined ? given : cast(given, create.dtype));
  return name === undefined ? made : made.named(name);
}

// In PyTorch this freezes a parameter. Here the assignment would make a property that nobody looks at.
const noSwitch = (): never => {
  throw new StateError(
    "a variable has no requiresGrad: optimizers change what they are given, and gradients are taken by what is asked for; give an " +
      "optimizer the parameters that shall change, and backward those as { inputs }; use x.detach() for a constant",
  );
};
Object.defineProperty(Variable.prototype, "requiresGrad", { get: noSwitch, set: noSwitch });
