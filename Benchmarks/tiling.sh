#!/bin/sh
# Whether tiles can be told in the result: one U-Net (features 16-32-64-128) with each normalization, trained for STEPS (default
# 60) steps, and a volume predicted whole and in tiles of at most 6, 3 and 1.5 million voxels. With batch norm tiles equal the
# whole to rounding. Group and instance norm look at all of a tile, so that results depend on its shape: for them the product
# takes tiles of 6 million voxels whatever the memory. LEARN, LABELS and IMAGE (FILE or FILE:DATASET) name real volumes.
set -eu
cd "$(dirname "$0")/.."
swift build -c release --product segment
segment=$(swift build -c release --show-bin-path)/segment
swift build -c release --package-path Benchmarks --product TilingBenchmark
ours=$(swift build -c release --package-path Benchmarks --show-bin-path)/TilingBenchmark
steps=${STEPS:-60}

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
learn=${LEARN:-}
if [ -z "$learn" ]; then
    "$segment" synthesize learn.h5:/raw learn.h5:/labels --shape 64,128,128 --seed 1
    "$segment" synthesize image.h5:/raw truth.h5:/labels --shape 128,256,256 --seed 2
fi
for normalization in batch "group: 8" instance; do
    name=$(echo "$normalization" | tr -d ': ')
    cat > "$name.yaml" <<END
train: {image: "${learn:-learn.h5:/raw}", labels: "${LABELS:-learn.h5:/labels}"}
network: {levels: 4, features: 16, normalization: $(case $normalization in *:*) echo "{$normalization}" ;; *) echo "$normalization" ;; esac)}
training: {steps: $steps, patch: [64, 64, 64], batch: 2, validations: 1, learning_rate: 0.002}
ensemble: {members: 1}
consensus: {threshold: 0.5}
segment: "${learn:-learn.h5:/raw}"
END
    "$segment" run "$name.yaml" --until train > log || { cat log; exit 1; }
done
echo "              tiles  largest          logit       probability  voxels on the other side of 0.5"
for name in batch group8 instance; do
    "$ours" "$name" work/"$name"/train/*/weights.safetensors "${IMAGE:-image.h5:/raw}" 64 6000000 3000000 1500000
done
