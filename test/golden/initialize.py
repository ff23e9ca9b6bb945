"""Writes initialize.json: what PyTorch's initializers that draw nothing make of a weight.

    /usr/bin/python3 test/golden/initialize.py

Each case holds an initializer, the shape of the weight, our options and the elements row by row.
"""

import json
import pathlib

import torch

CASES = [
    ("dirac", [3, 2, 3], {}),
    ("dirac", [2, 3, 4], {}),
    ("dirac", [4, 2, 1], {"groups": 2}),
    ("dirac", [6, 3, 3], {"groups": 3}),
    ("dirac", [2, 2, 3, 2], {}),
    ("dirac", [4, 1, 2, 3], {"groups": 4}),
    ("dirac", [2, 2, 2, 3, 1], {}),
    ("dirac", [4, 3, 1, 2, 3], {"groups": 2}),
    ("eye", [3, 3], {}),
    ("eye", [2, 4], {}),
    ("eye", [4, 2], {}),
]

cases = [
    {"initializer": name, "shape": shape, "options": options, "elements": filled.reshape(-1).tolist()}
    for name, shape, options in CASES
    for filled in [getattr(torch.nn.init, f"{name}_")(torch.full(shape, 7, dtype=torch.int32), **options)]
]
lines = ",\n".join(f"    {json.dumps(case)}" for case in cases)
path = pathlib.Path(__file__).with_suffix(".json")
path.write_text(f'{{\n  "pytorch": "{torch.__version__}",\n  "cases": [\n{lines}\n  ]\n}}\n')
