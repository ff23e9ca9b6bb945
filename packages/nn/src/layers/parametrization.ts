import type { DrawOptions, Shape } from "@cotangent/autograd/functional";
import {
  assignAll,
  div,
  matmul,
  maximum,
  mul,
  norm,
  normal,
  permute,
  reshape,
  sqrt,
  square,
  stopGradient,
  sum,
  type Tensor,
  transpose,
  ValueError,
} from "@cotangent/autograd/functional";
import { Buffer, Module, Parameter } from "../module.ts";
import { checkNumber, optionsOf } from "../options.ts";
import { ConvTranspose1d, ConvTranspose2d, ConvTranspose3d } from "./convolution.ts";
import { checkSizes } from "./settings.ts";

/** Parametrizations: a parameter of a layer that is there already becomes a function of others. They are in place, as in PyTorch. */

export interface WeightNormOptions {
  /** The parameter; `"weight"` unless given. */
  readonly name?: string | undefined;
  /** The axis along which lengths are kept apart; 0 unless given, null for one length. */
  readonly dim?: number | null | undefined;
}

/** The parameter of `layer` called `name`. Throws ValueError unless there is one of at least `rank` axes. */
function parameterOf(caller: string, layer: Module, name: string, rank: number): Parameter {
  if (!(layer instanceof Module)) throw new ValueError(`${caller}: takes a layer, got ${String(layer)}`);
  const value: unknown = (layer as unknown as Record<string, unknown>)[name];
  if (!(value instanceof Parameter) || value.rank < rank)
    throw new ValueError(
      `${caller}: ${layer.constructor.name} has no parameter ${name} of at least ${rank} axes`,
    );
  return value;
}

/** `dim` counted from the front. Throws ValueError unless it is an axis. */
function axisOf(caller: string, dim: number, rank: number): number {
  if (!Number.isInteger(dim) || dim < -rank || dim >= rank)
    throw new ValueError(`${caller}: dim is an axis from ${-rank} to ${rank - 1}, got ${String(dim)}`);
  return dim < 0 ? dim + rank : dim;
}

/**
 * Puts `fields` in place of the parameter `name`, which `compute` gives from now on: once in each `forward`, with new values of
 * buffers, which they get if it goes well, and whenever it is asked for otherwise.
 */
function replace(
  layer: Module,
  name: string,
  fields: Readonly<Record<string, Parameter | Buffer>>,
  compute: (inForward: boolean) => readonly [value: Tensor, ...moved: (readonly [Buffer, Tensor])[]],
): void {
  const path = (field: string) => name + field;
  for (const [field, value] of Object.entries(fields))
    Object.defineProperty(layer, path(field), { value: value.named(path(field)), enumerable: true });
  let current: Tensor | null = null;
  const plain = layer.forward;
  Object.defineProperty(layer, name, {
    configurable: true,
    enumerable: false,
    get: () => current ?? compute(false)[0],
  });
  Object.defineProperty(layer, "forward", {
    configurable: true,
    value: (...inputs: never[]): unknown => {
      const [computed, ...moved] = compute(true);
      current = computed;
      try {
        const out: unknown = plain.apply(layer, inputs);
        assignAll(moved);
        return out;
      } finally {
        current = null;
      }
    },
  });
}

/**
 * Splits a parameter of `layer` into its lengths and its directions: `weight = weightG v / |v|` with `v = weightV`, one length for
 * each entry of axis `dim` (Salimans and Kingma 2016, https://arxiv.org/abs/1602.07868). The value stays as it is. Changes the layer
 * and returns it; make optimizers afterwards.
 *
 * Throws ValueError if the layer has no such parameter or `dim` is no axis of it.
 *
 * @example
 * ```ts
 * import { Linear, weightNorm } from "@cotangent/nn";
 * const layer = weightNorm(new Linear(2, 3));
 * [...layer.namedParameters().keys()]; // => [ 'bias', 'weightG', 'weightV' ]
 * ```
 */
export function weightNorm<M extends Module>(layer: M, options: WeightNormOptions = {}): M {
  const { name = "weight", dim = 0 } = optionsOf("weightNorm", options, { name: true, dim: true });
  const weight = parameterOf("weightNorm", layer, name, 1);
  const kept = dim === null ? -1 : axisOf("weightNorm", dim, weight.rank);
  const axes = weight.shape.flatMap((_, i) => (i === kept ? [] : [i]));
  const lengths = (v: Tensor): Tensor => sqrt(sum(square(v), axes, { keepDims: true }) as Tensor);
  const v = new Parameter<Shape>(weight);
  const g = new Parameter<Shape>(lengths(weight));
  // PyTorch gives one length no axes.
  const whole = dim === null ? new Parameter<Shape>(reshape(g, []) as Tensor) : g;
  replace(layer, name, { G: whole, V: v }, () => [
    mul(v as Tensor, div(whole as Tensor, lengths(v)) as Tensor),
  ]);
  return layer;
}

/** Their weights are [in, out, ...]. */
const transposed = [ConvTranspose1d, ConvTranspose2d, ConvTranspose3d] as const;

export interface SpectralNormOptions extends Pick<DrawOptions, "generator"> {
  /** The parameter; `"weight"` unless given. */
  readonly name?: string | undefined;
  /** Steps of the power iteration in each `forward` in training; 1 unless given. */
  readonly nPowerIterations?: number | undefined;
  /** The least length to divide by; 1e-12 unless given. */
  readonly eps?: number | undefined;
  /** The axis of the outputs; 0 unless given, and 1 for transposed convolutions. */
  readonly dim?: number | undefined;
}

/**
 * Divides a parameter of `layer`, as a matrix of `dim` by all other axes, by its largest singular value, so that the layer stretches
 * nothing (Miyato et al. 2018, https://arxiv.org/abs/1802.05957). The value is estimated by a power iteration that goes on in each
 * `forward` in training, from the buffers `weightU` and `weightV`; the parameter itself is `weightOrig`. Changes the layer and
 * returns it; make optimizers afterwards.
 *
 * Throws ValueError if the layer has no such parameter with two axes, `dim` is no axis of it, or `nPowerIterations` no whole number
 * above 0.
 *
 * @example
 * ```ts
 * import { Linear, spectralNorm } from "@cotangent/nn";
 * const layer = spectralNorm(new Linear(2, 3));
 * [...layer.namedParameters().keys()]; // => [ 'bias', 'weightOrig' ]
 * [...layer.namedBuffers().keys()]; // => [ 'weightU', 'weightV' ]
 * ```
 */
export function spectralNorm<M extends Module>(layer: M, options: SpectralNormOptions = {}): M {
  const {
    name = "weight",
    nPowerIterations = 1,
    eps = 1e-12,
    dim = transposed.some((kind) => layer instanceof kind) ? 1 : 0,
    generator,
  } = optionsOf("spectralNorm", options, {
    name: true,
    nPowerIterations: true,
    eps: true,
    dim: true,
    generator: true,
  });
  const weight = parameterOf("spectralNorm", layer, name, 2);
  checkSizes("spectralNorm", { nPowerIterations });
  checkNumber("spectralNorm: eps", eps, 0);
  const axis = axisOf("spectralNorm", dim, weight.rank);
  const { dtype, shape } = weight;
  const rows = shape[axis]!;
  const order = [axis, ...shape.flatMap((_, i) => (i === axis ? [] : [i]))];
  const asMatrix = (x: Tensor): Tensor => reshape(axis === 0 ? x : permute(x, order), [rows, x.size / rows]);
  const direction = (x: Tensor): Tensor => div(x, maximum(norm(x) as Tensor, eps) as Tensor);
  const start = (size: number): Buffer => {
    const drawn: Tensor = normal([size], { dtype, generator });
    return new Buffer<Shape>(direction(drawn));
  };
  const original = new Parameter<Shape>(weight);
  const [left, right] = [start(rows), start(weight.size / rows)];
  replace(layer, name, { Orig: original, U: left, V: right }, (inForward) => {
    const matrix = asMatrix(original);
    let [u, v]: [Tensor, Tensor] = [left, right];
    const moves = inForward && layer.training;
    if (moves) {
      const fixed = stopGradient(matrix);
      for (let i = 0; i < nPowerIterations; i++) {
        v = direction(matmul(transpose(fixed) as Tensor, u));
        u = direction(matmul(fixed, v));
      }
    }
    const largest: Tensor = sum(mul(stopGradient(u), matmul(matrix, stopGradient(v)) as Tensor) as Tensor);
    const value: Tensor = div(original as Tensor, largest);
    return moves ? [value, [left, u], [right, v]] : [value];
  });
  return layer;
}
