import { ShapeError, ValueError } from "../errors.ts";
import type { Tensor } from "../graph.ts";
import { formatShape, normalizeAxis } from "../shape.ts";
import type { UnaryWith } from "../signature.ts";
import { cat } from "./join.ts";
import { reshape } from "./movement.ts";
import { slice } from "./region.ts";
import { composed } from "./sample.ts";

/** What happens at the ends of axes: elements that leave at one end and enter at the other. */

function rolled(x: Tensor, shift: number, axis: number): Tensor {
  const size = x.shape[axis]!;
  const from = size === 0 ? 0 : ((-shift % size) + size) % size;
  return from === 0 ? x : cat([slice(x, from, size, { axis }), slice(x, 0, from, { axis })], axis);
}

type Rolled = UnaryWith<[shifts: number | readonly number[], axis?: number | readonly number[]]>;

/**
 * `x` moved by `shifts` entries along `axis` (as many of both); what leaves at the end enters at the start. Without `axis` all
 * elements move in a row. Throws ShapeError unless shifts and axes go together, ValueError for fractions.
 *
 * @example
 * ```ts
 * import { roll, tensor } from "@cotangent/autograd";
 * roll(tensor([1, 2, 3]), 1).toArray(); // => 3,1,2
 * ```
 */
export const roll: Rolled = composed(
  "roll",
  ((x: Tensor, shifts: number | readonly number[], axis?: number | readonly number[]) => {
    const steps = typeof shifts === "number" ? [shifts] : shifts;
    for (const shift of steps)
      if (!Number.isInteger(shift)) throw new ValueError(`roll: shifts are whole numbers, got ${shift}`);
    const axes = typeof axis === "number" ? [axis] : (axis ?? [0]);
    if (steps.length !== axes.length)
      throw new ShapeError(
        `roll: shifts ${formatShape(steps)} for ${axis === undefined ? "all elements in a row" : `axes ${formatShape(axes)}`}; ` +
          "give one shift for each axis",
      );
    if (axis === undefined) return reshape(rolled(reshape(x, [x.size]), steps[0]!, 0), x.shape);
    const along = axes.map((a) => normalizeAxis("roll", a, x.shape));
    return along.reduce((y, a, i) => rolled(y, steps[i]!, a), x.node);
  }) as Rolled,
  (draw) => {
    const shape = draw.shape(1);
    return [draw.tensor(shape), draw.integer(-5, 5), draw.axis(shape)];
  },
);
