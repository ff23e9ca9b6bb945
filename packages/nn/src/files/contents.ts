import type { Shape } from "@cotangent/autograd/functional";
import { FormatError, hideFrames, Tensor, ValueError } from "@cotangent/autograd/functional";
import type { StateDict } from "../state.ts";

hideFrames(import.meta.url);

/** The bytes of a file, as Node reads them and as `fetch` gives them. */
export type FileBytes = Uint8Array | ArrayBuffer;

/** The same as one list of bytes. Throws ValueError for anything else, such as a path. */
export function bytesOf(name: string, file: FileBytes): Uint8Array {
  // Not by instanceof: a test runner has a realm of its own.
  if (ArrayBuffer.isView(file)) return new Uint8Array(file.buffer, file.byteOffset, file.byteLength);
  if (Object.prototype.toString.call(file) === "[object ArrayBuffer]") return new Uint8Array(file);
  const given = Object(file) === file ? "an object" : typeof file;
  throw new ValueError(
    `${name}: takes the bytes of a file, got ${given}; read it first, with readFile or (await fetch(url)).arrayBuffer()`,
  );
}

/** More elements or axes than these have no place in a tensor; NumPy has at most 64 axes too. */
const maxElements = 2 ** 31 - 1;
const maxRank = 64;

/** The number of elements of a shape that a file names. Throws FormatError if it is no shape, or too large. */
export function elementsIn(name: string, shape: Shape): number {
  const shown = (): string => JSON.stringify(shape).slice(0, 100);
  if (!shape.every((size) => Number.isSafeInteger(size) && size >= 0))
    throw new FormatError(`${name}: the shape is ${shown()}; sizes are whole numbers of at least 0`);
  if (shape.length > maxRank)
    throw new FormatError(`${name}: the shape has ${shape.length} axes; at most ${maxRank} are read`);
  // Also where an axis is empty: the strides must be numbers too.
  const filled = shape.reduce((product, size) => product * Math.max(1, size), 1);
  if (filled > maxElements)
    throw new FormatError(
      `${name}: shape ${shown()} is too large; a tensor has up to ${maxElements} elements`,
    );
  return shape.includes(0) ? 0 : filled;
}

/** As a name, this would be the prototype of many an object that tensors are copied into. */
const refusedName = "__proto__";

/** The tensors by name. Throws FormatError if a name comes twice. */
export function collect(name: string, entries: readonly (readonly [string, Tensor])[]): StateDict {
  const seen = new Set<string>();
  for (const [key] of entries) {
    if (seen.has(key)) throw new FormatError(`${name}: ${JSON.stringify(key)} comes twice`);
    if (key === refusedName) throw new FormatError(`${name}: no tensor may be called ${refusedName}`);
    seen.add(key);
  }
  return Object.fromEntries(entries);
}

/** The entries to be written. Throws ValueError if one is no tensor, or has a name that would not be read again. */
export function entriesOf(name: string, tensors: StateDict): [string, Tensor][] {
  const entries = Object.entries(tensors);
  for (const [key, value] of entries) {
    if (!(value instanceof Tensor))
      throw new ValueError(`${name}: ${JSON.stringify(key)} is no tensor; make one with tensor(...)`);
    if (key === refusedName) throw new ValueError(`${name}: no tensor may be called ${refusedName}`);
  }
  return entries;
}
