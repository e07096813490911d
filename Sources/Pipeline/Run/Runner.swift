import Foundation
import Volumes

/// What happens during a run, for whoever shows it.
public enum RunEvent: Sendable {
    /// All steps of a stage are in the cache.
    case kept(Stage, count: Int)
    /// A step starts; `reason` says why it is not kept.
    case started(Stage, subject: String, index: Int, count: Int, reason: String)
    case progress(Stage, subject: String, index: Int, count: Int, StepProgress)
    /// Several steps of a stage are under way; the progress is of all that were not kept.
    case together(Stage, done: Int, count: Int, StepProgress)
    case finished(Stage, subject: String, index: Int, count: Int, seconds: Double)
    /// Something people should know, for example that a damaged output is redone.
    case note(String)
    case failed(volume: String, problem: String)

    /// nil for what is of no stage.
    var stage: Stage? {
        switch self {
        case .kept(let stage, _), .started(let stage, _, _, _, _), .progress(let stage, _, _, _, _),
            .together(let stage, _, _, _), .finished(let stage, _, _, _, _):
            stage
        case .note, .failed: nil
        }
    }
}

/// Runs a plan on this machine, stage by stage, keeping what the cache has.
struct Runner {
    let plan: Plan
    let context: StepContext
    let observe: (RunEvent) -> Void

    /// Volumes that failed, with the reason. One volume's failure does not stop the others.
    private(set) var failures: [VolumeFailure] = []

    init(plan: Plan, context: StepContext, observe: @escaping (RunEvent) -> Void) {
        self.plan = plan
        self.context = context
        self.observe = observe
        failures = plan.failures
    }

    /// Runs every stage up to `last`.
    ///
    /// - Parameter members: whose predictions are made, counted from 0; nil for all.
    mutating func run(until last: Stage, members: [Int]? = nil) throws {
        func isWanted(_ step: any Step) -> Bool {
            guard let members, let prediction = step as? PredictStep else { return true }
            return members.contains(prediction.member.member)
        }
        for failure in failures { observe(.failed(volume: failure.volume, problem: failure.problem)) }
        for stage in Stage.allCases where stage <= last && stage != .report {
            if stage > .ingest && !isAnyLeft { break }
            try run(stage, plan.steps.filter { $0.stage == stage && isWanted($0) })
            if stage == .ingest {
                try plan.checkNetwork(context)
                try checkVolumes()
                if !isAnyLeft {
                    observe(
                        .note(
                            "no volume is left to segment, so nothing is \(plan.file.learns ? "trained" : "done")"))
                }
            }
            if stage == .resample { try checkAnnotation() }
        }
        let whole = plan.volumes.filter { !isFailed($0.entry.name) }
        if last >= .report && !whole.isEmpty {
            try run(.report, [ReportStep(plan, volumes: whole, failures: failures)])
        }
    }

    /// Reads the annotated volumes into the cache, and nothing else.
    mutating func ingestTrainingData() throws {
        try run(.ingest, plan.data.ingests)
        try run(.resample, plan.data.volumes.filter { $0.stage == .resample })
    }

    private mutating func checkVolumes() throws {
        for volume in plan.volumes where !isFailed(volume.entry.name) {
            do {
                try volume.check(context)
            } catch let fault as FileFault {
                fail([volume.entry.name], fault)
            }
        }
    }

    /// Before the first member of those that are left is trained.
    private func checkAnnotation() throws {
        let untrained = plan.trains.filter { context.cache.state(of: $0) != .complete }
        if untrained.isEmpty { return }
        for note in try redoingDamage({ try plan.checkAnnotation(for: untrained, context) }) {
            observe(.note(note))
        }
    }

    private var isAnyLeft: Bool { plan.volumes.contains { !isFailed($0.entry.name) } }

    private mutating func run(_ stage: Stage, _ steps: [any Step]) throws {
        guard !steps.isEmpty else { return }
        if stage == .train, try runSideBySide(steps) { return }
        var kept = 0
        for group in Self.groups(of: steps) {
            if context.shouldStop() { throw Interruption() }
            let volumes = plan.volumes(needing: steps[group[0]])
            if let volumes, volumes.allSatisfy(isFailed) { continue }
            let states = group.map { context.cache.state(of: steps[$0]) }
            let works = zip(group, states).filter { $1 != .complete }.map { Work(steps[$0], index: $0, state: $1) }
            kept += group.count - works.count
            if works.isEmpty { continue }
            do {
                try run(works, count: steps.count)
            } catch {
                guard let volumes, isOwnFault(error) else { throw error }
                for work in works { context.cache.note(failure: "\(error)", of: work.step) }
                fail(volumes, error)
            }
        }
        if kept == steps.count { observe(.kept(stage, count: kept)) }
    }

    /// A step that is not kept, and its place among those of its stage.
    private struct Work {
        let step: any Step
        let index: Int
        let state: StageCache.State

        init(_ step: any Step, index: Int, state: StageCache.State) {
            (self.step, self.index, self.state) = (step, index, state)
        }
    }

    /// The places of steps that are done together: members that predict one volume, whose image is then read once.
    private static func groups(of steps: [any Step]) -> [[Int]] {
        var groups: [[Int]] = []
        for (index, step) in steps.enumerated() {
            if let last = groups.last, step is PredictStep, step.volume == steps[last[0]].volume {
                groups[groups.count - 1].append(index)
            } else {
                groups.append([index])
            }
        }
        return groups
    }

    /// Does what is not kept of steps that share nothing, several at a time, where that was asked for.
    ///
    /// - Returns: Whether there is nothing left to do.
    private func runSideBySide(_ steps: [any Step]) throws -> Bool {
        let atOnce = min(context.membersAtOnce, steps.count)
        guard atOnce > 1, let executable = context.executable else { return false }
        let together = SideBySide(
            pipeline: plan.file.path, executable: executable, context: context, atOnce: atOnce, count: steps.count,
            observe: observe)
        return try redoingDamage {
            let states = steps.map { context.cache.state(of: $0) }
            let left = steps.indices.filter { states[$0] != .complete }
            if left.isEmpty { return false }
            for index in left where states[index].isDamaged { try context.cache.reopen(steps[index]) }
            context.forgetAnnotation()
            try together.run(
                left.map { .init(step: steps[$0], index: $0, reason: reason(steps[$0], states[$0])) })
            return true
        }
    }

    /// Does work, and again after what it read was found damaged and is redone.
    @discardableResult
    private func redoingDamage<Result>(_ work: () throws -> Result) throws -> Result {
        for _ in 0...plan.steps.count {
            do {
                return try work()
            } catch let damage as DamagedStore {
                try redo(after: damage)
            }
        }
        throw FileFault(context.cache.root, "what is read there is damaged again each time it is redone")
    }

    private func isFailed(_ volume: String) -> Bool { failures.contains { $0.volume == volume } }

    /// Whether an error is a volume's own, whatever it is: too large for the memory, say. A full disk is everyone's.
    private func isOwnFault(_ error: any Error) -> Bool {
        if error is Interruption { return false }
        return (error as? FileFault)?.isOfOutput(plan, context.cache) != true
    }

    private mutating func fail(_ volumes: [String], _ error: any Error) {
        for volume in volumes where !isFailed(volume) {
            failures.append(VolumeFailure(volume: volume, problem: "\(error)"))
            observe(.failed(volume: volume, problem: "\(error)"))
        }
    }

    /// Runs steps that are done together; damage in what they read is redone first, and they are tried again.
    private func run(_ works: [Work], count: Int) throws {
        for work in works { if case .damaged = work.state { try context.cache.reopen(work.step) } }
        let (first, last) = (works[0], works[works.count - 1])
        let steps = works.map(\.step)
        let subject = subject(of: steps)
        let stage = first.step.stage
        observe(
            .started(
                stage, subject: subject, index: last.index, count: count, reason: reason(first.step, first.state)))
        let start = Date()
        context.report = { [observe] progress in
            if let note = progress.note { observe(.note("\(stage.rawValue) \(subject): \(note)")) }
            observe(.progress(stage, subject: subject, index: last.index, count: count, progress))
        }
        try redoingDamage { try perform(steps, start: start) }
        let seconds = Date().timeIntervalSince(start)
        observe(.finished(stage, subject: subject, index: last.index, count: count, seconds: seconds))
    }

    private func subject(of steps: [any Step]) -> String {
        guard steps.count > 1 else { return steps[0].subject }
        let members = steps.compactMap { ($0 as? PredictStep)?.member.member }.map { "\($0 + 1)" }
        return "\(steps[0].volume ?? "the calibration block"), members \(members.joined(separator: ", "))"
    }

    func perform(_ step: any Step, start: Date) throws { try perform([step], start: start) }

    private func perform(_ steps: [any Step], start: Date) throws {
        let folders = try steps.map { try context.cache.begin($0) }
        var results: Results?
        if let predictions = steps as? [PredictStep] {
            try PredictStep.run(zip(predictions, folders).map { ($0, $1) }, context)
        } else {
            results = try steps[0].run(in: folders[0], context)
        }
        let seconds = Date().timeIntervalSince(start) / Double(steps.count)
        for (step, folder) in zip(steps, folders) {
            try AtomicFile.write(
                try readableJSON(StepRecord(seconds: seconds, context)), to: folder + "/" + StepRecord.name)
            try context.cache.finish(step, results: results)
        }
    }

    /// Redoes the step that wrote a damaged file.
    private func redo(after damage: DamagedStore) throws {
        guard let producer = plan.steps.first(where: { damage.path.hasPrefix(context.cache.folder(of: $0) + "/") })
        else { return try discardPartial(after: damage) }
        let name = damage.path.dropFirst(context.cache.folder(of: producer).count + 1)
        observe(.note("\(producer.title): \(name) is damaged (\(damage.problem)); doing it again"))
        let report = context.report
        defer { context.report = report }
        context.report = { _ in }
        try context.cache.reopen(producer)
        try run([Work(producer, index: 0, state: .partial)], count: 1)
    }

    /// Work in progress that is damaged is begun anew.
    private func discardPartial(after damage: DamagedStore) throws {
        guard
            let step = plan.steps.first(where: { damage.path.hasPrefix(context.cache.partialFolder(of: $0) + "/") })
        else { throw FileFault(damage.path, damage.problem) }
        observe(.note("\(step.title): what an earlier run left is damaged (\(damage.problem)); beginning anew"))
        try FileManager.default.removeItem(atPath: context.cache.partialFolder(of: step))
    }

    private func reason(_ step: any Step, _ state: StageCache.State) -> String {
        plan.reason(for: step, state, context.cache)
    }
}

extension Plan {
    /// Why a step is not kept, in a few words.
    func reason(for step: any Step, _ state: StageCache.State, _ cache: StageCache) -> String {
        switch state {
        case .complete: return "kept"
        case .partial: return cache.failure(of: step).map { "failed in the last run: \($0)" } ?? "goes on"
        case .damaged(let files):
            let what = step.stage == .export || step.stage == .evaluate ? "was deleted or altered" : "is damaged"
            return "\(files.first ?? "its manifest") \(what)"
        case .absent: break
        }
        guard let earlier = cache.previous(of: step) else { return "new" }
        let changes = step.ingredients.changes(since: earlier, lines: file.place(of:))
        guard !changes.isEmpty else { return "new" }
        let rest = changes.count > 4 ? changes.count - 3 : 0
        return changes.prefix(changes.count - rest).joined(separator: "; ")
            + (rest > 0 ? "; and \(rest) more changes" : "")
    }
}

extension FileFault {
    /// Whether the fault is of a file that segment writes, such as a full disk: it is no volume's own.
    fileprivate func isOfOutput(_ plan: Plan, _ cache: StageCache) -> Bool {
        [cache.root, plan.file.resultsFolder].contains { file == $0 || file.hasPrefix($0 + "/") }
    }
}

/// How a step went; kept with its output, and no part of its key.
struct StepRecord: Codable {
    var seconds: Double
    var device: String
    var precision: String
    var threads: Int
    /// Of this process so far, in bytes.
    var peakMemory: Int
    /// ISO 8601.
    var finished: String

    static let name = "run.json"

    init(seconds: Double, _ context: StepContext) {
        self.seconds = seconds
        device = context.device.rawValue
        precision = context.precision.rawValue
        threads = context.threads
        peakMemory = Machine.peakMemory
        finished = Date().formatted(.iso8601)
    }
}
