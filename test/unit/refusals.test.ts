/** What a layer is made of or applied to may be anything in JavaScript: each refuses it by its own name. */
import {
  assignAll,
  fromTypedArray,
  Generator,
  ones,
  type Tensor,
  tensor,
  ValueError,
  variable,
  zeros,
} from "@cotangent/autograd";
import * as nn from "@cotangent/nn";
import * as data from "@cotangent/nn/data";
import { readNpy, readNpz, readSafetensors, writeNpy, writeNpz } from "@cotangent/nn/files";
import * as initialize from "@cotangent/nn/initialize";
import * as metrics from "@cotangent/nn/metrics";
import { progress } from "@cotangent/nn/node";
import * as schedules from "@cotangent/nn/schedules";
import { expect, test } from "vitest";
import { watching } from "../../packages/autograd/src/graph.ts";

/** The arguments of a layer before its options; null if it takes no options. */
const makers: Readonly<Record<string, readonly [before: readonly unknown[], options: object | null]>> = {
  AdaptiveAvgPool1d: [[2], null],
  AdaptiveAvgPool2d: [[2], null],
  AdaptiveAvgPool3d: [[2], null],
  AdaptiveMaxPool1d: [[2], null],
  AdaptiveMaxPool2d: [[2], null],
  AdaptiveMaxPool3d: [[2], null],
  AlphaDropout: [[0.5], {}],
  AvgPool1d: [[2], {}],
  AvgPool2d: [[2], {}],
  AvgPool3d: [[2], {}],
  BatchNorm1d: [[2], {}],
  BatchNorm2d: [[2], {}],
  BatchNorm3d: [[2], {}],
  Bilinear: [[2, 3, 4], {}],
  CELU: [[], {}],
  CircularPad1d: [[1], null],
  CircularPad2d: [[1], null],
  CircularPad3d: [[1], null],
  ConstantPad1d: [[1, 0], null],
  ConstantPad2d: [[1, 0], null],
  ConstantPad3d: [[1, 0], null],
  Conv1d: [[2, 4, 3], {}],
  Conv2d: [[2, 4, 3], {}],
  Conv3d: [[2, 4, 3], {}],
  ConvTranspose1d: [[2, 4, 3], {}],
  ConvTranspose2d: [[2, 4, 3], {}],
  ConvTranspose3d: [[2, 4, 3], {}],
  Dropout: [[0.5], {}],
  Dropout1d: [[0.5], {}],
  Dropout2d: [[0.5], {}],
  Dropout3d: [[0.5], {}],
  ELU: [[], {}],
  Embedding: [[5, 2], {}],
  EmbeddingBag: [[5, 2], {}],
  Flatten: [[], null],
  GELU: [[], {}],
  GLU: [[], null],
  GroupNorm: [[1, 2], {}],
  GRU: [[2, 3], {}],
  GRUCell: [[2, 3], {}],
  Hardshrink: [[], {}],
  Hardsigmoid: [[], null],
  Hardswish: [[], null],
  Hardtanh: [[], {}],
  Heaviside: [[], null],
  InstanceNorm1d: [[2], {}],
  InstanceNorm2d: [[2], {}],
  InstanceNorm3d: [[2], {}],
  LayerNorm: [[2], {}],
  LeakyReLU: [[], {}],
  Linear: [[2, 3], {}],
  LogisticRegression: [[2, 3], {}],
  LogSigmoid: [[], null],
  LogSoftmax: [[], null],
  LoRA: [[new nn.Linear(2, 3)], {}],
  LSTM: [[2, 3], {}],
  LSTMCell: [[2, 3], {}],
  MaxPool1d: [[2], {}],
  MaxPool2d: [[2], {}],
  MaxPool3d: [[2], {}],
  Mish: [[], null],
  MLP: [[[2, 3]], {}],
  MultiheadAttention: [[4, 2], {}],
  Perceptron: [[2], null],
  PixelShuffle: [[2], null],
  PixelUnshuffle: [[2], null],
  PositionalEncoding: [[4], {}],
  PReLU: [[], {}],
  RBFFeatures: [[ones([3, 2])], {}],
  ReflectionPad1d: [[1], null],
  ReflectionPad2d: [[1], null],
  ReflectionPad3d: [[1], null],
  ReLU: [[], null],
  ReLU6: [[], null],
  ReplicationPad1d: [[1], null],
  ReplicationPad2d: [[1], null],
  ReplicationPad3d: [[1], null],
  RMSNorm: [[2], {}],
  RNN: [[2, 3], {}],
  RNNCell: [[2, 3], {}],
  RotaryEmbedding: [[4], {}],
  SELU: [[], null],
  Sigmoid: [[], null],
  SiLU: [[], null],
  Softmax: [[], null],
  Softmin: [[], null],
  Softplus: [[], {}],
  Softshrink: [[], {}],
  Softsign: [[], null],
  Tanh: [[], null],
  Tanhshrink: [[], null],
  Threshold: [[0.5, 0], null],
  Transformer: [[4, 2], { numEncoderLayers: 1, numDecoderLayers: 1, dimFeedforward: 4 }],
  TransformerDecoder: [[() => new nn.TransformerDecoderLayer(4, 2), 1], {}],
  TransformerDecoderLayer: [[4, 2], { dimFeedforward: 4 }],
  TransformerEncoder: [[() => new nn.TransformerEncoderLayer(4, 2), 1], {}],
  TransformerEncoderLayer: [[4, 2], { dimFeedforward: 4 }],
  Unflatten: [[1, [3, 2]], null],
  Upsample: [[], { scaleFactor: 2 }],
  ZeroPad2d: [[1], null],
};
const layers = nn as unknown as Record<
  string,
  new (
    ...rest: unknown[]
  ) => { forward(...inputs: unknown[]): Tensor }
>;
/** What holds other layers, or is for making layers of one's own. */
const others = ["Identity", "Module", "ModuleDict", "ModuleList", "Recurrent", "Sequential"];

test("every layer is looked at here", () => {
  const isLayer = (x: unknown) =>
    x === nn.Module || (typeof x === "function" && x.prototype instanceof nn.Module);
  const all = Object.entries(nn).flatMap(([name, x]) => (isLayer(x) ? [name] : []));
  expect(all.sort()).toEqual([...Object.keys(makers), ...others].sort());
});

test.each(Object.keys(makers))("a parameter's name is its path: %s hides none", (name) => {
  const [before, options] = makers[name]!;
  const made: Tensor[] = [];
  const layer = watching(
    (x) => {
      if (x instanceof nn.Parameter) made.push(x);
    },
    () => new layers[name]!(...before, ...(options ? [options] : [])) as unknown as nn.Module,
  );
  const found = layer.namedParameters();
  expect(new Set(found.values())).toEqual(new Set(made));
  for (const [path, parameter] of found) expect(parameter.label).toBe(path);
});

/** `maxPool2d` for `MaxPool2d`: a layer may leave it to its function. */
const named = (name: string) => new RegExp(`^${name}\\b`, "i");

/** Of these a part refuses what is no tensor, by its own name and path. */
const madeOfOthers = [
  "LogisticRegression",
  "MLP",
  "Transformer",
  "TransformerDecoder",
  "TransformerDecoderLayer",
  "TransformerEncoder",
  "TransformerEncoderLayer",
];

test.each(Object.keys(makers))("%s is applied to tensors only", (name) => {
  const [before, options] = makers[name]!;
  const layer = new layers[name]!(...before, ...(options ? [options] : []));
  for (const x of [undefined, null, 3, "x", [1, 2], {}]) {
    const attempt = () => layer.forward(x, x, x);
    expect(attempt, String(x)).toThrow(ValueError);
    expect(attempt, String(x)).toThrow(madeOfOthers.includes(name) ? /: (takes|options are) / : named(name));
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

test("initializers and schedules refuse options that they have not", () => {
  const refusesOthers = (
    functions: object,
    takeNone: readonly string[],
    operands: (name: string) => unknown[],
  ) => {
    for (const [name, f] of Object.entries(functions))
      if (!takeNone.includes(name))
        expect(() => f(...operands(name), { sede: 3 }), name).toThrow(
          `${name}: there is no option sede; the options are `,
        );
  };
  refusesOthers(schedules, ["chained", "sequential"], () => []);
  refusesOthers(initialize, ["constant", "eye", "ones", "zeros"], (name) => {
    if (name === "calculateGain") return ["relu"];
    return [variable(ones([2, 2])), ...(name === "sparse" ? [0.5] : [])];
  });
});

test("training, data, metrics and files refuse options that they have not", async () => {
  const x = ones([4]);
  const layer = new nn.Linear(1, 1);
  const epochs = (async function* (): AsyncGenerator<nn.Epoch> {})();
  const takers: Record<string, (options: never) => unknown> = {
    fit: (options) => nn.fit(layer, [x, x], options),
    earlyStopping: (options) => nn.earlyStopping(options),
    summary: (options) => nn.summary(layer, [1, 1], options),
    clipByNorm: (options) => nn.clipByNorm(1, options),
    clipGradNorm: (options) => nn.clipGradNorm([], 1, options),
    batches: (options) => data.batches([x], options),
    randomSplit: (options) => data.randomSplit(new data.TensorDataset(x), [1], options),
    kFold: (options) => data.kFold(new data.TensorDataset(x), 2, options),
    readIdx: (options) => data.readIdx(Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 1, 51), options),
    csvRows: (options) => data.csvRows([], options),
    readNpz: (options) => readNpz(writeNpz({}), options),
    accuracy: (options) => metrics.accuracy(x, x, options),
    confusionMatrix: (options) => metrics.confusionMatrix(x, x, options),
    precision: (options) => metrics.precision(x, x, options),
    recall: (options) => metrics.recall(x, x, options),
    f1Score: (options) => metrics.f1Score(x, x, options),
    progress: (options) => progress(epochs, options).next(),
  };
  for (const [name, take] of Object.entries(takers)) {
    const attempt = (options: unknown) => new Promise((settle) => settle(take(options as never)));
    await expect(attempt({ sede: 3 }), name).rejects.toThrow(
      `${name}: there is no option sede; the options are `,
    );
    for (const options of [null, 2])
      await expect(attempt(options), name).rejects.toThrow(`${name}: options are named`);
  }
});

test("parts of a model are modules, and parameters are made of tensors", () => {
  expect(() => new nn.ModuleList(3 as never)).toThrow("ModuleList: takes a list of modules, got 3");
  expect(() => new nn.ModuleDict(null as never)).toThrow("ModuleDict: options are named");
  expect(() => new nn.Parameter([1, 2] as never)).toThrow("Parameter: takes a tensor, got an Array");
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

test.each(Object.keys(makers).filter((name) => makers[name]![1]))(
  "%s refuses options that it has not",
  (name) => {
    const [before, options] = makers[name]!;
    const attempt = () => new layers[name]!(...before, { ...options, bais: false });
    expect(attempt).toThrow(ValueError);
    expect(attempt).toThrow(new RegExp(`^${name}: there is no option bais; the options are \\w+`));
  },
);

test("options are those that the type of the layer has", () => {
  expect(() => new nn.Linear(2, 3, { bais: false } as never)).toThrow(
    "Linear: there is no option bais; the options are bias, dtype, generator",
  );
  expect(() => new nn.LSTM(2, 3, { nonlinearity: "relu" } as never)).toThrow(
    "LSTM: there is no option nonlinearity; the options are projSize, numLayers, bias,",
  );
  expect(() => new nn.ConvTranspose2d(2, 4, 3, { paddingMode: "reflect" } as never)).toThrow(
    "ConvTranspose2d: there is no option paddingMode; the options are padding, outputPadding,",
  );
  const drawn = { dtype: "float64", generator: new Generator(1) } as const;
  expect(new nn.TransformerDecoderLayer(4, 2, drawn).linear1.weight.dtype).toBe("float64");
  // A layer without options: PyTorch has `inplace`.
  expect(() => new (nn.ReLU as new (options: object) => nn.Module)({ inplace: true })).toThrow(
    /^ReLU: there is no option inplace; the options are none$/,
  );
});

test("a layer names what is no tensor, and a tensor of another copy of the library", () => {
  const foreign = { op: {}, dtype: "float32", toString: () => "1, 2, 3" };
  const linear = new nn.Linear(2, 3);
  expect(() => linear.forward([1, 2] as never)).toThrow(
    "Linear(2, 3): takes a tensor, got an Array; make one",
  );
  expect(() => linear.forward(foreign as never)).toThrow(
    "takes a tensor, got a tensor of another copy of @cotangent/autograd, which is loaded twice",
  );
});

test("layers that take options where they are applied refuse others", () => {
  const [x, words] = [ones([3, 1, 4]), zeros([2, 3], { dtype: "int32" })];
  const decoder = new nn.TransformerDecoderLayer(4, 2, { dropout: 0 });
  const machine = new nn.Perceptron(2);
  for (const [name, apply] of Object.entries({
    MultiheadAttention: (given: never) => new nn.MultiheadAttention(4, 2).forward(x, x, x, given),
    TransformerEncoderLayer: (given: never) => new nn.TransformerEncoderLayer(4, 2).forward(x, given),
    TransformerDecoderLayer: (given: never) => decoder.forward(x, x, given),
    Transformer: (given: never) => new nn.Transformer(4, 2, { numEncoderLayers: 1 }).forward(x, x, given),
    EmbeddingBag: (given: never) => new nn.EmbeddingBag(5, 2).forward(words, given),
    Perceptron: (given: never) => machine.learn(ones([1, 2]), ones([1, 1]), given),
  }))
    expect(() => apply({ isCausl: true } as never), name).toThrow(`${name}: there is no option isCausl`);
});

test("bags begin at 0, in order, and not behind the end", () => {
  const bag = new nn.EmbeddingBag(5, 2, { mode: "max" });
  const words = tensor([1, 2, 3], { dtype: "int32" });
  const forward = (...offsets: number[]) =>
    bag.forward(words, { offsets: tensor(offsets, { dtype: "int32" }) }).shape;
  expect(forward(0, 0, 2, 3)).toEqual([4, 2]);
  const range = "bags of 3 indices begin at 0, in order, and not behind the end";
  for (const [offsets, i] of [
    [[1], 0],
    [[-1, 0], 0],
    [[0, 2, 1], 2],
    [[0, 4], 1],
  ] as const)
    expect(() => forward(...offsets)).toThrow(`EmbeddingBag: offset ${i} is ${offsets[i]}; ${range}`);
});

test("what is no data set, no bytes, no tensor or no variable is refused by the name of the function", () => {
  const x = ones([2]);
  const calls: Readonly<Record<string, () => unknown>> = {
    accuracy: () => metrics.accuracy([0.1] as unknown as Tensor, x),
    confusionMatrix: () => metrics.confusionMatrix(x, 1 as unknown as Tensor),
    r2Score: () => metrics.r2Score(x, null as unknown as Tensor),
    rocAuc: () => metrics.rocAuc(x, [0, 1] as unknown as Tensor),
    randomSplit: () => data.randomSplit([1, 2] as never, [1]),
    "randomSplit: shares": () => data.randomSplit(new data.TensorDataset(x), 0.5 as never),
    kFold: () => data.kFold({ length: 2 } as never, 2),
    Subset: () => new data.Subset(new data.TensorDataset(x), 1 as never),
    readNpy: () => readNpy("weights.npy" as never),
    readNpz: () => readNpz([1, 2] as never),
    readSafetensors: () => readSafetensors(undefined as never),
    readIdx: () => data.readIdx("train-images" as never),
    clipGradNorm: () => nn.clipGradNorm(variable(1) as never, 1),
    clipGradValue: () => nn.clipGradValue([x] as never, 1),
    Sequential: () => new nn.Sequential([new nn.Linear(1, 1)] as never),
    batches: () => [...(data.batches([x]) as unknown as Iterable<unknown>)],
    assignAll: () => assignAll([[x, 1]] as never),
    fromTypedArray: () => fromTypedArray([1, 2] as never, [2]),
  };
  for (const [name, call] of Object.entries(calls)) {
    expect(call, name).toThrow(ValueError);
    expect(call, name).toThrow(name);
  }
});

test("files come as the bytes of Node and of fetch", () => {
  const bytes = writeNpy(tensor([1, 2]));
  const buffer = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;
  for (const file of [bytes, buffer, Buffer.from(bytes)]) expect(readNpy(file).toArray()).toEqual([1, 2]);
  expect(data.readIdx(Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 1, 7).buffer).toArray()).toEqual([7]);
});
