import {
  cat,
  evaluate,
  fromTypedArray,
  leavesOf,
  mapTree,
  Tensor,
  unflattenTree,
  ValueError,
} from "@cotangent/autograd/functional";
import { batchesOf, examplesIn, isPlain, type TargetOf, type TrainingData, tensorsIn } from "./feed.ts";
import { forward, type Layer, Module } from "./module.ts";
import { optionsOf } from "./options.ts";
import { pauses } from "./pause.ts";

export interface ValidateOptions<Prediction = Tensor, Target = Tensor> {
  /** From what the model gives, a tensor or anything else, and the target to one number: `mse`. */
  readonly loss: (prediction: Prediction, target: Target) => Tensor;
  /** What else to tell, each from all predictions (tensors, or arrays and plain objects of them) and targets at once: `{ accuracy }`. */
  readonly metrics?: Readonly<Record<string, (prediction: Prediction, target: Target) => number>> | undefined;
}

/** The loss, the mean over the examples, and the metrics by their names. */
export type Scores = { readonly loss: number; readonly [metric: string]: number };

/**
 * How good `model` is on data that it is not trained on: with its modules in evaluation mode, which they leave again. Other work
 * gets its turn every 20 ms.
 *
 * Throws ValueError if there are no examples, if a metric is called `loss`, if the loss is no single number, if there are metrics and
 * the model gives something else than tensors, or for options that there are not.
 *
 * @example
 * ```ts
 * import { type Tensor, tensor } from "@cotangent/autograd";
 * import { validate } from "@cotangent/nn";
 * import { mse } from "@cotangent/nn/loss";
 * import { r2Score } from "@cotangent/nn/metrics";
 * const twice = (x: Tensor) => x.mul(2);
 * await validate(twice, [tensor([1, 2]), tensor([2, 5])], { loss: mse, metrics: { r2Score } });
 * ```
 */
export function validate<
  Prediction,
  Input = Tensor,
  const Data extends TrainingData<NoInfer<Input>, unknown> = TrainingData<Input>,
>(
  model: Layer<Prediction, Input>,
  data: Data,
  options: ValidateOptions<NoInfer<Prediction>, TargetOf<Data>>,
): Promise<Scores>;
export async function validate<Prediction, Input, Target>(
  model: Layer<Prediction, Input>,
  data: TrainingData<Input, Target>,
  options: ValidateOptions<Prediction, Target>,
): Promise<Scores> {
  optionsOf("validate", options, { loss: true, metrics: true });
  const scores = await validateUntil(model, data, options, 1, () => false);
  return scores!;
}

/** The same for the data of an epoch; null if `stopped` says so before all of them have been seen. */
export async function validateUntil<Prediction, Input, Target>(
  model: Layer<Prediction, Input>,
  data: TrainingData<Input, Target>,
  { loss, metrics = {} }: ValidateOptions<Prediction, Target>,
  epoch: number,
  stopped: () => boolean,
): Promise<Scores | null> {
  const names = Object.keys(metrics);
  if (names.includes("loss")) throw new ValueError("validate: a metric has another name than loss");
  const modes =
    model instanceof Module ? [...model.namedModules().values()].map((m) => [m, m.training] as const) : [];
  const pause = pauses();
  const [predictions, targets]: [Prediction[], Target[]] = [[], []];
  let [examples, sum] = [0, 0];
  try {
    for (const [module] of modes) module.training = false;
    for await (const [x, y] of batchesOf(data, epoch)) {
      await pause();
      if (stopped()) return null;
      const count = examplesIn(x);
      if (count === 0) continue;
      const prediction = forward(model, x);
      const value = loss(prediction, y);
      evaluate(...tensorsIn(prediction), value);
      sum += count * value.item();
      examples += count;
      if (names.length > 0) {
        predictions.push(numbersOf(prediction));
        targets.push(y);
      }
    }
  } finally {
    for (const [module, training] of modes) module.training = training;
  }
  if (examples === 0) throw new ValueError("validate: there are no examples");
  const all = names.length > 0 ? ([joined(predictions), joined(targets)] as const) : null;
  const scores = names.map((name) => [name, metrics[name]!(...all!)] as const);
  return { loss: sum / examples, ...Object.fromEntries(scores) };
}

/** A copy that keeps the numbers and not what they were computed from. */
function numbersOf<Prediction>(prediction: Prediction): Prediction {
  const isTree = (x: unknown): boolean =>
    x instanceof Tensor || (isPlain(x) && Object.values(x).every(isTree));
  if (!isTree(prediction))
    throw new ValueError(
      "validate: metrics are told all predictions at once, and these are not tensors, or arrays and plain objects of tensors; " +
        "tell it by the loss, or let the model give tensors",
    );
  return mapTree(prediction, (x) => fromTypedArray(x.toTypedArray(), x.shape)) as Prediction;
}

/** What there is of all batches as that of one. */
function joined<Tree>(trees: readonly Tree[]): Tree {
  const parts = trees.map(leavesOf);
  const leaves = parts[0]!.map((_, i) => cat(parts.map((part) => part[i]!)));
  return unflattenTree(trees[0]!, leaves) as Tree;
}
