import Foundation
import Inference
import Networks
import Tensors

/// The weights of the validation that a member would end with, in a file beside its checkpoint.
struct KeptWeights {
    /// What of them stands in the checkpoint.
    struct Record: Codable, Equatable {
        var step: Int
        /// The lowest figure of all validations so far, and how many came after it.
        var best: Double
        var since = 0
    }

    let path: String
    let settings: String

    init(folder: String, settings: String) {
        path = folder + "/kept.safetensors"
        self.settings = settings
    }

    /// Keeps the network where the validation is the one to keep; `record` then speaks of it.
    func consider(
        _ network: Network, step: Int, _ score: ValidationScore, _ kept: TrainingConfiguration.Kept,
        _ record: inout Record?
    ) throws {
        if var other = record, other.best <= score.figure {
            other.since += 1
            if kept == .last { other.step = step }
            record = other
            if kept == .best { return }
        } else {
            record = Record(step: step, best: score.figure)
        }
        try Safetensors(network.stateDictionary(), metadata: ["settings": settings, "step": "\(step)"]).write(
            to: path)
    }

    /// Whether there is a file of this training.
    var isThere: Bool { (try? Safetensors(contentsOf: path))?.metadata["settings"] == settings }

    /// Loads what a record speaks of.
    ///
    /// - Throws: `SafetensorsError` or `TensorError` where the file is not that.
    func load(into network: Network, _ record: Record) throws {
        let file = try Safetensors(contentsOf: path)
        guard file.metadata["settings"] == settings, file.metadata["step"] == "\(record.step)" else {
            throw TensorError.state("\(path) is not of step \(record.step) of this training")
        }
        try network.load(file.tensors)
    }

    func remove() { try? FileManager.default.removeItem(atPath: path) }
}

extension ValidationScore {
    /// What members and their checkpoints are compared by; lower is better.
    var figure: Double { adaptedRandError ?? loss }
}
