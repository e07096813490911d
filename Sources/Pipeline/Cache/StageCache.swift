import Foundation
import Volumes

/// The work folder of a pipeline: one folder a step, named by its stage and key.
///
/// A folder without the suffix `.partial` is whole and never changes; work in progress has the suffix.
/// Nothing is deleted but by `clean`, and damaged files, which are redone.
struct StageCache {
    /// What the cache holds of a step.
    enum State: Equatable {
        case complete
        /// Work in progress that a run goes on from.
        case partial
        case absent
        /// Files that are missing or altered, relative to the output.
        case damaged([String])

        var isDamaged: Bool { if case .damaged = self { true } else { false } }
    }

    let root: String

    func folder(of step: some StepIdentity) -> String {
        "\(root)/\(step.ingredients.stage.rawValue)/\(step.key.prefix(20))"
    }

    func partialFolder(of step: some StepIdentity) -> String {
        folder(of: step) + ".partial"
    }

    func state(of step: some StepIdentity, thoroughly: Bool = false) -> State {
        let folder = folder(of: step)
        let files = FileManager.default
        guard files.fileExists(atPath: folder) else {
            return files.fileExists(atPath: partialFolder(of: step)) ? .partial : .absent
        }
        guard let manifest = Manifest(readingFrom: folder) else { return .damaged([Manifest.name]) }
        let damage = manifest.damage(
            in: folder, resultsFolder: step.resultsFolder, thoroughly: thoroughly)
        return damage.isEmpty ? .complete : .damaged(damage)
    }

    /// The folder a step works in, made or found.
    func begin(_ step: some StepIdentity) throws -> String {
        let folder = partialFolder(of: step)
        try AtomicFile.makeFolder(folder)
        try AtomicFile.write(try readableJSON(step.ingredients), to: folder + "/" + Ingredients.name)
        try? FileManager.default.removeItem(atPath: folder + "/" + Self.failureName)
        return folder
    }

    private static let failureName = "failure.txt"

    /// Notes why a step failed, beside what it left, until it is begun again.
    func note(failure problem: String, of step: some StepIdentity) {
        try? AtomicFile.write(Data(problem.utf8), to: partialFolder(of: step) + "/" + Self.failureName)
    }

    /// Why a step failed the last time.
    func failure(of step: some StepIdentity) -> String? {
        FileManager.default.contents(atPath: partialFolder(of: step) + "/" + Self.failureName)
            .map { String(decoding: $0, as: UTF8.self) }
    }

    /// Declares a step's output whole: its manifest is written and the folder gets its name.
    ///
    /// - Parameter results: the exported files of a step whose output is outside the work folder.
    func finish(_ step: some StepIdentity, results: Results?) throws {
        let partial = partialFolder(of: step)
        try Manifest(of: partial, results: results).write(to: partial)
        guard rename(partial, folder(of: step)) == 0 else {
            throw FileFault(folder(of: step), "cannot be put in place: \(systemReason())")
        }
    }

    /// Turns a damaged output into work in progress: what is damaged is removed, what is whole is kept.
    func reopen(_ step: some StepIdentity) throws {
        let folder = folder(of: step)
        let partial = partialFolder(of: step)
        try? FileManager.default.removeItem(atPath: partial)
        if let manifest = Manifest(readingFrom: folder) {
            for path in manifest.damage(in: folder, resultsFolder: nil, thoroughly: true) {
                try? FileManager.default.removeItem(atPath: folder + "/" + path)
            }
        }
        try? FileManager.default.removeItem(atPath: folder + "/" + Manifest.name)
        guard rename(folder, partial) == 0 else {
            throw FileFault(folder, "cannot be reopened: \(systemReason())")
        }
    }

    /// The whole output of a step, for reading.
    ///
    /// - Throws: `DamagedStore` where it is not whole.
    func output(of step: some StepIdentity) throws -> StageOutput {
        let folder = folder(of: step)
        guard let manifest = Manifest(readingFrom: folder) else {
            throw DamagedStore(path: folder + "/" + Manifest.name, problem: "is missing or damaged")
        }
        return StageOutput(folder: folder, manifest: manifest)
    }

    /// How a finished step went.
    func record(of step: some StepIdentity) -> StepRecord? {
        FileManager.default.contents(atPath: folder(of: step) + "/" + StepRecord.name)
            .flatMap { try? JSONDecoder().decode(StepRecord.self, from: $0) }
    }

    /// Every output there is, whole or in progress.
    func outputs() -> [String] {
        Stage.allCases.flatMap { stage in
            let folder = "\(root)/\(stage.rawValue)"
            let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
            return names.sorted().map { "\(folder)/\($0)" }
        }
    }

    /// The ingredients of the newest output of the same stage, subject and role, to say what changed since.
    func previous(of step: some StepIdentity) -> Ingredients? {
        let stage = "\(root)/\(step.ingredients.stage.rawValue)"
        let names = (try? FileManager.default.contentsOfDirectory(atPath: stage)) ?? []
        let candidates = names.compactMap { name -> (Int, Ingredients)? in
            let path = "\(stage)/\(name)/\(Ingredients.name)"
            guard let stamp = FileStamp(path), let data = FileManager.default.contents(atPath: path),
                let ingredients = try? JSONDecoder().decode(Ingredients.self, from: data),
                ingredients.subject == step.ingredients.subject,
                ingredients.parameters["role"] == step.ingredients.parameters["role"]
            else { return nil }
            return (stamp.modified, ingredients)
        }
        return candidates.max { $0.0 < $1.0 }?.1
    }
}

/// What the cache needs to know of a step.
protocol StepIdentity {
    var ingredients: Ingredients { get }
    var key: String { get }
    /// Where a step that exports puts its results; nil for one that does not.
    var resultsFolder: String? { get }
}

/// Files that a step wrote outside the work folder.
struct Results {
    var root: String
    /// Relative to `root`.
    var files: [String]
}
