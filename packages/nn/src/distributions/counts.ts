import type { Operand, Shape, Tensor } from "@cotangent/autograd/functional";
import {
  add,
  betainc,
  broadcastTo,
  cast,
  div,
  exp,
  floor,
  gammaincc,
  gt,
  hideFrames,
  isInf,
  lgamma,
  logicalOr,
  logit,
  logSigmoid,
  lt,
  mul,
  neg,
  poisson,
  relu,
  sigmoid,
  stopGradient,
  sub,
  where,
} from "@cotangent/autograd/functional";
import { abovePeak, logDraws, logPeak, precisely } from "./density.ts";
import { Distribution, drawOf, placeIn, type Source } from "./distribution.ts";
import { batchOf, finite, floats, type Parameter, positive, type Range } from "./parameters.ts";
import { type Chance, checkOne, leastOf } from "./weights.ts";

hideFrames(import.meta.url);

/** Distributions of counts without an upper end. */

const expected: Range = ["a finite number of at least 0", (x) => x >= 0 && x < Infinity];

/** Where `x` is no count, and counts with 0 in such places. */
function countsIn(x: Tensor): { readonly outside: Tensor; readonly count: Tensor } {
  const outside = logicalOr(logicalOr(lt(x, 0), gt(x, floor(x))), isInf(x));
  return { outside, count: where(outside, 0, x) };
}

/**
 * Poisson's distribution of the number of events where `rate` are expected: `rate^x exp(-rate) / x!` at 0, 1, 2, ...; elsewhere `logProb` is -inf. Samples are
 * floats, without derivatives. Throws ValueError for a rate that is known and negative or not finite.
 *
 * @example
 * ```ts
 * import { Poisson } from "@cotangent/nn/distributions";
 * const p = new Poisson(2);
 * p.logProb(0).item(); // => -2
 * p.cdf(1); // => Tensor(0.406, float32)
 * ```
 */
export class Poisson extends Distribution {
  readonly name: string = "Poisson";
  readonly #rate: Parameter;

  constructor(rate: Operand) {
    const given = floats("Poisson", { rate: [rate, expected] });
    const { shape, dtype } = given.rate();
    super(shape, [], dtype);
    this.#rate = given.rate;
  }

  /** [...batchShape] */
  get rate(): Tensor {
    return this.#rate();
  }

  /** That of Gamma's distribution with one more than the count, at the rate. */
  override logProb(x: Operand): Tensor {
    const { outside, count } = countsIn(placeIn(this, "logProb", x));
    const next = add(count, 1);
    return where(outside, -Infinity, add(abovePeak(next, this.rate, 1), logPeak(next)));
  }

  override sample(shape: Shape = [], options?: Source): Tensor {
    const { shape: whole, source } = drawOf(this, shape, options);
    const { generator } = source;
    return poisson(broadcastTo(stopGradient(this.rate), whole), { generator });
  }

  override cdf(x: Operand): Tensor {
    const place = placeIn(this, "cdf", x);
    const outside = lt(place, 0);
    return where(outside, 0, gammaincc(add(floor(where(outside, 0, place)), 1), this.rate));
  }

  override get mean(): Tensor {
    return this.rate;
  }

  override get variance(): Tensor {
    return this.rate;
  }

  /** The larger one where two are as likely. */
  override get mode(): Tensor {
    return floor(this.rate);
  }
}

const chance: Range = ["from 0 up to but not 1", (x) => x >= 0 && x < 1];

/**
 * How many trials succeed before `totalCount` have failed, which need not be whole, by the `{ logits }` or `{ probabilities }` of success:
 * `gamma(n + x) / (gamma(n) x!) (1 - p)^n p^x` with `n` the count of failures; elsewhere `logProb` is -inf. It is Poisson's distribution with a rate that is
 * distributed as Gamma's. Samples are floats, without derivatives. Given probabilities count in logarithms as at least 2^-23 (float64: 2^-52) from
 * 0 and 1, as in PyTorch.
 *
 * Throws ValueError unless one of the two is given, and for parameters that are known and out of range: `totalCount` is above 0, probabilities from 0 up
 * to but not 1, logits finite; ShapeError if they do not broadcast.
 *
 * @example
 * ```ts
 * import { NegativeBinomial } from "@cotangent/nn/distributions";
 * const p = new NegativeBinomial(2, { probabilities: 0.5 });
 * p.mean.item(); // => 2
 * p.logProb(1).exp(); // => Tensor(0.25, float32)
 * p.cdf(1).item(); // => 0.5
 * ```
 */
export class NegativeBinomial extends Distribution {
  readonly name: string = "NegativeBinomial";
  readonly #totalCount: Parameter;
  readonly #logits: Parameter | null;
  readonly #probabilities: Parameter | null;

  constructor(totalCount: Operand, given: Chance) {
    const name = "NegativeBinomial";
    checkOne(name, given, ["logits", "probabilities"]);
    const total = [totalCount, positive] as const;
    const byLogits = given.logits !== undefined;
    const made: Readonly<Record<string, Parameter>> = byLogits
      ? floats(name, { totalCount: total, logits: [given.logits, finite] })
      : floats(name, { totalCount: total, probabilities: [given.probabilities, chance] });
    super(batchOf(name, made), [], made.totalCount!().dtype);
    this.#totalCount = made.totalCount!;
    this.#logits = made.logits ?? null;
    this.#probabilities = made.probabilities ?? null;
  }

  /** How many failures end the trials, [...batchShape]. */
  get totalCount(): Tensor {
    return broadcastTo(this.#totalCount(), this.batchShape);
  }

  /** The logarithms of the odds of success, [...batchShape]. */
  get logits(): Tensor {
    return broadcastTo(this.#odds, this.batchShape);
  }

  /** The probabilities of success, [...batchShape]. */
  get probabilities(): Tensor {
    return broadcastTo(
      this.#probabilities ? this.#probabilities() : sigmoid(this.#logits!()),
      this.batchShape,
    );
  }

  override logProb(x: Operand): Tensor {
    const { outside, count } = countsIn(placeIn(this, "logProb", x));
    const logarithm = precisely(
      (n, x, given) => {
        const odds = this.#logits ? given : this.#oddsOf(given);
        const ways = sub(lgamma(add(n, x)), add(lgamma(n), lgamma(add(x, 1))));
        return add(ways, add(mul(n, logSigmoid(neg(odds))), mul(x, logSigmoid(odds))));
      },
      this.#totalCount(),
      count,
      (this.#logits ?? this.#probabilities!)(),
    );
    return where(outside, -Infinity, logarithm);
  }

  override sample(shape: Shape = [], options?: Source): Tensor {
    const { shape: whole, source } = drawOf(this, shape, options);
    const { generator } = source;
    const logarithms = logDraws(stopGradient(this.#totalCount()), whole, source);
    const rate: Tensor = exp(add(logarithms, cast(stopGradient(this.#odds), "float64")));
    return cast(poisson(rate, { generator }), this.dtype);
  }

  /** Its derivative is by the chance only, not by `totalCount`: see `betainc`. */
  override cdf(x: Operand): Tensor {
    const place = placeIn(this, "cdf", x);
    const outside = lt(place, 0);
    const share = precisely(
      (n, x, given) => {
        const failure = this.#logits ? sigmoid(neg(given)) : sub(1, given);
        return betainc(n, add(floor(x), 1), failure);
      },
      this.#totalCount(),
      where(outside, 0, place),
      (this.#logits ?? this.#probabilities!)(),
    );
    return where(outside, 0, share);
  }

  override get mean(): Tensor {
    return mul(this.#totalCount(), exp(this.#odds));
  }

  override get variance(): Tensor {
    return div(this.mean, sigmoid(neg(this.#odds)));
  }

  /** The larger one where two are as likely. */
  override get mode(): Tensor {
    return floor(mul(relu(sub(this.#totalCount(), 1)), exp(this.#odds)));
  }

  get #odds(): Tensor {
    return this.#logits ? this.#logits() : this.#oddsOf(this.#probabilities!());
  }

  #oddsOf(probabilities: Tensor): Tensor {
    return logit(probabilities, { eps: leastOf(this.dtype) });
  }
}
