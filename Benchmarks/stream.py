"""Peak memory of a volume that is ingested and converted, by its size: it must not grow.

    stream.py SEGMENT FOLDER [GIB ...]    default: 1 and 4; writes some 4 times the largest size into FOLDER
"""
import os
import shutil
import subprocess
import sys
import time

LIMIT = 512


def make(path, gib):
    import numpy as np
    import tifffile

    # 2 bytes a voxel; sections of 1448² are 4 MiB.
    sections = gib * 256
    volume = tifffile.memmap(path, shape=(sections, 1448, 1448), dtype="u2", bigtiff=True, photometric="minisblack")
    y, x = np.ogrid[:1448, :1448]
    noise = np.random.default_rng(1).integers(0, 16, (1448, 1448), "u2")
    for z in range(sections):
        volume[z] = ((x * 3 + y * 5 + z * 7) // 16 * 16) % 4096 + noise
    volume.flush()


def measured(*command, folder):
    """Seconds, and the peak memory in MiB of the command or of any process that it waited for."""
    start = time.perf_counter()
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    said = process.stderr.read().decode()
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"{' '.join(command)} failed: {said}")
    return time.perf_counter() - start, usage.ru_maxrss // 1024


def pipeline(image):
    return f"""
voxel_size: {{z: 10 nm, y: 10 nm, x: 10 nm, replace: true}}
train: [{{image: train.tif, labels: "train.h5:/labels"}}]
segment: [{image}]
"""


def main(segment, folder, sizes):
    segment = os.path.abspath(segment)
    os.makedirs(folder, exist_ok=True)
    subprocess.run([segment, "synthesize", "train.tif", "train.h5", "--shape", "32,64,64"], cwd=folder, check=True,
                   stdout=subprocess.DEVNULL)
    missed = False
    for gib in sizes:
        # In a process of its own: a child's peak is never said to be lower than what its parent had when it began.
        subprocess.run([sys.executable, __file__, "make", f"{folder}/big.tif", str(gib)], check=True)
        for source, target in [("big.tif", "big.zarr"), ("big.zarr", "big.h5"), ("big.h5", "back.tif")]:
            with open(f"{folder}/{source}.yaml", "w") as file:
                file.write(pipeline(source))
            for title, command in [
                (f"ingest {source}", ("run", f"{source}.yaml", "--until", "ingest", "--work", "work")),
                (f"convert {source} {target}", ("convert", source, target)),
            ]:
                seconds, mib = measured(segment, *command, folder=folder)
                missed |= mib > LIMIT
                print(f"{gib} GiB  {title:28}{seconds:8.1f} s  {gib * 1024 / seconds:7.0f} MiB/s  peak {mib} MiB",
                      flush=True)
            shutil.rmtree(f"{folder}/work")
            if source != "big.tif":
                shutil.rmtree(f"{folder}/{source}") if source.endswith("zarr") else os.remove(f"{folder}/{source}")
        subprocess.run([sys.executable, __file__, "compare", f"{folder}/big.tif", f"{folder}/back.tif"], check=True)
        os.remove(f"{folder}/back.tif")
    return int(missed)


def compare(first, second):
    import numpy as np
    import tifffile

    first, second = tifffile.memmap(first, mode="r"), tifffile.imread(second, aszarr=True)
    import zarr

    second = zarr.open(second, mode="r")
    for z in range(0, first.shape[0], 61):
        if not np.array_equal(first[z], second[z]):
            sys.exit(f"section {z} came back changed")


if __name__ == "__main__":
    if sys.argv[1] == "make":
        make(sys.argv[2], int(sys.argv[3]))
    elif sys.argv[1] == "compare":
        compare(sys.argv[2], sys.argv[3])
    else:
        sys.exit(main(sys.argv[1], sys.argv[2], [int(size) for size in sys.argv[3:]] or [1, 4]))
