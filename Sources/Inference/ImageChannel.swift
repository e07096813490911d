import Volumes

/// One of the images that a network sees together: its voxels in the file's own type and values, and what brings them
/// to the network's scale. Each channel has statistics of its own.
public struct ImageChannel: Sendable {
    public let voxels: VoxelBuffer
    public let normalization: IntensityNormalization

    public init(_ voxels: VoxelBuffer, _ normalization: IntensityNormalization) {
        self.voxels = voxels
        self.normalization = normalization
    }

    /// The normalised values of `box`, which must lie within the volume.
    public func read(_ box: Box) -> Volume<Float> { normalization.apply(voxels, box: box) }
}
