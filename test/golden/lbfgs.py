"""Writes lbfgs.json: the parameters after each of 8 steps of PyTorch's LBFGS, and the losses that `step` returned.

    /usr/bin/python3 test/golden/lbfgs.py

Everything is float64: the method takes small differences up into its directions. The losses are Rosenbrock's valley in four
dimensions and a logistic regression with two classes that overlap.
"""

import json
import pathlib

import torch

torch.set_default_dtype(torch.float64)

X = [[0.5, -1.2], [1.5, 0.3], [-0.7, 0.8], [0.2, 0.1], [-1.1, -0.4], [0.9, 1.3], [-0.3, -0.9], [1.2, -0.6]]
Y = [1.0, 1.0, 0.0, 0.0, 0.0, 1.0, 1.0, 0.0]
STARTS = {"rosenbrock": [-1.2, 1.0, -0.5, 0.8], "logistic": [0.3, -0.2, 0.1]}


def rosenbrock(w):
    return (100 * (w[1:] - w[:-1] ** 2) ** 2 + (1 - w[:-1]) ** 2).sum()


def logistic(w):
    z = torch.tensor(X) @ w[:2] + w[2]
    return torch.nn.functional.softplus(z).mean() - (torch.tensor(Y) * z).mean() + 0.01 * (w**2).sum()


CASES = [
    ("rosenbrock", {"line_search_fn": "strong_wolfe", "max_iter": 4}),
    ("rosenbrock", {"line_search_fn": "strong_wolfe", "max_iter": 7, "history_size": 2, "max_eval": 6}),
    ("rosenbrock", {"line_search_fn": "strong_wolfe", "lr": 0.3, "max_iter": 3, "tolerance_change": 1e-3}),
    ("rosenbrock", {"line_search_fn": "strong_wolfe", "lr": 30.0, "max_iter": 5}),
    ("rosenbrock", {"lr": 0.05, "max_iter": 5}),
    ("logistic", {"max_iter": 3}),
    ("logistic", {"lr": 0.5, "max_iter": 5, "history_size": 1}),
    ("logistic", {"line_search_fn": "strong_wolfe", "tolerance_grad": 1e-3}),
    ("logistic", {"line_search_fn": "strong_wolfe", "max_iter": 2}),
]


def run(name, options):
    w = torch.tensor(STARTS[name], requires_grad=True)
    optimizer = torch.optim.LBFGS([w], **options)
    calls = 0

    def closure():
        nonlocal calls
        calls += 1
        optimizer.zero_grad()
        loss = {"rosenbrock": rosenbrock, "logistic": logistic}[name](w)
        loss.backward()
        return loss

    steps = []
    for _ in range(8):
        loss = optimizer.step(closure).item()
        steps.append({"loss": loss, "w": w.tolist(), "calls": calls})
    return steps


def camel(name):
    head, *tail = name.split("_")
    return head + "".join(word.capitalize() for word in tail)


cases = []
for name, options in CASES:
    named = {camel(key): camel(value) if isinstance(value, str) else value for key, value in options.items()}
    cases.append({"loss": name, "options": named, "steps": run(name, options)})
lines = ",\n".join(f"    {json.dumps(case)}" for case in cases)
path = pathlib.Path(__file__).with_suffix(".json")
path.write_text(
    f'{{\n  "pytorch": "{torch.__version__}",\n'
    f'  "starts": {json.dumps(STARTS)},\n  "x": {json.dumps(X)},\n  "y": {json.dumps(Y)},\n'
    f'  "cases": [\n{lines}\n  ]\n}}\n'
)
