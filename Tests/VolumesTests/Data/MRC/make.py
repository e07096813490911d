"""Writes the MRC files of the tests with mrcfile 1.5 and numpy; run it in this folder.

Values follow `pattern`, as in ../TIFF/make.py, which TIFFFiles.swift repeats, so no reference values are stored.
"""
import gzip
import pathlib

import mrcfile
import numpy as np

SHAPE = (3, 9, 21)


def pattern(dtype, shape=SHAPE):
    z, y, x = np.indices(shape, dtype=np.uint64)
    hashed = (z * 7919 + y * 104729 + x * 1299709 + 1) * np.uint64(0x9E3779B97F4A7C15)
    dtype = np.dtype(dtype)
    if dtype.kind == "f":
        return ((hashed >> np.uint64(44)).astype(np.float64) / 8 - 1000).astype(dtype)
    top = (hashed >> np.uint64(64 - 8 * dtype.itemsize)).astype(f"u{dtype.itemsize}")
    return top.view(dtype)


def write(name, array, order="<", size=None, extended=b""):
    with mrcfile.new(name, overwrite=True) as mrc:
        mrc.set_data(array.astype(array.dtype.newbyteorder(order)))
        if size is not None:
            mrc.voxel_size = size
        if extended:
            mrc.set_extended_header(np.frombuffer(extended, np.uint8))
        # The labels carry the time of writing.
        mrc.header.nlabl = 0
        mrc.header.label = b""


def patched(name, source, *changes):
    data = bytearray(pathlib.Path(source).read_bytes())
    for offset, value in changes:
        data[offset:offset + len(value)] = value
    pathlib.Path(name).write_bytes(data)


def int32(*values):
    return np.array(values, "<i4").tobytes()


for dtype in ("int8", "int16", "uint16", "float32"):
    for order, mark in (("little", "<"), ("big", ">")):
        write(f"{dtype}-{order}.mrc", pattern(dtype), mark, size=8.5 if mark == "<" else None)
write("half.mrc", (pattern("uint8").astype("f2") / 8 - 16).astype("f2"))
write("half-big.mrc", (pattern("uint8").astype("f2") / 8 - 16).astype("f2"), ">")
write("extended.mrc", pattern("int16"), size=(2, 3, 4), extended=bytes(range(160)))

pathlib.Path("packed.mrc.gz").write_bytes(gzip.compress(pathlib.Path("extended.mrc").read_bytes(), mtime=0))
assert np.array_equal(mrcfile.open("packed.mrc.gz").data, pattern("int16"))


# Two volumes: 10 is added to the pattern in the second.
with mrcfile.new("volumes.mrc", overwrite=True) as mrc:
    mrc.set_data(np.stack([pattern("int16"), pattern("int16") + np.int16(10)]))
    mrc.voxel_size = 10
    assert mrc.is_volume_stack()
    mrc.header.label = b""
with mrcfile.new("images.mrc", overwrite=True) as mrc:
    mrc.set_data(pattern("int16"))
    mrc.set_image_stack()
    mrc.voxel_size = 10
    mrc.header.label = b""

# As the product writes a volume.
with mrcfile.new("written.mrc", overwrite=True) as mrc:
    mrc.set_data(pattern("int16"))
    mrc.voxel_size = (80, 100, 400)
    mrc.header.origin = (15000, -20000, 300000)
    mrc.header.nlabl = 0
    mrc.header.label = b""

# IMOD's stamp and flags; the largest value of a file of neither.
patched("imod-unsigned.mrc", "int8-little.mrc", (152, int32(1146047817, 0)))
patched("imod-signed.mrc", "int8-little.mrc", (152, int32(1146047817, 1)))
patched("imod-nibbles.mrc", "int8-little.mrc", (152, int32(1146047817, 16)))
patched("largest-255.mrc", "int8-little.mrc", (80, np.array([255], "<f4").tobytes()))
patched("no-stamp.mrc", "int16-big.mrc", (212, bytes(4)))
patched("start.mrc", "int16-little.mrc", (16, int32(1, -2, 30)))
patched("axes.mrc", "int16-little.mrc", (64, int32(3, 2, 1)))
patched("complex.mrc", "int16-little.mrc", (12, int32(4)))

# Mode 101, which mrcfile does not write: the upper halves of the pattern's bytes.
values = pattern("uint8") >> 4
padded = np.pad(values, ((0, 0), (0, 0), (0, 1)))
packed = padded[..., 0::2] | padded[..., 1::2] << 4
header = bytearray(pathlib.Path("int8-little.mrc").read_bytes()[:1024])
header[12:16] = int32(101)
pathlib.Path("nibbles.mrc").write_bytes(bytes(header) + packed.tobytes())
