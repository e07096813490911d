#!/bin/sh
# One training step and one prediction of the same U-Net, ours beside PyTorch's Python: alternating, medians, peak memory.
# Exits 1 where a wanted ratio is missed. ROUNDS (default 5) and THREADS (default 2) may be set.
set -eu
cd "$(dirname "$0")/.."
rounds=${ROUNDS:-5}
threads=${THREADS:-2}

# The Python side: the same libtorch, whose version stands in the name of its licence folder.
TORCH_DIR=$PWD/.deps/torch
export TORCH_DIR
info=$(ls -d "$(readlink -f "$TORCH_DIR")"/../torch-*.dist-info)
version=${info##*/torch-}
version=${version%.dist-info}
venv=.deps/bench-venv
if ! "$venv/bin/python" -c "import torch; assert torch.__version__ == '$version'" 2>/dev/null; then
    echo "setting up PyTorch $version for the comparison"
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet "torch==$version" numpy || "$venv/bin/pip" install --quiet "torch==${version%%+*}" numpy
fi

swift build -c release --package-path Benchmarks --product NetworkBenchmark
ours=$(swift build -c release --package-path Benchmarks --show-bin-path)/NetworkBenchmark

lines=$(mktemp)
trap 'rm -f "$lines"' EXIT
round=1
while [ "$round" -le "$rounds" ]; do
    echo "round $round of $rounds"
    "$ours" f32 "$threads" 3 >> "$lines"
    "$venv/bin/python" scripts/bench-network.py measure "$threads" 3 >> "$lines"
    round=$((round + 1))
done
"$venv/bin/python" scripts/bench-network.py compare "$lines"
