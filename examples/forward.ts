// One input on its way through a network of two hidden neurons, by hand: `pnpm example forward`.
import { relu, sigmoid, type Tensor, tanh, tensor } from "@cotangent/autograd";
import { type Linear, MLP } from "@cotangent/nn";
import { mse } from "@cotangent/nn/loss";
import { type Chapter, runAlone } from "./page/chapter.ts";
import { code, minus, paragraph, power, section, table } from "./page/html.ts";
import { corners, xorAnswers } from "./page/plane.ts";

const f64 = { dtype: "float64" } as const;
const weights = {
  hidden: [
    [1.2, -0.8],
    [0.5, 0.9],
  ],
  hiddenBias: [0.1, -0.4],
  output: [0.7, -1.1],
  outputBias: 0.2,
} as const;

/** The network with these weights. */
function network() {
  const model = new MLP([2, 2, 1], { activation: tanh, output: sigmoid, ...f64 });
  const [hidden, , output] = model.layers as [Linear, unknown, Linear];
  hidden.weight.assign(tensor(weights.hidden, f64));
  hidden.bias!.assign(tensor(weights.hiddenBias, f64));
  output.weight.assign(tensor([weights.output], f64));
  output.bias!.assign(tensor([weights.outputBias], f64));
  return { model, hidden, output };
}

/** The same with plain numbers: every sum and what becomes of it. */
function byHand(x1: number, x2: number) {
  const [[w11, w12], [w21, w22]] = weights.hidden;
  const [b1, b2] = weights.hiddenBias;
  const [v1, v2] = weights.output;
  const z1 = w11 * x1 + w12 * x2 + b1;
  const z2 = w21 * x1 + w22 * x2 + b2;
  const [h1, h2] = [Math.tanh(z1), Math.tanh(z2)];
  const z = v1 * h1 + v2 * h2 + weights.outputBias;
  return { z1, z2, h1, h2, z, answer: 1 / (1 + Math.exp(-z)) };
}

const short = (x: number): string => minus(x.toFixed(4));
const at = (x: Tensor, i: number): number => x.toTypedArray()[i]!;
const plus = (x: number): string => (x < 0 ? `− ${-x}` : `+ ${x}`);

export async function forward(): Promise<Chapter> {
  const { model, hidden, output } = network();
  const [x1, x2] = [1, 0];
  const hand = byHand(x1, x2);
  const z = hidden.forward(tensor([[x1, x2]], f64));
  const h = tanh(z);
  const sum = output.forward(h);
  const [[w11, w12], [w21, w22]] = weights.hidden;
  const [b1, b2] = weights.hiddenBias;
  const [v1, v2] = weights.output;
  const rows = [
    ["z₁", `${w11} · ${x1} ${plus(w12)} · ${x2} ${plus(b1)}`, hand.z1, at(z, 0)],
    ["z₂", `${w21} · ${x1} ${plus(w22)} · ${x2} ${plus(b2)}`, hand.z2, at(z, 1)],
    ["h₁", `tanh(${short(hand.z1)})`, hand.h1, at(h, 0)],
    ["h₂", `tanh(${short(hand.z2)})`, hand.h2, at(h, 1)],
    [
      "z",
      `${v1} · ${short(hand.h1)} ${plus(v2)} · ${short(hand.h2)} ${plus(weights.outputBias)}`,
      hand.z,
      at(sum, 0),
    ],
    ["ŷ", `1 / (1 + exp(${short(-hand.z)}))`, hand.answer, at(sigmoid(sum), 0)],
  ] as const;
  for (const [name, formula, value, graph] of rows)
    console.log(
      `${name.padEnd(3)} ${minus(formula).padEnd(32)} ${value.toFixed(6)}, from the graph ${graph.toFixed(6)}`,
    );

  const [inputs, answers] = [corners.cast("float64"), xorAnswers.cast("float64")];
  const graphLoss = mse(model.forward(inputs), answers).item();
  const points = Array.from(answers.toTypedArray(), (y, i) => {
    const [a, b] = [at(inputs, 2 * i), at(inputs, 2 * i + 1)];
    const { answer } = byHand(a, b);
    return { name: `(${a}, ${b})`, y, answer, square: (answer - y) ** 2 };
  });
  const total = points.reduce((all, { square }) => all + square, 0);
  const worst = Math.max(
    ...rows.map(([, , value, graph]) => Math.abs(value - graph)),
    Math.abs(total / 4 - graphLoss),
  );
  console.log(
    `mean squared error by hand ${(total / 4).toFixed(6)}, from the graph ${graphLoss.toFixed(6)}; largest difference ${worst.toExponential(1)}`,
  );

  const ones = inputs.sum(1, { keepDims: true });
  const [counted, both] = [relu(ones), relu(ones.sub(1))];
  const guess = counted.sub(both.mul(2));

  const html = section(
    "forward",
    "Feed forward, with numbers",
    paragraph(
      "Put two such neurons side by side and let a third one look at their answers instead of the inputs: that is a <em>multi-layer perceptron</em>. The two form the hidden layer. Nothing goes back or in circles; the input is fed forward, layer after layer:",
    ),
    code(
      "const model = new MLP([2, 2, 1], {\n  activation: tanh, output: sigmoid,\n});\nconst answer = model.forward(x);",
    ),
    paragraph(
      "Here is the way of the input (1, 0) through a network whose nine weights and biases were made up. Each neuron multiplies, adds and bends, and that is all there is to it:",
    ),
    table(
      `From (1, 0) to the answer. The largest difference between hand and graph in this section is ${power(worst)}.`,
      ["Name", "Formula", "By hand", "Graph"],
      rows.map(([name, formula, value, graph]) => [name, minus(formula), short(value), short(graph)]),
    ),
    paragraph(
      `Is ${short(hand.answer)} a good answer? The right one is 1, so it is off by ${short(1 - hand.answer)}. The <em>mean squared error</em> squares what each answer is off by, so that too much and too little count alike and large errors count most, and takes the mean over the examples:`,
    ),
    table(
      `The sum of the squares is ${short(total)}, the mean squared error ${short(total)} / 4 = ${short(total / 4)}. The graph says ${short(graphLoss)}.`,
      ["Input", "Right", "Answer", "Off by", "Squared"],
      points.map(({ name, y, answer, square }) => [
        name,
        String(y),
        short(answer),
        short(answer - y),
        short(square),
      ]),
    ),
    paragraph(
      "Can two hidden neurons do better? Even without an error. With the activation relu(z) = max(0, z), weights that solve XOR can be guessed: the first neuron counts the ones, h₁ = relu(x₁ + x₂), the second answers only to two of them, h₂ = relu(x₁ + x₂ − 1), and the output takes that back, twice: ŷ = h₁ − 2 h₂.",
    ),
    table(
      `The guessed weights on the four points, by the graph. The mean squared error is ${mse(guess, answers).item()}.`,
      ["Input", "h₁", "h₂", "ŷ"],
      points.map(({ name }, i) => [name, ...[counted, both, guess].map((x) => String(at(x, i)))]),
    ),
    paragraph(
      "So the numbers exist. Learning means to find such numbers without guessing: to change them again and again so that the error gets smaller. For that, one has to know in which direction.",
    ),
  );
  return { id: "forward", title: "Feed forward, with numbers", html };
}

await runAlone(import.meta.url, forward);
