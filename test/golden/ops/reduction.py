"""Writes reduction.json: reductions that count and find. See cases.py."""

from cases import *


def every(function):
    def call(x, axis=None, options={}):
        axes = range(x.dim()) if axis is None else [axis] if isinstance(axis, int) else axis
        for i in sorted((a % x.dim() for a in axes), reverse=True):
            x = function(x, i)
        return x

    return call


def place(function):
    return lambda x, axis=None, options={}: function(x, axis, options.get("keepDims", False)).to(i32)


function("any", lambda x, axis=None: every(lambda y, i: y.any(i))(x != 0, axis), "exact")
function("all", lambda x, axis=None: every(lambda y, i: y.all(i))(x != 0, axis), "exact")
function("countNonzero", lambda x, axis=None: torch.count_nonzero(x, axis).to(i32), "exact")
function("argmax", place(torch.argmax), "exact")
function("argmin", place(torch.argmin), "exact")

for name in ["any", "all", "countNonzero"]:
    for dtype in [f32, f64]:
        case(name, f"{NAMES[dtype]}, edges", t([[0.0, -0.0, NAN], [INF, 1e-40, -1.0], [0.0, 0.0, 0.0]], dtype), 1)
    case(name, "int32, everything", t([[0, 1], [2, 0]], i32))
    case(name, "bool, first axis", t([[True, False], [True, True]], boolean), 0)
    case(name, "empty axis", torch.zeros([2, 0]), 1)
    case(name, "no axes", t(3.0))

for name in ["argmax", "argmin"]:
    for dtype in [f32, f64]:
        draw = Draws(name, dtype)
        case(name, f"{NAMES[dtype]}, last axis", draw.floats([3, 4], dtype), -1)
        case(name, f"{NAMES[dtype]}, everything", draw.floats([2, 3, 2], dtype))
        case(name, f"{NAMES[dtype]}, ties", t([[1.0, 2.0, 2.0, 1.0], [0.0, -0.0, 0.0, 0.0]], dtype), 1)
        case(name, f"{NAMES[dtype]}, edges", t([[1.0, NAN, INF], [-INF, -INF, -INF], [NAN, 1.0, NAN]], dtype), 1)
    case(name, "int32, axis kept", Draws(name).integers([3, 4]), 0, {"keepDims": True})
    case(name, "no axes", t(3.0))

write(__file__)
