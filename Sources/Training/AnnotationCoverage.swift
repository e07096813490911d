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

    /// Refuses annotation that gives a channel one answer everywhere, as where only objects are annotated and none touch: a
    /// network would learn to give that answer whatever it sees.
    ///
    /// - Throws: `AnnotationError` with the channel.
    package func checkAnswers() throws {
        var (saysYes, saysNo) = (Set<OutputChannel>(), Set<OutputChannel>())
        for (volume, ground) in zip(volumes, grounds) {
            for box in ground.boxes {
                for cell in box.cells(of: patch) {
                    let open = outputs.filter { !saysNo.contains($0) }
                    if open.isEmpty { return }
                    // With the next voxels, for affinities across the cells' borders.
                    let seen = cell.grown(by: ZYX(1, 1, 1)).intersection(box)
                    for (channel, answer) in zip(open, volume.answers(open, in: seen)) {
                        if answer.says(1) { saysYes.insert(channel) }
                        if answer.says(0) { saysNo.insert(channel) }
                    }
                }
            }
        }
        // Borders that lie along an axis are seen by the affinities along others.
        let isBorderSeen = saysNo.contains(where: \.isAffinity)
        for channel in outputs
        where saysYes.contains(channel) && !saysNo.contains(channel) && !(channel.isAffinity && isBorderSeen) {
            throw AnnotationError(
                "all that member \(member + 1) may learn from answers yes for the channel \(channel), so that it would learn to say "
                    + "so everywhere; annotate some of what is outside of objects, or where two of them touch, too, and say by mask "
                    + "where the annotation counts"
            )
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

extension ChannelAnswer {
    /// Whether a voxel that counts has this answer.
    fileprivate func says(_ wanted: UInt8) -> Bool {
        zip(target.voxels, weight.voxels).contains { $0 == wanted && $1 > 0 }
    }
}
