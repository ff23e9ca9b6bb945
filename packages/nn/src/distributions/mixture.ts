import type { Operand, Shape, Tensor } from "@cotangent/autograd/functional";
import {
  add,
  broadcastTo,
  gather,
  hideFrames,
  logsumexp,
  mul,
  promote,
  reshape,
  ShapeError,
  square,
  squeeze,
  sub,
  sum,
  unsqueeze,
  ValueError,
} from "@cotangent/autograd/functional";
import { shown } from "../options.ts";
import { Categorical } from "./categorical.ts";
import { Distribution, drawOf, placeIn, refuse, type Source } from "./distribution.ts";
import { checkDistribution } from "./independent.ts";

hideFrames(import.meta.url);

/**
 * One of several distributions of a family, chosen by a `Categorical`: the last batch axis of `component` are the classes of `mixture`. What a
 * mixture density network gives (Bishop 1994). `rsample` throws, since the choice has no derivative; `entropy` and `mode` have no formula.
 *
 * Throws ShapeError if the batch of `component` is not that of `mixture` and its classes, ValueError for what are no distributions.
 *
 * @example
 * ```ts
 * import { tensor } from "@cotangent/autograd";
 * import { Categorical, MixtureSameFamily, Normal } from "@cotangent/nn/distributions";
 * const mixture = new Categorical({ probabilities: tensor([1, 3]) });
 * const p = new MixtureSameFamily(mixture, new Normal(tensor([-4, 4]), 1));
 * p.mean.item(); // => 2
 * p.logProb(4); // => Tensor(-1.2066, float32)
 * ```
 */
export class MixtureSameFamily extends Distribution {
  readonly name: string = "MixtureSameFamily";
  readonly mixture: Categorical;
  readonly component: Distribution;

  constructor(mixture: Categorical, component: Distribution) {
    checkDistribution("MixtureSameFamily: component", component);
    if (!(mixture instanceof Categorical))
      throw new ValueError(`MixtureSameFamily: mixture is a Categorical, got ${shown(mixture)}`);
    const classes = [...mixture.batchShape, mixture.classes];
    const { batchShape, eventShape, dtype } = component;
    if (batchShape.length !== classes.length || batchShape.some((size, i) => size !== classes[i]))
      throw new ShapeError(
        `MixtureSameFamily: the batch of ${component.name} is [${batchShape.join(", ")}], and that of the mixture with its ` +
          `classes [${classes.join(", ")}]; they are the same`,
      );
    super(mixture.batchShape, eventShape, promote(dtype, mixture.dtype));
    this.mixture = mixture;
    this.component = component;
  }

  override logProb(x: Operand): Tensor {
    const place = this.#beside("logProb", x);
    return logsumexp(add(this.component.logProb(place), this.mixture.logits), -1);
  }

  override sample(shape: Shape = [], options?: Source): Tensor {
    drawOf(this, shape, options);
    const draws = this.component.sample(shape, options);
    const chosen = this.mixture.sample(shape, options);
    const axis = shape.length + this.batchShape.length;
    const ones = this.eventShape.map(() => 1);
    const places = reshape(chosen, [...chosen.shape, 1, ...ones]);
    const all = broadcastTo(places, [...chosen.shape, 1, ...this.eventShape]);
    return squeeze(gather(draws, axis, all), axis);
  }

  override cdf(x: Operand): Tensor {
    if (this.eventShape.length > 0) refuse(this, "cdf", "only distributions of numbers have one");
    const below = this.component.cdf(this.#beside("cdf", x));
    return sum(mul(below, this.mixture.probabilities), -1);
  }

  override get mean(): Tensor {
    return this.#averaged(this.component.mean);
  }

  override get variance(): Tensor {
    const { mean, variance } = this.component;
    const distance = sub(mean, unsqueeze(this.mean, -1 - this.eventShape.length));
    return this.#averaged(add(variance, square(distance)));
  }

  /** A place with an axis for the components before those of an event. */
  #beside(what: string, x: Operand): Operand {
    const place = placeIn(this, what, x);
    const events = this.eventShape.length;
    return typeof x === "number" || place.rank < events ? x : unsqueeze(place, -1 - events);
  }

  /** The mean over the components by their probabilities. */
  #averaged(x: Tensor): Tensor {
    const events = this.eventShape.length;
    const { probabilities } = this.mixture;
    const weights = reshape(probabilities, [...probabilities.shape, ...this.eventShape.map(() => 1)]);
    return sum(mul(weights, x), -1 - events);
  }
}
