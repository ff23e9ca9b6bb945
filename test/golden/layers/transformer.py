"""Writes transformer.json: PyTorch's attention and transformers. See layer.py."""

import torch.nn as nn
from layer import *

draw = Draws("transformer")

WORDS = {
    "batchFirst": "batch_first",
    "keyPaddingMask": "key_padding_mask",
    "attnMask": "attn_mask",
    "addBiasKv": "add_bias_kv",
    "addZeroAttn": "add_zero_attn",
    "averageAttnWeights": "average_attn_weights",
    "needWeights": "need_weights",
    "dimFeedforward": "dim_feedforward",
    "normFirst": "norm_first",
    "layerNormEps": "layer_norm_eps",
    "srcMask": "src_mask",
    "srcKeyPaddingMask": "src_key_padding_mask",
    "tgtMask": "tgt_mask",
    "memoryMask": "memory_mask",
    "tgtKeyPaddingMask": "tgt_key_padding_mask",
    "memoryKeyPaddingMask": "memory_key_padding_mask",
    "numEncoderLayers": "num_encoder_layers",
    "numDecoderLayers": "num_decoder_layers",
}


def words(given):
    return {WORDS.get(key, key): value for key, value in given.items()}


def causal(n):
    return torch.ones(n, n, dtype=boolean).triu(1)


def attend(module, q, k, v, given={}):
    """PyTorch 1.13 has no isCausal here."""
    options = words(given)
    if options.pop("isCausal", False):
        options["attn_mask"] = causal(q.shape[-2] if module.batch_first or q.dim() == 2 else q.shape[0])
    out, weights = module(q, k, v, **options)
    return (out,) if weights is None else (out, weights)


def attention(title, sizes, given, *calls, dtype=f32):
    module = nn.MultiheadAttention(*sizes, **words(given))
    layer(title, "MultiheadAttention", [*sizes, given] if given else sizes, module, [("train", inputs, attend) for inputs in calls], dtype)


def three(*shapes, dtype=f32):
    return [draw.floats(shape, dtype) for shape in shapes]


x = lambda shape, dtype=f32: draw.floats(shape, dtype)
padding = t([[0, 0, 1], [0, 1, 1]], boolean)
attention("attention", [4, 2], {}, three([2, 2, 4], [3, 2, 4], [3, 2, 4]))
attention("attention, float64", [4, 2], {"batchFirst": True}, three([2, 2, 4], [2, 3, 4], [2, 3, 4], dtype=f64), dtype=f64)
attention("attention of one sequence without bias", [4, 2], {"bias": False}, three([2, 4], [3, 4], [3, 4]))
attention("attention with other features", [4, 2], {"kdim": 3, "vdim": 2, "batchFirst": True}, three([2, 2, 4], [2, 3, 3], [2, 3, 2]))
attention("attention with the weights of each head", [4, 2], {"batchFirst": True}, [*three([1, 2, 4], [1, 3, 4], [1, 3, 4]), {"averageAttnWeights": False}])
attention("attention without weights", [4, 1], {}, [*three([2, 1, 4], [2, 1, 4], [2, 1, 4]), {"needWeights": False}])
attention("attention with padding", [4, 2], {"batchFirst": True}, [*three([2, 2, 4], [2, 3, 4], [2, 3, 4]), {"keyPaddingMask": padding}])
attention("attention with a mask of bool", [4, 2], {"batchFirst": True}, [*three([2, 2, 4], [2, 3, 4], [2, 3, 4]), {"attnMask": t([[1, 0, 0], [0, 1, 0]], boolean)}])
attention("attention with a mask to add, for each head", [4, 2], {"batchFirst": True}, [*three([2, 2, 4], [2, 2, 4], [2, 2, 4]), {"attnMask": x([4, 2, 2])}])
attention(
    "attention with padding and a mask to add",
    [4, 2],
    {"batchFirst": True},
    [*three([2, 2, 4], [2, 3, 4], [2, 3, 4]), {"keyPaddingMask": padding, "attnMask": x([2, 3])}],
)
attention(
    "attention with padding and a mask of bool",
    [4, 2],
    {"batchFirst": True},
    [*three([2, 2, 4], [2, 3, 4], [2, 3, 4]), {"keyPaddingMask": padding, "attnMask": t([[0, 1, 0], [0, 0, 0]], boolean)}],
)
attention("causal attention", [4, 2], {}, [*three([3, 2, 4], [3, 2, 4], [3, 2, 4]), {"isCausal": True}])


def encode(module, x, given={}):
    options = words(given)
    if options.pop("isCausal", False):
        options["src_mask"] = causal(x.shape[1] if batch_first(module) else x.shape[0])
    if isinstance(module, nn.TransformerEncoder) and "src_mask" in options:
        options["mask"] = options.pop("src_mask")
    return module(x, **options)


def decode(module, x, memory, given={}):
    options = words(given)
    if options.pop("tgtIsCausal", False):
        options["tgt_mask"] = causal(x.shape[1] if batch_first(module) else x.shape[0])
    return module(x, memory, **options)


def batch_first(module):
    return (module.layers[0] if hasattr(module, "layers") else module).self_attn.batch_first


def reader(title, given, *calls, dtype=f32):
    module = nn.TransformerEncoderLayer(4, 2, **words({"dropout": 0.0, **given}))
    layer(title, "TransformerEncoderLayer", [4, 2, {"dropout": 0, **given}], module, [("train", inputs, encode) for inputs in calls], dtype)


reader("encoder layer", {"dimFeedforward": 3}, [x([3, 2, 4])], [x([2, 4])])
reader("encoder layer, float64", {"dimFeedforward": 3, "batchFirst": True}, [x([2, 3, 4], f64), {"srcKeyPaddingMask": padding}], dtype=f64)
reader("encoder layer with gelu, normalized first", {"dimFeedforward": 3, "activation": "gelu", "normFirst": True, "batchFirst": True, "layerNormEps": 0.01}, [x([2, 3, 4]), {"isCausal": True}])
reader("encoder layer with a mask to add", {"dimFeedforward": 2, "batchFirst": True}, [x([1, 3, 4]), {"srcMask": x([3, 3])}])


def writer(title, given, *calls, dtype=f32):
    module = nn.TransformerDecoderLayer(4, 2, **words({"dropout": 0.0, **given}))
    layer(title, "TransformerDecoderLayer", [4, 2, {"dropout": 0, **given}], module, [("train", inputs, decode) for inputs in calls], dtype)


writer("decoder layer", {"dimFeedforward": 3}, [x([3, 2, 4]), x([2, 2, 4])])
writer("decoder layer, float64", {"dimFeedforward": 3, "batchFirst": True}, [x([2, 2, 4], f64), x([2, 3, 4], f64), {"tgtIsCausal": True, "memoryKeyPaddingMask": padding}], dtype=f64)
writer("decoder layer normalized first, with masks", {"dimFeedforward": 3, "normFirst": True, "activation": "gelu"}, [x([2, 1, 4]), x([3, 1, 4]), {"tgtMask": x([2, 2]), "memoryMask": x([2, 3]), "tgtKeyPaddingMask": t([[0, 1]], boolean)}])

small = {"dimFeedforward": 2, "batchFirst": True, "dropout": 0}
made = nn.TransformerEncoder(nn.TransformerEncoderLayer(4, 2, **words(small)), 2, nn.LayerNorm(4))
layer("encoder of two layers", "TransformerEncoder", [{"maker": "TransformerEncoderLayer", "args": [4, 2, small]}, 2, {"norm": {"make": "LayerNorm", "args": [4]}}], made, [("train", [x([1, 3, 4]), {"isCausal": True}], encode)])
made = nn.TransformerDecoder(nn.TransformerDecoderLayer(4, 2, **words(small)), 2)
layer("decoder of two layers", "TransformerDecoder", [{"maker": "TransformerDecoderLayer", "args": [4, 2, small]}, 2], made, [("train", [x([1, 2, 4]), x([1, 3, 4]), {"tgtIsCausal": True}], decode)])


class Rotary(nn.Module):
    """The formula of the paper as products of complex numbers."""

    def __init__(self, dim, base=10000.0, interleaved=True):
        super().__init__()
        self.dim, self.base, self.interleaved = dim, base, interleaved

    def forward(self, x, offset=0):
        rates = self.base ** (-torch.arange(0, self.dim, 2, dtype=f64) / self.dim)
        angles = torch.outer(torch.arange(offset, offset + x.shape[-2], dtype=f64), rates)
        turn = torch.polar(torch.ones_like(angles), angles)
        pairs = x.unflatten(-1, (-1, 2)) if self.interleaved else x.unflatten(-1, (2, -1)).transpose(-1, -2)
        out = torch.view_as_real(torch.view_as_complex(pairs.contiguous().double()) * turn)
        return (out if self.interleaved else out.transpose(-1, -2)).flatten(-2).to(x.dtype)


layer("rotary embedding", "RotaryEmbedding", [4], Rotary(4), [("train", [x([2, 3, 4])]), ("train", [x([3, 4]), 5])])
layer("rotary embedding of halves", "RotaryEmbedding", [6, {"interleaved": False, "base": 100}], Rotary(6, 100.0, False), [("train", [x([2, 6])])])

attention("attention with a key that is learned", [4, 2], {"addBiasKv": True}, three([2, 2, 4], [3, 2, 4], [3, 2, 4]))
attention(
    "attention with keys learned and of zeros, with masks",
    [4, 2],
    {"addBiasKv": True, "addZeroAttn": True, "batchFirst": True},
    [*three([2, 2, 4], [2, 3, 4], [2, 3, 4]), {"keyPaddingMask": padding, "attnMask": t([[1, 0, 0], [0, 1, 0]], boolean)}],
)
attention("causal attention with a key of zeros", [4, 2], {"addZeroAttn": True}, [*three([3, 2, 4], [3, 2, 4], [3, 2, 4]), {"isCausal": True}])
attention("attention of one sequence with keys of both kinds", [4, 2], {"addBiasKv": True, "addZeroAttn": True}, [*three([2, 4], [3, 4], [3, 4]), {"averageAttnWeights": False}])


def translate(module, src, tgt, given={}):
    options = words(given)
    axis = 1 if module.batch_first else 0
    if options.pop("srcIsCausal", False):
        options["src_mask"] = causal(src.shape[axis])
    if options.pop("tgtIsCausal", False):
        options["tgt_mask"] = causal(tgt.shape[axis])
    return module(src, tgt, **options)


def translator(title, given, *calls, dtype=f32):
    options = {"numEncoderLayers": 1, "numDecoderLayers": 2, "dimFeedforward": 3, "dropout": 0, **given}
    layer(title, "Transformer", [4, 2, options], nn.Transformer(4, 2, **words(options)), [("train", inputs, translate) for inputs in calls], dtype)


translator("encoder and decoder, float64", {}, [x([3, 2, 4], f64), x([2, 2, 4], f64)], [x([2, 1, 4], f64), x([3, 1, 4], f64), {"srcMask": x([2, 2], f64), "tgtMask": x([3, 3], f64), "memoryMask": x([3, 2], f64)}], dtype=f64)
translator("encoder and decoder, batch first, with padding", {"batchFirst": True, "activation": "gelu"}, [x([2, 3, 4]), x([2, 3, 4]), {"srcKeyPaddingMask": padding, "memoryKeyPaddingMask": padding, "tgtKeyPaddingMask": padding, "tgtIsCausal": True}])
translator("encoder and decoder normalized first, float64", {"numEncoderLayers": 2, "normFirst": True, "layerNormEps": 0.01}, [x([2, 1, 4], f64), x([2, 1, 4], f64), {"srcIsCausal": True}], dtype=f64)

write(__file__)
