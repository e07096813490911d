"""Connected components of 512³ voxels with cc3d, and scores with scikit-image, as their users call them.

    label.py make FOLDER [LABELS.h5:DATASET]      writes the volumes, of these labels or of drawn neurites
    label.py measure FOLDER TASK [REPETITIONS]    one line of JSON: seconds, peak memory, what was found
    label.py compare LINES                        medians and ratios of such lines, ours and theirs; fails where one is missed

A task is VOLUME-NEIGHBOURS, such as mask-6, or scores.
"""
import json
import resource
import statistics
import sys
import time

SIZE = 512
# Volume and neighbours: the least ratio with one thread and with two.
WANTED = {
    "mask-6": (2.5, 4), "mask-26": (2, 3), "labels-6": (1.5, None), "labels-26": (2.5, None),
    "random10-6": (1.2, None), "random10-26": (2, None), "random50-6": (1.2, None), "random50-26": (2, None),
    "random90-6": (1.2, None), "random90-26": (2, None), "scores": (None, 20),
}


def make(folder, source=None):
    import numpy as np

    if source:
        import h5py
        path, dataset = source.rsplit(":", 1)
        with h5py.File(path) as file:
            labels = file[dataset][:SIZE, :SIZE, :SIZE].astype(np.uint32)
        if labels.shape != (SIZE,) * 3:
            sys.exit(f"{source} has {labels.shape} voxels; expected {SIZE} along each axis")
    else:
        # Bent tubes that fill space: the nearest of seeds whose place moves from section to section.
        from scipy.spatial import cKDTree
        random = np.random.default_rng(1)
        seeds = random.uniform(0, SIZE, (400, 2))
        drift = random.normal(0, 1, (400, 2))
        plane = np.stack(np.meshgrid(np.arange(SIZE), np.arange(SIZE), indexing="ij"), -1)
        labels = np.empty((SIZE,) * 3, np.uint32)
        for z in range(SIZE):
            labels[z] = cKDTree((seeds + drift * z / 4) % SIZE).query(plane)[1] + 1
    labels.tofile(f"{folder}/labels.raw")
    # Touching faces eroded.
    mask = labels != 0
    for axis in range(3):
        differs = np.diff(labels.astype(np.int64), axis=axis) != 0
        before, after = ([slice(None)] * 3 for _ in range(2))
        before[axis], after[axis] = slice(None, -1), slice(1, None)
        mask[tuple(before)] &= ~differs
        mask[tuple(after)] &= ~differs
    mask.astype(np.uint8).tofile(f"{folder}/mask.raw")
    random = np.random.default_rng(2)
    for percent in (10, 50, 90):
        (random.random(labels.shape, np.float32) < percent / 100).astype(np.uint8).tofile(
            f"{folder}/random{percent}.raw")
    # Split and merged in blocks, as a segmentation is.
    found = labels + (np.arange(SIZE, dtype=np.uint32) // 128 * 1000)[:, None, None]
    found[labels % 7 == 0] = 7
    found.tofile(f"{folder}/found.raw")
    print(f"mask: {mask.mean():.2f} inside, labels: {len(np.unique(labels))} objects")


def measure(folder, task, repetitions=3):
    import numpy as np

    def load(name, type):
        return np.fromfile(f"{folder}/{name}.raw", type).reshape((SIZE,) * 3)

    if task == "scores":
        from skimage.metrics import adapted_rand_error, variation_of_information
        truth, found = load("labels", np.uint32), load("found", np.uint32)

        def work():
            error = adapted_rand_error(truth, found, ignore_labels=(0,))[0]
            return error + sum(variation_of_information(truth, found, ignore_labels=(0,)))
    else:
        import cc3d
        name, neighbours = task.split("-")
        volume = load(name, np.uint32 if name == "labels" else np.uint8)

        def work():
            _, count = cc3d.connected_components(
                volume, connectivity=int(neighbours), return_N=True, binary_image=name != "labels",
                out_dtype=np.uint32)
            return count

    answer = work()
    seconds = []
    for _ in range(repetitions):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    print(json.dumps({"name": "peer", "task": task, "threads": 1, "seconds": seconds, "answer": float(answer),
                      "mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024}))


def compare(path):
    lines = [json.loads(line) for line in open(path) if line.startswith("{")]
    print(f"{'Mvoxel/s':14}{'threads':>8}{'segment':>10}{'peer':>10}{'ratio':>9}{'wanted':>9}{'peak MiB':>12}{'peer':>8}")
    missed = False
    for task, least in WANTED.items():
        peers = [line for line in lines if (line["name"], line["task"]) == ("peer", task)]
        for threads in (1, 2):
            ours = [line for line in lines
                    if (line["name"], line["task"], line["threads"]) == ("segment", task, threads)]
            if not ours or not peers:
                continue
            answers = {round(line["answer"], 6) for line in ours + peers}
            if len(answers) != 1:
                sys.exit(f"{task}: the two find different things: {answers}")
            a, b = (statistics.median(s for line in side for s in line["seconds"]) for side in (ours, peers))
            memory = [max(line["mib"] for line in side) for side in (ours, peers)]
            wanted = least[threads - 1]
            missed |= wanted is not None and (b / a < wanted or memory[0] > memory[1])
            rates = [SIZE ** 3 / seconds / 1e6 for seconds in (a, b)]
            print(f"{task:14}{threads:>8}{rates[0]:>10.0f}{rates[1]:>10.0f}{b / a:>8.2f}×"
                  f"{'–' if wanted is None else f'{wanted}×':>9}{memory[0]:>12}{memory[1]:>8}")
    return int(missed)


if __name__ == "__main__":
    if sys.argv[1] == "make":
        make(*sys.argv[2:])
    elif sys.argv[1] == "measure":
        measure(*sys.argv[2:4], *(int(number) for number in sys.argv[4:]))
    else:
        sys.exit(compare(sys.argv[2]))
