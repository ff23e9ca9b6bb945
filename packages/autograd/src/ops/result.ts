import type { DType, TypedArray } from "../dtype.ts";
import { isFloat } from "../dtype.ts";
import type { Attribute, Attributes } from "../graph.ts";
import { arityOf, derivativeOf, none, ownerOf, setElements, Tensor, youngest } from "../graph.ts";
import type { Shape } from "../shape.ts";
import { leaf } from "./leaf.ts";

/**
 * What compiled functions return: leaves that know which call they are from, so that a derivative that would have to go on behind them
 * is an error (`checkResults` of `reach.ts`), not a number that lacks a part.
 */

const resultOp = leaf("data", "data");

/** An output of a compiled function: its node in the trace, the symbols for the arguments, and what these stood for in the last calls. */
export interface Origin {
  readonly output: Tensor;
  readonly symbols: readonly Tensor[];
  readonly given: Given;
}

/** The attributes of such leaves, and where they are from: in a map beside them, even a weak one, dropped programs would not die young. */
class Result implements Attributes {
  readonly [name: string]: Attribute;
  readonly shape: Shape;
  readonly dtype: DType;
  readonly #origin: Origin;

  constructor(origin: Origin) {
    this.shape = origin.output.shape;
    this.dtype = origin.output.dtype;
    this.#origin = origin;
  }

  static originOf(attributes: Attributes): Origin | null {
    return #origin in attributes ? attributes.#origin : null;
  }
}

let areAny = false;

/** Did a compiled function return anything yet? */
export const areResults = (): boolean => areAny;

/** Makes leaves that hold what they are given and remember where it is from. */
export function resultsOf(origin: Origin): (data: TypedArray) => Tensor {
  const attributes = new Result(origin);
  const { shape, dtype } = attributes;
  areAny = true;
  return (data) => {
    const x = new Tensor(resultOp, null, attributes, shape, dtype);
    setElements(x, data);
    return x;
  };
}

/** Where the leaf is from, if a compiled function returned it. */
export function resultOriginOf(x: Tensor): Origin | null {
  return x.op === resultOp ? Result.originOf(x.attributes) : null;
}

/** What an argument is made of: the number of a node, or of the variable that it is a version of; or a result. */
export type Source = number | { readonly origin: Origin; readonly id: number };

/** Calls that are remembered. */
const kept = 128;

/** What a compiled function was given lately, as ids of nodes: results that held their arguments themselves would keep all data alive. */
export class Given {
  readonly #width: number;
  /** Of each call: the node that was made last when it was done. Its results are the next ones. */
  readonly #ends: number[] = [];
  /** Of each call and argument; results are known by their attributes. */
  readonly #sources: (number | readonly Source[])[] = [];
  readonly #attributes: Attributes[] = [];
  #calls = 0;

  constructor(width: number) {
    this.#width = width;
  }

  /** Adds a call that is done, before its results are made. */
  add(args: readonly unknown[]): void {
    if (this.#width === 0) return;
    const first = (this.#calls++ % kept) * this.#width;
    this.#ends[first] = youngest();
    for (let i = 0; i < this.#width; i++) {
      const x = args[i];
      const isTensor = x instanceof Tensor;
      this.#sources[first + i] = isTensor ? sourcesOf(x) : [];
      this.#attributes[first + i] = isTensor ? x.attributes : none;
    }
  }

  /** What argument `i` was made of in the call that returned the result of number `id`; nothing if that was too long ago. */
  of(id: number, i: number): Source | readonly Source[] {
    for (let call = this.#calls - 1; call >= Math.max(0, this.#calls - kept); call--) {
      const first = (call % kept) * this.#width;
      if (this.#ends[first]! >= id) continue;
      const found = this.#sources[first + i]!;
      const origin = Result.originOf(this.#attributes[first + i]!);
      return origin && typeof found === "number" ? { origin, id: found } : found;
    }
    return [];
  }
}

/** The most nodes that are remembered of those that an argument is made of. */
const most = 100;

/** What `x` is made of by derivatives that are not zero. */
function sourcesOf(x: Tensor): number | readonly Source[] {
  if (arityOf(x) === 0) return numberOf(x);
  const seen = new Set<Tensor>([x]);
  for (const node of seen) {
    if (seen.size >= most) break;
    if (!isFloat(node.dtype)) continue;
    node.inputs.forEach((input, i) => {
      if (derivativeOf(node.op, i).kind !== "zero") seen.add(input);
    });
  }
  return Array.from(seen, (node) => {
    const origin = resultOriginOf(node);
    return origin ? { origin, id: node.id } : numberOf(node);
  });
}

function numberOf(x: Tensor): number {
  return ownerOf(x)?.id ?? x.id;
}
