import type { Variable } from "@cotangent/autograd/functional";
import { StateError, ValueError, variable } from "@cotangent/autograd/functional";

/** The numbers of each object that exposes some. */
const exposed = new WeakMap<object, Numbers>();

/** The numbers that `owner` exposes, null if there are none. */
export function numbersOf(owner: object): Numbers | null {
  return exposed.get(owner) ?? null;
}

/**
 * The numbers of an optimizer by name: float64 variables, so that a compiled step follows when one is changed. Those of a
 * part that was left out of the chain stay 0.
 */
export class Numbers {
  readonly #owner: string;
  readonly #variables: Map<string, Variable<[]> | null> = new Map();
  readonly #below: Map<string, number> = new Map();
  readonly #pairs: string[] = [];

  constructor(owner: string) {
    this.#owner = owner;
  }

  /** A number from 0 up to but not including `below`. Throws ValueError if it is anything else. */
  add(name: string, value: number, below: number = Number.POSITIVE_INFINITY): Variable<[]> {
    this.#below.set(name, below);
    this.check(name, value);
    const made = variable(value, { dtype: "float64", name }) as Variable<[]>;
    this.#variables.set(name, made);
    return made;
  }

  /** The same, null if it is 0. */
  addUnlessZero(name: string, value: number): Variable<[]> | null {
    const made = this.add(name, value);
    if (value !== 0) return made;
    this.#variables.set(name, null);
    return null;
  }

  /** Two numbers under one name, such as `betas`: `betas[0]` and `betas[1]`. */
  addPair(name: string, values: readonly [number, number], below?: number): [Variable<[]>, Variable<[]>] {
    if (!Array.isArray(values) || values.length !== 2)
      throw new ValueError(`${this.#owner}: ${name} is a list of two numbers, got ${String(values)}`);
    this.#pairs.push(name);
    return [this.add(`${name}[0]`, values[0], below), this.add(`${name}[1]`, values[1], below)];
  }

  /** Makes each number and each pair a property of `owner` that can be read and assigned. */
  exposeOn(owner: object): void {
    exposed.set(owner, this);
    for (const name of this.#variables.keys())
      if (!name.endsWith("]"))
        Object.defineProperty(owner, name, {
          get: () => this.get(name),
          set: (value: number) => this.set(name, value),
          enumerable: true,
        });
    for (const name of this.#pairs) {
      const [first, second] = [`${name}[0]`, `${name}[1]`];
      Object.defineProperty(owner, name, {
        get: () => [this.get(first), this.get(second)],
        set: ([one, other]: readonly [number, number]) => {
          this.check(second, other);
          this.set(first, one);
          this.set(second, other);
        },
        enumerable: true,
      });
    }
  }

  /** The variables of the numbers that were not left out, by their names. */
  get variables(): ReadonlyMap<string, Variable> {
    return new Map([...this.#variables].flatMap(([name, box]) => (box ? [[name, box]] : [])));
  }

  get(name: string): number {
    return this.#variables.get(name)?.item() ?? 0;
  }

  set(name: string, value: number): void {
    this.check(name, value);
    const box = this.#variables.get(name);
    if (box) box.assign(value);
    else if (value !== 0)
      throw new StateError(
        `${this.#owner}: ${name} was 0 when the optimizer was made, and so left out; make a new one with { ${name}: ${value} }`,
      );
  }

  /** Throws ValueError if `value` is out of the range of `name`. */
  check(name: string, value: number): void {
    const below = this.#below.get(name)!;
    if (typeof value === "number" && value >= 0 && value < below) return;
    const range =
      below === Number.POSITIVE_INFINITY ? "a finite number of at least 0" : `from 0 to below ${below}`;
    throw new ValueError(`${this.#owner}: ${name} is ${range}, got ${String(value)}`);
  }
}
