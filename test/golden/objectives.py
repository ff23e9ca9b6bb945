"""Writes objectives.json: PyTorch's losses of more than a prediction and a target of one shape. The others are in losses.py.

    /usr/bin/python3 test/golden/objectives.py

Each case holds the arguments of a call as our function takes them, and for every reduction the loss and its gradients by the float
tensors among the arguments, in float32 and float64.
"""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent / "ops"))
import torch.nn.functional as F
from cases import *

found = []


def reduce(losses, reduction):
    return {"mean": losses.mean, "sum": losses.sum, "none": lambda: losses}[reduction]()


def focal(x, y, alpha=0.25, gamma=2.0, reduction="mean"):
    """What torchvision.ops.sigmoid_focal_loss computes."""
    p = torch.sigmoid(x)
    hit = p * y + (1 - p) * (1 - y)
    losses = F.binary_cross_entropy_with_logits(x, y, reduction="none") * (1 - hit) ** gamma
    return reduce(losses if alpha is None else losses * (alpha * y + (1 - alpha) * (1 - y)), reduction)


def quantile(x, y, q=0.5, reduction="mean"):
    return reduce(torch.maximum(q * (y - x), (q - 1) * (y - x)), reduction)


def info_nce(x, y, temperature=0.1, negatives=None, reduction="mean"):
    x, y = F.normalize(x, dim=1), F.normalize(y, dim=1)
    scores = x @ y.T if negatives is None else torch.cat([(x * y).sum(1, keepdim=True), x @ F.normalize(negatives, dim=1).T], 1)
    places = torch.arange(len(x)) if negatives is None else torch.zeros(len(x), dtype=torch.int64)
    return F.cross_entropy(scores / temperature, places, reduction=reduction)


def ctc(logits, targets, steps, lengths, reduction="mean", **options):
    """By logits: PyTorch's gradient by the logarithms themselves is right only behind log_softmax."""
    return F.ctc_loss(torch.log_softmax(logits, -1), targets, steps, lengths, reduction=reduction, **options)


def poisson(x, y, logInput=True, full=False, eps=1e-8, reduction="mean"):
    return F.poisson_nll_loss(x, y, log_input=logInput, full=full, eps=eps, reduction=reduction)


LOSSES = {
    "marginRanking": F.margin_ranking_loss,
    "cosineEmbedding": F.cosine_embedding_loss,
    "tripletMargin": F.triplet_margin_loss,
    "infoNCE": info_nce,
    "multiMargin": lambda x, y, **options: F.multi_margin_loss(x, y.to(torch.int64), **options),
    "focal": focal,
    "quantile": quantile,
    "poissonNll": poisson,
    "ctc": ctc,
}
WORDS = {"zeroInfinity": "zero_infinity"}


def results(name, args, options, dtype):
    typed = [x.detach().to(dtype).requires_grad_(True) if torch.is_tensor(x) and x.is_floating_point() else x for x in args]
    given = {key: x.to(dtype) if torch.is_tensor(x) and x.is_floating_point() else x for key, x in options.items()}
    inputs = list(floats_in(typed))
    answer = {}
    for reduction in ["mean", "sum", "none"]:
        value = LOSSES[name](*typed, **{WORDS.get(key, key): x for key, x in given.items()}, reduction=reduction)
        weights = torch.arange(1, value.numel() + 1, dtype=dtype).reshape(value.shape) / 4 if reduction == "none" else torch.ones_like(value)
        gradients = torch.autograd.grad(value, inputs, weights, allow_unused=True)
        answer[reduction] = {"value": argument(value), "gradients": [numbers(torch.zeros_like(x) if g is None else g) for x, g in zip(inputs, gradients)]}
    return answer


def case(name, title, *args, **options):
    found.append(
        {
            "loss": name,
            "case": title,
            "args": [argument(x) for x in args],
            "options": argument(options),
            "float32": results(name, args, options, f32),
            "float64": results(name, args, options, f64),
        }
    )


draw = Draws("objectives")
x = lambda *shape, low=-2.0, high=2.0: draw.floats(shape, low=low, high=high)
sign = lambda *shape: draw.bools(shape).to(f32) * 2 - 1
classes = lambda n, c: draw.integers([n], 0, c - 1)

case("marginRanking", "of vectors", x(5), x(5), sign(5))
case("marginRanking", "with a margin", x(2, 3), x(2, 3), sign(2, 3), margin=0.5)
case("marginRanking", "at the kink", t([1.0, 1.0]), t([1.0, 0.5]), t([1.0, 1.0]), margin=0.5)
case("cosineEmbedding", "of pairs", x(4, 3), x(4, 3), sign(4))
case("cosineEmbedding", "with a margin", x(4, 2), x(4, 2), sign(4), margin=0.25)
case("cosineEmbedding", "of one pair", x(3), x(3), t(1.0))
case("tripletMargin", "of vectors", x(3, 4), x(3, 4), x(3, 4))
case("tripletMargin", "with another norm and margin", x(3, 4), x(3, 4), x(3, 4), margin=2.0, p=1.0)
case("tripletMargin", "with swap", x(4, 2), x(4, 2), x(4, 2), swap=True, eps=1e-3)
case("infoNCE", "among the others", x(4, 3), x(4, 3))
case("infoNCE", "at another temperature", x(3, 2), x(3, 2), temperature=0.5)
case("infoNCE", "among given negatives", x(2, 3), x(2, 3), negatives=x(3, 3), temperature=1.0)
case("multiMargin", "of scores", x(4, 3), classes(4, 3))
case("multiMargin", "of squares with weights", x(3, 3), classes(3, 3), p=2, margin=0.5, weight=t([0.5, 2.0, 1.0]))
case("multiMargin", "at the kink", t([[1.0, 0.0, 1.5]]), t([0], i32))
case("focal", "of logits", x(3, 3), draw.bools([3, 3]).to(f32))
case("focal", "of targets between", x(5), x(5, low=0.0, high=1.0), alpha=0.75, gamma=1.5)
case("focal", "without balance", x(4), draw.bools([4]).to(f32), alpha=None, gamma=0.0)
case("quantile", "of a high one", x(6), x(6), q=0.9)
case("quantile", "of the median", x(2, 3), x(2, 3))
case("poissonNll", "with Stirling's formula", x(2, 3), t([[0.0, 1.0, 2.0], [3.0, 5.0, 0.0]]), full=True)
case("poissonNll", "of rates", x(5, low=0.1, high=3.0), t([0.0, 1.0, 4.0, 2.0, 3.0]), logInput=False)
case("poissonNll", "of rates that may be 0", t([0.0, 0.5]), t([0.0, 2.0]), logInput=False, full=True, eps=0.25)
lines = lambda *rows: t(list(rows), i32)
case("ctc", "of two examples", x(5, 2, 4), lines([1, 2], [3, 1]), t([5, 4], i32), t([2, 1], i32))
case("ctc", "of repeated classes", x(6, 2, 3), lines([1, 1, 2], [2, 2, 2]), t([6, 6], i32), t([3, 3], i32))
case("ctc", "with another blank", x(4, 1, 3), lines([0, 1]), t([4], i32), t([2], i32), blank=2)
case("ctc", "of targets that are too long, as 0", x(3, 2, 3), lines([1, 1, 1], [1, 2, 1]), t([3, 3], i32), t([3, 2], i32), zeroInfinity=True)
case("ctc", "of nothing", x(3, 2, 3), lines([1, 2], [1, 2]), t([3, 2], i32), t([0, 1], i32))

path = pathlib.Path(__file__).with_suffix(".json")
path.write_text(f'{{\n"pytorch": "{torch.__version__}",\n"cases": [\n' + ",\n".join(text_of(x) for x in found) + "\n]\n}\n")
