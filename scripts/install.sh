#!/usr/bin/env bash
# Put the built `segment` and every library it needs, glibc excepted, below a prefix: install.sh PREFIX
#
#   bin/segment
#   lib/segment/*.so*                  Swift's runtime and the system's libraries, libstdc++ and libgcc_s too, so
#                                      that a machine with an older or no compiler runtime will do
#   lib/segment/torch/lib/*.so*        libtorch; beside `nvidia` as in its wheel, since its run paths say so
#   lib/segment/nvidia/.../lib/*.so*   CUDA, in a CUDA build
#
# The program gets an RPATH, not a RUNPATH: it holds for the libraries of its libraries too, so that none of them
# has to be changed, and LD_LIBRARY_PATH (conda sets it) cannot put other versions in front.
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
built=$root/.build/release/segment
torch=$(readlink -f "$root/.deps/torch")
prefix=${1:?usage: install.sh PREFIX}

# These must match the kernel's loader or the driver of the machine the program runs on.
glibc='ld-linux.*|linux-vdso|lib(c|m|mvec|pthread|dl|rt|resolv|util|anl|nsl|nss_.*|thread_db|BrokenLocale)'
never="^($glibc|libcuda|libnvidia-.*)\.so"

mkdir -p "$prefix/bin" "$prefix/lib"
prefix=$(cd "$prefix" && pwd)
libraries=$prefix/lib/segment

rm -rf "$libraries.partial" "$libraries.old"
mkdir -p "$libraries.partial/torch/lib"

needed=$(ldd "$built")
missing=$(awk '/not found/ {print $1}' <<<"$needed" | grep -Ev "$never" | paste -sd' ' || true)
if [ -n "$missing" ]; then
    echo "install: libraries are missing: $missing" >&2
    exit 1
fi
awk '$2 == "=>" && $3 ~ "^/" {print $1, $3}' <<<"$needed" | while read -r name path; do
    case $(readlink -f "$path") in "$torch"/* | "${torch%/*}"/nvidia/*) continue ;; esac
    [[ $name =~ $never ]] || cp -L "$path" "$libraries.partial/$name"
done

# libtorch whole, for its parts load each other by name when needed; Python's part is of no use here.
for path in "$torch"/lib/*.so*; do
    case $path in *libtorch_python* | *libshm* | *_test.so) continue ;; esac
    cp -L "$path" "$libraries.partial/torch/lib/"
done
if [ -d "$torch/../nvidia" ]; then
    (cd "$torch/.." && find nvidia -path '*/lib/*.so*' -exec cp -L --parents -t "$libraries.partial" {} +)
fi
(cd "$torch/.." && find . \( -path './torch-*.dist-info/*' -o -path './nvidia*.dist-info/*' \) \
    -iname '*licen[cs]e*' -type f -exec cp --parents -t "$libraries.partial" {} +)

cp "$built" "$prefix/bin/.segment.partial"
strip --strip-debug "$prefix/bin/.segment.partial"
patchelf --force-rpath --set-rpath '$ORIGIN/../lib/segment:$ORIGIN/../lib/segment/torch/lib' \
    "$prefix/bin/.segment.partial"

[ ! -e "$libraries" ] || mv "$libraries" "$libraries.old"
mv "$libraries.partial" "$libraries"
mv -f "$prefix/bin/.segment.partial" "$prefix/bin/segment"
rm -rf "$libraries.old"
echo "installed $prefix/bin/segment ($(du -sh "$libraries" | cut -f1) of libraries in $libraries)"
