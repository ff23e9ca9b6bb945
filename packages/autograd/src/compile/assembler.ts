/**
 * A WebAssembly assembler: bytes in, bytes out. It knows the binary format (WebAssembly Core Specification, chapter 5)
 * and nothing of tensors.
 */

/** Bytes that grow. */
export class Bytes {
  #data: Uint8Array = new Uint8Array(256);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  #room(count: number): void {
    if (this.#length + count <= this.#data.length) return;
    const larger = new Uint8Array(Math.max(2 * this.#data.length, this.#length + count));
    larger.set(this.#data.subarray(0, this.#length));
    this.#data = larger;
  }
  byte(value: number): void {
    this.#room(1);
    this.#data[this.#length++] = value;
  }
  bytes(values: ArrayLike<number>): void {
    this.#room(values.length);
    this.#data.set(values, this.#length);
    this.#length += values.length;
  }
  /** An unsigned number in LEB128. */
  unsigned(value: number): void {
    let rest = value >>> 0;
    while (rest > 127) {
      this.byte((rest & 127) | 128);
      rest >>>= 7;
    }
    this.byte(rest);
  }
  /** A signed 32-bit number in LEB128. */
  signed(value: number): void {
    let rest = value | 0;
    while (rest < -64 || rest > 63) {
      this.byte((rest & 127) | 128);
      rest >>= 7;
    }
    this.byte(rest & 127);
  }
  float32(value: number): void {
    this.bytes(new Uint8Array(Float32Array.of(value).buffer));
  }
  float64(value: number): void {
    this.bytes(new Uint8Array(Float64Array.of(value).buffer));
  }
  text(value: string): void {
    this.unsigned(value.length);
    this.bytes(Array.from(value, (letter) => letter.charCodeAt(0)));
  }
  /** The bytes so far, without a copy. */
  view(): Uint8Array<ArrayBuffer> {
    return this.#data.subarray(0, this.#length) as Uint8Array<ArrayBuffer>;
  }
}

export type ValueType = "i32" | "i64" | "f32" | "f64";

const typeCodes: Record<ValueType, number> = { i32: 0x7f, i64: 0x7e, f32: 0x7d, f64: 0x7c };

/** The opcodes that take nothing but the stack. */
export const opcodes = {
  end: 0x0b, else: 0x05, return: 0x0f, drop: 0x1a, select: 0x1b,
  "i32.eqz": 0x45, "i32.eq": 0x46, "i32.ne": 0x47, "i32.lt_s": 0x48, "i32.lt_u": 0x49, "i32.gt_s": 0x4a,
  "i32.le_s": 0x4c, "i32.ge_s": 0x4e, "i32.ge_u": 0x4f,
  "f32.eq": 0x5b, "f32.ne": 0x5c, "f32.lt": 0x5d, "f32.le": 0x5f,
  "f64.eq": 0x61, "f64.ne": 0x62, "f64.lt": 0x63, "f64.le": 0x65,
  "i32.add": 0x6a, "i32.sub": 0x6b, "i32.mul": 0x6c, "i32.div_s": 0x6d, "i32.and": 0x71, "i32.or": 0x72,
  "i32.xor": 0x73, "i32.shl": 0x74, "i32.shr_u": 0x76, "i64.shl": 0x86, "i64.shr_u": 0x88,
  "f32.abs": 0x8b, "f32.neg": 0x8c, "f32.ceil": 0x8d, "f32.floor": 0x8e, "f32.trunc": 0x8f, "f32.nearest": 0x90,
  "f32.sqrt": 0x91, "f32.add": 0x92, "f32.sub": 0x93, "f32.mul": 0x94, "f32.div": 0x95, "f32.copysign": 0x98,
  "f64.abs": 0x99, "f64.neg": 0x9a, "f64.ceil": 0x9b, "f64.floor": 0x9c, "f64.trunc": 0x9d, "f64.nearest": 0x9e,
  "f64.sqrt": 0x9f, "f64.add": 0xa0, "f64.sub": 0xa1, "f64.mul": 0xa2, "f64.div": 0xa3, "f64.copysign": 0xa6,
  "i32.wrap_i64": 0xa7, "i64.extend_i32_s": 0xac, "f32.convert_i32_s": 0xb2, "f32.demote_f64": 0xb6,
  "f64.convert_i32_s": 0xb7, "f64.promote_f32": 0xbb, "i32.reinterpret_f32": 0xbc, "i64.reinterpret_f64": 0xbd,
  "f32.reinterpret_i32": 0xbe, "f64.reinterpret_i64": 0xbf,
} as const; // biome-ignore format: a table

export type Opcode = keyof typeof opcodes;

const loads = { f32: 0x2a, f64: 0x2b, i32: 0x28, i8: 0x2d } as const;
const stores = { f32: 0x38, f64: 0x39, i32: 0x36, i8: 0x3a } as const;
const alignments = { f32: 2, f64: 3, i32: 2, i8: 0 } as const;

/** What a load or store moves: `i8` is a byte, widened without sign. */
export type Cell = keyof typeof loads;

/** One function under construction: parameters are the first locals. */
export class FunctionBuilder {
  readonly code: Bytes = new Bytes();
  readonly parameters: readonly ValueType[];
  readonly results: readonly ValueType[];
  readonly #locals: ValueType[] = [];

  constructor(parameters: readonly ValueType[] = [], results: readonly ValueType[] = []) {
    this.parameters = parameters;
    this.results = results;
  }

  /** A new local, by its number. */
  local(type: ValueType): number {
    return this.parameters.length + this.#locals.push(type) - 1;
  }
  get localCount(): number {
    return this.#locals.length;
  }
  op(name: Opcode): void {
    this.code.byte(opcodes[name]);
  }
  /** Float to int32, saturating, NaN to 0. */
  truncateSaturating(from: "f32" | "f64"): void {
    this.code.bytes([0xfc, from === "f32" ? 0 : 2]);
  }
  get(local: number): void {
    this.code.byte(0x20);
    this.code.unsigned(local);
  }
  set(local: number): void {
    this.code.byte(0x21);
    this.code.unsigned(local);
  }
  tee(local: number): void {
    this.code.byte(0x22);
    this.code.unsigned(local);
  }
  i32(value: number): void {
    this.code.byte(0x41);
    this.code.signed(value);
  }
  /** A 64-bit constant that fits 32 bits. */
  i64(value: number): void {
    this.code.byte(0x42);
    this.code.signed(value);
  }
  f32(value: number): void {
    this.code.byte(0x43);
    this.code.float32(value);
  }
  f64(value: number): void {
    this.code.byte(0x44);
    this.code.float64(value);
  }
  load(cell: Cell, offset: number): void {
    this.code.byte(loads[cell]);
    this.code.unsigned(alignments[cell]);
    this.code.unsigned(offset);
  }
  store(cell: Cell, offset: number): void {
    this.code.byte(stores[cell]);
    this.code.unsigned(alignments[cell]);
    this.code.unsigned(offset);
  }
  call(index: number): void {
    this.code.byte(0x10);
    this.code.unsigned(index);
  }
  /** `if`, with a result of `type` if given; close with `end`. */
  if(type?: ValueType): void {
    this.code.byte(0x04);
    this.code.byte(type ? typeCodes[type] : 0x40);
  }
  loop(): void {
    this.code.bytes([0x03, 0x40]);
  }
  /** Jumps back to (loop) or out of (if) the `depth`-th enclosing block when the top of the stack is not 0. */
  branchIf(depth: number): void {
    this.code.byte(0x0d);
    this.code.unsigned(depth);
  }
  /** Copies bytes from one address to another: both and the count are on the stack. */
  copyMemory(): void {
    this.code.bytes([0xfc, 10, 0, 0]);
  }

  /** The function as the code section holds it. */
  finish(): Uint8Array {
    const body = new Bytes();
    body.unsigned(this.#locals.length);
    for (const type of this.#locals) {
      body.unsigned(1);
      body.byte(typeCodes[type]);
    }
    body.bytes(this.code.view());
    body.byte(opcodes.end);
    return body.view();
  }
}

/** A module of functions over one imported memory, `env.memory`; its last function is exported as `run`. */
export class ModuleBuilder {
  readonly #functions: FunctionBuilder[] = [];

  /** Adds a finished function and returns its number for calls. */
  add(builder: FunctionBuilder): number {
    return this.#functions.push(builder) - 1;
  }

  build(pages: number): Uint8Array<ArrayBuffer> {
    const out = new Bytes();
    out.bytes([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);
    const section = (id: number, fill: (bytes: Bytes) => void) => {
      const content = new Bytes();
      fill(content);
      out.byte(id);
      out.unsigned(content.length);
      out.bytes(content.view());
    };
    const all = this.#functions;
    section(1, (bytes) => {
      bytes.unsigned(all.length);
      for (const { parameters, results } of all) {
        bytes.byte(0x60);
        for (const types of [parameters, results]) {
          bytes.unsigned(types.length);
          bytes.bytes(types.map((type) => typeCodes[type]));
        }
      }
    });
    section(2, (bytes) => {
      bytes.unsigned(1);
      bytes.text("env");
      bytes.text("memory");
      bytes.bytes([2, 0]);
      bytes.unsigned(pages);
    });
    section(3, (bytes) => {
      bytes.unsigned(all.length);
      all.forEach((_, i) => {
        bytes.unsigned(i);
      });
    });
    section(7, (bytes) => {
      bytes.unsigned(1);
      bytes.text("run");
      bytes.byte(0);
      bytes.unsigned(all.length - 1);
    });
    section(10, (bytes) => {
      bytes.unsigned(all.length);
      for (const builder of all) {
        const body = builder.finish();
        bytes.unsigned(body.length);
        bytes.bytes(body);
      }
    });
    return out.view();
  }
}
