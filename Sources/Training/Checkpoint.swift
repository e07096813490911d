import Foundation
import Inference
import Tensors
import Volumes

/// All that a member in training needs to go on: parameters, statistics, optimizer state, average, step and curve.
///
/// A safetensors file, written whole or not at all. `settings` says what was being trained, `digest` covers all
/// tensors, so that neither another run's checkpoint nor a damaged one is taken up.
struct Checkpoint {
    static let name = "checkpoint.safetensors"

    /// Kept as JSON in the metadata key `state`.
    struct State: Codable, Equatable {
        var step: Int
        var recorder: CurveRecorder
        var kept: KeptWeights.Record?
    }

    /// Why a checkpoint is not taken up.
    struct Unusable: Error, CustomStringConvertible {
        let description: String
    }

    static func write(
        to path: String, _ state: State, _ learner: Learner, settings: String
    ) throws {
        let tensors = try learner.state()
        let metadata = [
            "settings": settings, "state": try canonicalJSONText(state), "digest": try digest(tensors),
        ]
        try Safetensors(tensors, metadata: metadata).write(to: path)
    }

    /// Takes up a checkpoint, which the weights it speaks of must lie beside; nil where there is none.
    ///
    /// - Throws: `Unusable` with the reason, naming the file; the learner may then be half overwritten.
    static func read(
        _ path: String, into learner: Learner, _ kept: KeptWeights, settings: String
    ) throws -> State? {
        guard FileManager.default.fileExists(atPath: path) else { return nil }
        do {
            let file = try Safetensors(contentsOf: path)
            guard file.metadata["settings"] == settings else {
                throw Unusable(description: "it belongs to other settings")
            }
            guard try file.metadata["digest"] == digest(file.tensors), let json = file.metadata["state"] else {
                throw Unusable(description: "its digest does not match its contents")
            }
            let state = try JSONDecoder().decode(State.self, from: Data(json.utf8))
            if let record = state.kept { _ = try kept.tensors(record) }
            try learner.load(file.tensors)
            return state
        } catch {
            let reason = "\(error)".replacingOccurrences(of: "\(path): ", with: "")
            throw Unusable(description: "\(path) cannot be used (\(reason)); training starts over")
        }
    }

    /// A 64-bit hash of names and bytes, against accidents.
    static func digest(_ tensors: [String: Tensor]) throws -> String {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        func take(_ word: UInt64) {
            hash = (hash ^ word) &* 0x9e37_79b9_7f4a_7c15
            hash ^= hash >> 32
        }
        for (name, tensor) in tensors.sorted(by: { $0.key < $1.key }) {
            for byte in name.utf8 { take(UInt64(byte)) }
            for value in try tensor.values(of: Float.self) { take(UInt64(value.bitPattern)) }
        }
        return String(hash, radix: 16)
    }
}
