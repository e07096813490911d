import Volumes

/// Files whose voxels must be of one size may differ by 1 % along each axis, since they round; beyond that it takes a word
/// of the pipeline file.
enum VoxelSizeRule {
    static let tolerance = 0.01

    /// What else can be done of images to learn from, beside correcting one.
    static let resolutionAdvice = "; where both are right, give a resolution, to which they are resampled"

    /// What is wrong with the size of a file that must be as another's; nil where it is the same, or one is not known.
    static func problem(_ size: VoxelSize?, like other: VoxelSize?, of title: String) -> String? {
        guard let size, let other, !size.agrees(with: other, tolerance: tolerance) else { return nil }
        return
            "has voxels of \(size), but \(title) has \(other); correct one, or say the size of all of them by voxel_size "
            + "with 'replace: true' in the pipeline file"
    }
}
