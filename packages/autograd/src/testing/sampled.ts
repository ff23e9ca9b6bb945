import { isFloat } from "../dtype.ts";
import { Tensor } from "../graph.ts";
import { cat } from "../ops/join.ts";
import { reshape } from "../ops/movement.ts";
import type { Tree } from "../tree.ts";
import { leavesOf } from "../tree.ts";

type Sampled = (...operands: readonly unknown[]) => Tree;

/** A call of a function with sample arguments, as a function of the float tensors among them. */
export interface SampledCall {
  readonly f: Sampled;
  readonly name: string;
  readonly args: readonly unknown[];
  /** The float tensors among the arguments. */
  readonly inputs: readonly Tensor[];
  /** All results of the call with other tensors in the place of `inputs`. */
  results(inputs: readonly Tensor[]): readonly Tensor[];
  /** One tensor: the only result, or all float results (if there are any) end to end. */
  apply(inputs: readonly Tensor[]): Tensor;
}

/** The call `f(...args)`. */
export function sampledCall(f: Sampled, args: readonly unknown[]): SampledCall {
  const inputs: Tensor[] = [];
  const collect = (x: unknown): void => {
    if (Array.isArray(x)) x.forEach(collect);
    else if (x instanceof Tensor && isFloat(x.dtype)) inputs.push(x);
  };
  collect(args);
  const results = (others: readonly Tensor[]): readonly Tensor[] => {
    const at = new Map(inputs.map((x, i) => [x, others[i]!]));
    const put = (x: unknown): unknown =>
      Array.isArray(x) ? x.map(put) : x instanceof Tensor ? (at.get(x) ?? x) : x;
    return leavesOf(f(...args.map(put)));
  };
  const apply = (others: readonly Tensor[]): Tensor => {
    const all = results(others);
    if (all.length === 1) return all[0]!;
    const floats = all.filter((y) => isFloat(y.dtype));
    return floats.length === 0 ? all[0]! : cat(floats.map((y) => reshape(y, [-1])));
  };
  return { f, name: f.name, args, inputs, results, apply };
}
