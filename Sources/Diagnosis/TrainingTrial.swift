import Foundation
import Networks
import Tensors

/// Whether a network learns at all: a few steps on noise in which the object is bright, new noise in each.
///
/// Variances say what signals suffer on their way, but not that gradients are shattered: 56 plain layers with He
/// initialization keep the variance of both and yet do not move. Any network that can be trained tells bright from
/// dark within tens of steps, at one learning rate or the other, and from most initial weights.
public struct TrainingTrial: Codable, Equatable, Sendable {
    public struct Attempt: Codable, Equatable, Sendable {
        /// Of AdamW.
        public var learningRate: Double
        public var seed: UInt64
        /// Before each step; what is not finite ends the attempt and is not among them.
        public var losses: [Double]
        /// Whether the loss stayed below half of that of guessing for several steps, which also ends the attempt.
        public var learns: Bool

        public init(learningRate: Double, seed: UInt64, losses: [Double], learns: Bool) {
            self.learningRate = learningRate
            self.seed = seed
            self.losses = losses
            self.learns = learns
        }
    }

    public var network: String
    /// Attempts at a rate end with the second that learns, or the second that does not.
    public var attempts: [Attempt]

    public init(network: String, attempts: [Attempt]) {
        self.network = network
        self.attempts = attempts
    }

    /// Of answering ½ everywhere.
    public static let chanceLoss = log(2.0)
    static let learningRates = [1e-3, 1e-2]
    /// How many steps in a row must be below.
    private static let lasting = 3
    /// Of attempts of one kind, at one rate, that decide.
    private static let majority = 2

    /// Whether two attempts at one rate have learnt.
    public var learns: Bool { Self.learningRates.contains(where: learns(at:)) }

    func learns(at rate: Double) -> Bool {
        attempts.count { $0.learningRate == rate && $0.learns } >= Self.majority
    }

    /// - Parameters:
    ///   - extents: of the input.
    ///   - make: the network from a seed, in training mode.
    /// - Throws: `TensorError`; ``DiagnosisStopped``.
    public static func run(
        name: String, extents: [Int], steps: Int = 50, shouldStop: () -> Bool = { false },
        report: (Double) -> Void = { _ in }, _ make: (UInt64) throws -> Network
    ) throws -> TrainingTrial {
        var trial = TrainingTrial(network: name, attempts: [])
        for (index, rate) in learningRates.enumerated() where !trial.learns {
            for seed in 1..<2 * UInt64(majority) where trial.isOpen(at: rate) {
                let done = Double(index * 2 + Int(seed) - 1)
                let attempt = try attempt(
                    make(seed), rate: rate, seed: seed, extents: extents, steps: steps, shouldStop: shouldStop
                ) { report((done + $0) / Double(4 * majority - 1)) }
                trial.attempts.append(attempt)
            }
        }
        return trial
    }

    /// Whether neither kind of attempt has its majority.
    private func isOpen(at rate: Double) -> Bool {
        let made = attempts.filter { $0.learningRate == rate }
        return made.count(where: \.learns) < Self.majority && made.count { !$0.learns } < Self.majority
    }

    private static func attempt(
        _ network: Network, rate: Double, seed: UInt64, extents: [Int], steps: Int, shouldStop: () -> Bool,
        report: (Double) -> Void
    ) throws -> Attempt {
        let scenes = try BrightScenes(network.graph, extents: extents, device: network.device)
        let optimizer = try AdamW(network.parameters, rate: rate)
        var attempt = Attempt(learningRate: rate, seed: seed, losses: [], learns: false)
        for step in 0..<steps where !attempt.learns {
            if shouldStop() { throw DiagnosisStopped() }
            let output = try network(scenes.image(step, seed: seed))
            let loss = try output.binaryCrossEntropy(withTarget: scenes.target(for: output))
            let value = Double(try loss.item())
            guard value.isFinite else { break }
            attempt.losses.append(value)
            attempt.learns =
                attempt.losses.count >= lasting
                && attempt.losses.suffix(lasting).allSatisfy { $0 < chanceLoss / 2 }
            try optimizer.clearGradients()
            try loss.backward()
            try optimizer.step()
            report(Double(step + 1) / Double(steps))
        }
        return attempt
    }
}

/// Noise of variance 1 that is brighter inside the object. For a network that answers for voxels this is one half of
/// every image, brighter by 1; for one that answers for images it is every other image, whose mean is 16 standard
/// deviations higher.
private struct BrightScenes {
    private let brightness: Tensor
    /// `[batch, 1, …]`, or `[batch, 1]`.
    private let truth: Tensor
    private let channels: Int

    init(_ graph: Graph, extents: [Int], device: Device) throws {
        let batch = extents.count == 2 ? 8 : 2
        let isClassifier = graph.nodes.contains { $0.operation == .globalAveragePooling }
        let (size, width) = (extents.reduce(1, *), extents[extents.count - 1])
        let inside = (0..<batch * size).map { index -> Float in
            let (sample, x) = (index / size, index % width)
            return isClassifier ? Float(sample % 2) : (x < width / 2) == (sample % 2 == 0) ? 1 : 0
        }
        channels = graph.nodes[0].channels
        // An image's mean over so many voxels would show far less; how sure it is must not hang on their number.
        let contrast = isClassifier ? 16 / Double(size * channels).squareRoot() : 1
        brightness = try Tensor(inside, shape: [batch, 1] + extents, device: device) * contrast
        truth =
            isClassifier
            ? try Tensor((0..<batch).map { Float($0 % 2) }, shape: [batch, 1], device: device) : brightness
    }

    func image(_ step: Int, seed: UInt64) throws -> Tensor {
        var shape = brightness.shape
        shape[1] = channels
        let random = CounterRandom(seed: seed, stream: "scene \(step)")
        return try Tensor.gaussian(shape, random, device: brightness.device) + brightness
    }

    /// The truth in the extents and channels of an output.
    func target(for output: Tensor) throws -> Tensor {
        let ranges = zip(truth.shape.dropFirst(2), output.shape.dropFirst(2)).map { whole, part in
            (whole - part) / 2..<(whole + part) / 2
        }
        return try output.detached().zerosLike() + truth.cropped(to: ranges)
    }
}
