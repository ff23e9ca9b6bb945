import type { DrawOptions, DType, Operand, Shape } from "@cotangent/autograd/functional";
import {
  GradientError,
  hideFrames,
  sqrt,
  stopGradient,
  type Tensor,
  ValueError,
} from "@cotangent/autograd/functional";
import { checkList, optionsOf } from "../options.ts";
import { asTensor, checkRange, commonShape, share } from "./parameters.ts";

hideFrames(import.meta.url);

/** From where draws come: `{ generator }`, the standard generator unless given. */
export type Source = Pick<DrawOptions, "generator">;

/**
 * What all distributions have. Their parameters are tensors, and all that they compute is made of ordinary ops, so that it has
 * derivatives by the parameters. A number takes the dtype of the tensors beside it, else float32; of a variable each call takes the
 * present version.
 *
 * A distribution stands for `batchShape` distributions side by side, each over events of `eventShape`. What a distribution does not
 * have throws ValueError, and `rsample` GradientError, with what to do instead.
 */
export abstract class Distribution {
  /** The name of the class. */
  abstract readonly name: string;
  /** The shape of the parameters together: so many distributions side by side. */
  readonly batchShape: Shape;
  /** The shape of one event: [] for numbers. */
  readonly eventShape: Shape;
  /** That of the parameters, and of all results but int32 classes. */
  readonly dtype: DType;

  constructor(batchShape: Shape, eventShape: Shape, dtype: DType) {
    this.batchShape = batchShape;
    this.eventShape = eventShape;
    this.dtype = dtype;
  }

  /** The logarithm of the density or probability at `x`, which broadcasts with [...batchShape, ...eventShape]; without the event axes. */
  abstract logProb(x: Operand): Tensor;

  /** Draws [...shape, ...batchShape, ...eventShape], which have no derivative. */
  sample(shape: Shape = [], options?: Source): Tensor {
    return stopGradient(this.rsample(shape, options));
  }

  /** The same draws as functions of the parameters, with derivatives by these (the reparametrization trick). */
  rsample(shape: Shape = [], options?: Source): Tensor {
    drawOf(this, shape, options);
    throw new GradientError(
      `${this.name}: draws have no derivative by the parameters; use sample, and logProb of what it gives in the loss`,
    );
  }

  /** The mean of `-logProb`, [...batchShape]. */
  entropy(): Tensor {
    return refuse(this, "entropy in closed form", "estimate it by the mean of -logProb over samples");
  }

  /** The probability of an event up to `x`. */
  cdf(x: Operand): Tensor {
    placeIn(this, "cdf", x);
    return refuse(this, "cdf in closed form", "estimate it by the share of samples up to x");
  }

  /** The inverse of `cdf`: the place up to which an event lies with probability `p`. */
  icdf(p: Operand): Tensor {
    shareIn(this, p);
    return refuse(this, "icdf in closed form", "estimate it by sorted samples");
  }

  /** [...batchShape, ...eventShape] */
  abstract get mean(): Tensor;

  /** Element by element, [...batchShape, ...eventShape]. */
  abstract get variance(): Tensor;

  /** The root of the variance. */
  get stddev(): Tensor {
    return sqrt(this.variance);
  }

  /** Where `logProb` is largest. */
  get mode(): Tensor {
    return refuse(this, "mode in closed form", "maximize logProb");
  }
}

/** Throws ValueError for what a distribution does not have. */
export function refuse(of: Distribution, what: string, remedy: string): never {
  throw new ValueError(`${of.name}: there is no ${what}; ${remedy}`);
}

/** What a method draws: the whole shape, and the options for a draw. */
export function drawOf(
  of: Distribution,
  shape: Shape,
  options: Source | undefined,
): { readonly shape: Shape; readonly source: DrawOptions } {
  checkList(`${of.name}.sample: the shape`, shape);
  const given = optionsOf(`${of.name}.sample`, options, { generator: true });
  return { shape: [...shape, ...of.batchShape, ...of.eventShape], source: { ...given, dtype: of.dtype } };
}

/** A place `x` that broadcasts with the distribution, of its dtype or a wider one. Throws typed errors for what does not fit. */
export function placeIn(of: Distribution, method: string, x: Operand, what = "x"): Tensor {
  const name = `${of.name}.${method}`;
  const place = asTensor(`${name}: ${what}`, x, of.dtype);
  commonShape(name, [
    [what, place.shape],
    ["the distribution", [...of.batchShape, ...of.eventShape]],
  ]);
  return place;
}

/** A probability for `icdf`. Throws ValueError too, if it is known not to be from 0 to 1. */
export function shareIn(of: Distribution, p: Operand): Tensor {
  const place = placeIn(of, "icdf", p, "p");
  checkRange(`${of.name}.icdf: p`, place, share);
  return place;
}
