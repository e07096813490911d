"""others.h5: what h5py users keep in a file beside a volume, to which `segment convert` adds a dataset."""

import h5py
import numpy as np

with h5py.File("others.h5", "w", libver="latest") as file:
    file.attrs["author"] = "someone"
    raw = file.create_dataset("group/raw", data=np.arange(60, dtype="u1").reshape(3, 4, 5))
    raw.attrs["resolution"] = [50.0, 4.0, 4.0]
    file["table"] = np.zeros(2, dtype=[("id", "i4"), ("name", "S3")])
    file["link"] = h5py.SoftLink("/group")
