import type { Tensor, Variable } from "@cotangent/autograd/functional";
import { StateError, ValueError, variable } from "@cotangent/autograd/functional";
import { shown } from "../options.ts";
import type { NamedNumber } from "./transform.ts";
import { exact, type Schedule } from "./transforms.ts";

/** From `least` up to but not including `below`. */
export type Range = readonly [least: number, below: number];

const any: Range = [0, Infinity];
/** The range of a decay rate, such as a beta of Adam. */
export const share: Range = [0, 1];

/** A number of an optimizer as its property: what it is at the next step, and how another is assigned. */
interface Entry {
  read(step: () => Tensor): unknown;
  /** Throws unless it can become `value`. Returns what assigns it, so that of several all are checked before the first changes. */
  settle(value: never): () => void;
}

/** Where transforms find a number. */
type Place = Variable<[]> | Schedule;

interface Made extends Entry {
  readonly box: Place;
}

/**
 * The numbers of an optimizer by name: float64 variables, so that a compiled step follows when one is changed, or schedules.
 * Those of a part that was left out of the chain stay 0.
 */
export class Numbers {
  readonly #owner: string;
  readonly #entries: Map<string, Entry> = new Map();
  readonly #variables: NamedNumber[] = [];

  constructor(owner: string) {
    this.#owner = owner;
  }

  /** A number in `range`, or a schedule. Throws ValueError if it is anything else. */
  add(name: string, value: number | Schedule, range: Range = any): Place {
    const made = this.#make(name, value, range);
    this.#entries.set(name, made);
    return made.box;
  }

  /** The same, null if it is 0. */
  addUnlessZero(name: string, value: number | Schedule): Place | null {
    if (value !== 0) return this.add(name, value);
    const settle = (later: number) => {
      this.#check(name, later, any);
      if (later !== 0)
        this.#refuse(
          name,
          `was 0 when the optimizer was made, and so left out; make a new one with { ${name}: ${later} }`,
        );
      return () => {};
    };
    this.#entries.set(name, { read: () => 0, settle });
    return null;
  }

  /** Two numbers under one name, such as `betas`. */
  addPair(
    name: string,
    values: readonly [number | Schedule, number | Schedule],
    range: Range = any,
    other: Range = range,
  ): [Place, Place] {
    this.#checkPair(name, values);
    const first = this.#make(`${name}[0]`, values[0], range);
    const second = this.#make(`${name}[1]`, values[1], other);
    this.#entries.set(name, {
      read: (step) => [first.read(step), second.read(step)],
      settle: (pair: readonly [never, never]) => {
        this.#checkPair(name, pair);
        const assign = [first.settle(pair[0]), second.settle(pair[1])];
        return () => {
          for (const one of assign) one();
        };
      },
    });
    return [first.box, second.box];
  }

  /** A choice that cannot change later. */
  addFixed<T>(name: string, value: T): T {
    const settle = () => this.#refuse(name, "cannot change; make a new optimizer");
    this.#entries.set(name, { read: () => value, settle });
    return value;
  }

  /** The same, true or false. Throws ValueError if it is anything else. */
  addFlag(name: string, value: boolean): boolean {
    if (typeof value !== "boolean")
      throw new ValueError(`${this.#owner}: ${name} is true or false, got ${shown(value)}`);
    return this.addFixed(name, value);
  }

  /** A number that matters at the beginning only. */
  addInitial(name: string, value: number): number {
    this.#check(name, value, any);
    return this.addFixed(name, value);
  }

  /** Those that can change, `betas[0]` and `betas[1]` apart. */
  get variables(): readonly NamedNumber[] {
    return this.#variables;
  }

  get names(): readonly string[] {
    return [...this.#entries.keys()];
  }

  read(name: string, step: () => Tensor): unknown {
    return this.#entries.get(name)?.read(step);
  }

  settle(name: string, value: unknown): () => void {
    return this.#entries.get(name)?.settle(value as never) ?? (() => {});
  }

  #make(name: string, value: number | Schedule, range: Range): Made {
    if (typeof value === "function")
      return {
        box: value,
        read: (step) => exact(value, step()).item(),
        settle: () => this.#refuse(name, "follows a schedule; make a new optimizer with another"),
      };
    this.#check(name, value, range);
    const box = variable(value, { dtype: "float64", name });
    const check = (later: number) => this.#check(name, later, range);
    this.#variables.push([name, box, check]);
    const settle = (later: number) => {
      check(later);
      return () => box.assign(later);
    };
    return { box, read: () => box.item(), settle };
  }

  #check(name: string, value: number, [least, below]: Range): void {
    if (typeof value === "number" && value >= least && value < below) return;
    const range =
      below === Infinity ? `a finite number of at least ${least}` : `from ${least} to below ${below}`;
    throw new ValueError(`${this.#owner}: ${name} is ${range}, got ${shown(value)}`);
  }

  #checkPair(name: string, pair: unknown): void {
    if (!Array.isArray(pair) || pair.length !== 2)
      throw new ValueError(`${this.#owner}: ${name} is a list of two numbers, got ${shown(pair)}`);
  }

  #refuse(name: string, reason: string): never {
    throw new StateError(`${this.#owner}: ${name} ${reason}`);
  }
}
