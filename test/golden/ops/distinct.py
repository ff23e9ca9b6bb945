"""Writes distinct.json: what PyTorch answers about which values there are. See cases.py."""

from cases import *


def unique(x):
    """Of PyTorch's, which has no derivative, the places; the values are then those of the first elements."""
    values, inverse, counts = torch.unique(x.detach(), return_inverse=True, return_counts=True)
    places = torch.arange(x.numel())
    first = [int(places[inverse.flatten() == i].min()) for i in range(len(values))]
    return [x.reshape(-1)[torch.tensor(first, dtype=torch.int64)], inverse.to(i32), counts.to(i32)]


def histc(x, options={}):
    x = x.detach() if x.is_floating_point() else x.to(f64)
    low, high = options.get("min", x.min() if x.numel() else 0), options.get("max", x.max() if x.numel() else 0)
    return torch.histc(x, bins=options.get("bins", 100), min=float(low), max=float(high)).to(i32)


function("unique", unique, "exact")
function("histc", histc, "exact")

draw = Draws("distinct")
for dtype in (f32, f64):
    name = NAMES[dtype]
    g = t([1.0, 2.0, -1.0], dtype)
    case("unique", f"{name} of some again", t([[2.0, -1.0, 2.0], [0.5, -1.0, 2.0]], dtype), cotangent=g, second=False)
    case("unique", f"{name} infinite", t([INF, -INF, 1.0, INF], dtype), cotangent=g, second=False)
    case("unique", f"{name} different", draw.floats([2, 3], dtype), second=False)
    case("histc", f"{name} between", draw.floats([4, 5], dtype), {"bins": 4, "min": -1.0, "max": 1.5})
    case("histc", f"{name} of the whole range", draw.floats([30], dtype), {"bins": 7})
    case("histc", f"{name} a hundred", draw.floats([9], dtype))
    case("histc", f"{name} at the edges", t([-1.0, -0.5, 0.0, 0.5, 1.0, 1.5, INF, -INF], dtype), {"bins": 4, "min": -1.0, "max": 1.0})
    case("histc", f"{name} of one value", t([2.0, 2.0], dtype), {"bins": 3})
case("unique", "int32", t([[3, 1], [3, -7]], i32))
case("unique", "bool", t([True, False, True], boolean))
case("unique", "number", t(4.0), second=False)
case("unique", "nothing", torch.zeros(0, 2), second=False)
case("histc", "int32", draw.integers([20]), {"bins": 6})
case("histc", "nothing", torch.zeros(0), {"bins": 2})

write(__file__)
