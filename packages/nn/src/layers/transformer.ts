import type { DrawOptions, Tensor } from "@cotangent/autograd/functional";
import { add, gelu, relu, ValueError } from "@cotangent/autograd/functional";
import type { Layer } from "../module.ts";
import { forward, Module } from "../module.ts";
import type { Known } from "../options.ts";
import { drawing, optionsOf } from "../options.ts";
import { MultiheadAttention } from "./attention.ts";
import { Dropout } from "./dropout.ts";
import { Linear } from "./linear.ts";
import { LayerNorm } from "./normalization.ts";

export interface TransformerLayerOptions extends DrawOptions {
  /** How wide the network behind the attention is; 2048 unless given. */
  readonly dimFeedforward?: number | undefined;
  /** How likely something is dropped in training, in four places or six; 0.1 unless given. */
  readonly dropout?: number | undefined;
  /** `"relu"` unless given. */
  readonly activation?: "relu" | "gelu" | Layer | undefined;
  /** Added to the variance by the normalizations; 1e-5 unless given. */
  readonly layerNormEps?: number | undefined;
  /** Sequences are [n, places, features], not [places, n, features]. */
  readonly batchFirst?: boolean | undefined;
  /** Normalizes what goes into a part, not what comes out. */
  readonly normFirst?: boolean | undefined;
  /** Has biases, also in the normalizations; true unless given. */
  readonly bias?: boolean | undefined;
}

/** The names of these. */
export const transformerLayer: Known<TransformerLayerOptions> = {
  dimFeedforward: true,
  dropout: true,
  activation: true,
  layerNormEps: true,
  batchFirst: "boolean",
  normFirst: "boolean",
  bias: "boolean",
  ...drawing,
};

/** Masks as `MultiheadAttention` takes them. */
export interface EncodeOptions {
  /** What a place may not see of the sequence, `attnMask`. */
  readonly srcMask?: Tensor | undefined;
  /** What nobody sees of the sequence, `keyPaddingMask`. */
  readonly srcKeyPaddingMask?: Tensor | undefined;
  /** A place sees no later one. */
  readonly isCausal?: boolean | undefined;
}

/** Masks as `MultiheadAttention` takes them, for the sequence that is made (`tgt`) and the one that is looked at (`memory`). */
export interface DecodeOptions {
  readonly tgtMask?: Tensor | undefined;
  readonly memoryMask?: Tensor | undefined;
  readonly tgtKeyPaddingMask?: Tensor | undefined;
  readonly memoryKeyPaddingMask?: Tensor | undefined;
  /** A place sees no later one of its own sequence. */
  readonly tgtIsCausal?: boolean | undefined;
}

/** The names of these. */
export const decoding: Known<DecodeOptions> = {
  tgtMask: true,
  memoryMask: true,
  tgtKeyPaddingMask: true,
  memoryKeyPaddingMask: true,
  tgtIsCausal: "boolean",
};

/** What encoder and decoder layers share: attention to oneself, and a network for each place. */
abstract class TransformerLayer extends Module {
  readonly selfAttn: MultiheadAttention;
  readonly linear1: Linear;
  readonly dropout: Dropout;
  readonly linear2: Linear;
  readonly norm1: LayerNorm;
  readonly norm2: LayerNorm;
  readonly dropout1: Dropout;
  readonly dropout2: Dropout;
  readonly normFirst: boolean;
  readonly activation: Layer;

  constructor(dModel: number, nhead: number, options: TransformerLayerOptions) {
    super();
    const {
      dimFeedforward = 2048,
      activation = "relu",
      normFirst = false,
      bias = true,
    } = optionsOf(this.constructor.name, options, transformerLayer);
    if (activation !== "relu" && activation !== "gelu" && !isLayer(activation))
      throw new ValueError(
        `${this.constructor.name}: activation is "relu", "gelu" or a layer, got ${String(activation)}`,
      );
    this.activation = activation === "relu" ? relu : activation === "gelu" ? gelu : activation;
    const draw = drawOf(options);
    this.selfAttn = attentionOf(dModel, nhead, options);
    this.linear1 = new Linear(dModel, dimFeedforward, { ...draw, bias });
    this.dropout = dropoutOf(options);
    this.linear2 = new Linear(dimFeedforward, dModel, { ...draw, bias });
    this.norm1 = normOf(dModel, options);
    this.norm2 = normOf(dModel, options);
    this.dropout1 = dropoutOf(options);
    this.dropout2 = dropoutOf(options);
    this.normFirst = normFirst;
  }

  /** `x` and what `part` adds to it, normalized before or after. */
  protected joined(x: Tensor, norm: LayerNorm, part: (x: Tensor) => Tensor): Tensor {
    return this.normFirst ? add(x, part(norm.forward(x))) : norm.forward(add(x, part(x)) as Tensor);
  }

  /** Two linear layers with the activation between them. */
  protected fed(x: Tensor): Tensor {
    return this.linear2.forward(this.dropout.forward(forward(this.activation, this.linear1.forward(x))));
  }
}

const isLayer = (x: unknown): x is Layer =>
  typeof x === "function" || typeof (x as { forward?: unknown } | null)?.forward === "function";

const drawOf = ({ dtype, generator }: DrawOptions): DrawOptions => ({ dtype, generator });

function attentionOf(dModel: number, nhead: number, options: TransformerLayerOptions): MultiheadAttention {
  const { dropout = 0.1, batchFirst = false, bias = true } = options;
  return new MultiheadAttention(dModel, nhead, { ...drawOf(options), dropout, batchFirst, bias });
}

function dropoutOf({ dropout = 0.1, generator }: TransformerLayerOptions): Dropout {
  return new Dropout(dropout, { generator });
}

/** The normalization that these options ask for. */
export function normOf(
  dModel: number,
  { layerNormEps = 1e-5, bias = true, dtype = "float32" }: TransformerLayerOptions,
): LayerNorm {
  return new LayerNorm(dModel, { eps: layerNormEps, bias, dtype });
}

/**
 * A layer of a transformer that reads a sequence (Vaswani et al. 2017, https://arxiv.org/abs/1706.03762): `x` [places, n, dModel],
 * [n, places, dModel] with `batchFirst`, or [places, dModel], gives the same shape. It looks at itself in `nhead` ways, then goes
 * through a network for each place; both add to what is there. Options, names and numbers are PyTorch's.
 *
 * Throws ValueError for sizes and words that make no sense; `forward` throws ShapeError or DTypeError if something does not fit.
 *
 * @example
 * ```ts
 * import { ones } from "@cotangent/autograd";
 * import { TransformerEncoderLayer } from "@cotangent/nn";
 * const layer = new TransformerEncoderLayer(8, 2, { dimFeedforward: 16, batchFirst: true });
 * layer.forward(ones([3, 5, 8]), { isCausal: true }).shape; // => [ 3, 5, 8 ]
 * ```
 */
export class TransformerEncoderLayer extends TransformerLayer {
  constructor(dModel: number, nhead: number, options: TransformerLayerOptions = {}) {
    super(dModel, nhead, options);
  }

  forward(x: Tensor, options: EncodeOptions = {}): Tensor {
    const {
      srcMask: attnMask,
      srcKeyPaddingMask: keyPaddingMask,
      isCausal = false,
    } = optionsOf("TransformerEncoderLayer", options, {
      srcMask: true,
      srcKeyPaddingMask: true,
      isCausal: "boolean",
    });
    const given = { attnMask, keyPaddingMask, isCausal, needWeights: false };
    const looked = this.joined(x, this.norm1, (y) =>
      this.dropout1.forward(this.selfAttn.forward(y, y, y, given)[0]),
    );
    return this.joined(looked, this.norm2, (y) => this.dropout2.forward(this.fed(y)));
  }
}

/**
 * A layer of a transformer that makes a sequence from another: as `TransformerEncoderLayer`, with a part between the two that looks
 * at `memory` [others, n, dModel], which an encoder made. `forward(x, memory, options)` gives the shape of `x`.
 *
 * @example
 * ```ts
 * import { ones } from "@cotangent/autograd";
 * import { TransformerDecoderLayer } from "@cotangent/nn";
 * const layer = new TransformerDecoderLayer(8, 2, { dimFeedforward: 16, batchFirst: true });
 * layer.forward(ones([3, 5, 8]), ones([3, 7, 8]), { tgtIsCausal: true }).shape; // => [ 3, 5, 8 ]
 * ```
 */
export class TransformerDecoderLayer extends TransformerLayer {
  readonly multiheadAttn: MultiheadAttention;
  readonly norm3: LayerNorm;
  readonly dropout3: Dropout;

  constructor(dModel: number, nhead: number, options: TransformerLayerOptions = {}) {
    super(dModel, nhead, options);
    this.multiheadAttn = attentionOf(dModel, nhead, options);
    this.norm3 = normOf(dModel, options);
    this.dropout3 = dropoutOf(options);
  }

  forward(x: Tensor, memory: Tensor, options: DecodeOptions = {}): Tensor {
    const given = optionsOf("TransformerDecoderLayer", options, decoding);
    const own = {
      attnMask: given.tgtMask,
      keyPaddingMask: given.tgtKeyPaddingMask,
      isCausal: given.tgtIsCausal ?? false,
      needWeights: false,
    };
    const other = {
      attnMask: given.memoryMask,
      keyPaddingMask: given.memoryKeyPaddingMask,
      needWeights: false,
    };
    const { norm1, norm2, norm3 } = this;
    const looked = this.joined(x, norm1, (y) =>
      this.dropout1.forward(this.selfAttn.forward(y, y, y, own)[0]),
    );
    const told = this.joined(looked, norm2, (y) =>
      this.dropout2.forward(this.multiheadAttn.forward(y, memory, memory, other)[0]),
    );
    return this.joined(told, norm3, (y) => this.dropout3.forward(this.fed(y)));
  }
}

export interface StackOptions {
  /** Normalizes what comes out. */
  readonly norm?: LayerNorm | undefined;
}

function normIn(name: string, norm: LayerNorm | undefined): LayerNorm | null {
  if (norm === undefined || norm instanceof LayerNorm) return norm ?? null;
  throw new ValueError(`${name}: norm is a LayerNorm, got ${String(norm)}`);
}

/** `numLayers` layers from the function that makes one. */
function layersOf<L extends Module>(
  name: string,
  make: () => L,
  numLayers: number,
  kind: new (...args: never[]) => L,
): L[] {
  if (typeof make !== "function" || !Number.isInteger(numLayers) || numLayers < 1)
    throw new ValueError(`${name}: takes a function that makes a layer, and how many layers there are`);
  return Array.from({ length: numLayers }, () => {
    const layer = make();
    if (!(layer instanceof kind))
      throw new ValueError(`${name}: the function makes ${String(layer)}, no ${kind.name}`);
    return layer;
  });
}

/**
 * Encoder layers one above the other, with a normalization at the end if one is given. The first argument makes a layer (PyTorch
 * copies one): each starts with its own numbers. `forward` takes and gives what the layers do.
 *
 * Throws ValueError unless the function makes encoder layers and `numLayers` is a whole number above 0.
 *
 * @example
 * ```ts
 * import { ones } from "@cotangent/autograd";
 * import { LayerNorm, TransformerEncoder, TransformerEncoderLayer } from "@cotangent/nn";
 * const options = { dimFeedforward: 16, batchFirst: true };
 * const model = new TransformerEncoder(() => new TransformerEncoderLayer(8, 2, options), 2, { norm: new LayerNorm(8) });
 * model.forward(ones([3, 5, 8])).shape; // => [ 3, 5, 8 ]
 * ```
 */
export class TransformerEncoder extends Module {
  readonly layers: readonly TransformerEncoderLayer[];
  readonly norm: LayerNorm | null;

  constructor(makeLayer: () => TransformerEncoderLayer, numLayers: number, options: StackOptions = {}) {
    super();
    const { norm } = optionsOf("TransformerEncoder", options, { norm: true });
    this.layers = layersOf("TransformerEncoder", makeLayer, numLayers, TransformerEncoderLayer);
    this.norm = normIn("TransformerEncoder", norm);
  }

  forward(x: Tensor, options: EncodeOptions = {}): Tensor {
    const out = this.layers.reduce((h, layer) => layer.forward(h, options), x);
    return this.norm ? this.norm.forward(out) : out;
  }
}

/** Decoder layers one above the other, each looking at the same `memory`; see `TransformerEncoder`. */
export class TransformerDecoder extends Module {
  readonly layers: readonly TransformerDecoderLayer[];
  readonly norm: LayerNorm | null;

  constructor(makeLayer: () => TransformerDecoderLayer, numLayers: number, options: StackOptions = {}) {
    super();
    const { norm } = optionsOf("TransformerDecoder", options, { norm: true });
    this.layers = layersOf("TransformerDecoder", makeLayer, numLayers, TransformerDecoderLayer);
    this.norm = normIn("TransformerDecoder", norm);
  }

  forward(x: Tensor, memory: Tensor, options: DecodeOptions = {}): Tensor {
    const out = this.layers.reduce((h, layer) => layer.forward(h, memory, options), x);
    return this.norm ? this.norm.forward(out) : out;
  }
}
