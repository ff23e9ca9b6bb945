/** Compares every function of the registry with the numbers that the scripts of this folder took from PyTorch. */
import { readdirSync, readFileSync } from "node:fs";
import type { DType, Tensor } from "@cotangent/autograd";
import { add, cast, fromTypedArray, grad, leavesOf, mul, sum } from "@cotangent/autograd";
import { describe, expect, test } from "vitest";
import { registry } from "../../../packages/autograd/src/registry.ts";

type Entry = number | "NaN" | "Infinity" | "-Infinity";
interface Golden {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: readonly Entry[];
}
interface Case {
  readonly case: string;
  readonly args: readonly unknown[];
  /** A list where the function gives several tensors; then `cotangent` has one for each float. */
  readonly value: Golden | readonly Golden[];
  readonly cotangent?: readonly Entry[] | readonly (readonly Entry[])[];
  /** By each float tensor among the arguments, in order; null is an exact zero. */
  readonly gradients?: readonly (readonly Entry[] | null)[];
  readonly v?: readonly (readonly Entry[])[];
  readonly products?: readonly (readonly Entry[] | null)[];
}
interface Departure {
  readonly function: string;
  readonly case: string;
  readonly place: string;
  readonly element: number;
  readonly pytorch: Entry;
  readonly ours: Entry;
  readonly why: string;
}

interface Family {
  /** How closely we have to agree: the words that `function` of cases.py explains, and a factor on what is allowed. */
  readonly compare: string;
  readonly units: number;
  readonly cases: readonly Case[];
}

const files = readdirSync(new URL(".", import.meta.url)).filter((file) => file.endsWith(".json"));
const functions: Record<string, Family> = {};
const departures: Departure[] = [];
for (const file of files) {
  const read = JSON.parse(readFileSync(new URL(file, import.meta.url), "utf8"));
  for (const name of Object.keys(read.functions))
    if (functions[name]) throw new Error(`${file}: ${name} has golden cases in another file already`);
  Object.assign(functions, read.functions);
  departures.push(...read.departures);
}

/** Functions of the registry without golden cases, and why. */
const exceptions: Record<string, string> = {
  chain: "PyTorch has no such function: it is the departure from it",
};

/**
 * How far we may be from PyTorch, in units in the last place (of the place in question) of the magnitude that `scaleOf`
 * finds: PyTorch's own functions are off by up to 1 unit, some compositions by more.
 */
const allowed = {
  float32: { elementwise: 2.5, reduction: 8, gradient: 8, product: 32 },
  float64: { elementwise: 2.5, reduction: 8, gradient: 8, product: 32 },
};

const words = new Map(Object.entries(functions).map(([name, { compare }]) => [name, compare.split(" ")]));
const having = (word: string) => ({
  has: (name: string): boolean => words.get(name)?.includes(word) ?? false,
});

/** Functions whose values are rounded once at most: they may not differ at all. */
const exact = having("exact");
/** Functions that make each element from one element of each operand. */
const elementwise = having("elementwise");
/** Their derivatives are differences: right to a unit of 1, not of themselves. */
const cancelling = having("cancelling");
/** What they add up are products of elements of their operands. */
const products = having("product");
/** Here IEEE 754 or C (or the absence of any arithmetic) says which zero the value is. */
const signed = having("signed");

const unit = { float32: [-126, 23], float64: [-1022, 52] } as const;

/** The distance of neighbouring floats at `x`. */
function ulp(x: number, dtype: "float32" | "float64"): number {
  const [least, bits] = unit[dtype];
  return 2 ** (Math.max(least, Math.floor(Math.log2(Math.abs(x)))) - bits);
}

const isGolden = (x: unknown): x is Golden => typeof x === "object" && x !== null && "data" in x;
const isFloat = (dtype: DType): dtype is "float32" | "float64" => dtype === "float32" || dtype === "float64";

/** The numbers in the precision of `dtype`: the decimals of float32 are the shortest that name one. */
function numbersOf(entries: readonly Entry[], dtype: DType): number[] {
  return entries.map((x) => (dtype === "float32" ? Math.fround(Number(x)) : Number(x)));
}

const arrays = { float32: Float32Array, float64: Float64Array, int32: Int32Array, bool: Uint8Array };

function tensorOf(data: readonly Entry[], { dtype, shape }: Pick<Golden, "dtype" | "shape">): Tensor {
  return fromTypedArray(arrays[dtype].from(numbersOf(data, dtype)), shape);
}

/** An argument as our function takes it; float tensors are added to `inputs`. */
function read(x: unknown, inputs: Tensor[]): unknown {
  if (isGolden(x)) {
    const made = tensorOf(x.data, x);
    if (isFloat(x.dtype)) inputs.push(made);
    return made;
  }
  if (Array.isArray(x)) return x.map((entry) => read(entry, inputs));
  if (typeof x === "object" && x !== null)
    return Object.fromEntries(Object.entries(x).map(([key, entry]) => [key, read(entry, inputs)]));
  if (x === "Infinity" || x === "-Infinity") return Number(x);
  return x === null ? undefined : x;
}

/** The largest finite magnitude among `lists`, 0 if there is none. */
function largest(...lists: (readonly number[])[]): number {
  let found = 0;
  for (const list of lists)
    for (const x of list) if (Number.isFinite(x)) found = Math.max(found, Math.abs(x));
  return found;
}

/** What all results of one call are compared with. */
interface Expected {
  readonly name: string;
  readonly found: Case;
  readonly place: string;
  readonly numbers: readonly number[];
  /** Magnitudes that went into each element. */
  readonly scale: (i: number) => number;
  readonly units: number;
}

/** One line for each element of `actual` that is not as expected. */
function differences(actual: Tensor, { name, found, place, numbers, scale, units }: Expected): string[] {
  const where = `${name}, case "${found.case}", ${place}`;
  const { dtype } = actual;
  const lines: string[] = [];
  actual.toTypedArray().forEach((got, i) => {
    const departure = departures.find(
      (d) => d.function === name && d.case === found.case && d.place === place && d.element === i,
    );
    const expected = departure ? Number(departure.ours) : numbers[i]!;
    let wrong: string | null = null;
    if (Number.isNaN(expected) || !Number.isFinite(expected)) wrong = Object.is(got, expected) ? null : "";
    else if (!isFloat(dtype) || units === 0) wrong = got === expected ? null : "";
    else {
      const size = scale(i);
      const one = ulp(Math.max(Math.abs(expected), Number.isFinite(size) ? size : 0), dtype);
      const off = Math.abs(got - expected) / one;
      if (!(off <= units)) wrong = `, which is ${off.toPrecision(3)} units off where ${units} are allowed`;
    }
    if (wrong === null && expected === 0 && place.startsWith("value") && signed.has(name))
      wrong = Object.is(got, expected) || got !== 0 || !isFloat(dtype) ? null : ", a zero of the other sign";
    const number = (x: number) => (Object.is(x, -0) ? "-0" : String(x));
    if (wrong !== null)
      lines.push(`${where}, element ${i}: PyTorch has ${number(expected)}, we have ${number(got)}${wrong}`);
  });
  return lines;
}

/** Derivatives by `inputs`, of which null in `wanted` says that they are exactly 0. */
function compareAll(
  word: string,
  actual: readonly Tensor[],
  wanted: readonly (readonly Entry[] | null)[],
  common: Omit<Expected, "place" | "numbers" | "scale">,
  scale: (i: number, numbers: readonly number[], size: number) => number,
): string[] {
  return actual.flatMap((x, k) => {
    const numbers = numbersOf(wanted[k] ?? new Array<number>(x.size).fill(0), x.dtype);
    const units = wanted[k] ? common.units : 0;
    const place = `${word} ${k}`;
    return differences(x, { ...common, units, place, numbers, scale: (i) => scale(i, numbers, x.size) });
  });
}

/** One line for each difference between PyTorch and us. */
function check(name: string, found: Case): string[] {
  const inputs: Tensor[] = [];
  const args = found.args.map((x) => read(x, inputs));
  const values = leavesOf(registry.get(name)!(...args));
  const wanted = isGolden(found.value) ? [found.value] : found.value;
  const kinds = (list: readonly { dtype: DType; shape: readonly number[] }[]) =>
    list.map(({ dtype, shape }) => `${dtype} [${shape}]`).join(", ");
  if (kinds(values) !== kinds(wanted))
    return [`${name}, case "${found.case}": PyTorch has ${kinds(wanted)}, we have ${kinds(values)}`];
  const terms = magnitude(name, inputs);
  const lines = values.flatMap((value, k) => {
    const numbers = numbersOf(wanted[k]!.data, value.dtype);
    const { reduction, elementwise: alone } = allowedFor(name, value.dtype);
    return differences(value, {
      name,
      found,
      place: values.length === 1 ? "value" : `value ${k}`,
      numbers,
      scale: (i) => (elementwise.has(name) ? Math.abs(numbers[i]!) : Math.max(largest(numbers), terms)),
      units: exact.has(name) ? 0 : elementwise.has(name) ? alone : reduction,
    });
  });
  const floats = values.filter((value) => isFloat(value.dtype));
  return floats.length > 0 ? lines.concat(checkDerivatives(name, found, floats, inputs, terms)) : lines;
}

function allowedFor(name: string, dtype: DType): (typeof allowed)["float32"] {
  const { units } = functions[name]!;
  const { elementwise, reduction, gradient, product } = isFloat(dtype) ? allowed[dtype] : allowed.float32;
  return {
    elementwise: elementwise * units,
    reduction: reduction * units,
    gradient: gradient * units,
    product: product * units,
  };
}

/** The size of what is added up: in a product of matrices, of the products. */
function magnitude(name: string, inputs: readonly Tensor[]): number {
  const sizes = inputs.map((x) => largest(Array.from(x.toTypedArray())));
  if (!products.has(name)) return Math.max(0, ...sizes);
  return sizes.reduce((product, size) => product * Math.max(1, size), 1);
}

function checkDerivatives(
  name: string,
  found: Case,
  values: readonly Tensor[],
  inputs: readonly Tensor[],
  terms: number,
): string[] {
  if (!found.cotangent || !found.gradients) return [];
  const [value] = values as [Tensor];
  const lists = (
    values.length > 1 || !isGolden(found.value) ? found.cotangent : [found.cotangent]
  ) as Entry[][];
  const cotangents = values.map((x, k) => tensorOf(lists[k]!, x));
  const g = values.flatMap((x, k) => numbersOf(lists[k]!, x.dtype));
  const gradients =
    values.length === 1
      ? grad(value, inputs, { cotangent: cotangents[0]! })
      : grad(pairing(values, cotangents), inputs);
  const { gradient, product } = allowedFor(name, value.dtype);
  // PyTorch's rule for logsumexp is exp(x - result), which is off by as many units as x is large.
  const factor = products.has(name) || name === "logsumexp" ? Math.max(1, terms) : 1;
  const alone = (n: number) => elementwise.has(name) && n === value.size;
  const lines = compareAll(
    "gradient",
    gradients,
    found.gradients,
    { name, found, units: gradient },
    (i, e, n) =>
      alone(n)
        ? Math.max(Math.abs(e[i]!), cancelling.has(name) ? Math.abs(g[i]!) : 0)
        : largest(e, g) * factor,
  );
  if (!found.v || !found.products) return lines;
  const v = found.v.map((data, k) => tensorOf(data, inputs[k]!));
  const directions = v.map((x) => Array.from(x.toTypedArray()));
  const second = grad(pairing(gradients, v), inputs);
  return lines.concat(
    compareAll("product", second, found.products, { name, found, units: product }, (i, e, n) =>
      directions.every((x) => x.length === n) && alone(n)
        ? Math.max(Math.abs(e[i]!), Math.abs(g[i]! * largest(directions.map((x) => x[i]!))))
        : Math.max(largest(e), largest(g) * largest(...directions)) * factor,
    ),
  );
}

/** `<xs, ys>` over all tensors. */
function pairing(xs: readonly Tensor[], ys: readonly Tensor[]): Tensor {
  return xs.map((x, i) => cast(sum(mul(x, ys[i]!)), "float64")).reduce((total, x) => add(total, x));
}

/** A call that throws is a difference too. */
function checked(name: string, found: Case): string[] {
  try {
    return check(name, found);
  } catch (error) {
    return [`${name}, case "${found.case}": PyTorch has an answer, we throw ${String(error)}`];
  }
}

describe("golden numbers", () => {
  for (const [name, { cases }] of Object.entries(functions))
    test(`${name} agrees with PyTorch in value, gradient and Hessian-vector product`, () => {
      const lines = cases.flatMap((found) => checked(name, found));
      const shown = lines.slice(0, 20).concat(lines.length > 20 ? [`... and ${lines.length - 20} more`] : []);
      if (lines.length > 0) throw new Error(shown.join("\n"));
    });

  test("departures from PyTorch are real: the recorded answers differ", () => {
    for (const { function: name, case: title, place, element, pytorch, ours } of departures) {
      const found = functions[name]!.cases.find((x) => x.case === title)!;
      const [kind, i] = place.split(" ");
      const values = isGolden(found.value) ? [found.value] : found.value;
      const lists = { value: values.map((x) => x.data), gradient: found.gradients, product: found.products };
      const data = lists[kind as keyof typeof lists]![Number(i ?? 0)]!;
      expect(data[element], `${name}, ${title}, ${place}`).toBe(pytorch);
      expect(ours, `${name}, ${title}, ${place}`).not.toBe(pytorch);
    }
  });

  test("every function of the registry has golden cases", () => {
    const missing = [...registry.keys()].filter((name) => !functions[name] && !exceptions[name]);
    expect(missing).toEqual([]);
    expect(Object.keys(exceptions).filter((name) => functions[name] || !registry.has(name))).toEqual([]);
    expect(Object.keys(functions).filter((name) => !registry.has(name))).toEqual([]);
    expect(Object.entries(functions).filter(([, { cases }]) => cases.length < 2)).toEqual([]);
    const count = Object.values(functions).reduce((sum, { cases }) => sum + cases.length, 0);
    process.stdout.write(`golden: ${count} cases for ${Object.keys(functions).length} functions\n`);
  });
});
