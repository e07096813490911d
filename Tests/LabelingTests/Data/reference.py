"""Reference data from scipy and scikit-image: python reference.py, in this folder."""
import json

import numpy as np
from scipy import ndimage
from skimage.metrics import adapted_rand_error, variation_of_information
from skimage.segmentation import watershed

random = np.random.default_rng(7)
EVERY = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]
# Odd sizes, rows of exactly and just over one and two words of 64 voxels, single-voxel axes.
SHAPES = {(5, 7, 71): EVERY, (1, 9, 129): [0.3, 0.6], (11, 1, 64): [0.3, 0.6], (9, 13, 1): [0.3, 0.6],
          (1, 1, 200): [0.5], (17, 1, 1): [0.5], (1, 1, 1): [1.0], (3, 4, 65): [0.2, 0.5], (4, 3, 128): [0.35]}


def by_first_voxel(labels):
    """Numbers labels in the order of their first voxel."""
    values, first = np.unique(labels, return_index=True)
    values = values[np.argsort(first)]
    values = values[values != 0]
    table = np.zeros(labels.max() + 1, np.uint16)
    table[values] = np.arange(1, len(values) + 1)
    return table[labels]


class Raw:
    def __init__(self, name):
        self.file, self.offset = open(name, "wb"), 0

    def add(self, array):
        self.file.write(array.tobytes())
        self.offset += array.nbytes
        return self.offset - array.nbytes


raw, cases = Raw("components.raw"), []
for shape, densities in SHAPES.items():
    for density in densities:
        mask = (random.random(shape) < density).astype(np.uint8)
        case = {"shape": shape, "density": density, "mask": raw.add(mask), "labels": {}}
        for connectivity, rank in ((6, 1), (18, 2), (26, 3)):
            labels, _ = ndimage.label(mask, ndimage.generate_binary_structure(3, rank))
            case["labels"][str(connectivity)] = raw.add(by_first_voxel(labels).astype("<u2"))
        cases.append(case)
json.dump(cases, open("components.json", "w"), indent=1)


def scores(labels, truth, ignore):
    error, first, second = adapted_rand_error(truth, labels, ignore_labels=ignore)
    # scikit-image's issue 6485: what it calls precision is / joined in truth.
    split, merge = variation_of_information(truth, labels, ignore_labels=ignore)
    return {"adapted_rand_error": error, "rand_precision": second, "rand_recall": first,
            "vi_split": split, "vi_merge": merge}


raw, cases = Raw("scores.raw"), []
for shape, kinds in (((6, 11, 13), (2, 2)), ((6, 11, 13), (40, 9)), ((5, 5, 31), (1, 200)), ((9, 8, 17), (30, 30))):
    labels = random.integers(0, kinds[0] + 1, shape).astype(np.uint8)
    truth = random.integers(0, kinds[1] + 1, shape).astype(np.uint8)
    if kinds == (30, 30):  # mostly right
        labels = np.where(random.random(shape) < 0.8, truth, labels)
    case = {"shape": shape, "labels": raw.add(labels), "truth": raw.add(truth)}
    case["truth 0"] = scores(labels, truth, (0,))
    case["none"] = scores(labels, truth, ())
    cases.append(case)
json.dump(cases, open("scores.json", "w"), indent=1)

# Seeds grown over a landscape in which no value occurs twice, for scikit-image leaves the order of equal seeds open;
# and squared distances to the seeds, to whole numbers.
raw, cases = Raw("watershed.raw"), []
for shape, seeds, inside in (((7, 9, 33), 5, 1.0), ((6, 10, 70), 12, 0.7), ((1, 20, 20), 4, 0.8), ((5, 1, 90), 6, 0.6)):
    logits = ndimage.gaussian_filter(random.random(shape), 1.5)
    ranks = logits.ravel().argsort().argsort().reshape(shape)
    logits = (ranks * (60_000 // logits.size) - 30_000).astype("<i2")
    markers = np.zeros(shape, np.uint8)
    markers.ravel()[random.choice(markers.size, seeds, replace=False)] = np.arange(1, seeds + 1)
    mask = (random.random(shape) < inside).astype(np.uint8)
    grown = watershed(-logits.astype(np.int32), markers, mask=(mask != 0) | (markers != 0)).astype(np.uint8)
    squares = ndimage.distance_transform_edt(markers == 0, sampling=(5, 2, 1)) ** 2
    cases.append({"shape": shape, "logits": raw.add(logits), "seeds": raw.add(markers), "mask": raw.add(mask),
                  "grown": raw.add(grown), "squares": raw.add(np.rint(squares).astype("<u2"))})
json.dump(cases, open("watershed.json", "w"), indent=1)
