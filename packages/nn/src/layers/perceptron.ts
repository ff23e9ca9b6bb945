import type { Tensor } from "@cotangent/autograd/functional";
import {
  add,
  assignAll,
  heaviside,
  matmul,
  mul,
  ne,
  ShapeError,
  scalar,
  slice,
  sub,
  sum,
  transpose,
  ValueError,
  zeros,
} from "@cotangent/autograd/functional";
import { Module, Parameter } from "../module.ts";
import { checkPositive, optionsOf } from "../options.ts";
import { checkTensor } from "./settings.ts";

export interface LearnOptions {
  /** What a mistake adds to the weights is multiplied by this; 1 unless given. */
  readonly lr?: number | undefined;
}

/**
 * The perceptron (Rosenblatt 1958, "The perceptron: a probabilistic model for information storage and organization in the
 * brain"): 1 where `x W^T + b` is above 0, else 0. `weight` [out, in] and `bias` [out] start at 0. A step has no slope to go
 * down, so it learns by a rule of its own, `learn`, which finds weights without mistakes if there are any.
 *
 * Throws ValueError unless both sizes are whole numbers of at least 1; `forward` throws ShapeError if the last axis of `x` is
 * not `in` long.
 *
 * @example
 * ```ts
 * import { tensor } from "@cotangent/autograd";
 * import { Perceptron } from "@cotangent/nn";
 * const x = tensor([[0, 0], [0, 1], [1, 0], [1, 1]]);
 * const and = tensor([[0], [0], [0], [1]]);
 * const model = new Perceptron(2);
 * while (model.learn(x, and).item() > 0);
 * model.forward(x).toArray(); // => 0,0,0,1
 * ```
 */
export class Perceptron extends Module {
  readonly inFeatures: number;
  readonly outFeatures: number;
  readonly weight: Parameter;
  readonly bias: Parameter;

  constructor(inFeatures: number, outFeatures = 1) {
    super();
    for (const size of [inFeatures, outFeatures])
      if (!Number.isInteger(size) || size < 1)
        throw new ValueError(
          `Perceptron: takes whole numbers of features, at least 1, got ${inFeatures} and ${outFeatures}`,
        );
    this.inFeatures = inFeatures;
    this.outFeatures = outFeatures;
    this.weight = new Parameter<readonly number[]>(zeros([outFeatures, inFeatures])).named("weight");
    this.bias = new Parameter<readonly number[]>(zeros([outFeatures])).named("bias");
  }

  forward(x: Tensor): Tensor {
    const { inFeatures, outFeatures } = this;
    checkTensor("Perceptron", x);
    if (x.shape.at(-1) !== inFeatures)
      throw new ShapeError(
        `Perceptron(${inFeatures}, ${outFeatures}): takes [..., ${inFeatures}], got shape [${x.shape.join(", ")}]; reshape ` +
          "the input, or make the layer with as many input features",
      );
    return fire(x, this.weight, this.bias);
  }

  /**
   * Goes once through the rows of `x` [n, in] with targets `y` [n, out] of 0 and 1: after each row the weights get
   * `lr (y - out) x` more and the biases `lr (y - out)`. Gives the number of outputs that were wrong on the way.
   *
   * Throws ShapeError if `x` or `y` has another shape, ValueError unless `lr` is a finite number above 0.
   */
  learn(x: Tensor, y: Tensor, options: LearnOptions = {}): Tensor {
    const { lr = 1 } = optionsOf("Perceptron", options, { lr: true });
    const { inFeatures, outFeatures } = this;
    for (const given of [x, y]) checkTensor("Perceptron", given);
    const n = x.shape[0] ?? 0;
    if (x.rank !== 2 || x.shape[1] !== inFeatures || y.shape.join() !== `${n},${outFeatures}`)
      throw new ShapeError(
        `Perceptron(${inFeatures}, ${outFeatures}): learns from x [n, ${inFeatures}] and y [n, ${outFeatures}], got ` +
          `[${x.shape.join(", ")}] and [${y.shape.join(", ")}]; reshape them`,
      );
    checkPositive("Perceptron: lr", lr);
    let weight: Tensor = this.weight;
    let bias: Tensor = this.bias;
    let mistakes: Tensor = scalar(0, { dtype: "int32" }) as Tensor;
    for (let i = 0; i < n; i++) {
      const row: Tensor = slice(x, i, i + 1);
      const miss: Tensor = sub(slice(y, i, i + 1) as Tensor, fire(row, weight, bias));
      const change: Tensor = mul(miss, lr);
      weight = add(weight, matmul(transpose(change) as Tensor, row));
      bias = add(bias, sum(change, 0) as Tensor);
      mistakes = add(mistakes, sum(ne(miss, 0)) as Tensor);
    }
    assignAll([
      [this.weight, weight],
      [this.bias, bias],
    ]);
    return mistakes;
  }

  protected override details(): string {
    return `inFeatures=${this.inFeatures}, outFeatures=${this.outFeatures}`;
  }
}

/** The step is 0 at 0: a perceptron fires when its sum is above its threshold. */
function fire(x: Tensor, weight: Tensor, bias: Tensor): Tensor {
  return heaviside(add(matmul(x, transpose(weight) as Tensor), bias), 0);
}
