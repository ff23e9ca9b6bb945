import type { DType } from "../dtype.ts";
import { byteSize, isFloat } from "../dtype.ts";
import type { Word } from "../program.ts";
import type { Code, ValueType } from "../wasm/assembler.ts";
import * as i32 from "../wasm/i32.ts";
import * as simd from "../wasm/simd.ts";
import type { Pick, Scalar } from "./kernel.ts";
import type { Width } from "./lanes.ts";
import {
  everyLane,
  pushLane,
  relaxedAdd,
  replaceLane,
  vectorConstant,
  vectorOpcodeOf,
  vectorWord,
} from "./lanes.ts";
import type { Surroundings } from "./scalars.ts";
import { BodyWriter } from "./scalars.ts";
import { loads } from "./words.ts";

/** What bodies need to know of the vector loop around them. */
export interface VectorSurroundings extends Surroundings {
  readonly width: Width;
  /** How far the place of scalar `i` moves from lane to lane. */
  stride(i: number): number;
  /** Does scalar `i` differ from lane to lane? */
  varies(i: number): boolean;
  /** May a product and a sum be rounded together? */
  readonly relaxed: boolean;
}

/** Writes a body for several elements at once, one in each lane. */
export class VectorWriter extends BodyWriter {
  readonly #around: VectorSurroundings;
  readonly #active: number;
  readonly #relaxed: boolean;

  /** So many lanes are `active`; what the others hold is anything, but computing it must do no harm. */
  constructor(
    code: Code,
    body: readonly Scalar[],
    results: readonly number[],
    indices: readonly number[],
    around: VectorSurroundings,
    active: number,
  ) {
    super(code, body, results, indices, around);
    this.#around = around;
    this.#active = active;
    this.#relaxed = around.relaxed && !body.some(({ word }) => exact.has(word));
  }

  protected override typeOf(): ValueType {
    return "v128";
  }
  protected override pushesOf(i: number, k: number): number {
    const { word } = this.body[i]!;
    if (word === "rare") return k > 1 ? this.#active : 1;
    return word === "copysign" && k === 1 ? 3 : 1;
  }
  protected override constant(value: number, dtype: DType): void {
    vectorConstant(this.code, this.#around.layout.splats, value, dtype, this.#around.width);
  }
  protected override word(i: number, name: Word): void {
    const { dtype, operands } = this.body[i]!;
    if (name === "add" && this.#relaxed && this.#addProduct(operands)) return;
    const from = this.dtypeOfOperands(i);
    const opcode = vectorOpcodeOf(name, from);
    if (opcode !== null) {
      this.pushAll(operands);
      this.code.vector(opcode);
      return;
    }
    const zero = name === "select" ? operands.findIndex((x, k) => k > 0 && this.#isZero(x)) : -1;
    if (zero > 0) {
      // What is selected beside 0 needs no bits of it.
      this.push(operands[3 - zero]!);
      this.push(operands[0]!);
      this.code.vector(zero === 1 ? simd.andNot : simd.and);
      return;
    }
    const shift = operands.length > 1 ? this.body[operands[1]!]!.value : null;
    vectorWord(this.code, name, dtype, from, this.pushes(i), shift);
  }
  /** A sum of which one part is a product that nothing else needs. */
  #addProduct(operands: readonly number[]): boolean {
    const product = operands.find((x) => this.#isProduct(x));
    if (product === undefined) return false;
    const other = operands[0] === product ? operands[1]! : operands[0]!;
    this.pushAll([...this.body[product]!.operands, other]);
    this.code.vector(relaxedAdd[this.#around.width]);
    return true;
  }
  #isZero(i: number): boolean {
    const { word, value } = this.body[i]!;
    return word === "constant" && Object.is(value, 0);
  }
  /** A product that nothing else needs. */
  #isProduct(i: number): boolean {
    const { word, dtype } = this.body[i]!;
    return word === "mul" && isFloat(dtype) && !this.isKept(i);
  }
  protected override index(i: number): void {
    const step = this.#around.stride(i);
    this.#around.index(i);
    this.code.vector(simd.splatInt32);
    if (step !== 0) this.code.v128([0, step, 2 * step, 3 * step]).vector(simd.addInt32);
  }
  protected override inside(i: number): void {
    this.index(i);
    everyLane(this.code, 4, this.body[i]!.value);
    this.code.vector(simd.lessUnsignedInt32);
    if (this.#around.width === 2) this.code.vector(simd.extend32to64Signed);
  }
  protected override table(i: number): void {
    const { dtype, operands, values } = this.body[i]!;
    const { width, layout } = this.#around;
    const active = this.#active;
    const code = this.code;
    const [index, out] = [code.take("v128"), code.take("v128")];
    this.push(operands[0]!);
    code.set(index).v128([0, 0, 0, 0]).set(out);
    for (let lane = 0; lane < active; lane++) {
      code.get(out);
      pushLane(code, index, lane, "int32", width);
      code.i32(31 - Math.clz32(byteSize(dtype))).op(i32.shl);
      code.memory(loads[dtype], layout.tables.get(values!)![dtype]!);
      replaceLane(code, lane, dtype, width);
      code.set(out);
    }
    code.get(out);
    code.release(index);
    code.release(out);
  }

  protected override load(i: number): void {
    const { operands, pick, dtype } = this.body[i]!;
    const stride = this.#around.stride(i);
    const apart =
      (pick !== null && this.#around.varies(pick.index)) || !(stride === 0 || stride === byteSize(dtype));
    if (operands.length === 0) {
      if (pick === null && dtype !== "bool" && stride === 2 * byteSize(dtype)) this.#loadEverySecond(i);
      else if (apart) this.#loadLanes(i, null);
      else this.#loadTogether(i);
      return;
    }
    const code = this.code;
    const mask = code.take("v128");
    this.push(operands[0]!);
    code.set(mask);
    if (!apart) {
      code
        .get(mask)
        .vector(this.#around.width === 4 ? simd.allTrueInt32 : simd.allTrueInt64)
        .if("v128");
      this.#loadTogether(i);
      code.else();
    }
    this.#loadLanes(i, mask);
    if (!apart) code.end();
    code.release(mask);
  }

  /** Pushes the address of lane 0; returns what is to be added to it. */
  #address(i: number): number {
    const { pick, dtype } = this.body[i]!;
    const code = this.code;
    if (!pick) return this.#around.address(i);
    const index = code.take("i32");
    code.get(this.localOf(pick.index)).lane(simd.extractInt32, 0).set(index);
    this.#around.check(index, pick);
    const offset = this.#around.address(i);
    code
      .get(index)
      .i32(pick.stride * byteSize(dtype))
      .op(i32.mul)
      .op(i32.add);
    code.release(index);
    return offset;
  }

  /** All lanes from one place, or side by side. */
  #loadTogether(i: number): void {
    const { dtype } = this.body[i]!;
    const { width } = this.#around;
    const code = this.code;
    const offset = this.#address(i);
    if (this.#around.stride(i) === 0) {
      if (dtype !== "bool") {
        code.vectorMemory(width === 4 ? simd.splat32 : simd.splat64, width === 4 ? 2 : 3, offset);
        return;
      }
      code.memory(loads.bool, offset).vector(simd.splatInt32);
      this.#toMask(4);
    } else if (dtype !== "bool") code.vectorMemory(simd.load, width === 4 ? 2 : 3, offset);
    else {
      if (width === 4) code.vectorMemory(simd.load32Zero, 0, offset);
      else code.memory([0x2f, 0], offset).vector(simd.splatInt32);
      code.vector(simd.extend8to16).vector(simd.extend16to32);
      if (width === 2) code.vector(simd.extend32to64);
      this.#toMask(width);
    }
  }

  /** Two vectors that lie side by side, and of these every second element. */
  #loadEverySecond(i: number): void {
    const { width } = this.#around;
    const bytes = 16 / width;
    for (const half of [0, 16]) {
      const offset = this.#around.address(i) + half;
      this.code.vectorMemory(simd.load, width === 4 ? 2 : 3, offset);
    }
    this.code.shuffle(Array.from({ length: 16 }, (_, b) => 2 * (b - (b % bytes)) + (b % bytes)));
  }

  /** Zero and other numbers to the two masks. */
  #toMask(width: Width): void {
    this.code.v128([0, 0, 0, 0]).vector(width === 4 ? simd.differInt32 : simd.differInt64);
  }

  /** One lane after the other, those that `mask` holds if there is one; the others are 0. */
  #loadLanes(i: number, mask: number | null): void {
    const { dtype, pick } = this.body[i]!;
    const { width } = this.#around;
    const active = this.#active;
    const code = this.code;
    const out = code.take("v128");
    const index = code.take("i32");
    code.v128([0, 0, 0, 0]).set(out);
    for (let lane = 0; lane < active; lane++) {
      if (mask !== null) this.#pushCondition(mask, lane).if(null);
      if (pick) {
        code
          .get(this.localOf(pick.index))
          .lane(simd.extractInt32, this.#around.varies(pick.index) ? lane : 0);
        code.set(index);
        this.#around.check(index, pick);
      }
      if (dtype === "bool") code.get(out);
      const offset = this.#laneAddress(i, lane, pick, index, mask !== null);
      if (dtype === "bool") {
        code.memory(loads.bool, offset).lane(simd.replaceInt32, lane);
      } else {
        code.get(out);
        code.vectorMemory(width === 4 ? simd.load32Lane : simd.load64Lane, width === 4 ? 2 : 3, offset, lane);
      }
      code.set(out);
      if (mask !== null) code.end();
    }
    code.get(out);
    if (dtype === "bool") {
      if (width === 2) code.vector(simd.extend32to64);
      this.#toMask(width);
    }
    code.release(out);
    code.release(index);
  }

  /** Where a condition decides, lane 0 may lie below address 0, and a constant part would not bring it back. */
  #laneAddress(i: number, lane: number, pick: Pick | null, index: number, isConditional: boolean): number {
    const code = this.code;
    const offset = this.#around.address(i) + lane * this.#around.stride(i);
    if (pick)
      code
        .get(index)
        .i32(pick.stride * byteSize(this.body[i]!.dtype))
        .op(i32.mul)
        .op(i32.add);
    if (offset >= 0 && !isConditional) return offset;
    code.i32(offset).op(i32.add);
    return 0;
  }

  #pushCondition(mask: number, lane: number): Code {
    return pushLane(this.code, mask, lane, "bool", this.#around.width);
  }

  protected override rare(i: number): void {
    const { dtype, operands, slow } = this.body[i]!;
    const [condition, fast, ...rest] = operands as readonly [number, number, ...number[]];
    const { width } = this.#around;
    const active = this.#active;
    const code = this.code;
    const target = this.#around.slow(slow!);
    const [mask, out] = [code.take("v128"), code.take("v128")];
    this.push(fast);
    code.set(out);
    this.push(condition);
    code.tee(mask).vector(simd.anyTrue).if(null);
    const operand = code.take("v128");
    for (let lane = 0; lane < active; lane++) {
      this.#pushCondition(mask, lane).if(null);
      code.get(out);
      for (const x of rest) {
        this.push(x);
        code.set(operand);
        pushLane(code, operand, lane, this.body[x]!.dtype, width);
      }
      code.call(target);
      replaceLane(code, lane, dtype, width);
      code.set(out).end();
    }
    code.end().get(out);
    for (const local of [mask, out, operand]) code.release(local);
  }
}

/** What functions such as exp are made of: their steps count on being rounded one by one. */
const exact = new Set<Scalar["word"]>(["rare", "call", "table", "scale2", "exponent", "power2"]);
