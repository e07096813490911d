"""Writes classifier-reference.safetensors: what PyTorch's classifiers make of weights and an input by formula.

ResNet-50 and DenseNet-121 are torchvision's; the others are written out here. torch 2.13.0, torchvision 0.28.0,
numpy 2.4.6, safetensors 0.8.0. Computed in double precision, stored as f32.
"""

import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn.functional import pad, relu
from torchvision.models import densenet121, resnet50

from formula_weights import fill, formula_input

# The second image has four times the contrast, so that the outputs differ by it: on noise alone, averaged over all
# places, they would hardly depend.
CONTRAST = torch.tensor([1, 4]).reshape(2, 1, 1, 1)


class Preactivated(nn.Module):
    """A bottleneck block of He et al. 2016."""

    def __init__(self, before, width, stride):
        super().__init__()
        self.bn1 = nn.BatchNorm2d(before)
        self.conv1 = nn.Conv2d(before, width, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, 4 * width, 1, bias=False)
        if before != 4 * width:
            self.downsample = nn.Sequential(nn.Conv2d(before, 4 * width, 1, stride, bias=False))

    def forward(self, x):
        first = relu(self.bn1(x))
        shortcut = self.downsample(first) if hasattr(self, "downsample") else x
        branch = self.conv1(first)
        branch = self.conv2(relu(self.bn2(branch)))
        return shortcut + self.conv3(relu(self.bn3(branch)))


class PreactivatedResNet50(nn.Module):
    def __init__(self, features=4, classes=10):
        super().__init__()
        self.conv1 = nn.Conv2d(3, features, 7, 2, 3, bias=False)
        before = features
        for stage, count in enumerate([3, 4, 6, 3]):
            width = features * 2**stage
            blocks = []
            for index in range(count):
                blocks.append(Preactivated(before, width, 2 if stage > 0 and index == 0 else 1))
                before = 4 * width
            self.add_module(f"layer{stage + 1}", nn.Sequential(*blocks))
        self.norm = nn.BatchNorm2d(before)
        self.fc = nn.Linear(before, classes)

    def forward(self, x):
        x = nn.functional.max_pool2d(self.conv1(x), 3, 2, 1)
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(relu(self.norm(x)).mean((2, 3)))


class Thin(nn.Module):
    """A block of the thin networks of He et al. 2015, section 4.2, with shortcuts of option A or none."""

    def __init__(self, before, width, has_shortcut):
        super().__init__()
        self.conv1 = nn.Conv2d(before, width, 3, width // before, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.has_shortcut = has_shortcut

    def forward(self, x):
        branch = self.bn2(self.conv2(relu(self.bn1(self.conv1(x)))))
        if not self.has_shortcut:
            return relu(branch)
        new = branch.shape[1] - x.shape[1]
        return relu(branch + (pad(x[:, :, ::2, ::2], (0, 0, 0, 0, 0, new)) if new else x))


class Thin20(nn.Module):
    def __init__(self, has_shortcuts, features=4, classes=10):
        super().__init__()
        self.conv1 = nn.Conv2d(3, features, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(features)
        widths = [features, features, 2 * features, 4 * features]
        for stage in range(1, 4):
            blocks = [Thin(widths[stage - (index == 0)], widths[stage], has_shortcuts) for index in range(3)]
            self.add_module(f"layer{stage}", nn.Sequential(*blocks))
        self.fc = nn.Linear(4 * features, classes)

    def forward(self, x):
        x = relu(self.bn1(self.conv1(x)))
        return self.fc(self.layer3(self.layer2(self.layer1(x))).mean((2, 3)))


def outputs(model, training=False, extents=(80, 96), mean_scale=0.7):
    model = fill(model, mean_scale).double().train(training)
    with torch.no_grad():
        return model(CONTRAST * formula_input((2, 3, *extents)).double()).float()


results = {
    "resnet-50.evaluation": outputs(resnet50()),
    "resnet-50.training": outputs(resnet50(), training=True),
    "densenet-121.evaluation": outputs(densenet121()),
    "preactivated-resnet-50.evaluation": outputs(PreactivatedResNet50()),
    # Odd extents.
    "residual-20.evaluation": outputs(Thin20(True), extents=(25, 22)),
    # Without shortcuts, smaller scales would let the signal vanish.
    "plain-20.evaluation": outputs(Thin20(False), extents=(25, 22), mean_scale=1.0),
}
for name, result in results.items():
    print(name, "standard deviation", result.std().item(), "between images", (result[0] - result[1]).std().item())
save_file(results, "classifier-reference.safetensors")
