import type { DrawOptions, DropoutOptions, SizesOf, Tensor } from "@cotangent/autograd/functional";
import { alphaDropout, dropout, featureDropout, ShapeError } from "@cotangent/autograd/functional";
import { Module } from "../module.ts";
import { checkShare, optionsOf } from "../options.ts";
import { checkTensor } from "./settings.ts";

/** What layers that drop take besides `p`. */
export type DropoutLayerOptions = Pick<DrawOptions, "generator">;

/** What drops by chance in training, and does nothing outside of it. */
abstract class Dropping extends Module {
  readonly p: number;
  readonly #draw: DropoutLayerOptions;

  constructor(p = 0.5, draw: DropoutLayerOptions = {}) {
    super();
    checkShare(`${this.constructor.name}: p`, p);
    this.p = p;
    this.#draw = optionsOf(this.constructor.name, draw, { generator: true });
  }

  /** What the function is to be told. */
  protected get options(): DropoutOptions {
    return { p: this.p, training: this.training, ...this.#draw };
  }

  protected override details(): string {
    return `p=${this.p}`;
  }
}

/**
 * In training makes elements 0 with probability `p` (0.5 unless given) and multiplies the others by `1 / (1 - p)`, see `dropout`;
 * outside of training the input comes out. Draws from the standard generator unless another is given. Throws ValueError unless
 * `p` is between 0 and 1.
 *
 * @example
 * ```ts
 * import { tensor } from "@cotangent/autograd";
 * import { Dropout } from "@cotangent/nn";
 * const layer = new Dropout(1);
 * layer.forward(tensor([1, 2])).toArray(); // => 0,0
 * layer.eval().forward(tensor([1, 2])).toArray(); // => 1,2
 * ```
 */
export class Dropout extends Dropping {
  forward<X extends Tensor>(x: X): Tensor<SizesOf<X>> {
    return dropout(x, this.options);
  }
}

/** `Dropout` for networks with `selu`, see `alphaDropout`. */
export class AlphaDropout extends Dropping {
  forward<X extends Tensor>(x: X): Tensor<SizesOf<X>> {
    return alphaDropout(x, this.options);
  }
}

/** `Dropout` of whole channels of `x` [n, channels, length], see `featureDropout`. `forward` throws ShapeError for other ranks. */
export class Dropout1d extends Dropping {
  forward<X extends Tensor>(x: X): Tensor<SizesOf<X>> {
    return featureDropout(checkRank("Dropout1d", x, "length"), this.options);
  }
}

/** `Dropout1d` for `x` [n, channels, height, width]. */
export class Dropout2d extends Dropping {
  forward<X extends Tensor>(x: X): Tensor<SizesOf<X>> {
    return featureDropout(checkRank("Dropout2d", x, "height, width"), this.options);
  }
}

/** `Dropout1d` for `x` [n, channels, depth, height, width]. */
export class Dropout3d extends Dropping {
  forward<X extends Tensor>(x: X): Tensor<SizesOf<X>> {
    return featureDropout(checkRank("Dropout3d", x, "depth, height, width"), this.options);
  }
}

function checkRank<X extends Tensor>(name: string, x: X, field: string): X {
  checkTensor(name, x);
  if (x.rank === field.split(", ").length + 2) return x;
  throw new ShapeError(`${name}: takes [n, channels, ${field}], got shape [${x.shape.join(", ")}]`);
}
