import Foundation
import Networks
import Tensors

/// Whether a network learns at all: a few steps on one batch of noise in which the object is bright.
///
/// Variances say what signals suffer on their way, but not that gradients are shattered: 56 plain layers with He
/// initialization keep the variance of both and yet do not move. Any network that can be trained tells bright from
/// dark within tens of steps.
public struct TrainingTrial: Codable, Equatable, Sendable {
    public var network: String
    /// Of AdamW.
    public var learningRate: Double
    /// Before each step; what is not finite ends the trial and is not among them.
    public var losses: [Double]
    /// Of answering ½ everywhere.
    public var chanceLoss: Double
    /// Whether the loss stayed below half of that for several steps, which also ends the trial.
    public var learns: Bool

    /// How many steps in a row must be below.
    private static let lasting = 3

    /// - Parameters:
    ///   - network: fresh, in training mode.
    ///   - extents: of the input.
    /// - Throws: `TensorError`; ``DiagnosisStopped``.
    public static func run(
        _ network: Network, name: String, extents: [Int], steps: Int = 50, learningRate: Double = 1e-3,
        shouldStop: () -> Bool = { false }, report: (Double) -> Void = { _ in }
    ) throws -> TrainingTrial {
        let scene = try BrightScene(network.graph, extents: extents, device: network.device)
        let optimizer = try AdamW(network.parameters, rate: learningRate)
        var trial = TrainingTrial(
            network: name, learningRate: learningRate, losses: [], chanceLoss: log(2), learns: false)
        for step in 0..<steps where !trial.learns {
            if shouldStop() { throw DiagnosisStopped() }
            let output = try network(scene.image)
            let loss = try output.binaryCrossEntropy(withTarget: scene.target(for: output))
            let value = Double(try loss.item())
            guard value.isFinite else { break }
            trial.losses.append(value)
            trial.learns =
                trial.losses.count >= lasting
                && trial.losses.suffix(lasting).allSatisfy { $0 < trial.chanceLoss / 2 }
            try optimizer.clearGradients()
            try loss.backward()
            try optimizer.step()
            report(Double(step + 1) / Double(steps))
        }
        return trial
    }
}

/// Noise of variance 1 that is brighter by 1 in one half, inside the object: of every image for a network that answers
/// for voxels, of the batch for one that answers for images.
private struct BrightScene {
    let image: Tensor
    /// `[batch, 1, …]`, or `[batch, 1]`.
    private let truth: Tensor

    init(_ graph: Graph, extents: [Int], device: Device) throws {
        let batch = extents.count == 2 ? 8 : 4
        let isClassifier = graph.nodes.contains { $0.operation == .globalAveragePooling }
        let size = extents.reduce(1, *)
        // Halves along x; the images of a batch in turn.
        let width = extents[extents.count - 1]
        let inside = (0..<batch * size).map { index -> Float in
            let (sample, x) = (index / size, index % width)
            return isClassifier ? Float(sample % 2) : (x < width / 2) == (sample % 2 == 0) ? 1 : 0
        }
        let brightness = try Tensor(inside, shape: [batch, 1] + extents, device: device)
        let channels = graph.nodes[0].channels
        let noise = try Tensor.gaussian(
            [batch, channels] + extents, CounterRandom(seed: 1, stream: "scene"), device: device)
        image = try noise + brightness
        truth =
            isClassifier
            ? try Tensor((0..<batch).map { Float($0 % 2) }, shape: [batch, 1], device: device) : brightness
    }

    /// The truth in the extents and channels of an output.
    func target(for output: Tensor) throws -> Tensor {
        let ranges = zip(truth.shape.dropFirst(2), output.shape.dropFirst(2)).map { whole, part in
            (whole - part) / 2..<(whole + part) / 2
        }
        return try output.zerosLike() + truth.cropped(to: ranges)
    }
}
