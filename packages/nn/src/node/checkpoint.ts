import { open, readFile, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { ValueError } from "@cotangent/autograd/functional";
import type { CheckpointStore } from "../checkpoint.ts";

/**
 * Writes `parts`, one behind the other, to the file at `path`, which is then either the new one or, whatever happens meanwhile, the
 * old one: into a file beside it, onto the disk, and only then under its name. Throws what the
 * file system does, and ValueError for what is no list.
 */
export async function writeFileAtomically(path: string, parts: Iterable<Uint8Array>): Promise<void> {
  if (parts instanceof Uint8Array || typeof parts?.[Symbol.iterator] !== "function")
    throw new ValueError(
      "writeFileAtomically: takes a list of Uint8Array, as in writeFileAtomically(path, [bytes])",
    );
  const beside = `${path}.${process.pid}.tmp`;
  try {
    const file = await open(beside, "w");
    try {
      for (const part of parts) await file.writeFile(part);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(beside, path);
  } catch (error) {
    await rm(beside, { force: true });
    throw error;
  }
  await syncFolder(dirname(path));
}

/** The new name is on the disk too, where folders can be opened. */
async function syncFolder(path: string): Promise<void> {
  try {
    const folder = await open(path, "r");
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  } catch {
    // On Windows they cannot; the file itself is safe.
  }
}

/**
 * Keeps the checkpoints of `fit` in one file, a safetensors file that is replaced as a whole. Its folder has to exist.
 *
 * @example
 * ```ts
 * import { mkdtemp } from "node:fs/promises";
 * import { tmpdir } from "node:os";
 * import { join } from "node:path";
 * import { tensor } from "@cotangent/autograd";
 * import { fit, Linear, SGD } from "@cotangent/nn";
 * import { mse } from "@cotangent/nn/loss";
 * import { checkpointFile } from "@cotangent/nn/node";
 * const checkpoint = checkpointFile(join(await mkdtemp(join(tmpdir(), "fit-")), "last.safetensors"));
 * const train = async (epochs: number) => {
 *   const model = new Linear(1, 1);
 *   const optimizer = new SGD(model.parameters(), { lr: 0.1 });
 *   const seen: number[] = [];
 *   const training = fit(model, [tensor([[1]]), tensor([[2]])], { loss: mse, optimizer, epochs, checkpoint });
 *   for await (const { epoch } of training) seen.push(epoch);
 *   return seen;
 * };
 * await train(2); // => [ 1, 2 ]
 * await train(4); // => [ 3, 4 ]
 * ```
 */
export function checkpointFile(path: string): CheckpointStore {
  return {
    read: async () => {
      try {
        return await readFile(path);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
        throw error;
      }
    },
    write: (parts) => writeFileAtomically(path, parts),
  };
}
