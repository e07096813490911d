import Networks
import Tensors

extension TilePlan {
    /// The input voxels of the largest tile that a prediction in `memory` bytes can take.
    public static func maximumVoxels(memory: Int, network: Graph, precision: Precision) -> Int {
        max(0, Int(Double(memory) / bytesPerVoxel(network, precision: precision)))
    }

    /// Bytes that a tile takes at its peak for each of its input voxels, input and output included.
    ///
    /// The peak is the most that the folded network keeps at once. A quarter is added for the convolutions' own
    /// working memory.
    public static func bytesPerVoxel(_ network: Graph, precision: Precision) -> Double {
        // Normalizations that do not fold compute in f32.
        let size = network.hasStoredStatistics ? Double(precision.elementType.size) : 4
        // The image's channels and the logits, as volumes and as tensors, in f32; the result in 16 bits.
        let outputs = Double(network.nodes[network.outputs[0]].channels)
        let ends = 8 * (Double(network.nodes[0].channels) + outputs) + 2 * outputs
        return 1.25 * (network.folded().graph.liveNumbersPerVoxel * size + ends)
    }
}
