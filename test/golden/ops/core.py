"""Writes core.json: what PyTorch answers for the functions that everything else is made of. See cases.py.

One file, long as it is: the cases are a list to be read from top to bottom, and half of it is numbers.
"""

import itertools

import torch.nn.functional as F
from cases import *

# Our functions in PyTorch's words, with our arguments. A last argument that is a dict holds our options.


def axes_of(x, axis):
    return list(range(x.dim())) if axis is None else axis


def positions(size, start, end, step):
    """The entries that a slice names, as Python's own slices do."""
    return torch.tensor(list(range(*slice(start, end, step).indices(size))), dtype=torch.int64)


def operands(function):
    """
    PyTorch's functions of two tensors, for operands of which one may be a number. Both get one dtype first, so that
    derivatives are computed in that dtype too (pow's would take the logarithm of a float32 operand in float32).
    """

    def call(x, y):
        dtype = torch.result_type(x, y)
        x, y = (a.to(dtype) if torch.is_tensor(a) else torch.tensor(a, dtype=dtype) for a in (x, y))
        return function(x, y)

    return call


def matmul(x, y):
    dtype = torch.promote_types(x.dtype, y.dtype)
    return torch.matmul(x.to(dtype), y.to(dtype))


def argsort(x, axis=-1, options={}):
    return torch.sort(x, dim=axis, stable=True, descending=options.get("descending", False)).indices


def pad(x, widths, options={}):
    pairs = [(widths, widths)] * x.dim() if isinstance(widths, int) else widths
    mode = options.get("mode", "constant")
    if mode == "constant":
        return F.pad(x, [width for pair in reversed(pairs) for width in pair], value=options.get("value", 0))
    for axis, pair in enumerate(pairs):
        # The other modes know the last axis of three only.
        lines = x.movedim(axis, -1)
        padded = F.pad(lines.reshape(1, -1, lines.shape[-1]), list(pair), mode)
        x = padded.reshape(*lines.shape[:-1], -1).movedim(-1, axis)
    return x


def pytorch_slice(x, start=None, end=None, options={}):
    axis = options.get("axis", 0)
    return x.index_select(axis, positions(x.shape[axis], start, end, options.get("step", 1)))


def reduction(function):
    return lambda x, axis=None, options={}: function(x, axes_of(x, axis), options.get("keepDims", False))


def total(x, axes, keep):
    if axes == []:
        return x.clone()
    return x.sum(axes, keepdim=keep, dtype=i32 if x.dtype in (boolean, i32) else None)


def floated(x):
    return x if x.is_floating_point() else x.to(f32)


PYTORCH = {
    "add": operands(torch.add),
    "sub": operands(torch.sub),
    "mul": operands(torch.mul),
    "div": operands(torch.true_divide),
    "neg": torch.neg,
    "square": torch.square,
    "sqrt": torch.sqrt,
    "pow": operands(lambda x, y: torch.pow(floated(x), floated(y))),
    "exp": torch.exp,
    "expm1": torch.expm1,
    "log": torch.log,
    "log1p": torch.log1p,
    "sin": torch.sin,
    "cos": torch.cos,
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "erf": torch.erf,
    "abs": torch.abs,
    "sign": torch.sign,
    "relu": torch.relu,
    "heaviside": lambda x, y=0: operands(lambda a, b: torch.heaviside(a.detach(), b.detach()))(x, y),
    "maximum": operands(torch.maximum),
    "minimum": operands(torch.minimum),
    "where": lambda condition, x, y: operands(lambda a, b: torch.where(condition, a, b))(x, y),
    "eq": operands(torch.eq),
    "ne": operands(torch.ne),
    "lt": operands(torch.lt),
    "le": operands(torch.le),
    "gt": operands(torch.gt),
    "ge": operands(torch.ge),
    "logicalAnd": torch.logical_and,
    "logicalOr": torch.logical_or,
    "logicalNot": torch.logical_not,
    "cast": lambda x, dtype: x.to({name: dtype for dtype, name in NAMES.items()}[dtype]),
    "identity": torch.clone,
    "stopGradient": lambda x: x.detach().clone(),
    "reshape": lambda x, shape: x.reshape(shape),
    "permute": lambda x, axes: x.permute(axes),
    "transpose": lambda x, a=-2, b=-1: x.transpose(a, b),
    "broadcastTo": lambda x, shape: x.broadcast_to(shape),
    "sumTo": lambda x, shape: x.sum_to_size(shape),
    "slice": pytorch_slice,
    "pad": pad,
    "flip": lambda x, axis=None: x.flip(axes_of(x, axis)),
    "squeeze": lambda x, axis=None: x.squeeze() if axis is None else x.squeeze(axis),
    "unsqueeze": lambda x, axis: x.unsqueeze(axis),
    "sum": reduction(total),
    "mean": reduction(lambda x, axes, keep: floated(x).mean(axes, keepdim=keep)),
    "amax": reduction(lambda x, axes, keep: x.amax(axes, keepdim=keep)),
    "amin": reduction(lambda x, axes, keep: x.amin(axes, keepdim=keep)),
    "cumsum": lambda x, axis=-1: x.cumsum(axis, dtype=i32 if x.dtype in (boolean, i32) else None),
    "matmul": matmul,
    "gather": lambda x, axis, index: x.gather(axis, index.long()),
    "scatterAdd": lambda x, axis, index, source: x.scatter_add(axis, index.long(), source),
    "oneHot": lambda x, classes: F.one_hot(x.long(), classes).to(f32),
    "argsort": argsort,
    "cat": lambda xs, axis=0: torch.cat(xs, axis),
    "stack": lambda xs, axis=0: torch.stack(xs, axis),
    "softmax": lambda x, axis=-1: floated(x).softmax(axis),
    "logSoftmax": lambda x, axis=-1: floated(x).log_softmax(axis),
    "logsumexp": reduction(lambda x, axes, keep: floated(x).logsumexp(axes, keepdim=keep)),
}


EXACT = (
    "add sub mul div neg square sqrt abs sign relu heaviside maximum minimum where eq ne lt le gt ge logicalAnd "
    "logicalOr logicalNot cast identity stopGradient reshape permute transpose broadcastTo slice pad flip squeeze "
    "unsqueeze amax amin gather oneHot argsort cat stack"
).split()
ELEMENTWISE = (
    "add sub mul div neg square sqrt pow exp expm1 log log1p sin cos tanh sigmoid erf abs sign relu heaviside "
    "maximum minimum where cast identity stopGradient"
).split()
CANCELLING = "expm1 sin cos tanh sigmoid erf".split()
SIGNED = (
    "add sub mul div neg square sqrt abs expm1 log1p sin tanh erf where cast identity stopGradient reshape permute "
    "transpose broadcastTo slice pad flip squeeze unsqueeze gather cat stack"
).split()
WORDS = {"exact": EXACT, "elementwise": ELEMENTWISE, "cancelling": CANCELLING, "product": ["matmul"], "signed": SIGNED}
for name, call in PYTORCH.items():
    function(name, call, " ".join(word for word, names in WORDS.items() if name in names))

# Elementwise functions of one operand: the range of random operands, and edges.

UNARY = {
    "neg": (-2, 2),
    "square": (-2, 2),
    "sqrt": (0.2, 3),
    "exp": (-5, 5),
    "expm1": (-2, 2),
    "log": (0.2, 4),
    "log1p": (-0.7, 3),
    "sin": (-10, 10),
    "cos": (-10, 10),
    "tanh": (-3, 3),
    "sigmoid": (-8, 8),
    "erf": (-2.5, 2.5),
    "abs": (-2, 2),
    "sign": (-2, 2),
    "relu": (-2, 2),
    "heaviside": (-2, 2),
}
KEEPS_NAN = "NaN stays NaN and so does its derivative; PyTorch forgets it"
OVERFLOWS = "PyTorch overflows on the way to a finite number"
SWITCHED_OFF = "a cotangent of exactly 0 gives 0, whatever the partial derivative"

# NaN, infinities, both zeros; tiny, subnormal and huge numbers of both signs.
EDGES = [NAN, INF, -INF, 0.0, -0.0, 1.0, -1.0]
SIZES32 = [1e-40, -1e-40, 1.5e-38, 1e-20, -1e-20, 1e-5, -1e-5, 88.0, -88.0, 1e5, -1e5, 1e20, 3e38, -3e38]
SIZES64 = [5e-324, 1e-310, -1e-310, 1e-160, -1e-9, 1e-9, 700.0, -700.0, 1e9, 1e160, -1e160, 1.7e308]

for name, (low, high) in UNARY.items():
    draw = Draws(name)
    case(name, "float32 matrix", draw.floats([3, 4], f32, low, high))
    case(name, "float64 vector", draw.floats([9], f64, low, high))
    case(name, "float32 number", draw.floats([], f32, low, high))
    case(name, "float64 number", draw.floats([], f64, low, high))
    case(name, "empty", t([]).reshape(0, 3))
    forgotten = {
        "abs": {("gradient 0", 0): NAN},
        "relu": {("gradient 0", 0): NAN},
        "sign": {("value", 0): NAN},
        "heaviside": {("value", 0): NAN},
    }.get(name)
    for dtype, sizes in [(f32, SIZES32), (f64, SIZES64)]:
        depart = (KEEPS_NAN, forgotten) if forgotten else None
        case(name, f"edges in {NAMES[dtype]}", t(EDGES, dtype), depart=depart)
        largest = max(sizes)
        if name in ("log", "log1p", "sqrt"):
            sizes = [abs(x) if name != "log1p" else max(x, -0.99) for x in sizes]
        overflowing = {
            "log1p": {("value", i): float(torch.log(t(x, dtype))) for i, x in enumerate(sizes) if x >= largest},
            "erf": {("product 0", i): 0 for i, x in enumerate(sizes) if abs(x) >= largest},
        }.get(name)
        depart = (OVERFLOWS, overflowing) if overflowing else None
        case(name, f"tiny and huge in {NAMES[dtype]}", t(sizes, dtype), depart=depart)
for name in ["neg", "square", "abs", "sign", "relu"]:
    case(name, "int32", t([-7, 0, 5, 2147483647], i32))
for name in ["sqrt", "exp", "log", "sin", "tanh", "sigmoid"]:
    case(name, "int32", t([1, 2, 9], i32))
for name in ["exp", "expm1", "sigmoid", "tanh", "erf"]:
    case(name, "where float32 saturates", t([-200, -104, -87.5, -20, -9.5, -4, 4, 9.5, 20, 88.5, 89, 200]))
for name in ["sin", "cos"]:
    multiples = [k * math.pi / 4 for k in [1, 2, 3, 4, 8, 100, 4001]]
    case(name, "multiples of pi / 4 in float32", t(multiples))
    case(name, "multiples of pi / 4 in float64", t(multiples, f64))
case("heaviside", "with a value at zero", t([-1.5, 0, -0.0, 2]), 0.5)
case("heaviside", "with values at zero", t([[-1.0], [0.0]], f64), t([0.25, 0.75, 1], f64))

# A cotangent of 0 meets a partial derivative that is infinite or NaN.
off = t([0.0, 1.5])
case("sqrt", "switched off", t([0.0, 0.0]), cotangent=off, second=False, depart=(SWITCHED_OFF, {("gradient 0", 0): 0}))
case("log", "switched off", t([0.0, 0.0]), cotangent=off, second=False, depart=(SWITCHED_OFF, {("gradient 0", 0): 0}))
case("log1p", "switched off", t([-1.0, -1.0]), cotangent=off, second=False, depart=(SWITCHED_OFF, {("gradient 0", 0): 0}))
case(
    "div",
    "switched off",
    t([0.0, 1.0]),
    t([0.0, 0.0]),
    cotangent=off,
    second=False,
    depart=(SWITCHED_OFF, {("gradient 0", 0): 0, ("gradient 1", 0): 0}),
)
case(
    "pow",
    "switched off",
    t([0.0, -2.0]),
    t([-1.0, 0.5]),
    cotangent=t([0.0, 0.0]),
    second=False,
    depart=(SWITCHED_OFF, {("gradient 0", i): 0 for i in range(2)} | {("gradient 1", i): 0 for i in range(2)}),
)
case(
    "amax",
    "switched off",
    t([[1.0, NAN], [1.0, 2.0]]),
    1,
    cotangent=off,
    second=False,
    depart=(SWITCHED_OFF, {("gradient 0", 0): 0, ("gradient 0", 1): 0}),
)

# Elementwise functions of two operands.

BINARY = {
    "add": ((-2, 2), (-2, 2)),
    "sub": ((-2, 2), (-2, 2)),
    "mul": ((-2, 2), (-2, 2)),
    "div": ((-2, 2), (0.5, 3)),
    "pow": ((0.3, 2.5), (-2, 2)),
    "maximum": ((-2, 2), (-2, 2)),
    "minimum": ((-2, 2), (-2, 2)),
}
COMPARISONS = ["eq", "ne", "lt", "le", "gt", "ge"]
PAIRS = list(itertools.product([NAN, INF, -INF, 0.0, -0.0, 1.0, -2.5], repeat=2))

for name, (x, y) in BINARY.items():
    draw = Draws(name)
    case(name, "float32 matrices", draw.floats([2, 4], f32, *x), draw.floats([2, 4], f32, *y))
    case(name, "float64 vectors", draw.floats([6], f64, *x), draw.floats([6], f64, *y))
    case(name, "row and column in float32", draw.floats([3, 1], f32, *x), draw.floats([4], f32, *y))
    case(name, "number and matrix in float64", draw.floats([], f64, *x), draw.floats([2, 3], f64, *y))
    case(name, "float32 numbers", draw.floats([], f32, *x), draw.floats([], f32, *y))
    case(name, "batches that broadcast both ways", draw.floats([2, 1, 2], f32, *x), draw.floats([3, 1], f32, *y))
    case(name, "float32 and float64", draw.floats([3], f32, *x), draw.floats([3], f64, *y))
    case(name, "JavaScript number on the right", draw.floats([4], f32, *x), 1.7)
    case(name, "JavaScript number on the left", 1.7, draw.floats([4], f64, *y))
    case(name, "int32 and float32", draw.integers([3], 1, 9), draw.floats([3], f32, *y))
    case(name, "int32 and a whole number", draw.integers([3], 1, 9), 3)
    case(name, "int32 and a fraction", draw.integers([3], 1, 9), 2.5)
    case(name, "empty", t([]).reshape(0, 1), draw.floats([3], f32, *y))
    case(name, "pairs of edges in float32", t([a for a, _ in PAIRS]), t([b for _, b in PAIRS]), second=name != "pow")
    case(
        name,
        "pairs of edges in float64",
        t([a for a, _ in PAIRS], f64),
        t([b for _, b in PAIRS], f64),
        second=False,
    )
for name in ["add", "sub", "mul", "maximum", "minimum"]:
    case(name, "int32 wraps around", t([2147483647, -2147483648, 65537, 7], i32), t([1, -1, 65537, 0], i32))
for name in ["maximum", "minimum"]:
    case(name, "ties share the gradient", t([1.0, 2.0, -3.0, 0.0]), t([1.0, 2.0, -3.0, -0.0]))
for name in ["add", "sub", "mul", "div"]:
    sizes = [(3e38, 3e38), (1e-40, 1e-40), (1e-30, 1e-30), (1e20, -1e20), (1.0, 1e-8), (-3e38, 0.1)]
    case(name, "tiny and huge in float32", t([a for a, _ in sizes]), t([b for _, b in sizes]), second=False)
    sizes = [(1.7e308, 1.7e308), (1e-310, 1e-310), (1e-200, 1e-200), (1e160, -1e160), (1.0, 1e-17)]
    case(name, "tiny and huge in float64", t([a for a, _ in sizes], f64), t([b for _, b in sizes], f64), second=False)
POWERS = [
    (2.0, 10.0),
    (2.0, -149.0),
    (2.0, 127.5),
    (10.0, 38.0),
    (10.0, -44.0),
    (0.999, 5000.0),
    (1.001, 9000.0),
    (1e-30, 1.25),
    (1e30, -1.25),
    (1.5, 200.0),
    (7.25, 1.0),
    (7.25, 0.5),
    (7.25, -1.0),
]
case("pow", "tiny and huge in float32", t([a for a, _ in POWERS]), t([b for _, b in POWERS]), second=False)
case("pow", "tiny and huge in float64", t([a for a, _ in POWERS], f64), t([b for _, b in POWERS], f64), second=False)
NEGATIVE = [(-2.0, 3.0), (-2.0, 2.0), (-1.5, -3.0), (-1.5, 0.0), (-0.5, 7.0), (-3.0, 1.0)]
case("pow", "whole powers of negative numbers", t([a for a, _ in NEGATIVE]), t([b for _, b in NEGATIVE]), second=False)
for power in [0, 1, 2, 3, -1, 0.5]:
    case("pow", f"the power {power}", t([0.3, 1.0, 2.5, 4.0]), power)
for power in [0, 1, 2, 3]:
    case("pow", f"the power {power} at zero", t([0.0, -0.0], f64), power, second=False)

for name in COMPARISONS:
    draw = Draws("comparison")
    case(name, "float32 matrices", draw.integers([2, 4], -1, 1).to(f32), draw.integers([2, 4], -1, 1).to(f32))
    case(name, "row and column in float64", draw.integers([3, 1], -1, 1).to(f64), draw.integers([3], -1, 1).to(f64))
    case(name, "int32", draw.integers([6], -1, 1), draw.integers([6], -1, 1))
    case(name, "int32 and float32", t([1, 2, 3], i32), t([1.5, 2, 2.5]))
    case(name, "JavaScript number on the right", draw.integers([6], -1, 1).to(f32), 0)
    case(name, "JavaScript number on the left", 0, draw.integers([6], -1, 1).to(f32))
    case(name, "pairs of edges in float32", t([a for a, _ in PAIRS]), t([b for _, b in PAIRS]))
    case(name, "empty", t([]), t([]))
for name in ["eq", "ne"]:
    case(name, "bool", t([True, True, False, False], boolean), t([True, False, True, False], boolean))

TRUTHS = (t([[True], [False]], boolean), t([True, False], boolean))
case("logicalAnd", "bool row and column", *TRUTHS)
case("logicalOr", "bool row and column", *TRUTHS)
case("logicalNot", "bool", TRUTHS[1])
for name in ["logicalAnd", "logicalOr"]:
    case(name, "empty", t([], boolean), t([], boolean))
    case(name, "numbers without axes", t(True, boolean), t(False, boolean))
case("logicalNot", "empty", t([], boolean))

draw = Draws("where")
case("where", "float32 matrices", draw.bools([2, 3]), draw.floats([2, 3]), draw.floats([2, 3]))
case("where", "float64, all broadcast", draw.bools([2, 1, 1]), draw.floats([3, 1], f64), draw.floats([2], f64))
case("where", "a JavaScript number", draw.bools([4]), draw.floats([4]), 0)
case("where", "int32", draw.bools([4]), draw.integers([4]), draw.integers([4]))
case("where", "empty", t([], boolean), t([]), t([]))
case("where", "numbers without axes", t(True, boolean), t(1.5), t(-2.5))
case(
    "where",
    "edges",
    t([True, False, True, False, True, False], boolean),
    t([NAN, NAN, -0.0, 0.0, INF, INF]),
    t([1.0, 1.0, 0.0, -0.0, NAN, -INF]),
)

draw = Draws("cast")
case("cast", "float32 to float64", draw.floats([2, 3]), "float64")
case("cast", "float64 to float32", t([0.1, -1 / 3, 1e-42, 1e-50, 3.5e38, 1 + 2**-24, -0.0, NAN, -INF], f64), "float32")
case("cast", "float32 to int32", t([1.9, -1.9, -0.5, 0.0, 2e9]), "int32")
case("cast", "float64 to bool", t([0.0, -0.0, 1e-300, NAN, INF, -2.0], f64), "bool")
case("cast", "int32 to float32", t([1, -7, 16777217, 2147483647], i32), "float32")
case("cast", "bool to float64", t([True, False], boolean), "float64")
case("cast", "bool to int32", t([True, False], boolean), "int32")
case("cast", "empty", t([]).reshape(2, 0), "float64")

# Movement.

SPECIAL = [1.5, -0.0, NAN, INF, -INF, 1e-40]
CALLS = {
    "identity": [([2, 3],), ([],), ([0],)],
    "stopGradient": [([2, 3],), ([],), ([0],)],
    "reshape": [([2, 6], [3, 4]), ([2, 6], [-1]), ([2, 3], [1, 3, -1]), ([1, 1], []), ([], [1, 1]), ([0, 3], [3, 0])],
    "permute": [([2, 3, 4], [2, 0, 1]), ([2, 3, 2], [1, 2, 0]), ([2, 3], [-1, 0]), ([], []), ([0, 2], [1, 0])],
    "transpose": [([2, 3],), ([2, 3, 2],), ([2, 3, 2], 0, -1), ([2, 3, 2], 0, 1), ([3, 0],)],
    "broadcastTo": [([3], [2, 3]), ([2, 1], [2, 3]), ([], [2, 2]), ([1, 3, 1], [2, 2, 3, 2]), ([1], [0]), ([2], [2])],
    "sumTo": [([2, 3], [3]), ([2, 3], [2, 1]), ([2, 2], []), ([2, 2, 3, 2], [1, 3, 1]), ([0, 2], [2]), ([2], [2])],
    "slice": [
        ([5], 1, 4),
        ([5],),
        ([5], -2),
        ([5], None, -1),
        ([5], 1, 100),
        ([5], -100, 2),
        ([5], 4, 2),
        ([5], 5, None),
        ([4, 3], 1, 3, {"axis": 1}),
        ([2, 4], 1, None, {"axis": -1}),
        ([7], 1, None, {"step": 2}),
        ([7], None, None, {"step": 3}),
        ([2, 6], 1, 5, {"axis": 1, "step": 3}),
        ([0], None, None, {"step": 2}),
    ],
    "pad": [([2, 2], [[1, 0], [0, 2]]), ([3], 1), ([], []), ([2, 1], 0), ([0], [[1, 2]]), ([1, 2, 1], 1)],
    "flip": [([2, 3],), ([2, 3], 0), ([2, 3], -1), ([2, 2, 2], [0, 2]), ([],), ([0, 2], 0), ([3, 1], 1)],
    "squeeze": [([1, 3, 1],), ([1, 3, 1], 0), ([1, 3, 1], -1), ([1],), ([2],), ([0, 1],)],
    "unsqueeze": [([3], 0), ([3], 1), ([3], -1), ([2, 3], 1), ([], 0), ([0, 2], -3)],
    "sum": [
        ([2, 3],),
        ([2, 3], 0),
        ([2, 3], -1),
        ([2, 3], 1, {"keepDims": True}),
        ([2, 3, 2], [0, 2]),
        ([2, 3, 2], [-1, 0], {"keepDims": True}),
        ([2, 3], None, {"keepDims": True}),
        ([2, 3], []),
        ([],),
        ([0, 3], 0),
        ([0, 3], 1),
        ([3, 40],),
        ([3, 40], 1),
        ([40, 3], 0),
    ],
    "mean": [
        ([2, 3],),
        ([2, 3], 0),
        ([2, 3, 2], [0, 2]),
        ([2, 3], 1, {"keepDims": True}),
        ([],),
        ([0, 3], 0),
        ([0, 3], 1),
        ([40, 3], 0),
    ],
    "amax": [([2, 3],), ([2, 3], 0), ([2, 3], -1), ([2, 3, 2], [0, 2]), ([2, 3], 1, {"keepDims": True}), ([],), ([0, 3], 1)],
    "cumsum": [([5],), ([3, 4],), ([3, 4], 0), ([2, 3, 2], 1), ([0],), ([2, 0],), ([1],)],
    "softmax": [([5],), ([2, 4],), ([3, 2], 0), ([2, 3, 2], 1), ([1],), ([0, 3],)],
    "logsumexp": [([5],), ([2, 4], 1), ([3, 2], 0), ([2, 3, 2], [0, 2]), ([2, 3], 1, {"keepDims": True}), ([2, 2],), ([0, 3], 1)],
}
CALLS["amin"] = CALLS["amax"]
CALLS["logSoftmax"] = CALLS["softmax"]
MOVEMENT = ["identity", "stopGradient", "reshape", "permute", "transpose", "broadcastTo", "slice", "flip", "unsqueeze"]
SCALED = ["softmax", "logSoftmax", "logsumexp"]

for name, calls in CALLS.items():
    draw = Draws(name)
    for i, (shape, *rest) in enumerate(calls):
        dtype = f64 if i % 3 == 1 else f32
        words = "".join(f", {json.dumps(x)}" for x in rest)
        case(name, f"{NAMES[dtype]} {shape}{words}", draw.floats(shape, dtype, -3, 3), *rest)
for name in MOVEMENT:
    shape, rest = {
        "reshape": ([2, 3], [[6]]),
        "permute": ([2, 3], [[1, 0]]),
        "transpose": ([2, 3], []),
        "broadcastTo": ([6, 1], [[6, 2]]),
        "slice": ([6], [0, 5]),
        "flip": ([6], []),
        "unsqueeze": ([6], [1]),
    }.get(name, ([6], []))
    case(name, "edges", t(SPECIAL).reshape(shape), *rest)
    case(name, "int32", torch.arange(6, dtype=i32).reshape(shape), *rest)
    case(name, "bool", t([True, False] * 3, boolean).reshape(shape), *rest)
for start, end, step in [(None, None, -1), (4, 1, -1), (None, None, -2), (-1, -4, -2), (1, 4, -1), (100, None, -3)]:
    # Steps walk backwards as in Python.
    case("slice", f"{start}, {end} in steps of {step}", Draws("slice", start).floats([6]), start, end, {"step": step})
case("pad", "edges", t(SPECIAL), 1)
case("pad", "int32", t([[1, 2]], i32), 1)
case("pad", "value", Draws("pad", "value").floats([2, 2]), [[1, 0], [0, 2]], {"value": -1.5})
case("pad", "infinity", Draws("pad", "infinity").floats([2], f64), 2, {"value": -INF})
case("pad", "int32, value", t([[1, 2]], i32), 1, {"value": 7})
for mode in ["reflect", "replicate", "circular"]:
    for dtype in [f32, f64]:
        draw = Draws("pad", mode, NAMES[dtype])
        case("pad", f"{mode}, {NAMES[dtype]}", draw.floats([4], dtype), [[3, 2]], {"mode": mode})
        case("pad", f"{mode}, two axes, {NAMES[dtype]}", draw.floats([3, 4], dtype), [[2, 0], [1, 3]], {"mode": mode})
        case("pad", f"{mode}, three axes, {NAMES[dtype]}", draw.floats([2, 3, 2], dtype), 1, {"mode": mode})
    case("pad", f"{mode}, no width", Draws("pad", mode).floats([2]), 0, {"mode": mode})
    case("pad", f"{mode}, edges", t(SPECIAL), 2, {"mode": mode})
case("pad", "replicate, far", Draws("pad", "far").floats([2]), [[3, 5]], {"mode": "replicate"})
case("pad", "circular, whole", Draws("pad", "whole").floats([2]), 2, {"mode": "circular"})
case("squeeze", "edges", t(SPECIAL).reshape(1, 6), 0)

# Reductions.

case("sum", "int32", t([[1, -2], [3, 4]], i32), 0)
case("sum", "int32 over everything", t([7, 8, -3], i32))
case("sum", "bool", t([True, False, True], boolean))
case("sum", "edges in float32", t([[INF, 1.0], [INF, -INF], [NAN, 1.0], [3e38, 3e38], [1e-40, 1e-40], [1e20, 1.0]]), 1)
case("sum", "edges in float64", t([[INF, 1.0], [INF, -INF], [NAN, 1.0], [1.7e308, 1.7e308], [5e-324, 5e-324]], f64), 1)
case("sum", "cancellation", t([1e8, 1.0, -1e8, 1e-8] * 5))
case("sum", "a thousand float32", Draws("sum").floats([1000], f32, -3, 3), second=False, cotangent=t(2.0))
case("mean", "int32", t([[1, -2], [3, 5]], i32), 0)
case("mean", "bool", t([True, False, True], boolean))
case("mean", "edges", t([[INF, 1.0], [INF, -INF], [NAN, 1.0], [1e-40, 1e-40]]), 1)
case("cumsum", "int32", t([1, -2, 2147483647, 2], i32))
case("cumsum", "bool", t([True, False, True], boolean))
case("cumsum", "edges", t([[1.0, INF, 2.0, -INF, 1.0], [NAN, 1.0, 2.0, 3.0, 4.0], [3e38, -3e38, 1e-40, 0.0, 1e20]]), 1)
for name in ["amax", "amin"]:
    for dtype in [f32, f64]:
        case(name, f"ties over everything in {NAMES[dtype]}", t([[2.0, -1.0, 2.0], [-1.0, 2.0, -1.0]], dtype))
        case(name, f"ties along an axis in {NAMES[dtype]}", t([[1.0, 1.0, 1.0], [0.0, 5.0, 5.0], [-4.0, -4.0, 2.0]], dtype), 1)
        case(name, f"edges in {NAMES[dtype]}", t([[NAN, 1.0], [1.0, NAN], [INF, -INF], [INF, INF], [-INF, -INF]], dtype), 1)
        case(name, f"zeros of both signs in {NAMES[dtype]}", t([[0.0, -0.0], [-0.0, 0.0]], dtype), 1)
    case(name, "int32", t([[3, -2147483648, 5], [2147483647, 0, -1]], i32), 1)
    case(name, "forty elements", Draws(name).floats([40], f32, -3, 3))
for name in SCALED:
    axis = [1]
    for dtype, large in [(f32, 200.0), (f64, 2000.0)]:
        case(name, f"large differences in {NAMES[dtype]}", t([[large, 0.0, -large], [large, large, large], [-large, -large, 1 - large]], dtype), *axis)
        case(name, f"minus infinity in {NAMES[dtype]}", t([[-INF, 0.0, 1.0], [-INF, -INF, 3.0]], dtype), *axis)
        case(name, f"nothing but infinities in {NAMES[dtype]}", t([[-INF, -INF], [INF, INF], [INF, -INF], [INF, 1.0], [NAN, 1.0]], dtype), *axis)
        case(name, f"ties in {NAMES[dtype]}", t([[0.5, 0.5, 0.5, 0.5], [1.0, 1.0, -1.0, -1.0]], dtype), *axis)
    case(name, "int32", t([[1, 2, 3]], i32), *axis)

# Products of matrices.

draw = Draws("matmul")
MATMULS = [
    ([2, 3], [3, 4]),
    ([3], [3]),
    ([3], [3, 2]),
    ([2, 3], [3]),
    ([2, 2, 3], [2, 3, 2]),
    ([2, 2, 3], [3, 2]),
    ([2, 3], [2, 3, 2]),
    ([2, 1, 1, 3], [3, 3, 2]),
    ([1, 2, 2], [3, 2, 1]),
    ([2, 2, 3], [3]),
    ([3], [2, 3, 2]),
    ([1, 1], [1, 1]),
    ([2, 0], [0, 3]),
    ([0, 2], [2, 3]),
    ([0], [0]),
    ([0, 2, 3], [3, 2]),
    ([2, 30], [30, 2]),
]
for i, (left, right) in enumerate(MATMULS):
    for dtype in [f32, f64] if i < 4 else [f64 if i % 3 == 0 else f32]:
        case("matmul", f"{NAMES[dtype]} {left} {right}", draw.floats(left, dtype), draw.floats(right, dtype))
case("matmul", "int32", draw.integers([2, 3]), draw.integers([3, 2]))
case("matmul", "float32 and float64", draw.floats([2, 2]), draw.floats([2, 2], f64))
# Cotangents of 0 meet infinities as in IEEE: here the departure ends.
case("matmul", "edges", t([[INF, 0.0], [NAN, 1.0], [1.0, -INF]]), t([[1.0, 0.0], [2.0, INF]]), second=False)
case("matmul", "zeros meet infinities", t([[INF, 1.0]]), t([[0.0], [0.0]]), cotangent=t([[0.0]]), second=False)
case("mul", "zeros meet infinities", t([INF, 0.0]), t([0.0, INF]), cotangent=t([0.0, 0.0]), second=False)
case("matmul", "tiny and huge", t([[1e30, 1e-30], [1e-25, 1e-25]]), t([[1e10, 1e-10], [1e-20, 1e30]]), second=False)

# Indexing and joining.

for dtype in [f32, f64]:
    draw = Draws("indexing", NAMES[dtype])
    for axis in [0, 1, -1]:
        along = axis % 2
        places = [2, 3]
        places[along] = 4
        index = draw.integers(places, 0, [2, 3][along] - 1)
        case("gather", f"{NAMES[dtype]} along {axis}", draw.floats([2, 3], dtype), axis, index)
        case("scatterAdd", f"{NAMES[dtype]} along {axis}", draw.floats([2, 3], dtype), axis, index, draw.floats(places, dtype))
    case("gather", f"a batch of {NAMES[dtype]}", draw.floats([2, 3, 2], dtype), 1, draw.integers([2, 1, 2], 0, 2))
    case("scatterAdd", f"one place many times in {NAMES[dtype]}", draw.floats([2], dtype), 0, t([1] * 5, i32), draw.floats([5], dtype))
case("gather", "edges", t(SPECIAL), 0, t([5, 4, 3, 2, 1, 0, 0], i32))
case("gather", "int32", t([7, 8, 9], i32), 0, t([2, 2, 0], i32))
case("gather", "empty", t([1.0, 2.0]), 0, t([], i32))
case("scatterAdd", "edges", t([0.0, 1.0, INF, NAN]), 0, t([0, 1, 2, 3, 1], i32), t([NAN, INF, -INF, 1.0, 1.0]))
case("scatterAdd", "int32", t([7, 8, 9], i32), 0, t([2, 2, 0], i32), t([1, 2, 3], i32))
case("scatterAdd", "empty", t([1.0, 2.0]), 0, t([], i32), t([]))
case("oneHot", "a vector", t([0, 2, 1], i32), 3)
case("oneHot", "a matrix", t([[0, 1], [3, 3]], i32), 4)
case("oneHot", "a number without axes", t(1, i32), 2)
case("oneHot", "one class", t([0, 0], i32), 1)

for descending in [False, True]:
    options = {"descending": descending}
    word = "descending" if descending else "ascending"
    case("argsort", f"{word}, float32", Draws("argsort").floats([2, 4]), -1, options)
    case("argsort", f"{word}, float64 along the first axis", Draws("argsort").floats([4, 2], f64), 0, options)
    case("argsort", f"{word}, ties keep their order", t([2.0, 1.0, 2.0, 1.0, 0.0, 2.0]), -1, options)
    case("argsort", f"{word}, zeros of both signs are equal", t([0.0, -0.0, 0.0, -0.0]), -1, options)
    case("argsort", f"{word}, edges", t([NAN, INF, -INF, 0.0, NAN, 1.0, -1.0]), -1, options)
    case("argsort", f"{word}, int32", t([3, -1, 3, 2147483647, -2147483648], i32), -1, options)
    case("argsort", f"{word}, empty", t([]), -1, options)
    case("argsort", f"{word}, thirty ties", Draws("ties").integers([30], 0, 3).to(f32), -1, options)
case("argsort", "one element", t([[1.0], [2.0]]))

draw = Draws("join")
case("cat", "float32 along 0", [draw.floats([2, 2]), draw.floats([1, 2]), draw.floats([3, 2])])
case("cat", "float64 along 1", [draw.floats([2, 2], f64), draw.floats([2, 1], f64)], 1)
case("cat", "float32 along -1", [draw.floats([2, 1, 2]), draw.floats([2, 1, 1])], -1)
case("cat", "one tensor", [draw.floats([3])])
case("cat", "an empty part", [draw.floats([2, 2]), t([]).reshape(0, 2)])
case("cat", "nothing but empty parts", [t([]), t([])])
case("cat", "float32 and float64", [draw.floats([2]), draw.floats([2], f64)])
case("cat", "int32 and float32", [t([1, 2], i32), draw.floats([2])])
case("cat", "int32", [t([1, 2], i32), t([3], i32)])
case("cat", "edges", [t(SPECIAL[:3]), t(SPECIAL[3:])])
case("stack", "float32 along 0", [draw.floats([2, 2]), draw.floats([2, 2])])
case("stack", "float64 along 1", [draw.floats([3], f64), draw.floats([3], f64), draw.floats([3], f64)], 1)
case("stack", "float32 along -1", [draw.floats([2, 1]), draw.floats([2, 1])], -1)
case("stack", "numbers without axes", [draw.floats([]), draw.floats([])])
case("stack", "one tensor", [draw.floats([2])])
case("stack", "empty", [t([]), t([])])
case("stack", "int32", [t([1, 2], i32), t([3, 4], i32)])
case("stack", "edges", [t(SPECIAL[:3]), t(SPECIAL[3:])], 1)

write(__file__)
