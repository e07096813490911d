import Tensors

/// The plain block of a U-Net: convolution, normalization, ReLU, a number of times.
public final class ConvolutionBlock: Layer {
    struct Unit {
        let convolution: Convolution
        let normalization: any NormalizationLayer
    }

    let units: [Unit]

    init(
        _ input: Int, _ output: Int, kernel: [Int], count: Int, normalization: Normalization, seed: UInt64,
        name: String, device: Device
    ) throws {
        units = try (0..<count).map { index in
            Unit(
                convolution: try Convolution(
                    index == 0 ? input : output, output, kernel: kernel, hasBias: false, seed: seed,
                    name: "\(name).\(index).convolution", device: device),
                normalization: try normalization.layer(output, device: device))
        }
    }

    private init(_ units: [Unit]) { self.units = units }

    /// This block with parameters of its own that do not train.
    func copy() throws -> ConvolutionBlock {
        ConvolutionBlock(
            try units.map {
                Unit(convolution: try $0.convolution.copy(.float32), normalization: try $0.normalization.copy())
            })
    }

    public func callAsFunction(_ input: Tensor) throws -> Tensor {
        try units.reduce(input) { signal, unit in
            // In place: no normalization needs its own output for its gradient.
            try unit.normalization(unit.convolution(signal)).reluInPlace()
        }
    }

    public var parameters: [NamedTensor] { named { $0.parameters } }
    public var buffers: [NamedTensor] { named { $0.buffers } }

    private func named(_ tensors: (any Layer) -> [NamedTensor]) -> [NamedTensor] {
        units.enumerated().flatMap { index, unit in
            tensors(unit.convolution).under("\(index).convolution")
                + tensors(unit.normalization).under("\(index).normalization")
        }
    }
}
