import { type Tensor, tanh, tensor, ValueError, zeros } from "@cotangent/autograd";
import {
  Conv2d,
  Dropout,
  Embedding,
  Flatten,
  Linear,
  Module,
  ReLU,
  Sequential,
  summary,
} from "@cotangent/nn";
import { describe, expect, test } from "vitest";

describe("a summary", () => {
  const model = () => new Sequential(new Linear(2, 3), tanh, new Sequential(new Linear(3, 3), new ReLU()));

  test("has a row for each module, with shapes, parameters and operations", () => {
    const found = summary(model(), [4, 2]);
    expect(found.rows).toEqual([
      { path: "", name: "Sequential", outputs: [[4, 3]], parameters: 21, flops: 60 + 12 + 84 + 12 },
      { path: "0", name: "Linear", outputs: [[4, 3]], parameters: 9, flops: 2 * 4 * 2 * 3 + 12 },
      { path: "2", name: "Sequential", outputs: [[4, 3]], parameters: 12, flops: 96 },
      { path: "2.0", name: "Linear", outputs: [[4, 3]], parameters: 12, flops: 84 },
      { path: "2.1", name: "ReLU", outputs: [[4, 3]], parameters: 0, flops: 12 },
    ]);
    expect(found).toMatchObject({ parameters: 21, buffers: 0, bytes: 84, flops: 168 });
  });

  test("prints as a table", () => {
    expect(String(summary(model(), [4, 2])).split("\n")).toEqual([
      "module           output  parameters  FLOPs",
      "Sequential       [4, 3]          21    168",
      "  0: Linear      [4, 3]           9     60",
      "  2: Sequential  [4, 3]          12     96",
      "    0: Linear    [4, 3]          12     84",
      "    1: ReLU      [4, 3]           0     12",
      "21 parameters, 0 numbers in buffers, 84 bytes, 168 FLOPs",
    ]);
  });

  test("counts a convolution as its formula says", () => {
    const found = summary(
      new Sequential(new Conv2d(3, 8, 5, { padding: 2, bias: false }), new Flatten()),
      [2, 3, 16, 16],
    );
    expect(found.rows[1]).toMatchObject({
      outputs: [[2, 8, 16, 16]],
      parameters: 600,
      flops: 2 * 2 * 8 * 256 * 75,
    });
    expect(found.rows[2]!.outputs).toEqual([[2, 2048]]);
  });

  test("leaves the model as it was, also when it does not fit", () => {
    const same = (h: Tensor): Tensor => h;
    const own = Object.defineProperty(new Linear(2, 2), "forward", { value: same, configurable: true });
    const layers = new Sequential(own, new Dropout(0.5));
    summary(layers, [1, 2]);
    expect([own.forward, layers.training]).toEqual([same, true]);
    expect(Object.hasOwn(layers, "forward")).toBe(false);
    expect(() => summary(new Sequential(new Linear(2, 2)), [1, 3])).toThrow(
      "takes [..., 2], got shape [1, 3]",
    );
    expect(() => summary(tanh as unknown as Module, [1])).toThrow(ValueError);
  });

  test("takes tensors, several inputs, results of several parts, and calls that come twice or never", () => {
    class Two extends Module {
      readonly shared = new Linear(2, 2, { bias: false });
      readonly unused = new Linear(2, 2);
      forward(x: Tensor, y: Tensor): { out: Tensor; parts: Tensor[] } {
        const h = this.shared.forward(x);
        return { out: this.shared.forward(h), parts: [y] };
      }
    }
    const found = summary(new Two(), [zeros([1, 2]), zeros([3])]);
    expect(found.rows.map(({ outputs, flops }) => [outputs, flops])).toEqual([
      [[[1, 2], [3]], 16],
      [[[1, 2]], 16],
      [[], 0],
    ]);
    expect(String(found)).toContain("unused: Linear  -");
    expect(summary(new Embedding(5, 4), [2, 3], { dtype: "int32" }).rows[0]!.outputs).toEqual([[2, 3, 4]]);
    expect(summary(new Linear(1, 1), tensor([[1]])).flops).toBe(3);
  });
});
