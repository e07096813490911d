import Foundation
import Networks
import Tensors

/// How the variance of activations changes on its way forward through a network, and that of gradients on its way
/// back, at initialization (He et al. 2015; De & Smith 2020).
///
/// A network trains where neither vanishes nor explodes from one end to the other. He initialization keeps the
/// variance of plain layers; each residual sum doubles it, which scaling by 1/√2 undoes; and with batch norm first in
/// each branch every block adds 1, so that after k blocks the variance is 1 + k, and the next block's share of it is
/// 1 / (k + 1): deeper blocks are nearer and nearer to the identity.
public struct SignalPropagation: Codable, Equatable, Sendable {
    /// A layer's result.
    public struct Layer: Codable, Equatable, Sendable {
        public var name: String
        /// The variance of its elements.
        public var activation: Double
        /// The variance of the gradient of the output, weighted at random, with respect to its elements.
        public var gradient: Double

        public init(name: String, activation: Double, gradient: Double) {
            self.name = name
            self.activation = activation
            self.gradient = gradient
        }
    }

    public struct Series: Codable, Equatable, Sendable {
        public var name: String
        /// In the order they run.
        public var layers: [Layer]

        public init(name: String, layers: [Layer]) {
            self.name = name
            self.layers = layers
        }
    }

    /// The network in question; nil where there is none.
    public var network: Series?
    /// Chains of ``ReferenceChain``.
    public var references: [Series]

    public init(network: Series?, references: [Series]) {
        self.network = network
        self.references = references
    }

    /// Measures a network as it is, on one input `[batch, channel, …]`: of each convolution, linear layer and residual
    /// sum what it gives, and what comes back to it.
    ///
    /// - Throws: `TensorError`.
    public static func measure(_ network: Network, name: String, input: Tensor, seed: UInt64) throws -> Series {
        var seen: [(name: String, result: Tensor)] = []
        let probe = Probe(output: { _, node, result in
            guard node.operation.isOfInterest else { return nil }
            try result.retainGradient()
            seen.append((node.name.isEmpty ? node.operation.description : node.name, result))
            return nil
        })
        let output = try network.outputs(input, probe: probe)[0]
        let random = CounterRandom(seed: seed, stream: "output gradient")
        try output.backward(from: .gaussian(output.shape, random, type: network.elementType))
        let layers = try seen.map { name, result in
            Layer(
                name: name, activation: try variance(result),
                gradient: try result.gradient().map { try variance($0) } ?? 0)
        }
        for parameter in network.parameters { try parameter.tensor.clearGradient() }
        return Series(name: name, layers: layers)
    }

    private static func variance(_ tensor: Tensor) throws -> Double {
        try withoutGradients {
            let values = try tensor.detached().to(.float64)
            let mean = try values.mean()
            return try (values * values).mean().values(of: Double.self)[0] - pow(mean.values(of: Double.self)[0], 2)
        }
    }
}

extension Graph.Operation {
    fileprivate var isOfInterest: Bool {
        switch self {
        case .convolution, .transposedConvolution, .linear, .residual: true
        default: false
        }
    }
}

/// A chain of equal blocks, whose signal theory predicts.
public enum ReferenceChain: String, Codable, Sendable, CaseIterable {
    /// conv(ReLU(x)), He initialization.
    case plain
    /// x + conv(ReLU(x)): doubles with every block.
    case residual
    /// (x + conv(ReLU(x))) / √2.
    case scaledResidual = "residual, 1/√2"
    /// x + conv(ReLU(batch norm(x))): 1 + k after k blocks.
    case normalizedResidual = "residual, batch norm first"
    /// x + ReLU(conv(x)): grows faster than by 2. A branch never subtracts, so all branches push the mean of every
    /// channel the same way, and what they add is correlated with what is there: (x + r)² gains 2·x·r beside r².
    case linearFirstResidual = "residual, linear → ReLU"

    /// A 2D network of `blocks` blocks of `width` channels. Borders are circular, so that every voxel has as many
    /// neighbours as any other. Each block ends in a sum named `block k`, or in a convolution so named.
    ///
    /// - Parameter kernel: of the convolutions; 1 makes them matrices, with the same variances.
    public func graph(blocks: Int, width: Int = 256, kernel: Int = 1) throws -> Graph {
        var style = LayerStyle()
        style.border = .circular
        style.normalization = self == .normalizedResidual ? .batch : .none
        style.residualScale = self == .scaledResidual ? 0.5.squareRoot() : 1
        return try Graph(dimensions: 2, inputChannels: width, style: style) { input in
            [
                (1...blocks).reduce(input) { signal, block in
                    self.block(signal, Extents([kernel]), "block \(block)")
                }
            ]
        }
    }

    private func block(_ x: Signal, _ kernel: Extents, _ name: String) -> Signal {
        switch self {
        case .plain: x.activated().convolution(x.channels, kernel: kernel, bias: false, name)
        case .residual, .scaledResidual, .normalizedResidual:
            x.joined(
                byResidual: x.normalized("\(name).norm").activated()
                    .convolution(x.channels, kernel: kernel, bias: false, "\(name).convolution"), name)
        case .linearFirstResidual:
            x.joined(
                byResidual: x.convolution(x.channels, kernel: kernel, bias: false, "\(name).convolution")
                    .activated(), name)
        }
    }

    /// Variances after each block for a Gaussian input of variance 1: geometric means over
    /// seeds.
    ///
    /// - Throws: `TensorError`.
    public func measure(blocks: Int = 20, width: Int = 256, kernel: Int = 1, seeds: Range<UInt64>) throws
        -> SignalPropagation.Series
    {
        let graph = try graph(blocks: blocks, width: width, kernel: kernel)
        var sums = [(activation: Double, gradient: Double)](repeating: (0, 0), count: blocks)
        for seed in seeds {
            let network = try Network(graph, seed: seed)
            let random = CounterRandom(seed: seed, stream: "input")
            let series = try SignalPropagation.measure(
                network, name: rawValue, input: .gaussian([4, width, 8, 8], random), seed: seed)
            let ends = series.layers.filter { !$0.name.hasSuffix(".convolution") }
            for (block, layer) in ends.enumerated() {
                sums[block].activation += log(layer.activation)
                sums[block].gradient += log(layer.gradient)
            }
        }
        let count = Double(seeds.count)
        return SignalPropagation.Series(
            name: rawValue,
            layers: sums.enumerated().map { block, sum in
                SignalPropagation.Layer(
                    name: "block \(block + 1)", activation: exp(sum.activation / count),
                    gradient: exp(sum.gradient / count))
            })
    }
}
