import type { DrawOptions, Shape, Tensor } from "@cotangent/autograd/functional";
import {
  add,
  dropout,
  linear,
  matmul,
  mul,
  uniform,
  ValueError,
  zeros,
} from "@cotangent/autograd/functional";
import { Buffer, Module, Parameter } from "../module.ts";
import { checkNumber, checkShare, optionsOf } from "../options.ts";
import { Linear } from "./linear.ts";
import { checkSizes, checkTensor } from "./settings.ts";

export interface LoRAOptions extends Pick<DrawOptions, "generator"> {
  /** The rank of what is learned; 8 unless given. */
  readonly rank?: number | undefined;
  /** What is learned is multiplied by `alpha / rank`; 16 unless given. */
  readonly alpha?: number | undefined;
  /** How likely an input of what is learned is dropped in training; 0 unless given. */
  readonly dropout?: number | undefined;
}

/**
 * A trained linear layer with a correction of low rank, which alone is learned: `x W^T + b + (alpha / rank) x A^T B^T` (Hu et al. 2021,
 * https://arxiv.org/abs/2106.09685). The layer's `weight` and `bias` become buffers; `loraA` [rank, in] starts evenly distributed as a
 * linear layer does, `loraB` [out, rank] at 0, so that nothing changes at first.
 *
 * Throws ValueError unless `rank` is a whole number above 0 and `dropout` a probability.
 *
 * @example
 * ```ts
 * import { Linear, LoRA } from "@cotangent/nn";
 * const layer = new LoRA(new Linear(16, 32), { rank: 2 });
 * [...layer.namedParameters().keys()]; // => [ 'loraA', 'loraB' ]
 * layer.merged().weight.shape; // => [ 32, 16 ]
 * ```
 */
export class LoRA extends Module {
  readonly weight: Buffer;
  readonly bias: Buffer | null;
  readonly loraA: Parameter;
  readonly loraB: Parameter;
  readonly scale: number;
  readonly dropout: number;
  readonly #draw: Pick<DrawOptions, "generator">;

  constructor(layer: Linear, options: LoRAOptions = {}) {
    super();
    const {
      rank = 8,
      alpha = 16,
      dropout: p = 0,
      ...draw
    } = optionsOf("LoRA", options, { rank: true, alpha: true, dropout: true, generator: true });
    if (!(layer instanceof Linear)) throw new ValueError(`LoRA: takes a Linear layer, got ${String(layer)}`);
    checkSizes("LoRA", { rank });
    checkNumber("LoRA: alpha", alpha);
    checkShare("LoRA: dropout", p);
    const { inFeatures, outFeatures, weight, bias } = layer;
    const { dtype } = weight;
    const high = 1 / Math.sqrt(inFeatures);
    this.weight = new Buffer<Shape>(weight as Tensor).named("weight");
    this.bias = bias ? new Buffer<Shape>(bias as Tensor).named("bias") : null;
    const start = uniform([rank, inFeatures], { ...draw, dtype, low: -high, high }) as Tensor;
    this.loraA = new Parameter<Shape>(start).named("loraA");
    this.loraB = new Parameter<Shape>(zeros([outFeatures, rank], { dtype })).named("loraB");
    this.scale = alpha / rank;
    this.dropout = p;
    this.#draw = draw;
  }

  forward(x: Tensor): Tensor {
    const { dropout: p, training, scale } = this;
    checkTensor("LoRA", x);
    const trained: Tensor = linear(x, this.weight as Tensor, this.bias ?? undefined);
    const input = dropout(x, { ...this.#draw, p, training });
    const learned: Tensor = linear(linear(input, this.loraA) as Tensor, this.loraB);
    return add(trained, mul(learned, scale) as Tensor);
  }

  /** A linear layer with the correction in its weight. */
  merged(): Linear {
    const [outFeatures, inFeatures] = this.weight.shape as [number, number];
    const layer = new Linear(inFeatures, outFeatures, { bias: this.bias !== null, dtype: this.weight.dtype });
    const learned: Tensor = matmul(this.loraB as Tensor, this.loraA as Tensor);
    layer.weight.assign(add(this.weight as Tensor, mul(learned, this.scale) as Tensor));
    if (this.bias) layer.bias?.assign(this.bias);
    return layer;
  }

  protected override details(): string {
    const [outFeatures, inFeatures] = this.weight.shape;
    return `${inFeatures}, ${outFeatures}, rank=${this.loraA.shape[0]}, scale=${this.scale}`;
  }
}
