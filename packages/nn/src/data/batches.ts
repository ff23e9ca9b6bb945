import { ValueError } from "@cotangent/autograd/functional";
import type { Dataset } from "./dataset.ts";
import { inOrder, shuffled } from "./order.ts";

export interface BatchOptions {
  /** How many examples a batch has; the last may have fewer. 32 unless given. */
  readonly batchSize?: number;
  /** Takes the examples of each epoch in another order; not unless given. */
  readonly shuffle?: boolean;
  /** The same seed, the same orders; 0 unless given. */
  readonly seed?: number;
  /** Leaves out a last batch that is shorter. */
  readonly dropLast?: boolean;
}

/**
 * The batches of each epoch: a function from the number of the epoch to its batches, as `fit` takes it. Their order depends on the
 * seed and the epoch only, so training that is resumed goes on with the batch that would have come next.
 *
 * Throws ValueError unless `batchSize` is a whole number of at least 1, and the seed one from 0 to 2^53 - 1; the function, unless the
 * epoch is a whole number of at least 0.
 *
 * @example
 * ```ts
 * import { tensor } from "@cotangent/autograd";
 * import { batches, TensorDataset } from "@cotangent/nn/data";
 * const train = batches(new TensorDataset(tensor([1, 2, 3, 4, 5])), { batchSize: 2, shuffle: true, seed: 3 });
 * [...train(1)].map(([x]) => x.toArray()); // => [ [ 2, 1 ], [ 5, 3 ], [ 4 ] ]
 * [...train(2)].map(([x]) => x.toArray()); // => [ [ 2, 4 ], [ 3, 1 ], [ 5 ] ]
 * ```
 */
export function batches<Batch>(
  dataset: Dataset<Batch>,
  { batchSize = 32, shuffle = false, seed = 0, dropLast = false }: BatchOptions = {},
): (epoch: number) => Iterable<Batch> {
  if (!Number.isInteger(batchSize) || batchSize < 1)
    throw new ValueError(`batches: batchSize is a whole number of at least 1, got ${batchSize}`);
  if (shuffle) shuffled("batches", 0, seed, 0);
  return (epoch) => {
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
}
