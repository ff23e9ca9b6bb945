import type { CreateOptions, Operand, Shape } from "@cotangent/autograd/functional";
import {
  add,
  arange,
  cast,
  cat,
  cos,
  DTypeError,
  indexSelect,
  mul,
  pow,
  reshape,
  ShapeError,
  scalar,
  sin,
  slice,
  stack,
  sub,
  Tensor,
  tensor,
  ValueError,
} from "@cotangent/autograd/functional";
import { Buffer, Module } from "../module.ts";
import { checkPositive, optionsOf } from "../options.ts";
import { Dropout, type DropoutLayerOptions } from "./dropout.ts";
import { checkSizes, checkTensor } from "./settings.ts";

/** Layers that tell attention where something stands in a sequence. */

/** The sines and cosines, [positions, pairs], of the angles `position / base^(2 i / dim)` of each pair `i`, in float64. */
function turns(
  positions: number,
  dim: number,
  base: number,
): { readonly sines: Tensor; readonly cosines: Tensor } {
  const wide = { dtype: "float64" } as const;
  const pairs = Array.from({ length: Math.ceil(dim / 2) }, (_, i) => (-2 * i) / dim);
  const rates = pow(scalar(base, wide), tensor(pairs, wide));
  const angles = mul(reshape(arange(0, positions, 1, wide), [positions, 1]), rates);
  return { sines: sin(angles), cosines: cos(angles) };
}

export interface PositionalEncodingOptions extends DropoutLayerOptions, CreateOptions {
  /** The length of the longest sequence; 5000 unless given. */
  readonly maxLen?: number | undefined;
  /** How likely an element is dropped in training; 0.1 unless given, as in PyTorch's tutorial. */
  readonly dropout?: number | undefined;
  /** Sequences are [n, places, features], not [places, n, features]. */
  readonly batchFirst?: boolean | undefined;
}

/**
 * Adds to each place of a sequence [places, n, dModel] a vector that stands for it: the sine and cosine, one after the other, of
 * `place / 10000^(2 i / dModel)` (Vaswani et al. 2017, https://arxiv.org/abs/1706.03762). The vectors are the buffer `pe`
 * [maxLen, dModel].
 *
 * Throws ValueError for sizes that are not whole numbers above 0; `forward` throws ShapeError for another size of the last axis and for
 * sequences longer than `maxLen`.
 *
 * @example
 * ```ts
 * import { zeros } from "@cotangent/autograd";
 * import { PositionalEncoding } from "@cotangent/nn";
 * const layer = new PositionalEncoding(2, { dropout: 0 });
 * layer.forward(zeros([2, 1, 2])); // => Tensor([[[0.0000, 1.0000]], [[0.8415, 0.5403]]], float32)
 * ```
 */
export class PositionalEncoding extends Module {
  readonly dropout: Dropout;
  readonly pe: Buffer;
  readonly batchFirst: boolean;

  constructor(dModel: number, options: PositionalEncodingOptions = {}) {
    super();
    const {
      maxLen = 5000,
      dropout = 0.1,
      batchFirst = false,
      dtype = "float32",
      ...draw
    } = optionsOf("PositionalEncoding", options, {
      maxLen: true,
      dropout: true,
      batchFirst: "boolean",
      dtype: true,
      generator: true,
    });
    checkSizes("PositionalEncoding", { dModel, maxLen });
    this.dropout = new Dropout(dropout, draw);
    const { sines, cosines } = turns(maxLen, dModel, 10000);
    const both = reshape(stack([sines, cosines], 2), [maxLen, 2 * cosines.shape[1]!]);
    this.pe = new Buffer<Shape>(cast(slice(both, 0, dModel, { axis: 1 }), dtype)).named("pe");
    this.batchFirst = batchFirst;
  }

  forward(x: Tensor): Tensor {
    const [maxLen, dModel] = this.pe.shape as [number, number];
    checkTensor("PositionalEncoding", x);
    const axis = this.batchFirst && x.rank > 2 ? 1 : 0;
    const places = x.shape[axis] ?? 0;
    if (x.rank < 2 || x.rank > 3 || x.shape.at(-1) !== dModel || places > maxLen)
      throw new ShapeError(
        `PositionalEncoding(${dModel}): takes [${this.batchFirst ? "n, places" : "places, n"}, ${dModel}] or [places, ${dModel}] ` +
          `with at most ${maxLen} places, got shape [${x.shape.join(", ")}]`,
      );
    const vectors: Tensor = slice(this.pe as Tensor, 0, places);
    return this.dropout.forward(
      add(x, axis === 0 && x.rank === 3 ? reshape(vectors, [places, 1, dModel]) : vectors),
    );
  }

  protected override details(): string {
    return `${this.pe.shape[1]}, maxLen=${this.pe.shape[0]}`;
  }
}

export interface RotaryOptions {
  /** How slowly the last pair turns; 10000 unless given. */
  readonly base?: number | undefined;
  /** The length of the longest sequence; 4096 unless given. */
  readonly maxLen?: number | undefined;
  /** A pair are two neighbours, as in the paper, or with false an element of the first half and one of the second. */
  readonly interleaved?: boolean | undefined;
}

/**
 * Turns each pair of features of `x` [..., places, dim] by an angle that grows with the place, so that the product of a query and a
 * key depends on how far apart they are (Su et al. 2021, https://arxiv.org/abs/2104.09864). Apply it to queries and keys before
 * `scaledDotProductAttention`; `forward(x, offset)` begins at place `offset`, 0 unless given. Where the offset is a tensor of rank 0, as a
 * number given to a compiled function is inside of it, one program serves all places. It has no parameters and no buffers.
 *
 * Throws ValueError for sizes that are not whole numbers above 0 and for an odd `dim`; `forward` throws ShapeError if `x` does not fit,
 * and where the places of a tensor are read IndexError if they are not below `maxLen`.
 *
 * @example
 * ```ts
 * import { tensor } from "@cotangent/autograd";
 * import { RotaryEmbedding } from "@cotangent/nn";
 * const rotary = new RotaryEmbedding(2);
 * rotary.forward(tensor([[1, 0], [1, 0]])); // => Tensor([[1.0000, 0.0000], [0.5403, 0.8415]], float32)
 * ```
 */
export class RotaryEmbedding extends Module {
  readonly dim: number;
  readonly base: number;
  readonly maxLen: number;
  readonly interleaved: boolean;
  /** [maxLen, dim / 2], in float64. */
  readonly #cos: Tensor;
  readonly #sin: Tensor;

  constructor(dim: number, options: RotaryOptions = {}) {
    super();
    const {
      base = 10000,
      maxLen = 4096,
      interleaved = true,
    } = optionsOf("RotaryEmbedding", options, { base: true, maxLen: true, interleaved: "boolean" });
    checkSizes("RotaryEmbedding", { dim, maxLen });
    if (dim % 2 !== 0)
      throw new ValueError(`RotaryEmbedding: dim is even, since features turn in pairs; got ${dim}`);
    checkPositive("RotaryEmbedding: base", base);
    this.dim = dim;
    this.base = base;
    this.maxLen = maxLen;
    this.interleaved = interleaved;
    const { sines, cosines } = turns(maxLen, dim, base);
    this.#cos = cosines;
    this.#sin = sines;
  }

  forward(x: Tensor, offset: Operand = 0): Tensor {
    const { dim, maxLen, interleaved } = this;
    checkTensor("RotaryEmbedding", x);
    const places = x.shape.at(-2) ?? 0;
    const first = offset instanceof Tensor ? 0 : offset;
    if (
      x.rank < 2 ||
      x.shape.at(-1) !== dim ||
      !Number.isInteger(first) ||
      first < 0 ||
      first + places > maxLen
    )
      throw new ShapeError(
        `RotaryEmbedding(${dim}): takes [..., places, ${dim}] with places below ${maxLen}, got shape [${x.shape.join(", ")}] from place ` +
          `${first} on`,
      );
    const dtype = x.dtype === "float64" ? "float64" : "float32";
    const from = this.#places(places, offset);
    const rows = (table: Tensor): Tensor => cast(from(table), dtype);
    const [cos, sin] = [rows(this.#cos), rows(this.#sin)];
    const half = dim / 2;
    // As [..., 2, half] or [..., half, 2]: the two of a pair apart.
    const axis = interleaved ? -1 : -2;
    const pairs: Tensor = reshape(x, [...x.shape.slice(0, -1), ...(interleaved ? [half, 2] : [2, half])]);
    const member = (i: number): Tensor =>
      reshape(slice(pairs, i, i + 1, { axis }) as Tensor, [...x.shape.slice(0, -1), half]);
    const [a, b] = [member(0), member(1)];
    const turned: Tensor[] = [sub(mul(a, cos), mul(b, sin)), add(mul(a, sin), mul(b, cos))];
    return interleaved ? reshape(stack(turned, -1), x.shape) : cat(turned, -1);
  }

  /** What takes the rows of so many places from a table, the first of them at `offset`. */
  #places(count: number, offset: Operand): (table: Tensor) => Tensor {
    if (!(offset instanceof Tensor)) return (table) => slice(table, offset, offset + count) as Tensor;
    if (offset.rank > 0 || offset.dtype === "bool")
      throw new (offset.rank > 0 ? ShapeError : DTypeError)(
        `RotaryEmbedding(${this.dim}): the offset is one place, got ${offset.dtype} of shape [${offset.shape.join(", ")}]; give a ` +
          "number, or a tensor of rank 0",
      );
    const index: Tensor = add(arange(count), cast(offset, "int32"));
    return (table) => indexSelect(table, 0, index);
  }

  protected override details(): string {
    return `${this.dim}, base=${this.base}, maxLen=${this.maxLen}, interleaved=${this.interleaved}`;
  }
}
