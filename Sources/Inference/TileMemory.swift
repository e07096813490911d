import Networks
import Tensors

extension TilePlan {
    /// The input voxels of the largest tile that a prediction in `memory` bytes can take.
    public static func maximumVoxels(memory: Int, network: UNetConfiguration, precision: Precision) -> Int {
        max(0, Int(Double(memory) / bytesPerVoxel(network, precision: precision)))
    }

    /// Bytes that a tile takes at its peak for each of its input voxels, input and output included.
    ///
    /// The peak is the finest join of the decoder: the skip, the upsampled features, both joined, and what was
    /// upsampled. A quarter is added for the convolutions' own working memory, and for normalizations that do not
    /// fold one more copy in f32.
    public static func bytesPerVoxel(_ network: UNetConfiguration, precision: Precision) -> Double {
        let size = precision == .bf16 ? 2.0 : 4.0
        let fine = Double(network.features(at: 0))
        var features = 4 * fine * size
        if network.levels > 1 {
            let cells = Double(network.strides[0].reduce(1, *))
            features += Double(network.features(at: 1)) / cells * size
        }
        if network.normalization != .batch { features += 4 * fine }
        // The image and the logits, as volumes and as tensors, in f32; the result in 16 bits.
        let ends = 4.0 * 4 + 2
        return 1.25 * (features + ends)
    }
}
