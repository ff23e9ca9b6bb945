import type { Attribute, Attributes } from "./graph.ts";

/** Attributes are plain data: equal ones have the same names and values, -0 and 0 are not equal, NaN is. */
export function sameAttributes(a: Attributes, b: Attributes): boolean {
  if (a === b) return true;
  let more = 0;
  for (const name in a) {
    if (!sameAttribute(a[name]!, b[name])) return false;
    more++;
  }
  for (const _ in b) more--;
  return more === 0;
}

function sameAttribute(a: Attribute, b: Attribute | undefined): boolean {
  if (!Array.isArray(a)) return Object.is(a, b);
  if (a === b) return true;
  if (!Array.isArray(b) || a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (!sameAttribute(a[i], b[i])) return false;
  return true;
}

/** The hash of what `hash` stands for and `x`. */
export function mixed(hash: number, x: number): number {
  const h = Math.imul(hash ^ x, 0x9e3779b1);
  return h ^ (h >>> 15);
}

/** The same for a number that may be no integer. */
export function mixedNumber(hash: number, x: number): number {
  return mixed(hash, x ^ (x * 65536));
}

/** The same for attributes, without those whose value is the object `except`, such as a shape that is part of the hash already. */
export function mixedAttributes(hash: number, attributes: Attributes, except?: Attribute): number {
  let h = hash;
  for (const name in attributes) {
    const value = attributes[name]!;
    if (value !== except) h = mixedAttribute(h, value);
  }
  return h;
}

function mixedAttribute(hash: number, value: Attribute): number {
  if (typeof value === "number") return mixedNumber(hash, value);
  if (typeof value === "boolean" || value === null) return mixed(hash, value === null ? 2 : Number(value));
  // Two letters are enough: most texts are names of dtypes.
  if (typeof value === "string")
    return mixed(hash, value.charCodeAt(0) * 65536 + value.charCodeAt(value.length >> 1));
  let h = hash;
  for (let i = 0; i < value.length; i++) h = mixedAttribute(h, value[i]!);
  return h;
}
