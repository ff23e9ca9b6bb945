// XOR, from four points to a picture of what was learned: `npm start`.
//
// Is exactly one of two inputs 1? No straight line through the plane answers that, so a network needs hidden neurons. This
// trains networks with 1, 2, 3, 5 and 10 of them, and writes what happened to out/xor/index.html.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { compile, type DType, manualSeed, sigmoid, tanh, tensor } from "@cotangent/autograd";
import { Adam, fit, Linear, Sequential } from "@cotangent/nn";
import { mse } from "@cotangent/nn/loss";
import { type Output, progress } from "@cotangent/nn/node";
import { checkWeights } from "./xor/check.ts";
import { type Trial, xorPage } from "./xor/page.ts";

const x = tensor([[0, 0], [0, 1], [1, 0], [1, 1]]); // biome-ignore format: one line is easier to read
const y = tensor([[0], [1], [1], [0]]);

/** Two inputs, `hidden` neurons, one output between 0 and 1. The seed decides where the weights start. */
function network(hidden: number, seed: number, dtype: DType = "float32"): Sequential {
  manualSeed(seed);
  return new Sequential(new Linear(2, hidden, { dtype }), tanh, new Linear(hidden, 1, { dtype }), sigmoid);
}

/** How many of the four outputs are on the right side of one half. */
function countRight(model: Sequential): number {
  return model.forward(x).gt(0.5).eq(y.gt(0.5)).sum().item();
}
