import Foundation
import Volumes

/// What `segment check` found, for people and, as JSON, for programs.
public struct CheckReport: Codable, Sendable {
    public enum Severity: String, Codable, Sendable {
        /// A run would stop here, or this volume would fail.
        case error
        /// A run would do something else than was probably meant.
        case warning
        /// What to know, where nothing need be done.
        case note
    }

    public struct Finding: Codable, Sendable, Equatable {
        public var severity: Severity
        /// A file, or `larva.yaml:9`.
        public var place: String
        public var problem: String
    }

    /// A file with what is in it.
    public struct File: Codable, Sendable {
        /// `image`, `labels` and `mask` to learn from; `volume` to segment, and its `truth`.
        public var role: String
        /// With the dataset that was taken, where the file holds several.
        public var file: String
        /// z, y, x; this and what follows is missing where the file cannot be read.
        public var shape: [Int]?
        public var type: String?
        /// z, y, x.
        public var voxelSizeNanometers: [Double]?
        public var voxelSize: String?
        /// nil where only headers were read.
        public var minimum: Double?
        public var maximum: Double?
        /// Of labels.
        public var objects: Int?
    }

    public var pipeline: String
    /// Whether voxels were left unread.
    public var headersOnly: Bool
    public var files: [File] = []
    public var findings: [Finding] = []
    /// Bytes that a run writes at most; stores are compressed.
    public var diskNeeded: Int?
    public var diskFree: Int?

    public var errors: Int { findings.count { $0.severity == .error } }
    public var warnings: Int { findings.count { $0.severity == .warning } }

    init(pipeline: String, headersOnly: Bool) {
        self.pipeline = pipeline
        self.headersOnly = headersOnly
    }

    mutating func add(_ severity: Severity, _ place: String, _ problem: String) {
        let finding = Finding(severity: severity, place: place, problem: problem)
        // A file that several volumes name is said once.
        if !findings.contains(finding) { findings.append(finding) }
    }

    mutating func add(_ fault: PipelineFault) {
        add(.error, fault.line.map { "\(fault.file):\($0)" } ?? fault.file, fault.problem)
    }

    public var json: String {
        get throws {
            struct Counted: Encodable {
                let report: CheckReport
                enum Keys: String, CodingKey { case errors, warnings }
                func encode(to encoder: any Encoder) throws {
                    try report.encode(to: encoder)
                    var container = encoder.container(keyedBy: Keys.self)
                    try container.encode(report.errors, forKey: .errors)
                    try container.encode(report.warnings, forKey: .warnings)
                }
            }
            return String(
                decoding: try readableJSON(Counted(report: self), keys: .convertToSnakeCase), as: UTF8.self)
        }
    }
}
