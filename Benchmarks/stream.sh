#!/bin/sh
# Peak memory of ingesting and converting volumes of 1 and 4 GiB (or of SIZES, in GiB); exits 1 where it passes 512 MiB.
# FOLDER (default: a temporary one) needs room for four times the largest; PYTHON is a Python with tifffile and zarr.
set -eu
cd "$(dirname "$0")/.."

python=${PYTHON:-.deps/read-venv/bin/python}
if ! "$python" -c 'import tifffile, zarr' 2>/dev/null; then
    [ -z "${PYTHON:-}" ] || { echo "stream.sh: $PYTHON lacks tifffile or zarr" >&2; exit 1; }
    [ -d .deps/read-venv ] || python3 -m venv .deps/read-venv
    .deps/read-venv/bin/pip install --quiet numpy tifffile zarr
fi
folder=${FOLDER:-$(mktemp -d)}
[ -n "${FOLDER:-}" ] || trap 'rm -rf "$folder"' EXIT
# shellcheck disable=SC2086
"$python" Benchmarks/stream.py .build/release/segment "$folder" ${SIZES:-1 4}
