#!/bin/sh
# A volume of 192 × 512 × 512 voxels predicted by a U-Net of features 16-32-64-128: `segment predict` within MEMORY (default 8G)
# beside PyTorch with the same weights, by sliding windows as nnU-Net's (64³, half of each shared, Gaussian weights), and on
# the same tiles as ours in its default layout and compiled in channels-last. Then five members against one. Takes 20 minutes.
# Exits 1 where a wanted ratio is missed. SHAPE and MEMORY may be set.
set -eu
cd "$(dirname "$0")/.."
shape=${SHAPE:-192,512,512}
# Bytes.
memory=${MEMORY:-8589934592}
. Benchmarks/pytorch.sh
swift build -c release --product segment
segment=$(swift build -c release --show-bin-path)/segment
swift build -c release --package-path Benchmarks --product NetworkBenchmark
tiles=$(swift build -c release --package-path Benchmarks --show-bin-path)/NetworkBenchmark
script=$PWD/Benchmarks/predict.py
python=$PWD/$venv/bin/python
"$python" -c 'import h5py' 2>/dev/null || "$venv/bin/pip" install --quiet h5py

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
"$segment" synthesize learn.h5:/raw learn.h5:/labels --shape 64,128,128 --seed 1
"$segment" synthesize image.h5:/raw truth.h5:/labels --shape "$shape" --seed 2
for members in 1 5; do
    cat > "members$members.yaml" <<END
train: {image: "learn.h5:/raw", labels: "learn.h5:/labels"}
network: {levels: 4, features: 16}
training: {steps: 60, patch: [32, 32, 32], batch: 2, validations: 1}
ensemble: {members: $members}
consensus: {threshold: 0.5}
segment: "learn.h5:/raw"
END
    "$segment" run "members$members.yaml" --until train
    "$segment" model export "members$members.yaml" -o "members$members.segmodel"
done
"$tiles" tiles "$shape" $(((memory - 320 * 1048576) * 7 / 8)) > tiles.json

precisions=f32
if grep -qwE 'avx512_bf16|amx_bf16' /proc/cpuinfo; then precisions="f32 bf16"; fi
# Seconds, starting, reading and writing included, and peak memory, KiB, under a name.
timed() {
    name=$1
    shift
    /usr/bin/time -o time -f "{\"name\": \"$name\", \"seconds\": %e, \"kib\": %M}" "$@"
    cat time >> lines
}
for precision in $precisions; do
    timed "segment $precision, 1 member" "$segment" predict members1.segmodel image.h5:/raw -o "$precision.h5:/p" \
        --precision "$precision" --memory "$memory"
    timed "segment $precision, 5 members" "$segment" predict members5.segmodel image.h5:/raw -o "five-$precision.h5:/p" \
        --precision "$precision" --memory "$memory"
done
for way in tiles compiled windows; do
    "$python" "$script" predict "$way" "$folder" >> lines
done
for precision in $precisions; do
    "$segment" consensus "$precision.h5:/p" -o "mask-$precision.h5:/mask" > /dev/null
    "$segment" label "mask-$precision.h5:/mask" -o "labels-$precision.h5" > /dev/null
    "$segment" evaluate --labels "labels-$precision.h5:/labels" --truth truth.h5:/labels --json > "scores-$precision.json"
done
"$python" "$script" compare "$folder"
