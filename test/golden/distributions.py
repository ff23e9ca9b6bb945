"""Writes distributions.json: what PyTorch's distributions give, with gradients, in float32 and float64.

    OPENBLAS_NUM_THREADS=1 /usr/bin/python3 test/golden/distributions.py

A distribution is written as a list: its kind (below and in `distributions.test.ts`), and its parameters by their names here. Results are
those of `logProb`, `cdf` and so on; of `logProb`, `entropy` and divergences there are gradients by all parameters, and by the event,
for the cotangents 1/4, 2/4, ... The derivative of digamma is off by 1e-9 in PyTorch's float64: what has it is left out.
"""

import json
import pathlib

import numpy as np
import torch
from torch import distributions as d

random = np.random.RandomState(7)


def draw(shape, low=-2.0, high=2.0):
    return random.uniform(low, high, shape).astype(np.float32).astype(np.float64)


def factor(shape):
    """Lower triangular with a positive diagonal."""
    x = np.tril(draw(shape, -1, 1), -1)
    n = shape[-1]
    x[..., range(n), range(n)] = draw(shape[:-1], 0.5, 1.5)
    return x


def covariance(shape):
    x = factor(shape)
    return (x @ np.swapaxes(x, -1, -2)).astype(np.float32).astype(np.float64)


def trials(kind):
    return lambda **given: kind(**{"probs" if k == "probabilities" else k: x for k, x in given.items()}, validate_args=False)


# Of these PyTorch's float32 form loses digits where parameters are large; its float64 form, rounded, does not.
PRECISE = {"Gamma", "Chi2", "Beta", "Dirichlet", "StudentT", "Poisson", "NegativeBinomial"}


def unchecked(kind):
    return lambda **given: kind(**given, validate_args=False)


KINDS = {
    "Normal": unchecked(d.Normal),
    "LogNormal": unchecked(d.LogNormal),
    "Laplace": unchecked(d.Laplace),
    "Gumbel": unchecked(d.Gumbel),
    "Cauchy": unchecked(d.Cauchy),
    "Uniform": unchecked(d.Uniform),
    "Exponential": unchecked(d.Exponential),
    "Bernoulli": trials(d.Bernoulli),
    "Geometric": trials(d.Geometric),
    "Categorical": trials(d.Categorical),
    "ByFactor": lambda loc, scaleTril: d.MultivariateNormal(loc, scale_tril=scaleTril.tril()),
    "ByCovariance": lambda loc, covarianceMatrix: d.MultivariateNormal(loc, covariance_matrix=covarianceMatrix),
    "IndependentNormal": lambda loc, scale: d.Independent(d.Normal(loc, scale), 1),
    "IndependentBernoulli": lambda logits: d.Independent(d.Bernoulli(logits=logits), 2),
    "Gamma": unchecked(d.Gamma),
    "Chi2": unchecked(d.Chi2),
    "Beta": unchecked(d.Beta),
    "Dirichlet": unchecked(d.Dirichlet),
    "StudentT": unchecked(d.StudentT),
    "Poisson": unchecked(d.Poisson),
    "NegativeBinomial": lambda totalCount, **given: trials(d.NegativeBinomial)(total_count=totalCount, **given),
    "MixedNormal": lambda logits, loc, scale: d.MixtureSameFamily(d.Categorical(logits=logits), d.Normal(loc, scale)),
    "MixedVectors": lambda probabilities, loc, scaleTril: d.MixtureSameFamily(
        d.Categorical(probs=probabilities), d.MultivariateNormal(loc, scale_tril=scaleTril)
    ),
}

LOCATED = {"loc": draw((3, 1)), "scale": draw((4,), 0.2, 2)}
ONE = {"loc": np.array(0.5), "scale": np.array(1.5)}
TAILS = np.array([-30.0, -8.0, -3.0, 0.25, 4.0, 9.0, 40.0])
SHARES = np.array([0.0009765625, 0.125, 0.4375, 0.75, 0.96875])
CENTRAL = {"logProb", "cdf", "icdf", "entropy", "mean", "variance", "stddev"}
DISCRETE = {"logProb", "entropy", "mean", "variance", "stddev"}
VECTORS = {"logProb", "entropy", "mean", "variance", "stddev"}

# The kind, its parameters, an event, shares for icdf, and which members to compare.
CASES = [
    ("Normal", LOCATED, draw((3, 4), -4, 4), draw((3, 4), 0.01, 0.99), CENTRAL),
    ("Normal", ONE, TAILS, SHARES, {"logProb", "icdf"}),
    ("LogNormal", LOCATED, draw((3, 4), 0.1, 5), draw((3, 4), 0.01, 0.99), CENTRAL | {"mode"}),
    ("LogNormal", ONE, np.array([1e-20, 0.01, 1.0, 50.0, 1e20]), SHARES, {"logProb", "icdf"}),
    ("Laplace", LOCATED, draw((3, 4), -4, 4), draw((3, 4), 0.01, 0.99), CENTRAL),
    ("Laplace", ONE, TAILS, SHARES, {"logProb", "icdf"}),
    ("Gumbel", LOCATED, draw((3, 4), -2, 5), draw((3, 4), 0.01, 0.99), CENTRAL | {"mode"}),
    ("Gumbel", ONE, TAILS, SHARES, {"logProb", "icdf"}),
    ("Cauchy", LOCATED, draw((3, 4), -4, 4), draw((3, 4), 0.01, 0.99), {"logProb", "cdf", "icdf", "entropy"}),
    ("Cauchy", ONE, TAILS * 1e6, SHARES, {"logProb", "icdf"}),
    ("Uniform", {"low": draw((3, 1), -2, 0), "high": draw((4,), 1, 3)}, draw((3, 4), 0, 1), draw((3, 4), 0, 1), CENTRAL),
    ("Uniform", {"low": np.array(-1.0), "high": np.array(3.0)}, np.array([-2.0, -1.0, 0.5, 3.0, 4.0]), None, {"cdf"}),
    ("Exponential", {"rate": draw((4,), 0.2, 3)}, draw((3, 4), 0.1, 5), draw((3, 4), 0.01, 0.99), CENTRAL | {"mode"}),
    ("Exponential", {"rate": np.array(2.0)}, np.array([0.0, 1e-20, 1.0, 1e20]), SHARES, {"logProb", "cdf", "icdf"}),
    ("Bernoulli", {"logits": draw((3, 1), -4, 4)}, np.array([[0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]), None, DISCRETE),
    ("Bernoulli", {"probabilities": draw((4,), 0.05, 0.95)}, np.array([0.0, 1.0, 0.25, 1.0]), None, DISCRETE),
    ("Bernoulli", {"logits": np.array([-200.0, -30.0, 30.0, 200.0, -200.0, 200.0])}, np.array([0.0, 1.0, 0.0, 1.0, 1.0, 0.0]), None, {"logProb"}),
    ("Bernoulli", {"probabilities": np.array([0.0, 1.0, 0.0, 1.0])}, np.array([0.0, 1.0, 1.0, 0.0]), None, {"logProb", "entropy", "mean"}),
    ("Geometric", {"logits": draw((3, 1), -3, 2)}, np.array([0.0, 1.0, 2.0, 20.0]), None, DISCRETE),
    ("Geometric", {"probabilities": draw((4,), 0.05, 0.95)}, np.array([0.0, 1.0, 7.0, 3.0]), None, DISCRETE),
    ("Categorical", {"logits": draw((2, 3))}, np.array([[0, 2], [1, 1], [2, 0]]), None, {"logProb", "entropy"}),
    ("Categorical", {"probabilities": draw((2, 3), 0.1, 3)}, np.array([0, 2]), None, {"logProb", "entropy"}),
    ("Categorical", {"logits": np.array([[800.0, 0.0, -800.0], [0.0, 3.0, 200.0]])}, np.array([1, 0]), None, {"logProb"}),
    ("Categorical", {"logits": np.array([[-np.inf, 0.5, 1.0]])}, np.array([1, 2]), None, {"logProb", "entropy"}),
    ("Categorical", {"probabilities": np.array([[0.0, 0.5, 1.5], [0.0, 0.0, 2.0]])}, np.array([0, 2]), None, {"logProb", "entropy"}),
    ("ByFactor", {"loc": draw((3,)), "scaleTril": factor((3, 3))}, draw((2, 4, 3)), None, VECTORS),
    ("ByFactor", {"loc": draw((2, 1, 3)), "scaleTril": factor((4, 3, 3))}, draw((2, 4, 3)), None, VECTORS),
    ("ByCovariance", {"loc": draw((2, 3)), "covarianceMatrix": covariance((3, 3))}, draw((4, 2, 3)), None, {"logProb", "entropy", "variance"}),
    ("IndependentNormal", {"loc": draw((2, 3)), "scale": draw((2, 3), 0.3, 2)}, draw((4, 2, 3)), None, VECTORS),
    ("IndependentBernoulli", {"logits": draw((4, 2, 3))}, np.round(draw((2, 3), 0, 1)), None, VECTORS),
    ("MixedNormal", {"logits": draw((2, 3)), "loc": draw((2, 3), -4, 4), "scale": draw((2, 3), 0.3, 2)}, draw((5, 2), -5, 5), None, VECTORS - {"entropy"} | {"cdf"}),
    ("MixedNormal", {"logits": draw((3,)), "loc": draw((3,)), "scale": draw((3,), 0.5, 1)}, TAILS, None, {"logProb"}),
    (
        "MixedVectors",
        {"probabilities": draw((2, 4), 0.1, 2), "loc": draw((2, 4, 3)), "scaleTril": factor((2, 4, 3, 3))},
        draw((5, 2, 3)),
        None,
        VECTORS - {"entropy"},
    ),
]

NORMAL = ("Normal", LOCATED)
OTHER = ("Normal", {"loc": draw((4,)), "scale": draw((3, 4), 0.3, 2)})
EVEN = ("Uniform", {"low": draw((3, 1), 0.1, 1), "high": draw((4,), 1.5, 3)})
WIDE = ("Uniform", {"low": np.full((3, 1), -2.0), "high": draw((4,), 2.5, 3.5)})
RATES = ("Exponential", {"rate": draw((3, 4), 0.2, 3)})


def located(kind):
    return (kind, {"loc": draw((3, 1)), "scale": draw((4,), 0.4, 2)})


PAIRS = [
    (NORMAL, OTHER),
    (NORMAL, NORMAL),
    (("LogNormal", LOCATED), ("LogNormal", ONE)),
    (located("Laplace"), located("Laplace")),
    (located("Gumbel"), located("Gumbel")),
    (located("Cauchy"), located("Cauchy")),
    (EVEN, WIDE),
    (WIDE, EVEN),
    (RATES, ("Exponential", {"rate": draw((4,), 0.2, 3)})),
    (("Bernoulli", {"logits": draw((3, 4))}), ("Bernoulli", {"logits": draw((3, 4))})),
    (("Bernoulli", {"probabilities": np.array([0.0, 1.0, 0.5, 0.5])}), ("Bernoulli", {"probabilities": np.array([0.0, 0.25, 1.0, 0.75])})),
    (("Geometric", {"probabilities": draw((3, 1), 0.1, 0.9)}), ("Geometric", {"logits": draw((4,))})),
    (("Categorical", {"logits": draw((3, 1, 4))}), ("Categorical", {"probabilities": draw((2, 4), 0.1, 2)})),
    (("Categorical", {"logits": np.array([[-np.inf, 0.5, 1.0]])}), ("Categorical", {"logits": np.array([[-np.inf, 0.0, 1.0], [0.0, 1.0, -np.inf]])})),
    (("ByFactor", {"loc": draw((2, 3)), "scaleTril": factor((2, 3, 3))}), ("ByFactor", {"loc": draw((3,)), "scaleTril": factor((3, 3))})),
    (("ByCovariance", {"loc": draw((3,)), "covarianceMatrix": covariance((3, 3))}), ("ByFactor", {"loc": draw((2, 3)), "scaleTril": factor((2, 3, 3))})),
    (("IndependentNormal", {"loc": draw((2, 3)), "scale": draw((2, 3), 0.3, 2)}), ("IndependentNormal", {"loc": draw((2, 3)), "scale": draw((2, 3), 0.3, 2)})),
    (NORMAL, located("Laplace")),
    (NORMAL, located("Gumbel")),
    (RATES, located("Gumbel")),
    (EVEN, located("Gumbel")),
    (located("Laplace"), OTHER),
    (located("Gumbel"), OTHER),
    (RATES, OTHER),
    (EVEN, OTHER),
    (EVEN, RATES),
    (WIDE, RATES),
    *((located(kind), RATES) for kind in ("Normal", "Laplace", "Gumbel")),
    *((p, EVEN) for p in (RATES, *map(located, ("Normal", "Laplace", "Gumbel")))),
]

later = np.random.RandomState(8)


def more(shape, low, high):
    return later.uniform(low, high, shape).astype(np.float32).astype(np.float64)


AWKWARD = np.array([1e-3, 1.0, 1e4])
FAMILY = {"logProb", "entropy", "mean", "variance", "stddev", "mode"}
SPREAD = {"logProb", "entropy", "mean", "variance", "stddev"}
COUNTS = {"logProb", "mean", "variance", "stddev", "mode"}
CASES += [
    ("Gamma", {"concentration": more((3, 1), 0.3, 6), "rate": more((4,), 0.3, 3)}, more((3, 4), 0.1, 5), None, FAMILY),
    ("Gamma", {"concentration": np.array(1.0), "rate": np.array(2.0)}, np.array([1e-30, 0.5, 40.0]), None, {"logProb"}),
    ("Gamma", {"concentration": AWKWARD, "rate": np.array([2.0, 0.5, 1e3])}, np.array([1e-30, 3.0, 10.125]), None, FAMILY - {"entropy"}),
    ("Gamma", {"concentration": np.array([1e-3, 1.0]), "rate": np.array(2.0)}, np.array([1e-30, 3.0]), None, {"entropy"}),
    ("Chi2", {"df": more((4,), 0.3, 6)}, more((3, 4), 0.1, 9), None, FAMILY),
    ("Beta", {"concentration1": more((3, 1), 0.3, 6), "concentration0": more((4,), 0.3, 6)}, more((3, 4), 0.02, 0.98), None, SPREAD),
    ("Beta", {"concentration1": AWKWARD, "concentration0": np.array([1e-3, 1.0, 2e4])}, np.array([1e-30, 0.25, 0.34375]), None, SPREAD - {"entropy"}),
    ("Beta", {"concentration1": np.array([1e-3, 1.0]), "concentration0": np.array([2.0, 1e-3])}, np.array([0.125, 0.75]), None, {"entropy"}),
    ("Dirichlet", {"concentration": more((2, 3), 0.3, 6)}, np.array([[[0.25, 0.25, 0.5]], [[0.0625, 0.5, 0.4375]]]), None, SPREAD),
    ("Dirichlet", {"concentration": AWKWARD}, np.array([[0.0009765625, 0.0009765625, 0.998046875], [2.0**-40, 2.0**-20, 1.0]]), None, {"logProb", "mean", "variance"}),
    ("StudentT", {"df": more((3, 1), 2.5, 6), "loc": more((4,), -2, 2), "scale": more((3, 1), 0.3, 2)}, more((3, 4), -3, 3), None, SPREAD),
    ("StudentT", {"df": np.array([1e-3, 1.0, 1.5, 1e4, 0.5]), "loc": np.array(0.0), "scale": np.array(2.0)}, np.array([3.0, -8.0, 1e-6, 5.0, 1e12]), None, {"logProb"}),
    ("StudentT", {"df": np.array([0.5, 1.0, 1.5, 2.0, 2.5]), "loc": np.array(0.5), "scale": np.array(2.0)}, np.array(0.0), None, {"mean", "variance"}),
    ("Poisson", {"rate": more((4,), 0.1, 9)}, np.array([[0.0, 1.0, 2.0, 3.0], [7.0, 30.0, 4.0, 11.0]]), None, COUNTS),
    ("Poisson", {"rate": np.array([1e-3, 1.0, 1e4])}, np.array([2.0, 0.0, 10100.0]), None, COUNTS),
    ("NegativeBinomial", {"totalCount": more((3, 1), 0.3, 6), "logits": more((4,), -2, 2)}, np.array([0.0, 1.0, 5.0, 30.0]), None, COUNTS),
    ("NegativeBinomial", {"totalCount": AWKWARD, "probabilities": np.array([0.5, 0.25, 0.125])}, np.array([2.0, 0.0, 1400.0]), None, COUNTS),
]


def gamma(*shape):
    return ("Gamma", {"concentration": more(shape, 0.3, 6), "rate": more((4,), 0.3, 3)})


def beta():
    return ("Beta", {"concentration1": more((3, 1), 0.3, 6), "concentration0": more((4,), 0.3, 6)})


INSIDE = ("Uniform", {"low": np.array([[0.0625], [0.125], [0.25]]), "high": np.array([0.5, 0.75, 0.875, 0.9375])})
PAIRS += [
    (gamma(3, 1), gamma(3, 4)),
    (("Gamma", {"concentration": AWKWARD, "rate": np.array(2.0)}), ("Gamma", {"concentration": np.array([2e-3, 0.5, 10100.0]), "rate": np.array(1.5)})),
    (gamma(4), ("Chi2", {"df": more((4,), 0.3, 6)})),
    (
        ("Beta", {"concentration1": more((3, 1), 0.3, 6), "concentration0": more((4,), 0.3, 6)}),
        ("Beta", {"concentration1": more((4,), 0.3, 6), "concentration0": more((3, 1), 0.3, 6)}),
    ),
    *((gamma(3, 1), q) for q in (located("Gumbel"), OTHER, RATES, EVEN)),
    (RATES, gamma(3, 1)),
    (EVEN, gamma(3, 1)),
    (WIDE, gamma(3, 1)),
    *((located(kind), gamma(3, 1)) for kind in ("Normal", "Laplace", "Gumbel")),
    *((beta(), q) for q in (OTHER, RATES, gamma(3, 1), EVEN, WIDE)),
    *((p, beta()) for p in (INSIDE, WIDE, RATES, NORMAL, gamma(3, 1))),
    (("Poisson", {"rate": np.array([0.5, 3.0])}), ("Bernoulli", {"logits": np.array(0.5)})),
    (("Bernoulli", {"logits": np.array([-30.0, -1.0, 0.5])}), ("Poisson", {"rate": np.array([[0.5], [3.0]])})),
    (("Bernoulli", {"probabilities": np.array([0.125, 0.5, 0.75])}), ("Poisson", {"rate": np.array(0.125)})),
    (("Dirichlet", {"concentration": more((2, 3), 0.3, 6)}), ("Dirichlet", {"concentration": more((3,), 0.3, 6)})),
    (("Poisson", {"rate": np.array([0.5, 3.0, 1e4])}), ("Poisson", {"rate": np.array([0.25, 7.0, 10100.0])})),
]

MEMBERS = {
    "logProb": lambda p, x, share: p.log_prob(x),
    "cdf": lambda p, x, share: p.cdf(x),
    "icdf": lambda p, x, share: p.icdf(share),
    "entropy": lambda p, x, share: p.entropy(),
    "mean": lambda p, x, share: p.mean,
    "variance": lambda p, x, share: p.variance,
    "stddev": lambda p, x, share: p.stddev,
    "mode": lambda p, x, share: p.mode,
}
WITH_GRADIENTS = {"logProb", "entropy", "cdf", "icdf", "variance"}


def text(v):
    return float(str(v)) if np.isfinite(v) else str(float(v)).replace("inf", "Infinity").replace("nan", "NaN")


def shortest(x, dtype):
    return [text(v) for v in x.detach().numpy().astype(dtype).reshape(-1)]


def array(x):
    return {"shape": list(x.shape), "data": [text(v) for v in x.reshape(-1)]}


def leaves(parameters, dtype, within):
    return {name: torch.tensor(x.astype(dtype).astype(within), requires_grad=True) for name, x in parameters.items()}


def result(value, wanted, dtype):
    """The value, and its gradients by those of `wanted` that it depends on."""
    out = {"shape": list(value.shape), "value": shortest(value, dtype)}
    if wanted and value.requires_grad:
        cotangent = torch.arange(1, value.numel() + 1, dtype=value.dtype).reshape(value.shape) / 4
        found = torch.autograd.grad(value, list(wanted.values()), cotangent, allow_unused=True)
        out["gradients"] = {name: shortest(g, dtype) for name, g in zip(wanted, found) if g is not None}
    return out


def members(kind, parameters, event, shares, names, dtype):
    results = {}
    within = np.float64 if kind in PRECISE else dtype
    for name in sorted(names):
        given = leaves(parameters, dtype, within)
        classes = event.dtype.kind == "i"
        x = torch.tensor(event) if classes else torch.tensor(event.astype(dtype).astype(within), requires_grad=True)
        share = None if shares is None else torch.tensor(shares.astype(dtype), requires_grad=True)
        value = MEMBERS[name](KINDS[kind](**given), x, share)
        wanted = {**given, **({} if classes else {"x": x}), **({} if share is None else {"p": share})}
        exact = not (name == "entropy" and kind in PRECISE and dtype == np.float64)
        results[name] = result(value, wanted if name in WITH_GRADIENTS and exact else None, dtype)
    return results


def divergence(p, q, dtype):
    within = np.float64 if {p[0], q[0]} & PRECISE else dtype
    first, second = leaves(p[1], dtype, within), leaves(q[1], dtype, within)
    value = d.kl_divergence(KINDS[p[0]](**first), KINDS[q[0]](**second))
    finite = bool(torch.isfinite(value).all()) and not ({p[0], q[0]} & PRECISE and dtype == np.float64)
    wanted = {**{f"p.{k}": x for k, x in first.items()}, **{f"q.{k}": x for k, x in second.items()}}
    return result(value, wanted if finite else None, dtype)


def written(kind, parameters):
    return {"kind": kind, "parameters": {name: array(x) for name, x in parameters.items()}}


cases = [
    {
        **written(kind, parameters),
        "x": array(event),
        "classes": event.dtype.kind == "i",
        **({} if shares is None else {"p": array(shares)}),
        "float32": members(kind, parameters, event, shares, names, np.float32),
        "float64": members(kind, parameters, event, shares, names, np.float64),
    }
    for kind, parameters, event, shares, names in CASES
]
pairs = [
    {
        "p": written(*p),
        "q": written(*q),
        "float32": divergence(p, q, np.float32),
        "float64": divergence(p, q, np.float64),
    }
    for p, q in PAIRS
]


def lines(rows):
    return ",\n".join(f"    {json.dumps(row, allow_nan=False)}" for row in rows)


path = pathlib.Path(__file__).with_suffix(".json")
path.write_text(
    f'{{\n  "pytorch": "{torch.__version__}",\n  "cases": [\n{lines(cases)}\n  ],\n  "pairs": [\n{lines(pairs)}\n  ]\n}}\n'
)
