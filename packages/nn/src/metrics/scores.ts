import type { Tensor } from "@cotangent/autograd/functional";
import { ShapeError, ValueError } from "@cotangent/autograd/functional";
import { checkPair } from "../options.ts";
import { shown } from "./classes.ts";

/**
 * The area under the receiver operating characteristic: how often an example of class 1 has a higher score than one of class 0,
 * ties counting half (D. Bamber, J. Math. Psychol. 12, 1975). Scores and targets of 0 and 1 have one shape.
 *
 * Throws ShapeError for two shapes, ValueError for NaN, for targets other than 0 and 1, and where one class is missing.
 *
 * @example
 * ```ts
 * import { tensor } from "@cotangent/autograd";
 * import { rocAuc } from "@cotangent/nn/metrics";
 * rocAuc(tensor([0.1, 0.4, 0.35, 0.8]), tensor([0, 0, 1, 1])); // => 0.75
 * ```
 */
export function rocAuc(prediction: Tensor, target: Tensor): number {
  checkSame("rocAuc", prediction, target);
  const [scores, truths] = [prediction.toTypedArray(), target.toTypedArray()];
  const order = Array.from(scores, (_, i) => i).sort((a, b) => scores[a]! - scores[b]!);
  if (scores.some(Number.isNaN)) throw new ValueError("rocAuc: there is NaN among the scores");
  if (truths.some((x) => x !== 0 && x !== 1)) throw new ValueError("rocAuc: targets are 0 or 1");
  const positives = truths.filter((x) => x === 1).length;
  const negatives = truths.length - positives;
  if (positives === 0 || negatives === 0)
    throw new ValueError(
      `rocAuc: all ${truths.length} targets are ${positives === 0 ? 0 : 1}; both classes are needed`,
    );
  let [pairs, below] = [0, 0];
  for (let start = 0; start < order.length; ) {
    let [end, ones] = [start, 0];
    for (; end < order.length && scores[order[end]!] === scores[order[start]!]; end++)
      ones += truths[order[end]!]!;
    const zeros = end - start - ones;
    pairs += ones * (below + zeros / 2);
    below += zeros;
    start = end;
  }
  return pairs / (positives * negatives);
}

/**
 * The coefficient of determination: 1 minus what the squares of the errors are of the squares around the mean, the mean over the
 * columns of [n, columns]. A column that is constant gives 1 if it is met exactly, else 0.
 *
 * Throws ShapeError for two shapes, or without examples.
 *
 * @example
 * ```ts
 * import { tensor } from "@cotangent/autograd";
 * import { r2Score } from "@cotangent/nn/metrics";
 * r2Score(tensor([1, 2, 4]), tensor([1, 2, 3])); // => 0.5
 * ```
 */
export function r2Score(prediction: Tensor, target: Tensor): number {
  checkSame("r2Score", prediction, target);
  const [guesses, truths] = [prediction.toTypedArray(), target.toTypedArray()];
  const rows = target.shape[0] ?? 0;
  const columns = truths.length / rows;
  if (!(rows > 0 && columns > 0))
    throw new ShapeError(`r2Score: there are no examples in shape ${shown(target.shape)}`);
  let total = 0;
  for (let column = 0; column < columns; column++) {
    let mean = 0;
    for (let i = column; i < truths.length; i += columns) mean += truths[i]! / rows;
    let [missed, spread] = [0, 0];
    for (let i = column; i < truths.length; i += columns) {
      const [error, distance] = [guesses[i]! - truths[i]!, truths[i]! - mean];
      missed += error * error;
      spread += distance * distance;
    }
    total += spread > 0 ? 1 - missed / spread : missed === 0 ? 1 : 0;
  }
  return total / columns;
}

function checkSame(name: string, prediction: Tensor, target: Tensor): void {
  checkPair(name, prediction, target);
  if (prediction.shape.join() !== target.shape.join())
    throw new ShapeError(
      `${name}: prediction ${shown(prediction.shape)} and target ${shown(target.shape)} differ in shape; reshape one of them`,
    );
}
