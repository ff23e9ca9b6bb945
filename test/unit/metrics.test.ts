import { IndexError, ShapeError, type Tensor, tensor, ValueError, zeros } from "@cotangent/autograd";
import {
  accuracy,
  confusionMatrix,
  f1Score,
  precision,
  r2Score,
  recall,
  rocAuc,
} from "@cotangent/nn/metrics";
import fc from "fast-check";
import { describe, expect, test } from "vitest";

const int = (data: number[]): Tensor => tensor(data, { dtype: "int32" });
/** Scores whose largest is at the given classes. */
const scores = (predicted: readonly number[], classes: number): Tensor =>
  tensor(predicted.map((p) => Array.from({ length: classes }, (_, c) => (c === p ? 2 : c / 10))));

const classes = fc.integer({ min: 2, max: 5 }).chain((count) =>
  fc.record({
    count: fc.constant(count),
    pairs: fc.array(fc.tuple(fc.nat({ max: count - 1 }), fc.nat({ max: count - 1 })), {
      minLength: 1,
      maxLength: 30,
    }),
  }),
);

describe("metrics of classes", () => {
  test("count what is right", () => {
    fc.assert(
      fc.property(classes, ({ count, pairs }) => {
        const [predicted, actual] = [pairs.map(([p]) => p), pairs.map(([, a]) => a)];
        const right = pairs.filter(([p, a]) => p === a).length / pairs.length;
        expect(accuracy(scores(predicted, count), int(actual))).toBe(right);
        expect(accuracy(int(predicted), int(actual))).toBe(right);
        const matrix = confusionMatrix(scores(predicted, count), int(actual)).toArray() as number[][];
        matrix.forEach((row, a) => {
          row.forEach((n, p) => {
            expect(n).toBe(pairs.filter((pair) => pair[0] === p && pair[1] === a).length);
          });
        });
      }),
    );
  });

  test("are the ratios of their definitions", () => {
    fc.assert(
      fc.property(classes, ({ count, pairs }) => {
        const given = [
          scores(
            pairs.map(([p]) => p),
            count,
          ),
          int(pairs.map(([, a]) => a)),
        ] as const;
        const of = (c: number) => {
          const hits = pairs.filter(([p, a]) => p === c && a === c).length;
          const [all, actual] = [
            pairs.filter(([p]) => p === c).length,
            pairs.filter(([, a]) => a === c).length,
          ];
          const [precision, recall] = [all ? hits / all : 0, actual ? hits / actual : 0];
          const f1 = hits ? (2 * precision * recall) / (precision + recall) : 0;
          return { precision, recall, f1, actual };
        };
        const all = Array.from({ length: count }, (_, c) => of(c));
        const mean = (key: "precision" | "recall" | "f1") => all.reduce((sum, c) => sum + c[key], 0) / count;
        const weighted = all.reduce((sum, c) => sum + c.f1 * c.actual, 0) / pairs.length;
        expect(precision(...given, { average: "macro" })).toBeCloseTo(mean("precision"), 12);
        expect(recall(...given, { average: "macro" })).toBeCloseTo(mean("recall"), 12);
        expect(f1Score(...given, { average: "macro" })).toBeCloseTo(mean("f1"), 12);
        expect(f1Score(...given, { average: "weighted" })).toBeCloseTo(weighted, 12);
        expect(precision(...given, { average: "micro" })).toBeCloseTo(accuracy(...given), 12);
        if (count === 2) expect(f1Score(...given)).toBeCloseTo(all[1]!.f1, 12);
        else expect(f1Score(...given)).toBeCloseTo(mean("f1"), 12);
      }),
    );
  });

  test("read scores and targets of every form", () => {
    const target = tensor([[0], [1], [1]]);
    expect(accuracy(tensor([[-3], [2], [-1]]), target, { threshold: 0 })).toBeCloseTo(2 / 3);
    expect(accuracy(tensor([0.5, 0.6]), tensor([false, true]))).toBe(1);
    expect(
      accuracy(
        tensor([
          [0.2, 0.8],
          [0.9, 0.1],
        ]),
        tensor([
          [0, 1],
          [0, 1],
        ]),
      ),
    ).toBe(0.5);
    // Scores along axis 1, as crossEntropy takes them.
    expect(
      accuracy(
        tensor([
          [
            [1, 5],
            [2, 4],
          ],
        ]),
        tensor([[1, 0]], { dtype: "int32" }),
      ),
    ).toBe(1);
    expect(accuracy(tensor([[1, 1, 1]]), int([0]))).toBe(1);
    expect(accuracy(zeros([0, 3]), int([]))).toBeNaN();
    expect(confusionMatrix(int([0]), int([0]), { classes: 3 }).shape).toEqual([3, 3]);
  });

  test("refuse what does not fit", () => {
    expect(() => accuracy(zeros([3, 2]), int([0, 1]))).toThrow(
      "accuracy: prediction [3, 2] and target [2] do not fit",
    );
    expect(() => accuracy(zeros([3]), zeros([3, 1]))).toThrow(ShapeError);
    expect(() => accuracy(zeros([1, 2]), tensor([0.5]))).toThrow(
      "accuracy: target 0 is 0.5; classes are 0, 1, 2",
    );
    expect(() => confusionMatrix(zeros([1, 2]), int([2]), { classes: 2 })).toThrow(
      "classes is 2, and there is a class 2",
    );
    expect(() => confusionMatrix(int([-1]), int([0]))).toThrow(IndexError);
    expect(() => precision(zeros([1, 3]), int([0]), { average: "binary" })).toThrow(ValueError);
    expect(() => recall(int([0]), int([0]), { average: "mean" as "macro" })).toThrow(
      'average is "binary", "macro"',
    );
  });
});

describe("rocAuc", () => {
  test("is how often a positive example is above a negative one", () => {
    const pairs = fc.array(fc.tuple(fc.nat({ max: 6 }), fc.nat({ max: 1 })), { minLength: 2, maxLength: 30 });
    fc.assert(
      fc.property(pairs, (list) => {
        const [ones, zeros] = [1, 0].map((y) => list.filter((pair) => pair[1] === y).map(([score]) => score));
        fc.pre(ones!.length > 0 && zeros!.length > 0);
        const above = ones!.flatMap((a) => zeros!.map((b) => (a > b ? 1 : a === b ? 0.5 : 0) as number));
        const expected = above.reduce((sum, x) => sum + x, 0) / above.length;
        expect(rocAuc(tensor(list.map(([score]) => score)), int(list.map(([, y]) => y)))).toBeCloseTo(
          expected,
          12,
        );
      }),
    );
  });

  test("refuses what has none", () => {
    expect(() => rocAuc(tensor([1, 2]), tensor([1, 1]))).toThrow(
      "all 2 targets are 1; both classes are needed",
    );
    expect(() => rocAuc(tensor([1, Number.NaN]), tensor([0, 1]))).toThrow("NaN among the scores");
    expect(() => rocAuc(tensor([1, 2]), tensor([0, 2]))).toThrow(ValueError);
    expect(() => rocAuc(tensor([1, 2]), tensor([[0], [1]]))).toThrow(ShapeError);
  });
});

test("r2Score is 1 for what is exact, 0 for the mean, and the mean over columns", () => {
  const target = tensor([
    [1, 5],
    [2, 5],
    [6, 5],
  ]);
  expect(r2Score(target, target)).toBe(1);
  expect(r2Score(tensor([3, 3, 3]), tensor([1, 2, 6]))).toBe(0);
  expect(
    r2Score(
      tensor([
        [1, 5],
        [2, 5],
        [6, 4],
      ]),
      target,
    ),
  ).toBe(0.5);
  // Errors 0.5, -0.5, 0, -1 squared over the squares around the mean 2.875.
  expect(r2Score(tensor([2.5, 0, 2, 8]), tensor([3, -0.5, 2, 7]))).toBeCloseTo(1 - 1.5 / 29.1875, 12);
  expect(() => r2Score(zeros([0]), zeros([0]))).toThrow(ShapeError);
  expect(() => r2Score(zeros([2]), zeros([2, 1]))).toThrow("differ in shape");
});
