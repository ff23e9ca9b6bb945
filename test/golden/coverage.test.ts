/** Every layer and every loss has numbers from PyTorch, or a reason why not. (Ops: `ops/ops.test.ts`, optimizers: `optimizers.test.ts`.) */
import { readdirSync, readFileSync } from "node:fs";
import * as nn from "@cotangent/nn";
import * as nnLoss from "@cotangent/nn/loss";
import { expect, test } from "vitest";

const read = (file: string) => JSON.parse(readFileSync(new URL(file, import.meta.url), "utf8"));

/** Layers without numbers of their own, by what stands for them. */
const elsewhere: Readonly<Record<string, readonly string[]>> = {
  "a function with golden cases": [
    ...["CELU", "ELU", "GELU", "GLU", "Hardshrink", "Hardsigmoid", "Hardswish", "Hardtanh", "Heaviside"],
    ...["LeakyReLU", "LogSigmoid", "LogSoftmax", "Mish", "ReLU", "ReLU6", "SELU", "SiLU", "Sigmoid"],
    ...["Softmax", "Softmin", "Softplus", "Softshrink", "Softsign", "Tanh", "Tanhshrink", "Threshold"],
    ...["CircularPad1d", "CircularPad2d", "CircularPad3d"],
  ],
  "draws at random": ["AlphaDropout", "Dropout1d", "Dropout2d", "Dropout3d"],
  "made of other layers": ["MLP", "ModuleDict", "ModuleList", "Recurrent", "Sequential"],
  "nothing to compute": ["Identity"],
  "not in PyTorch 1.13": [
    ...["LoRA", "LogisticRegression", "Perceptron", "PositionalEncoding", "RBFFeatures", "RMSNorm"],
  ],
};

test("every layer has golden cases, or a reason why not", () => {
  const files = readdirSync(new URL("layers", import.meta.url)).filter((name) => name.endsWith(".json"));
  const cases: { readonly layer: string }[] = [
    ...files.flatMap((file) => read(`layers/${file}`).layers),
    ...read("convolution.json").cases,
  ];
  const covered = new Set(cases.map(({ layer }) => layer));
  const layers = Object.entries(nn).flatMap(([name, made]) =>
    typeof made === "function" && made.prototype instanceof nn.Module ? [name] : [],
  );
  expect(layers.length).toBeGreaterThan(80);
  expect(layers.filter((name) => !covered.has(name)).sort()).toEqual(Object.values(elsewhere).flat().sort());
});

test("every loss has golden cases", () => {
  const cases: { readonly loss: string }[] = [...read("losses.json").cases, ...read("objectives.json").cases];
  const covered = new Set(cases.map(({ loss }) => loss));
  const losses = Object.entries(nnLoss).flatMap(([name, f]) => (typeof f === "function" ? [name] : []));
  expect(losses.length).toBeGreaterThan(20);
  expect(losses.filter((name) => !covered.has(name))).toEqual([]);
});
