import {
  add,
  cat,
  compile,
  embedding,
  gelu,
  linear,
  matmul,
  randint,
  relu,
  rsqrt,
  type Shape,
  sigmoid,
  softmax,
  type Tensor,
  tanh,
  transpose,
  uniform,
  where,
  zeros,
} from "@cotangent/autograd";
import {
  Adam,
  AdamW,
  Embedding,
  LayerNorm,
  Linear,
  LSTM,
  MLP,
  Module,
  type Optimizer,
  Parameter,
  SGD,
  TransformerEncoderLayer,
} from "@cotangent/nn";
import { crossEntropy, mse } from "@cotangent/nn/loss";
import { expect, test } from "vitest";
import { iota } from "../../packages/autograd/src/ops/leaf.ts";

/**
 * The law of the layers: a training step with them is the program of the same step written by hand, from variables and functions.
 * So they cost nothing. The steps are those of the benchmarks W2, W4 and W8.
 */

/** A step that trains `parameters` compiled and run once: what the passes made of it. */
function program(optimizer: Optimizer, loss: () => Tensor): string {
  const step = compile(() => {
    const value = loss();
    optimizer.step(value);
    return value;
  });
  step();
  // What was called when and in which mode is no part of the program, nor are nodes that simplification took out.
  const text = step.explain();
  const start = text.indexOf("\ngraph: ");
  expect(start).toBeGreaterThan(0);
  return text.slice(start).replace(/\d+ nodes as traced/, "");
}

/** Parameters by hand, under the names that the layers give theirs. */
function parameters(): { make: (name: string, ...shape: Shape) => Tensor; all: Parameter[] } {
  const all: Parameter[] = [];
  const make = (name: string, ...shape: Shape): Tensor => {
    const made = new Parameter<Shape>(zeros(shape)).named(name);
    all.push(made);
    return made;
  };
  return { make, all };
}

test("a multilayer perceptron (W2) is the program written by hand", () => {
  const images = uniform([64, 784]) as Tensor;
  const labels = randint(0, 10, [64]) as Tensor;
  const model = new MLP([784, 256, 128, 10]);
  const layers = program(new Adam(model.parameters()), () => crossEntropy(model.forward(images), labels));

  const { make, all } = parameters();
  const sizes = [784, 256, 128, 10];
  const dense = [0, 2, 4].map((place, i) => ({
    weight: make(`${place}.weight`, sizes[i + 1]!, sizes[i]!),
    bias: make(`${place}.bias`, sizes[i + 1]!),
  }));
  const byHand = program(new Adam(all), () => {
    let x = images;
    dense.forEach(({ weight, bias }, i) => {
      x = linear(x, weight, bias);
      if (i < 2) x = relu(x);
    });
    return crossEntropy(x, labels);
  });
  expect(layers).toBe(byHand);
});

test("a network with long short-term memory (W8) is the program written by hand", () => {
  const [inputs, hidden, steps, batch] = [64, 128, 32, 16];
  const sequence = uniform([steps, batch, inputs]) as Tensor;
  const target = uniform([1, batch, hidden]) as Tensor;
  const model = new LSTM(inputs, hidden);
  const layers = program(new SGD(model.parameters(), { lr: 0.1 }), () => {
    const [, [h]] = model.forward(sequence);
    return mse(h, target);
  });

  const { make, all } = parameters();
  const fromInput = make("weightIhL0", 4 * hidden, inputs);
  const fromState = make("weightHhL0", 4 * hidden, hidden);
  const [b, d] = [make("biasIhL0", 4 * hidden), make("biasHhL0", 4 * hidden)];
  const byHand = program(new SGD(all, { lr: 0.1 }), () => {
    let h = zeros([batch, hidden]) as Tensor;
    let c = h;
    const weight: Tensor = cat([fromInput, fromState], 1).transpose();
    const bias = b.add(d);
    for (const x of sequence.unbind()) {
      const gates: Tensor = cat([x, h], 1).matmul(weight).add(bias);
      const [take, keep, candidate, show] = gates.chunk(4, { axis: 1 }) as [Tensor, Tensor, Tensor, Tensor];
      c = sigmoid(keep)
        .mul(c)
        .add(sigmoid(take).mul(tanh(candidate)));
      h = sigmoid(show).mul(tanh(c));
    }
    return mse(h.unsqueeze(0) as Tensor, target);
  });
  expect(layers).toBe(byHand);
});

const [vocabulary, context, width, heads, batch] = [65, 64, 64, 4, 8];
const bent = (x: Tensor): Tensor => gelu(x, { approximate: "tanh" });

class Gpt extends Module {
  readonly tokens = new Embedding(vocabulary, width);
  readonly positions = new Parameter(zeros([context, width]));
  readonly blocks = [0, 1].map(
    () =>
      new TransformerEncoderLayer(width, heads, {
        dimFeedforward: 4 * width,
        activation: bent,
        normFirst: true,
        batchFirst: true,
        dropout: 0,
      }),
  );
  readonly norm = new LayerNorm(width);
  readonly head = new Linear(width, vocabulary, { bias: false });

  forward(tokens: Tensor): Tensor {
    const embedded: Tensor = this.tokens.forward(tokens).add(this.positions);
    const out = this.blocks.reduce((x, block) => block.forward(x, { isCausal: true }), embedded);
    return this.head.forward(this.norm.forward(out));
  }
}

/** The same model by hand: its parameters, and what it makes of tokens. */
function gptByHand(): { all: Parameter[]; forward: (tokens: Tensor) => Tensor } {
  const { make, all } = parameters();
  const dense = (weight: Tensor, bias: Tensor) => (x: Tensor) => linear(x, weight, bias) as Tensor;
  const norm = (name: string) => {
    const [gain, offset] = [make(`${name}.weight`, width), make(`${name}.bias`, width)];
    return (x: Tensor): Tensor => {
      const centered = x.sub(x.mean(-1, { keepDims: true })) as Tensor;
      const spread = centered.square().mean(-1, { keepDims: true }) as Tensor;
      return centered
        .mul(rsqrt(spread.add(1e-5)))
        .mul(gain)
        .add(offset) as Tensor;
    };
  };
  const tokens = make("tokens.weight", vocabulary, width);
  const positions = make("positions", context, width);
  const blocks = [0, 1].map((i) => {
    const matrix = (name: string, out: number, inputs: number) => make(`blocks.${i}.${name}`, out, inputs);
    const vector = (name: string, size: number) => make(`blocks.${i}.${name}`, size);
    return {
      input: dense(
        matrix("selfAttn.inProjWeight", 3 * width, width),
        vector("selfAttn.inProjBias", 3 * width),
      ),
      output: dense(matrix("selfAttn.outProj.weight", width, width), vector("selfAttn.outProj.bias", width)),
      widen: dense(matrix("linear1.weight", 4 * width, width), vector("linear1.bias", 4 * width)),
      narrow: dense(matrix("linear2.weight", width, 4 * width), vector("linear2.bias", width)),
      norm1: norm(`blocks.${i}.norm1`),
      norm2: norm(`blocks.${i}.norm2`),
    };
  });
  const last = norm("norm");
  const head = make("head.weight", vocabulary, width);
  const apart = (x: Tensor): Tensor =>
    x.reshape([batch, context, heads, width / heads]).permute([0, 2, 1, 3]);
  const together = (x: Tensor): Tensor => x.permute([0, 2, 1, 3]).reshape([batch, context, width]);
  const forward = (index: Tensor): Tensor => {
    let x: Tensor = embedding(tokens, index).add(positions);
    for (const { norm1, input, output, norm2, widen, narrow } of blocks) {
      const [q, k, v] = input(norm1(x)).split(width, { axis: -1 }).map(apart) as [Tensor, Tensor, Tensor];
      const scores = matmul(q, transpose(k) as Tensor).mul(1 / Math.sqrt(width / heads)) as Tensor;
      const seen = iota([context])
        .reshape([context, 1])
        .ge(iota([context]))
        .broadcastTo(scores.shape);
      const weights = softmax(where(seen, scores, Number.NEGATIVE_INFINITY) as Tensor, -1);
      x = add(x, output(together(matmul(weights, v))));
      x = add(x, narrow(bent(widen(norm2(x)))));
    }
    return linear(last(x), head);
  };
  return { all, forward };
}

test("a transformer (W4) is the program written by hand", () => {
  const tokens = randint(0, vocabulary, [batch, context]) as Tensor;
  const next = randint(0, vocabulary, [batch * context]) as Tensor;
  const model = new Gpt();
  const options = { lr: 1e-3, weightDecay: 0.01 };
  const rows = (x: Tensor): Tensor => x.reshape([batch * context, vocabulary]);
  const layers = program(new AdamW(model.parameters(), options), () =>
    crossEntropy(rows(model.forward(tokens)), next),
  );
  const { all, forward } = gptByHand();
  const byHand = program(new AdamW(all, options), () => crossEntropy(rows(forward(tokens)), next));
  expect(layers).toBe(byHand);
});
