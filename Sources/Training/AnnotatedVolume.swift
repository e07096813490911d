import Inference
import Volumes

/// A volume with a person's annotation of it: what the networks learn from.
public struct AnnotatedVolume: Sendable {
    /// At least one, all of one shape: the inputs of the network.
    public let channels: [ImageChannel]
    /// The instance each voxel belongs to; 0 is outside all, or not annotated (see `unlabelledZero`).
    public let labels: Volume<UInt32>
    /// Where not nil, the annotation counts only where this is not 0.
    public let mask: Volume<UInt8>?
    /// Whether 0 in the labels means "not annotated" rather than "outside every object".
    public let unlabelledZero: Bool
    public let voxelSize: VoxelSize

    /// - Throws: `AnnotationError` where channels, labels and mask differ in shape, or there is no channel.
    public init(
        channels: [ImageChannel], labels: Volume<UInt32>, mask: Volume<UInt8>? = nil, unlabelledZero: Bool = false,
        voxelSize: VoxelSize
    ) throws {
        guard !channels.isEmpty else { throw AnnotationError("an annotated volume needs an image") }
        for channel in channels where channel.voxels.shape != labels.shape {
            throw AnnotationError(
                "image and labels differ in shape: \(channel.voxels.shape) and \(labels.shape)")
        }
        if let mask, mask.shape != labels.shape {
            throw AnnotationError("image and mask differ in shape: \(labels.shape) and \(mask.shape)")
        }
        self.channels = channels
        self.labels = labels
        self.mask = mask
        self.unlabelledZero = unlabelledZero
        self.voxelSize = voxelSize
    }

    /// An image of one channel.
    ///
    /// - Throws: `AnnotationError` where image, labels and mask differ in shape.
    public init(
        image: VoxelBuffer, normalization: IntensityNormalization, labels: Volume<UInt32>,
        mask: Volume<UInt8>? = nil, unlabelledZero: Bool = false, voxelSize: VoxelSize
    ) throws {
        try self.init(
            channels: [ImageChannel(image, normalization)], labels: labels, mask: mask,
            unlabelledZero: unlabelledZero, voxelSize: voxelSize)
    }

    public var shape: ZYX<Int> { labels.shape }

    /// Whether the annotation of every voxel counts.
    package var isAnnotatedThroughout: Bool { mask == nil && !unlabelledZero }

    /// The smallest box around all voxels whose annotation counts; of shape 0 where there are none.
    public var annotatedBox: Box {
        if isAnnotatedThroughout { return Box(shape) }
        var low = shape
        var high = ZYX<Int>.zero
        var next = 0
        for z in 0..<shape.z {
            for y in 0..<shape.y {
                for x in 0..<shape.x {
                    if isAnnotated(next) {
                        low = low.zip(ZYX(z, y, x), min)
                        high = high.zip(ZYX(z + 1, y + 1, x + 1), max)
                    }
                    next += 1
                }
            }
        }
        return low.x < high.x ? Box(from: low, to: high) : Box(.zero)
    }

    /// 1 where the annotation counts; nil for everywhere.
    package var counts: Volume<UInt8>? {
        if isAnnotatedThroughout { return nil }
        var counts = Volume<UInt8>(shape: shape)
        for index in counts.voxels.indices where isAnnotated(index) { counts.voxels[index] = 1 }
        return counts
    }

    /// Whether the annotation of the voxel at `index` counts.
    package func isAnnotated(_ index: Int) -> Bool {
        (mask?.voxels[index] ?? 1) != 0 && !(unlabelledZero && labels.voxels[index] == 0)
    }
}

/// Annotations that cannot be trained on: what was found and what to do.
public struct AnnotationError: Error, Equatable, CustomStringConvertible {
    public let description: String

    init(_ description: String) {
        self.description = description
    }
}
