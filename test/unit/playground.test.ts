import { describe, expect, test } from "vitest";
import { activations, begin, optimizers, type Settings, tasks } from "../../examples/playground/network.ts";

const settings: Settings = {
  task: "XOR, four points",
  activation: "tanh",
  optimizer: "Adam",
  layers: 1,
  neurons: 3,
  rate: 0.1,
  seed: 0,
};

describe("the network of the playground", () => {
  test.each(Object.keys(optimizers))("learns XOR with %s", (optimizer) => {
    const training = begin({ ...settings, optimizer, rate: optimizer === "gradient descent" ? 1 : 0.1 });
    const before = training.result().loss;
    training.step(600);
    expect(training.result().right).toBe(4);
    expect(training.result().loss).toBeLessThan(before / 10);
  });

  test.each(Object.keys(tasks))("tells the classes of %s apart, and shows all points", (task) => {
    const training = begin({ ...settings, task, layers: 2, neurons: 12, rate: 0.03 });
    training.step(1000);
    const { points } = training;
    expect(training.result().right).toBeGreaterThan(0.95 * points.length);
    const { low, high, values } = training.field(8);
    expect(values).toHaveLength(64);
    for (const { x, y } of points) {
      expect(Math.min(x, y)).toBeGreaterThan(low);
      expect(Math.max(x, y)).toBeLessThan(high);
    }
  });

  test.each(Object.keys(activations))(
    "has a line for each neuron of the first layer with %s",
    (activation) => {
      const training = begin({ ...settings, activation, neurons: 5 });
      const before = training.lines();
      training.step(5);
      expect(before).toHaveLength(5);
      // No derivative passes a step, so nothing before it moves.
      if (activation === "step") expect(training.lines()).toEqual(before);
      else expect(training.lines()).not.toEqual(before);
    },
  );

  test("without a hidden layer is one line that fails on XOR", () => {
    const training = begin({ ...settings, layers: 0 });
    training.step(500);
    expect(training.result().right).toBeLessThan(4);
  });

  test("starts elsewhere from another seed, and goes on with another rate", () => {
    expect(begin(settings).lines()).toEqual(begin(settings).lines());
    expect(begin({ ...settings, seed: 1 }).lines()).not.toEqual(begin(settings).lines());
    const training = begin(settings);
    training.step(3);
    training.setRate(0);
    const before = training.lines();
    training.step(3);
    expect(training.lines()).toEqual(before);
  });
});
