import type { Operand, Shape, Tensor } from "@cotangent/autograd/functional";
import {
  add,
  broadcastTo,
  cast,
  digamma,
  div,
  exp,
  gammainc,
  hideFrames,
  isInf,
  le,
  lgamma,
  log,
  logicalOr,
  lt,
  mul,
  relu,
  scalar,
  square,
  sub,
  where,
} from "@cotangent/autograd/functional";
import { abovePeak, aboveZero, logDraws, logPeak, precisely } from "./density.ts";
import { Distribution, drawOf, placeIn, type Source } from "./distribution.ts";
import { batchOf, floats, type Parameter, positive } from "./parameters.ts";

hideFrames(import.meta.url);

/** What Gamma's distribution and its special cases have: a concentration and a rate. */
export abstract class GammaFamily extends Distribution {
  readonly name: string;
  readonly #concentration: Parameter;
  readonly #rate: Parameter;

  constructor(name: string, concentration: Parameter, rate: Parameter) {
    super(batchOf(name, { concentration, rate }), [], concentration().dtype);
    this.name = name;
    this.#concentration = concentration;
    this.#rate = rate;
  }

  /** [...batchShape] */
  get concentration(): Tensor {
    return broadcastTo(this.#concentration(), this.batchShape);
  }

  /** [...batchShape] */
  get rate(): Tensor {
    return broadcastTo(this.#rate(), this.batchShape);
  }

  override logProb(x: Operand): Tensor {
    const place = placeIn(this, "logProb", x);
    const outside = logicalOr(lt(place, 0), isInf(place));
    const [a, rate] = [this.#concentration(), this.#rate()];
    const above = abovePeak(a, where(outside, 0, place), rate);
    return where(outside, -Infinity, add(above, add(logPeak(a), log(rate))));
  }

  override rsample(shape: Shape = [], options?: Source): Tensor {
    const draw = drawOf(this, shape, options);
    const logarithms = logDraws(this.#concentration(), draw.shape, draw.source);
    return aboveZero(exp(sub(logarithms, log(cast(this.#rate(), "float64")))), this.dtype);
  }

  override entropy(): Tensor {
    const ofStandard = precisely(
      (a) => add(add(a, lgamma(a)), mul(sub(1, a), digamma(a))),
      this.#concentration(),
    );
    return sub(ofStandard, log(this.#rate()));
  }

  override cdf(x: Operand): Tensor {
    const place = placeIn(this, "cdf", x);
    const outside = le(place, 0);
    const inside = gammainc(this.#concentration(), mul(where(outside, 1, place), this.#rate()));
    return where(outside, 0, inside);
  }

  override get mean(): Tensor {
    return div(this.#concentration(), this.#rate());
  }

  override get variance(): Tensor {
    return div(this.#concentration(), square(this.#rate()));
  }

  /** 0 for a concentration up to 1. */
  override get mode(): Tensor {
    return div(relu(sub(this.#concentration(), 1)), this.#rate());
  }
}

/**
 * Gamma's distribution, for whole `concentration` that of the time until so many events that come at `rate`: density
 * `rate^a x^(a - 1) exp(-rate x) / gamma(a)` with `a` the concentration; below 0 `logProb` is -inf. Draws are at least the smallest normal number, and
 * have implicit derivatives (see `standardGamma`). Throws ValueError for parameters that are known and not above 0, ShapeError if they do not
 * broadcast.
 *
 * @example
 * ```ts
 * import { Gamma } from "@cotangent/nn/distributions";
 * const p = new Gamma(3, 0.5);
 * p.mean.item(); // => 6
 * p.logProb(2); // => Tensor(-2.3863, float32)
 * p.cdf(2); // => Tensor(0.0803, float32)
 * ```
 */
export class Gamma extends GammaFamily {
  constructor(concentration: Operand, rate: Operand) {
    const given = floats("Gamma", { concentration: [concentration, positive], rate: [rate, positive] });
    super("Gamma", given.concentration, given.rate);
  }
}

/**
 * The distribution of the sum of `df` squares of standard normal draws: Gamma's with concentration `df / 2` and rate 1/2. Throws ValueError for
 * `df` that is known and not above 0.
 *
 * @example
 * ```ts
 * import { Chi2 } from "@cotangent/nn/distributions";
 * new Chi2(2).cdf(2); // => Tensor(0.6321, float32)
 * ```
 */
export class Chi2 extends GammaFamily {
  readonly #df: Parameter;

  constructor(df: Operand) {
    const given = floats("Chi2", { df: [df, positive] });
    const { dtype } = given.df();
    super(
      "Chi2",
      () => mul(given.df(), 0.5),
      () => scalar(0.5, { dtype }),
    );
    this.#df = given.df;
  }

  /** The degrees of freedom, [...batchShape]. */
  get df(): Tensor {
    return this.#df();
  }
}
