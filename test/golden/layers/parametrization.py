"""Writes parametrization.json: PyTorch's parametrizations, and bags of embeddings. See layer.py."""

import torch.nn as nn
from layer import *

draw = Draws("parametrization")
x = lambda *shape, dtype=f32: draw.floats(shape, dtype)
make = lambda name, *args: {"make": name, "args": list(args)}

layer("weightNorm of a linear layer", "weightNorm", [make("Linear", 3, 2)], nn.utils.weight_norm(nn.Linear(3, 2)), [("train", [x(2, 3)])])
layer("weightNorm along the inputs", "weightNorm", [make("Linear", 3, 2), {"dim": 1}], nn.utils.weight_norm(nn.Linear(3, 2), dim=1), [("train", [x(2, 3)])])
layer("weightNorm with one length", "weightNorm", [make("Linear", 3, 2), {"dim": None}], nn.utils.weight_norm(nn.Linear(3, 2), dim=None), [("eval", [x(2, 3)])])
layer("weightNorm of a convolution", "weightNorm", [make("Conv1d", 2, 3, 2)], nn.utils.weight_norm(nn.Conv1d(2, 3, 2)), [("train", [x(1, 2, 4)])])


def unit(size):
    y = x(size)
    return y / y.norm()


def spectral(title, ours, module, given, *shape):
    options = {"nPowerIterations": "n_power_iterations"}
    module = nn.utils.spectral_norm(module, **{options.get(key, key): value for key, value in given.items()})
    # Started from numbers of few decimals.
    module.weight_u, module.weight_v = unit(module.weight_u.numel()), unit(module.weight_v.numel())
    args = [ours, given] if given else [ours]
    layer(title, "spectralNorm", args, module, [("train", [x(*shape)]), ("train", [x(*shape)]), ("eval", [x(*shape)])])


spectral("spectralNorm of a linear layer", make("Linear", 3, 2), nn.Linear(3, 2), {}, 2, 3)
spectral("spectralNorm with more steps, along the inputs", make("Linear", 3, 2), nn.Linear(3, 2), {"nPowerIterations": 3, "dim": 1}, 2, 3)
spectral("spectralNorm of a convolution", make("Conv1d", 2, 3, 2), nn.Conv1d(2, 3, 2), {}, 1, 2, 4)

WORDS = {"perSampleWeights": "per_sample_weights", "paddingIdx": "padding_idx"}
words = lambda given: {WORDS.get(key, key): value for key, value in given.items()}


def bag(title, given, *calls, dtype=f32):
    call = lambda module, index, options={}: module(index, **words(options))
    layer(title, "EmbeddingBag", [4, 2, given] if given else [4, 2], nn.EmbeddingBag(4, 2, **words(given)), [("train", inputs, call) for inputs in calls], dtype)


rows, line, offsets = t([[0, 3], [1, 1]], i32), t([2, 0, 3, 1, 2], i32), t([0, 3, 3], i32)
bag("bags of one length", {}, [rows], [line, {"offsets": offsets}])
bag("sums of bags, float64", {"mode": "sum"}, [rows], [line, {"offsets": offsets}], dtype=f64)
bag("weighed sums of bags", {"mode": "sum"}, [rows, {"perSampleWeights": x(2, 2)}], [line, {"offsets": offsets, "perSampleWeights": x(5)}])
bag("maxima of bags", {"mode": "max"}, [t([[0, 3], [1, 2]], i32)], [line, {"offsets": offsets}])
bag("maxima of bags without anything", {"mode": "max"}, [t([], i32), {"offsets": t([0, 0], i32)}])
bag("bags with padding", {"paddingIdx": 1}, [rows], [line, {"offsets": t([0, 3], i32)}])
bag("maxima of bags with padding", {"mode": "max", "paddingIdx": -2}, [t([[0, 2], [1, 3]], i32)], [line, {"offsets": t([0, 2], i32)}])

write(__file__)
