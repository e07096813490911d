"""Writes the TIFF files of the tests with tifffile 2026.3 and imagecodecs; run it in this folder.

Values follow `pattern`, which TIFFFiles.swift repeats, so no reference values are stored.
"""
import os
import zlib

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

def hyper(dtype, times=1, channels=1, sections=3):
    """An array t, c, z, y, x: the pattern of all its planes on top of each other."""
    planes = pattern(dtype, (times * channels * sections, 9, 21))
    return planes.reshape(times, channels, sections, 9, 21)


# Several channels and times.
h = hyper("uint16", 2, 2)
tzcyx = h.transpose(0, 2, 1, 3, 4)
write("imagej-hyperstack", tzcyx, **imagej, metadata={"axes": "TZCYX"})
write("imagej-times", hyper("uint8", 2)[:, 0], **imagej, metadata={"axes": "TZYX"})
write("ome-XYZCT", h, ome=True, metadata={"axes": "TCZYX"})
write("ome-XYCZT", tzcyx, ome=True, metadata={"axes": "TZCYX"})
write("ome-XYCTZ", h.transpose(2, 0, 1, 3, 4), ome=True, metadata={"axes": "ZTCYX"})
write("ome-XYTZC", h.transpose(1, 2, 0, 3, 4), ome=True, metadata={"axes": "CZTYX"})
write("shaped-axes", h, metadata={"axes": "TCZYX"})
write("shaped-unnamed", h[0], metadata={})

# Several samples a pixel.
c3 = hyper("uint8", 1, 3)[0]
c4 = hyper("uint16", 1, 4)[0]
write("rgb", np.moveaxis(c3, 0, -1), photometric="rgb")
write("rgb-planar", np.moveaxis(c3, 0, 1), photometric="rgb", planarconfig="separate", rowsperstrip=4)
write("rgb-planar-deflate", np.moveaxis(c3, 0, 1), photometric="rgb", planarconfig="separate", compression="deflate",
      predictor=2, rowsperstrip=4)
write("rgba-tiles", np.moveaxis(c4, 0, -1), photometric="rgb", extrasamples=["unassalpha"], tile=(16, 16),
      compression="deflate", predictor=2, byteorder=">")
write("rgb-webp", np.moveaxis(c3, 0, -1), photometric="rgb", compression="webp", compressionargs={"lossless": True})
write("imagej-rgb", np.moveaxis(c3, 0, -1), imagej=True, photometric=None, metadata={"axes": "ZYXS"})
write("ome-rgb", np.moveaxis(c3, 0, -1), ome=True, photometric="rgb", metadata={"axes": "ZYXS"})

# Other kinds of values.
write("bits", pattern("uint8") > 127)
write("bits-white", pattern("uint8") > 127, photometric="miniswhite")
write("palette", pattern("uint8"), photometric="palette", colormap=np.zeros((3, 256), np.uint16))
write("imagej-colours", pattern("uint8"), **imagej, colormap=np.arange(768).reshape(3, 256).astype(np.uint8),
      metadata={"axes": "ZYX"})
half = (pattern("uint16") & 0xBFFF).view(np.float16)  # without infinities and what is no number
write("half", half)
write("half-big", half, byteorder=">")
write("half-predictor", half, compression="deflate", predictor=3, rowsperstrip=4)
write("half-predictor-big", half, compression="deflate", predictor=3, tile=(16, 16), byteorder=">")
for order, mark in (("little", "<"), ("big", ">")):
    write(f"uint64-predictor-{order}", pattern("uint64"), compression="deflate", predictor=2, byteorder=mark)
write("lerc", pattern("uint8"), compression="lerc")
flat = np.repeat(np.arange(20, 80, 20, dtype=np.uint8), 16 * 16).reshape(3, 16, 16)
write("jpeg", flat, compression="jpeg")
assert (tifffile.imread("jpeg.tif") == flat).all()
colours = np.zeros((3, 16, 16, 3), np.uint8)
colours[:] = [200, 100, 50]  # Y, Cb, Cr
write("jpeg-rgb", colours, compression="jpeg", photometric="ycbcr")
assert (tifffile.imread("jpeg-rgb.tif") == [91, 255, 150]).all()
write("depth", pattern("uint16"), volumetric=True, tile=(16, 16, 16), compression="deflate")
write("two-arrays", pattern("uint16"), metadata={})
tifffile.imwrite("two-arrays.tif", pattern("uint16", (2, 9, 21)), photometric="minisblack", append=True)
write("depth-shaped", pattern("uint16"), volumetric=True, tile=(16, 16, 16), compression="deflate", metadata={})

# An OME-TIFF in two files: the first section of both channels in one, the others in the other.
OME = """<?xml version="1.0" encoding="UTF-8"?>
<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" UUID="urn:uuid:{own}"><Image ID="Image:0">
<Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="uint16" SizeX="21" SizeY="9" SizeZ="3" SizeC="2" SizeT="1">
<Channel ID="Channel:0:0" SamplesPerPixel="1"/><Channel ID="Channel:0:1" SamplesPerPixel="1"/>{data}</Pixels></Image></OME>"""
PLACES = {(0, 0): (1, 0), (1, 0): (1, 1), (0, 1): (2, 0), (0, 2): (2, 1), (1, 1): (2, 2), (1, 2): (2, 3)}
data = "".join(
    f'<TiffData FirstC="{c}" FirstZ="{z}" FirstT="0" IFD="{page}" PlaneCount="1">'
    f'<UUID FileName="ome-part{part}.tif">urn:uuid:{part}</UUID></TiffData>' for (c, z), (part, page) in PLACES.items())
for part in (1, 2):
    with tifffile.TiffWriter(f"ome-part{part}.tif") as writer:
        planes = sorted((page, c, z) for (c, z), (p, page) in PLACES.items() if p == part)
        for page, c, z in planes:
            text = OME.format(own=part, data=data) if page == 0 else None
            writer.write(hyper("uint16", 1, 2)[0, c, z], photometric="minisblack", metadata=None, description=text)

# Files that are refused.
write("complex", np.zeros((9, 21), np.complex64))
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
patched("imagej-hyperstack-one-directory", "imagej-hyperstack", one_directory)


def swapped(data, tiff):
    """The strips of the second and the third page change places."""
    entries = [page.tags[273].offset for page in tiff.pages][1:]
    size = 20 if tiff.is_bigtiff else 12
    second, third = (bytes(data[entry:entry + size]) for entry in entries)
    data[entries[0]:entries[0] + size] = third
    data[entries[1]:entries[1] + size] = second


patched("swapped-little", "shaped", swapped)
patched("swapped-big", "imagej-big", swapped)
patched("swapped-bigtiff", "bigtiff-big", swapped)
with tifffile.TiffWriter("thumbnails.tif") as writer:
    for section in u16:
        writer.write(section, photometric="minisblack", metadata=None)
        writer.write(section[::3, ::3], photometric="minisblack", metadata=None, subfiletype=1)


def metamorph(data, tiff):
    """One directory, and the tag's count that of the planes, of which each has six numbers."""
    one_directory(data, tiff)
    entry = tiff.pages[0].tags[33629].offset
    data[entry + 2:entry + 8] = np.array([5], "<u2").tobytes() + np.array([3], "<u4").tobytes()


# MetaMorph's planes: distance to the next as a fraction, then dates and times.
for name, distance in (("stk", 500), ("stk-no-distance", 0)):
    tags = [(33628, 5, 1, [0, 1], True), (33629, 4, 18, [distance, 1000, 0, 0, 0, 0] * 3, True)]
    write(name, u16, extratags=tags)
    patched(name, name, metamorph)
with tifffile.TiffFile("stk.tif") as tiff:
    assert tiff.is_stk and (tiff.asarray() == u16).all()


def lsm(name, pages, channels, sections, times, scan=6):
    """Zeiss's: pages and thumbnails in turn, what they are in a tag of the first."""
    info = np.array([0x00400494C, 512, 21, 9, sections, channels, times, 2, 7, 3], "<i4").tobytes()
    info += np.array([8e-9, 10e-9, 40e-9, 0, 0, 0], "<f8").tobytes() + np.array([scan], "<u2").tobytes()
    with tifffile.TiffWriter(name + ".tif", byteorder="<") as writer:
        for index, page in enumerate(pages):
            tags = [(34412, 1, 512, info.ljust(512, b"\0"), True)] if index == 0 else []
            options = dict(photometric="minisblack", planarconfig="separate", metadata=None)
            writer.write(page, **options, extratags=tags)
            writer.write(page[:, ::3, ::3], **options, subfiletype=1)


def two_channels(data, tiff):
    """As Zeiss writes two channels: the place of their widths where the widths themselves would fit."""
    entry = tiff.pages[0].tags[258].offset
    data[entry + 8:entry + 12] = len(data).to_bytes(4, "little")
    data += np.array([16, 16], "<u2").tobytes()


tzc3yx = hyper("uint16", 2, 3).transpose(0, 2, 1, 3, 4)
lsm("lsm", tzc3yx.reshape(-1, 3, 9, 21), 3, 3, 2)
with tifffile.TiffFile("lsm.tif") as tiff:
    assert tiff.is_lsm and (tiff.series[0].asarray() == tzc3yx).all() and tiff.series[0].axes == "TZCYX"
lsm("lsm-other-channels", tzc3yx[0, :1], 4, 1, 1)
lsm("lsm-line-scan", tzc3yx[0, :1], 3, 1, 1, scan=2)
write("lsm-two-channels-source", tzcyx[0, :1], planarconfig="separate")
patched("lsm-two-channels", "lsm-two-channels-source", two_channels)
os.remove("lsm-two-channels-source.tif")


def reversed_bits(data, tiff):
    """FillOrder 2, in place of the ResolutionUnit."""
    order = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
    for page in tiff.pages:
        for offset, count in zip(page.dataoffsets, page.databytecounts):
            data[offset:offset + count] = data[offset:offset + count].translate(order)
        entry = page.tags[296].offset
        data[entry:entry + 12] = (266).to_bytes(2, "little") + b"\x03\x00\x01\x00\x00\x00\x02\x00\x00\x00"


def padded_strip(data, tiff):
    """The last strip holds as many rows as the others, which some programs write."""
    page = tiff.pages[0]
    strip = np.zeros((4, 21), np.uint16)
    strip[0] = pattern("uint16")[0, 8]
    strip = np.concatenate([strip[:, :1], np.diff(strip, axis=1)], axis=1)
    stored = zlib.compress(strip.tobytes())
    offsets, counts = page.tags[273], page.tags[279]
    size = {3: 2, 4: 4}[counts.dtype]
    data[offsets.valueoffset + 8:offsets.valueoffset + 12] = len(data).to_bytes(4, "little")
    data[counts.valueoffset + 2 * size:counts.valueoffset + 3 * size] = len(stored).to_bytes(size, "little")
    data += stored


patched("bit-order", "uint16-little-strips", reversed_bits)
write("bits-order-source", pattern("uint8") > 127)
patched("bits-order", "bits-order-source", reversed_bits)
os.remove("bits-order-source.tif")
patched("padded-strip", "deflate-little", padded_strip)
