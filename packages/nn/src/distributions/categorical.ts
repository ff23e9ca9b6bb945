import type { ClassWeights, Operand, Shape, Tensor } from "@cotangent/autograd/functional";
import {
  argmax,
  broadcastTo,
  categorical,
  clamp,
  DTypeError,
  div,
  gather,
  hideFrames,
  isInf,
  knownElements,
  log,
  logSoftmax,
  mul,
  neg,
  ShapeError,
  softmax,
  squeeze,
  sum,
  unsqueeze,
  ValueError,
  where,
} from "@cotangent/autograd/functional";
import { Distribution, drawOf, refuse, type Source } from "./distribution.ts";
import { asTensor, commonShape, floats, type Parameter, type Range } from "./parameters.ts";
import { checkOne, leastOf } from "./weights.ts";

hideFrames(import.meta.url);

const score: Range = ["a number below infinity", (x) => x < Infinity];
const weight: Range = ["a finite number of at least 0", (x) => x >= 0 && x < Infinity];

/** Throws ValueError for a row that is known and has `none` only: no class is possible. */
function checkRows(x: Tensor, classes: number, none: number): void {
  const known = knownElements(x);
  if (!known) return;
  for (let start = 0; start < known.length; start += classes)
    if (known.subarray(start, start + classes).every((element) => element === none))
      throw new ValueError(
        `Categorical: row ${start / classes} has ${none} only; one class at least is possible`,
      );
}

/**
 * One of several classes, int32 from 0 on, by `{ logits }` [...batch, classes], which may be off by a constant and -inf for what is impossible, or
 * by `{ probabilities }`, which need not add up to 1. Logarithms of given probabilities are taken as if they were at least 2^-23 (float64:
 * 2^-52) from 0 and 1, as in PyTorch.
 *
 * Throws ValueError unless one of the two is given and for rows that are known and are no weights, ShapeError where there are no classes, DTypeError
 * for classes that are not int32, and at evaluation IndexError for a class that there is not.
 *
 * @example
 * ```ts
 * import { tensor } from "@cotangent/autograd";
 * import { Categorical } from "@cotangent/nn/distributions";
 * const p = new Categorical({ logits: tensor([[0, 0], [-Infinity, 3]]) });
 * p.logProb(1); // => Tensor([-0.6931,  0.0000], float32)
 * p.entropy(); // => Tensor([0.6931, 0.0000], float32)
 * p.mode.toArray(); // => 0,1
 * ```
 */
export class Categorical extends Distribution {
  readonly name: string = "Categorical";
  /** How many classes there are. */
  readonly classes: number;
  readonly #logits: Parameter | null;
  readonly #probabilities: Parameter | null;

  constructor(weights: ClassWeights) {
    checkOne("Categorical", weights, ["logits", "probabilities"]);
    const byLogits = weights.logits !== undefined;
    const given: Parameter = byLogits
      ? floats("Categorical", { logits: [weights.logits, score] }).logits
      : floats("Categorical", { probabilities: [weights.probabilities, weight] }).probabilities;
    const x = given();
    const classes = x.shape[x.rank - 1] ?? 0;
    if (classes === 0)
      throw new ShapeError(
        `Categorical: shape [${x.shape.join(", ")}] has no classes; they lie along the last axis`,
      );
    checkRows(x, classes, byLogits ? -Infinity : 0);
    super(x.shape.slice(0, -1), [], x.dtype);
    this.classes = classes;
    this.#logits = byLogits ? given : null;
    this.#probabilities = byLogits ? null : given;
  }

  /** The logarithms of the probabilities, [...batchShape, classes]. */
  get logits(): Tensor {
    if (this.#logits) return logSoftmax(this.#logits(), -1);
    const least = leastOf(this.dtype);
    return log(clamp(this.probabilities, least, 1 - least));
  }

  /** They add up to 1, [...batchShape, classes]. */
  get probabilities(): Tensor {
    if (this.#logits) return softmax(this.#logits(), -1);
    const weights = this.#probabilities!();
    return div(weights, sum(weights, -1, { keepDims: true }));
  }

  override logProb(x: Operand): Tensor {
    const name = "Categorical.logProb";
    const classes = asTensor(`${name}: x`, x, "int32");
    if (classes.dtype !== "int32")
      throw new DTypeError(
        `${name}: classes are int32, got ${classes.dtype}; make them with { dtype: "int32" } or cast them`,
      );
    const shape = commonShape(name, [
      ["x", classes.shape],
      ["the distribution", this.batchShape],
    ]);
    const scores = broadcastTo(this.logits, [...shape, this.classes]);
    const places = unsqueeze(broadcastTo(classes, shape), -1);
    return squeeze(gather(scores, -1, places, { caller: name }), -1);
  }

  override sample(shape: Shape = [], options?: Source): Tensor {
    const { source } = drawOf(this, shape, options);
    const { generator } = source;
    const weights = this.#logits ? { logits: this.#logits() } : { probabilities: this.#probabilities!() };
    return categorical(shape, { ...weights, ...(generator && { generator }) });
  }

  override entropy(): Tensor {
    const { logits } = this;
    // What is impossible counts for nothing, though its logarithm is infinite.
    return neg(sum(mul(this.probabilities, where(isInf(logits), 0, logits)), -1));
  }

  override get mean(): Tensor {
    return refuse(this, "mean", "classes are names, not numbers; use mode or probabilities");
  }

  override get variance(): Tensor {
    return refuse(this, "variance", "classes are names, not numbers; use entropy");
  }

  /** int32, the first where several are as likely. */
  override get mode(): Tensor {
    return argmax(this.probabilities, -1);
  }
}
