"""Writes losses.json: PyTorch's losses and their gradients.

    /usr/bin/python3 test/golden/losses.py

Each case holds a prediction and a target, and for every reduction the loss and its gradients by both (null where the target
has none). With "none" the gradient is that of the losses weighted by the cotangent. float32 and float64 cases hold the same
numbers in both; infinities are strings. All random numbers come from one seed.
"""

import json
import pathlib

import numpy as np
import torch
import torch.nn.functional as F

random = np.random.default_rng(7)
LOSSES = {
    "mse": F.mse_loss,
    "l1": F.l1_loss,
    "bce": F.binary_cross_entropy,
    "bceWithLogits": F.binary_cross_entropy_with_logits,
    "crossEntropy": F.cross_entropy,
    "huber": F.huber_loss,
    "smoothL1": F.smooth_l1_loss,
    "poissonNll": F.poisson_nll_loss,
    "nll": F.nll_loss,
    "gaussianNll": lambda x, y, v, **options: F.gaussian_nll_loss(x, y, v, **options),
    "klDiv": lambda x, y, logTarget=False, **options: F.kl_div(x, y, log_target=logTarget, **options),
    # PyTorch has no such functions.
    "hinge": lambda x, y, reduction: reduce(torch.relu(1 - x * y), reduction),
    "squaredHinge": lambda x, y, reduction: reduce(torch.relu(1 - x * y).square(), reduction),
    "perceptron": lambda x, y, reduction: reduce(torch.relu(-x * y), reduction),
    "logCosh": lambda x, y, reduction: reduce((x.double() - y).cosh().log().to(x.dtype), reduction),
}

SNAKE = {"posWeight": "pos_weight", "ignoreIndex": "ignore_index", "labelSmoothing": "label_smoothing"}


def reduce(losses, reduction):
    return {"mean": losses.mean, "sum": losses.sum, "none": lambda: losses}[reduction]()


def draw(shape, low=-3.0, high=3.0):
    return random.uniform(low, high, shape).astype(np.float32).astype(np.float64)


def softmax(x):
    e = np.exp(x)
    return (e / e.sum(-1, keepdims=True)).astype(np.float32).astype(np.float64)


def shares(shape):
    """Probabilities with the classes on axis 1."""
    return np.moveaxis(softmax(np.moveaxis(draw(shape), 1, -1)), -1, 1)


WEIGHTS = [0.5, 2.0, 1.5, 1.0]

CASES = [
    ("mse", "of a matrix", draw((3, 4)), draw((3, 4))),
    ("mse", "of one number", draw(()), draw(())),
    ("mse", "of three axes", draw((2, 3, 2)), draw((2, 3, 2))),
    ("l1", "of a matrix", draw((3, 4)), draw((3, 4))),
    ("l1", "of equal elements", np.array([1.0, -2.0, 0.5]), np.array([1.0, -2.5, 0.5])),
    ("bce", "of probabilities", draw((3, 4), 0.01, 0.99), draw((3, 4), 0, 1)),
    ("bce", "of yes and no", draw((6,), 0.01, 0.99), np.array([0.0, 1.0, 0.0, 1.0, 1.0, 0.0])),
    ("bce", "of certainty, right and wrong", np.array([0.0, 0.0, 1.0, 1.0]), np.array([0.0, 1.0, 0.0, 1.0])),
    ("bce", "of near certainty", np.array([2.0**-23, 2.0**-30, 1 - 2.0**-20]), np.array([1.0, 0.25, 0.5])),
    ("bceWithLogits", "of logits", draw((3, 4), -5, 5), draw((3, 4), 0, 1)),
    ("bceWithLogits", "of zeros", np.zeros(3), np.array([0.0, 0.5, 1.0])),
    (
        "bceWithLogits",
        "of large logits",
        np.array([-200.0, -30.0, 30.0, 200.0, -200.0, 200.0]),
        np.array([0.0, 1.0, 0.0, 1.0, 1.0, 0.25]),
    ),
    ("crossEntropy", "of classes", draw((5, 3)), np.array([0, 2, 1, 1, 0])),
    ("crossEntropy", "of one row", draw((1, 4)), np.array([3])),
    ("crossEntropy", "of large logits", np.array([[800.0, 0.0], [-800.0, 3.0]]), np.array([1, 1])),
    ("crossEntropy", "of probabilities", draw((4, 3)), softmax(draw((4, 3)))),
    ("crossEntropy", "of weights that do not sum to 1", draw((2, 3)), draw((2, 3), 0, 2)),
    ("bce", "with weights", draw((3, 4), 0.01, 0.99), draw((3, 4), 0, 1), {"weight": [0.5, 2.0, 1.0, 0.0]}),
    ("bceWithLogits", "with weights", draw((3, 4), -5, 5), draw((3, 4), 0, 1), {"weight": [0.5, 2.0, 1.0, 0.0]}),
    ("bceWithLogits", "with weights of yes", draw((3, 4), -5, 5), draw((3, 4), 0, 1), {"posWeight": [0.5, 2.0, 1.0, 8.0]}),
    (
        "bceWithLogits",
        "with both weights",
        draw((2, 3), -5, 5),
        np.array([[0.0, 1.0, 1.0], [1.0, 0.0, 1.0]]),
        {"posWeight": [3.0], "weight": [1.0, 0.25, 2.0]},
    ),
    ("crossEntropy", "with weights", draw((5, 3)), np.array([0, 2, 1, 1, 0]), {"weight": [0.5, 2.0, 1.5]}),
    ("crossEntropy", "with a class ignored", draw((5, 3)), np.array([0, -100, 1, -100, 2]), {"ignoreIndex": -100}),
    ("crossEntropy", "with one of its classes ignored", draw((5, 3)), np.array([0, 2, 1, 1, 0]), {"ignoreIndex": 1}),
    ("crossEntropy", "smoothed", draw((5, 3)), np.array([0, 2, 1, 1, 0]), {"labelSmoothing": 0.1}),
    (
        "crossEntropy",
        "with everything",
        draw((6, 4)),
        np.array([0, 3, 1, -1, 2, -1]),
        {"weight": [0.5, 2.0, 1.5, 1.0], "ignoreIndex": -1, "labelSmoothing": 0.3},
    ),
    (
        "crossEntropy",
        "of probabilities with weights, smoothed",
        draw((4, 3)),
        softmax(draw((4, 3))),
        {"weight": [0.5, 2.0, 1.5], "labelSmoothing": 0.2},
    ),
    ("huber", "of a matrix", draw((3, 4)), draw((3, 4))),
    ("huber", "with another delta", draw((3, 4)), draw((3, 4)), {"delta": 2.5}),
    ("huber", "of equal elements and at the seam", np.array([1.0, 2.0, -1.0]), np.array([1.0, 1.0, 0.0])),
    ("smoothL1", "of a matrix", draw((3, 4)), draw((3, 4))),
    ("smoothL1", "with another beta", draw((3, 4)), draw((3, 4)), {"beta": 0.25}),
    ("smoothL1", "with beta 0", draw((6,)), draw((6,)), {"beta": 0.0}),
    ("smoothL1", "of equal elements and at the seam", np.array([1.0, 2.0, -1.0]), np.array([1.0, 1.0, 0.0])),
    ("logCosh", "of a matrix", draw((3, 4)), draw((3, 4))),
    ("logCosh", "of equal and large elements", np.array([1.0, 300.0, -200.0]), np.array([1.0, 0.0, 10.0])),
    ("hinge", "of a matrix", draw((3, 4)), np.sign(draw((3, 4)))),
    ("hinge", "of certain answers at the kink", np.array([1.0, -1.0, 5.0]), np.array([1.0, -1.0, 1.0])),
    ("squaredHinge", "of a matrix", draw((3, 4)), np.sign(draw((3, 4)))),
    ("perceptron", "of a matrix", draw((3, 4)), np.sign(draw((3, 4)))),
    ("perceptron", "of an equal distance", np.array([0.0, -0.0, 2.0]), np.array([1.0, -1.0, -1.0])),
    ("poissonNll", "of counts", draw((3, 4)), np.floor(draw((3, 4), 0, 5))),
    ("nll", "of classes", np.log(softmax(draw((5, 3)))), np.array([0, 2, 1, 1, 0])),
    ("nll", "with weights", np.log(softmax(draw((5, 3)))), np.array([0, 2, 1, 1, 0]), {"weight": [0.5, 2.0, 1.5]}),
    (
        "nll",
        "with weights and a class ignored",
        np.log(softmax(draw((5, 3)))),
        np.array([0, 7, 1, 7, 2]),
        {"weight": [0.5, 2.0, 1.5], "ignoreIndex": 7},
    ),
    ("gaussianNll", "of a matrix", draw((3, 4)), draw((3, 4)), {}, draw((3, 4), 0.2, 3)),
    ("gaussianNll", "with one variance for each row", draw((3, 4)), draw((3, 4)), {"full": True}, draw((3, 1), 0.2, 3)),
    ("gaussianNll", "without the last axis", draw((3, 4)), draw((3, 4)), {"eps": 1e-3}, draw((3,), 0.2, 3)),
    ("gaussianNll", "of a variance at the certain limit", draw((3,)), draw((3,)), {"eps": 0.5}, np.array([0.25, 0.5, 0.0])),
    ("klDiv", "of probabilities", np.log(softmax(draw((4, 3)))), softmax(draw((4, 3)))),
    ("klDiv", "of logarithms", np.log(softmax(draw((4, 3)))), np.log(softmax(draw((4, 3)))), {"logTarget": True}),
    ("klDiv", "of certain probabilities", np.log(softmax(draw((2, 2)))), np.array([[0.0, 1.0], [0.5, 0.0]])),
    ("crossEntropy", "of places", draw((2, 3, 4)), np.array([[0, 2, 1, 1], [2, 2, 0, 1]])),
    ("crossEntropy", "of a field", draw((2, 3, 2, 2)), np.array([[[0, 2], [1, 1]], [[2, 0], [0, 1]]])),
    ("crossEntropy", "of probabilities at places", draw((2, 3, 4)), shares((2, 3, 4))),
    ("crossEntropy", "of one row without others", draw((4,)), np.array(3)),
    ("crossEntropy", "of probabilities of one row", draw((4,)), shares((1, 4))[0]),
    ("crossEntropy", "of one row with everything", draw((4,)), np.array(2), {"weight": WEIGHTS, "labelSmoothing": 0.3}),
    (
        "crossEntropy",
        "of places with everything",
        draw((2, 4, 3)),
        np.array([[0, 3, -1], [2, -1, 1]]),
        {"weight": WEIGHTS, "ignoreIndex": -1, "labelSmoothing": 0.3},
    ),
    (
        "crossEntropy",
        "of probabilities in a field with weights, smoothed",
        draw((2, 4, 2, 3)),
        shares((2, 4, 2, 3)),
        {"weight": WEIGHTS, "labelSmoothing": 0.2},
    ),
    ("nll", "of places", np.log(shares((2, 3, 4))), np.array([[0, 2, 1, 1], [2, 2, 0, 1]])),
    ("nll", "of one row", np.log(shares((1, 3))[0]), np.array(1)),
    (
        "nll",
        "of a field with weights and a class ignored",
        np.log(shares((2, 4, 2, 2))),
        np.array([[[0, 7], [1, 1]], [[2, 7], [3, 1]]]),
        {"weight": WEIGHTS, "ignoreIndex": 7},
    ),
]


def shortest(x, dtype):
    if x is None:
        return None
    values = x.detach().numpy().astype(dtype).reshape(-1)
    return [float(str(v)) if np.isfinite(v) else str(float(v)).replace("inf", "Infinity").replace("nan", "NaN") for v in values]


def evaluate(name, prediction, target, options, variance, dtype):
    classes = target.dtype.kind == "i"
    results = {}
    cotangent = None
    for reduction in ("mean", "sum", "none", *(["batchMean"] if name == "klDiv" else [])):
        x = torch.tensor(prediction.astype(dtype), requires_grad=True)
        y = torch.tensor(target) if classes else torch.tensor(target.astype(dtype), requires_grad=True)
        v = None if variance is None else torch.tensor(variance.astype(dtype), requires_grad=True)
        operands = (x, y) if v is None else (x, y, v)
        given = {SNAKE.get(key, key): torch.tensor(o, dtype=x.dtype) if isinstance(o, list) else o for key, o in options.items()}
        value = LOSSES[name](*operands, reduction=reduction.lower(), **given)
        weights = torch.ones_like(value)
        if reduction == "none":
            weights = torch.arange(1, value.numel() + 1, dtype=value.dtype).reshape(value.shape) / 4
            cotangent = shortest(weights, dtype)
        value.backward(weights)
        results[reduction] = {
            "shape": list(value.shape),
            "value": shortest(value, dtype),
            "prediction": shortest(x.grad, dtype),
            "target": None if classes else shortest(y.grad, dtype),
            **({} if v is None else {"variance": shortest(v.grad, dtype)}),
        }
    return {"cotangent": cotangent, **results}


cases = [
    {
        "loss": name,
        "case": case,
        "options": options,
        "shape": list(prediction.shape),
        "prediction": prediction.reshape(-1).tolist(),
        "targetShape": list(target.shape),
        "target": target.reshape(-1).tolist(),
        "classes": target.dtype.kind == "i",
        **({} if variance is None else {"varianceShape": list(variance.shape), "variance": variance.reshape(-1).tolist()}),
        "float32": evaluate(name, prediction, target, options, variance, np.float32),
        "float64": evaluate(name, prediction, target, options, variance, np.float64),
    }
    for name, case, prediction, target, *rest in CASES
    for options, variance in [rest if len(rest) == 2 else (rest[0] if rest else {}, None)]
]
lines = ",\n".join(f"    {json.dumps(case, allow_nan=False)}" for case in cases)
path = pathlib.Path(__file__).with_suffix(".json")
path.write_text(f'{{\n  "pytorch": "{torch.__version__}",\n  "cases": [\n{lines}\n  ]\n}}\n')
