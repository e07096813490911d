#!/bin/sh
# Damages the tests' files at random and reads them, under the address sanitizer where the toolchain has one.
# Options go to the program: --count N, --seed N, and --only K to repeat one trial.
set -eu
cd "$(dirname "$0")/.."
build() { swift build -c release --package-path Fuzz --product VolumeFuzz "$@"; }
sanitize=--sanitize=address
build $sanitize || { echo "fuzz: no address sanitizer; trying without" >&2; sanitize=; build; }
folder=$(build $sanitize --show-bin-path)
# The parent of the trials is not the subject.
ASAN_OPTIONS=detect_leaks=0 exec "$folder/VolumeFuzz" Tests/VolumesTests/Data "$@"
