import type { DrawOptions, Operand, Shape, Tensor } from "@cotangent/autograd/functional";
import { add, broadcastTo, div, hideFrames, log, mul, square, sub } from "@cotangent/autograd/functional";
import { Distribution, drawOf, placeIn, type Source, shareIn } from "./distribution.ts";
import { batchOf, finite, floats, type Parameter, positive } from "./parameters.ts";

hideFrames(import.meta.url);

/** A distribution of its family with location 0 and scale 1. */
export interface Standard {
  readonly name: string;
  readonly mean: number;
  readonly stddev: number;
  readonly entropy: number;
  logDensity(z: Tensor): Tensor;
  cdf(z: Tensor): Tensor;
  icdf(p: Tensor): Tensor;
  draw(shape: Shape, source: DrawOptions): Tensor;
}

/** A standard distribution, moved to `loc`, its mode, and stretched by `scale`: what such families have in common. */
export abstract class LocationScale extends Distribution {
  readonly name: string;
  readonly #standard: Standard;
  // Not stretched to the batch, so that what depends on one of them alone is computed once.
  readonly #loc: Parameter;
  readonly #scale: Parameter;

  constructor(standard: Standard, loc: Operand, scale: Operand) {
    const given = floats(standard.name, { loc: [loc, finite], scale: [scale, positive] });
    super(batchOf(standard.name, given), [], given.loc().dtype);
    this.name = standard.name;
    this.#loc = given.loc;
    this.#scale = given.scale;
    this.#standard = standard;
  }

  /** [...batchShape] */
  get loc(): Tensor {
    return broadcastTo(this.#loc(), this.batchShape);
  }

  /** [...batchShape] */
  get scale(): Tensor {
    return broadcastTo(this.#scale(), this.batchShape);
  }

  override logProb(x: Operand): Tensor {
    return sub(this.#standard.logDensity(this.#standardized("logProb", x)), log(this.#scale()));
  }

  override rsample(shape: Shape = [], options?: Source): Tensor {
    const draw = drawOf(this, shape, options);
    return this.#placed(this.#standard.draw(draw.shape, draw.source));
  }

  override entropy(): Tensor {
    return broadcastTo(add(log(this.#scale()), this.#standard.entropy), this.batchShape);
  }

  override cdf(x: Operand): Tensor {
    return this.#standard.cdf(this.#standardized("cdf", x));
  }

  override icdf(p: Operand): Tensor {
    return this.#placed(this.#standard.icdf(shareIn(this, p)));
  }

  override get mean(): Tensor {
    const { mean } = this.#standard;
    return mean === 0 ? this.loc : add(mul(this.#scale(), mean), this.#loc());
  }

  override get variance(): Tensor {
    return square(this.stddev);
  }

  override get stddev(): Tensor {
    return broadcastTo(mul(this.#scale(), this.#standard.stddev), this.batchShape);
  }

  override get mode(): Tensor {
    return this.loc;
  }

  #standardized(what: string, x: Operand): Tensor {
    return div(sub(placeIn(this, what, x), this.#loc()), this.#scale());
  }

  #placed(z: Tensor): Tensor {
    return add(mul(z, this.#scale()), this.#loc());
  }
}
