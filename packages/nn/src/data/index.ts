// Data sets, batches of them, files that hold some, and small ones to try things on.

export type { BatchOptions } from "./batches.ts";
export { batches } from "./batches.ts";
export type { CsvOptions } from "./csv.ts";
export { csvRows } from "./csv.ts";
export type { Dataset, Fold, SplitOptions } from "./dataset.ts";
export { kFold, randomSplit, Subset, TensorDataset } from "./dataset.ts";
export type { IdxOptions } from "./idx.ts";
export { readIdx } from "./idx.ts";
export { map, prefetch } from "./iterables.ts";
export type { PadSequenceOptions } from "./sequences.ts";
export { padSequence } from "./sequences.ts";
export type { Table, TableOptions } from "./table.ts";
export { readCsv } from "./table.ts";
export type {
  BlobOptions,
  CheckerboardOptions,
  CircleOptions,
  LineOptions,
  SpiralOptions,
  Toy,
  ToyOptions,
} from "./toys.ts";
export { blobs, checkerboard, circles, linear, moons, sine, spirals, xor } from "./toys.ts";
