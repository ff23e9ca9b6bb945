import type { DrawOptions, Shape } from "@cotangent/autograd/functional";
import {
  attentionWeights,
  broadcastTo,
  cat,
  linear,
  matmul,
  mean,
  permute,
  reshape,
  ShapeError,
  slice,
  split,
  squeeze,
  Tensor,
  ValueError,
  zeros,
} from "@cotangent/autograd/functional";
import { xavierNormal, xavierUniform } from "../initialize/fan.ts";
import { Module, Parameter } from "../module.ts";
import { checkShare, drawing, optionsOf } from "../options.ts";
import { Linear } from "./linear.ts";
import { type AttentionMasks, joinedMask } from "./masks.ts";
import { checkSizes } from "./settings.ts";

export interface MultiheadAttentionOptions extends DrawOptions {
  /** How likely a weight is dropped in training; 0 unless given. */
  readonly dropout?: number | undefined;
  /** Adds biases unless false. */
  readonly bias?: boolean | undefined;
  /** Gives all places one more key and value to look at, which are learned; not unless told to. */
  readonly addBiasKv?: boolean | undefined;
  /** Gives all places one more key and value to look at, which are 0; not unless told to. */
  readonly addZeroAttn?: boolean | undefined;
  /** The features of keys and of values; those of the queries unless given. */
  readonly kdim?: number | undefined;
  readonly vdim?: number | undefined;
  /** Sequences are [n, places, features], not [places, n, features]. */
  readonly batchFirst?: boolean | undefined;
}

export interface AttendOptions extends AttentionMasks {
  /** Gives the weights too, unless false; they cost nothing if they are not read. */
  readonly needWeights?: boolean | undefined;
  /** Gives the mean of the weights of all heads, unless false. */
  readonly averageAttnWeights?: boolean | undefined;
}

const format = (shape: Shape): string => `[${shape.join(", ")}]`;

/**
 * Attention in several ways at once (Vaswani et al. 2017, https://arxiv.org/abs/1706.03762): queries [places, n, embedDim], keys
 * [others, n, kdim] and values [others, n, vdim] are projected to `numHeads` heads, go through `scaledDotProductAttention`, and what
 * comes out is projected again. `forward(query, key, value, options)` gives the output [places, n, embedDim] and the weights
 * [n, places, others] (`null` without `needWeights`; the keys of `addBiasKv` and `addZeroAttn` come last). With `batchFirst` the batch
 * is axis 0; without a batch there is no such axis. Names, layouts and first values of the parameters are PyTorch's, and so are its
 * masks: true means "do not look", other than in the function. A place that may look at nothing gets 0.
 *
 * Throws ValueError unless the heads divide `embedDim`; `forward` throws ShapeError or DTypeError if something does not fit.
 *
 * @example
 * ```ts
 * import { ones } from "@cotangent/autograd";
 * import { MultiheadAttention } from "@cotangent/nn";
 * const layer = new MultiheadAttention(8, 2, { batchFirst: true });
 * const x = ones([3, 5, 8]);
 * const [output, weights] = layer.forward(x, x, x, { isCausal: true });
 * output.shape; // => [ 3, 5, 8 ]
 * weights?.shape; // => [ 3, 5, 5 ]
 * [...layer.namedParameters().keys()]; // => [ 'inProjWeight', 'inProjBias', 'outProj.weight', 'outProj.bias' ]
 * ```
 */
export class MultiheadAttention extends Module {
  readonly embedDim: number;
  readonly numHeads: number;
  readonly kdim: number;
  readonly vdim: number;
  readonly batchFirst: boolean;
  readonly dropout: number;
  /** [3 * embedDim, embedDim] for queries, keys and values; null where `kdim` or `vdim` differs. */
  readonly inProjWeight: Parameter | null;
  readonly qProjWeight: Parameter | null;
  readonly kProjWeight: Parameter | null;
  readonly vProjWeight: Parameter | null;
  readonly inProjBias: Parameter | null;
  /** [1, 1, embedDim], with `addBiasKv`. */
  readonly biasK: Parameter | null;
  readonly biasV: Parameter | null;
  readonly addZeroAttn: boolean;
  readonly outProj: Linear;
  readonly #draw: Pick<DrawOptions, "generator">;

  constructor(embedDim: number, numHeads: number, options: MultiheadAttentionOptions = {}) {
    super();
    const {
      dropout = 0,
      bias = true,
      addBiasKv = false,
      addZeroAttn = false,
      kdim = embedDim,
      vdim = embedDim,
      batchFirst = false,
      ...draw
    } = optionsOf("MultiheadAttention", options, {
      dropout: true,
      bias: "boolean",
      addBiasKv: "boolean",
      addZeroAttn: "boolean",
      kdim: true,
      vdim: true,
      batchFirst: "boolean",
      ...drawing,
    });
    checkSizes("MultiheadAttention", { embedDim, numHeads, kdim, vdim });
    if (embedDim % numHeads !== 0)
      throw new ValueError(`MultiheadAttention: ${numHeads} heads do not divide ${embedDim} features`);
    checkShare("MultiheadAttention: dropout", dropout);
    const { dtype = "float32", generator } = draw;
    this.#draw = { generator };
    this.embedDim = embedDim;
    this.numHeads = numHeads;
    this.kdim = kdim;
    this.vdim = vdim;
    this.batchFirst = batchFirst;
    this.dropout = dropout;
    const make = (name: string, rows: number, columns: number): Parameter =>
      xavierUniform(new Parameter<Shape>(zeros([rows, columns], { dtype })).named(name), this.#draw);
    const packed = kdim === embedDim && vdim === embedDim;
    this.inProjWeight = packed ? make("inProjWeight", 3 * embedDim, embedDim) : null;
    this.qProjWeight = packed ? null : make("qProjWeight", embedDim, embedDim);
    this.kProjWeight = packed ? null : make("kProjWeight", embedDim, kdim);
    this.vProjWeight = packed ? null : make("vProjWeight", embedDim, vdim);
    const none = () => new Parameter<Shape>(zeros([3 * embedDim], { dtype }));
    this.inProjBias = bias ? none().named("inProjBias") : null;
    const learned = (name: string): Parameter =>
      xavierNormal(new Parameter<Shape>(zeros([1, 1, embedDim], { dtype })).named(name), this.#draw);
    this.biasK = addBiasKv ? learned("biasK") : null;
    this.biasV = addBiasKv ? learned("biasV") : null;
    this.addZeroAttn = addZeroAttn;
    this.outProj = new Linear(embedDim, embedDim, { ...draw, bias });
    this.outProj.bias?.assign(0);
  }

  forward(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    options: AttendOptions = {},
  ): [output: Tensor, weights: Tensor | null] {
    const single = this.#check(query, key, value);
    const given = optionsOf("MultiheadAttention", options, {
      needWeights: "boolean",
      averageAttnWeights: "boolean",
      keyPaddingMask: true,
      attnMask: true,
      isCausal: "boolean",
    });
    const { isCausal = false, needWeights = true, averageAttnWeights = true } = given;
    const [q, keys, values] = this.#projected(query, key, value).map((x) => this.#apart(x, single)) as [
      Tensor,
      Tensor,
      Tensor,
    ];
    const [k, v] = [this.#extended(keys, this.biasK), this.#extended(values, this.biasV)];
    const [n, heads, places] = q.shape as [number, number, number];
    const others = keys.shape[2]!;
    const free = k.shape[2]! - others;
    const masks = { ...given, isCausal: isCausal && free > 0 };
    const mask = joinedMask(masks, { n, heads, places, others, free, single });
    const weights: Tensor = attentionWeights(q, k, mask, {
      // With keys that all may look at, the function cannot tell which are later.
      isCausal: isCausal && free === 0,
      dropoutP: this.training ? this.dropout : 0,
      ...this.#draw,
    });
    const output = this.outProj.forward(this.#together(matmul(weights, v), query.shape));
    if (!needWeights) return [output, null];
    const shown: Tensor = averageAttnWeights ? mean(weights, 1) : weights;
    return [output, single ? squeeze(shown, 0) : shown];
  }

  /** Is there no batch? Throws ShapeError unless the three go together. */
  #check(query: Tensor, key: Tensor, value: Tensor): boolean {
    const { embedDim, numHeads, kdim, vdim, batchFirst } = this;
    for (const x of [query, key, value])
      if (!(x instanceof Tensor))
        throw new ValueError(
          `MultiheadAttention: takes three tensors, query, key and value, got ${String(x)}`,
        );
    const { rank } = query;
    const batch = rank === 3 ? (batchFirst ? 0 : 1) : null;
    const fits =
      (rank === 2 || rank === 3) &&
      [query, key, value].every((x, i) => x.rank === rank && x.shape.at(-1) === [embedDim, kdim, vdim][i]) &&
      key.shape.slice(0, -1).join() === value.shape.slice(0, -1).join() &&
      (batch === null || key.shape[batch] === query.shape[batch]);
    if (fits) return rank === 2;
    const axes = (places: string, features: number) =>
      `[${(batchFirst ? ["n", places] : [places, "n"]).join(", ")}, ${features}]`;
    throw new ShapeError(
      `MultiheadAttention(${embedDim}, ${numHeads}): takes queries ${axes("places", embedDim)}, keys ${axes("others", kdim)} and ` +
        `values ${axes("others", vdim)}, or all without n; got ${[query, key, value].map((x) => format(x.shape)).join(", ")}`,
    );
  }

  /** The three projections: one product for those that have the same input. */
  #projected(query: Tensor, key: Tensor, value: Tensor): Tensor[] {
    const { embedDim, inProjWeight, inProjBias } = this;
    const biasOf = (from: number, to: number): Tensor | undefined =>
      inProjBias ? slice(inProjBias as Tensor, from * embedDim, to * embedDim) : undefined;
    if (!inProjWeight) {
      const weights = [this.qProjWeight!, this.kProjWeight!, this.vProjWeight!];
      return [query, key, value].map((x, i): Tensor => linear(x, weights[i]! as Tensor, biasOf(i, i + 1)));
    }
    const part = (x: Tensor, from: number, to: number): Tensor[] => {
      const whole = from === 0 && to === 3;
      const weight: Tensor = whole
        ? inProjWeight
        : slice(inProjWeight as Tensor, from * embedDim, to * embedDim);
      const bias = whole ? (inProjBias ?? undefined) : biasOf(from, to);
      return split(linear(x, weight, bias), embedDim, { axis: -1 });
    };
    if (query === key && key === value) return part(query, 0, 3);
    if (key === value) return [...part(query, 0, 1), ...part(key, 1, 3)];
    return [query, key, value].flatMap((x, i) => part(x, i, i + 1));
  }

  /** [..., embedDim] as [n, heads, places, features]. */
  #apart(x: Tensor, single: boolean): Tensor {
    const { numHeads, embedDim, batchFirst } = this;
    const batched = single ? [1, ...x.shape] : x.shape;
    const heads: Tensor = reshape(x, [...batched.slice(0, 2), numHeads, embedDim / numHeads]);
    return permute(heads, single || batchFirst ? [0, 2, 1, 3] : [1, 2, 0, 3]);
  }

  /** The opposite: [n, heads, places, features] in the shape of the queries. */
  #together(x: Tensor, shape: Shape): Tensor {
    const places = shape.length === 2 || this.batchFirst ? [0, 2, 1, 3] : [2, 0, 1, 3];
    return reshape(permute(x, places) as Tensor, shape);
  }

  /** Keys or values [n, heads, others, features] with those that all places may look at. */
  #extended(x: Tensor, learned: Parameter | null): Tensor {
    const [n, heads, , features] = x.shape as [number, number, number, number];
    const more = [n, heads, 1, features];
    const rows: Tensor[] = learned
      ? [broadcastTo(reshape(learned, [1, heads, 1, features]) as Tensor, more)]
      : [];
    if (this.addZeroAttn) rows.push(zeros(more, { dtype: x.dtype }) as Tensor);
    return rows.length > 0 ? cat([x, ...rows], 2) : x;
  }

  protected override details(): string {
    return `${this.embedDim}, ${this.numHeads}`;
  }
}
