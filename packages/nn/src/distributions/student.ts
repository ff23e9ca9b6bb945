import type { Operand, Shape, Tensor } from "@cotangent/autograd/functional";
import {
  abs,
  add,
  asinh,
  betainc,
  broadcastTo,
  cast,
  digamma,
  div,
  exp,
  gt,
  hideFrames,
  hypot,
  lgamma,
  log,
  log1p,
  lt,
  mul,
  normal,
  sigmoid,
  sqrt,
  square,
  sub,
  where,
} from "@cotangent/autograd/functional";
import { logDraws, precisely } from "./density.ts";
import { Distribution, drawOf, placeIn, type Source } from "./distribution.ts";
import { batchOf, finite, floats, type Parameter, positive } from "./parameters.ts";

hideFrames(import.meta.url);

/**
 * Student's distribution with `df` degrees of freedom, moved to `loc` and stretched by `scale`: density `(1 + z^2 / df)^(-(df + 1) / 2)`, up to a factor, with
 * `z = (x - loc) / scale`. The mean is NaN for `df` up to 1, and the variance NaN there and infinite up to 2. Draws have derivatives by
 * all three, that by `df` implicit (see `standardGamma`). Throws ValueError for `df` or a scale that is known and not above 0, ShapeError if the three do not
 * broadcast.
 *
 * @example
 * ```ts
 * import { StudentT } from "@cotangent/nn/distributions";
 * const p = new StudentT(3, 0, 2);
 * p.variance.item(); // => 12
 * p.logProb(1); // => Tensor(-1.8541, float32)
 * p.cdf(0).item(); // => 0.5
 * ```
 */
export class StudentT extends Distribution {
  readonly name: string = "StudentT";
  readonly #df: Parameter;
  readonly #loc: Parameter;
  readonly #scale: Parameter;

  constructor(df: Operand, loc: Operand, scale: Operand) {
    const given = floats("StudentT", { df: [df, positive], loc: [loc, finite], scale: [scale, positive] });
    super(batchOf("StudentT", given), [], given.df().dtype);
    this.#df = given.df;
    this.#loc = given.loc;
    this.#scale = given.scale;
  }

  /** [...batchShape] */
  get df(): Tensor {
    return broadcastTo(this.#df(), this.batchShape);
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
    const df = this.#df();
    const z = div(sub(placeIn(this, "logProb", x), this.#loc()), this.#scale());
    const w = div(z, sqrt(df));
    // log(1 + w^2), but the square of a large one would be infinite.
    const isNear = lt(abs(w), 1);
    const near = log1p(square(where(isNear, w, 0)));
    const far = mul(log(hypot(where(isNear, 1, w), 1)), 2);
    const constant = precisely((df) => {
      const [half, more] = [mul(df, 0.5), mul(add(df, 1), 0.5)];
      return sub(sub(lgamma(more), lgamma(half)), mul(log(mul(df, Math.PI)), 0.5));
    }, df);
    const power = mul(mul(add(df, 1), -0.5), where(isNear, near, far));
    return add(power, sub(constant, log(this.#scale())));
  }

  override rsample(shape: Shape = [], options?: Source): Tensor {
    const draw = drawOf(this, shape, options);
    const half = mul(this.#df(), 0.5);
    const z: Tensor = normal(draw.shape, draw.source);
    const logarithms = logDraws(half, draw.shape, draw.source);
    // The root of half over the draw, whose mean it is.
    const stretch = exp(mul(sub(log(cast(half, "float64")), logarithms), 0.5));
    return add(mul(mul(z, cast(stretch, this.dtype)), this.#scale()), this.#loc());
  }

  override entropy(): Tensor {
    const ofStandard = precisely((df) => {
      const [half, more] = [mul(df, 0.5), mul(add(df, 1), 0.5)];
      const power = mul(more, sub(digamma(more), digamma(half)));
      const width = add(sub(lgamma(half), lgamma(more)), mul(log(mul(df, Math.PI)), 0.5));
      return add(power, width);
    }, this.#df());
    return broadcastTo(add(ofStandard, log(this.#scale())), this.batchShape);
  }

  /**
   * That of Beta's distribution with both concentrations `df / 2` at `(1 + w / sqrt(1 + w^2)) / 2` with `w = z / sqrt(df)`, which is 1 / (1 + exp(-2 asinh(w))).
   * Its derivatives are by `x`, `loc` and `scale` only: see `betainc`.
   */
  override cdf(x: Operand): Tensor {
    const z = div(sub(placeIn(this, "cdf", x), this.#loc()), this.#scale());
    return precisely(
      (df, z) => {
        const half = mul(df, 0.5);
        return betainc(half, half, sigmoid(mul(asinh(div(z, sqrt(df))), 2)));
      },
      this.#df(),
      z,
    );
  }

  override get mean(): Tensor {
    return where(gt(this.df, 1), this.loc, Number.NaN);
  }

  override get variance(): Tensor {
    const df = this.#df();
    const isFinite = gt(df, 2);
    const ratio = div(df, where(isFinite, sub(df, 2), 1));
    return where(isFinite, mul(ratio, square(this.#scale())), where(gt(this.df, 1), Infinity, Number.NaN));
  }

  override get mode(): Tensor {
    return this.loc;
  }
}
