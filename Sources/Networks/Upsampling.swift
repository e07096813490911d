import Tensors

/// How a U-Net's decoder returns to the next finer level.
public enum Upsampling: String, Codable, Sendable, CaseIterable {
    /// A learnt kernel as large as its stride, so that windows do not overlap (Çiçek et al. 2016).
    case transposedConvolution
    /// Nearest neighbour, then a convolution (Odena et al. 2016).
    case interpolation

    func layer(
        _ input: Int, _ output: Int, stride: [Int], kernel: [Int], seed: UInt64, name: String, device: Device
    ) throws -> any UpsamplingLayer {
        switch self {
        case .transposedConvolution:
            try TransposedConvolution(input, output, stride: stride, seed: seed, name: name, device: device)
        case .interpolation:
            try InterpolatedConvolution(
                input, output, stride: stride, kernel: kernel, seed: seed, name: name, device: device)
        }
    }
}

/// A layer of a decoder that leads to the next finer level.
protocol UpsamplingLayer: Layer {
    /// This layer with weights of its own, converted to `type`, that do not train.
    func copy(_ type: Tensor.ElementType) throws -> any UpsamplingLayer
}

/// Transposed convolution whose kernel is its stride: `[batch, in, z, y, x]` gives
/// `[batch, out, z·sz, y·sy, x·sx]`.
public final class TransposedConvolution: UpsamplingLayer {
    /// `[in, out, sz, sy, sx]`
    public let weight: Tensor
    public let bias: Tensor
    let stride: [Int]

    public init(
        _ input: Int, _ output: Int, stride: [Int], seed: UInt64, name: String, device: Device = .cpu
    ) throws {
        self.stride = stride
        // Each output voxel sees one input voxel.
        weight = try HeInitialization.fanIn.weight(
            shape: [input, output] + stride, fanIn: input, fanOut: output * stride.reduce(1, *), seed: seed,
            name: "\(name).weight", device: device)
        bias = try trainable(.zeros([output], device: device))
    }

    private init(weight: Tensor, bias: Tensor, stride: [Int]) {
        self.weight = weight
        self.bias = bias
        self.stride = stride
    }

    func copy(_ type: Tensor.ElementType) throws -> any UpsamplingLayer {
        TransposedConvolution(weight: try weight.frozen(type), bias: try bias.frozen(type), stride: stride)
    }

    public func callAsFunction(_ input: Tensor) throws -> Tensor {
        try input.convolvedTransposed(weight, bias: bias, stride: stride)
    }

    public var parameters: [NamedTensor] { [NamedTensor("weight", weight), NamedTensor("bias", bias)] }
}

/// Nearest-neighbour upsampling by `stride`, then a convolution.
public final class InterpolatedConvolution: UpsamplingLayer {
    let convolution: Convolution
    let stride: [Int]

    public init(
        _ input: Int, _ output: Int, stride: [Int], kernel: [Int], seed: UInt64, name: String, device: Device = .cpu
    ) throws {
        self.stride = stride
        convolution = try Convolution(
            input, output, kernel: kernel, hasBias: true, seed: seed, name: name, device: device)
    }

    private init(_ convolution: Convolution, stride: [Int]) {
        self.convolution = convolution
        self.stride = stride
    }

    func copy(_ type: Tensor.ElementType) throws -> any UpsamplingLayer {
        InterpolatedConvolution(try convolution.copy(type), stride: stride)
    }

    public func callAsFunction(_ input: Tensor) throws -> Tensor {
        let size = zip(input.shape.dropFirst(2), stride).map { $0 * $1 }
        return try convolution(input.resampled(to: size, .nearest))
    }

    public var parameters: [NamedTensor] { convolution.parameters }
}
