import type { DType, Tensor, TypedArray } from "@cotangent/autograd";
import {
  compile,
  conv1d,
  conv2d,
  convTranspose2d,
  einsum,
  evaluate,
  fromTypedArray,
  grad,
  relu,
} from "@cotangent/autograd";
import { describe, expect, test } from "vitest";
import { Cache } from "../../packages/autograd/src/cache.ts";
import { withCache } from "../../packages/autograd/src/evaluate.ts";
import { mulberry32 } from "../mulberry.ts";

/**
 * The law of the compiler for products that are large enough for panels: rows and columns that do not fill a block, more
 * terms than one chunk of the order of sums, batches, transposes, and operands that are views or computed on the way.
 */
const random = mulberry32(11);

function filled(shape: readonly number[], dtype: DType): Tensor {
  const size = shape.reduce((product, n) => product * n, 1);
  const data = Array.from({ length: size }, () => 2 * random() - 1);
  return fromTypedArray(dtype === "float32" ? Float32Array.from(data) : Float64Array.from(data), shape);
}

type Product = (x: Tensor, y: Tensor) => Tensor;

const swap = (x: Tensor): Tensor => x.transpose(-1, -2);
const heads = (x: Tensor): Tensor => x.reshape([2, 16, 4, 8]).permute([0, 2, 1, 3]);

const products: Record<string, readonly [f: Product, x: readonly number[], y: readonly number[]]> = {
  "blocks that are full": [(x, y) => x.matmul(y), [64, 48], [48, 64]],
  "one row and one column too many": [(x, y) => x.matmul(y), [9, 31], [31, 9]],
  "three rows and three columns too few": [(x, y) => x.matmul(y), [13, 40], [40, 13]],
  "more rows than a block of the cache": [(x, y) => x.matmul(y), [131, 17], [17, 10]],
  "more rows and columns than blocks have": [(x, y) => x.matmul(y), [261, 20], [20, 523]],
  "chunks of terms and a rest": [(x, y) => x.matmul(y), [10, 521], [521, 21]],
  "terms that fill chunks": [(x, y) => x.matmul(y), [5, 512], [512, 8]],
  "both operands transposed": [(x, y) => swap(x).matmul(swap(y)), [33, 20], [21, 33]],
  "batches of both": [(x, y) => x.matmul(y), [3, 20, 17], [3, 17, 12]],
  "a batch of one": [(x, y) => x.matmul(y), [3, 20, 17], [17, 12]],
  "heads of attention": [(x, y) => heads(x).matmul(swap(heads(y))), [2, 16, 32], [2, 16, 32]],
  "two letters summed": [(x, y) => einsum("ijk,jlk->il", x, y), [10, 6, 7], [6, 12, 7]],
  "two letters summed in another order": [(x, y) => einsum("ijk,lkj->il", x, y), [10, 6, 7], [12, 7, 6]],
  "columns apart": [(x, y) => einsum("ij,kjl->kil", x, y), [12, 20], [3, 20, 9]],
  "operands that go backwards": [(x, y) => x.flip(1).matmul(y.flip(0)), [30, 20], [20, 16]],
  "operands with a border": [
    (x, y) =>
      x
        .pad([
          [1, 1],
          [2, 0],
        ])
        .matmul(y),
    [30, 20],
    [22, 16],
  ], // prettier-ignore
  convolution: [(x, w) => conv2d(x, w), [2, 5, 12, 11], [6, 5, 3, 3]],
  "convolution with a border": [(x, w) => conv2d(x, w, null, { padding: 1 }), [3, 4, 9, 16], [5, 4, 3, 3]],
  "convolution in steps": [
    (x, w) => conv2d(x, w, null, { stride: 2, padding: 1 }),
    [2, 3, 17, 20],
    [9, 3, 3, 4],
  ],
  "convolution with gaps": [
    (x, w) => conv2d(x, w, null, { dilation: [2, 3], padding: 2 }),
    [2, 3, 11, 15],
    [8, 3, 3, 2],
  ],
  "convolution in groups": [
    (x, w) => conv2d(x, w, null, { groups: 2, padding: "same" }),
    [2, 6, 8, 9],
    [8, 3, 3, 3],
  ],
  "convolution of many terms": [(x, w) => conv2d(x, w, null, { padding: 1 }), [1, 40, 4, 10], [6, 40, 3, 3]],
  "convolution of a line": [(x, w) => conv1d(x, w, null, { padding: 3 }), [3, 4, 50], [8, 4, 7]],
  "convolution with windows of one": [(x, w) => conv2d(x, w), [2, 12, 6, 7], [9, 12, 1, 1]],
  "convolution, transposed": [
    (x, w) => convTranspose2d(x, w, null, { stride: 2, padding: 1 }),
    [2, 8, 9, 10],
    [8, 4, 3, 3],
  ],
  "two columns": [(x, y) => x.matmul(y), [37, 40], [40, 2]],
  "three rows": [(x, y) => x.matmul(y), [3, 521], [521, 18]],
  "two columns behind more": [(x, y) => einsum("kap,kbq->abpq", x, y), [20, 9, 5], [20, 11, 2]],
  "half of a product": [(x, y) => x.matmul(y).slice(0, 9, { axis: 1 }), [14, 20], [20, 17]],
  "most of a product": [(x, y) => x.matmul(y).slice(3, 16, { axis: 1 }).slice(1, 13), [14, 20], [20, 17]],
  "operands computed on the way": [(x, y) => x.exp().matmul(relu(y)), [30, 20], [20, 16]],
};

/** -0 differs from 0; NaNs are equal. */
const bits = (data: TypedArray): readonly string[] =>
  Array.from(Float64Array.from(data), (x) => (Object.is(x, -0) ? "-0" : String(x)));

describe.each(["float32", "float64"] as DType[])(
  "products by panels have the interpreter's bits in %s",
  (dtype) => {
    test.each(Object.entries(products))("%s", (_, [f, left, right]) => {
      const inputs = [filled(left, dtype), filled(right, dtype)] as const;
      const call = (x: Tensor, y: Tensor): Tensor[] => {
        const out = f(x, y);
        return [out, ...grad(out.square().sum(), [x, y])];
      };
      const compiled = compile(call);
      const found = compiled(...inputs);
      // The result and both gradients.
      const count = compiled.explain().match(/^ +\d+ {2}product /gm)?.length;
      expect(count).toBeGreaterThanOrEqual(3);
      const expected = call(...inputs);
      withCache(null, () => evaluate(...expected));
      // What is interpreted beside programs has a module for products.
      const beside = call(...inputs);
      const cache = new Cache({ patience: Infinity, atOnce: Infinity });
      withCache(cache, () => evaluate(...beside));
      expect(cache.compiled).toBe(0);
      expected.forEach((x, i) => {
        expect(bits(found[i]!.toTypedArray())).toEqual(bits(x.toTypedArray()));
        expect(bits(beside[i]!.toTypedArray())).toEqual(bits(x.toTypedArray()));
      });
    });
  },
);
