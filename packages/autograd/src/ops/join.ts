import { promote } from "../dtype.ts";
import { ShapeError, ValueError } from "../errors.ts";
import type { Op, Tensor } from "../graph.ts";
import { apply, linearRule } from "../graph.ts";
import { remembered } from "../memo.ts";
import { equalShapes, formatShape, normalizeAxis } from "../shape.ts";
import type { Join, Stack } from "../signature.ts";
import { cast } from "./cast.ts";
import { operand } from "./elementwise.ts";
import { unsqueeze } from "./movement.ts";
import { slice } from "./region.ts";
import { composed, declare } from "./sample.ts";

/** Where the operands end along the axis: the rule is asked about each of them. */
const endsOf = new WeakMap<Tensor, readonly number[]>();

const catOp: Op<{ readonly axis: number }> = {
  name: "cat",
  kernel: { kind: "concatenate" },
  derivatives: [
    linearRule((g, out, { axis }, i) => {
      const ends = remembered(endsOf, out, () => {
        let end = 0;
        return out.inputs.map((x) => (end += x.shape[axis]!));
      });
      return slice(g, ends[i - 1] ?? 0, ends[i]!, { axis });
    }),
  ],
  shape: (inputs, { axis }) => {
    const total = inputs.reduce((sum, x) => sum + x.shape[axis]!, 0);
    return inputs[0]!.shape.map((size, i) => (i === axis ? total : size));
  },
  dtype: ([x]) => x!.dtype,
};

/**
 * The tensors one after the other along `axis`, the first unless given; dtypes are promoted. Throws ShapeError if they
 * differ on another axis, ValueError if there are none.
 */
export const cat: Join = declare(
  "cat",
  ((tensors: readonly Tensor[], axis: number = 0) => {
    const all = nodes("cat", tensors);
    const first = all[0]!;
    const along = normalizeAxis("cat", axis, first.shape);
    for (const x of all)
      if (x.rank !== first.rank || x.shape.some((size, i) => i !== along && size !== first.shape[i]))
        throw new ShapeError(
          `cat: shapes ${all.map((x) => formatShape(x.shape)).join(", ")} differ on an axis other than ${along}`,
        );
    return all.length === 1 ? first : apply(catOp, all, { axis: along });
  }) as Join,
  catOp,
  (draw) => {
    const shape = draw.shape(1);
    const axis = draw.axis(shape);
    const part = () => draw.tensor(shape.with(axis, draw.integer(1, 3)));
    return [Array.from({ length: draw.integer(1, 3) }, part), axis];
  },
);

/** Tensors of one shape side by side along a new axis at position `axis` of the result, the first unless given. */
export const stack: Stack = composed(
  "stack",
  (tensors: readonly Tensor[], axis: number = 0) => {
    const all = nodes("stack", tensors);
    const shape = all[0]!.shape;
    for (const x of all)
      if (!equalShapes(x.shape, shape))
        throw new ShapeError(
          `stack: shapes ${formatShape(shape)} and ${formatShape(x.shape)} differ; pad or broadcast first`,
        );
    const at = normalizeAxis("stack", axis, [...shape, 1]);
    return cat(
      all.map((x) => unsqueeze(x, at)),
      at,
    );
  },
  (draw) => {
    const shape = draw.shape();
    return [
      Array.from({ length: draw.integer(1, 3) }, () => draw.tensor(shape)),
      draw.integer(0, shape.length),
    ];
  },
);

function nodes(name: string, tensors: readonly Tensor[]): Tensor[] {
  if (!Array.isArray(tensors) || tensors.length === 0)
    throw new ValueError(`${name}: takes an array of at least one tensor`);
  const all = tensors.map((x) => operand(name, x, "float32"));
  const dtype = all.map((x) => x.dtype).reduce(promote);
  return all.map((x) => cast(x, dtype));
}
