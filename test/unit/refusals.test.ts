/** What a layer is made of or applied to may be anything in JavaScript: each refuses it by its own name. */
import { ones, type Tensor, ValueError, variable } from "@cotangent/autograd";
import * as nn from "@cotangent/nn";
import * as initialize from "@cotangent/nn/initialize";
import { expect, test } from "vitest";

/** The arguments of a layer before its options; null if it takes no options. */
const makers: Readonly<Record<string, readonly [before: readonly unknown[], options: object | null]>> = {
  AdaptiveAvgPool2d: [[2], null],
  AdaptiveMaxPool1d: [[2], null],
  AvgPool1d: [[2], {}],
  AvgPool2d: [[2], {}],
  BatchNorm1d: [[2], {}],
  BatchNorm2d: [[2], {}],
  Bilinear: [[2, 3, 4], {}],
  CircularPad1d: [[1], null],
  ConstantPad2d: [[1, 0], null],
  Conv1d: [[2, 4, 3], {}],
  Conv2d: [[2, 4, 3], {}],
  ConvTranspose2d: [[2, 4, 3], {}],
  Dropout2d: [[0.5], {}],
  ELU: [[], {}],
  Embedding: [[5, 2], {}],
  EmbeddingBag: [[5, 2], {}],
  Flatten: [[], null],
  GELU: [[], {}],
  GroupNorm: [[1, 2], {}],
  GRU: [[2, 3], {}],
  GRUCell: [[2, 3], {}],
  Hardtanh: [[], {}],
  InstanceNorm1d: [[2], {}],
  LayerNorm: [[2], {}],
  LeakyReLU: [[], {}],
  Linear: [[2, 3], {}],
  LoRA: [[new nn.Linear(2, 3)], {}],
  LSTM: [[2, 3], {}],
  LSTMCell: [[2, 3], {}],
  MaxPool1d: [[2], {}],
  MaxPool3d: [[2], {}],
  MultiheadAttention: [[4, 2], {}],
  Perceptron: [[2], null],
  PixelShuffle: [[2], null],
  PositionalEncoding: [[4], {}],
  RBFFeatures: [[ones([3, 2])], {}],
  ReLU: [[], null],
  RMSNorm: [[2], {}],
  RNN: [[2, 3], {}],
  RNNCell: [[2, 3], {}],
  RotaryEmbedding: [[4], {}],
  Softmax: [[], null],
  Unflatten: [[1, [3, 2]], null],
  Upsample: [[], { scaleFactor: 2 }],
};
const layers = nn as unknown as Record<
  string,
  new (
    ...rest: unknown[]
  ) => { forward(...inputs: unknown[]): Tensor }
>;
/** `maxPool2d` for `MaxPool2d`: a layer may leave it to its function. */
const named = (name: string) => new RegExp(`^${name}\\b`, "i");

test.each(Object.keys(makers))("%s is applied to tensors only", (name) => {
  const [before, options] = makers[name]!;
  const layer = new layers[name]!(...before, ...(options ? [options] : []));
  for (const x of [undefined, null, 3, "x", [1, 2], {}]) {
    const attempt = () => layer.forward(x, x, x);
    expect(attempt, String(x)).toThrow(ValueError);
    expect(attempt, String(x)).toThrow(named(name));
  }
});

test("initializers fill variables only, with options by their names", () => {
  const more: Readonly<Record<string, readonly unknown[]>> = { constant: [1], sparse: [0.5] };
  for (const [name, f] of Object.entries(
    initialize as unknown as Record<string, (...rest: unknown[]) => unknown>,
  )) {
    if (name === "calculateGain") continue;
    const rest = more[name] ?? [];
    for (const x of [undefined, null, 3, new nn.Linear(2, 3), ones([2, 2])])
      expect(() => f(x, ...rest), name).toThrow(`${name}: fills a variable, such as layer.weight`);
    if (!["zeros", "ones", "constant", "eye"].includes(name))
      for (const options of [null, 2])
        expect(() => f(variable(ones([2, 2, 2])), ...rest, options), name).toThrow(
          `${name}: options are named`,
        );
  }
});

test("parts of a model are modules, and parameters are made of tensors", () => {
  expect(() => new nn.ModuleList(3 as never)).toThrow("ModuleList: takes a list of modules, got 3");
  expect(() => new nn.ModuleDict(null as never)).toThrow("ModuleDict: options are named");
  expect(() => new nn.Parameter([1, 2] as never)).toThrow("Parameter: takes a tensor, got a Array");
  expect(() => nn.weightNorm(3 as never)).toThrow("weightNorm: takes a layer, got 3");
  expect(() => nn.spectralNorm(new nn.Linear(2, 3), { eps: "x" as never })).toThrow(
    "spectralNorm: eps is a finite",
  );
  const make = () => new nn.TransformerEncoderLayer(4, 2);
  expect(() => new nn.TransformerEncoder(make, 1, { norm: 4 as never })).toThrow(
    "norm is a LayerNorm, got 4",
  );
  expect(() => new nn.Adam(make().parameters()).loadStateDict(null as never)).toThrow(
    "a state dict is an object",
  );
});

test.each(Object.keys(makers).filter((name) => makers[name]![1]))(
  "%s takes options by their names only",
  (name) => {
    const x = ones([4, 2, 8, 8, 8].slice(0, /3d/.test(name) ? 5 : /2d/.test(name) ? 4 : 3));
    for (const given of [null, 2, true, "same", [1]]) {
      const attempt = () => new layers[name]!(...makers[name]![0], given).forward(x, x, x);
      expect(attempt, String(given)).toThrow(ValueError);
      expect(attempt, String(given)).toThrow(named(name));
      expect(attempt, String(given)).toThrow("options are named");
    }
  },
);
