import type { Tensor, Variable } from "@cotangent/autograd/functional";
import { add, cast, StateError, ValueError } from "@cotangent/autograd/functional";
import { checkNames, optionsOf } from "../options.ts";
import { Numbers } from "./numbers.ts";
import {
  chain,
  listOf,
  type NamedNumber,
  Optimizer,
  type OptimizerOptions,
  type Transform,
} from "./transform.ts";
import type { Schedule } from "./transforms.ts";
import { negate } from "./transforms.ts";

/** What every optimizer can be told. */
export interface MethodOptions extends OptimizerOptions {
  /** Climbs rather than descends; not unless given. */
  readonly maximize?: boolean | undefined;
}

/** Parameters with options of their own, which go before those of the optimizer. */
export type ParameterGroup<Options> = Partial<Omit<Options, keyof OptimizerOptions>> & {
  readonly parameters: Iterable<Variable>;
};

/** What an optimizer changes: parameters, or groups of them. */
export type Trainable<Options> =
  | Iterable<Variable>
  | Iterable<ParameterGroup<Options>>
  | readonly ParameterGroup<Options>[];

/** What an option is once it is settled: the numbers without what else may stand for them. */
type Settled<T> = T extends Schedule
  ? never
  : T extends readonly unknown[]
    ? { readonly [I in keyof T]: Settled<T[I]> }
    : T;

/** A group of an optimizer: its parameters, and its numbers, which can be assigned between steps. */
export type Group<Options> = { readonly parameters: readonly Variable[] } & {
  -readonly [K in Exclude<keyof Options, keyof OptimizerOptions>]-?: Settled<NonNullable<Options[K]>>;
};

/**
 * An optimizer with a name and with numbers that are its properties: from them and the options of a group `method` makes the
 * group's transform. With several groups, `optimizer.lr` is that of all groups: it can be assigned, and read if they agree.
 */
export abstract class Method<Options extends MethodOptions> extends Optimizer {
  /** One for each group that was given; one for a list of parameters. */
  readonly groups: readonly Group<Options>[];
  declare readonly maximize: boolean;
  readonly #numbers: readonly Numbers[];

  constructor(
    trainable: Trainable<Options>,
    options: Options,
    method: (numbers: Numbers, options: Options) => Transform,
  ) {
    const name = new.target.name;
    const parts = groupsOf(name, trainable).map(({ parameters, ...own }) => {
      const merged: Options = { ...optionsOf(name, options), ...optionsOf(name, own) };
      const numbers = new Numbers(name);
      const { maximize = false } = merged;
      numbers.addFlag("maximize", maximize);
      const transform = method(numbers, merged);
      checkNames(name, merged, [...numbers.names, "stages"]);
      return {
        parameters: listOf(name, parameters),
        numbers,
        transform: maximize ? chain(negate(), transform) : transform,
      };
    });
    super(
      parts.flatMap(({ parameters }) => parameters),
      byGroup(parts),
      { stages: options?.stages },
    );
    this.#numbers = parts.map(({ numbers }) => numbers);
    this.groups = parts.map(({ parameters, numbers }) => {
      const group = { parameters };
      expose(this, group, [numbers]);
      return group as Group<Options>;
    });
    expose(this, this, this.#numbers);
  }

  /** In a state dict they are `lr`, or with several groups `groups.0.lr`. */
  protected override get numbers(): readonly NamedNumber[] {
    const several = this.#numbers.length > 1;
    return this.#numbers.flatMap((numbers, i) =>
      numbers.variables.map(
        ([name, box, check]) => [several ? `groups.${i}.${name}` : name, box, check] as const,
      ),
    );
  }
}

interface Part {
  readonly parameters: readonly Variable[];
  readonly transform: Transform;
}

/** The transform of the group that a parameter is in. */
function byGroup(parts: readonly Part[]): Transform {
  if (parts.length === 1) return parts[0]!.transform;
  const transforms = new Map<Tensor, Transform>(
    parts.flatMap(({ parameters, transform }) => parameters.map((parameter) => [parameter, transform])),
  );
  const of = (parameter: Tensor) => transforms.get(parameter)!;
  return {
    init: (parameter) => of(parameter).init(parameter),
    update: (g, state, parameter, step) => of(parameter).update(g, state, parameter, step),
  };
}

function groupsOf<Options>(name: string, given: Trainable<Options>): readonly ParameterGroup<Options>[] {
  const isList = typeof given?.[Symbol.iterator] === "function";
  const list: readonly unknown[] = isList ? [...given] : [];
  // A module, whose `parameters` is a function, is none.
  const isGroup = (x: unknown) =>
    typeof x === "object" && x !== null && "parameters" in x && typeof x.parameters !== "function";
  if (!list.some(isGroup)) return [{ parameters: isList ? list : given } as ParameterGroup<Options>];
  list.forEach((x, i) => {
    if (!isGroup(x))
      throw new ValueError(
        `${name}: entry ${i} is no group; groups are { parameters, lr, ... }, all of them`,
      );
    if ("stages" in (x as object))
      throw new ValueError(`${name}: group ${i} has stages; they are for all groups, an option of ${name}`);
  });
  return list as readonly ParameterGroup<Options>[];
}

/** Makes the numbers of `groups` properties of `target`. */
function expose(optimizer: Optimizer, target: object, groups: readonly Numbers[]): void {
  const step = () => cast(add(optimizer.stepCount, 1), "float64");
  for (const name of new Set(groups.flatMap(({ names }) => names)))
    Object.defineProperty(target, name, {
      get: () => {
        const [first, ...others] = groups.map((numbers) => numbers.read(name, step));
        if (others.every((other) => String(other) === String(first))) return first;
        throw new StateError(
          `${optimizer.constructor.name}: the groups differ in ${name}; use groups[i].${name}`,
        );
      },
      set: (value: unknown) => {
        const assign = groups.map((numbers) => numbers.settle(name, value));
        for (const one of assign) one();
      },
      enumerable: true,
    });
}
