import Tensors

/// Convolution with stride and padding; 2D or 3D by the kernel's length.
///
/// `[batch, in, z, y, x]` gives `[batch, out, z', y', x']`, n' = (n + 2·padding − kernel) / stride + 1.
final class ConvolutionLayer: Layer {
    /// `[out, in, kz, ky, kx]`
    let weight: Tensor
    /// `[out]`
    let bias: Tensor?
    private let operation: Graph.Operation.Convolution
    /// Whether bias and activation happen inside the convolution.
    private let isFused: Bool

    init(weight: Tensor, bias: Tensor?, _ operation: Graph.Operation.Convolution, isFused: Bool = false) {
        self.weight = weight
        self.bias = bias
        self.operation = operation
        self.isFused = isFused
    }

    func frozen(_ type: Tensor.ElementType) throws -> any Layer {
        ConvolutionLayer(weight: try weight.frozen(type), bias: try bias?.frozen(type), operation)
    }

    func callAsFunction(_ input: Tensor) throws -> Tensor {
        var (input, padding) = (input, operation.padding)
        if operation.paddingMode == .circular {
            input = try input.wrapped(padding.map { ($0, $0) })
            padding = padding.map { _ in 0 }
        }
        if isFused {
            return try input.convolvedFused(
                weight, bias: bias, stride: operation.stride, padding: padding, relu: operation.activation == .relu)
        }
        let output =
            try isThin(input, padding)
            ? withAutocast(.f32, on: input.device) { try convolved(input.to(weight.elementType!), padding) }
            : convolved(input, padding)
        return try operation.activation?.applied(inPlaceTo: output) ?? output
    }

    private func convolved(_ input: Tensor, _ padding: [Int]) throws -> Tensor {
        try input.convolved(weight, bias: bias, stride: operation.stride, padding: padding)
    }

    /// Whether the kernel is deeper than the output, in training. There oneDNN's bf16 leaves parts of the weight's
    /// gradient unwritten (libtorch 2.13 on processors with `avx512_bf16`: whatever memory held, often NaN), so such
    /// layers, which are small, are computed in f32.
    private func isThin(_ input: Tensor, _ padding: [Int]) -> Bool {
        guard operation.kernel.count == 3, weight.requiresGradient else { return false }
        let depth = (input.shape[2] + 2 * padding[0] - operation.kernel[0]) / operation.stride[0] + 1
        return depth < operation.kernel[0]
    }

    var parameters: [NamedTensor] {
        [NamedTensor("weight", weight)] + (bias.map { [NamedTensor("bias", $0)] } ?? [])
    }
}

/// Transposed convolution whose kernel is its stride: `[batch, in, z, y, x]` gives
/// `[batch, out, z·sz, y·sy, x·sx]`.
final class TransposedConvolutionLayer: Layer {
    /// `[in, out, sz, sy, sx]`
    let weight: Tensor
    let bias: Tensor?
    private let stride: [Int]

    init(weight: Tensor, bias: Tensor?, stride: [Int]) {
        self.weight = weight
        self.bias = bias
        self.stride = stride
    }

    func frozen(_ type: Tensor.ElementType) throws -> any Layer {
        TransposedConvolutionLayer(weight: try weight.frozen(type), bias: try bias?.frozen(type), stride: stride)
    }

    func callAsFunction(_ input: Tensor) throws -> Tensor {
        try input.convolvedTransposed(weight, bias: bias, stride: stride)
    }

    var parameters: [NamedTensor] {
        [NamedTensor("weight", weight)] + (bias.map { [NamedTensor("bias", $0)] } ?? [])
    }
}

/// `[batch, in]` gives `[batch, out]`.
final class LinearLayer: Layer {
    /// `[out, in]`
    let weight: Tensor
    let bias: Tensor

    init(weight: Tensor, bias: Tensor) {
        self.weight = weight
        self.bias = bias
    }

    func frozen(_ type: Tensor.ElementType) throws -> any Layer {
        LinearLayer(weight: try weight.frozen(type), bias: try bias.frozen(type))
    }

    func callAsFunction(_ input: Tensor) throws -> Tensor { try input.transformed(weight, bias: bias) }

    var parameters: [NamedTensor] { [NamedTensor("weight", weight), NamedTensor("bias", bias)] }
}

extension Activation {
    func callAsFunction(_ input: Tensor) throws -> Tensor {
        switch self {
        case .relu: try input.relu()
        case .leakyReLU: try input.leakyReLU(slope: Self.leak)
        }
    }

    func applied(inPlaceTo tensor: Tensor) throws -> Tensor {
        switch self {
        case .relu: try tensor.reluInPlace()
        case .leakyReLU: try tensor.leakyReLUInPlace(slope: Self.leak)
        }
    }
}
