"""Writes optimizers.json: the parameters after each of 30 steps of PyTorch's optimizers.

    /usr/bin/python3 test/golden/optimizers.py

The loss is that of `optimizers.test.ts`: sum(a * (w - c)^2) + sum(w[0] * b), whose gradients are a few roundings, so that the
optimizers' own arithmetic is what is compared. In step 8 only `w` takes part in the loss: `b` is left alone. PyTorch then counts
one step less for it; ours count for all parameters together (docs/decisions/0011), so its count is set on by hand. From step 20
on the learning rate is half as large. Numbers are float32, written as the shortest decimals that read back as the same float.
"""

import json
import pathlib

import numpy as np
import torch

W = [[0.5, -1.25, 2.0], [0.75, 1.5, -0.3]]
B = [0.1, -0.2, 0.9]
A = [[1.0, 0.5, 0.25], [2.0, 0.125, 1.5]]
C = [[0.3, 0.4, -0.5], [1.2, -0.7, 0.05]]

CASES = {
    "SGD": ("SGD", {"lr": 0.1}),
    "SGD with momentum": ("SGD", {"lr": 0.05, "momentum": 0.9}),
    "SGD with Nesterov momentum": ("SGD", {"lr": 0.05, "momentum": 0.9, "nesterov": True}),
    "SGD with dampening": ("SGD", {"lr": 0.05, "momentum": 0.8, "dampening": 0.3}),
    "SGD with weight decay": ("SGD", {"lr": 0.1, "weight_decay": 0.05}),
    "SGD with momentum, dampening and weight decay": (
        "SGD",
        {"lr": 0.05, "momentum": 0.9, "dampening": 0.1, "weight_decay": 0.01},
    ),
    "Adam": ("Adam", {}),
    "Adam with a large learning rate": ("Adam", {"lr": 0.1}),
    "Adam with other betas and eps": ("Adam", {"lr": 0.01, "betas": (0.8, 0.95), "eps": 1e-3}),
    "Adam with weight decay": ("Adam", {"lr": 0.05, "weight_decay": 0.1}),
    "Adam with amsgrad": ("Adam", {"lr": 0.1, "betas": (0.5, 0.6), "amsgrad": True}),
    "Adam with amsgrad and weight decay": ("Adam", {"lr": 0.05, "weight_decay": 0.1, "amsgrad": True}),
    "AdamW": ("AdamW", {}),
    "AdamW with amsgrad": ("AdamW", {"lr": 0.1, "betas": (0.5, 0.6), "weight_decay": 0.1, "amsgrad": True}),
    "AdamW with other numbers": ("AdamW", {"lr": 0.05, "betas": (0.8, 0.95), "eps": 1e-3, "weight_decay": 0.1}),
    "RMSprop": ("RMSprop", {}),
    "RMSprop with momentum and weight decay": (
        "RMSprop",
        {"lr": 0.005, "alpha": 0.9, "eps": 1e-4, "momentum": 0.8, "weight_decay": 0.05},
    ),
    "centered RMSprop": ("RMSprop", {"lr": 0.005, "eps": 1e-2, "centered": True}),
    "Adagrad": ("Adagrad", {"lr": 0.1}),
    "Adagrad with other numbers": (
        "Adagrad",
        {"lr": 0.2, "lr_decay": 0.05, "weight_decay": 0.05, "initial_accumulator_value": 0.1, "eps": 1e-6},
    ),
}


def numbers(x):
    """The shortest decimals of each float32, in nested lists."""
    return [numbers(row) for row in x] if x.dim() > 0 else float(str(np.float32(x.item())))


def run(name, options):
    w, b = (torch.tensor(x, requires_grad=True) for x in (W, B))
    a, c = torch.tensor(A), torch.tensor(C)
    optimizer = getattr(torch.optim, name)([w, b], **options, foreach=False)
    steps = []
    for step in range(30):
        if step == 20:
            for group in optimizer.param_groups:
                group["lr"] /= 2
        optimizer.zero_grad(set_to_none=True)
        loss = (a * (w - c).square()).sum()
        if step != 8:
            loss = loss + (w[0] * b).sum()
        loss.backward()
        optimizer.step()
        if step == 8 and "step" in optimizer.state[b]:
            optimizer.state[b]["step"] += 1
        steps.append({"w": numbers(w.detach()), "b": numbers(b.detach())})
    return steps


def camel(name):
    head, *tail = name.split("_")
    return head + "".join(word.capitalize() for word in tail)


cases = [
    {
        "case": case,
        "optimizer": name,
        "options": {camel(key): value for key, value in options.items()},
        "steps": run(name, options),
    }
    for case, (name, options) in CASES.items()
]
lines = ",\n".join(f"    {json.dumps(case)}" for case in cases)
path = pathlib.Path(__file__).with_suffix(".json")
path.write_text(
    f'{{\n  "pytorch": "{torch.__version__}",\n'
    f'  "start": {json.dumps({"w": W, "b": B, "a": A, "c": C})},\n'
    f'  "cases": [\n{lines}\n  ]\n}}\n'
)
