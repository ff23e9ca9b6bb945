import type { Arithmetic, Body } from "./arithmetic.ts";
import type { DType } from "./dtype.ts";
import { isFloat } from "./dtype.ts";
import { DTypeError } from "./errors.ts";
import { remembered } from "./memo.ts";

/** What an instruction does: a word of the vocabulary (`Arithmetic`), or reads an input or a constant. */
export type Word =
  | "input"
  | "constant"
  | "convert"
  | "table"
  | "rare"
  | "select"
  | "add"
  | "sub"
  | "mul"
  | "div"
  | "neg"
  | "abs"
  | "pmin"
  | "pmax"
  | "sqrt"
  | "floor"
  | "ceil"
  | "trunc"
  | "nearest"
  | "copysign"
  | "exponent"
  | "scale2"
  | "power2"
  | "shiftLeft"
  | "shiftRight"
  | "xor"
  | "and"
  | "or"
  | "not"
  | "eq"
  | "ne"
  | "lt"
  | "le"; // prettier-ignore

/** One step of a program. Its operands are numbers of earlier instructions. */
export interface Instruction {
  readonly word: Word;
  /** The dtype of the result. */
  readonly dtype: DType;
  readonly operands: readonly number[];
  /** The number of the input, or the value of the constant. */
  readonly value: number;
  /** The values of a `table`. */
  readonly values: readonly number[] | null;
  /** The program of the slow side of `rare`; its inputs are operands 2, 3, ... */
  readonly slow: Program | null;
}

/** A body in straight-line form: each value is computed once, from earlier ones. */
export interface Program {
  readonly inputs: readonly DType[];
  readonly instructions: readonly Instruction[];
  /** The number of the instruction that is the result. */
  readonly result: number;
}

/**
 * The program of `body` for operands of the dtypes `inputs` and a result of `dtype`. Throws DTypeError if the body gives another dtype, uses
 * a word on a dtype that it is not for, or uses more operands than there are.
 */
export function trace(body: Body, inputs: readonly DType[], dtype: DType): Program {
  tracer ??= new Tracer();
  return tracer.trace(body, inputs, dtype);
}

/** What a body computes with while it is traced: the number of an instruction. */
class Value {
  readonly index: number;
  constructor(index: number) {
    this.index = index;
  }
}

/** What one body has computed so far. */
interface Recording {
  readonly dtype: DType;
  readonly instructions: Instruction[];
  /** The values by what computes them, so that each is computed once. */
  readonly known: Map<string, Value>;
}

/** The vocabulary with the meaning that what is computed is recorded as instructions. */
class Tracer implements Arithmetic<Value> {
  /** Of the body that runs now: the slow side of a `rare` is traced while the body around it is. */
  #recording: Recording = { dtype: "float32", instructions: [], known: new Map() };

  trace(body: Body, inputs: readonly DType[], dtype: DType): Program {
    const before = this.#recording;
    this.#recording = { dtype, instructions: [], known: new Map() };
    try {
      const result = body<Value>(this, ...inputs.map((input, i) => this.#record("input", input, [], i)));
      if (this.dtypeOf(result) !== dtype)
        throw new DTypeError(`body gives ${this.dtypeOf(result)} where the op declares ${dtype}`);
      return { inputs, instructions: this.#recording.instructions, result: result.index };
    } finally {
      this.#recording = before;
    }
  }

  get dtype(): DType {
    return this.#recording.dtype;
  }
  dtypeOf(x: Value): DType {
    return this.#instruction(x).dtype;
  }
  constant(value: number, dtype: DType): Value {
    return this.#record("constant", dtype, [], dtype === "float32" ? Math.fround(value) : value);
  }
  call(_name: string, body: Body, ...operands: Value[]): Value {
    return body<Value>(this, ...operands);
  }

  #instruction(x: Value): Instruction {
    // An op with fewer derivative rules than its body has operands is called without the last of them.
    const found = this.#recording.instructions[(x as Value | undefined)?.index ?? -1];
    if (found === undefined)
      throw new DTypeError(
        "a body may only use its own operands, one for each derivative rule, and what it made from them",
      );
    return found;
  }

  #record(word: Word, dtype: DType, operands: readonly Value[], value = 0): Value {
    const numbers = operands.map((x) => x.index);
    return remembered(
      this.#recording.known,
      `${word} ${dtype} ${numbers} ${Object.is(value, -0) ? "-0" : value}`,
      () => this.#append({ word, dtype, operands: numbers, value, values: null, slow: null }),
    );
  }
  #append(instruction: Instruction): Value {
    this.#recording.instructions.push(instruction);
    return new Value(this.#recording.instructions.length - 1);
  }

  /** Gives a number the dtype of the other operand, and checks that both dtypes are equal. */
  #pair(word: Word, x: Value | number, y: Value | number): [Value, Value] {
    if (typeof x === "number")
      return typeof y === "number"
        ? [this.constant(x, this.dtype), this.constant(y, this.dtype)]
        : [this.constant(x, this.dtypeOf(y)), y];
    if (typeof y === "number") return [x, this.constant(y, this.dtypeOf(x))];
    const [a, b] = [this.dtypeOf(x), this.dtypeOf(y)];
    if (a !== b) throw new DTypeError(`${word} of ${a} and ${b} in a body; convert one of them`);
    return [x, y];
  }
  #binary(word: Word, accepts: (dtype: DType) => boolean): (x: Value | number, y: Value | number) => Value {
    return (x, y) => {
      const pair = this.#pair(word, x, y);
      return this.#record(word, this.#check(word, accepts, pair[0]), pair);
    };
  }
  #unary(word: Word, accepts: (dtype: DType) => boolean): (x: Value) => Value {
    return (x) => this.#record(word, this.#check(word, accepts, x), [x]);
  }
  #compare(word: Word): (x: Value | number, y: Value | number) => Value {
    return (x, y) => this.#record(word, "bool", this.#pair(word, x, y));
  }
  #check(word: Word, accepts: (dtype: DType) => boolean, x: Value): DType {
    const dtype = this.dtypeOf(x);
    if (!accepts(dtype)) throw new DTypeError(`${word} of ${dtype} in a body`);
    return dtype;
  }

  add = this.#binary("add", isNumber);
  sub = this.#binary("sub", isNumber);
  mul = this.#binary("mul", isNumber);
  div = this.#binary("div", isFloat);
  pmin = this.#binary("pmin", isNumber);
  pmax = this.#binary("pmax", isNumber);
  copysign = this.#binary("copysign", isFloat);
  scale2 = this.#binary("scale2", isFloat);
  shiftLeft = this.#binary("shiftLeft", isInteger);
  shiftRight = this.#binary("shiftRight", isInteger);
  xor = this.#binary("xor", isBits);
  and = this.#binary("and", isBits);
  or = this.#binary("or", isBits);
  neg = this.#unary("neg", isNumber);
  abs = this.#unary("abs", isNumber);
  sqrt = this.#unary("sqrt", isFloat);
  floor = this.#unary("floor", isFloat);
  ceil = this.#unary("ceil", isFloat);
  trunc = this.#unary("trunc", isFloat);
  nearest = this.#unary("nearest", isFloat);
  exponent = this.#unary("exponent", isFloat);
  power2 = this.#unary("power2", isFloat);
  not = this.#unary("not", isBits);
  eq = this.#compare("eq");
  ne = this.#compare("ne");
  lt = this.#compare("lt");
  le = this.#compare("le");

  select = (condition: Value, x: Value | number, y: Value | number): Value => {
    this.#check("select", isBool, condition);
    const [a, b] = this.#pair("select", x, y);
    return this.#record("select", this.dtypeOf(a), [condition, a, b]);
  };
  convert = (x: Value, dtype: DType): Value =>
    this.dtypeOf(x) === dtype ? x : this.#record("convert", dtype, [x]);
  table = (values: readonly number[], index: Value, dtype: DType): Value => {
    this.#check("table", isInteger, index);
    return this.#append({ word: "table", dtype, operands: [index.index], value: 0, values, slow: null });
  };
  rare = (condition: Value, fast: Value, slow: Body, ...operands: Value[]): Value => {
    const dtype = this.dtypeOf(fast);
    const program = trace(
      slow,
      operands.map((x) => this.dtypeOf(x)),
      dtype,
    );
    const all = [condition, fast, ...operands].map((x) => x.index);
    return this.#append({ word: "rare", dtype, operands: all, value: 0, values: null, slow: program });
  };
}

/** One for all bodies: it has a function for each word, which need not be made again. */
let tracer: Tracer | null = null;

const isBool = (dtype: DType): boolean => dtype === "bool";
const isInteger = (dtype: DType): boolean => dtype === "int32";
const isNumber = (dtype: DType): boolean => dtype !== "bool";
const isBits = (dtype: DType): boolean => !isFloat(dtype);

/** The program as text, one instruction a line: what tests and people read. */
export function formatProgram(program: Program): string {
  const line = ({ word, dtype, operands, value, slow }: Instruction, i: number): string => {
    const of = word === "input" || word === "constant" ? ` ${value}` : operands.map((x) => ` %${x}`).join("");
    const inner = slow ? ` slow {\n${formatProgram(slow).replace(/^/gm, "  ")}\n}` : "";
    return `%${i}: ${dtype} = ${word}${of}${inner}`;
  };
  return [...program.instructions.map(line), `return %${program.result}`].join("\n");
}
