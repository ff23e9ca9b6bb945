import type { DrawOptions } from "@cotangent/autograd/functional";
import {
  normal as drawNormal,
  truncatedNormal as drawTruncatedNormal,
  uniform as drawUniform,
  hideFrames,
  ValueError,
  Variable,
} from "@cotangent/autograd/functional";
import { checkNumber, optionsOf } from "../options.ts";

hideFrames(import.meta.url);

/** Initializers that fill with a number, or with draws from a distribution that is given. */

/** What initializers that draw take besides. */
export type InitializeOptions = Pick<DrawOptions, "generator">;

/** Makes all elements of `x` zero and returns it. */
export function zeros<V extends Variable>(x: V): V {
  return constant(checkVariable("zeros", x), 0);
}

/** Makes all elements of `x` one and returns it. */
export function ones<V extends Variable>(x: V): V {
  return constant(checkVariable("ones", x), 1);
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
  checkNumber("constant: the value", value);
  checkVariable("constant", x).assign(value);
  return x;
}

export interface UniformOptions extends InitializeOptions {
  /** 0 unless given. */
  readonly low?: number | undefined;
  /** 1 unless given. */
  readonly high?: number | undefined;
}

/** Fills `x` with numbers evenly distributed from `low` to `high`, and returns it. Throws ValueError if `low` is above `high`. */
export function uniform<V extends Variable>(x: V, options: UniformOptions = {}): V {
  const given = optionsOf("uniform", options, { low: true, high: true, generator: true });
  checkVariable("uniform", x).assign(drawUniform(x.shape, { ...given, dtype: x.dtype }));
  return x;
}

export interface NormalOptions extends InitializeOptions {
  /** 0 unless given. */
  readonly mean?: number | undefined;
  /** 1 unless given. */
  readonly deviation?: number | undefined;
}

/** Fills `x` with normally distributed numbers, and returns it. Throws ValueError if `deviation` is negative. */
export function normal<V extends Variable>(x: V, options: NormalOptions = {}): V {
  const given = optionsOf("normal", options, { mean: true, deviation: true, generator: true });
  checkVariable("normal", x).assign(drawNormal(x.shape, { ...given, dtype: x.dtype }));
  return x;
}

export interface TruncatedNormalOptions extends NormalOptions {
  /** The least number, -2 unless given: a place, not a multiple of the deviation. */
  readonly low?: number | undefined;
  /** The largest number, 2 unless given. */
  readonly high?: number | undefined;
}

/**
 * Fills `x` with normally distributed numbers, given that they lie from `low` to `high`, and returns it. Throws ValueError unless
 * `deviation` is above 0 and `low` below `high`, and for bounds wholly beyond 5 deviations.
 *
 * @example
 * ```ts
 * import { zeros, variable } from "@cotangent/autograd";
 * import { truncatedNormal } from "@cotangent/nn/initialize";
 * const x = truncatedNormal(variable(zeros([100])), { deviation: 0.02, low: -0.04, high: 0.04 });
 * x.abs().amax().item() <= 0.0401; // => true
 * ```
 */
export function truncatedNormal<V extends Variable>(x: V, options: TruncatedNormalOptions = {}): V {
  const given = optionsOf("truncatedNormal", options, {
    low: true,
    high: true,
    mean: true,
    deviation: true,
    generator: true,
  });
  checkVariable("truncatedNormal", x).assign(drawTruncatedNormal(x.shape, { ...given, dtype: x.dtype }));
  return x;
}

/** `x`. Throws ValueError unless it is a variable: a layer has several, and the bias of some is null. */
export function checkVariable<V extends Variable>(name: string, x: V): V {
  if (x instanceof Variable) return x;
  throw new ValueError(`${name}: fills a variable, such as layer.weight, got ${String(x)}`);
}

/** Throws ValueError unless `value` is a finite number of at least 0. */
export function atLeastZero(name: string, what: string, value: number): number {
  checkNumber(`${name}: the ${what}`, value, 0);
  return value;
}
