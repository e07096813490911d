import Foundation
import Inference
import Networks
import Tensors

/// The weights that a member would end with, in a file beside its checkpoint: those of a validation, and before the
/// first, for members that diverge, those of a step. Each has a file of its own, so that what a checkpoint speaks of
/// stays until the next checkpoint.
struct KeptWeights {
    /// What of them stands in the checkpoint.
    struct Record: Codable, Equatable {
        var step: Int
        /// Of the file's tensors.
        var digest: String
        /// The lowest figure of all validations so far, and how many came after it.
        var best: Double
        var since = 0

        /// A figure that every validation is better than.
        static let unvalidated = Double.greatestFiniteMagnitude

        var isValidated: Bool { best < Self.unvalidated }
    }

    private static let prefix = "kept-"
    let folder: String

    func path(_ record: Record) -> String { "\(folder)/\(Self.prefix)\(record.step).safetensors" }

    /// Keeps the network where the validation is the one to keep; `record` then speaks of it.
    func consider(
        _ network: Network, step: Int, _ score: ValidationScore, _ kept: TrainingConfiguration.Kept,
        _ record: inout Record?
    ) throws {
        let tensors = network.stateDictionary()
        var new = Record(step: step, digest: try Checkpoint.digest(tensors), best: score.figure)
        if var other = record, other.best <= score.figure {
            other.since += 1
            if kept == .best {
                record = other
                return
            }
            (new.best, new.since) = (other.best, other.since)
        }
        try Safetensors(tensors).write(to: path(new))
        record = new
    }

    /// Keeps the network until the first validation.
    func keep(_ network: Network, step: Int, _ record: inout Record?) throws {
        let tensors = network.stateDictionary()
        let new = Record(step: step, digest: try Checkpoint.digest(tensors), best: Record.unvalidated)
        try Safetensors(tensors).write(to: path(new))
        record = new
    }

    /// The tensors that a record speaks of.
    ///
    /// - Throws: `Checkpoint.Unusable` where the file is missing, or not that.
    func tensors(_ record: Record) throws -> [String: Tensor] {
        guard let tensors = try? Safetensors(contentsOf: path(record)).tensors,
            try Checkpoint.digest(tensors) == record.digest
        else { throw Checkpoint.Unusable(description: "\(path(record)) is missing or damaged") }
        return tensors
    }

    /// Removes the files of other validations.
    func removeAll(but record: Record?) {
        let own = record.map { (path($0) as NSString).lastPathComponent }
        for name in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        where name.hasPrefix(Self.prefix) && name != own {
            try? FileManager.default.removeItem(atPath: folder + "/" + name)
        }
    }
}

extension ValidationScore {
    /// What members and their checkpoints are compared by; lower is better.
    var figure: Double { adaptedRandError ?? loss }
}
