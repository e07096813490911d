#!/bin/sh
# Reading a volume of 512³ voxels from TIFF and HDF5, ours beside tifffile and h5py: alternating, medians, peak memory.
# Exits 1 where a wanted ratio is missed. ROUNDS (default 5) may be set, and PYTHON, a Python that has both libraries.
set -eu
cd "$(dirname "$0")/.."
rounds=${ROUNDS:-5}

python=${PYTHON:-.deps/read-venv/bin/python}
if ! "$python" -c 'import h5py, imagecodecs, tifffile' 2>/dev/null; then
    [ -z "${PYTHON:-}" ] || { echo "read.sh: $PYTHON lacks h5py, imagecodecs or tifffile" >&2; exit 1; }
    echo "setting up tifffile and h5py for the comparison"
    python3 -m venv .deps/read-venv
    .deps/read-venv/bin/pip install --quiet numpy tifffile imagecodecs h5py
fi
"$python" -c 'import h5py, imagecodecs, tifffile as t
print(f"tifffile {t.__version__} with imagecodecs {imagecodecs.__version__}, h5py {h5py.__version__}")'

swift build -c release --package-path Benchmarks --product ReadBenchmark
ours=$(swift build -c release --package-path Benchmarks --show-bin-path)/ReadBenchmark

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$python" Benchmarks/read.py make "$folder"
round=1
while [ "$round" -le "$rounds" ]; do
    echo "round $round of $rounds"
    for file in plain.tif deflate.tif gzip.h5; do
        "$ours" "$folder/$file" 3 >> "$folder/lines"
        "$python" Benchmarks/read.py measure "$folder/$file" 3 >> "$folder/lines"
    done
    round=$((round + 1))
done
"$python" Benchmarks/read.py compare "$folder/lines"
