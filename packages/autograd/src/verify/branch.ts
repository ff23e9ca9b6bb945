import type { Arithmetic, Body } from "../arithmetic.ts";
import type { TypedArray } from "../dtype.ts";
import { isFloat } from "../dtype.ts";
import type { Tensor } from "../graph.ts";
import { Machine } from "../machine.ts";
import { trace } from "../program.ts";
import { stridesOf, walk } from "../shape.ts";

/**
 * Which branch each element of a node takes, as one number an element: what it compares to what, the whole number that it
 * rounds to, which operand is the largest. Two points with the same branches everywhere lie on one smooth piece.
 */
export type Branches = (inputs: readonly TypedArray[], out: TypedArray) => ArrayLike<number>;

/** How to tell the branches of `node`, or null if it has one only. */
export function branchesOf(node: Tensor): Branches | null {
  if (!isFloat(node.dtype)) return (_, out) => out.slice();
  const { kernel, kink } = node.op;
  switch (kernel.kind) {
    case "pointwise": {
      const machine = branchMachine(
        kernel.body,
        node.inputs.map((x) => x.dtype),
        kink !== undefined,
      );
      if (!machine) return null;
      return (inputs, out) => {
        const codes = new Float64Array(out.length);
        machine.run(inputs, out.length, codes);
        return codes;
      };
    }
    case "reduce":
      return chooses(kernel.combine) ? (inputs, out) => chosenIn(node, inputs[0]!, out) : null;
    case "scan":
      return chooses(kernel.combine) ? (inputs, out) => chosenSoFar(node, inputs[0]!, out) : null;
    default:
      return null;
  }
}

/** Does this way to combine two elements choose one of them? */
function chooses(combine: Body): boolean {
  return branchMachine(combine, ["float64", "float64"], false) !== null;
}

/** For each element of a reduction, which of the elements it was made of equal it. */
function chosenIn(node: Tensor, x: TypedArray, out: TypedArray): Float64Array {
  const { shape } = node.inputs[0]!;
  const axes = node.attributes.axes as readonly number[];
  const kept = shape.map((size, axis) => (axes.includes(axis) ? 1 : size));
  const strides = stridesOf(kept).map((stride, axis) => (axes.includes(axis) ? 0 : stride));
  const codes = new Float64Array(out.length);
  walk(shape, strides, (at, i) => {
    if (x[i] === out[at]) codes[at]! += Math.sqrt(i + 2);
  });
  return codes;
}

/** For each element of a scan, which of the elements so far equal it: a tie stays one for all that come after it. */
function chosenSoFar({ shape, attributes }: Tensor, x: TypedArray, out: TypedArray): Float64Array {
  const axis = attributes.axis as number;
  const stride = stridesOf(shape)[axis]!;
  const back = attributes.reverse ? stride : -stride;
  const first = attributes.reverse ? shape[axis]! - 1 : 0;
  const codes = new Float64Array(out.length);
  for (let k = 0; k < out.length; k++) {
    const i = attributes.reverse ? out.length - 1 - k : k;
    const isFirst = Math.floor(i / stride) % shape[axis]! === first;
    if (!isFirst && out[i + back] === out[i]) codes[i] = codes[i + back]!;
    if (x[i] === out[i]) codes[i]! += Math.sqrt(i + 2);
  }
  return codes;
}

const machines = new WeakMap<Body, Map<string, Machine | null>>();

type DTypes = readonly Tensor["dtype"][];

/** Computes the branches of `body`; null if it has none. `deep` looks into named functions as well (fmod). */
function branchMachine(body: Body, inputs: DTypes, deep: boolean): Machine | null {
  const known = machines.get(body) ?? new Map<string, Machine | null>();
  machines.set(body, known);
  const key = `${deep} ${inputs.join(" ")}`;
  let machine = known.get(key);
  if (machine === undefined) {
    const program = trace(branchBody(body, deep), inputs, "float64");
    const none = program.instructions[program.result]!.word === "constant";
    machine = none ? null : new Machine(program);
    known.set(key, machine);
  }
  return machine;
}

/** A body that gives the branches of `body`: all that it decides, weighed so that no two patterns add up to the same. */
function branchBody(body: Body, deep: boolean): Body {
  return <E>(m: Arithmetic<E>, ...operands: E[]): E => {
    const decisions: E[] = [];
    body(witness(m, decisions, deep), ...operands);
    let code = m.constant(0, "float64");
    let weight = Math.SQRT2;
    for (const decision of decisions) {
      code = m.add(code, m.mul(m.convert(decision, "float64"), weight));
      weight *= 1.7;
    }
    return code;
  };
}

const comparisons = ["eq", "ne", "lt", "le", "floor", "ceil", "trunc", "nearest"];
const choices = ["pmin", "pmax"];

/** The vocabulary `m`, with everything that a body decides added to `decisions`. */
function witness<E>(m: Arithmetic<E>, decisions: E[], deep: boolean): Arithmetic<E> {
  const watched: Arithmetic<E> = new Proxy(m, {
    get(target, word) {
      const member: unknown = Reflect.get(target, word);
      if (typeof member !== "function") return member;
      return (...operands: unknown[]): unknown => {
        if (word === "call" && deep) {
          const [, body, ...rest] = operands as [string, Body, ...E[]];
          return body(watched, ...rest);
        }
        const result: unknown = Reflect.apply(member, target, operands);
        const [x, y] = operands as [E, E];
        const name = String(word);
        if (comparisons.includes(name)) decisions.push(result as E);
        else if (choices.includes(name)) decisions.push(m.lt(x, y));
        else if (name === "abs") decisions.push(m.lt(x, 0), m.lt(0, x));
        else if (name === "copysign") decisions.push(m.lt(x, 0), m.lt(0, x), m.lt(m.copysign(1, y), 0));
        return result;
      };
    },
  });
  return watched;
}
