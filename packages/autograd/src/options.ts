import { ValueError } from "./errors.ts";
import { Tensor } from "./graph.ts";
import { shown } from "./shape.ts";

/** Checks of options objects. In JavaScript anything can stand there, and what nobody reads is not noticed. */

/** The names of all options of a kind, and which are true or false; the type checker sees to it that none is left out. */
export type Known<T> = {
  readonly [K in keyof T]-?: [Exclude<T[K], undefined>] extends [boolean] ? "boolean" : true;
};

/** Options without those that are undefined. */
export type Given<T> = { readonly [K in keyof T]: Exclude<T[K], undefined> };

/**
 * `options`, none unless given, without those that are undefined: spread over defaults they would take their places. Throws ValueError
 * unless they are named: `mse(x, y, "sum")` would be the mean; if one is not among the `known`; and if one that is true or false is
 * anything else: the text "false" counts as true.
 */
export function optionsOf<T extends object>(
  name: string,
  options: T | undefined,
  known?: Known<T>,
): Given<T> {
  if (options === undefined) return {} as Given<T>;
  if (!options || typeof options !== "object" || options instanceof Tensor || Array.isArray(options))
    throw new ValueError(
      `${name}: options are named, as in { name: value }, got ${shown(options)}${known ? `; ${listed(Object.keys(known))}` : ""}`,
    );
  const kinds: { readonly [option: string]: unknown } = known ?? {};
  if (known) checkNames(name, options, Object.keys(kinds));
  let given = options;
  for (const [option, value] of Object.entries(options))
    if (value === undefined) {
      given = { ...given };
      Reflect.deleteProperty(given, option);
    } else if (kinds[option] === "boolean" && typeof value !== "boolean")
      throw new ValueError(`${name}: ${option} is true or false, got ${shown(value)}`);
  return given as Given<T>;
}

/** Throws ValueError unless `f` is a function. */
export function checkFunction(name: string, f: unknown): void {
  if (typeof f !== "function") throw new ValueError(`${name}: takes a function, got ${shown(f)}`);
}

/** Throws ValueError if an option has a name that nobody reads. */
export function checkNames(name: string, options: object, known: readonly string[]): void {
  for (const option of Object.keys(options))
    if (!known.includes(option))
      throw new ValueError(`${name}: there is no option ${option}; ${listed(known)}`);
}

const listed = (known: readonly string[]): string => `the options are ${known.join(", ") || "none"}`;
