"""Writes grid.json: what PyTorch answers for images resampled where a grid says. See cases.py."""

import torch.nn.functional as F
from cases import *


def floated(x):
    return x if x.is_floating_point() else x.to(f32)


def affine_grid(theta, size, options={}):
    return F.affine_grid(floated(theta), size, align_corners=options.get("alignCorners", False))


def grid_sample(x, grid, options={}):
    """It cannot be differentiated twice: there are no Hessian-vector products."""
    dtype = torch.promote_types(floated(x).dtype, floated(grid).dtype)
    mode, padding = options.get("mode", "bilinear"), options.get("paddingMode", "zeros")
    align = options.get("alignCorners", False)
    return F.grid_sample(x.to(dtype), grid.to(dtype), mode=mode, padding_mode=padding, align_corners=align)


function("affineGrid", affine_grid, "product")
function("gridSample", grid_sample, "product", 8)

draw = Draws("grid")
for dtype in (f32, f64):
    name = NAMES[dtype]
    for align in (False, True):
        options = {"alignCorners": align}
        case("affineGrid", f"{name} a batch, {align}", draw.floats([2, 2, 3], dtype), [2, 1, 2, 3], options)
        case("affineGrid", f"{name} one place, {align}", draw.floats([1, 2, 3], dtype), [1, 3, 1, 1], options)
        for mode in ("bilinear", "nearest"):
            for padding in ("zeros", "border", "reflection"):
                every = {"mode": mode, "paddingMode": padding, **options}
                title = f"{name} {mode}, {padding}, {align}"
                x = draw.floats([2, 2, 3, 4], dtype)
                case("gridSample", f"{title}, inside", x, draw.floats([2, 2, 3, 2], dtype, -0.9, 0.9), every, second=False)
                x = draw.floats([1, 2, 4, 3], dtype)
                case("gridSample", f"{title}, far outside", x, draw.floats([1, 4, 3, 2], dtype, -4, 4), every, second=False)
                x = draw.floats([1, 1, 1, 1], dtype)
                case("gridSample", f"{title}, one entry", x, draw.floats([1, 1, 3, 2], dtype, -2, 2), every, second=False)
                places = t([[[[-1.0, -1.0], [1.0, 1.0], [0.0, 0.5], [-0.5, 1.0], [1.5, -1.5], [-3.0, 3.0]]]], dtype)
                case("gridSample", f"{title}, at entries, borders and mirrors", draw.floats([1, 1, 3, 3], dtype), places, every, second=False)
case("affineGrid", "int32", t([[[1, 0, 2], [0, -1, 0]]], i32), [1, 1, 2, 2])
case("gridSample", "int32 and places of float64", draw.integers([1, 1, 2, 2]), draw.floats([1, 1, 2, 2], f64), second=False)
case("gridSample", "no images", torch.zeros(0, 1, 2, 2), torch.zeros(0, 1, 2, 2), second=False)
case("gridSample", "no places", torch.zeros(1, 1, 2, 2), torch.zeros(1, 0, 2, 2), second=False)
# Nothing of an infinite entry outside comes in.
case("gridSample", "beside an infinite entry", t([[[[INF, 1.0, 2.0]]]]), t([[[[0.5, 0.0], [-2.0, 0.0]]]]), second=False, cotangent=t([[[[1.0, 0.0]]]]))

write(__file__)
