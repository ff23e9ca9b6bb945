"""Writes places.json: what PyTorch answers where elements are found, counted and brought together at places. See cases.py."""

from cases import *

SPECIAL = [NAN, INF, -INF, 0.0, -0.0, 1e-40, 3e38]


def searchsorted(sequence, values, options={}):
    return torch.searchsorted(sequence.contiguous(), values.contiguous(), right=options.get("right", False), out_int32=True)


def quantile(x, q, axis=None, options={}):
    keep, interpolation = options.get("keepDims", False), options.get("interpolation", "linear")
    if isinstance(axis, list):
        axis = [i % x.dim() for i in axis]
        rest = [i for i in range(x.dim()) if i not in axis]
        flat = x.permute(rest + axis).flatten(len(rest))
        out = torch.quantile(flat, q, -1, interpolation=interpolation)
        return out.reshape([1 if i in axis else n for i, n in enumerate(x.shape)]) if keep else out
    return torch.quantile(x, q, axis, keep, interpolation=interpolation)


def scatter_products(x, axis, index, source, include):
    """Factor by factor: PyTorch's own derivative divides by x, so it is NaN at infinities and not differentiable at zeros."""
    found = {place: [x[place]] for place in np.ndindex(*x.shape)}
    for i in np.ndindex(*index.shape):
        place = list(i)
        place[axis] = int(index[i])
        found[tuple(place)].append(source[i])
    chosen = [factors if include or len(factors) == 1 else factors[1:] for factors in found.values()]
    return torch.stack([math.prod(factors[1:], start=factors[0]) for factors in chosen]).reshape(x.shape)


def scatter_reduce(x, axis, index, source, reduce, options={}):
    if reduce == "prod":
        return scatter_products(x, axis, index, source, options.get("includeSelf", True))
    return x.scatter_reduce(axis, index.long(), source, reduce, include_self=options.get("includeSelf", True))


def index_put(x, indices, values, options={}):
    places = [index if index.dtype == boolean else index.long() for index in indices]
    return x.index_put(places, values, accumulate=options.get("accumulate", False))


def bincount(x, options={}):
    weights = options.get("weights")
    out = torch.bincount(x, weights, options.get("minlength", 0))
    return out if weights is None else out.to(weights.dtype)


function("scatterReduce", scatter_reduce)
function("indexPut", index_put)
function("bincount", bincount)
function("nonzero", lambda x: x.nonzero())
function("maskedSelect", lambda x, mask: x.masked_select(mask), "exact")
function("searchsorted", searchsorted)
function("quantile", quantile)

for dtype in (f32, f64):
    name = NAMES[dtype]
    draw = Draws("nonzero", name)
    case("nonzero", f"{name}, two axes", draw.floats([3, 4], dtype) * draw.bools([3, 4]))
    case("nonzero", f"{name}, edges", t(SPECIAL, dtype))
    case("nonzero", f"{name}, nothing", torch.zeros([2, 2], dtype=dtype))
    draw = Draws("maskedSelect", name)
    case("maskedSelect", f"{name}, one shape", draw.floats([3, 4], dtype), draw.bools([3, 4]))
    case("maskedSelect", f"{name}, broadcast", draw.floats([3, 1], dtype), draw.bools([2, 1, 4]))
    case("maskedSelect", f"{name}, edges", t(SPECIAL, dtype), t([True] * 6 + [False], boolean))
    case("maskedSelect", f"{name}, nothing", draw.floats([2], dtype), t([False, False], boolean))
    draw = Draws("searchsorted", name)
    for right in [False, True]:
        words = ", right" if right else ""
        row = t([-1.5, 0.0, 0.0, 0.5, 2.0], dtype)
        case("searchsorted", f"{name}{words}", row, t([[-2.0, -1.5, -0.0], [0.25, 2.0, 3.0]], dtype), {"right": right})
        rows = draw.floats([2, 3, 7], dtype).sort(-1).values
        case("searchsorted", f"{name}, batch{words}", rows, draw.floats([2, 3, 4], dtype), {"right": right})
        ends = t([-INF, -INF, 1.0, INF, INF], dtype)
        case("searchsorted", f"{name}, edges{words}", ends, t([NAN, INF, -INF, 0.0, 1.0, 3e38], dtype), {"right": right})
        case("searchsorted", f"{name}, one number{words}", row, t(0.0, dtype), {"right": right})
    draw = Draws("quantile", name)
    x = draw.floats([3, 4, 2], dtype)
    case("quantile", f"{name}, everything", x, 0.3)
    case("quantile", f"{name}, along 1", x, 0.8, 1)
    case("quantile", f"{name}, along -1, kept", x, 0.25, -1, {"keepDims": True})
    case("quantile", f"{name}, two axes", x, 0.6, [0, 1])
    case("quantile", f"{name}, two axes, kept", x, 0.6, [0, -1], {"keepDims": True})
    for words in ["linear", "lower", "higher", "nearest", "midpoint"]:
        for q in [0.0, 0.1, 0.5, 0.9, 1.0]:
            case("quantile", f"{name}, {words} at {q}", draw.floats([2, 6], dtype), q, 1, {"interpolation": words})
    for q in [0.25, 0.75]:
        case("quantile", f"{name}, NaN at {q}", t([[1.0, NAN, 2.0], [3.0, 1.0, 2.0]], dtype), q, 1)
    case("quantile", f"{name}, infinities", t([[1.0, INF, 2.0, -INF], [INF, INF, 0.0, 1.0]], dtype), 0.4, 1, second=False)
case("nonzero", "a number", t(2.0))
case("nonzero", "zero", t(0.0))
case("nonzero", "int32", t([[0, -3], [2, 0], [0, 0]], i32))
case("nonzero", "bool", t([[[True, False], [False, True]]], boolean))
case("nonzero", "empty", torch.zeros([0, 3]))
case("maskedSelect", "a number", t(2.0), t(True, boolean))
case("maskedSelect", "int32", t([7, 8, 9], i32), t([[True, False, True], [False, False, True]], boolean))
case("maskedSelect", "bool", t([True, False, True], boolean), t([True, True, False], boolean))
case("maskedSelect", "empty", torch.zeros([0, 3]), t([True, False, True], boolean))
case("searchsorted", "int32", t([-3, 0, 0, 2147483647], i32), t([-2147483648, 0, 1, 2147483647], i32))
case("searchsorted", "nothing to search", t([]), t([1.0, NAN]))
case("searchsorted", "nothing to find", t([1.0, 2.0]), torch.zeros([0, 2]))
case("searchsorted", "rows of nothing", torch.zeros([2, 0]), t([[1.0], [2.0]]))
case("searchsorted", "one entry", t([1.0]), t([0.0, 1.0, 2.0]))
why = "NaN is larger than any number, here as in sort"
case("searchsorted", "NaN in the sequence", t([1.0, NAN, NAN]), t([0.5, 1.0, 2.0]), depart=(why, {("value", 0): 0, ("value", 1): 0, ("value", 2): 1}))
case("quantile", "one entry", t([[3.0]]), 0.3, 1)
case("quantile", "a number", t(3.0), 0.3)
why = "an element itself, not it and 0 times the difference from itself"
case("quantile", "infinity itself", t([1.0, 2.0, INF]), 1.0, second=False, depart=(why, {("value", 0): INF}))

for dtype in (f32, f64):
    name = NAMES[dtype]
    draw = Draws("scatterReduce", name)
    for reduce in ["sum", "prod", "mean", "amax", "amin"]:
        for options in [{}, {"includeSelf": False}]:
            words = "without x, " if options else ""
            index = t([[1, 0, 1], [0, 0, 1], [1, 2, 1], [1, 2, 1], [1, 0, 1]], i32)
            case("scatterReduce", f"{words}{reduce}, {name} along 0", draw.floats([4, 3], dtype), 0, index, draw.floats([5, 3], dtype), reduce, options)
            index = t([[[3], [3], [0]], [[1], [1], [1]]], i32)
            case("scatterReduce", f"{words}{reduce}, {name} along 1", draw.floats([2, 4, 1], dtype), -2, index, draw.floats([2, 3, 1], dtype), reduce, options)
            edges = [t([1.0, 2.0, 5.0 if options else -INF, 3.0, 0.0], dtype), 0, t([0, 0, 1, 2, 2, 3, 3], i32), t([NAN, 1.0, INF, -INF, -INF, 1e-40, INF], dtype)]
            case("scatterReduce", f"{words}{reduce}, {name}, edges", *edges, reduce, options, second=False)
            case("scatterReduce", f"{words}{reduce}, {name}, nothing", draw.floats([3], dtype), 0, t([], i32), t([], dtype), reduce, options)
    ties = [t([2.0, 5.0, 3.0, 1.0, 4.0], dtype), 0, t([0, 0, 0, 1, 1, 2, 2, 3], i32), t([2.0, 2.0, 1.0, 5.0, 7.0, 1.0, 1.0, 1.0], dtype)]
    case("scatterReduce", f"amax, {name}, ties", *ties, "amax")
    case("scatterReduce", f"amin, {name}, ties", *ties, "amin")
    zeros = [t([2.0, 3.0, 0.0, 4.0], dtype), 0, t([0, 0, 1, 1, 1, 2, 3], i32), t([0.0, 3.0, 2.0, 5.0, 1.5, 6.0, 0.0], dtype)]
    case("scatterReduce", f"prod, {name}, zeros", *zeros, "prod")
    case("scatterReduce", f"without x, prod, {name}, zeros", *zeros, "prod", {"includeSelf": False})
    draw = Draws("indexPut", name)
    x = draw.floats([3, 2, 4], dtype)
    one, two = t([2, -3], i32), t([[1], [-2]], i32)
    for options in [{}, {"accumulate": True}]:
        words = f"{name}, added" if options else name
        case("indexPut", f"{words}, one index", x, [one], draw.floats([2, 2, 4], dtype), options)
        case("indexPut", f"{words}, two indices", x, [one, two], draw.floats([2, 2, 4], dtype), options)
        case("indexPut", f"{words}, all indices", x, [one, t([1, 0], i32), t([-1, 2], i32)], draw.floats([2], dtype), options)
        case("indexPut", f"{words}, values broadcast", x, [one, two], draw.floats([2, 1, 4], dtype), options)
        case("indexPut", f"{words}, a value", x, [one], t(0.5, dtype), options)
        case("indexPut", f"{words}, mask", x, [draw.bools([3, 2])], draw.floats([4], dtype), options)
        case("indexPut", f"{words}, mask and index", x, [t([True, False, True], boolean), t([0, 1], i32)], draw.floats([2, 4], dtype), options)
        case("indexPut", f"{words}, edges", t([1.0] * 7, dtype), [t([6, 5, 4, 3, 2, 1, 0], i32)], t(SPECIAL, dtype), options)
        case("indexPut", f"{words}, nothing", draw.floats([2, 3], dtype), [t([], i32)], draw.floats([0, 3], dtype), options)
    case("indexPut", f"{name}, added, named again", x, [t([1, 1, 1], i32)], draw.floats([3, 2, 4], dtype), {"accumulate": True})
    draw = Draws("bincount", name)
    case("bincount", f"weights in {name}", draw.integers([6], 0, 4), {"weights": draw.floats([6], dtype)})
why = "an element of x that does not count has no share either"
for reduce in ["amax", "amin"]:
    args = [t([2.0, 1.0]), 0, t([0, 0], i32), t([2.0, 2.0]), reduce, {"includeSelf": False}]
    ours = {("gradient 1", 0): 0.5, ("gradient 1", 1): 0.5}
    case("scatterReduce", f"without x, {reduce}, x ties", *args, cotangent=t([1.0, 1.0]), depart=(why, ours))
for reduce in ["sum", "prod", "mean", "amax", "amin"]:
    for options in [{}, {"includeSelf": False}]:
        words = "without x, " if options else ""
        case("scatterReduce", f"{words}{reduce}, int32", t([7, -8, 9, 65537], i32), 0, t([1, 0, 1, 3, 3], i32), t([-4, 2, 2, 65537, -2], i32), reduce, options)
case("scatterReduce", "amax, int32, extremes", t([-2147483648, 5], i32), 0, t([0, 1, 1], i32), t([-2147483648, 2147483647, -2147483648], i32), "amax", {"includeSelf": False})
case("indexPut", "int32, named again", t([7, 8, 9], i32), [t([1, 1, 2, 1], i32)], t([1, 2, 3, 4], i32))
case("indexPut", "bool", t([True, False, True], boolean), [t([0, 1], i32)], t([False, True], boolean))
case("indexPut", "int32, added", t([7, 8, 9], i32), [t([1, 1, 2, 1], i32)], t([1, 2, 3, 4], i32), {"accumulate": True})
case("bincount", "int32", t([3, 1, 1, 0, 7], i32))
case("bincount", "longer", t([3, 1], i32), {"minlength": 6})
case("bincount", "not shortened", t([3, 1], i32), {"minlength": 2})
case("bincount", "nothing", t([], i32))
case("bincount", "nothing, longer", t([], i32), {"minlength": 2})

write(__file__)
