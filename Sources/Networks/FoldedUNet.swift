import Tensors

/// A U-Net for prediction alone, with the weights and statistics the network had when it was folded.
///
/// - Batch normalization by stored statistics is a linear map, so it goes into the convolution before it.
/// - ReLU is applied inside the convolution where libtorch can (oneDNN on the CPU), else after it, in place.
/// - With ``Precision/bf16`` everything but the last layer and its output is bf16.
///
/// Group and instance normalization depend on the input and are computed as in the network itself.
public final class FoldedUNet: Layer {
    private let configuration: UNetConfiguration
    private let body: UNetBody
    private let head: Convolution
    private let precision: Precision
    private let device: Device
    /// Whether the body's weights are in `precision` themselves, so that autocast has nothing to do.
    private let isConverted: Bool

    init(_ network: UNet, precision: Precision, fusing: Bool) throws {
        let configuration = network.configuration
        let device = network.head.weight.device
        let isConverted = configuration.normalization == .batch
        let type: Tensor.ElementType = precision == .bf16 ? .bfloat16 : .float32
        let fuses = fusing && device == .cpu && Tensor.hasFusedConvolution
        func folded(_ blocks: [ConvolutionBlock]) throws -> [any Layer] {
            try blocks.map { block -> any Layer in
                if let folded = try FoldedBlock(block, type: type, fuses: fuses) { return folded }
                return try block.copy()
            }
        }
        (body, head) = try withoutGradients {
            let body = UNetBody(
                encoder: try folded(network.encoder),
                upsampling: try network.upsampling.map { try $0.copy(isConverted ? type : .float32) },
                decoder: try folded(network.decoder), strides: configuration.strides)
            return (body, try network.head.copy(.float32))
        }
        self.configuration = configuration
        self.precision = precision
        self.device = device
        self.isConverted = isConverted
    }

    /// `[batch, in, z, y, x]` gives f32 logits `[batch, out, z, y, x]`; no gradient is recorded.
    public func callAsFunction(_ input: Tensor) throws -> Tensor {
        try configuration.requireFit(input)
        return try withoutGradients {
            let features = try withAutocast(isConverted ? .f32 : precision, on: device) {
                try body(isConverted && precision == .bf16 ? input.to(.bfloat16) : input)
            }
            return try head(features.to(.float32))
        }
    }

    /// None: a folded network does not train.
    public var parameters: [NamedTensor] { [] }
}

extension UNet {
    /// This network for prediction; later changes of its weights do not reach the folded one.
    ///
    /// - Parameter fusing: false takes convolution and ReLU as two steps even where libtorch can do them in one.
    public func folded(precision: Precision, fusing: Bool = true) throws -> FoldedUNet {
        try FoldedUNet(self, precision: precision, fusing: fusing)
    }
}

/// Convolutions with their batch normalization folded in, each followed by ReLU.
private final class FoldedBlock: Layer {
    private struct Unit {
        let weight: Tensor
        let bias: Tensor
        let kernel: [Int]
    }

    private let units: [Unit]
    private let fuses: Bool

    /// nil for a block whose normalization does not fold.
    init?(_ block: ConvolutionBlock, type: Tensor.ElementType, fuses: Bool) throws {
        self.fuses = fuses
        var units: [Unit] = []
        for unit in block.units {
            guard let normalization = unit.normalization as? BatchNormalization else { return nil }
            // w·(x ∗ k − mean) / √(variance + ε) + b
            let factor =
                try normalization.scale
                / (normalization.runningVariance + BatchNormalization.epsilon).squareRoot()
            let kernel = unit.convolution.kernel
            let weight = try unit.convolution.weight * factor.reshaped([-1, 1] + kernel.map { _ in 1 })
            let bias = try normalization.shift - normalization.runningMean * factor
            units.append(
                Unit(
                    weight: try weight.to(type).contiguous(.channelsLast), bias: try bias.to(type), kernel: kernel))
        }
        self.units = units
    }

    func callAsFunction(_ input: Tensor) throws -> Tensor {
        try units.reduce(input) { signal, unit in
            let stride = unit.kernel.map { _ in 1 }
            let padding = unit.kernel.map { $0 / 2 }
            if fuses {
                return try signal.convolvedFused(
                    unit.weight, bias: unit.bias, stride: stride, padding: padding, relu: true)
            }
            return try signal.convolved(unit.weight, bias: unit.bias, stride: stride, padding: padding)
                .reluInPlace()
        }
    }

    var parameters: [NamedTensor] { [] }
}
