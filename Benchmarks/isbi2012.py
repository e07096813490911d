#!/usr/bin/env python3
"""ISBI 2012: the plan of `segment init` for anisotropic sections beside an isotropic and a 2D one, at equal time.

    python3 Benchmarks/isbi2012.py FOLDER [--minutes 4] [--only PLAN ...] [--work DIR]

FOLDER holds images/NN.png and membranes/NN.png (0 membrane, 255 inside). Networks learn from sections 0 to 14, of which
a sixth, whole sections that no member sees, chooses the threshold. The scores are of sections 15 to 19: foreground-restricted
Rand and information scores of each section's objects, borders thinned (Arganda-Carreras et al. 2015). A run that is cut
off goes on where it was. Needs numpy, scipy, scikit-image and tifffile.
"""
import argparse
import json
import pathlib
import re
import subprocess
import time

import numpy
import tifffile
from scipy import ndimage
from skimage.segmentation import expand_labels

from ablation import ROOT, SEGMENT, commit, processor

RESULTS = ROOT / "Benchmarks/results/isbi2012.json"
SCORED = slice(15, 20)
MEMBERS = 5
RULES = ("all", "majority", "mean")

# Lines of a pipeline file for each plan; those of `init` are its own.
PLANS = {
    "anisotropic": None,
    "isotropic": f"""network: {{levels: 4, features: 16, kernels: {[[3, 3, 3]] * 4}, strides: {[[2, 2, 2]] * 3}}}
training: {{patch: [16, 128, 128], batch: 2, steps: STEPS, validations: 1}}""",
    "2D": None,
}
DIMENSIONS = {"anisotropic": 3, "2D": 2}
# A mask that says in 3D what is inside; in 2D objects, which border weights tell apart.
MERGING = {"2D": ", merge: {above: auto}"}
LABELS = {"anisotropic": "membranes", "isotropic": "membranes", "2D": "objects"}


def segment(work, *arguments):
    subprocess.run([SEGMENT, *map(str, arguments)], cwd=work, check=True)


def prepare(work, folder):
    if (work / "learn-objects.tif").exists():
        return
    for name in ("images", "membranes"):
        segment(work, "convert", folder / name, f"{name}.tif", "--voxel-size", "50,4,4", "--overwrite")
        segment(work, "convert", f"{name}.tif", f"learn-{name}.tif", "--crop", "0:15,:,:", "--overwrite")
    segment(work, "label", "learn-membranes.tif", "-o", "learn-objects.tif", "--connectivity", 4, "--overwrite")


def lines_of(plan, work, minutes):
    """The lines of a plan, STEPS standing for the number of steps."""
    if PLANS[plan]:
        return PLANS[plan]
    path = work / f"init-{plan}.yaml"
    if not path.exists():
        segment(
            work, "init", "learn-images.tif", f"learn-{LABELS[plan]}.tif", "--dimensions", DIMENSIONS[plan],
            "--minutes", minutes, "-o", path)
    kept, keeping = [], False
    for line in path.read_text().splitlines():
        if line.strip() and not line.startswith((" ", "#")):
            keeping = line.split(":")[0] in ("target", "network", "training", "resolution")
        if keeping and line.strip() and not line.lstrip().startswith("#"):
            kept.append(re.sub(r"\s+#.*", "", re.sub(r"steps: \d+", "steps: STEPS", line)))
    return "\n".join(kept)


def pipeline(plan, lines, steps, rule="all", members=MEMBERS):
    return f"""train: {{image: learn-images.tif, labels: learn-{LABELS[plan]}.tif}}
{lines.replace("STEPS", str(steps))}
ensemble: {{members: {members}, calibration: 1/6, across: z}}
consensus: {{agree: {rule}, threshold: auto}}
label: {{connectivity: 4, min_voxels: 100, regrow: {{within: 100 nm, seeds: 100}}{MERGING.get(plan, "")}}}
segment: {{image: images.tif}}
export: {{formats: [tiff]}}
"""


def run(work, name, text, *arguments):
    """Runs a pipeline and returns the seconds it took."""
    (work / f"{name}.yaml").write_text(text)
    start = time.monotonic()
    segment(work, "run", f"{name}.yaml", *arguments)
    return time.monotonic() - start


def seconds_per_step(work, plan, lines):
    """From two short runs, whose beginnings cost the same."""
    times = []
    for steps in (4, 24):
        name = f"time-{plan}-{steps}"
        subprocess.run(["rm", "-rf", work / "work" / name])
        text = pipeline(plan, lines, steps, members=1)
        run(work, name, text, "--until", "ingest")
        times.append(run(work, name, text, "--until", "train"))
    return (times[1] - times[0]) / 20


def scores(labels, truth):
    """Foreground-restricted Rand and information F-scores of one section, its borders thinned."""
    objects = ndimage.label(truth)[0]
    proposed = expand_labels(labels, distance=truth.shape[0])
    counts = numpy.zeros((proposed.max() + 1, objects.max() + 1))
    numpy.add.at(counts, (proposed[truth], objects[truth]), 1)
    p = counts / counts.sum()
    s, t = p.sum(1), p.sum(0)

    def entropy(q):
        q = q[q > 0]
        return -(q * numpy.log(q)).sum()

    information = entropy(s) + entropy(t) - entropy(p.ravel())
    return {
        "rand": 2 * (p ** 2).sum() / ((s ** 2).sum() + (t ** 2).sum()),
        "information": 2 * information / (entropy(s) + entropy(t)),
    }


def measure(work, plan, minutes):
    """A plan: its scores by each rule, and how it came by them."""
    lines = lines_of(plan, work, minutes)
    # The number of steps of a run that was cut off is kept, so that it goes on.
    before = work / f"{plan}.steps"
    if not before.exists():
        before.write_text(str(max(1, round(minutes * 60 / seconds_per_step(work, plan, lines)))))
    steps = int(before.read_text())
    seconds = run(work, plan, pipeline(plan, lines, steps), "--until", "train")
    truth = tifffile.imread(work / "membranes.tif") > 0
    result = {}
    for rule in RULES:
        run(work, plan, pipeline(plan, lines, steps, rule))
        labels = tifffile.imread(work / "results" / plan / "images" / "labels.tif")
        each = [scores(a, b) for a, b in zip(labels[SCORED], truth[SCORED])]
        result[rule] = {key: round(float(numpy.mean([one[key] for one in each])), 4) for key in each[0]}
        result[rule]["sections"] = [round(float(one["rand"]), 4) for one in each]
        provenance = json.loads((work / "results" / plan / "provenance.json").read_text())
        result[rule]["logit"] = provenance["threshold"]
    return {"plan": plan, "minutes": minutes, "steps": steps, "seconds": round(seconds), "members": MEMBERS,
            "lines": lines, "scores": result, "commit": commit(), "processor": processor()}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--minutes", type=float, default=4, help="of training a member")
    parser.add_argument("--only", nargs="+", choices=PLANS, default=list(PLANS))
    parser.add_argument("--work", type=pathlib.Path, default=ROOT / ".deps/isbi2012")
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    known = json.loads(RESULTS.read_text()) if RESULTS.exists() else []
    prepare(options.work, options.folder.resolve())
    for plan in options.only:
        if not any((one["plan"], one["minutes"]) == (plan, options.minutes) for one in known):
            known.append(measure(options.work, plan, options.minutes))
            RESULTS.write_text(json.dumps(known, indent=1) + "\n")
    print(f"{'plan':26}minutes  agree      logit  V_rand  V_info")
    for one in known:
        for rule, figures in one["scores"].items():
            print(f"{one['plan']:26}{one['minutes']:7}  {rule:9}{figures['logit']:7.2f}{figures['rand']:8.3f}"
                  f"{figures['information']:8.3f}")


if __name__ == "__main__":
    main()
