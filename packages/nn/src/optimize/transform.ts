import type { Tree } from "@cotangent/autograd/functional";
import {
  add,
  assignAll,
  DTypeError,
  GradientError,
  grad,
  leavesOf,
  mapTree,
  scalar,
  sub,
  Tensor,
  ValueError,
  Variable,
} from "@cotangent/autograd/functional";
import { checkCount, checkFunctions, optionsOf } from "../options.ts";
import { loadState, type StateDict, snapshotOf } from "../state.ts";

/**
 * One step of the way from a gradient to what is subtracted from its parameter. A transform holds nothing: `init` says what it
 * has to remember of a parameter, and `update` gets that and answers with what to remember next.
 */
export interface Transform<State extends Tree = Tree> {
  /** The state at the beginning. */
  init(parameter: Tensor): State;
  /**
   * From a gradient `g` of the parameter's shape and dtype to another one, and to the next state, in the form of the old one.
   * `step` is the number of this step, from 1 (int32, without axes): one node that all parameters share. What is computed
   * from it alone belongs in `perStep`.
   */
  update(
    g: Tensor,
    state: State,
    parameter: Tensor,
    step: Tensor,
  ): { readonly update: Tensor; readonly state: State };
}

/** Transforms one after the other: each gets what the one before made of the gradient. Null stands for none. */
export function chain(...parts: readonly (Transform | null)[]): Transform {
  const transforms = parts.filter((part) => part !== null);
  if (transforms.length === 1) return transforms[0]!;
  const chained: Transform<readonly Tree[]> = {
    init: (parameter) => transforms.map((transform) => transform.init(parameter)),
    update: (g, states, parameter, step) => {
      let update = g;
      const next = transforms.map((transform, i) => {
        const result = transform.update(update, states[i]!, parameter, step);
        update = result.update;
        return result.state;
      });
      return { update, state: next };
    },
  };
  return chained;
}

/** The gradients of all parameters; null for one that has none. */
export type Gradients = readonly (Tensor | null)[];

/** New values of variables, to be assigned together. */
export type Assignments = readonly (readonly [variable: Variable, value: Tensor])[];

/**
 * What stands between the gradients of all parameters and the step that is made of them: `clipByNorm(1)`, `accumulate(4)`. For each
 * optimizer it makes what it remembers, which goes into the state dict, and `update`, which calls `next` with the gradients for
 * the stage after it, or for the step, and answers with all that is to be assigned.
 */
export type Stage = (parameters: readonly Variable[]) => {
  readonly state?: { readonly [name: string]: readonly Variable[] } | undefined;
  update(gradients: Gradients, next: (gradients: Gradients) => Assignments): Assignments;
};

/** A number that can change, and what throws ValueError if it cannot become `value`. */
export type NamedNumber = readonly [name: string, box: Variable, check: (value: number) => void];

export interface OptimizerOptions {
  /** What all gradients go through together before the step, in this order: `[accumulate(4), clipByNorm(1)]`. */
  readonly stages?: readonly Stage[] | undefined;
}

/**
 * Changes `parameters` by their gradients: each step subtracts what `transform` makes of them. `SGD` and `Adam` are chains
 * with names.
 *
 * Throws ValueError if there is no parameter, if one comes twice or is no variable, DTypeError if one is no float.
 *
 * @example
 * ```ts
 * import { sign, variable } from "@cotangent/autograd";
 * import { chain, Optimizer, scaleByLearningRate, type Transform } from "@cotangent/nn";
 * const signs: Transform = { init: () => [], update: (g) => ({ update: sign(g), state: [] }) };
 * const w = variable([3, -4]);
 * const optimizer = new Optimizer([w], chain(signs, scaleByLearningRate(0.5)));
 * optimizer.step(w.square().sum());
 * w.toArray(); // => 2.5,-3.5
 * ```
 */
export class Optimizer {
  readonly parameters: readonly Variable[];
  /** For each parameter a tree of variables: what the transform remembers. */
  readonly state: readonly Tree[];
  /** How many steps were taken: int32. */
  readonly stepCount: Variable = new Variable(scalar(0, { dtype: "int32" })).named("step");
  readonly #transform: Transform;
  readonly #stages: readonly ReturnType<Stage>[];

  constructor(parameters: Iterable<Variable>, transform: Transform, options: OptimizerOptions = {}) {
    const { name } = new.target;
    const { stages = [] } = optionsOf(name, options, { stages: true });
    const list = listOf(name, parameters);
    this.parameters = list;
    this.#transform = transform;
    checkFunctions(`${name}: stages`, stages);
    this.#stages = stages.map((stage) => stage(list));
    this.state = list.map(
      (parameter) =>
        mapTree(transform.init(parameter), (initial, path) => {
          const name = path.slice(path.lastIndexOf(".") + 1);
          return new Variable(initial).named(parameter.label === null ? name : `${parameter.label}.${name}`);
        }) as Tree,
    );
  }

  /**
   * One step down the gradient of `loss`, or without it, of what `backward` left in the parameters' `grad`. Parameters that the
   * loss does not reach (or whose `grad` is null) are left alone, state and all; the count of steps goes on for them too, other
   * than in PyTorch. Everything changes at once; inside `compile` it becomes part of the program.
   *
   * Throws GradientError if no parameter has a gradient or `loss` is not one float, ValueError if it is no tensor. A throw changes
   * nothing.
   */
  step(loss?: Tensor): void {
    const name = this.constructor.name;
    if (loss !== undefined && !(loss instanceof Tensor))
      throw new ValueError(`${name}: step takes the loss itself, a tensor, got ${String(loss)}`);
    if (loss && loss.size !== 1)
      throw new GradientError(
        `${name}: step takes a loss of one element, got shape [${loss.shape.join(", ")}]; reduce it with sum() or mean()`,
      );
    const gradients = loss
      ? grad(loss, this.parameters, { unused: "null" })
      : this.parameters.map((p) => p.grad);
    if (gradients.every((g) => g === null))
      throw new GradientError(
        loss
          ? `${name}: the loss reaches none of the ${gradients.length} parameters; is it detached, or made of others?`
          : `${name}: no parameter has a gradient; call loss.backward() before step(), or step(loss)`,
      );
    const run = this.#stages.reduceRight(
      (next, stage) => (gradients: Gradients) => stage.update(gradients, next),
      (gradients: Gradients) => this.#updates(gradients),
    );
    assignAll(run(gradients));
  }

  /** What a step with these gradients changes. */
  #updates(gradients: Gradients): Assignments {
    const step = add(this.stepCount, 1);
    const assignments: [Variable, Tensor][] = [[this.stepCount, step]];
    gradients.forEach((g, i) => {
      if (g === null) return;
      const parameter = this.parameters[i]!;
      const before = this.state[i]!;
      const { update, state } = this.#transform.update(g, before, parameter, step);
      assignments.push([parameter, sub(parameter, update)]);
      const after = leavesOf(state);
      leavesOf(before).forEach((variable, k) => {
        assignments.push([variable as Variable, after[k]!]);
      });
    });
    return assignments;
  }

  /** Makes the parameters those to be trained at, where those are others than the ones to be evaluated: `SGDScheduleFree`. */
  train?(): this;
  /** Makes the parameters those to be evaluated. */
  eval?(): this;

  /**
   * All that decides on the next steps: the count of steps, the numbers such as `lr`, and for each parameter, by its place in
   * `parameters`, what the transform remembers. A snapshot; together with the parameters it resumes training bit for bit.
   *
   * @example
   * ```ts
   * import { variable } from "@cotangent/autograd";
   * import { SGD } from "@cotangent/nn";
   * const optimizer = new SGD([variable([1, 2])], { lr: 0.1, momentum: 0.9 });
   * Object.keys(optimizer.stateDict()); // => [ 'step', 'lr', 'momentum', 'state.0.0.momentumBuffer' ]
   * ```
   */
  stateDict(): StateDict {
    return snapshotOf(this.#variables());
  }

  /**
   * Takes what `stateDict` of an optimizer of this kind, with the same options and parameters of the same shapes, has given.
   * Throws ValueError, naming all that is missing, unexpected, out of range or does not fit; then nothing has changed.
   */
  loadStateDict(state: StateDict): void {
    const counted = (steps: number) => checkCount(`${this.constructor.name}: step`, steps, 0);
    for (const [name, , check] of [["step", this.stepCount, counted] as const, ...this.numbers]) {
      const value: unknown = Object.hasOwn(Object(state), name) ? state[name] : null;
      if (value instanceof Tensor && value.size === 1) check(value.item());
    }
    loadState(this.constructor.name, this.#variables(), state);
  }

  /** The numbers that can change. */
  protected get numbers(): readonly NamedNumber[] {
    return [];
  }

  #variables(): ReadonlyMap<string, Variable> {
    const found = new Map<string, Variable>([["step", this.stepCount]]);
    for (const [name, box] of this.numbers) found.set(name, box);
    const stages = this.#stages.map(({ state = {} }) => state);
    mapTree({ state: this.state, stages }, (leaf, path) => {
      found.set(path, leaf as Variable);
      return leaf;
    });
    return found;
  }

  /** Sets the `grad` of all parameters to null; needed only with `backward`. */
  zeroGrad(): void {
    for (const parameter of this.parameters) parameter.grad = null;
  }
}

/** The parameters, each a float variable that comes once. */
export function listOf(name: string, given: Iterable<Variable>): readonly Variable[] {
  const parameters = variablesOf(name, given);
  if (parameters.length === 0)
    throw new ValueError(`${name}: there are no parameters; pass model.parameters() or a list of variables`);
  parameters.forEach((parameter, i) => {
    const called = `parameter ${parameter.label ?? i}`;
    if (parameter.dtype !== "float32" && parameter.dtype !== "float64")
      throw new DTypeError(
        `${name}: ${called} is ${parameter.dtype}; only float32 and float64 have derivatives`,
      );
    if (parameters.indexOf(parameter) !== i) throw new ValueError(`${name}: ${called} is given twice`);
  });
  return parameters;
}

/** What is given as a list of variables; there may be none. */
export function variablesOf(name: string, given: Iterable<Variable>): readonly Variable[] {
  if (typeof given?.[Symbol.iterator] !== "function")
    throw new ValueError(
      `${name}: takes a list of parameters; pass model.parameters(), or [w] for one variable`,
    );
  return [...given].map((parameter, i) => {
    if (parameter instanceof Variable) return parameter;
    throw new ValueError(
      `${name}: parameter ${i} is no variable; pass model.parameters(), or groups of { parameters, lr, ... }`,
    );
  });
}
