#!/usr/bin/env python3
"""One member of pipelines/fib25.yaml: how much its scores vary with the seed, and with every eighth section annotated alone.

    python3 Benchmarks/fib25.py FOLDER [--only NAME ...] [--work DIR]

FOLDER holds train.tif, train-labels.h5, validation.tif and validation-labels.h5. Each run is scored on the validation volume
with all that was chosen on training data alone. A run that is cut off goes on where it was; what
Benchmarks/results/fib25-one-member.json holds already is not run again. SEGMENT names the program, if not
.build/release/segment. Needs h5py for the sparse annotation.
"""
import argparse
import json
import pathlib
import subprocess

from ablation import ROOT, SEGMENT, commit, processor
from record import brief

RESULTS = ROOT / "Benchmarks/results/fib25-one-member.json"
EVERY = 8
VARIANTS = {
    "seed 1": (1, False), "seed 2": (2, False), "seed 3": (3, False), f"every {EVERY}th section annotated": (1, True)}


def sparse(folder, work):
    """The labels of every eighth section; 0 elsewhere."""
    import h5py
    target = work / "sparse.h5"
    if target.exists():
        return
    with h5py.File(folder / "train-labels.h5") as source, h5py.File(target, "w") as file:
        labels = source["labels"][()]
        kept = labels[EVERY // 2::EVERY].copy()
        labels[:] = 0
        labels[EVERY // 2::EVERY] = kept
        made = file.create_dataset("labels", data=labels, compression="gzip")
        made.attrs.update(source["labels"].attrs)


def measure(name, folder, work):
    seed, is_sparse = VARIANTS[name]
    text = (ROOT / "pipelines/fib25.yaml").read_text().replace("seed: 1,", f"seed: {seed},")
    if is_sparse:
        sparse(folder, work)
        text = text.replace("fib25/train-labels.h5:/labels", "sparse.h5:/labels\n    unlabelled: 0")
    stem = name.replace(" ", "-")
    (work / f"{stem}.yaml").write_text(text + "ensemble: {members: 1}\n")
    subprocess.run([SEGMENT, "run", f"{stem}.yaml"], cwd=work, check=True)
    results = work / "results" / stem
    provenance = json.loads((results / "provenance.json").read_text())
    trained = next(step for step in provenance["steps"] if step["stage"] == "train")
    scores = json.loads((results / "validation/scores.json").read_text())["consensus"]
    return {
        "variant": name, "seed": seed, "steps": int(trained["parameters"]["training.steps"]),
        "threshold_logit": provenance["threshold"], **brief(scores),
        "seconds_training": round(trained["record"]["seconds"]), "precision": trained["record"]["precision"],
        "commit": commit(), "processor": processor()}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--only", nargs="+", choices=VARIANTS, default=list(VARIANTS))
    parser.add_argument("--work", type=pathlib.Path, default=ROOT / ".deps/fib25")
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    folder = options.folder.resolve()
    link = options.work / "fib25"
    if not link.exists():
        link.symlink_to(folder)
    known = json.loads(RESULTS.read_text()) if RESULTS.exists() else []
    for name in options.only:
        if not any(one["variant"] == name for one in known):
            known.append(measure(name, folder, options.work))
            RESULTS.write_text(json.dumps(known, indent=1) + "\n")
    print(f"{'':32}VI split  merge    sum  adapted Rand error")
    for one in known:
        print(f"{one['variant']:32}{one['vi_split']:8.3f}{one['vi_merge']:7.3f}{one['vi_split'] + one['vi_merge']:7.3f}"
              f"{one['adapted_rand_error']:10.3f}")


if __name__ == "__main__":
    main()
