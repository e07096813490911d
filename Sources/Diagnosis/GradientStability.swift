import Networks
import Tensors

/// How much of a layer's gradient is left after one step along it: the cosine of the gradients before and after, on
/// the same batch. Near 1 a step does what the gradient promised; near 0 training is a random walk (Santurkar et al.
/// 2018).
public struct GradientStability: Codable, Equatable, Sendable {
    public struct Series: Codable, Equatable, Sendable {
        public var name: String
        /// By layer, from the input on; the mean over seeds.
        public var cosines: [Double]
    }

    /// The length of the step, as a share of the length of all parameters together.
    public var relativeStep: Double
    public var seeds: Int
    public var series: [Series]

    static let chains: [ReferenceChain] = [.plain, .scaledResidual, .normalizedResidual]

    /// Chains of `layers` blocks of 64 channels learn to reproduce random targets for a batch of random images.
    ///
    /// - Throws: `TensorError`; ``DiagnosisStopped``.
    public static func measure(
        layers: Int = 24, seeds: Range<UInt64> = 0..<4, relativeStep: Double = 0.02,
        shouldStop: () -> Bool = { false }
    ) throws -> GradientStability {
        let series = try chains.map { chain in
            let graph = try chain.graph(blocks: layers, width: 64)
            var sum = [Double](repeating: 0, count: layers)
            for seed in seeds {
                if shouldStop() { throw DiagnosisStopped() }
                let cosines = try cosines(Network(graph, seed: seed), seed: seed, relativeStep: relativeStep)
                for (layer, cosine) in cosines.enumerated() { sum[layer] += cosine / Double(seeds.count) }
            }
            return Series(name: chain.rawValue, cosines: sum)
        }
        return GradientStability(relativeStep: relativeStep, seeds: seeds.count, series: series)
    }

    /// By convolution.
    private static func cosines(_ network: Network, seed: UInt64, relativeStep: Double) throws -> [Double] {
        let weights = network.parameters.map(\.tensor).filter { $0.shape.count == 4 }
        let input = try Tensor.gaussian([4, 64, 8, 8], CounterRandom(seed: seed, stream: "input"))
        let target = try Tensor.gaussian([4, 64, 8, 8], CounterRandom(seed: seed, stream: "target"))
        func gradients() throws -> [Tensor] {
            for weight in weights { try weight.clearGradient() }
            let error = try network(input) - target
            try (error * error).mean().backward()
            return try weights.map { try $0.gradient()?.copy() ?? $0.zerosLike() }
        }
        let before = try gradients()
        try withoutGradients {
            let length = try norm(weights)
            let slope = try norm(before)
            for (weight, gradient) in zip(weights, before) {
                try weight.add(gradient, scale: -relativeStep * length / slope)
            }
        }
        let after = try gradients()
        return try withoutGradients {
            try zip(before, after).map { a, b in
                Double(try (a * b).sum().item()) / (try norm([a]) * norm([b]))
            }
        }
    }

    private static func norm(_ tensors: [Tensor]) throws -> Double {
        try tensors.reduce(0) { try $0 + Double(($1 * $1).sum().item()) }.squareRoot()
    }
}
