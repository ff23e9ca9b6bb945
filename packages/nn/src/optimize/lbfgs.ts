import type { Tensor, Variable } from "@cotangent/autograd/functional";
import { evaluate, GradientError, grad, ValueError } from "@cotangent/autograd/functional";
import { type Complete, checkCount, checkFunction, checkNumber, type Known, optionsOf } from "../options.ts";
import type { StateDict } from "../state.ts";
import { dot, learned, type Memory, memoryFrom, memoryState, newton } from "./curvature.ts";
import { assignRow, joined, largest, rowOf, startOf } from "./row.ts";
import { listOf } from "./transform.ts";
import { type Point, strongWolfe } from "./wolfe.ts";

export interface LBFGSOptions {
  /** The length of a step in units of the direction, or with a line search of its first trial; 1 unless given. */
  readonly lr?: number | undefined;
  /** The most iterations of one `step`; 20 unless given. */
  readonly maxIter?: number | undefined;
  /** After how many evaluations of the loss a `step` ends; 5/4 of `maxIter` unless given. */
  readonly maxEval?: number | undefined;
  /** A `step` ends when no element of the gradient is larger; 1e-7 unless given. */
  readonly toleranceGrad?: number | undefined;
  /** A `step` ends when neither the loss nor a parameter changes by more; 1e-9 unless given. */
  readonly toleranceChange?: number | undefined;
  /** How many of the last changes are remembered; 100 unless given. */
  readonly historySize?: number | undefined;
  /** How the length of a step is found; it is `lr` unless this is given. */
  readonly lineSearchFn?: "strongWolfe" | null | undefined;
}

const known: Known<LBFGSOptions> = {
  lr: true,
  maxIter: true,
  maxEval: true,
  toleranceGrad: true,
  toleranceChange: true,
  historySize: true,
  lineSearchFn: true,
};

/**
 * The quasi-Newton method of limited memory (Liu and Nocedal 1989), for losses that are the same at each call: all examples, no
 * dropout. Its steps are PyTorch's (`torch.optim.LBFGS`), its sums float64. `step` takes a function that gives the loss and calls it
 * several times; it cannot be compiled, but the losses run as a compiled program after the first ones.
 *
 * Throws ValueError for options that there are not, numbers out of range and what is no parameter.
 *
 * @example
 * ```ts
 * import { variable } from "@cotangent/autograd";
 * import { LBFGS } from "@cotangent/nn";
 * const w = variable([-1, 2]);
 * const optimizer = new LBFGS([w], { lineSearchFn: "strongWolfe" });
 * const rosenbrock = () => {
 *   const [x, y] = w.unbind();
 *   return y.sub(x.square()).square().mul(100).add(x.sub(1).square());
 * };
 * for (let i = 0; i < 3; i++) optimizer.step(rosenbrock);
 * w; // => Variable([1, 1], float32)
 * ```
 */
export class LBFGS {
  readonly parameters: readonly Variable[];
  readonly #options: Complete<LBFGSOptions>;
  #memory: Memory | null = null;

  constructor(parameters: Iterable<Variable>, options: LBFGSOptions = {}) {
    this.parameters = listOf("LBFGS", parameters);
    const own = optionsOf("LBFGS", options, known);
    const { maxIter = 20 } = own;
    const given = {
      lr: 1,
      maxIter,
      maxEval: Math.floor((maxIter * 5) / 4),
      toleranceGrad: 1e-7,
      toleranceChange: 1e-9,
      historySize: 100,
      lineSearchFn: null,
      ...own,
    };
    for (const name of ["lr", "toleranceGrad", "toleranceChange"] as const)
      checkNumber(`LBFGS: ${name}`, given[name], 0);
    for (const name of ["maxIter", "maxEval", "historySize"] as const)
      checkCount(`LBFGS: ${name}`, given[name], 1);
    if (given.lineSearchFn !== null && given.lineSearchFn !== "strongWolfe")
      throw new ValueError(`LBFGS: lineSearchFn is "strongWolfe" or null, got ${String(given.lineSearchFn)}`);
    this.#options = given;
  }

  /**
   * Up to `maxIter` iterations down the loss that `closure` gives, which must be built anew at each call and needs no `backward`,
   * whose gradients would be computed beside. Returns the loss before them. Parameters that it does not reach stay what they are.
   *
   * Throws GradientError if the loss reaches no parameter or is not one float, CompileError inside `compile`. After a throw,
   * also one of `closure`, nothing has changed.
   */
  step(closure: () => Tensor): Tensor {
    checkFunction("LBFGS: what step takes", closure);
    const before = startOf("LBFGS", this.parameters);
    try {
      return this.#descend(closure);
    } catch (error) {
      assignRow(this.parameters, before);
      throw error;
    }
  }

  #descend(closure: () => Tensor): Tensor {
    const { lr, maxIter, maxEval, toleranceGrad, toleranceChange, historySize, lineSearchFn } = this.#options;
    const loss = closure();
    let { value, gradient } = this.#differentiate(loss);
    let memory = this.#memory;
    let evaluations = 1;
    const evaluate = (): Omit<Point, "t" | "slope"> => {
      evaluations++;
      return this.#differentiate(closure());
    };
    for (let i = 1; i <= maxIter && largest(gradient) > toleranceGrad; i++) {
      const changes = memory ? learned(memory, gradient, historySize) : [];
      const direction = newton(gradient, changes);
      const slope = dot(gradient, direction);
      let t = memory ? lr : Math.min(1, 1 / total(gradient)) * lr;
      memory = { changes, gradient, direction, t };
      if (slope > -toleranceChange) break;
      const [start, previous] = [rowOf(this.parameters), value];
      if (lineSearchFn) {
        const at = (t: number): Point => {
          this.#move(start, direction, t);
          const found = evaluate();
          return { ...found, t, slope: dot(found.gradient, direction) };
        };
        const shortest = toleranceChange / largest(direction);
        const found = strongWolfe({ at, start: { t: 0, value, gradient, slope }, first: t, shortest });
        ({ t, value, gradient } = found);
        memory = { ...memory, t };
        this.#move(start, direction, t);
      } else {
        this.#move(start, direction, t);
        // The last point is not looked at: the next step does that.
        if (i < maxIter) ({ value, gradient } = evaluate());
      }
      if (evaluations >= maxEval) break;
      if (largest(direction) * t <= toleranceChange || Math.abs(value - previous) < toleranceChange) break;
    }
    this.#memory = memory;
    return loss;
  }

  /** The loss and its gradient by all parameters in one row. */
  #differentiate(loss: Tensor): { readonly value: number; readonly gradient: Float64Array } {
    const gradients = grad(loss, this.parameters, { unused: "null" });
    if (gradients.every((g) => g === null))
      throw new GradientError(
        `LBFGS: the loss reaches none of the ${gradients.length} parameters; is it detached, or made of others?`,
      );
    evaluate(loss, ...gradients.filter((g) => g !== null));
    const parts = gradients.map((g, i) => g?.toTypedArray() ?? new Float64Array(this.parameters[i]!.size));
    return { value: loss.item(), gradient: joined(parts) };
  }

  /** Brings the parameters to `start + t direction`. */
  #move(start: Float64Array, direction: Float64Array, t: number): void {
    assignRow(
      this.parameters,
      start.map((x, i) => x + t * direction[i]!),
    );
  }

  /**
   * What the next step goes on from, float64 and with PyTorch's names: the last changes of the gradient and of the parameters, each
   * a row of `oldDirs` and `oldStps`, and of the last iteration, if there was one, the gradient, the direction and how far it went.
   * A snapshot; together with the parameters it resumes training bit for bit.
   *
   * @example
   * ```ts
   * import { variable } from "@cotangent/autograd";
   * import { LBFGS } from "@cotangent/nn";
   * const w = variable([3, 4]);
   * const optimizer = new LBFGS([w], { maxIter: 1 });
   * optimizer.step(() => w.square().sum());
   * optimizer.stateDict().prevFlatGrad; // => Tensor([[6, 8]], float64)
   * ```
   */
  stateDict(): StateDict {
    return memoryState(this.#memory, this.#width);
  }

  /**
   * Takes what `stateDict` of an LBFGS with the same options and parameters of the same shapes has given. Throws ValueError or
   * ShapeError, naming all that is missing, unexpected or does not fit; then nothing has changed.
   */
  loadStateDict(state: StateDict): void {
    this.#memory = memoryFrom(state, this.#width, this.#options.historySize);
  }

  get #width(): number {
    return this.parameters.reduce((sum, { size }) => sum + size, 0);
  }

  /** Sets the `grad` of all parameters to null; needed only where `backward` is called. */
  zeroGrad(): void {
    for (const parameter of this.parameters) parameter.grad = null;
  }
}

const total = (x: Float64Array): number => x.reduce((sum, value) => sum + Math.abs(value), 0);
