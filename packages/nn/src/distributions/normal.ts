import type { Operand, Shape, Tensor } from "@cotangent/autograd/functional";
import {
  add,
  erfc,
  erfinv,
  exp,
  expm1,
  hideFrames,
  le,
  log,
  lt,
  mul,
  normal,
  sqrt,
  square,
  sub,
  where,
} from "@cotangent/autograd/functional";
import { logTwoPi } from "../constants.ts";
import { precisely } from "./density.ts";
import { Distribution, placeIn, type Source, shareIn } from "./distribution.ts";
import { LocationScale, type Standard } from "./location.ts";
import { batchOf, finite, floats, positive } from "./parameters.ts";

hideFrames(import.meta.url);

const quantile = (p: Tensor): Tensor => mul(erfinv(sub(mul(p, 2), 1)), Math.SQRT2);

const standardNormal: Standard = {
  name: "Normal",
  mean: 0,
  stddev: 1,
  entropy: 0.5 + 0.5 * logTwoPi,
  logDensity: (z) => sub(mul(square(z), -0.5), 0.5 * logTwoPi),
  // By the complement, which has all its digits far below the mean.
  cdf: (z) => mul(erfc(mul(z, -Math.SQRT1_2)), 0.5),
  // Beside 1 a small float32 has few digits, or none.
  icdf: (p) => {
    const isTail = lt(p, 0.05);
    return where(isTail, precisely(quantile, where(isTail, p, 0.5)), quantile(where(isTail, 0.5, p)));
  },
  draw: normal,
};

/**
 * The normal distribution with mean `loc` and standard deviation `scale`: density `exp(-z^2 / 2) / (scale sqrt(2 pi))` with
 * `z = (x - loc) / scale`. Throws ValueError for a scale that is known and not above 0, ShapeError if the two do not broadcast.
 *
 * @example
 * ```ts
 * import { grad, scalar } from "@cotangent/autograd";
 * import { klDivergence, Normal } from "@cotangent/nn/distributions";
 * const loc = scalar(2);
 * const p = new Normal(loc, 1);
 * p.logProb(2); // => Tensor(-0.9189, float32)
 * grad(klDivergence(p, new Normal(0, 1)), [loc])[0].item(); // => 2
 * p.rsample([5]).shape; // => [ 5 ]
 * ```
 */
export class Normal extends LocationScale {
  constructor(loc: Operand, scale: Operand) {
    super(standardNormal, loc, scale);
  }
}

/**
 * The distribution of `exp(x)` for a normal `x` with mean `loc` and standard deviation `scale`: of positive numbers; elsewhere `logProb` is
 * -inf. Throws ValueError for a scale that is known and not above 0, ShapeError if the two do not broadcast.
 *
 * @example
 * ```ts
 * import { LogNormal } from "@cotangent/nn/distributions";
 * const p = new LogNormal(0, 1);
 * p.icdf(0.5).item(); // => 1
 * p.logProb(-1).item(); // => -Infinity
 * ```
 */
export class LogNormal extends Distribution {
  readonly name: string = "LogNormal";
  /** The distribution of the logarithm. */
  readonly base: Normal;

  constructor(loc: Operand, scale: Operand) {
    const given = floats("LogNormal", { loc: [loc, finite], scale: [scale, positive] });
    batchOf("LogNormal", given);
    const base = new Normal(loc, scale);
    super(base.batchShape, [], base.dtype);
    this.base = base;
  }

  /** [...batchShape] */
  get loc(): Tensor {
    return this.base.loc;
  }

  /** [...batchShape] */
  get scale(): Tensor {
    return this.base.scale;
  }

  override logProb(x: Operand): Tensor {
    const place = placeIn(this, "logProb", x);
    const outside = le(place, 0);
    const logarithm = log(where(outside, 1, place));
    return where(outside, -Infinity, sub(this.base.logProb(logarithm), logarithm));
  }

  override rsample(shape: Shape = [], options?: Source): Tensor {
    return exp(this.base.rsample(shape, options));
  }

  override entropy(): Tensor {
    return add(this.base.entropy(), this.loc);
  }

  override cdf(x: Operand): Tensor {
    const place = placeIn(this, "cdf", x);
    const outside = le(place, 0);
    return where(outside, 0, this.base.cdf(log(where(outside, 1, place))));
  }

  override icdf(p: Operand): Tensor {
    return exp(this.base.icdf(shareIn(this, p)));
  }

  override get mean(): Tensor {
    return exp(add(this.loc, mul(square(this.scale), 0.5)));
  }

  override get variance(): Tensor {
    return square(this.stddev);
  }

  override get stddev(): Tensor {
    return mul(this.mean, sqrt(expm1(square(this.scale))));
  }

  override get mode(): Tensor {
    return exp(sub(this.loc, square(this.scale)));
  }
}
