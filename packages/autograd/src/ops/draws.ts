import type { Body } from "../arithmetic.ts";
import type { DType } from "../dtype.ts";
import type { Op, Tensor } from "../graph.ts";
import { apply, none, zero } from "../graph.ts";
import { firstWord, secondWord, unitInterval } from "../random.ts";
import type { Shape } from "../shape.ts";
import { fill, iota } from "./leaf.ts";
import { broadcastTo } from "./movement.ts";
import { add, cos, log1p, mul, neg, sqrt } from "./pointwise.ts";

/**
 * Random numbers as pure ops: of a key and a counter (int32 tensors of rank 0). Element `i` of a draw uses the counter
 * words (i, counter), so draws with different counters never share bits.
 */
export interface Stream {
  readonly key0: Tensor;
  readonly key1: Tensor;
  readonly counter: Tensor;
}

function wordOp(name: string, body: Body): Op {
  return {
    name,
    kernel: { kind: "pointwise", body },
    derivatives: [zero],
    shape: ([x]) => x!.shape,
    dtype: () => "int32",
  };
}

const first = wordOp("threefryFirst", firstWord);
const second = wordOp("threefrySecond", secondWord);

const unitOp: Op<{ readonly dtype: DType }> = {
  name: "unitInterval",
  kernel: { kind: "pointwise", body: unitInterval },
  derivatives: [zero],
  shape: ([x]) => x!.shape,
  dtype: (_, { dtype }) => dtype,
};

/** Evenly distributed in [0, 1). */
export function unitDraw({ key0, key1, counter }: Stream, shape: Shape, dtype: DType): Tensor {
  const words = [
    broadcastTo(key0, shape),
    broadcastTo(key1, shape),
    iota(shape),
    broadcastTo(counter, shape),
  ];
  return apply(unitOp, [apply(first, words, none), apply(second, words, none)], { dtype });
}

/** Counters that one normal draw uses up. */
export const countersOfNormal = 2;

/** Normally distributed with mean 0 and deviation 1 (Box and Muller, Ann. Math. Stat. 29, 1958). */
export function normalDraw(stream: Stream, shape: Shape, dtype: DType): Tensor {
  const radius = sqrt(mul(log1p(neg(unitDraw(stream, shape, dtype))), -2));
  const next = { ...stream, counter: add(stream.counter, fill(1, [], "int32")) };
  return mul(radius, cos(mul(unitDraw(next, shape, dtype), 2 * Math.PI)));
}
