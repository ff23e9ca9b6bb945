import { FormatError, ValueError } from "@cotangent/autograd/functional";
import { optionsOf } from "../options.ts";

export interface CsvOptions {
  /** What stands between fields; a comma unless given. */
  readonly delimiter?: string | undefined;
}

/** A field of a CSV text, and where it begins: both from 1, counted in characters. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

/** One row: its fields, and where each begins. */
export interface CsvRow {
  readonly fields: readonly string[];
  readonly places: readonly Place[];
}

const quote = '"';

/** Where the reader is within a field. */
type Within = "start" | "plain" | "quoted" | "closed";

/**
 * Reads CSV (RFC 4180) piece by piece: lines end with LF or CR LF, a field in quotes may hold delimiters, lines and doubled quotes.
 * Lines without any character are left out.
 */
export class CsvReader {
  readonly #delimiter: string;
  #within: Within = "start";
  #text = "";
  #fields: string[] = [];
  #places: Place[] = [];
  #line = 1;
  #column = 1;
  #begun: Place = { line: 1, column: 1 };
  /** Was the last character a CR, which belongs to a line's end if an LF follows? */
  #return = false;
  #first = true;

  constructor({ delimiter = "," }: CsvOptions = {}) {
    if (typeof delimiter !== "string" || !/^[^"\r\n]$/.test(delimiter))
      throw new ValueError(
        `csv: the delimiter is one character other than quotes and line ends, got ${JSON.stringify(delimiter)}`,
      );
    this.#delimiter = delimiter;
  }

  /** The rows that are complete with `text`. Throws FormatError for quotes where none may be. */
  *push(text: string): Generator<CsvRow> {
    // What Excel puts first.
    let at = this.#first && text.startsWith("\ufeff") ? 1 : 0;
    if (text !== "") this.#first = false;
    for (; at < text.length; at++) {
      const character = text[at]!;
      if (this.#within === "quoted") this.#takeQuoted(character);
      else if (character === "\n") yield* this.#endLine();
      else this.#take(character);
    }
  }

  /** The last row, if the text does not end with a line's end. Throws FormatError for a quote that is not closed. */
  *end(): Generator<CsvRow> {
    if (this.#within === "quoted")
      throw new FormatError(`csv: the quote at ${placed(this.#begun)} is not closed`);
    yield* this.#endLine();
  }

  #takeQuoted(character: string): void {
    if (character === quote) this.#within = "closed";
    else this.#text += character;
    if (character === "\n") this.#newLine();
    else this.#column++;
  }

  #take(character: string): void {
    if (this.#return) this.#keepReturn();
    if (this.#within === "start") this.#begun = { line: this.#line, column: this.#column };
    if (character === this.#delimiter) this.#endField();
    else if (character === "\r") this.#return = true;
    else if (character !== quote) this.#add(character);
    else if (this.#within === "closed") {
      this.#text += quote;
      this.#within = "quoted";
    } else if (this.#within === "start") this.#within = "quoted";
    else
      throw new FormatError(
        `csv: a quote inside the field at ${placed(this.#begun)}; a field with quotes is in quotes itself, and has them doubled`,
      );
    this.#column++;
  }

  /** The CR before was no line's end. */
  #keepReturn(): void {
    this.#return = false;
    this.#add("\r");
  }

  #add(character: string): void {
    if (this.#within === "closed")
      throw new FormatError(
        `csv: something follows the closing quote of the field at ${placed(this.#begun)}`,
      );
    if (this.#within === "start") this.#within = "plain";
    this.#text += character;
  }

  #endField(): void {
    this.#fields.push(this.#text);
    this.#places.push(this.#begun);
    this.#text = "";
    this.#within = "start";
  }

  *#endLine(): Generator<CsvRow> {
    this.#return = false;
    const empty = this.#fields.length === 0 && this.#within === "start";
    if (!empty) {
      if (this.#within === "start") this.#begun = { line: this.#line, column: this.#column };
      this.#endField();
      yield { fields: this.#fields, places: this.#places };
    }
    this.#fields = [];
    this.#places = [];
    this.#newLine();
  }

  #newLine(): void {
    this.#line++;
    this.#column = 1;
  }
}

/** `"line 3, column 7"` */
export function placed({ line, column }: Place): string {
  return `line ${line}, column ${column}`;
}

/**
 * The rows of a CSV text (RFC 4180) that comes in pieces, such as a file that is read as a stream: lists of fields, the header
 * among them. An async iterable gives an async one.
 *
 * Throws FormatError, naming line and column, for quotes where none may be, ValueError for a delimiter that is none.
 *
 * @example
 * ```ts
 * import { csvRows } from "@cotangent/nn/data";
 * [...csvRows(['a,"b ', 'c"\n1,2'])]; // => [ [ 'a', 'b c' ], [ '1', '2' ] ]
 * ```
 */
export function csvRows(
  pieces: AsyncIterable<string>,
  options?: CsvOptions,
): AsyncIterable<readonly string[]>;
// The usual overload is the last: errors are told of that one.
export function csvRows(pieces: Iterable<string>, options?: CsvOptions): Iterable<readonly string[]>;
export function csvRows(
  pieces: Iterable<string> | AsyncIterable<string>,
  options?: CsvOptions,
): Iterable<readonly string[]> | AsyncIterable<readonly string[]> {
  optionsOf("csvRows", options, { delimiter: true });
  if (typeof pieces === "object" && Symbol.asyncIterator in pieces)
    return {
      async *[Symbol.asyncIterator]() {
        const reader = new CsvReader(options);
        for await (const piece of pieces) for (const { fields } of reader.push(piece)) yield fields;
        for (const { fields } of reader.end()) yield fields;
      },
    };
  return {
    *[Symbol.iterator]() {
      const reader = new CsvReader(options);
      for (const piece of pieces) for (const { fields } of reader.push(piece)) yield fields;
      for (const { fields } of reader.end()) yield fields;
    },
  };
}
