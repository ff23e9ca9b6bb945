"""What the golden scripts of layers/ share: each asks PyTorch about one family of layers and writes its answers as JSON.

    /usr/bin/python3 test/golden/layers/normalization.py

`layer` adds one layer with its state and some calls of it, `write(__file__)` writes the file. A call holds the inputs, the outputs
end to end, a cotangent for each, and the gradients by all float inputs and parameters; `after` are the buffers after all calls.
Names of parameters are PyTorch's. Numbers are written as in ../ops/cases.py.
"""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "ops"))
from cases import *

layers = []


def layer(title, ours, args, module, calls, dtype=f32, state=None):
    """
    `ours` is the name of our class, `args` what it takes. Parameters get new values, so that none is 0 or 1. Each of `calls` is a
    pair of a mode ("train" or "eval") and a list of inputs, or with a third entry that says how to call the module.
    """
    draw = Draws(ours, title)
    module = module.to(dtype)
    with torch.no_grad():
        for name, parameter in module.named_parameters():
            start = (state or {}).get(name)
            parameter.copy_(draw.floats(tuple(parameter.shape), dtype, -1, 1) if start is None else start)
    found = {"layer": ours, "case": title, "dtype": NAMES[dtype], "args": [argument(x) for x in args]}
    found["state"] = {name: argument(x.to(i32) if x.dtype == torch.int64 else x) for name, x in module.state_dict().items()}
    found["calls"] = [answer(draw, module, *call) for call in calls]
    found["after"] = {name: argument(x.to(i32) if x.dtype == torch.int64 else x) for name, x in module.named_buffers()}
    layers.append(found)


def tensors_of(x):
    if torch.is_tensor(x):
        yield x
    elif isinstance(x, (list, tuple)):
        for y in x:
            yield from tensors_of(y)
    elif isinstance(x, dict):
        yield from tensors_of(list(x.values()))


def answer(draw, module, mode, inputs, call=lambda module, *inputs: module(*inputs)):
    module.train(mode == "train")
    floats = [x for x in tensors_of(inputs) if x.is_floating_point()]
    for x in floats:
        x.requires_grad_(True)
    outputs = list(tensors_of(call(module, *inputs)))
    found = {"mode": mode, "inputs": [argument(x) for x in inputs], "outputs": [argument(x) for x in outputs]}
    g = [draw.nonzero(tuple(x.shape), x.dtype) for x in outputs]
    found["cotangents"] = [numbers(x) for x in g]
    names, parameters = zip(*module.named_parameters()) if list(module.parameters()) else ([], [])
    gradients = differentiate(outputs, [*floats, *parameters], g)
    gradients = [None if x is None else numbers(x) for x in gradients]
    found["inputGradients"] = gradients[: len(floats)]
    found["gradients"] = dict(zip(names, gradients[len(floats) :]))
    return found


def write(script):
    lines = ["{", f'"pytorch": "{torch.__version__}",', '"layers": [', ",\n".join(text_of(x) for x in layers), "]", "}"]
    pathlib.Path(script).with_suffix(".json").write_text("\n".join(lines) + "\n")
