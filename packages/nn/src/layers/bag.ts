import type { DrawOptions, Shape } from "@cotangent/autograd/functional";
import {
  arange,
  broadcastTo,
  cast,
  DTypeError,
  div,
  embedding,
  eq,
  ge,
  indexAdd,
  knownElements,
  logicalAnd,
  max,
  maximum,
  mul,
  ne,
  ones,
  ShapeError,
  sub,
  sum,
  Tensor,
  unsqueeze,
  ValueError,
  where,
  zeros,
} from "@cotangent/autograd/functional";
import { Module, Parameter } from "../module.ts";
import { drawing, optionsOf } from "../options.ts";
import { drawTable, rowOf } from "./embedding.ts";
import { checkTensor } from "./settings.ts";

export interface EmbeddingBagOptions extends DrawOptions {
  /** What becomes of the rows of a bag; `"mean"` unless given. */
  readonly mode?: "mean" | "sum" | "max" | undefined;
  /** The row that stands for nothing: it counts for nothing and gets no gradient. Negative numbers count from the end. */
  readonly paddingIdx?: number | undefined;
}

export interface BagOptions {
  /** Where each bag begins in one long line of indices, int32 [n]. */
  readonly offsets?: Tensor | undefined;
  /** How much each index counts, in the shape of the indices; for sums only. */
  readonly perSampleWeights?: Tensor | undefined;
}

/**
 * The mean, sum or maximum of the rows of a table `weight` [numEmbeddings, embeddingDim] that a bag of int32 indices names: bags of one
 * length as the rows of [n, length], or one line [m] with the `offsets` [n] at which bags begin. Gives [n, embeddingDim]; an empty bag
 * gives 0. The table starts normally distributed with mean 0 and deviation 1.
 *
 * Throws ValueError for sizes and words that make no sense; `forward` throws ShapeError or DTypeError if the indices do not fit,
 * ValueError for offsets that do not begin at 0 or go back, if they are there without computing anything,
 * IndexError (at the latest at evaluation) for rows that are not there.
 *
 * @example
 * ```ts
 * import { tensor } from "@cotangent/autograd";
 * import { EmbeddingBag } from "@cotangent/nn";
 * const int32 = { dtype: "int32" } as const;
 * const layer = new EmbeddingBag(10, 3, { mode: "sum" });
 * layer.forward(tensor([[1, 2], [4, 4]], int32)).shape; // => [ 2, 3 ]
 * layer.forward(tensor([1, 2, 4, 4, 5], int32), { offsets: tensor([0, 2], int32) }).shape; // => [ 2, 3 ]
 * ```
 */
export class EmbeddingBag extends Module {
  readonly numEmbeddings: number;
  readonly embeddingDim: number;
  readonly mode: "mean" | "sum" | "max";
  readonly paddingIdx: number | null;
  readonly weight: Parameter;

  constructor(numEmbeddings: number, embeddingDim: number, options: EmbeddingBagOptions = {}) {
    super();
    const {
      mode = "mean",
      paddingIdx,
      ...draw
    } = optionsOf("EmbeddingBag", options, { mode: true, paddingIdx: true, ...drawing });
    if (mode !== "mean" && mode !== "sum" && mode !== "max")
      throw new ValueError(`EmbeddingBag: mode is "mean", "sum" or "max", got ${String(mode)}`);
    this.numEmbeddings = numEmbeddings;
    this.embeddingDim = embeddingDim;
    this.mode = mode;
    this.paddingIdx = paddingIdx === undefined ? null : rowOf("EmbeddingBag", paddingIdx, numEmbeddings);
    const table = drawTable("EmbeddingBag", numEmbeddings, embeddingDim, this.paddingIdx, draw);
    this.weight = new Parameter<Shape>(table).named("weight");
  }

  forward(index: Tensor, options: BagOptions = {}): Tensor {
    const { offsets, perSampleWeights } = optionsOf("EmbeddingBag", options, {
      offsets: true,
      perSampleWeights: true,
    });
    checkTensor("EmbeddingBag", index);
    this.#check(index, offsets, perSampleWeights);
    const rows: Tensor = embedding(this.weight, index);
    const counts =
      this.paddingIdx === null
        ? (ones(index.shape, { dtype: "bool" }) as Tensor)
        : (ne(index, this.paddingIdx) as Tensor);
    const weighed: Tensor = perSampleWeights ? mul(rows, unsqueeze(perSampleWeights, -1) as Tensor) : rows;
    return offsets ? this.#line(weighed, counts, offsets) : this.#bags(weighed, counts);
  }

  /** Combines those of the rows [bags, length, features] that count, along the length. */
  #bags(rows: Tensor, counts: Tensor): Tensor {
    const used: Tensor = broadcastTo(unsqueeze(counts, -1) as Tensor, rows.shape);
    const number: Tensor = sum(cast(used, rows.dtype) as Tensor, 1);
    const total: Tensor = sum(where(used, rows, 0) as Tensor, 1);
    if (this.mode === "sum" || rows.shape[1] === 0) return total;
    if (this.mode === "mean") return div(total, maximum(number, 1) as Tensor);
    const largest: Tensor = max(where(used, rows, -Infinity) as Tensor, 1);
    return where(ge(number, 1) as Tensor, largest, 0);
  }

  /** The same for bags that begin at `offsets`. */
  #line(rows: Tensor, counts: Tensor, offsets: Tensor): Tensor {
    const [m, n] = [rows.shape[0]!, offsets.shape[0]!];
    const places = unsqueeze(arange(0, m, 1, { dtype: "int32" }) as Tensor, 1) as Tensor;
    const bag = sub(sum(cast(ge(places, offsets) as Tensor, "int32") as Tensor, 1) as Tensor, 1) as Tensor;
    if (this.mode === "max") {
      const own = eq(unsqueeze(arange(0, n, 1, { dtype: "int32" }) as Tensor, 1) as Tensor, bag) as Tensor;
      const all: Tensor = broadcastTo(unsqueeze(rows, 0) as Tensor, [n, ...rows.shape]);
      return this.#bags(all, logicalAnd(own, counts) as Tensor);
    }
    const none = (columns: number) => zeros([n, columns], { dtype: rows.dtype }) as Tensor;
    const used = cast(unsqueeze(counts, 1) as Tensor, rows.dtype) as Tensor;
    const total: Tensor = indexAdd(none(this.embeddingDim), 0, bag, mul(rows, used) as Tensor);
    if (this.mode === "sum") return total;
    return div(total, maximum(indexAdd(none(1), 0, bag, used) as Tensor, 1) as Tensor);
  }

  #check(index: Tensor, offsets: Tensor | undefined, weights: Tensor | undefined): void {
    for (const [what, x] of Object.entries({ index, offsets }))
      if (x !== undefined && !(x instanceof Tensor && x.dtype === "int32"))
        throw new DTypeError(
          `EmbeddingBag: ${what} is int32, got ${x instanceof Tensor ? x.dtype : String(x)}`,
        );
    if (offsets ? index.rank !== 1 || offsets.rank !== 1 : index.rank !== 2)
      throw new ShapeError(
        `EmbeddingBag: takes indices [n, length], or [m] with offsets [n], got [${index.shape.join(", ")}]` +
          `${offsets ? ` with [${offsets.shape.join(", ")}]` : ""}`,
      );
    if (offsets) checkOffsets(offsets, index.size);
    if (weights === undefined) return;
    checkTensor("EmbeddingBag: perSampleWeights", weights);
    if (this.mode !== "sum")
      throw new ValueError(`EmbeddingBag: weights are for sums, and the mode is ${this.mode}`);
    if (weights.shape.join() !== index.shape.join())
      throw new ShapeError(
        `EmbeddingBag: weights [${weights.shape.join(", ")}] for indices [${index.shape.join(", ")}]; make the shapes equal`,
      );
  }

  protected override details(): string {
    return `${this.numEmbeddings}, ${this.embeddingDim}, mode=${this.mode}`;
  }
}

/** Throws ValueError unless bags begin at 0 and do not go back, as far as the numbers are there. */
function checkOffsets(offsets: Tensor, count: number): void {
  const known = knownElements(offsets);
  if (!known) return;
  known.forEach((offset, i) => {
    const least = i === 0 ? 0 : known[i - 1]!;
    const most = i === 0 ? 0 : count;
    if (offset < least || offset > most)
      throw new ValueError(
        `EmbeddingBag: offset ${i} is ${offset}; bags of ${count} indices begin at 0, in order, and not behind the end`,
      );
  });
}
