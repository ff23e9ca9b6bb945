import type { DType, Tensor } from "@cotangent/autograd";
import {
  amax,
  argmax,
  cast,
  compile,
  cummax,
  cumprod,
  cumsum,
  einsum,
  evaluate,
  fromTypedArray,
  logsumexp,
  prod,
  std,
  unfold,
} from "@cotangent/autograd";
import { describe, expect, test } from "vitest";
import { withCache } from "../../packages/autograd/src/evaluate.ts";
import { mulberry32 } from "../mulberry.ts";

/**
 * The law of the compiler for kernels that go through memory in another order than results come: several vectors of sums
 * side by side, or of the terms of a sum over several axes, transpositions in strips, and scans across the rows.
 */
const random = mulberry32(12);

function filled(shape: readonly number[], dtype: DType): Tensor {
  const data = Float64Array.from(
    { length: shape.reduce((product, n) => product * n, 1) },
    () => 2 * random() - 1,
  );
  return cast(fromTypedArray(data, shape), dtype);
}

/** The gradient by the weight of a convolution of each plane by itself. */
function ofWindows(x: Tensor, step = 1): Tensor {
  const windows = unfold(unfold(x, 2, 3, step), 3, 3, step);
  return einsum(
    "ncxy,ncxyuv->cuv",
    x.slice(1, -1, { axis: 2, step }).slice(1, -1, { axis: 3, step }),
    windows,
  );
}

type Case = readonly [shape: readonly number[], f: (x: Tensor) => Tensor];

const cases: Record<string, Case> = {
  "sums of several chunks, and a rest of vectors": [[1030, 300], (x) => x.sum(0)],
  "sums of one chunk": [[70, 4003], (x) => x.sum(0)],
  "sums over an axis between others": [[5, 260, 211], (x) => x.sum(1)],
  "sums of more than a few steps": [[2049, 130], (x) => x.square().add(x.exp().mul(x)).sub(1).abs().sum(0)],
  "sums over planes, in chunks of whole rows": [[20, 3, 16, 16], (x) => x.mul(x).sum([0, 2, 3])],
  "sums over planes, of whole chunks": [[32, 3, 256], (x) => x.sum([0, 2])],
  "sums over planes, of one chunk": [[16, 3, 256], (x) => x.sum([0, 2])],
  "sums over planes, in chunks that end within a row": [[90, 3, 112], (x) => x.sum([0, 2])],
  "sums over planes whose rows are no round of lanes": [
    [20, 3, 7, 28],
    (x) => x.slice(1, 7, { axis: 2 }).sum([0, 2, 3]),
  ],
  "sums over planes whose rows are no round, in chunks that end within one": [
    [50, 3, 100],
    (x) => x.sum([0, 2]),
  ],
  "sums over planes whose rows are no round, in chunks of whole rows": [
    [1200, 3, 4],
    (x) => x.exp().sum([0, 2]),
  ],
  "sums over planes with a border": [
    [12, 3, 14, 15],
    (x) =>
      x
        .pad([
          [0, 0],
          [0, 0],
          [2, 0],
          [1, 0],
        ])
        .sum([0, 2, 3]),
  ],
  "the greatest of each plane": [[20, 3, 16, 16], (x) => amax(x, [0, 2, 3])],
  "planes times their windows": [[6, 2, 18, 18], (x) => ofWindows(x)],
  "planes times every second window": [[20, 2, 18, 18], (x) => ofWindows(x, 2)],
  "planes times their windows, in chunks that end within a row": [[6, 2, 18, 30], (x) => ofWindows(x)],
  "products of the numbers of a column": [[900, 300], (x) => prod(x.mul(0.01).add(1), 0)],
  "the greatest of each column": [[1030, 300], (x) => amax(x, 0)],
  "where the greatest of each column is": [[1030, 300], (x) => argmax(x, 0)],
  "deviations of columns": [[513, 520], (x) => std(x, 0)],
  "logarithms of sums of powers of columns": [[513, 520], (x) => logsumexp(x, 0)],
  "a matrix transposed": [[144, 150], (x) => x.transpose().mul(1.5)],
  "a matrix transposed whose rows fill no strips": [[149, 150], (x) => x.transpose().mul(1.5)],
  "a matrix and its transpose": [[160, 160], (x) => x.add(x.transpose())],
  "a matrix that is compared with its transpose": [[160, 160], (x) => x.lt(x.transpose())],
  "a transposed matrix that goes backwards": [[144, 150], (x) => x.transpose().flip([0, 1]).mul(1.5)],
  "the first axis as the last": [[160, 6, 20], (x) => x.permute([1, 2, 0]).mul(1.5)],
  "the last axis as the first": [[20, 160, 6], (x) => x.permute([2, 0, 1]).mul(1.5)],
  "a column and its row": [[1, 160], (x) => x.sub(x.transpose())],
  "sums of all rows so far": [[30, 70], (x) => cumsum(x, 0)],
  "sums of all rows from there on": [[30, 70], (x) => cumsum(x.flip(0), 0).flip(0)],
  "products along an axis between others": [[3, 40, 21], (x) => cumprod(x, 1)],
  "the greatest so far": [[30, 70], (x) => cummax(x, 0)],
};

/** -0 differs from 0; NaNs are equal. */
const bits = (x: Tensor): readonly string[] =>
  Array.from(x.toTypedArray(), (x) => (Object.is(x, -0) ? "-0" : String(x)));

describe.each(["float32", "float64", "int32"] as DType[])("walks through memory in %s", (dtype) => {
  test.each(Object.entries(cases))("%s have the interpreter's bits", (_, [shape, f]) => {
    const x = dtype === "int32" ? cast(filled(shape, "float64").mul(9), dtype) : filled(shape, dtype);
    withCache(null, () => evaluate(x));
    const expected = f(x);
    withCache(null, () => evaluate(expected));
    expect(bits(compile(f)(x))).toEqual(bits(expected));
  });
});
