"""Golden numbers of functions that choose entries by indices. Where places repeat, PyTorch's gradient of scatter is not
defined ("backward is implemented only for unique indices"), so those cases have an int32 source."""

from cases import *


def index_add(x, axis, index, source, options=None):
    return x.index_add(axis, index.long(), source, **(options or {}))


function("embedding", lambda table, index: torch.nn.functional.embedding(index.long(), table) if table.dim() == 2 else table[index.long()], "exact")
function("indexSelect", lambda x, axis, index: x.index_select(axis, index.long()), "exact")
function("indexAdd", index_add)
function("scatter", lambda x, axis, index, source: x.scatter(axis, index.long(), source), "exact")


def at(x, *indices):
    places = []
    for index in indices:
        if isinstance(index, dict):
            index = slice(index.get("start"), index.get("end"), index.get("step"))
        places.append(... if index == "..." else slice(None) if index is None else index if not torch.is_tensor(index) or index.dtype == boolean else index.long())
    return x[tuple(places)]


function("at", at, "exact")

SPECIAL = [NAN, INF, -INF, 0.0, -0.0, 1e-40, 3e38]

for dtype in (f32, f64):
    name = NAMES[dtype]
    draw = Draws("selection", name)
    case("embedding", f"rows in {name}", draw.floats([4, 3], dtype), t([[3, 0], [1, 3]], i32))
    case("embedding", f"one row in {name}", draw.floats([4, 2], dtype), t(2, i32))
    case("embedding", f"empty in {name}", draw.floats([4, 2], dtype), t([], i32))
    for axis in (0, 1, -1):
        index = t([1, 0, 1, 1], i32)
        case("indexSelect", f"{name} along {axis}", draw.floats([2, 3], dtype), axis, index)
        shape = [4, 3] if axis == 0 else [2, 4]
        case("indexAdd", f"{name} along {axis}", draw.floats([2, 3], dtype), axis, index, draw.floats(shape, dtype))
        places = t([[1, 0, 1], [0, 1, 0]] if axis == 0 else [[2, 0], [1, 2]], i32)
        case("scatter", f"{name} along {axis}", draw.floats([2, 3], dtype), axis, places, draw.floats(list(places.shape), dtype))
    case("indexAdd", f"alpha in {name}", draw.floats([3], dtype), 0, t([2, 2], i32), draw.floats([2], dtype), {"alpha": -2.5})
    case("scatter", f"edges in {name}", t([1.0] * 8, dtype), 0, t([7, 6, 5, 4, 3, 2, 1], i32), t([NAN, INF, -INF, 0.0, -0.0, 1e-30, 3e38], dtype))
    x = draw.floats([3, 2, 4], dtype)
    case("at", f"whole numbers in {name}", x, 1, -1, 0)
    case("at", f"stretches in {name}", x, {"start": -2}, None, {"start": 1, "end": 4, "step": 2})
    case("at", f"dots in {name}", x, 0, "...", {"end": -1})
    case("at", f"tensor in {name}", x, {"start": 1}, t([[1, -1], [0, -2]], i32))
    case("at", f"number and tensor in {name}", x, -1, None, t([3, -4, 3], i32))
    case("at", f"tensor without axes in {name}", x, None, t(-1, i32))
    one, other = t([[1], [-1]], i32), t([0, -2, 1], i32)
    mask = draw.bools([3, 2])
    mask[2, 1] = True
    case("at", f"two tensors side by side in {name}", x, None, other, t([3, -4, 0], i32))
    case("at", f"two tensors apart in {name}", x, t([2, 0], i32), None, t([1, -1], i32))
    case("at", f"tensors that broadcast in {name}", x, one, other)
    case("at", f"tensors that broadcast, apart, in {name}", x, one, {"end": 1}, other)
    case("at", f"three tensors in {name}", x, one, t(1, i32), other)
    case("at", f"tensors with a number between in {name}", x, t([2, 0], i32), 1, t([1, -1], i32))
    case("at", f"a number, then tensors apart in {name}", draw.floats([2, 2, 3, 2], dtype), 1, one, None, t([1, 0], i32))
    case("at", f"mask of all axes in {name}", x, draw.bools([3, 2, 4]))
    case("at", f"mask of the first axes in {name}", x, mask)
    case("at", f"mask of the last axes in {name}", x, "...", draw.bools([2, 4]))
    case("at", f"mask of one axis in {name}", x, {"start": 1}, t([False, True], boolean), -1)
    case("at", f"mask and tensor in {name}", x, mask, t([3], i32))
    case("at", f"mask and tensor apart in {name}", x, t([True, False, True], boolean), None, t([[0], [-1]], i32))
case("embedding", "three axes", Draws("three").floats([2, 2, 2]), t([1, 1, 0], i32))
case("embedding", "int32", t([[7, 8], [9, 10]], i32), t([1, 0, 1], i32))
case("embedding", "edges", t([[x] for x in SPECIAL]), t([6, 5, 4, 3, 2, 1, 0], i32))
case("indexSelect", "edges", t(SPECIAL), 0, t([6, 5, 4, 3, 2, 1, 0], i32))
case("indexSelect", "int32", t([7, 8, 9], i32), 0, t([2, 2, 0], i32))
case("indexSelect", "bool", t([True, False], boolean), 0, t([1, 1, 0], i32))
case("indexSelect", "empty", t([1.0, 2.0]), 0, t([], i32))
case("indexAdd", "int32", t([7, 8, 9], i32), 0, t([2, 2, 0], i32), t([1, 2, 3], i32))
case("indexAdd", "edges", t([0.0, 1.0, INF, NAN]), 0, t([0, 1, 2, 3, 1], i32), t([NAN, INF, -INF, 1.0, 1.0]))
case("indexAdd", "empty", t([1.0, 2.0]), 0, t([], i32), t([]))
case("scatter", "int32, places named again", t([7, 8, 9, 10], i32), 0, t([2, 2, 0, 2, 0], i32), t([1, 2, 3, 4, 5], i32))
case("scatter", "empty", t([1.0, 2.0]), 0, t([], i32), t([]))
case("at", "edges", t(SPECIAL), {"step": 2})
case("at", "int32", t([7, 8, 9], i32), t([2, -3, 0], i32))
case("at", "bool", t([[True, False], [False, True]], boolean), None, -1)
case("at", "nothing of it", t([1.0, 2.0]), {"start": 1, "end": 1})
case("at", "empty tensor", t([1.0, 2.0]), t([], i32))
case("at", "0-d", t(1.5))
case("at", "0-d, masks", t(1.5), t(True, boolean))
case("at", "a mask without axes that fails", t([1.0, 2.0]), t(False, boolean))
case("at", "a mask that never holds", t([[1.0, 2.0]]), None, t([False, False], boolean))
case("at", "int32, mask", t([7, 8, 9], i32), t([True, False, True], boolean))

write(__file__)
