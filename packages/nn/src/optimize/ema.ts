import { add, assignAll, mul, scalar, sub, Variable } from "@cotangent/autograd/functional";
import { checkShare, optionsOf } from "../options.ts";
import { loadState, type StateDict, snapshotOf } from "../state.ts";
import { listOf } from "./transform.ts";
import { exact, perStep, type Schedule } from "./transforms.ts";

export interface EMAOptions {
  /** How much of the averages is kept at an update; 0.999 unless given. A schedule is asked by the number of updates before. */
  readonly decay?: number | Schedule | undefined;
}

/**
 * Exponential moving averages of parameters (Polyak and Juditsky 1992, "Acceleration of stochastic approximation by averaging", with
 * fading weights): they often do better on data that was not trained on. They begin as copies.
 *
 * Throws ValueError for a decay that is not from 0 to 1, and for what is no parameter.
 *
 * @example
 * ```ts
 * import { compile, variable } from "@cotangent/autograd";
 * import { EMA, SGD } from "@cotangent/nn";
 * const w = variable(4);
 * const optimizer = new SGD([w], { lr: 0.25 });
 * const ema = new EMA([w], { decay: 0.5 });
 * const step = compile(() => {
 *   optimizer.step(w.square());
 *   ema.update();
 * });
 * step();
 * step();
 * ema.use(() => w.item()); // => 2
 * w.item(); // => 1
 * ```
 */
export class EMA {
  readonly parameters: readonly Variable[];
  /** The average of each parameter. */
  readonly averages: readonly Variable[];
  /** How many updates there were: int32. */
  readonly updateCount: Variable = new Variable(scalar(0, { dtype: "int32" })).named("updates");
  readonly #numbers: ReturnType<typeof perStep<"gained">>;

  constructor(parameters: Iterable<Variable>, options: EMAOptions = {}) {
    const { decay = 0.999 } = optionsOf("EMA", options, { decay: true });
    if (typeof decay !== "function") checkShare("EMA: decay", decay);
    this.parameters = listOf("EMA", parameters);
    this.averages = this.parameters.map((parameter) => {
      const average = new Variable(parameter);
      return parameter.label === null ? average : average.named(`${parameter.label}.average`);
    });
    this.#numbers = perStep((step) => ({ gained: sub(1, exact(decay, step)) }));
  }

  /** Moves each average towards its parameter. Inside `compile` it becomes part of the program. */
  update(): void {
    const step = add(this.updateCount, 1);
    assignAll([
      [this.updateCount, step],
      ...this.averages.map((average, i) => {
        const { gained } = this.#numbers(step, average.dtype);
        return [average, add(average, mul(sub(this.parameters[i]!, average), gained))] as const;
      }),
    ]);
  }

  /** Exchanges parameters and averages; a second time puts them back. */
  swap(): void {
    assignAll(
      this.parameters.flatMap((parameter, i) => {
        const average = this.averages[i]!;
        return [
          [parameter, average.node],
          [average, parameter.node],
        ] as const;
      }),
    );
  }

  /** What `f` returns while the parameters are the averages; afterwards, or when its promise is settled, they are themselves again. */
  use<T>(f: () => T): T {
    this.swap();
    let result: T;
    try {
      result = f();
    } catch (error) {
      this.swap();
      throw error;
    }
    if (result instanceof Promise) return result.finally(() => this.swap()) as T;
    this.swap();
    return result;
  }

  /** The averages by their places in `parameters`, and the count of updates. */
  stateDict(): StateDict {
    return snapshotOf(this.#variables());
  }

  /** Takes what `stateDict` has given. Throws ValueError or ShapeError if it does not fit; then nothing has changed. */
  loadStateDict(state: StateDict): void {
    loadState("EMA", this.#variables(), state);
  }

  #variables(): ReadonlyMap<string, Variable> {
    return new Map([
      ["updates", this.updateCount],
      ...this.averages.map((average, i) => [`averages.${i}`, average] as const),
    ]);
  }
}
