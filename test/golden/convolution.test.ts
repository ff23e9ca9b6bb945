/** Compares convolutional layers, pools, pads and resamplings with the numbers that `convolution.py` took from PyTorch. */
import { readFileSync } from "node:fs";
import { fromTypedArray, grad, type Shape, type Tensor } from "@cotangent/autograd";
import type { Module, Parameter } from "@cotangent/nn";
import * as nn from "@cotangent/nn";
import { expect, test } from "vitest";

type Layer = Module & { forward(x: Tensor): Tensor };
const layers = nn as unknown as Readonly<Record<string, new (...args: unknown[]) => Layer>>;

interface Case {
  readonly layer: string;
  readonly args: readonly unknown[];
  readonly options: Record<string, unknown>;
  readonly shape: Shape;
  readonly x: readonly number[];
  readonly parameters: Readonly<Record<string, readonly number[]>>;
  readonly outShape: Shape;
  readonly out: readonly number[];
  readonly cotangent: readonly number[];
  readonly gradient: readonly number[];
  readonly gradients: Readonly<Record<string, readonly number[]>>;
}

const { cases }: { cases: Case[] } = JSON.parse(
  readFileSync(new URL("convolution.json", import.meta.url), "utf8"),
);

/** How far we may be from PyTorch, in units of 2^-24 of an array's largest number: sums are in another order. */
const allowed = 16;

test.each(cases)("$layer of $shape with $args $options is PyTorch's, with its gradients", (found) => {
  const options = Object.keys(found.options).length > 0 ? [found.options] : [];
  const layer = new layers[found.layer]!(...found.args, ...options);
  const parameters = layer.namedParameters();
  expect([...parameters.keys()]).toEqual(Object.keys(found.parameters));
  for (const [name, parameter] of parameters) load(parameter, found.parameters[name]!);
  const x = numbers(found.x, found.shape);
  const out = layer.forward(x);
  expect(out.shape).toEqual(found.outShape);
  expectNear(out, found.out);
  const [gradient, ...gradients] = grad(out, [x, ...parameters.values()], {
    cotangent: numbers(found.cotangent, found.outShape),
  });
  expectNear(gradient!, found.gradient);
  [...parameters.keys()].forEach((name, i) => {
    expectNear(gradients[i]!, found.gradients[name]!);
  });
});

function load(parameter: Parameter, data: readonly number[]): void {
  parameter.assign(numbers(data, parameter.shape));
}

function numbers(data: readonly number[], shape: Shape): Tensor {
  return fromTypedArray(Float32Array.from(data), shape);
}

function expectNear(x: Tensor, expected: readonly number[]): void {
  const largest = Math.max(...expected.map(Math.abs));
  const data = x.toTypedArray();
  expect(data.length).toBe(expected.length);
  data.forEach((value, i) => {
    expect(Math.abs(value - Math.fround(expected[i]!))).toBeLessThanOrEqual(allowed * 2 ** -24 * largest);
  });
}
