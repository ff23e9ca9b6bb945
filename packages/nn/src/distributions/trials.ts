import type { Operand, Shape, Tensor } from "@cotangent/autograd/functional";
import {
  add,
  bernoulli,
  cast,
  div,
  eq,
  expm1,
  exponential,
  floor,
  gt,
  hideFrames,
  isInf,
  log,
  log1p,
  logicalAnd,
  logicalOr,
  logit,
  logSigmoid,
  lt,
  mul,
  neg,
  reciprocal,
  sigmoid,
  stopGradient,
  sub,
  where,
  zerosLike,
} from "@cotangent/autograd/functional";
import { Distribution, drawOf, placeIn, type Source } from "./distribution.ts";
import { finite, floats, type Parameter, type Range, share } from "./parameters.ts";
import { type Chance, checkOne, leastOf } from "./weights.ts";

hideFrames(import.meta.url);

/** What comes of trials that succeed with one probability: what both distributions here have. */
export abstract class Trials extends Distribution {
  readonly name: string;
  readonly #logits: Parameter | null;
  readonly #probabilities: Parameter | null;

  constructor(name: string, given: Chance, range: Range) {
    checkOne(name, given, ["logits", "probabilities"]);
    const byLogits = given.logits !== undefined;
    const x: Parameter = byLogits
      ? floats(name, { logits: [given.logits, finite] }).logits
      : floats(name, { probabilities: [given.probabilities, range] }).probabilities;
    const { shape, dtype } = x();
    super(shape, [], dtype);
    this.name = name;
    this.#logits = byLogits ? x : null;
    this.#probabilities = byLogits ? null : x;
  }

  /** The logarithms of the odds, [...batchShape]. */
  get logits(): Tensor {
    return this.#logits ? this.#logits() : logit(this.#probabilities!(), { eps: leastOf(this.dtype) });
  }

  /** The probabilities of success, [...batchShape]. */
  get probabilities(): Tensor {
    return this.#probabilities ? this.#probabilities() : sigmoid(this.#logits!());
  }

  /** The probabilities of failure, [...batchShape]: by logits with their digits, however small. */
  get failures(): Tensor {
    return this.#probabilities ? sub(1, this.#probabilities()) : sigmoid(neg(this.#logits!()));
  }
}

/**
 * 1 with a probability, else 0: of `{ logits }`, logarithms of odds, or `{ probabilities }`. Samples are floats. `logProb(x)` is
 * `x log p + (1 - x) log(1 - p)`, for `x` between 0 and 1 too, as the loss of pictures in shades of grey. Given probabilities count there as at
 * least 2^-23 (float64: 2^-52) from 0 and 1, with derivative 0 beyond, as in PyTorch; logits have no such end.
 *
 * Throws ValueError unless one of the two is given, for probabilities that are known and not from 0 to 1, and for logits that are known and
 * not finite.
 *
 * @example
 * ```ts
 * import { tensor } from "@cotangent/autograd";
 * import { Bernoulli } from "@cotangent/nn/distributions";
 * const p = new Bernoulli({ logits: tensor([0, 100]) });
 * p.logProb(tensor([0, 0])); // => Tensor([  -0.6931, -100.0000], float32)
 * p.mode.toArray(); // => 0,1
 * ```
 */
export class Bernoulli extends Trials {
  constructor(given: Chance) {
    super("Bernoulli", given, share);
  }

  override logProb(x: Operand): Tensor {
    return loglikelihood(placeIn(this, "logProb", x), this.logits);
  }

  override sample(shape: Shape = [], options?: Source): Tensor {
    const draw = drawOf(this, shape, options);
    return bernoulli(draw.shape, { ...draw.source, probability: stopGradient(this.probabilities) });
  }

  override entropy(): Tensor {
    const [success, failure] = [logSigmoid(this.logits), logSigmoid(neg(this.logits))];
    return neg(add(mul(this.probabilities, success), mul(this.failures, failure)));
  }

  override get mean(): Tensor {
    return this.probabilities;
  }

  override get variance(): Tensor {
    return mul(this.probabilities, this.failures);
  }

  /** 0 where both are as likely. */
  override get mode(): Tensor {
    return cast(gt(this.probabilities, 0.5), this.dtype);
  }
}

/** `x log p + (1 - x) log(1 - p)` by the logits of `p`. */
function loglikelihood(x: Tensor, logits: Tensor): Tensor {
  return add(mul(x, logSigmoid(logits)), mul(sub(1, x), logSigmoid(neg(logits))));
}

const possible: Range = ["above 0, and at most 1", (x) => x > 0 && x <= 1];

/**
 * How often a trial fails before it succeeds, 0, 1, 2, ..., with one probability of success: `p (1 - p)^x`; elsewhere `logProb` is -inf.
 * Samples are floats. Throws ValueError unless `{ logits }` or `{ probabilities }` is given, for probabilities that are known and not above 0
 * and at most 1, and for logits that are known and not finite.
 *
 * @example
 * ```ts
 * import { Geometric } from "@cotangent/nn/distributions";
 * const p = new Geometric({ probabilities: 0.25 });
 * p.mean.item(); // => 3
 * p.logProb(2).exp(); // => Tensor(0.1406, float32)
 * ```
 */
export class Geometric extends Trials {
  readonly #byLogits: boolean;

  constructor(given: Chance) {
    super("Geometric", given, possible);
    this.#byLogits = given.logits !== undefined;
  }

  override logProb(x: Operand): Tensor {
    const place = placeIn(this, "logProb", x);
    const outside = logicalOr(lt(place, 0), gt(place, floor(place)));
    const count = where(outside, 0, place);
    const success = this.#byLogits ? logSigmoid(this.logits) : log(this.probabilities);
    const failure = this.#failure;
    // Where nothing failed, failure may be impossible.
    const counted = where(logicalAnd(eq(count, 0), isInf(failure)), 0, failure);
    return where(outside, -Infinity, add(mul(count, counted), success));
  }

  override sample(shape: Shape = [], options?: Source): Tensor {
    const draw = drawOf(this, shape, options);
    const exponent: Tensor = exponential(draw.shape, { ...draw.source, dtype: "float64" });
    return cast(floor(div(exponent, neg(stopGradient(this.#failure)))), this.dtype);
  }

  override cdf(x: Operand): Tensor {
    const place = placeIn(this, "cdf", x);
    const outside = lt(place, 0);
    const trials = add(floor(where(outside, 0, place)), 1);
    return where(outside, 0, neg(expm1(mul(trials, this.#failure))));
  }

  override entropy(): Tensor {
    if (!this.#byLogits) {
      const p = this.probabilities;
      return neg(add(log(p), div(mul(this.failures, log1p(neg(where(eq(p, 1), 0.5, p)))), p)));
    }
    // Where success is so rare the other part is 1, after rounding, and the quotient may be 0 / 0.
    const isRare = lt(this.logits, -40);
    const logits = where(isRare, 0, this.logits);
    const rest = div(mul(sigmoid(neg(logits)), logSigmoid(neg(logits))), sigmoid(logits));
    return neg(where(isRare, sub(this.logits, 1), add(logSigmoid(logits), rest)));
  }

  override get mean(): Tensor {
    return sub(reciprocal(this.probabilities), 1);
  }

  override get variance(): Tensor {
    return div(this.mean, this.probabilities);
  }

  override get mode(): Tensor {
    return zerosLike(this.probabilities);
  }

  /** The logarithm of the probability of failure. */
  get #failure(): Tensor {
    return this.#byLogits ? logSigmoid(neg(this.logits)) : log1p(neg(this.probabilities));
  }
}
