/** Attention: each place takes what it looks at from the others, by how well its query meets their keys. */
import { dropout } from "./dropout.ts";
import { DTypeError, ShapeError, ValueError } from "./errors.ts";
import type { Generator } from "./generator.ts";
import { Tensor } from "./graph.ts";
import { ge, gt, lt } from "./ops/comparison.ts";
import { softmax, stopGradient } from "./ops/composed.ts";
import { matmul } from "./ops/contraction.ts";
import { floated } from "./ops/elementwise.ts";
import { describe, iota } from "./ops/leaf.ts";
import { broadcastTo, reshape, sum, transpose } from "./ops/movement.ts";
import { abs, add, div, exp, mul, sub, where } from "./ops/pointwise.ts";
import { amax } from "./ops/reduction.ts";
import type { Draw } from "./ops/sample.ts";
import { composed } from "./ops/sample.ts";
import type { Known } from "./options.ts";
import { optionsOf } from "./options.ts";
import { broadcastShapes, broadcastsTo, formatShape } from "./shape.ts";
import type { Operation } from "./signature.ts";

export interface AttentionOptions {
  /** A place sees no later one: those after it have weight 0. */
  readonly isCausal?: boolean | undefined;
  /** Multiplies the products of queries and keys; 1 / sqrt(features) unless given. */
  readonly scale?: number | undefined;
  /** How likely a weight is to be dropped, see `dropout`; 0 unless given. */
  readonly dropoutP?: number | undefined;
  /** What drops weights; the standard generator unless given. */
  readonly generator?: Generator | undefined;
}

const known: Known<AttentionOptions> = { isCausal: "boolean", scale: true, dropoutP: true, generator: true };

/** Throws ShapeError unless queries and keys go together; returns the shape of the weights. */
function weightsShape(name: string, q: Tensor, k: Tensor): readonly number[] {
  const shapes = `query ${formatShape(q.shape)} and key ${formatShape(k.shape)}`;
  if (Math.min(q.rank, k.rank) < 2)
    throw new ShapeError(`${name}: takes [..., places, features], got ${shapes}`);
  if (q.shape.at(-1) !== k.shape.at(-1))
    throw new ShapeError(`${name}: queries and keys have different numbers of features: ${shapes}`);
  const pairs = broadcastShapes(name, q.shape.slice(0, -2), k.shape.slice(0, -2));
  return [...pairs, q.shape.at(-2)!, k.shape.at(-2)!];
}

/** The node of the mask. Throws typed errors if it does not fit scores of `shape`. */
function checkMask(name: string, mask: unknown, shape: readonly number[]): Tensor {
  if (!(mask instanceof Tensor))
    throw new ValueError(`${name}: the mask is a tensor of bool or floats, got ${describe(mask)}`);
  if (mask.dtype === "int32")
    throw new DTypeError(
      `${name}: the mask is int32; cast it to bool (true: is looked at) or to a float to be added`,
    );
  if (!broadcastsTo(mask.shape, shape))
    throw new ShapeError(
      `${name}: the mask ${formatShape(mask.shape)} does not broadcast to the weights, ${formatShape(shape)}`,
    );
  return mask.node;
}

/** The scores of what comes later become -inf. */
function causal(scores: Tensor): Tensor {
  const [queries, keys] = scores.shape.slice(-2) as [number, number];
  const seen = ge(reshape(iota([queries]), [queries, 1]), iota([keys]));
  return where(broadcastTo(seen, scores.shape), scores, -Infinity);
}

/** softmax along the last axis, but 0 where everything is -inf: who sees nothing takes nothing. */
function weighed(scores: Tensor): Tensor {
  const largest = stopGradient(amax(scores, -1, { keepDims: true }));
  const positive = exp(sub(scores, where(lt(abs(largest), Infinity), largest, 0)));
  const total = sum(positive, -1, { keepDims: true });
  return div(positive, where(gt(total, 0), total, 1));
}

function masked(scores: Tensor, mask: Tensor): Tensor {
  if (mask.dtype !== "bool") return add(scores, mask);
  return where(broadcastTo(mask, scores.shape), scores, -Infinity);
}

function weightsOf(
  name: string,
  q: Tensor,
  k: Tensor,
  mask: Tensor | undefined,
  options: AttentionOptions | undefined,
): Tensor {
  const { isCausal = false, scale, dropoutP = 0, generator } = optionsOf(name, options, known);
  const shape = weightsShape(name, q, k);
  const allowed = mask === undefined ? null : checkMask(name, mask, shape);
  if (!(dropoutP >= 0 && dropoutP <= 1))
    throw new ValueError(`${name}: dropoutP is a probability between 0 and 1, got ${String(dropoutP)}`);
  const product = mul(matmul(q, transpose(k)), scale ?? 1 / Math.sqrt(q.shape.at(-1)!));
  const scores = isCausal ? causal(product) : product;
  const weights = allowed ? weighed(masked(scores, allowed)) : softmax(scores, -1);
  return dropoutP > 0 ? dropout(weights, { p: dropoutP, generator }) : weights;
}

/** Operands for the laws: queries, keys, values, and a mask or none. */
const operands = (draw: Draw) => {
  const [places, others, features] = [draw.integer(1, 3), draw.integer(1, 3), draw.integer(1, 3)];
  const batch = draw.shape(0, 2);
  const mask = [undefined, draw.tensor([places, others]), draw.bools([places, others])][draw.integer(0, 2)];
  const x = (rows: number, columns: number) => draw.tensor([...batch, rows, columns]);
  return [x(places, features), x(others, features), x(others, draw.integer(1, 3)), mask] as const;
};

/**
 * The weights that `scaledDotProductAttention` gives to the values, [..., places, others]: `softmax(query key^T scale)`, less what
 * is dropped. Takes and throws what it does.
 *
 * @example
 * ```ts
 * import { attentionWeights, zeros } from "@cotangent/autograd";
 * const same = zeros([2, 1]);
 * attentionWeights(same, same, undefined, { isCausal: true }).toArray(); // => 1,0,0.5,0.5
 * ```
 */
export const attentionWeights: Operation<[key: Tensor, mask?: Tensor, options?: AttentionOptions]> = composed(
  "attentionWeights",
  (query: Tensor, key: Tensor, mask?: Tensor, options?: AttentionOptions) => {
    const [q, k] = [floated("attentionWeights", query), floated("attentionWeights", key)];
    return weightsOf("attentionWeights", q, k, mask, options);
  },
  (draw) => {
    const [q, k, , mask] = operands(draw);
    return [q, k, mask, { isCausal: draw.integer(0, 1) === 1 }];
  },
);

/**
 * For queries [..., places, features], keys [..., others, features] and values [..., others, outputs] the means of the values
 * [..., places, outputs], weighed by `softmax(query key^T scale)` (Vaswani et al. 2017, https://arxiv.org/abs/1706.03762). A
 * bool `mask` says what a place may look at, a float one is added to the scores; it broadcasts to [..., places, others]. A place
 * that may look at nothing gets 0.
 *
 * Throws ShapeError if shapes do not fit, DTypeError for a mask of int32 or operands of bool, ValueError unless `dropoutP` is
 * between 0 and 1.
 *
 * @example
 * ```ts
 * import { scaledDotProductAttention, tensor, zeros } from "@cotangent/autograd";
 * const same = zeros([2, 1]);
 * const values = tensor([[2], [4]]);
 * scaledDotProductAttention(same, same, values).toArray(); // => 3,3
 * scaledDotProductAttention(same, same, values, undefined, { isCausal: true }).toArray(); // => 2,3
 * ```
 */
export const scaledDotProductAttention: Operation<
  [key: Tensor, value: Tensor, mask?: Tensor, options?: AttentionOptions]
> = composed(
  "scaledDotProductAttention",
  (query: Tensor, key: Tensor, value: Tensor, mask?: Tensor, options?: AttentionOptions) => {
    const name = "scaledDotProductAttention";
    const [q, k, v] = [floated(name, query), floated(name, key), floated(name, value)];
    const weights = weightsOf(name, q, k, mask, options);
    if (v.rank < 2 || k.shape.at(-2) !== v.shape.at(-2))
      throw new ShapeError(
        `${name}: there must be one value for each key: key ${formatShape(k.shape)} and value ${formatShape(v.shape)}`,
      );
    broadcastShapes(name, weights.shape.slice(0, -2), v.shape.slice(0, -2));
    return matmul(weights, v);
  },
  (draw) => [...operands(draw), { isCausal: draw.integer(0, 1) === 1 }],
);
