import type { Body } from "./arithmetic.ts";
import type { DType, TypedArray } from "./dtype.ts";
import { dtypes, rankOf } from "./dtype.ts";
import { copysign, exponent, nearest, power2, scale2, toInt32 } from "./ieee.ts";
import { remembered } from "./memo.ts";
import type { Instruction, Program, Word } from "./program.ts";
import { trace } from "./program.ts";

/** Elements of a register: few enough that all registers of a program stay in the first-level cache. */
const block = 256;

/**
 * Runs a program over arrays: block by block, each instruction over all elements of the block. Registers hold doubles whatever the
 * dtype: every float32, int32 and bool is a double exactly, and rounding a double operation on float32 operands to
 * float32 gives the float32 operation (for + - * / and sqrt: S. A. Figueroa, When is double rounding innocuous?,
 * SIGNUM Newsletter 30, 1995). One kind of array keeps the inner loops monomorphic.
 */
export class Machine {
  readonly #program: Program;
  /** The register of each instruction; one register serves several values whose lives do not overlap. */
  readonly #registers: readonly Float64Array[];
  /** The machines of the slow sides of `rare`, by instruction. */
  readonly #slow: ReadonlyMap<Instruction, Machine>;

  constructor(program: Program, size: number = block) {
    this.#program = program;
    this.#registers = assignRegisters(program, size);
    const slow = new Map<Instruction, Machine>();
    for (const instruction of program.instructions)
      if (instruction.slow) slow.set(instruction, new Machine(instruction.slow, 1));
    this.#slow = slow;
  }

  /** The word of a program that is one instruction on two inputs; null for other programs. */
  get only(): Word | null {
    const [first, second, last, more] = this.#program.instructions;
    return first?.word === "input" && second?.word === "input" && !more ? (last?.word ?? null) : null;
  }

  /** Computes `n` elements of `out` from `n` elements of each input. */
  run(inputs: readonly TypedArray[], n: number, out: TypedArray): void {
    const { instructions, result } = this.#program;
    for (let start = 0; start < n; start += block) {
      const size = Math.min(block, n - start);
      for (let i = 0; i < instructions.length; i++) {
        const instruction = instructions[i]!;
        const register = this.#registers[i]!;
        if (instruction.word === "input") load(inputs[instruction.value]!, start, size, register);
        else if (instruction.word === "rare") this.#rare(instruction, size, register);
        else if (instruction.word !== "constant") step(instruction, this.#registers, size, register);
      }
      store(this.#registers[result]!, size, out, start);
    }
  }

  /** Runs the slow side for each element for which the condition holds. */
  #rare(instruction: Instruction, size: number, out: Float64Array): void {
    const [condition, fast, ...operands] = instruction.operands.map((x) => this.#registers[x]!);
    const slow = this.#slow.get(instruction)!;
    for (let i = 0; i < size; i++)
      out[i] = condition![i] ? slow.#scalar(operands.map((x) => x[i]!)) : fast![i]!;
  }

  /** The result for one element. */
  #scalar(inputs: readonly number[]): number {
    const { instructions, result } = this.#program;
    for (let i = 0; i < instructions.length; i++) {
      const instruction = instructions[i]!;
      const register = this.#registers[i]!;
      if (instruction.word === "input") register[0] = inputs[instruction.value]!;
      else if (instruction.word === "rare") this.#rare(instruction, 1, register);
      else if (instruction.word !== "constant") step(instruction, this.#registers, 1, register);
    }
    return this.#registers[result]![0]!;
  }
}

/** A register for each instruction. Constants have their own, filled once; others serve a later value after their last use. */
function assignRegisters({ instructions, result }: Program, size: number): Float64Array[] {
  const last = new Int32Array(instructions.length);
  instructions.forEach(({ operands }, i) => {
    for (const x of operands) last[x] = i;
  });
  last[result] = instructions.length;
  const registers: Float64Array[] = [];
  const free: Float64Array[] = [];
  instructions.forEach(({ word, operands, value }, i) => {
    if (word === "constant") {
      registers.push(new Float64Array(size).fill(value));
      return;
    }
    const dead = [...new Set(operands)].filter((x) => last[x] === i && instructions[x]!.word !== "constant");
    // `rare` writes its result before it has read all of its operands.
    if (word !== "rare") free.push(...dead.map((x) => registers[x]!));
    registers.push(free.pop() ?? new Float64Array(size));
    if (word === "rare") free.push(...dead.map((x) => registers[x]!));
  });
  return registers;
}

function load(from: TypedArray, start: number, size: number, to: Float64Array): void {
  for (let i = 0; i < size; i++) to[i] = from[start + i]!;
}

function store(from: Float64Array, size: number, to: TypedArray, start: number): void {
  for (let i = 0; i < size; i++) to[start + i] = from[i]!;
}

function step(
  { word, dtype, operands, values }: Instruction,
  registers: readonly Float64Array[],
  n: number,
  out: Float64Array,
): void {
  const a = registers[operands[0]!]!;
  const b = operands.length > 1 ? registers[operands[1]!]! : a;
  const single = dtype === "float32";
  switch (word) {
    case "add":
      if (single) for (let i = 0; i < n; i++) out[i] = Math.fround(a[i]! + b[i]!);
      else if (dtype === "int32") for (let i = 0; i < n; i++) out[i] = (a[i]! + b[i]!) | 0;
      else for (let i = 0; i < n; i++) out[i] = a[i]! + b[i]!;
      return;
    case "sub":
      if (single) for (let i = 0; i < n; i++) out[i] = Math.fround(a[i]! - b[i]!);
      else if (dtype === "int32") for (let i = 0; i < n; i++) out[i] = (a[i]! - b[i]!) | 0;
      else for (let i = 0; i < n; i++) out[i] = a[i]! - b[i]!;
      return;
    case "mul":
      if (single) for (let i = 0; i < n; i++) out[i] = Math.fround(a[i]! * b[i]!);
      else if (dtype === "int32") for (let i = 0; i < n; i++) out[i] = Math.imul(a[i]!, b[i]!);
      else for (let i = 0; i < n; i++) out[i] = a[i]! * b[i]!;
      return;
    case "div":
      if (single) for (let i = 0; i < n; i++) out[i] = Math.fround(a[i]! / b[i]!);
      else for (let i = 0; i < n; i++) out[i] = a[i]! / b[i]!;
      return;
    case "sqrt":
      if (single) for (let i = 0; i < n; i++) out[i] = Math.fround(Math.sqrt(a[i]!));
      else for (let i = 0; i < n; i++) out[i] = Math.sqrt(a[i]!);
      return;
    case "neg":
      if (dtype === "int32") for (let i = 0; i < n; i++) out[i] = -a[i]! | 0;
      else for (let i = 0; i < n; i++) out[i] = -a[i]!;
      return;
    case "abs":
      if (dtype === "int32") for (let i = 0; i < n; i++) out[i] = Math.abs(a[i]!) | 0;
      else for (let i = 0; i < n; i++) out[i] = Math.abs(a[i]!);
      return;
    case "pmin":
      for (let i = 0; i < n; i++) out[i] = b[i]! < a[i]! ? b[i]! : a[i]!;
      return;
    case "pmax":
      for (let i = 0; i < n; i++) out[i] = a[i]! < b[i]! ? b[i]! : a[i]!;
      return;
    case "floor":
      for (let i = 0; i < n; i++) out[i] = Math.floor(a[i]!);
      return;
    case "ceil":
      for (let i = 0; i < n; i++) out[i] = Math.ceil(a[i]!);
      return;
    case "trunc":
      for (let i = 0; i < n; i++) out[i] = Math.trunc(a[i]!);
      return;
    case "nearest":
      for (let i = 0; i < n; i++) out[i] = nearest(a[i]!);
      return;
    case "copysign":
      for (let i = 0; i < n; i++) out[i] = copysign(a[i]!, b[i]!);
      return;
    case "exponent":
      for (let i = 0; i < n; i++) out[i] = exponent(a[i]!, dtype);
      return;
    case "scale2":
      if (single) for (let i = 0; i < n; i++) out[i] = Math.fround(scale2(a[i]!, b[i]!, dtype));
      else for (let i = 0; i < n; i++) out[i] = scale2(a[i]!, b[i]!, dtype);
      return;
    case "power2":
      for (let i = 0; i < n; i++) out[i] = power2(a[i]!, dtype);
      return;
    case "shiftLeft":
      for (let i = 0; i < n; i++) out[i] = a[i]! << b[i]!;
      return;
    case "shiftRight":
      for (let i = 0; i < n; i++) out[i] = (a[i]! >>> b[i]!) | 0;
      return;
    case "xor":
      for (let i = 0; i < n; i++) out[i] = a[i]! ^ b[i]!;
      return;
    case "and":
      for (let i = 0; i < n; i++) out[i] = a[i]! & b[i]!;
      return;
    case "or":
      for (let i = 0; i < n; i++) out[i] = a[i]! | b[i]!;
      return;
    case "not":
      if (dtype === "bool") for (let i = 0; i < n; i++) out[i] = a[i] ? 0 : 1;
      else for (let i = 0; i < n; i++) out[i] = ~a[i]!;
      return;
    case "eq":
      for (let i = 0; i < n; i++) out[i] = a[i] === b[i] ? 1 : 0;
      return;
    case "ne":
      for (let i = 0; i < n; i++) out[i] = a[i] === b[i] ? 0 : 1;
      return;
    case "lt":
      for (let i = 0; i < n; i++) out[i] = a[i]! < b[i]! ? 1 : 0;
      return;
    case "le":
      for (let i = 0; i < n; i++) out[i] = a[i]! <= b[i]! ? 1 : 0;
      return;
    case "select": {
      const c = registers[operands[2]!]!;
      for (let i = 0; i < n; i++) out[i] = a[i] ? b[i]! : c[i]!;
      return;
    }
    case "convert":
      if (dtype === "float32") for (let i = 0; i < n; i++) out[i] = Math.fround(a[i]!);
      else if (dtype === "int32") for (let i = 0; i < n; i++) out[i] = toInt32(a[i]!);
      else if (dtype === "bool") for (let i = 0; i < n; i++) out[i] = a[i] === 0 ? 0 : 1;
      else for (let i = 0; i < n; i++) out[i] = a[i]!;
      return;
    case "table":
      for (let i = 0; i < n; i++) out[i] = single ? Math.fround(values![a[i]!]!) : values![a[i]!]!;
      return;
    default:
      word satisfies "input" | "constant" | "rare";
  }
}

/** A list of dtypes with another one at its end. Lists are numbers, so that they can be compared and made quickly: 0 is the empty one. */
export function withDType(list: number, dtype: DType): number {
  return list * (dtypes.length + 1) + 1 + rankOf(dtype);
}

function dtypesIn(list: number): DType[] {
  const found: DType[] = [];
  for (let rest = list; rest > 0; rest = Math.floor(rest / (dtypes.length + 1)))
    found.unshift(dtypes[(rest % (dtypes.length + 1)) - 1]!);
  return found;
}

const machines = new WeakMap<Body, Map<number, Machine>>();

/** The machine of a body. `list` has the dtype of the result and then those of the operands. Each machine is made once. */
export function machineOf(body: Body, list: number): Machine {
  for (let i = 0; i < recent.length; i++) {
    const entry = recent[i]!;
    if (entry.body === body && entry.list === list) return entry.machine;
  }
  const machine = knownMachine(body, list);
  recent[next] = { body, list, machine };
  next = (next + 1) % 8;
  return machine;
}

/** Eight machines that were asked for lately, the next to be replaced at `next`: looking through them is faster than through two maps. */
const recent: { readonly body: Body; readonly list: number; readonly machine: Machine }[] = [];
let next = 0;

function knownMachine(body: Body, list: number): Machine {
  return remembered(
    remembered(machines, body, () => new Map()),
    list,
    () => {
      const [dtype, ...operands] = dtypesIn(list) as [DType, ...DType[]];
      return new Machine(trace(body, operands, dtype));
    },
  );
}

/** The machine of a body whose one operand and result have one dtype. */
export function machineOfOne(body: Body, dtype: DType): Machine {
  return machineOf(body, withDType(withDType(0, dtype), dtype));
}

/** The machine of a body whose two operands and result have one dtype. */
export function machineOfTwo(body: Body, dtype: DType): Machine {
  return machineOf(body, withDType(withDType(withDType(0, dtype), dtype), dtype));
}
