import { formatDTypes } from "../dtype.ts";
import { DTypeError, ShapeError, ValueError } from "../errors.ts";
import type { Attributes, IndexMap, Kernel, Op, Tensor } from "../graph.ts";
import { readLabels } from "../labels.ts";
import type { Shape } from "../shape.ts";
import { equalShapes, formatShape, reducedShape } from "../shape.ts";

/**
 * Do the shape and dtype that an op declares fit what its kernel computes, and are the attributes there that the kernel reads? Engines rely
 * on that: otherwise they would read and write beyond the elements.
 */

/** Throws ShapeError, DTypeError or ValueError, with the op's name, unless `out` is what the kernel of `op` makes of its operands. */
export function checkConformity<A extends Attributes>(
  { name, kernel }: Op<A>,
  out: Tensor,
  attributes: A,
): void {
  const { inputs } = out;
  if (inputs.length === 0) return;
  const its = `${name}: its ${kernel.kind} kernel`;
  const shapes = inputs.map((x) => x.shape);
  const [first, second] = shapes;
  const { shape } = out;
  const refuse = (what: string): never => {
    throw new ShapeError(
      `${its} ${what}; its operands have ${shapes.map(formatShape).join(" and ")}, and its result ${formatShape(shape)}`,
    );
  };
  checkDTypes(its, kernel.kind, out);
  switch (kernel.kind) {
    case "leaf":
    case "opaque":
      return;
    case "pointwise":
      if (!shapes.every((own) => equalShapes(own, shape)))
        refuse("takes and gives one shape: broadcast the operands first, or make the op with pointwise");
      return;
    case "view":
      checkPlaces(kernel.map(first!, attributes), inputs[0]!.size, shape, refuse);
      return;
    case "concatenate": {
      const axis = axisOf(its, attributes, first!);
      const size = shapes.reduce((sum, own) => sum + (own[axis] ?? 0), 0);
      const fit = shapes.every((own) => agreeBut(axis, own, first!, (a, b) => a === b));
      if (!fit || !equalShapes(shape, first!.with(axis, size)))
        refuse(`puts them side by side along axis ${axis}`);
      return;
    }
    case "gather":
    case "scatter": {
      const isGather = kernel.kind === "gather";
      const whole = isGather ? first! : shape;
      const axis = axisOf(its, attributes, whole);
      if (!equalShapes(second!, isGather ? shape : first!))
        refuse(isGather ? "gives an element for each index" : "takes an index for each element");
      if (!agreeBut(axis, second!, whole, (a, b) => a <= b)) refuse(`has indices for axis ${axis} alone`);
      return;
    }
    case "reduce": {
      const { axes } = attributes;
      if (!Array.isArray(axes) || !axes.every((axis) => isAxis(axis, first!)))
        throw new ValueError(`${its} reads the attribute axes, a list of axes of operand 0 from 0 on`);
      if (![false, true].some((kept) => equalShapes(shape, reducedShape(first!, axes as number[], kept))))
        refuse(`combines what lies along axes ${formatShape(axes as number[])}`);
      return;
    }
    case "scan":
      axisOf(its, attributes, first!);
      if (!equalShapes(shape, first!)) refuse("keeps the shape");
      return;
    case "contract": {
      const { left, right, out } = readLabels(String(attributes.spec));
      const sizes = new Map<string, number>();
      const fit = ([labels, own]: readonly [string, Shape | undefined]): boolean =>
        own?.length === labels.length &&
        own.every((size, i) => (sizes.get(labels[i]!) ?? size) === size && sizes.set(labels[i]!, size));
      const pairs = [
        [left, first],
        [right, second],
        [out, shape],
      ] as const;
      const isWhole =
        pairs.every(([labels]) => new Set(labels).size === labels.length) &&
        [...out].every((c) => (left + right).includes(c)) &&
        [...right].every((c) => (left + out).includes(c));
      if (inputs.length !== 2 || !isWhole || !pairs.every(fit))
        refuse(`goes by the attribute spec, ${attributes.spec}`);
      return;
    }
  }
}

/** Most kinds keep the dtype of their operands; operand 1 of a gather or scatter is an index. */
function checkDTypes(its: string, kind: Kernel["kind"], { inputs, dtype }: Tensor): void {
  if (kind === "leaf" || kind === "opaque" || kind === "pointwise") return;
  const isIndexed = kind === "gather" || kind === "scatter";
  if (isIndexed && inputs[1]?.dtype !== "int32")
    throw new DTypeError(`${its} takes int32 indices as operand 1`);
  const given = (isIndexed ? inputs.slice(0, 1) : inputs).map((x) => x.dtype);
  if (given.some((own) => own !== dtype))
    throw new DTypeError(
      `${its} keeps the dtype, and is given ${formatDTypes(given)} where the op declares ${dtype}; cast its operands, or its result`,
    );
}

/** Refuses a view that leads beyond the `size` elements of its operand. */
function checkPlaces(
  { offset, strides, bounds }: IndexMap,
  size: number,
  out: Shape,
  refuse: (what: string) => never,
): void {
  const inside = out.map((n, axis) => bounds?.[axis] ?? ([0, n] as const));
  if (strides.length !== out.length || inside.some(([from, to], axis) => from < 0 || to > out[axis]!))
    refuse("needs a stride for each axis of the result, and bounds inside its sizes");
  if (inside.some(([from, to]) => from >= to)) return;
  const ends = (which: "min" | "max") =>
    inside.reduce(
      (sum, [from, to], axis) => sum + Math[which](strides[axis]! * from, strides[axis]! * (to - 1)),
      offset,
    );
  const [least, greatest] = [ends("min"), ends("max")];
  if (!(least >= 0 && greatest < size)) refuse(`reads elements ${least} to ${greatest} of ${size}`);
}

/** Are the sizes of two shapes of one rank as `agrees` says, but along `axis`? */
function agreeBut(axis: number, a: Shape, b: Shape, agrees: (x: number, y: number) => boolean): boolean {
  return a.length === b.length && a.every((size, i) => i === axis || agrees(size, b[i]!));
}

function isAxis(axis: unknown, { length }: Shape): boolean {
  return Number.isInteger(axis) && (axis as number) >= 0 && (axis as number) < length;
}

function axisOf(its: string, { axis }: Attributes, shape: Shape): number {
  if (isAxis(axis, shape)) return axis as number;
  throw new ValueError(
    `${its} reads the attribute axis, an axis of ${formatShape(shape)} counted from 0, got ${axis}`,
  );
}
