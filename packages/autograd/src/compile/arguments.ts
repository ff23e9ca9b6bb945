import type { DType, TypedArray } from "../dtype.ts";
import { dtypeOf } from "../dtype.ts";
import { CompileError } from "../errors.ts";
import { Tensor } from "../graph.ts";
import { checkBytes, describe, placeholder } from "../ops/leaf.ts";
import type { Shape } from "../shape.ts";
import { equalShapes, numbers } from "../shape.ts";
import { isPlainObject } from "../tree.ts";

/**
 * The form of an argument: calls of one form run one program. Tensors, typed arrays and numbers are slots that each call
 * fills; everything else has to be the same thing again.
 */
export type ArgumentForm =
  | { readonly kind: "tensor"; readonly slot: number; readonly shape: Shape; readonly dtype: DType }
  | { readonly kind: "array"; readonly slot: number; readonly length: number; readonly dtype: DType }
  | { readonly kind: "number"; readonly slot: number; readonly dtype: DType }
  | { readonly kind: "same"; readonly value: unknown }
  | { readonly kind: "list"; readonly entries: readonly ArgumentForm[] }
  | { readonly kind: "object"; readonly keys: readonly string[]; readonly entries: readonly ArgumentForm[] };

/** What fills a slot. */
export type Filling = Tensor | TypedArray | number;

/** What stands for arguments while a function is traced. */
export interface Symbols {
  /** The leaves that each call fills, in order; `traceArgument` adds to them. */
  readonly slots: Tensor[];
  /** The dtype of numbers. */
  readonly number: DType;
  /** Does the tensor mean itself, as a variable does? */
  isState(x: Tensor): boolean;
}

/** The dtype of numbers among these arguments: float64 if there are other floats, and all of them are that; else float32. */
export function numberDType(args: readonly unknown[]): DType {
  const found = new Set<DType>();
  collectFloats(args, found);
  return found.has("float64") && !found.has("float32") ? "float64" : "float32";
}

function collectFloats(x: unknown, found: Set<DType>): void {
  if (x instanceof Tensor) found.add(x.dtype);
  else if (x instanceof Float64Array) found.add("float64");
  else if (x instanceof Float32Array) found.add("float32");
  else if (Array.isArray(x)) for (const entry of x) collectFloats(entry, found);
  else if (isPlainObject(x)) collectFloats(Object.values(x), found);
}

/** An argument as the function sees it while it is traced, with a leaf in a slot for everything that changes. */
export function traceArgument(
  x: unknown,
  path: string,
  symbols: Symbols,
): { form: ArgumentForm; value: unknown } {
  const { slots, number, isState } = symbols;
  const slot = slots.length;
  const leaf = (shape: Shape, dtype: DType): Tensor => {
    slots.push(placeholder(shape, dtype));
    return slots[slot]!;
  };
  if (x instanceof Tensor) {
    if (isState(x)) return { form: { kind: "same", value: x }, value: x };
    const { shape, dtype } = x;
    return { form: { kind: "tensor", slot, shape, dtype }, value: leaf(shape, dtype) };
  }
  if (typeof x === "number") {
    const value = leaf([], number);
    numbers.set(value, path);
    return { form: { kind: "number", slot, dtype: number }, value };
  }
  if (isTypedArray(x)) {
    const dtype = dtypeOf(x, `compile: ${path}`);
    checkBytes(`compile: ${path}`, x);
    return { form: { kind: "array", slot, length: x.length, dtype }, value: leaf([x.length], dtype) };
  }
  if (Array.isArray(x)) {
    const parts = x.map((entry, i) => traceArgument(entry, `${path}.${i}`, symbols));
    return {
      form: { kind: "list", entries: parts.map((part) => part.form) },
      value: parts.map((part) => part.value),
    };
  }
  if (isPlainObject(x)) {
    const keys = Object.keys(x);
    const parts = keys.map((key) => traceArgument(x[key], `${path}.${key}`, symbols));
    return {
      form: { kind: "object", keys, entries: parts.map((part) => part.form) },
      value: Object.fromEntries(parts.map((part, i) => [keys[i]!, part.value])),
    };
  }
  if (typeof x === "object" && x !== null)
    throw new CompileError(
      `compile: ${path} is ${describe(x)}; arguments are tensors, numbers and typed arrays, in arrays and plain objects; ` +
        "let the function capture other things",
    );
  return { form: { kind: "same", value: x }, value: x };
}

/** Does `x` have this form? Puts what fills the slots into `fillings`. */
function matches(form: ArgumentForm, x: unknown, fillings: Filling[]): boolean {
  switch (form.kind) {
    case "tensor":
      if (!(x instanceof Tensor) || x.dtype !== form.dtype || !equalShapes(x.shape, form.shape)) return false;
      fillings[form.slot] = x;
      return true;
    case "number":
      if (typeof x !== "number") return false;
      fillings[form.slot] = x;
      return true;
    case "array":
      if (!isTypedArray(x) || x.length !== form.length || dtypeOf(x) !== form.dtype) return false;
      checkBytes("compile: an argument", x);
      fillings[form.slot] = x;
      return true;
    case "same":
      return Object.is(x, form.value);
    case "list":
      return Array.isArray(x) && matchesAll(form.entries, x, fillings);
    case "object": {
      const { keys, entries } = form;
      if (!isPlainObject(x) || Object.keys(x).length !== keys.length) return false;
      for (let i = 0; i < keys.length; i++)
        if (!Object.hasOwn(x, keys[i]!) || !matches(entries[i]!, x[keys[i]!], fillings)) return false;
      return true;
    }
  }
}

export function matchesAll(
  forms: readonly ArgumentForm[],
  list: readonly unknown[],
  fillings: Filling[],
): boolean {
  if (forms.length !== list.length) return false;
  for (let i = 0; i < forms.length; i++) if (!matches(forms[i]!, list[i], fillings)) return false;
  return true;
}

function isTypedArray(x: unknown): x is TypedArray {
  return ArrayBuffer.isView(x) && "length" in x;
}
