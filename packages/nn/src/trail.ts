import type { NonFinite, Tensor, Variable } from "@cotangent/autograd/functional";
import type { Stateful } from "./checkpoint.ts";
import { tensorsIn } from "./feed.ts";
import type { StateDict } from "./state.ts";

/** Says where the first NaN or infinity of a step comes from and changes nothing: `explainNonFinite`. */
export type Explainer = (step: () => Tensor) => NonFinite | null;

/** What a training is made of, and how a step is taken. */
export interface Repeatable {
  readonly everything: Stateful;
  readonly generators: Stateful;
  readonly parameters: readonly Variable[];
  step(x: unknown, y: unknown): Tensor;
}

/** A step that was taken: which, of what, with what loss, and what was drawn before it. Of the first all of the state is known. */
interface Taken {
  readonly number: number;
  readonly x: unknown;
  readonly y: unknown;
  readonly loss: number;
  readonly before: StateDict;
}

/** Where a NaN began. */
export interface Beginning {
  /** The number of the step. */
  readonly step: number;
  readonly found: NonFinite;
}

/**
 * Batches with so many elements are kept, or as many as the state has, before the state is remembered anew: remembering costs less than
 * going through them. What else is kept of a step counts as some.
 */
const mostElements = 2 ** 20;
const perStep = 2 ** 10;

/**
 * The last steps of a training, in case that it diverges: by then the parameters are of no use, and the step that spoiled them may be
 * another one. The state is remembered now and then and the batches since; from there the steps are taken again, to the same bits.
 */
export class Trail {
  readonly #training: Repeatable;
  readonly #explain: Explainer;
  #taken: Taken[] = [];
  #next: Pick<Taken, "x" | "y" | "before"> | null = null;
  /** The elements of the batches that are kept, and how many there may be. */
  #elements = 0;
  #most = 0;
  /** Is a parameter NaN or infinite already? The step that made it so is among those that are kept. */
  #ended = false;

  constructor(training: Repeatable, explain: Explainer) {
    this.#training = training;
    this.#explain = explain;
  }

  /** An epoch begins: what was done since the last step, to the learning rate for instance, cannot be done again. */
  begin(): void {
    this.#most = 0;
  }

  /** A step with this batch is about to be taken. */
  before(x: unknown, y: unknown): void {
    const { everything, generators, parameters } = this.#training;
    const elements = tensorsIn([x, y]).reduce((total, { size }) => total + size, perStep);
    this.#elements += elements;
    const isDue = this.#elements > this.#most;
    this.#ended ||= isDue && this.#taken.length > 0 && !parameters.every(holdsNumbers);
    if (this.#ended) return;
    const before = (isDue ? everything : generators).stateDict();
    this.#next = { x, y, before };
    if (!isDue) return;
    this.#taken = [];
    this.#elements = elements;
    this.#most = Object.values(before).reduce((total, part) => total + part.size, mostElements);
  }

  /** It was taken, as step `number` of all epochs. */
  after(number: number, loss: number): void {
    if (this.#next) this.#taken.push({ number, loss, ...this.#next });
    this.#next = null;
  }

  /**
   * Takes the steps again up to the first one that has NaN for a loss or makes a parameter NaN or infinite, and says where in that
   * step it begins; null if they do not go as before. In the end everything is as it was.
   */
  beginning(): Beginning | null {
    const { everything, generators, parameters, step } = this.#training;
    const end = everything.stateDict();
    try {
      for (const [i, { number, x, y, loss, before }] of this.#taken.entries()) {
        (i === 0 ? everything : generators).loadStateDict(before);
        const state = everything.stateDict();
        if (!Object.is(step(x, y).item(), loss)) return null;
        if (!Number.isNaN(loss) && parameters.every(holdsNumbers)) continue;
        everything.loadStateDict(state);
        const found = this.#explain(() => step(x, y));
        return found && { step: number, found };
      }
      return null;
    } finally {
      everything.loadStateDict(end);
    }
  }
}

const holdsNumbers = (parameter: Variable): boolean => parameter.toTypedArray().every(Number.isFinite);
