import { compile, ShapeError, sigmoid, tanh, tensor, ValueError, zeros } from "@cotangent/autograd";
import { MLP, Perceptron } from "@cotangent/nn";
import { describe, expect, test } from "vitest";

const x = tensor([
  [0, 0],
  [0, 1],
  [1, 0],
  [1, 1],
]);

describe("the perceptron", () => {
  test("starts at 0 and answers 0 there", () => {
    expect(new Perceptron(2).forward(x).toArray()).toEqual([[0], [0], [0], [0]]);
  });

  test("learns and, or and nand at once, and never xor", () => {
    const separable = tensor([
      [0, 0, 1],
      [0, 1, 1],
      [0, 1, 1],
      [1, 1, 0],
    ]);
    const model = new Perceptron(2, 3);
    for (let i = 0; i < 20; i++) model.learn(x, separable);
    expect(model.learn(x, separable).item()).toBe(0);
    expect(model.forward(x).toArray()).toEqual(separable.toArray());
    const xor = new Perceptron(2);
    for (let i = 0; i < 50; i++) expect(xor.learn(x, tensor([[0], [1], [1], [0]])).item()).toBeGreaterThan(0);
  });

  test("adds lr (y - out) x row by row", () => {
    const model = new Perceptron(2);
    const mistakes = model.learn(
      tensor([
        [1, 2],
        [3, -1],
        [2, 0],
      ]),
      tensor([[1], [0], [1]]),
      { lr: 0.5 },
    );
    // The first row is missed, which makes the second one positive, which takes the weights to (-1, 1.5).
    expect(mistakes.item()).toBe(3);
    expect(model.weight.toArray()).toEqual([[0, 1.5]]);
    expect(model.bias.toArray()).toEqual([0.5]);
  });

  test("learns the same compiled", () => {
    const [plain, compiled] = [new Perceptron(2), new Perceptron(2)];
    const y = tensor([[0], [1], [1], [1]]);
    const step = compile(() => compiled.learn(x, y));
    for (let i = 0; i < 5; i++) expect(step().item()).toBe(plain.learn(x, y).item());
    expect(compiled.weight.toArray()).toEqual(plain.weight.toArray());
  });

  test("refuses what does not fit", () => {
    expect(() => new Perceptron(0)).toThrow(ValueError);
    expect(() => new Perceptron(2).forward(zeros([4, 3]))).toThrow(ShapeError);
    expect(() => new Perceptron(2).learn(x, zeros([4]))).toThrow(
      "Perceptron(2, 1): learns from x [n, 2] and y [n, 1], got [4, 2] and [4]",
    );
    expect(() => new Perceptron(2).learn(x, zeros([4, 1]), { lr: 0 })).toThrow(
      "lr is a finite number above 0",
    );
  });
});

describe("an MLP", () => {
  test("is linear layers with activations between them", () => {
    expect(String(new MLP([2, 3, 4, 1], { activation: tanh, output: sigmoid, bias: false }))).toBe(
      [
        "MLP(",
        "  (0): Linear(inFeatures=2, outFeatures=3, bias=false)",
        "  (1): tanh",
        "  (2): Linear(inFeatures=3, outFeatures=4, bias=false)",
        "  (3): tanh",
        "  (4): Linear(inFeatures=4, outFeatures=1, bias=false)",
        "  (5): sigmoid",
        ")",
      ].join("\n"),
    );
  });

  test("has relu and no output function unless told, and the dtype that was asked for", () => {
    const model = new MLP([2, 2, 1], { dtype: "float64" });
    expect(model.layers.map((layer) => (typeof layer === "function" ? layer.name : "layer"))).toEqual([
      "layer",
      "relu",
      "layer",
    ]);
    expect(model.parameters().map(({ dtype }) => dtype)).toEqual(Array(4).fill("float64"));
  });

  test("refuses fewer than two sizes", () => {
    expect(() => new MLP([2])).toThrow("MLP: takes the sizes of at least two layers");
  });
});
