"""Writes levenberg.json: parameters, cost and damping after each iteration of the method of Levenberg and Marquardt, in NumPy.

    /usr/bin/python3 test/golden/levenberg.py

The algorithm is that of Marquardt 1963 ("An algorithm for least-squares estimation of nonlinear parameters", J. SIAM 11), in its own
order: the damping of the last iteration divided by `down` is tried first, then multiplied by `up` until the cost falls. Jacobians are
written by hand, and each step is the least squares solution of [J; sqrt(damping D)] d = [-r; 0], by singular values, rather than
of the normal equations. Everything is float64. The problems are Rosenbrock's valley as two residuals, a decay with an offset, fitted to
numbers with errors, and a plane through fewer points than it has parameters.
"""

import json
import pathlib

import numpy as np

T = [0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5]
Y = [2.95, 2.12, 1.49, 1.21, 0.87, 0.81, 0.64, 0.71]
t, y = np.array(T), np.array(Y)


def rosenbrock(p):
    return np.array([10 * (p[1] - p[0] ** 2), 1 - p[0]]), np.array([[-20 * p[0], 10], [-1, 0]])


def decay(p):
    fall = np.exp(-p[1] * t)
    return p[0] * fall + p[2] - y, np.stack([fall, -p[0] * t * fall, np.ones(8)], 1)


def plane(p):
    a = np.array([[1.0, 2.0, -1.0], [0.5, -1.0, 3.0]])
    return a @ p - np.array([1.0, 2.0]), a


PROBLEMS = {"rosenbrock": (rosenbrock, [-1.2, 1.0]), "decay": (decay, [1.0, 1.0, 0.0]), "plane": (plane, [0.0, 0.0, 0.0])}
CASES = [
    ("rosenbrock", {}),
    ("rosenbrock", {"damping": 1.0, "up": 3.0, "down": 5.0}),
    ("decay", {}),
    ("decay", {"damping": 100.0, "up": 2.0, "down": 4.0}),
    ("plane", {}),
]


def run(problem, options):
    residuals, start = PROBLEMS[problem]
    damping, up, down = ({"damping": 1e-3, "up": 10.0, "down": 10.0, **options}[k] for k in ("damping", "up", "down"))
    p = np.array(start)
    r, jacobian = residuals(p)
    iterations, trials = [], 0
    for _ in range(20):
        cost = r @ r / 2
        if abs(jacobian.T @ r).max() < 1e-6:
            break
        scale = np.sqrt((jacobian**2).sum(0))
        while True:
            rows = np.concatenate([jacobian, np.diag(np.sqrt(damping) * scale)])
            d = np.linalg.lstsq(rows, np.concatenate([-r, np.zeros(len(p))]), rcond=None)[0]
            trials += 1
            lowered, slopes = residuals(p + d)
            if lowered @ lowered / 2 < cost:
                break
            damping *= up
        p, r, jacobian, damping = p + d, lowered, slopes, damping / down
        iterations.append({"p": p.tolist(), "cost": r @ r / 2, "damping": damping, "trials": trials})
        if cost - r @ r / 2 < 1e-6 * cost:
            break
    return iterations


cases = [{"problem": problem, "options": options, "iterations": run(problem, options)} for problem, options in CASES]
lines = ",\n".join(f"    {json.dumps(case)}" for case in cases)
starts = {name: start for name, (_, start) in PROBLEMS.items()}
pathlib.Path(__file__).with_suffix(".json").write_text(
    f'{{\n  "starts": {json.dumps(starts)},\n  "t": {json.dumps(T)},\n  "y": {json.dumps(Y)},\n  "cases": [\n{lines}\n  ]\n}}\n'
)
