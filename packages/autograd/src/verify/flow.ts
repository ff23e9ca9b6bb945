import { forward, reverse } from "../differentiate.ts";
import { isFloat } from "../dtype.ts";
import { CotangentError } from "../errors.ts";
import { evaluate } from "../evaluate.ts";
import type { Tensor } from "../graph.ts";
import { fromElements } from "../ops/leaf.ts";
import { topology } from "../topology.ts";
import type { Tangent } from "./direction.ts";
import { tensorsOf } from "./direction.ts";

/** Products of cotangents and tangents, and how much of them rounding may take. */

/** A sum of numbers, and the sum of their sizes. */
export interface Sum {
  readonly value: number;
  readonly size: number;
}

/** The sum of the products of two arrays. */
export function dot(a: ArrayLike<number> | null, b: ArrayLike<number> | null): Sum {
  let [value, size] = [0, 0];
  if (a && b)
    for (let i = 0; i < a.length; i++) {
      // What is not weighed may be infinite.
      if (b[i] === 0) continue;
      const product = a[i]! * b[i]!;
      value += product;
      size += Math.abs(product);
    }
  return { value, size };
}

/** The sum of the products of all elements of gradients and a direction. */
export function along(gradients: readonly (ArrayLike<number> | null)[], t: Tangent): Sum {
  const parts = gradients.map((g, i) => dot(g, t[i] ?? null));
  return {
    value: parts.reduce((total, { value }) => total + value, 0),
    size: parts.reduce((total, { size }) => total + size, 0),
  };
}

/** Of all that flows through a graph, the part that may get lost. */
export const rounding = 1e-11;

/**
 * How much flows through the graph of `y`: of the products of cotangent and tangent, which add up to the same number at every
 * cut, the largest sum of sizes at a node.
 */
export function flowOf(y: Tensor, x: readonly Tensor[], cotangent: Float64Array, t: Tangent): number {
  const nodes = topology([y]).nodes.filter((node) => isFloat(node.dtype));
  const tangents = tangentsOf(nodes, x, t);
  // A rule that is not linear has no forward mode.
  if (!tangents) return 0;
  // What does not move counts nothing, and a rule may refuse the derivative by it.
  const moved = [...nodes.keys()].filter((n) => tangents[n]);
  const cotangents = computed(
    reverse(
      [y],
      [fromElements(cotangent, y.shape)],
      moved.map((n) => nodes[n]!),
    ),
  );
  let largest = 0;
  moved.forEach((n, i) => {
    const { size } = dot(tangents[n]!, cotangents[i]!);
    if (size > largest && size < Infinity) largest = size;
  });
  return largest;
}

function tangentsOf(nodes: readonly Tensor[], x: readonly Tensor[], t: Tangent) {
  try {
    return computed(forward(nodes, x, tensorsOf(t, x)));
  } catch (error) {
    if (error instanceof CotangentError) return null;
    throw error;
  }
}

/** The elements of each tensor, null for null. */
export function computed(tensors: readonly (Tensor | null)[]): (ArrayLike<number> | null)[] {
  const values = evaluate(tensors.filter((x) => x !== null));
  let next = 0;
  return tensors.map((x) => (x ? values[next++]! : null));
}
