import Volumes

/// What a volume's segmentation is worth without a network: the image smoothed, one global threshold, and
/// the connected components of what is brighter, or darker.
///
/// Smoothing, threshold and polarity are the best for the truth itself, so the baseline is flattered.
public struct ThresholdBaseline: Sendable {
    public let connectivity: Connectivity
    public let minimumVoxels: Int
    public let threads: Int

    public init(connectivity: Connectivity, minimumVoxels: Int, threads: Int) {
        self.connectivity = connectivity
        self.minimumVoxels = minimumVoxels
        self.threads = threads
    }

    /// In voxels.
    private static let sigmas = [1.0, 2.0]
    /// Of the voxels, darker than the threshold.
    private static let quantiles = stride(from: 0.05, through: 0.95, by: 0.05)
    /// Larger volumes are scored on a block of this shape in their middle.
    private static let largest = ZYX(64, 256, 256)

    /// The block of a volume that is scored.
    public static func block(of shape: ZYX<Int>) -> Box { Box(shape).middle(largest) }

    /// The scores with the lowest adapted Rand error; nil where there is no truth.
    ///
    /// - Parameters:
    ///   - image: the block that is scored.
    ///   - truth: of the same shape.
    /// - Throws: `LabelingFault` where the shapes differ.
    public func best(of image: Volume<Float>, truth: Volume<UInt32>) throws -> SegmentationScores? {
        guard truth.voxels.contains(where: { $0 != 0 }) else { return nil }
        var best: SegmentationScores?
        for sigma in ThresholdBaseline.sigmas {
            let smooth = gaussianSmoothed(image, sigma: ZYX(repeating: sigma), threads: threads)
            let sorted = smooth.voxels.sorted()
            for quantile in ThresholdBaseline.quantiles {
                let threshold = sorted[Int(quantile * Double(sorted.count - 1))]
                for brighter in [true, false] {
                    let mask = smooth.map { ($0 > threshold) == brighter ? 1 : 0 as UInt8 }
                    let components = try connectedComponents(
                        of: mask, connectivity: connectivity, minimumVoxels: minimumVoxels, threads: threads)
                    let scores = try SegmentationScores.evaluate(
                        labels: components.labels, truth: truth, threads: threads)
                    if scores.adaptedRandError < best?.adaptedRandError ?? .infinity { best = scores }
                }
            }
        }
        return best
    }
}

extension Box {
    /// The box of at most `shape` voxels in this one's middle.
    fileprivate func middle(_ shape: ZYX<Int>) -> Box {
        let shape = self.shape.zip(shape, min)
        return Box(origin: origin + (self.shape - shape).map { $0 / 2 }, shape: shape)
    }
}
