import type { InterpolateOptions, Tensor } from "@cotangent/autograd/functional";
import {
  interpolate,
  pad,
  pixelShuffle,
  pixelUnshuffle,
  ShapeError,
  ValueError,
} from "@cotangent/autograd/functional";
import type { Reshaping, ReshapingClass } from "./pooling.ts";
import { reshaping } from "./pooling.ts";
import { checkTensor } from "./settings.ts";

/** Fields resampled, rearranged or with a border, as layers. */

/**
 * `interpolate`: [batch, channels, ...spatial axes] with other sizes of its spatial axes.
 *
 * @example
 * ```ts
 * import { ones } from "@cotangent/autograd";
 * import { Upsample } from "@cotangent/nn";
 * const layer = new Upsample({ scaleFactor: 2, mode: "bilinear" });
 * layer.forward(ones([8, 3, 16, 16])).shape; // => [ 8, 3, 32, 32 ]
 * layer; // => Upsample(scaleFactor=2, mode=bilinear)
 * ```
 */
export const Upsample: ReshapingClass<[options: InterpolateOptions]> = reshaping("Upsample", interpolate, {
  size: true,
  scaleFactor: true,
  mode: true,
  alignCorners: "boolean",
});
export type Upsample = Reshaping;

/** `pixelShuffle`: [..., channels * factor^2, height, width] as [..., channels, height * factor, width * factor]. */
export const PixelShuffle: ReshapingClass<[factor: number]> = reshaping(
  "PixelShuffle",
  pixelShuffle,
  "factor",
);
export type PixelShuffle = Reshaping;

/** `pixelUnshuffle`, the inverse of `PixelShuffle`. */
export const PixelUnshuffle: ReshapingClass<[factor: number]> = reshaping(
  "PixelUnshuffle",
  pixelUnshuffle,
  "factor",
);
export type PixelUnshuffle = Reshaping;

/**
 * How wide a border is: the same on all sides, or before and behind each spatial axis from the last one on, as PyTorch has it: left,
 * right, top, bottom.
 */
export type Border = number | readonly number[];

type PadClass = ReshapingClass<[padding: Border]>;
type ConstantPadClass = ReshapingClass<[padding: Border, value: number]>;
type Mode = "constant" | "reflect" | "replicate" | "circular";

/** `x` with a border around its last `rank` axes; those before are batch and channels. */
function bordered(name: string, rank: number, x: Tensor, padding: Border, mode: Mode, value = 0): Tensor {
  checkTensor(name, x);
  const widths = typeof padding === "number" ? new Array<number>(2 * rank).fill(padding) : padding;
  if (!Array.isArray(widths) || widths.length !== 2 * rank)
    throw new ValueError(
      `${name}: padding is ${String(padding)}; give one width, or ${2 * rank}: before and behind each axis, the last one first`,
    );
  if (x.rank < rank + 1 || x.rank > rank + 2)
    throw new ShapeError(
      `${name}: takes channels and ${rank} spatial axes, with or without a batch, got shape [${x.shape.join(", ")}]`,
    );
  const pairs = x.shape.map((_, axis): [number, number] => {
    const at = 2 * (x.rank - 1 - axis);
    return [widths[at] ?? 0, widths[at + 1] ?? 0];
  });
  return pad(x, pairs, { mode, value });
}

function padding(name: string, rank: number, mode: Mode): PadClass {
  return reshaping(name, (x: Tensor, border: Border) => bordered(name, rank, x, border, mode), "padding");
}

function constantPadding(name: string, rank: number): ConstantPadClass {
  return reshaping(
    name,
    (x: Tensor, border: Border, value: number) => bordered(name, rank, x, border, "constant", value),
    "padding",
    "value",
  );
}

/** A border of one number around [batch, channels, length]. */
export const ConstantPad1d: ConstantPadClass = constantPadding("ConstantPad1d", 1);
export type ConstantPad1d = Reshaping;

/** A border of one number around [batch, channels, height, width]. */
export const ConstantPad2d: ConstantPadClass = constantPadding("ConstantPad2d", 2);
export type ConstantPad2d = Reshaping;

/** A border of one number around [batch, channels, depth, height, width]. */
export const ConstantPad3d: ConstantPadClass = constantPadding("ConstantPad3d", 3);
export type ConstantPad3d = Reshaping;

/**
 * A border of zeros around [batch, channels, height, width].
 *
 * @example
 * ```ts
 * import { ones } from "@cotangent/autograd";
 * import { ZeroPad2d } from "@cotangent/nn";
 * new ZeroPad2d([1, 2, 0, 0]).forward(ones([8, 3, 4, 4])).shape; // => [ 8, 3, 4, 7 ]
 * ```
 */
export const ZeroPad2d: PadClass = padding("ZeroPad2d", 2, "constant");
export type ZeroPad2d = Reshaping;

/** A border of the entries mirrored at the outermost, of [batch, channels, length]. */
export const ReflectionPad1d: PadClass = padding("ReflectionPad1d", 1, "reflect");
export type ReflectionPad1d = Reshaping;

/** A border of the entries mirrored at the outermost, of [batch, channels, height, width]. */
export const ReflectionPad2d: PadClass = padding("ReflectionPad2d", 2, "reflect");
export type ReflectionPad2d = Reshaping;

/** A border of the entries mirrored at the outermost, of [batch, channels, depth, height, width]. */
export const ReflectionPad3d: PadClass = padding("ReflectionPad3d", 3, "reflect");
export type ReflectionPad3d = Reshaping;

/** A border of the outermost entries, of [batch, channels, length]. */
export const ReplicationPad1d: PadClass = padding("ReplicationPad1d", 1, "replicate");
export type ReplicationPad1d = Reshaping;

/** A border of the outermost entries, of [batch, channels, height, width]. */
export const ReplicationPad2d: PadClass = padding("ReplicationPad2d", 2, "replicate");
export type ReplicationPad2d = Reshaping;

/** A border of the outermost entries, of [batch, channels, depth, height, width]. */
export const ReplicationPad3d: PadClass = padding("ReplicationPad3d", 3, "replicate");
export type ReplicationPad3d = Reshaping;

/** A border of the entries at the other end, of [batch, channels, length]. */
export const CircularPad1d: PadClass = padding("CircularPad1d", 1, "circular");
export type CircularPad1d = Reshaping;

/** A border of the entries at the other end, of [batch, channels, height, width]. */
export const CircularPad2d: PadClass = padding("CircularPad2d", 2, "circular");
export type CircularPad2d = Reshaping;

/** A border of the entries at the other end, of [batch, channels, depth, height, width]. */
export const CircularPad3d: PadClass = padding("CircularPad3d", 3, "circular");
export type CircularPad3d = Reshaping;
