import { type Tensor, ValueError } from "@cotangent/autograd/functional";
import { Module } from "../module.ts";
import { optionsOf } from "../options.ts";

/** What gives its input back. */
export class Identity extends Module {
  forward<X extends Tensor>(x: X): X {
    return x;
  }
}

/** Throws ValueError unless `module` is one. */
function checkModule(name: string, place: string | number, module: unknown): void {
  if (!(module instanceof Module))
    throw new ValueError(`${name}: entry ${place} is ${String(module)}; the entries are modules`);
}

/**
 * Modules in a row, for a model that goes through them itself; a plain array as a field does as well. Parameters are named by the
 * place of their module. Throws ValueError if an entry is no module.
 *
 * @example
 * ```ts
 * import { ones, type Tensor } from "@cotangent/autograd";
 * import { Linear, ModuleList } from "@cotangent/nn";
 * const list = new ModuleList([new Linear(2, 3), new Linear(3, 1)]);
 * let h: Tensor = ones([4, 2]);
 * for (const layer of list) h = layer.forward(h);
 * h.shape; // => [ 4, 1 ]
 * [...list.namedParameters().keys()]; // => [ '0.weight', '0.bias', '1.weight', '1.bias' ]
 * ```
 */
export class ModuleList<M extends Module = Module> extends Module implements Iterable<M> {
  readonly #modules: M[];

  constructor(modules: Iterable<M> = []) {
    super();
    if (typeof modules?.[Symbol.iterator] !== "function")
      throw new ValueError(`ModuleList: takes a list of modules, got ${String(modules)}`);
    this.#modules = [...modules];
    this.#modules.forEach((module, i) => {
      checkModule("ModuleList", i, module);
    });
  }

  get length(): number {
    return this.#modules.length;
  }

  /** The module at place `i`; negative numbers count from the end. */
  at(i: number): M | undefined {
    return this.#modules.at(i);
  }

  /** Puts a module at the end. Returns this list. */
  append(module: M): this {
    checkModule("ModuleList", this.length, module);
    this.#modules.push(module);
    return this;
  }

  [Symbol.iterator](): IterableIterator<M> {
    return this.#modules[Symbol.iterator]();
  }

  /** Throws ValueError: what to do with its modules is for the model to say. */
  forward(): never {
    throw new ValueError("ModuleList: has no forward; call its modules, or use Sequential");
  }

  protected override fields(): readonly (readonly [name: string, value: unknown])[] {
    return Object.entries(this.#modules);
  }
}

/**
 * Modules by name, for a model that chooses among them; a plain object as a field does as well. Throws ValueError if an entry is no
 * module, or a name is empty or has a point.
 *
 * @example
 * ```ts
 * import { Linear, ModuleDict } from "@cotangent/nn";
 * const heads = new ModuleDict({ actor: new Linear(4, 2), critic: new Linear(4, 1) });
 * [...heads.namedParameters().keys()]; // => [ 'actor.weight', 'actor.bias', 'critic.weight', 'critic.bias' ]
 * heads.get("critic")?.outFeatures; // => 1
 * ```
 */
export class ModuleDict<M extends Module = Module> extends Module implements Iterable<[string, M]> {
  readonly #modules = new Map<string, M>();

  constructor(modules: Readonly<Record<string, M>> = {}) {
    super();
    for (const [name, module] of Object.entries(optionsOf("ModuleDict", modules))) this.set(name, module);
  }

  get size(): number {
    return this.#modules.size;
  }

  get(name: string): M | undefined {
    return this.#modules.get(name);
  }

  has(name: string): boolean {
    return this.#modules.has(name);
  }

  /** Puts a module under `name`, in place of the one that is there. Returns this. */
  set(name: string, module: M): this {
    checkModule("ModuleDict", name, module);
    if (name === "" || name.includes("."))
      throw new ValueError(`ModuleDict: "${name}" cannot be part of a path; use a name without points`);
    this.#modules.set(name, module);
    return this;
  }

  [Symbol.iterator](): IterableIterator<[string, M]> {
    return this.#modules.entries();
  }

  /** Throws ValueError: what to do with its modules is for the model to say. */
  forward(): never {
    throw new ValueError("ModuleDict: has no forward; call one of its modules");
  }

  protected override stateName(field: string): string {
    return field;
  }

  protected override fields(): readonly (readonly [name: string, value: unknown])[] {
    return [...this.#modules];
  }
}
