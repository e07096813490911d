#!/bin/sh
# Whether time grows with a volume and memory does not: five members' logits of 512³ and 1024³ voxels (SIDES="1024 2048" for
# others; 2048³ takes 40 GB of disk at FOLDER, by default .deps/scale), made from a seed, through consensus, labelling with a
# size filter, the table of objects and export, each within MEMORY (default 4G). Labels are compared with the generator's
# own objects; exits 1 where one is wrong.
set -eu
cd "$(dirname "$0")/.."
memory=${MEMORY:-4G}
sides=${SIDES:-512 1024}
folder=${FOLDER:-.deps/scale}
swift build -c release --product segment
segment=${SEGMENT:-$(swift build -c release --show-bin-path)/segment}
swift build -c release --package-path Benchmarks --product ScaleBenchmark
ours=$(swift build -c release --package-path Benchmarks --show-bin-path)/ScaleBenchmark
mkdir -p "$folder"
export TMPDIR="$PWD/$folder"

# Seconds and the largest resident size, MiB, of a step.
timed() {
    name=$1
    shift
    /usr/bin/time -o "$folder/time" -f '%e %M' "$@" > "$folder/out" || { cat "$folder/out"; exit 1; }
    awk -v side="$side" -v name="$name" '{ printf "%5d³  %-10s %8.1f s %6d MiB\n", side, name, $1, $2 / 1024 }' "$folder/time"
}

for side in $sides; do
    data=$folder/$side
    rm -rf "$data"
    mkdir "$data"
    timed generate "$ours" make "$data" "$side"
    du -sm "$data" | awk -v side="$side" '{ printf "%5d³  logits of five members: %d MiB, %.2f bytes a voxel and member\n",
        side, $1, $1 * 1048576 / side ^ 3 / 5 }'
    timed consensus "$segment" consensus "$data"/member-*.zarr -o "$data/mask.zarr" --memory "$memory"
    cat "$folder/out"
    rm -rf "$data"/member-*.zarr
    timed label "$segment" label "$data/mask.zarr" -o "$data/labels.zarr" --min-voxels 200 --memory "$memory"
    cat "$folder/out"
    timed objects "$segment" objects "$data/labels.zarr" -o "$data/objects.csv" --memory "$memory"
    timed export "$segment" convert "$data/labels.zarr" "$data/labels.h5"
    timed check "$ours" check "$data/labels.zarr:labels/objects" "$side"
    cat "$folder/out"
    rm -rf "$data"
done
