"""Writes special.json: what PyTorch answers for special functions. See cases.py."""

import mpmath

from cases import *

function("erfc", lambda x: torch.erfc(x if x.is_floating_point() else x.to(f32)), "elementwise cancelling", 2)
draw = Draws("erfc")
PLACES = [0.84, 0.9, 1.24, 1.3, 2.8, 2.9, 5.0, 9.0, -5.0, 1e-5, 0.0, -0.0, INF, -INF, NAN]
for dtype in [f32, f64]:
    case("erfc", f"{NAMES[dtype]} matrix", draw.floats([3, 4], dtype, -2.5, 2.5))
    case("erfc", f"places in {NAMES[dtype]}", t(PLACES, dtype), second=False)
case("erfc", "number", draw.floats([]))
case("erfc", "int32", t([0, 1, -1], i32))
case("erfc", "empty", t([]).reshape(0, 3))


def floats(call):
    return lambda x: call(x if x.is_floating_point() else x.to(f32))


def wide(call):
    """PyTorch's float32 form is off by many units near poles; its float64 form, rounded, is not."""
    return lambda x: call(x.to(f64)).to(x.dtype if x.is_floating_point() else f32)


function("erfinv", floats(torch.erfinv), "elementwise cancelling", 3)
draw = Draws("erfinv")
PLACES = [0.85, 0.851, -0.99, 1e-5, 1e-30, -1e-40, 0.0, -0.0, 1.0, -1.0, 1.5, -2.0, INF, -INF, NAN]
for dtype in [f32, f64]:
    case("erfinv", f"{NAMES[dtype]} matrix", draw.floats([3, 4], dtype, -0.9, 0.9))
    case("erfinv", f"places in {NAMES[dtype]}", t(PLACES, dtype), second=False)
case("erfinv", "number", draw.floats([], f32, -0.9, 0.9))
case("erfinv", "int32", t([0, 1, -1, 2], i32))
case("erfinv", "empty", t([]).reshape(0, 3))

# PyTorch's derivative of sinc is a difference that loses digits near 0, and its second derivative at 0 is 0: that of the unit
# tests is -pi^2 / 3.
function("sinc", wide(torch.sinc), "cancelling", 2)
draw = Draws("sinc")
for dtype in [f32, f64]:
    case("sinc", f"{NAMES[dtype]} matrix", draw.floats([3, 4], dtype, -4, 4))
    case("sinc", f"whole numbers and halves in {NAMES[dtype]}", t([1.0, -2.0, 0.5, -1.5, 3.0], dtype))
    case("sinc", f"zeros in {NAMES[dtype]}", t([0.0, -0.0], dtype), second=False)
    case("sinc", f"places in {NAMES[dtype]}", t([0.3, -0.3, 1e5, 123456.7, INF, -INF, NAN], dtype), second=False)
case("sinc", "near 0", t([1e-3, -1e-4]))
case("sinc", "number", draw.floats([], f32, 0.3, 2))
case("sinc", "int32", t([0, 1, -1, 2], i32))
case("sinc", "empty", t([]).reshape(0, 3))

POSITIVE = [0.25, 0.5, 1.0, 1.25, 2.0, 2.5, 3.0, 7.5, 8.0, 12.0, 20.0, 100.0, 1e5, 1e-5, 1e-30, 1e30]
NEGATIVE = [-0.25, -0.375, -0.75, -1.25, -1.75, -2.25, -3.25, -4.875, -10.25, -1e-5, -1e-30]
ENDS = [0.0, -0.0, -1.0, -2.0, INF, -INF, NAN]


class Psi(torch.autograd.Function):
    """The n-th derivative of digamma. PyTorch's own for n = 1 is off by 1e-9 even in float64, its zeta function is not."""

    @staticmethod
    def forward(context, n, x):
        context.n = n
        context.save_for_backward(x)
        if n != 1:
            return torch.digamma(x) if n == 0 else torch.polygamma(n, x)
        reflected = (math.pi / torch.sin(math.pi * (x - x.round()))) ** 2 - torch.special.zeta(2.0, 1 - x)
        finite = torch.where((x > 0) | (x == x.floor()), torch.special.zeta(2.0, x), reflected)
        return torch.where(x.isinf(), torch.polygamma(1, x), finite)

    @staticmethod
    def backward(context, g):
        return None, g * Psi.apply(context.n + 1, *context.saved_tensors)


class LogGamma(torch.autograd.Function):
    @staticmethod
    def forward(context, x):
        context.save_for_backward(x)
        return torch.lgamma(x)

    @staticmethod
    def backward(context, g):
        return g * Psi.apply(0, *context.saved_tensors)


function("lgamma", wide(LogGamma.apply), "elementwise cancelling", 2)
draw = Draws("lgamma")
for dtype in [f32, f64]:
    case("lgamma", f"{NAMES[dtype]} matrix", draw.floats([3, 4], dtype, 0.2, 5))
    case("lgamma", f"positive in {NAMES[dtype]}", t(POSITIVE, dtype), second=False)
    case("lgamma", f"negative in {NAMES[dtype]}", t(NEGATIVE, dtype), second=False)
    case("lgamma", f"near 1 and 2 in {NAMES[dtype]}", t([1 + 2**-20, 1 - 2**-23, 2 + 2**-18, 2 - 2**-22], dtype))
    case("lgamma", f"ends in {NAMES[dtype]}", t(ENDS, dtype), second=False)
case("lgamma", "number", draw.floats([], f32, 0.3, 2))
case("lgamma", "int32", t([0, 1, -1, 2, 9], i32))
case("lgamma", "empty", t([]).reshape(0, 3))

function("digamma", wide(lambda x: Psi.apply(0, x)), "elementwise cancelling", 2)
draw = Draws("digamma")
for dtype in [f32, f64]:
    case("digamma", f"{NAMES[dtype]} matrix", draw.floats([3, 4], dtype, 0.2, 5))
    case("digamma", f"positive in {NAMES[dtype]}", t(POSITIVE, dtype), second=False)
    case("digamma", f"negative in {NAMES[dtype]}", t(NEGATIVE, dtype), second=False)
    case("digamma", f"ends in {NAMES[dtype]}", t(ENDS, dtype), second=False)
case("digamma", "number", draw.floats([], f32, 0.3, 2))
case("digamma", "int32", t([0, 1, -1, 2, 9], i32))
case("digamma", "empty", t([]).reshape(0, 3))


function("polygamma", lambda n, x: wide(lambda y: Psi.apply(n, y))(x), "elementwise cancelling", 4)
draw = Draws("polygamma")
for n in [0, 1, 2, 3, 6]:
    for dtype in [f32, f64]:
        case("polygamma", f"order {n}, {NAMES[dtype]}", n, draw.floats([6], dtype, 0.3, 5))
    case("polygamma", f"order {n}, positive", n, t(POSITIVE, f64), second=False)
    case("polygamma", f"order {n}, negative", n, t(NEGATIVE, f64), second=False)
    there = {("value", 4): 0.0, ("value", 5): NAN} if n > 1 else {}
    there |= {("gradient 0", 4): 0.0, ("gradient 0", 5): NAN} if n > 0 else {}
    why = "Beyond order 1 PyTorch has NaN at infinity, where the limit is 0, and poles at -infinity, where there is no limit"
    case("polygamma", f"order {n}, ends", n, t(ENDS, f64), second=False, depart=(why, there))
case("polygamma", "number", 1, draw.floats([], f32, 0.3, 2))
case("polygamma", "int32", 2, t([1, 2, 9], i32))
case("polygamma", "empty", 1, t([]).reshape(0, 3))

function("logit", lambda x, options={}: torch.logit(x if x.is_floating_point() else x.to(f32), options.get("eps")), "elementwise cancelling", 4)
draw = Draws("logit")
for dtype in [f32, f64]:
    case("logit", f"{NAMES[dtype]} matrix", draw.floats([3, 4], dtype, 0.01, 0.4))
    case("logit", f"{NAMES[dtype]} above the middle", draw.floats([5], dtype, 0.6, 0.99))
    case("logit", f"{NAMES[dtype]} with eps", t([0.001, 0.125, 0.75, 0.999, -1.0, 2.0], dtype), {"eps": 0.0625})
    case("logit", f"places in {NAMES[dtype]}", t([0.5, 0.0, 1.0, NAN, 1e-30], dtype), second=False)
    case(
        "logit",
        f"beyond 0 and 1 in {NAMES[dtype]}",
        t([-1.0, 2.0], dtype),
        cotangent=t([2.0, 2.0], dtype),
        second=False,
        depart=("the derivative is that of the logarithms, as that of log is", {("gradient 0", i): -1.0 for i in range(2)}),
    )
case("logit", "number", t(0.25))
case("logit", "int32", t([0, 1, 2], i32))
case("logit", "empty", t([]).reshape(0, 3))


def lower_series(a, x):
    """The lower function as a sum of positive terms: PyTorch has no derivative by `a`, but one of every order of this."""
    term = total = torch.ones_like(a * x)
    for n in range(1, 300):
        term = term * x / (a + n)
        total = total + term
    return total * torch.exp(torch.xlogy(a, x) - x - LogGamma.apply(a + 1))


def incomplete(call, sign):
    """
    PyTorch's value, and the derivatives of the series where both operands are positive and not large. From `a` = 20 on the value is off
    by 1e-9 even in float64, where the unit tests have numbers of their own.
    """

    def answer(a, x):
        a, x = torch.broadcast_tensors(torch.as_tensor(a), torch.as_tensor(x))
        kind = a.dtype if a.is_floating_point() else x.dtype if x.is_floating_point() else f32
        a, x = a.to(f64), x.to(f64)
        regular = (a > 0) & (x > 0) & (a < 60) & (x < 100)
        series = lower_series(torch.where(regular, a, 1.0), torch.where(regular, x, 1.0))
        return (call(a, x).detach() + sign * (series - series.detach())).to(kind)

    return answer


ENDS_OF_BOTH = [[0.0, 1.0], [1.0, 0.0], [0.5, 0.0], [2.0, INF], [INF, 2.0], [-1.0, 1.0], [1.0, -1.0], [NAN, 1.0], [1.0, NAN], [INF, INF], [0.0, 0.0], [0.0, INF], [INF, 0.0]]
LARGE = [[1e3, 1e3], [1e3, 950.0], [1e4, 10100.0], [1e6, 1e6], [1e6, 998e3], [200.0, 120.0], [300.0, 390.0]]
for name, call, sign in [("gammainc", torch.special.gammainc, 1), ("gammaincc", torch.special.gammaincc, -1)]:
    function(name, incomplete(call, sign), "elementwise cancelling", 32)
    draw = Draws(name)
    for dtype in [f32, f64]:
        case(name, f"{NAMES[dtype]} matrices", draw.floats([3, 4], dtype, 0.1, 6), draw.floats([4], dtype, 0.1, 8))
        case(name, f"small in {NAMES[dtype]}", t([1e-3, 0.02, 0.5, 1.0], dtype), t([0.01, 1.5, 1e-5, 1e-3], dtype))
        case(name, f"of tens in {NAMES[dtype]}", draw.floats([6], dtype, 10, 20), draw.floats([6], dtype, 5, 40))
        case(name, f"ends in {NAMES[dtype]}", *t(ENDS_OF_BOTH, dtype).T, cotangent=t([0.0] * 13, dtype), second=False)
    case(name, "large", *t(LARGE).T, cotangent=t([0.0] * 7), second=False)
    case(name, "number", draw.floats([], f32, 0.5, 2), 1.5)
    case(name, "int32", t([1, 2, 5], i32), t([1, 3, 2], i32))
    case(name, "empty", t([]).reshape(0, 3), t([]).reshape(0, 1))



mpmath.mp.dps = 30


class Share(torch.autograd.Function):
    """PyTorch has no incomplete beta function: the value by mpmath, and the density of numbers from 0 to 1."""

    @staticmethod
    def forward(context, a, b, x):
        context.save_for_backward(a, b, x)
        regular = ((x >= 0) & (x <= 1)).tolist()
        found = [
            float(mpmath.betainc(p, q, 0, z, regularized=True)) if inside else NAN
            for p, q, z, inside in zip(a.tolist(), b.tolist(), x.tolist(), regular)
        ]
        return torch.tensor(found, dtype=f64)

    @staticmethod
    def backward(context, g):
        a, b, x = context.saved_tensors
        place = torch.where((x > 0) & (x < 1), x, 0.5)
        powers = (a - 1) * torch.log(place) + (b - 1) * torch.log1p(-place)
        # By mpmath too: a difference of large logarithms has lost its digits.
        density = [
            float(mpmath.mpf(z) ** (p - 1) * (1 - mpmath.mpf(z)) ** (q - 1) / mpmath.beta(p, q))
            for p, q, z in zip(a.tolist(), b.tolist(), place.tolist())
        ]
        return None, None, g * torch.tensor(density, dtype=f64) * torch.exp(powers - powers.detach())


def betainc(a, b, x):
    a, b, x = torch.broadcast_tensors(*[torch.as_tensor(y) for y in (a, b, x)])
    flat = [y.to(f64).reshape(-1) for y in (a, b, x)]
    return Share.apply(*flat).reshape(x.shape).to(x.dtype if x.is_floating_point() else f32)


# There is no derivative by a and b, so that these are numbers or int32.
function("betainc", betainc, "elementwise cancelling", 32)
draw = Draws("betainc")
for dtype in [f32, f64]:
    case("betainc", f"{NAMES[dtype]} matrix", draw.integers([3, 1], 1, 9), draw.integers([4], 1, 9), draw.floats([3, 4], dtype, 0.05, 0.95))
    case("betainc", f"of tens in {NAMES[dtype]}", draw.integers([6], 15, 40), draw.integers([6], 15, 40), draw.floats([6], dtype, 0.2, 0.8))
    case("betainc", f"of halves in {NAMES[dtype]}", 0.5, 1.5, draw.floats([5], dtype, 0.02, 0.98))
    case("betainc", f"small in {NAMES[dtype]}", 0.125, 0.0625, t([1e-5, 0.01, 0.5, 0.95, 0.999], dtype))
    case("betainc", f"ends in {NAMES[dtype]}", 2, 3, t([0.0, 1.0, -0.5, 1.5, NAN], dtype), cotangent=t([0.0] * 5, dtype), second=False)
case("betainc", "large", t([500, 400, 1000], i32), t([300, 20, 2000], i32), t([0.6, 0.96, 0.34], f64))
case("betainc", "number", 2.5, 0.75, draw.floats([], f32, 0.3, 0.7))
case("betainc", "int32", t([1, 2, 5], i32), t([1, 3, 2], i32), t([0, 1, 2], i32))
case("betainc", "empty", 1.5, t([1, 2], i32).reshape(1, 2), t([]).reshape(0, 1))

write(__file__)
