import type { Operand, Shape, Tensor } from "@cotangent/autograd/functional";
import {
  add,
  broadcastTo,
  clamp,
  div,
  expm1,
  exponential,
  ge,
  hideFrames,
  isNaN,
  knownElements,
  log,
  log1p,
  logicalOr,
  lt,
  mul,
  neg,
  reciprocal,
  square,
  sub,
  uniform,
  ValueError,
  where,
  zerosLike,
} from "@cotangent/autograd/functional";
import { Distribution, drawOf, placeIn, refuse, type Source, shareIn } from "./distribution.ts";
import { batchOf, finite, floats, type Parameter, positive } from "./parameters.ts";

hideFrames(import.meta.url);

/** Distributions on a part of the line. */

/**
 * The even distribution from `low` up to but not including `high`: density `1 / (high - low)`, elsewhere `logProb` is -inf. Throws
 * ValueError where `low` is known to be not below `high`, ShapeError if the two do not broadcast.
 *
 * @kink The derivative of `cdf` at `low` and `high` is that inside.
 *
 * @example
 * ```ts
 * import { Uniform } from "@cotangent/nn/distributions";
 * const p = new Uniform(0, 1);
 * p.logProb(0.5).item(); // => 0
 * p.cdf(2).item(); // => 1
 * ```
 */
export class Uniform extends Distribution {
  readonly name: string = "Uniform";
  readonly #low: Parameter;
  readonly #high: Parameter;

  constructor(low: Operand, high: Operand) {
    const given = floats("Uniform", { low: [low, finite], high: [high, finite] });
    checkOrder(low, high);
    super(batchOf("Uniform", given), [], given.low().dtype);
    this.#low = given.low;
    this.#high = given.high;
  }

  /** [...batchShape] */
  get low(): Tensor {
    return broadcastTo(this.#low(), this.batchShape);
  }

  /** [...batchShape] */
  get high(): Tensor {
    return broadcastTo(this.#high(), this.batchShape);
  }

  override logProb(x: Operand): Tensor {
    const place = placeIn(this, "logProb", x);
    const outside = logicalOr(lt(place, this.#low()), ge(place, this.#high()));
    const inside = where(isNaN(place), place, neg(log(this.#width)));
    return where(outside, -Infinity, inside);
  }

  override rsample(shape: Shape = [], options?: Source): Tensor {
    const draw = drawOf(this, shape, options);
    const place = add(mul(uniform(draw.shape, draw.source), this.#width), this.#low());
    // Rounding may reach the upper end, which does not belong to the interval.
    return where(lt(place, this.#high()), place, this.#low());
  }

  override entropy(): Tensor {
    return log(this.#width);
  }

  override cdf(x: Operand): Tensor {
    return clamp(div(sub(placeIn(this, "cdf", x), this.#low()), this.#width), 0, 1);
  }

  override icdf(p: Operand): Tensor {
    return add(mul(shareIn(this, p), this.#width), this.#low());
  }

  override get mean(): Tensor {
    return add(mul(this.#width, 0.5), this.#low());
  }

  override get variance(): Tensor {
    return div(square(this.#width), 12);
  }

  override get stddev(): Tensor {
    return mul(this.#width, Math.sqrt(1 / 12));
  }

  override get mode(): Tensor {
    return refuse(this, "mode", "every place in it is as likely");
  }

  get #width(): Tensor {
    return sub(this.#high(), this.#low());
  }
}

/** Throws ValueError where a lower end that is known is not below its upper end. */
function checkOrder(low: Operand, high: Operand): void {
  const [from, to] = [low, high].map((x) => (typeof x === "number" ? [x] : knownElements(x)));
  if (!from || !to || (from.length > 1 && to.length > 1 && from.length !== to.length)) return;
  for (let i = 0; i < Math.max(from.length, to.length); i++) {
    const [a, b] = [from[i % from.length]!, to[i % to.length]!];
    if (!(a < b)) throw new ValueError(`Uniform: low is ${a} and high is ${b}; low must be below high`);
  }
}

/**
 * The exponential distribution of times between events that come at `rate`: density `rate exp(-rate x)` from 0 on, below `logProb` is
 * -inf. Throws ValueError for a rate that is known and not above 0.
 *
 * @example
 * ```ts
 * import { Exponential } from "@cotangent/nn/distributions";
 * const p = new Exponential(2);
 * p.mean.item(); // => 0.5
 * p.logProb(0); // => Tensor(0.6931, float32)
 * ```
 */
export class Exponential extends Distribution {
  readonly name: string = "Exponential";
  readonly #rate: Parameter;

  constructor(rate: Operand) {
    const given = floats("Exponential", { rate: [rate, positive] });
    const { shape, dtype } = given.rate();
    super(shape, [], dtype);
    this.#rate = given.rate;
  }

  /** [...batchShape] */
  get rate(): Tensor {
    return this.#rate();
  }

  override logProb(x: Operand): Tensor {
    const place = placeIn(this, "logProb", x);
    return where(lt(place, 0), -Infinity, sub(log(this.rate), mul(this.rate, place)));
  }

  override rsample(shape: Shape = [], options?: Source): Tensor {
    const draw = drawOf(this, shape, options);
    return div(exponential(draw.shape, draw.source), this.rate);
  }

  override entropy(): Tensor {
    return sub(1, log(this.rate));
  }

  override cdf(x: Operand): Tensor {
    const place = placeIn(this, "cdf", x);
    const outside = lt(place, 0);
    return where(outside, 0, neg(expm1(neg(mul(this.rate, where(outside, 0, place))))));
  }

  override icdf(p: Operand): Tensor {
    return div(neg(log1p(neg(shareIn(this, p)))), this.rate);
  }

  override get mean(): Tensor {
    return reciprocal(this.rate);
  }

  override get variance(): Tensor {
    return square(this.mean);
  }

  override get stddev(): Tensor {
    return this.mean;
  }

  override get mode(): Tensor {
    return zerosLike(this.rate);
  }
}
