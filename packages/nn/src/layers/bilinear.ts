import type { DrawOptions, Tensor } from "@cotangent/autograd/functional";
import { bilinear, ShapeError, uniform, ValueError } from "@cotangent/autograd/functional";
import { Module, Parameter } from "../module.ts";
import { drawing, optionsOf } from "../options.ts";
import { checkTensor } from "./settings.ts";

export interface BilinearOptions extends DrawOptions {
  /** Adds a bias unless false. */
  readonly bias?: boolean | undefined;
}

/**
 * `y[o] = x1^T W[o] x2 + b[o]`: `x1` [..., in1] and `x2` [..., in2] give [..., out], with `weight` [out, in1, in2] and `bias` [out].
 * Both start evenly distributed between -1/sqrt(in1) and 1/sqrt(in1), as in PyTorch.
 *
 * Throws ValueError unless all sizes are whole numbers of at least 1, DTypeError unless `dtype` is a float; `forward` throws
 * ShapeError if the inputs do not fit.
 *
 * @example
 * ```ts
 * import { ones } from "@cotangent/autograd";
 * import { Bilinear } from "@cotangent/nn";
 * new Bilinear(2, 3, 4).forward(ones([5, 2]), ones([5, 3])).shape; // => [ 5, 4 ]
 * ```
 */
export class Bilinear extends Module {
  readonly in1Features: number;
  readonly in2Features: number;
  readonly outFeatures: number;
  readonly weight: Parameter;
  readonly bias: Parameter | null;

  constructor(in1Features: number, in2Features: number, outFeatures: number, options: BilinearOptions = {}) {
    super();
    const { bias = true, ...draw } = optionsOf("Bilinear", options, { bias: "boolean", ...drawing });
    const sizes = [outFeatures, in1Features, in2Features];
    if (sizes.some((size) => !Number.isInteger(size) || size < 1))
      throw new ValueError(
        `Bilinear: takes whole numbers of features, at least 1, got ${in1Features}, ${in2Features} and ${outFeatures}`,
      );
    this.in1Features = in1Features;
    this.in2Features = in2Features;
    this.outFeatures = outFeatures;
    const high = 1 / Math.sqrt(in1Features);
    const drawn = { ...draw, low: -high, high };
    this.weight = new Parameter<readonly number[]>(uniform(sizes, drawn)).named("weight");
    this.bias = bias ? new Parameter<readonly number[]>(uniform([outFeatures], drawn)).named("bias") : null;
  }

  forward(x1: Tensor, x2: Tensor): Tensor {
    const { in1Features, in2Features, outFeatures } = this;
    for (const x of [x1, x2]) checkTensor("Bilinear", x);
    if (x1.shape.at(-1) !== in1Features || x2.shape.at(-1) !== in2Features)
      throw new ShapeError(
        `Bilinear(${in1Features}, ${in2Features}, ${outFeatures}): takes [..., ${in1Features}] and [..., ${in2Features}], got ` +
          `shapes [${x1.shape.join(", ")}] and [${x2.shape.join(", ")}]`,
      );
    return bilinear(x1, x2, this.weight, this.bias ?? undefined);
  }

  protected override details(): string {
    const { in1Features, in2Features, outFeatures, bias } = this;
    return `in1Features=${in1Features}, in2Features=${in2Features}, outFeatures=${outFeatures}, bias=${bias !== null}`;
  }
}
