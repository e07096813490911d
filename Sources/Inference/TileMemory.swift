import Networks
import Tensors
import Volumes

/// What a tile takes of memory at its peak, input and output included.
public struct TileMemory: Sendable {
    /// Bytes, whatever the tile.
    private let fixed: Double
    /// Bytes for each of its input voxels.
    private let perVoxel: Double

    /// The most that the folded network keeps at once, and a quarter more for the convolutions' own working memory.
    ///
    /// - Parameters:
    ///   - members: networks that predict a tile one after another.
    ///   - channels: of a network's outputs, that are kept.
    public init(
        _ network: Graph, _ geometry: TileGeometry, precision: Precision, members: Int, channels: Int
    ) {
        // Normalizations that do not fold compute in f32.
        let size = network.hasStoredStatistics ? Double(precision.elementType.size) : 4
        let (inputs, outputs) = (
            Double(network.nodes[0].channels), Double(network.nodes[network.outputs[0]].channels)
        )
        // The image's channels, also of the tile that is read ahead, and the logits, as volumes and as tensors, in f32; the
        // members' results in 16 bits, of the tile and of the one that is written.
        let ends = 12 * inputs + 8 * outputs + 4 * Double(channels * members)
        let inside = network.folded().graph.liveNumbersPerVoxel * size
        if let windows = geometry.windows {
            fixed = 1.25 * inside * Double(windows.shape.count)
            // With what the sums are divided by.
            perVoxel = 1.25 * (ends + 4)
        } else {
            fixed = 0
            perVoxel = 1.25 * (inside + ends)
        }
    }

    /// Bytes of a tile of so many input voxels.
    public func bytes(of voxels: Int) -> Int { Int(fixed + perVoxel * Double(voxels)) }

    /// The input voxels of the largest tile that a prediction in so many bytes can take.
    public func maximumVoxels(in bytes: Int) -> Int { max(0, Int((Double(bytes) - fixed) / perVoxel)) }
}
