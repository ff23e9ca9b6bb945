"""Writes table.json: what PyTorch answers for functions of tables of data, and whether numbers are close. See cases.py."""

from cases import *


def nansum(x, axis=None, options={}):
    # In PyTorch 1.13 nansum of integers cannot be differentiated, and needs not: no integer is NaN.
    x = x.to(i32) if x.dtype == boolean else x
    axes = list(range(x.dim())) if axis is None else axis
    total = torch.nansum(x, axes, keepdim=options.get("keepDims", False)) if x.dim() > 0 else torch.nansum(x)
    return total if x.is_floating_point() else total.to(i32)


def isclose(x, y, options={}):
    if not torch.is_tensor(y):
        y = torch.full_like(x, y)
    equal_nan = options.get("equalNan", False)
    return torch.isclose(x, y, rtol=options.get("rtol", 1e-5), atol=options.get("atol", 1e-8), equal_nan=equal_nan)


def cov(x, options={}):
    return torch.cov(x if x.is_floating_point() else x.to(f32), correction=options.get("correction", 1))


function("diff", lambda x, axis=-1, options={}: torch.diff(x, n=options.get("n", 1), dim=axis))
function("tile", lambda x, repeats: torch.tile(x, repeats), "exact")
function("nansum", nansum)
function("cov", cov, "product", 2)
function("isclose", isclose, "exact")

draw = Draws("table")
for dtype in [f32, f64]:
    name = NAMES[dtype]
    case("diff", f"{name} matrix", draw.floats([3, 4], dtype))
    case("diff", f"{name} along axis 0, twice", draw.floats([4, 2], dtype), 0, {"n": 2})
    case("diff", f"{name} more often than there are entries", draw.floats([3], dtype), 0, {"n": 4})
    case("diff", f"{name} not finite", t([1.0, INF, INF, NAN, 2.0], dtype), second=False)
    case("tile", f"{name} vector", draw.floats([3], dtype), [2])
    case("tile", f"{name} fewer repeats than axes", draw.floats([2, 3], dtype), [2])
    case("tile", f"{name} more repeats than axes", draw.floats([2], dtype), [2, 1, 3])
    case("nansum", f"{name} everything", t([[1.5, NAN], [NAN, -2.0]], dtype))
    case("nansum", f"{name} last axis", t([[1.5, NAN, 0.5], [NAN, NAN, NAN]], dtype), -1, {"keepDims": True})
    case("nansum", f"{name} both axes", draw.floats([2, 3], dtype), [0, 1])
    case("nansum", f"{name} infinite", t([INF, NAN, 1.0], dtype), second=False)
    case("cov", f"{name} matrix", draw.floats([3, 4], dtype))
    case("cov", f"{name} vector", draw.floats([5], dtype))
    case("cov", f"{name} of the population", draw.floats([2, 3], dtype), {"correction": 0})
    places = [1.0, 1.0, 0.0, 1e-9, INF, INF, -INF, NAN, 1.0, 100.0]
    others = [1.00001, 1.0001, 1e-9, 0.0, INF, -INF, 1.0, NAN, INF, 100.002]
    for equal_nan in [False, True]:
        case("isclose", f"{name} places, equalNan {equal_nan}", t(places, dtype), t(others, dtype), {"equalNan": equal_nan})
    case("isclose", f"{name} wide", t(places, dtype), t(others, dtype), {"rtol": 0.001, "atol": 0.01})
    case("isclose", f"{name} exact", t(places, dtype), t(others, dtype), {"rtol": 0.0, "atol": 0.0})
case("diff", "int32", draw.integers([2, 3]), 0)
case("diff", "empty", t([]).reshape(0, 3), 0)
case("diff", "not at all", draw.floats([3]), 0, {"n": 0})
case("tile", "bool and none", t([True, False], boolean), [0])
case("tile", "number", t(2.0), [3])
case("nansum", "int32", draw.integers([2, 3]), 0)
case("nansum", "bool", t([True, True, False], boolean))
case("nansum", "empty axis", torch.zeros([2, 0]), 1)
case("nansum", "number", t(NAN))
case("cov", "int32", draw.integers([2, 3]))
case("isclose", "broadcast", draw.floats([2, 1]), t([1.0, 2.0]))
case("isclose", "int32", t([1, 100000, 5], i32), t([1, 100001, 6], i32))

def nanmean(x, axis=None, options={}):
    x = x if x.is_floating_point() else x.to(f32)
    axes = list(range(x.dim())) if axis is None else axis
    return torch.nanmean(x, axes, keepdim=options.get("keepDims", False))


def aminmax(x, axis=None, options={}):
    """PyTorch's own has no derivative in 1.13."""
    axes = list(range(x.dim())) if axis is None else axis
    return [f(x, axes, keepdim=options.get("keepDims", False)) for f in (torch.amin, torch.amax)]


def trapezoid(y, options={}):
    y = y if y.is_floating_point() else y.to(f32)
    axis, x = options.get("axis", -1), options.get("x")
    return torch.trapezoid(y, dx=options.get("dx", 1), dim=axis) if x is None else torch.trapezoid(y, x, dim=axis)


function("nanmean", nanmean)
function("aminmax", aminmax, "exact")
function("rot90", lambda x, options={}: torch.rot90(x, options.get("k", 1), options.get("axes", [0, 1])), "exact")
function("trapezoid", trapezoid, "product")
function("corrcoef", lambda x: torch.corrcoef(x if x.is_floating_point() else x.to(f32)), "", 4)

draw = Draws("table, more")
for dtype in [f32, f64]:
    name = NAMES[dtype]
    case("nanmean", f"{name} everything", t([[1.5, NAN], [0.25, -2.0]], dtype))
    case("nanmean", f"{name} last axis", t([[1.5, NAN, 0.5], [NAN, 2.0, NAN]], dtype), -1, {"keepDims": True})
    case("nanmean", f"{name} both axes", draw.floats([2, 3], dtype), [0, 1])
    # The mean of nothing has no derivative, and by NaN nothing has one: in PyTorch it is NaN.
    ours = ("the derivative at NaN is 0", {("gradient 0", 0): 0.0, ("gradient 0", 1): 0.0})
    case("nanmean", f"{name} nothing but NaN", t([[NAN, NAN], [1.0, NAN]], dtype), 1, second=False, depart=ours)
    case("nanmean", f"{name} infinite", t([INF, NAN, 1.0], dtype), second=False)
    case("aminmax", f"{name} everything", draw.floats([2, 3], dtype))
    case("aminmax", f"{name} an axis", draw.floats([2, 3, 2], dtype), 1)
    case("aminmax", f"{name} ties", t([[1.0, 1.0, 0.0], [2.0, -1.0, -1.0]], dtype), -1, {"keepDims": True})
    for k in (-1, 0, 1, 2, 3, 6):
        case("rot90", f"{name} {k} times", draw.floats([2, 3], dtype), {"k": k})
    case("rot90", f"{name} another plane", draw.floats([2, 1, 3], dtype), {"axes": [2, 0]})
    case("trapezoid", f"{name} of steps", draw.floats([2, 4], dtype))
    case("trapezoid", f"{name} of wider steps along axis 0", draw.floats([3, 2], dtype), {"dx": 0.25, "axis": 0})
    case("trapezoid", f"{name} of places", draw.floats([2, 3], dtype), {"x": draw.floats([3], dtype)})
    case("trapezoid", f"{name} of places along axis 0", draw.floats([3, 2], dtype), {"x": draw.floats([3], dtype), "axis": 0})
    case("trapezoid", f"{name} of as many places", draw.floats([3, 2], dtype), {"x": draw.floats([3, 2], dtype), "axis": 0})
    case("trapezoid", f"{name} of one entry", draw.floats([2, 1], dtype), second=False)
    case("corrcoef", f"{name} matrix", draw.floats([3, 5], dtype))
    case("corrcoef", f"{name} vector", draw.floats([5], dtype))
case("nanmean", "int32", draw.integers([2, 3]), 0)
case("nanmean", "bool", t([True, False, False], boolean))
case("nanmean", "empty axis", torch.zeros([2, 0]), 1)
case("nanmean", "number", t(2.0))
case("aminmax", "int32", draw.integers([2, 3]), 0)
case("aminmax", "number", t(2.0))
case("aminmax", "no rows", torch.zeros(0, 2), 1, second=False)
case("rot90", "bool", draw.bools([2, 2]))
case("rot90", "empty", torch.zeros(0, 2))
case("trapezoid", "int32", draw.integers([4]))
case("trapezoid", "not finite", t([INF, 1.0, NAN]), second=False)
case("corrcoef", "int32", draw.integers([2, 4]))
case("corrcoef", "rows without deviation", t([[1.0, 1.0, 1.0], [0.0, 2.0, 1.0]], f64), second=False)
case("corrcoef", "a line", t([[1.0, 2.0, 4.0], [-2.0, -4.0, -8.0]], f64), second=False)

write(__file__)
