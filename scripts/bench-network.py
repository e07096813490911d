"""The U-Net of Benchmarks/Sources/NetworkBenchmark in PyTorch's default (contiguous) layout, f32.

    bench-network.py measure [THREADS] [REPETITIONS]   one line of JSON: seconds and peak memory
    bench-network.py compare LINES                     medians and ratios of such lines, ours and PyTorch's
"""
import json
import resource
import statistics
import sys
import time

FEATURES = [16, 32, 64, 128]


def measure(threads, repetitions):
    import torch
    from torch import nn
    from torch.nn import functional as F

    def block(a, b):
        layers = []
        for i, o in ((a, b), (b, b)):
            layers += [nn.Conv3d(i, o, 3, padding=1, bias=False), nn.BatchNorm3d(o), nn.ReLU(inplace=True)]
        return nn.Sequential(*layers)

    class UNet(nn.Module):
        def __init__(self):
            super().__init__()
            self.encoder = nn.ModuleList(block(a, b) for a, b in zip([1] + FEATURES, FEATURES))
            self.upsampling = nn.ModuleList(
                nn.ConvTranspose3d(b, a, 2, 2) for a, b in zip(FEATURES, FEATURES[1:]))
            self.decoder = nn.ModuleList(block(2 * a, a) for a in FEATURES[:-1])
            self.head = nn.Conv3d(FEATURES[0], 1, 1)

        def forward(self, x):
            skips = []
            for encoder in self.encoder[:-1]:
                skips.append(encoder(x))
                x = F.max_pool3d(skips[-1], 2)
            x = self.encoder[-1](x)
            for level in reversed(range(len(skips))):
                x = self.decoder[level](torch.cat([skips.pop(), self.upsampling[level](x)], 1))
            return self.head(x)

    torch.set_num_threads(threads)
    torch.manual_seed(1)
    network = UNet()
    optimizer = torch.optim.SGD(network.parameters(), 0.01, 0.99, weight_decay=3e-5, nesterov=True)
    image = torch.randn(2, 1, 64, 64, 64)
    target, weight = (image > 0).float(), image.abs() + 0.5

    def step():
        optimizer.zero_grad()
        logits = network(image)
        p = logits.sigmoid()
        dice = (2 * (p * target).sum() + 1) / (p.sum() + target.sum() + 1)
        (F.binary_cross_entropy_with_logits(logits, target, weight) + 1 - dice).backward()
        optimizer.step()

    def predict():
        with torch.inference_mode():
            network(image)

    def times(body):
        body()
        result = []
        for _ in range(repetitions):
            start = time.perf_counter()
            body()
            result.append(time.perf_counter() - start)
        return result

    def peak():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024

    network.eval()
    prediction, prediction_mib = times(predict), peak()
    network.train()
    step, step_mib = times(step), peak()
    print(json.dumps({"name": "pytorch", "prediction": prediction, "prediction_mib": prediction_mib,
                      "step": step, "step_mib": step_mib}))


def compare(path):
    lines = [json.loads(line) for line in open(path) if line.startswith("{")]
    wanted = {"step": 1.5, "prediction": 1.3}
    print(f"{'':12}{'segment':>18}{'PyTorch':>18}{'ratio':>8}{'wanted':>8}{'peak MiB':>16}")
    missed = False
    for task, least in wanted.items():
        ours, theirs = ([t for line in lines if line["name"] == name for t in line[task]]
                        for name in ("segment", "pytorch"))
        memory = [max(line[f"{task}_mib"] for line in lines if line["name"] == name)
                  for name in ("segment", "pytorch")]
        a, b = statistics.median(ours), statistics.median(theirs)
        missed |= b / a < least
        print(f"{task:12}{a:>16.3f} s{b:>16.3f} s{b / a:>7.2f}×{least:>7}×{memory[0]:>8}{memory[1]:>8}")
    return int(missed)


if __name__ == "__main__":
    if sys.argv[1] == "measure":
        measure(*(int(number) for number in (sys.argv[2:] + ["2", "3"][len(sys.argv) - 2:])))
    else:
        sys.exit(compare(sys.argv[2]))
