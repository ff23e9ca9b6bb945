import type { Attributes, IndexMap, Op, Tensor } from "../graph.ts";
import { linearRule } from "../graph.ts";
import type { Shape } from "../shape.ts";

/** What makes a view: where its elements are found, its shape, and its adjoint for an operand of `shape`. */
interface View<A extends Attributes> {
  readonly name: string;
  map(shape: Shape, attributes: A): IndexMap;
  shape(shape: Shape, attributes: A): Shape;
  transpose(g: Tensor, shape: Shape, attributes: A): Tensor;
}

/** An op that reads the elements of its one operand at other places. */
export function view<A extends Attributes>({ name, map, shape, transpose }: View<A>): Op<A> {
  return {
    name,
    kernel: { kind: "view", map },
    derivatives: [linearRule<A>((g, out, attributes) => transpose(g, out.inputs[0]!.shape, attributes))],
    shape: ([x], attributes) => shape(x!.shape, attributes),
    dtype: ([x]) => x!.dtype,
  };
}
