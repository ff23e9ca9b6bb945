"""Writes normalization.json: what PyTorch answers for normalizations and attention. See cases.py."""

import torch.nn.functional as F
from cases import *


def floated(x):
    return x if x.is_floating_point() else x.to(f32)


def eps(given, otherwise=1e-5):
    return given.get("eps", otherwise)


def batch_norm(x, mean, var, weight=None, bias=None, given={}):
    x = floated(x)
    if given.get("training"):
        return F.batch_norm(x, None, None, weight, bias, True, 0.1, eps(given))
    # PyTorch has no gradient by given statistics: its formula has.
    w, b = torch.ones_like(mean) if weight is None else weight, torch.zeros_like(mean) if bias is None else bias
    out = (x - mean) * torch.rsqrt(var + eps(given)) * w + b
    assert torch.allclose(out, F.batch_norm(x, mean.detach(), var.detach(), weight, bias, False, 0.1, eps(given)), atol=1e-6)
    return out


def sizes(shape):
    return [shape] if isinstance(shape, int) else shape


def layer_norm(x, shape, weight=None, bias=None, given={}):
    return F.layer_norm(floated(x), sizes(shape), weight, bias, eps(given))


def group_norm(x, groups, weight=None, bias=None, given={}):
    return F.group_norm(floated(x), groups, weight, bias, eps(given))


def instance_norm(x, weight=None, bias=None, given={}):
    return F.instance_norm(floated(x), None, None, weight, bias, True, 0.1, eps(given))


def rms_norm(x, shape, weight=None, given={}):
    """PyTorch 1.13 has none; this is the formula that torch.nn.RMSNorm documents."""
    x = floated(x)
    axes = tuple(range(-len(sizes(shape)), 0))
    out = x * torch.rsqrt(x.square().mean(axes, keepdim=True) + eps(given, torch.finfo(x.dtype).eps))
    return out if weight is None else out * weight


def attention(q, k, v, mask=None, given={}):
    return weights(q, k, mask, given) @ v


def weights(q, k, mask=None, given={}):
    """PyTorch 1.13 has none with these options; this is the code that its successors document."""
    scores = q @ k.transpose(-1, -2) * given.get("scale", 1 / math.sqrt(q.shape[-1]))
    if given.get("isCausal"):
        scores = scores.masked_fill(torch.ones(scores.shape[-2:], dtype=boolean).tril().logical_not(), -INF)
    if mask is not None:
        scores = scores.masked_fill(mask.logical_not(), -INF) if mask.dtype == boolean else scores + mask
    return torch.softmax(scores, -1)


function("batchNorm", batch_norm, "", 4)
draw = Draws("batchNorm")
for dtype in [f32, f64]:
    x, w, b = draw.floats([3, 2], dtype), draw.floats([2], dtype), draw.floats([2], dtype)
    mean, var = draw.floats([2], dtype), draw.floats([2], dtype, 0.5, 2)
    case("batchNorm", f"{NAMES[dtype]}, given statistics", x, mean, var, w, b)
    case("batchNorm", f"{NAMES[dtype]}, only statistics", x, mean, var)
    case("batchNorm", f"{NAMES[dtype]}, of the batch", draw.floats([3, 2], dtype), None, None, w, b, {"training": True})
    case("batchNorm", f"{NAMES[dtype]}, of images", draw.floats([2, 2, 2, 2], dtype), None, None, w, b, {"training": True, "eps": 0.1})
case("batchNorm", "sequences, without parameters", draw.floats([2, 3, 4]), None, None, None, None, {"training": True})
case("batchNorm", "int32", draw.integers([2, 3]), draw.floats([3]), draw.floats([3], low=1, high=2))

function("layerNorm", layer_norm, "", 4)
draw = Draws("layerNorm")
for dtype in [f32, f64]:
    case("layerNorm", f"{NAMES[dtype]}", draw.floats([3, 4], dtype), 4, draw.floats([4], dtype), draw.floats([4], dtype))
    case("layerNorm", f"{NAMES[dtype]}, two axes", draw.floats([2, 2, 3], dtype), [2, 3], draw.floats([2, 3], dtype), draw.floats([2, 3], dtype))
case("layerNorm", "without bias", draw.floats([2, 5]), [5], draw.floats([5]))
case("layerNorm", "without parameters, another eps", draw.floats([2, 5]), 5, None, None, {"eps": 0.5})
case("layerNorm", "one axis only", draw.floats([6]), 6)
case("layerNorm", "equal elements", t([[3.0, 3.0, 3.0], [1.0, 2.0, 3.0]]), 3, second=False)
case("layerNorm", "int32", draw.integers([2, 4]), 4)
case("layerNorm", "no rows", draw.floats([0, 4]), 4)

function("groupNorm", group_norm, "", 4)
draw = Draws("groupNorm")
for dtype in [f32, f64]:
    w, b = draw.floats([4], dtype), draw.floats([4], dtype)
    case("groupNorm", f"{NAMES[dtype]}", draw.floats([2, 4, 3], dtype), 2, w, b)
    case("groupNorm", f"{NAMES[dtype]}, images", draw.floats([1, 4, 2, 2], dtype), 2, w, b)
case("groupNorm", "one group", draw.floats([2, 4]), 1)
case("groupNorm", "a group for each channel", draw.floats([2, 3, 4]), 3, None, None, {"eps": 0.01})

function("instanceNorm", instance_norm, "", 4)
draw = Draws("instanceNorm")
for dtype in [f32, f64]:
    w, b = draw.floats([3], dtype), draw.floats([3], dtype)
    case("instanceNorm", f"{NAMES[dtype]}", draw.floats([2, 3, 4], dtype), w, b)
    case("instanceNorm", f"{NAMES[dtype]}, images", draw.floats([1, 3, 2, 2], dtype), w, b)
case("instanceNorm", "without parameters", draw.floats([2, 2, 3]), None, None, {"eps": 0.1})

function("rmsNorm", rms_norm, "", 4)
draw = Draws("rmsNorm")
for dtype in [f32, f64]:
    case("rmsNorm", f"{NAMES[dtype]}", draw.floats([3, 4], dtype), 4, draw.floats([4], dtype))
    case("rmsNorm", f"{NAMES[dtype]}, two axes", draw.floats([2, 2, 3], dtype), [2, 3], draw.floats([2, 3], dtype), {"eps": 1e-3})
case("rmsNorm", "without weight", draw.floats([2, 5]), [5])

function("scaledDotProductAttention", attention, "product", 4)
draw = Draws("attention")
for dtype in [f32, f64]:
    name = NAMES[dtype]
    q, k, v = draw.floats([2, 3], dtype), draw.floats([4, 3], dtype), draw.floats([4, 2], dtype)
    case("scaledDotProductAttention", f"{name}", q, k, v)
    case("scaledDotProductAttention", f"{name}, causal", draw.floats([2, 3, 2], dtype), draw.floats([2, 3, 2], dtype), draw.floats([2, 3, 2], dtype), None, {"isCausal": True})
    case("scaledDotProductAttention", f"{name}, a mask of bool", q, k, v, t([[1, 0, 1, 1], [0, 0, 1, 0]], boolean))
    case("scaledDotProductAttention", f"{name}, a mask to add", q, k, v, draw.floats([2, 4], dtype))
    case("scaledDotProductAttention", f"{name}, a mask of -inf to add", q, k, v, t([0.0, -INF, -INF, 0.0], dtype), second=False)
case("scaledDotProductAttention", "heads and a mask for each text", draw.floats([2, 2, 2, 3]), draw.floats([2, 2, 3, 3]), draw.floats([2, 2, 3, 2]), t([[[[1, 1, 0]]], [[[1, 0, 0]]]], boolean))
case("scaledDotProductAttention", "another scale, a mask to add and causal", draw.floats([3, 2]), draw.floats([3, 2]), draw.floats([3, 2]), draw.floats([3, 3]), {"scale": 0.25, "isCausal": True})
case("scaledDotProductAttention", "large scores", t([[100.0], [-100.0]]), t([[10.0], [0.0]]), t([[1.0], [2.0]]), second=False)
case("scaledDotProductAttention", "equal keys", t([[1.0, 2.0]]), t([[1.0, 1.0], [1.0, 1.0]]), t([[1.0], [3.0]]))

function("attentionWeights", weights, "product", 4)
for dtype in [f32, f64]:
    q, k = draw.floats([2, 2, 3], dtype), draw.floats([2, 4, 3], dtype)
    case("attentionWeights", f"{NAMES[dtype]}", q, k)
    case("attentionWeights", f"{NAMES[dtype]}, a mask of bool", q, k, t([[1, 0, 1, 1], [0, 0, 1, 0]], boolean))
case("attentionWeights", "causal with another scale", draw.floats([3, 2]), draw.floats([3, 2]), None, {"isCausal": True, "scale": 2.0})

write(__file__)
