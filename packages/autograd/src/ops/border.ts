import { isFloat } from "../dtype.ts";
import { DTypeError, ShapeError, ValueError } from "../errors.ts";
import type { Tensor } from "../graph.ts";
import { optionsOf } from "../options.ts";
import { checkList, checkShape, checkWhole, formatShape, listOf, normalizeAxis } from "../shape.ts";
import type { Pad, PadOptions, UnaryWith } from "../signature.ts";
import { cat } from "./join.ts";
import { fill } from "./leaf.ts";
import { broadcastTo, reshape } from "./movement.ts";
import { flip, padded, padOp, slice } from "./region.ts";
import { composed, declare, ofRank } from "./sample.ts";

/** What happens at the ends of axes: what is put there, and elements that leave at one end and enter at the other. */

const modes = ["constant", "reflect", "replicate", "circular"] as const;

/** The border of `width` entries before `x` on one axis, or behind it. */
function border(x: Tensor, axis: number, width: number, behind: boolean, mode: string): Tensor {
  const taken = mode === "replicate" ? 1 : width;
  const end = behind === (mode === "circular") ? 0 : x.shape[axis]! - taken;
  const start = mode !== "reflect" ? end : behind ? end - 1 : 1;
  const part = slice(x, start, start + taken, { axis });
  return mode === "reflect" ? flip(part, axis) : broadcastTo(part, x.shape.with(axis, width));
}

/** The largest border of an axis. */
function widest(mode: string, size: number): number {
  if (mode === "reflect") return Math.max(0, size - 1);
  return mode === "circular" || (mode === "replicate" && size === 0) ? size : Infinity;
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
  (x: Tensor, widths: number | readonly (readonly [number, number])[], options?: PadOptions) => {
    const { mode = "constant", value = 0 } = optionsOf("pad", options, { mode: true, value: true });
    const a: Tensor = x.node;
    const pairs = typeof widths === "number" ? a.shape.map(() => [widths, widths] as const) : widths;
    checkList("pad", pairs, "[[1, 1], [0, 2]]");
    for (const pair of pairs) checkList("pad", pair, "[[1, 1], [0, 2]]");
    if (pairs.length !== a.rank)
      throw new ShapeError(
        `pad: ${pairs.length} pairs of widths for shape ${formatShape(a.shape)}; give one for each axis`,
      );
    for (const width of pairs.flat()) checkWhole("pad", "a width (use slice to cut)", width, 0);
    checkShape(
      "pad",
      a.shape.map((size, i) => size + pairs[i]![0] + pairs[i]![1]),
    );
    if (!modes.includes(mode))
      throw new ValueError(`pad: unknown mode "${mode}"; there are ${modes.join(", ")}`);
    if (!isFloat(a.dtype) && value !== (a.dtype === "bool" ? Number(value !== 0) : value | 0))
      throw new DTypeError(`pad: ${value} is no ${a.dtype}; cast x to float32 first`);
    if (mode === "constant" && value === 0)
      return padded(
        a,
        pairs.map((pair) => pair[0]),
        pairs.map((pair) => pair[1]),
      );
    return pairs.reduce((y, [before, after], i) => {
      const most = widest(mode, a.shape[i]!);
      if (Math.max(before, after) > most)
        throw new ShapeError(
          `pad: a border of [${before}, ${after}] on axis ${i} of shape ${formatShape(a.shape)}; ` +
            `by "${mode}" it has at most ${most} elements`,
        );
      if (before + after === 0) return y;
      const side = (width: number, behind: boolean) =>
        mode === "constant"
          ? fill(value, y.shape.with(i, width), y.dtype)
          : border(y, i, width, behind, mode);
      return cat([side(before, false), y, side(after, true)], i);
    }, a);
  },
  padOp,
  (draw) => {
    const shape = draw.shape();
    const mode = modes[draw.integer(0, 3)]!;
    const width = (size: number) => draw.integer(0, Math.min(2, widest(mode, size)));
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
    const steps = listOf("roll", shifts);
    for (const shift of steps) checkWhole("roll", "a shift", shift);
    const axes = listOf("roll", axis ?? 0);
    if (steps.length !== axes.length)
      throw new ShapeError(
        `roll: shifts ${formatShape(steps)} for ${axis === undefined ? "no axes" : `axes ${formatShape(axes)}`}; ` +
          "give one for each axis",
      );
    if (axis === undefined) return reshape(rolled(reshape(x, [x.size]), steps[0]!, 0), x.shape);
    const along = axes.map((a) => normalizeAxis("roll", a, x.shape));
    return along.reduce((y, a, i) => rolled(y, steps[i]!, a), x.node);
  }) as Rolled,
  ofRank(1, 3, (draw, shape) => [draw.integer(-5, 5), draw.axis(shape)]),
);
