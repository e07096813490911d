"""Writes stores with zarr-python 3 whose codecs are the block store's: an independent writer.

Voxel (c, z, y, x) of `channels.zarr` is 1000 c + 100 z + 10 y + x - 1234; of `plain.zarr` 1000 z + 100 y + x + 1.
"""
import os
import shutil

import numpy as np
import zarr
from zarr.codecs import BytesCodec, Crc32cCodec, ShardingCodec, ZstdCodec

zarr.config.set({"array.write_empty_chunks": True})
here = os.path.dirname(os.path.abspath(__file__))


def write(name, voxels, shard, chunk, axes, scale, attributes):
    path = os.path.join(here, name)
    shutil.rmtree(path, ignore_errors=True)
    multiscale = {
        "axes": axes,
        "datasets": [{"path": "0", "coordinateTransformations": [{"type": "scale", "scale": scale}]}],
    }
    group = zarr.create_group(
        path, zarr_format=3, attributes={"ome": {"version": "0.5", "multiscales": [multiscale]}})
    array = group.create_array(
        "0", shape=voxels.shape, dtype=voxels.dtype, chunks=shard, compressors=None, filters=None,
        serializer=ShardingCodec(
            chunk_shape=chunk, codecs=[BytesCodec(), ZstdCodec(level=3), Crc32cCodec()],
            index_codecs=[BytesCodec(), Crc32cCodec()]),
        attributes=attributes)
    array[:] = voxels


def axis(name, unit):
    return {"name": name, "type": "space", "unit": unit}


z, y, x = np.ogrid[:5, :6, :7]
write("plain.zarr", (1000 * z + 100 * y + x + 1).astype("uint16"), (4, 4, 8), (2, 2, 4),
      [axis(n, "nanometer") for n in "zyx"], [40, 8, 4], {})

c, z, y, x = np.ogrid[:2, :3, :5, :4]
write("channels.zarr", (1000 * c + 100 * z + 10 * y + x - 1234).astype("int16"), (1, 2, 4, 4), (1, 2, 2, 2),
      [{"name": "c", "type": "channel"}] + [axis(n, "micrometer") for n in "zyx"], [1, 0.5, 0.25, 0.125],
      {"logit_scale": 0.0078125})
