import {
  compile,
  DTypeError,
  Generator,
  grad,
  IndexError,
  isNaN as isNan,
  manualSeed,
  normal,
  type Operand,
  ones,
  ShapeError,
  scalar,
  type Tensor,
  tensor,
  ValueError,
  zeros,
} from "@cotangent/autograd";
import {
  LayerNorm,
  Linear,
  Module,
  MultiheadAttention,
  PositionalEncoding,
  RotaryEmbedding,
  Transformer,
  TransformerDecoder,
  TransformerDecoderLayer,
  TransformerEncoder,
  TransformerEncoderLayer,
} from "@cotangent/nn";
import { describe, expect, test } from "vitest";

const draw = (...shape: number[]): Tensor =>
  normal(shape, { generator: new Generator(shape.length) }) as Tensor;

/** How far two tensors are apart at most. */
const distance = (x: Tensor, y: Tensor): number => x.sub(y).abs().amax().item();

describe("multi-head attention", () => {
  const layer = new MultiheadAttention(4, 2, { batchFirst: true, generator: new Generator(7) });

  test("gives weights that sum to 1, and no future ones where it is causal", () => {
    const x = draw(2, 3, 4);
    const [, weights] = layer.forward(x, x, x, { isCausal: true });
    expect(distance(weights!.sum(-1) as Tensor, ones([2, 3]) as Tensor)).toBeLessThan(1e-6);
    expect(weights!.triu({ diagonal: 1 }).abs().sum().item()).toBe(0);
  });

  test("gives 0 before the last projection, and no NaN, where everything is masked", () => {
    const x = draw(1, 2, 4);
    const [output, weights] = layer.forward(x, x, x, { keyPaddingMask: tensor([[true, true]]) as Tensor });
    expect(weights!.abs().sum().item()).toBe(0);
    expect(distance(output, layer.outProj.bias!.broadcastTo([1, 2, 4]) as Tensor)).toBe(0);
    expect(
      isNan(grad(output.sum(), [x])[0])
        .any()
        .item(),
    ).toBe(0);
  });

  test("with the same sequence as query, key and value computes what it does with copies", () => {
    const x = draw(2, 3, 4);
    const [first, second] = [x.add(0), x.add(0)] as [Tensor, Tensor];
    const [output] = layer.forward(x, x, x);
    expect(distance(layer.forward(x, first, first)[0], output)).toBeLessThan(1e-6);
    expect(distance(layer.forward(x, first, second)[0], output)).toBeLessThan(1e-6);
  });

  test("drops weights in training only", () => {
    const dropping = new MultiheadAttention(4, 2, { batchFirst: true, dropout: 0.5 });
    const x = draw(2, 6, 4);
    manualSeed(3);
    const step = compile((y: Tensor) => dropping.forward(y, y, y)[0]);
    expect(step(x).toArray()).not.toEqual(step(x).toArray());
    dropping.eval();
    expect(step(x).toArray()).toEqual(step(x).toArray());
  });

  test("refuses what does not fit", () => {
    const x = draw(2, 3, 4);
    const mask = (...shape: number[]) => zeros(shape) as Tensor;
    expect(() => layer.forward(x, draw(1, 3, 4), draw(1, 3, 4))).toThrow(ShapeError);
    expect(() => layer.forward(draw(2, 3, 5), x, x)).toThrow(
      "MultiheadAttention(4, 2): takes queries [n, places, 4], keys [n, others, 4] and values [n, others, 4], or all without n",
    );
    expect(() => layer.forward(x, x, x, { attnMask: mask(3, 4) })).toThrow(
      "attnMask has shape [3, 4]; it must be [3, 3] or [4, 3, 3]",
    );
    expect(() => layer.forward(x, x, x, { keyPaddingMask: mask(2, 3).cast("int32") as Tensor })).toThrow(
      DTypeError,
    );
    expect(() => new MultiheadAttention(5, 2)).toThrow("2 heads do not divide 5 features");
    expect(() => new MultiheadAttention(4, 2, { dropout: 2 })).toThrow(ValueError);
  });
});

describe("transformers", () => {
  const options = { dimFeedforward: 8, batchFirst: true, dropout: 0.5 };

  test("name the layer where a shape does not fit", () => {
    class Model extends Module {
      readonly encoder = new TransformerEncoder(() => new TransformerEncoderLayer(4, 2, options), 2);
      readonly head = new Linear(4, 1);
      forward(x: Tensor, mask?: Tensor): Tensor {
        return this.head.forward(this.encoder.forward(x, mask ? { srcMask: mask } : {}));
      }
    }
    const model = new Model().eval();
    expect(() => model.forward(draw(1, 3, 5))).toThrow(
      /^encoder\.layers\.0\.selfAttn: MultiheadAttention\(4, 2\): /,
    );
    // A fault of one layer, far inside.
    const { linear1 } = model.encoder.layers[1]!;
    Object.defineProperty(linear1, "inFeatures", { value: 3 });
    expect(() => model.forward(draw(1, 3, 4))).toThrow(/^encoder\.layers\.1\.linear1: Linear/);
  });

  test("start each layer with its own numbers", () => {
    const { layers } = new TransformerEncoder(() => new TransformerEncoderLayer(4, 2, options), 2);
    expect(layers[0]!.linear1.weight.toArray()).not.toEqual(layers[1]!.linear1.weight.toArray());
  });

  test("drop in training only", () => {
    const model = new TransformerDecoder(() => new TransformerDecoderLayer(4, 2, options), 2, {
      norm: new LayerNorm(4),
    });
    const [x, memory] = [draw(1, 3, 4), draw(1, 2, 4)];
    expect(model.forward(x, memory).toArray()).not.toEqual(model.forward(x, memory).toArray());
    model.eval();
    expect(model.forward(x, memory).toArray()).toEqual(model.forward(x, memory).toArray());
  });

  test("with isCausal see nothing of what comes later", () => {
    const model = new TransformerEncoder(() => new TransformerEncoderLayer(4, 2, options), 2).eval();
    const x = draw(1, 3, 4);
    const out = model.forward(x, { isCausal: true });
    const [g] = grad(
      out
        .slice(0, 1, { axis: 1 })
        .mul(draw(1, 1, 4))
        .sum(),
      [x],
    );
    expect(g.slice(1, 3, { axis: 1 }).abs().sum().item()).toBe(0);
    expect(g.slice(0, 1, { axis: 1 }).abs().sum().item()).toBeGreaterThan(0);
  });

  test("of both kinds start from one generator, with matrices of Xavier's size and sizes that are counted", () => {
    const sizes = { numEncoderLayers: 1, numDecoderLayers: 2, dimFeedforward: 32 };
    const make = () => new Transformer(16, 2, { ...sizes, generator: new Generator(1) });
    const model = make();
    expect(JSON.stringify(model.stateDict())).toBe(JSON.stringify(make().stateDict()));
    expect([model.encoder.layers.length, model.decoder.layers.length]).toEqual([1, 2]);
    const largest = model.decoder.layers[1]!.linear1.weight.abs().max().item();
    expect(largest).toBeCloseTo(Math.sqrt(6 / 48), 2);
    expect(largest).toBeLessThanOrEqual(Math.sqrt(6 / 48));
    expect(() => new Transformer(16, 2, { numDecoderLayers: 0 })).toThrow(
      "Transformer: numDecoderLayers is a whole number of at least 1, got 0",
    );
    expect(() => model.forward(draw(3, 1, 8), draw(2, 1, 16))).toThrow(/^encoder\.layers\.0\.selfAttn: /);
  });

  test("refuse what is no layer", () => {
    expect(() => new TransformerEncoder(new TransformerEncoderLayer(4, 2, options) as never, 2)).toThrow(
      ValueError,
    );
    expect(() => new TransformerEncoder((() => new Linear(1, 1)) as never, 2)).toThrow(
      "no TransformerEncoderLayer",
    );
    expect(() => new TransformerEncoderLayer(4, 2, { activation: "tanh" as never })).toThrow(ValueError);
  });
});

describe("positions", () => {
  test("an encoding adds the same to each sequence, whichever axis is the batch", () => {
    const [first, second] = [false, true].map(
      (batchFirst) => new PositionalEncoding(5, { dropout: 0, batchFirst }),
    );
    const x = draw(4, 2, 5);
    const out = first!.forward(x);
    expect(
      second!
        .forward(x.transpose(0, 1) as Tensor)
        .transpose(0, 1)
        .toArray(),
    ).toEqual(out.toArray());
    expect(
      distance(out.sub(x).slice(0, 1, { axis: 1 }) as Tensor, out.sub(x).slice(1, 2, { axis: 1 }) as Tensor),
    ).toBeLessThan(1e-6);
    expect([...first!.namedBuffers().keys()]).toEqual(["pe"]);
    expect(() => new PositionalEncoding(4, { maxLen: 2 }).forward(zeros([3, 1, 4]))).toThrow(
      "at most 2 places",
    );
  });

  test.each([true, false])(
    "products of rotated vectors depend on their distance only (interleaved: %s)",
    (interleaved) => {
      const rotary = new RotaryEmbedding(8, { interleaved });
      const [q, k] = [draw(1, 8), normal([1, 8]) as Tensor];
      const at = (i: number, j: number) => rotary.forward(q, i).mul(rotary.forward(k, j)).sum().item();
      expect(at(7, 3)).toBeCloseTo(at(104, 100), 4);
      expect(at(0, 0)).toBeCloseTo(q.mul(k).sum().item(), 5);
      const length = (x: Tensor) => x.square().sum().item();
      expect(length(rotary.forward(q, 50))).toBeCloseTo(length(q), 4);
    },
  );

  test.each([true, false])(
    "one program serves all offsets where it is passed in (interleaved %o)",
    (interleaved) => {
      const rotary = new RotaryEmbedding(8, { interleaved, maxLen: 16 });
      const x = draw(2, 3, 8);
      const turn = compile((x: Tensor, place: Operand) => rotary.forward(x, place));
      for (const place of [0, 5, 13]) {
        const plain = rotary.forward(x, place).toArray();
        expect(turn(x, place).toArray()).toEqual(plain);
        expect(rotary.forward(x, scalar(place, { dtype: "int32" })).toArray()).toEqual(plain);
      }
      expect(turn.explain()).toContain("3 calls, 1 trace");
      expect(() => turn(x, 14).item()).toThrow(IndexError);
      expect(() => rotary.forward(x, tensor([1], { dtype: "int32" }))).toThrow(
        "the offset is one place, got int32 of shape [1]",
      );
      expect(() => rotary.forward(x, tensor(true))).toThrow("the offset is one place, got bool");
    },
  );

  test("a rotation in float64 has its precision", () => {
    const rotary = new RotaryEmbedding(2);
    const x = tensor([[1, 0]], { dtype: "float64" }) as Tensor;
    expect(rotary.forward(x, 1).toArray()).toEqual([[Math.cos(1), Math.sin(1)]]);
    expect(() => new RotaryEmbedding(3)).toThrow("dim is even");
    expect(() => rotary.forward(zeros([2, 3]))).toThrow(ShapeError);
    expect(() => rotary.forward(x, 4096)).toThrow("places below 4096");
  });
});
