/** The models of `models.py` that read texts, with the same names. */
import {
  arange,
  bmm,
  cat,
  gelu,
  logsumexp,
  ones,
  scaledDotProductAttention,
  stack,
  type Tensor,
  unbind,
  where,
  zeros,
} from "@cotangent/autograd";
import {
  Adagrad,
  Adam,
  AdamW,
  Conv1d,
  clipByNorm,
  Embedding,
  GRU,
  GRUCell,
  LayerNorm,
  Linear,
  Module,
  ModuleList,
  MultiheadAttention,
  Parameter,
  RAdam,
} from "@cotangent/nn";
import { crossEntropy } from "@cotangent/nn/loss";
import { linear } from "@cotangent/nn/schedules";
import { type Draw, Subject } from "./subject.ts";

class Encoder extends Module {
  embedding = new Embedding(12, 8, { paddingIdx: 0 });
  gru = new GRU(8, 10, { batchFirst: true, bidirectional: true });
  bridge = new Linear(20, 10);

  forward(words: Tensor, lengths: Tensor): [states: Tensor, h: Tensor] {
    const [states, h] = this.gru.forward(this.embedding.forward(words), undefined, { lengths });
    return [states, this.bridge.forward(cat([h.at(0), h.at(1)], -1)).tanh()];
  }
}

class Decoder extends Module {
  embedding = new Embedding(12, 8, { paddingIdx: 0 });
  cell = new GRUCell(28, 10);
  query = new Linear(10, 10);
  key = new Linear(20, 10, { bias: false });
  score = new Linear(10, 1, { bias: false });
  output = new Linear(30, 12);

  forward(words: Tensor, memory: Tensor, first: Tensor, isThere: Tensor): Tensor {
    const keys = this.key.forward(memory);
    let h = first;
    const outputs = unbind(words, 1).map((word) => {
      const scores = this.score.forward(this.query.forward(h).unsqueeze(1).add(keys).tanh()).squeeze(-1);
      const shares = scores.maskedFill(isThere.logicalNot(), -Infinity).softmax(-1);
      const context = bmm(shares.unsqueeze(1), memory).squeeze(1);
      h = this.cell.forward(cat([this.embedding.forward(word), context], -1), h);
      return this.output.forward(cat([h, context], -1));
    });
    return stack(outputs, 1);
  }
}

export class Translator extends Subject {
  encoder = new Encoder();
  decoder = new Decoder();
  optimizer = new Adam(this.parameters(), { lr: 0.01, stages: [clipByNorm(1)] });
  #data: Tensor[] = [];

  prepare(draw: Draw): void {
    const words = draw.below(10, 4, 6, 7).add(2);
    const lengths = draw.below(5, 4, 6).add(3);
    this.#data = [where(arange(7).lt(lengths.unsqueeze(-1)), words, 0), lengths];
  }

  batch = (i: number): Tensor[] => this.#data.map((x) => x.at(i % 4));

  forward(words: Tensor, lengths: Tensor): Tensor {
    const [memory, h] = this.encoder.forward(words, lengths);
    const shifted = cat([ones([6, 1], { dtype: "int32" }), words.at(null, { end: -1 })], 1);
    const scores = this.decoder.forward(shifted, memory, h, arange(7).lt(lengths.unsqueeze(1)));
    return crossEntropy(scores.flatten(0, 1), words.flatten(), { ignoreIndex: 0 });
  }
}

class Block extends Module {
  norm1 = new LayerNorm(16);
  qkv = new Linear(16, 48);
  projection = new Linear(16, 16);
  norm2 = new LayerNorm(16);
  wide = new Linear(16, 32);
  narrow = new Linear(32, 16);

  forward(x: Tensor): Tensor {
    const [n, places] = [x.shape[0]!, x.shape[1]!];
    const heads = (a: Tensor): Tensor => a.reshape([n, places, 2, 8]).transpose(1, 2);
    const [q, k, v] = this.qkv.forward(this.norm1.forward(x)).split([16, 16, 16], { axis: -1 });
    const seen = scaledDotProductAttention(heads(q), heads(k), heads(v), undefined, { isCausal: true });
    const y = x.add(this.projection.forward(seen.transpose(1, 2).reshape([n, places, 16])));
    return y.add(this.narrow.forward(gelu(this.wide.forward(this.norm2.forward(y)))));
  }
}

export class Writer extends Subject {
  letters = new Embedding(11, 16);
  places = new Embedding(9, 16);
  blocks = new ModuleList([new Block(), new Block()]);
  norm = new LayerNorm(16);
  optimizer = new AdamW(
    [
      { parameters: this.parameters().filter(({ rank }) => rank > 1), weightDecay: 0.1 },
      { parameters: this.parameters().filter(({ rank }) => rank <= 1), weightDecay: 0 },
    ],
    {
      lr: linear({ lr: 0.01, startFactor: 0.1, endFactor: 1, totalIters: 10 }),
      betas: [0.9, 0.95],
      stages: [clipByNorm(1)],
    },
  );
  #texts: Tensor = zeros([]);

  prepare(draw: Draw): void {
    this.#texts = draw.below(11, 4, 5, 10);
  }

  batch = (i: number): Tensor[] => [this.#texts.at(i % 4)];

  forward(text: Tensor): Tensor {
    let x: Tensor = this.letters.forward(text.at(null, { end: -1 })).add(this.places.forward(arange(9)));
    for (const block of this.blocks) x = block.forward(x);
    const scores = this.norm.forward(x).matmul(this.letters.weight.transpose());
    return crossEntropy(scores.flatten(0, 1), text.at(null, { start: 1 }).flatten());
  }
}

class MaskedLayer extends Module {
  attention = new MultiheadAttention(12, 3, { batchFirst: true });
  norm1 = new LayerNorm(12);
  wide = new Linear(12, 24);
  narrow = new Linear(24, 12);
  norm2 = new LayerNorm(12);

  forward(x: Tensor, keyPaddingMask: Tensor): Tensor {
    const [seen] = this.attention.forward(x, x, x, { keyPaddingMask, needWeights: false });
    const y = this.norm1.forward(x.add(seen));
    return this.norm2.forward(y.add(this.narrow.forward(gelu(this.wide.forward(y)))));
  }
}

export class Masked extends Subject {
  embedding = new Embedding(14, 12, { paddingIdx: 0 });
  layers = new ModuleList([new MaskedLayer(), new MaskedLayer()]);
  head = new Linear(12, 14);
  optimizer = new RAdam(this.parameters(), { lr: 0.01 });
  #data: Tensor[] = [];

  prepare(draw: Draw): void {
    const words = draw.below(12, 4, 6, 8).add(2);
    const lengths = draw.below(5, 4, 6).add(4);
    const isMasked = draw.below(4, 4, 6, 8).eq(0);
    const isThere = arange(8).lt(lengths.unsqueeze(-1));
    this.#data = [
      where(isThere, where(isMasked, 1, words), 0),
      where(isMasked.logicalAnd(isThere), words, -100),
    ];
  }

  batch = (i: number): Tensor[] => this.#data.map((x) => x.at(i % 4));

  forward(words: Tensor, labels: Tensor): Tensor {
    let x: Tensor = this.embedding.forward(words);
    for (const layer of this.layers) x = layer.forward(x, words.eq(0));
    const scores = this.head.forward(x).transpose(1, 2);
    return crossEntropy(scores, labels, { ignoreIndex: -100, labelSmoothing: 0.1 });
  }
}

export class Tagger extends Subject {
  embedding = new Embedding(15, 6);
  convolution = new Conv1d(6, 8, 3, { padding: 1 });
  head = new Linear(8, 4);
  moves = new Parameter(zeros([4, 4]));
  start = new Parameter(zeros([4]));
  end = new Parameter(zeros([4]));
  optimizer = new Adagrad(this.parameters(), { lr: 0.05 });
  #data: Tensor[] = [];

  prepare(draw: Draw): void {
    this.#data = [draw.below(15, 4, 5, 8), draw.below(6, 4, 5).add(3)];
  }

  batch = (i: number): Tensor[] => this.#data.map((x) => x.at(i % 4));

  forward(words: Tensor, lengths: Tensor): Tensor {
    const tags = words.remainder(4);
    const isThere = arange(8).lt(lengths.unsqueeze(1));
    const features = this.convolution.forward(this.embedding.forward(words).transpose(1, 2)).relu();
    const scores = this.head.forward(features.transpose(1, 2));
    let all: Tensor = this.start.add(scores.at(null, 0));
    for (let t = 1; t < 8; t++) {
      const further = logsumexp(all.unsqueeze(2).add(this.moves).add(scores.at(null, t).unsqueeze(1)), 1);
      all = where(isThere.at(null, t).unsqueeze(1), further, all);
    }
    const counts = isThere.cast("float32");
    const emitted = scores.gather(2, tags.unsqueeze(-1)).squeeze(-1).mul(counts).sum(1);
    const moved = this.moves.at(tags.at(null, { end: -1 }), tags.at(null, { start: 1 }));
    const last = tags.gather(1, lengths.sub(1).unsqueeze(1)).squeeze(1);
    const right = this.start
      .at(tags.at(null, 0))
      .add(emitted)
      .add(moved.mul(counts.at(null, { start: 1 })).sum(1))
      .add(this.end.at(last));
    return all.add(this.end).logsumexp(1).sub(right).mean();
  }
}
