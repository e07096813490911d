import Foundation
import Networks
import Tensors
import Volumes

/// What the command line may set for one run, over the pipeline file.
public struct RunOptions: Sendable {
    public var workFolder: String?
    public var device: Device.Choice?
    public var threads: Int?
    /// Bytes that the run may take.
    public var memory: Int?
    /// This program, for reading outside files in a process of its own; nil reads them in this one.
    public var executable: String?

    public init(
        workFolder: String? = nil, device: Device.Choice? = nil, threads: Int? = nil, memory: Int? = nil,
        executable: String? = nil
    ) {
        self.workFolder = workFolder
        self.device = device
        self.threads = threads
        self.memory = memory
        self.executable = executable
    }
}

/// A pipeline file with its work folder: what can be run, planned, verified and cleaned.
public struct PipelineRun {
    public let file: PipelineFile
    public let workFolder: String
    let plan: Plan
    let cache: StageCache
    let execution: Execution
    private let precision: ChosenPrecision
    let options: RunOptions

    /// Reads the pipeline file and digests its sources; computes nothing else.
    ///
    /// - Throws: `PipelineFault` or `FileFault`, in one line.
    public init(_ path: String, options: RunOptions) throws {
        file = try PipelineFile(reading: path, executable: options.executable)
        self.options = options
        workFolder =
            options.workFolder.map {
                SourceLocation.absolute($0, relativeTo: FileManager.default.currentDirectoryPath)
            } ?? file.workFolder
        cache = StageCache(root: workFolder)
        var precision = ChosenPrecision(workFolder: workFolder)
        execution = try Execution(file.execution, options, &precision)
        self.precision = precision
        let digests = SourceDigests(rememberingIn: workFolder + "/sources.json")
        plan = try Plan(
            file, digests: digests, cache: cache, precision: execution.precision, executable: options.executable)
        if FileManager.default.fileExists(atPath: workFolder) {
            try? digests.save()
            try? precision.save()
        }
    }

    /// For example `larva: train on 1 volume, segment 2 · 5 members · cpu (2 threads, bf16) · …`.
    public var headline: String {
        let free = Bytes.format(Machine.freeDisk(at: workFolder))
        return "\(file.name): \(file.origin), segment \(volumeCount) · \(file.ensemble.members) "
            + "member\(file.ensemble.members == 1 ? "" : "s") · \(execution.description) · "
            + "memory \(Bytes.format(execution.memory.total)) · \(shortened(workFolder)), \(free) free"
    }

    /// What a plan and a run begin with, a line each.
    ///
    /// - Throws: `PipelineFault` or `FileFault`, in one line, where the network does not suit the training volumes.
    public func introduction() throws -> [String] {
        let network = try network()
        let notes = file.notes + (try memoryNote().map { [$0] } ?? [])
        return [headline] + (network.map { ["network: \($0)"] } ?? []) + notes.map { "note: \($0)" }
    }

    /// What is resampled, before any of it is.
    public var notes: [PlanNote] { plan.notes }

    /// The volumes to segment, those included of which a file is missing.
    public var volumeCount: Int { plan.volumes.count + plan.failures.count }

    /// What a run produced.
    public struct Outcome: Sendable {
        public var volumes: [VolumeResult]
        public var failures: [VolumeFailure]
        /// Why the results may not be good ones, in one clause each.
        public var doubts: [String] = []
        /// nil where the run ended before the report.
        public var report: String?
    }

    public struct VolumeResult: Sendable {
        public var name: String
        public var objects: Int
        public var labels: String
        public var scores: VolumeScores?
        /// What people must know to open the labels, if anything.
        public var advice: String?
    }

    /// Runs the stages up to `last`; goes on from what is there.
    ///
    /// - Parameter members: whose predictions are made, where nothing after them is, counted from 0; nil for all.
    public func run(
        until last: Stage = .report, members: [Int]? = nil, shouldStop: @escaping () -> Bool,
        observe: @escaping (RunEvent) -> Void
    ) throws -> Outcome {
        precondition(members == nil || last <= .predict)
        try AtomicFile.makeFolder(workFolder)
        let lock = try WorkFolderLock(workFolder)
        defer { lock.release() }
        try checkMemory(until: last)
        try precision.save()
        try execution.apply()
        let context = context(shouldStop: shouldStop)
        var runner = Runner(plan: plan, context: context, observe: observe)
        try runner.run(until: last, members: members)
        guard last >= .export else { return Outcome(volumes: [], failures: runner.failures, report: nil) }
        let failed = Set(runner.failures.map(\.volume))
        let volumes = plan.volumes.filter { !failed.contains($0.entry.name) }
        // Without a volume nothing was trained either.
        guard !volumes.isEmpty else { return Outcome(volumes: [], failures: runner.failures, report: nil) }
        return Outcome(
            volumes: try volumes.map { try result(of: $0, context, scored: last >= .evaluate) },
            failures: runner.failures, doubts: try plan.doubts(context),
            report: last >= .report ? shortened(file.resultsFolder + "/report.html") : nil)
    }

    func context(shouldStop: @escaping () -> Bool) -> StepContext {
        StepContext(cache: cache, execution: execution, executable: options.executable, shouldStop: shouldStop)
    }

    /// Does one step, for a run that holds the lock of the work folder.
    func perform(
        stepOfKey key: String, shouldStop: @escaping () -> Bool, report: @escaping (StepProgress) -> Void
    ) throws {
        guard let step = plan.steps.first(where: { $0.key == key }) else {
            throw FileFault(file.path, "it, or a file that it names, changed while it ran; run again")
        }
        try execution.apply()
        let context = context(shouldStop: shouldStop)
        context.report = report
        try Runner(plan: plan, context: context, observe: { _ in }).perform(step, start: Date())
    }

    private func result(
        of volume: Plan.PlannedVolume, _ context: StepContext, scored: Bool
    ) throws -> VolumeResult {
        let objects = try volume.labels.record(context).objects
        let name =
            file.export.formats.contains(.tiff)
            ? "labels.tif" : file.export.formats.contains(.hdf5) ? "labels.h5" : ExportStep.containerName
        return VolumeResult(
            name: volume.entry.name, objects: objects, labels: shortened("\(volume.export.folder)/\(name)"),
            scores: scored ? try volume.evaluate?.scores(context) : nil,
            advice: try volume.export.advice(context))
    }

    // MARK: Plan, status, clean

    /// The network that the training volumes ask for, known from their headers, or the model's, in a line: for example
    /// `unet in 3D, 1,401,265 parameters, sees z 100 × y 100 × x 100 voxels, 14.1 G multiply-adds a patch`.
    ///
    /// - Returns: nil where the first of those volumes cannot be opened, which ingest will say.
    /// - Throws: `PipelineFault` or `FileFault`, in one line, where it does not suit them.
    private func network() throws -> String? {
        guard let network = try plan.network()?.configuration else { return nil }
        let summary = try NetworkSummary(
            network, input: Array(file.training.patch.array.suffix(network.dimensions)))
        func times(_ extents: [Int]) -> String { extents.map(String.init).joined(separator: "×") }
        let work = Double(summary.multiplyAdds) * (network.dimensions == 2 ? Double(file.training.patch.z) : 1)
        return "\(summary.name) in \(network.dimensions)D, \(grouped(summary.parameters)) parameters, sees "
            + "\(times(summary.receptiveField)) voxels, \(String(format: "%.3g", work / 1e9)) G multiply-adds a patch of "
            + times(file.training.patch.array)
    }

    /// A line of `segment plan` and `segment status`.
    public struct StepState: Codable, Sendable {
        public var stage: Stage
        public var subject: String
        /// Whether it is in the cache, whole.
        public var isKept: Bool
        public var isDamaged: Bool
        /// `kept`, or why it is not.
        public var reason: String
        /// How long it took the last time, in seconds, where that is known.
        public var lastSeconds: Double?
    }

    /// The report's step is the one of a run without failures.
    private var allSteps: [any Step] {
        let report = try? ReportStep(plan, volumes: plan.volumes, failures: plan.failures)
        return plan.steps + (report.map { [$0] } ?? [])
    }

    /// The state of every step.
    ///
    /// - Parameter verifying: reads every cached file and compares it with its digest.
    public func states(verifying: Bool = false) -> [StepState] {
        var rerun: Set<String> = []
        let failures = plan.failures.map { failure in
            StepState(
                stage: .ingest, subject: failure.volume, isKept: false, isDamaged: false,
                reason: "fails: \(failure.problem)")
        }
        return failures
            + allSteps.map { step in
                let state = cache.state(of: step, thoroughly: verifying)
                var reason = plan.reason(for: step, state, cache)
                if state == .complete, let cause = step.dependencies.first(where: { rerun.contains($0.key) }) {
                    reason = "kept, though \(cause.title) runs again"
                }
                if state != .complete { rerun.insert(step.key) }
                return StepState(
                    stage: step.stage, subject: step.subject, isKept: state == .complete,
                    isDamaged: state.isDamaged,
                    reason: reason, lastSeconds: cache.record(of: step)?.seconds)
            }
    }

    /// Outputs in the work folder that this pipeline file no longer asks for, with their sizes in bytes.
    public func leftovers() -> [(path: String, bytes: Int)] {
        let wanted = Set(allSteps.flatMap { [cache.folder(of: $0), cache.partialFolder(of: $0)] })
        return outputs().filter { !wanted.contains($0.path) }
    }

    /// Every output in the work folder, with its size in bytes.
    public func outputs() -> [(path: String, bytes: Int)] {
        cache.outputs().map { ($0, sizeOfFolder($0)) }
    }

    /// Removes outputs of the work folder; results are never removed.
    public func remove(_ outputs: [String]) throws {
        let lock = try WorkFolderLock(workFolder)
        defer { lock.release() }
        for path in outputs {
            do {
                try FileManager.default.removeItem(atPath: path)
            } catch {
                throw FileFault(path, "cannot be removed: \(error.localizedDescription)")
            }
        }
    }
}

/// A path as short as it can be said from the current folder.
func shortened(_ path: String) -> String {
    let here = FileManager.default.currentDirectoryPath + "/"
    return path.hasPrefix(here) ? String(path.dropFirst(here.count)) : path
}

func sizeOfFolder(_ path: String) -> Int {
    guard let walk = FileManager.default.enumerator(atPath: path) else { return 0 }
    return walk.compactMap { $0 as? String }.reduce(0) { $0 + (FileStamp(path + "/" + $1)?.size ?? 0) }
}
