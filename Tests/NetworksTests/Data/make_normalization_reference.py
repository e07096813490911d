"""Outputs of PyTorch's normalizations, with scale, shift, running statistics and input by formula_weights.py.

    pip install torch numpy safetensors && python make_normalization_reference.py

writes normalization-reference.safetensors beside itself: for 2D and 3D and each layer its output in training and in
evaluation and, for batch norm and ghost batch norm, the running statistics after the pass in training.
"""
import pathlib

import torch
from formula_weights import fill, formula_input
from safetensors.torch import save_file
from torch import nn

CHANNELS = 6
SHAPES = {2: (5, CHANNELS, 3, 2), 3: (5, CHANNELS, 2, 3, 2)}


class Parts(nn.Module):
    """A layer named `norm`, applied to `samples` samples at a time: of batch norm it makes ghost batch norm."""

    def __init__(self, norm, samples):
        super().__init__()
        self.norm, self.samples = norm, samples

    def forward(self, x):
        return torch.cat([self.norm(part) for part in x.split(self.samples)])


def layers(dimensions):
    batch_norm = {2: nn.BatchNorm2d, 3: nn.BatchNorm3d}[dimensions]
    instance_norm = {2: nn.InstanceNorm2d, 3: nn.InstanceNorm3d}[dimensions]
    return {
        "batch": Parts(batch_norm(CHANNELS), 5),
        "ghost 2": Parts(batch_norm(CHANNELS), 2),
        # A scale a channel, unlike nn.LayerNorm, whose scale is one a voxel.
        "layer": Parts(nn.GroupNorm(1, CHANNELS), 5),
        "group 3": Parts(nn.GroupNorm(3, CHANNELS), 5),
        "instance": Parts(instance_norm(CHANNELS, affine=True), 5),
    }


torch.set_num_threads(1)
tensors = {}
with torch.no_grad():
    for dimensions, shape in SHAPES.items():
        x = formula_input(shape)
        for name, layer in layers(dimensions).items():
            fill(layer)
            tensors[f"{name}.{dimensions}.evaluation"] = layer.eval()(x)
            tensors[f"{name}.{dimensions}.training"] = layer.train()(x)
            for buffer, values in layer.named_buffers():
                if values.dtype.is_floating_point:
                    tensors[f"{name}.{dimensions}.{buffer}"] = values.clone()
save_file(tensors, pathlib.Path(__file__).parent / "normalization-reference.safetensors")
