import Inference
import Synthesis
import Training
import Volumes

/// Made-up neurites with their labels, for what needs data where a network comes without a pipeline.
package struct SyntheticVolume: CustomStringConvertible {
    package let shape = ZYX(24, 96, 96)

    package init() {}

    package var description: String {
        "patches of a synthetic annotated volume (neurites, \(shape) voxels), for want of real data"
    }

    /// - Throws: never, for image and labels have one shape.
    package func annotated() throws -> AnnotatedVolume {
        let size = VoxelSize(ZYX(10, 10, 10), .nanometer)
        let (image, labels) = NeuriteSynthesis(shape: shape, voxelSize: size, seed: 1).generate()
        let voxels = VoxelBuffer(image)
        var statistics = VolumeStatistics()
        _ = statistics.add(voxels)
        let summary = statistics.summary
        return try AnnotatedVolume(
            image: voxels,
            normalization: IntensityNormalization(mean: summary.mean, deviation: summary.standardDeviation),
            labels: labels, voxelSize: size)
    }
}
