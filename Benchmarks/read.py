"""Reading 512³ uint8 voxels with tifffile (and imagecodecs) and h5py, as their users call them.

    read.py make FOLDER                   writes the files that are read
    read.py measure FILE [REPETITIONS]    one line of JSON: seconds and peak memory
    read.py compare LINES                 medians and ratios of such lines, ours and theirs; fails where one is missed
"""
import json
import os
import resource
import statistics
import sys
import time

SIZE = 512
WANTED = {"plain.tif": 1.0, "deflate.tif": 1.5, "gzip.h5": 2.0}
TITLES = {"plain.tif": "TIFF", "deflate.tif": "Deflate TIFF", "gzip.h5": "gzip HDF5"}


def make(folder):
    import h5py
    import numpy as np
    import tifffile

    # Like an electron micrograph: cells of even grey, darker edges, and noise.
    random = np.random.default_rng(1)
    z, y, x = np.ogrid[:SIZE, :SIZE, :SIZE]
    volume = np.empty((SIZE, SIZE, SIZE), np.uint8)
    for section in range(SIZE):
        waves = np.sin(x[0] / 17 + section / 40) + np.sin(y[0] / 23 - section / 31) + np.sin((x[0] + y[0]) / 37)
        grey = 150 - 70 * np.exp(-20 * waves ** 2) + random.normal(0, 4, (SIZE, SIZE))
        volume[section] = np.clip(grey, 0, 255)
    tifffile.imwrite(f"{folder}/plain.tif", volume, photometric="minisblack")
    tifffile.imwrite(f"{folder}/deflate.tif", volume, photometric="minisblack", compression="zlib")
    with h5py.File(f"{folder}/gzip.h5", "w") as file:
        file.create_dataset("raw", data=volume, chunks=(64, 64, 64), compression="gzip")
    for name in WANTED:
        print(f"{TITLES[name]}: {os.path.getsize(f'{folder}/{name}') / volume.size:.2f} bytes a voxel")


def measure(path, repetitions=3):
    if path.endswith(".h5"):
        import h5py

        def read():
            with h5py.File(path) as file:
                return file["raw"][:]
    else:
        import tifffile

        def read():
            return tifffile.imread(path)

    total = int(read().sum(dtype="u8"))
    seconds = []
    for _ in range(repetitions):
        start = time.perf_counter()
        volume = read()
        seconds.append(time.perf_counter() - start)
        del volume
    print(json.dumps({"name": "peer", "file": os.path.basename(path), "seconds": seconds,
                      "mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024, "sum": total}))


def compare(path):
    lines = [json.loads(line) for line in open(path) if line.startswith("{")]
    print(f"{'Mvoxel/s':14}{'segment':>10}{'peer':>10}{'ratio':>9}{'wanted':>9}{'peak MiB':>12}{'peer':>8}")
    missed = False
    for name, least in WANTED.items():
        ours, theirs = ([line for line in lines if (line["name"], line["file"]) == (side, name)]
                        for side in ("segment", "peer"))
        if len({line["sum"] for line in ours + theirs}) != 1:
            sys.exit(f"{name}: the two read different voxels")
        a, b = (statistics.median(second for line in side for second in line["seconds"]) for side in (ours, theirs))
        memory = [max(line["mib"] for line in side) for side in (ours, theirs)]
        missed |= b / a < least
        rates = [SIZE ** 3 / second / 1e6 for second in (a, b)]
        print(f"{TITLES[name]:14}{rates[0]:>10.0f}{rates[1]:>10.0f}{b / a:>8.2f}×{least:>8}×"
              f"{memory[0]:>12}{memory[1]:>8}")
    return int(missed)


if __name__ == "__main__":
    if sys.argv[1] == "make":
        make(sys.argv[2])
    elif sys.argv[1] == "measure":
        measure(sys.argv[2], *(int(number) for number in sys.argv[3:]))
    else:
        sys.exit(compare(sys.argv[2]))
