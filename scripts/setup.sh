#!/usr/bin/env bash
# Everything a build needs: tools, system packages and libtorch. Safe to repeat; does only what is missing.
# TORCH=auto|cpu|cuda chooses the libtorch to fetch, TORCH_DIR=/folder/torch takes one already there.
set -euo pipefail
cd "$(dirname "$0")/.."

stop() { echo "setup: $*" >&2; exit 1; }

# 'PRESENT-IF | APT PACKAGE', in the order they are installed.
packages=(
    'pkg-config --version | pkg-config'
    'g++ --version | g++'
    'git --version | git'
    'patchelf --version | patchelf'
    'pkg-config --exists libtiff-4 | libtiff-dev'
    'pkg-config --exists hdf5 | libhdf5-dev'
    'pkg-config --exists libdeflate | libdeflate-dev'
    'pkg-config --exists libzstd | libzstd-dev'
    'pkg-config --exists zlib | zlib1g-dev'
    'pkg-config --exists blosc | libblosc-dev'
    'pkg-config --exists liblz4 | liblz4-dev'
    'pkg-config --exists liblzf | liblzf-dev'
    'pkg-config --exists libpng | libpng-dev'
    'pkg-config --exists cairo | libcairo2-dev'
)

missing_packages() {
    local line
    for line in "${packages[@]}"; do
        ${line%%|*} >/dev/null 2>&1 || echo "${line##*| }"
    done
}

install_packages() {
    local missing as_root=()
    mapfile -t missing < <(missing_packages)
    [ ${#missing[@]} -gt 0 ] || return 0
    command -v apt-get >/dev/null || stop "apt-get is not found; install what provides: ${missing[*]}" \
        "(Debian's names; the libraries with their headers and pkg-config files), then run make again"
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null || stop "neither root nor sudo; let an administrator run:" \
            "apt-get install ${missing[*]}"
        as_root=(sudo)
    fi
    echo "setup: installing ${missing[*]}" >&2
    as_root+=(env DEBIAN_FRONTEND=noninteractive apt-get)
    "${as_root[@]}" -q update
    "${as_root[@]}" -q install --yes --no-install-recommends "${missing[@]}"
    mapfile -t missing < <(missing_packages)
    [ ${#missing[@]} -eq 0 ] || stop "still missing after the installation: ${missing[*]}"
}

require_tools() {
    local version
    command -v swift >/dev/null || stop "swift is not found; install a Swift 6.1 toolchain or newer" \
        "(swift.org/install) and put its usr/bin on PATH"
    version=$(swift --version 2>/dev/null | sed -n 's/.*Swift version \([0-9]*\.[0-9]*\).*/\1/p' | head -n 1)
    [ "$(printf '6.1\n%s\n' "$version" | sort -V | head -n 1)" = 6.1 ] \
        || stop "Swift 6.1 or newer is needed, found ${version:-none that says its version}"
    command -v python3 >/dev/null || stop "python3 is not found; it fetches libtorch" \
        "(Debian: apt-get install python3 python3-pip)"
    python3 -c 'import sys; sys.exit(sys.version_info < (3, 8))' \
        || stop "Python 3.8 or newer is needed, found $(python3 --version 2>/dev/null || echo none that runs)"
    [ -n "${TORCH_DIR:-}" ] || python3 -c 'import pip' 2>/dev/null \
        || stop "python3 has no pip, which says where libtorch is (Debian: apt-get install python3-pip);" \
            "TORCH_DIR can name a libtorch already there"
}

require_tools
install_packages
if [ -n "${TORCH_DIR:-}" ]; then
    python3 scripts/fetch-libtorch.py --use "$TORCH_DIR" .deps
else
    python3 scripts/fetch-libtorch.py --variant "${TORCH:-auto}" .deps
fi
