import {
  defaultGenerator,
  explainNonFinite,
  manualSeed,
  NonFinite,
  relu,
  type Tensor,
  tensor,
} from "@cotangent/autograd";
import {
  Adam,
  type Batch,
  DivergenceError,
  Dropout,
  type FitOptions,
  fit,
  Linear,
  Module,
  Parameter,
  Sequential,
  SGD,
} from "@cotangent/nn";
import { batches, TensorDataset } from "@cotangent/nn/data";
import { mse } from "@cotangent/nn/loss";
import { describe, expect, test } from "vitest";

const line = [tensor([[1], [2], [3]]), tensor([[2], [4], [6]])] as const;

async function divergence(training: AsyncIterable<unknown>): Promise<DivergenceError> {
  try {
    for await (const _ of training);
  } catch (error) {
    if (error instanceof DivergenceError) return error;
    throw error;
  }
  throw new Error("it did not diverge");
}

class Root extends Module {
  readonly layer = new Linear(1, 1, { bias: false });
  forward(x: Tensor): Tensor {
    return this.layer.forward(x).sqrt();
  }
}

class Rows extends Module {
  readonly weight = new Parameter(tensor([1, 0, 1]));
  forward(x: Tensor): Tensor {
    return this.weight.at(x);
  }
}

for (const compile of [false, true])
  describe(`fit with explain, ${compile ? "compiled" : "plain"}`, () => {
    const settings = { compile, explain: explainNonFinite } as const;

    test("a learning rate that is too high: an overflow, steps before the loss is NaN", async () => {
      manualSeed(1);
      const model = new Linear(1, 1);
      const optimizer = new SGD(model.parameters(), { lr: 10 });
      const error = await divergence(fit(model, line, { ...settings, loss: mse, optimizer, epochs: 99 }));
      expect(error.origin).toBeInstanceOf(NonFinite);
      expect(error.origin).toMatchObject({ phase: "forward", op: "square", value: Infinity });
      const step = /it begins in step (\d+):\nforward: square gives Infinity/.exec(error.message);
      expect(Number(step?.[1])).toBeLessThan(error.step);
      expect(error.message.endsWith(String(error.origin))).toBe(true);
      expect(error.message).toMatch(/overflow: .* smaller learning rate$/);
    });

    test("log of 0 in the loss, at the user's line", async () => {
      const model = new Linear(1, 1, { bias: false });
      model.weight.assign(tensor([[1]]));
      const optimizer = new SGD(model.parameters(), { lr: 0.001 });
      const loss = (p: Tensor, y: Tensor) => y.mul(relu(p).log()).mean();
      const zero = [tensor([[0], [1]]), tensor([[0], [1]])] as const;
      const data = (epoch: number) => [epoch === 4 ? zero : line];
      const error = await divergence(fit(model, data, { ...settings, loss, optimizer, epochs: 9 }));
      expect(error).toMatchObject({ step: 4, epoch: 4 });
      expect(error.origin).toMatchObject({ phase: "forward", op: "log", index: [0, 0], operands: [0] });
      expect(error.message).toMatch(
        /step 4 \(epoch 4, batch 1\); it begins in that step:\nforward: log gives/,
      );
      expect(error.message).toMatch(/made at .*divergence\.test\.ts:\d+/);
    });

    test("NaN in the data, with the place in all of them", async () => {
      const x = tensor([[1], [2], [3], [4], [Number.NaN], [6]]);
      const dataset = new TensorDataset(x, x.mul(2));
      const model = new Linear(1, 1);
      const optimizer = new Adam(model.parameters(), { lr: 0.01 });
      const data = batches(dataset, { batchSize: 2 });
      const error = await divergence(fit(model, data, { ...settings, loss: mse, optimizer, epochs: 3 }));
      expect(error).toMatchObject({ step: 3, epoch: 1 });
      expect(error.origin).toMatchObject({ phase: "forward", op: "data", value: Number.NaN });
      expect(error.message).toContain("look at the data");
    });

    test("a derivative that is not finite, in the step before", async () => {
      const model = new Root();
      model.layer.weight.assign(tensor([[1]]));
      const optimizer = new SGD(model.parameters(), { lr: 0.01 });
      const one = [tensor([[1]]), tensor([[1.5]])] as const;
      const zero = [tensor([[0]]), tensor([[1]])] as const;
      // Of two epochs: what the steps before the last one were is remembered beyond the end of an epoch.
      const data = (epoch: number) => (epoch === 1 ? [one, one, zero] : [one]);
      const error = await divergence(fit(model, data, { ...settings, loss: mse, optimizer, epochs: 2 }));
      expect(error.step).toBe(4);
      expect(error.origin).toMatchObject({ phase: "backward", op: "sqrt", operands: [0] });
      expect(error.message).toContain("at step 4 (epoch 2, batch 1); it begins in step 3:\nbackward: ");
    });

    test("a parameter that was spoiled many steps ago, and not used since", async () => {
      const model = new Rows();
      const optimizer = new SGD(model.parameters(), { lr: 0.01 });
      const row = (i: number) => [tensor([i], { dtype: "int32" }), tensor([1])] as const;
      const data = (epoch: number) => [row(epoch === 2 || epoch === 9 ? 1 : 0), row(2)];
      const loss = (p: Tensor, y: Tensor) => p.sqrt().mul(y).sum();
      const error = await divergence(fit(model, data, { ...settings, loss, optimizer, epochs: 9 }));
      expect(error.message).toMatch(/at step 17 \(epoch 9, batch 1\); it begins in step 3:\nbackward: /);
      expect(error.origin).toMatchObject({ op: "sqrt", operands: [0] });
    });

    test("a parameter that would be kept in a checkpoint, by its update", async () => {
      const model = new Linear(1, 1, { bias: false });
      model.weight.assign(tensor([[1]]));
      const optimizer = new SGD(model.parameters(), { lr: 1e38 });
      const checkpoint = { read: () => null, write: () => {} };
      const data = [tensor([[1000]]), tensor([[0]])] as const;
      const error = await divergence(
        fit(model, data, { ...settings, loss: mse, optimizer, epochs: 2, checkpoint }),
      );
      expect(error.message).toMatch(
        /^fit: parameter weight has become NaN or infinite at step 1 .*left as it was; it begins in that step:\nupdate: mul gives/,
      );
      expect(error.origin).toMatchObject({ phase: "update", op: "mul" });
      expect(error.origin!.remedy).toContain("smaller learning rate");
    });

    test("nothing else is changed: no bit of a healthy training, nor what a failed one leaves", async () => {
      const results: unknown[] = [];
      for (const explain of [undefined, explainNonFinite]) {
        manualSeed(3);
        const model = new Sequential(new Linear(1, 4), new Dropout(0.5), new Linear(4, 1));
        const optimizer = new Adam(model.parameters(), { lr: 0.1 });
        const seen: number[] = [];
        const data = (epoch: number): Batch[] => [
          line,
          epoch === 20 ? [line[0], tensor([[1], [NaN], [1]])] : line,
        ];
        const options: FitOptions = { compile, loss: mse, optimizer, epochs: 99 };
        const training = fit(model, data, explain ? { ...options, explain } : options);
        training.watch(({ loss }) => seen.push(loss));
        const error = await divergence(training);
        if (explain) expect(error.origin).toMatchObject({ op: "data", index: [1, 0] });
        const { counter } = defaultGenerator.state;
        results.push([
          seen,
          model.parameters().map(String),
          String(counter),
          Object.entries(optimizer.stateDict()).map(String),
        ]);
        expect(seen.length).toBe(39);
      }
      expect(results[1]).toEqual(results[0]);
    });

    test("steps that do not go as before are not explained", async () => {
      const model = new Linear(1, 1);
      const optimizer = new SGD(model.parameters(), { lr: 0.01 });
      let calls = 0;
      const options: FitOptions = { ...settings, loss: mse, optimizer, epochs: 5 };
      const data = (epoch: number) => [
        line,
        line,
        epoch === 3 ? ([line[0], tensor([[NaN], [0], [0]])] as const) : line,
      ];
      const training = fit(model, data, options);
      // A listener that changes what the trail does not know of.
      training.watch(() => {
        if (++calls === 7) model.weight.assign(tensor([[7]]));
      });
      const error = await divergence(training);
      expect(error.origin).toBeNull();
      expect(error.message).toContain("do not go as before");
    });
  });

test("without explain the error says how to be told", async () => {
  const model = new Linear(1, 1);
  const optimizer = new SGD(model.parameters(), { lr: 10 });
  const error = await divergence(fit(model, line, { loss: mse, optimizer, epochs: 99 }));
  expect(error.origin).toBeNull();
  expect(error.message).toMatch(
    /try a smaller learning rate, or pass explain: explainNonFinite to be told where it begins$/,
  );
});
