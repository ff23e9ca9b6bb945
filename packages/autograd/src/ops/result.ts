import type { TypedArray } from "../dtype.ts";
import type { Attributes } from "../graph.ts";
import { setElements, Tensor } from "../graph.ts";
import { leaf } from "./leaf.ts";

const resultOp = leaf("data", "data");

/** What an output of a compiled function is computed from: its node in the trace, and the symbols for the arguments. */
export interface Origin {
  readonly output: Tensor;
  readonly symbols: readonly Tensor[];
}
const origins = /* @__PURE__ */ new WeakMap<Attributes, Origin>();
let areAny = false;

/** Did a compiled function return anything yet? */
export const areResults = (): boolean => areAny;

/** Makes leaves that hold what they are given and remember where it is from. */
export function resultsOf(origin: Origin): (data: TypedArray) => Tensor {
  const { shape, dtype } = origin.output;
  const attributes: Attributes = { shape, dtype };
  origins.set(attributes, origin);
  areAny = true;
  return (data) => {
    const x = new Tensor(resultOp, null, attributes, shape, dtype);
    setElements(x, data);
    return x;
  };
}

/** Where the leaf is from, if a compiled function returned it. */
export function originOf(x: Tensor): Origin | null {
  return x.op === resultOp ? (origins.get(x.attributes) ?? null) : null;
}
