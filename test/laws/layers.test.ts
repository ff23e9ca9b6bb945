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
  scaledDotProductAttention,
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
  // How many nodes there were before simplification is no part of the program.
  return step.explain().replace(/\d+ nodes as traced/, "");
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
const rows = batch * context;

/** [rows, width] as [batch, heads, context, features], and back. */
const apart = (x: Tensor): Tensor => x.reshape([batch, context, heads, width / heads]).permute([0, 2, 1, 3]);
const together = (x: Tensor): Tensor => x.permute([0, 2, 1, 3]).reshape([rows, width]);

class Block extends Module {
  readonly norm1 = new LayerNorm(width);
  readonly input = new Linear(width, 3 * width);
  readonly output = new Linear(width, width);
  readonly norm2 = new LayerNorm(width);
  readonly widen = new Linear(width, 4 * width);
  readonly narrow = new Linear(4 * width, width);

  forward(x: Tensor): Tensor {
    const parts = this.input.forward(this.norm1.forward(x)).split(width, { axis: 1 });
    const [q, k, v] = parts.map(apart) as [Tensor, Tensor, Tensor];
    const seen = scaledDotProductAttention(q, k, v, undefined, { isCausal: true });
    const looked = x.add(this.output.forward(together(seen))) as Tensor;
    const inner = gelu(this.widen.forward(this.norm2.forward(looked)), { approximate: "tanh" });
    return looked.add(this.narrow.forward(inner));
  }
}

class Gpt extends Module {
  readonly tokens = new Embedding(vocabulary, width);
  readonly positions = new Parameter(zeros([context, width]));
  readonly blocks = [new Block(), new Block()];
  readonly norm = new LayerNorm(width);
  readonly head = new Linear(width, vocabulary, { bias: false });

  forward(tokens: Tensor): Tensor {
    const embedded: Tensor = this.tokens.forward(tokens).add(this.positions).reshape([rows, width]);
    const out = this.blocks.reduce((x, block) => block.forward(x), embedded);
    return this.head.forward(this.norm.forward(out));
  }
}

/** The same model by hand: its parameters, and what it makes of tokens. */
function gptByHand(): { all: Parameter[]; forward: (tokens: Tensor) => Tensor } {
  const { make, all } = parameters();
  const dense = (name: string, inputs: number, outputs: number) => {
    const [weight, bias] = [make(`${name}.weight`, outputs, inputs), make(`${name}.bias`, outputs)];
    return (x: Tensor): Tensor => linear(x, weight, bias);
  };
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
  const blocks = [0, 1].map((i) => ({
    norm1: norm(`blocks.${i}.norm1`),
    input: dense(`blocks.${i}.input`, width, 3 * width),
    output: dense(`blocks.${i}.output`, width, width),
    norm2: norm(`blocks.${i}.norm2`),
    widen: dense(`blocks.${i}.widen`, width, 4 * width),
    narrow: dense(`blocks.${i}.narrow`, 4 * width, width),
  }));
  const last = norm("norm");
  const head = make("head.weight", vocabulary, width);
  const forward = (index: Tensor): Tensor => {
    let x: Tensor = embedding(tokens, index).add(positions).reshape([rows, width]);
    for (const { norm1, input, output, norm2, widen, narrow } of blocks) {
      const [q, k, v] = input(norm1(x)).split(width, { axis: 1 }).map(apart) as [Tensor, Tensor, Tensor];
      const scores = matmul(q, transpose(k) as Tensor).mul(1 / Math.sqrt(width / heads)) as Tensor;
      const seen = iota([context])
        .reshape([context, 1])
        .ge(iota([context]))
        .broadcastTo(scores.shape);
      const weights = softmax(where(seen, scores, Number.NEGATIVE_INFINITY) as Tensor, -1);
      x = add(x, output(together(matmul(weights, v))));
      x = add(x, narrow(gelu(widen(norm2(x)), { approximate: "tanh" })));
    }
    return linear(last(x), head);
  };
  return { all, forward };
}

test("a transformer (W4) is the program written by hand", () => {
  const tokens = randint(0, vocabulary, [batch, context]) as Tensor;
  const next = randint(0, vocabulary, [rows]) as Tensor;
  const model = new Gpt();
  const options = { lr: 1e-3, weightDecay: 0.01 };
  const layers = program(new AdamW(model.parameters(), options), () =>
    crossEntropy(model.forward(tokens), next),
  );
  const { all, forward } = gptByHand();
  const byHand = program(new AdamW(all, options), () => crossEntropy(forward(tokens), next));
  expect(layers).toBe(byHand);
});
