import Foundation
import Labeling
import Volumes

/// Makes the objects of the consensus, or of what has grown from it, and measures them, on the grid of the volume's file.
///
/// The logits of one volume and its labels are in memory at once.
struct LabelStep: Step {
    let name: String
    let consensus: ConsensusStep
    /// nil where objects are the components of the consensus.
    let regrow: RegrowStep?
    let settings: LabelSettings
    /// The image that the networks saw; nil where that was the file's own.
    let resampled: ResampleStep?
    let ingredients: Ingredients
    let key: String

    static let storeName = "labels.zarr"
    /// The objects of the consensus alone, where others were grown from them.
    static let consensusName = "labels-consensus.zarr"
    static let tableName = "objects.csv"
    static let recordName = "label.json"

    init(
        name: String, consensus: ConsensusStep, regrow: RegrowStep?, settings: LabelSettings,
        resampled: ResampleStep?
    ) throws {
        self.name = name
        self.consensus = consensus
        self.regrow = regrow
        self.settings = settings
        self.resampled = resampled
        ingredients = Ingredients(
            stage: .label, version: 2, subject: name, parameters: try Pipeline.parameters("label", settings),
            inputs: [consensus.input("consensus")] + (regrow.map { [$0.input("regions")] } ?? [])
                + (resampled.map { [$0.source.input("image")] } ?? []))
        key = try ingredients.key
    }

    var volume: String? { name }
    var dependencies: [any Step] {
        [consensus] + (regrow.map { [$0] } ?? []) + (resampled.map { [$0.source] } ?? [])
    }

    struct Record: Codable {
        var objects: Int
        var labelledVoxels: Int
        /// Those of the consensus alone.
        var consensusObjects: Int
        /// The labelled voxels that not all members voted for.
        var disputedVoxels: Int
    }

    func run(in folder: String, _ context: StepContext) throws -> Results? {
        let (store, threshold) = try consensus.agreed(context)
        let making = try consensus.making(settings, context)
        let logits = try store.logits(
            in: Box(store.layout.shape), first: making.outputs.head.count, context.threads)
        let grid = try grid(context)
        let components = try making.components(in: logits, threshold)
        context.report(StepProgress(fraction: 0.4))
        var objects = components
        if let regrow {
            try grid.write(components.labels, to: folder + "/" + LabelStep.consensusName)
            let (regions, graph) = try regrow.regions(context)
            objects = ClassifiedComponents(try making.merged(regions, graph))
        }
        context.report(StepProgress(fraction: 0.6))
        objects = grid.visible(objects)
        try grid.write(objects.labels, to: folder + "/" + LabelStep.storeName)
        let votes = try grid.votes(
            consensus.store(ConsensusStep.votesName, context), writtenTo: folder + "/" + ConsensusStep.votesName,
            threads: context.threads)
        let table = try table(of: objects, votes, on: grid, voxelSize: making.voxelSize)
        try AtomicFile.write(Data(table.csv().utf8), to: folder + "/" + LabelStep.tableName)
        let record = Record(
            objects: objects.components.count, labelledVoxels: table.rows.reduce(0) { $0 + $1.voxels },
            consensusObjects: components.components.count,
            disputedVoxels: table.rows.reduce(0) { $0 + $1.disputedVoxels })
        try AtomicFile.write(try readableJSON(record), to: folder + "/" + LabelStep.recordName)
        return nil
    }

    private func table(
        of objects: ClassifiedComponents, _ votes: BlockStore, on grid: ResultGrid, voxelSize: VoxelSize
    ) throws -> ObjectTable {
        var measures = ObjectTable.Accumulator(
            objects: objects.components.count, members: consensus.predictions.count)
        for slab in votes.slabs {
            try measures.add(
                slab: grid.labels(objects.labels, in: slab), votes: try votes.read(slab).volume(of: UInt8.self),
                atZ: slab.origin.z)
        }
        return measures.finish(voxelSize: grid.layout.voxelSize ?? voxelSize, classes: objects.classes)
    }

    /// The grid that labels and votes lie on.
    func grid(_ context: StepContext) throws -> ResultGrid {
        guard let resampled else {
            return ResultGrid(of: try consensus.store(ConsensusStep.votesName, context).layout)
        }
        return ResultGrid(of: try resampled.source.record(context), try resampled.resampling(context))
    }

    /// The votes of a finished step, on that grid.
    func votes(_ context: StepContext) throws -> BlockStore {
        if resampled == nil { return try consensus.store(ConsensusStep.votesName, context) }
        return try context.cache.output(of: self).store(ConsensusStep.votesName)
    }

    func record(_ context: StepContext) throws -> Record {
        try context.cache.output(of: self).json(Record.self, LabelStep.recordName)
    }
}
