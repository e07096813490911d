"""Writes the HDF5 files of the layouts, links and filters with h5py and hdf5plugin. Voxel (z, y, x) is 20 z + 5 y + x,
shape z 3 x y 4 x x 5; channel c and time t add 60 c + 120 t."""
import json
import os

import h5py
import hdf5plugin
import numpy as np

here = os.path.dirname(os.path.abspath(__file__))
os.chdir(here)
voxels = np.arange(60).reshape(3, 4, 5)
channels = np.stack([voxels, voxels + 60])
both = np.stack([channels, channels + 120])  # t, c, z, y, x


def create(name):
    return h5py.File(os.path.join(here, name), "w")


def axistags(keys, resolution=None):
    return json.dumps({"axes": [
        {"key": key, "typeFlags": 2, "resolution": (resolution or {}).get(key, 0), "description": ""}
        for key in keys
    ]})


with create("axes.h5") as file:
    for keys in ("zyx", "xyz", "yzx", "czyx", "zyxc", "tczyx", "tzyxc", "cxyzt", "yx", "xy"):
        source = both
        order = "tczyx"
        for letter in "tcz":
            if letter not in keys:
                source = source[0]
                order = order[1:] if order[0] == letter else order
        data = source.transpose([order.index(key) for key in keys]).astype("u2")
        for name, options in (
            ("whole", {}), ("chunked", {"chunks": tuple(min(2, n) for n in data.shape), "compression": "gzip"})
        ):
            tagged = file.create_dataset(f"{name}/{keys}", data=data, **options)
            tagged.attrs["axistags"] = axistags(keys)
    file["guess/czyx"] = channels.astype("u1")
    file["guess/zyxc"] = np.moveaxis(channels, 0, -1).astype("u1")
    file["guess/tczyx"] = both.astype("u1")
    file["guess/tzyxc"] = np.moveaxis(both, 1, -1).astype("u1")
    file["guess/unclear"] = np.zeros((20, 3, 4, 20), "u1")
    file["guess/colours"] = np.zeros((2, 3, 4, 3), "u1")
    file["odd/tags"] = np.zeros((2, 3, 4), "u1")
    file["odd/tags"].attrs["axistags"] = axistags("cxq")
    labelled = file.create_dataset("labelled", data=voxels.T.astype("u1"))
    for index, label in enumerate("xyz"):
        labelled.dims[index].label = label
    sized = file.create_dataset("sized", data=voxels.T.astype("u1"))
    sized.attrs["axistags"] = axistags("xyz", {"x": 4, "y": 8, "z": 0.04})
    sized.attrs["axis_units"] = json.dumps({"x": "nm", "y": "nm", "z": "µm"})

with create("roles.h5") as file:
    file["raw"] = voxels.astype("u1")
    file["label"] = (voxels + 1).astype("u8")
    file["weights"] = voxels.astype("f4")
with create("cremi.h5") as file:
    raw = file.create_dataset("volumes/raw", data=voxels.astype("u1"))
    raw.attrs["resolution"] = [40.0, 4.0, 4.0]
    for name in ("neuron_ids", "clefts"):
        labels = file.create_dataset(f"volumes/labels/{name}", data=(voxels + 1).astype("u8"))
        labels.attrs["resolution"] = [40.0, 4.0, 4.0]
        labels.attrs["offset"] = [80.0, 16.0, 20.0]
with create("raw-only.h5") as file:
    file["raw"] = voxels.astype("u1")

with create("raw-channels.h5") as file:
    file["raw"] = channels.astype("u1")
    file["mask"] = voxels.astype("u1")

with create("odd-types.h5") as file:
    def put(name, kind, bits):
        space = h5py.h5s.create_simple(voxels.shape)
        dataset = h5py.h5d.create(file.id, name.encode(), kind, space)
        dataset.write(h5py.h5s.ALL, h5py.h5s.ALL, bits, mtype=kind)

    twelve = h5py.h5t.STD_U16LE.copy()
    twelve.set_precision(12)
    twelve.set_offset(4)
    put("twelve", twelve, (voxels << 4).astype("<u2"))
    three = h5py.h5t.STD_I32BE.copy()
    three.set_precision(24)
    three.set_size(3)
    put("three", three, np.frombuffer(b"".join(int(-v).to_bytes(3, "big", signed=True) for v in voxels.flat), "u1"))
    put("bits", h5py.h5t.STD_B8LE.copy(), voxels.astype("u1"))

with create("plugins.h5") as file:
    data = voxels.astype("u2")
    chunks = (2, 3, 2)
    file.create_dataset("lzf", data=np.repeat(data, 4, 2), chunks=(2, 3, 20), compression="lzf", shuffle=True)
    file.create_dataset("lzf-fletcher32", data=np.zeros((3, 4, 80), "u2"), chunks=(2, 3, 20), compression="lzf",
                        fletcher32=True)
    file.create_dataset("zstd", data=data, chunks=chunks, **hdf5plugin.Zstd())
    file.create_dataset("blosc", data=data, chunks=chunks, **hdf5plugin.Blosc())
    file.create_dataset("bzip2", data=data, chunks=chunks, **hdf5plugin.BZip2())
    file.create_dataset("szip", data=data, chunks=(2, 4, 4), compression="szip", compression_opts=("nn", 8))

with create("links.h5") as file:
    file["inside"] = h5py.ExternalLink("one.h5", "/volumes/raw")
    file["up"] = h5py.ExternalLink("../HDF5/one.h5", "/volumes/raw")
    file["outside"] = h5py.ExternalLink("../../HDF5Tests.swift", "/raw")
    file["absolute"] = h5py.ExternalLink("/etc/passwd", "/raw")
    file["missing"] = h5py.ExternalLink("gone.h5", "/raw")
    file["a"] = h5py.SoftLink("/b")
    file["b"] = h5py.SoftLink("/a")
    file["relative/soft"] = h5py.SoftLink("../none")
    file["own/group/soft"] = h5py.SoftLink("inner")
    file["own/group/inner"] = voxels.astype("u1")
    file.create_dataset("external", data=voxels.astype("<u2"), external=[("part1.bin", 0, 40), ("part2.bin", 8, 80)])
    file.create_dataset("external-outside", shape=(1, 2, 3), dtype="u1", external=[("/etc/hostname", 0, 6)])
    for name, source, dataset in (
        ("virtual", "one.h5", "/volumes/raw"), ("virtual-missing", "gone.h5", "/raw"),
        ("virtual-outside", "/etc/passwd", "/raw"), ("virtual-external", "links.h5", "/external"),
    ):
        layout = h5py.VirtualLayout((3, 4, 5), "u1")
        layout[:] = h5py.VirtualSource(source, dataset, (3, 4, 5), "u1")
        file.create_virtual_dataset(name, layout, fillvalue=9)


def letters(text):
    return np.array([c.encode() for c in str(text)], "S1")


with create("small.ims") as file:
    image = file.create_group("DataSetInfo/Image")
    for axis, (low, high) in enumerate(((10, 12.5), (20, 23.2), (-1, 0.2))):
        image.attrs[f"ExtMin{axis}"] = letters(low)
        image.attrs[f"ExtMax{axis}"] = letters(high)
    image.attrs["Unit"] = letters("um")
    for level, step in ((0, 1), (1, 2)):
        for t in range(2):
            for c in range(2):
                group = file.create_group(f"DataSet/ResolutionLevel {level}/TimePoint {t}/Channel {c}")
                data = both[t, c, :, ::step, ::step]
                for letter, size in zip("ZYX", data.shape):
                    group.attrs[f"ImageSize{letter}"] = letters(size)
                padded = np.zeros((4, 4, 8), "u2")
                padded[tuple(slice(n) for n in data.shape)] = data
                group.create_dataset("Data", data=padded, chunks=(2, 4, 4), compression="gzip")

with create("viewer.h5") as file:
    for s in range(2):
        file[f"s0{s}/resolutions"] = np.array([[1.0, 1, 1], [2, 2, 1]])
        for t in range(2):
            for level, step in ((0, 1), (1, 2)):
                data = (both[t, s, :, ::step, ::step] * 200).astype("u2").view("i2")
                file[f"t0000{t}/s0{s}/{level}/cells"] = data
with open("viewer.xml", "w") as file:
    setups = "".join(
        f"<ViewSetup><id>{s}</id><size>5 4 3</size><voxelSize><unit>µm</unit><size>0.4 0.8 {2 + s}.0</size>"
        "</voxelSize></ViewSetup>" for s in range(2))
    file.write(f"<SpimData><SequenceDescription><ViewSetups>{setups}</ViewSetups></SequenceDescription></SpimData>\n")

# A group that lies in itself and counts one link to it, so that libhdf5 does not remember to have been there.
with create("circle.h5") as file:
    group = file.create_group("a")
    group["a"] = group
    header = h5py.h5o.get_info(group.id).addr
with open("circle.h5", "r+b") as file:
    file.seek(header + 4)
    assert file.read(4) == b"\2\0\0\0"
    file.seek(header + 4)
    file.write(b"\1\0\0\0")
