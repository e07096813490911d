"""The prediction of Benchmarks/predict.sh in PyTorch, f32, and the comparison of what was measured.

    predict.py predict WAY FOLDER   one line of JSON: seconds, without reading and writing, and peak memory
    predict.py compare FOLDER       ratios of the lines in FOLDER/lines

WAY is windows (64³, half of each shared, Gaussian weights, as nnU-Net; default layout), tiles (those of tiles.json; default
layout) or compiled (the same in channels-last with torch.compile).
"""
import glob
import json
import pathlib
import resource
import sys
import time

import numpy

THREADS = 2
WINDOW = 64


def network(folder):
    from unet import UNet

    made = UNet()
    path = glob.glob(str(folder / "work/members1/train/*/weights.safetensors"))[0]
    missing, unexpected = made.load_state_dict(tensors(path), strict=False)
    assert not unexpected and all(name.endswith("num_batches_tracked") for name in missing), (missing, unexpected)
    return made.eval()


def tensors(path):
    import torch
    data = open(path, "rb").read()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8:8 + length])
    header.pop("__metadata__", None)
    found = {}
    for name, entry in header.items():
        first, last = entry["data_offsets"]
        values = numpy.frombuffer(data[8 + length + first:8 + length + last], "<f4")
        found[name] = torch.from_numpy(values.reshape(entry["shape"]).copy())
    return found


def image(folder):
    import h5py
    with h5py.File(folder / "image.h5") as file:
        voxels = file["raw"][()].astype("f4")
    return (voxels - voxels.mean(dtype="f8")) / voxels.std(dtype="f8")


def predict(way, folder):
    import torch
    torch.set_num_threads(THREADS)
    model, volume = network(folder), torch.from_numpy(image(folder).astype("f4"))
    layout = torch.channels_last_3d if way == "compiled" else torch.contiguous_format
    model = model.to(memory_format=layout)
    if way == "compiled":
        model = torch.compile(model)

    def logits(part):
        return model(part[None, None].contiguous(memory_format=layout))[0, 0]

    def windows():
        weight = torch.exp(-((torch.arange(WINDOW) - (WINDOW - 1) / 2) / (WINDOW / 8)) ** 2 / 2)
        weight = weight[:, None, None] * weight[:, None] * weight
        sums, total = torch.zeros_like(volume), torch.zeros_like(volume)
        places = [range(0, length - WINDOW + 1, WINDOW // 2) for length in volume.shape]
        for z in places[0]:
            for y in places[1]:
                for x in places[2]:
                    at = tuple(slice(first, first + WINDOW) for first in (z, y, x))
                    sums[at] += weight * logits(volume[at])
                    total[at] += weight
        return sums / total

    def tiles():
        result = torch.zeros_like(volume)
        for tile in json.loads((folder / "tiles.json").read_text()):
            at = tuple(slice(*ends) for ends in tile["input"])
            padded = torch.zeros([last - first for first, last in tile["input"]])
            inside = volume[at]
            padded[tuple(slice(0, length) for length in inside.shape)] = inside
            kept = tuple(slice(*ends) for ends in tile["output"])
            within = tuple(
                slice(kept[0] - first, kept[1] - first)
                for kept, (first, _) in zip(tile["output"], tile["input"]))
            result[kept] = logits(padded)[within]
        return result

    with torch.inference_mode():
        if way == "compiled":
            # Compiling is not counted.
            for shape in {tuple(b - a for a, b in tile["input"]) for tile in json.loads((folder / "tiles.json").read_text())}:
                logits(torch.zeros(shape))
        else:
            logits(torch.zeros(WINDOW, WINDOW, WINDOW))
        start = time.perf_counter()
        probabilities = (windows() if way == "windows" else tiles()).sigmoid()
        seconds = time.perf_counter() - start
    numpy.save(folder / f"{way}.npy", probabilities.numpy())
    print(json.dumps({"name": f"pytorch {way}", "seconds": seconds,
                      "mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024}))


WANTED = [  # ours, theirs, least ratio
    ("segment f32, 1 member", "pytorch windows", 7),
    ("segment bf16, 1 member", "pytorch windows", 12),
    ("segment f32, 1 member", "pytorch tiles", 1.8),
    ("segment f32, 1 member", "pytorch compiled", 1.2),
    ("segment bf16, 1 member", "pytorch tiles", 3.5),
]


def compare(folder):
    import h5py
    lines = {line["name"]: line for line in map(json.loads, open(folder / "lines"))}
    for line in lines.values():
        line.setdefault("mib", line.get("kib", 0) // 1024)
    tiles = json.loads((folder / "tiles.json").read_text())

    def voxels(boxes):
        return sum(numpy.prod([last - first for first, last in box]) for box in boxes)

    reference = numpy.load(folder / "tiles.npy")
    counts = [(length - WINDOW) // (WINDOW // 2) + 1 for length in reference.shape]
    print(f"{len(tiles)} tiles read {voxels(tile['input'] for tile in tiles) / reference.size:.2f} times the volume, "
          f"windows {numpy.prod(counts) * WINDOW ** 3 / reference.size:.2f} times")
    print(f"{'':26}{'':26}{'ratio':>8}{'wanted':>8}{'peak MiB':>16}")
    missed = False
    for ours, theirs, least in WANTED:
        if ours not in lines:
            continue
        a, b = lines[ours], lines[theirs]
        ratio = b["seconds"] / a["seconds"]
        missed |= ratio < least
        print(f"{ours:24}{a['seconds']:7.1f} s  {theirs:18}{b['seconds']:7.1f} s{ratio:7.2f}×{least:>7}×"
              f"{a['mib']:>8}{b['mib']:>8}")
    for precision in ("f32", "bf16"):
        one, five = (lines.get(f"segment {precision}, {count}") for count in ("1 member", "5 members"))
        if one is None:
            continue
        ratio = five["seconds"] / one["seconds"]
        missed |= ratio > 4.8
        print(f"five members in {precision}: {five['seconds']:.1f} s, {ratio:.2f} times one (wanted: 4.8 at most), "
              f"{five['mib']} MiB beside {one['mib']}")
        with h5py.File(folder / f"{precision}.h5") as file:
            print(f"{precision}: probabilities differ from PyTorch's by at most "
                  f"{numpy.abs(file['p'][()] - reference).max():.2g}; ", end="")
        scores = json.loads((folder / f"scores-{precision}.json").read_text())
        print("labels' scores:", ", ".join(
            f"{key} {scores[key]:.5f}" for key in ("adapted_rand_error", "vi_split", "vi_merge")))
    return int(missed)


if __name__ == "__main__":
    folder = pathlib.Path(sys.argv[-1])
    sys.exit(predict(sys.argv[2], folder) if sys.argv[1] == "predict" else compare(folder))
