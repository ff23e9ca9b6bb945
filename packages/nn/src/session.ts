import type { NonFinite, Variable } from "@cotangent/autograd/functional";
import {
  defaultGenerator,
  FormatError,
  Generator,
  StateError,
  ValueError,
} from "@cotangent/autograd/functional";
import {
  below,
  type CheckpointStore,
  checkpointParts,
  Parts,
  readCheckpoint,
  type Stateful,
  statefulGenerator,
} from "./checkpoint.ts";
import { Module } from "./module.ts";
import type { Optimizer } from "./optimize/transform.ts";
import { loadState, type StateDict, snapshotOf } from "./state.ts";
import { type Explainer, type Repeatable, Trail } from "./trail.ts";
import type { Scores } from "./validate.ts";

/** What happened in an epoch. */
export interface Epoch {
  /** Counts from 1. */
  readonly epoch: number;
  /** How many there will be. */
  readonly epochs: number;
  /** The mean over the examples of the epoch, each batch seen before its step. */
  readonly loss: number;
  /** Steps of the optimizer in this epoch. */
  readonly steps: number;
  /** Examples seen in this epoch. */
  readonly examples: number;
  /** Since the first epoch began, without the time between epochs. */
  readonly seconds: number;
  /** How good the model is after the epoch on the data for validation, if there are any. */
  readonly validation?: Scores | undefined;
}

/** The loss or a parameter has become NaN, or a parameter infinite. */
export class DivergenceError extends ValueError {
  /** The step that showed it, counted from 1 over all epochs. */
  readonly step: number;
  /** The epoch of that step. */
  readonly epoch: number;
  /** Where it began, if the training was given `explain` and could tell. */
  readonly origin: NonFinite | null;

  constructor(message: string, step: number, epoch: number, origin: NonFinite | null = null) {
    super(message);
    this.step = step;
    this.epoch = epoch;
    this.origin = origin;
  }
}

/** Where a training stands: behind how many batches of which epoch, and what this epoch has added up so far. */
interface Position {
  epoch: number;
  batches: number;
  steps: number;
  examples: number;
  /** Of the losses of all examples. */
  sum: number;
  /** Steps of all epochs. */
  total: number;
  /** Of all epochs. */
  seconds: number;
}

interface SessionOptions {
  readonly optimizer: Optimizer;
  readonly checkpoint?: CheckpointStore | undefined;
  readonly state?: Readonly<Record<string, Stateful | Generator>> | undefined;
}

/**
 * A training in progress: all that decides on how it goes on, and how that is kept. `fit` calls `restore` first. For each epoch it calls
 * `begin` before the data are made, `reach` if it has skipped the batches before a checkpoint, `before` and `count` around each step, and
 * `end`; and where a checkpoint is due `check` and `save`.
 */
export class Session {
  readonly position: Position = { epoch: 1, batches: 0, steps: 0, examples: 0, sum: 0, total: 0, seconds: 0 };
  readonly history: Epoch[] = [];
  readonly #optimizer: Optimizer;
  readonly #store: CheckpointStore | null;
  readonly #everything: Parts;
  readonly #generators: Parts;
  /** The generators before the data of this epoch were made. */
  #before: StateDict;
  /** The generators at the checkpoint that was taken up, until its epoch is over. */
  #resumed: StateDict | null = null;
  /** Has nothing changed since the last checkpoint? */
  #saved = true;
  #trail: Trail | null = null;

  constructor(model: unknown, { optimizer, checkpoint, state = {} }: SessionOptions) {
    this.#optimizer = optimizer;
    this.#store = checkpoint ?? null;
    const generators: Record<string, Stateful> = { standard: statefulGenerator(defaultGenerator) };
    const others: Record<string, Stateful> = {};
    for (const [name, part] of Object.entries(state))
      if (part instanceof Generator) generators[`state.${name}`] = statefulGenerator(part);
      else others[`state.${name}`] = part;
    this.#generators = new Parts(generators);
    const parts: Record<string, Stateful> = { optimizer, ...others, generator: this.#generators };
    if (model instanceof Module) parts.model = model;
    const stray = strayParameters(model, optimizer);
    if (stray) parts.parameter = stray;
    this.#everything = new Parts(parts);
    this.#before = this.#generators.stateDict();
  }

  /** Takes up the checkpoint, if there is one. Throws FormatError if it is none, ValueError if it does not fit. */
  async restore(): Promise<void> {
    const bytes = await this.#store?.read();
    if (!bytes) return;
    const { tensors, note } = readCheckpoint(bytes);
    const { position, history } = checkNote(note, this.position);
    this.#everything.loadStateDict(below("now.", tensors));
    this.#before = below("before.", tensors);
    this.#resumed = this.#generators.stateDict();
    Object.assign(this.position, position);
    this.history.push(...history);
  }

  /** From now on steps can be taken again, to find out where a NaN began. */
  follow(step: Repeatable["step"], explain: Explainer): void {
    const { parameters } = this.#optimizer;
    const [everything, generators] = [this.#everything, this.#generators];
    this.#trail = new Trail({ everything, generators, parameters, step }, explain);
  }

  /** Before the data of the epoch are made: what they draw is drawn again where the epoch was begun already. */
  begin(): void {
    this.#trail?.begin();
    if (this.position.batches > 0) this.#generators.loadStateDict(this.#before);
    else this.#before = this.#generators.stateDict();
  }

  /** The data have been gone through up to the batch at which the checkpoint was made. */
  reach(): void {
    if (this.#resumed) this.#generators.loadStateDict(this.#resumed);
  }

  /** A step with this batch is about to be taken. */
  before(x: unknown, y: unknown): void {
    this.#trail?.before(x, y);
  }

  /** A step with this loss of so many examples has been taken. Throws DivergenceError for NaN. */
  count(loss: number, examples: number): void {
    const { position } = this;
    this.#saved = false;
    position.total++;
    position.steps++;
    this.#trail?.after(position.total, loss);
    if (Number.isNaN(loss)) throw this.#diverged("the loss is NaN");
    position.examples += examples;
    position.sum += examples * loss;
  }

  /** The epoch is over. */
  end(epochs: number, validation: Scores | null): Epoch {
    const { epoch, sum, examples, steps, seconds, total } = this.position;
    const ended = { epoch, epochs, loss: sum / examples, steps, examples, seconds };
    this.history.push(validation ? { ...ended, validation } : ended);
    Object.assign(this.position, {
      epoch: epoch + 1,
      batches: 0,
      steps: 0,
      examples: 0,
      sum: 0,
      total,
      seconds,
    });
    this.#resumed = null;
    this.#saved = false;
    return this.history.at(-1)!;
  }

  /** Throws DivergenceError if a checkpoint would keep parameters that are of no use. Lets others run by `pause`. */
  async check(pause: () => Promise<void> | undefined): Promise<void> {
    if (!this.#store) return;
    for (const [i, parameter] of this.#optimizer.parameters.entries()) {
      await pause();
      if (!parameter.toTypedArray().every(Number.isFinite))
        throw this.#diverged(
          `parameter ${parameter.label ?? i} has become NaN or infinite`,
          "the last checkpoint is left as it was; ",
        );
    }
  }

  #diverged(what: string, besides = ""): DivergenceError {
    const { epoch, steps, total } = this.position;
    const place = steps > 0 ? `step ${total} (epoch ${epoch}, batch ${steps})` : `step ${total}`;
    const begun = this.#trail?.beginning();
    const step = begun?.step === total ? "in that step" : `in step ${begun?.step}`;
    const said = begun
      ? `it begins ${step}:\n${begun.found}`
      : `try a smaller learning rate${this.#trail ? lost : unasked}`;
    const message = `fit: ${what} at ${place}; ${besides}${said}`;
    return new DivergenceError(message, total, epoch, begun?.found);
  }

  /** Keeps what there is, unless nothing has changed since. */
  async save(): Promise<void> {
    if (!this.#store || this.#saved) return;
    const tensors = new Parts({
      now: this.#everything,
      before: { stateDict: () => this.#before, loadStateDict: () => null },
    }).stateDict();
    const note = { position: this.position, history: this.history };
    await this.#store.write(checkpointParts({ tensors, note }));
    this.#saved = true;
  }
}

const unasked = ", or pass explain: explainNonFinite to be told where it begins";
const lost =
  "; where it begins cannot be told: the steps do not go as before when they are taken again (generators that they draw from are " +
  "passed in state)";

/** The parameters of the optimizer that the model does not have, by their places; null if there are none. */
function strayParameters(model: unknown, { parameters }: Optimizer): Stateful | null {
  const known = new Set<Variable>(model instanceof Module ? model.parameters() : []);
  const stray = new Map(parameters.map((parameter, i) => [String(i), parameter]));
  for (const [place, parameter] of stray) if (known.has(parameter)) stray.delete(place);
  if (stray.size === 0) return null;
  return {
    stateDict: () => snapshotOf(stray),
    loadStateDict: (state) => loadState("parameters", stray, state),
  };
}

/** What a checkpoint says of the training. Throws FormatError unless it says it in full. */
function checkNote(
  note: unknown,
  like: Position,
): { readonly position: Position; readonly history: readonly Epoch[] } {
  const { position, history } = (note ?? {}) as {
    readonly position?: Position | undefined;
    readonly history?: readonly Epoch[] | undefined;
  };
  const keys = Object.keys(like) as (keyof Position)[];
  const whole = (key: keyof Position): boolean => key !== "sum" && key !== "seconds";
  const sound =
    typeof position === "object" &&
    keys.every(
      (key) =>
        typeof position[key] === "number" &&
        (!whole(key) || (Number.isSafeInteger(position[key]) && position[key] >= 0)),
    ) &&
    Array.isArray(history) &&
    history.every(
      (entry: Partial<Epoch> | null) => typeof entry?.epoch === "number" && typeof entry.loss === "number",
    );
  if (!sound) throw new FormatError("checkpoint: it does not say where the training stands");
  return { position, history };
}

/** The data ended before the batch at which the checkpoint was made. */
export function refuseShortEpoch({ epoch, batches }: Position, missing: number): never {
  throw new StateError(
    `fit: the checkpoint stands behind batch ${batches} of epoch ${epoch}, which has ${batches - missing}; resume with the data and ` +
      "the batch size that the training began with",
  );
}
