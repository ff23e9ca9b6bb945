"""Writes convolution.json: what PyTorch answers for convolutions and pools. See cases.py."""

import torch.nn.functional as F
from cases import *

WORDS = {
    "stride": "stride",
    "padding": "padding",
    "dilation": "dilation",
    "groups": "groups",
    "outputPadding": "output_padding",
    "ceilMode": "ceil_mode",
    "countIncludePad": "count_include_pad",
    "divisorOverride": "divisor_override",
}


def options_of(options):
    return {WORDS[key]: tuple(value) if isinstance(value, list) else value for key, value in options.items()}


def convolution(call):
    return lambda x, weight, bias=None, options={}: call(x, weight, bias, **options_of(options))


def pool(call):
    return lambda x, size, options={}: call(x, size, **options_of(options))


for rank in (1, 2, 3):
    function(f"conv{rank}d", convolution(getattr(F, f"conv{rank}d")), "product", 2)
    function(f"convTranspose{rank}d", convolution(getattr(F, f"conv_transpose{rank}d")), "product", 2)
    function(f"maxPool{rank}d", pool(getattr(F, f"max_pool{rank}d")))
    function(f"avgPool{rank}d", pool(getattr(F, f"avg_pool{rank}d")))
for rank in (1, 2):
    function(f"adaptiveAvgPool{rank}d", lambda x, size, rank=rank: getattr(F, f"adaptive_avg_pool{rank}d")(x, size))
    function(f"adaptiveMaxPool{rank}d", lambda x, size, rank=rank: getattr(F, f"adaptive_max_pool{rank}d")(x, size))

# Shapes of x and weight, whether there is a bias, and options.
CONVOLUTIONS = {
    "conv1d": [
        ([2, 2, 5], [3, 2, 3], True, {}),
        ([2, 6], [4, 1, 3], True, {"stride": 2, "padding": 1, "groups": 2}),
        ([1, 2, 7], [2, 2, 3], False, {"dilation": 3, "padding": [2]}),
        ([1, 1, 5], [1, 1, 4], False, {"padding": "same"}),
        ([2, 3, 4], [6, 1, 2], True, {"groups": 3, "stride": 3, "padding": "valid"}),
        ([1, 2, 9], [1, 2, 2], False, {"stride": 2, "dilation": 3}),
        ([1, 2, 3], [3, 2, 1], True, {}),
    ],
    "conv2d": [
        ([2, 2, 4, 3], [3, 2, 2, 2], True, {}),
        ([1, 1, 3, 3], [2, 1, 3, 3], True, {"padding": 1}),
        ([2, 5, 4], [2, 2, 3, 2], False, {"stride": [2, 1], "padding": [1, 0]}),
        ([1, 4, 4, 4], [4, 2, 3, 3], True, {"groups": 2, "padding": 2, "dilation": 2}),
        ([1, 2, 5, 5], [2, 1, 3, 3], True, {"groups": 2, "stride": 2, "padding": 1}),
        ([1, 1, 4, 4], [1, 1, 2, 3], False, {"padding": "same", "dilation": [2, 1]}),
        ([1, 2, 5, 5], [1, 2, 1, 1], False, {"stride": 2}),
        ([1, 1, 6, 6], [1, 1, 2, 2], False, {"stride": 3, "dilation": 2}),
    ],
    "conv3d": [
        ([1, 2, 3, 2, 3], [2, 2, 2, 1, 2], True, {}),
        ([1, 3, 3, 3], [1, 1, 2, 3, 2], False, {"padding": 1, "stride": [2, 1, 2]}),
        ([1, 2, 2, 3, 2], [2, 1, 2, 2, 2], True, {"groups": 2, "padding": "same"}),
        ([1, 1, 3, 3, 3], [1, 1, 2, 2, 2], False, {"dilation": 2}),
    ],
    "convTranspose1d": [
        ([2, 2, 3], [2, 3, 3], True, {}),
        ([2, 4], [2, 1, 3], True, {"stride": 2, "padding": 1, "outputPadding": 1}),
        ([1, 4, 3], [4, 2, 2], False, {"groups": 2, "dilation": 3, "outputPadding": 2}),
        ([1, 1, 3], [1, 1, 2], False, {"stride": 3, "dilation": 2, "padding": 2}),
        ([1, 2, 3], [2, 1, 4], True, {"stride": 3}),
    ],
    "convTranspose2d": [
        ([2, 2, 2, 3], [2, 3, 2, 2], True, {}),
        ([2, 3, 2], [2, 2, 3, 3], True, {"stride": 2, "padding": 1, "outputPadding": 1}),
        ([1, 2, 3, 3], [2, 1, 3, 2], False, {"groups": 2, "padding": [1, 0], "stride": [1, 3], "outputPadding": [0, 2]}),
        ([1, 1, 2, 2], [1, 2, 2, 2], False, {"dilation": [2, 1], "stride": [3, 1]}),
    ],
    "convTranspose3d": [
        ([1, 2, 2, 1, 2], [2, 1, 2, 2, 2], True, {}),
        ([2, 2, 2, 2], [2, 1, 3, 2, 2], True, {"stride": 2, "padding": [1, 0, 1], "outputPadding": [1, 0, 1], "groups": 2}),
    ],
}
for name, calls in CONVOLUTIONS.items():
    for i, (field, weight, biased, options) in enumerate(calls):
        dtype = f64 if i % 3 == 2 else f32
        draw = Draws(name, i)
        groups = options.get("groups", 1)
        outs = weight[1] * groups if "Transpose" in name else weight[0]
        bias = draw.floats([outs], dtype) if biased else None
        title = f"{NAMES[dtype]} {field} {weight}, {json.dumps(options)}"
        case(name, title, draw.floats(field, dtype), draw.floats(weight, dtype), bias, options)
case("conv1d", "infinite and NaN", t([[1.0, INF, 0.0, 2.0, NAN, 1.0, 1.0]]), t([[[1.0, -1.0]]]), second=False)

# Shape, size and options; the elements differ, so that ties have cases of their own.
MAX = {
    "maxPool1d": [
        ([2, 2, 5], 2, {}),
        ([1, 6], 3, {"stride": 2, "padding": 1}),
        ([1, 2, 7], 2, {"stride": 3, "ceilMode": True}),
        ([1, 1, 7], 3, {"stride": 1, "dilation": 2}),
        ([1, 1, 5], 2, {"padding": 1, "ceilMode": True}),
    ],
    "maxPool2d": [
        ([1, 2, 4, 4], 2, {}),
        ([2, 5, 4], [3, 2], {"stride": [1, 2], "padding": [1, 0]}),
        ([1, 1, 5, 5], 2, {"stride": 2, "ceilMode": True}),
        ([1, 1, 6, 5], [2, 3], {"dilation": [3, 1], "padding": [0, 1], "stride": 1}),
        ([1, 1, 4, 4], 3, {"stride": 2, "padding": 1, "ceilMode": True}),
        ([1, 1, 3, 3], 1, {"stride": 3, "ceilMode": True}),
    ],
    "maxPool3d": [([1, 2, 3, 2, 2], 2, {"stride": 1}), ([1, 4, 3, 3], [2, 1, 3], {"padding": [1, 0, 1], "ceilMode": True})],
}
AVERAGE = {
    "avgPool1d": [
        ([2, 2, 5], 2, {}),
        ([1, 6], 3, {"stride": 2, "padding": 1}),
        ([1, 1, 6], 3, {"stride": 2, "padding": 1, "countIncludePad": False}),
        ([1, 2, 7], 2, {"stride": 3, "ceilMode": True}),
        ([1, 1, 6], 4, {"padding": 2, "stride": 3, "ceilMode": True}),
        ([1, 1, 6], 4, {"padding": 2, "stride": 3, "ceilMode": True, "countIncludePad": False}),
    ],
    "avgPool2d": [
        ([1, 2, 4, 4], 2, {}),
        ([2, 5, 4], [3, 2], {"stride": [1, 2], "padding": [1, 0]}),
        ([1, 1, 5, 5], 3, {"stride": 2, "padding": 1, "countIncludePad": False}),
        ([1, 1, 5, 5], 2, {"ceilMode": True}),
        ([1, 1, 5, 4], [2, 3], {"stride": 2, "padding": 1, "ceilMode": True, "divisorOverride": 5}),
        ([1, 1, 4, 4], 3, {"stride": 3, "padding": 1, "ceilMode": True}),
    ],
    "avgPool3d": [([1, 2, 3, 2, 2], 2, {"stride": 1}), ([1, 4, 3, 3], [2, 1, 3], {"padding": [1, 0, 1], "countIncludePad": False})],
}
ADAPTIVE = {1: [([2, 2, 6], 3), ([1, 5], 2), ([1, 1, 3], 5), ([1, 2, 7], 1), ([1, 2, 7], 3)], 2: [([1, 2, 4, 6], 2), ([2, 5, 3], [3, 2]), ([1, 1, 3, 7], [None, 4]), ([1, 2, 3, 3], [1, 1])]}
for name, calls in {**MAX, **AVERAGE}.items():
    for i, (field, size, options) in enumerate(calls):
        dtype = f64 if i % 3 == 1 else f32
        x = Draws(name, i).floats(field, dtype, -9, 9)
        case(name, f"{NAMES[dtype]} {field} {size}, {json.dumps(options)}", x, size, options)
for rank, calls in ADAPTIVE.items():
    for word in ("Avg", "Max"):
        name = f"adaptive{word}Pool{rank}d"
        for i, (field, size) in enumerate(calls):
            dtype = f64 if i % 3 == 1 else f32
            x = Draws(name, i).floats(field, dtype, -9, 9)
            case(name, f"{NAMES[dtype]} {field} {size}", x, size)
        edges = t([[1.0, NAN, 2.0, INF, -INF, -INF, 3.0, 3.0]]).reshape([1, 1] + [8] * (rank == 1) + [2, 4] * (rank == 2))
        case(name, "ties, infinite and NaN", edges, 3 if rank == 1 else [1, 2], second=False)
edges = t([[[1.0, 1.0, NAN, 2.0, NAN, -INF, -INF, -INF, -INF, INF, 3.0, 3.0]]])
case("maxPool1d", "ties, infinite and NaN", edges, 3, second=False)
case("maxPool1d", "ties, infinite and NaN in the padding", edges, 2, {"padding": 1, "stride": 1}, second=False)
case("maxPool1d", "-Infinity alone, with padding", t([[-INF] * 5]), 3, {"padding": 1, "stride": 2}, second=False)
case("maxPool1d", "-Infinity alone, with padding, dilated", t([[-INF] * 4]), 2, {"padding": 1, "dilation": 2, "stride": 1}, second=False)
case("maxPool1d", "a window that reaches beyond both ends", t([[-1.0, -2.0]]), 4, {"padding": 1, "stride": 3, "ceilMode": True})
case("maxPool1d", "a window longer than the field, rounded up", t([[1.0, 3.0, 2.0]]), 4, {"ceilMode": True})
case("avgPool1d", "a window longer than the field, rounded up", t([[1.0, 3.0, 2.0]]), 4, {"ceilMode": True})
case("maxPool2d", "ties", t([[[[1, 1, 2, 0], [1, 1, 2, 2], [0, 0, NAN, 5], [0, 0, 5, NAN]]]]), 2, second=False)
case("avgPool1d", "infinite and NaN", edges, 3, {"padding": 1}, second=False)
write(__file__)
