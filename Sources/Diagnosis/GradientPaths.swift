import Foundation
import Networks
import Tensors

/// A residual network as the sum of its paths: each block is passed either by its branch or by its shortcut, so that n
/// blocks make 2ⁿ paths, and the gradient is the sum of what comes back along each (Veit et al. 2016).
///
/// Most paths are about n/2 branches long, but a path's gradient shrinks or grows with every branch, so the gradient
/// comes from paths of few lengths.
///
/// Where a network forks otherwise, by the skips of a U-Net or by several outputs, a path goes one of those ways too:
/// past a skip it meets none of the blocks below. So the gradient is the sum over all paths of any network.
public struct GradientPaths: Codable, Equatable, Sendable {
    /// All paths through equally many branches.
    public struct Length: Codable, Equatable, Sendable {
        public var length: Int
        /// How many there are: n over length in a chain of blocks.
        public var paths: Double
        /// Paths that were followed: all of them, or drawn at random.
        public var followed: Int
        /// The mean norm of a path's gradient.
        public var meanNorm: Double
        /// The norm of the sum of all; nil where not all paths of the network were followed.
        public var sumNorm: Double?

        /// What this length carries: mean norm times number of paths.
        public var weight: Double { meanNorm * paths }
    }

    /// Where the gradient is taken.
    public enum Place: String, Codable, Sendable {
        /// Before the first block: a chain of n blocks has 2ⁿ paths.
        case input
        /// After it: 2ⁿ⁻¹ paths.
        case firstBlock = "first block"
    }

    public var network: String
    public var blocks: Int
    public var place: Place
    /// The norm of the whole gradient.
    public var norm: Double
    /// The norm of (sum over paths − whole gradient), relative to the whole; nil where not all paths were followed.
    public var sumError: Double?
    public var lengths: [Length]

    /// All paths of a chain are followed up to this many blocks.
    public static let enumeratedBlocks = 8

    /// Follows paths of a network from its loss back to its first residual block: all of them where there are no more
    /// than a chain of ``enumeratedBlocks`` has.
    ///
    /// - Parameters:
    ///   - place: where the paths end.
    ///   - passes: about how many paths are followed where there are too many, as many of each length and at least 8.
    ///   - loss: a scalar from the network's outputs.
    /// - Returns: nil for a network without residual blocks.
    /// - Throws: `TensorError`; ``DiagnosisStopped``.
    public static func measure(
        _ network: Network, name: String, input: Tensor, at place: Place = .firstBlock, passes: Int = 128,
        seed: UInt64 = 1, shouldStop: () -> Bool = { false }, loss: ([Tensor]) throws -> Tensor
    ) throws -> GradientPaths? {
        let graph = network.graph
        guard let first = graph.nodes.firstIndex(where: \.operation.isResidual) else { return nil }
        return try network.withoutParameterGradients {
            let stations = Stations(graph, place: place == .input ? 0 : first)
            let whole = try network.gradient(at: stations.place, input: input, loss: loss)
            let tracer = try PathTracer(network, stations, input: input, loss: loss)
            let isEnumerated = stations.pathCounts.reduce(0, +) <= Double(1 << enumeratedBlocks)
            let share = isEnumerated ? 1 << enumeratedBlocks : max(8, passes / stations.pathCounts.count)
            let rest = try whole * -1
            let lengths = try stations.pathCounts.enumerated().map { length, paths in
                let choices: [PathChoice] =
                    paths <= Double(share)
                    ? [.every]
                    : (0..<share).map { .random(CounterRandom(seed: seed, stream: "path \(length) \($0)")) }
                var (followed, norms) = (0, 0.0)
                let sum = try whole.zerosLike()
                for choice in choices {
                    try tracer.follow(length: length, choice) {
                        if shouldStop() { throw DiagnosisStopped() }
                        followed += 1
                        norms += try $0.norm()
                        try sum.add($0)
                    }
                }
                try rest.add(sum)
                return Length(
                    length: length, paths: paths, followed: followed, meanNorm: norms / Double(max(1, followed)),
                    sumNorm: isEnumerated ? try sum.norm() : nil)
            }
            let norm = try whole.norm()
            return GradientPaths(
                network: name, blocks: graph.residualBlocks.count, place: place, norm: norm,
                sumError: isEnumerated ? try rest.norm() / norm : nil, lengths: lengths)
        }
    }

    /// The paths of a chain of residual blocks with batch norm first, 32 channels wide.
    ///
    /// - Throws: `TensorError`.
    public static func ofReference(blocks: Int = enumeratedBlocks, seed: UInt64 = 1) throws -> GradientPaths {
        let network = try Network(
            ReferenceChain.normalizedResidual.graph(blocks: blocks, width: 32), seed: seed)
        let input = try Tensor.gaussian([4, 32, 8, 8], CounterRandom(seed: seed, stream: "input"))
        let found = try measure(
            network, name: "\(blocks) residual blocks with batch norm first", input: input, seed: seed
        ) {
            try ($0[0] * $0[0]).mean()
        }
        guard let found else { preconditionFailure("a chain of residual blocks has them") }
        return found
    }
}

extension Network {
    /// The gradient of the loss at a node's result, along all paths at once.
    fileprivate func gradient(at place: Int, input: Tensor, loss: ([Tensor]) throws -> Tensor) throws -> Tensor {
        var leaf = try input.asLeaf()
        let probe = Probe(output: { index, _, result in
            guard index == place else { return nil }
            leaf = try result.asLeaf()
            return leaf
        })
        try loss(outputs(leaf, probe: probe)).backward()
        return try leaf.takeGradient()
    }

    /// Weights take half of a backward pass, and theirs are not asked for.
    fileprivate func withoutParameterGradients<Result>(_ body: () throws -> Result) throws -> Result {
        let trained = parameters.map(\.tensor).filter(\.requiresGradient)
        for parameter in trained { try parameter.setRequiresGradient(false) }
        let result = Swift.Result(catching: body)
        for parameter in trained { try parameter.setRequiresGradient(true) }
        return try result.get()
    }
}

extension Tensor {
    fileprivate func norm() throws -> Double {
        try withoutGradients { try (to(.float64) * to(.float64)).sum().values(of: Double.self)[0].squareRoot() }
    }
}
