import { compile, heaviside, manualSeed, relu, sigmoid, type Tensor, tanh } from "@cotangent/autograd";
import { Adam, MLP, type Parameter, RMSprop, SGD } from "@cotangent/nn";
import { circles, moons, spirals, type Toy, xor } from "@cotangent/nn/data";
import { bceWithLogits } from "@cotangent/nn/loss";
import { type Field, hiddenLines, type Labelled, type Line, labelled, middles } from "../page/plane.ts";

/** Points of two classes, and the square of the plane that shows them. */
interface Task {
  readonly toy: () => Toy;
  readonly low: number;
  readonly high: number;
}

export const tasks: Readonly<Record<string, Task>> = {
  "XOR, four points": { toy: () => xor(), low: -0.5, high: 1.5 },
  "XOR, clouds": { toy: () => xor({ count: 120, noise: 0.2, seed: 1 }), low: -0.75, high: 1.75 },
  circles: { toy: () => circles({ count: 120, noise: 0.08, seed: 1 }), low: -1.4, high: 1.4 },
  moons: { toy: () => moons({ count: 120, noise: 0.1, seed: 1 }), low: -1.4, high: 2.4 },
  spirals: { toy: () => spirals({ count: 160, noise: 0.02, seed: 1 }), low: -1.25, high: 1.25 },
};

export const activations: Readonly<Record<string, (x: Tensor) => Tensor>> = {
  tanh,
  sigmoid,
  ReLU: relu,
  "leaky ReLU": (x) => x.maximum(x.mul(0.1)),
  step: (x) => heaviside(x),
};

type Start = (parameters: Iterable<Parameter>, lr: number) => SGD | RMSprop | Adam;

export const optimizers: Readonly<Record<string, Start>> = {
  "gradient descent": (parameters, lr) => new SGD(parameters, { lr }),
  momentum: (parameters, lr) => new SGD(parameters, { lr, momentum: 0.9 }),
  RMSProp: (parameters, lr) => new RMSprop(parameters, { lr }),
  Adam: (parameters, lr) => new Adam(parameters, { lr }),
};

export interface Settings {
  /** Names of a task, an activation and an optimizer. */
  readonly task: string;
  readonly activation: string;
  readonly optimizer: string;
  /** How many hidden layers, of how many neurons each. */
  readonly layers: number;
  readonly neurons: number;
  readonly rate: number;
  /** Decides where the weights start. */
  readonly seed: number;
}

/** A network that is being trained. */
export interface Training {
  readonly points: readonly Labelled[];
  /** Makes some steps, and gives the loss before the last of them. */
  step(count: number): number;
  /** The loss now, and how many points are on the right side. */
  result(): { readonly loss: number; readonly right: number };
  /** What the network says in `size * size` places. */
  field(size: number): Field;
  /** The line of each neuron of the first layer. */
  lines(): readonly Line[];
  /** Changes the learning rate; the optimizer keeps what it remembers. */
  setRate(rate: number): void;
}

/** A network of these settings that has learned nothing yet. */
export function begin(settings: Settings): Training {
  const { toy, low, high } = tasks[settings.task]!;
  const { x, y } = toy();
  manualSeed(settings.seed);
  const hidden = Array.from({ length: settings.layers }, () => settings.neurons);
  const model = new MLP([2, ...hidden, 1], { activation: activations[settings.activation]! });
  const optimizer = optimizers[settings.optimizer]!(model.parameters(), settings.rate);

  const train = compile(() => {
    const loss = bceWithLogits(model.forward(x), y);
    optimizer.step(loss);
    return loss;
  });
  const answer = compile((places: Tensor) => sigmoid(model.forward(places)));
  const judge = compile(() => {
    const logits = model.forward(x);
    return { loss: bceWithLogits(logits, y), right: logits.gt(0).eq(y.gt(0.5)).sum() };
  });

  return {
    points: labelled(x, y.toTypedArray()),
    step(count) {
      let loss = train();
      for (let i = 1; i < count; i++) loss = train();
      return loss.item();
    },
    result() {
      const { loss, right } = judge();
      return { loss: loss.item(), right: right.item() };
    },
    field(size) {
      const area = { size, low, high };
      return { ...area, values: answer(middles(area)).toTypedArray() };
    },
    lines: () => hiddenLines(model),
    setRate(rate) {
      optimizer.lr = rate;
    },
  };
}
