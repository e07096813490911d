#!/usr/bin/env python3
"""Reads every TIFF and HDF5 file of a folder with tifffile or h5py and with `segment`, and compares voxel by voxel.

    compare-readers.py FOLDER [--segment .build/release/segment] [--all]

A line for each volume that is not the same for both: differs, refused by us, refused by peer, refused by both, each with
our reason. Of HDF5 files these are the datasets of two or three axes longer than 1. Exits 1 where voxels differ, or where
`segment` takes over 10 s or 1 GiB, or ends in any other way than with a result or an error of one line.

Wants numpy, tifffile, imagecodecs and h5py.
"""
import argparse
import collections
import json
import multiprocessing
import os
import resource
import subprocess
import sys
import tempfile
import time

import h5py
import numpy as np
import tifffile

SECONDS = 10
MEBIBYTES = 1024
HDF5 = b"\x89HDF\r\n\x1a\n"
TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


def kind(path):
    with open(path, "rb") as file:
        head = file.read(4)
        if head in TIFF:
            return "tiff"
        offset, size = 0, os.path.getsize(path)
        while offset < size:
            file.seek(offset)
            if file.read(8) == HDF5:
                return "hdf5"
            offset = offset * 2 or 512
    return None


# The peer, in a process of its own: it may crash.


def read_tiff(path):
    """Its first series as {None: array of t, c, z, y, x}."""
    with tifffile.TiffFile(path) as file:
        series = file.series[0]
        array = arranged(series.asarray(), series.axes)
        return {None: array if array.size else "reads no pixel"}


def arranged(array, axes):
    groups = {"t": [], "c": [], "z": [], "y": [], "x": []}
    for index, letter in enumerate(axes):
        groups[{"T": "t", "C": "c", "S": "c", "Y": "y", "X": "x"}.get(letter, "z")].append(index)
    shape = [int(np.prod([array.shape[i] for i in indices])) for indices in groups.values()]
    return array.transpose([i for indices in groups.values() for i in indices]).reshape(shape)


def read_hdf5(path):
    """Datasets by name: an array of t, c, z, y, x, or the reason why h5py does not read it; other shapes are left out."""
    found = {}

    def visit(name, item):
        if not isinstance(item, h5py.Dataset) or item.dtype.kind not in "biuf" or item.dtype.itemsize > 8:
            return
        shape = item.shape or ()
        if sum(n != 1 for n in shape) not in (2, 3) or len(shape) > 3 or 0 in shape:
            return
        try:
            found["/" + name] = item[()].reshape((1,) * (5 - len(shape)) + shape)
        except Exception as error:
            found["/" + name] = reason(error)

    with h5py.File(path) as file:
        file.visititems(visit)
    return found


def reason(error):
    return " ".join(f"{type(error).__name__}: {error}".split())[:160]


def peer(path, which, connection):
    resource.setrlimit(resource.RLIMIT_AS, (6 << 30, 6 << 30))
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    try:
        connection.send(read_tiff(path) if which == "tiff" else read_hdf5(path))
    except BaseException as error:
        connection.send(reason(error))


def ask_peer(path, which):
    """What the peer read, or the reason why it does not."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.Process(target=peer, args=(path, which, theirs))
    process.start()
    theirs.close()
    try:
        return ours.recv() if ours.poll(60) else "takes over 60 s"
    except EOFError:
        return "crashes"
    finally:
        process.kill()
        process.join()


class Segment:
    def __init__(self, program):
        self.program = program
        self.faults = []

    def run(self, item, *arguments):
        """Whether it succeeded, and what it said."""
        with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
            start = time.monotonic()
            process = subprocess.Popen([self.program, *arguments], stdout=output, stderr=errors)
            _, status, usage = os.wait4(process.pid, 0)
            seconds = time.monotonic() - start
            output.seek(0)
            errors.seek(0)
            said = (output if status == 0 else errors).read().decode(errors="replace").strip()
        if seconds > SECONDS:
            self.faults.append(f"{item}: took {seconds:.0f} s")
        if usage.ru_maxrss >> 10 > MEBIBYTES:
            self.faults.append(f"{item}: took {usage.ru_maxrss >> 10} MiB")
        if status and (os.waitstatus_to_exitcode(status) not in (1, 64) or said.count("\n") or not said):
            self.faults.append(f"{item}: ended with {os.waitstatus_to_exitcode(status)}: {said[:200]!r}")
        return status == 0, said

    def read(self, item, location):
        """An array of t, c, z, y, x, or the reason why it does not read it."""
        whole = self.convert(item, location)
        if not isinstance(whole, str) or "choose one" not in whole:
            return whole if isinstance(whole, str) else whole[None, None]
        ok, said = self.run(item, "info", location, "--headers", "--json")
        if not ok:
            return said
        info = json.loads(said)
        times = []
        for moment in range(info["times"]):
            choices = [["--time", str(moment), "--channel", str(channel)] for channel in range(info["channels"])]
            times.append([self.convert(item, location, *choice) for choice in choices])
            refusals = [channel for channel in times[-1] if isinstance(channel, str)]
            if refusals:
                return refusals[0]
        return np.array(times)

    def convert(self, item, location, *choice):
        """An array of z, y, x, or the reason why there is none."""
        with tempfile.TemporaryDirectory() as folder:
            ok, said = self.run(item, "convert", location, folder + "/out.h5", *choice)
            if not ok:
                return said
            with h5py.File(folder + "/out.h5") as file:
                return file["data"][()]


def difference(ours, theirs):
    """What differs in one line; None where nothing does."""
    if theirs.dtype.kind == "b":
        theirs = theirs.astype("u1")
    if ours.shape != theirs.shape:
        return f"t, c, z, y, x: {ours.shape}, the peer's {theirs.shape}"
    equal = (ours == theirs) | ((ours != ours) & (theirs != theirs))
    if equal.all():
        return None
    first = tuple(int(n) for n in np.argwhere(~equal)[0])
    return f"{(~equal).sum()} of {equal.size} voxels, first at {first}: {ours[first]}, the peer's {theirs[first]}"


def compare(segment, path, name):
    """Lines of (outcome, item, reason) for one file."""
    which = kind(path)
    if which is None:
        ok, said = segment.run(name, "info", path)
        yield ("no TIFF or HDF5", name, "" if ok else said)
        return
    answer = ask_peer(path, which)
    volumes = answer if isinstance(answer, dict) else {None: answer}
    if not volumes:
        ok, said = segment.run(name, "info", path)
        yield ("no volume in it", name, "" if ok else said)
    for dataset, theirs in volumes.items():
        item = name + (f":{dataset}" if dataset else "")
        ours = segment.read(item, path + (f":{dataset}" if dataset else ""))
        if isinstance(theirs, str):
            yield ("refused by both", item, ours) if isinstance(ours, str) else ("refused by peer", item, theirs)
        elif isinstance(ours, str):
            yield ("refused by us", item, f"{ours} (the peer's: {theirs.shape} {theirs.dtype})")
        else:
            found = difference(ours, theirs)
            yield ("differs", item, found) if found else ("same", item, "")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("--segment", default=".build/release/segment")
    parser.add_argument("--all", action="store_true", help="lines of those that are the same, too")
    options = parser.parse_args()
    segment = Segment(os.path.abspath(options.segment))
    counts = collections.Counter()
    paths = [os.path.join(folder, file) for folder, _, files in os.walk(options.folder) for file in files]
    for path in sorted(paths):
        for outcome, item, why in compare(segment, path, os.path.relpath(path, options.folder)):
            counts[outcome] += 1
            if outcome != "same" or options.all:
                print(outcome, item, why.replace(path, "…"), sep="\t", flush=True)
    print()
    for outcome, count in sorted(counts.items()):
        print(f"{count:6} {outcome}")
    for fault in segment.faults:
        print("FAULT", fault)
    return 1 if segment.faults or counts["differs"] else 0


if __name__ == "__main__":
    sys.exit(main())
