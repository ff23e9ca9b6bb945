"""Writes optimizers.json: the parameters after steps of PyTorch's optimizers, 30 steps for each case.

    /usr/bin/python3 test/golden/optimizers.py

The loss is that of `optimizers.test.ts`: sum(a * (w - c)^2) + sum(w[0] * b), whose gradients are a few roundings, so that the
optimizers' own arithmetic is what is compared. In step 8 only `w` takes part in the loss: `b` is left alone. PyTorch then counts
one step less for it; ours count for all parameters together (docs/decisions/0011), so its count is set on by hand. From step 20
on the learning rate is half as large (not for Rprop, which has its own).

What PyTorch 1.13 does not have is written here, in PyTorch, from the papers: Lion (Chen et al. 2023, algorithm 2), LAMB (You et
al. 2020, algorithm 2), LARS (You et al. 2017, algorithm 1), Adafactor (Shazeer and Stern 2018, algorithms 4 to 6, with the options
of later versions of PyTorch), Muon (Jordan et al. 2024), the schedule-free methods (Defazio et al. 2024, algorithm 1), Lookahead
(Zhang et al. 2019, algorithm 1), and NAdam (Dozat 2016): the mean of mu over steps that PyTorch 1.13 divides by has one factor twice. Numbers are float32, written as the shortest decimals that read back as the same float; Muon's, whose
products of matrices have an order of their own, float64.
"""

import json
import math
import pathlib

import numpy as np
import torch

W = [[0.5, -1.25, 2.0], [0.75, 1.5, -0.3]]
B = [0.1, -0.2, 0.9]
A = [[1.0, 0.5, 0.25], [2.0, 0.125, 1.5]]
C = [[0.3, 0.4, -0.5], [1.2, -0.7, 0.05]]

RECORDED = [1, 2, 3, 5, 8, 9, 10, 15, 20, 21, 25, 30]


class FromPaper(torch.optim.Optimizer):
    """An optimizer that is written here; `update` changes one parameter in place."""

    defaults_of_paper = {}

    def __init__(self, params, **options):
        super().__init__(params, {**self.defaults_of_paper, "weight_decay": 0, "maximize": False, **options})

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is not None:
                    state = self.state[p]
                    state["step"] = state.get("step", 0) + 1
                    self.update(p, -p.grad if group["maximize"] else p.grad, state, **group)


class Lion(FromPaper):
    defaults_of_paper = {"lr": 1e-4, "betas": (0.9, 0.99)}

    def update(self, p, g, state, lr, betas, weight_decay, **_):
        m = state.setdefault("m", torch.zeros_like(p))
        direction = (betas[0] * m + (1 - betas[0]) * g).sign()
        p.mul_(1 - lr * weight_decay).sub_(lr * direction)
        m.mul_(betas[1]).add_((1 - betas[1]) * g)


class LAMB(FromPaper):
    defaults_of_paper = {"lr": 1e-3, "betas": (0.9, 0.999), "eps": 1e-6}

    def update(self, p, g, state, lr, betas, eps, weight_decay, **_):
        m = state.setdefault("m", torch.zeros_like(p))
        v = state.setdefault("v", torch.zeros_like(p))
        m.mul_(betas[0]).add_((1 - betas[0]) * g)
        v.mul_(betas[1]).add_((1 - betas[1]) * g * g)
        ratio = m / (1 - betas[0] ** state["step"]) / ((v / (1 - betas[1] ** state["step"])).sqrt() + eps)
        u = ratio + weight_decay * p
        p.sub_(lr * p.norm() / u.norm() * u)


class NAdam(FromPaper):
    defaults_of_paper = {
        "lr": 2e-3,
        "betas": (0.9, 0.999),
        "eps": 1e-8,
        "momentum_decay": 4e-3,
        "decoupled_weight_decay": False,
    }

    def update(self, p, g, state, lr, betas, eps, weight_decay, momentum_decay, decoupled_weight_decay, **_):
        m = state.setdefault("m", torch.zeros_like(p))
        v = state.setdefault("v", torch.zeros_like(p))
        if decoupled_weight_decay:
            p.mul_(1 - lr * weight_decay)
        else:
            g = g + weight_decay * p
        mu = lambda t: betas[0] * (1 - 0.5 * 0.96 ** (t * momentum_decay))
        t = state["step"]
        state["product"] = state.get("product", 1) * mu(t)
        m.mul_(betas[0]).add_((1 - betas[0]) * g)
        v.mul_(betas[1]).add_((1 - betas[1]) * g * g)
        ahead = mu(t + 1) / (1 - state["product"] * mu(t + 1)) * m + (1 - mu(t)) / (1 - state["product"]) * g
        p.sub_(lr * ahead / ((v / (1 - betas[1] ** t)).sqrt() + eps))


class RAdam(torch.optim.RAdam):
    """PyTorch's, with options that it has in later versions."""

    def __init__(self, params, decoupled_weight_decay=False, maximize=False, **options):
        self.apart, self.up, self.decay = decoupled_weight_decay, maximize, options.get("weight_decay", 0)
        super().__init__(params, **{**options, "weight_decay": 0 if self.apart else self.decay})

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            for p in (p for p in group["params"] if p.grad is not None):
                if self.up:
                    p.grad.neg_()
                if self.apart:
                    p.mul_(1 - group["lr"] * self.decay)
        super().step()


class Muon(FromPaper):
    defaults_of_paper = {
        "lr": 1e-3,
        "weight_decay": 0.1,
        "momentum": 0.95,
        "nesterov": True,
        "ns_coefficients": (3.4445, -4.775, 2.0315),
        "ns_steps": 5,
        "eps": 1e-7,
        "adjust_lr": "original",
    }

    def __init__(self, params, **options):
        super().__init__(params, **{"weight_decay": 0.1, **options})

    def update(self, p, g, state, lr, weight_decay, momentum, nesterov, ns_coefficients, ns_steps, eps, adjust_lr, **_):
        buffer = state.setdefault("buffer", torch.zeros_like(p))
        buffer.mul_(momentum).add_((1 - momentum) * g)
        x = (1 - momentum) * g + momentum * buffer if nesterov else buffer
        x = x / max(x.norm().item(), eps)
        a, b, c = ns_coefficients
        for _ in range(ns_steps):
            gram = x @ x.T
            x = a * x + b * gram @ x + c * gram @ gram @ x
        rows, columns = p.shape
        larger = math.sqrt(max(1, rows / columns)) if adjust_lr == "original" else 0.2 * math.sqrt(max(rows, columns))
        p.mul_(1 - lr * weight_decay).sub_(lr * larger * x)


class LARS(FromPaper):
    defaults_of_paper = {"momentum": 0.9, "trust_coefficient": 0.001}

    def update(self, p, g, state, lr, momentum, weight_decay, trust_coefficient, **_):
        v = state.setdefault("v", torch.zeros_like(p))
        local = trust_coefficient * p.norm() / (g.norm() + weight_decay * p.norm())
        v.mul_(momentum).add_(lr * local * (g + weight_decay * p))
        p.sub_(v)


class Adafactor(FromPaper):
    defaults_of_paper = {"lr": 0.01, "beta2_decay": -0.8, "eps": (None, 0.001), "d": 1.0}

    def update(self, p, g, state, lr, beta2_decay, eps, d, weight_decay, **_):
        t = state["step"]
        small = torch.finfo(p.dtype).eps if eps[0] is None else eps[0]
        size = lambda x: x.square().mean().sqrt().item()
        alpha = max(eps[1], size(p)) * min(lr, t**-0.5)
        new = t**beta2_decay
        if p.dim() == 2:
            rows = state.setdefault("rows", torch.zeros(p.shape[0]))
            columns = state.setdefault("columns", torch.zeros(p.shape[1]))
            rows.mul_(1 - new).add_(new * g.square().mean(1))
            columns.mul_(1 - new).add_(new * g.square().mean(0))
            v = torch.outer(rows, columns) / max(rows.mean().item(), small)
        else:
            v = state.setdefault("v", torch.zeros_like(p))
            v.mul_(1 - new).add_(new * g.square())
        u = g / v.clamp(min=small**2).sqrt()
        p.mul_(1 - lr * weight_decay).sub_(alpha / max(1, size(u) / d) * u)


class ScheduleFree(FromPaper):
    """Its parameter is the point y where gradients are taken; z descends, x is to be evaluated."""

    def descend(self, y, direction, state, rate, beta):
        z = state.setdefault("z", y.clone())
        x = state.setdefault("x", y.clone())
        state["sum"] = state.get("sum", 0) + rate**2
        c = rate**2 / state["sum"]
        z.sub_(rate * direction)
        x.copy_((1 - c) * x + c * z)
        y.copy_((1 - beta) * z + beta * x)


class SGDScheduleFree(ScheduleFree):
    defaults_of_paper = {"lr": 1.0, "momentum": 0.9, "warmup_steps": 0}

    def update(self, y, g, state, lr, momentum, weight_decay, warmup_steps, **_):
        rate = lr * min(1, state["step"] / max(1, warmup_steps))
        self.descend(y, g + weight_decay * y, state, rate, momentum)


class AdamWScheduleFree(ScheduleFree):
    defaults_of_paper = {"lr": 2.5e-3, "betas": (0.9, 0.999), "eps": 1e-8, "warmup_steps": 0}

    def update(self, y, g, state, lr, betas, eps, weight_decay, warmup_steps, **_):
        v = state.setdefault("v", torch.zeros_like(y))
        v.mul_(betas[1]).add_((1 - betas[1]) * g * g)
        t = state["step"]
        rate = lr * math.sqrt(1 - betas[1] ** t) * min(1, t / max(1, warmup_steps))
        self.descend(y, g / (v.sqrt() + eps) + weight_decay * y, state, rate, betas[0])


WRITTEN = {
    "Adafactor": Adafactor,
    "AdamWScheduleFree": AdamWScheduleFree,
    "LAMB": LAMB,
    "LARS": LARS,
    "Lion": Lion,
    "Muon": Muon,
    "NAdam": NAdam,
    "RAdam": RAdam,
    "SGDScheduleFree": SGDScheduleFree,
}

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
    "SGD that climbs": ("SGD", {"lr": 0.01, "momentum": 0.5, "weight_decay": 0.05, "maximize": True}),
    "Adam": ("Adam", {}),
    "Adam with a large learning rate": ("Adam", {"lr": 0.1}),
    "Adam with other betas and eps": ("Adam", {"lr": 0.01, "betas": (0.8, 0.95), "eps": 1e-3}),
    "Adam with weight decay": ("Adam", {"lr": 0.05, "weight_decay": 0.1}),
    "Adam with amsgrad": ("Adam", {"lr": 0.1, "betas": (0.5, 0.6), "amsgrad": True}),
    "Adam with amsgrad and weight decay": ("Adam", {"lr": 0.05, "weight_decay": 0.1, "amsgrad": True}),
    "Adam that climbs": ("Adam", {"lr": 0.05, "weight_decay": 0.1, "maximize": True}),
    "AdamW": ("AdamW", {}),
    "AdamW with amsgrad": ("AdamW", {"lr": 0.1, "betas": (0.5, 0.6), "weight_decay": 0.1, "amsgrad": True}),
    "AdamW with other numbers": ("AdamW", {"lr": 0.05, "betas": (0.8, 0.95), "eps": 1e-3, "weight_decay": 0.1}),
    "AdamW that climbs": ("AdamW", {"lr": 0.05, "weight_decay": 0.1, "maximize": True}),
    "RMSprop": ("RMSprop", {}),
    "RMSprop with momentum and weight decay": (
        "RMSprop",
        {"lr": 0.005, "alpha": 0.9, "eps": 1e-4, "momentum": 0.8, "weight_decay": 0.05},
    ),
    "centered RMSprop": ("RMSprop", {"lr": 0.005, "eps": 1e-2, "centered": True}),
    "RMSprop that climbs": ("RMSprop", {"weight_decay": 0.05, "maximize": True}),
    "Adagrad": ("Adagrad", {"lr": 0.1}),
    "Adagrad with other numbers": (
        "Adagrad",
        {"lr": 0.2, "lr_decay": 0.05, "weight_decay": 0.05, "initial_accumulator_value": 0.1, "eps": 1e-6},
    ),
    "Adagrad that climbs": ("Adagrad", {"lr": 0.1, "weight_decay": 0.05, "maximize": True}),
    "Adadelta": ("Adadelta", {}),
    "Adadelta with other numbers": ("Adadelta", {"lr": 0.5, "rho": 0.7, "eps": 1e-3, "weight_decay": 0.05}),
    "Adadelta that climbs": ("Adadelta", {"eps": 1e-3, "weight_decay": 0.05, "maximize": True}),
    "Adamax": ("Adamax", {}),
    "Adamax with other numbers": ("Adamax", {"lr": 0.1, "betas": (0.8, 0.9), "eps": 1e-2, "weight_decay": 0.05}),
    "Adamax that climbs": ("Adamax", {"lr": 0.05, "weight_decay": 0.05, "maximize": True}),
    "NAdam": ("NAdam", {}),
    "NAdam with other numbers": (
        "NAdam",
        {"lr": 0.05, "betas": (0.8, 0.95), "eps": 1e-3, "weight_decay": 0.05, "momentum_decay": 0.1},
    ),
    "NAdam with weight decay apart": ("NAdam", {"lr": 0.05, "weight_decay": 0.1, "decoupled_weight_decay": True}),
    "NAdam that climbs": ("NAdam", {"lr": 0.05, "weight_decay": 0.1, "maximize": True}),
    "RAdam": ("RAdam", {}),
    "RAdam with other numbers": ("RAdam", {"lr": 0.1, "betas": (0.8, 0.95), "eps": 1e-3, "weight_decay": 0.05}),
    "RAdam with weight decay apart": ("RAdam", {"lr": 0.05, "weight_decay": 0.1, "decoupled_weight_decay": True}),
    "RAdam that climbs": ("RAdam", {"lr": 0.05, "weight_decay": 0.1, "maximize": True}),
    "Rprop": ("Rprop", {}),
    "Rprop with other numbers": ("Rprop", {"lr": 0.1, "etas": (0.3, 1.5), "step_sizes": (0.03, 0.3)}),
    "Rprop that climbs": ("Rprop", {"lr": 0.01, "etas": (0.3, 1.1), "maximize": True}),
    "ASGD": ("ASGD", {}),
    "ASGD with other numbers": ("ASGD", {"lr": 0.1, "lambd": 0.3, "alpha": 0.6, "t0": 4, "weight_decay": 0.05}),
    "ASGD that climbs": ("ASGD", {"lr": 0.02, "lambd": 0.3, "t0": 12, "maximize": True}),
    "Lion": ("Lion", {"lr": 0.01}),
    "Lion with other numbers": ("Lion", {"lr": 0.02, "betas": (0.7, 0.8), "weight_decay": 0.5}),
    "Lion that climbs": ("Lion", {"lr": 0.02, "weight_decay": 0.5, "maximize": True}),
    "LAMB": ("LAMB", {"lr": 0.01}),
    "LAMB with other numbers": ("LAMB", {"lr": 0.05, "betas": (0.8, 0.95), "eps": 1e-3, "weight_decay": 0.3}),
    "LAMB that climbs": ("LAMB", {"lr": 0.05, "weight_decay": 0.3, "maximize": True}),
    "LARS": ("LARS", {"lr": 1.0}),
    "LARS with other numbers": ("LARS", {"lr": 0.5, "momentum": 0.7, "weight_decay": 0.3, "trust_coefficient": 0.1}),
    "LARS that climbs": ("LARS", {"lr": 0.5, "momentum": 0.0, "trust_coefficient": 0.02, "maximize": True}),
    "Adafactor": ("Adafactor", {"lr": 0.05}),
    "Adafactor with other numbers": (
        "Adafactor",
        {"lr": 0.1, "beta2_decay": -0.5, "eps": (0.01, 0.1), "d": 0.5, "weight_decay": 0.3},
    ),
    "Adafactor that climbs": ("Adafactor", {"lr": 0.03, "weight_decay": 0.1, "maximize": True}),
    "Muon": ("Muon", {"lr": 0.02}),
    "Muon with other numbers": (
        "Muon",
        {
            "lr": 0.05,
            "momentum": 0.8,
            "nesterov": False,
            "weight_decay": 0.5,
            "ns_coefficients": (1.5, -0.5, 0.0),
            "ns_steps": 8,
            "adjust_lr": "matchRmsAdamw",
        },
    ),
    "Muon that climbs": ("Muon", {"lr": 0.02, "weight_decay": 0.0, "eps": 0.5, "maximize": True}),
    "SGDScheduleFree": ("SGDScheduleFree", {"lr": 0.3}),
    "SGDScheduleFree with other numbers": (
        "SGDScheduleFree",
        {"lr": 0.4, "momentum": 0.6, "weight_decay": 0.05, "warmup_steps": 12},
    ),
    "SGDScheduleFree that climbs": ("SGDScheduleFree", {"lr": 0.02, "weight_decay": 0.1, "maximize": True}),
    "AdamWScheduleFree": ("AdamWScheduleFree", {}),
    "AdamWScheduleFree with other numbers": (
        "AdamWScheduleFree",
        {"lr": 0.3, "betas": (0.7, 0.95), "eps": 1e-3, "weight_decay": 0.1, "warmup_steps": 12},
    ),
    "AdamWScheduleFree that climbs": ("AdamWScheduleFree", {"lr": 0.05, "weight_decay": 0.1, "maximize": True}),
    "groups of Adam": ("Adam", {"lr": 0.02, "weight_decay": 0.1}, {"lr": 0.1}, {"betas": (0.8, 0.95), "amsgrad": True}),
    "groups of SGD": ("SGD", {"lr": 0.05}, {"momentum": 0.9, "nesterov": True}, {"lr": 0.02, "maximize": True}),
}


# What stands between gradients and step: clipping, and the mean of the gradients of three steps, which are one.
STAGES = {
    "SGD with a clipped norm": ("SGD", {"lr": 0.1, "momentum": 0.9}, {"clipByNorm": [0.5]}),
    "SGD with a clipped norm of another type": ("SGD", {"lr": 0.1}, {"clipByNorm": [0.3, math.inf]}),
    "SGD with clipped values": ("SGD", {"lr": 0.1}, {"clipByValue": [0.2]}),
    "Adam with accumulated gradients": ("Adam", {"lr": 0.1, "weight_decay": 0.1}, {"accumulate": [3]}),
    "Adam that looks ahead": ("Adam", {"lr": 0.1}, {"lookahead": [4, 0.4]}),
    "SGD with accumulated gradients and a clipped norm": (
        "SGD",
        {"lr": 0.2, "momentum": 0.9},
        {"accumulate": [3], "clipByNorm": [0.4, 1]},
    ),
}


def numbers(x):
    """The shortest decimals of each float, in nested lists."""
    if x.dim() > 0:
        return [numbers(row) for row in x]
    return float(str(np.float32(x.item()))) if x.dtype == torch.float32 else x.item()


def run(name, options, *groups, stages={}):
    parts = stages.get("accumulate", [1])[0]
    k, alpha = stages.get("lookahead", [31, 1])
    dtype = torch.float64 if name == "Muon" else torch.float32
    w, b, a, c = (torch.tensor(x, dtype=dtype) for x in (W, [B] if name == "Muon" else B, A, C))
    parameters = [w.requires_grad_(), b.requires_grad_()]
    given = [{"params": [p], **group} for p, group in zip(parameters, groups)] if groups else parameters
    slow = [p.detach().clone() for p in parameters]
    kind = WRITTEN.get(name) or getattr(torch.optim, name)
    optimizer = kind(given, **options, **({} if name in WRITTEN else {"foreach": False}))
    steps = []
    for step in range(30):
        # ASGD computes the rate of a step at the end of the one before.
        if step == (19 if name == "ASGD" else 20):
            for group in optimizer.param_groups:
                group["lr"] /= 2
        if step % parts == 0:
            optimizer.zero_grad(set_to_none=True)
        loss = (a * (w - c).square()).sum()
        if step != 8:
            loss = loss + (w[0] * b).sum()
        (loss / parts).backward()
        if "clipByValue" in stages:
            torch.nn.utils.clip_grad_value_(parameters, *stages["clipByValue"])
        if step % parts == parts - 1:
            if "clipByNorm" in stages:
                torch.nn.utils.clip_grad_norm_(parameters, *stages["clipByNorm"])
            optimizer.step()
        if step % k == k - 1:
            for p, s in zip(parameters, slow):
                s.add_(alpha * (p.data - s))
                p.data.copy_(s)
        if step == 8 and parts == 1 and "step" in optimizer.state[b]:
            count_on(optimizer.state[b], name, options)
        if step + 1 in RECORDED:
            means = {key: numbers(optimizer.state[w][key]) for key in ("ax", "x") if key in optimizer.state[w]}
            steps.append({"step": step + 1, "w": numbers(w.detach()), "b": numbers(b.detach()), **means})
    return steps


def count_on(state, name, options):
    """Counts a step that did not take place, and what PyTorch has computed of the count for the next one."""
    state["step"] += 1
    if name == "ASGD":
        full = {"lr": 0.01, "lambd": 1e-4, "alpha": 0.75, "t0": 1e6, **options}
        step = float(state["step"])
        state["eta"].fill_(full["lr"] / (1 + full["lambd"] * full["lr"] * step) ** full["alpha"])
        state["mu"].fill_(1 / max(1, step - full["t0"]))


def camel(name):
    head, *tail = name.split("_")
    return head + "".join(word.capitalize() for word in tail)


def camel_keys(options):
    return {camel(key): value for key, value in options.items()}


cases = [
    {
        "case": case,
        "optimizer": name,
        "options": camel_keys(options),
        **({"groups": [camel_keys(group) for group in groups]} if groups else {}),
        "steps": run(name, options, *groups),
    }
    for case, (name, options, *groups) in CASES.items()
] + [
    {
        "case": case,
        "optimizer": name,
        "options": camel_keys(options),
        "stages": [[stage, *("Infinity" if x == math.inf else x for x in given)] for stage, given in stages.items()],
        "steps": run(name, options, stages=stages),
    }
    for case, (name, options, stages) in STAGES.items()
]
lines = ",\n".join(f"    {json.dumps(case)}" for case in cases)
path = pathlib.Path(__file__).with_suffix(".json")
path.write_text(
    f'{{\n  "pytorch": "{torch.__version__}",\n'
    f'  "start": {json.dumps({"w": W, "b": B, "a": A, "c": C})},\n'
    f'  "cases": [\n{lines}\n  ]\n}}\n'
)
