import type { Shape } from "@cotangent/autograd/functional";
import {
  add,
  arange,
  cast,
  cat,
  DTypeError,
  ge,
  log,
  logicalAnd,
  logicalNot,
  reshape,
  ShapeError,
  type Tensor,
  zeros,
} from "@cotangent/autograd/functional";
import { checkTensor } from "./settings.ts";

/** What a place may not look at, as PyTorch has it: several masks, made one for `attentionWeights`. */

export interface AttentionMasks {
  /** [n, others] ([others] for one sequence): true where a key is not looked at, or floats to be added to the scores. */
  readonly keyPaddingMask?: Tensor | undefined;
  /** [places, others] or [n * heads, places, others]: true where a place may not look, or floats to be added to the scores. */
  readonly attnMask?: Tensor | undefined;
  /** A place sees no later one. */
  readonly isCausal?: boolean | undefined;
}

/** The sizes of the scores: without `free`, the keys that all places may look at, which stand behind the others. */
export interface Scores {
  readonly n: number;
  readonly heads: number;
  readonly places: number;
  readonly others: number;
  readonly free: number;
  /** Is there no batch? */
  readonly single: boolean;
}

/** One mask that broadcasts to [n, heads, places, others + free]: bool (true: may look) if all are, else floats to be added. */
export function joinedMask(
  { keyPaddingMask, attnMask, isCausal = false }: AttentionMasks,
  { n, heads, places, others, free, single }: Scores,
): Tensor | undefined {
  const all: Tensor[] = [];
  if (keyPaddingMask) {
    const shape = single ? [others] : [n, others];
    all.push(placed("keyPaddingMask", keyPaddingMask, [shape], [n, 1, 1, others]));
  }
  if (attnMask) {
    const each = [places, others];
    const shape = attnMask.rank === 2 ? [1, 1, places, others] : [n, heads, places, others];
    all.push(placed("attnMask", attnMask, [each, [n * heads, ...each]], shape));
  }
  if (isCausal) all.push(causal(places, others));
  if (all.length === 0) return undefined;
  const joined = all.reduce(
    (a, b): Tensor => (a.dtype === "bool" && b.dtype === "bool" ? logicalAnd(a, b) : add(added(a), added(b))),
  );
  return free > 0 ? widened(joined, free) : joined;
}

/** A mask in the shape `shape`, bools turned round. Throws typed errors if it has none of `shapes`. */
function placed(what: string, mask: Tensor, shapes: readonly Shape[], shape: Shape): Tensor {
  checkTensor(`MultiheadAttention: ${what}`, mask);
  if (mask.dtype === "int32")
    throw new DTypeError(
      `MultiheadAttention: ${what} is int32; cast it to bool (true: is not looked at) or to a float`,
    );
  if (!shapes.some((fitting) => fitting.join() === mask.shape.join()))
    throw new ShapeError(
      `MultiheadAttention: ${what} has shape [${mask.shape.join(", ")}]; it must be ` +
        shapes.map((fitting) => `[${fitting.join(", ")}]`).join(" or "),
    );
  const turned: Tensor = mask.dtype === "bool" ? logicalNot(mask) : mask;
  return reshape(turned, shape);
}

function causal(places: number, others: number): Tensor {
  const index = (n: number): Tensor => arange(0, n, 1, { dtype: "int32" });
  return reshape(ge(reshape(index(places), [places, 1]) as Tensor, index(others)) as Tensor, [
    1,
    1,
    places,
    others,
  ]);
}

/** A mask of bool (true: may look) as one to be added: log 1 is 0, and log 0 is -inf. */
const added = (mask: Tensor): Tensor => (mask.dtype === "bool" ? log(cast(mask, "float32")) : mask);

function widened(mask: Tensor, free: number): Tensor {
  const none: Tensor = zeros([...mask.shape.slice(0, 3), free], { dtype: mask.dtype });
  return cat([mask, mask.dtype === "bool" ? (logicalNot(none) as Tensor) : none], 3);
}
