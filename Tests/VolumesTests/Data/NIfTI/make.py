"""Writes the NIfTI files of the tests with nibabel 5.4 and numpy; run it in this folder.

Values follow `pattern`, as in ../TIFF/make.py, which TIFFFiles.swift repeats, so no reference values are stored.
Arrays are z, y, x here and, as nibabel has them, x, y, z in the files.
"""
import gzip
import pathlib

import nibabel
import numpy as np

SHAPE = (3, 9, 21)
TYPES = ["uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64", "float32", "float64"]


def pattern(dtype, shape=SHAPE):
    z, y, x = np.indices(shape, dtype=np.uint64)
    hashed = (z * 7919 + y * 104729 + x * 1299709 + 1) * np.uint64(0x9E3779B97F4A7C15)
    dtype = np.dtype(dtype)
    if dtype.kind == "f":
        return ((hashed >> np.uint64(44)).astype(np.float64) / 8 - 1000).astype(dtype)
    top = (hashed >> np.uint64(64 - 8 * dtype.itemsize)).astype(f"u{dtype.itemsize}")
    return top.view(dtype)


def write(name, array, kind=nibabel.Nifti1Image, order="<", affine=None, zooms=None, units="mm", scale=None):
    header = kind.header_class(endianness=order)
    header.set_data_dtype(array.dtype)
    image = kind(array.T, affine, header, dtype=array.dtype)
    if zooms is not None:
        image.header.set_zooms(zooms)
    image.header.set_xyzt_units(units)
    if scale is not None:
        image.header.set_slope_inter(*scale)
    nibabel.save(image, name)


for dtype in TYPES:
    for order, mark in (("little", "<"), ("big", ">")):
        write(f"{dtype}-{order}.nii", pattern(dtype), order=mark)

write("two-little.nii", pattern("int16"), nibabel.Nifti2Image, zooms=(2, 3, 4), units="micron")
write("two-big.nii", pattern("int16"), nibabel.Nifti2Image, ">", zooms=(2, 3, 4), units="micron")
write("packed.nii.gz", pattern("uint16"))
write("pair.hdr", pattern("uint16"), nibabel.Nifti1Pair)
write("millimetre.nii", pattern("uint8"), zooms=(0.25, 0.5, 1.5), units="mm")
write("metre.nii", pattern("uint8"), zooms=(0.25, 0.5, 1.5), units="meter")
write("no-unit.nii", pattern("uint8"), zooms=(0.25, 0.5, 1.5), units="unknown")
write("plane.nii", pattern("uint8")[0])
# Two channels at three times each: t + 10 c is added to the pattern.
many = np.stack([np.stack([pattern("uint8") + np.uint8(t + 10 * c) for t in range(3)]) for c in range(2)])
write("times-channels.nii", many)
# Forms that keep the directions of the axes, and one that turns x around.
write("placed.nii", pattern("uint8"), units="micron",
      affine=np.array([[2, 0, 0, 10], [0, 3, 0, -20], [0, 0, 4, 30], [0, 0, 0, 1.0]]))
write("flipped.nii", pattern("uint8"), units="micron",
      affine=np.array([[-2, 0, 0, 10], [0, 3, 0, -20], [0, 0, 4, 30], [0, 0, 0, 1.0]]))
# x leads to the front, y to the left: by both forms, and by the qform alone.
turned = np.array([[0, -3, 0, 10], [2, 0, 0, -20], [0, 0, 4, 30], [0, 0, 0, 1.0]])
write("turned.nii", pattern("uint8"), units="micron", affine=turned)
image = nibabel.Nifti1Image(pattern("uint8").T, turned)
image.set_sform(None, 0)
image.set_qform(turned @ np.diag([1, 1, -1, 1]), 1)
image.header.set_xyzt_units("micron")
nibabel.save(image, "turned-qform.nii")
assert np.allclose(nibabel.load("turned-qform.nii").affine, turned @ np.diag([1, 1, -1, 1]), atol=1e-6)
write("colour.nii", np.zeros((9, 21), np.dtype([("R", "u1"), ("G", "u1"), ("B", "u1")])))
write("complex.nii", np.zeros(SHAPE, np.complex64))



def placed(name, array, kind, units, zooms, position):
    """As the product writes a volume."""
    affine = np.diag([*zooms, 1.0])
    affine[:3, 3] = position
    header = kind.header_class(endianness="<")
    header.set_data_dtype(array.dtype)
    image = kind(array.T, None, header, dtype=array.dtype)
    image.set_sform(affine, 1)
    image.set_qform(affine, 1)
    image.header.set_xyzt_units(units)
    image.header.set_slope_inter(1, 0)
    nibabel.save(image, name)


placed("written-one.nii", pattern("uint16"), nibabel.Nifti1Image, "micron", (0.008, 0.01, 0.04), (1.5, -2, 30))
# With an extent beyond NIfTI-1.
placed("written-two.nii", pattern("int8", (1, 1, 32768)), nibabel.Nifti2Image, "mm", (0.25, 0.5, 1.5), (0, 0, 0))

# Scaled: slope and intercept are put in the header over the stored values, and nibabel reads them back.
data = bytearray(pathlib.Path("int16-little.nii").read_bytes())
data[112:120] = np.array([0.5, -3], "<f4").tobytes()
pathlib.Path("scaled.nii").write_bytes(data)
assert np.array_equal(nibabel.load("scaled.nii").get_fdata().T, pattern("int16") * 0.5 - 3)

data = bytearray(pathlib.Path("int32-little.nii").read_bytes())
data[112:120] = np.array([0.5, -3], "<f4").tobytes()
pathlib.Path("scaled-int32.nii").write_bytes(data)
assert np.array_equal(nibabel.load("scaled-int32.nii").get_fdata().T, pattern("int32") * 0.5 - 3)

# Two gzip members, as bgzip and concatenation make them.
data = pathlib.Path("uint16-little.nii").read_bytes()
pathlib.Path("members.nii.gz").write_bytes(
    gzip.compress(data[:500], mtime=0) + gzip.compress(data[500:], mtime=0) + bytes(8))
data = pathlib.Path("packed.nii.gz").read_bytes()
pathlib.Path("cut.nii.gz").write_bytes(data[:len(data) // 2])
altered = bytearray(data)
altered[-6] ^= 1  # The checksum.
pathlib.Path("altered.nii.gz").write_bytes(altered)
