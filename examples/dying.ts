// ReLU neurons that die, and what helps: `pnpm example dying`.
import { compile, grad, manualSeed, normal, relu, type Tensor, where } from "@cotangent/autograd";
import { Linear, SGD } from "@cotangent/nn";
import { mse } from "@cotangent/nn/loss";
import { type Chapter, type ChapterOptions, runAlone, share } from "./page/chapter.ts";
import { curvesPlot } from "./page/curves.ts";
import { code, figure, paragraph, section } from "./page/html.ts";

const neurons = 24;
const leaky = (x: Tensor): Tensor => where(x.gt(0), x, x.mul(0.1));

interface Run {
  readonly name: string;
  /** How many of the neurons answer 0 to every example, before each step. */
  readonly dead: readonly number[];
  readonly loss: number;
  /** The gradient of a dead neuron's weights, if one died. */
  readonly gradient: number | null;
}

/** Three steps with the rate `first`, the others with 0.05: learns |x| and counts the neurons that no example reaches. */
function train(name: string, activation: (x: Tensor) => Tensor, first: number, steps: number): Run {
  manualSeed(2);
  const x = normal([64, 1]).stopGradient();
  const y = x.abs();
  const [hidden, output] = [new Linear(1, neurons), new Linear(neurons, 1)];
  const optimizer = new SGD([...hidden.parameters(), ...output.parameters()], { lr: first });
  const lossOf = () => mse(output.forward(activation(hidden.forward(x))) as Tensor, y as Tensor);
  const silent = () => hidden.forward(x).gt(0).cast("int32").amax(0).eq(0);
  const step = compile(() => {
    const [dead, loss] = [silent().sum(), lossOf()];
    optimizer.step(loss);
    return { dead, loss };
  });
  const dead = Array.from({ length: steps }, (_, i) => {
    if (i === 3) optimizer.lr = 0.05;
    return step().dead.item();
  });
  const asleep = silent().toTypedArray().indexOf(1);
  const loss = lossOf();
  const slopes = grad(loss, [hidden.weight])[0].toTypedArray();
  return { name, dead, loss: loss.item(), gradient: asleep < 0 ? null : slopes[asleep]! };
}

export async function dying({ effort = 1 }: ChapterOptions = {}): Promise<Chapter> {
  const steps = share(300, effort);
  const runs = [
    train("ReLU, pushed", relu, 0.5, steps),
    train("leaky, pushed", leaky, 0.5, steps),
    train("ReLU", relu, 0.05, steps),
  ];
  for (const { name, dead, loss } of runs)
    console.log(`${name.padEnd(14)} ${dead.at(-1)} of ${neurons} neurons dead, loss ${loss.toFixed(4)}`);
  const [large, cured, small] = runs as [Run, Run, Run];
  const html = section(
    "dying",
    "Neurons that die",
    paragraph(
      "ReLU passes the derivative on unchanged where its input is positive, and blocks it where it is not. If one step that is too large pushes a neuron so far that its sum is negative for every example, its output is 0 for all of them, its derivative is 0 for all of them, and no later step will move it again: the neuron is dead.",
    ),
    figure(
      `How many of ${neurons} hidden neurons are negative for all 64 examples while a network learns |x| with lr 0.05. Two of the networks were pushed first: three steps with lr 0.5. Of the ReLU neurons ${large.dead.at(-1)} stay dead to the end${large.gradient === null ? "" : ` (the derivative by a dead one’s weight is exactly ${large.gradient})`}; the leaky ones that are silent, ${cured.dead.at(-1)} at the end, go on learning.`,
      [
        curvesPlot(
          "Silent neurons against training step",
          runs.map(({ name, dead }) => ({ name, points: dead.map((count, i) => [i, count] as const) })),
          { x: "training step", y: "neurons that are negative for every example", range: [0, neurons] },
        ),
      ],
    ),
    paragraph(
      `Two cures. Smaller steps: without the push ReLU ends at a loss of ${small.loss.toFixed(4)}, with it at ${large.loss.toFixed(4)}. Or an activation with a little slope on the left: “leaky” neurons may be pushed to the left too, but a slope of 0.1 is enough to go on learning there; pushed as hard, they end at ${cured.loss.toFixed(4)}.`,
    ),
    code("const leaky = (x) => where(x.gt(0), x, x.mul(0.1));"),
  );
  return { id: "dying", title: "Neurons that die", html };
}

await runAlone(import.meta.url, dying);
