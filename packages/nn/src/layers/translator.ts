import type { Tensor } from "@cotangent/autograd/functional";
import { xavierUniform } from "../initialize/fan.ts";
import { Module } from "../module.ts";
import { optionsOf } from "../options.ts";
import { checkSizes } from "./settings.ts";
import type { DecodeOptions, TransformerLayerOptions } from "./transformer.ts";
import {
  decoding,
  normOf,
  TransformerDecoder,
  TransformerDecoderLayer,
  TransformerEncoder,
  TransformerEncoderLayer,
  transformerLayer,
} from "./transformer.ts";

export interface TransformerOptions extends TransformerLayerOptions {
  /** 6 unless given. */
  readonly numEncoderLayers?: number | undefined;
  /** 6 unless given. */
  readonly numDecoderLayers?: number | undefined;
}

/** Masks of the sequence that is read (`src`), of the one that is made (`tgt`), and of what the second sees of the first (`memory`). */
export interface TranslateOptions extends DecodeOptions {
  readonly srcMask?: Tensor | undefined;
  readonly srcKeyPaddingMask?: Tensor | undefined;
  /** A place sees no later one of its own sequence. */
  readonly srcIsCausal?: boolean | undefined;
}

/**
 * A transformer that reads a sequence and makes another (Vaswani et al. 2017, https://arxiv.org/abs/1706.03762): an encoder and a
 * decoder, each normalized at its end. `forward(src, tgt)` takes `src` and `tgt` [places, n, dModel], [n, places, dModel] with
 * `batchFirst`, and gives the shape of `tgt`. Matrices start as `xavierUniform` makes them. Options, names and numbers are PyTorch's.
 *
 * Throws ValueError for sizes and words that make no sense; `forward` throws ShapeError or DTypeError if something does not fit.
 *
 * @example
 * ```ts
 * import { ones } from "@cotangent/autograd";
 * import { Transformer } from "@cotangent/nn";
 * const options = { numEncoderLayers: 1, numDecoderLayers: 2, dimFeedforward: 16, batchFirst: true };
 * const model = new Transformer(8, 2, options);
 * model.forward(ones([3, 5, 8]), ones([3, 4, 8]), { tgtIsCausal: true }).shape; // => [ 3, 4, 8 ]
 * ```
 */
export class Transformer extends Module {
  readonly encoder: TransformerEncoder;
  readonly decoder: TransformerDecoder;

  constructor(dModel: number, nhead: number, options: TransformerOptions = {}) {
    super();
    const {
      numEncoderLayers = 6,
      numDecoderLayers = 6,
      ...given
    } = optionsOf("Transformer", options, {
      numEncoderLayers: true,
      numDecoderLayers: true,
      ...transformerLayer,
    });
    checkSizes("Transformer", { numEncoderLayers, numDecoderLayers });
    const reader = () => new TransformerEncoderLayer(dModel, nhead, given);
    const writer = () => new TransformerDecoderLayer(dModel, nhead, given);
    this.encoder = new TransformerEncoder(reader, numEncoderLayers, { norm: normOf(dModel, given) });
    this.decoder = new TransformerDecoder(writer, numDecoderLayers, { norm: normOf(dModel, given) });
    const draw = given.generator ? { generator: given.generator } : {};
    for (const parameter of this.parameters()) if (parameter.rank > 1) xavierUniform(parameter, draw);
  }

  forward(src: Tensor, tgt: Tensor, options: TranslateOptions = {}): Tensor {
    const {
      srcMask,
      srcKeyPaddingMask,
      srcIsCausal = false,
      ...others
    } = optionsOf("Transformer", options, {
      srcMask: true,
      srcKeyPaddingMask: true,
      srcIsCausal: "boolean",
      ...decoding,
    });
    const memory = this.encoder.forward(src, { isCausal: srcIsCausal, srcMask, srcKeyPaddingMask });
    return this.decoder.forward(tgt, memory, others);
  }
}
