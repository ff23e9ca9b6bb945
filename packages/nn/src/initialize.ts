import type { DrawOptions, Shape, Variable } from "@cotangent/autograd";
import {
  normal as drawNormal,
  uniform as drawUniform,
  hideFrames,
  ShapeError,
  ValueError,
} from "@cotangent/autograd";

hideFrames(import.meta.url);

/** What initializers that draw take besides. */
export type InitializeOptions = Pick<DrawOptions, "generator">;

/** Makes all elements of `x` zero and returns it. */
export function zeros<V extends Variable>(x: V): V {
  return constant(x, 0);
}

/** Makes all elements of `x` one and returns it. */
export function ones<V extends Variable>(x: V): V {
  return constant(x, 1);
}

/**
 * Makes all elements of `x` equal to `value` and returns it.
 *
 * @example
 * ```ts
 * import { Linear } from "@cotangent/nn";
 * import { constant } from "@cotangent/nn/initialize";
 * const layer = new Linear(2, 2);
 * constant(layer.weight, 0.5);
 * layer.weight.toArray(); // => 0.5,0.5,0.5,0.5
 * ```
 */
export function constant<V extends Variable>(x: V, value: number): V {
  x.assign(value);
  return x;
}

export interface UniformOptions extends InitializeOptions {
  /** 0 unless given. */
  readonly low?: number;
  /** 1 unless given. */
  readonly high?: number;
}

/** Fills `x` with numbers evenly distributed from `low` to `high`, and returns it. Throws ValueError if `low` is above `high`. */
export function uniform<V extends Variable>(x: V, options: UniformOptions = {}): V {
  x.assign(drawUniform(x.shape, { ...options, dtype: x.dtype }));
  return x;
}

export interface NormalOptions extends InitializeOptions {
  /** 0 unless given. */
  readonly mean?: number;
  /** 1 unless given. */
  readonly deviation?: number;
}

/** Fills `x` with normally distributed numbers, and returns it. Throws ValueError if `deviation` is negative. */
export function normal<V extends Variable>(x: V, options: NormalOptions = {}): V {
  x.assign(drawNormal(x.shape, { ...options, dtype: x.dtype }));
  return x;
}

export interface XavierOptions extends InitializeOptions {
  /** Multiplies the deviation; 1 unless given, 5/3 for tanh. */
  readonly gain?: number;
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
export function xavierUniform<V extends Variable>(x: V, { gain = 1, ...options }: XavierOptions = {}): V {
  return evenly("xavierUniform", x, xavierDeviation("xavierUniform", x.shape, gain), options);
}

/** Fills a weight [out, in, ...] normally with deviation gain sqrt(2 / (in + out)), and returns it; see `xavierUniform`. */
export function xavierNormal<V extends Variable>(x: V, { gain = 1, ...options }: XavierOptions = {}): V {
  return normal(x, { ...options, deviation: xavierDeviation("xavierNormal", x.shape, gain) });
}

function xavierDeviation(name: string, shape: Shape, gain: number): number {
  const { fanIn, fanOut } = fans(name, shape);
  return positive(name, "gain", gain) * Math.sqrt(2 / (fanIn + fanOut));
}

export interface KaimingOptions extends InitializeOptions {
  /** Keeps the variance of the values (`"in"`, unless given) or of the gradients (`"out"`). */
  readonly fan?: "in" | "out";
  /** What follows: sqrt(2) for relu (unless given), 1 for a linear layer, sqrt(2 / (1 + slope^2)) for a leaky relu. */
  readonly gain?: number;
}

/**
 * Fills a weight [out, in, ...] evenly between ±gain sqrt(3 / fan), and returns it. Throws ShapeError if it has fewer than two
 * axes. (He et al. 2015, "Delving deep into rectifiers".)
 */
export function kaimingUniform<V extends Variable>(x: V, { fan, gain, ...options }: KaimingOptions = {}): V {
  return evenly("kaimingUniform", x, kaimingDeviation("kaimingUniform", x.shape, fan, gain), options);
}

/** Fills a weight [out, in, ...] normally with deviation gain / sqrt(fan), and returns it; see `kaimingUniform`. */
export function kaimingNormal<V extends Variable>(x: V, { fan, gain, ...options }: KaimingOptions = {}): V {
  return normal(x, { ...options, deviation: kaimingDeviation("kaimingNormal", x.shape, fan, gain) });
}

function kaimingDeviation(name: string, shape: Shape, fan: "in" | "out" = "in", gain = Math.SQRT2): number {
  if (fan !== "in" && fan !== "out")
    throw new ValueError(`${name}: fan is "in" or "out", got ${String(fan)}`);
  const { fanIn, fanOut } = fans(name, shape);
  return positive(name, "gain", gain) / Math.sqrt(fan === "in" ? fanIn : fanOut);
}

/** Fills `x` evenly around 0 with the given deviation. */
function evenly<V extends Variable>(name: string, x: V, deviation: number, options: InitializeOptions): V {
  const high = Math.sqrt(3) * positive(name, "deviation", deviation);
  return uniform(x, { ...options, low: -high, high });
}

/** How many inputs an output has, and how many outputs an input reaches. */
function fans(name: string, shape: Shape): { fanIn: number; fanOut: number } {
  const [out, inputs, ...field] = shape;
  if (out === undefined || inputs === undefined)
    throw new ShapeError(
      `${name}: a weight has at least the axes [out, in], got shape [${shape.join(", ")}]; use uniform or zeros for biases`,
    );
  const positions = field.reduce((product, size) => product * size, 1);
  return { fanIn: inputs * positions, fanOut: out * positions };
}

function positive(name: string, what: string, value: number): number {
  if (!(value >= 0 && value < Infinity))
    throw new ValueError(`${name}: the ${what} is a number of at least 0, got ${value}`);
  return value;
}
