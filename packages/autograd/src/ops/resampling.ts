import { ShapeError, ValueError } from "../errors.ts";
import type { Tensor } from "../graph.ts";
import type { Known } from "../options.ts";
import { optionsOf } from "../options.ts";
import { checkShape, checkWhole, formatShape } from "../shape.ts";
import type { Operation } from "../signature.ts";
import { adaptiveAvgPool1d, adaptiveAvgPool2d, adaptiveAvgPool3d } from "./adaptive.ts";
import { floated } from "./elementwise.ts";
import { repeatInterleave } from "./layout.ts";
import { checkTensor, fromElements } from "./leaf.ts";
import { broadcastTo, permute, reshape } from "./movement.ts";
import { add, mul } from "./pointwise.ts";
import type { Draw } from "./sample.ts";
import { composed } from "./sample.ts";
import { indexSelect } from "./selection.ts";
import type { PerAxis } from "./spatial.ts";
import { drawSizes, perAxis } from "./spatial.ts";

/** Fields of other sizes: resampled, or with channels put between their entries. */

/** How `interpolate` finds what lies between entries. */
export type Interpolation = "nearest" | "linear" | "bilinear" | "trilinear" | "bicubic" | "area";

export interface InterpolateOptions {
  /** The size of each spatial axis afterwards. */
  readonly size?: PerAxis | undefined;
  /** How many times as long each spatial axis becomes, instead of `size`. */
  readonly scaleFactor?: PerAxis | undefined;
  /** `"nearest"` unless given; linear and cubic ones are named by the number of axes. */
  readonly mode?: Interpolation | undefined;
  /** Do the centers of the outermost entries stay at the ends? Else the edges of the fields lie on each other. */
  readonly alignCorners?: boolean | undefined;
}

const ranks: Readonly<Record<Interpolation, readonly number[]>> = {
  nearest: [1, 2, 3],
  linear: [1],
  bilinear: [2],
  trilinear: [3],
  bicubic: [2],
  area: [1, 2, 3],
};
const areas = [adaptiveAvgPool1d, adaptiveAvgPool2d, adaptiveAvgPool3d];

/** One spatial axis: its size before and afterwards, and how far two entries afterwards are apart before. */
interface Resized {
  readonly from: number;
  readonly to: number;
  readonly scale: number;
}

/** A sum of entries of an axis for each entry afterwards: their places, and what they are multiplied by. */
interface Tap {
  readonly places: readonly number[];
  readonly weights: readonly number[];
}

const known: Known<InterpolateOptions> = {
  size: true,
  scaleFactor: true,
  mode: true,
  alignCorners: "boolean",
};

function axesOf(
  field: readonly number[],
  { size, scaleFactor, mode = "nearest", alignCorners = false }: InterpolateOptions,
): Resized[] {
  const name = "interpolate";
  const rank = field.length;
  if (!Object.hasOwn(ranks, mode))
    throw new ValueError(`${name}: unknown mode "${mode}"; there are ${Object.keys(ranks).join(", ")}`);
  if (!ranks[mode].includes(rank))
    throw new ShapeError(
      `${name}: mode "${mode}" is for ${ranks[mode].join(", ")} spatial axes behind [batch, channels], got ${rank}`,
    );
  if (alignCorners && !mode.endsWith("linear") && mode !== "bicubic")
    throw new ValueError(`${name}: alignCorners goes with linear and cubic modes, not with "${mode}"`);
  if ((size === undefined) === (scaleFactor === undefined))
    throw new ValueError(`${name}: takes either size or scaleFactor`);
  const sizes = size === undefined ? null : perAxis(name, "size", size, rank, 1);
  const factors =
    scaleFactor === undefined
      ? null
      : typeof scaleFactor === "number"
        ? field.map(() => scaleFactor)
        : scaleFactor;
  const isFactors = factors?.length === rank && factors.every((x) => Number.isFinite(x) && x > 0);
  if (scaleFactor !== undefined && !isFactors)
    throw new ValueError(
      `${name}: scaleFactor is ${String(scaleFactor)}; give a positive number, or one for each of the ${rank} spatial axes`,
    );
  return field.map((from, i) => {
    const to = sizes ? sizes[i]! : Math.floor(from * factors![i]!);
    if (from === 0 || to === 0)
      throw new ShapeError(
        `${name}: spatial axis ${i} goes from ${from} to ${to} entries; both need at least one`,
      );
    if (alignCorners) return { from, to, scale: to > 1 ? (from - 1) / (to - 1) : 0 };
    // As in PyTorch: a factor such as 1.1 that changes no size moves nothing either.
    const stays = to === from && mode.endsWith("linear");
    return { from, to, scale: factors && !stays ? 1 / factors[i]! : from / to };
  });
}

/** The place in the field before of entry `i` afterwards. */
function sourceOf(i: number, scale: number, alignCorners: boolean): number {
  return alignCorners ? i * scale : (i + 0.5) * scale - 0.5;
}

function linearTaps({ from, to, scale }: Resized, alignCorners: boolean): Tap[] {
  const at = Array.from({ length: to }, (_, i) => Math.max(0, sourceOf(i, scale, alignCorners)));
  const low = at.map((x) => Math.min(Math.floor(x), from - 1));
  const part = at.map((x, i) => Math.min(Math.max(0, x - low[i]!), 1));
  return [
    { places: low, weights: part.map((x) => 1 - x) },
    { places: low.map((i) => Math.min(i + 1, from - 1)), weights: part },
  ];
}

/** Cubic convolution with a = -3/4 (Keys 1981, "Cubic convolution interpolation for digital image processing"). */
function cubicTaps({ from, to, scale }: Resized, alignCorners: boolean): Tap[] {
  const a = -0.75;
  const near = (x: number) => ((a + 2) * x - (a + 3)) * x * x + 1;
  const far = (x: number) => ((a * x - 5 * a) * x + 8 * a) * x - 4 * a;
  const at = Array.from({ length: to }, (_, i) => sourceOf(i, scale, alignCorners));
  return [-1, 0, 1, 2].map((shift) => ({
    places: at.map((x) => Math.min(Math.max(Math.floor(x) + shift, 0), from - 1)),
    weights: at.map((x) => {
      const distance = Math.abs(x - Math.floor(x) - shift);
      return distance <= 1 ? near(distance) : far(distance);
    }),
  }));
}

/** The entries at these places along an axis; whole factors need no index. */
function selected(x: Tensor, axis: number, places: readonly number[]): Tensor {
  const factor = places.length / x.shape[axis]!;
  if (Number.isInteger(factor) && places.every((place, i) => place === Math.floor(i / factor)))
    return factor === 1 ? x : repeatInterleave(x, factor, axis);
  return indexSelect(x, axis, fromElements(Int32Array.from(places), [places.length]));
}

function summed(x: Tensor, axis: number, taps: readonly Tap[]): Tensor {
  const array = x.dtype === "float64" ? Float64Array : Float32Array;
  const line = x.shape.map((_, i) => (i === axis ? taps[0]!.places.length : 1));
  return taps
    .map(({ places, weights }) => {
      const entries = selected(x, axis, places);
      return mul(entries, broadcastTo(fromElements(array.from(weights), line), entries.shape));
    })
    .reduce((sum, part) => add(sum, part));
}

/**
 * `x` [batch, channels, ...spatial axes] with other sizes of its one to three spatial axes, given as `size` or by a `scaleFactor`;
 * what lies between entries is found by `mode` as in PyTorch: the entry before it ("nearest"), a straight line along each axis
 * ("linear", "bilinear", "trilinear"), cubic convolution ("bicubic", Keys 1981), or the mean of what an entry covers ("area"). Integers
 * become float32. Throws ValueError for settings that do not go together, ShapeError for other shapes.
 *
 * @example
 * ```ts
 * import { interpolate, tensor } from "@cotangent/autograd";
 * const x = tensor([[[1, 3]]]);
 * interpolate(x, { scaleFactor: 2 }).squeeze().toArray(); // => 1,1,3,3
 * interpolate(x, { size: 3, mode: "linear", alignCorners: true }).squeeze().toArray(); // => 1,2,3
 * ```
 */
export const interpolate: Operation<[options: InterpolateOptions]> = composed(
  "interpolate",
  (x: Tensor, options: InterpolateOptions) => {
    const a = floated("interpolate", x);
    const settings = optionsOf("interpolate", options, known);
    const axes = axesOf(a.shape.slice(2), settings);
    const { mode = "nearest", alignCorners = false } = settings;
    if (mode === "area")
      return areas[axes.length - 1]!(
        a,
        axes.map(({ to }) => to),
      );
    // The last axis first: rows are summed, then sums of rows.
    return axes.reduceRight((y, axis, i) => {
      if (mode !== "nearest")
        return summed(
          y,
          i + 2,
          mode === "bicubic" ? cubicTaps(axis, alignCorners) : linearTaps(axis, alignCorners),
        );
      const scale = Math.fround(axis.scale);
      const places = Array.from({ length: axis.to }, (_, n) =>
        Math.min(Math.floor(Math.fround(n * scale)), axis.from - 1),
      );
      return selected(y, i + 2, places);
    }, a);
  },
  (draw) => {
    const mode = Object.keys(ranks)[draw.integer(0, 5)] as Interpolation;
    const rank = ranks[mode][draw.integer(0, ranks[mode].length - 1)]!;
    const field = drawSizes(draw, rank, 4);
    const alignCorners = /linear|cubic/.test(mode) && draw.coin();
    const sizes = draw.coin()
      ? { size: field.map(() => draw.integer(1, 5)) }
      : { scaleFactor: draw.integer(1, 3) };
    return [
      draw.tensor([draw.integer(1, 2), draw.integer(1, 2), ...field]),
      { mode, alignCorners, ...sizes },
    ];
  },
);

/** Throws unless `x` has a height and a width behind channels. */
function checkField(name: string, x: Tensor, factor: number): void {
  checkTensor(name, x);
  checkWhole(name, "the factor", factor, 1);
  if (x.rank < 3)
    throw new ShapeError(
      `${name}: takes [..., channels, height, width], got shape ${formatShape(x.shape)}; reshape it`,
    );
}

/**
 * [..., channels * factor^2, height, width] as [..., channels, height * factor, width * factor]: channels become places between
 * entries, row by row (Shi et al. 2016, "Real-time single image and video super-resolution using an efficient sub-pixel
 * convolutional neural network"). Throws ShapeError if the channels do not go around, ValueError unless `factor` is a whole number.
 *
 * @example
 * ```ts
 * import { pixelShuffle, tensor } from "@cotangent/autograd";
 * pixelShuffle(tensor([[[1]], [[2]], [[3]], [[4]]]), 2).squeeze().toArray(); // => [ [ 1, 2 ], [ 3, 4 ] ]
 * ```
 */
export const pixelShuffle: Operation<[factor: number]> = composed(
  "pixelShuffle",
  (x: Tensor, factor: number) => {
    checkField("pixelShuffle", x, factor);
    const outer = x.shape.slice(0, -3);
    const [channels, height, width] = x.shape.slice(-3) as [number, number, number];
    if (channels % (factor * factor) !== 0)
      throw new ShapeError(
        `pixelShuffle: ${channels} channels of ${formatShape(x.shape)} are no multiple of ${factor * factor}, the square of the factor`,
      );
    const each = channels / (factor * factor);
    const out = [...outer, each, height * factor, width * factor];
    checkShape("pixelShuffle", out);
    const n = outer.length;
    const apart = reshape(x, [...outer, each, factor, factor, height, width]);
    return reshape(permute(apart, [...outer.map((_, i) => i), n, n + 3, n + 1, n + 4, n + 2]), out);
  },
  (draw) => {
    const factor = draw.integer(1, 2);
    const [each, height, width] = drawSizes(draw, 3, 4) as [number, number, number];
    return [draw.tensor([...batchOf(draw), each * factor * factor, height, width]), factor];
  },
);

/**
 * The inverse of pixelShuffle: [..., channels, height * factor, width * factor] as [..., channels * factor^2, height, width]. Throws
 * ShapeError if height or width is no multiple of the factor, ValueError unless `factor` is a whole number.
 *
 * @example
 * ```ts
 * import { ones, pixelUnshuffle } from "@cotangent/autograd";
 * pixelUnshuffle(ones([8, 3, 4, 6]), 2).shape; // => [ 8, 12, 2, 3 ]
 * ```
 */
export const pixelUnshuffle: Operation<[factor: number]> = composed(
  "pixelUnshuffle",
  (x: Tensor, factor: number) => {
    checkField("pixelUnshuffle", x, factor);
    const outer = x.shape.slice(0, -3);
    const [channels, height, width] = x.shape.slice(-3) as [number, number, number];
    if (height % factor !== 0 || width % factor !== 0)
      throw new ShapeError(
        `pixelUnshuffle: height and width of ${formatShape(x.shape)} are no multiples of the factor ${factor}`,
      );
    const [rows, columns] = [height / factor, width / factor];
    const n = outer.length;
    const apart = reshape(x, [...outer, channels, rows, factor, columns, factor]);
    const together = permute(apart, [...outer.map((_, i) => i), n, n + 2, n + 4, n + 1, n + 3]);
    return reshape(together, [...outer, channels * factor * factor, rows, columns]);
  },
  (draw) => {
    const factor = draw.integer(1, 2);
    const [channels, rows, columns] = drawSizes(draw, 3, 4) as [number, number, number];
    return [draw.tensor([...batchOf(draw), channels, rows * factor, columns * factor]), factor];
  },
);

function batchOf(draw: Draw): number[] {
  return draw.coin() ? [] : [draw.integer(1, 2)];
}
