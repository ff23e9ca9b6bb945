import type { DrawOptions, Shape } from "@cotangent/autograd/functional";
import {
  add,
  attentionWeights,
  cast,
  DTypeError,
  linear,
  log,
  logicalAnd,
  logicalNot,
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
import { xavierUniform } from "../initialize/fan.ts";
import { Module, Parameter } from "../module.ts";
import { checkShare, optionsOf } from "../options.ts";
import { Linear } from "./linear.ts";
import { checkSizes, checkTensor } from "./settings.ts";

export interface MultiheadAttentionOptions extends DrawOptions {
  /** How likely a weight is dropped in training; 0 unless given. */
  readonly dropout?: number;
  /** Adds biases unless false. */
  readonly bias?: boolean;
  /** The features of keys and of values; those of the queries unless given. */
  readonly kdim?: number;
  readonly vdim?: number;
  /** Sequences are [n, places, features], not [places, n, features]. */
  readonly batchFirst?: boolean;
}

export interface AttendOptions {
  /** [n, others] ([others] for one sequence): true where a key is not looked at, or floats to be added to the scores. */
  readonly keyPaddingMask?: Tensor;
  /** [places, others] or [n * heads, places, others]: true where a place may not look, or floats to be added to the scores. */
  readonly attnMask?: Tensor;
  /** A place sees no later one. */
  readonly isCausal?: boolean;
  /** Gives the weights too, unless false; they cost nothing if they are not read. */
  readonly needWeights?: boolean;
  /** Gives the mean of the weights of all heads, unless false. */
  readonly averageAttnWeights?: boolean;
}

const format = (shape: Shape): string => `[${shape.join(", ")}]`;

/**
 * Attention in several ways at once (Vaswani et al. 2017, https://arxiv.org/abs/1706.03762): queries [places, n, embedDim], keys
 * [others, n, kdim] and values [others, n, vdim] are projected to `numHeads` heads, go through `scaledDotProductAttention`, and what
 * comes out is projected again. `forward(query, key, value, options)` gives the output [places, n, embedDim] and the weights
 * [n, places, others] (`null` without `needWeights`). With `batchFirst` the batch is axis 0; without a batch there is no such axis.
 * Names, layouts and first values of the parameters are PyTorch's, and so are its masks: true means "do not look", other than in the
 * function. A place that may look at nothing gets 0.
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
  readonly outProj: Linear;
  readonly #draw: Pick<DrawOptions, "generator">;

  constructor(embedDim: number, numHeads: number, options: MultiheadAttentionOptions = {}) {
    super();
    const {
      dropout = 0,
      bias = true,
      kdim = embedDim,
      vdim = embedDim,
      batchFirst = false,
      ...draw
    } = optionsOf("MultiheadAttention", options);
    checkSizes("MultiheadAttention", { embedDim, numHeads, kdim, vdim });
    if (embedDim % numHeads !== 0)
      throw new ValueError(`MultiheadAttention: ${numHeads} heads do not divide ${embedDim} features`);
    checkShare("MultiheadAttention: dropout", dropout);
    const { dtype = "float32", generator } = draw;
    this.#draw = generator ? { generator } : {};
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
    const given = optionsOf("MultiheadAttention", options);
    const { isCausal = false, needWeights = true, averageAttnWeights = true } = given;
    const [q, k, v] = this.#projected(query, key, value).map((x) => this.#apart(x, single)) as [
      Tensor,
      Tensor,
      Tensor,
    ];
    const mask = this.#mask(given, [q.shape[0]!, this.numHeads, q.shape[2]!, k.shape[2]!], single);
    const dropoutP = this.training ? this.dropout : 0;
    const weights: Tensor = attentionWeights(q, k, mask, { ...this.#draw, isCausal, dropoutP });
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

  /** Both masks as one for the function, which broadcasts to `shape`: bool (true: may look) if both are, else floats. */
  #mask(
    { keyPaddingMask, attnMask }: AttendOptions,
    shape: readonly number[],
    single: boolean,
  ): Tensor | undefined {
    const [n, heads, places, others] = shape as [number, number, number, number];
    const padding =
      keyPaddingMask &&
      this.#placed("keyPaddingMask", keyPaddingMask, single ? [[others]] : [[n, others]], [n, 1, 1, others]);
    const pairs =
      attnMask &&
      this.#placed(
        "attnMask",
        attnMask,
        [
          [places, others],
          [n * heads, places, others],
        ],
        attnMask.rank === 2 ? [1, 1, places, others] : shape,
      );
    if (!padding || !pairs) return padding ?? pairs;
    if (padding.dtype === "bool" && pairs.dtype === "bool") return logicalAnd(padding, pairs);
    return add(added(padding), added(pairs));
  }

  /** A mask in the shape `placed`, bools turned round. Throws typed errors if it has none of `shapes`. */
  #placed(what: string, mask: Tensor, shapes: readonly Shape[], placed: Shape): Tensor {
    checkTensor(`MultiheadAttention: ${what}`, mask);
    if (mask.dtype === "int32")
      throw new DTypeError(
        `MultiheadAttention: ${what} is int32; cast it to bool (true: is not looked at) or to a float`,
      );
    if (!shapes.some((shape) => shape.join() === mask.shape.join()))
      throw new ShapeError(
        `MultiheadAttention: ${what} has shape ${format(mask.shape)}; it must be ${shapes.map(format).join(" or ")}`,
      );
    const turned: Tensor = mask.dtype === "bool" ? logicalNot(mask) : mask;
    return reshape(turned, placed);
  }

  protected override details(): string {
    return `${this.embedDim}, ${this.numHeads}`;
  }
}

/** A mask of bool (true: may look) as one to be added: log 1 is 0, and log 0 is -inf. */
const added = (mask: Tensor): Tensor => (mask.dtype === "bool" ? log(cast(mask, "float32")) : mask);
