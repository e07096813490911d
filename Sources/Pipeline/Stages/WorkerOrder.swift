import Foundation
import Volumes

/// What a process that reads an outside file, or does a step beside others, is told to do.
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
    /// Time pieces of a pipeline's work, as JSON.
    case time(StageTiming)
    /// Do a step of a pipeline, in the work folder of the run that says so.
    case step(StepOrder)

    /// Has `executable` carry out the order.
    ///
    /// - Returns: What it answered.
    @discardableResult
    func run(
        by executable: String, title: String, shouldStop: @escaping () -> Bool = { false },
        report: @escaping (Double) -> Void = { _ in }
    ) throws -> Data {
        try ChildProcess.run(
            executable, try arguments, title: title, shouldStop: shouldStop, report: { report($0.fraction) })
    }

    /// What the program carries it out by.
    var arguments: [String] {
        get throws { ["worker", try canonicalJSONText(self)] }
    }

    /// Carries out an order in this process, within limits of memory, and of processor time from one
    /// piece of the file to the next.
    ///
    /// - Parameters:
    ///   - shouldStop: asked by work that saves what it has before it ends.
    ///   - report: how far it is; it may throw to end other work.
    public static func execute(
        _ json: String, shouldStop: @escaping () -> Bool, report say: @escaping (StepProgress) throws -> Void
    ) throws -> Data {
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
            try say(StepProgress(fraction: $0))
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
        case .time(let timing):
            return try canonicalJSON(timing.run(report: report))
        case .step(let step):
            try step.run(shouldStop: shouldStop, report: say)
            return Data()
        }
    }

    /// Training looks after its memory by itself, and maps far more than it uses.
    private var readsUnknownFiles: Bool {
        switch self {
        case .measure, .time, .step: false
        default: true
        }
    }

    private var sources: [SourceLocation] {
        switch self {
        case .ingest(let ingest, _, _), .inspect(let ingest, _), .companions(let ingest): [ingest.source]
        case .convert(let conversion): [conversion.source]
        case .describe(let source, _): [source]
        case .survey(let files): files.all
        case .measure(let measurement): measurement.files.all
        case .time, .step: []
        }
    }
}
