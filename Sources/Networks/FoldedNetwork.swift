import Tensors

/// A network for prediction alone, with the weights and statistics the network had when it was folded.
///
/// - Batch normalization by stored statistics is a linear map, so it goes into the convolution before it where that
///   has no other reader.
/// - ReLU is applied inside the convolution where libtorch can (oneDNN on the CPU), else after it, in place.
/// - Everything but the last layer and its output is in the precision asked for.
///
/// Layer, group and instance normalization depend on the input and are computed as in the network itself.
public final class FoldedNetwork {
    private let network: Network
    private let precision: Precision
    /// Whether weights are in `precision` themselves, so that autocast has nothing to do.
    private let isConverted: Bool

    fileprivate init(_ source: Network, precision: Precision, fusing: Bool) throws {
        self.precision = precision
        isConverted = source.graph.hasStoredStatistics
        let type = isConverted ? precision.elementType : .float32
        // oneDNN's own has f16 on few processors.
        let fuses =
            fusing && isConverted && precision != .f16 && source.device == .cpu && Tensor.hasFusedConvolution
        network = try withoutGradients { try source.folded(to: type, fuses: fuses) }
        network.mode = .evaluation
    }

    /// `[batch, in, z, y, x]` gives f32 logits `[batch, out, z, y, x]`; no gradient is recorded.
    public func callAsFunction(_ input: Tensor) throws -> Tensor {
        try predicting(input) { try network($0) }
    }

    /// A part of those logits, without computing what does not bear on it.
    ///
    /// - Parameter kept: of the output, along each spatial axis.
    public func callAsFunction(_ input: Tensor, keeping kept: [Range<Int>]) throws -> Tensor {
        try predicting(input) { try network($0, keeping: kept) }
    }

    private func predicting(_ input: Tensor, _ forward: (Tensor) throws -> Tensor) throws -> Tensor {
        try withoutGradients {
            try withAutocast(isConverted ? .f32 : precision, on: network.device) {
                try forward(isConverted && precision != .f32 ? input.to(precision.elementType) : input)
            }
        }
    }
}

extension Network {
    /// This network for prediction; later changes of its weights do not reach the folded one.
    ///
    /// - Parameter fusing: false takes convolution and ReLU as two steps even where libtorch can do them in one.
    public func folded(precision: Precision, fusing: Bool = true) throws -> FoldedNetwork {
        try FoldedNetwork(self, precision: precision, fusing: fusing)
    }
}

extension Network {
    /// The network of the folded graph, weights in `type`, those of the last layer in f32.
    fileprivate func folded(to type: Tensor.ElementType, fuses: Bool) throws -> Network {
        let folded = graph.folded()
        let layers = try zip(folded.graph.nodes, folded.origins).enumerated().map { index, part in
            let (node, origin) = part
            let type = index == folded.graph.outputs[0] ? .float32 : type
            guard case .convolution(let operation) = node.operation else {
                return try self.layers[origin.node]?.frozen(type)
            }
            return try convolution(origin, operation, type, fuses: fuses) as any Layer
        }
        return Network(
            configuration: configuration, graph: folded.graph, layers: layers, device: device, elementType: type)
    }

    private func convolution(
        _ origin: Graph.Folded.Origin, _ operation: Graph.Operation.Convolution, _ type: Tensor.ElementType,
        fuses: Bool
    ) throws -> ConvolutionLayer {
        guard let layer = layers[origin.node] as? ConvolutionLayer else {
            preconditionFailure("a convolution without its layer")
        }
        var (weight, bias) = (layer.weight, layer.bias)
        if let index = origin.normalization, let normalization = layers[index] as? BatchNormalization {
            // (w ∗ x + b − mean) / √(variance + ε) · γ + δ
            let factor =
                try normalization.scale / (normalization.runningVariance + BatchNormalization.epsilon).squareRoot()
            weight = try weight * factor.reshaped([-1, 1] + operation.kernel.map { _ in 1 })
            let mean = try bias.map { try normalization.runningMean - $0 } ?? normalization.runningMean
            bias = try normalization.shift - mean * factor
        }
        return ConvolutionLayer(
            weight: try weight.frozen(type).contiguous(.channelsLast), bias: try bias?.frozen(type), operation,
            isFused: fuses && operation.activation == .relu && operation.paddingMode == .zeros)
    }
}
