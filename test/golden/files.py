"""Writes the files of test/golden/files and files.json, what is in them.

    /usr/bin/python3 test/golden/files.py

NumPy writes .npy and .npz. There is no safetensors package in this Python: `safetensors` below writes the format from its
description (https://github.com/huggingface/safetensors, "Format"). NaN and infinities are strings in the JSON.
"""

import io
import json
import pathlib
import struct
import warnings

import numpy as np
import torch

here = pathlib.Path(__file__).parent
files = here / "files"
random = np.random.default_rng(5)
torch.manual_seed(5)
contents = {}


def entry(x):
    return x if not isinstance(x, float) or np.isfinite(x) else {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}[str(x)]


def described(x):
    """A NumPy array as shape and elements row by row."""
    return {"shape": list(x.shape), "data": [entry(v) for v in x.ravel(order="C").tolist()]}


integers = {
    "i1": [-128, 0, 127],
    "u1": [0, 1, 255],
    "i2": [-(2**15), 7, 2**15 - 1],
    "u2": [0, 7, 2**16 - 1],
    "i4": [-(2**31), 7, 2**31 - 1],
    "u4": [0, 7, 2**31 - 1],
    "i8": [-(2**31), 7, 2**31 - 1],
    "u8": [0, 7, 2**31 - 1],
}
floats = [0.0, -0.0, 1.5, -65504.0, 2.0**-14, 2.0**-24, np.nan, np.inf, -np.inf, 1 / 3]
arrays = {"truths": np.array([True, False, True]), "scalar": np.array(2.5, "f4"), "empty": np.zeros((0, 3), "f8")}
for kind, values in integers.items():
    for order in "<>":
        arrays[f"{'big' if order == '>' else 'little'}_{kind}"] = np.array(values, order + kind)
for kind in ["f2", "f4", "f8"]:
    for order in "<>":
        arrays[f"{'big' if order == '>' else 'little'}_{kind}"] = np.array(floats, order + kind)
arrays["columns"] = np.asfortranarray(np.arange(24, dtype="f4").reshape(2, 3, 4))
arrays["big_columns"] = np.asfortranarray(np.arange(6, dtype=">i2").reshape(3, 2))
np.savez(files / "stored.npz", **arrays)
contents["stored.npz"] = {name: described(x) for name, x in arrays.items()}

# Long enough for blocks of every kind: repeated, skewed, and noise that is stored as it is.
compressed = {
    "repeated": np.arange(4000, dtype="i4") % 97,
    "skewed": np.minimum(random.geometric(0.3, 1500), 20).astype("u1"),
    "noise": random.integers(0, 2**31, 400).astype("i4"),
    "short": np.arange(3, dtype="f4"),
}
np.savez_compressed(files / "compressed.npz", **compressed)
contents["compressed.npz"] = {name: described(x) for name, x in compressed.items()}

columns = np.asfortranarray(np.arange(6, dtype="f8").reshape(2, 3))
np.save(files / "columns.npy", columns)
contents["columns.npy"] = described(columns)
for version in [(2, 0), (3, 0)]:
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        np.lib.format.write_array(buffer, np.arange(3, dtype="i4"), version=version)
    name = f"version{version[0]}.npy"
    (files / name).write_bytes(buffer.getvalue())
    contents[name] = described(np.arange(3, dtype="i4"))
np.save(files / "pickled.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
np.save(files / "complex.npy", np.array([1j]))
np.save(files / "structured.npy", np.zeros(2, dtype=[("a", "f4"), ("b", "i4")]))


def safetensors(path, tensors, metadata=None):
    """The header's length, the header, the data: each tensor's bytes, row by row, the lowest byte first."""
    names = {
        torch.float64: "F64", torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16", torch.int64: "I64",
        torch.int32: "I32", torch.int16: "I16", torch.int8: "I8", torch.uint8: "U8", torch.bool: "BOOL",
    }  # fmt: skip
    header, data = ({"__metadata__": metadata} if metadata else {}), b""
    for name, x in tensors.items():
        # NumPy has no bfloat16.
        flat = x.detach().contiguous()
        raw = (flat.view(torch.int16) if x.dtype == torch.bfloat16 else flat).numpy().tobytes()
        header[name] = {"dtype": names[x.dtype], "shape": list(x.shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def listed(x):
    return {"shape": list(x.shape), "data": [entry(v) for v in x.detach().reshape(-1).double().tolist()]}


kinds = {
    "half": torch.tensor(floats).half(),
    "brain": torch.tensor(floats).bfloat16(),
    "single": torch.tensor(floats),
    "double": torch.tensor(floats, dtype=torch.float64),
    "truths": torch.tensor([[True], [False]]),
    "nothing": torch.zeros(3, 0),
    "scalar": torch.tensor(7),
    "byte": torch.tensor([0, 255], dtype=torch.uint8),
    "small": torch.tensor([-128, 127], dtype=torch.int8),
    "short": torch.tensor([-(2**15), 2**15 - 1], dtype=torch.int16),
    "long": torch.tensor([-(2**31), 2**31 - 1]),
    "größe": torch.tensor([[1, 2], [3, 4]], dtype=torch.int32),
}
safetensors(files / "kinds.safetensors", kinds, {"format": "pt", "note": "line\nbreak"})
contents["kinds.safetensors"] = {name: listed(x) for name, x in kinds.items()}

model = torch.nn.Sequential(torch.nn.Linear(3, 5), torch.nn.Tanh(), torch.nn.Linear(5, 2))
x = torch.randn(4, 3)
safetensors(files / "model.safetensors", model.state_dict())
contents["model"] = {"x": listed(x), "y": listed(model(x))}

# With buffers: running statistics, and a count in int64.
convolutional = torch.nn.Sequential(
    torch.nn.Conv2d(1, 2, 3, padding=1), torch.nn.BatchNorm2d(2), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(32, 3)
)
for _ in range(3):
    convolutional(torch.randn(5, 1, 4, 4) * 2 + 1)
convolutional.eval()
x = torch.randn(2, 1, 4, 4)
safetensors(files / "convolutional.safetensors", convolutional.state_dict())
contents["convolutional"] = {"x": listed(x), "y": listed(convolutional(x))}


def read_safetensors(path):
    """The reverse, for a file that Cotangent wrote."""
    raw = path.read_bytes()
    (length,) = struct.unpack("<Q", raw[:8])
    header, data = json.loads(raw[8 : 8 + length]), raw[8 + length :]
    header.pop("__metadata__", None)
    names = {"F32": np.float32, "I32": np.int32}
    arrays = {
        name: np.frombuffer(data[slice(*entry["data_offsets"])], names[entry["dtype"]]).reshape(entry["shape"])
        for name, entry in header.items()
    }
    return {name: torch.from_numpy(array.copy()) for name, array in arrays.items()}


# files.test.ts holds the writer to the bytes of this file, and its weights to these outputs.
ours = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.BatchNorm1d(3), torch.nn.Tanh()).eval()
ours.load_state_dict(read_safetensors(files / "ours.safetensors"), strict=True)
x = torch.tensor([[1.0, -2.0], [0.5, 3.0]])
contents["ours"] = {"x": listed(x), "y": listed(ours(x))}

# The names that PyTorch gives to the parts of its modules.
modules = [
    torch.nn.TransformerEncoderLayer(4, 2, 8),
    torch.nn.LSTM(2, 3, num_layers=2, bidirectional=True),
    torch.nn.BatchNorm1d(2),
]
contents["names"] = [name for module in modules for name in module.state_dict()]

(here / "files.json").write_text(json.dumps(contents, ensure_ascii=False) + "\n")
