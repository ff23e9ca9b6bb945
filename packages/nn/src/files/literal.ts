import type { Shape } from "@cotangent/autograd/functional";
import { FormatError } from "@cotangent/autograd/functional";

/** What the header of an .npy file says. */
export interface Header {
  readonly descr: string;
  readonly fortranOrder: boolean;
  readonly shape: Shape;
}

type Value = string | boolean | readonly number[];

/** The next thing in the text: a mark, a string without escapes, a number or a word. */
const token = /\s*(?:([{}():,[\]])|'([^'\\\n]*)'|"([^"\\\n]*)"|(\d+)L?|(\w+))/y;

interface Token {
  readonly kind: "mark" | "string" | "number" | "word" | "end";
  readonly text: string;
}

/**
 * Reads a header: a Python dictionary with the keys `descr`, `fortran_order` and `shape`, each once. Throws FormatError,
 * beginning with `name`, for anything else.
 */
export function parseHeader(name: string, text: string): Header {
  const reader = new Reader(name, text);
  const fields = new Map<string, Value>();
  reader.mark("{");
  while (!reader.skip("}")) {
    const key = reader.take("string");
    if (fields.has(key)) reader.fail(`has ${JSON.stringify(key)} twice`);
    reader.mark(":");
    fields.set(key, reader.value());
    if (!reader.skip(",")) {
      reader.mark("}");
      break;
    }
  }
  reader.take("end");
  const [descr, fortranOrder, shape] = ["descr", "fortran_order", "shape"].map((key) => fields.get(key));
  if (
    typeof descr !== "string" ||
    typeof fortranOrder !== "boolean" ||
    !Array.isArray(shape) ||
    fields.size > 3
  )
    return reader.fail(
      "does not have descr (text), fortran_order (True or False) and shape (numbers), and only these",
    );
  return { descr, fortranOrder, shape };
}

class Reader {
  readonly #name: string;
  readonly #text: string;
  #next: Token;
  #at = 0;

  constructor(name: string, text: string) {
    this.#name = name;
    this.#text = text;
    this.#next = this.#read();
  }

  fail(message: string): never {
    throw new FormatError(
      `${this.#name}: the header ${message}, at character ${this.#at}: ${this.#text.trim().slice(0, 200)}`,
    );
  }

  #read(): Token {
    token.lastIndex = this.#at;
    const match = token.exec(this.#text);
    if (!match) {
      if (this.#text.slice(this.#at).trim() !== "") this.fail("is no Python dictionary");
      return { kind: "end", text: "its end" };
    }
    this.#at = token.lastIndex;
    const [, mark, single, double, digits, word] = match;
    if (mark !== undefined) return { kind: "mark", text: mark };
    if (digits !== undefined) return { kind: "number", text: digits };
    if (word !== undefined) return { kind: "word", text: word };
    return { kind: "string", text: (single ?? double)! };
  }

  take(kind: Token["kind"]): string {
    const { kind: found, text } = this.#next;
    if (found !== kind) this.fail(`has ${text} where a ${kind} belongs`);
    if (kind !== "end") this.#next = this.#read();
    return text;
  }

  /** Goes beyond `mark` if that comes next. */
  skip(mark: string): boolean {
    const here = this.#next.kind === "mark" && this.#next.text === mark;
    if (here) this.#next = this.#read();
    return here;
  }

  mark(mark: string): void {
    if (!this.skip(mark)) this.fail(`has ${this.#next.text} where ${mark} belongs`);
  }

  value(): Value {
    if (this.#next.kind === "string") return this.take("string");
    if (this.skip("(")) return this.#numbers();
    if (this.skip("["))
      return this.fail("describes a structured array, which is not read; save its fields one by one");
    const word = this.take("word");
    if (word !== "True" && word !== "False") this.fail(`has ${word} where a value belongs`);
    return word === "True";
  }

  #numbers(): number[] {
    const numbers: number[] = [];
    while (!this.skip(")")) {
      numbers.push(Number(this.take("number")));
      if (!this.skip(",")) {
        this.mark(")");
        break;
      }
    }
    return numbers;
  }
}
