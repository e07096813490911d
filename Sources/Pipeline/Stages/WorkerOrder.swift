import Foundation
import Volumes

/// What a process that reads an outside file is told to do.
public enum WorkerOrder: Codable {
    /// Ingest into a folder.
    case ingest(Ingest, folder: String, threads: Int)
    /// Write a volume into a file of another format; the answer is what was written, as JSON.
    case convert(Conversion)
    /// Describe what a file holds, as JSON; with `values`, by reading all voxels.
    case describe(SourceLocation, values: Bool)
    /// Name the other files that a volume is made of or described by, as JSON.
    case companions(Ingest)
    /// Find what is wrong with a file; without `voxels`, by its headers alone.
    case inspect(Ingest, voxels: Bool)
    /// Look through an annotated volume; the answer is its `DataFacts`, as JSON.
    case survey(AnnotatedFiles)
    /// Time a few steps of training on files that have been read before, as JSON.
    case measure(StepMeasurement)

    /// Has `executable` carry out the order.
    ///
    /// - Returns: What it answered.
    @discardableResult
    func run(
        by executable: String, title: String, shouldStop: @escaping () -> Bool = { false },
        report: @escaping (Double) -> Void = { _ in }
    ) throws -> Data {
        let json = String(decoding: try canonicalJSON(self), as: UTF8.self)
        return try ChildProcess.run(
            executable, ["worker", json], title: title, shouldStop: shouldStop, report: report)
    }

    /// Carries out an order in this process, within limits of memory, and of processor time from one
    /// piece of the file to the next.
    ///
    /// - Parameter report: how far it is, from 0 to 1; it may throw to end the work.
    public static func execute(_ json: String, report: (Double) throws -> Void) throws -> Data {
        let order = try JSONDecoder().decode(WorkerOrder.self, from: Data(json.utf8))
        let size = order.sources.map { FileStamp(whole: $0.path)?.size ?? 0 }.max() ?? 0
        // From one piece to the next a healthy file takes far less, even where opening it reads all of it.
        let seconds = 60 + min(size / 200_000, 3_600)
        let isLimited = order.readsUnknownFiles
        if isLimited {
            ChildProcess.limitMemory(bytes: max(2 << 30, Machine.availableMemory / 2))
            ChildProcess.limitTime(seconds: seconds)
        }
        let report: (Double) throws -> Void = {
            if isLimited { ChildProcess.limitTime(seconds: seconds) }
            try report($0)
        }
        switch order {
        case .ingest(let ingest, let folder, let threads):
            try ingest.run(into: folder, threads: threads, report: report)
            return Data()
        case .convert(let conversion):
            return try canonicalJSON(try conversion.run(report: report))
        case .describe(let source, let values):
            return try canonicalJSON(try VolumeDescription(reading: source, values: values, report: report))
        case .companions(let ingest):
            return try canonicalJSON(try ingest.companions())
        case .inspect(let ingest, let voxels):
            return try canonicalJSON(try VolumeInspection(of: ingest, voxels: voxels, report: report))
        case .survey(let files):
            return try canonicalJSON(try DataSurvey.facts(of: files, report: report))
        case .measure(let measurement):
            return try canonicalJSON(measurement.run(report: report))
        }
    }

    /// Training looks after its memory by itself, and maps far more than it uses.
    private var readsUnknownFiles: Bool {
        if case .measure = self { false } else { true }
    }

    private var sources: [SourceLocation] {
        switch self {
        case .ingest(let ingest, _, _), .inspect(let ingest, _), .companions(let ingest): [ingest.source]
        case .convert(let conversion): [conversion.source]
        case .describe(let source, _): [source]
        case .survey(let files): files.all
        case .measure(let measurement): measurement.files.all
        }
    }
}
