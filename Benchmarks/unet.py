"""The U-Net of the benchmarks in PyTorch, its parameters under the names that `segment` gives them."""
import torch
from torch import nn
from torch.nn import functional as F

FEATURES = [16, 32, 64, 128]


class Unit(nn.Module):
    def __init__(self, a, b):
        super().__init__()
        self.convolution = nn.Conv3d(a, b, 3, padding=1, bias=False)
        self.normalization = nn.BatchNorm3d(b)

    def forward(self, x):
        return F.relu(self.normalization(self.convolution(x)), inplace=True)


def block(a, b):
    return nn.Sequential(Unit(a, b), Unit(b, b))


class UNet(nn.Module):
    def __init__(self, features=FEATURES):
        super().__init__()
        self.encoder = nn.ModuleList(block(a, b) for a, b in zip([1] + features, features))
        self.upsampling = nn.ModuleList(nn.ConvTranspose3d(b, a, 2, 2) for a, b in zip(features, features[1:]))
        self.decoder = nn.ModuleList(block(2 * a, a) for a in features[:-1])
        self.head = nn.Conv3d(features[0], 1, 1)

    def forward(self, x):
        skips = []
        for encoder in self.encoder[:-1]:
            skips.append(encoder(x))
            x = F.max_pool3d(skips[-1], 2)
        x = self.encoder[-1](x)
        for level in reversed(range(len(skips))):
            x = self.decoder[level](torch.cat([skips.pop(), self.upsampling[level](x)], 1))
        return self.head(x)
