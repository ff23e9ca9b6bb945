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


def over(function):
    """`function` with a list of axes, whether it is told the axis or not."""

    def call(x, axis=None, options={}):
        axes = list(range(x.dim())) if axis is None else [axis] if isinstance(axis, int) else axis
        x = x if x.is_floating_point() else x.to(f32)
        return function(x, axes, options, options.get("keepDims", False))

    return call


def extreme(function):
    return lambda x, axis=None, options={}: (
        function(x) if axis is None else function(x, axis, options.get("keepDims", False)).values
    )


function("max", extreme(torch.max), "exact")
function("min", extreme(torch.min), "exact")
function("variance", over(lambda x, axes, o, keep: torch.var(x, axes, correction=o.get("correction", 1), keepdim=keep)))
function("std", over(lambda x, axes, o, keep: torch.std(x, axes, correction=o.get("correction", 1), keepdim=keep)))
function("norm", over(lambda x, axes, o, keep: torch.linalg.vector_norm(x, o.get("p", 2), axes, keep)))

for name in ["max", "min"]:
    for dtype in [f32, f64]:
        draw = Draws(name, dtype)
        case(name, f"{NAMES[dtype]}, last axis", draw.floats([3, 4], dtype), -1)
        case(name, f"{NAMES[dtype]}, everything", draw.floats([2, 3, 2], dtype))
        case(name, f"{NAMES[dtype]}, ties", t([[1.0, 2.0, 2.0, 1.0], [3.0, 3.0, 3.0, 3.0]], dtype), 1)
        case(name, f"{NAMES[dtype]}, ties, everything", t([[1.0, 2.0], [2.0, 1.0]], dtype))
        case(name, f"{NAMES[dtype]}, edges", t([[1.0, NAN, INF], [-INF, -INF, -INF], [1.0, INF, -INF]], dtype), 1)
    case(name, "int32, axis kept", Draws(name).integers([3, 4]), 0, {"keepDims": True})
    case(name, "no axes", t(3.0))
    case(name, "nothing left over", torch.zeros([2, 0]), 0)

for name in ["variance", "std"]:
    for dtype in [f32, f64]:
        draw = Draws(name, dtype)
        case(name, f"{NAMES[dtype]}, last axis", draw.floats([3, 4], dtype), -1)
        case(name, f"{NAMES[dtype]}, everything, no correction", draw.floats([2, 3], dtype), None, {"correction": 0})
        case(name, f"{NAMES[dtype]}, two axes kept", draw.floats([2, 3, 2], dtype), [0, 2], {"keepDims": True})
        # The mean is exact here: where it is not, PyTorch's gradient has its rounding error, and ours has not.
        case(name, f"{NAMES[dtype]}, far from 0", t([1000.0, 1001.0, 1005.0], dtype), 0)
        case(name, f"{NAMES[dtype]}, equal elements", t([[2.0, 2.0], [1.0, 4.0]], dtype), 1, second=False)
        why = "the gradient passes through the mean too, where the infinities of both elements meet"
        depart = (why, {("gradient 0", 2): NAN}) if name == "variance" else None
        edges = t([[NAN, 2.0], [1.0, INF]], dtype)
        case(name, f"{NAMES[dtype]}, NaN and infinity", edges, 1, second=False, depart=depart)
        case(name, f"{NAMES[dtype]}, one element", t([[2.0]], dtype), 1, second=False)
        case(name, f"{NAMES[dtype]}, empty", torch.zeros([2, 0], dtype=dtype), 1, second=False)

SIZES = {f32: [1e30, 1e-30, 1e37], f64: [1e200, 1e-200, 1e306]}


def measured(name, title, x, *args):
    """
    A case in units of its largest element, or of its smallest for a negative p, and in float64: in float32 PyTorch's squares overflow and
    vanish, as ours do not.
    """
    most = torch.min if args[1:] and args[1]["p"] < 0 else torch.max
    unit, call = most(x.abs()), functions[name]["call"]
    functions[name]["call"] = lambda y, *rest: (call(y.to(f64) / unit.to(f64), *rest) * unit.to(f64)).to(y.dtype)
    case(name, title, x, *args, second=False)
    functions[name]["call"] = call


for dtype in [f32, f64]:
    for size in SIZES[dtype]:
        x = (torch.tensor([[1.0, 2.0, 4.0], [2.0, 0.5, -1.0]], dtype=f64) * size).to(dtype)
        measured("std", f"{NAMES[dtype]}, times {size}", x, 1)
        for p in [2, 3, -1, 0.5]:
            measured("norm", f"{NAMES[dtype]}, times {size}, p = {p}", x[:, :2].clone(), 1, {"p": p})
    for p, far in [(-40, [1.0, 100.0]), (-8, [1.0, 1e5]), (-3, [1.0, 2.0, 1e10]), (0.5, [89.0, 1e30, 6.0]), (0.5, [1e-30])]:
        measured("norm", f"{NAMES[dtype]}, far apart, p = {p}, {len(far)}", t([far], dtype), 1, {"p": p})
for dtype in [f32, f64]:
    for p in [2, 1, 0, 3, 1.5, 0.5, -1, INF, -INF]:
        draw = Draws("norm", p, dtype)
        case("norm", f"{NAMES[dtype]}, p = {p}", draw.nonzero([3, 4], dtype), 1, {"p": p})
        zeros = t([[0.0, 3.0, -4.0], [0.0, 0.0, 0.0]], dtype)
        case("norm", f"{NAMES[dtype]}, zeros, p = {p}", zeros, -1, {"p": p}, second=False)
    case("norm", f"{NAMES[dtype]}, everything", Draws("norm", dtype).floats([2, 3], dtype))
    case("norm", f"{NAMES[dtype]}, two axes kept", Draws("norm", dtype).floats([2, 3, 2], dtype), [0, 2], {"keepDims": True})
    case("norm", f"{NAMES[dtype]}, NaN and infinity", t([[NAN, 2.0], [1.0, -INF]], dtype), 1, second=False)
    case("norm", f"{NAMES[dtype]}, empty", torch.zeros([2, 0], dtype=dtype), 1, second=False)
    case("norm", f"{NAMES[dtype]}, no axes", t(-3.0, dtype))
case("norm", "int32", t([[3, -4]], i32), 1)

def ordered(found):
    return [found.values, found.indices]


def middle(x, axis=None, options={}):
    return torch.median(x) if axis is None else torch.median(x, axis, options.get("keepDims", False)).values


function(
    "sort",
    lambda x, axis=-1, options={}: ordered(
        torch.sort(x, dim=axis, descending=options.get("descending", False), stable=True)
    ),
    "exact",
)
function(
    "topk",
    lambda x, k, options={}: ordered(torch.topk(x, k, options.get("axis", -1), options.get("largest", True))),
    "exact",
)
function("median", middle, "exact")

for dtype in [f32, f64]:
    edges = t([[1.0, NAN, -INF, INF], [2.0, 1.0, 2.0, 1.0]], dtype)
    draw = Draws("sort", dtype)
    case("sort", f"{NAMES[dtype]}", draw.floats([3, 4], dtype))
    case("sort", f"{NAMES[dtype]}, first axis, descending", draw.floats([3, 4], dtype), 0, {"descending": True})
    case("sort", f"{NAMES[dtype]}, edges and ties", edges)
    case("sort", f"{NAMES[dtype]}, edges and ties, descending", edges.clone(), 1, {"descending": True})
    draw = Draws("topk", dtype)
    case("topk", f"{NAMES[dtype]}", draw.floats([3, 4], dtype), 2)
    case("topk", f"{NAMES[dtype]}, smallest, first axis", draw.floats([3, 4], dtype), 2, {"axis": 0, "largest": False})
    case("topk", f"{NAMES[dtype]}, edges", edges[:1].detach().clone(), 3)
    case("topk", f"{NAMES[dtype]}, none", draw.floats([2, 3], dtype), 0)
    draw = Draws("median", dtype)
    case("median", f"{NAMES[dtype]}, even number", draw.floats([3, 4], dtype), -1)
    case("median", f"{NAMES[dtype]}, odd number, kept", draw.floats([3, 4], dtype), 0, {"keepDims": True})
    case("median", f"{NAMES[dtype]}, everything", draw.floats([2, 3, 2], dtype))
    case("median", f"{NAMES[dtype]}, ties, everything", t([2.0, 1.0, 2.0, 2.0, 5.0], dtype))
    case("median", f"{NAMES[dtype]}, edges", t([[1.0, NAN, -INF, NAN], [INF, -INF, INF, 1.0]], dtype), 1)
    case("median", f"{NAMES[dtype]}, everything, ties at -inf", t([-INF, 1.0, -INF, -INF, 5.0], dtype), second=False)
    case("median", f"{NAMES[dtype]}, everything, ties at inf", t([INF, 1.0, INF, INF, 5.0], dtype), second=False)
    case("median", f"{NAMES[dtype]}, everything, NaN", t([1.0, NAN, 2.0], dtype))
case("sort", "int32", t([[3, -1, 2, 3]], i32))
case("sort", "empty axis", torch.zeros([2, 0]))
case("topk", "int32", t([[3, -1, 2, 7]], i32), 2)
case("median", "int32", t([[3, -1, 2, 7]], i32), 1)
case("median", "no axes", t(3.0))
case("median", "nothing left over", torch.zeros([2, 0]), 0)

write(__file__)
