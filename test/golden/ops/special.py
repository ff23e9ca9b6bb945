"""Writes special.json: what PyTorch answers for special functions. See cases.py."""

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
write(__file__)
