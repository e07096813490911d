#!/usr/bin/env python3
"""Keeps the scores of a pipeline's last run as a small file of JSON.

    python3 Benchmarks/record.py RESULTS PIPELINE OUTPUT [COMMIT]

RESULTS is the folder that the run wrote (results/NAME), PIPELINE the file as it is named in the output, OUTPUT for example
Benchmarks/results/fib25.json. COMMIT is that of the program that trained the members, where it is not the one that is checked out. Where the run compared
thresholds, their curves are kept as [logit, split, merge] in bits.
"""
import json
import pathlib
import re
import sys

from ablation import commit, processor

SCORES = ("vi_split", "vi_merge", "adapted_rand_error", "object_f1", "label_objects", "truth_objects")


def brief(scores):
    return {key: round(scores[key], 4) for key in SCORES}


def curve(points):
    return [[point["logit"], round(point["vi_split"], 3), round(point["vi_merge"], 3)] for point in points["points"]]


def volume(folder):
    scores = json.loads((folder / "scores.json").read_text())
    record = {
        "volume": folder.name, "consensus": brief(scores["consensus"]), "members": [brief(one) for one in scores["members"]]}
    thresholds = folder / "thresholds.json"
    if thresholds.exists():
        curves = json.loads(thresholds.read_text())
        record["curves"] = {
            "all": curve(curves["all"]), "mean": curve(curves["mean"]), "members": [curve(one) for one in curves["members"]]}
    return record


def main():
    results, pipeline, output = (pathlib.Path(argument) for argument in sys.argv[1:4])
    provenance = json.loads((results / "provenance.json").read_text())
    trained = [step for step in provenance["steps"] if step["stage"] == "train"]
    others = [step for step in provenance["steps"] if step["stage"] != "train" and step.get("record")]
    record = {
        "pipeline": str(pipeline), "commit": sys.argv[4] if len(sys.argv) > 4 else commit(), "processor": processor(),
        "threads": trained[0]["record"]["threads"], "precision": trained[0]["record"]["precision"],
        "seed": provenance["seed"], "members": len(trained), "steps": int(trained[0]["parameters"]["training.steps"]),
        "threshold_logit": provenance["threshold"],
        "seconds_training": [round(step["record"]["seconds"]) for step in trained],
        "seconds_other": round(sum(step["record"]["seconds"] for step in others)),
        "volumes": [volume(scores.parent) for scores in sorted(results.glob("**/scores.json"))],
    }
    # Lists of numbers take one line each.
    text = re.sub(
        r"\[\s+([^\[\]{}]*?)\s+\]", lambda list: "[" + " ".join(list[1].split()) + "]", json.dumps(record, indent=1))
    output.write_text(text + "\n")


if __name__ == "__main__":
    sys.exit(__doc__) if len(sys.argv) not in (4, 5) else main()
