import {
  allclose,
  amax,
  amin,
  aminmax,
  arange,
  CompileError,
  compile,
  corrcoef,
  cov,
  cumsum,
  DTypeError,
  diff,
  full,
  grad,
  isclose,
  logit,
  mean,
  nanmean,
  nansum,
  norm,
  normal,
  normalize,
  ones,
  randint,
  repeat,
  rot90,
  ShapeError,
  sigmoid,
  slice,
  std,
  type Tensor,
  tensor,
  tile,
  trapezoid,
  uniform,
  ValueError,
  variance,
} from "@cotangent/autograd";
import { describe, expect, test } from "vitest";

const table = (): Tensor => randint(-9, 9, [3, 4]);

describe("functions of tables", () => {
  test("diff takes back what cumsum does, any number of times", () => {
    const x = table();
    for (const axis of [0, -1]) {
      const rest = slice(x, 1, null, { axis });
      expect(diff(cumsum(x, axis), axis).toArray()).toEqual(rest.toArray());
      const twice = cumsum(cumsum(x, axis), axis);
      expect(diff(twice, axis, { n: 2 }).toArray()).toEqual(slice(x, 2, null, { axis }).toArray());
    }
    expect(diff(x, 0, { n: 9 }).shape).toEqual([0, 4]);
    for (const n of [-1, 0.5]) expect(() => diff(x, 0, { n })).toThrow(ValueError);
  });

  test("tile is repeat with ones for the axes that are not named", () => {
    const x = table();
    expect(tile(x, [2]).toArray()).toEqual(repeat(x, [1, 2]).toArray());
    expect(tile(x, []).toArray()).toEqual(x.toArray());
    expect(tile(x, [2, 1, 3]).toArray()).toEqual(repeat(x, [2, 1, 3]).toArray());
  });

  test("nansum is the sum of the rest, and the gradient at NaN is 0", () => {
    const x = tensor([
      [1, Number.NaN],
      [Number.NaN, Number.NaN],
    ]); // prettier-ignore
    expect(nansum(x, 1).toArray()).toEqual([1, 0]);
    expect(grad(nansum(x), [x])[0].toArray()).toEqual([
      [1, 0],
      [0, 0],
    ]); // prettier-ignore
    expect(nansum(table().mul(0).add(2), 0, { keepDims: true }).toArray()).toEqual([[6, 6, 6, 6]]);
  });

  test("cov has the variances on its diagonal, and is one for a vector", () => {
    const x = normal([3, 6], { dtype: "float64" });
    for (const correction of [0, 1]) {
      const found = cov(x, { correction });
      const alone = variance(x, 1, { correction });
      expect(allclose(found.diagonal(), alone)).toBe(true);
      expect(allclose(found, found.transpose(), { rtol: 1e-12 })).toBe(true);
      expect(allclose(cov(x.at(0), { correction }), alone.at(0))).toBe(true);
    }
    expect(() => cov(ones([2, 2, 2]))).toThrow(ShapeError);
    expect(() => cov(ones([]))).toThrow(ShapeError);
    expect(() => cov(x, { correction: Number.NaN })).toThrow(ValueError);
  });

  test("nanmean is the mean of the rest", () => {
    const x = tensor([
      [1, Number.NaN, 4],
      [Number.NaN, Number.NaN, Number.NaN],
    ]); // prettier-ignore
    expect(nanmean(x, 1).toArray()).toEqual([2.5, Number.NaN]);
    expect(nanmean(x).item()).toBe(2.5);
    expect(grad(nanmean(x, 1).at(0), [x])[0].at(0).toArray()).toEqual([0.5, 0, 0.5]);
    const all = table();
    expect(nanmean(all, 0).toArray()).toEqual(mean(all, 0).toArray());
    expect(nanmean(ones([0])).item()).toBeNaN();
  });

  test("aminmax has what amin and amax have", () => {
    const x = normal([2, 3, 2]);
    for (const axis of [undefined, 0, -1, [0, 2]]) {
      const { min, max } = aminmax(x, axis, { keepDims: true });
      expect(min.toArray()).toEqual(amin(x, axis, { keepDims: true }).toArray());
      expect(max.toArray()).toEqual(amax(x, axis, { keepDims: true }).toArray());
    }
    expect(() => aminmax(ones([0]))).toThrow("aminmax: there is no aminmax of nothing");
    expect(() => aminmax(ones([2]).gt(0))).toThrow(DTypeError);
  });

  test("rot90 turns by quarters, and four are a whole turn", () => {
    const x = table();
    for (const axes of [
      [0, 1],
      [-1, 0],
    ] as const) {
      const once = rot90(x, { axes });
      expect(once.toArray()).not.toEqual(x.toArray());
      expect(rot90(once, { k: 3, axes }).toArray()).toEqual(x.toArray());
      expect(rot90(once, { axes: [axes[1], axes[0]] }).toArray()).toEqual(x.toArray());
      expect(rot90(x, { k: -3, axes }).toArray()).toEqual(once.toArray());
    }
    expect(rot90(x, { k: 4 }).toArray()).toEqual(x.toArray());
    for (const axes of [[0, -2], [0, 1, 1], [0], 1] as const)
      expect(() => rot90(x, { axes: axes as never })).toThrow("are no plane");
    expect(() => rot90(x, { k: 0.5 })).toThrow(ValueError);
    expect(() => rot90(ones([2]))).toThrow(ShapeError);
  });

  test("trapezoid is exact for lines, whatever the places", () => {
    const x = cumsum(uniform([6], { low: 0.1, dtype: "float64" }));
    const lines = x.mul(tensor([[2], [-3]], { dtype: "float64" })).add(1);
    const [low, high] = [x.at(0), x.at(-1)];
    const integral = (slope: number) =>
      high
        .square()
        .sub(low.square())
        .mul(slope / 2)
        .add(high.sub(low))
        .item();
    const found = trapezoid(lines, { x });
    for (const [i, slope] of [2, -3].entries()) expect(found.at(i).item()).toBeCloseTo(integral(slope), 10);
    expect(allclose(trapezoid(lines.transpose(), { x, axis: 0 }), found)).toBe(true);
    expect(allclose(trapezoid(lines.transpose(), { x: x.unsqueeze(1), axis: -2 }), found)).toBe(true);
    expect(trapezoid(ones([2, 0])).toArray()).toEqual([0, 0]);
    expect(trapezoid(tensor([1, 2, 4], { dtype: "int32" }), { dx: 0.5 }).item()).toBe(2.25);
  });

  test("trapezoid refuses places that do not fit", () => {
    for (const shape of [[2], [1], [], [1, 1, 3]])
      expect(() => trapezoid(ones([2, 3]), { x: ones(shape) })).toThrow(ShapeError);
    expect(() => trapezoid(ones([2, 3]), { x: ones([2, 1]) })).toThrow(
      "trapezoid: x [2, 1] along axis -1 of shape [2, 3]",
    );
    expect(() => trapezoid(ones([3]), { x: ones([3]), dx: 1 })).toThrow("takes x or dx");
    expect(() => trapezoid(ones([3]), { x: [0, 1, 2] as never })).toThrow("trapezoid: x: takes a tensor");
    for (const dx of [Number.NaN, "1" as never])
      expect(() => trapezoid(ones([3]), { dx })).toThrow("trapezoid: dx is");
  });

  test("corrcoef is cov of rows in units of their deviation, between -1 and 1", () => {
    const x = normal([3, 6], { dtype: "float64" });
    const units = x.div(std(x, 1, { keepDims: true }));
    expect(allclose(corrcoef(x), cov(units), { rtol: 1e-12 })).toBe(true);
    expect(corrcoef(x.at(0)).item()).toBe(1);
    const lines = tensor([0.1, 0.7, -1.3])
      .reshape([3, 1])
      .mul(normal([1, 50]));
    expect(corrcoef(lines).abs().max().item()).toBeLessThanOrEqual(1);
    const flat = tensor([
      [1, 1, 1],
      [1, 2, 3],
    ]);
    expect(corrcoef(flat).toArray()).toEqual([
      [Number.NaN, Number.NaN],
      [Number.NaN, 1],
    ]);
    expect(() => corrcoef(ones([2, 2, 2]))).toThrow("corrcoef: takes a vector or a matrix");
  });

  test("normalize gives vectors of length 1, but for those below eps", () => {
    const x = normal([4, 3, 2], { dtype: "float64" });
    for (const p of [1, 2, 3.5, Infinity])
      for (const axis of [0, 1, -1]) {
        const sizes = norm(normalize(x, { p, axis }), axis, { p });
        expect(allclose(sizes, 1, { rtol: 1e-12 })).toBe(true);
      }
    expect(normalize(tensor([[3, 4]])).toArray()).toEqual(
      normalize(tensor([[3, 4]]), { axis: -1 }).toArray(),
    );
    expect(
      normalize(
        tensor([
          [3e30, 4e30],
          [0, 0],
        ]),
      )
        .at(1)
        .toArray(),
    ).toEqual([0, 0]);
    expect(
      normalize(tensor([[3e30, 4e30]]))
        .at(0, 0)
        .item(),
    ).toBeCloseTo(0.6, 6);
    expect(
      normalize(tensor([[3, 4]]), { eps: 10 })
        .at(0, 1)
        .item(),
    ).toBeCloseTo(0.4, 6);
    expect(() => normalize(ones([2]))).toThrow("normalize: axis 1 of shape [2]");
    for (const wrong of [{ p: Number.NaN }, { p: "2" as never }, { eps: -1 }])
      expect(() => normalize(x, wrong)).toThrow(/^normalize: (p|eps) is/);
  });
});

describe("closeness", () => {
  test("is measured by the second operand", () => {
    expect(isclose(tensor([100, 110]), 100, { rtol: 0.1, atol: 0 }).toArray()).toEqual([true, true]);
    expect(isclose(tensor([99, 100]), 110, { rtol: 0.1, atol: 0 }).toArray()).toEqual([true, true]);
    expect(isclose(tensor([110]), 99, { rtol: 0.1, atol: 0 }).toArray()).toEqual([false]);
    for (const wrong of [{ rtol: -1 }, { atol: Number.NaN }])
      expect(() => isclose(ones([1]), 1, wrong)).toThrow(ValueError);
  });

  test("of integers does not overflow, and of bool is equality", () => {
    const [low, high] = [tensor([-(2 ** 31)], { dtype: "int32" }), tensor([2 ** 31 - 1], { dtype: "int32" })];
    expect(allclose(low, high)).toBe(false);
    expect(isclose(tensor([true, false]), tensor([true, true])).toArray()).toEqual([true, false]);
  });

  test("of all elements is a boolean, which is computed", () => {
    const x = normal([2, 3]);
    expect(allclose(x, x.add(0))).toBe(true);
    expect(allclose(x, x.add(arange(3)))).toBe(false);
    expect(allclose(ones([0]), ones([0]))).toBe(true);
    expect(() => compile((y: Tensor) => (allclose(y, 1) ? y : y.neg()))(x)).toThrow(CompileError);
    const one = compile((y: Tensor) => isclose(y, 1).all());
    expect(one(ones([2])).item()).toBe(1);
  });
});

test("logit keeps its digits in the middle and at both ends", () => {
  const x = tensor([0.5 + 2 ** -20, 0.5 - 2 ** -20, 1e-30, 1 - 2 ** -24, 0.25, 0.75], { dtype: "float64" });
  const middle = 2 * Math.atanh(2 ** -19);
  const exact = [middle, -middle, Math.log(1e-30), Math.log(2 ** 24 - 1), -Math.log(3), Math.log(3)];
  expect(allclose(logit(x), tensor(exact, { dtype: "float64" }), { rtol: 1e-12, atol: 0 })).toBe(true);
  expect(allclose(logit(sigmoid(arange(-9, 9).cast("float64"))), arange(-9, 9).cast("float64"))).toBe(true);
  expect(logit(x.cast("float32")).at(0).item()).toBe(2 ** -18);
  for (const eps of [-0.1, 0.6, Number.NaN]) expect(() => logit(x, { eps })).toThrow(ValueError);
});

test("a running sum of float32 rounds once for each entry", () => {
  const sums = cumsum(full([1_000_000], 0.1));
  expect(sums.dtype).toBe("float32");
  expect(slice(sums, -1).item()).toBe(Math.fround(1_000_000 * Math.fround(0.1)));
  const x = tensor([1, 2, 3]);
  const [g] = grad(cumsum(x).sum(), [x]);
  expect([g.dtype, g.toArray()]).toEqual(["float32", [3, 2, 1]]);
});
