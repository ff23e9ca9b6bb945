import {
  affineGrid,
  allclose,
  checkGradient,
  DTypeError,
  flip,
  grad,
  gridSample,
  interpolate,
  ones,
  pad,
  pixelShuffle,
  pixelUnshuffle,
  rot90,
  ShapeError,
  slice,
  type Tensor,
  tensor,
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

describe("images where a grid says", () => {
  const image = uniform([2, 3, 4, 5], { dtype: "float64" });
  const moved = (theta: number[][], size: readonly number[] = image.shape, alignCorners = false): Tensor =>
    affineGrid(tensor([theta, theta], { dtype: "float64" }), size, { alignCorners });
  const [same, mirrored] = [
    [
      [1, 0, 0],
      [0, 1, 0],
    ],
    [
      [-1, 0, 0],
      [0, 1, 0],
    ],
  ];
  const near = (x: Tensor, y: Tensor) => expect(allclose(x, y, { rtol: 1e-12, atol: 1e-12 })).toBe(true);

  test("stay as they are, are mirrored and turned", () => {
    for (const alignCorners of [false, true])
      for (const mode of ["bilinear", "nearest"] as const) {
        near(gridSample(image, moved(same, image.shape, alignCorners), { mode, alignCorners }), image);
        near(
          gridSample(image, moved(mirrored, image.shape, alignCorners), { mode, alignCorners }),
          flip(image, -1),
        );
        const turned = moved(
          [
            [0, 1, 0],
            [-1, 0, 0],
          ],
          [2, 3, 5, 4],
          alignCorners,
        );
        near(gridSample(image, turned, { mode, alignCorners }), rot90(image, { axes: [3, 2] }));
      }
  });

  test("of other sizes are interpolated", () => {
    for (const alignCorners of [false, true])
      for (const size of [
        [7, 3],
        [1, 9],
      ]) {
        const grid = moved(same, [2, 3, ...size], alignCorners);
        const resized = gridSample(image, grid, { paddingMode: "border", alignCorners });
        // One entry is the first of an interpolated axis, and the middle of a grid.
        if (alignCorners && size[0] === 1) expect(resized.shape).toEqual([2, 3, 1, 9]);
        else near(resized, interpolate(image, { size, mode: "bilinear", alignCorners }));
      }
  });

  test("go on outside as padding does", () => {
    const step = (by: number) =>
      moved([
        [1, 0, (2 * by) / 5],
        [0, 1, 0],
      ]);
    const padded = (mode: "constant" | "reflect" | "replicate") =>
      pad(
        image,
        [
          [0, 0],
          [0, 0],
          [0, 0],
          [0, 3],
        ],
        { mode },
      );
    const behind = (x: Tensor) => slice(x, 3, null, { axis: 3 });
    near(gridSample(image, step(3)), behind(padded("constant")));
    near(gridSample(image, step(3), { paddingMode: "border" }), behind(padded("replicate")));
    near(
      gridSample(
        image,
        moved(
          [
            [1, 0, 6 / 4],
            [0, 1, 0],
          ],
          image.shape,
          true,
        ),
        { paddingMode: "reflection", alignCorners: true },
      ),
      behind(padded("reflect")),
    );
    near(gridSample(image, step(10), { paddingMode: "reflection" }), image);
    near(gridSample(image, step(5), { paddingMode: "reflection" }), flip(image, -1));
  });

  test("have gradients by what moves them", () => {
    const theta = tensor(
      [
        [
          [0.7, 0.2, 0.1],
          [-0.3, 0.6, 0.05],
        ],
        [
          [0.5, 0.1, 0.3],
          [0.2, -0.8, 0.15],
        ],
      ],
      { dtype: "float64" },
    );
    for (const paddingMode of ["zeros", "border", "reflection"] as const) {
      const f = (x: Tensor, a: Tensor) => gridSample(x, affineGrid(a, [2, 3, 3, 3]), { paddingMode });
      const report = checkGradient(f, [image, theta]);
      expect(report.pass, String(report)).toBe(true);
    }
    const grid = uniform([2, 3, 3, 2], { low: -1, high: 1, dtype: "float64" });
    const [byGrid] = grad(gridSample(image, grid, { mode: "nearest" }).sum(), [grid]);
    expect(byGrid.abs().max().item()).toBe(0);
    // At the border and outside nothing moves.
    const outside = tensor([[[[1.5, 0.1]]]], { dtype: "float64" });
    const [still] = grad(gridSample(image.slice(0, 1), outside, { paddingMode: "border" }).sum(), [outside]);
    expect(still.at(0, 0, 0, 0).item()).toBe(0);
    expect(still.at(0, 0, 0, 1).item()).not.toBe(0);
  });

  test("are NaN where a place is, and 0 infinitely far away", () => {
    const line = tensor([[[[1, 2, 4]]]]);
    const grid = tensor([
      [
        [
          [Number.NaN, 0],
          [Infinity, 0],
          [-Infinity, 0],
          [1e30, 0],
        ],
      ],
    ]);
    for (const mode of ["bilinear", "nearest"] as const) {
      const at = (paddingMode: "zeros" | "border") =>
        gridSample(line, grid, { mode, paddingMode }).squeeze().toArray();
      expect(at("zeros")).toEqual([Number.NaN, 0, 0, 0]);
      expect(at("border")).toEqual([Number.NaN, 4, 1, 4]);
    }
  });

  test("are refused with other shapes and modes", () => {
    const grid = ones([1, 2, 2, 2]);
    const plain = ones([1, 1, 2, 2]);
    for (const [x, places] of [
      [ones([1, 2, 2]), grid],
      [plain, ones([1, 2, 2])],
      [ones([2, 1, 2, 2]), grid],
      [plain, ones([1, 2, 2, 3])],
      [ones([1, 1, 0, 2]), grid],
    ] as const)
      expect(() => gridSample(x, places)).toThrow(ShapeError);
    expect(() => gridSample(plain, grid, { mode: "cubic" as never })).toThrow(
      'unknown mode "cubic"; there are bilinear, nearest',
    );
    expect(() => gridSample(plain, grid, { paddingMode: "ones" as never })).toThrow(
      'gridSample: unknown paddingMode "ones"',
    );
    expect(() => gridSample(plain.gt(0), grid)).toThrow(DTypeError);
    expect(() => gridSample(plain, 1 as never)).toThrow("gridSample: the grid: takes a tensor");
    expect(gridSample(ones([1, 0, 2, 2]), grid).shape).toEqual([1, 0, 2, 2]);
    const theta = ones([1, 2, 3]);
    for (const [a, size] of [
      [ones([2, 3]), [1, 1, 2, 2]],
      [theta, [2, 1, 2, 2]],
      [theta, [1, 2, 2]],
    ] as const)
      expect(() => affineGrid(a, size)).toThrow("they are [n, 2, 3] and [n, c, h, w]");
    expect(() => affineGrid(theta, [1, 1, 0, 2])).toThrow("has no places");
    expect(() => affineGrid(theta, [1, 1, 0.5, 2])).toThrow(ValueError);
  });
});
