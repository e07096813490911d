#!/bin/sh
# Whether a run survives what ends it: killed ten times at random moments, out of memory, on a full disk, and two at once on one
# work folder. Each time a run again must finish with the bytes of an undisturbed one. Exits 1 where it does not.
# SHAPE (default 128,512,512) and SEGMENT (default .build/release/segment) may be set. A full disk is a small tmpfs and lack of
# memory a control group, for which the script must be root; otherwise these are left out.
set -eu
cd "$(dirname "$0")/.."
segment=$(readlink -f "${SEGMENT:-.build/release/segment}")
shape=${SHAPE:-128,512,512}
folder=$(mktemp -d)
disk=$folder/disk
# Of the first version of control groups, or of the second.
if [ -e /sys/fs/cgroup/cgroup.controllers ]; then group=/sys/fs/cgroup/segment-crash limit=memory.max
else group=/sys/fs/cgroup/memory/segment-crash limit=memory.limit_in_bytes; fi
cleanup() {
    umount "$disk" 2>/dev/null || true
    rmdir "$group" 2>/dev/null || true
    rm -rf "$folder"
}
trap cleanup EXIT
cd "$folder"
failed=0

"$segment" synthesize train.tif train.h5:/labels --shape 32,64,64 --seed 1 > out
"$segment" synthesize big.tif big.h5:/labels --shape "$shape" --seed 2 > out
cat > train.yaml <<'END'
train: {image: train.tif, labels: "train.h5:/labels"}
target: [boundary, affinities]
network: {levels: 2, features: 4}
training: {steps: 30, patch: [16, 32, 32], batch: 2, validations: 1}
label: {regrow: {within: 40 nm, seeds: 30}, merge: {above: 0.5}}
consensus: {threshold: 0.5}
segment: train.tif
END
"$segment" run train.yaml > out 2>&1
"$segment" model export train.yaml -o m.segmodel > out

# A pipeline of its own, with work and results folders of its name.
pipeline() {
    cat > "$1.yaml" <<'END'
model: m.segmodel
label: {fill_holes: true}
segment: {image: big.tif, truth: "big.h5:/labels"}
execution: {device: cpu, precision: f32}
END
}
files="labels.tif labels.h5 votes.tif objects.csv contacts.csv scores.json"
compare() {
    for file in $files; do
        if ! cmp -s "results/whole/big/$file" "results/$1/big/$file"; then
            echo "$1: $file is not that of the undisturbed run"
            failed=1
            return
        fi
    done
    echo "$1: all of $files are those of the undisturbed run"
}
now() { date +%s%N; }

pipeline whole
start=$(now)
"$segment" run whole.yaml > out 2>&1 || { cat out; exit 1; }
took=$((($(now) - start) / 1000000))
echo "undisturbed: $took ms"

pipeline killed
kills=0
while [ "$kills" -lt 10 ]; do
    "$segment" run killed.yaml > out 2>&1 &
    process=$!
    wait=$(shuf -i "0-$took" -n 1)
    sleep "$(awk "BEGIN { print $wait / 1000 }")"
    if kill -9 "$process" 2>/dev/null; then kills=$((kills + 1)); fi
    status=0
    wait "$process" || status=$?
    echo "killed after $wait ms: exit code $status, $(tail -n 1 out | cut -c 1-60)"
    # What was begun with a run that is over by then is no kill.
    if [ "$status" = 0 ]; then rm -rf work/killed results/killed; fi
done
"$segment" run killed.yaml > out 2>&1 || { cat out; exit 1; }
compare killed

pipeline both
"$segment" run both.yaml > first 2>&1 &
process=$!
while [ ! -d work/both ] && kill -0 "$process" 2>/dev/null; do sleep 0.02; done
sleep 0.5
status=0
"$segment" run both.yaml > second 2>&1 || status=$?
echo "a second run beside the first: exit code $status, $(tail -n 1 second | cut -c 1-160)"
wait "$process" || { cat first; failed=1; }
compare both

pipeline full
mkdir -p "$disk" work
if mount -t tmpfs -o size=4m tmpfs "$disk" 2>/dev/null; then
    ln -s "$disk" work/full
    for size in 4m 40m; do
        mount -o "remount,size=$size" "$disk"
        status=0
        "$segment" run full.yaml > out 2>&1 || status=$?
        echo "disk of $size: exit code $status, $(grep -E 'error|failed' out | head -n 1 | cut -c 1-200)"
        if [ "$status" != 1 ] && [ "$status" != 3 ]; then failed=1; fi
    done
    mount -o remount,size=4g "$disk"
    "$segment" run full.yaml > out 2>&1 || { cat out; exit 1; }
    compare full
else
    echo "disk full: left out, a tmpfs cannot be mounted here"
fi

pipeline starved
if mkdir "$group" 2>/dev/null && echo 250M > "$group/$limit" 2>/dev/null; then
    status=0
    sh -c "echo \$\$ > $group/cgroup.procs; exec $segment run starved.yaml --memory 4G" > out 2>&1 || status=$?
    echo "250 MiB where 4 GiB were promised: exit code $status, $(tail -n 1 out | cut -c 1-160)"
    if [ "$status" = 0 ]; then failed=1; fi
    "$segment" run starved.yaml > out 2>&1 || { cat out; exit 1; }
    compare starved
else
    echo "out of memory: left out, there is no control group to set"
fi
exit "$failed"
