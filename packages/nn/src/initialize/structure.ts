import type { Variable } from "@cotangent/autograd/functional";
import {
  normal as drawNormal,
  hideFrames,
  eye as identity,
  reshape,
  ShapeError,
  tensor,
  uniform,
  ValueError,
} from "@cotangent/autograd/functional";
import { checkShare, optionsOf } from "../options.ts";
import type { InitializeOptions } from "./fill.ts";
import { atLeastZero, checkVariable } from "./fill.ts";

hideFrames(import.meta.url);

/** Initializers that give a weight a structure: the identity, an orthogonal matrix, few entries. */

/** Makes the matrix `x` the identity (ones where row and column are equal), and returns it. Throws ShapeError for other ranks. */
export function eye<V extends Variable>(x: V): V {
  const [rows, columns] = checkVariable("eye", x).shape;
  if (x.rank !== 2)
    throw new ShapeError(`eye: takes a variable with two axes, got shape [${x.shape.join(", ")}]`);
  x.assign(identity(rows!, columns, { dtype: x.dtype }));
  return x;
}

const format = (x: Variable): string => `[${x.shape.join(", ")}]`;
const product = (sizes: readonly number[]): number => sizes.reduce((total, size) => total * size, 1);

/** Assigns elements that are given row by row. */
function assignElements(x: Variable, data: Float64Array): void {
  x.assign(reshape(tensor(data, { dtype: x.dtype }), x.shape));
}

export interface OrthogonalOptions extends InitializeOptions {
  /** Multiplies the matrix; 1 unless given. */
  readonly gain?: number | undefined;
}

/**
 * Fills a weight [out, in, ...] with an orthogonal matrix times `gain`, and returns it: as a matrix of `out` rows its rows or its
 * columns, whichever are fewer, have length `gain` and right angles between them, in all directions alike. Throws ShapeError if it
 * has fewer than two axes, ValueError for a gain below 0. (Saxe, McClelland and Ganguli 2014, https://arxiv.org/abs/1312.6120.)
 *
 * @example
 * ```ts
 * import { Linear } from "@cotangent/nn";
 * import { orthogonal } from "@cotangent/nn/initialize";
 * const w = orthogonal(new Linear(3, 2).weight);
 * w.matmul(w.transpose()).round().toArray(); // => 1,0,0,1
 * ```
 */
export function orthogonal<V extends Variable>(x: V, given: OrthogonalOptions = {}): V {
  const { gain = 1, ...options } = optionsOf("orthogonal", given, { gain: true, generator: true });
  if (checkVariable("orthogonal", x).rank < 2)
    throw new ShapeError(`orthogonal: a weight has at least the axes [out, in], got shape ${format(x)}`);
  atLeastZero("orthogonal", "gain", gain);
  const rows = x.shape[0]!;
  const columns = product(x.shape.slice(1));
  const [count, length] = rows <= columns ? [rows, columns] : [columns, rows];
  const vectors = orthonormal(
    Float64Array.from(drawNormal([count, length], { ...options, dtype: "float64" }).toTypedArray()),
    count,
    length,
  );
  const data = new Float64Array(rows * columns);
  for (let i = 0; i < count; i++)
    for (let j = 0; j < length; j++)
      data[rows <= columns ? i * columns + j : j * columns + i] = gain * vectors[i * length + j]!;
  assignElements(x, data);
  return x;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let j = 0; j < a.length; j++) sum += a[j]! * b[j]!;
  return sum;
}

/**
 * Makes `count` rows of `length` orthonormal in place by the method of Gram and Schmidt, each made orthogonal twice, which is
 * enough (L. Giraud, J. Langou and M. Rozloznik 2005). These are the rows of Q in a factorization Q R whose R has a positive
 * diagonal, and such a Q of normally distributed numbers has no preferred direction (F. Mezzadri 2007).
 */
function orthonormal(rows: Float64Array, count: number, length: number): Float64Array {
  const row = (i: number) => rows.subarray(i * length, (i + 1) * length);
  for (let i = 0; i < count; i++) {
    const current = row(i);
    for (let k = 0; k < 2 * i; k++) {
      const before = row(k % i);
      const along = dot(current, before);
      for (let j = 0; j < length; j++) current[j] = current[j]! - along * before[j]!;
    }
    const size = Math.sqrt(dot(current, current));
    for (let j = 0; j < length; j++) current[j] = current[j]! / size;
  }
  return rows;
}

export interface SparseOptions extends InitializeOptions {
  /** The deviation of the entries that are not 0; 0.01 unless given. */
  readonly deviation?: number | undefined;
}

/**
 * Fills a matrix [out, in] normally, but in each column the share `sparsity` of the entries, rounded up, is 0; returns it. Throws
 * ShapeError for other ranks, ValueError unless `sparsity` is from 0 to 1 and `deviation` at least 0. (Martens 2010, "Deep learning
 * via Hessian-free optimization".)
 *
 * @example
 * ```ts
 * import { Linear } from "@cotangent/nn";
 * import { sparse } from "@cotangent/nn/initialize";
 * const { weight } = new Linear(2, 10);
 * sparse(weight, 0.75).countNonzero(0).toArray(); // => 2,2
 * ```
 */
export function sparse<V extends Variable>(x: V, sparsity: number, given: SparseOptions = {}): V {
  const { deviation = 0.01, ...options } = optionsOf("sparse", given, { deviation: true, generator: true });
  if (checkVariable("sparse", x).rank !== 2)
    throw new ShapeError(`sparse: takes a matrix [out, in], got shape ${format(x)}`);
  checkShare("sparse: sparsity", sparsity);
  atLeastZero("sparse", "deviation", deviation);
  const [rows, columns] = [x.shape[0]!, x.shape[1]!];
  const none = Math.ceil(sparsity * rows);
  const data = Float64Array.from(
    drawNormal([rows, columns], { ...options, dtype: "float64" }).toTypedArray(),
    (value) => value * deviation,
  );
  const order = uniform([rows, columns], { ...options, dtype: "float64" }).toTypedArray();
  for (let j = 0; j < columns; j++) {
    const places = Array.from({ length: rows }, (_, i) => i * columns + j);
    places.sort((a, b) => order[a]! - order[b]!);
    for (const place of places.slice(0, none)) data[place] = 0;
  }
  assignElements(x, data);
  return x;
}

/**
 * Fills the weight [out, in, ...] of a convolution so that it passes its channels on, and returns it: a 1 in the middle of the field
 * where the output is the input's channel of the same number, 0 elsewhere; with `groups` (1 unless given) within each group of
 * outputs. Channels beyond the inputs stay 0. Throws ShapeError unless there are 3 to 5 axes, ValueError unless `groups` is a whole
 * number above 0 that divides `out`. (Zagoruyko and Komodakis 2017, https://arxiv.org/abs/1706.00388.)
 *
 * @example
 * ```ts
 * import { variable, zeros } from "@cotangent/autograd";
 * import { dirac } from "@cotangent/nn/initialize";
 * dirac(variable(zeros([2, 1, 3])), { groups: 2 }).toArray(); // => 0,1,0,0,1,0
 * ```
 */
export function dirac<V extends Variable>(x: V, options: { readonly groups?: number | undefined } = {}): V {
  const { groups = 1 } = optionsOf("dirac", options, { groups: true });
  if (checkVariable("dirac", x).rank < 3 || x.rank > 5)
    throw new ShapeError(
      `dirac: a convolution's weight has 3 to 5 axes, [out, in, ...], got shape ${format(x)}`,
    );
  const [out, inputs, ...field] = x.shape as [number, number, ...number[]];
  if (!(Number.isInteger(groups) && groups > 0 && out % groups === 0))
    throw new ValueError(
      `dirac: groups is a whole number above 0 that divides the ${out} outputs, got ${groups}`,
    );
  const data = new Float64Array(product(x.shape));
  const middle = field.reduce((place, size) => place * size + Math.floor(size / 2), 0);
  const outputs = out / groups;
  for (let group = 0; group < groups; group++)
    for (let i = 0; i < Math.min(outputs, inputs); i++)
      data[((group * outputs + i) * inputs + i) * product(field) + middle] = 1;
  assignElements(x, data);
  return x;
}
