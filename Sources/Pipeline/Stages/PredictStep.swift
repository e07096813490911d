import Foundation
import Inference
import Tensors
import Training
import Volumes

/// Predicts one member's logits of the stored channels: of a volume to segment, or of the calibration block.
///
/// Logits are kept as 16-bit fixed-point numbers, so probabilities of 0.98 and 0.997 stay apart.
struct PredictStep: Step {
    enum Subject: Sendable {
        /// The channels of its image, and of what the networks look at within its file.
        case volume([any VolumeStep], name: String, roi: CropRange?)
        /// The block of the annotation that no member saw.
        case calibration(TrainingData)
    }

    let what: Subject
    let member: any MemberStep
    let settings: PredictionSettings
    let ingredients: Ingredients
    let key: String

    static let storeName = "logits.zarr"

    init(_ what: Subject, member: any MemberStep, settings: PredictionSettings) throws {
        self.what = what
        self.member = member
        self.settings = settings
        var inputs = [member.input("weights")]
        let name: String
        var box: CropRange?
        switch what {
        case .volume(let images, let volume, let roi):
            inputs += images.inputs("image")
            name = volume
            box = roi
        case .calibration:
            name = "the calibration block"
        }
        var parameters = ["fixed_tile_voxels": "\(TileGeometry.fixedTileVoxels)"]
        if settings.mirror { parameters["predict.mirror"] = "true" }
        if settings.rotate { parameters["predict.rotate"] = "true" }
        if let overlap = settings.overlap { parameters["predict.overlap"] = "\(overlap)" }
        parameters["roi"] = box?.text
        ingredients = Ingredients(
            stage: .predict, version: 3, subject: "\(name), member \(member.member + 1)", parameters: parameters,
            inputs: inputs)
        key = try ingredients.key
    }

    var volume: String? {
        if case .volume(_, let name, _) = what { name } else { nil }
    }

    var dependencies: [any Step] {
        switch what {
        case .volume(let images, _, _): [member] + images
        case .calibration(let data): [member] + data.volumes
        }
    }

    func run(in folder: String, _ context: StepContext) throws -> Results? {
        try Self.run([(self, folder)], context)
        return nil
    }

    /// Members of one volume, or of the calibration block: what they have in common is read once.
    static func run(_ works: [(step: PredictStep, folder: String)], _ context: StepContext) throws {
        defer { Libtorch.releaseMemory() }
        guard let subject = works.first?.step.what else { return }
        switch subject {
        case .volume(let images, _, let roi):
            let record = try images[0].record(context)
            let box = try roi.map { try seenBox($0, of: images[0], seenAs: record, context) }
            try predictWhole(
                images, within: box,
                works.map { work in
                    try work.step.store(
                        at: work.folder + "/" + PredictStep.storeName, record.shape, record, context)
                }, works.map(\.step), context)
        case .calibration(let data):
            let parts = try context.annotation(data).split.calibration
            for (done, work) in works.enumerated() {
                let report = context.report
                defer { context.report = report }
                context.report = { progress in
                    let fraction = (Double(done) + progress.fraction) / Double(works.count)
                    report(StepProgress(fraction: fraction, detail: progress.detail, note: progress.note))
                }
                for (index, part) in parts.enumerated() {
                    let images = data.parts[part.volume].images
                    let record = try images[0].record(context)
                    let store = try work.step.store(
                        at: "\(work.folder)/\(index)-\(PredictStep.storeName)", part.box.shape, record, context)
                    let region = try data.region(of: data.parts[part.volume], context)
                    let box = Box(origin: part.box.origin + region.origin, shape: part.box.shape)
                    try work.step.predict(box, of: images, record.shape, into: store, context)
                }
            }
        }
    }

    private func store(
        at path: String, _ shape: ZYX<Int>, _ record: IngestedVolume, _ context: StepContext
    ) throws -> BlockStore {
        let cut = StoreShape(for: shape)
        let channels = try member.outputs(context).channels
        return try BlockStore.create(
            at: path,
            BlockStore.Layout(
                shape: shape, channels: channels.count, elementType: .int16, shard: cut.shard, chunk: cut.chunk,
                voxelSize: record.voxelSize,
                attributes: [
                    "units_per_logit": .number(Double(LogitScale.unitsPerLogit)),
                    "channels": .array(channels.map { .string("\($0)") }),
                ]))
    }

    /// Where a box of the file's voxels lies in what the networks see.
    private static func seenBox(
        _ roi: CropRange, of image: any VolumeStep, seenAs seen: IngestedVolume, _ context: StepContext
    ) throws -> Box {
        let own = try image.source.record(context)
        let box = try roi.box(in: own.shape, of: own.title, as: "roi")
        guard image is ResampleStep, let size = own.voxelSize, let target = seen.voxelSize else { return box }
        // All voxels that share something with it.
        let scale = size.nanometers.zip(target.nanometers, /)
        return Box(
            from: box.origin.zip(scale) { Int((Double($0) * $1).rounded(.down)) },
            to: box.end.zip(scale) { Int((Double($0) * $1).rounded(.up)) }
        ).intersection(Box(seen.shape))
    }

    /// Shard by shard; what an interrupted run wrote is kept.
    private static func predictWhole(
        _ images: [any VolumeStep], within box: Box?, _ stores: [BlockStore], _ steps: [PredictStep],
        _ context: StepContext
    ) throws {
        let loaded = try steps.map { try context.predictor(of: $0.member, $0.settings, of: steps.count) }
        // An affinity is of a voxel and the one before, which must lie within, too.
        let boxes = try box.map { box in
            try steps[0].member.outputs(context).channels.map { channel in
                let step = [0, 1, 2].map { $0 == channel.neighbourAxis && box.origin.array[$0] > 0 ? 1 : 0 }
                return Box(from: box.origin + ZYX(step[0], step[1], step[2]), to: box.end)
            }
        }
        do {
            try EnsemblePrediction(zip(loaded, stores).map { .init($0.predictor, into: $1, within: boxes) }).run(
                limit: loaded[0].limit, threads: context.threads,
                shouldStop: context.shouldStop,
                progress: { context.report(StepProgress(fraction: Double($0) / Double(max(1, $1)))) },
                read: try images.channels(context))
        } catch is Interrupted {
            throw Interruption()
        }
    }

    /// A block of the annotation, with its surroundings as context.
    private func predict(
        _ region: Box, of images: [any VolumeStep], _ shape: ZYX<Int>, into store: BlockStore,
        _ context: StepContext
    ) throws {
        let loaded = try context.predictor(of: member, settings)
        let logits = try loaded.predictor.logits(
            of: region, volume: shape, limit: loaded.limit,
            progress: { done, total in
                if context.shouldStop() { throw Interruption() }
                context.report(StepProgress(fraction: Double(done) / Double(max(1, total))))
            },
            read: try images.channels(context))
        for (channel, volume) in logits.enumerated() {
            for shard in store.shards {
                try store.writeShard(
                    shard, channel: channel, VoxelBuffer(volume.cropped(to: shard)), threads: context.threads)
            }
        }
    }

    func store(_ context: StepContext) throws -> BlockStore {
        try context.cache.output(of: self).store(PredictStep.storeName)
    }

    func calibrationStore(_ index: Int, _ context: StepContext) throws -> BlockStore {
        try context.cache.output(of: self).store("\(index)-\(PredictStep.storeName)")
    }
}
