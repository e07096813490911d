"""Logits of two small residual U-Nets in PyTorch, with weights and input by formula_weights.py.

    pip install torch numpy safetensors && python make_residual_reference.py

writes residual-unet-reference.safetensors beside itself: for each network its logits with batch statistics and with
stored ones.
"""
import pathlib

import torch
from formula_weights import formula_input, values
from safetensors.torch import save_file
from torch.nn import functional as F

FEATURES = [4, 8, 16]
SHAPE = (2, 1, 4, 12, 8)


class ResidualUNet:
    """3 levels of one block each; layers are made by name as they are met."""

    def __init__(self, order, strides, kernels, is_pooled, shortcut, scale, training):
        self.order, self.strides, self.kernels = order, strides, kernels
        self.is_pooled, self.shortcut, self.scale, self.training = is_pooled, shortcut, scale, training

    def weight(self, name, *shape):
        return torch.from_numpy(values(name, shape))

    def convolution(self, x, channels, kernel, stride, name, bias=False):
        weight = self.weight(f"{name}.weight", channels, x.shape[1], *kernel)
        shift = self.weight(f"{name}.bias", channels) if bias else None
        return F.conv3d(x, weight, shift, stride, [k // 2 for k in kernel])

    def norm(self, x, name):
        mean, variance, scale, shift = (
            self.weight(f"{name}.{part}", x.shape[1]) for part in ("running_mean", "running_var", "weight", "bias"))
        return F.batch_norm(x, mean, variance, scale, shift, self.training)

    def past(self, x, channels, stride, name):
        if stride == (1, 1, 1) and x.shape[1] == channels:
            return x
        if self.shortcut == "identity" and channels >= x.shape[1]:
            x = x[:, :, ::stride[0], ::stride[1], ::stride[2]]
            return torch.cat([x, torch.zeros(x.shape[0], channels - x.shape[1], *x.shape[2:])], 1)
        x = self.convolution(x, channels, (1, 1, 1), stride, f"{name}.convolution")
        return self.norm(x, f"{name}.normalization") if self.order == "conv-norm-relu" else x

    def block(self, x, channels, kernel, stride, name):
        y = x
        for i in (0, 1):
            s, n, c = (stride if i == 0 else (1, 1, 1)), f"{name}.{i}.normalization", f"{name}.{i}.convolution"
            if self.order == "norm-relu-conv":
                y = self.convolution(torch.relu(self.norm(y, n)), channels, kernel, s, c)
            else:
                y = self.norm(self.convolution(y, channels, kernel, s, c), n)
                y = torch.relu(y) if i == 0 else y
        y = (self.past(x, channels, stride, f"{name}.shortcut") + y) * self.scale
        return torch.relu(y) if self.order == "conv-norm-relu" else y

    def __call__(self, x):
        is_original = self.order == "conv-norm-relu"
        x = self.convolution(x, FEATURES[0], self.kernels[0], 1, "stem.convolution")
        if is_original:
            x = torch.relu(self.norm(x, "stem.normalization"))
        skips = []
        for level in range(3):
            stride = (1, 1, 1) if level == 0 else self.strides[level - 1]
            if level > 0 and self.is_pooled:
                x, stride = F.max_pool3d(x, stride), (1, 1, 1)
            x = self.block(x, FEATURES[level], self.kernels[level], stride, f"encoder.{level}.0")
            skips.append(x)
        for level in (1, 0):
            name, stride = f"upsampling.{level}", self.strides[level]
            weight = self.weight(f"{name}.weight", x.shape[1], FEATURES[level], *stride)
            x = F.conv_transpose3d(x, weight, self.weight(f"{name}.bias", FEATURES[level]), stride)
            x = torch.cat([skips[level], x], 1)
            x = self.block(x, FEATURES[level], self.kernels[level], (1, 1, 1), f"decoder.{level}.0")
        if not is_original:
            x = torch.relu(self.norm(x, "head.normalization"))
        return self.convolution(x, 2, (1, 1, 1), 1, "head", bias=True)


torch.set_num_threads(1)
isotropic = [(3, 3, 3)] * 3
cases = {
    "norm-first": dict(
        order="norm-relu-conv", strides=[(1, 2, 2), (2, 2, 2)], kernels=[(1, 3, 3)] + isotropic[1:], is_pooled=True,
        shortcut="projection", scale=0.5**0.5),
    "original": dict(
        order="conv-norm-relu", strides=[(2, 2, 2)] * 2, kernels=isotropic, is_pooled=False, shortcut="identity",
        scale=1),
}
tensors = {}
for name, settings in cases.items():
    for mode in ("training", "evaluation"):
        logits = ResidualUNet(**settings, training=mode == "training")(formula_input(SHAPE))
        print(name, mode, "standard deviation", logits.std().item())
        tensors[f"{name}.{mode}"] = logits.contiguous()
save_file(tensors, pathlib.Path(__file__).parent / "residual-unet-reference.safetensors")
