"""Writes the TIFF files of the tests with tifffile 2026.3 and imagecodecs; run it in this folder.

Values follow `pattern`, which TIFFFiles.swift repeats, so no reference values are stored.
"""
import numpy as np
import tifffile

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


def write(name, array, **options):
    tifffile.imwrite(name + ".tif", array, **{"photometric": "minisblack", "metadata": None, **options})


for dtype in TYPES:
    for order, mark in (("little", "<"), ("big", ">")):
        write(f"{dtype}-{order}-strips", pattern(dtype), byteorder=mark, rowsperstrip=4)
        predictor = dtype not in ("uint64", "int64")
        write(f"{dtype}-{order}-tiles", pattern(dtype), byteorder=mark, tile=(16, 16), compression="deflate",
              predictor=predictor)

for compression in ("lzw", "packbits", "zstd", "lzma", "deflate"):
    for order, mark in (("little", "<"), ("big", ">")):
        write(f"{compression}-{order}", pattern("uint16"), byteorder=mark, compression=compression, rowsperstrip=4,
              predictor=compression != "packbits")
for order, mark in (("little", "<"), ("big", ">")):
    write(f"bigtiff-{order}", pattern("uint16"), byteorder=mark, bigtiff=True)

# Voxel sizes.
u16 = pattern("uint16")
imagej = dict(imagej=True, photometric=None)
write("imagej-nm", u16, **imagej, resolution=(1 / 8, 1 / 10), metadata={"spacing": 40.0, "unit": "nm", "axes": "ZYX"})
write("imagej-micron", u16, **imagej, resolution=(125, 100),
      metadata={"spacing": 0.04, "unit": "micron", "axes": "ZYX"})
write("imagej-escaped", u16, **imagej, resolution=(125, 100),
      metadata={"spacing": 0.04, "unit": "\\u00B5m", "axes": "ZYX"})
write("imagej-pixel", u16, **imagej, resolution=(1, 1), metadata={"spacing": 2.0, "unit": "pixel", "axes": "ZYX"})
write("imagej-no-spacing", u16, **imagej, resolution=(125, 100), metadata={"unit": "um", "axes": "ZYX"})
ome = {"axes": "ZYX", "PhysicalSizeX": 8, "PhysicalSizeXUnit": "nm", "PhysicalSizeY": 10, "PhysicalSizeYUnit": "nm",
       "PhysicalSizeZ": 40, "PhysicalSizeZUnit": "nm"}
write("ome-nm", u16, ome=True, metadata=ome)
write("ome-default-unit", u16, ome=True,
      metadata={"axes": "ZYX", "PhysicalSizeX": 0.008, "PhysicalSizeY": 0.01, "PhysicalSizeZ": 0.04})
write("centimetre", u16, resolution=(1.25e6, 1e6), resolutionunit="CENTIMETER")
write("inch", u16, resolution=(300, 300), resolutionunit="INCH")
write("72-dpi-in-centimetre", u16, resolution=(28.346, 28.346), resolutionunit="CENTIMETER")

# Files that are refused.
write("rgb", np.zeros((9, 21, 3), np.uint8), photometric="rgb")
write("palette", np.zeros((9, 21), np.uint8), photometric="palette", colormap=np.zeros((3, 256), np.uint16))
write("bits", np.zeros((9, 21), bool))
write("half", np.zeros((9, 21), np.float16))
write("imagej-channels", np.zeros((3, 2, 9, 21), np.uint8), **imagej, metadata={"axes": "ZCYX"})
write("ome-times", np.zeros((4, 3, 9, 21), np.uint8), ome=True, metadata={"axes": "TZYX"})
write("shaped-channels", np.zeros((2, 3, 9, 21), np.uint8), metadata={})
with tifffile.TiffWriter("pages-differ.tif") as writer:
    for width in (21, 21, 20):
        writer.write(np.zeros((9, width), np.uint8), photometric="minisblack", metadata=None)


def patched(name, source, change):
    data = bytearray(open(source + ".tif", "rb").read())
    with tifffile.TiffFile(source + ".tif") as tiff:
        change(data, tiff)
    open(name + ".tif", "wb").write(data)


def loop(data, tiff):
    last, first = tiff.pages[-1], tiff.pages[0]
    count = int.from_bytes(data[last.offset:last.offset + 2], "little")
    at = last.offset + 2 + 12 * count
    data[at:at + 4] = first.offset.to_bytes(4, "little")


def vast(data, tiff):
    for tag in (256, 257, 278):
        entry = tiff.pages[0].tags[tag].offset
        data[entry + 2:entry + 12] = b"\x04\x00\x01\x00\x00\x00\xa0\x86\x01\x00"


def one_directory(data, tiff):
    first = tiff.pages[0]
    entries = int.from_bytes(data[first.offset:first.offset + 2], "little" if tiff.byteorder == "<" else "big")
    at = first.offset + 2 + 12 * entries
    data[at:at + 4] = bytes(4)


patched("loop", "uint8-little-strips", loop)
patched("vast", "deflate-little", vast)
patched("vast-plain", "uint8-little-strips", vast)
# As ImageJ writes stacks above 4 GB: the sections follow the first, without directories.
write("imagej-big", u16, **imagej, byteorder=">", metadata={"axes": "ZYX"})
write("shaped", u16, metadata={})
patched("imagej-one-directory", "imagej-big", one_directory)
patched("shaped-one-directory", "shaped", one_directory)
