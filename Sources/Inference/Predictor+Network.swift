import Networks
import Tensors
import Volumes

extension Predictor {
    /// Predicts with a network as it is now, folded. Later changes of the network do not reach the predictor. All
    /// calls must come from the one thread that does the device's tensor work.
    ///
    /// - Parameters:
    ///   - channels: of the network's output, which to predict, in this order; nil for all.
    ///   - patch: that of training; see `TileGeometry`.
    ///   - averaging: over several looks at a voxel, which must suit the network; nil for one.
    /// - Throws: `TensorError` where memory is missing; `MisfittingExtents` where no input suits the network.
    public init(
        network: Network, channels: [Int]? = nil, patch: ZYX<Int>, averaging: PredictionAveraging? = nil,
        precision: Precision, device: Device
    ) throws {
        let folded = try network.folded(precision: precision)
        let graph = network.graph
        let channels = channels ?? Array(0..<graph.nodes[graph.outputs[0]].channels)
        let isFlat = graph.dimensions == 2
        let forward = { (input: [Volume<Float>], kept: Box) -> [Volume<Float>] in
            let shape = input[0].shape
            let voxels = isFlat ? sectionBySection(input) : input.flatMap(\.voxels)
            let extents =
                isFlat
                ? [shape.z, input.count, shape.y, shape.x] : [1, input.count, shape.z, shape.y, shape.x]
            let box = zip(kept.origin.array, kept.end.array).map { $0..<$1 }
            let logits = try folded(
                Tensor(voxels, shape: extents, device: device), keeping: isFlat ? Array(box.dropFirst()) : box)
            return try channels.map { channel in
                let found = try logits.narrowed(axis: 1, to: channel..<channel + 1)
                return Volume(
                    shape: kept.shape, voxels: try (isFlat ? found.narrowed(axis: 0, to: box[0]) : found).floats())
            }
        }
        let symmetries = averaging.map { Symmetries($0, dimensions: graph.dimensions) }
        let geometry = try TileGeometry(graph, patch: patch, averaging: averaging)
        self.init(geometry, channels: channels.count) { input, kept in
            try symmetries?.mean(of: forward, on: input, keeping: kept, margin: geometry.margin)
                ?? forward(input, kept)
        }
    }
}
