"""Writes distance.json: what PyTorch answers for products and distances of vectors in pairs. See cases.py."""

import torch.nn.functional as F
from cases import *


def together(function, floats=True):
    """PyTorch's functions of two tensors of one dtype, and of floats."""

    def call(x, y, options={}):
        dtype = torch.promote_types(x.dtype, y.dtype)
        if floats and not dtype.is_floating_point:
            dtype = f32
        return function(x.to(dtype), y.to(dtype), options)

    return call


def cdist(x, y, options):
    """Its derivative cannot be differentiated again: second derivatives are those of the norm of the differences."""
    p = options.get("p", 2.0)
    return torch.cdist(x, y, p=float(p), compute_mode="donot_use_mm_for_euclid_dist")


def cosine(x, y, options):
    return F.cosine_similarity(x, y, dim=options.get("axis", 1), eps=options.get("eps", 1e-8))


function("cross", together(lambda x, y, options: torch.linalg.cross(x, y, dim=options.get("axis", -1)), False), "product")
function("cdist", together(cdist))
function("cosineSimilarity", together(cosine), "", 4)

draw = Draws("distance")

for dtype in (f32, f64):
    name = NAMES[dtype]
    case("cross", f"{name} vectors", draw.floats([3], dtype), draw.floats([3], dtype))
    case("cross", f"{name} along axis 0", draw.floats([3, 2], dtype), draw.floats([3, 2], dtype), {"axis": 0})
    case("cross", f"{name} broadcast", draw.floats([2, 1, 3], dtype), draw.floats([1, 2, 3], dtype))
    for p in (2, 1, 3, 0.5, 1.5, INF, 0):
        case("cdist", f"{name} p = {p}", draw.floats([3, 2], dtype), draw.floats([2, 2], dtype), {"p": p}, second=False)
    case("cdist", f"{name} a batch", draw.floats([2, 3, 2], dtype), draw.floats([2, 2, 2], dtype), second=False)
    case("cdist", f"{name} broadcast", draw.floats([2, 1, 1, 2], dtype), draw.floats([2, 2, 2], dtype), second=False)
    case("cosineSimilarity", f"{name} rows", draw.floats([2, 3], dtype), draw.floats([2, 3], dtype))
    case("cosineSimilarity", f"{name} along axis 0", draw.floats([3, 2], dtype), draw.floats([3, 2], dtype), {"axis": 0})
    case("cosineSimilarity", f"{name} the last axis", draw.floats([1, 2, 3], dtype), draw.floats([2, 3], dtype), {"axis": -1})
case("cross", "int32", draw.integers([2, 3]), draw.integers([2, 3]))
case("cross", "float32 and float64", draw.floats([3], f32), draw.floats([3], f64))
case("cross", "empty", torch.zeros(0, 3), torch.zeros(0, 3))
case("cross", "not finite", t([INF, 1.0, 0.0]), t([1.0, NAN, 0.0]), second=False)
case("cdist", "int32", draw.integers([2, 3]), draw.integers([3, 3]))
for p in (2, 1, 3, 1.5):
    case("cdist", f"equal points, p = {p}", t([[1.0, 2.0], [0.0, 1.0]]), t([[1.0, 2.0], [0.0, 3.0]]), {"p": p}, second=False)
case("cdist", "no points", torch.zeros(0, 2), torch.zeros(3, 2), second=False)
case("cdist", "no elements", torch.zeros(2, 0), torch.zeros(3, 0), second=False)
case("cdist", "not finite", t([[INF, 1.0], [NAN, 0.0]]), t([[1.0, 1.0]]), second=False)
case("cosineSimilarity", "int32", draw.integers([2, 3]), draw.integers([2, 3]))
case("cosineSimilarity", "a vector of zeros", torch.zeros(1, 2, dtype=f64), t([[1.0, 2.0]], f64), second=False)
case("cosineSimilarity", "another eps", t([[0.3, 0.4]], f64), t([[1.0, 2.0]], f64), {"eps": 0.1})
# Below eps the length is constant, and PyTorch's gradient is that of a length that is not.
x, y = t([[0.3, 0.4]], f64), t([[3.0, 4.0]], f64)
ours = {("gradient 0", 0): 0.6, ("gradient 0", 1): 0.8}
why = "the derivative of what is computed"
case("cosineSimilarity", "below eps", x, y, {"eps": 1.0}, cotangent=t([1.0], f64), second=False, depart=(why, ours))
case("cosineSimilarity", "empty", torch.zeros(0, 2), torch.zeros(0, 2))
case("cosineSimilarity", "no elements", torch.zeros(2, 0), torch.zeros(2, 0))
case("cosineSimilarity", "huge and tiny", t([[1e30, 1e30]], f64), t([[1e-3, 2e-3]], f64), second=False)

def normalize(x, options={}):
    x = x if x.is_floating_point() else x.to(f32)
    return F.normalize(x, p=float(options.get("p", 2)), dim=options.get("axis", 1), eps=options.get("eps", 1e-12))


function("normalize", normalize, "", 4)

draw = Draws("normalize")
for dtype in (f32, f64):
    name = NAMES[dtype]
    case("normalize", f"{name} rows", draw.floats([2, 3], dtype))
    case("normalize", f"{name} channels", draw.floats([2, 3, 2], dtype))
    for p in (1, 3, 1.5, INF, -INF):
        case("normalize", f"{name} p = {p}", draw.floats([4], dtype), {"p": p, "axis": 0}, second=abs(p) != INF)
    case("normalize", f"{name} a vector of zeros", torch.zeros(1, 2, dtype=dtype), second=False)
    case("normalize", f"{name} below eps", t([[0.3, 0.4]], dtype), {"eps": 1.0}, second=False)
case("normalize", "int32, the last axis", draw.integers([3, 2]), {"axis": -1})
case("normalize", "not finite", t([[INF, 1.0], [NAN, 1.0]]), second=False)
case("normalize", "no elements", torch.zeros(2, 0))
case("normalize", "no rows", torch.zeros(0, 2))

write(__file__)
