// The best that one neuron can do on XOR: linear and logistic regression: `pnpm example logistic`.
import { compile, manualSeed, sigmoid, type Tensor } from "@cotangent/autograd";
import { Linear, SGD } from "@cotangent/nn";
import { bce, mse } from "@cotangent/nn/loss";
import { type Chapter, type ChapterOptions, runAlone, share } from "./page/chapter.ts";
import { figure, panel, paragraph, section, table } from "./page/html.ts";
import { labelled, sampled, corners as x, xorAnswers as y } from "./page/plane.ts";
import { boundaryPlot } from "./page/plots.ts";

/** Trains one neuron and returns what it answers. */
function train(answer: (sum: Tensor) => Tensor, loss: typeof mse, steps: number) {
  manualSeed(0);
  const layer = new Linear(2, 1);
  const optimizer = new SGD(layer.parameters(), { lr: 0.5 });
  const step = compile(() => {
    const value = loss(answer(layer.forward(x)), y);
    optimizer.step(value);
    return value;
  });
  for (let i = 0; i < steps; i++) step();
  const forward = (input: Tensor) => answer(layer.forward(input));
  return { forward, loss: loss(forward(x), y).item(), outputs: forward(x).toTypedArray() };
}

export async function logistic({ effort = 1 }: ChapterOptions = {}): Promise<Chapter> {
  const steps = share(2000, effort);
  const runs = [
    { name: "linear regression", says: "squared error", ...train((sum) => sum, mse, steps) },
    { name: "logistic regression", says: "cross entropy", ...train(sigmoid, bce, steps) },
  ];
  for (const { name, loss, outputs } of runs)
    console.log(
      `${name.padEnd(19)} loss ${loss.toFixed(4)}, answers ${Array.from(outputs, (out) => out.toFixed(3)).join(" ")}`,
    );
  const html = section(
    "logistic",
    "One neuron, a slope, and still one line",
    paragraph(
      "Take the step away and let the neuron answer with its sum: that is linear regression, and it has a derivative. Or replace the step by the soft step of the sigmoid: that is logistic regression. Both can walk downhill now. Both still cut the plane along one straight line, and on XOR the best they find is to answer one half to everything:",
    ),
    figure(
      "What each says on the plane: one half, nearly everywhere. Where the line falls is a matter of the last digits.",
      runs.map(({ name, forward, loss }) => {
        const picture = boundaryPlot(sampled(forward), labelled(x, y.toTypedArray()), [], `${name} on XOR`);
        return panel(name, picture, `loss ${loss.toFixed(4)}`);
      }),
      "panels",
    ),
    table(
      `The answers after ${steps} steps. The squared error cannot go below 0.25, nor the cross entropy below ln 2 = 0.6931.`,
      ["Model", "(0, 0)", "(0, 1)", "(1, 0)", "(1, 1)"],
      runs.map(({ name, outputs }) => [name, ...Array.from(outputs, (out) => out.toFixed(3))]),
    ),
    paragraph(
      "So the slope alone is not the answer. The neuron needs company: other neurons that draw lines of their own.",
    ),
  );
  return { id: "logistic", title: "One neuron, a slope, and still one line", html };
}

await runAlone(import.meta.url, logistic);
