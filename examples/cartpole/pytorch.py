"""The training of ../cartpole.ts in PyTorch, to be timed beside it: python3 pytorch.py (on one thread)."""

import math
import time

import torch
from torch import nn
from torch.distributions import Bernoulli

torch.set_num_threads(1)
torch.manual_seed(0)

CARTS, MOMENTS, PATIENCE = 64, 16, 0.99
GRAVITY, MASS, POLE, LENGTH, FORCE, SECONDS = 9.8, 1.1, 0.1, 0.5, 10.0, 0.02


def standing():
    return torch.rand(CARTS, 4) * 0.1 - 0.05


def pushed(state, right):
    place, speed, angle, turning = state.split(1, 1)
    push = (right * 2 - 1) * FORCE
    sin, cos = angle.sin(), angle.cos()
    drive = (push + turning.square() * sin * (POLE * LENGTH)) / MASS
    inertia = (cos.square() * (-POLE / MASS) + 4 / 3) * LENGTH
    fall = (sin * GRAVITY - cos * drive) / inertia
    gain = drive - fall * cos * (POLE * LENGTH / MASS)
    moved = [place + speed * SECONDS, speed + gain * SECONDS, angle + turning * SECONDS, turning + fall * SECONDS]
    return torch.cat(moved, 1)


def lost(state):
    place, _, angle, _ = state.split(1, 1)
    return (place.abs() > 2.4) | (angle.abs() > math.radians(12))


actor = nn.Sequential(nn.Linear(4, 32), nn.Tanh(), nn.Linear(32, 1))
critic = nn.Sequential(nn.Linear(4, 32), nn.Tanh(), nn.Linear(32, 1))
optimizer = torch.optim.Adam([*actor.parameters(), *critic.parameters()], lr=0.005)
state, age = standing(), torch.zeros(CARTS, 1)


def learn():
    global state, age
    likelihood, doubt, expected, falls = [], [], [], []
    for _ in range(MOMENTS):
        expected.append(critic(state))
        policy = Bernoulli(logits=actor(state), validate_args=False)
        right = policy.sample()
        after = pushed(state, right)
        fell = lost(after)
        likelihood.append(policy.log_prob(right))
        doubt.append(policy.entropy())
        falls.append(fell.float())
        state = torch.where(fell, standing(), after)
        age = torch.where(fell, torch.zeros(()), age + 1)
    worth = critic(state).detach()
    worths = []
    for fell in reversed(falls):
        worth = (1 - fell) * (worth * PATIENCE + (1 - PATIENCE))
        worths.append(worth)
    surprise = torch.stack(worths[::-1]) - torch.stack(expected)
    gain = (torch.stack(likelihood) * surprise.detach()).mean()
    loss = surprise.square().mean() * 0.5 - gain - torch.stack(doubt).mean() * 0.001
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return torch.stack(falls).sum().item(), age.mean().item()


for _ in range(50):
    learn()
times = []
for _ in range(300):
    begin = time.perf_counter()
    _, mean = learn()
    times.append(time.perf_counter() - begin)
print(f"PyTorch {torch.__version__}: {1000 * sorted(times)[len(times) // 2]:.2f} ms an update, age {mean:.0f}")
