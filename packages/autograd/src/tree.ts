import { ValueError } from "./errors.ts";
import { Tensor } from "./graph.ts";
import { describe, isForeign } from "./ops/leaf.ts";
import type { Shape } from "./shape.ts";

/** Tensors in nested arrays and objects; one tensor is a tree too. */
export type Tree = Tensor | readonly Tree[] | { readonly [key: string]: Tree };

/** A tree of the same form with tensors at its leaves. */
export type Like<T> =
  T extends Tensor<infer S extends Shape> ? Tensor<S> : { -readonly [K in keyof T]: Like<T[K]> };

/** A tree of the same form with tensors of any shape at its leaves. */
export type Flow<T> = T extends Tensor ? Tensor : { readonly [K in keyof T]: Flow<T[K]> };

/** The tensors of a tree, array entries in order and object entries as they were written. */
export function leavesOf(tree: unknown): Tensor[] {
  const leaves: Tensor[] = [];
  mapTree(tree, (leaf) => {
    leaves.push(leaf);
    return leaf;
  });
  return leaves;
}

/** The tree with `f` applied to each tensor; `path` is where it stands: `layers.0.weight`. Throws ValueError for other things. */
export function mapTree(tree: unknown, f: (leaf: Tensor, path: string) => Tensor, path = ""): unknown {
  const inside = (key: string | number) => (path === "" ? String(key) : `${path}.${key}`);
  if (tree instanceof Tensor) return f(tree, path);
  if (Array.isArray(tree)) return tree.map((entry, i) => mapTree(entry, f, inside(i)));
  if (typeof tree === "object" && tree !== null && !isForeign(tree)) {
    const entries = Object.entries(tree);
    // A Map or a Promise would be a tree without leaves.
    if (entries.length > 0 || isPlainObject(tree))
      return Object.fromEntries(entries.map(([key, entry]) => [key, mapTree(entry, f, inside(key))]));
  }
  throw new ValueError(
    `a tree has tensors at its leaves, got ${typeof tree === "object" ? describe(tree) : String(tree)}${path === "" ? "" : ` at ${path}`}` +
      (tree instanceof Map ? ", of which Object.fromEntries makes an object" : ""),
  );
}

export function isPlainObject(x: unknown): x is Record<string, unknown> {
  if (typeof x !== "object" || x === null) return false;
  const prototype: unknown = Object.getPrototypeOf(x);
  // Objects of another realm have an `Object.prototype` of their own.
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/**
 * The tensors of `tree` in the order of those of `form`, whose keys it has. Throws ValueError, which calls them `name` and `of`, unless it
 * has.
 */
export function leavesLike(form: unknown, tree: unknown, name: string, of = "the input"): Tensor[] {
  if (form instanceof Tensor) {
    if (tree instanceof Tensor) return [tree];
    throw new ValueError(`${name} is no tensor, but ${typeof tree === "number" ? "a number" : String(tree)}`);
  }
  const wanted = Object.entries(form as object);
  const entries: Record<string, unknown> =
    typeof tree === "object" && tree !== null && !(tree instanceof Tensor) ? { ...tree } : {};
  const keys = Object.keys(entries);
  if (keys.length !== wanted.length || wanted.some(([key]) => !keys.includes(key)))
    throw new ValueError(
      `${name} has the keys ${keys.join(", ") || "none"}, and ${of} ${wanted.map(([key]) => key).join(", ")}`,
    );
  return wanted.flatMap(([key, entry]) => leavesLike(entry, entries[key], `${name}.${key}`, of));
}

/** The tensors `leaves` in the form of `tree`. */
export function unflattenTree<T>(tree: T, leaves: readonly Tensor[]): Like<T> {
  let next = 0;
  return mapTree(tree, () => leaves[next++]!) as Like<T>;
}
