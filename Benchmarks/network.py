"""The U-Net of Benchmarks/Sources/NetworkBenchmark in PyTorch, in f32 or on a GPU with autocast to bf16.

    network.py measure LAYOUT [THREADS] [REPETITIONS] [cpu|cuda] [FEATURES] [PATCH]
                                                        one line of JSON: seconds and peak memory
    network.py rates [THREADS]                          the machine's f32 rate, in GFLOP/s
    network.py compare LINES [JSON]                     medians and ratios of such lines, ours and PyTorch's

LAYOUT is default (contiguous), channels-last (torch.channels_last_3d) or compiled (that, and torch.compile).
"""
import json
import resource
import statistics
import sys
import time


def measure(layout, threads=2, repetitions=3, device="cpu", first=16, side=64):
    import contextlib
    import torch
    from torch.nn import functional as F
    from unet import FEATURES, UNet

    torch.set_num_threads(threads)
    torch.manual_seed(1)
    features = [first << level for level in range(len(FEATURES))]
    network = UNet(features).to(device)
    image = torch.randn(2, 1, side, side, side, device=device)
    autocast = (lambda: torch.autocast("cuda", torch.bfloat16)) if device == "cuda" else contextlib.nullcontext
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
        with autocast():
            logits = network(image)
        logits = logits.float()
        p = logits.sigmoid()
        dice = (2 * (p * target).sum() + 1) / (p.sum() + target.sum() + 1)
        (F.binary_cross_entropy_with_logits(logits, target, weight) + 1 - dice).backward()
        optimizer.step()

    def predict():
        with torch.inference_mode(), autocast():
            network(image)

    def times(body):
        for _ in range(2):
            body()
        result = []
        for _ in range(repetitions):
            start = time.perf_counter()
            body()
            if device == "cuda":
                torch.cuda.synchronize()
            result.append(time.perf_counter() - start)
        return result

    def peak():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024

    network.eval()
    prediction, prediction_mib = times(predict), peak()
    network.train()
    step, step_mib = times(step), peak()
    name = "pytorch cuda" if device == "cuda" else "pytorch"
    print(json.dumps({"name": f"{name} {layout}", "prediction": prediction, "prediction_mib": prediction_mib,
                      "step": step, "step_mib": step_mib}))


def flops():
    """Of one training step, all convolutions forward and twice backward."""
    from unet import FEATURES
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
    ("step", "segment cuda bf16", "pytorch cuda default", 1.1),
    ("step", "segment cuda bf16", "pytorch cuda channels-last", 1.1),
    ("prediction", "segment cuda bf16", "pytorch cuda default", 1.1),
]


def compare(path, record=None):
    """Prints medians and ratios, and writes them to a JSON file where one is named; returns whether one is missed."""
    lines = [json.loads(line) for line in open(path) if line.startswith("{")]

    def median(name, task):
        values = [value for line in lines if line["name"] == name for value in line[task]]
        return statistics.median(values) if values else None

    def memory(name, task):
        return max(line[f"{task}_mib"] for line in lines if line["name"] == name)

    print(f"{'':12}{'segment':>22}{'PyTorch':>30}{'ratio':>8}{'wanted':>8}{'peak MiB':>16}")
    missed = False
    rows = []
    for task, ours, theirs, least in WANTED:
        a, b = median(ours, task), median(theirs, task)
        if a is None or b is None:
            continue
        # The memory of the process: what it takes of a GPU's own is not in it.
        missed |= b / a < least or "cuda" not in ours and memory(ours, task) > memory(theirs, task)
        rows.append({
            "task": task, "ours": ours, "theirs": theirs, "seconds": [round(a, 4), round(b, 4)],
            "ratio": round(b / a, 3), "wanted": least, "peak_mib": [memory(ours, task), memory(theirs, task)]})
        (_, a_name), (_, b_name) = ours.split(None, 1), theirs.split(None, 1)
        print(f"{task:12}{a_name:>10}{a:>10.4f} s{b_name:>18}{b:>10.4f} s{b / a:>7.2f}×{least:>7}×"
              f"{memory(ours, task):>8}{memory(theirs, task):>8}")
    waits = {}
    for name in sorted({line["name"] for line in lines if "waiting" in line}):
        waiting = statistics.median(line["waiting"] for line in lines if line["name"] == name)
        waits[name] = round(waiting, 4)
        print(f"{name}: waiting for patches {100 * waiting:.1f} % of a step (wanted: under 3 %)")
        missed |= waiting >= 0.03
    best = max(rate for line in lines for rate in line.get("rates", [0]))
    rate = flops() / median("segment f32", "step") / 1e9
    print(f"a step takes {flops() / 1e9:.0f} GFLOP in convolutions: {rate:.0f} GFLOP/s, "
          f"{100 * rate / best:.0f} % of the machine's f32 rate of {best:.0f}")
    if record:
        from ablation import commit, processor
        facts = {"what": "Benchmarks/network.sh: medians", "commit": commit(), "processor": processor(),
                 "rows": rows, "waiting": waits, "share_of_f32_rate": round(rate / best, 3)}
        with open(record, "w") as file:
            file.write(json.dumps(facts, indent=1) + "\n")
    return int(missed)


if __name__ == "__main__":
    if sys.argv[1] == "measure":
        measure(sys.argv[2], *(int(text) if text.isdigit() else text for text in sys.argv[3:]))
    elif sys.argv[1] == "rates":
        rates(int(sys.argv[2]) if len(sys.argv) > 2 else 2)
    else:
        sys.exit(compare(*sys.argv[2:]))
