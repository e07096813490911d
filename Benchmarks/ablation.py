#!/usr/bin/env python3
"""What helps on FIB-25 at equal time: one member for each variant of a pipeline, scored on sections it did not see.

    python3 Benchmarks/ablation.py FOLDER [--minutes 15] [--seeds 1 2] [--only NAME ...] [--work DIR]

FOLDER holds train.tif and train-labels.h5. The networks learn from the first 85 sections (a sixth of them chooses the
threshold) and are scored on the rest of the training volume; the validation volume is not opened. Steps follow from
the time of a step, which is measured for all variants before any is trained, so that each trains equally long: the
machine has to be quiet until then. A run that is cut off goes on where it was, and what
Benchmarks/results/ablation-fib25.json holds of the same processor is not run again. SEGMENT names the program, if not
.build/release/segment.
"""
import argparse
import json
import os
import pathlib
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
SEGMENT = pathlib.Path(os.environ.get("SEGMENT", ROOT / ".build/release/segment")).resolve()
RESULTS = ROOT / "Benchmarks/results/ablation-fib25.json"
SECTIONS = 85

BASE = {
    "network": {"levels": 4, "features": 16},
    "target": "[boundary, affinities]",
    "training": {"patch": "[64, 64, 64]", "batch": 2, "learning_rate": 0.002},
}
# Each variant: what of the above it has otherwise.
VARIANTS = {
    "boundary with affinities": {},
    "foreground with affinities": {"target": "[foreground, affinities]"},
    "cross-entropy": {"training": {"loss": "cross-entropy"}},
    "boundary": {"target": "boundary"},
    "foreground": {"target": "foreground"},
    "foreground without border weights": {"target": "foreground", "training": {"border": "none"}},
    "foreground with Falk's border weights": {
        "target": "foreground",
        "training": {"border": "{separation: 50, separation_sigma: 6, balance: 0.1, balance_sigma: 10}"}},
    "affinities": {"target": "affinities"},
    "affinities with boundary": {"target": "[affinities, boundary]"},
    "without oversampling": {"training": {"foreground_oversampling": 0}},
    "without noise": {"training": {"augmentation": "{noise: false}"}},
    "without augmentation": {
        "training": {"augmentation": "{flips: false, axis_swaps: false, intensity: false, noise: false}"}},
    "residual": {"network": {"architecture": "residual-unet"}},
    "dense": {"network": {"architecture": "dense-unet"}},
    "group norm": {"network": {"normalization": "{group: 8}"}},
    "instance norm": {"network": {"normalization": "instance"}},
    "averaged weights": {"training": {"averaging": 0.99}},
}


def pipeline(variant, seed, steps):
    """The text of a pipeline file."""
    changes = VARIANTS[variant]
    target = changes.get("target", BASE["target"])
    network = {**BASE["network"], **changes.get("network", {})}
    training = {**BASE["training"], "steps": steps, "seed": seed, "validations": 1, **changes.get("training", {})}
    label = {"min_voxels": 100, "regrow": "{within: 100 nm, seeds: 100}"}

    def flow(keys):
        return "{" + ", ".join(f"{key}: {value}" for key, value in keys.items()) + "}"

    return f"""train: {{image: learn.tif, labels: "learn.h5:/labels"}}
target: {target}
network: {flow(network)}
training: {flow(training)}
ensemble: {{members: 1}}
label: {flow(label)}
segment: {{image: score.tif, truth: "score.h5:/labels"}}
evaluate: {{thresholds: true}}
"""


def run(work, name, text, *arguments):
    """Runs a pipeline and returns the seconds it took."""
    (work / f"{name}.yaml").write_text(text)
    start = time.monotonic()
    subprocess.run([SEGMENT, "run", f"{name}.yaml", *arguments], cwd=work, check=True)
    return time.monotonic() - start


def seconds_per_step(work, variant):
    """From short runs of two lengths, whose beginnings cost the same, the faster of two each; known from then on."""
    known = work / f"{variant.replace(' ', '-')}.seconds"
    if known.exists():
        return float(known.read_text())
    short, long = 4, 24

    def least(steps):
        name, text = f"time-{variant.replace(' ', '-')}-{steps}", pipeline(variant, 1, steps)
        times = []
        for _ in range(2):
            subprocess.run(["rm", "-rf", work / "work" / name])
            run(work, name, text, "--until", "ingest")
            times.append(run(work, name, text, "--until", "train"))
        return min(times)

    seconds = (least(long) - least(short)) / (long - short)
    known.write_text(str(seconds))
    return seconds


def cut(work, folder):
    """The sections to learn from, and those to score on."""
    for name, box in (("learn", f"0:{SECTIONS},:,:"), ("score", f"{SECTIONS}:,:,:")):
        for source, target in (("train.tif", f"{name}.tif"), ("train-labels.h5:/labels", f"{name}.h5:/labels")):
            if not (work / target.split(":")[0]).exists():
                subprocess.run([SEGMENT, "convert", folder / source, target, "--crop", box], cwd=work, check=True)


def processor():
    lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
    return next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))


def commit():
    return subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, check=True, capture_output=True, text=True).stdout.strip()


def best(curve):
    """The least variation of information over all thresholds."""
    return min(point["vi_split"] + point["vi_merge"] for point in curve["points"])


def measure(work, variant, seed, minutes):
    """One variant: its scores, and how it came by them."""
    step = seconds_per_step(work, variant)
    steps = max(1, round(minutes * 60 / step))
    name = f"{variant.replace(' ', '-')}-{seed}"
    text = pipeline(variant, seed, steps)
    seconds = run(work, name, text, "--until", "train")
    run(work, name, text)
    results = work / "results" / name / "score"
    scores = json.loads((results / "scores.json").read_text())["consensus"]
    curves = json.loads((results / "thresholds.json").read_text())
    return {
        "variant": variant, "seed": seed, "minutes": minutes, "steps": steps, "seconds_per_step": round(step, 3),
        "seconds": round(seconds), "vi_split": round(scores["vi_split"], 4), "vi_merge": round(scores["vi_merge"], 4),
        "adapted_rand_error": round(scores["adapted_rand_error"], 4),
        "vi_best_threshold": round(best(curves["members"][0]), 4), "commit": commit(), "processor": processor(),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--minutes", type=float, default=15)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    parser.add_argument("--only", nargs="+", choices=VARIANTS, default=list(VARIANTS))
    parser.add_argument("--work", type=pathlib.Path, default=ROOT / ".deps/ablation")
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    RESULTS.parent.mkdir(exist_ok=True)
    known = json.loads(RESULTS.read_text()) if RESULTS.exists() else []
    cut(options.work, options.folder.resolve())
    done = {(one["variant"], one["seed"], one["minutes"], one["processor"]) for one in known}
    missing = [
        (variant, seed) for seed in options.seeds for variant in options.only
        if (variant, seed, options.minutes, processor()) not in done
    ]
    for variant, _ in missing:
        print(f"{variant}: {seconds_per_step(options.work, variant):.3f} s a step", flush=True)
    for variant, seed in missing:
        known.append(measure(options.work, variant, seed, options.minutes))
        RESULTS.write_text(json.dumps(known, indent=1) + "\n")
    print(f"{'variant':28}seed  steps  VI split  merge    sum   best  adapted Rand error")
    for one in sorted(known, key=lambda one: one["vi_split"] + one["vi_merge"]):
        total = one["vi_split"] + one["vi_merge"]
        print(f"{one['variant']:28}{one['seed']:4}{one['steps']:7}{one['vi_split']:10.3f}{one['vi_merge']:7.3f}"
              f"{total:7.3f}{one['vi_best_threshold']:7.3f}{one['adapted_rand_error']:10.3f}")


if __name__ == "__main__":
    main()
