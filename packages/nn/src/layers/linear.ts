import type { DrawOptions, MatMul } from "@cotangent/autograd/functional";
import { linear, ShapeError, type SizesOf, type Tensor, uniform } from "@cotangent/autograd/functional";
import { Module, Parameter } from "../module.ts";
import { drawing, optionsOf } from "../options.ts";
import { checkSizes, checkTensor } from "./settings.ts";

export interface LinearOptions extends DrawOptions {
  /** Adds a bias unless false. */
  readonly bias?: boolean | undefined;
}

/**
 * `y = x W^T + b`: `x` [..., in] gives [..., out], with `weight` [out, in] and `bias` [out]. Both start evenly distributed
 * between -1/sqrt(in) and 1/sqrt(in), as in PyTorch (Kaiming He et al. 2015 with a = sqrt(5)).
 *
 * Throws ValueError unless both sizes are whole numbers of at least 1, or for an option that there is not, DTypeError unless `dtype`
 * is a float; `forward` throws ShapeError if the last axis of `x` is not `in` long.
 *
 * @example
 * ```ts
 * import { ones } from "@cotangent/autograd";
 * import { Linear } from "@cotangent/nn";
 * const layer = new Linear(2, 3);
 * layer.forward(ones([4, 2])).shape; // => [ 4, 3 ]
 * layer; // => Linear(inFeatures=2, outFeatures=3, bias=true)
 * ```
 */
export class Linear<const I extends number = number, const O extends number = number> extends Module {
  readonly inFeatures: I;
  readonly outFeatures: O;
  /** Can be that of another layer, such as an `Embedding`: then both train one parameter. */
  weight: Parameter<[O, I]>;
  readonly bias: Parameter<[O]> | null;

  constructor(inFeatures: I, outFeatures: O, options: LinearOptions = {}) {
    super();
    const { bias = true, ...draw } = optionsOf(this.constructor.name, options, {
      bias: "boolean",
      ...drawing,
    });
    checkSizes("Linear", { inFeatures, outFeatures });
    this.inFeatures = inFeatures;
    this.outFeatures = outFeatures;
    const high = 1 / Math.sqrt(inFeatures);
    const drawn = { ...draw, low: -high, high };
    this.weight = new Parameter<[O, I]>(uniform([outFeatures, inFeatures], drawn)).named("weight");
    this.bias = bias ? new Parameter<[O]>(uniform([outFeatures], drawn)).named("bias") : null;
  }

  forward<X extends Tensor>(x: X): Tensor<MatMul<SizesOf<X>, [I, O]>> {
    this.#check(x);
    return linear(x as Tensor, this.weight, this.bias ?? undefined) as Tensor<MatMul<SizesOf<X>, [I, O]>>;
  }

  #check(x: Tensor): void {
    const { inFeatures, outFeatures } = this;
    checkTensor(`Linear(${inFeatures}, ${outFeatures})`, x);
    if (x.shape.at(-1) === inFeatures) return;
    throw new ShapeError(
      `Linear(${inFeatures}, ${outFeatures}): takes [..., ${inFeatures}], got shape ` +
        `[${x.shape.join(", ")}]; reshape it, or make the layer with ${x.shape.at(-1) ?? "as many"} input features`,
    );
  }

  protected override details(): string {
    return `inFeatures=${this.inFeatures}, outFeatures=${this.outFeatures}, bias=${this.bias !== null}`;
  }
}
