import { promote } from "../dtype.ts";
import { ShapeError, ValueError } from "../errors.ts";
import type { Tensor } from "../graph.ts";
import type { Known } from "../options.ts";
import { optionsOf } from "../options.ts";
import type { Shape } from "../shape.ts";
import { checkShape, formatShape } from "../shape.ts";
import type { Operation } from "../signature.ts";
import { clamp } from "./bounds.ts";
import { cast } from "./cast.ts";
import { eq, gt, logicalAnd, logicalNot, logicalOr, lt } from "./comparison.ts";
import { stopGradient } from "./composed.ts";
import { matmul } from "./contraction.ts";
import { floated } from "./elementwise.ts";
import { picked } from "./indexing.ts";
import { fromElements } from "./leaf.ts";
import { broadcastTo, reshape, transpose } from "./movement.ts";
import { abs, add, mul, sub, where } from "./pointwise.ts";
import { slice } from "./region.ts";
import { floor, fmod, round } from "./rounding.ts";
import type { Draw } from "./sample.ts";
import { composed, kinked } from "./sample.ts";

/** Images resampled where a grid says: spatial transformers (Jaderberg et al. 2015, https://arxiv.org/abs/1506.02025). */

type Aligned = {
  /** Are -1 and 1 the centers of the outermost entries? Else the edges of the image. */
  readonly alignCorners?: boolean | undefined;
};

/** The coordinates of the `size` entries of an axis, from -1 to 1. */
function coordinates(size: number, alignCorners: boolean): number[] {
  return Array.from({ length: size }, (_, i) =>
    alignCorners ? (size > 1 ? (2 * i) / (size - 1) - 1 : 0) : (2 * i + 1) / size - 1,
  );
}

/**
 * The grid [n, h, w, 2] for `gridSample` that moves an image by `theta` [n, 2, 3]: where the entry at (x, y) is taken from, which is
 * `theta` times (x, y, 1). `size` is that of the result, [n, c, h, w]; coordinates go from -1 to 1, x first. Integers become float32.
 * Throws ShapeError if `theta` or `size` have other shapes, ValueError for sizes that are no positive whole numbers, DTypeError
 * for bool.
 *
 * @example
 * ```ts
 * import { affineGrid, tensor } from "@cotangent/autograd";
 * const shift = tensor([[[1, 0, 0.5], [0, 1, 0]]]);
 * affineGrid(shift, [1, 1, 1, 2]).squeeze().toArray(); // => [ [ 0, 0 ], [ 1, 0 ] ]
 * ```
 */
export const affineGrid: Operation<[size: Shape, options?: Aligned]> = composed(
  "affineGrid",
  (theta: Tensor, size: Shape, options?: Aligned) => {
    const a = floated("affineGrid", theta);
    checkShape("affineGrid", size);
    const { alignCorners = false } = optionsOf("affineGrid", options, { alignCorners: "boolean" });
    const [n, , h, w] = size as [number, number, number, number];
    if (a.rank !== 3 || a.shape[1] !== 2 || a.shape[2] !== 3 || size.length !== 4 || a.shape[0] !== n)
      throw new ShapeError(
        `affineGrid: theta ${formatShape(a.shape)} for size ${formatShape(size)}; they are [n, 2, 3] and [n, c, h, w]`,
      );
    if (h === 0 || w === 0)
      throw new ValueError(
        `affineGrid: size ${formatShape(size)} has no places; height and width are at least 1`,
      );
    const across = coordinates(w, alignCorners);
    const points = coordinates(h, alignCorners).flatMap((y) => across.flatMap((x) => [x, y, 1]));
    const array = a.dtype === "float64" ? Float64Array : Float32Array;
    const grid = matmul(fromElements(array.from(points), [h * w, 3]), transpose(a));
    return reshape(grid, [n, h, w, 2]);
  },
  (draw) => {
    const n = draw.integer(1, 2);
    const size = [n, 1, draw.integer(1, 3), draw.integer(1, 3)];
    return [draw.tensor([n, 2, 3]), size, { alignCorners: draw.coin() }];
  },
);

export interface GridSampleOptions extends Aligned {
  /** What is between entries: found on straight lines ("bilinear", unless given), or the entry that is nearest. */
  readonly mode?: "bilinear" | "nearest" | undefined;
  /** What is outside: zeros (unless given), what is at the border, or the image mirrored there again and again. */
  readonly paddingMode?: "zeros" | "border" | "reflection" | undefined;
}

const known: Known<GridSampleOptions> = { mode: true, paddingMode: true, alignCorners: "boolean" };
const modes = ["bilinear", "nearest"];
const paddings = ["zeros", "border", "reflection"];

/** A place brought onto an axis of `size` entries; what is moved to its ends has no derivative. */
function brought(place: Tensor, size: number, paddingMode: string, alignCorners: boolean): Tensor {
  let inside = place;
  if (paddingMode === "reflection") {
    const [low, span] = alignCorners ? [0, size - 1] : [-0.5, size];
    const turn = fmod(abs(sub(place, low)), 2 * Math.max(span, 1));
    inside = add(where(gt(turn, span), sub(2 * span, turn), turn), low);
  }
  const within = logicalAnd(gt(inside, 0), lt(inside, size - 1));
  return where(within, inside, clamp(stopGradient(inside), 0, size - 1));
}

/** One entry beside each place along an axis: which, what it weighs, and whether it is in the image. */
interface Beside {
  readonly index: Tensor;
  readonly weight: Tensor;
  readonly exists: Tensor;
}

function beside(place: Tensor, size: number, mode: string): Beside[] {
  // NaN is neither in the image nor outside: it weighs NaN.
  const entry = (at: Tensor, weight: Tensor): Beside => ({
    index: cast(clamp(at, 0, size - 1), "int32"),
    weight,
    exists: logicalNot(logicalOr(lt(at, 0), gt(at, size - 1))),
  });
  if (mode === "nearest") return [entry(round(place), where(eq(place, place), 1, Number.NaN))];
  const low = floor(place);
  const part = sub(place, low);
  return [entry(low, sub(1, part)), entry(add(low, 1), part)];
}

/**
 * The entries of images `x` [n, c, h, w] at the places of `grid` [n, h2, w2, 2], each (x, y) from -1, the left or upper end, to 1:
 * [n, c, h2, w2], with derivatives by both. What is between entries and outside is as the options say, and in PyTorch; a place at
 * NaN gives NaN. Integers become float32. Throws ShapeError if the shapes do not fit or the image is empty, ValueError for an
 * unknown mode, DTypeError for bool.
 *
 * @kink Where a place is at an entry, the derivative by the grid is that towards the next one (of "nearest" it is 0); at the border and
 * outside it is 0 unless there are zeros.
 *
 * @example
 * ```ts
 * import { affineGrid, gridSample, tensor } from "@cotangent/autograd";
 * const image = tensor([[[[1, 2, 4]]]]);
 * gridSample(image, tensor([[[[0.5, 0], [2, 0]]]]), { alignCorners: true }).squeeze().toArray(); // => 3,0
 * const mirrored = affineGrid(tensor([[[-1, 0, 0], [0, 1, 0]]]), image.shape);
 * gridSample(image, mirrored).squeeze().toArray(); // => 4,2,1
 * ```
 */
export const gridSample: Operation<[grid: Tensor, options?: GridSampleOptions]> = composed(
  "gridSample",
  (x: Tensor, grid: Tensor, options?: GridSampleOptions) => {
    const [image, places] = [floated("gridSample", x), floated("gridSample: the grid", grid)];
    const settings = optionsOf("gridSample", options, known);
    const { mode = "bilinear", paddingMode = "zeros", alignCorners = false } = settings;
    if (!modes.includes(mode))
      throw new ValueError(`gridSample: unknown mode "${mode}"; there are ${modes.join(", ")}`);
    if (!paddings.includes(paddingMode))
      throw new ValueError(
        `gridSample: unknown paddingMode "${paddingMode}"; there are ${paddings.join(", ")}`,
      );
    const [n, c, h, w] = image.shape as [number, number, number, number];
    const [batch, h2, w2, two] = places.shape as [number, number, number, number];
    if (image.rank !== 4 || places.rank !== 4 || batch !== n || two !== 2 || h === 0 || w === 0)
      throw new ShapeError(
        `gridSample: image ${formatShape(x.shape)} and grid ${formatShape(grid.shape)}; they are [n, c, h, w], not empty, and ` +
          "[n, h2, w2, 2]",
      );
    const dtype = promote(image.dtype, places.dtype);
    const count = h2 * w2;
    const points = reshape(cast(places, dtype), [n, 1, count, 2]);
    const [columns, rows] = [w, h].map((size, i) => {
      const at = reshape(slice(points, i, i + 1, { axis: 3 }), [n, 1, count]);
      const scaled = mul(add(at, 1), (alignCorners ? size - 1 : size) / 2);
      const place = alignCorners ? scaled : sub(scaled, 0.5);
      const moved = paddingMode === "zeros" ? place : brought(place, size, paddingMode, alignCorners);
      return beside(moved, size, mode);
    }) as [Beside[], Beside[]];
    const flat = reshape(cast(image, dtype), [n, c, h * w]);
    const all = [n, c, count];
    const parts = rows.flatMap((row) =>
      columns.map((column) => {
        const index = add(mul(row.index, w), column.index);
        const exists = logicalAnd(row.exists, column.exists);
        const entries = picked("gridSample", flat, 2, broadcastTo(index, all));
        const entry = where(broadcastTo(exists, all), entries, 0);
        // Neither what stands outside nor how far away that is may spoil a sum: 0 times infinity is NaN.
        return mul(entry, broadcastTo(where(exists, mul(row.weight, column.weight), 0), all));
      }),
    );
    return reshape(
      parts.reduce((sum, part) => add(sum, part)),
      [n, c, h2, w2],
    );
  },
  (draw) => {
    const [n, h, w] = [draw.integer(1, 2), draw.integer(1, 3), draw.integer(1, 3)];
    const alignCorners = draw.coin();
    const grid = scattered(draw, [n, draw.integer(1, 2), draw.integer(1, 2), 2], [w, h], alignCorners);
    const mode = modes[draw.integer(0, 1)] as "bilinear";
    const paddingMode = paddings[draw.integer(0, 2)] as "zeros";
    return [draw.tensor([n, draw.integer(1, 2), h, w]), grid, { mode, paddingMode, alignCorners }];
  },
  kinked,
);

/** A grid whose places, inside and outside, are neither at entries nor half way between them. */
function scattered(draw: Draw, shape: Shape, sizes: Shape, alignCorners: boolean): Tensor {
  const data = Array.from({ length: shape.reduce((product, size) => product * size, 1) }, (_, i) => {
    const size = sizes[i % 2]!;
    const place = draw.integer(-2, size) + draw.real({ low: 0.1, high: 0.4 }) + (draw.coin() ? 0.5 : 0);
    return alignCorners ? (2 * place) / Math.max(1, size - 1) - 1 : (2 * place + 1) / size - 1;
  });
  return fromElements(draw.dtype === "float64" ? Float64Array.from(data) : Float32Array.from(data), shape);
}
