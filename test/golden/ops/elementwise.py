"""Writes elementwise.json: rounding, elementary and special functions, element by element. See cases.py."""

import torch.nn.functional as F
from cases import *


FLOAT_ONLY = [torch.copysign]


def together(call):
    """The operands of one dtype first, so that derivatives are computed in that dtype too; integers stay among themselves."""

    def of(*args):
        operands = [x for x in args if not isinstance(x, dict)]
        options = [x for x in args if isinstance(x, dict)]
        dtypes = [x.dtype if torch.is_tensor(x) else i32 if isinstance(x, int) else f32 for x in operands]
        dtype = f64 if f64 in dtypes else f32 if f32 in dtypes or call in FLOAT_ONLY else i32
        return call(*[x.to(dtype) if torch.is_tensor(x) else torch.tensor(x, dtype=dtype) for x in operands], *options)

    return of


def floated(call):
    return lambda x: call(x if x.is_floating_point() else x.to(f32))


def nan_to_num(x, options={}):
    return torch.nan_to_num(x, options.get("nan", 0.0), options.get("posinf"), options.get("neginf"))


# NaN, infinities, both zeros; ties; tiny, subnormal and huge numbers of both signs.
EDGES = [NAN, INF, -INF, 0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 1.5, 2.5, -2.5]
FINITE = EDGES[3:]
SIZES32 = [1e-40, -1e-40, 1.5e-38, 1e-20, 1e-5, -1e-5, 88.0, -88.0, 1e5, -8388609.0, 1e20, -3e38]
SIZES64 = [5e-324, 1e-310, -1e-160, 1e-9, -1e-9, 700.0, -700.0, 1e9, -4503599627370497.5, 1e160, 1.7e308]


def unary(name, call, low, high, words, units=1, integers=False, edges=EDGES, sizes=(SIZES32, SIZES64), departures={}):
    function(name, call, words, units)
    draw = Draws(name)
    case(name, "float32 matrix", draw.floats([3, 4], f32, low, high))
    case(name, "float64 vector", draw.floats([9], f64, low, high))
    case(name, "float32 number", draw.floats([], f32, low, high))
    case(name, "empty", t([]).reshape(0, 3))
    if integers:
        case(name, "int32", t([0, 1, 2, -3, 2147483647], i32))
    for dtype, some in [(f32, sizes[0]), (f64, sizes[1])]:
        case(name, f"edges in {NAMES[dtype]}", t(edges, dtype), second=False, depart=departures.get("edges"))
        if some:
            case(name, f"sizes in {NAMES[dtype]}", t(some, dtype), second=False, depart=departures.get(NAMES[dtype]))


def binary(name, call, first, second, words, units=1, pairs=()):
    function(name, call, words, units)
    draw = Draws(name)
    case(name, "float32 matrix and vector", draw.floats([3, 4], f32, *first), draw.floats([4], f32, *second))
    case(name, "float64 vectors", draw.floats([7], f64, *first), draw.floats([7], f64, *second))
    case(name, "float32 and a number", draw.floats([5], f32, *first), 1.5)
    case(name, "float32 without axes", draw.floats([], f32, *first), draw.floats([], f32, *second))
    case(name, "empty", t([]), t([]))
    for dtype in [f32, f64]:
        x, y = (t(list(side), dtype) for side in zip(*pairs))
        case(name, f"edges in {NAMES[dtype]}", x, y, second=False)


# Rounding.

for name, call in [("floor", torch.floor), ("ceil", torch.ceil), ("round", torch.round), ("trunc", torch.trunc)]:
    unary(name, call, -3, 3, "exact elementwise signed", integers=True)
unary("frac", floated(torch.frac), -3, 3, "exact elementwise", edges=EDGES)
for name, call in [("isNaN", torch.isnan), ("isInf", torch.isinf), ("isFinite", torch.isfinite)]:
    unary(name, call, -3, 3, "exact elementwise", integers=True)
unary("nanToNum", nan_to_num, -3, 3, "exact elementwise", integers=True)
for dtype in [f32, f64]:
    case("nanToNum", f"all given, {NAMES[dtype]}", t(EDGES, dtype), {"nan": 1.5, "posinf": 2.5, "neginf": -7})

DIVISIONS = [(7.0, 2.0), (-7.0, 2.0), (7.0, -2.0), (-7.0, -2.0), (6.0, 3.0), (-6.0, 3.0), (1.0, 0.1), (0.3, 0.1)]
DIVISIONS += [(0.0, 2.0), (-0.0, 2.0), (1e5, 0.7), (123456.0, 0.001), (1e30, 1e25), (3e38, 2.5e38), (1e-40, 3e-42)]
QUOTIENTS = DIVISIONS[:12]
binary("fmod", together(torch.fmod), (-9, 9), (1, 3), "exact elementwise signed", pairs=QUOTIENTS)
SPECIAL = [(INF, 2.0), (2.0, INF), (-2.0, INF), (NAN, 1.0), (1.0, NAN), (1.0, 0.0), (0.0, 0.0)]
binary("remainder", together(torch.remainder), (-9, 9), (1, 3), "exact elementwise", pairs=QUOTIENTS)
binary(
    "floorDivide", together(lambda x, y: torch.floor_divide(x.detach(), y.detach())), (-9, 9), (1, 3),
    "exact elementwise", pairs=QUOTIENTS,
)
for name in ["fmod", "remainder"]:
    for dtype in [f32, f64]:
        x, y = (t(list(side), dtype) for side in zip(*(DIVISIONS[12:] + SPECIAL)))
        case(name, f"special values in {NAMES[dtype]}", x, y, second=False)
for dtype in [f32, f64]:
    x, y = (t(list(side), dtype) for side in zip(*[(3.0, 0.0), (-3.0, 0.0), (0.0, 0.0), (NAN, 1.0), (1.0, NAN)]))
    case("floorDivide", f"special values in {NAMES[dtype]}", x, y)

WHOLE = [(7, 2), (-7, 2), (7, -2), (-7, -2), (6, 3), (-6, 3), (6, -3), (0, 5), (0, -5), (2147483647, 2), (-2147483648, 3)]
WHOLE += [(2147483647, -1), (-2147483648, 1), (2147483647, 2147483647), (-2147483648, 2147483647), (1, -2147483648)]
for name in ["fmod", "remainder", "floorDivide"]:
    x, y = (t(list(side), i32) for side in zip(*WHOLE))
    case(name, "int32", x, y)
    case(name, "int32 and a whole number", x, -3)
    case(name, "int32 and a fraction", x[:9], 2.5)
    case(name, "int32 and float64", x[:9], t(2.5, f64), cotangent=None)

SIGNS = [(1.0, -2.0), (-1.0, 3.0), (2.0, -0.0), (-2.0, 0.0), (0.0, -1.0), (-0.0, 1.0), (2.0, -INF), (2.0, INF)]
binary("copysign", together(torch.copysign), (-2, 2), (-2, 2), "exact elementwise signed", pairs=SIGNS)
CHOICES = [(1.0, 2.0), (2.0, 1.0), (1.0, 1.0), (NAN, 1.0), (1.0, NAN), (NAN, NAN), (INF, 1.0), (-INF, INF), (INF, INF)]
binary("fmax", together(torch.fmax), (-2, 2), (-2, 2), "exact elementwise", pairs=CHOICES)
binary("fmin", together(torch.fmin), (-2, 2), (-2, 2), "exact elementwise", pairs=CHOICES)

function("lerp", together(torch.lerp), "elementwise cancelling", 4)
draw = Draws("lerp")
for dtype in [f32, f64]:
    case("lerp", f"{NAMES[dtype]}", draw.floats([2, 3], dtype), draw.floats([3], dtype), draw.floats([3], dtype, 0, 1))
case("lerp", "a number for the weight", t([1.0, 2.0, -3.0]), t([5.0, 2.0, 4.0]), 0.25)
case("lerp", "the ends", t([0.1, 0.1, 0.1]), t([0.7, 0.7, 0.7]), t([0.0, 1.0, 0.5]))
case("lerp", "empty", t([]), t([]), 0.5)


def scaled(call):
    return together(lambda x, a, b, options={}: call(x, a, b, value=options.get("value", 1)))


for name, call in [("addcmul", torch.addcmul), ("addcdiv", torch.addcdiv)]:
    function(name, scaled(call), "", 1)
    draw = Draws(name)
    for dtype in [f32, f64]:
        args = [draw.floats([2, 3], dtype), draw.floats([3], dtype), draw.floats([2, 1], dtype, 0.5, 2)]
        case(name, f"{NAMES[dtype]}", *args)
        case(name, f"{NAMES[dtype]} with a value", *[x.detach().clone() for x in args], {"value": -0.5})
    case(name, "numbers without axes", draw.floats([]), draw.floats([]), t(2.0))
    case(name, "empty", t([]), t([]), t([]))
    case(name, "edges", t([NAN, INF, 0.0, 1.0]), t([1.0, 1.0, INF, 2.0]), t([1.0, 1.0, 2.0, 4.0]), second=False)

for dtype in [f32, f64]:
    x, a, b = [1.0, 0.0, -2.0, NAN, 1.0], [3.0, 0.0, 1.0, 2.0, INF], [0.0, 0.0, -0.0, 1.0, INF]
    case("addcdiv", f"divisions by zero in {NAMES[dtype]}", t(x, dtype), t(a, dtype), t(b, dtype), second=False)
    ends = t([1.0, 2.0, INF, -INF, 3.0, NAN], dtype)
    weights = t([-0.5, 1.5, 0.25, 0.75, INF, 0.5], dtype)
    case("lerp", f"beyond the ends and edges in {NAMES[dtype]}", t([0.0, 1.0, 1.0, 1.0, 1.0, 1.0], dtype), ends, weights, second=False)

function("clamp", lambda x, low=None, high=None: torch.clamp(x, low, high), "exact elementwise")
draw = Draws("clamp")
for dtype in [f32, f64]:
    case("clamp", f"{NAMES[dtype]}", draw.floats([3, 4], dtype), -1.0, 0.5)
    case("clamp", f"edges in {NAMES[dtype]}", t(EDGES, dtype), -0.5, 1.5)
case("clamp", "from below", t(EDGES), 0.5)
case("clamp", "from above", t(EDGES), None, 0.5)
case("clamp", "at the boundary", t([-1.0, 1.0]), -1.0, 1.0)
case("clamp", "tensors for limits", t([-2.0, 0.3, 2.0]), t([-1.0, -1.5, -1.25]), t([0.5, 1.5, 1.25]))
case("clamp", "the limits the wrong way round", t([-2.0, 0.3, 2.0]), 1.0, -1.0)
WHY = "Where both limits are equal and x is below them PyTorch gives the gradient to neither, though the value moves with them"
for dtype in [f32, f64]:
    case("clamp", f"equal limits in {NAMES[dtype]}", t([1.0, 2.0, 0.5, NAN, INF, -INF], dtype), 1.0, 1.0)
    ends = [t([1.0] * 6, dtype), t([1.0] * 6, dtype)]
    case("clamp", f"equal tensors for limits in {NAMES[dtype]}", t([1.0, 2.0, 0.5, NAN, INF, -INF], dtype), *ends, cotangent=torch.ones(6, dtype=dtype), second=False, depart=(WHY, {("gradient 1", 2): 1.0, ("gradient 1", 5): 1.0}))
    x = [1.0, -1.0, 0.0, NAN, 1.0, 1.0, NAN, INF, -INF, INF, 5.0, 1.0]
    low = [1.0, -1.0, 0.0, 0.0, NAN, 0.0, NAN, 0.0, 0.0, INF, 3.0, 2.0]
    high = [2.0, 1.0, 0.0, 1.0, 2.0, NAN, 1.0, 1.0, 1.0, INF, 1.0, 0.5]
    case("clamp", f"edges of limits in {NAMES[dtype]}", t(x, dtype), t(low, dtype), t(high, dtype))
    case("clamp", f"a tensor for min in {NAMES[dtype]}", t(x, dtype), t(low, dtype))
    case("clamp", f"a tensor for max in {NAMES[dtype]}", t(x, dtype), None, t(high, dtype))
case("clamp", "int32", t([-9, 0, 9], i32), -2, 3)
case("clamp", "empty", t([]), 0.0, 1.0)
case("clamp", "a number without axes", t(2.0), 0.0, 1.0)

function("maskedFill", lambda x, mask, value: x.masked_fill(mask, value), "exact elementwise")
draw = Draws("maskedFill")
for dtype in [f32, f64]:
    case("maskedFill", f"{NAMES[dtype]}", draw.floats([3, 4], dtype), draw.bools([4]), -1.5)
    case("maskedFill", f"edges in {NAMES[dtype]}", t(EDGES, dtype), draw.bools([12]), -7.0)
case("maskedFill", "int32", t([-9, 0, 9], i32), t([True, False, True], boolean), 7)
case("maskedFill", "a tensor for the value", t([1.0, 2.0]), t([True, False], boolean), t(5.0))
case("maskedFill", "empty", t([]), t([], boolean), 1.0)

function("logicalXor", torch.logical_xor, "exact")
case("logicalXor", "all pairs", t([True, True, False, False], boolean), t([True, False, True, False], boolean))
case("logicalXor", "broadcast", t([[True], [False]], boolean), t([True, False], boolean))
case("logicalXor", "empty", t([], boolean), t([], boolean))

write(__file__)
