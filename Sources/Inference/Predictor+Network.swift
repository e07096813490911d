import Networks
import Tensors
import Volumes

extension Predictor {
    /// Predicts with a network as it is now, folded; one channel out. Later changes of the network do
    /// not reach the predictor. All calls must come from the one thread that does the device's tensor work.
    ///
    /// - Parameter patch: that of training; see `TileGeometry`.
    /// - Throws: `TensorError` where memory is missing; `MisfittingExtents` where no input suits the network.
    public init(network: Network, patch: ZYX<Int>, precision: Precision, device: Device) throws {
        let folded = try network.folded(precision: precision)
        let isFlat = network.graph.dimensions == 2
        self.init(try TileGeometry(network.graph, patch: patch)) { input in
            let shape = input[0].shape
            let extents =
                isFlat
                ? [shape.z, input.count, shape.y, shape.x] : [1, input.count, shape.z, shape.y, shape.x]
            let voxels = isFlat ? sectionBySection(input) : input.flatMap(\.voxels)
            let logits = try folded(Tensor(voxels, shape: extents, device: device))
            let found = logits.shape.suffix(2)
            let depth = isFlat ? shape.z : logits.shape[2]
            return Volume(
                shape: ZYX(depth, found[found.startIndex], found[found.startIndex + 1]), voxels: try logits.floats()
            )
        }
    }
}
