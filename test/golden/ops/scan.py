"""Writes scan.json: running products, extremes and sums of exponentials, and the product. See cases.py."""

from cases import *


def whole(x):
    """The dtype to compute in: ours for integers is int32."""
    return i32 if x.dtype in (boolean, i32) else None


def product(x, axis=None, options={}):
    axes = range(x.dim()) if axis is None else [axis] if isinstance(axis, int) else axis
    axes = sorted((a % x.dim() for a in axes), reverse=True)
    if not axes:
        return x * 1
    for i in axes:
        x = x.prod(i, keepdim=options.get("keepDims", False), dtype=whole(x))
    return x


def logcumsumexp(x, axis=-1):
    """As a masked logsumexp: the derivative of PyTorch's own goes by logarithms of the cotangent and loses digits."""
    x = (x if x.is_floating_point() else x.to(f32)).movedim(axis, -1)
    n = x.shape[-1]
    later = torch.ones([n, n], dtype=boolean).triu(1)
    rows = x.unsqueeze(-2).expand(*x.shape[:-1], n, n).masked_fill(later, -INF)
    return torch.logsumexp(rows, -1).movedim(-1, axis)


# PyTorch's derivatives of cumprod divide by x: for an element of 0.018 its float32 is off by 1.8e-5, ours by 1.1e-7.
FACTOR = "An infinite factor is taken out of what it multiplies, where PyTorch adds infinities up"
out_of_sums = (FACTOR, {("gradient 0", 1): INF, ("gradient 0", 6): INF})
function("cumprod", lambda x, axis=-1: x.cumprod(axis, dtype=whole(x)), "product", 2)
function("cummax", lambda x, axis=-1: x.cummax(axis).values, "exact")
function("cummin", lambda x, axis=-1: x.cummin(axis).values, "exact")
function("logcumsumexp", logcumsumexp)
function("prod", product, "product")

for name in ["cumprod", "cummax", "cummin", "logcumsumexp", "prod"]:
    for dtype in [f32, f64]:
        draw = Draws(name, dtype)
        case(name, f"{NAMES[dtype]}, one axis", draw.floats([5], dtype))
        case(name, f"{NAMES[dtype]}, first axis", draw.floats([3, 4], dtype), 0)
        case(name, f"{NAMES[dtype]}, middle axis", draw.floats([2, 3, 2], dtype), 1)
        case(name, f"{NAMES[dtype]}, last axis", draw.floats([2, 3], dtype), -1)
        case(name, f"{NAMES[dtype]}, one entry", draw.floats([2, 1], dtype), 1)
    case(name, "int32", Draws(name, "int32").integers([2, 4]), 1)
    case(name, "empty axis", torch.zeros([2, 0]), 1)
    case(name, "empty", torch.zeros([0, 2]), 1)

for name in ["cumprod", "prod"]:
    for dtype in [f32, f64]:
        zeros = t([[2.0, 0.0, 3.0, -1.0], [0.0, 2.0, 0.0, 3.0], [0.0, 0.0, 0.0, 2.0], [1.5, 2.0, 3.0, 0.0]], dtype)
        case(name, f"{NAMES[dtype]}, zeros", zeros, 1)
    case(name, "int32 wraps", t([65536, 3, 65537, -7], i32))
    case(name, "bool", t([[True, True, False], [True, True, True]], boolean), 1)
    rows = t([[INF, 2.0, -1.0], [NAN, 2.0, 1.0], [3.0, INF, 0.0], [1e30, 1e30, -1.0], [1e-30, 1e-30, 2.0]])
    case(name, "edges", rows, 1, second=False, depart=out_of_sums if name == "cumprod" else None)

for name in ["cummax", "cummin"]:
    for dtype in [f32, f64]:
        ties = t([[1.0, 2.0, 2.0, 1.0, 2.0], [0.0, -0.0, 0.0, 0.0, -0.0], [3.0, 3.0, 1.0, 3.0, 1.0]], dtype)
        case(name, f"{NAMES[dtype]}, ties", ties, 1)
        edges = t([[1.0, NAN, INF, NAN], [-INF, -INF, 0.0, INF], [INF, INF, -INF, 1.0], [NAN, 1.0, 2.0, 0.0]], dtype)
        case(name, f"{NAMES[dtype]}, edges", edges, 1)
    case(name, "int32, extremes", t([-2147483648, 5, 2147483647, 5, -2147483648], i32))

case("prod", "everything", Draws("prod", "all").floats([2, 3]))
case("prod", "two axes, kept", Draws("prod", "two").floats([2, 3, 2], f64), [0, 2], {"keepDims": True})
case("prod", "no axes", t(3.0))

for dtype in [f32, f64]:
    far = t([[80.0, 90.0, -700.0, 89.0], [-500.0, -500.0, 0.0, 500.0], [1e-3, 1e3, 1e3, -1e3]], dtype)
    case("logcumsumexp", f"{NAMES[dtype]}, far apart", far, 1)
case("logcumsumexp", "bool", t([True, False, True], boolean))
case("logcumsumexp", "minus infinity later", t([[1.0, -INF, 2.0], [0.5, -INF, -INF]]), 1)
case("logcumsumexp", "integers at the edges", t([0, 2147483647, -2147483648], i32))

why = "exp(-inf) adds nothing to a sum, and has no share in its gradient while there is nothing else"
ours = {(f"{kind} 0", i): 0.0 for kind in ["gradient", "product"] for i in [0, 1]}
case("logcumsumexp", "minus infinity first", t([-INF, -INF, 1.0, 2.0]), depart=(why, ours))

write(__file__)
