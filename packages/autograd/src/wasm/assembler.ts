/**
 * A WebAssembly module as bytes. This file knows the binary format (WebAssembly Core Specification 2.0, chapter 5) and
 * nothing of tensors.
 */

import { remembered } from "../memo.ts";

export type ValueType = "i32" | "i64" | "f32" | "f64" | "v128";
const valueTypes: Record<ValueType, number> = { i32: 0x7f, i64: 0x7e, f32: 0x7d, f64: 0x7c, v128: 0x7b };

// Instructions that are for no type in particular, as `Code.op` takes them.

export const drop = 0x1a;
/** The first of two values if the int32 above them is not 0, else the second. */
export const select = 0x1b;

const scratch = new DataView(new ArrayBuffer(8));
const fourBytes = new Uint8Array(scratch.buffer, 0, 4);
const eightBytes = new Uint8Array(scratch.buffer);

/**
 * Bytes that grow as they are written: a section of a module, or the body of a function, its instructions in order and the locals that
 * they use. (Number arrays cost ten times as much on large modules, and methods of two classes are optimized twice.)
 */
export class Code {
  #array: Uint8Array<ArrayBuffer> = new Uint8Array(256);
  #length = 0;
  readonly parameters: readonly ValueType[];
  readonly results: readonly ValueType[];
  /** What the function is for, in listings. */
  title = "";
  readonly #locals: ValueType[] = [];
  readonly #free: Record<ValueType, number[]> = { i32: [], i64: [], f32: [], f64: [], v128: [] };

  constructor(parameters: readonly ValueType[] = [], results: readonly ValueType[] = []) {
    this.parameters = parameters;
    this.results = results;
  }

  get length(): number {
    return this.#length;
  }
  /** What was written so far; not a copy. */
  get written(): Uint8Array<ArrayBuffer> {
    return this.#array.subarray(0, this.#length);
  }

  byte(value: number): this {
    const at = this.#length;
    if (at === this.#array.length) this.#grow(1);
    this.#array[at] = value;
    this.#length = at + 1;
    return this;
  }
  /** Most instructions: the first byte, and a number that is one byte too. */
  pair(first: number, second: number): this {
    const at = this.#length;
    if (at + 2 > this.#array.length) this.#grow(2);
    const array = this.#array;
    array[at] = first;
    array[at + 1] = second;
    this.#length = at + 2;
    return this;
  }
  append(bytes: Uint8Array): this {
    this.#grow(bytes.length);
    this.#array.set(bytes, this.#length);
    this.#length += bytes.length;
    return this;
  }
  /** LEB128 of a whole number from 0 to 2^32 - 1. */
  unsigned(value: number): this {
    let rest = value >>> 0;
    // Addresses have two bytes and more.
    while (rest > 16383) {
      this.pair((rest & 127) | 128, ((rest >> 7) & 127) | 128);
      rest >>>= 14;
    }
    return rest < 128 ? this.byte(rest) : this.pair((rest & 127) | 128, rest >> 7);
  }
  /** LEB128 of an int32. */
  signed(value: number): this {
    let rest = value | 0;
    while (rest < -8192 || rest > 8191) {
      this.pair((rest & 127) | 128, ((rest >> 7) & 127) | 128);
      rest >>= 14;
    }
    if (rest >= -64 && rest < 64) return this.byte(rest & 127);
    return this.pair((rest & 127) | 128, (rest >> 7) & 127);
  }
  /** A sequence of bytes that carries its length in front. */
  sized(bytes: Code): this {
    return this.unsigned(bytes.length).append(bytes.written);
  }
  text(name: string): this {
    this.unsigned(name.length);
    for (let i = 0; i < name.length; i++) this.byte(name.charCodeAt(i));
    return this;
  }

  #grow(by: number): void {
    if (this.#length + by <= this.#array.length) return;
    const larger = new Uint8Array(Math.max(2 * this.#array.length, this.#length + by));
    larger.set(this.written);
    this.#array = larger;
  }

  titled(title: string): this {
    this.title = title;
    return this;
  }
  /** A local that nothing else uses until it is released. Its value is undefined. */
  take(type: ValueType): number {
    return this.#free[type].pop() ?? this.parameters.length + this.#locals.push(type) - 1;
  }
  release(local: number): void {
    this.#free[this.#locals[local - this.parameters.length]!].push(local);
  }

  /** A byte, and a number from 0 on. */
  #counted(opcode: number, x: number): this {
    return x < 128 ? this.pair(opcode, x) : this.byte(opcode).unsigned(x);
  }
  /** An instruction that takes nothing but the stack. Opcodes of two bytes are numbers of two bytes. */
  op(opcode: number): this {
    return opcode > 255 ? this.byte(opcode >> 8).unsigned(opcode & 255) : this.byte(opcode);
  }
  get(local: number): this {
    return this.#counted(0x20, local);
  }
  set(local: number): this {
    return this.#counted(0x21, local);
  }
  tee(local: number): this {
    return this.#counted(0x22, local);
  }
  /** Adds to a local: a number, or what is in another local. */
  advance(local: number, by: number | { readonly local: number }): this {
    this.get(local);
    if (typeof by === "number") this.i32(by);
    else this.get(by.local);
    return this.op(0x6a).set(local);
  }
  i32(value: number): this {
    return value >= -64 && value < 64 ? this.pair(0x41, value & 127) : this.byte(0x41).signed(value);
  }
  /** An int64 constant that is an int32. */
  i64(value: number): this {
    return this.byte(0x42).signed(value);
  }
  f32(value: number): this {
    scratch.setFloat32(0, value, true);
    return this.byte(0x43).append(fourBytes);
  }
  f64(value: number): this {
    scratch.setFloat64(0, value, true);
    return this.byte(0x44).append(eightBytes);
  }
  /** A load or store: its opcode, and its alignment as the exponent of a power of two. */
  memory(access: readonly [opcode: number, alignment: number], offset: number): this {
    return this.pair(access[0], access[1]).unsigned(offset);
  }
  /** A vector instruction that takes nothing but the stack. */
  vector(opcode: number): this {
    return opcode < 128 ? this.pair(0xfd, opcode) : this.byte(0xfd).pair((opcode & 127) | 128, opcode >> 7);
  }
  /** A load or store of a vector, or (with `lane`) of one of its lanes. */
  vectorMemory(opcode: number, alignment: number, offset: number, lane?: number): this {
    this.vector(opcode).#counted(alignment, offset);
    return lane === undefined ? this : this.byte(lane);
  }
  /** An instruction for one lane of a vector. */
  lane(opcode: number, lane: number): this {
    return this.vector(opcode).byte(lane);
  }
  /** The vector whose byte `i` is byte `places[i]` of the two vectors on the stack, end to end. */
  shuffle(places: readonly number[]): this {
    this.vector(0x0d);
    for (const place of places) this.byte(place);
    return this;
  }
  /** A vector constant of four int32. */
  v128(values: readonly number[]): this {
    this.vector(0x0c);
    for (const value of values) {
      scratch.setInt32(0, value, true);
      this.append(fourBytes);
    }
    return this;
  }
  /** Copies bytes inside memory: destination, source and length are on the stack. */
  copyMemory(): this {
    return this.pair(0xfc, 10).pair(0, 0);
  }
  /** Fills bytes of memory: address, value and length are on the stack. */
  fillMemory(): this {
    return this.pair(0xfc, 11).byte(0);
  }
  /** An instruction on an int32 of memory that other threads see whole. */
  atomic(opcode: number, offset: number): this {
    return this.pair(0xfe, opcode).byte(2).unsigned(offset);
  }
  call(index: number): this {
    return this.#counted(0x10, index);
  }
  block(): this {
    return this.pair(0x02, 0x40);
  }
  loop(): this {
    return this.pair(0x03, 0x40);
  }
  if(result: ValueType | null): this {
    return this.pair(0x04, result === null ? 0x40 : valueTypes[result]);
  }
  else(): this {
    return this.byte(0x05);
  }
  end(): this {
    return this.byte(0x0b);
  }
  branchIf(depth: number): this {
    return this.#counted(0x0d, depth);
  }
  unreachable(): this {
    return this.byte(0x00);
  }

  /** The function as the code section holds it. */
  get packed(): Code {
    const out = new Code().unsigned(this.#locals.length);
    for (const type of this.#locals) out.pair(1, valueTypes[type]);
    return out.append(this.written).byte(0x0b);
  }
}

/** Where a module finds a function that it does not have. */
export interface Import {
  readonly module: string;
  readonly name: string;
}

export interface Outside {
  readonly imports?: readonly Import[] | undefined;
  /** It has a memory of its own; or imports one as `host.memory`, which may be shared with other threads. */
  readonly memory?: "own" | "host" | "shared" | undefined;
  /** The last functions are exported by these names. */
  readonly exports?: readonly string[] | undefined;
}

/**
 * A module of these functions, the first of which are only declared, and imported; the last one is exported as `run` unless names are
 * given, its memory of `pages` times 64 KiB as `memory`.
 */
export function assemble(
  functions: readonly Code[],
  pages: number,
  { imports = [], memory = "own", exports = ["run"] }: Outside = {},
): Uint8Array<ArrayBuffer> {
  const isOwn = memory === "own";
  const types = new Map<string, number>();
  const typeBytes = new Code();
  const typeOf = functions.map(({ parameters, results }) => {
    return remembered(types, `${parameters} -> ${results}`, () => {
      typeBytes.byte(0x60);
      for (const list of [parameters, results]) {
        typeBytes.unsigned(list.length);
        for (const type of list) typeBytes.byte(valueTypes[type]);
      }
      return types.size;
    });
  });
  const module = new Code().append(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0));
  const section = (id: number, content: Code) => module.byte(id).sized(content);
  section(1, new Code().unsigned(types.size).append(typeBytes.written));
  if (imports.length > 0 || !isOwn) {
    const imported = new Code().unsigned(imports.length + Number(!isOwn));
    imports.forEach(({ module, name }, i) => {
      imported.text(module).text(name).byte(0).unsigned(typeOf[i]!);
    });
    if (!isOwn) {
      const isShared = memory === "shared";
      imported
        .text("host")
        .text("memory")
        .pair(2, isShared ? 3 : 0)
        .unsigned(pages);
      if (isShared) imported.unsigned(pages);
    }
    section(2, imported);
  }
  const own = functions.slice(imports.length);
  const declared = new Code().unsigned(own.length);
  for (const type of typeOf.slice(imports.length)) declared.unsigned(type);
  section(3, declared);
  if (isOwn) section(5, new Code().pair(1, 1).unsigned(pages).unsigned(pages));
  const exported = new Code()
    .unsigned(1 + exports.length)
    .text("memory")
    .pair(2, 0);
  const first = functions.length - exports.length;
  for (const [i, name] of exports.entries())
    exported
      .text(name)
      .byte(0)
      .unsigned(first + i);
  section(7, exported);
  const bodies = new Code().unsigned(own.length);
  for (const code of own) bodies.sized(code.packed);
  section(10, bodies);
  return module.written;
}
