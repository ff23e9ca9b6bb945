import type { Tensor } from "@cotangent/autograd/functional";
import { FormatError, fromTypedArray, ValueError } from "@cotangent/autograd/functional";
import { type Known, optionsOf } from "../options.ts";
import { type CsvOptions, CsvReader, type CsvRow, placed } from "./csv.ts";

export interface TableOptions extends CsvOptions {
  /** Is the first line a header with the names of the columns? Else they are called "0", "1" and so on. True unless given. */
  readonly header?: boolean | undefined;
  /** Columns of words instead of numbers. */
  readonly categorical?: readonly string[] | undefined;
  /** What stands for a number that is not there, and is read as NaN: `["", "?"]`. Nothing unless given. */
  readonly missing?: readonly string[] | undefined;
}

const known: Known<TableOptions> = { delimiter: true, header: "boolean", categorical: true, missing: true };

/** The columns of a CSV text as tensors. */
export class Table {
  /** The names of the columns, in their order. */
  readonly names: readonly string[];
  /** How many rows there are. */
  readonly length: number;
  readonly #numbers: ReadonlyMap<string, Float64Array>;
  readonly #categories: ReadonlyMap<string, readonly string[]>;

  /** @internal */
  constructor(
    length: number,
    numbers: ReadonlyMap<string, Float64Array>,
    categories: ReadonlyMap<string, readonly string[]>,
  ) {
    this.names = [...numbers.keys()];
    this.length = length;
    this.#numbers = numbers;
    this.#categories = categories;
  }

  /** The columns called `names` side by side: float32 [rows, names]. Throws ValueError for a name that is none. */
  columns(...names: string[]): Tensor {
    const out = new Float32Array(this.length * names.length);
    names.forEach((name, i) => {
      const column = this.#column(name);
      for (let row = 0; row < this.length; row++) out[row * names.length + i] = column[row]!;
    });
    return fromTypedArray(out, [this.length, names.length]) as Tensor;
  }

  /** For each row the number of its word among `categories(name)`: int32 [rows]. Throws ValueError unless it is a column of words. */
  classes(name: string): Tensor {
    this.categories(name);
    return fromTypedArray(Int32Array.from(this.#column(name)), [this.length]) as Tensor;
  }

  /** The words of a column, each once, sorted. Throws ValueError unless it is a column of words. */
  categories(name: string): readonly string[] {
    this.#column(name);
    const found = this.#categories.get(name);
    if (!found)
      throw new ValueError(
        `Table: column ${JSON.stringify(name)} holds numbers; name it in categorical to have words`,
      );
    return found;
  }

  #column(name: string): Float64Array {
    const column = this.#numbers.get(name);
    if (!column)
      throw new ValueError(
        `Table: there is no column ${JSON.stringify(name)}; there are ${this.names.join(", ")}`,
      );
    return column;
  }
}

/**
 * The table in a CSV text (RFC 4180; bytes are UTF-8): columns of numbers, or of words where `categorical` says so.
 *
 * Throws FormatError, naming line and column, for quotes where none may be, rows of different lengths, a name that comes twice and
 * for what is no number; ValueError for a categorical column that is none and for options that there are not.
 *
 * @example
 * ```ts
 * import { readCsv } from "@cotangent/nn/data";
 * const text = "length,species\n1.5,setosa\n?,virginica\n2.5,setosa\n";
 * const table = readCsv(text, { categorical: ["species"], missing: ["?"] });
 * table.columns("length").toArray(); // => 1.5,NaN,2.5
 * table.classes("species").toArray(); // => 0,1,0
 * table.categories("species"); // => [ 'setosa', 'virginica' ]
 * ```
 */
export function readCsv(source: string | Uint8Array, options: TableOptions = {}): Table {
  optionsOf("readCsv", options, known);
  const reader = new CsvReader(options);
  const rows = [...reader.push(textOf(source)), ...reader.end()];
  const [first] = rows;
  if (!first) throw new FormatError("csv: there are no rows");
  const { header = true, categorical = [], missing = [] } = options;
  const names = header ? first.fields : first.fields.map((_, i) => String(i));
  if (header) checkNames(first);
  const body = header ? rows.slice(1) : rows;
  for (const { fields, places } of body)
    if (fields.length !== names.length)
      throw new FormatError(
        `csv: the row at ${placed(places[0]!)} has ${fields.length} fields, and ${names.length} belong there`,
      );
  const unknown = categorical.find((name) => !names.includes(name));
  if (unknown !== undefined)
    throw new ValueError(
      `readCsv: there is no column ${JSON.stringify(unknown)}; there are ${names.join(", ")}`,
    );
  const numbers = new Map<string, Float64Array>();
  const categories = new Map<string, readonly string[]>();
  names.forEach((name, i) => {
    if (categorical.includes(name)) {
      const words = [...new Set(body.map(({ fields }) => fields[i]!))].sort();
      const places = new Map(words.map((word, place) => [word, place]));
      categories.set(name, words);
      numbers.set(
        name,
        Float64Array.from(body, ({ fields }) => places.get(fields[i]!)!),
      );
    } else
      numbers.set(
        name,
        Float64Array.from(body, (row) => numberOf(row, i, name, missing)),
      );
  });
  return new Table(body.length, numbers, categories);
}

function textOf(source: string | Uint8Array): string {
  if (typeof source === "string") return source;
  if (!(source instanceof Uint8Array)) throw new ValueError("readCsv: takes a text or its bytes");
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(source);
  } catch (cause) {
    throw new FormatError("csv: the bytes are not UTF-8", { cause });
  }
}

function checkNames({ fields, places }: CsvRow): void {
  fields.forEach((name, i) => {
    if (fields.indexOf(name) !== i)
      throw new FormatError(`csv: the name ${JSON.stringify(name)} at ${placed(places[i]!)} comes twice`);
  });
}

const decimal = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/;

function numberOf({ fields, places }: CsvRow, i: number, name: string, missing: readonly string[]): number {
  const text = fields[i]!;
  const bare = text.trim();
  if (missing.includes(bare)) return Number.NaN;
  if (decimal.test(bare)) return Number(bare);
  const remedy =
    bare === "" ? "say so with missing" : "name the column in categorical, or the word in missing";
  throw new FormatError(
    `csv: ${JSON.stringify(text.slice(0, 100))} at ${placed(places[i]!)} (${name}) is no number; ${remedy}`,
  );
}
