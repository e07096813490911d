import Foundation
import Labeling
import Volumes

/// Makes the objects of the consensus, or of what has grown from it, and measures them, on the grid of the volume's file,
/// block by block.
struct LabelStep: Step {
    let name: String
    let consensus: ConsensusStep
    /// nil where objects are the components of the consensus.
    let regrow: RegrowStep?
    let settings: LabelSettings
    /// The channels of the volume's file.
    let images: [IngestStep]
    /// Further volumes whose values are measured at the objects.
    let measured: [IngestStep]
    /// A mask: objects with a voxel in it are dropped.
    let exclusion: IngestStep?
    /// The image that the networks saw; nil where that was the file's own.
    let resampled: ResampleStep?
    /// The part of the file that is segmented; nil for all.
    let roi: CropRange?
    let ingredients: Ingredients
    let key: String

    static let storeName = "labels.zarr"
    /// The objects of the consensus alone, where others were grown from them.
    static let consensusName = "labels-consensus.zarr"
    static let tableName = "objects.csv"
    static let contactsName = "contacts.csv"
    static let recordName = "label.json"

    init(
        name: String, consensus: ConsensusStep, regrow: RegrowStep?, settings: LabelSettings,
        images: [IngestStep], measured: [IngestStep], exclusion: IngestStep?, resampled: ResampleStep?,
        roi: CropRange?
    ) throws {
        self.name = name
        self.consensus = consensus
        self.regrow = regrow
        self.settings = settings
        self.images = images
        self.measured = measured
        self.exclusion = exclusion
        self.resampled = resampled
        self.roi = roi
        var parameters = try Pipeline.parameters("label", settings)
        parameters["roi"] = roi?.text
        ingredients = Ingredients(
            stage: .label, version: 5, subject: name, parameters: parameters,
            inputs: [consensus.input("consensus")] + (regrow.map { [$0.input("regions")] } ?? [])
                + (images as [any VolumeStep]).inputs("image")
                + measured.enumerated().map { $1.input("measured \($0 + 1), \($1.ingest.source.columnName)") }
                + (exclusion.map { [$0.input("exclusion")] } ?? []))
        key = try ingredients.key
    }

    var volume: String? { name }
    var dependencies: [any Step] {
        [consensus] + (regrow.map { [$0] } ?? []) + images + measured + (exclusion.map { [$0] } ?? [])
    }

    struct Record: Codable {
        var objects: Int
        var labelledVoxels: Int
        /// Those of the consensus alone.
        var consensusObjects: Int
        /// The labelled voxels that not all members voted for.
        var disputedVoxels: Int
        /// The middle of the largest object; nil where there is none.
        var largest: ZYX<Int>?
    }

    func run(in folder: String, _ context: StepContext) throws -> Results? {
        let (store, threshold) = try consensus.agreed(context)
        let making = try consensus.making(settings, context)
        let grid = try grid(context)
        let alone = try making.components(inBlocksOf: store, threshold, context) {
            context.report(StepProgress(fraction: 0.3 * $0))
        }
        // Where they are finished, objects lie elsewhere before.
        let path = folder + "/" + LabelStep.storeName
        let isFinished = settings.finish != nil || exclusion != nil
        let made = isFinished ? path + ".unfinished" : path
        let agreed = try grid.write(
            alone, to: regrow == nil ? made : folder + "/" + LabelStep.consensusName, context
        ) { context.report(StepProgress(fraction: 0.3 + 0.3 * $0)) }
        var objects = agreed
        if let regrow {
            let (regions, graph) = try regrow.regions(context)
            objects = try grid.write(making.merged(regions, graph, context), to: made, context)
        }
        if isFinished {
            let finishing = ObjectFinishing(
                settings: settings.finish ?? LabelSettings.Finish(), exclusion: try exclusion?.store(context),
                segmented: try segmented(context), withinSections: settings.connectivity.isWithinSections,
                voxelSize: making.voxelSize,
                work: context.blocks)
            objects = try finishing.write(objects, to: path) {
                context.report(StepProgress(fraction: 0.6 + 0.2 * $0))
            }
        }
        context.report(StepProgress(fraction: 0.8))
        let votes = try grid.votes(
            consensus.store(ConsensusStep.votesName, context), writtenTo: folder + "/" + ConsensusStep.votesName,
            threads: context.threads)
        let table = try table(of: objects, votes, voxelSize: making.voxelSize, context)
        try AtomicFile.writeText(to: folder + "/" + LabelStep.tableName) { try table.csv($0) }
        try AtomicFile.writeText(to: folder + "/" + LabelStep.contactsName) { try table.contactsCSV($0) }
        let record = Record(
            objects: objects.count, labelledVoxels: table.rows.reduce(0) { $0 + $1.voxels },
            consensusObjects: agreed.count,
            disputedVoxels: table.rows.reduce(0) { $0 + ($1.agreement?.disputedVoxels ?? 0) },
            largest: table.rows.max { $0.voxels < $1.voxels }?.centroid.map { Int($0.rounded()) })
        try AtomicFile.write(try readableJSON(record), to: folder + "/" + LabelStep.recordName)
        return nil
    }

    private func table(
        of objects: StoredObjects, _ votes: BlockStore, voxelSize: VoxelSize, _ context: StepContext
    ) throws -> ObjectTable {
        let channels = try (images + measured).map { try $0.store(context) }
        let names = images.indices.map { images.count == 1 ? "intensity" : "intensity_\($0 + 1)" }
        var measurement = ObjectMeasurement(
            objects: objects.count, shape: votes.layout.shape, border: try segmented(context),
            withinSections: settings.connectivity.isWithinSections,
            voxelSize: objects.store.layout.voxelSize ?? voxelSize, members: consensus.predictions.count,
            images: names + measured.map(\.ingest.source.columnName))
        for (index, box) in votes.shards.enumerated() {
            if context.shouldStop() { throw Interruption() }
            try measurement.add(
                ObjectMeasurement.Block(
                    box: box,
                    labels: objects.store.read(measurement.region(around: box), threads: context.threads)
                        .volume(of: UInt32.self),
                    votes: votes.read(box, threads: context.threads).volume(of: UInt8.self),
                    images: channels.map {
                        try $0.read(box, threads: context.threads).converted(to: Double.self)
                    }))
            context.report(StepProgress(fraction: 0.8 + 0.2 * Double(index + 1) / Double(votes.shards.count)))
        }
        return measurement.finish(classes: objects.classes)
    }

    /// Refuses, before anything is trained, to smooth over more voxels than that is meant for.
    func checkSmoothing(_ image: IngestedVolume) throws {
        guard let finish = settings.finish, let size = image.voxelSize else { return }
        try ObjectFinishing.checkSmoothing(finish, as: "label.smooth", of: image.title, size)
    }

    /// The box of the file's voxels that is segmented.
    func segmented(_ context: StepContext) throws -> Box {
        let image = try images[0].record(context)
        return try roi?.box(in: image.shape, of: image.title, as: "roi") ?? Box(image.shape)
    }

    /// The grid that labels and votes lie on.
    func grid(_ context: StepContext) throws -> ResultGrid {
        guard let resampled else {
            return ResultGrid(of: try consensus.store(ConsensusStep.votesName, context).layout)
        }
        return ResultGrid(
            of: try resampled.source.record(context), try resampled.resampling(context),
            within: try segmented(context))
    }

    /// The votes of a finished step, on that grid.
    func votes(_ context: StepContext) throws -> BlockStore {
        if resampled == nil { return try consensus.store(ConsensusStep.votesName, context) }
        return try context.cache.output(of: self).store(ConsensusStep.votesName)
    }

    /// Pictures of a finished step.
    func pictures(over image: IngestStep, _ context: StepContext) throws -> PlanePictures {
        PlanePictures(
            image: try image.store(context), votes: try votes(context),
            labels: try context.cache.output(of: self).store(LabelStep.storeName),
            largest: try record(context).largest)
    }

    func record(_ context: StepContext) throws -> Record {
        try context.cache.output(of: self).json(Record.self, LabelStep.recordName)
    }
}
