"""Writes recurrent.json: PyTorch's recurrent networks. See layer.py."""

import torch.nn as nn
from layer import *

draw = Draws("recurrent")

WORDS = {"numLayers": "num_layers", "batchFirst": "batch_first", "projSize": "proj_size"}


def network(title, ours, sizes, given, *calls, dtype=f32):
    """`sizes` are those of input and state, `given` our options."""
    options = {WORDS.get(key, key): value for key, value in given.items()}
    layer(title, ours, [*sizes, given] if given else sizes, getattr(nn, ours)(*sizes, **options), calls, dtype)


def lstm(module, x, state=None):
    return module(x, None if state is None else tuple(state))


for kind in ["RNN", "GRU"]:
    network(f"{kind}", kind, [2, 3], {}, ("train", [draw.floats([3, 2, 2])]), ("train", [draw.floats([2, 1, 2]), draw.floats([1, 1, 3])]))
    network(f"{kind}, float64", kind, [2, 2], {}, ("train", [draw.floats([3, 2, 2], f64), draw.floats([1, 2, 2], f64)]), dtype=f64)
    network(f"{kind} of two layers and directions, batch first", kind, [2, 2], {"numLayers": 2, "bidirectional": True, "batchFirst": True}, ("train", [draw.floats([2, 3, 2]), draw.floats([4, 2, 2])]))
    network(f"{kind} without bias, one sequence", kind, [3, 2], {"bias": False}, ("eval", [draw.floats([2, 3]), draw.floats([1, 2])]))
    network(f"{kind} with dropout, which is off", kind, [2, 2], {"numLayers": 2, "dropout": 0.5}, ("eval", [draw.floats([2, 1, 2])]))
    cell = f"{kind}Cell"
    layer(cell, cell, [2, 3], getattr(nn, cell)(2, 3), [("train", [draw.floats([2, 2])]), ("train", [draw.floats([2, 2]), draw.floats([2, 3])])])
    layer(f"{cell} without batch and bias", cell, [2, 3, {"bias": False}], getattr(nn, cell)(2, 3, bias=False), [("train", [draw.floats([2]), draw.floats([3])])])
network("RNN with relu", "RNN", [2, 3], {"nonlinearity": "relu"}, ("train", [draw.floats([3, 2, 2])]))
layer("RNNCell with relu", "RNNCell", [2, 3, {"nonlinearity": "relu"}], nn.RNNCell(2, 3, nonlinearity="relu"), [("train", [draw.floats([2, 2])])])

state = lambda shape, dtype=f32: [draw.floats(shape, dtype), draw.floats(shape, dtype)]
network("LSTM", "LSTM", [2, 3], {}, ("train", [draw.floats([3, 2, 2])], lstm), ("train", [draw.floats([2, 1, 2]), state([1, 1, 3])], lstm))
network("LSTM, float64", "LSTM", [2, 2], {}, ("train", [draw.floats([3, 2, 2], f64), state([1, 2, 2], f64)], lstm), dtype=f64)
network("LSTM of two layers and directions, batch first", "LSTM", [2, 2], {"numLayers": 2, "bidirectional": True, "batchFirst": True}, ("train", [draw.floats([2, 3, 2]), state([4, 2, 2])], lstm))
network("LSTM without bias, one sequence", "LSTM", [3, 2], {"bias": False}, ("eval", [draw.floats([2, 3]), state([1, 2])], lstm))
network("LSTM with projection", "LSTM", [2, 3], {"projSize": 2, "numLayers": 2}, ("train", [draw.floats([3, 2, 2]), [draw.floats([2, 2, 2]), draw.floats([2, 2, 3])]], lstm))
network("LSTM with projection, both directions", "LSTM", [2, 2], {"projSize": 1, "bidirectional": True}, ("train", [draw.floats([2, 1, 2])], lstm))
cell = lambda module, x, state=None: module(x, None if state is None else tuple(state))
layer("LSTMCell", "LSTMCell", [2, 3], nn.LSTMCell(2, 3), [("train", [draw.floats([2, 2])], cell), ("train", [draw.floats([2, 2]), state([2, 3])], cell)])
layer("LSTMCell without batch and bias", "LSTMCell", [2, 3, {"bias": False}], nn.LSTMCell(2, 3, bias=False), [("train", [draw.floats([2]), state([3])], cell)])


def packed(module, x, state, options):
    """Sequences of several lengths, which PyTorch packs."""
    lengths, first = options["lengths"].long(), module.batch_first
    state = tuple(state) if isinstance(state, list) else state
    given = nn.utils.rnn.pack_padded_sequence(x, lengths, first, enforce_sorted=False)
    output, last = module(given, state)
    steps = x.shape[1 if first else 0]
    return nn.utils.rnn.pad_packed_sequence(output, first, total_length=steps)[0], last


lengths = {"lengths": t([2, 4, 1], i32)}
both = {"numLayers": 2, "bidirectional": True, "batchFirst": True}
for kind in ["RNN", "GRU"]:
    network(f"{kind} of several lengths", kind, [2, 3], {}, ("train", [draw.floats([4, 3, 2]), None, lengths], packed))
    network(f"{kind} of several lengths, two layers and directions, batch first", kind, [2, 2], both, ("train", [draw.floats([3, 4, 2]), draw.floats([4, 3, 2]), lengths], packed))
network("LSTM of several lengths", "LSTM", [2, 3], {"projSize": 2}, ("train", [draw.floats([4, 3, 2]), None, lengths], packed))
network("LSTM of several lengths, two layers and directions, batch first", "LSTM", [2, 2], both, ("train", [draw.floats([3, 5, 2]), state([4, 3, 2]), lengths], packed))

write(__file__)
