"""Writes linalg.json: what PyTorch answers for functions of matrices. See cases.py."""

from cases import *


def solve(a, b):
    dtype = torch.promote_types(a.dtype, b.dtype)
    return torch.linalg.solve(a.to(dtype), b.to(dtype))


function("solve", solve, "product", 16)
function("inv", torch.linalg.inv, "product", 16)


def triangular_solve(a, b, options={}):
    x = torch.linalg.solve_triangular(a, b if b.dim() > 1 else b.unsqueeze(-1), upper=options.get("upper", False))
    return x if b.dim() > 1 else x.squeeze(-1)


function("triangularSolve", triangular_solve, "product", 16)
function("cholesky", torch.linalg.cholesky, "product", 16)
function("matrixPower", torch.linalg.matrix_power, "product", 32)
function("det", torch.linalg.det, "product", 16)
function("slogdet", torch.linalg.slogdet, "product", 16)

draw = Draws("linalg")


def regular(shape, dtype):
    """Far from singular."""
    return draw.floats(shape, dtype, -0.5, 0.5) + 2 * torch.eye(shape[-1], dtype=dtype)


for dtype in (f32, f64):
    name = NAMES[dtype]
    case("solve", f"{name} a matrix", regular([3, 3], dtype), draw.floats([3, 2], dtype))
    case("solve", f"{name} a vector", regular([3, 3], dtype), draw.floats([3], dtype))
    case("solve", f"{name} a batch", regular([2, 2, 2], dtype), draw.floats([2, 2, 1], dtype))
    case("inv", f"{name} a matrix", regular([3, 3], dtype))
    case("inv", f"{name} a batch", regular([2, 2, 2], dtype))
case("solve", "rows change places", t([[0.0, 1.0], [2.0, 1.0]]), t([[1.0], [2.0]]))
case("solve", "float32 and float64", regular([2, 2], f32), draw.floats([2, 2], f64))
case("inv", "rows change places", t([[0.0, 1.0], [2.0, 0.0]]))
case("inv", "tiny and huge", t([[1e-20, 0.0], [0.0, 1e20]], f64), second=False, cotangent=t([[1e-20, 0.0], [0.0, 1.0]], f64))
for dtype in (f32, f64):
    name = NAMES[dtype]
    for f in ("det", "slogdet"):
        case(f, f"{name} a matrix", regular([3, 3], dtype))
        case(f, f"{name} a batch", regular([2, 2, 2], dtype))
        case(f, f"{name} negative", t([[0.0, 1.0], [2.0, 0.5]], dtype))
for dtype in (f32, f64):
    name = NAMES[dtype]
    case("triangularSolve", f"{name} lower", regular([3, 3], dtype), draw.floats([3, 2], dtype))
    case("triangularSolve", f"{name} upper", regular([2, 3, 3], dtype), draw.floats([2, 3, 1], dtype), {"upper": True})
    case("triangularSolve", f"{name} a vector", regular([2, 2], dtype), draw.floats([2], dtype))
    a = regular([2, 3, 3], dtype)
    case("cholesky", f"{name} a matrix", (a[0] + a[0].T) / 2)
    case("cholesky", f"{name} a batch", (a + a.transpose(-1, -2)) / 2)
    for n in (1, 2, 3, 5, -1, -2):
        case("matrixPower", f"{name} to {n}", regular([2, 2], dtype), n)

# At a singular matrix PyTorch 1.13 answers 0 for the gradient of the determinant, which is the matrix of cofactors.
a = t([[1.0, 2.0], [2.0, 4.0]], f64)
ours = dict(zip([("gradient 0", i) for i in range(4)], [4.0, -2.0, -2.0, 1.0]))
case("det", "singular", a, cotangent=t(1.0, f64), second=False, depart=("the gradient is the matrix of cofactors", ours))
case("det", "rank below n - 1", torch.zeros(2, 2, dtype=f64), second=False)
for f in ("det", "slogdet", "inv", "cholesky"):
    case(f, "empty", torch.zeros(0, 0))
    case(f, "no matrices", torch.zeros(0, 2, 2))
case("matrixPower", "empty", torch.zeros(0, 0), 3)
case("solve", "empty", torch.zeros(0, 0), torch.zeros(0, 2))
case("triangularSolve", "empty", torch.zeros(0, 0), torch.zeros(0, 2))

# Of a matrix that is not symmetric we take the symmetric part, PyTorch the lower triangle.
a, g = t([[4.0, 4.0], [2.0, 5.0]], f64), t([[1.0, 0.0], [2.0, -1.0]], f64)
half = ((a + a.T) / 2).requires_grad_(True)
l = torch.linalg.cholesky(half)
(gradient,) = torch.autograd.grad(l, half, g)
ours = {("value", i): l.flatten()[i].item() for i in (2, 3)}
ours.update({("gradient 0", i): gradient.flatten()[i].item() for i in range(4)})
why = "so that the symmetric gradient is the derivative"
case("cholesky", "not symmetric", a, second=False, cotangent=g, depart=(why, ours))

function("qr", lambda a, options={}: list(torch.linalg.qr(a, mode=options.get("mode", "reduced"))), "product", 32)
for dtype in (f32, f64):
    name = NAMES[dtype]
    case("qr", f"{name} square", regular([3, 3], dtype))
    case("qr", f"{name} tall", regular([2, 4, 4], dtype)[:, :, :2].clone())
    case("qr", f"{name} wide", regular([3, 3], dtype)[:2].clone())
    case("qr", f"{name} complete", regular([2, 3, 3], dtype)[:, :2].clone(), {"mode": "complete"})
case("qr", "zero above", t([[0.0, 1.0], [2.0, 3.0]]))
case("qr", "zero below", t([[2.0, 1.0], [0.0, -3.0], [0.0, 4.0]], f64))
case("qr", "one column", t([[-3.0]]))
case("qr", "triangular already", t([[-2.0, 1.0], [0.0, 3.0]]))
case("qr", "no columns", torch.zeros(2, 0), second=False)
case("qr", "no rows", torch.zeros(0, 2), second=False)


def floated(a):
    return a if a.is_floating_point() else a.to(f32)


def signs(u):
    """-1 for each column whose first of the largest elements is negative: vectors have signs of our choice."""
    if u.numel() == 0:
        return torch.ones(*u.shape[:-2], 1, u.shape[-1], dtype=u.dtype)
    size = u.detach().abs()
    first = (size >= size.amax(-2, keepdim=True) * (1 - 1e-4)).to(i32).argmax(-2, keepdim=True)
    return u.detach().gather(-2, first).sign()


def eigh(a):
    """Of the symmetric part, so that gradients are symmetric as ours are."""
    a = floated(a)
    values, vectors = torch.linalg.eigh((a + a.transpose(-1, -2)) / 2)
    return [values, vectors * signs(vectors)]


def svd(a, options={}):
    u, s, vh = torch.linalg.svd(floated(a), full_matrices=options.get("fullMatrices", True))
    left, right = signs(u), signs(vh.transpose(-1, -2))
    k = s.shape[-1]
    right[..., :k] = left[..., :k]
    return [u * left, s, vh * right.transpose(-1, -2)]


def pinv(a, options={}):
    return torch.linalg.pinv(a, rtol=options.get("rcond"))


def lstsq(a, b, options={}):
    """By the pseudoinverse as ours: PyTorch's own lstsq takes less batches, and gives the same (below)."""
    return pinv(a, options) @ b


function("eigh", eigh, "product", 32)
function("svd", svd, "product", 64)
function("pinv", pinv, "product", 64)
function("lstsq", lstsq, "product", 64)


def apart(shape, dtype):
    """Eigenvalues and singular values keep apart."""
    spread = torch.diag_embed(torch.arange(max(shape[-2:]), dtype=dtype) * 2)[: shape[-2], : shape[-1]]
    return draw.floats(shape, dtype, -0.5, 0.5) + spread + torch.eye(*shape[-2:], dtype=dtype)


for dtype in (f32, f64):
    name = NAMES[dtype]
    a = apart([2, 3, 3], dtype)
    case("eigh", f"{name} a matrix", (a[0] + a[0].T) / 2)
    case("eigh", f"{name} a batch", (a + a.transpose(-1, -2)) / 2)
    case("svd", f"{name} square", apart([3, 3], dtype))
    for shape in ([2, 3, 2], [2, 3]):
        case("svd", f"{name} {shape}", apart(shape, dtype), {"fullMatrices": False})
        case("pinv", f"{name} {shape}", apart(shape, dtype))
        case("lstsq", f"{name} {shape}", apart(shape, dtype), draw.floats([shape[-2], 2], dtype))
    case("pinv", f"{name} square", apart([3, 3], dtype))
    case("lstsq", f"{name} a vector", apart([3, 2], dtype), draw.floats([3], dtype))
    a, b = apart([4, 2], dtype), draw.floats([4, 3], dtype)
    assert torch.allclose(lstsq(a, b), torch.linalg.lstsq(a, b).solution, rtol=1e-5)
case("eigh", "int32", t([[2, 1], [1, 3]], i32))
case("eigh", "diagonal", t([[3.0, 0.0, 0.0], [0.0, -1.0, 0.0], [0.0, 0.0, 2.0]]))
case("eigh", "one number", t([[-2.0]]))
case("svd", "int32, tall and filled up", t([[1, 2], [3, 4], [5, 7]], i32))
case("svd", "int32, wide and filled up", t([[1, 2, 3], [0, 4, -5]], i32))
case("svd", "negative", t([[-2.0, 0.0], [0.0, 1.0]]))
case("pinv", "rank 1", t([[1.0, 2.0], [2.0, 4.0], [3.0, 6.0]], f64))
case("pinv", "zeros", torch.zeros(2, 3), second=False)
case("pinv", "a cut", t([[3.0, 0.5], [0.0, 0.2]], f64), {"rcond": 0.1})
case("lstsq", "rank 1", t([[1.0, 2.0], [2.0, 4.0]], f64), t([1.0, 1.0], f64))
case("eigh", "empty", torch.zeros(0, 0), second=False)
case("eigh", "no matrices", torch.zeros(0, 2, 2), second=False)
case("svd", "no columns", torch.zeros(2, 0), {"fullMatrices": False}, second=False)
case("pinv", "no columns", torch.zeros(2, 0), second=False)
case("lstsq", "no columns", torch.zeros(2, 0), torch.ones(2, 1), second=False)

function("matrixExp", torch.linalg.matrix_exp, "product", 32)
for dtype in (f32, f64):
    name = NAMES[dtype]
    case("matrixExp", f"{name} a matrix", draw.floats([3, 3], dtype, -1.0, 1.0))
    case("matrixExp", f"{name} a batch", draw.floats([2, 2, 2], dtype))
    case("matrixExp", f"{name} of some size", draw.floats([2, 2], dtype) * 4)
case("matrixExp", "zeros", torch.zeros(2, 2, dtype=f64))
case("matrixExp", "nilpotent", t([[0.0, 1.0], [0.0, 0.0]], f64))
case("matrixExp", "one number", t([[-3.0]]))
case("matrixExp", "tiny", t([[1e-20, 0.0], [1e-30, -1e-20]], f64))
case("matrixExp", "empty", torch.zeros(0, 0), second=False)

def floats(call):
    return lambda a, *rest: call(floated(a), *rest)


def matrix_norm(a, options={}):
    return torch.linalg.matrix_norm(floated(a), ord=options.get("p", "fro"), keepdim=options.get("keepDims", False))


def matrix_rank(a, options={}):
    options = {"atol": options.get("atol"), "rtol": options.get("rtol"), "hermitian": options.get("hermitian", False)}
    return torch.linalg.matrix_rank(floated(a), **options)


def cholesky_solve(b, l, options={}):
    """The other triangle is not read, and yet PyTorch has a derivative by it."""
    upper = options.get("upper", False)
    x = torch.cholesky_solve(b if b.dim() > 1 else b.unsqueeze(-1), l.triu() if upper else l.tril(), upper=upper)
    return x if b.dim() > 1 else x.squeeze(-1)


function("logdet", floats(torch.logdet), "product", 16)
function("choleskySolve", cholesky_solve, "product", 16)
function("svdvals", floats(torch.linalg.svdvals), "product", 32)
function("eigvalsh", floats(lambda a: torch.linalg.eigvalsh((a + a.transpose(-1, -2)) / 2)), "product", 32)
function("matrixNorm", matrix_norm, "product", 32)
function("matrixRank", matrix_rank, "exact")
function("multiDot", lambda tensors: torch.linalg.multi_dot(tensors), "product", 2)
function("blockDiag", lambda tensors: torch.block_diag(*tensors), "exact")

draw = Draws("linalg, more")


for dtype in (f32, f64):
    name = NAMES[dtype]
    case("logdet", f"{name} a matrix", regular([3, 3], dtype))
    case("logdet", f"{name} a batch", regular([2, 2, 2], dtype))
    case("logdet", f"{name} negative", t([[0.0, 1.0], [2.0, 0.5]], dtype), second=False)
    for upper in (False, True):
        case("choleskySolve", f"{name} upper {upper}", draw.floats([2, 3, 2], dtype), regular([2, 3, 3], dtype), {"upper": upper})
    case("choleskySolve", f"{name} a vector", draw.floats([2], dtype), regular([2, 2], dtype))
    for shape in ([3, 3], [2, 3, 2], [2, 3]):
        case("svdvals", f"{name} {shape}", apart(shape, dtype))
        for p in ("fro", "nuc", 1, -1, 2, -2, INF, -INF):
            case("matrixNorm", f"{name} {shape}, {p}", apart(shape, dtype), {"p": p})
        case("matrixRank", f"{name} {shape}", apart(shape, dtype))
    a = apart([2, 3, 3], dtype)
    case("eigvalsh", f"{name} a batch", (a + a.transpose(-1, -2)) / 2)
    case("matrixNorm", f"{name} both axes kept", apart([2, 2, 2], dtype), {"keepDims": True})
    case("matrixRank", f"{name} ranks 2, 1 and 0", t([[[1.0, 2.0], [3.0, 4.0]], [[1.0, 2.0], [2.0, 4.0]], [[0.0, 0.0], [0.0, 0.0]]], dtype))
    diagonal = torch.diag(t([4.0, 1.0, -0.5], dtype))
    for options in ({"atol": 0.7}, {"rtol": 0.2}, {"atol": 0.1, "rtol": 0.3}, {"hermitian": True}, {"atol": 4.0, "hermitian": True}):
        case("matrixRank", f"{name} {options}", diagonal, options)
    case("multiDot", f"{name} two", [draw.floats([2, 3], dtype), draw.floats([3, 2], dtype)])
    case("multiDot", f"{name} four", [draw.floats(shape, dtype) for shape in ([2, 3], [3, 1], [1, 4], [4, 2])])
    case("multiDot", f"{name} between vectors", [draw.floats(shape, dtype) for shape in ([2], [2, 3], [3])])
    case("multiDot", f"{name} a column", [draw.floats(shape, dtype) for shape in ([2, 3], [3, 3], [3])])
    case("blockDiag", f"{name} of all ranks", [draw.floats(shape, dtype) for shape in ([2, 3], [2], [], [3, 1])])
case("logdet", "empty", torch.zeros(0, 0))
case("logdet", "int32", t([[2, 1], [1, 3]], i32))
case("choleskySolve", "empty", torch.zeros(0, 2), torch.zeros(0, 0), second=False)
case("eigvalsh", "int32", t([[2, 1], [1, 3]], i32))
case("eigvalsh", "empty", torch.zeros(0, 0), second=False)
case("svdvals", "no columns", torch.zeros(2, 0), second=False)
for p in ("fro", "nuc"):
    case("matrixNorm", f"no columns, {p}", torch.zeros(2, 0), {"p": p}, second=False)
    case("matrixNorm", f"int32, {p}", draw.integers([2, 2]), {"p": p})
case("matrixNorm", "no rows, 1", torch.zeros(0, 2), {"p": 1}, second=False)
case("matrixNorm", "zeros, fro", torch.zeros(2, 2), second=False)
case("matrixRank", "no columns", torch.zeros(2, 0))
case("matrixRank", "no matrices", torch.zeros(0, 2, 2))
case("matrixRank", "int32", t([[1, 2], [2, 4]], i32))
case("multiDot", "nothing inside", [torch.zeros(2, 0), torch.zeros(0, 3)])
case("blockDiag", "bool and one", [t([[True, False]], boolean)])
case("blockDiag", "nothing and something", [torch.zeros(0, 2), t([[1.0]])])
case("blockDiag", "float32 and float64", [t([1.0]), t([2.0], f64)])

write(__file__)
