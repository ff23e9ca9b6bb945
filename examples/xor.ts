// XOR, from four points to a picture of what was learned: `npm start`.
//
// Is exactly one of two inputs 1? No straight line through the plane answers that, so a network needs hidden neurons. This
// trains networks with 1, 2, 3, 5 and 10 of them, and writes what happened to out/xor/index.html.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { compile, type DType, manualSeed, sigmoid, type Tensor, tanh, tensor } from "@cotangent/autograd";
import { Adam, Linear, Sequential } from "@cotangent/nn";
import { mse } from "@cotangent/nn/loss";
import { checkWeights } from "./xor/check.ts";
import { xorPage } from "./xor/page.ts";

const x = tensor([
  [0, 0],
  [0, 1],
  [1, 0],
  [1, 1],
]);
const y = tensor([[0], [1], [1], [0]]);

/** Two inputs, `hidden` neurons, one output between 0 and 1. The seed decides where its weights start. */
function network(hidden: number, seed: number, dtype: DType = "float32"): Sequential {
  manualSeed(seed);
  return new Sequential(new Linear(2, hidden, { dtype }), tanh, new Linear(hidden, 1, { dtype }), sigmoid);
}

/** Trains on all four points at once. Returns the loss before each step. */
function train(model: Sequential, steps: number): number[] {
  const optimizer = new Adam(model.parameters(), { lr: 0.05 });
  const step = compile(() => {
    const loss = mse(model.forward(x), y);
    optimizer.step(loss);
    return loss;
  });
  return Array.from({ length: steps }, () => step().item());
}

/** How many of the four answers are on the right side of one half. */
function countRight(model: Sequential): number {
  return model.forward(x).gt(0.5).eq(y.gt(0.5)).sum().item();
}

export interface XorOptions {
  /** The folder for the page. */
  readonly out: string;
  /** How long each network trains. */
  readonly steps?: number;
  /** How many different starts are tried for each number of hidden neurons. */
  readonly seeds?: number;
}

/** Trains, prints and writes the page. Returns whether three hidden neurons learned XOR. */
export async function xor({ out, steps = 1000, seeds = 20 }: XorOptions): Promise<boolean> {
  console.log(`XOR: is exactly one of two inputs 1? ${steps} training steps for each network.\n`);

  const trials = [1, 2, 3, 5, 10].map((hidden) => {
    const runs = Array.from({ length: seeds }, (_, seed) => {
      const model = network(hidden, seed);
      const losses = train(model, steps);
      return { model, losses, loss: mse(model.forward(x), y).item(), right: countRight(model) };
    });
    console.log(`${hidden} trained`);
    return { hidden, runs };
  });

  console.log("hidden neurons   loss       right   seeds that solve it");
  for (const { hidden, runs } of trials) {
    const { loss, right } = runs[0]!;
    const solving = runs.filter((run) => run.right === 4).length;
    console.log(
      `${String(hidden).padStart(14)}   ${loss.toFixed(6)}   ${right}/4     ${String(solving).padStart(2)} of ${seeds}`,
    );
  }
  const { runs } = trials[2]!;
  console.log(`\n3 hidden neurons solve XOR from ${runs.filter((run) => run.right === 4).length} of ${seeds} starts.`);

  // A gradient is a graph like any other: check one against differences, in float64, before the first step.
  const fresh = network(3, 0, "float64");
  const loss = mse(fresh.forward(tensor([[1, 1]])), tensor([[0]], { dtype: "float64" })).named("loss");
  const check = checkWeights(loss, fresh.namedParameters());

  await mkdir(out, { recursive: true });
  await writeFile(join(out, "index.html"), await xorPage({ steps, seeds, trials, loss, check }));
  const { right, loss: final } = runs[0]!;
  console.log(`XOR ${right === 4 ? "solved" : "not solved"}: ${right}/4 correct, loss ${final.toFixed(6)}, report out/xor/index.html`);
  return right === 4;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const solved = await xor({ out: fileURLToPath(new URL("../../out/xor", import.meta.url)) });
  if (!solved) process.exitCode = 1;
}
