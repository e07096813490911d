"""Writes Zarr arrays and OME-Zarr containers with zarr-python 3 and numcodecs: independent writers.

Voxel (z, y, x) of `v2/` and `v3/` is `pattern` of its type; of `images/` it is 1000 (10 t + c) + 100 z + 10 y + x.
"""
import os
import shutil

import numcodecs
import numpy as np
import zarr
from zarr.codecs import (
    BloscCodec, BytesCodec, Crc32cCodec, GzipCodec, ShardingCodec, TransposeCodec, ZstdCodec)

here = os.path.dirname(os.path.abspath(__file__))
shape, chunks = (5, 6, 7), (3, 6, 4)
types = ["uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64", "float32", "float64"]
for folder in ["v2", "v3", "images"]:
    shutil.rmtree(os.path.join(here, folder), ignore_errors=True)


def pattern(dtype):
    z, y, x = np.ogrid[:shape[0], :shape[1], :shape[2]]
    position = (z * 7919 + y * 104729 + x * 1299709 + 1).astype(np.uint64)
    bits = position * np.uint64(0x9E3779B97F4A7C15)
    dtype = np.dtype(dtype)
    if dtype.kind == "f" and dtype.itemsize == 2:
        return ((bits >> np.uint64(54)).astype("float64") / 8 - 64).astype(dtype)
    if dtype.kind == "f":
        return ((bits >> np.uint64(44)).astype("float64") / 8 - 1000).astype(dtype)
    if dtype.kind == "b":
        return (bits >> np.uint64(63)).astype(dtype)
    width = np.uint64(64 - 8 * dtype.itemsize)
    return (bits >> width).astype(f"uint{8 * dtype.itemsize}").view(dtype.newbyteorder("=")).astype(dtype)


def v2(name, dtype="<u2", chunks=chunks, separator=".", **options):
    array = zarr.create_array(
        os.path.join(here, "v2", name + ".zarr"), shape=shape, chunks=chunks, dtype=dtype, zarr_format=2,
        chunk_key_encoding={"name": "v2", "separator": separator}, filters=None, **options)
    array[:] = pattern(dtype)


def v3(name, dtype="uint16", chunks=chunks, key={"name": "default", "separator": "/"}, **options):
    array = zarr.create_array(
        os.path.join(here, "v3", name + ".zarr"), shape=shape, chunks=chunks, dtype=dtype, zarr_format=3,
        chunk_key_encoding=key, **options)
    array[:] = pattern(dtype)


# Zarr v2: compressors, orders, separators, types.
v2("none", chunks=(3, 4, 4), compressors=None)
v2("zstd", chunks=(3, 4, 4), compressors=numcodecs.Zstd(3), separator="/")
v2("gzip", compressors=numcodecs.GZip(6))
v2("zlib", compressors=numcodecs.Zlib(6))
v2("lz4", compressors=numcodecs.LZ4(1))
for index, inner in enumerate(["lz4", "lz4hc", "blosclz", "zlib", "zstd"]):
    v2(f"blosc-{inner}", compressors=numcodecs.Blosc(inner, 5, shuffle=index % 3), separator="/")
v2("fortran", ">u4", chunks=(3, 4, 4), order="F", compressors=numcodecs.Zlib(6))
v2("fortran-blosc", "<f4", order="F", compressors=numcodecs.Blosc("lz4", 5, shuffle=1))
for dtype in types + ["float16", "bool"]:
    for order, mark in [("little", "<"), ("big", ">")]:
        if np.dtype(dtype).itemsize > 1 or mark == "<":
            v2(f"{dtype}-{order}", np.dtype(dtype).newbyteorder(mark), chunks=shape, compressors=None)

# Zarr v3.
small, index = (2, 2, 4), [BytesCodec(), Crc32cCodec()]
v3("none", chunks=(3, 4, 4), compressors=None)
v3("zstd", compressors=[ZstdCodec(level=3)])
v3("gzip", compressors=[GzipCodec()])
v3("blosc-lz4", compressors=[BloscCodec(cname="lz4", shuffle="shuffle", typesize=2)])
v3("blosc-zstd", compressors=[BloscCodec(cname="zstd", shuffle="bitshuffle", typesize=2)])
v3("two", compressors=[ZstdCodec(level=3), GzipCodec(), Crc32cCodec()])
v3("transposed", chunks=(3, 4, 4), filters=[TransposeCodec(order=(2, 0, 1))], compressors=[ZstdCodec()])
v3("transposed-twice", chunks=(3, 4, 2), compressors=None,
   filters=[TransposeCodec(order=(2, 0, 1)), TransposeCodec(order=(1, 0, 2))])
v3("default-dots", key={"name": "default", "separator": "."}, compressors=None)
v3("v2-dots", key={"name": "v2", "separator": "."}, compressors=None)
v3("v2-slashes", key={"name": "v2", "separator": "/"}, compressors=None)
for location in ["start", "end"]:
    v3(f"sharded-{location}", chunks=(4, 4, 8), compressors=None, serializer=ShardingCodec(
        chunk_shape=small, codecs=[BytesCodec(), ZstdCodec()], index_codecs=index, index_location=location))
v3("sharded-plain-index", chunks=(4, 4, 8), compressors=None, serializer=ShardingCodec(
    chunk_shape=small, codecs=[BytesCodec(endian="big")], index_codecs=[BytesCodec(endian="big")]))
v3("sharded-nested", chunks=(4, 8, 8), compressors=None, serializer=ShardingCodec(
    chunk_shape=(4, 4, 8), index_codecs=index, codecs=[ShardingCodec(
        chunk_shape=small, codecs=[BytesCodec(), GzipCodec()], index_codecs=index, index_location="start")]))
v3("sharded-transposed", chunks=(4, 4, 8), filters=[TransposeCodec(order=(1, 2, 0))], compressors=None,
   serializer=ShardingCodec(
       chunk_shape=(2, 4, 2), index_codecs=index,
       codecs=[TransposeCodec(order=(2, 1, 0)), BytesCodec(), ZstdCodec()]))
v3("sharded-gzip", chunks=(4, 4, 8), compressors=[GzipCodec()], serializer=ShardingCodec(
    chunk_shape=small, codecs=[BytesCodec(), ZstdCodec()], index_codecs=index))
for dtype in types + ["float16", "bool"]:
    for order in ["little", "big"]:
        if np.dtype(dtype).itemsize > 1 or order == "little":
            endian = None if np.dtype(dtype).itemsize == 1 else order
            v3(f"{dtype}-{order}", dtype, chunks=shape, compressors=None, serializer=BytesCodec(endian=endian))


# Missing chunks: only voxels of the first chunk are written.
def sparse(name, dtype, fill, format, **options):
    array = zarr.create_array(
        os.path.join(here, f"v{format}", name + ".zarr"), shape=shape, dtype=dtype, zarr_format=format,
        fill_value=fill, **options)
    array[:2, :2, :4] = pattern(dtype)[:2, :2, :4]


sparse("sparse", "<i2", -7, 2, chunks=small)
sparse("sparse-uint64", "<u8", 2**64 - 1, 2, chunks=small)
sparse("sparse-nan", "float32", np.nan, 3, chunks=small)
sparse("sparse-sharded", "int64", -(2**62) - 1, 3, chunks=(4, 4, 8), compressors=None, serializer=ShardingCodec(
    chunk_shape=small, codecs=[BytesCodec(), ZstdCodec()], index_codecs=index))


# Images: a container with the axes of NGFF.
def values(shape, axes):
    weights = {"t": 10000, "c": 1000, "z": 100, "y": 10, "x": 1}
    grid = np.ogrid[tuple(slice(0, n) for n in shape)]
    return sum(g * weights[a] for g, a in zip(grid, axes)).astype("uint16")


def axis(name, unit="micrometer"):
    kind = {"t": "time", "c": "channel"}.get(name, "space")
    return {"name": name, "type": kind} | ({"unit": unit} if kind == "space" and unit else {})


def scale(*factors):
    return {"type": "scale", "scale": list(factors)}


def translation(*steps):
    return {"type": "translation", "translation": list(steps)}


def group(path, version, content):
    content = dict(content)
    if version == "0.5":
        return zarr.create_group(
            os.path.join(here, "images", path), zarr_format=3, attributes={"ome": {"version": "0.5", **content}})
    for image in content.get("multiscales", []):
        image["version"] = version
    return zarr.create_group(os.path.join(here, "images", path), zarr_format=2, attributes=content)


def array(parent, name, voxels, version):
    parent.create_array(
        name, data=voxels, chunks=tuple(min(n, 4) for n in voxels.shape),
        chunk_key_encoding={"name": "default" if version == "0.5" else "v2", "separator": "/"})


def image(path, version, axes, levels, common=None, name=None):
    """`levels`: of each the name, the shape and the transformations."""
    entry = {
        "name": name or path, "axes": [a if isinstance(a, dict) else axis(a) for a in axes],
        "datasets": [{"path": n, "coordinateTransformations": t} for n, _, t in levels],
    }
    if common:
        entry["coordinateTransformations"] = common
    parent = group(path, version, {"multiscales": [entry]})
    for name, shape, _ in levels:
        letters = [a["name"] if isinstance(a, dict) else a for a in axes]
        array(parent, name, values(shape, letters), version)


image("tczyx.zarr", "0.4", "tczyx", [
    ("0", (2, 3, 3, 4, 5), [scale(1, 1, 0.5, 0.25, 0.125), translation(0, 0, 1, 2, 3)]),
    ("1", (2, 3, 3, 2, 3), [scale(1, 1, 0.5, 0.5, 0.25)])], common=[scale(0.1, 1, 2, 2, 2)])
image("czyx.zarr", "0.5", "czyx", [("s0", (2, 3, 4, 5), [scale(1, 40, 8, 4)])])
image("tyx.zarr", "0.5", "tyx", [("0", (2, 4, 5), [scale(1, 8, 4)])])
image("yx.zarr", "0.4", "yx", [("0", (4, 5), [scale(8, 4)])])
image("xyz.zarr", "0.5", "xyz", [("0", (5, 4, 3), [scale(4, 8, 40)])])
image("no-unit.zarr", "0.4", [axis(n, None) for n in "zyx"], [("0", (3, 4, 5), [scale(40, 8, 4)])])
image("labelled.zarr", "0.5", "zyx", [
    ("s0", (3, 4, 5), [scale(0.04, 0.008, 0.008)]), ("s1", (3, 2, 3), [scale(0.04, 0.016, 0.016)])])
group("labelled.zarr/labels", "0.5", {"labels": ["cells"]})
image("labelled.zarr/labels/cells", "0.5", [axis(n, "nanometer") for n in "zyx"], [
    ("s0", (3, 4, 5), [scale(40, 8, 8), translation(80, 16, -24)]),
    ("s1", (3, 2, 3), [scale(40, 16, 16), translation(80, 20, -20)])])
for path, count in [("one-series.zarr", 1), ("two-series.zarr", 2)]:
    group(path, "0.4", {"bioformats2raw.layout": 3})
    group(path + "/OME", "0.4", {"series": [str(n) for n in range(count)]})
    for n in range(count):
        image(f"{path}/{n}", "0.4", "tczyx", [("0", (1, 1, 3, 4, 5), [scale(1, 1, 4, 2, 1)])])
several = zarr.create_group(os.path.join(here, "images", "several.zarr"), zarr_format=3)
array(several, "raw", values((3, 4, 5), "zyx"), "0.5")
array(several.create_group("volumes"), "truth", values((3, 4, 5), "zyx"), "0.5")
