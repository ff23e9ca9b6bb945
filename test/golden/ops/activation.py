"""Writes activation.json: what PyTorch answers for the activation functions. See cases.py."""

import torch.nn.functional as F
from cases import *


def options(function, **names):
    """`names` are PyTorch's words for the entries of our options."""

    def call(x, given={}):
        x = x if x.is_floating_point() else x.to(f32)
        return function(x, **{names.get(key, key): value for key, value in given.items()})

    return call


def whole(function):
    """PyTorch takes no int32 here, or answers with it; we compute in float32."""
    return lambda x, *rest: function(x if x.is_floating_point() else x.to(f32), *rest)


def prelu(x, weight):
    return F.prelu(x, weight.reshape(-1) if torch.is_tensor(weight) else t([weight], x.dtype))


def hardsigmoid(x):
    """PyTorch's own gradient divides by a 6 of float32 even in float64."""
    return (x + 3).clamp(0, 6) / 6 if x.dtype == f64 else F.hardsigmoid(x)


# Name, call, options to try, words, units.
ALL = [
    ("relu6", F.relu6, [], "exact"),
    ("leakyRelu", options(F.leaky_relu, negativeSlope="negative_slope"), [{"negativeSlope": 0.25}], ""),
    ("elu", options(F.elu), [{"alpha": 0.5}], ""),
    ("celu", options(F.celu), [{"alpha": 2.0}], ""),
    ("selu", whole(F.selu), [], ""),
    ("gelu", options(F.gelu), [{"approximate": "none"}, {"approximate": "tanh"}], ""),
    ("silu", whole(F.silu), [], ""),
    ("mish", whole(F.mish), [], ""),
    ("softplus", options(F.softplus), [{"beta": 2.0}, {"beta": 0.5, "threshold": 0.5}], ""),
    ("softsign", whole(F.softsign), [], ""),
    ("hardtanh", lambda x, o={}: F.hardtanh(x, o.get("minVal", -1), o.get("maxVal", 1)), [{"minVal": -2, "maxVal": 0}], "exact"),
    ("hardsigmoid", whole(hardsigmoid), [], ""),
    ("hardswish", whole(F.hardswish), [], ""),
    ("hardshrink", options(F.hardshrink, **{"lambda": "lambd"}), [{"lambda": 1.25}], "exact"),
    ("softshrink", options(F.softshrink, **{"lambda": "lambd"}), [{"lambda": 1.25}], ""),
    ("tanhshrink", whole(F.tanhshrink), [], ""),
    ("logSigmoid", whole(F.logsigmoid), [], ""),
]
# PyTorch cannot differentiate these twice; and mish at 90 only to NaN, where we have 0.
ONCE = ["hardsigmoid", "hardswish"]
for name, call, tried, words in ALL:
    second = name not in ONCE
    function(name, call, words, 2)
    draw = Draws(name)
    case(name, "float32", draw.floats([2, 5], low=-4, high=4), second=second)
    case(name, "float64", draw.floats([7], f64, -7, 7), second=second)
    case(name, "a number without axes", draw.floats([]), second=second)
    case(name, "empty", t([]), second=second)
    case(name, "int32", t([-7, -3, -1, 0, 1, 3, 6, 9], i32), second=second)
    for i, given in enumerate(tried):
        case(name, f"options {i}, float32", draw.floats([6]), given, second=second)
        case(name, f"options {i}, float64", draw.floats([6], f64, -4, 4), given, second=second)
    case(name, "large and tiny", t([-90.0, -25.0, 1e-6, -1e-6, 25.0, 90.0]), second=second and name != "mish")

# At kinks; second derivatives there are a matter of taste.
for name, kinks in {
    "relu6": [0, 6, NAN, INF, -INF],
    "leakyRelu": [0, NAN, INF, -INF],
    "elu": [0, NAN, INF, -INF],
    "celu": [0, INF, -INF],
    "selu": [0, NAN, INF, -INF],
    "softplus": [0, INF, -INF],
    "softsign": [0],
    "hardtanh": [-1, 1, NAN, INF, -INF],
    "hardsigmoid": [-3, 3, INF, -INF],
    "hardswish": [-3, 3],
    "hardshrink": [-0.5, 0.5, INF, -INF],
    "softshrink": [-0.5, 0.5, INF, -INF],
    "logSigmoid": [0],
}.items():
    case(name, "kinks and infinities", t([float(x) for x in kinks]), second=False)

draw = Draws("others")
function("prelu", prelu, "", 2)
case("prelu", "one for each channel", draw.floats([2, 3, 2]), draw.floats([3]))
case("prelu", "one for all", draw.floats([2, 3]), draw.floats([1]))
case("prelu", "a number", draw.floats([5]), 0.25)
case("prelu", "float64", draw.floats([3, 2], f64), draw.floats([2], f64))
case("prelu", "kink and infinity", t([[0.0, INF, -2.0]]), t([0.5]), second=False)

function("threshold", F.threshold, "exact")
case("threshold", "float32", draw.floats([2, 4]), 0.5, -1)
case("threshold", "float64", draw.floats([5], f64), -0.5, 3)
case("threshold", "int32", t([-2, 0, 1, 5], i32), 0, 7)
case("threshold", "empty", t([]), 0, 1)
case("threshold", "edges", t([0.5, NAN, INF, -INF]), 0.5, 2, second=False)

function("glu", lambda x, axis=-1: F.glu(x, axis), "", 2)
case("glu", "float32", draw.floats([2, 4]))
case("glu", "float64 along 0", draw.floats([4, 3], f64), 0)
case("glu", "along -2", draw.floats([2, 2, 3]), -2)
case("glu", "empty", t([]))

function("softmin", whole(lambda x, axis=-1: F.softmin(x, axis)), "", 2)
case("softmin", "float32", draw.floats([2, 4]))
case("softmin", "float64 along 0", draw.floats([3, 2], f64), 0)
case("softmin", "int32", t([1, 2, 3], i32))
case("softmin", "large", t([1000.0, 1001.0, -3.0]))

write(__file__)
