"""What the golden scripts of ops/ share: each asks PyTorch about one family of functions and writes its answers as JSON.

    /usr/bin/python3 test/golden/ops/core.py

`function` says what one of our functions is in PyTorch's words and how closely the answers have to agree, `case` adds one
call of it, `write(__file__)` writes the file. Each case holds the arguments of one call as our function takes them, the
value, a cotangent, the gradient by every float tensor among the arguments, and Hessian-vector products: the derivative of
<gradient, v> by each of them. `null` in place of a gradient is an exact zero. Where a function gives several tensors, value
and cotangent are lists. Numbers are the shortest decimals that read back as the same float; NaN and infinities are
strings. The files depend on nothing but PyTorch's version: all random numbers come from fixed seeds.
"""

import json
import math
import pathlib
import zlib

import numpy as np
import torch

NAN, INF = math.nan, math.inf
f32, f64, i32, boolean = torch.float32, torch.float64, torch.int32, torch.bool
NAMES = {f32: "float32", f64: "float64", i32: "int32", boolean: "bool"}

# Arguments.


def t(data, dtype=f32):
    return torch.tensor(data, dtype=dtype)


def seeded(*key):
    return np.random.RandomState(zlib.crc32(repr(key).encode()))


class Draws:
    """Random arguments of one case: few decimals, so that the file stays small."""

    def __init__(self, *key):
        self.random = seeded(*key)

    def floats(self, shape, dtype=f32, low=-2.0, high=2.0):
        return torch.tensor(np.round(self.random.uniform(low, high, shape), 3), dtype=dtype)

    def integers(self, shape, low=-9, high=9):
        return torch.tensor(self.random.randint(low, high + 1, shape), dtype=i32)

    def bools(self, shape):
        return torch.tensor(self.random.randint(0, 2, shape), dtype=boolean)

    def nonzero(self, shape, dtype):
        """Away from 0, where departures from PyTorch have their own cases."""
        size = self.random.uniform(0.2, 2.0, shape) * (self.random.randint(0, 2, shape) * 2 - 1)
        return torch.tensor(np.round(size, 2), dtype=dtype)


def floats_in(args):
    """The float tensors among the arguments, in order."""
    for x in args:
        if isinstance(x, (list, dict)):
            yield from floats_in(x.values() if isinstance(x, dict) else x)
        elif torch.is_tensor(x) and x.is_floating_point():
            yield x


# Cases.

functions = {}
departures = []


def function(name, call, compare="", units=1):
    """
    Adds a function. `call` takes our arguments (options as a dict at the end) and answers with a tensor or a list of them.
    `compare` is a list of words that say how closely we have to agree, `units` a factor on what is allowed:

    exact        the value is rounded once at most: no difference at all
    elementwise  each element is made from one element of each operand, and is judged by its own size
    cancelling   the derivative is a difference: right to a unit of 1, not of itself
    product      the size of what is added up is a product of elements of the operands
    signed       the standard says which zero the value is
    """
    if name in functions:
        raise ValueError(f"{name} is there already")
    unknown = set(compare.split()) - {"exact", "elementwise", "cancelling", "product", "signed"}
    if unknown:
        raise ValueError(f"unknown words {unknown}")
    functions[name] = {"call": call, "compare": compare, "units": units, "cases": []}


def case(name, title, *args, cotangent=None, second=True, depart=None):
    """
    Adds one case. `cotangent` replaces the random one (a list of them for several values); without `second` the
    Hessian-vector products are left out. `depart` is a pair (why, ours): `ours` gives our answers where they differ from
    PyTorch's on purpose, as a dict from ("value", "gradient i" or "product i"; element) to the number.
    """
    draw = Draws(name, title)
    inputs = list(floats_in(args))
    for x in inputs:
        x.requires_grad_(True)
    values = functions[name]["call"](*args)
    several = isinstance(values, (list, tuple))
    values = [x.to(i32) if x.dtype == torch.int64 else x for x in (values if several else [values])]
    found = {"case": title, "args": [argument(x) for x in args]}
    found["value"] = [argument(x) for x in values] if several else argument(values[0])
    outputs = [x for x in values if x.is_floating_point()]
    if inputs and outputs:
        g = [draw.nonzero(tuple(x.shape), x.dtype) for x in outputs] if cotangent is None else cotangent
        g = g if isinstance(g, list) else [g]
        found["cotangent"] = [numbers(x) for x in g] if several else numbers(g[0])
        gradients = differentiate(outputs, inputs, g, again=True)
        found["gradients"] = [x if x is None else numbers(x) for x in gradients]
        if second:
            v = [draw.nonzero(tuple(x.shape), x.dtype) for x in inputs]
            found["v"] = [numbers(x) for x in v]
            products = differentiate(gradients, inputs, v)
            found["products"] = [x if x is None else numbers(x) for x in products]
    if depart is not None:
        why, ours = depart
        for (place, element), answer in ours.items():
            kind, _, i = place.partition(" ")
            theirs = found["value"]["data"] if kind == "value" else found[kind + "s"][int(i)]
            departures.append(
                {
                    "function": name,
                    "case": title,
                    "place": place,
                    "element": element,
                    "pytorch": theirs[element],
                    "ours": number(answer),
                    "why": why,
                }
            )
    if any(other["case"] == title for other in functions[name]["cases"]):
        raise ValueError(f"two cases of {name} are called {title}")
    functions[name]["cases"].append(found)


def differentiate(outputs, inputs, cotangents, again=False):
    """The derivatives by the inputs; None where there is none to any of the outputs."""
    pairs = [(y, g) for y, g in zip(outputs, cotangents) if y is not None and y.requires_grad]
    if not pairs:
        return [None] * len(inputs)
    ys, gs = zip(*pairs)
    return torch.autograd.grad(ys, inputs, gs, create_graph=again, retain_graph=True, allow_unused=True)


# What is written: JSON, every number as the shortest decimal that gives the same float.


def number(x):
    if math.isnan(x):
        return "NaN"
    if math.isinf(x):
        return "Infinity" if x > 0 else "-Infinity"
    return x


def numbers(x):
    if torch._is_zerotensor(x):
        # A zero without memory of its own, which numpy() would read anyway.
        x = torch.zeros(x.shape, dtype=x.dtype)
    return [entry(y, x.dtype) for y in x.detach().reshape(-1).numpy()]


def entry(x, dtype):
    if dtype in (i32, boolean):
        return int(x)
    if not np.isfinite(x):
        return number(float(x))
    text = min((np.format_float_positional(x, trim="-"), np.format_float_scientific(x, trim="-", exp_digits=1)), key=len)
    read = (np.float32 if dtype == f32 else np.float64)(float(text))
    assert read == x and np.signbit(read) == np.signbit(x), (x, text)
    return json.loads(text) if text != "-0" else -0.0


def argument(x):
    if torch.is_tensor(x):
        return {"dtype": NAMES[x.dtype], "shape": list(x.shape), "data": numbers(x)}
    if isinstance(x, list):
        return [argument(y) for y in x]
    if isinstance(x, dict):
        return {key: argument(y) for key, y in x.items()}
    return number(x) if isinstance(x, float) else x


def text_of(x):
    """Compact JSON; whole floats without a decimal point, which reads back as the same number."""
    if isinstance(x, dict):
        return "{" + ",".join(f"{json.dumps(key)}:{text_of(value)}" for key, value in x.items()) + "}"
    if isinstance(x, (list, tuple)):
        return "[" + ",".join(text_of(value) for value in x) + "]"
    if isinstance(x, float):
        plain = repr(x).replace("e+", "e").replace("e-0", "e-")
        return plain[:-2] if plain.endswith(".0") else plain
    return json.dumps(x)


def write(script):
    """Writes everything to the JSON file beside `script`, one case a line."""
    lines = ["{", f'"pytorch": "{torch.__version__}",', '"functions": {']
    for i, (name, found) in enumerate(functions.items()):
        lines.append(f'"{name}": {{"compare": "{found["compare"]}", "units": {found["units"]}, "cases": [')
        lines.append(",\n".join(text_of(x) for x in found["cases"]))
        lines.append("]}" if i == len(functions) - 1 else "]},")
    lines += ["},", '"departures": [', ",\n".join(text_of(x) for x in departures), "]", "}"]
    pathlib.Path(script).with_suffix(".json").write_text("\n".join(lines) + "\n")
