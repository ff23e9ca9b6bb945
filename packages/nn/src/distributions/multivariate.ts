import type { Operand, Shape, Tensor } from "@cotangent/autograd/functional";
import {
  add,
  broadcastTo,
  cholesky,
  diagonal,
  hideFrames,
  knownElements,
  log,
  matmul,
  mul,
  normal,
  reshape,
  ShapeError,
  square,
  squeeze,
  sub,
  sum,
  transpose,
  triangularSolve,
  tril,
  unsqueeze,
  ValueError,
} from "@cotangent/autograd/functional";
import { logTwoPi } from "../constants.ts";
import { Distribution, drawOf, placeIn, type Source } from "./distribution.ts";
import { commonShape, finite, floats, type Parameter } from "./parameters.ts";
import { checkOne } from "./weights.ts";

hideFrames(import.meta.url);

/** How a normal distribution of vectors spreads: one of the two. */
export type Spread =
  /** Lower triangular with a positive diagonal, [..., n, n]: the covariance is this times its transpose. What is above is not read. */
  | { readonly scaleTril: Tensor; readonly covarianceMatrix?: undefined }
  /** Symmetric and positive definite, [..., n, n]. */
  | { readonly covarianceMatrix: Tensor; readonly scaleTril?: undefined };

/**
 * The normal distribution of vectors with mean `loc` [..., n] and a covariance, given as `{ scaleTril }` or `{ covarianceMatrix }`. Prefer the
 * first, which need not be factored; a model can learn it as a matrix whose diagonal it makes positive.
 *
 * Throws ValueError unless one of the two is given and, at evaluation, for a covariance that is not positive definite; ShapeError if it does not
 * fit to `loc`.
 *
 * @example
 * ```ts
 * import { tensor, zeros } from "@cotangent/autograd";
 * import { MultivariateNormal } from "@cotangent/nn/distributions";
 * const p = new MultivariateNormal(zeros([2]), { covarianceMatrix: tensor([[4, 2], [2, 5]]) });
 * p.scaleTril.toArray(); // => [ [ 2, 0 ], [ 1, 2 ] ]
 * p.logProb(tensor([2, 3])); // => Tensor(-4.2242, float32)
 * ```
 */
export class MultivariateNormal extends Distribution {
  readonly name: string = "MultivariateNormal";
  readonly #loc: Parameter;
  readonly #matrix: Parameter;
  readonly #byScale: boolean;

  constructor(loc: Tensor, spread: Spread) {
    checkOne("MultivariateNormal", spread, ["scaleTril", "covarianceMatrix"]);
    const { scaleTril, covarianceMatrix } = spread;
    const what = scaleTril ? "scaleTril" : "covarianceMatrix";
    const given = floats("MultivariateNormal", {
      loc: [loc, finite],
      [what]: [scaleTril ?? covarianceMatrix, finite],
    });
    const [center, matrix] = [given.loc!(), given[what]!()];
    const n = sizeOf(center, matrix, what);
    if (scaleTril) checkDiagonal(matrix, n);
    const batch = commonShape("MultivariateNormal", [
      ["the batch of loc", center.shape.slice(0, -1)],
      [`that of ${what}`, matrix.shape.slice(0, -2)],
    ]);
    super(batch, [n], center.dtype);
    this.#loc = given.loc!;
    this.#matrix = given[what]!;
    this.#byScale = scaleTril !== undefined;
  }

  /** [...batchShape, n] */
  get loc(): Tensor {
    return broadcastTo(this.#loc(), [...this.batchShape, ...this.eventShape]);
  }

  /** Lower triangular, [...batchShape, n, n]: the covariance is this times its transpose. */
  get scaleTril(): Tensor {
    return broadcastTo(this.#factor, [...this.batchShape, ...this.eventShape, ...this.eventShape]);
  }

  /** The same, not stretched to the batch. */
  get #factor(): Tensor {
    return this.#byScale ? tril(this.#matrix()) : cholesky(this.#matrix());
  }

  get covarianceMatrix(): Tensor {
    const { scaleTril } = this;
    return matmul(scaleTril, transpose(scaleTril));
  }

  override logProb(x: Operand): Tensor {
    const factor = this.#factor;
    const z = solved(factor, sub(placeIn(this, "logProb", x), this.loc));
    const squares = add(square(z), logTwoPi);
    return sub(mul(sum(squares, -1), -0.5), logRoot(factor));
  }

  override rsample(shape: Shape = [], options?: Source): Tensor {
    const draw = drawOf(this, shape, options);
    const z: Tensor = normal(draw.shape, draw.source);
    return add(squeeze(matmul(this.#factor, unsqueeze(z, -1)), -1), this.loc);
  }

  override entropy(): Tensor {
    const n = this.eventShape[0]!;
    return broadcastTo(add(logRoot(this.#factor), 0.5 * n * (1 + logTwoPi)), this.batchShape);
  }

  override get mean(): Tensor {
    return this.loc;
  }

  override get variance(): Tensor {
    return sum(square(this.scaleTril), -1);
  }

  override get mode(): Tensor {
    return this.loc;
  }
}

/** The size of an event. Throws ShapeError unless the matrices are square and of the size of the vectors. */
function sizeOf(center: Tensor, matrix: Tensor, what: string): number {
  const n = center.shape[center.rank - 1];
  const [rows, columns] = matrix.shape.slice(-2);
  if (n === undefined || rows !== n || columns !== n)
    throw new ShapeError(
      `MultivariateNormal: loc is [..., n] and ${what} [..., n, n], got [${center.shape.join(", ")}] and [${matrix.shape.join(", ")}]`,
    );
  return n;
}

/** Throws ValueError unless diagonals, as far as they are known, are above 0. */
function checkDiagonal(matrix: Tensor, n: number): void {
  const stray = knownElements(matrix)?.find(
    (x: number, i: number) => (i % (n * n)) % (n + 1) === 0 && !(x > 0),
  );
  if (stray !== undefined)
    throw new ValueError(`MultivariateNormal: the diagonal of scaleTril must be above 0, got ${stray}`);
}

/** The logarithm of the root of the covariance's determinant, by its factor. */
export function logRoot(scaleTril: Tensor): Tensor {
  return sum(log(diagonal(scaleTril)), -1);
}

/** `l^-1 x` for lower triangular `l` and vectors along the last axis of `x`: of one matrix, all at once. */
export function solved(l: Tensor, x: Tensor): Tensor {
  if (l.rank > 2) return squeeze(triangularSolve(l, unsqueeze(x, -1)), -1);
  const columns = transpose(reshape(x, [-1, l.shape[0]!]));
  return reshape(transpose(triangularSolve(l, columns)), x.shape);
}
