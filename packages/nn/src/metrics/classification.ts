import type { Tensor } from "@cotangent/autograd/functional";
import { fromTypedArray, IndexError, ValueError } from "@cotangent/autograd/functional";
import { optionsOf } from "../options.ts";
import { type ClassOptions, classesOf } from "./classes.ts";

/**
 * The share of examples whose class is predicted: scores [n, classes, ...] (the largest along axis 1 counts) for int32 targets
 * [n, ...], scores [n, classes] for probabilities [n, classes], or scores of one class of the target's own shape, such as
 * [n, 1]. NaN without examples.
 *
 * Throws ShapeError where prediction and target do not fit, IndexError for targets that are no classes.
 *
 * @example
 * ```ts
 * import { tensor } from "@cotangent/autograd";
 * import { accuracy } from "@cotangent/nn/metrics";
 * const target = tensor([0, 1, 1, 1], { dtype: "int32" });
 * accuracy(tensor([[2, 1], [0, 3], [5, 1], [1, 2]]), target); // => 0.75
 * accuracy(tensor([0.1, 0.9, 0.4, 0.8]), tensor([0, 1, 1, 1])); // => 0.75
 * ```
 */
export function accuracy(prediction: Tensor, target: Tensor, options?: ClassOptions): number {
  const set = optionsOf("accuracy", options, { threshold: true });
  const classes = classesOf("accuracy", prediction, target, set);
  let right = 0;
  for (let i = 0; i < classes.true.length; i++) if (classes.predicted[i] === classes.true[i]) right++;
  return right / classes.true.length;
}

export interface ConfusionOptions extends ClassOptions {
  /** How many classes there are; as many as are seen unless given, and at least 2. */
  readonly classes?: number | undefined;
}

/**
 * How many examples of each class (rows) were predicted to be of each class (columns): int32 [classes, classes]. Takes what
 * `accuracy` takes. Throws IndexError for a class that is none.
 *
 * @example
 * ```ts
 * import { tensor } from "@cotangent/autograd";
 * import { confusionMatrix } from "@cotangent/nn/metrics";
 * confusionMatrix(tensor([0.1, 0.9, 0.4, 0.8]), tensor([0, 1, 1, 1])).toArray(); // => [ [ 1, 0 ], [ 1, 2 ] ]
 * ```
 */
export function confusionMatrix(prediction: Tensor, target: Tensor, options?: ConfusionOptions): Tensor {
  const set = optionsOf("confusionMatrix", options, { threshold: true, classes: true });
  const { classes, counts } = countsOf("confusionMatrix", prediction, target, set);
  return fromTypedArray(counts, [classes, classes]) as Tensor;
}

function countsOf(
  name: string,
  prediction: Tensor,
  target: Tensor,
  options: ConfusionOptions,
): { readonly classes: number; readonly counts: Int32Array } {
  const found = classesOf(name, prediction, target, options);
  const scored = prediction.rank > target.rank ? prediction.shape[1]! : 0;
  let seen = Math.max(2, scored);
  for (const list of [found.true, found.predicted])
    for (const c of list) {
      if (!(c >= 0)) throw new IndexError(`${name}: there is no class ${c}; classes are 0, 1, 2 ...`);
      seen = Math.max(seen, c + 1);
    }
  const { classes = seen } = options;
  if (!Number.isInteger(classes) || classes < seen)
    throw new IndexError(`${name}: classes is ${classes}, and there is a class ${seen - 1}`);
  const counts = new Int32Array(classes * classes);
  for (let i = 0; i < found.true.length; i++) counts[found.true[i]! * classes + found.predicted[i]!]!++;
  return { classes, counts };
}

export interface AverageOptions extends ConfusionOptions {
  /**
   * "binary": that of class 1. "macro": the mean over the classes. "weighted": the same weighted by their examples. "micro": over
   * all examples at once. "binary" for two classes and "macro" for more unless given.
   */
  readonly average?: "binary" | "macro" | "weighted" | "micro" | undefined;
}

/** Of a class: examples that are and were predicted to be, that were predicted to be, that are. */
type Ratio = (hits: number, predicted: number, actual: number) => number;

/** 0 where there is nothing to divide by. */
const share = (part: number, whole: number): number => (whole === 0 ? 0 : part / whole);

function averaged(
  name: string,
  prediction: Tensor,
  target: Tensor,
  given: AverageOptions | undefined,
  ratio: Ratio,
): number {
  const options = optionsOf(name, given, { threshold: true, classes: true, average: true });
  const { classes, counts } = countsOf(name, prediction, target, options);
  const { average = classes === 2 ? "binary" : "macro" } = options;
  if (average === "binary" && classes !== 2)
    throw new ValueError(
      `${name}: average "binary" is for two classes, and there are ${classes}; take "macro"`,
    );
  const of = Array.from({ length: classes }, (_, c) => {
    let [predicted, actual] = [0, 0];
    for (let other = 0; other < classes; other++) {
      predicted += counts[other * classes + c]!;
      actual += counts[c * classes + other]!;
    }
    return { hits: counts[c * classes + c]!, predicted, actual };
  });
  const sum = (weigh: (c: (typeof of)[number]) => number): number =>
    of.reduce((total, c) => total + weigh(c), 0);
  const value = (c: (typeof of)[number]): number => ratio(c.hits, c.predicted, c.actual);
  const examples = sum(({ actual }) => actual);
  switch (average) {
    case "binary":
      return value(of[1]!);
    case "macro":
      return sum(value) / classes;
    case "weighted":
      return share(
        sum((c) => c.actual * value(c)),
        examples,
      );
    case "micro":
      return ratio(
        sum(({ hits }) => hits),
        examples,
        examples,
      );
    default:
      throw new ValueError(
        `${name}: average is "binary", "macro", "weighted" or "micro", got ${String(average)}`,
      );
  }
}

/**
 * The share of the examples predicted to be of a class that are; 0 if none was. Takes what `accuracy` takes. Throws as
 * `confusionMatrix` does, and ValueError for an average that does not exist or is not for so many classes.
 *
 * @example
 * ```ts
 * import { tensor } from "@cotangent/autograd";
 * import { f1Score, precision, recall } from "@cotangent/nn/metrics";
 * const [scores, target] = [tensor([0.1, 0.9, 0.4, 0.8]), tensor([0, 1, 1, 0])];
 * [precision(scores, target), recall(scores, target), f1Score(scores, target)]; // => [ 0.5, 0.5, 0.5 ]
 * ```
 */
export function precision(prediction: Tensor, target: Tensor, options?: AverageOptions): number {
  return averaged("precision", prediction, target, options, (hits, predicted) => share(hits, predicted));
}

/** The share of the examples of a class that were predicted to be of it; 0 if there are none. Otherwise as `precision`. */
export function recall(prediction: Tensor, target: Tensor, options?: AverageOptions): number {
  return averaged("recall", prediction, target, options, (hits, _, actual) => share(hits, actual));
}

/** The harmonic mean of `precision` and `recall` of a class; 0 if there are no hits. Otherwise as `precision`. */
export function f1Score(prediction: Tensor, target: Tensor, options?: AverageOptions): number {
  return averaged("f1Score", prediction, target, options, (hits, predicted, actual) =>
    share(2 * hits, predicted + actual),
  );
}
