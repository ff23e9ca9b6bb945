import type { Tensor } from "@cotangent/autograd/functional";
import { FormatError, fromTypedArray, ValueError } from "@cotangent/autograd/functional";
import { bytesOf, elementsIn, type FileBytes } from "../files/contents.ts";
import { decode, type Storage, storedSize } from "../files/elements.ts";
import { optionsOf } from "../options.ts";

/** The third byte of the file says how elements are stored. */
const storages: ReadonlyMap<number, Storage> = new Map([
  [0x08, "uint8"],
  [0x09, "int8"],
  [0x0b, "int16"],
  [0x0c, "int32"],
  [0x0d, "float32"],
  [0x0e, "float64"],
]);

export interface IdxOptions {
  /** Multiplies the elements by this, which makes them float32: 1 / 255 takes bytes to numbers from 0 to 1. */
  readonly scale?: number | undefined;
}

/**
 * The tensor of an IDX file, the format of MNIST (Y. LeCun, C. Cortes, C. J. C. Burges), read without trust: int32 for integers,
 * unless `scale` is given. Decompress a .gz file first.
 *
 * Throws FormatError if the file is cut short or too long, or has no such beginning, ValueError unless `scale` is finite.
 *
 * @example
 * ```ts
 * import { readIdx } from "@cotangent/nn/data";
 * const bytes = Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 3, 0, 51, 255);
 * readIdx(bytes, { scale: 1 / 255 }); // => Tensor([0.0, 0.2, 1.0], float32)
 * ```
 */
export function readIdx(file: FileBytes, options?: IdxOptions): Tensor {
  const bytes = bytesOf("readIdx", file);
  const { scale } = optionsOf("readIdx", options, { scale: true });
  if (scale !== undefined && !Number.isFinite(scale))
    throw new ValueError(`readIdx: scale is a finite number, got ${scale}`);
  const [zero0, zero1, code, rank] = bytes;
  if (zero0 === 0x1f && zero1 === 0x8b)
    throw new FormatError(
      "idx: the file is compressed by gzip; decompress it first, with gunzipSync in Node",
    );
  const storage = storages.get(code ?? 0);
  if (zero0 !== 0 || zero1 !== 0 || !storage || rank === undefined)
    throw new FormatError(
      `idx: begins with ${[...bytes.subarray(0, 4)].join(" ")}; an IDX file begins with 0 0, one of ` +
        `${[...storages.keys()].join(" ")}, and the number of axes`,
    );
  const start = 4 + 4 * rank;
  if (bytes.length < start)
    throw new FormatError(`idx: the file is cut short among its ${rank} sizes, at byte ${bytes.length}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const shape = Array.from({ length: rank }, (_, axis) => view.getUint32(4 + 4 * axis));
  const needed = elementsIn("idx", shape) * storedSize(storage);
  if (bytes.length - start !== needed)
    throw new FormatError(
      `idx: ${bytes.length - start} bytes of data behind byte ${start}, and ${storage} of shape [${shape.join(", ")}] takes ${needed}`,
    );
  const elements = decode("idx", bytes.subarray(start), storage, false);
  return fromTypedArray(
    scale === undefined ? elements : Float32Array.from(elements, (x) => x * scale),
    shape,
  );
}
