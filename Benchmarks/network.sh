#!/bin/sh
# One training step and one prediction of the same U-Net, ours beside PyTorch's Python in its default layout, channels-last,
# and compiled: alternating, medians, peak memory. Where there is a GPU, on it too, beside PyTorch's autocast.
# Exits 1 where a wanted ratio is missed. ROUNDS (default 5) and THREADS (default 2) may be set, and RECORD to a JSON
# file for the results.
set -eu
cd "$(dirname "$0")/.."
rounds=${ROUNDS:-5}
threads=${THREADS:-2}

. Benchmarks/pytorch.sh

swift build -c release --package-path Benchmarks --product NetworkBenchmark
ours=$(swift build -c release --package-path Benchmarks --show-bin-path)/NetworkBenchmark

precisions=f32
if grep -qwE 'avx512_bf16|amx_bf16' /proc/cpuinfo; then precisions="f32 bf16"; fi
lines=$(mktemp)
trap 'rm -f "$lines"' EXIT
round=1
while [ "$round" -le "$rounds" ]; do
    echo "round $round of $rounds"
    for precision in $precisions; do "$ours" "$precision" "$threads" 3 >> "$lines"; done
    for layout in default channels-last compiled; do
        "$venv/bin/python" Benchmarks/network.py measure "$layout" "$threads" 3 >> "$lines"
    done
    "$venv/bin/python" Benchmarks/network.py rates "$threads" >> "$lines"
    if nvidia-smi -L 2>/dev/null | grep -q GPU; then
        cores=$(nproc)
        "$ours" bf16 "$cores" 40 cuda >> "$lines"
        for layout in default channels-last; do
            "$venv/bin/python" Benchmarks/network.py measure "$layout" "$cores" 40 cuda >> "$lines"
        done
    fi
    round=$((round + 1))
done
"$venv/bin/python" Benchmarks/network.py compare "$lines" ${RECORD:+"$RECORD"}
