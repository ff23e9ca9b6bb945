# python3 pytorch.py FILE: the same in PyTorch, eager, on one thread. See contestant.ts for what is said on which line.
import json
import os
import sys
import time

# set_num_threads does not reach every BLAS, and must come before the import where it does.
for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"
import numpy as np
import torch
from torch import nn

torch.set_num_threads(1)
material = np.load(sys.argv[1])
given = {name: torch.from_numpy(material[name]) for name in material.files}
images, labels = given.pop("images"), given.pop("labels").long()

model = nn.Sequential(
    nn.Conv2d(1, 16, 3, padding=1),
    nn.ReLU(),
    nn.MaxPool2d(2),
    nn.Conv2d(16, 32, 3, padding=1),
    nn.ReLU(),
    nn.MaxPool2d(2),
    nn.Flatten(),
    nn.Dropout(0.25),
    nn.Linear(32 * 7 * 7, 128),
    nn.ReLU(),
    nn.Linear(128, 10),
)
model.load_state_dict(given)
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)


def step(rows):
    optimizer.zero_grad(set_to_none=True)
    loss = nn.functional.cross_entropy(model(images[rows]), labels[rows])
    loss.backward()
    optimizer.step()
    return loss.item()


def orders():
    while True:
        yield from torch.randperm(len(images)).split(64)


def say(line):
    print(json.dumps(line), flush=True)


model.eval()
version = torch.__version__.split("a")[0].split("+")[0]
name = f"PyTorch {version} eager, one thread"
say({"name": name, "losses": [step(torch.arange(64 * i, 64 * i + 64)) for i in range(10)]})
model.train()
rows = orders()
for line in sys.stdin:
    begin, before = time.perf_counter(), time.process_time()
    for _ in range(int(line)):
        step(next(rows))
    say({"seconds": time.perf_counter() - begin, "cpu": time.process_time() - before})
