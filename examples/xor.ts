// XOR, from four points to a picture of what was learned: `npm start`.
//
// Is exactly one of two inputs 1? No straight line through the plane answers that, so a network needs hidden neurons. This
// trains networks with 1, 2, 3, 5 and 10 of them and writes what happened to out/xor/index.html.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { compile, type DType, manualSeed, sigmoid, tanh, tensor } from "@cotangent/autograd";
import { Adam, fit, Linear, Sequential } from "@cotangent/nn";
import { mse } from "@cotangent/nn/loss";
import { type Output, progress } from "@cotangent/nn/node";
import { activations } from "./activations.ts";
import { backpropagation } from "./backpropagation.ts";
import { deeper } from "./deeper.ts";
import { descent } from "./descent.ts";
import { dying } from "./dying.ts";
import { forward } from "./forward.ts";
import { kernel } from "./kernel.ts";
import { logistic } from "./logistic.ts";
import { optimizers } from "./optimizers.ts";
import type { Chapter, Tell } from "./page/chapter.ts";
import { corners as x, xorAnswers as y } from "./page/plane.ts";
import { perceptron } from "./perceptron.ts";
import { playground } from "./playground.ts";
import { recurrent } from "./recurrent.ts";
import { vanishing } from "./vanishing.ts";
import { checkWeights } from "./xor/check.ts";
import { neurons, type Trial, xorPage } from "./xor/page.ts";

/** Two inputs, `hidden` neurons, one output between 0 and 1. The seed decides where the weights start. */
function network(hidden: number, seed: number, dtype: DType = "float32"): Sequential {
  manualSeed(seed);
  return new Sequential(new Linear(2, hidden, { dtype }), tanh, new Linear(hidden, 1, { dtype }), sigmoid);
}

/** How many of the four outputs are on the right side of one half. */
function countRight(model: Sequential): number {
  return model.forward(x).gt(0.5).eq(y.gt(0.5)).sum().item();
}

/** Trains one network, all four points in every step, and watches its loss. */
async function watch(hidden: number, steps: number, output: Output) {
  const model = network(hidden, 0);
  const optimizer = new Adam(model.parameters(), { lr: 0.05 });
  const epochs = fit(model, [x, y], { loss: mse, optimizer, epochs: steps, compile: true });
  const losses: number[] = [];
  for await (const { loss } of progress(epochs, { label: neurons(hidden).padEnd(10), output }))
    losses.push(loss);
  return { model, losses, loss: mse(model.forward(x), y).item(), right: countRight(model) };
}

/** The same without `fit`, from another start: one step, compiled to one program, and a loop. Does it learn XOR? */
function solves(hidden: number, seed: number, steps: number): boolean {
  const model = network(hidden, seed);
  const optimizer = new Adam(model.parameters(), { lr: 0.05 });
  const step = compile(() => {
    const loss = mse(model.forward(x), y);
    optimizer.step(loss);
    return loss;
  });
  for (let i = 0; i < steps; i++) step();
  return countRight(model) === 4;
}

/** The loss of one example under a network that has learned nothing yet: small enough to draw its graph. */
function example() {
  const model = network(3, 0, "float64");
  const input = tensor([[1, 1]], { dtype: "float64" }).named("x");
  const answer = tensor([[0]], { dtype: "float64" }).named("y");
  const loss = mse(model.forward(input), answer).named("loss");
  return { loss, check: checkWeights(loss, model.namedParameters()) };
}

/** The chapters around the training of the network, each a file that also runs alone. */
const before: readonly Tell[] = [
  perceptron,
  logistic,
  kernel,
  activations,
  forward,
  descent,
  backpropagation,
];
const after: readonly Tell[] = [deeper, optimizers, vanishing, dying, recurrent, playground];

async function tellAll(chapters: readonly Tell[], effort: number, output: Output): Promise<Chapter[]> {
  const told: Chapter[] = [];
  for (const tell of chapters) {
    console.log();
    told.push(await tell({ effort, output }));
  }
  return told;
}

export interface XorOptions {
  /** The folder for the page. */
  readonly folder: string;
  /** How long each network trains; 1000 steps unless given. */
  readonly steps?: number;
  /** From how many starts each number of neurons is tried; 20 unless given. */
  readonly seeds?: number;
  /** Where the progress goes; `process.stderr` unless given. */
  readonly output?: Output;
}

/** Trains, prints and writes the page. Returns whether three hidden neurons learned XOR. */
export async function xor({ folder, steps = 1000, seeds = 20, output = process.stderr }: XorOptions) {
  console.log(
    "XOR: is exactly one of two inputs 1? Training networks with 1, 2, 3, 5 and 10 hidden neurons.",
  );
  const trials: Trial[] = [];
  for (const hidden of [1, 2, 3, 5, 10]) {
    const watched = await watch(hidden, steps, output);
    const solved = Array.from({ length: seeds }, (_, seed) => solves(hidden, seed, steps));
    trials.push({ hidden, ...watched, solved });
  }

  console.log("\nneurons      loss   right   seeds that solve it");
  for (const { hidden, loss, right, solved } of trials) {
    const times = `${solved.filter(Boolean).length} of ${seeds}`;
    console.log(`${String(hidden).padStart(7)}  ${loss.toFixed(6)}     ${right}/4   ${times.padStart(19)}`);
  }
  const { loss, right, solved } = trials.find(({ hidden }) => hidden === 3)!;
  console.log(`\n3 hidden neurons solve XOR from ${solved.filter(Boolean).length} of ${seeds} seeds.`);

  const { loss: graph, check } = example();
  const verdict = check.report.pass ? "passes" : "FAILS";
  console.log(`The gradient ${verdict} its check: off by ${check.worst.toExponential(1)} at most.`);

  const effort = Math.min(1, steps / 1000);
  const chapters = {
    before: await tellAll(before, effort, output),
    after: await tellAll(after, effort, output),
  };
  console.log();
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "index.html"), await xorPage({ steps, trials, graph, check, ...chapters }));
  const outcome = right === 4 ? "XOR solved" : "XOR not solved";
  console.log(`${outcome}: ${right}/4 correct, loss ${loss.toFixed(6)}, report out/xor/index.html`);
  return right === 4 && check.report.pass;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const learned = await xor({ folder: fileURLToPath(new URL("../../out/xor", import.meta.url)) });
  if (!learned) process.exitCode = 1;
}
