/** Compares layers with the numbers that the scripts of this folder took from PyTorch, from the state that they had there. */
import { readdirSync, readFileSync } from "node:fs";
import type { DType, Tensor } from "@cotangent/autograd";
import { add, cast, fromTypedArray, grad, leavesOf, mul, sum, tensor } from "@cotangent/autograd";
import type { Module } from "@cotangent/nn";
import * as nn from "@cotangent/nn";
import { describe, expect, test } from "vitest";

type Entry = number | "NaN" | "Infinity" | "-Infinity";
interface Golden {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: readonly Entry[];
}
interface Call {
  readonly mode: "train" | "eval";
  readonly inputs: readonly unknown[];
  /** The results end to end, a cotangent for each, and the gradients; null is an exact zero. */
  readonly outputs: readonly Golden[];
  readonly cotangents: readonly (readonly Entry[])[];
  readonly inputGradients: readonly (readonly Entry[] | null)[];
  readonly gradients: Readonly<Record<string, readonly Entry[] | null>>;
}
interface Case {
  readonly layer: string;
  readonly case: string;
  readonly dtype: "float32" | "float64";
  readonly args: readonly unknown[];
  readonly state: Readonly<Record<string, Golden>>;
  readonly calls: readonly Call[];
  /** The buffers after all calls. */
  readonly after: Readonly<Record<string, Golden>>;
}

/**
 * How far we may be from PyTorch, in units of half a last place of an array's largest number: gradients of what is normalized are
 * differences of larger numbers.
 */
const allowed = 32;
const unit = { float32: 2 ** -24, float64: 2 ** -53 };
const arrays = { float32: Float32Array, float64: Float64Array, int32: Int32Array, bool: Uint8Array };

/** `weightIhL0` as PyTorch writes it. */
const snake = (path: string): string => path.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

const isGolden = (x: unknown): x is Golden => typeof x === "object" && x !== null && "data" in x;

function read(x: unknown, floats: Tensor[] = []): unknown {
  if (isGolden(x)) {
    const made = fromTypedArray(arrays[x.dtype].from(x.data.map(Number)), x.shape);
    if (x.dtype.startsWith("float")) floats.push(made);
    return made;
  }
  if (Array.isArray(x)) return x.map((entry) => read(entry, floats));
  if (typeof x !== "object" || x === null) return x;
  return Object.fromEntries(Object.entries(x).map(([key, entry]) => [key, read(entry, floats)]));
}

type AnyModule = Module & { forward(...inputs: unknown[]): unknown };

const functions = nn as unknown as Record<string, (...args: unknown[]) => AnyModule>;
const classes = nn as unknown as Record<string, new (...args: unknown[]) => AnyModule>;

/** An argument as our class takes it: `{ make, args }` is a layer, `{ maker, args }` a function that makes one. */
function built(x: unknown): unknown {
  if (typeof x !== "object" || x === null || Array.isArray(x)) return x;
  const { make: name, maker, args = [] } = x as { make?: string; maker?: string; args?: readonly unknown[] };
  if (name !== undefined) return new classes[name]!(...args);
  if (maker !== undefined) return () => new classes[maker]!(...args);
  return Object.fromEntries(Object.entries(x).map(([key, entry]) => [key, built(entry)]));
}

function make({ layer, dtype, args, state }: Case): AnyModule {
  const last = args.at(-1);
  const options = typeof last === "object" && last !== null && !Array.isArray(last);
  const given =
    dtype === "float32" ? args : options ? [...args.slice(0, -1), { ...last, dtype }] : [...args, { dtype }];
  const operands = given.map(built);
  // A parametrization is a function of a layer.
  const module = /^[a-z]/.test(layer) ? functions[layer]!(...operands) : new classes[layer]!(...operands);
  expect(Object.keys(module.stateDict()).sort()).toEqual(Object.keys(state).sort());
  module.loadStateDict(read(state) as Record<string, Tensor>);
  return module;
}

function expectNear(what: string, x: Tensor, expected: readonly Entry[] | null, scale = 0): void {
  const numbers = expected?.map(Number) ?? new Array<number>(x.size).fill(0);
  const largest = Math.max(scale, ...numbers.filter(Number.isFinite).map(Math.abs));
  const limit = expected && x.dtype.startsWith("float") ? allowed * unit[x.dtype as "float32"] * largest : 0;
  expect(x.size, what).toBe(numbers.length);
  x.toTypedArray().forEach((value, i) => {
    if (Object.is(value, numbers[i])) return;
    expect(
      Math.abs(value - numbers[i]!),
      `${what}, element ${i}: ${value} for ${numbers[i]}`,
    ).toBeLessThanOrEqual(limit);
  });
}

function check(module: AnyModule, call: Call, at: string): void {
  module.train(call.mode === "train");
  const floats: Tensor[] = [];
  const inputs = call.inputs.map((x) => read(x, floats) ?? undefined);
  const results = module.forward(...inputs);
  const outputs = leavesOf(Array.isArray(results) ? results.filter((x) => x !== null) : results);
  expect(outputs.map((x) => x.shape)).toEqual(call.outputs.map((x) => x.shape));
  outputs.forEach((x, i) => {
    expectNear(`${at}: output ${i}`, x, call.outputs[i]!.data);
  });
  const parameters = [...module.namedParameters()];
  const variables = [...floats, ...parameters.map(([, x]) => x)];
  if (variables.length === 0) return;
  const terms = outputs.map((x, i) => {
    const weights = tensor(call.cotangents[i]!.map(Number), { dtype: "float64" }).reshape(x.shape);
    return cast(sum(mul(x, cast(weights, x.dtype))), "float64") as Tensor;
  });
  const gradients = grad(
    terms.reduce((a, b) => add(a, b)),
    variables,
  );
  // What is added up, and may cancel.
  const scale = Math.max(...call.cotangents.flat().map((x) => Math.abs(Number(x))));
  call.inputGradients.forEach((g, i) => {
    expectNear(`${at}: gradient of input ${i}`, gradients[i]!, g, scale);
  });
  parameters.forEach(([path], i) => {
    expectNear(
      `${at}: gradient of ${path}`,
      gradients[floats.length + i]!,
      call.gradients[snake(path)]!,
      scale,
    );
  });
}

for (const file of readdirSync(new URL(".", import.meta.url)).filter((name) => name.endsWith(".json")))
  describe(`PyTorch's outputs, gradients and buffers in ${file}:`, () => {
    const { layers }: { layers: Case[] } = JSON.parse(readFileSync(new URL(file, import.meta.url), "utf8"));
    test.each(layers)("$case", (found) => {
      const module = make(found);
      found.calls.forEach((call, i) => {
        check(module, call, `call ${i}`);
      });
      for (const [path, buffer] of module.namedBuffers())
        expectNear(`${path} at the end`, buffer, found.after[snake(path)]!.data);
    });
  });
