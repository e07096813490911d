import Networks
import Tensors

extension TilePlan {
    /// The input voxels of the largest tile that a prediction in `memory` bytes can take.
    public static func maximumVoxels(
        memory: Int, network: Graph, precision: Precision, members: Int, channels: Int
    ) -> Int {
        max(
            0,
            Int(Double(memory) / bytesPerVoxel(network, precision: precision, members: members, channels: channels))
        )
    }

    /// Bytes that a tile takes at its peak for each of its input voxels, input and output included.
    ///
    /// The peak is the most that the folded network keeps at once. A quarter is added for the convolutions' own
    /// working memory.
    ///
    /// - Parameters:
    ///   - members: networks that predict a tile one after another.
    ///   - channels: of a network's outputs, that are kept.
    public static func bytesPerVoxel(
        _ network: Graph, precision: Precision, members: Int, channels: Int
    ) -> Double {
        // Normalizations that do not fold compute in f32.
        let size = network.hasStoredStatistics ? Double(precision.elementType.size) : 4
        // The image's channels, also of the tile that is read ahead, and the logits, as volumes and as tensors, in f32; the
        // members' results in 16 bits, of the tile and of the one that is written.
        let (inputs, outputs) = (
            Double(network.nodes[0].channels), Double(network.nodes[network.outputs[0]].channels)
        )
        let ends = 12 * inputs + 8 * outputs + 4 * Double(channels * members)
        return 1.25 * (network.folded().graph.liveNumbersPerVoxel * size + ends)
    }
}
