"""Writes convolution.json: outputs and gradients of PyTorch's convolutional layers, pools, pads and resamplings.

    /usr/bin/python3 test/golden/convolution.py

Each case holds the arguments of a layer, its parameters by their paths, an input and a cotangent, and PyTorch's output and
gradients by the input and all parameters. Numbers are float32, written as the shortest decimals that name them; all random
ones come from one seed.
"""

import json
import pathlib

import numpy as np
import torch
from torch import nn

random = np.random.default_rng(11)
WORDS = {
    "outputPadding": "output_padding",
    "paddingMode": "padding_mode",
    "ceilMode": "ceil_mode",
    "countIncludePad": "count_include_pad",
    "scaleFactor": "scale_factor",
    "alignCorners": "align_corners",
}

CASES = [
    ("Conv1d", [2, 3, 3], {}, [2, 2, 5]),
    ("Conv1d", [2, 4, 3], {"padding": 2, "paddingMode": "reflect", "stride": 2, "bias": False}, [2, 6]),
    ("Conv1d", [1, 2, 4], {"padding": "same", "paddingMode": "replicate"}, [2, 1, 5]),
    ("Conv2d", [2, 3, 3], {"padding": 1}, [2, 2, 4, 3]),
    ("Conv2d", [2, 4, [3, 2]], {"padding": [2, 1], "paddingMode": "circular", "groups": 2}, [1, 2, 4, 3]),
    ("Conv2d", [1, 2, 3], {"padding": "same", "dilation": 2, "paddingMode": "reflect"}, [1, 4, 5]),
    ("Conv2d", [4, 2, 3], {"stride": 2, "padding": "valid", "bias": False}, [1, 4, 5, 6]),
    ("Conv3d", [2, 2, 2], {"stride": [1, 2, 1], "padding": 1}, [1, 2, 2, 3, 2]),
    ("ConvTranspose1d", [2, 3, 3], {"stride": 2, "padding": 1, "outputPadding": 1}, [2, 2, 3]),
    ("ConvTranspose2d", [4, 2, 3], {"stride": 2, "padding": 1, "outputPadding": 1, "groups": 2}, [1, 4, 2, 3]),
    ("ConvTranspose2d", [1, 2, [2, 3]], {"dilation": [2, 1], "bias": False}, [1, 3, 2]),
    ("ConvTranspose3d", [1, 1, 2], {"stride": [2, 1, 1]}, [1, 1, 2, 2, 1]),
    ("MaxPool1d", [2], {"ceilMode": True}, [1, 2, 5]),
    ("MaxPool2d", [[2, 3]], {"stride": 1, "padding": 1}, [2, 3, 4]),
    ("MaxPool3d", [2], {}, [1, 1, 2, 4, 2]),
    ("AvgPool1d", [3], {"stride": 2, "padding": 1, "countIncludePad": False}, [1, 2, 5]),
    ("AvgPool2d", [2], {}, [1, 2, 4, 4]),
    ("AvgPool3d", [[1, 2, 2]], {}, [1, 2, 2, 2, 2]),
    ("AdaptiveAvgPool1d", [2], {}, [1, 2, 5]),
    ("AdaptiveAvgPool2d", [[2, None]], {}, [1, 1, 3, 4]),
    ("AdaptiveAvgPool3d", [1], {}, [1, 2, 2, 2, 2]),
    ("AdaptiveMaxPool1d", [2], {}, [1, 2, 5]),
    ("AdaptiveMaxPool2d", [3], {}, [1, 4, 5]),
    ("AdaptiveMaxPool3d", [[1, 2, 1]], {}, [1, 2, 3, 2]),
    ("Upsample", [], {"scaleFactor": 2, "mode": "bilinear", "alignCorners": True}, [1, 2, 2, 3]),
    ("Upsample", [], {"size": [5, 2]}, [1, 1, 3, 3]),
    ("PixelShuffle", [2], {}, [1, 4, 2, 3]),
    ("PixelUnshuffle", [2], {}, [1, 2, 4]),
    ("ConstantPad1d", [[1, 2], 0.5], {}, [1, 2, 3]),
    ("ConstantPad2d", [1, -3], {}, [1, 2, 2]),
    ("ConstantPad3d", [[0, 1, 2, 0, 1, 1], 7], {}, [1, 1, 1, 2, 2]),
    ("ZeroPad2d", [[1, 2, 0, 3]], {}, [1, 1, 2, 2]),
    ("ReflectionPad1d", [[2, 1]], {}, [1, 2, 3]),
    ("ReflectionPad2d", [[1, 2, 0, 1]], {}, [2, 3, 3]),
    ("ReflectionPad3d", [1], {}, [1, 1, 2, 2, 2]),
    ("ReplicationPad1d", [3], {}, [2, 2]),
    ("ReplicationPad2d", [[0, 2, 1, 1]], {}, [1, 1, 2, 3]),
    ("ReplicationPad3d", [[1, 0, 0, 1, 2, 0]], {}, [1, 1, 2, 1, 2]),
    ("Flatten", [], {}, [2, 2, 3]),
    ("Unflatten", [1, [2, -1]], {}, [2, 6]),
]


def draw(shape):
    return torch.tensor(np.round(random.uniform(-2, 2, shape), 3), dtype=torch.float32)


def numbers(x):
    return [json.loads(np.format_float_positional(y, trim="-")) for y in x.detach().reshape(-1).numpy()]


def case(name, args, options, shape):
    layer = getattr(nn, name)(*args, **{WORDS.get(key, key): value for key, value in options.items()})
    parameters = dict(layer.named_parameters())
    for parameter in parameters.values():
        parameter.data = draw(tuple(parameter.shape))
    x = draw(shape).requires_grad_(True)
    out = layer(x)
    g = draw(tuple(out.shape))
    out.backward(g)
    return {
        "layer": name,
        "args": args,
        "options": options,
        "shape": shape,
        "x": numbers(x),
        "parameters": {key: numbers(value) for key, value in parameters.items()},
        "outShape": list(out.shape),
        "out": numbers(out),
        "cotangent": numbers(g),
        "gradient": numbers(x.grad),
        "gradients": {key: numbers(value.grad) for key, value in parameters.items()},
    }


text = ",\n".join(json.dumps(case(*entry), separators=(",", ":")) for entry in CASES)
path = pathlib.Path(__file__).with_suffix(".json")
path.write_text(f'{{"pytorch": "{torch.__version__}", "cases": [\n{text}\n]}}\n')
