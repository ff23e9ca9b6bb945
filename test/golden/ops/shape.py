"""Writes shape.json: what PyTorch answers for axes moved, repeated and cut, windows, and parts of matrices. See cases.py."""

from cases import *

EXACT = "exact signed"
function("flatten", lambda x, start=0, end=-1: x.flatten(start, end), EXACT)
function("movedim", lambda x, source, destination: x.movedim(source, destination), EXACT)
function("expand", lambda x, sizes: x.expand(sizes), EXACT)
function("repeat", lambda x, repeats: x.repeat(repeats), EXACT)
function("repeatInterleave", lambda x, repeats, axis=None: x.repeat_interleave(repeats, axis), EXACT)
function("split", lambda x, size, options={}: x.split(size, options.get("axis", 0)), EXACT)
function("chunk", lambda x, chunks, options={}: x.chunk(chunks, options.get("axis", 0)), EXACT)
function("unbind", lambda x, axis=0: x.unbind(axis), EXACT)
function("tril", lambda x, options={}: x.tril(options.get("diagonal", 0)), EXACT)
function("triu", lambda x, options={}: x.triu(options.get("diagonal", 0)), EXACT)
function("trace", lambda x: torch.trace(x))
function("roll", lambda x, shifts, axis=None: x.roll(shifts, axis), EXACT)
function("unfold", lambda x, axis, size, step: x.unfold(axis, size, step), EXACT)


def fold(x, axis, size, step):
    axis %= x.dim() - 1
    count, width = x.shape[axis], x.shape[-1]
    places = (torch.arange(count)[:, None] * step + torch.arange(width)).reshape(-1)
    entries = x.movedim(-1, axis + 1).flatten(axis, axis + 1)
    out = torch.zeros([size if i == axis else n for i, n in enumerate(entries.shape)], dtype=x.dtype)
    return out.index_add(axis, places, entries)


function("fold", fold)
function("diagEmbed", lambda x, options={}: torch.diag_embed(x, options.get("offset", 0)), EXACT)
function("diagonal", lambda x, options={}: x.diagonal(options.get("offset", 0), -2, -1), EXACT)
function("diag", lambda x, options={}: x.diag(options.get("offset", 0)), EXACT)
function("unflatten", lambda x, axis, sizes: x.unflatten(axis, sizes), EXACT)
function("meshgrid", lambda xs, options={}: list(torch.meshgrid(*xs, indexing=options.get("indexing", "ij"))), EXACT)

CALLS = {
    "flatten": [([2, 3],), ([2, 3, 2], 1), ([2, 3, 2], 0, 1), ([],), ([0, 3],), ([2, 3, 2], -2, -1)],
    "movedim": [([2, 3, 4], 0, -1), ([2, 3], 1, 0), ([2, 3, 4], [0, 1], [1, 2]), ([0, 2], 0, 1)],
    "expand": [([1, 3], [2, 3]), ([3], [2, -1]), ([], [2, 2]), ([2, 1], [-1, 0])],
    "repeat": [([2], [3]), ([2, 3], [2, 1]), ([2], [2, 2]), ([], [3]), ([2], [0])],
    "repeatInterleave": [([3], 2), ([2, 3], 2, 0), ([2, 3], 3, -1), ([2, 2], 2), ([0], 2)],
    "split": [([5], 2), ([4, 3], 2, {"axis": -1}), ([5], [1, 4]), ([3, 2], [0, 3]), ([0, 2], 2)],
    "chunk": [([5], 2), ([4, 3], 2, {"axis": 1}), ([5], 4), ([2], 3)],
    "unbind": [([3],), ([2, 3], 1), ([2, 2, 2], -1)],
    "tril": [([3, 3],), ([2, 4], {"diagonal": 1}), ([2, 3, 2], {"diagonal": -1}), ([0, 2],)],
    "triu": [([3, 3],), ([2, 4], {"diagonal": 1}), ([2, 3, 2], {"diagonal": -1}), ([0, 2],)],
    "roll": [([5], 2), ([2, 3], 1), ([2, 3, 2], -4, 1), ([2, 3], [1, -1], [0, -1]), ([0, 3], 1, 0), ([], 1), ([4], 9, 0)],
    "unfold": [([5], 0, 3, 1), ([4, 3], -2, 2, 2), ([2, 5], 1, 2, 3), ([3], 0, 3, 7), ([0, 3], 1, 2, 1), ([3], 0, 0, 1)],
    "fold": [([3, 3], 0, 5, 1), ([2, 3, 2], -1, 4, 1), ([2, 2, 2], 1, 5, 3), ([1, 3], 0, 3, 7), ([0, 2, 2], 1, 3, 1)],
    "diagEmbed": [([3],), ([2, 3],), ([1, 2, 2],), ([0],), ([2, 0],), ([0, 2],), ([3], {"offset": 1}), ([2, 2], {"offset": -2}), ([0], {"offset": 1})],
    "diagonal": [([3, 3],), ([2, 4], {"offset": 1}), ([2, 3, 2], {"offset": -1}), ([2, 2], {"offset": 3}), ([0, 2],)],
    "diag": [([3],), ([2, 3],), ([3, 2],), ([0],), ([0, 2],), ([1, 1],), ([2], {"offset": -1}), ([2, 3], {"offset": 1}), ([3, 2], {"offset": -2}), ([2, 2], {"offset": 2})],
    "unflatten": [([6], 0, [2, 3]), ([2, 4], -1, [-1, 2]), ([4, 3], 0, [2, 1, 2]), ([0, 2], 0, [0, 3])],
    "trace": [([3, 3],), ([2, 4],), ([1, 1],), ([0, 2],)],
}
SPECIAL = [1.5, -0.0, NAN, INF, -INF, 1e-40]
for name, calls in CALLS.items():
    draw = Draws(name)
    for i, (shape, *rest) in enumerate(calls):
        dtype = f64 if i % 3 == 1 else f32
        words = "".join(f", {json.dumps(x)}" for x in rest)
        case(name, f"{NAMES[dtype]} {shape}{words}", draw.floats(shape, dtype), *rest)
    if name not in ["expand", "trace", "fold"]:
        rest = {"roll": [1], "unfold": [1, 2, 1], "unflatten": [1, [3, 1]], "movedim": [0, 1], "repeat": [[2, 1]], "repeatInterleave": [2, 1], "split": [1], "chunk": [2]}.get(name, [])
        case(name, "edges", t(SPECIAL).reshape(2, 3), *rest)
        case(name, "int32", torch.arange(6, dtype=i32).reshape(2, 3), *rest)
case("fold", "edges", t(SPECIAL).reshape(3, 2), 0, 4, 1)
case("fold", "int32", torch.arange(6, dtype=i32).reshape(3, 2), 0, 4, 1)
for sizes in [[3], [2, 3], [2, 1, 2], [0, 2]]:
    draw = Draws("meshgrid", sizes)
    for dtype in [f32, f64]:
        case("meshgrid", f"{NAMES[dtype]} {sizes}", [draw.floats([n], dtype) for n in sizes])
for sizes in [[3], [2, 3], [2, 3, 2]]:
    case("meshgrid", f"xy {sizes}", [Draws("xy", sizes).floats([n]) for n in sizes], {"indexing": "xy"})
case("meshgrid", "edges", [t(SPECIAL), t([-0.0, NAN])])
case("meshgrid", "a single number", [t(1.5), t([1.0, 2.0])])
case("meshgrid", "int32", [torch.arange(2, dtype=i32), torch.arange(3, dtype=i32)])
write(__file__)
