import type { DType } from "../dtype.ts";
import { byteSize } from "../dtype.ts";
import type { Tensor } from "../graph.ts";
import type { Program, Word } from "../program.ts";
import type { ValueType } from "../wasm/assembler.ts";
import { Code } from "../wasm/assembler.ts";
import * as i32 from "../wasm/i32.ts";
import type { Pick, Scalar } from "./kernel.ts";
import { scalarsOf } from "./kernel.ts";
import type { Layout } from "./plan.ts";
import type { Push } from "./words.ts";
import { constant, loads, opcodeOf, valueType, word } from "./words.ts";

/** What bodies need to know of their surroundings. */
export interface Surroundings {
  readonly layout: Layout;
  /** The number of the function that computes the slow side of a `rare`. */
  slow(program: Program): number;
  /** Pushes the value of the affine place of scalar `i`, in units. */
  index(i: number): void;
  /** Pushes the part of the address of scalar `i` that is not constant, and returns the rest. */
  address(i: number): number;
  /** Stops unless the index in `local` lies inside. */
  check(local: number, pick: Pick): void;
}

/**
 * Writes a body, as often as it is wanted. Values that are used more than once go to locals first (`prepare`); everything else
 * is written where it is used (`push`); then `release` frees the locals.
 */
export class BodyWriter {
  protected readonly code: Code;
  protected readonly body: readonly Scalar[];
  protected readonly around: Surroundings;
  readonly #results: readonly number[];
  readonly #indices: readonly number[];
  #inputs: readonly number[] = [];
  readonly #locals: (number | undefined)[];
  readonly #taken: number[] = [];
  /** Scalars that go to locals, in order. */
  #shared: readonly number[] | null = null;

  /** `indices` are scalars that say where results go: they lie in locals. */
  constructor(
    code: Code,
    body: readonly Scalar[],
    results: readonly number[],
    indices: readonly number[],
    around: Surroundings,
  ) {
    this.code = code;
    this.body = body;
    this.around = around;
    this.#results = results;
    this.#indices = indices;
    this.#locals = new Array<number | undefined>(body.length);
  }

  /** Computes what is used more than once for the results, and indices that are data; `inputs` are locals. */
  prepare(inputs: readonly number[] = []): void {
    this.#inputs = inputs;
    this.#shared ??= this.#findShared();
    for (const i of this.#shared) {
      this.write(i);
      const local = this.code.take(this.typeOf(this.body[i]!.dtype));
      this.#taken.push(local);
      this.code.set(local);
      this.#locals[i] = local;
    }
  }
  push(i: number): void {
    const local = this.#locals[i];
    if (local !== undefined) this.code.get(local);
    else this.write(i);
  }
  protected pushAll(list: readonly number[]): void {
    for (let i = 0; i < list.length; i++) this.push(list[i]!);
  }
  /** Does scalar `i` lie in a local? */
  protected isKept(i: number): boolean {
    return this.#locals[i] !== undefined;
  }
  /** The local of an index that is data. */
  localOf(i: number): number {
    return this.#locals[i]!;
  }
  release(): void {
    for (const local of this.#taken) this.code.release(local);
    this.#taken.length = 0;
    this.#locals.fill(undefined);
  }

  /** Values that are pushed more than once on the way to the results, and indices that are data. */
  #findShared(): number[] {
    const uses = new Int32Array(this.body.length);
    const isIndex = new Uint8Array(this.body.length);
    for (const index of this.#indices) isIndex[index] = 1;
    for (const result of this.#results) uses[result]!++;
    for (let i = this.body.length - 1; i >= 0; i--) {
      if (uses[i] === 0) continue;
      const { operands, pick } = this.body[i]!;
      for (let k = 0; k < operands.length; k++) uses[operands[k]!]! += this.pushesOf(i, k);
      if (!pick) continue;
      uses[pick.index]!++;
      isIndex[pick.index] = 1;
    }
    const shared: number[] = [];
    for (let i = 0; i < uses.length; i++) {
      if (uses[i] === 0) continue;
      const { word } = this.body[i]!;
      if (isIndex[i] || (uses[i]! > 1 && word !== "constant" && word !== "input")) shared.push(i);
    }
    return shared;
  }

  protected write(i: number): void {
    const { word: name, dtype, operands, value } = this.body[i]!;
    switch (name) {
      case "constant":
        this.constant(value, dtype);
        return;
      case "input":
        this.code.get(this.#inputs[value]!);
        return;
      case "load":
        this.load(i);
        return;
      case "index":
        this.index(i);
        return;
      case "inside":
        this.inside(i);
        return;
      case "table":
        this.table(i);
        return;
      case "rare":
        this.rare(i);
        return;
      case "call":
        this.pushAll(operands);
        this.code.call(this.around.slow(this.body[i]!.slow!));
        return;
      default:
        this.word(i, name);
    }
  }

  /** What pushes each operand of scalar `i`. */
  protected pushes(i: number): Push[] {
    return this.body[i]!.operands.map((x) => () => this.push(x));
  }

  protected dtypeOfOperands(i: number): DType {
    const { word: name, operands } = this.body[i]!;
    return this.body[operands[name === "select" ? 1 : 0]!]!.dtype;
  }

  // What depends on how many elements are computed at once.

  protected typeOf(dtype: DType): ValueType {
    return valueType(dtype);
  }
  /** How often scalar `i` pushes its operand number `k`: what is pushed twice must not be computed twice. */
  protected pushesOf(i: number, _k: number): number {
    const { word: name, dtype } = this.body[i]!;
    return repeating.has(name) && !(name === "abs" && dtype !== "int32") ? 2 : 1;
  }
  protected constant(value: number, dtype: DType): void {
    constant(this.code, value, dtype);
  }
  protected word(i: number, name: Word): void {
    const from = this.dtypeOfOperands(i);
    const opcode = opcodeOf(name, from);
    if (opcode === null) word(this.code, name, this.body[i]!.dtype, from, this.pushes(i));
    else {
      this.pushAll(this.body[i]!.operands);
      this.code.op(opcode);
    }
  }
  protected index(i: number): void {
    this.around.index(i);
  }
  protected inside(i: number): void {
    this.around.index(i);
    this.code.i32(this.body[i]!.value).op(i32.lessUnsigned);
  }
  protected table(i: number): void {
    const { dtype, operands, values } = this.body[i]!;
    this.push(operands[0]!);
    this.code.i32(31 - Math.clz32(byteSize(dtype))).op(i32.shl);
    this.code.memory(loads[dtype], this.around.layout.tables.get(values!)![dtype]!);
  }

  protected load(i: number): void {
    const { dtype, operands } = this.body[i]!;
    if (operands.length === 0) {
      this.#fetch(i);
      return;
    }
    const code = this.code;
    this.push(operands[0]!);
    code.if(valueType(dtype));
    this.#fetch(i);
    code.else();
    constant(code, 0, dtype);
    code.end();
  }
  #fetch(i: number): void {
    const { dtype, pick } = this.body[i]!;
    const code = this.code;
    if (pick) this.around.check(this.localOf(pick.index), pick);
    const offset = this.around.address(i);
    if (pick)
      code
        .get(this.localOf(pick.index))
        .i32(pick.stride * byteSize(dtype))
        .op(i32.mul)
        .op(i32.add);
    code.memory(loads[dtype], offset);
  }

  protected rare(i: number): void {
    const { dtype, operands, slow } = this.body[i]!;
    const [condition, fast, ...rest] = operands as readonly [number, number, ...number[]];
    const code = this.code;
    const target = this.around.slow(slow!);
    this.push(condition);
    code.if(valueType(dtype));
    this.pushAll(rest);
    code.call(target);
    code.else();
    this.push(fast);
    code.end();
  }
}

/** Words whose instructions push an operand more than once. */
const repeating = new Set(["pmin", "pmax", "copysign", "abs"]);

/** The slow side of a `rare` as a function of its own. */
export function slowFunction(program: Program, around: Surroundings): Code {
  const code = new Code(program.inputs.map(valueType), [
    valueType(program.instructions[program.result]!.dtype),
  ]);
  const writer = new BodyWriter(code, scalarsOf(program), [program.result], [], around);
  writer.prepare(program.inputs.map((_, i) => i));
  writer.push(program.result);
  return code;
}

/** The first byte of the elements of `x`; nothing reads a node without elements. */
export function baseOf({ addresses }: Layout, x: Tensor): number {
  return addresses.get(x) ?? 0;
}
