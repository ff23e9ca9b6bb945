import type { Body } from "../arithmetic.ts";
import type { DType } from "../dtype.ts";
import { normalQuantile } from "../functions/quantile.ts";
import type { Op, Tensor } from "../graph.ts";
import { apply, none, zero } from "../graph.ts";
import { standardNormal, unit } from "../random.ts";
import type { Shape } from "../shape.ts";
import { cast } from "./cast.ts";
import { fill, iota } from "./leaf.ts";
import { broadcastTo } from "./movement.ts";
import { add, erf, log, maximum, minimum, mul, neg, sub } from "./pointwise.ts";

/**
 * Random numbers as pure ops: of a key and a counter (int32 tensors of rank 0). Element `i` of a draw uses the counter
 * words (i, counter), so draws with different counters never share bits.
 */
export interface Stream {
  readonly key0: Tensor;
  readonly key1: Tensor;
  readonly counter: Tensor;
}

function drawOp(name: string, body: Body): Op<{ readonly dtype: DType }> {
  return {
    name,
    kernel: { kind: "pointwise", body },
    derivatives: [zero],
    shape: ([x]) => x!.shape,
    dtype: (_, { dtype }) => dtype,
  };
}

const unitOp = drawOp("uniform", unit);
const normalOp = drawOp("normal", standardNormal);

/** The operands of a draw of `shape`: for each element the key and its words. */
export function drawOperands({ key0, key1, counter }: Stream, shape: Shape): Tensor[] {
  return [broadcastTo(key0, shape), broadcastTo(key1, shape), iota(shape), broadcastTo(counter, shape)];
}

/** Evenly distributed in [0, 1). */
export function unitDraw(stream: Stream, shape: Shape, dtype: DType): Tensor {
  return apply(unitOp, drawOperands(stream, shape), { dtype });
}

/** Counters that one normal draw uses up. */
export const countersOfNormal = 2;

/** Normally distributed with mean 0 and deviation 1. */
export function normalDraw(stream: Stream, shape: Shape, dtype: DType): Tensor {
  return apply(normalOp, drawOperands(stream, shape), { dtype });
}

/** Distributed as Gumbel's extremes, of float64, all finite. */
export function gumbelDraw(stream: Stream, shape: Shape): Tensor {
  return neg(log(neg(log(maximum(unitDraw(stream, shape, "float64"), 2 ** -54)))));
}

const quantileOp: Op = {
  name: "normalQuantile",
  kernel: { kind: "pointwise", body: normalQuantile },
  derivatives: [zero],
  shape: ([x]) => x!.shape,
  dtype: () => "float64",
};

/**
 * Normally distributed with mean 0 and deviation 1, given that the number lies between `low` and `high`: the place where the
 * distribution reaches an even draw between what it is at both, computed in float64.
 */
export function truncatedDraw(stream: Stream, shape: Shape, dtype: DType, low: number, high: number): Tensor {
  const reached = (x: number) => mul(add(erf(fill(x * Math.SQRT1_2, [], "float64")), 1), 0.5);
  const from = reached(low);
  const probability = add(from, mul(unitDraw(stream, shape, "float64"), sub(reached(high), from)));
  // Neither 0 nor 1, whose places are infinite.
  const inside = minimum(maximum(probability, 2 ** -54), 1 - 2 ** -53);
  return cast(minimum(maximum(apply(quantileOp, [inside], none), low), high), dtype);
}
