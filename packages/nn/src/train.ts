import type { Shape } from "@cotangent/autograd/functional";
import { compile, Tensor, ValueError } from "@cotangent/autograd/functional";
import { forward, type Layer, Module } from "./module.ts";
import type { Optimizer } from "./optimize/transform.ts";

/** Inputs and targets; the first axis counts the examples. */
export type Batch = readonly [x: Tensor, y: Tensor];

type Batches = Iterable<Batch> | AsyncIterable<Batch>;

/** One batch, or several that can be gone through once an epoch, or a function that gives those of an epoch (from 1). */
export type TrainingData = Batch | Batches | ((epoch: number) => Batches);

export interface FitOptions {
  /** From what the model gives and the target to one number: `mse`. */
  readonly loss: (prediction: Tensor, target: Tensor) => Tensor;
  readonly optimizer: Optimizer;
  /** How often to go through the data. */
  readonly epochs: number;
  /** Compiles the step, once for each shape of batch. Not unless given. */
  readonly compile?: boolean;
}

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
}

/**
 * Trains `model` by one step of the optimizer for each batch, and tells about each epoch when it is over. It sets the model to
 * training mode at the beginning of an epoch; leaving the loop ends the training. Other work gets its turn every 20 ms.
 *
 * Throws ValueError if `epochs` is no whole number of at least 0; while running, ValueError if the loss is NaN (naming the
 * step, which the parameters have taken already), if it is no single number, or if an epoch has no batches.
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
 * ```
 */
export function fit(model: Layer, data: TrainingData, options: FitOptions): AsyncGenerator<Epoch, void> {
  const { epochs } = options;
  if (!Number.isInteger(epochs) || epochs < 0)
    throw new ValueError(`fit: epochs is a whole number of at least 0, got ${String(epochs)}`);
  return run(model, data, options);
}

async function* run(
  model: Layer,
  data: TrainingData,
  { loss, optimizer, epochs, compile: compiled = false }: FitOptions,
): AsyncGenerator<Epoch, void> {
  const plain = (x: Tensor, y: Tensor): Tensor => {
    const value = loss(forward(model, x), y);
    if (value.size !== 1)
      throw new ValueError(
        `fit: the loss has shape ${format(value.shape)}; it must be one number, so reduce it with mean() or sum()`,
      );
    optimizer.step(value);
    return value;
  };
  const step = compiled ? compile(plain) : plain;
  const pause = pauses();
  let total = 0;
  let seconds = 0;
  for (let epoch = 1; epoch <= epochs; epoch++) {
    const begin = performance.now();
    if (model instanceof Module) model.train();
    let [steps, examples, sum] = [0, 0, 0];
    for await (const [x, y] of batchesOf(data, epoch)) {
      await pause();
      const value = step(x, y).item();
      total++;
      steps++;
      if (Number.isNaN(value))
        throw new ValueError(
          `fit: the loss is NaN at step ${total} (epoch ${epoch}, batch ${steps}); try a smaller learning rate, and look for ` +
            "NaN in the data",
        );
      const count = x.shape[0] ?? 1;
      examples += count;
      sum += count * value;
    }
    if (steps === 0)
      throw new ValueError(
        `fit: epoch ${epoch} has no batches; what can be gone through once only, such as a generator, is passed as a ` +
          "function that makes it: () => batches()",
      );
    seconds += (performance.now() - begin) / 1000;
    yield { epoch, epochs, loss: sum / examples, steps, examples, seconds };
    await pause();
  }
}

function batchesOf(data: TrainingData, epoch: number): Batches {
  if (typeof data === "function") return data(epoch);
  return isBatch(data) ? [data] : data;
}

function isBatch(data: Batch | Batches): data is Batch {
  return Array.isArray(data) && data[0] instanceof Tensor;
}

type Task = (resume: () => void) => void;

/** Lets go of the event loop when the last time is 20 ms ago. */
function pauses(): () => Promise<void> | undefined {
  // Node's setImmediate comes sooner than a timer.
  const { setImmediate } = globalThis as { readonly setImmediate?: Task };
  const later: Task = setImmediate ?? ((resume) => setTimeout(resume, 0));
  let last = performance.now();
  return () => {
    if (performance.now() - last < 20) return undefined;
    return new Promise<void>((resolve) => {
      later(() => {
        last = performance.now();
        resolve();
      });
    });
  };
}

const format = (shape: Shape): string => `[${shape.join(", ")}]`;
