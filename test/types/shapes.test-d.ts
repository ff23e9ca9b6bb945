import type { Distinct, GradOptions, NestedArray, Shape, Sorted, Variable } from "@cotangent/autograd";
import {
  add,
  aminmax,
  arange,
  argsort,
  betainc,
  cat,
  checkpoint,
  customGradient,
  eye,
  gammainc,
  gather,
  grad,
  gumbelSoftmax,
  hessian,
  hvp,
  jacobian,
  jvp,
  linspace,
  logspace,
  logsumexp,
  matmul,
  mean,
  mul,
  nanmean,
  normal,
  normalize,
  oneHot,
  ones,
  permutation,
  poisson,
  randint,
  scalar,
  softmax,
  sort,
  split,
  stack,
  standardGamma,
  sum,
  Tensor,
  tensor,
  topk,
  transpose,
  uniform,
  unique,
  valueAndGrad,
  variable,
  vjp,
  vmap,
  where,
  zeros,
} from "@cotangent/autograd";
import { describe, expectTypeOf, test } from "vitest";

declare const unknown: Tensor;
declare const n: number;
const x = zeros([4, 2]);
const w = zeros([2, 3]);
const rows = zeros([n, 3]);

describe("a tensor of known shape", () => {
  test("has the sizes of the array that it is created with", () => {
    expectTypeOf(x).toEqualTypeOf<Tensor<[4, 2]>>();
    expectTypeOf(x.shape).toEqualTypeOf<readonly [4, 2]>();
    expectTypeOf(zeros([])).toEqualTypeOf<Tensor<[]>>();
    const drawn: Tensor<[5, 3]> = normal([5, 3]);
    expectTypeOf(drawn).toEqualTypeOf<Tensor<[5, 3]>>();
    expectTypeOf(uniform([5, 3])).toEqualTypeOf<Tensor<[5, 3]>>();
    expectTypeOf(randint(0, 2, [n])).toEqualTypeOf<Tensor<[number]>>();
    expectTypeOf(normal(unknown.shape)).toEqualTypeOf<Tensor>();
    expectTypeOf(variable(normal([5, 3]))).toExtend<Tensor<[5, 3]>>();
    expectTypeOf(scalar(1)).toEqualTypeOf<Tensor<[]>>();
    expectTypeOf(rows).toEqualTypeOf<Tensor<[number, 3]>>();
    expectTypeOf(ones(unknown.shape)).toEqualTypeOf<Tensor>();
    expectTypeOf(zeros([1, 2, 3] as number[])).toEqualTypeOf<Tensor>();
  });

  test("is as long as the count that it is made of", () => {
    expectTypeOf(eye(3)).toEqualTypeOf<Tensor<[3, 3]>>();
    expectTypeOf(eye(3, { dtype: "float64" })).toEqualTypeOf<Tensor<[3, 3]>>();
    expectTypeOf(eye(3, 2)).toEqualTypeOf<Tensor<[3, 2]>>();
    expectTypeOf(eye(n)).toEqualTypeOf<Tensor<[number, number]>>();
    expectTypeOf(linspace(0, 1, 5)).toEqualTypeOf<Tensor<[5]>>();
    expectTypeOf(logspace(0, 1, n)).toEqualTypeOf<Tensor<[number]>>();
    expectTypeOf(permutation(5)).toEqualTypeOf<Tensor<[5]>>();
    expectTypeOf(arange(2.5)).toEqualTypeOf<Tensor<[number]>>();
    eye(3, {
      // @ts-expect-error There is no such option.
      dtyp: "float64",
    });
    arange(0, 5, {
      // @ts-expect-error Not a dtype.
      dtype: "float16",
    });
  });

  test("has a shape that nobody changes", () => {
    // @ts-expect-error The shape is readonly.
    x.shape.reverse();
    // @ts-expect-error So is its first size.
    x.shape[0] = 4;
    expectTypeOf(zeros(x.shape)).toEqualTypeOf<Tensor<[4, 2]>>();
    expectTypeOf(unknown.reshape(x.shape)).toEqualTypeOf<Tensor<[4, 2]>>();
    const [rank2, cols]: readonly [number, number] = x.shape;
    expectTypeOf([rank2, cols]).toEqualTypeOf<number[]>();
    const something: unknown = x;
    if (something instanceof Tensor) expectTypeOf(something.shape).toEqualTypeOf<Shape>();
  });

  test("takes its shape from nested arrays", () => {
    expectTypeOf(
      tensor([
        [0, 0],
        [0, 1],
        [1, 0],
        [1, 1],
      ]),
    ).toEqualTypeOf<Tensor<[4, 2]>>();
    expectTypeOf(tensor([1, 2, 3])).toEqualTypeOf<Tensor<[3]>>();
    expectTypeOf(tensor([[[true]], [[false]]])).toEqualTypeOf<Tensor<[2, 1, 1]>>();
    expectTypeOf(tensor(2)).toEqualTypeOf<Tensor<[]>>();
    expectTypeOf(tensor([])).toEqualTypeOf<Tensor<[0]>>();
    expectTypeOf(tensor([1, 2] as number[])).toEqualTypeOf<Tensor<[number]>>();
    expectTypeOf(tensor([[1, 2]] as number[][])).toEqualTypeOf<Tensor<[number, number]>>();
    expectTypeOf(tensor(new Float32Array(2))).toEqualTypeOf<Tensor<[number]>>();
    expectTypeOf(tensor(new Uint8ClampedArray(2), { dtype: "float32" })).toEqualTypeOf<Tensor<[number]>>();
    // @ts-expect-error A typed array is a whole tensor, not a row of one.
    tensor([new Float32Array(2), new Float32Array(2)]);
    // @ts-expect-error there is no dtype for such numbers
    tensor(new Int8Array(2));
    // @ts-expect-error Elements are numbers or booleans.
    tensor(["1"]);
  });

  test("is made with options, and what is no option is the error", () => {
    tensor([1, 2], {
      // @ts-expect-error There is no such option.
      dtyp: "float64",
    });
    tensor([1, 2], {
      // @ts-expect-error Not a dtype.
      dtype: "float16",
    });
    variable([1, 2], {
      // @ts-expect-error There is no such option.
      nam: "w",
    });
    variable(x, {
      // @ts-expect-error There is no such option.
      nam: "w",
    });
  });

  test("fits where any shape will do, and where its own is asked for", () => {
    expectTypeOf(x).toExtend<Tensor>();
    expectTypeOf(x).toExtend<Tensor<Shape>>();
    expectTypeOf(x).toExtend<Tensor<[number, 2]>>();
    expectTypeOf(x).not.toExtend<Tensor<[4, 3]>>();
    expectTypeOf(x).not.toExtend<Tensor<[4]>>();
    expectTypeOf(variable(x)).toExtend<Tensor<[4, 2]>>();
    expectTypeOf(variable(x)).not.toExtend<Tensor<[4, 3]>>();
    expectTypeOf(variable(x)).toExtend<Tensor>();
    // @ts-expect-error The first size differs.
    const wrong: Tensor<[5, 2]> = x;
    expectTypeOf(wrong).not.toBeAny();
  });
});

describe("nested arrays", () => {
  test("are as deep as the rank", () => {
    expectTypeOf(scalar(1).toArray()).toEqualTypeOf<number | boolean>();
    expectTypeOf(x.sum(0).toArray()).toEqualTypeOf<(number | boolean)[]>();
    expectTypeOf(rows.toArray()).toEqualTypeOf<(number | boolean)[][]>();
    expectTypeOf(variable(x).toArray()).toEqualTypeOf<(number | boolean)[][]>();
    expectTypeOf(tensor([1, 2]).toArray()[0]).toEqualTypeOf<number | boolean | undefined>();
    expectTypeOf(unknown.toArray()).toEqualTypeOf<NestedArray>();
    expectTypeOf([x, scalar(1)].map((y) => y.toArray())).toExtend<NestedArray[]>();
    const deep = <S extends Shape>(y: Tensor<S>): NestedArray => y.toArray();
    expectTypeOf(deep(x)).toEqualTypeOf<NestedArray>();
  });

  test("make a tensor again, of as much shape as they have", () => {
    expectTypeOf(tensor(x.toArray())).toEqualTypeOf<Tensor<[number, number]>>();
    expectTypeOf(tensor(unknown.toArray())).toEqualTypeOf<Tensor>();
    expectTypeOf(variable(unknown.toArray())).toEqualTypeOf<Variable>();
    expectTypeOf(tensor([1, [2]] as (number | number[])[])).toEqualTypeOf<Tensor>();
    expectTypeOf(tensor([n, [n]][0]!)).toEqualTypeOf<Tensor<[] | [number]>>();
    expectTypeOf(tensor([[true], [n]] as (number | boolean)[][])).toEqualTypeOf<Tensor<[number, number]>>();
  });

  test("hold what is asked for, as types do not know the dtype", () => {
    const numbers: number[] = tensor([1, 2]).toArray();
    const booleans: boolean[][] = x.gt(0).toArray();
    expectTypeOf([numbers, booleans]).not.toBeAny();
    expectTypeOf(tensor([1, 2]).toArray<number>()[0]!).toEqualTypeOf<number>();
    // @ts-expect-error Rank 2.
    const wrong: number[] = x.toArray();
    expectTypeOf(wrong).not.toBeAny();
    // @ts-expect-error Elements are numbers or booleans.
    x.toArray<string>();
  });
});

describe("a tensor of unknown shape", () => {
  test("fits where a known one is wanted", () => {
    let h = zeros([4, 2]);
    h = unknown;
    expectTypeOf(h).toEqualTypeOf<Tensor<[4, 2]>>();
    let loss = scalar(0);
    for (const y of [unknown, unknown]) loss = loss.add(y.square().sum(0));
    expectTypeOf(loss).toEqualTypeOf<Tensor<[]>>();
    let batch = zeros([n, 8]);
    batch = unknown;
    batch = zeros([4, 8]);
    // @ts-expect-error The second size differs.
    batch = zeros([4, 7]);
    expectTypeOf(batch).toEqualTypeOf<Tensor<[number, 8]>>();
    const f = (y: Tensor<[4, 2]>): Tensor<[3]> => y.reshape([n]).slice(0, 3);
    expectTypeOf(f(unknown)).toEqualTypeOf<Tensor<[3]>>();
  });

  test("gives unknown shapes, whatever is done with it", () => {
    expectTypeOf(unknown.tanh()).toEqualTypeOf<Tensor>();
    expectTypeOf(unknown.add(2)).toEqualTypeOf<Tensor>();
    expectTypeOf(unknown.add(x)).toEqualTypeOf<Tensor>();
    expectTypeOf(x.add(unknown)).toEqualTypeOf<Tensor>();
    expectTypeOf(unknown.matmul(w)).toEqualTypeOf<Tensor>();
    expectTypeOf(x.matmul(unknown)).toEqualTypeOf<Tensor>();
    expectTypeOf(unknown.sum(0)).toEqualTypeOf<Tensor>();
    expectTypeOf(unknown.sum(0, { keepDims: true })).toEqualTypeOf<Tensor>();
    expectTypeOf(unknown.transpose()).toEqualTypeOf<Tensor>();
    expectTypeOf(unknown.squeeze()).toEqualTypeOf<Tensor>();
    expectTypeOf(unknown.unsqueeze(0)).toEqualTypeOf<Tensor>();
    expectTypeOf(unknown.slice(0, 2)).toEqualTypeOf<Tensor>();
    expectTypeOf(unknown.softmax()).toEqualTypeOf<Tensor>();
    expectTypeOf(unknown.relu().matmul(unknown).add(unknown).mean(1).exp()).toEqualTypeOf<Tensor>();
  });

  test("can become known again", () => {
    expectTypeOf(unknown.sum()).toEqualTypeOf<Tensor<[]>>();
    expectTypeOf(unknown.reshape([2, 3])).toEqualTypeOf<Tensor<[2, 3]>>();
    expectTypeOf(unknown.permute([1, 0])).toEqualTypeOf<Tensor<[number, number]>>();
  });
});

describe("broadcasting", () => {
  test("aligns at the end and stretches 1", () => {
    expectTypeOf(zeros([4, 3]).add(zeros([3]))).toEqualTypeOf<Tensor<[4, 3]>>();
    expectTypeOf(zeros([3]).add(zeros([4, 3]))).toEqualTypeOf<Tensor<[4, 3]>>();
    expectTypeOf(zeros([4, 1]).mul(zeros([1, 3]))).toEqualTypeOf<Tensor<[4, 3]>>();
    expectTypeOf(zeros([5, 1, 3]).mul(zeros([4, 1]))).toEqualTypeOf<Tensor<[5, 4, 3]>>();
    expectTypeOf(zeros([]).sub(x)).toEqualTypeOf<Tensor<[4, 2]>>();
    expectTypeOf(rows.add(zeros([3]))).toEqualTypeOf<Tensor<[number, 3]>>();
    expectTypeOf(rows.add(zeros([4, 3]))).toEqualTypeOf<Tensor<[4, 3]>>();
    expectTypeOf(rows.add(zeros([1, 3]))).toEqualTypeOf<Tensor<[number, 3]>>();
    expectTypeOf(zeros([4, 0]).add(zeros([1]))).toEqualTypeOf<Tensor<[4, 0]>>();
  });

  test("takes numbers on either side", () => {
    expectTypeOf(x.mul(2)).toEqualTypeOf<Tensor<[4, 2]>>();
    expectTypeOf(x.mul(n)).toEqualTypeOf<Tensor<[4, 2]>>();
    expectTypeOf(add(1, x)).toEqualTypeOf<Tensor<[4, 2]>>();
    expectTypeOf(add(x, 1)).toEqualTypeOf<Tensor<[4, 2]>>();
    expectTypeOf(add(1, 2)).toEqualTypeOf<Tensor<[]>>();
    expectTypeOf(add(x, unknown as Tensor | number)).toEqualTypeOf<Tensor>();
    expectTypeOf(x.lt(0)).toEqualTypeOf<Tensor<[4, 2]>>();
    expectTypeOf(x.heaviside()).toEqualTypeOf<Tensor<[4, 2]>>();
    expectTypeOf(x.heaviside(0.5)).toEqualTypeOf<Tensor<[4, 2]>>();
  });

  test("of three operands", () => {
    expectTypeOf(where(x.gt(0), x, 0)).toEqualTypeOf<Tensor<[4, 2]>>();
    expectTypeOf(where(zeros([4, 1]), zeros([2]), 1)).toEqualTypeOf<Tensor<[4, 2]>>();
    expectTypeOf(x.gt(0).where(1, unknown)).toEqualTypeOf<Tensor>();
    // @ts-expect-error sizes 2 and 3 do not broadcast
    where(x.gt(0), x, zeros([3]));
  });

  test("refuses sizes that differ", () => {
    // @ts-expect-error sizes 2 and 3 do not broadcast
    x.add(zeros([3]));
    // @ts-expect-error sizes 4 and 5 do not broadcast
    add(x, zeros([5, 2]));
    // @ts-expect-error sizes 2 and 3 do not broadcast
    unknown.reshape([4, 2]).add(rows);
  });
});

test("sizes that are type parameters go through products and sums", () => {
  const affine = <B extends number, I extends number, O extends number>(
    y: Tensor<[B, I]>,
    weight: Tensor<[I, O]>,
    bias: Tensor<[O]>,
  ): Tensor<[B, O]> => y.matmul(weight).add(bias).tanh();
  expectTypeOf(affine(x, w, zeros([3]))).toEqualTypeOf<Tensor<[4, 3]>>();
  const residual = <N extends number>(y: Tensor<[N, 3]>): Tensor<[N, 3]> => y.tanh().add(y);
  expectTypeOf(residual(zeros([4, 3]))).toEqualTypeOf<Tensor<[4, 3]>>();
  const square = <N extends number>(y: Tensor<[N, N]>): Tensor<[N, N]> => y.matmul(y).mul(y);
  expectTypeOf(square(zeros([3, 3]))).toEqualTypeOf<Tensor<[3, 3]>>();
});

describe("matmul", () => {
  test("multiplies matrices, vectors and batches", () => {
    expectTypeOf(x.matmul(w)).toEqualTypeOf<Tensor<[4, 3]>>();
    expectTypeOf(matmul(x, w)).toEqualTypeOf<Tensor<[4, 3]>>();
    expectTypeOf(x.matmul(zeros([2]))).toEqualTypeOf<Tensor<[4]>>();
    expectTypeOf(zeros([4]).matmul(x)).toEqualTypeOf<Tensor<[2]>>();
    expectTypeOf(zeros([2]).matmul(zeros([2]))).toEqualTypeOf<Tensor<[]>>();
    expectTypeOf(zeros([7, 4, 2]).matmul(w)).toEqualTypeOf<Tensor<[7, 4, 3]>>();
    expectTypeOf(x.matmul(zeros([7, 2, 3]))).toEqualTypeOf<Tensor<[7, 4, 3]>>();
    expectTypeOf(zeros([7, 1, 4, 2]).matmul(zeros([6, 2, 3]))).toEqualTypeOf<Tensor<[7, 6, 4, 3]>>();
    expectTypeOf(zeros([7, 4, 2]).matmul(zeros([2]))).toEqualTypeOf<Tensor<[7, 4]>>();
    expectTypeOf(zeros([2]).matmul(zeros([7, 2, 3]))).toEqualTypeOf<Tensor<[7, 3]>>();
    expectTypeOf(zeros([n, 2]).matmul(w)).toEqualTypeOf<Tensor<[number, 3]>>();
    expectTypeOf(zeros([4, n]).matmul(w)).toEqualTypeOf<Tensor<[4, 3]>>();
  });

  test("refuses inner sizes that differ, and says which", () => {
    // @ts-expect-error matmul: inner sizes 2 and 5 differ
    x.matmul(zeros([5, 3]));
    // @ts-expect-error matmul: inner sizes 2 and 5 differ
    matmul(x, zeros([5, 3]));
    // @ts-expect-error matmul: inner sizes 2 and 4 differ
    x.matmul(zeros([4]));
    // @ts-expect-error matmul: inner sizes 3 and 2 differ
    zeros([3]).matmul(w);
    // @ts-expect-error sizes 5 and 6 do not broadcast
    zeros([5, 4, 2]).matmul(zeros([6, 2, 3]));
    // @ts-expect-error matmul: both operands need at least one axis
    x.matmul(scalar(2));
  });
});

describe("reductions", () => {
  const y = zeros([4, 2, 3]);

  test("without an axis give a rank-0 tensor", () => {
    expectTypeOf(y.sum()).toEqualTypeOf<Tensor<[]>>();
    expectTypeOf(sum(y)).toEqualTypeOf<Tensor<[]>>();
    expectTypeOf(y.mean(undefined, { keepDims: true })).toEqualTypeOf<Tensor<[1, 1, 1]>>();
  });

  test("drop an axis, counted from the front or the end", () => {
    expectTypeOf(y.sum(0)).toEqualTypeOf<Tensor<[2, 3]>>();
    expectTypeOf(y.sum(1)).toEqualTypeOf<Tensor<[4, 3]>>();
    expectTypeOf(y.sum(-1)).toEqualTypeOf<Tensor<[4, 2]>>();
    expectTypeOf(y.sum(-3)).toEqualTypeOf<Tensor<[2, 3]>>();
    expectTypeOf(mean(y, 2)).toEqualTypeOf<Tensor<[4, 2]>>();
    expectTypeOf(rows.sum(1)).toEqualTypeOf<Tensor<[number]>>();
  });

  test("drop several axes", () => {
    expectTypeOf(y.sum([0, 2])).toEqualTypeOf<Tensor<[2]>>();
    expectTypeOf(y.sum([-1, 0])).toEqualTypeOf<Tensor<[2]>>();
    expectTypeOf(y.sum([0, 1, 2])).toEqualTypeOf<Tensor<[]>>();
    expectTypeOf(y.sum([])).toEqualTypeOf<Tensor<[4, 2, 3]>>();
  });

  test("keep axes as 1 where told to", () => {
    expectTypeOf(y.amax(-1, { keepDims: true })).toEqualTypeOf<Tensor<[4, 2, 1]>>();
    expectTypeOf(y.logsumexp([0, 1], { keepDims: true })).toEqualTypeOf<Tensor<[1, 1, 3]>>();
    expectTypeOf(logsumexp(y, 0, { keepDims: false })).toEqualTypeOf<Tensor<[2, 3]>>();
    expectTypeOf(y.sub(y.mean(-1, { keepDims: true }))).toEqualTypeOf<Tensor<[4, 2, 3]>>();
  });

  test("by axes that are not known have unknown shapes", () => {
    expectTypeOf(y.sum(n)).toEqualTypeOf<Tensor>();
    expectTypeOf(y.sum(n > 0 ? 0 : 1)).toEqualTypeOf<Tensor>();
    expectTypeOf(y.sum([0] as number[])).toEqualTypeOf<Tensor>();
    expectTypeOf(y.sum(n, { keepDims: true })).toEqualTypeOf<Tensor<[number, number, number]>>();
    expectTypeOf(y.sum(0, { keepDims: n > 0 })).toEqualTypeOf<Tensor>();
  });

  test("that give several tensors give each its shape", () => {
    expectTypeOf(aminmax(y, -1).max).toEqualTypeOf<Tensor<[4, 2]>>();
    expectTypeOf(aminmax(y, [0, 1], { keepDims: true }).min).toEqualTypeOf<Tensor<[1, 1, 3]>>();
    expectTypeOf(aminmax(unknown).min).toEqualTypeOf<Tensor<[]>>();
    expectTypeOf(nanmean(y, 0)).toEqualTypeOf<Tensor<[2, 3]>>();
  });

  test("along one axis keep the shape", () => {
    expectTypeOf(normalize(y, { axis: -1 })).toEqualTypeOf<Tensor<[4, 2, 3]>>();
    expectTypeOf(gumbelSoftmax(y, { hard: true })).toEqualTypeOf<Tensor<[4, 2, 3]>>();
    expectTypeOf(standardGamma(y)).toEqualTypeOf<Tensor<[4, 2, 3]>>();
    expectTypeOf(poisson(y)).toEqualTypeOf<Tensor<[4, 2, 3]>>();
    expectTypeOf(gammainc(y, 2)).toEqualTypeOf<Tensor<[4, 2, 3]>>();
    expectTypeOf(betainc(1, y, 0.5)).toEqualTypeOf<Tensor<[4, 2, 3]>>();
    expectTypeOf(y.softmax(1)).toEqualTypeOf<Tensor<[4, 2, 3]>>();
    expectTypeOf(softmax(y)).toEqualTypeOf<Tensor<[4, 2, 3]>>();
    expectTypeOf(y.cumsum(-1)).toEqualTypeOf<Tensor<[4, 2, 3]>>();
    expectTypeOf(argsort(y, 0, { descending: true })).toEqualTypeOf<Tensor<[4, 2, 3]>>();
  });
});

describe("movement", () => {
  const y = zeros([4, 2, 3]);

  test("transpose and permute exchange sizes", () => {
    expectTypeOf(x.transpose()).toEqualTypeOf<Tensor<[2, 4]>>();
    expectTypeOf(y.transpose()).toEqualTypeOf<Tensor<[4, 3, 2]>>();
    expectTypeOf(transpose(y, 0, 2)).toEqualTypeOf<Tensor<[3, 2, 4]>>();
    expectTypeOf(y.transpose(-1, 0)).toEqualTypeOf<Tensor<[3, 2, 4]>>();
    expectTypeOf(y.transpose(n, 0)).toEqualTypeOf<Tensor<[number, number, number]>>();
    expectTypeOf(y.permute([2, 0, 1])).toEqualTypeOf<Tensor<[3, 4, 2]>>();
    expectTypeOf(y.permute([-1, -2, -3])).toEqualTypeOf<Tensor<[3, 2, 4]>>();
    expectTypeOf(y.permute([n, 0, 1])).toEqualTypeOf<Tensor<[number, 4, 2]>>();
    expectTypeOf(y.permute([n > 0 ? 1 : 2, 0, 1])).toEqualTypeOf<Tensor<[number, 4, 2]>>();
    expectTypeOf(y.permute([0, 1, 2] as number[])).toEqualTypeOf<Tensor<[number, number, number]>>();
  });

  test("reshape and broadcastTo give the shape that is asked for", () => {
    expectTypeOf(x.reshape([2, 2, 2])).toEqualTypeOf<Tensor<[2, 2, 2]>>();
    expectTypeOf(x.reshape([-1, 2])).toEqualTypeOf<Tensor<[number, 2]>>();
    expectTypeOf(x.reshape(unknown.shape)).toEqualTypeOf<Tensor>();
    expectTypeOf(x.broadcastTo([3, 4, 2])).toEqualTypeOf<Tensor<[3, 4, 2]>>();
  });

  test("squeeze and unsqueeze remove and insert 1", () => {
    expectTypeOf(zeros([4, 1, 2, 1]).squeeze()).toEqualTypeOf<Tensor<[4, 2]>>();
    expectTypeOf(zeros([4, 1, 2, 1]).squeeze(1)).toEqualTypeOf<Tensor<[4, 2, 1]>>();
    expectTypeOf(zeros([4, 1, 2, 1]).squeeze([-1, 1])).toEqualTypeOf<Tensor<[4, 2]>>();
    expectTypeOf(zeros([n, 1]).squeeze()).toEqualTypeOf<Tensor>();
    expectTypeOf(x.unsqueeze(0)).toEqualTypeOf<Tensor<[1, 4, 2]>>();
    expectTypeOf(x.unsqueeze(1)).toEqualTypeOf<Tensor<[4, 1, 2]>>();
    expectTypeOf(x.unsqueeze(-1)).toEqualTypeOf<Tensor<[4, 2, 1]>>();
    expectTypeOf(x.unsqueeze(-3)).toEqualTypeOf<Tensor<[1, 4, 2]>>();
    expectTypeOf(scalar(1).unsqueeze(0)).toEqualTypeOf<Tensor<[1]>>();
    expectTypeOf(x.unsqueeze(n)).toEqualTypeOf<Tensor<[number, number, number]>>();
  });

  test("slice changes one size, and pad keeps the rank", () => {
    expectTypeOf(x.slice(1, 3)).toEqualTypeOf<Tensor<[number, 2]>>();
    expectTypeOf(x.slice(1)).toEqualTypeOf<Tensor<[number, 2]>>();
    expectTypeOf(x.slice(0, null, { step: 2 })).toEqualTypeOf<Tensor<[number, 2]>>();
    expectTypeOf(x.slice(0, 1, { axis: -1 })).toEqualTypeOf<Tensor<[4, number]>>();
    expectTypeOf(x.slice(0, 1, { axis: n })).toEqualTypeOf<Tensor<[number, number]>>();
    expectTypeOf(x.pad(1)).toEqualTypeOf<Tensor<[number, number]>>();
    expectTypeOf(x.flip()).toEqualTypeOf<Tensor<[4, 2]>>();
    expectTypeOf(x.cast("float64")).toEqualTypeOf<Tensor<[4, 2]>>();
  });

  test("cat and stack join tensors", () => {
    expectTypeOf(cat([x, zeros([3, 2])])).toEqualTypeOf<Tensor<[number, 2]>>();
    expectTypeOf(cat([x, x], 1)).toEqualTypeOf<Tensor<[4, number]>>();
    expectTypeOf(cat([x, x], n)).toEqualTypeOf<Tensor<[number, number]>>();
    expectTypeOf(cat([x] as Tensor[], 1)).toEqualTypeOf<Tensor>();
    expectTypeOf(stack([x, x, x])).toEqualTypeOf<Tensor<[3, 4, 2]>>();
    expectTypeOf(stack([x, x], -1)).toEqualTypeOf<Tensor<[4, 2, 2]>>();
    expectTypeOf(stack([x] as Tensor<[4, 2]>[])).toEqualTypeOf<Tensor<[number, 4, 2]>>();
    expectTypeOf(stack([x] as Tensor[])).toEqualTypeOf<Tensor>();
  });

  test("split into listed sizes gives as many parts", () => {
    expectTypeOf(split(x, [1, 3])).toEqualTypeOf<[Tensor<[1, 2]>, Tensor<[3, 2]>]>();
    expectTypeOf(x.split([1, 1], { axis: -1 })).toEqualTypeOf<[Tensor<[4, 1]>, Tensor<[4, 1]>]>();
    expectTypeOf(x.split([1, 1], { axis: n })).toEqualTypeOf<
      [Tensor<[number, number]>, Tensor<[number, number]>]
    >();
    expectTypeOf(unknown.split([1, 3])[1]).toEqualTypeOf<Tensor>();
    expectTypeOf(split(x, 2)).toEqualTypeOf<Tensor<[number, 2]>[]>();
    expectTypeOf(x.unbind()).toEqualTypeOf<Tensor<[2]>[]>();
    expectTypeOf(x.unbind(-1)).toEqualTypeOf<Tensor<[4]>[]>();
    expectTypeOf(x.chunk(2, { axis: 1 })).toEqualTypeOf<Tensor<[4, number]>[]>();
    expectTypeOf(x.split([2, 2] as readonly number[])).toEqualTypeOf<Tensor<[number, 2]>[]>();
    expectTypeOf(split(x, 2 as number | [1, 3])).toEqualTypeOf<
      Tensor<[number, 2]>[] | [Tensor<[1, 2]>, Tensor<[3, 2]>]
    >();
    // @ts-expect-error Sizes are numbers.
    split(x, ["1"]);
  });

  test("gather and oneHot follow the index", () => {
    expectTypeOf(gather(x, 0, zeros([3, 2]))).toEqualTypeOf<Tensor<[3, 2]>>();
    expectTypeOf(x.indexSelect(1, zeros([3]))).toEqualTypeOf<Tensor<[4, number]>>();
    expectTypeOf(x.indexAdd(1, zeros([3]), zeros([4, 3]))).toEqualTypeOf<Tensor<[4, 2]>>();
    expectTypeOf(x.maskedFill(zeros([2]), 0)).toEqualTypeOf<Tensor<[4, 2]>>();
    // @ts-expect-error The mask is a tensor.
    x.maskedFill(1, 0);
    // @ts-expect-error They do not broadcast.
    x.maskedFill(zeros([3]), 0);
    expectTypeOf(oneHot(zeros([4]), 10)).toEqualTypeOf<Tensor<[4, 10]>>();
  });
});

test("a checkpointed function has the type of the function", () => {
  const f = <S extends Shape>(a: Tensor<S>, scale: number): { readonly twice: Tensor<S> } => ({
    twice: mul(a, 2 * scale),
  });
  expectTypeOf(checkpoint(f)(x, 1)).toEqualTypeOf<{ readonly twice: Tensor<[4, 2]> }>();
  expectTypeOf(checkpoint((a: Tensor) => a.sum())).toEqualTypeOf<(a: Tensor) => Tensor<[]>>();
});

describe("a function under vmap", () => {
  const row = (a: Tensor<[2]>): Tensor<[]> => a.sum();

  test("takes and gives an axis of examples more", () => {
    expectTypeOf(vmap(row)(x)).toEqualTypeOf<Tensor<[number]>>();
    expectTypeOf(vmap(row, {})(x)).toEqualTypeOf<Tensor<[number]>>();
    expectTypeOf(vmap(row)(unknown)).toEqualTypeOf<Tensor<[number]>>();
    expectTypeOf(vmap((a: Tensor) => a.exp())(x)).toEqualTypeOf<Tensor>();
    expectTypeOf(vmap(vmap(row))(zeros([5, 4, 2]))).toEqualTypeOf<Tensor<[number, number]>>();
    // @ts-expect-error One example, no axis of them.
    vmap(row)(zeros([2]));
    // @ts-expect-error Examples of three elements.
    vmap(row)(zeros([4, 3]));
  });

  test("has them where its options say", () => {
    const f = (a: { readonly b: Tensor<[2]> }, c: Tensor<[3]>, name: string) =>
      [a.b.mul(2), c, name] as const;
    type Parameters3 = [{ b: Tensor<[number, 2]> }, Tensor<[3]>, string];
    expectTypeOf(vmap(f, { inAxes: [0, null, null] })).parameters.branded.toEqualTypeOf<Parameters3>();
    expectTypeOf(vmap((a: Tensor<[2]>) => ({ a }))(x)).toEqualTypeOf<{ a: Tensor<[number, 2]> }>();
    expectTypeOf(vmap(row, { inAxes: 1 })(w)).toEqualTypeOf<Tensor<[number]>>();
    expectTypeOf(vmap(row, { inAxes: [-1], outAxes: 0 })(w)).toEqualTypeOf<Tensor<[number]>>();
    expectTypeOf(vmap((a: Tensor<[2]>) => a, { outAxes: 1 })(x)).toEqualTypeOf<Tensor>();
    expectTypeOf(vmap(row, { inAxes: [0, null][n]! })).parameters.toEqualTypeOf<[Tensor]>();
    // @ts-expect-error The same for all examples, it has no axis of them.
    vmap(f, { inAxes: [0, null, null] })({ b: x }, zeros([4, 3]), "");
    // @ts-expect-error An axis is a number.
    vmap(row, { inAxes: "0" });
  });
});

describe("a derivative", () => {
  const squares = (a: Tensor<[2]>): Tensor<[2]> => a.square();

  test("has the value's shape, and the argument's", () => {
    expectTypeOf(valueAndGrad((a: Tensor<[2]>) => a.sum())).returns.toEqualTypeOf<
      [value: Tensor<[]>, gradient: Tensor<[2]>]
    >();
    expectTypeOf(jacobian(squares)(zeros([2]))).toEqualTypeOf<Tensor<[2, 2]>>();
    expectTypeOf(jacobian(jacobian(squares))(zeros([2]))).toEqualTypeOf<Tensor<[2, 2, 2]>>();
    expectTypeOf(hessian((a: Tensor<[4, 2]>) => a.sum())(x)).toEqualTypeOf<Tensor<[4, 2, 4, 2]>>();
    expectTypeOf(jacobian((a) => a.exp())(x)).toEqualTypeOf<Tensor>();
    expectTypeOf(vmap(jacobian(squares))(x)).toEqualTypeOf<Tensor<[number, 2, 2]>>();
    // @ts-expect-error The function is of two elements.
    jacobian(squares)(zeros([3]));
  });

  test("of the user's own leaves the shape of the function", () => {
    const exponential = customGradient(squares, (g) => [g]);
    expectTypeOf(exponential).toEqualTypeOf<(a: Tensor<[2]>) => Tensor<[2]>>();
    expectTypeOf(
      customGradient(
        (a) => a.sum(),
        (g, _, a) => [g.mul(a)],
      )(x),
    ).toEqualTypeOf<Tensor<[]>>();
  });

  test("is of tensors, where a parameter does not say of what", () => {
    expectTypeOf(valueAndGrad((a, b) => a.mul(b).sum())).toExtend<
      (a: Tensor, b: Tensor) => [Tensor<[]>, Tensor]
    >();
    expectTypeOf(valueAndGrad((a) => [a.sum(), { a }] as const, { hasAux: true })).returns.toEqualTypeOf<
      [value: [loss: Tensor<[]>, aux: { readonly a: Tensor }], gradient: Tensor]
    >();
    expectTypeOf(jvp((a) => a.sum())).returns.toEqualTypeOf<[value: Tensor<[]>, derivative: Tensor<[]>]>();
    expectTypeOf(vjp((a) => a.exp())(x)[1](x)).toEqualTypeOf<Tensor>();
    expectTypeOf(hvp((a) => a.sum())(x, x)).toEqualTypeOf<Tensor>();
    expectTypeOf(vmap((a, b) => grad(a.mul(b).sum(), [a])[0])(x, x)).toEqualTypeOf<Tensor>();
  });

  test("may be null where it may be asked for as null", () => {
    expectTypeOf(grad(x.sum(), [x], { unused: "null" })).toEqualTypeOf<[Tensor<[4, 2]> | null]>();
    expectTypeOf(grad(x.sum(), [x], { unused: "error" })).toEqualTypeOf<[Tensor<[4, 2]>]>();
    const passed = (options: GradOptions) => grad(x.sum(), [x], options);
    expectTypeOf(passed).returns.toEqualTypeOf<[Tensor<[4, 2]> | null]>();
    grad(x.sum(), [x], {
      // @ts-expect-error No such choice.
      unused: "ignore",
    });
  });
});

test("what functions return has types with names, which declarations of other packages need", () => {
  expectTypeOf(sort(x)).toEqualTypeOf<Sorted<[4, 2]>>();
  expectTypeOf(sort(x as Tensor)).toEqualTypeOf<Sorted>();
  expectTypeOf(x.topk(1)).toEqualTypeOf<Sorted<[4, 1]>>();
  expectTypeOf(topk(x, 3, { axis: 0 })).toEqualTypeOf<Sorted<[3, 2]>>();
  expectTypeOf(unique(x)).toEqualTypeOf<Distinct>();
});
