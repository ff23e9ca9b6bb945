import type { DType, Shape, TypedArray } from "@cotangent/autograd/functional";
import { FormatError, fromTypedArray, Tensor, ValueError } from "@cotangent/autograd/functional";
import { bytesOf, elementsIn, type FileBytes } from "./contents.ts";
import { decode, encode, type Storage, storedSize } from "./elements.ts";
import { parseHeader } from "./literal.ts";

/** NumPy's letters for what is read, each with the bytes of an element. */
const storages: ReadonlyMap<string, Storage> = new Map([
  ["b1", "bool"],
  ["i1", "int8"],
  ["u1", "uint8"],
  ["i2", "int16"],
  ["u2", "uint16"],
  ["i4", "int32"],
  ["u4", "uint32"],
  ["i8", "int64"],
  ["u8", "uint64"],
  ["f2", "float16"],
  ["f4", "float32"],
  ["f8", "float64"],
]);

const written: { readonly [D in DType]: string } = {
  bool: "|b1",
  int32: "<i4",
  float32: "<f4",
  float64: "<f8",
};

const magic = "\x93NUMPY";

/** NumPy's own limit. */
const maxHeader = 10_000;

/**
 * The tensor of an .npy file (NumPy's NEP 1 and `numpy.lib.format`, versions 1 to 3), read without trust. float16 is widened to
 * float32, integers become int32; arrays in the order of Fortran and with the highest byte first are turned round.
 *
 * Throws FormatError if the file is cut short or too long, if its header is no such header, for dtypes that no tensor has,
 * pickled objects above all, and for integers beyond int32.
 *
 * @example
 * ```ts
 * import { tensor } from "@cotangent/autograd";
 * import { readNpy, writeNpy } from "@cotangent/nn/files";
 * readNpy(writeNpy(tensor([[1, 2], [3, 4]]))); // => Tensor([[1, 2], [3, 4]], float32)
 * ```
 */
export function readNpy(file: FileBytes): Tensor {
  return readArray("npy", bytesOf("readNpy", file));
}

/** The same with a name that begins the messages. */
export function readArray(name: string, bytes: Uint8Array): Tensor {
  const { text, start } = headerText(name, bytes);
  const { descr, fortranOrder, shape } = parseHeader(name, text);
  const [storage, littleEndian] = storageOf(name, descr);
  const needed = elementsIn(name, shape) * storedSize(storage);
  const data = bytes.subarray(start);
  if (data.length !== needed)
    throw new FormatError(
      `${name}: ${data.length} bytes of data behind byte ${start}, and ${descr} of shape [${shape.join(", ")}] takes ${needed}`,
    );
  const elements = decode(name, data, storage, littleEndian);
  return fromTypedArray(fortranOrder ? rowByRow(elements, shape) : elements, shape);
}

function headerText(name: string, bytes: Uint8Array): { text: string; start: number } {
  const letters = String.fromCharCode(...bytes.subarray(0, magic.length));
  if (letters !== magic)
    throw new FormatError(`${name}: an .npy file begins with \\x93NUMPY, and this does not`);
  const version = bytes[6] ?? 0;
  if (version < 1 || version > 3)
    throw new FormatError(`${name}: version ${version} of the format is not read; 1 to 3 are`);
  const start = version === 1 ? 10 : 12;
  if (bytes.length < start)
    throw new FormatError(`${name}: the file is cut short in its first ${start} bytes`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const length = version === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  if (length > maxHeader)
    throw new FormatError(`${name}: a header of ${length} bytes is beyond the limit of ${maxHeader}`);
  if (length > bytes.length - start)
    throw new FormatError(
      `${name}: the header has ${length} bytes and ${bytes.length - start} are left; the file is cut short`,
    );
  // What matters is ASCII in all versions.
  const text = String.fromCharCode(...bytes.subarray(start, start + length));
  return { text, start: start + length };
}

/** A `descr` such as "<f4": the order of bytes, the kind and the bytes of an element. */
function storageOf(name: string, descr: string): [Storage, littleEndian: boolean] {
  const [order, code] = [descr.slice(0, 1), descr.slice(1)];
  if (code.startsWith("O"))
    throw new FormatError(
      `${name}: holds pickled Python objects, which are programs; save an array of numbers, with allow_pickle=False`,
    );
  const storage = storages.get(code);
  const ordered = order === "<" || order === ">" || (order === "|" && storage && storedSize(storage) === 1);
  if (!storage || !ordered)
    throw new FormatError(
      `${name}: dtype ${JSON.stringify(descr)} is not read; those that are: ${[...storages.keys()].join(", ")}`,
    );
  return [storage, order !== ">"];
}

/** The elements that lie column by column, the first axis fastest, row by row. */
function rowByRow(elements: TypedArray, shape: Shape): TypedArray {
  const out = elements.slice();
  const place = shape.map(() => 0);
  const strides = shape.map((_, axis) => shape.slice(0, axis).reduce((product, size) => product * size, 1));
  let from = 0;
  for (let i = 0; i < out.length; i++) {
    out[i] = elements[from]!;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += strides[axis]!;
      if (++place[axis]! < shape[axis]!) break;
      place[axis] = 0;
      from -= strides[axis]! * shape[axis]!;
    }
  }
  return out;
}

/**
 * An .npy file with the elements of `x` row by row: `numpy.load` reads it. Computes `x` if need be. Throws ValueError if `x` is no
 * tensor.
 */
export function writeNpy(x: Tensor): Uint8Array {
  if (!(x instanceof Tensor)) throw new ValueError("writeNpy: takes a tensor; make one with tensor(...)");
  const sizes = x.rank === 1 ? `${x.shape[0]},` : x.shape.join(", ");
  const literal = `{'descr': '${written[x.dtype]}', 'fortran_order': False, 'shape': (${sizes}), }`;
  // The data begin at a multiple of 64 bytes.
  const length = Math.ceil((10 + literal.length + 1) / 64) * 64;
  const data = encode(x);
  const bytes = new Uint8Array(length + data.length);
  const head = `${magic}\x01\x00\x00\x00${literal.padEnd(length - 11)}\n`;
  for (let i = 0; i < length; i++) bytes[i] = head.charCodeAt(i);
  new DataView(bytes.buffer).setUint16(8, length - 10, true);
  bytes.set(data, length);
  return bytes;
}
