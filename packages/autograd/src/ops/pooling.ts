import { ValueError } from "../errors.ts";
import { larger } from "../functions/extreme.ts";
import type { Op, Tensor } from "../graph.ts";
import { apply } from "../graph.ts";
import type { Known } from "../options.ts";
import { optionsOf } from "../options.ts";
import { formatShape, reducedShape, sizeOf } from "../shape.ts";
import type { Operation } from "../signature.ts";
import { pad } from "./border.ts";
import { eq, lt, ne } from "./comparison.ts";
import { floated } from "./elementwise.ts";
import { spanOf, windowsOf } from "./folding.ts";
import { cat } from "./join.ts";
import { fromElements, zerosLike } from "./leaf.ts";
import { broadcastTo, reshape, sum } from "./movement.ts";
import { placed, placesAlong } from "./placed.ts";
import { div, sub, where } from "./pointwise.ts";
import { amin } from "./reduction.ts";
import { padded } from "./region.ts";
import type { Draw, Samples } from "./sample.ts";
import { composed, kinked } from "./sample.ts";
import { indexSelect } from "./selection.ts";
import type { PerAxis } from "./spatial.ts";
import { checkFit, drawSizes, inBatch, outOfBatch, perAxis, spatialAxes } from "./spatial.ts";

/** Pools: the largest or the mean of each window, channel by channel. */

/** What pools may be told, for each spatial axis or for all. */
export interface PoolOptions {
  /** How far windows are apart; as far as they are long unless given. */
  readonly stride?: PerAxis | undefined;
  /** Entries beyond both ends that windows may reach, at most half a window; 0 unless given. */
  readonly padding?: PerAxis | undefined;
  /** Counts windows that begin inside and reach beyond the end, too. */
  readonly ceilMode?: boolean | undefined;
}

export interface MaxPoolOptions extends PoolOptions {
  /** How far the entries of a window are apart; 1 unless given. */
  readonly dilation?: PerAxis | undefined;
}

export interface AvgPoolOptions extends PoolOptions {
  /** Do zeros of the padding count in the mean? They do unless this is false. */
  readonly countIncludePad?: boolean | undefined;
  /** Divides the sums, in place of the number of entries. */
  readonly divisorOverride?: number | undefined;
}

type MaxPool = Operation<[kernelSize: PerAxis, options?: MaxPoolOptions]>;
type AvgPool = Operation<[kernelSize: PerAxis, options?: AvgPoolOptions]>;

type Along = { readonly axes: readonly number[] };

/** The largest over `axes`, of which the first that ties has the whole gradient; of several NaN the last. */
export const largestOp: Op<Along> = {
  name: "largest",
  kernel: {
    kind: "reduce",
    combine: larger,
    identity: () => -Infinity,
  },
  derivatives: [
    {
      kind: "pushforward",
      push: (t, out, { axes }) => {
        const x = out.inputs[0]!;
        const own = reshape(chosen(out, axes), reducedShape(x.shape, axes, true));
        return sum(where(eq(placesAlong(x.shape, axes), own), t, zerosLike(t)), axes);
      },
      pull: (g, out, { axes }) => placed(chosen(out, axes), g, out.inputs[0]!.shape, axes),
    },
  ],
  shape: ([x], { axes }) => reducedShape(x!.shape, axes),
  dtype: ([x]) => x!.dtype,
};

/** The place, row by row along `axes`, of the entry that became the largest. */
function chosen(out: Tensor, axes: readonly number[]): Tensor {
  const x = out.inputs[0]!;
  const places = placesAlong(x.shape, axes);
  const largest = broadcastTo(reshape(out, reducedShape(x.shape, axes, true)), x.shape);
  // NaN is before all others, and the last one first.
  const count = sizeOf(axes.map((axis) => x.shape[axis]!));
  const rank = where(ne(x, x), sub(-1, places), where(eq(x, largest), places, count));
  const first = amin(rank, axes);
  return where(lt(first, 0), sub(-1, first), first);
}

/** The windows of a pool, and how they lie. */
interface Pool {
  readonly x: Tensor;
  readonly sizes: readonly number[];
  readonly steps: readonly number[];
  readonly dilations: readonly number[];
  readonly before: readonly number[];
  readonly after: readonly number[];
  readonly counts: readonly number[];
}

function poolOf(
  name: string,
  rank: number,
  x: Tensor,
  kernelSize: PerAxis,
  { stride, padding = 0, dilation = 1, ceilMode = false }: MaxPoolOptions,
): Pool {
  const a = inBatch(name, floated(name, x), rank);
  const sizes = perAxis(name, "kernelSize", kernelSize, rank, 1);
  const steps = stride === undefined ? sizes : perAxis(name, "stride", stride, rank, 1);
  const before = perAxis(name, "padding", padding, rank, 0);
  const dilations = perAxis(name, "dilation", dilation, rank, 1);
  before.forEach((width, i) => {
    if (2 * width > sizes[i]!)
      throw new ValueError(
        `${name}: padding ${formatShape(before)} is more than half of the windows ${formatShape(sizes)}`,
      );
  });
  const field = a.shape.slice(2);
  const lengths = field.map((length, i) => length + 2 * before[i]!);
  const spans = sizes.map((size, i) => spanOf(size, dilations[i]!));
  const counts = lengths.map((length, i) => {
    const steps1 = (length - spans[i]!) / steps[i]!;
    const count = (ceilMode ? Math.ceil(steps1) : Math.floor(steps1)) + 1;
    // The last window begins inside, or in the padding before.
    return ceilMode && (count - 1) * steps[i]! >= field[i]! + before[i]! ? count - 1 : count;
  });
  if (Math.min(...counts) < 1) checkFit(name, lengths, sizes, dilations, a.shape);
  const after = counts.map((count, i) =>
    Math.max(0, (count - 1) * steps[i]! + spans[i]! - field[i]! - before[i]!),
  );
  return { x: a, sizes, steps, dilations, before, after, counts };
}

/** The windows of `wide`, which is `x` and what lies beyond its ends. */
function windowsIn(wide: Tensor, { sizes, steps, dilations }: Pool): Tensor {
  return windowsOf(wide, { axes: spatialAxes(2, sizes.length), sizes, steps, dilations });
}

/**
 * `x` with entries beyond the ends of its spatial axes that the windows there have inside as well: the largest is the same, and has
 * its gradient there even where all are -inf.
 */
function echoed({ x, dilations, before, after }: Pool): Tensor {
  return dilations.reduce((y, step, i) => {
    const [axis, ahead, behind, length] = [i + 2, before[i]!, after[i]!, x.shape[i + 2]!];
    if (ahead + behind === 0) return y;
    const widths = y.shape.map((_, k): [number, number] => (k === axis ? [ahead, behind] : [0, 0]));
    // A window may have nothing inside then.
    if (step > length) return pad(y, widths, { value: -Infinity });
    const inside = (place: number) =>
      place < 0 ? ((place % step) + step) % step : length - step + ((place - length) % step);
    const part = (from: number, count: number): Tensor => {
      const places = Int32Array.from({ length: count }, (_, k) => inside(from + k));
      return indexSelect(y, axis, fromElements(places, [count]));
    };
    return cat([part(-ahead, ahead), y, part(length, behind)], axis);
  }, x);
}

const pooling: Known<PoolOptions> = { stride: true, padding: true, ceilMode: "boolean" };
const maxPooling: Known<MaxPoolOptions> = { ...pooling, dilation: true };
const avgPooling: Known<AvgPoolOptions> = { ...pooling, countIncludePad: "boolean", divisorOverride: true };

function maxPool(name: string, rank: number): MaxPool {
  return composed(
    name,
    (x: Tensor, kernelSize: PerAxis, options?: MaxPoolOptions) => {
      const pool = poolOf(name, rank, x, kernelSize, optionsOf(name, options, maxPooling));
      const windows = windowsIn(echoed(pool), pool);
      return outOfBatch(apply(largestOp, [windows], { axes: spatialAxes(2 + rank, rank) }), x);
    },
    samplesOf(rank, (draw) => ({ dilation: draw.integer(1, 2) })),
    kinked,
  );
}

/** By how much the sums over windows are divided, for each window along each axis. */
function divisors({ x, sizes, steps, before, counts }: Pool, withPadding: boolean): number[][] {
  return counts.map((count, i) => {
    const length = x.shape[i + 2]!;
    const width = before[i]!;
    return Array.from({ length: count }, (_, n) => {
      const start = n * steps[i]! - width;
      const end = Math.min(start + sizes[i]!, length + width);
      return withPadding ? end - start : Math.min(end, length) - Math.max(0, start);
    });
  });
}

/** `sums` [batch, channels, ...counts] divided by the product of the divisors along each axis. */
export function divided(sums: Tensor, along: readonly (readonly number[])[]): Tensor {
  if (along.every((line) => line.every((n) => n === line[0])))
    return div(
      sums,
      along.reduce((product, line) => product * (line[0] ?? 1), 1),
    );
  const all = along.reduce<number[]>(
    (products, line) => products.flatMap((p) => line.map((n) => p * n)),
    [1],
  );
  const data = sums.dtype === "float64" ? Float64Array.from(all) : Float32Array.from(all);
  return div(
    sums,
    fromElements(
      data,
      along.map((line) => line.length),
    ),
  );
}

function avgPool(name: string, rank: number): AvgPool {
  return composed(
    name,
    (x: Tensor, kernelSize: PerAxis, given?: AvgPoolOptions) => {
      const { countIncludePad = true, divisorOverride, ...options } = optionsOf(name, given, avgPooling);
      if (divisorOverride !== undefined && !(Number.isFinite(divisorOverride) && divisorOverride !== 0))
        throw new ValueError(`${name}: divisorOverride is ${divisorOverride}; give a number other than 0`);
      const pool = poolOf(name, rank, x, kernelSize, { ...options, dilation: 1 });
      const wide = padded(pool.x, [0, 0, ...pool.before], [0, 0, ...pool.after]);
      const sums = sum(windowsIn(wide, pool), spatialAxes(2 + rank, rank));
      const out =
        divisorOverride === undefined
          ? divided(sums, divisors(pool, countIncludePad))
          : div(sums, divisorOverride);
      return outOfBatch(out, x);
    },
    samplesOf(rank, (draw) => ({
      countIncludePad: draw.coin(),
      ...(draw.integer(0, 3) === 0 ? { divisorOverride: 3 } : {}),
    })),
  );
}

/** Different elements, with or without a batch. */
export function drawField(draw: Draw, field: readonly number[]): Tensor {
  const batch = draw.integer(0, 3) === 0 ? [] : [draw.integer(1, 2)];
  return draw.distinct([...batch, draw.integer(1, 2), ...field]);
}

function samplesOf(rank: number, more: (draw: Draw) => MaxPoolOptions & AvgPoolOptions): Samples {
  return (draw) => {
    const sizes = drawSizes(draw, rank, 3);
    const options = more(draw);
    const padding = draw.integer(0, Math.floor(Math.min(...sizes) / 2));
    const dilation = options.dilation === 2 ? 2 : 1;
    // So long that no window lies in the padding alone.
    const field = sizes.map((size) =>
      Math.max(dilation, spanOf(size, dilation) - 2 * padding + draw.integer(0, 2)),
    );
    const ceilMode = draw.coin();
    const stride = draw.integer(0, 2) === 0 ? {} : { stride: draw.integer(1, 3) };
    return [drawField(draw, field), sizes, { padding, ceilMode, ...stride, ...options }];
  };
}

/**
 * The largest entry of each window of `kernelSize` entries of `x` [batch, channels, length] (or [channels, length]); the length
 * becomes floor((length + 2 padding - dilation (kernelSize - 1) - 1) / stride) + 1, rounded up by `ceilMode`. NaN counts as the
 * largest, the padding as nothing. Throws ShapeError for other shapes or windows that do not fit, ValueError for settings that are
 * none, DTypeError for bool; integers become float32.
 *
 * @kink Where entries of a window tie, the first has the whole gradient; of several NaN, the last.
 *
 * @example
 * ```ts
 * import { maxPool1d, tensor } from "@cotangent/autograd";
 * maxPool1d(tensor([[1, 3, 2, 5, 4]]), 2).toArray(); // => [ [ 3, 5 ] ]
 * maxPool1d(tensor([[1, 3, 2, 5, 4]]), 2, { ceilMode: true }).toArray(); // => [ [ 3, 5, 4 ] ]
 * ```
 */
export const maxPool1d: MaxPool = maxPool("maxPool1d", 1);

/**
 * The largest entry of each window of `x` [batch, channels, height, width] (or without batch), `kernelSize` high and wide or
 * [height, width]; options and errors as for `maxPool1d`.
 *
 * @kink Where entries of a window tie, the first has the whole gradient; of several NaN, the last.
 *
 * @example
 * ```ts
 * import { arange, maxPool2d } from "@cotangent/autograd";
 * maxPool2d(arange(16).reshape([1, 4, 4]), 2).squeeze().toArray(); // => [ [ 5, 7 ], [ 13, 15 ] ]
 * ```
 */
export const maxPool2d: MaxPool = maxPool("maxPool2d", 2);

/**
 * The largest entry of each window of `x` [batch, channels, depth, height, width]; see `maxPool1d`.
 *
 * @kink Where entries of a window tie, the first has the whole gradient; of several NaN, the last.
 */
export const maxPool3d: MaxPool = maxPool("maxPool3d", 3);

/**
 * The mean of each window of `kernelSize` entries of `x` [batch, channels, length] (or [channels, length]); lengths as for `maxPool1d`.
 * Zeros of the padding count, unless `countIncludePad` is false. Throws ShapeError for other shapes or windows that do not fit,
 * ValueError for settings that are none, DTypeError for bool; integers become float32.
 *
 * @example
 * ```ts
 * import { avgPool1d, tensor } from "@cotangent/autograd";
 * avgPool1d(tensor([[1, 3, 2, 6]]), 2).toArray(); // => [ [ 2, 4 ] ]
 * ```
 */
export const avgPool1d: AvgPool = avgPool("avgPool1d", 1);

/**
 * The mean of each window of `x` [batch, channels, height, width] (or without batch); see `avgPool1d`.
 *
 * @example
 * ```ts
 * import { arange, avgPool2d } from "@cotangent/autograd";
 * avgPool2d(arange(16).reshape([1, 4, 4]), 2).squeeze().toArray(); // => [ [ 2.5, 4.5 ], [ 10.5, 12.5 ] ]
 * ```
 */
export const avgPool2d: AvgPool = avgPool("avgPool2d", 2);

/** The mean of each window of `x` [batch, channels, depth, height, width]; see `avgPool1d`. */
export const avgPool3d: AvgPool = avgPool("avgPool3d", 3);
