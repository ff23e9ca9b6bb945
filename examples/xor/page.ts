import type { Tensor } from "@cotangent/autograd";
import type { Sequential } from "@cotangent/nn";
import type { Chapter } from "../page/chapter.ts";
import { graphPicture } from "../page/graph.ts";
import { code, contents, figure, page, panel, paragraph, power, section, table } from "../page/html.ts";
import { corners, hiddenLines, labelled, sampled, xorAnswers } from "../page/plane.ts";
import { boundaryPlot, lossPlot, scatterPlot, triesPlot } from "../page/plots.ts";
import type { Check } from "./check.ts";

/** A network of some hidden neurons after training, and how others of its size fared. */
export interface Trial {
  readonly hidden: number;
  readonly model: Sequential;
  /** The loss before each step. */
  readonly losses: readonly number[];
  /** The loss at the end. */
  readonly loss: number;
  /** How many of the four answers are right. */
  readonly right: number;
  /** For each seed, whether training from there solves XOR. */
  readonly solved: readonly boolean[];
}

export interface Results {
  readonly steps: number;
  readonly trials: readonly Trial[];
  /** The loss of one example under a network that has not been trained. */
  readonly graph: Tensor;
  readonly check: Check;
  /** What the story tells before and after the training of the network. */
  readonly before: readonly Chapter[];
  readonly after: readonly Chapter[];
}

const data = labelled(corners, xorAnswers.toTypedArray());

/** The page that tells the story with the numbers of this run. */
export async function xorPage(results: Results): Promise<string> {
  const own = [
    ["training", "Training"],
    ["boundaries", "What each network thinks of the plane"],
    ["starts", "The luck of the start"],
    ["graph", "The graph behind a step"],
    ["check", "Is the gradient right?"],
  ] as const;
  const titles = (chapters: readonly Chapter[]) => chapters.map(({ id, title }) => [id, title] as const);
  return page(
    "From perceptron to deep learning",
    "Four points, a handful of numbers, and the derivatives that move them. Every number on this page is from the run that wrote it, but for those of PyTorch, and for the last chapter, which is yours.",
    contents([
      ["problem", "Four points that no line can separate"],
      ...titles(results.before),
      ...own,
      ...titles(results.after),
    ]),
    problem(),
    ...results.before.map(({ html }) => html),
    training(results),
    boundaries(results),
    starts(results),
    await graph(results),
    check(results),
    ...results.after.map(({ html }) => html),
  );
}

const zero = '<b class="zero">0</b>';
const one = '<b class="one">1</b>';

function problem(): string {
  return section(
    "problem",
    "Four points that no line can separate",
    paragraph(
      `XOR asks whether exactly one of two inputs is 1. The answer is ${one} for (0, 1) and (1, 0), and ${zero} for (0, 0) and (1, 1):`,
    ),
    table(
      "The table of XOR, the exclusive or.",
      ["First input", "Second input", "XOR"],
      data.map(({ x, y, label }) => [String(x), String(y), label === 1 ? one : zero]),
    ),
    figure(
      `The same four points in the plane of the two inputs: discs are ${zero}, squares are ${one}. Lay a ruler anywhere: it never has both discs on one side and both squares on the other.`,
      [scatterPlot(data)],
      "small",
    ),
    paragraph(
      "A single neuron weighs its inputs, adds a bias and asks whether the sum is above a threshold. That is a ruler: it cuts the plane along a straight line, so it gets at most three of the four points right. How to get past the ruler is what this page is about.",
    ),
  );
}

export const neurons = (hidden: number): string => (hidden === 1 ? "1 neuron" : `${hidden} neurons`);
const solving = ({ solved }: Trial): string => `${solved.filter(Boolean).length} of ${solved.length}`;

function training({ steps, trials }: Results): string {
  return section(
    "training",
    "Training",
    paragraph(
      "Now all of it together. Neurons in a hidden layer draw one line each, and the output neuron combines their answers. With three of them, the network and its training are this:",
    ),
    code(`const model = new Sequential(
  new Linear(2, 3), tanh,
  new Linear(3, 1), sigmoid,
);
const optimizer = new Adam(
  model.parameters(), { lr: 0.05 },
);

const step = compile(() => {
  const loss = mse(model.forward(x), y);
  optimizer.step(loss);
  return loss;
});`),
    paragraph(
      `The <em>loss</em> is the mean squared distance between the four outputs and the four answers: the smaller, the better. Each step finds out which way every weight should move to make it smaller, and moves it a little. Here are ${count(steps, "step")} for networks with ${list(trials.map(({ hidden }) => String(hidden)))} hidden neurons.`,
    ),
    figure(
      "The loss of each network while it trains. The scale is logarithmic: each grid line is ten times less than the one above. Without learning, the answer 0.5 for everything has a loss of 0.25.",
      [lossPlot(trials.map(({ hidden, losses }) => ({ name: neurons(hidden), values: losses })))],
    ),
    table(
      `After ${count(steps, "step")} from the first start (seed 0). An answer counts as right if the output is on the right side of one half.`,
      ["Hidden neurons", "Loss", "Right"],
      trials.map(({ hidden, loss, right }) => [String(hidden), decimal(loss, 6), `${right} of 4`]),
    ),
  );
}

function boundaries({ trials }: Results): string {
  const panels = trials.map(({ hidden, model, right }) => {
    const description = `Output of the network with ${neurons(hidden)} over the plane`;
    const picture = boundaryPlot(
      sampled((x) => model.forward(x)),
      data,
      hiddenLines(model),
      description,
    );
    return panel(neurons(hidden), picture, `${right} of 4 right`);
  });
  return section(
    "boundaries",
    "What each network thinks of the plane",
    paragraph(
      `The networks only ever saw four points, but they have an opinion about every other: the bluer, the nearer to ${zero}; the more orange, the nearer to ${one}. Along the solid line the output is exactly one half.`,
    ),
    figure(
      "The output over the square from −0.5 to 1.5. Solid: where the answer changes. Dashed: the line that each hidden neuron draws, where its own sum is 0. One neuron has one line and must fail; two can fence off a strip; more have lines to spare.",
      panels,
      "wide panels",
    ),
  );
}

/** From how many of 20 seeds PyTorch solves XOR with the same networks: test/golden/xor.py. */
export const pytorchSolved: Readonly<Record<number, number>> = { 1: 0, 2: 9, 3: 18, 5: 20, 10: 20 };

function starts({ trials }: Results): string {
  const of = (neurons: number): string => solving(trials.find(({ hidden }) => hidden === neurons)!);
  return section(
    "starts",
    "The luck of the start",
    paragraph(
      `Training begins with random weights and walks downhill from there, and some starts lead into a hollow that is not the lowest. So one success says little. Two hidden neurons are enough in principle, and ${of(2)} starts find the way; with 3 hidden neurons <strong>${of(3)}</strong> do.`,
    ),
    figure(
      "Each dot is one network, filled if all four of its answers are right at the end. The column is the seed of its random start.",
      [triesPlot(trials.map(({ hidden, solved }) => ({ name: neurons(hidden), solved })))],
    ),
    table(
      "Beside PyTorch 1.13, with the same networks, distribution of the first weights, optimizer and 1,000 steps. The draws themselves differ, so the counts need not be the same.",
      ["Hidden neurons", "Here", "PyTorch"],
      trials.map((trial) => [
        String(trial.hidden),
        solving(trial),
        `${pytorchSolved[trial.hidden] ?? "?"} of 20`,
      ]),
    ),
  );
}

async function graph({ graph: loss }: Results): Promise<string> {
  return section(
    "graph",
    "The graph behind a step",
    paragraph(
      "How does a step know which way to move? The line <code>mse(model.forward(x), y)</code> computes nothing yet: it builds a graph of what is to be computed. Values flow down it to the loss. Then derivatives flow back up: each node gets its own from the nodes below it by the chain rule, until they reach the weights.",
    ),
    paragraph(
      `Here is that graph for a network with 3 hidden neurons before its first step, for the single example (1, 1) with the answer ${zero}. Behind = stands the value, and behind <b class="derivative">∂</b> how much the loss changes when the value grows by a little. The derivative of the loss by itself is 1; start there and read upwards.`,
    ),
    figure(
      "Boxes are data and weights, rounded nodes are operations. <code>0.weight</code> and <code>0.bias</code> belong to the hidden layer, <code>2.weight</code> and <code>2.bias</code> to the output. Both inputs are 1, so both columns of <code>0.weight</code> have the same derivatives.",
      [
        await graphPicture(
          loss,
          "The computational graph of the loss, with a value and a derivative in each node",
        ),
      ],
      "wide scroll",
    ),
  );
}

function check({ check: { weights, h, worst, report } }: Results): string {
  return section(
    "check",
    "Is the gradient right?",
    paragraph(
      `There is a way to find out that needs no theory: move one weight up by ${power(h)}, then down by as much, and see how the loss changes. The change divided by the distance must be the derivative. For this network’s ${weights.length} weights the two differ by ${power(worst)} at most.`,
    ),
    table(
      "The weights of the graph above. “Graph” is the derivative that the graph gives (compare the ∂ of its nodes), “differences” is (loss above − loss below) / (2 h), both in 64-bit arithmetic.",
      ["Weight", "Graph", "Differences", "Off by"],
      weights.map(({ name, gradient, differences }) => [
        `<code>${name}</code>`,
        decimal(gradient, 6),
        decimal(differences, 6),
        power(Math.abs(gradient - differences)),
      ]),
    ),
    paragraph(
      `In tests, <code>checkGradient</code> does this along random directions and with forward-mode derivatives as a third opinion. Its verdict here: <strong>${report.pass ? "pass" : "fail"}</strong>.`,
    ),
    code(report.toString()),
  );
}

const decimal = (x: number, digits: number): string => x.toFixed(digits).replace("-", "−");

const count = (n: number, what: string): string => `${n.toLocaleString("en")} ${what}${n === 1 ? "" : "s"}`;
const list = (parts: readonly string[]): string => `${parts.slice(0, -1).join(", ")} and ${parts.at(-1)}`;
