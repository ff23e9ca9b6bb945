"""Writes xor.json: from how many of 20 seeds PyTorch solves XOR, with the networks and the training of examples/xor.ts.

    /usr/bin/python3 test/golden/xor.py

Both libraries draw weights and biases evenly between -1/sqrt(in) and 1/sqrt(in); the draws themselves differ.
"""

import json
import pathlib

import torch

torch.set_num_threads(1)
x = torch.tensor([[0.0, 0], [0, 1], [1, 0], [1, 1]])
y = torch.tensor([[0.0], [1], [1], [0]])


def solves(hidden, seed, steps=1000):
    torch.manual_seed(seed)
    model = torch.nn.Sequential(
        torch.nn.Linear(2, hidden), torch.nn.Tanh(), torch.nn.Linear(hidden, 1), torch.nn.Sigmoid()
    )
    optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
    for _ in range(steps):
        optimizer.zero_grad()
        torch.nn.functional.mse_loss(model(x), y).backward()
        optimizer.step()
    return bool(((model(x) > 0.5) == (y > 0.5)).all())


seeds = 20
solved = {str(hidden): sum(solves(hidden, seed) for seed in range(seeds)) for hidden in [1, 2, 3, 5, 10]}
text = json.dumps({"pytorch": torch.__version__, "seeds": seeds, "solved": solved}, indent=2)
pathlib.Path(__file__).with_suffix(".json").write_text(text + "\n")
