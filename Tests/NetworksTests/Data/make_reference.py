"""A tiny anisotropic 3D U-Net in PyTorch: logits, loss, gradients and weights after some steps of each optimizer.

    pip install torch numpy safetensors && python make_reference.py

writes unet-reference.safetensors beside itself.
"""
import pathlib

import torch
from safetensors.torch import save_file
from torch import nn

STRIDES = [(1, 2, 2), (2, 2, 2)]
KERNELS = [(1, 3, 3), (3, 3, 3), (3, 3, 3)]
FEATURES = [2, 4, 8]


class Unit(nn.Module):
    def __init__(self, a, b, kernel):
        super().__init__()
        self.convolution = nn.Conv3d(a, b, kernel, padding=[k // 2 for k in kernel], bias=False)
        self.normalization = nn.BatchNorm3d(b)

    def forward(self, x):
        return torch.relu(self.normalization(self.convolution(x)))


def block(a, b, kernel):
    return nn.Sequential(Unit(a, b, kernel), Unit(b, b, kernel))


class UNet(nn.Module):
    def __init__(self):
        super().__init__()
        channels = [1] + FEATURES
        self.encoder = nn.ModuleList(block(channels[i], channels[i + 1], KERNELS[i]) for i in range(3))
        self.upsampling = nn.ModuleList(
            nn.ConvTranspose3d(FEATURES[i + 1], FEATURES[i], STRIDES[i], STRIDES[i]) for i in range(2))
        self.decoder = nn.ModuleList(block(2 * FEATURES[i], FEATURES[i], KERNELS[i]) for i in range(2))
        self.head = nn.Conv3d(FEATURES[0], 1, 1)

    def forward(self, x):
        skips = []
        for i, encoder in enumerate(self.encoder):
            x = encoder(x)
            if i < 2:
                skips.append(x)
                x = nn.functional.max_pool3d(x, STRIDES[i])
        for i in (1, 0):
            x = self.decoder[i](torch.cat([skips[i], self.upsampling[i](x)], 1))
        return self.head(x)


def state(network):
    return {k: v.clone() for k, v in network.state_dict().items() if not k.endswith("num_batches_tracked")}


def train(initial, make_optimizer, x, target, weight):
    network = UNet()
    network.load_state_dict(initial, strict=False)
    optimizer = make_optimizer(network.parameters())
    for step in range(3):
        optimizer.zero_grad()
        nn.functional.binary_cross_entropy_with_logits(network(x), target, weight).backward()
        nn.utils.clip_grad_norm_(network.parameters(), 0.5)
        optimizer.step()
    return state(network)


torch.manual_seed(0)
torch.set_num_threads(1)
network = UNet()
x = torch.randn(2, 1, 4, 8, 12)
target = (torch.rand(2, 1, 4, 8, 12) > 0.6).float()
weight = torch.rand(2, 1, 4, 8, 12) + 0.5
initial = state(network)
logits = network(x)
loss = nn.functional.binary_cross_entropy_with_logits(logits, target, weight)
loss.backward()
tensors = {"input": x, "target": target, "weight": weight, "logits": logits.detach(), "loss": loss.detach()}
tensors |= {f"initial.{k}": v for k, v in initial.items()}
tensors |= {f"gradient.{k}": p.grad for k, p in network.named_parameters()}
sgd = train(initial, lambda p: torch.optim.SGD(p, 0.1, 0.9, weight_decay=1e-3, nesterov=True), x, target, weight)
adamw = train(initial, lambda p: torch.optim.AdamW(p, 0.01, weight_decay=0.05), x, target, weight)
tensors |= {f"sgd.{k}": v for k, v in sgd.items()} | {f"adamw.{k}": v for k, v in adamw.items()}
network.load_state_dict(adamw, strict=False)
network.eval()
with torch.no_grad():
    tensors["adamw-logits"] = network(x)
save_file({k: v.contiguous() for k, v in tensors.items()},
          pathlib.Path(__file__).parent / "unet-reference.safetensors")
