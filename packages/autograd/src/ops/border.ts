import { isFloat } from "../dtype.ts";
import { DTypeError, ShapeError, ValueError } from "../errors.ts";
import type { Tensor } from "../graph.ts";
import { checkShape, formatShape, normalizeAxis } from "../shape.ts";
import type { Pad, PadOptions, UnaryWith } from "../signature.ts";
import { cat } from "./join.ts";
import { fill } from "./leaf.ts";
import { broadcastTo, reshape } from "./movement.ts";
import { flip, padded, padOp, slice } from "./region.ts";
import { composed, declare } from "./sample.ts";

/** What happens at the ends of axes: what is put there, and elements that leave at one end and enter at the other. */

/** How much wider than the axis a border may be, as a factor and what is taken off. */
const widest: Record<string, (size: number) => number> = {
  constant: () => Number.POSITIVE_INFINITY,
  reflect: (size) => size - 1,
  replicate: (size) => (size === 0 ? 0 : Number.POSITIVE_INFINITY),
  circular: (size) => size,
};

/** `x` between its borders on one axis. */
function bordered(
  x: Tensor,
  axis: number,
  [before, after]: readonly [number, number],
  mode: string,
  value: number,
): Tensor {
  const size = x.shape[axis]!;
  const border = (width: number, first: boolean): Tensor[] => {
    if (width === 0) return [];
    if (mode === "constant") return [fill(value, x.shape.with(axis, width), x.dtype)];
    if (mode === "replicate") {
      const edge = slice(x, first ? 0 : size - 1, first ? 1 : size, { axis });
      return [broadcastTo(edge, x.shape.with(axis, width))];
    }
    if (mode === "circular") return [slice(x, first ? size - width : 0, first ? size : width, { axis })];
    const mirrored = slice(x, first ? 1 : size - 1 - width, first ? 1 + width : size - 1, { axis });
    return [flip(mirrored, axis)];
  };
  return cat([...border(before, true), x, ...border(after, false)], axis);
}

/**
 * `x` with a border around it: `widths` are `[before, after]` for each axis, or one number for all sides. In the border is
 * `value` (0 unless given), or by `mode` the elements mirrored at the outermost ("reflect"), the outermost themselves
 * ("replicate") or those of the other end ("circular"), axis by axis. Throws ShapeError if there are not as many pairs as axes
 * or an axis has too few elements for its border, ValueError for widths that are not whole numbers of at least 0.
 *
 * @example
 * ```ts
 * import { pad, tensor } from "@cotangent/autograd";
 * pad(tensor([1, 2, 3]), 1).toArray(); // => 0,1,2,3,0
 * pad(tensor([1, 2, 3]), [[2, 0]], { mode: "reflect" }).toArray(); // => 3,2,1,2,3
 * ```
 */
export const pad: Pad = declare(
  "pad",
  (
    x: Tensor,
    widths: number | readonly (readonly [number, number])[],
    { mode = "constant", value = 0 }: PadOptions = {},
  ) => {
    const a: Tensor = x.node;
    const pairs = typeof widths === "number" ? a.shape.map(() => [widths, widths] as const) : widths;
    if (pairs.length !== a.rank)
      throw new ShapeError(
        `pad: ${pairs.length} pairs of widths for shape ${formatShape(a.shape)}; give one for each axis`,
      );
    for (const width of pairs.flat())
      if (!Number.isInteger(width) || width < 0)
        throw new ValueError(`pad: width ${width}; widths are whole numbers of at least 0, use slice to cut`);
    checkShape(
      "pad",
      a.shape.map((size, i) => size + pairs[i]![0] + pairs[i]![1]),
    );
    const limit = widest[mode];
    if (!limit)
      throw new ValueError(`pad: unknown mode "${mode}"; there are ${Object.keys(widest).join(", ")}`);
    if (!isFloat(a.dtype) && value !== (a.dtype === "bool" ? Number(value !== 0) : value | 0))
      throw new DTypeError(`pad: ${value} is no ${a.dtype}; cast x to float32 first`);
    pairs.forEach((pair, i) => {
      const most = limit(a.shape[i]!);
      if (Math.max(...pair) > most)
        throw new ShapeError(
          `pad: a border of [${pair.join(", ")}] on axis ${i} of shape ${formatShape(a.shape)}; ` +
            `by "${mode}" it has at most ${most} elements`,
        );
    });
    if (mode === "constant" && value === 0)
      return padded(
        a,
        pairs.map((pair) => pair[0]),
        pairs.map((pair) => pair[1]),
      );
    return pairs.reduce((y, pair, i) => bordered(y, i, pair, mode, value), a);
  },
  padOp,
  (draw) => {
    const shape = draw.shape();
    const mode = (["constant", "reflect", "replicate", "circular"] as const)[draw.integer(0, 3)]!;
    const width = (size: number) => draw.integer(0, Math.min(2, widest[mode]!(size)));
    const widths = shape.map((size) => [width(size), width(size)]);
    return [draw.tensor(shape), widths, { mode, value: draw.integer(0, 1) }];
  },
);

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
