import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  add,
  CompileError,
  defaultGenerator,
  explainNonFinite,
  FormatError,
  Generator,
  IndexError,
  manualSeed,
  mul,
  permutation,
  relu,
  StateError,
  type Tensor,
  tanh,
  tensor,
  uniform,
  ValueError,
  variable,
  zeros,
} from "@cotangent/autograd";
import {
  Adam,
  AdamWScheduleFree,
  Buffer as Average,
  type Batch,
  type CheckpointInterval,
  type CheckpointStore,
  DivergenceError,
  Dropout,
  Embedding,
  type Epoch,
  earlyStopping,
  type FitOptions,
  fit,
  LBFGS,
  Linear,
  Module,
  Sequential,
  SGD,
  type TrainingData,
  validate,
} from "@cotangent/nn";
import { batches, map, moons, Subset, TensorDataset } from "@cotangent/nn/data";
import { Normal } from "@cotangent/nn/distributions";
import { bceWithLogits, crossEntropy, mse } from "@cotangent/nn/loss";
import { accuracy, r2Score } from "@cotangent/nn/metrics";
import { checkpointFile, interruptible, progress, writeFileAtomically } from "@cotangent/nn/node";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

class Memory implements CheckpointStore {
  bytes: Uint8Array | null = null;
  writes = 0;
  read(): Uint8Array | null {
    return this.bytes;
  }
  write(parts: Iterable<Uint8Array>): void {
    this.bytes = Buffer.concat([...parts]);
    this.writes++;
  }
}

/** Draws from the standard generator and from its own, and remembers a running mean. */
class Noisy extends Module {
  readonly layers = new Sequential(new Linear(2, 5), tanh, new Dropout(0.2), new Linear(5, 1));
  readonly mean = new Average(zeros([2]));
  readonly generator = new Generator(8);

  forward(x: Tensor): Tensor {
    if (!this.training) return this.layers.forward(x);
    this.mean.assign(add(mul(this.mean, 0.9), mul(x.mean(0), 0.1)));
    const scaled = x.mul(uniform([2], { low: 0.9, high: 1.1, generator: this.generator }));
    return this.layers.forward(scaled.add(uniform([2], { high: 0.1 })));
  }
}

const { x, y } = moons({ count: 23, seed: 3 });
const set = new TensorDataset(x, y);

/** All that a training ends with, to the bit. */
interface Outcome {
  readonly losses: (number | undefined)[];
  readonly state: string;
}

interface Settings {
  readonly epochs: number;
  readonly compile: boolean;
  readonly checkpoint?: CheckpointStore;
  readonly checkpointEvery?: CheckpointInterval;
  /** Steps after which it is interrupted. */
  readonly stopAfter?: number;
  /** Steps after which it dies, and keeps nothing. */
  readonly dieAfter?: number;
}

class Death extends Error {}

const loss = bceWithLogits as (prediction: Tensor, target: Tensor) => Tensor;

/** A training with chance everywhere: in the start, the order of the data, the data, and the model. */
async function train({ stopAfter, dieAfter, ...settings }: Settings): Promise<Outcome> {
  // What is resumed begins in another way: the checkpoint has to say it all.
  manualSeed(settings.checkpoint?.read() ? 99 : 5);
  const model = new Noisy();
  const optimizer = new Adam(model.parameters(), { lr: 0.05 });
  const noise = new Generator(4);
  const data = (epoch: number) => {
    // Every other epoch is shuffled by a generator rather than by its number.
    const examples =
      epoch % 2 === 0 ? new Subset(set, permutation(23, { generator: noise }).toTypedArray()) : set;
    const ordered = batches(examples, { batchSize: 5, shuffle: epoch % 2 === 1, seed: 2 });
    return map(ordered(epoch), ([a, b]): Batch => [a.add(uniform([2], { high: 0.1, generator: noise })), b]);
  };
  const controller = new AbortController();
  const training = fit(model, data, {
    ...settings,
    loss,
    optimizer,
    validation: batches(set),
    metrics: { accuracy: (p, t) => accuracy(p, t, { threshold: 0 }) },
    state: { noise, drawn: model.generator },
    signal: controller.signal,
  });
  let steps = 0;
  training.watch(() => {
    if (++steps === stopAfter) controller.abort();
    if (steps === dieAfter) throw new Death();
  });
  for await (const { epoch } of training) if (epoch === 2) optimizer.lr = 0.01;
  const parts = { ...model.stateDict(), ...optimizer.stateDict(), ...defaultGenerator.state, ...noise.state };
  const state = Object.entries(parts).map(([name, t]) => [name, t.toArray()]);
  return {
    losses: training.history.flatMap((e) => [e.loss, e.validation?.loss, e.validation?.accuracy]),
    state: JSON.stringify([state, model.generator.state.counter.item()]),
  };
}

describe("a training that is interrupted and resumed", () => {
  test.each([false, true])("ends with the bits of one that was not (compiled: %s)", async (compile) => {
    const straight = await train({ epochs: 4, compile });
    expect(straight.losses.length).toBe(12);
    for (const stops of [[1], [4], [5], [3, 4, 2], [10, 1, 1, 5]]) {
      const checkpoint = new Memory();
      for (const stopAfter of stops) await train({ epochs: 4, compile, checkpoint, stopAfter });
      expect(await train({ epochs: 4, compile, checkpoint })).toEqual(straight);
    }
  });

  test.each([false, true])(
    "ends with them after a sudden death too, from the last step that was kept (compiled: %s)",
    async (compile) => {
      const straight = await train({ epochs: 4, compile });
      // An epoch has 5 steps: sometimes its last one is kept. Nothing is kept twice, or it would not have been taken up.
      for (const [checkpointEvery, writes] of [
        [{ steps: 1 }, 21],
        [{ steps: 3 }, 7],
        [{ steps: 5 }, 5],
        [{ steps: 4, epochs: 1 }, 9],
      ] as const) {
        const checkpoint = new Memory();
        const settings = { epochs: 4, compile, checkpoint, checkpointEvery };
        for (const dieAfter of [1, 4, 5, 6, 3])
          await expect(train({ ...settings, dieAfter })).rejects.toThrow(Death);
        expect(await train(settings), JSON.stringify(checkpointEvery)).toEqual(straight);
        expect(checkpoint.writes, JSON.stringify(checkpointEvery)).toBe(writes);
      }
    },
  );

  test("wherever it stops", async () => {
    const straight = await train({ epochs: 3, compile: false });
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 4 }), async (stops) => {
        const checkpoint = new Memory();
        for (const stopAfter of stops) await train({ epochs: 3, compile: false, checkpoint, stopAfter });
        expect(await train({ epochs: 3, compile: false, checkpoint })).toEqual(straight);
      }),
      { numRuns: 10 },
    );
  });

  test("may be given more epochs, and does nothing when it is over", async () => {
    const checkpoint = new Memory();
    await train({ epochs: 2, compile: false, checkpoint });
    const straight = await train({ epochs: 3, compile: false });
    expect(await train({ epochs: 3, compile: false, checkpoint })).toEqual(straight);
    const { writes } = checkpoint;
    expect(await train({ epochs: 3, compile: false, checkpoint })).toEqual(straight);
    expect(checkpoint.writes).toBe(writes);
  });
});

/** A small training whose parts a test can look at. */
function small(settings: Partial<FitOptions> & { readonly lr?: number } = {}) {
  const { lr = 0.1, ...options } = settings;
  const layer = new Linear(1, 1, { bias: false });
  layer.weight.assign(tensor([[1]]));
  const optimizer = new SGD(layer.parameters(), { lr });
  return { layer, optimizer, options: { loss: mse, optimizer, epochs: 3, ...options } as FitOptions };
}
const batch = (...xs: number[]): Batch => {
  const column = tensor(xs.map((value) => [value]));
  return [xs.length > 0 ? column : zeros([0, 1]), xs.length > 0 ? column.mul(2) : zeros([0, 1])];
};
const collect = async (epochs: AsyncIterable<Epoch>): Promise<Epoch[]> => {
  const found: Epoch[] = [];
  for await (const epoch of epochs) found.push(epoch);
  return found;
};

describe("checkpoints of fit", () => {
  test("are made after the loop's body, at the end, and when the loop is left", async () => {
    const checkpoint = new Memory();
    const { layer, options } = small({ checkpoint, checkpointEvery: 2, epochs: 5 });
    const seen: number[] = [];
    for await (const { epoch } of fit(layer, batch(1, 2), options)) {
      seen.push(checkpoint.writes);
      if (epoch === 4) layer.weight.assign(tensor([[7]]));
    }
    expect([...seen, checkpoint.writes]).toEqual([0, 0, 1, 1, 2, 3]);
    const left = new Memory();
    const again = small({ checkpoint: left, checkpointEvery: 9 });
    for await (const _ of fit(again.layer, batch(1, 2), again.options)) break;
    expect(left.writes).toBe(1);
  });

  test("are made after so many steps of all epochs, before the next batch", async () => {
    const writesWith = async (checkpointEvery: CheckpointInterval): Promise<number[]> => {
      const checkpoint = new Memory();
      const { layer, options } = small({ checkpoint, checkpointEvery, epochs: 2 });
      const seen: number[] = [];
      function* data() {
        for (let i = 0; i < 3; i++) {
          seen.push(checkpoint.writes);
          yield batch(1);
        }
      }
      for await (const _ of fit(layer, data, options)) seen.push(checkpoint.writes);
      return [...seen, checkpoint.writes];
    };
    // For each epoch: before its batches, and in the loop's body. The last one is made at the end.
    expect(await writesWith({ steps: 2 })).toEqual([0, 0, 1, 1, 1, 2, 2, 3, 4]);
    expect(await writesWith({ steps: 2, epochs: 1 })).toEqual([0, 0, 1, 1, 2, 3, 3, 4, 5]);
    expect(await writesWith({ steps: 9 })).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 1]);
  });

  test("in the middle of an epoch never keep parameters that are not finite", async () => {
    const checkpoint = new Memory();
    const { layer, options } = small({ checkpoint, checkpointEvery: { steps: 1 }, lr: 1e38, epochs: 1 });
    const training = collect(fit(layer, [batch(1000), batch(1)], options));
    await expect(training).rejects.toThrow("parameter weight has become NaN or infinite at step 1 (epoch 1");
    expect(checkpoint.writes).toBe(0);
  });

  test("are left alone by a training that diverges, and resume", async () => {
    const checkpoint = new Memory();
    const { layer, options } = small({ checkpoint, epochs: 9 });
    const data = (epoch: number): Batch[] => [batch(1), batch(epoch === 3 ? Number.NaN : 1)];
    const error = await collect(fit(layer, data, options)).catch((reason) => reason);
    expect(error).toBeInstanceOf(DivergenceError);
    expect(error).toMatchObject({
      step: 6,
      epoch: 3,
      message: expect.stringContaining("the loss is NaN at step 6 (epoch 3, batch 2)"),
    });
    const again = small({ checkpoint, epochs: 9 });
    const epochs = await collect(fit(again.layer, batch(1), again.options));
    expect(epochs.map(({ epoch }) => epoch)).toEqual([3, 4, 5, 6, 7, 8, 9]);
    expect(again.layer.weight.item()).toBeGreaterThan(1.9);
  });

  test("never keep parameters that are not finite", async () => {
    const checkpoint = new Memory();
    // The loss is finite at each step, and the last one makes the weight infinite.
    const { layer, options } = small({ checkpoint, lr: 1e38, epochs: 1 });
    const training = collect(fit(layer, batch(1000), options));
    await expect(training).rejects.toThrow(DivergenceError);
    await expect(training).rejects.toThrow(
      "fit: parameter weight has become NaN or infinite at step 1 (epoch 1, batch 1)",
    );
    expect(checkpoint.writes).toBe(0);
  });

  test("of another training, or damaged, are refused and change nothing", async () => {
    const checkpoint = new Memory();
    const first = small({ checkpoint });
    await collect(fit(first.layer, batch(1), first.options));
    const bytes = checkpoint.bytes!;
    const model = new Sequential(new Linear(1, 1), new Linear(1, 1));
    const before = JSON.stringify(model.stateDict());
    const optimizer = new SGD(model.parameters(), { lr: 0.3 });
    const other = () => collect(fit(model, batch(1), { ...first.options, optimizer }));
    await expect(other()).rejects.toThrow("Sequential: the state dict does not fit, and nothing was loaded");
    checkpoint.bytes = bytes.subarray(0, bytes.length - 1);
    await expect(other()).rejects.toThrow(FormatError);
    checkpoint.bytes = Buffer.from(
      Buffer.from(bytes).toString("latin1").replace('"epoch\\":4', '"epoch\\":x'),
      "latin1",
    );
    await expect(other()).rejects.toThrow("what it says of the training is not JSON");
    checkpoint.bytes = Buffer.from(
      Buffer.from(bytes).toString("latin1").replace('epoch\\":4', 'apoch\\":4'),
      "latin1",
    );
    await expect(other()).rejects.toThrow("it does not say where the training stands");
    expect(JSON.stringify(model.stateDict())).toBe(before);
    expect([optimizer.lr, optimizer.stepCount.item()]).toEqual([0.3, 0]);
  });

  test("say so when the data are others", async () => {
    const checkpoint = new Memory();
    const controller = new AbortController();
    const first = small({ checkpoint, signal: controller.signal });
    const training = fit(first.layer, [batch(1), batch(1), batch(1)], first.options);
    training.watch(({ step }) => step === 2 && controller.abort());
    await collect(training);
    const again = small({ checkpoint });
    await expect(collect(fit(again.layer, [batch(1)], again.options))).rejects.toThrow(StateError);
    await expect(collect(fit(again.layer, [batch(1)], again.options))).rejects.toThrow(
      "the checkpoint stands behind batch 2 of epoch 1, which has 1",
    );
  });

  test("keep the mode of an optimizer, whose evaluated parameters the loop sees", async () => {
    const run = async (checkpoint: Memory, dieAfter?: number) => {
      manualSeed(3);
      const model = new Sequential(new Linear(2, 4), tanh, new Dropout(0.3), new Linear(4, 1));
      const optimizer = new AdamWScheduleFree(model.parameters(), { lr: 0.05, warmupSteps: 4 });
      const data = batches(set, { batchSize: 6, shuffle: true });
      const validation = batches(set);
      const training = fit(model, data, {
        loss,
        optimizer,
        validation,
        checkpoint,
        epochs: 3,
        checkpointEvery: { steps: 3 },
      });
      let steps = 0;
      training.watch(() => {
        expect(optimizer.training).toBe(true);
        if (++steps === dieAfter) throw new Death();
      });
      for await (const epoch of training) {
        expect(optimizer.training).toBe(false);
        expect((await validate(model, validation, { loss })).loss).toBe(epoch.validation!.loss);
      }
      return [training.history.map((e) => [e.loss, e.validation!.loss]), JSON.stringify(model.stateDict())];
    };
    const [straight, checkpoint] = [await run(new Memory()), new Memory()];
    for (const dieAfter of [5, 3, 2]) await expect(run(checkpoint, dieAfter)).rejects.toThrow(Death);
    expect(await run(checkpoint)).toEqual(straight);
    expect(checkpoint.writes).toBe(5);
  });

  test("keep what an optimizer remembers that steps between the epochs", async () => {
    const run = async (checkpoint: Memory, epochs: number) => {
      const { layer, options } = small({ checkpoint, epochs, lr: 0.01 });
      const polish = new LBFGS(layer.parameters(), { maxIter: 2, lr: 0.1 });
      const [a, b] = batch(1, 3);
      for await (const _ of fit(layer, batch(1, 2), { ...options, state: { polish } }))
        polish.step(() => mse(layer.forward(a).square(), b));
      return [layer.weight.item(), JSON.stringify(polish.stateDict())];
    };
    const checkpoint = new Memory();
    for (const epochs of [0, 1, 2]) await run(checkpoint, epochs);
    expect(await run(checkpoint, 4)).toEqual(await run(new Memory(), 4));
  });

  test("keep variables that are no part of the model", async () => {
    const checkpoint = new Memory();
    const make = () => {
      const w = variable([[1]]);
      const model = (input: Tensor): Tensor => input.matmul(w);
      return {
        w,
        model,
        options: { loss: mse, optimizer: new SGD([w], { lr: 0.1 }), epochs: 2, checkpoint },
      };
    };
    const [one, other] = [make(), make()];
    await collect(fit(one.model, batch(1), one.options));
    await collect(fit(other.model, batch(1), other.options));
    expect(other.w.item()).toBe(one.w.item());
    expect(other.w.item()).not.toBe(1);
  });
});

describe("fit", () => {
  test("passes over empty batches and takes shorter ones, compiled too", async () => {
    for (const compile of [false, true]) {
      const { layer, options } = small({ epochs: 1, compile });
      const [epoch] = await collect(fit(layer, [batch(1, 2, 3), batch(), batch(4)], options));
      expect(epoch).toMatchObject({ steps: 2, examples: 4 });
    }
  });

  test("tells compile how to", async () => {
    const { layer, options } = small({ epochs: 1, compile: { check: true } });
    let scale = 1;
    const model = new Sequential(layer, (h: Tensor) => h.mul(scale++));
    await expect(collect(fit(model, [batch(1), batch(2)], options))).rejects.toThrow(CompileError);
    for (const compile of [1, "relaxed", null, { relax: true }])
      expect(() => fit(layer, batch(1), { ...options, compile } as never)).toThrow(ValueError);
    for (const [compile, shown] of [
      ["relaxed", '"relaxed"'],
      [() => true, "function"],
    ])
      expect(() => fit(layer, batch(1), { ...options, compile } as never)).toThrow(
        `fit: compile is true or false, or tells how to, as { relaxed: true } does, got ${shown}`,
      );
  });

  test("is stopped before its first step by a signal that is aborted already", async () => {
    const checkpoint = new Memory();
    const { layer, options } = small({ signal: AbortSignal.abort(), checkpoint });
    expect(await collect(fit(layer, batch(1), options))).toEqual([]);
    expect([layer.weight.item(), checkpoint.writes]).toEqual([1, 0]);
  });

  test("tells how good the model is on other data, in evaluation mode", async () => {
    const { layer, options } = small({
      validation: [batch(1), batch(2, 3)],
      metrics: { r2Score },
      epochs: 1,
    });
    const modes: boolean[] = [];
    const model = new Sequential(layer, (h: Tensor) => {
      modes.push(model.training);
      return h;
    });
    const [epoch] = await collect(fit(model, batch(1), options));
    const error = (2 - layer.weight.item()) ** 2;
    expect(epoch!.validation!.loss).toBeCloseTo((error * (1 + 4 + 9)) / 3, 5);
    expect(epoch!.validation!.r2Score).toBeCloseTo(1 - (error * 14) / 8, 5);
    expect(modes).toEqual([true, false, false]);
    expect(model.training).toBe(true);
    await expect(validate(model, [batch()], { loss: mse })).rejects.toThrow(
      "validate: there are no examples",
    );
    await expect(validate(model, batch(1), { loss: mse, metric: {} } as never)).rejects.toThrow(
      "validate: there is no option metric; the options are loss, metrics",
    );
    await expect(validate(model, batch(1), { loss: mse, metrics: { loss: r2Score } })).rejects.toThrow(
      ValueError,
    );
  });

  test.each([false, true])(
    "takes a model that gives several tensors, or a distribution (compiled: %s)",
    async (compile) => {
      class Coder extends Module {
        readonly encoder = new Linear(2, 4);
        readonly decoder = new Linear(2, 2);
        forward(x: Tensor) {
          const [loc, raw] = this.encoder.forward(x).chunk(2, { axis: -1 });
          return { picture: this.decoder.forward(loc!), codes: [loc!, raw!.exp()] as const };
        }
      }
      manualSeed(5);
      const model = new Coder();
      const optimizer = new SGD(model.parameters(), { lr: 0.1 });
      const rows: number[][] = [];
      const options = { optimizer, epochs: 3, compile, validation: [[x, x] as const, [x, x] as const] };
      const epochs = await collect(
        fit(model, [x, x], {
          ...options,
          loss: ({ picture, codes: [loc] }, y) => mse(picture, y).add(loc.square().mean()),
          metrics: {
            rows: ({ picture, codes }, y) => {
              rows.push([picture, ...codes, y].map(({ shape }) => shape[0]!));
              return rows.length;
            },
          },
        }),
      );
      expect(epochs[2]!.loss).toBeLessThan(epochs[0]!.loss);
      expect(epochs.map(({ validation }) => validation!.rows)).toEqual([1, 2, 3]);
      const n = 2 * x.shape[0]!;
      expect(rows[0]).toEqual([n, n, n, n]);

      const normal = (h: Tensor) => new Normal(model.encoder.forward(h), 1);
      const loss = (d: Normal, y: Tensor) => d.logProb(y).mean().neg();
      const target = model.encoder.forward(x).add(1).detach();
      const [first, , third] = await collect(
        fit(normal, [x, target], { optimizer, epochs: 3, compile, loss }),
      );
      expect(third!.loss).toBeLessThan(first!.loss);
      await expect(validate(normal, [x, target], { loss, metrics: { one: () => 1 } })).rejects.toThrow(
        "validate: metrics are told all predictions at once, and these are not tensors",
      );
      expect((await validate(normal, [x, target], { loss })).loss).toBeLessThan(third!.loss);
    },
  );

  describe.each([false, true])("takes several inputs and several targets (compiled: %s)", (compile) => {
    /** What users think of things, by the products of their features. */
    class Taste extends Module {
      readonly users = new Embedding(5, 3);
      readonly things = new Embedding(4, 3);
      forward({ user, thing: [number, weight] }: { user: Tensor; thing: readonly [Tensor, Tensor] }) {
        const score = this.users.forward(user).mul(this.things.forward(number)).sum(1);
        return { rating: score, known: score.mul(weight) };
      }
    }
    type Seen = Batch<Parameters<Taste["forward"]>[0], { rating: Tensor; known: Tensor }>;
    const seen = new TensorDataset(
      tensor([0, 1, 2, 3, 4, 0, 1], { dtype: "int32" }),
      tensor([0, 1, 2, 3, 0, 1, 2], { dtype: "int32" }),
      tensor([1, 1, 2, 1, 1, 2, 1]),
      tensor([1, 0, 1, 0, 1, 0, 1]),
    );
    const data = (epoch: number) =>
      map(
        batches(seen, { batchSize: 3 })(epoch),
        ([user, number, weight, rating]): Seen => [
          { user, thing: [number, weight] },
          { rating, known: rating.mul(weight) },
        ],
      );
    const make = () => {
      manualSeed(6);
      const model = new Taste();
      const optimizer = new Adam(model.parameters(), { lr: 0.1 });
      const loss = (p: { rating: Tensor; known: Tensor }, y: Seen[1]) =>
        mse(p.rating, y.rating).add(mse(p.known, y.known));
      return { model, options: { loss, optimizer, compile } };
    };

    test("trains, validates and resumes", async () => {
      const { model, options } = make();
      const metrics = { rows: ({ known }: Seen[1], y: Seen[1]) => 100 * known.size + y.known.size };
      const history = await fit(model, data, { ...options, epochs: 20, validation: data, metrics });
      expect(history.map(({ steps, examples }) => [steps, examples])).toEqual(new Array(20).fill([3, 7]));
      expect(history.at(-1)!.loss).toBeLessThan(history[0]!.loss / 5);
      expect(history[0]!.validation!.rows).toBe(707);
      const [other, checkpoint] = [make(), new Memory()];
      const halves = { ...other.options, checkpoint, checkpointEvery: { steps: 1 } };
      await fit(other.model, data, { ...halves, epochs: 20, until: ({ length }) => length === 7 });
      await fit(other.model, data, { ...halves, epochs: 20 });
      expect(other.model.users.weight.toArray()).toEqual(model.users.weight.toArray());
    });

    test("takes one batch, or several in a list", async () => {
      const both = async (given: TrainingData<Seen[0], Seen[1]>) => {
        const { model, options } = make();
        return (await fit(model, given, { ...options, epochs: 1 }))[0]!.loss;
      };
      const all = [...data(1)];
      expect(await both(all)).toBe(await both(data));
      expect(await both(all[0]!)).toBe(await both([all[0]!]));
      const scale = variable(1);
      const pair = ([a, b]: readonly [Tensor, Tensor]) => a.mul(b).mul(scale);
      const [epoch] = await fit(pair, [[tensor([1, 2]), tensor([3, 4])], tensor([3, 9])], {
        loss: (p, y) => mse(p, y),
        optimizer: new SGD([scale], { lr: 1 }),
        epochs: 1,
        compile,
      });
      expect(epoch).toMatchObject({ examples: 2, loss: 0.5 });
    });

    test("says where a NaN begins", async () => {
      const { model, options } = make();
      const spoiled = { ...options, loss: (p: Seen[1], y: Seen[1]) => options.loss(p, y).sub(100).sqrt() };
      await expect(
        Promise.resolve(fit(model, data, { ...spoiled, epochs: 1, explain: explainNonFinite })),
      ).rejects.toThrow(/it begins in that step:\n.*sqrt/);
    });
  });

  test("goes through all epochs when it is awaited, and gives the history", async () => {
    const { layer, options } = small({ epochs: 3 });
    const training = fit(layer, batch(1), options);
    await training.next();
    const history = await training;
    expect(history.map(({ epoch }) => epoch)).toEqual([1, 2, 3]);
    expect(await training).toBe(history);
    expect(history).toBe(training.history);
    const output = { write: () => null };
    const again = small({ epochs: 2 });
    const drawn = progress(fit(again.layer, batch(1), again.options), { output });
    expect(await drawn).toHaveLength(2);
    expect(await drawn).toHaveLength(2);
    const third = small({ epochs: 2 });
    expect(
      await interruptible((signal) => fit(third.layer, batch(1), { ...third.options, signal })),
    ).toHaveLength(2);
    await expect(Promise.resolve(fit(layer, [], options))).rejects.toThrow("fit: epoch 1 has no batches");
  });

  test("ends early when nothing becomes better, and stays ended", async () => {
    const checkpoint = new Memory();
    const until = earlyStopping({ patience: 2 });
    const options = { lr: 0, until, checkpoint, epochs: 50 };
    const first = small(options);
    expect((await collect(fit(first.layer, batch(1), first.options))).length).toBe(3);
    const again = small(options);
    const training = fit(again.layer, batch(1), again.options);
    expect(await collect(training)).toEqual([]);
    expect(training.history.map(({ epoch }) => epoch)).toEqual([1, 2, 3]);
  });

  test("refuses labels out of range", async () => {
    const model = new Linear(2, 3);
    const before = JSON.stringify(model.stateDict());
    const optimizer = new SGD(model.parameters(), { lr: 0.1 });
    const options = { loss: crossEntropy as FitOptions["loss"], optimizer, epochs: 1 };
    const labels = tensor([0, 3], { dtype: "int32" });
    await expect(collect(fit(model, [zeros([2, 2]), labels], options))).rejects.toThrow(IndexError);
    expect(JSON.stringify(model.stateDict())).toBe(before);
  });

  test.each([
    [0, "checkpointEvery is a whole number of at least 1, got 0"],
    [{ steps: 1.5 }, "checkpointEvery.steps is a whole number of at least 1, got 1.5"],
    [{ steps: 5, epochs: 0 }, "checkpointEvery.epochs is a whole number of at least 1, got 0"],
    [{}, "checkpointEvery is a number of epochs, or { epochs, steps }"],
    [{ step: 5 }, "checkpointEvery is a number of epochs, or { epochs, steps }"],
    [null, "checkpointEvery is a whole number of at least 1, got null"],
  ])("refuses a checkpointEvery of %j", (checkpointEvery, says) => {
    const { layer, options } = small({ checkpointEvery: checkpointEvery as number });
    expect(() => fit(layer, batch(1), options)).toThrow(ValueError);
    expect(() => fit(layer, batch(1), options)).toThrow(`fit: ${says}`);
  });
});

describe("early stopping", () => {
  const epochsOf = (...losses: number[]): Epoch[] =>
    losses.map((value, i) => ({ epoch: i + 1, epochs: 99, loss: value, steps: 1, examples: 1, seconds: 0 }));

  test("waits for a better epoch as long as patience says", () => {
    const until = earlyStopping({ patience: 2, minDelta: 0.1 });
    expect(until(epochsOf(3, 2, 1.95))).toBe(false);
    expect(until(epochsOf(3, 2, 1.95, 1.92))).toBe(true);
    expect(until(epochsOf(3, 2, 1.95, 1.8))).toBe(false);
    expect(until(epochsOf(Number.NaN, Number.NaN))).toBe(true);
    const rising = earlyStopping({
      patience: 1,
      mode: "max",
      monitor: ({ validation }) => validation!.accuracy!,
    });
    const [first, second] = epochsOf(1, 1);
    const with_ = (accuracy: number, epoch: Epoch): Epoch => ({
      ...epoch,
      validation: { loss: 0, accuracy },
    });
    expect(rising([with_(0.5, first!), with_(0.6, second!)])).toBe(false);
    expect(rising([with_(0.5, first!), with_(0.5, second!)])).toBe(true);
  });

  test("refuses what makes no sense", () => {
    expect(() => earlyStopping({ patience: 0 })).toThrow(ValueError);
    expect(() => earlyStopping({ patience: 1, minDelta: -1 })).toThrow(ValueError);
    expect(() => earlyStopping({ patience: 1, mode: "more" as "max" })).toThrow(
      'mode is "min" or "max", got more',
    );
  });
});

describe("checkpoints in files", () => {
  let folder = "";
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "cotangent-fit-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  test("are there as a whole or not at all", async () => {
    const path = join(folder, "file");
    await writeFileAtomically(path, [Uint8Array.of(1), Uint8Array.of(2, 3)]);
    function* failing(): Iterable<Uint8Array> {
      yield Uint8Array.of(9);
      throw new Error("the disk is full");
    }
    const bytes = Uint8Array.of(1) as unknown as Uint8Array[];
    await expect(writeFileAtomically(path, bytes)).rejects.toThrow("takes a list of Uint8Array");
    await expect(writeFileAtomically(path, failing())).rejects.toThrow("the disk is full");
    expect([...readFileSync(path)]).toEqual([1, 2, 3]);
    expect(readdirSync(folder)).toEqual(["file"]);
    await expect(writeFileAtomically(join(folder, "no", "file"), [])).rejects.toThrow("ENOENT");
  });

  test("take up a training that Ctrl-C ended", async () => {
    const path = join(folder, "last.safetensors");
    const run = async (stopAt: number): Promise<{ weight: number; epochs: number[] }> => {
      const { layer, options } = small({ checkpoint: checkpointFile(path), epochs: 3 });
      const data = [batch(1), batch(2), batch(3)];
      const epochs = interruptible((signal) => {
        const training = fit(layer, data, { ...options, signal });
        let steps = 0;
        training.watch(() => {
          if (++steps === stopAt) process.emit("SIGINT");
        });
        return training;
      });
      const seen = await collect(epochs);
      return { weight: layer.weight.item(), epochs: seen.map(({ epoch }) => epoch) };
    };
    const listeners = process.listenerCount("SIGINT");
    expect((await run(5)).epochs).toEqual([1]);
    expect(existsSync(path)).toBe(true);
    const { weight, epochs } = await run(0);
    expect(epochs).toEqual([2, 3]);
    const { layer, options } = small({ epochs: 3 });
    await collect(fit(layer, [batch(1), batch(2), batch(3)], options));
    expect(weight).toBe(layer.weight.item());
    expect(process.listenerCount("SIGINT")).toBe(listeners);
  });

  test("that are no checkpoints are refused", async () => {
    const path = join(folder, "last.safetensors");
    writeFileSync(path, "not a file of ours");
    const { layer, options } = small({ checkpoint: checkpointFile(path) });
    await expect(collect(fit(layer, batch(1), options))).rejects.toThrow(FormatError);
    expect(readFileSync(path, "utf8")).toBe("not a file of ours");
  });
});

test("progress draws the steps of an epoch on a terminal", async () => {
  const drawn: string[] = [];
  const output = { isTTY: true, columns: 100, write: (text: string) => drawn.push(text) };
  const model = new Sequential(new Linear(2, 4), relu, new Linear(4, 1));
  const optimizer = new SGD(model.parameters(), { lr: 0.1 });
  async function* slow() {
    for (let i = 0; i < 4; i++) {
      await new Promise((resolve) => setTimeout(resolve, 60));
      yield [x, y] as const;
    }
  }
  const training = fit(model, slow, { loss, optimizer, epochs: 2, validation: [x, y] });
  for await (const _ of progress(training, { output }));
  expect(drawn.some((line) => /epoch 1\/2 {2}step [34] {2}loss/.test(line))).toBe(true);
  expect(drawn.some((line) => /█.*epoch 2\/2 {2}step [1-4]\/4 {2}loss/.test(line))).toBe(true);
  expect(drawn.at(-1)).toMatch(/epoch 2\/2 {2}loss .* validation loss .* took/);
});
