"""Writes elementary.json: what PyTorch answers for elementary functions. See cases.py."""

from cases import *


def floats(call):
    return lambda *args: call(*(x if x.is_floating_point() else x.to(f32) for x in args))


class Cbrt(torch.autograd.Function):
    """PyTorch has no cube root: NumPy's, and a derivative made of it, in float64."""

    @staticmethod
    def forward(context, x):
        y = torch.from_numpy(np.asarray(np.cbrt(x.numpy())))
        context.save_for_backward(x)
        return y

    @staticmethod
    def backward(context, g):
        return g / (3 * Cbrt.apply(*context.saved_tensors) ** 2)


def cbrt(x):
    return Cbrt.apply(x.to(f64)).to(x.dtype)


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
# Ends of domains and the places next to them.
PLACES = {
    "log2": [0.5, 2.0, 8.0, 1 + 2**-20, 1 - 2**-20, 2**-149, 2.0**100],
    "log10": [10.0, 1000.0, 0.001, 1 + 2**-20],
    "asin": [1.5, -1.5, 1 - 2**-20, -1 + 2**-20, 0.5],
    "acos": [1.5, -1.5, 1 - 2**-20, -1 + 2**-20, 0.5],
    "acosh": [1 + 2**-20, 1.5, 0.5, 1e10],
    "atanh": [1.5, -1.5, 1 - 2**-20, -1 + 2**-20, 0.5],
    "tan": [1.5, -1.5, 3.0, 1.57079637, 1e3],
    "exp2": [-149.0, -126.5, 127.5, 128.0, -1000.0, 1000.0, 3.0],
    "sinh": [88.0, 89.0, -90.0, 1e-10],
    "cosh": [88.0, 89.0, -90.0, 1e-10],
}
OUTSIDE = "Where acosh is NaN its derivative is NaN too"
below = {("gradient 0", i): NAN for i in [2, 6, 11, 14]}
BETTER = {("acosh", f32): (OUTSIDE, below), ("acosh", f64): (OUTSIDE, below)}
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
        case(name, f"edges in {NAMES[dtype]}", t(EDGES, dtype), second=False, depart=BETTER.get((name, dtype)))
        if name in PLACES:
            case(name, f"places in {NAMES[dtype]}", t(PLACES[name], dtype), second=False)
SIZES = [(1e-40, 1e-40), (1e-30, -1e-30), (1e30, 1e30), (1e38, 1e38), (1e-30, 1e30), (1e30, -1e-30), (2.0, 1e-30), (-2.0, 1e30)]
BINARY = {
    "atan2": (torch.atan2, 2),
    "hypot": (torch.hypot, 2),
    "logaddexp": (torch.logaddexp, 2),
    "xlogy": (torch.xlogy, 1),
}
PAIRS = [(a, b) for a in [NAN, INF, -INF, 0.0, -0.0, 1.0, -2.5] for b in [NAN, INF, -INF, 0.0, -0.0, 1.0, -2.5]]
AT_ORIGIN = "At (0, 0) the derivatives are 0, as those of norm"
origin = {(f"gradient {i}", k): 0.0 for i in [0, 1] for k, pair in enumerate(PAIRS) if pair == (0.0, 0.0)}
for name, (call, units) in BINARY.items():
    function(name, call, "elementwise cancelling", units)
    draw = Draws(name)
    case(name, "float32 matrices", draw.floats([2, 4], f32, 0.3, 2), draw.floats([2, 4], f32, 0.3, 2))
    case(name, "row and column in float64", draw.floats([3, 1], f64, 0.3, 2), draw.floats([4], f64, 0.3, 2))
    case(name, "numbers", draw.floats([], f32, 0.3, 2), draw.floats([], f32, 0.3, 2))
    case(name, "empty", t([]), t([]))
    for dtype in [f32, f64]:
        sides = (t(list(side), dtype) for side in zip(*PAIRS))
        depart = (AT_ORIGIN, origin) if name == "hypot" else None
        case(name, f"pairs of edges in {NAMES[dtype]}", *sides, second=False, depart=depart)
        x, y = (t(list(side), dtype) for side in zip(*SIZES))
        # In float64, then rounded: PyTorch's own formulas overflow or vanish on the way.
        functions[name]["call"] = lambda *args: call(*(a.to(f64) for a in args)).to(args[0].dtype)
        case(name, f"tiny and huge in {NAMES[dtype]}", x, y, second=False)
        functions[name]["call"] = call
write(__file__)
