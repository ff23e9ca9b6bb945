import {
  allclose,
  checkGradient,
  compile,
  Generator,
  manualSeed,
  normal,
  ShapeError,
  type Tensor,
  tensor,
  ValueError,
  zeros,
} from "@cotangent/autograd";
import { Adam, GRU, GRUCell, Linear, LSTM, LSTMCell, Module, RNN, RNNCell } from "@cotangent/nn";
import { mse } from "@cotangent/nn/loss";
import { describe, expect, test } from "vitest";

const generator = () => new Generator(3);

describe("recurrent networks", () => {
  const networks = { RNN, GRU, LSTM };
  const cells = { RNN: RNNCell, GRU: GRUCell, LSTM: LSTMCell };

  test.each(["RNN", "GRU", "LSTM"] as const)(
    "%s starts at 0 unless told otherwise, and takes one sequence",
    (kind) => {
      const model = new networks[kind](2, 3, { generator: generator() });
      const x = normal([4, 2, 2], { generator: generator() }) as Tensor;
      const first = zeros([1, 2, 3]) as Tensor;
      const given = kind === "LSTM" ? [first, first] : first;
      const [output] = model.forward(x);
      expect((model.forward as (x: Tensor, h: unknown) => [Tensor, unknown])(x, given)[0].toArray()).toEqual(
        output.toArray(),
      );
      const [single] = model.forward(x.slice(0, 1, { axis: 1 }).squeeze(1) as Tensor);
      expect(single.shape).toEqual([4, 3]);
      const alone = output.slice(0, 1, { axis: 1 }).squeeze(1);
      single.toTypedArray().forEach((value, i) => {
        expect(value).toBeCloseTo(alone.toTypedArray()[i]!, 6);
      });
    },
  );

  test.each(["RNN", "GRU", "LSTM"] as const)("%s goes through the steps as its cell does", (kind) => {
    const model = new networks[kind](2, 3, { generator: generator() });
    const cell = new cells[kind](2, 3);
    const state = model.stateDict();
    cell.loadStateDict(
      Object.fromEntries(Object.entries(state).map(([name, x]) => [name.replace("_l0", ""), x])),
    );
    const x = normal([3, 2, 2]) as Tensor;
    let carried: unknown;
    for (const step of x.unbind())
      carried = (cell.forward as (x: Tensor, h: unknown) => unknown)(step, carried);
    const [, last] = model.forward(x);
    const [mine, theirs] = [carried, last].map((s) => (Array.isArray(s) ? s : [s]) as Tensor[]);
    expect(mine!.map((s) => s.toArray())).toEqual(theirs!.map((s) => s.squeeze(0).toArray()));
  });

  test("are the same compiled as interpreted", () => {
    const model = new GRU(2, 3, { numLayers: 2, bidirectional: true });
    const x = normal([4, 2, 2]) as Tensor;
    const step = compile((y: Tensor) => model.forward(y));
    expect(step(x).map((y) => y.toArray())).toEqual(model.forward(x).map((y) => y.toArray()));
  });

  test("have the right gradients for inputs and states", () => {
    const model = new LSTM(2, 2, { dtype: "float64", bidirectional: true, projSize: 1 });
    const [x, h, c] = [
      [3, 2, 2],
      [2, 2, 1],
      [2, 2, 2],
    ].map((shape) => normal(shape, { dtype: "float64" }) as Tensor);
    const f = (y: Tensor, s: Tensor, t: Tensor): Tensor => {
      const [output, [last]] = model.forward(y, [s, t]);
      return output.sum().add(last.square().sum()) as Tensor;
    };
    const report = checkGradient(f, [x!, h!, c!]);
    expect(report.pass, String(report)).toBe(true);
  });

  test.each(["RNN", "GRU", "LSTM"] as const)("%s of several lengths runs each sequence alone", (kind) => {
    const model = new networks[kind](2, 3, { numLayers: 2, bidirectional: true, batchFirst: true });
    type Run = (x: Tensor, h?: unknown, options?: object) => [Tensor, Tensor | Tensor[]];
    const run = model.forward.bind(model) as Run;
    const x = normal([3, 5, 2]) as Tensor;
    const step = compile((y: Tensor, lengths: Tensor) => run(y, undefined, { lengths }));
    for (const lengths of [
      [5, 1, 3],
      [2, 4, 4],
    ]) {
      const [output, last] = run(x, undefined, { lengths });
      const states = [last].flat();
      const compiled = step(x, tensor(lengths, { dtype: "int32" }));
      expect(JSON.stringify(compiled)).toBe(JSON.stringify([output, last]));
      lengths.forEach((length, i) => {
        const [alone, end] = run(x.slice(i, i + 1).slice(0, length, { axis: 1 }) as Tensor);
        expect(allclose(output.at(i, { end: length }), alone.squeeze(0), { atol: 1e-6 })).toBe(true);
        expect(output.at(i, { start: length }).eq(0).all().item()).toBe(1);
        [end].flat().forEach((state, k) => {
          expect(allclose(states[k]!.at(null, i), state.squeeze(1), { atol: 1e-6 })).toBe(true);
        });
      });
    }
    expect(step.explain()).toContain("2 calls, 1 trace,");
  });

  test("drop outputs between layers in training only, anew at each call of a compiled step", () => {
    manualSeed(1);
    const model = new RNN(2, 16, { numLayers: 2, dropout: 0.5 });
    const x = normal([3, 2, 2]) as Tensor;
    const step = compile((y: Tensor) => model.forward(y)[0]);
    expect(step(x).toArray()).not.toEqual(step(x).toArray());
    model.eval();
    expect(step(x).toArray()).toEqual(step(x).toArray());
    const whole = new RNN(2, 16, { numLayers: 2 });
    whole.loadStateDict(model.stateDict());
    expect(whole.forward(x)[0].toArray()).toEqual(model.forward(x)[0].toArray());
  });

  test("refuse what does not fit", () => {
    const model = new LSTM(2, 3, { batchFirst: true });
    expect(() => model.forward(zeros([5, 4, 3]))).toThrow(
      "LSTM(2, 3): takes [n, steps, 2] or [steps, 2] with at least one step, got shape [5, 4, 3]",
    );
    expect(() => model.forward(zeros([5, 0, 2]))).toThrow(ShapeError);
    expect(() => model.forward(zeros([5, 4, 2]), [zeros([1, 4, 3]), zeros([1, 5, 3])])).toThrow(
      "the first state has shape [1, 4, 3]; it must be [1, 5, 3]",
    );
    expect(() => model.forward(zeros([5, 4, 2]), zeros([1, 5, 3]) as never)).toThrow("a pair [h, c]");
    const [x, gru] = [zeros([4, 3, 2]), new GRU(2, 3)];
    const of = (lengths: unknown) => () => gru.forward(x, undefined, { lengths: lengths as number[] });
    expect(of([1, 2])).toThrow("GRU(2, 3): lengths have shape [2]; there are 3 examples");
    expect(of([1, 2, 5])).toThrow("GRU(2, 3): one of the lengths is 5; there are 4 places");
    expect(of([1, 2, 0.5])).toThrow("one of the lengths is a whole number of at least 0, got 0.5");
    expect(of(tensor([1, 2, 3]))).toThrow("GRU(2, 3): lengths are int32, got float32");
    expect(of(2)).toThrow("GRU(2, 3): lengths are a list of whole numbers or a tensor, got 2");
    expect(() => gru.forward(zeros([4, 2]), undefined, { lengths: [4] })).toThrow(
      "GRU(2, 3): lengths are those of a batch, and x is one sequence; slice it",
    );
    expect(() => gru.forward(x, undefined, { length: [1] } as never)).toThrow("there is no option length;");
    expect(() => new LSTM(2, 3, { projSize: 3 })).toThrow("projSize is a whole number below hiddenSize");
    expect(() => new RNN(2, 3, { nonlinearity: "sigmoid" as never })).toThrow(
      'nonlinearity is "tanh" or "relu"',
    );
    expect(() => new GRU(0, 3)).toThrow("GRU: inputSize is a whole number of at least 1, got 0");
    expect(() => new GRU(2, 3, { dropout: 2 })).toThrow(ValueError);
    expect(() => new GRUCell(2, 3).forward(zeros([4, 3]))).toThrow(
      "GRUCell(2, 3): takes [n, 2] or [2], got shape [4, 3]",
    );
    expect(() => new LSTMCell(2, 3).forward(zeros([2]), [zeros([4]), zeros([3])])).toThrow(
      "takes a state [3]",
    );
  });

  test("learn what was five steps ago", async () => {
    class Echo extends Module {
      readonly memory = new LSTM(1, 16, { generator: generator() });
      readonly head = new Linear(16, 1, { generator: generator() });
      forward(x: Tensor): Tensor {
        return this.head.forward(this.memory.forward(x)[0]);
      }
    }
    const model = new Echo();
    const optimizer = new Adam(model.parameters(), { lr: 0.02 });
    const [steps, batch, delay] = [12, 16, 5];
    const source = generator();
    const step = compile(() => {
      const x = normal([steps, batch, 1], { generator: source }) as Tensor;
      const out = model.forward(x).slice(delay, steps);
      const loss = mse(out, x.slice(0, steps - delay));
      optimizer.step(loss);
      return loss;
    });
    const first = step().item();
    let last = first;
    for (let i = 0; i < 400; i++) last = step().item();
    expect(first).toBeGreaterThan(0.8);
    expect(last).toBeLessThan(0.25);
  });
});
