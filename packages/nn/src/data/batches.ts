import type { Tensor } from "@cotangent/autograd/functional";
import { ValueError } from "@cotangent/autograd/functional";
import { optionsOf } from "../options.ts";
import type { Dataset } from "./dataset.ts";
import { TensorDataset } from "./dataset.ts";
import { inOrder, shuffled } from "./order.ts";

export interface BatchOptions {
  /** How many examples a batch has; the last may have fewer. 32 unless given. */
  readonly batchSize?: number | undefined;
  /** Takes the examples of each epoch in another order; not unless given. */
  readonly shuffle?: boolean | undefined;
  /** The same seed, the same orders; 0 unless given. */
  readonly seed?: number | undefined;
  /** Leaves out a last batch that is shorter. */
  readonly dropLast?: boolean | undefined;
}

/**
 * The batches of each epoch of a data set, or of the `TensorDataset` of an array of tensors: a function from the number of the epoch
 * to its batches, as `fit` takes it. Their order depends on the seed and the epoch only, so training that is resumed goes on with the
 * batch that would have come next.
 *
 * Throws ValueError if it is given anything else, ShapeError if the tensors differ in length; ValueError unless `batchSize` is a whole number of at least 1, and the seed one from 0 to 2^53 - 1; the function, unless the
 * epoch is a whole number of at least 0.
 *
 * @example
 * ```ts
 * import { tensor } from "@cotangent/autograd";
 * import { batches } from "@cotangent/nn/data";
 * const train = batches([tensor([1, 2, 3, 4, 5])], { batchSize: 2, shuffle: true, seed: 3 });
 * [...train(1)].map(([x]) => x.toArray()); // => [ [ 2, 1 ], [ 5, 3 ], [ 4 ] ]
 * [...train(2)].map(([x]) => x.toArray()); // => [ [ 2, 4 ], [ 3, 1 ], [ 5 ] ]
 * ```
 */
export function batches<Batch>(
  dataset: Dataset<Batch>,
  options?: BatchOptions,
): (epoch: number) => Iterable<Batch>;
// The usual overload is the last: errors are told of that one.
export function batches<const T extends readonly Tensor[]>(
  tensors: T,
  options?: BatchOptions,
): (epoch: number) => Iterable<{ readonly [K in keyof T]: Tensor }>;
export function batches(
  given: Dataset<unknown> | readonly Tensor[],
  options?: BatchOptions,
): (epoch: number) => Iterable<unknown> {
  const known = { batchSize: true, shuffle: "boolean", seed: true, dropLast: "boolean" } as const;
  const {
    batchSize = 32,
    shuffle = false,
    seed = 0,
    dropLast = false,
  } = optionsOf("batches", options, known);
  const dataset = datasetOf(given);
  if (!Number.isInteger(batchSize) || batchSize < 1)
    throw new ValueError(`batches: batchSize is a whole number of at least 1, got ${batchSize}`);
  if (shuffle) shuffled("batches", 0, seed, 0);
  const ofEpoch = (epoch: number): Iterable<unknown> => {
    if (!Number.isInteger(epoch) || epoch < 0)
      throw new ValueError(`batches: the epoch is a whole number of at least 0, got ${epoch}`);
    return {
      *[Symbol.iterator]() {
        const { length } = dataset;
        const order = shuffle ? shuffled("batches", length, seed, epoch) : inOrder(length);
        const end = dropLast ? length - (length % batchSize) : length;
        for (let at = 0; at < end; at += batchSize)
          yield dataset.batch(order.subarray(at, Math.min(at + batchSize, end)));
      },
    };
  };
  // So that `for (const batch of batches(...))`, as one would write in Python, says what is missing.
  return Object.assign(ofEpoch, { [Symbol.iterator]: refuseLoop });
}

function refuseLoop(): never {
  throw new ValueError(
    "batches: gives the batches of each epoch; call it with its number, as in batches(...)(1)",
  );
}

function datasetOf(given: Dataset<unknown> | readonly Tensor[]): Dataset<unknown> {
  if (Array.isArray(given)) return new TensorDataset(...(given as readonly Tensor[]));
  const dataset = given as Partial<Dataset<unknown>> | null | undefined;
  if (typeof dataset?.batch === "function") return dataset as Dataset<unknown>;
  throw new ValueError("batches: takes a data set, which has length and batch(), or an array of tensors");
}
