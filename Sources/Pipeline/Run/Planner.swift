import Foundation
import Tensors
import Volumes

/// The steps that a pipeline file asks for, each after those it reads, with every key known.
struct Plan {
    let file: PipelineFile
    /// All but the report, which depends on what succeeds.
    let steps: [any Step]
    let volumes: [PlannedVolume]
    let data: TrainingData
    let trains: [TrainStep]
    let calibrate: CalibrateStep?

    /// The steps of one volume to segment that its results are read from.
    struct PlannedVolume {
        let entry: VolumeEntry
        let image: IngestStep
        let consensus: ConsensusStep
        let labels: LabelStep
        let export: ExportStep
        let evaluate: EvaluateStep?

        /// Refuses, before anything is trained, a volume that the networks or its truth will not suit.
        func check(against data: TrainingData, _ context: StepContext) throws {
            let record = try image.record(context)
            let trained = try data.parts[0].image.record(context).voxelSize
            guard let size = record.voxelSize, let trained, size.agrees(with: trained, tolerance: 0.1) else {
                throw FileFault(
                    record.title,
                    "has voxels of \(record.voxelSize.map { "\($0)" } ?? "unknown size"), but the networks learn from "
                        + "\(trained.map { "\($0)" } ?? "unknown size"); resample it to that voxel size")
            }
            guard let truth = try evaluate?.truth.record(context), truth.shape != record.shape else { return }
            throw FileFault(
                truth.title, "has shape \(truth.shape), but its image \(record.title) has \(record.shape)")
        }
    }

    /// - Throws: `FileFault` where a source file is missing or cannot be read.
    init(_ file: PipelineFile, digests: SourceDigests, precision: Precision) throws {
        self.file = file
        var ingests = IngestSteps(voxelSize: file.voxelSize, digests: digests)
        let data = TrainingData(
            parts: try file.train.map { entry in
                TrainingData.Part(
                    image: try ingests.step(entry.image, .image), labels: try ingests.step(entry.labels, .labels),
                    mask: try entry.mask.map { try ingests.step($0, .mask) },
                    zeroIsUnlabelled: entry.zeroIsUnlabelled)
            }, ensemble: file.ensemble)
        self.data = data
        trains = try (0..<file.ensemble.members).map { member in
            try TrainStep(
                member: member, data: data, network: file.network, training: file.training, precision: precision)
        }
        var predictions: [PredictStep] = []
        if file.consensus.threshold == nil {
            predictions = try trains.map { try PredictStep(.calibration, member: $0) }
            calibrate = try CalibrateStep(
                predictions: predictions, data: data, agree: file.consensus.agree, label: file.label)
        } else {
            calibrate = nil
        }
        var volumes: [PlannedVolume] = []
        for entry in file.segment {
            let image = try ingests.step(entry.image, .image, volume: entry.name)
            let truth = try entry.truth.map { try ingests.step($0, .labels, volume: entry.name) }
            let logits = try trains.map { try PredictStep(.volume(image, name: entry.name), member: $0) }
            predictions += logits
            volumes.append(try Plan.volume(entry, image: image, truth: truth, logits: logits, file, calibrate))
        }
        self.volumes = volumes
        let calibrations: [any Step] = calibrate.map { [$0] } ?? []
        var steps: [any Step] = ingests.steps + trains + predictions + calibrations
        steps += volumes.map(\.consensus) + volumes.map(\.labels) as [any Step]
        steps += volumes.map(\.export) + volumes.compactMap(\.evaluate) as [any Step]
        self.steps = steps
    }

    /// Refuses, before anything is trained, a network that does not suit the training volumes.
    func checkNetwork(_ context: StepContext) throws {
        let images = try data.parts.map { try $0.image.record(context) }
        guard let voxelSize = images[0].voxelSize else { return }
        let network = try file.network.configuration(voxelSize: voxelSize)
        if network.dimensions == 3, let flat = images.first(where: { $0.shape.z == 1 }) {
            throw FileFault(
                flat.title, "is a single section; write dimensions: 2 below network: to learn from images")
        }
        try file.checkPatch(against: network)
    }

    /// Before training: the first volume that a patch does not fit into, in words.
    func noteOnPatch(_ context: StepContext) throws -> String? {
        guard trains.contains(where: { context.cache.state(of: $0) != .complete }) else { return nil }
        let patch = file.training.patch
        for part in data.parts {
            let shape = try part.image.record(context).shape
            guard zip(patch.array, shape.array).contains(where: { $0 > $1 }) else { continue }
            return "training.patch, \(patch), reaches beyond \(part.image.subject), \(shape): what is outside is "
                + "padded and does not count"
        }
        return nil
    }

    private static func volume(
        _ entry: VolumeEntry, image: IngestStep, truth: IngestStep?, logits: [PredictStep], _ file: PipelineFile,
        _ calibrate: CalibrateStep?
    ) throws -> PlannedVolume {
        let threshold: ConsensusStep.ThresholdSource =
            calibrate.map { .calibrated($0) } ?? .given(file.consensus.threshold!)
        let consensus = try ConsensusStep(
            name: entry.name, predictions: logits, agree: file.consensus.agree, threshold: threshold)
        let labels = try LabelStep(name: entry.name, consensus: consensus, settings: file.label)
        let export = try ExportStep(
            name: entry.name, labels: labels, image: image, settings: file.export, isScored: truth != nil,
            results: file.resultsFolder)
        let evaluate = try truth.map {
            try EvaluateStep(
                name: entry.name, labels: labels, truth: $0, image: image, results: file.resultsFolder)
        }
        return PlannedVolume(
            entry: entry, image: image, consensus: consensus, labels: labels, export: export, evaluate: evaluate)
    }
}

/// The files to ingest, each once however often it is named.
private struct IngestSteps {
    let voxelSize: VoxelSizeSetting?
    let digests: SourceDigests
    private(set) var steps: [IngestStep] = []

    init(voxelSize: VoxelSizeSetting?, digests: SourceDigests) {
        self.voxelSize = voxelSize
        self.digests = digests
    }

    mutating func step(
        _ source: SourceLocation, _ role: Ingest.Role, volume: String? = nil
    ) throws -> IngestStep {
        let digest: String
        do {
            digest = try digests.digest(of: source.path)
        } catch let fault as FileFault {
            throw FileFault(source.title, fault.problem)
        }
        let step = try IngestStep(
            Ingest(source: source, role: role, voxelSize: voxelSize), digest: digest, volume: volume)
        if let known = steps.first(where: { $0.key == step.key }) { return known }
        steps.append(step)
        return step
    }
}
