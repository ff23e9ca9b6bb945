import type { Variable } from "@cotangent/autograd/functional";
import { hideFrames, ShapeError, ValueError } from "@cotangent/autograd/functional";
import { checkNumber, optionsOf } from "../options.ts";
import type { InitializeOptions } from "./fill.ts";
import { atLeastZero, checkVariable, normal, uniform } from "./fill.ts";

hideFrames(import.meta.url);

/** Initializers whose deviation follows from how many inputs and outputs a weight has. */

/** What may follow a layer, for `calculateGain`; `linear` stands for nothing. */
export type Nonlinearity = "linear" | "sigmoid" | "tanh" | "relu" | "leakyRelu" | "selu";

/**
 * The `gain` for the initializers below that suits what follows the layer: 1 for linear and sigmoid, 5/3 for tanh, sqrt(2) for
 * relu, sqrt(2 / (1 + negativeSlope^2)) for leakyRelu (`negativeSlope` 0.01 unless given), 3/4 for selu; as in PyTorch. Throws
 * ValueError for another word, or if `negativeSlope` is not a finite number.
 *
 * @example
 * ```ts
 * import { calculateGain } from "@cotangent/nn/initialize";
 * calculateGain("leakyRelu", { negativeSlope: 1 }); // => 1
 * ```
 */
export function calculateGain(
  nonlinearity: Nonlinearity,
  options: { readonly negativeSlope?: number | undefined } = {},
): number {
  const { negativeSlope = 0.01 } = optionsOf("calculateGain", options, { negativeSlope: true });
  checkNumber("calculateGain: negativeSlope", negativeSlope);
  const gains: Readonly<Record<Nonlinearity, number>> = {
    linear: 1,
    sigmoid: 1,
    tanh: 5 / 3,
    relu: Math.SQRT2,
    leakyRelu: Math.sqrt(2 / (1 + negativeSlope * negativeSlope)),
    selu: 3 / 4,
  };
  if (!Object.hasOwn(gains, nonlinearity))
    throw new ValueError(
      `calculateGain: knows ${Object.keys(gains).join(", ")}, got ${String(nonlinearity)}; give the gain itself`,
    );
  return gains[nonlinearity];
}

export interface XavierOptions extends InitializeOptions {
  /** Multiplies the deviation; 1 unless given, 5/3 for tanh. */
  readonly gain?: number | undefined;
}

/**
 * Fills a weight [out, in, ...] evenly between ±gain sqrt(6 / (in + out)), and returns it. Throws ShapeError if it has fewer
 * than two axes. (Glorot and Bengio 2010, "Understanding the difficulty of training deep feedforward neural networks".)
 *
 * @example
 * ```ts
 * import { Linear } from "@cotangent/nn";
 * import { xavierUniform } from "@cotangent/nn/initialize";
 * const { weight } = new Linear(2, 3);
 * xavierUniform(weight, { gain: 5 / 3 }).shape; // => [ 3, 2 ]
 * ```
 */
export function xavierUniform<V extends Variable>(x: V, given: XavierOptions = {}): V {
  const { gain = 1, ...options } = optionsOf("xavierUniform", given, { gain: true, generator: true });
  return evenly("xavierUniform", x, xavierDeviation("xavierUniform", x, gain), options);
}

/** Fills a weight [out, in, ...] normally with deviation gain sqrt(2 / (in + out)), and returns it; see `xavierUniform`. */
export function xavierNormal<V extends Variable>(x: V, given: XavierOptions = {}): V {
  const { gain = 1, ...options } = optionsOf("xavierNormal", given, { gain: true, generator: true });
  return normal(x, { ...options, deviation: xavierDeviation("xavierNormal", x, gain) });
}

function xavierDeviation(name: string, x: Variable, gain: number): number {
  const { fanIn, fanOut } = fans(name, x);
  return atLeastZero(name, "gain", gain) * Math.sqrt(2 / (fanIn + fanOut));
}

export interface KaimingOptions extends InitializeOptions {
  /** Keeps the variance of the values (`"in"`, unless given) or of the gradients (`"out"`). */
  readonly fan?: "in" | "out" | undefined;
  /** What follows: sqrt(2) for relu (unless given), 1 for a linear layer, sqrt(2 / (1 + slope^2)) for a leaky relu. */
  readonly gain?: number | undefined;
}

/**
 * Fills a weight [out, in, ...] evenly between ±gain sqrt(3 / fan), and returns it. Throws ShapeError if it has fewer than two
 * axes. (He et al. 2015, "Delving deep into rectifiers".)
 */
export function kaimingUniform<V extends Variable>(x: V, given: KaimingOptions = {}): V {
  const { fan, gain, ...options } = optionsOf("kaimingUniform", given, {
    fan: true,
    gain: true,
    generator: true,
  });
  return evenly("kaimingUniform", x, kaimingDeviation("kaimingUniform", x, fan, gain), options);
}

/** Fills a weight [out, in, ...] normally with deviation gain / sqrt(fan), and returns it; see `kaimingUniform`. */
export function kaimingNormal<V extends Variable>(x: V, given: KaimingOptions = {}): V {
  const { fan, gain, ...options } = optionsOf("kaimingNormal", given, {
    fan: true,
    gain: true,
    generator: true,
  });
  return normal(x, { ...options, deviation: kaimingDeviation("kaimingNormal", x, fan, gain) });
}

function kaimingDeviation(name: string, x: Variable, fan: "in" | "out" = "in", gain = Math.SQRT2): number {
  if (fan !== "in" && fan !== "out")
    throw new ValueError(`${name}: fan is "in" or "out", got ${String(fan)}`);
  const { fanIn, fanOut } = fans(name, x);
  return atLeastZero(name, "gain", gain) / Math.sqrt(fan === "in" ? fanIn : fanOut);
}

/**
 * Fills a weight [out, in, ...] evenly between ±sqrt(3 / in), and returns it. Throws ShapeError if it has fewer than two axes.
 * (LeCun et al. 1998, "Efficient backprop".)
 */
export function lecunUniform<V extends Variable>(x: V, given: InitializeOptions = {}): V {
  const options = optionsOf("lecunUniform", given, { generator: true });
  return evenly("lecunUniform", x, kaimingDeviation("lecunUniform", x, "in", 1), options);
}

/** Fills a weight [out, in, ...] normally with deviation 1 / sqrt(in), for selu, and returns it; see `lecunUniform`. */
export function lecunNormal<V extends Variable>(x: V, given: InitializeOptions = {}): V {
  const options = optionsOf("lecunNormal", given, { generator: true });
  return normal(x, { ...options, deviation: kaimingDeviation("lecunNormal", x, "in", 1) });
}

export interface VarianceScalingOptions extends InitializeOptions {
  /** Multiplies the variance; 1 unless given. */
  readonly scale?: number | undefined;
  /** Divides the variance: the inputs (`"in"`, unless given), the outputs (`"out"`), or the mean of the two (`"average"`). */
  readonly fan?: "in" | "out" | "average" | undefined;
  /** `"normal"` unless given. */
  readonly distribution?: "normal" | "uniform" | undefined;
}

/**
 * Fills a weight [out, in, ...] around 0 with variance scale / fan, and returns it: with fan "average" and distribution
 * "uniform" it is `xavierUniform`. Throws ShapeError if it has fewer than two axes, ValueError if `scale` is negative or a word
 * is another.
 *
 * @example
 * ```ts
 * import { Linear } from "@cotangent/nn";
 * import { varianceScaling } from "@cotangent/nn/initialize";
 * const { weight } = new Linear(2, 3);
 * const filled = varianceScaling(weight, { fan: "average", distribution: "uniform" });
 * filled === weight; // => true
 * ```
 */
export function varianceScaling<V extends Variable>(x: V, given: VarianceScalingOptions = {}): V {
  const name = "varianceScaling";
  const {
    scale = 1,
    fan = "in",
    distribution = "normal",
    ...options
  } = optionsOf(name, given, { scale: true, fan: true, distribution: true, generator: true });
  if (fan !== "in" && fan !== "out" && fan !== "average")
    throw new ValueError(`${name}: fan is "in", "out" or "average", got ${String(fan)}`);
  if (distribution !== "normal" && distribution !== "uniform")
    throw new ValueError(`${name}: distribution is "normal" or "uniform", got ${String(distribution)}`);
  const gain = Math.sqrt(atLeastZero(name, "scale", scale));
  const deviation = fan === "average" ? xavierDeviation(name, x, gain) : kaimingDeviation(name, x, fan, gain);
  return distribution === "normal"
    ? normal(x, { ...options, deviation })
    : evenly(name, x, deviation, options);
}

/** Fills `x` evenly around 0 with the given deviation. */
function evenly<V extends Variable>(name: string, x: V, deviation: number, options: InitializeOptions): V {
  const high = Math.sqrt(3) * atLeastZero(name, "deviation", deviation);
  return uniform(x, { ...options, low: -high, high });
}

/** How many inputs an output has, and how many outputs an input reaches. */
function fans(name: string, x: Variable): { fanIn: number; fanOut: number } {
  const { shape } = checkVariable(name, x);
  const [out, inputs, ...field] = shape;
  if (out === undefined || inputs === undefined)
    throw new ShapeError(
      `${name}: a weight has at least the axes [out, in], got shape [${shape.join(", ")}]; use uniform or zeros for biases`,
    );
  const positions = field.reduce((product, size) => product * size, 1);
  return { fanIn: inputs * positions, fanOut: out * positions };
}
