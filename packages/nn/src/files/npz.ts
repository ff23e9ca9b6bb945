import type { Tensor } from "@cotangent/autograd/functional";
import { FormatError, ValueError } from "@cotangent/autograd/functional";
import { optionsOf } from "../options.ts";
import type { StateDict } from "../state.ts";
import { bytesOf, collect, entriesOf, type FileBytes } from "./contents.ts";
import { readArray, writeNpy } from "./npy.ts";
import { readZip, writeZip } from "./zip.ts";

const ending = ".npy";

export interface NpzOptions {
  /** How many bytes all files may have when decompressed; 2^30 unless given. */
  readonly limit?: number | undefined;
}

/**
 * The tensors of an .npz file (`numpy.savez`, `numpy.savez_compressed`) by name, read without trust as by `readNpy`.
 *
 * Throws FormatError, naming the file within, if the archive is cut short or damaged, if files overlap, have names twice or
 * are larger than declared or than all of them may be, and as `readNpy` does. ValueError unless `limit` is a number of at least 0.
 *
 * @example
 * ```ts
 * import { tensor } from "@cotangent/autograd";
 * import { readNpz, writeNpz } from "@cotangent/nn/files";
 * readNpz(writeNpz({ x: tensor([1, 2]), y: tensor([true]) })).y; // => Tensor([true], bool)
 * ```
 */
export function readNpz(file: FileBytes, options?: NpzOptions): StateDict {
  const { limit = 2 ** 30 } = optionsOf("readNpz", options, { limit: true });
  if (!(limit >= 0)) throw new ValueError(`readNpz: limit is a number of bytes of at least 0, got ${limit}`);
  const tensors = [...readZip(bytesOf("readNpz", file), limit)].map(([path, data]): [string, Tensor] => {
    const name = `npz: ${JSON.stringify(path)}`;
    if (path.endsWith("data.pkl"))
      throw new FormatError(
        `${name} is of torch.save, whose files are not read; save the state dict with save_file of safetensors.torch, or with numpy.savez`,
      );
    if (!path.endsWith(ending)) throw new FormatError(`${name} is no .npy file`);
    return [path.slice(0, -ending.length), readArray(name, data)];
  });
  return collect("npz", tensors);
}

/**
 * An .npz file with `tensors`, not compressed: `numpy.load` reads it. Computes what has not been computed yet. Throws ValueError
 * for values that are no tensors, the name `__proto__` and more than 4 GB.
 */
export function writeNpz(tensors: StateDict): Uint8Array {
  return writeZip(entriesOf("writeNpz", tensors).map(([name, x]) => [`${name}${ending}`, writeNpy(x)]));
}
