"""Writes models.json: the losses of 20 steps of training of whole models, as PyTorch computes them in float32.

    OPENBLAS_NUM_THREADS=1 /usr/bin/python3 test/golden/models/models.py

`texts.ts` and `numbers.ts` have the same models. Weights and data are no part of the file: both sides draw them with mulberry32, the weights in the
order of their names.
"""

import json
import math
import pathlib

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

STEPS = 20


def mulberry32(seed):
    state = seed
    while True:
        state = (state + 0x6D2B79F5) & 0xFFFFFFFF
        z = ((state ^ (state >> 15)) * (state | 1)) & 0xFFFFFFFF
        z ^= (z + (((z ^ (z >> 7)) * (z | 61)) & 0xFFFFFFFF)) & 0xFFFFFFFF
        yield (z ^ (z >> 14)) / 2**32


class Draw:
    def __init__(self, seed):
        self.numbers = mulberry32(seed)

    def floats(self, *shape):
        values = [2 * next(self.numbers) - 1 for _ in range(math.prod(shape))]
        return torch.tensor(np.array(values, np.float32).reshape(shape))

    def below(self, n, *shape):
        values = [int(next(self.numbers) * n) for _ in range(math.prod(shape))]
        return torch.tensor(np.array(values).reshape(shape))

    def fill(self, model):
        state = model.state_dict()
        for name in sorted(state):
            x = state[name]
            scale = 1 / math.sqrt(x.shape[-1]) if x.dim() > 1 else 0.1
            one = 1 if name.endswith(("norm1.weight", "norm2.weight", "norm.weight", "count")) else 0
            values = [one + scale * (2 * next(self.numbers) - 1) for _ in range(x.numel())]
            x.copy_(torch.tensor(np.array(values, np.float32).reshape(x.shape)))
        return model


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(12, 8, padding_idx=0)
        self.gru = nn.GRU(8, 10, batch_first=True, bidirectional=True)
        self.bridge = nn.Linear(20, 10)

    def forward(self, words, lengths):
        packed = nn.utils.rnn.pack_padded_sequence(
            self.embedding(words), lengths, batch_first=True, enforce_sorted=False
        )
        states, h = self.gru(packed)
        states, _ = nn.utils.rnn.pad_packed_sequence(states, batch_first=True, total_length=words.shape[1])
        return states, torch.tanh(self.bridge(torch.cat([h[0], h[1]], -1)))


class Decoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(12, 8, padding_idx=0)
        self.cell = nn.GRUCell(28, 10)
        self.query = nn.Linear(10, 10)
        self.key = nn.Linear(20, 10, bias=False)
        self.score = nn.Linear(10, 1, bias=False)
        self.output = nn.Linear(30, 12)

    def forward(self, words, memory, h, isThere):
        keys = self.key(memory)
        outputs = []
        for word in words.unbind(1):
            scores = self.score(torch.tanh(self.query(h).unsqueeze(1) + keys)).squeeze(-1)
            shares = scores.masked_fill(~isThere, -math.inf).softmax(-1)
            context = torch.bmm(shares.unsqueeze(1), memory).squeeze(1)
            h = self.cell(torch.cat([self.embedding(word), context], -1), h)
            outputs.append(self.output(torch.cat([h, context], -1)))
        return torch.stack(outputs, 1)


class Translator(nn.Module):
    """An encoder and a decoder with additive attention, taught by the right words, on sequences of several lengths."""

    def __init__(self):
        super().__init__()
        self.encoder = Encoder()
        self.decoder = Decoder()

    def prepare(self, draw):
        self.words, self.lengths = draw.below(10, 4, 6, 7) + 2, draw.below(5, 4, 6) + 3
        behind = torch.arange(7) >= self.lengths.unsqueeze(-1)
        self.words = self.words.masked_fill(behind, 0)
        self.optimizer = torch.optim.Adam(self.parameters(), lr=0.01)

    def step(self, i):
        words, lengths = self.words[i % 4], self.lengths[i % 4]
        memory, h = self.encoder(words, lengths)
        shifted = F.pad(words, (1, 0), value=1)[:, :-1]
        scores = self.decoder(shifted, memory, h, torch.arange(7) < lengths.unsqueeze(1))
        loss = F.cross_entropy(scores.flatten(0, 1), words.flatten(), ignore_index=0)
        loss.backward()
        nn.utils.clip_grad_norm_(self.parameters(), 1.0)
        return loss


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm1 = nn.LayerNorm(16)
        self.qkv = nn.Linear(16, 48)
        self.projection = nn.Linear(16, 16)
        self.norm2 = nn.LayerNorm(16)
        self.wide = nn.Linear(16, 32)
        self.narrow = nn.Linear(32, 16)

    def forward(self, x):
        n, places, _ = x.shape
        q, k, v = (a.view(n, places, 2, 8).transpose(1, 2) for a in self.qkv(self.norm1(x)).split(16, -1))
        scores = (q @ k.transpose(-2, -1) / math.sqrt(8)).masked_fill(
            torch.ones(places, places, dtype=torch.bool).triu(1), -math.inf
        )
        x = x + self.projection((scores.softmax(-1) @ v).transpose(1, 2).reshape(n, places, 16))
        return x + self.narrow(F.gelu(self.wide(self.norm2(x))))


class Writer(nn.Module):
    """A transformer that predicts the next letter, its output tied to its embedding, with weight decay for matrices only."""

    def __init__(self):
        super().__init__()
        self.letters = nn.Embedding(11, 16)
        self.places = nn.Embedding(9, 16)
        self.blocks = nn.ModuleList([Block(), Block()])
        self.norm = nn.LayerNorm(16)

    def prepare(self, draw):
        self.texts = draw.below(11, 4, 5, 10)
        matrices = [p for p in self.parameters() if p.dim() > 1]
        others = [p for p in self.parameters() if p.dim() <= 1]
        groups = [{"params": matrices, "weight_decay": 0.1}, {"params": others, "weight_decay": 0.0}]
        self.optimizer = torch.optim.AdamW(groups, lr=0.01, betas=(0.9, 0.95))
        self.schedule = torch.optim.lr_scheduler.LinearLR(self.optimizer, 0.1, 1.0, 10)

    def step(self, i):
        text = self.texts[i % 4]
        x = self.letters(text[:, :-1]) + self.places(torch.arange(9))
        for block in self.blocks:
            x = block(x)
        scores = self.norm(x) @ self.letters.weight.t()
        loss = F.cross_entropy(scores.flatten(0, 1), text[:, 1:].flatten())
        loss.backward()
        nn.utils.clip_grad_norm_(self.parameters(), 1.0)
        return loss


class MaskedLayer(nn.Module):
    def __init__(self):
        super().__init__()
        self.attention = nn.MultiheadAttention(12, 3, batch_first=True)
        self.norm1 = nn.LayerNorm(12)
        self.wide = nn.Linear(12, 24)
        self.narrow = nn.Linear(24, 12)
        self.norm2 = nn.LayerNorm(12)

    def forward(self, x, isPadding):
        x = self.norm1(x + self.attention(x, x, x, key_padding_mask=isPadding, need_weights=False)[0])
        return self.norm2(x + self.narrow(F.gelu(self.wide(x))))


class Masked(nn.Module):
    """Words that were masked are told from those around them, in texts of several lengths."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(14, 12, padding_idx=0)
        self.layers = nn.ModuleList([MaskedLayer(), MaskedLayer()])
        self.head = nn.Linear(12, 14)

    def prepare(self, draw):
        words, lengths = draw.below(12, 4, 6, 8) + 2, draw.below(5, 4, 6) + 4
        isMasked = draw.below(4, 4, 6, 8) == 0
        isPadding = torch.arange(8) >= lengths.unsqueeze(-1)
        self.words = words.masked_fill(isMasked, 1).masked_fill(isPadding, 0)
        self.labels = words.masked_fill(~isMasked | isPadding, -100)
        self.optimizer = torch.optim.RAdam(self.parameters(), lr=0.01)

    def step(self, i):
        words, labels = self.words[i % 4], self.labels[i % 4]
        x = self.embedding(words)
        for layer in self.layers:
            x = layer(x, words == 0)
        loss = F.cross_entropy(self.head(x).transpose(1, 2), labels, ignore_index=-100, label_smoothing=0.1)
        loss.backward()
        return loss


class Tagger(nn.Module):
    """A linear chain of conditional probabilities over a convolution."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(15, 6)
        self.convolution = nn.Conv1d(6, 8, 3, padding=1)
        self.head = nn.Linear(8, 4)
        self.moves = nn.Parameter(torch.zeros(4, 4))
        self.start = nn.Parameter(torch.zeros(4))
        self.end = nn.Parameter(torch.zeros(4))

    def prepare(self, draw):
        self.words, self.lengths = draw.below(15, 4, 5, 8), draw.below(6, 4, 5) + 3
        self.optimizer = torch.optim.Adagrad(self.parameters(), lr=0.05)

    def step(self, i):
        words, lengths = self.words[i % 4], self.lengths[i % 4]
        tags, isThere = words % 4, torch.arange(8) < lengths.unsqueeze(1)
        scores = self.head(self.convolution(self.embedding(words).transpose(1, 2)).relu().transpose(1, 2))
        all = self.start + scores[:, 0]
        for t in range(1, 8):
            further = torch.logsumexp(all.unsqueeze(2) + self.moves + scores[:, t].unsqueeze(1), 1)
            all = torch.where(isThere[:, t].unsqueeze(1), further, all)
        counts = isThere.float()
        emitted = scores.gather(2, tags.unsqueeze(-1)).squeeze(-1)
        last = tags.gather(1, (lengths - 1).unsqueeze(1)).squeeze(1)
        right = (
            self.start[tags[:, 0]]
            + (emitted * counts).sum(1)
            + (self.moves[tags[:, :-1], tags[:, 1:]] * counts[:, 1:]).sum(1)
            + self.end[last]
        )
        loss = (torch.logsumexp(all + self.end, 1) - right).mean()
        loss.backward()
        return loss


class Graphs(nn.Module):
    """A graph convolution and graph attention by gathering and scattering, on graphs of another size at each step."""

    def __init__(self):
        super().__init__()
        self.first = nn.Linear(4, 12)
        self.value = nn.Linear(12, 12, bias=False)
        self.source = nn.Parameter(torch.zeros(3, 4))
        self.target = nn.Parameter(torch.zeros(3, 4))
        self.head = nn.Linear(12, 3)

    def prepare(self, draw):
        self.graphs = []
        for k in range(5):
            nodes, edges = 9 + 2 * k, 20 + 5 * k
            itself = torch.arange(nodes)
            graph = draw.floats(nodes, 4), draw.below(nodes, edges), draw.below(nodes, edges), draw.below(3, nodes)
            x, source, target, classes = graph
            self.graphs.append((x, torch.cat([source, itself]), torch.cat([target, itself]), classes))
        self.optimizer = torch.optim.Adamax(self.parameters(), lr=0.01)

    def step(self, i):
        x, source, target, classes = self.graphs[i % 5]
        n = len(x)
        degree = torch.zeros(n).scatter_add(0, target, torch.ones(len(target)))
        weight = degree[source].rsqrt() * degree[target].rsqrt()
        h = self.first(x)
        h = torch.zeros_like(h).index_add(0, target, h[source] * weight.unsqueeze(1)).relu()
        v = self.value(h).view(n, 3, 4)
        score = F.leaky_relu((v * self.source).sum(-1)[source] + (v * self.target).sum(-1)[target], 0.2)
        index = target.unsqueeze(1).expand(-1, 3)
        most = torch.full((n, 3), -math.inf).scatter_reduce(0, index, score.detach(), "amax")
        share = (score - most[target]).exp()
        share = share / torch.zeros(n, 3).index_add(0, target, share)[target]
        h = torch.zeros(n, 3, 4).index_add(0, target, v[source] * share.unsqueeze(-1)).reshape(n, 12)
        loss = F.cross_entropy(self.head(F.elu(h)), classes)
        loss.backward()
        return loss


class Scan(nn.Module):
    """A selective scan: a state that decays as the input says."""

    def __init__(self):
        super().__init__()
        self.input = nn.Linear(3, 16)
        self.convolution = nn.Conv1d(8, 8, 4, groups=8, padding=3)
        self.select = nn.Linear(8, 9)
        self.rate = nn.Linear(1, 8)
        self.decay = nn.Parameter(torch.zeros(8, 4))
        self.skip = nn.Parameter(torch.zeros(8))
        self.output = nn.Linear(8, 1)

    def prepare(self, draw):
        self.x, self.y = draw.floats(4, 3, 12, 3), draw.floats(4, 3, 12, 1)
        self.optimizer = torch.optim.SGD(self.parameters(), lr=0.05, momentum=0.9, nesterov=True, weight_decay=0.01)

    def step(self, i):
        x, gate = self.input(self.x[i % 4]).split([8, 8], -1)
        x = F.silu(self.convolution(x.transpose(1, 2))[..., :12].transpose(1, 2))
        rate, into, out = self.select(x).split([1, 4, 4], -1)
        rate = F.softplus(self.rate(rate)).unsqueeze(-1)
        kept = (rate * -self.decay.exp()).exp()
        added = rate * into.unsqueeze(2) * x.unsqueeze(-1)
        h = torch.zeros(3, 8, 4)
        outputs = []
        for t in range(12):
            h = kept[:, t] * h + added[:, t]
            outputs.append((h * out[:, t].unsqueeze(1)).sum(-1))
        y = self.output((torch.stack(outputs, 1) + x * self.skip) * F.silu(gate))
        loss = F.mse_loss(y, self.y[i % 4])
        loss.backward()
        return loss


class Experts(nn.Module):
    """Two of four experts for each example, and a loss that spreads the examples."""

    def __init__(self):
        super().__init__()
        self.gate = nn.Linear(6, 4)
        self.experts = nn.ModuleList([nn.Sequential(nn.Linear(6, 10), nn.GELU(), nn.Linear(10, 6)) for _ in range(4)])
        self.head = nn.Linear(6, 3)

    def prepare(self, draw):
        self.x, self.y = draw.floats(4, 16, 6), draw.below(3, 4, 16)
        self.optimizer = torch.optim.AdamW(self.parameters(), lr=0.01)

    def step(self, i):
        x, y = self.x[i % 4], self.y[i % 4]
        shares = self.gate(x).softmax(-1)
        weights, chosen = shares.topk(2, -1)
        weights = weights / weights.sum(-1, keepdim=True)
        out = x
        for e, expert in enumerate(self.experts):
            rows, places = torch.where(chosen == e)
            out = out.index_add(0, rows, expert(x[rows]) * weights[rows, places].unsqueeze(1))
        used = F.one_hot(chosen[:, 0], 4).float().mean(0)
        loss = F.cross_entropy(self.head(out), y) + 0.1 * (used * shares.mean(0)).sum()
        loss.backward()
        return loss


class Quantizer(nn.Module):
    """An autoencoder through a book of codes, which follows the averages of what chose them."""

    def __init__(self):
        super().__init__()
        self.encoder = nn.Linear(6, 3)
        self.decoder = nn.Linear(3, 6)
        self.register_buffer("codes", torch.zeros(8, 3))
        self.register_buffer("count", torch.zeros(8))
        self.register_buffer("total", torch.zeros(8, 3))

    def prepare(self, draw):
        self.x = draw.floats(4, 20, 6)
        self.optimizer = torch.optim.RMSprop(self.parameters(), lr=0.005, momentum=0.5)

    def step(self, i):
        x = self.x[i % 4]
        z = self.encoder(x)
        chosen = ((z.unsqueeze(1) - self.codes) ** 2).sum(-1).argmin(1)
        code = self.codes[chosen]
        with torch.no_grad():
            places = F.one_hot(chosen, 8).float()
            self.count.mul_(0.9).add_(places.sum(0) * 0.1)
            self.total.mul_(0.9).add_((places.t() @ z) * 0.1)
        loss = F.mse_loss(self.decoder(z + (code - z).detach()), x) + 0.25 * F.mse_loss(z, code)
        loss.backward()
        self.codes = self.total / (self.count + 0.01).unsqueeze(1)
        return loss


class Forecaster(nn.Module):
    """A series in pieces, whose memory goes on from one to the next while gradients do not."""

    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(2, 8, num_layers=2, batch_first=True)
        self.head = nn.Linear(8, 1)

    def prepare(self, draw):
        self.series = draw.floats(3, 101, 2)
        self.memory = torch.zeros(2, 3, 8), torch.zeros(2, 3, 8)
        self.optimizer = torch.optim.Adam(self.parameters(), lr=0.01, amsgrad=True)

    def step(self, i):
        piece = self.series[:, 5 * i : 5 * i + 6]
        states, memory = self.lstm(piece[:, :-1], self.memory)
        self.memory = tuple(x.detach() for x in memory)
        loss = F.smooth_l1_loss(self.head(states), piece[:, 1:, :1])
        loss.backward()
        return loss


MODELS = [Translator, Writer, Masked, Tagger, Graphs, Scan, Experts, Quantizer, Forecaster]

if __name__ == "__main__":
    torch.set_num_threads(1)
    golden = {}
    for number, make in enumerate(MODELS):
        draw = Draw(number + 1)
        model = draw.fill(make())
        model.prepare(draw)
        losses = []
        for i in range(STEPS):
            model.optimizer.zero_grad()
            losses.append(float(str(np.float32(model.step(i).item()))))
            model.optimizer.step()
            if hasattr(model, "schedule"):
                model.schedule.step()
        golden[make.__name__] = losses
    path = pathlib.Path(__file__).with_suffix(".json")
    path.write_text(json.dumps(golden, indent=2) + "\n")
