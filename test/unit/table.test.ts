import {
  allclose,
  arange,
  CompileError,
  compile,
  cov,
  cumsum,
  diff,
  grad,
  isclose,
  logit,
  nansum,
  normal,
  ones,
  randint,
  repeat,
  ShapeError,
  sigmoid,
  slice,
  type Tensor,
  tensor,
  tile,
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
