import type { Compiled, CompileOptions, Generator, Shape, Tensor } from "@cotangent/autograd/functional";
import { compile, ValueError } from "@cotangent/autograd/functional";
import type { CheckpointStore, Stateful } from "./checkpoint.ts";
import { batchesOf, examplesIn, type TargetOf, type TrainingData } from "./feed.ts";
import { forward, type Layer, Module } from "./module.ts";
import type { Optimizer } from "./optimize/transform.ts";
import type { Known } from "./options.ts";
import { checkCount, optionsOf } from "./options.ts";
import { pauses } from "./pause.ts";
import { type Series, series } from "./series.ts";
import { type Epoch, refuseShortEpoch, Session } from "./session.ts";
import type { Explainer } from "./trail.ts";
import { type Scores, type ValidateOptions, validateUntil } from "./validate.ts";

export interface FitOptions<Prediction = Tensor, Target = Tensor, Input = Tensor>
  extends ValidateOptions<Prediction, Target> {
  readonly optimizer: Optimizer;
  /** How often to go through the data. */
  readonly epochs: number;
  /** Compiles the step, once for each shape of batch; or how to, `{ relaxed: true }`. Not unless given. */
  readonly compile?: boolean | CompileOptions | undefined;
  /** Data that are not trained on. After each epoch `Epoch.validation` tells the loss and the metrics on them. */
  readonly validation?: TrainingData<NoInfer<Input>, NoInfer<Target>> | undefined;
  /** Is asked after each epoch, with all epochs so far, whether to end; see `earlyStopping`. Depends on nothing else. */
  readonly until?: ((history: readonly Epoch[]) => boolean) | undefined;
  /** Where to keep checkpoints; one that is there already is taken up. */
  readonly checkpoint?: CheckpointStore | undefined;
  /** After how many epochs to make a checkpoint, or `{ steps: 500 }`, after how many steps; 1 epoch unless given. */
  readonly checkpointEvery?: number | CheckpointInterval | undefined;
  /** What else belongs to a checkpoint, by name: averages of weights, generators other than the standard one. */
  readonly state?: Readonly<Record<string, Stateful | Generator>> | undefined;
  /**
   * `explainNonFinite`: a DivergenceError then says which op of which step began it. The state is remembered now and then for that, with
   * the batches since (some million elements), and a training that diverges takes its last steps again.
   */
  readonly explain?: Explainer | undefined;
  /** An AbortSignal, or what is like one: ends the training after the step at hand, with a checkpoint. */
  readonly signal?: { readonly aborted: boolean } | undefined;
}

const known: Known<FitOptions> = {
  loss: true,
  metrics: true,
  optimizer: true,
  epochs: true,
  compile: true,
  validation: true,
  until: true,
  checkpoint: true,
  checkpointEvery: true,
  state: true,
  explain: true,
  signal: true,
};

/** When checkpoints are due: after so many epochs, after so many steps of all epochs, or with both, after either. */
export interface CheckpointInterval {
  readonly epochs?: number | undefined;
  readonly steps?: number | undefined;
}

/** A step, as `watch` tells it. */
export interface Step {
  readonly epoch: number;
  readonly epochs: number;
  /** Counts from 1 in each epoch. */
  readonly step: number;
  /** How many the epoch before had; null in the first. */
  readonly steps: number | null;
  /** Examples seen in this epoch. */
  readonly examples: number;
  readonly loss: number;
}

/** The epochs as they come; awaited, it goes through all that are left and gives the history. */
export interface Training extends Series<Epoch> {
  /** All epochs so far, those before a resumption among them. */
  readonly history: readonly Epoch[];
  /** Lets `listener` know of each step. */
  watch(listener: (step: Step) => void): void;
}

/**
 * Trains `model` by one step of the optimizer for each batch, and tells about each epoch when it is over: to a loop (`for await`), or
 * awaited, about all of them in the end. An epoch begins with the
 * model in training mode, and an optimizer that has modes is in training mode during the steps and in evaluation mode after them.
 * Leaving the loop ends the training. Batches without examples are passed over. Other work gets its turn every 20 ms.
 *
 * With `checkpoint`, all that decides on how the training goes on is kept after each epoch, when the loop asks for the next one, or as
 * `checkpointEvery` says, and when the loop is left, comes to its end or `signal` says so. The same program run again takes that up
 * and ends with the same bits as if it had never stopped, provided that its data depend on the epoch and the generators only.
 *
 * Throws ValueError if `epochs` or what `checkpointEvery` says is no whole number of at least 0 or 1. While running:
 * DivergenceError, naming the step, which the parameters have taken already, if the loss is NaN, or parameters to be kept are not
 * finite (with `explain` it says where that began), and the last checkpoint stays; ValueError if the loss is no single number, or if an
 * epoch has no batches; FormatError, ValueError or StateError if the checkpoint is damaged or from another training.
 *
 * @example
 * ```ts
 * import { tensor } from "@cotangent/autograd";
 * import { fit, Linear, SGD } from "@cotangent/nn";
 * import { mse } from "@cotangent/nn/loss";
 * const [x, y] = [tensor([[1], [2], [3]]), tensor([[2], [4], [6]])];
 * const model = new Linear(1, 1, { bias: false });
 * const optimizer = new SGD(model.parameters(), { lr: 0.1 });
 * for await (const { epoch, loss } of fit(model, [x, y], { loss: mse, optimizer, epochs: 100 }))
 *   if (loss < 1e-8) break;
 * model.weight; // => weight = Variable([[2]], float32)
 * const history = await fit(model, [x, y], { loss: mse, optimizer, epochs: 3 });
 * history.length; // => 3
 * ```
 */
export function fit<
  Prediction,
  Input = Tensor,
  const Data extends TrainingData<NoInfer<Input>, unknown> = TrainingData<Input>,
>(
  model: Layer<Prediction, Input>,
  data: Data,
  options: FitOptions<NoInfer<Prediction>, TargetOf<Data>, NoInfer<Input>>,
): Training;
export function fit<Prediction, Input, Target>(
  model: Layer<Prediction, Input>,
  data: TrainingData<Input, Target>,
  options: FitOptions<Prediction, Target, Input>,
): Training {
  const { epochs, checkpointEvery = 1 } = optionsOf<typeof options>("fit", options, known);
  if (!Number.isInteger(epochs) || epochs < 0)
    throw new ValueError(`fit: epochs is a whole number of at least 0, got ${String(epochs)}`);
  const session = new Session(model, options);
  const loop = new Loop(model, data, options, session, settled(checkpointEvery));
  const { history } = session;
  return Object.assign(series(loop.run(), history), {
    history,
    watch: (listener: (step: Step) => void): void => {
      loop.listeners.push(listener);
    },
  });
}

/** The interval, checked. */
function settled(given: number | CheckpointInterval): CheckpointInterval {
  const plain = typeof given !== "object" || given === null;
  const entries = Object.entries(plain ? { epochs: given } : given);
  const isUnit = ([unit]: readonly [string, unknown]): boolean => unit === "epochs" || unit === "steps";
  if (entries.length === 0 || !entries.every(isUnit))
    throw new ValueError(
      "fit: checkpointEvery is a number of epochs, or { epochs, steps } with one of them or both",
    );
  for (const [unit, count] of entries)
    checkCount(plain ? "fit: checkpointEvery" : `fit: checkpointEvery.${unit}`, count, 1);
  return Object.fromEntries(entries);
}

/** What `compile` is told; null if nothing is to be compiled. */
function howToCompile(given: boolean | CompileOptions = false): CompileOptions | null {
  if (typeof given === "boolean") return given ? {} : null;
  if (typeof given === "object" && given !== null) return given;
  throw new ValueError(
    `fit: compile is true or false, or tells how to, as { relaxed: true } does, got ${JSON.stringify(given) ?? typeof given}`,
  );
}

const isDue = (count: number, every: number | undefined): boolean =>
  every !== undefined && count % every === 0;

class Loop<Prediction, Input, Target> {
  readonly listeners: ((step: Step) => void)[] = [];
  readonly #model: Layer<Prediction, Input>;
  readonly #data: TrainingData<Input, Target>;
  readonly #options: FitOptions<Prediction, Target, Input>;
  readonly #session: Session;
  readonly #every: CheckpointInterval;
  readonly #step: (x: Input, y: Target) => Tensor;
  readonly #compiled: Compiled<(x: Input, y: Target) => Tensor> | null;
  readonly #pause: () => Promise<void> | undefined = pauses();

  constructor(
    model: Layer<Prediction, Input>,
    data: TrainingData<Input, Target>,
    options: FitOptions<Prediction, Target, Input>,
    session: Session,
    every: CheckpointInterval,
  ) {
    this.#model = model;
    this.#data = data;
    this.#options = options;
    this.#session = session;
    this.#every = every;
    const { loss, optimizer } = options;
    const step = (x: Input, y: Target): Tensor => {
      const value = loss(forward(model, x), y);
      if (value.size !== 1)
        throw new ValueError(
          `fit: the loss has shape ${format(value.shape)}; it must be one number, so reduce it with mean() or sum()`,
        );
      optimizer.step(value);
      return value;
    };
    const how = howToCompile(options.compile);
    this.#compiled = how && compile(step, how);
    this.#step = this.#compiled ?? step;
    if (options.explain) session.follow(this.#step, options.explain);
  }

  async *run(): AsyncGenerator<Epoch, void> {
    const session = this.#session;
    const { epochs, optimizer } = this.#options;
    await session.restore();
    for (let ended = this.#ended(); !ended; ) {
      const trained = !this.#stopped() && (await this.#train());
      optimizer.eval?.();
      const validation = trained ? await this.#validate() : "stopped";
      if (validation === "stopped") {
        await session.check(this.#pause);
        await session.save();
        return;
      }
      await session.check(this.#pause);
      const epoch = session.end(epochs, validation);
      ended = this.#ended();
      let left = true;
      try {
        yield epoch;
        left = false;
      } finally {
        // After the loop's body, which may have changed the learning rate.
        if (left || ended || isDue(epoch.epoch, this.#every.epochs)) await session.save();
      }
      await this.#pause();
    }
  }

  #ended(): boolean {
    const { position, history } = this.#session;
    const { epochs, until } = this.#options;
    return position.epoch > epochs || (history.length > 0 && until?.(history) === true);
  }

  readonly #stopped = (): boolean => this.#options.signal?.aborted === true;

  /** The rest of the epoch; false if it was stopped before its end. */
  async #train(): Promise<boolean> {
    const session = this.#session;
    const { position } = session;
    const begin = performance.now() - 1000 * position.seconds;
    if (this.#model instanceof Module) this.#model.train();
    this.#options.optimizer.train?.();
    session.begin();
    let skip = position.batches;
    for await (const [x, y] of batchesOf(this.#data, position.epoch)) {
      await this.#pause();
      if (skip > 0) {
        skip--;
        if (skip === 0) session.reach();
        continue;
      }
      position.batches++;
      const examples = examplesIn(x);
      if (examples === 0) continue;
      await this.#prepare(x, y);
      session.before(x, y);
      const loss = this.#step(x, y).item();
      position.seconds = (performance.now() - begin) / 1000;
      session.count(loss, examples);
      this.#tell(loss);
      // Not later: the next batch may draw numbers when it is made.
      if (isDue(position.total, this.#every.steps)) {
        await session.check(this.#pause);
        await session.save();
      }
      if (this.#stopped()) return false;
    }
    if (skip > 0) refuseShortEpoch(position, skip);
    if (position.steps === 0)
      throw new ValueError(
        `fit: epoch ${position.epoch} has no batches; what can be gone through once only, such as a generator, is passed as a ` +
          "function that makes it: () => batches()",
      );
    return true;
  }

  /** Compiles the step for such a batch, unless that is done. */
  async #prepare(x: Input, y: Target): Promise<void> {
    if (!this.#compiled) return;
    for (const _ of this.#compiled.prepare(x, y)) await this.#pause();
    // The first run of a program is a long one.
    await this.#pause();
  }

  #tell(loss: number): void {
    const { position, history } = this.#session;
    const { epoch, steps: step, examples } = position;
    const steps = history.at(-1)?.steps ?? null;
    for (const listener of this.listeners)
      listener({ epoch, epochs: this.#options.epochs, step, steps, examples, loss });
  }

  /** How good the model is now; null without data for it. */
  async #validate(): Promise<Scores | null | "stopped"> {
    const { validation } = this.#options;
    if (validation === undefined) return null;
    const { epoch } = this.#session.position;
    const scores = await validateUntil(this.#model, validation, this.#options, epoch, this.#stopped);
    return scores ?? "stopped";
  }
}

const format = (shape: Shape): string => `[${shape.join(", ")}]`;
