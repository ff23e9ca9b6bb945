import type { Tensor, Variable } from "@cotangent/autograd/functional";
import {
  add,
  cast,
  cat,
  DTypeError,
  diagEmbed,
  diagonal,
  eq,
  evaluate,
  GradientError,
  grad,
  jacobian,
  matmul,
  mul,
  neg,
  rebuild,
  reshape,
  slice,
  solve,
  square,
  sum,
  transpose,
  ValueError,
  variable,
  where,
} from "@cotangent/autograd/functional";
import { type Complete, checkCount, checkFunction, checkNumber, optionsOf } from "../options.ts";
import { loadState, type StateDict, snapshotOf } from "../state.ts";
import { assignRow, largest, rowOf, startOf } from "./row.ts";
import { listOf } from "./transform.ts";

export interface LevenbergMarquardtOptions {
  /** How much the first step is damped, from 1e-12 to 1e12; 0.001 unless given. */
  readonly damping?: number | undefined;
  /** What the damping is multiplied by after a trial that did not lower the cost; 10 unless given. */
  readonly up?: number | undefined;
  /** What the damping is divided by after one that did; 10 unless given. */
  readonly down?: number | undefined;
  /** The most iterations of one `step`; 20 unless given. */
  readonly maxIter?: number | undefined;
  /** A `step` ends when no element of the gradient of the cost is larger; 1e-7 unless given. */
  readonly toleranceGrad?: number | undefined;
  /** A `step` ends when an iteration lowers the cost by no larger share of it; 1e-9 unless given. */
  readonly toleranceChange?: number | undefined;
}

/** Below, it damps no more than rounding does. */
const least = 1e-12;
/** Above, steps are too short to change a number. */
const most = 1e12;

/**
 * Least squares (Levenberg 1944; Marquardt 1963, "An algorithm for least-squares estimation of nonlinear parameters"). Each iteration
 * lowers the cost, half the sum of the squares of the residuals `r`: with `J` their Jacobian by all parameters it moves by the `d`
 * that solves `(J'J + damping diag(J'J)) d = -J'r`, and damps more until the cost does fall. Little damping is Gauss and Newton's step,
 * much of it a short one downhill. For few parameters, up to some hundreds, and residuals that are the same at each call. Its sums are
 * float64; it cannot be compiled, but the residuals run as compiled programs after the first iterations.
 *
 * Throws ValueError for numbers out of range and what is no parameter.
 *
 * @example
 * ```ts
 * import { tensor, variable } from "@cotangent/autograd";
 * import { LevenbergMarquardt } from "@cotangent/nn";
 * const t = tensor([0, 1, 2, 3]);
 * const y = tensor([8, 4, 2, 1]);
 * const [height, rate] = [variable(1), variable(1)];
 * const optimizer = new LevenbergMarquardt([height, rate]);
 * optimizer.step(() => height.mul(t.mul(rate.neg()).exp()).sub(y));
 * [height.item(), Math.exp(-rate.item())].map((x) => x.toFixed(4)); // => [ '8.0000', '0.5000' ]
 * ```
 */
export class LevenbergMarquardt {
  readonly parameters: readonly Variable[];
  readonly #options: Complete<LevenbergMarquardtOptions>;
  #damping: number;

  constructor(parameters: Iterable<Variable>, options: LevenbergMarquardtOptions = {}) {
    this.parameters = listOf("LevenbergMarquardt", parameters);
    const given = {
      damping: 0.001,
      up: 10,
      down: 10,
      maxIter: 20,
      toleranceGrad: 1e-7,
      toleranceChange: 1e-9,
      ...optionsOf("LevenbergMarquardt", options, {
        damping: true,
        up: true,
        down: true,
        maxIter: true,
        toleranceGrad: true,
        toleranceChange: true,
      }),
    };
    for (const name of ["up", "down"] as const)
      if (!(Number.isFinite(given[name]) && given[name] > 1))
        throw new ValueError(
          `LevenbergMarquardt: ${name} is a finite number above 1, got ${String(given[name])}`,
        );
    for (const name of ["toleranceGrad", "toleranceChange"] as const)
      checkNumber(`LevenbergMarquardt: ${name}`, given[name], 0);
    checkCount("LevenbergMarquardt: maxIter", given.maxIter, 1);
    this.#options = given;
    this.#damping = checkDamping(given.damping);
  }

  /** How much the next step is damped at first. Throws ValueError unless it is set to a number from 1e-12 to 1e12. */
  get damping(): number {
    return this.#damping;
  }
  set damping(damping: number) {
    this.#damping = checkDamping(damping);
  }

  /**
   * Up to `maxIter` iterations down half the sum of the squares of what `residuals` gives, a tensor of any shape that must be built
   * anew at each call. Returns that cost, float64, as it was before them. Where nothing lowers it, everything stays as it is.
   *
   * Throws ValueError unless it is given a function, GradientError if the residuals reach no parameter, DTypeError if they are no
   * floats, CompileError inside `compile`. After a throw, also one of `residuals`, nothing has changed.
   */
  step(residuals: () => Tensor): Tensor {
    checkFunction("LevenbergMarquardt: what step takes", residuals);
    const [before, damping] = [startOf("LevenbergMarquardt", this.parameters), this.#damping];
    try {
      return this.#descend(residuals);
    } catch (error) {
      assignRow(this.parameters, before);
      this.#damping = damping;
      throw error;
    }
  }

  #descend(residuals: () => Tensor): Tensor {
    const { maxIter, toleranceGrad, toleranceChange } = this.#options;
    let r = residuals();
    const before = costOf(r);
    if (grad(sum(r), this.parameters, { unused: "null" }).every((g) => g === null))
      throw new GradientError(
        `LevenbergMarquardt: the residuals reach none of the ${this.parameters.length} parameters; are they detached, or made of others?`,
      );
    for (let i = 1, cost = before.item(); i <= maxIter; i++) {
      const { gradient, curvature } = this.#linearize(r);
      if (!(largest(gradient.toTypedArray()) > toleranceGrad)) break;
      const found = this.#lower(residuals, cost, gradient, curvature);
      if (found === null) break;
      const change = cost - found.cost;
      [r, cost] = [found.r, found.cost];
      if (change <= toleranceChange * (change + cost)) break;
    }
    return before;
  }

  /** The first trial of ever more damping that lowers the cost; null if there is none, and then nothing has moved. */
  #lower(
    residuals: () => Tensor,
    cost: number,
    gradient: Tensor,
    curvature: Tensor,
  ): { readonly r: Tensor; readonly cost: number } | null {
    const { up, down } = this.#options;
    const start = rowOf(this.parameters);
    const diagonals = diagonal(curvature);
    // A parameter that changes no residual has nothing to be measured by, and no gradient either.
    const scale = where(eq(diagonals, 0), 1, diagonals);
    for (let damping = this.#damping; damping <= most; damping *= up) {
      const damped = add(curvature, diagEmbed(mul(scale, damping)));
      const d = solve(damped, neg(gradient)).toTypedArray();
      assignRow(
        this.parameters,
        start.map((x, i) => x + d[i]!),
      );
      // So short a step changes nothing once it is rounded, and the next would be shorter.
      if (rowOf(this.parameters).every((x, i) => x === start[i])) break;
      const r = residuals();
      const lowered = costOf(r).item();
      if (lowered < cost) {
        this.#damping = Math.max(damping / down, least);
        return { r, cost: lowered };
      }
    }
    assignRow(this.parameters, start);
    return null;
  }

  /** `J'r` and `J'J`. */
  #linearize(r: Tensor): { readonly gradient: Tensor; readonly curvature: Tensor } {
    const { parameters } = this;
    const row = cat(parameters.map((parameter) => cast(reshape(parameter, [parameter.size]), "float64")));
    const slopes = jacobian((x) => {
      const leaves = new Map<Tensor, Tensor>();
      let offset = 0;
      for (const parameter of parameters) {
        const { shape, dtype, size } = parameter;
        leaves.set(parameter, reshape(cast(slice(x, offset, offset + size), dtype), shape));
        offset += size;
      }
      const [moved] = rebuild([r], leaves) as [Tensor];
      return cast(reshape(moved, [moved.size]), "float64");
    })(row);
    const across = transpose(slopes);
    const gradient = matmul(across, cast(reshape(r, [r.size]), "float64"));
    const curvature = matmul(across, slopes);
    evaluate(gradient, curvature);
    return { gradient, curvature };
  }

  /** The damping. Together with the parameters it goes on bit for bit. */
  stateDict(): StateDict {
    return snapshotOf(this.#boxes());
  }

  /** Takes what `stateDict` has given. Throws ValueError or ShapeError if it does not fit; then nothing has changed. */
  loadStateDict(state: StateDict): void {
    const boxes = this.#boxes();
    loadState("LevenbergMarquardt", boxes, state);
    this.damping = boxes.get("damping")!.item();
  }

  #boxes(): ReadonlyMap<string, Variable> {
    return new Map([["damping", variable(this.#damping, { dtype: "float64" })]]);
  }
}

function checkDamping(damping: number): number {
  if (damping >= least && damping <= most) return damping;
  throw new ValueError(
    `LevenbergMarquardt: damping is a number from ${least} to ${most}, got ${String(damping)}`,
  );
}

function costOf(r: Tensor): Tensor {
  if (r.dtype !== "float32" && r.dtype !== "float64")
    throw new DTypeError(
      `LevenbergMarquardt: the residuals are ${r.dtype}; only float32 and float64 have derivatives`,
    );
  return mul(0.5, sum(square(cast(r, "float64"))));
}
