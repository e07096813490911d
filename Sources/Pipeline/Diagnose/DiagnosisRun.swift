import Diagnosis
import Foundation
import Networks
import Reports
import Tensors
import Volumes

/// What happens during a diagnosis, for whoever shows it.
public enum DiagnosisEvent: Sendable {
    /// What a pipeline's volumes need first.
    case preparing(RunEvent)
    /// With a few words on what it is.
    case started(String, subject: String, index: Int, count: Int)
    case progress(String, index: Int, count: Int, DiagnosisProgress)
    case finished(String, index: Int, count: Int, seconds: Double)
    /// Why an experiment was not made.
    case skipped(String, reason: String)
}

/// Runs experiments on a network and writes their report into a folder, after each of them anew; what the folder
/// holds of other experiments on the same network stays.
public struct DiagnosisRun {
    private let folder: String
    private let parts: [DiagnosisResults.Key]
    private let isExplicit: Bool

    /// - Parameter experiments: nil for those that take minutes.
    public init(folder: String, experiments: [Experiment]?) {
        self.folder = folder
        isExplicit = experiments != nil
        parts = experiments?.map(\.key) ?? Experiment.quick.map(\.key) + [.batchNormShort]
    }

    /// Diagnoses a pipeline's network, on its training volumes.
    ///
    /// - Throws: ``Interruption`` where the user asked to stop; `FileFault` where a file is at fault; `PipelineFault`
    ///   where nothing is trained.
    public func run(
        _ pipeline: PipelineRun, shouldStop: @escaping () -> Bool, observe: @escaping (DiagnosisEvent) -> Void
    ) throws -> DiagnosisResults {
        guard pipeline.file.learns else {
            throw PipelineFault(
                file: pipeline.file.path,
                problem: "learns from nothing, so there is no training to diagnose; give 'train'"
            )
        }
        try AtomicFile.makeFolder(folder)
        try AtomicFile.makeFolder(pipeline.workFolder)
        let lock = try WorkFolderLock(pipeline.workFolder)
        defer { lock.release() }
        try pipeline.execution.apply()
        let context = pipeline.context(shouldStop: shouldStop)
        var runner = Runner(plan: pipeline.plan, context: context, observe: { observe(.preparing($0)) })
        try runner.ingestTrainingData()
        try pipeline.plan.checkNetwork(context)
        return try run(DiagnosisSubject(pipeline, context), shouldStop: shouldStop, observe: observe)
    }

    /// Diagnoses a network without data.
    ///
    /// - Throws: ``Interruption`` where the user asked to stop; `FileFault` where a file is at fault.
    public func run(
        _ network: NetworkConfiguration, device: Device, threads: Int?, shouldStop: @escaping () -> Bool,
        observe: @escaping (DiagnosisEvent) -> Void
    ) throws -> DiagnosisResults {
        try AtomicFile.makeFolder(folder)
        let threads = threads ?? Machine.processors
        if device == .cpu { Libtorch.keepMemory() }
        try Libtorch.setThreads(threads)
        let subject = try DiagnosisSubject(network, device: device, threads: threads)
        try subject.requireMemory()
        return try run(subject, shouldStop: shouldStop, observe: observe)
    }

    private func run(
        _ subject: DiagnosisSubject, shouldStop: @escaping () -> Bool, observe: @escaping (DiagnosisEvent) -> Void
    ) throws -> DiagnosisResults {
        var results = DiagnosisResults(subject: subject.description)
        if let earlier = try DiagnosisResults(readingFrom: folder) {
            guard earlier.subject.digest == results.subject.digest else {
                throw FileFault(
                    folder,
                    "holds the diagnosis of another network or other data (\(earlier.subject.name)); "
                        + "give another folder with -o, or delete this one")
            }
            results = earlier
            results.subject = subject.description
        }
        results.explainWhatIsMissing()
        // A folder that cannot be written is known before anything is computed.
        try DiagnosisReport(results).write(to: folder)
        for (index, key) in parts.enumerated() {
            if shouldStop() { throw Interruption() }
            let name = key.rawValue
            observe(.started(name, subject: key.title, index: index, count: parts.count))
            let start = Date()
            do {
                try DiagnosisStep(subject, stateFolder: "\(folder)/state/\(name)", shouldStop: shouldStop) {
                    observe(.progress(name, index: index, count: parts.count, $0))
                }.run(key, into: &results)
                results.reasons[name] = nil
                let seconds = Date().timeIntervalSince(start)
                observe(.finished(name, index: index, count: parts.count, seconds: seconds))
            } catch let error as DiagnosisError {
                // One that was asked for by name is not left out in silence.
                if isExplicit { throw FileFault(name, error.description) }
                results.reasons[name] = error.description
                observe(.skipped(name, reason: error.description))
            } catch is DiagnosisStopped {
                // The quick ones begin anew.
                throw Interruption(place: key == .degradation || key == .batchNorm ? name : nil)
            }
            try DiagnosisReport(results).write(to: folder)
        }
        return results
    }
}

extension Experiment {
    fileprivate var key: DiagnosisResults.Key {
        switch self {
        case .signal: .signal
        case .gradients: .gradients
        case .paths: .paths
        case .batchNorm: .batchNorm
        case .degradation: .degradation
        }
    }
}

extension DiagnosisResults {
    /// Every key without a result has a reason.
    fileprivate mutating func explainWhatIsMissing() {
        for key in Key.allCases where !has(key) && reasons[key.rawValue] == nil {
            reasons[key.rawValue] =
                switch key {
                case .batchNormShort: "not run; it belongs to a run without --experiments"
                default: "not run; ask for it with --experiments \(key.rawValue)"
                }
        }
    }
}
