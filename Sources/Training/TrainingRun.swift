import Foundation
import Inference
import Networks
import Tensors
import Volumes

/// The state of a member in training.
final class TrainingRun {
    private let training: TrainingConfiguration
    private let member: Int
    private let device: Device
    private let samplingThreads: Int
    private let precision: Precision
    private let checkpointInterval: Double
    private let folder: String
    private let settings: String

    private let sampler: PatchSampler
    private let validation: Validation
    private let learner: Learner
    private let kept: KeptWeights
    private var state: Checkpoint.State
    /// The first checkpoint comes after the first step, so that the disk is known to take one.
    private var saved = Date.distantPast
    private var recent = RecentSteps()

    init(_ plan: MemberTraining, folder: String, settings: String) throws {
        let graph = try plan.network.graph()
        let (heads, outputs) = (plan.heads, plan.channels)
        try plan.training.validate(
            for: graph, channels: plan.volumes.map(\.channels.count), outputs: outputs.count)
        training = plan.training
        member = plan.member
        device = plan.device
        samplingThreads = plan.samplingThreads
        precision = plan.precision
        checkpointInterval = plan.checkpointInterval
        self.folder = folder
        self.settings = settings

        // The foreground alone has weights of its own.
        let weighting = outputs.contains(.foreground) ? training.border : .none
        let volumes = plan.volumes.map {
            PreparedVolume($0, weighting: weighting, dimensions: graph.dimensions, threads: plan.threads)
        }
        sampler = try plan.sampler(of: volumes, graph)
        validation = Validation(
            plan.split.validation[member], volumes: volumes, heads: heads, labelling: plan.labelling,
            threads: plan.threads)

        let loss = TargetLoss(training.loss, heads: heads, graph)
        let learner = try Learner(plan, loss)
        kept = KeptWeights(folder: folder)
        let beginning = Checkpoint.State(step: 0, recorder: CurveRecorder(member: member))
        do {
            let found = try Checkpoint.read(folder + "/" + Checkpoint.name, into: learner, kept, settings: settings)
            state = found ?? beginning
            self.learner = learner
            if state.step > 0 { recent.note = "goes on after step \(grouped(state.step))" }
        } catch let error as Checkpoint.Unusable {
            state = beginning
            self.learner = try Learner(plan, loss)
            recent.note = error.description
        }
    }

    func train(shouldStop: () -> Bool, report: (TrainingProgress) -> Void) throws {
        let (sampler, training, device) = (sampler, training, device)
        let dimensions = learner.network.graph.dimensions
        let queue = BatchQueue(
            steps: state.step..<training.steps, ahead: max(1, max(4, samplingThreads) / training.accumulation),
            threads: samplingThreads
        ) { step in
            try (0..<training.accumulation).map { part in
                let patches = (0..<training.batch).map { index in
                    sampler.patch(
                        step: step, index: part * training.batch + index,
                        oversampling: training.foregroundOversampling, augmentation: training.augmentation)
                }
                return try HostBatch(patches, dimensions: dimensions, device: device)
            }
        }
        defer { queue.stop() }
        while state.step < training.steps, !isStale {
            if shouldStop() {
                try save()
                throw Interrupted(done: state.step, total: training.steps)
            }
            let start = Date()
            let batches = try queue.next()
            let ready = Date()
            guard let loss = try learner.step(state.step, batches) else {
                return try diverge(atStep: state.step + 1, report)
            }
            state.step += 1
            state.recorder.add(loss)
            recent.add(loss, seconds: Date().timeIntervalSince(start), waited: ready.timeIntervalSince(start))
            if isDue(TrainingConfiguration.curvePoints) || isDue(training.validations) {
                guard try recordPoint(batches) else { return try diverge(atStep: state.step, report) }
            }
            if state.kept?.isValidated != true, isPointToGoBackTo {
                try learner.withFinalWeights {
                    learner.network.mode = .evaluation
                    guard try learner.isFinite(on: batches) else { return }
                    try kept.keep(learner.network, step: state.step, &state.kept)
                }
            }
            report(progress())
            if Date().timeIntervalSince(saved) > checkpointInterval { try save() }
        }
    }

    /// Whether the weights of now are what a member goes back to that diverges before its first validation: those of
    /// every tenth of the steps, and before the first of these of steps 1, 2, 4, 8 and so on.
    private var isPointToGoBackTo: Bool {
        isDue(10) || state.step * 10 < training.steps && state.step.nonzeroBitCount == 1
    }

    /// Whether too many validations have passed without a better one.
    private var isStale: Bool {
        guard let patience = training.patience, let kept = state.kept else { return false }
        return kept.since >= patience
    }

    /// Whether one of `points`, evenly spaced over all steps, comes after the steps done.
    private func isDue(_ points: Int) -> Bool {
        state.step * points / training.steps > (state.step - 1) * points / training.steps
    }

    /// Adds a point to the curve, and keeps the weights where a validation says so.
    ///
    /// - Parameter batches: of the step before.
    /// - Returns: false where weights to validate give no finite loss on them.
    private func recordPoint(_ batches: [HostBatch]) throws -> Bool {
        var score: ValidationScore?
        if isDue(training.validations) {
            score = try learner.withFinalWeights {
                try takeStatistics(patches: state.step == training.steps ? nil : Self.patchesForValidation)
                learner.network.mode = .evaluation
                guard try learner.isFinite(on: batches) else { return nil }
                let score = try validate()
                try kept.consider(learner.network, step: state.step, score, training.kept, &state.kept)
                return score
            }
            guard score != nil else { return false }
        }
        state.recorder.point(step: state.step, rate: learner.rate(state.step - 1), validation: score)
        try writeCurve()
        return true
    }

    /// Scores the network as it is on the member's validation block.
    private func validate() throws -> ValidationScore {
        let predictor = try Predictor(
            network: learner.network, patch: training.patch, precision: precision, device: device)
        // About the memory of a training step, but never less than a small tile.
        let small = max(4 * training.batch * training.patch.count, predictor.geometry.smallTile.input.count)
        let most = predictor.geometry.isExact ? small : TileGeometry.fixedTileVoxels
        return try validation.score(predictor, limit: .voxels(most))
    }

    private func takeStatistics(patches: Int?) throws {
        guard case .population(let count) = training.statistics else { return }
        try PopulationStatistics(
            network: learner.network, sampler: sampler, training: training, precision: precision
        ).take(patches: count ?? patches)
    }

    private static let patchesForValidation = 32

    /// Ends the training with what was kept.
    private func diverge(atStep step: Int, _ report: (TrainingProgress) -> Void) throws {
        let diverged = TrainingDiverged(member: member, step: step)
        guard let kept = state.kept else { throw diverged }
        state.recorder.curve.ending = .diverged
        recent.note =
            "\(diverged); it ends with its weights of step \(grouped(kept.step)) of \(grouped(training.steps))"
        report(progress())
    }

    /// The weights that were kept, with the statistics of all of the training part, and the curve.
    func finish(_ result: TrainedMember, report: (TrainingProgress) -> Void) throws {
        guard let record = state.kept else { preconditionFailure("training ends with a validation") }
        try learner.network.load(kept.tensors(record))
        if record.step < training.steps { try takeStatistics(patches: nil) }
        if isStale && state.step < training.steps { state.recorder.curve.ending = .stale }
        state.recorder.curve.kept = record.step
        try writeCurve()
        let metadata = [
            "settings": settings, "training": try canonicalJSONText(training), "member": String(member),
            "precision": precision.rawValue,
        ]
        try NetworkFile.write(learner.network, to: result.weights, metadata: metadata)
        kept.removeAll(but: nil)
        try? FileManager.default.removeItem(atPath: folder + "/" + Checkpoint.name)
    }

    private func save() throws {
        try Checkpoint.write(
            to: folder + "/" + Checkpoint.name, state, learner, settings: settings)
        saved = Date()
        kept.removeAll(but: state.kept)
    }

    private func writeCurve() throws {
        try AtomicFile.write(canonicalJSON(state.recorder.curve), to: folder + "/" + TrainedMember.curveName)
    }

    private func progress() -> TrainingProgress {
        TrainingProgress(
            member: member, step: state.step, steps: training.steps, loss: recent.loss,
            validation: state.recorder.curve.lastValidation, secondsPerStep: recent.secondsPerStep,
            waiting: recent.waiting, note: recent.takeNote())
    }
}

/// Averages over the last steps, for people to look at.
private struct RecentSteps {
    var note: String?
    private var losses: [Double] = []
    private var seconds: [Double] = []

    private var total = 0.0
    private var waited = 0.0

    mutating func add(_ loss: Double, seconds: Double, waited: Double) {
        // The first patches nothing could be done beside.
        if !losses.isEmpty {
            total += seconds
            self.waited += waited
        }
        losses = losses.suffix(19) + [loss]
        self.seconds = self.seconds.suffix(19) + [seconds]
    }

    var waiting: Double { total > 0 ? waited / total : 0 }
    var loss: Double { losses.reduce(0, +) / Double(max(1, losses.count)) }
    /// The median, which the first step and a checkpoint do not move.
    var secondsPerStep: Double? { seconds.isEmpty ? nil : seconds.sorted()[seconds.count / 2] }

    mutating func takeNote() -> String? {
        defer { note = nil }
        return note
    }
}
