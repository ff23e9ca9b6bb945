"""Writes product.json: what PyTorch answers for products of vectors, matrices and higher tensors. See cases.py."""

import torch.nn.functional as F
from cases import *


def alike(call):
    """PyTorch's products take operands of one dtype; ours promote."""

    def together(*args):
        tensors = [x for x in args if torch.is_tensor(x)]
        dtype = tensors[0].dtype
        for x in tensors:
            dtype = torch.promote_types(dtype, x.dtype)
        return call(*(x.to(dtype) if torch.is_tensor(x) else x for x in args))

    return together


def addmm(x, a, b, options={}):
    return torch.addmm(x, a, b, beta=options.get("beta", 1), alpha=options.get("alpha", 1))


function("einsum", alike(lambda spec, *xs: torch.einsum(spec, *xs)), "product", 4)
function("dot", alike(torch.dot), "product", 2)
function("mv", alike(torch.mv), "product", 2)
function("bmm", alike(torch.bmm), "product", 2)
function("outer", alike(torch.outer), "product", 2)
function("linear", alike(F.linear), "product", 2)
function("bilinear", alike(F.bilinear), "product", 4)
function("addmm", alike(addmm), "product", 4)
function("tensordot", alike(lambda a, b, axes: torch.tensordot(a, b, dims=axes)), "product", 4)
function("kron", alike(torch.kron), "product", 2)

draw = Draws("product")
for dtype in (f32, f64):
    name = NAMES[dtype]
    one = lambda *shape: draw.floats(list(shape), dtype)
    for spec, shapes in [
        ("ij,jk", [(2, 3), (3, 2)]),
        ("ij,jk,kl->il", [(2, 3), (3, 2), (2, 4)]),
        ("ii", [(3, 3)]),
        ("ii->i", [(3, 3)]),
        ("ba", [(2, 3)]),
        ("...ij,...j->...i", [(2, 2, 3), (1, 3)]),
        ("iij,k->jk", [(2, 2, 3), (2,)]),
        ("bi,oij,bj->bo", [(2, 2), (3, 2, 2), (2, 2)]),
        ("i,j->", [(2,), (3,)]),
    ]:
        case("einsum", f"{name} {spec}", spec, *(one(*shape) for shape in shapes))
    case("dot", name, one(4), one(4))
    case("mv", name, one(2, 3), one(3))
    case("bmm", name, one(2, 2, 3), one(2, 3, 2))
    case("outer", name, one(3), one(2))
    case("linear", name, one(2, 3), one(2, 3), one(2))
    case("linear", f"{name} without bias", one(2, 2, 3), one(2, 3))
    case("bilinear", name, one(2, 3), one(2, 2), one(3, 3, 2), one(3))
    case("addmm", name, one(2), one(2, 3), one(3, 2), {"beta": 0.5, "alpha": 2})
    case("tensordot", f"{name} lists", one(2, 3, 2), one(3, 2, 2), [[1, 0], [0, 1]])
    case("tensordot", f"{name} a number", one(2, 3), one(3, 2), 1)
case("dot", "int32", draw.integers([3]), draw.integers([3]))
case("dot", "empty", t([]), t([]))
case("dot", "edges", t([INF, 1.0]), t([1.0, -INF]), second=False)
case("mv", "NaN", t([[NAN, 1.0], [1.0, 2.0]]), t([1.0, 2.0]), second=False)
case("bmm", "empty", t([]).reshape(0, 2, 2), t([]).reshape(0, 2, 2))
case("outer", "tiny and huge", t([1e30, 1e-30]), t([1e5, 1e-5]), second=False)
case("linear", "float32 and float64", draw.floats([2, 3]), draw.floats([2, 3], f64))
case("addmm", "defaults", draw.floats([2, 2]), draw.floats([2, 3]), draw.floats([3, 2]))
case("einsum", "int32", "ij,jk", draw.integers([2, 2]), draw.integers([2, 2]))
for dtype in (f32, f64):
    case("kron", NAMES[dtype], draw.floats([2, 2], dtype), draw.floats([2, 3], dtype))
case("kron", "ranks 1 and 2", draw.floats([2]), draw.floats([2, 2]))
case("kron", "int32", draw.integers([2]), draw.integers([3]))
case("kron", "edges", t([INF, 1.0]), t([1.0, NAN]), second=False)

write(__file__)
