"""Scores of the volumes of scores.raw by CREMI's evaluation, which took its code from gala: python conventions.py, in this
folder, with a clone of github.com/cremi/cremi_python on PYTHONPATH."""
import json

import numpy as np
from cremi.evaluation.rand import adapted_rand_error
from cremi.evaluation.voi import voi

raw = open("scores.raw", "rb").read()
cases = []
for case in json.load(open("scores.json")):
    def volume(name):
        count = np.prod(case["shape"])
        return np.frombuffer(raw, np.uint8, count, case[name]).astype(np.int64)

    labels, truth = volume("labels"), volume("truth")
    error, precision, recall = adapted_rand_error(labels, truth, all_stats=True)
    rand = {"adapted_rand_error": error, "rand_precision": precision, "rand_recall": recall}
    conventions = {}
    # gala leaves out label 0 as well.
    for name, ignored in (("cremi", []), ("gala", [0])):
        split, merge = voi(labels, truth, ignore_reconstruction=ignored)
        conventions[name] = {**rand, "vi_split": float(split), "vi_merge": float(merge)}
    cases.append(conventions)
json.dump(cases, open("conventions.json", "w"), indent=1)
