import type { Operand, Shape, Tensor } from "@cotangent/autograd/functional";
import {
  add,
  any,
  betainc,
  broadcastTo,
  digamma,
  div,
  ge,
  gt,
  hideFrames,
  le,
  lgamma,
  log,
  logicalOr,
  lt,
  minimum,
  mul,
  relu,
  ShapeError,
  sigmoid,
  softmax,
  square,
  sub,
  sum,
  where,
} from "@cotangent/autograd/functional";
import { abovePeak, aboveZero, logDraws, logPeak, precisely } from "./density.ts";
import { Distribution, drawOf, placeIn, type Source } from "./distribution.ts";
import { batchOf, floats, type Parameter, positive } from "./parameters.ts";

hideFrames(import.meta.url);

/**
 * Distributions of shares. Their density is a quotient of standard Gamma densities, at shares of the sum `s` of the concentrations and at `s` itself: so the
 * places are those near which the densities have their digits.
 */

/**
 * A share from 0 to 1, as of a Gamma draw in the sum of two: density `x^(a - 1) (1 - x)^(b - 1) gamma(a + b) / (gamma(a) gamma(b))` with
 * `a` = `concentration1` and `b` = `concentration0`; outside `logProb` is -inf. Draws have implicit derivatives (see `standardGamma`), and are kept
 * from 0 by the smallest normal number and from 1 by the distance of the next. Throws ValueError for concentrations that are known and not above 0,
 * ShapeError if they do not broadcast.
 *
 * @example
 * ```ts
 * import { Beta } from "@cotangent/nn/distributions";
 * const p = new Beta(3, 1);
 * p.mean.item(); // => 0.75
 * p.logProb(0.5); // => Tensor(-0.2877, float32)
 * p.cdf(0.5).item(); // => 0.125
 * ```
 */
export class Beta extends Distribution {
  readonly name: string = "Beta";
  readonly #concentration1: Parameter;
  readonly #concentration0: Parameter;

  constructor(concentration1: Operand, concentration0: Operand) {
    const given = floats("Beta", {
      concentration1: [concentration1, positive],
      concentration0: [concentration0, positive],
    });
    super(batchOf("Beta", given), [], given.concentration1().dtype);
    this.#concentration1 = given.concentration1;
    this.#concentration0 = given.concentration0;
  }

  /** The power of `x` plus 1, [...batchShape]. */
  get concentration1(): Tensor {
    return broadcastTo(this.#concentration1(), this.batchShape);
  }

  /** The power of `1 - x` plus 1, [...batchShape]. */
  get concentration0(): Tensor {
    return broadcastTo(this.#concentration0(), this.batchShape);
  }

  override logProb(x: Operand): Tensor {
    const place = placeIn(this, "logProb", x);
    const outside = logicalOr(lt(place, 0), gt(place, 1));
    const [a, b] = [this.#concentration1(), this.#concentration0()];
    const s = add(a, b);
    const share = where(outside, 0.5, place);
    const above = add(abovePeak(a, share, s), abovePeak(b, sub(1, share), s));
    return where(outside, -Infinity, add(above, add(sub(add(logPeak(a), logPeak(b)), logPeak(s)), log(s))));
  }

  override rsample(shape: Shape = [], options?: Source): Tensor {
    const draw = drawOf(this, shape, options);
    const first = logDraws(this.#concentration1(), draw.shape, draw.source);
    const second = logDraws(this.#concentration0(), draw.shape, draw.source);
    const most = 1 - (this.dtype === "float64" ? 2 ** -53 : 2 ** -24);
    return minimum(aboveZero(sigmoid(sub(first, second)), this.dtype), most);
  }

  override entropy(): Tensor {
    return precisely(
      (a, b) => {
        const s = add(a, b);
        const powers = add(mul(sub(a, 1), digamma(a)), mul(sub(b, 1), digamma(b)));
        return add(sub(sub(add(lgamma(a), lgamma(b)), lgamma(s)), powers), mul(sub(s, 2), digamma(s)));
      },
      this.#concentration1(),
      this.#concentration0(),
    );
  }

  /** Its derivative is by `x` only: see `betainc`. */
  override cdf(x: Operand): Tensor {
    const place = placeIn(this, "cdf", x);
    const [none, all] = [le(place, 0), ge(place, 1)];
    const inside = where(logicalOr(none, all), 0.5, place);
    const share = betainc(this.#concentration1(), this.#concentration0(), inside);
    return where(none, 0, where(all, 1, share));
  }

  override get mean(): Tensor {
    return div(this.#concentration1(), add(this.#concentration1(), this.#concentration0()));
  }

  /** 0 or 1 if only the one concentration is above 1, NaN if none is: then no place between is the most likely. */
  override get mode(): Tensor {
    const [a, b] = [relu(sub(this.#concentration1(), 1)), relu(sub(this.#concentration0(), 1))];
    return div(a, add(a, b));
  }

  override get variance(): Tensor {
    return precisely(
      (a, b) => {
        const s = add(a, b);
        return div(mul(a, b), mul(square(s), add(s, 1)));
      },
      this.#concentration1(),
      this.#concentration0(),
    );
  }
}

/**
 * Shares of a whole, [..., n] from `concentration` [..., n], as of Gamma draws in their sum: density the product of `x_i^(a_i - 1) / gamma(a_i)` times
 * `gamma` of the sum of all `a`; where a share is negative `logProb` is -inf. That shares add up to 1 is not looked at. Draws have implicit derivatives (see
 * `standardGamma`), and each share is at least the smallest normal number. Throws ValueError for concentrations that are known and not above 0,
 * ShapeError without an axis of shares.
 *
 * @example
 * ```ts
 * import { tensor } from "@cotangent/autograd";
 * import { Dirichlet } from "@cotangent/nn/distributions";
 * const p = new Dirichlet(tensor([1, 2, 5]));
 * p.mean.toArray(); // => 0.125,0.25,0.625
 * p.logProb(tensor([0.125, 0.25, 0.625])); // => Tensor(2.0808, float32)
 * p.rsample([4]).shape; // => [ 4, 3 ]
 * ```
 */
export class Dirichlet extends Distribution {
  readonly name: string = "Dirichlet";
  readonly #concentration: Parameter;

  constructor(concentration: Tensor) {
    const given = floats("Dirichlet", { concentration: [concentration, positive] });
    const { shape, dtype } = given.concentration();
    if ((shape[shape.length - 1] ?? 0) === 0)
      throw new ShapeError(
        `Dirichlet: concentration [${shape.join(", ")}] has no shares; they lie along the last axis`,
      );
    super(shape.slice(0, -1), shape.slice(-1), dtype);
    this.#concentration = given.concentration;
  }

  /** [...batchShape, n] */
  get concentration(): Tensor {
    return this.#concentration();
  }

  override logProb(x: Operand): Tensor {
    const place = placeIn(this, "logProb", x);
    const a = this.concentration;
    const s = this.#sum;
    const negative = lt(place, 0);
    const shares = where(negative, 0, place);
    // What the exponential functions of all densities together are, 1 if the shares add up to 1, does not belong to this one.
    const excess = precisely(
      (x, a) => sum(mul(sum(a, -1, { keepDims: true }), sub(sum(x, -1, { keepDims: true }), 1)), -1),
      broadcastTo(shares, [...shares.shape.slice(0, -1), this.eventShape[0]!]),
      a,
    );
    const above = add(sum(abovePeak(a, shares, s), -1), excess);
    const size = this.eventShape[0]!;
    const whole = sub(mul(log(s), size - 1), logPeak(s));
    const peaks = add(sum(logPeak(a), -1), sum(whole, -1));
    return where(any(broadcastTo(negative, above.shape.concat(size)), -1), -Infinity, add(above, peaks));
  }

  override rsample(shape: Shape = [], options?: Source): Tensor {
    const draw = drawOf(this, shape, options);
    return aboveZero(softmax(logDraws(this.concentration, draw.shape, draw.source), -1), this.dtype);
  }

  override entropy(): Tensor {
    const size = this.eventShape[0]!;
    return precisely((a) => {
      const s = sum(a, -1);
      const powers = sum(mul(sub(a, 1), digamma(a)), -1);
      return sub(sub(sum(lgamma(a), -1), lgamma(s)), sub(powers, mul(sub(s, size), digamma(s))));
    }, this.concentration);
  }

  override get mean(): Tensor {
    return div(this.concentration, this.#sum);
  }

  /** Shares of what is above 1 of each concentration, NaN if none is. */
  override get mode(): Tensor {
    const a = relu(sub(this.concentration, 1));
    return div(a, sum(a, -1, { keepDims: true }));
  }

  override get variance(): Tensor {
    return precisely((a) => {
      const s = sum(a, -1, { keepDims: true });
      const mean = div(a, s);
      return div(mul(mean, sub(1, mean)), add(s, 1));
    }, this.concentration);
  }

  /** [...batchShape, 1] */
  get #sum(): Tensor {
    return sum(this.concentration, -1, { keepDims: true });
  }
}
