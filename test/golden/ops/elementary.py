"""Writes elementary.json: what PyTorch answers for elementary functions. See cases.py."""

from cases import *


def floats(call):
    return lambda *args: call(*(x if x.is_floating_point() else x.to(f32) for x in args))


def cbrt(x):
    # PyTorch has no cube root: NumPy's where no derivative is wanted, else a power in float64, off by a few units.
    wide = x.to(f64)
    if not torch.is_grad_enabled():
        return torch.from_numpy(np.cbrt(wide.numpy())).to(x.dtype)
    return (wide.sign() * wide.abs() ** (1 / 3)).to(x.dtype)


UNARY = {
    "exp2": (torch.exp2, -5, 5, 1),
    "log2": (torch.log2, 0.2, 4, 1),
    "log10": (torch.log10, 0.2, 4, 1.5),
    "reciprocal": (torch.reciprocal, 0.5, 3, 1),
    "rsqrt": (torch.rsqrt, 0.3, 3, 1),
    "cbrt": (cbrt, 0.3, 3, 2),
    "tan": (torch.tan, -1.4, 1.4, 2),
    "atan": (torch.atan, -5, 5, 1),
    "asin": (torch.asin, -0.9, 0.9, 2),
    "acos": (torch.acos, -0.9, 0.9, 2),
    "sinh": (torch.sinh, -3, 3, 2),
    "cosh": (torch.cosh, -3, 3, 2),
    "asinh": (torch.asinh, -3, 3, 2),
    "acosh": (torch.acosh, 1.2, 4, 2),
    "atanh": (torch.atanh, -0.9, 0.9, 2),
}
EDGES = [NAN, INF, -INF, 0.0, -0.0, 1.0, -1.0, 1e-20, -1e-5, 1e-40, 20.0, -85.0, 100.0, 1e5, -3e38]
for name, (call, low, high, units) in UNARY.items():
    function(name, floats(call), "elementwise cancelling", units)
    draw = Draws(name)
    case(name, "float32 matrix", draw.floats([3, 4], f32, low, high))
    case(name, "float64 vector", draw.floats([9], f64, low, high))
    case(name, "float32 number", draw.floats([], f32, low, high))
    case(name, "empty", t([]).reshape(0, 3))
    case(name, "int32", t([1, 2, 9], i32))
    for dtype in [f32, f64]:
        edges = [x for x in EDGES if x >= 0 or x != x or name not in ("cbrt",)]
        with torch.no_grad():
            value = floats(call)(t(edges, dtype))
        functions[name]["cases"].append(
            {"case": f"edges in {NAMES[dtype]}", "args": [argument(t(edges, dtype))], "value": argument(value)}
        )
BINARY = {
    "atan2": (torch.atan2, 2),
    "hypot": (torch.hypot, 2),
    "logaddexp": (torch.logaddexp, 2),
    "xlogy": (torch.xlogy, 1),
}
PAIRS = [(a, b) for a in [NAN, INF, -INF, 0.0, -0.0, 1.0, -2.5] for b in [NAN, INF, -INF, 0.0, -0.0, 1.0, -2.5]]
for name, (call, units) in BINARY.items():
    function(name, call, "elementwise cancelling", units)
    draw = Draws(name)
    case(name, "float32 matrices", draw.floats([2, 4], f32, 0.3, 2), draw.floats([2, 4], f32, 0.3, 2))
    case(name, "row and column in float64", draw.floats([3, 1], f64, 0.3, 2), draw.floats([4], f64, 0.3, 2))
    case(name, "numbers", draw.floats([], f32, 0.3, 2), draw.floats([], f32, 0.3, 2))
    case(name, "empty", t([]), t([]))
    for dtype in [f32, f64]:
        a, b = t([a for a, _ in PAIRS], dtype), t([b for _, b in PAIRS], dtype)
        functions[name]["cases"].append(
            {"case": f"pairs of edges in {NAMES[dtype]}", "args": [argument(a), argument(b)], "value": argument(call(a, b))}
        )
write(__file__)
