"""Writes N5 containers with tensorstore, and one with lz4 as lz4-java frames it, which tensorstore does not write.

Voxel (z, y, x) is 100 z + 10 y + x, shape z 5 × y 6 × x 7; N5 names its axes from x on.
"""
import json
import os
import shutil
import struct

import numcodecs
import numpy as np
import tensorstore

here = os.path.dirname(os.path.abspath(__file__))
z, y, x = np.ogrid[:5, :6, :7]
voxels = 100 * z + 10 * y + x
for name in os.listdir(here):
    if name.endswith(".n5"):
        shutil.rmtree(os.path.join(here, name))


def write(path, data, compression, dtype="uint16", block=(7, 4, 3), **attributes):
    data = data.T.astype(dtype)
    tensorstore.open({
        "driver": "n5", "kvstore": {"driver": "file", "path": os.path.join(here, path)},
        "metadata": {"dimensions": data.shape, "blockSize": block, "dataType": dtype, "compression": compression},
    }, create=True).result()[...] = data
    describe(path, **attributes)


def describe(path, **attributes):
    os.makedirs(os.path.join(here, path), exist_ok=True)
    file = os.path.join(here, path, "attributes.json")
    old = json.load(open(file)) if os.path.exists(file) else {}
    json.dump(old | attributes, open(file, "w"))


write("raw.n5", voxels, {"type": "raw"}, resolution=[4, 8, 40], offset=[40, 80, 400])
# The N5 library's own writer cuts blocks at the array's end; tensorstore pads them.
for j, (ny, y0) in enumerate([(4, 0), (2, 4)]):
    for k, (nz, z0) in enumerate([(3, 0), (2, 3)]):
        with open(os.path.join(here, "raw.n5", "0", str(j), str(k)), "wb") as file:
            file.write(struct.pack(">HHIII", 0, 3, 7, ny, nz))
            file.write(voxels[z0:z0 + nz, y0:y0 + ny].astype(">u2").tobytes())
write("gzip.n5", voxels, {"type": "gzip"}, pixelResolution={"dimensions": [0.5, 1, 2], "unit": "um"})
write("zlib.n5", voxels, {"type": "gzip", "useZlib": True}, resolution=[4, 8, 40], units=["nm", "nm", "nm"])
write("zstd.n5", voxels, {"type": "zstd"}, dtype="int32")
write("blosc.n5", voxels, {"type": "blosc", "cname": "lz4", "clevel": 5, "shuffle": 1}, dtype="float32")
write("bzip2.n5", voxels, {"type": "bzip2"})
write("channels.n5", np.stack([voxels, voxels + 1000]), {"type": "raw"}, block=(7, 6, 5, 1), axes=list("xyzc"))

# CREMI's names, as Paintera converts them: an image of two levels, and labels.
describe("cremi.n5", n5="2.0.0")
write("cremi.n5/volumes/raw/s0", voxels, {"type": "gzip"})
write("cremi.n5/volumes/raw/s1", voxels[:, ::2, ::2], {"type": "gzip"}, downsamplingFactors=[2, 2, 1])
describe("cremi.n5/volumes/raw", resolution=[4, 4, 40], offset=[0, 0, 0], multiScale=True)
for name in ("neuron_ids", "clefts"):
    write(f"cremi.n5/volumes/labels/{name}", voxels, {"type": "gzip"}, dtype="uint64", resolution=[4, 4, 40],
          offset=[8, 12, 80])

# One block in two of LZ4BlockOutputStream's, the second as it is, and their end.
write("lz4.n5", voxels, {"type": "raw"}, block=(7, 6, 5))
describe("lz4.n5", compression={"type": "lz4", "blockSize": 65536})
path = os.path.join(here, "lz4.n5", "0", "0", "0")
content = open(path, "rb").read()
header, values = content[:16], content[16:]
packed = bytes(numcodecs.LZ4().encode(values[:400]))[4:]


def block(token, body, size):
    return b"LZ4Block" + struct.pack("<BIII", token, len(body), size, 0) + body


rest = values[400:]
with open(path, "wb") as file:
    file.write(header + block(0x26, packed, 400) + block(0x16, rest, len(rest)) + block(0x16, b"", 0))
