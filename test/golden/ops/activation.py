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
    return F.hardsigmoid(x) if x.dtype == f32 else torch.where(x.abs() < 3, (x + 3) / 6, F.hardsigmoid(x).detach())


def hardswish(x):
    """One element at a time: at 3 PyTorch's derivative is 1.5, but 1 where it computes several at once."""
    return torch.cat([F.hardswish(y) for y in x.reshape(-1).split(1)]).reshape(x.shape) if x.numel() else F.hardswish(x)


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
    ("hardswish", whole(hardswish), [], ""),
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

# NaN, infinities, zeros, kinks and the places next to them, tiny and huge; second derivatives there are a matter of taste.
KINKS = {
    "relu6": [6.0, 5.5, 6.5],
    "softplus": [20.0, 20.5],
    "hardtanh": [-1.0, 1.0],
    "hardsigmoid": [-3.0, 3.0, -3.5, 3.5],
    "hardswish": [-3.0, 3.0, -3.5, 3.5],
    "hardshrink": [-0.5, 0.5],
    "softshrink": [-0.5, 0.5],
}
EDGES = [NAN, INF, -INF, 0.0, -0.0, 1e-40, -1e-40, 1e-20, -1e-20, 0.25, -0.25, 40.0, -40.0, 120.0, -120.0, 3e38, -3e38]
BETTER = {
    "softsign": ("The limit of the derivative is 0", {("gradient 0", 1): 0.0, ("gradient 0", 2): 0.0}),
    "hardswish": (
        "At -inf PyTorch multiplies by 0, and at NaN its derivative is 1",
        {("value", 6): 0.0, ("gradient 0", 4): NAN},
    ),
}
for name in [name for name, *_ in ALL]:
    for dtype in [f32, f64]:
        case(name, f"edges in {NAMES[dtype]}", t(KINKS.get(name, []) + (EDGES[:-2] if name == "hardswish" else EDGES), dtype), second=False, depart=BETTER.get(name))
case("gelu", "edges by tanh", t(EDGES), {"approximate": "tanh"}, second=False)
case("elu", "edges with options", t(EDGES), {"alpha": -0.5}, second=False)
case("celu", "edges with options", t(EDGES), {"alpha": 0.5}, second=False)
case("leakyRelu", "edges with options", t(EDGES), {"negativeSlope": 0}, second=False)
case("leakyRelu", "edges with a negative slope", t(EDGES), {"negativeSlope": -2}, second=False)
case("softplus", "edges with options", t(EDGES), {"beta": -1.0, "threshold": 0.5}, second=False)
case("hardtanh", "edges with equal limits", t([0.5, 0.25, -INF, INF]), {"minVal": 0.5, "maxVal": 0.5}, second=False)
case("hardshrink", "edges with lambda 0", t(EDGES), {"lambda": 0}, second=False)
case("softshrink", "edges with lambda 0", t(EDGES), {"lambda": 0}, second=False)

draw = Draws("others")
function("prelu", prelu, "", 2)
case("prelu", "one for each channel", draw.floats([2, 3, 2]), draw.floats([3]))
case("prelu", "one for all", draw.floats([2, 3]), draw.floats([1]))
case("prelu", "a number", draw.floats([5]), 0.25)
case("prelu", "float64", draw.floats([3, 2], f64), draw.floats([2], f64))
for dtype in [f32, f64]:
    case("prelu", f"edges in {NAMES[dtype]}", t(EDGES, dtype), t([0.5], dtype), second=False)
    case("prelu", f"edges of the weight in {NAMES[dtype]}", t([[2.0, 0.0, 3.0, 4.0]], dtype), t([NAN, INF, -INF, 0.0], dtype), second=False)

function("threshold", F.threshold, "exact")
case("threshold", "float32", draw.floats([2, 4]), 0.5, -1)
case("threshold", "float64", draw.floats([5], f64), -0.5, 3)
case("threshold", "int32", t([-2, 0, 1, 5], i32), 0, 7)
case("threshold", "empty", t([]), 0, 1)
for dtype in [f32, f64]:
    case("threshold", f"edges in {NAMES[dtype]}", t([0.5] + EDGES, dtype), 0.5, 2, second=False)

function("glu", lambda x, axis=-1: F.glu(x, axis), "", 2)
case("glu", "float32", draw.floats([2, 4]))
case("glu", "float64 along 0", draw.floats([4, 3], f64), 0)
case("glu", "along -2", draw.floats([2, 2, 3]), -2)
case("glu", "empty", t([]))
PAIRS = [(NAN, 1.0), (1.0, NAN), (INF, 1.0), (INF, -INF), (1.0, INF), (2.0, -INF), (0.0, 120.0), (-0.0, -120.0), (3e38, 0.0)]
for dtype in [f32, f64]:
    case("glu", f"edges in {NAMES[dtype]}", t([list(pair) for pair in PAIRS], dtype), second=False)

function("softmin", whole(lambda x, axis=-1: F.softmin(x, axis)), "", 2)
case("softmin", "float32", draw.floats([2, 4]))
case("softmin", "float64 along 0", draw.floats([3, 2], f64), 0)
case("softmin", "int32", t([1, 2, 3], i32))
case("softmin", "large", t([1000.0, 1001.0, -3.0]))
for dtype in [f32, f64]:
    rows = [[NAN, 1.0, 2.0], [INF, 1.0, 2.0], [-INF, 1.0, 2.0], [INF, INF, INF], [3e38, -3e38, 0.0], [1.0, 1.0, 1.0]]
    case("softmin", f"edges in {NAMES[dtype]}", t(rows, dtype), second=False)

write(__file__)
