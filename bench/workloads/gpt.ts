import {
  embedding,
  evaluate,
  full,
  gelu,
  matmul,
  oneHot,
  ones,
  softmax,
  type Tensor,
  zeros,
} from "@cotangent/autograd";
import { AdamW, Buffer, Module, Parameter } from "@cotangent/nn";
import { crossEntropy } from "@cotangent/nn/loss";
import { Source } from "../data.ts";
import type { Variants } from "../workload.ts";
import { training } from "../workload.ts";

const vocabulary = 65;
const context = 64;
const width = 64;
const heads = 4;
const blocks = 2;
const batch = 8;

class LayerNorm extends Module {
  gain = new Parameter(ones([width]));
  offset = new Parameter(zeros([width]));

  forward(x: Tensor): Tensor {
    const centered = x.sub(x.mean(-1, { keepDims: true }));
    const variance = centered.square().mean(-1, { keepDims: true });
    return centered.div(variance.add(1e-5).sqrt()).mul(this.gain).add(this.offset);
  }
}

class Dense extends Module {
  weight: Parameter;
  bias: Parameter;

  constructor(inputs: number, outputs: number, source: Source) {
    super();
    this.weight = new Parameter(source.normal([inputs, outputs], 0.02));
    this.bias = new Parameter(zeros([outputs]));
  }

  forward(x: Tensor): Tensor {
    return x.matmul(this.weight).add(this.bias);
  }
}

/** Each position looks at itself and those before it, in `heads` ways. */
class Attention extends Module {
  input: Dense;
  output: Dense;
  future = new Buffer(full([context, context], Number.NEGATIVE_INFINITY).triu({ diagonal: 1 }));

  constructor(source: Source) {
    super();
    this.input = new Dense(width, 3 * width, source);
    this.output = new Dense(width, width, source);
  }

  forward(x: Tensor): Tensor {
    const [queries, keys, values] = this.input
      .forward(x)
      .split(width, { axis: 1 })
      .map((part) => part.reshape([batch, context, heads, width / heads]).permute([0, 2, 1, 3]));
    const scores = matmul(queries!, keys!.transpose()).mul(1 / Math.sqrt(width / heads));
    const seen = matmul(softmax(scores.add(this.future), -1), values!);
    return this.output.forward(seen.permute([0, 2, 1, 3]).reshape([batch * context, width]));
  }
}

class Block extends Module {
  norm1 = new LayerNorm();
  attention: Attention;
  norm2 = new LayerNorm();
  widen: Dense;
  narrow: Dense;

  constructor(source: Source) {
    super();
    this.attention = new Attention(source);
    this.widen = new Dense(width, 4 * width, source);
    this.narrow = new Dense(4 * width, width, source);
  }

  forward(x: Tensor): Tensor {
    const looked = x.add(this.attention.forward(this.norm1.forward(x)));
    const inner = gelu(this.widen.forward(this.norm2.forward(looked)), { approximate: "tanh" });
    return looked.add(this.narrow.forward(inner));
  }
}

class Gpt extends Module {
  tokens: Parameter;
  positions: Parameter;
  blocks: Block[];
  norm = new LayerNorm();
  head: Parameter;

  constructor(source: Source) {
    super();
    this.tokens = new Parameter(source.normal([vocabulary, width], 0.02));
    this.positions = new Parameter(source.normal([context, width], 0.02));
    this.blocks = Array.from({ length: blocks }, () => new Block(source));
    this.head = new Parameter(source.normal([width, vocabulary], 0.02));
  }

  /** The scores of what comes next at each place, from the rows of the table there. */
  forward(embedded: Tensor): Tensor {
    let x = embedded.add(this.positions).reshape([batch * context, width]);
    for (const block of this.blocks) x = block.forward(x);
    return this.norm.forward(x).matmul(this.head);
  }
}

/** 8 texts of 64 tokens, cross entropy, AdamW. The table is asked by index, or multiplied with rows of 0 and one 1. */
function gptStep(byIndex: boolean): () => Tensor {
  const source = new Source(4);
  const tokens = source.integers([batch, context], vocabulary);
  const next = source.integers([batch * context], vocabulary);
  const model = new Gpt(source);
  const optimizer = new AdamW(model.parameters(), { lr: 1e-3, weightDecay: 0.01 });
  const rows = oneHot(tokens, vocabulary);
  evaluate(rows);
  return () => {
    const embedded = byIndex ? embedding(model.tokens, tokens) : rows.matmul(model.tokens);
    const loss = crossEntropy(model.forward(embedded), next);
    optimizer.step(loss);
    return loss;
  };
}

export const gpt: Variants = training(10, () => gptStep(true));
export const gptOneHot: Variants = training(10, () => gptStep(false));
