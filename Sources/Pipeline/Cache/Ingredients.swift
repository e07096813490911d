import Foundation
import Volumes

/// Everything that decides a step's output: its stage, the parameters that affect it and its inputs.
/// The step's key is the digest of these, so equal keys mean equal outputs.
struct Ingredients: Codable, Equatable, Sendable {
    struct Input: Codable, Equatable, Sendable {
        /// What the input is to the step, for example `image` or `weights of member 3`.
        var role: String
        /// How people know it: a file's path, or another step.
        var title: String
        /// A source's digest or a step's key.
        var digest: String
        /// Whether the input is a file of the user's.
        var isSource: Bool
    }

    var stage: Stage
    /// Raised when the stage's code computes something else from the same ingredients.
    var version: Int
    /// What the step works on, for example `member 3` or `volume-a`; not part of the key.
    var subject: String
    /// Dotted names, most of them as in the pipeline file, and their values.
    var parameters: [String: String]
    var inputs: [Input]

    static let name = "step.json"

    /// SHA-256 over what affects the output: names and titles that only people read do not count.
    var key: String {
        get throws {
            struct Essence: Encodable {
                var stage: String
                var version: Int
                var parameters: [String: String]
                var inputs: [[String]]
            }
            return Digest.of(
                try canonicalJSON(
                    Essence(
                        stage: stage.rawValue, version: version, parameters: parameters,
                        inputs: inputs.map { [$0.role, $0.digest] })))
        }
    }

    /// Why this is not what `earlier` was, in a few words each.
    func changes(since earlier: Ingredients, lines: (String) -> String?) -> [String] {
        guard version == earlier.version else { return ["this version of segment computes it differently"] }
        let names = Set(parameters.keys).union(earlier.parameters.keys).sorted()
        let changed = names.filter { parameters[$0] != earlier.parameters[$0] }.map { name in
            let key = Self.keys[name] ?? name
            return change(of: key, from: earlier.parameters[name], to: parameters[name])
                + (lines(key).map { " (\($0))" } ?? "")
        }
        return changed + inputChanges(since: earlier)
    }

    /// The keys of the pipeline file, by the parameters that are called otherwise.
    private static let keys = [
        "label.minimum_voxels": "label.min_voxels", "training.is_balanced": "training.balance_affinities",
        "training.kept": "training.keep",
    ]

    /// The parameter that says how a volume failed.
    static func failure(of volume: String) -> String { failed + volume }
    private static let failed = "failed "

    private func change(of name: String, from old: String?, to new: String?) -> String {
        if name.hasPrefix(Self.failed) {
            let volume = name.dropFirst(Self.failed.count)
            guard new != nil else { return "\(volume) failed in the last run" }
            return old == nil ? "\(volume) fails now" : "\(volume) fails otherwise than in the last run"
        }
        switch (old.map(readable), new.map(readable)) {
        case (let old?, let new?): return "\(name) changed from \(old) to \(new)"
        case (let old?, nil): return "\(name), last \(old), is no longer given"
        case (nil, let new): return "\(name) is now given: \(new ?? "")"
        }
    }

    /// A value as people write it: three sizes in the order z, y, x.
    private func readable(_ value: String) -> String {
        (try? JSONDecoder().decode(ZYX<Int>.self, from: Data(value.utf8)))?.description ?? value
    }

    private func inputChanges(since earlier: Ingredients) -> [String] {
        let before = Dictionary(earlier.inputs.map { ($0.role, $0) }, uniquingKeysWith: { first, _ in first })
        let now = Set(inputs.map(\.role))
        let gone = earlier.inputs.filter { !now.contains($0.role) }.map { "\($0.title) is no longer an input" }
        let other = inputs.compactMap { input -> String? in
            guard let old = before[input.role] else { return "\(input.title) is a new input" }
            if old.digest == input.digest { return nil }
            if old.title != input.title { return "\(input.role) is now \(input.title), was \(old.title)" }
            return input.isSource ? "the content of \(input.title) changed" : "follows \(input.title)"
        }
        return gone + other
    }
}
