"""The U-Net of Benchmarks/Sources/NetworkBenchmark in PyTorch, f32.

    network.py measure LAYOUT [THREADS] [REPETITIONS]   one line of JSON: seconds and peak memory
    network.py rates [THREADS]                          the machine's f32 rate, in GFLOP/s
    network.py compare LINES                            medians and ratios of such lines, ours and PyTorch's

LAYOUT is default (contiguous), channels-last (torch.channels_last_3d) or compiled (that, and torch.compile).
"""
import json
import resource
import statistics
import sys
import time

FEATURES = [16, 32, 64, 128]


def measure(layout, threads, repetitions):
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
    image = torch.randn(2, 1, 64, 64, 64)
    if layout != "default":
        network = network.to(memory_format=torch.channels_last_3d)
        image = image.to(memory_format=torch.channels_last_3d)
    parameters = list(network.parameters())
    if layout == "compiled":
        network = torch.compile(network)
    optimizer = torch.optim.AdamW(parameters, 0.005)
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
        for _ in range(2):
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
    print(json.dumps({"name": f"pytorch {layout}", "prediction": prediction, "prediction_mib": prediction_mib,
                      "step": step, "step_mib": step_mib}))


def flops():
    """Of one training step, all convolutions forward and twice backward."""
    voxels, total = 2 * 64 ** 3, 0
    convolutions = lambda a, b: 27 * (a * b + b * b)
    for level, (a, b) in enumerate(zip([1] + FEATURES, FEATURES)):
        total += convolutions(a, b) * voxels // 8 ** level
    for level, (a, b) in enumerate(zip(FEATURES, FEATURES[1:])):
        total += (a * b + convolutions(2 * a, a)) * voxels // 8 ** level
    return 3 * 2 * (total + FEATURES[0] * voxels)


def rates(threads):
    """The better of a matrix product and a convolution of 64 channels."""
    import torch
    torch.set_num_threads(threads)

    def rate(operations, body):
        body()
        seconds = []
        for _ in range(5):
            start = time.perf_counter()
            body()
            seconds.append(time.perf_counter() - start)
        return operations / statistics.median(seconds) / 1e9

    a = torch.randn(2048, 2048)
    image = torch.randn(1, 64, 32, 32, 32).to(memory_format=torch.channels_last_3d)
    weight = torch.randn(64, 64, 3, 3, 3).to(memory_format=torch.channels_last_3d)
    with torch.inference_mode():
        print(json.dumps({"name": "machine", "rates": [
            rate(2 * 2048 ** 3, lambda: a @ a),
            rate(2 * 27 * 64 * 64 * 32 ** 3, lambda: torch.nn.functional.conv3d(image, weight, padding=1))]}))


WANTED = [  # task, ours, theirs, least ratio
    ("step", "segment f32", "pytorch default", 1.7),
    ("step", "segment f32", "pytorch channels-last", 1.15),
    ("step", "segment f32", "pytorch compiled", 1.0),
    ("step", "segment bf16", "pytorch default", 3.0),
    ("prediction", "segment f32", "pytorch default", 1.3),
]


def compare(path):
    lines = [json.loads(line) for line in open(path) if line.startswith("{")]

    def median(name, task):
        values = [value for line in lines if line["name"] == name for value in line[task]]
        return statistics.median(values) if values else None

    def memory(name, task):
        return max(line[f"{task}_mib"] for line in lines if line["name"] == name)

    print(f"{'':12}{'segment':>22}{'PyTorch':>30}{'ratio':>8}{'wanted':>8}{'peak MiB':>16}")
    missed = False
    for task, ours, theirs, least in WANTED:
        a, b = median(ours, task), median(theirs, task)
        if a is None or b is None:
            continue
        missed |= b / a < least or memory(ours, task) > memory(theirs, task)
        print(f"{task:12}{ours.split()[1]:>10}{a:>10.3f} s{theirs.split()[1]:>18}{b:>10.3f} s{b / a:>7.2f}×{least:>7}×"
              f"{memory(ours, task):>8}{memory(theirs, task):>8}")
    waiting = [line["waiting"] for line in lines if "waiting" in line]
    print(f"waiting for patches: {100 * statistics.median(waiting):.1f} % of a step (wanted: under 3 %)")
    missed |= statistics.median(waiting) >= 0.03
    best = max(rate for line in lines for rate in line.get("rates", [0]))
    rate = flops() / median("segment f32", "step") / 1e9
    print(f"a step takes {flops() / 1e9:.0f} GFLOP in convolutions: {rate:.0f} GFLOP/s, "
          f"{100 * rate / best:.0f} % of the machine's f32 rate of {best:.0f}")
    return int(missed)


if __name__ == "__main__":
    if sys.argv[1] == "measure":
        measure(sys.argv[2], *(int(number) for number in (sys.argv[3:] + ["2", "3"][len(sys.argv) - 3:])))
    elif sys.argv[1] == "rates":
        rates(int(sys.argv[2]) if len(sys.argv) > 2 else 2)
    else:
        sys.exit(compare(sys.argv[2]))
