import {
  grad,
  interpolate,
  ones,
  pixelShuffle,
  pixelUnshuffle,
  ShapeError,
  type Tensor,
  topology,
  uniform,
  ValueError,
} from "@cotangent/autograd";
import { PixelShuffle, ReflectionPad2d, Sequential, Upsample, ZeroPad2d } from "@cotangent/nn";
import { describe, expect, test } from "vitest";

describe("resampling refuses", () => {
  const x = ones([1, 4, 6, 6]);

  test.each<[string, () => Tensor, new (...args: never[]) => Error, string]>([
    [
      "a mode for other axes",
      () => interpolate(x, { size: 3, mode: "linear" }),
      ShapeError,
      'interpolate: mode "linear" is for 1 spatial axes behind [batch, channels], got 2',
    ],
    [
      "an unknown mode",
      () => interpolate(x, { size: 3, mode: "cubic" as "bicubic" }),
      ValueError,
      'interpolate: unknown mode "cubic"; there are nearest, linear, bilinear, trilinear, bicubic, area',
    ],
    [
      "corners of what has none",
      () => interpolate(x, { size: 3, alignCorners: true }),
      ValueError,
      'interpolate: alignCorners goes with linear and cubic modes, not with "nearest"',
    ],
    ["neither size nor factor", () => interpolate(x, {}), ValueError, "takes either size or scaleFactor"],
    [
      "a factor of 0",
      () => interpolate(x, { scaleFactor: [1, 0] }),
      ValueError,
      "interpolate: scaleFactor is 1,0; give a positive number, or one for each of the 2 spatial axes",
    ],
    [
      "a factor that leaves nothing",
      () => interpolate(x, { scaleFactor: 0.1 }),
      ShapeError,
      "interpolate: spatial axis 0 goes from 6 to 0 entries; both need at least one",
    ],
    [
      "channels that do not go around",
      () => pixelShuffle(x, 3),
      ShapeError,
      "pixelShuffle: 4 channels of [1, 4, 6, 6] are no multiple of 9, the square of the factor",
    ],
    [
      "a height that does not go around",
      () => pixelUnshuffle(x, 4),
      ShapeError,
      "pixelUnshuffle: height and width of [1, 4, 6, 6] are no multiples of the factor 4",
    ],
    [
      "a fraction of a factor",
      () => pixelShuffle(x, 1.5),
      ValueError,
      "pixelShuffle: the factor is a whole number of at least 1, got 1.5",
    ],
    [
      "too few widths",
      () => new ZeroPad2d([1, 1]).forward(x),
      ValueError,
      "ZeroPad2d: padding is 1,1; give one width, or 4: before and behind each axis, the last one first",
    ],
    [
      "too few axes",
      () => new ReflectionPad2d(1).forward(ones([4, 4])),
      ShapeError,
      "ReflectionPad2d: takes channels and 2 spatial axes, with or without a batch, got shape [4, 4]",
    ],
  ])("%s", (_, call, kind, message) => {
    expect(call).toThrow(kind);
    expect(call).toThrow(message);
  });
});

test("pixelUnshuffle undoes pixelShuffle", () => {
  const x = uniform([2, 12, 3, 2]);
  expect(pixelUnshuffle(pixelShuffle(x, 2), 2).toArray()).toEqual(x.toArray());
});

test("a whole factor repeats entries and needs no index, nor does its gradient", () => {
  const x = ones([1, 2, 3, 3]);
  const y = interpolate(x, { scaleFactor: [2, 3] });
  const [dx] = grad(y, [x], { cotangent: ones(y.shape) });
  const kinds = topology([y, dx]).nodes.map(({ op }) => op.kernel.kind);
  expect(kinds).not.toContain("gather");
  expect(kinds).not.toContain("scatter");
  expect(dx.toArray()).toEqual(ones([1, 2, 3, 3]).mul(6).toArray());
});

test("layers print what they were given", () => {
  const model = new Sequential(
    new Upsample({ size: [8, 8], mode: "bicubic", alignCorners: true }),
    new PixelShuffle(2),
    new ZeroPad2d([1, 2, 0, 0]),
  );
  expect(String(model)).toBe(
    [
      "Sequential(",
      "  (0): Upsample(size=[8, 8], mode=bicubic, alignCorners=true)",
      "  (1): PixelShuffle(factor=2)",
      "  (2): ZeroPad2d(padding=[1, 2, 0, 0])",
      ")",
    ].join("\n"),
  );
});
