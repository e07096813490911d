import Networks
import Tensors
import Volumes

extension Predictor {
    /// Predicts with a network as it is now, folded; one channel in and one out. Later changes of the network do
    /// not reach the predictor. All calls must come from the one thread that does the device's tensor work.
    ///
    /// - Throws: `TensorError` where memory is missing.
    public init(network: UNet, precision: Precision, device: Device) throws {
        let folded = try network.folded(precision: precision)
        self.init(stride: ZYX(network.totalStride), halo: ZYX(network.halo)) { input in
            let shape = input.shape
            let tensor = try Tensor(input.voxels, shape: [1, 1, shape.z, shape.y, shape.x], device: device)
            return Volume(shape: shape, voxels: try folded(tensor).floats())
        }
    }
}

extension ZYX where Scalar == Int {
    /// From a list in the order z, y, x.
    init(_ list: [Int]) {
        precondition(list.count == 3)
        self.init(list[0], list[1], list[2])
    }
}
