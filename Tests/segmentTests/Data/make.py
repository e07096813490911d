"""Writes `links.h5` with h5py: a link to a file outside its folder."""
import os

import h5py

with h5py.File(os.path.join(os.path.dirname(os.path.abspath(__file__)), "links.h5"), "w") as file:
    file["labels"] = h5py.ExternalLink("../labels.h5", "/labels")
