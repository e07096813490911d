import Foundation
import Networks
import Tensors

/// A classifier in training on a ``ClassificationTask``: every step is a function of the seed and the step's number.
final class ClassifierTraining {
    struct Settings: Codable, Equatable, Sendable {
        var batch: Int
        var momentum = 0.9
        var weightDecay = 1e-4
    }

    /// Of a batch or of a set of samples.
    struct Score: Codable, Equatable, Sendable {
        /// Mean cross-entropy.
        var loss: Double
        /// The share of wrong answers.
        var error: Double
    }

    let network: Network
    private let task: ClassificationTask
    private let settings: Settings
    private let optimizer: SGD
    private let random: CounterRandom

    init(_ graph: Graph, task: ClassificationTask, settings: Settings, seed: UInt64, device: Device) throws {
        network = try Network(graph, seed: seed, device: device)
        optimizer = try SGD(
            network.parameters, rate: 0, momentum: settings.momentum, decay: settings.weightDecay)
        random = CounterRandom(seed: seed, stream: "batches")
        self.task = task
        self.settings = settings
    }

    /// One step on samples drawn at random, each mirrored at random; gives the score before it. A loss that is not
    /// finite changes nothing.
    func step(_ step: Int, rate: Double) throws -> Score {
        let draws = (0..<settings.batch).map { random.bits(UInt64(step * settings.batch + $0)) }
        let samples = draws.map { Int($0.multipliedFullWidth(by: UInt64(task.training.count)).high) }
        let (images, labels) = try task.batch(
            of: task.training, samples, mirrored: draws.map { UInt8($0 & 3) }, on: network.device)
        let logits = try network(images)
        let loss = try logits.binaryCrossEntropy(withTarget: labels)
        let score = Score(loss: Double(try loss.item()), error: try Self.error(logits, labels))
        guard score.loss.isFinite else { return score }
        try optimizer.clearGradients()
        try loss.backward()
        optimizer.rate = rate
        try optimizer.step()
        return score
    }

    /// The score on samples it does not learn from, by stored statistics.
    func score(on samples: ClassificationTask.Samples) throws -> Score {
        network.mode = .evaluation
        defer { network.mode = .training }
        return try withoutGradients {
            var sum = Score(loss: 0, error: 0)
            for first in stride(from: 0, to: samples.count, by: 256) {
                let indices = Array(first..<min(first + 256, samples.count))
                let (images, labels) = try task.batch(of: samples, indices, on: network.device)
                let logits = try network(images)
                let share = Double(indices.count) / Double(samples.count)
                sum.loss += share * Double(try logits.binaryCrossEntropy(withTarget: labels).item())
                sum.error += share * (try Self.error(logits, labels))
            }
            return sum
        }
    }

    private static func error(_ logits: Tensor, _ labels: Tensor) throws -> Double {
        let wrong = zip(try logits.detached().floats(), try labels.floats()).count { ($0 > 0) != ($1 > 0.5) }
        return Double(wrong) / Double(labels.count)
    }
}

// Going on after an interruption.
extension ClassifierTraining {
    /// Writes everything that the steps to come depend on, and `state` beside it.
    func save(to path: String, state: String) throws {
        try Safetensors(network.trainingState(with: optimizer), metadata: ["state": state]).write(to: path)
    }

    /// Takes up what ``save(to:state:)`` wrote and gives its `state`.
    ///
    /// - Throws: where the file cannot be read or belongs to another network.
    func load(_ file: Safetensors) throws {
        try network.loadTrainingState(file.tensors, with: optimizer)
    }
}
