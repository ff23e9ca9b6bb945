import type {
  Arithmetic,
  Attributes,
  Binary,
  Body,
  DType,
  Kernel,
  NestedArray,
  Shape,
  Unary,
} from "@cotangent/autograd";
import {
  adaptiveAvgPool2d,
  add,
  alphaDropout,
  amax,
  amin,
  any,
  arange,
  argmax,
  argmin,
  argsort,
  assignAll,
  bernoulli,
  bilinearRule,
  bincount,
  broadcastTo,
  CompileError,
  CotangentError,
  cast,
  cat,
  categorical,
  checkpoint,
  cholesky,
  choleskySolve,
  compile,
  conv1d,
  conv2d,
  conv3d,
  convTranspose1d,
  countNonzero,
  cov,
  cumsum,
  customGradient,
  type Derivative,
  DTypeError,
  defineOp,
  diff,
  dropout,
  embedding,
  evaluate,
  exponential,
  eye,
  featureDropout,
  flip,
  fromTypedArray,
  full,
  Generator,
  GradientError,
  gather,
  grad,
  hessian,
  hvp,
  IndexError,
  interpolate,
  inv,
  isclose,
  jacobian,
  jvp,
  layerNorm,
  linearRule,
  linspace,
  logicalAnd,
  logit,
  logsumexp,
  manualSeed,
  matmul,
  matrixPower,
  max,
  maximum,
  mean,
  median,
  mul,
  nansum,
  neg,
  norm,
  normal,
  oneHot,
  ones,
  pad,
  partial,
  permutation,
  permute,
  pinv,
  pointwise,
  prod,
  pushed,
  pushforward,
  quantile,
  randint,
  rebuild,
  reshape,
  ShapeError,
  StateError,
  scatterAdd,
  scatterReduce,
  slice,
  softmax,
  solve,
  sort,
  split,
  sqrt,
  squeeze,
  stack,
  std,
  sum,
  sumTo,
  type Tensor,
  tensor,
  tensordot,
  toDot,
  topk,
  topology,
  toText,
  transpose,
  tril,
  truncatedNormal,
  uniform,
  unsqueeze,
  ValueError,
  valueAndGrad,
  variable,
  variance,
  vjp,
  vmap,
  where,
  within,
  zero,
  zeros,
} from "@cotangent/autograd";
import { describe, expect, test } from "vitest";
import { hideFrames, pointToCaller } from "../../packages/autograd/src/errors.ts";

/** A tensor whose shape the types do not know: mistakes in shapes are found when the line runs. */
const of = (...shape: number[]): Tensor => ones(shape);
const int32 = (...data: number[]): Tensor => tensor(data, { dtype: "int32" });
const bool = (...data: boolean[]): Tensor => tensor(data);

type ErrorClass = new (message: string) => Error;

/** What `call` throws: of exactly this class, at the caller's line, with each of `says` in its message. */
function refusal(call: () => unknown, type: ErrorClass, ...says: string[]): Error {
  let caught: unknown;
  try {
    call();
  } catch (error) {
    caught = error;
  }
  expect(caught, "nothing was thrown").toBeInstanceOf(Error);
  const error = caught as Error;
  expect(error.constructor.name, error.message).toBe(type.name);
  expect(error.name).toBe(type.name);
  expect(error).toBeInstanceOf(CotangentError);
  for (const part of says) expect(error.message).toContain(part);
  const frames = (error.stack ?? "").split("\n").filter((line) => /^\s+at /.test(line));
  expect(frames[0], `the first frame of\n${error.stack}`).toContain("errors.test.ts");
  return error;
}

/** [the mistake, the call, the class, parts of the message: the function, what it was given, what to do] */
type Row = readonly [mistake: string, call: () => unknown, type: ErrorClass, ...says: string[]];

function refuses(topic: string, rows: readonly Row[]): void {
  describe(topic, () => {
    for (const [mistake, call, type, ...says] of rows)
      test(`${mistake} is a ${type.name}`, () => {
        refusal(call, type, ...says);
      });
  });
}

refuses("making tensors", [
  [
    "a row that is too short",
    () => tensor([[1, 2], [3]]),
    ShapeError,
    "tensor",
    "[0] is [2]",
    "[1] is [1]",
    "make them equally long",
  ],
  [
    "a ragged row further in",
    () =>
      tensor([
        [[1, 2]],
        [
          [1, 2],
          [3, 4],
        ],
      ]), // prettier-ignore
    ShapeError,
    "tensor",
    "[1, 2]",
    "[2, 2]",
  ],
  [
    "a number beside a row",
    () => tensor([[1], 2] as never),
    ShapeError,
    "tensor",
    "[1] is []",
    "make them equally long",
  ],
  ["a string element", () => tensor([[1, "2"]] as never), ValueError, "tensor", "a string", "at [0][1]"],
  ["a hole in an array", () => tensor(new Array(3) as never), ValueError, "tensor", "undefined", "at [0]"],
  ["a list of tensors", () => tensor([of(2)] as never), ValueError, "tensor", "at [0]", "stack them"],
  [
    "an argument of a compiled function, which is a tensor there",
    () => compile((a: unknown) => sum(tensor(a as Float32Array)))(new Float32Array(2)),
    ValueError,
    "tensor",
    "got a Tensor; keep it",
  ],
  ["a new axis by null", () => of(2).at(null, null), IndexError, "at", "[2]", "unsqueeze makes a new axis"],
  ["null for data", () => tensor(null as never), ValueError, "tensor", "null", "numbers or booleans"],
  [
    "a fraction as int32",
    () => tensor([1.5], { dtype: "int32" }),
    ValueError,
    "tensor",
    "1.5",
    'dtype "float32"',
  ],
  ["a number beyond int32", () => full([1], 2 ** 31, { dtype: "int32" }), ValueError, "full", "2147483648"],
  ["NaN as int32", () => tensor([Number.NaN], { dtype: "int32" }), ValueError, "tensor", "NaN"],
  ["a negative size", () => zeros([2, -1]), ValueError, "zeros", "[2, -1]", "at least 0"],
  ["a size of NaN", () => ones([Number.NaN]), ValueError, "ones", "[NaN]", "whole numbers"],
  ["a fractional size", () => full([1.5], 0), ValueError, "full", "[1.5]", "whole numbers"],
  ["a number instead of a shape", () => zeros(3 as never), ValueError, "zeros", "3", "[4, 2]"],
  ["more elements than offsets", () => zeros([2 ** 16, 2 ** 16]), ShapeError, "zeros", "[65536, 65536]"],
  ["a negative size of eye", () => eye(-1), ValueError, "eye", "-1", "at least 0"],
  ["a step of 0", () => arange(0, 4, 0), ValueError, "arange", "0, 4, 0", "step other than 0"],
  ["an endless range", () => arange(Number.POSITIVE_INFINITY), ValueError, "arange", "Infinity", "finite"],
  [
    "int32 for fractions",
    () => linspace(0, 1, 3, { dtype: "int32" }),
    DTypeError,
    "linspace",
    "int32",
    "use float32 or float64",
  ],
  ["a fractional count", () => linspace(0, 1, 2.5), ValueError, "linspace", "2.5", "whole number"],
  [
    "a missing count",
    () => (linspace as (...numbers: number[]) => Tensor)(0, 1),
    ValueError,
    "linspace: count is a whole number of at least 0, got undefined",
  ],
  [
    "too few elements for a shape",
    () => fromTypedArray(new Float32Array(3), [2, 2]),
    ShapeError,
    "fromTypedArray",
    "3 elements",
    "[2, 2]",
  ],
  [
    "an array of numbers that have no dtype",
    () => tensor(new Int8Array([-1]) as never),
    DTypeError,
    "tensor: ",
    "Int8Array",
    "{ dtype: ",
  ],
  [
    "an array of large whole numbers",
    () => fromTypedArray(new BigInt64Array(2) as never, [2]),
    DTypeError,
    "fromTypedArray: ",
    "BigInt64Array",
  ],
  [
    "such an array as an argument of a compiled function",
    () => compile((x: Tensor) => x.mul(2))(new Uint16Array(2) as never),
    DTypeError,
    "compile: argument 0: ",
    "Uint16Array",
  ],
]);

refuses("dtypes that do not exist", [
  [
    "float16 in zeros",
    () => zeros([2], { dtype: "float16" as never }),
    DTypeError,
    "zeros",
    "float16",
    "the dtypes are",
  ],
  [
    "float in tensor",
    () => tensor([1], { dtype: "float" as never }),
    DTypeError,
    "tensor",
    "float",
    "the dtypes are",
  ],
  ["int64 in cast", () => cast(of(2), "int64" as never), DTypeError, "cast", "int64", "bool, int32, float32"],
  [
    "double in uniform",
    () => uniform([2], { dtype: "double" as never }),
    DTypeError,
    "uniform",
    "double",
    "the dtypes are",
  ],
  [
    "a misspelled option of tensor",
    () => tensor([1], { dType: "float64" } as never),
    ValueError,
    "tensor: there is no option dType; the options are dtype",
  ],
  [
    "a misspelled option of grad",
    () => grad(ones([]), [], { unusd: "error" } as never),
    ValueError,
    "grad: there is no option unusd; the options are cotangent, unused",
  ],
  [
    "a misspelling in arange",
    () => arange(0, 3, 1, { dtype: "flaot32" as never }),
    DTypeError,
    "arange",
    "flaot32",
  ],
]);

refuses("axes", [
  ["an axis beyond the last", () => sum(of(2, 3), 2), ShapeError, "sum", "axis 2", "[2, 3]", "-2 ... 1"],
  ["an axis before the first", () => mean(of(2, 3), -3), ShapeError, "mean", "axis -3", "[2, 3]", "-2 ... 1"],
  ["a fractional axis", () => cumsum(of(2, 3), 0.5), ShapeError, "cumsum", "axis 0.5", "-2 ... 1"],
  ["an axis named twice", () => sum(of(2, 3), [0, -2]), ShapeError, "sum", "axis 0", "[2, 3]", "twice"],
  ["an axis of a single number", () => softmax(of(), 0), ShapeError, "softmax", "axis 0", "no axes"],
  ["an axis that is not there to sort", () => argsort(of(2), 1), ShapeError, "argsort", "axis 1", "[2]"],
  ["an axis that is not there to flip", () => flip(of(2), [0, 1]), ShapeError, "flip", "axis 1", "[2]"],
  ["an axis left out", () => permute(of(2, 3), [1]), ShapeError, "permute", "[1]", "[2, 3]", "once"],
  ["an axis repeated", () => permute(of(2, 3), [1, 1]), ShapeError, "permute", "[1, 1]", "[2, 3]", "once"],
  ["the transpose of a vector", () => transpose(of(3)), ShapeError, "transpose", "axis -2", "[3]"],
  ["an axis that is not 1 long", () => squeeze(of(1, 3), 1), ShapeError, "squeeze", "axis 1", "[1, 3]", "3"],
  ["a new axis far outside", () => unsqueeze(of(3), 3), ShapeError, "unsqueeze", "axis 3", "-2 ... 1"],
]);

refuses("shapes that do not fit", [
  [
    "adding a row of another length",
    () => add(of(2, 3), of(4)),
    ShapeError,
    "add",
    "[2, 3]",
    "[4]",
    "sizes 3 and 4",
    "reshape one of them",
  ],
  ["adding in the chaining form", () => of(2, 3).add(of(2)), ShapeError, "add", "[2, 3]", "[2]", "reshape"],
  [
    "a condition of another shape",
    () => where(bool(true, false), of(3), 0),
    ShapeError,
    "where",
    "[2]",
    "[3]",
    "reshape",
  ],
  [
    "a product whose inner sizes differ",
    () => matmul(of(4, 2), of(3, 5)),
    ShapeError,
    "matmul",
    "inner sizes 2 and 3",
    "[4, 2]",
    "[3, 5]",
    "transpose()",
  ],
  [
    "a product with a vector of another length",
    () => matmul(of(4, 2), of(3)),
    ShapeError,
    "matmul",
    "inner sizes 2 and 3",
    "[4, 2]",
    "[3]",
  ],
  [
    "a product of batches whose inner sizes differ",
    () => matmul(of(5, 4, 2), of(5, 3, 2)),
    ShapeError,
    "matmul",
    "inner sizes 2 and 3",
    "[5, 4, 2]",
    "[5, 3, 2]",
  ],
  [
    "a product of batches that do not broadcast",
    () => matmul(of(2, 4, 3), of(5, 3, 4)),
    ShapeError,
    "matmul",
    "[2]",
    "[5]",
    "[2, 4, 3]",
    "[5, 3, 4]",
    "broadcast",
  ],
  ["a product with a number", () => matmul(of(2, 2), of()), ShapeError, "matmul", "[2, 2]", "[]", "use mul"],
  [
    "joining rows of other lengths",
    () => cat([of(2, 3), of(2, 4)]),
    ShapeError,
    "cat",
    "[2, 3]",
    "[2, 4]",
    "axis other than 0",
  ],
  ["joining other ranks", () => cat([of(2, 3), of(3)]), ShapeError, "cat", "[2, 3]", "[3]"],
  ["joining nothing", () => cat([]), ValueError, "cat", "at least one tensor"],
  [
    "stacking other shapes",
    () => stack([of(2), of(3)]),
    ShapeError,
    "stack",
    "[2]",
    "[3]",
    "pad or broadcast",
  ],
  ["stacking at no place", () => stack([of(2), of(2)], 3), ShapeError, "stack", "axis 3", "-2 ... 1"],
  [
    "a shape of another size",
    () => reshape(of(2, 3), [4]),
    ShapeError,
    "reshape",
    "[2, 3] has 6",
    "[4] has 4",
  ],
  ["two sizes to find", () => reshape(of(2, 3), [-1, -1]), ShapeError, "reshape", "[-1, -1]", "at most one"],
  [
    "a size that cannot be found",
    () => reshape(of(2, 3), [4, -1]),
    ShapeError,
    "reshape",
    "[4, -1]",
    "divide",
  ],
  ["a size found from nothing", () => reshape(of(0), [0, -1]), ShapeError, "reshape", "[0, -1]", "[0]"],
  ["a size of -2", () => reshape(of(2, 3), [3, -2]), ValueError, "reshape", "[3, -2]", "at least 0"],
  [
    "stretching an axis that is not 1 long",
    () => broadcastTo(of(2, 3), [4, 3]),
    ShapeError,
    "broadcastTo",
    "[2, 3]",
    "[4, 3]",
    "equal or 1",
  ],
  ["stretching to fewer axes", () => broadcastTo(of(1, 3), [3]), ShapeError, "broadcastTo", "[1, 3]", "[3]"],
  ["stretching to a size of NaN", () => broadcastTo(of(1), [Number.NaN]), ValueError, "broadcastTo", "[NaN]"],
  ["summing to another shape", () => sumTo(of(2, 3), [2]), ShapeError, "sumTo", "[2]", "[2, 3]"],
  [
    "widths for other axes",
    () => pad(of(2, 3), [[1, 1]]),
    ShapeError,
    "pad",
    "1 pairs",
    "[2, 3]",
    "one for each axis",
  ],
  ["a negative width", () => pad(of(3), -1), ValueError, "pad", "got -1", "use slice"],
  ["a fractional width", () => pad(of(3), [[0.5, 0]]), ValueError, "pad", "got 0.5", "a whole number"],
  ["a step of 0", () => slice(of(3), 0, 3, { step: 0 }), ValueError, "slice", "step is 0", "step is not 0"],
  ["a fractional start", () => slice(of(3), 0.5), ValueError, "slice", "start is 0.5", "whole numbers"],
  [
    "a slice along no axis",
    () => slice(of(3), 0, 1, { axis: 1 }),
    ShapeError,
    "slice",
    "axis 1",
    "[3]",
    "-1 ... 0",
  ],
  [
    "an index of another shape",
    () => gather(of(2, 3), 0, zeros([1, 2], { dtype: "int32" }) as Tensor),
    ShapeError,
    "gather",
    "[1, 2]",
    "[2, 3]",
    "slice or broadcast",
  ],
  [
    "an index with fewer axes",
    () => gather(of(2, 3), 0, int32(0)),
    ShapeError,
    "gather",
    "[1]",
    "[2, 3]",
    "same number of axes",
  ],
  [
    "a source of another shape than its index",
    () => scatterAdd(of(3), 0, int32(0, 1), of(3)),
    ShapeError,
    "scatterAdd",
    "[2]",
    "[3]",
    "one shape",
  ],
  [
    "a source that differs on another axis",
    () => scatterAdd(of(2, 3), 0, zeros([1, 2], { dtype: "int32" }) as Tensor, of(1, 2)),
    ShapeError,
    "scatterAdd",
    "[1, 2]",
    "[2, 3]",
    "all axes but 0",
  ],
  ["the largest of nothing", () => amax(of(2, 0), 1), ValueError, "amax", "[2, 0]", "[1]", "empty"],
  ["the smallest of nothing at all", () => amin(of(0)), ValueError, "amin", "[0]", "empty"],
]);

refuses("dtypes that are not taken", [
  ["the negative of bool", () => neg(bool(true)), DTypeError, "neg", "bool", "cast to int32 or float32"],
  [
    "the sum of two bools",
    () => add(bool(true), bool(true)),
    DTypeError,
    "add",
    "(bool, bool)",
    "cast to int32",
  ],
  ["the root of bool", () => sqrt(bool(true)), DTypeError, "sqrt", "bool", "cast to int32"],
  [
    "the product of bool matrices",
    () => matmul(tensor([[true]]), tensor([[true]])),
    DTypeError,
    "matmul",
    "bool",
    "cast to int32",
  ],
  [
    "a float condition",
    () => where(of(2), of(2), of(2)),
    DTypeError,
    "where",
    "condition",
    "float32",
    "compare",
  ],
  ["a float index", () => gather(of(2), 0, of(2)), DTypeError, "gather", "float32", "cast it to int32"],
  [
    "a bool index",
    () => scatterAdd(of(2), 0, bool(true), of(1)),
    DTypeError,
    "scatterAdd",
    "bool",
    "cast it to int32",
  ],
  ["float classes", () => oneHot(of(2), 3), DTypeError, "oneHot", "float32", "cast"],
  ["no classes", () => oneHot(int32(0), 0), ValueError, "oneHot", "0", "at least 1"],
  [
    "the conjunction of floats",
    () => logicalAnd(of(2), of(2)),
    DTypeError,
    "logicalAnd",
    "(float32, float32)",
    "ne(x, 0)",
  ],
  ["the largest bool", () => amax(bool(true, false)), DTypeError, "amax", "bool", "cast to int32"],
  [
    "int32 random numbers",
    () => normal([2], { dtype: "int32" }),
    DTypeError,
    "normal",
    "int32",
    "use float32",
  ],
]);

refuses("operands that are not tensors", [
  ["a string", () => add(of(2), "1" as never), ValueError, "add", "a string", "tensor(...)"],
  ["an array", () => mul(of(2), [1, 2] as never), ValueError, "mul", "Array", "tensor(...)"],
  ["undefined", () => maximum(of(2), undefined as never), ValueError, "maximum", "undefined", "tensor(...)"],
  ["null in the chaining form", () => of(2).pow(null as never), ValueError, "pow", "null", "tensor(...)"],
  ["an array as the only operand", () => neg([1] as never), ValueError, "neg", "Array", "tensor(...)"],
  ["a number in a list", () => cat([of(2), "x" as never]), ValueError, "cat", "a string", "tensor(...)"],
]);

refuses("reading", [
  ["item of several elements", () => of(2, 3).item(), ShapeError, "item", "[2, 3]", "6", "toArray()"],
  ["item of none", () => of(0).item(), ShapeError, "item", "[0]", "reduce first"],
]);

describe("matrices without an answer", () => {
  const singular = tensor([
    [1, 2],
    [2, 4],
  ]);

  test.each([
    ["solve", () => solve(singular, of(2)), "singular"],
    ["inv", () => inv(singular), "singular"],
    ["matrixPower", () => matrixPower(singular, -2), "singular"],
    ["cholesky", () => cholesky(neg(singular)), "not positive definite"],
  ] as const)("%s refuses one when it is read, with the line that applied it", (name, make, says) => {
    const made = make();
    const error = refusal(() => made.toArray(), ValueError, `${name}: `, says);
    expect(error.message).toMatch(/; made at .*errors\.test\.ts:\d+/);
  });
});

describe("indices out of range", () => {
  test("a known index is refused where gather is called", () => {
    const says = ["gather", "index 3", "axis 0 of size 3", "0 ... 2"];
    refusal(() => gather(of(3), 0, int32(0, 3)), IndexError, ...says);
  });

  test("a negative index is refused where scatterAdd is called", () => {
    const says = ["scatterAdd", "index -1", "axis 0 of size 3", "0 ... 2"];
    refusal(() => scatterAdd(of(3), 0, int32(-1), of(1)), IndexError, ...says);
  });

  test("a computed index is refused when it is read, with the line that applied gather", () => {
    const picked = applyGather(int32(0, 2).add(int32(1, 1)));
    const error = refusal(() => picked.toArray(), IndexError, "gather", "index 3", "axis 0 of size 3");
    expect(error.message).toMatch(/made at .*applyGather.*errors\.test\.ts:\d+/);
  });

  test("a computed index of scatterAdd is refused when it is read, with the line that applied it", () => {
    const scattered = scatterAdd(of(3), 0, int32(2).mul(int32(2)), of(1));
    const error = refusal(() => scattered.toArray(), IndexError, "scatterAdd", "index 4", "axis 0 of size 3");
    expect(error.message).toMatch(/made at .*errors\.test\.ts:\d+/);
  });

  test("a computed index is refused with that line where the gradient alone is read", () => {
    const x = of(3);
    const dx = grad(applyGather(int32(0, 2).add(int32(1, 1)), x).sum(), [x])[0];
    const error = refusal(() => dx.toArray(), IndexError, "index 3", "axis 0 of size 3");
    expect(error.message).toMatch(/made at .*applyGather.*errors\.test\.ts:\d+/);
  });

  test("the interpreter reads no stack for indices that are in range", () => {
    const before = Error.prepareStackTrace;
    let stacks = 0;
    Error.prepareStackTrace = () => `${++stacks}`;
    try {
      const x = of(3);
      const picked = gather(x, 0, int32(0, 2).add(int32(1, 0)));
      const added = scatterAdd(x, 0, int32(2).add(int32(0)), of(1));
      for (const y of [picked, added, grad(sum(picked), [x])[0]!]) y.toArray();
    } finally {
      Error.prepareStackTrace = before;
    }
    expect(stacks).toBe(0);
  });

  test("an index that is out of range only in a gradient names its line, too", () => {
    const x = of(3);
    const picked = gather(x, 0, int32(5).sub(int32(1)));
    const [dx] = grad(sum(picked), [x]);
    refusal(() => dx!.toArray(), IndexError, "index 4", "axis 0 of size 3");
  });
});

function applyGather(index: Tensor, x: Tensor = of(3)): Tensor {
  return gather(x, 0, index);
}

refuses("arguments in another order", [
  ...[conv1d, conv2d, conv3d, convTranspose1d].map((f): Row => {
    const axes = Array.from({ length: Number(f.name.at(-2)) }, () => 3);
    const convolve = f as (...args: readonly unknown[]) => unknown;
    return [
      `options in place of the bias of ${f.name}`,
      () => convolve(ones([1, 1, ...axes]), ones([1, 1, ...axes]), { padding: 1 }),
      ValueError,
      `${f.name}: the bias is an object and no tensor`,
      `${f.name}(x, weight, null, { padding: 1 })`,
    ];
  }),
  ["quantiles", () => quantile(of(3), [0.5] as never), ValueError, "quantile: q is one number", "an Array"],
  [
    "quantiles as a tensor",
    () => quantile(of(3), of(2) as never),
    ValueError,
    "quantile: q is one",
    "a Tensor",
  ],
  [
    "the factor before the right-hand side",
    () => choleskySolve(ones([3, 3]), of(3, 2)),
    ShapeError,
    "choleskySolve: b, which comes first, is [3, 3] and the factor [3, 2]",
    "choleskySolve(b, cholesky(a))",
  ],
  ["a factor and a vector", () => choleskySolve(ones([3, 3]), of(3)), ShapeError, "choleskySolve: b, which"],
  [
    "a longer right-hand side",
    () => choleskySolve(of(2), ones([3, 3])),
    ShapeError,
    "choleskySolve: b, which",
  ],
  [
    "a reduction among options",
    () => scatterReduce(of(3), 0, int32(1), of(1), { reduce: "sum" } as never),
    ValueError,
    "scatterReduce: takes the reduction after the source, one of sum, prod",
    "got an object",
  ],
]);

refuses("rebuilding", [
  [
    "a leaf of another shape",
    () => {
      const x = of(3).named("x");
      rebuild([x.mul(2).sum()], new Map([[x, of(2)]]));
    },
    ShapeError,
    "rebuild: the leaf x has shape [3] and what takes its place [2]",
    "call the function",
  ],
  [
    "a leaf of another dtype",
    () => {
      const x = of(3);
      rebuild([x.mul(2).sum()], new Map([[x, int32(1, 2, 3)]]));
    },
    DTypeError,
    "rebuild: the leaf is float32 and what takes its place int32",
    'cast("float32")',
  ],
  [
    "a leaf of the dtype that is replaced",
    () => {
      const x = of(3);
      rebuild([x.mul(2).sum()], new Map([[x, of(3)]]), { float32: "float64" });
    },
    DTypeError,
    "rebuild: the leaf is float64 by dtypes and what takes its place float32",
  ],
  [
    "a number in place of a leaf",
    () => {
      const x = of(3);
      rebuild([x.mul(2).sum()], new Map([[x, 2 as never]]));
    },
    ValueError,
    "rebuild",
    "takes a tensor, got a number",
  ],
  [
    "a root that is no tensor",
    () => rebuild([3 as never]),
    ValueError,
    "rebuild: takes a tensor, got a number",
  ],
  ["one root", () => rebuild(of(2) as never), ValueError, "rebuild: takes an array such as [y]"],
]);

refuses("derivatives", [
  [
    "the gradient of several elements",
    () => {
      const x = of(2, 3);
      grad(x.mul(2), [x]);
    },
    GradientError,
    "grad",
    "[2, 3]",
    "sum() or mean()",
    "{ cotangent }",
  ],
  [
    "a cotangent of another shape",
    () => {
      const x = of(2);
      grad(x.mul(2), [x], { cotangent: of(3) });
    },
    GradientError,
    "grad",
    "[3]",
    "[2]",
  ],
  [
    "the gradient of int32",
    () => {
      const x = int32(3);
      grad(sum(x), [x]);
    },
    GradientError,
    "grad",
    "int32",
    "cast it",
  ],
  [
    "the gradient by int32",
    () => grad(sum(of(2)), [int32(1)]),
    GradientError,
    "grad",
    "input 0",
    "int32",
    "cast",
  ],
  [
    "an input that does not count",
    () => grad(sum(of(2)), [of(3).named("w")], { unused: "error" }),
    GradientError,
    "grad",
    "input 0",
    "(w",
    "[3]",
    "leave it out",
  ],
  [
    "two versions of a variable in one output",
    () => {
      const w = variable([1, 2], { name: "w" });
      const before = w.mul(3);
      w.assign(5);
      grad(sum(add(before, w)), [w]);
    },
    GradientError,
    "grad",
    "2 versions",
    "w",
    "[2]",
    "differentiate before assigning, or detach() what one step hands to the next",
  ],
  [
    "backward of several elements",
    () => variable([1, 2]).mul(2).backward(),
    GradientError,
    "backward",
    "[2]",
    "sum() or mean()",
    "cotangent",
  ],
  [
    "backward with a cotangent of another shape",
    () => variable([1, 2]).mul(2).backward(of(3)),
    GradientError,
    "backward",
    "[3]",
    "[2]",
  ],
  [
    "backward of int32",
    () => int32(1).sum().backward(),
    GradientError,
    "backward",
    "int32",
    "float32 and float64",
  ],
  ["backward without variables", () => of().mul(2).backward(), GradientError, "backward", "variable(...)"],
  [
    "backward of what is detached",
    () => variable(1).mul(2).detach().backward(),
    GradientError,
    "backward",
    "detached from it",
  ],
  [
    "valueAndGrad of several elements",
    () => valueAndGrad((x: Tensor) => x.mul(2))(of(3)),
    GradientError,
    "valueAndGrad",
    "[3]",
    "sum() or mean()",
  ],
  [
    "a cotangent of another shape for vjp",
    () => vjp((x: Tensor) => x.mul(2))(of(3))[1](of(2)),
    GradientError,
    "vjp",
    "[2]",
    "[3]",
  ],
  [
    "a tangent of another shape for jvp",
    () => jvp((x: Tensor) => x.mul(2))(of(3), of(2)),
    GradientError,
    "jvp",
    "[2]",
    "[3]",
  ],
  [
    "a tangent with other keys",
    () => {
      const f = ({ a, b }: { a: Tensor; b: Tensor }) => a.mul(b).sum();
      return hvp(f as (x: Record<string, Tensor>) => Tensor)({ a: of(2), b: of(2) }, { a: of(2), c: of(2) });
    },
    ValueError,
    "hvp",
    "a, c",
    "a, b",
  ],
  [
    "a missing tangent",
    () => {
      const x = of(2);
      pushforward(x.mul(2), [x], []);
    },
    GradientError,
    "pushforward",
    "input 0",
    "[2]",
    "missing",
  ],
]);

describe("JavaScript's operators", () => {
  const x = of(2);
  const uses: [string, () => unknown][] = [
    ["x + 1", () => (x as unknown as number) + 1],
    ["x * 2", () => (x as unknown as number) * 2],
    ["-x", () => -(x as unknown as number)],
    ["x < 1", () => (x as unknown as number) < 1],
    // biome-ignore lint/suspicious/noDoubleEquals: it converts its operands as the others do.
    ["x == 1", () => (x as unknown as number) == 1],
    ["Math.exp(x)", () => Math.exp(x as unknown as number)],
  ];
  for (const [text, use] of uses)
    test(`${text} is refused and says what to write instead`, () => {
      let caught: unknown;
      try {
        use();
      } catch (error) {
        caught = error;
      }
      expect(caught).toBeInstanceOf(TypeError);
      const { message, stack } = caught as TypeError;
      for (const part of ["tensor", ".add", ".lt", ".item()"]) expect(message).toContain(part);
      expect(stack).toContain("errors.test.ts");
    });

  test("a tensor prints in strings", () => {
    expect(`${tensor([1, 2])}`).toContain("1");
    expect(String(tensor(3))).toContain("3");
  });
});

describe("a failed call changes nothing", () => {
  const start = (): NestedArray => [1, 2];

  test("assign refuses another shape, another dtype and other things, and the version stays", () => {
    const w = variable([1, 2], { name: "w" });
    const version = w.node;
    refusal(() => w.assign(of(3)), ShapeError, "assign to w", "[3]", "[2]", "keep their shape");
    refusal(
      () => w.assign(zeros([2], { dtype: "float64" })),
      DTypeError,
      "w",
      "float64",
      "float32",
      "cast(x",
    );
    refusal(() => w.assign(int32(1, 2)), DTypeError, "assign to w", "int32", "float32", "cast(x");
    refusal(() => w.assign("1" as never), ValueError, "assign to w", "a tensor or a number");
    const count = variable([1], { dtype: "int32", name: "count" });
    for (const wrong of [0.5, Number.NaN, 2 ** 31])
      refusal(() => count.assign(wrong), ValueError, `assign to count: ${wrong} is not an int32`);
    expect(count.toArray()).toEqual([1]);
    expect(w.node).toBe(version);
    expect(w.pending).toBe(false);
    expect(w.toArray()).toEqual(start());
  });

  test("assignAll assigns all or none", () => {
    const [a, b] = [variable([1, 2]), variable([1, 2])];
    const versions = [a.node, b.node];
    refusal(
      () =>
        assignAll([
          [a, a.mul(2)],
          [b, of(3)],
        ]),
      ShapeError,
      "assign",
      "[3]",
      "[2]",
    );
    expect([a.node, b.node].map((node, i) => node === versions[i])).toEqual([true, true]);
    expect([a.toArray(), b.toArray()]).toEqual([start(), start()]);
  });

  test("pending updates are discarded together when one of them cannot be computed", () => {
    const [a, b, c] = [variable([1, 2]), variable([1, 2]), variable([1, 2])];
    const versions = [a.node, b.node];
    a.assign(a.mul(2));
    b.assign(gather(b, 0, int32(0, 1).add(int32(0, 1))));
    const later = a.mul(10);
    // Reading anything evaluates what is pending, whatever is read.
    refusal(() => c.add(1).toArray(), IndexError, "gather", "index 2");
    expect([a.pending, b.pending]).toEqual([false, false]);
    expect([a.node === versions[0], b.node === versions[1]]).toEqual([true, true]);
    expect([a, b, c].map((x) => x.toArray())).toEqual([start(), start(), start()]);
    refusal(() => later.toArray(), StateError, "discarded", "build it again");
    // Everything goes on from the versions before.
    a.assign(a.mul(3));
    expect(a.toArray()).toEqual([3, 6]);
  });

  test("an update built on a discarded one is discarded in turn, and reading goes on", () => {
    const [a, b] = [variable([1, 2]), variable([1, 2])];
    a.assign(gather(a, 0, int32(5, 5).sub(int32(1, 1))));
    const stale = a.mul(10);
    refusal(() => a.toArray(), IndexError, "gather", "index 4");
    b.assign(stale);
    refusal(() => b.toArray(), StateError, "discarded", "build it again");
    expect([a, b].map((x) => x.toArray())).toEqual([start(), start()]);
  });

  test("evaluate discards pending updates, too", () => {
    const w = variable([1, 2]);
    w.assign(gather(w, 0, int32(5, 5).sub(int32(1, 1))));
    refusal(() => evaluate(of(2).add(1)), IndexError, "gather", "index 4");
    expect(w.toArray()).toEqual(start());
  });

  test("a refused backward leaves every grad as it was", () => {
    const w = variable([1, 2]);
    refusal(() => w.mul(2).backward(), GradientError, "backward");
    expect(w.grad).toBe(null);
    w.mul(2).sum().backward();
    const before = w.grad;
    refusal(() => w.mul(2).backward(of(5)), GradientError, "backward");
    expect(w.grad).toBe(before);
    expect(w.grad!.toArray()).toEqual([2, 2]);
  });

  test("a refused op leaves its operands as they were", () => {
    const x = tensor([1, 2]) as Tensor;
    refusal(() => add(x, of(3)), ShapeError, "add");
    expect(x.toArray()).toEqual(start());
    expect(x.shape).toEqual([2]);
  });

  test("a refused draw leaves the generator where it was", () => {
    const generator = new Generator(1);
    const { counter } = generator.state;
    const version = counter.node;
    refusal(() => uniform([-1], { generator }), ValueError, "uniform", "[-1]");
    refusal(() => generator.seed(0.5), ValueError, "seed", "0.5", "whole number");
    expect(counter.node).toBe(version);
  });

  test("a value that was read is not lost by a failure after it", () => {
    const w = variable([1, 2]);
    const y = mul(w, w);
    expect(y.toArray()).toEqual([1, 4]);
    w.assign(gather(w, 0, int32(7, 7).add(int32(0, 0))));
    refusal(() => w.toArray(), IndexError, "index 7");
    expect(y.toArray()).toEqual([1, 4]);
  });
});

describe("what only JavaScript can give", () => {
  const x = tensor([1, 2]) as Tensor;
  const index = tensor([0], { dtype: "int32" });
  // biome-ignore lint/suspicious/noExplicitAny: What is wrong here is the types.
  const given = (value: unknown) => value as any;
  type Along = (x: Tensor, axis: number) => Tensor;

  test("is refused as an axis, in reductions and elsewhere, and never printed", () => {
    const options = given({ axis: -1 });
    for (const f of [sum, mean, amax, softmax, cumsum, squeeze, flip] as readonly Along[])
      refusal(() => f(x, options), ValueError, f.name, "axis is a whole number, got an object");
    refusal(() => sum(x, given("0")), ValueError, "sum", 'got "0"');
    refusal(() => sum(x, given(null)), ValueError, "sum", "got null");
    refusal(() => gather(x, given(index), given(0)), ValueError, "gather", "got a tensor");
    const compiled = compile((y) => gather(y, given(index), given(0)));
    refusal(() => compiled(x), ValueError, "gather", "got a tensor");
  });

  test("is refused as the ends of draws, and told what stands where", () => {
    refusal(
      () => randint(given([2]), given({ high: 6 }), [2]),
      ValueError,
      "randint",
      "low is an object and",
    );
    refusal(() => randint(0, given(x), [2]), ValueError, "high is a tensor", "randint(0, 6, [2])");
    refusal(() => uniform([2], { low: given({}) }), ValueError, "uniform", "low is an object and high is 1");
  });

  test("is refused where sizes, axes or tensors stand in one array, and told to", () => {
    const y = of(2, 6);
    const [onField, one] = [of(1, 4, 4), given(1)];
    const rows: readonly (readonly [string, () => unknown, string?])[] = [
      ["reshape", () => given(y).reshape(3, 4)],
      ["reshape", () => given(y).reshape()],
      ["expand", () => given(y).expand(2, 6)],
      ["repeat", () => given(y).repeat(2, 2)],
      ["unflatten", () => given(y).unflatten(1, 2, 3)],
      ["zeros", () => given(zeros)(2, 3)],
      ["zeros", () => zeros(given(y))],
      ["permute", () => given(y).permute(1, 0), "[1, 0]"],
      ["movedim", () => y.movedim(given({}), 0), "[1, 0]"],
      ["roll", () => y.roll(1, given({ axis: 0 })), "[1, 0]"],
      ["roll", () => y.roll(given(null)), "[1, 0]"],
      ["split", () => y.split(given({ size: 2 })), "[1, 0]"],
      ["tensordot", () => tensordot(y, y, given(["0", "0"])), "[1, 0]"],
      ["adaptiveAvgPool2d", () => given(adaptiveAvgPool2d)(onField, 3, 2), "[3, 2]"],
      ["toDot", () => toDot(given(y)), "[x]"],
      ["topology", () => topology(given(y)), "[x]"],
    ];
    for (const [name, call, example = "[4, 2]"] of rows)
      refusal(call, ValueError, `${name}: takes an array such as ${example}, got `);
    refusal(() => toText(given([x])), ValueError, "toText(a, b): takes a tensor, got an Array");
    refusal(
      () => tensor(Uint8Array.of(0, 1, 128)),
      ValueError,
      "tensor: a Uint8Array is bool, and element 2 is 128",
      "float32",
    );
    refusal(() => fromTypedArray(Uint8Array.of(7), [1]), ValueError, "fromTypedArray: a Uint8Array is bool");
    refusal(
      () => embedding(tensor([1, 0], { dtype: "int32" }), given(tensor([[1.5], [2]]))),
      DTypeError,
      "embedding: the table comes first",
    );
    const frozen: { requiresGrad?: boolean } = given(variable([1]));
    refusal(
      () => {
        frozen.requiresGrad = false;
      },
      StateError,
      "a variable has no requiresGrad",
      "x.detach()",
    ); // prettier-ignore
    refusal(() => y.pad(given([1, 2])), ValueError, "pad: takes an array such as [[1, 1], [0, 2]], got 1");
    refusal(
      () => scatterAdd(zeros([3]), 0, tensor([1], { dtype: "int32" }), given(1)),
      ValueError,
      "scatterAdd: the source: takes a tensor, got a number",
    );
    refusal(() => toDot([one]), ValueError, "toDot: takes a tensor, got a number");
    refusal(() => x.slice(0, 2, given(2)), ValueError, "slice: options are named", "got 2");
    refusal(() => pushforward(x.sum(), [x], [one]), GradientError, "pushforward", "is a number");
    refusal(() => variable(2).square().backward(one), ValueError, "backward: options are named", "got 1");
    refusal(() => vjp((z: Tensor) => z)(x)[1](one), ValueError, "vjp: the cotangent", "a number");
  });

  test("is refused where a function belongs, before the function is needed", () => {
    const no = given(undefined) as () => Tensor;
    type Transform = (f: () => Tensor) => unknown;
    const transforms = [compile, checkpoint, valueAndGrad, vjp, jvp, jacobian, hessian, hvp, vmap];
    for (const transform of transforms as unknown as readonly Transform[])
      refusal(() => transform(no), ValueError, `${transform.name}: takes a function, got undefined`);
    refusal(() => customGradient(no, (g) => [g]), ValueError, "customGradient: takes a function");
    refusal(
      () => customGradient((x: Tensor) => x, given("g")),
      ValueError,
      'customGradient: the rule: takes a function, got "g"',
    );
  });

  test("is refused where a tensor, a number or nothing belongs", () => {
    const x = of(1, 2, 3);
    const { shape, dtype, op } = x;
    const foreign = given({ shape, dtype, op });
    const twice = "got a tensor of another copy of @cotangent/autograd, which is loaded twice";
    refusal(() => x.add(foreign), ValueError, twice);
    refusal(() => softmax(foreign), ValueError, twice);
    refusal(() => compile(() => [x, foreign])(), CompileError, `${twice} at 1`);
    expect(compile(() => ({ op: x.neg(), dtype: x }))().op.toArray()).toEqual(x.neg().toArray());
    refusal(
      () => bincount(int32(1, 2), { weights: given([0.5, 1]) }),
      ValueError,
      "bincount: weights: takes a tensor, got an Array",
    );
    refusal(
      () => interpolate(x, { scaleFactor: given(null) }),
      ValueError,
      "interpolate: scaleFactor is null;",
    );
    refusal(() => conv1d(x, of(1, 2, 1), given(0)), ValueError, "conv1d: the bias is a number and no tensor");
    refusal(() => layerNorm(x, [3], given(0)), ValueError, "layerNorm: takes a tensor, got a number");
    refusal(() => layerNorm(x, [3], undefined, given(NaN)), ValueError, "layerNorm: takes a tensor");
    refusal(
      () => pinv(zeros([2, 2]), { rcond: given(true) }),
      ValueError,
      "pinv: rcond is true; give a number",
    );
    refusal(
      () => manualSeed(given("7")),
      ValueError,
      'seed: takes a whole number from 0 to 2^53 - 1, got "7"',
    );
  });

  test("is refused as an option that is not named, or that there is not", () => {
    const y = of(2, 6);
    const rows: readonly (readonly [string, (options: unknown) => unknown, string])[] = [
      ...[sum, mean, amax, prod, logsumexp, countNonzero, any, argmax, max, median].map(
        (f) => [f.name, (o: unknown) => f(y, 0, given(o)), "keepDims"] as const,
      ),
      ...[variance, std].map(
        (f) => [f.name, (o: unknown) => f(y, 0, given(o)), "keepDims, correction"] as const,
      ),
      ["norm", (o) => norm(y, 0, given(o)), "keepDims, p"],
      ["quantile", (o) => quantile(y, 0.5, 0, given(o)), "keepDims, interpolation"],
      ["sort", (o) => sort(y, 0, given(o)), "descending"],
      ["argsort", (o) => argsort(y, 0, given(o)), "descending"],
      ["topk", (o) => topk(y, 1, given(o)), "axis, largest"],
      ["split", (o) => split(y, 1, given(o)), "axis"],
      ["chunk", (o) => y.chunk(2, given(o)), "axis"],
      ["tril", (o) => tril(y, given(o)), "diagonal"],
      ["diff", (o) => diff(y, 0, given(o)), "n"],
      ["nansum", (o) => nansum(y, 0, given(o)), "keepDims"],
      ["cov", (o) => cov(y, given(o)), "correction"],
      ["logit", (o) => logit(y, given(o)), "eps"],
      ["isclose", (o) => isclose(y, 1, given(o)), "rtol, atol, equalNan"],
      ["uniform", (o) => uniform([2], given(o)), "low, high, dtype, generator"],
      ["normal", (o) => normal([2], given(o)), "mean, deviation, dtype, generator"],
      [
        "truncatedNormal",
        (o) => truncatedNormal([2], given(o)),
        "mean, deviation, low, high, dtype, generator",
      ],
      ["exponential", (o) => exponential([2], given(o)), "rate, dtype, generator"],
      ["bernoulli", (o) => bernoulli([2], given(o)), "probability, dtype, generator"],
      ["randint", (o) => randint(0, 2, [2], given(o)), "generator"],
      ["permutation", (o) => permutation(2, given(o)), "generator"],
      ...[dropout, featureDropout, alphaDropout].map(
        (f) => [f.name, (o: unknown) => f(y, given(o)), "p, training, generator"] as const,
      ),
    ];
    for (const [name, call, known] of rows) {
      const message = `${name}: there is no option keepdim; the options are ${known}`;
      expect(refusal(() => call({ keepdim: true }), ValueError).message).toBe(message);
      for (const wrong of [1, true, y, [1], null])
        refusal(
          () => call(wrong),
          ValueError,
          `${name}: options are named, as in { name: value }, got `,
          `; the options are ${known}`,
        );
      call(undefined);
    }
    const weights = { logits: y, seed: 1 };
    refusal(() => categorical([], weights), ValueError, "categorical: there is no option seed");
  });

  test("is refused as an index", () => {
    for (const wrong of [[0, 1], { first: 1 }, "1"])
      refusal(() => x.at(given(wrong)), ValueError, "at", "is no index");
    expect(x.at({ start: 1 }).toArray()).toEqual([2]);
  });

  test("is refused where tensors stand one by one, or in lists", () => {
    refusal(() => evaluate(given([x])), ValueError, "evaluate(a, b): takes a tensor, got an Array");
    refusal(() => grad(x.sum(), given(x)), ValueError, "grad", "takes an array such as [x], got a tensor");
    refusal(() => grad(x, [x], { cotangent: given(1) }), ValueError, "grad: the cotangent", "a number");
    refusal(() => pushforward(x.sum(), given(x), given(x)), ValueError, "pushforward", "takes an array");
    refusal(() => categorical(given(x), given(undefined)), ValueError, "categorical", "{ logits }");
    refusal(() => add(x, given({})), ValueError, "add", "got an object;");
  });
});

describe("what flows of another dtype is refused, in both modes", () => {
  const double = (x: Tensor) => x.mul(2);
  for (const dtype of ["float64", "int32", "bool"] as const) {
    const [x, flow] = [of(2), ones([2], { dtype })];
    const y = double(variable(x));
    const calls: Record<string, () => unknown> = {
      grad: () => grad(y, [x], { cotangent: flow }),
      backward: () => y.backward(flow),
      vjp: () => vjp(double)(x)[1](flow),
      pushforward: () => pushforward(double(x), [x], [flow]),
      jvp: () => jvp(double)(x, flow),
      hvp: () => hvp((z: Tensor) => double(z).sum())(x, flow),
    };
    for (const [name, call] of Object.entries(calls))
      test(`${dtype} by ${name}`, () => {
        refusal(call, DTypeError, `${name}: `, `is ${dtype} and `, 'cast it with cast("float32")');
      });
  }
});

test("the matrices of derivatives are by one tensor, and no tree", () => {
  const f = ((x: { a: Tensor }) => x.a.square().sum()) as never;
  for (const transform of [jacobian, hessian as unknown as typeof jacobian])
    for (const given of [[of(2), of(2)], { a: of(2) }, 3, undefined])
      refusal(
        () => transform(f)(given as never),
        ValueError,
        `${transform.name}: the first argument is one tensor`,
        `${transform.name}(f)(a, b)`,
      );
});

test("a function that gives no tensor is refused by the transform that got it", () => {
  const x = of(2);
  type Transform = (f: () => Tensor) => (...args: readonly Tensor[]) => unknown;
  const transforms = [valueAndGrad, vjp, jacobian, hessian, hvp] as unknown as readonly Transform[];
  for (const given of [3, undefined, null])
    for (const transform of transforms)
      refusal(() => transform(() => given as never)(x, x), ValueError, `${transform.name}: the result is`);
  for (const transform of transforms.filter((transform) => transform.name !== "vjp"))
    refusal(
      () => transform(() => [x, x] as never)(x, x),
      ValueError,
      `${transform.name}: the result is an Array and no tensor; the function has to return one`,
    );
  for (const transform of [valueAndGrad, vjp, jvp, hvp] as unknown as readonly Transform[]) {
    refusal(
      () => transform(() => x)(3 as never),
      ValueError,
      `${transform.name}: the input`,
      "got 3",
      "scalar(3)",
    );
    refusal(
      () => transform(() => x)([x, 3] as never),
      ValueError,
      `${transform.name}: the input`,
      "got 3 at 1",
    );
  }
  refusal(
    () => hessian((y: Tensor) => y.mul(2))(x),
    GradientError,
    "hessian: the function returned shape [2]",
  );
});

test("a body of an op that reads more operands than there are rules is refused", () => {
  const product: Binary = pointwise({
    name: "product",
    body: (m, x, y) => m.mul(x!, y!),
    derivatives: [partial((_, _x, y) => y!)],
    samples: within([-1, 1]),
  });
  refusal(() => product(of(2), of(2)).toArray(), DTypeError, "operands, one for each derivative rule");
});

test("an op of one's own refuses what are no operands, and rules that give no tensor", () => {
  const made = (derivative: Derivative) =>
    defineOp({
      name: "thing",
      kernel: { kind: "opaque", run: ([x], out) => out.data.set(x!.data) },
      derivatives: [derivative],
      shape: ([x]) => x!.shape,
      dtype: ([x]) => x!.dtype,
    });
  const x = of(2);
  const none = zero;
  refusal(() => made(none)([], {}), ValueError, "thing: takes operands, as many as it has derivative rules");
  refusal(() => made(none)(x as never, {}), ValueError, "thing: takes an array such as [x]");
  const three = (() => 3) as never;
  for (const rule of [linearRule(three), pushed(three), bilinearRule(three)])
    refusal(
      () => grad(made(rule)([x], {}).sum(), [x]),
      GradientError,
      "thing: a derivative rule gives a number, not [2]",
    );
});

test("an op of one's own whose shape reads an axis that is not there is named", () => {
  const firstRows = defineOp({
    name: "firstRows",
    kernel: { kind: "opaque", run: ([x], out) => out.data.set(x!.data.subarray(0, out.data.length)) },
    derivatives: [zero],
    shape: ([x]) => [2, x!.shape[1]!],
    dtype: ([x]) => x!.dtype,
  });
  expect(firstRows([of(3, 2)], {}).shape).toEqual([2, 2]);
  refusal(() => firstRows([of(3)], {}), ValueError, "firstRows: sizes are whole numbers");
});

describe("an op of one's own whose shape or dtype is not that of what its kernel computes", () => {
  type Kind = Exclude<Kernel["kind"], "leaf" | "opaque">;
  const add = (m: Arithmetic<unknown>, x: unknown, y: unknown) => m.add(x, y);
  const folding = { combine: add as Body, identity: () => 0 };
  const kernels: { readonly [K in Kind]: Kernel } = {
    pointwise: { kind: "pointwise", body: add as Body },
    view: { kind: "view", map: (_, { offset }) => ({ offset: Number(offset), strides: [1], bounds: null }) },
    concatenate: { kind: "concatenate" },
    gather: { kind: "gather" },
    scatter: { kind: "scatter" },
    reduce: { kind: "reduce", ...folding },
    scan: { kind: "scan", ...folding },
    contract: { kind: "contract" },
  };
  const apply = (
    kind: Kind,
    out: Shape,
    operands: readonly Tensor[],
    attributes: Attributes,
    dtype?: DType,
  ) =>
    defineOp({
      name: "own",
      kernel: kernels[kind],
      derivatives: [zero],
      shape: () => out,
      dtype: ([x]) => dtype ?? x!.dtype,
    })(operands, attributes);
  const index = (...data: number[]) => tensor(data, { dtype: "int32" });

  test.each<[Kind, Shape, Tensor[], Attributes, what: string]>([
    ["pointwise", [4], [of(4), of(1)], {}, "takes and gives one shape"],
    ["pointwise", [3], [of(4), of(4)], {}, "takes and gives one shape"],
    ["view", [3], [of(3)], { offset: 1 }, "reads elements 1 to 3 of 3"],
    ["view", [2], [of(3)], { offset: -1 }, "reads elements -1 to 0 of 3"],
    ["view", [1, 3], [of(3)], { offset: 0 }, "a stride for each axis"],
    ["concatenate", [3], [of(3), of(2)], { axis: 0 }, "side by side along axis 0"],
    ["concatenate", [4, 2], [of(2, 2), of(2, 3)], { axis: 0 }, "side by side along axis 0"],
    ["gather", [3], [of(3), index(0, 1)], { axis: 0 }, "an element for each index"],
    ["gather", [2], [of(1, 2), index(0, 1)], { axis: 0 }, "for axis 0 alone"],
    ["scatter", [3], [of(3), index(0, 1)], { axis: 0 }, "an index for each element"],
    ["reduce", [3], [of(3, 2)], { axes: [0] }, "along axes [0]"],
    ["reduce", [], [of(3, 2)], { axes: [0] }, "along axes [0]"],
    ["scan", [2], [of(3)], { axis: 0 }, "keeps the shape"],
    ["contract", [2, 2], [of(2, 3), of(2, 2)], { spec: "ij,jk->ik" }, "spec, ij,jk->ik"],
    ["contract", [2, 3], [of(2, 3), of(3, 2)], { spec: "ij,jk->ik" }, "spec, ij,jk->ik"],
    ["contract", [2], [of(2, 3)], { spec: "ij,j->i" }, "spec, ij,j->i"],
    ["contract", [2, 2], [of(2), of(2)], { spec: "i,i->ij" }, "spec, i,i->ij"],
    ["contract", [2], [of(2), of(2, 3)], { spec: "i,ij->i" }, "spec, i,ij->i"],
    ["contract", [2], [of(2, 2), of(2)], { spec: "ii,i->i" }, "spec, ii,i->i"],
  ])("%s with %j is refused", (kind, out, operands, attributes, what) => {
    refusal(() => apply(kind, out, operands, attributes), ShapeError, `own: its ${kind} kernel`, what);
  });

  test.each<[Kind, Tensor[], Attributes]>([
    ["view", [of(2)], { offset: 0 }],
    ["concatenate", [of(1), of(1)], { axis: 0 }],
    ["gather", [of(3), index(0, 1)], { axis: 0 }],
    ["scatter", [of(2), index(0, 1)], { axis: 0 }],
    ["reduce", [of(2, 3)], { axes: [1] }],
    ["scan", [of(2)], { axis: 0 }],
    ["contract", [of(2, 3), of(3)], { spec: "ij,j->i" }],
  ])("%s keeps the dtype", (kind, operands, attributes) => {
    expect(apply(kind, [2], operands, attributes).dtype).toBe("float32");
    const cast = () => apply(kind, [2], operands, attributes, "float64");
    refusal(
      cast,
      DTypeError,
      `own: its ${kind} kernel keeps the dtype, and is given (float32`,
      "declares float64",
    );
  });

  test("is told from attributes that are missing, and indices that are none", () => {
    refusal(
      () => apply("reduce", [], [of(2)], {}),
      ValueError,
      "own: its reduce kernel reads the attribute axes",
    );
    refusal(() => apply("reduce", [], [of(2)], { axes: [1] }), ValueError, "attribute axes");
    refusal(
      () => apply("scan", [2], [of(2)], {}),
      ValueError,
      "own: its scan kernel reads the attribute axis",
    );
    refusal(
      () => apply("gather", [2], [of(2), of(2)], { axis: 0 }),
      DTypeError,
      "own: its gather kernel takes int32",
    );
  });

  test("is not refused where it is", () => {
    expect(apply("pointwise", [2], [of(2), of(2)], {}).shape).toEqual([2]);
    expect(apply("view", [2], [tensor([1, 2, 3])], { offset: 1 }).toArray()).toEqual([2, 3]);
    expect(apply("concatenate", [3, 1], [of(2, 1), of(1, 1)], { axis: 0 }).shape).toEqual([3, 1]);
    expect(
      apply("gather", [2, 1], [of(3, 2), tensor([[0], [2]], { dtype: "int32" })], { axis: 0 }).size,
    ).toBe(2);
    expect(apply("scatter", [5], [of(2), index(0, 4)], { axis: 0 }).size).toBe(5);
    for (const out of [[2], [1, 2]])
      expect(apply("reduce", out, [of(3, 2)], { axes: [0] }).shape).toEqual(out);
    expect(apply("scan", [3, 2], [of(3, 2)], { axis: 1, reverse: true }).shape).toEqual([3, 2]);
    expect(apply("contract", [2, 4], [of(2, 3), of(3, 4)], { spec: "ij,jk->ik" }).shape).toEqual([2, 4]);
  });
});

test("a forward rule that is not linear in the tangent says so in reverse mode, compiled too", () => {
  const squared = defineOp({
    name: "squared",
    kernel: { kind: "pointwise", body: (m, x) => m.mul(x!, x!) },
    derivatives: [pushed((t) => t.mul(t))],
    shape: ([x]) => x!.shape,
    dtype: ([x]) => x!.dtype,
  });
  const slope = (x: Tensor) => grad(squared([x], {}).sum(), [x])[0];
  refusal(() => slope(of(2)).toArray(), StateError, "a derivative rule that is not linear in it");
  refusal(() => compile(slope)(of(2)), CompileError, "a derivative rule that is not linear in it");
});

test("a derivative rule of another shape is refused, in both modes", () => {
  const doubled: Unary = pointwise({
    name: "doubled",
    body: (m, x) => m.add(x!, x!),
    derivatives: [partial(() => of(2, 3))],
    samples: within([-1, 1]),
  });
  const x = of(3);
  const says = "doubled: a derivative rule gives shape [2, 3], not [3]";
  refusal(() => grad(doubled(x).sum(), [x]), GradientError, says);
  refusal(() => pushforward(doubled(x), [x], [x]), GradientError, says);
});

test("a choice of nothing names the shape that was given", () => {
  for (const f of [argmax, argmin, max, median])
    refusal(
      () => f(of(1, 0)),
      ValueError,
      `${f.name}: there is no ${f.name} of nothing: shape [1, 0] has size 0`,
    );
});

test("errors of derivatives name the function that was called", () => {
  const w = variable([1]);
  const y = w.mul(2);
  w.assign(3);
  const both = y.mul(w);
  refusal(() => grad(both, [w]), GradientError, "grad", "2 versions");
  refusal(() => both.backward(), GradientError, "backward", "2 versions");
  refusal(() => pushforward(both, [w], [ones([1])]), GradientError, "pushforward", "2 versions");
});

test("a variable that is made while a function is traced says where to make it", () => {
  const f = compile((x) => variable(x.mul(2)).sum());
  refusal(() => f(tensor([1])), CompileError, "a variable or layer is made inside", "outside");
});

describe("the stack of an error in an engine that makes it by itself", () => {
  /** What `pointToCaller` leaves of a stack, where there is no `Error.captureStackTrace`. */
  function pointed(stack: string): string {
    const { captureStackTrace } = Error;
    const error = Object.assign(new Error("wrong"), { stack });
    try {
      Object.assign(Error, { captureStackTrace: undefined });
      pointToCaller(error);
    } finally {
      Object.assign(Error, { captureStackTrace });
    }
    return error.stack;
  }
  const ours = new URL("../../packages/autograd/src/graph.ts", import.meta.url).href;

  test("is left as it is by code that has no URL", () => {
    expect(() => hideFrames(undefined)).not.toThrow();
    expect(pointed("f@https://a.example/b.js:1:2\n")).toBe("f@https://a.example/b.js:1:2\n");
  });

  test("begins at the user's frame", () => {
    const stack = `matmul@${ours}:1:2\ntrain@https://a.example/main.js:3:4\n@https://a.example/main.js:5:6\n`;
    expect(pointed(stack)).toBe("train@https://a.example/main.js:3:4\n@https://a.example/main.js:5:6\n");
  });

  test("keeps all frames where there is none outside, as in a bundle, and the end is an empty line", () => {
    const stack = `matmul@${ours}:1:2\n@${ours}:3:4\n`;
    expect(pointed(stack)).toBe(stack);
  });
});
