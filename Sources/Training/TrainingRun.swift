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
    private let precision: Precision
    private let checkpointInterval: Double
    private let folder: String
    private let settings: String

    private let sampler: PatchSampler
    private let validation: Validation
    private let network: Network
    private let loss: TargetLoss
    private let optimizer: any Optimizer
    private var state: Checkpoint.State
    /// The first checkpoint comes after the first step, so that the disk is known to take one.
    private var saved = Date.distantPast
    private var recent = RecentSteps()

    init(_ plan: MemberTraining, folder: String, settings: String) throws {
        let graph = try plan.network.graph()
        let heads = plan.target.channels(voxelSize: plan.volumes[0].voxelSize, dimensions: graph.dimensions)
        let outputs = heads.flatMap { $0 }
        try plan.training.validate(
            for: graph, channels: plan.volumes.map(\.channels.count), outputs: outputs.count)
        loss = TargetLoss(plan.training.loss, heads: heads, graph)
        training = plan.training
        member = plan.member
        device = plan.device
        precision = plan.precision
        checkpointInterval = plan.checkpointInterval
        self.folder = folder
        self.settings = settings

        let weighting = training.border
        let volumes = plan.volumes.map { PreparedVolume($0, weighting: weighting, threads: plan.threads) }
        sampler = try PatchSampler(
            volumes: volumes, outputs: outputs, isBalanced: training.isBalanced,
            heldBack: volumes.indices.map { plan.split.heldBack(from: plan.member, volume: $0) },
            patch: training.patch, margin: TileGeometry(graph, patch: training.patch).margin, seed: training.seed,
            member: member)
        validation = Validation(
            plan.split.validation[member], volumes: volumes, heads: heads, threads: plan.threads)

        var fresh = try Self.start(plan)
        state = Checkpoint.State(step: 0, recorder: CurveRecorder(member: member))
        do {
            let path = folder + "/" + Checkpoint.name
            if let found = try Checkpoint.read(path, into: fresh.network, fresh.optimizer, settings: settings) {
                state = found
            }
        } catch let error as Checkpoint.Unusable {
            fresh = try Self.start(plan)
            recent.note = error.description
        }
        (network, optimizer) = fresh
    }

    /// The network and its optimizer before the first step.
    private static func start(_ plan: MemberTraining) throws -> (network: Network, optimizer: any Optimizer) {
        let training = plan.training
        // Step -1 is used for no patch.
        var random = SampleRandom(seed: training.seed, member: plan.member, step: -1, index: -1)
        let network = try Network(plan.network, seed: random.next(), device: plan.device)
        let optimizer: any Optimizer =
            switch training.optimizer {
            case .adamW:
                try AdamW(network.parameters, rate: training.learningRate, decay: training.weightDecay)
            case .sgd:
                try SGD(
                    network.parameters, rate: training.learningRate, momentum: training.momentum,
                    decay: training.weightDecay)
            }
        return (network, optimizer)
    }

    func train(shouldStop: () -> Bool, report: (TrainingProgress) -> Void) throws {
        let (sampler, training) = (sampler, training)
        let queue = PatchQueue(steps: state.step..<training.steps, ahead: 4, threads: 1) { step in
            (0..<training.batch).map { index in
                sampler.patch(
                    step: step, index: index, oversampling: training.foregroundOversampling,
                    augmentation: training.augmentation)
            }
        }
        defer { queue.stop() }
        network.mode = .training
        while state.step < training.steps {
            if shouldStop() {
                try save()
                throw Interrupted(done: state.step, total: training.steps)
            }
            let start = Date()
            let loss = try step(queue.next())
            state.step += 1
            state.recorder.add(loss)
            recent.add(loss, seconds: Date().timeIntervalSince(start))
            // The last point belongs to `finish`.
            if state.step < training.steps { try recordPoint() }
            report(progress())
            if Date().timeIntervalSince(saved) > checkpointInterval { try save() }
        }
    }

    /// One step of the optimizer; gives the loss before it. All tensors of the step are gone when it returns.
    private func step(_ patches: [TrainingPatch]) throws -> Double {
        let batch = try Batch(patches, dimensions: network.graph.dimensions, device: device)
        let outputs = try withAutocast(precision, on: device) { try network.outputs(batch.image) }
        let loss = try loss.value(outputs: outputs, batch: batch)
        let value = Double(try loss.item())
        guard value.isFinite else { throw TrainingDiverged(member: member, step: state.step + 1) }
        try optimizer.clearGradients()
        try loss.backward()
        let norm = try optimizer.clipGradients(toNorm: training.gradientClipping)
        guard norm.isFinite else { throw TrainingDiverged(member: member, step: state.step + 1) }
        optimizer.rate = rate(state.step)
        try optimizer.step()
        return value
    }

    private func rate(_ step: Int) -> Double {
        training.schedule.rate(training.learningRate, step: step, steps: training.steps)
    }

    /// Adds a point to the curve where one is due after the steps done.
    private func recordPoint() throws {
        func isDue(_ points: Int) -> Bool {
            state.step * points / training.steps > (state.step - 1) * points / training.steps
        }
        let validates = isDue(training.validations)
        guard validates || isDue(TrainingConfiguration.curvePoints) else { return }
        let score = validates ? try validate() : nil
        state.recorder.point(step: state.step, rate: rate(state.step - 1), validation: score)
        try writeCurve()
    }

    /// Scores the network, with the statistics it will have, on the member's validation block.
    private func validate() throws -> ValidationScore {
        try takeStatistics()
        network.mode = .evaluation
        defer { network.mode = .training }
        let predictor = try Predictor(
            network: network, patch: training.patch, precision: precision, device: device)
        // About the memory of a training step, but never less than a small tile.
        let small = max(4 * training.batch * training.patch.count, predictor.geometry.smallTile.count)
        let tile = predictor.geometry.isExact ? small : TileGeometry.fixedTileVoxels
        return try validation.score(predictor, maximumTileVoxels: tile)
    }

    /// Replaces the running averages by the statistics of the training part, where that is asked for: all of it after
    /// the last step, some patches for validations on the way.
    private func takeStatistics() throws {
        guard case .population(let count) = training.statistics else { return }
        let sampled = count ?? (state.step < training.steps ? Self.patchesForValidation : nil)
        let places = sampled == nil ? sampler.cover : []
        let patches = sampled ?? places.count
        let augmentation = training.augmentation.symmetries
        network.mode = .population
        try withoutGradients {
            for batch in batches(of: patches) {
                let taken = batch.map { index in
                    sampled == nil
                        ? sampler.image(at: places[index])
                        // Step -2 is used for no step of training.
                        : sampler.patch(step: -2, index: index, oversampling: 0, augmentation: augmentation)
                }
                let image = try Batch(taken, dimensions: network.graph.dimensions, device: device).image
                // Every output: those that only help training have normalizations of their own.
                _ = try withAutocast(precision, on: device) { try network.outputs(image) }
            }
        }
        try network.storePopulationStatistics()
    }

    /// A batch never has a single patch where those of training have more, for then there may be a single value to
    /// normalize over.
    private func batches(of patches: Int) -> [[Int]] {
        var batches = stride(from: 0, to: patches, by: training.batch).map {
            Array($0..<min($0 + training.batch, patches))
        }
        guard training.batch > 1, let last = batches.last, last.count == 1 else { return batches }
        batches.removeLast()
        guard let before = batches.popLast() else { return [last + last] }
        return batches + [before + last]
    }

    private static let patchesForValidation = 32

    /// Last statistics, last validation, curve and weights.
    func finish(_ result: TrainedMember, report: (TrainingProgress) -> Void) throws {
        let score = try validate()
        state.recorder.point(step: state.step, rate: rate(state.step - 1), validation: score)
        report(progress())
        try writeCurve()
        let metadata = [
            "settings": settings, "training": try sortedJSON(training), "member": String(member),
            "precision": precision.rawValue,
        ]
        try NetworkFile.write(network, to: result.weights, metadata: metadata)
        try? FileManager.default.removeItem(atPath: folder + "/" + Checkpoint.name)
    }

    private func save() throws {
        try Checkpoint.write(
            to: folder + "/" + Checkpoint.name, state, network: network, optimizer: optimizer, settings: settings)
        saved = Date()
    }

    private func writeCurve() throws {
        try AtomicFile.write(Data(sortedJSON(state.recorder.curve).utf8), to: folder + "/curve.json")
    }

    private func progress() -> TrainingProgress {
        TrainingProgress(
            member: member, step: state.step, steps: training.steps, loss: recent.loss,
            validation: state.recorder.curve.lastValidation, secondsPerStep: recent.secondsPerStep,
            note: recent.takeNote())
    }
}

/// Averages over the last steps, for people to look at.
private struct RecentSteps {
    var note: String?
    private var losses: [Double] = []
    private var seconds: [Double] = []

    mutating func add(_ loss: Double, seconds: Double) {
        losses = losses.suffix(19) + [loss]
        self.seconds = self.seconds.suffix(19) + [seconds]
    }

    var loss: Double { losses.reduce(0, +) / Double(max(1, losses.count)) }
    /// The median, which the first step and a checkpoint do not move.
    var secondsPerStep: Double? { seconds.isEmpty ? nil : seconds.sorted()[seconds.count / 2] }

    mutating func takeNote() -> String? {
        defer { note = nil }
        return note
    }
}
