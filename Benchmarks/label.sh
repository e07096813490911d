#!/bin/sh
# Connected components of 512³ voxels, ours beside cc3d, and scores beside scikit-image: alternating, medians, peak memory.
# Exits 1 where a wanted ratio is missed. ROUNDS (default 3) may be set, LABELS to the labels of a real volume
# (FILE.h5:DATASET of 512³ voxels or more), TASKS to some of the tasks of label.py, and PYTHON, a Python that has both.
set -eu
cd "$(dirname "$0")/.."
rounds=${ROUNDS:-3}
tasks=${TASKS:-mask-6 mask-26 labels-6 labels-26 random10-6 random10-26 random50-6 random50-26 random90-6 random90-26 scores}

python=${PYTHON:-.deps/label-venv/bin/python}
if ! "$python" -c 'import cc3d, h5py, skimage' 2>/dev/null; then
    [ -z "${PYTHON:-}" ] || { echo "label.sh: $PYTHON lacks cc3d, h5py or skimage" >&2; exit 1; }
    echo "setting up cc3d and scikit-image for the comparison"
    python3 -m venv .deps/label-venv
    .deps/label-venv/bin/pip install --quiet numpy scipy h5py connected-components-3d scikit-image
fi
"$python" -c 'from importlib.metadata import version as v
print("cc3d", v("connected-components-3d"), "scikit-image", v("scikit-image"))'

swift build -c release --package-path Benchmarks --product LabelBenchmark
ours=$(swift build -c release --package-path Benchmarks --show-bin-path)/LabelBenchmark

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$python" Benchmarks/label.py make "$folder" ${LABELS:+"$LABELS"}
round=1
while [ "$round" -le "$rounds" ]; do
    echo "round $round of $rounds"
    for task in $tasks; do
        "$ours" "$folder" "$task" 1 3 >> "$folder/lines"
        "$ours" "$folder" "$task" 2 3 >> "$folder/lines"
        "$python" Benchmarks/label.py measure "$folder" "$task" 2 >> "$folder/lines"
    done
    round=$((round + 1))
done
"$python" Benchmarks/label.py compare "$folder/lines"
