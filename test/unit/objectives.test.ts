import {
  compile,
  DTypeError,
  full,
  Generator,
  grad,
  logSoftmax,
  normal,
  ShapeError,
  type Tensor,
  tensor,
  ValueError,
  zeros,
} from "@cotangent/autograd";
import {
  cosineEmbedding,
  crossEntropy,
  ctc,
  focal,
  infoNCE,
  marginRanking,
  multiMargin,
  poissonNll,
  quantile,
  tripletMargin,
} from "@cotangent/nn/loss";
import { describe, expect, test } from "vitest";

const draw = (...shape: number[]): Tensor => normal(shape, { generator: new Generator(9) }) as Tensor;
const int32 = (data: number[] | number[][]): Tensor => tensor(data, { dtype: "int32" }) as Tensor;

describe("ctc", () => {
  const scores = logSoftmax(draw(4, 2, 3)) as Tensor;
  const targets = int32([
    [1, 2],
    [2, 0],
  ]);

  /** The sum over all ways to spell `target` in so many steps, by trying every sequence of classes. */
  function byTrial(x: number[][], target: readonly number[]): number {
    let total = 0;
    const classes = x[0]!.length;
    for (let code = 0; code < classes ** x.length; code++) {
      const path = x.map((_, t) => Math.floor(code / classes ** t) % classes);
      const spelled = path.filter((symbol, t) => symbol !== path[t - 1]).filter((symbol) => symbol !== 0);
      if (spelled.join() === target.join())
        total += Math.exp(path.reduce((sum, symbol, t) => sum + x[t]![symbol]!, 0));
    }
    return -Math.log(total);
  }

  test("is the sum over all ways to stretch the target", () => {
    const losses = ctc(scores, targets, [4, 3], [2, 1], { reduction: "none" }).toTypedArray();
    const example = (i: number, steps: number) =>
      (scores.toArray() as number[][][]).slice(0, steps).map((rows) => rows[i]!);
    expect(losses[0]).toBeCloseTo(byTrial(example(0, 4), [1, 2]), 5);
    expect(losses[1]).toBeCloseTo(byTrial(example(1, 3), [2]), 5);
  });

  test("is infinite, or 0 if asked for, where the input is too short, and the gradient is never NaN", () => {
    const short = int32([
      [1, 1],
      [1, 2],
    ]);
    const losses = ctc(scores, short, [2, 2], [2, 2], { reduction: "none" });
    expect(losses.toTypedArray()[0]).toBe(Number.POSITIVE_INFINITY);
    const zeroed = ctc(scores, short, [2, 2], [2, 2], { reduction: "none", zeroInfinity: true });
    expect(zeroed.toTypedArray()[0]).toBe(0);
    const [g] = grad(zeroed.sum(), [scores]);
    expect([...g.toTypedArray()].every(Number.isFinite)).toBe(true);
  });

  test("of no steps is 0 for an empty target, infinite for any other", () => {
    const x = zeros([2, 3, 2]) as Tensor;
    const losses = ctc(x, int32([[1], [1], [1]]), [0, 0, 1], [0, 1, 1], { reduction: "none" });
    expect([...losses.toTypedArray()]).toEqual([0, Number.POSITIVE_INFINITY, 0]);
  });

  test("of targets without places is the probability of blanks", () => {
    const all = ctc(scores, zeros([2, 0], { dtype: "int32" }), [4, 2], [0, 0], { reduction: "none" });
    const blanks = (scores.toArray() as number[][][]).map((rows) => rows.map(([blank]) => -blank!));
    expect(all.toArray()).toEqual([
      expect.closeTo(
        blanks.reduce((sum, [first]) => sum + first!, 0),
        5,
      ),
      expect.closeTo(blanks[0]![1]! + blanks[1]![1]!, 5),
    ]);
    const [g] = grad(all.sum(), [scores]);
    expect(g.slice(1, 2, { axis: 1 }).squeeze(1).toArray()).toEqual([
      [-1, 0, 0],
      [-1, 0, 0],
      [0, 0, 0],
      [0, 0, 0],
    ]);
  });

  test("is the same compiled, with lengths that are arguments", () => {
    const step = compile((x: Tensor, y: Tensor, steps: Tensor, sizes: Tensor) => ctc(x, y, steps, sizes));
    for (const steps of [
      [4, 4],
      [3, 2],
    ])
      expect(step(scores, targets, int32(steps), int32([2, 1])).item()).toBe(
        ctc(scores, targets, steps, [2, 1]).item(),
      );
  });

  test("refuses what does not fit", () => {
    expect(() => ctc(scores, int32([1, 2]), [4, 4], [2, 2])).toThrow(ShapeError);
    expect(() => ctc(scores, targets.cast("float32") as Tensor, [4, 4], [2, 2])).toThrow(DTypeError);
    expect(() => ctc(scores, targets, [4], [2, 2])).toThrow(
      "inputLengths have shape [1]; there are 2 examples",
    );
    expect(() => ctc(scores, targets, [4, 5], [2, 2])).toThrow(
      "one of the inputLengths is 5; there are 4 places",
    );
    expect(() => ctc(scores, targets, undefined as never, [2, 2])).toThrow(
      "ctc: inputLengths are a list of whole numbers or a tensor, got undefined",
    );
    expect(() => ctc(scores, targets, [4, 4], [2, 2], { blank: 3 })).toThrow(
      "blank is one of the classes 0 ... 2",
    );
    expect(() =>
      ctc(
        scores,
        int32([
          [7, 7],
          [1, 1],
        ]),
        [4, 4],
        [2, 2],
      ).item(),
    ).toThrow("ctc: index 7 is outside axis 1 of size 3");
  });
});

describe("losses of several things", () => {
  const [a, b] = [draw(3, 4), draw(2, 3, 4).slice(1, 2).squeeze(0)] as [Tensor, Tensor];

  test("infoNCE is the cross entropy of finding one's own key", () => {
    const unit = (x: Tensor) => x.div(x.square().sum(1, { keepDims: true }).sqrt()) as Tensor;
    const scores = unit(a).matmul(unit(b).transpose()).div(0.2) as Tensor;
    const expected = crossEntropy(scores, int32([0, 1, 2])).item();
    expect(infoNCE(a, b, { temperature: 0.2 }).item()).toBeCloseTo(expected, 5);
  });

  test("a vector of length 0 has no NaN in the gradient", () => {
    const nothing = zeros([3, 4]) as Tensor;
    for (const loss of [infoNCE(nothing, b), cosineEmbedding(nothing, b, tensor([1, -1, 1]) as Tensor)])
      expect([...grad(loss, [nothing])[0].toTypedArray()].some(Number.isNaN)).toBe(false);
  });

  test("refuse what does not fit", () => {
    const y = tensor([1, -1, 1]) as Tensor;
    expect(() => marginRanking(a, b, y)).toThrow(ShapeError);
    expect(() => cosineEmbedding(a, b, tensor([1]) as Tensor)).toThrow(
      "takes vectors [n, d] and targets [n]",
    );
    expect(() => tripletMargin(a, b, y)).toThrow(ShapeError);
    expect(() => tripletMargin(a, b, a, { margin: Number.NaN })).toThrow("margin is a finite number");
    expect(() => infoNCE(a, b, { temperature: 0 })).toThrow("temperature is a finite number above 0");
    expect(() => infoNCE(a, b, { negatives: draw(2, 3) })).toThrow(ShapeError);
    expect(() => multiMargin(a, y)).toThrow(DTypeError);
    expect(() => multiMargin(a, int32([0, 1, 2]), { p: 3 as never })).toThrow("p is 1 or 2");
    expect(() => multiMargin(a, int32([0, 1, 2]), { weight: y })).toThrow("it needs shape [4]");
    expect(() => focal(a, b, { alpha: 2 })).toThrow("alpha is a share from 0 to 1");
    expect(() => focal(a, b, { gamma: -1 })).toThrow(ValueError);
    expect(() => quantile(a, b, { q: 2 })).toThrow("q is a share from 0 to 1");
    expect(() => poissonNll(a, b, { eps: 0 })).toThrow("eps is a finite number above 0");
  });

  test("focal with gamma 0 and no balance, and quantile of the median, are losses that are there already", () => {
    const y = full([3, 4], 1) as Tensor;
    expect(focal(a, y, { alpha: null, gamma: 0 }).item()).toBeCloseTo(a.neg().exp().log1p().mean().item(), 5);
    expect(quantile(a, b).item()).toBeCloseTo(a.sub(b).abs().mean().item() / 2, 6);
  });
});
