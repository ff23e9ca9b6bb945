// The perceptron: it learns AND and OR, and cannot learn XOR: `pnpm example perceptron`.
import { grad, heaviside, matmul, type Tensor, tensor, variable } from "@cotangent/autograd";
import { type Chapter, type ChapterOptions, runAlone, share } from "./page/chapter.ts";
import { code, figure, panel, paragraph, section } from "./page/html.ts";
import { boundaryPlot, type Field, type Labelled, middles } from "./page/plots.ts";

const x: Tensor = tensor([
  [0, 0],
  [0, 1],
  [1, 0],
  [1, 1],
]);
const tasks = [
  { name: "AND", answers: [0, 0, 0, 1] },
  { name: "OR", answers: [0, 1, 1, 1] },
  { name: "XOR", answers: [0, 1, 1, 0] },
] as const;

/** One neuron with a step: 1 where `w . x + b` is positive. */
function newNeuron() {
  const w = variable([[0], [0]], { name: "w" });
  const b = variable([0], { name: "b" });
  return { w, b, forward: (input: Tensor): Tensor => heaviside(matmul(input, w as Tensor).add(b as Tensor)) };
}

/** Rosenblatt's rule, one example after the other, until a round goes by without a mistake. */
function learn(answers: readonly number[], rounds: number) {
  const neuron = newNeuron();
  for (let round = 1; round <= rounds; round++) {
    let mistakes = 0;
    answers.forEach((answer, i) => {
      const input = x.slice(i, i + 1);
      const error = answer - neuron.forward(input).item();
      if (error === 0) return;
      mistakes++;
      neuron.w.assign((neuron.w as Tensor).add(input.permute([1, 0]).mul(error)));
      neuron.b.assign((neuron.b as Tensor).add(error));
    });
    if (mistakes === 0) return { neuron, round, solved: true };
  }
  return { neuron, round: rounds, solved: false };
}

function field(f: (input: Tensor) => Tensor): Field {
  const area = { size: 64, low: -0.5, high: 1.5 };
  const at = middles(area);
  return { ...area, values: f(tensor(at.flatMap((b) => at.map((a) => [a, b])))).toTypedArray() };
}

export async function perceptron({ effort = 1 }: ChapterOptions = {}): Promise<Chapter> {
  const rounds = share(1000, Math.max(effort, 0.02));
  const panels = tasks.map(({ name, answers }) => {
    const { neuron, round, solved } = learn(answers, rounds);
    const right = neuron
      .forward(x)
      .toTypedArray()
      .filter((out, i) => out === answers[i]).length;
    const says = solved ? `learned in ${round} rounds` : `${right} of 4 right after ${round} rounds`;
    console.log(`${name.padEnd(4)} ${says}`);
    const [a, b] = neuron.w.toTypedArray() as unknown as [number, number];
    const data: Labelled[] = answers.map((label, i) => ({ x: i >> 1, y: i & 1, label }));
    const line = { a, b, c: neuron.b.item() };
    return panel(name, boundaryPlot(field(neuron.forward), data, [line], `A perceptron on ${name}`), says);
  });
  const neuron = newNeuron();
  const error = neuron
    .forward(x)
    .sub(tensor([[0], [1], [1], [0]]))
    .square()
    .mean();
  const slopes = grad(error, [neuron.w, neuron.b]).flatMap((g) => Array.from(g.toTypedArray()));
  const html = section(
    "perceptron",
    "From a threshold to a neuron that learns",
    paragraph(
      "A <em>perceptron</em> (Rosenblatt 1958) fires if the weighted sum of its inputs is above a threshold: w₁x₁ + w₂x₂ > t. Move the threshold to the left side and call it a <em>bias</em>, b = −t, and the question is always the same, w · x + b > 0. A bias is a weight like any other, for an input that is always 1, so it can be learned like any other.",
    ),
    paragraph(
      "The rule of learning needs no derivative. Show an example; if the answer is right, leave everything alone. If it is wrong, add the input to the weights, or take it away:",
    ),
    code("w.assign(w.add(x.mul(answer - output)));\nb.assign(b.add(answer - output));"),
    figure(
      `The rule on three tasks, at most ${rounds} rounds over the four points each. AND and OR can be cut off by one straight line, and for such tasks the rule always ends. For XOR there is no line, so the weights go round in circles.`,
      panels,
      "panels",
    ),
    paragraph(
      `Can gradient descent do better? It cannot even start. A step is flat on both sides, so the derivative of the error by each of the ${slopes.length} numbers of this neuron is ${slopes.join(", ")}: exactly nothing, whatever the error is. What is needed is a step with a slope.`,
    ),
  );
  return { id: "perceptron", title: "From a threshold to a neuron that learns", html };
}

await runAlone(import.meta.url, perceptron);
