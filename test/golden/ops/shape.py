"""Writes shape.json: what PyTorch answers for axes moved, repeated and cut, and for triangles of matrices. See cases.py."""

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
    "trace": [([3, 3],), ([2, 4],), ([1, 1],), ([0, 2],)],
}
SPECIAL = [1.5, -0.0, NAN, INF, -INF, 1e-40]
for name, calls in CALLS.items():
    draw = Draws(name)
    for i, (shape, *rest) in enumerate(calls):
        dtype = f64 if i % 3 == 1 else f32
        words = "".join(f", {json.dumps(x)}" for x in rest)
        case(name, f"{NAMES[dtype]} {shape}{words}", draw.floats(shape, dtype), *rest)
    if name not in ["expand", "trace"]:
        rest = {"movedim": [0, 1], "repeat": [[2, 1]], "repeatInterleave": [2, 1], "split": [1], "chunk": [2]}.get(name, [])
        case(name, "edges", t(SPECIAL).reshape(2, 3), *rest)
        case(name, "int32", torch.arange(6, dtype=i32).reshape(2, 3), *rest)
write(__file__)
