import { Generator, type Tensor, ValueError } from "@cotangent/autograd";
import * as data from "@cotangent/nn/data";
import { describe, expect, test } from "vitest";

const { blobs, checkerboard, circles, linear, moons, sine, spirals, xor } = data;
const toys = Object.entries({ blobs, checkerboard, circles, linear, moons, sine, spirals, xor });

const rows = (x: Tensor): number[][] => x.toArray() as number[][];
const radii = (x: Tensor): number[] => rows(x).map(([a, b]) => Math.hypot(a!, b!));

describe.each(toys)("the data of %s", (name, toy) => {
  test("have as many rows as wanted, and float32", () => {
    for (const count of [1, 2, 7]) {
      const { x, y } = toy({ count });
      expect(x.shape).toEqual([count, name === "linear" || name === "sine" ? 1 : 2]);
      expect(y.shape).toEqual(name === "blobs" ? [count] : [count, 1]);
      expect([x.dtype, y.dtype]).toEqual(["float32", name === "blobs" ? "int32" : "float32"]);
    }
  });

  test("are the same for the same seed only", () => {
    const numbers = (seed: number) => JSON.stringify(toy({ count: 9, noise: 0.2, seed }));
    expect(numbers(3)).toBe(numbers(3));
    expect(numbers(3)).not.toBe(numbers(4));
    const drawn = JSON.stringify(toy({ count: 9, noise: 0.2, generator: new Generator(3) }));
    expect(drawn).toBe(numbers(3));
  });

  test("refuse numbers that make no sense", () => {
    expect(() => toy({ count: 0 })).toThrow(ValueError);
    expect(() => toy({ count: 1.5 })).toThrow(`${name}: count is a whole number of at least 1, got 1.5`);
    expect(() => toy({ nosie: 0.1 } as never)).toThrow(
      `${name}: there is no option nosie; the options are count, `,
    );
    expect(() => toy(3 as never)).toThrow(`${name}: options are named`);
    expect(() => toy({ noise: -1 })).toThrow(`${name}: noise is a finite number of at least 0, got -1`);
    expect(() => toy({ seed: 1, generator: new Generator() })).toThrow(
      `${name}: takes a seed or a generator`,
    );
  });
});

test("xor repeats its corners", () => {
  const { x, y } = xor({ count: 6 });
  expect(x.toArray()).toEqual([
    [0, 0],
    [0, 1],
    [1, 0],
    [1, 1],
    [0, 0],
    [0, 1],
  ]);
  expect(y.toArray()).toEqual([[0], [1], [1], [0], [0], [1]]);
});

test("moons and circles without noise lie on circles", () => {
  const { x, y } = moons({ count: 21, noise: 0 });
  for (const [i, [a, b]] of rows(x).entries()) {
    const inner = rows(y)[i]![0] === 1;
    expect(inner ? Math.hypot(1 - a!, 0.5 - b!) : Math.hypot(a!, b!)).toBeCloseTo(1, 5);
  }
  for (const [i, radius] of radii(circles({ count: 9, noise: 0, factor: 0.25 }).x).entries())
    expect(radius).toBeCloseTo(i < 5 ? 1 : 0.25, 5);
  expect(() => circles({ factor: 1 })).toThrow(ValueError);
});

test("spirals grow to radius 1, and three have whole numbers as classes", () => {
  const { x, y } = spirals({ count: 12, arms: 3, noise: 0 });
  radii(x).forEach((radius, i) => {
    expect(radius).toBeCloseTo(((i % 4) + 1) / 4, 5);
  });
  expect(y.toArray()).toEqual([0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2]);
  expect(() => spirals({ arms: 0 })).toThrow("spirals: arms is a whole number");
});

test("blobs lie around their centers", () => {
  const { x, y } = blobs({
    count: 4,
    centers: [
      [1, 2],
      [-3, 4],
    ],
    noise: 0,
  });
  expect(x.toArray()).toEqual([
    [1, 2],
    [1, 2],
    [-3, 4],
    [-3, 4],
  ]);
  expect(y.toArray()).toEqual([[0], [0], [1], [1]]);
  expect(() => blobs({ centers: [] })).toThrow("blobs: the number of centers");
});

test("the checkerboard has a class on every other field", () => {
  const { x, y } = checkerboard({ count: 200, squares: 3, seed: 2 });
  for (const [i, [a, b]] of rows(x).entries())
    expect(rows(y)[i]![0]).toBe((Math.floor(3 * a!) + Math.floor(3 * b!)) % 2);
});

test("linear and sine without noise are the functions", () => {
  const line = linear({ noise: 0, slope: -2, intercept: 0.5 });
  expect(line.y.sub(line.x.mul(-2)).sub(0.5).abs().amax().item()).toBeLessThan(1e-6);
  const wave = sine({ noise: 0 });
  expect(wave.y.sub(wave.x.sin()).abs().amax().item()).toBe(0);
  expect(wave.x.abs().amax().item()).toBeGreaterThan(2.5);
});
