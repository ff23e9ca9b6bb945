import type { Shape, TypedArray } from "@cotangent/autograd/functional";
import { fromTypedArray, IndexError, ShapeError, Tensor, ValueError } from "@cotangent/autograd/functional";
import { checkList, optionsOf, shown } from "../options.ts";
import { inOrder, shuffled } from "./order.ts";

/** Examples that can be had in any order: a number of them, and what makes a batch of some. */
export interface Dataset<Batch> {
  readonly length: number;
  /** The examples at `indices`, each from 0 up to but not including `length`, as one batch. */
  batch(indices: ArrayLike<number>): Batch;
}

/** The elements of one tensor, whose first axis counts the examples. */
interface Rows {
  readonly data: TypedArray;
  /** The shape of one example, and how many elements that is. */
  readonly shape: Shape;
  readonly size: number;
}

/**
 * Examples in tensors whose first axis counts them: inputs and targets. Copies the elements, and computes them if need be.
 *
 * Throws ValueError if there is no tensor, ShapeError if they differ in length; `batch` throws IndexError for an index that is none.
 *
 * @example
 * ```ts
 * import { tensor } from "@cotangent/autograd";
 * import { TensorDataset } from "@cotangent/nn/data";
 * const set = new TensorDataset(tensor([[1, 2], [3, 4], [5, 6]]), tensor([0, 1, 0]));
 * set.length; // => 3
 * const [x, y] = set.batch([2, 0]);
 * x.toArray(); // => [ [ 5, 6 ], [ 1, 2 ] ]
 * ```
 */
export class TensorDataset<const T extends readonly Tensor[]>
  implements Dataset<{ readonly [K in keyof T]: Tensor }>
{
  readonly length: number;
  readonly #tensors: readonly Rows[];

  constructor(...tensors: T) {
    if (tensors.length === 0 || !tensors.every((x) => x instanceof Tensor))
      throw new ValueError("TensorDataset: takes one or more tensors");
    const counts = tensors.map(({ shape }) => shape[0]);
    const [count] = counts;
    if (count === undefined || counts.some((other) => other !== count))
      throw new ShapeError(
        `TensorDataset: the first axes count the examples, and the shapes are ` +
          `${tensors.map(({ shape }) => `[${shape.join(", ")}]`).join(", ")}; make them equally long`,
      );
    this.length = count;
    this.#tensors = tensors.map((x) => {
      const shape = x.shape.slice(1);
      return { data: x.toTypedArray(), shape, size: shape.reduce((product, size) => product * size, 1) };
    });
  }

  batch(indices: ArrayLike<number>): { readonly [K in keyof T]: Tensor } {
    checkIndices("TensorDataset", indices, this.length);
    const taken = this.#tensors.map(({ data, shape, size }) => {
      const Elements = data.constructor as new (length: number) => TypedArray;
      const out = new Elements(indices.length * size);
      for (let i = 0; i < indices.length; i++)
        out.set(data.subarray(indices[i]! * size, (indices[i]! + 1) * size), i * size);
      return fromTypedArray(out, [indices.length, ...shape]) as Tensor;
    });
    return taken as { readonly [K in keyof T]: Tensor };
  }
}

/** Throws ValueError unless `dataset` is one. */
function checkDataset(name: string, dataset: unknown): void {
  const { length, batch } = Object(dataset);
  if (!Number.isInteger(length) || typeof batch !== "function")
    throw new ValueError(
      `${name}: takes a data set, got ${shown(dataset)}; make one with new TensorDataset(...), or give an object a length and ` +
        "a batch(indices)",
    );
}

function checkIndices(name: string, indices: ArrayLike<number>, length: number): void {
  for (let i = 0; i < indices.length; i++) {
    const index = indices[i]!;
    if (!Number.isInteger(index) || index < 0 || index >= length)
      throw new IndexError(`${name}: there is no example ${index}; they are 0 to ${length - 1}`);
  }
}

/**
 * Some of the examples of another data set, in the given order. Throws IndexError for an index that is none.
 *
 * @example
 * ```ts
 * import { tensor } from "@cotangent/autograd";
 * import { Subset, TensorDataset } from "@cotangent/nn/data";
 * const every2nd = new Subset(new TensorDataset(tensor([10, 11, 12, 13])), [0, 2]);
 * every2nd.batch([1])[0]; // => Tensor([12], float32)
 * ```
 */
export class Subset<Batch> implements Dataset<Batch> {
  readonly dataset: Dataset<Batch>;
  readonly indices: Int32Array;

  constructor(dataset: Dataset<Batch>, indices: ArrayLike<number>) {
    checkDataset("Subset", dataset);
    if (!Number.isInteger(Object(indices).length))
      throw new ValueError(`Subset: takes a list of indices, got ${shown(indices)}`);
    checkIndices("Subset", indices, dataset.length);
    this.dataset = dataset;
    this.indices = Int32Array.from(indices);
  }

  get length(): number {
    return this.indices.length;
  }

  batch(indices: ArrayLike<number>): Batch {
    checkIndices("Subset", indices, this.length);
    return this.dataset.batch(Int32Array.from(indices, (i) => this.indices[i]!));
  }
}

export interface SplitOptions {
  /** Takes the examples in random order unless false. */
  readonly shuffle?: boolean | undefined;
  /** The same seed, the same order; 0 unless given. */
  readonly seed?: number | undefined;
}

/**
 * Parts of `dataset`, each with a share of the examples, in random order: `[0.8, 0.2]`. What rounding leaves over goes to the
 * first parts. Numbers above 1 count examples: `[100, 50]`.
 *
 * Throws ValueError unless the shares are positive and add up to 1, or are whole numbers that add up to the number of examples.
 *
 * @example
 * ```ts
 * import { moons, randomSplit, TensorDataset } from "@cotangent/nn/data";
 * const { x, y } = moons({ count: 100, seed: 1 });
 * const [train, validation] = randomSplit(new TensorDataset(x, y), [0.8, 0.2], { seed: 1 });
 * [train.length, validation.length]; // => [ 80, 20 ]
 * ```
 */
export function randomSplit<Batch, const S extends readonly number[]>(
  dataset: Dataset<Batch>,
  shares: S,
  options?: SplitOptions,
): { -readonly [K in keyof S]: Subset<Batch> } {
  checkDataset("randomSplit", dataset);
  const order = orderOf("randomSplit", dataset.length, options);
  let start = 0;
  const parts = countsOf(shares, dataset.length).map((count) => {
    start += count;
    return new Subset(dataset, order.subarray(start - count, start));
  });
  return parts as { -readonly [K in keyof S]: Subset<Batch> };
}

function orderOf(name: string, count: number, options: SplitOptions | undefined): Int32Array {
  const { shuffle = true, seed = 0 } = optionsOf(name, options, { shuffle: "boolean", seed: true });
  return shuffle ? shuffled(name, count, seed, 0) : inOrder(count);
}

function countsOf(shares: readonly number[], length: number): number[] {
  checkList("randomSplit: shares", shares);
  const sum = shares.reduce((total, share) => total + share, 0);
  const whole = shares.every(Number.isInteger) && sum === length;
  if (!(shares.length > 0 && shares.every((share) => share >= 0) && (whole || Math.abs(sum - 1) < 1e-9)))
    throw new ValueError(
      `randomSplit: the shares are ${shares.join(", ")}; they add up to 1, or are whole numbers that add up to the ${length} examples`,
    );
  if (whole) return [...shares];
  const counts = shares.map((share) => Math.floor(share * length + 1e-9));
  const left = length - counts.reduce((total, count) => total + count, 0);
  return counts.map((count, i) => (i < left ? count + 1 : count));
}

/** One way of taking a part of the examples aside. */
export interface Fold<Batch> {
  readonly train: Subset<Batch>;
  readonly validation: Subset<Batch>;
}

/**
 * `k` ways of taking one part in `k` of the examples aside, for cross-validation: each example is in one validation part. Throws
 * ValueError unless `k` is a whole number from 2 to the number of examples.
 *
 * @example
 * ```ts
 * import { tensor } from "@cotangent/autograd";
 * import { kFold, TensorDataset } from "@cotangent/nn/data";
 * const folds = kFold(new TensorDataset(tensor([1, 2, 3, 4, 5])), 2, { shuffle: false });
 * folds.map(({ validation }) => [...validation.indices]); // => [ [ 0, 1, 2 ], [ 3, 4 ] ]
 * ```
 */
export function kFold<Batch>(dataset: Dataset<Batch>, k: number, options?: SplitOptions): Fold<Batch>[] {
  checkDataset("kFold", dataset);
  const { length } = dataset;
  if (!Number.isInteger(k) || k < 2 || k > length)
    throw new ValueError(`kFold: k is a whole number from 2 to the ${length} examples, got ${k}`);
  const order = orderOf("kFold", length, options);
  const start = (fold: number): number => fold * Math.floor(length / k) + Math.min(fold, length % k);
  return Array.from({ length: k }, (_, fold) => {
    const [begin, end] = [start(fold), start(fold + 1)];
    const others = order.filter((_, i) => i < begin || i >= end);
    return {
      train: new Subset(dataset, others),
      validation: new Subset(dataset, order.subarray(begin, end)),
    };
  });
}
