import type { DType, Shape, Tensor } from "@cotangent/autograd/functional";
import { FormatError, fromTypedArray, ValueError } from "@cotangent/autograd/functional";
import type { StateDict } from "../state.ts";
import { bytesOf, collect, elementsIn, entriesOf, type FileBytes } from "./contents.ts";
import { decode, encode, type Storage, storedSize } from "./elements.ts";
import { parseJson } from "./json.ts";

/** What a safetensors file holds. */
export interface Safetensors {
  readonly tensors: StateDict;
  /** What the file says of itself, text by name. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** The names of the format for what is read; others (complex, 8 bits and less) are refused. */
const storages: ReadonlyMap<string, Storage> = new Map([
  ["BOOL", "bool"],
  ["I8", "int8"],
  ["U8", "uint8"],
  ["I16", "int16"],
  ["U16", "uint16"],
  ["I32", "int32"],
  ["U32", "uint32"],
  ["I64", "int64"],
  ["U64", "uint64"],
  ["F16", "float16"],
  ["BF16", "bfloat16"],
  ["F32", "float32"],
  ["F64", "float64"],
]);

const written: { readonly [D in DType]: string } = {
  bool: "BOOL",
  int32: "I32",
  float32: "F32",
  float64: "F64",
};

/** The format's own limit, in bytes. */
const maxHeader = 100_000_000;

/** One tensor as the header describes it: where it lies, counted from the end of the header. */
interface Entry {
  readonly key: string;
  readonly storage: Storage;
  readonly shape: Shape;
  readonly begin: number;
  readonly end: number;
}

/**
 * The tensors of a safetensors file (https://github.com/huggingface/safetensors, "Format"), read without trust: all of the
 * header is checked before the first tensor is made. F16 and BF16 are widened to float32; integers become int32.
 *
 * Throws FormatError, naming the tensor, if the file is cut short, if its header is no such header or names a tensor twice, if
 * tensors overlap, leave holes or do not have the bytes that their shape needs, for dtypes that no tensor has, and for integers
 * beyond int32.
 *
 * @example
 * ```ts
 * import { tensor } from "@cotangent/autograd";
 * import { readSafetensors, writeSafetensors } from "@cotangent/nn/files";
 * const bytes = writeSafetensors({ "fc.weight": tensor([[1, 2]]) }, { step: "100" });
 * const { tensors, metadata } = readSafetensors(bytes);
 * tensors["fc.weight"]; // => Tensor([[1, 2]], float32)
 * metadata; // => { step: '100' }
 * ```
 */
export function readSafetensors(file: FileBytes): Safetensors {
  const bytes = bytesOf("readSafetensors", file);
  const header = headerOf(bytes);
  const data = bytes.subarray(8 + header.length);
  const { entries, metadata } = parseHeader(header);
  checkPlaces(entries, data.length);
  const tensors = entries.map(({ key, storage, shape, begin, end }): [string, Tensor] => [
    key,
    fromTypedArray(decode(quoted(key), data.subarray(begin, end), storage), shape),
  ]);
  return { tensors: collect("safetensors", tensors), metadata };
}

/** "PK" and the mark of a first file. */
const zip = 0x504b0304;

const quoted = (key: string): string => `safetensors: ${JSON.stringify(key)}`;

function headerOf(bytes: Uint8Array): Uint8Array {
  if (bytes.length < 8)
    throw new FormatError(
      `safetensors: a file begins with 8 bytes for the length of its header, and this has ${bytes.length} in all`,
    );
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  if (view.getUint32(0) === zip)
    throw new FormatError(
      "safetensors: this is a zip archive, such as torch.save and numpy.savez write; save the state dict with save_file of " +
        "safetensors.torch, or read an .npz file with readNpz",
    );
  const length = Number(view.getBigUint64(0, true));
  if (length > maxHeader)
    throw new FormatError(`safetensors: a header of ${length} bytes is beyond the limit of ${maxHeader}`);
  if (length > bytes.length - 8)
    throw new FormatError(
      `safetensors: the header has ${length} bytes and the file ${bytes.length - 8} after its length; it is cut short, or no ` +
        "safetensors file",
    );
  return bytes.subarray(8, 8 + length);
}

function parseHeader(header: Uint8Array): { entries: Entry[]; metadata: Record<string, string> } {
  if (header[0] !== 0x7b) throw new FormatError('safetensors: the header begins with "{", at byte 8');
  const fields = Object.entries(parseJson("safetensors: the header", header) as object);
  const metadata = fields.find(([key]) => key === "__metadata__")?.[1] ?? {};
  return {
    entries: fields.filter(([key]) => key !== "__metadata__").map(([key, value]) => entryOf(key, value)),
    metadata: checkMetadata(metadata, FormatError),
  };
}

function entryOf(key: string, value: unknown): Entry {
  const name = quoted(key);
  if (!isObject(value)) throw new FormatError(`${name}: has no dtype, shape and data_offsets`);
  const { dtype, shape, data_offsets: offsets } = value;
  const storage = typeof dtype === "string" ? storages.get(dtype) : undefined;
  if (!storage)
    throw new FormatError(
      `${name}: dtype ${JSON.stringify(dtype)} is not read; those that are: ${[...storages.keys()].join(", ")}`,
    );
  if (!Array.isArray(shape)) throw new FormatError(`${name}: has no shape, a list of sizes`);
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(Number.isSafeInteger))
    throw new FormatError(`${name}: has no data_offsets, a list of two whole numbers`);
  const [begin, end]: number[] = offsets;
  const needed = elementsIn(name, shape) * storedSize(storage);
  if (begin! < 0 || end! - begin! !== needed)
    throw new FormatError(
      `${name}: the data_offsets are ${begin} and ${end}; ${dtype} of shape [${shape.join(", ")}] takes ${needed} bytes`,
    );
  return { key, storage, shape, begin: begin!, end: end! };
}

function isObject(value: unknown): value is { readonly [field: string]: unknown } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Tensors lie one behind the other and fill the file. */
function checkPlaces(entries: readonly Entry[], length: number): void {
  let [last, behind] = ["the header", 0];
  for (const { key, begin, end } of [...entries].sort((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (begin !== behind)
      throw new FormatError(
        `${quoted(key)}: begins at ${begin}, and ${last} ends at ${behind}; tensors lie one behind the other without ` +
          (begin < behind ? "overlapping" : "holes"),
      );
    [last, behind] = [JSON.stringify(key), end];
  }
  if (behind !== length)
    throw new FormatError(
      `safetensors: ${last} ends at ${behind}, and there are ${length} bytes of data; the file is ` +
        (length < behind ? "cut short" : "too long"),
    );
}

function checkMetadata(metadata: unknown, Kind: new (message: string) => Error): Record<string, string> {
  if (!isObject(metadata)) throw new Kind("safetensors: the metadata are no object with text by name");
  const entries = Object.entries(metadata);
  const wrong = entries.find(([key, text]) => typeof text !== "string" || key === "__proto__");
  if (wrong)
    throw new Kind(
      `safetensors: the metadata say ${JSON.stringify(wrong[1])} of ${JSON.stringify(wrong[0])}; they hold text by name`,
    );
  return Object.fromEntries(entries) as Record<string, string>;
}

/**
 * A safetensors file with `tensors`, those with the larger elements first, so that all of them are aligned, and `metadata`,
 * text by name. Computes what has not been computed yet.
 *
 * Throws ValueError for values that are no tensors, metadata that is no text, and the names `__metadata__` and `__proto__`.
 */
export function writeSafetensors(
  tensors: StateDict,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const parts = [...safetensorsParts(tensors, metadata)];
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** The same file in parts: its header, then each tensor, which is computed when it is its turn. Checks all names first. */
export function safetensorsParts(
  tensors: StateDict,
  metadata: Readonly<Record<string, string>>,
): Iterable<Uint8Array> {
  const entries = entriesOf("writeSafetensors", tensors);
  if (Object.hasOwn(tensors, "__metadata__"))
    throw new ValueError("writeSafetensors: no tensor may be called __metadata__; pass metadata apart");
  entries.sort(([, a], [, b]) => storedSize(b.dtype) - storedSize(a.dtype));
  const texts = checkMetadata(metadata, ValueError);
  const header: [string, unknown][] = Object.keys(texts).length > 0 ? [["__metadata__", texts]] : [];
  let at = 0;
  for (const [key, { dtype, shape, size }] of entries) {
    const end = at + size * storedSize(dtype);
    header.push([key, { dtype: written[dtype], shape, data_offsets: [at, end] }]);
    at = end;
  }
  const text = new TextEncoder().encode(JSON.stringify(Object.fromEntries(header)));
  const head = new Uint8Array(8 + Math.ceil(text.length / 8) * 8).fill(0x20, 8);
  new DataView(head.buffer).setBigUint64(0, BigInt(head.length - 8), true);
  head.set(text, 8);
  return {
    *[Symbol.iterator]() {
      yield head;
      for (const [, x] of entries) yield encode(x);
    },
  };
}
