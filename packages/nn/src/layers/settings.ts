import type { Known } from "../options.ts";
import { checkCount, optionsOf } from "../options.ts";

export { checkTensor } from "@cotangent/autograd/functional";

/** For each argument of a layer its name, or the names of the options that it holds. */
export type Given<Rest extends readonly unknown[]> = {
  readonly [I in keyof Rest]-?: NonNullable<Rest[I]> extends number | readonly unknown[]
    ? string
    : Known<NonNullable<Rest[I]>>;
};

/** Throws ValueError unless the arguments that are to be options are options that there are; others are checked when used. */
export function checkGiven(
  name: string,
  rest: readonly unknown[],
  given: readonly (string | object)[],
): void {
  rest.forEach((value, i) => {
    const names = given[i] ?? {};
    if (typeof names === "object") optionsOf(name, value as object | undefined, names);
  });
}

/** A copy of lists and plain objects: a layer stays as it was made when the caller changes them for the next one. */
export function copied<T>(value: T): T {
  if (Array.isArray(value)) return value.map(copied) as T;
  if (typeof value !== "object" || value === null || Object.getPrototypeOf(value) !== Object.prototype)
    return value;
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, copied(entry)])) as T;
}

/** One setting of a layer as `name=value`, or each entry of an options object so; nothing for what was not given. */
export function settings(name: string | object | undefined, value: unknown): string[] {
  if (value === undefined) return [];
  if (typeof name === "string")
    return [`${name}=${Array.isArray(value) ? `[${value.join(", ")}]` : String(value)}`];
  return Object.entries(Object(value)).flatMap(([key, entry]) => settings(key, entry));
}

/** Throws ValueError unless all sizes are whole numbers of at least 1. */
export function checkSizes(name: string, sizes: Readonly<Record<string, number>>): void {
  for (const [what, size] of Object.entries(sizes)) checkCount(`${name}: ${what}`, size, 1);
}
