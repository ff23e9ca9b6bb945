import { Tensor } from "@cotangent/autograd/functional";

/** Inputs and targets, each a tensor or arrays and plain objects of tensors; the first axes count the examples. */
export type Batch<Input = Tensor, Target = Tensor> = readonly [x: Input, y: Target];

type Batches<Input, Target> = Iterable<Batch<Input, Target>> | AsyncIterable<Batch<Input, Target>>;

/**
 * One batch, or several that can be gone through once an epoch, or a function that gives those of an epoch (from 1). A batch of
 * which inputs and targets are both arrays stands in a list.
 */
export type TrainingData<Input = Tensor, Target = Tensor> =
  | Batch<Input, Target>
  | Batches<Input, Target>
  | ((epoch: number) => Batches<Input, Target>);

/** The targets in such data, as tensors of any shape: batches differ in theirs. */
export type TargetOf<Data> = Data extends (epoch: number) => infer Given
  ? TargetIn<Given>
  : Data extends readonly [infer X, infer Y]
    ? readonly [X, Y] extends readonly [readonly unknown[], readonly unknown[]]
      ? TargetIn<Data>
      : Shapeless<Y>
    : TargetIn<Data>;

type TargetIn<Given> = Given extends Batches<unknown, infer Y> ? Shapeless<Y> : never;

/** What is not known, as in data that are `any`, is a tensor as nearly always. */
type Shapeless<T> = unknown extends T
  ? Tensor
  : T extends Tensor
    ? Tensor
    : T extends object
      ? { readonly [K in keyof T]: Shapeless<T[K]> }
      : T;

/** The batches of an epoch. */
export function batchesOf<Input, Target>(
  data: TrainingData<Input, Target>,
  epoch: number,
): Batches<Input, Target> {
  if (typeof data === "function") return data(epoch);
  return isBatch(data) ? [data] : data;
}

function isBatch<Input, Target>(
  data: Batch<Input, Target> | Batches<Input, Target>,
): data is Batch<Input, Target> {
  return Array.isArray(data) && data.length === 2 && !data.every(Array.isArray);
}

/** How many examples there are in `x`. */
export function examplesIn(x: unknown): number {
  return tensorsIn(x)[0]?.shape[0] ?? 1;
}

/** The tensors in a tensor, or in arrays and plain objects of them; there may be other things beside them. */
export function tensorsIn(x: unknown): Tensor[] {
  if (x instanceof Tensor) return [x];
  return isPlain(x) ? Object.values(x).flatMap(tensorsIn) : [];
}

/** Is it an array or a plain object? */
export function isPlain(x: unknown): x is object {
  if (typeof x !== "object" || x === null) return false;
  const prototype: unknown = Object.getPrototypeOf(x);
  return Array.isArray(x) || prototype === null || Object.getPrototypeOf(prototype) === null;
}
