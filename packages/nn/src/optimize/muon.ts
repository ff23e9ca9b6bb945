import type { Tensor } from "@cotangent/autograd/functional";
import {
  add,
  div,
  matmul,
  maximum,
  mul,
  norm,
  ShapeError,
  sub,
  transpose,
  ValueError,
  zerosLike,
} from "@cotangent/autograd/functional";
import { movingAverage } from "./formulas.ts";
import { Method, type MethodOptions, type Trainable } from "./groups.ts";
import { share } from "./numbers.ts";
import { chain, type Transform } from "./transform.ts";
import {
  decayWeights,
  exact,
  type Hyperparameter,
  perStep,
  type Schedule,
  scaleByLearningRate,
} from "./transforms.ts";

/** Running average of the gradients, with `nesterov` one step ahead. */
function average(
  momentum: Hyperparameter,
  nesterov: boolean,
): Transform<{ readonly momentumBuffer: Tensor }> {
  const numbers = perStep((step) => {
    const kept = exact(momentum, step);
    return { kept, gained: sub(1, kept) };
  });
  return {
    init: (parameter) => ({ momentumBuffer: zerosLike(parameter) }),
    update: (g, before, _, step) => {
      const { kept, gained } = numbers(step, g.dtype);
      const mix = (old: Tensor): Tensor => movingAverage(old, kept, g, gained);
      const momentumBuffer = mix(before.momentumBuffer);
      return { update: nesterov ? mix(momentumBuffer) : momentumBuffer, state: { momentumBuffer } };
    },
  };
}

/**
 * The matrix `U V'` of the singular value decomposition `U S V'` of `x`, roughly: its singular values come near 1 in `steps` rounds of
 * `a s + b s^3 + c s^5`.
 */
function orthogonalized(
  x: Tensor,
  { coefficients: [a, b, c], steps, eps }: { coefficients: Coefficients; steps: number; eps: number },
): Tensor {
  const [rows, columns] = x.shape as [number, number];
  const wide = rows > columns ? transpose(x) : x;
  let y: Tensor = div(wide, maximum(norm(wide), eps));
  for (let i = 0; i < steps; i++) {
    const squared = matmul(y, transpose(y)) as Tensor;
    const odd = add(mul(squared, b), mul(matmul(squared, squared), c));
    y = add(mul(y, a), matmul(odd, y));
  }
  return rows > columns ? transpose(y) : y;
}

type Coefficients = readonly [number, number, number];

/** How much longer an update has to be for a matrix of this shape. */
const adjustments: Record<"original" | "matchRmsAdamw", (rows: number, columns: number) => number> = {
  original: (rows, columns) => Math.sqrt(Math.max(1, rows / columns)),
  matchRmsAdamw: (rows, columns) => 0.2 * Math.sqrt(Math.max(rows, columns)),
};

export interface MuonOptions extends MethodOptions {
  /** The learning rate; 0.001 unless given. */
  readonly lr?: number | Schedule | undefined;
  /** Each step takes `lr weightDecay` times the parameter away; 0.1 unless given. */
  readonly weightDecay?: number | Schedule | undefined;
  /** How much of the average of the gradients is kept at a step; 0.95 unless given. */
  readonly momentum?: number | Schedule | undefined;
  /** Looks one step ahead; it does unless told not to. */
  readonly nesterov?: boolean | undefined;
  /** The polynomial that brings singular values near 1; 3.4445, -4.775 and 2.0315 unless given. */
  readonly nsCoefficients?: Coefficients | undefined;
  /** How often it is applied; 5 times unless given. */
  readonly nsSteps?: number | undefined;
  /** The least norm that an average is divided by; 1e-7 unless given. */
  readonly eps?: number | undefined;
  /**
   * What the learning rate is multiplied by for a matrix of r rows and c columns: `original`, the root of `max(1, r / c)`, which is
   * the default, or `matchRmsAdamw`, 0.2 times the root of `max(r, c)`, for which learning rates of AdamW are right (Liu et al. 2025).
   */
  readonly adjustLr?: "original" | "matchRmsAdamw" | undefined;
}

/**
 * Muon, for the matrices within a network (Jordan et al. 2024, https://kellerjordan.github.io/posts/muon): the average of the
 * gradients, made orthogonal. Parameters of another rank, and embeddings and the last layer, are for AdamW. The options are
 * those of PyTorch's `torch.optim.Muon`; products are computed in the dtype of the parameter. `lr`, `momentum` and
 * `weightDecay` can be assigned between steps, the last unless it was 0 at the beginning.
 *
 * Throws ValueError for numbers below 0 or not finite and for a momentum of 1 or more, ShapeError for a parameter that is no matrix.
 *
 * @example
 * ```ts
 * import { variable } from "@cotangent/autograd";
 * import { Muon } from "@cotangent/nn";
 * const w = variable([[4], [3]]);
 * const optimizer = new Muon([w], { lr: 0.5, weightDecay: 0, nsCoefficients: [1, 0, 0], adjustLr: "original" });
 * optimizer.step(w.square().sum());
 * w; // => Variable([[3.4343], [2.5757]], float32)
 * ```
 */
export class Muon extends Method<MuonOptions> {
  declare lr: number;
  declare weightDecay: number;
  declare momentum: number;
  declare readonly nesterov: boolean;
  declare readonly nsCoefficients: Coefficients;
  declare readonly nsSteps: number;
  declare readonly eps: number;
  declare readonly adjustLr: "original" | "matchRmsAdamw";

  constructor(parameters: Trainable<MuonOptions>, options: MuonOptions = {}) {
    super(parameters, options, (numbers, given) => {
      const { lr = 0.001, weightDecay = 0.1, momentum = 0.95, nesterov = true, nsSteps = 5 } = given;
      const { nsCoefficients = [3.4445, -4.775, 2.0315], eps = 1e-7, adjustLr = "original" } = given;
      const rate = numbers.add("lr", lr);
      const decay = numbers.addUnlessZero("weightDecay", weightDecay);
      const kept = numbers.add("momentum", momentum, share);
      numbers.addFlag("nesterov", nesterov);
      const settings = {
        coefficients: numbers.addFixed("nsCoefficients", nsCoefficients),
        steps: numbers.addInitial("nsSteps", nsSteps),
        eps: numbers.addInitial("eps", eps),
      };
      const adjust = adjustments[numbers.addFixed("adjustLr", adjustLr)];
      if (!adjust)
        throw new ValueError(`Muon: adjustLr is "original" or "matchRmsAdamw", got ${String(adjustLr)}`);
      return chain(
        average(kept, nesterov),
        orthogonalize(settings, adjust),
        scaleByLearningRate(rate),
        decay && decayWeights(rate, decay),
      );
    });
  }
}

function orthogonalize(
  settings: Parameters<typeof orthogonalized>[1],
  adjust: (rows: number, columns: number) => number,
): Transform<readonly Tensor[]> {
  return {
    init: ({ rank, shape, label }) => {
      if (rank === 2) return [];
      throw new ShapeError(
        `Muon: takes matrices, and ${label ?? "a parameter"} has shape [${shape.join(", ")}]; leave it to AdamW`,
      );
    },
    update: (g) => {
      const [rows, columns] = g.shape as [number, number];
      return { update: mul(orthogonalized(g, settings), adjust(rows, columns)), state: [] };
    },
  };
}
