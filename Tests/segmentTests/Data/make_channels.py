"""channels.tif: an ImageJ hyperstack of 2 times, 3 sections and 2 channels of 2 × 2 pixels, 1000 t + 100 c + 4 z + i."""

import numpy as np
import tifffile

t, z, c, i = np.ogrid[:2, :3, :2, :4]
voxels = (1000 * t + 100 * c + 4 * z + i).astype("u2").reshape(2, 3, 2, 2, 2)
tifffile.imwrite("channels.tif", voxels, imagej=True, metadata={"axes": "TZCYX"})
