import { DTypeError, ShapeError } from "../errors.ts";
import type { Attributes, Op } from "../graph.ts";
import { apply, elementsOf, linearRule, readElements, type Tensor, zero } from "../graph.ts";
import { optionsOf } from "../options.ts";
import type { Shape } from "../shape.ts";
import {
  broadcastShapes,
  checkWhole,
  equalShapes,
  formatShape,
  insideAs,
  normalizeAxis,
  sizeOf,
} from "../shape.ts";
import type { ArgSort, Gather, GatherOptions, OneHot, ScatterAdd } from "../signature.ts";
import { inheritSite, rememberSite } from "../site.ts";
import { Sorter } from "../sorter.ts";
import { cast } from "./cast.ts";
import { eq, lt } from "./comparison.ts";
import { checkTensor, fromElements, iota } from "./leaf.ts";
import { broadcastTo, reshape, unsqueeze } from "./movement.ts";
import { add, mul, where } from "./pointwise.ts";
import { checkIndex, checkPlaces } from "./range.ts";
import type { Samples } from "./sample.ts";
import { composed, declare, ofDistinct, ofRank } from "./sample.ts";

/** Indexing by tensors of indices. gather and scatter are each other's adjoint. */

const gatherOp: Op<{ readonly axis: number }> = {
  name: "gather",
  kernel: { kind: "gather" },
  derivatives: [
    linearRule((g, out, { axis }) => {
      const [x, index] = out.inputs;
      return pulledBy(out, apply(scatterOp, [g, index!], { axis, size: x!.shape[axis]! }));
    }),
    zero,
  ],
  implied: ["caller"],
  shape: ([, index]) => index!.shape,
  dtype: ([x]) => x!.dtype,
};

const scatterOp: Op<{ readonly axis: number; readonly size: number }> = {
  name: "scatter",
  kernel: { kind: "scatter" },
  derivatives: [
    linearRule((g, out, { axis }) => pulledBy(out, apply(gatherOp, [g, out.inputs[1]!], { axis }))),
    zero,
  ],
  implied: ["caller"],
  shape: ([x], { axis, size }) => x!.shape.map((old, i) => (i === axis ? size : old)),
  dtype: ([x]) => x!.dtype,
};

/** An index that is outside is the mistake of who made `out`, also where only its derivative is computed. */
function pulledBy(out: Tensor, made: Tensor): Tensor {
  inheritSite(made, out);
  return made;
}

/**
 * `out[i][j] = x[index[i][j]][j]` (for axis 0; likewise for others): picks along `axis`; `index` is int32, has as many axes
 * as `x` and the result's shape. Throws ShapeError unless the other axes of `index` are as long as those of `x`, IndexError
 * for indices outside `0 ... size - 1` (at the latest when the result is computed).
 */
export const gather: Gather = declare(
  "gather",
  (x: Tensor, axis: number, index: Tensor, { caller }: GatherOptions = {}) => {
    const name = caller ?? "gather";
    const along = normalizeAxis(name, axis, x.shape);
    checkIndex(name, index, x.shape, along);
    const cut = x.shape.every((size, i) => i === along || size === index.shape[i]);
    if (!cut)
      throw new ShapeError(
        `${name}: index shape ${formatShape(index.shape)} and shape ${formatShape(x.shape)} differ on an axis other than ` +
          `${along}; slice or broadcast one of them`,
      );
    const named = caller === undefined ? {} : { caller };
    return located(apply(gatherOp, [x.node, index.node], { axis: along, ...named }));
  },
  gatherOp,
  ofRank(1, 3, (draw, shape) => {
    const axis = draw.axis(shape);
    return [axis, draw.indices(shape.with(axis, draw.integer(1, 4)), shape.at(axis)!)];
  }),
);

/** Samples of functions that write a source along an axis. */
export const scattered: Samples = ofRank(1, 3, (draw, shape) => {
  const axis = draw.axis(shape);
  const source = shape.with(axis, draw.integer(1, 5));
  return [axis, draw.indices(source, shape.at(axis)!), draw.tensor(source)];
});

/**
 * `x` with the elements of `source` added at the places that `index` names along `axis`: `out[index[i][j]][j] += source[i][j]`
 * (for axis 0). `index` is int32 and has the shape of `source`. Repeated places add up in the order of `source`.
 */
export const scatterAdd: ScatterAdd = declare(
  "scatterAdd",
  (x: Tensor, axis: number, index: Tensor, source: Tensor) => {
    const along = normalizeAxis("scatterAdd", axis, x.shape);
    checkIndex("scatterAdd", index, x.shape, along);
    checkTensor("scatterAdd: the source", source);
    const fits = x.shape.every((size, i) => i === along || size === source.shape[i]);
    if (!fits || !equalShapes(index.shape, source.shape))
      throw new ShapeError(
        `scatterAdd: index ${formatShape(index.shape)} and source ${formatShape(source.shape)} must have one shape, equal to ` +
          `${formatShape(x.shape)} on all axes but ${along}`,
      );
    const size = x.shape[along]!;
    return add(x, located(apply(scatterOp, [source.node, index.node], { axis: along, size })));
  },
  scatterOp,
  scattered,
);

/** `x` picked along `axis` for the function `caller`, whose name errors at run time bear. */
export function picked(caller: string, x: Tensor, axis: number, index: Tensor): Tensor {
  return located(apply(gatherOp, [x.node, index.node], { axis, caller }));
}

/** `source` added up along `axis` into `size` zeros, for the function `caller`. */
export function dropped(caller: string, source: Tensor, axis: number, index: Tensor, size: number): Tensor {
  return located(apply(scatterOp, [source.node, index.node], { axis, size, caller }));
}

/** The public function that errors at run time of a gather or scatter name. */
export function callerOf(x: Tensor): string {
  const { caller } = x.attributes;
  if (typeof caller === "string") return caller;
  return x.op.kernel.kind === "gather" ? "gather" : "scatterAdd";
}

/** The places, counted row by row, of the elements that are not 0: for `caller`, whose shape depends on them. */
export function nonzeroPlaces(caller: string, x: Tensor): Tensor {
  const data = readElements(x, caller);
  // Numbers and no branches: processors guess those, and of elements in no order half of the guesses are wrong.
  let count = 0;
  for (let i = 0; i < data.length; i++) count += Number(data[i] !== 0);
  const places = new Int32Array(count);
  for (let i = 0, next = 0; next < count; i++) {
    places[next] = i;
    next += Number(data[i] !== 0);
  }
  return fromElements(places, [count]);
}

/** What a tensor as an index names: int32 `places`, from 0 on, along an axis that `span` axes from `axis` on make together. */
export interface Places {
  readonly places: Tensor;
  readonly axis: number;
  readonly span: number;
  readonly size: number;
  /** Have they been compared with the size? */
  readonly checked: boolean;
}

/** The places that `index`, int32 or a mask, names from `axis` of `shape` on. Throws typed errors if it does not fit. */
export function placesOf(caller: string, index: Tensor, shape: Shape, axis: number): Places {
  const span = index.dtype === "bool" ? index.rank : 1;
  const covered = shape.slice(axis, axis + span);
  const size = sizeOf(covered);
  if (index.dtype === "bool") {
    if (!equalShapes(covered, index.shape))
      throw new ShapeError(
        `${caller}: a mask of shape ${formatShape(index.shape)} for axes of shape ${formatShape(covered)}; make them equal`,
      );
    return { places: nonzeroPlaces(caller, index), axis, span, size, checked: true };
  }
  if (index.dtype !== "int32")
    throw new DTypeError(
      `${caller}: the index is ${index.dtype}${insideAs(index)}; cast it to int32 (or bool for a mask)`,
    );
  checkPlaces(caller, index, size, axis, -size);
  const checked = elementsOf(index.node) !== null;
  return { places: where(lt(index, 0), add(index, size), index), axis, span, size, checked };
}

/** Several places, broadcast together, on the axis that all their axes make together. */
export function joined(caller: string, all: readonly Places[]): Tensor {
  all.map(({ places }) => places.shape).reduce((a, b) => broadcastShapes(caller, a, b));
  return all
    .map(({ places, axis, size, checked }) => {
      if (all.length === 1 || checked) return places;
      // Outside its axis a place would be another's on the joint axis: what is not known yet is looked up on its own.
      const line = (length: number) => [...new Array<number>(axis).fill(1), length];
      const own = reshape(iota([size]), line(size));
      return reshape(picked(caller, own, axis, reshape(places, line(places.size))), places.shape);
    })
    .reduce((joint, places, k) => add(mul(joint, all[k]!.size), places));
}

function located(x: Tensor): Tensor {
  if (!elementsOf(x.inputs[1]!)) rememberSite(x);
  return x;
}

/**
 * 1 where the last axis counts to the class in `x`, else 0: int32 classes of any shape give the shape with one more axis
 * of size `classes`. Classes outside `0 ... classes - 1` give zeros only.
 */
export const oneHot: OneHot = composed(
  "oneHot",
  (x: Tensor, classes: number) => {
    if (x.dtype !== "int32") throw new DTypeError(`oneHot: classes are int32, got ${x.dtype}; cast them`);
    checkWhole("oneHot", "the number of classes", classes, 1);
    const shape = [...x.shape, classes];
    return cast(eq(broadcastTo(unsqueeze(x, -1), shape), broadcastTo(iota([classes]), shape)), "float32");
  },
  (draw) => [draw.indices(draw.shape(), 3), 3],
);

/** Samples of sorts. */
export const ordered: Samples = ofDistinct((draw, shape) => [draw.axis(shape), { descending: draw.coin() }]);

interface Order extends Attributes {
  readonly axis: number;
  readonly descending: boolean;
  /** The first places only, or with `last` the last of these. */
  readonly count?: number;
  readonly last?: boolean;
}

const argsortOp: Op<Order> = {
  name: "argsort",
  kernel: {
    kind: "opaque",
    run: ([x], out, { axis, descending, count = x!.shape[axis]!, last = false }) => {
      const { shape, data } = x!;
      const size = shape[axis]!;
      const found = out.shape[axis]!;
      const inner = shape.slice(axis + 1).reduce((product, n) => product * n, 1);
      const sorter = new Sorter(data, size, descending, count);
      for (let start = 0, at = 0; start < data.length; start += size * inner, at += found * inner)
        for (let j = 0; j < inner; j++) {
          if (last) out.data[at + j] = sorter.last(start + j, inner);
          else {
            const order = sorter.sort(start + j, inner);
            for (let i = 0; i < found; i++) out.data[at + j + i * inner] = order[i]!;
          }
        }
    },
  },
  derivatives: [zero],
  shape: ([x], { axis, count, last }) =>
    count === undefined ? x!.shape : x!.shape.with(axis, last ? 1 : count),
  dtype: () => "int32",
};

/**
 * The int32 indices that sort `x` along `axis`, the last unless given: ascending with NaN last, or reversed if `descending`;
 * equal elements keep their order. `gather(x, axis, argsort(x, axis))` is sorted.
 */
export const argsort: ArgSort = /* @__PURE__ */ declare(
  "argsort",
  (x: Tensor, axis = -1, options?: { readonly descending?: boolean | undefined }) => {
    const { descending = false } = optionsOf("argsort", options, { descending: "boolean" });
    const a = x.node;
    return apply(argsortOp, [a], { axis: normalizeAxis("argsort", axis, a.shape), descending });
  },
  argsortOp,
  ordered,
);

/** The first `count` of the places that `argsort` gives, or the last of these alone. */
export function firstPlaces(
  x: Tensor,
  axis: number,
  count: number,
  { descending = false, last = false }: { readonly descending?: boolean; readonly last?: boolean },
): Tensor {
  return apply(argsortOp, [x.node], { axis, descending, count, last });
}
