import { Tensor } from "@cotangent/autograd/functional";

/** Inputs and targets; the first axis counts the examples. */
export type Batch = readonly [x: Tensor, y: Tensor];

type Batches = Iterable<Batch> | AsyncIterable<Batch>;

/** One batch, or several that can be gone through once an epoch, or a function that gives those of an epoch (from 1). */
export type TrainingData = Batch | Batches | ((epoch: number) => Batches);

/** The batches of an epoch. */
export function batchesOf(data: TrainingData, epoch: number): Batches {
  if (typeof data === "function") return data(epoch);
  return isBatch(data) ? [data] : data;
}

function isBatch(data: Batch | Batches): data is Batch {
  return Array.isArray(data) && data[0] instanceof Tensor;
}
