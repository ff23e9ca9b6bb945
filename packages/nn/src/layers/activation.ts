import type { CreateOptions, SizesOf } from "@cotangent/autograd/functional";
import {
  celu,
  DTypeError,
  elu,
  full,
  gelu,
  glu,
  hardshrink,
  hardsigmoid,
  hardswish,
  hardtanh,
  heaviside,
  leakyRelu,
  logSigmoid,
  logSoftmax,
  mish,
  prelu,
  relu,
  relu6,
  selu,
  sigmoid,
  silu,
  softmax,
  softmin,
  softplus,
  softshrink,
  softsign,
  type Tensor,
  tanh,
  tanhshrink,
  threshold,
  ValueError,
} from "@cotangent/autograd/functional";
import { Module, Parameter } from "../module.ts";
import { optionsOf } from "../options.ts";
import type { Given } from "./settings.ts";
import { checkGiven, checkSizes, checkTensor, copied, settings } from "./settings.ts";

/**
 * The activation functions of autograd as layers, for those who prefer `new ReLU()` to `relu`. A layer takes what its function
 * takes after the tensor, and prints it; the function checks it when the layer is applied.
 */

/** A layer without parameters that applies one function; the shape stays. `ReLU` and the others are names of this type too. */
export interface Activation extends Module {
  forward<X extends Tensor>(x: X): Tensor<SizesOf<X>>;
}

/** The class of a layer that is made with the arguments `Rest`. */
export type ActivationClass<Rest extends readonly unknown[] = []> = new (...rest: Rest) => Activation;

/** A class called `name` that applies `f`; `given` are the names of the arguments, or of the options among them. */
function activation<Rest extends readonly unknown[]>(
  name: string,
  f: <X extends Tensor>(x: X, ...rest: Rest) => Tensor<SizesOf<X>>,
  ...given: Given<NoInfer<Rest>>
): ActivationClass<Rest> {
  class Applied extends Module implements Activation {
    readonly #rest: Rest;

    constructor(...rest: Rest) {
      super();
      checkGiven(name, rest, given);
      this.#rest = copied(rest);
    }

    forward<X extends Tensor>(x: X): Tensor<SizesOf<X>> {
      checkTensor(name, x);
      return f(x, ...this.#rest);
    }

    protected override details(): string {
      return this.#rest.flatMap((value, i) => settings(given[i], value)).join(", ");
    }
  }
  return Object.defineProperty(Applied, "name", { value: name });
}

/** `relu`: `max(x, 0)`. */
export const ReLU: ActivationClass = activation("ReLU", relu);
export type ReLU = Activation;

/** `relu6`: `min(max(x, 0), 6)`. */
export const ReLU6: ActivationClass = activation("ReLU6", relu6);
export type ReLU6 = Activation;

/**
 * `leakyRelu`: below 0 `negativeSlope * x`, `negativeSlope` 0.01 unless given.
 *
 * @example
 * ```ts
 * import { tensor } from "@cotangent/autograd";
 * import { LeakyReLU } from "@cotangent/nn";
 * const layer = new LeakyReLU({ negativeSlope: 0.5 });
 * layer.forward(tensor([-1, 1])).toArray(); // => -0.5,1
 * layer; // => LeakyReLU(negativeSlope=0.5)
 * ```
 */
export const LeakyReLU: ActivationClass<[options?: { readonly negativeSlope?: number | undefined }]> =
  activation("LeakyReLU", leakyRelu, { negativeSlope: true });
export type LeakyReLU = Activation;

/** `elu`: below 0 `alpha * (e^x - 1)`, `alpha` 1 unless given. */
export const ELU: ActivationClass<[options?: { readonly alpha?: number | undefined }]> = activation(
  "ELU",
  elu,
  {
    alpha: true,
  },
);
export type ELU = Activation;

/** `celu`: below 0 `alpha * (e^(x / alpha) - 1)`, `alpha` 1 unless given. */
export const CELU: ActivationClass<[options?: { readonly alpha?: number | undefined }]> = activation(
  "CELU",
  celu,
  {
    alpha: true,
  },
);
export type CELU = Activation;

/** `selu`: elu that keeps mean 0 and variance 1; see also `lecunNormal`. */
export const SELU: ActivationClass = activation("SELU", selu);
export type SELU = Activation;

/** `gelu`: `x` times the share of a normal distribution below it. */
export const GELU: ActivationClass<[options?: { readonly approximate?: "none" | "tanh" | undefined }]> =
  activation("GELU", gelu, { approximate: true });
export type GELU = Activation;

/** `silu`: `x * sigmoid(x)`. */
export const SiLU: ActivationClass = activation("SiLU", silu);
export type SiLU = Activation;

/** `mish`: `x * tanh(softplus(x))`. */
export const Mish: ActivationClass = activation("Mish", mish);
export type Mish = Activation;

/** `softplus`: `log(1 + e^(beta x)) / beta`, just `x` where `beta * x` is above `threshold`; 1 and 20 unless given. */
export const Softplus: ActivationClass<
  [options?: { readonly beta?: number | undefined; readonly threshold?: number | undefined }]
> = activation("Softplus", softplus, { beta: true, threshold: true });
export type Softplus = Activation;

/** `softsign`: `x / (1 + |x|)`. */
export const Softsign: ActivationClass = activation("Softsign", softsign);
export type Softsign = Activation;

/** `hardtanh`: `x` between `minVal` and `maxVal`, -1 and 1 unless given. */
export const Hardtanh: ActivationClass<
  [options?: { readonly minVal?: number | undefined; readonly maxVal?: number | undefined }]
> = activation("Hardtanh", hardtanh, { minVal: true, maxVal: true });
export type Hardtanh = Activation;

/** `hardsigmoid`: `(x + 3) / 6` between 0 and 1. */
export const Hardsigmoid: ActivationClass = activation("Hardsigmoid", hardsigmoid);
export type Hardsigmoid = Activation;

/** `hardswish`: `x * hardsigmoid(x)`. */
export const Hardswish: ActivationClass = activation("Hardswish", hardswish);
export type Hardswish = Activation;

/** `hardshrink`: 0 where `|x|` is at most `lambda`, 0.5 unless given. */
export const Hardshrink: ActivationClass<[options?: { readonly lambda?: number | undefined }]> = activation(
  "Hardshrink",
  hardshrink,
  { lambda: true },
);
export type Hardshrink = Activation;

/** `softshrink`: `x` drawn towards 0 by `lambda`, 0.5 unless given. */
export const Softshrink: ActivationClass<[options?: { readonly lambda?: number | undefined }]> = activation(
  "Softshrink",
  softshrink,
  { lambda: true },
);
export type Softshrink = Activation;

/** `tanhshrink`: `x - tanh(x)`. */
export const Tanhshrink: ActivationClass = activation("Tanhshrink", tanhshrink);
export type Tanhshrink = Activation;

/** `threshold`: `x` where it is above `threshold`, else `value`. */
export const Threshold: ActivationClass<[threshold: number, value: number]> = activation(
  "Threshold",
  threshold,
  "threshold",
  "value",
);
export type Threshold = Activation;

/** `softmax` along `axis`, the last unless given. */
export const Softmax: ActivationClass<[axis?: number]> = activation<[axis?: number]>(
  "Softmax",
  softmax,
  "axis",
);
export type Softmax = Activation;

/** `logSoftmax` along `axis`, the last unless given. */
export const LogSoftmax: ActivationClass<[axis?: number]> = activation<[axis?: number]>(
  "LogSoftmax",
  logSoftmax,
  "axis",
);
export type LogSoftmax = Activation;

/** `softmin` along `axis`, the last unless given. */
export const Softmin: ActivationClass<[axis?: number]> = activation<[axis?: number]>(
  "Softmin",
  softmin,
  "axis",
);
export type Softmin = Activation;

/** `sigmoid`: `1 / (1 + e^-x)`. */
export const Sigmoid: ActivationClass = activation("Sigmoid", sigmoid);
export type Sigmoid = Activation;

/** `tanh`. */
export const Tanh: ActivationClass = activation("Tanh", tanh);
export type Tanh = Activation;

/** `logSigmoid`: `log(sigmoid(x))`. */
export const LogSigmoid: ActivationClass = activation("LogSigmoid", logSigmoid);
export type LogSigmoid = Activation;

/** `heaviside`: the step from 0 to 1, `valueAtZero` (0 unless given) at 0. */
export const Heaviside: ActivationClass<[valueAtZero?: number]> = activation(
  "Heaviside",
  <X extends Tensor>(x: X, valueAtZero?: number): Tensor<SizesOf<X>> => heaviside(x, valueAtZero),
  "valueAtZero",
);
export type Heaviside = Activation;

/** `glu`: the first half of `x` along `axis` (the last unless given) times the sigmoid of the second half. */
export class GLU extends Module {
  readonly axis: number;

  constructor(axis: number = -1) {
    super();
    this.axis = axis;
  }

  forward(x: Tensor): Tensor {
    return glu(x, this.axis);
  }

  protected override details(): string {
    return `axis=${this.axis}`;
  }
}

export interface PReLUOptions extends CreateOptions {
  /** 1 (unless given) for one slope, or the number of channels (the size of axis 1) for a slope each. */
  readonly numParameters?: number | undefined;
  /** What the slopes start with; 0.25 unless given. */
  readonly init?: number | undefined;
}

/**
 * `prelu`: below 0 `weight * x`, where `weight` [numParameters] is learned (He et al. 2015). Throws ValueError unless
 * `numParameters` is a whole number of at least 1 and `init` a number, DTypeError unless `dtype` is a float.
 *
 * @example
 * ```ts
 * import { tensor } from "@cotangent/autograd";
 * import { PReLU } from "@cotangent/nn";
 * const layer = new PReLU();
 * layer.forward(tensor([-1, 1])).toArray(); // => -0.25,1
 * [...layer.namedParameters().keys()]; // => [ 'weight' ]
 * ```
 */
export class PReLU extends Module {
  readonly weight: Parameter<[number]>;

  constructor(options: PReLUOptions = {}) {
    super();
    const {
      numParameters = 1,
      init = 0.25,
      dtype = "float32",
    } = optionsOf("PReLU", options, { numParameters: true, init: true, dtype: true });
    checkSizes("PReLU", { numParameters });
    if (typeof init !== "number" || Number.isNaN(init))
      throw new ValueError(`PReLU: init is a number, got ${String(init)}`);
    if (dtype !== "float32" && dtype !== "float64")
      throw new DTypeError(`PReLU: the slopes are learned and cannot be ${dtype}; use float32 or float64`);
    this.weight = new Parameter<[number]>(full([numParameters], init, { dtype })).named("weight");
  }

  forward<X extends Tensor>(x: X): Tensor<SizesOf<X>> {
    return prelu(x, this.weight as Tensor);
  }

  protected override details(): string {
    return `numParameters=${this.weight.size}`;
  }
}
