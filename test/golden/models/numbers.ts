/** The models of `models.py` that read numbers, with the same names. */
import {
  arange,
  cat,
  elu,
  full,
  leakyRelu,
  oneHot,
  ones,
  scatterReduce,
  silu,
  softplus,
  stack,
  straightThrough,
  type Tensor,
  topk,
  unbind,
  variable,
  where,
  zeros,
  zerosLike,
} from "@cotangent/autograd";
import {
  Adam,
  Adamax,
  AdamW,
  Buffer,
  Conv1d,
  GELU,
  Linear,
  LSTM,
  ModuleList,
  Parameter,
  RMSprop,
  Sequential,
  SGD,
} from "@cotangent/nn";
import { crossEntropy, mse, smoothL1 } from "@cotangent/nn/loss";
import { type Draw, Subject } from "./subject.ts";

export class Graphs extends Subject {
  first = new Linear(4, 12);
  value = new Linear(12, 12, { bias: false });
  source = new Parameter(zeros([3, 4]));
  target = new Parameter(zeros([3, 4]));
  head = new Linear(12, 3);
  optimizer = new Adamax(this.parameters(), { lr: 0.01 });
  #graphs: Tensor[][] = [];

  prepare(draw: Draw): void {
    this.#graphs = Array.from({ length: 5 }, (_, k) => {
      const [nodes, edges] = [9 + 2 * k, 20 + 5 * k];
      const x = draw.floats(nodes, 4);
      const [source, target] = [draw.below(nodes, edges), draw.below(nodes, edges)];
      const withItself = (ends: Tensor): Tensor => cat([ends, arange(nodes)]);
      return [x, withItself(source), withItself(target), draw.below(3, nodes)];
    });
  }

  batch = (i: number): Tensor[] => this.#graphs[i % 5]!;

  forward(x: Tensor, source: Tensor, target: Tensor, classes: Tensor): Tensor {
    const n = x.shape[0]!;
    const degree = zeros([n]).scatterAdd(0, target, ones([target.size]));
    const weight = degree.at(source).rsqrt().mul(degree.at(target).rsqrt());
    const h = this.first.forward(x);
    const near = zerosLike(h)
      .indexAdd(0, target, h.at(source).mul(weight.unsqueeze(1)))
      .relu();
    const v = this.value.forward(near).reshape([n, 3, 4]);
    const ends = v.mul(this.source).sum(-1).at(source).add(v.mul(this.target).sum(-1).at(target));
    const score = leakyRelu(ends, { negativeSlope: 0.2 });
    const index = target.unsqueeze(1).expand([-1, 3]);
    const most = scatterReduce(full([n, 3], -Infinity), 0, index, score.detach(), "amax");
    const share = score.sub(most.at(target)).exp();
    const shares = share.div(zeros([n, 3]).indexAdd(0, target, share).at(target));
    const seen = zeros([n, 3, 4]).indexAdd(0, target, v.at(source).mul(shares.unsqueeze(-1)));
    return crossEntropy(this.head.forward(elu(seen.reshape([n, 12]))), classes);
  }
}

export class Scan extends Subject {
  input = new Linear(3, 16);
  convolution = new Conv1d(8, 8, 4, { groups: 8, padding: 3 });
  select = new Linear(8, 9);
  rate = new Linear(1, 8);
  decay = new Parameter(zeros([8, 4]));
  skip = new Parameter(zeros([8]));
  output = new Linear(8, 1);
  optimizer = new SGD(this.parameters(), { lr: 0.05, momentum: 0.9, nesterov: true, weightDecay: 0.01 });
  #data: Tensor[] = [];

  prepare(draw: Draw): void {
    this.#data = [draw.floats(4, 3, 12, 3), draw.floats(4, 3, 12, 1)];
  }

  batch = (i: number): Tensor[] => this.#data.map((x) => x.at(i % 4));

  forward(given: Tensor, y: Tensor): Tensor {
    const [input, gate] = this.input.forward(given).split([8, 8], { axis: -1 });
    const mixed = this.convolution.forward(input.transpose(1, 2)).at("...", { end: 12 });
    const x = silu(mixed.transpose(1, 2));
    const [choice, into, out] = this.select.forward(x).split([1, 4, 4], { axis: -1 });
    const rate = softplus(this.rate.forward(choice)).unsqueeze(-1);
    const kept = rate.mul(this.decay.exp().neg()).exp();
    const added = rate.mul(into.unsqueeze(2)).mul(x.unsqueeze(-1));
    let h: Tensor = zeros([3, 8, 4]);
    const outputs = unbind(kept, 1).map((share, t) => {
      h = share.mul(h).add(added.at(null, t));
      return h.mul(out.at(null, t).unsqueeze(1)).sum(-1);
    });
    return mse(this.output.forward(stack(outputs, 1).add(x.mul(this.skip)).mul(silu(gate))), y);
  }
}

export class Experts extends Subject {
  gate = new Linear(6, 4);
  experts = new ModuleList(
    Array.from({ length: 4 }, () => new Sequential(new Linear(6, 10), new GELU(), new Linear(10, 6))),
  );
  head = new Linear(6, 3);
  optimizer = new AdamW(this.parameters(), { lr: 0.01 });
  #data: Tensor[] = [];

  prepare(draw: Draw): void {
    this.#data = [draw.floats(4, 16, 6), draw.below(3, 4, 16)];
  }

  batch = (i: number): Tensor[] => this.#data.map((x) => x.at(i % 4));

  forward(x: Tensor, y: Tensor): Tensor {
    const shares = this.gate.forward(x).softmax(-1);
    const { values, indices } = topk(shares, 2);
    const weights = values.div(values.sum(-1, { keepDims: true }));
    let out = x;
    for (const [e, expert] of [...this.experts].entries())
      out = out.add(expert.forward(x).mul(where(indices.eq(e), weights, 0).sum(-1, { keepDims: true })));
    const used = oneHot(indices.at(null, 0), 4).cast("float32").mean(0);
    return crossEntropy(this.head.forward(out), y).add(used.mul(shares.mean(0)).sum().mul(0.1));
  }
}

export class Quantizer extends Subject {
  encoder = new Linear(6, 3);
  decoder = new Linear(3, 6);
  codes = new Buffer(zeros([8, 3]));
  count = new Buffer(zeros([8]));
  total = new Buffer(zeros([8, 3]));
  optimizer = new RMSprop(this.parameters(), { lr: 0.005, momentum: 0.5 });
  #x: Tensor = zeros([]);

  prepare(draw: Draw): void {
    this.#x = draw.floats(4, 20, 6);
  }

  batch = (i: number): Tensor[] => [this.#x.at(i % 4)];

  forward(x: Tensor): Tensor {
    const z = this.encoder.forward(x);
    const chosen = z.unsqueeze(1).sub(this.codes).square().sum(-1).argmin(1);
    const code = this.codes.at(chosen);
    const places = oneHot(chosen, 8).cast("float32");
    this.count.assign(this.count.mul(0.9).add(places.sum(0).mul(0.1)));
    this.total.assign(this.total.mul(0.9).add(places.transpose().matmul(z.detach()).mul(0.1)));
    this.codes.assign(this.total.div(this.count.add(0.01).unsqueeze(1)));
    const constant = code.detach();
    return mse(this.decoder.forward(straightThrough(z, constant)), x).add(mse(z, constant).mul(0.25));
  }
}

export class Forecaster extends Subject {
  lstm = new LSTM(2, 8, { numLayers: 2, batchFirst: true });
  head = new Linear(8, 1);
  optimizer = new Adam(this.parameters(), { lr: 0.01, amsgrad: true });
  readonly #memory = [variable(zeros([2, 3, 8])), variable(zeros([2, 3, 8]))] as const;
  #series: Tensor = zeros([]);

  prepare(draw: Draw): void {
    this.#series = draw.floats(3, 101, 2);
  }

  batch = (i: number): Tensor[] => [this.#series.at(null, { start: 5 * i, end: 5 * i + 6 })];

  forward(piece: Tensor): Tensor {
    const [states, memory] = this.lstm.forward(piece.at(null, { end: -1 }), this.#memory);
    for (const [k, after] of memory.entries()) this.#memory[k]!.assign(after);
    return smoothL1(this.head.forward(states), piece.at(null, { start: 1 }, { end: 1 }));
  }
}
