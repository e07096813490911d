import Labeling
import Volumes

extension PatchSampler {
    /// Refuses affinities of nearest neighbours that no pair of annotated voxels teaches, as along z where single sections
    /// are annotated and patches are not turned out of them.
    ///
    /// - Throws: `AnnotationError` with the axis.
    func checkAffinities(_ augmentation: Augmentation) throws {
        for axis in outputs.compactMap(\.neighbourAxis) where !isTaught(axis, augmentation) {
            let name = ["z", "y", "x"][axis]
            throw AnnotationError(
                "no two annotated voxels are neighbours along \(name), so that their affinity cannot be learnt; annotate "
                    + "blocks that are thicker along it, or name other offsets in target, such as "
                    + "{affinities: [[0, -1, 0], [0, 0, -1]]} with label: {connectivity: 4}")
        }
    }

    /// Whether two voxels that count lie next to each other along an axis, or along one that is exchanged with it.
    private func isTaught(_ axis: Int, _ augmentation: Augmentation) -> Bool {
        zip(volumes, grounds).contains { volume, ground in
            let size = volume.annotation.voxelSize
            // Turned by any angle.
            if augmentation.rotation, patch.z > 1, Warp.areNearlyCubes(size) { return true }
            let partners = (0..<3).filter { other in
                other == axis
                    || augmentation.axisSwaps && Orientation.areAlike(other, axis, patch: patch, voxelSize: size)
            }
            return partners.contains { partner in ground.boxes.contains { hasPair(in: $0, volume, along: partner) }
            }
        }
    }

    private func hasPair(in box: Box, _ volume: PreparedVolume, along axis: Int) -> Bool {
        let codes = volume.border.codes
        let step = [codes.shape.y * codes.shape.x, codes.shape.x, 1][axis]
        var last = box.end
        switch axis {
        case 0: last.z -= 1
        case 1: last.y -= 1
        default: last.x -= 1
        }
        for z in box.origin.z..<max(box.origin.z, last.z) {
            for y in box.origin.y..<max(box.origin.y, last.y) {
                let row = codes.index(z, y, 0)
                for x in box.origin.x..<max(box.origin.x, last.x)
                where codes.voxels[row + x] != 0 && codes.voxels[row + x + step] != 0 {
                    return true
                }
            }
        }
        return false
    }
}
