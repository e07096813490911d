import Diagnosis
import Foundation
import Volumes

/// What `segment diagnose` has found so far, as `diagnose.json` holds it.
public struct DiagnosisResults: Equatable, Sendable {
    /// An experiment's result, by its key in the file.
    public enum Key: String, CaseIterable, Codable, Sendable {
        case signal, gradients, paths
        case batchNormShort = "batch_norm_short"
        case batchNorm = "batch_norm"
        case degradation

        /// For people.
        public var title: String {
            switch self {
            case .signal: "Signals by depth"
            case .gradients: "Shattered gradients"
            case .paths: "Paths of a residual network"
            case .batchNormShort: "Batch normalization, a first look"
            case .batchNorm: "Batch normalization"
            case .degradation: "Degradation"
            }
        }
    }

    /// What is diagnosed.
    public struct Subject: Codable, Equatable, Sendable {
        public struct Fact: Codable, Equatable, Sendable {
            public var name: String
            public var value: String

            public init(_ name: String, _ value: String) {
                self.name = name
                self.value = value
            }
        }

        /// For the page's title.
        public var name: String
        public var facts: [Fact]
        /// Differs for another network or other data, so that their results are not mixed.
        public var digest: String

        public init(name: String, facts: [Fact], digest: String) {
            self.name = name
            self.facts = facts
            self.digest = digest
        }
    }

    public var subject: Subject
    /// Whether the network will train, and what was noticed, in a few lines.
    public var verdict: [String] = []
    public var signal: SignalPropagation?
    /// Made with `signal`.
    public var trial: TrainingTrial?
    public var gradients: GradientFindings?
    public var paths: PathFindings?
    public var batchNormShort: BatchNormBenefit.Result?
    public var batchNorm: BatchNormBenefit.Result?
    public var degradation: Degradation.Result?
    /// By key: why there is no result.
    public var reasons: [String: String] = [:]

    public init(subject: Subject) { self.subject = subject }

    /// Whether there is a result.
    public func has(_ key: Key) -> Bool { section(key) != nil }

    func section(_ key: Key) -> DiagnosisReport.Section? {
        switch key {
        case .signal: signal?.section(trial)
        case .gradients: gradients?.section
        case .paths: paths?.section
        case .batchNormShort: batchNormShort?.section(isShort: true)
        case .batchNorm: batchNorm?.section(isShort: false)
        case .degradation: degradation?.section
        }
    }
}

// The file.
extension DiagnosisResults: Codable {
    private enum CodingKeys: String, CodingKey {
        case subject, verdict, signal, trial, gradients, paths, batchNormShort, batchNorm, degradation, reasons
    }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        subject = try values.decode(Subject.self, forKey: .subject)
        verdict = try values.decode([String].self, forKey: .verdict)
        signal = try values.decode(SignalPropagation?.self, forKey: .signal)
        trial = try values.decode(TrainingTrial?.self, forKey: .trial)
        gradients = try values.decode(GradientFindings?.self, forKey: .gradients)
        paths = try values.decode(PathFindings?.self, forKey: .paths)
        batchNormShort = try values.decode(BatchNormBenefit.Result?.self, forKey: .batchNormShort)
        batchNorm = try values.decode(BatchNormBenefit.Result?.self, forKey: .batchNorm)
        degradation = try values.decode(Degradation.Result?.self, forKey: .degradation)
        reasons = try values.decode([String: String].self, forKey: .reasons)
    }

    /// What was not run is null, not absent.
    public func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(subject, forKey: .subject)
        try values.encode(verdict, forKey: .verdict)
        try values.encode(signal, forKey: .signal)
        try values.encode(trial, forKey: .trial)
        try values.encode(gradients, forKey: .gradients)
        try values.encode(paths, forKey: .paths)
        try values.encode(batchNormShort, forKey: .batchNormShort)
        try values.encode(batchNorm, forKey: .batchNorm)
        try values.encode(degradation, forKey: .degradation)
        try values.encode(reasons, forKey: .reasons)
    }

    /// The content of `diagnose.json`.
    func json() throws -> Data {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        // What overflows is a finding; JSON has no number for it.
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
        return try encoder.encode(self)
    }

    /// The results of an earlier run in a folder; nil where there are none.
    ///
    /// - Throws: `FileFault` where the folder holds what this program did not write, or cannot read.
    public init?(readingFrom folder: String) throws {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        decoder.nonConformingFloatDecodingStrategy = .convertFromString(
            positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
        let path = "\(folder)/\(DiagnosisReport.jsonName)"
        guard let data = FileManager.default.contents(atPath: path) else {
            if FileManager.default.fileExists(atPath: "\(folder)/\(DiagnosisReport.pageName)") {
                throw FileFault(
                    folder,
                    "holds a \(DiagnosisReport.pageName) that is of no diagnosis; give another folder with -o")
            }
            return nil
        }
        do {
            self = try decoder.decode(Self.self, from: data)
        } catch {
            throw FileFault(
                path,
                "cannot be read: it is damaged or of another version; give another folder with -o, or delete it")
        }
    }
}
