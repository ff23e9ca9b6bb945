import { ShapeError, ValueError } from "../errors.ts";
import type { Tensor } from "../graph.ts";
import type { Shape } from "../shape.ts";
import { formatShape } from "../shape.ts";
import { spanOf } from "./folding.ts";
import { reshape } from "./movement.ts";
import type { Draw } from "./sample.ts";

/**
 * What convolutions and pools share: tensors [batch, channels, ...spatial axes], with or without the batch, and settings for
 * each spatial axis.
 */

/** A number for all spatial axes, or one for each. */
export type PerAxis = number | readonly number[];

/** A setting for each of `rank` axes. Throws ValueError unless these are whole numbers of at least `least`. */
export function perAxis(name: string, word: string, value: PerAxis, rank: number, least: number): number[] {
  const values = typeof value === "number" ? new Array<number>(rank).fill(value) : value;
  if (!Array.isArray(values) || values.length !== rank)
    throw new ValueError(
      `${name}: ${word} is ${String(value)}; give one number, or one for each of the ${rank} spatial axes`,
    );
  for (const number of values)
    if (!Number.isInteger(number) || number < least)
      throw new ValueError(
        `${name}: ${word} is ${String(value)}; it takes whole numbers of at least ${least}`,
      );
  return values;
}

/** `x` with a batch, of one entry if it had none. Throws ShapeError unless it has channels and `rank` spatial axes. */
export function inBatch(name: string, x: Tensor, rank: number): Tensor {
  if (x.rank === rank + 2) return x;
  if (x.rank === rank + 1) return reshape(x, [1, ...x.shape]);
  const axes = ["length", "height, width", "depth, height, width"][rank - 1];
  throw new ShapeError(
    `${name}: takes [batch, channels, ${axes}] or [channels, ${axes}], got shape ${formatShape(x.shape)}`,
  );
}

/** `x` without the batch that `inBatch` gave, if `like` has none. */
export function outOfBatch(x: Tensor, like: Tensor): Tensor {
  return x.rank === like.rank ? x : reshape(x, x.shape.slice(1));
}

/** Throws ShapeError unless a window fits on each spatial axis, which are this long with their borders. */
export function checkFit(
  name: string,
  lengths: readonly number[],
  sizes: readonly number[],
  dilations: readonly number[],
  shape: Shape,
): void {
  lengths.forEach((length, i) => {
    const span = spanOf(sizes[i]!, dilations[i]!);
    if (span > length)
      throw new ShapeError(
        `${name}: a window spans ${span} entries of spatial axis ${i}, which has ${length} with its padding: shape ` +
          `${formatShape(shape)}; pad more, or take a smaller window`,
      );
  });
}

/** The places of `rank` spatial axes behind `before` others. */
export function spatialAxes(before: number, rank: number): number[] {
  return Array.from({ length: rank }, (_, i) => before + i);
}

/** For samples: sizes of `rank` spatial axes, from 1 to `most`, or to less where there are several. */
export function drawSizes(draw: Draw, rank: number, most: number): number[] {
  return Array.from({ length: rank }, () => draw.integer(1, Math.max(1, most - rank + 1)));
}
