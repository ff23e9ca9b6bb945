// The perceptron: it learns AND and OR, and cannot learn XOR: `pnpm example perceptron`.
import { grad, manualSeed, normal, type Tensor, tensor } from "@cotangent/autograd";
import { Perceptron } from "@cotangent/nn";
import { mse } from "@cotangent/nn/loss";
import { type Chapter, type ChapterOptions, runAlone, share } from "./page/chapter.ts";
import { code, figure, panel, paragraph, section } from "./page/html.ts";
import { labelled, sampled, corners as x, xorAnswers } from "./page/plane.ts";
import { boundaryPlot } from "./page/plots.ts";

const tasks = [
  { name: "AND", answers: [0, 0, 0, 1] },
  { name: "OR", answers: [0, 1, 1, 1] },
  { name: "XOR", answers: [0, 1, 1, 0] },
] as const;

/** Goes over the four points until a round has no mistake. */
function learn(answers: readonly number[], rounds: number) {
  const model = new Perceptron(2);
  const y: Tensor = tensor(answers.map((answer) => [answer]));
  let round = 1;
  while (model.learn(x, y).item() > 0 && round < rounds) round++;
  const outputs = model.forward(x).toTypedArray();
  return { model, round, right: answers.filter((answer, i) => answer === outputs[i]).length };
}

/** The largest derivative of the squared error on XOR by a weight or the bias, over `count` random neurons. */
function steepest(count: number): number {
  manualSeed(0);
  const model = new Perceptron(2);
  const slopes = Array.from({ length: count }, () => {
    model.weight.assign(normal([1, 2]));
    model.bias.assign(normal([1]));
    const error = mse(model.forward(x), xorAnswers);
    return grad(error, model.parameters()).flatMap((slope) => Array.from(slope.abs().toTypedArray()));
  });
  return Math.max(...slopes.flat());
}

export async function perceptron({ effort = 1 }: ChapterOptions = {}): Promise<Chapter> {
  const rounds = share(100, Math.max(effort, 0.2));
  const panels = tasks.map(({ name, answers }) => {
    const { model, round, right } = learn(answers, rounds);
    const says = right === 4 ? `learned in ${round} rounds` : `${right} of 4 right after ${round} rounds`;
    console.log(`${name.padEnd(4)} ${says}`);
    const [a = 0, b = 0] = model.weight.toTypedArray();
    const line = { a, b, c: model.bias.toTypedArray()[0]! };
    const field = sampled((input) => model.forward(input), 128);
    return panel(name, boundaryPlot(field, labelled(x, answers), [line], `A perceptron on ${name}`), says);
  });
  const tried = share(200, effort);
  const slope = steepest(tried);
  console.log(`the largest derivative of ${tried} random perceptrons: ${slope}`);
  const html = section(
    "perceptron",
    "From a threshold to a neuron that learns",
    paragraph(
      "A <em>perceptron</em> (Rosenblatt 1958) fires if the weighted sum of its inputs is above a threshold: w₁x₁ + w₂x₂ > t. Move the threshold to the left side and call it a <em>bias</em>, b&nbsp;=&nbsp;−t, and the question is always the same, w · x + b > 0. A bias is a weight like any other, for an input that is always 1, so it can be learned like any other.",
    ),
    paragraph(
      "The rule of learning needs no derivative. Show an example; if the answer is right, leave everything alone. If it is wrong, add the input to the weights, or take it away: w becomes w + (y − ŷ) x, and b becomes b + (y − ŷ), for the right answer y and the given answer ŷ. A round shows each of the four points once, and the last round is the first without a mistake:",
    ),
    code("const model = new Perceptron(2);\nwhile (model.learn(x, y).item() > 0);"),
    figure(
      `The rule on three tasks, at most ${rounds} rounds each. A point on the line counts as 0. AND and OR can be cut off by one straight line, and for such tasks the rule always ends. For XOR there is no line, so the weights go round in circles.`,
      panels,
      "panels",
    ),
    paragraph(
      `Can gradient descent do better? It cannot even start. A step is flat on both sides, so a small change of a weight changes no answer and no error. Of the squared error on XOR, the largest derivative that the graph finds by any weight or bias of ${tried} random perceptrons is ${slope}. Weights less zero times a learning rate stay where they are. What is needed is a step with a slope.`,
    ),
  );
  return { id: "perceptron", title: "From a threshold to a neuron that learns", html };
}

await runAlone(import.meta.url, perceptron);
