"""Files of Python's safetensors library.

    pip install torch numpy safetensors && python make_reference.py

writes python.safetensors beside itself, and reads the file that Swift's tests compare theirs with: its bytes are the
same as those Python writes for the same tensors.
"""
import pathlib

import torch
from safetensors.torch import load_file, save_file

path = pathlib.Path(__file__).parent / "python.safetensors"
tensors = {
    "weight": torch.arange(6, dtype=torch.float32).reshape(2, 3) / 4,
    "half": torch.tensor([1.0, -2.5, 3.0], dtype=torch.bfloat16),
    "steps": torch.tensor(1 << 40),
    "bytes": torch.tensor([0, 127, 255], dtype=torch.uint8),
    "short": torch.tensor([[-300], [300]], dtype=torch.int16),
    "none": torch.zeros(0, 4),
}
save_file(tensors, path, metadata={"made \"by\"": "python\nä"})
assert all(torch.equal(t, tensors[n]) for n, t in load_file(path).items())
