import { ShapeError, ValueError } from "../errors.ts";
import { apply, Tensor } from "../graph.ts";
import type { Known } from "../options.ts";
import { optionsOf } from "../options.ts";
import { formatShape } from "../shape.ts";
import type { Operation } from "../signature.ts";
import { einsumOp, numbers } from "./contraction.ts";
import { folded, foldedInTurn, spanOf, windowsOf } from "./folding.ts";
import { describe } from "./leaf.ts";
import { reshape } from "./movement.ts";
import { add } from "./pointwise.ts";
import { padded, slice } from "./region.ts";
import type { Draw } from "./sample.ts";
import { composed } from "./sample.ts";
import type { PerAxis } from "./spatial.ts";
import { checkFit, drawSizes, inBatch, outOfBatch, perAxis, spatialAxes } from "./spatial.ts";

/**
 * Convolutions (cross-correlations, as everywhere in the field): products of a kernel with all windows of a tensor, which are
 * views, so that derivatives of every order are again products with windows (`folded`).
 */

// One file for all numbers of axes, forward and transposed: each is said in terms of the same windows.

/** What convolutions may be told, for each spatial axis or for all. */
export interface ConvolutionOptions {
  /** How far windows are apart; 1 unless given. */
  readonly stride?: PerAxis | undefined;
  /** Zeros at both ends; 0 (`"valid"`) unless given, and by `"same"` as many as keep the size, with a stride of 1. */
  readonly padding?: PerAxis | "same" | "valid" | undefined;
  /** How far the entries of a window are apart; 1 unless given. */
  readonly dilation?: PerAxis | undefined;
  /** Groups of channels, each with its own part of the results; 1 unless given. */
  readonly groups?: number | undefined;
}

export interface ConvolutionTransposeOptions {
  readonly stride?: PerAxis | undefined;
  /** Entries that are cut off at both ends of the result; 0 unless given. */
  readonly padding?: PerAxis | undefined;
  /** Entries more at the end of the result; 0 unless given, and less than stride or dilation. */
  readonly outputPadding?: PerAxis | undefined;
  readonly dilation?: PerAxis | undefined;
  readonly groups?: number | undefined;
}

type Convolution = Operation<[weight: Tensor, bias?: Tensor | null, options?: ConvolutionOptions]>;
type ConvolutionTranspose = Operation<
  [weight: Tensor, bias?: Tensor | null, options?: ConvolutionTransposeOptions]
>;

/** Operands of one dtype, the first in a batch. */
interface Operands {
  readonly x: Tensor;
  readonly weight: Tensor;
  readonly bias: Tensor | null;
}

function operandsOf(
  name: string,
  rank: number,
  x: Tensor,
  weight: Tensor,
  bias: Tensor | null | undefined,
): Operands {
  if (bias !== undefined && bias !== null && !(bias instanceof Tensor))
    throw new ValueError(
      `${name}: the bias is ${describe(bias)} and no tensor; options come after it: ${name}(x, weight, null, { padding: 1 })`,
    );
  const [a, w, b] = numbers(name, bias ? [x, weight, bias] : [x, weight]) as [Tensor, Tensor, Tensor?];
  if (w.rank !== rank + 2 || w.shape.slice(2).includes(0))
    throw new ShapeError(
      `${name}: a weight has channels on two axes and windows of at least one entry on ${rank} more, got shape ` +
        formatShape(w.shape),
    );
  return { x: inBatch(name, a, rank), weight: w, bias: b ?? null };
}

/** Throws unless `groups` part both numbers evenly. */
function checkGroups(name: string, groups: number, first: number, second: number): void {
  if (!Number.isInteger(groups) || groups < 1 || first % groups !== 0 || second % groups !== 0)
    throw new ValueError(
      `${name}: groups is ${groups}; it takes a whole number that divides the channels, ${first} and ${second}`,
    );
}

/** Plus the bias of each channel, and without a batch if `like` has none. */
function finished(name: string, out: Tensor, bias: Tensor | null, like: Tensor): Tensor {
  const [, channels, ...field] = out.shape;
  if (bias && (bias.rank !== 1 || bias.shape[0] !== channels))
    throw new ShapeError(
      `${name}: bias ${formatShape(bias.shape)} for ${channels} channels of results; it needs shape [${channels}]`,
    );
  return outOfBatch(bias ? add(out, reshape(bias, [channels!, ...field.map(() => 1)])) : out, like);
}

/** Zeros before and behind each spatial axis. */
function borders(
  name: string,
  padding: PerAxis | string,
  sizes: readonly number[],
  steps: readonly number[],
  dilations: readonly number[],
): { before: number[]; after: number[] } {
  if (padding === "same") {
    if (steps.some((step) => step !== 1))
      throw new ValueError(`${name}: padding "same" takes a stride of 1, got ${formatShape(steps)}`);
    const total = sizes.map((size, i) => spanOf(size, dilations[i]!) - 1);
    return { before: total.map((n) => Math.floor(n / 2)), after: total.map((n) => Math.ceil(n / 2)) };
  }
  if (typeof padding === "string" && padding !== "valid")
    throw new ValueError(`${name}: padding is "${padding}"; it is "same", "valid" or numbers`);
  const widths = perAxis(name, "padding", padding === "valid" ? 0 : (padding as PerAxis), sizes.length, 0);
  return { before: widths, after: widths };
}

function convolve(
  name: string,
  rank: number,
  operands: Operands,
  { stride = 1, padding = 0, dilation = 1, groups = 1 }: ConvolutionOptions,
): Tensor {
  const { x, weight } = operands;
  const [channels, ...field] = x.shape.slice(1) as [number, ...number[]];
  const [outs, each, ...sizes] = weight.shape as [number, number, ...number[]];
  checkGroups(name, groups, channels, outs);
  if (each * groups !== channels)
    throw new ShapeError(
      `${name}: weight ${formatShape(weight.shape)} is for ${each * groups} channels in ${groups} groups, x has ` +
        `${channels}: shape ${formatShape(x.shape)}`,
    );
  const steps = perAxis(name, "stride", stride, rank, 1);
  const dilations = perAxis(name, "dilation", dilation, rank, 1);
  const { before, after } = borders(name, padding, sizes, steps, dilations);
  const lengths = field.map((length, i) => length + before[i]! + after[i]!);
  checkFit(name, lengths, sizes, dilations, field);
  // In groups first, so that the gradient is a slice of a product.
  const parted = inGroups(x, 1, groups);
  const axes = spatialAxes(parted.rank - rank, rank);
  const none = axes[0] === 2 ? [0, 0] : [0, 0, 0];
  const wide = padded(parted, [...none, ...before], [...none, ...after]);
  const windows = windowsOf(wide, { axes, sizes, steps, dilations });
  const { g, xyz, uvw } = letters(rank, groups);
  const spec = `${g}oc${uvw},n${g}c${xyz}${uvw}->n${g}o${xyz}`;
  return outOfGroups(apply(einsumOp, [inGroups(weight, 0, groups), windows], { spec }), groups);
}

/** Group, places and entries of windows, in the labels of a product. */
function letters(rank: number, groups: number): { g: string; xyz: string; uvw: string } {
  return { g: groups === 1 ? "" : "g", xyz: "xyz".slice(0, rank), uvw: "uvw".slice(0, rank) };
}

/** The channels on `axis` as groups of channels; one group needs no axis. */
function inGroups(x: Tensor, axis: number, groups: number): Tensor {
  if (groups === 1) return x;
  const channels = x.shape[axis]!;
  return reshape(x, [...x.shape.slice(0, axis), groups, channels / groups, ...x.shape.slice(axis + 1)]);
}

function outOfGroups(x: Tensor, groups: number): Tensor {
  if (groups === 1) return x;
  const [batch, , each, ...field] = x.shape;
  return reshape(x, [batch!, groups * each!, ...field]);
}

function convolveTransposed(
  name: string,
  rank: number,
  operands: Operands,
  options: ConvolutionTransposeOptions,
): Tensor {
  const { x, weight } = operands;
  const { groups = 1 } = options;
  const [channels, ...field] = x.shape.slice(1) as [number, ...number[]];
  const ins = weight.shape[0]!;
  const sizes = weight.shape.slice(2);
  checkGroups(name, groups, channels, ins);
  if (ins !== channels)
    throw new ShapeError(
      `${name}: weight ${formatShape(weight.shape)} is for ${ins} channels, x has ${channels}: shape ` +
        formatShape(x.shape),
    );
  const setting = (word: keyof ConvolutionTransposeOptions, fallback: number) =>
    perAxis(name, word, options[word] ?? fallback, rank, fallback);
  const [steps, dilations] = [setting("stride", 1), setting("dilation", 1)];
  const [cut, more] = [setting("padding", 0), setting("outputPadding", 0)];
  more.forEach((extra, i) => {
    if (extra >= Math.max(steps[i]!, dilations[i]!))
      throw new ValueError(
        `${name}: outputPadding is ${formatShape(more)}; it is less than stride ${formatShape(steps)} or dilation ` +
          formatShape(dilations),
      );
  });
  const lengths = field.map(
    (length, i) => (length - 1) * steps[i]! + spanOf(sizes[i]!, dilations[i]!) + more[i]!,
  );
  lengths.forEach((length, i) => {
    if (field[i] === 0 || length <= 2 * cut[i]!)
      throw new ShapeError(
        `${name}: nothing is left of spatial axis ${i} of ${formatShape(x.shape)} with padding ${formatShape(cut)}`,
      );
  });
  const { g, xyz, uvw } = letters(rank, groups);
  const spec = `${g}co${uvw},n${g}c${xyz}->n${g}o${xyz}${uvw}`;
  const product = apply(einsumOp, [inGroups(weight, 0, groups), inGroups(x, 1, groups)], { spec });
  const axes = spatialAxes(groups === 1 ? 2 : 3, rank);
  const ends = lengths.map((length, i) => length - cut[i]!);
  const windows = { axes, sizes, steps, dilations };
  const inside =
    foldedInTurn(product, cut, ends, windows) ??
    cut.reduce(
      (y, width, i) => slice(y, width, ends[i]!, { axis: axes[i]! }),
      folded(product, lengths, windows),
    );
  return outOfGroups(inside, groups);
}

const convolving: Known<ConvolutionOptions> = { stride: true, padding: true, dilation: true, groups: true };

function convolution(name: string, rank: number): Convolution {
  return composed(
    name,
    (x: Tensor, weight: Tensor, bias?: Tensor | null, options?: ConvolutionOptions) => {
      const operands = operandsOf(name, rank, x, weight, bias);
      const set = optionsOf(name, options, convolving);
      return finished(name, convolve(name, rank, operands, set), operands.bias, x);
    },
    (draw) => {
      const sizes = drawSizes(draw, rank, 3);
      const options = { ...drawOptions(draw), padding: draw.integer(0, 2) };
      const span = sizes.map((size) => (size - 1) * options.dilation + 1);
      const field = span.map((least) => Math.max(1, least + draw.integer(0, 2) - 2 * options.padding));
      return drawOperands(draw, field, sizes, options, false);
    },
  );
}

function transposedConvolution(name: string, rank: number): ConvolutionTranspose {
  return composed(
    name,
    (x: Tensor, weight: Tensor, bias?: Tensor | null, options?: ConvolutionTransposeOptions) => {
      const operands = operandsOf(name, rank, x, weight, bias);
      const set = optionsOf(name, options, { ...convolving, outputPadding: true });
      return finished(name, convolveTransposed(name, rank, operands, set), operands.bias, x);
    },
    (draw) => {
      const [sizes, field] = [drawSizes(draw, rank, 3), drawSizes(draw, rank, 3)];
      const options = drawOptions(draw);
      const most = Math.max(options.stride, options.dilation) - 1;
      const outputPadding = draw.integer(0, most);
      const shortest = Math.min(...sizes.map((size, i) => (field[i]! - 1) * options.stride + size));
      const padding = draw.integer(0, Math.floor((shortest - 1) / 2));
      return drawOperands(draw, field, sizes, { ...options, outputPadding, padding }, true);
    },
  );
}

interface Drawn {
  readonly stride: number;
  readonly dilation: number;
  readonly groups: number;
  readonly padding?: number | undefined;
  readonly outputPadding?: number | undefined;
}

function drawOptions(draw: Draw): Drawn {
  return { stride: draw.integer(1, 3), dilation: draw.integer(1, 2), groups: draw.integer(1, 2) };
}

function drawOperands(
  draw: Draw,
  field: readonly number[],
  sizes: readonly number[],
  options: Drawn,
  transposed: boolean,
): unknown[] {
  const { groups } = options;
  const [each, outs] = [draw.integer(1, 2), draw.integer(1, 2) * groups];
  const channels = each * groups;
  const weight = transposed ? [channels, outs / groups, ...sizes] : [outs, each, ...sizes];
  const batch = draw.integer(0, 3) === 0 ? [] : [draw.integer(1, 2)];
  const bias = draw.coin() ? null : draw.tensor([outs]);
  return [draw.tensor([...batch, channels, ...field]), draw.tensor(weight), bias, options];
}

/**
 * The convolution of `x` [batch, in, length] (or [in, length]) with `weight` [out, in / groups, size], plus `bias` [out]: shape
 * [batch, out, floor((length + padding at both ends - dilation (size - 1) - 1) / stride) + 1]. The weight is not mirrored. Throws
 * ShapeError if the shapes do not fit, ValueError for settings that are none.
 *
 * @example
 * ```ts
 * import { conv1d, tensor } from "@cotangent/autograd";
 * const x = tensor([[1, 2, 3, 4]]);
 * conv1d(x, tensor([[[1, 0, -1]]])).toArray(); // => [ [ -2, -2 ] ]
 * conv1d(x, tensor([[[1, 0, -1]]]), null, { padding: "same" }).toArray(); // => [ [ -2, -2, -2, 3 ] ]
 * ```
 */
export const conv1d: Convolution = convolution("conv1d", 1);

/**
 * The convolution of `x` [batch, in, height, width] (or without batch) with `weight` [out, in / groups, height, width], plus
 * `bias` [out]; sizes, options and errors as for `conv1d`, each setting one number or [height, width].
 *
 * @example
 * ```ts
 * import { conv2d, ones } from "@cotangent/autograd";
 * conv2d(ones([1, 3, 3]), ones([1, 1, 3, 3]), null, { padding: 1 }).squeeze().toArray(); // => [ [ 4, 6, 4 ], [ 6, 9, 6 ], [ 4, 6, 4 ] ]
 * conv2d(ones([8, 4, 9, 9]), ones([6, 2, 3, 3]), ones([6]), { stride: 2, groups: 2 }).shape; // => [ 8, 6, 4, 4 ]
 * ```
 */
export const conv2d: Convolution = convolution("conv2d", 2);

/** The convolution of `x` [batch, in, depth, height, width] with `weight` [out, in / groups, depth, height, width]; see `conv1d`. */
export const conv3d: Convolution = convolution("conv3d", 3);

/**
 * The adjoint of `conv1d`: each entry of `x` [batch, in, length] adds `weight` [in, out / groups, size] times itself where its window
 * lies. Shape [batch, out, (length - 1) stride - 2 padding + dilation (size - 1) + outputPadding + 1]. Throws ShapeError if the
 * shapes do not fit or nothing is left, ValueError for settings that are none.
 *
 * @example
 * ```ts
 * import { convTranspose1d, tensor } from "@cotangent/autograd";
 * convTranspose1d(tensor([[1, 10]]), tensor([[[1, 2, 3]]]), null, { stride: 2 }).toArray(); // => [ [ 1, 2, 13, 20, 30 ] ]
 * ```
 */
export const convTranspose1d: ConvolutionTranspose = transposedConvolution("convTranspose1d", 1);

/**
 * The adjoint of `conv2d`: `x` [batch, in, height, width] and `weight` [in, out / groups, height, width]; see `convTranspose1d`.
 */
export const convTranspose2d: ConvolutionTranspose = transposedConvolution("convTranspose2d", 2);

/** The adjoint of `conv3d`: `x` and `weight` with depth, height and width; see `convTranspose1d`. */
export const convTranspose3d: ConvolutionTranspose = transposedConvolution("convTranspose3d", 3);
