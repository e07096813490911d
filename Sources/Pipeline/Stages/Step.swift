import Foundation
import Volumes

/// One unit of a stage: a file to ingest, a member to train, a volume to label.
///
/// A step reads the outputs of the steps before it and writes one folder of its own. Its key follows from
/// its ingredients alone, so it is known before anything runs.
protocol Step: StepIdentity, Sendable {
    /// The steps whose outputs it reads.
    var dependencies: [any Step] { get }
    /// The volume to segment that it belongs to, or for a file that several name, the first; nil for what all volumes
    /// share.
    var volume: String? { get }

    /// Does the work in `folder`, which may hold what an interrupted run left.
    ///
    /// - Returns: The files it wrote elsewhere, for a step that exports; nil otherwise.
    /// - Throws: `Interruption` where the user asked to stop; `DamagedStore` where an
    ///   input is not what was written; `FileFault` where a file of the user's is at fault.
    func run(in folder: String, _ context: StepContext) throws -> Results?
}

extension Step {
    var resultsFolder: String? { nil }
    var stage: Stage { ingredients.stage }
    var subject: String { ingredients.subject }
    var title: String { "\(stage.rawValue) \(subject)" }

    /// This step as another's input.
    func input(_ role: String) -> Ingredients.Input {
        Ingredients.Input(role: role, title: title, digest: key, isSource: false)
    }
}

extension Ingredients.Input {
    /// A file of the user's as an input.
    static func source(_ source: SourceLocation, digest: String) -> Ingredients.Input {
        Ingredients.Input(role: "source", title: source.subject, digest: digest, isSource: true)
    }
}

/// The dotted names and values of settings, as a step's parameters: `training.learning_rate` → `0.001`.
func parameters(_ prefix: String, _ settings: some Encodable) throws -> [String: String] {
    let encoder = JSONEncoder()
    encoder.keyEncodingStrategy = .convertToSnakeCase
    encoder.outputFormatting = [.sortedKeys]
    guard let object = try JSONSerialization.jsonObject(with: encoder.encode(settings)) as? [String: Any] else {
        return [:]
    }
    return try Dictionary(
        uniqueKeysWithValues: object.map { name, value in
            ("\(prefix).\(name)", try parameterText(value))
        })
}

private func parameterText(_ value: Any) throws -> String {
    if let text = value as? String { return text }
    let json = try JSONSerialization.data(withJSONObject: value, options: [.sortedKeys, .fragmentsAllowed])
    return String(decoding: json, as: UTF8.self)
}
