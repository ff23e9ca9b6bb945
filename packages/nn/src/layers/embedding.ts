import type { DrawOptions, Shape, Tensor } from "@cotangent/autograd/functional";
import {
  broadcastTo,
  embedding,
  eq,
  normal,
  stopGradient,
  tensor,
  unsqueeze,
  ValueError,
  where,
} from "@cotangent/autograd/functional";
import { Module, Parameter } from "../module.ts";
import { drawing, optionsOf } from "../options.ts";
import { checkSizes, checkTensor } from "./settings.ts";

export interface EmbeddingOptions extends DrawOptions {
  /** The row that stands for nothing: it starts at 0 and gets no gradient. Negative numbers count from the end. */
  readonly paddingIdx?: number | undefined;
}

/**
 * A table `weight` [numEmbeddings, embeddingDim] that is asked by int32 indices of any shape: [...] gives [..., embeddingDim]. It
 * starts normally distributed with mean 0 and deviation 1.
 *
 * Throws ValueError unless both sizes are whole numbers of at least 1 and `paddingIdx` is a row, DTypeError unless `dtype` is a
 * float; `forward` throws DTypeError unless the indices are int32, IndexError (at the latest at evaluation) for rows that are
 * not there.
 *
 * @example
 * ```ts
 * import { tensor } from "@cotangent/autograd";
 * import { Embedding } from "@cotangent/nn";
 * const layer = new Embedding(10, 3, { paddingIdx: 0 });
 * layer.forward(tensor([[0, 4], [2, 0]], { dtype: "int32" })).shape; // => [ 2, 2, 3 ]
 * layer.forward(tensor([0], { dtype: "int32" })).toArray(); // => 0,0,0
 * ```
 */
export class Embedding extends Module {
  readonly numEmbeddings: number;
  readonly embeddingDim: number;
  readonly paddingIdx: number | null;
  /** Can be that of another layer, such as a `Linear`: then both train one parameter. */
  weight: Parameter;

  constructor(numEmbeddings: number, embeddingDim: number, options: EmbeddingOptions = {}) {
    super();
    const { paddingIdx, ...draw } = optionsOf("Embedding", options, { paddingIdx: true, ...drawing });
    this.numEmbeddings = numEmbeddings;
    this.embeddingDim = embeddingDim;
    this.paddingIdx = paddingIdx === undefined ? null : rowOf("Embedding", paddingIdx, numEmbeddings);
    const table = drawTable("Embedding", numEmbeddings, embeddingDim, this.paddingIdx, draw);
    this.weight = new Parameter<Shape>(table).named("weight");
  }

  forward(index: Tensor): Tensor {
    checkTensor("Embedding", index);
    const rows: Tensor = embedding(this.weight, index);
    if (this.paddingIdx === null) return rows;
    const padding: Tensor = eq(unsqueeze(index, -1) as Tensor, this.paddingIdx);
    return where(broadcastTo(padding, rows.shape) as Tensor, stopGradient(rows), rows);
  }

  protected override details(): string {
    const { numEmbeddings, embeddingDim, paddingIdx } = this;
    const padding = paddingIdx === null ? "" : `, paddingIdx=${paddingIdx}`;
    return `${numEmbeddings}, ${embeddingDim}${padding}`;
  }
}

/** A table of normal numbers, with a row of zeros if it has padding. Throws ValueError unless the sizes are whole numbers above 0. */
export function drawTable(
  name: string,
  rows: number,
  columns: number,
  padding: number | null,
  draw: DrawOptions,
): Tensor {
  checkSizes(name, { numEmbeddings: rows, embeddingDim: columns });
  const drawn: Tensor = normal([rows, columns], draw);
  if (padding === null) return drawn;
  const empty = Array.from({ length: rows }, (_, i) => [i === padding]);
  return where(tensor(empty) as Tensor, 0, drawn);
}

/** `index` counted from the front. Throws ValueError unless it is one of the rows. */
export function rowOf(name: string, index: number, rows: number): number {
  if (Number.isInteger(index) && index >= -rows && index < rows) return index < 0 ? index + rows : index;
  throw new ValueError(`${name}: paddingIdx is one of the rows 0 ... ${rows - 1}, got ${String(index)}`);
}
