import type { Generator, Tensor } from "@cotangent/autograd/functional";
import { FormatError } from "@cotangent/autograd/functional";
import { readSafetensors, safetensorsParts } from "./files/safetensors.ts";
import { loadState, type StateDict, snapshotOf } from "./state.ts";

/** Keeps the last checkpoint of a training: a file (`checkpointFile` of `@cotangent/nn/node`), or anything that can do the same. */
export interface CheckpointStore {
  /** The bytes that were written last, null if there are none. */
  read(): Promise<Uint8Array | null> | Uint8Array | null;
  /** Keeps `parts`, one behind the other, instead of what was there: all of it, or if anything fails, none. */
  write(parts: Iterable<Uint8Array>): Promise<void> | void;
}

/** What has a state that can be kept: a module, an optimizer, an average of weights. */
export interface Stateful {
  stateDict(): StateDict;
  loadStateDict(state: StateDict): unknown;
}

/** The state of a generator of random numbers: its seed and its place. */
export function statefulGenerator(generator: Generator): Stateful {
  const variables = new Map(Object.entries(generator.state));
  return {
    stateDict: () => snapshotOf(variables),
    loadStateDict: (state) => loadState("Generator", variables, state),
  };
}

/** Several states as one: their names begin with the names of the parts. */
export class Parts implements Stateful {
  readonly #parts: readonly (readonly [prefix: string, part: Stateful])[];

  constructor(parts: Readonly<Record<string, Stateful>>) {
    this.#parts = Object.entries(parts).map(([name, part]) => [`${name}.`, part]);
  }

  stateDict(): StateDict {
    const entries = this.#parts.flatMap(([prefix, part]) =>
      Object.entries(part.stateDict()).map(([name, x]) => [prefix + name, x] as const),
    );
    return Object.fromEntries(entries);
  }

  /** Loads all parts or, if one does not fit, none. Throws what the part throws, and FormatError for a name of no part. */
  loadStateDict(state: StateDict): void {
    const stray = Object.keys(state).find((name) => !this.#parts.some(([prefix]) => name.startsWith(prefix)));
    if (stray !== undefined)
      throw new FormatError(`checkpoint: there is nothing here for ${JSON.stringify(stray)}`);
    const loaded: [Stateful, StateDict][] = [];
    try {
      for (const [prefix, part] of this.#parts) {
        const before = part.stateDict();
        part.loadStateDict(below(prefix, state));
        loaded.push([part, before]);
      }
    } catch (error) {
      for (const [part, before] of loaded) part.loadStateDict(before);
      throw error;
    }
  }
}

/** The entries whose names begin with `prefix`, without it. */
export function below(prefix: string, state: StateDict): StateDict {
  return Object.fromEntries(
    Object.entries(state).flatMap(([name, x]): [string, Tensor][] =>
      name.startsWith(prefix) ? [[name.slice(prefix.length), x]] : [],
    ),
  );
}

/** Tensors, and a note: anything that JSON can write, and NaN and infinities besides. */
export interface Checkpoint {
  readonly tensors: StateDict;
  readonly note: unknown;
}

const format = "cotangent checkpoint 1";

/** A checkpoint as a safetensors file, in parts. */
export function checkpointParts({ tensors, note }: Checkpoint): Iterable<Uint8Array> {
  const text = JSON.stringify(note, (_, value: unknown) =>
    typeof value === "number" && !Number.isFinite(value) ? { number: String(value) } : value,
  );
  return safetensorsParts(tensors, { format, note: text });
}

/** Throws FormatError if `bytes` are no checkpoint. */
export function readCheckpoint(bytes: Uint8Array): Checkpoint {
  const { tensors, metadata } = readSafetensors(bytes);
  if (metadata.format !== format)
    throw new FormatError(
      `checkpoint: the file is no checkpoint, but has the format ${JSON.stringify(metadata.format)}`,
    );
  try {
    const note: unknown = JSON.parse(metadata.note ?? "", (_, value) =>
      typeof value?.number === "string" ? Number(value.number) : value,
    );
    return { tensors, note };
  } catch (cause) {
    throw new FormatError("checkpoint: what it says of the training is not JSON", { cause });
  }
}
