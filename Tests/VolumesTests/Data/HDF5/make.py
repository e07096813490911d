"""Writes the HDF5 files of the tests with h5py. Voxel (z, y, x) is 20 z + 5 y + x, shape z 3 x y 4 x x 5."""
import os

import h5py
import numpy as np

here = os.path.dirname(os.path.abspath(__file__))
voxels = np.arange(60).reshape(3, 4, 5)


def create(name, **options):
    return h5py.File(os.path.join(here, name), "w", **options)


with create("types.h5") as file:
    for order, letter in (("little", "<"), ("big", ">")):
        for kind in ("u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f2", "f4", "f8"):
            # Signed and floating-point values are negative.
            sign = 1 if kind[0] == "u" else -1
            file[f"{order}/{kind}"] = (sign * voxels).astype(letter + kind)
    file["bool"] = voxels % 2 == 1
    file["extreme/u8"] = np.full((1, 1, 1), 2**64 - 1, "u8")
    file["strings"] = np.array([[["a", "b"]]], dtype="S1")
    file["compound"] = np.zeros((2, 2, 2), dtype=[("a", "i4"), ("b", "f4")])

with create("filters.h5") as file:
    data = voxels.astype("u2")
    chunks = (2, 3, 2)
    file.create_dataset("chunked", data=data, chunks=chunks)
    file.create_dataset("gzip", data=data, chunks=chunks, compression="gzip")
    file.create_dataset("shuffle", data=data, chunks=chunks, compression="gzip", shuffle=True)
    file.create_dataset("fletcher32", data=data, chunks=chunks, fletcher32=True)
    file.create_dataset("all", data=data, chunks=chunks, compression="gzip", shuffle=True, fletcher32=True)
    file.create_dataset("scaleoffset", data=data, chunks=chunks, scaleoffset=0)
    file.create_dataset("leading", data=data[None, None], chunks=(1, 1) + chunks)
    file.create_dataset("big", data=data.astype(">u2"), chunks=chunks, compression="gzip")
    holes = file.create_dataset("holes", shape=data.shape, dtype="u2", chunks=chunks, fillvalue=7)
    holes[:2, :3, :2] = data[:2, :3, :2]
    file["link"] = h5py.SoftLink("/gzip")
with create("lzf.h5") as file:
    file.create_dataset("raw", data=voxels, chunks=(2, 2, 2), compression="lzf")

with create("one.h5") as file:
    file["volumes/raw"] = voxels.astype("u1")
    file["plane"] = voxels[0]
    file["name"] = "larva"
    file["channels"] = np.zeros((2, 3, 4, 5), "u1")
with create("none.h5") as file:
    file["plane"] = voxels[0]
    file["empty"] = np.zeros((0, 4, 5), "u1")
with create("several.h5") as file:
    file["raw"] = voxels.astype("u1")
    file["labels/ids"] = voxels.astype("u4")
with create("userblock.h5", userblock_size=1024) as file:
    file["raw"] = voxels.astype("u1")

with create("resolution.h5") as file:
    def dataset(path, **attributes):
        file[path] = voxels.astype("u1")
        file[path].attrs.update(attributes)

    dataset("cremi/raw", resolution=np.array([40.0, 8, 4]))
    dataset("integers/raw", resolution=np.array([40, 8, 4]))
    dataset("ilastik/raw", element_size_um=[0.04, 0.008, 0.004])
    dataset("agree/raw", resolution=[40.0, 8, 4], element_size_um=np.array([0.04, 0.008, 0.004], "f4"))
    dataset("contradict/raw", resolution=[40.0, 8, 4], element_size_um=[0.04, 0.004, 0.008])
    dataset("group/inner/raw")
    file["group"].attrs["resolution"] = [30.0, 6, 3]
    dataset("nearest/raw", resolution=[40.0, 8, 4])
    file["nearest"].attrs["resolution"] = [1.0, 2, 3]
    dataset("malformed/raw", resolution="40, 8, 4", element_size_um=[0.0, 1, 1])
    dataset("none/raw")
with create("root.h5") as file:
    file["a/raw"] = voxels.astype("u1")
    file.attrs["element_size_um"] = [0.04, 0.008, 0.004]
