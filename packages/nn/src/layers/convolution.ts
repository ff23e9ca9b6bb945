import type {
  ConvolutionOptions,
  ConvolutionTransposeOptions,
  DrawOptions,
  PerAxis,
} from "@cotangent/autograd/functional";
import {
  conv1d,
  conv2d,
  conv3d,
  convTranspose1d,
  convTranspose2d,
  convTranspose3d,
  pad,
  ShapeError,
  type Tensor,
  uniform,
  ValueError,
} from "@cotangent/autograd/functional";
import { Module, Parameter } from "../module.ts";
import type { Known } from "../options.ts";
import { checkList, drawing, optionsOf } from "../options.ts";
import { checkTensor, copied, settings } from "./settings.ts";

/** Convolutions as layers: names, layouts and first values are PyTorch's. */

export interface ConvOptions extends ConvolutionOptions, DrawOptions {
  /** Adds a bias for each channel unless false. */
  readonly bias?: boolean | undefined;
  /** What the padding holds: `"zeros"` unless given, or the entries that `pad` puts there by the other words. */
  readonly paddingMode?: "zeros" | "reflect" | "replicate" | "circular" | undefined;
}

export interface ConvTransposeOptions extends ConvolutionTransposeOptions, DrawOptions {
  /** Adds a bias for each channel unless false. */
  readonly bias?: boolean | undefined;
}

const modes = ["zeros", "reflect", "replicate", "circular"] as const;
const axes = ["length", "height, width", "depth, height, width"];

/** How the layers differ. */
interface Kind<Options> {
  readonly rank: number;
  /** Is the weight [in, out / groups, ...kernelSize], instead of [out, in / groups, ...kernelSize]? */
  readonly transposed: boolean;
  readonly options: Known<Options>;
  convolve(x: Tensor, weight: Tensor, bias: Tensor | null, options: Options): Tensor;
}

/** What all layers have: parameters, and a check of the input that names the layer. */
abstract class Convolving<Options extends ConvOptions | ConvTransposeOptions> extends Module {
  readonly inChannels: number;
  readonly outChannels: number;
  readonly kernelSize: readonly number[];
  readonly weight: Parameter;
  readonly bias: Parameter | null;
  readonly #kind: Kind<Options>;
  readonly #options: Options;

  protected constructor(
    kind: Kind<Options>,
    inChannels: number,
    outChannels: number,
    kernelSize: PerAxis,
    options: Options,
  ) {
    super();
    const {
      bias = true,
      dtype,
      generator,
      ...rest
    } = optionsOf<Options>(this.constructor.name, options, kind.options);
    const { groups = 1 } = options;
    const sizes = typeof kernelSize === "number" ? new Array<number>(kind.rank).fill(kernelSize) : kernelSize;
    checkList(`${this.constructor.name}: kernelSize, where it is no number,`, sizes);
    checkSizes(this.constructor.name, [inChannels, outChannels, groups], sizes, kind.rank);
    this.inChannels = inChannels;
    this.outChannels = outChannels;
    this.kernelSize = copied(sizes);
    this.#kind = kind;
    this.#options = copied(rest) as Options;
    const [first, second] = kind.transposed ? [inChannels, outChannels] : [outChannels, inChannels];
    const shape = [first, second / groups, ...sizes];
    const high = 1 / Math.sqrt(shape.slice(1).reduce((product, size) => product * size, 1));
    const drawn = { ...(dtype && { dtype }), ...(generator && { generator }), low: -high, high };
    this.weight = new Parameter(uniform(shape, drawn)).named("weight");
    this.bias = bias ? new Parameter(uniform([outChannels], drawn)).named("bias") : null;
  }

  forward(x: Tensor): Tensor {
    this.#check(x);
    return this.#kind.convolve(x, this.weight, this.bias, this.#options);
  }

  #check(x: Tensor): void {
    const { name } = this.constructor;
    checkTensor(name, x);
    const { inChannels, outChannels } = this;
    const { rank } = this.#kind;
    const fits = x.rank === rank + 1 || x.rank === rank + 2;
    if (fits && x.shape.at(-1 - rank) === inChannels) return;
    const path = this.weight.label?.replace(/\.?weight$/, "");
    throw new ShapeError(
      `${name}(${inChannels}, ${outChannels})${path ? ` at ${path}` : ""}: takes [batch, ${inChannels}, ${axes[rank - 1]}], ` +
        `with or without the batch, got shape [${x.shape.join(", ")}]; reshape the input, or make the layer with other channels`,
    );
  }

  protected override details(): string {
    const { inChannels, outChannels, kernelSize, bias } = this;
    const all = { inChannels, outChannels, kernelSize, ...this.#options, bias: bias !== null };
    return settings(undefined, all).join(", ");
  }
}

function checkSizes(
  name: string,
  [ins, outs, groups]: readonly [number, number, number],
  sizes: readonly number[],
  rank: number,
): void {
  if (sizes.length !== rank || [ins, outs, groups, ...sizes].some((n) => !Number.isInteger(n) || n < 1))
    throw new ValueError(
      `${name}: ${ins} and ${outs} channels in ${groups} groups with windows of [${sizes.join(", ")}]; all of them are whole ` +
        `numbers of at least 1, and a window has a size for each of ${rank} axes`,
    );
  if (ins % groups !== 0 || outs % groups !== 0)
    throw new ValueError(`${name}: ${groups} groups do not divide ${ins} and ${outs} channels`);
}

/** The names of the options that all have. */
const shared = { stride: true, dilation: true, groups: true, bias: "boolean", ...drawing } as const;

function direct(rank: number, f: typeof conv1d): Kind<ConvOptions> {
  return {
    rank,
    transposed: false,
    options: { padding: true, paddingMode: true, ...shared },
    convolve: (x, weight, bias, { paddingMode = "zeros", ...options }) =>
      paddingMode === "zeros"
        ? f(x, weight, bias, options)
        : f(bordered(x, weight.shape.slice(2), options, paddingMode), weight, bias, {
            ...options,
            padding: 0,
          }),
  };
}

function transposed(rank: number, convolve: typeof convTranspose1d): Kind<ConvTransposeOptions> {
  return { rank, transposed: true, options: { padding: true, outputPadding: true, ...shared }, convolve };
}

/** `x` with its padding, by another mode than zeros. */
function bordered(
  x: Tensor,
  sizes: readonly number[],
  { padding = 0, dilation = 1, stride = 1 }: ConvolutionOptions,
  mode: "reflect" | "replicate" | "circular",
): Tensor {
  if (padding === "same" && [stride].flat().some((step) => step !== 1))
    throw new ValueError(`conv${sizes.length}d: padding "same" takes a stride of 1, got ${String(stride)}`);
  const widths = sizes.map((size, i): [number, number] => {
    const spread = typeof dilation === "number" ? dilation : (dilation[i] ?? 1);
    const total = (size - 1) * spread;
    if (padding === "same") return [Math.floor(total / 2), Math.ceil(total / 2)];
    const width = padding === "valid" ? 0 : typeof padding === "number" ? padding : (padding[i] ?? 0);
    return [width, width];
  });
  const kept = x.shape.slice(0, x.rank - sizes.length).map((): [number, number] => [0, 0]);
  return pad(x, [...kept, ...widths], { mode });
}

function checkMode(name: string, options: ConvOptions): void {
  const { paddingMode = "zeros" } = optionsOf(name, options);
  if (!modes.includes(paddingMode))
    throw new ValueError(`${name}: unknown paddingMode "${paddingMode}"; there are ${modes.join(", ")}`);
}

/**
 * `conv1d` with a learned `weight` [out, in / groups, kernelSize] and `bias` [out]: [batch, in, length] gives [batch, out, length'].
 * Both start evenly distributed between ±1/sqrt(in / groups * kernelSize), as in PyTorch (He et al. 2015 with a = sqrt(5)).
 *
 * Throws ValueError unless channels, groups and kernelSize are whole numbers that go together; `forward` throws ShapeError if `x` has
 * other channels.
 *
 * @example
 * ```ts
 * import { ones } from "@cotangent/autograd";
 * import { Conv1d } from "@cotangent/nn";
 * const layer = new Conv1d(4, 8, 3, { padding: "same" });
 * layer.forward(ones([2, 4, 10])).shape; // => [ 2, 8, 10 ]
 * layer; // => Conv1d(inChannels=4, outChannels=8, kernelSize=[3], padding=same, bias=true)
 * ```
 */
export class Conv1d extends Convolving<ConvOptions> {
  constructor(inChannels: number, outChannels: number, kernelSize: PerAxis, options: ConvOptions = {}) {
    checkMode("Conv1d", options);
    super(direct(1, conv1d), inChannels, outChannels, kernelSize, options);
  }
}

/**
 * `conv2d` with a learned `weight` [out, in / groups, height, width] and `bias` [out]: [batch, in, height, width] gives [batch, out,
 * height', width']; see `Conv1d`.
 *
 * @example
 * ```ts
 * import { ones } from "@cotangent/autograd";
 * import { Conv2d } from "@cotangent/nn";
 * const layer = new Conv2d(1, 16, 3, { padding: 1 });
 * layer.forward(ones([32, 1, 28, 28])).shape; // => [ 32, 16, 28, 28 ]
 * ```
 */
export class Conv2d extends Convolving<ConvOptions> {
  constructor(inChannels: number, outChannels: number, kernelSize: PerAxis, options: ConvOptions = {}) {
    checkMode("Conv2d", options);
    super(direct(2, conv2d), inChannels, outChannels, kernelSize, options);
  }
}

/** `conv3d` with a learned `weight` [out, in / groups, depth, height, width] and `bias` [out]; see `Conv1d`. */
export class Conv3d extends Convolving<ConvOptions> {
  constructor(inChannels: number, outChannels: number, kernelSize: PerAxis, options: ConvOptions = {}) {
    checkMode("Conv3d", options);
    super(direct(3, conv3d), inChannels, outChannels, kernelSize, options);
  }
}

/**
 * `convTranspose1d` with a learned `weight` [in, out / groups, kernelSize] and `bias` [out]: [batch, in, length] gives [batch, out,
 * length']. Both start evenly distributed between ±1/sqrt(out / groups * kernelSize), as in PyTorch. Errors as for `Conv1d`.
 *
 * @example
 * ```ts
 * import { ones } from "@cotangent/autograd";
 * import { ConvTranspose1d } from "@cotangent/nn";
 * new ConvTranspose1d(8, 4, 3, { stride: 2 }).forward(ones([2, 8, 5])).shape; // => [ 2, 4, 11 ]
 * ```
 */
export class ConvTranspose1d extends Convolving<ConvTransposeOptions> {
  constructor(
    inChannels: number,
    outChannels: number,
    kernelSize: PerAxis,
    options: ConvTransposeOptions = {},
  ) {
    super(transposed(1, convTranspose1d), inChannels, outChannels, kernelSize, options);
  }
}

/** `convTranspose2d` with a learned `weight` [in, out / groups, height, width] and `bias` [out]; see `ConvTranspose1d`. */
export class ConvTranspose2d extends Convolving<ConvTransposeOptions> {
  constructor(
    inChannels: number,
    outChannels: number,
    kernelSize: PerAxis,
    options: ConvTransposeOptions = {},
  ) {
    super(transposed(2, convTranspose2d), inChannels, outChannels, kernelSize, options);
  }
}

/** `convTranspose3d` with a learned `weight` [in, out / groups, depth, height, width] and `bias` [out]; see `ConvTranspose1d`. */
export class ConvTranspose3d extends Convolving<ConvTransposeOptions> {
  constructor(
    inChannels: number,
    outChannels: number,
    kernelSize: PerAxis,
    options: ConvTransposeOptions = {},
  ) {
    super(transposed(3, convTranspose3d), inChannels, outChannels, kernelSize, options);
  }
}
