import type { Tensor } from "@cotangent/autograd";
import {
  DTypeError,
  grad,
  IndexError,
  jvp,
  onesLike,
  ShapeError,
  tensor,
  ValueError,
  variable,
  zeros,
} from "@cotangent/autograd";
import * as losses from "@cotangent/nn/loss";
import { describe, expect, test } from "vitest";

type AnyLoss = (...operands: unknown[]) => Tensor;
const all = losses as unknown as Record<string, AnyLoss>;
/** Losses of classes have another shape of target, and one takes a variance besides. */
const ofClasses = ["crossEntropy", "multiMargin", "nll"];
/** These take several things; see objectives.test.ts. */
const ofSeveral = ["cosineEmbedding", "ctc", "infoNCE", "marginRanking", "tripletMargin"];
const ofElements = Object.keys(all).filter((name) => !ofClasses.includes(name) && !ofSeveral.includes(name));
const call = (name: string, x: unknown, y: unknown, options?: object): Tensor =>
  name === "gaussianNll" ? all[name]!(x, y, zeros([4]).add(1), options) : all[name]!(x, y, options);

const row: Tensor = zeros([4]);
const column: Tensor = zeros([4, 1]);
const yes: Tensor = row.eq(0);

function expectRefused(
  name: string,
  attempt: () => unknown,
  kind: new (message: string) => Error,
  says: RegExp | string,
): void {
  expect(attempt, name).toThrow(kind);
  expect(attempt, name).toThrow(says);
  expect(attempt, name).toThrow(new RegExp(`^${name}: `));
}

test("all losses are here", () => {
  expect(Object.keys(all).sort()).toEqual([
    ...[
      "bce",
      "bceWithLogits",
      "cosineEmbedding",
      "crossEntropy",
      "ctc",
      "focal",
      "gaussianNll",
      "hinge",
      "huber",
      "infoNCE",
      "klDiv",
      "l1",
      "logCosh",
      "marginRanking",
      "mse",
      "multiMargin",
      "nll",
    ],
    ...["perceptron", "poissonNll", "quantile", "smoothL1", "squaredHinge", "tripletMargin"],
  ]);
});

describe.each(ofElements)("%s", (name) => {
  test("refuses other shapes, with a remedy", () => {
    expectRefused(name, () => call(name, column, row), ShapeError, "target.reshape([4, 1])");
    expectRefused(name, () => call(name, row, zeros([])), ShapeError, "does not broadcast");
  });

  test("refuses bool and what is no tensor", () => {
    expectRefused(name, () => call(name, row, yes), DTypeError, "a target of bool; cast it to float32 first");
    expectRefused(name, () => call(name, yes, row), DTypeError, "a prediction of bool");
    expectRefused(name, () => call(name, row, 1), ValueError, "takes two tensors");
    expectRefused(name, () => call(name, [0, 0, 0, 0], row), ValueError, "takes two tensors");
  });

  test("refuses an unknown reduction", () => {
    expectRefused(
      name,
      () => call(name, row, row, { reduction: "average" }),
      ValueError,
      "unknown reduction average",
    );
  });

  test("refuses options that have no names", () => {
    for (const options of ["sum", null, row] as object[])
      expectRefused(name, () => call(name, row, row, options), ValueError, "options are named");
  });

  test("gives one number, or one for each element", () => {
    expect(call(name, row.add(0.5), row).shape).toEqual([]);
    expect(call(name, row.add(0.5), row, { reduction: "sum" }).shape).toEqual([]);
    expect(call(name, row.add(0.5), row, { reduction: "none" }).shape).toEqual([4]);
  });
});

describe.each(ofClasses)("%s", (name) => {
  const logits: Tensor = zeros([4, 3]);
  const classes = tensor([0, 1, 2, 0], { dtype: "int32" });

  test("refuses shapes that do not fit", () => {
    const other = name === "multiMargin" ? "[n, c]" : "[4]";
    expectRefused(name, () => all[name]!(row, classes), ShapeError, other);
    expectRefused(name, () => all[name]!(zeros([]), classes), ShapeError, "[n, c]");
    expectRefused(name, () => all[name]!(logits, tensor([0, 1], { dtype: "int32" })), ShapeError, "[4, 3]");
    expectRefused(name, () => all[name]!(logits, column), ShapeError, "[4, 1]");
  });

  test("refuses classes that are no int32, and what is no tensor", () => {
    expectRefused(name, () => all[name]!(logits, row), DTypeError, "classes are int32, got float32");
    expectRefused(name, () => all[name]!(logits, yes), DTypeError, "takes no bool");
    expectRefused(name, () => all[name]!(logits, [0, 1, 2, 0]), ValueError, "takes two tensors");
  });

  test("refuses an unknown reduction", () => {
    const attempt = () => all[name]!(logits, classes, { reduction: "batch" });
    expectRefused(
      name,
      attempt,
      ValueError,
      "unknown reduction batch; the reductions are mean, sum and none",
    );
  });
});

test("options out of range are refused", () => {
  for (const delta of [0, -1, Number.POSITIVE_INFINITY, Number.NaN])
    expectRefused(
      "huber",
      () => losses.huber(row, row, { delta }),
      ValueError,
      `delta is a finite number above 0, got ${delta}`,
    );
  for (const beta of [-1, Number.POSITIVE_INFINITY, Number.NaN])
    expectRefused(
      "smoothL1",
      () => losses.smoothL1(row, row, { beta }),
      ValueError,
      `at least 0, got ${beta}`,
    );
  for (const eps of [0, -1, Number.NaN])
    expectRefused(
      "gaussianNll",
      () => losses.gaussianNll(row, row, row, { eps }),
      ValueError,
      `above 0, got ${eps}`,
    );
});

test("the slope of an infinite error is that of a large one", () => {
  const x = tensor([Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e30]);
  const [y] = [zeros([3]) as Tensor];
  expect(grad(losses.huber(x, y, { delta: 2, reduction: "sum" }), [x])[0].toArray()).toEqual([2, -2, 2]);
  expect(grad(losses.smoothL1(x, y, { beta: 2, reduction: "sum" }), [x])[0].toArray()).toEqual([1, -1, 1]);
});

test("losses of small errors, and their slopes, keep their digits in both modes", () => {
  const errors = [0, 1e-15, -1e-8, 1e-4, -0.01];
  const x = tensor(errors);
  const y: Tensor = zeros([5]);
  const [ones, none] = [onesLike(x), { reduction: "none" }] as const;
  const close = (got: Tensor, wanted: (error: number) => number) => {
    Array.from(got.toTypedArray()).forEach((g, i) => {
      const w = wanted(errors[i]!);
      expect(Math.abs(g - w)).toBeLessThanOrEqual(3e-7 * Math.abs(w));
    });
  };
  const cases = [
    [(e: Tensor) => losses.huber(e, y, { ...none, delta: 1000 }), (e: number) => e],
    [(e: Tensor) => losses.smoothL1(e, y, { ...none, beta: 0.5 }), (e: number) => 2 * e],
    [(e: Tensor) => losses.logCosh(e, y, none), Math.tanh],
  ] as const;
  for (const [loss, slope] of cases) {
    close(grad(loss(x).sum(), [x])[0], slope);
    close(jvp(loss)(x, ones)[1], slope);
  }
  close(losses.logCosh(x, y, none), (e) => (e * e) / 2 - e ** 4 / 12);
});

describe("gaussianNll", () => {
  test("refuses a variance that does not fit", () => {
    const x: Tensor = zeros([4, 3]);
    for (const shape of [[3], [4, 2], [1, 3], []])
      expectRefused(
        "gaussianNll",
        () => losses.gaussianNll(x, x, zeros(shape)),
        ShapeError,
        `prediction [4, 3] and variance [${shape.join(", ")}] do not fit`,
      );
    expectRefused(
      "gaussianNll",
      () => losses.gaussianNll(x, x, 1 as never),
      ValueError,
      "the variance is a tensor",
    );
  });

  test("is least where the variance is the squared error", () => {
    const variance = tensor([4]);
    const loss = losses.gaussianNll(tensor([3]), tensor([1]), variance);
    expect(grad(loss, [variance])[0].item()).toBe(0);
  });
});

describe("klDiv", () => {
  test("is 0 between equal distributions, and finite where the target is 0", () => {
    const p = tensor([[0.25, 0.75, 0]]);
    const logs = tensor([[Math.log(0.25), Math.log(0.75), -20]]);
    expect(losses.klDiv(logs, p, { reduction: "batchMean" }).item()).toBeCloseTo(0, 6);
    const prediction = tensor([[-1, -1, -2]]);
    const loss = losses.klDiv(prediction, p, { reduction: "sum" });
    expect(grad(loss, [prediction])[0].toArray()).toEqual([[-0.25, -0.75, -0]]);
  });

  test("batchMean needs an axis, and is named among the reductions", () => {
    const scalar: Tensor = zeros([]);
    expectRefused(
      "klDiv",
      () => losses.klDiv(scalar, scalar, { reduction: "batchMean" }),
      ShapeError,
      "without axes",
    );
    expectRefused(
      "klDiv",
      () => losses.klDiv(row, row, { reduction: "batch" as "sum" }),
      ValueError,
      "none and batchMean",
    );
  });
});

describe("options of classes and weights", () => {
  const logits = zeros([2, 3]) as Tensor;
  const classes = tensor([0, 2], { dtype: "int32" });

  test("weights that do not fit are refused with both shapes", () => {
    expect(() => losses.crossEntropy(logits, classes, { weight: zeros([2]) as Tensor })).toThrow(
      "crossEntropy: weight [2] for 3 classes; it needs shape [3]",
    );
    expect(() => losses.bce(logits, logits, { weight: zeros([2]) as Tensor })).toThrow(
      "bce: weights [2] do not stretch to [2, 3]",
    );
    expect(() => losses.bceWithLogits(logits, logits, { posWeight: zeros([2, 2, 3]) as Tensor })).toThrow(
      ShapeError,
    );
  });

  test("weights that are no tensor, and a class to ignore that is no number, are refused", () => {
    const list = [1, 2, 3] as never;
    for (const name of ofClasses)
      expectRefused(
        name,
        () => all[name]!(logits, classes, { weight: list }),
        ValueError,
        "weight is a tensor [3], got 1,2,3",
      );
    for (const name of ["bce", "bceWithLogits"])
      expectRefused(name, () => call(name, row, row, { weight: list }), ValueError, "weights are a tensor");
    expect(() => losses.nll(logits, classes, { ignoreIndex: "1" as never })).toThrow(
      "nll: ignoreIndex is a whole number, got 1",
    );
  });

  test("smoothing is a share, and probabilities have no class to ignore", () => {
    expect(() => losses.crossEntropy(logits, classes, { labelSmoothing: 1.5 })).toThrow(ValueError);
    expect(() => losses.crossEntropy(logits, logits, { ignoreIndex: 1 })).toThrow(
      "ignoreIndex is for classes, and the target has probabilities",
    );
  });

  test("a class that is out of range is refused unless it is the one to ignore", () => {
    const target = tensor([0, -100], { dtype: "int32" });
    const weight = zeros([3]) as Tensor;
    for (const name of ofClasses)
      for (const options of [{}, { weight }])
        expectRefused(
          name,
          () => all[name]!(logits, target, options).item(),
          IndexError,
          "index -100 is outside axis",
        );
    expect(losses.crossEntropy(logits, target, { ignoreIndex: -100 }).item()).toBeCloseTo(Math.log(3), 6);
  });

  test("places that are ignored count for nothing, whatever stands there", () => {
    const scores = tensor([
      [
        [1, NaN],
        [2, Infinity],
      ],
    ]);
    const target = tensor([[1, -100]], { dtype: "int32" });
    const x = variable(scores);
    for (const options of [{}, { weight: tensor([2, 3]) as Tensor }, { labelSmoothing: 0.5 }]) {
      const loss = losses.crossEntropy(x, target, { ignoreIndex: -100, ...options });
      expect(loss.item()).toBeCloseTo("labelSmoothing" in options ? 0.5633 : 0.3133, 4);
    }
    expect(losses.crossEntropy(zeros([0, 3, 2]), zeros([0, 2], { dtype: "int32" })).item()).toBeNaN();
    expect(
      losses.nll(zeros([2, 3, 0]), zeros([2, 0], { dtype: "int32" }), { reduction: "none" }).shape,
    ).toEqual([2, 0]);
  });

  test("where all classes are ignored there is no mean, and no gradient but 0 in the sum", () => {
    expect(losses.crossEntropy(logits, classes.mul(0), { ignoreIndex: 0 }).item()).toBeNaN();
    const x = variable([[1, 2, 3]]);
    const [g] = grad(
      losses.crossEntropy(x, tensor([0], { dtype: "int32" }), { ignoreIndex: 0, reduction: "sum" }),
      [x],
    );
    expect(g!.toArray()).toEqual([[0, 0, 0]]);
  });
});

test.each(Object.keys(all))("%s refuses options that it has not", (name) => {
  const attempt = () => all[name]!(...callOf(name), { reductoin: "sum" });
  expect(attempt).toThrow(ValueError);
  expect(attempt).toThrow(new RegExp(`^${name}: there is no option reductoin; the options are reduction`));
});

/** Operands that fit. */
function callOf(name: string): unknown[] {
  const classes = tensor([0, 1, 2, 0], { dtype: "int32" });
  const rows = zeros([4, 3]);
  if (ofClasses.includes(name)) return [rows, classes];
  if (name === "ctc") return [zeros([4, 1, 3]), tensor([[1]], { dtype: "int32" }), [4], [1]];
  if (name === "infoNCE") return [rows, rows];
  if (name === "tripletMargin") return [rows, rows, rows];
  if (name === "cosineEmbedding") return [rows, rows, row.add(1)];
  return name === "gaussianNll" || name === "marginRanking" ? [row, row, row.add(1)] : [row, row];
}
