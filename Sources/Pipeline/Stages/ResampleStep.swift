import Foundation
import Volumes

/// Brings one volume to the voxels that the networks work at; see `Resampling` for how.
///
/// All volumes that go together share the grid of their image, which begins at its first voxel's corner: further channels,
/// and labels and masks of a box of it.
struct ResampleStep: VolumeStep {
    let source: IngestStep
    /// The image whose grid it shares: itself, the first of its channels, or that which it annotates.
    let image: IngestStep
    /// Of labels and masks, where they lie; nil for images.
    let annotation: Annotation?
    let resolution: VoxelSize
    let ingredients: Ingredients
    let key: String

    struct Annotation: Sendable {
        var labels: IngestStep
        /// Where the pipeline file puts the labels in the image.
        var place: ZYX<Int>?
    }

    init(_ source: IngestStep, like image: IngestStep, _ annotation: Annotation?, to resolution: VoxelSize) throws {
        self.source = source
        self.image = image
        self.annotation = annotation
        self.resolution = resolution
        let role = source.ingest.role.rawValue
        var parameters = ["role": role, "resolution": "\(resolution)"]
        parameters["at"] = annotation?.place?.place
        var inputs = [source.input(role)]
        if image.key != source.key { inputs.append(image.input("grid")) }
        if let annotation, annotation.labels.key != source.key { inputs.append(annotation.labels.input("place")) }
        ingredients = Ingredients(
            stage: .resample, version: 1, subject: source.subject, parameters: parameters, inputs: inputs)
        key = try ingredients.key
    }

    var volume: String? { source.volume }
    var dependencies: [any Step] { [source, image] + (annotation.map { [$0.labels] } ?? []) }

    func run(in folder: String, _ context: StepContext) throws -> Results? {
        let own = try source.record(context)
        let resampling = try resampling(context)
        let (target, type) = (resampling.target, own.elementType)
        let voxels = try source.store(context)
        let cut = StoreShape(for: target.shape)
        let store = try BlockStore.create(
            at: folder + "/" + Ingest.storeName,
            BlockStore.Layout(
                shape: target.shape, elementType: type, shard: cut.shard, chunk: cut.chunk, voxelSize: resolution))
        var statistics = VolumeStatistics()
        let pieces = Box(target.shape).pieces(ofShards: cut.shard, size: type.size, atMost: Ingest.pieceBytes)
        for (index, piece) in pieces.enumerated() {
            if context.shouldStop() { throw Interruption() }
            let made = try resampling.voxels(
                of: Box(origin: piece.origin + target.origin, shape: piece.shape),
                annotation == nil ? .intensities : .labels, type, threads: context.threads
            ) { try voxels.read($0.relative(to: resampling.source.origin), threads: context.threads) }
            _ = statistics.add(made)
            try store.writeShards(of: piece, made, threads: context.threads)
            context.report(StepProgress(fraction: Double(index + 1) / Double(pieces.count)))
        }
        let record = IngestedVolume(
            title: own.title, format: own.format, shape: target.shape, elementType: type, voxelSize: resolution,
            box: target, statistics: statistics.summary)
        try AtomicFile.write(try readableJSON(record), to: folder + "/" + Ingest.recordName)
        return nil
    }

    /// From the voxels of the file to those of this step, both on the image's grid.
    ///
    /// - Throws: `FileFault` where files that go together do not fit, or the sizes are too far apart.
    func resampling(_ context: StepContext) throws -> Resampling {
        let (own, image) = (try source.record(context), try image.record(context))
        guard let size = image.voxelSize else { throw FileFault(image.title, "has no voxel size") }
        let box = try annotation.map { try $0.box(of: own, in: image, context) } ?? Box(image.shape)
        if annotation == nil { try own.check(fits: image) }
        do {
            return try Resampling(box, from: size, to: resolution)
        } catch {
            throw FileFault(own.title, "\(error)")
        }
    }
}

extension ResampleStep.Annotation {
    /// Where labels or a mask lie in their image, in voxels of the file.
    fileprivate func box(
        of own: IngestedVolume, in image: IngestedVolume, _ context: StepContext
    ) throws -> Box {
        let box = try labels.record(context).box(in: image, at: place)
        return try own.box(asLabelsIn: box, of: image)
    }
}
