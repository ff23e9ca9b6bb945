"""Writes normalization.json: PyTorch's layers that normalize, and others with few parameters. See layer.py."""

import torch.nn as nn
from layer import *

draw = Draws("layers")


def twice(make):
    """Two batches of training, then one outside of it."""
    return [("train", [make()]), ("train", [make()]), ("eval", [make()])]


layer("BatchNorm1d", "BatchNorm1d", [3], nn.BatchNorm1d(3), twice(lambda: draw.floats([4, 3])))
layer("BatchNorm1d of sequences, float64", "BatchNorm1d", [2, {"eps": 0.01, "momentum": 0.3}], nn.BatchNorm1d(2, 0.01, 0.3), twice(lambda: draw.floats([2, 2, 3], f64)), f64)
layer("BatchNorm1d with cumulative statistics", "BatchNorm1d", [2, {"momentum": None}], nn.BatchNorm1d(2, momentum=None), twice(lambda: draw.floats([3, 2])))
layer("BatchNorm1d without parameters and statistics", "BatchNorm1d", [2, {"affine": False, "trackRunningStats": False}], nn.BatchNorm1d(2, affine=False, track_running_stats=False), twice(lambda: draw.floats([3, 2])))
layer("BatchNorm2d", "BatchNorm2d", [2], nn.BatchNorm2d(2), twice(lambda: draw.floats([2, 2, 2, 3])))
layer("BatchNorm3d", "BatchNorm3d", [2], nn.BatchNorm3d(2), twice(lambda: draw.floats([1, 2, 2, 2, 2])))
layer("InstanceNorm1d", "InstanceNorm1d", [3], nn.InstanceNorm1d(3), [("train", [draw.floats([2, 3, 4])]), ("eval", [draw.floats([3, 4])])])
layer(
    "InstanceNorm1d with parameters and statistics",
    "InstanceNorm1d",
    [2, {"affine": True, "trackRunningStats": True}],
    nn.InstanceNorm1d(2, affine=True, track_running_stats=True),
    twice(lambda: draw.floats([2, 2, 4])),
)
layer("InstanceNorm2d, float64", "InstanceNorm2d", [2, {"affine": True}], nn.InstanceNorm2d(2, affine=True), twice(lambda: draw.floats([2, 2, 2, 3], f64)), f64)
layer("InstanceNorm3d", "InstanceNorm3d", [2], nn.InstanceNorm3d(2), [("train", [draw.floats([2, 2, 2, 1, 3])])])
layer("LayerNorm", "LayerNorm", [4], nn.LayerNorm(4), [("train", [draw.floats([2, 3, 4])])])
layer("LayerNorm over two axes, float64", "LayerNorm", [[3, 2], {"eps": 0.01}], nn.LayerNorm([3, 2], 0.01), [("eval", [draw.floats([2, 3, 2], f64)])], f64)
layer("LayerNorm without parameters", "LayerNorm", [4, {"elementwiseAffine": False}], nn.LayerNorm(4, elementwise_affine=False), [("train", [draw.floats([2, 4])])])
layer("GroupNorm", "GroupNorm", [2, 4], nn.GroupNorm(2, 4), [("train", [draw.floats([2, 4, 3])])])
layer("GroupNorm of images, float64", "GroupNorm", [3, 3, {"eps": 0.1}], nn.GroupNorm(3, 3, 0.1), [("eval", [draw.floats([2, 3, 2, 2], f64)])], f64)
layer("Bilinear", "Bilinear", [2, 3, 4], nn.Bilinear(2, 3, 4), [("train", [draw.floats([2, 2]), draw.floats([2, 3])])])
layer("Bilinear without bias, float64", "Bilinear", [3, 1, 2, {"bias": False}], nn.Bilinear(3, 1, 2, bias=False), [("train", [draw.floats([2, 2, 3], f64), draw.floats([2, 2, 1], f64)])], f64)
layer("Linear", "Linear", [3, 2], nn.Linear(3, 2), [("train", [draw.floats([2, 2, 3])])])
layer("PReLU with a slope for each channel", "PReLU", [{"numParameters": 3}], nn.PReLU(3), [("train", [draw.floats([2, 3, 2])])])
layer("Dropout outside of training", "Dropout", [0.4], nn.Dropout(0.4), [("eval", [draw.floats([5])])])
layer("Embedding", "Embedding", [5, 3], nn.Embedding(5, 3), [("train", [t([[0, 3], [3, 4]], i32)])])
layer("Embedding with padding", "Embedding", [4, 2, {"paddingIdx": 1}], nn.Embedding(4, 2, padding_idx=1), [("train", [t([1, 2, 1, 0], i32)])])
layer("Embedding with padding counted from the end", "Embedding", [4, 2, {"paddingIdx": -1}], nn.Embedding(4, 2, padding_idx=-1), [("train", [t([3, 0], i32)])])

write(__file__)
