import type { DType } from "./dtype.ts";

/**
 * The scalar vocabulary: what the body of an op may say. A body is written once, `(m, x) => m.mul(x, x)`, and read
 * many ways: traced into a program that the interpreter runs over arrays and the compiler turns into WebAssembly
 * (`program.ts`), or printed as a formula (`formula` below).
 *
 * Every word is exact or correctly rounded in IEEE 754, so all engines give the same bits. Floats are computed in the
 * dtype of their operands; a float32 result is rounded after each operation. Numbers take the dtype of the other
 * operand. Comparisons give bool. NaN has one meaning only: bodies cannot see its sign or payload.
 */
export interface Arithmetic<E> {
  /** The dtype of the op's result. */
  readonly dtype: DType;
  dtypeOf(x: E): DType;
  /** A number as an element of `dtype`. */
  constant(value: number, dtype: DType): E;

  // Floats and int32 (which wraps around).
  add(x: E | number, y: E | number): E;
  sub(x: E | number, y: E | number): E;
  mul(x: E | number, y: E | number): E;
  neg(x: E): E;
  abs(x: E): E;
  /** `y < x ? y : x`: `x` where either is NaN. */
  pmin(x: E | number, y: E | number): E;
  /** `x < y ? y : x`: `x` where either is NaN. */
  pmax(x: E | number, y: E | number): E;

  // Floats only.
  div(x: E | number, y: E | number): E;
  sqrt(x: E): E;
  floor(x: E): E;
  ceil(x: E): E;
  trunc(x: E): E;
  /** To the nearest whole number, ties to even. */
  nearest(x: E): E;
  /** The magnitude of `x` with the sign of `y`; a NaN `y` counts as positive. */
  copysign(x: E | number, y: E | number): E;
  /**
   * The exponent field of `x` without its bias, as a float: `floor(log2 |x|)` for normal numbers; for zero and
   * subnormals -127 (float32) or -1023 (float64); for infinities and NaN 128 or 1024.
   */
  exponent(x: E): E;
  /**
   * `x * 2^k` for a whole `k` (a float of x's dtype, clamped to -252 ... 252 or -2044 ... 2044; NaN counts as 0), computed as
   * `(x * 2^trunc(k / 2)) * 2^(k - trunc(k / 2))`: exact but for one rounding when `x` lies near 1.
   */
  scale2(x: E, k: E): E;
  /**
   * `2^k` for a whole `k` from -126 to 127 (float32) or -1022 to 1023, in fewer steps than `scale2`: the bits of
   * `k + 2^23 + 127` (or `k + 2^52 + 1023`) shifted left by 23 (52). Unspecified for NaN.
   */
  power2(k: E): E;

  // int32 only; shifts take the count modulo 32.
  shiftLeft(x: E | number, count: E | number): E;
  /** Fills with zeros. */
  shiftRight(x: E | number, count: E | number): E;
  xor(x: E | number, y: E | number): E;

  // int32 (bitwise) and bool.
  and(x: E | number, y: E | number): E;
  or(x: E | number, y: E | number): E;
  not(x: E): E;

  eq(x: E | number, y: E | number): E;
  ne(x: E | number, y: E | number): E;
  lt(x: E | number, y: E | number): E;
  le(x: E | number, y: E | number): E;
  select(condition: E, x: E | number, y: E | number): E;

  /**
   * `x` in another dtype. Floats become int32 by truncation, saturating, NaN to 0; numbers become bool by `x != 0`.
   */
  convert(x: E, dtype: DType): E;
  /** `values[index]` of a constant table, in `dtype`; `index` is int32 and must lie inside. */
  table(values: readonly number[], index: E, dtype: DType): E;
  /**
   * `condition ? slow(...operands) : fast`, where `condition` seldom holds: engines test a whole vector at once and run
   * `slow` one element at a time. `slow` may use nothing but its operands.
   */
  rare(condition: E, fast: E, slow: Body, ...operands: E[]): E;
  /** A named function of the vocabulary: traced as its body, printed as its name. */
  call(name: string, body: Body, ...operands: E[]): E;
}

/** What an op computes for one element, in terms of the vocabulary. */
export type Body = <E>(m: Arithmetic<E>, ...operands: E[]) => E;

/** A function over the vocabulary that prints as `name(x)` in formulas. */
export function named(name: string, body: Body): Body {
  return (m, ...operands) => m.call(name, body, ...operands);
}

/** Binding strength of an infix sign, so that formulas carry only the parentheses they need. */
interface Phrase {
  readonly text: string;
  readonly strength: number;
}

const loose = { compare: 1, add: 2, mul: 3, unary: 4, atom: 5 };

/** The body as a formula, for documents and messages: `formula(body, ["x", "y"])`. */
export function formula(body: Body, names: readonly string[]): string {
  return body<Phrase>(new Formula(), ...names.map((text) => ({ text, strength: loose.atom }))).text;
}

class Formula implements Arithmetic<Phrase> {
  readonly dtype = "float32";
  dtypeOf(): DType {
    return "float32";
  }
  constant(value: number): Phrase {
    return { text: String(value), strength: value < 0 ? loose.unary : loose.atom };
  }

  #phrase(x: Phrase | number): Phrase {
    return typeof x === "number" ? this.constant(x) : x;
  }
  #infix(sign: string, strength: number, x: Phrase | number, y: Phrase | number): Phrase {
    const [a, b] = [this.#phrase(x), this.#phrase(y)];
    const left = a.strength < strength ? `(${a.text})` : a.text;
    const right = b.strength <= strength ? `(${b.text})` : b.text;
    return { text: `${left} ${sign} ${right}`, strength };
  }
  #prefix(sign: string, x: Phrase): Phrase {
    return { text: sign + (x.strength < loose.unary ? `(${x.text})` : x.text), strength: loose.unary };
  }
  #function(name: string, ...operands: (Phrase | number)[]): Phrase {
    const list = operands.map((x) => this.#phrase(x).text).join(", ");
    return { text: `${name}(${list})`, strength: loose.atom };
  }

  add = (x: Phrase | number, y: Phrase | number): Phrase => this.#infix("+", loose.add, x, y);
  sub = (x: Phrase | number, y: Phrase | number): Phrase => this.#infix("-", loose.add, x, y);
  mul = (x: Phrase | number, y: Phrase | number): Phrase => this.#infix("*", loose.mul, x, y);
  div = (x: Phrase | number, y: Phrase | number): Phrase => this.#infix("/", loose.mul, x, y);
  neg = (x: Phrase): Phrase => this.#prefix("-", x);
  abs = (x: Phrase): Phrase => ({ text: `|${x.text}|`, strength: loose.atom });
  pmin = (x: Phrase | number, y: Phrase | number): Phrase => this.#function("min", x, y);
  pmax = (x: Phrase | number, y: Phrase | number): Phrase => this.#function("max", x, y);
  sqrt = (x: Phrase): Phrase => this.#function("sqrt", x);
  floor = (x: Phrase): Phrase => this.#function("floor", x);
  ceil = (x: Phrase): Phrase => this.#function("ceil", x);
  trunc = (x: Phrase): Phrase => this.#function("trunc", x);
  nearest = (x: Phrase): Phrase => this.#function("round", x);
  copysign = (x: Phrase | number, y: Phrase | number): Phrase => this.#function("copysign", x, y);
  exponent = (x: Phrase): Phrase => this.#function("exponent", x);
  scale2 = (x: Phrase, k: Phrase): Phrase => this.#function("scale2", x, k);
  power2 = (k: Phrase): Phrase => this.#function("power2", k);
  shiftLeft = (x: Phrase | number, count: Phrase | number): Phrase =>
    this.#infix("<<", loose.compare, x, count);
  shiftRight = (x: Phrase | number, count: Phrase | number): Phrase =>
    this.#infix(">>>", loose.compare, x, count);
  xor = (x: Phrase | number, y: Phrase | number): Phrase => this.#infix("^", loose.compare, x, y);
  and = (x: Phrase | number, y: Phrase | number): Phrase => this.#infix("and", loose.compare, x, y);
  or = (x: Phrase | number, y: Phrase | number): Phrase => this.#infix("or", loose.compare, x, y);
  not = (x: Phrase): Phrase => this.#prefix("not ", x);
  eq = (x: Phrase | number, y: Phrase | number): Phrase => this.#infix("=", loose.compare, x, y);
  ne = (x: Phrase | number, y: Phrase | number): Phrase => this.#infix("!=", loose.compare, x, y);
  lt = (x: Phrase | number, y: Phrase | number): Phrase => this.#infix("<", loose.compare, x, y);
  le = (x: Phrase | number, y: Phrase | number): Phrase => this.#infix("<=", loose.compare, x, y);
  select = (condition: Phrase, x: Phrase | number, y: Phrase | number): Phrase => ({
    text: `${this.#phrase(x).text} if ${condition.text} else ${this.#phrase(y).text}`,
    strength: 0,
  });
  convert = (x: Phrase, dtype: DType): Phrase => this.#function(dtype, x);
  table = (_values: readonly number[], index: Phrase): Phrase => this.#function("table", index);
  rare = (_condition: Phrase, fast: Phrase): Phrase => fast;
  call = (name: string, _body: Body, ...operands: Phrase[]): Phrase => this.#function(name, ...operands);
}
