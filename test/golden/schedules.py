"""Writes schedules.json: the rates of 50 steps of every schedule of PyTorch.

    /usr/bin/python3 test/golden/schedules.py

Rates are float64. `warmupCosine` and `noam`, which PyTorch does not have, are the formulas of the Transformers library's
cosine schedule with warm-up and of Vaswani et al. (2017, equation 3), written here and run by LambdaLR. The functions that
LambdaLR, MultiplicativeLR and CyclicLR are given stand in `schedules.test.ts` too, by their names.
"""

import json
import math
import pathlib
import warnings

import torch
from torch.optim import lr_scheduler as lr

warnings.filterwarnings("ignore")

FUNCTIONS = {
    "inverse": lambda t: 1 / (1 + 0.1 * t),
    "nearly": lambda t: 1 - 0.02 / t,
    "sine": lambda t: abs(math.sin(0.3 * t)),
}

# The schedule's name, that of PyTorch's class and the class's options but for the rate.
CASES = [
    ("lambda", "LambdaLR", {"lr_lambda": "inverse"}),
    ("multiplicative", "MultiplicativeLR", {"lr_lambda": "nearly"}),
    ("step", "StepLR", {"step_size": 7}),
    ("step", "StepLR", {"step_size": 1, "gamma": 0.9}),
    ("multiStep", "MultiStepLR", {"milestones": [3, 20, 20, 41], "gamma": 0.3}),
    ("multiStep", "MultiStepLR", {"milestones": [10]}),
    ("constant", "ConstantLR", {}),
    ("constant", "ConstantLR", {"factor": 0.2, "total_iters": 17}),
    ("linear", "LinearLR", {}),
    ("linear", "LinearLR", {"start_factor": 0.9, "end_factor": 0.1, "total_iters": 31}),
    ("exponential", "ExponentialLR", {"gamma": 0.93}),
    ("polynomial", "PolynomialLR", {}),
    ("polynomial", "PolynomialLR", {"total_iters": 40, "power": 2.5}),
    ("cosine", "CosineAnnealingLR", {"T_max": 20}),
    ("cosine", "CosineAnnealingLR", {"T_max": 49, "eta_min": 0.02}),
    ("cosineWarmRestarts", "CosineAnnealingWarmRestarts", {"T_0": 9}),
    ("cosineWarmRestarts", "CosineAnnealingWarmRestarts", {"T_0": 3, "T_mult": 2, "eta_min": 0.01}),
    ("cosineWarmRestarts", "CosineAnnealingWarmRestarts", {"T_0": 1, "T_mult": 3}),
    ("cyclic", "CyclicLR", {"base_lr": 0.01, "max_lr": 0.2, "step_size_up": 8}),
    ("cyclic", "CyclicLR", {"base_lr": 0.01, "max_lr": 0.2, "step_size_up": 5, "step_size_down": 9, "mode": "triangular2"}),
    (
        "cyclic",
        "CyclicLR",
        {
            "base_lr": 0.01,
            "max_lr": 0.2,
            "step_size_up": 6,
            "mode": "exp_range",
            "gamma": 0.97,
            "base_momentum": 0.6,
            "max_momentum": 0.99,
        },
    ),
    ("cyclic", "CyclicLR", {"base_lr": 0.1, "max_lr": 0.2, "step_size_up": 7, "scale_fn": "sine"}),
    ("cyclic", "CyclicLR", {"base_lr": 0.1, "max_lr": 0.2, "step_size_up": 7, "scale_fn": "sine", "scale_mode": "iterations"}),
    ("oneCycle", "OneCycleLR", {"max_lr": 0.5, "total_steps": 50}),
    ("oneCycle", "OneCycleLR", {"max_lr": 0.5, "epochs": 5, "steps_per_epoch": 10, "anneal_strategy": "linear"}),
    (
        "oneCycle",
        "OneCycleLR",
        {
            "max_lr": 0.5,
            "total_steps": 50,
            "pct_start": 0.4,
            "three_phase": True,
            "div_factor": 10.0,
            "final_div_factor": 100.0,
            "base_momentum": 0.7,
            "max_momentum": 0.9,
        },
    ),
    ("oneCycle", "OneCycleLR", {"max_lr": 0.5, "total_steps": 60, "pct_start": 0.05, "anneal_strategy": "linear"}),
    ("warmupCosine", None, {"warmup_steps": 10, "total_steps": 40}),
    ("noam", None, {"d_model": 64, "warmup_steps": 20, "factor": 2.0}),
]

METRICS = [abs(math.sin(0.7 * t)) * 0.95**t + 0.1 for t in range(50)]
PLATEAUS = [
    {"patience": 3},
    {"mode": "max", "factor": 0.5, "patience": 2, "cooldown": 4},
    {"factor": 0.7, "patience": 0, "threshold": 0.05, "threshold_mode": "abs", "min_lr": 0.01},
    {"mode": "max", "factor": 0.5, "patience": 1, "threshold": 0.1, "threshold_mode": "abs", "eps": 0.01},
]


def sgd():
    return torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.3, momentum=0.5)


def rates(optimizer, scheduler, step=lambda scheduler, t: scheduler.step()):
    lrs, momenta = [], []
    for t in range(50):
        lrs.append(optimizer.param_groups[0]["lr"])
        momenta.append(optimizer.param_groups[0]["momentum"])
        optimizer.step()
        step(scheduler, t)
    return {"lr": lrs, **({"momentum": momenta} if len(set(momenta)) > 1 else {})}


def written(name, options):
    if name == "noam":
        d, w, f = options["d_model"], options["warmup_steps"], options["factor"]
        return lambda t: f * d**-0.5 * min((t + 1) ** -0.5, (t + 1) * w**-1.5)
    w, total = options["warmup_steps"], options["total_steps"]
    return lambda t: t / w if t < w else 0.5 * (1 + math.cos(math.pi * min(1, (t - w) / (total - w))))


def run(name, kind, options):
    optimizer = sgd()
    if kind is None:
        if name == "noam":
            optimizer.param_groups[0]["lr"] = 1
        return rates(optimizer, lr.LambdaLR(optimizer, written(name, options)))
    full = {key: FUNCTIONS.get(value, value) if isinstance(value, str) else value for key, value in options.items()}
    return rates(optimizer, getattr(lr, kind)(optimizer, **full))


def chained():
    optimizer = sgd()
    parts = [lr.ConstantLR(optimizer, 0.1, 20), lr.ExponentialLR(optimizer, 0.95), lr.StepLR(optimizer, 15, 0.5)]
    return rates(optimizer, lr.ChainedScheduler(parts))


def sequential():
    optimizer = sgd()
    parts = [lr.LinearLR(optimizer, 0.1, 1.0, 8), lr.CosineAnnealingLR(optimizer, 22, 0.02), lr.ExponentialLR(optimizer, 0.9)]
    return rates(optimizer, lr.SequentialLR(optimizer, parts, [10, 30]))


def plateau(options):
    optimizer = sgd()
    scheduler = lr.ReduceLROnPlateau(optimizer, **options)
    return rates(optimizer, scheduler, lambda scheduler, t: scheduler.step(METRICS[t]))


def camel(name):
    head, *tail = name.split("_")
    head = head[0].lower() + head[1:]
    return head + "".join(word.capitalize() for word in tail)


def camel_keys(options):
    return {camel(key): camel(value) if isinstance(value, str) else value for key, value in options.items()}


cases = [{"schedule": name, "options": camel_keys(options), **run(name, kind, options)} for name, kind, options in CASES]
plateaus = [{"options": camel_keys(options), "lr": plateau(options)["lr"]} for options in PLATEAUS]
lines = lambda entries: ",\n".join(f"    {json.dumps(entry)}" for entry in entries)
path = pathlib.Path(__file__).with_suffix(".json")
path.write_text(
    f'{{\n  "pytorch": "{torch.__version__}",\n  "lr": 0.3,\n'
    f'  "cases": [\n{lines(cases)}\n  ],\n'
    f'  "chained": {json.dumps(chained()["lr"])},\n  "sequential": {json.dumps(sequential()["lr"])},\n'
    f'  "metrics": {json.dumps(METRICS)},\n  "plateaus": [\n{lines(plateaus)}\n  ]\n}}\n'
)
