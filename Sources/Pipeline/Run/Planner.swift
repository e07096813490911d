import Foundation
import Tensors
import Volumes

/// The steps that a pipeline file asks for, each after those it reads, with every key known.
struct Plan {
    let file: PipelineFile
    /// All but the report, which depends on what succeeds.
    let steps: [any Step]
    let volumes: [PlannedVolume]
    /// Volumes that cannot be planned, for example since a file is missing.
    let failures: [VolumeFailure]
    /// What is resampled.
    let notes: [PlanNote]
    /// Without parts where nothing is learnt.
    let data: TrainingData
    let trains: [TrainStep]
    /// Those that predict: trained here, or a model's.
    let members: [any MemberStep]
    let threshold: ThresholdSource
    /// The voxel size that the networks work at; nil where it is not known.
    let resolution: VoxelSize?
    /// Of the first volume to learn from; nil where there is none, or its file cannot be opened.
    let firstShape: ZYX<Int>?
    /// Voxels of the volumes to learn from, as the networks see them.
    let annotatedVoxels: Int

    /// The steps of one volume to segment that its results are read from.
    struct PlannedVolume {
        let entry: VolumeEntry
        /// One an input of the network.
        let images: [IngestStep]
        /// The same as the networks see them.
        let seen: [any VolumeStep]
        let consensus: ConsensusStep
        let labels: LabelStep
        let export: ExportStep
        let evaluate: EvaluateStep?
        /// All that was read for it.
        let files: [IngestStep]

        /// Of the file and as the networks see it; nil where the file cannot be opened.
        let shapes: (own: ZYX<Int>, seen: ZYX<Int>)?

        /// The first input, by which people know the volume.
        var image: IngestStep { images[0] }

        /// Refuses, before anything is trained, a volume whose files do not fit together.
        func check(_ context: StepContext) throws {
            let record = try image.record(context)
            _ = try entry.roi?.box(in: record.shape, of: record.title, as: "roi")
            try labels.checkSmoothing(record)
            for further in files.dropFirst() { try further.record(context).check(fits: record) }
        }
    }

    /// - Parameters:
    ///   - cache: tells of files that are ingested already; others are looked into.
    ///   - executable: for looking into files; nil does so in this process.
    /// - Throws: `FileFault` where a file to learn from is missing or cannot be read, or a voxel is annotated twice.
    init(
        _ file: PipelineFile, digests: SourceDigests, cache: StageCache, precision: Precision, executable: String?
    ) throws {
        if let overlap = LabelOverlap.find(
            among: file.train,
            extent: { source, role in
                let ingest = Ingest(source: source, role: role, voxelSize: file.voxelSize)
                return try? InspectedFiles.inspect(ingest, voxels: false, executable: executable) { false }
                    .extent(source.subject)
            }
        ).first {
            throw overlap
        }
        self.file = file
        var ingests = IngestSteps(voxelSize: file.voxelSize, digests: digests, executable: executable)
        let headers = Headers(cache: cache, executable: executable)
        let first = try file.train.first.map { try ingests.step($0.image, .image) }
        let firstExtent = first.flatMap { headers.extent(of: $0) }
        let size = firstExtent?.voxelSize
        var seen = SeenVolumes(
            resolution: file.workingResolution(learningFrom: size), extent: headers.extent)
        resolution = file.resolution ?? size
        firstShape = firstExtent?.shape
        let data = TrainingData(
            parts: try file.train.map { entry in
                let images = try entry.images.map { try ingests.step($0, .image) }
                let labels = try ingests.step(entry.labels, .labels)
                let mask = try entry.mask.map { try ingests.step($0, .mask) }
                let part = TrainingData.Part(
                    images: images, labels: labels, mask: mask, unlabelled: entry.unlabelled,
                    place: entry.place)
                return try file.resolution == nil ? part : seen.part(part)
            }, ensemble: file.ensemble, context: file.training.patch, resolution: file.resolution)
        self.data = data
        annotatedVoxels = data.parts.reduce(0) { sum, part in
            sum + (headers.extent(of: part.image.source).map { seen.shapes(of: $0).seen.count } ?? 0)
        }
        let models = try file.model.map { model in
            try model.description.members.indices.map {
                try ModelMemberStep(model, member: $0, precision: precision)
            }
        }
        trains = try (0..<(file.learns ? file.ensemble.members : 0)).map { member in
            try TrainStep(
                member: member, data: data, target: file.target, network: file.network, training: file.training,
                label: file.label.making, start: models?[member], precision: precision)
        }
        let members: [any MemberStep] = file.learns ? trains : models ?? []
        self.members = members
        threshold = try Plan.threshold(file, members, data)
        var predictions = threshold.step?.predictions ?? []
        var volumes: [PlannedVolume] = []
        var failures: [VolumeFailure] = []
        for entry in file.segment {
            do {
                for entry in try entry.timePoints(executable: executable) {
                    // A volume that cannot be planned adds nothing to what is to do.
                    var (files, resampled) = (ingests, seen)
                    let images = try entry.images.map { try files.step($0, .image, volume: entry.name) }
                    let truth = try entry.truth.map { try files.step($0, .labels, volume: entry.name) }
                    let measured = try entry.measured.map { try files.step($0, .image, volume: entry.name) }
                    let exclusion = try entry.exclusion.map { try files.step($0, .values, volume: entry.name) }
                    let inputs = try resampled.images(images)
                    (ingests, seen) = (files, resampled)
                    let logits = try members.map {
                        try PredictStep(
                            .volume(inputs, name: entry.name, roi: entry.roi), member: $0, settings: file.prediction
                        )
                    }
                    let extent = headers.extent(of: images[0])
                    if let extent { _ = try entry.roi?.box(in: extent.shape, of: extent.title, as: "roi") }
                    predictions += logits
                    volumes.append(
                        try Plan.volume(
                            entry, images: images, seen: inputs,
                            shapes: extent.map { seen.shapes(of: $0) }, truth: truth,
                            measured: measured, exclusion: exclusion, logits: logits, file, threshold))
                }
            } catch let fault as FileFault {
                failures.append(VolumeFailure(volume: entry.name, problem: fault.description))
            }
        }
        self.volumes = volumes
        self.failures = failures
        notes = seen.notes
        let calibrations: [any Step] = threshold.step.map { [$0] } ?? []
        var steps: [any Step] = ingests.steps + (models ?? []) + seen.steps + trains + predictions + calibrations
        steps += volumes.map(\.consensus) as [any Step] + volumes.compactMap(\.labels.regrow)
        steps += volumes.map(\.labels) as [any Step]
        steps += volumes.map(\.export) + volumes.compactMap(\.evaluate) as [any Step]
        self.steps = steps
    }

    /// The names of the volumes that need a step; nil for what all of them need. A file may be of several volumes.
    func volumes(needing step: any Step) -> [String]? {
        guard step is any VolumeStep else { return step.volume.map { [$0] } }
        if (data.ingests + data.volumes).contains(where: { $0.key == step.key }) { return nil }
        return volumes.filter { volume in
            (volume.files + volume.seen).contains { $0.key == step.key }
        }.map(\.entry.name)
    }

    /// Refuses, before anything is trained, a network that does not suit the training volumes, and images of one value.
    func checkNetwork(_ context: StepContext) throws {
        for image in data.parts.flatMap(\.images) { try image.source.record(context).checkContrast() }
        let images = try data.parts.map { try $0.image.source.record(context) }
        guard let first = images.first, let voxelSize = file.resolution ?? first.voxelSize else { return }
        let network = try file.network(voxelSize: voxelSize)
        try file.check(network, suits: file.model)
        for image in images { try file.check(network, against: image.shape, of: image.title) }
    }

    private static func threshold(
        _ file: PipelineFile, _ members: [any MemberStep], _ data: TrainingData
    ) throws -> ThresholdSource {
        if let threshold = file.consensus.threshold { return .given(threshold) }
        if let model = file.model, !file.learns { return model.description.thresholdSource }
        return .calibrated(
            try CalibrateStep(
                predictions: try members.map {
                    try PredictStep(.calibration(data), member: $0, settings: file.prediction)
                }, data: data, agree: file.consensus.agree, label: file.label.making))
    }

    private static func volume(
        _ entry: VolumeEntry, images: [IngestStep], seen: [any VolumeStep],
        shapes: (own: ZYX<Int>, seen: ZYX<Int>)?, truth: IngestStep?, measured: [IngestStep],
        exclusion: IngestStep?,
        logits: [PredictStep], _ file: PipelineFile, _ threshold: ThresholdSource
    ) throws -> PlannedVolume {
        let consensus = try ConsensusStep(
            name: entry.name, predictions: logits, agree: file.consensus.agree, threshold: threshold,
            growth: file.label.regrow?.voteThreshold)
        let regrow = try file.label.regrow.map {
            try RegrowStep(name: entry.name, consensus: consensus, regrow: $0, settings: file.label.making)
        }
        let labels = try LabelStep(
            name: entry.name, consensus: consensus, regrow: regrow, settings: file.label, images: images,
            measured: measured, exclusion: exclusion, resampled: seen[0] as? ResampleStep,
            roi: entry.roi)
        let export = try ExportStep(
            name: entry.name, labels: labels, image: images[0], settings: file.export, isScored: truth != nil,
            results: file.resultsFolder)
        let evaluate = try truth.map {
            try EvaluateStep(
                name: entry.name, labels: labels, truth: $0, image: images[0], settings: file.evaluation,
                results: file.resultsFolder)
        }
        return PlannedVolume(
            entry: entry, images: images, seen: seen, consensus: consensus, labels: labels, export: export,
            evaluate: evaluate,
            files: images + [truth, exclusion].compactMap { $0 } + measured, shapes: shapes)
    }
}

/// The files to ingest, each once however often it is named.
private struct IngestSteps {
    let voxelSize: VoxelSizeSetting?
    let digests: SourceDigests
    let executable: String?
    private(set) var steps: [IngestStep] = []

    init(voxelSize: VoxelSizeSetting?, digests: SourceDigests, executable: String?) {
        self.voxelSize = voxelSize
        self.digests = digests
        self.executable = executable
    }

    mutating func step(
        _ source: SourceLocation, _ role: Ingest.Role, volume: String? = nil
    ) throws -> IngestStep {
        let ingest = Ingest(source: source, role: role, voxelSize: voxelSize)
        let digest: String
        do {
            digest = try digests.digest(of: ingest, executable: executable)
        } catch let fault as FileFault {
            throw FileFault(source.title, fault.problem)
        }
        let step = try IngestStep(ingest, digest: digest, volume: volume)
        if let known = steps.first(where: { $0.key == step.key }) { return known }
        steps.append(step)
        return step
    }
}
