"""Writes resampling.json: what PyTorch answers for resampled fields. See cases.py."""

import warnings

import torch.nn.functional as F
from cases import *

# That the sizes follow from given factors: the numbers do not depend on it.
warnings.filterwarnings("ignore")
WORDS = {"size": "size", "scaleFactor": "scale_factor", "mode": "mode", "alignCorners": "align_corners"}


def interpolate(x, options):
    named = {WORDS[key]: tuple(value) if isinstance(value, list) else value for key, value in options.items()}
    return F.interpolate(x, **named)


function("interpolate", interpolate, "", 4)
function("pixelShuffle", F.pixel_shuffle, "exact signed")
function("pixelUnshuffle", F.pixel_unshuffle, "exact signed")
for word in ("Avg", "Max"):
    function(f"adaptive{word}Pool3d", getattr(F, f"adaptive_{word.lower()}_pool3d"))

CALLS = [
    ([1, 2, 3], {"size": 7}),
    ([2, 1, 5], {"size": [3], "mode": "nearest"}),
    ([1, 1, 3, 4], {"scaleFactor": 2}),
    ([1, 2, 4, 3], {"size": [6, 2]}),
    ([1, 1, 3, 5], {"scaleFactor": [1.5, 0.7]}),
    ([1, 1, 2, 2, 3], {"size": [3, 4, 3]}),
    ([1, 2, 4], {"size": 7, "mode": "linear"}),
    ([1, 1, 5], {"scaleFactor": 1.7, "mode": "linear"}),
    ([1, 1, 4], {"size": 9, "mode": "linear", "alignCorners": True}),
    ([1, 1, 4], {"size": 1, "mode": "linear", "alignCorners": True}),
    ([1, 2, 3, 4], {"scaleFactor": 2, "mode": "bilinear", "alignCorners": False}),
    ([1, 1, 3, 4], {"size": [5, 2], "mode": "bilinear", "alignCorners": True}),
    ([1, 1, 5, 5], {"scaleFactor": [0.5, 1.3], "mode": "bilinear"}),
    ([1, 1, 2, 3, 2], {"size": [3, 5, 4], "mode": "trilinear"}),
    ([1, 1, 2, 2, 2], {"size": 3, "mode": "trilinear", "alignCorners": True}),
    ([1, 1, 4, 3], {"size": [7, 5], "mode": "bicubic"}),
    ([1, 1, 3, 4], {"scaleFactor": 0.75, "mode": "bicubic"}),
    ([1, 1, 4, 4], {"size": [6, 3], "mode": "bicubic", "alignCorners": True}),
    ([1, 2, 7], {"size": 3, "mode": "area"}),
    ([1, 1, 5, 4], {"size": [2, 4], "mode": "area"}),
    ([1, 1, 3, 4, 2], {"size": [2, 3, 1], "mode": "area"}),
    ([1, 1, 4, 6], {"scaleFactor": 0.5, "mode": "area"}),
    ([1, 1, 4, 6], {"scaleFactor": [1.2, 1.5], "mode": "bilinear"}),
]
for i, (field, options) in enumerate(CALLS):
    dtype = f64 if i % 3 == 2 else f32
    case("interpolate", f"{NAMES[dtype]} {field}, {json.dumps(options)}", Draws("interpolate", i).floats(field, dtype), options)
edges = t([[[1.0, NAN, INF, -0.0]]])
case("interpolate", "nearest, infinite and NaN", edges, {"size": 6}, second=False)
case("interpolate", "linear, infinite and NaN", edges, {"size": 3, "mode": "linear"}, second=False)

for name, calls in {
    "pixelShuffle": [([1, 8, 2, 3], 2), ([9, 1, 2], 3), ([2, 2, 4, 1, 1], 2), ([1, 2, 2], 1)],
    "pixelUnshuffle": [([1, 2, 4, 6], 2), ([1, 3, 6], 3), ([2, 1, 1, 2, 2], 2), ([1, 2, 2], 1)],
}.items():
    for i, (shape, factor) in enumerate(calls):
        dtype = f64 if i % 2 == 1 else f32
        case(name, f"{NAMES[dtype]} {shape} by {factor}", Draws(name, i).floats(shape, dtype), factor)
for word in ("Avg", "Max"):
    for i, (shape, size) in enumerate([([1, 2, 2, 3, 4], 2), ([1, 3, 4, 5], [2, 3, 1])]):
        dtype = f64 if i % 2 == 1 else f32
        case(f"adaptive{word}Pool3d", f"{NAMES[dtype]} {shape} {size}", Draws(word, i).floats(shape, dtype, -9, 9), size)
write(__file__)
