import type { Variable } from "@cotangent/autograd/functional";
import { assignAll, cast, ShapeError, Tensor, ValueError } from "@cotangent/autograd/functional";

/** Tensors by name: `{ "0.weight": ..., "0.bias": ... }`. */
export type StateDict = Readonly<Record<string, Tensor>>;

export interface LoadOptions {
  /** Refuses a state dict that lacks a name or has one too many; true unless given. */
  readonly strict?: boolean | undefined;
}

/** The names in which a state dict differed from what it was loaded into. */
export interface LoadedKeys {
  /** Those that it lacks: their variables were left alone. */
  readonly missingKeys: readonly string[];
  /** Those that nothing was done with. */
  readonly unexpectedKeys: readonly string[];
}

/**
 * A name as PyTorch writes it: `inProjWeight` is `in_proj_weight`. No two names in camelCase become the same; what is in snake_case
 * or begins with a capital, as `Wq` and `W_q`, stays.
 */
export function snakeCase(name: string): string {
  return /^[A-Z]/.test(name) ? name : name.replace(/(?<!_)[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** The present values of `variables`. */
export function snapshotOf(variables: ReadonlyMap<string, Variable>): StateDict {
  return Object.fromEntries([...variables].map(([name, variable]) => [name, variable.node]));
}

/**
 * Assigns to `variables` what `state` has under their names, after all of it has been checked; a variable with several names needs
 * one of them. `owner` begins the messages; without `options` it has none, and they do not speak of `strict`.
 */
export function loadState(
  owner: string,
  variables: ReadonlyMap<string, Variable>,
  state: StateDict,
  options?: LoadOptions,
): LoadedKeys {
  const strict = options?.strict ?? true;
  if (typeof state !== "object" || state === null)
    throw new ValueError(`${owner}: a state dict is an object of tensors, got ${String(state)}`);
  const values = new Map<Variable, Tensor>();
  const misfits: string[] = [];
  for (const [name, variable] of variables) {
    if (!Object.hasOwn(state, name)) continue;
    const value = state[name]!;
    const misfit = misfitOf(variable, value);
    if (misfit !== null) misfits.push(`${name} ${misfit}`);
    else values.set(variable, value.dtype === variable.dtype ? value : cast(value, variable.dtype));
  }
  const missingKeys = [...variables].flatMap(([name, variable]) =>
    Object.hasOwn(state, name) || values.has(variable) ? [] : [name],
  );
  const unexpectedKeys = Object.keys(state).filter((name) => !variables.has(name));
  const wrongKeys = strict && missingKeys.length + unexpectedKeys.length > 0;
  if (wrongKeys || misfits.length > 0) {
    const lines = [...misfits];
    if (strict && missingKeys.length > 0) lines.push(`missing: ${missingKeys.join(", ")}`);
    if (strict && unexpectedKeys.length > 0) lines.push(`unexpected: ${unexpectedKeys.join(", ")}`);
    // What does not fit is refused in any case.
    if (wrongKeys && options && misfits.length === 0)
      lines.push("pass { strict: false } to load what is there");
    const message = `${owner}: the state dict does not fit, and nothing was loaded\n  ${lines.join("\n  ")}`;
    throw wrongKeys ? new ValueError(message) : new ShapeError(message);
  }
  assignAll([...values]);
  return { missingKeys, unexpectedKeys };
}

/** What is wrong with `value` for `variable`; null if nothing is. Floats take each other. */
function misfitOf({ shape, dtype }: Variable, value: Tensor): string | null {
  if (!(value instanceof Tensor)) return `is ${String(value)}, no tensor`;
  if (value.shape.join() !== shape.join())
    return `has shape [${value.shape.join(", ")}] and not [${shape.join(", ")}]`;
  const [from, to] = [value.dtype, dtype];
  return from === to || (from.startsWith("float") && to.startsWith("float"))
    ? null
    : `is ${from} and not ${to}`;
}
