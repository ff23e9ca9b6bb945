import { allocate } from "../dtype.ts";
import type { Tensor } from "../graph.ts";
import type { Program } from "../program.ts";
import type { Shape } from "../shape.ts";
import { equalShapes, stridesOf } from "../shape.ts";
import type { Affine, Box } from "./affine.ts";
import { isEmpty, rangeOf, sameAffine, unravel, weighted } from "./affine.ts";
import type { Pick, Scalar } from "./kernel.ts";
import { scalar } from "./kernel.ts";
import { programOf } from "./simplify.ts";
import { copiedBy } from "./stored.ts";

/** What lies in memory when a body is built. */
export interface Memory {
  isStored(x: Tensor): boolean;
  /** Says that the node has to be stored, or there can be no body. */
  require(x: Tensor): void;
}

/** Collects the body of a kernel that computes `node`, over `space`, each distinct scalar once. */
export function bodyBuilder(node: Tensor, space: Shape, memory: Memory): BodyBuilder {
  return new BodyBuilder(node, space, memory);
}

/** Programs of more instructions are called, not written out, in a kernel of one index. */
const longBody = 40;

const none: readonly number[] = [];

/** Where a value is needed: at indices inside `box`, and only if the bool scalar `condition` holds (-1: always). */
interface Need {
  readonly box: Box;
  readonly condition: number;
}

class BodyBuilder {
  readonly space: Shape;
  readonly body: Scalar[] = [];
  /** The node, and what the body reads. */
  readonly nodes: Tensor[];
  readonly #memory: Memory;
  readonly #defined = new Map<Tensor, Defined>();

  constructor(node: Tensor, space: Shape, memory: Memory) {
    this.nodes = [node];
    this.space = space;
    this.#memory = memory;
  }

  /** The number of a scalar, which is added unless an equal one is there. */
  add(made: Scalar): number {
    for (let i = 0; i < this.body.length; i++) if (isSame(this.body[i]!, made)) return i;
    return this.body.push(made) - 1;
  }

  /** The element of `node` at these indices: loaded if it is stored, else computed. */
  value(node: Tensor, at: readonly Affine[], need: Need = this.#everywhere()): number {
    if (!this.#memory.isStored(node)) return this.define(node, at, need);
    return this.load(node, weighted(0, stridesOf(node.shape), at, this.space.length), need.condition);
  }

  /** The element `at` of `x`, which lies in memory; 0 where the condition does not hold. */
  load(x: Tensor, at: Affine, condition = -1, pick: Pick | null = null): number {
    const operands = condition < 0 ? none : [condition];
    const known = this.nodes.indexOf(x);
    const source = known >= 0 ? known : this.nodes.push(x) - 1;
    return this.add(scalar("load", x.dtype, operands, { source, at, pick }));
  }

  /** `x`; or if that is a copy of something and not stored, what it is a copy of. */
  withoutCopies(x: Tensor): Tensor {
    const source = this.#memory.isStored(x) ? null : copiedBy(x);
    return source ? this.withoutCopies(source) : x;
  }

  /** The element of `node` at these indices, computed even if it is stored. */
  define(node: Tensor, at: readonly Affine[], need: Need = this.#everywhere()): number {
    const { condition } = need;
    for (let known = this.#defined.get(node); known; known = known.other)
      if (known.condition === condition && areSame(known.at, at)) return known.number;
    const number = this.#define(node, at, need);
    this.#defined.set(node, { at, condition, number, other: this.#defined.get(node) });
    return number;
  }

  #define(node: Tensor, at: readonly Affine[], need: Need): number {
    const { kernel } = node.op;
    if (kernel.kind === "pointwise") {
      const operands = node.inputs.map((x) => this.value(x, at, need));
      return this.#inline(programOf(kernel.body, node.inputs, node.dtype), operands);
    }
    if (kernel.kind === "view")
      return this.#view(node, kernel.map(node.inputs[0]!.shape, node.attributes), at, need);
    if (kernel.kind === "leaf" && kernel.source === "fill") return this.#fill(node);
    const flat = weighted(0, stridesOf(node.shape), at, this.space.length);
    return this.add(scalar("index", node.dtype, [], { at: flat }));
  }

  /** The number as the typed array of the dtype would hold it. */
  #fill({ attributes, dtype }: Tensor): number {
    const value = allocate(dtype, 1).fill(Number(attributes.value))[0]!;
    return this.add(scalar("constant", dtype, [], { value }));
  }

  #everywhere(): Need {
    return { box: this.space.map((size) => [0, size] as const), condition: -1 };
  }

  #view(
    node: Tensor,
    { offset, strides, bounds }: { offset: number; strides: readonly number[]; bounds: Bounds | null },
    at: readonly Affine[],
    outer: Need,
  ): number {
    const x = node.inputs[0]!;
    const flat = weighted(offset, strides, at, this.space.length);
    const need = bounds ? this.#within(at, bounds, outer) : outer;
    const stored = this.#memory.isStored(x);
    const coordinates = stored ? null : unravel(flat, x.shape, need.box);
    if (coordinates === null) {
      if (!stored) this.#memory.require(x);
      return this.load(x, flat, need.condition);
    }
    const value = this.value(x, coordinates, need);
    if (need.condition === outer.condition) return value;
    const zero = this.add(scalar("constant", node.dtype, []));
    return this.add(scalar("select", node.dtype, [need.condition, value, zero]));
  }

  /** The part of `need` where the indices `at` lie inside `bounds`. */
  #within(at: readonly Affine[], bounds: Bounds, need: Need): Need {
    let { condition } = need;
    const box = [...need.box];
    at.forEach((index, axis) => {
      const [from, to] = bounds[axis]!;
      if (isEmpty(box)) return;
      const [least, greatest] = rangeOf(index, box);
      if (least >= from && greatest < to) return;
      const inside = this.add(
        scalar("inside", "bool", [], {
          at: { ...index, offset: index.offset - from },
          value: Math.max(0, to - from),
        }),
      );
      condition = condition < 0 ? inside : this.add(scalar("and", "bool", [condition, inside]));
      const loop = onlyLoop(index);
      if (loop < 0) return;
      const [first, end] = box[loop]!;
      const step = index.steps[loop]!;
      const [a, b] = [(from - index.offset) / step, (to - 1 - index.offset) / step];
      box[loop] = [Math.max(first, Math.ceil(Math.min(a, b))), Math.min(end, Math.floor(Math.max(a, b)) + 1)];
    });
    return { box, condition };
  }

  #inline(program: Program, operands: readonly number[]): number {
    const { instructions, result } = program;
    // A long body at one single index is not worth code of its own.
    if (instructions.length > longBody && this.space.every((size) => size === 1))
      return this.#called(program, operands);
    const chosen = this.#chosen(program, operands);
    const numbers: number[] = [];
    for (let n = 0; n < instructions.length; n++) {
      const instruction = instructions[n]!;
      const { word, dtype, value, values, slow } = instruction;
      const choice = chosen ? chosen[n]! : n;
      if (choice !== n) numbers.push(choice < 0 ? -1 : numbers[choice]!);
      else if (word === "input") numbers.push(operands[value]!);
      else if (word === "constant") numbers.push(this.add(scalar(word, dtype, none, { value })));
      else {
        const of = instruction.operands.map((i) => numbers[i]!);
        // Without looking for an equal one: within a program there is none, and equal nodes are one.
        this.body.push({
          word,
          dtype,
          operands: of,
          value,
          values,
          slow,
          source: -1,
          at: null,
          pick: null,
        });
        numbers.push(this.body.length - 1);
      }
    }
    return numbers[result]!;
  }

  /**
   * Decides every `select` whose condition compares constants: for each instruction gives the one that stands for it (one side of such a
   * select, else itself), or -1 if it is not needed then. Null if there is nothing to decide.
   */
  #chosen({ instructions, result }: Program, operands: readonly number[]): Int32Array | null {
    const isNumber = (i: number) => this.body[i]!.word === "constant";
    if (!operands.some(isNumber) || instructions.every(({ word }) => word !== "select")) return null;
    const known = (n: number): number | null => {
      const { word, value, operands: of } = instructions[n]!;
      if (word === "constant") return value;
      const given = word === "input" ? this.body[operands[value]!]! : null;
      if (given) return given.word === "constant" ? given.value : null;
      if (word !== "eq") return null;
      const [x, y] = of.map(known);
      return x === null || y === null ? null : Number(x === y);
    };
    const chosen = new Int32Array(instructions.length).fill(-1);
    chosen[result] = result;
    for (let n = result; n >= 0; n--) {
      if (chosen[n]! < 0) continue;
      const { word, operands: of } = instructions[n]!;
      const condition = word === "select" ? known(of[0]!) : null;
      if (condition !== null) chosen[n] = of[condition ? 1 : 2]!;
      for (const i of condition === null ? of : [chosen[n]!]) chosen[i] = i;
    }
    return chosen;
  }

  #called(program: Program, operands: readonly number[]): number {
    const { dtype } = program.instructions[program.result]!;
    return this.add(scalar("call", dtype, operands, { slow: program }));
  }
}

/** At which indices and on which condition a node was computed, and the number of the scalar. */
interface Defined {
  readonly at: readonly Affine[];
  readonly condition: number;
  readonly number: number;
  /** The same node at other indices, or on another condition. */
  readonly other: Defined | undefined;
}

function isSame(x: Scalar, y: Scalar): boolean {
  return (
    x.word === y.word &&
    x.source === y.source &&
    x.dtype === y.dtype &&
    Object.is(x.value, y.value) &&
    x.slow === y.slow &&
    x.values === y.values &&
    x.pick?.index === y.pick?.index &&
    equalShapes(x.operands, y.operands) &&
    (x.at === y.at || (x.at !== null && y.at !== null && sameAffine(x.at, y.at)))
  );
}

function areSame(xs: readonly Affine[], ys: readonly Affine[]): boolean {
  return xs === ys || xs.every((x, i) => sameAffine(x, ys[i]!));
}

type Bounds = readonly (readonly [from: number, to: number])[];

/** The one loop that moves `index`, or -1. */
function onlyLoop({ steps }: Affine): number {
  const moving = steps.flatMap((step, loop) => (step === 0 ? [] : [loop]));
  return moving.length === 1 ? moving[0]! : -1;
}
