"""Trains a network in PyTorch and saves it as a safetensors file, or checks one that Cotangent has saved.

    /usr/bin/python3 examples/datasets/spirals.py            writes spirals.safetensors and spirals.json beside this file
    /usr/bin/python3 examples/datasets/spirals.py --check F  says what the network in file F answers

The file is written and read here by the description of the format (https://github.com/huggingface/safetensors), so that
nothing but PyTorch is needed: 8 bytes with the length of a JSON header, the header, and the numbers.
"""

import json
import math
import pathlib
import struct
import sys

import torch

here = pathlib.Path(__file__).parent
model = torch.nn.Sequential(torch.nn.Linear(2, 16), torch.nn.Tanh(), torch.nn.Linear(16, 16), torch.nn.Tanh(), torch.nn.Linear(16, 1))
questions = torch.tensor([[x / 2, y / 2] for y in range(-4, 5) for x in range(-4, 5)])


def save(state, path):
    header, parts, offset = {}, [], 0
    for name, value in state.items():
        data = value.detach().numpy().astype("<f4").tobytes()
        header[name] = {"dtype": "F32", "shape": list(value.shape), "data_offsets": [offset, offset + len(data)]}
        parts.append(data)
        offset += len(data)
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"".join(parts))


def load(path):
    data = path.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    header.pop("__metadata__", None)
    return {
        name: torch.frombuffer(bytearray(data[8 + length + begin : 8 + length + end]), dtype=torch.float32).reshape(shape)
        for name, entry in header.items()
        for shape, (begin, end) in [(entry["shape"], entry["data_offsets"])]
    }


if len(sys.argv) == 3 and sys.argv[1] == "--check":
    model.load_state_dict(load(pathlib.Path(sys.argv[2])))
    print(json.dumps(model(questions).flatten().tolist()))
else:
    # Two spirals, one turn each.
    torch.manual_seed(0)
    turns = torch.linspace(0.3, 1, 100) * 2 * math.pi
    arm = torch.stack([turns * turns.cos(), turns * turns.sin()], 1) / 3.5
    x, y = torch.cat([arm, -arm]), torch.cat([torch.zeros(100, 1), torch.ones(100, 1)])
    optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
    for _ in range(1500):
        loss = torch.nn.functional.binary_cross_entropy_with_logits(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    save(model.state_dict(), here / "spirals.safetensors")
    answers = model(questions).flatten().tolist()
    (here / "spirals.json").write_text(json.dumps({"pytorch": torch.__version__, "loss": loss.item(), "answers": answers}) + "\n")
    print(f"loss {loss.item():.6f}")
