import { Tensor, ValueError } from "@cotangent/autograd/functional";
import { checkCount } from "../options.ts";

/** One setting of a layer as `name=value`, or each entry of an options object so; nothing for what was not given. */
export function settings(name: string | undefined, value: unknown): string[] {
  if (value === undefined) return [];
  if (name !== undefined)
    return [`${name}=${Array.isArray(value) ? `[${value.join(", ")}]` : String(value)}`];
  return Object.entries(Object(value)).flatMap(([key, entry]) => settings(key, entry));
}

/** Throws ValueError unless the layer called `name` is applied to a tensor. */
export function checkTensor(name: string, x: unknown): void {
  if (!(x instanceof Tensor))
    throw new ValueError(`${name}: takes a tensor, got ${String(x)}; make one with tensor(...)`);
}

/** Throws ValueError unless all sizes are whole numbers of at least 1. */
export function checkSizes(name: string, sizes: Readonly<Record<string, number>>): void {
  for (const [what, size] of Object.entries(sizes)) checkCount(`${name}: ${what}`, size, 1);
}
